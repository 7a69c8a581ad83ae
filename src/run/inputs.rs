//! The inputs: the source of the trail, and the inventories beside it, hashed for `run.json`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::policy::inventory::Inventory;
use crate::policy::inventory_places::name_places;

use super::UserError;
use crate::store::{Entry, Store, StoreError};

/// All objects of a source.
///
/// # Errors
/// When it cannot be listed.
pub fn list(store: &dyn Store) -> Result<Vec<Entry>, UserError> {
    store.list().map_err(|error| not_listed(&error))
}

/// A source that cannot be listed is the user's to mend.
pub(super) fn not_listed(error: &StoreError) -> UserError {
    let fix = error.fix().unwrap_or("check its name and permissions").to_owned();
    UserError::new(format!("cannot list the source: {error}"), fix)
}

/// An input file as it was read.
#[derive(Clone, Debug, Serialize)]
pub struct InputFile {
    /// As given.
    pub path: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// Policy documents in it that cannot be read, each with its line and what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// An input with its digest.
pub(super) fn input_file(path: &Path, bytes: &[u8]) -> InputFile {
    let path = path.display().to_string();
    InputFile { path, sha256: sha256(bytes), bytes: bytes.len() as u64, unreadable: Vec::new() }
}

/// The SHA-256 of a file, in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut sum = Sum::default();
    sum.add(bytes);
    sum.hex()
}

/// The SHA-256 of what comes piece by piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum(Sha256);

impl Sum {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The text of an input, without a byte order mark, and its digest.
///
/// # Errors
/// Why it cannot be read, to follow its name.
pub(super) fn read_text(path: &Path) -> Result<(String, InputFile), String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let file = input_file(path, &bytes);
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let marked = text.starts_with('\u{feff}');
    Ok((if marked { text.trim_start_matches('\u{feff}').to_owned() } else { text }, file))
}

/// The inventory files that lie beside a local source: `inventory.json`, or `inventory/*.json`.
#[must_use]
pub fn beside(source: &Path) -> Vec<PathBuf> {
    let single = source.join("inventory.json");
    if single.is_file() {
        return vec![single];
    }
    let Ok(entries) = fs::read_dir(source.join("inventory")) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    found.sort();
    found
}

/// Reads inventories.
///
/// # Errors
/// The first file that cannot be read, with the reason.
pub fn inventory(paths: &[PathBuf]) -> Result<(Inventory, Vec<InputFile>), UserError> {
    let mut inventory = Inventory::default();
    let mut files = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let wrong = |reason: String| {
            UserError::new(
                format!("cannot read inventory `{shown}`: {reason}"),
                "give the output of `aws iam get-account-authorization-details`",
            )
        };
        let (text, file) = read_text(path).map_err(wrong)?;
        let unreadable = add_inventory(&mut inventory, &shown, &text).map_err(wrong)?;
        files.push(InputFile { unreadable, ..file });
    }
    Ok((inventory, files))
}

/// Adds one inventory; answers with the policy documents in it that cannot be read.
///
/// # Errors
/// Why it is no inventory, to follow its name.
pub(super) fn add_inventory(inventory: &mut Inventory, path: &str, text: &str) -> Result<Vec<String>, String> {
    inventory.add(text).map_err(|error| error.to_string())?;
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    Ok(name_places(inventory, &name, text))
}
