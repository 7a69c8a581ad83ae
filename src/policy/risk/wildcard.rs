//! Wildcards that stand for writing actions on every resource: what AWS adds to the service tomorrow is granted today.

use std::collections::BTreeSet;

use super::classes::is_write;
use super::reach::{Powers, Reach};
use crate::aws::Action;
use crate::policy::danger::Danger;
use crate::policy::evaluate::StatementRef;
use crate::policy::grant::covered;
use crate::policy::statement::{ActionMatch, Effect};

/// A wildcard within a name stands for a family; from this many writing actions on it is counted.
const BROAD_WRITES: usize = 5;

/// One wildcard of an `Allow` statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wildcard {
    /// As written; `NotAction` for all that a statement does not exclude.
    pub pattern: String,
    /// Where.
    pub statement: StatementRef,
    /// Its writing actions that reach every resource, or may.
    pub writes: Vec<Action>,
    /// Whether one of them is worse than a plain write.
    pub is_dangerous: bool,
    /// Whether that is certain for at least one of them.
    pub is_certain: bool,
    /// Condition keys on which the others hang.
    pub keys: BTreeSet<String>,
}

/// The wildcards of the policies, in their order.
#[must_use]
pub fn wildcards(powers: &Powers<'_>) -> Vec<Wildcard> {
    let mut found = Vec::new();
    for policy in powers.policies {
        for statement in policy.document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
            let by = StatementRef::new(policy.name, statement);
            match &statement.actions {
                ActionMatch::Action(patterns) => {
                    for pattern in patterns.iter().filter(|pattern| pattern.contains(['*', '?'])) {
                        let matching = ActionMatch::Action(vec![pattern.clone()]);
                        found.extend(wildcard(powers, pattern, &by, &matching));
                    }
                }
                actions @ ActionMatch::NotAction(_) => found.extend(wildcard(powers, "NotAction", &by, actions)),
            }
        }
    }
    found
}

fn wildcard(powers: &Powers<'_>, pattern: &str, by: &StatementRef, actions: &ActionMatch) -> Option<Wildcard> {
    let index = powers.catalog.index();
    let mut found = Wildcard {
        pattern: pattern.to_owned(),
        statement: by.clone(),
        writes: Vec::new(),
        is_dangerous: false,
        is_certain: false,
        keys: BTreeSet::new(),
    };
    for action in covered(index, actions).into_iter().filter_map(|at| index.action(at)) {
        // IAM is told of by itself.
        if action.service() == "iam" || !powers.catalog.get(action).is_some_and(is_write) {
            continue;
        }
        let Some(grant) = powers.grant(action) else { continue };
        let answer = powers.brief_reach_of(grant);
        if answer.reach < Reach::MayEvery || !answer.statements.contains(by) {
            continue;
        }
        found.is_dangerous |= powers.catalog.danger(action).is_some_and(|danger| danger != Danger::Write);
        found.is_certain |= answer.reach == Reach::Every;
        // Actions of one statement hang on the same.
        if answer.reach == Reach::MayEvery && found.keys.is_empty() {
            found.keys.extend(powers.reach_of(grant).keys);
        }
        found.writes.push(action.clone());
    }
    let is_whole = pattern == "NotAction" || pattern.split_once(':').is_none_or(|(_, name)| name.starts_with('*'));
    (found.writes.len() >= if is_whole { 1 } else { BROAD_WRITES }).then_some(found)
}
