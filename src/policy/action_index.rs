//! The catalog's actions in order, so that a pattern is compared with the actions that begin as it does only.

use std::borrow::Cow;
use std::ops::Range;

use super::pattern::Pattern;
use crate::aws::Action;

/// All known actions in order. A catalog holds the one of its own actions.
#[derive(Clone, Debug, Default)]
pub struct ActionIndex {
    actions: Vec<Action>,
    /// The same in lower case, for looking up.
    folded: Vec<Box<str>>,
}

impl ActionIndex {
    /// An index of these actions.
    #[must_use]
    pub fn of(mut actions: Vec<Action>) -> Self {
        actions.sort();
        actions.dedup();
        let folded = actions.iter().map(|action| action.as_str().to_ascii_lowercase().into()).collect();
        Self { actions, folded }
    }

    /// The same index with some actions that it may not hold; borrowed where it holds them all.
    #[must_use]
    pub fn with_more<'a>(&self, more: impl IntoIterator<Item = &'a Action>) -> Cow<'_, Self> {
        let unknown: Vec<Action> = more.into_iter().filter(|action| self.position(action).is_none()).cloned().collect();
        if unknown.is_empty() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self::of(self.iter().cloned().chain(unknown).collect()))
    }

    /// Number of actions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether there is no action.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The action at a position handed out by this index.
    #[must_use]
    pub fn action(&self, position: usize) -> Option<&Action> {
        self.actions.get(position)
    }

    /// Where an action is, if it is known.
    #[must_use]
    pub fn position(&self, action: &Action) -> Option<usize> {
        self.actions.binary_search(action).ok()
    }

    /// All actions in order.
    pub fn iter(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter()
    }

    /// Positions of the actions that `pattern` matches, in order.
    pub fn matching<'s>(&'s self, pattern: &'s str) -> impl Iterator<Item = usize> + 's {
        let literal = pattern.find(['*', '?']).unwrap_or(pattern.len());
        let (prefix, rest) = pattern.split_at_checked(literal).unwrap_or((pattern, ""));
        let compiled = Pattern::new(pattern);
        self.beginning_with(prefix).filter(move |position| {
            rest == "*" || self.action(*position).is_some_and(|action| compiled.matches_action(action.as_str()))
        })
    }

    /// Neighbours in the order, which knows no case.
    fn beginning_with(&self, prefix: &str) -> Range<usize> {
        let prefix = prefix.to_ascii_lowercase();
        let from = self.folded.partition_point(|action| **action < *prefix);
        let others = self.folded.get(from..).unwrap_or_default();
        from..from + others.partition_point(|action| action.starts_with(&prefix))
    }
}

/// Whether the text holds a wildcard.
#[must_use]
pub fn is_wild(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::aws::AccessLevel;
    use crate::policy::catalog::{ActionInfo, Catalog, Observability};

    /// A catalog of the given names for the tests of this folder.
    pub(in crate::policy) fn catalog(names: &[&str]) -> Catalog {
        Catalog::from_actions(names.iter().map(|name| ActionInfo {
            action: Action::parse(name).unwrap(),
            level: AccessLevel::Read,
            resource_types: Vec::new(),
            dependents: Vec::new(),
            observability: Observability::Unknown,
        }))
    }

    /// S31: a pattern finds its actions in every service it can reach, without case.
    #[test]
    fn patterns_find_the_actions_they_cover() {
        let catalog = catalog(&["s3:GetObject", "s3:PutObject", "s3-outposts:GetObject", "ec2:RunInstances"]);
        let extra = Action::parse("s3:NewThing").unwrap();
        let index = catalog.index().with_more([&extra]);
        let check = |pattern: &str, expected: &[&str]| {
            let found: Vec<_> = index.matching(pattern).filter_map(|at| index.action(at)).map(Action::as_str).collect();
            assert_eq!(found, expected, "{pattern}");
        };
        check("S3:*", &["s3:GetObject", "s3:NewThing", "s3:PutObject"]);
        check("*:getobject", &["s3-outposts:GetObject", "s3:GetObject"]);
        check("ec2:run*", &["ec2:RunInstances"]);
        check("sqs:*", &[]);
        assert_eq!(index.matching("*").count(), 5);
    }
}
