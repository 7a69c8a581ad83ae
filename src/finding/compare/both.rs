//! What both reports have and tell differently.

use std::collections::BTreeMap;

use super::changes::{Changed, FindingChanged, SizingChanged};
use super::snapshot::{PartyRead, RoleRead, Snapshot, TrustRead};
use super::{by_id, found, is_outside, outside_trusts};

fn changed(what: &str, field: &'static str, from: &str, to: &str) -> Option<Changed> {
    let owned = || Changed { what: what.to_owned(), field, from: from.to_owned(), to: to.to_owned() };
    (from != to).then(owned)
}

pub(super) fn parties_changed(old: &Snapshot, new: &Snapshot) -> Vec<Changed> {
    let before: BTreeMap<&str, &PartyRead> = old.parties.iter().map(|party| (party.id.as_str(), party)).collect();
    let pairs = new.parties.iter().filter_map(|now| Some((*before.get(now.id.as_str())?, now)));
    let pairs = pairs.filter(|(before, now)| is_outside(before) || is_outside(now));
    pairs
        .flat_map(|(before, now)| {
            [changed(&now.id, "kind", &before.kind, &now.kind), changed(&now.id, "name", &before.name, &now.name)]
        })
        .flatten()
        .collect()
}

fn role_pairs<'a>(old: &'a Snapshot, new: &'a Snapshot) -> impl Iterator<Item = (&'a RoleRead, &'a RoleRead)> {
    let before = old.roles_by_arn();
    new.roles_by_arn().into_values().filter_map(move |now| Some((*before.get(now.arn.as_str())?, now)))
}

/// A role without an id was not seen, which is no other role.
pub(super) fn roles_changed(old: &Snapshot, new: &Snapshot) -> Vec<Changed> {
    let known = |role: &RoleRead| !role.role_id.is_empty();
    let pairs = role_pairs(old, new).filter(|(before, now)| known(before) && known(now));
    pairs.filter_map(|(before, now)| changed(&now.arn, "role_id", &before.role_id, &now.role_id)).collect()
}

pub(super) fn trusts_changed(old: &Snapshot, new: &Snapshot) -> Vec<Changed> {
    let before: BTreeMap<(&str, &str), &TrustRead> =
        outside_trusts(old).map(|(role, entry)| ((role.arn.as_str(), entry.principal.as_str()), entry)).collect();
    let mut changes = Vec::new();
    for (role, now) in outside_trusts(new) {
        let Some(before) = before.get(&(role.arn.as_str(), now.principal.as_str())) else { continue };
        let what = format!("{} {}", role.arn, now.principal);
        changes.extend(changed(&what, "external_id", &demand(before), &demand(now)));
        let reach = |entry: &TrustRead| entry.subjects.clone().unwrap_or_else(|| "bound".to_owned());
        changes.extend(changed(&what, "subjects", &reach(before), &reach(now)));
    }
    changes
}

/// What is demanded of a caller, for people (S42).
fn demand(entry: &TrustRead) -> String {
    let Some(id) = &entry.external_id else { return "none".to_owned() };
    let required = if id.required { "required" } else { "not required" };
    let print = id.fingerprint.as_deref().map(|print| format!(", {print}")).unwrap_or_default();
    format!("{required}, {}{print}", id.matching)
}

pub(super) fn findings_changed(old: &Snapshot, new: &Snapshot) -> Vec<FindingChanged> {
    let before = by_id(old);
    let mut changes: Vec<FindingChanged> = new
        .findings
        .iter()
        .filter_map(|now| {
            let before = before.get(now.id.as_str())?;
            let (was, is) = (before.suppressed.is_some(), now.suppressed.is_some());
            (before.severity != now.severity || was != is).then(|| FindingChanged {
                finding: found(now),
                old_severity: before.severity.clone(),
                old_suppressed: was,
            })
        })
        .collect();
    changes.sort_by(|a, b| {
        let key = |change: &FindingChanged| (change.finding.code.clone(), change.finding.subject.clone());
        key(a).cmp(&key(b))
    });
    changes
}

pub(super) fn rightsizing(old: &Snapshot, new: &Snapshot) -> Vec<SizingChanged> {
    let sizing = |role: &RoleRead| role.rightsizing.clone();
    let pairs = role_pairs(old, new).filter_map(|(before, now)| Some((now, sizing(before)?, sizing(now)?)));
    let differing = pairs.filter(|(_, from, to)| from != to);
    differing.map(|(role, from, to)| SizingChanged { role: role.arn.clone(), from, to }).collect()
}
