//! `compare`: what is new and what is gone, told apart from what was not read; the same both ways.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod program;

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::finding::compare::changes::{Changes, Comparison};
use thirdtrail::finding::compare::compare;
use thirdtrail::finding::compare::snapshot::Snapshot;

use program::run;

const ACCOUNT: &str = "111122223333";

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn finding(code: &str, severity: &str, role: &str) -> Value {
    json!({"id": format!("{code}/{role}"), "code": code, "severity": severity, "account_id": ACCOUNT, "subject": arn(role),
        "party": "Datadog", "title": code, "suppressed": null})
}

/// A report with one role, one party and nothing to doubt.
fn report() -> Value {
    json!({
        "schema": "thirdtrail.report/1", "idle_days": 90,
        "window": {"since": "2026-05-01T00:00:00Z", "until": "2026-08-01T00:00:00Z"}, "as_of": "2026-08-01T00:00:00Z",
        "asked": {"accounts": [], "regions": [], "vendors": 1},
        "coverage": {"complete": true, "accounts": [{"account_id": ACCOUNT, "hole_share": 0.0, "read_events_seen": true,
            "regions": [{"region": "us-east-1"}, {"region": "eu-west-1"}]}]},
        "parties": [{"id": "464622532012", "kind": "vendor", "name": "Datadog", "roles": [arn("A")],
            "regions": ["us-east-1"], "networks": ["203.0.113.0/24"]}],
        "roles": [{"arn": arn("A"), "account_id": ACCOUNT, "name": "A", "role_id": "AROA1", "in_inventory": true,
            "trust": [{"principal": "arn:aws:iam::464622532012:root", "party": "Datadog", "outside": true,
                "external_id": {"required": true, "match": "exact", "fingerprint": "f1"}, "subjects": null}],
            "actions": [{"action": "ec2:DescribeInstances", "verdict": "used"}, {"action": "ec2:RunInstances", "verdict": "unused"}],
            "rightsizing": {"status": "proposed", "reason": null, "granted": 2, "kept": 1, "removed": 1}}],
        "findings": [finding("trust-whole-account", "medium", "A")],
    })
}

fn read(report: &Value) -> Snapshot {
    Snapshot::read(&report.to_string()).unwrap()
}

fn between(old: &Value, new: &Value) -> Comparison {
    compare(&read(old), &read(new))
}

/// What is new, gone, and not read, each as text.
fn told<T: serde::Serialize>(changes: &Changes<T>) -> [BTreeSet<String>; 3] {
    let plain = |value: &Value| {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove("doubt");
        value.to_string()
    };
    let value = serde_json::to_value(changes).unwrap();
    ["new", "gone", "not_read"].map(|list| value[list].as_array().unwrap().iter().map(plain).collect())
}

fn is_mirrored<T: serde::Serialize>(there: &Changes<T>, back: &Changes<T>) {
    let ([new, gone, not_read], [new_back, gone_back, not_read_back]) = (told(there), told(back));
    let join = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.union(b).cloned().collect::<BTreeSet<_>>();
    assert_eq!(new, join(&gone_back, &not_read_back));
    assert_eq!(new_back, join(&gone, &not_read));
    assert!(gone.is_disjoint(&not_read));
}

fn both_ways(old: &Value, new: &Value) {
    let (there, back) = (between(old, new), between(new, old));
    is_mirrored(&there.parties, &back.parties);
    is_mirrored(&there.roles, &back.roles);
    is_mirrored(&there.trusts, &back.trusts);
    is_mirrored(&there.actions, &back.actions);
    is_mirrored(&there.regions, &back.regions);
    is_mirrored(&there.networks, &back.networks);
    is_mirrored(&there.findings, &back.findings);
    assert_eq!(there.rightsizing.len(), back.rightsizing.len());
    assert_eq!(there.findings_changed.len(), back.findings_changed.len());
    for (a, b) in there.rightsizing.iter().zip(&back.rightsizing) {
        assert_eq!((&a.role, &a.from, &a.to), (&b.role, &b.to, &b.from));
    }
    for (a, b) in there.trusts_changed.iter().zip(&back.trusts_changed) {
        assert_eq!((&a.what, &a.from, &a.to), (&b.what, &b.to, &b.from));
    }
}

