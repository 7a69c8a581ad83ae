//! Coverage judged: which days cannot be judged, and whether what is left is enough (S26).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, TimeDelta};

use crate::aws::window::{Window, midnight};
use crate::aws::{AccountId, api_call::short_source};
use crate::cloudtrail::object_key::ObjectKey;
use crate::evidence::Evidence;
use crate::evidence::coverage::Recorded;
use crate::evidence::merge::RecordCounts;

use super::assessment::{
    AccountCoverage, BadRecord, BytesReport, CoverageReport, DoubtedDay, FailedObject, Hole, IntegrityReport,
    ObjectsReport, RecordsReport, RegionCoverage, UnmappedCall,
};
use super::beside::Beside;
use super::trail::AccountTrail;

/// What the reading itself counted: nothing of it is in the evidence.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Objects found at the source.
    pub listed: u64,
    /// Objects not read, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Days without objects that digests show to have been quiet.
    pub digest_days: BTreeSet<(AccountId, NaiveDate)>,
    /// The fate of every record.
    pub records: RecordCounts,
    /// What the digests say, if they were verified.
    pub integrity: Option<IntegrityReport>,
}

/// The days of one account that cannot be judged, each with its reason; a day can have several.
pub type Holes = BTreeMap<AccountId, BTreeSet<Hole>>;

/// The holes of every account that has records or objects.
#[must_use]
pub fn holes(evidence: &Evidence, reading: &Reading, window: Window) -> Holes {
    let coverage = &evidence.coverage;
    let mut delivered: BTreeMap<AccountId, BTreeSet<NaiveDate>> = BTreeMap::new();
    for ((account, _), place) in &coverage.places {
        let days = delivered.entry(*account).or_default();
        days.extend(&place.delivered);
        days.extend(&place.undated);
    }
    for (account, day) in &reading.digest_days {
        if let Some(days) = delivered.get_mut(account) {
            days.insert(*day);
        }
    }
    let mut holes = Holes::new();
    for (account, days) in &delivered {
        let silent = window.days().filter(|day| !days.contains(day));
        holes.entry(*account).or_default().extend(silent.map(|day| hole(Some(day), "no_objects")));
    }
    for key in coverage.failed.keys() {
        let place = ObjectKey::parse(key);
        add_doubted(&mut holes, (place.account, place.delivered, "unreadable_object"), window);
    }
    if let Some(integrity) = &reading.integrity {
        integrity.doubted_days.iter().for_each(|day| add_doubted(&mut holes, *day, window));
        add_gaps(&mut holes, integrity, window);
    }
    add_stopped(&mut holes, evidence, window);
    holes
}

fn hole(day: Option<NaiveDate>, reason: &str) -> Hole {
    Hole { day: day.map_or_else(|| "unknown".to_owned(), |day| day.to_string()), reason: reason.to_owned() }
}

/// An object that cannot be read or relied on hides the day of its delivery and, because delivery lags, nothing tells
/// which events.
fn add_doubted(holes: &mut Holes, (account, delivered, reason): DoubtedDay, window: Window) {
    // The day after the window may hold its last events.
    let last = window.days().last().and_then(|day| day.checked_add_days(Days::new(1)));
    let outside = |day: NaiveDate| midnight(day) < midnight(window.since.date_naive()) || Some(day) > last;
    if delivered.is_some_and(outside) {
        return;
    }
    let day = delivered.map(|day| day.min(window.days().last().unwrap_or(day)));
    add_hole(holes, account, hole(day, reason));
}

/// To one account, or to all where nobody knows which.
fn add_hole(holes: &mut Holes, account: Option<AccountId>, hole: Hole) {
    match account {
        Some(account) => {
            holes.entry(account).or_default().insert(hole);
        }
        None => {
            for days in holes.values_mut() {
                days.insert(hole.clone());
            }
        }
    }
}

