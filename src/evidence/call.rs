//! One call of an actor: what its record tells beside what all calls of its sighting have in common.

use std::cmp::Ordering;

use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::record::EventId;

use super::names::{Name, Names, Translation};

/// Stands for the id of a record that has none.
pub const NO_ID: &str = "-";

/// `readOnly`, in the order of the numbers that stand for it in files.
pub const READ_ONLY: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// The id of an event as a call keeps it: nothing where `id` tells it, [`NO_ID`] where the record has none.
#[must_use]
pub fn event_text(id: EventId, written: &str) -> &str {
    match written {
        "" => NO_ID,
        told if id.tells(told) => "",
        odd => odd,
    }
}

/// See the module. There are as many as calls of third parties, so texts are names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// Its event.
    pub id: EventId,
    /// When, in seconds since 1970.
    pub seconds: i64,
    /// What came of it.
    pub outcome: Outcome,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// `eventID` as written, where the id does not tell it; else empty. [`NO_ID`] where the record has none.
    pub event: Name,
    /// `errorCode`, or empty.
    pub error: Name,
    /// `sourceIPAddress`.
    pub network: Name,
    /// `userAgent`.
    pub agent: Name,
    /// ARNs in the record, a line each.
    pub resources: Name,
}

impl Call {
    /// Its texts: event id, error code, address, agent, resources.
    #[must_use]
    pub fn texts<'n>(&self, names: &'n Names) -> [&'n str; 5] {
        [self.event, self.error, self.network, self.agent, self.resources].map(|name| names.text(name))
    }

    /// The same call in the names of another evidence.
    #[must_use]
    pub fn translated(self, translate: &mut Translation<'_>) -> Self {
        Self {
            event: translate.of(self.event),
            error: translate.of(self.error),
            network: translate.of(self.network),
            agent: translate.of(self.agent),
            resources: translate.of(self.resources),
            ..self
        }
    }

    fn compared(&self, other: &Self, names: &Names) -> Ordering {
        let told = |call: &Self| (call.id, call.seconds, call.outcome, call.read_only);
        told(self).cmp(&told(other)).then_with(|| self.texts(names).cmp(&other.texts(names)))
    }
}

/// Sorts calls by their event and keeps one of each (S4); of two records of one event (S5) the lesser stays, so that the
/// order in which they came does not matter.
pub fn settle(calls: &mut Vec<Call>, names: &Names) {
    if calls.len() > 1 {
        calls.sort_unstable_by(|a, b| a.compared(b, names));
        calls.dedup_by_key(|call| call.id);
    }
}
