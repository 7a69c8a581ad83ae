//! Decisions compared with an independent evaluator (npm `@cloud-copilot/iam-simulate`) on seeded cases biased to match.
//!
//! The evaluator runs as a child process at development time only. Where node or npm cannot be had the test says so on a
//! visible line and passes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail loudly"
)]

mod beside;
mod oracle;

use std::collections::BTreeMap;

use serde_json::Value;
use thirdtrail::aws::Action;
use thirdtrail::policy::{Context, Decision, NamedPolicy, PolicyDocument, Request, Resource, evaluate};

use beside::say;
use oracle::child;
use oracle::draw::Draw;
use oracle::excuses::{EXCUSES, Excuse};
use oracle::generator::Case;

const CASES: usize = 120_000;
const SEED: u64 = 20_261_121;

/// What one run of the comparison found.
#[derive(Default)]
struct Tally {
    compared: usize,
    /// By the evaluator's decision.
    decisions: BTreeMap<String, usize>,
    /// Left undecided by us, by the evaluator's decision.
    undecided: BTreeMap<String, usize>,
    /// By the index of the excuse.
    excused: BTreeMap<usize, usize>,
    /// The first few.
    wrong: Vec<String>,
    wrong_count: usize,
}

impl Tally {
    fn take(&mut self, case: &Case, theirs: &str) {
        let ours = match decision(case) {
            Decision::Allowed => "Allowed",
            Decision::ExplicitlyDenied => "ExplicitlyDenied",
            Decision::ImplicitlyDenied if theirs != "ExplicitlyDenied" || !deny_is_open(case) => "ImplicitlyDenied",
            Decision::ImplicitlyDenied | Decision::Unknown => {
                *self.undecided.entry(theirs.to_owned()).or_default() += 1;
                return;
            }
        };
        self.compared += 1;
        *self.decisions.entry(theirs.to_owned()).or_default() += 1;
        if ours == theirs {
            return;
        }
        match EXCUSES.iter().position(|excuse| (excuse.applies)(case)) {
            Some(index) => *self.excused.entry(index).or_default() += 1,
            None => {
                self.wrong_count += 1;
                if self.wrong.len() < 20 {
                    self.wrong.push(format!("ours {ours}, theirs {theirs}: {}", case.simulation()));
                }
            }
        }
    }
}

impl Tally {
    fn tell(&self) {
        let Self { compared, decisions, undecided, .. } = self;
        say(&format!("policy oracle: {compared} compared {decisions:?}, undecided by us {undecided:?}"));
        for (index, Excuse { reason, page, .. }) in EXCUSES.iter().enumerate() {
            let count = self.excused.get(&index).copied().unwrap_or_default();
            say(&format!("policy oracle: {count} excused: {reason} (IAM User Guide, \"{page}\")"));
        }
    }

    /// The comparison is worth something only if it met every decision and every excuse often, and excused little.
    fn judge(&self) {
        assert!(self.wrong.is_empty(), "{} differ, first:\n{}", self.wrong_count, self.wrong.join("\n"));
        assert!(self.compared >= 100_000, "only {} were decided by both", self.compared);
        assert_eq!(self.decisions.len(), 3, "{:?}", self.decisions);
        assert!(self.decisions.values().all(|count| count * 5 > self.compared), "{:?}", self.decisions);
        for (index, excuse) in EXCUSES.iter().enumerate() {
            assert!(self.excused.contains_key(&index), "excuses nothing: {}", excuse.reason);
        }
        let excused: usize = self.excused.values().sum();
        assert!(excused * 25 < self.compared, "{excused} excused are too many");
        let undecided: usize = self.undecided.values().sum();
        assert!(undecided * 25 < self.compared, "{undecided} undecided are too many");
    }
}

fn decision(case: &Case) -> Decision {
    decided(&case.policies, case.boundary.as_ref(), case)
}

fn decided(policies: &[Value], boundary: Option<&Value>, case: &Case) -> Decision {
    let parse = |value: &Value| PolicyDocument::from_value(value).unwrap();
    let (policies, boundary): (Vec<_>, Vec<_>) =
        (policies.iter().map(parse).collect(), boundary.map(parse).into_iter().collect());
    let named = |documents| -> Vec<NamedPolicy<'_>> {
        <[PolicyDocument]>::iter(documents).map(|document| NamedPolicy { name: "p", document }).collect()
    };
    let context = case.context.iter().fold(Context::complete(), |context, (key, value)| match value {
        Value::Array(values) => context.with(key, values.iter().filter_map(Value::as_str)),
        value => context.with(key, value.as_str()),
    });
    let action = Action::parse(&case.action).unwrap();
    let request = Request { action, resource: Resource::Known(case.resource.clone()), context };
    evaluate(&named(&policies), &named(&boundary), &request).decision
}

/// Whether it is only certain that the request is denied, and not by what: nothing allows it, and a `Deny` may hold.
fn deny_is_open(case: &Case) -> bool {
    let allow = serde_json::json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let widened = |document: &Value| {
        let mut statements = statements(document);
        statements.push(allow.clone());
        with_statements(document, statements)
    };
    let policies: Vec<Value> = case.policies.iter().map(widened).collect();
    decided(&policies, case.boundary.as_ref().map(widened).as_ref(), case) == Decision::Unknown
}

/// S31, S32: our decision is the evaluator's, but for documented differences, each of which is met.
#[test]
fn decisions_agree_with_an_independent_evaluator() {
    let evaluator = match child::start() {
        Ok(evaluator) => evaluator,
        Err(reason) => return say(&format!("NOT RUN: policy oracle absent: {reason}")),
    };
    let mut tally = Tally::default();
    child::ask(evaluator, SEED, CASES, |case, theirs| tally.take(case, theirs));
    tally.tell();
    tally.judge();
}
/// S31, S32: most cases change their decision when one statement loses its condition, its resource, its action or itself.
#[test]
fn cases_lie_near_the_border() {
    let mut draw = Draw::new(SEED);
    let near = (0..2_000).filter(|_| is_near(&Case::draw(&mut draw))).count();
    say(&format!("policy oracle: {near} of 2000 cases are one step from another decision"));
    assert!(near > 1_500, "only {near} of 2000");
}

fn is_near(case: &Case) -> bool {
    let was = decision(case);
    case.policies.iter().enumerate().any(|(at, policy)| {
        neighbours(policy).into_iter().any(|other| {
            let mut policies = case.policies.clone();
            policies[at] = other;
            decided(&policies, case.boundary.as_ref(), case) != was
        })
    })
}

/// The document with one statement changed in one way.
fn neighbours(document: &Value) -> Vec<Value> {
    let statements = statements(document);
    let mut out = Vec::new();
    for at in 0..statements.len() {
        let mut without = statements.clone();
        without.remove(at);
        out.push(without);
        for (element, value) in [("Action", "*"), ("Resource", "*"), ("Condition", "")] {
            let mut changed = statements.clone();
            let statement = changed[at].as_object_mut().unwrap();
            statement.shift_remove(element);
            statement.shift_remove(&format!("Not{element}"));
            if !value.is_empty() {
                statement.insert(element.to_owned(), value.into());
            }
            out.push(changed);
        }
    }
    out.into_iter().map(|statements| with_statements(document, statements)).collect()
}

fn statements(document: &Value) -> Vec<Value> {
    match &document["Statement"] {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

fn with_statements(document: &Value, statements: Vec<Value>) -> Value {
    let mut other = document.clone();
    other["Statement"] = statements.into();
    other
}
