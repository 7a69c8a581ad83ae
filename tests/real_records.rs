//! Real records and vendors' own policies: none makes the program stumble, and every record is counted once.
//!
//! They lie beside the repository, not in it: where they are missing a test says so on a visible line and passes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its records has failed")]

mod beside;
mod bundled;
mod folders;
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::policy::inventory::Inventory;

use beside::{published, record_files};
use folders::json_file;
use program::run;

/// Analyzes a folder and answers with its report.
fn report_of(source: &Path, out: &Path, more: &[&str]) -> (i32, Value) {
    let (source, shown) = (source.display().to_string(), out.display().to_string());
    let code = run(&[&["analyze", &source, "--out", &shown, "--quiet"], more].concat()).code;
    assert!(matches!(code, 0 | 3), "{source}: exit code {code}");
    (code, json_file(&out.join("report.json")))
}

fn check_counts(report: &Value, code: i32, lines: &[String], what: &str) {
    let records = &report["coverage"]["records"];
    let count = |key: &str| records[key].as_u64().unwrap();
    assert_eq!(count("total"), lines.len() as u64, "{what}: {records}");
    assert_eq!(count("total"), count("used") + count("out_of_scope") + count("duplicate") + count("bad"), "{what}");
    assert_eq!(report["coverage"]["objects"]["failed"], json!([]), "{what}");
    assert_eq!(code == 3, count("bad") > 0, "{what}: {records}");
    // Equal event ids in the file, as they are written there, are what counts as duplicate among readable records.
    let mut ids = BTreeSet::new();
    let repeated = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|record| record["eventID"].as_str().filter(|id| !id.is_empty()).map(str::to_owned))
        .filter(|id| !ids.insert(id.clone()))
        .count() as u64;
    assert!(count("duplicate") >= repeated.saturating_sub(count("bad")), "{what}: {repeated} repeated, {records}");
    assert!(count("bad") * 10 <= count("total"), "{what}: too many bad records: {records}");
}

/// S4, S6, S44: every file on its own, and all in one folder.
#[test]
fn every_real_record_is_counted_once() {
    let Some(files) = record_files() else { return };
    let folder = TempDir::new().unwrap();
    let all = folder.path().join("all");
    fs::create_dir(&all).unwrap();
    let mut all_lines = Vec::new();
    for (path, lines) in files {
        let name = path.file_name().unwrap();
        let what = name.to_string_lossy().into_owned();
        let source = folder.path().join(format!("one-{what}"));
        fs::create_dir(&source).unwrap();
        fs::copy(&path, source.join(name)).unwrap();
        fs::copy(&path, all.join(name)).unwrap();
        let (code, report) = report_of(&source, &folder.path().join(format!("out-{what}")), &[]);
        check_counts(&report, code, &lines, &what);
        all_lines.extend(lines);
    }
    let (code, report) = report_of(&all, &folder.path().join("out"), &["--jobs", "3"]);
    check_counts(&report, code, &all_lines, "all files");
    assert!(!report["parties"].as_array().unwrap().is_empty());
}

/// S20: one answer a line; errors are answers.
#[test]
fn every_real_record_is_mapped_or_answered() {
    let Some(files) = record_files() else { return };
    for (path, lines) in files {
        let done = run(&["map", &path.display().to_string()]);
        let answers: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), lines.len(), "{}", path.display());
        let errors = answers.iter().filter(|answer| answer["error"].is_string()).count();
        assert_eq!(done.code, if errors > 0 { 2 } else { 0 });
        assert!(errors * 10 <= answers.len(), "{}: too many errors: {errors}", path.display());
        for (line, answer) in lines.iter().zip(&answers).filter(|(_, answer)| !answer["error"].is_string()) {
            assert!(matches!(answer["class"].as_str(), Some("mapped" | "no_iam" | "unmapped")), "{answer}");
            assert!(matches!(answer["outcome"].as_str(), Some("allowed" | "denied" | "failed")), "{answer}");
            assert_eq!(answer["class"] == "mapped", answer["actions"] != json!([]), "{answer}");
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(answer["event_id"].as_str(), Some(record["eventID"].as_str().unwrap_or_default()), "{line}");
        }
    }
}

const ACCOUNT: &str = "333344445555";

/// A role for each document: permissions with a plain vendor's trust, then trust documents with no permissions.
fn inventory_of(permissions: Vec<(String, Value)>, trusts: Vec<(String, Value)>) -> Vec<Value> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::464622532012:root"}}]});
    let role = |name: &str, trust: &Value, policies: Value| {
        json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "CreateDate": "2024-01-01T00:00:00Z",
            "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "AssumeRolePolicyDocument": trust,
            "RolePolicyList": policies, "AttachedManagedPolicies": [], "RoleLastUsed": {}})
    };
    let mut roles = Vec::new();
    for (at, (_, document)) in permissions.into_iter().enumerate() {
        let policies = json!([{"PolicyName": "Published", "PolicyDocument": document}]);
        roles.push(role(&format!("Permissions{at}"), &trust, policies));
    }
    for (at, (_, document)) in trusts.into_iter().enumerate() {
        roles.push(role(&format!("Trust{at}"), &document, json!([])));
    }
    roles
}

/// S30: all documents that vendors publish are read, and judged in a run.
#[test]
fn all_published_vendor_policies_are_judged() {
    let Some((permissions, trusts)) = published("permissions").zip(published("trust")) else { return };
    let roles = inventory_of(permissions, trusts);
    let permissions = roles.iter().filter(|role| role["RolePolicyList"] != json!([])).count();
    assert_eq!(permissions, 108);
    let roles_read = roles.len();
    let page = json!({"RoleDetailList": roles, "UserDetailList": [], "GroupDetailList": [], "Policies": []});
    let mut inventory = Inventory::default();
    inventory.add(&page.to_string()).unwrap();
    assert_eq!(inventory.roles.len(), roles_read);
    for role in inventory.roles.values() {
        let documents = role.inline.iter().map(|(_, document)| document).chain([&role.trust]);
        for document in documents {
            assert!(document.parsed.is_ok(), "{}: {:?}: {}", role.name, document.parsed, document.value);
        }
    }
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("inventory.json");
    fs::write(&file, page.to_string()).unwrap();
    let source = bundled::folder("vendors").join("AWSLogs");
    let out = folder.path().join("out");
    let (code, report) = report_of(&source, &out, &["--inventory", &file.display().to_string()]);
    assert_eq!(code, 0);
    let reported: Vec<&Value> = report["roles"].as_array().unwrap().iter().collect();
    let mut judged = 0;
    for role in reported.iter().filter(|role| role["name"].as_str().unwrap().starts_with("Permissions")) {
        judged += 1;
        let status = role["rightsizing"]["status"].as_str().unwrap();
        assert!(matches!(status, "proposed" | "unchanged"), "{}: {}", role["name"], role["rightsizing"]);
        let current = role["policies"][0]["files"]["current"].as_str().unwrap();
        assert!(out.join(current).is_file(), "{current}");
        let numbers = &role["rightsizing"];
        let number = |key: &str| numbers[key].as_u64().unwrap();
        assert_eq!(number("granted"), number("kept") + number("removed"), "{}", role["name"]);
    }
    assert_eq!(judged, 108);
}
