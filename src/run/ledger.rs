//! What `run.json` says of a run itself: its files with their digests, and the memory that it took.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::aws::AccountId;
use crate::aws::window::rfc3339;
use crate::finding::trust_steps::TrustNarrowing;
use crate::policy::catalog::Catalog;
use crate::policy::narrow::Narrowing;
use crate::report::OutputFile;

use super::again;
use super::analyze::{Options, Outcome};
use super::inputs::sha256;
use super::spool::Spool;

/// The files that belong to this run, for a reader who wants to be sure of them.
pub(super) fn files<'a>(files: impl IntoIterator<Item = &'a OutputFile>, activity: &Spool) -> Vec<Value> {
    let entry = |path: &str, bytes: u64, sha256: &str| json!({"path": path, "bytes": bytes, "sha256": sha256});
    let small = files
        .into_iter()
        .map(|file| (file.path.as_str(), entry(&file.path, file.bytes.len() as u64, &sha256(&file.bytes))));
    let spooled = activity.files.iter().map(|file| (file.path.as_str(), entry(&file.path, file.bytes, &file.sha256)));
    small.chain(spooled).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// The largest resident size of this process so far, where the system tells (Linux).
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// What a rendering tells of itself; all else is told of the run that it renders again.
fn of_process(outcome: &Outcome, options: &Options) -> Map<String, Value> {
    [
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("formats", json!(options.formats.words().collect::<Vec<_>>())),
        ("inputs", json!(outcome.inputs)),
        ("timings", outcome.timings.clone()),
        ("peak_memory_bytes", json!(peak_memory_bytes())),
        ("temporary_files", json!(outcome.on_disk)),
        ("files", json!(files(&outcome.files, &outcome.activity))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

/// What a run is made of, which is the same whenever it is run again: nothing of times, memory and threads.
pub(super) fn facts(outcome: &Outcome, source: &str, options: &Options) -> Map<String, Value> {
    let accounts =
        |accounts: &BTreeSet<AccountId>| -> Vec<String> { accounts.iter().map(ToString::to_string).collect() };
    let options = json!({
            "since": options.request.since.map(rfc3339),
            "until": options.request.until.map(rfc3339),
            "as_of": options.as_of.map(rfc3339),
            "idle_days": options.idle_days, "key_days": options.key_days,
            "max_holes": options.max_holes,
            "accounts": accounts(&options.request.accounts),
            "regions": options.request.regions,
            "own_accounts": accounts(&options.own_accounts),
            "live": options.beside.live.iter().map(|input| input.word()).collect::<Vec<_>>(),
            "assume_role_name": options.beside.assume_role_name,
            "narrow_resources": options.narrowing.map(Narrowing::word),
            "narrow_trust": options.trust.narrowing.map(TrustNarrowing::word),
            "show_external_ids": options.trust.show_external_ids,
            "complete_data_events": options.beside.complete_data_events,
            "verify_digests": options.digest_keys.is_some(),
            "config": options.rules.config.as_ref().map(|config| config.path.display().to_string()),
            "formats": options.formats.words().collect::<Vec<_>>(),
    });
    let facts = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "source": source,
        "options": options,
        "inputs": outcome.inputs,
        "keep_rules": outcome.keep,
        "suppressions": outcome.suppressions,
        "vendors_that_are_own_accounts": outcome.own_vendors,
        "catalog_actions": Catalog::builtin().iter().count(),
        "coverage": outcome.assessment.coverage,
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}

/// `run.json`: everything that a run is known by, and its files.
pub(super) fn run_json(outcome: &Outcome, source: &str, options: &Options) -> Value {
    if let Some(first) = &outcome.first {
        return again::manifest(first, of_process(outcome, options));
    }
    let mut run = Map::from_iter([("schema".to_owned(), json!("thirdtrail.run/1"))]);
    run.extend(facts(outcome, source, options));
    let effort = [("jobs", options.effort.jobs), ("memory_bytes", options.effort.memory_bytes)];
    if let Some(options) = run.get_mut("options").and_then(Value::as_object_mut) {
        options.extend(effort.map(|(name, value)| (name.to_owned(), json!(value))));
    }
    let this_time = [
        ("evidence", json!(outcome.evidence)),
        ("timings", outcome.timings.clone()),
        ("peak_memory_bytes", json!(peak_memory_bytes())),
        ("temporary_files", json!(outcome.on_disk)),
        ("files", json!(files(&outcome.files, &outcome.activity))),
    ];
    run.extend(this_time.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(run)
}
