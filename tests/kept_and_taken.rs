//! Keep rules and guard-rails on the bundled trail: what stays because somebody answers for it, and what can be taken from
//! a role whose policy must stay.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod bundled;
mod folders;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::aws::window::parse_time;
use thirdtrail::run::analyze::{Options, Outcome, analyze};
use thirdtrail::run::config::RuleFiles;
use thirdtrail::run::inputs;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

use bundled::{folder, options, report};
use folders::json_file;
use program::run;

fn outcome(trail: &str, options: &Options) -> Outcome {
    analyze(&LocalStore::open(&folder(trail)).unwrap(), options, &Silent).unwrap()
}

/// An analysis of the vendors' trail with this keep file, judged as of this day.
fn kept(rules: &str, as_of: &str) -> (Outcome, Value) {
    let file = TempDir::new().unwrap();
    let path = file.path().join("keep.toml");
    fs::write(&path, rules).unwrap();
    let options = Options {
        rules: RuleFiles { keep: Some(path), ..RuleFiles::default() },
        as_of: parse_time(as_of),
        ..options("vendors", 2)
    };
    let outcome = outcome("vendors", &options);
    let report = report(&outcome);
    (outcome, report)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn role<'a>(report: &'a Value, account: &str, name: &str) -> &'a Value {
    list(&report["roles"]).iter().find(|role| role["name"] == name && role["account_id"] == account).unwrap()
}

fn entry<'a>(role: &'a Value, action: &str) -> &'a Value {
    list(&role["actions"]).iter().find(|entry| entry["action"] == action).unwrap()
}

fn findings<'a>(report: &'a Value, code: &str) -> Vec<&'a Value> {
    list(&report["findings"]).iter().filter(|finding| finding["code"] == code).collect()
}

fn is_dangerous_unused(entry: &&Value) -> bool {
    entry["verdict"] == "unused" && !entry["danger"].is_null() && entry["kept"] == false
}

const ACCOUNT: &str = "012345678901";

/// S37: each role with dangerous unused actions has a guard-rail that names exactly these, in both forms.
#[test]
fn dangerous_unused_actions_have_guardrails() {
    let outcome = outcome("vendors", &options("vendors", 2));
    let report = report(&outcome);
    let files: BTreeMap<&str, &[u8]> =
        outcome.files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect();
    let document = |path: &Value| -> Value { serde_json::from_slice(files[path.as_str().unwrap()]).unwrap() };
    let denied = |document: &Value| -> Value { list(&document["Statement"]).last().unwrap()["Action"].clone() };
    let (mut proposed, mut without) = (0, 0);
    for role in list(&report["roles"]) {
        let guardrail = &role["rightsizing"]["guardrail"];
        let dangerous: Vec<&Value> =
            list(&role["actions"]).iter().filter(is_dangerous_unused).map(|entry| &entry["action"]).collect();
        if dangerous.is_empty() {
            without += 1;
            assert_ne!(guardrail["status"], "proposed", "{role}");
            assert_eq!(guardrail["files"], json!({"boundary": null, "deny": null, "further": []}));
            continue;
        }
        proposed += 1;
        assert_eq!(guardrail["status"], "proposed", "{guardrail}");
        assert_eq!((&guardrail["actions"], &guardrail["taken"]), (&json!(dangerous), &json!(dangerous.len())));
        for form in ["boundary", "deny"] {
            assert_eq!(denied(&document(&guardrail["files"][form])), json!(dangerous));
            let proof = &guardrail["certificate"][form];
            let number = |key: &str| proof[key].as_u64().unwrap();
            assert_eq!(number("granted_after"), number("granted_before") - dangerous.len() as u64);
            assert_eq!((number("newly_allowed"), list(&proof["counter_examples"]).len()), (0, 0));
        }
        let folder = format!("roles/{}/{}", role["account_id"].as_str().unwrap(), role["name"].as_str().unwrap());
        let certificate = document(&format!("{folder}/certificate.json").into());
        assert_eq!(certificate["guardrail"]["actions"], guardrail["actions"]);
    }
    assert!(proposed > 8 && without > 5, "{proposed} {without}");
}

