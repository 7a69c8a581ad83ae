//! Every role that vendors publish, judged, and compared with a table that a person has read: which findings, how grave, why.
//!
//! The documents lie beside the repository, not in it: where they are missing the test says so on a visible line and
//! passes. The table holds facts only. `THIRDTRAIL_REFRESH=1` writes it anew, for a person to read again.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod beside;
mod vendor_roles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::aws::window::parse_time;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::local::LocalStore;

use beside::{say, vendors};
use vendor_roles::{OWN, UUID, VendorRole, roles};

const GOLDEN: &str = "tests/golden/vendor_findings.tsv";
const HEAD: &str = "# Findings about the roles that vendors publish, read by a person: facts only, the documents lie elsewhere.\n\
    # vendor\trole (file and resource; in brackets how many more come to the same)\tcode\tseverity\twhy\n";

fn inventory(roles: &[VendorRole]) -> Value {
    let details = roles.iter().enumerate().map(|(number, role)| {
        let name = role.role_name(number);
        let policies: Vec<Value> =
            role.permissions.iter().map(|document| json!({"PolicyName": "p", "PolicyDocument": document})).collect();
        json!({"RoleName": name, "RoleId": format!("AROA{number:017}"), "Arn": role.arn(number),
            "Path": "/", "CreateDate": "2025-01-01T00:00:00Z", "RolePolicyList": policies, "AttachedManagedPolicies": [],
            "Tags": [], "AssumeRolePolicyDocument": role.trust})
    });
    json!({"RoleDetailList": details.collect::<Vec<_>>(), "UserDetailList": [], "GroupDetailList": [], "Policies": []})
}

