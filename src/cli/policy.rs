//! `thirdtrail policy`: the policy engine, JSON Lines in, JSON Lines out.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::Path;

use serde_json::{Value, json};

use crate::aws::Action;
use crate::policy::catalog::Catalog;
use crate::policy::{Context, InForce, NamedPolicy, PolicyDocument, PolicySet, Resource, expand, rightsize};

use super::args::{PolicyArguments, PolicyCommand};
use super::diff;
use super::exit_code::ExitCode;
use super::input::Input;
use super::lint;
use super::terminal::line;

pub(super) fn run(arguments: &PolicyArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        PolicyCommand::Evaluate { partial_context } => lines(&|input| decide(input, *partial_context)),
        PolicyCommand::Rightsize => lines(&cut),
        PolicyCommand::Expand { file } => list(file.as_deref()),
        PolicyCommand::Diff(arguments) => diff::run(arguments),
        PolicyCommand::Lint { file, format } => lint::run(file, *format),
    }
}

/// One answer a line, in the same order; a line that cannot be read is answered with its error.
fn lines(answer: &dyn Fn(&Value) -> Result<Value, String>) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::Done;
    for input in std::io::stdin().lock().split(b'\n') {
        let input = input?;
        if input.trim_ascii().is_empty() {
            continue;
        }
        let read: Result<Value, String> = serde_json::from_slice(&input).map_err(|error| format!("not JSON: {error}"));
        let output = read.and_then(|input| answer(&input)).unwrap_or_else(|error| {
            code = ExitCode::Mistake;
            json!({"error": error})
        });
        line(&output.to_string())?;
    }
    Ok(code)
}

fn documents(input: &Value, key: &str) -> Result<Vec<(String, PolicyDocument)>, String> {
    let Some(list) = input.get(key) else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| format!("`{key}` is not a list"))?;
    let document = |(at, value): (usize, &Value)| {
        let parsed = PolicyDocument::from_value(value).map_err(|error| format!("{key} {}: {error}", at + 1))?;
        Ok((format!("{key}[{at}]"), parsed))
    };
    list.iter().enumerate().map(document).collect()
}

fn named(documents: &[(String, PolicyDocument)]) -> Vec<NamedPolicy<'_>> {
    documents.iter().map(|(name, document)| NamedPolicy { name, document }).collect()
}

fn decide(input: &Value, partial: bool) -> Result<Value, String> {
    let policies = documents(input, "policies")?;
    let boundaries = documents(input, "boundaries")?;
    let sessions = documents(input, "sessions")?;
    let request = input.get("request").ok_or("no `request`")?;
    let text = |key: &str| request.get(key).and_then(Value::as_str);
    let action =
        text("action").and_then(Action::parse).ok_or("`request.action` is not an action like `s3:GetObject`")?;
    let resource = text("resource").ok_or("no `request.resource`")?.to_owned();
    let mut context = if partial { Context::partial() } else { Context::complete() };
    for (key, value) in request.get("context").and_then(Value::as_object).into_iter().flatten() {
        context = context.with(key, values(value));
    }
    let set = PolicySet::new(InForce {
        identity: &named(&policies),
        boundaries: &named(&boundaries),
        sessions: &named(&sessions),
    });
    let evaluation = set.decide(&action, &Resource::Known(resource), &context);
    Ok(json!({"decision": evaluation.decision, "statements": evaluation.statements}))
}

/// A context value: a string, a number, a truth value, or a list of these.
fn values(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        single => vec![text(single)],
    }
}

fn cut(input: &Value) -> Result<Value, String> {
    let policy = input.get("policy").ok_or("no `policy`")?;
    let document = PolicyDocument::from_value(policy).map_err(|error| error.to_string())?;
    let keep = input.get("keep").and_then(Value::as_array).ok_or("no list `keep`")?;
    let keep: BTreeSet<Action> = keep
        .iter()
        .map(|action| action.as_str().and_then(Action::parse).ok_or_else(|| format!("`keep`: {action} is no action")))
        .collect::<Result<_, _>>()?;
    let result = rightsize(NamedPolicy { name: "policy", document: &document }, &keep, Catalog::builtin());
    let removed: BTreeSet<&Action> = result.removed.iter().map(|removal| &removal.action).collect();
    // An emptied policy is one without statements; `null` would not be a document.
    let document = result.document.unwrap_or_else(|| document.with_statements(Vec::new()));
    Ok(json!({"policy": document, "removed": removed, "kept": result.kept}))
}

fn list(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let document = Input::read(file)?.document()?;
    let granted = expand(&[NamedPolicy { name: "policy", document: &document }], &[], Catalog::builtin());
    for grant in granted.grants {
        line(grant.action.as_str())?;
    }
    Ok(ExitCode::Done)
}
