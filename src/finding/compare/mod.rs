//! Two reports compared: what is new, what is gone, and what only was not looked at.
//!
//! One difference serves both ways: what is in the new report and not in the old is new, the other way round it is gone;
//! so comparing the other way swaps the two. Where the report that lacks a thing could not have shown it, that is said,
//! and the thing is not called gone.

mod both;
pub mod changes;
mod doubt;
pub mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

use super::parties::NETWORKS_SHOWN;
use super::rules::SEVERITIES;
use both::{findings_changed, parties_changed, rightsizing, roles_changed, trusts_changed};
use changes::{Change, Changes, Comparison, Found, Party, Place, Role, SCHEMA, Side, Trust, Used};
use doubt::{Doubts, days, seconds};
use snapshot::{FindingRead, PartyRead, RoleRead, Snapshot, TrustRead};

/// The place of a severity, the gravest first.
#[must_use]
pub fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len())
}

/// Whether a finding is one that an earlier report has already: as grave or graver there, and not suppressed there.
#[must_use]
pub fn is_known(baseline: &BTreeMap<&str, &FindingRead>, id: &str, severity: &str) -> bool {
    baseline.get(id).is_some_and(|known| known.suppressed.is_none() && rank(&known.severity) <= rank(severity))
}

/// The findings of a report by their ids.
#[must_use]
pub fn by_id(snapshot: &Snapshot) -> BTreeMap<&str, &FindingRead> {
    snapshot.findings.iter().map(|finding| (finding.id.as_str(), finding)).collect()
}

/// What changed from `old` to `new`.
#[must_use]
pub fn compare(old: &Snapshot, new: &Snapshot) -> Comparison {
    let pair = Pair { old, new, new_in_old: Doubts::new(new, old), old_in_new: Doubts::new(old, new) };
    Comparison {
        schema: SCHEMA,
        old: side(old),
        new: side(new),
        notes: notes(old, new),
        parties: pair.changes(parties),
        parties_changed: parties_changed(old, new),
        roles: pair.changes(roles),
        roles_changed: roles_changed(old, new),
        trusts: pair.changes(trusts),
        trusts_changed: trusts_changed(old, new),
        actions: pair.changes(actions),
        regions: pair.changes(regions),
        networks: pair.changes(networks),
        findings: pair.findings(),
        findings_changed: findings_changed(old, new),
        rightsizing: rightsizing(old, new),
    }
}

/// Things by what makes them the same, each with why the other report may not have shown it.
type Things<K, T> = BTreeMap<K, (T, Option<String>)>;

struct Pair<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    /// What the old report could not have shown of the new.
    new_in_old: Doubts<'a>,
    /// What the new report could not have shown of the old.
    old_in_new: Doubts<'a>,
}

impl<'a> Pair<'a> {
    fn changes<K: Ord, T>(&self, things: impl Fn(&'a Snapshot, &Doubts<'a>) -> Things<K, T>) -> Changes<T> {
        let mut now = things(self.new, &self.new_in_old);
        let mut changes = Changes { new: Vec::new(), gone: Vec::new(), not_read: Vec::new() };
        for (key, (what, doubt)) in things(self.old, &self.old_in_new) {
            match (now.remove(&key), doubt) {
                (Some(_), _) => {}
                (None, None) => changes.gone.push(what),
                (None, doubt) => changes.not_read.push(Change { what, doubt }),
            }
        }
        changes.new.extend(now.into_values().map(|(what, doubt)| Change { what, doubt }));
        changes
    }

    fn findings(&self) -> Changes<Found> {
        let mut changes = self.changes(findings);
        // The gravest first, as in the reports.
        fn key(finding: &Found) -> (usize, &str, &str) {
            (rank(&finding.severity), &finding.code, &finding.subject)
        }
        changes.new.sort_by(|a, b| key(&a.what).cmp(&key(&b.what)));
        changes.gone.sort_by(|a, b| key(a).cmp(&key(b)));
        changes.not_read.sort_by(|a, b| key(&a.what).cmp(&key(&b.what)));
        changes
    }
}

fn side(snapshot: &Snapshot) -> Side {
    Side {
        since: snapshot.window.since.clone(),
        until: snapshot.window.until.clone(),
        as_of: snapshot.as_of.clone(),
        complete: snapshot.coverage.is_complete(),
    }
}

/// What a reader must know before the lists.
fn notes(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    let mut notes = Vec::new();
    for (which, snapshot) in [("old", old), ("new", new)] {
        if !snapshot.coverage.is_complete() {
            notes.push(format!("the {which} report is incomplete: not everything could be read"));
        }
        for account in snapshot.coverage.accounts.iter().filter(|account| account.hole_share > 0.0) {
            let share = account.hole_share * 100.0;
            notes.push(format!("the {which} report has holes on {share:.1} % of the days of {}", account.account_id));
        }
    }
    match (seconds(&old.window), seconds(&new.window)) {
        (Some(before), Some(now)) if before != now => {
            notes.push(format!("the windows differ in length: {} and {}", days(before), days(now)));
        }
        _ => {}
    }
    if old.as_of > new.as_of {
        notes.push("the new report is judged as of an earlier day than the old one: are they swapped?".to_owned());
    }
    if old.idle_days != new.idle_days {
        let told = |days: Option<u64>| days.map_or_else(|| "unknown".to_owned(), |days| days.to_string());
        notes.push(format!("idle means other things: {} and {} days", told(old.idle_days), told(new.idle_days)));
    }
    let accounts = |snapshot: &Snapshot| -> BTreeSet<String> {
        snapshot.coverage.accounts.iter().map(|account| account.account_id.clone()).collect()
    };
    let (before, now) = (accounts(old), accounts(new));
    for (which, only) in [("old", before.difference(&now)), ("new", now.difference(&before))] {
        let only: Vec<&str> = only.map(String::as_str).collect();
        if !only.is_empty() {
            notes.push(format!("only the {which} report covers {}", only.join(", ")));
        }
    }
    notes
}

