//! The last lines of `analyze` and `report`: what the answer rests on, who came in, what matters first, what to do next.
//!
//! One screen. What is left out here stands in the report, whose place comes with it.

use std::collections::BTreeMap;

use crate::aws::window::rfc3339;
use crate::finding::assessment::{Assessment, Finding, PartyReport};
use crate::finding::compare::rank;
use crate::finding::keep::KeepOutcome;
use crate::finding::suppress::SuppressionOutcome;
use crate::run::analyze::{Format, Options, Outcome};
use crate::run::output::Target;

use super::coverage;
use super::ink::Ink;
use super::next_step::next_steps;
use super::table::{Cell, Column, Table};
use super::terminal::{line, note, plain, told, told_under};

/// Kinds of findings and parties shown; the report has them all.
const SHOWN: usize = 5;
const PARTIES_SHOWN: usize = 8;
/// The gravest first.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];
/// What stands beside `findings:` and the like begins here when it goes on.
const BESIDE: usize = 2;

/// The columns of the parties: on a narrow terminal the last ones are left out first.
const PARTIES: [Column; 8] = [
    Column::text("party", 14),
    Column::text("open findings", 8),
    Column::number("roles"),
    Column::number("sessions"),
    Column::number("calls"),
    Column::text("last seen", 10),
    Column::text("kind", 8),
    Column::text("id", 12),
];

pub(super) fn print(outcome: &Outcome, out: &Target, options: &Options) -> std::io::Result<()> {
    let assessment = &outcome.assessment;
    coverage::print(assessment)?;
    if let Some(notes) = &outcome.evidence {
        coverage::evidence(notes)?;
    }
    line("")?;
    parties(assessment)?;
    roles(assessment)?;
    keep_rules(outcome)?;
    suppressions(outcome)?;
    line("")?;
    findings(assessment)?;
    line("")?;
    for (what, file) in places(options) {
        told_under(&format!("{what}: {}", plain(&out.place_of(file))), BESIDE)?;
    }
    for step in next_steps(assessment, out, &options.formats) {
        told_under(&format!("{}: {}", Ink::Head.paint("next"), plain(&step)), BESIDE)?;
    }
    Ok(())
}

/// What was written for people, or else for programs.
fn places(options: &Options) -> &'static [(&'static str, &'static str)] {
    match (options.formats.has(Format::Html), options.formats.has(Format::Markdown)) {
        (true, true) => &[("report", "report/index.html"), ("as one text", "report.md")],
        (true, false) => &[("report", "report/index.html")],
        (false, true) => &[("report", "report.md")],
        (false, false) => &[("report", "report.json")],
    }
}

fn is_outside(party: &&PartyReport) -> bool {
    matches!(party.kind.as_str(), "vendor" | "unknown_account" | "identity_provider" | "iam_user")
}

