#!/usr/bin/env python3
"""Peers: the nearest SQL for the same question, in ClickHouse local (chDB) and DuckDB, beside `thirdtrail analyze`.

    cargo build --release
    python3 benches/peers.py FOLDER --program target/release/thirdtrail [--threads 2] [--rounds 5] [--json FILE]

The question: for every role in use, which API it called, how often, with how many errors, first and last. The engines
answer it from the `.json.gz` files of the trail; `analyze` answers it too, and attributes, compares with the inventory,
and writes its reports and tables. All read the same files with as many threads. In each round every peer runs once, as a
process of its own, so that a noisy minute hits all of them; the table shows medians, and for each round the ratio to
`analyze` of the same round. Measured is the wall time of the query for an engine (its start and imports are not counted,
which favours it), and of the whole process for `analyze`; processor time is that of whole processes. ClickHouse answers
twice: with the columns of the question declared, which is the fastest form we know, and with JSON functions over each file
as one string (`clickhouse-json`), which needs no declaration. Files are read once before, so all find them in the page cache.

The packages (chDB is 535 MB) go to a folder outside the tree: `THIRDTRAIL_PEERS`, or `~/.cache/thirdtrail-peers`. Before
anything is measured, the engines' answers must be equal, and their number of records that of the program.
"""

import argparse
import glob
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PACKAGES = ["chdb==4.4.0", "duckdb==2.0.0"]
LOGS = "**/*_CloudTrail_*.json.gz"
ENGINES = ["clickhouse", "clickhouse-json", "duckdb"]
# The parts of a record that the question needs; both engines skip all others while they parse.
CLICKHOUSE_FIELDS = (
    "Records Array(Tuple(eventTime String, eventSource String, eventName String, errorCode Nullable(String), "
    "userIdentity Tuple(type String, sessionContext Tuple(sessionIssuer Tuple(arn String)))))"
)
DUCKDB_FIELDS = (
    "STRUCT(eventTime VARCHAR, eventSource VARCHAR, eventName VARCHAR, errorCode VARCHAR, "
    "userIdentity STRUCT(type VARCHAR, sessionContext STRUCT(sessionIssuer STRUCT(arn VARCHAR))))[]"
)


def clickhouse(source, records, field, threads):
    """The question, with `records` as an array of what `field` takes a field's text from."""
    from chdb.session import Session

    session = Session(tempfile.mkdtemp())
    settings = f"max_threads={threads}, input_format_skip_unknown_fields=1"
    role = field("userIdentity", "sessionContext", "sessionIssuer", "arn")
    question = f"""
        SELECT {role} AS role, {field("eventSource")} AS source, {field("eventName")} AS name, count() AS calls,
               countIf({field("errorCode")} != '') AS errors, min({field("eventTime")}) AS first,
               max({field("eventTime")}) AS last
        FROM (SELECT arrayJoin({records}) AS r FROM {source}) WHERE {field("userIdentity", "type")} = 'AssumedRole'
        GROUP BY role, source, name ORDER BY role, source, name
        SETTINGS {settings}"""

    def rows(query):
        text = str(session.query(query, "JSONCompactEachRow"))
        return [json.loads(line) for line in text.splitlines()]

    count = lambda: rows(f"SELECT sum(length({records})) FROM {source} SETTINGS {settings}")[0][0]
    return lambda: rows(question), count


def clickhouse_declared(folder, threads):
    source = f"file('{folder}/{LOGS}', 'JSONEachRow', '{CLICKHOUSE_FIELDS}')"
    return clickhouse(source, "Records", lambda *path: "r." + ".".join(path), threads)


def clickhouse_json(folder, threads):
    source = f"file('{folder}/{LOGS}', 'JSONAsString', 'json String')"
    field = lambda *path: f"JSONExtractString(r, {', '.join(repr(part) for part in path)})"
    return clickhouse(source, "JSONExtractArrayRaw(json, 'Records')", field, threads)


def duckdb(folder, threads):
    import duckdb as engine

    connection = engine.connect()
    connection.execute(f"SET threads = {threads}")
    source = (
        f"read_json('{folder}/{LOGS}', columns = {{'Records': '{DUCKDB_FIELDS}'}}, "
        f"format = 'newline_delimited', maximum_object_size = 268435456)"
    )
    question = f"""
        SELECT r.userIdentity.sessionContext.sessionIssuer.arn AS role, r.eventSource AS source, r.eventName AS name,
               count(*) AS calls, count(r.errorCode) AS errors, min(r.eventTime) AS first, max(r.eventTime) AS last
        FROM (SELECT unnest(Records) AS r FROM {source}) WHERE r.userIdentity.type = 'AssumedRole'
        GROUP BY ALL ORDER BY role, source, name"""
    rows = lambda: [list(row) for row in connection.execute(question).fetchall()]
    count = lambda: connection.execute(f"SELECT sum(len(Records)) FROM {source}").fetchone()[0]
    return rows, count


def run_engine(name, folder, threads, counted):
    """In a process of its own: answers, and prints how long that took and what came of it."""
    engines = {"clickhouse": clickhouse_declared, "clickhouse-json": clickhouse_json, "duckdb": duckdb}
    rows, count = engines[name](folder, threads)
    began = time.perf_counter()
    answer = rows()
    seconds = time.perf_counter() - began
    # As text, because the engines differ in the types of their numbers.
    digest = hashlib.sha256(json.dumps([[str(cell) for cell in row] for row in answer]).encode()).hexdigest()
    records = int(count()) if counted else None
    print(json.dumps({"seconds": seconds, "rows": len(answer), "digest": digest, "records": records}))


