//! Who opened a session: from the hand-off's caller, through chains of roles, to a party.
//!
//! In this order (S10): the access key id of the hand-off (exact); role id, session name and creation time (inferred);
//! a role that trusts exactly one outside party and no one else (inferred); else unresolved, which is a party too.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::aws::window::Time;
use crate::aws::{AccountId, ROLES_ANYWHERE};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;

use super::opening::{Opening, Openings, RoleKey};
use super::party::{Channel, Party, PartyKind};
use super::resolve::Inputs;

/// How a party was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum How {
    /// By the access key id of the hand-off, or by the account in the record itself.
    Exact,
    /// By role id, session name and time, or by the role's only outside party.
    Inferred,
    /// Not.
    Unresolved,
}

impl How {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Inferred => "inferred",
            Self::Unresolved => "unresolved",
        }
    }
}

/// A session's party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attributed {
    /// Who.
    pub party: Arc<Party>,
    /// How it came in.
    pub channel: Channel,
    /// How that was found.
    pub how: How,
}

impl Attributed {
    fn unresolved() -> Self {
        Self { party: Arc::new(Party::unresolved()), channel: Channel::Unknown, how: How::Unresolved }
    }

    /// The same party, found no better than so.
    #[must_use]
    pub fn no_better_than(self, how: How) -> Self {
        Self { how: self.how.max(how), ..self }
    }
}

/// What of a session the records show, for finding its opening.
#[derive(Clone, Copy, Debug)]
pub struct SessionClue<'a> {
    /// The role.
    pub role: &'a RoleKey,
    /// Its access key id, or empty.
    pub access_key: &'a str,
    /// Its name.
    pub session_name: &'a str,
    /// When it was opened.
    pub created: Option<Time>,
}

/// Longest chain that is followed; a session lasts 12 hours at most, a chained one 1 hour.
const MAX_CHAIN: usize = 64;

/// The parties of all openings, in their order.
#[must_use]
pub fn attribute<'e>(openings: &Openings<'e>, inputs: &Inputs<'_>) -> Vec<Attributed> {
    let found = vec![None; openings.list.len()];
    let mut attributor = Attributor { openings, inputs, found, by_account: HashMap::new() };
    (0..openings.list.len()).map(|at| attributor.opening_at(at, 0)).collect()
}

/// The opening of a session, if it was seen, and how well it is known to be that one.
#[must_use]
pub fn opening_of(openings: &Openings<'_>, clue: SessionClue<'_>) -> Option<(usize, How)> {
    let exact = openings.by_key(clue.access_key).map(|at| (at, How::Exact));
    exact.or_else(|| Some((openings.by_session(&clue)?, How::Inferred)))
}

/// The party of a session whose opening was not seen: the only one that the role trusts, if there is just one.
#[must_use]
pub fn by_trust(role: &RoleKey, sole_outside: &(dyn Fn(&RoleKey) -> Option<Party> + Sync)) -> Attributed {
    match sole_outside(role) {
        Some(party) => {
            let channel = match party.kind {
                PartyKind::IdentityProvider => Channel::WebIdentity,
                _ => Channel::AssumeRole,
            };
            Attributed { party: Arc::new(party), channel, how: How::Inferred }
        }
        None => Attributed::unresolved(),
    }
}

/// Finds parties; remembers what it found.
struct Attributor<'a, 'e> {
    openings: &'a Openings<'e>,
    inputs: &'a Inputs<'a>,
    found: Vec<Option<Attributed>>,
    by_account: HashMap<AccountId, Arc<Party>>,
}

