//! Log integrity: what the digests of a trail prove about it, and that nothing else changes when they are verified.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot make its trail has failed")]

mod awscli;
mod bucket;
mod folders;
#[path = "verified/from_bucket.rs"]
mod from_bucket;
#[path = "verified/hidden.rs"]
mod hidden;
#[path = "verified/live_keys.rs"]
mod live_keys;
mod program;
mod python;
mod signed;
mod stand_in;
mod verified;

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use thirdtrail::run::plan::Request;

use program::run;
use signed::{Files, Signed, gzip, is_digest, is_log, signed, signed_late, unsigned, wrong_keys};
use verified::{
    DAYS, Way, account_and_day, chains, codes, holes, keys, outcome, outcome_of, report, some_digest, some_log, sound,
    unverified_report,
};

/// S2, S26: verifying a sound trail changes nothing in the answer but what it says of itself.
#[test]
fn a_sound_trail_is_verified_whole_and_judged_as_before() {
    let trail = sound();
    let (mut verified, mut plain) = (report(&trail), unverified_report(&trail));
    let integrity = verified["coverage"].as_object_mut().unwrap().shift_remove("integrity").unwrap();
    assert_eq!(integrity["intact"], true);
    let objects = verified["coverage"]["objects"]["read"].as_u64().unwrap();
    assert!(objects > 40, "{objects}");
    assert_eq!(integrity["objects"], json!({"verified": objects, "tampered": 0, "missing": 0, "unverified": {}}));
    let digests = trail.keys_of(is_digest).len();
    assert_eq!(integrity["digests"], json!({"read": digests, "verified": digests, "unverified": {}, "missing": 0}));
    assert_eq!(integrity["buckets"], json!([signed::BUCKET]));
    for list in ["tampered", "missing", "unverified", "doubted_digests", "gaps"] {
        assert_eq!(integrity[list], json!([]), "{list}");
    }
    assert_eq!(codes(&verified), []);
    let unjudged = |report: &mut Value| report["coverage"].as_object_mut().unwrap().shift_remove("not_judged").unwrap();
    let (after, before) = (unjudged(&mut verified), unjudged(&mut plain));
    assert_eq!(before.as_array().unwrap().len(), after.as_array().unwrap().len() + 1);
    assert_eq!(verified, plain);
}

/// S26: an object whose contents were changed is read, named, and its day is a hole; so is one whose gzip is broken.
#[test]
fn a_changed_log_is_named_and_its_day_is_a_hole() {
    let mut trail = sound();
    let key = some_log(&trail);
    trail.edit(&key, |plain| plain.replacen("\"eventID\":\"", "\"eventID\":\"0", 1));
    let changed = report(&trail);
    let integrity = &changed["coverage"]["integrity"];
    assert_eq!(integrity["tampered"], json!([{"key": key, "reason": "hash_differs"}]));
    assert_eq!((&integrity["intact"], &changed["coverage"]["complete"]), (&json!(false), &json!(false)));
    assert_eq!(holes(&changed, "tampered_object"), BTreeSet::from([account_and_day(&key)]));
    assert_eq!(codes(&changed), [("digest-mismatch".to_owned(), "high".to_owned())]);
    assert_eq!(changed["coverage"]["objects"]["failed"], json!([]));

    let mut broken = sound();
    let bytes = broken.files.get_mut(&key).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    let broken = report(&broken);
    let expected = json!([{"key": key, "reason": "cannot_be_inflated"}]);
    assert_eq!(broken["coverage"]["integrity"]["tampered"], expected);
    assert_eq!(keys(&broken["coverage"]["objects"]["failed"]), [key.as_str()]);
}

/// Records added behind the end of the gzip that CloudTrail wrote are seen, because they are read.
#[test]
fn an_appended_member_is_seen() {
    let mut trail = sound();
    let key = some_log(&trail);
    trail.files.get_mut(&key).unwrap().extend(gzip(b" "));
    assert_eq!(keys(&report(&trail)["coverage"]["integrity"]["tampered"]), [key.as_str()]);
}

/// S26: a removed object is missed by name, and its day is a hole.
#[test]
fn a_removed_log_is_missed_by_name() {
    let mut trail = sound();
    let key = some_log(&trail);
    trail.files.remove(&key);
    let report = report(&trail);
    let integrity = &report["coverage"]["integrity"];
    assert_eq!(integrity["missing"], json!([{"key": key, "reason": "missing"}]));
    assert_eq!(holes(&report, "missing_object"), BTreeSet::from([account_and_day(&key)]));
    assert_eq!(codes(&report), [("digest-mismatch".to_owned(), "high".to_owned())]);
}

