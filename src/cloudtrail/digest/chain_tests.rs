//! Tests of the chain, with a key of their own: each way in which digests can be tampered with, and the nearest in
//! which they are not.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use serde_json::{Value, json};

use super::*;
use crate::aws::window::{parse_time, rfc3339};
use crate::cloudtrail::digest::Sha256;

const FOLDER: &str = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1";

/// A digest file with its signature.
#[derive(Clone)]
struct File {
    key: String,
    plain: String,
    signature: String,
}

struct Trail {
    keys: PublicKeys,
    files: Vec<File>,
}

fn hour(at: u32) -> Time {
    parse_time("2026-05-01T00:00:00Z").unwrap() + chrono::TimeDelta::hours(i64::from(at))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Digests of the hours `at`; the chain starts again at those in `starts`.
fn signed(at: &[u32], starts: &[u32]) -> Trail {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut keys = PublicKeys::default();
    keys.add_der("f1".to_owned(), pair.public_key().as_ref().to_vec());
    let mut files: Vec<File> = Vec::new();
    for at in at {
        let (end, stamp) = (rfc3339(hour(at + 1)), hour(at + 1).format("%Y%m%dT%H%M%SZ"));
        let key = format!("{FOLDER}/2026/05/01/111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_{stamp}.json.gz");
        let before = files.last().filter(|_| !starts.contains(at));
        let plain = json!({
            "awsAccountId": "111122223333", "digestStartTime": rfc3339(hour(*at)), "digestEndTime": end,
            "digestS3Bucket": "b", "digestS3Object": key, "digestPublicKeyFingerprint": "f1",
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": before.map(|_| "b"), "previousDigestS3Object": before.map(|file| &file.key),
            "previousDigestHashValue": before.map(|file| Sha256::of(file.plain.as_bytes()).to_string()),
            "previousDigestHashAlgorithm": before.map(|_| "SHA-256"),
            "previousDigestSignature": before.map(|file| &file.signature), "logFiles": [],
        })
        .to_string();
        let text = Digest::parse(plain.as_bytes()).unwrap().signed_text();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        files.push(File { key, plain, signature: hex(&signature) });
    }
    Trail { keys, files }
}

impl Trail {
    /// Changes one field of the digest of that place, whose signature stays.
    fn edit(&mut self, at: usize, field: &str, value: Value) {
        let mut json: Value = serde_json::from_str(&self.files[at].plain).unwrap();
        json[field] = value;
        self.files[at].plain = json.to_string();
    }

    /// The standings from the oldest digest on, and the gaps as `from-until cause`, in hours of the day.
    fn judged(&self, metadata: bool, since: Option<Time>) -> (Vec<&'static str>, Vec<String>) {
        let mut chain = Chain::default();
        let mut standings: Vec<&str> = Vec::new();
        for file in self.files.iter().rev() {
            let digest = Digest::parse(file.plain.as_bytes()).ok();
            let kept = || if metadata { Kept::Signature(file.signature.clone()) } else { Kept::NotKept };
            let place = Place::parse(&file.key).unwrap();
            standings.insert(0, chain.judge(&place, digest.as_ref(), &self.keys, kept).word());
        }
        let hour = |time: Time| time.format("%H").to_string();
        let gap = |gap: Gap| {
            let cause = match gap.cause {
                Cause::NotProven(standing) => standing.word(),
                Cause::Missing => "missing",
                Cause::Restarted => "restarted",
            };
            format!(
                "{}-{} {cause}{}",
                gap.from.map_or("?".to_owned(), hour),
                hour(gap.until),
                if gap.hides { "" } else { " (open)" }
            )
        };
        (standings, chain.gaps(since, None).into_iter().map(gap).collect())
    }

    fn check(&self, metadata: bool, standings: &[&str], gaps: &[&str]) {
        assert_eq!(
            self.judged(metadata, Some(hour(0))),
            (standings.to_vec(), gaps.iter().map(|g| (*g).to_owned()).collect())
        );
    }
}

const PROVEN: &str = "verified";

#[test]
fn a_sound_chain_is_proven_and_without_metadata_all_but_its_newest() {
    let trail = signed(&[0, 1, 2, 3], &[]);
    trail.check(true, &[PROVEN; 4], &[]);
    trail.check(false, &[PROVEN, PROVEN, PROVEN, "signature_unknown"], &["03-04 signature_unknown (open)"]);
}

#[test]
fn an_edited_digest_is_altered_and_its_neighbours_are_not() {
    let logs = json!([{"s3Object": "x", "hashValue": Sha256::of(b"").to_string(), "hashAlgorithm": "SHA-256"}]);
    for at in 0..4 {
        let mut trail = signed(&[0, 1, 2, 3], &[]);
        trail.edit(at, "logFiles", logs.clone());
        let mut expected = [PROVEN; 4];
        expected[at] = "altered";
        let gap = match at {
            0 => "00-01 altered".to_owned(),
            _ => format!("{at:02}-{:02} altered", at + 1),
        };
        trail.check(true, &expected, &[&gap]);
    }
}

/// Who edits a digest and names a key that nobody has is found out by the digest after it.
#[test]
fn an_unknown_key_does_not_hide_an_edit() {
    let mut trail = signed(&[0, 1, 2, 3], &[]);
    trail.edit(1, "digestPublicKeyFingerprint", json!("f9"));
    trail.check(true, &[PROVEN, "altered", PROVEN, PROVEN], &["01-02 altered"]);
}

#[test]
fn without_the_right_key_nothing_is_proven() {
    let mut trail = signed(&[0, 1], &[]);
    trail.keys = PublicKeys::default();
    trail.check(true, &["key_unknown"; 2], &["00-02 key_unknown (open)"]);
    trail.keys = signed(&[0], &[]).keys;
    trail.check(true, &["altered"; 2], &["00-02 altered"]);
}

#[test]
fn another_algorithm_is_no_signature() {
    let mut trail = signed(&[0], &[]);
    trail.edit(0, "digestSignatureAlgorithm", json!("none"));
    trail.check(true, &["altered"], &["00-01 altered"]);
}

#[test]
fn a_removed_digest_is_missed_wherever_one_after_it_is_left() {
    let mut trail = signed(&[0, 1, 2, 3, 4], &[]);
    trail.files.drain(1..3);
    trail.check(true, &[PROVEN; 3], &["01-03 missing"]);
    let mut trail = signed(&[0, 1, 2], &[]);
    trail.files.remove(0);
    trail.check(true, &[PROVEN; 2], &["?-01 missing"]);
    // A copy that nobody asked to reach further back.
    assert_eq!(trail.judged(true, None).1, Vec::<String>::new());
    assert_eq!(trail.judged(true, Some(hour(1))).1, Vec::<String>::new());
}

#[test]
fn a_damaged_digest_leaves_a_gap_and_proves_its_neighbours_no_less() {
    let mut trail = signed(&[0, 1, 2, 3], &[]);
    trail.files[2].plain = "{".to_owned();
    trail.check(true, &[PROVEN, PROVEN, "unreadable", PROVEN], &["02-03 unreadable"]);
    trail.check(false, &[PROVEN, "signature_missing", "unreadable", "signature_unknown"], &["01-04 unreadable"]);
}

#[test]
fn a_chain_that_starts_again_leaves_a_gap_only_if_time_passed() {
    signed(&[0, 1, 4, 5], &[4]).check(true, &[PROVEN; 4], &["02-04 restarted (open)"]);
    signed(&[0, 1, 2, 3], &[2]).check(true, &[PROVEN; 4], &[]);
}

/// A digest of another time or account, copied to where one is wanted, is not taken for it.
#[test]
fn a_digest_counts_only_where_it_was_delivered() {
    let mut trail = signed(&[0, 1, 2, 3], &[]);
    let other = trail.files[0].clone();
    trail.files[1] = File { key: trail.files[1].key.clone(), ..other };
    trail.check(true, &[PROVEN, "moved", PROVEN, PROVEN], &["01-02 moved"]);
    let mut foreign = signed(&[0], &[]);
    foreign.edit(0, "awsAccountId", json!("999999999999"));
    foreign.check(true, &["moved"], &["00-01 moved"]);
}

/// A file that somebody put between two digests is not proven and costs the others nothing.
#[test]
fn a_planted_digest_hides_nothing() {
    let mut trail = signed(&[0, 1, 2], &[]);
    let key = trail.files[1].key.replace("T020000Z", "T013000Z");
    trail.files.insert(1, File { key, plain: "{}".to_owned(), signature: String::new() });
    trail.check(true, &[PROVEN, "unreadable", PROVEN, PROVEN], &[]);
}

/// In a copy the digest before a removed one lacks its signature too; that does not hide the removal.
#[test]
fn a_removed_digest_is_missed_in_a_copy_too() {
    let mut trail = signed(&[0, 1, 2, 3, 4, 5], &[]);
    trail.files.remove(3);
    let standings = [PROVEN, PROVEN, "signature_missing", PROVEN, "signature_unknown"];
    trail.check(false, &standings, &["05-06 signature_unknown (open)", "02-04 missing"]);
    // With one edited beside it, under a key that nobody has.
    trail.edit(2, "digestPublicKeyFingerprint", json!("f9"));
    let standings = [PROVEN, PROVEN, "key_unknown", PROVEN, "signature_unknown"];
    trail.check(false, &standings, &["05-06 signature_unknown (open)", "02-04 missing"]);
    // And where the newest that is left is the one that cannot be proven.
    trail.files.remove(3);
    trail.check(false, &[PROVEN, PROVEN, "key_unknown", "signature_unknown"], &["02-06 missing"]);
}

/// Only the newest digest of a copy, and one before a proven start, can lack their signatures.
#[test]
fn forged_digests_at_the_end_of_a_copy_are_holes() {
    let mut trail = signed(&[0, 1, 2, 3, 4, 5], &[]);
    for at in 3..6 {
        for field in ["Object", "HashValue", "HashAlgorithm", "Signature"] {
            let field = if field == "Object" { "S3Object" } else { field };
            trail.edit(at, &format!("previousDigest{field}"), Value::Null);
        }
    }
    let missing = "signature_missing";
    let standings = [PROVEN, PROVEN, missing, missing, missing, "signature_unknown"];
    trail.check(false, &standings, &["02-06 signature_missing"]);

    let restarted = signed(&[0, 1, 2, 6, 7], &[6]);
    let standings = [PROVEN, PROVEN, "signature_unknown", PROVEN, "signature_unknown"];
    let gaps = ["07-08 signature_unknown (open)", "02-06 signature_unknown (open)"];
    restarted.check(false, &standings, &gaps);
}

/// One digest at the end that claims to follow on one of long before hides the time between.
#[test]
fn an_unproven_digest_does_not_cover_many_hours() {
    let mut trail = signed(&[0, 1, 12], &[]);
    trail.edit(2, "digestStartTime", json!(rfc3339(hour(2))));
    trail.check(false, &[PROVEN, PROVEN, "signature_unknown"], &["02-13 missing"]);
}

/// With unknown keys at the newest end only, nobody can tell; but what is proven of the chain does not cover it.
#[test]
fn a_chain_that_is_proven_in_part_hides_what_is_not() {
    let mut trail = signed(&[0, 1, 2, 3], &[]);
    trail.edit(3, "digestPublicKeyFingerprint", json!("f9"));
    trail.check(true, &[PROVEN, PROVEN, PROVEN, "key_unknown"], &["03-04 key_unknown"]);
}

/// A bucket keeps the signature of each digest; one without, or that cannot be asked for it, is not believed.
#[test]
fn a_bucket_excuses_no_digest_without_a_signature() {
    let trail = signed(&[0], &[]);
    let (place, digest) = (Place::parse(&trail.files[0].key).unwrap(), Digest::parse(trail.files[0].plain.as_bytes()));
    let judged = |kept| Chain::default().judge(&place, digest.as_ref().ok(), &trail.keys, || kept);
    assert_eq!(judged(Kept::Signature(trail.files[0].signature.clone())), Standing::Proven);
    assert_eq!(judged(Kept::NotKept), Standing::SignatureUnknown);
    assert_eq!(judged(Kept::Nothing), Standing::SignatureMissing);
    assert_eq!(judged(Kept::NotTold), Standing::Unreadable);
}

#[test]
fn keys_tell_the_chain_and_the_time() {
    let trail = signed(&[0], &[]);
    let place = Place::parse(&trail.files[0].key).unwrap();
    assert_eq!(place.chain, (FOLDER, "111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1"));
    assert_eq!((place.end, place.backfill), (hour(1), false));
    let backfill = trail.files[0].key.replace(".json", "_backfill.json");
    let place = Place::parse(&backfill).unwrap();
    assert_eq!((place.end, place.backfill), (hour(1), true));
    assert_eq!(Place::parse("AWSLogs/x.json.gz"), None);
    assert_eq!(Place::parse(""), None);
}

#[test]
fn a_source_may_begin_below_or_above_the_trail() {
    let check = |key: &str, object: &str, log: &str, expected: Option<&str>| {
        let placed = Root::of(key, object).map(|root| root.key_of(log));
        assert_eq!(placed.flatten().as_deref(), expected, "{key} {object}");
    };
    check("AWSLogs/1/D/d", "AWSLogs/1/D/d", "AWSLogs/1/C/l", Some("AWSLogs/1/C/l"));
    check("AWSLogs/1/D/d", "p/q/AWSLogs/1/D/d", "p/q/AWSLogs/1/C/l", Some("AWSLogs/1/C/l"));
    check("1/D/d", "p/AWSLogs/1/D/d", "p/AWSLogs/1/C/l", Some("1/C/l"));
    check("copy/AWSLogs/1/D/d", "p/AWSLogs/1/D/d", "p/AWSLogs/1/C/l", Some("copy/AWSLogs/1/C/l"));
    check("AWSLogs/1/D/d", "p/AWSLogs/1/D/d", "q/AWSLogs/1/C/l", None);
    check("AWSLogs/1/D/d", "AWSLogs/2/D/d", "AWSLogs/1/C/l", None);
    check("gs/1/D/d", "AWSLogs/1/D/d", "AWSLogs/1/C/l", None);
}

proptest::proptest! {
    /// S44: keys are strangers' texts; none is taken apart in the middle of a character.
    #[test]
    fn any_key_and_any_object_are_taken_apart(key in "(AWSLogs/|é|/|_|2026|T|Z|\\.json\\.gz|_backfill){0,8}", object in "(AWSLogs/|é|/|x){0,8}") {
        let _ = Place::parse(&key);
        if let Some(root) = Root::of(&key, &object) {
            proptest::prop_assert_eq!(root.key_of(&object), Some(key));
        }
    }
}
