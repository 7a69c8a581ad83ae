//! Joins whole evidence into activity: who opened which session, which roles showed life, what was refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::aws::window::Time;
use crate::aws::{AccountId, Window};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::Evidence;
use crate::evidence::group::Group;
use crate::evidence::names::Names;
use crate::evidence::session::{Actor, Acts, Caller, HandOffSeen, Span};
use crate::evidence::sighting::join;

use super::action_map::ActionMap;
use super::attribution::{Attributed, SessionClue, attribute, by_trust, opening_of};
use super::opening::{Opening, Openings, RoleKey};
use super::party::{Accounts, Party, PartyKind};
use super::party_user::PartyUsers;
use super::sessions::{Drafts, Session};

/// What joining needs beside the evidence.
pub struct Inputs<'a> {
    /// API calls to IAM actions.
    pub map: ActionMap<'a>,
    /// Ours, AWS's, vendors'.
    pub accounts: Accounts<'a>,
    /// The ids of the roles that exist, from the inventory.
    pub existing: &'a BTreeSet<RoleKey>,
    /// The only outside party that a role's trust admits, if it admits no one else (S10).
    pub sole_outside: &'a (dyn Fn(&RoleKey) -> Option<Party> + Sync),
    /// IAM users whose keys third parties hold (S16).
    pub users: &'a PartyUsers,
    /// Whether the calls of a role were kept; sessions of other roles are left out unless an outsider has them.
    pub is_kept: &'a (dyn Fn(&RoleKey) -> bool + Sync),
    /// The window; hand-offs before it open sessions but count as none.
    pub window: Option<Window>,
}

/// A refused or failed hand-off.
#[derive(Clone, Debug)]
pub struct Refusal<'e> {
    /// Who asked.
    pub party: Party,
    /// Whether it is a call of a session or user of ours as well, and counted there.
    pub is_call: bool,
    /// The record.
    pub record: &'e HandOffSeen,
}

/// A use of `sts:AssumeRole` that only the other side recorded.
#[derive(Clone, Debug)]
pub struct AssumedElsewhere {
    /// The role asked for.
    pub role_arn: String,
    /// When.
    pub time: Time,
    /// The other side's record.
    pub event_id: String,
}

/// What a role did beside its sessions.
#[derive(Clone, Debug, Default)]
pub struct RoleActivity {
    /// First and last sign of life: a call or a successful hand-off.
    pub active: Option<Span>,
    /// Chains that only the other side recorded.
    pub assumed_elsewhere: Vec<AssumedElsewhere>,
}

/// The whole picture, as far as every group of actors needs it; each group's sessions are joined to it alone, so that
/// no more of them need to be at hand than are being judged.
pub struct Activity<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) ids: RoleIds,
    pub(super) openings: Openings<'a>,
    /// The party of each opening.
    pub(super) found: Vec<Attributed>,
    /// Openings of sessions of our roles.
    of_group: HashMap<Group, Vec<usize>>,
    /// By role.
    pub roles: BTreeMap<RoleKey, RoleActivity>,
    /// Refused and failed hand-offs.
    pub refusals: Vec<Refusal<'a>>,
    /// Where among them those into one role are.
    refused: HashMap<Group, Vec<usize>>,
}

/// Actors of one group with what they did.
pub type Actors<'e> = Vec<(&'e Actor, &'e Acts)>;

impl<'a> Activity<'a> {
    /// Finds who opened which session. The answer depends on the evidence alone, not on the order in which it was gathered.
    #[must_use]
    pub fn of(evidence: &'a Evidence, inputs: Inputs<'a>) -> Self {
        let ids = RoleIds::of(evidence, inputs.existing);
        let handoffs = evidence.handoffs.values().map(AsRef::as_ref);
        let openings = Openings::of(handoffs, &|account, name| ids.only(account, name));
        let found = attribute(&openings, &inputs);
        let mut of_group: HashMap<Group, Vec<usize>> = HashMap::new();
        for (at, opening) in openings.list.iter().enumerate() {
            if inputs.accounts.own.contains(&opening.role.account) {
                of_group.entry(opening.role.group()).or_default().push(at);
            }
        }
        let in_window = |time| inputs.window.is_none_or(|window| window.contains(time));
        let refused =
            evidence.handoffs.values().filter(|seen| seen.outcome != Outcome::Allowed && in_window(seen.time));
        let mut refused: Vec<&'a HandOffSeen> = refused.map(AsRef::as_ref).collect();
        refused.sort_by(|a, b| (a.time, &a.event_id).cmp(&(b.time, &b.event_id)));
        let roles = roles(evidence, &ids, &openings);
        let (refusals, into) = (Vec::new(), HashMap::new());
        let mut activity = Self { inputs, ids, openings, found, of_group, roles, refusals, refused: into };
        // Who asked in a session of ours is known by what was found before.
        for record in refused {
            let party = Party::clone(&activity.asked_by(record));
            let group = Group { account: record.role_account, role: record.role_name.clone() };
            activity.refused.entry(group).or_default().push(activity.refusals.len());
            let in_kept = activity.role_of(record).is_some_and(|role| (activity.inputs.is_kept)(&role));
            let is_call = in_kept || party.kind == PartyKind::IamUser;
            activity.refusals.push(Refusal { party, is_call, record });
        }
        activity
    }

