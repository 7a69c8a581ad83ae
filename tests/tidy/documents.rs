//! Documents that stay true: rules have tests, finding codes have headings, files have their line in ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::holds;
use crate::source::{Source, announce, exists, read_root, read_tree};

/// The rules of docs/SEMANTICS.md that hold now, each to be named by the doc comment of a test. S35 (narrowing) comes
/// later.
const RULES: &[&str] = &[
    "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S15", "S16", "S17",
    "S18", "S19", "S20", "S21", "S22", "S23", "S24", "S25", "S25a", "S26", "S27", "S28", "S29", "S30", "S31", "S32",
    "S33", "S34", "S36", "S37", "S38", "S39", "S40", "S41", "S42", "S43", "S44",
];
/// Rules whose test is not written yet; must be empty in the end.
const UNTESTED_FOR_NOW: &[&str] = &[];
/// How finding codes begin: a text of this form in src/finding is a code.
const CODE_HEADS: &[&str] = &[
    "trust",
    "external",
    "federated",
    "party",
    "role",
    "permissions",
    "dangerous",
    "calls",
    "access",
    "policy",
    "boundary",
    "key",
    "coverage",
    "objects",
    "digest",
    "events",
    "trail",
    "action",
    "keep",
    "suppression",
];
/// What every finding's section says.
const SECTION_PARTS: &[&str] = &["**Severity:**", "**Evidence:**", "**What to do:**", "**When it is a false alarm:**"];

/// The rules that doc comments of tests name.
fn tested_rules(sources: &[Source]) -> BTreeSet<String> {
    let mut tested = BTreeSet::new();
    for source in sources {
        let mut named: Vec<String> = Vec::new();
        for line in source.tests() {
            let line = line.trim();
            if let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
                named
                    .extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| is_rule(word)).map(str::to_owned));
            } else if line == "#[test]" {
                tested.extend(named.drain(..));
            } else if !line.starts_with("#[") {
                named.clear();
            }
        }
    }
    tested
}

fn is_rule(word: &str) -> bool {
    let digits = word.strip_prefix('S').map(|rest| rest.strip_suffix('a').unwrap_or(rest));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Texts in the code of src/finding that have the form of a finding code.
fn codes_in(sources: &[Source]) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for source in sources {
        for text in source.code().into_iter().flat_map(|line| line.split('"').skip(1).step_by(2)) {
            let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !text.ends_with('-');
            let head = text.split_once('-').map(|(head, _)| head);
            if plain && head.is_some_and(|head| CODE_HEADS.contains(&head)) {
                codes.insert(text.to_owned());
            }
        }
    }
    codes
}

/// Sections of docs/FINDINGS.md: code and text.
fn sections(document: &str) -> Vec<(String, String)> {
    let parts = document.split("\n## `").skip(1);
    parts.filter_map(|part| part.split_once("`\n")).map(|(code, text)| (code.to_owned(), text.to_owned())).collect()
}

fn undocumented(codes: &BTreeSet<String>, document: &str) -> Vec<String> {
    let sections = sections(document);
    let missing = codes.iter().filter(|code| !sections.iter().any(|(known, _)| known == *code));
    let mut complaints: Vec<String> =
        missing.map(|code| format!("docs/FINDINGS.md: no heading ## `{code}`, though src/finding emits it")).collect();
    for (code, text) in &sections {
        for part in SECTION_PARTS.iter().filter(|part| !text.contains(**part)) {
            complaints.push(format!("docs/FINDINGS.md: `{code}` lacks {part}"));
        }
    }
    complaints
}

/// Source files without their line in ARCHITECTURE.md; the complaint is the line to add.
fn unnamed_files(sources: &[Source], document: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| !source.path.ends_with("_tests.rs")) {
        let name = source.path.trim_start_matches("src/");
        if !document.contains(&format!("`{name}`")) {
            let head = source.text.lines().take_while(|line| line.starts_with("//! "));
            let head: Vec<&str> = head.map(|line| line.trim_start_matches("//! ")).collect();
            complaints.push(format!("ARCHITECTURE.md lacks the line: - `{name}`: {}", head.join(" ")));
        }
    }
    complaints
}

/// Files that a document names in backticks and that do not exist.
fn vanished_files(document: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let quoted = document.split('`').skip(1).step_by(2);
    let named = quoted.filter(|text| text.ends_with(".rs") && !text.contains(['*', ' ', '{', '\n']));
    let gone = named.filter(|name| !exists(name) && !exists(&format!("src/{name}")));
    gone.map(|name| format!("ARCHITECTURE.md names `{name}`, which does not exist: take its line out")).collect()
}

