//! How a person applies the proposal for one role, policy by policy.
//!
//! A command is shown only when no name in it needs quoting (S43).

use crate::finding::assessment::{PolicyReport, RoleReport};

use super::super::escape::{code, shell_word, text};
use super::super::remediation::plan::{Change, Step, steps};
use super::page::{Page, count};

/// Names of other roles shown.
const OTHERS_SHOWN: usize = 20;

/// Writes the section, if anything is proposed.
pub(super) fn render(page: &mut Page, role: &RoleReport) {
    if role.rightsizing.status != "proposed" {
        return;
    }
    page.heading(4, "How to apply it");
    if role.policies.iter().all(|policy| policy.files.current.is_none()) {
        page.paragraph("The documents of the proposal were not written by this run; `--format policies` writes them.");
        return;
    }
    let files = &role.rightsizing.remediation;
    if let (Some(apply), Some(rollback)) = (&files.apply, &files.rollback) {
        page.paragraph(&format!(
            "{} shows what would change in the account as it is now, and with `--apply` changes it; {} takes it back. For \
             a pull request: {}. By hand:",
            code(apply),
            code(rollback),
            code(files.pull_request.as_deref().unwrap_or_default())
        ));
    }
    let steps = steps(role);
    for policy in &role.policies {
        let step = steps.iter().find(|step| std::ptr::eq(step.policy, policy));
        render_policy(page, role, policy, step);
    }
    page.paragraph("The `.current.json` files are the way back. Watch for denied calls afterwards.");
}

fn render_policy(page: &mut Page, role: &RoleReport, policy: &PolicyReport, step: Option<&Step<'_>>) {
    let files = &policy.files;
    let kind = policy.kind.replace('_', " ");
    let size = policy.rightsized_size.map_or(String::new(), |size| format!(", {size} bytes without white space"));
    page.paragraph(&format!("{} ({}): {}{size}.", code(&policy.name), text(&kind), text(&policy.proposal)));
    if policy.proposal == "unchanged" {
        return;
    }
    page.list(
        [("before", files.current.as_ref()), ("after", files.rightsized.as_ref()), ("difference", files.diff.as_ref())]
            .into_iter()
            .chain(files.further.iter().map(|path| ("after, further part", Some(path))))
            .filter_map(|(what, path)| path.map(|path| format!("{what}: {}", code(path)))),
    );
    if !policy.also_attached_to.is_empty() {
        let others = policy.also_attached_to.iter().take(OTHERS_SHOWN).map(|name| code(name)).collect::<Vec<_>>();
        page.paragraph(&format!(
            "Also attached to {}: {}. They keep it as it is.",
            count(policy.also_attached_to.len() as u64, "other"),
            others.join(", ")
        ));
    }
    let Some(step) = step else { return };
    let Some(steps) = commands(role, step) else {
        page.paragraph("A name here would need quoting on a command line; apply it in the console.");
        return;
    };
    page.steps(steps.into_iter().map(|step| format!("`{step}`")));
}

/// The commands in order, or nothing when a name in them would need quoting.
pub(in crate::report) fn commands(role: &RoleReport, step: &Step<'_>) -> Option<Vec<String>> {
    let role_name = shell_word(&role.name)?;
    let name = shell_word(&step.policy.name)?;
    let document = |part: usize| shell_word(step.path(part));
    match &step.change {
        Change::PutInline => Some(vec![format!(
            "aws iam put-role-policy --role-name {role_name} --policy-name {name} --policy-document file://{}",
            document(0)?
        )]),
        Change::NewVersion(arn) => Some(vec![format!(
            "aws iam create-policy-version --policy-arn {} --policy-document file://{} --set-as-default",
            shell_word(arn)?,
            document(0)?
        )]),
        Change::Replace(own) => {
            let mut steps = Vec::new();
            for one in own {
                let (own, arn, path) = (shell_word(&one.name)?, shell_word(&one.arn)?, document(one.part)?);
                steps.push(format!("aws iam create-policy --policy-name {own} --policy-document file://{path}"));
                steps.push(format!("aws iam attach-role-policy --role-name {role_name} --policy-arn {arn}"));
            }
            steps.push(match step.policy.arn.as_deref() {
                Some(arn) => {
                    format!("aws iam detach-role-policy --role-name {role_name} --policy-arn {}", shell_word(arn)?)
                }
                None => format!("aws iam delete-role-policy --role-name {role_name} --policy-name {name}"),
            });
            Some(steps)
        }
    }
}
