//! Rows that only the tables hold: sessions, and their calls by API.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::moment::optional_time;

use crate::aws::AccountId;
use crate::aws::window::Time;

/// One session, for the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionRow {
    /// The account that owns the role (partition column).
    pub account_id: AccountId,
    /// Digest of the access key id or of role id, session name and time: keys themselves are not written.
    pub session_id: Box<str>,
    /// The role's ARN.
    pub role_arn: Arc<str>,
    /// The role's id.
    pub role_id: Arc<str>,
    /// The session's name.
    pub session_name: Box<str>,
    /// Party id.
    pub party_id: Arc<str>,
    /// Party kind.
    pub party_kind: Arc<str>,
    /// Party name.
    pub party_name: Arc<str>,
    /// Channel.
    pub channel: Arc<str>,
    /// `exact`, `inferred`, `unresolved`.
    pub attribution: Arc<str>,
    /// When it was opened, if known.
    #[serde(with = "optional_time")]
    pub opened_at: Option<Time>,
    /// First call in the window.
    #[serde(with = "optional_time")]
    pub first_call: Option<Time>,
    /// Last call in the window.
    #[serde(with = "optional_time")]
    pub last_call: Option<Time>,
    /// Calls.
    pub calls: i64,
    /// Refused calls.
    pub denied: i64,
    /// Failed calls.
    pub failed: i64,
    /// Whether the hand-off sent an external id; `null` when the hand-off was not seen or has no such thing.
    pub external_id_sent: Option<bool>,
    /// `sourceIdentity`.
    pub source_identity: Option<Arc<str>>,
    /// Source networks.
    pub networks: Arc<[Box<str>]>,
    /// User agents.
    pub agents: Arc<[Box<str>]>,
}

/// Sessions listed on a page; all are counted.
pub const SESSIONS_SHOWN: usize = 25;

/// The latest sessions of a role or a party, the newest first, and how many there are in all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LatestSessions {
    /// Up to [`SESSIONS_SHOWN`].
    pub rows: Vec<SessionRow>,
    /// All.
    pub all: u64,
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
