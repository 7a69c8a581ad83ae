//! What can be proven to lie within what, and that nothing is proven that is not so.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::*;
use crate::policy::compiled::PolicySet;
use crate::policy::context::Context;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::{Decision, InForce, Resource};

fn document(version: &str, statement: &Value) -> PolicyDocument {
    PolicyDocument::from_value(&json!({"Version": version, "Statement": statement})).unwrap()
}

fn within(new: &Value, old: &Value) -> bool {
    let (new, old) = (document("2012-10-17", new), document("2012-10-17", old));
    subset(&[NamedPolicy { name: "new", document: &new }], &[NamedPolicy { name: "old", document: &old }])
}

fn allow(action: &Value, resource: &Value) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn check(new: &Value, old: &Value, expected: bool) {
    assert_eq!(within(new, old), expected, "{new} within {old}");
}

/// S37: fewer actions lie within more, by name, by pattern, and by what is excluded.
#[test]
fn actions_may_only_become_fewer() {
    let all = json!("*");
    let of = |actions: Value| allow(&actions, &all);
    let but = |actions: Value| json!({"Effect": "Allow", "NotAction": actions, "Resource": "*"});
    check(&of(json!(["S3:Get*", "s3:PutObject"])), &of(json!("s3:*")), true);
    check(&of(json!("s3:*")), &of(json!("s3:Get*")), false);
    check(&of(json!(["s3:GetA", "ec2:RunB"])), &json!([of(json!("s3:Get*")), of(json!("ec2:*"))]), true);
    check(&but(json!(["iam:*", "s3:*"])), &but(json!("iam:*")), true);
    check(&but(json!("iam:*")), &but(json!("iam:Create*")), true);
    check(&but(json!("iam:*")), &but(json!(["iam:*", "s3:*"])), false);
    check(&of(json!("s3:Get*")), &but(json!("iam:*")), true);
    check(&of(json!("s3:GetA")), &but(json!(["s3:Put*", "iam:*"])), true);
    check(&of(json!("s3:*")), &but(json!("s3:Put*")), false);
    check(&but(json!("iam:*")), &of(json!("*")), true);
    check(&but(json!("iam:*")), &of(json!("s3:*")), false);
}

/// S35, S37: fewer resources lie within more, segment by segment.
#[test]
fn resources_may_only_become_narrower() {
    let of = |resource: Value| allow(&json!("s3:GetObject"), &resource);
    check(&of(json!("arn:aws:s3:::b/k")), &of(json!("*")), true);
    check(&of(json!(["arn:aws:s3:::b/k", "arn:aws:s3:::b/x*"])), &of(json!("arn:aws:s3:::b/*")), true);
    check(&of(json!("arn:aws:s3:::b/*")), &of(json!("arn:aws:s3:::b/k")), false);
    check(&of(json!("arn:aws:ec2:eu-west-1:1:instance/i-1")), &of(json!("arn:aws:ec2:*:*:instance/*")), true);
    check(&of(json!("arn:aws:s3:*")), &of(json!("arn:aws:s3:::b")), false);
    check(&of(json!("arn:aws:sns:*:t")), &of(json!("arn:aws:sns:*:*:t")), false);
    check(&of(json!("arn:aws:s3:::b/${aws:username}")), &of(json!("arn:aws:s3:::b/*")), false);
    check(&of(json!("arn:aws:s3:::b/${aws:username}")), &of(json!("arn:aws:s3:::b/${aws:username}")), true);
    let but = |resource: Value| json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": resource});
    check(&of(json!("arn:aws:s3:::b/k")), &but(json!("arn:aws:s3:::secret/*")), true);
    check(&of(json!("arn:aws:s3:::secret/k")), &but(json!("arn:aws:s3:::secret/*")), false);
    // AWS does not say whether case matters before the resource.
    check(&of(json!("arn:aws:s3:::secret/k")), &but(json!("arn:aws:S3:::secret/*")), false);
    check(&but(json!(["arn:aws:s3:::a*", "arn:aws:s3:::b"])), &but(json!("arn:aws:s3:::a/*")), true);
    check(&but(json!("arn:aws:s3:::a/*")), &of(json!("*")), true);
    check(&but(json!("arn:aws:s3:::a/*")), &of(json!("arn:aws:s3:::*")), false);
}

/// S37: conditions may be added and tightened, never dropped.
#[test]
fn conditions_may_only_become_stricter() {
    let of = |condition: Value| {
        let mut statement = allow(&json!("s3:*"), &json!("*"));
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    };
    let one = json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}});
    let two = json!({"StringEquals": {"AWS:requestedregion": ["eu-west-1", "us-east-1"]}});
    check(&of(one.clone()), &of(Value::Null), true);
    check(&of(Value::Null), &of(one.clone()), false);
    check(&of(one.clone()), &of(two.clone()), true);
    check(&of(two), &of(one.clone()), false);
    check(&of(one), &of(json!({"StringEqualsIfExists": {"aws:RequestedRegion": "eu-west-1"}})), true);
    let not = |values: Value| of(json!({"StringNotEquals": {"aws:username": values}}));
    check(&not(json!(["a", "b"])), &not(json!("a")), true);
    check(&not(json!("a")), &not(json!(["a", "b"])), false);
    let null = |value: &str| of(json!({"Null": {"k": value}}));
    check(&null("true"), &null("false"), false);
    let odd = |value: &str| of(json!({"SomethingNew": {"k": value}}));
    check(&odd("a"), &odd("a"), true);
    check(&odd("a"), &odd("b"), false);
}

