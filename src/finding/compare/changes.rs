//! What changed between two reports, as it is written and told.

use serde::Serialize;

use super::rank;
use super::snapshot::SizingRead;

/// Name and version of a comparison's schema.
pub const SCHEMA: &str = "thirdtrail.comparison/1";
/// What changed between two reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The earlier report.
    pub old: Side,
    /// The later one.
    pub new: Side,
    /// Why the two can be compared in part only.
    pub notes: Vec<String>,
    /// Outside parties.
    pub parties: Changes<Party>,
    /// Parties that have another kind or name.
    pub parties_changed: Vec<Changed>,
    /// Roles that outsiders can or did assume.
    pub roles: Changes<Role>,
    /// Roles that were deleted and made again under their name.
    pub roles_changed: Vec<Changed>,
    /// Outside principals in trust policies.
    pub trusts: Changes<Trust>,
    /// Trusts that demand something else.
    pub trusts_changed: Vec<Changed>,
    /// Actions used by roles.
    pub actions: Changes<Used>,
    /// Regions of parties' calls.
    pub regions: Changes<Place>,
    /// Source networks of parties.
    pub networks: Changes<Place>,
    /// Findings.
    pub findings: Changes<Found>,
    /// Findings that are graver or lesser than before, or whose suppression began or ended.
    pub findings_changed: Vec<FindingChanged>,
    /// Proposals that say something else.
    pub rightsizing: Vec<SizingChanged>,
}

/// One of the two reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// First moment of its window.
    pub since: String,
    /// First moment after it.
    pub until: String,
    /// Its day of judgement.
    pub as_of: String,
    /// Whether everything could be read.
    pub complete: bool,
}

/// What is in one report only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes<T> {
    /// In the new report only.
    pub new: Vec<Change<T>>,
    /// In the old report only, and the new one would have shown it.
    pub gone: Vec<T>,
    /// In the old report only, and the new one could not have shown it, or not all of it.
    pub not_read: Vec<Change<T>>,
}

/// A thing that one report lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// The thing.
    #[serde(flatten)]
    pub what: T,
    /// Why the report that lacks it may not have shown it; `null` when it would have.
    pub doubt: Option<String>,
}

/// An outside party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
}

/// An outside principal of a trust policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trust {
    /// The role.
    pub role: String,
    /// As written.
    pub principal: String,
    /// The party behind it.
    pub party: Option<String>,
}

/// An action that a role used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Used {
    /// The role.
    pub role: String,
    /// Its id, by which it is told apart from one that had its name before (S18); empty where no report knows it.
    pub role_id: String,
    /// The action.
    pub action: String,
}

/// Where a party called, or came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The party's id.
    pub party: String,
    /// Its name.
    pub name: String,
    /// Region or network.
    pub place: String,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Code and subject, digested.
    pub id: String,
    /// Its code.
    pub code: String,
    /// How grave it is.
    pub severity: String,
    /// What it is about.
    pub subject: String,
    /// The party concerned.
    pub party: Option<String>,
    /// One line.
    pub title: String,
    /// Whether somebody answers for it.
    pub suppressed: bool,
}

/// A thing that both reports have and tell differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What it is: a party's id, a role's ARN, a role's ARN and principal.
    pub what: String,
    /// What of it.
    pub field: &'static str,
    /// In the old report.
    pub from: String,
    /// In the new one.
    pub to: String,
}

/// A finding that both reports have and judge differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingChanged {
    /// As in the new report.
    #[serde(flatten)]
    pub finding: Found,
    /// How grave it was.
    pub old_severity: String,
    /// Whether somebody answered for it.
    pub old_suppressed: bool,
}

/// A proposal that says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SizingChanged {
    /// The role.
    pub role: String,
    /// In the old report.
    pub from: SizingRead,
    /// In the new one.
    pub to: SizingRead,
}

impl Comparison {
    /// Findings that somebody has to look at: new ones, and those that became graver or lost their suppression; none that
    /// is suppressed.
    pub fn to_look_at(&self) -> impl Iterator<Item = &Found> {
        let graver = |changed: &&FindingChanged| {
            changed.old_suppressed || rank(&changed.finding.severity) < rank(&changed.old_severity)
        };
        let new = self.findings.new.iter().map(|change| &change.what);
        let changed = self.findings_changed.iter().filter(graver).map(|changed| &changed.finding);
        new.chain(changed).filter(|finding| !finding.suppressed)
    }

    /// Whether the two reports tell the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parties.is_empty()
            && self.roles.is_empty()
            && self.trusts.is_empty()
            && self.actions.is_empty()
            && self.regions.is_empty()
            && self.networks.is_empty()
            && self.findings.is_empty()
            && self.parties_changed.is_empty()
            && self.roles_changed.is_empty()
            && self.trusts_changed.is_empty()
            && self.findings_changed.is_empty()
            && self.rightsizing.is_empty()
    }
}

impl<T> Changes<T> {
    /// Whether nothing is in one report only.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty() && self.not_read.is_empty()
    }
}
