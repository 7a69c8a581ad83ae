//! Recognising a record by its parts says what parsing it says: on sound records, and on records that were tampered with
//! in every way that could make a known part lie.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod beside;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use thirdtrail::aws::{AccountId, Window, window::parse_time};
use thirdtrail::evidence::Scope;
use thirdtrail::evidence::observe::Observer;
use thirdtrail::evidence::scope::RoleRef;

const KEY: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/01/x.json.gz";

fn objects(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => objects(&path, found),
            false if path.to_string_lossy().ends_with(".json.gz") => found.push(path),
            false => {}
        }
    }
}

/// The records of the bundled trail as they are written there: every second, so that all kinds are among them.
fn records() -> Vec<String> {
    let mut files = Vec::new();
    objects(Path::new("testdata/trails/vendors/AWSLogs"), &mut files);
    files.sort();
    let mut records = Vec::new();
    for file in files {
        let mut text = String::new();
        let read = flate2::read::GzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut text);
        let Some(inner) = text.strip_prefix("{\"Records\":[").filter(|_| read.is_ok()) else { continue };
        let inner = inner.trim_end().trim_end_matches("]}").replace("},{\"eventVersion\"", "}\n{\"eventVersion\"");
        records.extend(inner.lines().map(str::to_owned));
    }
    records.into_iter().step_by(2).collect()
}

/// What is done to a record: which of its strings (or commas) by share, and how.
#[derive(Clone, Debug)]
struct Tampering {
    how: u8,
    place: f64,
}

const STRINGS: [&str; 12] = [
    "",
    "x",
    "a\\\"b",
    "a\\u0041",
    "\u{e9}",
    "a\\nb",
    "\u{1}",
    "012345678901",
    "AROAOTHER",
    "AssumeRole",
    "2026-05-01T00:00:01Z",
    "sts.amazonaws.com",
];
const MEMBERS: [&str; 12] = [
    r#""eventName":"AssumeRole""#,
    r#""userIdentity":{"type":"AWSAccount","accountId":"464622532012"}"#,
    r#""eventTime":"2026-05-02T00:00:00Z""#,
    r#""addendum":{"originalEventID":"0a1b2c3d-0000-4000-8000-00000000ffff"}"#,
    r#""eventCategory":"Data""#,
    r#""event\u004eame":"AssumeRole""#,
    r#""recipientAccountId":"464622532012""#,
    r#""eventID":"0a1b2c3d-0000-4000-8000-00000000ffff""#,
    r#""x":{"eventTime":"2026-05-02T00:00:00Z","a":[1,{"b":null}]}"#,
    r#""invokedByDelegate":{"accountId":"464622532012"}"#,
    r#""x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"#,
    r#""n":01"#,
];

fn tamper(record: &str, tampering: &Tampering) -> String {
    let at_share = |count: usize| ((count as f64 * tampering.place) as usize).min(count.saturating_sub(1));
    let kind = usize::from(tampering.how);
    let spots = |wanted: &str| record.match_indices(wanted).map(|(at, _)| at).collect::<Vec<_>>();
    match kind {
        // Another string in place of one.
        0..12 => {
            let quotes = spots("\"");
            let first = at_share(quotes.len() / 2) * 2;
            let Some([from, to]) = quotes.get(first..first + 2) else { return record.to_owned() };
            format!("{}{}{}", &record[..=*from], STRINGS[kind], &record[*to..])
        }
        // One more member, in any object.
        12..24 => {
            let opens = [spots(","), spots("{")].concat();
            let at = opens[at_share(opens.len())] + 1;
            let (before, after) = record.split_at(at);
            format!("{before}{}{}{after}", MEMBERS[kind - 12], if after.starts_with('}') { "" } else { "," })
        }
        // A byte less, white space, a bracket turned.
        24 => {
            let at = at_share(record.len());
            record.chars().enumerate().filter(|(place, _)| *place != at).map(|(_, c)| c).collect()
        }
        25 => {
            let commas = spots(",");
            let (before, after) = record.split_at(commas[at_share(commas.len())]);
            format!("{before} {after}")
        }
        _ => {
            let closes = spots("}");
            let at = closes[at_share(closes.len())];
            format!("{}]{}", &record[..at], &record[at + 1..])
        }
    }
}

fn tampering() -> impl Strategy<Value = Tampering> {
    (0..27_u8, 0.0..1.0_f64).prop_map(|(how, place)| Tampering { how, place })
}

