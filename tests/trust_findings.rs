//! Trust and external ids judged on small trails made for it: each finding where it belongs, nowhere else, and quiet where
//! the evidence is missing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

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

const OWN: &str = "111122223333";
const DATADOG: &str = "464622532012";
const CLOUDHEALTH: &str = "454464851268";
const UUID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";
const OTHER: &str = "8f14e45f-ceea-467f-9b1d-2f2f9a1d3c55";
const SHARED: &str = "c9f0f895-fb98-4b91-9f0e-6a1c2d3e4f50";
const GITHUB: &str = "token.actions.githubusercontent.com";

/// A role in the making: its name, trust statements, and the external ids of its hand-offs.
struct Role {
    name: &'static str,
    statements: Vec<Value>,
    hand_offs: Vec<Option<&'static str>>,
    /// Whether a call of a session is there whose hand-off is not.
    unseen: bool,
}

fn role(name: &'static str, statements: Vec<Value>, hand_offs: &[Option<&'static str>]) -> Role {
    Role { name, statements, hand_offs: hand_offs.to_vec(), unseen: false }
}

fn trusts(account: &str, condition: Value) -> Value {
    let principal = json!({"AWS": format!("arn:aws:iam::{account}:root")});
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition})
}

fn everybody(condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition})
}

fn exact(id: &str) -> Value {
    json!({"StringEquals": {"sts:ExternalId": id}})
}

fn github(subject: Option<&str>) -> Value {
    let provider = format!("arn:aws:iam::{OWN}:oidc-provider/{GITHUB}");
    let mut condition = json!({"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"}});
    if let Some(subject) = subject {
        condition["StringLike"] = json!({format!("{GITHUB}:sub"): subject});
    }
    json!({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition})
}

fn roles() -> Vec<Role> {
    let open = || vec![trusts(DATADOG, json!({}))];
    vec![
        role("Safe", open(), &[Some(UUID), Some(UUID), Some(UUID)]),
        role("Breaks", open(), &[Some(UUID), None, Some(UUID)]),
        role("Several", open(), &[Some(UUID), Some(OTHER)]),
        role("Silent", open(), &[]),
        Role { unseen: true, ..role("Unseen", open(), &[Some(UUID)]) },
        role("Exact", vec![trusts(DATADOG, exact(UUID))], &[Some(UUID)]),
        role("IfExists", vec![trusts(DATADOG, json!({"StringEqualsIfExists": {"sts:ExternalId": UUID}}))], &[None]),
        role("Wild", vec![trusts(DATADOG, json!({"StringLike": {"sts:ExternalId": "*"}}))], &[Some(UUID)]),
        role("Second", vec![trusts(DATADOG, exact(UUID)), trusts(DATADOG, json!({}))], &[Some(UUID)]),
        role("Pattern", vec![trusts(DATADOG, json!({"StringLike": {"sts:ExternalId": "kD83hfKs92hfKSjw83-*"}}))], &[]),
        role("Word", vec![trusts(DATADOG, exact("datadog-production-2024"))], &[]),
        role("Short", open(), &[Some("x7Kq2")]),
        role("SharedOne", vec![trusts(DATADOG, exact(SHARED))], &[]),
        role("SharedTwo", vec![trusts(CLOUDHEALTH, exact(SHARED))], &[]),
        role(
            "Gone",
            vec![
                trusts(DATADOG, exact(UUID)),
                json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": "AROAGONEGONEGONEGONE1"}}),
            ],
            &[],
        ),
        role("GitHubAnyone", vec![github(None)], &[]),
        role("GitHubOwner", vec![github(Some("repo:acme/*"))], &[]),
        role("GitHubBound", vec![github(Some("repo:acme/shop:ref:refs/heads/main"))], &[]),
        role("Own", vec![trusts(OWN, json!({}))], &[]),
        role(
            "Together",
            vec![json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": [OWN, DATADOG]}})],
            &[Some(UUID)],
        ),
        role("Public", vec![everybody(json!({}))], &[]),
        role(
            "OwnByArn",
            vec![everybody(json!({"ArnLike": {"aws:PrincipalArn": format!("arn:aws:iam::{OWN}:role/x")}}))],
            &[],
        ),
        role("OwnByOrganization", vec![everybody(json!({"StringEquals": {"aws:PrincipalOrgID": "o-ours"}}))], &[]),
        role("VendorByAccount", vec![everybody(json!({"StringEquals": {"aws:PrincipalAccount": DATADOG}}))], &[]),
    ]
}

fn role_id(role: &Role) -> String {
    format!("AROA{:0>17}", role.name.to_uppercase())
}

fn inventory(roles: &[Role]) -> Value {
    let details = roles.iter().map(|role| {
        json!({"RoleName": role.name, "RoleId": role_id(role), "Arn": format!("arn:aws:iam::{OWN}:role/{}", role.name),
            "Path": "/", "CreateDate": "2025-01-01T00:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": role.statements}})
    });
    json!({"RoleDetailList": details.collect::<Vec<_>>(), "UserDetailList": [], "GroupDetailList": [], "Policies": []})
}

