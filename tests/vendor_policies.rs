//! Right-sizing of the permission policies that vendors publish for their customers' roles.
//!
//! The documents lie beside the repository, not in it (their licences differ): where they are missing the test says so on
//! a visible line and passes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;
use thirdtrail::aws::Action;
use thirdtrail::policy::document::size_characters;
use thirdtrail::policy::size::MANAGED_CHARACTERS;
use thirdtrail::policy::{
    Catalog, Context, NamedPolicy, ObservedCall, PolicyDocument, Resource, certify, compact, expand, rightsize, split,
};

fn say(line: &str) {
    // Straight to the terminal: cargo holds back what a passing test prints.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The document as CloudFormation would leave it: the first branch of each condition, some ARN for every other function.
fn rendered(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(rendered).collect(),
        Value::Object(map) => match map.iter().next() {
            Some((key, branches)) if key == "Fn::If" => rendered(&branches[1]),
            Some((key, _)) if key.starts_with("Fn::") || key == "Ref" => Value::from("arn:aws:s3:::from-a-template"),
            _ => map.iter().map(|(key, value)| (key.clone(), rendered(value))).collect(),
        },
        other => other.clone(),
    }
}

/// Each document with the vendor's name.
fn documents() -> Option<Vec<(String, Value)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent()?.join("shared/data/vendor-policies");
    let text = std::fs::read_to_string(folder.join("vendor-policies.json")).ok()?;
    let vendors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let of_vendor = |vendor: &Value| -> Vec<(String, Value)> {
        let name = vendor["vendor"].as_str().unwrap();
        let permissions = vendor["permissions"].as_array().unwrap().iter();
        permissions.map(|entry| (name.to_owned(), rendered(&entry["document"]))).collect()
    };
    Some(vendors.iter().flat_map(of_vendor).collect())
}

fn granted(documents: &[PolicyDocument]) -> BTreeSet<Action> {
    let named: Vec<_> = documents.iter().map(|document| NamedPolicy { name: "p", document }).collect();
    expand(&named, &[], Catalog::builtin()).grants.into_iter().map(|grant| grant.action).collect()
}

fn call(action: &Action) -> ObservedCall {
    ObservedCall {
        action: action.clone(),
        resource: Resource::Unknown,
        context: Context::partial(),
        id: action.to_string(),
    }
}

fn check(vendor: &str, document: &PolicyDocument, before: &BTreeSet<Action>, keep: &BTreeSet<Action>) {
    let catalog = Catalog::builtin();
    let policy = NamedPolicy { name: vendor, document };
    let sized = rightsize(policy, keep, catalog);
    let parts: Vec<PolicyDocument> = sized
        .document
        .map(|value| compact(&value, document, keep, catalog, MANAGED_CHARACTERS))
        .map(|value| split(&value, MANAGED_CHARACTERS).unwrap())
        .unwrap_or_default()
        .iter()
        .map(|part| {
            assert!(size_characters(part) <= MANAGED_CHARACTERS, "{vendor}");
            PolicyDocument::from_value(part).unwrap()
        })
        .collect();
    let after = granted(&parts);
    if sized.statements.iter().all(|change| !change.left_alone) {
        let expected: BTreeSet<Action> = before.intersection(keep).cloned().collect();
        assert_eq!(after, expected, "{vendor}");
    }
    assert!(after.is_subset(before) && before.intersection(keep).all(|action| after.contains(action)), "{vendor}");
    let named: Vec<_> = parts.iter().map(|document| NamedPolicy { name: vendor, document }).collect();
    let calls: Vec<ObservedCall> = keep.iter().step_by(keep.len() / 40 + 1).map(call).collect();
    let certificate = certify(&[policy], &named, &[], &calls, catalog);
    assert!(certificate.passed(), "{vendor}: {:?}", certificate.counter_examples.first());
}

fn check_all(vendor: &str, document: &Value) {
    let document = PolicyDocument::from_value(document).unwrap_or_else(|error| panic!("{vendor}: {error}"));
    let all = granted(std::slice::from_ref(&document));
    let every = |step: usize| all.iter().step_by(step).cloned().collect::<BTreeSet<Action>>();
    let listing = all.iter().filter(|action| action.name().starts_with("List")).cloned().collect();
    for keep in [BTreeSet::new(), every(3), listing] {
        check(vendor, &document, &all, &keep);
    }
}

/// S34, S36, S37: every published vendor policy is read, only loses actions, fits, and is certified.
#[test]
fn published_vendor_policies_are_rightsized_and_certified() {
    let Some(documents) = documents() else {
        return say("vendor policies absent: `../shared/data/vendor-policies/vendor-policies.json`");
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for share in documents.chunks(documents.len().div_ceil(threads)) {
            scope.spawn(move || share.iter().for_each(|(vendor, document)| check_all(vendor, document)));
        }
    });
    say(&format!("vendor policies: {} right-sized three ways and certified", documents.len()));
}
