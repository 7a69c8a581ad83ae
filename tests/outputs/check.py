"""Reads outputs back with other people's programs and schemas. Arguments: what to check, and a folder of files.

`schema`: `*.report.json` keep to `schema.json`, `*.wrong.json` do not. `sarif`: `*.sarif` keep to the schema that Microsoft
publishes with its test matchers (npm). `ocsf`: `*.ocsf.jsonl` keep to the published schema of their version. `markdown`:
`*.md` render without anything that a stranger could have put there."""

import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

SARIF = "@microsoft/jest-sarif@1.0.0-beta.0"


def schema(folder):
    import jsonschema

    wanted = json.loads((folder / "schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(wanted)
    validator = jsonschema.Draft202012Validator(wanted)
    counts = {"reports": 0, "wrong": 0}
    for path in sorted(folder.glob("*.report.json")):
        sound(validator, json.loads(path.read_text()), path.name)
        counts["reports"] += 1
    for path in sorted(folder.glob("*.wrong.json")):
        assert list(validator.iter_errors(json.loads(path.read_text()))), f"{path.name} is taken"
        counts["wrong"] += 1
    return counts


def sound(validator, value, name):
    for error in validator.iter_errors(value):
        raise AssertionError(f"{name}: {error.json_path}: {error.message[:400]}")


def sarif_schema():
    kept = pathlib.Path(sys.prefix) / "files" / "sarif-2.1.0-rtm.5.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", SARIF], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (archive,) = pathlib.Path(folder).glob("*.tgz")
            with tarfile.open(archive) as files:
                found = files.extractfile("package/lib/schemas/sarif-2.1.0-rtm.5.json").read()
        part = kept.with_suffix(f".{__import__('os').getpid()}")
        part.write_bytes(found)
        part.rename(kept)
    return json.loads(kept.read_text())


def sarif(folder):
    import jsonschema

    try:
        wanted = sarif_schema()
    except (OSError, subprocess.CalledProcessError, tarfile.TarError) as error:
        return {"NOT RUN": f"no schema: {error}"}
    validator = jsonschema.Draft4Validator(wanted)
    results = 0
    for path in sorted(folder.glob("*.sarif")):
        log = json.loads(path.read_text())
        sound(validator, log, path.name)
        (run,) = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"], result["ruleId"]
        results += len(run["results"])
        log["runs"][0]["results"].append({"level": "dreadful"})
        assert list(validator.iter_errors(log)), "a wrong result is taken"
    return {"results": results}


def ocsf(folder):
    import jsonschema
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    events = 0
    known = {}
    for path in sorted(folder.glob("*.ocsf.jsonl")):
        for line in path.read_text().splitlines():
            event = json.loads(line)
            version, profiles = event["metadata"]["version"], event["metadata"]["profiles"]
            if version not in known:
                published = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
                name = published.lookup_class_name_from_uid(class_uid=event["class_uid"])
                wanted = published.get_class_schema(class_name=name, profiles=profiles)
                known[version] = jsonschema.Draft202012Validator(wanted)
            sound(known[version], event, path.name)
            assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
            events += 1
            for wrong in ({"severity_id": 7}, {"surprise": 1}, {"metadata": {}}):
                assert list(known[version].iter_errors({**event, **wrong})), wrong
    return {"events": events, "versions": sorted(known)}


def markdown(folder):
    from markdown_it import MarkdownIt

    pages = tables = 0
    for path in sorted(folder.glob("*.md")):
        parser = MarkdownIt("gfm-like")
        columns = None
        for token in parser.parse(path.read_text()):
            kinds = [token.type] + [child.type for child in token.children or []]
            for kind in ("html_block", "html_inline", "link_open", "image"):
                assert kind not in kinds, f"{path.name}: {kind}: {token.content[:200]}"
            if token.type == "inline" and token.content.startswith("| --- |"):
                raise AssertionError(f"{path.name}: a table is none: {token.content[:200]}")
            tables += token.type == "table_open"
        # The parser drops cells that a row has too many.
        for line in path.read_text().splitlines():
            if line.startswith("| "):
                cells = len(line.replace("\\|", "").split("|"))
                assert columns in (None, cells), f"{path.name}: {line[:200]}"
                columns = cells
            elif not line.startswith("|"):
                columns = None
        pages += 1
    return {"pages": pages, "tables": tables}


print(json.dumps(globals()[sys.argv[1]](pathlib.Path(sys.argv[2]))))
