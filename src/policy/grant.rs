//! The known actions that a set of policies grants, each with the statements that grant it.
//!
//! Grants are possibilities: an action is left out only where it can never be allowed. Patterns that match no known
//! action are listed: the catalog may simply not know what they mean.

use serde::Serialize;

use super::action_index::ActionIndex;
use super::catalog::Catalog;
use super::document::PolicyDocument;
use super::evaluate::{NamedPolicy, StatementRef};
use super::statement::{ActionMatch, Effect, ResourceMatch, Statement};
use crate::aws::Action;

/// One action that the policies can allow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Grant {
    /// In the catalog's case.
    pub action: Action,
    /// The `Allow` statements that cover it, in the order of the policies.
    pub granted_by: Vec<StatementRef>,
    /// Whether each of those statements has a `Condition`.
    pub conditional: bool,
}

/// A pattern of an `Allow` statement's `Action` that matches no known action.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct UnmatchedPattern {
    /// As written.
    pub pattern: String,
    /// Where.
    pub statement: StatementRef,
}

/// What a set of policies grants.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Granted {
    /// Sorted by action.
    pub grants: Vec<Grant>,
    /// In the order of the policies.
    pub unmatched_patterns: Vec<UnmatchedPattern>,
}

/// Expands policies over the catalog.
///
/// An action is granted when an `Allow` statement covers it, every boundary has an `Allow` statement that covers it, and
/// no `Deny` without condition takes it on every resource.
#[must_use]
pub fn expand(policies: &[NamedPolicy<'_>], boundaries: &[NamedPolicy<'_>], catalog: &Catalog) -> Granted {
    let index = catalog.index();
    let mut possible = vec![true; index.len()];
    for boundary in boundaries {
        let mut allowed = vec![false; index.len()];
        for statement in with_effect(boundary.document, Effect::Allow) {
            set(&mut allowed, &covered(index, &statement.actions), true);
        }
        possible.iter_mut().zip(&allowed).for_each(|(possible, allowed)| *possible &= *allowed);
    }
    for policy in policies.iter().chain(boundaries) {
        for statement in with_effect(policy.document, Effect::Deny).filter(|statement| is_unconditional(statement)) {
            set(&mut possible, &covered(index, &statement.actions), false);
        }
    }

    let allows = policies.iter().flat_map(|policy| {
        let statements = with_effect(policy.document, Effect::Allow);
        statements.map(|statement| (statement, StatementRef::new(policy.name, statement)))
    });
    let allows: Vec<(&Statement, StatementRef)> = allows.collect();
    let mut covering: Vec<(usize, usize)> = Vec::new();
    let mut unmatched_patterns = Vec::new();
    for (number, (statement, reference)) in allows.iter().enumerate() {
        let mut unmatched = Vec::new();
        let granted = covered_but(index, &statement.actions, &mut unmatched).into_iter();
        covering.extend(granted.filter(|at| possible.get(*at) == Some(&true)).map(|at| (at, number)));
        if matches!(statement.actions, ActionMatch::Action(_)) {
            let unmatched = unmatched.into_iter();
            unmatched_patterns.extend(
                unmatched.map(|pattern| UnmatchedPattern { pattern: pattern.to_owned(), statement: reference.clone() }),
            );
        }
    }
    covering.sort_unstable();
    let grant = |group: &[(usize, usize)]| {
        let by = || group.iter().filter_map(|(_, number)| allows.get(*number));
        Some(Grant {
            action: index.action(group.first()?.0)?.clone(),
            granted_by: by().map(|(_, reference)| reference.clone()).collect(),
            conditional: by().all(|(statement, _)| !statement.conditions.is_empty()),
        })
    };
    let grants = covering.chunk_by(|one, other| one.0 == other.0).filter_map(grant).collect();
    Granted { grants, unmatched_patterns }
}

fn with_effect(document: &PolicyDocument, effect: Effect) -> impl Iterator<Item = &Statement> {
    document.statements.iter().filter(move |statement| statement.effect == effect)
}

