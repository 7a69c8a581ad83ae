//! Live inputs against moto: two accounts of an organization collected, and judged live and offline alike.
//!
//! moto answers all calls but those about last-accessed details, which it does not know, and about the start of trails; a
//! stand-in before it does.
//! Where moto cannot be had, the test says so on a line of its own and passes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod beside;
mod folders;
mod moto;
mod python;
mod stand_in;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use beside::say;
use folders::json_file;
use moto::Moto;
use serde_json::{Value, json};
use stand_in::{Answer, Call, StandIn};
use tempfile::TempDir;

const VENDOR: &str = "464622532012";

fn run(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    let keys = [("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing"), ("AWS_REGION", "us-east-1")];
    command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN").env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.envs(keys).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

/// What moto cannot say: when its trails were started in a past that it was not there in, and what IAM tells of every
/// role: one action tried in the window, one long before it.
fn instead(call: &Call) -> Option<Answer> {
    let tracked = |name: &str, at: &str| {
        format!("<member><ActionName>{name}</ActionName><LastAccessedTime>{at}</LastAccessedTime></member>")
    };
    match call.action.as_str() {
        "GetTrailStatus" => Some(Answer::Json(json!({"IsLogging": true, "StartLoggingTime": 1_767_225_600}))),
        "GenerateServiceLastAccessedDetails" => Some(Answer::Xml(format!("<JobId>{:036}</JobId>", 7))),
        "GetServiceLastAccessedDetails" => Some(Answer::Xml(format!(
            "<JobStatus>COMPLETED</JobStatus><JobType>ACTION_LEVEL</JobType>\
             <JobCreationDate>2026-06-01T00:00:00Z</JobCreationDate><JobCompletionDate>2026-06-01T00:00:01Z\
             </JobCompletionDate><IsTruncated>false</IsTruncated><ServicesLastAccessed><member>\
             <ServiceName>EC2</ServiceName><ServiceNamespace>ec2</ServiceNamespace><TrackedActionsLastAccessed>{}{}\
             </TrackedActionsLastAccessed></member></ServicesLastAccessed>",
            tracked("StopInstances", "2026-05-05T00:00:00Z"),
            tracked("RunInstances", "2026-01-05T00:00:00Z"),
        ))),
        _ => None,
    }
}

/// Ten days of one account: the vendor comes in and looks around, somebody of ours writes.
fn write_trail(source: &Path, account: &str, role_id: &str) {
    for day in 1..=10 {
        let at = |minute: u32| format!("2026-05-{day:02}T01:{minute:02}:00Z");
        let base = |id: &str, minute, source: &str, name: &str, read_only: bool| {
            json!({"eventVersion": "1.10", "eventID": format!("{account}-{day}-{id}"), "eventTime": at(minute),
                "eventName": name, "eventType": "AwsApiCall", "eventSource": format!("{source}.amazonaws.com"),
                "awsRegion": "us-east-1", "recipientAccountId": account, "readOnly": read_only,
                "managementEvent": true, "sourceIPAddress": "192.0.2.1", "userAgent": "scanner"})
        };
        let arn = format!("arn:aws:sts::{account}:assumed-role/Vendor/scan");
        let mut hand_off = base("hand", 0, "sts", "AssumeRole", true);
        hand_off["userIdentity"] = json!({"type": "AWSAccount", "principalId": "AIDAVENDOR", "accountId": VENDOR});
        hand_off["requestParameters"] =
            json!({"roleArn": format!("arn:aws:iam::{account}:role/Vendor"), "roleSessionName": "scan"});
        hand_off["responseElements"] = json!({"credentials": {"accessKeyId": format!("ASIA{account}{day}")},
            "assumedRoleUser": {"assumedRoleId": format!("{role_id}:scan"), "arn": arn}});
        let mut look = base("look", 1, "ec2", "DescribeInstances", true);
        look["userIdentity"] = json!({"type": "AssumedRole", "principalId": format!("{role_id}:scan"), "arn": arn,
            "accountId": account, "accessKeyId": format!("ASIA{account}{day}"), "sessionContext": {
                "attributes": {"creationDate": at(0)},
                "sessionIssuer": {"type": "Role", "principalId": role_id, "accountId": account, "userName": "Vendor",
                    "arn": format!("arn:aws:iam::{account}:role/Vendor")}}});
        let mut write = base("write", 2, "ec2", "CreateTags", false);
        write["userIdentity"] = json!({"type": "IAMUser", "principalId": "AIDAJANE", "accountId": account,
            "arn": format!("arn:aws:iam::{account}:user/jane"), "userName": "jane"});
        let folder = source.join(format!("AWSLogs/{account}/CloudTrail/us-east-1/2026/05/{day:02}"));
        fs::create_dir_all(&folder).unwrap();
        let name = format!("{account}_CloudTrail_us-east-1_202605{day:02}T0105Z_aaaaaaaaaaaaaaaa.json");
        fs::write(folder.join(name), json!({"Records": [hand_off, look, write]}).to_string()).unwrap();
    }
}

fn analyze(source: &Path, out: &Path, more: &[&str]) -> Value {
    let window = ["--since", "2026-05-01", "--until", "2026-05-11", "--quiet"];
    let arguments =
        [&["analyze", source.to_str().unwrap(), "--out", out.to_str().unwrap()], &window[..], more].concat();
    let (code, said) = run(&arguments);
    assert_eq!(code, 0, "{said}");
    json_file(&out.join("report.json"))
}

fn verdict<'a>(report: &'a Value, account: &str, action: &str) -> &'a str {
    let arn = format!("arn:aws:iam::{account}:role/Vendor");
    let role = report["roles"].as_array().unwrap().iter().find(|role| role["arn"] == arn).unwrap();
    let entry = role["actions"].as_array().unwrap().iter().find(|entry| entry["action"] == action).unwrap();
    entry["verdict"].as_str().unwrap()
}

