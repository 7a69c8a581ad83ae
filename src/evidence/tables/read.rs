//! From tables back to evidence; a table that no evidence could have written is an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;

use crate::aws::window::Time;
use crate::aws::{AccountId, Fingerprint, Network};
use crate::cloudtrail::access_change::Admitted;
use crate::cloudtrail::digest::Sha256;
use crate::cloudtrail::parameters::Hints;
use crate::cloudtrail::record::EventId;
use crate::evidence::Evidence;
use crate::evidence::call::Call;
use crate::evidence::change::ChangeSeen;
use crate::evidence::coverage::{LoggingChange, ObjectReading, Place, Recorded, SeenKey};
use crate::evidence::few::Few;
use crate::evidence::names::Names;
use crate::evidence::session::{Actor, Acts, Asked, Caller, CallerSession, HandOffSeen, RoleName, Span};
use crate::evidence::sighting::{CallKey, Sighting};
use crate::evidence::user_key::{KeyUse, UserKey};

use super::columnar::decode;
use super::rows::*;
use super::{SCHEMA, TableError, Tables};

impl Evidence {
    /// The evidence that the tables hold.
    ///
    /// # Errors
    /// [`TableError`] when a table is missing or is not what [`Evidence::to_tables`] writes.
    pub fn from_tables(mut tables: Tables) -> Result<Self, TableError> {
        let mut evidence = Self::default();
        for row in take::<HandOffRow>(&mut tables, &HANDOFFS)? {
            let id = EventId(id(&HANDOFFS, &row.event)?);
            let seen = hand_off(row, &mut evidence.names)?;
            evidence.note_hand_off(id, Box::new(seen));
        }
        evidence.take_actors(&mut tables)?;
        for row in take::<RoleRow>(&mut tables, &ROLES)? {
            let role = RoleName {
                account: row.account,
                name: evidence.names.intern(&row.name),
                id: evidence.names.intern(&row.id),
            };
            let span = Span { first: time(&ROLES, &row.first)?, last: time(&ROLES, &row.last)? };
            evidence.note_role(role, span);
        }
        for row in take::<KeyRow>(&mut tables, &KEYS)? {
            let key = UserKey { user: evidence.names.intern(&row.user), key: evidence.names.intern(&row.access_key) };
            evidence.note_key(key, key_use(&row)?);
        }
        for row in take::<ChangeRow>(&mut tables, &CHANGES)? {
            let id = EventId(id(&CHANGES, &row.event)?);
            evidence.note_change(id, Box::new(change(row)?));
        }
        evidence.take_coverage(&mut tables)?;
        Ok(evidence)
    }

    fn take_actors(&mut self, tables: &mut Tables) -> Result<(), TableError> {
        let mut actors: Vec<(Actor, Acts)> = Vec::new();
        for row in take::<ActorRow>(tables, &ACTORS)? {
            actors.push((actor(&mut self.names, &row)?, acts(row)));
        }
        let mut sightings: Vec<(u32, CallKey, Sighting)> = Vec::new();
        for row in take::<SightingRow>(tables, &SIGHTINGS)? {
            sightings.push((row.actor, call_key(&mut self.names, &row), sighting(row)?));
        }
        for row in take::<EventRow>(tables, &EVENTS)? {
            let event = EventId(id(&EVENTS, &row.event)?);
            match (row.sighting, row.outcome) {
                (None, None) => self.out_of_scope.insert(event),
                (Some(number), Some(outcome)) => match sightings.get_mut(number as usize) {
                    Some((_, _, sighting)) => {
                        sighting.ids_mut(outcome).insert(event);
                        if row.throttled {
                            sighting.throttled.get_or_insert_default().insert(event);
                        }
                    }
                    None => return Err(bad(&EVENTS, &number.to_string())),
                },
                _ => return Err(bad(&EVENTS, &row.event)),
            }
        }
        for row in take::<CallRow>(tables, &CALLS)? {
            match sightings.get_mut(row.sighting as usize) {
                Some((_, _, sighting)) => sighting.calls.push(call(&mut self.names, &row)?),
                None => return Err(bad(&CALLS, &row.sighting.to_string())),
            }
        }
        for (number, key, mut sighting) in sightings {
            sighting.allowed.settle();
            sighting.denied.settle();
            sighting.failed.settle();
            if let Some(throttled) = &mut sighting.throttled {
                throttled.settle();
            }
            let Some((_, acts)) = actors.get_mut(number as usize) else {
                return Err(bad(&SIGHTINGS, &number.to_string()));
            };
            acts.calls.insert(key, Box::new(sighting));
        }
        self.out_of_scope.settle();
        self.actors.extend(actors);
        Ok(())
    }