fn record(at: usize, identity: Value, name: &str, parameters: Value, response: Value) -> Value {
    let source = if name == "AssumeRole" { "sts" } else { "ec2" };
    json!({"eventVersion": "1.10", "userIdentity": identity, "eventTime": format!("2026-05-01T10:{:02}:{:02}Z", at / 60, at % 60),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "vendor/1", "requestParameters": parameters,
        "responseElements": response, "eventID": format!("00000000-0000-4000-8000-{at:012}"), "eventType": "AwsApiCall",
        "managementEvent": true, "eventCategory": "Management", "readOnly": true, "recipientAccountId": OWN})
}

fn records(roles: &[Role]) -> Vec<Value> {
    let mut records = Vec::new();
    for role in roles {
        let (arn, id) = (format!("arn:aws:iam::{OWN}:role/{}", role.name), role_id(role));
        for sent in &role.hand_offs {
            let at = records.len();
            let mut parameters = json!({"roleArn": arn, "roleSessionName": format!("s{at}")});
            if let Some(sent) = sent {
                parameters["externalId"] = json!(sent);
            }
            let vendor = json!({"type": "AWSAccount", "principalId": "AROAVENDOR:worker", "accountId": DATADOG});
            let response = json!({"credentials": {"accessKeyId": format!("ASIA{at:0>16}")},
                "assumedRoleUser": {"assumedRoleId": format!("{id}:s{at}"), "arn": "arn:aws:sts::x"}});
            records.push(record(at, vendor, "AssumeRole", parameters, response));
        }
        if role.unseen {
            let at = records.len();
            let session = json!({"sessionIssuer": {"type": "Role", "principalId": id, "arn": arn, "accountId": OWN,
                "userName": role.name}, "attributes": {"creationDate": "2026-04-30T23:00:00Z", "mfaAuthenticated": "false"}});
            let caller = json!({"type": "AssumedRole", "principalId": format!("{id}:lost"), "accountId": OWN,
                "arn": format!("arn:aws:sts::{OWN}:assumed-role/{}/lost", role.name), "accessKeyId": "ASIALOSTLOSTLOSTLOST",
                "sessionContext": session});
            records.push(record(at, caller, "DescribeInstances", Value::Null, Value::Null));
        }
    }
    records
}

/// What `analyze` makes of it: every output, by path, with a window of that many days, of all Regions or these.
fn analyzed(days: u32, regions: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let (trail, roles) = (TempDir::new().unwrap(), roles());
    let day = trail.path().join(format!("AWSLogs/{OWN}/CloudTrail/us-east-1/2026/05/01"));
    fs::create_dir_all(&day).unwrap();
    let log = json!({"Records": records(&roles)}).to_string();
    let name = format!("{OWN}_CloudTrail_us-east-1_20260501T1100Z_abcdefghijklmnop.json");
    fs::write(day.join(name), log).unwrap();
    let file = trail.path().join("inventory.json");
    fs::write(&file, inventory(&roles).to_string()).unwrap();
    let until = parse_time(&format!("2026-05-{:02}T00:00:00Z", days + 1));
    let options = Options {
        request: Request {
            since: parse_time("2026-05-01T00:00:00Z"),
            until,
            regions: regions.iter().map(ToString::to_string).collect(),
            ..Request::default()
        },
        inventories: vec![file],
        idle_days: 90,
        key_days: 90,
        max_holes: 0.05,
        effort: Effort { jobs: 2, memory_bytes: 64 << 20 },
        ..Options::default()
    };
    let outcome = analyze(&LocalStore::open(Path::new(trail.path())).unwrap(), &options, &Silent).unwrap();
    outcome.files.into_iter().map(|file| (file.path, file.bytes)).collect()
}