#[test]
fn an_added_log_is_not_verified_and_not_called_tampered() {
    let mut trail = sound();
    let key = some_log(&trail);
    let added = key.replace(".json.gz", "X.json.gz");
    let bytes = trail.files[&key].clone();
    trail.files.insert(added.clone(), bytes);
    let report = report(&trail);
    let integrity = &report["coverage"]["integrity"];
    assert_eq!(integrity["unverified"], json!([{"key": added, "reason": "not_named"}]));
    assert_eq!((&integrity["intact"], &report["coverage"]["complete"]), (&json!(true), &json!(true)));
    assert_eq!(codes(&report), [("digest-unverified".to_owned(), "medium".to_owned())]);
}

/// S26: where a digest is missing, altered or damaged, nobody knows what was delivered: a hole, and nothing else is
/// lost.
#[test]
fn a_lost_digest_is_a_hole_and_costs_nothing_else() {
    let sound = sound();
    let digest = some_digest(&sound);
    let edit = |trail: &mut Signed| trail.edit(&digest, |plain| plain + " ");
    type Change<'a> = (&'a str, Box<dyn Fn(&mut Signed) + 'a>);
    let changes: [Change<'_>; 4] = [
        ("digest_missing", Box::new(|trail| drop(trail.files.remove(&digest)))),
        ("digest_altered", Box::new(edit)),
        (
            "digest_unreadable",
            Box::new(|trail| drop(trail.files.insert(digest.clone(), b"\x1f\x8b\x08 damaged".to_vec()))),
        ),
        ("digest_unreadable", Box::new(|trail| drop(trail.files.insert(digest.clone(), gzip(b"{\"logFiles\":[]}"))))),
    ];
    let named = String::from_utf8(signed::gunzip(&sound.files[&digest])).unwrap();
    let named = serde_json::from_str::<Value>(&named).unwrap()["logFiles"].as_array().unwrap().len() as u64;
    let all = report(&sound)["coverage"]["integrity"]["objects"]["verified"].as_u64().unwrap();
    for (reason, change) in changes {
        let mut trail = sound.clone();
        change(&mut trail);
        let report = report(&trail);
        let integrity = &report["coverage"]["integrity"];
        let gaps = integrity["gaps"].as_array().unwrap();
        assert_eq!((gaps.len(), &gaps[0]["reason"]), (1, &json!(reason)), "{gaps:?}");
        assert_eq!(holes(&report, "digest_gap"), BTreeSet::from([account_and_day(&digest)]), "{reason}");
        assert_eq!(integrity["objects"]["verified"], all - named, "{reason}");
        assert_eq!(integrity["objects"]["unverified"].as_object().unwrap().values().next(), Some(&json!(named)));
        assert_eq!((&integrity["objects"]["missing"], &integrity["objects"]["tampered"]), (&json!(0), &json!(0)));
        assert_eq!(codes(&report)[0], ("digest-mismatch".to_owned(), "high".to_owned()));
        assert_eq!(report["coverage"]["complete"], false);
        assert_eq!(report["parties"], unverified_report(&sound)["parties"]);
    }
}

/// S44: a digest that inflates without end is not read, and the reason is given.
#[test]
fn a_digest_that_is_too_large_is_not_read() {
    let mut trail = sound();
    let digest = some_digest(&trail);
    trail.files.insert(digest.clone(), gzip(&vec![b' '; thirdtrail::run::digests::DIGEST_BYTES + 1]));
    let doubted = report(&trail)["coverage"]["integrity"]["doubted_digests"].clone();
    let reason = "unreadable: inflates to more than 67108864 bytes";
    assert_eq!(doubted, json!([{"key": digest, "reason": reason}]));
}

/// Without the right key nothing is proven and nothing is refuted; a key that only bears the right name refutes.
#[test]
fn keys_decide_what_is_proven() {
    let trail = sound();
    let with = |keys: String| {
        outcome(&trail.files, &trail.signatures, &Way { metadata: true, jobs: 2, keys: Some(keys) }).unwrap()
    };
    let unknown = with(wrong_keys().replace("31e8b543", "00000000"));
    let integrity = &unknown["coverage"]["integrity"];
    // Nothing was verified, so nobody can say that the trail is whole.
    assert_eq!((&integrity["intact"], &integrity["verified"]), (&Value::Null, &json!("none")));
    assert_eq!((&integrity["digests"]["verified"], &unknown["coverage"]["complete"]), (&json!(0), &json!(false)));
    assert_eq!(codes(&unknown), [("digest-unverified".to_owned(), "medium".to_owned())]);
    assert!(holes(&unknown, "digest_gap").is_empty());
    let wrong = with(wrong_keys());
    assert_eq!(wrong["coverage"]["integrity"]["digests"]["verified"], 0);
    assert_eq!(codes(&wrong)[0], ("digest-mismatch".to_owned(), "high".to_owned()));
}

