//! From a shard to bytes: equal content gives equal bytes, whatever its names' numbers are.

use chrono::NaiveDate;

use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::call::{Call, READ_ONLY};
use crate::evidence::change::ChangeSeen;
use crate::evidence::coverage::Coverage;
use crate::evidence::names::Names;
use crate::evidence::session::{Actor, Acts, Caller, HandOffSeen, RoleName};
use crate::evidence::sighting::{CallKey, Sighting};
use crate::evidence::user_key::KeyUse;

use super::bytes::Writer;
use super::{MAGIC, Mark, Part, Shard, VERSION, maker};

/// In the order of their numbers.
pub(super) const HAND_OFFS: [HandOffKind; 3] = [HandOffKind::AssumeRole, HandOffKind::WebIdentity, HandOffKind::Saml];
/// In the order of their numbers.
pub(super) const IDENTITIES: [IdentityKind; 9] = [
    IdentityKind::AssumedRole,
    IdentityKind::AwsAccount,
    IdentityKind::AwsService,
    IdentityKind::IamUser,
    IdentityKind::Root,
    IdentityKind::FederatedUser,
    IdentityKind::WebIdentityUser,
    IdentityKind::SamlUser,
    IdentityKind::Other,
];

/// The number of an actor's kind.
pub(super) const OUTSIDER: u64 = 0;
/// The number of an actor's kind.
pub(super) const SESSION: u64 = 1;
/// The number of an actor's kind.
pub(super) const USER: u64 = 2;

impl Shard {
    /// The bytes of it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.text(&maker());
        writer.count(self.selection.accounts.len());
        self.selection.accounts.iter().for_each(|account| writer.account(*account));
        writer.count(self.selection.regions.len());
        self.selection.regions.iter().for_each(|region| writer.text(region));
        writer.count(self.quiet.len());
        for role in &self.quiet {
            writer.account(role.account);
            writer.text(&role.name);
            writer.text(&role.id);
        }
        writer.count(self.party_users.len());
        self.party_users.iter().for_each(|user| writer.text(user));
        writer.count(self.held.len());
        self.held.iter().for_each(|(key, mark)| object(&mut writer, key, mark));
        writer.count(self.failed.len());
        for (key, failure) in &self.failed {
            object(&mut writer, key, &failure.mark);
            writer.text(&failure.reason);
        }
        writer.count(self.parts.len());
        self.parts.iter().for_each(|each| part(&mut writer, each));
        sealed(&writer.finish())
    }
}

/// The file: what it is, its version, the content, and a digest of all that.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut bytes = [MAGIC, &VERSION.to_le_bytes(), content].concat();
    let digest = xxhash_rust::xxh3::xxh3_128(&bytes);
    bytes.extend_from_slice(&digest.to_le_bytes());
    bytes
}

fn object(writer: &mut Writer, key: &str, mark: &Mark) {
    writer.text(key);
    writer.number(mark.size_bytes);
    writer.text(&mark.tag);
}

fn part(writer: &mut Writer, part: &Part) {
    writer.option(part.span, Writer::span);
    let evidence = &part.evidence;
    let mut handoffs: Vec<_> = evidence.handoffs.iter().collect();
    handoffs.sort_unstable_by_key(|(id, _)| **id);
    writer.count(handoffs.len());
    for (id, seen) in handoffs {
        writer.bits(id.0);
        hand_off(writer, seen);
    }
    actors(writer, &evidence.names, evidence.actors.iter().collect());
    let mut roles: Vec<_> = evidence.roles.iter().map(|(role, span)| (evidence.names.role(*role), span)).collect();
    roles.sort_unstable_by_key(|(role, _)| *role);
    writer.count(roles.len());
    for ((account, name, id), span) in roles {
        writer.account(account);
        writer.text(name);
        writer.text(id);
        writer.span(*span);
    }
    let mut keys: Vec<_> = evidence.keys.iter().map(|(key, used)| (evidence.names.user_key(*key), used)).collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    writer.count(keys.len());
    for ((user, key), used) in keys {
        writer.text(user);
        writer.text(key);
        key_use(writer, used);
    }
    let mut changes: Vec<_> = evidence.changes.iter().collect();
    changes.sort_unstable_by_key(|(id, _)| **id);
    writer.count(changes.len());
    for (id, seen) in changes {
        writer.bits(id.0);
        change(writer, seen);
    }
    writer.ids(&evidence.out_of_scope);
    coverage(writer, &evidence.names, &evidence.coverage);
}

