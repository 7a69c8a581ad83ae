//! The tables: files, columns, and that DDL and documentation say the same.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::evidence::tables::columnar::decode;
use thirdtrail::report::tables::{SCHEMA, TABLES, Table, ddl, documentation};
use thirdtrail::report::{parquet, render};

fn files() -> BTreeMap<String, Vec<u8>> {
    let files = parquet::render(&OneByOne, &sample::assessment()).unwrap();
    files.into_iter().chain([sample::activity::activity()]).map(|file| (file.path, file.bytes)).collect()
}

fn rows(path: &str) -> Vec<Value> {
    decode(SCHEMA, table_of(path).columns, files().remove(path).unwrap()).unwrap()
}

fn table_of(path: &str) -> Table {
    TABLES.into_iter().find(|table| path.starts_with(&format!("parquet/{}/", table.name))).unwrap()
}

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// S7: the account is a text of 12 digits in the path; every table has its file and no other column of that name.
#[test]
fn tables_are_partitioned_by_account() {
    let files = files();
    // `activity` is written row by row, see tests/activity.rs.
    for table in TABLES.iter().filter(|table| !["activity", "parties"].contains(&table.name)) {
        assert!(files.contains_key(&format!("parquet/{}/account_id=012345678901/part-0.parquet", table.name)));
        assert!(table.columns.iter().all(|column| column.name != "account_id"));
    }
    assert_eq!(rows("parquet/findings/account_id=none/part-0.parquet")[0]["code"], "party-offboarded-active");
    assert_eq!(rows("parquet/parties/account_id=none/part-0.parquet")[0]["id"], sample::VENDOR);
}

/// Invariant 3: same inputs give byte-identical outputs, for any order of rows that are told apart.
#[test]
fn bytes_do_not_depend_on_the_order_of_work() {
    let mut turned = sample::assessment();
    turned.sessions.reverse();
    turned.usage.reverse();
    assert!(parquet::render(&OneByOne, &sample::assessment()).unwrap() == parquet::render(&OneByOne, &turned).unwrap());
}

/// The `permissions` table always holds every row, those beyond the report's list included.
#[test]
fn permissions_hold_every_line_of_the_ledger() {
    let rows = rows("parquet/permissions/account_id=012345678901/part-0.parquet");
    assert_eq!(rows.len(), 4 * 6);
    let beyond = rows.iter().find(|row| row["action"] == "ec2:StopInstances").unwrap();
    assert_eq!((&beyond["verdict"], &beyond["kept"]), (&Value::from("unused"), &Value::from(false)));
    let used = rows.iter().find(|row| row["action"] == "s3:ListAllMyBuckets").unwrap();
    assert_eq!((&used["access_level"], &used["granted_by"][0]), (&"read".into(), &"Inline|Policy Read".into()));
    assert_eq!(used["first_seen"], "2026-06-01T10:00:00Z");
}

#[test]
fn rows_fill_every_column_that_is_not_optional() {
    let mut filled = BTreeSet::new();
    for (path, bytes) in files() {
        let table = table_of(&path);
        // An apostrophe or semicolon would end a comment or a statement of the DDL too early.
        assert!(table.columns.iter().all(|column| !column.meaning.contains(['\'', ';', '|'])));
        for row in decode::<Value>(SCHEMA, table.columns, bytes).unwrap() {
            filled.insert(table.name);
            for column in table.columns.iter().filter(|column| !column.optional) {
                assert!(row.get(column.name).is_some_and(|value| !value.is_null()), "{path} {}", column.name);
            }
        }
    }
    assert_eq!(filled.len(), TABLES.len(), "rows in {filled:?} only");
}

#[test]
fn all_outputs_hold_the_tables() {
    let all = render(&mut sample::assessment()).unwrap();
    let tables = files();
    assert!(tables.len() >= TABLES.len());
    // `activity` is written row by row, see tests/activity.rs.
    for path in tables.keys().filter(|path| !path.contains("/activity/")) {
        assert!(all.iter().any(|file| file.path == *path), "{path}");
    }
}

/// The DDL and the documentation are made from the columns; `THIRDTRAIL_WRITE=1` writes them anew.
#[test]
fn ddl_and_documentation_say_what_the_columns_are() {
    let mut expected = vec![("docs/TABLES.md".to_owned(), documentation())];
    expected.extend(TABLES.iter().map(|table| (format!("queries/ddl/{}.sql", table.name), ddl(table))));
    for (path, text) in expected {
        if std::env::var_os("THIRDTRAIL_WRITE").is_some() {
            std::fs::write(at(&path), &text).unwrap();
        }
        let found = std::fs::read_to_string(at(&path)).unwrap_or_default();
        assert_eq!(found, text, "{path}: run with THIRDTRAIL_WRITE=1");
    }
}