/// In a copy the newest digest of each chain has no signature; all others have theirs from the digest after them.
#[test]
fn a_copy_is_verified_but_for_its_newest_digests() {
    let trail = sound();
    let way = Way { metadata: false, jobs: 2, keys: Some(trail.keys.clone()) };
    let copy = outcome(&trail.files, &trail.signatures, &way).unwrap();
    let integrity = &copy["coverage"]["integrity"];
    assert_eq!(integrity["digests"]["unverified"], json!({"signature_unknown": chains(&trail).len()}));
    assert_eq!((&integrity["intact"], &copy["coverage"]["complete"]), (&json!(true), &json!(true)));
    assert_eq!(codes(&copy), [("digest-unverified".to_owned(), "low".to_owned())]);
}

/// S26: a day on which nothing was delivered is no hole if verified digests say so; a file that only looks like a digest
/// says nothing once digests are verified.
#[test]
fn only_verified_digests_prove_a_silent_day() {
    let day = "/2026/05/03/";
    let mut files = unsigned(DAYS);
    files.retain(|key, _| !key.contains(day));
    let silent = signed(files.clone());
    assert_eq!(holes(&report(&silent), "no_objects"), BTreeSet::new());

    let mut planted = silent.clone();
    let digests: Vec<String> = planted.keys_of(is_digest).into_iter().filter(|key| key.contains(day)).collect();
    assert!(digests.len() > 4);
    for digest in &digests {
        planted.edit(digest, |plain| plain + " ");
    }
    assert_eq!(holes(&unverified_report(&planted), "no_objects"), BTreeSet::new());
    let accounts: BTreeSet<(String, String)> = digests.iter().map(|key| account_and_day(key)).collect();
    assert_eq!(holes(&report(&planted), "no_objects"), accounts);
}

/// S3: a window, an account or a Region reads a part of the digests; where it begins and ends nothing is missed.
#[test]
fn a_part_of_a_sound_trail_is_verified_as_the_whole_is() {
    let trail = sound();
    let account = trail.keys_of(is_log)[0].split('/').nth(1).unwrap().parse().unwrap();
    let day = |day: u32| thirdtrail::aws::window::parse_time(&format!("2026-05-0{day}"));
    let mut requests = vec![
        Request { accounts: BTreeSet::from([account]), ..Request::default() },
        Request { regions: BTreeSet::from(["eu-west-1".to_owned()]), ..Request::default() },
    ];
    for since in 1..=4 {
        requests.push(Request { since: day(since), ..Request::default() });
        requests.push(Request { until: day(since + 1), ..Request::default() });
        requests.push(Request { since: day(since), until: day(since + 1), ..Request::default() });
    }
    for request in requests {
        for metadata in [true, false] {
            let way = Way { metadata, jobs: 2, keys: Some(trail.keys.clone()) };
            let report = outcome_of(&trail.files, &trail.signatures, &way, request.clone()).unwrap();
            let integrity = &report["coverage"]["integrity"];
            assert_eq!(integrity["intact"], true, "{request:?}: {integrity}");
            let open = integrity["objects"]["unverified"].as_object().unwrap();
            assert!(open.is_empty() || !metadata, "{request:?}: {open:?}");
            let gaps = integrity["gaps"].as_array().unwrap();
            assert!(
                gaps.iter().all(|gap| !metadata && gap["reason"] == "digest_signature_unknown"),
                "{request:?}: {gaps:?}"
            );
            assert!(integrity["objects"]["verified"].as_u64().unwrap() > 5, "{request:?}");
        }
    }
}

