//! One group of actors judged: the reports of its roles, its rows, and its share of what is summed up over all.
//!
//! Groups are judged apart from each other, several at once, and only what is here outlives them.

use std::collections::{BTreeMap, BTreeSet};

use crate::activity::action_map::Class;
use crate::activity::opening::RoleKey;
use crate::activity::party::Channel;
use crate::activity::resolve::Activity;
use crate::activity::sessions::Session;
use crate::activity::usage::SeenCall;
use crate::aws::AccountId;
use crate::policy::inventory::Role;

use super::assess::Case;
use super::assessment::{RoleReport, SessionRow, UnmappedCall, UsageRow};
use super::coverage::event_source;
use super::parties::Parties;
use super::role::{Subject, report};
use super::session_table::session_rows;
use super::usage_table::usage_rows;

/// A role of the inventory.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// It.
    pub role: &'a Role,
    /// Whether its trust lets third parties in.
    pub trusts_outsiders: bool,
}

/// The roles of the inventory in a group.
pub type Existing<'a> = BTreeMap<RoleKey, Known<'a>>;

/// See the module.
#[derive(Debug, Default)]
pub struct Share {
    /// Roles that an outside party can or did assume.
    pub roles: Vec<RoleReport>,
    /// Sessions, in lists that are never copied into one.
    pub sessions: Vec<Vec<SessionRow>>,
    /// Calls, summed.
    pub usage: Vec<UsageRow>,
    /// Parties, with what they did here.
    pub parties: Parties,
    /// Calls by roles of the report that could not be mapped, by source and name.
    pub unmapped: BTreeMap<(String, String), (u64, BTreeSet<String>)>,
    /// Roles that parties reached through other roles.
    pub chained: Vec<Chained>,
    /// Outsiders that came in without a role.
    pub visits: Vec<Visit>,
    /// Roles in whose name outsiders acted by delegation.
    pub delegated: Vec<Delegated>,
}

/// A role that outsiders reached through another one (S11).
#[derive(Debug)]
pub struct Chained {
    /// The account that owns it.
    pub account: AccountId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Sessions by the name of the party.
    pub parties: BTreeMap<String, u64>,
}

/// A role in whose name outsiders acted by temporary delegation (S14).
#[derive(Debug)]
pub struct Delegated {
    /// The account that owns it.
    pub account: AccountId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Sessions and calls by the name of the party.
    pub parties: BTreeMap<String, (u64, u64)>,
}

/// An outsider let in by a resource policy (S15).
#[derive(Debug)]
pub struct Visit {
    /// Its party id.
    pub party_id: String,
    /// Its name.
    pub party_name: String,
    /// Calls.
    pub calls: u64,
    /// What it called for.
    pub resources: BTreeSet<String>,
}

impl Share {
    /// The share of a group; `existing` are the roles of the inventory in it.
    #[must_use]
    pub fn of(
        sessions: &[Session<'_>],
        arns: &RoleArns<'_>,
        existing: &Existing<'_>,
        activity: &Activity<'_>,
        case: &Case<'_>,
    ) -> Self {
        let arn = |session: &Session<'_>| arns.of_session(session);
        let roles = roles(sessions, existing, activity, case);
        let mut parties = Parties::default();
        for session in sessions {
            parties.add_session(session, arn(session));
        }
        Self {
            sessions: vec![session_rows(sessions, &arn)],
            usage: usage_rows(sessions, &arn),
            parties,
            unmapped: unmapped(&roles, sessions, &arn),
            chained: chained(sessions, arns),
            visits: visits(sessions),
            delegated: delegated(sessions, arns),
            roles,
        }
    }

    /// Adds the share of another group.
    pub fn merge(&mut self, other: Self) {
        self.roles.extend(other.roles);
        self.sessions.extend(other.sessions);
        self.usage.extend(other.usage);
        self.parties.merge(other.parties);
        for (call, (calls, services)) in other.unmapped {
            let entry = self.unmapped.entry(call).or_default();
            entry.0 += calls;
            entry.1.extend(services);
        }
        self.chained.extend(other.chained);
        self.visits.extend(other.visits);
        self.delegated.extend(other.delegated);
    }

    /// Calls that could not be mapped, which block removals (S22).
    #[must_use]
    pub fn unmapped_calls(&self) -> Vec<UnmappedCall> {
        let unmapped = self.unmapped.iter().map(|((event_source, event_name), (calls, blocks))| UnmappedCall {
            event_source: event_source.clone(),
            event_name: event_name.clone(),
            calls: *calls,
            blocks: blocks.iter().cloned().collect(),
        });
        unmapped.collect()
    }
}

/// The ARNs of the roles of some sessions.
pub struct RoleArns<'s>(BTreeMap<&'s RoleKey, String>);

impl<'s> RoleArns<'s> {
    /// Those of these sessions.
    #[must_use]
    pub fn of(sessions: &'s [Session<'_>], existing: &Existing<'_>, case: &Case<'_>) -> Self {
        let keys: BTreeSet<&RoleKey> = sessions.iter().filter_map(|session| session.role.as_deref()).collect();
        Self(keys.into_iter().map(|key| (key, arn_of(key, existing, case))).collect())
    }

    /// That of a session's role.
    #[must_use]
    pub fn of_session(&self, session: &Session<'_>) -> Option<&str> {
        session.role.as_deref().and_then(|key| self.0.get(key)).map(String::as_str)
    }
}

