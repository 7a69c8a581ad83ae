//! What matters first: the findings, gravest first.

use crate::finding::assessment::Finding;

use super::super::escape::{code, prose, text};
use super::super::policy_files::unwritten;
use super::page::{Page, count, left_out};

/// The severities, gravest first.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];
/// Findings listed in the table.
const LISTED: usize = 200;
/// Findings told in full.
const TOLD: usize = 50;

/// Writes the section; `has_documents` if those of the roles are written.
pub(super) fn render(page: &mut Page, findings: &[Finding], has_documents: bool) {
    page.heading(2, "What matters first");
    if findings.is_empty() {
        page.paragraph("No findings.");
        return;
    }
    let mut all: Vec<&Finding> = findings.iter().collect();
    all.sort_by_key(|finding| (rank(&finding.severity), &finding.code, &finding.subject));
    let (sorted, hidden): (Vec<&Finding>, Vec<&Finding>) =
        all.into_iter().partition(|finding| finding.suppressed.is_none());
    page.paragraph(&sums(&sorted, hidden.len()));
    page.table(
        ["Severity", "Code", "Subject", "Party", "What"],
        sorted.iter().take(LISTED).map(|finding| {
            [
                if finding.known == Some(true) {
                    format!("{}, known", text(&finding.severity))
                } else {
                    text(&finding.severity)
                },
                code(&finding.code),
                code(&finding.subject),
                finding.party.as_deref().map(text).unwrap_or_default(),
                text(&finding.title),
            ]
        }),
    );
    if let Some(sentence) = left_out(sorted.len(), LISTED, "`report.json`") {
        page.paragraph(&sentence);
    }
    let grave: Vec<&&Finding> = sorted.iter().filter(|finding| rank(&finding.severity) < 2).collect();
    for finding in grave.iter().take(TOLD) {
        let known = if finding.known == Some(true) { ", known" } else { "" };
        page.heading(3, &format!("{}{known}: {}", text(&finding.severity), text(&finding.title)));
        page.paragraph(&format!("{} on {}. {}", code(&finding.code), code(&finding.subject), prose(&finding.detail)));
        let files = if has_documents { "" } else { unwritten(&finding.remediation) };
        page.paragraph(&format!("**To do:** {}{files}", prose(&finding.remediation)));
    }
    if let Some(sentence) = left_out(grave.len(), TOLD, "the details of the other grave findings in `report.json`") {
        page.paragraph(&sentence);
    }
    suppressed(page, &hidden);
}

/// How many there are of each severity, and how many of them need nobody's attention.
fn sums(open: &[&Finding], suppressed: usize) -> String {
    let number = |severity: &str| open.iter().filter(|finding| finding.severity == severity).count();
    let sums = SEVERITIES.iter().map(|severity| (number(severity), severity)).filter(|(number, _)| *number > 0);
    let sums: Vec<String> = sums.map(|(number, severity)| format!("{number} {severity}")).collect();
    let mut sentence = count(open.len() as u64, "finding");
    if !sums.is_empty() {
        sentence.push_str(&format!(": {}", sums.join(", ")));
    }
    if suppressed > 0 {
        sentence.push_str(&format!("; {suppressed} more are suppressed, see below"));
    }
    if open.iter().any(|finding| finding.known.is_some()) {
        let known = open.iter().filter(|finding| finding.known == Some(true)).count();
        sentence.push_str(&format!("; {known} were in the baseline already"));
    }
    sentence + "."
}

/// What somebody has answered for, with who and why: out of the way, but in sight.
fn suppressed(page: &mut Page, hidden: &[&Finding]) {
    if hidden.is_empty() {
        return;
    }
    page.heading(3, "Suppressed");
    page.table(
        ["Severity", "Code", "Subject", "Owner", "Reason", "Until", "By"],
        hidden.iter().take(LISTED).filter_map(|finding| Some((finding, finding.suppressed.as_ref()?))).map(
            |(finding, mark)| {
                [
                    text(&finding.severity),
                    code(&finding.code),
                    code(&finding.subject),
                    text(&mark.owner),
                    text(&mark.reason),
                    mark.expires.as_deref().map_or_else(|| "for ever".to_owned(), text),
                    code(&mark.by),
                ]
            },
        ),
    );
    if let Some(sentence) = left_out(hidden.len(), LISTED, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len())
}
