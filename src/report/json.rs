//! `report.json`: the assessment as it is, for machines.

use serde::Serialize;

use crate::finding::assessment::Assessment;

use super::{OutputFile, RenderError};

/// The path of the report.
pub const PATH: &str = "report.json";

/// Renders `report.json`; the paths of policy files must have been filled in before.
///
/// # Errors
/// [`RenderError::Json`].
pub fn render(assessment: &Assessment) -> Result<OutputFile, RenderError> {
    pretty(PATH, assessment)
}

/// A JSON file for people and machines: indented, its keys in their order, with a newline at its end.
///
/// # Errors
/// [`RenderError::Json`].
pub fn pretty<T: Serialize>(path: &str, value: &T) -> Result<OutputFile, RenderError> {
    match serde_json::to_vec_pretty(value) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            Ok(OutputFile::new(path, bytes))
        }
        Err(source) => Err(RenderError::Json { path: path.to_owned(), source }),
    }
}
