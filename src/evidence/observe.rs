//! The map step: folds one object after another into an evidence.
//!
//! `observe` never fails: an object or record that cannot be read becomes a counted problem in the coverage, and all
//! others are still read. Each record is touched once; one that is out of scope leaves an id and no allocation.

use std::sync::Arc;

use crate::aws::{AccountId, Fingerprint};
use crate::cloudtrail::gunzip::Inflater;
use crate::cloudtrail::handoff::HandOff;
use crate::cloudtrail::identity::{Identity, IdentityKind, RoleSession};
use crate::cloudtrail::object_key::ObjectKey;
use crate::cloudtrail::outcome::outcome;
use crate::cloudtrail::reader::{Json, Parser};
use crate::cloudtrail::record::Record;
use crate::cloudtrail::split::{Span as Piece, split};

use super::coverage::ObjectReading;
use super::limits::{self, cut};
use super::merge::Evidence;
use super::scope::Scope;
use super::session::{Actor, Caller, CallerSession, HandOffSeen, RoleName, Span};
use super::sighting::CallKey;

/// Reads one object on its own.
#[must_use]
pub fn observe(key: &str, bytes: &[u8], scope: &Arc<Scope>) -> Evidence {
    let mut observer = Observer::new(Arc::clone(scope));
    observer.observe(key, bytes);
    observer.finish()
}

/// Folds objects into one evidence; each worker has its own.
pub struct Observer {
    scope: Arc<Scope>,
    inflater: Inflater,
    parser: Parser,
    lookups: Parser,
    evidence: Evidence,
}

/// The object in hand.
struct Object<'a> {
    key: &'a str,
    place: ObjectKey<'a>,
}

impl Observer {
    /// An observer with empty evidence.
    #[must_use]
    pub fn new(scope: Arc<Scope>) -> Self {
        Self {
            scope,
            inflater: Inflater::new(limits::OBJECT_BYTES),
            parser: Parser::default(),
            lookups: Parser::default(),
            evidence: Evidence::default(),
        }
    }

    /// What was gathered so far.
    pub fn evidence_mut(&mut self) -> &mut Evidence {
        &mut self.evidence
    }

    /// The evidence of all objects observed.
    #[must_use]
    pub fn finish(self) -> Evidence {
        self.evidence
    }

    /// Notes an object that could not even be fetched.
    pub fn unreadable(&mut self, key: &str, reason: &str) {
        self.evidence.coverage.failed.insert(key.to_owned(), reason.to_owned());
    }

    /// Reads one object: its key within the source and its bytes as delivered.
    pub fn observe(&mut self, key: &str, bytes: &[u8]) {
        let object = Object { key, place: ObjectKey::parse(key) };
        if let Some(reading) = self.observe_whole(&object, bytes) {
            return self.evidence.note_object(&object, reading);
        }
        match self.observe_pieces(&object, bytes) {
            Ok(reading) => self.evidence.note_object(&object, reading),
            Err(reason) => self.evidence.fail(key, &reason),
        }
    }

    /// The usual object, sound and of a usual size, parsed in one go. `None` for any other, with nothing taken from it:
    /// its records are then found one by one, which is slower and tells what is wrong.
    fn observe_whole(&mut self, object: &Object<'_>, bytes: &[u8]) -> Option<ObjectReading> {
        let mut plain = self.inflater.inflate(bytes).ok()?;
        let length = plain.length();
        if length > limits::WHOLE_BYTES || !begins_with_records(plain.bytes()) {
            return None;
        }
        let (scope, evidence) = (&*self.scope, &mut self.evidence);
        let parsed = self.parser.parse(plain.padded_from(0), length, |json| {
            let members = || json.members().filter(|(name, _)| *name == "Records");
            if json.members().any(|(name, _)| matches!(name, "Events" | "CloudTrailEvent")) {
                return None;
            }
            let mut reading = ObjectReading {
                compressed_bytes: bytes.len() as u64,
                decompressed_bytes: length as u64,
                ..Default::default()
            };
            for (at, record) in members().flat_map(|(_, records)| records.elements()).enumerate() {
                reading.records += 1;
                if let Err(error) = evidence.take(scope, object, record) {
                    reading.bad += 1;
                    evidence.coverage.note_bad(object.key, at as u64, error.to_string());
                }
            }
            Some(reading)
        });
        parsed.ok().flatten()
    }

