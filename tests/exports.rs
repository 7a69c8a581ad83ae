//! The findings for other programs, read back by others' readers and schemas; the Markdown pages, by a Markdown parser; and
//! all of them beside what they were before, on the bundled trails.
//!
//! `THIRDTRAIL_WRITE=1 cargo test --test exports` makes the golden files anew. What cannot be had is said on a line.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod beside;
mod bundled;
mod program;
mod python;
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use beside::say;
use program::run;
use python::Python;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::finding::assessment::{Assessment, SuppressedBy};
use thirdtrail::report::formats::{Format, Formats};
use thirdtrail::report::{OutputFile, render, render_by};
use thirdtrail::run::analyze::analyze;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

/// What strangers could write into a finding, one for each form that could obey it.
const HOSTILE: [&str; 8] = [
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "[click](http://evil.example) ![x](y)",
    "<script>alert(1)</script>\n# heading\n\n| a | b |",
    "\u{1b}[31mred\u{202e}gnp",
    "{0} {{x}} ${y} %{z}",
    "a,\"b\"\r\n=1",
    "back`tick` and ``` fence",
];

fn files(assessment: &mut Assessment) -> BTreeMap<String, Vec<u8>> {
    render(assessment).unwrap().into_iter().map(|file| (file.path, file.bytes)).collect()
}

/// The sample, with a finding whose every text is a stranger's for each hostile text; every third is suppressed.
fn hostile() -> Assessment {
    let mut assessment = sample::assessment();
    let finding = assessment.findings[0].clone();
    for (at, text) in HOSTILE.into_iter().enumerate() {
        let text = text.to_owned();
        let mut one = finding.clone();
        one.id = format!("{at:016x}");
        one.code = "role-idle".to_owned();
        (one.subject, one.party) = (format!("arn:aws:iam::{}:role/{text}", sample::ACCOUNT), Some(text.clone()));
        (one.title, one.detail, one.remediation) = (text.clone(), text.clone(), text.clone());
        one.evidence = json!({ text.clone(): [text.clone()] });
        one.known = Some(at % 2 == 0);
        let mark = SuppressedBy { by: text.clone(), owner: text.clone(), reason: text, expires: None };
        one.suppressed = (at % 3 == 0).then_some(mark);
        assessment.findings.push(one);
    }
    assessment
}

fn analyzed(trail: &str) -> BTreeMap<String, Vec<u8>> {
    let store = LocalStore::open(&bundled::folder(trail)).unwrap();
    let outcome = analyze(&store, &bundled::options(trail, 2), &Silent).unwrap();
    outcome.files.into_iter().map(|file: OutputFile| (file.path, file.bytes)).collect()
}

fn text(files: &BTreeMap<String, Vec<u8>>, path: &str) -> String {
    String::from_utf8(files[path].clone()).unwrap()
}

