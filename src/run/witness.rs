//! Compares each object, while it is read anyway, with the hash that a digest names for it.
//!
//! Nothing here decides what is read: an object that was tampered with is read like any other, and named.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::cloudtrail::digest::Sha256;
use crate::cloudtrail::gunzip::Inflater;
use crate::cloudtrail::object_key::ObjectKey;
use crate::evidence::limits;
use crate::finding::assessment::{DoubtedObject, INTEGRITY_LISTED, IntegrityReport};

/// How well it is known what an object should hold, the better the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Proof {
    /// No digest names it.
    NotNamed,
    /// Only digests name it that are not what CloudTrail signed, or not in their place: what they say counts nothing.
    Refuted,
    /// A digest names it whose signature cannot be verified.
    Unproven,
    /// A verified digest names it.
    Proven,
}

const NOT_READ: u8 = 0;
const SAME: u8 = 1;
const OTHER: u8 = 2;

struct Expected {
    proof: Proof,
    hash: Option<Sha256>,
    seen: AtomicU8,
}

/// What the digests say of the objects that are to be read.
pub struct Witness<'p> {
    objects: HashMap<&'p str, Expected>,
    missing: BTreeSet<String>,
    /// What the digests say of themselves.
    pub digests: IntegrityReport,
}

impl<'p> Witness<'p> {
    /// A witness who has heard nothing yet of the objects with these keys.
    pub fn new(keys: impl Iterator<Item = &'p str>) -> Self {
        let unknown = || Expected { proof: Proof::NotNamed, hash: None, seen: AtomicU8::new(NOT_READ) };
        Self {
            objects: keys.map(|key| (key, unknown())).collect(),
            missing: BTreeSet::new(),
            digests: IntegrityReport::default(),
        }
    }

    /// A digest names an object; `false` when there is none of that key. The best proof wins.
    pub fn expect(&mut self, key: &str, proof: Proof, hash: Sha256) -> bool {
        let Some(expected) = self.objects.get_mut(key) else { return false };
        if proof > expected.proof {
            (expected.proof, expected.hash) = (proof, (proof > Proof::Refuted).then_some(hash));
        }
        true
    }

    /// A digest names an object that should be there and is not.
    pub fn miss(&mut self, key: String) {
        self.missing.insert(key);
    }

    /// What a worker compares objects with.
    #[must_use]
    pub fn eye(&self) -> Eye<'_> {
        Eye { objects: &self.objects, inflater: Inflater::new(limits::OBJECT_BYTES) }
    }

    /// What the digests say about what was read.
    #[must_use]
    pub fn report(&self) -> IntegrityReport {
        let mut report = self.digests.clone();
        // By key, so that the same ones are listed whatever was read first.
        let objects: BTreeMap<&str, &Expected> = self.objects.iter().map(|(key, expected)| (*key, expected)).collect();
        for (key, expected) in objects {
            let reason = match (expected.seen.load(Ordering::Relaxed), expected.proof) {
                (OTHER, _) => {
                    report.objects.tampered += 1;
                    list(&mut report.tampered, key, "hash_differs");
                    doubt(&mut report, key, "tampered_object");
                    continue;
                }
                (SAME, Proof::Proven) => {
                    report.objects.verified += 1;
                    continue;
                }
                (_, Proof::NotNamed) => "not_named",
                (SAME, _) | (_, Proof::Refuted) => "digest_unverified",
                _ => "not_read",
            };
            *report.objects.unverified.entry(reason.to_owned()).or_default() += 1;
            list(&mut report.unverified, key, reason);
        }
        for key in &self.missing {
            report.objects.missing += 1;
            list(&mut report.missing, key, "missing");
            doubt(&mut report, key, "missing_object");
        }
        let holes = report.gaps.iter().any(|gap| gap.is_hole());
        let doubted = ["altered", "moved", "unreadable"];
        let doubted = doubted.iter().any(|reason| report.digests.unverified.contains_key(*reason));
        report.intact = report.tampered.is_empty() && report.missing.is_empty() && !holes && !doubted;
        report
    }
}

/// Adds to a list up to its limit.
pub(super) fn list(listed: &mut Vec<DoubtedObject>, key: &str, reason: &str) {
    if listed.len() < INTEGRITY_LISTED {
        listed.push(DoubtedObject::new(key, reason));
    }
}

fn doubt(report: &mut IntegrityReport, key: &str, reason: &'static str) {
    let place = ObjectKey::parse(key);
    report.doubted_days.insert((place.account, place.delivered, reason));
}

/// What one worker compares objects with.
pub struct Eye<'w> {
    objects: &'w HashMap<&'w str, Expected>,
    inflater: Inflater,
}

impl Eye<'_> {
    /// Looks at the bytes of an object as delivered.
    pub fn see(&mut self, key: &str, bytes: &[u8]) {
        let Some((expected, hash)) = self.objects.get(key).and_then(|expected| Some((expected, expected.hash?))) else {
            return;
        };
        let same = self.inflater.inflate(bytes).is_ok_and(|plain| Sha256::of(plain.bytes()) == hash);
        expected.seen.store(if same { SAME } else { OTHER }, Ordering::Relaxed);
    }
}
