//! Puts the judgement together: coverage, parties, roles, findings, and the rows of the tables.

use std::collections::{BTreeMap, BTreeSet};

use crate::activity::action_map::{ActionMap, Class};
use crate::activity::opening::RoleKey;
use crate::activity::party::{Accounts, Party};
use crate::activity::resolve::{Activity, Inputs, Session, resolve};
use crate::aws::AccountId;
use crate::aws::window::{Time, Window, rfc3339};
use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::parameters::partition_of_region;
use crate::evidence::hands::{self, Hands};
use crate::evidence::session::Span;
use crate::evidence::sighting::join;
use crate::evidence::{Evidence, Scope};
use crate::policy::admission::admits_outsider;
use crate::policy::catalog::Catalog;
use crate::policy::inventory::Inventory;
use crate::policy::narrow::Narrowing;

use super::assessment::{Assessment, PartyReport, RoleReport, SCHEMA, SessionRow, UnmappedCall, WindowReport};
use super::beside::Beside;
use super::coverage::{self, Holes, Reading};
use super::keep::KeepRule;
use super::role::{Subject, report};
use super::rules;
use super::trail::{AccountTrail, trails};
use super::trust::{role_key, sole_outside};
use super::usage_table::usage_rows;

/// What an assessment is made from.
pub struct Inquiry<'a> {
    /// Whole evidence.
    pub evidence: &'a Evidence,
    /// What reading it counted.
    pub reading: &'a Reading,
    /// The roles and policies; empty when none was given.
    pub inventory: &'a Inventory,
    /// Ours and theirs.
    pub accounts: Accounts<'a>,
    /// The known actions.
    pub catalog: &'a Catalog,
    /// The window.
    pub window: Window,
    /// The day from which idleness is counted.
    pub as_of: Time,
    /// Days from which a role is idle.
    pub idle_days: u32,
    /// Largest share of the window's days that may be holes.
    pub max_holes: f64,
    /// Keep rules, in the order of their file (S39).
    pub keep: &'a [KeepRule],
    /// Whether and how to limit resources (S35).
    pub narrowing: Option<Narrowing>,
    /// What is known beside the trail and the inventory.
    pub beside: &'a Beside,
    /// What was kept of the records.
    pub scope: &'a Scope,
    /// Who does what can be done at once.
    pub hands: &'a dyn Hands,
}

/// An inquiry with what follows from it, shared by all roles.
pub struct Case<'a> {
    /// The roles and policies.
    pub inventory: &'a Inventory,
    /// Ours and theirs.
    pub accounts: Accounts<'a>,
    /// The known actions.
    pub catalog: &'a Catalog,
    /// API calls to actions.
    pub map: ActionMap<'a>,
    /// The window.
    pub window: Window,
    /// The day from which idleness is counted.
    pub as_of: Time,
    /// Days from which a role is idle.
    pub idle_days: u32,
    /// Largest share of holes.
    pub max_holes: f64,
    /// Keep rules.
    pub keep: &'a [KeepRule],
    /// Whether and how to limit resources.
    pub narrowing: Option<Narrowing>,
    /// What is known beside the trail and the inventory.
    pub beside: &'a Beside,
    /// What each account's trail records.
    pub trails: BTreeMap<AccountId, AccountTrail<'a>>,
    holes: Holes,
    partitions: BTreeMap<AccountId, &'static str>,
}

impl Case<'_> {
    /// Share of the window's days that cannot be judged.
    #[must_use]
    pub fn hole_share(&self, account: AccountId) -> f64 {
        coverage::hole_share(&self.holes, account, self.window)
    }

    /// Why nothing can be called unused in this account, if so (S26).
    #[must_use]
    pub fn uncovered(&self, account: AccountId) -> Option<String> {
        if !self.trails.contains_key(&account) {
            return Some("no record of this account was read".to_owned());
        }
        let share = self.hole_share(account);
        (share > self.max_holes).then(|| {
            let days: BTreeSet<&str> =
                self.holes.get(&account).into_iter().flatten().map(|hole| hole.day.as_str()).collect();
            let named: Vec<&str> = days.iter().copied().take(5).collect();
            let more = if days.len() > named.len() { ", ..." } else { "" };
            format!(
                "holes on {:.0} % of the window's days, more than the {:.0} % allowed ({}{more})",
                share * 100.0,
                self.max_holes * 100.0,
                named.join(", ")
            )
        })
    }

    /// The partition of an account's Regions.
    #[must_use]
    pub fn partition(&self, account: AccountId) -> &'static str {
        self.partitions.get(&account).copied().unwrap_or("aws")
    }
}