fn is_unconditional(statement: &Statement) -> bool {
    let everywhere =
        matches!(&statement.resources, ResourceMatch::Resource(patterns) if patterns.iter().any(|p| p == "*"));
    everywhere && statement.conditions.is_empty()
}

fn set(flags: &mut [bool], positions: &[usize], value: bool) {
    for position in positions {
        if let Some(flag) = flags.get_mut(*position) {
            *flag = value;
        }
    }
}

/// Positions of the actions that an `Action` or `NotAction` covers, in order, each once.
pub(super) fn covered(index: &ActionIndex, actions: &ActionMatch) -> Vec<usize> {
    covered_but(index, actions, &mut Vec::new())
}

/// As [`covered`], and notes the patterns that match no known action.
fn covered_but<'s>(index: &ActionIndex, actions: &'s ActionMatch, unmatched: &mut Vec<&'s str>) -> Vec<usize> {
    let (ActionMatch::Action(patterns) | ActionMatch::NotAction(patterns)) = actions;
    let mut matching = Vec::new();
    for pattern in patterns {
        let before = matching.len();
        matching.extend(index.matching(pattern));
        if matching.len() == before {
            unmatched.push(pattern);
        }
    }
    matching.sort_unstable();
    matching.dedup();
    match actions {
        ActionMatch::Action(_) => matching,
        ActionMatch::NotAction(_) => {
            (0..index.len()).filter(|position| matching.binary_search(position).is_err()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::action_index::tests::catalog;

    const NAMES: [&str; 4] = ["ec2:RunInstances", "iam:PassRole", "s3:GetObject", "s3:PutObject"];

    fn granted(statements: Value, boundary: Option<Value>) -> Granted {
        let document = |statements| PolicyDocument::from_value(&json!({"Statement": statements})).unwrap();
        let (policy, boundary) = (document(statements), boundary.map(document));
        let boundaries: Vec<_> = boundary.iter().map(|document| NamedPolicy { name: "b", document }).collect();
        expand(&[NamedPolicy { name: "p", document: &policy }], &boundaries, &catalog(&NAMES))
    }

    fn names(granted: &Granted) -> Vec<&str> {
        granted.grants.iter().map(|grant| grant.action.as_str()).collect()
    }

    /// S31: wildcards, NotAction and Deny are honoured; each grant names its statements.
    #[test]
    fn grants_name_their_statements() {
        let found = granted(
            json!([
                {"Sid": "All", "Effect": "Allow", "Action": "S3:*", "Resource": "*"},
                {"Effect": "Allow", "NotAction": ["iam:*", "s3:Put*"], "Resource": "*", "Condition": {"Bool": {"k": "true"}}},
                {"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}
            ]),
            None,
        );
        assert_eq!(names(&found), ["ec2:RunInstances", "s3:GetObject"]);
        assert_eq!((found.grants[0].conditional, found.grants[1].conditional), (true, false));
        assert_eq!(
            serde_json::to_value(&found.grants[1].granted_by).unwrap(),
            json!([{"policy": "p", "statement": "All"}, {"policy": "p", "statement": "#2"}])
        );
    }

    /// S32: only what the boundary may allow is granted; a deny that may not hold takes nothing.
    #[test]
    fn boundaries_limit_and_conditional_denies_do_not() {
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let found =
            granted(all.clone(), Some(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b"})));
        assert_eq!(names(&found), ["s3:GetObject", "s3:PutObject"]);
        let narrow = json!({"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::b"});
        assert_eq!(names(&granted(json!([all, narrow]), None)).len(), 4);
    }

    /// S31: what the catalog does not know is said, not dropped.
    #[test]
    fn patterns_that_match_nothing_known_are_reported() {
        let found = granted(json!({"Effect": "Allow", "Action": ["new:*", "s3:*"], "Resource": "*"}), None);
        assert_eq!(found.unmatched_patterns.len(), 1);
        assert_eq!(found.unmatched_patterns[0].pattern, "new:*");
    }
}
