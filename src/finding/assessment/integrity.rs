//! The integrity part of the coverage: what the digests of the trail say about what was read.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::optional_time;
use crate::aws::AccountId;
use crate::aws::window::Time;

/// Objects and digests listed one by one, of each kind; all of them are counted.
pub const INTEGRITY_LISTED: usize = 1_000;

/// What the digests say about what was read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IntegrityReport {
    /// `false` where something was found tampered with or missing, objects and digests alike; nothing where that cannot
    /// be said: no digest could be verified, or none covers a time for want of a key or because a chain ends.
    pub intact: Option<bool>,
    /// How much is proven: `all` of the log objects that were read and of the digests, `some`, or `none`.
    pub verified: String,
    /// Digests by what became of them.
    pub digests: DigestsReport,
    /// Log objects by what became of them.
    pub objects: VerifiedObjects,
    /// Objects that are not what CloudTrail delivered.
    pub tampered: Vec<DoubtedObject>,
    /// Objects that CloudTrail delivered and that are not there.
    pub missing: Vec<DoubtedObject>,
    /// Objects that were read and of which nothing proves that CloudTrail delivered them so.
    pub unverified: Vec<DoubtedObject>,
    /// Digests that cannot be relied on.
    pub doubted_digests: Vec<DoubtedObject>,
    /// Times that no verified digest covers.
    pub gaps: Vec<DigestGap>,
    /// The buckets that CloudTrail delivered the digests to.
    pub buckets: BTreeSet<String>,
    /// Days on which something is missing or tampered with, each with the reason of the hole that it is (S26).
    #[serde(skip)]
    pub doubted_days: BTreeSet<DoubtedDay>,
    /// Days of verified digests: the trail was on.
    #[serde(skip)]
    pub days: BTreeSet<(AccountId, NaiveDate)>,
}

/// The account and day of an object, as far as its key tells them, and why the day is a hole.
pub type DoubtedDay = (Option<AccountId>, Option<NaiveDate>, &'static str);

/// Digests by what became of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DigestsReport {
    /// Read.
    pub read: u64,
    /// Proven by their own signature or by a verified digest that names their hash.
    pub verified: u64,
    /// Not proven, by reason: `signature_unknown`, `key_unknown`, `signature_missing`, `unreadable`,
    /// `moved`, `altered`.
    pub unverified: BTreeMap<String, u64>,
    /// Times between two digests from which at least one is missing.
    pub missing: u64,
}

/// Log objects by what became of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VerifiedObjects {
    /// They have the hash that a verified digest names.
    pub verified: u64,
    /// They have another one, or cannot be inflated.
    pub tampered: u64,
    /// They are named by a digest and not there.
    pub missing: u64,
    /// Not proven, by reason: `not_named`, `digest_unverified`, `not_read`.
    pub unverified: BTreeMap<String, u64>,
}

/// An object or a digest, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DoubtedObject {
    /// Its key within the source.
    pub key: String,
    /// One word; for a digest that cannot be read, what follows says why.
    pub reason: String,
}

impl DoubtedObject {
    /// An object with what is wrong with it.
    #[must_use]
    pub fn new(key: &str, reason: &str) -> Self {
        Self { key: key.to_owned(), reason: reason.to_owned() }
    }
}

/// A time that no verified digest covers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DigestGap {
    /// The account, if the key tells it.
    pub account_id: Option<AccountId>,
    /// The Region, if the key tells it.
    pub region: Option<String>,
    /// Its beginning; none where no verified digest lies before.
    #[serde(with = "optional_time")]
    pub from: Option<Time>,
    /// Its end; none where no verified digest follows.
    #[serde(with = "optional_time")]
    pub until: Option<Time>,
    /// `digest_missing`, `digest_altered`, `digest_unreadable`, `digest_moved`, `digest_signature_missing`,
    /// `digest_signature_unknown`, `digest_key_unknown`, `chain_restarted`, `chain_ends`.
    pub reason: String,
    /// The digest that is missing or to blame.
    pub digest: Option<String>,
    /// Whether it hides what was delivered: then its days are holes (S26).
    pub hole: bool,
}

impl DigestGap {
    /// Whether it shows that something was taken away or changed; without a key, or at the end of a chain, nobody can
    /// tell.
    #[must_use]
    pub fn refutes(&self) -> bool {
        self.hole && !matches!(self.reason.as_str(), "digest_key_unknown" | "chain_ends")
    }
}
