//! The desk at which records are written: fills in Regions, keeps silent in holes, posts to delivery.

use std::collections::BTreeMap;

use super::apis::Api;
use super::cast::{CallKind, Cast};
use super::clock::DAY;
use super::delivery::Mail;
use super::options::{Hole, Options};
use super::records::{self, Record};
use super::rng::Rng;
use super::templates::Outcome;
use super::truth::Ledger;

/// A time of silence: the account (`None`: all), first second, first second after, kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gap {
    pub(crate) account: Option<usize>,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) kind: &'static str,
}

/// How long before the window hand-offs are looked for (S3), in seconds.
pub(crate) const HAND_OFF_LEAD: i64 = 12 * 3_600;

/// The state of writing.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) cast: &'a Cast,
    pub(crate) options: &'a Options,
    pub(crate) mail: Mail<'a>,
    pub(crate) ledger: Ledger,
    pub(crate) rng: Rng,
    pub(crate) gaps: Vec<Gap>,
    /// Accounts and Regions of records in the window, and whether any of them is a management event that writes.
    pub(crate) places: BTreeMap<(usize, usize), bool>,
    buffer: Vec<u8>,
}

/// Who calls, from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) identity: &'a str,
    pub(crate) arn: &'a str,
    pub(crate) address: &'a str,
    pub(crate) agent: &'a str,
}

/// What is unusual about one record.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Extra<'a> {
    pub(crate) event: Option<&'a str>,
    pub(crate) via: Option<&'a str>,
    pub(crate) params: Option<&'a str>,
    pub(crate) response: Option<&'a str>,
    pub(crate) resources: Option<&'a str>,
    pub(crate) shared_event_id: Option<&'a str>,
}

/// The times of silence that the options ask for.
pub(crate) fn gaps(options: &Options, since: i64) -> Vec<Gap> {
    let day = |days: u32| since + i64::from(days) * DAY;
    let gap = |hole: &Hole| match *hole {
        Hole::NoObjects { first_day, days } => {
            Gap { account: None, from: day(first_day), until: day(first_day + days), kind: "no_objects" }
        }
        Hole::LoggingStopped { account, first_day, last_day } => Gap {
            account: usize::try_from(account).ok(),
            from: day(first_day) + 10 * 3600 + 1,
            until: day(last_day) + 16 * 3600,
            kind: "logging_stopped",
        },
    };
    options.holes.iter().map(gap).collect()
}

impl<'a> Desk<'a> {
    /// An empty desk.
    pub(crate) fn new(options: &'a Options, cast: &'a Cast) -> Self {
        let gaps = gaps(options, cast.since);
        let closed = gaps.iter().filter(|gap| gap.account.is_none());
        let closed_days = closed.flat_map(|gap| gap.from / DAY..gap.until / DAY).collect();
        Self {
            cast,
            options,
            mail: Mail::new(options, &cast.accounts, cast.since / DAY, closed_days),
            ledger: Ledger::new(cast),
            rng: Rng::new(options.seed, "records"),
            gaps,
            places: BTreeMap::new(),
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Whether the trail of the account holds what happens at that time; it begins before the window.
    pub(crate) fn recorded(&self, account: usize, time: i64) -> bool {
        let silent = |gap: &Gap| gap.account.is_none_or(|at| at == account) && (gap.from..gap.until).contains(&time);
        (self.cast.since - HAND_OFF_LEAD..self.cast.until).contains(&time) && !self.gaps.iter().any(silent)
    }

    /// A busy Region, the first one more often.
    pub(crate) fn busy_region(&mut self) -> usize {
        let count = self.cast.busy_regions.len() as u64;
        if self.rng.chance(0.8) { 0 } else { usize::try_from(self.rng.below(count)).unwrap_or(0) }
    }

    /// Where the API's call is recorded (S27).
    pub(crate) fn region_for(&self, api: &Api, region: usize) -> usize {
        let first = || self.options.regions.iter().position(|name| name == "us-east-1");
        if api.global() { first().unwrap_or(0) } else { region }
    }

    /// Writes and posts the record, unless the trail was silent; says whether it did.
    pub(crate) fn write(
        &mut self,
        (account, region, time): (usize, usize, i64),
        caller: Caller<'_>,
        (api, outcome): (&Api, Outcome),
        extra: Extra<'_>,
    ) -> bool {
        if !self.recorded(account, time) {
            return false;
        }
        let region = self.region_for(api, region);
        self.buffer.clear();
        let record = Record {
            account: self.cast.account(account),
            region: self.options.regions.get(region).map_or("us-east-1", String::as_str),
            time,
            identity: caller.identity,
            api,
            event: extra.event,
            outcome,
            address: caller.address,
            agent: caller.agent,
            via: extra.via,
            params: extra.params,
            response: extra.response,
            resources: extra.resources,
            shared_event_id: extra.shared_event_id,
            caller: caller.arn,
        };
        records::write(&mut self.buffer, &mut self.rng, &record);
        let address = super::delivery::Address { organization: false, account, region, copy: 0, time };
        if time >= self.cast.since {
            let writes = !api.read && !api.data && api.source != "sts";
            *self.places.entry((account, region)).or_default() |= writes;
        }
        self.mail.post(address, &self.buffer);
        true
    }

    /// One of the calls, by weight.
    pub(crate) fn choose(&mut self, calls: &[CallKind]) -> Option<CallKind> {
        let total: u64 = calls.iter().map(|call| u64::from(call.weight)).sum();
        let mut at = self.rng.below(total);
        for call in calls {
            if at < u64::from(call.weight) {
                return Some(*call);
            }
            at -= u64::from(call.weight);
        }
        None
    }

    /// `low..=high` seconds.
    pub(crate) fn seconds(&mut self, low: u64, high: u64) -> i64 {
        i64::try_from(self.rng.between(low, high)).unwrap_or(0)
    }
}