/// The place of `wanted` in `all`, which holds it.
fn number_of<T: PartialEq>(all: &[T], wanted: &T) -> u64 {
    all.iter().position(|one| one == wanted).unwrap_or_default() as u64
}

fn hand_off(writer: &mut Writer, seen: &HandOffSeen) {
    writer.text(&seen.event_id);
    writer.time(seen.time);
    writer.account(seen.recipient);
    writer.number(number_of(&HAND_OFFS, &seen.kind));
    writer.number(number_of(&Outcome::ALL, &seen.outcome));
    writer.account(seen.role_account);
    for text in [
        &seen.region,
        &seen.error_code,
        &seen.shared_event_id,
        &seen.role_arn,
        &seen.role_name,
        &seen.role_id,
        &seen.session_name,
        &seen.access_key,
        &seen.source_identity,
        &seen.provider,
        &seen.subject,
    ] {
        writer.text(text);
    }
    writer.option(seen.external_id.as_ref(), |writer, print| {
        writer.text(&print.digest);
        writer.number(u64::from(print.length));
    });
    caller(writer, &seen.caller);
    writer.text(&seen.caller_key);
    writer.option(seen.caller_created, Writer::time);
    writer.text(&seen.network);
    writer.text(&seen.agent);
}

fn key_use(writer: &mut Writer, used: &KeyUse) {
    writer.span(used.active);
    writer.flag(used.more_networks);
    writer.count(used.networks.len());
    for (network, span) in &used.networks {
        writer.text(&network.to_string());
        writer.span(*span);
    }
}

fn change(writer: &mut Writer, seen: &ChangeSeen) {
    writer.time(seen.time);
    writer.account(seen.recipient);
    writer.number(number_of(&Outcome::ALL, &seen.outcome));
    let texts = [&seen.event_id, &seen.region, &seen.source, &seen.name, &seen.target, &seen.gives];
    texts.into_iter().for_each(|text| writer.text(text));
    writer.flag(seen.more_admitted);
    writer.count(seen.admitted.len());
    for one in &seen.admitted {
        writer.text(&one.principal);
        writer.text(&one.conditions);
    }
    caller(writer, &seen.caller);
    writer.text(&seen.caller_key);
    writer.option(seen.caller_created, Writer::time);
    writer.text(&seen.network);
}

fn caller(writer: &mut Writer, caller: &Caller) {
    writer.number(number_of(&IDENTITIES, &caller.kind));
    writer.option(caller.account, Writer::account);
    writer.option(caller.delegate, Writer::account);
    for text in [&caller.principal_id, &caller.arn, &caller.invoked_by] {
        writer.text(text);
    }
    writer.option(caller.session.as_ref(), |writer, session| {
        writer.account(session.account);
        writer.text(&session.role_name);
        writer.text(&session.role_id);
        writer.text(&session.session_name);
    });
}

/// Actors alone, for a file that does not outlive the run: no version, no digest.
#[must_use]
pub fn actors_to_bytes(names: &Names, some: Vec<(&Actor, &Acts)>) -> Vec<u8> {
    let mut writer = Writer::default();
    actors(&mut writer, names, some);
    writer.finish()
}

fn actors(writer: &mut Writer, names: &Names, mut actors: Vec<(&Actor, &Acts)>) {
    actors.sort_unstable_by(|(a, _), (b, _)| names.actor(a).cmp(&names.actor(b)));
    writer.count(actors.len());
    for (actor, acts) in actors {
        let (kind, account, texts, created, delegate) = names.actor(actor);
        writer.number(kind);
        writer.account(account);
        texts.into_iter().for_each(|text| writer.text(text));
        writer.option(created, Writer::time);
        writer.option(delegate, Writer::account);
        writer.few(&acts.networks);
        writer.few(&acts.agents);
        writer.few(&acts.source_identities);
        writer.flag(acts.mfa);
        let mut calls: Vec<(&CallKey, &Sighting)> = acts.calls.iter().map(|(key, calls)| (key, &**calls)).collect();
        calls.sort_unstable_by(|(a, _), (b, _)| names.call(a).cmp(&names.call(b)));
        writer.count(calls.len());
        for (key, calls) in calls {
            let (account, texts, hints) = names.call(key);
            writer.account(account);
            texts.into_iter().for_each(|text| writer.text(text));
            writer.number(u64::from(hints));
            sighting(writer, names, calls);
        }
    }
}

