//! Openings: the hand-offs that succeeded, each once, although both sides of an account border record it.
//!
//! The caller's record knows who the caller was; the owner's record knows only the caller's account (S9). Both carry
//! the key of the new session or the same `sharedEventID` (S4).

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use chrono::TimeDelta;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};

use crate::aws::window::Time;
use crate::aws::{AccountId, Fingerprint};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::group::Group;
use crate::evidence::session::{Caller, HandOffSeen};

use super::attribution::SessionClue;

/// A role: account, name without path (S19), and the id that tells it from its namesakes (S18).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoleKey {
    /// The account that owns it.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// `AROA...`, or empty where no record and no inventory tells.
    pub id: String,
}

impl RoleKey {
    /// The group that it is judged in, together with its namesakes.
    #[must_use]
    pub fn group(&self) -> Group {
        Group { account: self.account, role: Box::from(self.name.as_str()) }
    }

    /// Whether that is its group.
    #[must_use]
    pub fn is_of(&self, group: &Group) -> bool {
        self.account == group.account && *self.name == *group.role
    }
}

/// One session's beginning.
#[derive(Clone, Debug)]
pub struct Opening<'e> {
    /// The record with the best view of the caller.
    pub record: &'e HandOffSeen,
    /// The role.
    pub role: Arc<RoleKey>,
    /// The new session's key, or empty.
    pub access_key: &'e str,
    /// The external id that was sent.
    pub external_id: Option<&'e Fingerprint>,
    /// Where its records are among all.
    records: Range<u32>,
}

impl<'e> Opening<'e> {
    /// Who asked.
    #[must_use]
    pub fn caller(&self) -> &'e Caller {
        &self.record.asked.caller
    }

    /// What tells whether two hand-offs are of one party: account, session, user and service, provider and subject.
    fn asked_by(&self) -> impl PartialEq + use<'e> {
        let (asked, caller) = (&self.record.asked, self.caller());
        let named = [&*caller.arn, &*caller.invoked_by, &*asked.provider, &*asked.subject];
        (caller.kind, caller.account, caller.delegate, &caller.session, named)
    }

    /// By which API.
    #[must_use]
    pub fn kind(&self) -> HandOffKind {
        self.record.kind
    }

    /// When.
    #[must_use]
    pub fn time(&self) -> Time {
        self.record.time
    }
}

/// All openings, and how to find one. There are as many as sessions, so the ways to find them hold mere numbers.
#[derive(Debug, Default)]
pub struct Openings<'e> {
    /// In the order of time, then event id.
    pub list: Vec<Opening<'e>>,
    /// The records of all openings, those of one together and by time.
    records: Vec<&'e HandOffSeen>,
    /// Those with an access key, by it; of several with one key the first.
    by_key: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// All, by role id and session name, then time.
    by_session: Vec<u32>,
}

/// How far the recorded creation of a session may lie from its hand-off: both are whole seconds of one request.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(5);

