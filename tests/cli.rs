//! The program as scripts see it: exit codes, standard output and error, what is written and what is not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot run the program has failed")]

mod bundled;
mod folders;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use folders::{files, json_file};
use program::{run, run_with};

fn trail(name: &str) -> String {
    text(&bundled::folder(name))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let target = to.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, bytes).unwrap();
    }
}

/// What is in a folder, hidden files too.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn has_keys(what: &str, value: &Value, keys: &str) {
    for key in keys.split(' ') {
        assert!(value.get(key).is_some(), "{what} has no `{key}`: {value}");
    }
}

fn has_keys_in_all(what: &str, list: &Value, keys: &str) {
    let list = list.as_array().unwrap();
    assert!(!list.is_empty(), "no {what}");
    for value in list {
        has_keys(what, value, keys);
    }
}

/// The stable part of `report.json`.
fn check_pinned_keys(report: &Value) {
    has_keys("report", report, "schema window as_of coverage parties roles findings");
    assert_eq!(report["schema"], "thirdtrail.report/1");
    has_keys("window", &report["window"], "since until");
    let coverage = &report["coverage"];
    has_keys("coverage", coverage, "objects records bytes accounts");
    has_keys("objects", &coverage["objects"], "listed read skipped failed");
    has_keys("skipped", &coverage["objects"]["skipped"], "digest");
    has_keys("records", &coverage["records"], "total duplicate bad");
    has_keys("bytes", &coverage["bytes"], "compressed decompressed");
    has_keys_in_all("account", &coverage["accounts"], "account_id regions data_events_seen read_events_seen");
    for account in coverage["accounts"].as_array().unwrap() {
        has_keys_in_all("region", &account["regions"], "region first_event last_event days_without_objects");
    }
    let party = "id kind name channels roles sessions calls denied first_seen last_seen";
    has_keys_in_all("party", &report["parties"], party);
    let role = "arn account_id name role_id created_at trust last_activity idle sessions actions policies rightsizing";
    has_keys_in_all("role", &report["roles"], role);
    for role in report["roles"].as_array().unwrap() {
        check_pinned_keys_of_role(role);
    }
    let finding = "id code severity account_id subject party title detail evidence remediation";
    has_keys_in_all("finding", &report["findings"], finding);
}

fn check_pinned_keys_of_role(role: &Value) {
    for trust in role["trust"].as_array().unwrap() {
        has_keys("trust", trust, "principal kind account_id party external_id");
        // Null where no external id can exist: federated and service principals (S13).
        if !trust["external_id"].is_null() {
            has_keys("external id", &trust["external_id"], "required match values strength fingerprint");
        }
    }
    if !role["last_activity"].is_null() {
        has_keys("last activity", &role["last_activity"], "at source");
    }
    has_keys("idle", &role["idle"], "days verdict");
    has_keys("sessions", &role["sessions"], "total by_party attribution without_external_id");
    has_keys("attribution", &role["sessions"]["attribution"], "exact inferred unresolved");
    let keys = "action verdict calls denied failed first_seen last_seen resources sample_event_ids granted_by reason";
    for action in role["actions"].as_array().unwrap() {
        has_keys("action", action, keys);
        for grant in action["granted_by"].as_array().unwrap() {
            has_keys("grant", grant, "policy statement");
        }
    }
    for policy in role["policies"].as_array().unwrap() {
        has_keys("policy", policy, "kind name arn attached_to_roles files");
        has_keys("policy files", &policy["files"], "current rightsized diff");
    }
    has_keys("rightsizing", &role["rightsizing"], "status reason granted kept removed certificate");
    if !role["rightsizing"]["certificate"].is_null() {
        has_keys("certificate", &role["rightsizing"]["certificate"], "calls_replayed calls_allowed newly_allowed");
    }
}

