//! The whole answer as types: what `report.json` says, and what the other outputs need beside it.
//!
//! Field names that serialize are the contract of `report.json` (schema `thirdtrail.report/1`): add, never rename.
//! Every list is sorted by its first field, every time is RFC 3339 UTC with seconds.

mod access;
mod coverage;
mod daily;
mod guardrail;
mod integrity;
mod moment;
mod replay;
mod risk;
mod role;
mod rows;
mod trust_narrowing;
mod user;

use std::collections::BTreeSet;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::aws::AccountId;
use crate::aws::window::Time;
use moment::{optional_time, time};

pub use access::{AccessChange, ChangedBy, LetIn};
pub use coverage::*;
pub use daily::*;
pub use guardrail::*;
pub use integrity::*;
pub use replay::*;
pub use risk::*;
pub use role::*;
pub use rows::*;
pub use trust_narrowing::*;
pub use user::*;

/// Name and version of the report's schema.
pub const SCHEMA: &str = "thirdtrail.report/1";

/// Everything the outputs are rendered from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assessment {
    /// [`SCHEMA`].
    #[serde(deserialize_with = "known_schema")]
    pub schema: String,
    /// The window that was judged.
    pub window: WindowReport,
    /// The day from which idleness is counted.
    #[serde(with = "time")]
    pub as_of: Time,
    /// Days without activity from which a role is idle.
    pub idle_days: u32,
    /// What the report was asked for: another report may hold more or less for that reason alone.
    pub asked: AskedReport,
    /// What was read and what was not.
    pub coverage: CoverageReport,
    /// Outside and other parties seen or trusted.
    pub parties: Vec<PartyReport>,
    /// Roles that an outside party can or did assume.
    pub roles: Vec<RoleReport>,
    /// What should make somebody act.
    pub findings: Vec<Finding>,
    /// IAM users: those that the credential report or the last use of keys tells of, whose keys were used in the window, or
    /// whose keys a third party holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserReport>,
    /// Access that was given in the window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_changes: Vec<AccessChange>,
    /// Sessions, for the table of that name.
    #[serde(skip)]
    pub sessions: Vec<Vec<SessionRow>>,
    /// Calls summed by party, role and API, for the table `usage`.
    #[serde(skip)]
    pub usage: Vec<UsageRow>,
}

impl Assessment {
    /// The accounts that have roles here and of which no record was read.
    #[must_use]
    pub fn unread_accounts(&self) -> BTreeSet<AccountId> {
        let read: BTreeSet<AccountId> = self.coverage.accounts.iter().map(|account| account.account_id).collect();
        self.roles.iter().map(|role| role.account_id).filter(|account| !read.contains(account)).collect()
    }
}

/// What a report was asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AskedReport {
    /// Accounts; empty for all.
    pub accounts: Vec<AccountId>,
    /// Regions; empty for all.
    pub regions: Vec<String>,
    /// Largest share of the window's days that may be holes.
    pub max_holes: f64,
    /// Days from which an access key is old.
    pub key_days: u32,
    /// Vendors that the user listed.
    pub vendors: u64,
    /// Keep rules (S39).
    pub keep_rules: u64,
    /// Suppressions (S39).
    pub suppressions: u64,
    /// Whether trust policies were to be narrowed to callers or parties: `callers`, `parties`.
    pub narrow_trust: Option<String>,
    /// Whether the files of trust policies may show external ids (S42).
    pub show_external_ids: bool,
}

/// `since <= t < until`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct WindowReport {
    /// First moment inside.
    #[serde(with = "time")]
    pub since: Time,
    /// First moment after.
    #[serde(with = "time")]
    pub until: Time,
}

/// Who stands behind calls, over all channels.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PartyReport {
    /// Account id, provider ARN with subject, or a fixed word for `aws_service`, `unresolved`.
    pub id: String,
    /// `vendor`, `unknown_account`, `identity_provider`, `iam_user`, `own_organization`, `aws_service`, `unresolved`.
    pub kind: String,
    /// For people.
    pub name: String,
    /// For an IAM user: by what it was taken for a third party's, `list`, `tag` or `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_by: Option<String>,
    /// `assume_role`, `role_chain`, `web_identity`, `saml`, `access_key`, `resource_policy`, `temporary_delegation`,
    /// `roles_anywhere`.
    pub channels: Vec<String>,
    /// ARNs of the roles that it can or did assume.
    pub roles: Vec<String>,
    /// Sessions opened, or used in the window.
    pub sessions: u64,
    /// Calls in all, refused and failed ones included, the hand-offs into our roles apart.
    pub calls: u64,
    /// Refused calls and refused hand-offs.
    pub denied: u64,
    /// Calls that failed after authorization.
    pub failed: u64,
    /// Those of the failed calls that were refused because there were too many.
    pub throttled: u64,
    /// Calls that AWS charges for, refused and throttled ones apart.
    pub charged_calls: u64,
    /// These by API, the most frequent first.
    pub charged: Vec<ChargedCalls>,
    /// First hand-off or call.
    #[serde(with = "optional_time")]
    pub first_seen: Option<Time>,
    /// Last hand-off or call.
    #[serde(with = "optional_time")]
    pub last_seen: Option<Time>,
    /// Regions of its calls.
    pub regions: Vec<String>,
    /// Source addresses (up to a limit).
    pub networks: Vec<String>,
    /// User agents (up to a limit).
    pub agents: Vec<String>,
    /// What it could do to us with all roles that it can or did assume; `null` where none of them is in the inventory.
    pub blast_radius: Option<PartyBlastRadius>,
    /// Its calls by day, for the pages that people read.
    #[serde(skip)]
    pub days: Vec<DayCalls>,
    /// Its latest sessions, for the same.
    #[serde(skip)]
    pub latest: LatestSessions,
}

/// Calls of one API that are on our bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargedCalls {
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// How many.
    pub calls: u64,
    /// What AWS charges by: `request`, `metric`, `bytes scanned` and the like.
    pub by: String,
}

/// One thing that should make somebody act.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// Stable: code and subject, digested.
    pub id: String,
    /// A code of docs/FINDINGS.md.
    pub code: String,
    /// `critical`, `high`, `medium`, `low`, `info`.
    pub severity: String,
    /// The account concerned.
    pub account_id: Option<AccountId>,
    /// ARN, party id or account id.
    pub subject: String,
    /// The party concerned.
    pub party: Option<String>,
    /// One line.
    pub title: String,
    /// A few sentences.
    pub detail: String,
    /// What it rests on.
    pub evidence: Value,
    /// What to do next.
    pub remediation: String,
    /// Who answers for it, if somebody does: it then does not count for `--fail-on` (S39).
    pub suppressed: Option<SuppressedBy>,
    /// Whether the report given with `--baseline` has it already; `null` where none was given.
    pub known: Option<bool>,
}

/// The suppression of a finding (S39).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedBy {
    /// File and line of the suppression.
    pub by: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The first day on which it no longer hides; `null` for ever.
    pub expires: Option<String>,
}

/// Another schema is not read as if it were this one.
fn known_schema<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match String::deserialize(from)? {
        schema if schema == SCHEMA => Ok(schema),
        other => Err(D::Error::custom(format!("its schema is `{other}`, not `{SCHEMA}`"))),
    }
}
