//! A bucket that stumbles: slow downs, resets, broken and stalled bodies, doubled listings. The answer is the same as
//! without, or says what is missing; it is never wrong, and it always comes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its trail has failed")]

mod bucket;
mod bundled;
mod folders;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use thirdtrail::run::analyze::{Outcome, analyze};
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::StoreError;
use thirdtrail::store::aws::Aws;
use thirdtrail::store::faulty::FaultyStore;
use thirdtrail::store::local::LocalStore;
use thirdtrail::store::s3::{Manner, Patience, S3Store};

use bucket::{Answer, Delivery, Objects, Request, Server, answer};
use bundled::{folder, options, report};

/// Silence that the store of these tests does not wait out.
const SILENCE: Duration = Duration::from_millis(400);

/// How often each fault was made.
#[derive(Default)]
struct Faults {
    questions: AtomicU64,
    made: [AtomicU64; 5],
}

impl Faults {
    /// Each of the five in one of twenty answers, drawn from the seed and the number of the question.
    fn disturb(&self, seed: u64, request: &Request, whole: Answer) -> Answer {
        let number = self.questions.fetch_add(1, Ordering::Relaxed);
        let drawn = (mixed(seed ^ mixed(number)) % 20) as usize;
        if drawn >= self.made.len() || drawn == 4 && !request.key.is_empty() {
            return whole;
        }
        self.made[drawn].fetch_add(1, Ordering::Relaxed);
        let delivery = match drawn {
            0 => return Answer::error(503, "SlowDown", "Please reduce your request rate."),
            1 => Delivery::Reset,
            2 => Delivery::Cut,
            3 => Delivery::Stall(Duration::from_secs(600)),
            _ => return doubled(whole),
        };
        Answer { delivery, ..whole }
    }

    fn made(&self) -> Vec<u64> {
        self.made.iter().map(|made| made.load(Ordering::Relaxed)).collect()
    }
}

/// splitmix64.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A listing that names an object twice.
fn doubled(mut listing: Answer) -> Answer {
    let text = String::from_utf8(listing.body.clone()).unwrap();
    if let (Some(from), Some(to)) = (text.find("<Contents>"), text.find("</Contents>")) {
        listing.body = format!("{}{}", &text[..to + 11], &text[from..]).into_bytes();
    }
    listing
}

fn patience(attempts: u32) -> Patience {
    Patience {
        attempts,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(20),
        silence: SILENCE,
        slowest_bytes_per_second: 1 << 20,
        ..Patience::default()
    }
}

fn open(server: &Server, patience: Patience) -> S3Store {
    let manner = Manner { patience, page_keys: 50, ..Manner::default() };
    S3Store::open(Aws::connect(&server.aws()).unwrap(), "trail", "", None, manner).unwrap()
}

fn objects() -> Objects {
    folders::files(&folder("vendors"))
}

fn analyzed(store: &dyn thirdtrail::store::Store) -> Outcome {
    analyze(store, &options("vendors", 2), &Silent).unwrap()
}

/// S4, S6: waiting and asking again gives the same bytes as a bucket that never stumbles; and as a folder.
#[test]
fn a_bucket_that_stumbles_gives_the_same_files() {
    let local = analyzed(&LocalStore::open(&folder("vendors")).unwrap());
    for seed in [1, 2] {
        let (faults, objects) = (Arc::new(Faults::default()), objects());
        let made = Arc::clone(&faults);
        let server = Server::start(move |request| made.disturb(seed, request, answer(&objects, request)));
        let outcome = analyzed(&open(&server, patience(12)));
        assert!(faults.made().iter().all(|made| *made > 0), "faults were not made: {:?}", faults.made());
        for (got, expected) in outcome.files.iter().zip(&local.files) {
            assert_eq!(got.path, expected.path);
            assert!(got.bytes == expected.bytes, "seed {seed}: {}", got.path);
        }
        assert_eq!(outcome.files.len(), local.files.len());
    }
}

