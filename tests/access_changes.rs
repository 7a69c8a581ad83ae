//! Access given in the window: which changes let an outsider in, gave one more or were made by one, with who did it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod beside;
mod made;

use std::collections::BTreeSet;

use made::{OWN, Trail, session, severities, user, with};
use serde_json::{Value, json};

const DATADOG: &str = "464622532012";
const STRANGER: &str = "999988887777";

fn statement(principal: &Value, condition: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition})
}

fn trust(principal: Value, condition: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement(&principal, &condition)]}).to_string()
}

fn role(name: &str, principal: Value) -> Value {
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{OWN}:role/v/{name}"),
        "CreateDate": "2020-01-01T00:00:00Z", "AssumeRolePolicyDocument":
            {"Version": "2012-10-17", "Statement": [statement(&principal, &json!({}))]},
        "AttachedManagedPolicies": [{"PolicyName": "Shared", "PolicyArn": format!("arn:aws:iam::{OWN}:policy/{name}")}]})
}

fn trail() -> Trail {
    let mut trail = Trail::new("2026-05-01", "2026-05-02");
    trail.inventory = Some(json!({"GroupDetailList": [], "Policies": [], "UserDetailList": [], "RoleDetailList": [
        role("Vendor", json!({"AWS": DATADOG})), role("Ours", json!({"AWS": OWN}))]}));
    trail
}

const TIME: &str = "2026-05-01T10:00:00Z";

fn jane() -> Value {
    user("jane", "AKIAJANEJANEJANEJANE")
}

/// One change by an administrator.
fn changed(trail: &mut Trail, api: (&str, &str), parameters: Value) {
    trail.add(TIME, jane(), api, json!({"requestParameters": parameters}));
}

