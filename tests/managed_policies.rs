//! AWS's own managed policies: every one is read, written back, expanded, right-sized and certified.
//!
//! A mock of AWS on PyPI (`moto`, Apache-2.0) carries all of them. Its file is got at development time only; where it
//! cannot be had the test says so on a visible line and passes.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod beside;
mod python;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value};
use thirdtrail::aws::Action;
use thirdtrail::policy::{
    Catalog, Context, Effect, NamedPolicy, ObservedCall, PolicyDocument, Resource, certify, expand, rightsize,
};

use beside::say;
use python::{Python, run};

const PACKAGE: &str = "moto==5.2.5";
/// The value of the file's only assignment.
const PRINT: &str = "import ast, sys; print(ast.parse(open(sys.argv[1], encoding='utf-8').read()).body[0].value.value)";
/// Used actions of a hundred granted ones, once each.
const USED_PERCENT: [u64; 2] = [5, 70];

/// Name and document of every managed policy.
fn managed() -> Result<Vec<(String, Value)>, String> {
    let python = Python::new()?;
    let file = python.files_of(PACKAGE)?.join("moto/iam/aws_managed_policies.py");
    let text = run(python.command().args(["-c", PRINT]).arg(file))?;
    let all: Map<String, Value> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(all.into_iter().map(|(name, mut policy)| (name, policy["Document"].take())).collect())
}

/// One of those that `seed` chooses: the same for the same policy in every run.
fn chosen(actions: &BTreeSet<Action>, seed: u64, percent: u64) -> BTreeSet<Action> {
    let mut state = seed;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 100
    };
    actions.iter().filter(|_| draw() < percent).cloned().collect()
}

fn granted(document: Option<&PolicyDocument>) -> BTreeSet<Action> {
    let named: Vec<_> = document.into_iter().map(|document| NamedPolicy { name: "p", document }).collect();
    expand(&named, &[], Catalog::builtin()).grants.into_iter().map(|grant| grant.action).collect()
}

/// S30, S34: what is read is written back as it was, key by key, and reads again as the same.
fn survives_writing(name: &str, raw: &Value) -> PolicyDocument {
    let document = PolicyDocument::from_value(raw).unwrap_or_else(|error| panic!("{name}: {error}"));
    let text = raw.to_string();
    assert_eq!(document.as_value().to_string(), text, "{name}");
    let statements = document.statements.iter().map(|statement| statement.raw.clone()).collect();
    assert_eq!(document.with_statements(statements).to_string(), text, "{name}: from its statements");
    assert_eq!(text.parse::<PolicyDocument>().unwrap(), document, "{name}: read again");
    document
}

/// S34, S37: only what goes is gone, and the certificate says so. Answers whether a statement was edited.
fn shrinks(name: &str, document: &PolicyDocument, before: &BTreeSet<Action>, used: &BTreeSet<Action>) -> bool {
    let catalog = Catalog::builtin();
    let policy = NamedPolicy { name, document };
    let sized = rightsize(policy, used, catalog);
    let after = sized.document.as_ref().map(|value| PolicyDocument::from_value(value).unwrap());
    let left = granted(after.as_ref());
    assert!(left.is_subset(before), "{name}: grants more");
    assert!(used.is_subset(&left), "{name}: lost {:?}", used.difference(&left).next());
    let call = |action: &Action| ObservedCall {
        action: action.clone(),
        resource: Resource::Unknown,
        context: Context::partial(),
        id: action.to_string(),
    };
    let calls: Vec<ObservedCall> = used.iter().step_by(used.len() / 25 + 1).map(call).collect();
    let proposed: Vec<_> = after.iter().map(|document| NamedPolicy { name, document }).collect();
    let certificate = certify(&[policy], &proposed, &[], &calls, catalog);
    assert!(certificate.passed(), "{name}: {:?}", certificate.counter_examples.first());
    sized.changed
}

/// S34: where all that the statements allow is kept, the document stays as it was.
fn keeps_everything(name: &str, document: &PolicyDocument) {
    let allows = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let allowing = document.with_statements(allows.map(|statement| statement.raw.clone()).collect());
    let everything = granted(PolicyDocument::from_value(&allowing).ok().as_ref());
    let sized = rightsize(NamedPolicy { name, document }, &everything, Catalog::builtin());
    assert_eq!(sized.document.as_ref(), Some(document.as_value()), "{name}: keeping everything changes something");
}

/// What became of one document: how many actions it grants, and how often it was edited.
fn check(number: usize, name: &str, raw: &Value) -> (usize, usize) {
    let document = survives_writing(name, raw);
    let before = granted(Some(&document));
    keeps_everything(name, &document);
    let edits = USED_PERCENT.iter().filter(|percent| {
        let used = chosen(&before, number as u64, **percent);
        shrinks(name, &document, &before, &used)
    });
    (before.len(), edits.count())
}

#[test]
fn every_managed_policy_is_rightsized_and_certified() {
    let policies = match managed() {
        Ok(policies) => policies,
        Err(reason) => {
            let reason = reason.lines().last().unwrap_or_default().to_owned();
            return say(&format!("NOT RUN: AWS managed policies absent: {reason}"));
        }
    };
    assert!(policies.len() > 1_000, "only {} managed policies", policies.len());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    // Documents differ a thousandfold in size: each thread takes the next one as it comes free.
    let work = || {
        let (mut granting, mut edited) = (0, 0);
        while let Some((number, (name, raw))) = policies.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            let (actions, edits) = check(number, name, raw);
            granting += usize::from(actions > 0);
            edited += edits;
        }
        (granting, edited)
    };
    let (granting, edited) = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|one| one.join().unwrap()).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    });
    let (count, ways) = (policies.len(), USED_PERCENT.len());
    say(&format!("managed policies: {count} right-sized {ways} ways, {edited} edited, {granting} grant what is known"));
    assert!(granting * 10 > count * 9 && edited > count, "{granting} grant something, {edited} were edited");
}
