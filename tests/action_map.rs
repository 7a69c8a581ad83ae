//! The action map against what AWS itself said, and against real records.
//!
//! The records lie beside the repository, not in it: where they are missing the tests say so on a visible line and pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

mod beside;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use thirdtrail::activity::action_map::{ActionMap, Certainty, Class};
use thirdtrail::aws::ApiCall;
use thirdtrail::cloudtrail::parameters::{Collector, Hints};
use thirdtrail::policy::catalog::Catalog;

use beside::{record_files, say, shared};

/// Denials whose action the map does not name first, each with its reason; none at present.
const EXCEPTIONS: [(&str, &str); 0] = [];

fn map() -> ActionMap<'static> {
    ActionMap::new(Catalog::builtin())
}

/// S20: where AWS named the action it refused, the map names the same.
#[test]
fn denials_name_the_mapped_action() {
    let Some(path) = shared("mapping/denied-truth.json") else { return };
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut compared, mut wrong) = (0, Vec::new());
    for (call, actions) in truth.as_object().unwrap() {
        let (source, name) = call.split_once(' ').unwrap();
        let mapping = map().map(&ApiCall::new(source, name), "AwsApiCall", Hints::none());
        for action in actions.as_object().unwrap().keys() {
            compared += 1;
            let named = mapping.actions.iter().any(|mapped| {
                mapped.certainty == Certainty::Primary && mapped.action.as_str().eq_ignore_ascii_case(action)
            });
            if !named && !EXCEPTIONS.iter().any(|(exception, _)| exception == call) {
                wrong.push(format!("{call}: AWS says {action}, the map says {:?} ({})", mapping.actions, mapping.rule));
            }
        }
    }
    say(&format!("action_map: {compared} denials compared"));
    assert!(compared > 100, "only {compared} denials compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn records(files: &[(PathBuf, Vec<String>)]) -> impl Iterator<Item = Value> {
    files.iter().flat_map(|(_, lines)| lines).map(|line| serde_json::from_str(line).unwrap())
}

fn text(record: &Value, key: &str) -> String {
    record.get(key).and_then(Value::as_str).unwrap_or("").to_owned()
}

/// S20: at least 97 % of the distinct calls in real records are mapped or known to need nothing.
#[test]
fn nearly_every_recorded_call_is_known() {
    let Some(files) = record_files() else { return };
    let (mut known, mut unknown) = (BTreeSet::new(), BTreeSet::new());
    for record in records(&files) {
        let text = |key: &str| text(&record, key);
        let (source, name) = (text("eventSource"), text("eventName"));
        if source.is_empty() || name.is_empty() {
            continue;
        }
        let mapping = map().map(&ApiCall::new(&source, &name), &text("eventType"), Hints::none());
        let pair = format!("{source} {name}");
        if mapping.class == Class::Unmapped {
            unknown.insert(pair)
        } else {
            known.insert(pair)
        };
    }
    let (good, all) = (known.len(), known.len() + unknown.len());
    say(&format!("action_map: {good} of {all} distinct calls are known; the rest: {unknown:?}"));
    assert!(all > 100, "only {all} distinct calls");
    assert!(good * 100 >= all * 97, "{unknown:?}");
}

/// Shows a record's parameters to a collector as the reader does.
fn gather(collector: &mut Collector<'_>, depth: usize, key: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            if !key.is_empty() {
                collector.see(depth, key, None);
            }
            let below = if key.is_empty() { 0 } else { depth + 1 };
            members.iter().for_each(|(key, value)| gather(collector, below, key, value));
        }
        Value::Array(items) => {
            collector.see(depth, key, None);
            items.iter().for_each(|item| match item {
                Value::String(text) => collector.see(depth, key, Some(text)),
                Value::Object(members) => {
                    members.iter().for_each(|(key, value)| gather(collector, depth + 1, key, value));
                }
                _ => {}
            });
        }
        Value::String(text) => collector.see(depth, key, Some(text)),
        _ => {}
    }
}

/// S23: of the real records, these calls passed a role, and no others.
#[test]
fn real_records_show_passed_roles() {
    let Some(files) = record_files() else { return };
    let mut passing = BTreeSet::new();
    for record in records(&files) {
        let text = |key: &str| text(&record, key);
        let (source, region) = (text("eventSource"), text("awsRegion"));
        let mut collector = Collector::new(&source, &region, None);
        gather(&mut collector, 0, "", record.get("requestParameters").unwrap_or(&Value::Null));
        let call = ApiCall::new(&source, &text("eventName"));
        let mapping = map().map(&call, &text("eventType"), collector.finish().hints);
        if mapping.actions.iter().any(|mapped| mapped.action.as_str() == "iam:PassRole") {
            passing.insert(call.to_string());
        }
    }
    say(&format!("action_map: passed a role: {passing:?}"));
    assert_eq!(passing, BTreeSet::from(PASSING.map(str::to_owned)));
}

const PASSING: [&str; 1] = ["rolesanywhere:CreateProfile"];
