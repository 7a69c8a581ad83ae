//! The user part of the report: when IAM users and their keys were last used, as IAM tells.

use serde::Serialize;

use super::as_rfc3339_option;
use crate::aws::AccountId;
use crate::aws::window::Time;

/// An IAM user, or the root of an account.
#[derive(Debug, Clone, Serialize)]
pub struct UserReport {
    /// The account.
    pub account_id: AccountId,
    /// The name; `<root_account>` for the root.
    pub name: String,
    /// The last use of the password or of a key; `null` when IAM knows of none.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub last_used: Option<Time>,
    /// Keys that can be used.
    pub active_keys: u32,
    /// Keys, where they were asked for one by one.
    pub keys: Vec<KeyReport>,
}

/// An access key.
#[derive(Debug, Clone, Serialize)]
pub struct KeyReport {
    /// The last four characters of its id.
    pub ending: String,
    /// Whether it can be used.
    pub active: bool,
    /// When it was made.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub created_at: Option<Time>,
    /// When it was last used.
    #[serde(serialize_with = "as_rfc3339_option")]
    pub last_used: Option<Time>,
}
