//! A folder, or a single file, as a store.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Entry, Store, StoreError};

/// Deepest nesting of folders that is followed; a trail's own layout needs 10.
const MAX_DEPTH: usize = 32;

/// The files below a folder; a file is a store of one object.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
    file: Option<String>,
}

impl LocalStore {
    /// The store at `path`, a folder or a file.
    ///
    /// # Errors
    /// When there is nothing at `path`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if fs::metadata(path)?.is_dir() {
            return Ok(Self { root: path.to_owned(), file: None });
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let root = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        Ok(Self { root, file: name })
    }

    fn visit(&self, folder: &Path, prefix: &str, depth: usize, found: &mut Vec<Entry>) -> Result<(), StoreError> {
        if depth > MAX_DEPTH {
            return Err(StoreError::Other(format!("folders nested deeper than {MAX_DEPTH} at `{prefix}`")));
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let key = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // Links are followed: a trail is often a mounted or linked folder. A dead link is no object. What is there
            // and cannot be looked at is listed, so that reading it fails by its name.
            let metadata = match fs::metadata(entry.path()) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(_) => {
                    found.push(Entry { key, size_bytes: 0, tag: String::new() });
                    continue;
                }
            };
            if metadata.is_dir() {
                self.visit(&entry.path(), &format!("{key}/"), depth + 1, found)?;
            } else if metadata.is_file() {
                found.push(entry_of(key, &metadata));
            }
        }
        Ok(())
    }
}

fn entry_of(key: String, metadata: &fs::Metadata) -> Entry {
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let tag = changed.map_or_else(String::new, |since| format!("{:x}", since.as_nanos()));
    Entry { key, size_bytes: metadata.len(), tag }
}

impl Store for LocalStore {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        if let Some(name) = &self.file {
            let metadata = fs::metadata(self.root.join(name))?;
            return Ok(vec![entry_of(name.clone(), &metadata)]);
        }
        let mut found = Vec::new();
        self.visit(&self.root, "", 0, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        buffer.clear();
        fs::File::open(self.root.join(key))?.read_to_end(buffer)?;
        Ok(())
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let target = self.root.join(key);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Two processes may write the same object, and in two containers they may have the same number.
        let chance = RandomState::new().hash_one(std::process::id());
        let temporary = target.with_file_name(format!(".{name}.{chance:016x}.part"));
        fs::write(&temporary, bytes)?;
        Ok(fs::rename(&temporary, &target)?)
    }

    fn remove(&self, key: &str) -> Result<(), StoreError> {
        Ok(fs::remove_file(self.root.join(key))?)
    }
}
