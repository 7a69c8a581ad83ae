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
#[serde(from = "Row", into = "Row")]
pub struct DayCalls {
    /// The day.
    pub day: NaiveDate,
    /// Calls in all.
    pub calls: u64,
    /// Those of them that were refused.
    pub denied: u64,
}

/// The same in few bytes: there may be millions.
#[derive(Serialize, Deserialize)]
struct Row(#[serde(with = "moment::day")] NaiveDate, u64, u64);

impl From<DayCalls> for Row {
    fn from(made: DayCalls) -> Self {
        Self(made.day, made.calls, made.denied)
    }
}

impl From<Row> for DayCalls {
    fn from(Row(day, calls, denied): Row) -> Self {
        Self { day, calls, denied }
    }
}
