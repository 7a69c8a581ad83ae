//! The same records in every layout that CloudTrail, its tools and its copies have, and what a window takes of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its trail has failed")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use thirdtrail::aws::window::parse_time;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::beside::BesideOptions;
use thirdtrail::run::config::RuleFiles;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::memory::MemoryStore;

const OWN: &str = "012345678901";
const VENDOR: &str = "999988887777";

type Objects = Vec<(String, Vec<u8>)>;

fn report_in(objects: Objects, window: Option<(&str, &str)>) -> Value {
    report_with(objects, window, Vec::new())
}

fn report_with(objects: Objects, window: Option<(&str, &str)>, inventories: Vec<PathBuf>) -> Value {
    let store: MemoryStore = objects.into_iter().collect();
    let request = Request {
        since: window.and_then(|(since, _)| parse_time(since)),
        until: window.and_then(|(_, until)| parse_time(until)),
        ..Request::default()
    };
    let options = Options {
        request,
        inventories,
        beside: BesideOptions::default(),
        rules: RuleFiles::default(),
        digest_keys: None,
        own_accounts: BTreeSet::new(),
        as_of: None,
        idle_days: 90,
        key_days: 90,
        max_holes: 0.05,
        effort: Effort { jobs: 2, memory_bytes: 64 << 20 },
        ..Options::default()
    };
    let outcome = analyze(&store, &options, &Silent).unwrap();
    let report = outcome.files.iter().find(|file| file.path == "report.json").unwrap();
    serde_json::from_slice(&report.bytes).unwrap()
}

fn report(objects: Objects) -> Value {
    report_in(objects, None)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Where a trail records.
#[derive(Clone, Copy)]
struct Place {
    partition: &'static str,
    region: &'static str,
}

const US: Place = Place { partition: "aws", region: "us-east-1" };

fn call_record(place: Place, id: &str, time: &str, source: &str, name: &str, parameters: &Value) -> Value {
    let Place { partition, region } = place;
    json!({
        "eventVersion": "1.10", "eventID": id, "eventTime": time, "eventName": name, "eventType": "AwsApiCall",
        "eventSource": format!("{source}.amazonaws.com"), "awsRegion": region, "recipientAccountId": OWN,
        "sourceIPAddress": "192.0.2.1", "userAgent": "scanner", "managementEvent": true, "readOnly": true,
        "requestParameters": parameters,
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROASCAN:night", "accountId": OWN, "accessKeyId": "ASIANIGHT",
            "arn": format!("arn:{partition}:sts::{OWN}:assumed-role/Scan/night"),
            "sessionContext": {
                "attributes": {"creationDate": "2026-05-02T00:30:00Z", "mfaAuthenticated": "false"},
                "sessionIssuer": {"type": "Role", "principalId": "AROASCAN", "accountId": OWN, "userName": "Scan",
                    "arn": format!("arn:{partition}:iam::{OWN}:role/Scan")}}},
    })
}

/// The recipient's record of an outsider's hand-off.
fn hand_off(place: Place, id: &str, time: &str) -> Value {
    let Place { partition, region } = place;
    json!({
        "eventVersion": "1.10", "eventID": id, "eventTime": time, "eventName": "AssumeRole", "eventType": "AwsApiCall",
        "eventSource": "sts.amazonaws.com", "awsRegion": region, "recipientAccountId": OWN, "readOnly": true,
        "sourceIPAddress": "192.0.2.1", "userAgent": "scanner", "managementEvent": true, "sharedEventID": "shared-1",
        "userIdentity": {"type": "AWSAccount", "principalId": "AIDAVENDOR", "accountId": VENDOR},
        "requestParameters": {"roleArn": format!("arn:{partition}:iam::{OWN}:role/Scan"), "roleSessionName": "night"},
        "responseElements": {"credentials": {"accessKeyId": "ASIANIGHT", "expiration": "May 2, 2026, 1:30:00 AM"},
            "assumedRoleUser": {"assumedRoleId": "AROASCAN:night",
                "arn": format!("arn:{partition}:sts::{OWN}:assumed-role/Scan/night")}},
    })
}

