//! The table of single calls and the command that reads it: nothing lost, nothing twice, in order, the same whatever the
//! way; and strangers' texts stay texts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod bundled;
mod folders;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use folders::{files, json_file};
use program::run;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::evidence::tables::columnar::{ColumnarError, decode_where, encode};
use thirdtrail::report::activity::{ActivityRow, columns, day_of};
use thirdtrail::report::tables;
use thirdtrail::run::analyze::analyze;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

const OWN: &str = "012345678901";

/// The output of `analyze` on a bundled trail.
fn analyzed(trail: &str, more: &[&str]) -> TempDir {
    let out = TempDir::new().unwrap();
    let (source, into) = (bundled::folder(trail), out.path().join("out"));
    let arguments = ["analyze", source.to_str().unwrap(), "--out", into.to_str().unwrap(), "--quiet", "--no-config"];
    let ran = run(&[&arguments, more].concat());
    assert!(ran.code == 0 || ran.code == 3, "{}", ran.stderr);
    out
}

/// The table's files, by path below the folder of tables.
fn table(out: &Path) -> BTreeMap<String, Vec<u8>> {
    files(&out.join("out/parquet/activity"))
}

/// What `activity` prints as JSON.
fn asked(out: &Path, more: &[&str]) -> Vec<ActivityRow> {
    let out = out.join("out");
    let ran = run(&[&["activity", out.to_str().unwrap(), "--format", "json"], more].concat());
    assert!(ran.code == 0 || ran.code == 3, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// S4: each call of the table `usage` is there once, although objects are delivered twice; each file holds one day of one
/// account in the order of time.
#[test]
fn every_call_is_there_once() {
    for trail in ["vendors", "damaged", "holes"] {
        let out = analyzed(trail, &[]);
        let rows = asked(out.path(), &[]);
        let ids: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.event_id.as_str()).collect();
        assert_eq!(ids.len(), rows.len(), "{trail}");

        let mut calls: BTreeMap<_, [i64; 3]> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.hand_off) {
            let key = (row.role_arn.clone(), row.party_id.clone(), row.event_name.clone(), row.region.clone());
            let sums = calls.entry(key).or_default();
            sums[0] += 1;
            sums[1] += i64::from(row.outcome == "denied");
            sums[2] += i64::from(row.outcome == "failed");
        }
        let mut usage: BTreeMap<_, [i64; 3]> = BTreeMap::new();
        for row in
            rows_of(out.path(), "usage", &["role_arn", "party_id", "event_name", "region", "calls", "denied", "failed"])
        {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let sums =
                usage.entry((text("role_arn"), text("party_id"), text("event_name"), text("region"))).or_default();
            for (sum, name) in sums.iter_mut().zip(["calls", "denied", "failed"]) {
                *sum += row[name].as_i64().unwrap();
            }
        }
        assert_eq!(calls, usage, "{trail}");
        assert!(usage.len() > 30);
        in_files_by_day(out.path());
    }
}

fn rows_of(out: &Path, table: &str, columns: &[&str]) -> Vec<Value> {
    let mut rows = Vec::new();
    for bytes in files(&out.join(format!("out/parquet/{table}"))).into_values() {
        rows.extend(rows_where(columns, bytes));
    }
    rows
}

fn rows_where(columns: &[&str], bytes: Vec<u8>) -> Vec<Value> {
    let mut all = Vec::new();
    let take = |some: Vec<Value>| -> Result<(), ColumnarError> {
        all.extend(some);
        Ok(())
    };
    decode_where(tables::SCHEMA, columns, |_, _| true, bytes, take).unwrap();
    all
}

fn in_files_by_day(out: &Path) {
    for (path, bytes) in table(out) {
        let day = day_of(&path).unwrap().to_string();
        let times: Vec<String> =
            rows_where(&columns(), bytes).iter().map(|row| row["time"].as_str().unwrap().to_owned()).collect();
        assert!(!times.is_empty() && times.iter().all(|time| time.starts_with(&day)), "{path}");
        assert!(times.is_sorted(), "{path}");
    }
}

