//! What an investigation reads of the tables `sessions` and `activity`: their rows, with the columns that it needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::window::{Time, parse_time};
use crate::evidence::limits;

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

/// A row of the table `activity`.
#[derive(Debug, Clone, Deserialize)]
pub struct CallRead {
    /// When, RFC 3339 UTC with seconds.
    pub time: String,
    /// Its event.
    pub event_id: String,
    /// The Region.
    pub region: String,
    /// How it came in.
    pub channel: String,
    /// The role's ARN; empty for access without a role.
    pub role_arn: String,
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// IAM actions that it uses, the one it is known by first.
    pub actions: Vec<String>,
    /// ARNs in the record.
    pub resources: Vec<String>,
    /// `allowed`, `denied` or `failed`.
    pub outcome: String,
    /// `errorCode`.
    #[serde(default)]
    pub error_code: Option<String>,
}

/// Columns of the table `activity` that are read.
pub const CALL_COLUMNS: [&str; 11] = [
    "time",
    "event_id",
    "region",
    "channel",
    "role_arn",
    "event_source",
    "event_name",
    "actions",
    "resources",
    "outcome",
    "error_code",
];

/// What calls are summed by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CallsOf {
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// The recipient account.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// The role's ARN; empty for access without a role.
    pub role_arn: String,
    /// How it came in.
    pub channel: String,
    /// IAM actions that it uses, the one it is known by first.
    pub actions: Vec<String>,
}

/// Calls of the parties in the range, summed: their number is that of different APIs, not that of calls.
#[derive(Debug, Clone, Default)]
pub struct CallsSum {
    /// Calls in all.
    pub calls: u64,
    /// Refused calls.
    pub denied: u64,
    /// Calls that failed after authorization.
    pub failed: u64,
    /// First call.
    pub first: String,
    /// Last call.
    pub last: String,
    /// Resources, each with whether some call was not refused.
    pub resources: BTreeMap<String, bool>,
    /// Whether there were more resources.
    pub more_resources: bool,
    /// Error codes.
    pub error_codes: BTreeSet<String>,
    /// Some event ids: of calls that were not refused, or else of refused ones.
    pub sample_event_ids: BTreeSet<String>,
}

/// Sums of calls.
pub type CallSums = BTreeMap<CallsOf, CallsSum>;

/// Adds a call.
pub fn add_call(sums: &mut CallSums, account_id: &str, row: CallRead) {
    let of = CallsOf {
        event_source: row.event_source,
        event_name: row.event_name,
        account_id: account_id.to_owned(),
        region: row.region,
        role_arn: row.role_arn,
        channel: row.channel,
        actions: row.actions,
    };
    let sum = sums.entry(of).or_default();
    let refused = row.outcome == "denied";
    if !refused && sum.calls == sum.denied {
        sum.sample_event_ids.clear();
    }
    if !refused || sum.calls == sum.denied {
        sum.sample_event_ids.insert(row.event_id);
        while sum.sample_event_ids.len() > limits::SAMPLES {
            sum.sample_event_ids.pop_last();
        }
    }
    if sum.calls == 0 || row.time < sum.first {
        sum.first.clone_from(&row.time);
    }
    sum.last = row.time.max(std::mem::take(&mut sum.last));
    sum.calls += 1;
    sum.denied += u64::from(refused);
    sum.failed += u64::from(row.outcome == "failed");
    sum.error_codes.extend(row.error_code);
    for resource in row.resources {
        *sum.resources.entry(resource).or_default() |= !refused;
        if sum.resources.len() > RESOURCES {
            sum.resources.pop_last();
            sum.more_resources = true;
        }
    }
}

/// Resources that are told of one API, account, Region, role and channel: the smallest in order.
pub const RESOURCES: usize = 10_000;

fn maybe_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    parse_time(&text).map(Some).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no time")))
}
