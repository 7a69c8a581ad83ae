//! Where objects lie: list, get, put. The only folder that touches files for objects; imports none of ours.

pub mod aws;
pub mod faulty;
pub mod local;
pub mod memory;

use std::collections::BTreeMap;

/// One object of a store.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Its key, with `/` between the parts, relative to the store's root.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
    /// Changes when its bytes do: the ETag, or what the store has instead; empty where it has nothing.
    pub tag: String,
}

/// Why a store could not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing.
    #[error("does not exist")]
    Missing,
    /// It exists, but may not be read or written.
    #[error("permission denied")]
    Denied,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing,
            std::io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// A place that holds objects. Workers share it.
pub trait Store: Sync {
    /// All objects, sorted by key.
    ///
    /// # Errors
    /// When the root cannot be listed.
    fn list(&self) -> Result<Vec<Entry>, StoreError>;

    /// Puts the bytes of one object in place of what `buffer` held; readers reuse one buffer for many objects.
    ///
    /// # Errors
    /// When it cannot be read whole; the buffer then holds nothing of use.
    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError>;

    /// What was stored with one object beside its bytes, by name in small letters; nothing where a store has no such
    /// thing.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn metadata(&self, key: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let _ = key;
        Ok(BTreeMap::new())
    }

    /// Writes one object; readers see all of it or nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError>;
}
