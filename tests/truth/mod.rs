//! A report compared with the truth that the generator of its trail wrote down while making it.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its truth has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A list that must be there, though it may be empty.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list `{key}` in {value}"))
}

/// Every difference, so that one run shows them all, and how much was compared.
#[derive(Default)]
pub(crate) struct Differences {
    found: Vec<String>,
    compared: BTreeMap<&'static str, usize>,
}

impl Differences {
    /// One more of that kind is compared.
    pub(crate) fn count(&mut self, kind: &'static str) {
        *self.compared.entry(kind).or_default() += 1;
    }

    pub(crate) fn add(&mut self, difference: String) {
        self.found.push(difference);
    }

    /// The same value under a key that both must have.
    pub(crate) fn same(&mut self, what: &str, key: &str, truth: &Value, got: &Value) {
        match (truth.get(key), got.get(key)) {
            (Some(wanted), Some(found)) if wanted == found => {}
            (wanted, found) => self.add(format!("{what} {key}: truth {wanted:?}, got {found:?}")),
        }
    }

    /// No difference, and of each kind at least so many were compared.
    pub(crate) fn check(self, least: &[(&str, usize)]) {
        assert!(self.found.is_empty(), "{} differences:\n{}", self.found.len(), self.found.join("\n"));
        for (kind, least) in least {
            assert!(self.compared.get(kind) >= Some(least), "less than {least} {kind}: {:?}", self.compared);
        }
    }
}

/// Parties from outside, and the one that stands for what the trail does not tell.
pub(crate) fn is_compared(party: &Value) -> bool {
    let kind = party["kind"].as_str().unwrap();
    matches!(kind, "vendor" | "unknown_account" | "identity_provider" | "iam_user" | "unresolved")
        && party["third_party"] != false
}

/// Actions whose reading in the report is wider than the generator's, which knows the primary action only: a failed
/// object read may have needed `s3:ListBucket` (S20, maybe counts as used).
pub(crate) const WIDER: [&str; 1] = ["s3:ListBucket"];

pub(crate) fn compare_parties(truth: &Value, report: &Value, differences: &mut Differences) {
    let got: BTreeMap<&str, &Value> =
        list(report, "parties").iter().map(|party| (party["id"].as_str().unwrap(), party)).collect();
    for party in list(truth, "parties").iter().filter(|party| is_compared(party)) {
        let id = party["id"].as_str().unwrap();
        let Some(found) = got.get(id) else {
            differences.add(format!("party {id} is missing"));
            continue;
        };
        differences.count("parties");
        for key in ["kind", "sessions", "calls", "denied", "last_seen"] {
            differences.same(&format!("party {id}"), key, party, found);
        }
        if party["kind"] != "unresolved" {
            differences.same(&format!("party {id}"), "channels", party, found);
            differences.same(&format!("party {id}"), "roles", &json!({"roles": roles_of(truth, party)}), found);
        }
    }
    let known: BTreeSet<&str> = list(truth, "parties").iter().map(|party| party["id"].as_str().unwrap()).collect();
    for party in list(report, "parties").iter().filter(|party| is_compared(party)) {
        if !known.contains(party["id"].as_str().unwrap()) {
            differences.add(format!("party {party} is nobody's"));
        }
    }
}

/// The roles that a party came into, and those that let it in.
fn roles_of(truth: &Value, party: &Value) -> BTreeSet<String> {
    let came = list(party, "roles").iter().map(|arn| arn.as_str().unwrap().to_owned());
    let lets_in = |role: &&Value| role["in_inventory"] == true && list(role, "admits").contains(&party["id"]);
    let may = list(truth, "roles").iter().filter(lets_in).map(|role| role["arn"].as_str().unwrap().to_owned());
    came.chain(may).collect()
}

pub(crate) fn compare_roles(truth: &Value, report: &Value, differences: &mut Differences) {
    let key = |role: &Value| (role["arn"].as_str().unwrap().to_owned(), role["role_id"].as_str().unwrap().to_owned());
    let got: BTreeMap<(String, String), &Value> = list(report, "roles").iter().map(|role| (key(role), role)).collect();
    let outside = list(truth, "roles").iter().filter(|role| role["third_party"] == true);
    let mut expected = BTreeSet::new();
    for role in outside {
        let name = role["name"].as_str().unwrap();
        // The path of a role that no longer exists is in no record of its sessions.
        let found = got
            .get(&key(role))
            .copied()
            .or_else(|| list(report, "roles").iter().find(|found| found["role_id"] == role["role_id"]));
        let Some(found) = found else {
            differences.add(format!("role {name} is missing"));
            continue;
        };
        differences.count("roles");
        expected.insert(key(found));
        compare_role(name, role, found, differences);
    }
    for (arn, id) in got.keys().filter(|key| !expected.contains(*key)) {
        differences.add(format!("role {arn} {id} is not outside"));
    }
}

