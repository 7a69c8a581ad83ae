//! What matters first: the findings, gravest first.

use crate::finding::assessment::Finding;

use super::super::escape::{code, text};
use super::page::{Page, count, left_out};

/// The severities, gravest first.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];
/// Findings listed in the table.
const LISTED: usize = 200;
/// Findings told in full.
const TOLD: usize = 50;

/// Writes the section.
pub(super) fn render(page: &mut Page, findings: &[Finding]) {
    page.heading(2, "What matters first");
    if findings.is_empty() {
        page.paragraph("No findings.");
        return;
    }
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| (rank(&finding.severity), &finding.code, &finding.subject));
    let number = |severity: &str| findings.iter().filter(|finding| finding.severity == severity).count();
    let sums = SEVERITIES.iter().map(|severity| (number(severity), severity)).filter(|(number, _)| *number > 0);
    let sums: Vec<String> = sums.map(|(number, severity)| format!("{number} {severity}")).collect();
    page.paragraph(&format!("{}: {}.", count(findings.len() as u64, "finding"), sums.join(", ")));
    page.table(
        ["Severity", "Code", "Subject", "Party", "What"],
        sorted.iter().take(LISTED).map(|finding| {
            [
                text(&finding.severity),
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
    for finding in sorted.iter().filter(|finding| rank(&finding.severity) < 2).take(TOLD) {
        page.heading(3, &format!("{}: {}", text(&finding.severity), text(&finding.title)));
        page.paragraph(&format!("{} on {}. {}", code(&finding.code), code(&finding.subject), text(&finding.detail)));
        page.paragraph(&format!("**To do:** {}", text(&finding.remediation)));
    }
}

fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len())
}
