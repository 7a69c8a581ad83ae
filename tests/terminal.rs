//! What people see on a terminal: widths, colours, hostile names, completions and manual pages. Terminals are made by
//! Python's `pty`; where there is none, that is said.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod beside;
mod bundled;
mod program;

use std::fs;
use std::path::Path;
use std::process::Command;

use console::measure_text_width;
use program::run;
use regex::Regex;
use tempfile::TempDir;

/// Runs a program on a terminal of its own, so many columns wide, and shows what the terminal got.
const PTY: &str = r"
import fcntl, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 50, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
while True:
    try:
        some = os.read(terminal, 65536)
    except OSError:
        break
    if not some:
        break
    sys.stdout.buffer.write(some)
os.waitpid(child, 0)
";

/// What a terminal of that width gets; nothing where no terminal can be made.
fn on_terminal(columns: usize, variables: &[(&str, &str)], arguments: &[&str]) -> Option<String> {
    let mut python = Command::new("python3");
    python.args(["-c", PTY, &columns.to_string(), assert_cmd::cargo::cargo_bin!("thirdtrail").to_str().unwrap()]);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        python.env_remove(name);
    }
    let output = python.args(arguments).env("TERM", "xterm").envs(variables.iter().copied()).output();
    let Ok(output) = output else {
        beside::say("NOT RUN: no python3, so no terminal can be made");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n"))
}

fn without_colours(text: &str) -> String {
    Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(text, "").into_owned()
}

fn trail(name: &str) -> String {
    bundled::folder(name).display().to_string()
}

/// The output of a run, in which a vendor has a name that nobody should have.
fn hostile_run(folder: &Path) -> String {
    let name = format!("\\u001b[2J\\u202egnp.\\u4e16\\u754ce\\u0301 {}", "x".repeat(20_000));
    let vendors = folder.join("vendors.toml");
    fs::write(&vendors, format!("[[vendor]]\nname = \"{name}\"\naccounts = [\"464622532012\"]\n")).unwrap();
    let out = folder.join("out").display().to_string();
    let vendors = vendors.display().to_string();
    let ran = run(&["analyze", &trail("vendors"), "--out", &out, "--vendors", &vendors, "--no-config"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(&"x".repeat(20_000)), "cut, although there is no terminal");
    assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}']));
    out
}

