//! Finds the objects of a trail by going down its folders, so that a window, an account or a Region lists only what it
//! needs, and several folders are listed at a time.
//!
//! What is not asked for is not listed and therefore not counted. What lies where no trail puts it is listed all the
//! same: the plan must be the one that follows from a listing of everything (S1, S3). Inside the folder of a year the
//! days are trusted to be where CloudTrail puts them.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};

use crate::aws::AccountId;
use crate::cloudtrail::object_key::{ObjectKey, ObjectKind};
use crate::evidence::hands::{self, Hands};
use crate::store::{Entry, KeyRange, Store, StoreError};

use super::UserError;
use super::inputs;
use super::monitor::Monitor;
use super::plan::{Plan, Request, check_dates, plan};
use super::workers::{Effort, Workers};

/// Folders beside a trail that are looked into; beyond that they are listed whole, which costs pages but misses nothing.
const FOLDERS_BESIDE: usize = 64;

/// Folders that are listed at a time.
const AT_A_TIME: usize = 32;

/// Plans the reading of a source: a near one is listed as a whole, of a far one what the request needs.
///
/// # Errors
/// When it cannot be listed, or there is nothing to read.
pub fn find(store: &dyn Store, request: &Request, monitor: &dyn Monitor) -> Result<Plan, UserError> {
    if store.remote().is_none() {
        return plan(inputs::list(store)?, request);
    }
    check_dates(request)?;
    let hands = Workers::start(Effort { jobs: AT_A_TIME, memory_bytes: 0 })?;
    monitor.begin("listing the source", 0, 0);
    let found = discover(store, request, &hands, monitor).map_err(|error| inputs::not_listed(&error))?;
    monitor.end();
    // What lies outside the layout of a trail is none of its logs.
    let is_log = |key: ObjectKey<'_>| key.in_layout && key.kind == ObjectKind::Log;
    let has_logs = found.entries.iter().any(|entry| is_log(ObjectKey::parse(&entry.key)));
    if !has_logs && !found.accounts.is_empty() {
        return Err(UserError::new(
            "the trail holds no object in the window, accounts and Regions asked for",
            "widen --since, --until, --account or --region",
        ));
    }
    let mut planned = plan(found.entries, request)?;
    planned.accounts.extend(found.accounts);
    Ok(planned)
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Objects, sorted by key, each once.
    pub entries: Vec<Entry>,
    /// Accounts whose trails lie there, also those that were not asked for.
    pub accounts: BTreeSet<AccountId>,
}

/// Lists what a request needs, by `hands` that ask for several folders at a time.
///
/// # Errors
/// When a folder cannot be listed.
pub fn discover(
    store: &dyn Store,
    request: &Request,
    hands: &dyn Hands,
    monitor: &dyn Monitor,
) -> Result<Found, StoreError> {
    let place = store.within();
    let mut search = Search::of(request);
    let mut folders = BTreeSet::new();
    if place.is_empty() || place.ends_with('/') {
        folders.extend(search.look_into(place).then(|| place.to_owned()));
    }
    while !folders.is_empty() {
        let wave: Vec<String> = std::mem::take(&mut folders).into_iter().collect();
        let look = |folder: &String| {
            monitor.at(folder);
            store.level(folder)
        };
        for level in hands::map(hands, &wave, look) {
            let level = level?;
            search.found.entries.extend(level.objects);
            folders.extend(level.folders.into_iter().filter(|folder| search.look_into(folder)));
        }
    }
    if !search.has_trail {
        // No folder tells a day, so nothing can be left out; objects met on the way are listed with the others.
        search.found.entries.clear();
        search.ranges = vec![KeyRange::at(place)];
    }
    let mut found = search.found;
    let list = |range: &KeyRange| {
        monitor.at(&range.prefix);
        store.list_range(range)
    };
    for entries in hands::map(hands, &search.ranges, list) {
        found.entries.extend(entries?);
    }
    found.entries.sort();
    found.entries.dedup_by(|a, b| a.key == b.key);
    Ok(found)
}

/// The days of delivery to be listed; open on a side that was not asked for.
#[derive(Clone, Copy, Debug)]
struct DaysOfDelivery {
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
}

impl DaysOfDelivery {
    /// S3: a key tells the day of delivery, so one more day is listed on each side, as it is read; a digest that tells
    /// of these may lie another day off.
    fn of(request: &Request) -> Self {
        let margin = Days::new(if request.with_digests { 2 } else { 1 });
        let first = request.since.and_then(|since| since.date_naive().checked_sub_days(margin));
        let last = request.until.and_then(|until| until.date_naive().checked_add_days(margin));
        Self { first, last }
    }

