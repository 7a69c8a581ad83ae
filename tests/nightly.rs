//! Night after night: what is new is read, what is old is not, and the answer is that of a run from scratch.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its trail has failed"
)]

mod bucket;
mod bundled;
mod saved;

use std::collections::{BTreeMap, BTreeSet};

use thirdtrail::aws::AccountId;
use thirdtrail::aws::window::parse_time;
use thirdtrail::cloudtrail::object_key::{ObjectKey, ObjectKind};
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::StoreError;
use thirdtrail::store::aws::Aws;
use thirdtrail::store::faulty::FaultyStore;
use thirdtrail::store::memory::MemoryStore;
use thirdtrail::store::s3::{Manner, S3Store};

use bucket::{Server, answer};
use bundled::options;
use saved::*;

/// S3: evidence serves any other window; only objects whose events the window cuts are read again.
#[test]
fn saved_evidence_serves_every_window() {
    let (source, evidence) = (source(&objects("holes")), MemoryStore::default());
    let all = run(&source, &windowless("holes"), &evidence);
    let read = source.got().len();
    assert_eq!(all.evidence.unwrap().objects_read as usize, read);
    for (since, until) in [
        ("2026-05-03", "2026-06-02"),
        ("2026-05-20", "2026-05-21"),
        ("2026-05-20T11:30:00Z", "2026-05-30T23:59:59Z"),
        ("2026-04-01", "2027-01-01"),
    ] {
        let mut options = windowless("holes");
        (options.request.since, options.request.until) = (parse_time(since), parse_time(until));
        let reference = scratch(&source, &options);
        source.got();
        same(since, &reference, &run(&source, &options, &evidence).files);
        assert!(source.got().len() < read / 8, "{since} to {until}");
    }
    for (account, region) in [(Some("111122223333"), None), (None, Some("eu-west-1"))] {
        let mut options = windowless("holes");
        options.request.accounts.extend(account.and_then(AccountId::parse));
        options.request.regions.extend(region.map(str::to_owned));
        let Ok(reference) = analyze(&source, &options, &Silent) else { continue };
        source.got();
        same("selection", &reference.files, &run(&source, &options, &evidence).files);
    }
}

/// The nightly run: after ninety days one day more, of which alone the objects are read.
#[test]
fn the_nightly_run_reads_only_new_objects() {
    let all = objects("vendors");
    for (since, nights) in [(None, 1), (parse_time("2026-05-01"), 2)] {
        let evidence = MemoryStore::default();
        let mut plenty = windowless("vendors");
        plenty.request.since = since;
        // On two nights with so little memory that actors go to disk (S44).
        let memory_bytes = if nights == 1 { plenty.effort.memory_bytes } else { 0 };
        let options = Options { effort: Effort { memory_bytes, ..plenty.effort }, ..plenty.clone() };
        run(&source(&until(&all, "2026-07-29")), &options, &evidence);
        for day in ["2026-07-30", "2026-07-31"].into_iter().take(nights) {
            let trail = until(&all, day);
            let tonight = source(&trail);
            let outcome = run(&tonight, &options, &evidence);
            let logs = |key: &&String| ObjectKey::parse(key).kind == ObjectKind::Log;
            let new = trail.keys().filter(|key| delivered(key).as_deref() == Some(day)).filter(logs);
            let new: Vec<String> = new.cloned().collect();
            assert!(!new.is_empty());
            assert_eq!(tonight.got(), new, "{day}");
            same(day, &scratch(&tonight, &plenty), &outcome.files);
            same("report", &outcome.files, &reported(&evidence, &options).unwrap().files);
        }
    }
}

/// A window that moves with the days reads new objects, and of old ones only those whose events it begins to cut.
#[test]
fn a_moving_window_reads_little_more() {
    let all = objects("holes");
    let evidence = MemoryStore::default();
    let mut options = windowless("holes");
    for (since, day) in [("2026-05-10", "2026-06-05"), ("2026-05-11", "2026-06-06"), ("2026-05-12", "2026-06-07")] {
        options.request.since = parse_time(since);
        let trail = until(&all, day);
        let tonight = source(&trail);
        let outcome = run(&tonight, &options, &evidence);
        let got = tonight.got();
        if day != "2026-06-05" {
            let old = got.iter().filter(|key| delivered(key).is_none_or(|delivered| *delivered < *day));
            let cut: Vec<String> = old.map(|key| delivered(key).unwrap()).collect();
            // Late objects of the generator bring events of up to three days before.
            assert!(cut.iter().all(|day| **day >= *since && *day.as_str() <= *"2026-05-15"), "{cut:?}");
            assert!(cut.len() < 20, "{cut:?}");
        }
        same(day, &scratch(&tonight, &options), &outcome.files);
    }
}

