//! Words that must be there (a sentence at the head of each file) and words that must not.

use crate::holds;
use crate::source::{Source, announce, has_word, read_tree};

/// Heads that nobody has written yet.
const UNWRITTEN: &[&str] = &["//! (to be written)", "//! stub", "//! (pending)"];
/// Names that attract everything.
const VAGUE: &[&str] = &["utils", "util", "common", "helpers", "helper", "core", "misc"];

/// Files without a sentence at their head; a placeholder counts as none.
fn headless(sources: &[Source]) -> Vec<String> {
    let heads = sources.iter().map(|source| (source, source.text.lines().next().unwrap_or_default()));
    let bad = heads.filter(|(_, head)| !head.starts_with("//! ") || UNWRITTEN.contains(head));
    bad.map(|(source, head)| format!("{}: no `//!` sentence at its head: {head}", source.path)).collect()
}

fn vague_names(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let bare = source.path.trim_end_matches(".rs");
        for part in bare.split('/').filter(|part| VAGUE.contains(part)) {
            complaints.push(format!("{}: `{part}` says nothing", source.path));
        }
    }
    complaints
}

fn forbidden_words(sources: &[Source]) -> Vec<String> {
    // Spelled in two halves, so that this file does not complain about itself.
    let printing = [concat!("print", "ln"), concat!("eprint", "ln"), "print", "eprint", concat!("db", "g")];
    let mut complaints = Vec::new();
    for source in sources {
        let prints = |line: &str| printing.iter().any(|name| has_word(line, &format!("{name}!")[..name.len() + 1]));
        for line in source.code() {
            if source.folder() != "cli" && prints(line) {
                complaints.push(format!("{}: prints outside `cli`: {}", source.path, line.trim()));
            }
        }
        for line in source.text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            if has_word(line, concat!("un", "safe")) && !line.contains(concat!("un", "safe_")) {
                complaints.push(format!("{}: {}: {}", source.path, concat!("un", "safe"), line.trim()));
            }
            if line.trim_start().starts_with(concat!("#[ig", "nore")) {
                complaints.push(format!("{}: a test that never runs: {}", source.path, line.trim()));
            }
        }
    }
    complaints
}

/// Absolute paths of somebody's machine.
fn machine_paths(sources: &[Source]) -> Vec<String> {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let mut complaints = Vec::new();
    for source in sources {
        for line in source.text.lines() {
            let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_-.:*}$/".contains(c));
            if places.iter().any(|place| line.match_indices(place).any(|(at, _)| begins(at))) {
                complaints.push(format!("{}: path of a machine: {}", source.path, line.trim()));
            }
        }
    }
    complaints
}

fn rust() -> Vec<Source> {
    read_tree(&["src", "tests", "benches"], &["rs"])
}

#[test]
fn every_file_begins_with_a_sentence() {
    let (placeholders, missing): (Vec<_>, Vec<_>) =
        headless(&rust()).into_iter().partition(|complaint| UNWRITTEN.iter().any(|head| complaint.ends_with(head)));
    announce("heads still to be written", &placeholders);
    holds(missing);
}

#[test]
fn names_say_something() {
    holds(vague_names(&rust()));
}

#[test]
fn only_cli_prints_and_nothing_is_skipped() {
    holds(forbidden_words(&rust()));
}

#[test]
fn no_path_of_a_machine() {
    let places = ["src", "tests", "benches", "docs", "queries"];
    let mut sources = read_tree(&places, &["rs", "md", "sql", "sh", "py", "toml"]);
    sources.extend(read_tree(&["data/rebuild"], &["py"]));
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "Cargo.toml", ".ci/run", "NOTICE"];
    sources.extend(top.iter().map(|name| Source::new(name, &crate::source::read_root(name))));
    holds(machine_paths(&sources));
}

#[test]
fn a_missing_head_is_seen() {
    let bad = [Source::new("src/a.rs", "use x;"), Source::new("src/b.rs", "//! stub\n"), Source::new("src/c.rs", "")];
    assert_eq!(headless(&bad).len(), 3);
    assert!(headless(&[Source::new("src/a.rs", "//! A sentence.\n")]).is_empty());
}

#[test]
fn a_vague_name_is_seen() {
    let names = ["src/core/mod.rs", "src/aws/utils.rs", "tests/common.rs", "src/cloudtrail/record.rs"];
    assert_eq!(vague_names(&names.map(|name| Source::new(name, ""))).len(), 3);
}

#[test]
fn forbidden_words_are_seen() {
    let line = concat!("    print", "ln!(\"x\");\n    un", "safe { x }\n#[ig", "nore]\nfn f() {}\n");
    assert_eq!(forbidden_words(&[Source::new("src/run/x.rs", line)]).len(), 3);
    assert_eq!(forbidden_words(&[Source::new("src/cli/x.rs", concat!("eprint", "ln!(\"x\");"))]).len(), 0);
    assert_eq!(forbidden_words(&[Source::new("tests/x.rs", concat!("eprint", "ln!(\"x\");"))]).len(), 0);
}

#[test]
fn a_machine_path_is_seen() {
    let bad = Source::new("docs/x.md", concat!("see `/ro", "ot/x` and /ho", "me/y/z\n/wo", "rk/a\n"));
    assert_eq!(machine_paths(&[bad]).len(), 2);
    let fine = Source::new("src/x.rs", concat!("arn:aws:iam::1:role/team/wo", "rk/x $HOME/.cache"));
    assert!(machine_paths(&[fine]).is_empty());
}
