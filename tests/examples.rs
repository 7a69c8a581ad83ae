//! docs/EXAMPLES.md is what the program says today about the documents in docs/examples.
//!
//! `THIRDTRAIL_WRITE_EXAMPLES=1 cargo test --test examples` makes the page and the right-sized documents anew.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod program;

use std::fs;

use serde_json::{Value, json};

use program::{Run, run, run_with};

const HEAD: &str = r#"# Worked examples

Three policies in the spirit of what vendors ask for, with what the program says about them. The documents are in
`docs/examples`; this page is made from them by a test, which fails when the program answers otherwise.

The smaller policy is made from the policy and a list of the actions to keep, here with `jq` around it:

```sh
jq -nc --slurpfile policy monitoring.json --slurpfile keep monitoring.keep.json '{policy: $policy[0], keep: $keep[0]}' |
  thirdtrail policy rightsize | jq .policy
```
"#;

/// File, title, what to look at.
const EXAMPLES: [(&str, &str, &str); 3] = [
    (
        "monitoring",
        "A monitoring service",
        "Reads metrics, queues and tables. The prefix of one service is wrong, so a part of the policy has never granted \
         anything; and an account number lost its leading zero, so the last statement has never matched a table. Both \
         are found before anybody asks why. `elb:Describe*` matches nothing that is known, and stays as it is.",
    ),
    (
        "backup",
        "A backup service",
        "Without a `Version` the policy variable is literal text, and `StringEquals` takes the star as it is: the second \
         statement grants nothing that its author meant. The `Deny` stays, whatever is kept.",
    ),
    (
        "scanner",
        "A scanner of snapshots",
        "The condition on the tag is gone: the key `StringEquals` occurs twice, and only the last one counts. The last \
         statement allows whatever it does not name. To name all that goes would outgrow a policy, so it stays as it is, \
         and nothing is gained until somebody writes down what it is for: the diff says so.",
    ),
];

fn file(name: &str, ending: &str) -> String {
    format!("docs/examples/{name}{ending}.json")
}

fn value(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Writes a file where that is asked for; else it must hold what would be written.
fn keep_in_step(path: &str, text: &str) {
    if std::env::var_os("THIRDTRAIL_WRITE_EXAMPLES").is_some() {
        fs::write(path, text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == text, "{path} is out of step: THIRDTRAIL_WRITE_EXAMPLES=1 cargo test --test examples");
}

fn fenced(language: &str, text: &str) -> String {
    format!("\n```{language}\n{}\n```\n", text.trim_end())
}

/// Text in lines of at most 118 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        match line.len() {
            0 => line.push_str(word),
            taken if taken + word.len() < 118 => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// A command with what it printed and its exit code, as on a terminal.
fn shown(arguments: &[&str], done: &Run) -> String {
    let command = format!("$ thirdtrail {}; echo \"exit code $?\"", arguments.join(" "));
    fenced("console", &format!("{command}\n{}{}exit code {}", done.stderr, done.stdout, done.code))
}

fn example(name: &str, title: &str, what: &str) -> String {
    let (document, sized) = (file(name, ""), file(name, ".rightsized"));
    let mut page = format!("\n## {title}\n\n{}\n", wrapped(what));
    page += &fenced("json", &fs::read_to_string(&document).unwrap());
    let lint = ["policy", "lint", &document];
    page += &shown(&lint, &run(&lint));
    let granted = run(&["policy", "expand", &document]).stdout.lines().count();
    let keep = value(&file(name, ".keep"));
    let names: Vec<String> =
        keep.as_array().unwrap().iter().map(|action| action.to_string().replace('"', "`")).collect();
    let names = names.join(", ");
    let counted = format!("It grants {granted} known actions (`thirdtrail policy expand {document} | wc -l`).");
    page += &format!("\n{}\n", wrapped(&format!("{counted} To be kept are {names}:")));
    let request = json!({"policy": value(&document), "keep": keep}).to_string();
    let answer: Value = serde_json::from_str(&run_with(&["policy", "rightsize"], &request).stdout).unwrap();
    let text = serde_json::to_string_pretty(answer.get("policy").unwrap()).unwrap();
    keep_in_step(&sized, &format!("{text}\n"));
    page += &fenced("json", &text);
    let diff = ["policy", "diff", &document, &sized];
    page + &shown(&diff, &run(&diff))
}

/// S30, S34: documents, lint, expansion, right-sizing and diff of the page are what the program says.
#[test]
fn the_worked_examples_are_what_the_program_says() {
    let examples = EXAMPLES.map(|(name, title, what)| example(name, title, what));
    keep_in_step("docs/EXAMPLES.md", &format!("{HEAD}{}", examples.concat()));
}
