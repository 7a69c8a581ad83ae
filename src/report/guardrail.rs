//! The documents of a role's guard-rail: a permissions boundary and a deny policy, of which a person applies one.
//!
//! Written only for a guard-rail whose replay passed, as with a right-sizing: what failed must not lie where somebody could
//! apply it (S37).

use crate::finding::assessment::RoleReport;

use super::{OutputFile, RenderError, json};

/// Renders the documents into `files` and notes their paths in the role.
///
/// # Errors
/// [`RenderError::Json`].
pub fn render(role: &mut RoleReport, folder: &str, files: &mut Vec<OutputFile>) -> Result<(), RenderError> {
    let guardrail = &mut role.rightsizing.guardrail;
    if guardrail.status != "proposed" {
        return Ok(());
    }
    if let Some(document) = &guardrail.boundary {
        let path = format!("{folder}/boundary.json");
        files.push(json::pretty(&path, document)?);
        guardrail.files.boundary = Some(path);
    }
    guardrail.files.further.clear();
    for (at, document) in guardrail.deny.iter().enumerate() {
        let path = match at {
            0 => format!("{folder}/deny.json"),
            _ => format!("{folder}/deny-{}.json", at + 1),
        };
        files.push(json::pretty(&path, document)?);
        match at {
            0 => guardrail.files.deny = Some(path),
            _ => guardrail.files.further.push(path),
        }
    }
    Ok(())
}
