//! The role part of the report: who comes in, the ledger, the policies, the proposal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{ActionDays, Guardrail, LatestSessions, ReplayReport, RoleRisk, TrustNarrowingReport, optional_time, time};
use crate::aws::window::Time;
use crate::aws::{AccessLevel, AccountId, Action, Fingerprint};
use crate::policy::risk::BlastRadius;

/// A role that an outside party can or did assume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleReport {
    /// Its ARN, with path.
    pub arn: String,
    /// The account that owns it.
    pub account_id: AccountId,
    /// Its name.
    pub name: String,
    /// `AROA...`, or empty when never seen.
    pub role_id: String,
    /// From the inventory; `null` when the role is not in it.
    #[serde(with = "optional_time")]
    pub created_at: Option<Time>,
    /// Whether the inventory holds it; a role that is only in the records was deleted or not collected.
    pub in_inventory: bool,
    /// Who may come in.
    pub trust: Vec<TrustEntry>,
    /// What hand-offs carried, by party.
    pub external_ids: Vec<ExternalIdUse>,
    /// A narrower trust policy; `null` when the role is not in the inventory.
    pub trust_narrowing: Option<Box<TrustNarrowingReport>>,
    /// The later of CloudTrail's and IAM's.
    pub last_activity: Option<LastActivity>,
    /// Idleness.
    pub idle: Idle,
    /// Sessions.
    pub sessions: RoleSessions,
    /// The ledger: one entry per granted, used or denied action.
    pub actions: Vec<ActionEntry>,
    /// For very large grants: how many further actions by service, access level and verdict.
    pub actions_summed: Vec<ActionsSummed>,
    /// Actions that were tried and refused, and that no policy grants.
    pub denied_not_granted: Vec<DeniedAction>,
    /// All further entries, for the `permissions` table.
    #[serde(skip)]
    pub actions_beyond: Vec<ActionEntry>,
    /// Keep rules that cover granted actions, in the order of their file (S39).
    #[serde(skip)]
    pub keep: Vec<KeepUse>,
    /// Attached and inline policies.
    pub policies: Vec<PolicyReport>,
    /// What is proposed.
    pub rightsizing: Rightsizing,
    /// What its holder could do to us; `null` when the role is not in the inventory.
    pub blast_radius: Option<BlastRadius>,
    /// What its grants amount to.
    #[serde(skip)]
    pub risk: Option<Box<RoleRisk>>,
    /// Its calls by action and day, for the pages that people read.
    #[serde(skip)]
    pub daily: Vec<ActionDays>,
    /// Its latest sessions, for the same.
    #[serde(skip)]
    pub latest: LatestSessions,
}

/// One principal of a trust policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustEntry {
    /// As written.
    pub principal: String,
    /// `account_root`, `role`, `user`, `anyone`, `federated`, `service`, `canonical_user`, `deleted`, `other`.
    pub kind: String,
    /// The outside or own account, where there is one.
    pub account_id: Option<AccountId>,
    /// Name of the party.
    pub party: Option<String>,
    /// Whether the party is outside.
    pub outside: bool,
    /// The external id demanded.
    pub external_id: Option<ExternalIdReport>,
    /// Whether the statements that let it in let in nobody of other accounts.
    #[serde(skip)]
    pub alone: bool,
    /// For a provider that vouches for many companies: `anyone`, `some_names` or `whole_owner` where the subject leaves that
    /// open, `null` where it is bound.
    pub subjects: Option<String>,
}

/// What the hand-offs of one party into a role carried (S41).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExternalIdUse {
    /// Party id.
    pub party_id: String,
    /// Its name.
    pub party_name: String,
    /// Hand-offs seen in the window.
    pub hand_offs: u64,
    /// Of these, without an external id.
    pub without: u64,
    /// Sessions that may be its, whose hand-off was not seen.
    pub unseen: u64,
    /// How many different ids were sent.
    pub different: u64,
    /// The ids; a report lists some of them, and all are judged.
    #[serde(serialize_with = "some_ids")]
    pub ids: Vec<SentId>,
    /// Whether one id could be demanded: `enforced` already, `safe`, `will_break`, `several`, `unclear`, `not_seen`.
    pub verdict: String,
    /// One sentence.
    pub reason: String,
}

/// Ids listed of one party; all are counted.
pub const EXTERNAL_IDS: usize = 20;

fn some_ids<S: Serializer>(ids: &[SentId], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(ids.iter().take(EXTERNAL_IDS))
}

/// An external id that was sent (S42).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SentId {
    /// Keyed digest.
    pub fingerprint: String,
    /// Its length.
    pub length: u32,
    /// Hand-offs with it.
    pub hand_offs: u64,
}

