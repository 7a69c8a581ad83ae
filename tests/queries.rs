//! Every query under `queries/` runs on what a run wrote of the bundled trail, those of `queries/raw` on the trail itself, and
//! every DDL is read by the dialect it is for; `thirdtrail queries` fills in names and places.
//!
//! The engines are Python packages (DuckDB, sqlglot, and the grammar of Trino) in a folder outside the tree. Where they
//! cannot be had, the test says so on a line of its own and passes. `THIRDTRAIL_WRITE=1` writes the answers' beginnings into the
//! comments of the queries.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop here")]

mod beside;
mod bundled;
mod folders;
mod program;
mod python;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use beside::say;
use program::run as program;
use python::{Python, run};
use serde_json::Value;
use tempfile::TempDir;
use thirdtrail::report::queries::all;
use thirdtrail::report::tables::{TABLES, Table, athena_type};

const PACKAGES: [&str; 4] = ["duckdb", "sqlglot", "trino-query-parser", "pytz"];
const MODULES: &str = "duckdb, sqlglot, trino_query_parser, pytz";

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What `analyze` writes of the bundled trail.
fn output() -> TempDir {
    let folder = TempDir::new().unwrap();
    let (trail, out) = (bundled::folder("vendors"), folder.path().join("out"));
    let done = program(&["analyze", trail.to_str().unwrap(), "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    folder
}

/// S7 and the contract of the tables: names, types and values are those that the DDL and the queries promise.
#[test]
fn every_query_answers_from_real_files() {
    let python = match Python::new().and_then(|python| python.with(&PACKAGES, MODULES)) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: SQL oracle absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let folder = output();
    let mut command = python.command();
    command.arg(tree("tests/sql/check.py")).arg(tree("queries")).arg(folder.path().join("out"));
    command.arg(bundled::folder("vendors"));
    if std::env::var_os("THIRDTRAIL_WRITE").is_some() {
        command.arg("--write");
    }
    let said = run(&mut command);
    say(&format!("queries: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}

/// The types that the tables promise, table by table, as a file beside them.
fn promised(folder: &TempDir) -> PathBuf {
    let columns = |table: &Table| -> serde_json::Map<String, Value> {
        table.columns.iter().map(|column| (column.name.to_owned(), athena_type(column.kind).into())).collect()
    };
    let promised: Value = TABLES.iter().map(|table| (table.name.to_owned(), Value::Object(columns(table)))).collect();
    let file = folder.path().join("promised.json");
    std::fs::write(&file, promised.to_string()).unwrap();
    file
}

/// How many tables and rows these engines find, all with the promised types.
fn read_with(python: &Python, folder: &TempDir, engines: &[&str]) -> String {
    let mut command = python.command();
    command.arg(tree("tests/sql/engines.py")).arg(folder.path().join("out")).args(engines);
    let said = run(command.stdin(std::fs::File::open(promised(folder)).unwrap()));
    let said = said.unwrap_or_else(|error| panic!("{error}"));
    say(&format!("tables: {said}, read by {}", engines.join(" and ")));
    said
}

/// Engines agree on the types and rows of every table, and none is unsigned or finer than a microsecond. Single calls and
/// sessions can be looked up by bloom filters.
#[test]
fn engines_read_the_same_types_and_rows() {
    let packages = ["duckdb", "pyarrow", "pytz"];
    let python = match Python::new().and_then(|python| python.with(&packages, "duckdb, pyarrow, pytz")) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: table readers absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let folder = output();
    let found = read_with(&python, &folder, &["pyarrow", "duckdb"]);
    match Python::with_spark() {
        Ok(spark) => assert_eq!(read_with(&spark, &folder, &["spark"]), found),
        Err(reason) => say(&format!("NOT RUN: no Spark ({reason}), it did not read the tables")),
    }

    let filtered = "SELECT DISTINCT path_in_schema FROM parquet_metadata('{}/parquet/activity/*/*.parquet') \
                    WHERE bloom_filter_offset IS NOT NULL ORDER BY 1";
    let out = folder.path().join("out");
    let script =
        format!("import duckdb; print(duckdb.sql(\"{}\").fetchall())", filtered.replace("{}", out.to_str().unwrap()));
    let said = run(python.command().arg("-c").arg(script)).unwrap();
    assert!(said.contains("event_id") && !said.contains("region"), "{said}");
}

/// The program has the queries of the folder, all of them.
#[test]
fn the_program_has_every_query() {
    let on_disk = folders::files(&tree("queries"));
    // `oracle` is for those who work on the program; `tests/oracle_sql.rs` runs it.
    let texts = on_disk.iter().filter(|(path, _)| path.ends_with(".sql") && !path.starts_with("oracle/"));
    let texts: BTreeSet<(&str, &str)> =
        texts.map(|(path, bytes)| (path.as_str(), std::str::from_utf8(bytes).unwrap())).collect();
    let held = all();
    assert_eq!(texts, held.iter().map(|query| (query.path.as_str(), query.text.as_str())).collect());
    let questions = held.iter().filter(|query| query.text.starts_with("-- Question: ")).count();
    assert!(questions >= 20, "only {questions}");
    let page = std::fs::read_to_string(tree("queries/README.md")).unwrap();
    for query in held.iter().filter(|query| !query.path.starts_with("ddl/") && query.name() != "raw/trail") {
        let row = format!("({}) | {} |", query.path, query.question());
        assert!(page.contains(&row), "queries/README.md lacks {row}");
    }
    let listed = program(&["queries", "--list"]);
    assert_eq!((listed.code, listed.stdout.lines().count()), (0, held.len()), "{}", listed.stderr);
}

/// From the output of a run come its accounts and days; what is typed takes their place; what is left is said.
#[test]
fn names_and_places_are_filled_in() {
    let folder = output();
    let out = folder.path().join("out");
    let of = ["--of", out.to_str().unwrap()];
    let done = program(&[&["queries", "idle-roles", "raw/days-without-records"], &of[..]].concat());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    for part in [
        "FROM thirdtrail.roles",
        "account_id IN ('012345678901', '210987654321', '333344445555')",
        "FROM thirdtrail.trail",
        "BETWEEN '2026/04/30' AND '2026/07/31'",
    ] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    let typed =
        ["queries", "who-touched-a-bucket.sql", "ddl/roles", "--database", "audit", "--account", "111122223333"];
    let more = ["--location", "s3://review/2026-08/", "--set", "bucket=it's mine"];
    let done = program(&[&typed[..], &more, &of].concat());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    for part in ["audit.activity", "account_id IN ('111122223333')", "'arn:aws%:s3:::it''s mine'"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    assert!(done.stdout.contains("LOCATION 's3://review/2026-08/parquet/roles/'"));
    let done = program(&["queries", "what-breaks-without-an-action"]);
    assert!(done.stderr.contains("${account}, ${action}"), "{}", done.stderr);

    let target = folder.path().join("sql");
    let write = |target: &Path| program(&["queries", "--out", target.to_str().unwrap()]).code;
    assert_eq!((write(&target), write(&target)), (0, 2), "a folder that is not empty is left alone");
    assert_eq!(folders::files(&target).len(), all().len());
}

#[test]
fn what_cannot_be_filled_in_is_refused() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().to_str().unwrap();
    for (arguments, says) in [
        (&["no-such-query"][..], "there is no query `no-such-query`"),
        (&["--database", "a;b"], "cannot be the database"),
        (&["--location", "/tmp/out"], "cannot be the location"),
        (&["--set", "colour=red"], "nothing is named `colour`"),
        (&["--set", "action"], "NAME=VALUE"),
        (&["--of", empty], "cannot read the output of a run"),
        (&["--account", "12"], "--account"),
    ] {
        let done = program(&[&["queries"], arguments].concat());
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(done.stderr.contains(says), "{arguments:?}: {}", done.stderr);
    }
}
