//! Users and their keys judged on small trails made for it: each finding where it belongs, nowhere else, and quiet where
//! the evidence is missing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod made;

use made::{OWN, Trail, session, severities, user, with};
use serde_json::{Value, json};

const LIST: (&str, &str) = ("ec2", "DescribeInstances");

fn detail(name: &str, tags: Value) -> Value {
    json!({"UserName": name, "UserId": format!("AIDA{name}"), "Arn": format!("arn:aws:iam::{OWN}:user/{name}"),
        "CreateDate": "2020-01-01T00:00:00Z", "Tags": tags})
}

/// A row of a credential report: the user, and for each key whether it is active, when made, when used.
fn row(name: &str, keys: [(bool, &str, &str); 2]) -> String {
    let arn = if name == "<root_account>" { "root".to_owned() } else { format!("user/{name}") };
    let keys = keys.map(|(active, made, used)| format!("{active},{made},{used}")).join(",");
    format!("{name},arn:aws:iam::{OWN}:{arn},2020-01-01T00:00:00+00:00,N/A,{keys}\n")
}

const NONE: (bool, &str, &str) = (false, "N/A", "N/A");

/// Users of every kind, three months, with all that IAM tells.
fn trail() -> Trail {
    let mut trail = Trail::new("2026-05-01", "2026-07-31");
    let vendor = |value: &str| json!([{"Key": "third-party", "Value": value}]);
    trail.inventory = Some(json!({"RoleDetailList": [], "GroupDetailList": [], "Policies": [], "UserDetailList": [
        detail("datadog", json!([])), detail("backup", vendor("Acme")), detail("retired", vendor("Old Co")),
        detail("jane", json!([])), detail("fresh", json!([])), detail("ci", json!([])), detail("lazy", json!([]))]}));
    let recent = (true, "2026-07-01T00:00:00+00:00", "2026-07-30T00:00:00+00:00");
    let old = (true, "2026-05-03T00:00:00+00:00", "2026-07-30T00:00:00+00:00");
    let ancient = (true, "2021-05-03T00:00:00+00:00", "2026-07-30T00:00:00+00:00");
    let idle = (true, "2026-07-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00");
    let never = (true, "2026-05-03T00:00:00+00:00", "N/A");
    trail.credential_report = Some(
        "user,arn,user_creation_time,password_last_used,access_key_1_active,access_key_1_last_rotated,\
         access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n"
            .to_owned()
            + &row("<root_account>", [(true, "2026-07-01T00:00:00+00:00", "N/A"), NONE])
            + &row("datadog", [old, NONE])
            + &row("backup", [recent, NONE])
            + &row("retired", [(false, "2021-05-03T00:00:00+00:00", "2026-07-30T00:00:00+00:00"), NONE])
            + &row("jane", [recent, old])
            + &row("fresh", [recent, NONE])
            + &row("ci", [ancient, NONE])
            + &row("lazy", [idle, never]),
    );
    for month in ["05", "06", "07"] {
        for day in [2, 16, 30] {
            let time = format!("2026-{month}-{day:02}T10:00:00Z");
            for name in ["datadog", "fresh"] {
                trail.add(&time, user(name, &format!("AKIA{name:0>16}")), LIST, json!({}));
            }
            trail.add(&time, user("retired", "AKIARETIREDRETIREDRE"), LIST, json!({}));
        }
    }
    trail
}

/// S16: each code at the users that deserve it, with its severity, and at no other.
#[test]
fn each_finding_is_where_it_belongs() {
    let mut trail = trail();
    let elsewhere = json!({"sourceIPAddress": "198.51.100.9"});
    trail.add("2026-07-30T11:00:00Z", user("datadog", "AKIA000000000datadog"), LIST, elsewhere.clone());
    trail.add("2026-05-30T11:00:00Z", user("fresh", "AKIA00000000000fresh"), LIST, elsewhere.clone());
    trail.add("2026-07-30T12:00:00Z", user("retired", "AKIARETIREDRETIREDRE"), LIST, elsewhere);
    let report = trail.report();
    assert_eq!(severities(&report, "key-root"), [("root", "high")]);
    assert_eq!(severities(&report, "key-of-vendor"), [("backup", "high"), ("datadog", "medium")]);
    assert_eq!(
        severities(&report, "key-old"),
        [("ci", "high"), ("datadog", "high"), ("jane", "medium"), ("lazy", "medium")]
    );
    assert_eq!(severities(&report, "key-unused"), [("lazy", "medium")]);
    assert_eq!(severities(&report, "key-both-active"), [("jane", "low"), ("lazy", "low")]);
    assert_eq!(severities(&report, "key-new-network"), [("datadog", "high")]);
}

