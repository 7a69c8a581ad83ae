"""Reads templates back: cfn-lint has nothing to say, and an HCL parser finds the documents that were put in.

Arguments: a folder of cases. `<case>.template.json` is linted where `<case>.lint` lies beside it; of `<case>.tf` each
`jsonencode(...)` is parsed and compared with the list in `<case>.expected.json`, in order."""

import json
import pathlib
import re
import sys

import hcl2
from cfnlint.api import lint_file

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def text(quoted):
    """The value of a quoted template without templates in it."""
    inside, out, at = quoted[1:-1], [], 0
    while at < len(inside):
        here = inside[at]
        if here == "\\" and inside[at + 1] == "u":
            out.append(chr(int(inside[at + 2 : at + 6], 16)))
            at += 6
        elif here == "\\":
            out.append(ESCAPES[inside[at + 1]])
            at += 2
        elif inside[at : at + 3] in ("$${", "%%{"):
            out.append(inside[at + 1 : at + 3])
            at += 3
        elif inside[at : at + 2] in ("${", "%{"):
            raise ValueError(f"a template in {quoted}")
        else:
            out.append(here)
            at += 1
    return "".join(out)


def value(parsed):
    if isinstance(parsed, dict):
        return {text(key) if key.startswith('"') else key: value(item) for key, item in parsed.items()}
    if isinstance(parsed, list):
        return [value(item) for item in parsed]
    if isinstance(parsed, str):
        # The parser marks what is no quoted string as `${...}`.
        return text(parsed) if parsed.startswith('"') else {"expression": parsed}
    return parsed


def documents(source):
    for found in re.finditer(r"= jsonencode\((.*?)\n?( *[}\]]?)\)\n", source, re.S):
        yield value(hcl2.loads(f"x = {found[1]}\n{found[2]}\n")["x"])


folder = pathlib.Path(sys.argv[1])
counts = {"templates": 0, "documents": 0}
for path in sorted(folder.glob("*.template.json")):
    if path.with_name(path.name.replace(".template.json", ".lint")).exists():
        complaints = lint_file(path)
        assert not complaints, f"{path.name}: {complaints}"
        counts["templates"] += 1
for path in sorted(folder.glob("*.tf")):
    source = path.read_text()
    hcl2.loads(source)
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    found = list(documents(source))
    assert found == expected, f"{path.name}:\n{json.dumps(found)}\n{json.dumps(expected)}"
    counts["documents"] += len(found)
print(json.dumps(counts))
