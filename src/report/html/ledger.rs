//! The ledger of a role's actions on its page: what was granted or tried, with verdict, evidence and reason.
//!
//! A page must stay one that a browser likes: of a very large grant it shows what is dangerous, used or refused first, and
//! says what it left out and where that stands.

use std::collections::BTreeMap;

use crate::aws::AccessLevel;
use crate::finding::assessment::{ActionEntry, RoleReport};

use super::super::certificate::{is_removed, ledger};
use super::charts::Service;
use super::words::{Few, Long, count, day, number, spoken};

/// Lines of a ledger on a page.
pub(super) const LINES: usize = 600;
/// Bytes of text in them.
const LINE_BYTES: usize = 280_000;
/// Refused actions without a grant on a page.
const REFUSED: usize = 100;

/// The ledger as it is shown.
pub(super) struct Ledger {
    pub(super) lines: Vec<Line>,
    /// How many lines are not shown, in a sentence.
    pub(super) left_out: Option<String>,
    /// Actions that were tried and refused, and that no policy grants: action, how often, first and last.
    pub(super) refused: Vec<(Long, String, String, String)>,
    /// How many of them are not shown.
    pub(super) refused_more: u64,
    /// Numbers by verdict: words, verdict, how many.
    pub(super) sums: Vec<(String, String, String)>,
}

/// One action.
pub(super) struct Line {
    pub(super) action: Long,
    pub(super) verdict: String,
    pub(super) verdict_words: String,
    pub(super) level: Option<&'static str>,
    pub(super) danger: Option<String>,
    pub(super) calls: u64,
    /// The calls, those denied and those that failed; nothing where there was none.
    pub(super) calls_words: [String; 3],
    pub(super) first: String,
    pub(super) last: String,
    pub(super) resources: Few,
    pub(super) samples: Few,
    pub(super) granted_by: Vec<(Long, Long)>,
    pub(super) granted_more: usize,
    /// `goes`, `stays`, or nothing where it is not granted.
    pub(super) fate: &'static str,
    pub(super) reason: Long,
}

impl Line {
    fn weight(&self) -> usize {
        let few = |few: &Few| few.shown.iter().map(Long::weight).sum::<usize>();
        let granted = self.granted_by.iter().map(|(policy, statement)| policy.weight() + statement.weight());
        self.action.weight() + self.reason.weight() + few(&self.resources) + few(&self.samples) + granted.sum::<usize>()
    }
}

/// The verdicts in the order in which they are told.
const VERDICTS: [(&str, &str); 6] = [
    ("used", "used"),
    ("unused", "unused"),
    ("not_observable", "not observable"),
    ("dependent", "needed by others"),
    ("used_not_granted", "used, not granted"),
    ("denied", "denied"),
];

/// What the verdict is called on a page.
fn verdict_words(verdict: &str) -> String {
    VERDICTS.iter().find(|(name, _)| *name == verdict).map_or_else(|| spoken(verdict), |(_, words)| (*words).to_owned())
}