#[test]
fn every_rule_has_a_test_that_names_it() {
    let tested = tested_rules(&read_tree(&["src", "tests"], &["rs"]));
    let untested = RULES.iter().filter(|rule| !tested.contains(**rule));
    let (known, missing): (Vec<&str>, Vec<&str>) = untested.partition(|rule| UNTESTED_FOR_NOW.contains(rule));
    announce("rules without a test for now", &known.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>());
    let settled = UNTESTED_FOR_NOW.iter().filter(|rule| tested.contains(**rule));
    announce("tested now, take out of UNTESTED_FOR_NOW", &settled.map(|rule| (*rule).to_owned()).collect::<Vec<_>>());
    holds(missing.iter().map(|rule| format!("{rule}: no test names it in its doc comment")).collect());
}

#[test]
fn every_rule_is_explained_to_users() {
    let document = read_root("docs/SEMANTICS.md");
    let missing = RULES.iter().filter(|rule| !document.contains(&format!("**{rule}.**")));
    holds(missing.map(|rule| format!("docs/SEMANTICS.md: no paragraph **{rule}.**")).collect());
}

#[test]
fn every_finding_code_is_documented() {
    let codes = codes_in(&read_tree(&["src/finding"], &["rs"]));
    let document = read_root("docs/FINDINGS.md");
    assert!(sections(&document).len() >= 19, "docs/FINDINGS.md: headings are gone");
    assert!(codes.len() >= 19, "src/finding: codes are not recognised: {codes:?}");
    let idle = sections(&document).into_iter().map(|(code, _)| code).filter(|code| !codes.contains(code));
    announce("documented, but not emitted by src/finding", &idle.collect::<Vec<_>>());
    holds(undocumented(&codes, &document));
}

#[test]
fn architecture_names_every_file_and_no_other() {
    let document = read_root("ARCHITECTURE.md");
    let mut complaints = unnamed_files(&read_tree(&["src"], &["rs"]), &document);
    complaints.extend(vanished_files(&document, exists));
    holds(complaints);
}

#[test]
fn only_a_tests_own_doc_comment_counts() {
    let text = "#[cfg(test)]\n/// S1: x, S25a.\n#[test]\nfn a() {}\n/// S2\nfn b() {}\n#[test]\nfn c() {}\n";
    let tested = tested_rules(&[Source::new("src/x.rs", text), Source::new("src/y.rs", "/// S3\n#[test]\n")]);
    assert_eq!(tested.into_iter().collect::<Vec<_>>(), ["S1", "S25a"]);
}

#[test]
fn an_undocumented_code_is_seen() {
    let source = Source::new("src/finding/x.rs", "emit(\"role-idle\", \"us-east-1\", \"role\");\n// \"key-old\"\n");
    let codes = codes_in(&[source]);
    assert_eq!(codes.iter().collect::<Vec<_>>(), ["role-idle"]);
    assert_eq!(undocumented(&codes, "# Findings\n").len(), 1);
    assert_eq!(undocumented(&codes, "# Findings\n\n## `role-idle`\n\nIdle. **Severity:** low.\n").len(), 3);
}

#[test]
fn a_file_without_its_line_is_seen() {
    let source = Source::new("src/aws/new.rs", "//! New words,\n//! two lines.\n\nfn f() {}\n");
    let complaints = unnamed_files(&[source], "- `aws/arn.rs`: ARNs.");
    assert_eq!(complaints, ["ARCHITECTURE.md lacks the line: - `aws/new.rs`: New words, two lines."]);
    assert_eq!(vanished_files("`aws/arn.rs` `aws/gone.rs` `src/*.rs`", |name| name == "src/aws/arn.rs").len(), 1);
}

/// The files whose public constants are limits on input.
const LIMITS_IN: [&str; 5] = [
    "src/evidence/limits.rs",
    "src/cloudtrail/split.rs",
    "src/cloudtrail/parameters.rs",
    "src/run/digests.rs",
    "src/finding/assessment/integrity.rs",
];

/// Named limits that docs/LIMITS.md does not name.
fn unnamed_limits(sources: &[Source], document: &str) -> Vec<String> {
    let lines = sources.iter().flat_map(|source| source.code());
    let names = lines.filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let missing = names.filter(|name| !document.contains(&format!("`{name}`")));
    missing.map(|name| format!("docs/LIMITS.md: the limit `{name}` is not named")).collect()
}

#[test]
fn every_limit_is_told_to_users() {
    let sources = read_tree(&LIMITS_IN, &["rs"]);
    assert!(unnamed_limits(&sources, "").len() > 10, "limits are not recognised");
    holds(unnamed_limits(&sources, &read_root("docs/LIMITS.md")));
}

#[test]
fn an_untold_limit_is_seen() {
    let source = Source::new("src/evidence/limits.rs", "pub const FILES: usize = 1;\nconst INNER: u8 = 2;\n");
    assert_eq!(unnamed_limits(&[source], "`RESOURCES`"), ["docs/LIMITS.md: the limit `FILES` is not named"]);
}