/// Open findings about a party and about the roles that it can or did come into, by severity.
fn by_party<'a>(assessment: &'a Assessment, parties: &[&'a PartyReport]) -> Vec<[u64; SEVERITIES.len()]> {
    let mut of_subject: BTreeMap<&str, [u64; SEVERITIES.len()]> = BTreeMap::new();
    for finding in open(assessment) {
        if let Some(count) = of_subject.entry(&finding.subject).or_default().get_mut(rank(&finding.severity)) {
            *count += 1;
        }
    }
    let of = |party: &&PartyReport| {
        let mut sums = [0; SEVERITIES.len()];
        for subject in party.roles.iter().chain([&party.id]) {
            let counts = of_subject.get(subject.as_str()).into_iter().flatten();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        sums
    };
    parties.iter().map(of).collect()
}

/// `2 high, 3 medium` for a table: the two gravest kinds.
fn gravest(counts: &[u64; SEVERITIES.len()]) -> Cell {
    let told = counts.iter().zip(SEVERITIES).filter(|(count, _)| **count > 0);
    let words: Vec<String> = told.clone().take(2).map(|(count, severity)| format!("{count} {severity}")).collect();
    let ink = told.clone().next().map_or(Ink::Usual, |(_, severity)| Ink::of(severity));
    if words.is_empty() { Cell::from("-") } else { Cell::new(&words.join(", "), ink) }
}

fn parties(assessment: &Assessment) -> std::io::Result<()> {
    let outside: Vec<&PartyReport> = assessment.parties.iter().filter(is_outside).collect();
    let counts = by_party(assessment, &outside);
    let mut rows: Vec<_> = outside.iter().zip(counts).collect();
    // The gravest findings first; of equal ones the busiest.
    rows.sort_by(|(one, first), (other, second)| {
        second.cmp(first).then(other.calls.cmp(&one.calls)).then_with(|| one.id.cmp(&other.id))
    });
    let mut table = Table::new(&PARTIES);
    for (party, counts) in rows.iter().take(PARTIES_SHOWN) {
        table.add([
            Cell::from(&party.name),
            gravest(counts),
            party.roles.len().into(),
            party.sessions.into(),
            party.calls.into(),
            party.last_seen.map_or_else(|| Cell::from("never"), |at| Cell::from(rfc3339(at).get(..10).unwrap_or("-"))),
            Cell::from(kind_words(&party.kind)),
            Cell::from(&party.id),
        ]);
    }
    match outside.len() {
        0 => line("no outside party can come in or did")?,
        _ => table.print()?,
    }
    match outside.len().saturating_sub(PARTIES_SHOWN) {
        0 => Ok(()),
        more => line(&format!("and {more} more outside parties")),
    }
}

fn kind_words(kind: &str) -> String {
    if kind == "iam_user" { "IAM user".to_owned() } else { kind.replace('_', " ") }
}

/// The roles, and what could be taken back.
fn roles(assessment: &Assessment) -> std::io::Result<()> {
    let roles = &assessment.roles;
    let with = |verdict: &str| roles.iter().filter(|role| role.idle.verdict == verdict).count();
    told(&format!(
        "{} open to outsiders, {} of them idle, {} never used",
        counted(roles.len() as u64, "role"),
        with("idle"),
        with("never_used")
    ))?;
    let status = |wanted: &str| roles.iter().filter(|role| role.rightsizing.status == wanted).count();
    let removed: u64 =
        roles.iter().filter(|role| role.rightsizing.status == "proposed").map(|role| role.rightsizing.removed).sum();
    let withheld = status("withheld");
    let withheld = if withheld > 0 { format!("; {withheld} withheld, the report says why") } else { String::new() };
    told(&format!(
        "{}, {} to take back{withheld}",
        counted(status("proposed") as u64, "right-sized role"),
        counted(removed, "unused permission")
    ))
}

/// `1 role`, `2 roles`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Findings that nobody answers for.
pub(super) fn open(assessment: &Assessment) -> impl Iterator<Item = &Finding> {
    assessment.findings.iter().filter(|finding| finding.suppressed.is_none())
}

/// How many findings there are, and of the gravest kinds one each.
fn findings(assessment: &Assessment) -> std::io::Result<()> {
    let of = |severity: &str| open(assessment).filter(|finding| finding.severity == severity).count();
    let counts = SEVERITIES.map(|severity| (of(severity), severity));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(count, severity)| Ink::of(severity).paint(&format!("{count} {severity}"))).collect();
    if counts.is_empty() {
        return line("findings: none that are open");
    }
    told(&format!("findings: {}", counts.join(", ")))?;
    let grave: Vec<&Finding> = open(assessment).filter(|finding| rank(&finding.severity) < 2).collect();
    let mut kinds: BTreeMap<(usize, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &grave {
        kinds.entry((rank(&finding.severity), &finding.code)).or_default().push(finding);
    }
    let mut left = grave.len();
    for alike in kinds.values().take(SHOWN) {
        left -= alike.len();
        let Some(first) = alike.first() else { continue };
        let word = Ink::of(&first.severity).paint(&first.severity);
        let more =
            if alike.len() > 1 { format!(" (and {} more of {})", alike.len() - 1, first.code) } else { String::new() };
        told(&format!("  {word}: {}{more}", plain(&first.title)))?;
    }
    if left > 0 { line(&format!("  and {left} more critical or high")) } else { Ok(()) }
}

/// One line about keep rules, if there are any; a rule that matches nothing is likely to be mistyped.
fn keep_rules(outcome: &Outcome) -> std::io::Result<()> {
    if outcome.keep.is_empty() {
        return Ok(());
    }
    let number = |wanted: fn(&KeepOutcome) -> bool| outcome.keep.iter().filter(|rule| wanted(rule)).count();
    let kept = outcome.assessment.roles.iter().flat_map(|role| role.actions.iter().chain(&role.actions_beyond));
    told(&format!(
        "keep rules: {} in force keep {} unused permissions, {} expired, {} match nothing (run.json names them)",
        number(|rule| rule.state == "in_force"),
        kept.filter(|entry| entry.kept_by.is_some()).count(),
        number(|rule| rule.state == "expired"),
        number(|rule| rule.roles == 0)
    ))
}

/// One line about suppressions, if there are any; one that matches nothing is likely to be mistyped or out of date.
fn suppressions(outcome: &Outcome) -> std::io::Result<()> {
    let findings = &outcome.assessment.findings;
    if !outcome.suppressions.is_empty() {
        let number =
            |wanted: fn(&SuppressionOutcome) -> bool| outcome.suppressions.iter().filter(|one| wanted(one)).count();
        told(&format!(
            "suppressions: {} in force hide {} findings, {} expired, {} match nothing, {} never expire (run.json names them)",
            number(|one| one.state == "in_force"),
            findings.iter().filter(|finding| finding.suppressed.is_some()).count(),
            number(|one| one.state == "expired"),
            number(|one| one.findings == 0),
            number(|one| one.expires.is_none())
        ))?;
    }
    for own in &outcome.own_vendors {
        note(&plain(&format!("warning: {own} is your own account, because its trail was read; it counts as yours")));
    }
    if findings.iter().any(|finding| finding.known.is_some()) {
        let known = findings.iter().filter(|finding| finding.known == Some(true)).count();
        told(&format!("baseline: {} findings are new, {known} were there before", findings.len() - known))?;
    }
    Ok(())
}
