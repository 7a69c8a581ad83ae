//! The whole answer as types: what `report.json` says, and what the other outputs need beside it.
//!
//! Field names that serialize are the contract of `report.json` (schema `thirdtrail.report/1`): add, never rename.
//! Every list is sorted by its first field, every time is RFC 3339 UTC with seconds.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::aws::window::{Time, rfc3339};
use crate::aws::{AccessLevel, AccountId, Action, Fingerprint};

/// Name and version of the report's schema.
pub const SCHEMA: &str = "thirdtrail.report/1";

/// Everything the outputs are rendered from.
#[derive(Debug, Clone, Serialize)]
pub struct Assessment {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The window that was judged.
    pub window: WindowReport,
    /// The day from which idleness is counted.
    #[serde(serialize_with = "as_rfc3339")]
    pub as_of: Time,
    /// Days without activity from which a role is idle.
    pub idle_days: u32,
    /// What was read and what was not.
    pub coverage: CoverageReport,
    /// Outside and other parties seen or trusted.
    pub parties: Vec<PartyReport>,
    /// Roles that an outside party can or did assume.
    pub roles: Vec<RoleReport>,
    /// What should make somebody act.
    pub findings: Vec<Finding>,
    /// Sessions, for the table of that name.
    #[serde(skip)]
    pub sessions: Vec<SessionRow>,
    /// Calls summed by session and API, for the table `usage`.
    #[serde(skip)]
    pub usage: Vec<UsageRow>,
}

/// `since <= t < until`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct WindowReport {
    /// First moment inside.
    #[serde(serialize_with = "as_rfc3339")]
    pub since: Time,
    /// First moment after.
    #[serde(serialize_with = "as_rfc3339")]
    pub until: Time,
}

/// What was read, skipped, broken, and what the trail could not have shown.
#[derive(Debug, Clone, Serialize)]
pub struct CoverageReport {
    /// Whether every object and record in scope could be read.
    pub complete: bool,
    /// Objects by fate.
    pub objects: ObjectsReport,
    /// Records by fate; the four fates sum up to `total`.
    pub records: RecordsReport,
    /// Bytes read.
    pub bytes: BytesReport,
    /// By account.
    pub accounts: Vec<AccountCoverage>,
    /// Records that could not be used, one by one up to a limit.
    pub bad_records: Vec<BadRecord>,
    /// API calls by third-party roles that could not be mapped to IAM actions; they block removals (S22).
    pub unmapped: Vec<UnmappedCall>,
    /// What this version does not judge yet, in plain words.
    pub not_judged: Vec<String>,
}

/// Objects by fate.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ObjectsReport {
    /// All objects found at the source.
    pub listed: u64,
    /// Log objects read.
    pub read: u64,
    /// Objects not read, by reason: `digest`, `insight`, `other`, `window`, `account`, `region`, `inventory`.
    pub skipped: BTreeMap<String, u64>,
    /// Log objects that could not be read.
    pub failed: Vec<FailedObject>,
}

/// A log object that could not be read.
#[derive(Debug, Clone, Serialize)]
pub struct FailedObject {
    /// Its key within the source.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// Records by fate.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RecordsReport {
    /// All.
    pub total: u64,
    /// Became evidence.
    pub used: u64,
    /// Did not have to.
    pub out_of_scope: u64,
    /// Further deliveries of the same event.
    pub duplicate: u64,
    /// Unusable.
    pub bad: u64,
}

/// Bytes of the objects read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BytesReport {
    /// As delivered.
    pub compressed: u64,
    /// As read.
    pub decompressed: u64,
}

/// A record that could not be used.
#[derive(Debug, Clone, Serialize)]
pub struct BadRecord {
    /// The object's key.
    pub key: String,
    /// Its place in the object, from 0.
    pub index: u64,
    /// Why.
    pub reason: String,
}

/// Calls that could not be mapped to IAM actions.
#[derive(Debug, Clone, Serialize)]
pub struct UnmappedCall {
    /// Event source with suffix.
    pub event_source: String,
    /// Event name.
    pub event_name: String,
    /// Calls by third-party roles.
    pub calls: u64,
    /// Services in which no removal is proposed because of it.
    pub blocks: Vec<String>,
}

