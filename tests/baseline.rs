//! `--baseline`: findings that an earlier report has already do not count for the gate, new and graver ones do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod bundled;
mod folders;
mod program;

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use bundled::folder;
use folders::json_file;
use program::run;

/// Real reports: the same twice is no change, `--baseline` knows every finding, and a new one counts for the gate.
#[test]
fn a_baseline_knows_what_was_there() {
    let out = TempDir::new().unwrap();
    let path = |name: &str| out.path().join(name).display().to_string();
    let trail = folder("vendors").display().to_string();
    let analyze = |name: &str, more: &[&str]| {
        let out = path(name);
        let mut arguments = vec!["analyze", trail.as_str(), "--no-config", "--progress", "none", "--out", out.as_str()];
        arguments.extend(more);
        run(&arguments)
    };
    assert_eq!(analyze("first", &["--fail-on", "low"]).code, 1);
    let first = path("first/report.json");
    let second = analyze("second", &["--fail-on", "low", "--baseline", &first]);
    assert_eq!(second.code, 0, "{}", second.stdout);
    assert!(second.stdout.contains("baseline: 0 open findings are new, "), "{}", second.stdout);
    let same = run(&["compare", &path("first"), &path("second"), "--fail-on", "low"]);
    assert!(same.code == 0 && same.stdout.ends_with("nothing changed\n"), "{}", same.stdout);

    // Ids are stable and one of a kind; without the gravest finding in the baseline, it counts.
    let mut report = json_file(&out.path().join("first/report.json"));
    let ids: BTreeSet<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), report["findings"].as_array().unwrap().len());
    let gravest = report["findings"].as_array_mut().unwrap().remove(0);
    fs::write(path("less.json"), report.to_string()).unwrap();
    let third =
        analyze("third", &["--fail-on", gravest["severity"].as_str().unwrap(), "--baseline", &path("less.json")]);
    assert!(third.code == 1 && third.stdout.contains("baseline: 1 open findings are new, "), "{}", third.stdout);
    let judged = json_file(&out.path().join("third/report.json"));
    let new: Vec<&Value> =
        judged["findings"].as_array().unwrap().iter().filter(|finding| finding["known"] == false).collect();
    assert_eq!((new.len(), &new[0]["id"]), (1, &gravest["id"]));
    let inputs = json_file(&out.path().join("third/run.json"))["inputs"].clone();
    assert!(inputs.as_array().unwrap().iter().any(|input| input["path"] == path("less.json").as_str()));

    // Graver than it was, or suppressed there: not known.
    report["findings"][0]["severity"] = json!("info");
    report["findings"][1]["suppressed"] = json!({"by": "x"});
    report["findings"].as_array_mut().unwrap().push(gravest);
    fs::write(path("other.json"), report.to_string()).unwrap();
    let fourth = analyze("fourth", &["--baseline", &path("other.json")]);
    assert!(fourth.stdout.contains("baseline: 2 open findings are new, "), "{}", fourth.stdout);
    assert_eq!(analyze("fifth", &["--baseline", &path("fourth/run.json")]).code, 2);
}