/// A log that came too late for its digest is named by a backfill digest.
#[test]
fn late_logs_are_verified_by_backfill_digests() {
    let late = |key: &str| key.as_bytes()[key.len() - 10].is_ascii_digit();
    let trail = signed_late(unsigned(DAYS), late);
    assert!(trail.keys_of(is_digest).iter().filter(|key| key.ends_with("_backfill.json.gz")).count() > 3);
    let report = report(&trail);
    let integrity = &report["coverage"]["integrity"];
    assert_eq!(integrity["objects"]["verified"], report["coverage"]["objects"]["read"]);
    assert_eq!((&integrity["gaps"], codes(&report)), (&json!([]), Vec::new()));
}

/// Who removes the newest digests of a Region with their logs leaves a chain that ends before the others do.
#[test]
fn a_chain_that_ends_early_is_pointed_out() {
    let mut trail = sound();
    let gone = |key: &str| {
        key.contains("/eu-west-1/2026/05/0") && !key.contains("/2026/05/01/") && !key.contains("/2026/05/02/")
    };
    let before = trail.files.len();
    trail.files.retain(|key, _| !gone(key));
    assert!(trail.files.len() < before - 10);
    let report = report(&trail);
    let gaps = report["coverage"]["integrity"]["gaps"].as_array().unwrap();
    let ends: BTreeSet<&str> = gaps.iter().map(|gap| gap["reason"].as_str().unwrap()).collect();
    assert_eq!(ends, BTreeSet::from(["chain_ends"]), "{gaps:?}");
    assert!(gaps.iter().all(|gap| gap["region"] == "eu-west-1" && gap["from"] == "2026-05-02T18:00:00Z"), "{gaps:?}");
    assert_eq!(codes(&report), [("digest-unverified".to_owned(), "medium".to_owned())]);
    assert_eq!(report["coverage"]["integrity"]["intact"], Value::Null);
    // Nobody knows what the Region did from then on.
    let days: BTreeSet<String> = holes(&report, "digest_gap").into_iter().map(|(_, day)| day).collect();
    assert_eq!(days, BTreeSet::from(["02", "03", "04", "05"].map(|day| format!("2026-05-{day}"))));
}

/// The number of workers and the order of their work tell nothing.
#[test]
fn any_number_of_workers_finds_the_same() {
    let mut trail = sound();
    for key in trail.keys_of(is_log).iter().step_by(7) {
        trail.edit(key, |plain| plain + " ");
    }
    for key in trail.keys_of(is_log).iter().skip(3).step_by(9) {
        trail.files.remove(key);
    }
    let with = |jobs| {
        outcome(&trail.files, &trail.signatures, &Way { metadata: false, jobs, keys: Some(trail.keys.clone()) })
            .unwrap()
    };
    assert_eq!(with(1), with(4));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariant 2, S6: whatever was done to logs and digests, verifying them changes no count of records and no party,
    /// and every change to a log that a digest names is found.
    #[test]
    fn verification_changes_no_count(changes in prop::collection::vec((0_u8..5, any::<prop::sample::Index>()), 1..6)) {
        let mut trail = sound();
        let mut touched = BTreeSet::new();
        for (kind, at) in changes {
            let which = if kind < 3 { is_log } else { is_digest };
            let keys = trail.keys_of(which);
            let key = at.get(&keys).clone();
            match kind {
                0 | 3 => drop(trail.files.remove(&key)),
                1 => {
                    let bytes = trail.files.get_mut(&key).unwrap();
                    bytes.extend(gzip(b"\n"));
                }
                2 => {
                    let bytes = trail.files.get_mut(&key).unwrap();
                    bytes.truncate(bytes.len() / 2);
                }
                _ => {
                    let bytes = trail.files[&key].clone();
                    let half = bytes[..bytes.len() / 2].to_vec();
                    trail.files.insert(key.clone(), half);
                }
            }
            if kind < 3 {
                touched.insert(key);
            }
        }
        let (verified, plain) = (report(&trail), unverified_report(&trail));
        prop_assert_eq!(&verified["coverage"]["records"], &plain["coverage"]["records"]);
        prop_assert_eq!(&verified["coverage"]["objects"], &plain["coverage"]["objects"]);
        prop_assert_eq!(&verified["parties"], &plain["parties"]);
        let integrity = &verified["coverage"]["integrity"];
        let lists = ["tampered", "missing", "unverified"].map(|list| keys(&integrity[list]));
        let named: BTreeSet<&str> = lists.concat().into_iter().collect();
        let lost_digest = integrity["intact"] == false && !integrity["gaps"].as_array().unwrap().is_empty();
        for key in &touched {
            prop_assert!(named.contains(key.as_str()) || lost_digest, "{} is not named", key);
        }
    }
}

