//! Keeps the rules of the tree that no compiler keeps: imports, sizes, words, and documents that stay true.
//!
//! Every check is a pure function from sources to complaints, and has a test on a bad sample that shows it can fail.
//! What is not yet as it should be stands in a `_FOR_NOW` list, is printed at every run, and must go in the end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test: the checks beside `#[test]` functions too")]

mod documents;
mod imports;
mod source;
mod words;

use source::{Source, announce, read_tree};

/// Files that are longer than they may be; to be split.
const LONG_FOR_NOW: &[&str] = &[];
/// Most lines of one file.
const FILE_LINES: usize = 450;

fn holds(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaint(s):\n{}", complaints.len(), complaints.join("\n"));
}

fn long_files(sources: &[Source]) -> Vec<String> {
    let too_long = sources.iter().filter(|source| source.text.lines().count() > FILE_LINES);
    too_long
        .map(|source| format!("{}: {} lines, at most {FILE_LINES}", source.path, source.text.lines().count()))
        .collect()
}

/// Function length is clippy's to measure; this sees to it that it does, and that nobody is excused.
fn lint_gaps(cargo: &str, clippy: &str, sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (text, wanted) in [
        (cargo, "too_many_lines = \"warn\""),
        (cargo, concat!("un", "safe_code = \"forbid\"")),
        (cargo, "missing_docs = \"warn\""),
        (cargo, "unwrap_used = \"warn\""),
        (cargo, "indexing_slicing = \"warn\""),
        (cargo, "print_stdout = \"warn\""),
        (clippy, "too-many-lines-threshold = 70"),
    ] {
        if !text.lines().any(|line| line.trim() == wanted) {
            complaints.push(format!("the lint `{wanted}` is gone"));
        }
    }
    let excuse = concat!("clippy::too_", "many_lines");
    let excused = sources.iter().filter(|source| source.text.contains(excuse));
    complaints.extend(excused.map(|source| format!("{}: excused from `too_many_lines`", source.path)));
    complaints
}

#[test]
fn files_are_short() {
    let (known, new): (Vec<_>, Vec<_>) = long_files(&read_tree(&["src", "tests", "benches"], &["rs"]))
        .into_iter()
        .partition(|complaint| LONG_FOR_NOW.iter().any(|path| complaint.starts_with(path)));
    announce("too long for now", &known);
    holds(new);
}

#[test]
fn function_length_and_panics_are_linted() {
    let read = source::read_root;
    holds(lint_gaps(&read("Cargo.toml"), &read("clippy.toml"), &read_tree(&["src", "tests", "benches"], &["rs"])));
}

#[test]
fn a_long_file_is_seen() {
    let long = Source::new("src/aws/long.rs", &"//! x\n".repeat(FILE_LINES + 1));
    let short = Source::new("src/aws/short.rs", &"//! x\n".repeat(FILE_LINES));
    assert_eq!(long_files(&[long, short]), ["src/aws/long.rs: 451 lines, at most 450"]);
}

#[test]
fn a_missing_lint_is_seen() {
    let excused = Source::new("src/a.rs", concat!("#[allow(clippy::too_", "many_lines)]\nfn f() {}\n"));
    let complaints = lint_gaps("missing_docs = \"warn\"", "", &[excused]);
    assert_eq!(complaints.len(), 7, "{complaints:?}");
}
