//! Slots: the objects whose evidence is saved together, an account, a Region and a day of delivery; objects whose key does
//! not tell these are grouped by a digest of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloudtrail::object_key::ObjectKey;
use crate::evidence::coverage::object_digest;
use crate::store::{Entry, KeyRange};

use super::plan::{Request, plan};

/// Where slots are for the objects whose keys do not tell account, Region and day.
pub(super) const OTHER_FOLDER: &str = "other/";
/// Slots for the objects whose keys do not tell account, Region and day.
const OTHER_SLOTS: u128 = 64;

/// Objects of one slot.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Its objects, each key once.
    pub objects: Vec<Entry>,
}

impl Slot {
    /// All slots of these objects, by name.
    #[must_use]
    pub fn all(objects: &[Entry]) -> Vec<Self> {
        let mut slots: BTreeMap<String, BTreeMap<&str, &Entry>> = BTreeMap::new();
        for entry in objects {
            slots.entry(slot_of(&entry.key)).or_default().insert(&entry.key, entry);
        }
        slots
            .into_iter()
            .map(|(name, objects)| Self { name, objects: objects.into_values().cloned().collect() })
            .collect()
    }
}

/// The slot of an object, by its key. Strangers choose keys, so only what is harmless becomes part of a name (S43).
fn slot_of(key: &str) -> String {
    let parts = ObjectKey::parse(key);
    let harmless = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    match (parts.account, parts.region.filter(harmless), parts.delivered) {
        (Some(account), Some(region), Some(day)) if parts.in_layout => {
            // One account may have several trails.
            let trail = object_digest(folder) % (1 << 32);
            format!("{account}/{region}/{day}-{trail:08x}")
        }
        _ => format!("{OTHER_FOLDER}{:02x}", object_digest(key) % OTHER_SLOTS),
    }
}

/// Where below `folder` everything lies that slots of these objects hold, with what lies between them; nowhere if there are
/// no objects.
pub(super) fn range(folder: &str, objects: &[Entry]) -> Option<KeyRange> {
    let slots: BTreeSet<String> = objects.iter().map(|entry| slot_of(&entry.key)).collect();
    slots.first().zip(slots.last()).map(|(first, last)| KeyRange {
        prefix: folder.to_owned(),
        after: format!("{first}/"),
        // The name of the last slot ends with a `/`, which `0` follows.
        to: Some(format!("{last}0")),
    })
}

/// Whether a request asks for the objects of a slot.
pub(super) fn is_asked_for(slot: &str, request: &Request) -> bool {
    let mut parts = slot.split('/');
    let (Some(account), Some(region), Some(day)) = (parts.next(), parts.next(), parts.next()) else { return true };
    let day = day.get(..10).unwrap_or_default().replace('-', "/");
    let key = format!("AWSLogs/{account}/CloudTrail/{region}/{day}/x.json.gz");
    plan(vec![Entry { key, size_bytes: 0, tag: String::new() }], request).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S43: strangers' keys name no folder outside, and no slot that is not theirs.
    #[test]
    fn slots_have_harmless_names() {
        let check = |key: &str, expected: &str| assert!(slot_of(key).starts_with(expected), "{key}: {}", slot_of(key));
        let log = |region: &str| format!("AWSLogs/111122223333/CloudTrail/{region}/2026/05/01/x.json.gz");
        check(&log("us-east-1"), "111122223333/us-east-1/2026-05-01-");
        check(&log(".."), "other/");
        check(&log("a b"), "other/");
        check("x.json", "other/");
        assert_ne!(slot_of(&log("us-east-1")), slot_of(&format!("AWSLogs/o-a/{}", &log("us-east-1")[8..])));
    }

    #[test]
    fn a_range_holds_its_slots_and_no_others() {
        let key = |day: u32| format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/05/{day:02}/x.json.gz");
        let shard = |day: u32| format!("shards/{}/a.shard", slot_of(&key(day)));
        let entry = |key: String| Entry { key, size_bytes: 1, tag: String::new() };
        let range = super::range("shards/", &[entry(key(4)), entry(key(3)), entry(key(3))]).unwrap();
        let held: Vec<u32> = (1..=6).filter(|day| range.contains(&shard(*day))).collect();
        assert_eq!(held, [3, 4]);
        assert_eq!(super::range("shards/", &[]), None);
    }
}