/// The ledger of a role, in one of so many shares of its room; `has_tables` says whether the table of all lines is there.
pub(super) fn of(role: &RoleReport, has_tables: bool, share: usize) -> Ledger {
    let proposed = role.rightsizing.status == "proposed";
    let mut entries: Vec<&ActionEntry> = ledger(role).collect();
    entries.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.action.cmp(&b.action)));
    let total = entries.len() as u64;
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    entries.iter().for_each(|entry| *sums.entry(&entry.verdict).or_default() += 1);
    let mut lines: Vec<Line> = Vec::new();
    let mut bytes = 0;
    for entry in &entries {
        let line = line(entry, proposed);
        bytes += line.weight();
        if lines.len() >= LINES || bytes > LINE_BYTES / share {
            break;
        }
        lines.push(line);
    }
    let left = total.saturating_sub(lines.len() as u64);
    let rank = |verdict: &str| VERDICTS.iter().position(|(name, _)| *name == verdict);
    let mut sums: Vec<(&str, u64)> = sums.into_iter().collect();
    sums.sort_by_key(|(verdict, _)| rank(verdict).unwrap_or(VERDICTS.len()));
    Ledger {
        lines,
        left_out: (left > 0).then(|| {
            format!(
                "{} not shown here, the least telling ones: every line stands in the table {}.",
                if left == 1 { "1 more action is".to_owned() } else { format!("{} are", count(left, "more action")) },
                if has_tables { "parquet/permissions" } else { "permissions, which --format parquet writes" }
            )
        }),
        refused: role
            .denied_not_granted
            .iter()
            .take(REFUSED)
            .map(|one| {
                let edge = |time: Option<crate::aws::window::Time>| time.map(day).unwrap_or_default();
                (Long::of(one.action.as_str()), number(one.denied), edge(one.first_seen), edge(one.last_seen))
            })
            .collect(),
        refused_more: role.denied_not_granted.len().saturating_sub(REFUSED) as u64,
        sums: sums.into_iter().map(|(name, amount)| (verdict_words(name), name.to_owned(), number(amount))).collect(),
    }
}

/// What should be read first: what is dangerous and unused, what is used without a grant, what was refused, what was used.
fn order(entry: &ActionEntry) -> (u8, std::cmp::Reverse<u64>) {
    let kind = match entry.verdict.as_str() {
        "unused" if entry.danger.is_some() => 0,
        "used_not_granted" => 1,
        _ if entry.denied > 0 => 2,
        "used" => 3,
        "unused" => 4,
        "dependent" => 5,
        _ => 6,
    };
    (kind, std::cmp::Reverse(entry.calls))
}

fn line(entry: &ActionEntry, proposed: bool) -> Line {
    let granted = !entry.granted_by.is_empty();
    Line {
        action: Long::of(entry.action.as_str()),
        verdict: entry.verdict.clone(),
        verdict_words: verdict_words(&entry.verdict),
        level: entry.access_level.map(level),
        danger: entry.danger.as_deref().map(spoken),
        calls: entry.calls,
        calls_words: [entry.calls, entry.denied, entry.failed]
            .map(|amount| if amount == 0 { String::new() } else { number(amount) }),
        first: entry.first_seen.map(day).unwrap_or_default(),
        last: entry.last_seen.map(day).unwrap_or_default(),
        resources: Few::of(&entry.resources, 4),
        samples: Few::of(&entry.sample_event_ids, 3),
        granted_by: entry.granted_by.iter().take(2).map(|by| (Long::of(&by.policy), Long::of(&by.statement))).collect(),
        granted_more: entry.granted_by.len().saturating_sub(2),
        fate: match (granted, proposed && is_removed(entry)) {
            (false, _) => "",
            (true, true) => "goes",
            (true, false) => "stays",
        },
        reason: Long::of(&match &entry.kept_by {
            Some(rule) => format!("{}; kept by {rule}", entry.reason),
            None => entry.reason.clone(),
        }),
    }
}

fn level(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::List => "list",
        AccessLevel::Read => "read",
        AccessLevel::Tagging => "tagging",
        AccessLevel::Write => "write",
        AccessLevel::PermissionsManagement => "permissions management",
    }
}

/// What was granted and used by service, those with the most dangerous unused actions first.
pub(super) fn by_service(role: &RoleReport) -> Vec<Service> {
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    for entry in ledger(role).filter(|entry| !entry.granted_by.is_empty()) {
        let name = entry.action.service().to_ascii_lowercase();
        let service = services.entry(name.clone()).or_insert_with(|| Service { name, ..Service::default() });
        match entry.verdict.as_str() {
            "used" | "dependent" => service.used += 1,
            "unused" if entry.danger.is_some() => service.dangerous += 1,
            "unused" => service.unused += 1,
            _ => service.unseen += 1,
        }
    }
    let mut services: Vec<Service> = services.into_values().collect();
    services.sort_by(|a, b| (b.dangerous, b.granted(), &a.name).cmp(&(a.dangerous, a.granted(), &b.name)));
    services
}