    fn observe_pieces(&mut self, object: &Object<'_>, bytes: &[u8]) -> Result<ObjectReading, String> {
        let mut plain = self.inflater.inflate(bytes).map_err(|error| error.to_string())?;
        let pieces = split(plain.bytes()).map_err(|error| error.to_string())?;
        let mut reading = ObjectReading {
            records: pieces.len() as u64,
            bad: 0,
            compressed_bytes: bytes.len() as u64,
            decompressed_bytes: plain.length() as u64,
        };
        let (scope, evidence) = (&*self.scope, &mut self.evidence);
        for (at, piece) in pieces.into_iter().enumerate() {
            let mut take = |json: Json<'_>| evidence.take(scope, object, json);
            let taken = match piece {
                Piece::Record(range) => self.parser.parse(plain.padded_from(range.start), range.len(), take),
                Piece::LookupEvent(range) => {
                    let inner = &mut self.lookups;
                    let unwrapped = self.parser.parse(plain.padded_from(range.start), range.len(), |entry| {
                        let text = entry.text_at(&["CloudTrailEvent"]).unwrap_or_default();
                        inner.parse_copy(text.as_bytes(), &mut take)
                    });
                    unwrapped.and_then(|inner| inner)
                }
            };
            let problem = match taken {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            reading.bad += 1;
            evidence.coverage.note_bad(object.key, at as u64, problem);
        }
        Ok(reading)
    }
}

/// Whether this is the shape in which CloudTrail delivers: `{"Records":[`.
fn begins_with_records(json: &[u8]) -> bool {
    let head = json.get(..64).unwrap_or(json);
    let mut words = head.iter().filter(|byte| !byte.is_ascii_whitespace());
    b"{\"Records\":[".iter().all(|byte| words.next() == Some(byte))
}

impl Evidence {
    fn fail(&mut self, key: &str, reason: &str) {
        self.coverage.failed.insert(key.to_owned(), reason.to_owned());
    }

    fn note_object(&mut self, object: &Object<'_>, reading: ObjectReading) {
        self.coverage.objects.insert(xxhash_rust::xxh3::xxh3_128(object.key.as_bytes()), reading);
        if let (Some(account), Some(region), Some(day)) =
            (object.place.account, object.place.region, object.place.delivered)
        {
            let region = self.names.intern(region);
            self.coverage.places.entry((account, region)).or_default().delivered.insert(day);
        }
    }

    /// Decides what a record is to us; everything before the last line only looks.
    fn take(
        &mut self,
        scope: &Scope,
        object: &Object<'_>,
        json: Json<'_>,
    ) -> Result<(), crate::cloudtrail::record::RecordError> {
        let record = Record::read(json)?;
        let account = record.recipient.or(object.place.account).or(record.identity.account);
        let in_place = account.filter(|account| scope.admits_place(*account, record.region));
        let kept = match in_place {
            Some(account) => self.keep(scope, account, &record, object.place.delivered.is_some()),
            None => false,
        };
        if !kept {
            self.out_of_scope.insert(record.id);
        }
        Ok(())
    }

    /// Whether the record became evidence.
    fn keep(&mut self, scope: &Scope, account: AccountId, record: &Record<'_>, dated: bool) -> bool {
        let in_window = scope.admits_time(record.time);
        if in_window {
            self.coverage.note_record(&mut self.names, account, record, dated);
        }
        let handed_off = scope.admits_hand_off(record.time) && self.keep_hand_off(scope, account, record, in_window);
        let called = in_window && self.keep_call(scope, account, record);
        handed_off || called
    }

