//! Tests of right-sizing on small documents.

use serde_json::json;

use super::*;
use crate::policy::action_index::tests::catalog;
use crate::policy::document::PolicyDocument;

const NAMES: [&str; 7] = [
    "ec2:DescribeInstances",
    "ec2:RunInstances",
    "iam:PassRole",
    "s3:GetBucketAcl",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
];

fn run(statement: Value, keep: &[&str]) -> Rightsized {
    let document = PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statement})).unwrap();
    let keep = keep.iter().filter_map(|name| Action::parse(name)).collect();
    rightsize(NamedPolicy { name: "p", document: &document }, &keep, &catalog(&NAMES))
}

fn allow(element: &str, patterns: Value) -> Value {
    json!({"Sid": "A", "Effect": "Allow", element: patterns, "Resource": ["*"], "Condition": {"Bool": {"k": true}}})
}

#[track_caller]
fn check(element: &str, patterns: Value, keep: &[&str], expected: Option<Value>) {
    let found = run(allow(element, patterns.clone()), keep);
    let expected = expected.map(|list| json!({"Version": "2012-10-17", "Statement": allow(element, list)}));
    assert_eq!(found.document, expected, "{element} {patterns} keeping {keep:?}");
    assert_eq!(found.changed, expected.is_none_or(|document| document["Statement"] != allow(element, patterns)));
}

/// S34: unused actions go; literals stay as written; a lone string that stays one stays a string.
#[test]
fn literals_stay_or_go() {
    check("Action", json!(["S3:getobject", "s3:PutObject"]), &["s3:GetObject"], Some(json!(["S3:getobject"])));
    check("Action", json!("s3:GetObject"), &["s3:GetObject"], Some(json!("s3:GetObject")));
    check("Action", json!("s3:GetObject"), &["s3:PutObject"], None);
    check("Action", json!("s3:NewThing"), &[], Some(json!("s3:NewThing")));
}

/// S34: a wildcard becomes the kept actions it stood for; one that covers kept actions only stays.
#[test]
fn wildcards_become_the_kept_actions() {
    check("Action", json!("s3:Get*"), &["s3:GetObject", "s3:GetBucketAcl"], Some(json!("s3:Get*")));
    check("Action", json!("s3:*"), &["s3:getobject"], Some(json!("s3:GetObject")));
    check(
        "Action",
        json!(["ec2:*", "S3:*", "iam:PassRole"]),
        &["s3:PutObject", "s3:GetObject", "iam:PassRole"],
        Some(json!(["s3:GetObject", "s3:PutObject", "iam:PassRole"])),
    );
    check("Action", json!("s3:*"), &["s3:FutureCall"], Some(json!("s3:FutureCall")));
    check("Action", json!("new:*"), &[], Some(json!("new:*")));
}

/// S34: what another remaining pattern covers is not repeated.
#[test]
fn nothing_is_listed_twice() {
    check(
        "Action",
        json!(["*", "s3:Get*", "*:PutObject"]),
        &["s3:GetObject", "s3:GetBucketAcl", "s3:PutObject", "s3:ListBucket"],
        Some(json!(["s3:ListBucket", "s3:Get*", "*:PutObject"])),
    );
    check("Action", json!(["s3:*", "*"]), &["s3:GetObject"], Some(json!(["s3:GetObject"])));
}

/// S34: an allowing `NotAction` only grows, by whole services where nothing of them is kept.
#[test]
fn not_action_grows() {
    check("NotAction", json!("iam:*"), &["s3:GetObject", "s3:ListBucket"], {
        Some(json!(["iam:*", "ec2:*", "s3:GetBucketAcl", "s3:PutObject"]))
    });
    check("NotAction", json!(["s3:*", "ec2:*"]), &["iam:PassRole"], Some(json!(["s3:*", "ec2:*"])));
    check("NotAction", json!("s3:*"), &[], None);
}

/// S36: a `NotAction` list that would outgrow a managed policy stays as read, and that is said.
#[test]
fn not_action_that_would_not_fit_is_left_alone() {
    let names: Vec<String> = (0..700).map(|number| format!("s3:Operation{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let statement = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    let document = PolicyDocument::from_value(&json!({"Statement": statement})).unwrap();
    let keep = BTreeSet::from([Action::parse("s3:Operation7").unwrap()]);
    let found = rightsize(NamedPolicy { name: "p", document: &document }, &keep, &catalog(&names));
    assert!(!found.changed && found.statements[0].left_alone && found.removed.is_empty());
    assert_eq!(found.statements[0].kept.len(), 1);
}

/// S34: Deny statements stay as read, in their place; a policy of them alone is still a policy.
#[test]
fn denies_survive() {
    let deny = json!({"Effect": "Deny", "NotAction": ["s3:*"], "NotResource": "arn:aws:s3:::b"});
    let found = run(json!([allow("Action", json!("ec2:*")), deny, allow("Action", json!("s3:*"))]), &["s3:GetObject"]);
    let left = json!([deny, allow("Action", json!("s3:GetObject"))]);
    assert_eq!(found.document.unwrap()["Statement"], left);
    let emptied = run(json!([allow("Action", json!("ec2:*")), deny]), &[]);
    assert_eq!(emptied.document.unwrap()["Statement"], json!([deny]));
    assert_eq!(run(allow("Action", json!("ec2:*")), &[]).document, None);
}

/// S38: each removal names the statement that granted the action; each statement says what became of it.
#[test]
fn removals_name_their_statements() {
    let found = run(json!([allow("Action", json!(["ec2:*", "zz:*"]))]), &["ec2:RunInstances"]);
    assert_eq!(
        serde_json::to_value(&found.removed).unwrap(),
        json!([{"action": "ec2:DescribeInstances", "statement": {"policy": "p", "statement": "A"}}])
    );
    let change = &found.statements[0];
    assert_eq!((change.statement.as_str(), change.kept.len(), change.dropped), ("A", 1, false));
    assert_eq!((found.kept.len(), found.unmatched), (1, vec!["zz:*".to_owned()]));
}
