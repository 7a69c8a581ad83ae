//! What reading a plan would cost in requests, time and, for comparison, in Athena; and the holes that keys show.
//!
//! Prices are those of us-east-1 (<https://aws.amazon.com/s3/pricing/>, S3 Standard, and
//! <https://aws.amazon.com/athena/pricing/>), as quoted in November 2026; the bucket's Region may have others, so every
//! sum is an estimate. Nothing is read: rates come from the benchmark, not from the trail at hand.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use serde::Serialize;

use crate::aws::AccountId;
use crate::aws::window::{Window, midnight};
use crate::cloudtrail::digest::chain::Place;
use crate::cloudtrail::object_key::ObjectKey;

use super::plan::{Plan, Request};

/// Where and when the prices hold.
const PRICES: &str = "us-east-1, S3 Standard, November 2026";
/// US dollars for 1,000 LIST requests.
const LIST_USD: f64 = 0.005;
/// US dollars for 1,000 GET requests.
const GET_USD: f64 = 0.0004;
/// Keys in one answer to a LIST request.
const LIST_KEYS: u64 = 1_000;
/// US dollars for a gigabyte (10^9) that leaves AWS, the first ten terabytes of a month. Within a Region it is free.
const INTERNET_USD: f64 = 0.09;
/// US dollars for a terabyte (10^12) that Athena scans, as delivered: compressed.
const ATHENA_USD: f64 = 5.0;
/// What Athena charges at least for one query.
const ATHENA_BYTES: u64 = 10_000_000;
/// Compressed bytes that one thread analyzes in a second: `benches/scale.py`, the step `analyze` on trail A of docs/SCALE.md
/// (6.33 s with two threads, 10 to 1 compressed), rounded down. Fetching from a bucket is not in it.
const BYTES_PER_SECOND: u64 = 30_000_000;

/// What reading would cost.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// Requests to S3.
    pub s3: S3Estimate,
    /// Data transfer.
    pub transfer: TransferEstimate,
    /// Time on this machine.
    pub time: TimeEstimate,
    /// One query for the same question in Athena; its S3 requests come on top.
    pub athena: AthenaEstimate,
}

/// Requests to S3.
#[derive(Debug, Clone, Serialize)]
pub struct S3Estimate {
    /// LIST requests to find the objects: the folders on the way to each Region of each account, of logs and of digests,
    /// then each month of it, or each Region as a whole where no window was asked for; a page holds a thousand keys.
    pub list_requests: u64,
    /// GET requests: one for each log object.
    pub get_requests: u64,
    /// GET requests for the digests of days without objects, which show whether a day was quiet.
    pub silent_digest_get_requests: u64,
    /// What they cost, in US dollars.
    pub usd: f64,
    /// Further GET requests with `--verify-digests`.
    pub digest_get_requests: u64,
    /// HEAD requests with `--verify-digests`, priced as GET requests: one for each chain of digests, more where one is
    /// broken.
    pub digest_head_requests: u64,
    /// What they all cost with these.
    pub usd_with_digests: f64,
    /// Where and when the prices hold.
    pub prices: &'static str,
}

/// Data transfer.
#[derive(Debug, Clone, Serialize)]
pub struct TransferEstimate {
    /// As delivered.
    pub bytes: u64,
    /// Within the bucket's Region, in US dollars.
    pub same_region_usd: f64,
    /// Out of AWS, in US dollars.
    pub internet_usd: f64,
}

/// Time on this machine.
#[derive(Debug, Clone, Serialize)]
pub struct TimeEstimate {
    /// Seconds of work, without the network.
    pub seconds: f64,
    /// Threads that share it.
    pub threads: usize,
    /// Compressed bytes that one thread does in a second.
    pub bytes_per_second_per_thread: u64,
    /// What measured that.
    pub measured_by: &'static str,
}

/// One query in Athena.
#[derive(Debug, Clone, Serialize)]
pub struct AthenaEstimate {
    /// What it would scan: partitions of the same accounts, Regions and days, and at least what is charged at least.
    pub bytes_scanned: u64,
    /// What that costs, in US dollars.
    pub usd: f64,
}