/// What the trail covers of one account.
#[derive(Debug, Clone, Serialize)]
pub struct AccountCoverage {
    /// The account.
    pub account_id: AccountId,
    /// Its Regions in which records or objects were found.
    pub regions: Vec<RegionCoverage>,
    /// Resource types of data events seen.
    pub data_events_seen: Vec<String>,
    /// Whether read management events were seen.
    pub read_events_seen: bool,
    /// Whether write management events were seen.
    pub write_events_seen: bool,
    /// Days of the window without any object in any Region, or on which an object could not be read (S26).
    pub holes: Vec<Hole>,
    /// Holes as a share of the window's days, 0.0 to 1.0.
    pub hole_share: f64,
}

/// A day that cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hole {
    /// `yyyy-mm-dd`, or `unknown` for an unreadable object whose day is not known.
    pub day: String,
    /// `no_objects`, `logging_stopped` or `unreadable_object`.
    pub reason: String,
}

/// What the trail covers of one Region.
#[derive(Debug, Clone, Serialize)]
pub struct RegionCoverage {
    /// The Region.
    pub region: String,
    /// First event, if any.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub first_event: Option<Time>,
    /// Last event, if any.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub last_event: Option<Time>,
    /// Days of the window without an object: listed, but no hole as long as another Region has one (S26).
    pub days_without_objects: Vec<String>,
}

/// Who stands behind calls, over all channels.
#[derive(Debug, Clone, Serialize)]
pub struct PartyReport {
    /// Account id, provider ARN with subject, or a fixed word for `aws_service`, `unresolved`.
    pub id: String,
    /// `vendor`, `unknown_account`, `identity_provider`, `iam_user`, `own_organization`, `aws_service`, `unresolved`.
    pub kind: String,
    /// For people.
    pub name: String,
    /// `assume_role`, `role_chain`, `web_identity`, `saml`, `resource_policy`, `temporary_delegation`.
    pub channels: Vec<String>,
    /// ARNs of the roles that it can or did assume.
    pub roles: Vec<String>,
    /// Sessions opened, or used in the window.
    pub sessions: u64,
    /// Calls, hand-offs apart.
    pub calls: u64,
    /// Refused calls and refused hand-offs.
    pub denied: u64,
    /// Calls that failed after authorization.
    pub failed: u64,
    /// First hand-off or call.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub first_seen: Option<Time>,
    /// Last hand-off or call.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub last_seen: Option<Time>,
    /// Regions of its calls.
    pub regions: Vec<String>,
    /// Source networks (up to a limit).
    pub networks: Vec<String>,
}

/// A role that an outside party can or did assume.
#[derive(Debug, Clone, Serialize)]
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
    #[serde(serialize_with = "as_rfc3339_option")]
    pub created_at: Option<Time>,
    /// Whether the inventory holds it; a role that is only in the records was deleted or not collected.
    pub in_inventory: bool,
    /// Who may come in.
    pub trust: Vec<TrustEntry>,
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
    /// All further entries, for the `permissions` table.
    #[serde(skip)]
    pub actions_beyond: Vec<ActionEntry>,
    /// Attached and inline policies.
    pub policies: Vec<PolicyReport>,
    /// What is proposed.
    pub rightsizing: Rightsizing,
}

/// One principal of a trust policy.
#[derive(Debug, Clone, Serialize)]
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
}

/// The external id that a statement demands.
#[derive(Debug, Clone, Serialize)]
pub struct ExternalIdReport {
    /// Whether an AssumeRole without it is refused, by evaluation.
    pub required: bool,
    /// `exact`, `pattern`, `if_exists`, `none`.
    #[serde(rename = "match")]
    pub matching: String,
    /// How many values are accepted.
    pub values: u32,
    /// `uuid`, `long`, `short`, `account_id`, `none`.
    pub strength: String,
    /// Keyed digest of the smallest value (S42).
    pub fingerprint: Option<String>,
    /// Length of that value.
    pub length: Option<u32>,
}

/// When a role was last active.
#[derive(Debug, Clone, Serialize)]
pub struct LastActivity {
    /// The moment.
    #[serde(serialize_with = "as_rfc3339")]
    pub at: Time,
    /// `cloudtrail` or `iam`.
    pub source: String,
}

/// Idleness of a role (S28).
#[derive(Debug, Clone, Serialize)]
pub struct Idle {
    /// Whole days from the last activity to `as_of`; `null` when there was none.
    pub days: Option<i64>,
    /// `active`, `idle`, `never_used`, `too_new`, `insufficient_evidence`.
    pub verdict: String,
    /// One sentence.
    pub reason: String,
}

