//! A twin of any store that writes down what it was asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Entry, KeyRange, Level, Store, StoreError};

/// One call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Call {
    /// All was listed.
    List,
    /// A range of keys was listed.
    Range(KeyRange),
    /// One level was listed.
    Level(String),
    /// An object was read.
    Get(String),
    /// What is stored beside an object's bytes was read.
    Metadata(String),
    /// An object was written.
    Put(String),
}

/// Answers as the store behind it, and remembers the question.
pub struct RecordingStore<'a> {
    behind: &'a dyn Store,
    calls: Mutex<Vec<Call>>,
}

impl<'a> RecordingStore<'a> {
    /// A twin of `behind` that was asked nothing yet.
    pub fn new(behind: &'a dyn Store) -> Self {
        Self { behind, calls: Mutex::new(Vec::new()) }
    }

    /// What it was asked since the last time, sorted: several threads ask in any order.
    pub fn take(&self) -> Vec<Call> {
        let mut calls = std::mem::take(&mut *self.calls());
        calls.sort();
        calls
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        // A panic while holding the lock leaves the list whole: pushing is its only change.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for RecordingStore<'_> {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.calls().push(Call::List);
        self.behind.list()
    }

    fn list_range(&self, range: &KeyRange) -> Result<Vec<Entry>, StoreError> {
        self.calls().push(Call::Range(range.clone()));
        self.behind.list_range(range)
    }

    fn level(&self, prefix: &str) -> Result<Level, StoreError> {
        self.calls().push(Call::Level(prefix.to_owned()));
        self.behind.level(prefix)
    }

    fn within(&self) -> &str {
        self.behind.within()
    }

    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        self.calls().push(Call::Get(key.to_owned()));
        self.behind.get(key, buffer)
    }

    fn metadata(&self, key: &str) -> Result<BTreeMap<String, String>, StoreError> {
        self.calls().push(Call::Metadata(key.to_owned()));
        self.behind.metadata(key)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.calls().push(Call::Put(key.to_owned()));
        self.behind.put(key, bytes)
    }
}
