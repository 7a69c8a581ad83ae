//! How a person applies the proposal for one role, policy by policy.
//!
//! A managed policy that others have too, or that AWS owns, is not edited: this role gets a policy of its own, attached
//! before the old one is detached, so that it is never without (S33). A command is shown only when no name in it needs
//! quoting (S43).

use crate::aws::Arn;
use crate::finding::assessment::{PolicyReport, RoleReport};

use super::super::escape::{code, shell_word, text};
use super::page::{Page, count};

/// Names of other roles shown.
const OTHERS_SHOWN: usize = 20;
/// IAM's longest policy name.
const POLICY_NAME_CHARS: usize = 128;

/// Writes the section, if anything is proposed.
pub(super) fn render(page: &mut Page, role: &RoleReport) {
    if role.rightsizing.status != "proposed" {
        return;
    }
    page.heading(4, "How to apply it");
    for policy in &role.policies {
        render_policy(page, role, policy);
    }
    page.paragraph("The `.current.json` files are the way back. Watch for denied calls afterwards.");
}

fn render_policy(page: &mut Page, role: &RoleReport, policy: &PolicyReport) {
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
    let Some(steps) = steps(role, policy) else {
        page.paragraph("A name here would need quoting on a command line; apply it in the console.");
        return;
    };
    page.steps(steps.into_iter().map(|step| format!("`{step}`")));
}

/// The commands in order, or nothing when a name in them would need quoting.
pub(in crate::report) fn steps(role: &RoleReport, policy: &PolicyReport) -> Option<Vec<String>> {
    let role_name = shell_word(&role.name)?;
    let name = shell_word(&policy.name)?;
    let documents = policy.files.rightsized.iter().chain(&policy.files.further);
    let documents = documents.map(|path| shell_word(path)).collect::<Option<Vec<&str>>>()?;
    if policy.kind == "inline" {
        if documents.is_empty() {
            return Some(vec![format!("aws iam delete-role-policy --role-name {role_name} --policy-name {name}")]);
        }
        let put = |(at, path): (usize, &&str)| {
            let name = part_name(name, at);
            format!(
                "aws iam put-role-policy --role-name {role_name} --policy-name {name} --policy-document file://{path}"
            )
        };
        return Some(documents.iter().enumerate().map(put).collect());
    }
    let arn = shell_word(policy.arn.as_deref()?)?;
    let alone = policy.kind == "managed" && policy.also_attached_to.is_empty() && policy.proposal == "edited";
    if let ([path], true) = (documents.as_slice(), alone) {
        return Some(vec![format!(
            "aws iam create-policy-version --policy-arn {arn} --policy-document file://{path} --set-as-default"
        )]);
    }
    let mut steps = Vec::new();
    for (at, path) in documents.iter().enumerate() {
        let own = part_name(&own_name(role_name, name), at);
        let partition = Arn::parse(&role.arn).map_or("aws", |arn| arn.partition);
        let own_arn = format!("arn:{}:iam::{}:policy/{own}", shell_word(partition)?, role.account_id);
        steps.push(format!("aws iam create-policy --policy-name {own} --policy-document file://{path}"));
        steps.push(format!("aws iam attach-role-policy --role-name {role_name} --policy-arn {own_arn}"));
    }
    steps.push(format!("aws iam detach-role-policy --role-name {role_name} --policy-arn {arn}"));
    Some(steps)
}

/// The name of a policy for this role alone.
fn own_name(role: &str, policy: &str) -> String {
    let room = POLICY_NAME_CHARS - "-rightsized-00".len();
    let stem: String = format!("{role}-{policy}").chars().take(room).collect();
    format!("{stem}-rightsized")
}

/// The name of the first, second, ... part of a proposal.
fn part_name(name: &str, at: usize) -> String {
    if at == 0 { name.to_owned() } else { format!("{name}-{}", at + 1) }
}