impl<'e> Attributor<'_, 'e> {
    fn account(&mut self, account: AccountId) -> Arc<Party> {
        let accounts = self.inputs.accounts;
        Arc::clone(self.by_account.entry(account).or_insert_with(|| Arc::new(accounts.party(account))))
    }

    fn session_at(&mut self, clue: SessionClue<'_>, depth: usize) -> Attributed {
        match opening_of(self.openings, clue) {
            Some((at, how)) => self.opening_at(at, depth).no_better_than(how),
            None => by_trust(clue.role, self.inputs.sole_outside),
        }
    }

    fn opening_at(&mut self, at: usize, depth: usize) -> Attributed {
        if let Some(Some(known)) = self.found.get(at) {
            return known.clone();
        }
        let openings = self.openings;
        // A cycle of sessions cannot exist in time, but records are written by strangers.
        let Some(opening) = openings.list.get(at).filter(|_| depth < MAX_CHAIN) else {
            return Attributed::unresolved();
        };
        let found = self.by_caller(opening, at, depth);
        if let Some(slot) = self.found.get_mut(at) {
            *slot = Some(found.clone());
        }
        found
    }

    fn by_caller(&mut self, opening: &Opening<'e>, at: usize, depth: usize) -> Attributed {
        let exact = |party, channel| Attributed { party, channel, how: How::Exact };
        let caller = opening.caller();
        match opening.kind() {
            HandOffKind::WebIdentity | HandOffKind::Saml => {
                let record = opening.record;
                let party =
                    self.inputs.accounts.identity_provider(&record.provider, &record.subject, opening.role.account);
                let web = opening.kind() == HandOffKind::WebIdentity;
                return exact(Arc::new(party), if web { Channel::WebIdentity } else { Channel::Saml });
            }
            HandOffKind::AssumeRole => {}
        }
        // S14: whoever acts in the name of one of our identities goes on as himself.
        if let Some(delegate) = caller.delegate {
            return exact(self.account(delegate), Channel::RoleChain);
        }
        match (caller.kind, caller.account) {
            (IdentityKind::AwsService, _) if *caller.invoked_by == *ROLES_ANYWHERE => {
                exact(Arc::new(Party::certificate(&opening.record.source_identity)), Channel::RolesAnywhere)
            }
            (IdentityKind::AwsService, _) => {
                exact(Arc::new(Party::aws_service(&caller.invoked_by)), Channel::AssumeRole)
            }
            (IdentityKind::AwsAccount, Some(account)) if self.inputs.accounts.own.contains(&account) => {
                self.by_own_principal(opening, account, at, depth)
            }
            (IdentityKind::AssumedRole, Some(account)) if self.inputs.accounts.own.contains(&account) => {
                let Some(session) = &caller.session else { return Attributed::unresolved() };
                let role = RoleKey {
                    account: session.account,
                    name: session.role_name.to_string(),
                    id: session.role_id.to_string(),
                };
                let clue = SessionClue {
                    role: &role,
                    access_key: &opening.record.caller_key,
                    session_name: &session.session_name,
                    created: opening.record.caller_created,
                };
                let found = self.session_at(clue, depth + 1);
                // What nobody from outside can come into, or was seen in, is our own (S17).
                if found.how == How::Unresolved && !(self.inputs.is_kept)(&role) {
                    return exact(self.account(account), Channel::AssumeRole);
                }
                chained(found)
            }
            (IdentityKind::IamUser, Some(account)) => match self.inputs.users.get(&caller.arn) {
                Some(user) => exact(Arc::clone(&user.party), Channel::RoleChain),
                None => exact(self.account(account), Channel::AssumeRole),
            },
            (_, Some(account)) => exact(self.account(account), Channel::AssumeRole),
            (_, None) => Attributed::unresolved(),
        }
    }

    /// The owner's record of a hand-off by one of our other accounts: only `AROA..:session` names the caller (S11).
    fn by_own_principal(&mut self, opening: &Opening<'e>, account: AccountId, at: usize, depth: usize) -> Attributed {
        if let Some(user) = self.inputs.users.by_id(&opening.caller().principal_id) {
            return Attributed { party: Arc::clone(&user.party), channel: Channel::RoleChain, how: How::Exact };
        }
        let own = Attributed { party: self.account(account), channel: Channel::AssumeRole, how: How::Exact };
        let Some((role_id, session_name)) = opening.caller().principal_id.split_once(':') else { return own };
        let openings = self.openings;
        let alive = |parent: &Opening<'_>| {
            parent.time() <= opening.time()
                && opening.time() - parent.time() <= chrono::TimeDelta::hours(crate::evidence::limits::SESSION_HOURS)
        };
        // A namesake opened later is likelier to be the one still alive.
        let before = openings.namesakes(role_id, session_name).iter().rev().map(|parent| *parent as usize);
        let parent = before.filter(|parent| *parent < at).find(|parent| openings.list.get(*parent).is_some_and(alive));
        match parent {
            Some(parent) => chained(self.opening_at(parent, depth + 1).no_better_than(How::Inferred)),
            None => own,
        }
    }
}

/// The same party one role further on.
fn chained(found: Attributed) -> Attributed {
    let outside = found.party.kind.is_outside();
    Attributed { channel: if outside { Channel::RoleChain } else { found.channel }, ..found }
}
