//! The same policy with only the kept actions: an edit of what was read, never a new document.
//!
//! Sids, order, resources, conditions and every `Deny` stay as they are (S34). Doubt keeps: a pattern that matches nothing
//! known stays as written. Nothing here may grant more than before; `certificate` proves that afterwards.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::action_index::{ActionIndex, is_wild};
use super::catalog::Catalog;
use super::document::size_characters;
use super::evaluate::{NamedPolicy, StatementRef};
use super::grant::covered;
use super::size::MANAGED_CHARACTERS;
use super::statement::{ActionMatch, Effect, Statement};
use crate::aws::Action;

/// One action that one statement no longer allows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Removal {
    /// In the catalog's case.
    pub action: Action,
    /// The statement that allowed it.
    pub statement: StatementRef,
}

/// What became of one statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StatementChange {
    /// The `Sid`, or `#1` for the first statement.
    pub statement: String,
    /// No longer allowed by it.
    pub removed: Vec<Action>,
    /// Still allowed by it, and in the keep set.
    pub kept: Vec<Action>,
    /// Whether the whole statement went.
    pub dropped: bool,
    /// Whether a `NotAction` stayed as read, though it allows more than is kept, because its list would outgrow a
    /// managed policy.
    pub left_alone: bool,
}

/// A policy cut down to the kept actions, and what that took.
#[derive(Clone, PartialEq, Debug)]
pub struct Rightsized {
    /// `None` only where no statement is left; a `Deny` always is.
    pub document: Option<Value>,
    /// In the order of the statements, then of the actions.
    pub removed: Vec<Removal>,
    /// Actions that a statement of this policy allows and that are kept, sorted; a `Deny` is not taken into account.
    pub kept: Vec<Action>,
    /// One for each `Allow` statement, in order.
    pub statements: Vec<StatementChange>,
    /// Whether `document` differs from the policy as read.
    pub changed: bool,
    /// Patterns of `Allow` statements that match no known action; they stay as written.
    pub unmatched: Vec<String>,
}

/// Cuts `policy` down to the actions in `keep`.
///
/// Known actions are those of the catalog and of `keep`. A wildcard stays where all that it matches is kept; otherwise
/// the kept actions that it stood for take its place.
#[must_use]
pub fn rightsize(policy: NamedPolicy<'_>, keep: &BTreeSet<Action>, catalog: &Catalog) -> Rightsized {
    let editor = Editor::new(policy, keep, catalog);
    let mut statements = Vec::new();
    let mut out = Rightsized {
        document: None,
        removed: Vec::new(),
        kept: Vec::new(),
        statements: Vec::new(),
        changed: false,
        unmatched: Vec::new(),
    };
    let mut kept = BTreeSet::new();
    for statement in &policy.document.statements {
        if statement.effect == Effect::Deny {
            statements.push(statement.raw.clone());
            continue;
        }
        let edit = editor.edit(statement, &mut out.unmatched);
        let reference = StatementRef::new(policy.name, statement);
        out.removed.extend(
            edit.change.removed.iter().map(|action| Removal { action: action.clone(), statement: reference.clone() }),
        );
        kept.extend(edit.change.kept.iter().cloned());
        out.changed |= edit.value.as_ref() != Some(&statement.raw);
        statements.extend(edit.value);
        out.statements.push(edit.change);
    }
    out.kept = kept.into_iter().collect();
    out.document = match out.changed {
        false => Some(policy.document.as_value().clone()),
        true if statements.is_empty() => None,
        true => Some(policy.document.with_statements(statements)),
    };
    out
}

/// A statement after its edit; no value where it goes.
struct Edit {
    value: Option<Value>,
    change: StatementChange,
}

/// What happens to one pattern of an `Action` list.
enum Fate {
    Stays,
    /// Replaced by the kept actions at these positions; none for a pattern that only goes.
    Becomes(Vec<usize>),
}

struct Editor<'a> {
    policy: NamedPolicy<'a>,
    index: Cow<'a, ActionIndex>,
    /// By position in the index.
    keep: Vec<bool>,
}

impl<'a> Editor<'a> {
    fn new(policy: NamedPolicy<'a>, keep: &'a BTreeSet<Action>, catalog: &'a Catalog) -> Self {
        let index = catalog.index().with_more(keep);
        let mut kept = vec![false; index.len()];
        for position in keep.iter().filter_map(|action| index.position(action)) {
            mark(&mut kept, position);
        }
        Self { policy, index, keep: kept }
    }

