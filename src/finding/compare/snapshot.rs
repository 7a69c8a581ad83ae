//! A `report.json` as it is read again: what can be compared, whatever version of the program wrote it.
//!
//! Fields that the contract pins must be there; those that were added later may be missing, and unknown ones are passed
//! over. Nothing is made up for what is missing: an absent list is `None`, not an empty one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::assessment::SCHEMA;

/// Why a text is no report that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReport {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON that does not say what it is.
    #[error("it has no `schema`: not a report of thirdtrail")]
    NoSchema,
    /// Another document, or a report of another kind.
    #[error("its schema is `{0}`, not `{SCHEMA}`")]
    Schema(String),
    /// A report that lacks what every report has.
    #[error("it says that it is a report, and is none: {0}")]
    Shape(String),
}

/// What of a report is compared.
#[derive(Debug, Clone, Deserialize)]
pub struct Snapshot {
    /// The window.
    pub window: WindowRead,
    /// The day of judgement.
    pub as_of: String,
    /// Days from which a role is idle.
    #[serde(default)]
    pub idle_days: Option<u64>,
    /// What it was asked for.
    #[serde(default)]
    pub asked: Option<AskedRead>,
    /// What was read.
    pub coverage: CoverageRead,
    /// Parties.
    pub parties: Vec<PartyRead>,
    /// Roles.
    pub roles: Vec<RoleRead>,
    /// Findings.
    pub findings: Vec<FindingRead>,
    /// Users.
    #[serde(default)]
    pub users: Vec<UserRead>,
}

/// A user.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct UserRead {
    /// Keys that can be used; `None` where no credential report and no list of keys tells.
    pub active_keys: Option<u64>,
}

/// `since <= t < until`, as written.
#[derive(Debug, Clone, Deserialize)]
pub struct WindowRead {
    /// First moment inside.
    pub since: String,
    /// First moment after.
    pub until: String,
}

/// What a report was asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AskedRead {
    /// Accounts; empty for all.
    pub accounts: Vec<String>,
    /// Regions; empty for all.
    pub regions: Vec<String>,
    /// Largest share of the window's days that may be holes.
    pub max_holes: Option<f64>,
    /// Days from which an access key is old.
    pub key_days: Option<u32>,
    /// Vendors that the user listed.
    pub vendors: u64,
}

/// What was read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CoverageRead {
    /// Whether everything could be read.
    pub complete: Option<bool>,
    /// Objects by fate.
    pub objects: ObjectsRead,
    /// By account.
    pub accounts: Vec<AccountRead>,
    /// What the digests say.
    pub integrity: Option<Value>,
}

impl CoverageRead {
    /// Whether everything could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete.unwrap_or(self.objects.failed.is_empty())
    }
}

/// Objects by fate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ObjectsRead {
    /// Those that could not be read.
    pub failed: Vec<Value>,
}

/// What the trail covers of one account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AccountRead {
    /// The account.
    pub account_id: String,
    /// Regions with records.
    pub regions: Vec<RegionRead>,
    /// Share of the window's days that are holes.
    pub hole_share: f64,
    /// Whether reads are recorded.
    pub read_events_seen: Option<bool>,
}

/// A Region with records.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RegionRead {
    /// Its name.
    pub region: String,
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
    /// Roles that it can or did assume.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Regions of its calls.
    #[serde(default)]
    pub regions: Option<Vec<String>>,
    /// Source networks, up to a limit.
    #[serde(default)]
    pub networks: Option<Vec<String>>,
}

/// A role.
#[derive(Debug, Clone, Deserialize)]
pub struct RoleRead {
    /// Its ARN.
    pub arn: String,
    /// Its account.
    pub account_id: String,
    /// Its id, which a role made again under its name does not share.
    #[serde(default)]
    pub role_id: String,
    /// Whether the inventory holds it.
    #[serde(default)]
    pub in_inventory: bool,
    /// Who may come in.
    #[serde(default)]
    pub trust: Vec<TrustRead>,
    /// The ledger.
    #[serde(default)]
    pub actions: Vec<ActionRead>,
    /// The proposal.
    #[serde(default)]
    pub rightsizing: Option<SizingRead>,
}

/// One principal of a trust policy.
#[derive(Debug, Clone, Deserialize)]
pub struct TrustRead {
    /// As written.
    pub principal: String,
    /// Name of the party.
    #[serde(default)]
    pub party: Option<String>,
    /// Whether the party is outside.
    #[serde(default = "yes")]
    pub outside: bool,
    /// The external id demanded.
    #[serde(default)]
    pub external_id: Option<ExternalIdRead>,
    /// How wide the subject of a provider is.
    #[serde(default)]
    pub subjects: Option<String>,
}

