//! The independent evaluator as a child process: batches of cases go in, their decisions come out, nothing piles up.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::sync_channel;

use serde_json::Value;

use super::draw::Draw;
use super::generator::Case;

const PACKAGE: &str = "@cloud-copilot/iam-simulate";
/// Cases in one line to the child.
const BATCH: usize = 250;
/// Batches that may be on their way.
const AHEAD: usize = 4;

/// The folder whose `node_modules` holds the evaluator; installs it where it is missing.
fn tools() -> Result<PathBuf, String> {
    let folder = match std::env::var_os("THIRDTRAIL_NODE_TOOLS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("no HOME")?).join(".cache/thirdtrail-node"),
    };
    if folder.join("node_modules").join(PACKAGE).is_dir() {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let manifest = here().join("package.json");
    std::fs::copy(manifest, folder.join("package.json")).map_err(|error| error.to_string())?;
    let install = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if install.status.success() { Ok(folder) } else { Err("npm install failed".to_owned()) }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

/// Starts the evaluator.
///
/// # Errors
/// Why it cannot be had on this machine.
pub(crate) fn start() -> Result<Child, String> {
    let folder = tools()?;
    let mut command = Command::new("node");
    command.arg(here().join("run.mjs")).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().map_err(|error| format!("node: {error}"))
}

/// Draws `cases` cases from `seed` and hands each to `take` with the evaluator's decision.
pub(crate) fn ask(mut child: Child, seed: u64, cases: usize, mut take: impl FnMut(&Case, &str)) {
    let input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let (send, receive) = sync_channel::<Vec<Case>>(AHEAD);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            write(input, seed, cases, |batch| send.send(batch).is_ok());
        });
        for batch in receive {
            let line = output.next().unwrap().unwrap();
            let decided: Vec<String> = serde_json::from_str(&line).unwrap();
            assert_eq!(decided.len(), batch.len());
            batch.iter().zip(&decided).for_each(|(case, decision)| take(case, decision));
        }
        writer.join().unwrap();
    });
    assert!(child.wait().unwrap().success(), "the evaluator failed");
}

/// Writes all batches; each is passed on only after it was written, so that its answer is certain to come.
fn write(mut input: ChildStdin, seed: u64, cases: usize, mut pass_on: impl FnMut(Vec<Case>) -> bool) {
    let mut draw = Draw::new(seed);
    let mut left = cases;
    while left > 0 {
        let batch: Vec<Case> = (0..left.min(BATCH)).map(|_| Case::draw(&mut draw)).collect();
        left -= batch.len();
        let simulations = Value::from(batch.iter().map(Case::simulation).collect::<Vec<_>>());
        // Formatted first: the pipe has no buffer, and each fragment would be a write of its own.
        input.write_all(format!("{simulations}\n").as_bytes()).unwrap();
        if !pass_on(batch) {
            return;
        }
    }
}
