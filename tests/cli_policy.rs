//! `policy lint`, `policy diff` and what `policy expand` and `analyze` say about documents that cannot be read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot run the program has failed")]

mod bundled;
mod folders;
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use folders::{files, json_file};
use program::{Run, run, run_with};

const GOOD: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*Message", "Resource": "*"}]}"#;

fn written(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn json_lines(done: &Run) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lint_tells_file_line_and_column_and_its_exit_code_the_gravest() {
    let folder = TempDir::new().unwrap();
    let good = written(&folder, "good.json", GOOD);
    let warned = written(&folder, "warned.json", &GOOD.replace("sqs:", "qsq:"));
    let broken = written(&folder, "broken.json", "{\n \"Statement\": [\n}");
    let done = run(&["policy", "lint", &good]);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, "", ""));
    let done = run(&["policy", "lint", &good, &warned]);
    assert_eq!((done.code, done.stdout.lines().count(), done.stderr.as_str()), (0, 1, ""));
    assert!(done.stdout.starts_with(&format!("{warned}:1:71: warning: statement `#1`: `qsq:*Message` matches")));
    assert!(done.stdout.ends_with(" [unknown-action]\n"), "{}", done.stdout);
    let done = run(&["policy", "lint", &broken, &warned]);
    assert_eq!((done.code, done.stdout.lines().count()), (1, 2));
    assert!(done.stdout.starts_with(&format!("{broken}:3:1: error: not JSON: expected value; ")), "{}", done.stdout);
    // A file that is not there does not keep the others from being looked at.
    let done = run(&["policy", "lint", "no-such-file.json", &broken]);
    assert_eq!((done.code, done.stdout.lines().count(), done.stderr.lines().count()), (2, 1, 1));
    assert!(done.stderr.starts_with("error: cannot read `no-such-file.json`: "), "{}", done.stderr);
}

/// S43: what a stranger wrote cannot steer the terminal, and a line stays a line.
#[test]
fn lint_reads_standard_input_and_shows_control_characters() {
    let text = r#"{"Version": "2012-10-17", "Statement": [], "a\u001b[31m\nb": 1}"#;
    let done = run_with(&["policy", "lint"], text);
    assert_eq!((done.code, done.stdout.lines().count()), (1, 2));
    assert!(done.stdout.contains("standard input:1:44: error: `a\\u{1b}[31m\\u{a}b` is no key of a document"));
    let done = run_with(&["policy", "lint", "--format", "json"], text);
    let rows = json_lines(&done);
    assert_eq!((done.code, rows.len()), (1, 2));
    let row = &rows[1];
    assert_eq!(
        (&row["file"], &row["code"], &row["severity"]),
        (&json!("standard input"), &json!("unknown-key"), &json!("error"))
    );
    assert_eq!((&row["line"], &row["column"], &row["statement"]), (&json!(1), &json!(44), &Value::Null));
    assert!(row["message"].is_string() && row["help"].is_string());
    assert_eq!(run_with(&["policy", "lint"], &format!("\u{feff}{GOOD}")).code, 0);
}

#[test]
fn what_is_not_even_text_is_a_finding() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("binary.json");
    fs::write(&path, b"{\n  \"Id\": \"\xff\"}").unwrap();
    let done = run(&["policy", "lint", path.to_str().unwrap()]);
    assert_eq!(done.code, 1);
    assert!(done.stdout.contains("binary.json:2:10: error: not JSON: not UTF-8; "), "{}", done.stdout);
}

/// S30: one line that names file, line, what is wrong, and what to do next.
#[test]
fn expand_tells_where_a_document_breaks() {
    let folder = TempDir::new().unwrap();
    let cases = [
        ("{\n\"Statement\": [\n {\"Effect\": \"Perhaps\"}]}", "line 3, column 2: statement 1 has no `Effect` of"),
        ("{\n\"Statement\": 7}", "line 2, column 14: `Statement` is neither"),
        ("{\n\"Statement\" 7}", "not JSON: expected `:` at line 2 column 13"),
    ];
    for (text, what) in cases {
        let file = written(&folder, "policy.json", text);
        for (done, name) in [
            (run_with(&["policy", "expand"], text), "standard input"),
            (run(&["policy", "expand", &file]), file.as_str()),
        ] {
            assert_eq!((done.code, done.stdout.as_str(), done.stderr.lines().count()), (2, "", 1));
            let begin = format!("error: cannot read the policy in `{name}`: {what}");
            assert!(
                done.stderr.starts_with(&begin) && done.stderr.contains("; `thirdtrail policy lint`"),
                "{}",
                done.stderr
            );
        }
    }
    let good = written(&folder, "policy.json", GOOD);
    assert_eq!(run(&["policy", "expand", &good]).stdout, run_with(&["policy", "expand"], GOOD).stdout);
}

