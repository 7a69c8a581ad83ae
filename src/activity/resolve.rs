//! Joins whole evidence into activity: sessions with their parties, roles with their sessions, calls with their meaning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::aws::window::{Time, rfc3339};
use crate::aws::{AccountId, ApiCall, Fingerprint, Window};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::parameters::Hints;
use crate::evidence::Evidence;
use crate::evidence::few::Few;
use crate::evidence::limits;
use crate::evidence::names::Name;
use crate::evidence::session::{Actor, Acts, HandOffSeen, Span};
use crate::evidence::sighting::join;

use super::action_map::{ActionMap, Mapping};
use super::attribution::{Attributed, Attributor, How, SessionClue};
use super::opening::{Opening, Openings, RoleKey};
use super::party::{Accounts, Channel, Party};
use super::usage::SeenCall;

/// What `resolve` needs beside the evidence.
pub struct Inputs<'a> {
    /// API calls to IAM actions.
    pub map: ActionMap<'a>,
    /// Ours, AWS's, vendors'.
    pub accounts: Accounts<'a>,
    /// The ids of the roles that exist, from the inventory.
    pub existing: &'a BTreeSet<RoleKey>,
    /// The only outside party that a role's trust admits, if it admits no one else (S10).
    pub sole_outside: &'a dyn Fn(&RoleKey) -> Option<Party>,
    /// Whether the calls of a role were kept; sessions of other roles are left out unless an outsider has them.
    pub is_kept: &'a dyn Fn(&RoleKey) -> bool,
    /// The window; hand-offs before it open sessions but count as none.
    pub window: Option<Window>,
}

/// One session.
#[derive(Clone, Debug)]
pub struct Session<'e> {
    /// The role; `None` for access without one.
    pub role: Option<RoleKey>,
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
    /// Whether the hand-off sent an external id; `None` when it was not seen or cannot.
    pub external_id_sent: Option<bool>,
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
}

/// A refused or failed hand-off.
#[derive(Clone, Debug)]
pub struct Refusal<'e> {
    /// Who asked.
    pub party: Party,
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

/// What one role did.
#[derive(Clone, Debug, Default)]
pub struct RoleActivity {
    /// Indices into [`Activity::sessions`].
    pub sessions: Vec<usize>,
    /// First and last sign of life: a call or a successful hand-off.
    pub active: Option<Span>,
    /// Chains that only the other side recorded.
    pub assumed_elsewhere: Vec<AssumedElsewhere>,
}

/// The whole picture.
#[derive(Debug, Default)]
pub struct Activity<'e> {
    /// Sorted by role, time and id.
    pub sessions: Vec<Session<'e>>,
    /// By role.
    pub roles: BTreeMap<RoleKey, RoleActivity>,
    /// Refused and failed hand-offs.
    pub refusals: Vec<Refusal<'e>>,
}

/// See the module. The answer depends on the evidence alone, not on the order in which it was gathered.
///
/// # Errors
/// The roles whose calls were not kept although an outside party opened a session of them: the records must be read
/// again, and these roles kept.
pub fn resolve<'e>(evidence: &'e Evidence, inputs: &Inputs<'_>) -> Result<Activity<'e>, BTreeSet<RoleKey>> {
    let ids = RoleIds::of(evidence, inputs.existing);
    let openings = openings(evidence, &ids);
    let mut attributor = Attributor::new(&openings, inputs.accounts, inputs.sole_outside);
    let mut drafts = Drafts { evidence, inputs, meanings: HashMap::new(), place: HashMap::new(), sessions: Vec::new() };
    let mut reached = BTreeSet::new();
    for (at, opening) in openings.list.iter().enumerate() {
        let attributed = attributor.opening(at);
        if attributed.party.kind.is_outside() && !(inputs.is_kept)(&opening.role) {
            reached.insert(opening.role.clone());
        }
        drafts.open(at, opening, attributed);
    }
    // S14: a delegate acts in a role without an opening of its own.
    let delegated = evidence.actors.keys().filter_map(|actor| match actor {
        Actor::Session { role, delegate: Some(account), .. } => Some((role, *account)),
        _ => None,
    });
    for (role, account) in delegated {
        let role = ids.key(role.account, evidence.names.text(role.name), evidence.names.text(role.id));
        let own = inputs.accounts.own.contains(&role.account);
        if own && inputs.accounts.party(account).kind.is_outside() && !(inputs.is_kept)(&role) {
            reached.insert(role);
        }
    }
    if !reached.is_empty() {
        return Err(reached);
    }
    for (actor, acts) in &evidence.actors {
        drafts.act(*actor, acts, &ids, &openings, &mut attributor);
    }
    let mut activity = Activity { sessions: drafts.finish(), ..Activity::default() };
    activity.sum_roles(evidence, &ids);
    for opening in openings.list.iter().filter(|opening| opening.is_one_sided()) {
        activity.note_chain(opening, &ids);
    }
    let refused = evidence.handoffs.values().filter(|seen| seen.outcome != Outcome::Allowed);
    activity.refusals = refused.map(|record| Refusal { party: refused_party(record, inputs), record }).collect();
    activity.refusals.sort_by(|a, b| (a.record.time, &a.record.event_id).cmp(&(b.record.time, &b.record.event_id)));
    Ok(activity)
}

