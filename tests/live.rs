//! Live inputs against a stand-in that pages, throttles, refuses and fails as AWS does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod folders;
mod stand_in;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use assert_cmd::Command;
use folders::{files, json_file};
use serde_json::{Value, json};
use stand_in::answers::{CLOSED, OWN, SECOND, VENDOR, aws, details, role};
use stand_in::{Answer, Call, StandIn};
use tempfile::TempDir;

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The program with these credentials, and nothing of the machine's own configuration.
fn run(arguments: &[&str], key: Option<&str>) -> Run {
    let home = TempDir::new().unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("HOME", home.path()).env("AWS_EC2_METADATA_DISABLED", "true");
    if let Some(key) = key {
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", "testing");
    }
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn collect(aws: &StandIn, out: &Path, more: &[&str]) -> Run {
    let (out, url) = (out.to_str().unwrap(), aws.url());
    let arguments = ["collect", "--out", out, "--endpoint-url", &url, "--region-name", "us-east-1"];
    run(&[&arguments[..], more].concat(), Some("AKIACALLER"))
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}

/// S44: the page boundary of every paged call, and the trails of every Region.
#[test]
fn every_paged_call_is_followed_to_its_end() {
    let (aws, folder) = (StandIn::new(aws), TempDir::new().unwrap());
    let out = folder.path().join("out");
    let done = collect(&aws, &out, &[]);
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    let at = |path: &str| json_file(&out.join(path.replace("ACCOUNT", OWN)));
    assert_eq!(names(&at("inventory/ACCOUNT.json")["RoleDetailList"], "RoleName"), ["First", "Second"]);
    let keys = at("access-keys/ACCOUNT.json");
    assert_eq!(names(&keys["AccessKeys"], "AccessKeyId"), ["AKIAJANE1", "AKIAJANE2", "AKIAJOHN1", "AKIAJOHN2"]);
    let organization = at("organization.json");
    assert_eq!(names(&organization["Accounts"], "Id"), [OWN, SECOND, CLOSED, "444455556666"]);
    assert!(!organization.to_string().contains("example.com"), "mail addresses are not kept");
    let details = at("last-accessed/ACCOUNT.json");
    for role in details["Roles"].as_array().unwrap() {
        assert_eq!(names(&role["Details"]["ServicesLastAccessed"], "ServiceNamespace"), ["ec2", "s3"]);
    }
    assert_eq!(details["Roles"].as_array().unwrap().len(), 2);
    let trails = at("trail-config/ACCOUNT.json");
    let homes: Vec<&str> = trails["Trails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trail| trail["Trail"]["HomeRegion"].as_str().unwrap())
        .collect();
    assert_eq!(homes, ["eu-west-1", "us-east-1"]);
    assert!(trails["Trails"][0]["EventSelectors"]["AdvancedEventSelectors"].is_array());
    let report = std::fs::read_to_string(out.join(format!("credential-report/{OWN}.csv"))).unwrap();
    assert!(report.starts_with("user,arn,") && report.contains("jane"));
    let written: BTreeSet<String> = files(&out).into_keys().collect();
    let listed: BTreeSet<String> = names(&at("collect.json")["files"], "path")
        .into_iter()
        .map(str::to_owned)
        .chain(["collect.json".to_owned()])
        .collect();
    assert_eq!(written, listed);
    // What nobody asked to change was not changed: only calls that read, and the two that make a report.
    let calls = aws.calls();
    let reads = |call: &Call| ["Get", "List", "Describe", "Generate"].iter().any(|verb| call.action.starts_with(verb));
    assert!(calls.iter().all(reads), "{calls:?}");
}

/// S44: a server that names the same page for ever is told, not followed.
#[test]
fn a_page_that_comes_again_is_an_error() {
    let aws = StandIn::new(|call| match call.action.as_str() {
        "ListUsers" => Answer::Xml("<Users/><IsTruncated>true</IsTruncated><Marker>again</Marker>".to_owned()),
        "GetAccountAuthorizationDetails" => Answer::Xml("<RoleDetailList/><IsTruncated>true</IsTruncated>".to_owned()),
        "ListAccounts" => Answer::Json(json!({"Accounts": [], "NextToken": "again"})),
        _ => aws(call),
    });
    let folder = TempDir::new().unwrap();
    let done = collect(&aws, &folder.path().join("out"), &[]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    for call in ["iam:ListUsers", "iam:GetAccountAuthorizationDetails", "organizations:ListAccounts"] {
        assert!(done.stderr.lines().any(|line| line.contains(call)), "{call}: {}", done.stderr);
    }
    assert_eq!(aws.count("ListUsers"), 2);
}

/// Throttled calls are made again, an unfinished job is asked for again, and a failed one is told with its role.
#[test]
fn throttling_is_waited_out_and_failed_jobs_are_told() {
    let asked = Mutex::new(Vec::<String>::new());
    let aws = StandIn::new(move |call| {
        let times = {
            let mut asked = asked.lock().unwrap();
            asked.push(format!("{}{}", call.action, call.parameter("JobId")));
            asked.iter().filter(|known| *known == asked.last().unwrap()).count()
        };
        match (call.action.as_str(), times) {
            ("GetAccountAuthorizationDetails", 1) => Answer::Error(400, "Throttling", "Rate exceeded"),
            ("GenerateServiceLastAccessedDetails", 1) => Answer::Error(429, "TooManyRequestsException", "slow down"),
            ("GetEventSelectors", 1) => Answer::Error(400, "ThrottlingException", "Rate exceeded"),
            ("GenerateCredentialReport", 1) => Answer::Xml("<State>STARTED</State>".to_owned()),
            ("GetServiceLastAccessedDetails", _) if call.parameter("JobId").ends_with("Second") => {
                details(call, "FAILED")
            }
            ("GetServiceLastAccessedDetails", 1) => details(call, "IN_PROGRESS"),
            _ => self::aws(call),
        }
    });
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let done = collect(&aws, &out, &[]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    let told: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("not read: ")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let second = format!("arn:aws:iam::{OWN}:role/Second");
    assert!(told[0].contains(&second) && told[0].contains("internal trouble"), "{told:?}");
    let details = json_file(&out.join(format!("last-accessed/{OWN}.json")));
    assert_eq!(names(&details["Roles"], "Arn"), [format!("arn:aws:iam::{OWN}:role/First")]);
    assert_eq!(json_file(&out.join("collect.json"))["failed"][0]["call"], "iam:GetServiceLastAccessedDetails");
}

/// Every active account of the organization, through its role; one that refuses does not stop the others.
#[test]
fn an_account_that_refuses_is_told_and_the_others_are_read() {
    let (aws, folder) = (StandIn::new(aws), TempDir::new().unwrap());
    let out = folder.path().join("out");
    let done = collect(&aws, &out, &["--assume-role-name", "Audit"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    let told: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("not read: ")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(CLOSED) && told[0].contains("sts:AssumeRole") && told[0].contains("AccessDenied"));
    assert!(done.stderr.contains("help: allow `sts:AssumeRole`"), "{}", done.stderr);
    // An account that is closed is no failure, and is not passed over in silence.
    assert!(done.stderr.contains("not asked: account 444455556666: it is not active"), "{}", done.stderr);
    assert_eq!(json_file(&out.join("collect.json"))["not_asked"], serde_json::json!(["444455556666"]));
    let written = files(&out);
    for account in [OWN, SECOND] {
        assert!(written.contains_key(&format!("inventory/{account}.json")), "{account}");
        let inventory = json_file(&out.join(format!("inventory/{account}.json")));
        assert_eq!(inventory["RoleDetailList"][0]["Arn"], format!("arn:aws:iam::{account}:role/First"));
    }
    assert!(!written.keys().any(|path| path.contains(CLOSED) || path.contains("444455556666")));
    // The caller's own account is asked with the caller's own credentials.
    assert!(aws.calls().iter().all(|call| !call.parameter("RoleArn").contains(OWN)));
}

/// An analysis goes on without the account that refuses, says so, and says the same of what was saved.
#[test]
fn an_analysis_tells_which_account_is_missing() {
    let (aws, folder) = (StandIn::new(aws), TempDir::new().unwrap());
    let trail = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/trails/vendors");
    let reach = ["--assume-role-name", "Audit", "--endpoint-url", &aws.url()];
    let saved = folder.path().join("saved");
    assert_eq!(collect(&aws, &saved, &["--assume-role-name", "Audit"]).code, 3);
    let live = [&["--inventory", "live", "--trail-config", "live"], &reach[..]].concat();
    for more in [&live[..], &["--inputs", saved.to_str().unwrap()]] {
        let out = folder.path().join("out");
        let arguments =
            ["analyze", trail.to_str().unwrap(), "--account", "012345678901", "--out", out.to_str().unwrap()];
        let window = ["--since", "2026-05-01", "--until", "2026-05-03"];
        let done = run(&[&arguments[..], &window, more].concat(), Some("AKIACALLER"));
        assert_eq!(done.code, 3, "{}", done.stderr);
        let line =
            format!("  not read: account {CLOSED}: sts:AssumeRole: arn:aws:iam::{CLOSED}:role/Audit: AccessDenied");
        assert!(done.stdout.lines().any(|shown| shown.starts_with(&line)), "{}", done.stdout);
        let failed = json_file(&out.join("report.json"))["coverage"]["failed_inputs"].clone();
        assert_eq!(failed.as_array().unwrap().len(), 1, "{failed}");
        let page = std::fs::read_to_string(out.join("report.md")).unwrap();
        assert!(page.contains("Inputs that could not be read") && page.contains("sts:AssumeRole"));
    }
    let role_alone = ["analyze", trail.to_str().unwrap(), "--assume-role-name", "Audit"];
    assert_eq!(run(&role_alone, None).code, 2);
}

/// One line with the call and the fix: refused calls one by one, and nothing written when nothing can be read.
#[test]
fn refusals_name_the_call_and_the_fix() {
    let denying = |denied: fn(&Call) -> bool| {
        StandIn::new(move |call| match denied(call) {
            true => Answer::Error(403, "AccessDenied", "not authorized"),
            false => aws(call),
        })
    };
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let one = denying(|call| call.action == "GetAccountAuthorizationDetails");
    let done = collect(&one, &out, &[]);
    assert_eq!(done.code, 3);
    assert!(
        done.stderr.contains("iam:GetAccountAuthorizationDetails: AccessDenied: not authorized"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("help: allow `iam:GetAccountAuthorizationDetails`"), "{}", done.stderr);
    assert!(!out.join("inventory").exists() && out.join("trail-config").exists());
    let all = denying(|call| call.action != "GetCallerIdentity");
    let nowhere = folder.path().join("nowhere");
    let done = collect(&all, &nowhere, &["--progress", "none"]);
    assert_eq!((done.code, done.stderr.lines().count()), (2, 1), "{}", done.stderr);
    let expected = "error: organizations:DescribeOrganization: AccessDenied: not authorized; allow `organizations:";
    assert!(done.stderr.starts_with(expected), "{}", done.stderr);
    assert!(!nowhere.exists());
    // An analysis that cannot have what it was told to use does not pretend.
    let trail = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/trails/vendors");
    let (trail, report, url) = (trail.to_str().unwrap(), folder.path().join("report"), one.url());
    let arguments =
        ["analyze", trail, "--inventory", "live", "--endpoint-url", &url, "--out", report.to_str().unwrap(), "--quiet"];
    let done = run(&arguments, Some("AKIACALLER"));
    assert_eq!((done.code, done.stderr.lines().count()), (2, 1), "{}", done.stderr);
    assert!(done.stderr.contains("cannot read inventory live: iam:GetAccountAuthorizationDetails"), "{}", done.stderr);
    assert!(!report.exists());
}

#[test]
fn without_credentials_one_line_says_what_to_set() {
    let (aws, folder) = (StandIn::new(aws), TempDir::new().unwrap());
    let out = folder.path().join("out");
    let silent = ["--progress", "none"];
    let asked = ["collect", "--out", out.to_str().unwrap(), "--endpoint-url", &aws.url()];
    let done = run(&[&asked[..], &silent].concat(), None);
    assert_eq!((done.code, done.stderr.lines().count()), (2, 1), "{}", done.stderr);
    assert!(done.stderr.contains("sts:GetCallerIdentity: no credentials"), "{}", done.stderr);
    assert!(done.stderr.contains("AWS_PROFILE"), "{}", done.stderr);
    assert!(aws.calls().is_empty() && !out.exists());
}

/// A member account sees the organization's trail and may be refused its selectors: no failure, but nothing is known.
#[test]
fn the_organizations_trail_is_for_its_owner_to_tell() {
    let arn = |account: &str| format!("arn:aws:cloudtrail:us-east-1:{account}:trail/main");
    let aws = StandIn::new(move |call| match (call.action.as_str(), call.parameter("TrailName")) {
        ("ListTrails", _) => Answer::Json(json!({"Trails": []})),
        ("DescribeTrails", _) => {
            let trail = |account: &str| {
                json!({"TrailARN": arn(account), "HomeRegion": "us-east-1", "IsMultiRegionTrail": true,
                    "IsOrganizationTrail": account == SECOND, "S3BucketName": "logs", "HasCustomEventSelectors": true})
            };
            Answer::Json(json!({"trailList": [trail(OWN), trail(SECOND)]}))
        }
        ("GetEventSelectors", _) => Answer::Error(400, "AccessDeniedException", "not authorized"),
        _ => aws(call),
    });
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let done = collect(&aws, &out, &[]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    let told: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("not read: ")).collect();
    assert!(told.len() == 1 && told[0].contains(&arn(OWN)), "{told:?}");
    let trails = json_file(&out.join(format!("trail-config/{OWN}.json")))["Trails"].clone();
    let refused = |at: usize| trails[at]["Refused"][0].as_str().unwrap().to_owned();
    assert!(refused(0).contains("cloudtrail:GetEventSelectors") && refused(1).contains(SECOND), "{trails}");
    assert!(trails[1]["EventSelectors"].is_null() && trails[1]["Status"]["IsLogging"] == true);
}

/// An account outside of any organization is one of its own, and no failure.
#[test]
fn an_account_without_an_organization_is_alone() {
    let aws = StandIn::new(|call| match call.service.as_str() {
        "organizations" => Answer::Error(400, "AWSOrganizationsNotInUseException", "not a member"),
        _ => aws(call),
    });
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let done = collect(&aws, &out, &[]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(names(&json_file(&out.join("organization.json"))["Accounts"], "Id"), [OWN]);
}

/// The vendor's name is in no answer: that roles are asked about follows from their trust alone.
#[test]
fn only_roles_that_outsiders_can_come_into_are_asked_about() {
    let aws = StandIn::new(|call| match call.action.as_str() {
        "GetAccountAuthorizationDetails" => {
            let closed = role(OWN, "Closed").replace(VENDOR, OWN);
            let linked = role(OWN, "Linked").replace("<Path>/</Path>", "<Path>/aws-service-role/x/</Path>");
            let open = role(OWN, "Open");
            Answer::Xml(format!(
                "<RoleDetailList>{closed}{linked}{open}</RoleDetailList><IsTruncated>false</IsTruncated>"
            ))
        }
        _ => aws(call),
    });
    let folder = TempDir::new().unwrap();
    assert_eq!(collect(&aws, &folder.path().join("out"), &[]).code, 0);
    let asked: Vec<String> = aws
        .calls()
        .iter()
        .filter(|call| call.action == "GenerateServiceLastAccessedDetails")
        .map(|call| format!("{} {}", call.parameter("Arn"), call.parameter("Granularity")))
        .collect();
    assert_eq!(asked, [format!("arn:aws:iam::{OWN}:role/Open ACTION_LEVEL")]);
}

/// The policy in README.md allows exactly what is called.
#[test]
fn the_policy_in_the_readme_is_what_is_needed() {
    let (aws, folder) = (StandIn::new(aws), TempDir::new().unwrap());
    let done = collect(&aws, &folder.path().join("out"), &["--assume-role-name", "Audit"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    // Everybody may ask who they are.
    let called: BTreeSet<String> = aws
        .calls()
        .iter()
        .map(|call| format!("{}:{}", call.service, call.action))
        .filter(|action| action != "sts:GetCallerIdentity")
        .collect();
    let readme = include_str!("../README.md");
    let policy = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        match &statement["Action"] {
            Value::String(action) => drop(allowed.insert(action.clone())),
            actions => {
                allowed.extend(actions.as_array().unwrap().iter().map(|action| action.as_str().unwrap().to_owned()))
            }
        }
    }
    let of_the_bucket = |action: &String| action.starts_with("s3:") || action.starts_with("kms:");
    allowed.retain(|action| !of_the_bucket(action));
    // Of `--verify-digests`; its own test sees that nothing else is called there.
    assert!(allowed.remove("cloudtrail:ListPublicKeys"));
    assert_eq!(called, allowed);
}

#[test]
fn an_endpoint_that_does_not_answer_is_told() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let url = format!("http://{nobody}");
    let asked = ["collect", "--out", out.to_str().unwrap(), "--endpoint-url", &url, "--progress", "none"];
    let done = run(&asked, Some("AKIACALLER"));
    assert_eq!((done.code, done.stderr.lines().count()), (2, 1), "{}", done.stderr);
    assert!(done.stderr.contains("sts:GetCallerIdentity: no answer") && done.stderr.contains("--endpoint-url"));
    assert!(!out.exists());
}
