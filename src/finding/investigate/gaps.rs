//! What the output of a run could not show of a party in a range: said first, so that silence is not taken for rest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use crate::aws::window::{Window, midnight, rfc3339};
use crate::cloudtrail::object_key::ObjectKey;

use super::answer::{CallTold, Gap, RoleTold};
use super::{Asked, Known};

/// Days and keys that one sentence holds.
const LISTED: usize = 10;

/// Kinds of gaps, the gravest first.
const ORDER: [&str; 11] = [
    "outside_window",
    "hole",
    "unreadable_objects",
    "bad_records",
    "missing_input",
    "limited_run",
    "not_attributed",
    "no_write_events",
    "no_read_events",
    "calls_summed",
    "resources_cut",
];

/// Puts the gravest first.
pub(super) fn sort(gaps: &mut [Gap]) {
    let rank = |gap: &Gap| ORDER.iter().position(|what| *what == gap.what).unwrap_or(ORDER.len());
    gaps.sort_by(|a, b| (rank(a), a).cmp(&(rank(b), b)));
}

pub(super) fn gaps(known: &Known<'_>, asked: &Asked<'_>, reachable: &BTreeSet<&str>) -> Vec<Gap> {
    let mut gaps = outside(known, asked.range);
    let coverage = &known.reported.coverage;
    let mut add = |what: &'static str, account_id: Option<String>, detail: String| {
        gaps.push(Gap { what, account_id, detail });
    };
    let limits = &known.reported.asked;
    for (what, only) in [("accounts", &limits.accounts), ("Regions", &limits.regions)] {
        if !only.is_empty() {
            add("limited_run", None, format!("the run read only these {what}: {}", only.join(", ")));
        }
    }
    let failed: Vec<&str> = coverage
        .objects
        .failed
        .iter()
        .map(|one| one.key.as_str())
        .filter(|key| may_concern(key, asked.range))
        .collect();
    if !failed.is_empty() {
        let some = some(&failed);
        add("unreadable_objects", None, format!("{} log objects of the range could not be read: {some}", failed.len()));
    }
    if coverage.records.bad > 0 {
        let bad = coverage.records.bad;
        add("bad_records", None, format!("{bad} records of the trail could not be read; of what time is not known"));
    }
    for input in &coverage.failed_inputs {
        add("missing_input", input.account_id.clone(), format!("`{}` was asked for and could not be read", input.call));
    }
    for account in &coverage.accounts {
        let id = || Some(account.account_id.clone());
        let mut days: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for hole in account.holes.iter().filter(|hole| touches(&hole.day, asked.range)) {
            days.entry(&hole.reason).or_default().push(&hole.day);
        }
        for (reason, days) in days {
            let count = days.len();
            add("hole", id(), format!("{count} days of the range cannot be judged ({reason}): {}", some(&days)));
        }
        // Whether an account's reads are recorded matters only where the party can come, or acted without a role.
        let concerned = reachable.iter().any(|arn| arn.contains(&account.account_id))
            || asked.parties.iter().any(|party| party.id.contains(&account.account_id))
            || asked.parties.iter().any(|party| party.channels.iter().any(|channel| channel == "resource_policy"))
            || known.calls.keys().any(|row| row.account_id == account.account_id);
        if concerned && account.read_events_seen == Some(false) {
            add(
                "no_read_events",
                id(),
                "the trail holds no read of this account: what was looked at is not shown".into(),
            );
        }
        if concerned && account.write_events_seen == Some(false) {
            add(
                "no_write_events",
                id(),
                "the trail holds no write of this account: what was changed is not shown".into(),
            );
        }
        if concerned {
            add("data_events", id(), data_events(&account.data_events_seen));
        }
    }
    gaps
}

fn data_events(seen: &[String]) -> String {
    const SUCH: &str = "objects read or written, functions invoked, items of tables";
    match seen {
        [] => format!("the trail holds no data events of this account: {SUCH} are not shown"),
        some => format!("data events of other types than {} are not shown ({SUCH})", some.join(", ")),
    }
}

/// The parts of the range that the run did not look at.
fn outside(known: &Known<'_>, range: Window) -> Vec<Gap> {
    let window = known.reported.window;
    let mut gaps = Vec::new();
    let mut add = |from, to| {
        let detail = format!("from {} to {}: not in the window of the run", rfc3339(from), rfc3339(to));
        gaps.push(Gap { what: "outside_window", account_id: None, detail });
    };
    if range.since < window.since {
        add(range.since, range.until.min(window.since));
    }
    if range.until > window.until {
        add(range.since.max(window.until), range.until);
    }
    gaps
}

/// Whether an object may hold records of the range: it is delivered on their day, or on the next; what tells no day may.
fn may_concern(key: &str, range: Window) -> bool {
    let Some(day) = ObjectKey::parse(key).delivered else { return true };
    let before = day.checked_sub_days(Days::new(1)).unwrap_or(day);
    let after = day.checked_add_days(Days::new(2)).unwrap_or(day);
    midnight(before) < range.until && midnight(after) > range.since
}

/// Whether a day of a hole touches the range; one that is not known may.
fn touches(day: &str, range: Window) -> bool {
    let Ok(day) = day.parse::<NaiveDate>() else { return true };
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    midnight(day) < range.until && midnight(next) > range.since
}

/// What the answer itself could not tell apart.
pub(super) fn of_calls(calls: &[CallTold], roles: &[RoleTold]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut add = |what: &'static str, detail: String| gaps.push(Gap { what, account_id: None, detail });
    let cut = calls.iter().filter(|call| call.resources_may_be_cut).count();
    if cut > 0 {
        add("resources_cut", format!("{cut} rows of calls name only the first of their resources"));
    }
    let unknown: u64 = roles.iter().map(|role| role.not_attributed).sum();
    if unknown > 0 {
        add(
            "not_attributed",
            format!("{unknown} sessions of its roles in the range could not be attributed to anybody: they may be its"),
        );
    }
    gaps
}

fn some(texts: &[&str]) -> String {
    let shown = texts.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
