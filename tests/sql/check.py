"""Runs every query under queries/ on the files of one output folder, and reads the DDL.

Three readers: the grammar of Trino (Athena's engine) for the queries, sqlglot's Athena dialect for the DDL, and DuckDB,
into whose dialect sqlglot turns the queries, for the answers. Usage: check.py QUERIES_FOLDER OUTPUT_FOLDER
"""

import pathlib
import sys

import duckdb
import sqlglot
from sqlglot import exp
from trino_query_parser import parse_statement

ACCOUNT = "012345678901"
DUCKDB_TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "array<string>": "VARCHAR[]",
    "array<bigint>": "BIGINT[]",
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/vendors/"
PASS_ROLE = ("iam:PassRole", "read", "privilege escalation")

# What each query must answer on the sample: the columns, and some cells of the first row.
EXPECTED = {
    "sessions-by-vendor": (1, {"party_id": "464622532012", "sessions": 2, "calls": 24, "denied": 8}),
    "actions-used-by-role": (
        1,
        {"role_arn": ROLE + "Datadog", "action": "s3:ListAllMyBuckets", "calls": 12, "denied": 0, "sessions": 1},
    ),
    "unused-permissions": (12, {"action": PASS_ROLE[0], "access_level": PASS_ROLE[1], "danger": PASS_ROLE[2]}),
    "idle-roles": (
        1,
        {"role_arn": ROLE + "Trial", "idle_verdict": "idle", "idle_days": 120, "trusted_parties": "Datadog"},
    ),
    "who-touched-a-bucket": (
        2,
        {"party_name": "Datadog", "event_name": "GetObject", "outcome": "allowed", "source_ip": "203.0.113.7"},
    ),
    "denied-calls": (
        1,
        {"party_name": "Datadog", "event_name": "Decrypt", "denied": 4, "error_codes": "AccessDenied"},
    ),
}


def without_comments(text):
    return "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip()


def read_ddl(connection, path, out):
    """Compares the DDL's columns with the files' and makes the table for the queries."""
    text = path.read_text().replace("${database}", "audit").replace("${location}", "s3://bucket/out")
    tree = sqlglot.parse_one(without_comments(text).rstrip(";"), dialect="athena")
    assert isinstance(tree, exp.Create) and tree.kind == "TABLE", path
    assert tree.this.this.sql("athena").strip("`\"").endswith(f"{path.stem}"), tree.this.this
    properties = text.split("TBLPROPERTIES")[1]
    for needed in ("'projection.account_id.type' = 'injected'", "account_id=${account_id}/'"):
        assert needed in properties, (path, needed)
    declared = []
    for line in text.splitlines():
        if line.startswith("  `"):
            name, kind, _ = line.strip().split(" ", 2)
            declared.append((name.strip("`"), DUCKDB_TYPES[kind]))
    source = f"read_parquet('{out}/parquet/{path.stem}/*/*.parquet', hive_types={{'account_id': VARCHAR}})"
    connection.execute(f"CREATE VIEW {path.stem} AS SELECT * FROM {source}")
    found = [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {path.stem}").fetchall()]
    assert found == declared + [("account_id", "VARCHAR")], (path, found, declared)
    codecs = connection.execute(
        f"SELECT DISTINCT compression FROM parquet_metadata('{out}/parquet/{path.stem}/*/*.parquet')"
    ).fetchall()
    assert codecs == [("ZSTD",)], codecs
    return len(declared)


def promised_columns(text):
    """The header of the sample result in the comments."""
    header = next(line for line in text.splitlines() if line.startswith("-- ") and " | " in line)
    return [name.strip() for name in header[3:].split("|")]


def run_query(connection, path):
    text = path.read_text()
    query = without_comments(text).replace("${database}.", "").replace("${account}", ACCOUNT).replace("${bucket}", "b")
    parse_statement(query)
    answer = connection.execute(sqlglot.transpile(query, read="athena", write="duckdb")[0])
    columns = [column[0] for column in answer.description]
    rows = answer.fetchall()
    assert columns == promised_columns(text), (path, columns)
    count, cells = EXPECTED[path.stem]
    assert len(rows) == count, (path, rows)
    first = dict(zip(columns, rows[0]))
    for name, value in cells.items():
        assert first[name] == value, (path, name, first)
    return len(rows)


def main(queries, out):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    tables = sorted((queries / "ddl").glob("*.sql"))
    columns = sum(read_ddl(connection, path, out) for path in tables)
    found = sorted(queries.glob("*.sql"))
    assert {path.stem for path in found} == set(EXPECTED), found
    rows = sum(run_query(connection, path) for path in found)
    print(f"{len(tables)} tables with {columns} columns, {len(found)} queries with {rows} rows")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
