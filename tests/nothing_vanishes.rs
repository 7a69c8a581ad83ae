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
use thirdtrail::store::faulty::FaultyStore;
use thirdtrail::store::local::LocalStore;
use thirdtrail::store::memory::MemoryStore;
use thirdtrail::store::{Store, StoreError};

use saved::*;

const ACCOUNT: &str = "111122223333";

/// The key of an object delivered at that hour.
fn key(day: u32, hour: u32) -> String {
    let name = format!("{ACCOUNT}_CloudTrail_us-east-1_202605{day:02}T{hour:02}05Z_abcdefgh{hour:02}.json.gz");
    format!("AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/05/{day:02}/{name}")
}

/// An object with two events, one of the hour before: at midnight, of the day before.
fn object(day: u32, hour: u32) -> Vec<u8> {
    let full = chrono::NaiveDate::from_ymd_opt(2026, 5, day).unwrap().and_hms_opt(hour, 0, 0).unwrap();
    let record = |minutes: i64| {
        let time = (full + chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%SZ");
        format!(
            r#"{{"eventVersion":"1.08","eventTime":"{time}","eventSource":"ec2.amazonaws.com",
            "eventName":"DescribeInstances","recipientAccountId":"{ACCOUNT}","awsRegion":"us-east-1","readOnly":true,
            "eventID":"e-{day}-{hour}-{minutes}","userIdentity":{{"type":"AssumedRole","accountId":"{ACCOUNT}",
            "principalId":"AROA{hour:02}:s","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/R{hour:02}/s",
            "sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{hour:02}","accountId":"{ACCOUNT}",
            "userName":"R{hour:02}","arn":"arn:aws:iam::{ACCOUNT}:role/R{hour:02}"}}}}}}}}"#
        )
    };
    format!("{{\"Records\":[{},{}]}}", record(-5), record(1)).into_bytes()
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
                assert!(source.got().len() <= 3, "only what no shard holds, and the one that the window cuts");
                assert!(outcome.evidence.unwrap().shards_removed > 20, "shards are put together");
            }
        }
        let whole = asked("2026-05-01", "2026-05-03");
        same("the whole", &scratch(&source, &whole), &run(&source, &whole, &evidence).files);
    }
}

/// The digest files of some days: they say that the trail was on.
fn digests(days: std::ops::RangeInclusive<u32>) -> BTreeMap<String, Vec<u8>> {
    let key = |day| format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest/us-east-1/2026/05/{day:02}/d.json.gz");
    days.map(|day| (key(day), b"{}".to_vec())).collect()
}

/// S6, S26: what was listed and never observed is named as failed, and its day is a hole, digest or not.
#[test]
fn objects_that_were_never_observed_are_named() {
    let mut objects = hourly(1..=3);
    objects.extend(digests(1..=3));
    let source = source(&objects);
    let options = asked("2026-05-01", "2026-05-04");
    let evidence = MemoryStore::default();
    // The task of the second day died, but for one object of it.
    let done: BTreeSet<String> = objects
        .keys()
        .filter(|key| key.contains("/CloudTrail/"))
        .filter(|key| !key.contains("/02/"))
        .cloned()
        .collect();
    observed(&source, &options, Some(&done), &evidence);
    let coverage = reported(&evidence, &options).unwrap().assessment.coverage;
    assert!(!coverage.complete);
    assert_eq!((coverage.objects.read, coverage.objects.failed.len()), (48, 24));
    assert!(coverage.objects.failed.iter().all(|failed| failed.reason.starts_with("not observed")));
    let holes: BTreeSet<&str> = coverage.accounts[0].holes.iter().map(|hole| hole.day.as_str()).collect();
    assert_eq!(holes, ["2026-05-02"].into());
    observed(&source, &options, None, &evidence);
    let whole = reported(&evidence, &options).unwrap();
    assert!(whole.assessment.coverage.complete);
    same("observed", &scratch(&source, &options), &whole.files);
}

