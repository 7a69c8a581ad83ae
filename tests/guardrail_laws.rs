//! The law of guard-rails on random policies: they take exactly the named actions, and decide every other request as before.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use thirdtrail::aws::{AccessLevel, Action};
use thirdtrail::policy::catalog::{ActionInfo, Observability};
use thirdtrail::policy::guardrail::{Room, boundary, deny_policy};
use thirdtrail::policy::guardrail_proof::{Baseline, GuardrailProof, Holder};
use thirdtrail::policy::{
    Catalog, Context, Decision, NamedPolicy, ObservedCall, PolicyDocument, Request, Resource, evaluate, expand,
};

const NAMES: [&str; 10] = [
    "ec2:DescribeInstances",
    "ec2:RunInstances",
    "iam:CreateUser",
    "iam:PassRole",
    "kms:Decrypt",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutObject",
    "s3-outposts:GetObject",
    "sts:AssumeRole",
];
/// Granted perhaps, but not in the catalog.
const NEW: &str = "s3:GetNewThing";

fn catalog() -> Catalog {
    Catalog::from_actions(NAMES.iter().map(|name| ActionInfo {
        action: Action::parse(name).unwrap(),
        level: AccessLevel::Write,
        resource_types: Vec::new(),
        dependents: Vec::new(),
        observability: Observability::ManagementConfirmed,
    }))
}

fn statement() -> impl Strategy<Value = Value> {
    let patterns = || {
        let wide = ["*", "s3:*", "S3:get*", "ec2:*Instances", "iam:?assRole", "kms:*", "*:GetObject", NEW];
        prop_oneof![3 => select(NAMES.to_vec()), 4 => select(wide.to_vec())]
    };
    let condition = prop_oneof![
        4 => Just(None),
        1 => Just(Some(json!({"Bool": {"aws:SecureTransport": "true"}}))),
        1 => Just(Some(json!({"StringNotEqualsIfExists": {"aws:RequestedRegion": "eu-west-1"}})))
    ];
    let resources = select(vec!["*", "*", "arn:aws:s3:::b/*", "arn:aws:s3:::${aws:username}/*"]);
    (0..10u8, 0..10u8, prop::collection::vec(patterns(), 1..5), resources, condition).prop_map(
        |(effect, element, actions, resource, condition)| {
            let mut out = json!({"Effect": if effect < 2 { "Deny" } else { "Allow" }, "Resource": resource});
            out[if element < 2 { "NotAction" } else { "Action" }] = json!(actions);
            if let Some(condition) = condition {
                out["Condition"] = condition;
            }
            out
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    (prop::collection::vec(statement(), 1..5), any::<bool>()).prop_map(
        |(statements, new)| json!({"Version": if new { "2012-10-17" } else { "2008-10-17" }, "Statement": statements}),
    )
}

/// A role's policies, its boundary if any, and the actions that it used.
#[derive(Clone, Debug)]
struct Case {
    policies: Vec<Value>,
    boundary: Option<Value>,
    used: BTreeSet<Action>,
}

fn case() -> impl Strategy<Value = Case> {
    let used = subsequence(NAMES.to_vec(), 0..6);
    (prop::collection::vec(document(), 1..4), prop::option::of(document()), used).prop_map(
        |(policies, boundary, used)| {
            let used = used.iter().filter_map(|name| Action::parse(name)).collect();
            Case { policies, boundary, used }
        },
    )
}

fn parse(values: &[Value]) -> Vec<PolicyDocument> {
    values.iter().map(|value| PolicyDocument::from_value(value).unwrap()).collect()
}

fn named(documents: &[PolicyDocument]) -> Vec<NamedPolicy<'_>> {
    documents.iter().map(|document| NamedPolicy { name: "p", document }).collect()
}

/// Every action on several resources, with little and with much known.
fn requests(actions: impl IntoIterator<Item = Action>) -> Vec<ObservedCall> {
    let contexts = [Context::partial(), Context::complete().with("aws:SecureTransport", ["true"])];
    let resources =
        [Resource::Unknown, Resource::Known("arn:aws:s3:::b/k".into()), Resource::Known("arn:aws:s3:::x/y".into())];
    let mut out = Vec::new();
    for action in actions {
        for resource in &resources {
            for context in &contexts {
                let (resource, context) = (resource.clone(), context.clone());
                out.push(ObservedCall { action: action.clone(), resource, context, id: "e".into() });
            }
        }
    }
    out
}

fn granted(policies: &[PolicyDocument], boundaries: &[PolicyDocument]) -> BTreeSet<Action> {
    let found = expand(&named(policies), &named(boundaries), &catalog());
    found.grants.into_iter().map(|grant| grant.action).collect()
}

fn decide(policies: &[PolicyDocument], boundaries: &[PolicyDocument], call: &ObservedCall) -> Decision {
    let ObservedCall { action, resource, context, .. } = call.clone();
    evaluate(&named(policies), &named(boundaries), &Request { action, resource, context }).decision
}

/// A role with and without a guard-rail.
struct Sides {
    before: [Vec<PolicyDocument>; 2],
    after: [Vec<PolicyDocument>; 2],
    taken: BTreeSet<Action>,
    calls: Vec<ObservedCall>,
}

impl Sides {
    /// Both forms: with the deny policy, and with the boundary.
    fn of(case: &Case, inline_characters: usize) -> Vec<Self> {
        let (policies, old) = (parse(&case.policies), parse(case.boundary.as_slice()));
        let taken: BTreeSet<Action> = granted(&policies, &old).difference(&case.used).cloned().collect();
        if taken.is_empty() {
            return Vec::new();
        }
        let room = Room { inline_characters, managed_policies: 10 };
        let deny = parse(&deny_policy(&taken, room).unwrap().documents);
        let new = parse(&[boundary(&taken, old.first()).unwrap()]);
        let before = [policies.clone(), old.clone()];
        let denied = [policies.iter().cloned().chain(deny).collect(), old];
        let calls = requests(case.used.iter().cloned());
        [denied, [policies, new]]
            .map(|after| Self { before: before.clone(), after, taken: taken.clone(), calls: calls.clone() })
            .into()
    }

    fn proof(&self) -> GuardrailProof {
        let [before, boundaries, after, new] =
            [&self.before[0], &self.before[1], &self.after[0], &self.after[1]].map(|documents| named(documents));
        let catalog = catalog();
        let baseline = Baseline::of(Holder { policies: &before, boundaries: &boundaries }, &self.calls, &catalog);
        baseline.prove(Holder { policies: &after, boundaries: &new }, &self.taken)
    }

    /// Whether it decides every request as the law says.
    fn is_lawful(&self) -> bool {
        let all = NAMES.iter().chain(&[NEW]).filter_map(|name| Action::parse(name));
        requests(all).iter().all(|call| {
            let before = decide(&self.before[0], &self.before[1], call);
            let after = decide(&self.after[0], &self.after[1], call);
            if self.taken.contains(&call.action) { after == Decision::ExplicitlyDenied } else { after == before }
        })
    }
}

/// A mistake in the last document of a guard-rail.
fn slip() -> impl Strategy<Value = Value> {
    prop_oneof![
        statement(),
        Just(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})),
        Just(json!({"Effect": "Deny", "NotAction": NAMES, "Resource": "*"})),
        Just(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
    ]
}

