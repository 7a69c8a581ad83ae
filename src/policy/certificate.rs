//! The proof that a proposal breaks no observed call and grants nothing new (S37).
//!
//! Two witnesses: every distinct observed call is decided under the policies before and after, and every statement after
//! must lie, by its text, within those before. What cannot be proven fails: this file would rather withhold a good
//! proposal than pass a bad one. It must not trust how the proposal was made.

use std::fmt;

use hashbrown::HashSet;
use serde::Serialize;

use super::catalog::Catalog;
use super::compiled::PolicySet;
use super::context::Context;
use super::diff::one_line;
use super::evaluate::{Decision, InForce, NamedPolicy, Resource, StatementRef};
use super::grant::expand;
use super::inclusion::{lost_denials, unproven_grants};
use crate::aws::Action;

/// One call that CloudTrail showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObservedCall {
    /// An action that the call needed.
    pub action: Action,
    /// What it touched.
    pub resource: Resource,
    /// What is known of its condition keys.
    pub context: Context,
    /// The event's id, for the reader.
    pub id: String,
}

/// One reason why a proposal is withheld; displayed as one line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum CounterExample {
    /// An observed call would be decided otherwise.
    Call {
        /// The event's id.
        id: String,
        /// The action that it needed.
        action: Action,
        /// The ARN, where known.
        resource: Option<String>,
        /// Under the policies as they are.
        before: Decision,
        /// Under the proposal.
        after: Decision,
    },
    /// A known action is granted by the proposal only.
    NewlyAllowed {
        /// The action.
        action: Action,
    },
    /// An `Allow` statement of the proposal is not provably within one of the current policies.
    Unproven {
        /// The statement, in the proposal.
        statement: StatementRef,
    },
    /// A `Deny` statement of the current policies is not provably in the proposal.
    LostDeny {
        /// The statement, in the current policies.
        statement: StatementRef,
    },
}

impl fmt::Display for CounterExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |at: &StatementRef| format!("`{}` of `{}`", one_line(&at.statement), one_line(&at.policy));
        match self {
            Self::Call { id, action, resource, before, after } => {
                let resource = resource
                    .as_deref()
                    .map_or_else(|| "an unknown resource".to_owned(), |r| format!("`{}`", one_line(r)));
                let (before, after) = (words(*before), words(*after));
                write!(f, "event `{}`: `{action}` on {resource} is {before} now and would be {after}", one_line(id))
            }
            Self::NewlyAllowed { action } => write!(f, "`{action}` is not granted now and would be"),
            Self::Unproven { statement } => {
                write!(f, "statement {} is not provably within a current statement", place(statement))
            }
            Self::LostDeny { statement } => {
                write!(f, "deny statement {} is not provably in the proposal", place(statement))
            }
        }
    }
}

fn words(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "allowed",
        Decision::ImplicitlyDenied => "implicitly denied",
        Decision::ExplicitlyDenied => "explicitly denied",
        Decision::Unknown => "undecidable",
    }
}

/// What was proven about a proposal.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Certificate {
    /// Distinct observed calls (action, resource, context).
    pub calls_replayed: usize,
    /// Of them, those that the current policies certainly allow.
    pub calls_allowed: usize,
    /// Of them, those on which the current policies cannot be decided.
    pub undecidable: usize,
    /// Known actions that the proposal grants, sorted.
    pub granted: Vec<Action>,
    /// Known actions that only the proposal grants.
    pub newly_allowed: Vec<Action>,
    /// Empty for a proposal that may be written as right-sized.
    pub counter_examples: Vec<CounterExample>,
}

impl Certificate {
    /// Whether nothing speaks against the proposal.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.counter_examples.is_empty() && self.newly_allowed.is_empty()
    }
}

/// Compares the policies of one principal before and after, under the same boundaries.
///
/// `after` holds all policies that would be in force, the unchanged ones included.
#[must_use]
pub fn certify(
    before: &[NamedPolicy<'_>],
    after: &[NamedPolicy<'_>],
    boundaries: &[NamedPolicy<'_>],
    calls: &[ObservedCall],
    catalog: &Catalog,
) -> Certificate {
    let mut out = Certificate::default();
    replay(before, after, boundaries, calls, &mut out);
    let granted = |policies| -> Vec<Action> {
        expand(policies, boundaries, catalog).grants.into_iter().map(|grant| grant.action).collect()
    };
    let now = granted(before);
    out.granted = granted(after);
    out.newly_allowed = out.granted.iter().filter(|action| now.binary_search(action).is_err()).cloned().collect();
    let new = out.newly_allowed.iter().map(|action| CounterExample::NewlyAllowed { action: action.clone() });
    out.counter_examples.extend(new);
    out.counter_examples.extend(structure(before, after));
    out
}

fn replay(
    before: &[NamedPolicy<'_>],
    after: &[NamedPolicy<'_>],
    boundaries: &[NamedPolicy<'_>],
    calls: &[ObservedCall],
    out: &mut Certificate,
) {
    let set = |identity| PolicySet::new(InForce { identity, boundaries, sessions: &[] });
    let (before, after) = (set(before), set(after));
    let mut seen = HashSet::new();
    for call in calls.iter().filter(|call| seen.insert((&call.action, &call.resource, &call.context))) {
        let then = before.decide(&call.action, &call.resource, &call.context).decision;
        let now = after.decide(&call.action, &call.resource, &call.context).decision;
        out.calls_replayed += 1;
        out.calls_allowed += usize::from(then == Decision::Allowed);
        out.undecidable += usize::from(then == Decision::Unknown);
        let acceptable = match then {
            Decision::Allowed => now == Decision::Allowed,
            // An unknown that became certain is no call lost.
            Decision::Unknown => matches!(now, Decision::Unknown | Decision::Allowed),
            Decision::ImplicitlyDenied | Decision::ExplicitlyDenied => {
                matches!(now, Decision::ImplicitlyDenied | Decision::ExplicitlyDenied)
            }
        };
        if !acceptable {
            let resource = match &call.resource {
                Resource::Known(arn) => Some(arn.clone()),
                Resource::Unknown => None,
            };
            out.counter_examples.push(CounterExample::Call {
                id: call.id.clone(),
                action: call.action.clone(),
                resource,
                before: then,
                after: now,
            });
        }
    }
}

/// Statements that cannot be shown to be within the current policies, and denials that cannot be shown to stay.
fn structure(before: &[NamedPolicy<'_>], after: &[NamedPolicy<'_>]) -> Vec<CounterExample> {
    let unproven = unproven_grants(after, before).into_iter().map(|statement| CounterExample::Unproven { statement });
    let lost = lost_denials(after, before).into_iter().map(|statement| CounterExample::LostDeny { statement });
    unproven.chain(lost).collect()
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
