//! The user part of the report: whose keys there are, how old they are, when and from where they were used (S16).

use serde::{Deserialize, Serialize};

use super::{RoleRisk, optional_time};
use crate::aws::AccountId;
use crate::aws::window::Time;
use crate::policy::risk::BlastRadius;

/// An IAM user, or the root of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserReport {
    /// The account.
    pub account_id: AccountId,
    /// The name; `<root_account>` for the root.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The third party that holds its keys, if it is taken for one's.
    pub party: Option<String>,
    /// By what it was taken for a third party's: `list`, `tag` or `name`.
    pub known_by: Option<String>,
    /// The last use of the password or of a key; `null` when nobody knows of one.
    #[serde(with = "optional_time")]
    pub last_used: Option<Time>,
    /// Keys that can be used; `null` where neither a credential report nor a list of keys tells.
    pub active_keys: Option<u32>,
    /// Keys, as far as they are known.
    pub keys: Vec<KeyReport>,
    /// What a third party's user may do with its own policies, if the inventory holds it; the number and the findings are
    /// made of it.
    #[serde(skip)]
    pub risk: Option<RoleRisk>,
    /// The same as a number; nothing is proposed for users, so it is the same before and after.
    pub blast_radius: Option<BlastRadius>,
    /// Actions that its policies grant.
    pub granted: u64,
    /// Roles that its policies and their trust may let it assume, up to a limit.
    pub can_assume: Vec<String>,
    /// How many they are.
    pub can_assume_total: u64,
}

/// An access key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeyReport {
    /// The last four characters of its id; empty where only the credential report tells of it.
    pub ending: String,
    /// Whether it can be used; `null` where only records tell of it.
    pub active: Option<bool>,
    /// When it was made.
    #[serde(with = "optional_time")]
    pub created_at: Option<Time>,
    /// Whole days since, as of the report's day.
    pub age_days: Option<i64>,
    /// When it was last used, by IAM's word or by a record.
    #[serde(with = "optional_time")]
    pub last_used: Option<Time>,
    /// First record of it in the window.
    #[serde(with = "optional_time")]
    pub first_seen: Option<Time>,
    /// Last record of it in the window.
    #[serde(with = "optional_time")]
    pub last_seen: Option<Time>,
    /// The networks that it was used from in the window (/24 and /48, up to a limit).
    pub networks: Vec<String>,
    /// How many there were, where the limit left none out.
    pub networks_counted: u64,
    /// Those of them that came late: see `key-new-network`.
    pub new_networks: Vec<NewNetwork>,
}

/// A network from which a key was used only after it had been in use elsewhere for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewNetwork {
    /// `203.0.113.0/24`.
    pub network: String,
    /// First record from it.
    #[serde(with = "super::time")]
    pub first_seen: Time,
}
