//! Rows that only the tables hold: sessions, and their calls by API.

use serde::Serialize;

use crate::aws::AccountId;

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

/// Calls of one party through one role to one API in one Region, for the table.
#[derive(Debug, Clone, Serialize)]
pub struct UsageRow {
    /// The recipient account (partition column).
    pub account_id: AccountId,
    /// The role's ARN, or empty for access without a role.
    pub role_arn: String,
    /// Sessions that made such calls.
    pub sessions: i64,
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
