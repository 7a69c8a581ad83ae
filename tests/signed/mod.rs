//! A trail whose digests are signed as CloudTrail signs them, with a key that is made on the spot.
//!
//! The signer is written from the User Guide ("CloudTrail digest file structure") and shares nothing with the verifier
//! but the library that does RSA.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot make its trail has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use thirdtrail::generate::{Options, Size, generate};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Hours that one digest covers: fewer signatures than CloudTrail makes, in the same form.
const HOURS: i64 = 6;
/// The bucket, and what lies in it above the trail.
pub(crate) const BUCKET: &str = "acme-trail";
pub(crate) const PREFIX: &str = "logs/";
const FINGERPRINT: &str = "31e8b5433410dfb61a9dc45cc65b22ff";

/// A trail with its digests.
#[derive(Clone)]
pub(crate) struct Signed {
    /// Everything as it would lie in a copy of the bucket, below [`PREFIX`].
    pub(crate) files: Files,
    /// Signatures of the digests, as the bucket keeps them in metadata.
    pub(crate) signatures: BTreeMap<String, String>,
    /// What `aws cloudtrail list-public-keys` would print.
    pub(crate) keys: String,
}

fn pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

fn sign(text: &str) -> String {
    let mut signature = vec![0; pair().public_modulus_len()];
    pair().sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    hex(&signature)
}

/// What `list-public-keys` prints of a key.
pub(crate) fn listing(pair: &KeyPair, fingerprint: &str) -> String {
    let key = json!({
        "Value": BASE64_STANDARD.encode(pair.public_key().as_ref()), "Fingerprint": fingerprint,
        "ValidityStartTime": 1_777_000_000.0, "ValidityEndTime": 1_790_000_000.0,
    });
    json!({"PublicKeyList": [key]}).to_string()
}

/// The same listing with another key under the same fingerprint.
pub(crate) fn wrong_keys() -> String {
    listing(&KeyPair::generate(KeySize::Rsa2048).unwrap(), FINGERPRINT)
}

/// A small generated trail without digests.
pub(crate) fn unsigned(days: u32) -> Files {
    let regions = ["us-east-1", "eu-west-1"].map(str::to_owned).to_vec();
    let options = Options {
        seed: 5,
        days,
        accounts: 2,
        size: Size::Records(500),
        regions,
        digest_every_days: 0,
        records_per_object: 8,
        ..Options::default()
    };
    let mut files = Files::new();
    generate(&options, &mut |key, bytes| {
        // One gzip member an object, as CloudTrail delivers.
        let bytes = if is_log(key) { gzip(&gunzip(bytes)) } else { bytes.to_vec() };
        files.insert(key.to_owned(), bytes);
        Ok(())
    })
    .unwrap();
    files
}

pub(crate) fn is_digest(key: &str) -> bool {
    key.contains("/CloudTrail-Digest/")
}

pub(crate) fn is_log(key: &str) -> bool {
    key.contains("/CloudTrail/")
}

/// Signs a trail: a digest for every six hours of every folder `<account>/CloudTrail/<region>`.
pub(crate) fn signed(files: Files) -> Signed {
    signed_late(files, |_| false)
}

