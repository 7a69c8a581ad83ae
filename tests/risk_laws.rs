//! The laws of the blast radius: its worked example, its bounds, and that a permission less never makes it larger.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use thirdtrail::policy::risk::{Counts, Gives, Powers, Radius, Standing, escalations};
use thirdtrail::policy::{Catalog, NamedPolicy, PolicyDocument, expand};

const ROLE: &str = "arn:aws:iam::111122223333:role/Vendor";

fn radius(statements: &[Value], boundary: Option<&Value>) -> Radius {
    let parse = |statements: Value| {
        PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
    };
    let (policy, boundary) = (parse(json!(statements)), boundary.map(|boundary| parse(boundary.clone())));
    let policies = [NamedPolicy { name: "p", document: &policy }];
    let boundaries: Vec<_> = boundary.iter().map(|document| NamedPolicy { name: "b", document }).collect();
    let granted = expand(&policies, &boundaries, Catalog::builtin());
    let standing = Standing {
        arn: ROLE,
        account: "111122223333",
        partition: "aws",
        boundary: boundary.as_ref().map(|_| "arn:aws:iam::111122223333:policy/b"),
        tags: None,
        held: &[],
        doubt: false,
    };
    let powers = Powers::new(standing, &policies, &boundaries, &granted, Catalog::builtin());
    let everything =
        escalations(&powers, &|_| Vec::new()).iter().any(|path| path.gives == Gives::Everything && path.is_certain);
    Counts::of(&powers, everything).radius()
}

/// S34: the example in docs/RISK.md has the numbers that stand there.
#[test]
fn the_worked_example_is_what_the_formula_says() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RISK.md")).unwrap();
    let documents: Vec<Value> = page
        .split("```json\n")
        .skip(1)
        .map(|part| serde_json::from_str(part.split("```").next().unwrap()).unwrap())
        .collect();
    let told: Vec<String> =
        page.split("radius is **").skip(1).map(|part| part.split("**").next().unwrap().to_owned()).collect();
    let found: Vec<String> =
        documents.iter().map(|document| radius(document["Statement"].as_array().unwrap(), None).to_string()).collect();
    assert_eq!((found.len(), &found), (2, &told));
    let mut more = documents[0]["Statement"].as_array().unwrap().clone();
    more.push(json!({"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": ROLE}));
    assert_eq!(radius(&more, None), Radius::EVERYTHING);
}

/// The table in docs/RISK.md is the one in the program: what each kind adds alone, at its most.
#[test]
fn the_bounds_are_those_of_the_page() {
    assert_eq!(radius(&[], None), Radius::of_tenths(0));
    assert_eq!(radius(&[json!({"Effect": "Allow", "Action": "*", "Resource": "*"})], None), Radius::EVERYTHING);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RISK.md")).unwrap();
    let alone = [
        ("secrets_read", "ssm:GetParameter"),
        ("key_use", "kms:Decrypt"),
        ("data_read", "s3:GetObject"),
        ("permissions_management", "s3:PutBucketPolicy"),
        ("code_execution", "ecs:RunTask"),
        ("destruction", "s3:DeleteBucket"),
        ("defense_evasion", "cloudtrail:StopLogging"),
        ("write", "ec2:StopInstances"),
        ("privilege_escalation", "iam:PassRole"),
    ];
    for (kind, action) in alone {
        // One action on one resource is one step.
        let one = json!({"Effect": "Allow", "Action": action, "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.1"}}});
        let points = radius(&[one], None);
        assert!(page.contains(&format!("| `{kind}` | {points} | ")), "{kind}: {points} points a step");
    }
}

const ACTIONS: [&str; 22] = [
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:CreateRole",
    "iam:AttachRolePolicy",
    "iam:CreateUser",
    "iam:CreateAccessKey",
    "iam:*",
    "lambda:CreateFunction",
    "lambda:*",
    "ec2:RunInstances",
    "ec2:*Instances",
    "kms:Decrypt",
    "kms:*",
    "s3:GetObject",
    "s3:*",
    "secretsmanager:Get*",
    "ssm:GetParameter*",
    "sts:AssumeRole",
    "cloudtrail:StopLogging",
    "dynamodb:*",
    "logs:Put*",
    "sqs:DeleteQueue",
];

fn statement(effect: &'static str) -> impl Strategy<Value = Value> {
    let resources = vec![
        "*",
        "*",
        ROLE,
        "arn:aws:iam::*:role/v-*",
        "arn:aws:s3:::logs/*",
        "arn:aws:s3:::${aws:PrincipalTag/team}/*",
        "arn:aws:kms:eu-west-1:*:key/*",
        "arn:aws:lambda:*:*:function:v-*",
    ];
    let conditions = vec![
        Value::Null,
        Value::Null,
        Value::Null,
        json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        json!({"StringEquals": {"aws:ResourceTag/vendor": "v"}}),
        json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        json!({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}),
    ];
    let actions = prop::collection::vec(select(ACTIONS.to_vec()), 1..6);
    (actions, select(resources), select(conditions)).prop_map(move |(actions, resource, condition)| {
        let mut out = json!({"Effect": effect, "Action": actions, "Resource": resource});
        if !condition.is_null() {
            out["Condition"] = condition;
        }
        out
    })
}

/// The same statements with one action less: nothing of an `Allow` is left where it was the only one.
fn with_one_less(statements: &[Value], which: usize) -> Vec<Value> {
    let allows = |statement: &Value| statement["Effect"] == "Allow";
    let count = |statement: &Value| if allows(statement) { statement["Action"].as_array().unwrap().len() } else { 0 };
    let all: usize = statements.iter().map(count).sum();
    let mut left = if all == 0 { usize::MAX } else { which % all };
    let mut out = Vec::new();
    for statement in statements {
        let (mut statement, here) = (statement.clone(), count(statement));
        if left < here {
            let actions = statement["Action"].as_array_mut().unwrap();
            actions.remove(left);
            left = usize::MAX;
            if actions.is_empty() {
                continue;
            }
        } else if left != usize::MAX {
            left -= here;
        }
        out.push(statement);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// S34: a permission less, a denial or a boundary more never raise the radius, and it stays within its bounds.
    #[test]
    fn taking_away_never_raises_the_radius(
        allows in prop::collection::vec(statement("Allow"), 1..5),
        denies in prop::collection::vec(statement("Deny"), 0..2),
        more in statement("Deny"),
        limit in prop::collection::vec(statement("Allow"), 1..4),
        which in 0..100_usize,
    ) {
        let all: Vec<Value> = allows.iter().chain(&denies).cloned().collect();
        let before = radius(&all, None);
        prop_assert!(before <= Radius::EVERYTHING);
        prop_assert!(radius(&with_one_less(&all, which), None) <= before, "an action less");
        let fewer: Vec<Value> = allows[1..].iter().chain(&denies).cloned().collect();
        prop_assert!(radius(&fewer, None) <= before, "a statement less");
        let denied: Vec<Value> = all.iter().cloned().chain([more]).collect();
        prop_assert!(radius(&denied, None) <= before, "a denial more");
        prop_assert!(radius(&all, Some(&json!(limit))) <= before, "a boundary");
    }
}
