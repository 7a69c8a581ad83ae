#!/usr/bin/env python3
"""Rebuilds data/vendors.tsv from accounts.yaml of github.com/fwdcloudsec/known_aws_accounts.

Why: the table is facts that other people collected, and a reviewer must be able to make it again.
Standard library only; reads the subset of YAML that the file uses and refuses anything else.

    python3 data/rebuild/vendors.py accounts.yaml            write data/vendors.tsv
    python3 data/rebuild/vendors.py --check accounts.yaml    compare only; exit 1 when they differ

Entries with `enabled: false` are kept: it marks an account that its owner gave up using, an account id is never given
to somebody else, and a role that still trusts such an account is just what a reader wants named.
"""

import os
import re
import sys

TABLE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vendors.tsv")
HEAD = (
    "# Written by data/rebuild/vendors.py; do not edit. Facts: fwdcloudsec/known_aws_accounts (Apache-2.0), see NOTICE.\n"
    "# account id\tkind (vendor, aws: an account of an AWS service)\tname\n"
)
# AWS's own, though the list does not say so with `type: aws`.
AWS_BY_NAME = {"AWS Log Delivery Service"}


QUOTED = r"'(?:[^']|'')*'"


def value(text):
    """A plain or single-quoted scalar, or a list of them in either of YAML's two notations, spread over lines or not."""
    text = text.strip()
    item = QUOTED + r"|[^\s',\[\]]+"
    if re.fullmatch(rf"\[\s*(?:(?:{item})\s*,?\s*)*\]", text) or re.fullmatch(rf"(?:-\s+(?:{item})\s*)+", text):
        return [plain(found) for found in re.findall(item, text) if found != "-"]
    if re.fullmatch(QUOTED, text) or re.fullmatch(r"[^'\[\]{}\-&*!|>#]+", text):
        return plain(text)
    raise ValueError(f"not understood: {text}")


def plain(text):
    """A scalar without its quotes."""
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def entries(lines):
    """The list's entries as dictionaries; a value that is not understood stops the rebuild."""
    found, key = [], None
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        member = re.match(r"(- |  )([a-z_]+):(?:\s|$)", line)
        if member:
            if member[1] == "- ":
                found.append({})
            key = member[2]
            found[-1][key] = line[member.end():]
        else:
            found[-1][key] += line
    for entry in found:
        yield {key: value(text) for key, text in entry.items()}


def rows(lines):
    """account id -> (kind, name); of several entries for one account, AWS's own wins, then the first name by spelling."""
    known = {}
    for entry in entries(lines):
        name = " ".join(entry["name"].split())
        is_aws = entry.get("type") == "aws" or name in AWS_BY_NAME
        for account in entry["accounts"]:
            if not re.fullmatch(r"[0-9]{12}", account):
                raise ValueError(f"{name}: not an account id: {account}")
            candidate = (not is_aws, name.lower(), name)
            known[account] = min(candidate, known.get(account, candidate))
    return known


def main(arguments):
    check = "--check" in arguments
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) != 1:
        sys.exit("usage: vendors.py [--check] accounts.yaml")
    with open(paths[0], encoding="utf-8") as source:
        known = rows(source)
    lines = (f"{account}\t{'vendor' if key[0] else 'aws'}\t{key[2]}\n" for account, key in sorted(known.items()))
    table = HEAD + "".join(lines)
    if check:
        with open(TABLE, encoding="utf-8") as present:
            sys.exit(0 if present.read() == table else "data/vendors.tsv differs from what the list gives")
    with open(TABLE, "w", encoding="utf-8") as out:
        out.write(table)
    print(f"{len(known)} accounts", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
