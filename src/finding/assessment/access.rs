//! The part of the report about access that was given in the window: what, to whom, by whom.

use serde::{Deserialize, Serialize};

use crate::aws::AccountId;
use crate::aws::window::Time;

/// One recorded change that let an outsider in, gave one more, or was made by one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessChange {
    /// When.
    #[serde(with = "super::time")]
    pub time: Time,
    /// `eventID`.
    pub event_id: String,
    /// The account whose trail holds it.
    pub account_id: AccountId,
    /// The Region.
    pub region: String,
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// `allowed`, `denied`, `failed`; what was not allowed is told only when an outsider tried.
    pub outcome: String,
    /// ARN of what was changed.
    pub subject: String,
    /// What was given: a policy; the last four characters of a key's id.
    pub gives: Option<String>,
    /// Outsiders whom the new policy names.
    pub lets_in: Vec<LetIn>,
    /// Who changed it.
    pub by: ChangedBy,
}

/// An outsider whom a new policy names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetIn {
    /// As the policy has it; `*` for everybody.
    pub principal: String,
    /// Its party's name; `null` for everybody.
    pub party: Option<String>,
    /// Whether nobody knows the account.
    pub unknown: bool,
    /// Keys of the statement's conditions; their values are not kept.
    pub conditions: Vec<String>,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedBy {
    /// ARN of the caller, or its id.
    pub principal: String,
    /// Its party.
    pub party_id: String,
    /// The party's name.
    pub party: String,
    /// Whether it stands outside.
    pub outside: bool,
    /// Source address.
    pub network: String,
}
