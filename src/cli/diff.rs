//! `thirdtrail policy diff`: what a new version of a policy means beside the old one, and the difference of the texts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::Action;
use crate::policy::Catalog;
use crate::policy::diff::between;
use crate::policy::revision::{ElementChange, Fate, RevisedStatement, Revision, revise};
use crate::run::UserError;

use super::args::{DiffArguments, Format};
use super::exit_code::ExitCode;
use super::ink::Ink;
use super::input::Input;
use super::terminal::{line, plain};

/// Characters of a line of actions.
const LINE_CHARACTERS: usize = 100;

pub(super) fn run(arguments: &DiffArguments) -> anyhow::Result<ExitCode> {
    let (old, new) = (Input::read(Some(&arguments.old))?, Input::read(Some(&arguments.new))?);
    let (before, after) = (old.document()?, new.document()?);
    let evidence = arguments.certificate.as_deref().map(evidence).transpose()?;
    let revision = revise(&before, &after, Catalog::builtin());
    let text = between((&old.name, before.as_value()), (&new.name, Some(after.as_value())));
    match arguments.format {
        Format::Json => {
            let mut answer = json!({"old": old.name, "new": new.name});
            merge(&mut answer, serde_json::to_value(&revision)?);
            merge(&mut answer, json!({"evidence": evidence, "diff": text}));
            line(&answer.to_string())?;
        }
        Format::Table => {
            for (ink, text) in page(&revision, evidence.as_ref(), &text) {
                line(&ink.paint(&plain(&text)))?;
            }
        }
    }
    Ok(if revision.newly_granted.is_empty() { ExitCode::Done } else { ExitCode::Findings })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// What a certificate says about one action.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Evidence {
    verdict: String,
    why: String,
    calls: u64,
}

type EvidenceByAction = BTreeMap<Action, Evidence>;

#[derive(Deserialize)]
struct Certificate {
    removed: Vec<Entry>,
    kept: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    action: Action,
    #[serde(flatten)]
    evidence: Evidence,
}

fn evidence(path: &Path) -> Result<EvidenceByAction, UserError> {
    let input = Input::read(Some(path))?;
    let wrong = |why: String| {
        let what = format!("cannot read the certificate `{}`: {why}", input.name);
        UserError::new(what, "give the `certificate.json` that `thirdtrail analyze` wrote for the role")
    };
    let text = input.text().map_err(|_| wrong("not UTF-8".to_owned()))?;
    let read: Certificate = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    Ok(read.removed.into_iter().chain(read.kept).map(|entry| (entry.action, entry.evidence)).collect())
}

type Lines = Vec<(Ink, String)>;

fn page(revision: &Revision, evidence: Option<&EvidenceByAction>, text: &str) -> Lines {
    let mut lines = Lines::new();
    for statement in &revision.statements {
        add_statement(statement, evidence, &mut lines);
    }
    if revision.version_changed {
        lines.push((
            Ink::Head,
            "the version differs: `${..}` is a variable in one and literal text in the other".into(),
        ));
    }
    lines.push((Ink::Usual, String::new()));
    add_verdict(revision, &mut lines);
    if !text.is_empty() {
        lines.push((Ink::Usual, String::new()));
    }
    lines.extend(text.lines().map(|line| {
        let ink = match line.as_bytes().first() {
            _ if line.starts_with("--- ") || line.starts_with("+++ ") || line.starts_with("@@") => Ink::Head,
            Some(b'-') => Ink::Bad,
            Some(b'+') => Ink::Good,
            _ => Ink::Usual,
        };
        (ink, line.to_owned())
    }));
    lines
}

