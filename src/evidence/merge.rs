//! Evidence, and how two of them become one.
//!
//! A commutative, associative and idempotent union with the empty evidence as its identity: workers, shards of a
//! nightly run and tasks of a cluster all end in `merge`, in whatever order they finish.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::cloudtrail::record::EventId;

use super::call;
use super::change::ChangeSeen;
use super::coverage::Coverage;
use super::event_ids::EventIds;
use super::names::Names;
use super::session::{Actor, Acts, Asked, HandOffSeen, RoleName, Span};
use super::sighting::{CallKey, Sighting, join};
use super::user_key::{KeyUse, UserKey};

/// What remains of a trail: hand-offs, sightings, what changed who may come in, and coverage.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The texts behind all names in it.
    pub names: Names,
    /// Hand-off records by event. Boxed, because they are large and tables have empty slots.
    pub handoffs: HashMap<EventId, Box<HandOffSeen>>,
    /// What they have in common, each once.
    asked: HashSet<Arc<Asked>>,
    /// Sightings by actor.
    pub actors: HashMap<Actor, Acts>,
    /// First and last activity of every role, quiet ones included.
    pub roles: HashMap<RoleName, Span>,
    /// Uses of the keys of users.
    pub keys: HashMap<UserKey, KeyUse>,
    /// Changes of access by event.
    pub changes: HashMap<EventId, Box<ChangeSeen>>,
    /// Events that were read and are no sighting, hand-off or change.
    pub out_of_scope: EventIds,
    /// What was read.
    pub coverage: Coverage,
}

/// About what an actor takes beside its calls: its key, its names, its networks and agents.
pub const ACTOR_BYTES: usize = size_of::<(Actor, Acts)>() + 320;
/// About what a sighting takes beside its ids: its key, its network, its resources.
pub const SIGHTING_BYTES: usize = size_of::<(CallKey, Box<Sighting>)>() + size_of::<Sighting>() + 160;

/// Ids of all calls, in no order, some perhaps more than once.
pub fn ids_of(actors: &HashMap<Actor, Acts>) -> impl Iterator<Item = EventId> {
    actors.values().flat_map(|acts| acts.calls.values()).flat_map(|sighting| sighting.ids())
}

fn merge_key(keys: &mut HashMap<UserKey, KeyUse>, key: UserKey, used: KeyUse) {
    match keys.get_mut(&key) {
        Some(known) => known.merge(&used),
        None => drop(keys.insert(key, used)),
    }
}

/// How often each fate befell a record; the four sum up to the total (invariant 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecordCounts {
    /// All records of all objects read.
    pub total: u64,
    /// Different events that became evidence.
    pub used: u64,
    /// Different events that did not have to.
    pub out_of_scope: u64,
    /// Further deliveries of either.
    pub duplicate: u64,
    /// Records that could not be used.
    pub bad: u64,
}

impl Evidence {
    /// Adds another evidence.
    pub fn merge(&mut self, other: Self) {
        let mut translate = self.names.adopt(&other.names);
        for (actor, acts) in other.actors {
            self.actors.entry(actor.translated(&mut translate)).or_default().merge(acts, &mut translate);
        }
        for (role, span) in other.roles {
            let known = self.roles.entry(role.translated(&mut translate)).or_insert(span);
            *known = known.and(span);
        }
        for (key, used) in other.keys {
            merge_key(&mut self.keys, key.translated(&mut translate), used);
        }
        self.coverage.merge(other.coverage, &mut translate);
        let asked = other.asked.iter().map(|asked| (Arc::as_ptr(asked), self.ask(asked))).collect::<HashMap<_, _>>();
        for (id, mut seen) in other.handoffs {
            if let Some(known) = asked.get(&Arc::as_ptr(&seen.asked)) {
                seen.asked = Arc::clone(known);
            }
            (seen.network, seen.agent) = (self.names.share(&seen.network), self.names.share(&seen.agent));
            self.put_hand_off(id, seen);
        }
        for (id, change) in other.changes {
            self.note_change(id, change);
        }
        self.out_of_scope.merge(&other.out_of_scope);
    }

