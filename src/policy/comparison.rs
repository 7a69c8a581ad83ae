//! Granted against used: the verdict on one action, and the reason that goes with it (S24, S38).

use super::catalog::{ActionInfo, Observability};

/// What is known about the use of a granted action.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// Some call used it, or may have (S20).
    Used,
    /// The trail would have shown a use, and shows none.
    Unused,
    /// The trail could not have shown a use: absence says nothing.
    NotObservable,
    /// A kept action needs it (S23).
    Dependent,
    /// Used, but no policy of the role grants it (S32).
    UsedNotGranted,
}

impl Verdict {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::NotObservable => "not_observable",
            Self::Dependent => "dependent",
            Self::UsedNotGranted => "used_not_granted",
        }
    }
}

/// Whether the trail at hand would have shown a use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// It would; the text says by which witness.
    Yes(String),
    /// It would not, or that is not known; the text says why.
    No(String),
}

/// What a trail records in one account: the questions that decide whether absence means anything.
pub trait Witness {
    /// Whether the trail holds a record, by anybody, of an API that certainly uses this action (S25a).
    fn has_seen(&self, info: &ActionInfo) -> bool;
    /// `Ok` with the data event type that was recorded and shows this action, or `Err` with the types that would (S25).
    fn records_data(&self, info: &ActionInfo) -> Result<String, String>;
    /// `Err` with the reason why management events of this action's kind, service or Regions were not recorded (S24).
    fn records_management(&self, info: &ActionInfo) -> Result<(), String>;
}

/// Whether a trail would have shown a use of an action; the classes of `observability` in their order.
#[must_use]
pub fn shown(info: &ActionInfo, witness: &dyn Witness) -> Shown {
    match info.observability {
        Observability::PermissionOnly => {
            Shown::No("no API of this name exists, so CloudTrail can never show it".to_owned())
        }
        Observability::Data => match witness.records_data(info) {
            Ok(kind) => Shown::Yes(format!("data events of {kind} are recorded")),
            Err(kinds) => Shown::No(format!("a data event ({kinds}) that this trail does not show to be recorded")),
        },
        _ if witness.has_seen(info) => match witness.records_management(info) {
            Ok(()) => Shown::Yes("the trail holds records of this call by others".to_owned()),
            Err(reason) => Shown::No(reason),
        },
        Observability::ManagementConfirmed | Observability::ManagementSeen => match witness.records_management(info) {
            Ok(()) => Shown::Yes("a management event, which the trail records".to_owned()),
            Err(reason) => Shown::No(reason),
        },
        Observability::Unknown => Shown::No("nothing is known about whether CloudTrail shows this action".to_owned()),
    }
}
