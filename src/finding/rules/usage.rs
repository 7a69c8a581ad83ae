//! Findings about use: idle and unused roles, unused and dangerous permissions, refused calls, chains, other ways in.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::json;

use crate::aws::window::rfc3339;

use super::super::assessment::{ActionEntry, Assessment, Finding, RoleReport};
use super::super::share::{Chained, Visit};
use super::{Draft, count};

pub(super) fn of_role(role: &RoleReport, assessment: &Assessment, found: &mut Vec<Finding>) {
    idle(role, assessment, found);
    without_calls(role, found);
    unused(role, assessment, found);
    denied(role, found);
    seasonal(role, assessment, found);
}

fn entries(role: &RoleReport) -> impl Iterator<Item = &ActionEntry> {
    role.actions.iter().chain(&role.actions_beyond)
}

fn idle(role: &RoleReport, assessment: &Assessment, found: &mut Vec<Finding>) {
    let dangerous = entries(role).any(|entry| entry.danger.is_some());
    let severity = if dangerous { "high" } else { "medium" };
    let evidence = json!({
        "last_activity": role.last_activity, "days": role.idle.days, "as_of": rfc3339(assessment.as_of),
        "idle_days": assessment.idle_days, "created_at": role.created_at.map(rfc3339),
    });
    let (code, title, remediation) = match role.idle.verdict.as_str() {
        "idle" => (
            "role-idle",
            format!("role {} has been idle for {} days", role.name, role.idle.days.unwrap_or_default()),
            "Ask the party whether it still works for you; if not, remove the trust first, wait, then delete the role.",
        ),
        "never_used" => (
            "role-never-used",
            format!("role {} was never used", role.name),
            "Delete the role, or find the project that prepared it.",
        ),
        _ => return,
    };
    found.push(Draft::role(code, severity, role).finish(title, role.idle.reason.clone(), evidence, remediation));
}

fn without_calls(role: &RoleReport, found: &mut Vec<Finding>) {
    let sessions = role.sessions.total;
    if sessions == 0 || role.sessions.without_calls < sessions {
        return;
    }
    found.push(Draft::role("role-assumed-without-calls", "low", role).finish(
        format!("role {} is assumed but makes no call", role.name),
        format!("{} opened in the window, none with a call that the trail shows", count(sessions, "session")),
        json!({"sessions": sessions, "by_party": role.sessions.by_party}),
        "Ask the party what the role is for; calls may be data events that the trail does not record.",
    ));
}

/// What somebody answers for by a keep rule (S39) is told, but it is no call to act.
fn unused(role: &RoleReport, assessment: &Assessment, found: &mut Vec<Finding>) {
    let (kept, unused): (Vec<&ActionEntry>, Vec<&ActionEntry>) =
        entries(role).filter(|entry| entry.verdict == "unused").partition(|entry| entry.kept_by.is_some());
    let window = json!({"since": rfc3339(assessment.window.since), "until": rfc3339(assessment.window.until)});
    let remediation = match role.rightsizing.status.as_str() {
        "proposed" => {
            "Review the right-sized policies and their diff, apply them, and keep the current ones for a way back."
        }
        _ => "The proposal was withheld: its reason is with the role.",
    };
    if !unused.is_empty() {
        let sample: Vec<&str> = unused.iter().take(20).map(|entry| entry.action.as_str()).collect();
        found.push(Draft::role("permissions-unused", "medium", role).finish(
            format!(
                "{} of {} actions that role {} grants were not used",
                unused.len(),
                role.rightsizing.granted,
                role.name
            ),
            "The trail would have shown a use of each of them, and shows none.".to_owned(),
            json!({"unused": unused.len(), "granted": role.rightsizing.granted, "kept_by_rule": kept.len(),
                "window": window, "sample": sample}),
            remediation,
        ));
    }
    let named = |entry: &&ActionEntry| Some(format!("{} ({})", entry.action, entry.danger.as_ref()?));
    let dangerous: Vec<String> = unused.iter().filter_map(named).collect();
    let by_rule = |entry: &&ActionEntry| Some(format!("{}: {}", named(entry)?, entry.kept_by.as_ref()?));
    let kept: Vec<String> = kept.iter().filter_map(by_rule).collect();
    let (severity, detail, remediation) = match (dangerous.is_empty(), kept.is_empty()) {
        (true, true) => return,
        (false, _) => (
            "high",
            "Each of them would do harm in the wrong hands, and the trail would have shown a use.",
            remediation,
        ),
        (true, false) => ("info", "Keep rules keep all of them.", "Read the keep rules again when their day comes."),
    };
    let instead = match role.rightsizing.guardrail.status.as_str() {
        "proposed" => " Where the policy must stay, the role's guard-rail takes them and nothing else.",
        _ => "",
    };
    let number = if dangerous.is_empty() { kept.len() } else { dangerous.len() };
    found.push(Draft::role("dangerous-unused", severity, role).finish(
        format!("role {} grants {} that nobody used", role.name, count(number as u64, "dangerous action")),
        detail.to_owned(),
        json!({"actions": dangerous, "kept_by_rule": kept, "window": window}),
        &format!("{remediation}{instead}"),
    ));
}