/// A report drawn from a few roles, parties and findings, complete or not.
fn any_report() -> impl Strategy<Value = Value> {
    let some = |names: &'static [&'static str]| prop::sample::subsequence(names, 0..=names.len());
    let severity = prop::sample::select(vec!["low", "high"]);
    (
        some(&["A", "B", "C"]),
        some(&["464622532012", "165736516723", "repo:x/y"]),
        some(&["role-idle", "trust-anyone", "keep-expired", "party-unexpected-role"]),
        some(&["ec2:DescribeInstances", "s3:ListBucket"]),
        some(&["us-east-1", "eu-west-1"]),
        (any::<bool>(), any::<bool>(), severity, 1..90_u32),
    )
        .prop_map(|(roles, parties, codes, actions, regions, (complete, holes, severity, days))| {
            let mut report = report();
            let since = 60 + days;
            let until = chrono::NaiveDate::from_yo_opt(2026, since).unwrap();
            report["window"]["since"] = json!("2026-03-01T00:00:00Z");
            report["window"]["until"] = json!(format!("{until}T00:00:00Z"));
            report["coverage"]["complete"] = json!(complete);
            report["coverage"]["accounts"][0]["hole_share"] = json!(if holes { 0.1 } else { 0.0 });
            let template = report["roles"][0].clone();
            let role = |name: &&str| {
                let mut role = template.clone();
                role["arn"] = json!(arn(name));
                role["actions"] =
                    actions.iter().map(|action| json!({"action": action, "verdict": "used"})).collect();
                role["rightsizing"]["removed"] = json!(days % 3);
                role["trust"][0]["external_id"]["required"] = json!(complete);
                role
            };
            report["roles"] = roles.iter().map(role).collect();
            report["parties"] = parties
                .iter()
                .map(|id| {
                    let roles: Vec<String> = roles.iter().map(|role| arn(role)).collect();
                    json!({"id": id, "kind": "vendor", "name": id, "roles": roles, "regions": regions, "networks": regions})
                })
                .collect();
            report["findings"] = codes.iter().map(|code| finding(code, severity, "A")).collect();
            report
        })
}

proptest! {
    /// A report compared with itself has no changes; the other way round, new and gone change places.
    #[test]
    fn comparisons_mirror(old in any_report(), new in any_report()) {
        for one in [&old, &new] {
            let same = between(one, one);
            prop_assert!(same.is_empty() && same.to_look_at().next().is_none());
        }
        both_ways(&old, &new);
    }
}

#[test]
fn what_is_new_and_gone_is_told() {
    let old = report();
    let mut new = report();
    new["parties"] = json!([{"id": "165736516723", "kind": "vendor", "name": "Cloudability", "roles": [arn("B")],
        "regions": ["eu-west-1"], "networks": ["198.51.100.0/24"]}]);
    new["roles"][0]["arn"] = json!(arn("B"));
    new["findings"] = json!([finding("trust-anyone", "critical", "B")]);
    let changes = between(&old, &new);
    assert_eq!(changes.notes, Vec::<String>::new());
    assert_eq!(
        (changes.parties.new[0].what.name.as_str(), changes.parties.new[0].doubt.as_ref()),
        ("Cloudability", None)
    );
    assert_eq!(changes.parties.gone[0].name, "Datadog");
    assert_eq!((changes.roles.new[0].what.arn.clone(), changes.roles.gone[0].arn.clone()), (arn("B"), arn("A")));
    assert_eq!((changes.trusts.new.len(), changes.trusts.gone.len()), (1, 1));
    assert_eq!(changes.actions.new[0].what.action, "ec2:DescribeInstances");
    assert_eq!(
        (changes.regions.new[0].what.place.as_str(), changes.regions.gone[0].place.as_str()),
        ("eu-west-1", "us-east-1")
    );
    assert_eq!((changes.networks.new.len(), changes.networks.gone.len()), (1, 1));
    assert_eq!(
        (changes.findings.new[0].what.severity.as_str(), changes.findings.gone[0].code.as_str()),
        ("critical", "trust-whole-account")
    );
}

#[test]
fn what_both_have_and_tell_differently_is_told() {
    let old = report();
    let mut new = report();
    new["parties"][0]["name"] = json!("Our monitoring");
    new["roles"][0]["role_id"] = json!("AROA2");
    new["roles"][0]["trust"][0]["external_id"]["required"] = json!(false);
    new["roles"][0]["rightsizing"] = json!({"status": "withheld", "granted": 2, "kept": 2, "removed": 0});
    new["findings"][0]["severity"] = json!("high");
    let changes = between(&old, &new);
    let one = |list: &[thirdtrail::finding::compare::changes::Changed]| {
        (list.len(), list[0].field, list[0].from.clone(), list[0].to.clone())
    };
    assert_eq!(one(&changes.parties_changed), (1, "name", "Datadog".to_owned(), "Our monitoring".to_owned()));
    assert_eq!(one(&changes.roles_changed), (1, "role_id", "AROA1".to_owned(), "AROA2".to_owned()));
    let (demanded, open) = ("required, exact, f1".to_owned(), "not required, exact, f1".to_owned());
    assert_eq!(one(&changes.trusts_changed), (1, "external_id", demanded, open));
    assert_eq!((changes.rightsizing[0].from.removed, changes.rightsizing[0].to.status.as_str()), (1, "withheld"));
    assert_eq!(changes.findings_changed[0].old_severity, "medium");
    assert!(changes.parties.is_empty() && changes.roles.is_empty() && changes.trusts.is_empty());
}

