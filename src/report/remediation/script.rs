//! `apply.sh` and `rollback.sh` of one role, for a person to read and to run.
//!
//! Without `--apply` they only read: they show what there is and what would be. They refuse another account, a role that was
//! made anew, and whatever is not as it was when it was analysed. A roll-back goes to the documents that were there.
//! Every word that does not come from this program is quoted, or stands in a comment with plain characters only (S43).

use super::super::escape::{shell_comment as comment, shell_quoted as quoted};
use super::plan::{Change, OwnPolicy, Step};
use crate::finding::assessment::RoleReport;

/// What both scripts begin with.
const COMMON: &str = include_str!("shell/common.sh");
/// What shellcheck is to know of the whole script: it must stand before the first command.
const DIRECTIVE: &str = "\n# The same functions serve every role, this one may not need all; names hold what they hold, in single \
                         quotes.\n# shellcheck disable=SC1003,SC2016,SC2317,SC2329\n";
const APPLY: &str = include_str!("shell/apply.sh");
const ROLLBACK: &str = include_str!("shell/rollback.sh");
const END: &str = include_str!("shell/end.sh");

/// Whether the words of the scripts can be handed to the AWS command line: it takes `file://` and `http://` for the place
/// of a text, and no shell has words with a NUL. No name of IAM's holds either.
pub(super) fn can_be_written(role: &RoleReport, steps: &[Step<'_>]) -> bool {
    let policies = steps.iter().flat_map(|step| [Some(step.policy.name.as_str()), step.policy.arn.as_deref()]);
    let names = policies.flatten().chain([role.name.as_str()]);
    let is_word = |word: &str| !word.contains("://") && !word.contains('\0');
    is_word(&role.role_id) && names.into_iter().all(|name| is_word(name) && !name.is_empty())
}

/// The script that applies the proposal.
pub(super) fn apply(role: &RoleReport, steps: &[Step<'_>]) -> String {
    let mut out = String::from("#!/bin/sh\n");
    let sizing = &role.rightsizing;
    comment(&mut out, &format!("Takes {} of {} granted actions from a role:", sizing.removed, sizing.granted));
    comment(&mut out, &role.arn);
    comment(&mut out, "`sh apply.sh` changes nothing and shows what would change; `sh apply.sh --apply` does it.");
    comment(&mut out, "`sh rollback.sh --apply` takes it back; keep this folder until then.");
    if sizing.guardrail.status == "proposed" {
        comment(&mut out, "Not part of it: the guard-rail, which is for policies that must stay as they are.");
    }
    if role.trust_narrowing.as_ref().is_some_and(|trust| matches!(trust.status.as_str(), "proposed" | "template")) {
        comment(&mut out, "Not part of it: the narrower trust policy, which is to be agreed on with the party first.");
    }
    begin(&mut out, role, "apply.sh", "the way back: sh rollback.sh");
    out.push_str(APPLY);
    out.push_str("\nsteps() {\n");
    for step in steps {
        call(&mut out, &apply_step(step));
    }
    out.push_str("}\n");
    out + END
}

/// The script that takes it back.
pub(super) fn rollback(role: &RoleReport, steps: &[Step<'_>]) -> String {
    let mut out = String::from("#!/bin/sh\n");
    comment(&mut out, "Takes back what apply.sh did to the policies of a role:");
    comment(&mut out, &role.arn);
    comment(
        &mut out,
        "`sh rollback.sh` changes nothing and shows what would change; `sh rollback.sh --apply` does it.",
    );
    begin(&mut out, role, "rollback.sh", "the way on: sh apply.sh");
    out.push_str(ROLLBACK);
    out.push_str("\nsteps() {\n");
    for step in steps.iter().rev() {
        call(&mut out, &rollback_step(step));
    }
    out.push_str("  forget\n}\n");
    out + END
}

fn begin(out: &mut String, role: &RoleReport, script: &str, way_on: &str) {
    let words = [
        ("account", role.account_id.as_str()),
        ("role", &role.name),
        ("role_id", &role.role_id),
        ("script", script),
        ("way_on", way_on),
    ];
    out.push_str(DIRECTIVE);
    for (name, word) in words {
        out.push_str(&format!("{name}={}\n", quoted(word)));
    }
    out.push_str(COMMON);
}

fn call(out: &mut String, lines: &[String]) {
    for line in lines {
        out.push_str(&format!("  {line}\n"));
    }
}

fn apply_step(step: &Step<'_>) -> Vec<String> {
    let (name, current) = (quoted(&step.policy.name), current(step));
    match &step.change {
        Change::PutInline => vec![format!("inline {name} {current} {}", part(step, 0))],
        Change::NewVersion(arn) => vec![format!("version {} {current} {}", quoted(arn), part(step, 0))],
        Change::Replace(own) => {
            let mut lines = Vec::new();
            match step.policy.arn.as_deref() {
                Some(arn) => lines.push(format!("holds {} {current}", quoted(arn))),
                // What becomes of the inline policy is checked below, where it goes.
                None => lines.push("had=yes".to_owned()),
            }
            let grant =
                |one: &OwnPolicy| format!("grant {} {} {}", quoted(&one.arn), quoted(&one.name), part(step, one.part));
            lines.extend(own.iter().map(grant));
            lines.push(match step.policy.arn.as_deref() {
                Some(arn) => format!("detach {}", quoted(arn)),
                None => format!("inline {name} {current} ''"),
            });
            lines
        }
    }
}

fn rollback_step(step: &Step<'_>) -> Vec<String> {
    let name = quoted(&step.policy.name);
    let earlier = format!("\"$(earlier {})\"", current(step));
    match &step.change {
        Change::PutInline => vec![format!("inline {name} {} {earlier}", part(step, 0))],
        Change::NewVersion(arn) => vec![format!("version {} {} {earlier}", quoted(arn), part(step, 0))],
        Change::Replace(own) => {
            let mut lines = vec![match (own.first(), step.policy.arn.is_some()) {
                (Some(one), true) => format!("holds {} {}", quoted(&one.arn), part(step, one.part)),
                _ => "had=yes".to_owned(),
            }];
            lines.push(match step.policy.arn.as_deref() {
                Some(arn) => format!("attach {} {}", quoted(arn), current(step)),
                None => format!("inline {name} '' {earlier}"),
            });
            lines.extend(own.iter().map(|one| format!("withdraw {} {}", quoted(&one.arn), part(step, one.part))));
            lines
        }
    }
}

/// The name of the file with the document as it is, as a word.
fn current(step: &Step<'_>) -> String {
    quoted(file_name(step.policy.files.current.as_deref().unwrap_or_default()))
}

/// The name of the file with a part of the proposal, as a word.
fn part(step: &Step<'_>, part: usize) -> String {
    quoted(file_name(step.path(part)))
}

/// The scripts run in the folder of the files.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
