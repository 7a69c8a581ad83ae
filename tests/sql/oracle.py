"""Compares what runs wrote with what the queries of queries/oracle make of the evidence.

Usage: oracle.py QUERIES_FOLDER PROGRAM (TRAIL_FOLDER SCENARIO_FOLDER)...
A scenario's folder holds `evidence/*.parquet`, `given.json` and the `parquet` of a run. The queries are read by the grammar
of Trino (Athena's engine) and run by DuckDB, into whose dialect sqlglot turns them. Every comparison is made again with one
value changed, which must show.
"""

import collections
import gzip
import json
import pathlib
import re
import subprocess
import sys
import uuid
import zlib

import duckdb
import sqlglot
from trino_query_parser import parse_statement

SHOWN = 12


def query(path):
    """The text of a query, in DuckDB's dialect."""
    text = path.read_text()
    assert re.match(r"-- Question: [a-z].*\?\n-- Meaning: ", text) and "\n-- Takes: " in text, path
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    text = text.replace("${database}", "oracle")
    parse_statement(text)
    return sqlglot.transpile(text, read="athena", write="duckdb")[0]


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def principals(trust):
    """Whom the statements of a trust policy name: kind and account, provider or service."""
    for statement in as_list(trust.get("Statement")):
        if statement.get("Effect") != "Allow":
            continue
        named = statement.get("Principal", {})
        for kind, values in named.items() if isinstance(named, dict) else [("AWS", named)]:
            for value in as_list(values):
                account = re.match(r"(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::|$)", value)
                if kind == "Federated":
                    yield "federated", re.sub(r"^arn:[^/]*:(oidc|saml)-provider/", "", value)
                elif kind != "AWS":
                    yield "service", value
                elif value == "*":
                    yield "anyone", value
                elif account:
                    yield "account", account[1]


def table(connection, name, columns, rows):
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    connection.execute(f"CREATE TABLE {name} ({declared})")
    rows = sorted({json.dumps(row): row for row in rows}.values(), key=json.dumps)
    if rows:
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)


def give(connection, given):
    """The tables that the oracle takes for given."""
    text = dict.fromkeys
    table(connection, "oracle.given_window", text(["since", "until"], "VARCHAR"), [(given["since"][:19], given["until"][:19])])
    table(connection, "oracle.given_own", {"account": "VARCHAR"}, [(account,) for account in given["own"]])
    directory = [(known["account"], known["name"], known["aws"]) for known in given["directory"]]
    table(connection, "oracle.given_directory", {"account": "VARCHAR", "name": "VARCHAR", "aws": "BOOLEAN"}, directory)
    table(connection, "oracle.given_users", text(["arn", "name"], "VARCHAR"), [(u["arn"], u["name"]) for u in given["users"]])
    roles = given["roles"]
    named = [(role["account"], role["name"], role["id"], role["arn"]) for role in roles]
    table(connection, "oracle.given_roles", text(["account", "role_name", "role_id", "role_arn"], "VARCHAR"), named)
    trust = [(r["account"], r["name"], r["id"], *whom) for r in roles for whom in principals(r["trust"])]
    table(connection, "oracle.given_trust", text(["account", "role_name", "role_id", "kind", "principal"], "VARCHAR"), trust)


def records(trail):
    """The trail's records by event id, as far as they can be read."""
    found = {}
    for log in sorted((trail / "AWSLogs").rglob("*/CloudTrail/**/*.json.gz")):
        try:
            read = json.loads(gzip.decompress(log.read_bytes())).get("Records", [])
        except (OSError, EOFError, ValueError, zlib.error, AttributeError):
            continue
        found.update((record.get("eventID"), record) for record in read if isinstance(record, dict))
    return found


