//! What digests, and digests that are gone, hide: days that only look quiet, and hours after the window.

use std::collections::BTreeSet;

use thirdtrail::run::plan::Request;

use crate::signed::{is_digest, is_log, signed, unsigned};
use crate::verified::{DAYS, Way, account_and_day, holes, outcome_of, sound, unverified_report};

/// S26: digests that name logs do not make the day quiet on which these logs are not there: an interrupted copy, or a
/// rule that removes logs before digests. Neither do digests that cannot be read, nor those of some hours or Regions.
#[test]
fn digests_without_their_logs_are_a_hole_without_verification_too() {
    let day = "/2026/05/03/";
    let mut interrupted = sound();
    interrupted.files.retain(|key, _| !(is_log(key) && key.contains(day)));
    let accounts: BTreeSet<(String, String)> =
        interrupted.keys_of(is_digest).iter().filter(|key| key.contains(day)).map(|key| account_and_day(key)).collect();
    assert!(!accounts.is_empty());
    assert_eq!(holes(&unverified_report(&interrupted), "no_objects"), accounts);

    let mut files = unsigned(DAYS);
    files.retain(|key, _| !key.contains(day));
    let quiet = signed(files);
    assert_eq!(holes(&unverified_report(&quiet), "no_objects"), BTreeSet::new());
    let digests = quiet.keys_of(is_digest);
    let some = digests.iter().find(|key| key.contains(day) && key.ends_with("T120000Z.json.gz")).unwrap();
    let of_one = BTreeSet::from([account_and_day(some)]);
    let mut unreadable = quiet.clone();
    unreadable.files.insert(some.clone(), b"\x1f\x8b\x08 damaged".to_vec());
    assert_eq!(holes(&unverified_report(&unreadable), "no_objects"), of_one);
    let mut partial = quiet.clone();
    partial.files.remove(some);
    assert_eq!(holes(&unverified_report(&partial), "no_objects"), of_one);
    let mut without_region = quiet.clone();
    let region = some.split_once(day).unwrap().0;
    without_region.files.retain(|key, _| !(key.starts_with(region) && key.contains(day)));
    assert_eq!(holes(&unverified_report(&without_region), "no_objects"), of_one);
}

/// S3, S26: logs are delivered late, so what the digests of the hours after the window hide may be its last events.
#[test]
fn a_digest_missing_after_the_window_is_a_hole_of_its_last_day() {
    let mut trail = sound();
    let digests = trail.keys_of(is_digest);
    let after = digests.iter().find(|key| key.contains("/2026/05/04/") && key.ends_with("T060000Z.json.gz")).unwrap();
    trail.files.remove(after);
    let time = |day: &str| thirdtrail::aws::window::parse_time(day);
    let request = Request { since: time("2026-05-02"), until: time("2026-05-04"), ..Request::default() };
    let way = Way { metadata: true, jobs: 2, keys: Some(trail.keys.clone()) };
    let report = outcome_of(&trail.files, &trail.signatures, &way, request).unwrap();
    let last_day = (account_and_day(after).0, "2026-05-03".to_owned());
    assert_eq!(holes(&report, "digest_gap"), BTreeSet::from([last_day]));
}
