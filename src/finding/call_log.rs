//! Every single call, for the table `activity`: handed out group by group, because there may be more than fit memory.
//!
//! The calls are those that the table `usage` sums up, and beside them the hand-offs that opened the sessions and those
//! that were refused.

use crate::activity::action_map::Certainty;
use crate::activity::calls::Callers;
use crate::activity::party::{Channel, Party};
use crate::activity::resolve::Refusal;
use crate::activity::sessions::Session;
use crate::aws::AccountId;
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::record::EventId;
use crate::evidence::Evidence;
use crate::evidence::call::{Call, event_text};
use crate::evidence::names::Names;
use crate::evidence::session::HandOffSeen;

use super::coverage::event_source;

/// Takes calls, from several threads at a time.
pub trait CallLog: Sync {
    /// Takes some.
    ///
    /// # Errors
    /// Why they cannot be kept.
    fn take(&self, calls: &Calls<'_>) -> Result<(), String>;
}

/// Who called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Caller {
    /// Party id.
    pub party_id: Box<str>,
    /// Party kind.
    pub party_kind: &'static str,
    /// Party name.
    pub party_name: Box<str>,
    /// Channel.
    pub channel: &'static str,
    /// The role's ARN; empty for access without a role.
    pub role_arn: Box<str>,
    /// The role's id; empty where no record tells.
    pub role_id: Box<str>,
}

/// What was called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Api {
    /// The account whose trail holds the call.
    pub account_id: AccountId,
    /// The Region.
    pub region: Box<str>,
    /// Event source, with suffix.
    pub event_source: Box<str>,
    /// Event name.
    pub event_name: Box<str>,
    /// The service that called on the caller's behalf, or empty (S12).
    pub via: Box<str>,
    /// IAM actions that a call uses, certain ones first.
    pub actions: Vec<Box<str>>,
    /// How many of these a refused call proves the wish for: those that it is named after.
    pub primary: usize,
    /// Whether calls open sessions: then they are counted as sessions and not as calls.
    pub is_hand_off: bool,
}

/// Calls of one session to one API in one place.
#[derive(Debug)]
pub struct Calls<'a> {
    /// Who called.
    pub caller: &'a Caller,
    /// Digest that names the session as the table `sessions` does; empty where none was opened.
    pub session_id: &'a str,
    /// The session's name.
    pub session_name: &'a str,
    /// What was called.
    pub api: &'a Api,
    /// The texts of the calls.
    pub names: &'a Names,
    /// The calls; an event perhaps more than once.
    pub calls: &'a [Call],
}

/// One call, when all are in order.
#[derive(Clone, Copy, Debug)]
pub struct CallRow<'a> {
    /// Who called.
    pub caller: &'a Caller,
    /// What was called.
    pub api: &'a Api,
    /// Two numbers that stand for these two: equal for equal ones, in one file, and for no others.
    pub kind: (u32, u32),
    /// When, in seconds since 1970.
    pub seconds: i64,
    /// Its event.
    pub id: EventId,
    /// What came of it.
    pub outcome: Outcome,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// See [`Calls`].
    pub session_id: &'a str,
    /// See [`Calls`].
    pub session_name: &'a str,
    /// `eventID` as written, where the id does not tell it.
    pub event: &'a str,
    /// `errorCode`, or empty.
    pub error: &'a str,
    /// `sourceIPAddress`.
    pub network: &'a str,
    /// `userAgent`.
    pub agent: &'a str,
    /// ARNs, a line each.
    pub resources: &'a str,
}

impl Caller {
    fn of(session: &Session<'_>, role_arn: &str) -> Self {
        let attributed = &session.attributed;
        let role_id = session.role.as_deref().map_or("", |role| &role.id);
        Self::with(&attributed.party, attributed.channel, role_arn, role_id)
    }

