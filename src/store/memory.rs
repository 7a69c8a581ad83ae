//! A store in memory, for tests and for sources that are made on the spot.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Mutex;

use super::{Entry, Store, StoreError};

/// Objects by key.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    metadata: BTreeMap<String, BTreeMap<String, String>>,
}

impl MemoryStore {
    /// The same objects, with what is stored beside their bytes.
    #[must_use]
    pub fn with_metadata(self, metadata: BTreeMap<String, BTreeMap<String, String>>) -> Self {
        Self { metadata, ..self }
    }

    fn objects(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // A panic while holding the lock leaves the map whole: inserting is its only change.
        self.objects.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl FromIterator<(String, Vec<u8>)> for MemoryStore {
    fn from_iter<T: IntoIterator<Item = (String, Vec<u8>)>>(objects: T) -> Self {
        Self { objects: Mutex::new(objects.into_iter().collect()), metadata: BTreeMap::new() }
    }
}

impl Store for MemoryStore {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let entry = |(key, bytes): (&String, &Vec<u8>)| Entry {
            key: key.clone(),
            size_bytes: bytes.len() as u64,
            tag: format!("{:x}", BuildHasherDefault::<DefaultHasher>::default().hash_one(bytes)),
        };
        Ok(self.objects().iter().map(entry).collect())
    }

    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        buffer.clear();
        buffer.extend_from_slice(self.objects().get(key).ok_or(StoreError::Missing)?);
        Ok(())
    }

    fn metadata(&self, key: &str) -> Result<BTreeMap<String, String>, StoreError> {
        Ok(self.metadata.get(key).cloned().unwrap_or_default())
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.objects().insert(key.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.objects().remove(key).map(drop).ok_or(StoreError::Missing)
    }
}
