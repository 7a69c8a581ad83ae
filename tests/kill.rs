//! The real program, killed at random moments: what it left serves, and the run that is not killed gives what a run
//! from scratch gives, to the byte.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot run the program has failed"
)]

mod bundled;
mod folders;
mod program;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bundled::folder;
use folders::{files, json_file};

/// So many times is the program killed.
const KILLS: u32 = 50;
/// After so many kills the evidence is thrown away, so that there is something to be read again.
const FRESH: u32 = 5;
/// About as many shards as the trail gives.
const SHARDS: u64 = 110;

fn arguments(trail: &str, out: &Path, evidence: Option<&Path>) -> Vec<String> {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut arguments = vec!["analyze".to_owned(), text(&folder(trail)), "--out".to_owned(), text(out)];
    arguments.extend(["--quiet", "--jobs", "2"].map(str::to_owned));
    arguments.extend(evidence.into_iter().flat_map(|evidence| ["--evidence".to_owned(), text(evidence)]));
    arguments
}

fn start(arguments: &[String]) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn run(arguments: &[String]) -> i32 {
    start(arguments).wait().unwrap().code().unwrap()
}

/// Every output but `run.json`.
fn outputs(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut outputs = files(out);
    assert!(outputs.remove("run.json").is_some());
    outputs
}

/// A small generator, so that the moments of a failing run can be had again.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// How many finished shards there are; files may come and go meanwhile.
fn shards(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |path: &Path| match path.extension() {
        Some(ending) => usize::from(ending == "shard"),
        None => shards(path),
    };
    entries.flatten().map(|entry| count(&entry.path())).sum()
}

/// Invariant 3: whatever moment the program is killed at, the next run goes on where it was with the same result.
#[test]
fn a_killed_run_goes_on_with_the_same_result() {
    let room = tempfile::tempdir().unwrap();
    let (reference, out, evidence) = (room.path().join("reference"), room.path().join("out"), room.path().join("e"));
    let began = Instant::now();
    assert_eq!(run(&arguments("holes", &reference, None)), 0);
    let whole = u64::try_from(began.elapsed().as_micros()).unwrap();
    let wanted = outputs(&reference);
    let (mut state, mut amounts, mut killed) = (0x9e37_79b9_7f4a_7c15, std::collections::BTreeSet::new(), 0);
    for round in 0..KILLS {
        if round % FRESH == 0 && evidence.exists() {
            std::fs::remove_dir_all(&evidence).unwrap();
        }
        let mut child = start(&arguments("holes", &out, Some(&evidence)));
        // By the clock, for any moment; and by what was saved, because reading is a small part of so small a run.
        if round % 2 == 0 {
            sleep(Duration::from_micros(random(&mut state) % whole));
        } else {
            let enough = usize::try_from(random(&mut state) % SHARDS).unwrap();
            while shards(&evidence) < enough && child.try_wait().unwrap().is_none() {
                sleep(Duration::from_micros(100));
            }
        }
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        amounts.insert(shards(&evidence));
        // Outputs are those of a whole run, or none.
        assert!(!out.exists() || outputs(&out) == wanted, "kill {round}");
    }
    // How many depends on the machine; that some were hit, and in different states, does not.
    assert!(killed > KILLS / 10 && amounts.len() > 1, "{killed} killed, with {amounts:?} shards");
    assert_eq!(run(&arguments("holes", &out, Some(&evidence))), 0);
    assert!(outputs(&out) == wanted);
    let parts: Vec<String> = files(&evidence).into_keys().filter(|key| key.ends_with(".part")).collect();
    assert_eq!(parts, [] as [String; 0], "what killed runs were writing is gone");
    let run_json = json_file(&out.join("run.json"));
    assert_eq!(run_json["evidence"]["shards_damaged"], 0);
}

/// Ctrl-C: what is in hand is finished, the evidence is kept, and the exit code is 130.
#[test]
fn ctrl_c_keeps_the_evidence_and_exits_130() {
    let room = tempfile::tempdir().unwrap();
    for attempt in 0..20 {
        let (out, evidence) = (room.path().join("out"), room.path().join(format!("e{attempt}")));
        let mut child = start(&arguments("vendors", &out, Some(&evidence)));
        while shards(&evidence) == 0 && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        let code = child.wait().unwrap().code();
        if !asked.is_ok_and(|status| status.success()) || code == Some(0) {
            continue;
        }
        assert_eq!(code, Some(130));
        assert!(!out.exists());
        let kept = shards(&evidence);
        assert!(kept > 0);
        assert_eq!(run(&arguments("vendors", &out, Some(&evidence))), 0);
        let run_json = json_file(&out.join("run.json"));
        assert_eq!(run_json["evidence"]["shards_used"], kept);
        assert_eq!(run_json["evidence"]["shards_damaged"], 0);
        let reference = room.path().join("reference");
        assert_eq!(run(&arguments("vendors", &reference, None)), 0);
        assert!(outputs(&out) == outputs(&reference));
        return;
    }
    panic!("the program was always done before it could be stopped");
}
