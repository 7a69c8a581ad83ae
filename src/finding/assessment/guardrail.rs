//! The guard-rail part of the report: what could be taken from a role whose policy must stay as it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Action;

/// Two documents, of which a person applies one, that take the dangerous unused actions from a role and nothing else.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Guardrail {
    /// `proposed` (at least one of the documents), `not_needed`, `withheld`.
    pub status: String,
    /// Why withheld or not needed; of a proposal, why one of the documents is missing.
    pub reason: Option<String>,
    /// How many dangerous unused actions there are to take.
    pub taken: u64,
    /// These actions, when proposed.
    pub actions: Vec<Action>,
    /// Where the deny policy is to live: `inline` or `managed`; `null` without one.
    pub deny_kind: Option<String>,
    /// Names for the new policies, which nothing in the inventory has yet.
    pub names: GuardrailNames,
    /// ARN of the boundary that the role has now, all of which the new one holds; `null` without one.
    pub replaces_boundary: Option<String>,
    /// Paths relative to the output folder; filled by the renderer.
    #[serde(skip_deserializing)]
    pub files: GuardrailFiles,
    /// The proofs.
    pub certificate: GuardrailCertificates,
    /// The boundary.
    #[serde(skip)]
    pub boundary: Option<Value>,
    /// The deny policy: several documents when it had to be split (S36).
    #[serde(skip)]
    pub deny: Vec<Value>,
}

/// Names for the policies of a guard-rail. A name that is in use would overwrite an earlier guard-rail, and give back what
/// that one took.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GuardrailNames {
    /// Of the managed policy that is to be the boundary.
    pub boundary: Option<String>,
    /// Of the deny policies, inline or managed, in the order of the documents.
    pub deny: Vec<String>,
}

/// Where the documents of a guard-rail lie; `null` where there is none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GuardrailFiles {
    /// The permissions boundary.
    pub boundary: Option<String>,
    /// The deny policy.
    pub deny: Option<String>,
    /// Further parts of a deny policy that had to be split.
    pub further: Vec<String>,
}

/// The proofs of a guard-rail's two forms; `null` where a form could not even be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GuardrailCertificates {
    /// Of the permissions boundary.
    pub boundary: Option<GuardrailCertificate>,
    /// Of the deny policy.
    pub deny: Option<GuardrailCertificate>,
}

/// The replay proof of one form (S37).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GuardrailCertificate {
    /// Distinct calls replayed.
    pub calls_replayed: u64,
    /// Of these, allowed with the guard-rail as they are without.
    pub calls_allowed: u64,
    /// Of these, undecidable with the guard-rail as they are without.
    pub undecidable: u64,
    /// Actions granted without the guard-rail.
    pub granted_before: u64,
    /// Actions granted with it: those before, less the taken ones.
    pub granted_after: u64,
    /// Actions granted only with it: always 0 in a guard-rail that is written.
    pub newly_allowed: u64,
    /// What speaks against it; not empty only when it was withheld.
    pub counter_examples: Vec<String>,
}

impl Guardrail {
    /// A guard-rail that is not there, with the reason.
    #[must_use]
    pub fn none(status: &str, reason: impl Into<String>) -> Self {
        Self { status: status.to_owned(), reason: Some(reason.into()), ..Self::default() }
    }
}