fn arn_of(key: &RoleKey, existing: &Existing<'_>, case: &Case<'_>) -> String {
    let role = existing.iter().find(|(role, _)| role.id == key.id || key.id.is_empty());
    role.map_or_else(
        || format!("arn:{}:iam::{}:role/{}", case.partition(key.account), key.account, key.name),
        |(_, known)| known.role.arn.clone(),
    )
}

/// Roles that an outside party can assume, by their trust, or did, by the records.
fn roles(
    sessions: &[Session<'_>],
    existing: &Existing<'_>,
    activity: &Activity<'_>,
    case: &Case<'_>,
) -> Vec<RoleReport> {
    let mut subjects: BTreeMap<&RoleKey, Option<&Role>> = BTreeMap::new();
    for (key, known) in existing.iter().filter(|(_, known)| known.trusts_outsiders) {
        subjects.insert(key, Some(known.role));
    }
    let role = |key: &RoleKey| existing.get(key).map(|known| known.role);
    for session in sessions.iter().filter(|session| session.attributed.party.kind.is_outside()) {
        let Some(key) = &session.role else { continue };
        // Calls whose record tells no role id count for the role that has the name now.
        let key = existing.keys().find(|_| key.id.is_empty()).unwrap_or(key);
        subjects.entry(key).or_insert_with(|| role(key));
    }
    let subjects = subjects.into_iter().map(|(key, role)| {
        let hand_offs = (activity.openings_into(key), activity.refused_into(key));
        Subject::of(key, role, activity.roles.get(key), sessions, hand_offs)
    });
    subjects.map(|subject| report(&subject, case)).collect()
}

fn unmapped<'a>(
    roles: &[RoleReport],
    sessions: &'a [Session<'_>],
    arn: &impl Fn(&'a Session<'_>) -> Option<&'a str>,
) -> BTreeMap<(String, String), (u64, BTreeSet<String>)> {
    let reported: BTreeSet<&str> = roles.iter().map(|role| role.arn.as_str()).collect();
    let mut sums: BTreeMap<(String, String), (u64, BTreeSet<String>)> = BTreeMap::new();
    for session in sessions {
        if !arn(session).is_some_and(|arn| reported.contains(arn)) {
            continue;
        }
        for seen in session.calls.iter().filter(|seen| seen.mapping.class == Class::Unmapped) {
            let key = (event_source(seen.source()), seen.name().to_owned());
            let entry = sums.entry(key).or_default();
            entry.0 += seen.calls();
            entry.1.extend(seen.mapping.candidate_services.iter().cloned());
        }
    }
    sums
}

fn chained(sessions: &[Session<'_>], arns: &RoleArns<'_>) -> Vec<Chained> {
    let mut chains: BTreeMap<&RoleKey, BTreeMap<String, u64>> = BTreeMap::new();
    for session in sessions {
        let attributed = &session.attributed;
        let outside = attributed.party.kind.is_outside();
        if let (Some(key), Channel::RoleChain, true) = (&session.role, attributed.channel, outside) {
            *chains.entry(key).or_default().entry(attributed.party.name.clone()).or_default() += 1;
        }
    }
    let chains = chains.into_iter().filter_map(|(key, parties)| {
        Some(Chained { account: key.account, arn: arns.0.get(key)?.clone(), name: key.name.clone(), parties })
    });
    chains.collect()
}

fn delegated(sessions: &[Session<'_>], arns: &RoleArns<'_>) -> Vec<Delegated> {
    let mut roles: BTreeMap<&RoleKey, BTreeMap<String, (u64, u64)>> = BTreeMap::new();
    for session in sessions {
        let attributed = &session.attributed;
        let by_outsider = attributed.channel == Channel::TemporaryDelegation && attributed.party.kind.is_outside();
        if let (Some(key), true) = (&session.role, by_outsider) {
            let sums = roles.entry(key).or_default().entry(attributed.party.name.clone()).or_default();
            sums.0 += 1;
            sums.1 += session.calls.iter().map(SeenCall::calls).sum::<u64>();
        }
    }
    let roles = roles.into_iter().filter_map(|(key, parties)| {
        Some(Delegated { account: key.account, arn: arns.0.get(key)?.clone(), name: key.name.clone(), parties })
    });
    roles.collect()
}

fn visits(sessions: &[Session<'_>]) -> Vec<Visit> {
    let mut visits: BTreeMap<&str, Visit> = BTreeMap::new();
    for session in sessions {
        let party = &session.attributed.party;
        if session.attributed.channel != Channel::ResourcePolicy || !party.kind.is_outside() {
            continue;
        }
        let visit = visits.entry(&party.id).or_insert_with(|| Visit {
            party_id: party.id.clone(),
            party_name: party.name.clone(),
            calls: 0,
            resources: BTreeSet::new(),
        });
        for seen in &session.calls {
            visit.calls += seen.calls();
            visit.resources.extend(seen.sighting.resources.iter().map(str::to_owned));
        }
    }
    visits.into_values().collect()
}
