//! Saved evidence: a run that uses it gives what a run from scratch gives, to the byte, whatever happened in between, and
//! reads no object that it need not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its trail has failed"
)]

mod bundled;
mod saved;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use thirdtrail::evidence::Scope;
use thirdtrail::evidence::observe::Observer;
use thirdtrail::evidence::shard::{Mark, Shard, VERSION};
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::monitor::{Monitor, Silent};
use thirdtrail::run::stop::Stop;
use thirdtrail::store::memory::MemoryStore;
use thirdtrail::store::{Entry, Store, StoreError};

use bundled::options;
use saved::*;

/// Invariants 2 and 3: evidence that was saved says what reading says, for any window, workers and selection; and what
/// was saved is not read again.
#[test]
fn saved_evidence_gives_the_same_files() {
    for trail in ["vendors", "damaged", "holes"] {
        let (source, evidence) = (source(&objects(trail)), MemoryStore::default());
        let options = options(trail, 2);
        let reference = scratch(&source, &options);
        same(trail, &reference, &run(&source, &options, &evidence).files);
        source.got();
        for jobs in [1, 8] {
            let again = run(&source, &bundled::options(trail, jobs), &evidence);
            same(trail, &reference, &again.files);
            let unreadable = again.assessment.coverage.objects.failed.len();
            assert_eq!(source.got().len(), unreadable, "{trail}: only what could not be read is tried again");
        }
        same(trail, &reference, &reported(&evidence, &options).unwrap().files);
    }
}

/// S44: whatever happened to a shard, it is not trusted: its objects are read again, the answer is the same, and
/// `run.json` says so.
#[test]
fn damaged_shards_are_read_again() {
    type Damage = fn(&mut Vec<u8>, &[u8]);
    let damages: [(&str, bool, Damage); 9] = [
        ("empty", true, |bytes, _| bytes.clear()),
        ("truncated", true, |bytes, _| bytes.truncate(bytes.len() / 2)),
        ("one byte short", true, |bytes, _| bytes.truncate(bytes.len() - 1)),
        ("one byte more", true, |bytes, _| bytes.push(0)),
        ("one bit flipped", true, |bytes, _| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
        }),
        ("zeroes at the end", true, |bytes, _| {
            let end = bytes.len() - 100;
            bytes[end..].fill(0);
        }),
        ("a foreign file", true, |bytes, _| *bytes = b"{\"Records\":[]}".to_vec()),
        ("of a later version", false, |bytes, _| {
            let length = bytes.len() - 16;
            bytes.truncate(length);
            bytes[17] = 99;
            let digest = xxhash_rust::xxh3::xxh3_128(bytes);
            bytes.extend_from_slice(&digest.to_le_bytes());
        }),
        ("another shard", false, |bytes, other| *bytes = other.to_vec()),
    ];
    let (source, evidence) = (source(&objects("holes")), MemoryStore::default());
    let options = options("holes", 2);
    let reference = run(&source, &options, &evidence).files;
    let keys = shards(&evidence);
    let (mut sound, mut other) = (Vec::new(), Vec::new());
    evidence.get(&keys[3], &mut sound).unwrap();
    evidence.get(&keys[9], &mut other).unwrap();
    source.got();
    for (what, damaged, damage) in damages {
        let mut bytes = sound.clone();
        damage(&mut bytes, &other);
        assert_ne!(bytes, sound);
        evidence.put(&keys[3], &bytes).unwrap();
        let outcome = run(&source, &options, &evidence);
        same(what, &reference, &outcome.files);
        let notes = outcome.evidence.unwrap();
        assert_eq!(notes.shards_damaged, u64::from(damaged), "{what}");
        assert_eq!(source.got().len(), Shard::from_bytes(&sound).unwrap().held.len(), "{what}");
        assert_eq!(shards(&evidence), keys, "{what}");
        let mut mended = Vec::new();
        evidence.get(&keys[3], &mut mended).unwrap();
        assert!(mended == sound, "{what}: the shard is as it was");
    }
    evidence.remove(&keys[3]).unwrap();
    same("removed", &reference, &run(&source, &options, &evidence).files);
}

