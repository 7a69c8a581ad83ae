//! What an investigation reads of `report.json`.
//!
//! Fields that the contract pins must be there; those that were added later may be missing, and unknown ones are passed
//! over. What is missing is not made up.

use serde::{Deserialize, Deserializer, Serialize};

use super::super::assessment::SCHEMA;
use super::super::compare::snapshot::{AskedRead, NoReport};
use crate::aws::window::{Time, parse_time};

/// Parts of `report.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Reported {
    /// What was judged.
    pub window: Window,
    /// What it was asked for.
    #[serde(default)]
    pub asked: AskedRead,
    /// What was read.
    pub coverage: Coverage,
    /// Parties.
    pub parties: Vec<PartyRead>,
    /// Roles.
    pub roles: Vec<RoleRead>,
    /// Findings.
    pub findings: Vec<FindingRead>,
    /// Users.
    #[serde(default)]
    pub users: Vec<UserRead>,
    /// Access that was given.
    #[serde(default)]
    pub access_changes: Vec<ChangeRead>,
}

impl Reported {
    /// Reads a report.
    ///
    /// # Errors
    /// [`NoReport`]: why it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, NoReport> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(default)]
            schema: Option<serde_json::Value>,
        }
        let named: Named = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => NoReport::NoSchema,
            _ => NoReport::Json(error.to_string()),
        })?;
        match named.schema.as_ref().and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => {}
            Some(other) => return Err(NoReport::Schema(other.to_owned())),
            None => return Err(NoReport::NoSchema),
        }
        serde_json::from_slice(bytes).map_err(|error| NoReport::Shape(error.to_string()))
    }
}

/// `since <= t < until`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Window {
    /// First moment inside.
    #[serde(deserialize_with = "time")]
    pub since: Time,
    /// First moment after.
    #[serde(deserialize_with = "time")]
    pub until: Time,
}

/// What was read of the trail.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Coverage {
    /// Whether everything could be read.
    pub complete: bool,
    /// Objects by fate.
    pub objects: Objects,
    /// Records by fate.
    pub records: Records,
    /// By account.
    pub accounts: Vec<AccountRead>,
    /// Inputs that were asked for and could not be read.
    pub failed_inputs: Vec<FailedInputRead>,
}

/// Objects by fate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Objects {
    /// Those that could not be read.
    pub failed: Vec<FailedRead>,
}

/// An object that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct FailedRead {
    /// Its key.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// Records by fate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Records {
    /// Unusable.
    pub bad: u64,
}

/// An input beside the trail that could not be read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FailedInputRead {
    /// The account, if it is of one.
    pub account_id: Option<String>,
    /// The call.
    pub call: String,
}

/// What the trail covers of one account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AccountRead {
    /// The account.
    pub account_id: String,
    /// Resource types of data events seen.
    pub data_events_seen: Vec<String>,
    /// Whether reads are recorded.
    pub read_events_seen: Option<bool>,
    /// Whether writes are recorded.
    pub write_events_seen: Option<bool>,
    /// Days that cannot be judged.
    pub holes: Vec<HoleRead>,
}

/// A day that cannot be judged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct HoleRead {
    /// `yyyy-mm-dd`, or `unknown`.
    pub day: String,
    /// Why.
    pub reason: String,
}

/// A party.
#[derive(Debug, Clone, Deserialize)]
pub struct PartyRead {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it came in.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Roles that it can or did assume.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Sessions in the whole window.
    #[serde(default)]
    pub sessions: u64,
    /// Calls in the whole window.
    #[serde(default)]
    pub calls: u64,
}

/// A role.
#[derive(Debug, Clone, Deserialize)]
pub struct RoleRead {
    /// Its ARN.
    pub arn: String,
    /// Its id, which a role made again under its name does not share.
    #[serde(default)]
    pub role_id: String,
    /// Whether the inventory holds it.
    #[serde(default)]
    pub in_inventory: bool,
    /// The ledger.
    #[serde(default)]
    pub actions: Vec<ActionRead>,
    /// Actions that are only counted.
    #[serde(default)]
    pub actions_summed: Vec<SummedRead>,
}