/// What may be absent is there somewhere, so that its keys were looked at.
fn has_every_optional_part(report: &Value) {
    let roles = report["roles"].as_array().unwrap();
    let trusts = |role: &Value| role["trust"].as_array().unwrap().iter().any(|trust| !trust["external_id"].is_null());
    assert!(roles.iter().any(trusts), "no external id");
    let grants = |action: &Value| !action["granted_by"].as_array().unwrap().is_empty();
    assert!(roles.iter().any(|role| role["actions"].as_array().unwrap().iter().any(grants)), "no grant");
    assert!(roles.iter().any(|role| !role["last_activity"].is_null()), "no last activity");
    assert!(roles.iter().any(|role| !role["rightsizing"]["certificate"].is_null()), "no certificate");
}

#[test]
fn analyze_names_its_report_and_keeps_its_shape() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let done = run(&["analyze", &trail("vendors"), "--out", &text(&out)]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let (pages, page) = (text(&out.join("report/index.html")), text(&out.join("report.md")));
    assert!(done.stdout.contains(&format!("\nreport: {pages}\nas one text: {page}\nnext: ")), "{}", done.stdout);
    assert!(done.stdout.contains("coverage: "));
    let report = json_file(&out.join("report.json"));
    check_pinned_keys(&report);
    has_every_optional_part(&report);
    assert!(report["coverage"]["objects"]["skipped"]["digest"].as_u64().unwrap() > 0);
    let actions = report["roles"].as_array().unwrap().iter().map(|role| role["actions"].as_array().unwrap().len());
    assert!(actions.sum::<usize>() > 100);
    let mut named = 0;
    for role in report["roles"].as_array().unwrap() {
        for policy in role["policies"].as_array().unwrap() {
            for file in ["current", "rightsized", "diff"] {
                if let Some(path) = policy["files"][file].as_str() {
                    named += 1;
                    assert!(out.join(path).is_file(), "{path} is named, but not there");
                }
            }
        }
    }
    assert!(named > 20);
    let run = json_file(&out.join("run.json"));
    has_keys("run.json", &run, "schema version source options inputs coverage timings");
    assert_eq!(run["inputs"].as_array().unwrap().len(), 3);
    assert_eq!(names(folder.path()), BTreeSet::from(["out".to_owned()]));
}

/// S6: exit code 3 and every broken object with its reason, on the terminal and in the report.
#[test]
fn damaged_objects_are_named_with_their_reasons() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    // Incomplete coverage goes before findings.
    let done = run(&["analyze", &trail("damaged"), "--out", &text(&out), "--fail-on", "low"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    let truth = bundled::truth("damaged");
    let report = json_file(&out.join("report.json"));
    check_pinned_keys(&report);
    let failed = report["coverage"]["objects"]["failed"].as_array().unwrap();
    let bad = report["coverage"]["bad_records"].as_array().unwrap();
    assert_eq!(failed.len() as u64, truth["coverage"]["objects"]["failed"].as_u64().unwrap());
    assert_eq!(bad.len() as u64, truth["coverage"]["records"]["bad"].as_u64().unwrap());
    for named in failed.iter().chain(bad) {
        let (key, reason) = (named["key"].as_str().unwrap(), named["reason"].as_str().unwrap());
        assert!(!reason.is_empty());
        assert!(done.stdout.lines().any(|line| line.contains(key) && line.ends_with(reason)), "{key}: {reason}");
    }
    let damaged = truth["coverage"]["damaged"].as_array().unwrap();
    assert!(!damaged.is_empty());
    for damage in damaged {
        assert!(done.stdout.contains(damage["key"].as_str().unwrap()), "{damage}");
    }
    assert!(done.stdout.contains("INCOMPLETE"));
    assert!(out.join("report.md").is_file());
}

#[test]
fn findings_decide_the_exit_code_when_asked() {
    let folder = TempDir::new().unwrap();
    let out = text(&folder.path().join("out"));
    let code = |severity: &str| run(&["analyze", &trail("vendors"), "--out", &out, "--fail-on", severity]).code;
    assert_eq!(code("high"), 1);
    let report = json_file(&folder.path().join("out/report.json"));
    let critical = report["findings"].as_array().unwrap().iter().any(|finding| finding["severity"] == "critical");
    assert_eq!(code("critical"), i32::from(critical));
}

/// A second run takes the place of the first as a whole.
#[test]
fn the_same_output_folder_is_replaced() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let arguments =
        |name: &str| ["analyze".to_owned(), trail(name), "--quiet".to_owned(), "--out".to_owned(), text(&out)];
    let analyze = |name: &str| run(&arguments(name).each_ref().map(String::as_str)).code;
    assert_eq!(analyze("vendors"), 0);
    let first = files(&out);
    assert_eq!(analyze("vendors"), 0);
    let again = files(&out);
    assert!(first.contains_key("report.json") && first.len() > 50, "{} files", first.len());
    assert!(first.keys().eq(again.keys()));
    let differing: Vec<_> =
        first.iter().filter(|(path, bytes)| again[*path] != **bytes).map(|(path, _)| path).collect();
    assert!(differing.iter().all(|path| *path == "run.json"), "{differing:?}");
    assert_eq!(analyze("damaged"), 3);
    let elsewhere = folder.path().join("elsewhere");
    assert_eq!(run(&["analyze", &trail("damaged"), "--quiet", "--out", &text(&elsewhere)]).code, 3);
    assert!(files(&out).keys().eq(files(&elsewhere).keys()), "the first run left files behind");
    assert_eq!(names(folder.path()), BTreeSet::from(["elsewhere".to_owned(), "out".to_owned()]));
}

