//! Decisions compared with an independent evaluator (npm `@cloud-copilot/iam-simulate`) on seeded random cases.
//!
//! The evaluator runs as a child process at development time only. Where node or npm cannot be had the test says so on a
//! visible line and passes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod beside;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use thirdtrail::aws::Action;
use thirdtrail::policy::{Context, Decision, NamedPolicy, PolicyDocument, Request, Resource, evaluate};

use beside::say;

const CASES: usize = 6_000;
const PACKAGE: &str = "@cloud-copilot/iam-simulate";
const ACCOUNT: &str = "111122223333";

/// One request under one or two policies and perhaps a boundary.
#[derive(Clone, Debug)]
struct Case {
    policies: Vec<Value>,
    boundary: Option<Value>,
    action: &'static str,
    resource: &'static str,
    context: Map<String, Value>,
}

const ACTIONS: [&str; 5] = ["s3:GetObject", "s3:PutObject", "s3:GetBucketAcl", "ec2:RunInstances", "sqs:SendMessage"];
const ACTION_PATTERNS: [&str; 15] = [
    "*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "s3:*Object",
    "s3:?etObject",
    "s3:PutObject",
    "s3:Get*Acl",
    "ec2:*",
    "ec2:Run*",
    "sqs:SendMessage",
    "s3:*t*c*",
    "iam:*",
    "*:GetObject",
    "s?:*",
];
const RESOURCES: [&str; 6] = [
    "arn:aws:s3:::bucket/alice/file",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::bucket/a:b/c",
    "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
    "arn:aws:sqs:eu-west-1:111122223333:queue",
    "arn:aws:s3:::Bucket/bob/file",
];
const RESOURCE_PATTERNS: [&str; 20] = [
    "*",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::bucket*",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::*/file",
    "arn:aws:s3:::bucket/${aws:username}/*",
    "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'alice'}/*",
    "arn:aws:s3:::b?cket/*/f?le",
    "arn:aws:ec2:*:111122223333:instance/*",
    "arn:aws:ec2:us-*-1:*:instance/i-1",
    "arn:aws:sqs:eu-west-?:111122223333:queue",
    "arn:aws:sqs:*:*:*",
    "arn:*:s3:::bucket/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:*:*:bucket/*",
    "arn:aws:ec2:*",
    "arn:aws:s3:::bucket/${*}",
    "arn:aws:sqs:*queue",
    "arn:aws:*",
    "arn:aws:s3:::bucket/a:b/?",
];

/// Operators with a key that they fit and values that sometimes hold.
const CONDITIONS: [(&str, &str, &[&str]); 20] = [
    ("StringEquals", "aws:username", &["alice", "bob"]),
    ("StringNotEquals", "aws:username", &["alice", "carol"]),
    ("StringEqualsIgnoreCase", "aws:username", &["ALICE"]),
    ("StringNotEqualsIgnoreCase", "aws:username", &["ALICE"]),
    ("StringLike", "aws:username", &["a*e", "b?b"]),
    ("StringNotLike", "aws:username", &["a*"]),
    ("StringLike", "s3:prefix", &["${aws:username}/*", "home/"]),
    ("StringEquals", "aws:PrincipalTag/team", &["${aws:username}", "red"]),
    ("NumericLessThan", "s3:max-keys", &["10"]),
    ("NumericGreaterThanEquals", "s3:max-keys", &["10"]),
    ("NumericNotEquals", "s3:max-keys", &["10"]),
    ("DateLessThan", "aws:CurrentTime", &["2026-01-01T00:00:00Z"]),
    ("DateGreaterThanEquals", "aws:CurrentTime", &["2026-01-01T00:00:00Z"]),
    ("Bool", "aws:SecureTransport", &["true"]),
    ("IpAddress", "aws:SourceIp", &["203.0.113.0/24", "198.51.100.7"]),
    ("NotIpAddress", "aws:SourceIp", &["203.0.113.0/25"]),
    ("ArnLike", "aws:SourceArn", &["arn:aws:sns:*:111122223333:*"]),
    ("ArnNotEquals", "aws:SourceArn", &["arn:aws:sns:us-east-1:111122223333:topic"]),
    ("StringLike", "aws:RequestedRegion", &["us-*", "eu-west-1"]),
    ("StringNotEquals", "aws:RequestedRegion", &["us-east-1"]),
];

/// Values that each key can have.
const KEYS: [(&str, &[&str]); 8] = [
    ("aws:username", &["alice", "bob", "Alice"]),
    ("aws:PrincipalTag/team", &["red", "alice"]),
    ("s3:prefix", &["alice/", "home/", "bob/x"]),
    ("s3:max-keys", &["9", "10", "100"]),
    ("aws:CurrentTime", &["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"]),
    ("aws:SecureTransport", &["true", "false"]),
    ("aws:SourceIp", &["203.0.113.7", "203.0.113.200", "198.51.100.7"]),
    ("aws:RequestedRegion", &["us-east-1", "us-west-2", "eu-west-1"]),
];

