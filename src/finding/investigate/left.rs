//! What a party left behind or was given: changes of access by it and for it, other calls by which one can stay, and what
//! came of the users, keys and roles that it made.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::window::Window;
use crate::aws::{AccountId, Arn};
use crate::cloudtrail::access_change::{ChangeKind, kind_of};
use crate::policy::danger::Danger;

use super::answer::{CallTold, Credential, Door, LeftBehind, Sign, UserTold};
use super::did::ended;
use super::read::{ChangeRead, KeyRead, Reported};
use super::{Asked, Known};

/// Dangers of calls by which one can stay, hide or run code.
const STAYING: [Danger; 4] =
    [Danger::PrivilegeEscalation, Danger::PermissionsManagement, Danger::DefenseEvasion, Danger::CodeExecution];
/// A grant of a key outlives every session.
const GRANT: (&str, &str) = ("kms.amazonaws.com", "CreateGrant");

fn kind(change: &ChangeRead) -> Option<ChangeKind> {
    kind_of(change.service(), &change.event_name)
}

fn in_range(change: &ChangeRead, range: Window) -> bool {
    change.at().is_none_or(|time| range.contains(time))
}

/// Its changes in the range by which somebody else may come into a role.
pub(super) fn opened<'a>(
    reported: &'a Reported,
    ids: &'a BTreeSet<String>,
    range: Window,
) -> impl Iterator<Item = &'a ChangeRead> {
    reported.access_changes.iter().filter(move |change| {
        ids.contains(&change.by.party_id)
            && in_range(change, range)
            && change.was_made()
            && kind(change) == Some(ChangeKind::Trust)
    })
}

pub(super) fn behind(known: &Known<'_>, asked: &Asked<'_>, ids: &BTreeSet<String>, calls: &[CallTold]) -> LeftBehind {
    let reported = known.reported;
    let by_it = || reported.access_changes.iter().filter(|change| ids.contains(&change.by.party_id));
    let changes: Vec<ChangeRead> = by_it().filter(|change| in_range(change, asked.range)).cloned().collect();
    let doors = opened(reported, ids, asked.range).map(|change| door(change, known)).collect();
    LeftBehind {
        changes_outside_range: (by_it().count() - changes.len()) as u64,
        credentials: changes
            .iter()
            .filter(|change| change.was_made())
            .flat_map(|one| credentials(one, reported))
            .collect(),
        changes,
        signs: calls.iter().filter_map(sign).collect(),
        doors,
    }
}

fn sign(call: &CallTold) -> Option<Sign> {
    let danger = call.danger.as_deref()?;
    let stays = STAYING.iter().any(|one| one.as_str() == danger);
    let grants = (call.event_source.as_str(), call.event_name.as_str()) == GRANT;
    // Roles that it was in by a chain are told as such.
    let chains = call.event_source.starts_with("sts.") && call.event_name.starts_with("AssumeRole");
    if call.calls == call.denied || chains || !(stays || grants) {
        return None;
    }
    Some(Sign {
        danger: danger.to_owned(),
        event_source: call.event_source.clone(),
        event_name: call.event_name.clone(),
        account_id: call.account_id.clone(),
        region: call.region.clone(),
        role_arn: call.role_arn.clone(),
        calls: call.calls - call.denied,
        first_seen: call.first_seen.clone(),
        last_seen: call.last_seen.clone(),
        resources: call.resources.iter().filter(|one| !call.refused_resources.contains(one)).cloned().collect(),
        resources_may_be_cut: call.resources_may_be_cut,
        sample_event_ids: call.sample_event_ids.clone(),
    })
}

/// The user or key that a change made, with every use that the records show.
fn credentials(change: &ChangeRead, reported: &Reported) -> Vec<Credential> {
    if kind(change) != Some(ChangeKind::UserCredentials) {
        return Vec::new();
    }
    let ending = change.gives.as_deref().and_then(|gives| gives.strip_prefix("****")).map(str::to_owned);
    let user = reported.users.iter().find(|user| user.arn == change.subject);
    let keys = user.map(|user| user.keys.as_slice()).unwrap_or_default();
    let fits = |key: &&KeyRead| ending.as_deref().is_none_or(|ending| key.ending == ending);
    let made = |ending: Option<String>, used: Option<KeyRead>| Credential {
        user_arn: change.subject.clone(),
        made_by: change.event_name.clone(),
        made_at: change.time.clone(),
        ending,
        used: used.filter(|key| key.last_seen.is_some()),
    };
    let found: Vec<Credential> = keys
        .iter()
        .filter(fits)
        .map(|key| made(Some(key.ending.clone()).filter(|ending| !ending.is_empty()), Some(key.clone())))
        .collect();
    if found.is_empty() { vec![made(ending, None)] } else { found }
}

/// Who was in a role since it was opened.
fn door(change: &ChangeRead, known: &Known<'_>) -> Door {
    let mut since: BTreeMap<String, u64> = BTreeMap::new();
    for row in known.sessions.iter().filter(|row| row.role_arn == change.subject) {
        if ended(row).is_none_or(|last| change.at().is_none_or(|at| last >= at)) {
            *since.entry(row.party_id.clone()).or_default() += 1;
        }
    }
    Door {
        role_arn: change.subject.clone(),
        opened_by: change.event_name.clone(),
        opened_at: change.time.clone(),
        sessions_since: since,
    }
}

/// Access that others gave it: a policy that names it, more for a role that it can assume, or for a user of its.
pub(super) fn given(
    reported: &Reported,
    asked: &Asked<'_>,
    ids: &BTreeSet<String>,
    reachable: &BTreeSet<&str>,
    keys: &[UserTold],
) -> Vec<ChangeRead> {
    let names: BTreeSet<&str> = asked.parties.iter().map(|party| party.name.as_str()).collect();
    let names_it = |change: &ChangeRead| {
        change.lets_in.iter().any(|one| {
            let account = AccountId::parse(&one.principal).or_else(|| Arn::parse(&one.principal)?.account_id());
            one.principal == "*"
                || one.party.as_deref().is_some_and(|party| names.contains(party))
                || account.is_some_and(|account| ids.contains(account.as_str()))
        })
    };
    let concerns = |change: &ChangeRead| match kind(change) {
        Some(ChangeKind::RolePermissions) => reachable.contains(change.subject.as_str()),
        Some(ChangeKind::UserPermissions | ChangeKind::UserCredentials) => {
            keys.iter().any(|user| user.arn == change.subject)
        }
        _ => names_it(change),
    };
    let by_others = reported.access_changes.iter().filter(|change| !ids.contains(&change.by.party_id));
    by_others.filter(|one| one.was_made() && in_range(one, asked.range) && concerns(one)).cloned().collect()
}