/// One line of the ledger.
#[derive(Debug, Clone, Deserialize)]
pub struct ActionRead {
    /// The action.
    pub action: String,
    /// The verdict.
    #[serde(default)]
    pub verdict: String,
    /// Why it is dangerous, if it is.
    #[serde(default)]
    pub danger: Option<String>,
    /// Statements that grant it.
    #[serde(default)]
    pub granted_by: Vec<serde::de::IgnoredAny>,
}

/// Actions that are only counted.
#[derive(Debug, Clone, Deserialize)]
pub struct SummedRead {
    /// How many.
    pub actions: u64,
}

/// A finding.
#[derive(Debug, Clone, Deserialize)]
pub struct FindingRead {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// How grave it is.
    pub severity: String,
    /// What it is about.
    pub subject: String,
    /// The party concerned.
    #[serde(default)]
    pub party: Option<String>,
    /// One line.
    #[serde(default)]
    pub title: String,
}

/// An IAM user.
#[derive(Debug, Clone, Deserialize)]
pub struct UserRead {
    /// Its ARN.
    pub arn: String,
    /// The third party that holds its keys.
    #[serde(default)]
    pub party: Option<String>,
    /// By what it was taken for a third party's.
    #[serde(default)]
    pub known_by: Option<String>,
    /// Its keys.
    #[serde(default)]
    pub keys: Vec<KeyRead>,
}

/// An access key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct KeyRead {
    /// The last four characters of its id; empty where they are not known.
    pub ending: String,
    /// Whether it can be used.
    pub active: Option<bool>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last used.
    pub last_used: Option<String>,
    /// First record of it in the run's window.
    pub first_seen: Option<String>,
    /// Last record of it in the run's window.
    pub last_seen: Option<String>,
    /// Networks that it was used from.
    pub networks: Vec<String>,
}

/// Access that was given.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ChangeRead {
    /// When, as written.
    pub time: String,
    /// `eventID`.
    pub event_id: String,
    /// The account whose trail holds it.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// `allowed`, `denied`, `failed`.
    pub outcome: String,
    /// ARN of what was changed.
    pub subject: String,
    /// What was given.
    #[serde(default)]
    pub gives: Option<String>,
    /// Whom the new policy names.
    #[serde(default)]
    pub lets_in: Vec<LetInRead>,
    /// Who changed it.
    pub by: ByRead,
}

impl ChangeRead {
    /// When it was made; a time that cannot be read is none.
    #[must_use]
    pub fn at(&self) -> Option<Time> {
        parse_time(&self.time)
    }

    /// The service's prefix of the event source.
    #[must_use]
    pub fn service(&self) -> &str {
        self.event_source.split('.').next().unwrap_or_default()
    }

    /// Whether it was allowed, and not only tried.
    #[must_use]
    pub fn was_made(&self) -> bool {
        self.outcome == "allowed"
    }
}

/// One whom a policy names.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct LetInRead {
    /// As the policy has it; `*` for everybody.
    pub principal: String,
    /// Its party's name.
    #[serde(default)]
    pub party: Option<String>,
    /// Keys of the statement's conditions.
    #[serde(default)]
    pub conditions: Vec<String>,
}

/// Who made a change.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ByRead {
    /// ARN or id of the caller.
    pub principal: String,
    /// Its party.
    pub party_id: String,
    /// The party's name.
    pub party: String,
    /// Source address.
    #[serde(default)]
    pub network: String,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_time(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_is_told_in_one_line() {
        for (text, says) in [
            ("", "not JSON"),
            ("[]", "it has no `schema`"),
            ("{}", "it has no `schema`"),
            (r#"{"schema":"thirdtrail.report/2"}"#, "its schema is `thirdtrail.report/2`"),
            (r#"{"schema":"thirdtrail.report/1"}"#, "it says that it is a report, and is none: missing field"),
        ] {
            let said = Reported::read(text.as_bytes()).unwrap_err().to_string();
            assert!(said.starts_with(says) && !said.contains('\n'), "{said}");
        }
    }
}
