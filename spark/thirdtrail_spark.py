#!/usr/bin/env python3
"""Reads a trail on Spark: one plan, many `thirdtrail observe`, one `thirdtrail report`.

The driver plans the objects and saves the plan beside the evidence, packs them into tasks, and has Spark run one
`thirdtrail observe` for each. Spark does what it is good at: it places the tasks, and repeats those that fail, that are
lost with their executor or that are slow. A task may be done any number of times, also twice at once: what it saves is
named by its content and appears whole or not at all. In the end the driver makes the report of the evidence, which
names every object of the plan that no task observed.

Nothing of the trail passes through Spark: tasks are names of objects, and results are exit codes.
"""

import argparse
import ctypes
import glob
import itertools
import json
import os
import shlex
import signal
import subprocess
import sys

MIB = 1 << 20
DONE, INCOMPLETE = 0, 3


def pack(objects, task_bytes, task_objects):
    """Puts every object in exactly one task.

    Objects of one folder, which is an account, a Region and a day, stay together where they fit, because evidence is
    saved by these. No task exceeds the limits, but for a single object that is larger than `task_bytes`. The answer does
    not depend on the order of `objects`.
    """
    tasks, task, size = [], [], 0

    def fits(more_bytes, more_objects):
        return size + more_bytes <= task_bytes and len(task) + more_objects <= task_objects

    by_key = sorted(objects, key=lambda one: one["key"])
    for _, folder in itertools.groupby(by_key, key=lambda one: one["key"].rpartition("/")[0]):
        folder = list(folder)
        whole = fits(sum(one["bytes"] for one in folder), len(folder))
        for at, one in enumerate(folder):
            if task and (at == 0 and not whole or not fits(one["bytes"], 1)):
                tasks.append(task)
                task, size = [], 0
            task.append(one)
            size += one["bytes"]
    return tasks + [task] if task else tasks


def shipped(name):
    """The path of a file: where it is, or where Spark put what was shipped to this machine."""
    from pyspark import SparkFiles

    places = [name, SparkFiles.get(os.path.basename(name)), os.path.basename(name)]
    found = next((place for place in places if os.path.isfile(place)), None)
    if found is None:
        raise FileNotFoundError("`%s` is not on this machine: ship it with --files" % name)
    return os.path.abspath(found)


def program(name):
    """The program, which may have been shipped without the right to be run."""
    path = shipped(name)
    if not os.access(path, os.X_OK):
        os.chmod(path, 0o700)
    return path