def give_actions(connection, program, trail):
    """What `thirdtrail map` says of one record of each kind of call."""
    by_id = records(trail)
    kinds = connection.execute(
        "SELECT s.source, s.name, s.hints, list(c.event), list(c.event_id) FROM oracle.calls AS c "
        "JOIN oracle.sightings AS s ON s.number = c.sighting GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    keys, lines = [], []
    for source, name, hints, events, ids in kinds:
        known = [i for pair in zip(events, ids) for i in (str(uuid.UUID(bytes=pair[0])), pair[1]) if i in by_id]
        assert known, (trail, source, name, hints, "no record of it can be read")
        keys.append((source, name, hints))
        lines.append(json.dumps(by_id[known[0]]))
    done = subprocess.run([program, "map"], input="\n".join(lines), capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(keys)
    columns = {"source": "VARCHAR", "name": "VARCHAR", "hints": "BIGINT", "action": "VARCHAR"}
    rows = [(*key, one["action"]) for key, answer in zip(keys, answers) for one in answer["actions"]]
    table(connection, "oracle.given_actions", columns, rows)


def open_scenario(program, trail, folder):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE SCHEMA oracle")
    connection.execute("CREATE SCHEMA run")
    for path in sorted((folder / "evidence").glob("*.parquet")):
        # A row is meant by its place in the table.
        read = f"SELECT file_row_number AS number, * FROM read_parquet('{path}', file_row_number = true)"
        connection.execute(f"CREATE TABLE oracle.{path.stem} AS {read}")
    for name in ("sessions", "usage", "permissions"):
        files = f"'{folder}/parquet/{name}/*/*.parquet', hive_types = {{'account_id': VARCHAR}}"
        connection.execute(f"CREATE TABLE run.{name} AS SELECT * FROM read_parquet({files})")
    roles = json.loads((folder / "report.json").read_text())["roles"]
    refused = [(r["account_id"], r["name"], r["role_id"], one["action"], one["denied"]) for r in roles for one in r["denied_not_granted"]]
    columns = dict.fromkeys(["account_id", "role_name", "role_id", "action"], "VARCHAR") | {"denied": "BIGINT"}
    table(connection, "run.refused", columns, refused)
    give(connection, json.loads((folder / "given.json").read_text()))
    give_actions(connection, program, trail)
    return connection


# Where the answers go, in the order in which one takes those before it.
ANSWERS = {"sessions": "oracle.attributed", "usage": "oracle.usage", "used-actions": "oracle.used_actions"}
# What a run wrote, in the columns of the oracle's answers.
SECOND = "strftime({0}, '%Y-%m-%dT%H:%M:%S') AS {0}"
ROLE_NAME = "regexp_extract(role_arn, '[^/]*$') AS role_name"
WRITTEN = {
    "sessions": f"""SELECT account_id, {ROLE_NAME}, role_id, session_name, party_id, party_kind, channel, attribution,
        {SECOND.format('opened_at')}, {SECOND.format('first_call')}, {SECOND.format('last_call')}, calls, denied, failed
        FROM run.sessions""",
    "usage": f"""SELECT account_id, {ROLE_NAME}, party_id, channel, region, event_source, event_name,
        list_sort(actions) AS actions, sessions, calls, denied, failed, {SECOND.format('first_seen')},
        {SECOND.format('last_seen')} FROM run.usage""",
    # A refused action that no policy grants is no row of the table; the report lists it.
    "used-actions": f"""SELECT account_id, {ROLE_NAME}, role_id, action, calls, denied, failed,
        {SECOND.format('first_seen')}, {SECOND.format('last_seen')} FROM run.permissions WHERE calls > 0
        UNION ALL SELECT account_id, role_name, role_id, action, denied, denied, 0, NULL, NULL FROM run.refused""",
}
# What is done to one row of what a run wrote, each at a time; none may go by unnoticed.
CHANGES = {
    "sessions": {
        "a session given to another party": "UPDATE run.sessions SET party_id = '000000000000' WHERE rowid = {row}",
        "a session by another channel": "UPDATE run.sessions SET channel = 'none' WHERE rowid = {row}",
        "a session taken for less certain": "UPDATE run.sessions SET attribution = 'none' WHERE rowid = {row}",
        "a session opened later": "UPDATE run.sessions SET opened_at = opened_at + INTERVAL 1 SECOND WHERE rowid = {row}",
        "a session left out": "DELETE FROM run.sessions WHERE rowid = {row}",
        "a call left out": "UPDATE run.sessions SET calls = calls - 1 WHERE rowid = {row}",
        "a refusal taken for a failure": "UPDATE run.sessions SET denied = denied - 1, failed = failed + 1 WHERE rowid = {row}",
    },
    "usage": {
        "calls of another party": "UPDATE run.usage SET party_id = '000000000000' WHERE rowid = {row}",
        "a call left out": "UPDATE run.usage SET calls = calls - 1 WHERE rowid = {row}",
        "calls of another Region": "UPDATE run.usage SET region = 'nowhere-1' WHERE rowid = {row}",
        "an action dropped": "UPDATE run.usage SET actions = actions[2:] WHERE rowid = {row}",
    },
    "used-actions": {
        "an action dropped": "DELETE FROM run.permissions WHERE rowid = {row}",
        "a refusal taken for a use": "UPDATE run.permissions SET denied = denied - 1 WHERE rowid = {row}",
        "an action of another role": "UPDATE run.permissions SET role_id = 'AROAOTHER' WHERE rowid = {row}",
    },
}
# Of which row: one that says something.
CHANGED = {
    "sessions": "SELECT rowid FROM run.sessions WHERE calls > 0 AND opened_at IS NOT NULL ORDER BY session_id LIMIT 1",
    "usage": "SELECT rowid FROM run.usage WHERE len(actions) > 0 ORDER BY ALL LIMIT 1",
    "used-actions": "SELECT rowid FROM run.permissions WHERE calls > 0 ORDER BY role_arn, action LIMIT 1",
}


def rows(connection, text):
    """Columns and rows of an answer, the rows with their numbers."""
    answer = connection.execute(text)
    columns = [column[0] for column in answer.description]
    plain = (tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in answer.fetchall())
    return columns, collections.Counter(plain)


def differences(connection, name):
    """The rows that only one side has, with the side."""
    columns, written = rows(connection, WRITTEN[name])
    _, answered = rows(connection, f"SELECT {', '.join(columns)} FROM {ANSWERS[name]}")
    sides = (("run", written - answered), ("oracle", answered - written))
    return sorted(((row, side) for side, only in sides for row in only.elements()), key=str)


def unnoticed(connection, name):
    """The changes of a run's rows after which nothing differs."""
    row = connection.execute(CHANGED[name]).fetchone()[0]
    for what, change in CHANGES[name].items():
        connection.execute("BEGIN")
        connection.execute(change.format(row=row))
        if not differences(connection, name):
            yield what
        connection.execute("ROLLBACK")


def main(queries, program, *places):
    texts = {name: query(pathlib.Path(queries) / f"{name}.sql") for name in ANSWERS}
    total, wrong = collections.Counter(), []
    for trail, folder in zip(places[::2], places[1::2]):
        scenario = pathlib.Path(folder).name
        connection = open_scenario(program, pathlib.Path(trail), pathlib.Path(folder))
        for name, text in texts.items():
            connection.execute(f"CREATE TABLE {ANSWERS[name]} AS {text}")
            total[name] += connection.execute(f"SELECT count(*) FROM {ANSWERS[name]}").fetchone()[0]
            found = differences(connection, name)
            wrong += [f"{scenario} {name}: only in the answer of the {side}: {row}" for row, side in found[:SHOWN]]
            wrong += [f"{scenario} {name}: {len(found)} differences"] * bool(found)
            wrong += [] if found else [f"{scenario} {name}: nobody noticed {what}" for what in unnoticed(connection, name)]
    assert not wrong, "\n".join(wrong)
    print(", ".join(f"{count} {name}" for name, count in sorted(total.items())))


main(*sys.argv[1:])