/// An administrator opens doors of every kind, to outsiders and to ourselves.
fn opened() -> Trail {
    let mut trail = trail();
    let account = |id: &str| json!({"AWS": format!("arn:aws:iam::{id}:root")});
    let set = |name: &str, policy: String| json!({"roleName": name, "assumeRolePolicyDocument": policy});
    for (name, principal, condition) in [
        ("ToVendor", account(DATADOG), json!({"StringEquals": {"sts:ExternalId": "s3cr3t-id"}})),
        ("ToStranger", account(STRANGER), json!({})),
        ("ToAll", json!("*"), json!({})),
        ("ToUs", account(OWN), json!({})),
        ("ToOrganization", json!("*"), json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        ("ToService", json!({"Service": "ec2.amazonaws.com"}), json!({})),
        (
            "ToGitHub",
            json!({"Federated": format!("arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com")}),
            json!({}),
        ),
    ] {
        changed(&mut trail, ("iam", "CreateRole"), set(name, trust(principal, condition)));
    }
    changed(
        &mut trail,
        ("iam", "AttachRolePolicy"),
        json!({"roleName": "Vendor", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    );
    changed(
        &mut trail,
        ("iam", "AttachRolePolicy"),
        json!({"roleName": "Ours", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    );
    changed(
        &mut trail,
        ("iam", "CreatePolicyVersion"),
        json!({"policyArn": format!("arn:aws:iam::{OWN}:policy/Vendor")}),
    );
    changed(
        &mut trail,
        ("iam", "CreatePolicyVersion"),
        json!({"policyArn": format!("arn:aws:iam::{OWN}:policy/Ours")}),
    );
    changed(&mut trail, ("iam", "CreateOpenIDConnectProvider"), json!({"url": "https://idp.example.com"}));
    changed(&mut trail, ("iam", "CreateAccessKey"), json!({"userName": "newrelic"}));
    changed(&mut trail, ("iam", "CreateAccessKey"), json!({"userName": "jane"}));
    let bucket =
        json!({"bucketName": "shared", "bucketPolicy": {"Statement": [statement(&account(STRANGER), &json!({}))]}});
    changed(&mut trail, ("s3", "PutBucketPolicy"), bucket);
    trail.add(
        "2026-05-01T11:00:00Z",
        user("newrelic", "AKIANEWRELICNEWRELIC"),
        ("ec2", "DescribeInstances"),
        json!({}),
    );
    trail
}

/// S17: every way in which an outsider is let in or given more is found, with its severity; what concerns only us is not.
#[test]
fn new_access_of_outsiders_is_found_and_ours_is_not() {
    let report = opened().report();
    let found = severities(&report, "access-new");
    let expected = [
        ("ToAll", "critical"),
        ("ToGitHub", "medium"),
        ("ToStranger", "high"),
        ("ToVendor", "medium"),
        ("Vendor", "medium"),
        ("idp.example.com", "low"),
        ("newrelic", "medium"),
        ("shared", "high"),
    ];
    assert_eq!(found, expected);
    let by = &with(&report, "access-new")["ToVendor"]["evidence"]["list"][0];
    assert_eq!(by["by"]["principal"], format!("arn:aws:iam::{OWN}:user/jane"));
    assert_eq!(
        by["lets_in"],
        json!([{"principal": format!("arn:aws:iam::{DATADOG}:root"), "party": "Datadog",
        "unknown": false, "conditions": ["sts:externalid"]}])
    );
    assert!(!report.to_string().contains("s3cr3t-id"), "S42: an external id is in the report");
}

/// Refused attempts are told when an outsider made them; an outsider that opens a door for outsiders is the gravest.
#[test]
fn what_outsiders_change_themselves_is_told() {
    let mut trail = trail();
    let handoff = json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/v/Vendor"), "roleSessionName": "s"},
        "responseElements": {"credentials": {"accessKeyId": "ASIAVENDORVENDORVEND"},
            "assumedRoleUser": {"assumedRoleId": "AROAVendor:s", "arn": "arn:aws:sts::x"}}});
    let vendor = json!({"type": "AWSAccount", "principalId": "AROAX:y", "accountId": DATADOG});
    trail.add("2026-05-01T09:00:00Z", vendor, ("sts", "AssumeRole"), handoff);
    let caller = || session("Vendor", "s", "ASIAVENDORVENDORVEND");
    let policy = trust(json!({"AWS": STRANGER}), json!({}));
    let update = |outcome: Value| json!({"requestParameters": {"roleName": "Ours", "policyDocument": policy}, "errorCode": outcome});
    trail.add(TIME, caller(), ("iam", "UpdateAssumeRolePolicy"), update(Value::Null));
    let refused = json!({"requestParameters": {"userName": "jane"}, "errorCode": "AccessDenied"});
    trail.add(TIME, caller(), ("iam", "CreateLoginProfile"), refused.clone());
    trail.add(
        TIME,
        jane(),
        ("iam", "CreateLoginProfile"),
        json!({"requestParameters": {"userName": "joe"}, "errorCode": "AccessDenied"}),
    );
    let report = trail.report();
    assert_eq!(severities(&report, "access-new"), [("Ours", "critical"), ("jane", "high")]);
    let change = &with(&report, "access-new")["Ours"]["evidence"]["list"][0];
    assert_eq!((&change["by"]["party_id"], &change["by"]["outside"]), (&json!(DATADOG), &json!(true)));
}

/// Without any record of a change there is nothing to say, and nothing is said.
#[test]
fn no_change_is_no_finding() {
    let mut trail = trail();
    trail.add(TIME, jane(), ("iam", "ListRoles"), json!({}));
    assert_eq!(severities(&trail.report(), "access-new"), []);
}

/// S12: holders of certificates are behind what IAM Roles Anywhere opens, not AWS; by trust they may come although none
/// did.
#[test]
fn certificates_are_a_channel() {
    let mut trail = trail();
    let anywhere = json!({"Service": "rolesanywhere.amazonaws.com"});
    trail.inventory.as_mut().unwrap()["RoleDetailList"] = json!([
        role("Machine", anywhere.clone()),
        role("Quiet", anywhere),
        role("Instance", json!({"Service": "ec2.amazonaws.com"}))
    ]);
    let service = json!({"type": "AWSService", "invokedBy": "rolesanywhere.amazonaws.com"});
    let handoff = json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/v/Machine"),
            "roleSessionName": "00ab", "sourceIdentity": "CN=build.example.com"},
        "responseElements": {"credentials": {"accessKeyId": "ASIAMACHINEMACHINEMA"},
            "assumedRoleUser": {"assumedRoleId": "AROAMachine:00ab", "arn": "arn:aws:sts::x"}}});
    trail.add("2026-05-01T09:00:00Z", service, ("sts", "AssumeRole"), handoff);
    trail.add(TIME, session("Machine", "00ab", "ASIAMACHINEMACHINEMA"), ("ec2", "DescribeInstances"), json!({}));
    let report = trail.report();
    let names: Vec<&str> =
        report["roles"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Machine", "Quiet"]);
    let parties = report["parties"].as_array().unwrap();
    let party = parties.iter().find(|party| party["id"] == "rolesanywhere/CN=build.example.com").unwrap();
    assert_eq!((&party["kind"], &party["channels"]), (&json!("identity_provider"), &json!(["roles_anywhere"])));
    assert_eq!((&party["sessions"], &party["calls"]), (&json!(1), &json!(1)));
}

/// S14: whoever acts in a role's name by delegation is told, and the role is reviewed as one that outsiders reach.
#[test]
fn delegation_is_a_finding() {
    let mut trail = trail();
    let mut caller = session("Ours", "s", "ASIAOURSOURSOURSOURS");
    trail.add(TIME, caller.clone(), ("ec2", "DescribeInstances"), json!({}));
    assert_eq!(severities(&trail.report(), "access-delegated"), []);
    caller["invokedByDelegate"] = json!({"accountId": DATADOG});
    trail.add(TIME, caller, ("ec2", "DescribeInstances"), json!({}));
    let report = trail.report();
    assert_eq!(severities(&report, "access-delegated"), [("Ours", "medium")]);
    let finding = with(&report, "access-delegated")["Ours"];
    assert_eq!(finding["evidence"]["by_party"], json!({"Datadog": {"sessions": 1, "calls": 1}}));
}

/// S11, S14: a role that a delegate assumes further on is in the outsider's reach.
#[test]
fn a_delegate_goes_on_as_himself() {
    let mut trail = trail();
    trail.inventory.as_mut().unwrap()["RoleDetailList"] =
        json!([role("Ours", json!({"AWS": OWN})), role("Deep", json!({"AWS": OWN}))]);
    let mut caller = session("Ours", "s", "ASIAOURSOURSOURSOURS");
    caller["invokedByDelegate"] = json!({"accountId": DATADOG});
    let handoff = json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/v/Deep"), "roleSessionName": "d"},
        "responseElements": {"credentials": {"accessKeyId": "ASIADEEPDEEPDEEPDEEP"},
            "assumedRoleUser": {"assumedRoleId": "AROADeep:d", "arn": "arn:aws:sts::x"}}});
    trail.add("2026-05-01T09:00:00Z", caller, ("sts", "AssumeRole"), handoff);
    trail.add(TIME, session("Deep", "d", "ASIADEEPDEEPDEEPDEEP"), ("ec2", "DescribeInstances"), json!({}));
    let report = trail.report();
    let deep = report["roles"].as_array().unwrap().iter().find(|role| role["name"] == "Deep").unwrap();
    assert_eq!(deep["sessions"]["by_party"], json!({DATADOG: 1}));
}

