//! The bundled trails: where they lie, the truth about them, and how they are analyzed.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its trail has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thirdtrail::aws::window::parse_time;
use thirdtrail::run::analyze::{Options, Outcome};
use thirdtrail::run::beside::BesideOptions;
use thirdtrail::run::inputs;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;

/// The folder of a bundled trail: `vendors`, `damaged` or `holes`.
pub(crate) fn folder(trail: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/trails").join(trail)
}

/// What the generator wrote down while it made the trail.
pub(crate) fn truth(trail: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder(trail).join("truth.json")).unwrap()).unwrap()
}

/// An analysis of the window that the trail was made for, with its inventories.
pub(crate) fn options(trail: &str, jobs: usize) -> Options {
    let truth = truth(trail);
    let time = |key: &str| parse_time(truth["window"][key].as_str().unwrap());
    Options {
        request: Request { since: time("since"), until: time("until"), ..Request::default() },
        inventories: inputs::beside(&folder(trail)),
        beside: BesideOptions::default(),
        digest_keys: None,
        own_accounts: BTreeSet::new(),
        as_of: None,
        idle_days: u32::try_from(truth["idle_days"].as_u64().unwrap()).unwrap(),
        key_days: 90,
        max_holes: 0.05,
        narrowing: None,
        effort: Effort { jobs, memory_bytes: 64 << 20 },
        ..Options::default()
    }
}

/// The bytes of one of the files that an analysis gives.
pub(crate) fn file(outcome: &Outcome, path: &str) -> Vec<u8> {
    outcome.files.iter().find(|file| file.path == path).unwrap().bytes.clone()
}

/// `report.json` of an analysis.
pub(crate) fn report(outcome: &Outcome) -> Value {
    serde_json::from_slice(&file(outcome, "report.json")).unwrap()
}
