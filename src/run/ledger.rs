//! What `run.json` says of a run itself: its files with their digests, and the memory that it took.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::report::OutputFile;

use super::inputs::sha256;
use super::spool::Spool;

/// The files that belong to this run, for a reader who wants to be sure of them.
pub(super) fn manifest(files: &[OutputFile], activity: &Spool) -> Vec<Value> {
    let entry = |path: &str, bytes: u64, sha256: &str| json!({"path": path, "bytes": bytes, "sha256": sha256});
    let small =
        files.iter().map(|file| (file.path.as_str(), entry(&file.path, file.bytes.len() as u64, &sha256(&file.bytes))));
    let spooled = activity.files.iter().map(|file| (file.path.as_str(), entry(&file.path, file.bytes, &file.sha256)));
    small.chain(spooled).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// The largest resident size of this process so far, where the system tells (Linux).
pub(super) fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
