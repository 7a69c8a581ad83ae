//! Parties summed up over everything that they did, and those that are trusted but never came.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::activity::party::{Channel, Party, PartyKind};
use crate::activity::party_user::PartyUsers;
use crate::activity::resolve::Refusal;
use crate::activity::sessions::Session;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::session::Span;
use crate::evidence::sighting::join;

use super::assessment::{ChargedCalls, LatestSessions, PartyReport, RoleReport};
use super::cost::charged_by;
use super::coverage::event_source;

/// Source networks told of one party.
pub(super) const NETWORKS_SHOWN: usize = 20;
/// User agents told of one party.
const AGENTS_SHOWN: usize = 20;

/// What parties did.
#[derive(Debug, Default)]
pub struct Parties(BTreeMap<Arc<Party>, Sums>);

#[derive(Debug, Default)]
struct Sums {
    channels: BTreeSet<&'static str>,
    roles: BTreeSet<String>,
    regions: BTreeSet<String>,
    networks: BTreeSet<String>,
    agents: BTreeSet<String>,
    sessions: u64,
    calls: u64,
    denied: u64,
    failed: u64,
    throttled: u64,
    /// By event source and name.
    charged: BTreeMap<(String, String), u64>,
    seen: Option<Span>,
}

/// Adds a text, which hardly ever is new.
fn note(set: &mut BTreeSet<String>, text: &str) {
    if !set.contains(text) {
        set.insert(text.to_owned());
    }
}

impl Parties {
    /// Adds a session; `arn` is its role's.
    pub fn add_session(&mut self, session: &Session<'_>, arn: Option<&str>) {
        let entry = self.0.entry(Arc::clone(&session.attributed.party)).or_default();
        entry.channels.insert(session.attributed.channel.word());
        if session.role.is_some() {
            entry.sessions += 1;
        }
        if let Some(arn) = arn {
            note(&mut entry.roles, arn);
        }
        let opened = session.opened.map(Span::at);
        entry.seen = join(entry.seen, join(opened, session.active));
        for network in session.networks.iter() {
            note(&mut entry.networks, network);
        }
        for agent in session.agents.iter() {
            note(&mut entry.agents, agent);
        }
        for seen in &session.calls {
            entry.calls += seen.calls();
            entry.denied += seen.sighting.denied.count();
            entry.failed += seen.sighting.failed.count();
            entry.throttled += seen.sighting.throttled();
            // A refused call is on nobody's bill.
            let charged = seen.sighting.allowed.count() + seen.sighting.failed.count() - seen.sighting.throttled();
            if charged > 0 && charged_by(seen.source(), seen.name()).is_some() {
                let call = (seen.source().to_owned(), seen.name().to_owned());
                *entry.charged.entry(call).or_default() += charged;
            }
            note(&mut entry.regions, seen.region());
        }
    }

    /// Adds a hand-off that was refused or failed.
    pub fn add_refusal(&mut self, refusal: &Refusal<'_>) {
        let entry = self.0.entry(Arc::new(refusal.party.clone())).or_default();
        entry.seen = join(entry.seen, Some(Span::at(refusal.record.time)));
        if refusal.record.outcome == Outcome::Denied && !refusal.is_call {
            entry.denied += 1;
        }
    }

    /// Adds what others did.
    pub fn merge(&mut self, others: Self) {
        for (party, other) in others.0 {
            let entry = self.0.entry(party).or_default();
            entry.channels.extend(other.channels);
            entry.roles.extend(other.roles);
            entry.regions.extend(other.regions);
            entry.networks.extend(other.networks);
            entry.sessions += other.sessions;
            entry.calls += other.calls;
            entry.denied += other.denied;
            entry.failed += other.failed;
            entry.throttled += other.throttled;
            entry.agents.extend(other.agents);
            for (call, calls) in other.charged {
                *entry.charged.entry(call).or_default() += calls;
            }
            entry.seen = join(entry.seen, other.seen);
        }
    }

    /// The reports, sorted, with the parties that roles trust.
    #[must_use]
    pub fn reports(self, roles: &[RoleReport], users: &PartyUsers) -> Vec<PartyReport> {
        let mut reports: Vec<PartyReport> = self.0.into_iter().map(|(party, sums)| report(&party, sums)).collect();
        add_trusted(&mut reports, roles);
        add_users(&mut reports, users);
        reports.sort_by(|a, b| (&a.id, &a.kind).cmp(&(&b.id, &b.kind)));
        reports
    }
}

fn report(party: &Party, sums: Sums) -> PartyReport {
    PartyReport {
        id: party.id.clone(),
        kind: party.kind.word().to_owned(),
        name: party.name.clone(),
        channels: sums.channels.into_iter().map(str::to_owned).collect(),
        roles: sums.roles.into_iter().collect(),
        sessions: sums.sessions,
        calls: sums.calls,
        denied: sums.denied,
        failed: sums.failed,
        throttled: sums.throttled,
        charged_calls: sums.charged.values().sum(),
        charged: charged(sums.charged),
        first_seen: sums.seen.map(|span| span.first),
        last_seen: sums.seen.map(|span| span.last),
        regions: sums.regions.into_iter().collect(),
        networks: sums.networks.into_iter().filter(|text| !text.is_empty()).take(NETWORKS_SHOWN).collect(),
        agents: sums.agents.into_iter().filter(|text| !text.is_empty()).take(AGENTS_SHOWN).collect(),
        known_by: None,
        blast_radius: None,
        days: Vec::new(),
        latest: LatestSessions::default(),
    }
}

/// The charged calls by API, the most frequent first.
fn charged(calls: BTreeMap<(String, String), u64>) -> Vec<ChargedCalls> {
    let mut charged: Vec<ChargedCalls> = calls
        .into_iter()
        .filter_map(|((source, name), calls)| {
            let by = charged_by(&source, &name)?.to_owned();
            Some(ChargedCalls { event_source: event_source(&source), event_name: name, calls, by })
        })
        .collect();
    charged.sort_by(|a, b| (b.calls, &a.event_source, &a.event_name).cmp(&(a.calls, &b.event_source, &b.event_name)));
    charged
}

/// Users whose keys third parties hold belong in the list although no call was seen.
fn add_users(reports: &mut Vec<PartyReport>, users: &PartyUsers) {
    for (arn, user) in users.iter() {
        if !reports.iter().any(|report| report.id == arn) {
            let channels = BTreeSet::from([Channel::AccessKey.word()]);
            reports.push(report(&user.party, Sums { channels, ..Sums::default() }));
        }
        for known in reports.iter_mut().filter(|report| report.id == arn) {
            known.known_by = Some(user.known_by.word().to_owned());
        }
    }
}

/// Parties that are trusted belong in the list although they never came.
fn add_trusted(reports: &mut Vec<PartyReport>, roles: &[RoleReport]) {
    for role in roles {
        for trust in role.trust.iter().filter(|trust| trust.outside) {
            let (Some(account), Some(name)) = (trust.account_id, &trust.party) else { continue };
            let id = account.to_string();
            let known = reports.iter_mut().find(|report| report.id == id);
            match known {
                Some(report) if report.roles.contains(&role.arn) => {}
                Some(report) => {
                    report.roles.push(role.arn.clone());
                    report.roles.sort();
                }
                None => {
                    let unknown = name.starts_with("unknown account");
                    let kind = if unknown { PartyKind::UnknownAccount } else { PartyKind::Vendor };
                    let party = Party { id, kind, name: name.clone() };
                    let roles = BTreeSet::from([role.arn.clone()]);
                    reports.push(self::report(&party, Sums { roles, ..Sums::default() }));
                }
            }
        }
    }
}