    fn with(party: &Party, channel: Channel, role_arn: &str, role_id: &str) -> Self {
        Self {
            party_id: Box::from(party.id.as_str()),
            party_kind: party.kind.word(),
            party_name: Box::from(party.name.as_str()),
            channel: channel.word(),
            role_arn: Box::from(role_arn),
            role_id: Box::from(role_id),
        }
    }
}

/// Hands out the hand-offs that opened the sessions of a group.
///
/// # Errors
/// Why they cannot be kept.
pub(super) fn opened(callers: &Callers<'_>, role_arns: &[&str], log: &dyn CallLog) -> Result<(), String> {
    for (at, record) in callers.opened() {
        let (Some(session), Some(role_arn)) = (callers.sessions().get(at), role_arns.get(at)) else { continue };
        hand_off(&Caller::of(session, role_arn), &session.id, record, log)?;
    }
    Ok(())
}

/// Hands out a piece of the calls of a group; `role_arns` are those of its sessions.
///
/// # Errors
/// Why they cannot be kept.
pub(super) fn piece(
    callers: &Callers<'_>,
    role_arns: &[&str],
    piece: &Evidence,
    log: &dyn CallLog,
) -> Result<(), String> {
    let names = &piece.names;
    for made in callers.made(piece) {
        let (Some(session), Some(role_arn)) = (callers.sessions().get(made.session), role_arns.get(made.session))
        else {
            continue;
        };
        let (key, actions) = (made.key, &made.mapping.actions);
        let text = |name| Box::from(names.text(name));
        let api = Api {
            account_id: key.account,
            region: text(key.region),
            event_source: Box::from(event_source(names.text(key.source))),
            event_name: text(key.name),
            via: text(key.via),
            actions: actions.iter().map(|mapped| Box::from(mapped.action.as_str())).collect(),
            primary: actions.iter().filter(|mapped| mapped.certainty == Certainty::Primary).count(),
            is_hand_off: false,
        };
        let caller = Caller::of(session, role_arn);
        let (session_id, session_name) = (session.id.as_str(), session.name.as_str());
        log.take(&Calls { caller: &caller, session_id, session_name, api: &api, names, calls: made.calls })?;
    }
    Ok(())
}

/// Hands out a hand-off that was refused or failed.
///
/// # Errors
/// Why it cannot be kept.
pub(super) fn refused(refusal: &Refusal<'_>, log: &dyn CallLog) -> Result<(), String> {
    let record = refusal.record;
    let channel = match record.kind {
        HandOffKind::WebIdentity => Channel::WebIdentity,
        HandOffKind::Saml => Channel::Saml,
        HandOffKind::AssumeRole => Channel::AssumeRole,
    };
    hand_off(&Caller::with(&refusal.party, channel, &record.role_arn, &record.role_id), "", record, log)
}

fn hand_off(caller: &Caller, session_id: &str, record: &HandOffSeen, log: &dyn CallLog) -> Result<(), String> {
    let (name, action) = match record.kind {
        HandOffKind::AssumeRole => ("AssumeRole", "sts:AssumeRole"),
        HandOffKind::WebIdentity => ("AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity"),
        HandOffKind::Saml => ("AssumeRoleWithSAML", "sts:AssumeRoleWithSAML"),
    };
    let api = Api {
        account_id: record.recipient,
        region: record.region.clone(),
        event_source: Box::from(event_source("sts")),
        event_name: Box::from(name),
        via: record.caller.invoked_by.clone(),
        actions: vec![Box::from(action)],
        primary: 1,
        is_hand_off: true,
    };
    let mut names = Names::default();
    let id = EventId::of(&record.event_id);
    let call = Call {
        id,
        seconds: record.time.timestamp(),
        outcome: record.outcome,
        read_only: None,
        event: names.intern(event_text(id, &record.event_id)),
        error: names.intern(&record.error_code),
        network: names.intern(&record.network),
        agent: names.intern(&record.agent),
        resources: names.intern_whole(&record.role_arn),
    };
    let session_name = &record.session_name;
    log.take(&Calls { caller, session_id, session_name, api: &api, names: &names, calls: &[call] })
}
