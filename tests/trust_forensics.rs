//! External ids that a denial demands, ids beyond those that are listed, and organizations that conditions name.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod made;

use made::{OWN, Trail, severities, with};
use serde_json::{Value, json};

const DATADOG: &str = "464622532012";
const CLOUDHEALTH: &str = "454464851268";
const UUID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";

fn statement(effect: &str, principal: Value, condition: Value) -> Value {
    json!({"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition})
}

fn allow(account: &str, condition: Value) -> Value {
    statement("Allow", json!({"AWS": format!("arn:aws:iam::{account}:root")}), condition)
}

/// A trail with roles of these trust policies.
fn trail(roles: &[(&str, Vec<Value>)]) -> Trail {
    let details = roles.iter().map(|(name, statements)| {
        json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{OWN}:role/{name}"),
            "Path": "/", "CreateDate": "2020-01-01T00:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": statements}})
    });
    let mut trail = Trail::new("2026-05-01", "2026-05-02");
    trail.inventory = Some(json!({"GroupDetailList": [], "Policies": [], "UserDetailList": [],
        "RoleDetailList": details.collect::<Vec<_>>()}));
    let user = made::user("jane", "AKIAJANEJANEJANEJANE");
    trail.add("2026-05-01T10:00:00Z", user, ("iam", "ListRoles"), json!({}));
    trail
}

fn names(report: &Value, code: &str) -> Vec<String> {
    severities(report, code).into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn hand_off(trail: &mut Trail, account: &str, role: &str, at: usize, id: &str) {
    let (key, name) = (format!("ASIA{role}{at:08}"), format!("s{at}"));
    let caller = json!({"type": "AWSAccount", "principalId": "AROAX:y", "accountId": account});
    trail.add(
        "2026-05-01T10:00:00Z",
        caller,
        ("sts", "AssumeRole"),
        json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/{role}"), "roleSessionName": name,
                "externalId": id},
            "responseElements": {"credentials": {"accessKeyId": key},
                "assumedRoleUser": {"assumedRoleId": format!("AROA{role}:{name}"), "arn": "arn:aws:sts::x"}}}),
    );
}

/// S40, S41: an id that a denial of every other one demands is demanded, and judged like any.
#[test]
fn a_denial_demands_an_id() {
    let denied = |operator: &str, id: &str| statement("Deny", json!("*"), json!({operator: {"sts:ExternalId": id}}));
    let open = || allow(DATADOG, json!({}));
    let exact = |id: &str| json!({"StringEquals": {"sts:ExternalId": id}});
    let elsewhere = statement(
        "Deny",
        json!({"AWS": format!("arn:aws:iam::{CLOUDHEALTH}:root")}),
        json!({"StringNotEquals": {"sts:ExternalId": UUID}}),
    );
    let report = trail(&[
        ("Uuid", vec![open(), denied("StringNotEquals", UUID)]),
        ("IfExists", vec![open(), denied("StringNotEqualsIfExists", UUID)]),
        ("Word", vec![open(), denied("StringNotEquals", "datadog-production-2024")]),
        ("Pattern", vec![open(), denied("StringNotLike", "acme-*")]),
        // The denial leaves one of the two, and that is a good one.
        ("Both", vec![allow(DATADOG, exact("x7Kq2")), allow(DATADOG, exact(UUID)), denied("StringNotEquals", UUID)]),
        // These deny something else.
        ("Blocked", vec![open(), denied("StringEquals", UUID)]),
        ("Elsewhere", vec![open(), elsewhere]),
        ("SharedByDenial", vec![allow(CLOUDHEALTH, json!({})), denied("StringNotEquals", UUID)]),
    ])
    .report();
    assert_eq!(names(&report, "trust-no-external-id"), ["Blocked", "Elsewhere"]);
    assert_eq!(names(&report, "external-id-weak"), ["Pattern", "Word"]);
    assert_eq!(names(&report, "trust-any-external-id"), [] as [&str; 0]);
    assert_eq!(names(&report, "external-id-shared"), ["Both", "IfExists", "SharedByDenial", "Uuid"]);
    let role = report["roles"].as_array().unwrap().iter().find(|role| role["name"] == "Uuid").unwrap();
    let id = &role["trust"][0]["external_id"];
    assert_eq!((&id["required"], &id["match"], &id["strength"]), (&json!(true), &json!("exact"), &json!("uuid")));
    assert!(!report.to_string().contains(UUID), "S42");
}

/// S41: a denial that does not meet every caller makes no id out of a pattern.
#[test]
fn a_denial_of_some_calls_does_not_close_a_pattern() {
    let pattern = || allow(DATADOG, json!({"StringLike": {"sts:ExternalId": "kD83hfKs92hfKSjw83-*"}}));
    let other = json!({"StringNotEquals": {"sts:ExternalId": UUID}});
    let mut with_mfa = other.clone();
    with_mfa["Bool"] = json!({"aws:MultiFactorAuthPresent": "true"});
    let one_role = json!({"AWS": format!("arn:aws:iam::{DATADOG}:role/legacy")});
    let report = trail(&[
        ("Alone", vec![pattern()]),
        ("SomeCalls", vec![pattern(), statement("Deny", json!("*"), with_mfa)]),
        ("OneRole", vec![pattern(), statement("Deny", one_role, other.clone())]),
        (
            "Closed",
            vec![
                pattern(),
                statement(
                    "Deny",
                    json!("*"),
                    json!({"StringNotEquals": {"sts:ExternalId":
            "kD83hfKs92hfKSjw83-0b1d"}}),
                ),
            ],
        ),
    ])
    .report();
    assert_eq!(names(&report, "external-id-weak"), ["Alone", "OneRole", "SomeCalls"]);
}

