//! Imports go one way, a dependency is used by one module, and everything left of `store` is pure.

use crate::holds;
use crate::source::{Source, has_word, read_root, read_tree};

/// Which folder may use which: `aws <- cloudtrail <- evidence <- activity`, `aws <- policy`,
/// `activity + policy <- finding <- report`; `store` none of ours; `run` all but `cli`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("aws", &[]),
    ("cloudtrail", &["aws"]),
    ("evidence", &["aws", "cloudtrail"]),
    ("activity", &["aws", "cloudtrail", "evidence"]),
    ("policy", &["aws"]),
    ("finding", &["aws", "cloudtrail", "evidence", "activity", "policy"]),
    ("report", &["aws", "evidence", "policy", "finding"]),
    ("generate", &["aws"]),
    ("store", &[]),
    ("run", &["aws", "cloudtrail", "evidence", "activity", "policy", "finding", "report", "generate", "store"]),
    // `run` does the work of `analyze` and `plan`. The small commands are one pure call each and make it themselves:
    // `map` (cloudtrail, activity), `policy` (policy), `generate` (generate); `--fail-on` reads a severity (finding).
    ("cli", &["run", "aws", "cloudtrail", "activity", "policy", "generate", "finding"]),
    ("main.rs", &["cli"]),
    ("lib.rs", &[]),
];

/// Any module: the words of the language of this tree.
const ANYWHERE: &[&str] = &[""];
/// Which module uses which dependency, as a path below `src` (invariant 7).
const USED_BY: &[(&str, &[&str])] = &[
    ("anyhow", &["cli"]),
    ("arrow", &["evidence/tables/columnar"]),
    ("askama", &["report/html"]),
    ("aws-config", &["store/aws"]),
    ("aws-lc-rs", &["cloudtrail/digest"]),
    ("aws-sdk-cloudtrail", &["run/live"]),
    ("aws-sdk-iam", &["run/live"]),
    ("aws-sdk-organizations", &["run/live"]),
    ("aws-sdk-s3", &["store/s3"]),
    ("aws-sdk-sts", &["run/live"]),
    ("base64", &["cloudtrail/digest", "report/html"]),
    ("bytes", &["evidence/tables/columnar"]),
    ("chrono", ANYWHERE),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("console", &["cli"]),
    ("csv", &["policy/users", "report/spreadsheet"]),
    ("flate2", &["cloudtrail/gunzip", "generate"]),
    ("getrandom", &["run/external_id"]),
    ("hashbrown", &["cloudtrail", "evidence", "activity", "policy", "finding", "run"]),
    ("hmac", &["aws/fingerprint"]),
    ("indicatif", &["cli"]),
    ("libdeflater", &["cloudtrail/gunzip"]),
    ("memchr", &["cloudtrail"]),
    ("mimalloc", &["main"]),
    // `report` has a module of its own by that name.
    ("parquet", &["evidence/tables/columnar", "report"]),
    ("percent-encoding", &["policy", "store/s3"]),
    ("plotters", &["report/html/charts"]),
    ("rayon", &["run"]),
    ("serde", ANYWHERE),
    ("serde_json", ANYWHERE),
    ("sha2", &["aws/fingerprint", "generate", "report/html", "report/paths", "run/inputs"]),
    ("signal-hook", &["cli"]),
    ("simd-json", &["cloudtrail/reader"]),
    ("similar", &["policy/diff"]),
    ("tempfile", &["run"]),
    ("textwrap", &["cli"]),
    ("thiserror", ANYWHERE),
    ("tokio", &["store", "run/fetch", "run/live"]),
    ("toml", &["run/config"]),
    ("uuid", &["run/external_id"]),
    ("xxhash-rust", &["cloudtrail", "evidence"]),
    ("yaml-rust2", &["run/vendors"]),
    ("zip", &["run/pack"]),
    ("zstd", &["report/again"]),
];

/// What a pure module must not name (invariant 1).
const WORLD: &[&str] = &[
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::process",
    "std::thread",
    "File::open",
    "Utc::now",
    "Local::now",
    "SystemTime",
    "Instant",
];
/// The folders left of `store`.
const PURE: &[&str] = &["aws", "cloudtrail", "evidence", "activity", "policy", "finding", "report"];

fn wrong_imports(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let folder = source.folder();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == folder) else {
            complaints.push(format!("{}: `{folder}` is not in the table of imports", source.path));
            continue;
        };
        for line in source.code() {
            for used in uses(line, source) {
                if used != folder && !allowed.contains(&used.as_str()) {
                    complaints.push(format!("{}: `{folder}` must not use `{used}`: {}", source.path, line.trim()));
                }
            }
        }
    }
    complaints
}