/// One line of error, exit code 2, and the output folder is as it was.
fn refuses(arguments: &[&str], says: &str) {
    let done = run(arguments);
    assert_eq!(done.code, 2, "{arguments:?}: {}", done.stderr);
    assert_eq!(done.stdout, "", "{arguments:?}");
    // A slow machine tells phases before it.
    let errors: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{arguments:?}: {}", done.stderr);
    assert!(errors[0].contains(says), "{arguments:?}: {}", done.stderr);
    // What is wrong, and what to do.
    assert!(done.stderr.contains("; "), "{arguments:?}: {}", done.stderr);
}

#[test]
fn unreadable_inventories_write_nothing() {
    let folder = TempDir::new().unwrap();
    let (vendors, out) = (trail("vendors"), text(&folder.path().join("out")));
    let inventory = text(&folder.path().join("inventory.json"));
    let analyze = ["analyze", &vendors, "--inventory", &inventory, "--out", &out];
    refuses(&analyze, "cannot read inventory");
    for (content, says) in [
        ("{\"RoleDetailList\": [", "not JSON"),
        ("arn:aws:iam::111122223333:role/x", "not JSON"),
        ("", "cannot read inventory"),
        ("  \n", "cannot read inventory"),
        ("{\"Roles\": []}", "RoleDetailList"),
        ("[]", "cannot read inventory"),
        ("7", "RoleDetailList"),
        ("{\"RoleDetailList\": {}}", "cannot read inventory"),
        ("{\"RoleDetailList\": [{\"RoleName\": \"x\"}]}", "role 1"),
        ("{\"RoleDetailList\": [null]}", "role 1"),
    ] {
        fs::write(&inventory, content).unwrap();
        refuses(&analyze, says);
    }
    fs::write(&inventory, b"\xff\xfe{").unwrap();
    refuses(&analyze, "not UTF-8");
    refuses(&["analyze", &vendors, "--inventory", &text(folder.path()), "--out", &out], "cannot read inventory");
    assert_eq!(names(folder.path()), BTreeSet::from(["inventory.json".to_owned()]));
}

#[test]
fn sources_without_logs_write_nothing() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| text(&folder.path().join(name));
    let out = at("out");
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at("notes")).unwrap();
    fs::write(at("notes/readme.txt"), "nothing").unwrap();
    fs::create_dir_all(at("off/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/05/01")).unwrap();
    fs::write(at("off/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/05/01/d.json.gz"), "").unwrap();
    fs::create_dir(at("blank")).unwrap();
    fs::write(at("blank/a.json"), "{\"Records\":[]}").unwrap();
    let before = names(folder.path());
    for (source, says) in [
        ("empty", "the source is empty"),
        ("missing", "does not exist"),
        ("notes", "no CloudTrail log object"),
        ("off", "no CloudTrail log object"),
        ("blank", "no record with a time"),
    ] {
        refuses(&["analyze", &at(source), "--out", &out, "--quiet"], says);
    }
    for source in ["empty", "missing", "notes", "off"] {
        assert_eq!(run(&["plan", &at(source)]).code, 2, "{source}");
    }
    assert_eq!(names(folder.path()), before);
}