/// S37: a denial may be split or widened, not lost.
#[test]
fn denials_must_survive() {
    let deny = |element: &str, actions: Value| json!({"Effect": "Deny", element: actions, "Resource": "*"});
    let both = deny("Action", json!(["a:b", "c:*"]));
    let (one, other) = (deny("Action", json!("a:*")), deny("Action", json!("c:*")));
    check(&json!([one, other]), &json!([both]), true);
    check(&json!([one]), &json!([both]), false);
    check(&json!([deny("NotAction", json!("a:*"))]), &json!([other]), true);
    check(&json!([deny("NotAction", json!("a:*"))]), &json!([one]), false);
    check(&json!([deny("NotAction", json!(["a:*", "c:*"]))]), &json!([deny("NotAction", json!("a:*"))]), false);
    let mut conditional = one.clone();
    conditional["Condition"] = json!({"Bool": {"k": "true"}});
    check(&json!([conditional]), &json!([one]), false);
}

/// S31: `${...}` is text in the old version and a variable in the new one, so the two never lie within each other.
#[test]
fn versions_give_variables_their_meaning() {
    let statement = allow(&json!("s3:*"), &json!("arn:aws:s3:::b/${aws:username}"));
    let (new, old) = (document("2012-10-17", &statement), document("2008-10-17", &statement));
    let (new, old) = ([NamedPolicy { name: "p", document: &new }], [NamedPolicy { name: "p", document: &old }]);
    assert!(subset(&new, &new) && subset(&old, &old));
    assert!(!subset(&new, &old) && !subset(&old, &new));
    let names: Vec<String> = unproven_grants(&new, &old).iter().map(|at| at.statement.to_string()).collect();
    assert_eq!(names, ["#1"]);
}

const ACTIONS: [&str; 7] = ["s3:GetA", "s3:Get*", "s3:*", "ec2:RunA", "ec2:*", "*", "s3:?etA"];
const RESOURCES: [&str; 9] = [
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::*",
    "arn:aws:ec2:*:1:a",
    "arn:aws:s3*",
    "arn:aws:s3:*:*:a",
    "arn:aws:s3:::?",
];

fn statements() -> impl Strategy<Value = Vec<Value>> {
    let list = |texts: &'static [&'static str]| subsequence(texts.to_vec(), 1..3);
    let condition = prop_oneof![
        2 => Just(Value::Null),
        1 => subsequence(vec!["x", "y"], 1..=2).prop_map(|values| json!({"StringEquals": {"k": values}})),
        1 => subsequence(vec!["x", "y"], 1..=2).prop_map(|values| json!({"StringNotEquals": {"k": values}})),
        1 => Just(json!({"StringEqualsIfExists": {"k": "x"}})),
    ];
    let one = (0..5_u8, 0..4_u8, 0..5_u8, list(&ACTIONS), list(&RESOURCES), condition).prop_map(
        |(deny, not_action, not_resource, actions, resources, condition)| {
            let mut out = json!({
                "Effect": if deny == 0 { "Deny" } else { "Allow" },
                if not_action == 0 { "NotAction" } else { "Action" }: actions,
                if not_resource == 0 { "NotResource" } else { "Resource" }: resources,
            });
            if !condition.is_null() {
                out["Condition"] = condition;
            }
            out
        },
    );
    prop::collection::vec(one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// S37: what is proven to be a subset allows nothing new, whatever is asked.
    #[test]
    fn a_proven_subset_allows_nothing_new(
        new in statements(),
        old in statements(),
        asked in prop::collection::vec(
            (
                select(&["s3:GetA", "s3:PutB", "ec2:RunA", "iam:X"][..]),
                select(&["arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:s3:::b", "arn:aws:ec2:r:1:a", "arn:aws:s3:r:1:a"][..]),
                prop::option::of(select(&["x", "y", "z"][..])),
            ),
            8,
        ),
        mixed in prop::collection::vec(any::<bool>(), 3),
    ) {
        // Half of the time the new policies are made of old statements, so that much can be proven.
        let new: Vec<Value> = new.iter().zip(&mixed).map(|(new, keep)| if *keep { old[0].clone() } else { new.clone() }).collect();
        let (new, old) = (document("2012-10-17", &json!(new)), document("2012-10-17", &json!(old)));
        let new_policy = [NamedPolicy { name: "new", document: &new }];
        let old_policy = [NamedPolicy { name: "old", document: &old }];
        if !subset(&new_policy, &old_policy) {
            return Ok(());
        }
        let set = |identity| PolicySet::new(InForce { identity, ..InForce::default() });
        let (after, before) = (set(&new_policy[..]), set(&old_policy[..]));
        for (action, resource, value) in asked {
            let action = Action::parse(action).unwrap();
            let resource = Resource::Known(resource.to_owned());
            let context = value.into_iter().fold(Context::complete(), |context, value| context.with("k", [value]));
            if after.decide(&action, &resource, &context).decision == Decision::Allowed {
                prop_assert_eq!(
                    before.decide(&action, &resource, &context).decision, Decision::Allowed,
                    "{} on {:?} by {} and not by {}", action, resource, new.as_value(), old.as_value()
                );
            }
        }
    }
}