fn list(patterns: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![select(patterns).prop_map(Value::from), subsequence(patterns.to_vec(), 1..4).prop_map(Value::from)]
}

fn condition() -> impl Strategy<Value = Option<Value>> {
    let plain = (select(&CONDITIONS[..]), 0..3u8).prop_map(|((operator, key, values), form)| {
        let operator = if form == 0 { format!("{operator}IfExists") } else { operator.to_owned() };
        Some(json!({operator: {key: values}}))
    });
    let null = (select(&KEYS[..]), any::<bool>())
        .prop_map(|((key, _), absent)| Some(json!({"Null": {key: absent.to_string()}})));
    let set = (any::<bool>(), any::<bool>(), subsequence(vec!["team", "owner", "cost*"], 1..3)).prop_map(
        |(all, negated, values)| {
            let quantifier = if all { "ForAllValues" } else { "ForAnyValue" };
            let operator = if negated { "StringNotEquals" } else { "StringLike" };
            Some(json!({format!("{quantifier}:{operator}"): {"aws:TagKeys": values}}))
        },
    );
    prop_oneof![5 => Just(None), 4 => plain, 1 => null, 1 => set]
}

fn statement() -> impl Strategy<Value = Value> {
    let shape = (0..10u8, 0..10u8, 0..10u8);
    (shape, list(&ACTION_PATTERNS), list(&RESOURCE_PATTERNS), condition()).prop_map(
        |((effect, element, resource_element), actions, resources, condition)| {
            let mut out = json!({"Effect": if effect < 3 { "Deny" } else { "Allow" }});
            out[if element < 2 { "NotAction" } else { "Action" }] = actions;
            out[if resource_element < 2 { "NotResource" } else { "Resource" }] = resources;
            if let Some(condition) = condition {
                out["Condition"] = condition;
            }
            out
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    (0..8u8, prop::collection::vec(statement(), 1..4)).prop_map(|(version, statements)| {
        json!({"Version": if version == 0 { "2008-10-17" } else { "2012-10-17" }, "Statement": statements})
    })
}

fn context() -> impl Strategy<Value = Map<String, Value>> {
    let keys = KEYS.map(|(key, values)| (Just(key), prop::option::weighted(0.7, select(values)))).to_vec();
    let tags = prop::option::weighted(0.5, subsequence(vec!["team", "owner", "costs"], 1..4));
    let arn = prop::option::of(select(vec![
        "arn:aws:sns:us-east-1:111122223333:topic",
        "arn:aws:sns:eu-west-1:444455556666:t",
    ]));
    (keys, tags, arn).prop_map(|(keys, tags, arn)| {
        let mut out: Map<String, Value> =
            keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect();
        out.extend(tags.map(|tags| ("aws:TagKeys".to_owned(), tags.into())));
        out.extend(arn.map(|arn| ("aws:SourceArn".to_owned(), arn.into())));
        out
    })
}

fn case() -> impl Strategy<Value = Case> {
    let policies = prop::collection::vec(document(), 1..3);
    let boundary = prop::option::weighted(0.15, document());
    (policies, boundary, select(&ACTIONS[..]), select(&RESOURCES[..]), context()).prop_map(
        |(policies, boundary, action, resource, context)| Case { policies, boundary, action, resource, context },
    )
}

impl Case {
    fn simulation(&self) -> Value {
        let named = |policy: &Value| json!({"name": "p", "policy": policy});
        let mut out = json!({
            "request": {
                "principal": format!("arn:aws:iam::{ACCOUNT}:role/vendor"),
                "action": self.action,
                "resource": {"resource": self.resource, "accountId": ACCOUNT},
                "contextVariables": self.context,
            },
            "identityPolicies": self.policies.iter().map(named).collect::<Vec<_>>(),
            "serviceControlPolicies": [],
            "resourceControlPolicies": [],
        });
        if let Some(boundary) = &self.boundary {
            out["permissionBoundaryPolicies"] = json!([named(boundary)]);
        }
        out
    }

    fn decision(&self) -> Decision {
        let parse = |value: &Value| PolicyDocument::from_value(value).unwrap();
        let policies: Vec<_> = self.policies.iter().map(parse).collect();
        let boundaries: Vec<_> = self.boundary.iter().map(parse).collect();
        let named = |documents| -> Vec<NamedPolicy<'_>> {
            <[PolicyDocument]>::iter(documents).map(|document| NamedPolicy { name: "p", document }).collect()
        };
        let context = self.context.iter().fold(Context::complete(), |context, (key, value)| match value {
            Value::Array(values) => context.with(key, values.iter().filter_map(Value::as_str)),
            value => context.with(key, value.as_str()),
        });
        let request = Request {
            action: Action::parse(self.action).unwrap(),
            resource: Resource::Known(self.resource.to_owned()),
            context,
        };
        evaluate(&named(&policies), &named(&boundaries), &request).decision
    }

    fn documents(&self) -> impl Iterator<Item = &Value> {
        self.policies.iter().chain(&self.boundary)
    }

    /// Why the two may differ here, each as we read AWS's documentation; `None` where they must agree.
    fn divergence(&self) -> Option<&'static str> {
        let texts = |element: &str| -> Vec<String> {
            let statements = self.documents().filter_map(|document| document["Statement"].as_array()).flatten();
            let texts = statements.filter_map(|statement| statement.get(element)).flat_map(|value| match value {
                Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                value => value.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
            });
            texts.collect()
        };
        let old = |document: &Value| document["Version"] == "2008-10-17" && document.to_string().contains("${");
        if self.documents().any(old) {
            return Some("variables in Version 2008-10-17 are literal text; the oracle replaces them");
        }
        let crosses = |text: &String| {
            let segments: Vec<&str> = text.splitn(6, ':').collect();
            text != "*" && segments.iter().take(5).any(|segment| segment.ends_with('*'))
        };
        if texts("Resource").iter().chain(&texts("NotResource")).any(crosses) {
            return Some("a star that ends an ARN segment may go on beyond its colon; not in the oracle");
        }
        let short = |text: &String| text != "*" && text.split(':').count() < 6;
        if texts("NotResource").iter().any(short) {
            return Some(
                "a pattern of less than six segments matches no ARN; the oracle drops its NotResource statement",
            );
        }
        let service = |text: &String| text.split_once(':').is_some_and(|(service, _)| service.contains(['*', '?']));
        if texts("Action").iter().chain(&texts("NotAction")).any(service) {
            return Some("a wildcard in the service prefix matches; the oracle compares prefixes literally");
        }
        None
    }
}

