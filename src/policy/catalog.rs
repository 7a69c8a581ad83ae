//! The known IAM actions: access level, resource types, dependents, and whether CloudTrail can show them.

use std::collections::BTreeMap;

use crate::aws::{AccessLevel, Action, KnownActions};

/// What CloudTrail can show of an action; the first class that fits is taken, in this order.
///
/// Source: AWS documentation of each service's CloudTrail support and the Service Reference; see NOTICE.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Observability {
    /// A data event: absent unless the trail selects that resource type.
    Data,
    /// No API of that name exists, so no event can (`iam:PassRole`).
    PermissionOnly,
    /// A management event that AWS's own policy generator relies on.
    ManagementConfirmed,
    /// A management event seen in real records.
    ManagementSeen,
    /// Nothing is known; absence says nothing.
    Unknown,
}

/// One resource type of an action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourceType {
    /// `bucket`, `object`, ...
    pub name: Box<str>,
    /// Whether the action needs one.
    pub required: bool,
}

/// What is known of one action.
#[derive(Clone, Debug)]
pub struct ActionInfo {
    /// In its canonical case.
    pub action: Action,
    /// What it lets its holder do.
    pub level: AccessLevel,
    /// Resource types it can be limited to; none means only `*` fits.
    pub resource_types: Vec<ResourceType>,
    /// Actions it needs as well.
    pub dependents: Vec<Action>,
    /// What CloudTrail can show of it.
    pub observability: Observability,
}

/// All known actions, sorted.
#[derive(Debug, Default)]
pub struct Catalog {
    actions: BTreeMap<Action, ActionInfo>,
}

impl Catalog {
    /// A catalog of the given actions.
    pub fn from_actions(actions: impl IntoIterator<Item = ActionInfo>) -> Self {
        Self { actions: actions.into_iter().map(|info| (info.action.clone(), info)).collect() }
    }

    /// What is known of `action`.
    #[must_use]
    pub fn get(&self, action: &Action) -> Option<&ActionInfo> {
        self.actions.get(action)
    }

    /// All actions in order.
    pub fn iter(&self) -> impl Iterator<Item = &ActionInfo> {
        self.actions.values()
    }
}

impl KnownActions for Catalog {
    fn canonical(&self, service: &str, name: &str) -> Option<Action> {
        let action = Action::parse(&format!("{service}:{name}"))?;
        self.actions.get(&action).map(|info| info.action.clone())
    }
}
