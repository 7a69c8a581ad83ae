//! Two reports compared, and findings that an earlier report has already: reads the files.

use std::path::Path;

use crate::finding::assessment::Assessment;
use crate::finding::compare::changes::Comparison;
use crate::finding::compare::snapshot::Snapshot;
use crate::finding::compare::{by_id, compare, is_known};
use crate::report::changes;

use super::UserError;
use super::inputs::{InputFile, read_text};

/// The name of the report in an output folder.
const REPORT: &str = "report.json";

/// A comparison and how it is told.
#[derive(Debug)]
pub struct Compared(Comparison);

impl Compared {
    /// Compares two reports, each a `report.json` or the folder that holds one.
    ///
    /// # Errors
    /// The first of the two that is no report.
    pub fn read(old: &Path, new: &Path) -> Result<Self, UserError> {
        let ((old, _), (new, _)) = (report(old)?, report(new)?);
        Ok(Self(compare(&old, &new)))
    }

    /// What changed.
    #[must_use]
    pub fn comparison(&self) -> &Comparison {
        &self.0
    }

    /// For people: lines, in which strangers' text stands as it was written.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        changes::lines(&self.0)
    }

    /// A page.
    #[must_use]
    pub fn markdown(&self) -> String {
        changes::markdown(&self.0)
    }
}

/// Reads a report.
///
/// # Errors
/// It cannot be read, or is none.
pub fn report(path: &Path) -> Result<(Snapshot, InputFile), UserError> {
    let path = if path.is_dir() { path.join(REPORT) } else { path.to_owned() };
    let refuse = |reason: String| {
        let what = format!("cannot read report `{}`: {reason}", path.display());
        UserError::new(what, "give the `report.json` that `thirdtrail analyze` wrote")
    };
    let (text, file) = read_text(&path).map_err(refuse)?;
    let snapshot = Snapshot::read(&text).map_err(|error| refuse(error.to_string()))?;
    Ok((snapshot, file))
}

/// Marks the findings that an earlier report has already.
pub(super) fn mark_known(assessment: &mut Assessment, baseline: &Snapshot) {
    let known = by_id(baseline);
    for finding in &mut assessment.findings {
        finding.known = Some(is_known(&known, &finding.id, &finding.severity));
    }
}
