//! `findings.csv`: one row a finding, for spreadsheets, in which no cell is a formula.

use csv::WriterBuilder;

use super::super::RenderError;
use super::super::escape::one_line;
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

/// The file, UTF-8 with CRLF as RFC 4180 has it.
pub(super) fn render(findings: &[&Finding]) -> Result<Vec<u8>, RenderError> {
    let failed = |error: csv::Error| RenderError::Csv(error.to_string());
    let mut writer = WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(failed)?;
    for finding in findings {
        writer.write_record(row(finding)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| RenderError::Csv(error.to_string()))
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

/// A cell that is text: what a spreadsheet would take for a formula begins with a quote instead, as OWASP has it ("CSV
/// Injection"); a row is one line.
fn cell(raw: &str) -> String {
    let formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let defused = if raw.starts_with(formula) { "'" } else { "" };
    let mut shown = one_line(raw);
    if let Some((end, _)) = shown.char_indices().nth(CELL_CHARS) {
        shown.truncate(end);
        shown.push('…');
    }
    format!("{defused}{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S43: no cell begins as a formula does, and none has a second line or a control character.
    #[test]
    fn no_cell_is_a_formula() {
        for (raw, expected) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "' =1"),
            ("\r=1", "' =1"),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
            ("a\nb\u{1b}[31m", "a b␛[31m"),
            ("", ""),
        ] {
            assert_eq!(cell(raw), expected, "{raw:?}");
        }
        assert_eq!(cell(&"x".repeat(100_000)).chars().count(), CELL_CHARS + 1);
    }
}
