//! Findings about the trail's integrity: what was tampered with or is missing, and what nothing proves.

use serde_json::json;

use super::super::assessment::{Finding, IntegrityReport};
use super::{Draft, count};

/// Objects and gaps named in a finding; the coverage lists more.
const NAMED: usize = 20;

pub(super) fn of_integrity(integrity: &IntegrityReport, found: &mut Vec<Finding>) {
    mismatch(integrity, found);
    unverified(integrity, found);
}

fn mismatch(integrity: &IntegrityReport, found: &mut Vec<Finding>) {
    if integrity.intact != Some(false) {
        return;
    }
    let (objects, digests) = (&integrity.objects, &integrity.digests);
    let bad = ["altered", "moved", "signature_missing", "unreadable"]
        .map(|reason| digests.unverified.get(reason).copied().unwrap_or(0));
    let parts = [
        (objects.tampered, "log object tampered with", "log objects tampered with"),
        (objects.missing, "log object missing", "log objects missing"),
        (bad.iter().sum(), "digest altered, unsigned or unreadable", "digests altered, unsigned or unreadable"),
        (digests.missing, "time whose digests are missing", "times whose digests are missing"),
    ];
    let parts = parts.into_iter().filter(|(number, ..)| *number > 0);
    let parts: Vec<String> =
        parts.map(|(number, one, many)| format!("{number} {}", if number == 1 { one } else { many })).collect();
    let draft = Draft { code: "digest-mismatch", severity: "high", account: None, subject: "source", party: None };
    found.push(draft.finish(
        format!("the trail is not as CloudTrail delivered it: {}", parts.join(", ")),
        "Objects that were tampered with were read like all others. Their days, the days of missing objects and the \
         times of missing or altered digests count as holes: what was taken out of a log could have been use."
            .to_owned(),
        json!({
            "tampered": keys(&integrity.tampered),
            "missing": keys(&integrity.missing),
            "digests": integrity.doubted_digests.iter().filter(|digest| !is_open(&digest.reason)).take(NAMED).collect::<Vec<_>>(),
            "gaps": integrity.gaps.iter().filter(|gap| gap.refutes()).take(NAMED).collect::<Vec<_>>(),
            "counts": {"objects": objects, "digests": digests},
        }),
        "Find out who can write to the bucket and who did; restore the objects from versions or a replica, and compare \
         with `aws cloudtrail validate-logs`.",
    ));
}

/// What nothing proves, and nothing refutes.
fn unverified(integrity: &IntegrityReport, found: &mut Vec<Finding>) {
    let objects: u64 = integrity.objects.unverified.values().sum();
    let open: u64 = integrity.digests.unverified.iter().filter(|(reason, _)| is_open(reason)).map(|(_, n)| n).sum();
    let gaps: Vec<_> =
        integrity.gaps.iter().filter(|gap| !gap.refutes() && gap.reason != "digest_signature_unknown").collect();
    // The newest digest of a chain has its signature in the bucket's metadata only, which no copy has.
    let newest_only = integrity.digests.verified > 0
        && gaps.is_empty()
        && integrity.objects.unverified.keys().all(|reason| reason == "digest_unverified")
        && integrity.digests.unverified.keys().all(|reason| reason == "signature_unknown");
    if objects == 0 && (newest_only || open == 0 && gaps.is_empty()) {
        return;
    }
    let severity = if newest_only { "low" } else { "medium" };
    let draft = Draft { code: "digest-unverified", severity, account: None, subject: "source", party: None };
    found.push(draft.finish(
        format!("{} and {} are not verified", count(objects, "log object"), count(open, "digest")),
        "Nothing says that they were tampered with, and nothing proves that they were not. They were read and count as \
         they are."
            .to_owned(),
        json!({
            "objects": integrity.unverified.iter().take(NAMED).collect::<Vec<_>>(),
            "digests": integrity.doubted_digests.iter().filter(|digest| is_open(&digest.reason)).take(NAMED).collect::<Vec<_>>(),
            "gaps": gaps.iter().take(NAMED).collect::<Vec<_>>(),
            "counts": {"objects": integrity.objects.unverified, "digests": integrity.digests.unverified},
        }),
        "Give the public keys of every Region and of the whole time, read the digests from the bucket itself, and keep \
         the trail's log file validation switched on.",
    ));
}

/// Whether it is only not known.
fn is_open(reason: &str) -> bool {
    matches!(reason, "signature_unknown" | "key_unknown")
}

fn keys(objects: &[super::super::assessment::DoubtedObject]) -> Vec<&str> {
    objects.iter().take(NAMED).map(|object| object.key.as_str()).collect()
}