impl<'e> Openings<'e> {
    /// Groups the successful hand-offs; `id_of` names the role's id where a record does not.
    pub fn of(
        handoffs: impl Iterator<Item = &'e HandOffSeen>,
        id_of: &dyn Fn(AccountId, &str) -> Option<String>,
    ) -> Self {
        let mut records: Vec<&HandOffSeen> = handoffs.filter(|seen| seen.outcome == Outcome::Allowed).collect();
        records.sort_by(|a, b| (a.time, &a.event_id, a.recipient).cmp(&(b.time, &b.event_id, b.recipient)));
        let mut key_of_shared: HashMap<&str, &str> = HashMap::new();
        for record in &records {
            if !record.shared_event_id.is_empty() && !record.access_key.is_empty() {
                key_of_shared.insert(&record.shared_event_id, &record.access_key);
            }
        }
        let group = |record: &'e HandOffSeen| -> (u8, &'e str) {
            let shared: &str = &record.shared_event_id;
            match (&*record.access_key, key_of_shared.get(shared)) {
                ("", Some(key)) => (0, *key),
                ("", None) if !shared.is_empty() => (1, shared),
                ("", None) => (2, &record.event_id),
                (key, _) => (0, key),
            }
        };
        // Stable: within a group the order of time stays.
        records.sort_by_cached_key(|record| group(record));
        let mut roles = HashSet::new();
        let (mut list, mut from) = (Vec::new(), 0);
        for same in records.chunk_by(|one, other| group(one) == group(other)) {
            let range = from..from + number(same.len());
            from = range.end;
            list.extend(Opening::of(same, range, &mut roles, id_of));
        }
        drop(key_of_shared);
        list.sort_by(|a, b| (a.time(), &a.record.event_id).cmp(&(b.time(), &b.record.event_id)));
        Self::indexed(list, records)
    }

    fn indexed(list: Vec<Opening<'e>>, records: Vec<&'e HandOffSeen>) -> Self {
        let all = 0..number(list.len());
        let mut openings = Self { list, records, ..Self::default() };
        let hash = |at: &u32| openings.hasher.hash_one(openings.key(*at));
        let with_key = all.clone().filter(|at| !openings.key(*at).is_empty());
        let mut by_key = HashTable::with_capacity(openings.list.len());
        for at in with_key {
            by_key.entry(hash(&at), |other| openings.key(*other) == openings.key(at), hash).or_insert(at);
        }
        let mut by_session: Vec<u32> = all.collect();
        by_session.sort_by(|a, b| openings.session(*a).cmp(&openings.session(*b)));
        (openings.by_key, openings.by_session) = (by_key, by_session);
        openings
    }

    fn key(&self, at: u32) -> &str {
        self.list.get(at as usize).map_or("", |opening| opening.access_key)
    }

    /// Role id and session name.
    fn session(&self, at: u32) -> (&str, &str) {
        self.list.get(at as usize).map_or(("", ""), |opening| (&opening.role.id, &opening.record.session_name))
    }

    /// All records of an opening, by time.
    #[must_use]
    pub fn records(&self, opening: &Opening<'e>) -> &[&'e HandOffSeen] {
        self.records.get(opening.records.start as usize..opening.records.end as usize).unwrap_or_default()
    }

    /// Whether only the owner's side recorded an opening: the caller's own use of `sts:AssumeRole` is in no other record.
    #[must_use]
    pub fn is_one_sided(&self, opening: &Opening<'e>) -> bool {
        self.records(opening).iter().all(|record| record.caller.kind == IdentityKind::AwsAccount)
    }

    /// The opening of the session with that access key (S10).
    #[must_use]
    pub fn by_key(&self, access_key: &str) -> Option<usize> {
        // None is kept under an empty key.
        let found = self.by_key.find(self.hasher.hash_one(access_key), |at| self.key(*at) == access_key);
        found.map(|at| *at as usize)
    }

    /// All openings of sessions of that role and name, the earliest first.
    #[must_use]
    pub fn namesakes(&self, role_id: &str, session_name: &str) -> &[u32] {
        let wanted = (role_id, session_name);
        let from = self.by_session.partition_point(|at| self.session(*at) < wanted);
        let rest = self.by_session.get(from..).unwrap_or_default();
        let length = rest.partition_point(|at| self.session(*at) == wanted);
        rest.get(..length).unwrap_or_default()
    }

    /// The opening by role id, session name and creation time (S10), of a session whose key or hand-off's key is not known;
    /// without a time only if there is just one. Where several were opened in that moment, one of them if all were opened
    /// by the same caller, else none: nobody can tell whose session it is.
    #[must_use]
    pub fn by_session(&self, clue: &SessionClue<'_>) -> Option<usize> {
        let (role_id, session_name) = (clue.role.id.as_str(), clue.session_name);
        if role_id.is_empty() || session_name.is_empty() {
            return None;
        }
        // Two keys that differ are of two sessions, whatever else is the same.
        let fits = |at: &&u32| clue.access_key.is_empty() || self.key(**at).is_empty();
        let candidates = self.namesakes(role_id, session_name).iter().filter(fits).map(|at| *at as usize);
        let distance =
            |at: usize, created: Time| self.list.get(at).map_or(TimeDelta::MAX, |o| (o.time() - created).abs());
        let candidates: Vec<usize> = match clue.created {
            None => candidates.collect(),
            Some(created) => {
                let near: Vec<usize> = candidates.filter(|at| distance(*at, created) <= SAME_MOMENT).collect();
                let nearest = near.iter().map(|at| distance(*at, created)).min();
                near.into_iter().filter(|at| Some(distance(*at, created)) == nearest).collect()
            }
        };
        let (first, more) = candidates.split_first()?;
        let asked = |at: usize| self.list.get(at).map(Opening::asked_by);
        let is_one = clue.created.is_some() && more.iter().all(|at| asked(*at) == asked(*first));
        (more.is_empty() || is_one).then_some(*first)
    }
}

/// Four billion openings would not fit any memory that they are kept in.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl<'e> Opening<'e> {
    fn of(
        same: &[&'e HandOffSeen],
        records: Range<u32>,
        roles: &mut HashSet<Arc<RoleKey>>,
        id_of: &dyn Fn(AccountId, &str) -> Option<String>,
    ) -> Option<Self> {
        // The caller's own record has a session or a user; the owner's has only the account.
        let best = same.iter().find(|record| record.caller.kind != IdentityKind::AwsAccount);
        let record: &'e HandOffSeen = best.or(same.first())?;
        let some = |get: fn(&'e HandOffSeen) -> &'e str| {
            same.iter().map(|record| get(record)).find(|text| !text.is_empty()).unwrap_or_default()
        };
        let role_id = some(|record| &record.role_id);
        let (account, name) = (record.role_account, some(|record| &record.role_name));
        let id = if role_id.is_empty() { id_of(account, name).unwrap_or_default() } else { role_id.to_owned() };
        let role = RoleKey { account, name: name.to_owned(), id };
        let role = Arc::clone(roles.get_or_insert_with(&role, |role| Arc::new(role.clone())));
        Some(Self {
            record,
            role,
            access_key: some(|record| &record.access_key),
            external_id: same.iter().find_map(|record| record.asked.external_id.as_ref()),
            records,
        })
    }
}
