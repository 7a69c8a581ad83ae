//! What is planned is in the answer: taken from evidence, read, or named as missing, whatever became of shards and windows.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its trail has failed"
)]

mod bundled;
mod saved;

use std::collections::{BTreeMap, BTreeSet};

use thirdtrail::aws::window::parse_time;
use thirdtrail::run::analyze::{Options, Outcome, analyze};
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::Store;
use thirdtrail::store::memory::MemoryStore;

use saved::*;

const ACCOUNT: &str = "111122223333";

/// The key of an object delivered at that hour.
fn key(day: u32, hour: u32) -> String {
    let name = format!("{ACCOUNT}_CloudTrail_us-east-1_202605{day:02}T{hour:02}05Z_abcdefgh{hour:02}.json.gz");
    format!("AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/05/{day:02}/{name}")
}

/// An object with one event, five minutes before it was delivered: at midnight, of the day before.
fn object(day: u32, hour: u32) -> Vec<u8> {
    let time = chrono::NaiveDate::from_ymd_opt(2026, 5, day).unwrap().and_hms_opt(hour, 0, 0).unwrap();
    let time = (time - chrono::TimeDelta::minutes(5)).format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        r#"{{"Records":[{{"eventVersion":"1.08","eventTime":"{time}","eventSource":"ec2.amazonaws.com",
        "eventName":"DescribeInstances","recipientAccountId":"{ACCOUNT}","awsRegion":"us-east-1","readOnly":true,
        "eventID":"e-{day}-{hour}","userIdentity":{{"type":"AssumedRole","accountId":"{ACCOUNT}",
        "principalId":"AROA{hour:02}:s","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/R{hour:02}/s",
        "sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{hour:02}","accountId":"{ACCOUNT}",
        "userName":"R{hour:02}","arn":"arn:aws:iam::{ACCOUNT}:role/R{hour:02}"}}}}}}}}]}}"#
    )
    .into_bytes()
}

/// An object every hour of some days.
fn hourly(days: std::ops::RangeInclusive<u32>) -> BTreeMap<String, Vec<u8>> {
    days.flat_map(|day| (0..24).map(move |hour| (key(day, hour), object(day, hour)))).collect()
}

fn asked(since: &str, until: &str) -> Options {
    let mut options = Options { effort: Effort { jobs: 2, ..Effort::default() }, idle_days: 90, ..Options::default() };
    (options.request.since, options.request.until) = (parse_time(since), parse_time(until));
    options
}

fn used(outcome: &Outcome) -> u64 {
    outcome.assessment.coverage.records.used
}

/// Evidence of each object by itself, as late objects and small tasks leave it.
fn one_by_one(source: &dyn Store, objects: &BTreeMap<String, Vec<u8>>, wanted: impl Fn(&str) -> bool) -> MemoryStore {
    let evidence = MemoryStore::default();
    for key in objects.keys().filter(|key| wanted(key)) {
        observed(source, &asked("", ""), Some(&BTreeSet::from([key.clone()])), &evidence);
    }
    evidence
}

/// S3, S44: many small shards of a day serve a window that cuts through the day: what they held before it, within it and
/// after it is told apart, on the first run, which puts them together, and on the next.
#[test]
fn many_shards_lose_nothing_to_a_window_that_cuts_them() {
    let objects = hourly(1..=2);
    let source = source(&objects);
    for (since, until) in [
        ("2026-05-01T12:00:00Z", "2026-05-03"),
        ("2026-05-01T12:30:00Z", "2026-05-01T12:50:00Z"),
        ("2026-05-01", "2026-05-02T06:58:00Z"),
        ("2026-05-02", "2026-05-03"),
    ] {
        // No object of noon: those before and those after it lie on one day, and on two sides of the window.
        let evidence = one_by_one(&source, &objects, |key| !key.contains("T1205Z"));
        let options = asked(since, until);
        let reference = analyze(&source, &options, &Silent).unwrap();
        assert!(used(&reference) > 0 || since.contains("12:30"));
        for night in ["first", "second", "third"] {
            source.got();
            let outcome = run(&source, &options, &evidence);
            same(&format!("{since}, {night}"), &reference.files, &outcome.files);
            assert_eq!(used(&outcome), used(&reference), "{since}");
            if night == "first" {
                assert!(source.got().len() <= 2, "only what no shard holds is read");
                assert!(outcome.evidence.unwrap().shards_removed > 20, "shards are put together");
            }
        }
        let whole = asked("2026-05-01", "2026-05-03");
        same("the whole", &scratch(&source, &whole), &run(&source, &whole, &evidence).files);
    }
}
