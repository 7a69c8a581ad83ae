//! Calls by day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::moment;

/// Calls of one action, by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionDays {
    /// The IAM action.
    pub action: String,
    /// Days with calls, in order.
    pub days: Vec<DayCalls>,
}

/// Calls of one day, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCalls {
    /// The day.
    #[serde(with = "moment::day")]
    pub day: NaiveDate,
    /// Calls in all.
    pub calls: u64,
    /// Those of them that were refused.
    pub denied: u64,
}