/// The folder whose `node_modules` holds the oracle; installs it where it is missing.
fn tools() -> Result<PathBuf, String> {
    let folder = match std::env::var_os("THIRDTRAIL_NODE_TOOLS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("no HOME")?).join(".cache/thirdtrail-node"),
    };
    if folder.join("node_modules").join(PACKAGE).is_dir() {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let manifest = oracle_folder().join("package.json");
    std::fs::copy(manifest, folder.join("package.json")).map_err(|error| error.to_string())?;
    let install = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if install.status.success() { Ok(folder) } else { Err("npm install failed".to_owned()) }
}

fn oracle_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

fn oracle(cases: &[Case]) -> Result<Vec<String>, String> {
    let tools = tools()?;
    let mut child = Command::new("node")
        .arg(oracle_folder().join("run.mjs"))
        .arg(tools)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("node: {error}"))?;
    let simulations: Vec<Value> = cases.iter().map(Case::simulation).collect();
    let mut input = child.stdin.take().unwrap();
    input.write_all(Value::from(simulations).to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the oracle failed");
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

/// S31, S32: our decision is the oracle's, but for documented divergences; a complete context is hardly ever undecided.
#[test]
fn decisions_agree_with_an_independent_evaluator() {
    let mut runner = TestRunner::deterministic();
    let strategy = case();
    let cases: Vec<Case> = (0..CASES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let decided = match oracle(&cases) {
        Ok(decided) => decided,
        Err(reason) => return say(&format!("NOT RUN: policy oracle absent: {reason}")),
    };
    assert_eq!(decided.len(), cases.len());
    let (mut compared, mut unknown, mut excused) = (0, 0, std::collections::BTreeMap::new());
    let mut counts = std::collections::BTreeMap::new();
    let mut wrong = Vec::new();
    for (case, theirs) in cases.iter().zip(&decided) {
        let ours = match case.decision() {
            Decision::Allowed => "Allowed",
            Decision::ImplicitlyDenied => "ImplicitlyDenied",
            Decision::ExplicitlyDenied => "ExplicitlyDenied",
            Decision::Unknown => {
                unknown += 1;
                continue;
            }
        };
        compared += 1;
        *counts.entry(theirs.as_str()).or_insert(0) += 1;
        if ours != theirs {
            match case.divergence() {
                Some(reason) => *excused.entry(reason).or_insert(0) += 1,
                None => wrong.push(format!("ours {ours}, theirs {theirs}: {}", case.simulation())),
            }
        }
    }
    say(&format!("policy oracle: {compared} compared {counts:?}, {unknown} undecided by us, divergences {excused:?}"));
    assert!(wrong.is_empty(), "{} differ, first:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    assert_eq!(counts.len(), 3, "a decision never occurs: {counts:?}");
    assert!(counts.values().all(|count| *count > CASES / 20), "the cases are one-sided: {counts:?}");
    assert!(unknown < CASES / 20, "{unknown} of {CASES} undecided");
}
