//! `pull-request.md` of one role: what a platform team pastes into its pull request or ticket.
//!
//! What goes, why that is safe and what nobody could see, how it is applied and taken back, and the difference itself as long
//! as a pull request has room for it.

use std::collections::BTreeMap;

use super::super::certificate::{is_removed, ledger};
use super::super::escape::{code, fenced, text};
use super::super::paths;
use super::super::remediation::plan::{Change, Step, steps};
use super::day;
use super::page::{Page, count, left_out};
use crate::finding::assessment::{Assessment, RoleReport};
use crate::policy::diff::between;

/// Characters of differences shown: GitHub takes 65,536 for a whole pull request.
const DIFF_CHARS: usize = 24_000;
/// Dangerous actions named.
const ACTIONS_SHOWN: usize = 40;
/// Parties and days named.
const SHOWN: usize = 10;

/// Renders the page; `folder` is where the role's files lie.
#[must_use]
pub fn render(assessment: &Assessment, role: &RoleReport, folder: &str) -> String {
    let mut page = Page::default();
    let sizing = &role.rightsizing;
    page.heading(1, &format!("Right-size role {} in account {}", code(&role.name), role.account_id));
    page.paragraph(&format!(
        "Takes back **{} of {} granted actions** from {}; {} stay. {}",
        sizing.removed,
        sizing.granted,
        code(&role.arn),
        sizing.kept,
        who(assessment, role)
    ));
    page.heading(2, "What goes");
    removed(&mut page, role);
    let steps = steps(role);
    page.list(steps.iter().map(change));
    page.heading(2, "Why it is safe");
    safe(&mut page, assessment, role, folder);
    page.heading(2, "What nobody could see");
    unseen(&mut page, assessment, role);
    page.heading(2, "How to apply it, and how to take it back");
    apply(&mut page, role, &steps);
    page.heading(2, "The difference");
    differences(&mut page, &steps);
    page.finish()
}

/// Who comes in through the role.
fn who(assessment: &Assessment, role: &RoleReport) -> String {
    let parties = &role.sessions.by_party;
    if parties.is_empty() {
        return "Nobody used it in the window.".to_owned();
    }
    let name = |id: &str| assessment.parties.iter().find(|party| party.id == id).map(|party| text(&party.name));
    let mut names: Vec<String> = parties.keys().take(SHOWN).map(|id| name(id).unwrap_or_else(|| code(id))).collect();
    names.extend((parties.len() > SHOWN).then(|| format!("{} more", parties.len() - SHOWN)));
    format!("Used by {} ({} in the window).", names.join(", "), count(role.sessions.total, "session"))
}

/// What goes: the dangerous by name, the others summed by service.
fn removed(page: &mut Page, role: &RoleReport) {
    let mut dangerous = Vec::new();
    let mut others: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in ledger(role).filter(|entry| is_removed(entry)) {
        match &entry.danger {
            Some(danger) => {
                dangerous.push(format!("{} ({})", code(entry.action.as_str()), text(&danger.replace('_', " "))))
            }
            None => *others.entry(entry.action.service()).or_default() += 1,
        }
    }
    if !dangerous.is_empty() {
        let more = left_out(dangerous.len(), ACTIONS_SHOWN, "the certificate")
            .map_or(String::new(), |more| format!(" {more}"));
        dangerous.truncate(ACTIONS_SHOWN);
        page.paragraph(&format!("Dangerous, and unused: {}.{more}", dangerous.join(", ")));
    }
    if !others.is_empty() {
        let which = if dangerous.is_empty() { "Unused" } else { "Also unused" };
        let sums: Vec<String> = others.iter().map(|(service, number)| format!("{} {number}", code(service))).collect();
        page.paragraph(&format!("{which}, by service: {}.", sums.join(", ")));
    }
    if role.rightsizing.narrowing.as_ref().is_some_and(|narrowing| !narrowing.statements.is_empty()) {
        page.paragraph("Actions that stay are limited to the resources that they were used on; see the difference.");
    }
}

fn change(step: &Step<'_>) -> String {
    let name = code(&step.policy.name);
    match &step.change {
        Change::PutInline => format!("The inline policy {name} gets the smaller document."),
        Change::NewVersion(_) => {
            format!(
                "The managed policy {name}, which only this role has, gets the smaller document as its default version."
            )
        }
        Change::Replace(own) => {
            let goes = match &step.policy.arn {
                Some(arn) => format!("The managed policy {} is detached from this role", code(arn)),
                None => format!("The inline policy {name} goes"),
            };
            let others = match step.policy.also_attached_to.len() as u64 {
                0 => String::new(),
                1 => " (1 other keeps it as it is)".to_owned(),
                others => format!(" ({others} others keep it as it is)"),
            };
            let names: Vec<String> = own.iter().map(|one| code(&one.name)).collect();
            match names.as_slice() {
                [] => format!("{goes}{others}; nothing that it grants was used."),
                names => format!("{goes}{others}; {}, for this role alone, takes its place.", names.join(" and ")),
            }
        }
    }
}

fn safe(page: &mut Page, assessment: &Assessment, role: &RoleReport, folder: &str) {
    let window = format!("from {} to {}", day(assessment.window.since), day(assessment.window.until));
    let proof = role.rightsizing.certificate.as_ref().filter(|proof| proof.calls_replayed > 0);
    let replay = proof.map_or_else(
        || format!("No call of this role was recorded {window}, so there was nothing to replay."),
        |proof| {
            let rest = [
                (proof.undecidable, "cannot be decided from the records, with either"),
                (proof.allowed_by_neither(), "are allowed by neither"),
            ];
            let rest = rest.into_iter().filter(|(number, _)| *number > 0);
            let rest: String = rest.map(|(number, what)| format!(", {number} {what}")).collect();
            format!(
                "Each of the {} that were recorded {window} was decided with today's policies and with the proposed ones: \
                 {} are allowed by both{rest}.",
                count(proof.calls_replayed, "distinct call"),
                proof.calls_allowed
            )
        },
    );
    page.paragraph(&format!("{replay} The proposed policies allow nothing that today's do not."));
    page.paragraph(&format!(
        "Each action that goes is one whose use the trail would have shown, and it shows none. Action by action: {}.",
        code(&paths::certificate(folder))
    ));
}

