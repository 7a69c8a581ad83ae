//! Runs with saved evidence, sources that remember what was read, and the comparison of outputs.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot read its trail has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use thirdtrail::cloudtrail::object_key::ObjectKey;
use thirdtrail::report::OutputFile;
use thirdtrail::run::UserError;
use thirdtrail::run::analyze::{Options, Outcome, analyze, analyze_with};
use thirdtrail::run::checkpoint::{Checkpoints, Notes};
use thirdtrail::run::monitor::{Monitor, Silent};
use thirdtrail::run::observe::observe;
use thirdtrail::run::report::report;
use thirdtrail::run::resume::Saved;
use thirdtrail::run::stop::Stop;
use thirdtrail::run::task::Task;
use thirdtrail::store::local::LocalStore;
use thirdtrail::store::memory::MemoryStore;
use thirdtrail::store::{Entry, Store, StoreError};

use crate::bundled::{folder, options};

/// The objects of a bundled trail.
pub(crate) fn objects(trail: &str) -> BTreeMap<String, Vec<u8>> {
    let store = LocalStore::open(&folder(trail)).unwrap();
    let mut bytes = Vec::new();
    let read = |entry: Entry| {
        store.get(&entry.key, &mut bytes).unwrap();
        (entry.key, bytes.clone())
    };
    store.list().unwrap().into_iter().map(read).collect()
}

pub(crate) fn source(objects: &BTreeMap<String, Vec<u8>>) -> Recording<MemoryStore> {
    Recording { behind: objects.clone().into_iter().collect(), got: Mutex::default() }
}

/// A store that remembers which keys were got.
#[derive(Default)]
pub(crate) struct Recording<S> {
    behind: S,
    got: Mutex<Vec<String>>,
}

impl<S> Recording<S> {
    /// The keys got since this was asked last, each as often as it was got.
    pub(crate) fn got(&self) -> Vec<String> {
        let mut got = std::mem::take(&mut *self.got.lock().unwrap());
        got.sort();
        got
    }
}

impl<S: Store> Store for Recording<S> {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.behind.list()
    }

    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        self.got.lock().unwrap().push(key.to_owned());
        self.behind.get(key, buffer)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.behind.put(key, bytes)
    }
}

pub(crate) fn run_with(
    source: &dyn Store,
    options: &Options,
    evidence: &dyn Store,
    monitor: &dyn Monitor,
    stop: &Stop,
) -> Result<Outcome, UserError> {
    let checkpoints = Checkpoints::open(evidence)?;
    analyze_with(source, options, Some(Saved { checkpoints: &checkpoints, stop }), monitor)
}

pub(crate) fn run(source: &dyn Store, options: &Options, evidence: &dyn Store) -> Outcome {
    run_with(source, options, evidence, &Silent, &Stop::default()).unwrap()
}

pub(crate) fn reported(evidence: &dyn Store, options: &Options) -> Result<Outcome, UserError> {
    let (checkpoints, stop) = (Checkpoints::open(evidence)?, Stop::default());
    report(Saved { checkpoints: &checkpoints, stop: &stop }, options, &Silent)
}

pub(crate) fn observed(
    source: &dyn Store,
    options: &Options,
    only: Option<&BTreeSet<String>>,
    evidence: &dyn Store,
) -> Notes {
    let (checkpoints, stop) = (Checkpoints::open(evidence).unwrap(), Stop::default());
    let task = only.map_or(Task::Whole, |keys| Task::Keys(keys.clone()));
    observe(source, options, &task, Saved { checkpoints: &checkpoints, stop: &stop }, &Silent).unwrap().notes
}

/// Equal files, of which `run.json` is none.
pub(crate) fn same(what: &str, one: &[OutputFile], other: &[OutputFile]) {
    let paths = |files: &[OutputFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(one), paths(other), "{what}");
    for (one, other) in one.iter().zip(other) {
        assert!(one.bytes == other.bytes, "{what}: another {}", one.path);
    }
}

/// A run from scratch.
pub(crate) fn scratch(source: &dyn Store, options: &Options) -> Vec<OutputFile> {
    analyze(source, options, &Silent).unwrap().files
}

pub(crate) fn windowless(trail: &str) -> Options {
    let mut options = options(trail, 2);
    (options.request.since, options.request.until) = (None, None);
    options
}

pub(crate) fn shards(evidence: &dyn Store) -> Vec<String> {
    let keys = evidence.list().unwrap().into_iter().map(|entry| entry.key);
    keys.filter(|key| key.ends_with(".shard")).collect()
}

/// The day of delivery in a key.
pub(crate) fn delivered(key: &str) -> Option<String> {
    ObjectKey::parse(key).delivered.map(|day| day.to_string())
}

/// A trail as it was on an evening: what had been delivered by then.
pub(crate) fn until(objects: &BTreeMap<String, Vec<u8>>, day: &str) -> BTreeMap<String, Vec<u8>> {
    let there = |key: &String| delivered(key).is_none_or(|delivered| *delivered <= *day);
    objects.iter().filter(|(key, _)| there(key)).map(|(key, bytes)| (key.clone(), bytes.clone())).collect()
}
