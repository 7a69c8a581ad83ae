//! What an investigation answers, as types: `investigation.json` is this, and the page and the files are made of it.
//!
//! Every list is sorted; every time is RFC 3339 UTC with seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use serde::Serialize;

use super::contain::Containment;
use super::read::{ChangeRead, KeyRead};
use super::rows::CallsOf;

/// Name and version of the schema.
pub const SCHEMA: &str = "thirdtrail.investigation/1";

/// The whole answer.
#[derive(Debug, Clone, Serialize)]
pub struct Investigation {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The run whose output was asked.
    pub run: RunTold,
    /// First moment of the range.
    pub since: String,
    /// First moment after it.
    pub until: String,
    /// Who was asked about.
    pub parties: Vec<PartyTold>,
    /// Other parties of the same name, which were not asked about.
    pub same_name: Vec<String>,
    /// What the output could not show, so that silence is not taken for rest.
    pub gaps: Vec<Gap>,
    /// Its sessions in the range.
    pub sessions: SessionsTold,
    /// Roles that it was in, with what it could have done there.
    pub roles: Vec<RoleTold>,
    /// Roles that it can assume or assumed at another time.
    pub other_roles: Vec<String>,
    /// What it did, by service and API.
    pub services: Vec<ServiceTold>,
    /// The same, row by row.
    pub calls: Vec<CallTold>,
    /// What it touched, by kind.
    pub touched: Vec<Touched>,
    /// What it left behind, or may have.
    pub left_behind: LeftBehind,
    /// Access that others gave it in the range.
    pub given: Vec<ChangeRead>,
    /// Users whose keys it holds.
    pub keys: Vec<UserTold>,
    /// Findings about it and its roles.
    pub findings: Vec<FindingTold>,
    /// What would shut it out.
    pub containment: Containment,
    /// The files that were written, relative to their folder; empty where none was.
    pub files: Vec<String>,
}

/// The run whose output was asked.
#[derive(Debug, Clone, Serialize)]
pub struct RunTold {
    /// Version of the program that wrote it.
    pub version: String,
    /// Its trail.
    pub source: String,
    /// Its window.
    pub since: String,
    /// Its window's end.
    pub until: String,
    /// Whether it could read everything.
    pub complete: bool,
}

/// One asked about.
#[derive(Debug, Clone, Serialize)]
pub struct PartyTold {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its sessions in the run's whole window.
    pub sessions_in_window: u64,
    /// Its calls in the run's whole window.
    pub calls_in_window: u64,
}

/// Something that the output could not show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// Its kind, a fixed word.
    pub what: &'static str,
    /// The account, if it is of one.
    pub account_id: Option<String>,
    /// One sentence; object keys and reasons in it are strangers' text.
    pub detail: String,
}

/// Sessions in the range.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SessionsTold {
    /// Whose time overlaps the range.
    pub total: u64,
    /// Of these, those that began and ended in it.
    pub wholly_inside: u64,
    /// When the first began.
    pub first: Option<String>,
    /// When the last was seen last.
    pub last: Option<String>,
    /// Whose hand-off sent an external id.
    pub with_external_id: u64,
    /// Whose hand-off sent none.
    pub without_external_id: u64,
    /// How they came in.
    pub channels: BTreeMap<String, u64>,
    /// How they were attributed.
    pub attribution: BTreeMap<String, u64>,
    /// Source networks.
    pub networks: BTreeMap<String, u64>,
    /// User agents.
    pub agents: BTreeMap<String, u64>,
    /// One by one.
    pub list: Vec<SessionTold>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SessionTold {
    /// When it was opened, or first seen where that is not known.
    pub began: Option<String>,
    /// When it was seen last.
    pub last: Option<String>,
    /// The role; empty for access without one.
    pub role_arn: String,
    /// Its name.
    pub name: String,
    /// The table's digest for it.
    pub session_id: String,
    /// Its party.
    pub party_id: String,
    /// How it came in.
    pub channel: String,
    /// How it was attributed.
    pub attribution: String,
    /// Calls, refused ones included.
    pub calls: u64,
    /// Refused calls.
    pub denied: u64,
    /// Failed calls.
    pub failed: u64,
    /// Whether its hand-off sent an external id.
    pub external_id_sent: Option<bool>,
    /// `sourceIdentity`.
    pub source_identity: Option<String>,
    /// Source networks.
    pub networks: Vec<String>,
    /// User agents.
    pub agents: Vec<String>,
}

/// A role that it was in.
#[derive(Debug, Clone, Serialize)]
pub struct RoleTold {
    /// Its ARN.
    pub arn: String,
    /// Sessions in the range.
    pub sessions: u64,
    /// Of these, those that came from another role's session.
    pub chained: u64,
    /// Sessions of it in the range that nobody could be found for.
    pub not_attributed: u64,
    /// When the first began.
    pub first: Option<String>,
    /// When the last was seen last.
    pub last: Option<String>,
    /// What it could have done; `null` for a role that the inventory of the run does not hold.
    pub could: Option<Could>,
}