/// A trail that says nothing of these roles, and too little to call anything unused.
fn report(roles: &[VendorRole]) -> Value {
    let trail = TempDir::new().unwrap();
    let day = trail.path().join(format!("AWSLogs/{OWN}/CloudTrail/us-east-1/2026/05/01"));
    fs::create_dir_all(&day).unwrap();
    let record = json!({"eventVersion": "1.10", "userIdentity": {"type": "Root", "principalId": OWN, "accountId": OWN,
        "arn": format!("arn:aws:iam::{OWN}:root")}, "eventTime": "2026-05-01T10:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances", "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.7", "userAgent": "x",
        "requestParameters": null, "responseElements": null, "eventID": "00000000-0000-4000-8000-000000000001",
        "eventType": "AwsApiCall", "managementEvent": true, "eventCategory": "Management", "readOnly": true,
        "recipientAccountId": OWN});
    let name = format!("{OWN}_CloudTrail_us-east-1_20260501T1100Z_abcdefghijklmnop.json");
    fs::write(day.join(name), json!({"Records": [record]}).to_string()).unwrap();
    let file = trail.path().join("inventory.json");
    fs::write(&file, inventory(roles).to_string()).unwrap();
    let options = Options {
        request: Request {
            since: parse_time("2026-05-01T00:00:00Z"),
            until: parse_time("2026-06-01T00:00:00Z"),
            ..Request::default()
        },
        inventories: vec![file],
        idle_days: 90,
        max_holes: 0.05,
        effort: Effort { jobs: 2, memory_bytes: 64 << 20 },
        ..Options::default()
    };
    let outcome = analyze(&LocalStore::open(Path::new(trail.path())).unwrap(), &options, &Silent).unwrap();
    for file in &outcome.files {
        assert!(!String::from_utf8_lossy(&file.bytes).contains(UUID), "{} shows an external id", file.path);
    }
    serde_json::to_value(&outcome.assessment).unwrap()
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// Why, in a few words, from the evidence.
fn why(finding: &Value) -> String {
    let evidence = &finding["evidence"];
    let perhaps = |text: String| if evidence["certain"] == false { format!("perhaps: {text}") } else { text };
    let some = |list: Vec<&str>, total: usize| {
        let more = if total > 8 { format!(" and {} more", total - 8) } else { String::new() };
        format!("{}{more}", list.into_iter().take(8).collect::<Vec<_>>().join(", "))
    };
    let principals = || words(&evidence["principals"]).join(", ");
    match finding["code"].as_str().unwrap() {
        "policy-admin" => perhaps("everything is allowed".to_owned()),
        "policy-privilege-escalation" => {
            let paths = evidence["paths"].as_array().unwrap().iter();
            let name = |path: &Value| {
                let doubt = if path["certain"] == false { "?" } else { "" };
                format!("{}{doubt}", path["path"].as_str().unwrap())
            };
            paths.map(name).collect::<Vec<_>>().join(", ")
        }
        "policy-passrole-any" => {
            let services = words(&evidence["services"]);
            perhaps(if services.is_empty() {
                "to any service".to_owned()
            } else {
                format!("to {}", services.join(", "))
            })
        }
        "policy-write-wildcard" => {
            let names: Vec<&str> = [words(&evidence["patterns"]), words(&evidence["actions"])].concat();
            let total = evidence["patterns_total"].as_u64().unwrap() + evidence["actions_total"].as_u64().unwrap();
            let names = some(names, usize::try_from(total).unwrap());
            perhaps(format!("{names}: {} writing actions on every resource", evidence["writing_actions"]))
        }
        "boundary-missing" => format!("beside {}", words(&evidence["because_of"]).join(", ")),
        code if code.starts_with("policy-") => {
            let total = usize::try_from(evidence["actions_total"].as_u64().unwrap()).unwrap();
            perhaps(format!("{} on every resource", some(words(&evidence["actions"]), total)))
        }
        "trust-whole-account" => format!("trusts {}", principals()),
        "trust-no-external-id" => format!("{} may come without one", principals()),
        "trust-unknown-account" => format!("{} is in no directory", principals()),
        "external-id-weak" => "the vendor's own form is short or guessable".to_owned(),
        "external-id-shared" => "the test's one id is used for all vendors".to_owned(),
        _ => principals(),
    }
}

/// Codes that the table is about. One external id for all vendors is the test's doing, not theirs.
fn is_judged(code: &str) -> bool {
    let head = code.split('-').next().unwrap();
    ["policy", "boundary", "trust", "external", "federated"].contains(&head) && code != "external-id-shared"
}

fn table(roles: &[VendorRole], report: &Value) -> String {
    let mut rows: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let name = finding["subject"].as_str().unwrap().rsplit('/').next().unwrap();
        rows.entry(name.to_owned()).or_default().push(finding);
    }
    let mut lines = vec![HEAD.to_owned()];
    for (number, role) in roles.iter().enumerate() {
        let more = if role.documents.len() > 1 { format!(" (+{})", role.documents.len() - 1) } else { String::new() };
        let place = format!("{}{more}", role.documents[0]);
        let found = rows.remove(&role.role_name(number)).unwrap_or_default();
        let mut found: Vec<&Value> =
            found.into_iter().filter(|finding| is_judged(finding["code"].as_str().unwrap())).collect();
        found.sort_by_key(|finding| finding["code"].as_str().unwrap());
        if found.is_empty() {
            lines.push(format!("{}\t{place}\t-\t-\tnothing to say\n", role.vendor));
        }
        lines.extend(found.into_iter().map(|finding| {
            let (code, severity) = (finding["code"].as_str().unwrap(), finding["severity"].as_str().unwrap());
            format!("{}\t{place}\t{code}\t{severity}\t{}\n", role.vendor, why(finding))
        }));
    }
    lines.concat()
}

/// S31, S32, S40: every published role is judged as the table says, and nothing is called unused without evidence.
#[test]
fn published_vendor_roles_are_judged_as_a_person_did() {
    let Some(vendors) = vendors() else { return };
    let roles = roles(&vendors);
    let report = report(&roles);
    let by_evidence = ["permissions-unused", "dangerous-unused", "role-idle", "role-never-used"];
    for finding in report["findings"].as_array().unwrap() {
        assert!(!by_evidence.contains(&finding["code"].as_str().unwrap()), "without evidence: {finding}");
        assert_ne!(finding["severity"], "critical", "only what is known to be unused is that grave here: {finding}");
    }
    let outside: BTreeSet<&str> =
        report["roles"].as_array().unwrap().iter().filter_map(|role| role["name"].as_str()).collect();
    let found = table(&roles, &report);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("THIRDTRAIL_REFRESH").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    say(&format!("vendor roles: {} judged, {} of them open to the vendor", roles.len(), outside.len()));
    for (line, (have, want)) in found.lines().zip(golden.lines()).enumerate() {
        assert_eq!(have, want, "{GOLDEN} line {}", line + 1);
    }
    assert_eq!(found.lines().count(), golden.lines().count(), "{GOLDEN} has more or fewer rows");
}
