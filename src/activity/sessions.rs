//! The sessions of one group of actors: who stands behind each, when it was opened, and the calls that it made.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::aws::window::{Time, rfc3339};
use crate::aws::{AccountId, ApiCall, Fingerprint};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::parameters::Hints;
use crate::evidence::few::Few;
use crate::evidence::group::Group;
use crate::evidence::limits;
use crate::evidence::names::{Name, Names};
use crate::evidence::session::{Actor, Acts, RoleName, Span};
use crate::evidence::sighting::{CallKey, join};

use super::action_map::{ActionMap, Mapping};
use super::attribution::{Attributed, How, SessionClue};
use super::opening::{Opening, RoleKey};
use super::party::{Channel, Party};
use super::party_user::{PartyUser, user_name};
use super::resolve::Activity;
use super::usage::SeenCall;

/// Whether a hand-off sent an external id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SentExternalId {
    /// The hand-off was not seen, or cannot send one.
    Unseen,
    /// It sent none.
    None,
    /// It sent this one.
    Some(Fingerprint),
}

impl SentExternalId {
    /// Whether one was sent; `None` when the hand-off was not seen, or cannot send one.
    #[must_use]
    pub fn was_sent(&self) -> Option<bool> {
        match self {
            Self::Unseen => None,
            Self::None => Some(false),
            Self::Some(_) => Some(true),
        }
    }
}

/// One session.
#[derive(Clone, Debug)]
pub struct Session<'e> {
    /// The role; `None` for access without one.
    pub role: Option<Arc<RoleKey>>,
    /// Who, how they came in, how that is known.
    pub attributed: Attributed,
    /// Stable and without any key in it.
    pub id: String,
    /// As chosen by whoever opened it; for access without a role the caller's principal id.
    pub name: String,
    /// When it was opened.
    pub opened: Option<Time>,
    /// First and last call.
    pub active: Option<Span>,
    /// The external id that its hand-off sent.
    pub external_id: SentExternalId,
    /// `sourceIdentity`.
    pub source_identity: Option<String>,
    /// Source networks.
    pub networks: Few<{ limits::NETWORKS }>,
    /// User agents.
    pub agents: Few<{ limits::AGENTS }>,
    /// Calls.
    pub calls: Vec<SeenCall<'e>>,
    /// The best way in which any of its calls was joined to its hand-off.
    joined: Option<How>,
    /// What makes calls those of this session.
    pub(super) identity: Identity,
}

/// What makes two groups of calls one session: the opening, or what else the records share.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Identity {
    Opened(usize),
    Unopened(Option<Arc<RoleKey>>, String, Option<Time>, String),
}

/// What APIs mean, each asked once.
pub(super) struct Meanings<'a> {
    map: ActionMap<'a>,
    known: HashMap<(Name, Name, Hints), Arc<Mapping>>,
}

impl Meanings<'_> {
    /// The meaning of calls; `names` are always the same.
    pub(super) fn of(&mut self, names: &Names, key: &CallKey) -> Arc<Mapping> {
        let call = || ApiCall { source: names.shared(key.source), name: names.shared(key.name) };
        let map = self.map;
        let known = self.known.entry((key.source, key.name, key.hints));
        Arc::clone(known.or_insert_with(|| Arc::new(map.map(&call(), "AwsApiCall", key.hints))))
    }
}

/// Sessions in the making.
pub(super) struct Drafts<'a, 'e> {
    activity: &'a Activity<'a>,
    group: &'a Group,
    names: &'e Names,
    roles: HashMap<RoleName, Arc<RoleKey>>,
    meanings: Meanings<'a>,
    /// Where in `sessions` each identity's session is.
    place: HashMap<Identity, usize>,
    sessions: Vec<Session<'e>>,
}

impl<'a, 'e> Drafts<'a, 'e> {
    pub(super) fn new(activity: &'a Activity<'a>, group: &'a Group, names: &'e Names) -> Self {
        let meanings = Meanings { map: activity.inputs.map, known: HashMap::new() };
        let (roles, place) = (HashMap::new(), HashMap::new());
        Self { activity, group, names, roles, meanings, place, sessions: Vec::new() }
    }