pub(crate) fn compare_role(name: &str, truth: &Value, got: &Value, differences: &mut Differences) {
    for key in ["total", "attribution", "without_external_id", "without_calls", "by_party"] {
        differences.same(&format!("role {name} sessions"), key, &truth["sessions"], &got["sessions"]);
    }
    differences.same(&format!("role {name}"), "last_activity", truth, got);
    if !truth["idle"]["verdict"].is_null() {
        differences.count("idle verdicts");
        for key in ["verdict", "days"] {
            differences.same(&format!("role {name} idle"), key, &truth["idle"], &got["idle"]);
        }
    }
    let actions: BTreeMap<&str, &Value> =
        list(got, "actions").iter().map(|entry| (entry["action"].as_str().unwrap(), entry)).collect();
    let wishes: BTreeSet<&str> =
        list(got, "denied_not_granted").iter().filter_map(|entry| entry["action"].as_str()).collect();
    for used in list(truth, "used") {
        let action = used["action"].as_str().unwrap();
        let only_denied = used["calls"] == used["denied"];
        differences.count("used actions");
        match actions.get(action) {
            None if only_denied && wishes.contains(action) => {}
            None => differences.add(format!("role {name}: {action} is missing")),
            Some(entry) => {
                let verdict = entry["verdict"].as_str().unwrap();
                if !only_denied && !matches!(verdict, "used" | "used_not_granted") {
                    differences.add(format!("role {name}: {action} was used, but is {verdict}"));
                }
                for key in ["calls", "denied", "failed"] {
                    if !WIDER.contains(&action) {
                        differences.same(&format!("role {name} {action}"), key, used, entry);
                    }
                }
            }
        }
    }
    let verdict = |action: &Value| actions[action.as_str().unwrap()]["verdict"].as_str().unwrap();
    for action in list(truth, "expected_unused") {
        differences.count("unused actions");
        if verdict(action) != "unused" {
            differences.add(format!("role {name}: {action} should be unused, but is {}", verdict(action)));
        }
    }
    for action in list(truth, "expected_not_observable") {
        differences.count("actions that cannot be judged");
        if !matches!(verdict(action), "not_observable" | "dependent") {
            differences.add(format!("role {name}: {action} cannot be judged, but is {}", verdict(action)));
        }
    }
}

pub(crate) fn compare_coverage(truth: &Value, report: &Value, differences: &mut Differences) {
    let (wanted, got) = (&truth["coverage"], &report["coverage"]);
    differences.same("objects", "read", &wanted["objects"], &got["objects"]);
    assert_eq!(wanted["objects"]["failed"], list(&got["objects"], "failed").len());
    differences.same("skipped", "digest", &wanted["objects"]["skipped"], &got["objects"]["skipped"]);
    for key in ["total", "duplicate", "bad"] {
        differences.same("records", key, &wanted["records"], &got["records"]);
    }
    let records = &got["records"];
    let number = |key: &str| records[key].as_u64().unwrap();
    assert_eq!(number("total"), number("used") + number("out_of_scope") + number("duplicate") + number("bad"));
}

/// The findings of the truth are there, of every code, and no other; every finding has evidence.
pub(crate) fn compare_findings(truth: &Value, report: &Value, differences: &mut Differences) {
    let pair = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        (text("code"), text("subject"))
    };
    let wanted: BTreeSet<(String, String)> = list(truth, "findings").iter().map(pair).collect();
    let all = list(report, "findings");
    let found: BTreeSet<(String, String)> = all.iter().map(pair).collect();
    for (code, subject) in wanted.difference(&found) {
        differences.add(format!("{code} on {subject} is missing"));
    }
    for (code, subject) in found.difference(&wanted) {
        differences.add(format!("{code} on {subject} is wrong"));
    }
    wanted.iter().for_each(|_| differences.count("findings"));
    for finding in all.iter().filter(|finding| finding["evidence"].as_object().is_none_or(serde_json::Map::is_empty)) {
        differences.add(format!("a finding without evidence: {:?}", pair(finding)));
    }
}

/// S17: no finding is about a role, a user or an account of ours that no outsider reaches, but for the evidence itself.
pub(crate) fn compare_subjects(truth: &Value, report: &Value, differences: &mut Differences) {
    let outside = |value: &&Value| value["third_party"] == true;
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    let roles = list(truth, "roles").iter().filter(outside).map(|role| text(role, "arn"));
    let parties = list(truth, "parties").iter().filter(outside).map(|party| text(party, "id"));
    let subjects: BTreeSet<String> = roles.chain(parties).collect();
    let evidence = ["coverage-hole", "events-unmapped", "trail-partial", "objects-unreadable", "digest-unverified"];
    for finding in list(report, "findings") {
        let (code, subject) = (text(finding, "code"), text(finding, "subject"));
        if !evidence.contains(&code.as_str()) && !subjects.contains(&subject) {
            differences.add(format!("{code} on {subject}, which is ours alone"));
        }
    }
}
