//! From evidence to tables: names become texts, maps become sorted rows.

use chrono::DateTime;
use serde::Serialize;

use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::record::EventId;
use crate::evidence::Evidence;
use crate::evidence::call::Call;
use crate::evidence::change::ChangeSeen;
use crate::evidence::event_ids::EventIds;
use crate::evidence::names::Names;
use crate::evidence::session::{Actor, Acts, HandOffSeen, Span};
use crate::evidence::sighting::{CallKey, Sighting};
use crate::evidence::user_key::{KeyUse, UserKey};

use super::columnar::encode;
use super::rows::*;
use super::{SCHEMA, TableError, Tables};

impl Evidence {
    /// The tables that hold all of it; equal content gives equal bytes.
    ///
    /// # Errors
    /// [`TableError`] when a table cannot be written.
    pub fn to_tables(&self) -> Result<Tables, TableError> {
        let mut tables = Tables::new();
        let mut handoffs: Vec<_> = self.handoffs.iter().collect();
        handoffs.sort_unstable_by_key(|(id, _)| **id);
        add(&mut tables, &HANDOFFS, handoffs.iter().map(|(id, seen)| hand_off(id.0, seen)))?;
        self.add_actors(&mut tables)?;
        let roles = self.roles.iter().map(|(role, span)| RoleRow {
            account: role.account,
            name: self.names.text(role.name).to_owned(),
            id: self.names.text(role.id).to_owned(),
            first: time_text(span.first),
            last: time_text(span.last),
        });
        add(&mut tables, &ROLES, sorted(roles))?;
        add(&mut tables, &KEYS, sorted(self.keys.iter().map(|(key, used)| key_row(&self.names, *key, used))))?;
        let mut changes: Vec<_> = self.changes.iter().collect();
        changes.sort_unstable_by_key(|(id, _)| **id);
        add(&mut tables, &CHANGES, changes.iter().map(|(id, seen)| change_row(id.0, seen)))?;
        self.add_coverage(&mut tables)?;
        Ok(tables)
    }

    fn add_actors(&self, tables: &mut Tables) -> Result<(), TableError> {
        let mut actors: Vec<(ActorRow, &Acts)> =
            self.actors.iter().map(|(actor, acts)| (actor_row(&self.names, *actor, acts), acts)).collect();
        actors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut sightings: Vec<(SightingRow, &Sighting)> = Vec::new();
        for (number, (_, acts)) in (0_u32..).zip(&actors) {
            let start = sightings.len();
            let calls = acts.calls.iter();
            sightings
                .extend(calls.map(|(key, sighting)| (sighting_row(&self.names, number, key, sighting), &**sighting)));
            if let Some(own) = sightings.get_mut(start..) {
                own.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            }
        }
        let none = EventIds::default();
        let beside = event_rows(None, None, &self.out_of_scope, &none);
        let events = (0_u32..).zip(&sightings).flat_map(|(number, (_, sighting))| {
            let throttled = sighting.throttled.as_deref().unwrap_or(&none);
            let rows = |outcome, ids| event_rows(Some(number), Some(outcome), ids, throttled);
            rows(Outcome::Allowed, &sighting.allowed)
                .chain(rows(Outcome::Denied, &sighting.denied))
                .chain(rows(Outcome::Failed, &sighting.failed))
        });
        add(tables, &EVENTS, beside.chain(events))?;
        let calls = (0_u32..).zip(&sightings).flat_map(|(number, (_, sighting))| {
            let calls = sighting.settled_calls(&self.names).into_iter();
            calls.map(move |call| call_row(&self.names, number, &call))
        });
        add(tables, &CALLS, calls)?;
        add(tables, &SIGHTINGS, sightings.iter().map(|(row, _)| row))?;
        add(tables, &ACTORS, actors.iter().map(|(row, _)| row))
    }