    fn keeps(&self, position: usize) -> bool {
        self.keep.get(position).copied().unwrap_or(false)
    }

    fn actions(&self, positions: impl IntoIterator<Item = usize>) -> Vec<Action> {
        positions.into_iter().filter_map(|position| self.index.action(position).cloned()).collect()
    }

    fn edit(&self, statement: &Statement, unmatched: &mut Vec<String>) -> Edit {
        let (kept, removed): (Vec<_>, Vec<_>) =
            covered(&self.index, &statement.actions).into_iter().partition(|position| self.keeps(*position));
        let (value, left_alone) = match &statement.actions {
            ActionMatch::Action(patterns) => (self.edit_actions(statement, patterns, unmatched), false),
            ActionMatch::NotAction(_) if removed.is_empty() => (Some(statement.raw.clone()), false),
            ActionMatch::NotAction(_) if kept.is_empty() => (None, false),
            ActionMatch::NotAction(patterns) => {
                let edited = self.extend_not_action(statement, patterns, &kept, &removed);
                // Never split, so it must fit into a policy of its own.
                let alone = self.policy.document.with_statements(vec![edited.clone()]);
                if size_characters(&alone) > MANAGED_CHARACTERS {
                    (Some(statement.raw.clone()), true)
                } else {
                    (Some(edited), false)
                }
            }
        };
        let change = StatementChange {
            statement: statement.label(),
            removed: if left_alone { Vec::new() } else { self.actions(removed) },
            kept: self.actions(kept),
            dropped: value.is_none(),
            left_alone,
        };
        Edit { value, change }
    }

    fn edit_actions(&self, statement: &Statement, patterns: &[String], unmatched: &mut Vec<String>) -> Option<Value> {
        let mut already = vec![false; self.index.len()];
        let mut fates = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let matching: Vec<usize> = self.index.matching(pattern).collect();
            if matching.is_empty() {
                unmatched.push(pattern.clone());
            }
            fates.push(if matching.iter().all(|position| self.keeps(*position)) {
                for position in matching {
                    mark(&mut already, position);
                }
                Fate::Stays
            } else if is_wild(pattern) {
                Fate::Becomes(matching.into_iter().filter(|position| self.keeps(*position)).collect())
            } else {
                Fate::Becomes(Vec::new())
            });
        }
        let mut left = Vec::new();
        for (pattern, fate) in patterns.iter().zip(fates) {
            match fate {
                Fate::Stays => left.push(pattern.clone()),
                Fate::Becomes(positions) => {
                    let new: Vec<usize> =
                        positions.into_iter().filter(|position| mark(&mut already, *position)).collect();
                    left.extend(self.actions(new).into_iter().map(String::from));
                }
            }
        }
        (!left.is_empty()).then(|| with_list(statement, "Action", left))
    }

    /// Appends what is removed, as `service:*` where nothing of a service is kept by this statement.
    fn extend_not_action(
        &self,
        statement: &Statement,
        patterns: &[String],
        kept: &[usize],
        removed: &[usize],
    ) -> Value {
        let kept_services: BTreeSet<String> =
            self.actions(kept.iter().copied()).iter().map(|action| action.service().to_ascii_lowercase()).collect();
        let mut services: BTreeMap<String, Vec<Action>> = BTreeMap::new();
        for action in self.actions(removed.iter().copied()) {
            services.entry(action.service().to_ascii_lowercase()).or_default().push(action);
        }
        let mut list = patterns.to_vec();
        for (service, actions) in services {
            if kept_services.contains(&service) || actions.len() == 1 {
                list.extend(actions.into_iter().map(String::from));
            } else {
                list.push(format!("{service}:*"));
            }
        }
        with_list(statement, "NotAction", list)
    }
}

/// Sets a flag; whether it was not set before.
fn mark(flags: &mut [bool], position: usize) -> bool {
    flags.get_mut(position).is_some_and(|flag| !std::mem::replace(flag, true))
}

/// The statement as read but for one list; a lone string that stays one stays a string.
pub(super) fn with_list(statement: &Statement, element: &str, mut list: Vec<String>) -> Value {
    let mut raw = statement.raw.clone();
    if let Some(slot) = raw.get_mut(element) {
        *slot = match list.pop() {
            Some(only) if list.is_empty() && slot.is_string() => Value::String(only),
            last => {
                list.extend(last);
                Value::from(list)
            }
        };
    }
    raw
}

#[cfg(test)]
#[path = "rightsize_tests.rs"]
mod tests;
