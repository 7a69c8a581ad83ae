//! Tests of the size limits.

use serde_json::json;

use super::*;
use crate::policy::action_index::tests::catalog;

const NAMES: [&str; 6] =
    ["s3:GetAcl", "s3:GetBucketAcl", "s3:GetBucketTagging", "s3:ListBucket", "s3:PutObject", "ec2:RunInstances"];

fn document(actions: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": actions, "Resource": "*"}]})
}

#[track_caller]
fn check_compact(before: Value, after: Value, keep: &[&str], expected: Value) {
    let before = PolicyDocument::from_value(&document(before)).unwrap();
    let keep = keep.iter().filter_map(|name| Action::parse(name)).collect();
    let found = compact(&document(after), &before, &keep, &catalog(&NAMES), 10);
    assert_eq!(found, document(expected));
}

/// S36: actions are folded only where all known ones under the wildcard are kept and an old pattern contains it.
#[test]
fn kept_actions_fold_into_prefixes_that_were_granted() {
    let all = ["s3:GetAcl", "s3:GetBucketAcl", "s3:GetBucketTagging"];
    check_compact(json!("s3:*"), json!(all), &all, json!(["s3:Get*"]));
    check_compact(json!("s3:Get*"), json!(&all[1..]), &all[1..], json!(["s3:GetBucket*"]));
    check_compact(json!(all), json!(all), &all, json!(all));
    check_compact(json!("s3:*"), json!(["s3:ListBucket", all[0]]), &["s3:ListBucket", all[0]], {
        json!(["s3:ListBucket", all[0]])
    });
}

/// S36: what fits is not touched.
#[test]
fn a_document_within_its_limit_stays() {
    let (before, after) = (document(json!("s3:*")), document(json!(["s3:GetBucketAcl", "s3:GetBucketTagging"])));
    let keep = ["s3:GetBucketAcl", "s3:GetBucketTagging"].iter().filter_map(|name| Action::parse(name)).collect();
    let before = PolicyDocument::from_value(&before).unwrap();
    assert_eq!(compact(&after, &before, &keep, &catalog(&NAMES), MANAGED_CHARACTERS), after);
    assert_eq!(split(&after, MANAGED_CHARACTERS), Ok(vec![after]));
}

/// S36: whole statements first, then parts of an action list; each within the limit, nothing lost.
#[test]
fn documents_split_by_statement_and_then_by_action() {
    let statement = |number: usize| json!({"Effect": "Allow", "Action": format!("s3:Op{number}"), "Resource": "*"});
    let many = json!({"Version": "2012-10-17", "Statement": (0..20).map(statement).collect::<Vec<_>>()});
    let actions: Vec<String> = (0..40).map(|number| format!("s3:Operation{number}")).collect();
    for (whole, expected) in [(many, 20), (document(json!(actions)), 40)] {
        let parts = split(&whole, 400).unwrap();
        assert!(parts.len() > 1 && parts.iter().all(|part| size_characters(part) <= 400));
        let count = |part: &Value| -> usize {
            let actions = |statement: &crate::policy::Statement| match &statement.actions {
                ActionMatch::Action(actions) | ActionMatch::NotAction(actions) => actions.len(),
            };
            PolicyDocument::from_value(part).unwrap().statements.iter().map(actions).sum()
        };
        assert_eq!(parts.iter().map(count).sum::<usize>(), expected);
    }
}

/// S36: a `NotAction` list is never split; what cannot fit is an error, not a cut.
#[test]
fn what_cannot_be_split_is_an_error() {
    let actions: Vec<String> = (0..40).map(|number| format!("s3:Operation{number}")).collect();
    let whole = json!({"Statement": {"Effect": "Allow", "NotAction": actions, "Resource": "*"}});
    let error = split(&whole, 400).unwrap_err();
    assert_eq!((error.statement.as_str(), error.limit_characters), ("#1", 400));
    assert!(split(&document(json!(["s3:GetAcl"])), 50).is_err());
}
