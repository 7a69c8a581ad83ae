//! What changed between two reports, for people: lines for a terminal, and a page of Markdown (S43).

use crate::finding::compare::changes::{
    Change, Changed, Changes, Comparison, FindingChanged, Found, Place, SizingChanged,
};
use crate::finding::compare::snapshot::SizingRead;

use super::escape::{code, text};

/// Lines of one section, on the terminal and on the page; `--format json` has all.
const SHOWN: usize = 200;

/// A section: what it is about, and its rows.
struct Section {
    name: &'static str,
    rows: Vec<Row>,
}

/// One thing that changed.
struct Row {
    sign: Sign,
    /// What it is, in words and names.
    what: Vec<String>,
    /// How it changed, or why it is not sure.
    note: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    New,
    Gone,
    NotRead,
    Changed,
}

impl Sign {
    fn mark(self) -> &'static str {
        match self {
            Self::New => "+",
            Self::Gone => "-",
            Self::NotRead => "?",
            Self::Changed => "~",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::NotRead => "not seen, but perhaps not read",
            Self::Changed => "changed",
        }
    }
}

/// Lines for a terminal; strangers' text in them is as it was written, and is made harmless where it is printed.
#[must_use]
pub fn lines(comparison: &Comparison) -> Vec<String> {
    let mut lines = vec![head(comparison)];
    lines.extend(comparison.notes.iter().map(|note| format!("note: {note}")));
    for section in sections(comparison) {
        lines.push(format!("{}: {}", section.name, sums(&section.rows)));
        for row in section.rows.iter().take(SHOWN) {
            let note = row.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            lines.push(format!("  {} {}{note}", row.sign.mark(), row.what.join(" ")));
        }
        if section.rows.len() > SHOWN {
            lines.push(format!("  {} more: see --format json", section.rows.len() - SHOWN));
        }
    }
    if comparison.is_empty() {
        lines.push("nothing changed".to_owned());
    }
    lines
}

/// A page.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let mut page = format!("# What changed\n\n{}.\n", text(&head(comparison)));
    for note in &comparison.notes {
        page.push_str(&format!("\n> {}\n", text(note)));
    }
    for section in sections(comparison) {
        page.push_str(&format!("\n## {}\n\n{}.\n\n", capital(section.name), sums(&section.rows)));
        page.push_str("| | What | |\n| --- | --- | --- |\n");
        for row in section.rows.iter().take(SHOWN) {
            let what: Vec<String> = row.what.iter().map(|part| code(part)).collect();
            let note = row.note.as_deref().map(text).unwrap_or_default();
            page.push_str(&format!("| {} | {} | {note} |\n", row.sign.word(), what.join(" ")));
        }
        if section.rows.len() > SHOWN {
            page.push_str(&format!("\n{} more: see `--format json`.\n", section.rows.len() - SHOWN));
        }
    }
    if comparison.is_empty() {
        page.push_str("\nNothing changed.\n");
    }
    page
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn head(comparison: &Comparison) -> String {
    let (old, new) = (&comparison.old, &comparison.new);
    format!("old: {} to {}, new: {} to {}", old.since, old.until, new.since, new.until)
}

/// `2 new, 1 gone`.
fn sums(rows: &[Row]) -> String {
    let number = |sign: Sign| rows.iter().filter(|row| row.sign == sign).count();
    let told = [Sign::New, Sign::Gone, Sign::NotRead, Sign::Changed]
        .into_iter()
        .filter(|sign| number(*sign) > 0)
        .map(|sign| format!("{} {}", number(sign), sign.word()));
    told.collect::<Vec<_>>().join(", ")
}

/// The sections in which something changed, what matters most first.
fn sections(comparison: &Comparison) -> Vec<Section> {
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let place = |place: &Place| words(&[&place.name, &place.party, &place.place]);
    let mut findings = rows(&comparison.findings, finding);
    findings.extend(comparison.findings_changed.iter().map(finding_changed));
    let mut parties = rows(&comparison.parties, |party| words(&[&party.kind, &party.name, &party.id]));
    parties.extend(comparison.parties_changed.iter().map(changed));
    let mut roles = rows(&comparison.roles, |role| words(&[&role.arn]));
    roles.extend(comparison.roles_changed.iter().map(changed));
    let mut trusts = rows(&comparison.trusts, |trust| words(&[&trust.role, "lets in", &trust.principal]));
    trusts.extend(comparison.trusts_changed.iter().map(changed));
    let sections = [
        ("findings", findings),
        ("parties", parties),
        ("roles", roles),
        ("trusts", trusts),
        ("actions in use", rows(&comparison.actions, |used| words(&[&used.action, "by", &used.role]))),
        ("Regions", rows(&comparison.regions, place)),
        ("networks", rows(&comparison.networks, place)),
        ("right-sizing", comparison.rightsizing.iter().map(sizing_changed).collect()),
    ];
    let sections = sections.into_iter().map(|(name, rows)| Section { name, rows });
    sections.filter(|section| !section.rows.is_empty()).collect()
}

fn rows<T>(changes: &Changes<T>, what: impl Fn(&T) -> Vec<String>) -> Vec<Row> {
    let doubted = |sign: Sign, change: &Change<T>| {
        let note = match sign {
            Sign::New => change.doubt.as_ref().map(|doubt| format!("perhaps there before: in the old report {doubt}")),
            _ => change.doubt.as_ref().map(|doubt| format!("in the new report {doubt}")),
        };
        Row { sign, what: what(&change.what), note }
    };
    let new = changes.new.iter().map(|change| doubted(Sign::New, change));
    let gone = changes.gone.iter().map(|gone| Row { sign: Sign::Gone, what: what(gone), note: None });
    let not_read = changes.not_read.iter().map(|change| doubted(Sign::NotRead, change));
    new.chain(gone).chain(not_read).collect()
}

fn finding(found: &Found) -> Vec<String> {
    let mut what = vec![found.severity.clone(), found.code.clone(), found.subject.clone()];
    what.extend(found.suppressed.then(|| "suppressed".to_owned()));
    what
}

fn finding_changed(change: &FindingChanged) -> Row {
    let told = |severity: &str, suppressed: bool| {
        if suppressed { format!("{severity}, suppressed") } else { severity.to_owned() }
    };
    let from = told(&change.old_severity, change.old_suppressed);
    let to = told(&change.finding.severity, change.finding.suppressed);
    let what = vec![change.finding.code.clone(), change.finding.subject.clone()];
    Row { sign: Sign::Changed, what, note: Some(format!("{from} -> {to}")) }
}

fn changed(change: &Changed) -> Row {
    let note = Some(format!("{}: {} -> {}", change.field, change.from, change.to));
    Row { sign: Sign::Changed, what: vec![change.what.clone()], note }
}

fn sizing_changed(change: &SizingChanged) -> Row {
    let told = |sizing: &SizingRead| format!("{}, {} of {} go", sizing.status, sizing.removed, sizing.granted);
    let note = Some(format!("{} -> {}", told(&change.from), told(&change.to)));
    Row { sign: Sign::Changed, what: vec![change.role.clone()], note }
}
