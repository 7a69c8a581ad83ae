//! `thirdtrail policy`: the policy engine, JSON Lines in, JSON Lines out.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::Path;

use serde_json::{Value, json};

use crate::aws::Action;
use crate::policy::catalog::Catalog;
use crate::policy::narrow::{KnownUses, Narrowing, narrow};
use crate::policy::{Context, Grant, InForce, NamedPolicy, PolicyDocument, PolicySet, Resource, expand, rightsize};

use super::args::{Format, PolicyArguments, PolicyCommand};
use super::diff;
use super::exit_code::ExitCode;
use super::input::Input;
use super::lint;
use super::terminal::line;

pub(super) fn run(arguments: &PolicyArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        PolicyCommand::Evaluate { partial_context } => lines(&|input| decide(input, *partial_context)),
        PolicyCommand::Rightsize => lines(&cut),
        PolicyCommand::Expand { file, format } => list(file.as_deref(), *format),
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
    let (document, narrowed) = match input.get("uses") {
        Some(uses) => narrow(&document, &known_uses(uses)?, how(input)?),
        None => (document, Vec::new()),
    };
    let left = result.statements.iter().filter(|change| change.left_alone).map(|change| &change.statement);
    Ok(json!({
        "policy": document, "removed": removed, "kept": result.kept,
        "left_alone": left.collect::<Vec<_>>(), "narrowed": narrowed,
    }))
}

/// `{"s3:GetObject":["arn:..",..],..}`: every resource on which each action is used.
fn known_uses(uses: &Value) -> Result<KnownUses, String> {
    let wrong = "`uses` is not an object of actions with lists of ARNs";
    let one = |(action, arns): (&String, &Value)| {
        let arns = arns.as_array()?.iter().map(|arn| arn.as_str().map(str::to_owned)).collect::<Option<_>>()?;
        Some((Action::parse(action)?, arns))
    };
    let uses = uses.as_object().ok_or(wrong)?;
    uses.iter().map(one).collect::<Option<KnownUses>>().ok_or_else(|| wrong.to_owned())
}

fn how(input: &Value) -> Result<Narrowing, String> {
    match input.get("narrow").map(Value::as_str) {
        None | Some(Some("exact")) => Ok(Narrowing::Exact),
        Some(Some("prefix")) => Ok(Narrowing::CommonPrefix),
        _ => Err("`narrow` is neither `exact` nor `prefix`".to_owned()),
    }
}

fn list(file: Option<&Path>, format: Format) -> anyhow::Result<ExitCode> {
    let document = Input::read(file)?.document()?;
    let granted = expand(&[NamedPolicy { name: "policy", document: &document }], &[], Catalog::builtin());
    for grant in granted.grants {
        match format {
            Format::Table => line(grant.action.as_str())?,
            Format::Json => line(&grounds(&document, &grant).to_string())?,
        }
    }
    Ok(ExitCode::Done)
}

/// A granted action with the statements that grant it: on which resources, under which conditions.
fn grounds(document: &PolicyDocument, grant: &Grant) -> Value {
    let by = grant.granted_by.iter().filter_map(|at| {
        let statement = document.statements.get(at.index)?;
        let mut out = json!({"statement": at.statement.as_ref()});
        for element in ["Resource", "NotResource", "Condition"] {
            if let (Some(value), Some(out)) = (statement.raw.get(element), out.as_object_mut()) {
                out.insert(element.to_owned(), value.clone());
            }
        }
        Some(out)
    });
    json!({"action": grant.action, "conditional": grant.conditional, "granted_by": by.collect::<Vec<_>>()})
}
