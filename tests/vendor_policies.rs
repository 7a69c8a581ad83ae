//! Right-sizing of the permission policies that vendors publish for their customers' roles.
//!
//! The documents lie beside the repository, not in it: where they are missing the test says so on a visible line and
//! passes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod beside;

use std::collections::BTreeSet;

use serde_json::Value;
use thirdtrail::aws::Action;
use thirdtrail::policy::document::size_characters;
use thirdtrail::policy::size::MANAGED_CHARACTERS;
use thirdtrail::policy::{
    Catalog, Context, NamedPolicy, ObservedCall, PolicyDocument, Resource, certify, compact, expand, rightsize, split,
};

use beside::{published, say};

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

/// Whether no statement was left alone, so that exactly what is kept stays.
fn check(vendor: &str, document: &PolicyDocument, before: &BTreeSet<Action>, keep: &BTreeSet<Action>) -> bool {
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
    let exact = sized.statements.iter().all(|change| !change.left_alone);
    if exact {
        let expected: BTreeSet<Action> = before.intersection(keep).cloned().collect();
        assert_eq!(after, expected, "{vendor}");
    }
    assert!(after.is_subset(before) && before.intersection(keep).all(|action| after.contains(action)), "{vendor}");
    let named: Vec<_> = parts.iter().map(|document| NamedPolicy { name: vendor, document }).collect();
    let calls: Vec<ObservedCall> = keep.iter().step_by(keep.len() / 40 + 1).map(call).collect();
    let certificate = certify(&[policy], &named, &[], &calls, catalog);
    assert!(certificate.passed(), "{vendor}: {:?}", certificate.counter_examples.first());
    exact
}

/// How many of the three ways were exact.
fn check_all(vendor: &str, document: &Value) -> usize {
    let document = PolicyDocument::from_value(document).unwrap_or_else(|error| panic!("{vendor}: {error}"));
    let all = granted(std::slice::from_ref(&document));
    let every = |step: usize| all.iter().step_by(step).cloned().collect::<BTreeSet<Action>>();
    let listing = all.iter().filter(|action| action.name().starts_with("List")).cloned().collect();
    assert!(!all.is_empty(), "{vendor}: a published policy grants nothing that is known");
    let ways: [BTreeSet<Action>; 3] = [BTreeSet::new(), every(3), listing];
    ways.iter().filter(|keep| check(vendor, &document, &all, keep)).count()
}

/// S34, S36, S37: every published vendor policy is read, only loses actions, fits, and is certified.
#[test]
fn published_vendor_policies_are_rightsized_and_certified() {
    let Some(documents) = published("permissions") else { return };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let exact: usize = std::thread::scope(|scope| {
        let shares = documents.chunks(documents.len().div_ceil(threads));
        let check =
            |share: &'_ [(String, Value)]| share.iter().map(|(vendor, document)| check_all(vendor, document)).sum();
        let running: Vec<_> = shares.map(|share| scope.spawn(move || -> usize { check(share) })).collect();
        running.into_iter().map(|share| share.join().unwrap()).sum()
    });
    say(&format!("vendor policies: {} right-sized three ways, {exact} exactly, and certified", documents.len()));
    assert!(exact > documents.len(), "only {exact} were right-sized exactly");
}
