//! What was read, what could not be, and what the trail shows it records.
//!
//! Coverage travels with the evidence: an answer without it would make a gap in the input look like silence.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use hashbrown::HashMap;

use crate::aws::AccountId;
use crate::aws::window::Time;
use crate::cloudtrail::digest::Sha256;
use crate::cloudtrail::record::{Category, Record};

use super::limits;
use super::names::{Name, Translation};
use super::session::Span;
use super::sighting::join;

/// What one object held. Keyed by a digest of the object's key, so an object read twice counts once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ObjectReading {
    /// Records, bad ones included.
    pub records: u64,
    /// Records that could not be used.
    pub bad: u64,
    /// Size as delivered.
    pub compressed_bytes: u64,
    /// Size as read.
    pub decompressed_bytes: u64,
    /// SHA-256 of the object as delivered; none where it was read without ([`super::observe::Observer::with_sums`]).
    pub sha256: Option<Sha256>,
}

/// Where records lie: one account in one Region.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// First and last event.
    pub events: Option<Span>,
    /// Days on which an object was delivered, by its key.
    pub delivered: BTreeSet<NaiveDate>,
    /// Days of the events of objects whose key tells no day.
    pub undated: BTreeSet<NaiveDate>,
}

/// How the trail records an API: a set of flags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Recorded(pub u8);

impl Recorded {
    /// As a read management event.
    pub const READ: Self = Self(1);
    /// As a write management event.
    pub const WRITE: Self = Self(2);
    /// As a management event that does not say which.
    pub const MANAGEMENT: Self = Self(4);
    /// As a data event.
    pub const DATA: Self = Self(8);
    /// As an event of another category: network activity or an insight. It tells of a use, and nothing of what the
    /// trail records.
    pub const OTHER: Self = Self(16);

    /// How a record was recorded.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        match (record.category, record.read_only) {
            (Category::Data, _) => Self::DATA,
            (Category::NetworkActivity | Category::Insight, _) => Self::OTHER,
            (Category::Management, Some(true)) => Self::READ,
            (Category::Management, Some(false)) => Self::WRITE,
            (Category::Management, None) => Self::MANAGEMENT,
        }
    }

    /// The flags of management events.
    #[must_use]
    pub fn management(self) -> Self {
        Self(self.0 & (Self::READ.0 | Self::WRITE.0 | Self::MANAGEMENT.0))
    }

    /// Sets the flags of `other` too.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether all flags of `other` are set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A change to the trail itself, which the trail records (S26).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LoggingChange {
    /// When.
    pub time: Time,
    /// Whether records stop (`StopLogging`, `DeleteTrail`) or start (`StartLogging`).
    pub starts: bool,
    /// The trail's name or ARN as given.
    pub trail: String,
}

/// One API in one place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SeenKey {
    /// The recipient account.
    pub account: AccountId,
    /// The Region.
    pub region: Name,
    /// Event source without suffix.
    pub source: Name,
    /// Event name.
    pub name: Name,
}

/// By what [`Coverage::objects`] knows the object with that key.
#[must_use]
pub fn object_digest(key: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(key.as_bytes())
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Objects read, by the digest of their key.
    pub objects: HashMap<u128, ObjectReading>,
    /// Objects that could not be read, with the reason.
    pub failed: BTreeMap<String, String>,
    /// Records that could not be used: object key, place in the object, reason. The smallest, up to a limit.
    pub bad_records: BTreeMap<(String, u64), String>,
    /// Accounts and Regions.
    pub places: HashMap<(AccountId, Name), Place>,
    /// Which APIs the trail shows it records, by anybody (S25a).
    pub seen: HashMap<SeenKey, Recorded>,
    /// Resource types of data events, by account.
    pub data_types: BTreeMap<AccountId, BTreeSet<String>>,
    /// When logging was stopped and started.
    pub logging: BTreeSet<(AccountId, LoggingChange)>,
}