/// S26: what the new report could not have shown is not called gone, and says why.
#[test]
fn what_was_not_read_is_not_called_gone() {
    let old = report();
    let emptied = || {
        let mut new = report();
        new["parties"] = json!([]);
        new["roles"][0]["actions"] = json!([]);
        new["findings"] = json!([]);
        new
    };
    let check = |spoil: &dyn Fn(&mut Value), says: &str| {
        let mut new = emptied();
        spoil(&mut new);
        let changes = between(&old, &new);
        assert!(changes.parties.gone.is_empty() && changes.actions.gone.is_empty(), "{says}: {changes:?}");
        assert!(
            changes.findings.gone.is_empty() && changes.regions.gone.is_empty() && changes.networks.gone.is_empty()
        );
        for doubt in [
            &changes.parties.not_read[0].doubt,
            &changes.actions.not_read[0].doubt,
            &changes.findings.not_read[0].doubt,
        ] {
            assert_eq!(doubt.as_deref(), Some(says));
        }
    };
    let sure = between(&old, &emptied());
    assert_eq!((sure.parties.gone.len(), sure.actions.gone.len(), sure.findings.gone.len()), (1, 1, 1));
    check(&|new| new["coverage"]["complete"] = json!(false), "not everything could be read");
    check(
        &|new| new["window"]["since"] = json!("2026-07-01T00:00:00Z"),
        "the window is shorter (31 days, not 92 days)",
    );
    check(&|new| new["window"]["since"] = json!("soon"), "the window cannot be read");
    check(&|new| new["asked"]["regions"] = json!(["eu-west-1"]), "only Regions eu-west-1 were read");
    check(&|new| new["coverage"]["accounts"] = json!([]), "no record of account 111122223333 was read");
    check(
        &|new| new["coverage"]["accounts"][0]["hole_share"] = json!(0.06),
        "account 111122223333 has holes on 6.0 % of the days",
    );
    check(
        &|new| new["coverage"]["accounts"][0]["read_events_seen"] = json!(false),
        "no reads of account 111122223333 were recorded",
    );
    // As many holes as the report allows itself are told, and prove no less than in the report.
    let mut few = emptied();
    few["coverage"]["accounts"][0]["hole_share"] = json!(0.06);
    few["asked"]["max_holes"] = json!(0.1);
    let changes = between(&old, &few);
    assert_eq!((changes.parties.gone.len(), changes.notes.len()), (1, 1));
    // Without the inventory nobody knows whom the roles let in.
    let mut new = emptied();
    new["roles"] = json!([]);
    let changes = between(&old, &new);
    assert!(changes.roles.gone.is_empty() && changes.trusts.gone.is_empty() && changes.findings.gone.is_empty());
    let doubt = changes.trusts.not_read[0].doubt.as_deref();
    assert_eq!(doubt, Some("no inventory of account 111122223333 is known to be read"));
}

/// What is new where the old report could not have shown it may have been there before, and is told as new all the same.
#[test]
fn what_is_new_may_have_been_there_before() {
    let (mut old, new) = (report(), report());
    old["parties"] = json!([]);
    old["coverage"]["complete"] = json!(false);
    let changes = between(&old, &new);
    assert_eq!(changes.parties.new[0].doubt.as_deref(), Some("not everything could be read"));
    assert_eq!(changes.notes, ["the old report is incomplete: not everything could be read"]);
}

