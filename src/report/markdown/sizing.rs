//! What is proposed for one role: what goes, on what evidence, statement by statement, and how it was proved.

use crate::aws::window::rfc3339;
use crate::finding::assessment::{ActionEntry, Assessment, GrantedBy, RoleReport, StatementChange};

use super::super::certificate::{has_certificate, is_removed, ledger};
use super::super::escape::{code, text};
use super::super::paths;
use super::kept;
use super::page::{Page, left_out};
use super::role::ACTIONS_SHOWN;

/// Action names shown in one cell.
const NAMES_SHOWN: usize = 12;

/// Writes the section.
pub(super) fn render(page: &mut Page, assessment: &Assessment, role: &RoleReport, folder: Option<&str>) {
    page.heading(4, "What is proposed");
    let sizing = &role.rightsizing;
    let reason = sizing.reason.as_deref().map_or(String::new(), |reason| format!(" {}", text(reason)));
    page.paragraph(&match sizing.status.as_str() {
        "proposed" => format!(
            "**Take back {} of {} granted actions, keep {}.**{reason}",
            sizing.removed, sizing.granted, sizing.kept
        ),
        "withheld" => format!("**A proposal is withheld.**{reason}"),
        _ => format!("**Nothing changes.**{reason}"),
    });
    proof(page, role);
    if let Some(folder) = folder.filter(|_| has_certificate(role)) {
        page.paragraph(&format!("Why each action goes or stays: {}.", code(&paths::certificate(folder))));
    }
    if sizing.status == "proposed" {
        removals(page, assessment, role);
        statements(page, role);
    }
    narrowing(page, role);
    kept::render(page, role);
    if !sizing.unknown_patterns.is_empty() {
        let patterns: Vec<String> = sizing.unknown_patterns.iter().take(NAMES_SHOWN).map(|one| code(one)).collect();
        page.paragraph(&format!("Kept, because no known action matches them: {}.", patterns.join(", ")));
    }
    if !sizing.not_considered.is_empty() {
        page.paragraph("Not considered:");
        page.list(sizing.not_considered.iter().map(|sentence| text(sentence)));
    }
}

fn proof(page: &mut Page, role: &RoleReport) {
    let Some(proof) = &role.rightsizing.certificate else { return };
    page.paragraph(&format!(
        "Replay: {} distinct calls replayed, {} allowed as before, {} undecidable before and after, {} actions newly \
         allowed.",
        proof.calls_replayed, proof.calls_allowed, proof.undecidable, proof.newly_allowed
    ));
    gaps(page, role);
    if !proof.counter_examples.is_empty() {
        page.paragraph("What speaks against it:");
        page.list(proof.counter_examples.iter().take(ACTIONS_SHOWN).map(|example| text(example)));
    }
}

/// What the replay could not decide, and what was missing.
fn gaps(page: &mut Page, role: &RoleReport) {
    let Some(replay) = role.rightsizing.replay.as_ref().filter(|replay| replay.undecided > 0) else { return };
    let mut missing: Vec<String> =
        replay.condition_keys.iter().map(|key| format!("{} ({})", code(&key.key), key.calls)).collect();
    missing.extend((replay.resource_unknown > 0).then(|| format!("the resource ({})", replay.resource_unknown)));
    if !missing.is_empty() {
        page.paragraph(&format!("To decide the undecidable calls, the records lack: {}.", missing.join(", ")));
    }
}

/// Which actions keep which resources only.
fn narrowing(page: &mut Page, role: &RoleReport) {
    let Some(narrowing) = &role.rightsizing.narrowing else { return };
    if let Some(reason) = &narrowing.reason {
        page.paragraph(&format!("Resources stay as they are: {}.", text(reason)));
        return;
    }
    page.paragraph("Limited to the resources that were in use, all of them recorded:");
    page.table(
        ["Policy", "Statement", "Actions", "Resources"],
        narrowing.statements.iter().take(ACTIONS_SHOWN).map(|one| {
            [
                code(&one.policy),
                text(&one.statement),
                names(one.actions.iter().map(String::as_str)),
                names(one.resources.iter().map(String::as_str)),
            ]
        }),
    );
}

fn removals(page: &mut Page, assessment: &Assessment, role: &RoleReport) {
    let mut removed: Vec<&ActionEntry> = ledger(role).filter(|entry| is_removed(entry)).collect();
    removed.sort_by(|a, b| (a.danger.is_none(), &a.action).cmp(&(b.danger.is_none(), &b.action)));
    if removed.is_empty() {
        return;
    }
    page.paragraph(&format!(
        "What goes, the dangerous first; each without a use from {} to {}:",
        rfc3339(assessment.window.since),
        rfc3339(assessment.window.until)
    ));
    page.table(
        ["Action", "Danger", "Granted by", "Why"],
        removed.iter().take(ACTIONS_SHOWN).map(|entry| {
            [
                code(entry.action.as_str()),
                entry.danger.as_deref().map(text).unwrap_or_default(),
                granted_by(&entry.granted_by),
                text(&entry.reason),
            ]
        }),
    );
    if let Some(sentence) = left_out(removed.len(), ACTIONS_SHOWN, "the certificate") {
        page.paragraph(&sentence);
    }
}

fn granted_by(statements: &[GrantedBy]) -> String {
    let named = |one: &GrantedBy| format!("{} {}", code(&one.policy), text(&one.statement));
    let mut names: Vec<String> = statements.iter().take(3).map(named).collect();
    names.extend((statements.len() > 3).then(|| format!("{} more", statements.len() - 3)));
    names.join(", ")
}

fn statements(page: &mut Page, role: &RoleReport) {
    let rows: Vec<[String; 5]> = role
        .policies
        .iter()
        .flat_map(|policy| policy.statements.iter().map(move |change| (policy, change)))
        .map(|(policy, change)| {
            [
                code(&policy.name),
                text(&change.statement),
                fate(change).to_owned(),
                names(change.removed.iter().map(|action| action.as_str())),
                names(change.kept.iter().map(|action| action.as_str())),
            ]
        })
        .collect();
    if !rows.is_empty() {
        page.paragraph("Statement by statement:");
    }
    page.table(["Policy", "Statement", "Change", "Goes", "Stays"], rows);
}

fn fate(change: &StatementChange) -> &'static str {
    match (change.dropped, change.removed.is_empty()) {
        (true, _) => "goes as a whole",
        (false, false) => "smaller",
        (false, true) => "unchanged",
    }
}

fn names<'a>(actions: impl ExactSizeIterator<Item = &'a str>) -> String {
    let all = actions.len();
    let mut shown: Vec<String> = actions.take(NAMES_SHOWN).map(code).collect();
    shown.extend((all > NAMES_SHOWN).then(|| format!("{} more", all - NAMES_SHOWN)));
    shown.join(", ")
}