/// S26: a report asks for no more than was listed: beyond that nobody knows what the trail held, whatever digests say.
#[test]
fn a_report_asks_for_no_more_than_was_listed() {
    let mut objects = hourly(1..=9);
    objects.extend(digests(1..=9));
    let (source, evidence) = (source(&objects), MemoryStore::default());
    run(&source, &asked("2026-05-02", "2026-05-04"), &evidence);
    run(&source, &asked("2026-05-04", "2026-05-06"), &evidence);
    for (since, until, fine) in [
        ("2026-05-02", "2026-05-04", true),
        ("2026-05-02", "2026-05-06", true),
        ("2026-05-03", "2026-05-05", true),
        ("2026-05-03", "", true),
        ("", "", true),
        ("2026-05-03", "2026-05-07", false),
        ("2026-05-01", "2026-05-05", false),
    ] {
        let answer = reported(&evidence, &asked(since, until));
        match answer {
            Ok(outcome) => {
                assert!(fine, "{since} to {until}");
                let of = |text: &str, end: &'static str| if text.is_empty() { end.to_owned() } else { text.to_owned() };
                let options = asked(&of(since, "2026-05-02"), &of(until, "2026-05-06"));
                let reference = analyze(&source, &options, &Silent).unwrap();
                assert_eq!(used(&outcome), used(&reference), "{since} to {until}");
                let accounts = |outcome: &Outcome| serde_json::to_value(&outcome.assessment.coverage.accounts).unwrap();
                assert_eq!(accounts(&outcome), accounts(&reference), "{since} to {until}");
            }
            Err(error) => {
                assert!(!fine, "{since} to {until}: {error}");
                assert!(error.what.contains("does not cover"), "{error}");
            }
        }
    }
    let mut other = asked("2026-05-02", "2026-05-04");
    other.request.regions.insert("us-east-1".to_owned());
    run(&source, &other, &evidence);
    evidence.put("listings/x.json", b"{").unwrap();
    assert!(reported(&evidence, &other).unwrap_err().what.contains("cannot read `listings/x.json`"));
}

/// S3: whole days are answered from evidence alone, though the objects of their first hour hold events of two days; and a
/// report writes nothing.
#[test]
fn a_report_of_whole_days_needs_no_trail() {
    let objects = hourly(1..=4);
    let source = source(&objects);
    for evidence in [MemoryStore::default(), one_by_one(&source, &objects, |_| true)] {
        run(&source, &asked("", ""), &evidence);
        for (since, until) in [("2026-05-02", "2026-05-03"), ("2026-05-02", ""), ("", "2026-05-04"), ("", "")] {
            let before = evidence.list().unwrap();
            let options = asked(since, until);
            let outcome = reported(&evidence, &options).unwrap();
            same(&format!("{since} to {until}"), &scratch(&source, &options), &outcome.files);
            assert_eq!(evidence.list().unwrap(), before);
        }
        source.got();
        run(&source, &asked("2026-05-02", "2026-05-03"), &evidence);
        assert_eq!(source.got(), [] as [String; 0]);
        let error = reported(&evidence, &asked("2026-05-02T11:58:00Z", "2026-05-03")).unwrap_err();
        assert!(error.what.contains("cuts through"), "{error}");
    }
}

/// S44: what one version cannot read of another's evidence is not taken for silence.
#[test]
fn shards_of_other_versions_are_no_silence() {
    let objects = hourly(1..=2);
    let (source, evidence) = (source(&objects), MemoryStore::default());
    let options = asked("", "");
    run(&source, &options, &evidence);
    let (one, mut bytes) = (shards(&evidence)[0].clone(), Vec::new());
    evidence.get(&one, &mut bytes).unwrap();
    bytes.truncate(bytes.len() - 16);
    bytes[17] = 99;
    let digest = xxhash_rust::xxh3::xxh3_128(&bytes);
    bytes.extend_from_slice(&digest.to_le_bytes());
    evidence.put(&one, &bytes).unwrap();
    let error = reported(&evidence, &options).unwrap_err();
    assert!(error.what.contains("1 shards of the evidence are of other versions"), "{error}");
    evidence.put(&one.replace(".shard", "0.shard"), &bytes).unwrap();
    observed(&source, &options, None, &evidence);
    same("observed anew", &scratch(&source, &options), &reported(&evidence, &options).unwrap().files);
}