    /// Adds the session of an opening.
    pub(super) fn open(&mut self, at: usize) {
        let (Some(opening), Some(found)) = (self.activity.openings.list.get(at), self.activity.found.get(at)) else {
            return;
        };
        let record = opening.record;
        let source_identity =
            Some(&record.source_identity).filter(|text| !text.is_empty()).map(|text| text.to_string());
        let mut session = Session {
            id: session_id(opening.access_key, &opening.role, &record.session_name, Some(opening.time())),
            role: Some(Arc::clone(&opening.role)),
            opened: Some(opening.time()),
            external_id: match opening.external_id {
                _ if opening.kind() != HandOffKind::AssumeRole => SentExternalId::Unseen,
                Some(id) => SentExternalId::Some(id.clone()),
                None => SentExternalId::None,
            },
            source_identity,
            ..blank_session(Identity::Opened(at), found.clone(), &record.session_name)
        };
        for record in self.activity.openings.records(opening) {
            session.networks.insert(&record.network);
            session.agents.insert(&record.agent);
        }
        self.place.insert(Identity::Opened(at), self.sessions.len());
        self.sessions.push(session);
    }

    /// Whose session an actor's calls belong to, and what is known of it from the actor alone; nobody's if it is no party.
    pub(super) fn identify(&mut self, actor: Actor) -> Option<Session<'e>> {
        let (names, accounts) = (self.names, self.activity.inputs.accounts);
        let session = match actor {
            Actor::Outsider { account, principal } => visitor(accounts.party(account), names.text(principal)),
            Actor::User { arn, access_key, .. } => {
                // Else taken for a party's by its name alone, which somebody knows better.
                let user = self.activity.inputs.users.get(names.text(arn))?;
                user_session(user, names.text(arn), names.text(access_key))
            }
            Actor::Session { role, .. } if !accounts.own.contains(&role.account) => {
                let party = accounts.party(role.account);
                visitor(party, &format!("{}:{}", names.text(role.id), names.text(role.name)))
            }
            Actor::Session { role, access_key, session_name, created, delegate } => {
                let ids = &self.activity.ids;
                let key = || Arc::new(ids.key(role.account, names.text(role.name), names.text(role.id)));
                let role = Arc::clone(self.roles.entry(role).or_insert_with(key));
                let (access_key, session_name) = (names.text(access_key), names.text(session_name));
                let clue = SessionClue { role: &role, access_key, session_name, created };
                self.in_role(&role, clue, delegate)
            }
        };
        Some(session)
    }

    /// Adds what an actor did.
    pub(super) fn act(&mut self, actor: Actor, acts: &'e Acts) {
        let Some(blank) = self.identify(actor) else { return };
        let how = blank.attributed.how;
        let at = *self.place.entry(blank.identity.clone()).or_insert(self.sessions.len());
        let id = blank.id.clone();
        if at == self.sessions.len() {
            self.sessions.push(blank);
        }
        self.note(at, &id, how, acts);
    }

    /// The session of somebody in one of our roles.
    fn in_role(&self, role: &Arc<RoleKey>, clue: SessionClue<'_>, delegate: Option<AccountId>) -> Session<'e> {
        let activity = self.activity;
        let (opening, mut attributed) = activity.session(clue);
        if let Some(account) = delegate {
            let party = Arc::new(activity.inputs.accounts.party(account));
            attributed = Attributed { party, channel: Channel::TemporaryDelegation, how: How::Exact };
        }
        let opened = opening.and_then(|at| activity.openings.list.get(at));
        // Keys are of one role only; should records say otherwise, what they say of the role counts.
        let is_here = delegate.is_none() && opened.is_some_and(|opening| opening.role.is_of(self.group));
        let identity = match opening {
            Some(at) if is_here => Identity::Opened(at),
            _ => {
                let key = if clue.created.is_some() { "" } else { clue.access_key };
                let party = delegate.map(|account| account.to_string()).unwrap_or_default();
                let name = clue.session_name.to_owned();
                Identity::Unopened(Some(Arc::clone(role)), name, clue.created, format!("{key}{party}"))
            }
        };
        Session {
            id: session_id(clue.access_key, clue.role, clue.session_name, clue.created),
            opened: opened.map(Opening::time).or(clue.created),
            role: Some(Arc::clone(role)),
            ..blank_session(identity, attributed, clue.session_name)
        }
    }

    /// Adds what an actor did to its session.
    fn note(&mut self, at: usize, id: &str, how: How, acts: &'e Acts) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        // An exact join of some calls is not lost to an inferred one of others, in whatever order they come.
        session.joined = Some(session.joined.map_or(how, |known| known.min(how)));
        if *id < *session.id {
            session.id = id.to_owned();
        }
        session.calls.reserve_exact(acts.calls.len());
        for (key, sighting) in &acts.calls {
            let mapping = self.meanings.of(self.names, key);
            session.active = join(session.active, join(sighting.used, sighting.refused));
            session.calls.push(SeenCall { names: self.names, key, mapping, sighting, mfa: acts.mfa });
        }
        session.networks.merge(&acts.networks);
        session.agents.merge(&acts.agents);
        if session.source_identity.is_none() {
            session.source_identity = acts.source_identities.iter().next().map(str::to_owned);
        }
    }

    /// What calls mean.
    pub(super) fn meaning(&mut self, key: &CallKey) -> Arc<Mapping> {
        self.meanings.of(self.names, key)
    }

    /// All sessions that belong to the window, in a stable order.
    pub(super) fn finish(self) -> Vec<Session<'e>> {
        let inputs = &self.activity.inputs;
        let window = inputs.window;
        let in_window = |session: &Session<'_>| {
            session.active.is_some()
                || session.opened.is_some_and(|time| window.is_none_or(|window| window.contains(time)))
        };
        let is_kept = inputs.is_kept;
        let wanted = |session: &Session<'_>| {
            session.attributed.party.kind.is_outside() || session.role.as_deref().is_none_or(is_kept)
        };
        // Sessions that nothing else tells apart stay in the order of their identities, not in that of a hash table.
        let mut place: Vec<(Identity, usize)> = self.place.into_iter().collect();
        place.sort_unstable();
        let mut all: Vec<Option<Session<'e>>> = self.sessions.into_iter().map(Some).collect();
        let ordered = place.into_iter().filter_map(|(_, at)| all.get_mut(at)?.take());
        let mut sessions: Vec<Session<'e>> = ordered.filter(|session| in_window(session) && wanted(session)).collect();
        for session in &mut sessions {
            session.attributed.how = session.joined.unwrap_or(session.attributed.how);
            session.calls.sort_by(|a, b| a.order().cmp(&b.order()));
        }
        sessions.sort_by(|a, b| (&a.role, a.opened, &a.name, &a.id).cmp(&(&b.role, b.opened, &b.name, &b.id)));
        sessions
    }
}