def die_with_parent():
    """Has the kernel end the program when Spark ends the worker that started it, as it does with the slower of two."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def with_inventories(options, inventories):
    """The options, with inventories as they are called on this machine."""
    return options + [word for name in inventories for word in ("--inventory", shipped(name))]


def observer(arguments):
    """What an executor does with one task; plain values only, because Spark sends it there."""
    name, source, evidence = arguments.program, arguments.source, arguments.evidence
    inventories = arguments.inventory
    options = ["--objects", "-", "--evidence", evidence, "--quiet", "--jobs", str(arguments.jobs)]
    options += selection(arguments) + own_accounts(arguments) + arguments.aws

    def observe(task):
        command = [program(name), "observe", source] + with_inventories(options, inventories)
        done = subprocess.run(
            command, input=task.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=die_with_parent
        )
        # What could not be read is kept with its reason, and in the report; to repeat the task would change little.
        if done.returncode not in (DONE, INCOMPLETE):
            raise RuntimeError("observe ended with %d: %s" % (done.returncode, done.stderr.decode(errors="replace")))
        return done.returncode

    return observe


def selection(arguments):
    """What of the trail, as options of thirdtrail."""
    options = []
    for name in ("since", "until"):
        value = getattr(arguments, name)
        options += ["--" + name, value] if value else []
    for name in ("account", "region"):
        options += [word for value in getattr(arguments, name) for word in ("--" + name, value)]
    return options


def own_accounts(arguments):
    return [word for account in arguments.own_account for word in ("--own-account", account)]


def plan(arguments):
    """Has the evidence know the plan, and returns its tasks, each a plan with fewer objects."""
    command = [program(arguments.program), "plan", arguments.source, "--format", "json"]
    command += ["--evidence", arguments.evidence, "--progress", "none"] + selection(arguments) + arguments.aws
    planned = subprocess.run(command, stdout=subprocess.PIPE)
    if planned.returncode != DONE:
        sys.exit(planned.returncode)
    planned = json.loads(planned.stdout)
    shared = {"listing": planned["listing"], "accounts": planned["accounts"]}
    tasks = pack(planned["objects"], arguments.task_mib * MIB, arguments.task_objects)
    return [json.dumps(dict(shared, objects=task)) for task in tasks]


def report(arguments):
    """Makes the report where shipped files lie, so that its options may name them; answers with its exit code."""
    path = program(arguments.program)
    command = [path, "report", arguments.evidence, "--out", arguments.out, "--progress", "none"]
    command += selection(arguments) + own_accounts(arguments) + arguments.aws + arguments.report
    command = with_inventories(command, arguments.inventory)
    return subprocess.run(command, cwd=os.path.dirname(path)).returncode


def parsed(words):
    # Glue adds arguments of its own, so ours come in one of them.
    if "--thirdtrail" in words:
        words = shlex.split(words[words.index("--thirdtrail") + 1])
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("source", help="the trail: s3://bucket/prefix, or a folder that every machine sees")
    parser.add_argument("--evidence", required=True, help="where the tasks save evidence, as --evidence of thirdtrail")
    parser.add_argument("--out", required=True, help="where the report goes, as --out of thirdtrail")
    parser.add_argument("--program", default="thirdtrail", help="a file on the driver, or shipped with --files (default: %(default)s)")
    for name in ("--since", "--until"):
        parser.add_argument(name, help="as with thirdtrail")
    for name in ("--account", "--region", "--inventory", "--own-account"):
        parser.add_argument(name, action="append", default=[], help="as with thirdtrail; repeatable")
    for name, what in (("aws", "how to reach AWS, for all commands"), ("report", "for the report alone")):
        parser.add_argument(
            "--%s-options" % name, dest=name, type=shlex.split, default=[], metavar="OPTIONS",
            help="options of thirdtrail in one word: %s" % what,
        )
    parser.add_argument("--task-mib", type=positive, default=256, help="most MiB of objects in a task (default: %(default)s)")
    parser.add_argument("--task-objects", type=positive, default=10000, help="most objects in a task (default: %(default)s)")
    parser.add_argument("--jobs", type=positive, default=1, help="threads of a task: spark.task.cpus (default: %(default)s)")
    arguments = parser.parse_args(words)
    for name in ("source", "evidence", "out"):
        place = getattr(arguments, name)
        setattr(arguments, name, place if "://" in place else os.path.abspath(place))
    # As thirdtrail does with a folder.
    arguments.inventory = arguments.inventory or inventories_beside(arguments.source)
    return arguments


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("`%s` is not above 0" % text)
    return number


def inventories_beside(source):
    single = os.path.join(source, "inventory.json")
    return [single] if os.path.isfile(single) else sorted(glob.glob(os.path.join(source, "inventory", "*.json")))


def main(words):
    arguments = parsed(words)
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName("thirdtrail").getOrCreate()
    context = spark.sparkContext
    # What only the driver has goes to the executors; what came with --files is there.
    for name in filter(os.path.isfile, [arguments.program] + arguments.inventory):
        context.addFile(os.path.abspath(name))
    tasks = plan(arguments)
    ended = context.parallelize(tasks, len(tasks)).map(observer(arguments)).collect()
    incomplete = sum(code == INCOMPLETE for code in ended)
    print("%d tasks observed, %d of them with objects that could not be read" % (len(ended), incomplete), file=sys.stderr)
    code = report(arguments)
    spark.stop()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