fn is_outside(party: &&PartyRead) -> bool {
    is_outside_kind(&party.kind)
}

fn is_outside_kind(kind: &str) -> bool {
    !matches!(kind, "own_organization" | "aws_service" | "unresolved")
}

/// The accounts of ARNs.
fn accounts(arns: &[String]) -> impl Iterator<Item = &str> {
    arns.iter().filter_map(|arn| arn.split(':').nth(4))
}

fn parties<'a>(of: &'a Snapshot, doubts: &Doubts<'_>) -> Things<&'a str, Party> {
    let thing = |party: &'a PartyRead| {
        let inventory = || accounts(&party.roles).find_map(|account| doubts.in_inventory(account));
        let doubt = doubts.of_party(party, accounts(&party.roles)).or_else(inventory);
        let what = Party { id: party.id.clone(), kind: party.kind.clone(), name: party.name.clone() };
        (party.id.as_str(), (what, doubt))
    };
    of.parties.iter().filter(is_outside).map(thing).collect()
}

fn roles<'a>(of: &'a Snapshot, doubts: &Doubts<'_>) -> Things<&'a str, Role> {
    let thing = |role: &'a RoleRead| {
        let trusts = role.trust.iter().any(|entry| entry.outside);
        // What no trust explains is in the report because somebody came in.
        let came = || doubts.in_trail([role.account_id.as_str()]).or_else(|| doubts.in_vendors());
        let trail = || if trusts { None } else { came() };
        let inventory = if role.in_inventory { doubts.in_inventory(&role.account_id) } else { None };
        (role.arn.as_str(), (Role { arn: role.arn.clone() }, inventory.or_else(trail)))
    };
    of.roles_by_arn().into_values().map(thing).collect()
}

fn outside_trusts(of: &Snapshot) -> impl Iterator<Item = (&RoleRead, &TrustRead)> {
    of.roles.iter().flat_map(|role| role.trust.iter().filter(|entry| entry.outside).map(move |entry| (role, entry)))
}

fn trusts<'a>(of: &'a Snapshot, doubts: &Doubts<'_>) -> Things<(&'a str, &'a str), Trust> {
    let thing = |(role, entry): (&'a RoleRead, &'a TrustRead)| {
        let what = Trust { role: role.arn.clone(), principal: entry.principal.clone(), party: entry.party.clone() };
        let doubt = doubts.of_trust(role, entry).or_else(|| doubts.in_inventory(&role.account_id));
        ((role.arn.as_str(), entry.principal.as_str()), (what, doubt))
    };
    outside_trusts(of).map(thing).collect()
}

fn actions<'a>(of: &'a Snapshot, doubts: &Doubts<'a>) -> Things<(&'a str, &'a str, &'a str), Used> {
    let mut things = BTreeMap::new();
    for role in &of.roles {
        let doubt = doubts.in_trail([role.account_id.as_str()]);
        let id = doubts.role_id(role);
        for entry in role.actions.iter().filter(|entry| entry.is_used()) {
            let what = Used { role: role.arn.clone(), role_id: id.to_owned(), action: entry.action.clone() };
            things.insert((role.arn.as_str(), id, entry.action.as_str()), (what, doubt.clone()));
        }
    }
    things
}

fn place(party: &PartyRead, place: &str) -> Place {
    Place { party: party.id.clone(), name: party.name.clone(), place: place.to_owned() }
}

fn regions<'a>(of: &'a Snapshot, doubts: &Doubts<'_>) -> Things<(&'a str, &'a str), Place> {
    let mut things = BTreeMap::new();
    for party in of.parties.iter().filter(is_outside) {
        for region in party.regions.iter().flatten() {
            let doubt = doubts.of_party(party, accounts(&party.roles)).or_else(|| doubts.in_region(region));
            things.insert((party.id.as_str(), region.as_str()), (place(party, region), doubt));
        }
    }
    things
}

fn networks<'a>(of: &'a Snapshot, doubts: &Doubts<'_>) -> Things<(&'a str, &'a str), Place> {
    let mut things = BTreeMap::new();
    for party in of.parties.iter().filter(is_outside) {
        let full = || doubts.in_list(&party.id, NETWORKS_SHOWN);
        let doubt = doubts.of_party(party, accounts(&party.roles)).or_else(full);
        for network in party.networks.iter().flatten() {
            things.insert((party.id.as_str(), network.as_str()), (place(party, network), doubt.clone()));
        }
    }
    things
}

fn found(finding: &FindingRead) -> Found {
    Found {
        id: finding.id.clone(),
        code: finding.code.clone(),
        severity: finding.severity.clone(),
        subject: finding.subject.clone(),
        party: finding.party.clone(),
        title: finding.title.clone(),
        suppressed: finding.suppressed.is_some(),
    }
}

fn findings<'a>(of: &'a Snapshot, doubts: &Doubts<'_>) -> Things<&'a str, Found> {
    let doubt = |finding: &FindingRead| doubts.of_finding(&finding.code, finding.account_id.as_deref());
    of.findings.iter().map(|finding| (finding.id.as_str(), (found(finding), doubt(finding)))).collect()
}