/// S34: what goes and what stays, by statement, then the difference of the texts; nothing is newly granted.
#[test]
fn diff_shows_meaning_and_text() {
    let folder = TempDir::new().unwrap();
    let old = written(&folder, "old.json", GOOD);
    let new = written(&folder, "new.json", &GOOD.replace("\"sqs:*Message\"", "[\"sqs:SendMessage\"]"));
    let done = run(&["policy", "diff", &old, &new]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let expected = [
        "statement `#1` (Allow): changed",
        "  - sqs: DeleteMessage, ReceiveMessage",
        "    sqs: SendMessage",
        "no known action is newly granted",
        "no longer granted: 2 known actions",
        "-      \"Action\": \"sqs:*Message\",",
    ];
    for line in expected {
        assert!(done.stdout.lines().any(|shown| shown == line), "{line} is not in\n{}", done.stdout);
    }
    assert!(!done.stdout.contains('\u{1b}'), "colours although it is no terminal");
    let back = run(&["policy", "diff", &new, &old]);
    assert_eq!(back.code, 1);
    assert!(back.stdout.contains("newly granted: 2 known actions\n  + sqs: DeleteMessage, ReceiveMessage\n"));
    let back = run(&["policy", "diff", &new, &old, "--format", "json"]);
    let rows = json_lines(&back);
    assert_eq!((back.code, rows.len()), (1, 1));
    assert_eq!(rows[0]["newly_granted"], json!(["sqs:DeleteMessage", "sqs:ReceiveMessage"]));
    assert_eq!(rows[0]["statements"][0]["kept"], json!(["sqs:SendMessage"]));
    assert!(rows[0]["diff"].as_str().unwrap().starts_with("--- "));
    let same = run(&["policy", "diff", &old, &old]);
    assert_eq!((same.code, same.stdout.lines().count()), (0, 4), "{}", same.stdout);
    let done = run(&["policy", "diff", &old, &written(&folder, "bad.json", "[]")]);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.lines().count()), (2, "", 1));
}

fn analyzed(folder: &TempDir, trail: &str) -> (PathBuf, Run) {
    let out = folder.path().join("out");
    let done = run(&["analyze", trail, "--out", out.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    (out, done)
}

/// S38: with a certificate every action of a proposal has its verdict, its calls and its reason.
#[test]
fn diff_shows_the_evidence_of_a_certificate() {
    let folder = TempDir::new().unwrap();
    let (out, _) = analyzed(&folder, bundled::folder("vendors").to_str().unwrap());
    let proposal = files(&out.join("roles")).into_keys().find(|path| path.ends_with(".rightsized.json")).unwrap();
    let new = out.join("roles").join(&proposal);
    let old = PathBuf::from(new.display().to_string().replace(".rightsized.json", ".current.json"));
    let certificate = new.parent().unwrap().join("certificate.json");
    let [old, new, evidence] = [&old, &new, &certificate].map(|path| path.display().to_string());
    let done = run(&["policy", "diff", &old, &new, "--certificate", &evidence]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("no known action is newly granted"));
    let removed = &json_file(&certificate)["removed"][0];
    let [action, why] = ["action", "why"].map(|key| removed[key].as_str().unwrap());
    assert!(done.stdout.contains(&format!("  - {action}: unused, 0 calls; {why}\n")), "{}", done.stdout);
    let done = run(&["policy", "diff", &old, &new, "--certificate", &evidence, "--format", "json"]);
    assert_eq!(json_lines(&done)[0]["evidence"][action]["verdict"], "unused");
    let done = run(&["policy", "diff", &old, &new, "--certificate", &old]);
    assert_eq!((done.code, done.stdout.as_str()), (2, ""));
    assert!(done.stderr.starts_with("error: cannot read the certificate `"), "{}", done.stderr);
}

fn inventory_of(trail: &Path) -> PathBuf {
    let (one, several) = (trail.join("inventory.json"), trail.join("inventory"));
    if one.is_file() { one } else { several.join(files(&several).into_keys().next().unwrap()) }
}

/// S30: a broken document of an inventory is told with file and line, and everything else goes on.
#[test]
fn analyze_tells_where_a_document_of_the_inventory_breaks() {
    let folder = TempDir::new().unwrap();
    let trail = bundled::folder("vendors");
    let mut inventory = json_file(&inventory_of(&trail));
    let roles = inventory["RoleDetailList"].as_array_mut().unwrap();
    let role = roles.iter_mut().find(|role| !role["RolePolicyList"].as_array().unwrap().is_empty()).unwrap();
    role["RolePolicyList"][0]["PolicyDocument"] = json!({"Statement": [{"Effect": "Allow"}]});
    let text = serde_json::to_string_pretty(&inventory).unwrap();
    let line = text.lines().position(|line| line.trim() == "\"Effect\": \"Allow\"").unwrap();
    let name = written(&folder, "mine.json", &text);
    let out = folder.path().join("out");
    let trail = trail.display().to_string();
    let done = run(&["analyze", &trail, "--inventory", &name, "--out", out.to_str().unwrap(), "--progress", "none"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let what = format!("in `mine.json`, line {line}: statement 1 has neither `Action` nor `NotAction`");
    assert!(done.stderr.contains(&format!("warning: cannot read a policy {what}; ")), "{}", done.stderr);
    assert_eq!(json_file(&out.join("run.json"))["inputs"][0]["unreadable"][0], what);
}