fn records(place: Place) -> Vec<Value> {
    let time = |minute: u32| format!("2026-05-02T00:{minute}:00Z");
    let call = |id: &str, minute, source: &str, name: &str, parameters: &Value| {
        call_record(place, id, &time(minute), source, name, parameters)
    };
    let mut denied = call("call-4", 34, "ec2", "StopInstances", &Value::Null);
    denied["errorCode"] = "Client.UnauthorizedOperation".into();
    vec![
        hand_off(place, "hand-1", &time(30)),
        call("call-1", 31, "ec2", "DescribeInstances", &Value::Null),
        call("call-2", 32, "ec2", "DescribeInstances", &Value::Null),
        call("call-3", 33, "s3", "GetBucketPolicy", &json!({"bucketName": "logs"})),
        denied,
        call("call-5", 35, "sts", "GetCallerIdentity", &Value::Null),
    ]
}

fn document(records: &[Value]) -> Vec<u8> {
    json!({"Records": records}).to_string().into_bytes()
}

fn lines(records: &[Value]) -> Vec<u8> {
    records.iter().map(|record| format!("{record}\n")).collect::<String>().into_bytes()
}

/// What `aws cloudtrail lookup-events` prints.
fn looked_up(records: &[Value]) -> Vec<u8> {
    let event = |record: &Value| {
        json!({"EventId": record["eventID"], "EventName": record["eventName"], "EventTime": 1_777_680_000,
            "CloudTrailEvent": record.to_string()})
    };
    let events: Vec<Value> = records.iter().map(event).collect();
    json!({"Events": events, "NextToken": "more"}).to_string().into_bytes()
}

fn key(folder: &str, region: &str, day: &str, name: &str) -> String {
    format!("{folder}/{OWN}/CloudTrail/{region}/{day}/{OWN}_CloudTrail_{region}_20260502T0040Z_{name}.json.gz")
}

/// Every layout of the same records, by name.
fn layouts(place: Place) -> Vec<(&'static str, Objects)> {
    let all = records(place);
    let (first, rest) = all.split_at(2);
    let in_trail = |folder: &str| {
        let at = |name| key(folder, place.region, "2026/05/02", name);
        vec![(at("a"), gzip(&document(first))), (at("b"), gzip(&document(rest)))]
    };
    let one = |key: &str, bytes: Vec<u8>| vec![(key.to_owned(), bytes)];
    let mut members = gzip(&lines(first));
    members.extend(gzip(&lines(rest)));
    let text = document(&all);
    let (head, tail) = text.split_at(text.len() / 3);
    let cut: Vec<u8> = [gzip(head), gzip(tail)].concat();
    let mut with_mark = b"\xef\xbb\xbf".to_vec();
    with_mark.extend(document(&all));
    vec![
        ("AWSLogs folder", in_trail("AWSLogs")),
        ("prefix and organization", in_trail("some/prefix/AWSLogs/o-a1b2c3d4e5")),
        (
            "bare folder of .json.gz",
            vec![("a.json.gz".into(), gzip(&document(first))), ("b.json.gz".into(), gzip(&document(rest)))],
        ),
        ("plain .json with Records", one("records.json", document(&all))),
        ("plain .json with a mark", one("records.json", with_mark)),
        ("printed over lines", one("records.json", serde_json::to_vec_pretty(&json!({"Records": all})).unwrap())),
        ("JSON Lines", one("records.jsonl", lines(&all))),
        ("JSON Lines, gzip", one("records.jsonl.gz", gzip(&lines(&all)))),
        ("JSON Lines of Records", one("r.jsonl", [document(first), document(rest)].join(&b'\n'))),
        ("an array", one("records.json", Value::from(all.clone()).to_string().into_bytes())),
        ("lookup-events", one("lookup.json", looked_up(&all))),
        ("lookup-events, gzip", one("lookup.json.gz", gzip(&looked_up(&all)))),
        ("gzip members of lines", one("records.jsonl.gz", members)),
        ("gzip members cut anywhere", one(&key("AWSLogs", place.region, "2026/05/02", "c"), cut)),
    ]
}