impl Coverage {
    /// Lists a bad record, if it is among the smallest; counting is the object's.
    pub fn note_bad(&mut self, key: &str, at: u64, reason: String) {
        self.bad_records.insert((key.to_owned(), at), reason);
        if self.bad_records.len() > limits::BAD_RECORDS {
            self.bad_records.pop_last();
        }
    }

    /// Notes that an API was recorded in its place, when and how.
    pub fn note_api(&mut self, api: SeenKey, recorded: Recorded, span: Span) {
        let place = self.places.entry((api.account, api.region)).or_default();
        place.events = join(place.events, Some(span));
        self.seen.entry(api).or_default().0 |= recorded.0;
    }

    /// Notes what else a record tells of the trail; `dated` tells that its object's key told the day.
    pub fn note_record(&mut self, region: Name, account: AccountId, record: &Record<'_>, dated: bool) {
        if !dated {
            self.note_undated(account, region, record.time);
        }
        if record.category == Category::Data {
            self.note_data_types(account, record);
        }
        if record.source == "cloudtrail" && record.error_code.is_none() {
            self.note_logging(account, record);
        }
    }

    /// Notes the day of a record whose object's key tells no day.
    pub fn note_undated(&mut self, account: AccountId, region: Name, time: Time) {
        self.places.entry((account, region)).or_default().undated.insert(time.date_naive());
    }

    fn note_data_types(&mut self, account: AccountId, record: &Record<'_>) {
        let Some(resources) = record.resources else { return };
        for resource in resources.elements() {
            let Some(kind) = resource.text_at(&["type"]) else { continue };
            let kind = limits::cut(kind);
            let known = self.data_types.entry(account).or_default();
            if !known.contains(kind) {
                known.insert(kind.to_owned());
            }
        }
    }

    fn note_logging(&mut self, account: AccountId, record: &Record<'_>) {
        let starts = match record.name {
            "StopLogging" | "DeleteTrail" => false,
            "StartLogging" => true,
            _ => return,
        };
        let trail = record.parameters.and_then(|json| json.text_at(&["name"])).unwrap_or_default();
        let change = LoggingChange { time: record.time, starts, trail: limits::cut(trail).to_owned() };
        self.logging.insert((account, change));
    }

    /// Adds what another evidence covers.
    pub fn merge(&mut self, other: Self, translate: &mut Translation<'_>) {
        self.objects.extend(other.objects);
        self.failed.extend(other.failed);
        self.forgive();
        for ((key, at), reason) in other.bad_records {
            self.note_bad(&key, at, reason);
        }
        for ((account, region), place) in other.places {
            let known = self.places.entry((account, translate.of(region))).or_default();
            known.events = join(known.events, place.events);
            known.delivered.extend(place.delivered);
            known.undated.extend(place.undated);
        }
        for (key, recorded) in other.seen {
            let key = SeenKey {
                region: translate.of(key.region),
                source: translate.of(key.source),
                name: translate.of(key.name),
                ..key
            };
            self.seen.entry(key).or_default().0 |= recorded.0;
        }
        for (account, types) in other.data_types {
            self.data_types.entry(account).or_default().extend(types);
        }
        self.logging.extend(other.logging);
    }

    /// An object that could be read at last is no longer one that could not.
    pub fn forgive(&mut self) {
        let objects = &self.objects;
        self.failed.retain(|key, _| !objects.contains_key(&object_digest(key)));
    }

    /// Sums over all objects.
    #[must_use]
    pub fn totals(&self) -> ObjectReading {
        self.objects.values().fold(ObjectReading::default(), |sum, object| ObjectReading {
            records: sum.records + object.records,
            bad: sum.bad + object.bad,
            compressed_bytes: sum.compressed_bytes + object.compressed_bytes,
            decompressed_bytes: sum.decompressed_bytes + object.decompressed_bytes,
            sha256: None,
        })
    }
}
