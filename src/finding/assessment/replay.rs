//! The replay part of the report: which calls were replayed, which could not be decided, and what was missing.

use serde::{Deserialize, Serialize};

use crate::aws::Action;

/// What the replay of a role's calls could and could not show (S37). Calls are distinct ones: by action, resource and
/// what is known of the context.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReplayReport {
    /// The actions of the calls that were replayed.
    pub actions: Vec<ReplayedAction>,
    /// Calls that the current policies do not decide: for them the replay shows only that nothing else is decided after.
    pub undecided: u64,
    /// Of these, calls whose resource the records do not show where a statement asks for one.
    pub resource_unknown: u64,
    /// Of these, calls that hang on a condition key that the records do not show.
    pub condition_keys: Vec<MissingKey>,
    /// Calls that were not replayed, because no rule says which actions they need (S22).
    pub unmapped: Vec<UnmappedApi>,
}

/// How often one action was replayed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplayedAction {
    /// The action.
    pub action: Action,
    /// Distinct calls.
    pub calls: u64,
    /// Of these, undecided.
    pub undecided: u64,
}

/// A condition key that records do not show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MissingKey {
    /// As a policy of the role writes it.
    pub key: String,
    /// Distinct calls that hang on it.
    pub calls: u64,
}

/// An API whose calls were not replayed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnmappedApi {
    /// Event source and event name.
    pub api: String,
    /// How many calls, not only distinct ones.
    pub calls: u64,
}

impl super::CertificateReport {
    /// Calls that neither today's policies nor the proposed ones allow.
    #[must_use]
    pub fn allowed_by_neither(&self) -> u64 {
        self.calls_replayed.saturating_sub(self.calls_allowed + self.undecidable)
    }
}
