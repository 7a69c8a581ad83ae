//! The trust part of a role's proposal: who would be let in no more, on what evidence, and what the replay says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A narrower trust policy, or why there is none (S34, S37, S40, S41).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TrustNarrowingReport {
    /// `proposed`, `template` (somebody must fill in what only the party knows), `unchanged`, `withheld`.
    pub status: String,
    /// Why not, or why nothing changes.
    pub reason: Option<String>,
    /// What would change, in the order of statements.
    pub steps: Vec<TrustStep>,
    /// What could be narrower and is left as it is, in the order of statements.
    pub left_alone: Vec<TrustLeftAlone>,
    /// The replay of the observed hand-offs; `null` where nothing was to be replayed.
    pub replay: Option<TrustReplay>,
    /// Size of the proposal, white space not counted (S36).
    pub narrowed_size: Option<u64>,
    /// Paths relative to the output folder; filled by the renderer.
    #[serde(skip_deserializing)]
    pub files: TrustFiles,
    /// What would make sessions easier to follow; at most one sentence, and only where the records show the need.
    pub advice: Option<String>,
    /// The trust policy as read; holds external ids (S42).
    #[serde(skip)]
    pub current: Value,
    /// The proposal; `null` where there is none. Holds external ids (S42).
    #[serde(skip)]
    pub narrowed: Value,
    /// Whether both documents have fingerprints where ids stood: they were read from an output, which holds no ids.
    #[serde(skip)]
    pub ids_are_hidden: bool,
}

/// One change of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustStep {
    /// `deleted_principal`, `unused_party`, `external_id`, `callers`, `subjects`, `audience`.
    pub kind: String,
    /// `Sid` or `#n`.
    pub statement: String,
    /// One sentence.
    pub detail: String,
    /// What it rests on.
    pub evidence: Value,
}

/// A change that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustLeftAlone {
    /// As in [`TrustStep`].
    pub kind: String,
    /// `Sid` or `#n`.
    pub statement: String,
    /// Why.
    pub reason: String,
}

/// The observed hand-offs, decided by the trust policy as it is and as proposed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustReplay {
    /// Successful hand-offs that were replayed, those in the 12 hours before the window included.
    pub hand_offs: u64,
    /// Of these, allowed by the proposal as they are now.
    pub allowed: u64,
    /// As undecided after as before: the trust policy asks for what records do not show. Every condition that is added holds
    /// for them.
    pub undecided: u64,
    /// Refused by today's trust policy already: it was changed since.
    pub refused_today: u64,
    /// Hand-offs of the window that were refused.
    pub refused: u64,
    /// Of these, refused by the proposal as they are by today's trust policy: always all in one that is written.
    pub still_refused: u64,
    /// Callers that the proposal would newly let in: always 0 in one that is written.
    pub newly_admitted: u64,
    /// What speaks against the proposal; not empty only when it was withheld.
    pub counter_examples: Vec<String>,
}

/// Where the documents lie; `null` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrustFiles {
    /// The trust policy as it is: the way back.
    pub current: Option<String>,
    /// The proposal; `.template.json` where something must be filled in.
    pub narrowed: Option<String>,
    /// A unified diff of both, with fingerprints for external ids unless these may be shown.
    pub diff: Option<String>,
    /// Why the documents themselves are not written.
    pub not_written: Option<&'static str>,
}
