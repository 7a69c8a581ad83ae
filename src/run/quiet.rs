//! Reads the digests of days without log objects: only digests that cover a day and name no log of it show it quiet (S26).
//!
//! A copy that was interrupted, or a rule that removes logs before digests, leaves days of digests alone. Their names say
//! that the trail was on; only their contents say that it delivered nothing. Nothing is verified here: what these digests
//! say is what everything else is judged by where nobody asked to verify, the listing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::aws::AccountId;
use crate::aws::window::{Time, midnight};
use crate::cloudtrail::digest::Digest;
use crate::cloudtrail::object_key::ObjectKey;
use crate::store::{Entry, Store};

use super::UserError;
use super::digests::{read_digests, readers};
use super::monitor::Monitor;
use super::plan::{Plan, Request, asks_for, silent_days};

/// Most digests that are read for days without objects; the days of all others stay holes.
pub const QUIET_DIGESTS: usize = 20_000;

type Day = (AccountId, NaiveDate);

/// The days without objects that were quiet.
///
/// # Errors
/// When no thread can be started. A digest that cannot be read shows nothing.
pub fn days(
    store: &dyn Store,
    plan: &Plan,
    request: &Request,
    monitor: &dyn Monitor,
) -> Result<BTreeSet<Day>, UserError> {
    let (days, entries) = within_the_limit(plan, request);
    if entries.is_empty() {
        return Ok(BTreeSet::new());
    }
    let bytes = entries.iter().map(|entry| entry.size_bytes).sum();
    monitor.begin("reading digests of days without objects", entries.len() as u64, bytes);
    let digests = read_digests(&readers()?, store, &entries, monitor);
    monitor.end();
    let mut heard = Heard { days, covered: BTreeMap::new() };
    for (entry, digest) in entries.iter().zip(&digests) {
        heard.take(&ObjectKey::parse(&entry.key), digest.as_ref().ok(), request);
    }
    let regions = regions(plan, request);
    heard.days.retain(|(account, day)| {
        let needed = regions.get(account);
        needed.is_some_and(|needed| {
            !needed.is_empty() && needed.iter().all(|region| covers(&heard.covered, (*account, region), *day, request))
        })
    });
    Ok(heard.days)
}

/// Days without objects, the first ones first, with all of their digests.
fn within_the_limit<'p>(plan: &'p Plan, request: &Request) -> (BTreeSet<Day>, Vec<&'p Entry>) {
    let mut of_days: BTreeMap<Day, Vec<&Entry>> = BTreeMap::new();
    for entry in &plan.silent_digests {
        let key = ObjectKey::parse(&entry.key);
        if let Some(day) = key.account.zip(key.delivered) {
            of_days.entry(day).or_default().push(entry);
        }
    }
    let (mut days, mut entries) = (BTreeSet::new(), Vec::new());
    for (account, day) in silent_days(plan, request) {
        let both = [Some(day), day.succ_opt()];
        for day in both.into_iter().flatten() {
            entries.extend(of_days.remove(&(account, day)).unwrap_or_default());
        }
        if entries.len() > QUIET_DIGESTS {
            break;
        }
        days.insert((account, day));
    }
    (days, entries)
}

/// Where each account must have digests: wherever it has any, or logs.
fn regions(plan: &Plan, request: &Request) -> BTreeMap<AccountId, BTreeSet<String>> {
    let mut regions = plan.digest_regions.clone();
    for entry in &plan.objects {
        let key = ObjectKey::parse(&entry.key);
        if let (Some(account), Some(region)) = (key.account, key.region) {
            let known = regions.entry(account).or_default();
            if !known.contains(region) {
                known.insert(region.to_owned());
            }
        }
    }
    if !request.regions.is_empty() {
        regions.values_mut().for_each(|known| known.retain(|region| request.regions.contains(region)));
    }
    regions
}

/// What the digests said.
struct Heard {
    /// Days of which no log is named so far.
    days: BTreeSet<Day>,
    /// The times of the digests of each account and Region.
    covered: BTreeMap<(AccountId, String), BTreeSet<(Time, Time)>>,
}

impl Heard {
    fn take(&mut self, place: &ObjectKey<'_>, digest: Option<&Digest>, request: &Request) {
        let (Some(account), Some(day)) = (place.account, place.delivered) else { return };
        let Some(digest) = digest else { return self.doubt(account, day) };
        for log in &digest.logs {
            let named = ObjectKey::parse(&log.object);
            match named.account.zip(named.delivered) {
                Some(day) if asks_for(request, &named) => drop(self.days.remove(&day)),
                Some(_) => {}
                None => self.doubt(account, day),
            }
        }
        if let Some(region) = place.region {
            let times = self.covered.entry((account, region.to_owned())).or_default();
            times.insert((digest.start, digest.end));
        }
    }

    /// A digest names logs of its own day and of the one before.
    fn doubt(&mut self, account: AccountId, day: NaiveDate) {
        for day in [Some(day), day.pred_opt()].into_iter().flatten() {
            self.days.remove(&(account, day));
        }
    }
}

/// Whether digests cover the whole day, as far as it was asked for.
fn covers(
    covered: &BTreeMap<(AccountId, String), BTreeSet<(Time, Time)>>,
    (account, region): (AccountId, &str),
    day: NaiveDate,
    request: &Request,
) -> bool {
    let Some(times) = covered.get(&(account, region.to_owned())) else { return false };
    let after = day.succ_opt().map_or(Time::MAX_UTC, midnight);
    let until = request.until.map_or(after, |until| until.min(after));
    let mut reached = midnight(day);
    for (start, end) in times {
        if *start <= reached {
            reached = reached.max(*end);
        }
    }
    reached >= until
}
