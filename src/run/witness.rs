//! Compares each object, while it is read anyway, with the hash that a digest names for it.
//!
//! Nothing here decides what is read: an object that was tampered with is read like any other, and named.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::cloudtrail::digest::Sha256;
use crate::cloudtrail::gunzip::{InflateError, Inflater};
use crate::cloudtrail::object_key::ObjectKey;
use crate::evidence::limits;
use crate::finding::assessment::{DigestGap, DoubtedObject, INTEGRITY_LISTED, IntegrityReport};

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
const BROKEN: u8 = 3;

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
                (seen @ (OTHER | BROKEN), _) => {
                    report.objects.tampered += 1;
                    list(&mut report.tampered, key, if seen == OTHER { "hash_differs" } else { "cannot_be_inflated" });
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
        let refuted = report.gaps.iter().any(DigestGap::refutes)
            || REFUTING.iter().any(|reason| report.digests.unverified.contains_key(*reason));
        let sound = report.tampered.is_empty() && report.missing.is_empty() && !refuted;
        let told = report.digests.verified > 0 && !report.gaps.iter().any(|gap| gap.hole);
        report.intact = if sound { told.then_some(true) } else { Some(false) };
        report.verified = how_much(&report).to_owned();
        report
    }
}

/// Standings of digests that no honest copy has.
const REFUTING: [&str; 4] = ["altered", "moved", "signature_missing", "unreadable"];

fn how_much(report: &IntegrityReport) -> &'static str {
    let whole = report.digests.unverified.is_empty()
        && report.objects.unverified.is_empty()
        && report.objects.tampered == 0
        && report.gaps.is_empty();
    match report.digests.verified {
        0 => "none",
        _ if whole => "all",
        _ => "some",
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
        let seen = match self.inflater.inflate(bytes) {
            Ok(plain) if Sha256::of(plain.bytes()) == hash => SAME,
            Ok(_) => OTHER,
            // Our limit, and no fault of the object.
            Err(InflateError::TooLarge(_)) => NOT_READ,
            Err(_) => BROKEN,
        };
        expected.seen.store(seen, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/05/01/x.json.gz";

    /// What becomes of an object that was expected and then seen so: verified, tampered, reasons of the unverified.
    fn seen(expected: &[(Proof, &[u8])], bytes: Option<&[u8]>) -> (u64, u64, Vec<String>) {
        let mut witness = Witness::new([KEY].into_iter());
        for (proof, plain) in expected {
            assert!(witness.expect(KEY, *proof, Sha256::of(plain)));
        }
        if let Some(bytes) = bytes {
            witness.eye().see(KEY, bytes);
        }
        let report = witness.report();
        assert_eq!(report.intact, (report.objects.tampered > 0).then_some(false), "no digest was read");
        let unverified = report.objects.unverified.into_keys().collect();
        (report.objects.verified, report.objects.tampered, unverified)
    }

    #[test]
    fn the_best_proof_decides() {
        let open = |reason: &str| (0, 0, vec![reason.to_owned()]);
        assert_eq!(seen(&[(Proof::Proven, b"a")], Some(b"a")), (1, 0, vec![]));
        assert_eq!(seen(&[(Proof::Proven, b"a")], Some(b"b")), (0, 1, vec![]));
        assert_eq!(seen(&[(Proof::Proven, b"a")], None), open("not_read"));
        assert_eq!(seen(&[], Some(b"a")), open("not_named"));
        assert_eq!(seen(&[(Proof::Unproven, b"a")], Some(b"a")), open("digest_unverified"));
        assert_eq!(seen(&[(Proof::Unproven, b"a")], Some(b"b")), (0, 1, vec![]));
        assert_eq!(seen(&[(Proof::Refuted, b"a")], Some(b"b")), open("digest_unverified"));
        // A forged digest says nothing against a proven one, whichever is heard first.
        for both in [[(Proof::Proven, b"a"), (Proof::Unproven, b"b")], [(Proof::Unproven, b"b"), (Proof::Proven, b"a")]]
        {
            let both = both.map(|(proof, plain)| (proof, plain.as_slice()));
            assert_eq!(seen(&both, Some(b"a")), (1, 0, vec![]));
        }
    }

    /// Reading a second time, for another scope, changes nothing that was found.
    #[test]
    fn an_object_seen_twice_counts_once() {
        let mut witness = Witness::new([KEY].into_iter());
        witness.expect(KEY, Proof::Proven, Sha256::of(b"a"));
        for _ in 0..2 {
            witness.eye().see(KEY, b"a");
            assert_eq!(witness.report().objects.verified, 1);
        }
        assert!(!witness.expect("another", Proof::Proven, Sha256::of(b"a")));
    }

    /// A file that says to be gzip and is not.
    #[test]
    fn what_cannot_be_inflated_is_not_what_was_delivered() {
        assert_eq!(seen(&[(Proof::Proven, b"a")], Some(b"\x1f\x8b\x08 broken")), (0, 1, vec![]));
    }
}
