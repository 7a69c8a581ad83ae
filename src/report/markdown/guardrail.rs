//! The guard-rail for one role: what it takes, and how a person puts one of its two documents in place.
//!
//! A command is shown only when no name in it needs quoting (S43). An existing boundary is not edited, because other roles
//! may have it too: the role gets one of its own.

use crate::aws::Arn;
use crate::finding::assessment::{Guardrail, RoleReport};

use super::super::escape::{code, shell_word, text};
use super::page::{Page, count};

/// Action names shown.
const NAMES_SHOWN: usize = 12;

/// Writes the section, if there is a guard-rail or a reason why there is none.
pub(super) fn render(page: &mut Page, role: &RoleReport) {
    let guardrail = &role.rightsizing.guardrail;
    // Where nothing is judged at all, the section on the proposal has said why.
    if guardrail.status != "proposed" && guardrail.taken == 0 {
        return;
    }
    page.heading(4, "If the policy must stay as it is");
    let reason = guardrail.reason.as_deref().map_or(String::new(), |reason| format!(" ({})", text(reason)));
    let actions = count(guardrail.taken, "dangerous unused action");
    if guardrail.status != "proposed" {
        page.paragraph(&format!("A guard-rail that takes {actions} is withheld{reason}."));
        return;
    }
    page.paragraph(&format!("**A guard-rail takes {actions} and nothing else**{reason}: {}.", names(guardrail)));
    proof(page, guardrail);
    let files = &guardrail.files;
    if files.boundary.is_some() && files.deny.is_some() {
        page.paragraph("There are two forms of it; one is enough.");
    }
    if let Some(path) = &files.boundary {
        let old = guardrail.replaces_boundary.as_deref();
        let old = old.map_or(String::new(), |arn| format!(", which holds all of {} and takes its place", code(arn)));
        page.paragraph(&format!("As a permissions boundary, {}{old}:", code(path)));
        steps(page, boundary_steps(role, path));
    }
    if let Some(path) = &files.deny {
        let further: Vec<String> = files.further.iter().map(|path| format!(", {}", code(path))).collect();
        let all = if further.is_empty() { "" } else { " (all of them are needed)" };
        page.paragraph(&format!("As a deny policy, {}{}{all}:", code(path), further.concat()));
        steps(page, deny_steps(role, guardrail));
    }
}

fn names(guardrail: &Guardrail) -> String {
    let actions = &guardrail.actions;
    let mut names: Vec<String> = actions.iter().take(NAMES_SHOWN).map(|action| code(action.as_str())).collect();
    names.extend((actions.len() > NAMES_SHOWN).then(|| format!("{} more", actions.len() - NAMES_SHOWN)));
    names.join(", ")
}

fn proof(page: &mut Page, guardrail: &Guardrail) {
    let Some(proof) = guardrail.certificate.deny.as_ref().or(guardrail.certificate.boundary.as_ref()) else { return };
    page.paragraph(&format!(
        "Replay: {} distinct calls replayed, {} allowed as before, {} undecidable before and after; {} of {} granted \
         actions stay, {} newly allowed.",
        proof.calls_replayed,
        proof.calls_allowed,
        proof.undecidable,
        proof.granted_after,
        proof.granted_before,
        proof.newly_allowed
    ));
}

fn steps(page: &mut Page, steps: Option<Vec<String>>) {
    match steps {
        Some(steps) => page.steps(steps.into_iter().map(|step| format!("`{step}`"))),
        None => page.paragraph("A name here would need quoting on a command line; apply it in the console."),
    }
}

/// The commands for the boundary, or nothing when a name in them would need quoting.
pub(in crate::report) fn boundary_steps(role: &RoleReport, path: &str) -> Option<Vec<String>> {
    let (role_name, path) = (shell_word(&role.name)?, shell_word(path)?);
    let name = shell_word(role.rightsizing.guardrail.names.boundary.as_deref()?)?;
    let arn = own_arn(role, name)?;
    Some(vec![
        format!("aws iam create-policy --policy-name {name} --policy-document file://{path}"),
        format!("aws iam put-role-permissions-boundary --role-name {role_name} --permissions-boundary {arn}"),
    ])
}

/// The commands for the deny policy, likewise.
pub(in crate::report) fn deny_steps(role: &RoleReport, guardrail: &Guardrail) -> Option<Vec<String>> {
    let role_name = shell_word(&role.name)?;
    let mut steps = Vec::new();
    for (path, name) in guardrail.files.deny.iter().chain(&guardrail.files.further).zip(&guardrail.names.deny) {
        let (path, name) = (shell_word(path)?, shell_word(name)?);
        if guardrail.deny_kind.as_deref() == Some("inline") {
            steps.push(format!(
                "aws iam put-role-policy --role-name {role_name} --policy-name {name} --policy-document file://{path}"
            ));
            continue;
        }
        let arn = own_arn(role, name)?;
        steps.push(format!("aws iam create-policy --policy-name {name} --policy-document file://{path}"));
        steps.push(format!("aws iam attach-role-policy --role-name {role_name} --policy-arn {arn}"));
    }
    Some(steps)
}

/// The ARN that a managed policy of this name gets in the role's account.
fn own_arn(role: &RoleReport, name: &str) -> Option<String> {
    let partition = Arn::parse(&role.arn).map_or("aws", |arn| arn.partition);
    Some(format!("arn:{}:iam::{}:policy/{name}", shell_word(partition)?, role.account_id))
}
