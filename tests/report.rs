//! The outputs as files: where they lie, what they hold, and that strangers' names do no harm in them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod sample;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use thirdtrail::report::{OutputFile, render};

fn rendered() -> BTreeMap<String, String> {
    let files = render(&mut sample::assessment()).unwrap();
    let text = |file: OutputFile| (file.path, String::from_utf8_lossy(&file.bytes).into_owned());
    files.into_iter().map(text).collect()
}

fn json(files: &BTreeMap<String, String>, path: &str) -> Value {
    serde_json::from_str(&files[path]).unwrap()
}

/// Invariant 3: same inputs give byte-identical outputs, sorted by path.
#[test]
fn rendering_twice_gives_the_same_bytes() {
    let (first, second) = (render(&mut sample::assessment()).unwrap(), render(&mut sample::assessment()).unwrap());
    assert_eq!(first, second);
    assert!(first.is_sorted_by(|a, b| a.path < b.path));
}

/// S43: no path leaves its folder or differs from another only in case.
#[test]
fn paths_are_harmless_and_all_different() {
    let files = rendered();
    let folded: BTreeSet<String> = files.keys().map(|path| path.to_ascii_lowercase()).collect();
    assert_eq!(folded.len(), files.len());
    for path in files.keys() {
        assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,@_-./".contains(&b)), "{path}");
        assert!(path.split('/').all(|part| !part.is_empty() && !part.starts_with('.')), "{path}");
    }
}

/// S18, S43: a role created again has a folder of its own, and the one that exists keeps the plain name.
#[test]
fn recreated_roles_do_not_share_a_folder() {
    let files = rendered();
    assert!(files.contains_key("roles/012345678901/Datadog/certificate.json"));
    assert!(files.keys().any(|path| path.starts_with("roles/012345678901/Datadog--")));
    let role_id = |path: &str| json(&files, path)["role"]["role_id"].clone();
    assert_eq!(role_id("roles/012345678901/Datadog/certificate.json"), "AROAONE");
}

#[test]
fn the_report_names_the_files_of_each_policy() {
    let files = rendered();
    let report = json(&files, "report.json");
    assert_eq!(report["schema"], "thirdtrail.report/1");
    assert!(files["report.json"].ends_with("}\n"));
    let mut named = 0;
    for role in report["roles"].as_array().unwrap() {
        for policy in role["policies"].as_array().unwrap() {
            let paths = &policy["files"];
            let further = paths["further"].as_array().unwrap().iter();
            for path in [&paths["current"], &paths["rightsized"], &paths["diff"]].into_iter().chain(further) {
                if let Some(path) = path.as_str() {
                    assert!(files.contains_key(path), "{path}");
                    named += 1;
                }
            }
        }
    }
    for role in report["roles"].as_array().unwrap() {
        let paths = &role["rightsizing"]["guardrail"]["files"];
        let further = paths["further"].as_array().unwrap().iter();
        for path in [&paths["boundary"], &paths["deny"]].into_iter().chain(further).filter_map(Value::as_str) {
            assert!(files.contains_key(path), "{path}");
            named += 1;
        }
        for path in role["rightsizing"]["remediation"].as_object().unwrap().values().filter_map(Value::as_str) {
            assert!(files.contains_key(path), "{path}");
            named += 1;
        }
        let paths = role["trust_narrowing"]["files"].as_object().unwrap().iter();
        for path in paths.filter(|(name, _)| *name != "not_written").filter_map(|(_, path)| path.as_str()) {
            assert!(files.contains_key(path), "{path}");
            named += 1;
        }
    }
    let written = files.keys().filter(|path| path.starts_with("roles/") && !path.ends_with("certificate.json"));
    assert!(named > 10, "only {named} files are named");
    assert_eq!(named, written.count());
}

/// S36: a proposal over its limit is split, its parts lie beside each other; an emptied policy has a diff alone.
#[test]
fn each_proposal_has_its_documents_and_a_diff() {
    let files = rendered();
    let base = "roles/012345678901/Trial";
    assert!(files.contains_key(&format!("{base}/SharedPolicy.rightsized.json")));
    assert!(files.contains_key(&format!("{base}/SharedPolicy.rightsized-2.json")));
    assert!(!files.contains_key(&format!("{base}/ViewOnlyAccess.diff")));
    assert!(files.contains_key(&format!("{base}/ViewOnlyAccess.current.json")));
    let diff =
        files.iter().find(|(path, _)| path.starts_with(&format!("{base}/Inline_Policy--")) && path.ends_with("diff"));
    let (path, diff) = diff.unwrap();
    assert!(diff.starts_with(&format!("--- {}.current.json\n+++ ", path.trim_end_matches(".diff"))), "{diff}");
    assert!(diff.contains("-        \"iam:PassRole\"\n"), "{diff}");
    let emptied = files.keys().filter(|path| path.starts_with(&format!("{base}/inline_policy--")));
    assert_eq!(emptied.map(|path| path.rsplit('.').next().unwrap()).collect::<Vec<_>>(), ["json", "diff"]);
}

