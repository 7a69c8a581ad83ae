//! From bytes back to a shard; bytes that no shard could have written are an error, never a crash (S44).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use hashbrown::HashMap;

use crate::aws::{Fingerprint, Network};
use crate::cloudtrail::access_change::Admitted;
use crate::cloudtrail::digest::Sha256;
use crate::cloudtrail::outcome;
use crate::cloudtrail::parameters::Hints;
use crate::cloudtrail::record::EventId;
use crate::evidence::Evidence;
use crate::evidence::call::{Call, READ_ONLY};
use crate::evidence::change::ChangeSeen;
use crate::evidence::coverage::{Coverage, LoggingChange, ObjectReading, Place, Recorded, SeenKey};
use crate::evidence::names::Names;
use crate::evidence::scope::RoleRef;
use crate::evidence::session::{Actor, Acts, Asked, Caller, CallerSession, HandOffSeen, RoleName};
use crate::evidence::sighting::{CallKey, Sighting};
use crate::evidence::user_key::{KeyUse, UserKey};

use super::bytes::Reader;
use super::write::{HAND_OFFS, IDENTITIES, OUTSIDER, SESSION, USER};
use super::{Failure, MAGIC, Mark, Part, Selection, Shard, ShardError, VERSION, maker};

type Outcome<T> = Result<T, ShardError>;

impl Shard {
    /// The shard that these bytes are.
    ///
    /// # Errors
    /// [`ShardError`] when they are damaged, of another version, or something else.
    pub fn from_bytes(bytes: &[u8]) -> Outcome<Self> {
        let mut reader = Reader::new(opened(bytes)?)?;
        let made_by = reader.text()?;
        if made_by != maker() {
            return Err(ShardError::OtherVersion(made_by.to_owned()));
        }
        let selection = Selection {
            accounts: reader.list(Reader::account)?.into_iter().collect(),
            regions: reader.list(Reader::owned)?.into_iter().collect(),
        };
        let quiet = reader
            .list(|reader| Ok(RoleRef { account: reader.account()?, name: reader.owned()?, id: reader.owned()? }))?;
        let party_users = reader.list(Reader::owned)?;
        let held = reader.list(object)?;
        let failed = reader.list(|reader| {
            let (key, mark) = object(reader)?;
            Ok((key, Failure { mark, reason: reader.owned()? }))
        })?;
        let parts = reader.list(part)?;
        reader.end()?;
        Ok(Self {
            selection,
            quiet: quiet.into_iter().collect(),
            party_users: party_users.into_iter().collect(),
            held: held.into_iter().collect(),
            failed: failed.into_iter().collect(),
            parts,
        })
    }
}

/// The content, when the digest at the end is that of all before it.
fn opened(bytes: &[u8]) -> Outcome<&[u8]> {
    let (before, digest) = bytes.split_last_chunk::<16>().ok_or(ShardError::Damaged)?;
    let rest = before.strip_prefix(MAGIC).ok_or(ShardError::Damaged)?;
    if xxhash_rust::xxh3::xxh3_128(before) != u128::from_le_bytes(*digest) {
        return Err(ShardError::Damaged);
    }
    let (version, content) = rest.split_first_chunk::<4>().ok_or(ShardError::Damaged)?;
    match u32::from_le_bytes(*version) {
        VERSION => Ok(content),
        other => Err(ShardError::OtherVersion(format!("shard/{other}"))),
    }
}

fn object(reader: &mut Reader<'_>) -> Outcome<(String, Mark)> {
    Ok((reader.owned()?, Mark { size_bytes: reader.number()?, tag: reader.owned()? }))
}

fn part(reader: &mut Reader<'_>) -> Outcome<Part> {
    let span = reader.option(Reader::span)?;
    let mut evidence = Evidence::default();
    for _ in 0..reader.count(16)? {
        let id = EventId(reader.bits()?);
        let seen = hand_off(reader, &mut evidence.names)?;
        evidence.note_hand_off(id, Box::new(seen));
    }
    actors(reader, &mut evidence)?;
    for _ in 0..reader.count(1)? {
        let role = role(reader, &mut evidence.names)?;
        evidence.roles.insert(role, reader.span()?);
    }
    for _ in 0..reader.count(1)? {
        let key = UserKey { user: evidence.names.intern(reader.text()?), key: evidence.names.intern(reader.text()?) };
        evidence.keys.insert(key, key_use(reader)?);
    }
    for _ in 0..reader.count(16)? {
        let id = EventId(reader.bits()?);
        evidence.note_change(id, Box::new(change(reader)?));
    }
    evidence.out_of_scope = reader.ids()?;
    evidence.coverage = coverage(reader, &mut evidence.names)?;
    Ok(Part { span, evidence })
}