/// Who gives itself a key names nobody; a group and a managed policy of a vendor's user give it more.
#[test]
fn what_a_vendors_user_gets_is_found_wherever_it_is_given() {
    let mut trail = trail();
    let policy = format!("arn:aws:iam::{OWN}:policy/Vendors");
    trail.inventory.as_mut().unwrap()["UserDetailList"] = json!([{"UserName": "datadog", "UserId": "AIDAdatadog",
        "Arn": format!("arn:aws:iam::{OWN}:user/datadog"), "GroupList": ["vendors"],
        "AttachedManagedPolicies": [{"PolicyName": "Vendors", "PolicyArn": policy}]}]);
    let made = json!({"accessKey": {"accessKeyId": "AKIANEWNEWNEWNEWNEWN", "userName": "datadog"}});
    trail.add(
        TIME,
        user("datadog", "AKIA000000000datadog"),
        ("iam", "CreateAccessKey"),
        json!({"responseElements": made}),
    );
    changed(
        &mut trail,
        ("iam", "AttachGroupPolicy"),
        json!({"groupName": "vendors", "policyArn": "arn:aws:iam::aws:policy/X"}),
    );
    changed(
        &mut trail,
        ("iam", "AttachGroupPolicy"),
        json!({"groupName": "staff", "policyArn": "arn:aws:iam::aws:policy/X"}),
    );
    changed(&mut trail, ("iam", "CreatePolicyVersion"), json!({"policyArn": policy}));
    let found =
        severities(&trail.report(), "access-new").into_iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(found, ["Vendors", "datadog", "vendors"]);
}

