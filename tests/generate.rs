//! The bundled trails come out of the generator as they lie in `testdata/trails`; `THIRDTRAIL_REFRESH=1` writes them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the lint knows tests, not their helpers"
)]

mod bundled;
mod folders;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::Value;
use thirdtrail::generate::{Damage, Hole, Options, Size, generate, write_to_folder};

fn base() -> Options {
    let regions = ["us-east-1", "eu-west-1", "ap-southeast-2"].map(str::to_owned).to_vec();
    Options { regions, gzip_level: 9, third_party_share: 0.55, ..Options::default() }
}

fn scenarios() -> [(&'static str, Options); 3] {
    let vendors = Options {
        seed: 20_260_501,
        size: Size::Records(2_700),
        duplicates_share: 0.01,
        late_share: 0.01,
        digest_every_days: 14,
        ..base()
    };
    let damaged = Options { seed: 2, days: 4, size: Size::Records(350), damage: Damage::ALL.to_vec(), ..base() };
    let holes = Options {
        seed: 3,
        days: 40,
        idle_days: 30,
        size: Size::Records(800),
        regions: vec!["us-east-1".to_owned()],
        digest_every_days: 0,
        holes: vec![
            Hole::NoObjects { first_day: 8, days: 2 },
            Hole::LoggingStopped { account: 0, first_day: 20, last_day: 27 },
        ],
        ..base()
    };
    [("vendors", vendors), ("damaged", damaged), ("holes", holes)]
}

fn made(options: &Options) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    generate(options, &mut |key, bytes| {
        assert!(files.insert(key.to_owned(), bytes.to_vec()).is_none(), "{key} twice");
        Ok(())
    })
    .unwrap();
    files
}

/// As much as can be inflated; the bytes themselves where nothing can.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let whole = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out);
    if whole.is_ok() || !out.is_empty() { out } else { bytes.to_vec() }
}

/// The records of all log objects, duplicates too.
fn records(files: &BTreeMap<String, Vec<u8>>) -> Vec<Value> {
    let mut all = Vec::new();
    for (key, bytes) in files.iter().filter(|(key, _)| key.contains("/CloudTrail/")) {
        let mut object: Value =
            serde_json::from_slice(&inflated(bytes)).unwrap_or_else(|error| panic!("{key}: {error}"));
        all.append(object["Records"].as_array_mut().unwrap());
    }
    all
}

/// Another processor may compress differently, so objects that differ are compared inflated.
#[test]
fn bundled_trails_are_what_the_generator_makes() {
    for (name, options) in scenarios() {
        let root = bundled::folder(name);
        if std::env::var_os("THIRDTRAIL_REFRESH").is_some() {
            let _ = std::fs::remove_dir_all(&root);
            write_to_folder(&options, &root).unwrap();
        }
        let (kept, made) = (folders::files(&root), made(&options));
        assert!(kept.keys().eq(made.keys()), "{name}: other files");
        for (key, bytes) in &made {
            assert!(kept[key] == *bytes || inflated(&kept[key]) == inflated(bytes), "{name}: {key} differs");
        }
    }
}

/// S4: what the truth counts is what the objects hold, counted again from their bytes.
#[test]
fn truth_counts_what_the_objects_hold() {
    let files = made(&scenarios()[0].1);
    let truth: Value = serde_json::from_slice(&files["truth.json"]).unwrap();
    let all = records(&files);
    let ids: BTreeSet<&str> = all.iter().map(|record| record["eventID"].as_str().unwrap()).collect();
    assert!(ids.len() > 2_000 && all.len() > ids.len(), "{} records, {} events", all.len(), ids.len());
    let counts = &truth["coverage"]["records"];
    assert_eq!(counts["total"], all.len());
    assert_eq!(counts["duplicate"], all.len() - ids.len());
}

/// Equal options give equal bytes, also within one process, where hash seeds differ from map to map.
#[test]
fn two_runs_give_the_same_bytes() {
    let [_, damaged, holes] = scenarios().map(|(_, options)| options);
    for options in [damaged, holes] {
        assert!(made(&options) == made(&options));
    }
}

/// S3, S8, S10: sessions are counted again by principal and creation time, from calls within the window and from
/// hand-offs within it; sign-ins and service events are no calls.
#[test]
fn truth_counts_the_sessions_that_the_records_show() {
    let files = made(&scenarios()[0].1);
    let truth: Value = serde_json::from_slice(&files["truth.json"]).unwrap();
    let since = truth["window"]["since"].as_str().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut sessions: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let mut early = 0;
    for record in records(&files).iter().filter(|record| record["eventType"] == "AwsApiCall") {
        let (identity, answer) = (&record["userIdentity"], &record["responseElements"]["assumedRoleUser"]);
        let mut found = Vec::new();
        if identity["type"] == "AssumedRole" {
            let opened = text(&identity["sessionContext"]["attributes"]["creationDate"]);
            found.push((text(&identity["principalId"]), opened));
        }
        if let Some(principal) = answer["assumedRoleId"].as_str() {
            found.push((principal.to_owned(), text(&record["eventTime"])));
        }
        if record["eventTime"].as_str().unwrap() < since {
            early += 1;
            continue;
        }
        for (principal, opened) in found {
            let role = principal.split(':').next().unwrap().to_owned();
            sessions.entry(role).or_default().insert((principal, opened));
        }
    }
    assert_eq!(early, 1, "hand-offs before the window");
    assert!(sessions.len() > 20, "sessions of {} roles", sessions.len());
    for role in truth["roles"].as_array().unwrap() {
        let found = sessions.get(role["role_id"].as_str().unwrap()).map_or(0, BTreeSet::len);
        assert_eq!(role["sessions"]["total"], found, "{}", role["arn"]);
    }
}