/// Evidence with nothing but the actors that these bytes hold.
///
/// # Errors
/// [`ShardError`] when they are something else.
pub fn actors_from_bytes(bytes: &[u8]) -> Outcome<Evidence> {
    let (mut reader, mut evidence) = (Reader::new(bytes)?, Evidence::default());
    actors(&mut reader, &mut evidence)?;
    reader.end()?;
    Ok(evidence)
}

fn one_of<T: Copy>(reader: &mut Reader<'_>, all: &[T]) -> Outcome<T> {
    all.get(reader.small::<usize>()?).copied().ok_or(ShardError::Value("kind"))
}

fn role(reader: &mut Reader<'_>, names: &mut Names) -> Outcome<RoleName> {
    Ok(RoleName { account: reader.account()?, name: names.intern(reader.text()?), id: names.intern(reader.text()?) })
}

fn hand_off(reader: &mut Reader<'_>, names: &mut Names) -> Outcome<HandOffSeen> {
    let (event_id, time) = (reader.boxed()?, reader.time()?);
    let (recipient, kind, outcome) =
        (reader.account()?, one_of(reader, &HAND_OFFS)?, one_of(reader, &outcome::Outcome::ALL)?);
    let (role_account, region, error_code) = (reader.account()?, reader.boxed()?, reader.boxed()?);
    let (shared_event_id, role_arn) = (reader.boxed()?, reader.boxed()?);
    let (role_name, role_id) = (reader.boxed()?, reader.boxed()?);
    let (session_name, access_key) = (reader.boxed()?, reader.boxed()?);
    let asked = Asked {
        recipient,
        kind,
        outcome,
        role_account,
        region,
        error_code,
        role_arn,
        role_name,
        role_id,
        source_identity: reader.boxed()?,
        provider: reader.boxed()?,
        subject: reader.boxed()?,
        external_id: reader.option(|reader| Ok(Fingerprint { digest: reader.owned()?, length: reader.small()? }))?,
        caller: caller(reader)?,
    };
    Ok(HandOffSeen {
        event_id,
        time,
        shared_event_id,
        session_name,
        access_key,
        caller_key: reader.boxed()?,
        caller_created: reader.option(Reader::time)?,
        network: names.share(reader.text()?),
        agent: names.share(reader.text()?),
        asked: Arc::new(asked),
    })
}

fn caller(reader: &mut Reader<'_>) -> Outcome<Caller> {
    Ok(Caller {
        kind: one_of(reader, &IDENTITIES)?,
        account: reader.option(Reader::account)?,
        delegate: reader.option(Reader::account)?,
        principal_id: reader.boxed()?,
        arn: reader.boxed()?,
        invoked_by: reader.boxed()?,
        session: reader.option(|reader| {
            Ok(CallerSession {
                account: reader.account()?,
                role_name: reader.boxed()?,
                role_id: reader.boxed()?,
                session_name: reader.boxed()?,
            })
        })?,
    })
}

fn key_use(reader: &mut Reader<'_>) -> Outcome<KeyUse> {
    let (active, more_networks) = (reader.span()?, reader.flag()?);
    let networks = reader.list(|reader| {
        let network = Network::parse(reader.text()?).ok_or(ShardError::Value("network"))?;
        Ok((network, reader.span()?))
    })?;
    Ok(KeyUse { active, networks: networks.into_iter().collect(), more_networks })
}

fn change(reader: &mut Reader<'_>) -> Outcome<ChangeSeen> {
    let (time, recipient) = (reader.time()?, reader.account()?);
    let outcome = one_of(reader, &outcome::Outcome::ALL)?;
    let [event_id, region, source, name, target, gives] =
        [reader.boxed()?, reader.boxed()?, reader.boxed()?, reader.boxed()?, reader.boxed()?, reader.boxed()?];
    Ok(ChangeSeen {
        event_id,
        time,
        recipient,
        region,
        source,
        name,
        outcome,
        target,
        gives,
        more_admitted: reader.flag()?,
        admitted: reader.list(|reader| Ok(Admitted { principal: reader.boxed()?, conditions: reader.boxed()? }))?,
        caller: caller(reader)?,
        caller_key: reader.boxed()?,
        caller_created: reader.option(Reader::time)?,
        network: reader.boxed()?,
    })
}

