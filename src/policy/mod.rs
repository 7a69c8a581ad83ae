//! What is granted: policy documents, their evaluation, and the smaller policy that evidence allows.
//!
//! Pure: documents and requests in, decisions and documents out. Imports `aws` only. Where AWS's answer depends on
//! something that is not known, the answer is unknown ([`Truth`]), and unknown keeps.

pub mod action_index;
pub mod admission;
pub mod builtin;
pub mod catalog;
pub mod certificate;
pub mod comparison;
pub mod compiled;
pub mod condition;
pub mod containment;
pub mod context;
pub mod danger;
pub mod diff;
pub mod document;
pub mod evaluate;
pub mod federation;
pub mod grant;
pub mod guardrail;
pub mod guardrail_proof;
pub mod id_demand;
pub mod inclusion;
pub mod inventory;
pub mod inventory_places;
pub mod inventory_users;
pub mod last_accessed;
pub mod lint;
pub mod located;
pub mod narrow;
pub mod near;
pub mod organization;
pub mod pattern;
pub mod reachable;
pub mod revision;
pub mod rightsize;
pub mod risk;
pub mod size;
pub mod statement;
pub mod trust;
pub mod trust_edit;
pub mod trust_probe;
pub mod truth;
pub mod undecided;
pub mod users;
pub mod vendor_role;
pub mod without_id;

pub use action_index::ActionIndex;
pub use catalog::Catalog;
pub use certificate::{Certificate, CounterExample, ObservedCall, certify};
pub use compiled::PolicySet;
pub use context::Context;
pub use diff::diff;
pub use document::{DocumentError, PolicyDocument};
pub use evaluate::{Decision, Evaluation, InForce, NamedPolicy, Request, Resource, StatementRef, evaluate};
pub use grant::{Grant, Granted, UnmatchedPattern, expand};
pub use inclusion::{lost_denials, subset, unproven_grants};
pub use rightsize::{Removal, Rightsized, StatementChange, rightsize};
pub use size::{PolicyKind, TooLarge, compact, split};
pub use statement::{ActionMatch, Effect, ResourceMatch, Statement};
pub use trust::{Caller, trust_decision};
pub use truth::Truth;