    fn is_open(self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    /// What of the folder of a year is needed: a month at a time, so that several are listed at once. Bounds end in `/`:
    /// the folder that they name begins after them, for servers that compare names of folders too.
    fn of_year(self, folder: &str, year: i32) -> Vec<KeyRange> {
        let (start, end) = (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31));
        let (Some(start), Some(end)) = (start, end) else { return vec![KeyRange::whole(folder)] };
        let (first, last) = (self.first.unwrap_or(start).max(start), self.last.unwrap_or(end).min(end));
        if first > last {
            return Vec::new();
        }
        let mut ranges: Vec<KeyRange> = (first.month()..=last.month())
            .map(|month| KeyRange {
                prefix: folder.to_owned(),
                after: format!("{month:02}/"),
                to: Some(format!("{:02}/", month + 1)),
            })
            .collect();
        if let Some(range) = ranges.first_mut().filter(|_| first > start) {
            range.after = format!("{:02}/{:02}/", first.month(), first.day());
        }
        if let Some(range) = ranges.last_mut().filter(|_| last < end) {
            range.to = Some(format!("{:02}/{:02}/", last.month(), last.day() + 1));
        }
        // Whatever else lies in a year that is wanted from its beginning, or to its end.
        if let Some(range) = ranges.first_mut().filter(|_| first == start) {
            range.after = String::new();
        }
        if let Some(range) = ranges.last_mut().filter(|_| last == end) {
            range.to = None;
        }
        ranges
    }
}

struct Search<'a> {
    request: &'a Request,
    /// Nothing was left out by the request: then all is listed and counted.
    is_whole: bool,
    days: DaysOfDelivery,
    found: Found,
    /// To be listed in the end.
    ranges: Vec<KeyRange>,
    /// Folders outside a trail that were looked into.
    beside: usize,
    has_trail: bool,
}

impl<'a> Search<'a> {
    fn of(request: &'a Request) -> Self {
        Self {
            request,
            is_whole: *request == Request { with_digests: request.with_digests, ..Request::default() },
            days: DaysOfDelivery::of(request),
            found: Found::default(),
            ranges: Vec::new(),
            beside: 0,
            has_trail: false,
        }
    }

    /// Whether to look into a folder now; if not, what it holds is to be listed, or is not needed.
    fn look_into(&mut self, folder: &str) -> bool {
        let object = format!("{folder}x.json.gz");
        let key = ObjectKey::parse(&object);
        let Some(account) = key.account.filter(|_| key.in_layout) else { return self.look_beside(folder) };
        self.has_trail = true;
        self.found.accounts.insert(account);
        if !self.is_whole && !self.needs(account, &key) {
            return false;
        }
        let Some(region) = key.region else { return true };
        let inside = folder.rsplit_once(&format!("/{region}/")).map(|(_, inside)| inside.trim_end_matches('/'));
        match inside {
            Some("") if !self.days.is_open() => return true,
            Some(year) if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.ranges.extend(self.days.of_year(folder, year.parse().unwrap_or(0)));
            }
            // Of no year, or below one because that is the place that was asked for.
            _ => self.ranges.push(KeyRange::whole(folder)),
        }
        false
    }

    /// Whether the request needs that part of a trail.
    fn needs(&self, account: AccountId, key: &ObjectKey<'_>) -> bool {
        let (accounts, regions) = (&self.request.accounts, &self.request.regions);
        let asked = accounts.is_empty() || accounts.contains(&account);
        asked
            && match key.kind {
                ObjectKind::Log => regions.is_empty() || key.region.is_none_or(|region| regions.contains(region)),
                // Digests of any Region show that the account's trail was on.
                ObjectKind::Digest => true,
                ObjectKind::Insight | ObjectKind::Other => false,
            }
    }

    /// A folder in no trail may lead to one, but not below an account, where other services put their logs.
    fn look_beside(&mut self, folder: &str) -> bool {
        if lies_below_account(folder) {
            if self.is_whole {
                self.ranges.push(KeyRange::whole(folder));
            }
            return false;
        }
        if leads_to_accounts(folder) {
            return true;
        }
        self.beside += 1;
        if self.beside > FOLDERS_BESIDE {
            self.ranges.push(KeyRange::whole(folder));
        }
        self.beside <= FOLDERS_BESIDE
    }
}

/// `AWSLogs/[o-orgid/]<account>/<service>/`.
fn lies_below_account(folder: &str) -> bool {
    let steps: Vec<&str> = folder.trim_end_matches('/').split('/').collect();
    let Some(logs) = steps.iter().position(|step| *step == "AWSLogs") else { return false };
    steps
        .iter()
        .enumerate()
        .any(|(at, step)| at > logs && at + 1 < steps.len() && at <= logs + 2 && AccountId::parse(step).is_some())
}

/// A folder of accounts, of an organization, or of one account, of which there are many: they are on the way to trails,
/// below `AWSLogs` and also above it where each account has a prefix of its own.
fn leads_to_accounts(folder: &str) -> bool {
    let last = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last == "AWSLogs" || last.starts_with("o-") || AccountId::parse(last).is_some()
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
