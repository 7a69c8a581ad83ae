//! The known IAM actions: access level, resource types, dependents, and whether CloudTrail can show them.
//!
//! A catalog is only read. [`Catalog::builtin`] holds the tables that were built into the program (`data/`, made by
//! `data/rebuild/rebuild.py` from the sources that NOTICE names); tests make small ones with `from_actions`.

use std::collections::{BTreeMap, HashMap};

use super::action_index::ActionIndex;
use crate::aws::{AccessLevel, Action, KnownActions, ResourceShape};

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
    index: ActionIndex,
    services: Vec<Box<str>>,
    /// `service/type` to ARN template.
    pub(super) templates: HashMap<&'static str, &'static str>,
    pub(super) data_event_types: BTreeMap<Action, Vec<&'static str>>,
}

impl Catalog {
    /// A catalog of the given actions.
    pub fn from_actions(actions: impl IntoIterator<Item = ActionInfo>) -> Self {
        let actions: BTreeMap<Action, ActionInfo> =
            actions.into_iter().map(|info| (info.action.clone(), info)).collect();
        let mut services: Vec<Box<str>> = Vec::new();
        for action in actions.keys() {
            if services.last().is_none_or(|last| !last.eq_ignore_ascii_case(action.service())) {
                services.push(action.service().into());
            }
        }
        // The order of whole actions differs from that of prefixes where one prefix begins another.
        services.sort_unstable();
        services.dedup();
        let index = ActionIndex::of(actions.keys().cloned().collect());
        Self { actions, index, services, templates: HashMap::new(), data_event_types: BTreeMap::new() }
    }

    /// Its actions by position, for what asks about thousands of them at once.
    #[must_use]
    pub fn index(&self) -> &ActionIndex {
        &self.index
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

    /// The service prefixes, sorted.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(AsRef::as_ref)
    }

    /// The actions of one service prefix (compared without case), in order.
    pub fn in_service<'c>(&'c self, prefix: &'c str) -> impl Iterator<Item = &'c ActionInfo> {
        // `-` sorts before every other character that an action's name can begin with.
        let first = Action::parse(&format!("{prefix}:-"));
        first
            .into_iter()
            .flat_map(|first| self.actions.range(first..))
            .map(|(_, info)| info)
            .take_while(move |info| info.action.service().eq_ignore_ascii_case(prefix))
    }

    /// The `resources.type` values of the event selectors that make a trail show this action; empty unless the action
    /// is [`Observability::Data`] (S25).
    #[must_use]
    pub fn data_event_types(&self, action: &Action) -> &[&'static str] {
        self.data_event_types.get(action).map_or(&[], Vec::as_slice)
    }

    /// The ARN template of one of an action's resource types, such as `arn:${Partition}:s3:::${BucketName}`.
    #[must_use]
    pub fn resource_template(&self, action: &Action, resource_type: &ResourceType) -> Option<&'static str> {
        self.templates.get(format!("{}/{}", action.service(), resource_type.name).as_str()).copied()
    }

    /// The action's resource types with their ARN templates.
    #[must_use]
    pub fn resource_templates(&self, action: &Action) -> Vec<(&ResourceType, Option<&'static str>)> {
        let types = self.get(action).map_or(&[][..], |info| info.resource_types.as_slice());
        types.iter().map(|kind| (kind, self.resource_template(action, kind))).collect()
    }
}

impl KnownActions for Catalog {
    fn canonical(&self, service: &str, name: &str) -> Option<Action> {
        let action = Action::parse(&format!("{service}:{name}"))?;
        self.actions.get(&action).map(|info| info.action.clone())
    }

    fn service_prefixes(&self) -> Vec<&str> {
        self.services().collect()
    }

    fn level(&self, action: &Action) -> Option<AccessLevel> {
        self.get(action).map(|info| info.level)
    }

    fn dependents(&self, action: &Action) -> &[Action] {
        self.get(action).map_or(&[], |info| info.dependents.as_slice())
    }

    fn resource_shapes(&self, action: &Action) -> Option<Vec<ResourceShape<'_>>> {
        let info = self.get(action)?;
        let shape = |kind: &ResourceType| ResourceShape {
            required: kind.required,
            template: self.resource_template(&info.action, kind),
        };
        Some(info.resource_types.iter().map(shape).collect())
    }
}