/// The same, where some logs come too late for their digests and are named by backfill digests.
pub(crate) fn signed_late(mut files: Files, late: impl Fn(&str) -> bool) -> Signed {
    files.retain(|key, _| !is_digest(key));
    let logs: Vec<String> = files.keys().filter(|key| is_log(key)).cloned().collect();
    let folder = |key: &str| key.rsplitn(5, '/').nth(4).unwrap().to_owned();
    let folders: BTreeSet<String> = logs.iter().map(|key| folder(key)).collect();
    let times: BTreeSet<DateTime<Utc>> = logs.iter().map(|key| delivered(key)).collect();
    let first = times.first().unwrap().date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let mut signatures = BTreeMap::new();
    for folder in folders {
        let mut before: Option<String> = None;
        let mut start = first;
        while start <= *times.last().unwrap() {
            let end = start + TimeDelta::hours(HOURS);
            let named = logs.iter().filter(|key| key.starts_with(&format!("{folder}/")));
            let named: Vec<&String> = named.filter(|key| (start..end).contains(&delivered(key))).collect();
            let (backfilled, named): (Vec<&String>, Vec<&String>) = named.into_iter().partition(|key| late(key));
            let mut deliver = |named: &[&String], before: Option<&str>, ending: &str| {
                let folder = (folder.as_str(), ending);
                let (key, plain) = digest_file(folder, (start, end), named, before, &files, &signatures);
                let text = format!(
                    "{}\n{BUCKET}/{PREFIX}{key}\n{}\n{}",
                    time(end),
                    sha256(plain.as_bytes()),
                    before.map_or("null", |before| &signatures[before])
                );
                signatures.insert(key.clone(), sign(&text));
                files.insert(key.clone(), gzip(plain.as_bytes()));
                key
            };
            if !backfilled.is_empty() {
                deliver(&backfilled, None, "_backfill");
            }
            (before, start) = (Some(deliver(&named, before.as_deref(), "")), end);
        }
    }
    Signed { files, signatures, keys: listing(pair(), FINGERPRINT) }
}

fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn delivered(key: &str) -> DateTime<Utc> {
    let stamp = key.rsplit('/').next().unwrap().split('_').nth(3).unwrap();
    NaiveDateTime::parse_from_str(&format!("{stamp}00"), "%Y%m%dT%H%MZ%S").unwrap().and_utc()
}

/// Key and contents of one digest.
fn digest_file(
    (folder, ending): (&str, &str),
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    logs: &[&String],
    before: Option<&str>,
    files: &Files,
    signatures: &BTreeMap<String, String>,
) -> (String, String) {
    let parts: Vec<&str> = folder.rsplitn(4, '/').collect();
    let (region, account, above) = (parts[0], parts[2], parts[3]);
    let key = format!(
        "{above}/{account}/CloudTrail-Digest/{region}/{}/{account}_CloudTrail-Digest_{region}_main_us-east-1_{}{ending}.json.gz",
        end.format("%Y/%m/%d"),
        end.format("%Y%m%dT%H%M%SZ")
    );
    let log = |log: &&String| {
        json!({
            "s3Bucket": BUCKET, "s3Object": format!("{PREFIX}{log}"), "hashValue": sha256(&gunzip(&files[*log])),
            "hashAlgorithm": "SHA-256", "newestEventTime": time(end), "oldestEventTime": time(start),
        })
    };
    let plain = json!({
        "awsAccountId": account, "digestStartTime": time(start), "digestEndTime": time(end),
        "digestS3Bucket": BUCKET, "digestS3Object": format!("{PREFIX}{key}"),
        "digestPublicKeyFingerprint": FINGERPRINT, "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": null, "oldestEventTime": null,
        "previousDigestS3Bucket": before.map(|_| BUCKET),
        "previousDigestS3Object": before.map(|before| format!("{PREFIX}{before}")),
        "previousDigestHashValue": before.map(|before| sha256(&gunzip(&files[before]))),
        "previousDigestHashAlgorithm": before.map(|_| "SHA-256"),
        "previousDigestSignature": before.map(|before| &signatures[before]),
        "logFiles": logs.iter().map(log).collect::<Vec<Value>>(),
    });
    (key, plain.to_string())
}

impl Signed {
    /// The keys of log objects, or of digests, in order.
    pub(crate) fn keys_of(&self, which: fn(&str) -> bool) -> Vec<String> {
        self.files.keys().filter(|key| which(key)).cloned().collect()
    }

    /// Changes the plain contents of a file.
    pub(crate) fn edit(&mut self, key: &str, change: impl FnOnce(String) -> String) {
        let plain = String::from_utf8(gunzip(&self.files[key])).unwrap();
        self.files.insert(key.to_owned(), gzip(change(plain).as_bytes()));
    }
}
