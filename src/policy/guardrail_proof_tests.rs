//! Tests of the proof of guard-rails, most of them guard-rails that must not pass.

use serde_json::{Value, json};

use super::*;
use crate::policy::action_index::tests::catalog;
use crate::policy::context::Context;
use crate::policy::document::PolicyDocument;
use crate::policy::guardrail::{Room, boundary, deny_policy};
use crate::policy::size::INLINE_CHARACTERS;

const NAMES: [&str; 5] = ["iam:CreateUser", "iam:GetRole", "kms:Decrypt", "s3:GetObject", "s3:PutObject"];
const WIDE: Room = Room { inline_characters: INLINE_CHARACTERS, managed_policies: 10 };

fn actions(names: &[&str]) -> BTreeSet<Action> {
    names.iter().filter_map(|name| Action::parse(name)).collect()
}

fn parse(documents: &[Value]) -> Vec<PolicyDocument> {
    documents.iter().map(|document| PolicyDocument::from_value(document).unwrap()).collect()
}

fn named(documents: &[PolicyDocument]) -> Vec<NamedPolicy<'_>> {
    documents.iter().map(|document| NamedPolicy { name: "p", document }).collect()
}

fn statements(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn everything() -> Value {
    json!({"Effect": "Allow", "Action": "*", "Resource": "*"})
}

fn get_object() -> ObservedCall {
    ObservedCall {
        action: Action::parse("s3:GetObject").unwrap(),
        resource: Resource::Known("arn:aws:s3:::b/k".into()),
        context: Context::partial(),
        id: "event-1".into(),
    }
}

/// The flaws of documents as (policies, boundaries) before and after.
fn flaws(before: (&[Value], &[Value]), after: (&[Value], &[Value]), taken: &[&str]) -> Vec<String> {
    let [policies, boundaries, new_policies, new_boundaries] = [before.0, before.1, after.0, after.1].map(parse);
    let (policies, boundaries) = (named(&policies), named(&boundaries));
    let (new_policies, new_boundaries) = (named(&new_policies), named(&new_boundaries));
    let catalog = catalog(&NAMES);
    let calls = [get_object()];
    let before = Holder { policies: &policies, boundaries: &boundaries };
    let after = Holder { policies: &new_policies, boundaries: &new_boundaries };
    let proof = Baseline::of(before, &calls, &catalog).prove(after, &actions(taken));
    assert_eq!(proof.passed(), proof.flaws.is_empty());
    proof.flaws.iter().map(ToString::to_string).collect()
}

/// S37: both forms take what they are to take, from a role with and without a boundary.
#[test]
fn what_is_proposed_is_proven() {
    let policy = statements(json!([everything()]));
    let old = statements(json!({"Effect": "Allow", "NotAction": "iam:Get*", "Resource": "*"}));
    let taken = ["iam:CreateUser", "kms:Decrypt"];
    let policies = std::slice::from_ref(&policy);
    for boundaries in [&[][..], std::slice::from_ref(&old)] {
        let mut with_deny = vec![policy.clone()];
        with_deny.extend(deny_policy(&actions(&taken), WIDE).unwrap().documents);
        assert_eq!(flaws((policies, boundaries), (&with_deny, boundaries), &taken), Vec::<String>::new());
        let existing = parse(boundaries);
        let made = [boundary(&actions(&taken), existing.first()).unwrap()];
        assert_eq!(flaws((policies, boundaries), (policies, &made), &taken), Vec::<String>::new());
    }
}

/// S37: a guard-rail that would refuse a call that was allowed fails with that call.
#[test]
fn a_lost_call_is_the_counter_example() {
    let policy = statements(json!([everything()]));
    let more = [policy.clone(), deny_policy(&actions(&["s3:GetObject"]), WIDE).unwrap().documents.remove(0)];
    let found = flaws((&[policy], &[]), (&more, &[]), &["s3:GetObject"]);
    assert_eq!(
        found,
        ["event `event-1`: `s3:GetObject` on `arn:aws:s3:::b/k` is allowed now and would be explicitly denied"]
    );
}

/// S37: one that takes more, less or otherwise than it says fails.
#[test]
fn a_slip_is_seen() {
    let policy = statements(json!([everything()]));
    let check = |added: Value, expected: &[&str]| {
        let after = [policy.clone(), statements(added)];
        assert_eq!(flaws((std::slice::from_ref(&policy), &[]), (&after, &[]), &["kms:Decrypt"]), expected);
    };
    let deny = |element: &str, actions: Value| json!({"Effect": "Deny", element: actions, "Resource": "*"});
    let plain = "statement `#1` of `p` is no plain denial of the actions to be taken";
    check(deny("Action", json!(["kms:Decrypt"])), &[]);
    check(deny("Action", json!("kms:Dec*")), &[plain]);
    check(
        deny("Action", json!(["kms:Decrypt", "s3:PutObject"])),
        &["`s3:PutObject` is to stay and would be taken", plain],
    );
    check(
        json!({"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:*:*:key/1"}),
        &["`kms:Decrypt` would not be taken", plain],
    );
    check(
        json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}),
        &["`kms:Decrypt` would not be taken", plain],
    );
    check(deny("NotAction", json!(["iam:*", "s3:*"])), &[plain]);
}

/// S37: a boundary that drops or widens what limits the role now, or allows less than all, fails.
#[test]
fn a_boundary_keeps_the_one_it_replaces() {
    let policy = [statements(json!([everything()]))];
    let old = [statements(json!([{"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}]))];
    let taken = actions(&["kms:Decrypt"]);
    let unlimited = [boundary(&taken, None).unwrap()];
    let found = flaws((&policy, &old), (&policy, &unlimited), &["kms:Decrypt"]);
    let gained = ["`iam:CreateUser` is not granted now and would be", "`iam:GetRole` is not granted now and would be"];
    assert_eq!(found, [&gained[..], &["`p` would not stay as it is"]].concat());
    let only_deny = [statements(json!({"Effect": "Deny", "Action": ["kms:Decrypt"], "Resource": "*"}))];
    let found = flaws((&policy, &[]), (&policy, &only_deny), &["kms:Decrypt"]);
    assert!(found.contains(&"`p` would not stay as it is".to_owned()), "{found:?}");
    assert!(found.contains(&"`iam:GetRole` is to stay and would be taken".to_owned()), "{found:?}");
}

/// S37: the policies that are there stay as they are.
#[test]
fn a_changed_policy_is_seen() {
    let policy = statements(json!([everything()]));
    let deny = deny_policy(&actions(&["kms:Decrypt"]), WIDE).unwrap().documents.remove(0);
    let other = statements(json!([{"Effect": "Allow", "NotAction": "new:*", "Resource": "*"}]));
    let found = flaws((&[policy], &[]), (&[other, deny], &[]), &["kms:Decrypt"]);
    assert_eq!(found, ["`p` would not stay as it is"]);
}
