//! What a group of calls used: IAM actions with their evidence, and what could not be mapped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::aws::{AccountId, Action, ApiCall};
use crate::cloudtrail::parameters::Hints;
use crate::evidence::session::Span;
use crate::evidence::sighting::{Sighting, join};

use super::action_map::{Certainty, Class, Mapping};

/// One sighting with its meaning.
#[derive(Clone, Debug)]
pub struct SeenCall<'e> {
    /// The API.
    pub call: ApiCall,
    /// The account whose trail holds the calls.
    pub account: AccountId,
    /// The Region.
    pub region: Arc<str>,
    /// The service that called on the session's behalf, or empty (S12).
    pub via: Arc<str>,
    /// The variety of parameters.
    pub hints: Hints,
    /// What the API means.
    pub mapping: Arc<Mapping>,
    /// The calls.
    pub sighting: &'e Sighting,
}

impl SeenCall<'_> {
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
    pub samples: BTreeSet<String>,
    /// Whether some call is certain to have used it; otherwise it only may have been (S20).
    pub certain: bool,
    /// APIs by which it was used, for the reason.
    pub apis: BTreeSet<String>,
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
            self.apis.insert(seen.call.to_string());
        }
        self.resources.extend(sighting.resources.iter().map(str::to_owned));
        self.samples.extend(sighting.samples());
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
                let unmapped = usage.unmapped.entry(seen.call.clone()).or_default();
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
        entry.samples.insert(event_id.to_owned());
    }

    /// Services in which nothing may be removed, because a call there could not be mapped (S22).
    #[must_use]
    pub fn blocked_services(&self) -> BTreeSet<String> {
        self.unmapped.values().flat_map(|unmapped| unmapped.services.iter().cloned()).collect()
    }
}