/// Doubt is said: an organization whose owner is not ours is no unknown account, and everybody but our own is everybody.
#[test]
fn organizations_and_negations_are_read_with_care() {
    let mut trail = trail();
    let shared = json!({"resourceShareArn": format!("arn:aws:ram:us-east-1:{OWN}:resource-share/s"),
        "principals": ["arn:aws:organizations::444455556666:organization/o-abc"]});
    changed(&mut trail, ("ram", "AssociateResourceShare"), shared);
    let others = json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}});
    let bucket = json!({"bucketName": "others", "bucketPolicy": {"Statement": [statement(&json!("*"), &others)]}});
    changed(&mut trail, ("s3", "PutBucketPolicy"), bucket);
    let report = trail.report();
    assert_eq!(severities(&report, "access-new"), [("others", "medium"), ("s", "medium")]);
    assert_eq!(with(&report, "access-new")["others"]["party"], "everybody");
}

/// Records of real attacks: every door that was opened to another account is found, with who opened it.
#[test]
fn real_backdoors_are_found() {
    let Some(files) = beside::record_files() else { return };
    let opens: BTreeSet<&str> = [
        "UpdateAssumeRolePolicy",
        "ModifySnapshotAttribute",
        "ModifyImageAttribute",
        "ModifyDBSnapshotAttribute",
        "AddPermission20150331v2",
        "PutBucketPolicy",
        "CreateTrustAnchor",
    ]
    .into();
    let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
    for (_, lines) in files.iter().filter(|(path, _)| path.to_string_lossy().contains("stratus")) {
        for line in lines {
            let record: Value = serde_json::from_str(line).unwrap();
            let name = record["eventName"].as_str().unwrap();
            if !opens.contains(name) || record["errorCode"].is_string() || undone(&record["requestParameters"]) {
                continue;
            }
            expected.insert(record["eventID"].as_str().unwrap().to_owned());
            let mut trail = Trail::new("2026-05-01", "2026-05-02");
            let mut moved = record.clone();
            moved["recipientAccountId"] = record["userIdentity"]["accountId"].clone();
            trail.add(TIME, record["userIdentity"].clone(), ("x", "x"), moved);
            let report = trail.moved_to(TIME).report();
            found.extend(
                report["access_changes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|change| change["event_id"].as_str().unwrap().to_owned()),
            );
        }
    }
    assert!(expected.len() >= 5, "the records of attacks hold {} doors", expected.len());
    assert_eq!(found, expected);
}

/// A clean-up takes access away; and one record opens a role to an account that AWS delivers logs from, which is no third
/// party to us (S17).
fn undone(parameters: &Value) -> bool {
    let text = parameters.to_string();
    text.contains("\"remove\"") || text.contains("valuesToRemove") || text.contains("193672423079")
}

/// S11, S21: what a vendor's session asked for in vain is the vendor's refusal, not our own organization's.
#[test]
fn a_sessions_refused_hand_off_is_its_partys() {
    let mut trail = trail();
    let arn = |role: &str| format!("arn:aws:iam::{OWN}:role/v/{role}");
    let handoff = json!({"requestParameters": {"roleArn": arn("Vendor"), "roleSessionName": "s"},
        "responseElements": {"credentials": {"accessKeyId": "ASIAVENDORVENDORVEND"},
            "assumedRoleUser": {"assumedRoleId": "AROAVendor:s", "arn": "arn:aws:sts::x"}}});
    let vendor = json!({"type": "AWSAccount", "principalId": "AROAX:y", "accountId": DATADOG});
    trail.add("2026-05-01T09:00:00Z", vendor, ("sts", "AssumeRole"), handoff);
    let refused =
        json!({"requestParameters": {"roleArn": arn("Ours"), "roleSessionName": "t"}, "errorCode": "AccessDenied"});
    trail.add(TIME, session("Vendor", "s", "ASIAVENDORVENDORVEND"), ("sts", "AssumeRole"), refused);
    let report = trail.report();
    let parties = report["parties"].as_array().unwrap();
    let party = parties.iter().find(|party| party["id"] == DATADOG).unwrap();
    assert_eq!(party["denied"], 1, "{party}");
    let own = parties.iter().find(|party| party["id"] == OWN);
    assert!(own.is_none_or(|own| own["denied"] == 0), "{own:?}");
}