fn blank_session<'e>(identity: Identity, attributed: Attributed, name: &str) -> Session<'e> {
    Session {
        identity,
        role: None,
        attributed,
        id: String::new(),
        name: name.to_owned(),
        opened: None,
        active: None,
        external_id: SentExternalId::Unseen,
        source_identity: None,
        networks: Few::default(),
        agents: Few::default(),
        calls: Vec::new(),
        joined: None,
    }
}

/// What a third party did with an access key of one of our users (S16).
fn user_session<'e>(user: &PartyUser, arn: &str, access_key: &str) -> Session<'e> {
    let identity = Identity::Unopened(None, arn.to_owned(), None, access_key.to_owned());
    let attributed = Attributed { party: Arc::clone(&user.party), channel: Channel::AccessKey, how: How::Exact };
    let id = Fingerprint::of(if access_key.is_empty() { arn } else { access_key }).digest;
    Session { id, ..blank_session(identity, attributed, user_name(arn).unwrap_or(arn)) }
}

/// A principal let in by a resource policy (S15): the account in the record is certain.
fn visitor<'e>(party: Party, principal: &str) -> Session<'e> {
    let identity = Identity::Unopened(None, principal.to_owned(), None, party.id.clone());
    let attributed = Attributed { party: Arc::new(party), channel: Channel::ResourcePolicy, how: How::Exact };
    blank_session(identity, attributed, principal)
}

/// A name for a session that tells two apart and gives no key away.
fn session_id(access_key: &str, role: &RoleKey, name: &str, opened: Option<Time>) -> String {
    let text = match access_key {
        "" => format!("{}/{}/{name}/{}", role.account, role.id, opened.map(rfc3339).unwrap_or_default()),
        key => key.to_owned(),
    };
    Fingerprint::of(&text).digest
}
