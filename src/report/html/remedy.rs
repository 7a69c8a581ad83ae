//! What a person copies to apply a proposal, and the files that go with it.

use crate::finding::assessment::RoleReport;

use super::super::escape::shell_word;
use super::super::markdown::{apply, guardrail, trust_narrowing};
use super::super::remediation::plan;
use super::lists::{Room, Shown, Weighed, within};
use super::site::Site;
use super::words::{Long, weight};

/// Steps on a page.
const STEPS: Room = Room { rows: 40, bytes: 60_000 };
/// Files named on a page.
const FILES: Room = Room { rows: 200, bytes: 60_000 };

/// Commands for one thing to do, or the word that a name in them would need quoting.
pub(super) struct Step {
    /// What it does.
    pub(super) title: String,
    /// What it is done to.
    pub(super) name: Option<Long>,
    /// One command each; none where somebody must use the console.
    pub(super) commands: Vec<String>,
}

/// A file of the role's folder.
pub(super) struct FileLink {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) what: &'static str,
}

impl Weighed for Step {
    fn weight(&self) -> usize {
        300 + self.name.as_ref().map_or(0, Long::weight) + self.commands.iter().map(|one| weight(one)).sum::<usize>()
    }
}

impl Weighed for FileLink {
    fn weight(&self) -> usize {
        100 + self.name.len() + self.href.len() + self.what.len()
    }
}

/// The steps to the proposed policies, and how many more there are.
pub(super) fn steps(role: &RoleReport) -> Shown<Step> {
    if role.rightsizing.status != "proposed" {
        return Shown { rows: Vec::new(), more: 0 };
    }
    let step = |step: &plan::Step<'_>| Step {
        title: "Policy".to_owned(),
        name: Some(Long::of(&step.policy.name)),
        commands: apply::commands(role, step).unwrap_or_default(),
    };
    within(plan::steps(role).iter().map(step).collect(), STEPS)
}

/// The scripts that do all of it and take it back, where they were written.
pub(super) fn scripts(role: &RoleReport) -> Vec<Step> {
    let files = &role.rightsizing.remediation;
    let (Some(apply), Some(rollback)) = (files.apply.as_deref(), files.rollback.as_deref()) else { return Vec::new() };
    let step = |title: &str, path: &str, flag: &str| Step {
        title: title.to_owned(),
        name: None,
        commands: shell_word(path).map(|path| format!("sh {path}{flag}")).into_iter().collect(),
    };
    vec![
        step("Show what would change", apply, ""),
        step("Change it", apply, " --apply"),
        step("The way back", rollback, " --apply"),
    ]
}

/// The steps to a guard-rail, where the policy must stay as it is; one form of it is enough.
pub(super) fn guardrail_steps(role: &RoleReport) -> Vec<Step> {
    let guardrail = &role.rightsizing.guardrail;
    let boundary = guardrail.files.boundary.as_deref().map(|path| Step {
        title: "As a permissions boundary".to_owned(),
        name: None,
        commands: guardrail::boundary_steps(role, path).unwrap_or_default(),
    });
    let deny = guardrail.files.deny.is_some().then(|| Step {
        title: "As a deny policy".to_owned(),
        name: None,
        commands: guardrail::deny_steps(role, guardrail).unwrap_or_default(),
    });
    boundary.into_iter().chain(deny).collect()
}

/// The steps to a narrower trust policy and back.
pub(super) fn trust_steps(role: &RoleReport) -> Vec<Step> {
    let files = role.trust_narrowing.as_deref().map(|report| &report.files);
    let Some((Some(current), Some(narrowed))) = files.map(|files| (files.current.as_ref(), files.narrowed.as_ref()))
    else {
        return Vec::new();
    };
    let step = |title: &str, path: &str| Step {
        title: title.to_owned(),
        name: None,
        commands: trust_narrowing::step(role, path).into_iter().collect(),
    };
    vec![step("There", narrowed), step("The way back", current)]
}

/// Every file in the role's folder, those that a person runs or applies as a whole first.
pub(super) fn files<'a>(site: &Site<'a>, folder: &'a str, up: &str) -> Shown<FileLink> {
    let mut files: Vec<FileLink> = site
        .files_in(folder)
        .map(|(path, name)| FileLink { name: name.to_owned(), href: format!("{up}{path}"), what: what(name) })
        .collect();
    files.sort_by_key(|file| rank(&file.name));
    within(files, FILES)
}

/// Files by the ends of their names, the most telling first.
const KINDS: [(&str, &str); 18] = [
    ("apply.sh", "applies the proposal with the AWS CLI; shows what it would do unless it is told to act"),
    ("rollback.sh", "puts the policies back as they are today"),
    ("rightsized.tf", "the right-sized policies for Terraform"),
    ("rightsized.cfn.json", "the right-sized policies for CloudFormation"),
    ("pull-request.md", "the text of a pull request"),
    ("certificate.json", "why each action goes or stays, and the replay"),
    ("boundary.json", "a permissions boundary that takes the dangerous unused actions"),
    ("deny.json", "a deny policy that takes the dangerous unused actions"),
    ("trust.narrowed.json", "the narrower trust policy"),
    ("trust.narrowed.template.json", "the narrower trust policy, to be filled in"),
    ("trust.current.json", "the trust policy as it is"),
    ("trust.diff", "the difference of the trust policies"),
    (".rightsized.json", "a policy as proposed"),
    (".current.json", "a policy as it is: the way back"),
    (".diff", "the difference of a policy"),
    (".tf", "for Terraform"),
    (".sh", "a script; read it before it is run"),
    (".json", "a policy document"),
];

fn rank(name: &str) -> usize {
    KINDS.iter().position(|(end, _)| name.ends_with(end)).unwrap_or(KINDS.len())
}

fn what(name: &str) -> &'static str {
    KINDS.get(rank(name)).map_or("", |(_, what)| what)
}
