//! What is to be done with each policy of a role, before it is written in anybody's language.
//!
//! A managed policy that others have too, or that AWS owns, is not edited: this role gets a policy of its own, attached
//! before the old one is detached, so that it is never without (S33). An inline policy that no longer fits beside the
//! others of its role becomes managed policies (S36).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::aws::Arn;
use crate::finding::assessment::{PolicyReport, RoleReport};
use crate::policy::document::size_characters;
use crate::policy::size::PolicyKind;

/// IAM's longest policy name.
const POLICY_NAME_CHARS: usize = 128;

/// One policy and what is to be done with it.
pub(in crate::report) struct Step<'a> {
    /// The policy.
    pub(in crate::report) policy: &'a PolicyReport,
    /// What.
    pub(in crate::report) change: Change<'a>,
}

/// What is to be done with a policy.
pub(in crate::report) enum Change<'a> {
    /// The inline policy gets another document.
    PutInline,
    /// The managed policy of this ARN, which nobody else has, gets another default version.
    NewVersion(&'a str),
    /// Policies for this role alone take its place; none where nothing is left of it.
    Replace(Vec<OwnPolicy>),
}

/// A new managed policy for one role.
pub(in crate::report) struct OwnPolicy {
    /// Its name.
    pub(in crate::report) name: String,
    /// Its ARN to be.
    pub(in crate::report) arn: String,
    /// Which of the policy's documents.
    pub(in crate::report) part: usize,
}

impl Step<'_> {
    /// The path of the document of a part.
    pub(in crate::report) fn path(&self, part: usize) -> &str {
        let files = &self.policy.files;
        let path = match part.checked_sub(1) {
            None => files.rightsized.as_ref(),
            Some(further) => files.further.get(further),
        };
        path.map_or("", String::as_str)
    }

    /// The document of a part.
    pub(in crate::report) fn document(&self, part: usize) -> &Value {
        self.policy.rightsized.get(part).unwrap_or(&Value::Null)
    }
}

/// The path in the ARN of a managed policy, `/` for most.
pub(in crate::report) fn path_of(arn: &str) -> &str {
    let resource = Arn::parse(arn).and_then(|arn| arn.resource.strip_prefix("policy")).unwrap_or("/");
    resource.rfind('/').and_then(|end| resource.get(..=end)).unwrap_or("/")
}

/// The steps of a role, in the order in which they are to be made; none when nothing is proposed.
pub(in crate::report) fn steps(role: &RoleReport) -> Vec<Step<'_>> {
    if role.rightsizing.status != "proposed" {
        return Vec::new();
    }
    let inline = role.policies.iter().filter(|policy| policy.kind == "inline");
    let size = |policy: &PolicyReport| match policy.proposal.as_str() {
        "unchanged" => size_characters(&policy.current),
        _ => policy.rightsized.iter().map(size_characters).sum(),
    };
    let inline_fits = inline.map(size).sum::<usize>() <= PolicyKind::Inline.limit_characters();
    let mut taken = BTreeSet::new();
    let changed = role.policies.iter().filter(|policy| policy.proposal != "unchanged" && policy.files.diff.is_some());
    let mut steps: Vec<Step<'_>> =
        changed.map(|policy| Step { policy, change: change(role, policy, inline_fits, &mut taken) }).collect();
    steps.sort_by_key(place);
    steps
}

/// Where a step stands, so that no quota is exceeded between two steps that neither end exceeds: the inline policies of a role
/// count together, and so do the managed ones that it has. What makes room comes first, and last on the way back.
fn place(step: &Step<'_>) -> (u8, i64) {
    let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    match (&step.change, &step.policy.arn) {
        (Change::Replace(own), Some(_)) if own.is_empty() => (0, 0),
        (Change::PutInline, _) => {
            (1, signed(size_characters(step.document(0))) - signed(size_characters(&step.policy.current)))
        }
        (Change::Replace(_), None) => (1, -signed(size_characters(&step.policy.current))),
        (Change::NewVersion(_), _) => (2, 0),
        (Change::Replace(own), Some(_)) => (2, signed(own.len())),
    }
}

fn change<'a>(
    role: &RoleReport,
    policy: &'a PolicyReport,
    inline_fits: bool,
    taken: &mut BTreeSet<String>,
) -> Change<'a> {
    if policy.rightsized.len() == 1 {
        match policy.arn.as_deref() {
            None if inline_fits => return Change::PutInline,
            Some(arn) if policy.proposal == "edited" && policy.also_attached_to.is_empty() => {
                return Change::NewVersion(arn);
            }
            _ => {}
        }
    }
    let partition = Arn::parse(&role.arn).map_or("aws", |arn| arn.partition);
    let base = own_name(&role.name, &policy.name);
    let mut own = Vec::new();
    for part in 0..policy.rightsized.len() {
        let names = (0..).map(|at| part_name(&base, at));
        let Some(name) = names.into_iter().find(|name| !taken.contains(name)) else { continue };
        taken.insert(name.clone());
        let arn = format!("arn:{partition}:iam::{}:policy/{name}", role.account_id);
        own.push(OwnPolicy { name, arn, part });
    }
    Change::Replace(own)
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
