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
    /// Whether the trail holds a management event, by anybody, of an API that certainly uses this action (S25a).
    fn has_seen(&self, info: &ActionInfo) -> bool;
    /// `Ok` with the data event types that show this action and are recorded for every resource, or `Err` with the words
    /// that say of a data event which types it has and why they may not be recorded (S25).
    fn records_data(&self, info: &ActionInfo) -> Result<String, String>;
    /// `Err` with the reason why management events of this action's kind, service or Regions were not recorded (S24).
    fn records_management(&self, info: &ActionInfo) -> Result<(), String>;
    /// Whether the user's word stands that every data event of a resource type is recorded (S25, S35).
    fn is_vouched(&self, _resource_type: &str) -> bool {
        false
    }
}

/// Whether a trail would have shown a use of an action; the classes of `observability` in their order.
#[must_use]
pub fn shown(info: &ActionInfo, witness: &dyn Witness) -> Shown {
    match info.observability {
        Observability::PermissionOnly => {
            Shown::No("no API of this name exists, so CloudTrail can never show it".to_owned())
        }
        Observability::Data => match witness.records_data(info) {
            Ok(kinds) => Shown::Yes(format!("data events of {kinds} are recorded")),
            Err(reason) => Shown::No(format!("a data event {reason}")),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{AccessLevel, Action};

    struct Trail {
        seen: bool,
        data: Result<String, String>,
        management: Result<(), String>,
    }

    impl Witness for Trail {
        fn has_seen(&self, _: &ActionInfo) -> bool {
            self.seen
        }

        fn records_data(&self, _: &ActionInfo) -> Result<String, String> {
            self.data.clone()
        }

        fn records_management(&self, _: &ActionInfo) -> Result<(), String> {
            self.management.clone()
        }
    }

    fn check(observability: Observability, trail: &Trail, expected: bool) {
        let action = Action::parse("svc:Act").unwrap();
        let info =
            ActionInfo { action, level: AccessLevel::Read, resource_types: vec![], dependents: vec![], observability };
        assert_eq!(matches!(shown(&info, trail), Shown::Yes(_)), expected, "{observability:?}");
    }

    fn trail(seen: bool) -> Trail {
        Trail { seen, data: Err("(AWS::Svc::Thing) that is not recorded".to_owned()), management: Ok(()) }
    }

    /// S24: unused needs an action that CloudTrail shows, in a trail that records its kind.
    #[test]
    fn only_recorded_management_events_are_shown() {
        check(Observability::ManagementConfirmed, &trail(false), true);
        check(Observability::ManagementSeen, &trail(false), true);
        check(Observability::Unknown, &trail(false), false);
        check(Observability::PermissionOnly, &trail(true), false);
        let silent = Trail { management: Err("no read events".to_owned()), ..trail(true) };
        check(Observability::ManagementConfirmed, &silent, false);
        check(Observability::Unknown, &silent, false);
    }

    /// S25: data events are judged only where the trail shows that it records them.
    #[test]
    fn data_events_are_shown_only_where_they_are_recorded() {
        check(Observability::Data, &trail(true), false);
        check(Observability::Data, &Trail { data: Ok("AWS::Svc::Thing".to_owned()), ..trail(false) }, true);
    }

    /// S25a: a call that the trail holds by anybody is observable there, whatever the catalog says.
    #[test]
    fn the_trail_teaches_what_it_records() {
        check(Observability::Unknown, &trail(true), true);
    }
}