fn slipped(document: &PolicyDocument, slip: &Value, instead: bool) -> PolicyDocument {
    let mut value = document.as_value().clone();
    let statements = value["Statement"].as_array_mut().unwrap();
    if instead {
        statements.pop();
    }
    statements.push(slip.clone());
    PolicyDocument::from_value(&value).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    /// S37: a guard-rail takes exactly the named actions: the grants are those before minus them, every other request is
    /// decided as before, also of actions that nobody knows yet, and the proof says so.
    #[test]
    fn guardrails_take_exactly_what_they_name(case in case(), inline in select(vec![0, 10_240])) {
        for sides in Sides::of(&case, inline) {
            let before = granted(&sides.before[0], &sides.before[1]);
            let expected: BTreeSet<Action> = before.difference(&sides.taken).cloned().collect();
            prop_assert_eq!(granted(&sides.after[0], &sides.after[1]), expected);
            prop_assert!(sides.is_lawful(), "{:?}", sides.after);
            let proof = sides.proof();
            prop_assert!(proof.passed(), "{:?}", proof.flaws);
        }
    }

    /// S37: a guard-rail with a slip that passes all the same is no lie.
    #[test]
    fn a_proof_that_passes_is_no_lie(case in case(), slip in slip(), instead in any::<bool>()) {
        for mut sides in Sides::of(&case, 10_240) {
            let at = usize::from(sides.after[0] == sides.before[0]);
            let last = sides.after[at].pop().unwrap();
            sides.after[at].push(slipped(&last, &slip, instead));
            if sides.proof().passed() {
                prop_assert!(sides.is_lawful(), "{:?}", sides.after);
            }
        }
    }
}

/// The laws are of use only if the random roles give them something to hold for.
#[test]
fn cases_are_not_one_sided() {
    const CASES: usize = 300;
    let mut runner = TestRunner::deterministic();
    let strategy = (case(), slip());
    let (mut taken, mut kept, mut limited, mut seen) = (0, 0, 0, 0);
    for _ in 0..CASES {
        let (case, slip) = strategy.new_tree(&mut runner).unwrap().current();
        let Some(mut sides) = Sides::of(&case, 10_240).pop() else { continue };
        taken += 1;
        limited += usize::from(case.boundary.is_some());
        kept += usize::from(!granted(&sides.after[0], &sides.after[1]).is_empty());
        let last = sides.after[1].pop().unwrap();
        sides.after[1].push(slipped(&last, &slip, false));
        seen += usize::from(!sides.proof().passed());
    }
    assert!([taken, kept, limited, seen].iter().all(|count| *count > CASES / 10), "{taken} {kept} {limited} {seen}");
}