fn denied(role: &RoleReport, found: &mut Vec<Finding>) {
    let granted = entries(role).filter(|entry| entry.denied > 0).map(|entry| (entry.action.as_str(), entry.denied));
    let wishes = role.denied_not_granted.iter().map(|wish| (wish.action.as_str(), wish.denied));
    let denied: BTreeMap<&str, u64> = granted.chain(wishes).collect();
    if denied.is_empty() {
        return;
    }
    let total: u64 = denied.values().sum();
    found.push(Draft::role("calls-denied", "low", role).finish(
        format!("{} by role {} {} denied", count(total, "call"), role.name, if total == 1 { "was" } else { "were" }),
        "A refused call is a wish, not a use: it neither keeps nor grants a permission.".to_owned(),
        json!({"actions": denied}),
        "Ask the party which feature needs them; grant what is justified, or have the feature switched off.",
    ));
}

/// S29: calls spaced wider than half the window may well have a sibling outside of it.
fn seasonal(role: &RoleReport, assessment: &Assessment, found: &mut Vec<Finding>) {
    let length = assessment.window.until - assessment.window.since;
    let wide: Vec<String> = entries(role)
        .filter(|entry| match (entry.first_seen, entry.last_seen) {
            (Some(first), Some(last)) => is_seasonal(entry.calls - entry.denied, last - first, length),
            _ => false,
        })
        .map(|entry| entry.action.to_string())
        .collect();
    if wide.is_empty() {
        return;
    }
    found.push(
        Draft::role("action-seasonal", "info", role).finish(
            format!("role {} uses {} rarely", role.name, count(wide.len() as u64, "action")),
            "Their calls lie further apart than half the window: the window may be too short for others like them."
                .to_owned(),
            json!({"actions": wide}),
            "Read a longer window before removing permissions of jobs that run once a quarter.",
        ),
    );
}

/// Whether the average space between uses is wider than half the window.
fn is_seasonal(uses: u64, span: TimeDelta, window: TimeDelta) -> bool {
    let gaps = i64::try_from(uses.saturating_sub(1)).unwrap_or(i64::MAX);
    gaps > 0 && span.num_seconds() / gaps > window.num_seconds() / 2
}

pub(super) fn recreated(roles: &[RoleReport], found: &mut Vec<Finding>) {
    let mut ids: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for role in roles.iter().filter(|role| !role.role_id.is_empty()) {
        ids.entry((role.account_id.as_str(), &role.name)).or_default().insert(&role.role_id);
    }
    for role in roles.iter().filter(|role| role.in_inventory) {
        let Some(ids) = ids.get(&(role.account_id.as_str(), role.name.as_str())).filter(|ids| ids.len() > 1) else {
            continue;
        };
        found.push(Draft::role("role-recreated", "medium", role).finish(
            format!("role {} was deleted and created again", role.name),
            "What the earlier role of this name did does not count for the permissions of this one.".to_owned(),
            json!({"role_ids": ids, "current": role.role_id}),
            "Compare the trust of the new role with the old one, and give the new one time before right-sizing it.",
        ));
    }
}

pub(super) fn chained(chains: &[Chained], found: &mut Vec<Finding>) {
    for chain in chains {
        let names: Vec<&str> = chain.parties.keys().map(String::as_str).collect();
        let draft = Draft {
            code: "role-chained-by-party",
            severity: "medium",
            account: Some(chain.account),
            subject: &chain.arn,
            party: Some(names.join(", ")),
        };
        found.push(draft.finish(
            format!("{} reached role {} through another role", names.join(", "), chain.name),
            "The trust policy of this role does not name the party: it came on from a role that does.".to_owned(),
            json!({"sessions": chain.parties}),
            "If the chain is not intended, take sts:AssumeRole from the first role or narrow the trust of this one.",
        ));
    }
}

/// S15: outsiders let in by a resource policy.
pub(super) fn without_role(visits: &[Visit], found: &mut Vec<Finding>) {
    for Visit { party_id, party_name, calls, resources } in visits {
        let draft = Draft {
            code: "access-without-role",
            severity: "medium",
            account: None,
            subject: party_id,
            party: Some(party_name.clone()),
        };
        found.push(draft.finish(
            format!("{party_name} came in without a role"),
            format!("{} by its own principals, let in by a resource policy", count(*calls, "call")),
            json!({"calls": calls, "resources": resources.iter().take(20).collect::<Vec<_>>()}),
            "Look at the policies of these resources; who gave the access, and is it still wanted?",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S29: calls spaced wider than half the window tell that the window is short.
    #[test]
    fn wide_spacing_is_seasonal() {
        let days = TimeDelta::days;
        assert!(is_seasonal(2, days(50), days(92)));
        assert!(!is_seasonal(2, days(46), days(92)));
        assert!(!is_seasonal(10, days(90), days(92)));
        assert!(!is_seasonal(1, days(0), days(92)));
    }
}