fn activity<'e>(inquiry: &Inquiry<'e>) -> Result<Activity<'e>, BTreeSet<RoleKey>> {
    let existing: BTreeSet<RoleKey> = inquiry.inventory.roles.values().map(role_key).collect();
    let sole: BTreeMap<RoleKey, Party> = inquiry
        .inventory
        .roles
        .values()
        .filter_map(|role| Some((role_key(role), sole_outside(role, inquiry.accounts)?)))
        .collect();
    let inputs = Inputs {
        map: ActionMap::new(inquiry.catalog),
        accounts: inquiry.accounts,
        existing: &existing,
        sole_outside: &|role| sole.get(role).cloned(),
        is_kept: &|role| !inquiry.scope.is_quiet(role.account, &role.name, &role.id),
        window: Some(inquiry.window),
    };
    resolve(inquiry.evidence, &inputs)
}

/// The whole answer.
///
/// # Errors
/// The roles that must be kept in full on another reading, because the records show an outsider in them.
pub fn assess(inquiry: &Inquiry<'_>) -> Result<Assessment, BTreeSet<RoleKey>> {
    let (activity, case) = hands::both(inquiry.hands, || activity(inquiry), || case_of(inquiry));
    let activity = activity?;
    let arns: BTreeMap<RoleKey, String> =
        activity.roles.keys().map(|key| (key.clone(), arn_of(inquiry, key, &case))).collect();
    let (roles, (sessions, usage)) = hands::both(
        inquiry.hands,
        || roles(inquiry, &activity, &case),
        || {
            let sessions = activity.sessions.iter().filter_map(|session| session_row(session, &arns)).collect();
            (sessions, usage_rows(&activity, &arns))
        },
    );
    let parties = parties(&activity, &arns, &roles);
    let unmapped = unmapped(&roles, &activity, &arns);
    let mut assessment = Assessment {
        schema: SCHEMA,
        window: WindowReport { since: inquiry.window.since, until: inquiry.window.until },
        as_of: inquiry.as_of,
        idle_days: inquiry.idle_days,
        coverage: coverage::report(inquiry.evidence, inquiry.reading, &case.holes, inquiry.window, unmapped)
            .beside(inquiry.beside, &case.trails),
        parties,
        roles,
        findings: Vec::new(),
        users: inquiry.beside.users(),
        sessions,
        usage,
    };
    assessment.findings = rules::findings(&assessment, &activity, &arns, inquiry, &case);
    Ok(assessment)
}

fn case_of<'a>(inquiry: &Inquiry<'a>) -> Case<'a> {
    let map = ActionMap::new(inquiry.catalog);
    let mut partitions = BTreeMap::new();
    for (account, region) in inquiry.evidence.coverage.places.keys() {
        partitions.insert(*account, partition_of_region(inquiry.evidence.names.text(*region)));
    }
    Case {
        inventory: inquiry.inventory,
        accounts: inquiry.accounts,
        catalog: inquiry.catalog,
        map,
        window: inquiry.window,
        as_of: inquiry.as_of,
        idle_days: inquiry.idle_days,
        max_holes: inquiry.max_holes,
        keep: inquiry.keep,
        narrowing: inquiry.narrowing,
        beside: inquiry.beside,
        trails: trails(inquiry.evidence, map, inquiry.catalog, &inquiry.scope.regions, inquiry.beside, inquiry.window),
        holes: coverage::holes(inquiry.evidence, inquiry.reading, inquiry.window),
        partitions,
    }
}

