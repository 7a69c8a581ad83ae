# findings.ocsf.jsonl to the input of `aws securityhub batch-import-findings`, a hundred findings a line (docs/OUTPUTS.md).
# jq -sc --arg region REGION --arg account ACCOUNT -f securityhub.jq findings.ocsf.jsonl
def at: . / 1000 | todate;
def finding: {
  SchemaVersion: "2018-10-08",
  Id: ("thirdtrail/" + .finding_info.uid),
  ProductArn: "arn:aws:securityhub:\($region):\($account):product/\($account)/default",
  GeneratorId: ("thirdtrail/" + .metadata.event_code),
  AwsAccountId: (.cloud.account.uid // $account),
  Types: ["Software and Configuration Checks/AWS Security Best Practices"],
  CreatedAt: (.time | at),
  UpdatedAt: (.time | at),
  Severity: {Label: (.severity | ascii_upcase)},
  Title: .finding_info.title[:256],
  Description: (if .finding_info.desc == "" then .finding_info.title else .finding_info.desc end)[:1024],
  Remediation: {Recommendation: {Text: .remediation.desc[:512]}},
  ProductFields: {"thirdtrail/code": .metadata.event_code, "thirdtrail/party": (.unmapped.party // "none")[:1024]},
  Resources: [.resources[] | {
    Type: (if .type == "Third party" then "Other" else .type end),
    Id: (if .type == "AwsAccount" and (.uid | startswith("arn:") | not) then "AWS::::Account:" + .uid else .uid end)[:512]
  }],
  Workflow: {Status: (if .status_id == 3 then "SUPPRESSED" else "NEW" end)},
  RecordState: "ACTIVE"
};
map(finding) | range(0; length; 100) as $from | .[$from:$from + 100] | {Findings: .}
