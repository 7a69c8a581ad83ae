#!/usr/bin/env python3
"""What the steps of a distributed run take, for docs/SCALE.md: processor time, memory and bytes, by what they grow with.

    thirdtrail generate --out /tmp/trail --bytes 4GB --seed 11
    python3 benches/scale.py --program target/release/thirdtrail [--rounds 3] FOLDER...
    python3 benches/scale.py --program target/release/thirdtrail --listing 1000000

Every step is a process of its own; the table shows medians over the rounds. `observe` has one thread, as a task on a cluster
has, and reads the whole trail; `report` is made of the evidence that it saved. `--listing N` makes the names of N log
objects of 1,000 accounts (empty files: planning opens none) and tells what planning them takes.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
REGIONS = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "ap-northeast-1", "sa-east-1"]


def run(command):
    """Wall and processor seconds, peak of memory in bytes, and the bytes printed, of one process."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, used = os.wait4(child.pid, 0)
        took, printed = time.monotonic() - began, os.fstat(out.fileno()).st_size
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 3):
        sys.exit(f"{' '.join(map(str, command))} ended with {child.returncode}")
    return {"wall": took, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024, "printed": printed}


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def size(folder):
    return sum(path.stat().st_size for path in files(folder))


def median(rounds, name):
    return statistics.median(one[name] for one in rounds)


def steps(program, trail, room, rounds):
    """Measures each step on one trail; answers with the measures by step, and where evidence and outputs lie."""
    evidence, out, whole = room / "evidence", room / "out", room / "whole"
    inventory = [word for path in sorted((trail / "inventory").glob("*.json")) for word in ("--inventory", path)]
    commands = {
        "plan": [program, "plan", trail, "--evidence", evidence, "--format", "json", "--progress", "none"],
        "observe": [program, "observe", trail, "--evidence", evidence, "--jobs", "1", "--quiet", *inventory],
        "report": [program, "report", evidence, "--out", out, "--jobs", "2", "--quiet", *inventory],
        "analyze": [program, "analyze", trail, "--out", whole, "--jobs", "2", "--quiet"],
    }
    measured = {name: [] for name in commands}
    for _ in range(rounds):
        shutil.rmtree(evidence, ignore_errors=True)
        for name, command in commands.items():
            measured[name].append(run(command))
    return measured, evidence, out


def tell_steps(program, trail, rounds):
    with tempfile.TemporaryDirectory(prefix="scale-") as room:
        measured, evidence, out = steps(program, trail, pathlib.Path(room), rounds)
        coverage = json.loads((out / "report.json").read_text())["coverage"]
        records, objects = coverage["records"]["total"], coverage["objects"]["read"]
        used = coverage["records"]["used"]
        sessions, calls = rows(out / "parquet/sessions"), rows(out / "parquet/activity")
        gzip, inflated = coverage["bytes"]["compressed"], coverage["bytes"]["decompressed"]
        shards = [path for path in files(evidence) if path.suffix == ".shard"]
        print(f"\n## {trail}\n")
        print(f"{objects:,} objects, {gzip:,} bytes of gzip, {inflated:,} of JSON, {records:,} records ({used:,} used), "
              f"{sessions:,} sessions, {calls:,} calls\n")
        print("| step | wall s | processor s | peak MiB | processor s per TB of gzip | per TB of JSON |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, each in measured.items():
            cpu = median(each, "cpu")
            print(f"| {name} | {median(each, 'wall'):.2f} | {cpu:.2f} | {median(each, 'peak') / MIB:.0f} "
                  f"| {cpu / gzip * 1e12:,.0f} | {cpu / inflated * 1e12:,.0f} |")
        kept = {"evidence": size(evidence / "shards"), "listings": size(evidence / "listings"),
                "tables": size(out / "parquet"), "of them activity": size(out / "parquet/activity"),
                "report.json": (out / "report.json").stat().st_size,
                "plan as JSON": measured["plan"][0]["printed"]}
        print("\n| what is kept | bytes | per million records | per thousand sessions | per object |")
        print("| --- | --- | --- | --- | --- |")
        for name, count in kept.items():
            print(f"| {name} | {count:,} | {count / records * 1e6:,.0f} | {count / sessions * 1e3:,.0f} "
                  f"| {count / objects:,.0f} |")
        print(f"\n{len(shards):,} shards, {size(evidence / 'shards') // max(len(shards), 1):,} bytes each")


def rows(folder):
    import pyarrow.parquet as parquet

    return sum(parquet.read_metadata(path).num_rows for path in folder.rglob("*.parquet"))


def make_names(folder, count):
    """`count` log objects of one day: 1,000 accounts, 8 Regions, all through the day."""
    for at in range(count):
        account, region = f"{100000000000 + at % 1000 * 7919}", REGIONS[at // 1000 % len(REGIONS)]
        nth = at // 1000 // len(REGIONS)
        day = folder / f"AWSLogs/o-exampleorg/{account}/CloudTrail/{region}/2026/05/01"
        if nth == 0:
            day.mkdir(parents=True)
        minute = nth * 5 % 1440
        name = f"{account}_CloudTrail_{region}_20260501T{minute // 60:02}{minute % 60:02}Z_{at:016x}.json.gz"
        os.close(os.open(day / name, os.O_CREAT | os.O_WRONLY))


def tell_listing(program, count):
    with tempfile.TemporaryDirectory(prefix="scale-") as room:
        trail, evidence = pathlib.Path(room) / "trail", pathlib.Path(room) / "evidence"
        make_names(trail, count)
        print(f"\n## The names of {count:,} objects of 1,000 accounts\n")
        print("| step | wall s | processor s | peak MiB | printed MiB | peak bytes per object |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, more in {"plan": [], "plan --format json": ["--format", "json"],
                           "plan --evidence": ["--evidence", evidence, "--format", "json"]}.items():
            one = run([program, "plan", trail, *more, "--progress", "none"])
            print(f"| {name} | {one['wall']:.1f} | {one['cpu']:.1f} | {one['peak'] / MIB:,.0f} | {one['printed'] / MIB:,.0f} "
                  f"| {one['peak'] / count:,.0f} |")
        print(f"\nthe listing among the evidence: {size(evidence):,} bytes, {size(evidence) / count:.0f} per object")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trails", metavar="FOLDER", type=pathlib.Path, nargs="*")
    parser.add_argument("--program", type=pathlib.Path, default=pathlib.Path("target/release/thirdtrail"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--listing", type=int)
    options = parser.parse_args()
    for trail in options.trails:
        tell_steps(options.program.resolve(), trail, options.rounds)
    if options.listing:
        tell_listing(options.program.resolve(), options.listing)


main()