/// S16: what a vendor does with a user's key is the vendor's, key by key; other users are no parties.
#[test]
fn a_vendor_is_behind_what_its_key_does() {
    let mut trail = trail();
    trail.add("2026-07-01T10:00:00Z", user("datadog", ""), ("ce", "GetCostAndUsage"), json!({}));
    let throttled = json!({"errorCode": "ThrottlingException"});
    trail.add("2026-07-01T10:00:01Z", user("datadog", "AKIA000000000datadog"), ("ce", "GetCostAndUsage"), throttled);
    let report = trail.report();
    let parties = report["parties"].as_array().unwrap();
    let ids: Vec<&str> =
        parties.iter().filter(|party| party["kind"] == "iam_user").map(|p| p["id"].as_str().unwrap()).collect();
    let arn = |name: &str| format!("arn:aws:iam::{OWN}:user/{name}");
    assert_eq!(ids, [arn("backup"), arn("datadog"), arn("retired")]);
    let datadog = parties.iter().find(|party| party["id"] == arn("datadog")).unwrap();
    assert_eq!(datadog["channels"], json!(["access_key"]));
    assert_eq!((&datadog["name"], &datadog["known_by"]), (&json!("Datadog"), &json!("name")));
    let number = |key: &str| datadog[key].as_u64().unwrap();
    assert_eq!((number("calls"), number("failed"), number("throttled"), number("charged_calls")), (11, 1, 1, 1));
    assert_eq!(
        datadog["charged"][0],
        json!({"event_source": "ce.amazonaws.com", "event_name": "GetCostAndUsage",
        "calls": 1, "by": "request"})
    );
}

/// S11, S16: a role that a vendor's user assumes is in the vendor's reach, by the user's ARN or, from another account of
/// ours, by its id.
#[test]
fn what_a_vendors_user_assumes_is_the_vendors() {
    let mut trail = trail();
    trail.inventory.as_mut().unwrap()["RoleDetailList"] = json!([{"RoleName": "Inner", "RoleId": "AROAInner",
        "Arn": format!("arn:aws:iam::{OWN}:role/Inner"), "CreateDate": "2020-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{OWN}:root")}, "Action": "sts:AssumeRole"}]}}]);
    let asked = json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/Inner"), "roleSessionName": "s"},
        "responseElements": {"credentials": {"accessKeyId": "ASIAINNERINNERINNERI"},
            "assumedRoleUser": {"assumedRoleId": "AROAInner:s", "arn": "arn:aws:sts::x"}}});
    trail.add("2026-07-01T10:00:00Z", user("datadog", "AKIA000000000datadog"), ("sts", "AssumeRole"), asked);
    trail.add("2026-07-01T10:05:00Z", session("Inner", "s", "ASIAINNERINNERINNERI"), LIST, json!({}));
    let report = trail.report();
    let role = &report["roles"][0];
    assert_eq!(role["name"], "Inner");
    assert_eq!(role["sessions"]["by_party"], json!({format!("arn:aws:iam::{OWN}:user/datadog"): 1}));
    assert_eq!(severities(&report, "role-chained-by-party"), [("Inner", "medium")]);
}

/// What IAM was not asked is not claimed: age, disuse and whether a key still exists come from IAM alone.
#[test]
fn without_iams_word_only_what_records_show_is_told() {
    let mut trail = trail();
    trail.credential_report = None;
    trail.add(
        "2026-07-30T11:00:00Z",
        json!({"type": "Root", "principalId": OWN, "accountId": OWN,
        "arn": format!("arn:aws:iam::{OWN}:root"), "accessKeyId": "AKIAROOTROOTROOTROOT"}),
        LIST,
        json!({}),
    );
    let report = trail.report();
    for code in ["key-old", "key-unused", "key-both-active"] {
        assert_eq!(severities(&report, code), [], "{code}");
    }
    assert_eq!(severities(&report, "key-root"), [("root", "critical")]);
    let vendors = with(&report, "key-of-vendor");
    assert_eq!(vendors["backup"]["severity"], "low");
    assert!(vendors["backup"]["detail"].as_str().unwrap().contains("is not known"));
    assert_eq!(vendors["retired"]["severity"], "high");
}