/// S9: what a role of ours that no outsider can come into was refused is our own doing.
#[test]
fn refusals_of_our_own_roles_are_our_own() {
    let own = json!({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let mut trail = trail(&[("Vendor", vec![allow(DATADOG, json!({}))]), ("Ci", vec![own])]);
    trail.add(
        "2026-05-01T11:00:00Z",
        made::session("Ci", "build", "ASIACI"),
        ("sts", "AssumeRole"),
        json!({"errorCode": "AccessDenied", "requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/Vendor"),
            "roleSessionName": "x"}}),
    );
    let report = trail.report();
    let parties = report["parties"].as_array().unwrap();
    assert!(parties.iter().all(|party| party["kind"] != "unresolved"), "{parties:?}");
    let own = parties.iter().find(|party| party["kind"] == "own_organization").unwrap();
    assert_eq!(own["denied"], json!(1));
}

/// S41: ids beyond those that a report lists are compared all the same.
#[test]
fn every_id_that_was_sent_is_compared() {
    let mut trail = trail(&[("One", vec![allow(DATADOG, json!({}))]), ("Two", vec![allow(CLOUDHEALTH, json!({}))])]);
    let id = |at: usize| format!("kD83hfKs92hfKSjw83-{at:04}");
    for at in 0..60 {
        hand_off(&mut trail, DATADOG, "One", at, &id(at));
    }
    // Whichever the list leaves out: each id of the one is known to the other, or none.
    for at in 0..60 {
        hand_off(&mut trail, CLOUDHEALTH, "Two", at, &id(at + 59));
    }
    let report = trail.report();
    assert_eq!(names(&report, "external-id-shared"), ["One", "Two"]);
    let role = report["roles"].as_array().unwrap().iter().find(|role| role["name"] == "One").unwrap();
    let used = &role["external_ids"][0];
    assert_eq!((&used["different"], used["ids"].as_array().unwrap().len()), (&json!(60), 20));
}

fn in_organization(id: &str) -> Value {
    statement("Allow", json!("*"), json!({"StringEquals": {"aws:PrincipalOrgID": id}}))
}

fn organizations() -> Trail {
    let path = json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-theirs0001/r-ab12/ou-ab12-*"}});
    let but = json!({"StringNotEquals": {"aws:PrincipalOrgID": ["o-ours000001", "o-theirs0001"]}});
    trail(&[
        ("Ours", vec![in_organization("o-ours000001")]),
        ("Theirs", vec![in_organization("o-theirs0001")]),
        ("Path", vec![statement("Allow", json!("*"), path)]),
        ("Denial", vec![statement("Allow", json!("*"), json!({})), statement("Deny", json!("*"), but)]),
        ("Account", vec![allow(OWN, json!({"StringEquals": {"aws:PrincipalOrgID": "o-theirs0001"}}))]),
        ("Public", vec![statement("Allow", json!("*"), json!({}))]),
    ])
}

/// S17, S40: a condition that names another company's organization lets that company in.
#[test]
fn a_foreign_organization_is_not_ours() {
    let mut trail = organizations();
    let account = |number: &str| {
        json!({"Id": number, "Status": "ACTIVE",
        "Arn": format!("arn:aws:organizations::{OWN}:account/o-ours000001/{number}")})
    };
    trail.organization = Some(json!({"Accounts": [account(OWN)]}));
    let report = trail.report();
    assert_eq!(names(&report, "trust-foreign-organization"), ["Denial", "Path", "Theirs"]);
    assert_eq!(names(&report, "trust-anyone"), ["Public"]);
    let found = with(&report, "trust-foreign-organization")["Denial"];
    assert_eq!(found["evidence"]["organizations"], json!(["o-theirs0001"]));
    assert!(!report["coverage"]["not_judged"].to_string().contains("organization `"), "nothing is in doubt");
}

/// Whose organization it is that a condition names, nobody knows who does not know his own: no finding, and doubt is said.
#[test]
fn without_our_own_id_doubt_is_said() {
    let mut trail = organizations();
    let check = |trail: &Trail| {
        let report = trail.report();
        assert_eq!(names(&report, "trust-foreign-organization"), [] as [&str; 0]);
        let said = report["coverage"]["not_judged"].to_string();
        assert!(said.contains("whether organization `o-ours000001` is yours: 2 roles let in"), "{said}");
        assert!(said.contains("whether organization `o-theirs0001` is yours: 3 roles let in"), "{said}");
    };
    check(&trail);
    // A list of accounts that does not say whose it is.
    trail.organization = Some(json!({"Accounts": [{"Id": OWN}]}));
    check(&trail);
}