    fn keep_hand_off(&mut self, scope: &Scope, account: AccountId, record: &Record<'_>, in_window: bool) -> bool {
        let Some(handoff) = HandOff::read(record) else { return false };
        let outcome = outcome(record.error_code);
        let role_account = handoff.role_account.unwrap_or(account);
        let role = RoleName {
            account: role_account,
            name: self.names.intern(handoff.role_name),
            id: self.names.intern(handoff.role_id),
        };
        if in_window && outcome == crate::cloudtrail::outcome::Outcome::Allowed {
            self.note_role(role, Span::at(record.time));
        }
        if scope.is_quiet(role_account, handoff.role_name, handoff.role_id)
            && is_inside(scope, role_account, &record.identity)
        {
            return false;
        }
        let seen = Box::new(HandOffSeen {
            event_id: cut(record.event_id).to_owned(),
            time: record.time,
            recipient: account,
            region: cut(record.region).to_owned(),
            kind: handoff.kind,
            outcome,
            error_code: cut(record.error_code.unwrap_or_default()).to_owned(),
            shared_event_id: cut(record.shared_event_id).to_owned(),
            role_arn: cut(handoff.role_arn).to_owned(),
            role_account,
            role_name: cut(handoff.role_name).to_owned(),
            role_id: cut(handoff.role_id).to_owned(),
            session_name: cut(handoff.session_name).to_owned(),
            access_key: cut(handoff.access_key).to_owned(),
            external_id: handoff.external_id.map(Fingerprint::of),
            source_identity: cut(handoff.source_identity).to_owned(),
            provider: cut(handoff.provider).to_owned(),
            subject: cut(handoff.subject).to_owned(),
            caller: caller_of(&record.identity),
            network: cut(record.source_ip).to_owned(),
            agent: cut(record.user_agent).to_owned(),
        });
        self.note_hand_off(record.id, seen);
        true
    }

    fn keep_call(&mut self, scope: &Scope, account: AccountId, record: &Record<'_>) -> bool {
        let identity = &record.identity;
        let actor = match (identity.session, identity.kind) {
            (Some(session), _) => match self.session_actor(scope, record, &session, account) {
                Some(actor) => actor,
                None => return false,
            },
            // A hand-off by another account is the hand-off's business, not a call through a resource policy.
            (None, IdentityKind::AwsAccount) if record.source != "sts" => match identity.account {
                Some(outside) => {
                    Actor::Outsider { account: outside, principal: self.names.intern(identity.principal_id) }
                }
                None => return false,
            },
            _ => return false,
        };
        if !record.is_api_call() {
            return false;
        }
        self.note_call(actor, account, record);
        true
    }

    /// The session behind a call, unless its role is quiet; the role's activity is noted in any case.
    fn session_actor(
        &mut self,
        scope: &Scope,
        record: &Record<'_>,
        session: &RoleSession<'_>,
        recipient: AccountId,
    ) -> Option<Actor> {
        let account = session.account.unwrap_or(recipient);
        let role =
            RoleName { account, name: self.names.intern(session.role_name), id: self.names.intern(session.role_id) };
        self.note_role(role, Span::at(record.time));
        if scope.is_quiet(account, session.role_name, session.role_id) && record.identity.delegate.is_none() {
            return None;
        }
        Some(Actor::Session {
            role,
            access_key: self.names.intern(record.identity.access_key),
            session_name: self.names.intern(session.session_name),
            created: session.created,
            delegate: record.identity.delegate,
        })
    }

