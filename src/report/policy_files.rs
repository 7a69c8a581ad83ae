//! The documents of a role's policies: as they are, as proposed, and the difference.
//!
//! A proposal is written only when the role's right-sizing is `proposed` (S37): one that failed its replay must not lie
//! where somebody could apply it. One that had to be split (S36) has its further parts beside the first.

use serde_json::Value;

use crate::finding::assessment::{PolicyFiles, PolicyReport, RoleReport};
use crate::policy::diff::unified;

use super::{OutputFile, RenderError, json, paths};

/// Renders the files of all policies of a role into `files` and notes their paths in the role.
///
/// # Errors
/// [`RenderError::Json`].
pub fn render(role: &mut RoleReport, folder: &str, files: &mut Vec<OutputFile>) -> Result<(), RenderError> {
    let proposed = role.rightsizing.status == "proposed";
    for (stem, policy) in paths::policy_stems(&role.policies).iter().zip(&mut role.policies) {
        policy.files = render_policy(policy, proposed, &format!("{folder}/{stem}"), files)?;
    }
    Ok(())
}

fn render_policy(
    policy: &PolicyReport,
    proposed: bool,
    base: &str,
    files: &mut Vec<OutputFile>,
) -> Result<PolicyFiles, RenderError> {
    let mut paths = PolicyFiles::default();
    if policy.current.is_null() {
        return Ok(paths);
    }
    let current = add(files, format!("{base}.current.json"), &policy.current)?;
    let changed = proposed && matches!(policy.proposal.as_str(), "edited" | "replaced" | "emptied");
    if changed {
        let mut diff = String::new();
        let mut before = (current.path.clone(), text(&current));
        for (at, part) in policy.rightsized.iter().enumerate() {
            let path = match at {
                0 => format!("{base}.rightsized.json"),
                _ => format!("{base}.rightsized-{}.json", at + 1),
            };
            let file = add(files, path.clone(), part)?;
            diff.push_str(&unified((&before.0, &before.1), (&path, &text(&file))));
            before = (NOTHING.0.to_owned(), NOTHING.1.to_owned());
            match at {
                0 => paths.rightsized = Some(path),
                _ => paths.further.push(path),
            }
        }
        if policy.rightsized.is_empty() {
            diff = unified((&before.0, &before.1), NOTHING);
        }
        let path = format!("{base}.diff");
        files.push(OutputFile::new(path.clone(), diff));
        paths.diff = Some(path);
    }
    paths.current = Some(current.path);
    Ok(paths)
}

/// What to add to a finding's advice that names documents of a role, where they are not written.
pub(super) fn unwritten(advice: &str) -> &'static str {
    const NAMED: [&str; 3] = ["`*.rightsized.json`", "`boundary.json`", "`deny.json`"];
    if NAMED.iter().any(|name| advice.contains(name)) { " `--format policies` writes these files." } else { "" }
}

fn add(files: &mut Vec<OutputFile>, path: String, document: &Value) -> Result<OutputFile, RenderError> {
    let file = json::pretty(&path, document)?;
    files.push(file.clone());
    Ok(file)
}

/// The header and text of a side that is not there.
const NOTHING: (&str, &str) = ("/dev/null", "");

fn text(file: &OutputFile) -> String {
    String::from_utf8_lossy(&file.bytes).into_owned()
}