/// S37: a proposal that was withheld is not written as right-sized, its certificate is.
#[test]
fn withheld_proposals_are_not_written() {
    let mut assessment = sample::assessment();
    for role in &mut assessment.roles {
        role.rightsizing.status = "withheld".to_owned();
        role.trust_narrowing.as_mut().unwrap().status = "withheld".to_owned();
    }
    let files = render(&mut assessment).unwrap();
    assert!(files.iter().all(|file| !file.path.contains("/trust.")));
    assert!(files.iter().all(|file| !file.path.contains(".rightsized") && !file.path.ends_with(".diff")));
    assert_eq!(files.iter().filter(|file| file.path.ends_with("certificate.json")).count(), assessment.roles.len());
    assert!(assessment.roles.iter().all(|role| role.policies.iter().all(|policy| policy.files.rightsized.is_none())));
}

/// S38: every removed action says why, with window, coverage, count, danger and the statement that granted it.
#[test]
fn certificates_say_why_each_action_goes_or_stays() {
    let certificate = json(&rendered(), "roles/012345678901/Datadog/certificate.json");
    assert_eq!(certificate["window"]["since"], "2026-05-01T00:00:00Z");
    assert_eq!(certificate["coverage"]["holes"][0]["day"], "2026-06-03");
    assert_eq!(certificate["replay"]["result"]["calls_replayed"], 1);
    let names = |list: &str| {
        let entries = certificate[list].as_array().unwrap().iter();
        entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("removed"), ["ec2:RunInstances", "ec2:StopInstances", "iam:PassRole"]);
    assert_eq!(names("kept"), ["s3:GetObject", "s3:ListAllMyBuckets"]);
    let pass_role = &certificate["removed"][2];
    assert_eq!((&pass_role["calls"], &pass_role["danger"]), (&Value::from(0), &Value::from("privilege escalation")));
    assert_eq!(pass_role["granted_by"][0]["statement"], "Read");
    for entry in certificate["removed"].as_array().unwrap().iter().chain(certificate["kept"].as_array().unwrap()) {
        assert!(!entry["why"].as_str().unwrap().is_empty());
    }
}

/// S26: what is missing is said before anything else, and holes are named.
#[test]
fn the_page_begins_with_its_coverage() {
    let page = rendered().remove("report.md").unwrap();
    let incomplete =
        page.find("**Incomplete: 1 object and 1 record, and 1 input beside the trail could not be read").unwrap();
    assert!(incomplete < page.find("## What matters first").unwrap());
    assert!(page.contains("2026-06-03 (no objects)"), "{page}");
    // An input that is missing is missing, though every object was read.
    let mut lacking = sample::assessment();
    lacking.coverage.objects.failed.clear();
    lacking.coverage.records.bad = 0;
    let files = render(&mut lacking).unwrap();
    let page = files.iter().find(|file| file.path == "report.md").unwrap();
    assert!(String::from_utf8_lossy(&page.bytes).contains("**Incomplete: 0 objects and 0 records, and 1 input"));
    let mut complete = sample::assessment();
    complete.coverage.complete = true;
    complete.coverage.accounts[0].holes.clear();
    let files = render(&mut complete).unwrap();
    let page = files.iter().find(|file| file.path == "report.md").unwrap();
    assert!(String::from_utf8_lossy(&page.bytes).contains("**Complete: every object and record in scope"));
}

/// S33: a policy that others have or that AWS owns is replaced for this role; the others are named.
#[test]
fn shared_policies_are_replaced_not_edited() {
    let page = rendered().remove("report.md").unwrap();
    let steps = [
        "aws iam create-policy --policy-name Datadog-SharedPolicy-rightsized --policy-document \
         file://roles/012345678901/Datadog/SharedPolicy.rightsized.json",
        "aws iam attach-role-policy --role-name Datadog --policy-arn \
         arn:aws:iam::012345678901:policy/Datadog-SharedPolicy-rightsized",
        "aws iam detach-role-policy --role-name Datadog --policy-arn arn:aws:iam::012345678901:policy/SharedPolicy",
    ];
    let places: Vec<usize> =
        steps.iter().map(|step| page.find(step).unwrap_or_else(|| panic!("{step}\n{page}"))).collect();
    assert!(places.is_sorted());
    assert!(page.contains("Also attached to 1 other: `role/OtherRole`"));
    assert!(!page.contains("create-policy-version"));
}

