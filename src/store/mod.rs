//! Where objects lie: list, get, put. The only folder that touches files for objects; imports none of ours.

pub mod aws;
pub mod faulty;
pub mod local;
pub mod memory;
pub mod recording;
pub mod s3;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use tokio::runtime::Handle;

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
    /// The store said no, or nothing.
    #[error("{reason}")]
    Refused {
        /// The call and what came of it.
        reason: String,
        /// What a person can do about it.
        fix: String,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl StoreError {
    /// What a person can do about it, where that is known.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Refused { fix, .. } => Some(fix),
            _ => None,
        }
    }
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

/// Objects whose keys begin alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct KeyRange {
    /// How all of them begin.
    pub prefix: String,
    /// The last, after the prefix, that is too early; empty for no bound.
    pub after: String,
    /// The first that is too much, after the prefix; `None` for no bound.
    pub to: Option<String>,
}

impl KeyRange {
    /// All that begin like this.
    #[must_use]
    pub fn whole(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), after: String::new(), to: None }
    }

    /// What a place stands for: all below a folder (or below nothing), or one object.
    #[must_use]
    pub fn at(place: &str) -> Self {
        let is_folder = place.is_empty() || place.ends_with('/');
        // Nothing but the key itself comes before it with the smallest character at its end.
        Self { to: (!is_folder).then(|| "\u{0}".to_owned()), ..Self::whole(place) }
    }

    /// Whether a key is one of them.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        let rest = key.strip_prefix(&self.prefix);
        rest.is_some_and(|rest| {
            (self.after.is_empty() || self.after.as_str() < rest) && self.to.as_deref().is_none_or(|to| rest < to)
        })
    }
}

/// What lies directly at a prefix.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Level {
    /// Prefixes one step longer, each with its final `/`.
    pub folders: BTreeSet<String>,
    /// Objects.
    pub objects: Vec<Entry>,
}

impl Level {
    /// Adds an object below `prefix`: itself, or the folder that it lies in.
    fn add(&mut self, prefix: &str, entry: Entry) {
        let Some(rest) = entry.key.strip_prefix(prefix) else { return };
        match rest.find('/') {
            Some(at) => self.folders.extend(entry.key.get(..=prefix.len() + at).map(str::to_owned)),
            None => self.objects.push(entry),
        }
    }
}

/// Bytes on their way.
pub type Coming = Pin<Box<dyn Future<Output = Result<Vec<u8>, StoreError>> + Send>>;

/// A store at the far end of a network, which is asked for many objects at once.
pub trait Remote: Send + Sync {
    /// Begins to get one object, into a buffer whose room is used again.
    fn fetch(&self, key: &str, buffer: Vec<u8>) -> Coming;

    /// Where that work is done.
    fn runtime(&self) -> Handle;
}

/// A place that holds objects. Workers share it.
pub trait Store: Sync {
    /// All objects, sorted by key.
    ///
    /// # Errors
    /// When the root cannot be listed.
    fn list(&self) -> Result<Vec<Entry>, StoreError>;

    /// The objects of a range, sorted by key.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn list_range(&self, range: &KeyRange) -> Result<Vec<Entry>, StoreError> {
        Ok(self.list()?.into_iter().filter(|entry| range.contains(&entry.key)).collect())
    }

    /// What lies directly at a prefix, which is empty or ends in `/`.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn level(&self, prefix: &str) -> Result<Level, StoreError> {
        let mut level = Level::default();
        for entry in self.list()? {
            level.add(prefix, entry);
        }
        Ok(level)
    }

    /// The store as one at the far end of a network, if it is one.
    fn remote(&self) -> Option<&dyn Remote> {
        None
    }

    /// How the place begins that was asked for, where keys are told from further up: objects elsewhere are not wanted.
    fn within(&self) -> &str {
        ""
    }

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

    /// Takes one object away.
    ///
    /// # Errors
    /// When it stays, as in a store that cannot do this.
    fn remove(&self, _key: &str) -> Result<(), StoreError> {
        Err(StoreError::Other("objects cannot be removed here".to_owned()))
    }
}
