//! Parties summed up over everything that they did, and those that are trusted but never came.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::activity::party::{Party, PartyKind};
use crate::activity::resolve::Refusal;
use crate::activity::sessions::Session;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::session::Span;
use crate::evidence::sighting::join;

use super::assessment::{PartyReport, RoleReport};

/// Source networks told of one party.
const NETWORKS_SHOWN: usize = 20;

/// What parties did.
#[derive(Debug, Default)]
pub struct Parties(BTreeMap<Arc<Party>, Sums>);

#[derive(Debug, Default)]
struct Sums {
    channels: BTreeSet<&'static str>,
    roles: BTreeSet<String>,
    regions: BTreeSet<String>,
    networks: BTreeSet<String>,
    sessions: u64,
    calls: u64,
    denied: u64,
    failed: u64,
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
        for seen in &session.calls {
            entry.calls += seen.calls();
            entry.denied += seen.sighting.denied.count();
            entry.failed += seen.sighting.failed.count();
            note(&mut entry.regions, seen.region());
        }
    }

    /// Adds a hand-off that was refused or failed.
    pub fn add_refusal(&mut self, refusal: &Refusal<'_>) {
        let entry = self.0.entry(Arc::new(refusal.party.clone())).or_default();
        entry.seen = join(entry.seen, Some(Span::at(refusal.record.time)));
        if refusal.record.outcome == Outcome::Denied {
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
            entry.seen = join(entry.seen, other.seen);
        }
    }

    /// The reports, sorted, with the parties that roles trust.
    #[must_use]
    pub fn reports(self, roles: &[RoleReport]) -> Vec<PartyReport> {
        let mut reports: Vec<PartyReport> = self.0.into_iter().map(|(party, sums)| report(&party, sums)).collect();
        add_trusted(&mut reports, roles);
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
        first_seen: sums.seen.map(|span| span.first),
        last_seen: sums.seen.map(|span| span.last),
        regions: sums.regions.into_iter().collect(),
        networks: sums.networks.into_iter().filter(|text| !text.is_empty()).take(NETWORKS_SHOWN).collect(),
        blast_radius: None,
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