    fn add_coverage(&self, tables: &mut Tables) -> Result<(), TableError> {
        let coverage = &self.coverage;
        let text = |name| self.names.text(name).to_owned();
        let objects = coverage.objects.iter().map(|(key, object)| ObjectRow {
            key: id_text(*key),
            records: object.records,
            bad: object.bad,
            compressed_bytes: object.compressed_bytes,
            decompressed_bytes: object.decompressed_bytes,
            sha256: object.sha256.map(|sum| sum.to_string()),
        });
        add(tables, &OBJECTS, sorted(objects))?;
        let failed = coverage.failed.iter();
        add(tables, &FAILED, failed.map(|(key, reason)| FailedRow { key: key.clone(), reason: reason.clone() }))?;
        let bad = coverage.bad_records.iter();
        let bad = bad.map(|((key, at), reason)| BadRow { key: key.clone(), at: *at, reason: reason.clone() });
        add(tables, &BAD_RECORDS, bad)?;
        let places = coverage.places.iter().map(|((account, region), place)| PlaceRow {
            account: *account,
            region: text(*region),
            first: place.events.map(|span| time_text(span.first)),
            last: place.events.map(|span| time_text(span.last)),
            delivered: place.delivered.iter().map(ToString::to_string).collect(),
            undated: place.undated.iter().map(ToString::to_string).collect(),
        });
        add(tables, &PLACES, sorted(places))?;
        let seen = coverage.seen.iter().map(|(key, recorded)| SeenRow {
            account: key.account,
            region: text(key.region),
            source: text(key.source),
            name: text(key.name),
            recorded: recorded.0,
        });
        add(tables, &SEEN, sorted(seen))?;
        let types =
            coverage.data_types.iter().flat_map(|(account, kinds)| kinds.iter().map(move |kind| (*account, kind)));
        add(tables, &DATA_TYPES, types.map(|(account, kind)| DataTypeRow { account, kind: kind.clone() }))?;
        let logging = coverage.logging.iter().map(|(account, change)| LoggingRow {
            account: *account,
            time: time_text(change.time),
            starts: change.starts,
            trail: change.trail.clone(),
        });
        add(tables, &LOGGING, logging)
    }
}

fn sorted<T: Ord>(rows: impl Iterator<Item = T>) -> Vec<T> {
    let mut rows: Vec<T> = rows.collect();
    rows.sort_unstable();
    rows
}

fn add<T: Serialize>(tables: &mut Tables, shape: &Shape, rows: impl IntoIterator<Item = T>) -> Result<(), TableError> {
    let bytes =
        encode(SCHEMA, shape.columns, rows).map_err(|source| TableError::Table { table: shape.name, source })?;
    tables.insert(shape.name.to_owned(), bytes);
    Ok(())
}

fn event_rows(
    sighting: Option<u32>,
    outcome: Option<Outcome>,
    ids: &EventIds,
    throttled: &EventIds,
) -> impl Iterator<Item = EventRow> {
    let throttled = throttled.to_sorted();
    let is_throttled = move |id: &EventId| throttled.binary_search(id).is_ok();
    let ids = ids.to_sorted().into_iter();
    ids.map(move |id| EventRow { sighting, outcome, throttled: is_throttled(&id), event: id_text(id.0) })
}

fn hand_off(id: u128, seen: &HandOffSeen) -> HandOffRow {
    let text = |text: &str| text.to_owned();
    let (caller, chained) = (&seen.caller, seen.caller.session.as_ref());
    HandOffRow {
        event: id_text(id),
        event_id: text(&seen.event_id),
        time: time_text(seen.time),
        recipient: seen.recipient,
        region: text(&seen.region),
        kind: text(hand_off_word(seen.kind)),
        outcome: seen.outcome,
        error_code: text(&seen.error_code),
        shared_event_id: text(&seen.shared_event_id),
        role_arn: text(&seen.role_arn),
        role_account: seen.role_account,
        role_name: text(&seen.role_name),
        role_id: text(&seen.role_id),
        session_name: text(&seen.session_name),
        access_key: text(&seen.access_key),
        external_id_digest: seen.external_id.as_ref().map(|print| print.digest.clone()),
        external_id_length: seen.external_id.as_ref().map(|print| print.length),
        source_identity: text(&seen.source_identity),
        provider: text(&seen.provider),
        subject: text(&seen.subject),
        caller_kind: text(identity_word(caller.kind)),
        caller_account: caller.account,
        caller_delegate: caller.delegate,
        caller_principal_id: text(&caller.principal_id),
        caller_arn: text(&caller.arn),
        caller_access_key: text(&seen.caller_key),
        caller_invoked_by: text(&caller.invoked_by),
        caller_role_account: chained.map(|session| session.account),
        caller_role_name: chained.map(|session| text(&session.role_name)),
        caller_role_id: chained.map(|session| text(&session.role_id)),
        caller_session_name: chained.map(|session| text(&session.session_name)),
        caller_created: seen.caller_created.map(time_text),
        network: text(&seen.network),
        agent: text(&seen.agent),
    }
}

fn key_row(names: &Names, key: UserKey, used: &KeyUse) -> KeyRow {
    KeyRow {
        user: names.text(key.user).to_owned(),
        access_key: names.text(key.key).to_owned(),
        first: time_text(used.active.first),
        last: time_text(used.active.last),
        networks: used.networks.keys().map(ToString::to_string).collect(),
        networks_first: used.networks.values().map(|span| time_text(span.first)).collect(),
        networks_last: used.networks.values().map(|span| time_text(span.last)).collect(),
        networks_more: used.more_networks,
    }
}

