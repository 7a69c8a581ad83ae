//! Policy risk judged on small trails made for it: each finding where it belongs, nowhere else, graver where what is
//! dangerous was never used, and quiet or unsure where the evidence is missing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::aws::window::parse_time;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::config::RuleFiles;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::local::LocalStore;

const OWN: &str = "111122223333";
const DATADOG: &str = "464622532012";
const UUID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";

/// A role in the making: its name, the statements of its policies, and of its boundary.
struct Role {
    name: &'static str,
    policies: Vec<Value>,
    boundary: Option<Value>,
}

fn role(name: &'static str, policies: &[Value]) -> Role {
    Role { name, policies: policies.to_vec(), boundary: None }
}

fn allow(actions: Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

fn when(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

fn deny(action: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

/// Roles with thousands of rights, which take long to judge.
fn wide_roles() -> Vec<Role> {
    let every = |actions: Value| allow(actions, "*");
    let all = || every(json!("*"));
    let from = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    vec![role("AdminMaybe", &[when(all(), from)]), role("AdminDenied", &[all(), deny("iam:*")]), bounded()]
}

fn bounded() -> Role {
    Role { boundary: Some(allow(json!("ec2:Describe*"), "*")), ..role("AdminBounded", &[allow(json!("*"), "*")]) }
}

fn roles() -> Vec<Role> {
    let every = |actions: Value| allow(actions, "*");
    let kms = || every(json!(["kms:Decrypt", "kms:CreateGrant"]));
    let spot = || json!(["lambda:CreateFunction", "lambda:InvokeFunction"]);
    let lambda = json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}});
    let rds = json!({"StringEquals": {"iam:PassedToService": "rds.amazonaws.com"}});
    let via = json!({"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}});
    let tagged = json!({"StringEquals": {"aws:ResourceTag/vendor": "datadog"}});
    let from = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    vec![
        role("Admin", &[json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), every(json!("iam:*"))]),
        role("Keys", &[kms()]),
        role("KeysOfOneRegion", &[allow(json!("kms:Decrypt"), "arn:aws:kms:eu-west-1:*:key/*")]),
        role("KeysNamed", &[allow(json!("kms:Decrypt"), "arn:aws:kms:*:*:key/1234abcd-12ab-34cd-56ef-1234567890ab")]),
        role("KeysByService", &[when(kms(), via)]),
        role("KeysDenied", &[kms(), deny("kms:*")]),
        role("KeysMaybe", &[when(kms(), from.clone())]),
        role("Secrets", &[every(json!("secretsmanager:GetSecretValue"))]),
        role("SecretsNamed", &[allow(json!("secretsmanager:*"), "arn:aws:secretsmanager:*:*:secret:datadog/*")]),
        role("SecretsTagged", &[when(every(json!("secretsmanager:GetSecretValue")), tagged)]),
        role("Data", &[allow(json!(["s3:Get*", "s3:List*"]), "arn:aws:s3:::*")]),
        role("DataNamed", &[allow(json!("s3:Get*"), "arn:aws:s3:::logs-*/*")]),
        role(
            "DataExcept",
            &[json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::private/*"})],
        ),
        role("Pass", &[every(json!("iam:PassRole"))]),
        role("PassNamed", &[allow(json!("iam:PassRole"), "arn:aws:iam::*:role/datadog-*")]),
        role("PassToRds", &[when(every(json!("iam:PassRole")), rds.clone()), every(spot())]),
        role("PassToLambda", &[when(every(json!("iam:PassRole")), lambda), every(spot())]),
        role("PassDenied", &[every(json!("iam:PassRole")), every(spot()), deny("iam:PassRole")]),
        role("PassToAdmin", &[allow(json!("iam:PassRole"), "arn:aws:iam::*:role/OurAdmin"), every(spot())]),
        role("PassToPlain", &[allow(json!("iam:PassRole"), "arn:aws:iam::*:role/OurPlain"), every(spot())]),
        role("Attach", &[every(json!("iam:AttachRolePolicy"))]),
        role("AttachElsewhere", &[allow(json!("iam:AttachRolePolicy"), "arn:aws:iam::*:role/other-*")]),
        role("Users", &[every(json!(["iam:DeleteUser", "iam:TagUser", "iam:*Group"]))]),
        role("UsersNamed", &[allow(json!("iam:DeleteUser"), "arn:aws:iam::*:user/datadog/*")]),
        role("Wild", &[every(json!("sqs:*"))]),
        role("WildNamed", &[allow(json!("sqs:*"), "arn:aws:sqs:*:*:datadog-*")]),
        role("WildReads", &[every(json!(["ec2:Describe*", "pricing:*"]))]),
        role("Stops", &[every(json!("ec2:StopInstances"))]),
    ]
}

fn inventory(roles: &[Role]) -> Value {
    let document = |statements: &[Value]| json!({"Version": "2012-10-17", "Statement": statements});
    let details = roles.iter().map(|role| {
        let arn = format!("arn:aws:iam::{OWN}:role/{}", role.name);
        let trust = json!({"Effect": "Allow", "Principal": {"AWS": DATADOG}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": UUID}}});
        // Each statement a policy of its own: they count together.
        let policies: Vec<Value> = role.policies.iter().enumerate()
            .map(|(number, statement)| json!({"PolicyName": format!("p{number}"), "PolicyDocument": document(std::slice::from_ref(statement))}))
            .collect();
        let mut details = json!({"RoleName": role.name, "RoleId": format!("AROA{:0>17}", role.name.to_uppercase()), "Arn": arn,
            "Path": "/", "CreateDate": "2025-01-01T00:00:00Z", "RolePolicyList": policies, "AttachedManagedPolicies": [],
            "Tags": [], "AssumeRolePolicyDocument": document(&[trust])});
        if role.boundary.is_some() {
            details["PermissionsBoundary"] = json!({"PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": format!("arn:aws:iam::{OWN}:policy/{}", role.name)});
        }
        details
    });
    let boundaries = roles.iter().filter_map(|role| {
        Some(json!({"PolicyName": role.name, "Arn": format!("arn:aws:iam::{OWN}:policy/{}", role.name), "DefaultVersionId": "v1",
            "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": document(&[role.boundary.clone()?])}]}))
    });
    // Roles of our own that no outsider enters, and that Lambda may take.
    let own = [("OurAdmin", "*"), ("OurPlain", "logs:PutLogEvents")].map(|(name, action)| {
        let trust = json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
        json!({"RoleName": name, "RoleId": format!("AROA{name:0>17}"), "Arn": format!("arn:aws:iam::{OWN}:role/{name}"), "Path": "/",
            "CreateDate": "2025-01-01T00:00:00Z", "AttachedManagedPolicies": [], "Tags": [],
            "AssumeRolePolicyDocument": document(&[trust]),
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document(&[allow(json!(action), "*")])}]})
    });
    json!({"RoleDetailList": details.chain(own).collect::<Vec<_>>(), "UserDetailList": [], "GroupDetailList": [],
        "Policies": boundaries.collect::<Vec<_>>()})
}

/// Somebody of ours reads and writes in several services, so that the trail shows that it would show such things.
fn records(used: &[(&str, &str, &str)]) -> Vec<Value> {
    let own = json!({"type": "IAMUser", "principalId": "AIDAOWN", "accountId": OWN, "userName": "own",
        "arn": format!("arn:aws:iam::{OWN}:user/own"), "accessKeyId": "AKIAOWN"});
    let seen = [
        ("ec2", "DescribeInstances", true),
        ("ec2", "StopInstances", false),
        ("kms", "Decrypt", true),
        ("kms", "CreateGrant", false),
        ("iam", "AttachRolePolicy", false),
        ("iam", "PutRolePolicy", false),
        ("iam", "DeleteUser", false),
        ("secretsmanager", "GetSecretValue", true),
        ("lambda", "CreateFunction20150331", false),
        ("sqs", "CreateQueue", false),
    ];
    let mut records = Vec::new();
    for region in ["us-east-1"] {
        for (service, name, reads) in seen {
            records.push(record(records.len(), own.clone(), region, (service, name, reads)));
        }
    }
    for (role, service, name) in used {
        let id = format!("AROA{:0>17}", role.to_uppercase());
        let session = json!({"sessionIssuer": {"type": "Role", "principalId": id, "accountId": OWN, "userName": role,
            "arn": format!("arn:aws:iam::{OWN}:role/{role}")}, "attributes": {"creationDate": "2026-05-01T09:00:00Z"}});
        let caller = json!({"type": "AssumedRole", "principalId": format!("{id}:s"), "accountId": OWN,
            "arn": format!("arn:aws:sts::{OWN}:assumed-role/{role}/s"), "accessKeyId": format!("ASIA{role}"),
            "sessionContext": session});
        records.push(record(records.len(), caller, "us-east-1", (service, name, false)));
    }
    records
}

fn record(at: usize, caller: Value, region: &str, (service, name, reads): (&str, &str, bool)) -> Value {
    json!({"eventVersion": "1.10", "userIdentity": caller, "eventTime": format!("2026-05-01T10:00:{at:02}Z"),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": region,
        "sourceIPAddress": "203.0.113.7", "userAgent": "x", "requestParameters": null, "responseElements": null,
        "eventID": format!("00000000-0000-4000-8000-{at:012}"), "eventType": "AwsApiCall", "managementEvent": true,
        "eventCategory": "Management", "readOnly": reads, "recipientAccountId": OWN})
}

/// The report on a window of that many days, of which the first has records.
fn report(days: u32, inventory: &Value, used: &[(&str, &str, &str)]) -> Value {
    report_with(days, inventory, used, None)
}

fn report_with(days: u32, inventory: &Value, used: &[(&str, &str, &str)], keep: Option<&str>) -> Value {
    let trail = TempDir::new().unwrap();
    let day = trail.path().join(format!("AWSLogs/{OWN}/CloudTrail/us-east-1/2026/05/01"));
    fs::create_dir_all(&day).unwrap();
    let name = format!("{OWN}_CloudTrail_us-east-1_20260501T1100Z_abcdefghijklmnop.json");
    fs::write(day.join(name), json!({"Records": records(used)}).to_string()).unwrap();
    let file = trail.path().join("inventory.json");
    fs::write(&file, inventory.to_string()).unwrap();
    let options = Options {
        request: Request {
            since: parse_time("2026-05-01T00:00:00Z"),
            until: parse_time(&format!("2026-05-{:02}T00:00:00Z", days + 1)),
            ..Request::default()
        },
        inventories: vec![file],
        rules: RuleFiles {
            keep: keep.map(|text| {
                let path = trail.path().join("keep.toml");
                fs::write(&path, text).unwrap();
                path
            }),
            ..RuleFiles::default()
        },
        idle_days: 90,
        max_holes: 0.05,
        effort: Effort { jobs: 2, memory_bytes: 64 << 20 },
        ..Options::default()
    };
    let outcome = analyze(&LocalStore::open(Path::new(trail.path())).unwrap(), &options, &Silent).unwrap();
    let files: BTreeMap<String, Vec<u8>> = outcome.files.into_iter().map(|file| (file.path, file.bytes)).collect();
    serde_json::from_slice(&files["report.json"]).unwrap()
}

/// Nineteen days without objects: nothing can be called unused.
static WITHOUT_EVIDENCE: LazyLock<Value> = LazyLock::new(|| {
    let all: Vec<Role> = roles().into_iter().chain(wide_roles()).collect();
    report(20, &inventory(&all), &[])
});

/// Nobody used anything.
static IDLE: LazyLock<Value> = LazyLock::new(|| report(1, &inventory(&roles()), &[]));

fn findings<'r>(report: &'r Value, code: &str) -> BTreeMap<&'r str, &'r Value> {
    let all = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    all.map(|finding| (finding["subject"].as_str().unwrap().rsplit('/').next().unwrap(), finding)).collect()
}

fn with<'r>(report: &'r Value, code: &str) -> BTreeMap<&'r str, &'r str> {
    findings(report, code).into_iter().map(|(role, finding)| (role, finding["severity"].as_str().unwrap())).collect()
}

fn check(report: &Value, code: &str, expected: &[(&str, &str)]) {
    assert_eq!(with(report, code), expected.iter().copied().collect(), "{code}");
}

/// S31, S32: each code at the roles that deserve it: a `Deny`, a boundary, a narrow resource and a condition that narrows
/// silence it, one that is not known makes it unsure, and no records make nothing graver.
#[test]
fn each_finding_is_where_it_belongs() {
    let report = &*WITHOUT_EVIDENCE;
    check(report, "policy-admin", &[("Admin", "high"), ("AdminMaybe", "medium")]);
    check(
        report,
        "policy-kms-any-key",
        &[("AdminDenied", "medium"), ("Keys", "medium"), ("KeysMaybe", "low"), ("KeysOfOneRegion", "medium")],
    );
    check(report, "policy-secrets-any", &[("AdminDenied", "high"), ("Secrets", "high")]);
    check(
        report,
        "policy-data-read-any",
        &[("AdminDenied", "medium"), ("Data", "medium"), ("DataExcept", "medium"), ("Wild", "medium")],
    );
    check(report, "policy-passrole-any", &[("Pass", "medium"), ("PassToLambda", "medium"), ("PassToRds", "medium")]);
    check(report, "policy-iam-write", &[("Users", "medium")]);
    check(
        report,
        "policy-write-wildcard",
        &[
            ("AdminDenied", "medium"),
            ("PassDenied", "medium"),
            ("PassToPlain", "medium"),
            ("PassToRds", "medium"),
            ("Stops", "low"),
            ("Wild", "medium"),
        ],
    );
    let ways = with(report, "policy-privilege-escalation");
    assert_eq!(ways.keys().copied().collect::<Vec<_>>(), ["AdminDenied", "Attach", "PassToAdmin", "PassToLambda"]);
    // What is left of everything without IAM: Identity Center, machines, stacks.
    assert_eq!((ways["AdminDenied"], ways["Attach"], ways["PassToLambda"]), ("medium", "high", "high"));
    let unbounded = with(report, "boundary-missing");
    assert_eq!(unbounded.keys().copied().collect::<Vec<_>>(), ["Admin", "AdminMaybe", "Attach", "Users"]);
    assert_eq!((unbounded["Admin"], unbounded["Users"]), ("medium", "low"));
    let critical = report["findings"].as_array().unwrap().iter().any(|finding| finding["severity"] == "critical");
    assert!(!critical, "without records nothing is known to be unused");
}

/// S31: the evidence names actions, statements, ways, services and Regions, and what an unsure answer hangs on.
#[test]
fn findings_say_what_they_rest_on() {
    let report = &*WITHOUT_EVIDENCE;
    let evidence = |code: &str, role: &str| findings(report, code)[role]["evidence"].clone();
    let keys = evidence("policy-kms-any-key", "Keys");
    assert_eq!(keys["actions"], json!(["kms:Decrypt", "kms:CreateGrant"]));
    assert_eq!(keys["statements"], json!([{"policy": "p0", "statement": "#1"}]));
    assert_eq!(keys["use"], json!({"used": 0, "unused": 0, "not_observable": 2, "dependent": 0, "kept_by_rule": 0}));
    assert_eq!(evidence("policy-kms-any-key", "KeysOfOneRegion")["only_in_regions"], json!(["eu-west-1"]));
    let maybe = evidence("policy-kms-any-key", "KeysMaybe");
    assert_eq!((&maybe["certain"], &maybe["depends_on"]), (&json!(false), &json!(["aws:SourceIp"])));
    let title = findings(report, "policy-kms-any-key")["KeysMaybe"]["title"].as_str().unwrap().to_owned();
    assert!(title.contains("may be able to"), "{title}");
    assert_eq!(evidence("policy-passrole-any", "PassToRds")["services"], json!(["rds.amazonaws.com"]));
    let ways = evidence("policy-privilege-escalation", "PassToLambda");
    assert_eq!(ways["paths"][0]["path"], "lambda-create-and-invoke");
    assert_eq!(ways["paths"][0]["actions"], json!(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]));
    assert_eq!(ways["paths"][0]["use"], "not_observable");
    let strong = evidence("policy-privilege-escalation", "PassToAdmin");
    assert_eq!(strong["paths"][0]["roles"], json!([format!("arn:aws:iam::{OWN}:role/OurAdmin")]));
    assert_eq!(evidence("policy-write-wildcard", "Wild")["patterns"], json!(["sqs:*"]));
}

/// S24, S38: dangerous and never used is graver than dangerous and used; what the trail could not show is neither.
#[test]
fn danger_that_nobody_uses_comes_first() {
    let used = [("Secrets", "secretsmanager", "GetSecretValue"), ("Attach", "iam", "AttachRolePolicy")];
    let few: Vec<Role> = roles().into_iter().filter(|role| role.name != "Admin").collect();
    let (in_use, idle) = (&report(1, &inventory(&few), &used), &*IDLE);
    let severity = |report: &Value, code: &str, role: &str| with(report, code)[role].to_owned();
    assert_eq!(severity(in_use, "policy-secrets-any", "Secrets"), "high");
    assert_eq!(severity(idle, "policy-secrets-any", "Secrets"), "critical");
    assert_eq!(severity(in_use, "policy-privilege-escalation", "Attach"), "high");
    assert_eq!(severity(idle, "policy-privilege-escalation", "Attach"), "critical");
    assert_eq!(severity(idle, "policy-admin", "Admin"), "critical");
    // A way is closed by taking one step that nobody used, although passing a role cannot be seen at all.
    let way = &findings(idle, "policy-privilege-escalation")["PassToLambda"]["evidence"]["paths"][0];
    assert_eq!((way["use"].as_str(), way["severity"].as_str()), (Some("unused"), Some("critical")));
    // What nobody used is told once, by the list of what can go.
    assert!(with(idle, "dangerous-unused").contains_key("Stops"));
    assert!(!with(idle, "policy-write-wildcard").contains_key("Stops"));
    // Objects are read by data events, which this trail does not record.
    assert_eq!(severity(idle, "policy-data-read-any", "DataExcept"), "medium");
    let finding = findings(idle, "policy-secrets-any")["Secrets"].clone();
    assert!(finding["remediation"].as_str().unwrap().contains("right-sized"), "{finding}");
    assert!(finding["remediation"].as_str().unwrap().contains("`deny.json`"), "{finding}");
    let finding = findings(in_use, "policy-secrets-any")["Secrets"].clone();
    assert!(!finding["remediation"].as_str().unwrap().contains("right-sized"), "{finding}");
}

/// S39: what somebody answers for by a keep rule is not called never used, and is counted apart.
#[test]
fn a_keep_rule_takes_the_disuse_from_the_danger() {
    let few: Vec<Role> = roles().into_iter().filter(|role| role.name == "Secrets").collect();
    let rule = "[[keep]]\nactions = [\"secretsmanager:*\"]\nowner = \"ops\"\nreason = \"drill\"\n";
    let kept = report_with(1, &inventory(&few), &[], Some(rule));
    let finding = &findings(&kept, "policy-secrets-any")["Secrets"];
    assert_eq!(finding["severity"], "high");
    let split = json!({"used": 0, "unused": 0, "not_observable": 0, "dependent": 0, "kept_by_rule": 1});
    assert_eq!(finding["evidence"]["use"], split);
}

/// S32: a role that the inventory does not hold is not judged; a boundary that it does not hold leaves all in doubt.
#[test]
fn what_cannot_be_read_is_not_claimed() {
    let mut without = inventory(&[bounded()]);
    without["Policies"] = json!([]);
    let bounded = report(20, &without, &[]);
    let admin = findings(&bounded, "policy-admin")["AdminBounded"].clone();
    assert_eq!((admin["severity"].as_str(), &admin["evidence"]["certain"]), (Some("medium"), &json!(false)));
    assert!(admin["detail"].as_str().unwrap().contains("is not readable in the inventory"), "{admin}");
    assert!(!with(&bounded, "boundary-missing").contains_key("AdminBounded"));
    let empty = json!({"RoleDetailList": [], "UserDetailList": [], "GroupDetailList": [], "Policies": []});
    let unknown = report(1, &empty, &[("Admin", "iam", "AttachRolePolicy")]);
    let codes: BTreeSet<&str> =
        unknown["findings"].as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect();
    assert!(!codes.iter().any(|code| code.starts_with("policy-") || *code == "boundary-missing"), "{codes:?}");
    for role in unknown["roles"].as_array().unwrap() {
        assert_eq!(role["blast_radius"], Value::Null);
    }
}

/// S34: the blast radius falls by what the proposals take, for the role and for the party over all of its roles.
#[test]
fn the_blast_radius_falls_with_the_proposals() {
    let idle = &*IDLE;
    let radius = |name: &str| {
        let roles = idle["roles"].as_array().unwrap();
        let role = roles.iter().find(|role| role["name"] == name).unwrap();
        (role["blast_radius"]["before"].as_u64().unwrap(), role["blast_radius"]["after"].as_u64().unwrap())
    };
    assert_eq!((radius("Admin").0, radius("Attach")), (100, (100, 0)));
    assert_eq!(radius("Secrets"), (8, 0));
    assert_eq!(radius("WildReads"), (0, 0));
    let denied = WITHOUT_EVIDENCE["roles"].as_array().unwrap().iter().find(|role| role["name"] == "AdminDenied");
    let before = denied.unwrap()["blast_radius"]["before"].as_u64().unwrap();
    assert!((40..100).contains(&before), "{before}");
    let party = idle["parties"].as_array().unwrap().iter().find(|party| party["id"] == DATADOG).unwrap();
    assert_eq!(party["blast_radius"]["before"], 100, "one of its roles is an administrator");
    // Without evidence nothing is proposed, so nothing falls.
    for role in WITHOUT_EVIDENCE["roles"].as_array().unwrap() {
        assert_eq!(role["blast_radius"]["before"], role["blast_radius"]["after"]);
    }
}