    /// Sorts what is sorted late, so that counting needs no copy afterwards. Says the same as before.
    pub fn settle(&mut self) {
        for sighting in self.actors.values_mut().flat_map(|acts| acts.calls.values_mut()) {
            sighting.settle();
            call::settle(&mut sighting.calls, &self.names);
        }
        self.out_of_scope.settle();
        self.coverage.forgive();
    }

    /// Notes a hand-off. Of two records of one event (S5) the greater stays, so that the order does not matter.
    pub fn note_hand_off(&mut self, id: EventId, mut seen: Box<HandOffSeen>) {
        seen.asked = self.ask(&seen.asked);
        self.put_hand_off(id, seen);
    }

    /// The same, shared with all hand-offs that have it.
    fn ask(&mut self, asked: &Arc<Asked>) -> Arc<Asked> {
        Arc::clone(self.asked.get_or_insert_with(asked, Arc::clone))
    }

    fn put_hand_off(&mut self, id: EventId, seen: Box<HandOffSeen>) {
        match self.handoffs.get_mut(&id) {
            Some(known) if *known >= seen => {}
            Some(known) => *known = seen,
            None => drop(self.handoffs.insert(id, seen)),
        }
    }

    /// Notes a change of access. Of two records of one event (S5) the greater stays.
    pub fn note_change(&mut self, id: EventId, change: Box<ChangeSeen>) {
        match self.changes.get_mut(&id) {
            Some(known) if *known >= change => {}
            Some(known) => *known = change,
            None => drop(self.changes.insert(id, change)),
        }
    }

    /// Notes how a key was used.
    pub fn note_key(&mut self, key: UserKey, used: KeyUse) {
        merge_key(&mut self.keys, key, used);
    }

    /// Notes that a role was active at some time.
    pub fn note_role(&mut self, role: RoleName, span: Span) {
        let known = self.roles.entry(role).or_insert(span);
        *known = join(Some(*known), Some(span)).unwrap_or(span);
    }

    /// About the memory that its actors and all names take, in bytes.
    #[must_use]
    pub fn actors_bytes(&self) -> usize {
        let calls = self.actors.values().flat_map(|acts| acts.calls.values());
        self.actors.len() * ACTOR_BYTES
            + calls.map(|sighting| SIGHTING_BYTES + sighting.held_bytes()).sum::<usize>()
            + self.names.held_bytes()
    }

    /// Takes each single call out and leaves the sums: actors that hold nothing but their calls.
    #[must_use]
    pub fn take_calls(&mut self) -> HashMap<Actor, Acts> {
        let actors = self.actors.iter_mut().map(|(actor, acts)| (*actor, acts.take_calls()));
        actors.filter(|(_, acts)| !acts.calls.is_empty()).collect()
    }

    /// Ids of the events that became evidence, in order.
    #[must_use]
    pub fn used_ids(&self) -> Vec<EventId> {
        let records = self.handoffs.keys().chain(self.changes.keys()).copied();
        let mut ids: Vec<EventId> = records.chain(ids_of(&self.actors)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The fate of every record.
    #[must_use]
    pub fn record_counts(&self) -> RecordCounts {
        let used = self.used_ids();
        let others = self.out_of_scope.to_sorted();
        let others = others.iter().filter(|id| used.binary_search(id).is_err()).count();
        self.fates(used.len() as u64, others as u64)
    }

    /// The fate of every record, when this many different events became evidence and this many did not have to; for a
    /// caller that keeps ids elsewhere.
    #[must_use]
    pub fn fates(&self, used: u64, others: u64) -> RecordCounts {
        let totals = self.coverage.totals();
        RecordCounts {
            total: totals.records,
            used,
            out_of_scope: others,
            duplicate: (totals.records - totals.bad).saturating_sub(used + others),
            bad: totals.bad,
        }
    }
}