/// S42: moto asks nobody for an external id and hands a session out, which is told, and whose credentials are not.
fn a_session_is_told_and_dropped(url: &str, account: &str) {
    let arn = format!("arn:aws:iam::{account}:role/Vendor");
    let (code, said) = run(&["external-id", "check", "--live", "--role", &arn, "--endpoint-url", url]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("a session was handed out without an external id"), "{said}");
    assert!(!said.contains("ASIA"), "{said}");
}

/// S17, S40: the trust policies that AWS tells are evaluated like those of a file; an account of the organization is no
/// outsider, as soon as AWS is asked for it.
fn roles_are_checked_as_they_are(url: &str, collected: &Path, accounts: &[String]) {
    let check = |more: &[&str]| {
        let (code, said) = run(&[&["external-id", "check", "--format", "json", "--endpoint-url", url], more].concat());
        let start = said.find('{').unwrap_or_else(|| panic!("{said}"));
        let answer: Value = serde_json::Deserializer::from_str(&said[start..]).into_iter().next().unwrap().unwrap();
        (code, answer["roles"].clone())
    };
    let named = |roles: &Value| -> Vec<String> {
        roles.as_array().unwrap().iter().map(|role| role["role"].as_str().unwrap().to_owned()).collect()
    };
    let arn = |name: &str| format!("arn:aws:iam::{}:role/{name}", accounts[0]);
    let (code, roles) = check(&["--inventory", "live"]);
    assert_eq!((code, named(&roles)), (0, vec![arn("Peer"), arn("Vendor")]));
    assert_eq!(roles[1]["answer"], "refuses");
    let file = collected.join(format!("inventory/{}.json", accounts[0]));
    assert_eq!(check(&["--inventory", file.to_str().unwrap()]), (0, roles.clone()));
    let (_, outside) = check(&["--inventory", "live", "--organization", "live"]);
    assert_eq!(named(&outside), [arn("Vendor")]);
    assert!(!roles.to_string().contains("1f0e7a52"), "S42: the id is told");
}

