//! `external-id new` and `check`: from inventories made for it, and from an STS that a test scripts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod program;
mod stand_in;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use assert_cmd::Command;
use program::run;
use serde_json::{Value, json};
use stand_in::{Answer, Call, StandIn};
use tempfile::TempDir;

const OWN: &str = "111122223333";
const DATADOG: &str = "464622532012";
const ID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";
const ROLE: &str = "arn:aws:iam::111122223333:role/vendors/Scanner";

fn trusts(principal: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition})
}

fn inventory(roles: &[(&str, Vec<Value>)]) -> (TempDir, String) {
    let details = roles.iter().map(|(name, statements)| {
        json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{OWN}:role/{name}"),
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": statements}})
    });
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("inventory.json");
    fs::write(&path, json!({"RoleDetailList": details.collect::<Vec<_>>()}).to_string()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn roles() -> Vec<(&'static str, Vec<Value>)> {
    let datadog = || json!({"AWS": format!("arn:aws:iam::{DATADOG}:root")});
    let exact = || json!({"StringEquals": {"sts:ExternalId": ID}});
    vec![
        ("Exact", vec![trusts(datadog(), exact())]),
        ("Open", vec![trusts(datadog(), json!({}))]),
        ("Second", vec![trusts(datadog(), exact()), trusts(datadog(), json!({}))]),
        ("Wild", vec![trusts(datadog(), json!({"StringLike": {"sts:ExternalId": "*"}}))]),
        ("ByTag", vec![trusts(datadog(), json!({"StringEquals": {"sts:ExternalId": "${aws:PrincipalTag/x}"}}))]),
        ("Own", vec![trusts(json!({"AWS": OWN}), json!({}))]),
        ("Service", vec![trusts(json!({"Service": "ec2.amazonaws.com"}), json!({}))]),
    ]
}

/// S40: the answers for all roles that let outside accounts in, and the exit code of the worst.
#[test]
fn every_role_that_lets_outsiders_in_is_answered() {
    let (_folder, path) = inventory(&roles());
    let done = run(&["external-id", "check", "--inventory", &path, "--format", "json"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(answer["schema"], "thirdtrail.external-id-check/1");
    let roles = answer["roles"].as_array().unwrap();
    let name = |role: &Value| role["role"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let found: BTreeMap<String, &str> =
        roles.iter().map(|role| (name(role), role["answer"].as_str().unwrap())).collect();
    let expected = [
        ("ByTag", "unknown"),
        ("Exact", "refuses"),
        ("Open", "admits_without"),
        ("Second", "admits_without"),
        ("Wild", "admits_any"),
    ];
    assert_eq!(found, expected.map(|(name, answer)| (name.to_owned(), answer)).into());
    let second = roles.iter().find(|role| name(role) == "Second").unwrap();
    assert_eq!(second["parties"][0]["statements"], json!(["#2"]));
    // S42: the id is in neither form of the answer.
    let table = run(&["external-id", "check", "--inventory", &path]);
    assert!(table.stdout.contains("5 roles: 2 admits_without, 1 admits_any, 1 unknown, 1 refuses"), "{}", table.stdout);
    assert!(table.stdout.contains("id: uuid, 36 characters, fingerprint "), "{}", table.stdout);
    assert!(!done.stdout.contains(ID) && !table.stdout.contains(ID));
}

/// The exit codes: all refuse, some admit, some cannot be told, nothing to ask about, a mistake.
#[test]
fn exit_codes_tell_the_worst_answer() {
    let (folder, path) = inventory(&roles());
    let check = |more: &[&str]| run(&[&["external-id", "check"], more].concat());
    let role = |name: &str| check(&["--inventory", &path, "--role", name]);
    assert_eq!(role("Exact").code, 0);
    assert_eq!(role(&format!("arn:aws:iam::{OWN}:role/Wild")).code, 1);
    assert_eq!(role("ByTag").code, 3);
    let own = role("Own");
    assert!(own.code == 0 && own.stdout.contains("it lets in no outside account"), "{}", own.stdout);
    assert_eq!(role("Nobody").code, 2);
    assert_eq!(check(&[]).code, 2);
    assert_eq!(check(&["--inventory", "no such file"]).code, 2);
    // An account that is ours after all is no outsider.
    let ours = check(&["--inventory", &path, "--own-account", DATADOG]);
    assert!(ours.code == 0 && ours.stdout.contains("no role lets in an outside account"), "{}", ours.stdout);
    let vendors = folder.path().join("vendors.toml");
    fs::write(&vendors, format!("[[vendor]]\nname = \"Our monitoring\"\naccounts = [\"{DATADOG}\"]\n")).unwrap();
    let named = check(&["--inventory", &path, "--vendors", vendors.to_str().unwrap()]);
    assert!(named.stdout.contains("Our monitoring: "), "{}", named.stdout);
    assert_eq!(check(&["--live"]).code, 2, "live asks about named roles only");
    assert_eq!(check(&["--live", "--role", "Exact"]).code, 2, "and by ARN");
}

/// S41: a fresh id is a random UUID, alone on standard output.
#[test]
fn new_prints_uuids_alone() {
    let done = run(&["external-id", "new"]);
    assert_eq!((done.code, done.stdout.lines().count(), done.stderr.as_str()), (0, 1, ""));
    let many = run(&["external-id", "new", "--count", "50"]).stdout;
    let form = regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
    assert!(many.lines().chain(done.stdout.lines()).all(|line| form.is_match(line)), "{many}");
    assert_eq!(many.lines().collect::<BTreeSet<_>>().len(), 50);
    assert_eq!(run(&["external-id", "new", "--count", "0"]).code, 2);
}

const SECRET: &str = "handed-out-secret-access-key";
const DENIED: &str =
    "User: arn:aws:iam::464622532012:user/me is not authorized to perform: sts:AssumeRole on resource: role";

fn session() -> Answer {
    Answer::Xml(format!(
        "<Credentials><AccessKeyId>ASIAHANDEDOUT</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>handed-out-token</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROAX:s</AssumedRoleId><Arn>arn:aws:sts::{OWN}:assumed-role/Scanner/s</Arn>\
         </AssumedRoleUser>"
    ))
}

fn identity() -> Answer {
    Answer::Xml(format!("<Arn>arn:aws:iam::{DATADOG}:user/me</Arn><UserId>AIDAME</UserId><Account>{DATADOG}</Account>"))
}

/// An STS whose role answers as it is told: to no id, to a wrong one, to the agreed one.
fn sts(without: fn() -> Answer, wrong: fn() -> Answer, agreed: fn() -> Answer) -> StandIn {
    StandIn::new(move |call: &Call| match (call.action.as_str(), call.parameter("ExternalId")) {
        ("GetCallerIdentity", _) => identity(),
        ("AssumeRole", "") => without(),
        ("AssumeRole", ID) => agreed(),
        ("AssumeRole", _) => wrong(),
        _ => Answer::Error(400, "InvalidAction", "nobody asks this"),
    })
}

fn denied() -> Answer {
    Answer::Error(403, "AccessDenied", DENIED)
}

fn by_own_policy() -> Answer {
    let message = "User: x is not authorized to perform: sts:AssumeRole on resource: y because no identity-based policy \
                   allows the sts:AssumeRole action";
    Answer::Error(403, "AccessDenied", message)
}

fn throttled() -> Answer {
    Answer::Error(400, "Throttling", "Rate exceeded")
}

fn expired() -> Answer {
    Answer::Error(403, "ExpiredToken", "The security token included in the request is expired")
}

/// The program against that STS; `how` says whether the agreed id is given.
fn live(aws: &StandIn, how: &[&str], key: bool) -> (i32, Value, String) {
    let home = TempDir::new().unwrap();
    let file = home.path().join("id");
    fs::write(&file, format!("{ID}\n")).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("HOME", home.path()).env("AWS_EC2_METADATA_DISABLED", "true").env("AGREED", ID);
    if key {
        command.env("AWS_ACCESS_KEY_ID", "AKIACALLER").env("AWS_SECRET_ACCESS_KEY", "testing");
    }
    let url = aws.url();
    let place = file.to_str().unwrap();
    let how: Vec<&str> = how.iter().map(|word| if *word == "FILE" { place } else { word }).collect();
    let base = ["external-id", "check", "--live", "--role", ROLE, "--endpoint-url", &url, "--format", "json"];
    let output = command.args([&base[..], &how].concat()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    for secret in [SECRET, "handed-out-token", "ASIAHANDEDOUT", ID] {
        assert!(!stdout.contains(secret) && !stderr.contains(secret), "shows {secret}: {stdout}{stderr}");
    }
    let answer: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    (output.status.code().unwrap(), answer["roles"][0].clone(), stderr)
}

fn check_live(answers: [fn() -> Answer; 3], how: &[&str], code: i32, answer: &str, proven: bool) {
    let [without, wrong, agreed] = answers;
    let (found, role, _) = live(&sts(without, wrong, agreed), how, true);
    assert_eq!(
        (found, role["answer"].as_str().unwrap(), role["proven"].as_bool().unwrap()),
        (code, answer, proven),
        "{role}"
    );
}

/// S41, S42: what STS answers is what is told; only a denial refuses, and only the right id proves it.
#[test]
fn live_answers_are_those_of_sts() {
    check_live([denied, denied, session], &["--external-id-file", "FILE"], 0, "refuses", true);
    check_live([denied, denied, session], &["--external-id-env", "AGREED"], 0, "refuses", true);
    check_live([denied, denied, session], &[], 0, "refuses", false);
    check_live([denied, denied, denied], &["--external-id-file", "FILE"], 3, "unknown", false);
    check_live([session, session, session], &[], 1, "admits_without", true);
    check_live([denied, session, session], &[], 1, "admits_any", true);
    check_live([expired, denied, session], &["--external-id-file", "FILE"], 3, "unknown", false);
    check_live([denied, expired, session], &["--external-id-file", "FILE"], 3, "unknown", false);
    check_live([by_own_policy, by_own_policy, session], &[], 3, "unknown", false);
}

/// Throttling for ever is no refusal, and neither are missing credentials.
#[test]
fn whoever_gets_no_answer_claims_nothing() {
    let aws = sts(throttled, denied, denied);
    let (code, role, _) = live(&aws, &[], true);
    assert_eq!((code, role["answer"].as_str().unwrap()), (3, "unknown"), "{role}");
    assert!(role["calls"][0]["said"].as_str().unwrap().contains("Throttling"), "{role}");
    let aws = sts(denied, denied, denied);
    let (code, role, _) = live(&aws, &[], false);
    assert_eq!((code, role["answer"].as_str().unwrap()), (3, "unknown"), "{role}");
    assert!(role["reason"].as_str().unwrap().contains("no credentials"), "{role}");
    assert_eq!(aws.count("AssumeRole"), 0);
}

/// S42: the sessions asked for may do nothing, are as short as can be, and a wrong id is a fresh one each time.
#[test]
fn a_session_that_is_asked_for_may_do_nothing() {
    let aws = sts(denied, denied, session);
    let (_, _, said) = live(&aws, &[], true);
    assert!(said.contains("does not prove"), "{said}");
    live(&aws, &["--external-id-file", "FILE"], true);
    let calls: Vec<Call> = aws.calls().into_iter().filter(|call| call.action == "AssumeRole").collect();
    assert_eq!(calls.len(), 5);
    for call in &calls {
        let policy: Value = serde_json::from_str(call.parameter("Policy")).unwrap();
        assert_eq!(policy["Statement"], json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]));
        assert_eq!((call.parameter("DurationSeconds"), call.parameter("RoleArn")), ("900", ROLE));
        assert_eq!(call.parameter("RoleSessionName"), "thirdtrail-external-id-check");
    }
    let wrong: BTreeSet<&str> = [1, 3].map(|at| calls[at].parameter("ExternalId")).into();
    assert!(wrong.len() == 2 && wrong.iter().all(|id| id.len() == 36 && *id != ID), "{wrong:?}");
    assert_eq!(calls[4].parameter("ExternalId"), ID);
}

/// S43: what AWS and the inventory say is shown without control sequences.
#[test]
fn strangers_text_is_shown_as_text() {
    let (_folder, path) = inventory(&[(
        "Odd",
        vec![json!({"Sid": "a\u{1b}[31m\nb", "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": DATADOG}})],
    )]);
    let done = run(&["external-id", "check", "--inventory", &path]);
    assert_eq!(done.code, 1);
    assert!(!done.stdout.contains('\u{1b}') && done.stdout.contains("\\u{1b}"), "{}", done.stdout);
    assert_eq!(done.stdout.lines().count(), 3, "{}", done.stdout);
}
