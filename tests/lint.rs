//! docs/LINT.md stays true: a section for each rule, with its severity, what to do, and an example in which it is found.
//! And what vendors publish goes through the linter, the expansion and right-sizing without a crash.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod beside;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use thirdtrail::policy::lint::{RULES, Severity, lint};
use thirdtrail::policy::{Catalog, NamedPolicy, PolicyDocument, expand, rightsize};

use beside::{published, say};

const DOCUMENT: &str = include_str!("../docs/LINT.md");

fn codes(text: &str) -> Vec<&'static str> {
    lint(text, Catalog::builtin()).into_iter().map(|finding| finding.code).collect()
}

/// Code and text of each section.
fn sections() -> Vec<(&'static str, &'static str)> {
    DOCUMENT.split("\n## `").skip(1).map(|part| part.split_once("`\n").unwrap()).collect()
}

#[test]
fn every_rule_has_its_section_and_every_section_its_rule() {
    let documented: Vec<&str> = sections().into_iter().map(|(code, _)| code).collect();
    let known: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(documented, known);
    for ((code, text), rule) in sections().into_iter().zip(RULES) {
        assert!(text.contains(&format!("\n**Severity:** {}.\n", rule.severity.as_str())), "{code}: other severity");
        let help = text.split_once("**What to do:** ").unwrap().1.split("\n\n").next().unwrap();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        assert_eq!(help.trim(), format!("{}.", rule.help.to_lowercase()), "{code}: other help");
    }
}

/// S30, S31: an example has the finding that it is an example of.
#[test]
fn every_example_is_found() {
    for (code, text) in sections() {
        let Some((_, example)) = text.split_once("```json\n") else {
            assert!(code.starts_with("too-large"), "{code} has no example");
            continue;
        };
        let example = example.split("\n```").next().unwrap();
        let whole = if example.contains("\"Statement") {
            example.to_owned()
        } else {
            format!(r#"{{"Version": "2012-10-17", "Statement": [{example}]}}"#)
        };
        assert!(codes(&whole).contains(&code), "{code}: {:?}", codes(&whole));
    }
}

/// S30: whatever becomes of a document's text, it is read or has an error, and nothing crashes.
fn is_read_or_has_an_error(text: &str) {
    let errors = lint(text, Catalog::builtin()).iter().any(|finding| finding.severity == Severity::Error);
    assert!(errors || text.parse::<PolicyDocument>().is_ok(), "{text}");
}

const WHOLE: &str = r#"{"Version": "2012-10-17", "Id": "x", "Statement": [{"Sid": "A", "Effect": "Allow",
    "Action": ["s3:Get*", "ec2:RunInstances"], "Resource": "arn:aws:s3:::b/${aws:username}/*", "Condition":
    {"ForAnyValue:StringLike": {"aws:TagKeys": ["a*"]}, "NumericLessThan": {"s3:max-keys": 10}}},
    {"Effect": "Deny", "NotAction": "iam:*", "NotResource": "*", "Principal": {"AWS": ["111122223333"]}}]}"#;

proptest! {
    /// S30, S44: any piece of a policy replaced by anything.
    #[test]
    fn edited_documents_are_read_or_have_an_error(
        from in 0..WHOLE.len(), taken in 0_usize..40, put in r#"(\[|\{|\}|\]|"|,|:|7|null|true|"Action"|"[a-z*:$é]{0,4}"|\\u00e9){0,3}"#,
    ) {
        let to = (from + taken).min(WHOLE.len());
        is_read_or_has_an_error(&format!("{}{put}{}", &WHOLE[..from], &WHOLE[to..]));
    }

    /// S44: any value in the place of any other.
    #[test]
    fn values_of_other_types_are_read_or_have_an_error(at in 0_usize..60, put in 0_usize..6) {
        let mut document: Value = serde_json::from_str(WHOLE).unwrap();
        let other: Value = serde_json::from_str(["null", "7", "\"x\"", "[]", "{}", "[[{}]]"][put]).unwrap();
        replace(&mut document, at, &other);
        is_read_or_has_an_error(&document.to_string());
    }
}

/// Puts `other` in the place of the value that a walk from the top meets at this number; the rest of the number if none.
fn replace(value: &mut Value, at: usize, other: &Value) -> Option<usize> {
    if at == 0 {
        *value = other.clone();
        return None;
    }
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().try_fold(at - 1, |left, item| replace(item, left, other))
}

/// S30, S34, S44: every published vendor policy, trust policies too.
#[test]
fn published_vendor_policies_go_through() {
    let (Some(permissions), Some(trusts)) = (published("permissions"), published("trust")) else { return };
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let documents: Vec<_> = permissions.iter().chain(&trusts).collect();
    for (vendor, value) in &documents {
        let text = serde_json::to_string_pretty(value).unwrap();
        is_read_or_has_an_error(&text);
        for code in codes(&text) {
            *found.entry(code).or_default() += 1;
        }
        let Ok(document) = PolicyDocument::from_value(value) else { continue };
        let policy = NamedPolicy { name: vendor, document: &document };
        let granted = expand(&[policy], &[], Catalog::builtin());
        let keep: BTreeSet<_> = granted.grants.into_iter().map(|grant| grant.action).step_by(2).collect();
        let sized = rightsize(policy, &keep, Catalog::builtin());
        assert!(sized.document.is_none_or(|document| PolicyDocument::from_value(&document).is_ok()), "{vendor}");
    }
    say(&format!("vendor policies: {} linted, expanded and right-sized; found {found:?}", documents.len()));
}
