//! The evidence pack: what a report was made of and how sure it is, for somebody who must answer for it later.
//!
//! Equal inputs give equal bytes: a pack tells nothing of times, threads and memory. What is in it is bound together by
//! `SHA256SUMS`, whose own hash stands on the page that is signed.

use serde_json::{Map, Value, json};

use crate::aws::window::rfc3339;
use crate::finding::assessment::Assessment;
use crate::finding::keep::KeepOutcome;
use crate::finding::suppress::SuppressionOutcome;

pub use super::html::sign_off::render as sign_off;
use super::json::pretty;
use super::{OutputFile, RenderError, spreadsheet};

/// What the report was made of, by which a pack is known.
pub const MANIFEST: &str = "manifest.json";
/// What such a file says of itself.
pub const SCHEMA: &str = "thirdtrail.pack/1";
/// The log objects, one a line.
pub const OBJECTS: &str = "inputs/objects.csv";
/// The hash of every file, as `sha256sum` writes and checks them.
pub const SUMS: &str = "SHA256SUMS";
/// The page that is signed.
pub const SIGN_OFF: &str = "sign-off.html";

/// A file that the report was made of.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// As it was named.
    pub path: &'a str,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: &'a str,
}

impl<'a> Input<'a> {
    /// Of that name, size and hash.
    #[must_use]
    pub fn new(path: &'a str, bytes: u64, sha256: &'a str) -> Self {
        Self { path, bytes, sha256 }
    }
}

/// What the report was made of.
#[derive(Debug)]
pub struct Origin<'a> {
    /// Where the trail lies, as it was named.
    pub source: &'a str,
    /// The options of the run, as `run.json` tells them.
    pub options: Option<&'a Map<String, Value>>,
    /// What was read beside the trail.
    pub inputs: Vec<Input<'a>>,
    /// The list of objects in the pack.
    pub objects: Option<Input<'a>>,
    /// What became of each keep rule.
    pub keep: &'a [KeepOutcome],
    /// What became of each suppression.
    pub suppressions: &'a [SuppressionOutcome],
    /// Outputs that are not in the pack.
    pub left_out: u64,
}

/// One line of the list of objects: key, size and hash as delivered, records, and why it could not be read.
#[must_use]
pub fn object_line(key: &str, bytes: u64, sha256: &str, records: Option<u64>, problem: &str) -> Vec<u8> {
    let records = records.map(|records| records.to_string()).unwrap_or_default();
    spreadsheet::line([key, &bytes.to_string(), sha256, &records, problem])
}

/// The first line of that list.
#[must_use]
pub fn object_header() -> Vec<u8> {
    spreadsheet::line(["object", "bytes", "sha256", "records", "problem"])
}

/// The manifest: `facts` of the run, what was judged, and the outputs that are not in the pack.
///
/// # Errors
/// [`RenderError::Json`].
pub fn manifest(
    assessment: &Assessment,
    facts: &Map<String, Value>,
    left_out: &[Value],
) -> Result<OutputFile, RenderError> {
    let mut manifest = Map::from_iter([
        ("schema".to_owned(), json!(SCHEMA)),
        ("window".to_owned(), json!(assessment.window)),
        ("as_of".to_owned(), json!(rfc3339(assessment.as_of))),
    ]);
    manifest.extend(facts.clone());
    manifest.insert("outputs_not_in_the_pack".to_owned(), json!(left_out));
    pretty(MANIFEST, &manifest)
}

/// `SHA256SUMS` of files, each given by path and hash, in their order.
#[must_use]
pub fn sums<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> OutputFile {
    let lines: String = files.into_iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect();
    OutputFile::new(SUMS, lines)
}
