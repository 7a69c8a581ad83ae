//! What the digests say: whether what was read is what CloudTrail delivered.

use crate::aws::window::Time;
use crate::finding::assessment::{DoubtedObject, IntegrityReport};

use super::super::escape::{code, text};
use super::moment;
use super::page::{Page, count, left_out};

/// Objects and gaps listed one by one.
const SHOWN: usize = 20;

/// Writes the section.
pub(super) fn render(page: &mut Page, integrity: &IntegrityReport) {
    page.heading(3, "Whether it is what CloudTrail delivered");
    page.paragraph(&verdict(integrity));
    let (objects, digests) = (&integrity.objects, &integrity.digests);
    let reasons = |reasons: &std::collections::BTreeMap<String, u64>| -> String {
        let all: Vec<String> = reasons.iter().map(|(reason, number)| format!("{number} {}", spoken(reason))).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    };
    let buckets: Vec<String> = integrity.buckets.iter().map(|bucket| code(bucket)).collect();
    page.list([
        format!(
            "Log objects: {} verified, {} tampered with, {} missing; not verified: {}.",
            objects.verified,
            objects.tampered,
            objects.missing,
            reasons(&objects.unverified)
        ),
        format!(
            "Digests: {} read, {} verified; not verified: {}.",
            digests.read,
            digests.verified,
            reasons(&digests.unverified)
        ),
        format!("Delivered to: {}.", if buckets.is_empty() { "not known".to_owned() } else { buckets.join(", ") }),
    ]);
    objects_of(page, "Tampered with", &integrity.tampered, objects.tampered);
    objects_of(page, "Missing", &integrity.missing, objects.missing);
    let open = objects.unverified.values().sum();
    objects_of(page, "Not verified", &integrity.unverified, open);
    let doubted = digests.unverified.values().sum();
    objects_of(page, "Digests that are not verified", &integrity.doubted_digests, doubted);
    gaps(page, integrity);
}

fn verdict(integrity: &IntegrityReport) -> String {
    if integrity.intact == Some(false) {
        return "**The trail is not as CloudTrail delivered it.** The days concerned count as holes.".to_owned();
    }
    if integrity.verified == "none" {
        return "**Nothing could be verified: no digest is proven, so it is not known whether the trail is what \
                CloudTrail delivered.**"
            .to_owned();
    }
    if integrity.intact.is_none() {
        return "**Not verified as a whole: no proven digest covers some times, which count as holes; nothing was found \
                tampered with or missing.**"
            .to_owned();
    }
    let open = !integrity.objects.unverified.is_empty() || !integrity.digests.unverified.is_empty();
    if open || !integrity.gaps.is_empty() {
        return "Nothing was found tampered with or missing, but not everything is verified.".to_owned();
    }
    "**Every log object that was read is what CloudTrail delivered, and none is missing.**".to_owned()
}

fn objects_of(page: &mut Page, title: &str, objects: &[DoubtedObject], all: u64) {
    if objects.is_empty() {
        return;
    }
    page.table([title, "Why"], objects.iter().take(SHOWN).map(|object| [code(&object.key), spoken(&object.reason)]));
    if let Some(sentence) = left_out(usize::try_from(all).unwrap_or(usize::MAX), SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn gaps(page: &mut Page, integrity: &IntegrityReport) {
    if integrity.gaps.is_empty() {
        return;
    }
    let open = |time: Option<Time>| if time.is_some() { moment(time) } else { "open".to_owned() };
    page.table(
        ["Account", "Region", "No verified digest from", "until", "Why"],
        integrity.gaps.iter().take(SHOWN).map(|gap| {
            [
                gap.account_id.map_or_else(|| "unknown".to_owned(), |account| account.to_string()),
                text(gap.region.as_deref().unwrap_or("unknown")),
                open(gap.from),
                open(gap.until),
                spoken(&gap.reason),
            ]
        }),
    );
    if let Some(sentence) = left_out(integrity.gaps.len(), SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
    page.paragraph(&format!("{} without a verified digest in all.", count(integrity.gaps.len() as u64, "time")));
}

fn spoken(reason: &str) -> String {
    let (word, why) = reason.split_once(": ").map_or((reason, String::new()), |(word, why)| (word, format!(": {why}")));
    text(&format!("{}{why}", word.replace('_', " ")))
}
