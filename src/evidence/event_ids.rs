//! A set of event ids that grows by appending and is sorted only when it is asked.
//!
//! Sixteen bytes an id: this is what makes counts exact however often an event was delivered (S4).

use std::borrow::Cow;

use crate::cloudtrail::record::EventId;

/// A set of event ids.
#[derive(Clone, Debug, Default)]
pub struct EventIds {
    ids: Vec<EventId>,
    sorted: usize,
}

impl EventIds {
    /// Adds one id; adding it again changes nothing.
    pub fn insert(&mut self, id: EventId) {
        if self.ids.last() == Some(&id) {
            return;
        }
        if self.ids.is_empty() {
            // Most sightings hold one id.
            self.ids.reserve_exact(1);
        }
        self.ids.push(id);
        // Sorting at every doubling keeps duplicates from piling up and costs no more than sorting once.
        if self.ids.len() > 64 && self.ids.len() >= 2 * self.sorted {
            self.settle();
        }
    }

    /// Makes room for many.
    pub fn reserve(&mut self, ids: usize) {
        self.ids.reserve_exact(ids);
    }

    /// Adds one id without ever sorting: for a set that is emptied before repetitions could pile up.
    pub fn append(&mut self, id: EventId) {
        self.ids.push(id);
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: &Self) {
        self.ids.extend_from_slice(&other.ids);
        self.sorted = 0;
        self.settle();
    }

    /// Sorts and drops repetitions.
    pub fn settle(&mut self) {
        if self.sorted != self.ids.len() {
            self.ids.sort_unstable();
            self.ids.dedup();
            self.sorted = self.ids.len();
        }
    }

    fn is_settled(&self) -> bool {
        self.sorted == self.ids.len() || self.ids.len() == 1
    }

    /// The smallest ids in order, at most `most`.
    #[must_use]
    pub fn first(&self, most: usize) -> Vec<EventId> {
        let sorted = if self.is_settled() { Cow::Borrowed(&self.ids) } else { Cow::Owned(self.to_sorted()) };
        sorted.iter().take(most).copied().collect()
    }

    /// Every id, in no order, some perhaps more than once.
    pub fn iter(&self) -> impl Iterator<Item = EventId> {
        self.ids.iter().copied()
    }

    /// The ids in order, each once.
    #[must_use]
    pub fn to_sorted(&self) -> Vec<EventId> {
        let mut all = self.clone();
        all.settle();
        all.ids
    }

    /// How many different ids there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        if self.is_settled() { self.ids.len() as u64 } else { self.to_sorted().len() as u64 }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Bytes that the ids take.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.ids.len() * size_of::<EventId>()
    }

    /// Hands out the ids in order and forgets them, but keeps the room for others.
    pub fn take_sorted<R>(&mut self, take: impl FnOnce(&[EventId]) -> R) -> R {
        self.settle();
        let answer = take(&self.ids);
        self.ids.clear();
        self.sorted = 0;
        answer
    }

    /// Takes the ids out, sorted, leaving none: for a caller that keeps them elsewhere.
    #[must_use]
    pub fn drain_sorted(&mut self) -> Vec<EventId> {
        let mut all = std::mem::take(self);
        all.settle();
        all.ids
    }
}

impl FromIterator<EventId> for EventIds {
    fn from_iter<T: IntoIterator<Item = EventId>>(ids: T) -> Self {
        let mut set = Self { ids: ids.into_iter().collect(), sorted: 0 };
        set.settle();
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S4: one event id counts once.
    #[test]
    fn ids_count_once_however_often_they_come() {
        let mut ids = EventIds::default();
        for round in 0..5_u128 {
            for id in 0..100_u128 {
                ids.insert(EventId(id * 7 % 100 + round / 9));
            }
        }
        assert_eq!(ids.count(), 100);
        for id in [EventId(0), EventId(99), EventId(0)] {
            ids.append(id);
        }
        assert_eq!((ids.count(), ids.first(2)), (100, vec![EventId(0), EventId(1)]));
        let mut other: EventIds = (50..150).map(EventId).collect();
        other.merge(&ids);
        assert_eq!((other.count(), other.drain_sorted().len(), other.count()), (150, 150, 0));
    }
}