/// What a plan would cost with that many threads.
#[must_use]
pub fn estimate(plan: &Plan, request: &Request, threads: usize) -> Estimate {
    let (objects, bytes, digests) = (plan.objects.len() as u64, plan.bytes(), plan.digests.len() as u64);
    let (lists, silent) = (list_requests(plan, request), plan.silent_digests.len() as u64);
    // The bucket is asked for the signature of the newest digest of each chain.
    let places = plan.digests.iter().filter_map(|entry| Place::parse(&entry.key));
    let heads = places.map(|place| (place.chain, place.backfill)).collect::<BTreeSet<_>>().len() as u64;
    let requests_usd = |gets: u64| dollars((lists as f64 * LIST_USD + gets as f64 * GET_USD) / 1_000.0);
    let scanned = bytes.max(ATHENA_BYTES);
    Estimate {
        s3: S3Estimate {
            list_requests: lists,
            get_requests: objects,
            silent_digest_get_requests: silent,
            usd: requests_usd(objects + silent),
            digest_get_requests: digests,
            digest_head_requests: heads,
            usd_with_digests: requests_usd(objects + digests + heads),
            prices: PRICES,
        },
        transfer: TransferEstimate {
            bytes,
            same_region_usd: 0.0,
            internet_usd: dollars(bytes as f64 / 1e9 * INTERNET_USD),
        },
        time: TimeEstimate {
            seconds: (bytes as f64 / (BYTES_PER_SECOND * threads.max(1) as u64) as f64 * 10.0).ceil() / 10.0,
            threads,
            bytes_per_second_per_thread: BYTES_PER_SECOND,
            measured_by: "benches/scale.py",
        },
        athena: AthenaEstimate { bytes_scanned: scanned, usd: dollars(scanned as f64 / 1e12 * ATHENA_USD) },
    }
}

/// What it takes to find the objects and digests of a trail (`discover`), as far as their keys tell the folders.
fn list_requests(plan: &Plan, request: &Request) -> u64 {
    let is_open = request.since.is_none() && request.until.is_none();
    let mut above: BTreeSet<&str> = BTreeSet::from([""]);
    let mut below: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for entry in plan.objects.iter().chain(&plan.digests) {
        let key = ObjectKey::parse(&entry.key);
        let of_region = key.region.filter(|_| key.in_layout).and_then(|region| {
            let name = entry.key.find(&format!("/{region}/"))? + 1;
            Some((name, name + region.len() + 1))
        });
        let Some((name, inside)) = of_region else {
            *below.entry("").or_default().entry("").or_default() += 1;
            continue;
        };
        let folders = entry.key.match_indices('/').map(|(at, _)| at + 1).take_while(|end| *end <= name);
        above.extend(folders.filter_map(|end| entry.key.get(..end)));
        let folder = entry.key.get(..inside).unwrap_or_default();
        let month = entry.key.get(inside..inside + "yyyy/mm/".len()).filter(|_| !is_open).unwrap_or_default();
        *below.entry(folder).or_default().entry(month).or_default() += 1;
    }
    let regions = below.keys().filter(|folder| !folder.is_empty()).count() as u64;
    let looked_into = above.len() as u64 + if is_open { 0 } else { regions };
    let ranges = below.values().flat_map(BTreeMap::values);
    looked_into + ranges.map(|keys| keys.div_ceil(LIST_KEYS).max(1)).sum::<u64>()
}

/// Rounded to a ten-thousandth of a cent, so that equal plans print equal sums.
fn dollars(usd: f64) -> f64 {
    (usd * 1e6).round() / 1e6
}

/// A day on which an account's trail delivered no log object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct VisibleHole {
    /// The account.
    pub account_id: AccountId,
    /// The day of delivery.
    #[serde(serialize_with = "as_text")]
    pub day: NaiveDate,
    /// Whether a digest was delivered: the trail was on, and the day is a hole unless its digests, when they are read,
    /// name no log of it (S26).
    pub digest: bool,
}