#[test]
fn contradictory_and_unknown_options_write_nothing() {
    let folder = TempDir::new().unwrap();
    let (vendors, out) = (trail("vendors"), text(&folder.path().join("out")));
    let with = |more: &[&'static str]| [&["analyze", &vendors, "--out", &out], more].concat().join("\n");
    refuses(&with(&["--since", "2026-06-02", "--until", "2026-06-01"]).split('\n').collect::<Vec<_>>(), "not before");
    refuses(&with(&["--since", "2026-06-01", "--until", "2026-06-01"]).split('\n').collect::<Vec<_>>(), "not before");
    refuses(&with(&["--since", "2030-01-01"]).split('\n').collect::<Vec<_>>(), "none of the");
    refuses(&with(&["--account", "999999999999"]).split('\n').collect::<Vec<_>>(), "none of the");
    for wrong in [
        &["--unheard-of"][..],
        &["--since", "yesterday"],
        &["--account", "12345"],
        &["--fail-on", "worst"],
        &["--max-holes", "2"],
        &["--memory", "much"],
        &["--jobs", "0"],
    ] {
        let done = run(&with(wrong).split('\n').collect::<Vec<_>>());
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{wrong:?}");
        assert!(done.stderr.starts_with("error: "), "{wrong:?}: {}", done.stderr);
    }
    assert_eq!(run(&[]).code, 2);
    assert_eq!(run(&["frobnicate"]).code, 2);
    assert_eq!(run(&["--help"]).code, 0);
    assert!(run(&["--version"]).stdout.starts_with("thirdtrail "));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn the_files_of_others_are_left_alone() {
    let folder = TempDir::new().unwrap();
    let vendors = trail("vendors");
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    refuses(&["analyze", &vendors, "--out", &text(&file)], "is a file");
    refuses(&["analyze", &vendors, "--out", &text(&file.join("below"))], "is a file");
    refuses(&["analyze", &vendors, "--out", "."], "no name of its own");
    // A folder of notes, and one whose only folder has a name that this program uses too.
    for theirs in ["notes.txt", "roles/web/tasks.yml"] {
        let out = folder.path().join("theirs");
        fs::create_dir_all(out.join(theirs).parent().unwrap()).unwrap();
        fs::write(out.join(theirs), "mine").unwrap();
        refuses(&["analyze", &vendors, "--out", &text(&out)], "thirdtrail did not write");
        assert_eq!(files(&out), BTreeMap::from([(theirs.to_owned(), b"mine".to_vec())]));
        fs::remove_dir_all(out).unwrap();
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert_eq!(names(folder.path()), BTreeSet::from(["file".to_owned()]));
}

/// Without an inventory: who came and what they did, and no policy.
#[test]
fn a_trail_alone_gives_parties_and_no_policy() {
    let folder = TempDir::new().unwrap();
    let (source, out) = (folder.path().join("trail"), folder.path().join("out"));
    copy(&bundled::folder("vendors").join("AWSLogs"), &source.join("AWSLogs"));
    let done = run(&["analyze", &text(&source), "--out", &text(&out)]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let report = json_file(&out.join("report.json"));
    let parties = report["parties"].as_array().unwrap();
    let vendors: Vec<_> = parties.iter().filter(|party| party["kind"] == "vendor").collect();
    assert!(vendors.len() > 5);
    assert!(vendors.iter().any(|party| party["sessions"].as_u64() > Some(0) && party["calls"].as_u64() > Some(0)));
    let roles = report["roles"].as_array().unwrap();
    let used =
        |role: &Value| role["actions"].as_array().unwrap().iter().any(|action| action["calls"].as_u64() > Some(0));
    assert!(roles.iter().filter(|role| used(role)).count() > 5, "usage is missing");
    for role in roles {
        assert_ne!(role["rightsizing"]["status"], "proposed", "{}", role["arn"]);
        assert!(role["rightsizing"]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{}", role["arn"]);
        assert!(!matches!(role["idle"]["verdict"].as_str().unwrap(), "never_used" | "too_new"), "{}", role["arn"]);
    }
    let written = files(&out);
    assert!(!written.keys().any(|path| path.ends_with(".rightsized.json")));
    assert!(written.contains_key("report.md") && written.contains_key("run.json"));
}

/// Somebody analyzes the folder they stand in, twice: the outputs of the first run are no logs of the second.
#[test]
fn outputs_within_the_source_are_not_read() {
    let folder = TempDir::new().unwrap();
    let record = json!({"eventTime": "2026-05-01T10:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances", "awsRegion": "us-east-1", "eventID": "a", "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333", "userIdentity": {"type": "AWSAccount", "accountId": "999988887777"}});
    fs::write(folder.path().join("records.jsonl"), format!("{record}\n")).unwrap();
    let out = folder.path().join("out");
    for _ in 0..2 {
        let done = run(&["analyze", &text(folder.path()), "--out", &text(&out), "--quiet"]);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        assert_eq!(json_file(&out.join("report.json"))["coverage"]["objects"]["read"], 1);
    }
}

#[test]
fn quiet_prints_nothing() {
    let folder = TempDir::new().unwrap();
    let out = text(&folder.path().join("out"));
    let done = run(&["analyze", &trail("damaged"), "--out", &out, "--quiet", "--progress", "plain"]);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (3, "", ""));
    assert!(folder.path().join("out/report.json").is_file());
}

/// S43: control sequences of strangers reach no terminal.
#[test]
fn control_sequences_stay_out_of_the_terminal() {
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("trail");
    fs::create_dir(&source).unwrap();
    let evil = "x\u{1b}[31m\u{1b}]0;owned\u{7}";
    let record = json!({
        "eventVersion": "1.10", "eventTime": "2026-05-01T10:00:00Z", "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole", "awsRegion": "us-east-1", "eventID": evil, "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333", "userAgent": evil, "sourceIPAddress": evil,
        "userIdentity": {"type": "AWSAccount", "accountId": "999988887777", "principalId": evil},
        "requestParameters": {"roleArn": format!("arn:aws:iam::111122223333:role/{evil}"), "roleSessionName": evil},
        "responseElements": {"credentials": {"accessKeyId": "ASIAEXAMPLE"},
            "assumedRoleUser": {"assumedRoleId": format!("AROAX:{evil}"), "arn": evil}},
    });
    fs::write(source.join("records.jsonl"), format!("{record}\n")).unwrap();
    fs::write(source.join(format!("{evil}.json")), "broken").unwrap();
    let out = folder.path().join("out");
    let done = run(&["analyze", &text(&source), "--out", &text(&out)]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    let plan = run(&["plan", &text(&source), "--format", "json"]);
    let map = run_with(&["map"], &format!("{record}\n{{\"eventName\": \"{evil}\"}}\n"));
    let missing = run(&["analyze", &text(&folder.path().join(evil)), "--out", &text(&out)]);
    for shown in [done, plan, map, missing] {
        let both = format!("{}{}", shown.stdout, shown.stderr);
        assert!(both.contains("owned"), "the stranger's text is not shown at all: {both}");
        for stream in [shown.stdout, shown.stderr] {
            assert!(!stream.contains(['\u{1b}', '\u{7}']), "{stream:?}");
        }
    }
    let outputs = files(&out);
    assert!(String::from_utf8_lossy(&outputs["report.json"]).contains("owned"));
    for (path, bytes) in outputs.iter().filter(|(path, _)| !path.ends_with(".parquet")) {
        assert!(!path.contains('\u{1b}') && !bytes.contains(&0x1b), "{path:?}");
    }
}