/// S6: with little patience some objects cannot be had. They are named, and the rest is counted as if only they were
/// missing.
#[test]
fn objects_that_cannot_be_had_are_named_and_nothing_else_changes() {
    let (faults, objects) = (Arc::new(Faults::default()), objects());
    let made = Arc::clone(&faults);
    let server = Server::start(move |request| {
        let whole = answer(&objects, request);
        if request.key.is_empty() { whole } else { made.disturb(3, request, whole) }
    });
    let report = report(&analyzed(&open(&server, patience(2))));
    let failed = report["coverage"]["objects"]["failed"].as_array().unwrap();
    assert!(!failed.is_empty(), "{:?}", faults.made());
    assert_eq!(report["coverage"]["complete"], false);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let named = failed.iter().map(|object| (text(&object["key"]), StoreError::Other(text(&object["reason"]))));
    assert!(failed.iter().all(|object| text(&object["reason"]).contains("(2 attempts)")), "{failed:?}");
    let local = LocalStore::open(&folder("vendors")).unwrap();
    let expected = bundled::report(&analyzed(&FaultyStore::new(&local, named)));
    assert!(report == expected, "more than the objects named is different");
}

/// S6: a bucket that goes away for good in the middle ends the run soon, and all that was not read is named.
#[test]
fn a_bucket_that_goes_away_is_given_up() {
    let (asked, objects) = (AtomicU64::new(0), objects());
    let server = Server::start(move |request| {
        let whole = answer(&objects, request);
        let gone = !request.key.is_empty() && asked.fetch_add(1, Ordering::Relaxed) > 100;
        if gone { Answer { delivery: Delivery::Reset, ..whole } } else { whole }
    });
    let patience = Patience { given_up_in_a_row: 5, ..patience(2) };
    let report = report(&analyzed(&open(&server, patience)));
    let reasons: Vec<&str> = report["coverage"]["objects"]["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["reason"].as_str().unwrap())
        .collect();
    let not_tried = reasons.iter().filter(|reason| reason.starts_with("not tried")).count();
    assert!(not_tried > 50 && not_tried < reasons.len(), "{not_tried} of {}", reasons.len());
    let read = report["coverage"]["objects"]["read"].as_u64().unwrap() as usize;
    let planned = analyzed(&LocalStore::open(&folder("vendors")).unwrap());
    assert_eq!(
        read + reasons.len(),
        bundled::report(&planned)["coverage"]["objects"]["read"].as_u64().unwrap() as usize
    );
}

/// S6: a body that is not what was stored, or comes too slowly to wait for, is no object; both are named.
#[test]
fn a_wrong_checksum_and_a_body_that_trickles_are_named() {
    let objects = objects();
    let keys: Vec<String> =
        objects.keys().filter(|key| key.contains("/CloudTrail/")).step_by(90).take(2).cloned().collect();
    let wrong = keys.clone();
    let server = Server::start(move |request| {
        let mut whole = answer(&objects, request);
        if request.key == wrong[0] {
            whole.headers.push(("x-amz-checksum-crc32", "AAAAAA==".to_owned()));
        }
        let delivery = if request.key == wrong[1] { Delivery::Trickle(SILENCE / 4) } else { Delivery::Whole };
        Answer { delivery, ..whole }
    });
    let report = report(&analyzed(&open(&server, patience(2))));
    let failed = report["coverage"]["objects"]["failed"].as_array().unwrap();
    let failed: Vec<(&str, &str)> =
        failed.iter().map(|object| (object["key"].as_str().unwrap(), object["reason"].as_str().unwrap())).collect();
    let broken = "GetObject: the body broke off, or its checksum is wrong (2 attempts)";
    let slow = "GetObject: the body comes too slowly (2 attempts)";
    assert_eq!(failed, [(keys[0].as_str(), broken), (keys[1].as_str(), slow)]);
}