/// The external id that a statement demands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExternalIdReport {
    /// Whether an AssumeRole without it is refused, by evaluation.
    pub required: bool,
    /// Whether an AssumeRole with an id that nobody agreed on is let in, by evaluation.
    pub any_accepted: bool,
    /// `exact`, `pattern`, `if_exists`, `none`.
    #[serde(rename = "match")]
    pub matching: String,
    /// How many values are accepted.
    pub values: u32,
    /// That of the weakest value: `uuid`, `long`, `short`, `word`, `repetitive`, `account_id`, `none`.
    pub strength: String,
    /// Keyed digests of all values that are no patterns.
    #[serde(skip)]
    pub digests: BTreeSet<String>,
    /// Keyed digest of the smallest value (S42).
    pub fingerprint: Option<String>,
    /// Length of that value.
    pub length: Option<u32>,
}

/// When a role was last active.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LastActivity {
    /// The moment.
    #[serde(with = "time")]
    pub at: Time,
    /// `cloudtrail` or `iam`.
    pub source: String,
}

/// Idleness of a role (S28).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Idle {
    /// Whole days from the last activity to `as_of`; `null` when there was none.
    pub days: Option<i64>,
    /// `active`, `idle`, `never_used`, `too_new`, `insufficient_evidence`.
    pub verdict: String,
    /// One sentence.
    pub reason: String,
}

/// Sessions of a role.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RoleSessions {
    /// All.
    pub total: u64,
    /// By party id.
    pub by_party: BTreeMap<String, u64>,
    /// By how the party was found.
    pub attribution: Attribution,
    /// Outside hand-offs that sent no external id.
    pub without_external_id: u64,
    /// Sessions without a call in the window.
    pub without_calls: u64,
}

/// How sessions were attributed (S10).
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Attribution {
    /// By the access key id of the hand-off.
    pub exact: u64,
    /// By role id, session name and time, or by the role's only outside party.
    pub inferred: u64,
    /// Not.
    pub unresolved: u64,
}

/// One line of the ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionEntry {
    /// The action.
    pub action: Action,
    /// `used`, `unused`, `not_observable`, `dependent`, `used_not_granted`.
    pub verdict: String,
    /// What it lets its holder do.
    pub access_level: Option<AccessLevel>,
    /// Why it is dangerous, if it is.
    pub danger: Option<String>,
    /// Calls in all, refused and failed ones included; `calls - denied` are the uses.
    pub calls: u64,
    /// Calls refused: no use.
    pub denied: u64,
    /// Calls that failed after authorization: use.
    pub failed: u64,
    /// First use.
    #[serde(with = "optional_time")]
    pub first_seen: Option<Time>,
    /// Last use.
    #[serde(with = "optional_time")]
    pub last_seen: Option<Time>,
    /// Resources of uses, up to a limit.
    pub resources: Vec<String>,
    /// Some event ids.
    pub sample_event_ids: Vec<String>,
    /// Statements that grant it.
    pub granted_by: Vec<GrantedBy>,
    /// Whether it stays in the proposal.
    pub kept: bool,
    /// The keep rule by which it stays although it is unused (S39).
    pub kept_by: Option<String>,
    /// Why the verdict is what it is.
    pub reason: String,
}

/// An action that was tried and refused, and that no policy grants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeniedAction {
    /// The action.
    pub action: Action,
    /// How often.
    pub denied: u64,
    /// First refusal.
    #[serde(with = "optional_time")]
    pub first_seen: Option<Time>,
    /// Last refusal.
    #[serde(with = "optional_time")]
    pub last_seen: Option<Time>,
    /// Some event ids.
    pub sample_event_ids: Vec<String>,
}

/// A statement that grants an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantedBy {
    /// Name of the policy.
    pub policy: String,
    /// `Sid`, or `#1` for the first statement.
    pub statement: String,
}

/// What one keep rule finds in one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepUse {
    /// Position of the rule in its file, from 0.
    pub rule: usize,
    /// Granted actions that it covers; never 0.
    pub granted: u64,
    /// Of these, unused ones, sorted: kept by a rule in force, no longer kept by an expired one.
    pub unused: Vec<Action>,
}

/// Actions of a very large grant, summed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActionsSummed {
    /// Service prefix.
    pub service: String,
    /// Access level.
    pub access_level: Option<AccessLevel>,
    /// Verdict.
    pub verdict: String,
    /// How many.
    pub actions: u64,
}

