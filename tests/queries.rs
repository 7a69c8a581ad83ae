//! Every query under `queries/` runs on files that this code wrote, and every DDL is read by the dialect it is for.
//!
//! The engines are Python packages (DuckDB, sqlglot, and the grammar of Trino) in a folder outside the tree. Where they
//! cannot be had, the test says so on a line of its own and passes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop here")]

mod beside;
mod sample;

use std::path::{Path, PathBuf};
use std::process::Command;

use beside::say;
use thirdtrail::evidence::hands::OneByOne;

const PACKAGES: [&str; 4] = ["duckdb", "sqlglot", "trino-query-parser", "pytz"];

/// The Python that has the packages, installed once.
fn python() -> Result<PathBuf, String> {
    let folder = match (std::env::var_os("THIRDTRAIL_PYTHON_TOOLS"), std::env::var_os("HOME")) {
        (Some(folder), _) => PathBuf::from(folder),
        (None, Some(home)) => Path::new(&home).join(".cache/thirdtrail-python"),
        (None, None) => return Err("no home folder".to_owned()),
    };
    let python = folder.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    if run(Command::new(&python).args(["-c", "import duckdb, sqlglot, trino_query_parser, pytz"])).is_err() {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--timeout", "20"];
        run(Command::new(&python).args(pip).args(PACKAGES))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// S7 and the contract of the tables: names, types and values are those that the DDL and the queries promise.
#[test]
fn every_query_answers_from_real_files() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: SQL oracle absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let out = tempfile::tempdir().unwrap();
    for file in thirdtrail::report::parquet::render(&OneByOne, &sample::assessment()).unwrap() {
        let path = out.path().join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = tree.join("tests/sql/check.py");
    let said = run(Command::new(python).arg(script).arg(tree.join("queries")).arg(out.path()));
    say(&format!("queries: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}