/// A late object is read alone; a changed one, and one that is gone, have their shard read again; what no longer stands
/// for anything is taken away.
#[test]
fn objects_that_come_late_change_or_go_are_noticed() {
    let mut trail = objects("holes");
    let options = options("holes", 2);
    let keys: Vec<String> = trail.keys().filter(|key| key.contains("/CloudTrail/")).cloned().collect();
    let (late, evidence) = (keys[40].clone(), MemoryStore::default());
    let bytes = trail.remove(&late).unwrap();
    let before = source(&trail);
    run(&before, &options, &evidence);
    let check = |what: &str, trail: &BTreeMap<String, Vec<u8>>, expected: &[&String]| {
        let now = source(trail);
        let files = run(&now, &options, &evidence).files;
        let got: BTreeSet<String> = now.got().into_iter().collect();
        assert!(expected.iter().all(|key| got.contains(*key)), "{what}: {got:?}");
        assert!(got.len() <= 3, "{what}: {got:?}");
        same(what, &scratch(&source(trail), &options), &files);
    };
    trail.insert(late.clone(), bytes.clone());
    check("late", &trail, &[&late]);
    check("nothing new", &trail, &[]);
    let other = trail[&keys[41]].clone();
    trail.insert(late.clone(), other);
    let count = shards(&evidence).len();
    check("changed", &trail, &[&late]);
    assert_eq!(shards(&evidence).len(), count, "the old shard is gone");
    trail.insert(late.clone(), bytes);
    check("changed back", &trail, &[&late]);
    trail.remove(&keys[40]);
    check("gone", &trail, &[]);
    same("report", &scratch(&source(&trail), &options), &reported(&evidence, &options).unwrap().files);
}

/// An object that could not be read is tried again, and is no failure any more when it can be read.
#[test]
fn failed_objects_are_tried_again() {
    let trail = objects("holes");
    let options = options("holes", 2);
    let keys: Vec<String> = trail.keys().filter(|key| key.contains("/CloudTrail/")).cloned().collect();
    let failing: Vec<String> = [7, 8, 90].map(|at| keys[at].clone()).to_vec();
    let (sound, evidence) = (source(&trail), MemoryStore::default());
    let faulty = FaultyStore::new(&sound, failing.iter().map(|key| (key.clone(), StoreError::Denied)));
    let incomplete = run(&faulty, &options, &evidence);
    same("failing", &scratch(&faulty, &options), &incomplete.files);
    same("failing again", &incomplete.files, &run(&faulty, &options, &evidence).files);
    same("reported", &incomplete.files, &reported(&evidence, &options).unwrap().files);
    sound.got();
    let complete = run(&sound, &options, &evidence);
    assert_eq!(sound.got(), failing);
    assert!(complete.assessment.coverage.complete);
    same("sound", &scratch(&sound, &options), &complete.files);
    same("reported", &complete.files, &reported(&evidence, &options).unwrap().files);
}

/// Evidence keeps of a role that no outsider can reach its last activity only. When the inventory no longer says so, the
/// days on which it was active are read again; when it says so later on, nothing is.
#[test]
fn a_changed_inventory_finds_the_evidence_it_needs() {
    let (source, evidence) = (source(&objects("holes")), MemoryStore::default());
    let full = options("holes", 2);
    let some = Options { inventories: full.inventories[1..].to_vec(), ..full.clone() };
    let none = Options { inventories: Vec::new(), ..full.clone() };
    let reference = |options: &Options| {
        let files = scratch(&source, options);
        source.got();
        files
    };
    same("full", &reference(&full), &run(&source, &full, &evidence).files);
    let all = source.got().len();
    assert!(reported(&evidence, &none).unwrap_err().what.contains("keeps too little"));
    same("some", &reference(&some), &run(&source, &some, &evidence).files);
    let again = source.got().len();
    assert!(0 < again && again < all, "{again} of {all}");
    same("none", &reference(&none), &run(&source, &none, &evidence).files);
    source.got();
    for (what, options) in [("full again", &full), ("some again", &some), ("none again", &none)] {
        same(what, &reference(options), &run(&source, options, &evidence).files);
        assert_eq!(source.got(), [] as [String; 0], "{what}");
        same(what, &reference(options), &reported(&evidence, options).unwrap().files);
    }
}

/// From a bucket, where objects come in any order and are fetched ahead, evidence is the same as from a folder.
#[test]
fn a_bucket_gives_the_same_evidence_as_a_folder() {
    let (trail, options) = (objects("holes"), options("holes", 2));
    let (near, evidence) = (source(&trail), MemoryStore::default());
    let reference = run(&near, &options, &evidence).files;
    let kept = shards(&evidence);
    let served = trail.clone();
    let server = Server::start(move |request| answer(&served, request));
    let far = S3Store::open(Aws::connect(&server.aws()).unwrap(), "trail", "", None, Manner::default()).unwrap();
    let evidence = MemoryStore::default();
    let first = run(&far, &options, &evidence);
    same("first", &reference, &first.files);
    assert_eq!(shards(&evidence).len(), kept.len());
    let again = run(&far, &options, &evidence);
    same("again", &reference, &again.files);
    let (first, again) = (first.evidence.unwrap(), again.evidence.unwrap());
    assert_eq!((again.objects_read, again.objects_held), (0, first.objects_read));
}
