//! Saves the live inputs once, so that analyses need no AWS: one folder, put in place as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::aws::AccountId;
use crate::aws::window::rfc3339;
use crate::finding::assessment::FailedInput;
use crate::report::OutputFile;
use crate::store::aws::AwsOptions;

use super::UserError;
use super::beside::now;
use super::inputs::input_file;
use super::live::{Answers, Input, Wish, ask};
use super::monitor::Monitor;
use super::output;

/// Name and version of `collect.json`.
pub const SCHEMA: &str = "thirdtrail.collect/1";

/// What was collected.
#[derive(Debug)]
pub struct Collection {
    /// Paths of the files, sorted.
    pub files: Vec<String>,
    /// What could not be read.
    pub failed: Vec<FailedInput>,
    /// Accounts of the organization that are not active and were not asked.
    pub not_asked: BTreeSet<AccountId>,
    /// What to do about it, each advice once.
    pub help: BTreeSet<String>,
}

/// Whether the folder can be replaced as a whole: it is new, empty, or of an earlier collection.
///
/// # Errors
/// It is a file, or holds what no collection wrote.
pub fn check(out: &Path) -> Result<(), UserError> {
    let shown = out.display();
    if out.file_name().is_none() || out.is_file() {
        return Err(UserError::new(format!("`{shown}` is no folder that can be replaced"), "give another --out"));
    }
    let Ok(entries) = fs::read_dir(out) else { return Ok(()) };
    let names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let manifest: Option<Value> =
        fs::read(out.join("collect.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let ours = manifest.as_ref().and_then(|manifest| manifest.get("schema")).is_some_and(|schema| schema == SCHEMA);
    let own = |name: &str| {
        matches!(name, "collect.json" | "organization.json") || Input::ALL.iter().any(|input| input.word() == name)
    };
    match names.iter().find(|name| !ours || !own(name)) {
        None => Ok(()),
        Some(name) => Err(UserError::new(
            format!("`{shown}` holds `{name}`, which `thirdtrail collect` did not write"),
            "give a new or empty folder with --out",
        )),
    }
}

/// Asks for everything and writes it.
///
/// # Errors
/// When nothing could be read, or the folder cannot be written.
pub fn collect(
    out: &Path,
    aws: &AwsOptions,
    role: Option<&str>,
    monitor: &dyn Monitor,
) -> Result<Collection, UserError> {
    let now = now();
    let wish = Wish { inputs: BTreeSet::from(Input::ALL), role, inventory: None, now };
    let answers = ask(aws, &wish, monitor)?;
    if answers.documents.is_empty() {
        let first = answers.failed.into_iter().next();
        return Err(first.map_or_else(nothing, |((_, failed), help)| {
            UserError::new(format!("{}: {}", failed.call, failed.reason), help)
        }));
    }
    let failed: BTreeSet<FailedInput> = answers.failed.keys().map(|(_, failed)| failed.clone()).collect();
    let help = answers.failed.values().cloned().collect();
    let manifest = manifest(&answers, &failed, role, &rfc3339(now));
    let files: Vec<String> = answers.documents.iter().map(|document| document.path.clone()).collect();
    let mut outputs: Vec<OutputFile> = answers
        .documents
        .into_iter()
        .map(|document| OutputFile::new(document.path, document.text.into_bytes()))
        .collect();
    outputs.push(OutputFile::new("collect.json", manifest));
    // Trust policies hold external ids: the folder is for its owner.
    output::write_private(out, &outputs)?;
    Ok(Collection { files, failed: failed.into_iter().collect(), not_asked: answers.not_asked, help })
}

fn nothing() -> UserError {
    UserError::new("the organization has no active account", "leave --assume-role-name away")
}

fn manifest(answers: &Answers, failed: &BTreeSet<FailedInput>, role: Option<&str>, now: &str) -> Vec<u8> {
    let files: Vec<Value> = answers
        .documents
        .iter()
        .map(|document| {
            let file = input_file(Path::new(&document.path), document.text.as_bytes());
            json!({"path": file.path, "sha256": file.sha256, "bytes": file.bytes})
        })
        .collect();
    let manifest = json!({
        "schema": SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "collected_at": now,
        "caller": answers.caller,
        "assume_role_name": role,
        "files": files,
        "failed": failed,
        "not_asked": answers.not_asked,
    });
    let mut bytes = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_others_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path()).is_ok() && check(&folder.path().join("new")).is_ok());
        fs::write(folder.path().join("organization.json"), "{}").unwrap();
        assert!(check(folder.path()).unwrap_err().what.contains("organization.json"));
        fs::write(folder.path().join("collect.json"), format!("{{\"schema\":\"{SCHEMA}\"}}")).unwrap();
        assert!(check(folder.path()).is_ok());
        fs::write(folder.path().join("mine.txt"), "").unwrap();
        assert!(check(folder.path()).unwrap_err().what.contains("mine.txt"));
    }
}
