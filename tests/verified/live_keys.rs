//! Public keys from CloudTrail itself, asked in the Regions and for the time of the digests.

use std::collections::BTreeSet;

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::folders::json_file;
use crate::stand_in::{Answer, Call, StandIn};
use crate::verified::{chains, sound};
use crate::write;

/// The program on a folder, with credentials for the stand-in; its exit code and what it said.
fn analyzed(aws: &StandIn, folder: &std::path::Path) -> (i32, String) {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", "AKIACALLER").env("AWS_SECRET_ACCESS_KEY", "testing");
    command.args([
        "analyze",
        &path("trail"),
        "--out",
        &path("out"),
        "--verify-digests",
        "--digest-public-keys",
        "live",
    ]);
    let output = command.args(["--endpoint-url", &aws.url(), "--region-name", "us-east-1"]).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Keys come page by page; each Region of the digests is asked once, for their time, and the answer is an input.
#[test]
fn keys_are_asked_for_in_the_regions_of_the_digests() {
    let (trail, folder) = (sound(), tempfile::tempdir().unwrap());
    write(&trail.files, &folder.path().join("trail"));
    let keys: Value = serde_json::from_str(&trail.keys).unwrap();
    let aws = StandIn::new(move |call: &Call| {
        let first = call.parameter("NextToken").is_empty();
        Answer::Json(if first { json!({"PublicKeyList": [], "NextToken": "more"}) } else { keys.clone() })
    });
    let (code, said) = analyzed(&aws, folder.path());
    assert_eq!(code, 0, "{said}");
    let report = json_file(&folder.path().join("out/report.json"));
    // A folder has no metadata, so the newest of each chain stays unknown.
    let digests = &report["coverage"]["integrity"]["digests"];
    assert_eq!(digests["unverified"], json!({"signature_unknown": chains(&trail).len()}));
    let calls = aws.calls();
    assert!(calls.iter().all(|call| call.action == "ListPublicKeys" && call.service == "cloudtrail"));
    let regions: Vec<&str> =
        calls.iter().map(|call| call.region.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!((regions, calls.len()), (vec!["eu-west-1", "us-east-1"], 4));
    // The first digest ends at 2026-04-30T06:00:00Z; from two hours before.
    assert!(calls.iter().all(|call| call.parameter("StartTime") == "1777521600"));
    let inputs = json_file(&folder.path().join("out/run.json"))["inputs"].clone();
    let live = inputs.as_array().unwrap().iter().filter(|input| input["path"] == "live:public-keys/eu-west-1.json");
    assert_eq!(live.count(), 1, "{inputs}");
}

#[test]
fn a_refusal_is_told_before_anything_is_read() {
    let (trail, folder) = (sound(), tempfile::tempdir().unwrap());
    write(&trail.files, &folder.path().join("trail"));
    let aws = StandIn::new(|_: &Call| Answer::Error(400, "AccessDeniedException", "not you"));
    let (code, said) = analyzed(&aws, folder.path());
    assert_eq!((code, said.lines().filter(|line| line.starts_with("error")).count()), (2, 1), "{said}");
    assert!(said.contains("cloudtrail:ListPublicKeys: ") && said.contains("AccessDeniedException"), "{said}");
    assert!(!folder.path().join("out").exists());
}
