//! Properties of right-sizing on random documents whose patterns are made from the catalog's own names, so that they match.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use thirdtrail::aws::{AccessLevel, Action};
use thirdtrail::policy::catalog::{ActionInfo, Observability};
use thirdtrail::policy::document::size_characters;
use thirdtrail::policy::{
    Catalog, Certificate, Context, Decision, NamedPolicy, ObservedCall, PolicyDocument, Request, Resource, certify,
    compact, evaluate, expand, rightsize, split,
};

const NAMES: [&str; 14] = [
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "ec2:RunInstances",
    "ec2:TerminateInstances",
    "iam:GetRole",
    "iam:PassRole",
    "s3:DeleteObject",
    "s3:GetBucketAcl",
    "s3:GetBucketTagging",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "s3-outposts:GetObject",
    "sts:AssumeRole",
];
/// Kept or granted, but not in the catalog.
const UNKNOWN: [&str; 2] = ["s3:GetNewThing", "newservice:DoThing"];
const RESOURCES: [&str; 4] = ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::b/k"];

fn catalog() -> Catalog {
    Catalog::from_actions(NAMES.iter().map(|name| ActionInfo {
        action: Action::parse(name).unwrap(),
        level: AccessLevel::Read,
        resource_types: Vec::new(),
        dependents: Vec::new(),
        observability: Observability::Unknown,
    }))
}

fn pattern() -> impl Strategy<Value = String> {
    let name = || prop_oneof![9 => select(NAMES.to_vec()), 1 => select(UNKNOWN.to_vec())];
    prop_oneof![
        6 => name().prop_map(str::to_owned),
        1 => name().prop_map(str::to_uppercase),
        4 => (name(), 0.0..1.0f64).prop_map(|(name, share)| {
            let colon = name.find(':').unwrap() + 1;
            format!("{}*", &name[..colon + ((name.len() - colon) as f64 * share) as usize])
        }),
        2 => (name(), 0.0..1.0f64).prop_map(|(name, share)| {
            let at = (name.len() as f64 * share) as usize;
            if name.as_bytes()[at] == b':' { name.to_owned() } else { format!("{}?{}", &name[..at], &name[at + 1..]) }
        }),
        1 => name().prop_map(|name| format!("*:{}", name.split_once(':').unwrap().1)),
        1 => Just("*".to_owned()),
        1 => Just("zz:*".to_owned()),
    ]
}

fn one_or_list() -> impl Strategy<Value = Value> {
    prop_oneof![1 => pattern().prop_map(Value::from), 3 => prop::collection::vec(pattern(), 1..6).prop_map(Value::from)]
}

fn statement() -> impl Strategy<Value = Value> {
    let condition = prop_oneof![
        3 => Just(None),
        1 => Just(Some(json!({"Bool": {"aws:SecureTransport": "true"}}))),
        1 => Just(Some(json!({"StringNotEqualsIfExists": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}})))
    ];
    (0..10u8, 0..10u8, one_or_list(), select(RESOURCES.to_vec()), 0..10u8, condition).prop_map(
        |(effect, element, actions, resource, resource_element, condition)| {
            let mut out = json!({"Effect": if effect < 2 { "Deny" } else { "Allow" }});
            out[if element < 2 { "NotAction" } else { "Action" }] = actions;
            out[if resource_element < 1 { "NotResource" } else { "Resource" }] = json!(resource);
            if let Some(condition) = condition {
                out["Condition"] = condition;
            }
            out
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    let statements = prop_oneof![
        1 => statement(),
        4 => prop::collection::vec(statement(), 1..6).prop_map(Value::from)
    ];
    (statements, any::<bool>()).prop_map(
        |(statements, new)| json!({"Version": if new { "2012-10-17" } else { "2008-10-17" }, "Statement": statements}),
    )
}

fn keep() -> impl Strategy<Value = BTreeSet<Action>> {
    let names: Vec<&str> = NAMES.iter().chain(&UNKNOWN).copied().collect();
    let most = names.len();
    subsequence(names, 0..=most).prop_map(|names| names.iter().filter_map(|name| Action::parse(name)).collect())
}

fn parse(values: &[Value]) -> Vec<PolicyDocument> {
    values.iter().map(|value| PolicyDocument::from_value(value).unwrap()).collect()
}

fn named(documents: &[PolicyDocument]) -> Vec<NamedPolicy<'_>> {
    documents.iter().map(|document| NamedPolicy { name: "p", document }).collect()
}