fn scopes() -> Vec<Scope> {
    let time = |text: &str| parse_time(text).unwrap();
    let account = |text: &str| AccountId::parse(text).unwrap();
    let window = Window::new(time("2026-05-10"), time("2026-06-20"));
    vec![
        Scope::default(),
        Scope { quiet_roles: roles(), ..Scope::default() },
        Scope { quiet_roles: roles(), window, ..Scope::default() },
        Scope {
            accounts: [account("210987654321")].into(),
            regions: ["eu-west-1".to_owned()].into(),
            ..Scope::default()
        },
        Scope { quiet_roles: roles(), party_users: users(), ..Scope::default() },
    ]
}

/// Every role of the bundled inventory, as if no outsider could reach any.
fn roles() -> hashbrown::HashSet<RoleRef> {
    let mut roles = hashbrown::HashSet::new();
    for entry in fs::read_dir("testdata/trails/vendors/inventory").unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for role in json["RoleDetailList"].as_array().unwrap() {
            let text = |key: &str| role[key].as_str().unwrap().to_owned();
            let account = AccountId::parse(text("Arn").split(':').nth(4).unwrap()).unwrap();
            roles.insert(RoleRef { account, name: text("RoleName"), id: text("RoleId") });
        }
    }
    roles
}

/// Every second user of the bundled trail, as if third parties held their keys.
fn users() -> hashbrown::HashSet<String> {
    let mut users: Vec<String> = Vec::new();
    for entry in fs::read_dir("testdata/trails/vendors/inventory").unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let arns =
            json["UserDetailList"].as_array().unwrap().iter().map(|user| user["Arn"].as_str().unwrap().to_owned());
        users.extend(arns);
    }
    users.sort();
    assert!(users.len() > 2, "{users:?}");
    users.into_iter().step_by(2).collect()
}

/// Two observers that have read the same: one that recognises, one that parses.
struct Pair {
    quick: Observer,
    plain: Observer,
}

impl Pair {
    fn new(scope: Scope) -> Self {
        let scope = Arc::new(scope);
        Self { quick: Observer::new(Arc::clone(&scope)), plain: Observer::new(scope) }
    }

    fn observe(&mut self, key: &str, object: &str) {
        self.quick.observe(key, object.as_bytes());
        self.plain.observe_anew(key, object.as_bytes());
    }

    fn check(&mut self, what: &str) {
        let (quick, plain) = (self.quick.take(), self.plain.take());
        assert_eq!(quick.record_counts(), plain.record_counts(), "{what}");
        assert!(quick.to_tables().unwrap() == plain.to_tables().unwrap(), "{what}");
    }
}

fn object(records: &[String]) -> String {
    format!("{{\"Records\":[{}]}}", records.join(","))
}

/// S6, S44: the bundled trail says the same in both ways, in every scope, and again when all of it is known.
#[test]
fn recognised_records_say_what_parsed_records_say() {
    let records = records();
    assert!(records.len() > 1_000, "{}", records.len());
    for scope in scopes() {
        let mut pair = Pair::new(scope);
        for round in 0..2 {
            for (at, some) in records.chunks(40).enumerate() {
                pair.observe(&format!("{round}-{at}.json"), &object(some));
            }
            pair.check("the bundled trail");
        }
    }
}

/// The real records beside the project, too.
#[test]
fn real_records_say_the_same_in_both_ways() {
    let Some(files) = beside::record_files() else { return };
    let mut pair = Pair::new(Scope::default());
    for (path, lines) in files {
        for _ in 0..2 {
            pair.observe(KEY, &object(&lines));
            pair.check(&path.display().to_string());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// S6, S44: whatever is done to a record of which every part is known, both ways say the same of it.
    #[test]
    fn tampered_records_say_the_same_in_both_ways(
        scope in 0..5_usize,
        begin in 0.0..1.0_f64,
        changes in prop::collection::vec((0..24_usize, prop::collection::vec(tampering(), 1..3)), 1..12),
    ) {
        static RECORDS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(records);
        let begin = (begin * (RECORDS.len() - 24) as f64) as usize;
        let sound = &RECORDS[begin..begin + 24];
        let mut pair = Pair::new(scopes().swap_remove(scope));
        for round in 0..3 {
            pair.observe(&format!("{round}.json"), &object(sound));
        }
        pair.check("sound records");
        for (at, tamperings) in changes {
            let bad = tamperings.iter().fold(sound[at].clone(), |record, how| tamper(&record, how));
            let mut records = sound.to_vec();
            records[at].clone_from(&bad);
            // Twice, because what was learned of it the first time must not lie the second time.
            for key in [KEY, "loose.json"] {
                pair.observe(key, &object(&records));
                pair.check(&bad);
            }
        }
    }
}