/// One shard of a bundled trail.
fn small_shard() -> Shard {
    let scope = Scope::default();
    let mut observer = Observer::new(scope.clone().into());
    let some = objects("vendors").into_iter().filter(|(key, _)| key.contains("/CloudTrail/")).take(3);
    let mut marks = Vec::new();
    for (key, bytes) in some {
        observer.observe(&key, &bytes);
        marks.push((key, Mark { size_bytes: bytes.len() as u64, tag: "t".to_owned() }));
    }
    observer.unreadable("gone", "why not");
    marks.push(("gone".to_owned(), Mark { size_bytes: 1, tag: String::new() }));
    Shard::of(&scope, marks, vec![observer.finish()])
}

/// S44: no flipped or missing byte of a shard goes unnoticed.
#[test]
fn no_damage_goes_unnoticed() {
    let bytes = small_shard().to_bytes();
    let read = Shard::from_bytes(&bytes).unwrap();
    assert!(read.to_bytes() == bytes);
    assert_eq!((read.held.len(), read.failed.len()), (3, 1));
    for at in 0..bytes.len() {
        assert!(Shard::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(Shard::from_bytes(&flipped).is_err(), "flipped at {at}");
    }
}

/// S42: evidence holds neither external ids nor session tokens.
#[test]
fn evidence_holds_no_secret() {
    let evidence = MemoryStore::default();
    run(&source(&objects("vendors")), &options("vendors", 2), &evidence);
    let mut secrets = vec![bundled::truth("vendors")["secret_mark"].as_str().unwrap().to_owned()];
    for path in options("vendors", 1).inventories {
        let inventory = std::fs::read_to_string(path).unwrap();
        let ids = inventory.split("\"sts:ExternalId\":\"").skip(1);
        secrets.extend(ids.map(|piece| piece.split('"').next().unwrap().to_owned()));
    }
    secrets.retain(|secret| secret.len() >= 8);
    assert!(secrets.len() > 3);
    let (mut bytes, mut searched) = (Vec::new(), 0);
    for entry in evidence.list().unwrap() {
        evidence.get(&entry.key, &mut bytes).unwrap();
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|some| some == secret.as_bytes()), "{}", entry.key);
        }
        searched += bytes.len();
    }
    assert!(searched > 100_000);
}

/// Tasks over parts of the objects, some done twice, some with an inventory and some without, end in evidence that gives
/// the report of a single machine.
#[test]
fn tasks_end_in_the_report_of_one_machine() {
    for trail in ["holes", "damaged"] {
        let (source, evidence) = (source(&objects(trail)), MemoryStore::default());
        let options = options(trail, 2);
        let bare = Options { inventories: Vec::new(), ..options.clone() };
        let keys: Vec<String> = scratch_keys(&source, &options);
        for (number, scope) in [(2, &options), (0, &bare), (1, &options), (2, &bare)] {
            let task: BTreeSet<String> = keys.iter().skip(number).step_by(3).cloned().collect();
            observed(&source, scope, Some(&task), &evidence);
        }
        let reference = scratch(&source, &options);
        same(trail, &reference, &reported(&evidence, &options).unwrap().files);
        source.got();
        let again = run(&source, &options, &evidence);
        same(trail, &reference, &again.files);
        assert_eq!(source.got().len(), again.assessment.coverage.objects.failed.len());
        assert_eq!(observed(&source, &options, None, &evidence).objects_held, again.evidence.unwrap().objects_held);
    }
}

/// The keys that a run reads.
fn scratch_keys(source: &Recording<MemoryStore>, options: &Options) -> Vec<String> {
    source.got();
    scratch(source, options);
    let keys: BTreeSet<String> = source.got().into_iter().collect();
    keys.into_iter().collect()
}

/// Wants the run to stop after so many objects.
struct Impatient {
    stop: Stop,
    left: AtomicU64,
}

impl Monitor for Impatient {
    fn begin(&self, _phase: &str, _steps: u64, _bytes: u64) {}

    fn step(&self, _bytes: u64) {
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 1 {
            self.stop.ask();
        }
    }

    fn end(&self) {}
}

/// A run that is stopped keeps what it has read, and the next goes on from there.
#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let (source, evidence) = (source(&objects("vendors")), MemoryStore::default());
    let options = options("vendors", 1);
    let reference = scratch(&source, &options);
    let all = source.got().len();
    let mut read = 0;
    for left in [1, 50, 100] {
        let stop = Stop::default();
        let monitor = Impatient { stop: stop.clone(), left: AtomicU64::new(read + left) };
        let error = run_with(&source, &options, &evidence, &monitor, &stop).unwrap_err();
        assert!(error.what.contains("stopped"), "{error}");
        let now = source.got().len() as u64;
        assert!(now >= left && now < left + 20, "{now} of {left}");
        read += now;
    }
    same("resumed", &reference, &run(&source, &options, &evidence).files);
    assert_eq!(source.got().len() as u64 + read, all as u64);
}

