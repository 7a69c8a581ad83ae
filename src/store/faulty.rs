//! A twin of any store that fails where a test wants it to.

use std::collections::BTreeMap;

use super::{Entry, Store, StoreError};

/// Answers for some keys, or for the listing, with an error; for all else as the store behind it.
pub struct FaultyStore<'a> {
    behind: &'a dyn Store,
    listing: Option<StoreError>,
    faults: BTreeMap<String, StoreError>,
}

impl<'a> FaultyStore<'a> {
    /// A twin of `behind` that fails to get the keys in `faults`.
    pub fn new(behind: &'a dyn Store, faults: impl IntoIterator<Item = (String, StoreError)>) -> Self {
        Self { behind, listing: None, faults: faults.into_iter().collect() }
    }

    /// A twin of `behind` that cannot be listed.
    pub fn unlisted(behind: &'a dyn Store, fault: StoreError) -> Self {
        Self { behind, listing: Some(fault), faults: BTreeMap::new() }
    }
}

impl Store for FaultyStore<'_> {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.listing.clone().map_or_else(|| self.behind.list(), Err)
    }

    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        self.faults.get(key).cloned().map_or_else(|| self.behind.get(key, buffer), Err)
    }

    fn metadata(&self, key: &str) -> Result<BTreeMap<String, String>, StoreError> {
        self.faults.get(key).cloned().map_or_else(|| self.behind.metadata(key), Err)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.behind.put(key, bytes)
    }

    fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.behind.remove(key)
    }
}
