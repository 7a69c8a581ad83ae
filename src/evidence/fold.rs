//! Folds one record after another into the evidence: decides what each is to us, and keeps what is needed of it.

use std::sync::Arc;

use crate::aws::{AccountId, Arn, Fingerprint, Network, ROLES_ANYWHERE};
use crate::cloudtrail::access_change::AccessChange;
use crate::cloudtrail::handoff::HandOff;
use crate::cloudtrail::identity::{Identity, IdentityKind, RoleSession};
use crate::cloudtrail::object_key::ObjectKey;
use crate::cloudtrail::outcome::{Outcome, is_throttled, outcome};
use crate::cloudtrail::reader::Json;
use crate::cloudtrail::record::{EventId, Record, RecordError};

use super::call::{Call, event_text};
use super::change::ChangeSeen;
use super::coverage::Recorded;
use super::familiar::{Familiar, Quiet, Tallied};
use super::limits::cut;
use super::merge::{ACTOR_BYTES, Evidence, SIGHTING_BYTES};
use super::names::Names;
use super::scope::Scope;
use super::session::{Actor, Acts, Asked, Caller, CallerSession, HandOffSeen, Span};
use super::sighting::CallKey;
use super::tally::{ApiNames, Tally};

/// Evidence in the making.
pub struct Fold {
    scope: Arc<Scope>,
    /// What was gathered; without what is still in the tally.
    pub evidence: Evidence,
    /// As [`Evidence::actors_bytes`] would count, but for calls that were seen twice.
    pub actors_bytes: usize,
    tally: Tally,
}

impl Fold {
    /// Nothing yet.
    #[must_use]
    pub fn new(scope: Arc<Scope>) -> Self {
        Self { scope, evidence: Evidence::default(), actors_bytes: 0, tally: Tally::default() }
    }

    /// The evidence, whole.
    #[must_use]
    pub fn finish(mut self) -> Evidence {
        self.take_evidence()
    }

    /// The evidence so far, whole; the next begins empty.
    pub fn take_evidence(&mut self) -> Evidence {
        self.tally.settle(&mut self.evidence);
        self.actors_bytes = 0;
        std::mem::take(&mut self.evidence)
    }