/// S43: whatever names strangers choose, no line is wider than the terminal and nothing of theirs is obeyed.
#[test]
fn nothing_is_wider_than_the_terminal() {
    let folder = TempDir::new().unwrap();
    let out = hostile_run(folder.path());
    let (vendors, trail) = (folder.path().join("vendors.toml").display().to_string(), trail("vendors"));
    let again = folder.path().join("again").display().to_string();
    let analyze = [
        "analyze",
        &trail,
        "--out",
        &again,
        "--vendors",
        &vendors,
        "--no-config",
        "--progress",
        "none",
        "--format",
        "md",
    ];
    let commands: [&[&str]; 5] = [
        &analyze,
        &["activity", &out, "--party", "464622532012"],
        &["vendors", "list", "--vendors", &vendors],
        &["plan", &trail],
        &["compare", &out, &out],
    ];
    for command in commands {
        // Of the two that work longest, the narrow and the usual.
        let widths: &[usize] =
            if matches!(command[0], "analyze" | "activity") { &[40, 120] } else { &[40, 80, 120, 200] };
        for &columns in widths {
            let Some(shown) = on_terminal(columns, &[], command) else { return };
            let shown = without_colours(&shown);
            assert!(shown.lines().count() > 1 || command[0] == "compare", "{command:?}: {shown}");
            for line in shown.lines() {
                // Places and commands are there to be copied whole.
                let copied = ["report: ", "as one text: ", "  sh "].iter().any(|first| line.starts_with(first));
                assert!(copied || measure_text_width(line) <= columns, "{columns}: {command:?}: {line}");
                assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{command:?}: {line:?}");
            }
        }
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let trail = trail("vendors");
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out").display().to_string();
    let analyze = ["analyze", &trail, "--out", &out, "--no-config", "--progress", "none"];
    let coloured = |text: &str| text.contains('\u{1b}');
    for (variables, more, expected) in [
        (&[][..], &[][..], true),
        (&[("NO_COLOR", "1")], &[], false),
        (&[("TERM", "dumb")], &[], false),
        (&[], &["--color", "never"], false),
        (&[("NO_COLOR", "1")], &["--color=always"], true),
    ] {
        let Some(shown) = on_terminal(100, variables, &[&["vendors", "list"], more].concat()) else { return };
        assert_eq!(coloured(&shown), expected, "{variables:?} {more:?}: {shown}");
        let Some(help) = on_terminal(100, variables, &[&["--help"], more].concat()) else { return };
        assert_eq!(coloured(&help), expected, "{variables:?} {more:?}: {help}");
        let Some(wrong) = on_terminal(100, variables, &[&["analyse"], more].concat()) else { return };
        assert_eq!(coloured(&wrong), expected, "{variables:?} {more:?}: {wrong}");
    }
    let Some(summary) = on_terminal(100, &[], &analyze) else { return };
    assert!(coloured(&summary) && without_colours(&summary).contains("\nfindings: 25 high, "), "{summary}");
    // Into a pipe only if that is asked for, and never where programs read.
    let piped = |arguments: &[&str]| coloured(&run(arguments).stdout);
    assert!(!piped(&["vendors", "list"]) && piped(&["vendors", "list", "--color=always"]));
    assert!(!piped(&["plan", &trail, "--format", "json", "--color=always"]));
    for format in ["json", "csv"] {
        assert!(!piped(&["activity", &out, "--format", format, "--color=always"]));
    }
    let report = fs::read_to_string(Path::new(&out).join("report.md")).unwrap();
    assert!(!coloured(&report));
}

/// Each phase is told once where there is no terminal, and none with `--quiet`.
#[test]
fn phases_are_told_on_standard_error() {
    let folder = TempDir::new().unwrap();
    let (trail, out) = (trail("vendors"), folder.path().join("out").display().to_string());
    let told = run(&["analyze", &trail, "--out", &out, "--no-config", "--progress", "plain"]).stderr;
    for phase in [
        "reading: 379 objects",
        "adding up",
        "attributing sessions",
        "judging roles: ",
        "rendering",
        "writing the report",
    ] {
        assert_eq!(told.lines().filter(|line| line.starts_with(phase)).count(), 1, "{phase}: {told}");
    }
    let quiet = run(&["analyze", &trail, "--out", &out, "--no-config", "--quiet"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let plain = run(&["analyze", &trail, "--out", &out, "--no-config", "--progress", "none"]);
    assert_eq!(plain.stderr, "");
}

/// What is named at the end was written, and the next step fits the case.
#[test]
fn the_summary_ends_with_what_to_do_next() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out").display().to_string();
    let summary = |source: &str, more: &[&str]| {
        let ran = run(&[&["analyze", source, "--out", &out, "--no-config", "--progress", "none"], more].concat());
        assert!(matches!(ran.code, 0 | 3), "{}", ran.stderr);
        ran.stdout
    };
    // With the command that stands below it.
    let is_next = |line: &&str| line.starts_with("next: ") || line.starts_with("  sh ");
    let next = |text: &str| text.lines().filter(is_next).collect::<Vec<_>>().join("\n");
    let whole = summary(&trail("vendors"), &[]);
    assert!(whole.lines().count() <= 30, "{whole}");
    let script = Regex::new("\n  sh (.+)$").unwrap().captures(&next(&whole)).unwrap()[1].to_owned();
    assert!(Path::new(&script).is_file(), "{script}");

    let few = summary(&trail("vendors"), &["--format", "md"]);
    assert!(!next(&few).contains("apply.sh") && few.contains("report: ") && !few.contains("index.html"), "{few}");
    for (_, path) in few.lines().filter_map(|line| line.split_once(": ")).filter(|(what, _)| *what == "report") {
        assert!(Path::new(path).is_file(), "{path}");
    }

    let damaged = summary(&trail("damaged"), &[]);
    assert!(damaged.starts_with("coverage is INCOMPLETE: 7 objects, 3 records could not be read\n"), "{damaged}");
    assert!(next(&damaged).starts_with("next: copy the objects"), "{damaged}");

    let logs = Path::new(&trail("vendors")).join("AWSLogs");
    let bare = summary(logs.to_str().unwrap(), &[]);
    assert!(next(&bare).starts_with("next: none of these roles is in an inventory"), "{bare}");
    assert!(next(&damaged).contains("apply.sh") && !next(&bare).contains("apply.sh"));
}

/// The words of README.md are those of the program.
#[test]
fn the_summary_in_the_readme_is_the_real_one() {
    let folder = TempDir::new().unwrap();
    let mut program = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    let ran = program.current_dir(folder.path()).args(["analyze", &trail("vendors"), "--quiet", "--no-config"]);
    ran.assert().success();
    let mut program = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    let ran = program.current_dir(folder.path()).args(["analyze", &trail("vendors"), "--no-config"]).output().unwrap();
    let shown = String::from_utf8(ran.stdout).unwrap();
    let readme = include_str!("../README.md");
    assert!(readme.contains(&format!("```text\n{shown}```\n")), "README.md does not show this:\n{shown}");
}

/// What scripts and people were promised.
const COMMANDS: [&str; 13] = [
    "analyze",
    "collect",
    "plan",
    "observe",
    "report",
    "activity",
    "investigate",
    "compare",
    "policy",
    "map",
    "template",
    "external-id",
    "generate",
];
const OF_ANALYZE: &str = "since until as-of idle-days account region own-account organization vendors trail-config \
     credential-report last-accessed keep max-holes config evidence baseline jobs memory fail-on format quiet progress \
     verify-digests show-external-ids profile region-name endpoint-url force-path-style request-payer no-sign-request \
     inventory out color";
const OF_ACTIVITY: &str = "party role action since until denied format";

#[test]
fn completions_know_every_command_and_option() {
    let folder = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        assert_eq!((script.code, script.stderr.as_str()), (0, ""), "{shell}");
        for command in COMMANDS {
            assert!(script.stdout.contains(command), "{shell} does not know {command}");
        }
        for option in OF_ANALYZE.split(' ').filter(|option| !option.is_empty()) {
            assert!(script.stdout.contains(option), "{shell} does not know --{option}");
        }
        fs::write(folder.path().join(shell), &script.stdout).unwrap();
    }
    let complete = |words: &str, at: usize| {
        let lines = format!(
            "source ./bash && COMP_WORDS=(thirdtrail {words}) COMP_CWORD={at} && \
             _thirdtrail thirdtrail \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\" && echo \"${{COMPREPLY[@]}}\""
        );
        let bash = Command::new("bash").args(["--norc", "-c", &lines]).current_dir(folder.path()).output().unwrap();
        assert!(bash.status.success() && bash.stderr.is_empty(), "{}", String::from_utf8_lossy(&bash.stderr));
        String::from_utf8(bash.stdout).unwrap()
    };
    assert_eq!(complete("ana", 1), "analyze\n");
    assert_eq!(complete("analyze --verify", 2), "--verify-digests\n");
    assert_eq!(complete("policy ri", 2), "rightsize\n");
    assert_eq!(run(&["completions", "tcsh"]).code, 2);
}

#[test]
fn manual_pages_are_clean_and_whole() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("man");
    let made = run(&["man", "--out", out.to_str().unwrap()]);
    assert_eq!((made.code, made.stdout.as_str()), (0, ""), "{}", made.stderr);
    let page = |name: &str| fs::read_to_string(out.join(format!("{name}.1"))).unwrap().replace("\\-", "-");
    let main = run(&["man"]).stdout.replace("\\-", "-");
    for command in COMMANDS {
        assert!(main.contains(&format!("thirdtrail-{command}(1)")), "{command}");
        assert!(page(&format!("thirdtrail-{command}")).contains("SYNOPSIS"), "{command}");
    }
    for (command, options) in [("analyze", OF_ANALYZE), ("activity", OF_ACTIVITY)] {
        let page = page(&format!("thirdtrail-{command}"));
        for option in options.split(' ').filter(|option| !option.is_empty()) {
            assert!(page.contains(&format!("--{option}")), "{command}: no --{option}");
        }
    }
    for command in ["evaluate", "expand", "diff", "lint", "rightsize"] {
        assert!(page("thirdtrail-policy").contains(&format!("thirdtrail-policy-{command}(1)")), "{command}");
    }
    for file in fs::read_dir(&out).unwrap() {
        let file = file.unwrap().path();
        let groff = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&file).output();
        let Ok(groff) = groff else {
            beside::say("NOT RUN: no groff, so nobody warns about the pages");
            return;
        };
        let warnings = String::from_utf8_lossy(&groff.stderr).into_owned();
        assert!(groff.status.success() && warnings.is_empty(), "{}: {warnings}", file.display());
    }
    let refused = run(&["man", "--out", "/dev/null/x"]);
    assert!(refused.code == 2 && refused.stderr.contains("cannot write manual pages"), "{}", refused.stderr);
}