fn yes() -> bool {
    true
}

/// The external id that a statement demands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExternalIdRead {
    /// Whether an AssumeRole without it is refused.
    pub required: bool,
    /// How it is compared.
    #[serde(rename = "match")]
    pub matching: String,
    /// Keyed digest of the smallest value.
    pub fingerprint: Option<String>,
}

/// One line of the ledger.
#[derive(Debug, Clone, Deserialize)]
pub struct ActionRead {
    /// The action.
    pub action: String,
    /// The verdict.
    #[serde(default)]
    pub verdict: String,
}

impl ActionRead {
    /// Whether the window shows a use of it.
    #[must_use]
    pub fn is_used(&self) -> bool {
        matches!(self.verdict.as_str(), "used" | "used_not_granted")
    }
}

/// The proposal for a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(default)]
pub struct SizingRead {
    /// `proposed`, `unchanged`, `withheld`.
    pub status: String,
    /// Actions granted now.
    pub granted: u64,
    /// Actions granted by the proposal.
    pub kept: u64,
    /// The difference.
    pub removed: u64,
}

/// A finding.
#[derive(Debug, Clone, Deserialize)]
pub struct FindingRead {
    /// Code and subject, digested.
    pub id: String,
    /// Its code.
    pub code: String,
    /// How grave it is.
    pub severity: String,
    /// The account concerned.
    #[serde(default)]
    pub account_id: Option<String>,
    /// What it is about.
    pub subject: String,
    /// The party concerned.
    #[serde(default)]
    pub party: Option<String>,
    /// One line.
    #[serde(default)]
    pub title: String,
    /// Who answers for it, if somebody does.
    #[serde(default)]
    pub suppressed: Option<Value>,
}

impl Snapshot {
    /// Each role by its ARN. A report can hold a role beside the one that had its name before (S18): the one that is in the
    /// inventory is meant.
    #[must_use]
    pub fn roles_by_arn(&self) -> BTreeMap<&str, &RoleRead> {
        let mut roles: BTreeMap<&str, &RoleRead> = BTreeMap::new();
        for role in &self.roles {
            let known = roles.entry(&role.arn).or_insert(role);
            if role.in_inventory && !known.in_inventory {
                *known = role;
            }
        }
        roles
    }

    /// Reads a report.
    ///
    /// # Errors
    /// [`NoReport`]: why it is none that can be compared.
    pub fn read(text: &str) -> Result<Self, NoReport> {
        let value: Value = serde_json::from_str(text).map_err(|error| NoReport::Json(error.to_string()))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => {}
            Some(other) => return Err(NoReport::Schema(other.to_owned())),
            None => return Err(NoReport::NoSchema),
        }
        serde_json::from_value(value).map_err(|error| NoReport::Shape(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"{"schema":"thirdtrail.report/1","window":{"since":"2026-05-01T00:00:00Z",
        "until":"2026-08-01T00:00:00Z"},"as_of":"2026-08-01T00:00:00Z","coverage":{},"parties":[],"roles":[],"findings":[]"#;

    #[test]
    fn added_fields_may_be_missing_and_unknown_ones_are_passed_over() {
        let read = Snapshot::read(&format!("{LEAST},\"tomorrow\":{{\"x\":1}}}}")).unwrap();
        assert!(read.asked.is_none() && read.coverage.is_complete() && read.users.is_empty());
    }

    #[test]
    fn what_is_no_report_is_refused_in_one_line() {
        let check = |text: &str, says: &str| {
            let said = Snapshot::read(text).unwrap_err().to_string();
            assert!(said.starts_with(says) && !said.contains('\n'), "{said}");
        };
        check("", "not JSON: ");
        check("[]", "it has no `schema`");
        check("{\"schema\": 7}", "it has no `schema`");
        check("{\"schema\": \"thirdtrail.run/1\"}", "its schema is `thirdtrail.run/1`, not `thirdtrail.report/1`");
        check("{\"schema\": \"thirdtrail.report/1\"}", "it says that it is a report, and is none: missing field");
        check(
            &format!("{LEAST}}}").replace("\"roles\":[]", "\"roles\":{}"),
            "it says that it is a report, and is none: ",
        );
    }
}
