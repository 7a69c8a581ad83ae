//! What the role may do: given actions, or documents in files.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::aws::{Action, Arn};
use crate::policy::catalog::{ActionInfo, Catalog};
use crate::policy::lint::{Severity, lint};
use crate::policy::located::place_of;
use crate::policy::near::near_names;
use crate::policy::pattern::Pattern;
use crate::policy::statement::PrincipalMatch;
use crate::policy::vendor_role::{Boundary, RoleDocument};
use crate::policy::{DocumentError, PolicyDocument};

use super::super::UserError;
use super::super::inputs::read_text;
use super::{Granted, Permissions, Wish, rightsized, user};

/// Errors of a document that are told.
const LINTED: usize = 10;

pub(super) fn read(wish: &Wish) -> Result<Granted, UserError> {
    let granted = match &wish.permissions {
        Permissions::None => None,
        asked => Some(of_permissions(asked)?),
    };
    match &wish.replaced {
        Some(replaced) => user::read(replaced, granted, &wish.directory),
        None => Ok(granted.unwrap_or_default()),
    }
}

fn of_permissions(asked: &Permissions) -> Result<Granted, UserError> {
    match asked {
        Permissions::None => Ok(Granted::default()),
        Permissions::Actions(actions, resources) => of_actions(actions, resources, Catalog::builtin()),
        Permissions::Policies(paths) => of_files(paths),
        Permissions::Role { out, role, guardrail } => rightsized::read(out, role, *guardrail),
    }
}

/// Statements for actions: those that work on `*` alone, and those that can be limited to resources.
fn of_actions(actions: &[String], resources: &[String], catalog: &Catalog) -> Result<Granted, UserError> {
    let (mut anywhere, mut narrowable): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for text in actions.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let matched = known(text, catalog)?;
        let (bound, free): (Vec<&ActionInfo>, Vec<_>) =
            matched.iter().copied().partition(|info| !info.resource_types.is_empty());
        // A name in the catalog's own case; a pattern as it was written.
        let written = match matched.as_slice() {
            [only] if !text.contains(['*', '?']) => only.action.as_str().to_owned(),
            _ => text.to_owned(),
        };
        if bound.is_empty() {
            anywhere.push(written);
            continue;
        }
        for info in bound {
            fits(info, resources, catalog)?;
        }
        narrowable.push(written);
        if !resources.is_empty() {
            anywhere.extend(free.into_iter().map(|info| info.action.as_str().to_owned()));
        }
    }
    let mut granted = Granted::default();
    let mut statements = Vec::new();
    let mut add = |sid: &str, mut list: Vec<String>, on: Value| {
        list.sort();
        list.dedup();
        if !list.is_empty() {
            statements.push(json!({"Sid": sid, "Effect": "Allow", "Action": list, "Resource": on}));
        }
    };
    if resources.is_empty() && !narrowable.is_empty() {
        let note = "allowed on every resource, though they could be limited with --resource";
        granted.notes.push(format!("{note}: {}", narrowable.join(", ")));
    }
    add("OnAnyResource", anywhere, json!("*"));
    add("OnTheseResources", narrowable, if resources.is_empty() { json!("*") } else { json!(resources) });
    if statements.is_empty() {
        return Err(UserError::new("--actions names no action", "write them as `ec2:DescribeInstances,s3:ListBucket`"));
    }
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    granted.documents.push(RoleDocument { name: "VendorPermissions".to_owned(), document });
    Ok(granted)
}

/// The actions of a name or pattern.
fn known<'c>(text: &str, catalog: &'c Catalog) -> Result<Vec<&'c ActionInfo>, UserError> {
    let index = catalog.index();
    let found: Vec<&ActionInfo> =
        index.matching(text).filter_map(|at| index.action(at)).filter_map(|action| catalog.get(action)).collect();
    let one_service = !text.split(':').next().unwrap_or_default().contains(['*', '?']);
    if !one_service || (found.is_empty() && Action::parse(text).is_none() && !text.contains(['*', '?'])) {
        return Err(UserError::new(
            format!("`{text}` is no action of one service"),
            "write actions as `ec2:DescribeInstances`",
        ));
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let near = near_names(text, catalog);
    let help = match near.as_slice() {
        [] => "see the Service Authorization Reference for the actions of each service".to_owned(),
        names => format!("near are: {}", names.join(", ")),
    };
    Err(UserError::new(format!("`{text}` matches no action that is known"), help))
}

