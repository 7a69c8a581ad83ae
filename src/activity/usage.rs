//! What a group of calls used: IAM actions with their evidence, and what could not be mapped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::aws::{Action, ApiCall};
use crate::evidence::few::Few;
use crate::evidence::limits;
use crate::evidence::names::Names;
use crate::evidence::session::Span;
use crate::evidence::sighting::{CallKey, Sighting, join};

use super::action_map::{Certainty, Class, Mapping};

/// One sighting with its meaning: a view of the evidence, because there are as many as sightings.
#[derive(Clone, Debug)]
pub struct SeenCall<'e> {
    /// The texts of `key`.
    pub names: &'e Names,
    /// API, place and variety of parameters.
    pub key: &'e CallKey,
    /// What the API means.
    pub mapping: Arc<Mapping>,
    /// The calls.
    pub sighting: &'e Sighting,
    /// Whether the session was opened with MFA, by a record of it.
    pub mfa: bool,
}

impl<'e> SeenCall<'e> {
    /// The event source, without suffix.
    #[must_use]
    pub fn source(&self) -> &'e str {
        self.names.text(self.key.source)
    }

    /// The event name.
    #[must_use]
    pub fn name(&self) -> &'e str {
        self.names.text(self.key.name)
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &'e str {
        self.names.text(self.key.region)
    }

    /// The service that called on the session's behalf, or empty (S12).
    #[must_use]
    pub fn via(&self) -> &'e str {
        self.names.text(self.key.via)
    }

    /// What sets the order of a session's calls: the API, the place, the variety.
    #[must_use]
    pub fn order(&self) -> impl Ord + use<'e> {
        (self.source(), self.name(), self.key.account, self.region(), self.via(), self.key.hints)
    }

    /// The API.
    #[must_use]
    pub fn call(&self) -> ApiCall {
        ApiCall { source: self.names.shared(self.key.source), name: self.names.shared(self.key.name) }
    }

    /// Calls in all, denied and failed included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.sighting.allowed.count() + self.sighting.denied.count() + self.sighting.failed.count()
    }
}

/// How one action was used.
#[derive(Clone, Debug, Default)]
pub struct ActionUse {
    /// Calls in all, denied and failed included.
    pub calls: u64,
    /// Calls refused: no use (S21).
    pub denied: u64,
    /// Calls that failed after authorization: use (S21).
    pub failed: u64,
    /// First and last use.
    pub used: Option<Span>,
    /// First and last refusal.
    pub refused: Option<Span>,
    /// ARNs in the records of uses; not all need belong to this action.
    pub resources: BTreeSet<String>,
    /// Event ids of uses, or of refusals when there is no use.
    pub samples: Few<{ limits::SAMPLES }>,
    /// Whether some call is certain to have used it; otherwise it only may have been (S20).
    pub certain: bool,
    /// APIs by which it was used, for the reason.
    pub apis: BTreeSet<ApiCall>,
}

impl ActionUse {
    /// Whether there was a use, certain or possible.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.used.is_some()
    }

    fn add(&mut self, seen: &SeenCall<'_>, certainty: Certainty) {
        let sighting = seen.sighting;
        // A refused call proves the wish for the action that it is named after, not for the others it may need.
        let denied = if certainty == Certainty::Primary { sighting.denied.count() } else { 0 };
        self.denied += denied;
        self.failed += sighting.failed.count();
        self.calls += sighting.allowed.count() + sighting.failed.count() + denied;
        self.used = join(self.used, sighting.used);
        if certainty == Certainty::Primary {
            self.refused = join(self.refused, sighting.refused);
        }
        if sighting.used.is_some() {
            self.certain |= certainty != Certainty::Maybe;
            self.apis.insert(seen.call());
        }
        for resource in sighting.resources.iter() {
            if !self.resources.contains(resource) {
                self.resources.insert(resource.to_owned());
            }
        }
        sighting.samples(|id| self.samples.insert(id));
    }
}

/// Calls that no rule knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmapped {
    /// How many.
    pub calls: u64,
    /// The services they could belong to; no removal there (S22).
    pub services: BTreeSet<String>,
}

/// What a group of calls used.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// By action.
    pub actions: BTreeMap<Action, ActionUse>,
    /// By API.
    pub unmapped: BTreeMap<ApiCall, Unmapped>,
}

impl Usage {
    /// Sums up sightings.
    pub fn of<'a, 'e: 'a>(calls: impl Iterator<Item = &'a SeenCall<'e>>) -> Self {
        let mut usage = Self::default();
        for seen in calls {
            for mapped in &seen.mapping.actions {
                usage.actions.entry(mapped.action.clone()).or_default().add(seen, mapped.certainty);
            }
            if seen.mapping.class == Class::Unmapped {
                let unmapped = usage.unmapped.entry(seen.call()).or_default();
                unmapped.calls += seen.calls();
                unmapped.services.extend(seen.mapping.candidate_services.iter().cloned());
            }
        }
        usage.actions.retain(|_, action| action.calls > 0);
        usage
    }

    /// Adds a use of `action` that another account's record proves.
    pub fn add_proven(&mut self, action: Action, span: Span, resource: &str, event_id: &str) {
        let entry = self.actions.entry(action).or_default();
        entry.calls += 1;
        entry.certain = true;
        entry.used = join(entry.used, Some(span));
        entry.resources.insert(resource.to_owned());
        entry.samples.insert(event_id);
    }

    /// Services in which nothing may be removed, because a call there could not be mapped (S22).
    #[must_use]
    pub fn blocked_services(&self) -> BTreeSet<String> {
        self.unmapped.values().flat_map(|unmapped| unmapped.services.iter().cloned()).collect()
    }
}
