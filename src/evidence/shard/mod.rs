//! A saved shard: the evidence of some objects, with their names, as one file that is whole or worthless.
//!
//! It is what a run leaves behind so that the next one need not read the same objects: the checkpoint of a run that was
//! killed, the memory of a nightly run, and what a cluster's tasks hand back. A shard knows which objects it stands for,
//! by key, size and tag; which roles it kept in little (their last activity only), which users in full; and the span of its events, so that
//! it serves any window that takes all or none of them. It ends in a digest of all its bytes, so damage is noticed.
//!
//! The tables of [`super::tables`] say the same for engines; this form is for ourselves: one small file, many times
//! faster to write and to read, and ids of events as they are.

mod bytes;
mod read;
mod write;

pub use read::actors_from_bytes;
pub use write::actors_to_bytes;

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::AccountId;

use super::merge::Evidence;
use super::scope::{RoleRef, Scope};
use super::session::Span;
use super::sighting::join;

/// Raised whenever equal objects would give other evidence than before, or other bytes for it: then saved shards are of
/// no use. `tests/checkpoints.rs` fails when that happens unnoticed.
pub const VERSION: u32 = 6;

/// What every shard begins with.
const MAGIC: &[u8] = b"thirdtrail shard\n";

/// What a store tells of an object beside its key: when it is another, the object is another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// Size.
    pub size_bytes: u64,
    /// The store's tag; empty where it has none.
    pub tag: String,
}

/// An object that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What the store told of it.
    pub mark: Mark,
    /// Why.
    pub reason: String,
}

/// Which records were taken for evidence, the window aside.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Selection {
    /// Only these recipient accounts; empty for all.
    pub accounts: BTreeSet<AccountId>,
    /// Only these Regions; empty for all.
    pub regions: BTreeSet<String>,
}

impl Selection {
    /// That of a scope.
    #[must_use]
    pub fn of(scope: &Scope) -> Self {
        Self { accounts: scope.accounts.clone(), regions: scope.regions.clone() }
    }
}

/// Evidence of events that lie in one span of time, so that a window takes or leaves them as a whole.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// First and last event that could have been kept; `None` when there is none.
    pub span: Option<Span>,
    /// What was kept, whatever the window.
    pub evidence: Evidence,
}

impl Part {
    /// A part, with its span as the evidence tells it.
    #[must_use]
    pub fn of(evidence: Evidence) -> Self {
        let spans = evidence.coverage.places.values().map(|place| place.events);
        Self { span: spans.fold(None, join), evidence }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Shard {
    /// Which records were taken.
    pub selection: Selection,
    /// Roles in it of which only the last activity was kept.
    pub quiet: BTreeSet<RoleRef>,
    /// Users in it whose calls were kept.
    pub party_users: BTreeSet<String>,
    /// The objects whose evidence this is.
    pub held: BTreeMap<String, Mark>,
    /// Objects that were tried and are not in the evidence.
    pub failed: BTreeMap<String, Failure>,
    /// The evidence; without what could not be read, which is to be tried again.
    pub parts: Vec<Part>,
}

/// Why bytes are no shard that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// Something else, or damaged.
    #[error("not a shard, or damaged")]
    Damaged,
    /// It ends too early.
    #[error("ends too early")]
    Short,
    /// A value that no shard holds.
    #[error("a {0} is not what it should be")]
    Value(&'static str),
    /// Sound, but of a version whose evidence is not ours.
    #[error("made by version {0}")]
    OtherVersion(String),
}

/// The version that a shard must have been made by, to be used.
fn maker() -> String {
    format!("{}/{VERSION}", env!("CARGO_PKG_VERSION"))
}

impl Shard {
    /// The shard of evidence that was read of these objects with a scope without a window.
    #[must_use]
    pub fn of(scope: &Scope, objects: impl IntoIterator<Item = (String, Mark)>, evidence: Vec<Evidence>) -> Self {
        let mut shard = Self { selection: Selection::of(scope), ..Self::default() };
        let mut reasons = BTreeMap::new();
        for mut evidence in evidence {
            reasons.append(&mut evidence.coverage.failed);
            for role in evidence.role_refs() {
                if scope.quiet_roles.contains(&role) {
                    shard.quiet.insert(role);
                }
            }
            let parties = evidence.users().filter(|user| scope.is_party_user(user));
            shard.party_users.extend(parties.map(str::to_owned));
            shard.parts.push(Part::of(evidence));
        }
        for (key, mark) in objects {
            match reasons.remove(&key) {
                Some(reason) => drop(shard.failed.insert(key, Failure { mark, reason })),
                None => drop(shard.held.insert(key, mark)),
            }
        }
        shard
    }

    /// What its content follows from: the objects, what was tried, the selection, the roles kept in little, and the
    /// version. Shards of one address say the same.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&self.head().to_bytes()))
    }

    /// It without its evidence.
    fn head(&self) -> Self {
        Self {
            selection: self.selection.clone(),
            quiet: self.quiet.clone(),
            party_users: self.party_users.clone(),
            held: self.held.clone(),
            failed: self.failed.clone(),
            parts: Vec::new(),
        }
    }

    /// Adds another shard of the same selection.
    pub fn join(&mut self, other: Self) {
        self.party_users = self.users_kept_in_both(&other);
        self.quiet.extend(other.quiet);
        self.failed.extend(other.failed);
        self.held.extend(other.held);
        self.failed.retain(|key, _| !self.held.contains_key(key));
        for part in other.parts {
            let days = |part: &Part| part.span.map(|span| (span.first.date_naive(), span.last.date_naive()));
            match self.parts.iter_mut().find(|known| days(known) == days(&part)) {
                Some(known) => {
                    known.span = join(known.span, part.span);
                    known.evidence.merge(part.evidence);
                }
                None => self.parts.push(part),
            }
        }
    }

    /// The users whose calls were kept wherever they are.
    fn users_kept_in_both(&self, other: &Self) -> BTreeSet<String> {
        let seen: [BTreeSet<&str>; 2] = [self.users().collect(), other.users().collect()];
        let kept = |user: &&String| {
            let mut sides = [self, other].into_iter().zip(&seen);
            sides.all(|(shard, seen)| !seen.contains(user.as_str()) || shard.party_users.contains(*user))
        };
        self.party_users.union(&other.party_users).filter(kept).cloned().collect()
    }

    /// Whether what was kept is enough for a scope, its window aside.
    #[must_use]
    pub fn serves(&self, scope: &Scope) -> bool {
        let kept = |user: &str| !scope.is_party_user(user) || self.party_users.contains(user);
        self.selects_like(scope)
            && self.quiet.iter().all(|role| scope.quiet_roles.contains(role))
            && self.users().all(kept)
    }

    /// The users in it, by ARN.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| part.evidence.users())
    }

    fn selects_like(&self, scope: &Scope) -> bool {
        if self.selection == Selection::of(scope) {
            return true;
        }
        // All was taken, and all of it is asked for.
        let places = self.parts.iter().flat_map(|part| {
            let names = &part.evidence.names;
            part.evidence.coverage.places.keys().map(|(account, region)| (*account, names.text(*region)))
        });
        self.selection == Selection::default()
            && places.into_iter().all(|(account, region)| scope.admits_place(account, region))
    }
}