/// Whether one of the resources can be one that the action works on.
fn fits(info: &ActionInfo, resources: &[String], catalog: &Catalog) -> Result<(), UserError> {
    let templates: Vec<&str> =
        catalog.resource_templates(&info.action).into_iter().filter_map(|(_, template)| template).collect();
    if resources.is_empty() || templates.is_empty() {
        return Ok(());
    }
    let is_one = |template: &&str| {
        let (wide, some) = (filled(template, "*"), filled(template, "x"));
        let fits = |resource: &String| Pattern::new(&wide).matches(resource) || Pattern::new(resource).matches(&some);
        resources.iter().any(fits)
    };
    if templates.iter().any(is_one) {
        return Ok(());
    }
    let what = format!("no --resource fits `{}`, which works on {}", info.action, templates.join(" or "));
    Err(UserError::new(what, "add a resource of that form, or leave the action out"))
}

/// A template with its `${...}` filled.
fn filled(template: &str, by: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push_str(by);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// Documents in files.
fn of_files(paths: &[PathBuf]) -> Result<Granted, UserError> {
    let mut granted = Granted::default();
    for path in paths {
        let (text, document) = identity_policy(path)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name: String =
            stem.chars().filter(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(*c)).take(100).collect();
        let name = if name.is_empty() { "VendorPermissions".to_owned() } else { name };
        granted.notes.extend(errors_of(&name, &text));
        granted.documents.push(RoleDocument { name, document });
    }
    Ok(granted)
}

/// What AWS would refuse of a document, for people.
fn errors_of(name: &str, text: &str) -> Vec<String> {
    let found = lint(text, Catalog::builtin()).into_iter().filter(|finding| finding.severity == Severity::Error);
    let told = |finding: crate::policy::lint::Finding| {
        let statement = finding.statement.map(|label| format!("statement {label}: ")).unwrap_or_default();
        format!("policy {name}: {statement}{}", finding.message)
    };
    found.take(LINTED).map(told).collect()
}

/// An identity policy, with its text.
pub(super) fn identity_policy(path: &Path) -> Result<(String, Value), UserError> {
    let shown = path.display();
    let wrong = |why: String| {
        let help = "`thirdtrail policy lint` shows everything that is wrong with it";
        UserError::new(format!("cannot read the policy in `{shown}`: {why}"), help)
    };
    let (text, _) = read_text(path).map_err(wrong)?;
    let document: PolicyDocument = text.parse().map_err(|error: DocumentError| {
        let place = place_of(&text, &error).map(|place| format!("{place}: ")).unwrap_or_default();
        wrong(format!("{place}{error}"))
    })?;
    if document.statements.iter().any(|statement| statement.principals != PrincipalMatch::None) {
        let what = format!("the policy in `{shown}` names principals: it says who comes in, not what may be done");
        return Err(UserError::new(what, "give the vendor's permissions policy"));
    }
    Ok((text, document.as_value().clone()))
}

/// The boundary that a user names: the ARN of a managed policy, or a file.
pub(super) fn boundary(given: &str) -> Result<Boundary, UserError> {
    match Arn::parse(given) {
        Some(arn) if arn.service == "iam" && arn.resource.starts_with("policy/") => Ok(Boundary::Arn(given.to_owned())),
        Some(_) => Err(UserError::new(
            format!("`{given}` is not the ARN of a managed policy"),
            "give one, or a file with a policy document",
        )),
        None => identity_policy(Path::new(given)).map(|(_, document)| Boundary::Document(document)),
    }
}