/// Every session that the table `sessions` says was opened in the window has the call that opened it, and all its calls
/// carry its id.
#[test]
fn calls_belong_to_sessions() {
    let out = analyzed("vendors", &[]);
    let rows = asked(out.path(), &[]);
    let mut calls: BTreeMap<&str, i64> = BTreeMap::new();
    let mut opened: BTreeMap<&str, i64> = BTreeMap::new();
    for row in &rows {
        *if row.hand_off { &mut opened } else { &mut calls }.entry(&row.session_id).or_default() += 1;
    }
    let sessions = rows_of(out.path(), "sessions", &["session_id", "role_arn", "calls", "attribution"]);
    assert!(sessions.len() > 100);
    for session in sessions.iter().filter(|session| session["role_arn"] != "") {
        let id = session["session_id"].as_str().unwrap();
        assert_eq!(calls.get(id).copied().unwrap_or_default(), session["calls"].as_i64().unwrap(), "{session}");
        assert!(opened.get(id).is_none_or(|count| *count == 1), "{session}");
    }
    assert!(opened.len() > 100);
}

/// Invariant 3: the same bytes for any number of workers, within any memory, and from saved evidence alone.
#[test]
fn the_way_does_not_show() {
    let expected = table(analyzed("damaged", &["--jobs", "1"]).path());
    assert!(expected.len() > 5);
    let saved = TempDir::new().unwrap();
    let evidence = saved.path().to_str().unwrap();
    for more in [&["--jobs", "3"][..], &["--memory", "1M"], &["--evidence", evidence], &["--evidence", evidence]] {
        assert!(table(analyzed("damaged", more).path()) == expected, "{more:?}");
    }
    let out = TempDir::new().unwrap();
    let into = out.path().join("out");
    let mut arguments = vec!["report", evidence, "--out", into.to_str().unwrap(), "--quiet", "--no-config"];
    let inventories = thirdtrail::run::inputs::beside(&bundled::folder("damaged"));
    for inventory in &inventories {
        arguments.extend(["--inventory", inventory.to_str().unwrap()]);
    }
    let ran = run(&arguments);
    assert!(ran.code == 0 || ran.code == 3, "{}", ran.stderr);
    assert!(table(out.path()) == expected);
}

/// The calls by day that pages show are those of the ledger and of the parties.
#[test]
fn days_sum_up_to_what_the_report_counts() {
    for trail in ["vendors", "holes"] {
        let store = LocalStore::open(&bundled::folder(trail)).unwrap();
        let assessment = analyze(&store, &bundled::options(trail, 2), &Silent).unwrap().assessment;
        let mut days = 0;
        for party in assessment.parties.iter().filter(|party| party.kind != "aws_service") {
            let sum: u64 = party.days.iter().map(|day| day.calls).sum();
            assert_eq!(sum, party.calls, "{}", party.id);
            assert!(party.days.is_sorted_by_key(|day| day.day));
            days += party.days.len();
        }
        assert!(days > 20);
        let mut actions = 0;
        for role in &assessment.roles {
            for entry in
                role.actions.iter().filter(|entry| entry.calls > 0 && entry.action.as_str() != "sts:AssumeRole")
            {
                let of_action = role.daily.iter().find(|one| *one.action == *entry.action.as_str());
                let days = of_action.map(|one| one.days.as_slice()).unwrap_or_default();
                let sums = days.iter().fold((0, 0), |sum, day| (sum.0 + day.calls, sum.1 + day.denied));
                assert_eq!(sums, (entry.calls, entry.denied), "{} {}", role.arn, entry.action.as_str());
                actions += 1;
            }
        }
        assert!(actions > 20);
    }
}

