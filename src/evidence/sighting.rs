//! A sighting: the mergeable summary of one actor's calls to one API in one place.

use crate::aws::AccountId;
use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::parameters::Hints;
use crate::cloudtrail::record::EventId;

use super::call::{self, Call};
use super::event_ids::EventIds;
use super::few::Few;
use super::limits;
use super::names::{Name, Names, Translation};
use super::session::Span;

/// Which calls are summed in one sighting: same API, same place, same variety of parameters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallKey {
    /// The account whose trail holds the calls.
    pub account: AccountId,
    /// The Region.
    pub region: Name,
    /// Event source without suffix.
    pub source: Name,
    /// Event name.
    pub name: Name,
    /// The service that called on the actor's behalf, or empty (S12).
    pub via: Name,
    /// What of the parameters changes the actions needed.
    pub hints: Hints,
}

impl CallKey {
    /// The same key in the names of another evidence.
    #[must_use]
    pub fn translated(self, translate: &mut Translation<'_>) -> Self {
        Self {
            region: translate.of(self.region),
            source: translate.of(self.source),
            name: translate.of(self.name),
            via: translate.of(self.via),
            ..self
        }
    }
}

/// The calls themselves. An event id is in exactly one of the three sets.
#[derive(Clone, Debug, Default)]
pub struct Sighting {
    /// Calls that succeeded.
    pub allowed: EventIds,
    /// Calls whose permission was refused: no use (S21).
    pub denied: EventIds,
    /// Calls that failed after authorization: use (S21).
    pub failed: EventIds,
    /// Those of the failed calls that were refused because there were too many; hardly any sighting has some.
    pub throttled: Option<Box<EventIds>>,
    /// First and last call that was a use.
    pub used: Option<Span>,
    /// First and last refused call.
    pub refused: Option<Span>,
    /// ARNs of the resources of used calls.
    pub resources: Few<{ limits::RESOURCES }>,
    /// Error codes.
    pub errors: Few<{ limits::ERRORS }>,
    /// Event ids of used calls that are no UUIDs, as written; all others can be told from the sets.
    pub odd_ids: Few<{ limits::SAMPLES }>,
    /// Event ids of refused calls that are no UUIDs.
    pub refused_odd_ids: Few<{ limits::SAMPLES }>,
    /// Source addresses of used calls.
    pub networks: Few<{ limits::NETWORKS }>,
    /// Each call, for the table of calls alone; an event perhaps more than once. Empty where they were put elsewhere.
    pub calls: Vec<Call>,
}

impl Sighting {
    /// The set that an id belongs to by its outcome.
    pub fn ids_mut(&mut self, outcome: Outcome) -> &mut EventIds {
        match outcome {
            Outcome::Allowed => &mut self.allowed,
            Outcome::Denied => &mut self.denied,
            Outcome::Failed => &mut self.failed,
        }
    }

    /// Notes the time of a call.
    pub fn note_time(&mut self, outcome: Outcome, span: Span) {
        let slot = if outcome == Outcome::Denied { &mut self.refused } else { &mut self.used };
        *slot = Some(slot.map_or(span, |known| known.and(span)));
    }

    /// Adds the calls of another summary; a call in both counts once.
    pub fn merge(&mut self, other: &Self, translate: &mut Translation<'_>) {
        self.allowed.merge(&other.allowed);
        self.denied.merge(&other.denied);
        self.failed.merge(&other.failed);
        if let Some(throttled) = &other.throttled {
            self.throttled.get_or_insert_default().merge(throttled);
        }
        self.used = join(self.used, other.used);
        self.refused = join(self.refused, other.refused);
        self.resources.merge(&other.resources);
        self.errors.merge(&other.errors);
        self.odd_ids.merge(&other.odd_ids);
        self.refused_odd_ids.merge(&other.refused_odd_ids);
        self.networks.merge(&other.networks);
        self.calls.extend(other.calls.iter().map(|call| call.translated(translate)));
    }

    /// Turns the names of its calls into those of another evidence.
    pub fn translate(&mut self, translate: &mut Translation<'_>) {
        for call in &mut self.calls {
            *call = call.translated(translate);
        }
    }

    /// Its calls by event, each once.
    #[must_use]
    pub fn settled_calls(&self, names: &Names) -> Vec<Call> {
        let mut calls = self.calls.clone();
        call::settle(&mut calls, names);
        calls
    }

    /// Sorts the ids.
    pub fn settle(&mut self) {
        for ids in [&mut self.allowed, &mut self.denied, &mut self.failed] {
            ids.settle();
        }
        if let Some(throttled) = &mut self.throttled {
            throttled.settle();
        }
    }

    /// Shows a few event ids, of used calls if there are any, else of refused ones.
    pub fn samples(&self, mut see: impl FnMut(&str)) {
        let (odd, sets) = match self.used {
            Some(_) => (&self.odd_ids, [Some(&self.allowed), Some(&self.failed)]),
            None => (&self.refused_odd_ids, [Some(&self.denied), None]),
        };
        if !odd.is_empty() {
            return odd.iter().for_each(see);
        }
        let mut ids: Vec<EventId> = sets.into_iter().flatten().flat_map(|set| set.first(limits::SAMPLES)).collect();
        ids.sort_unstable();
        ids.into_iter().take(limits::SAMPLES).for_each(|id| see(id.write_uuid(&mut [0; 36])));
    }

    /// Bytes that the ids and calls take.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let throttled = self.throttled.as_deref();
        let ids = [&self.allowed, &self.denied, &self.failed].into_iter().chain(throttled);
        ids.map(EventIds::held_bytes).sum::<usize>() + self.calls.len() * size_of::<Call>()
    }

    /// How many calls were refused because there were too many.
    #[must_use]
    pub fn throttled(&self) -> u64 {
        self.throttled.as_ref().map_or(0, |ids| ids.count())
    }

    /// Every id, in no order, some perhaps more than once.
    pub fn ids(&self) -> impl Iterator<Item = EventId> {
        [&self.allowed, &self.denied, &self.failed].into_iter().flat_map(EventIds::iter)
    }
}

/// The span that holds both, if any.
#[must_use]
pub fn join(a: Option<Span>, b: Option<Span>) -> Option<Span> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (a, b) => a.or(b),
    }
}