fn granted(values: &[Value]) -> BTreeSet<Action> {
    let documents = parse(values);
    expand(&named(&documents), &[], &catalog()).grants.into_iter().map(|grant| grant.action).collect()
}

fn certified(before: &[Value], after: &[Value], calls: &[ObservedCall]) -> Certificate {
    let (before, after) = (parse(before), parse(after));
    certify(&named(&before), &named(&after), &[], calls, &catalog())
}

fn rightsized(document: &Value, keep: &BTreeSet<Action>) -> Vec<Value> {
    let parsed = PolicyDocument::from_value(document).unwrap();
    rightsize(NamedPolicy { name: "p", document: &parsed }, keep, &catalog()).document.into_iter().collect()
}

/// Each kept action on several resources, with little and with much known.
fn calls(keep: &BTreeSet<Action>) -> Vec<ObservedCall> {
    let contexts = [
        Context::partial(),
        Context::complete().with("aws:SecureTransport", ["true"]).with("aws:username", ["x"]),
        Context::complete().with("aws:RequestedRegion", ["us-east-1"]),
    ];
    let resources =
        [Resource::Unknown, Resource::Known("arn:aws:s3:::b/k".into()), Resource::Known("arn:aws:s3:::x/y".into())];
    let mut out = Vec::new();
    for action in keep {
        for resource in &resources {
            for context in &contexts {
                let (resource, context) = (resource.clone(), context.clone());
                out.push(ObservedCall { action: action.clone(), resource, context, id: "e".into() });
            }
        }
    }
    out
}

