//! Calls by day.

use chrono::NaiveDate;

/// Calls of one action, by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionDays {
    /// The IAM action.
    pub action: String,
    /// Days with calls, in order.
    pub days: Vec<DayCalls>,
}

/// Calls of one day, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCalls {
    /// The day.
    pub day: NaiveDate,
    /// Calls in all.
    pub calls: u64,
    /// Those of them that were refused.
    pub denied: u64,
}