    /// The party behind a hand-off that opened nothing: the identity that a provider vouched for, or the record's caller.
    fn asked_by(&self, record: &HandOffSeen) -> Arc<Party> {
        match record.kind {
            HandOffKind::WebIdentity | HandOffKind::Saml => {
                let accounts = self.inputs.accounts;
                Arc::new(accounts.identity_provider(&record.provider, &record.subject, record.role_account))
            }
            HandOffKind::AssumeRole => match self.role_of(record) {
                // What nobody from outside can come into, or was seen in, is our own.
                Some(role) if !(self.inputs.is_kept)(&role) && record.caller.delegate.is_none() => {
                    Arc::new(self.inputs.accounts.party(role.account))
                }
                _ => self.party_of(&record.caller, &record.caller_key, record.caller_created),
            },
        }
    }

    /// The role of ours in whose session somebody asked.
    fn role_of(&self, record: &HandOffSeen) -> Option<RoleKey> {
        let session = record.caller.session.as_ref()?;
        let is_own = self.inputs.accounts.own.contains(&session.account);
        is_own.then(|| self.ids.key(session.account, &session.role_name, &session.role_id))
    }

    /// The roles whose calls were not kept although an outside party opened a session of them.
    #[must_use]
    pub fn reached(&self) -> BTreeSet<RoleKey> {
        let openings = self.openings.list.iter().zip(&self.found);
        let outside =
            openings.filter(|(opening, found)| found.party.kind.is_outside() && !(self.inputs.is_kept)(&opening.role));
        outside.map(|(opening, _)| RoleKey::clone(&opening.role)).collect()
    }

    /// The roles whose calls were not kept although one of these actors acts in them by delegation: a delegate acts in a
    /// role without an opening of its own (S14).
    #[must_use]
    pub fn reached_by_delegates(&self, names: &Names, actors: &Actors<'_>) -> BTreeSet<RoleKey> {
        let accounts = self.inputs.accounts;
        let delegates = actors.iter().filter_map(|(actor, _)| match actor {
            Actor::Session { role, delegate: Some(account), .. }
                if accounts.own.contains(&role.account) && accounts.party(*account).kind.is_outside() =>
            {
                Some(self.ids.key(role.account, names.text(role.name), names.text(role.id)))
            }
            _ => None,
        });
        delegates.filter(|role| !(self.inputs.is_kept)(role)).collect()
    }

    /// The group that is judged, for one of actors: roles of accounts that are not ours are principals of theirs to us.
    #[must_use]
    pub fn judged(&self, group: Group) -> Group {
        let own = self.inputs.accounts.own.contains(&group.account);
        if own { group } else { Group { role: Box::default(), ..group } }
    }

    /// The groups that have openings.
    pub fn opened(&self) -> impl Iterator<Item = &Group> {
        self.of_group.keys()
    }

    /// How many openings a group has.
    #[must_use]
    pub fn openings_of(&self, group: &Group) -> usize {
        self.of_group.get(group).map_or(0, Vec::len)
    }