fn sighting(writer: &mut Writer, names: &Names, calls: &Sighting) {
    for ids in [&calls.allowed, &calls.denied, &calls.failed] {
        writer.ids(ids);
    }
    writer.option(calls.throttled.as_deref(), Writer::ids);
    writer.option(calls.used, Writer::span);
    writer.option(calls.refused, Writer::span);
    writer.few(&calls.resources);
    writer.few(&calls.errors);
    writer.few(&calls.odd_ids);
    writer.few(&calls.refused_odd_ids);
    writer.few(&calls.networks);
    let each = calls.settled_calls(names);
    writer.count(each.len());
    each.iter().for_each(|one| call(writer, names, one));
}

fn call(writer: &mut Writer, names: &Names, call: &Call) {
    writer.bits(call.id.0);
    writer.signed(call.seconds);
    writer.number(number_of(&Outcome::ALL, &call.outcome));
    writer.number(number_of(&READ_ONLY, &call.read_only));
    call.texts(names).into_iter().for_each(|text| writer.text(text));
}

fn coverage(writer: &mut Writer, names: &Names, coverage: &Coverage) {
    let mut objects: Vec<_> = coverage.objects.iter().collect();
    objects.sort_unstable_by_key(|(key, _)| **key);
    writer.count(objects.len());
    for (key, object) in objects {
        writer.bits(*key);
        for number in [object.records, object.bad, object.compressed_bytes, object.decompressed_bytes] {
            writer.number(number);
        }
        writer.option(object.sha256, |writer, sum| {
            sum.0.as_chunks().0.iter().for_each(|half| writer.bits(u128::from_be_bytes(*half)))
        });
    }
    writer.count(coverage.bad_records.len());
    for ((key, at), reason) in &coverage.bad_records {
        writer.text(key);
        writer.number(*at);
        writer.text(reason);
    }
    let mut places: Vec<_> =
        coverage.places.iter().map(|((account, region), place)| (*account, *region, place)).collect();
    places.sort_unstable_by_key(|(account, region, _)| (*account, names.text(*region)));
    writer.count(places.len());
    for (account, region, place) in places {
        writer.account(account);
        writer.text(names.text(region));
        writer.option(place.events, Writer::span);
        for days in [&place.delivered, &place.undated] {
            writer.count(days.len());
            days.iter().for_each(|day| writer.time(first_moment(*day)));
        }
    }
    let mut seen: Vec<_> = coverage.seen.iter().collect();
    seen.sort_unstable_by_key(|(key, _)| {
        (key.account, names.text(key.region), names.text(key.source), names.text(key.name))
    });
    writer.count(seen.len());
    for (key, recorded) in seen {
        writer.account(key.account);
        [key.region, key.source, key.name].into_iter().for_each(|name| writer.text(names.text(name)));
        writer.number(u64::from(recorded.0));
    }
    writer.count(coverage.data_types.len());
    for (account, types) in &coverage.data_types {
        writer.account(*account);
        writer.count(types.len());
        types.iter().for_each(|kind| writer.text(kind));
    }
    writer.count(coverage.logging.len());
    for (account, change) in &coverage.logging {
        writer.account(*account);
        writer.time(change.time);
        writer.flag(change.starts);
        writer.text(&change.trail);
    }
}

fn first_moment(day: NaiveDate) -> crate::aws::window::Time {
    crate::aws::window::midnight(day)
}

impl Names {
    fn role(&self, role: RoleName) -> (crate::aws::AccountId, &str, &str) {
        (role.account, self.text(role.name), self.text(role.id))
    }

    fn user_key(&self, key: crate::evidence::user_key::UserKey) -> (&str, &str) {
        (self.text(key.user), self.text(key.key))
    }

    /// An actor in texts: its kind's number, its account, the four texts of a session, or the principal, or the user and
    /// the key; when the session was opened, the delegate.
    fn actor(&self, actor: &Actor) -> ActorTexts<'_> {
        match *actor {
            Actor::Session { role, access_key, session_name, created, delegate } => {
                let texts = [role.name, role.id, access_key, session_name].map(|name| self.text(name));
                (SESSION, role.account, texts, created, delegate)
            }
            Actor::Outsider { account, principal } => {
                (OUTSIDER, account, [self.text(principal), "", "", ""], None, None)
            }
            Actor::User { account, arn, access_key } => {
                (USER, account, [self.text(arn), self.text(access_key), "", ""], None, None)
            }
        }
    }

    fn call(&self, key: &CallKey) -> (crate::aws::AccountId, [&str; 4], u32) {
        let texts = [key.region, key.source, key.name, key.via].map(|name| self.text(name));
        (key.account, texts, key.hints.bits())
    }
}

type ActorTexts<'a> =
    (u64, crate::aws::AccountId, [&'a str; 4], Option<crate::aws::window::Time>, Option<crate::aws::AccountId>);
