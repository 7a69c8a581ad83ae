//! The right-sized policies of a role, as an earlier run wrote them, and whom the role lets in today.
//!
//! Reads `report.json` and the files that it names, and nothing outside of its folder.

use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::Value;

use crate::aws::Arn;
use crate::policy::vendor_role::{Boundary, RoleDocument};

use super::super::UserError;
use super::super::inputs::read_text;
use super::Granted;
use super::grant::identity_policy;

/// What is needed of `report.json`.
#[derive(Deserialize)]
struct Report {
    schema: String,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    arn: String,
    name: String,
    in_inventory: bool,
    trust: Vec<Trust>,
    policies: Vec<Policy>,
    rightsizing: Rightsizing,
}

#[derive(Deserialize)]
struct Trust {
    principal: String,
    account_id: Option<String>,
    outside: bool,
}

#[derive(Deserialize)]
struct Policy {
    name: String,
    arn: Option<String>,
    proposal: String,
    files: Files,
}

#[derive(Deserialize)]
struct Files {
    current: Option<String>,
    rightsized: Option<String>,
    further: Vec<String>,
}

#[derive(Deserialize)]
struct Rightsizing {
    status: String,
    reason: Option<String>,
    guardrail: Option<Guardrail>,
}

#[derive(Deserialize)]
struct Guardrail {
    files: GuardrailFiles,
}

#[derive(Deserialize)]
struct GuardrailFiles {
    boundary: Option<String>,
}

/// The permissions of the role with that ARN or name in the output folder `out`.
pub(super) fn read(out: &Path, wanted: &str, guardrail: bool) -> Result<Granted, UserError> {
    let role = role_of(out, wanted)?;
    let status = role.rightsizing.status.as_str();
    if status != "proposed" && status != "unchanged" {
        let reason = role.rightsizing.reason.unwrap_or_default();
        let what = format!("the right-sizing of `{wanted}` is {status}: {reason}");
        return Err(UserError::new(what, "give the policy yourself with --policy"));
    }
    let parsed = Arn::parse(&role.arn);
    let mut granted = Granted {
        partition: parsed.as_ref().map(|arn| arn.partition.to_owned()),
        own: parsed.as_ref().and_then(Arn::account_id).into_iter().collect(),
        ..Granted::default()
    };
    let outside = role.trust.into_iter().filter(|entry| entry.outside && entry.account_id.is_some());
    granted.principals = outside.map(|entry| entry.principal).collect();
    for policy in &role.policies {
        add_policy(out, policy, &mut granted)?;
    }
    if status == "unchanged" {
        granted
            .notes
            .push("the policies are those that the role has: nothing in them is known to be unused".to_owned());
    }
    if guardrail {
        let path = role.rightsizing.guardrail.and_then(|guardrail| guardrail.files.boundary).ok_or_else(|| {
            UserError::new(format!("the report has no guard-rail for `{wanted}`"), "leave --guardrail out")
        })?;
        granted.boundary = Some(Boundary::Document(document_of(out, &path)?));
    }
    granted.taken = Some(role.name);
    Ok(granted)
}

fn role_of(out: &Path, wanted: &str) -> Result<Role, UserError> {
    let path = out.join("report.json");
    let wrong = |why: String| {
        UserError::new(format!("cannot read `{}`: {why}", path.display()), "give the folder that `analyze --out` wrote")
    };
    let (text, _) = read_text(&path).map_err(wrong)?;
    let report: Report = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if !report.schema.starts_with("thirdtrail.report/") {
        return Err(wrong("it is not a report of thirdtrail".to_owned()));
    }
    let mut roles: Vec<Role> =
        report.roles.into_iter().filter(|role| role.arn == wanted || role.name == wanted).collect();
    // A role of that name that was deleted has no policies any more.
    if roles.iter().any(|role| role.in_inventory) {
        roles.retain(|role| role.in_inventory);
    }
    match (roles.pop(), roles.len()) {
        (Some(role), 0) => Ok(role),
        (found, others) => {
            let count = others + usize::from(found.is_some());
            let what = format!("{count} roles `{wanted}` are in the report in `{}`", out.display());
            Err(UserError::new(what, "give the ARN of a role that report.json lists"))
        }
    }
}

/// One policy of the report: as proposed, or as it is where nothing is to go.
fn add_policy(out: &Path, policy: &Policy, granted: &mut Granted) -> Result<(), UserError> {
    let Policy { name, arn, proposal, files } = policy;
    let first = match (proposal.as_str(), arn) {
        ("emptied", _) => return Ok(()),
        ("unchanged", Some(arn)) => {
            granted.attached.push(arn.clone());
            return Ok(());
        }
        ("unchanged", None) => &files.current,
        _ => &files.rightsized,
    };
    let Some(first) = first else {
        let what = format!("the report names no file for policy `{name}`");
        return Err(UserError::new(what, "run `thirdtrail analyze` again, or give --policy"));
    };
    for path in std::iter::once(first).chain(&files.further) {
        granted.documents.push(RoleDocument { name: name.clone(), document: document_of(out, path)? });
    }
    Ok(())
}

/// A document in the output folder; a path that leads out of it is none.
fn document_of(out: &Path, path: &str) -> Result<Value, UserError> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        let what = format!("report.json names a file `{path}` outside of its folder");
        return Err(UserError::new(what, "run `thirdtrail analyze` again"));
    }
    identity_policy(&out.join(path)).map(|(_, document)| document)
}