/// A shard that the store does not give this time is read around, and is there the next time.
#[test]
fn a_shard_that_cannot_be_read_is_not_taken_away() {
    let objects = hourly(1..=2);
    let (source, evidence) = (source(&objects), MemoryStore::default());
    let options = asked("", "");
    let reference = run(&source, &options, &evidence).files;
    let before = shards(&evidence);
    // Under another name than its own, so that reading its objects again does not write it anew.
    let (moved, mut bytes) = (before[0].replace(".shard", "0.shard"), Vec::new());
    evidence.get(&before[0], &mut bytes).unwrap();
    evidence.put(&moved, &bytes).unwrap();
    evidence.remove(&before[0]).unwrap();
    for fault in [StoreError::Denied, StoreError::Other("503 slow down".to_owned())] {
        let faulty = FaultyStore::new(&evidence, [(moved.clone(), fault.clone())]);
        assert!(reported(&faulty, &options).unwrap_err().what.contains(&fault.to_string()));
        let outcome = run(&source, &options, &faulty);
        same("unread", &reference, &outcome.files);
        let notes = outcome.evidence.unwrap();
        assert_eq!((notes.shards_unread, notes.shards_damaged), (1, 0));
        assert_eq!(notes.damaged.values().collect::<Vec<_>>(), [&fault.to_string()]);
        assert!(shards(&evidence).contains(&moved));
    }
    let outcome = run(&source, &options, &evidence);
    same("read again", &reference, &outcome.files);
}

/// One place of evidence is for one source; a part of the source takes nothing away that the rest needs.
#[test]
fn evidence_that_others_need_stays() {
    let (one, other) = (source(&hourly(1..=2)), source(&hourly(11..=12)));
    let evidence = MemoryStore::default();
    run(&one, &asked("", ""), &evidence);
    let before = shards(&evidence);
    let stop = thirdtrail::run::stop::Stop::default();
    let error = run_with(&other, &asked("", ""), &evidence, &Silent, &stop).unwrap_err();
    assert!(error.what.contains("another source"), "{error}");
    assert_eq!(shards(&evidence), before);

    let flat = |objects: BTreeMap<String, Vec<u8>>| -> BTreeMap<String, Vec<u8>> {
        objects.into_iter().map(|(key, bytes)| (key.rsplit('/').next().unwrap().to_owned(), bytes)).collect()
    };
    let (flat, evidence) = (source(&flat(hourly(1..=9))), MemoryStore::default());
    let (all, part) = (asked("", ""), asked("2026-05-08", "2026-05-09"));
    run(&flat, &all, &evidence);
    same("a part", &scratch(&flat, &part), &run(&flat, &part, &evidence).files);
    let reference = scratch(&flat, &all);
    flat.got();
    same("the whole", &reference, &run(&flat, &all, &evidence).files);
    assert_eq!(flat.got(), [] as [String; 0]);
    same("reported", &reference, &reported(&evidence, &all).unwrap().files);
}

/// S6: a file that is there and cannot be looked at is an object that cannot be read, and no silence.
#[cfg(unix)]
#[test]
fn files_that_cannot_be_looked_at_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), "{\"Records\":[]}").unwrap();
    std::os::unix::fs::symlink("loop.json", folder.path().join("loop.json")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("dead.json")).unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    let keys: Vec<String> = store.list().unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["a.json", "loop.json"]);
    assert!(store.get("loop.json", &mut Vec::new()).is_err());
}