/// Parties and roles, without what is said of coverage.
fn answers(report: &Value) -> Value {
    let roles = report["roles"].as_array().unwrap().iter();
    let roles: Vec<Value> = roles
        .map(|role| {
            json!({"arn": role["arn"], "sessions": role["sessions"], "actions": role["actions"],
            "denied": role["denied_not_granted"], "last_activity": role["last_activity"]})
        })
        .collect();
    json!({"parties": report["parties"], "roles": roles})
}

/// S1, S6, S7: all layouts and partitions give the same parties, sessions and actions.
#[test]
fn every_layout_gives_the_same_answer() {
    let places = [
        US,
        Place { partition: "aws-cn", region: "cn-north-1" },
        Place { partition: "aws-us-gov", region: "us-gov-west-1" },
    ];
    for place in places {
        let mut reference: Option<Value> = None;
        for (name, objects) in layouts(place) {
            let (count, what) = (objects.len() as u64, format!("{name} in {}", place.partition));
            let report = report(objects);
            let coverage = &report["coverage"];
            assert_eq!(coverage["objects"]["read"], json!(count), "{what}: {coverage}");
            assert_eq!((&coverage["records"]["total"], &coverage["records"]["bad"]), (&json!(6), &json!(0)), "{what}");
            let found = answers(&report);
            match &reference {
                None => check_answers(&found, place),
                Some(reference) => assert_eq!(&found, reference, "{what}"),
            }
            reference.get_or_insert(found);
        }
    }
}

fn check_answers(found: &Value, place: Place) {
    let parties = found["parties"].as_array().unwrap();
    assert_eq!(parties.len(), 1, "{found}");
    assert_eq!((&parties[0]["id"], &parties[0]["kind"]), (&json!(VENDOR), &json!("unknown_account")));
    assert_eq!(
        (&parties[0]["sessions"], &parties[0]["calls"], &parties[0]["denied"]),
        (&json!(1), &json!(5), &json!(1))
    );
    let role = &found["roles"][0];
    assert_eq!(role["arn"], format!("arn:{}:iam::{OWN}:role/Scan", place.partition));
    assert_eq!(role["sessions"]["attribution"]["exact"], 1);
    let actions = role["actions"].as_array().unwrap();
    let calls =
        |name: &str| actions.iter().find(|action| action["action"] == name).map(|action| action["calls"].clone());
    assert_eq!(calls("ec2:DescribeInstances"), Some(json!(2)), "{role}");
    assert_eq!(calls("s3:GetBucketPolicy"), Some(json!(1)), "{role}");
    assert!(role["denied"].to_string().contains("ec2:StopInstances"), "{role}");
    let policy = actions.iter().find(|action| action["action"] == "s3:GetBucketPolicy").unwrap();
    assert_eq!(policy["resources"], json!([format!("arn:{}:s3:::logs", place.partition)]));
}

fn delivered(day: &str, name: &str, records: &[Value]) -> (String, Vec<u8>) {
    (key("AWSLogs", "us-east-1", day, name), gzip(&document(records)))
}

fn describe(id: &str, time: &str) -> Value {
    call_record(US, id, time, "ec2", "DescribeInstances", &Value::Null)
}

/// The calls of the one action that the tests of windows and duplicates make.
fn calls_of(report: &Value) -> u64 {
    let actions = report["roles"][0]["actions"].as_array().unwrap();
    let found = actions.iter().find(|action| action["action"] == "ec2:DescribeInstances");
    found.map_or(0, |action| action["calls"].as_u64().unwrap())
}