fn actors(reader: &mut Reader<'_>, evidence: &mut Evidence) -> Outcome<()> {
    for _ in 0..reader.count(1)? {
        let (kind, account) = (reader.number()?, reader.account()?);
        let names = &mut evidence.names;
        let mut name = |reader: &mut Reader<'_>| reader.text().map(|text| names.intern(text));
        let texts = [name(reader)?, name(reader)?, name(reader)?, name(reader)?];
        let [first, id, access_key, session_name] = texts;
        let (created, delegate) = (reader.option(Reader::time)?, reader.option(Reader::account)?);
        let actor = match kind {
            SESSION => {
                let role = RoleName { account, name: first, id };
                Actor::Session { role, access_key, session_name, created, delegate }
            }
            OUTSIDER => Actor::Outsider { account, principal: first },
            USER => Actor::User { account, arn: first, access_key: id },
            _ => return Err(ShardError::Value("kind of actor")),
        };
        let mut acts = Acts {
            calls: HashMap::new(),
            networks: reader.few()?,
            agents: reader.few()?,
            source_identities: reader.few()?,
            mfa: reader.flag()?,
        };
        let calls = reader.count(1)?;
        acts.calls.reserve(calls);
        for _ in 0..calls {
            let key = call_key(reader, &mut evidence.names)?;
            acts.calls.insert(key, Box::new(sighting(reader, &mut evidence.names)?));
        }
        evidence.actors.insert(actor, acts);
    }
    Ok(())
}

fn call_key(reader: &mut Reader<'_>, names: &mut Names) -> Outcome<CallKey> {
    let account = reader.account()?;
    let mut name = || reader.text().map(|text| names.intern(text));
    let (region, source, event, via) = (name()?, name()?, name()?, name()?);
    Ok(CallKey { account, region, source, name: event, via, hints: Hints::from_bits(reader.small()?) })
}

fn sighting(reader: &mut Reader<'_>, names: &mut Names) -> Outcome<Sighting> {
    Ok(Sighting {
        allowed: reader.ids()?,
        denied: reader.ids()?,
        failed: reader.ids()?,
        throttled: reader.option(Reader::ids)?.map(Box::new),
        used: reader.option(Reader::span)?,
        refused: reader.option(Reader::span)?,
        resources: reader.few()?,
        errors: reader.few()?,
        odd_ids: reader.few()?,
        refused_odd_ids: reader.few()?,
        networks: reader.few()?,
        calls: reader.list(|reader| call(reader, names))?,
    })
}

fn call(reader: &mut Reader<'_>, names: &mut Names) -> Outcome<Call> {
    let (id, seconds) = (EventId(reader.bits()?), reader.signed()?);
    let (outcome, read_only) = (one_of(reader, &outcome::Outcome::ALL)?, one_of(reader, &READ_ONLY)?);
    let mut name = || reader.text().map(|text| names.intern_whole(text));
    let (event, error, network, agent, resources) = (name()?, name()?, name()?, name()?, name()?);
    Ok(Call { id, seconds, outcome, read_only, event, error, network, agent, resources })
}

fn sum(reader: &mut Reader<'_>) -> Outcome<Sha256> {
    let mut sum = [0; 32];
    for half in sum.as_chunks_mut().0 {
        *half = reader.bits()?.to_be_bytes();
    }
    Ok(Sha256(sum))
}

fn coverage(reader: &mut Reader<'_>, names: &mut Names) -> Outcome<Coverage> {
    let mut coverage = Coverage::default();
    for _ in 0..reader.count(16)? {
        let key = reader.bits()?;
        let reading = ObjectReading {
            records: reader.number()?,
            bad: reader.number()?,
            compressed_bytes: reader.number()?,
            decompressed_bytes: reader.number()?,
            sha256: reader.option(sum)?,
        };
        coverage.objects.insert(key, reading);
    }
    let bad = reader.list(|reader| Ok(((reader.owned()?, reader.number()?), reader.owned()?)))?;
    coverage.bad_records = BTreeMap::from_iter(bad);
    for _ in 0..reader.count(1)? {
        let place = (reader.account()?, names.intern(reader.text()?));
        let events = reader.option(Reader::span)?;
        let known = Place { events, delivered: days(reader)?, undated: days(reader)? };
        coverage.places.insert(place, known);
    }
    for _ in 0..reader.count(1)? {
        let account = reader.account()?;
        let mut name = || reader.text().map(|text| names.intern(text));
        let key = SeenKey { account, region: name()?, source: name()?, name: name()? };
        coverage.seen.insert(key, Recorded(reader.small()?));
    }
    let types = reader.list(|reader| Ok((reader.account()?, reader.list(Reader::owned)?.into_iter().collect())))?;
    coverage.data_types = BTreeMap::from_iter(types);
    let logging = reader.list(|reader| {
        let account = reader.account()?;
        let change = LoggingChange { time: reader.time()?, starts: reader.flag()?, trail: reader.owned()? };
        Ok((account, change))
    })?;
    coverage.logging = BTreeSet::from_iter(logging);
    Ok(coverage)
}

fn days(reader: &mut Reader<'_>) -> Outcome<BTreeSet<NaiveDate>> {
    Ok(reader.list(Reader::time)?.into_iter().map(|time| time.date_naive()).collect())
}
