//! A breached party: what it did in a range of time, what it touched, what it left behind, and what would shut it out.
//!
//! Answered from the output of a run alone. Sessions, changes of access and calls carry their times, so those told are
//! those of the range.

pub mod answer;
pub mod contain;
mod did;
mod gaps;
mod left;
pub mod read;
pub mod rows;
pub mod who;

use std::collections::BTreeSet;

use crate::aws::window::{Window, rfc3339};
use crate::policy::Catalog;
use crate::policy::inventory::Inventory;

use answer::{FindingTold, Investigation, PartyTold, RoleTold, RunTold, SCHEMA, UserTold};
use read::{PartyRead, Reported};
use rows::{CallSums, SessionRead};

/// The id of the party that nobody could be found for.
const UNRESOLVED: &str = "unresolved";

/// The output of a run.
#[derive(Debug)]
pub struct Known<'a> {
    /// `report.json`.
    pub reported: &'a Reported,
    /// Rows of the table `sessions`: at least those that [`Asked`] wants.
    pub sessions: &'a [SessionRead],
    /// The calls of the parties in the range.
    pub calls: &'a CallSums,
    /// Version of the program that wrote it.
    pub version: &'a str,
    /// Its trail.
    pub source: &'a str,
}

/// What is asked.
#[derive(Debug)]
pub struct Asked<'a> {
    /// About whom.
    pub parties: Vec<&'a PartyRead>,
    /// When.
    pub range: Window,
    /// Sessions opened before this moment are ended by the containment files.
    pub revoke_before: crate::aws::window::Time,
    /// Today's inventory, for trust policies without the party.
    pub inventory: Option<&'a Inventory>,
    /// Whether external ids of others may be written (S42).
    pub show_external_ids: bool,
}

impl Asked<'_> {
    /// Ids of the parties.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        self.parties.iter().map(|party| party.id.clone()).collect()
    }

    /// Party ids and role ARNs whose sessions are needed: its own, those that nobody could be found for, and those of
    /// roles that it opened to others.
    #[must_use]
    pub fn wanted(&self, reported: &Reported) -> (BTreeSet<String>, BTreeSet<String>) {
        let ids = self.ids();
        let roles = left::opened(reported, &ids, self.range).map(|change| change.subject.clone()).collect();
        (ids.into_iter().chain([UNRESOLVED.to_owned()]).collect(), roles)
    }
}

/// The answer.
#[must_use]
pub fn investigate(known: &Known<'_>, asked: &Asked<'_>, catalog: &Catalog) -> Investigation {
    let (reported, range) = (known.reported, asked.range);
    let ids = asked.ids();
    let own: Vec<&SessionRead> = known.sessions.iter().filter(|row| ids.contains(&row.party_id)).collect();
    let sessions = did::sessions(&own, range);
    let calls = did::calls(known.calls, catalog);
    let roles = did::roles(known, &ids, range);
    let entered: BTreeSet<&str> = roles.iter().map(|role| role.arn.as_str()).collect();
    let reachable: BTreeSet<&str> = asked
        .parties
        .iter()
        .flat_map(|party| &party.roles)
        .map(String::as_str)
        .chain(entered.iter().copied())
        .collect();
    let keys = keys(reported, asked);
    let left_behind = left::behind(known, asked, &ids, &calls);
    let given = left::given(reported, asked, &ids, &reachable, &keys);
    let containment = contain::plan(asked, &roles, &left_behind, &given, &keys, &calls);
    let mut gaps = gaps::gaps(known, asked, &reachable);
    gaps.extend(gaps::of_calls(&calls, &roles));
    gaps::sort(&mut gaps);
    let run = RunTold {
        version: known.version.to_owned(),
        source: known.source.to_owned(),
        since: rfc3339(reported.window.since),
        until: rfc3339(reported.window.until),
        complete: reported.coverage.complete,
    };
    Investigation {
        schema: SCHEMA,
        run,
        since: rfc3339(range.since),
        until: rfc3339(range.until),
        parties: asked.parties.iter().map(|party| told(party)).collect(),
        same_name: same_name(reported, asked),
        gaps,
        sessions,
        other_roles: reachable.difference(&entered).map(|arn| (*arn).to_owned()).collect(),
        findings: findings(reported, asked, &roles, &keys),
        roles,
        services: did::services(&calls),
        touched: did::touched(&calls),
        calls,
        left_behind,
        given,
        keys,
        containment,
        files: Vec::new(),
    }
}

fn told(party: &PartyRead) -> PartyTold {
    PartyTold {
        id: party.id.clone(),
        kind: party.kind.clone(),
        name: party.name.clone(),
        sessions_in_window: party.sessions,
        calls_in_window: party.calls,
    }
}

/// Whoever asks by an id may have meant the company.
fn same_name(reported: &Reported, asked: &Asked<'_>) -> Vec<String> {
    let ids = asked.ids();
    let names: BTreeSet<String> = asked.parties.iter().map(|party| party.name.to_lowercase()).collect();
    let others =
        reported.parties.iter().filter(|one| !ids.contains(&one.id) && names.contains(&one.name.to_lowercase()));
    others.map(|party| party.id.clone()).collect()
}

/// Users of ours whose keys it holds: asked about by their ARN, or under its name.
fn keys(reported: &Reported, asked: &Asked<'_>) -> Vec<UserTold> {
    let ids = asked.ids();
    let names: BTreeSet<&str> = asked.parties.iter().map(|party| party.name.as_str()).collect();
    let held = |user: &&read::UserRead| {
        ids.contains(&user.arn) || user.party.as_deref().is_some_and(|party| names.contains(party))
    };
    let mut users: Vec<UserTold> = reported
        .users
        .iter()
        .filter(held)
        .map(|user| UserTold { arn: user.arn.clone(), known_by: user.known_by.clone(), keys: user.keys.clone() })
        .collect();
    // A user asked about that no list of users holds is one all the same.
    for party in asked.parties.iter().filter(|party| party.kind == "iam_user") {
        if !users.iter().any(|user| user.arn == party.id) {
            users.push(UserTold { arn: party.id.clone(), known_by: None, keys: Vec::new() });
        }
    }
    users.sort_by(|a, b| a.arn.cmp(&b.arn));
    users
}

fn findings(reported: &Reported, asked: &Asked<'_>, roles: &[RoleTold], keys: &[UserTold]) -> Vec<FindingTold> {
    let ids = asked.ids();
    let names: BTreeSet<&str> = asked.parties.iter().map(|party| party.name.as_str()).collect();
    let subjects: BTreeSet<&str> =
        roles.iter().map(|role| role.arn.as_str()).chain(keys.iter().map(|user| user.arn.as_str())).collect();
    let about = |finding: &&read::FindingRead| {
        let party = finding.party.as_deref();
        ids.contains(&finding.subject)
            || subjects.contains(finding.subject.as_str())
            || party.is_some_and(|party| names.contains(party) || ids.contains(party))
    };
    let mut found: Vec<FindingTold> = reported
        .findings
        .iter()
        .filter(about)
        .map(|finding| FindingTold {
            id: finding.id.clone(),
            code: finding.code.clone(),
            severity: finding.severity.clone(),
            subject: finding.subject.clone(),
            title: finding.title.clone(),
        })
        .collect();
    found.sort_by(|a, b| {
        let key = |one: &FindingTold| (super::compare::rank(&one.severity), one.code.clone(), one.subject.clone());
        key(a).cmp(&key(b))
    });
    found
}
