//! Findings as pages show them: one line on the index, the whole where their subject is told.

use crate::finding::assessment::Finding;

use super::site::{SEVERITIES, Site, anchor};
use super::words::{Long, cut, parts, sentence, stopped};

/// Lines of a finding's evidence on a page; all of it is in `report.json`.
const EVIDENCE_LINES: usize = 40;
/// Characters of one such line.
const EVIDENCE_CHARS: usize = 300;

/// A finding told in full.
pub(super) struct Told {
    pub(super) anchor: String,
    pub(super) severity: String,
    pub(super) code: String,
    pub(super) title: Long,
    pub(super) detail: Vec<(bool, String)>,
    pub(super) remediation: Vec<(bool, String)>,
    pub(super) evidence: Vec<String>,
    pub(super) evidence_cut: bool,
    pub(super) known: bool,
    /// Whether the whole is seen at once.
    pub(super) open: bool,
    pub(super) suppressed: Option<String>,
    /// Who or what it is about, where the page does not tell.
    pub(super) about: Option<Long>,
}

/// The findings of one page in full.
pub(super) fn told(site: &Site<'_>, findings: &[&Finding]) -> Vec<Told> {
    findings.iter().map(|finding| tell(site, finding)).collect()
}

fn tell(site: &Site<'_>, finding: &Finding) -> Told {
    let on_own_page = site.has_page(finding);
    let evidence = serde_json::to_string_pretty(&finding.evidence).unwrap_or_default();
    let is_empty = matches!(evidence.as_str(), "null" | "{}" | "[]");
    let lines = evidence.lines().take(if is_empty { 0 } else { EVIDENCE_LINES });
    Told {
        anchor: anchor(finding, on_own_page),
        severity: finding.severity.clone(),
        code: finding.code.clone(),
        title: Long::of(&sentence(&finding.title)),
        detail: parts(&stopped(&sentence(&finding.detail))),
        remediation: parts(&stopped(&sentence(&finding.remediation))),
        evidence: lines.map(|line| cut(line, EVIDENCE_CHARS).unwrap_or_else(|| line.to_owned())).collect(),
        evidence_cut: !is_empty && evidence.lines().nth(EVIDENCE_LINES).is_some(),
        known: finding.known == Some(true),
        open: finding.suppressed.is_none() && rank(&finding.severity) < 2,
        suppressed: finding.suppressed.as_ref().map(|mark| {
            let until = mark.expires.as_deref().map_or_else(|| "for ever".to_owned(), |day| format!("until {day}"));
            format!("Suppressed {until} by {}: {}", mark.owner, mark.reason)
        }),
        about: (!on_own_page).then(|| Long::of(&finding.subject)),
    }
}

/// The gravest severity of the findings that nobody has answered for, and how many of them there are.
pub(super) fn worst<'f>(findings: &[&'f Finding]) -> (Option<&'f str>, u64) {
    let open = findings.iter().filter(|finding| finding.suppressed.is_none());
    let worst = open.clone().min_by_key(|finding| rank(&finding.severity)).map(|finding| finding.severity.as_str());
    (worst, open.count() as u64)
}

/// The place of a severity, 0 for the gravest.
pub(super) fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len())
}