    fn take_coverage(&mut self, tables: &mut Tables) -> Result<(), TableError> {
        let (names, coverage) = (&mut self.names, &mut self.coverage);
        for row in take::<ObjectRow>(tables, &OBJECTS)? {
            let reading = ObjectReading {
                records: row.records,
                bad: row.bad,
                compressed_bytes: row.compressed_bytes,
                decompressed_bytes: row.decompressed_bytes,
                sha256: row.sha256.map(|sum| Sha256::parse(&sum).ok_or_else(|| bad(&OBJECTS, &sum))).transpose()?,
            };
            coverage.objects.insert(id(&OBJECTS, &row.key)?, reading);
        }
        coverage.failed.extend(take::<FailedRow>(tables, &FAILED)?.into_iter().map(|row| (row.key, row.reason)));
        let bad_records = take::<BadRow>(tables, &BAD_RECORDS)?.into_iter();
        coverage.bad_records.extend(bad_records.map(|row| ((row.key, row.at), row.reason)));
        for row in take::<PlaceRow>(tables, &PLACES)? {
            let place = Place {
                events: span(&PLACES, row.first.as_deref(), row.last.as_deref())?,
                delivered: days(&row.delivered)?,
                undated: days(&row.undated)?,
            };
            coverage.places.insert((row.account, names.intern(&row.region)), place);
        }
        for row in take::<SeenRow>(tables, &SEEN)? {
            let key = SeenKey {
                account: row.account,
                region: names.intern(&row.region),
                source: names.intern(&row.source),
                name: names.intern(&row.name),
            };
            coverage.seen.insert(key, Recorded(row.recorded));
        }
        for row in take::<DataTypeRow>(tables, &DATA_TYPES)? {
            coverage.data_types.entry(row.account).or_default().insert(row.kind);
        }
        for row in take::<LoggingRow>(tables, &LOGGING)? {
            let change = LoggingChange { time: time(&LOGGING, &row.time)?, starts: row.starts, trail: row.trail };
            coverage.logging.insert((row.account, change));
        }
        Ok(())
    }
}

fn take<T: DeserializeOwned>(tables: &mut Tables, shape: &Shape) -> Result<Vec<T>, TableError> {
    let bytes = tables.remove(shape.name).ok_or(TableError::Missing(shape.name))?;
    decode(SCHEMA, shape.columns, bytes).map_err(|source| TableError::Table { table: shape.name, source })
}

fn bad(shape: &Shape, value: &str) -> TableError {
    TableError::Value { table: shape.name, value: value.to_owned() }
}

fn id(shape: &Shape, text: &str) -> Result<u128, TableError> {
    u128::from_str_radix(text, 16).map_err(|_| bad(shape, text))
}

fn time(shape: &Shape, text: &str) -> Result<Time, TableError> {
    time_of(text).ok_or_else(|| bad(shape, text))
}

fn time_option(shape: &Shape, text: Option<&str>) -> Result<Option<Time>, TableError> {
    text.map(|text| time(shape, text)).transpose()
}

fn span(shape: &Shape, first: Option<&str>, last: Option<&str>) -> Result<Option<Span>, TableError> {
    let (first, last) = (time_option(shape, first)?, time_option(shape, last)?);
    Ok(first.zip(last).map(|(first, last)| Span { first, last }))
}

fn days(texts: &[String]) -> Result<BTreeSet<NaiveDate>, TableError> {
    texts.iter().map(|text| text.parse().map_err(|_| bad(&PLACES, text))).collect()
}

fn key_use(row: &KeyRow) -> Result<KeyUse, TableError> {
    let spans = row.networks_first.iter().zip(&row.networks_last);
    let networks = row.networks.iter().zip(spans).map(|(network, (first, last))| {
        let span = Span { first: time(&KEYS, first)?, last: time(&KEYS, last)? };
        Ok((Network::parse(network).ok_or_else(|| bad(&KEYS, network))?, span))
    });
    Ok(KeyUse {
        active: Span { first: time(&KEYS, &row.first)?, last: time(&KEYS, &row.last)? },
        networks: networks.collect::<Result<_, TableError>>()?,
        more_networks: row.networks_more,
    })
}

fn change(row: ChangeRow) -> Result<ChangeSeen, TableError> {
    let session =
        caller_session(row.caller_role_account, [row.caller_role_name, row.caller_role_id, row.caller_session_name]);
    let admitted = row.admitted.into_iter().zip(row.admitted_conditions);
    Ok(ChangeSeen {
        event_id: row.event_id.into(),
        time: time(&CHANGES, &row.time)?,
        recipient: row.recipient,
        region: row.region.into(),
        source: row.source.into(),
        name: row.name.into(),
        outcome: row.outcome,
        target: row.target.into(),
        gives: row.gives.into(),
        admitted: admitted
            .map(|(principal, conditions)| Admitted { principal: principal.into(), conditions: conditions.into() })
            .collect(),
        more_admitted: row.admitted_more,
        caller: Caller {
            kind: identity_kind(&row.caller_kind).ok_or_else(|| bad(&CHANGES, &row.caller_kind))?,
            account: row.caller_account,
            delegate: row.caller_delegate,
            principal_id: row.caller_principal_id.into(),
            arn: row.caller_arn.into(),
            invoked_by: row.caller_invoked_by.into(),
            session,
        },
        caller_key: row.caller_access_key.into(),
        caller_created: time_option(&CHANGES, row.caller_created.as_deref())?,
        network: row.network.into(),
    })
}