    pub(super) fn tallied(&mut self) -> Tallied<'_> {
        Tallied { tally: &mut self.tally, names: &mut self.evidence.names, scope: &self.scope }
    }

    /// Takes a record of which no more is needed, as [`Self::take`] would take it.
    pub(super) fn take_quiet(&mut self, place: &ObjectKey<'_>, quiet: &Quiet, familiar: &mut Familiar) {
        self.evidence.out_of_scope.append(quiet.id);
        let Some(sums) = familiar.sums(quiet, place.account, &mut self.tallied()) else { return };
        let Some(api) = sums.api.filter(|_| self.scope.admits_time(quiet.time)) else { return };
        let api = self.tally.note_api(api, sums.recorded, quiet.time);
        if place.delivered.is_none() {
            self.evidence.coverage.note_undated(sums.account, api.region, quiet.time);
        }
        if let Some(role) = quiet.role {
            self.tally.note_role(role, Some(Span::at(quiet.time)));
        }
        if let Some((user, network)) = quiet.user {
            self.tally.note_user(user, quiet.time, network);
        }
    }

    /// Decides what a record is to us; everything before the last line only looks.
    ///
    /// # Errors
    /// When the record lacks what every record must have; nothing is kept of it.
    pub fn take(&mut self, place: &ObjectKey<'_>, json: Json<'_>) -> Result<(), RecordError> {
        let record = Record::read(json)?;
        let account = record.recipient.or(place.account).or(record.identity.account);
        let in_place = account.filter(|account| self.scope.admits_place(*account, record.region));
        let kept = in_place.is_some_and(|account| self.keep(account, &record, place.delivered.is_some()));
        if !kept {
            self.evidence.out_of_scope.append(record.id);
        }
        Ok(())
    }

    /// Whether the record became evidence.
    fn keep(&mut self, account: AccountId, record: &Record<'_>, dated: bool) -> bool {
        if !self.scope.admits_time(record.time) {
            return self.scope.admits_hand_off(record.time) && self.keep_hand_off(account, record, None);
        }
        let slot = self.tally.api_slot(&mut self.evidence.names, account, [record.region, record.source, record.name]);
        let api = self.tally.note_api(slot, Recorded::of(record), record.time);
        self.evidence.coverage.note_record(api.region, account, record, dated);
        let handed_off = self.keep_hand_off(account, record, Some(Span::at(record.time)));
        let called = self.keep_call(account, api, record);
        let changed = self.keep_change(account, record);
        handed_off || called || changed
    }

    fn keep_change(&mut self, account: AccountId, record: &Record<'_>) -> bool {
        let Some(change) = AccessChange::read(record) else { return false };
        let text = |text: &str| Box::from(cut(text));
        let (admitted, more_admitted) = ChangeSeen::few(change.admitted);
        let seen = Box::new(ChangeSeen {
            event_id: text(record.event_id),
            time: record.time,
            recipient: account,
            region: text(record.region),
            source: text(record.source),
            name: text(record.name),
            outcome: outcome(record.error_code),
            target: text(change.target),
            gives: text(change.gives),
            admitted,
            more_admitted,
            caller: caller_of(&record.identity),
            caller_key: text(record.identity.access_key),
            caller_created: record.identity.session.and_then(|session| session.created()),
            network: text(record.source_ip),
        });
        self.evidence.note_change(record.id, seen);
        true
    }

    /// `moment` is that of a record in the window; a success then is a sign of the role's life.
    fn keep_hand_off(&mut self, account: AccountId, record: &Record<'_>, moment: Option<Span>) -> bool {
        let Some(handoff) = HandOff::read(record) else { return false };
        let outcome = outcome(record.error_code);
        let role_account = handoff.role_account.unwrap_or(account);
        let role = (role_account, handoff.role_name, handoff.role_id);
        let active = moment.filter(|_| outcome == Outcome::Allowed);
        let slot = self.tally.role_slot(&mut self.evidence.names, &self.scope, role);
        let is_quiet = self.tally.note_role(slot, active).is_some_and(|(_, is_quiet)| is_quiet);
        if is_quiet && is_inside(&self.scope, role_account, &record.identity) {
            return false;
        }
        let text = |text: &str| Box::from(cut(text));
        let asked = Asked {
            recipient: account,
            region: text(record.region),
            kind: handoff.kind,
            outcome,
            error_code: text(record.error_code.unwrap_or_default()),
            role_arn: text(handoff.role_arn),
            role_account,
            role_name: text(handoff.role_name),
            role_id: text(handoff.role_id),
            external_id: handoff.external_id.map(Fingerprint::of),
            source_identity: text(handoff.source_identity),
            provider: text(handoff.provider),
            subject: text(handoff.subject),
            caller: caller_of(&record.identity),
        };
        let seen = Box::new(HandOffSeen {
            event_id: text(record.event_id),
            time: record.time,
            shared_event_id: text(record.shared_event_id),
            session_name: text(handoff.session_name),
            access_key: text(handoff.access_key),
            caller_key: text(record.identity.access_key),
            // Without an account of its own, a session is no link of a chain.
            caller_created: record.identity.session.filter(|s| s.account.is_some()).and_then(|s| s.created()),
            network: self.evidence.names.share(record.source_ip),
            agent: self.evidence.names.share(record.user_agent),
            asked: Arc::new(asked),
        });
        self.evidence.note_hand_off(record.id, seen);
        true
    }

    fn keep_call(&mut self, account: AccountId, api: ApiNames, record: &Record<'_>) -> bool {
        let identity = &record.identity;
        let actor = match (identity.session, identity.kind) {
            (Some(session), _) => match self.session_actor(record, &session, account) {
                Some(actor) => actor,
                None => return false,
            },
            // A hand-off by another account is the hand-off's business, not a call through a resource policy.
            (None, IdentityKind::AwsAccount) if record.source != "sts" => match identity.account {
                Some(outside) => {
                    Actor::Outsider { account: outside, principal: self.evidence.names.intern(identity.principal_id) }
                }
                None => return false,
            },
            (None, IdentityKind::IamUser | IdentityKind::Root | IdentityKind::FederatedUser) => {
                match self.user_actor(record) {
                    Some(actor) => actor,
                    None => return false,
                }
            }
            _ => return false,
        };
        if !record.is_api_call() {
            return false;
        }
        self.note_call(actor, account, api, record);
        true
    }

    /// The session behind a call, unless its role is quiet; the role's activity is noted in any case.
    fn session_actor(&mut self, record: &Record<'_>, session: &RoleSession<'_>, recipient: AccountId) -> Option<Actor> {
        let account = session.account.unwrap_or(recipient);
        let names = &mut self.evidence.names;
        let role = (account, session.role_name, session.role_id);
        let slot = self.tally.role_slot(names, &self.scope, role);
        let (role, is_quiet) = self.tally.note_role(slot, Some(Span::at(record.time)))?;
        if is_quiet && record.identity.delegate.is_none() {
            return None;
        }
        Some(Actor::Session {
            role,
            access_key: names.intern(record.identity.access_key),
            session_name: names.intern(session.session_name),
            created: session.created(),
            delegate: record.identity.delegate,
        })
    }

    /// The user behind a call, if its calls are kept; the use of its key is noted in any case.
    fn user_actor(&mut self, record: &Record<'_>) -> Option<Actor> {
        let identity = &record.identity;
        let (arn, key) = identity.user_key()?;
        let account = Arn::parse(arn)?.account_id()?;
        let slot = self.tally.user_slot(&mut self.evidence.names, &self.scope, [arn, key]);
        let (user, is_party) = self.tally.note_user(slot, record.time, Network::of(record.source_ip))?;
        is_party.then_some(Actor::User { account, arn: user.user, access_key: user.key })
    }

    fn call(&mut self, outcome: Outcome, record: &Record<'_>, arns: &[String]) -> Call {
        let names = &mut self.evidence.names;
        let held_bytes = names.held_bytes();
        let resources = match arns {
            [] => Names::EMPTY,
            [arn] if !arn.contains('\n') => names.intern_whole(arn),
            arns => names.intern_whole(&lines(arns)),
        };
        // The only texts that can be as many as the calls.
        self.actors_bytes += names.held_bytes() - held_bytes;
        Call {
            id: record.id,
            seconds: record.time.timestamp(),
            outcome,
            read_only: record.read_only,
            event: names.intern(event_text(record.id, record.event_id)),
            error: names.intern(record.error_code.unwrap_or_default()),
            network: names.intern(record.source_ip),
            agent: names.intern(record.user_agent),
            resources,
        }
    }

    fn note_call(&mut self, actor: Actor, account: AccountId, api: ApiNames, record: &Record<'_>) {
        let facts = record.facts();
        let key = CallKey {
            account,
            region: api.region,
            source: api.source,
            name: api.name,
            via: self.evidence.names.intern(record.identity.invoked_by),
            hints: facts.hints,
        };
        let outcome = outcome(record.error_code);
        let call = self.call(outcome, record, &facts.arns);
        let acts = self.evidence.actors.entry(actor).or_insert_with(|| {
            self.actors_bytes += ACTOR_BYTES;
            Acts::default()
        });
        acts.networks.insert(cut(record.source_ip));
        acts.agents.insert(cut(record.user_agent));
        if !record.identity.source_identity.is_empty() {
            acts.source_identities.insert(cut(record.identity.source_identity));
        }
        acts.mfa |= record.identity.session.is_some_and(|session| session.mfa);
        self.actors_bytes += size_of::<EventId>() + size_of::<Call>();
        let sighting = acts.calls.entry(key).or_insert_with(|| {
            self.actors_bytes += SIGHTING_BYTES;
            Box::default()
        });
        sighting.calls.push(call);
        sighting.ids_mut(outcome).insert(record.id);
        sighting.note_time(outcome, Span::at(record.time));
        if let Some(code) = record.error_code {
            sighting.errors.insert(cut(code));
            if is_throttled(code) {
                sighting.throttled.get_or_insert_default().insert(record.id);
            }
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

/// ARNs as one text, a line each.
fn lines(arns: &[String]) -> String {
    let one_line = |arn: &String| if arn.contains('\n') { arn.replace('\n', " ") } else { arn.clone() };
    arns.iter().map(one_line).collect::<Vec<_>>().join("\n")
}

/// Whether a hand-off into a quiet role needs no keeping: asked for by AWS itself, or from within the account by a
/// user or by the session of another quiet role.
fn is_inside(scope: &Scope, role_account: AccountId, caller: &Identity<'_>) -> bool {
    match (caller.kind, caller.session) {
        // S14: somebody from outside acts in the caller's name.
        _ if caller.delegate.is_some() => false,
        (IdentityKind::AwsService, _) => caller.invoked_by != ROLES_ANYWHERE,
        (IdentityKind::IamUser | IdentityKind::Root, _) => {
            caller.account == Some(role_account) && !scope.is_party_user(cut(caller.arn))
        }
        (IdentityKind::AssumedRole, Some(session)) => {
            session.account == Some(role_account) && scope.is_quiet(role_account, session.role_name, session.role_id)
        }
        _ => false,
    }
}

fn caller_of(identity: &Identity<'_>) -> Caller {
    let text = |text: &str| Box::from(cut(text));
    Caller {
        kind: identity.kind,
        account: identity.account,
        delegate: identity.delegate,
        principal_id: text(identity.principal_id),
        // Whoever acts for a user acts as it.
        arn: text(if identity.federated_by.is_empty() { identity.arn } else { identity.federated_by }),
        invoked_by: text(identity.invoked_by),
        session: identity.session.and_then(|session| {
            Some(CallerSession {
                account: session.account?,
                role_name: text(session.role_name),
                role_id: text(session.role_id),
                session_name: text(session.session_name),
            })
        }),
    }
}