/// S18: a role beside the one that had its name before is that role, in whatever order they stand.
#[test]
fn a_role_made_again_is_the_one_of_the_inventory() {
    let old = report();
    let mut new = report();
    let mut before = new["roles"][0].clone();
    before["role_id"] = json!("AROA0");
    before["in_inventory"] = json!(false);
    before["rightsizing"]["status"] = json!("withheld");
    for at in [0, 1] {
        let mut both = new.clone();
        both["roles"].as_array_mut().unwrap().insert(at, before.clone());
        assert!(between(&both, &both).is_empty());
        // What the other one did is not what this one did.
        let changes = between(&old, &both);
        assert_eq!((changes.actions.new.len(), changes.roles.new.len(), changes.roles_changed.len()), (1, 0, 0));
        assert_eq!(changes.actions.new[0].what.role_id, "AROA0");
    }
    new["roles"] = json!([before]);
    assert_eq!(between(&old, &new).roles_changed[0].to, "AROA0");
}

/// S16, S17: what only a list of vendors or of own accounts tells is not gone, and not new, for want of it.
#[test]
fn parties_rest_on_their_inputs() {
    let mut old = report();
    old["parties"][0]["kind"] = json!("iam_user");
    let mut new = report();
    new["parties"] = json!([]);
    let gone =
        |changes: &Comparison| (changes.parties.gone.len(), changes.regions.gone.len(), changes.networks.gone.len());
    assert_eq!(gone(&between(&old, &new)), (1, 1, 1));
    new["asked"]["vendors"] = json!(0);
    let changes = between(&old, &new);
    assert_eq!(gone(&changes), (0, 0, 0));
    assert_eq!(changes.networks.not_read[0].doubt.as_deref(), Some("no vendors file was given"));
    assert_eq!(gone(&between(&report(), &new)), (1, 1, 1));
    let mut ours = report();
    ours["parties"][0]["kind"] = json!("own_organization");
    ours["roles"][0]["trust"][0]["outside"] = json!(false);
    let changes = between(&report(), &ours);
    assert_eq!((gone(&changes), changes.trusts.gone.len(), changes.parties_changed.len()), ((0, 0, 0), 0, 1));
    assert!(changes.parties.not_read[0].doubt.as_deref().unwrap().ends_with("counts as own organization there"));
}

/// Findings that rest on an input that only one of the two had are not called gone.
#[test]
fn findings_rest_on_their_inputs() {
    let check = |code: &str, spoil: &dyn Fn(&mut Value), gone: bool| {
        let (mut old, mut new) = (report(), report());
        old["findings"] = json!([finding(code, "high", "A")]);
        old["users"] = json!([{"active_keys": 1}]);
        old["coverage"]["integrity"] = json!({});
        new["findings"] = json!([]);
        new["users"] = json!([{"active_keys": 1}]);
        new["coverage"]["integrity"] = json!({});
        spoil(&mut new);
        assert_eq!(between(&old, &new).findings.gone.len() == 1, gone, "{code}");
    };
    for code in ["party-unexpected-role", "digest-mismatch", "key-old", "role-idle", "keep-expired"] {
        check(code, &|_| {}, true);
    }
    check("party-unexpected-role", &|new| new["asked"]["vendors"] = json!(0), false);
    check("digest-mismatch", &|new| new["coverage"]["integrity"] = Value::Null, false);
    check("key-old", &|new| new["users"] = json!([{"active_keys": null}]), false);
    check("role-idle", &|new| new["idle_days"] = json!(30), false);
    check("keep-expired", &|new| new["coverage"]["complete"] = json!(false), true);
}

/// A list that shows so many networks and no more proves nothing of those that it does not show.
#[test]
fn full_lists_prove_no_absence() {
    let old = report();
    let mut new = report();
    let many: Vec<String> = (0..20).map(|at| format!("198.51.{at}.0/24")).collect();
    new["parties"][0]["networks"] = json!(many);
    let changes = between(&old, &new);
    assert!(changes.networks.gone.is_empty());
    assert_eq!(changes.networks.not_read[0].doubt.as_deref(), Some("only 20 networks of a party are listed"));
    new["parties"][0]["networks"] = json!(many[..19]);
    assert_eq!(between(&old, &new).networks.gone.len(), 1);
}

/// Writes both, and compares them as scripts do.
fn ran(old: &Value, new: &Value, more: &[&str]) -> program::Run {
    let folder = TempDir::new().unwrap();
    let place = |name: &str, report: &Value| {
        let path = folder.path().join(name);
        fs::write(&path, report.to_string()).unwrap();
        path.display().to_string()
    };
    let (old, new) = (place("old.json", old), place("new.json", new));
    let mut arguments = vec!["compare", old.as_str(), new.as_str()];
    arguments.extend(more);
    run(&arguments)
}