fn arn_of(inquiry: &Inquiry<'_>, key: &RoleKey, case: &Case<'_>) -> String {
    let role =
        inquiry.inventory.roles.values().find(|role| {
            role.account == key.account && role.name == key.name && (role.id == key.id || key.id.is_empty())
        });
    role.map_or_else(
        || format!("arn:{}:iam::{}:role/{}", case.partition(key.account), key.account, key.name),
        |role| role.arn.clone(),
    )
}

/// Roles that an outside party can assume, by their trust, or did, by the records.
fn roles(inquiry: &Inquiry<'_>, activity: &Activity<'_>, case: &Case<'_>) -> Vec<RoleReport> {
    let own = inquiry.accounts.own;
    let mut subjects: BTreeMap<RoleKey, Option<&crate::policy::inventory::Role>> = BTreeMap::new();
    let existing: BTreeMap<RoleKey, &crate::policy::inventory::Role> =
        inquiry.inventory.roles.values().map(|role| (role_key(role), role)).collect();
    for (key, role) in &existing {
        let outside = admits_outsider(role, own) && admits_third_party(role, inquiry.accounts);
        if !role.is_service_linked() && outside {
            subjects.insert(key.clone(), Some(role));
        }
    }
    for session in &activity.sessions {
        let Some(key) = session.role.as_ref().filter(|_| session.attributed.party.kind.is_outside()) else { continue };
        let namesake =
            existing.keys().find(|role| key.id.is_empty() && role.account == key.account && role.name == key.name);
        let key = namesake.unwrap_or(key);
        subjects.entry(key.clone()).or_insert_with(|| existing.get(key).copied());
    }
    let subjects: Vec<Subject<'_, '_>> = subjects.iter().map(|(key, role)| Subject::of(key, *role, activity)).collect();
    let mut reports: Vec<RoleReport> = hands::map(inquiry.hands, &subjects, |subject| report(subject, case));
    reports.sort_by(|a, b| (&a.arn, &a.role_id).cmp(&(&b.arn, &b.role_id)));
    reports
}

/// Whether an outsider of a trust policy is a third party and not AWS itself (S17).
fn admits_third_party(role: &crate::policy::inventory::Role, accounts: Accounts<'_>) -> bool {
    role.trust.parsed.is_err() || super::trust::entries(role, accounts).iter().any(|entry| entry.outside)
}

#[derive(Default)]
struct PartySums<'a> {
    channels: BTreeSet<&'a str>,
    roles: BTreeSet<&'a str>,
    regions: BTreeSet<&'a str>,
    networks: BTreeSet<&'a str>,
    sessions: u64,
    calls: u64,
    denied: u64,
    failed: u64,
    seen: Option<Span>,
}

fn parties(activity: &Activity<'_>, arns: &BTreeMap<RoleKey, String>, roles: &[RoleReport]) -> Vec<PartyReport> {
    let mut sums: BTreeMap<&Party, PartySums<'_>> = BTreeMap::new();
    for session in &activity.sessions {
        let entry = sums.entry(&session.attributed.party).or_default();
        entry.channels.insert(session.attributed.channel.word());
        if let Some(key) = &session.role {
            entry.sessions += 1;
            entry.roles.extend(arns.get(key).map(String::as_str));
        }
        let opened = session.opened.map(Span::at);
        entry.seen = join(entry.seen, join(opened, session.active));
        entry.networks.extend(session.networks.iter());
        for seen in &session.calls {
            entry.calls += seen.calls();
            entry.denied += seen.sighting.denied.count();
            entry.failed += seen.sighting.failed.count();
            entry.regions.insert(seen.region());
        }
    }
    for refusal in &activity.refusals {
        let entry = sums.entry(&refusal.party).or_default();
        entry.seen = join(entry.seen, Some(Span::at(refusal.record.time)));
        if refusal.record.outcome == Outcome::Denied {
            entry.denied += 1;
        }
    }
    let mut reports: Vec<PartyReport> = sums.into_iter().map(|(party, sums)| party_report(party, sums)).collect();
    add_trusted(&mut reports, roles);
    reports.sort_by(|a, b| (&a.id, &a.kind).cmp(&(&b.id, &b.kind)));
    reports
}