/// The folders that a line names from the root of the crate: by `crate::`, or by as many `super::` as lead there.
fn uses(line: &str, source: &Source) -> Vec<String> {
    let inside = source.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = inside.split('/').count();
    let first = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || "_{".contains(*c)).collect::<String>();
    let mut found: Vec<String> = line.match_indices("crate::").map(|(at, to)| first(&line[at + to.len()..])).collect();
    let climb = "super::".repeat(depth);
    found.extend(line.match_indices(&climb).map(|(at, to)| first(&line[at + to.len()..])));
    // `$crate::` in a macro and a `pub(crate)` are no imports; a brace at the root hides what it holds.
    found.retain(|name| !name.is_empty());
    found
}

fn dependency_names(cargo: &str) -> Vec<&str> {
    let lines = cargo.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim()).collect()
}

fn stray_dependencies(cargo: &str, sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in dependency_names(cargo) {
        let Some((_, modules)) = USED_BY.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!("Cargo.toml: `{name}` is not in the table of dependencies in tests/tidy"));
            continue;
        };
        let word = format!("{}::", name.replace('-', "_"));
        for source in sources {
            let inside = source.path.trim_start_matches("src/");
            let at_home = modules.iter().any(|module| {
                inside.strip_prefix(module).is_some_and(|rest| module.is_empty() || rest.starts_with(['/', '.', '_']))
            });
            if !at_home && source.code().iter().any(|line| starts_path(line, &word)) {
                complaints.push(format!("{}: `{name}` belongs to {modules:?}", source.path));
            }
        }
    }
    complaints
}

/// Whether a path in that line begins with `word`, which ends in `::`.
fn starts_path(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn impurities(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| PURE.contains(&source.folder())) {
        for line in source.code() {
            for word in WORLD.iter().filter(|word| has_word(line, word)) {
                complaints.push(format!("{}: `{word}` left of `store`: {}", source.path, line.trim()));
            }
        }
    }
    complaints
}

#[test]
fn imports_go_one_way() {
    holds(wrong_imports(&read_tree(&["src"], &["rs"])));
}

#[test]
fn each_dependency_has_its_module() {
    let cargo = read_root("Cargo.toml");
    let gone = USED_BY.iter().filter(|(name, _)| !dependency_names(&cargo).contains(name));
    holds(gone.map(|(name, _)| format!("tests/tidy: Cargo.toml has no `{name}`: take its line out")).collect());
    holds(stray_dependencies(&cargo, &read_tree(&["src"], &["rs"])));
}

#[test]
fn pure_folders_touch_no_world() {
    holds(impurities(&read_tree(&["src"], &["rs"])));
}

#[test]
fn a_wrong_import_is_seen() {
    let check = |path: &str, text: &str, expected: usize| {
        let complaints = wrong_imports(&[Source::new(path, text)]);
        assert_eq!(complaints.len(), expected, "{path}: {text}: {complaints:?}");
    };
    check("src/aws/arn.rs", "use crate::policy::catalog::Catalog;", 1);
    check("src/aws/arn.rs", "use super::super::policy::Catalog;", 1);
    check("src/aws/mod.rs", "use super::policy::Catalog;", 1);
    check("src/cloudtrail/x.rs", "use crate::{aws::Arn, policy};", 1);
    check("src/store/s3.rs", "fn f() -> crate::aws::Arn {}", 1);
    check("src/extra/x.rs", "", 1);
    check("src/activity/x.rs", "use crate::aws::Arn;\nuse super::party;\n", 0);
    check("src/activity/x.rs", "#[cfg(test)]\nuse crate::policy::catalog::Catalog;", 0);
    check("src/finding/rules/x.rs", "use super::super::assessment;", 0);
}

#[test]
fn a_stray_dependency_is_seen() {
    let cargo = "[dependencies]\nflate2 = \"1\" # x\nleft-pad = \"1\"\n\n[dev-dependencies]\nproptest = \"1\"\n";
    let bad = Source::new("src/policy/x.rs", "let x = flate2::Crc::new();");
    let good = Source::new("src/cloudtrail/gunzip.rs", "use flate2::Crc;");
    assert_eq!(stray_dependencies(cargo, &[bad, good]).len(), 2);
}

#[test]
fn an_impurity_is_seen() {
    let bad = Source::new("src/finding/x.rs", "let now = Utc::now();\nlet text = std::fs::read(x);\n");
    let fine = Source::new("src/run/x.rs", "use std::fs;");
    assert_eq!(impurities(&[bad, fine]).len(), 2);
}
