//! The coverage part of the report: what was read, skipped, broken, and what the trail could not have shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{IntegrityReport, optional_time};
use crate::aws::AccountId;
use crate::aws::window::Time;

/// What was read, skipped, broken, and what the trail could not have shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CoverageReport {
    /// Whether every object and record in scope could be read, and every input that was asked for, and, where digests
    /// were verified, nothing of what was delivered is missing or was tampered with.
    pub complete: bool,
    /// Objects by fate.
    pub objects: ObjectsReport,
    /// Records by fate; the four fates sum up to `total`.
    pub records: RecordsReport,
    /// Bytes read.
    pub bytes: BytesReport,
    /// By account.
    pub accounts: Vec<AccountCoverage>,
    /// Records that could not be used, one by one up to a limit.
    pub bad_records: Vec<BadRecord>,
    /// API calls by third-party roles that could not be mapped to IAM actions; they block removals (S22).
    pub unmapped: Vec<UnmappedCall>,
    /// Inputs beside the trail that were asked for and could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_inputs: Vec<FailedInput>,
    /// What this version does not judge yet, in plain words.
    pub not_judged: Vec<String>,
    /// What the digests say about what was read, if they were verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<IntegrityReport>,
}

/// An input beside the trail that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FailedInput {
    /// The account, if it is of one.
    pub account_id: Option<AccountId>,
    /// The call, `iam:GetAccountAuthorizationDetails`.
    pub call: String,
    /// Why.
    pub reason: String,
}

/// Objects by fate.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ObjectsReport {
    /// All objects found at the source.
    pub listed: u64,
    /// Log objects read.
    pub read: u64,
    /// Objects not read, by reason: `digest`, `insight`, `other`, `window`, `account`, `region`, `inventory`.
    pub skipped: BTreeMap<String, u64>,
    /// Log objects that could not be read.
    pub failed: Vec<FailedObject>,
}

/// A log object that could not be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailedObject {
    /// Its key within the source.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// Records by fate.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RecordsReport {
    /// All.
    pub total: u64,
    /// Became evidence.
    pub used: u64,
    /// Did not have to.
    pub out_of_scope: u64,
    /// Further deliveries of the same event.
    pub duplicate: u64,
    /// Unusable.
    pub bad: u64,
}

/// Bytes of the objects read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BytesReport {
    /// As delivered.
    pub compressed: u64,
    /// As read.
    pub decompressed: u64,
}

/// A record that could not be used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BadRecord {
    /// The object's key.
    pub key: String,
    /// Its place in the object, from 0.
    pub index: u64,
    /// Why.
    pub reason: String,
}

/// Calls that could not be mapped to IAM actions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnmappedCall {
    /// Event source with suffix.
    pub event_source: String,
    /// Event name.
    pub event_name: String,
    /// Calls by third-party roles.
    pub calls: u64,
    /// Services in which no removal is proposed because of it.
    pub blocks: Vec<String>,
}

/// What the trail covers of one account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountCoverage {
    /// The account.
    pub account_id: AccountId,
    /// Its Regions in which records or objects were found.
    pub regions: Vec<RegionCoverage>,
    /// Resource types of data events seen.
    pub data_events_seen: Vec<String>,
    /// Whether read management events were seen.
    pub read_events_seen: bool,
    /// Whether write management events were seen.
    pub write_events_seen: bool,
    /// Days of the window without any object in any Region, or on which an object could not be read or relied on
    /// (S26).
    pub holes: Vec<Hole>,
    /// Holes as a share of the window's days, 0.0 to 1.0.
    pub hole_share: f64,
}

impl AccountCoverage {
    /// The days that are holes, each once whatever the reasons.
    #[must_use]
    pub fn hole_days(&self) -> BTreeSet<&str> {
        self.holes.iter().map(|hole| hole.day.as_str()).collect()
    }
}

/// A day that cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hole {
    /// `yyyy-mm-dd`, or `unknown` for an unreadable object whose day is not known.
    pub day: String,
    /// `no_objects`, `logging_stopped` or `unreadable_object`; from verified digests `tampered_object`,
    /// `missing_object`, `digest_gap`.
    pub reason: String,
}

/// What the trail covers of one Region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegionCoverage {
    /// The Region.
    pub region: String,
    /// First event, if any.
    #[serde(with = "optional_time")]
    pub first_event: Option<Time>,
    /// Last event, if any.
    #[serde(with = "optional_time")]
    pub last_event: Option<Time>,
    /// Days of the window without an object: listed, but no hole as long as another Region has one (S26).
    pub days_without_objects: Vec<String>,
}
