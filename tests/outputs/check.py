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


def securityhub(folder):
    import jq
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    program = (pathlib.Path(__file__).parents[2] / "docs/securityhub.jq").read_text()
    program = jq.compile(program, args={"region": "us-east-1", "account": "111122223333"})
    service = ServiceModel(Loader().load_service_model("securityhub", "service-2"))
    shape = service.operation_model("BatchImportFindings").input_shape
    findings = batches = 0
    for path in sorted(folder.glob("*.ocsf.jsonl")):
        lines = path.read_text()
        made = 0
        for batch in program.input_value([json.loads(line) for line in lines.splitlines()]):
            report = ParamValidator().validate(batch, shape)
            assert not report.has_errors(), f"{path.name}: {report.generate_report()[:400]}"
            assert 1 <= len(batch["Findings"]) <= 100
            batches += 1
            for one in batch["Findings"]:
                assert len(one["Title"]) <= 256 and 1 <= len(one["Description"]) <= 1024, one["Id"]
                assert one["Severity"]["Label"] in ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"), one
                made += 1
        assert made == len(lines.splitlines()), path.name
        findings += made
    return {"findings": findings, "batches": batches}


def markup(text):
    """What in the text is a tag, a link, a picture, or a table with uneven rows; and how many tables there are."""
    from markdown_it import MarkdownIt

    found, tables, columns = [], 0, None
    for token in MarkdownIt("gfm-like").parse(text):
        kinds = [token.type] + [child.type for child in token.children or []]
        forbidden = ("html_block", "html_inline", "link_open", "image")
        found += [f"{kind}: {token.content[:200]}" for kind in kinds if kind in forbidden]
        if token.type == "inline" and token.content.startswith("| --- |"):
            found.append(f"a table is none: {token.content[:200]}")
        tables += token.type == "table_open"
    # The parser drops cells that a row has too many.
    for line in text.splitlines():
        if line.startswith("| "):
            cells = len(line.replace("\\|", "").split("|"))
            if columns not in (None, cells):
                found.append(f"uneven: {line[:200]}")
            columns = cells
        elif not line.startswith("|"):
            columns = None
    return found, tables


def markdown(folder):
    for wrong in ("a <b>", "<p>", "[a](b)", "![a](b)", "see http://evil.example", "| a | b |\n| --- | --- |\n| a | b | c |"):
        assert markup(wrong)[0], wrong
    pages = tables = 0
    for path in sorted(folder.glob("*.md")):
        found, number = markup(path.read_text())
        assert not found, f"{path.name}: {found[:3]}"
        pages += 1
        tables += number
    return {"pages": pages, "tables": tables}


print(json.dumps(globals()[sys.argv[1]](pathlib.Path(sys.argv[2]))))
