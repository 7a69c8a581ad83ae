//! Openings: the hand-offs that succeeded, each once, although both sides of an account border record it.
//!
//! The caller's record knows who the caller was; the owner's record knows only the caller's account (S9). Both carry
//! the key of the new session or the same `sharedEventID` (S4).

use chrono::TimeDelta;
use hashbrown::HashMap;

use crate::aws::window::Time;
use crate::aws::{AccountId, Fingerprint};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::group::Group;
use crate::evidence::session::{Caller, HandOffSeen};

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
    /// All records of it, by event id.
    pub records: Vec<&'e HandOffSeen>,
    /// The role.
    pub role: RoleKey,
    /// The new session's key, or empty.
    pub access_key: &'e str,
    /// The external id that was sent.
    pub external_id: Option<&'e Fingerprint>,
}

impl<'e> Opening<'e> {
    /// Who asked.
    #[must_use]
    pub fn caller(&self) -> &'e Caller {
        &self.record.caller
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

    /// Whether only the owner's side recorded it: the caller's own use of `sts:AssumeRole` is in no other record.
    #[must_use]
    pub fn is_one_sided(&self) -> bool {
        self.records.iter().all(|record| record.caller.kind == IdentityKind::AwsAccount)
    }
}

/// All openings, and how to find one.
#[derive(Debug, Default)]
pub struct Openings<'e> {
    /// In the order of time, then event id.
    pub list: Vec<Opening<'e>>,
    by_key: HashMap<&'e str, usize>,
    by_session: HashMap<(String, &'e str), Vec<usize>>,
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
        let group = |record: &'e HandOffSeen| {
            let shared = record.shared_event_id.as_str();
            match (record.access_key.as_str(), key_of_shared.get(shared)) {
                ("", Some(key)) => (0, *key),
                ("", None) if !shared.is_empty() => (1, shared),
                ("", None) => (2, record.event_id.as_str()),
                (key, _) => (0, key),
            }
        };
        let mut grouped: Vec<((u8, &str), &HandOffSeen)> =
            records.into_iter().map(|record| (group(record), record)).collect();
        // Stable: within a group the order of time stays.
        grouped.sort_by_key(|(group, _)| *group);
        let groups = grouped.chunk_by(|one, other| one.0 == other.0);
        let mut list: Vec<Opening<'e>> =
            groups.filter_map(|group| Opening::of(group.iter().map(|(_, record)| *record).collect(), id_of)).collect();
        list.sort_by(|a, b| (a.time(), &a.record.event_id).cmp(&(b.time(), &b.record.event_id)));
        Self::indexed(list)
    }

    fn indexed(list: Vec<Opening<'e>>) -> Self {
        let mut openings = Self { list, ..Self::default() };
        for (at, opening) in openings.list.iter().enumerate() {
            if !opening.access_key.is_empty() {
                openings.by_key.insert(opening.access_key, at);
            }
            let session = (opening.role.id.clone(), opening.record.session_name.as_str());
            openings.by_session.entry(session).or_default().push(at);
        }
        openings
    }

    /// The opening of the session with that access key (S10).
    #[must_use]
    pub fn by_key(&self, access_key: &str) -> Option<usize> {
        if access_key.is_empty() {
            return None;
        }
        self.by_key.get(access_key).copied()
    }

    /// All openings of sessions of that role and name, the earliest first.
    #[must_use]
    pub fn namesakes(&self, role_id: &str, session_name: &str) -> &[usize] {
        self.by_session.get(&SessionName(role_id, session_name)).map_or(&[], Vec::as_slice)
    }

    /// The opening by role id, session name and creation time (S10); without a time only if there is just one.
    #[must_use]
    pub fn by_session(&self, role_id: &str, session_name: &str, created: Option<Time>) -> Option<usize> {
        if role_id.is_empty() || session_name.is_empty() {
            return None;
        }
        let candidates = self.namesakes(role_id, session_name);
        let Some(created) = created else {
            return if let [only] = candidates { Some(*only) } else { None };
        };
        let distance = |at: &usize| self.list.get(*at).map_or(TimeDelta::MAX, |o| (o.time() - created).abs());
        candidates.iter().copied().filter(|at| distance(at) <= SAME_MOMENT).min_by_key(distance)
    }
}

#[derive(Hash)]
struct SessionName<'a>(&'a str, &'a str);

impl hashbrown::Equivalent<(String, &str)> for SessionName<'_> {
    fn equivalent(&self, key: &(String, &str)) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

impl<'e> Opening<'e> {
    fn of(records: Vec<&'e HandOffSeen>, id_of: &dyn Fn(AccountId, &str) -> Option<String>) -> Option<Self> {
        // The caller's own record has a session or a user; the owner's has only the account.
        let best = records.iter().find(|record| record.caller.kind != IdentityKind::AwsAccount);
        let record = *best.or(records.first())?;
        let some = |get: fn(&'e HandOffSeen) -> &'e str| {
            records.iter().map(|record| get(record)).find(|text| !text.is_empty()).unwrap_or_default()
        };
        let role_id = some(|record| &record.role_id);
        let (account, name) = (record.role_account, some(|record| &record.role_name));
        let id = if role_id.is_empty() { id_of(account, name).unwrap_or_default() } else { role_id.to_owned() };
        Some(Self {
            record,
            role: RoleKey { account, name: name.to_owned(), id },
            access_key: some(|record| &record.access_key),
            external_id: records.iter().find_map(|record| record.external_id.as_ref()),
            records,
        })
    }
}