/// S3: events are taken by their own time, from objects of one more day on each side, hand-offs from 12 hours before.
#[test]
fn a_window_takes_events_by_their_own_time() {
    let objects = vec![
        delivered("2026/04/30", "too-early", &[describe("a", "2026-05-02T00:31:00Z")]),
        delivered(
            "2026/05/01",
            "before",
            &[hand_off(US, "h", "2026-05-01T13:00:00Z"), describe("b", "2026-05-01T23:59:59Z")],
        ),
        delivered(
            "2026/05/02",
            "within",
            &[describe("c", "2026-05-02T00:00:00Z"), describe("d", "2026-05-01T20:00:00Z")],
        ),
        delivered(
            "2026/05/03",
            "late",
            &[describe("e", "2026-05-02T23:59:59Z"), describe("f", "2026-05-03T00:00:00Z")],
        ),
        delivered("2026/05/04", "later", &[describe("g", "2026-05-02T12:00:00Z")]),
        delivered("2026/05/05", "too-late", &[describe("i", "2026-05-02T12:00:01Z")]),
    ];
    let report = report_in(objects.clone(), Some(("2026-05-02", "2026-05-03")));
    assert_eq!(report["coverage"]["objects"]["read"], 4);
    assert_eq!(report["coverage"]["objects"]["skipped"]["window"], 2);
    assert_eq!(calls_of(&report), 3, "c, e and g lie in the window");
    assert_eq!(report["parties"][0]["id"], VENDOR);
    let role = &report["roles"][0];
    assert_eq!(role["sessions"]["attribution"]["exact"], 1, "the hand-off before the window names the party");
    assert_eq!(role["last_activity"]["at"], "2026-05-02T23:59:59Z");
    let all = report_in(objects, Some(("2026-04-29", "2026-05-06")));
    assert_eq!(calls_of(&all), 8);
}

/// S4: one event counts once, in however many objects and trails it lies.
#[test]
fn duplicates_over_objects_count_once() {
    let all = records(US);
    let objects = vec![
        delivered("2026/05/02", "a", &all),
        delivered("2026/05/02", "again", &all[2..]),
        delivered("2026/05/03", "late", &all[..1]),
        (key("AWSLogs/o-a1b2c3d4e5", "us-east-1", "2026/05/02", "organization"), gzip(&document(&all))),
    ];
    let once = report(vec![delivered("2026/05/02", "a", &all)]);
    let report = report(objects);
    assert_eq!(answers(&report), answers(&once));
    let records = &report["coverage"]["records"];
    assert_eq!((&records["total"], &records["duplicate"]), (&json!(6 + 4 + 1 + 6), &json!(4 + 1 + 6)));
}

/// S4: the caller's record of a hand-off and the recipient's are one session.
#[test]
fn both_records_of_a_hand_off_are_one_session() {
    let caller = "222233334444";
    let mut theirs = hand_off(US, "hand-of-caller", "2026-05-02T00:30:00Z");
    theirs["recipientAccountId"] = caller.into();
    theirs["userIdentity"] = json!({"type": "IAMUser", "principalId": "AIDAJANE", "accountId": caller,
        "arn": format!("arn:aws:iam::{caller}:user/jane"), "userName": "jane", "accessKeyId": "AKIAJANE"});
    let mut ours = hand_off(US, "hand-of-recipient", "2026-05-02T00:30:00Z");
    ours["userIdentity"] = json!({"type": "AWSAccount", "principalId": "AIDAJANE", "accountId": caller});
    // Both accounts are ours when both trails are read; the outsider uses the role as well.
    let outsider = hand_off(US, "hand-1", "2026-05-02T00:40:00Z").to_string();
    let outsider = outsider.replace("shared-1", "shared-2").replace("ASIANIGHT", "ASIAOTHER").replace("night", "day");
    let objects = vec![(
        "records.jsonl".to_owned(),
        lines(&[theirs, ours, serde_json::from_str(&outsider).unwrap(), describe("a", "2026-05-02T00:31:00Z")]),
    )];
    let report = report(objects);
    assert_eq!(report["coverage"]["records"]["duplicate"], 0);
    let role = report["roles"].as_array().unwrap().iter().find(|role| role["name"] == "Scan").unwrap();
    assert_eq!(role["sessions"]["total"], 2, "{}", role["sessions"]);
}