/// 1 for a new finding as grave as asked or graver, or one that became so or lost its suppression; 3 where that nothing is
/// new is not known; else 0.
#[test]
fn the_exit_code_is_for_scripts() {
    let old = report();
    let check = |new: &Value, level: Option<&str>, expected: i32| {
        let more: Vec<&str> = level.into_iter().flat_map(|level| ["--fail-on", level]).collect();
        let ran = ran(&old, new, &more);
        assert_eq!(ran.code, expected, "{level:?}: {}{}", ran.stdout, ran.stderr);
    };
    check(&old, Some("low"), 0);
    let mut new = report();
    new["findings"].as_array_mut().unwrap().push(finding("trust-anyone", "high", "B"));
    check(&new, None, 0);
    check(&new, Some("critical"), 0);
    check(&new, Some("high"), 1);
    check(&new, Some("low"), 1);
    let mut suppressed = new.clone();
    suppressed["findings"][1]["suppressed"] = json!({"by": "thirdtrail.toml:1"});
    check(&suppressed, Some("low"), 0);
    let mut graver = report();
    graver["findings"][0]["severity"] = json!("high");
    check(&graver, Some("high"), 1);
    check(&graver, Some("critical"), 0);
    let mut lesser = report();
    lesser["findings"][0]["severity"] = json!("low");
    check(&lesser, Some("low"), 0);
    let mut incomplete = report();
    incomplete["coverage"]["complete"] = json!(false);
    check(&incomplete, Some("low"), 3);
    check(&incomplete, None, 3);
    incomplete["findings"] = new["findings"].clone();
    check(&incomplete, Some("high"), 1);
    // A suppression that ended makes a finding count again.
    let mut was = report();
    was["findings"][0]["suppressed"] = json!({"by": "thirdtrail.toml:1"});
    assert_eq!(ran(&was, &report(), &["--fail-on", "medium"]).code, 1);
}

#[test]
fn comparisons_are_told_in_three_ways() {
    let old = report();
    let mut new = report();
    new["findings"] = json!([finding("trust-anyone", "critical", "B")]);
    new["window"]["until"] = json!("2026-07-31T00:00:00Z");
    let table = ran(&old, &new, &[]);
    assert!(table.stdout.contains("findings: 1 new, 1 not seen, but perhaps not read"), "{}", table.stdout);
    assert!(table.stdout.contains(&format!("  + critical trust-anyone {}\n", arn("B"))));
    let shorter = "in the new report the window is shorter (91 days, not 92 days)";
    assert!(table.stdout.contains(&format!("  ? medium trust-whole-account {} ({shorter})\n", arn("A"))));
    assert!(table.stdout.contains("note: the windows differ in length: 92 days and 91 days"));
    let json: Value = serde_json::from_str(&ran(&old, &new, &["--format", "json"]).stdout).unwrap();
    assert_eq!((&json["schema"], &json["findings"]["gone"]), (&json!("thirdtrail.comparison/1"), &json!([])));
    assert_eq!(json["findings"]["new"][0]["doubt"], Value::Null);
    let page = ran(&old, &new, &["--format", "markdown"]).stdout;
    assert!(page.starts_with("# What changed\n") && page.contains("\n## Findings\n"), "{page}");
    assert!(ran(&old, &old, &[]).stdout.ends_with("nothing changed\n"));
    assert!(ran(&old, &old, &["--format", "markdown"]).stdout.ends_with("Nothing changed.\n"));
}

/// S43: what strangers wrote is neither markup nor control.
#[test]
fn strangers_words_are_shown_not_obeyed() {
    let old = report();
    let mut new = report();
    new["parties"][0]["id"] = json!("x/<script>a|b\u{1b}[31m\n# head\u{202e}");
    new["parties"][0]["name"] = json!("<b>a|b\u{1b}]0;x\u{7}\n");
    let table = ran(&old, &new, &[]).stdout;
    assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}') && !table.contains("\n# head"), "{table}");
    let page = ran(&old, &new, &["--format", "markdown"]).stdout;
    assert!(!page.contains('<') && !page.contains("\n# head") && !page.contains('\u{1b}'), "{page}");
}

#[test]
fn what_is_no_report_is_refused() {
    let other = ran(&json!({"schema": "thirdtrail.run/1"}), &report(), &[]);
    assert_eq!((other.code, other.stdout.as_str()), (2, ""));
    assert!(other.stderr.contains("old.json`: its schema is `thirdtrail.run/1`, not `thirdtrail.report/1`; give the"));
    assert_eq!(other.stderr.lines().count(), 1);
    let gone = run(&["compare", "nowhere.json", "nowhere.json"]);
    assert!(gone.code == 2 && gone.stderr.starts_with("error: cannot read report `nowhere.json`: "), "{}", gone.stderr);
}