    fn note_call(&mut self, actor: Actor, account: AccountId, record: &Record<'_>) {
        let facts = record.facts();
        let key = CallKey {
            account,
            region: self.names.intern(record.region),
            source: self.names.intern(record.source),
            name: self.names.intern(record.name),
            via: self.names.intern(record.identity.invoked_by),
            hints: facts.hints,
        };
        let outcome = outcome(record.error_code);
        let acts = self.actors.entry(actor).or_default();
        acts.networks.insert(cut(record.source_ip));
        acts.agents.insert(cut(record.user_agent));
        if !record.identity.source_identity.is_empty() {
            acts.source_identities.insert(cut(record.identity.source_identity));
        }
        acts.mfa |= record.identity.session.is_some_and(|session| session.mfa);
        let sighting = acts.calls.entry(key).or_default();
        sighting.ids_mut(outcome).insert(record.id);
        sighting.note_time(outcome, Span::at(record.time));
        if let Some(code) = record.error_code {
            sighting.errors.insert(cut(code));
        }
        let odd = !record.event_id.is_empty() && !record.id.tells(record.event_id);
        if !outcome.is_use() {
            if odd {
                sighting.refused_odd_ids.insert(cut(record.event_id));
            }
            return;
        }
        if odd {
            sighting.odd_ids.insert(cut(record.event_id));
        }
        sighting.networks.insert(cut(record.source_ip));
        for arn in &facts.arns {
            sighting.resources.insert(arn);
        }
    }
}

/// Whether a hand-off into a quiet role needs no keeping: asked for by AWS itself, or from within the account by a
/// user or by the session of another quiet role.
fn is_inside(scope: &Scope, role_account: AccountId, caller: &Identity<'_>) -> bool {
    match (caller.kind, caller.session) {
        (IdentityKind::AwsService, _) => true,
        (IdentityKind::IamUser | IdentityKind::Root, _) => caller.account == Some(role_account),
        (IdentityKind::AssumedRole, Some(session)) => {
            session.account == Some(role_account) && scope.is_quiet(role_account, session.role_name, session.role_id)
        }
        _ => false,
    }
}

fn caller_of(identity: &Identity<'_>) -> Caller {
    Caller {
        kind: identity.kind,
        account: identity.account,
        principal_id: cut(identity.principal_id).to_owned(),
        arn: cut(identity.arn).to_owned(),
        access_key: cut(identity.access_key).to_owned(),
        invoked_by: cut(identity.invoked_by).to_owned(),
        session: identity.session.and_then(|session| {
            Some(CallerSession {
                account: session.account?,
                role_name: cut(session.role_name).to_owned(),
                role_id: cut(session.role_id).to_owned(),
                session_name: cut(session.session_name).to_owned(),
                created: session.created,
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S6, invariant 2: the fast way and the thorough way read the same, and damage falls to the thorough one.
    #[test]
    fn both_ways_of_reading_agree() {
        let record = |name: &str| {
            format!(
                r#"{{"eventTime":"2026-05-01T00:00:01Z","eventSource":"s3.amazonaws.com","eventName":"{name}",
                "recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventID":"{name}"}}"#
            )
        };
        let (one, two) = (record("GetObject"), record("ListBuckets"));
        let nested = |depth: usize| {
            one.replacen("\"GetObject\"", &format!("\"x\",\"y\":{}1{}", "[".repeat(depth), "]".repeat(depth)), 1)
        };
        for (json, whole) in [
            (format!("{{\"Records\":[{one},{two},7]}}"), true),
            ("{\"Records\":[]}".to_owned(), true),
            (format!("{{\"Records\":[{one}],\"Records\":[{two}]}}"), true),
            (format!("{{\"Records\":[{}]}}", nested(100)), true),
            (format!("{{\"Records\":[{}]}}", nested(200)), false),
            (format!("{{\"Records\":[{one},{{\"a\" 1}}]}}"), false),
            (format!("{{\"Records\":[{one},"), false),
            (format!("{{\"Records\":[{one}]}}\n{{\"Records\":[{two}]}}"), false),
            (format!("[{one}]"), false),
        ] {
            let object = Object { key: "k", place: ObjectKey::parse("k") };
            let scope = Arc::new(Scope::default());
            let (mut fast, mut thorough) = (Observer::new(Arc::clone(&scope)), Observer::new(scope));
            let fast_reading = fast.observe_whole(&object, json.as_bytes());
            let reading = thorough.observe_pieces(&object, json.as_bytes());
            assert_eq!(fast_reading.is_some(), whole, "{json}");
            let tables = |observer: Observer| observer.finish().to_tables().unwrap();
            if whole {
                assert_eq!(fast_reading, reading.ok(), "{json}");
                assert!(tables(fast) == tables(thorough), "{json}");
            } else {
                assert!(tables(fast) == Evidence::default().to_tables().unwrap(), "{json}: something was taken");
            }
        }
    }
}
