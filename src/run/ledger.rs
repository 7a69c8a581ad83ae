//! What `run.json` says of a run itself: its files with their digests, and the memory that it took.

use serde_json::{Value, json};

use crate::report::OutputFile;

use super::inputs::sha256;

/// The files that belong to this run, for a reader who wants to be sure of them.
pub(super) fn manifest(files: &[OutputFile]) -> Vec<Value> {
    let mut files: Vec<&OutputFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let entry =
        |file: &OutputFile| json!({"path": file.path, "bytes": file.bytes.len(), "sha256": sha256(&file.bytes)});
    files.into_iter().map(entry).collect()
}

/// The largest resident size of this process so far, where the system tells (Linux).
pub(super) fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