/// A mistake in a proposal, which a certificate must see unless it does no harm.
#[derive(Clone, Debug)]
enum Slip {
    MorePatterns(Vec<String>),
    OtherResource(&'static str),
    WithoutCondition,
    WithoutStatement,
}

/// The slip and the statement in which it happens, counted around.
fn slip() -> impl Strategy<Value = (Slip, usize)> {
    let slip = prop_oneof![
        3 => prop::collection::vec(pattern(), 1..3).prop_map(Slip::MorePatterns),
        1 => select(RESOURCES.to_vec()).prop_map(Slip::OtherResource),
        1 => Just(Slip::WithoutCondition),
        1 => Just(Slip::WithoutStatement),
    ];
    (slip, 0..6usize)
}

fn slipped(document: &Value, (slip, at): &(Slip, usize)) -> Value {
    let mut out = document.clone();
    let mut statements = match out["Statement"].take() {
        Value::Array(statements) => statements,
        one => vec![one],
    };
    let at = at % statements.len();
    let statement = statements[at].as_object_mut().unwrap();
    match slip {
        Slip::MorePatterns(patterns) => {
            let element = if statement.contains_key("Action") { "Action" } else { "NotAction" };
            let mut all: Vec<Value> = match statement[element].take() {
                Value::Array(patterns) => patterns,
                one => vec![one],
            };
            all.extend(patterns.iter().cloned().map(Value::from));
            statement.insert(element.to_owned(), all.into());
        }
        Slip::OtherResource(resource) => {
            let element = if statement.contains_key("Resource") { "Resource" } else { "NotResource" };
            statement.insert(element.to_owned(), json!(resource));
        }
        Slip::WithoutCondition => drop(statement.remove("Condition")),
        Slip::WithoutStatement => drop(statements.remove(at)),
    }
    out["Statement"] = statements.into();
    out
}

fn decided(policies: &[Value], call: &ObservedCall) -> Decision {
    let documents = parse(policies);
    let ObservedCall { action, resource, context, .. } = call.clone();
    evaluate(&named(&documents), &[], &Request { action, resource, context }).decision
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// S34: nothing is granted that was not, every granted action that is kept stays, and no other does.
    #[test]
    fn rightsizing_grants_exactly_what_is_kept(document in document(), keep in keep()) {
        let before = granted(std::slice::from_ref(&document));
        let after = granted(&rightsized(&document, &keep));
        let expected: BTreeSet<Action> = before.intersection(&keep).cloned().collect();
        prop_assert_eq!(after, expected);
    }

    /// S34: a second pass finds nothing left to do.
    #[test]
    fn rightsizing_again_changes_nothing(document in document(), keep in keep()) {
        for once in rightsized(&document, &keep) {
            prop_assert_eq!(rightsized(&once, &keep), vec![once]);
        }
    }

    /// S34: where everything is kept, the policy stays as read.
    #[test]
    fn keeping_everything_changes_nothing(document in document()) {
        let keep = granted(&[json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})]);
        prop_assert_eq!(rightsized(&document, &keep), vec![document]);
    }

    /// S37: the certificate passes what right-sizing proposes.
    #[test]
    fn proposals_are_certified(document in document(), keep in keep()) {
        let after = rightsized(&document, &keep);
        let certificate = certified(&[document], &after, &calls(&keep));
        prop_assert!(certificate.passed(), "{:?}", certificate.counter_examples);
    }

    /// S37: a certificate that passes for a proposal with a slip is no lie about known actions or replayed calls.
    #[test]
    fn a_passed_certificate_grants_nothing_new(before in document(), keep in keep(), slip in slip()) {
        let after: Vec<Value> = rightsized(&before, &keep).iter().map(|document| slipped(document, &slip)).collect();
        let replayed = calls(&keep);
        if certified(std::slice::from_ref(&before), &after, &replayed).passed() {
            prop_assert!(granted(&after).is_subset(&granted(std::slice::from_ref(&before))));
            let all = NAMES.iter().chain(&UNKNOWN).filter_map(|name| Action::parse(name)).collect();
            for call in calls(&all) {
                let (was, is) = (decided(std::slice::from_ref(&before), &call), decided(&after, &call));
                prop_assert!(is != Decision::Allowed || matches!(was, Decision::Allowed | Decision::Unknown), "{call:?}");
                if replayed.contains(&call) && was == Decision::Allowed {
                    prop_assert_eq!(is, Decision::Allowed, "{:?}", call);
                }
            }
        }
    }

    /// S36: compaction neither adds nor takes, is no longer than before, and is certified.
    #[test]
    fn compaction_keeps_the_grants(document in document(), keep in keep()) {
        let before = PolicyDocument::from_value(&document).unwrap();
        for long in rightsized(&document, &keep) {
            let short = compact(&long, &before, &keep, &catalog(), 10);
            prop_assert!(size_characters(&short) <= size_characters(&long));
            prop_assert_eq!(granted(std::slice::from_ref(&short)), granted(&[long]));
            let certificate = certified(std::slice::from_ref(&document), &[short], &calls(&keep));
            prop_assert!(certificate.passed(), "{:?}", certificate.counter_examples);
        }
    }

    /// S36: the parts of a split are within the limit, and together they are the whole.
    #[test]
    fn splitting_keeps_the_grants(document in document(), limit in 150..700usize, keep in keep()) {
        if let Ok(parts) = split(&document, limit) {
            prop_assert!(parts.iter().all(|part| size_characters(part) <= limit));
            prop_assert_eq!(granted(&parts), granted(std::slice::from_ref(&document)));
            let whole = std::slice::from_ref(&document);
            let there = certified(whole, &parts, &calls(&keep));
            prop_assert!(there.passed(), "{:?}", there.counter_examples);
        }
    }
}

/// The properties are of use only if the random documents give them something to hold for.
#[test]
fn cases_are_not_one_sided() {
    const CASES: usize = 400;
    let mut runner = TestRunner::deterministic();
    let strategy = (document(), slip(), keep(), 150..700usize);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..CASES {
        let (document, slip, keep, limit) = strategy.new_tree(&mut runner).unwrap().current();
        let before = granted(std::slice::from_ref(&document));
        let kept = before.intersection(&keep).count();
        let parts = split(&document, limit).unwrap_or_default();
        let parsed = PolicyDocument::from_value(&document).unwrap();
        let after = rightsized(&document, &keep);
        let short = after.first().map(|long| compact(long, &parsed, &keep, &catalog(), 10));
        let other: Vec<Value> = after.iter().map(|document| slipped(document, &slip)).collect();
        let passed = certified(std::slice::from_ref(&document), &other, &calls(&keep)).passed();
        for (what, holds) in [
            ("grants what goes", kept < before.len()),
            ("grants what stays", kept > 0),
            ("leaves a document", !after.is_empty()),
            ("is compacted", short.is_some_and(|short| short != after[0])),
            ("is split", parts.len() > 1),
            ("has a slip that passes", passed && other != after && !granted(&other).is_empty()),
            ("has a slip that is seen", !passed),
        ] {
            *counts.entry(what).or_default() += usize::from(holds);
        }
    }
    assert!(counts.values().all(|count| *count > CASES / 20), "of {CASES} cases: {counts:?}");
}
