//! What a party did in the range: its sessions, the roles that it was in, its calls, and what they touched.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::window::{Time, Window, rfc3339};
use crate::aws::{Action, Arn};
use crate::policy::Catalog;

use super::answer::{CallTold, Could, GrantedAction, RoleTold, ServiceTold, SessionTold, SessionsTold, Thing, Touched};
use super::read::RoleRead;
use super::rows::{CallSums, CallsOf, CallsSum, SessionRead};
use super::{Known, UNRESOLVED};

/// First and last moment of a session, as far as they are known.
fn span(row: &SessionRead) -> Option<(Time, Time)> {
    let moments = || [row.opened_at, row.first_call, row.last_call].into_iter().flatten();
    Some((moments().min()?, moments().max()?))
}

/// Whether something from `first` to `last` overlaps the range; what has no time may.
fn overlaps(span: Option<(Time, Time)>, range: Window) -> bool {
    span.is_none_or(|(first, last)| first < range.until && last >= range.since)
}

fn is_inside(span: Option<(Time, Time)>, range: Window) -> bool {
    span.is_some_and(|(first, last)| range.contains(first) && range.contains(last))
}

/// Whether a session overlaps the range.
pub(super) fn in_range(row: &SessionRead, range: Window) -> bool {
    overlaps(span(row), range)
}

/// When a session was seen last.
pub(super) fn ended(row: &SessionRead) -> Option<Time> {
    span(row).map(|(_, last)| last)
}

pub(super) fn sessions(rows: &[&SessionRead], range: Window) -> SessionsTold {
    let mut told = SessionsTold::default();
    for row in rows.iter().filter(|row| in_range(row, range)) {
        // What somebody does without a role is no session: its calls are told, and counted there.
        if !row.role_arn.is_empty() {
            told.total += 1;
            told.wholly_inside += u64::from(is_inside(span(row), range));
            told.with_external_id += u64::from(row.external_id_sent == Some(true));
            told.without_external_id += u64::from(row.external_id_sent == Some(false));
        }
        *told.channels.entry(row.channel.clone()).or_default() += 1;
        *told.attribution.entry(row.attribution.clone()).or_default() += 1;
        for (sums, texts) in [(&mut told.networks, &row.networks), (&mut told.agents, &row.agents)] {
            for text in texts {
                *sums.entry(text.clone()).or_default() += 1;
            }
        }
        told.list.push(session(row));
    }
    told.list.sort();
    told.first = told.list.iter().filter_map(|one| one.began.clone()).min();
    told.last = told.list.iter().filter_map(|one| one.last.clone()).max();
    told
}

fn session(row: &SessionRead) -> SessionTold {
    SessionTold {
        began: span(row).map(|(first, _)| rfc3339(first)),
        last: span(row).map(|(_, last)| rfc3339(last)),
        role_arn: row.role_arn.clone(),
        name: row.session_name.clone(),
        session_id: row.session_id.clone(),
        party_id: row.party_id.clone(),
        channel: row.channel.clone(),
        attribution: row.attribution.clone(),
        calls: row.calls,
        denied: row.denied,
        failed: row.failed,
        external_id_sent: row.external_id_sent,
        source_identity: row.source_identity.clone(),
        networks: row.networks.clone(),
        agents: row.agents.clone(),
    }
}

/// What sessions of one role add up to.
#[derive(Default)]
struct Entered<'a> {
    ids: BTreeSet<&'a str>,
    sessions: u64,
    chained: u64,
    first: Option<Time>,
    last: Option<Time>,
}

pub(super) fn roles(known: &Known<'_>, ids: &BTreeSet<String>, range: Window) -> Vec<RoleTold> {
    let mut entered: BTreeMap<&str, Entered<'_>> = BTreeMap::new();
    let mut unknown: BTreeMap<&str, u64> = BTreeMap::new();
    for row in known.sessions.iter().filter(|row| !row.role_arn.is_empty() && in_range(row, range)) {
        if ids.contains(&row.party_id) {
            let role = entered.entry(&row.role_arn).or_default();
            role.ids.insert(&row.role_id);
            role.sessions += 1;
            role.chained += u64::from(row.channel == "role_chain");
            if let Some((first, last)) = span(row) {
                role.first = Some(role.first.map_or(first, |known| known.min(first)));
                role.last = role.last.max(Some(last));
            }
        } else if row.party_id == UNRESOLVED {
            *unknown.entry(&row.role_arn).or_default() += 1;
        }
    }
    let told = entered.into_iter().map(|(arn, role)| RoleTold {
        arn: arn.to_owned(),
        sessions: role.sessions,
        chained: role.chained,
        not_attributed: unknown.get(arn).copied().unwrap_or_default(),
        first: role.first.map(rfc3339),
        last: role.last.map(rfc3339),
        could: known.reported.roles.iter().find(|one| is_role(one, arn, &role.ids)).map(could),
    });
    told.collect()
}

