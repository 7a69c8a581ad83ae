//! A narrower trust policy for one role: what would change, what was left alone and why, and how a person applies it.
//!
//! A command is shown only when no name in it needs quoting (S43), and a template says that somebody must fill it in first.

use crate::finding::assessment::{RoleReport, TrustNarrowingReport};

use super::super::escape::{code, shell_word, text};
use super::page::{Page, count, left_out};

/// Steps shown, and reasons.
const STEPS_SHOWN: usize = 20;

/// Writes the section, if there is something to say.
pub(super) fn render(page: &mut Page, role: &RoleReport) {
    let Some(report) = role.trust_narrowing.as_deref() else { return };
    let is_quiet = report.status == "unchanged" && report.left_alone.is_empty();
    if is_quiet && report.advice.is_none() {
        return;
    }
    page.heading(4, "A narrower trust");
    if !is_quiet {
        let reason = report.reason.as_deref().map_or(String::new(), |reason| format!(" {}.", text(reason)));
        page.paragraph(&match report.status.as_str() {
            "proposed" => format!("**{} proposed.**{reason}", count(report.steps.len() as u64, "change")),
            "template" => format!("**A template with {}.**{reason}", count(report.steps.len() as u64, "change")),
            "withheld" => format!("**A proposal is withheld.**{reason}"),
            _ => format!("**Nothing changes.**{reason}"),
        });
        changes(page, report);
        apply(page, role, report);
    }
    if let Some(advice) = &report.advice {
        page.paragraph(&format!("Advice: {}.", text(advice)));
    }
}

fn changes(page: &mut Page, report: &TrustNarrowingReport) {
    let name = |kind: &str| text(&kind.replace('_', " "));
    page.table(
        ["Statement", "Change", "What and why"],
        report.steps.iter().take(STEPS_SHOWN).map(|step| [text(&step.statement), name(&step.kind), text(&step.detail)]),
    );
    page.table(
        ["Statement", "Left alone", "Why"],
        report
            .left_alone
            .iter()
            .take(STEPS_SHOWN)
            .map(|one| [text(&one.statement), name(&one.kind), text(&one.reason)]),
    );
    let longest = report.steps.len().max(report.left_alone.len());
    if let Some(sentence) = left_out(longest, STEPS_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
    let Some(replay) = &report.replay else { return };
    page.paragraph(&format!(
        "Replay: {}, {} allowed as today, {} undecided today and after, {} refused by today's trust already; {} newly let \
         in. {} of {} stay refused.",
        count(replay.hand_offs, "observed hand-off"),
        replay.allowed,
        replay.undecided,
        replay.refused_today,
        replay.newly_admitted,
        replay.still_refused,
        count(replay.refused, "refused hand-off")
    ));
    if !replay.counter_examples.is_empty() {
        page.paragraph("What speaks against it:");
        page.list(replay.counter_examples.iter().map(|example| text(example)));
    }
}

fn apply(page: &mut Page, role: &RoleReport, report: &TrustNarrowingReport) {
    let files = &report.files;
    let paths = [("before", &files.current), ("after", &files.narrowed), ("difference", &files.diff)];
    page.list(paths.into_iter().filter_map(|(what, path)| Some(format!("{what}: {}", code(path.as_deref()?)))));
    if let Some(reason) = files.not_written {
        page.paragraph(&format!("Not written: {}.", text(reason)));
    }
    let (Some(current), Some(narrowed)) = (&files.current, &files.narrowed) else { return };
    if report.status == "template" {
        page.paragraph("Fill in each `REPLACE-WITH-...` before it is applied:");
    }
    match (step(role, narrowed), step(role, current)) {
        (Some(there), Some(back)) => {
            page.steps([format!("`{there}`")]);
            page.paragraph(&format!("The way back: `{back}`. Watch for refused hand-offs afterwards."));
        }
        _ => page.paragraph("A name here would need quoting on a command line; apply it in the console."),
    }
}

/// The command that puts that trust policy in place, or nothing when a name in it would need quoting.
pub(in crate::report) fn step(role: &RoleReport, path: &str) -> Option<String> {
    let (name, path) = (shell_word(&role.name)?, shell_word(path)?);
    Some(format!("aws iam update-assume-role-policy --role-name {name} --policy-document file://{path}"))
}