/// Where a digest is missing or was tampered with, nobody knows what was delivered.
fn add_gaps(holes: &mut Holes, integrity: &IntegrityReport, window: Window) {
    let last = window.days().last();
    // The day after the window may hold its last events.
    let end = window.until.checked_add_signed(TimeDelta::days(1)).unwrap_or(window.until);
    for gap in integrity.gaps.iter().filter(|gap| gap.hole) {
        let (since, until) = (gap.from.unwrap_or(window.since), gap.until.unwrap_or(window.until));
        let Some(gap_days) = Window::new(since.max(window.since), until.min(end)) else { continue };
        for day in gap_days.days() {
            add_hole(holes, gap.account_id, hole(Some(day.min(last.unwrap_or(day))), "digest_gap"));
        }
    }
}

/// A time between `StopLogging` or `DeleteTrail` and the next `StartLogging`.
fn add_stopped(holes: &mut Holes, evidence: &Evidence, window: Window) {
    let mut stopped: BTreeMap<AccountId, crate::aws::window::Time> = BTreeMap::new();
    let mut gaps = Vec::new();
    for (account, change) in &evidence.coverage.logging {
        if change.starts {
            gaps.extend(stopped.remove(account).map(|since| (*account, since, change.time)));
        } else {
            stopped.entry(*account).or_insert(change.time);
        }
    }
    gaps.extend(stopped.into_iter().map(|(account, since)| (account, since, window.until)));
    for (account, since, until) in gaps {
        let Some(gap) = Window::new(since, until) else { continue };
        let days = gap.days().filter(|day| midnight(*day) < window.until);
        holes.entry(account).or_default().extend(days.map(|day| hole(Some(day), "logging_stopped")));
    }
}

/// Holes as a share of the window's days, 0.0 to 1.0; 1.0 for an account of which nothing was read.
#[must_use]
pub fn hole_share(holes: &Holes, account: AccountId, window: Window) -> f64 {
    let Some(holes) = holes.get(&account) else { return 1.0 };
    let known: BTreeSet<&str> = holes.iter().map(|hole| hole.day.as_str()).collect();
    let days = window.days().count().max(1);
    (known.len() as f64 / days as f64).min(1.0)
}

/// The window of a trail whose keys tell no days and for which none was given: all days that hold events.
#[must_use]
pub fn window_of_events(evidence: &Evidence) -> Option<Window> {
    let spans = evidence.coverage.places.values().filter_map(|place| place.events);
    let span = spans.reduce(|a, b| a.and(b))?;
    let after = span.last.date_naive().checked_add_days(Days::new(1))?;
    Window::new(midnight(span.first.date_naive()), midnight(after))
}

/// The coverage part of the report.
#[must_use]
pub fn report(
    evidence: &Evidence,
    reading: &Reading,
    holes: &Holes,
    window: Window,
    unmapped: Vec<UnmappedCall>,
) -> CoverageReport {
    let coverage = &evidence.coverage;
    let totals = coverage.totals();
    let failed: Vec<FailedObject> =
        coverage.failed.iter().map(|(key, reason)| FailedObject { key: key.clone(), reason: reason.clone() }).collect();
    let bad = |((key, index), reason): (&(String, u64), &String)| BadRecord {
        key: key.clone(),
        index: *index,
        reason: reason.clone(),
    };
    let counts = reading.records;
    CoverageReport {
        complete: failed.is_empty()
            && counts.bad == 0
            && reading.integrity.as_ref().is_none_or(|integrity| integrity.intact == Some(true)),
        objects: ObjectsReport {
            listed: reading.listed,
            read: coverage.objects.len() as u64,
            skipped: reading.skipped.clone(),
            failed,
        },
        records: RecordsReport {
            total: counts.total,
            used: counts.used,
            out_of_scope: counts.out_of_scope,
            duplicate: counts.duplicate,
            bad: counts.bad,
        },
        bytes: BytesReport { compressed: totals.compressed_bytes, decompressed: totals.decompressed_bytes },
        accounts: accounts(evidence, holes, window),
        bad_records: coverage.bad_records.iter().map(bad).collect(),
        unmapped,
        failed_inputs: Vec::new(),
        not_judged: not_judged(reading),
        integrity: reading.integrity.clone(),
    }
}