def peers_python():
    """The Python of the packages' folder; made once."""
    home = os.environ.get("THIRDTRAIL_PEERS") or pathlib.Path.home() / ".cache/thirdtrail-peers"
    python = pathlib.Path(home) / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    have = subprocess.run([python, "-c", "import chdb, duckdb"], capture_output=True).returncode == 0
    if not have:
        print(f"installing {' '.join(PACKAGES)} into {home}", file=sys.stderr)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        subprocess.run([str(part) for part in pip], check=True)
    return str(python)


def measured(command):
    """Exit code, output, wall seconds, and what else was used."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    used = {"cpu_seconds": usage.ru_utime + usage.ru_stime, "mebibytes": usage.ru_maxrss / 1024}
    return child.returncode, output, time.perf_counter() - began, used


def engine_round(python, name, options, counted=False):
    command = [python, __file__, options.folder, "--threads", str(options.threads), "--engine", name]
    code, output, _, used = measured(command + (["--counted"] if counted else []))
    if code != 0:
        sys.exit(f"{name} failed with {code}; try: {' '.join(command)}")
    return {**json.loads(output), **used}


def analyze_round(options):
    with tempfile.TemporaryDirectory() as out:
        target = f"{out}/out"
        command = [options.program, "analyze", options.folder, "--out", target, "--jobs", str(options.threads), "--quiet"]
        code, _, seconds, used = measured(command)
        if code not in (0, 3):
            sys.exit(f"analyze failed with {code}; try: {' '.join(command)}")
        report = json.loads(pathlib.Path(target, "report.json").read_text())
    coverage = report["coverage"]
    return {
        "seconds": seconds, "records": coverage["records"]["total"], "json_bytes": coverage["bytes"]["decompressed"],
        **used,
    }


def warm(folder):
    files = glob.glob(f"{folder}/{LOGS}", recursive=True)
    if not files:
        sys.exit(f"no {LOGS} below {folder}; `thirdtrail generate --out {folder} --bytes 1GB` makes some")
    return sum(len(pathlib.Path(file).read_bytes()) for file in files), len(files)


def check(python, options):
    """The same answer from both engines, about the same records that the program reads."""
    engines = {name: engine_round(python, name, options, counted=True) for name in ENGINES}
    program = analyze_round(options)
    answers = {(one["rows"], one["digest"]) for one in engines.values()}
    if len(answers) != 1:
        sys.exit(f"the engines' answers differ: {engines}")
    counts = {name: one["records"] for name, one in engines.items()}
    if set(counts.values()) != {program["records"]}:
        sys.exit(f"not the same records: {counts}, analyze {program['records']}")
    return program, next(iter(answers))[0]


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def compare(options):
    python = peers_python()
    gzip_bytes, files = warm(options.folder)
    program, rows = check(python, options)
    names = ["analyze", *ENGINES]
    rounds = {name: [] for name in names}
    for at in range(options.rounds):
        # Another one goes first each time.
        for name in names[at % len(names):] + names[:at % len(names)]:
            one = analyze_round(options) if name == "analyze" else engine_round(python, name, options)
            rounds[name].append(one)
    print(f"{files} files, {gzip_bytes / 1e6:.0f} MB as delivered, {program['json_bytes'] / 1e6:.0f} MB of JSON, "
          f"{program['records']} records, {rows} rows in the answer; {options.threads} threads, {options.rounds} rounds")
    print(f"{'':<16} {'seconds':>8} {'min':>8} {'max':>8} {'ratio':>7} {'cpu s':>8} {'peak MiB':>9}")
    result = {}
    for name in names:
        seconds = [one["seconds"] for one in rounds[name]]
        ratios = [one / base["seconds"] for one, base in zip(seconds, rounds["analyze"])]
        result[name] = {
            "median_seconds": statistics.median(seconds), "min_seconds": min(seconds), "max_seconds": max(seconds),
            "median_ratio": statistics.median(ratios), "median_cpu_seconds": median(rounds[name], "cpu_seconds"),
            "median_peak_mebibytes": median(rounds[name], "mebibytes"),
        }
        print(f"{name:<16} {result[name]['median_seconds']:>8.2f} {min(seconds):>8.2f} {max(seconds):>8.2f} "
              f"{result[name]['median_ratio']:>7.1f} {result[name]['median_cpu_seconds']:>8.2f} "
              f"{result[name]['median_peak_mebibytes']:>9.0f}")
    if options.json:
        facts = {"files": files, "gzip_bytes": gzip_bytes, "json_bytes": program["json_bytes"],
                 "records": program["records"], "threads": options.threads, "rounds": options.rounds, "peers": result}
        pathlib.Path(options.json).write_text(json.dumps(facts, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="a trail: a folder that holds AWSLogs")
    parser.add_argument("--program", default="target/release/thirdtrail", help="thirdtrail, built for release")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write the numbers there too")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--counted", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.folder = str(pathlib.Path(options.folder).resolve())
    if options.engine:
        run_engine(options.engine, options.folder, options.threads, options.counted)
    elif not pathlib.Path(options.program).exists():
        sys.exit(f"no program at {options.program}; run `cargo build --release`, or give --program")
    else:
        compare(options)


main()