/// What the checker says, or that it could not be asked.
fn checked(what: &str, packages: &[&str], modules: &str, folder: &TempDir) {
    let python = match Python::new().and_then(|python| python.with(packages, modules)) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: {modules} absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/check.py");
    let said = python::run(python.command().arg(script).arg(what).arg(folder.path()));
    say(&format!("{what}: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}

/// The files of all bundled trails and of the hostile sample whose paths end so, in one folder.
fn gathered(ending: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut all = vec![("hostile", files(&mut hostile()))];
    all.extend(["vendors", "damaged", "holes"].map(|trail| (trail, analyzed(trail))));
    let mut number = 0;
    for (name, files) in all {
        for (path, bytes) in files.into_iter().filter(|(path, _)| path.ends_with(ending)) {
            number += 1;
            fs::write(folder.path().join(format!("{name}-{number}-{}", path.rsplit('/').next().unwrap())), bytes)
                .unwrap();
        }
    }
    assert!(number >= 4, "{ending}");
    folder
}

#[test]
fn code_scanning_files_keep_to_the_schema_of_sarif() {
    checked("sarif", &["jsonschema==4.26.0"], "jsonschema", &gathered(".sarif"));
}

#[test]
fn siem_files_keep_to_the_schema_of_ocsf() {
    let packages = ["jsonschema==4.26.0", "ocsf-json-schema==1.2.0"];
    checked("ocsf", &packages, "jsonschema, ocsf_json_schema", &gathered(".ocsf.jsonl"));
}

/// What docs/securityhub.jq makes of the findings is what AWS's own library takes for `BatchImportFindings`.
#[test]
fn security_hub_takes_what_is_made_of_the_findings() {
    let packages = ["jq==1.13.0", "boto3"];
    checked("securityhub", &packages, "jq, botocore", &gathered(".ocsf.jsonl"));
}

/// S43: pages render without a tag, link or picture that was not ours, and their tables are tables.
#[test]
fn pages_are_markdown_and_nothing_else() {
    let packages = ["markdown-it-py==4.3.0", "linkify-it-py==2.2.0"];
    checked("markdown", &packages, "markdown_it, linkify_it", &gathered(".md"));
}

/// S43: a spreadsheet gets one row a finding, no formula, and its texts as they are otherwise.
#[test]
fn a_spreadsheet_has_one_row_a_finding_and_no_formula() {
    let mut assessment = hostile();
    let files = files(&mut assessment);
    let table = text(&files, "findings.csv");
    assert_eq!(table.lines().count(), assessment.findings.len() + 1, "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}') && !table.contains('\r'));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(columns[..5], ["severity", "code", "account_id", "subject", "party"]);
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    for row in &rows {
        for cell in row {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell}");
        }
    }
    let row = |id: usize| rows.iter().find(|row| row[at("id")] == format!("{id:016x}")).unwrap();
    assert_eq!(&row(0)[at("title")], "'=cmd|' /C calc'!A0");
    assert_eq!((&row(0)[at("suppressed_owner")], &row(1)[at("suppressed_owner")]), ("'=cmd|' /C calc'!A0", ""));
    assert_eq!((&row(0)[at("known")], &row(1)[at("known")]), ("yes", "no"));
    assert_eq!(&row(1)[at("account_id")], sample::ACCOUNT, "with its zero");
    let evidence: Value = serde_json::from_str(&row(2)[at("evidence")]).unwrap();
    assert_eq!(evidence[HOSTILE[2]][0], HOSTILE[2]);
}

/// Suppressed findings are marked in each form, levels and severities follow, and a finding keeps its fingerprint.
#[test]
fn each_form_marks_what_is_suppressed_and_known() {
    let files = files(&mut hostile());
    let log: Value = serde_json::from_str(&text(&files, "findings.sarif")).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let result = |id: usize| {
        let print = format!("{id:016x}");
        results.iter().find(|result| result["partialFingerprints"]["thirdtrailFinding/v1"] == print).unwrap()
    };
    assert_eq!(result(0)["suppressions"][0]["status"], "accepted");
    assert_eq!((&result(1)["suppressions"], &result(1)["baselineState"]), (&Value::Null, &json!("new")));
    let prints: BTreeSet<&str> = results
        .iter()
        .map(|result| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap())
        .collect();
    assert_eq!(prints.len(), results.len());
    assert!(result(2)["message"]["text"].as_str().unwrap().starts_with("\\[click\\](http"));
    let notices = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notices.contains("Not everything could be read"), "S26: {notices}");
    let events: Vec<Value> =
        text(&files, "findings.ocsf.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), results.len());
    let event = |id: usize| events.iter().find(|event| event["finding_info"]["uid"] == format!("{id:016x}")).unwrap();
    assert_eq!((&event(0)["status_id"], &event(1)["status_id"]), (&json!(3), &json!(1)));
    assert!(event(3)["status_detail"].as_str().unwrap().contains(", for ever, by "), "{}", event(3)["status_detail"]);
    assert_eq!((&event(0)["unmapped"]["known"], &event(1)["unmapped"]["known"]), (&json!(true), &json!(false)));
    assert_eq!(event(0)["resources"][0]["type"], "AwsIamRole");
    assert_eq!(events[0]["severity_id"], 5, "the gravest first");
    let without_account = events.iter().find(|event| event["metadata"]["event_code"] == "party-offboarded-active");
    assert_eq!(without_account.unwrap()["cloud"], json!({"provider": "AWS"}));
}

/// S44: a file for code scanning holds as many results as GitHub takes, what nobody answers for and what is gravest first,
/// and says how many are left and where they are.
#[test]
fn code_scanning_gets_no_more_than_it_takes_and_is_told() {
    let mut assessment = sample::assessment();
    let model = assessment.findings.remove(0);
    let mark = SuppressedBy { by: "f:1".into(), owner: "o".into(), reason: "r".into(), expires: None };
    assessment.findings = (0..25_100)
        .map(|at| {
            let mut one = model.clone();
            (one.id, one.subject) = (format!("{at:016x}"), format!("arn:aws:iam::{}:user/u{at}", sample::ACCOUNT));
            one.severity = if at < 60 || at == 25_099 { "critical" } else { "low" }.to_owned();
            one.suppressed = (at < 60).then(|| mark.clone());
            one
        })
        .collect();
    let wanted = Formats::named([Format::Sarif]);
    let files = render_by(&OneByOne, &mut assessment, &wanted).unwrap();
    let file = files.iter().find(|file| file.path == "findings.sarif").unwrap();
    let log: Value = serde_json::from_slice(&file.bytes).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert!(results.iter().all(|one| one.get("suppressions").is_none()), "what is answered for goes first");
    assert_eq!((&results[0]["level"], &results[1]["level"]), (&json!("error"), &json!("note")));
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "report.json");
    let notice = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notice["level"], "error");
    assert!(notice["message"]["text"].as_str().unwrap().starts_with("100 findings"), "{notice}");
    if let Some(folder) = std::env::var_os("THIRDTRAIL_KEEP") {
        fs::write(Path::new(&folder).join("large.sarif"), &file.bytes).unwrap();
    }
}

/// S42: no form tells more of an external id than the report does.
#[test]
fn no_secret_reaches_any_form() {
    let files = files(&mut hostile());
    for (path, bytes) in files.iter().filter(|(path, _)| !path.contains("/parquet/")) {
        let shown = String::from_utf8_lossy(bytes);
        for id in ["23bc5533-157c-41bf-a01a-4ecb491471f6", "8f14e45f-ceea-467f-9b1d-2f2f9a1d3c55"] {
            assert!(!shown.contains(id), "{path}");
        }
    }
}

/// `--format` names what is written; `report.json` and `run.json` always are, and what rendering
/// again needs; what is not known is a mistake.
#[test]
fn only_the_outputs_that_are_named_are_written() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let trail = bundled::folder("holes");
    let tops = |formats: &str| -> Vec<String> {
        let arguments =
            ["analyze", trail.to_str().unwrap(), "--out", out.to_str().unwrap(), "--quiet", "--format", formats];
        let done = run(&arguments);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let mut names: Vec<String> =
            fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(tops("csv,sarif"), ["findings.csv", "findings.sarif", "report.json", "rerender.json.zst", "run.json"]);
    let report: Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
    assert!(!report.to_string().contains("\"roles/"), "no file is named that is not written");
    assert_eq!(tops("json"), ["report.json", "rerender.json.zst", "run.json"]);
    let run_json: Value = serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap();
    assert_eq!(run_json["options"]["formats"], json!(["json"]));
    assert_eq!(
        tops("md,parquet,policies,ocsf"),
        ["findings.ocsf.jsonl", "parquet", "report.json", "report.md", "rerender.json.zst", "roles", "run.json"]
    );
    let wrong = run(&["analyze", trail.to_str().unwrap(), "--format", "pdf"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("pdf"), "{}", wrong.stderr);
}

/// What a reader of each form sees of one bundled trail, whole where it is short, in sums where it is long.
fn told(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&'static str, String> {
    let table = text(files, "findings.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let mut short: String = table.lines().take(ROWS).map(|line| format!("{line}\n")).collect();
    for row in reader.records().skip(ROWS - 1).map(Result::unwrap) {
        writeln!(short, "{} {} {} {}", &row[0], &row[1], &row[3], &row[row.len() - 1]).unwrap();
    }
    let mut golden = BTreeMap::from([("findings.csv.txt", short)]);
    let log: Value = serde_json::from_str(&text(files, "findings.sarif")).unwrap();
    let run = &log["runs"][0];
    let mut sarif = serde_json::to_string_pretty(&json!({
        "invocations": run["invocations"], "first": run["results"][0], "automationDetails": run["automationDetails"]
    }))
    .unwrap();
    for result in run["results"].as_array().unwrap() {
        let name = &result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
        let print = &result["partialFingerprints"]["primaryLocationLineHash"];
        write!(sarif, "\n{} {} {} {}", result["level"], result["ruleId"], name, print).unwrap();
    }
    golden.insert("findings.sarif.txt", sarif + "\n");
    let lines = text(files, "findings.ocsf.jsonl");
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut ocsf = serde_json::to_string_pretty(&events[0]).unwrap();
    for event in &events {
        let (code, uid) = (&event["metadata"]["event_code"], &event["resources"][0]["uid"]);
        write!(ocsf, "\n{} {code} {uid} {}", event["severity"], event["resources"][0]["type"]).unwrap();
    }
    golden.insert("findings.ocsf.txt", ocsf + "\n");
    golden
}

/// What `report.md` and `report.json` say before the roles and of one role, and the certificate of that role; of long lists
/// the beginning, with how many there are.
fn texts_of(files: &BTreeMap<String, Vec<u8>>, folder: &str) -> Vec<(String, String)> {
    let page = text(files, "report.md");
    let (head, roles) = page.split_once("\n## Roles\n").unwrap();
    let table = roles.split("\n### ").next().unwrap();
    let role = roles.split("\n### ").find(|part| part.starts_with("`ZestyActor`")).unwrap();
    let report: Value = serde_json::from_str(&text(files, "report.json")).unwrap();
    let of_name = |list: &str| {
        let list = report[list].as_array().unwrap();
        list.iter().find(|one| one["name"] == "ZestyActor" || one["name"] == "Zesty").unwrap().clone()
    };
    let mut short = report.clone();
    short["roles"] = json!([of_name("roles")]);
    short["parties"] = json!([of_name("parties")]);
    shorten(&mut short);
    let mut certificate: Value = serde_json::from_str(&text(files, &format!("{folder}/certificate.json"))).unwrap();
    shorten(&mut certificate);
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap() + "\n";
    vec![
        ("report.md".to_owned(), format!("{head}\n## Roles\n{table}\n### {role}")),
        ("report.json.txt".to_owned(), pretty(&short)),
        ("ZestyActor/certificate.json.txt".to_owned(), pretty(&certificate)),
    ]
}

/// Lists of more than a few objects, cut.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(list) => {
            let all = list.len();
            if all > 3 && list.iter().any(Value::is_object) {
                list.truncate(2);
                list.push(json!(format!("{all} in all")));
            }
            list.iter_mut().for_each(shorten);
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Lines of the spreadsheet that are kept whole, its head included.
const ROWS: usize = 6;

fn keep_in_step(path: &str, text: &str) {
    if std::env::var_os("THIRDTRAIL_WRITE").is_some() {
        fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "{path} is out of step: THIRDTRAIL_WRITE=1 cargo test --test exports");
}

/// Every form on every bundled trail is what it was, and so are the scripts, templates and the pull request of one role.
#[test]
fn outputs_are_what_they_were() {
    for trail in ["vendors", "damaged", "holes"] {
        let files = analyzed(trail);
        for (name, text) in told(&files) {
            keep_in_step(&format!("tests/golden/{trail}/{name}"), &text);
        }
        if trail != "vendors" {
            continue;
        }
        let folder = "roles/012345678901/ZestyActor";
        for (name, text) in texts_of(&files, folder) {
            keep_in_step(&format!("tests/golden/{trail}/{name}"), &text);
        }
        for name in [
            "apply.sh",
            "rollback.sh",
            "rightsized.tf",
            "rightsized.cfn.json",
            "pull-request.md",
            "actor.rightsized.json",
            "actor.diff",
        ] {
            keep_in_step(
                &format!("tests/golden/{trail}/ZestyActor/{name}"),
                &text(&files, &format!("{folder}/{name}")),
            );
        }
        let shared = text(&files, "roles/333344445555/vanta-auditor/apply.sh");
        let steps = shared.split("\nsteps() {").nth(1).unwrap().split("\n}\n").next().unwrap();
        keep_in_step(&format!("tests/golden/{trail}/vanta-auditor.steps.txt"), steps.trim_start_matches('\n'));
    }
}