fn caller_session(account: Option<AccountId>, texts: [Option<String>; 3]) -> Option<CallerSession> {
    let [role_name, role_id, session_name] = texts.map(|text| text.unwrap_or_default().into());
    Some(CallerSession { account: account?, role_name, role_id, session_name })
}

fn hand_off(row: HandOffRow, names: &mut Names) -> Result<HandOffSeen, TableError> {
    let session =
        caller_session(row.caller_role_account, [row.caller_role_name, row.caller_role_id, row.caller_session_name]);
    let caller = Caller {
        kind: identity_kind(&row.caller_kind).ok_or_else(|| bad(&HANDOFFS, &row.caller_kind))?,
        account: row.caller_account,
        delegate: row.caller_delegate,
        principal_id: row.caller_principal_id.into(),
        arn: row.caller_arn.into(),
        invoked_by: row.caller_invoked_by.into(),
        session,
    };
    let external_id = row.external_id_digest.zip(row.external_id_length);
    let asked = Asked {
        recipient: row.recipient,
        region: row.region.into(),
        kind: hand_off_kind(&row.kind).ok_or_else(|| bad(&HANDOFFS, &row.kind))?,
        outcome: row.outcome,
        error_code: row.error_code.into(),
        role_arn: row.role_arn.into(),
        role_account: row.role_account,
        role_name: row.role_name.into(),
        role_id: row.role_id.into(),
        external_id: external_id.map(|(digest, length)| Fingerprint { digest, length }),
        source_identity: row.source_identity.into(),
        provider: row.provider.into(),
        subject: row.subject.into(),
        caller,
    };
    Ok(HandOffSeen {
        event_id: row.event_id.into(),
        time: time(&HANDOFFS, &row.time)?,
        shared_event_id: row.shared_event_id.into(),
        session_name: row.session_name.into(),
        access_key: row.access_key.into(),
        caller_key: row.caller_access_key.into(),
        caller_created: time_option(&HANDOFFS, row.caller_created.as_deref())?,
        network: names.share(&row.network),
        agent: names.share(&row.agent),
        asked: Arc::new(asked),
    })
}

fn actor(names: &mut Names, row: &ActorRow) -> Result<Actor, TableError> {
    if row.user {
        let (arn, access_key) = (names.intern(&row.principal), names.intern(&row.access_key));
        return Ok(Actor::User { account: row.account, arn, access_key });
    }
    if !row.session {
        return Ok(Actor::Outsider { account: row.account, principal: names.intern(&row.principal) });
    }
    Ok(Actor::Session {
        role: RoleName { account: row.account, name: names.intern(&row.role_name), id: names.intern(&row.role_id) },
        access_key: names.intern(&row.access_key),
        session_name: names.intern(&row.session_name),
        created: time_option(&ACTORS, row.created.as_deref())?,
        delegate: row.delegate,
    })
}

fn acts(row: ActorRow) -> Acts {
    Acts {
        calls: hashbrown::HashMap::new(),
        networks: Few::of(row.networks, row.networks_more),
        agents: Few::of(row.agents, row.agents_more),
        source_identities: Few::of(row.source_identities, row.source_identities_more),
        mfa: row.mfa,
    }
}

fn call_key(names: &mut Names, row: &SightingRow) -> CallKey {
    CallKey {
        account: row.account,
        region: names.intern(&row.region),
        source: names.intern(&row.source),
        name: names.intern(&row.name),
        via: names.intern(&row.via),
        hints: Hints::from_bits(row.hints),
    }
}

fn call(names: &mut Names, row: &CallRow) -> Result<Call, TableError> {
    Ok(Call {
        id: EventId(id(&CALLS, &row.event)?),
        seconds: time(&CALLS, &row.time)?.timestamp(),
        outcome: row.outcome,
        read_only: row.read_only,
        event: names.intern(&row.event_id),
        error: names.intern(&row.error),
        network: names.intern(&row.network),
        agent: names.intern(&row.agent),
        resources: names.intern_whole(&row.resources.join("\n")),
    })
}

fn sighting(row: SightingRow) -> Result<Sighting, TableError> {
    Ok(Sighting {
        used: span(&SIGHTINGS, row.used_first.as_deref(), row.used_last.as_deref())?,
        refused: span(&SIGHTINGS, row.refused_first.as_deref(), row.refused_last.as_deref())?,
        resources: Few::of(row.resources, row.resources_more),
        errors: Few::of(row.errors, row.errors_more),
        odd_ids: Few::of(row.odd_ids, row.odd_ids_more),
        refused_odd_ids: Few::of(row.refused_odd_ids, row.refused_odd_ids_more),
        networks: Few::of(row.networks, row.networks_more),
        ..Sighting::default()
    })
}
