//! What lies beside the repository and not in it, and may be absent: real records, vendors' own policies.
//!
//! Their licences differ from ours. Where they are missing a test says so on a visible line and passes; where they are
//! there they are not empty.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its data has failed")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Writes a line that people see: the test runner holds back what a passing test prints, but not this.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A file or folder of the data beside the repository; says so when it is not there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if found.exists() {
        return Some(found);
    }
    say(&format!("NOT RUN: `../shared/data/{name}` is not there, nothing was compared"));
    None
}

/// Every file of real records with its lines that are not blank.
pub(crate) fn record_files() -> Option<Vec<(PathBuf, Vec<String>)>> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(shared("cloudtrail")?).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    found.sort();
    let lines = |path: &PathBuf| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    };
    let files: Vec<_> = found.into_iter().map(|path| (path.clone(), lines(&path))).collect();
    assert!(!files.is_empty(), "the folder of real records has no `.jsonl` file");
    assert!(files.iter().all(|(_, lines)| !lines.is_empty()), "a file of real records is empty");
    Some(files)
}

/// The documents that vendors publish for their customers' roles, each with the vendor's name: `permissions` or `trust`.
pub(crate) fn published(kind: &str) -> Option<Vec<(String, Value)>> {
    let path = shared("vendor-policies/vendor-policies.json")?;
    let vendors: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let of_vendor = |vendor: &Value| -> Vec<(String, Value)> {
        let name = vendor["vendor"].as_str().unwrap();
        let entries = vendor[kind].as_array().unwrap().iter();
        entries.map(|entry| (name.to_owned(), rendered(&entry["document"]))).collect()
    };
    let documents: Vec<_> = vendors.iter().flat_map(of_vendor).collect();
    assert!(!documents.is_empty(), "no `{kind}` documents of vendors");
    Some(documents)
}

/// The vendors as they stand in the file: name, and the entries of `trust` and `permissions` with path and document.
pub(crate) fn vendors() -> Option<Vec<Value>> {
    let vendors: Vec<Value> =
        serde_json::from_slice(&fs::read(shared("vendor-policies/vendor-policies.json")?).unwrap()).unwrap();
    assert!(!vendors.is_empty(), "no vendors");
    Some(vendors)
}

/// The document as CloudFormation would leave it: the first branch of each condition, some ARN for every other function.
fn rendered(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(rendered).collect(),
        Value::Object(map) => match map.iter().next() {
            Some((key, branches)) if key == "Fn::If" => rendered(&branches[1]),
            Some((key, _)) if key.starts_with("Fn::") || key == "Ref" => Value::from("arn:aws:s3:::from-a-template"),
            _ => map.iter().map(|(key, value)| (key.clone(), rendered(value))).collect(),
        },
        other => other.clone(),
    }
}