/// S31, S37: the certificate names every undecided call's missing keys, and counts what was replayed.
#[test]
fn replays_say_what_they_could_not_decide() {
    let report = report(&outcome("vendors", &options("vendors", 2)));
    let mut undecided = 0;
    for role in list(&report["roles"]) {
        let (replay, proof) = (&role["rightsizing"]["replay"], &role["rightsizing"]["certificate"]);
        if proof.is_null() {
            continue;
        }
        let sum = |key: &str| list(&replay["actions"]).iter().map(|action| action[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!(proof["calls_replayed"], sum("calls"), "{role}");
        assert_eq!((&proof["undecidable"], &replay["undecided"]), (&sum("undecided").into(), &proof["undecidable"]));
        undecided += sum("undecided");
    }
    assert!(undecided > 10);
    let contractors = &role(&report, "210987654321", "ExternalContractors")["rightsizing"]["replay"];
    assert_eq!(contractors["condition_keys"][0]["key"], "aws:SecureTransport");
    assert_eq!(contractors["condition_keys"][0]["calls"], contractors["undecided"]);
}

/// S38: every removed action says why: the window, no use, what would have shown one, its danger, who grants it.
#[test]
fn every_removal_says_why() {
    let outcome = outcome("vendors", &options("vendors", 2));
    let certificates = outcome.files.iter().filter(|file| file.path.ends_with("certificate.json"));
    let (mut removed, mut dangerous) = (0, 0);
    for certificate in certificates {
        let certificate: Value = serde_json::from_slice(&certificate.bytes).unwrap();
        assert!(certificate["coverage"]["hole_share"].is_number());
        assert!(!list(&certificate["not_considered"]).is_empty() || certificate["replay"]["scope"].is_null());
        for entry in list(&certificate["removed"]) {
            let why = entry["why"].as_str().unwrap();
            let window = format!("0 uses between {} and ", certificate["window"]["since"].as_str().unwrap());
            assert!(why.starts_with(&window) && why.contains("; "), "{entry}");
            assert_eq!((&entry["uses"], &entry["calls"]), (&json!(0), &entry["denied"]));
            assert!(!list(&entry["granted_by"]).is_empty(), "{entry}");
            removed += 1;
            dangerous += usize::from(!entry["danger"].is_null());
        }
    }
    assert!(removed > 1_000 && dangerous > 10, "{removed} {dangerous}");
}

/// S32: a role has one boundary: the guard-rail's holds the statements of the one that is there.
#[test]
fn the_boundary_that_is_there_stays_in_force() {
    let outcome = outcome("vendors", &options("vendors", 2));
    let made = serde_json::from_slice::<Value>(&bundled::file(
        &outcome,
        &format!("roles/{ACCOUNT}/OrcaSecurityRole/boundary.json"),
    ))
    .unwrap();
    let (inventory, _) = inputs::inventory(&options("vendors", 2).inventories).unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/VendorBoundary");
    let old = &inventory.policies[&arn].document.value;
    let (statements, old) = (list(&made["Statement"]), list(&old["Statement"]));
    assert_eq!(statements.len(), old.len() + 1);
    assert!(statements.starts_with(old));
    let report = report(&outcome);
    let guardrail = &role(&report, ACCOUNT, "OrcaSecurityRole")["rightsizing"]["guardrail"];
    assert_eq!(guardrail["replaces_boundary"], arn);
    assert!(String::from_utf8(bundled::file(&outcome, "report.md")).unwrap().contains("which holds all of"));
}

/// S32: a boundary that is not in the inventory cannot be held by a new one, so only the deny policy is proposed.
#[test]
fn an_unknown_boundary_is_not_replaced() {
    let mut inventory = json_file(&inputs::beside(&folder("vendors"))[0]);
    inventory["Policies"].as_array_mut().unwrap().retain(|policy| policy["PolicyName"] != "VendorBoundary");
    let place = TempDir::new().unwrap();
    let path = place.path().join("inventory.json");
    fs::write(&path, inventory.to_string()).unwrap();
    let outcome = outcome("vendors", &Options { inventories: vec![path], ..options("vendors", 2) });
    let report = report(&outcome);
    let guardrail = &role(&report, ACCOUNT, "OrcaSecurityRole")["rightsizing"]["guardrail"];
    assert_eq!((&guardrail["status"], &guardrail["files"]["boundary"]), (&json!("proposed"), &Value::Null));
    assert!(guardrail["files"]["deny"].is_string());
    assert!(
        guardrail["reason"].as_str().unwrap().starts_with("no boundary: the boundary arn:aws:iam::"),
        "{guardrail}"
    );
}

/// S26: a guard-rail rests on the same evidence as a removal, so holes withhold both.
#[test]
fn holes_withhold_guardrails() {
    let outcome = outcome("holes", &options("holes", 2));
    let report = report(&outcome);
    let withheld = |part: &Value| part["status"] == "withheld";
    let sizings: Vec<&Value> = list(&report["roles"]).iter().map(|role| &role["rightsizing"]).collect();
    let held: Vec<&&Value> = sizings.iter().filter(|sizing| withheld(sizing)).collect();
    assert!(held.len() > 5 && held.iter().all(|sizing| withheld(&sizing["guardrail"])));
    assert!(held.iter().all(|sizing| !sizing["guardrail"]["reason"].is_null()));
}

/// S37: a second guard-rail takes a name of its own, because overwriting the first would give back what that one took.
#[test]
fn guardrails_do_not_overwrite_each_other() {
    let name = "ZestyManager-guardrail-deny";
    let mut inventory = json_file(&inputs::beside(&folder("vendors"))[0]);
    let roles = inventory["RoleDetailList"].as_array_mut().unwrap();
    let role_of = roles.iter_mut().find(|role| role["RoleName"] == "ZestyManager").unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": []});
    let inline = role_of["RolePolicyList"].as_array_mut().unwrap();
    inline.push(json!({"PolicyName": name, "PolicyDocument": document}));
    let place = TempDir::new().unwrap();
    let path = place.path().join("inventory.json");
    fs::write(&path, inventory.to_string()).unwrap();
    let outcome = outcome("vendors", &Options { inventories: vec![path], ..options("vendors", 2) });
    let page = String::from_utf8(bundled::file(&outcome, "report.md")).unwrap();
    assert!(page.contains(&format!("--role-name ZestyManager --policy-name {name}-2 ")), "{page}");
    assert!(!page.contains(&format!("--role-name ZestyManager --policy-name {name} ")));
}

const RULES: &str = r#"
[[keep]]
actions = ["ec2:terminate*"]
role = "Cloudability*"
owner = "platform <script>|`x`"
reason = "instances are ended by hand"
expires = 2026-12-31

[[keep]]
actions = ["rds:*"]
vendor = "cloudability"
owner = "dba"
reason = "the yearly drill"
expires = "2026-09-01"

[[keep]]
actions = ["*"]
role = "arn:aws:iam::210987654321:role/nops-integration"
owner = "cost"
reason = "under review"

[[keep]]
actions = ["ec2:*"]
role = "NobodyKnowsThisRole"
owner = "platform"
reason = "gone"
expires = 2026-01-01
"#;

/// S39: a rule in force keeps, and says so; the verdict stays what the evidence says.
#[test]
fn rules_keep_and_change_no_verdict() {
    let (outcome, report) = kept(RULES, "2026-08-01");
    let cloudability = role(&report, ACCOUNT, "CloudabilityRole");
    let terminate = entry(cloudability, "ec2:TerminateInstances");
    assert_eq!((&terminate["verdict"], &terminate["kept"]), (&json!("unused"), &json!(true)));
    assert_eq!(
        terminate["kept_by"],
        "keep rule of platform <script>|`x`: instances are ended by hand (until 2026-12-31)"
    );
    assert_eq!(entry(cloudability, "rds:DeleteDBInstance")["kept"], true);
    assert_eq!(entry(cloudability, "ec2:StopInstances")["kept"], false);
    assert_eq!(cloudability["rightsizing"]["guardrail"]["actions"], json!(["ec2:StopInstances"]));
    let plain = bundled::report(&self::outcome("vendors", &options("vendors", 2)));
    let removed =
        |report: &Value| role(report, ACCOUNT, "CloudabilityRole")["rightsizing"]["removed"].as_u64().unwrap();
    assert_eq!(removed(&plain) - removed(&report), 3);
    let policy = &list(&cloudability["policies"])[0]["files"]["rightsized"];
    let document = String::from_utf8(bundled::file(&outcome, policy.as_str().unwrap())).unwrap();
    assert!(document.contains("ec2:TerminateInstances") && !document.contains("ec2:StopInstances"), "{document}");
    let page = String::from_utf8(bundled::file(&outcome, "report.md")).unwrap();
    assert!(page.contains("Kept by rule, although unused:") && !page.contains("<script"), "{page}");
}

/// S39: what a rule keeps is evidence, not noise: a role whose dangerous actions are all kept raises no alarm.
#[test]
fn what_is_kept_by_rule_is_no_alarm() {
    let (_, report) = kept(RULES, "2026-08-01");
    let dangerous = findings(&report, "dangerous-unused");
    let of = |name: &str| {
        dangerous.iter().find(|finding| finding["subject"].as_str().unwrap().ends_with(name)).copied().unwrap()
    };
    let some = of("/CloudabilityRole");
    assert_eq!((&some["severity"], list(&some["evidence"]["actions"]).len()), (&json!("high"), 1));
    assert_eq!(list(&some["evidence"]["kept_by_rule"]).len(), 3);
    let all = of("/nops-integration");
    assert_eq!((&all["severity"], list(&all["evidence"]["actions"]).len()), (&json!("info"), 0));
    assert!(list(&all["evidence"]["kept_by_rule"])[0].as_str().unwrap().ends_with("keep rule of cost: under review"));
    let sizing = &role(&report, "210987654321", "nops-integration")["rightsizing"];
    assert_eq!((&sizing["status"], &sizing["removed"]), (&json!("unchanged"), &json!(0)));
    assert_eq!(sizing["reason"], "all that is known to be unused is kept by a keep rule");
    let unused = findings(&report, "permissions-unused");
    assert!(!unused.iter().any(|finding| finding["subject"].as_str().unwrap().ends_with("/nops-integration")));
}

/// S39: on the day of its expiry, told by `as_of`, a rule keeps no more and is a finding.
#[test]
fn expired_rules_keep_nothing_and_are_found() {
    let (before, after) = (kept(RULES, "2026-08-31").1, kept(RULES, "2026-09-01").1);
    let delete = |report: &Value| entry(role(report, ACCOUNT, "CloudabilityRole"), "rds:DeleteDBInstance").clone();
    assert_eq!((&delete(&before)["kept"], &delete(&after)["kept"]), (&json!(true), &json!(false)));
    assert_eq!(delete(&after)["kept_by"], Value::Null);
    let subjects = |report: &Value| -> BTreeSet<String> {
        findings(report, "keep-expired").iter().map(|finding| finding["subject"].as_str().unwrap().to_owned()).collect()
    };
    // The rule about a role that nobody knows has no role to be about.
    assert_eq!(subjects(&before), BTreeSet::from([ACCOUNT.to_owned()]));
    let cloudability = format!("arn:aws:iam::{ACCOUNT}:role/CloudabilityRole");
    assert_eq!(subjects(&after), BTreeSet::from([ACCOUNT.to_owned(), cloudability.clone()]));
    let found = findings(&after, "keep-expired");
    let found = found.iter().find(|finding| finding["subject"] == cloudability).unwrap();
    assert_eq!(found["severity"], "medium");
    let rule = &found["evidence"]["rules"][0];
    assert_eq!((&rule["owner"], &rule["expires"], &rule["line"]), (&json!("dba"), &json!("2026-09-01"), &json!(9)));
    assert_eq!((&rule["actions"], &rule["no_longer_kept"]), (&json!(["rds:*"]), &json!(2)));
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// S39: the program hashes the keep file, and says in `run.json` what became of each rule.
#[test]
fn a_run_tells_what_became_of_each_rule() {
    let place = TempDir::new().unwrap();
    let (keep, out) = (place.path().join("keep.toml"), place.path().join("out"));
    fs::write(&keep, RULES).unwrap();
    let vendors = text(&folder("vendors"));
    let done = run(&["analyze", &vendors, "--keep", &text(&keep), "--out", &text(&out), "--progress", "none"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("keep rules: 3 in force keep "), "{}", done.stdout);
    assert!(done.stdout.contains("1 expired, 1 match nothing"), "{}", done.stdout);
    let run = json_file(&out.join("run.json"));
    let inputs = list(&run["inputs"]);
    let input = inputs.iter().find(|input| input["path"] == text(&keep)).unwrap();
    assert_eq!((input["sha256"].as_str().unwrap().len(), &input["bytes"]), (64, &json!(RULES.len())));
    let rules = list(&run["keep_rules"]);
    let shown: Vec<Value> = rules.iter().map(|rule| json!([rule["line"], rule["state"], rule["roles"]])).collect();
    assert_eq!(
        shown,
        [json!([2, "in_force", 1]), json!([9, "in_force", 1]), json!([16, "in_force", 1]), json!([22, "expired", 0])]
    );
}

/// S39: a mistake in the keep file is told in one line with the file and the line, and nothing is written.
#[test]
fn mistakes_in_a_keep_file_write_nothing() {
    let place = TempDir::new().unwrap();
    let (keep, out) = (place.path().join("keep.toml"), place.path().join("out"));
    let vendors = text(&folder("vendors"));
    let good = "[[keep]]\nactions = [\"ec2:*\"]\nowner = \"o\"\nreason = \"r\"\n";
    for (rules, says) in [
        (good.replace("owner = \"o\"\n", ""), "line 1: missing field `owner`"),
        (good.replace("reason", "because"), "line 4: unknown field `because`"),
        (good.replace("ec2:*", "ec2\u{1b}[31m:*"), "line 2: invalid"),
        (good.replace("ec2:*", "ec2*"), "line 2: `actions`: `ec2*` is no action pattern like `ec2:Start*`"),
        (format!("{good}expires = \"tomorrow\"\n"), "line 5: `expires`: `tomorrow` is no date like 2026-12-31"),
        ("keep = 3\n".to_owned(), "line 1: "),
    ] {
        fs::write(&keep, &rules).unwrap();
        let done = run(&["analyze", &vendors, "--keep", &text(&keep), "--out", &text(&out)]);
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.lines().count()), (2, "", 1), "{}", done.stderr);
        assert!(done.stderr.starts_with("error: cannot read keep file `"), "{}", done.stderr);
        assert!(done.stderr.contains(says) && done.stderr.contains("keep.toml"), "{rules}: {}", done.stderr);
        assert!(!done.stderr.contains('\u{1b}') && done.stderr.contains("; "), "{}", done.stderr);
    }
    let missing = run(&["analyze", &vendors, "--keep", &text(&place.path().join("none")), "--out", &text(&out)]);
    assert_eq!((missing.code, out.exists()), (2, false), "{}", missing.stderr);
}
