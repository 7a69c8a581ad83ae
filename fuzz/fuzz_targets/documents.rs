//! Any bytes as a policy document: what is read can be written back, decided, expanded and cut without a crash.
//!
//! The laws: written and read again it is the same document; cutting it down to nothing new grants nothing new; and its
//! size does not depend on how it was spaced.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use thirdtrail::aws::{AccessLevel, Action};
use thirdtrail::policy::catalog::{ActionInfo, Observability};
use thirdtrail::policy::document::size_characters;
use thirdtrail::policy::narrow::{KnownUses, Narrowing, narrow};
use thirdtrail::policy::{
    Catalog, Context, NamedPolicy, PolicyDocument, Request, Resource, compact, evaluate, expand, rightsize, split, subset,
};

/// Few actions, so that expanding costs little and most of the time goes into new documents.
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let names = ["ec2:RunInstances", "ec2:StopInstances", "iam:PassRole", "s3:GetObject", "s3:PutObject"];
    Catalog::from_actions(names.into_iter().filter_map(Action::parse).map(|action| ActionInfo {
        action,
        level: AccessLevel::Read,
        resource_types: Vec::new(),
        dependents: Vec::new(),
        observability: Observability::Unknown,
    }))
});

fuzz_target!(|bytes: &[u8]| {
    let Some(document) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<PolicyDocument>().ok()) else {
        return;
    };
    survives_writing(&document);
    decides(&document);
    shrinks(&document);
    narrows(&document);
});

/// Every document lies within itself, and one with its resources limited within what it was.
fn narrows(document: &PolicyDocument) {
    let policy = [NamedPolicy { name: "p", document }];
    assert!(subset(&policy, &policy));
    let get = Action::parse("s3:GetObject").expect("an action");
    let uses = KnownUses::from([(get, BTreeSet::from(["arn:aws:s3:::b/k".to_owned()]))]);
    let (narrower, changes) = narrow(document.as_value(), &uses, Narrowing::CommonPrefix);
    assert_eq!(changes.is_empty(), narrower == *document.as_value());
    let narrower = PolicyDocument::from_value(&narrower).expect("what was edited is a document");
    assert!(subset(&[NamedPolicy { name: "n", document: &narrower }], &policy));
}

fn survives_writing(document: &PolicyDocument) {
    for text in [document.as_value().to_string(), format!("{:#}", document.as_value())] {
        let again: PolicyDocument = text.parse().expect("what was read can be read again");
        assert_eq!(&again, document);
        assert_eq!(again.size_characters(), document.size_characters());
    }
}

fn decides(document: &PolicyDocument) {
    let policy = [NamedPolicy { name: "p", document }];
    for action in CATALOG.index().iter() {
        for resource in [Resource::Unknown, Resource::Known("arn:aws:s3:::b/k".to_owned())] {
            for context in [Context::partial(), Context::complete().with("aws:username", ["alice"])] {
                let request = Request { action: action.clone(), resource: resource.clone(), context };
                let alone = evaluate(&policy, &[], &request).decision;
                // Its own boundary takes nothing from a policy.
                assert_eq!(evaluate(&policy, &policy, &request).decision, alone);
            }
        }
    }
}

fn granted(document: &PolicyDocument) -> BTreeSet<Action> {
    let grants = expand(&[NamedPolicy { name: "p", document }], &[], &CATALOG).grants;
    grants.into_iter().map(|grant| grant.action).collect()
}

fn shrinks(document: &PolicyDocument) {
    let before = granted(document);
    let keep: BTreeSet<Action> = before.iter().step_by(2).cloned().collect();
    let Some(sized) = rightsize(NamedPolicy { name: "p", document }, &keep, &CATALOG).document else {
        assert!(keep.is_empty());
        return;
    };
    let parsed = PolicyDocument::from_value(&sized).expect("a proposal is a policy");
    let after = granted(&parsed);
    assert!(keep.is_subset(&after) && after.is_subset(&before));
    let short = compact(&sized, document, &keep, &CATALOG, 10);
    assert!(size_characters(&short) <= size_characters(&sized));
    drop(split(&sized, 300));
}