/// A policy of a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyReport {
    /// `inline`, `managed` (by the customer), `aws_managed`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its ARN; `null` for inline.
    pub arn: Option<String>,
    /// How many roles have it, this one included.
    pub attached_to_roles: u32,
    /// Other roles, users and groups that would be changed by editing it (S33).
    pub also_attached_to: Vec<String>,
    /// `unchanged`, `edited`, `emptied`, or `replaced` (by a policy for this role alone).
    pub proposal: String,
    /// Size of the proposal, white space not counted (S36).
    pub rightsized_size: Option<u64>,
    /// Paths relative to the output folder; filled by the renderer.
    #[serde(skip_deserializing)]
    pub files: PolicyFiles,
    /// The document as read.
    #[serde(skip)]
    pub current: Value,
    /// The proposals: none when withheld or unchanged, several when it had to be split (S36).
    #[serde(skip)]
    pub rightsized: Vec<Value>,
    /// What happens to each statement.
    #[serde(skip)]
    pub statements: Vec<StatementChange>,
}

/// Where the documents of a policy lie; `null` where there is none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PolicyFiles {
    /// The policy as it is.
    pub current: Option<String>,
    /// The proposal.
    pub rightsized: Option<String>,
    /// A unified diff of both.
    pub diff: Option<String>,
    /// Further parts of a proposal that had to be split.
    pub further: Vec<String>,
}

/// What happens to one statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatementChange {
    /// `Sid` or `#n`.
    pub statement: String,
    /// Actions taken out.
    pub removed: Vec<Action>,
    /// Actions that stay.
    pub kept: Vec<Action>,
    /// Whether the whole statement goes.
    pub dropped: bool,
}

/// The proposal for a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rightsizing {
    /// `proposed`, `unchanged`, `withheld`.
    pub status: String,
    /// Why withheld, or why nothing changes.
    pub reason: Option<String>,
    /// Actions granted now.
    pub granted: u64,
    /// Actions granted by the proposal.
    pub kept: u64,
    /// The difference.
    pub removed: u64,
    /// The replay, in numbers; `null` when nothing was proposed.
    pub certificate: Option<CertificateReport>,
    /// What the replay could show and what it could not; `null` when the calls were not looked at.
    pub replay: Option<ReplayReport>,
    /// The guard-rail for a policy that must stay as it is.
    pub guardrail: Guardrail,
    /// What was limited to the resources in use; `null` unless it was asked for (S35).
    pub narrowing: Option<NarrowingReport>,
    /// Where the files lie by which a person applies it; filled by the renderer.
    #[serde(skip_deserializing)]
    pub remediation: RemediationFiles,
    /// Action patterns that no catalog entry matches; they stay.
    pub unknown_patterns: Vec<String>,
    /// What could also limit or widen the role but is not in the inventory (S32).
    pub not_considered: Vec<String>,
}

/// Where the files of a role's remediation lie, relative to the output folder; `null` where there is none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RemediationFiles {
    /// The script that applies the proposal; a dry run unless it is told to.
    pub apply: Option<String>,
    /// The script that takes it back.
    pub rollback: Option<String>,
    /// The policies for Terraform.
    pub terraform: Option<String>,
    /// The policies for CloudFormation.
    pub cloudformation: Option<String>,
    /// The text of a pull request or ticket.
    pub pull_request: Option<String>,
}

/// Statements of the proposal that are limited to fewer resources.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NarrowingReport {
    /// `proposed`, `not_needed`, `withheld` (the proposal then leaves all resources as they are).
    pub status: String,
    /// Why not.
    pub reason: Option<String>,
    /// One for each list of resources.
    pub statements: Vec<NarrowedResources>,
}

impl NarrowingReport {
    /// A report without statements.
    #[must_use]
    pub fn of(status: &str, reason: Option<String>) -> Self {
        Self { status: status.to_owned(), reason, statements: Vec::new() }
    }
}

/// Actions of one statement, and the resources that remain to them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NarrowedResources {
    /// The policy's name.
    pub policy: String,
    /// `Sid` or `#n`, before.
    pub statement: String,
    /// The actions.
    pub actions: Vec<String>,
    /// The resources afterwards.
    pub resources: Vec<String>,
}

/// The replay proof of a proposal (S37).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CertificateReport {
    /// Distinct observed calls replayed.
    pub calls_replayed: u64,
    /// Of these, allowed by the proposal as they were before.
    pub calls_allowed: u64,
    /// Calls whose decision depends on context the records do not show; they are as undecided after as before.
    pub undecidable: u64,
    /// Actions that the proposal would newly allow: always 0 in a proposal that is written.
    pub newly_allowed: u64,
    /// Calls that speak against the proposal; not empty only when it was withheld.
    pub counter_examples: Vec<String>,
}

impl ExternalIdReport {
    /// Shows a fingerprint in the report's two fields.
    #[must_use]
    pub fn with(mut self, fingerprint: Option<&Fingerprint>) -> Self {
        self.fingerprint = fingerprint.map(|print| print.digest.clone());
        self.length = fingerprint.map(|print| print.length);
        self
    }
}