/// Sessions of a role.
#[derive(Debug, Clone, Default, Serialize)]
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
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Attribution {
    /// By the access key id of the hand-off.
    pub exact: u64,
    /// By role id, session name and time, or by the role's only outside party.
    pub inferred: u64,
    /// Not.
    pub unresolved: u64,
}

/// One line of the ledger.
#[derive(Debug, Clone, Serialize)]
pub struct ActionEntry {
    /// The action.
    pub action: Action,
    /// `used`, `unused`, `not_observable`, `dependent`, `used_not_granted`; `denied` for a wish that is not granted.
    pub verdict: String,
    /// What it lets its holder do.
    pub access_level: Option<AccessLevel>,
    /// Why it is dangerous, if it is.
    pub danger: Option<String>,
    /// Calls that used it.
    pub calls: u64,
    /// Calls refused.
    pub denied: u64,
    /// Calls that failed after authorization.
    pub failed: u64,
    /// First use.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub first_seen: Option<Time>,
    /// Last use.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub last_seen: Option<Time>,
    /// Resources of uses, up to a limit.
    pub resources: Vec<String>,
    /// Some event ids.
    pub sample_event_ids: Vec<String>,
    /// Statements that grant it.
    pub granted_by: Vec<GrantedBy>,
    /// Whether it stays in the proposal.
    pub kept: bool,
    /// Why the verdict is what it is.
    pub reason: String,
}

/// A statement that grants an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GrantedBy {
    /// Name of the policy.
    pub policy: String,
    /// `Sid`, or `#1` for the first statement.
    pub statement: String,
}

/// Actions of a very large grant, summed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
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
    /// Action patterns that no catalog entry matches; they stay.
    pub unknown_patterns: Vec<String>,
    /// What could also limit or widen the role but is not in the inventory (S32).
    pub not_considered: Vec<String>,
}

/// The replay proof of a proposal (S37).
#[derive(Debug, Clone, Serialize)]
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

/// One thing that should make somebody act.
#[derive(Debug, Clone, Serialize)]
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
}

/// One session, for the table.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRow {
    /// The account that owns the role (partition column).
    pub account_id: AccountId,
    /// Digest of the access key id or of role id, session name and time: keys themselves are not written.
    pub session_id: String,
    /// The role's ARN.
    pub role_arn: String,
    /// The role's id.
    pub role_id: String,
    /// The session's name.
    pub session_name: String,
    /// Party id.
    pub party_id: String,
    /// Party kind.
    pub party_kind: String,
    /// Party name.
    pub party_name: String,
    /// Channel.
    pub channel: String,
    /// `exact`, `inferred`, `unresolved`.
    pub attribution: String,
    /// When it was opened, if known.
    pub opened_at: Option<String>,
    /// First call in the window.
    pub first_call: Option<String>,
    /// Last call in the window.
    pub last_call: Option<String>,
    /// Calls.
    pub calls: i64,
    /// Refused calls.
    pub denied: i64,
    /// Failed calls.
    pub failed: i64,
    /// Whether the hand-off sent an external id; `null` when the hand-off was not seen or has no such thing.
    pub external_id_sent: Option<bool>,
    /// `sourceIdentity`.
    pub source_identity: Option<String>,
    /// Source networks.
    pub networks: Vec<String>,
    /// User agents.
    pub agents: Vec<String>,
}

/// Calls of one session to one API, for the table.
#[derive(Debug, Clone, Serialize)]
pub struct UsageRow {
    /// The recipient account (partition column).
    pub account_id: AccountId,
    /// The role's ARN, or empty for access without a role.
    pub role_arn: String,
    /// Session id as in [`SessionRow`], or empty.
    pub session_id: String,
    /// Party id.
    pub party_id: String,
    /// Party name.
    pub party_name: String,
    /// Channel.
    pub channel: String,
    /// The Region.
    pub region: String,
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// IAM actions it uses.
    pub actions: Vec<String>,
    /// The rule that mapped it.
    pub rule: String,
    /// Calls that succeeded or failed after authorization.
    pub calls: i64,
    /// Refused calls.
    pub denied: i64,
    /// Calls that failed after authorization.
    pub failed: i64,
    /// First call.
    pub first_seen: Option<String>,
    /// Last call.
    pub last_seen: Option<String>,
    /// Resources, up to a limit.
    pub resources: Vec<String>,
    /// Error codes, up to a limit.
    pub error_codes: Vec<String>,
    /// Some event ids.
    pub sample_event_ids: Vec<String>,
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

fn as_rfc3339<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

fn as_rfc3339_option<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&rfc3339(*time)),
        None => serializer.serialize_none(),
    }
}
