//! The program, run as scripts run it.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot run the program has failed")]

use assert_cmd::Command;

/// How a run of the program ended.
pub(crate) struct Run {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said.
    pub(crate) stderr: String,
}

/// Runs it with something on standard input; whatever happens, it is no crash.
pub(crate) fn run_with(arguments: &[&str], input: &str) -> Run {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    let output = command.args(arguments).write_stdin(input).output().unwrap();
    let run = Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(run.code != 70 && !run.stderr.contains("panicked"), "{arguments:?}: {}", run.stderr);
    run
}

/// Runs it with nothing on standard input.
pub(crate) fn run(arguments: &[&str]) -> Run {
    run_with(arguments, "")
}