/// S26: a network that looks new after a hole, or in a window too short to learn the old ones, is not called new.
#[test]
fn new_networks_need_a_trail_that_was_watched() {
    let elsewhere = json!({"sourceIPAddress": "198.51.100.9"});
    let mut holes = trail();
    holes.add("2026-07-30T11:00:00Z", user("datadog", "AKIA000000000datadog"), LIST, elsewhere.clone());
    holes.holes = (10..25).map(|day| format!("2026-06-{day}")).collect();
    assert_eq!(severities(&holes.report(), "key-new-network"), []);
    let mut short = Trail::new("2026-07-05", "2026-07-31");
    short.add("2026-07-05T11:00:00Z", user("datadog", "AKIA000000000datadog"), LIST, json!({}));
    short.add("2026-07-30T11:00:00Z", user("datadog", "AKIA000000000datadog"), LIST, elsewhere);
    assert_eq!(severities(&short.report(), "key-new-network"), []);
}

/// S42: keys are told by their last four characters.
#[test]
fn no_key_is_shown() {
    for (path, bytes) in trail().analyzed() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("AKIA000000000datadog") && !text.contains("AKIARETIRED"), "{path} shows a key");
    }
}

/// S16, invariant 3: a user whose path changed is one user, under its later ARN, with the whole past of its key.
#[test]
fn a_user_that_moved_is_one_user() {
    let mut trail = Trail::new("2026-05-01", "2026-07-31");
    let mut moved = user("bob", "AKIABOBBOBBOBBOBBOBB");
    trail.add("2026-05-01T10:00:00Z", moved.clone(), LIST, json!({}));
    moved["arn"] = json!(format!("arn:aws:iam::{OWN}:user/zone/bob"));
    trail.add("2026-07-30T10:00:00Z", moved, LIST, json!({"sourceIPAddress": "198.51.100.9"}));
    let report = trail.report();
    let users = report["users"].as_array().unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0]["arn"], format!("arn:aws:iam::{OWN}:user/zone/bob"));
    assert_eq!(users[0]["keys"][0]["first_seen"], "2026-05-01T10:00:00Z");
    assert_eq!(severities(&report, "key-new-network"), [("bob", "medium")]);
}

/// A key that was in use before the only key of today was made is another key.
#[test]
fn the_past_of_a_deleted_key_is_not_the_new_keys() {
    let mut trail = trail();
    trail.add("2026-05-02T10:00:00Z", user("ci", "AKIACICICICICICIOLD1"), LIST, json!({}));
    let report = trail.report();
    let of = |name: &str| report["users"].as_array().unwrap().iter().find(|user| user["name"] == name).unwrap();
    assert_eq!(of("ci")["keys"].as_array().unwrap().len(), 1, "made in 2021, used in May: the same key");
    let mut trail = self::trail();
    trail.add("2026-05-02T10:00:00Z", user("backup", "AKIABACKUPBACKUPOLD1"), LIST, json!({}));
    let report = trail.report();
    let backup = report["users"].as_array().unwrap().iter().find(|user| user["name"] == "backup").unwrap();
    let endings: Vec<&str> =
        backup["keys"].as_array().unwrap().iter().map(|key| key["ending"].as_str().unwrap()).collect();
    assert_eq!(endings, ["", "OLD1"]);
}

/// A refused wish to assume a role is one refused call of the vendor's user.
#[test]
fn a_users_refused_hand_off_counts_once() {
    let mut trail = trail();
    let refused = json!({"errorCode": "AccessDenied",
        "requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/Inner"), "roleSessionName": "s"}});
    trail.add("2026-07-01T10:00:00Z", user("datadog", "AKIA000000000datadog"), ("sts", "AssumeRole"), refused);
    let report = trail.report();
    let parties = report["parties"].as_array().unwrap();
    let party = parties.iter().find(|party| party["name"] == "Datadog").unwrap();
    assert_eq!((&party["denied"], &party["calls"]), (&json!(1), &json!(10)));
}