    /// The openings of one role's sessions, the earliest first; those whose record tells no role id count for every role of
    /// the name.
    #[must_use]
    pub fn openings_into(&self, role: &RoleKey) -> Vec<&Opening<'a>> {
        let of_group = self.of_group.get(&role.group()).into_iter().flatten();
        let openings = of_group.filter_map(|at| self.openings.list.get(*at));
        openings.filter(|opening| opening.role.id == role.id || opening.role.id.is_empty()).collect()
    }

    /// The hand-offs into a role that were denied; a record of them does not tell the role's id.
    #[must_use]
    pub fn refused_into(&self, role: &RoleKey) -> Vec<&'a HandOffSeen> {
        let of_group = self.refused.get(&role.group()).into_iter().flatten();
        let records = of_group.filter_map(|at| self.refusals.get(*at)).map(|refusal| refusal.record);
        records.filter(|record| record.outcome == Outcome::Denied).collect()
    }

    /// The sessions of a group, sorted by role, time and id; `actors` are all of it, and `names` the texts behind theirs.
    #[must_use]
    pub fn sessions<'e>(&self, group: &Group, names: &'e Names, actors: &Actors<'e>) -> Vec<Session<'e>> {
        let mut drafts = Drafts::new(self, group, names);
        for at in self.of_group.get(group).into_iter().flatten() {
            drafts.open(*at);
        }
        for (actor, acts) in actors {
            drafts.act(**actor, acts);
        }
        drafts.finish()
    }

    /// The party of the caller of any record: by its session's opening, its user, or its account.
    #[must_use]
    pub fn party_of(&self, caller: &Caller, key: &str, created: Option<Time>) -> Arc<Party> {
        let accounts = self.inputs.accounts;
        if let Some(account) = caller.delegate {
            return Arc::new(accounts.party(account));
        }
        match (&caller.session, caller.kind, caller.account) {
            (Some(session), _, _) if accounts.own.contains(&session.account) => {
                let role = self.ids.key(session.account, &session.role_name, &session.role_id);
                let clue = SessionClue { role: &role, access_key: key, session_name: &session.session_name, created };
                self.session(clue).1.party
            }
            (_, IdentityKind::AwsService, _) => Arc::new(Party::aws_service(&caller.invoked_by)),
            (_, _, Some(account)) => match self.inputs.users.of(&caller.arn, &caller.principal_id) {
                Some(user) => Arc::clone(&user.party),
                None => Arc::new(accounts.party(account)),
            },
            _ => Arc::new(Party::unresolved()),
        }
    }

    /// The opening of a session, if it was seen, and its party.
    pub(super) fn session(&self, clue: SessionClue<'_>) -> (Option<usize>, Attributed) {
        let opening = opening_of(&self.openings, clue).and_then(|(at, how)| Some((at, how, self.found.get(at)?)));
        match opening {
            Some((at, how, found)) => (Some(at), found.clone().no_better_than(how)),
            None => (None, by_trust(clue.role, self.inputs.sole_outside)),
        }
    }
}

/// Each role's signs of life, and the chains that only the other side recorded.
fn roles(evidence: &Evidence, ids: &RoleIds, openings: &Openings<'_>) -> BTreeMap<RoleKey, RoleActivity> {
    let mut roles: BTreeMap<RoleKey, RoleActivity> = BTreeMap::new();
    for (role, span) in &evidence.roles {
        let key = ids.key(role.account, evidence.names.text(role.name), evidence.names.text(role.id));
        let known = roles.entry(key).or_default();
        known.active = join(known.active, Some(*span));
    }
    // S11: a chain into another account is a use of `sts:AssumeRole` by the first role, whoever recorded it.
    for opening in openings.list.iter().filter(|opening| openings.is_one_sided(opening)) {
        let caller = opening.caller().principal_id.split_once(':');
        let Some(role) = caller.and_then(|(role_id, _)| ids.by_id.get(role_id)) else { continue };
        roles.entry(role.clone()).or_default().assumed_elsewhere.push(AssumedElsewhere {
            role_arn: opening.record.role_arn.to_string(),
            time: opening.time(),
            event_id: opening.record.event_id.to_string(),
        });
    }
    roles
}

/// The ids that records and inventory know for each role name.
pub(super) struct RoleIds {
    by_name: HashMap<(AccountId, String), BTreeSet<String>>,
    by_id: HashMap<String, RoleKey>,
}

impl RoleIds {
    fn of(evidence: &Evidence, existing: &BTreeSet<RoleKey>) -> Self {
        let mut ids = Self { by_name: HashMap::new(), by_id: HashMap::new() };
        for role in existing {
            ids.add(role.clone());
        }
        for role in evidence.roles.keys() {
            let (name, id) = (evidence.names.text(role.name), evidence.names.text(role.id));
            ids.add(RoleKey { account: role.account, name: name.to_owned(), id: id.to_owned() });
        }
        ids
    }

    fn add(&mut self, role: RoleKey) {
        if role.id.is_empty() {
            return;
        }
        self.by_name.entry((role.account, role.name.clone())).or_default().insert(role.id.clone());
        self.by_id.insert(role.id.clone(), role);
    }

    /// The id, if the name has just one.
    fn only(&self, account: AccountId, name: &str) -> Option<String> {
        let ids = self.by_name.get(&(account, name.to_owned()))?;
        if ids.len() == 1 { ids.first().cloned() } else { None }
    }

    pub(super) fn key(&self, account: AccountId, name: &str, id: &str) -> RoleKey {
        let id = if id.is_empty() { self.only(account, name).unwrap_or_default() } else { id.to_owned() };
        RoleKey { account, name: name.to_owned(), id }
    }
}
