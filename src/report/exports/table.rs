//! `findings.csv`: one row a finding, for spreadsheets, in which no cell is a formula.

use super::super::spreadsheet::line;
use crate::finding::assessment::Finding;

/// The columns; they are added to at the end, never renamed.
const COLUMNS: [&str; 15] = [
    "severity",
    "code",
    "account_id",
    "subject",
    "party",
    "title",
    "detail",
    "remediation",
    "evidence",
    "suppressed_by",
    "suppressed_owner",
    "suppressed_reason",
    "suppressed_until",
    "known",
    "id",
];
/// Longest cell, in characters; spreadsheets take 32,767.
const CELL_CHARS: usize = 32_000;

/// The file, UTF-8.
pub(super) fn render(findings: &[&Finding]) -> Vec<u8> {
    let rows = findings.iter().map(|finding| line(row(finding)));
    [line(COLUMNS)].into_iter().chain(rows).flatten().collect()
}

fn row(finding: &Finding) -> [String; COLUMNS.len()] {
    let mark = finding.suppressed.as_ref();
    let known = match finding.known {
        None => "",
        Some(true) => "yes",
        Some(false) => "no",
    };
    let evidence = finding.evidence.to_string();
    let whole = evidence.chars().count() <= CELL_CHARS;
    [
        finding.severity.as_str(),
        &finding.code,
        finding.account_id.as_ref().map_or("", |account| account.as_str()),
        &finding.subject,
        finding.party.as_deref().unwrap_or_default(),
        &finding.title,
        &finding.detail,
        &finding.remediation,
        // Half of a JSON text is none.
        if whole { &evidence } else { "too long for a cell: see report.json" },
        mark.map_or("", |mark| &mark.by),
        mark.map_or("", |mark| &mark.owner),
        mark.map_or("", |mark| &mark.reason),
        mark.and_then(|mark| mark.expires.as_deref()).unwrap_or_default(),
        known,
        &finding.id,
    ]
    .map(cell)
}

/// A cell that a spreadsheet takes; what is a formula to it is seen to where lines are written.
fn cell(raw: &str) -> String {
    let mut cell: String = raw.chars().take(CELL_CHARS).collect();
    if cell.len() < raw.len() {
        cell.push('…');
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S44: no cell is longer than a spreadsheet takes.
    #[test]
    fn very_long_texts_are_cut() {
        assert_eq!(cell("a"), "a");
        assert_eq!(cell(&"x".repeat(100_000)).chars().count(), CELL_CHARS + 1);
    }
}