/// S17, S24, S25a: what was collected once and what is asked live give the same report, over two accounts.
#[test]
fn a_saved_collection_and_live_inputs_give_the_same_report() {
    let python = match moto::python() {
        Ok(python) => python,
        Err(reason) => return say(&format!("NOT RUN: moto absent: {}", reason.lines().last().unwrap_or_default())),
    };
    let moto = Moto::start(&python, &[]);
    let port = moto.port;
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/seed.py");
    let said = python::run(python.command().arg(seed).arg(format!("http://127.0.0.1:{port}")))
        .unwrap_or_else(|error| panic!("{error}"));
    let accounts: Vec<String> = serde_json::from_str(&said).unwrap();
    let aws = StandIn::new(move |call| instead(call).unwrap_or(Answer::Forward(port)));
    let url = aws.url();
    let folder = TempDir::new().unwrap();
    let collected = folder.path().join("collected");
    let reach = ["--endpoint-url", &url, "--assume-role-name", "Audit"];
    let (code, said) = run(&[&["collect", "--out", collected.to_str().unwrap()], &reach[..]].concat());
    assert_eq!(code, 0, "{said}");

    a_session_is_told_and_dropped(&url, &accounts[0]);
    roles_are_checked_as_they_are(&url, &collected, &accounts);

    let source = folder.path().join("trail");
    for account in &accounts {
        let inventory = json_file(&collected.join(format!("inventory/{account}.json")));
        let roles = inventory["RoleDetailList"].as_array().unwrap();
        let role = roles.iter().find(|role| role["RoleName"] == "Vendor").unwrap();
        write_trail(&source, account, role["RoleId"].as_str().unwrap());
    }
    let offline = folder.path().join("offline");
    let saved = analyze(&source, &offline, &["--inputs", collected.to_str().unwrap()]);
    let kinds = ["inventory", "organization", "trail-config", "credential-report", "access-keys", "last-accessed"];
    let live: Vec<String> = kinds.iter().flat_map(|kind| [format!("--{kind}"), "live".to_owned()]).collect();
    let live: Vec<&str> = live.iter().map(String::as_str).chain(reach).collect();
    let online = folder.path().join("online");
    analyze(&source, &online, &live);
    let bytes = |out: &Path| fs::read_to_string(out.join("report.json")).unwrap();
    assert_eq!(bytes(&offline), bytes(&online));

    // The same trail in the bucket that the first account's trail delivers to, all of it live.
    let upload = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/upload.py");
    let direct = format!("http://127.0.0.1:{port}");
    python::run(python.command().arg(upload).args([&direct, "logs-main"]).arg(&source)).unwrap();
    let more = [&live[..], &["--force-path-style"]].concat();
    let from_bucket = analyze(Path::new("s3://logs-main"), &folder.path().join("bucket"), &more);
    assert_eq!(from_bucket["roles"], saved["roles"]);
    assert_eq!(from_bucket["coverage"], saved["coverage"]);

    for account in &accounts {
        assert_eq!(verdict(&saved, account, "ec2:DescribeInstances"), "used");
        assert_eq!(verdict(&saved, account, "ec2:RunInstances"), "unused");
        assert_eq!(verdict(&saved, account, "ec2:StopInstances"), "used", "IAM saw an attempt");
        assert_eq!(verdict(&saved, account, "s3:GetObject"), "not_observable");
    }
    let roles: Vec<&str> =
        saved["roles"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(roles, ["Vendor", "Vendor"], "a role for an account of the organization is open to no outsider");
    assert_eq!(saved["users"].as_array().unwrap().iter().filter(|user| user["name"] == "jane").count(), 2);
    assert!(!saved["coverage"]["not_judged"].to_string().contains("configuration"));
    let inputs = json_file(&offline.join("run.json"))["inputs"].clone();
    assert_eq!(inputs.as_array().unwrap().len(), 2 + 5 * accounts.len());
    assert!(inputs.as_array().unwrap().iter().all(|input| input["sha256"].as_str().unwrap().len() == 64));
}
