//! The risk part of the report: what a role's grants amount to, and the number that falls when the proposals are applied.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::policy::risk::{Answer, BlastRadius, Classes, Counts, OpenPath, Radius, Wildcard};

/// What a role's grants amount to; the findings are made of it.
#[derive(Debug, Clone)]
pub struct RoleRisk {
    /// Whether it may do everything; `None` where it certainly may not.
    pub admin: Option<Answer>,
    /// Ways from its rights to more.
    pub paths: Vec<OpenPath>,
    /// Grants that are grave by themselves.
    pub classes: Classes,
    /// Wildcards that stand for writing.
    pub wildcards: Vec<Wildcard>,
    /// How it can pass every role; `None` where it cannot.
    pub passes: Option<PassesRoles>,
    /// Whether nothing limits it: it certainly has no permissions boundary.
    pub is_unbounded: bool,
    /// Why nothing is certain, if so: a policy or boundary that cannot be read.
    pub doubt: Option<String>,
    /// Its dangerous grants, counted.
    pub before: Counts,
    /// The same with the proposals applied.
    pub after: Counts,
}

impl RoleRisk {
    /// The numbers of the report.
    #[must_use]
    pub fn blast_radius(&self) -> BlastRadius {
        BlastRadius { before: self.before.radius(), after: self.after.radius() }
    }
}

/// Every role can be passed.
#[derive(Debug, Clone)]
pub struct PassesRoles {
    /// The only services to which they can; empty for every service.
    pub services: BTreeSet<String>,
    /// How far.
    pub answer: Answer,
}

/// The blast radius of a party: over all roles that it can or did assume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyBlastRadius {
    /// As the policies are, from 0 to 100.
    pub before: Radius,
    /// As they would be with all proposals applied.
    pub after: Radius,
    /// Roles that are not in the inventory, whose grants nobody knows and which are not counted.
    pub roles_not_known: u64,
}
