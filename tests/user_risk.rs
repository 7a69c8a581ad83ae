//! What a third party's IAM user may do: by its own policies, its groups' and its boundary, and by the roles it may assume.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod made;

use made::{OWN, Trail, with};
use serde_json::{Value, json};

fn document(effect: &str, actions: &[&str], resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": resource}]})
}

fn user(name: &str, changes: Value) -> Value {
    let mut user = json!({"UserName": name, "UserId": format!("AIDA{name}"), "GroupList": [], "UserPolicyList": [],
        "Arn": format!("arn:aws:iam::{OWN}:user/{name}"), "AttachedManagedPolicies": [],
        "Tags": [{"Key": "vendor", "Value": "Acme"}]});
    for (key, value) in changes.as_object().unwrap() {
        user[key] = value.clone();
    }
    user
}

fn inline(document: &Value) -> Value {
    json!([{"PolicyName": "own", "PolicyDocument": document}])
}

fn role(name: &str, principal: Value) -> Value {
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{OWN}:role/{name}"), "Path": "/",
        "CreateDate": "2020-01-01T00:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": "sts:AssumeRole", "Principal": principal}]}})
}

fn managed(name: &str, document: &Value) -> Value {
    json!({"PolicyName": name, "Arn": format!("arn:aws:iam::{OWN}:policy/{name}"), "DefaultVersionId": "v1",
        "PolicyVersionList": [{"Document": document, "VersionId": "v1", "IsDefaultVersion": true}]})
}

fn boundary(name: &str) -> Value {
    json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": format!("arn:aws:iam::{OWN}:policy/{name}")})
}

fn report() -> Value {
    let admin = document("Allow", &["*"], "*");
    let secrets = document("Allow", &["secretsmanager:GetSecretValue"], "*");
    let assume = document("Allow", &["sts:AssumeRole"], "*");
    let arn = |name: &str| format!("arn:aws:iam::{OWN}:user/{name}");
    let attached = |name: &str| json!([{"PolicyName": name, "PolicyArn": format!("arn:aws:iam::{OWN}:policy/{name}")}]);
    let mut trail = Trail::new("2026-05-01", "2026-05-02");
    trail.inventory = Some(json!({
        "UserDetailList": [
            user("admin", json!({"UserPolicyList": inline(&admin)})),
            user("bounded", json!({"UserPolicyList": inline(&admin), "PermissionsBoundary": boundary("Narrow")})),
            user("grouped", json!({"GroupList": ["readers"]})),
            user("lost", json!({"GroupList": ["gone"], "UserPolicyList": inline(&secrets)})),
            user("attached", json!({"AttachedManagedPolicies": attached("Secrets")})),
            user("plain", json!({"UserPolicyList": inline(&document("Allow", &["ec2:DescribeInstances"], "*"))})),
            user("climber", json!({"UserPolicyList": inline(&assume)})),
            user("ours", json!({"UserPolicyList": inline(&admin), "Tags": []})),
        ],
        "GroupDetailList": [{"Arn": format!("arn:aws:iam::{OWN}:group/readers"), "GroupName": "readers",
            "GroupPolicyList": inline(&secrets), "AttachedManagedPolicies": []}],
        "Policies": [managed("Narrow", &document("Allow", &["ec2:Describe*"], "*")), managed("Secrets", &secrets)],
        "RoleDetailList": [role("ByAccount", json!({"AWS": OWN})), role("ByName", json!({"AWS": arn("plain")})),
            role("Theirs", json!({"AWS": "999988887777"})), role("Service", json!({"Service": "ec2.amazonaws.com"}))]}));
    trail.add(
        "2026-05-01T10:00:00Z",
        made::user("admin", "AKIA0000000000000ADM"),
        ("ec2", "DescribeInstances"),
        json!({}),
    );
    trail.report()
}

fn subjects(report: &Value, code: &str) -> Vec<(String, String)> {
    let found = with(report, code);
    let users = found.iter().filter(|(_, found)| found["subject"].as_str().unwrap().contains(":user/"));
    users.map(|(name, found)| ((*name).to_owned(), found["severity"].as_str().unwrap().to_owned())).collect()
}

/// S16, S30: the policies of a third party's user are judged like those of a role, with those of its groups and within its
/// boundary; whether they are used is not claimed.
#[test]
fn what_a_third_partys_user_may_do_is_judged() {
    let report = report();
    let pair = |name: &str, severity: &str| (name.to_owned(), severity.to_owned());
    assert_eq!(subjects(&report, "policy-admin"), [pair("admin", "high")]);
    // A group that nobody knows leaves all in doubt, as a policy that cannot be read does.
    assert_eq!(
        subjects(&report, "policy-secrets-any"),
        [pair("attached", "high"), pair("grouped", "high"), pair("lost", "medium")]
    );
    assert_eq!(subjects(&report, "boundary-missing"), [pair("admin", "medium")]);
    let admin = with(&report, "policy-admin")["admin"];
    assert_eq!((&admin["party"], &admin["evidence"]["use_of_iam"]), (&json!("Acme"), &Value::Null));
    assert!(admin["title"].as_str().unwrap().starts_with("user admin is an administrator"));
    assert!(admin["detail"].as_str().unwrap().contains("Whether a user uses it is not judged."));
    let lost = with(&report, "policy-secrets-any")["lost"]["detail"].as_str().unwrap();
    assert!(lost.contains("group gone is not in the inventory"), "{lost}");
    assert!(!report["findings"].to_string().contains("user/ours"), "no third party has it");
}

/// The number of a party counts what its user may do itself; nothing is proposed, so it does not fall.
#[test]
fn a_users_radius_is_its_partys() {
    let report = report();
    let of = |list: &str, key: &str, name: &str| {
        let all = report[list].as_array().unwrap().iter();
        all.clone().find(|one| one[key].as_str().unwrap().ends_with(&format!("user/{name}"))).unwrap()["blast_radius"]
            .clone()
    };
    assert_eq!(of("users", "arn", "admin"), json!({"before": 100, "after": 100}));
    assert_eq!(of("users", "arn", "plain")["before"], 0);
    assert_eq!(of("users", "arn", "bounded")["before"], 0);
    let party = of("parties", "id", "admin");
    assert_eq!((&party["before"], &party["after"]), (&json!(100), &json!(100)));
}

/// S40: the roles that trust it and that its policies let it assume, or that name it.
#[test]
fn the_roles_that_it_may_assume_are_told() {
    let report = report();
    let roles = |name: &str| -> Vec<String> {
        let all = report["users"].as_array().unwrap().iter();
        let user = all.clone().find(|user| user["name"] == name).unwrap();
        assert_eq!(user["can_assume_total"], user["can_assume"].as_array().unwrap().len());
        let arns = user["can_assume"].as_array().unwrap().iter();
        arns.map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(roles("climber"), ["ByAccount"]);
    assert_eq!(roles("admin"), ["ByAccount"]);
    assert_eq!(roles("plain"), ["ByName"]);
    assert_eq!(roles("bounded"), [] as [&str; 0]);
    assert_eq!(roles("grouped"), [] as [&str; 0]);
    // What the group would let it do is not known.
    assert_eq!(roles("lost"), ["ByAccount"]);
}