fn party_report(party: &Party, sums: PartySums<'_>) -> PartyReport {
    let texts = |set: BTreeSet<&str>| set.into_iter().map(str::to_owned).collect();
    const NETWORKS_SHOWN: usize = 20;
    PartyReport {
        id: party.id.clone(),
        kind: party.kind.word().to_owned(),
        name: party.name.clone(),
        channels: texts(sums.channels),
        roles: texts(sums.roles),
        sessions: sums.sessions,
        calls: sums.calls,
        denied: sums.denied,
        failed: sums.failed,
        first_seen: sums.seen.map(|span| span.first),
        last_seen: sums.seen.map(|span| span.last),
        regions: texts(sums.regions),
        networks: texts(sums.networks.into_iter().filter(|text| !text.is_empty()).take(NETWORKS_SHOWN).collect()),
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
                    let kind = if unknown {
                        crate::activity::party::PartyKind::UnknownAccount
                    } else {
                        crate::activity::party::PartyKind::Vendor
                    };
                    let party = Party { id, kind, name: name.clone() };
                    let roles = BTreeSet::from([role.arn.as_str()]);
                    reports.push(party_report(&party, PartySums { roles, ..PartySums::default() }));
                }
            }
        }
    }
}

/// Unmapped calls by the roles of the report, which block removals (S22).
fn unmapped(roles: &[RoleReport], activity: &Activity<'_>, arns: &BTreeMap<RoleKey, String>) -> Vec<UnmappedCall> {
    let reported: BTreeSet<&str> = roles.iter().map(|role| role.arn.as_str()).collect();
    let mut sums: BTreeMap<(String, String), (u64, BTreeSet<String>)> = BTreeMap::new();
    for session in &activity.sessions {
        let arn = session.role.as_ref().and_then(|key| arns.get(key));
        if !arn.is_some_and(|arn| reported.contains(arn.as_str())) {
            continue;
        }
        for seen in session.calls.iter().filter(|seen| seen.mapping.class == Class::Unmapped) {
            let key = (coverage::event_source(seen.source()), seen.name().to_owned());
            let entry = sums.entry(key).or_default();
            entry.0 += seen.calls();
            entry.1.extend(seen.mapping.candidate_services.iter().cloned());
        }
    }
    sums.into_iter()
        .map(|((event_source, event_name), (calls, blocks))| UnmappedCall {
            event_source,
            event_name,
            calls,
            blocks: blocks.into_iter().collect(),
        })
        .collect()
}

fn row_account(session: &Session<'_>) -> Option<AccountId> {
    let recipient = session.calls.first().map(|call| call.key.account);
    session.role.as_ref().map(|role| role.account).or(recipient)
}

fn session_row(session: &Session<'_>, arns: &BTreeMap<RoleKey, String>) -> Option<SessionRow> {
    let count = |get: fn(&crate::activity::usage::SeenCall<'_>) -> u64| {
        i64::try_from(session.calls.iter().map(get).sum::<u64>()).unwrap_or(i64::MAX)
    };
    let party = &session.attributed.party;
    Some(SessionRow {
        account_id: row_account(session)?,
        session_id: session.id.clone(),
        role_arn: session.role.as_ref().and_then(|key| arns.get(key)).cloned().unwrap_or_default(),
        role_id: session.role.as_ref().map(|key| key.id.clone()).unwrap_or_default(),
        session_name: session.name.clone(),
        party_id: party.id.clone(),
        party_kind: party.kind.word().to_owned(),
        party_name: party.name.clone(),
        channel: session.attributed.channel.word().to_owned(),
        attribution: session.attributed.how.word().to_owned(),
        opened_at: session.opened.map(rfc3339),
        first_call: session.active.map(|span| rfc3339(span.first)),
        last_call: session.active.map(|span| rfc3339(span.last)),
        calls: count(|seen| seen.calls()),
        denied: count(|seen| seen.sighting.denied.count()),
        failed: count(|seen| seen.sighting.failed.count()),
        external_id_sent: session.external_id_sent,
        source_identity: session.source_identity.clone(),
        networks: session.networks.to_vec(),
        agents: session.agents.to_vec(),
    })
}