/// Each option leaves the calls that it names and no others.
#[test]
fn questions_are_answered() {
    let out = analyzed("vendors", &[]);
    let all = asked(out.path(), &[]);
    let check = |more: &[&str], wanted: &dyn Fn(&ActivityRow) -> bool| {
        let expected: Vec<&ActivityRow> = all.iter().filter(|row| wanted(row)).collect();
        let found = asked(out.path(), more);
        assert!(!expected.is_empty() && expected.len() < all.len(), "{more:?} tells nothing apart");
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{more:?}");
    };
    check(&["--party", "datadog"], &|row| row.party_name == "Datadog");
    check(&["--party", "464622532012"], &|row| row.party_id == "464622532012");
    check(&["--role", "DatadogIntegrationRole"], &|row| row.role_arn.ends_with("/DatadogIntegrationRole"));
    check(&["--role", "arn:aws:iam::*:role/Data*"], &|row| row.role_arn.contains(":role/Data"));
    check(&["--denied"], &|row| row.outcome == "denied");
    check(&["--action", "ec2:*"], &|row| {
        row.event_source == "ec2.amazonaws.com" || row.actions.iter().any(|action| action.starts_with("ec2:"))
    });
    check(&["--action", "assumerole"], &|row| row.event_name == "AssumeRole");
    let (since, until) = ("2026-05-10T06:30:00Z", "2026-05-12");
    check(&["--since", since, "--until", until], &|row| *since <= *row.time && &*row.time < "2026-05-12T");
    check(&["--party", "Datadog", "--denied", "--since", since], &|row| {
        row.party_name == "Datadog" && row.outcome == "denied" && *since <= *row.time
    });
    assert_eq!(asked(out.path(), &["--role", "NoSuchRole"]), []);
}

/// S43: a stranger's text gives no formula, no control sequence and no further line.
#[test]
fn strangers_texts_stay_texts() {
    let folder = TempDir::new().unwrap();
    let hostile = "=cmd|'/C calc'!A0\u{1b}[31m\u{9b}\n\u{202e},\"<script>";
    let vendor = json!({"type": "AWSAccount", "principalId": "AIDAV", "accountId": "464622532012"});
    let role = format!("arn:aws:iam::{OWN}:role/R");
    let record = |number: u8, identity: Value, name: &str, more: Value| {
        let mut record = json!({"eventTime": format!("2026-05-01T00:00:0{number}Z"), "eventSource": "sts.amazonaws.com",
            "eventName": name, "awsRegion": "us-east-1", "sourceIPAddress": hostile, "userAgent": hostile,
            "recipientAccountId": OWN, "eventID": format!("{hostile}{number}"), "eventType": "AwsApiCall",
            "userIdentity": identity, "errorMessage": hostile});
        more.as_object().unwrap().iter().for_each(|(key, value)| record[key] = value.clone());
        record
    };
    let session = json!({"type": "AssumedRole", "principalId": format!("AROAR:{hostile}"), "accountId": OWN, "accessKeyId": "ASIA1",
        "arn": format!("arn:aws:sts::{OWN}:assumed-role/R/{hostile}"), "sessionContext": {"sessionIssuer": {"type": "Role",
        "principalId": "AROAR", "accountId": OWN, "userName": "R", "arn": role}, "attributes": {}}});
    let opened = json!({"requestParameters": {"roleArn": role, "roleSessionName": hostile}, "responseElements": {
        "credentials": {"accessKeyId": "ASIA1"}, "assumedRoleUser": {"assumedRoleId": format!("AROAR:{hostile}")}}});
    let called = json!({"eventSource": "s3.amazonaws.com", "errorCode": hostile,
        "resources": [{"ARN": format!("arn:aws:s3:::b/{hostile}")}]});
    let records = [record(1, vendor, "AssumeRole", opened), record(2, session, hostile, called)];
    let place = folder.path().join(format!("AWSLogs/{OWN}/CloudTrail/us-east-1/2026/05/01"));
    fs::create_dir_all(&place).unwrap();
    let object = place.join(format!("{OWN}_CloudTrail_us-east-1_20260501T0000Z_abcdefghijklmnop.json"));
    fs::write(object, json!({"Records": records}).to_string()).unwrap();
    let (source, out) = (folder.path().to_str().unwrap(), folder.path().join("out"));
    let out = out.to_str().unwrap();
    assert_eq!(run(&["analyze", source, "--out", out, "--quiet", "--no-config"]).code, 0);

    for format in ["table", "csv", "json"] {
        let ran = run(&["activity", out, "--format", format]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{format}");
        if format != "json" {
            assert_eq!(ran.stdout.lines().count(), 3, "{}", ran.stdout);
        }
    }
    let csv = run(&["activity", out, "--format", "csv"]).stdout;
    for line in csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap) {
        assert_eq!(line.len(), columns().len() + 1);
        assert!(line.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{line:?}");
    }
    let rows: Vec<ActivityRow> = serde_json::from_str(&run(&["activity", out, "--format", "json"]).stdout).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].source_ip.as_str(), rows[1].event_id.as_str()), (hostile, &*format!("{hostile}2")));
}

