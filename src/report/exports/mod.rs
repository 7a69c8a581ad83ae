//! The findings for other programs: a spreadsheet (CSV), code scanning (SARIF), and SIEMs (OCSF).
//!
//! All three hold the same findings in the same order, gravest first, suppressed ones included and marked as each form marks
//! them. Every text in a finding may be a stranger's (S43); none of the forms gets a secret that `report.json` does not show.

mod ocsf;
mod rules;
mod sarif;
mod table;

use serde_json::Value;

use super::formats::{Format, Formats};
use super::{OutputFile, RenderError};
use crate::finding::assessment::{Assessment, Finding};

/// Path of the spreadsheet.
pub const CSV: &str = "findings.csv";
/// Path of the findings for code scanning.
pub const SARIF: &str = "findings.sarif";
/// Path of the findings for SIEMs.
pub const OCSF: &str = "findings.ocsf.jsonl";

/// The severities, gravest first.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// Renders the spreadsheet.
#[must_use]
pub fn csv(assessment: &Assessment) -> OutputFile {
    OutputFile::new(CSV, table::render(&ordered(assessment)))
}

/// Renders the findings for code scanning, each of which points at a page among the wanted outputs.
///
/// # Errors
/// [`RenderError`], which no input should bring about.
pub fn sarif(assessment: &Assessment, wanted: &Formats) -> Result<OutputFile, RenderError> {
    super::json::pretty(SARIF, &sarif::log(assessment, &ordered(assessment), page(wanted)))
}

/// The page that a person reads: the text, else the pages, else what is written in any case.
fn page(wanted: &Formats) -> &'static str {
    if wanted.has(Format::Markdown) {
        "report.md"
    } else if wanted.has(Format::Html) {
        "report/index.html"
    } else {
        super::json::PATH
    }
}

/// Renders the findings for SIEMs, one a line.
///
/// # Errors
/// [`RenderError`], which no input should bring about.
pub fn ocsf(assessment: &Assessment) -> Result<OutputFile, RenderError> {
    let mut bytes = Vec::new();
    for finding in ordered(assessment) {
        let event = ocsf::event(assessment, finding);
        serde_json::to_writer(&mut bytes, &event)
            .map_err(|source| RenderError::Json { path: OCSF.to_owned(), source })?;
        bytes.push(b'\n');
    }
    Ok(OutputFile::new(OCSF, bytes))
}

/// Gravest first, then by code and subject.
fn ordered(assessment: &Assessment) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = assessment.findings.iter().collect();
    findings.sort_by_key(|finding| (rank(&finding.severity), &finding.code, &finding.subject, &finding.id));
    findings
}

/// 0 for the gravest severity.
fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len())
}

/// The object with one more member, if there is a value for it.
fn with(mut object: Value, key: &str, value: Option<Value>) -> Value {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(key.to_owned(), value);
    }
    object
}

/// The last part of an ARN, or the whole of another subject.
fn name_of(subject: &str) -> &str {
    let last = || subject.rsplit(['/', ':']).next().filter(|name| !name.is_empty());
    if subject.starts_with("arn:") { last().unwrap_or(subject) } else { subject }
}
