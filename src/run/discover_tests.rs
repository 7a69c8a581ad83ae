//! What discovery lists, and that it misses nothing.

use super::*;
use crate::aws::window::parse_time;
use crate::evidence::hands::OneByOne;
use crate::run::monitor::Silent;
use crate::store::memory::MemoryStore;
use crate::store::recording::{Call, RecordingStore};

/// A store that stands in for a place deeper inside.
struct Within<'a>(&'a dyn Store, &'a str);

impl Store for Within<'_> {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.0.list_range(&KeyRange::at(self.1))
    }
    fn within(&self) -> &str {
        self.1
    }
    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        self.0.get(key, buffer)
    }
    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.put(key, bytes)
    }
}

fn store(keys: impl IntoIterator<Item = String>) -> MemoryStore {
    keys.into_iter().map(|key| (key, vec![1])).collect()
}

fn request(since: &str, until: &str) -> Request {
    Request { since: parse_time(since), until: parse_time(until), ..Request::default() }
}

/// Two accounts of an organization and one beside it, two Regions, digests, over the end of a year; and what lies about.
fn trails(above: &str) -> Vec<String> {
    let days = ["2025/11/30", "2025/12/30", "2025/12/31", "2026/01/01", "2026/01/02", "2026/01/31", "2026/02/01"];
    let mut keys = Vec::new();
    for account in ["AWSLogs/o-abc123/111122223333", "AWSLogs/o-abc123/444455556666", "AWSLogs/012345678901"] {
        for region in ["us-east-1", "eu-west-1"] {
            for folder in ["CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight", "Config"] {
                keys.extend(days.map(|day| format!("{above}{account}/{folder}/{region}/{day}/x.json.gz")));
            }
        }
        keys.push(format!("{above}{account}/CloudTrail/us-east-1/stray.json.gz"));
        keys.push(format!("{above}{account}/CloudTrail/us-east-1/other/stray.json.gz"));
    }
    keys.extend(["inventory.json", "notes/a/b.txt", "run/run.json", "run/report.json"].map(str::to_owned));
    keys
}

fn asked(since: &str, until: &str) -> Vec<Call> {
    let keys = days_of("AWSLogs/111122223333/CloudTrail/us-east-1");
    let memory = store(keys);
    let recording = RecordingStore::new(&memory);
    discover(&recording, &request(since, until), &OneByOne, &Silent).unwrap();
    recording.take()
}

fn days_of(folder: &str) -> Vec<String> {
    let months = ["2024/12", "2025/11", "2025/12", "2026/01", "2026/05", "2026/06", "2026/07"];
    let day = |month: &str, day: u32| format!("{folder}/{month}/{day:02}/x.json.gz");
    months.iter().flat_map(|month| (1..=30).map(move |number| day(month, number))).collect()
}

/// S1, S3: for a window, only its days and one more on each side are listed, a month at a time; levels above are one call
/// each.
#[test]
fn a_window_lists_its_days_alone() {
    let region = "AWSLogs/111122223333/CloudTrail/us-east-1/";
    let levels = ["", "AWSLogs/", "AWSLogs/111122223333/", "AWSLogs/111122223333/CloudTrail/", region];
    let check = |since: &str, until: &str, ranges: &[(&str, &str, Option<&str>)]| {
        let range = |(year, after, to): &(&str, &str, Option<&str>)| {
            let (prefix, to) = (format!("{region}{year}/"), to.map(str::to_owned));
            Call::Range(KeyRange { prefix, after: (*after).to_owned(), to })
        };
        let mut expected: Vec<Call> = levels.iter().map(|level| Call::Level((*level).to_owned())).collect();
        expected.extend(ranges.iter().map(range));
        expected.sort();
        assert_eq!(asked(since, until), expected, "{since} to {until}");
    };
    check("2026-05-10", "2026-05-11", &[("2026", "05/09/", Some("05/13/"))]);
    check(
        "2026-05-31",
        "2026-06-30T12:00:00Z",
        &[("2026", "05/30/", Some("06/")), ("2026", "06/", Some("07/")), ("2026", "07/", Some("07/02/"))],
    );
    check("2025-12-31", "2026-01-01", &[("2025", "12/30/", None), ("2026", "", Some("01/03/"))]);
    check("2020-01-01", "2021-01-01", &[]);
}

