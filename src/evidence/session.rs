//! Who acts in the evidence: a role's session, or another account's principal, with what its calls show of it.

use std::ops::Deref;
use std::sync::Arc;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::aws::window::Time;
use crate::aws::{AccountId, Fingerprint};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::cloudtrail::outcome::Outcome;

use super::few::Few;
use super::limits;
use super::names::{Name, Names, Translation};
use super::sighting::{CallKey, Sighting};

/// A role as records name it: account, name and id, because a name can be used again (S18).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RoleName {
    /// The account that owns it.
    pub account: AccountId,
    /// Its name, without path (S19).
    pub name: Name,
    /// `AROA...`, or empty.
    pub id: Name,
}

/// Who made the calls of one group of sightings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// A role's session.
    Session {
        /// The role.
        role: RoleName,
        /// The access key id, or empty where the record does not tell (S10).
        access_key: Name,
        /// The session's name.
        session_name: Name,
        /// When it was opened.
        created: Option<Time>,
        /// The account let in by temporary delegation (S14).
        delegate: Option<AccountId>,
    },
    /// A principal of another account, let in by a resource policy (S15).
    Outsider {
        /// The other account.
        account: AccountId,
        /// `principalId` as recorded.
        principal: Name,
    },
    /// An IAM user of ours whose keys a third party holds (S16).
    User {
        /// Its account.
        account: AccountId,
        /// Its ARN.
        arn: Name,
        /// The access key id, or empty.
        access_key: Name,
    },
}

/// What the calls of one actor show.
#[derive(Clone, Debug, Default)]
pub struct Acts {
    /// Its calls, by API, place and variety. Boxed, because most sessions make few calls and tables have empty slots.
    pub calls: HashMap<CallKey, Box<Sighting>>,
    /// Source addresses.
    pub networks: Few<{ limits::NETWORKS }>,
    /// User agents.
    pub agents: Few<{ limits::AGENTS }>,
    /// `sourceIdentity` values; more than one would be odd (S11).
    pub source_identities: Few<4>,
    /// Whether a call showed the session to be opened with MFA.
    pub mfa: bool,
}

impl Acts {
    /// Takes each single call out and leaves the sums.
    #[must_use]
    pub fn take_calls(&mut self) -> Self {
        let with_calls = self.calls.iter_mut().filter(|(_, sighting)| !sighting.calls.is_empty());
        let calls = with_calls.map(|(key, sighting)| {
            let calls = std::mem::take(&mut sighting.calls);
            (*key, Box::new(Sighting { calls, ..Sighting::default() }))
        });
        Self { calls: calls.collect(), ..Self::default() }
    }

    /// Adds what another group of the same actor shows.
    pub fn merge(&mut self, other: Self, translate: &mut Translation<'_>) {
        for (key, sighting) in other.calls {
            match self.calls.entry(key.translated(translate)) {
                Entry::Occupied(mut known) => known.get_mut().merge(&sighting, translate),
                Entry::Vacant(free) => free.insert(sighting).translate(translate),
            }
        }
        self.networks.merge(&other.networks);
        self.agents.merge(&other.agents);
        self.source_identities.merge(&other.source_identities);
        self.mfa |= other.mfa;
    }
}

impl Actor {
    /// What tells its [`super::group::Group`]: the account and the role's name, which is empty without a role.
    #[must_use]
    pub fn group(&self) -> (AccountId, Name) {
        match self {
            Self::Session { role, .. } => (role.account, role.name),
            Self::Outsider { account, .. } | Self::User { account, .. } => (*account, Names::EMPTY),
        }
    }

    /// The same actor in the names of another evidence.
    #[must_use]
    pub fn translated(self, translate: &mut Translation<'_>) -> Self {
        match self {
            Self::Session { role, access_key, session_name, created, delegate } => Self::Session {
                role: role.translated(translate),
                access_key: translate.of(access_key),
                session_name: translate.of(session_name),
                created,
                delegate,
            },
            Self::Outsider { account, principal } => Self::Outsider { account, principal: translate.of(principal) },
            Self::User { account, arn, access_key } => {
                Self::User { account, arn: translate.of(arn), access_key: translate.of(access_key) }
            }
        }
    }
}

impl RoleName {
    /// The same role in the names of another evidence.
    #[must_use]
    pub fn translated(self, translate: &mut Translation<'_>) -> Self {
        Self { account: self.account, name: translate.of(self.name), id: translate.of(self.id) }
    }
}

/// One hand-off record, owned. Texts are cut to their limit; the external id is a fingerprint (S42). What many records
/// have in common is [`Asked`], which each shares with the others: there are as many of these as sessions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HandOffSeen {
    /// `eventID` as written.
    pub event_id: Box<str>,
    /// When.
    pub time: Time,
    /// Pairs the caller's and the owner's record of one hand-off (S4).
    pub shared_event_id: Box<str>,
    /// The new session's name.
    pub session_name: Box<str>,
    /// The new session's key; empty where the record does not tell.
    pub access_key: Box<str>,
    /// The caller's access key.
    pub caller_key: Box<str>,
    /// When the caller's own session was opened, in a chain.
    pub caller_created: Option<Time>,
    /// Source address; shared with other records.
    pub network: Arc<str>,
    /// User agent; shared with other records.
    pub agent: Arc<str>,
    /// Who asked for what, and what came of it; shared with other records.
    pub asked: Arc<Asked>,
}

/// What a party asks for again and again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Asked {
    /// The account whose trail holds the record.
    pub recipient: AccountId,
    /// The Region of the record.
    pub region: Box<str>,
    /// The API.
    pub kind: HandOffKind,
    /// Allowed, denied or failed.
    pub outcome: Outcome,
    /// `errorCode`.
    pub error_code: Box<str>,
    /// The role asked for.
    pub role_arn: Box<str>,
    /// The account that owns the role.
    pub role_account: AccountId,
    /// The role's name.
    pub role_name: Box<str>,
    /// The role's id; empty where the record does not tell.
    pub role_id: Box<str>,
    /// The external id that was sent.
    pub external_id: Option<Fingerprint>,
    /// `sourceIdentity` of the new session.
    pub source_identity: Box<str>,
    /// OIDC or SAML provider.
    pub provider: Box<str>,
    /// Subject vouched for by the provider.
    pub subject: Box<str>,
    /// Who asked.
    pub caller: Caller,
}

impl Deref for HandOffSeen {
    type Target = Asked;

    fn deref(&self) -> &Asked {
        &self.asked
    }
}

/// Who asked for a session.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Caller {
    /// What kind of identity.
    pub kind: IdentityKind,
    /// Its account.
    pub account: Option<AccountId>,
    /// The account in whose name it asked, by temporary delegation (S14).
    pub delegate: Option<AccountId>,
    /// `principalId`.
    pub principal_id: Box<str>,
    /// Its ARN; absent for other accounts (S9).
    pub arn: Box<str>,
    /// The service that asked, alone or on the caller's behalf (S12).
    pub invoked_by: Box<str>,
    /// For a role's session: whose.
    pub session: Option<CallerSession>,
}

/// The caller's own session, in a chain (S11).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallerSession {
    /// The account that owns the calling role.
    pub account: AccountId,
    /// The calling role's name.
    pub role_name: Box<str>,
    /// The calling role's id.
    pub role_id: Box<str>,
    /// The calling session's name.
    pub session_name: Box<str>,
}

/// First and last time of something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Earliest.
    pub first: Time,
    /// Latest.
    pub last: Time,
}

impl Span {
    /// A single moment.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self { first: time, last: time }
    }

    /// The span that holds both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}