fn change_row(id: u128, seen: &ChangeSeen) -> ChangeRow {
    let text = |text: &str| text.to_owned();
    let (caller, chained) = (&seen.caller, seen.caller.session.as_ref());
    ChangeRow {
        event: id_text(id),
        event_id: text(&seen.event_id),
        time: time_text(seen.time),
        recipient: seen.recipient,
        region: text(&seen.region),
        source: text(&seen.source),
        name: text(&seen.name),
        outcome: seen.outcome,
        target: text(&seen.target),
        gives: text(&seen.gives),
        admitted: seen.admitted.iter().map(|one| text(&one.principal)).collect(),
        admitted_conditions: seen.admitted.iter().map(|one| text(&one.conditions)).collect(),
        admitted_more: seen.more_admitted,
        caller_kind: text(identity_word(caller.kind)),
        caller_account: caller.account,
        caller_delegate: caller.delegate,
        caller_principal_id: text(&caller.principal_id),
        caller_arn: text(&caller.arn),
        caller_access_key: text(&seen.caller_key),
        caller_invoked_by: text(&caller.invoked_by),
        caller_role_account: chained.map(|session| session.account),
        caller_role_name: chained.map(|session| text(&session.role_name)),
        caller_role_id: chained.map(|session| text(&session.role_id)),
        caller_session_name: chained.map(|session| text(&session.session_name)),
        caller_created: seen.caller_created.map(time_text),
        network: text(&seen.network),
    }
}

fn actor_row(names: &Names, actor: Actor, acts: &Acts) -> ActorRow {
    let text = |name| names.text(name).to_owned();
    let (networks, networks_more) = few_fields(&acts.networks);
    let (agents, agents_more) = few_fields(&acts.agents);
    let (source_identities, source_identities_more) = few_fields(&acts.source_identities);
    let account = match actor {
        Actor::Session { role, .. } => role.account,
        Actor::Outsider { account, .. } | Actor::User { account, .. } => account,
    };
    let mut row = ActorRow {
        session: false,
        user: false,
        account,
        role_name: String::new(),
        role_id: String::new(),
        access_key: String::new(),
        session_name: String::new(),
        created: None,
        delegate: None,
        principal: String::new(),
        networks,
        networks_more,
        agents,
        agents_more,
        source_identities,
        source_identities_more,
        mfa: acts.mfa,
    };
    match actor {
        Actor::Session { role, access_key, session_name, created, delegate } => {
            row.session = true;
            row.role_name = text(role.name);
            row.role_id = text(role.id);
            row.access_key = text(access_key);
            row.session_name = text(session_name);
            row.created = created.map(time_text);
            row.delegate = delegate;
        }
        Actor::Outsider { principal, .. } => row.principal = text(principal),
        Actor::User { arn, access_key, .. } => {
            row.user = true;
            row.principal = text(arn);
            row.access_key = text(access_key);
        }
    }
    row
}

fn call_row(names: &Names, sighting: u32, call: &Call) -> CallRow {
    let [event_id, error, network, agent, resources] = call.texts(names).map(str::to_owned);
    CallRow {
        sighting,
        event: id_text(call.id.0),
        time: DateTime::from_timestamp(call.seconds, 0).map(time_text).unwrap_or_default(),
        outcome: call.outcome,
        read_only: call.read_only,
        event_id,
        error,
        network,
        agent,
        resources: resources.lines().map(str::to_owned).collect(),
    }
}

fn sighting_row(names: &Names, actor: u32, key: &CallKey, sighting: &Sighting) -> SightingRow {
    let text = |name| names.text(name).to_owned();
    let first = |span: Option<Span>| span.map(|span| time_text(span.first));
    let last = |span: Option<Span>| span.map(|span| time_text(span.last));
    let (resources, resources_more) = few_fields(&sighting.resources);
    let (errors, errors_more) = few_fields(&sighting.errors);
    let (odd_ids, odd_ids_more) = few_fields(&sighting.odd_ids);
    let (refused_odd_ids, refused_odd_ids_more) = few_fields(&sighting.refused_odd_ids);
    let (networks, networks_more) = few_fields(&sighting.networks);
    SightingRow {
        actor,
        account: key.account,
        region: text(key.region),
        source: text(key.source),
        name: text(key.name),
        via: text(key.via),
        hints: key.hints.bits(),
        used_first: first(sighting.used),
        used_last: last(sighting.used),
        refused_first: first(sighting.refused),
        refused_last: last(sighting.refused),
        resources,
        resources_more,
        errors,
        errors_more,
        odd_ids,
        odd_ids_more,
        refused_odd_ids,
        refused_odd_ids_more,
        networks,
        networks_more,
    }
}