fn openings<'e>(evidence: &'e Evidence, ids: &RoleIds) -> Openings<'e> {
    let handoffs = evidence.handoffs.values().map(AsRef::as_ref);
    Openings::of(handoffs, &|account, name| ids.only(account, name))
}

/// The ids that records and inventory know for each role name.
struct RoleIds {
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

    fn key(&self, account: AccountId, name: &str, id: &str) -> RoleKey {
        let id = if id.is_empty() { self.only(account, name).unwrap_or_default() } else { id.to_owned() };
        RoleKey { account, name: name.to_owned(), id }
    }
}

/// What makes two groups of calls one session: the opening, or what else the records share.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Identity {
    Opened(usize),
    Unopened(Option<RoleKey>, String, Option<Time>, String),
}

struct Drafts<'a, 'e, 'i> {
    evidence: &'e Evidence,
    inputs: &'a Inputs<'i>,
    meanings: HashMap<(Name, Name, Hints), Arc<Mapping>>,
    /// Where in `sessions` each identity's session is.
    place: HashMap<Identity, usize>,
    sessions: Vec<Session<'e>>,
}

impl<'e> Drafts<'_, 'e, '_> {
    fn open(&mut self, at: usize, opening: &Opening<'e>, attributed: Attributed) {
        if !self.inputs.accounts.own.contains(&opening.role.account) {
            return;
        }
        let record = opening.record;
        let sends_external_id = opening.kind() == HandOffKind::AssumeRole;
        let source_identity = Some(&record.source_identity).filter(|text| !text.is_empty()).cloned();
        let mut session = Session {
            id: session_id(opening.access_key, &opening.role, &record.session_name, Some(opening.time())),
            role: Some(opening.role.clone()),
            attributed,
            name: record.session_name.clone(),
            opened: Some(opening.time()),
            active: None,
            external_id_sent: sends_external_id.then_some(opening.external_id.is_some()),
            source_identity,
            networks: Few::default(),
            agents: Few::default(),
            calls: Vec::new(),
            joined: None,
        };
        for record in &opening.records {
            session.networks.insert(&record.network);
            session.agents.insert(&record.agent);
        }
        self.place.insert(Identity::Opened(at), self.sessions.len());
        self.sessions.push(session);
    }

    fn act<'o>(
        &mut self,
        actor: Actor,
        acts: &'e Acts,
        ids: &RoleIds,
        openings: &Openings<'e>,
        attributor: &mut Attributor<'o, 'e>,
    ) {
        let names = &self.evidence.names;
        let (identity, blank) = match actor {
            Actor::Outsider { account, principal } => {
                let party = self.inputs.accounts.party(account);
                visitor(party, names.text(principal))
            }
            Actor::Session { role, .. } if !self.inputs.accounts.own.contains(&role.account) => {
                let party = self.inputs.accounts.party(role.account);
                visitor(party, &format!("{}:{}", names.text(role.id), names.text(role.name)))
            }
            Actor::Session { role, access_key, session_name, created, delegate } => {
                let role = ids.key(role.account, names.text(role.name), names.text(role.id));
                let (key, name) = (names.text(access_key), names.text(session_name));
                let clue = SessionClue { role: &role, access_key: key, session_name: name, created };
                let (opening, mut attributed) = attributor.session(clue);
                if let Some(account) = delegate {
                    let party = self.inputs.accounts.party(account);
                    attributed =
                        Attributed { party: Arc::new(party), channel: Channel::TemporaryDelegation, how: How::Exact };
                }
                let identity = match opening {
                    Some(at) if delegate.is_none() => Identity::Opened(at),
                    _ => {
                        let key = if created.is_some() { "" } else { key };
                        let party = delegate.map(|account| account.to_string()).unwrap_or_default();
                        Identity::Unopened(Some(role.clone()), name.to_owned(), created, format!("{key}{party}"))
                    }
                };
                let mut session = blank_session(attributed, name);
                session.id = session_id(key, &role, name, created);
                session.opened = opening.and_then(|at| openings.list.get(at)).map(Opening::time).or(created);
                session.role = Some(role);
                (identity, session)
            }
        };
        let how = blank.attributed.how;
        let at = *self.place.entry(identity).or_insert(self.sessions.len());
        if at < self.sessions.len() {
            self.note(at, &blank.id, how, acts);
        } else {
            let id = blank.id.clone();
            self.sessions.push(blank);
            self.note(at, &id, how, acts);
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
        let (names, map) = (&self.evidence.names, self.inputs.map);
        for (key, sighting) in &acts.calls {
            let call = || ApiCall { source: names.shared(key.source), name: names.shared(key.name) };
            let mapping = self
                .meanings
                .entry((key.source, key.name, key.hints))
                .or_insert_with(|| Arc::new(map.map(&call(), "AwsApiCall", key.hints)));
            session.active = join(session.active, join(sighting.used, sighting.refused));
            session.calls.push(SeenCall { names, key, mapping: Arc::clone(mapping), sighting, mfa: acts.mfa });
        }
        session.networks.merge(&acts.networks);
        session.agents.merge(&acts.agents);
        if session.source_identity.is_none() {
            session.source_identity = acts.source_identities.iter().next().map(str::to_owned);
        }
    }

    /// All sessions that belong to the window, in a stable order.
    fn finish(self) -> Vec<Session<'e>> {
        let window = self.inputs.window;
        let in_window = |session: &Session<'_>| {
            session.active.is_some()
                || session.opened.is_some_and(|time| window.is_none_or(|window| window.contains(time)))
        };
        let is_kept = self.inputs.is_kept;
        let wanted = |session: &Session<'_>| {
            session.attributed.party.kind.is_outside() || session.role.as_ref().is_none_or(is_kept)
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

