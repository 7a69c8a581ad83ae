"""Runs every query under queries/ on the output of one run, those of queries/raw on its trail, and reads the DDL.

Three readers: the grammar of Trino (Athena's engine) for the queries, sqlglot's Athena dialect for the DDL, and DuckDB,
into whose dialect sqlglot turns the queries, for the answers. The beginning of each answer and the number of its rows
stand in the query's comments.
Usage: check.py QUERIES_FOLDER OUTPUT_FOLDER TRAIL_FOLDER [--write]; --write puts the answers there instead.
"""

import gzip
import json
import pathlib
import re
import sys

import duckdb
import sqlglot
from sqlglot import exp
from trino_query_parser import parse_statement

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "array<string>": "VARCHAR[]",
    "array<bigint>": "BIGINT[]",
}
# What the bundled trail answers to.
FILLED_IN = {
    "database": "audit",
    "account": "012345678901', '210987654321', '333344445555",
    "party": "464622532012",
    "bucket": "acme-export-210987654321",
    "action": "ec2:DescribeInstances",
    "role": "arn:aws:iam::012345678901:role/DatadogIntegrationRole",
    "session": "SELECT session_id FROM audit.sessions WHERE party_name = 'Datadog' ORDER BY calls DESC, session_id",
    "event_id": "SELECT min(event_id) FROM audit.activity WHERE party_name = 'Datadog' AND outcome = 'denied'",
    "day": "2026-07-01",
    "trail": "audit.trail",
    "first_day": "2026/04/30",
    "last_day": "2026/07/31",
}
SHOWN_ROWS, SHOWN_CHARS = 3, 48
# Nobody did that in the bundled trail: these are run on rows that somebody did, too.
DONE = {
    "changes-of-access": [
        f"'{service}.amazonaws.com' AS event_source, '{name}' AS event_name, false AS read_only"
        for service, name in [
            ("iam", "PutRolePolicy"),
            ("s3", "DeleteBucketPolicy"),
            ("s3", "PutBucketAcl"),
            ("s3", "PutBucketPublicAccessBlock"),
            ("ec2", "ModifySnapshotAttribute"),
            ("lambda", "AddPermission20150331v2"),
            ("kms", "CreateGrant"),
        ]
    ],
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
    connection.execute(f"CREATE VIEW audit.{path.stem} AS SELECT * FROM {source}")
    found = [(row[0], row[1]) for row in connection.execute(f"DESCRIBE audit.{path.stem}").fetchall()]
    assert found == declared + [("account_id", "VARCHAR")], (path, found, declared)
    codecs = connection.execute(
        f"SELECT DISTINCT compression FROM parquet_metadata('{out}/parquet/{path.stem}/*/*.parquet')"
    ).fetchall()
    assert codecs == [("ZSTD",)], codecs
    return len(declared)


def as_declared(kind, value):
    """A value of a record as the SerDe of the table gives it: names of fields small, objects as text where a string is wanted."""
    if value is None:
        return None
    if kind.this == exp.DataType.Type.STRUCT:
        small = {name.lower(): inner for name, inner in value.items()}
        return {field.name: as_declared(field.kind, small.get(field.name)) for field in kind.expressions}
    if kind.this in (exp.DataType.Type.ARRAY, exp.DataType.Type.LIST):
        return [as_declared(kind.expressions[0], inner) for inner in value]
    return value if isinstance(value, str) else json.dumps(value)


def read_trail(connection, path, trail, scratch):
    """Makes the table of the raw queries from the trail's own objects."""
    text = path.read_text()
    for name in ("trail", "first_day", "trail_location"):
        text = text.replace("${%s}" % name, FILLED_IN.get(name, "s3://bucket/AWSLogs"))
    tree = sqlglot.parse_one(without_comments(text).rstrip(";"), dialect="athena")
    assert isinstance(tree, exp.Create) and tree.kind == "TABLE", path
    columns = [(column.name, column.kind) for column in tree.this.expressions if isinstance(column, exp.ColumnDef)]
    partitions = ("trail_account", "trail_region", "trail_day")
    columns = [(name, kind) for name, kind in columns if name not in partitions]
    root, count = trail / "AWSLogs", 0
    with open(scratch, "w") as lines:
        for log in sorted(root.rglob("*/CloudTrail/**/*.json.gz")):
            steps = log.relative_to(root).parts
            at = steps.index("CloudTrail")
            place = dict(zip(partitions, (steps[at - 1], steps[at + 1], "/".join(steps[at + 2 : at + 5]))))
            for record in json.loads(gzip.decompress(log.read_bytes())).get("Records", []):
                small = {name.lower(): value for name, value in record.items()}
                row = {name: as_declared(kind, small.get(name)) for name, kind in columns}
                lines.write(json.dumps(row | place) + "\n")
                count += 1
    types = {name: kind.sql("duckdb") for name, kind in columns} | dict.fromkeys(partitions, "VARCHAR")
    shape = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    read = f"read_json('{scratch}', format = 'newline_delimited', columns = {{{shape}}})"
    connection.execute(f"CREATE TABLE audit.trail AS SELECT * FROM {read}")
    return count


def cell(value):
    text = "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}" if hasattr(value, "hour") else str(value)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def shown(columns, rows):
    """The beginning of an answer as it stands in a comment."""
    lines = [columns] + [[cell(value) for value in row] for row in rows[:SHOWN_ROWS]]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    lines = [" | ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines]
    return [f"-- {line}".rstrip() for line in lines] + [f"-- ({len(rows)} rows)"]


def filled(connection, text):
    for name, value in FILLED_IN.items():
        if value.startswith("SELECT") and "${%s}" % name in text:
            value = connection.execute(value).fetchone()[0]
        text = text.replace("${%s}" % name, value)
    assert "${" not in text, text
    return text


def run_query(connection, path, write):
    text = path.read_text()
    head, blank, rest = text.partition("\n--\n")
    assert blank and re.match(r"-- Question: [a-z].*\?", head) and "\n-- Meaning: " in head and "\n-- Fill in: " in head, path
    named = set(re.findall(r"\$\{(\w+)\}", head))
    assert named == set(re.findall(r"\$\{(\w+)\}", without_comments(text))), (path, "what is to be filled in")
    query = filled(connection, without_comments(text))
    parse_statement(query)
    answer = connection.execute(sqlglot.transpile(query, read="athena", write="duckdb")[0])
    columns = [column[0] for column in answer.description]
    rows = answer.fetchall()
    assert (path.stem in DONE) != bool(rows), (path, "rows")
    for deed in DONE.get(path.stem, []):
        made = "SELECT * REPLACE (%s) FROM audit.activity WHERE party_id = '%s' AND NOT hand_off"
        connection.execute("CREATE OR REPLACE VIEW made.activity AS " + made % (deed, FILLED_IN["party"]))
        done = sqlglot.transpile(query.replace("audit.", "made."), read="athena", write="duckdb")[0]
        assert connection.execute(done).fetchall(), (path, "misses", deed)
    expected = shown(columns, rows)
    if write:
        path.write_text(head + blank + "\n".join(expected) + "\n" + without_comments(rest) + "\n")
    else:
        found = [line for line in rest.splitlines() if line.startswith("--")]
        assert found == expected, "\n".join([str(path), *found, "is now", *expected])
    return len(rows)


def main(queries, out, trail, write):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE SCHEMA audit")
    connection.execute("CREATE SCHEMA made")
    tables = sorted((queries / "ddl").glob("*.sql"))
    columns = sum(read_ddl(connection, path, out) for path in tables)
    records = read_trail(connection, queries / "raw/trail.sql", trail, out / "trail.jsonl")
    found = sorted(queries.glob("*.sql")) + [path for path in sorted((queries / "raw").glob("*.sql")) if path.stem != "trail"]
    rows = sum(run_query(connection, path, write) for path in found)
    print(f"{len(tables)} tables with {columns} columns, {records} raw records, {len(found)} queries with {rows} rows")


main(*(pathlib.Path(path) for path in sys.argv[1:4]), "--write" in sys.argv)