/// S1: a prefix for each account, or an organization's, is on the way to trails, however many there are.
#[test]
fn many_accounts_are_listed_by_their_days_too() {
    let account = |number: usize| format!("{number:012}");
    let above = |number: usize| match number % 2 {
        0 => format!("{}/AWSLogs", account(number)),
        _ => "o-abc123/AWSLogs/o-abc123".to_owned(),
    };
    let keys = (0..2 * FOLDERS_BESIDE + 2).flat_map(|number| {
        let folder = format!("{}/{}/CloudTrail/us-east-1", above(number), account(number));
        [format!("{folder}/2026/01/01/x.json.gz"), format!("{folder}/2026/05/01/x.json.gz")]
    });
    let memory = store(keys);
    let recording = RecordingStore::new(&memory);
    let found = discover(&recording, &request("2026-05-01", "2026-05-02"), &OneByOne, &Silent).unwrap();
    assert_eq!(found.entries.len(), 2 * FOLDERS_BESIDE + 2);
    assert!(found.entries.iter().all(|entry| entry.key.contains("/2026/05/01/")));
    let whole =
        recording.take().into_iter().filter(|call| matches!(call, Call::Range(range) if range.after.is_empty()));
    assert_eq!(whole.count(), 0, "listed beyond the window");
}

/// Without a window a Region is one listing.
#[test]
fn a_whole_trail_is_listed_region_by_region() {
    let memory = store(trails(""));
    let recording = RecordingStore::new(&memory);
    let found = discover(&recording, &Request::default(), &OneByOne, &Silent).unwrap();
    assert_eq!(found.entries, memory.list().unwrap());
    let ranges = recording.take().into_iter().filter(|call| matches!(call, Call::Range(_)));
    // Three accounts with three folders of two Regions, and Config.
    assert_eq!(ranges.count(), 3 * (3 * 2 + 1));
}

/// S1, S3: whatever is asked for, and wherever the trail lies, the plan is the one of a whole listing.
#[test]
fn discovery_gives_the_plan_of_a_whole_listing() {
    let windows = [
        Request::default(),
        request("2025-12-31", "2026-01-02"),
        request("2026-01-01T12:00:00Z", "2026-01-31"),
        Request { until: None, ..request("2026-01-30", "2026-02-01") },
        Request { since: None, ..request("2026-01-30", "2025-12-01") },
    ];
    let account = |id: &str| BTreeSet::from([AccountId::parse(id).unwrap()]);
    let many =
        (0..100).map(|number| format!("folder{number}/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/01/x.gz"));
    let copied = (1..9).map(|day| format!("copied/111122223333_CloudTrail_eu-west-1_2026010{day}T0005Z_A.json.gz"));
    for keys in [trails(""), trails("a/b/"), many.collect(), copied.collect(), vec!["records.jsonl".to_owned()]] {
        let memory = store(keys);
        for window in &windows {
            for accounts in [BTreeSet::new(), account("111122223333")] {
                for regions in [BTreeSet::new(), BTreeSet::from(["eu-west-1".to_owned()])] {
                    let request = Request { accounts: accounts.clone(), regions, ..window.clone() };
                    check_plan(&memory, &request);
                    check_plan(&memory, &Request { with_digests: true, ..request });
                }
            }
        }
    }
}

fn check_plan(memory: &MemoryStore, request: &Request) {
    let found = discover(memory, request, &OneByOne, &Silent).unwrap();
    let whole = plan(memory.list().unwrap(), request);
    let planned = plan(found.entries, request);
    let (Ok(whole), Ok(planned)) = (&whole, &planned) else {
        assert_eq!((whole.is_err(), planned.is_err()), (true, true), "{request:?}");
        return;
    };
    let accounts: BTreeSet<AccountId> = planned.accounts.union(&found.accounts).copied().collect();
    assert_eq!((&planned.objects, &planned.days), (&whole.objects, &whole.days), "{request:?}");
    assert_eq!(planned.digests, whole.digests, "{request:?}");
    assert_eq!((planned.window, &accounts), (whole.window, &whole.accounts), "{request:?}");
    let near = |(account, day): &&(AccountId, NaiveDate)| {
        let days = DaysOfDelivery::of(request);
        (request.accounts.is_empty() || request.accounts.contains(account))
            && days.first.is_none_or(|first| first <= *day)
            && days.last.is_none_or(|last| *day <= last)
    };
    let digests: BTreeSet<_> = whole.digest_days.iter().filter(near).copied().collect();
    assert_eq!(planned.digest_days, digests, "{request:?}");
}

/// S1: a place given deeper inside a trail is read as that part of the whole.
#[test]
fn a_place_inside_a_trail_is_a_part_of_it() {
    let memory = store(trails("a/"));
    let base = "a/AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/";
    let day = format!("{base}2026/01/01/");
    let object = format!("{day}x.json.gz");
    for place in ["a/", "a/AWSLogs/", &base[..32], &base[..43], base, &format!("{base}2026/"), &day, &object] {
        let deeper = Within(&memory, place);
        for request in [Request::default(), request("2026-01-01", "2026-01-02")] {
            let found = discover(&deeper, &request, &OneByOne, &Silent).unwrap();
            let whole = plan(deeper.list().unwrap(), &request).unwrap();
            assert_eq!(plan(found.entries, &request).unwrap().objects, whole.objects, "{place} {request:?}");
            assert!(whole.objects.iter().any(|entry| entry.key == object), "{place} {request:?}");
        }
    }
}