/// Evidence that cannot be saved, or is not there, is a mistake that says what to do.
#[test]
fn bad_evidence_says_what_to_do() {
    struct ReadOnly;
    impl Store for ReadOnly {
        fn list(&self) -> Result<Vec<Entry>, StoreError> {
            Ok(Vec::new())
        }
        fn get(&self, _key: &str, _buffer: &mut Vec<u8>) -> Result<(), StoreError> {
            Err(StoreError::Missing)
        }
        fn put(&self, _key: &str, _bytes: &[u8]) -> Result<(), StoreError> {
            Err(StoreError::Denied)
        }
    }
    let source = source(&objects("holes"));
    let options = options("holes", 1);
    let error = run_with(&source, &options, &ReadOnly, &Silent, &Stop::default()).unwrap_err();
    assert_eq!(error.what, "cannot write evidence: permission denied");
    assert_eq!(source.got(), [] as [String; 0], "told before the long work");
    assert!(reported(&MemoryStore::default(), &options).unwrap_err().what.contains("no evidence"));
    let hidden = MemoryStore::default();
    run(&source, &options, &hidden);
    hidden.put(&shards(&hidden)[0], b"x").unwrap();
    assert!(reported(&hidden, &options).unwrap_err().what.contains("damaged"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariant 3: however a trail grew, and whatever was asked of it before, the answer is that of a run from scratch.
    #[test]
    fn any_history_ends_in_the_same_answer(
        nights in prop::collection::vec((prop::collection::vec(0..32_usize, 0..12), 0..20_u32, 1..20_u32, 0..3_u8), 1..4),
    ) {
        let all = objects("damaged");
        let keys: Vec<&String> = all.keys().filter(|key| key.contains("/CloudTrail/") || !key.contains('/')).collect();
        let evidence = MemoryStore::default();
        let mut gone: BTreeSet<&String> = keys.iter().copied().collect();
        let whole = options("damaged", 2);
        let first = whole.request.since.unwrap();
        for (come, from, length, hours) in nights {
            for at in come {
                gone.remove(keys[at % keys.len()]);
            }
            let trail: BTreeMap<_, _> =
                all.iter().filter(|(key, _)| !gone.contains(key)).map(|(key, bytes)| (key.clone(), bytes.clone())).collect();
            let mut options = whole.clone();
            let since = first + chrono::TimeDelta::days(i64::from(from)) + chrono::TimeDelta::hours(i64::from(hours) * 5);
            options.request.since = Some(since);
            options.request.until = Some(since + chrono::TimeDelta::days(i64::from(length)));
            let source = source(&trail);
            let reference = analyze(&source, &options, &Silent);
            let outcome = run_with(&source, &options, &evidence, &Silent, &Stop::default());
            match (reference, outcome) {
                (Ok(reference), Ok(outcome)) => same("night", &reference.files, &outcome.files),
                (Err(one), Err(other)) => prop_assert_eq!(one, other),
                (one, other) => panic!("{:?} and {:?}", one.map(|_| ()), other.map(|_| ())),
            }
        }
    }
}

/// Saved evidence is only as good as the program that reads records is the same. Should this digest differ, equal objects
/// give other evidence, or other bytes for it: raise `VERSION` in `src/evidence/shard/mod.rs`, and write both down here.
#[test]
fn other_evidence_is_another_version() {
    let mut all = Vec::new();
    for trail in ["vendors", "damaged", "holes"] {
        let mut observer = Observer::new(std::sync::Arc::new(Scope::default()));
        for (key, bytes) in objects(trail) {
            observer.observe(&key, &bytes);
        }
        let bytes = Shard::of(&Scope::default(), [], vec![observer.finish()]).to_bytes();
        // Without the digest at the end and the head, which name the version of the program.
        let version = env!("CARGO_PKG_VERSION").as_bytes();
        let at = bytes.windows(version.len()).position(|some| some == version).unwrap();
        all.extend_from_slice(&bytes[at + version.len()..bytes.len() - 16]);
    }
    let digest = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&all));
    assert_eq!((VERSION, digest.as_str()), (6, "0048fcb86e53afc3b943ed9b17cfef6a"));
}
