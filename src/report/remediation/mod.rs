//! The remediation of one role: scripts, Terraform and CloudFormation that a person applies, and the text of a pull request.
//!
//! Written only for a proposal whose replay passed (S37). Nothing here is run by this program: each script shows what it
//! would change and changes nothing unless it is told to. Names are strangers' and are quoted as each language wants it (S43).

mod cloudformation;
pub(super) mod plan;
mod script;
mod terraform;

use super::{OutputFile, RenderError, markdown};
use crate::finding::assessment::{Assessment, RemediationFiles, RoleReport};

/// Names the files of a role's remediation in its report, if anything is proposed, and renders all but the pull request.
///
/// # Errors
/// [`RenderError`], which no input should bring about.
pub fn render(role: &mut RoleReport, folder: &str, files: &mut Vec<OutputFile>) -> Result<(), RenderError> {
    role.rightsizing.remediation = RemediationFiles::default();
    let steps = plan::steps(role);
    if steps.is_empty() {
        return Ok(());
    }
    let mut named = RemediationFiles { pull_request: Some(pull_request_path(folder)), ..RemediationFiles::default() };
    let mut add = |name: &str, text: String| {
        let path = format!("{folder}/{name}");
        files.push(OutputFile::new(path.clone(), text));
        Some(path)
    };
    if script::can_be_written(role, &steps) {
        named.apply = add("apply.sh", script::apply(role, &steps));
        named.rollback = add("rollback.sh", script::rollback(role, &steps));
    }
    named.terraform = add("rightsized.tf", terraform::terraform(role, &steps));
    if let Ok(Some(template)) = cloudformation::cloudformation(role, &steps) {
        named.cloudformation = add("rightsized.cfn.json", template);
    }
    role.rightsizing.remediation = named;
    Ok(())
}

/// The text of the pull request of a role, if anything is proposed.
#[must_use]
pub fn pull_request(assessment: &Assessment, role: &RoleReport, folder: &str) -> Option<OutputFile> {
    role.rightsizing.remediation.pull_request.as_ref()?;
    Some(OutputFile::new(pull_request_path(folder), markdown::pull_request::render(assessment, role, folder)))
}

fn pull_request_path(folder: &str) -> String {
    format!("{folder}/pull-request.md")
}