/// Whether the report's role is the one that was entered: one that was made again under its name is another (S18).
fn is_role(role: &RoleRead, arn: &str, ids: &BTreeSet<&str>) -> bool {
    let same = role.role_id.is_empty() || ids.contains("") || ids.contains(role.role_id.as_str());
    role.in_inventory && role.arn == arn && same
}

fn could(role: &RoleRead) -> Could {
    let mut could = Could { only_counted: role.actions_summed.iter().map(|sum| sum.actions).sum(), ..Could::default() };
    for entry in role.actions.iter().filter(|entry| !entry.granted_by.is_empty()) {
        could.granted += 1;
        *could.by_verdict.entry(entry.verdict.clone()).or_default() += 1;
        if let Some(danger) = &entry.danger {
            let granted = GrantedAction { action: entry.action.clone(), verdict: entry.verdict.clone() };
            could.dangerous.entry(danger.clone()).or_default().push(granted);
        }
    }
    could.dangerous.values_mut().for_each(|actions| actions.sort());
    could
}

pub(super) fn calls(sums: &CallSums, catalog: &Catalog) -> Vec<CallTold> {
    sums.iter().map(|(of, sum)| call(of, sum, catalog)).collect()
}

fn call(of: &CallsOf, sum: &CallsSum, catalog: &Catalog) -> CallTold {
    let known_by = of.actions.first().and_then(|action| Action::parse(action));
    let refused = |(resource, used): (&String, &bool)| (!used).then(|| resource.clone());
    CallTold {
        of: of.clone(),
        danger: known_by.and_then(|action| catalog.danger(&action)).map(|danger| danger.as_str().to_owned()),
        calls: sum.calls,
        denied: sum.denied,
        failed: sum.failed,
        first_seen: sum.first.clone(),
        last_seen: sum.last.clone(),
        resources: sum.resources.keys().cloned().collect(),
        refused_resources: sum.resources.iter().filter_map(refused).collect(),
        resources_may_be_cut: sum.more_resources,
        error_codes: sum.error_codes.iter().cloned().collect(),
        sample_event_ids: sum.sample_event_ids.iter().cloned().collect(),
    }
}

pub(super) fn services(calls: &[CallTold]) -> Vec<ServiceTold> {
    let mut services: BTreeMap<&str, (ServiceTold, BTreeSet<&str>)> = BTreeMap::new();
    for call in calls {
        let (service, apis) = services.entry(&call.event_source).or_default();
        apis.insert(&call.event_name);
        service.calls += call.calls;
        service.denied += call.denied;
        service.failed += call.failed;
        service.regions.insert(call.region.clone());
        if call.calls > call.denied {
            service.dangers.extend(call.danger.clone());
        }
    }
    let told = services.into_iter().map(|(source, (service, apis))| ServiceTold {
        event_source: source.to_owned(),
        apis: apis.len() as u64,
        ..service
    });
    told.collect()
}

#[derive(Default)]
struct Seen {
    objects: BTreeSet<String>,
    apis: BTreeSet<String>,
    allowed: bool,
    may_be_more: bool,
}

pub(super) fn touched(calls: &[CallTold]) -> Vec<Touched> {
    let mut kinds: BTreeMap<String, BTreeMap<String, Seen>> = BTreeMap::new();
    for call in calls {
        let service = call.event_source.split('.').next().unwrap_or_default();
        for resource in &call.resources {
            let (kind, name, object) = kind_of(resource);
            let seen = kinds.entry(kind).or_default().entry(name).or_default();
            seen.objects.extend(object);
            seen.apis.insert(format!("{service}:{}", call.event_name));
            seen.allowed |= call.refused_resources.binary_search(resource).is_err();
            seen.may_be_more |= call.resources_may_be_cut;
        }
    }
    let thing = |(name, seen): (String, Seen)| Thing {
        name,
        objects: seen.objects.into_iter().collect(),
        apis: seen.apis,
        outcome: if seen.allowed { "allowed" } else { "refused" },
        may_be_more: seen.may_be_more,
    };
    let told =
        kinds.into_iter().map(|(kind, things)| Touched { kind, things: things.into_iter().map(thing).collect() });
    told.collect()
}

/// Kind and name of a resource, and the object where it is one of a bucket.
fn kind_of(resource: &str) -> (String, String, Option<String>) {
    let Some(arn) = Arn::parse(resource) else { return ("other".to_owned(), resource.to_owned(), None) };
    if arn.service == "s3" && arn.account.is_empty() {
        let (bucket, object) = match arn.resource.split_once('/') {
            Some((bucket, object)) => (bucket, Some(object.to_owned())),
            None => (arn.resource, None),
        };
        let name = format!("arn:{}:s3:::{bucket}", arn.partition);
        return ("s3 bucket".to_owned(), name, object.filter(|object| !object.is_empty()));
    }
    let kind = match arn.resource.split_once(['/', ':']) {
        Some((kind, _)) if !kind.is_empty() && kind.len() <= 40 => format!("{} {kind}", arn.service),
        _ => arn.service.to_owned(),
    };
    (kind, resource.to_owned(), None)
}