fn add_statement(statement: &RevisedStatement, evidence: Option<&EvidenceByAction>, lines: &mut Lines) {
    let fate = match statement.fate {
        Fate::Unchanged => "unchanged",
        Fate::Rewritten => "written otherwise, the same for every known action",
        Fate::Changed => "changed",
        Fate::Dropped => "dropped",
        Fate::Added => "added",
    };
    lines.push((Ink::Head, format!("statement `{}` ({}): {fate}", statement.statement, statement.effect)));
    // Without evidence to show, what did not change needs no list.
    if evidence.is_none() && matches!(statement.fate, Fate::Unchanged | Fate::Rewritten) {
        return;
    }
    for (ink, sign, actions, unknown) in [
        (Ink::Bad, "-", &statement.removed, &statement.unknown_removed),
        (Ink::Usual, " ", &statement.kept, &Vec::new()),
        (Ink::Good, "+", &statement.added, &statement.unknown_added),
    ] {
        let texts = evidence.map_or_else(|| by_service(actions), |evidence| with_evidence(actions, evidence));
        lines.extend(texts.into_iter().map(|text| (ink, format!("  {sign} {text}"))));
        let strange = |pattern: &String| (ink, format!("  {sign} {pattern} (matches no known action)"));
        lines.extend(unknown.iter().map(strange));
    }
    for ElementChange { element, old, new } in &statement.elements {
        lines.push((Ink::Usual, format!("    {element}:")));
        lines.extend(old.iter().map(|value| (Ink::Bad, format!("    - {value}"))));
        lines.extend(new.iter().map(|value| (Ink::Good, format!("    + {value}"))));
    }
}

/// `service: First, Second`, in lines of a readable length; `service:*` for all that a service has.
fn by_service(actions: &[Action]) -> Vec<String> {
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for action in actions {
        services.entry(action.service()).or_default().push(action.name());
    }
    let mut lines = Vec::new();
    for (service, names) in services {
        if names.len() > 1 && Catalog::builtin().in_service(service).count() == names.len() {
            lines.push(format!("{service}:* (all {} known actions)", names.len()));
            continue;
        }
        let mut current = format!("{service}:");
        for (at, name) in names.iter().enumerate() {
            if current.len() + name.len() > LINE_CHARACTERS {
                lines.push(std::mem::replace(&mut current, format!("{service}:")));
            }
            let comma = if at + 1 < names.len() { "," } else { "" };
            current.push_str(&format!(" {name}{comma}"));
        }
        lines.push(current);
    }
    lines
}

fn with_evidence(actions: &[Action], evidence: &EvidenceByAction) -> Vec<String> {
    let told = |action: &Action| match evidence.get(action) {
        Some(Evidence { verdict, why, calls }) => format!("{action}: {verdict}, {calls} calls; {why}"),
        None => format!("{action}: not in the certificate"),
    };
    actions.iter().map(told).collect()
}

/// What the change grants and takes as a whole.
fn add_verdict(revision: &Revision, lines: &mut Lines) {
    match revision.newly_granted.as_slice() {
        [] => lines.push((Ink::Head, "no known action is newly granted".into())),
        actions => {
            lines.push((Ink::Head, format!("newly granted: {}", counted(actions.len()))));
            lines.extend(by_service(actions).into_iter().map(|text| (Ink::Good, format!("  + {text}"))));
        }
    }
    lines.push((Ink::Head, format!("no longer granted: {}", counted(revision.no_longer_granted.len()))));
    let open = revision.statements.iter().filter(|statement| statement.may_grant_more);
    let open: Vec<String> = open.map(|statement| format!("`{}`", statement.statement)).collect();
    if !open.is_empty() {
        let note = "may let more through than before (resources, conditions, actions yet to come), read closely";
        lines.push((Ink::Good, format!("{note}: {}", open.join(", "))));
    }
}

fn counted(actions: usize) -> String {
    format!("{actions} known action{}", if actions == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_services_are_one_line_and_long_ones_are_wrapped() {
        let service =
            |prefix| Catalog::builtin().in_service(prefix).map(|info| info.action.clone()).collect::<Vec<_>>();
        let sqs = service("sqs");
        assert_eq!(by_service(&sqs), [format!("sqs:* (all {} known actions)", sqs.len())]);
        let lines = by_service(&service("ec2")[1..]);
        assert!(
            lines.len() > 10
                && lines.iter().all(|line| line.len() <= LINE_CHARACTERS + 10 && line.starts_with("ec2: "))
        );
        assert!(lines.last().is_some_and(|line| !line.ends_with(',')));
    }
}
