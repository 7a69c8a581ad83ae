//! Tests of the certificate, most of them proposals that must not pass.

use serde_json::{Value, json};

use super::*;
use crate::policy::action_index::tests::catalog;
use crate::policy::document::PolicyDocument;

const NAMES: [&str; 4] = ["ec2:RunInstances", "iam:PassRole", "s3:GetObject", "s3:PutObject"];

fn call(action: &str, resource: Resource, context: Context) -> ObservedCall {
    ObservedCall { action: Action::parse(action).unwrap(), resource, context, id: "event-1".into() }
}

fn get(context: Context) -> ObservedCall {
    call("s3:GetObject", Resource::Known("arn:aws:s3:::b/k".into()), context)
}

fn run(before: Value, after: Value, calls: &[ObservedCall]) -> Certificate {
    let document = |statements: Value| match statements.get("Statement") {
        Some(_) => PolicyDocument::from_value(&statements).unwrap(),
        None => PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap(),
    };
    let (before, after) = (document(before), document(after));
    let named = |document| [NamedPolicy { name: "p", document }];
    certify(&named(&before), &named(&after), &[], calls, &catalog(&NAMES))
}

fn statement(effect: &str, action: Value, resource: &str) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": resource})
}

fn allow(action: Value) -> Value {
    statement("Allow", action, "*")
}

#[track_caller]
fn fails(before: Value, after: Value, calls: &[ObservedCall], expected: &[&str]) {
    let found = run(before, after, calls);
    let lines: Vec<String> = found.counter_examples.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
    assert!(!found.passed());
}

/// S37: distinct calls that were allowed are still allowed, and nothing is new.
#[test]
fn a_smaller_policy_that_allows_every_call_passes() {
    let calls = [get(Context::partial()), get(Context::partial()), get(Context::complete())];
    let found = run(allow(json!(["s3:*", "ec2:*"])), allow(json!("s3:GetObject")), &calls);
    assert!(found.passed(), "{found:?}");
    assert_eq!((found.calls_replayed, found.calls_allowed, found.undecidable), (2, 2, 0));
}

/// S37: an allowed call that would fail is a counter-example in one line.
#[test]
fn a_lost_call_is_named() {
    let line = "event `event-1`: `s3:GetObject` on `arn:aws:s3:::b/k` is allowed now and would be implicitly denied";
    fails(allow(json!("s3:*")), allow(json!("s3:PutObject")), &[get(Context::partial())], &[line]);
}

/// S31: an undecidable call must not become denied.
#[test]
fn an_undecidable_call_may_not_be_lost() {
    let mut limited = allow(json!(["s3:GetObject", "s3:PutObject"]));
    limited["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
    let mut smaller = limited.clone();
    smaller["Action"] = json!("s3:GetObject");
    let found = run(limited.clone(), smaller.clone(), &[get(Context::partial())]);
    assert!(found.passed());
    assert_eq!((found.calls_allowed, found.undecidable), (0, 1));
    let put = call("s3:PutObject", Resource::Unknown, Context::partial());
    let line =
        "event `event-1`: `s3:PutObject` on an unknown resource is undecidable now and would be implicitly denied";
    fails(limited, smaller, &[put], &[line]);
}

/// S37: nothing may be newly allowed, neither a known action nor what a wider text could mean.
#[test]
fn anything_wider_fails() {
    let unproven = "statement `#1` of `p` is not provably within a current statement";
    let new = "`s3:PutObject` is not granted now and would be";
    fails(allow(json!("s3:GetObject")), allow(json!("s3:*")), &[], &[new, unproven]);
    // The catalog knows no action of this service: only the text tells.
    fails(allow(json!("new:Get*")), allow(json!("new:*")), &[], &[unproven]);
    fails(
        statement("Allow", json!("s3:GetObject"), "arn:aws:s3:::b/*"),
        allow(json!("s3:GetObject")),
        &[],
        &[unproven],
    );
    let variable = statement("Allow", json!("s3:GetObject"), "arn:aws:s3:::b/${aws:username}");
    let old = json!({"Version": "2008-10-17", "Statement": [variable]});
    fails(old, variable, &[], &[unproven]);
}

/// S37: a deny may not be lost.
#[test]
fn a_lost_deny_fails() {
    let deny = statement("Deny", json!("iam:*"), "arn:aws:iam::111122223333:role/x");
    let lost = "deny statement `#2` of `p` is not provably in the proposal";
    fails(json!([allow(json!("iam:*")), deny]), allow(json!("iam:*")), &[], &[lost]);
    assert!(run(json!([allow(json!("iam:*")), deny]), json!([deny]), &[]).passed());
}

/// S43: a stranger's text stays on its line.
#[test]
fn counter_examples_are_one_line() {
    let mut odd = get(Context::partial());
    odd.id = "a\nb\u{1b}[2J".into();
    let found = run(allow(json!("s3:*")), json!([]), &[odd]);
    let line = found.counter_examples[0].to_string();
    assert!(!line.chars().any(char::is_control), "{line}");
}
