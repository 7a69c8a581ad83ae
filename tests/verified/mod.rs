//! Analyses of signed trails, with and without their digests verified, and what their reports say of it.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot make its trail has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::Value;
use thirdtrail::run::UserError;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::beside::BesideOptions;
use thirdtrail::run::digests::KeySources;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::Store;
use thirdtrail::store::memory::MemoryStore;

use crate::signed::{Files, Signed, gunzip, is_digest, is_log, signed, unsigned};

pub(crate) const DAYS: u32 = 5;

pub(crate) fn sound() -> Signed {
    static SOUND: OnceLock<Signed> = OnceLock::new();
    SOUND.get_or_init(|| signed(unsigned(DAYS))).clone()
}

/// What a trail is analyzed with.
pub(crate) struct Way {
    /// Signatures from metadata, as in a bucket.
    pub(crate) metadata: bool,
    pub(crate) jobs: usize,
    /// The public keys; none: digests are not verified.
    pub(crate) keys: Option<String>,
}

pub(crate) fn outcome(files: &Files, signatures: &BTreeMap<String, String>, way: &Way) -> Result<Value, UserError> {
    outcome_of(files, signatures, way, Request::default())
}

pub(crate) fn outcome_of(
    files: &Files,
    signatures: &BTreeMap<String, String>,
    way: &Way,
    request: Request,
) -> Result<Value, UserError> {
    let metadata = signatures.iter().filter(|_| way.metadata);
    let metadata =
        metadata.map(|(key, signature)| (key.clone(), BTreeMap::from([("signature".to_owned(), signature.clone())])));
    let store: MemoryStore = files.clone().into_iter().collect();
    report_from(&store.with_metadata(metadata.collect()), way, request)
}

/// `report.json` of an analysis of that store.
pub(crate) fn report_from(store: &dyn Store, way: &Way, request: Request) -> Result<Value, UserError> {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let digest_keys = way.keys.as_ref().map(|text| {
        std::fs::write(&keys, text).unwrap();
        KeySources { files: vec![keys.clone()], live: false }
    });
    let options = Options {
        request: Request { with_digests: way.keys.is_some(), ..request },
        inventories: Vec::new(),
        beside: BesideOptions::default(),
        digest_keys,
        own_accounts: BTreeSet::new(),
        as_of: None,
        idle_days: 90,
        key_days: 90,
        max_holes: 0.05,
        narrowing: None,
        effort: Effort { jobs: way.jobs, memory_bytes: 64 << 20 },
        ..Options::default()
    };
    let outcome = analyze(store, &options, &Silent)?;
    let report = outcome.files.iter().find(|file| file.path == "report.json").unwrap();
    Ok(serde_json::from_slice(&report.bytes).unwrap())
}

pub(crate) fn report(trail: &Signed) -> Value {
    let way = Way { metadata: true, jobs: 2, keys: Some(trail.keys.clone()) };
    outcome(&trail.files, &trail.signatures, &way).unwrap()
}

pub(crate) fn unverified_report(trail: &Signed) -> Value {
    outcome(&trail.files, &trail.signatures, &Way { metadata: true, jobs: 2, keys: None }).unwrap()
}

/// Account and day of each hole of that reason.
pub(crate) fn holes(report: &Value, reason: &str) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let accounts = report["coverage"]["accounts"].as_array().unwrap().iter();
    let holes = accounts.flat_map(|account| {
        let holes = account["holes"].as_array().unwrap().iter().filter(|hole| hole["reason"] == reason);
        holes.map(|hole| (text(&account["account_id"]), text(&hole["day"])))
    });
    holes.collect()
}

pub(crate) fn account_and_day(key: &str) -> (String, String) {
    let parts: Vec<&str> = key.split('/').filter(|part| !part.starts_with("o-")).collect();
    (parts[1].to_owned(), parts[4..7].join("-"))
}

pub(crate) fn codes(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let of_digests = findings.filter(|finding| finding["code"].as_str().unwrap().starts_with("digest"));
    of_digests.map(|f| (f["code"].as_str().unwrap().to_owned(), f["severity"].as_str().unwrap().to_owned())).collect()
}

pub(crate) fn keys(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|object| object["key"].as_str().unwrap()).collect()
}

/// A log object somewhere in the middle.
pub(crate) fn some_log(trail: &Signed) -> String {
    let logs = trail.keys_of(is_log);
    logs[logs.len() / 2].clone()
}

/// A digest that names logs, with one before and one after it.
pub(crate) fn some_digest(trail: &Signed) -> String {
    let with_logs = |key: &&String| !String::from_utf8(gunzip(&trail.files[*key])).unwrap().contains("\"logFiles\":[]");
    let digests = trail.keys_of(is_digest);
    let middle = digests.iter().filter(|key| key.ends_with("T120000Z.json.gz") && !key.contains("/2026/05/01/"));
    middle.filter(with_logs).nth(2).unwrap().clone()
}

/// The folders of its chains of digests.
pub(crate) fn chains(trail: &Signed) -> BTreeSet<&str> {
    trail.signatures.keys().map(|key| key.split("/2026").next().unwrap()).collect()
}