/// What this version does not judge yet: better said than guessed.
const NOT_JUDGED: [&str; 3] = [
    "which permissions of IAM users were used: what a vendor's user may do is told, and nothing is proposed for it",
    CONFIGURATION,
    "session policies, service and resource control policies, and resource policies: they are not in the inventory",
];
/// And not without being asked (`--verify-digests`).
const DIGESTS_NOT_JUDGED: &str =
    "the digest chain: digests tell that the trail was on, their signatures are not verified";

fn not_judged(reading: &Reading) -> Vec<String> {
    let digests = reading.integrity.is_none().then_some(DIGESTS_NOT_JUDGED);
    NOT_JUDGED.into_iter().chain(digests).map(str::to_owned).collect()
}

/// The line of [`NOT_JUDGED`] that falls away where the configuration of trails is given.
const CONFIGURATION: &str =
    "the trail's own configuration: it was not given, so what the trail records is taken from its records";

impl CoverageReport {
    /// With what was asked for beside the trail and could not be read, and what is judged because it could.
    #[must_use]
    pub fn beside(mut self, beside: &Beside, trails: &BTreeMap<AccountId, AccountTrail<'_>>) -> Self {
        self.failed_inputs.clone_from(&beside.failed);
        self.complete &= beside.failed.is_empty();
        let unknown = trails.iter().filter(|(_, trail)| !trail.is_configured());
        let unknown: Vec<String> = unknown.map(|(account, _)| account.to_string()).collect();
        if unknown.is_empty() && beside.configuration.is_some() {
            self.not_judged.retain(|line| line != CONFIGURATION);
        } else if unknown.len() < trails.len() {
            for line in self.not_judged.iter_mut().filter(|line| *line == CONFIGURATION) {
                *line = format!("{line}: {}", unknown.join(", "));
            }
        }
        self
    }
}

fn accounts(evidence: &Evidence, holes: &Holes, window: Window) -> Vec<AccountCoverage> {
    let coverage = &evidence.coverage;
    let mut regions: BTreeMap<AccountId, Vec<RegionCoverage>> = BTreeMap::new();
    for ((account, region), place) in &coverage.places {
        let silent = window.days().filter(|day| !place.delivered.contains(day) && !place.undated.contains(day));
        regions.entry(*account).or_default().push(RegionCoverage {
            region: evidence.names.text(*region).to_owned(),
            first_event: place.events.map(|span| span.first),
            last_event: place.events.map(|span| span.last),
            days_without_objects: silent.map(|day| day.to_string()).collect(),
        });
    }
    for account in holes.keys() {
        regions.entry(*account).or_default();
    }
    let mut recorded: BTreeMap<AccountId, Recorded> = BTreeMap::new();
    for (key, flags) in &coverage.seen {
        recorded.entry(key.account).or_default().0 |= flags.0;
    }
    let seen = |account: AccountId, flag: Recorded| recorded.get(&account).is_some_and(|known| known.contains(flag));
    regions
        .into_iter()
        .map(|(account, mut regions)| {
            regions.sort_by(|a, b| a.region.cmp(&b.region));
            let types = coverage.data_types.get(&account);
            AccountCoverage {
                account_id: account,
                regions,
                data_events_seen: types.into_iter().flatten().cloned().collect(),
                read_events_seen: seen(account, Recorded::READ),
                write_events_seen: seen(account, Recorded::WRITE),
                holes: holes.get(&account).into_iter().flatten().cloned().collect(),
                hole_share: hole_share(holes, account, window),
            }
        })
        .collect()
}

/// The event source of an API with its suffix, for reports.
#[must_use]
pub fn event_source(source: &str) -> String {
    if source.contains('.') { source.to_owned() } else { format!("{}.amazonaws.com", short_source(source)) }
}