fn report(days: u32) -> Value {
    serde_json::from_slice(&analyzed(days, &[])["report.json"]).unwrap()
}

/// Names of roles with a finding, and its severity.
fn with(report: &Value, code: &str) -> BTreeMap<String, String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = |finding: &Value| text(&finding["subject"]).rsplit('/').next().unwrap().to_owned();
    findings.map(|finding| (name(finding), text(&finding["severity"]))).collect()
}

fn verdicts(report: &Value) -> BTreeMap<&str, &str> {
    let roles = report["roles"].as_array().unwrap().iter();
    roles.filter_map(|role| Some((role["name"].as_str()?, role["external_ids"][0]["verdict"].as_str()?))).collect()
}

/// S40, S41: each code at the roles that deserve it, with its severity, and at no other.
#[test]
fn each_finding_is_where_it_belongs() {
    let report = report(1);
    let check = |code: &str, severity: &str, roles: &[&str]| {
        let expected: BTreeMap<String, String> =
            roles.iter().map(|role| ((*role).to_owned(), severity.to_owned())).collect();
        assert_eq!(with(&report, code), expected, "{code}");
    };
    check(
        "trust-no-external-id",
        "high",
        &["Safe", "Breaks", "Several", "Silent", "Unseen", "Short", "Together", "VendorByAccount"],
    );
    check("trust-anyone", "critical", &["Public"]);
    check("trust-any-external-id", "high", &["IfExists", "Wild", "Second"]);
    check("external-id-weak", "medium", &["Pattern", "Word", "Short"]);
    check("external-id-shared", "high", &["SharedOne", "SharedTwo"]);
    check("external-id-not-sent", "medium", &["Breaks", "IfExists"]);
    check("trust-deleted-principal", "low", &["Gone"]);
    let wide = BTreeMap::from([("GitHubAnyone", "critical"), ("GitHubOwner", "medium")]);
    let found = with(&report, "federated-subject-wide");
    assert_eq!(
        found.iter().map(|(role, severity)| (role.as_str(), severity.as_str())).collect::<BTreeMap<_, _>>(),
        wide
    );
    let subjects: BTreeSet<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["subject"].as_str()).collect();
    for own in ["Own", "OwnByArn", "OwnByOrganization"] {
        assert!(
            !subjects.contains(format!("arn:aws:iam::{OWN}:role/{own}").as_str()),
            "a finding about our own: {own}"
        );
    }
}

/// S41: whether an id could be demanded, from what hand-offs carried; in doubt it is not called safe.
#[test]
fn enforcing_is_safe_only_where_the_records_say_so() {
    let covered = report(1);
    let expected = BTreeMap::from([
        ("Breaks", "will_break"),
        ("Exact", "enforced"),
        ("Gone", "enforced"),
        ("IfExists", "will_break"),
        ("Pattern", "not_seen"),
        ("Safe", "safe"),
        ("Second", "safe"),
        ("Several", "several"),
        ("SharedOne", "enforced"),
        ("SharedTwo", "enforced"),
        ("Short", "safe"),
        ("Silent", "not_seen"),
        ("Together", "unclear"),
        ("Unseen", "unclear"),
        ("VendorByAccount", "not_seen"),
        ("Wild", "safe"),
        ("Word", "enforced"),
    ]);
    assert_eq!(verdicts(&covered), expected);
    // Nineteen days without objects: hand-offs without an id may lie there.
    let holes = report(20);
    for role in ["Safe", "Second", "Wild"] {
        assert_eq!(verdicts(&holes)[role], "unclear", "{role}");
    }
    assert_eq!(verdicts(&holes)["Breaks"], "will_break", "what was seen stays seen");
    // Elsewhere the same party may come in without an id.
    let one_region: Value = serde_json::from_slice(&analyzed(1, &["us-east-1"])["report.json"]).unwrap();
    assert_eq!((verdicts(&one_region)["Safe"], verdicts(&one_region)["Breaks"]), ("unclear", "will_break"));
}

/// S42: no id is in any output, demanded, sent or guessed.
#[test]
fn no_external_id_is_shown() {
    for (path, bytes) in analyzed(1, &[]) {
        let text = String::from_utf8_lossy(&bytes);
        for id in [UUID, OTHER, SHARED, "x7Kq2", "datadog-production-2024", "kD83hfKs92hfKSjw83"] {
            assert!(!text.contains(id), "{path} shows {id}");
        }
    }
}