fn as_text<S: serde::Serializer>(day: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

/// Days without log objects that keys show, in the window asked for or, where it is open, from the first to the last day
/// of delivery; the same days that a report calls holes, as far as no object must be read to know them.
#[must_use]
pub fn visible_holes(plan: &Plan, request: &Request) -> Vec<VisibleHole> {
    let mut delivered: BTreeMap<AccountId, BTreeSet<NaiveDate>> = BTreeMap::new();
    for entry in &plan.objects {
        let key = ObjectKey::parse(&entry.key);
        if let (Some(account), Some(day)) = (key.account, key.delivered) {
            delivered.entry(account).or_default().insert(day);
        }
    }
    let since = request.since.or_else(|| plan.days.first().copied().map(midnight));
    let last = plan.days.last().and_then(|day| day.checked_add_days(Days::new(1)));
    let until = request.until.or_else(|| last.map(midnight));
    let Some(window) = since.zip(until).and_then(|(since, until)| Window::new(since, until)) else { return Vec::new() };
    let hole = |account: AccountId, day| VisibleHole {
        account_id: account,
        day,
        digest: plan.digest_days.contains(&(account, day)),
    };
    let of_account = |(account, days): (AccountId, BTreeSet<NaiveDate>)| {
        window.days().filter(move |day| !days.contains(day)).map(move |day| hole(account, day))
    };
    delivered.into_iter().flat_map(of_account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;
    use crate::evidence::hands::OneByOne;
    use crate::run::discover::discover;
    use crate::run::monitor::Silent;
    use crate::run::plan::plan;
    use crate::store::Entry;
    use crate::store::memory::MemoryStore;
    use crate::store::recording::RecordingStore;

    fn entry(account: &str, folder: &str, day: &str, size_bytes: u64) -> Entry {
        Entry {
            key: format!("AWSLogs/{account}/{folder}/us-east-1/2026/05/{day}/x{size_bytes}.json.gz"),
            size_bytes,
            tag: String::new(),
        }
    }

    fn planned(listing: Vec<Entry>, request: &Request) -> Plan {
        let mut listing = listing;
        listing.sort();
        plan(listing, request).unwrap()
    }

    const ONE: &str = "111122223333";
    const TWO: &str = "444455556666";

    #[test]
    fn requests_are_listed_and_got_at_their_prices() {
        let mut listing: Vec<Entry> = (1..=2_500).map(|size| entry(ONE, "CloudTrail", "01", size * 1_000)).collect();
        let digest = format!("AWSLogs/{ONE}/CloudTrail-Digest/us-east-1/2026/05/01/x_20260501T010000Z.json.gz");
        listing.push(Entry { key: digest, size_bytes: 7, tag: String::new() });
        let request = Request { with_digests: true, ..Request::default() };
        let estimate = estimate(&planned(listing, &request), &request, 2);
        let s3 = &estimate.s3;
        // Five folders above the Regions, three pages of logs and one of digests.
        assert_eq!((s3.list_requests, s3.get_requests, s3.silent_digest_get_requests), (9, 2_500, 0));
        assert_eq!((s3.digest_get_requests, s3.digest_head_requests), (1, 1));
        assert_eq!((s3.usd, s3.usd_with_digests), (0.001_045, 0.001_046));
        assert_eq!(estimate.transfer.bytes, 3_126_250_000);
        assert_eq!(estimate.transfer.internet_usd, 0.281_363);
        assert_eq!(estimate.time.seconds, 52.2);
        assert_eq!((estimate.athena.bytes_scanned, estimate.athena.usd), (3_126_250_000, 0.015_631));
    }

    /// The requests are those that discovery makes.
    #[test]
    fn lists_are_counted_as_they_are_made() {
        let mut listing = Vec::new();
        for account in [ONE, TWO] {
            for folder in ["CloudTrail", "CloudTrail-Digest"] {
                for (month, region) in [("04", "us-east-1"), ("05", "us-east-1"), ("05", "eu-west-1")] {
                    let key = format!(
                        "AWSLogs/o-abc123/{account}/{folder}/{region}/2026/{month}/20/20260520T000000Z.json.gz"
                    );
                    listing.push(Entry { key, size_bytes: 1, tag: String::new() });
                }
            }
        }
        let store: MemoryStore = listing.iter().map(|entry| (entry.key.clone(), vec![0])).collect();
        let times = (parse_time("2026-04-05"), parse_time("2026-05-25"));
        let window = Request { since: times.0, until: times.1, with_digests: true, ..Request::default() };
        for (request, more) in [(Request { with_digests: true, ..Request::default() }, 0), (window, 4)] {
            let recording = RecordingStore::new(&store);
            let found = discover(&recording, &request, &OneByOne, &Silent).unwrap();
            let made = recording.take().len();
            let planned = plan(found.entries, &request).unwrap();
            // A month of a Region without any key is listed too, and no key tells of it.
            assert_eq!(estimate(&planned, &request, 1).s3.list_requests + more, made as u64, "{request:?}");
        }
    }

    #[test]
    fn athena_charges_ten_megabytes_at_least() {
        let small = planned(vec![entry(ONE, "CloudTrail", "01", 5)], &Request::default());
        assert_eq!(estimate(&small, &Request::default(), 1).athena.bytes_scanned, 10_000_000);
        assert_eq!(estimate(&small, &Request::default(), 1).athena.usd, 0.000_05);
    }

    /// S26: days without objects are told account by account, and whether a digest says that the trail was on.
    #[test]
    fn days_without_objects_are_seen_before_anything_is_read() {
        let listing = vec![
            entry(ONE, "CloudTrail", "01", 1),
            entry(ONE, "CloudTrail-Digest", "02", 1),
            entry(ONE, "CloudTrail", "03", 1),
            entry(TWO, "CloudTrail", "02", 1),
        ];
        let holes = |request: &Request| -> Vec<String> {
            let holes = visible_holes(&planned(listing.clone(), request), request);
            holes.iter().map(|hole| format!("{} {} {}", hole.account_id, hole.day, hole.digest)).collect()
        };
        let open = [(ONE, "02", true), (TWO, "01", false), (TWO, "03", false)];
        assert_eq!(holes(&Request::default()), open.map(|(account, day, on)| format!("{account} 2026-05-{day} {on}")));
        let asked = Request { since: parse_time("2026-05-02"), until: parse_time("2026-05-03"), ..Request::default() };
        assert_eq!(holes(&asked), [format!("{ONE} 2026-05-02 true")]);
    }
}