fn blank_session<'e>(attributed: Attributed, name: &str) -> Session<'e> {
    Session {
        role: None,
        attributed,
        id: String::new(),
        name: name.to_owned(),
        opened: None,
        active: None,
        external_id_sent: None,
        source_identity: None,
        networks: Few::default(),
        agents: Few::default(),
        calls: Vec::new(),
        joined: None,
    }
}

/// A principal let in by a resource policy (S15): the account in the record is certain.
fn visitor<'e>(party: Party, principal: &str) -> (Identity, Session<'e>) {
    let identity = Identity::Unopened(None, principal.to_owned(), None, party.id.clone());
    let attributed = Attributed { party: Arc::new(party), channel: Channel::ResourcePolicy, how: How::Exact };
    (identity, blank_session(attributed, principal))
}

/// A name for a session that tells two apart and gives no key away.
fn session_id(access_key: &str, role: &RoleKey, name: &str, opened: Option<Time>) -> String {
    let text = match access_key {
        "" => format!("{}/{}/{name}/{}", role.account, role.id, opened.map(rfc3339).unwrap_or_default()),
        key => key.to_owned(),
    };
    Fingerprint::of(&text).digest
}

fn refused_party(record: &HandOffSeen, inputs: &Inputs<'_>) -> Party {
    match (record.kind, record.caller.kind, record.caller.account) {
        (HandOffKind::WebIdentity | HandOffKind::Saml, _, _) => {
            Party::identity_provider(&record.provider, &record.subject, record.role_account)
        }
        (_, IdentityKind::AwsService, _) => Party::aws_service(&record.caller.invoked_by),
        (_, _, Some(account)) => inputs.accounts.party(account),
        _ => Party::unresolved(),
    }
}

impl Activity<'_> {
    fn sum_roles(&mut self, evidence: &Evidence, ids: &RoleIds) {
        for (role, span) in &evidence.roles {
            let key = ids.key(role.account, evidence.names.text(role.name), evidence.names.text(role.id));
            let known = self.roles.entry(key).or_default();
            known.active = join(known.active, Some(*span));
        }
        for (at, session) in self.sessions.iter().enumerate() {
            let Some(role) = &session.role else { continue };
            match self.roles.get_mut(role) {
                Some(known) => known.sessions.push(at),
                None => self.roles.entry(role.clone()).or_default().sessions.push(at),
            }
        }
    }

    /// S11: a chain into another account is a use of `sts:AssumeRole` by the first role, whoever recorded it.
    fn note_chain(&mut self, opening: &Opening<'_>, ids: &RoleIds) {
        let Some((role_id, _)) = opening.caller().principal_id.split_once(':') else { return };
        let Some(role) = ids.by_id.get(role_id) else { return };
        self.roles.entry(role.clone()).or_default().assumed_elsewhere.push(AssumedElsewhere {
            role_arn: opening.record.role_arn.clone(),
            time: opening.time(),
            event_id: opening.record.event_id.clone(),
        });
    }
}
