//! Findings as pages show them: one line on the index, the whole where their subject is told.

use crate::finding::assessment::Finding;

use super::super::policy_files::unwritten;
use super::lists::Weighed;
use super::site::{SEVERITIES, Site, anchor};
use super::words::{HELD_CHARS, Long, PROSE_CHARS, cut, held, number, parts, sentence, stopped, weight};

/// Lines of a finding's evidence on a page; all of it is in `report.json`.
const EVIDENCE_LINES: usize = 40;
/// Characters of one such line.
const EVIDENCE_CHARS: usize = 300;
/// Bytes of evidence on one page.
const EVIDENCE_BYTES: usize = 120_000;

/// A finding told in full.
pub(super) struct Told {
    pub(super) anchor: String,
    pub(super) severity: String,
    pub(super) code: String,
    pub(super) title: String,
    pub(super) detail: Vec<(bool, String)>,
    pub(super) remediation: Vec<(bool, String)>,
    pub(super) evidence: Vec<String>,
    /// Whether something of it is in `report.json` alone.
    pub(super) is_cut: bool,
    pub(super) known: bool,
    /// Whether the whole is seen at once.
    pub(super) open: bool,
    pub(super) suppressed: Option<Long>,
    /// Who or what it is about, where the page does not tell.
    pub(super) about: Option<Long>,
}

impl Weighed for &Finding {
    fn weight(&self) -> usize {
        let texts = [&self.title, &self.detail, &self.remediation, &self.subject];
        let evidence = serde_json::to_string_pretty(&self.evidence).unwrap_or_default();
        let lines = evidence.lines().take(EVIDENCE_LINES).map(|line| weight(line).min(6 * EVIDENCE_CHARS));
        900 + texts.map(|text| weight(text).min(3_600)).iter().sum::<usize>() + lines.sum::<usize>()
    }
}

/// The findings of one page in full, those that somebody answers for last; there is room for one of so many shares of
/// evidence.
pub(super) fn told(site: &Site<'_>, findings: &[&Finding], share: usize) -> Vec<Told> {
    let mut room = EVIDENCE_BYTES / share;
    let mut told: Vec<Told> = findings.iter().map(|finding| tell(site, finding, &mut room)).collect();
    told.sort_by_key(|one| one.suppressed.is_some());
    told
}

fn tell(site: &Site<'_>, finding: &Finding, room: &mut usize) -> Told {
    let on_own_page = site.has_page(finding);
    let (evidence, evidence_cut) = evidence(finding, room);
    let (title, detail) = (sentence(&finding.title), stopped(&sentence(&finding.detail)));
    let files = if site.has_documents() { "" } else { unwritten(&finding.remediation) };
    let remediation = format!("{}{files}", stopped(&sentence(&finding.remediation)));
    let texts = [(&title, HELD_CHARS), (&detail, PROSE_CHARS), (&remediation, PROSE_CHARS)];
    Told {
        anchor: anchor(finding, on_own_page),
        severity: finding.severity.clone(),
        code: finding.code.clone(),
        title: held(&title, HELD_CHARS),
        detail: parts(&detail),
        remediation: parts(&remediation),
        evidence,
        is_cut: evidence_cut || texts.into_iter().any(|(text, most)| held(text, most) != *text),
        known: finding.known == Some(true),
        open: finding.suppressed.is_none() && rank(&finding.severity) < 2,
        suppressed: finding.suppressed.as_ref().map(|mark| {
            let until = mark.expires.as_deref().map_or_else(|| "for ever".to_owned(), |day| format!("until {day}"));
            Long::of(&format!("Suppressed {until} by {}: {} ({})", mark.owner, mark.reason, mark.by))
        }),
        about: (!on_own_page).then(|| Long::of(&finding.subject)),
    }
}

/// The lines of evidence for which there is room, and whether something of it is missing.
fn evidence(finding: &Finding, room: &mut usize) -> (Vec<String>, bool) {
    let text = serde_json::to_string_pretty(&finding.evidence).unwrap_or_default();
    let mut shown = Vec::new();
    if matches!(text.as_str(), "null" | "{}" | "[]") {
        return (shown, false);
    }
    let (mut lines, mut is_cut) = (text.lines(), false);
    for line in lines.by_ref().take(EVIDENCE_LINES) {
        let beginning = cut(line, EVIDENCE_CHARS);
        is_cut |= beginning.is_some();
        let line = beginning.unwrap_or_else(|| line.to_owned());
        let bytes = weight(&line);
        if bytes > *room {
            return (shown, true);
        }
        *room -= bytes;
        shown.push(line);
    }
    (shown, is_cut || lines.next().is_some())
}

/// How many findings there are, and how many of them ask for somebody.
pub(super) struct Tally {
    pub(super) open: u64,
    pub(super) worst: Option<String>,
    /// What is said of the others and of those that are not new.
    pub(super) rest: String,
}

/// The tally of some findings.
pub(super) fn tally(findings: &[&Finding]) -> Tally {
    let (severity, open) = worst(findings);
    let suppressed = findings.len() as u64 - open;
    let known = findings.iter().filter(|one| one.suppressed.is_none() && one.known == Some(true)).count() as u64;
    let mut rest = String::new();
    if known > 0 {
        rest.push_str(&format!(", {} in the baseline already", number(known)));
    }
    if suppressed > 0 {
        rest.push_str(&format!(", {} suppressed", number(suppressed)));
    }
    Tally { open, worst: severity.map(str::to_owned), rest }
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
