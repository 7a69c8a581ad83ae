//! Every query under `queries/` runs on files that this code wrote, and every DDL is read by the dialect it is for.
//!
//! The engines are Python packages (DuckDB, sqlglot, and the grammar of Trino) in a folder outside the tree. Where they
//! cannot be had, the test says so on a line of its own and passes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop here")]

mod beside;
mod python;
mod sample;

use std::path::Path;

use beside::say;
use python::{Python, run};
use thirdtrail::evidence::hands::OneByOne;

const PACKAGES: [&str; 4] = ["duckdb", "sqlglot", "trino-query-parser", "pytz"];
const MODULES: &str = "duckdb, sqlglot, trino_query_parser, pytz";

/// S7 and the contract of the tables: names, types and values are those that the DDL and the queries promise.
#[test]
fn every_query_answers_from_real_files() {
    let python = match Python::new().and_then(|python| python.with(&PACKAGES, MODULES)) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: SQL oracle absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let out = tempfile::tempdir().unwrap();
    let tables = thirdtrail::report::parquet::render(&OneByOne, &sample::assessment()).unwrap();
    for file in tables.into_iter().chain([sample::activity::activity()]) {
        let path = out.path().join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = tree.join("tests/sql/check.py");
    let said = run(python.command().arg(script).arg(tree.join("queries")).arg(out.path()));
    say(&format!("queries: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}