/// S37, S43: the page says what a guard-rail takes and how it is put in place, never with a name that needs quoting.
#[test]
fn guardrails_come_with_their_steps() {
    let files = rendered();
    let page = &files["report.md"];
    let steps = [
        "**A guard-rail takes 1 dangerous unused action and nothing else**: `iam:PassRole`.",
        "`roles/012345678901/Datadog/boundary.json`, which holds all of `arn:aws:iam::012345678901:policy/Fence`",
        "aws iam create-policy --policy-name Datadog-guardrail-boundary --policy-document \
         file://roles/012345678901/Datadog/boundary.json",
        "aws iam put-role-permissions-boundary --role-name Datadog --permissions-boundary \
         arn:aws:iam::012345678901:policy/Datadog-guardrail-boundary",
        "aws iam attach-role-policy --role-name Datadog --policy-arn \
         arn:aws:iam::012345678901:policy/Datadog-guardrail-deny-2",
    ];
    for step in steps {
        assert!(page.contains(step), "{step}\n{page}");
    }
    // The role with the hostile name has its section, and no command names it.
    assert_eq!(page.matches("#### If the policy must stay as it is").count(), 3);
    assert_eq!(page.matches("put-role-permissions-boundary").count(), 2);
    let certificate = json(&files, "roles/012345678901/Datadog/certificate.json");
    let guardrail = &certificate["guardrail"];
    assert_eq!((&guardrail["status"], &guardrail["result"]["deny"]["granted_after"]), (&"proposed".into(), &4.into()));
}

/// S39, S43: what a keep rule keeps is shown with the rule's words, which are a stranger's.
#[test]
fn what_a_rule_keeps_is_told() {
    let mut assessment = sample::assessment();
    let entry = &mut assessment.roles[1].actions[1];
    (entry.kept, entry.kept_by) = (true, Some(format!("keep rule of {}: why", sample::HOSTILE)));
    let files = render(&mut assessment).unwrap();
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8_lossy(&file.bytes).into_owned()
    };
    let page = text("report.md");
    assert!(
        page.contains("| `iam:PassRole` | privilege escalation | keep rule of a\\|b\\`c\\`&lt;script&gt;"),
        "{page}"
    );
    let certificate: Value = serde_json::from_str(&text("roles/012345678901/Datadog/certificate.json")).unwrap();
    let kept = certificate["kept"].as_array().unwrap();
    let pass_role = kept.iter().find(|entry| entry["action"] == "iam:PassRole").unwrap();
    assert_eq!(pass_role["verdict"], "unused");
    assert!(pass_role["kept_by"].as_str().unwrap().starts_with("keep rule of "));
}

/// S28, S38: a role's section tells idleness, the ledger, the removals and the denied calls.
#[test]
fn the_page_tells_the_role() {
    let page = rendered().remove("report.md").unwrap();
    for part in [
        "**Idle? idle, 120 days** (no call since April). Last active at 2026-04-03T00:00:00Z (iam).",
        "Granted actions: 1 used, 3 unused, 1 not observable, 0 needed by others (dependent).",
        "**Take back 3 of 5 granted actions, keep 2.**",
        "| `iam:PassRole` | privilege escalation | Inline\\|Policy Read |",
        "| `kms:Decrypt` | 4 | denied |",
        "| critical | `trust-any-external-id` |",
        "**not demanded** (if exists)",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
}

/// What was tampered with is said plainly, object by object, with the times that nothing proves.
#[test]
fn the_page_tells_what_digests_say() {
    let page = &rendered()["report.md"];
    for part in [
        "**The trail is not as CloudTrail delivered it.** The days concerned count as holes.",
        "Log objects: 1 verified, 1 tampered with, 1 missing; not verified: 1 not named.",
        "Digests: 3 read, 1 verified; not verified: 1 unreadable.",
        "| hash differs |",
        "| 2026-05-01T00:00:00Z | open | digest missing |",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
}

/// S43: a stranger's text is neither HTML nor a table border nor a line of its own.
#[test]
fn the_page_obeys_no_stranger() {
    let page = rendered().remove("report.md").unwrap();
    assert!(page.contains("&lt;script&gt;"));
    assert!(!page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{202e}'));
    let mut columns = 0;
    for line in page.lines() {
        let borders = line.replace("\\|", "").matches('|').count();
        match (line.starts_with('|'), columns) {
            (false, _) => columns = 0,
            (true, 0) => columns = borders,
            (true, _) => assert_eq!(borders, columns, "{line}"),
        }
    }
}

/// S44: beyond 200 roles the details are left to the files.
#[test]
fn very_many_roles_are_left_to_the_files() {
    let mut assessment = sample::assessment();
    assessment.roles = (0..205).map(|at| sample::role(&format!("Role{at:03}"), &format!("AROA{at}"), true)).collect();
    let files = render(&mut assessment).unwrap();
    let page = files.iter().find(|file| file.path == "report.md").unwrap();
    let page = String::from_utf8_lossy(&page.bytes);
    assert!(page.contains("200 roles are shown; 5 more are in `report.json`"));
    assert!(page.contains("### `Role199`") && !page.contains("### `Role200`"));
    assert!(files.iter().any(|file| file.path == "roles/012345678901/Role204/certificate.json"));
}