fn write(files: &Files, folder: &Path) {
    for (key, bytes) in files {
        let path = folder.join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// The program: its options, what it says, its exit code.
#[test]
fn the_program_verifies_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut trail = sound();
    let key = some_log(&trail);
    trail.edit(&key, |plain| plain + " ");
    write(&trail.files, &folder.path().join("trail"));
    std::fs::write(folder.path().join("keys.json"), &trail.keys).unwrap();
    let (source, out, keys) = (path("trail"), path("out"), path("keys.json"));
    let found = run(&["analyze", &source, "--out", &out, "--verify-digests", "--digest-public-keys", &keys]);
    assert_eq!(found.code, 3, "{}", found.stderr);
    assert!(found.stdout.contains("1 tampered with, 0 missing"), "{}", found.stdout);
    assert!(found.stdout.contains(&key), "{}", found.stdout);
    let page = std::fs::read_to_string(folder.path().join("out/report.md")).unwrap();
    assert!(page.contains("is not as CloudTrail delivered it"), "{page}");
    let run_json = folders::json_file(&folder.path().join("out/run.json"));
    assert_eq!(run_json["options"]["verify_digests"], true);
    let inputs = run_json["inputs"].as_array().unwrap();
    assert!(inputs.iter().any(|input| input["path"] == json!(keys)), "{inputs:?}");

    let mistake = |arguments: &[&str], says: &str| {
        let found = run(&[&["analyze", source.as_str(), "--out", out.as_str()], arguments].concat());
        assert!(found.code == 2 && found.stderr.contains(says), "{arguments:?}: {} {}", found.code, found.stderr);
    };
    mistake(&["--verify-digests"], "--digest-public-keys");
    mistake(&["--digest-public-keys", &keys], "--verify-digests");
    mistake(&["--verify-digests", "--digest-public-keys", &out], "cannot read public keys");
    let inventory = path("trail/truth.json");
    mistake(&["--verify-digests", "--digest-public-keys", &inventory], "aws cloudtrail list-public-keys");
    let later = ["--since", "2026-05-01", "--until", "2026-05-02", "--region", "eu-north-1"];
    mistake(&[&["--verify-digests", "--digest-public-keys", &keys][..], &later].concat(), "none of the");
    std::fs::remove_dir_all(folder.path().join("trail")).unwrap();
    write(&unsigned(2), &folder.path().join("trail"));
    mistake(&["--verify-digests", "--digest-public-keys", &keys], "the source holds no digest");
}

/// `aws cloudtrail validate-logs` and we agree on every digest and every log object, tampered with or not.
#[test]
fn the_aws_cli_finds_the_same() {
    let python = match awscli::python() {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: AWS CLI absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let sound = sound();
    let mut changed = sound.clone();
    for key in sound.keys_of(is_log).iter().step_by(11) {
        changed.edit(key, |plain| plain.replacen("\"Records\":[", "\"Records\": [", 1));
    }
    for key in sound.keys_of(is_log).iter().skip(5).step_by(13) {
        changed.files.remove(key);
    }
    let mut digests = sound.clone();
    for key in sound.keys_of(is_digest).iter().skip(2).step_by(17) {
        digests.edit(key, |plain| plain + "\n");
    }
    for key in sound.keys_of(is_digest).iter().skip(9).step_by(19) {
        digests.files.insert(key.clone(), b"nothing".to_vec());
    }
    let late = signed_late(unsigned(DAYS), |key| key.as_bytes()[key.len() - 10].is_ascii_digit());
    let mut compared = 0;
    for trail in [sound, changed, digests, late] {
        let (aws, report) = (awscli::says(&python, &trail), report(&trail));
        let integrity = &report["coverage"]["integrity"];
        let sorted = |list: &Value| keys(list).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        let theirs = |part: &str| -> BTreeSet<String> {
            aws[part].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(sorted(&integrity["tampered"]), theirs("logs_changed"));
        assert_eq!(sorted(&integrity["missing"]), theirs("logs_missing"));
        assert_eq!(sorted(&integrity["doubted_digests"]), theirs("digests_invalid"));
        assert_eq!(integrity["digests"]["verified"], theirs("digests_valid").len());
        assert_eq!(integrity["objects"]["verified"], theirs("logs_valid").len());
        compared += theirs("digests_valid").len() + theirs("logs_valid").len();
    }
    say(&format!("AWS CLI: agrees on {compared} digests and log objects that are sound, and on all that are not"));
}

/// A line that people see although the test passes.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