fn unseen(page: &mut Page, assessment: &Assessment, role: &RoleReport) {
    let mut lines = vec![format!(
        "Nothing before {} was looked at: what runs once a quarter or once a year may not have run since.",
        day(assessment.window.since)
    )];
    let account = assessment.coverage.accounts.iter().find(|account| account.account_id == role.account_id);
    match account {
        None => lines.push("The trail holds no event of this account.".to_owned()),
        Some(account) if account.holes.is_empty() => lines.push("The trail of this account has no holes.".to_owned()),
        Some(account) => {
            let days = account.hole_days();
            let more = left_out(days.len(), SHOWN, "`report.json`").map_or(String::new(), |more| format!(" {more}"));
            lines.push(format!(
                "On {} the trail of this account has a hole ({:.1} % of the days): {}.{more}",
                count(days.len() as u64, "day"),
                account.hole_share * 100.0,
                days.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    if !assessment.coverage.complete {
        lines.push("Some of what was delivered could not be read; `report.json` says what.".to_owned());
    }
    let not_observable = ledger(role).filter(|entry| entry.verdict == "not_observable" && !is_removed(entry)).count();
    if not_observable > 0 {
        lines.push(format!(
            "The trail could not show whether {} used; {} granted.",
            if not_observable == 1 { "1 action was".to_owned() } else { format!("{not_observable} actions were") },
            if not_observable == 1 { "it stays" } else { "they stay" }
        ));
    }
    lines.extend(role.rightsizing.not_considered.iter().map(|sentence| format!("Not considered: {}.", text(sentence))));
    page.list(lines);
}

fn apply(page: &mut Page, role: &RoleReport, steps: &[Step<'_>]) {
    let files = &role.rightsizing.remediation;
    let mut lines = Vec::new();
    if let (Some(apply), Some(rollback)) = (&files.apply, &files.rollback) {
        lines.push(format!(
            "Scripts: {} shows what would change and changes nothing; with `--apply` it does. {} is the way back, in the \
             same manner. Both refuse another account, a role that was made anew, and policies that are not as they were \
             when they were analysed.",
            code(apply),
            code(rollback)
        ));
    } else {
        lines.push("Scripts: none, because a name here is none that IAM could have given.".to_owned());
    }
    if let Some(path) = &files.terraform {
        lines.push(format!("Terraform: {}.", code(path)));
    }
    match &files.cloudformation {
        Some(path) => lines.push(format!("CloudFormation: {}.", code(path))),
        None => lines.push(
            "CloudFormation: no template; there is nothing to put into one, or it could not be quoted.".to_owned(),
        ),
    }
    if files.terraform.is_some() || files.cloudformation.is_some() {
        lines.push(way_back(steps));
    }
    page.list(lines);
    page.paragraph(
        "Afterwards watch for denied calls of this role: `thirdtrail analyze` lists them, under `calls-denied`.",
    );
}

/// How a template is taken back. Not by taking its resources out: Terraform deletes a policy that it took over when its
/// resource goes, and CloudFormation leaves it as it is then.
fn way_back(steps: &[Step<'_>]) -> String {
    let mut sentences = Vec::new();
    let replaced = steps.iter().filter(|step| matches!(step.change, Change::Replace(_)));
    let was = replaced.map(|step| match (&step.policy.arn, &step.policy.files.current) {
        (Some(arn), _) => format!("attach {} to the role again", code(arn)),
        (None, Some(path)) => format!("put the inline policy {} back ({})", code(&step.policy.name), code(path)),
        (None, None) => format!("put the inline policy {} back", code(&step.policy.name)),
    });
    let was: Vec<String> = was.collect();
    if !was.is_empty() {
        sentences.push(format!("first {}; only then take out what took its place, if anything did.", was.join(", ")));
    }
    let edited = steps.iter().filter(|step| !matches!(step.change, Change::Replace(_)));
    let edited: Vec<String> = edited.filter_map(|step| step.policy.files.current.as_deref().map(code)).collect();
    if !edited.is_empty() {
        sentences.push(format!(
            "{} {} into the same resource and apply again. Do not remove the resource, nor revert the commit that added it: \
             Terraform would delete the policy, and CloudFormation would leave the smaller one.",
            if was.is_empty() { "put the document of" } else { "Then put the document of" },
            edited.join(", ")
        ));
    }
    format!("The way back with Terraform and CloudFormation: {}", sentences.join(" "))
}

fn differences(page: &mut Page, steps: &[Step<'_>]) {
    let mut room = DIFF_CHARS;
    for step in steps {
        let files = &step.policy.files;
        let before = files.current.as_deref().unwrap_or_default();
        let after = files.rightsized.as_deref().unwrap_or("/dev/null");
        let diff = between((before, &step.policy.current), (after, step.policy.rightsized.first()));
        let size = diff.chars().count();
        if size > room {
            page.paragraph(&format!("Too long to be shown here: {}.", code(files.diff.as_deref().unwrap_or_default())));
            continue;
        }
        room -= size;
        page.paragraph(&fenced("diff", &diff));
        for path in &files.further {
            page.paragraph(&format!("Further part: {}.", code(path)));
        }
    }
}
