//! What an investigation reads of the tables `sessions` and `usage`: their rows, with the columns that it needs.

use serde::{Deserialize, Deserializer};

use crate::aws::window::{Time, parse_time};

/// Columns of the table `sessions` that are read.
pub const SESSION_COLUMNS: [&str; 18] = [
    "session_id",
    "role_arn",
    "role_id",
    "session_name",
    "party_id",
    "party_kind",
    "channel",
    "attribution",
    "opened_at",
    "first_call",
    "last_call",
    "calls",
    "denied",
    "failed",
    "external_id_sent",
    "source_identity",
    "networks",
    "agents",
];
/// Columns of the table `usage` that are read.
pub const USAGE_COLUMNS: [&str; 15] = [
    "role_arn",
    "party_id",
    "channel",
    "region",
    "event_source",
    "event_name",
    "actions",
    "calls",
    "denied",
    "failed",
    "first_seen",
    "last_seen",
    "resources",
    "error_codes",
    "sample_event_ids",
];

/// A row of the table `sessions`.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionRead {
    /// Digest that stands for it.
    pub session_id: String,
    /// The role's ARN; empty for access without a role.
    pub role_arn: String,
    /// The role's id.
    pub role_id: String,
    /// Its name.
    pub session_name: String,
    /// Party id.
    pub party_id: String,
    /// How it came in.
    pub channel: String,
    /// `exact`, `inferred`, `unresolved`.
    pub attribution: String,
    /// When it was opened, if that is known.
    #[serde(default, deserialize_with = "maybe_time")]
    pub opened_at: Option<Time>,
    /// First call in the run's window.
    #[serde(default, deserialize_with = "maybe_time")]
    pub first_call: Option<Time>,
    /// Last call in the run's window.
    #[serde(default, deserialize_with = "maybe_time")]
    pub last_call: Option<Time>,
    /// Calls.
    pub calls: u64,
    /// Refused calls.
    pub denied: u64,
    /// Failed calls.
    pub failed: u64,
    /// Whether the hand-off sent an external id.
    #[serde(default)]
    pub external_id_sent: Option<bool>,
    /// `sourceIdentity`.
    #[serde(default)]
    pub source_identity: Option<String>,
    /// Source networks.
    #[serde(default)]
    pub networks: Vec<String>,
    /// User agents.
    #[serde(default)]
    pub agents: Vec<String>,
}

/// A row of the table `usage`.
#[derive(Debug, Clone, Deserialize)]
pub struct UsageRead {
    /// The recipient account: from the file's folder.
    #[serde(skip)]
    pub account_id: String,
    /// The role's ARN; empty for access without a role.
    pub role_arn: String,
    /// How it came in.
    pub channel: String,
    /// The Region.
    pub region: String,
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// IAM actions that it uses, the one it is known by first.
    #[serde(default)]
    pub actions: Vec<String>,
    /// Calls in all.
    pub calls: u64,
    /// Refused calls.
    pub denied: u64,
    /// Calls that failed after authorization.
    pub failed: u64,
    /// First call.
    #[serde(default, deserialize_with = "maybe_time")]
    pub first_seen: Option<Time>,
    /// Last call.
    #[serde(default, deserialize_with = "maybe_time")]
    pub last_seen: Option<Time>,
    /// Resources, up to a limit.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Error codes, up to a limit.
    #[serde(default)]
    pub error_codes: Vec<String>,
    /// Some event ids.
    #[serde(default)]
    pub sample_event_ids: Vec<String>,
}

fn maybe_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    parse_time(&text).map(Some).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no time")))
}