/// S8: only API calls use permissions.
#[test]
fn other_event_types_are_no_use() {
    let mut all = records(US);
    // Network activity (`AwsVpceEvents`) repeats API calls and is tested with the action map.
    let types = ["AwsServiceEvent", "AwsConsoleSignIn", "AwsConsoleAction", "AwsCloudTrailInsight"];
    for (at, event_type) in types.iter().enumerate() {
        let mut record =
            call_record(US, &format!("other-{at}"), "2026-05-02T00:50:00Z", "ec2", "CreateTags", &Value::Null);
        record["eventType"] = (*event_type).into();
        all.push(record);
    }
    let report = report_of_object(&all);
    let records = &report["coverage"]["records"];
    assert_eq!((&records["total"], &records["bad"]), (&json!(10), &json!(0)));
    let role = &report["roles"][0];
    let used: Vec<&str> =
        role["actions"].as_array().unwrap().iter().filter_map(|action| action["action"].as_str()).collect();
    assert!(used.contains(&"ec2:DescribeInstances") && !used.contains(&"ec2:CreateTags"), "{used:?}");
    assert_eq!(report["parties"][0]["calls"], 5);
    let mut call = call_record(US, "call", "2026-05-02T00:50:00Z", "ec2", "CreateTags", &Value::Null);
    call["readOnly"] = false.into();
    all.push(call);
    let role = &report_of_object(&all)["roles"][0];
    let found = role["actions"].as_array().unwrap().iter().find(|action| action["action"] == "ec2:CreateTags").cloned();
    assert_eq!(found.unwrap()["calls"], 1);
}

fn report_of_object(records: &[Value]) -> Value {
    report(vec![delivered("2026/05/02", "a", records)])
}

/// S14: an outsider who acts by delegation in a role that only we may assume makes the role's own calls matter, too.
#[test]
fn a_delegates_role_is_read_in_full() {
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{OWN}:root")}}});
    let granted = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*",
        "Action": ["ec2:DescribeInstances", "ec2:StopInstances", "ec2:RebootInstances"]}});
    let inventory = json!({"RoleDetailList": [{"Path": "/", "RoleName": "Scan", "RoleId": "AROASCAN",
        "Arn": format!("arn:aws:iam::{OWN}:role/Scan"), "CreateDate": "2026-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": trust, "AttachedManagedPolicies": [], "Tags": [],
        "RolePolicyList": [{"PolicyName": "ops", "PolicyDocument": granted}]}],
        "UserDetailList": [], "GroupDetailList": [], "Policies": []});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inventory.json");
    std::fs::write(&file, inventory.to_string()).unwrap();
    let own = call_record(US, "own", "2026-05-02T00:31:00Z", "ec2", "StopInstances", &Value::Null);
    let mut delegated = call_record(US, "delegated", "2026-05-02T00:32:00Z", "ec2", "DescribeInstances", &Value::Null);
    delegated["userIdentity"]["invokedByDelegate"] = json!({"accountId": VENDOR});
    let object = |records: &[Value]| vec![(key("AWSLogs", "us-east-1", "2026/05/02", "a"), gzip(&document(records)))];
    let verdicts = |records: &[Value]| -> Vec<(String, String)> {
        let report = report_with(object(records), None, vec![file.clone()]);
        let actions = report["roles"].as_array().unwrap().iter().flat_map(|role| role["actions"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        actions.map(|entry| (text(&entry["action"]), text(&entry["verdict"]))).collect()
    };
    assert_eq!(verdicts(std::slice::from_ref(&own)), [], "nobody from outside was there");
    let found = verdicts(&[own, delegated]);
    let verdict = |action: &str| found.iter().find(|(name, _)| name == action).map(|(_, verdict)| verdict.as_str());
    assert_eq!((verdict("ec2:StopInstances"), verdict("ec2:DescribeInstances")), (Some("used"), Some("used")));
}