/// Silence is never mistaken for a quiet party: files that are gone, another version's output and a wrong name are errors.
#[test]
fn what_is_missing_is_said() {
    let out = analyzed("damaged", &[]);
    let place = out.path().join("out");
    let place = place.to_str().unwrap();
    let told = |more: &[&str]| {
        let ran = run(&[&["activity", place], more].concat());
        (ran.code, ran.stderr)
    };
    assert_eq!(told(&[]).0, 3, "the trail has objects that cannot be read");
    let (code, said) = told(&["--party", "Datadgo"]);
    assert_eq!(code, 2);
    assert!(said.contains("no party has the id or name `Datadgo`"), "{said}");
    let (code, said) = told(&["--since", "2026-06-02", "--until", "2026-06-01"]);
    assert_eq!((code, said.contains("is empty")), (2, true), "{said}");

    let (code, said) = told(&["--since", "2020-01-01", "--until", "2020-02-01"]);
    assert_eq!((code, said.contains("of other times nothing is known")), (3, true), "{said}");
    let other = analyzed("holes", &["--format", "md"]);
    let ran = run(&["activity", other.path().join("out").to_str().unwrap()]);
    assert_eq!((ran.code, ran.stderr.contains("asked for other formats")), (2, true), "{}", ran.stderr);

    let first = out.path().join("out/parquet/activity").join(table(out.path()).keys().next().unwrap());
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(told(&[]).0, 2);
    fs::remove_file(&first).unwrap();
    let (code, said) = told(&[]);
    assert_eq!((code, said.contains("is not there")), (2, true), "{said}");

    let manifest = out.path().join("out/run.json");
    let mut run_json = json_file(&manifest);
    run_json["files"].as_array_mut().unwrap().retain(|file| !file["path"].as_str().unwrap().contains("activity"));
    fs::write(&manifest, run_json.to_string()).unwrap();
    let (code, said) = told(&[]);
    assert_eq!((code, said.contains("older version")), (2, true), "{said}");
    assert_eq!(run(&["activity", "/no/such/folder"]).code, 2);
}

/// What a later version wrote is named and refused, be it one file or the whole run.
#[test]
fn a_schema_of_the_future_is_refused() {
    let out = analyzed("holes", &[]);
    let place = out.path().join("out");
    let told = || {
        let ran = run(&["activity", place.to_str().unwrap()]);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.trim_end().lines().count()),
            (2, "", 1),
            "{}",
            ran.stderr
        );
        ran.stderr
    };
    let first = place.join("parquet/activity").join(table(out.path()).keys().next().unwrap());
    let activity = tables::TABLES.iter().find(|table| table.name == "activity").unwrap();
    fs::write(&first, encode("thirdtrail.tables/2", activity.columns, &[] as &[Value]).unwrap()).unwrap();
    let said = told();
    assert!(said.contains("`thirdtrail.tables/2` where `thirdtrail.tables/1` is needed"), "{said}");

    let mut manifest = json_file(&place.join("run.json"));
    manifest["schema"] = json!("thirdtrail.run/2");
    fs::write(place.join("run.json"), manifest.to_string()).unwrap();
    let said = told();
    assert!(said.contains("its run.json is `thirdtrail.run/2`"), "{said}");
}

/// The manifest names the table's files, with their digests.
#[test]
fn the_manifest_knows_the_files() {
    use sha2::{Digest, Sha256};
    let out = analyzed("holes", &[]);
    let run_json = json_file(&out.path().join("out/run.json"));
    let told: BTreeMap<&str, &str> = run_json["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["sha256"].as_str().unwrap()))
        .collect();
    let files = table(out.path());
    assert!(files.len() > 20);
    for (path, bytes) in files {
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(told[&*format!("parquet/activity/{path}")], digest, "{path}");
    }
}