/// What a role's policies grant, whoever asks.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Could {
    /// Granted actions.
    pub granted: u64,
    /// By verdict.
    pub by_verdict: BTreeMap<String, u64>,
    /// The dangerous ones, by danger.
    pub dangerous: BTreeMap<String, Vec<GrantedAction>>,
    /// Granted or used actions that the report only counts: none of them is dangerous.
    pub only_counted: u64,
}

/// A granted action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GrantedAction {
    /// The action.
    pub action: String,
    /// The verdict on it, over all who use the role.
    pub verdict: String,
}

/// Calls to one service.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ServiceTold {
    /// With suffix.
    pub event_source: String,
    /// Different APIs.
    pub apis: u64,
    /// Calls, refused ones included.
    pub calls: u64,
    /// Refused calls.
    pub denied: u64,
    /// Calls that failed after authorization.
    pub failed: u64,
    /// Regions.
    pub regions: BTreeSet<String>,
    /// Dangers of what was done, refused calls apart.
    pub dangers: BTreeSet<String>,
}

/// Calls of one API through one role in one Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CallTold {
    /// Which calls.
    #[serde(flatten)]
    pub of: CallsOf,
    /// What that action can be misused for.
    pub danger: Option<String>,
    /// Calls, refused ones included.
    pub calls: u64,
    /// Refused calls.
    pub denied: u64,
    /// Calls that failed after authorization.
    pub failed: u64,
    /// First call in the range.
    pub first_seen: String,
    /// Last call in the range.
    pub last_seen: String,
    /// Resources, up to a limit.
    pub resources: Vec<String>,
    /// Those of them for which every call was refused.
    pub refused_resources: Vec<String>,
    /// Whether there may have been more.
    pub resources_may_be_cut: bool,
    /// Error codes.
    pub error_codes: Vec<String>,
    /// Some event ids.
    pub sample_event_ids: Vec<String>,
}

impl Deref for CallTold {
    type Target = CallsOf;

    fn deref(&self) -> &CallsOf {
        &self.of
    }
}

/// Resources of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Touched {
    /// `s3 bucket`, `kms key`, `secretsmanager secret` and the like.
    pub kind: String,
    /// Each thing.
    pub things: Vec<Thing>,
}

/// A resource, or for S3 a bucket with its objects.
#[derive(Debug, Clone, Serialize)]
pub struct Thing {
    /// Its ARN, or what the record calls it.
    pub name: String,
    /// Objects of a bucket that are named.
    pub objects: Vec<String>,
    /// APIs, `service:Name`.
    pub apis: BTreeSet<String>,
    /// `allowed`, `refused`, or `either` where calls with it were both.
    pub outcome: &'static str,
    /// Whether the list that names it may be cut.
    pub may_be_more: bool,
}

/// What it left behind, or may have.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LeftBehind {
    /// Changes of access that it made in the range, or tried.
    pub changes: Vec<ChangeRead>,
    /// How many more it made at other times.
    pub changes_outside_range: u64,
    /// Other calls by which one can stay, hide, or run code; each may hold calls outside of the range.
    pub signs: Vec<Sign>,
    /// Users and keys that it made, with what the records show of their use since.
    pub credentials: Vec<Credential>,
    /// Roles that it made or whose trust it changed, with who was in them since.
    pub doors: Vec<Door>,
}

/// A call by which one can stay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Sign {
    /// `privilege_escalation`, `permissions_management`, `defense_evasion`, `code_execution`, `key_use`.
    pub danger: String,
    /// With suffix.
    pub event_source: String,
    /// As recorded.
    pub event_name: String,
    /// The recipient account.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// The role; empty for access without one.
    pub role_arn: String,
    /// Calls that were not refused.
    pub calls: u64,
    /// First call in the range, a refused one perhaps.
    pub first_seen: String,
    /// Last call in the range, a refused one perhaps.
    pub last_seen: String,
    /// What was made or changed, as far as it is known.
    pub resources: Vec<String>,
    /// Whether there may have been more.
    pub resources_may_be_cut: bool,
    /// Some event ids.
    pub sample_event_ids: Vec<String>,
}

/// A user or key that it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// ARN of the user.
    pub user_arn: String,
    /// The API by which it was made.
    pub made_by: String,
    /// When.
    pub made_at: String,
    /// The last four characters of the key's id, for a key.
    pub ending: Option<String>,
    /// What the records of the run's window show of it; `null` where they show no use.
    pub used: Option<KeyRead>,
}

/// A role that it opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Door {
    /// Its ARN.
    pub role_arn: String,
    /// The API.
    pub opened_by: String,
    /// When.
    pub opened_at: String,
    /// Sessions of it since, in the run's window, by party id.
    pub sessions_since: BTreeMap<String, u64>,
}

/// A user whose keys it holds.
#[derive(Debug, Clone, Serialize)]
pub struct UserTold {
    /// Its ARN.
    pub arn: String,
    /// By what it was taken for the party's.
    pub known_by: Option<String>,
    /// Its keys.
    pub keys: Vec<KeyRead>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingTold {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// How grave it is.
    pub severity: String,
    /// What it is about.
    pub subject: String,
    /// One line.
    pub title: String,
}
