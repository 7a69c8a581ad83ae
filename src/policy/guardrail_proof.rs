//! The proof that a guard-rail takes the named actions from a role and nothing else (S37).
//!
//! Three witnesses: every distinct observed call is decided before and after; the known actions that are granted after are
//! those before without the taken ones; and by its text the guard-rail only adds denials of taken actions, so that nothing
//! is lost or won that the catalog does not know. Unlike in `certificate`, boundaries may differ. What cannot be proven
//! fails; how the documents were made is not asked.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;

use hashbrown::HashSet;

use super::catalog::Catalog;
use super::certificate::{CounterExample, ObservedCall};
use super::compiled::PolicySet;
use super::evaluate::{Decision, InForce, NamedPolicy, Resource, StatementRef};
use super::grant::expand;
use super::statement::{ActionMatch, Effect, ResourceMatch, Statement};
use crate::aws::Action;

/// All that decides what one principal may do, as far as it is known here.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// Identity policies.
    pub policies: &'a [NamedPolicy<'a>],
    /// Permissions boundaries; at most one in IAM.
    pub boundaries: &'a [NamedPolicy<'a>],
}

impl Holder<'_> {
    /// Decides calls, compiled once for all of them.
    fn decider(self) -> impl Fn(&ObservedCall) -> Decision {
        let set = PolicySet::new(InForce { identity: self.policies, boundaries: self.boundaries, sessions: &[] });
        move |call| set.decide(&call.action, &call.resource, &call.context).decision
    }

    fn grants(&self, catalog: &Catalog) -> BTreeSet<Action> {
        expand(self.policies, self.boundaries, catalog).grants.into_iter().map(|grant| grant.action).collect()
    }
}

/// One reason why a guard-rail is withheld; displayed as one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GuardrailFlaw {
    /// An observed call would be decided otherwise, or an action would be newly allowed.
    Replay {
        /// As in a right-sizing's proof.
        example: CounterExample,
    },
    /// An action that was to be taken is still granted, or never was.
    NotTaken {
        /// The action.
        action: Action,
    },
    /// An action that was to stay is no longer granted.
    Lost {
        /// The action.
        action: Action,
    },
    /// A document of today is not there as it was.
    Changed {
        /// Its name.
        policy: String,
    },
    /// A statement that was added is no plain denial of taken actions.
    NoPlainDenial {
        /// The statement.
        statement: StatementRef,
    },
}

impl fmt::Display for GuardrailFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replay { example } => example.fmt(f),
            Self::NotTaken { action } => write!(f, "`{action}` would not be taken"),
            Self::Lost { action } => write!(f, "`{action}` is to stay and would be taken"),
            Self::Changed { policy } => write!(f, "`{}` would not stay as it is", super::diff::one_line(policy)),
            Self::NoPlainDenial { statement } => {
                let (label, policy) =
                    (super::diff::one_line(&statement.statement), super::diff::one_line(&statement.policy));
                write!(f, "statement `{label}` of `{policy}` is no plain denial of the actions to be taken")
            }
        }
    }
}

/// What was proven about a guard-rail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GuardrailProof {
    /// Distinct observed calls (action, resource, context).
    pub calls_replayed: usize,
    /// Of them, those that are certainly allowed without the guard-rail.
    pub calls_allowed: usize,
    /// Of them, those that cannot be decided without the guard-rail.
    pub undecidable: usize,
    /// Known actions granted without the guard-rail.
    pub granted_before: usize,
    /// Known actions granted with it.
    pub granted_after: usize,
    /// Known actions granted only with it.
    pub newly_allowed: usize,
    /// Empty for a guard-rail that may be written.
    pub flaws: Vec<GuardrailFlaw>,
}

impl GuardrailProof {
    /// Whether nothing speaks against the guard-rail.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.flaws.is_empty()
    }
}

/// A principal as it is, with what its calls are decided to be; several guard-rails can be held against it.
pub struct Baseline<'a> {
    before: Holder<'a>,
    calls: Vec<(&'a ObservedCall, Decision)>,
    catalog: &'a Catalog,
    /// Expanded when the first guard-rail comes.
    grants: OnceCell<BTreeSet<Action>>,
}

impl<'a> Baseline<'a> {
    /// Decides every distinct call (action, resource, context) under the policies as they are.
    #[must_use]
    pub fn of(before: Holder<'a>, calls: &'a [ObservedCall], catalog: &'a Catalog) -> Self {
        let mut seen = HashSet::new();
        let distinct = calls.iter().filter(|call| seen.insert((&call.action, &call.resource, &call.context)));
        let decide = before.decider();
        let calls = distinct.map(|call| (call, decide(call))).collect();
        Self { before, calls, catalog, grants: OnceCell::new() }
    }

    /// The principal as it is.
    #[must_use]
    pub fn holder(&self) -> Holder<'a> {
        self.before
    }

    /// The distinct calls, each with its decision.
    pub fn calls(&self) -> impl Iterator<Item = (&'a ObservedCall, Decision)> {
        self.calls.iter().copied()
    }

    fn grants(&self) -> &BTreeSet<Action> {
        self.grants.get_or_init(|| self.before.grants(self.catalog))
    }

    /// Compares the principal with what it would be under a guard-rail that is to take exactly `taken`.
    ///
    /// `after` holds everything that would be in force, the unchanged documents first and in their order.
    #[must_use]
    pub fn prove(&self, after: Holder<'_>, taken: &BTreeSet<Action>) -> GuardrailProof {
        let number = |wanted: Decision| self.calls.iter().filter(|(_, decision)| *decision == wanted).count();
        let mut proof = GuardrailProof {
            calls_replayed: self.calls.len(),
            calls_allowed: number(Decision::Allowed),
            undecidable: number(Decision::Unknown),
            granted_before: self.grants().len(),
            ..GuardrailProof::default()
        };
        proof.flaws.extend(self.replay(after));
        self.compare_grants(&after.grants(self.catalog), taken, &mut proof);
        proof.flaws.extend(additions(self.before.policies, after.policies, taken));
        proof.flaws.extend(boundary_additions(self.before.boundaries, after.boundaries, taken));
        proof
    }

    fn replay(&self, after: Holder<'_>) -> impl Iterator<Item = GuardrailFlaw> {
        let decide = after.decider();
        self.calls.iter().filter_map(move |(call, before)| {
            let now = decide(call);
            let resource = match &call.resource {
                Resource::Known(arn) => Some(arn.clone()),
                Resource::Unknown => None,
            };
            (!is_acceptable(*before, now)).then(|| GuardrailFlaw::Replay {
                example: CounterExample::Call {
                    id: call.id.clone(),
                    action: call.action.clone(),
                    resource,
                    before: *before,
                    after: now,
                },
            })
        })
    }

    fn compare_grants(&self, after: &BTreeSet<Action>, taken: &BTreeSet<Action>, proof: &mut GuardrailProof) {
        let before = self.grants();
        proof.granted_after = after.len();
        for action in after.difference(before) {
            proof.newly_allowed += 1;
            let example = CounterExample::NewlyAllowed { action: action.clone() };
            proof.flaws.push(GuardrailFlaw::Replay { example });
        }
        let not_taken = taken.iter().filter(|action| after.contains(*action) || !before.contains(*action));
        proof.flaws.extend(not_taken.map(|action| GuardrailFlaw::NotTaken { action: action.clone() }));
        let lost = before.iter().filter(|action| !after.contains(*action) && !taken.contains(*action));
        proof.flaws.extend(lost.map(|action| GuardrailFlaw::Lost { action: action.clone() }));
    }
}

/// Whether a call that was decided so may be decided otherwise: nothing that was allowed may be lost, nothing won.
fn is_acceptable(before: Decision, after: Decision) -> bool {
    let denied = |decision| matches!(decision, Decision::ImplicitlyDenied | Decision::ExplicitlyDenied);
    before == after || (denied(before) && denied(after))
}

/// Flaws in how `after` goes beyond the documents of `before`, which must all be there unchanged.
fn additions(before: &[NamedPolicy<'_>], after: &[NamedPolicy<'_>], taken: &BTreeSet<Action>) -> Vec<GuardrailFlaw> {
    let mut flaws = Vec::new();
    for (at, policy) in before.iter().enumerate() {
        if after.get(at).is_none_or(|same| same.document != policy.document) {
            flaws.push(GuardrailFlaw::Changed { policy: policy.name.to_owned() });
        }
    }
    for policy in after.iter().skip(before.len()) {
        flaws.extend(no_plain_denials(policy, &policy.document.statements, taken));
    }
    flaws
}

/// Flaws in a boundary that takes the place of another, whose statements it must begin with, or of none.
fn boundary_additions(
    before: &[NamedPolicy<'_>],
    after: &[NamedPolicy<'_>],
    taken: &BTreeSet<Action>,
) -> Vec<GuardrailFlaw> {
    let mut flaws = Vec::new();
    for (at, boundary) in before.iter().enumerate() {
        let Some(new) = after.get(at).filter(|new| begins_with(new, boundary)) else {
            flaws.push(GuardrailFlaw::Changed { policy: boundary.name.to_owned() });
            continue;
        };
        let added = new.document.statements.get(boundary.document.statements.len()..).unwrap_or_default();
        flaws.extend(no_plain_denials(new, added, taken));
    }
    for new in after.iter().skip(before.len()) {
        match new.document.statements.split_first() {
            Some((first, added)) if allows_everything(first) => flaws.extend(no_plain_denials(new, added, taken)),
            // Whatever it does not allow, it takes.
            _ => flaws.push(GuardrailFlaw::Changed { policy: new.name.to_owned() }),
        }
    }
    flaws
}

fn begins_with(new: &NamedPolicy<'_>, old: &NamedPolicy<'_>) -> bool {
    let (new, old) = (new.document, old.document);
    let same = new.statements.iter().zip(&old.statements).all(|(new, old)| new.raw == old.raw);
    new.version == old.version && new.statements.len() >= old.statements.len() && same
}

fn no_plain_denials(
    policy: &NamedPolicy<'_>,
    added: &[Statement],
    taken: &BTreeSet<Action>,
) -> impl Iterator<Item = GuardrailFlaw> {
    let bad = added.iter().filter(|statement| !is_plain_denial(statement, taken));
    bad.map(|statement| GuardrailFlaw::NoPlainDenial { statement: StatementRef::new(policy.name, statement) })
}

fn is_everywhere(statement: &Statement) -> bool {
    matches!(&statement.resources, ResourceMatch::Resource(patterns) if *patterns == ["*"])
        && statement.conditions.is_empty()
}

fn allows_everything(statement: &Statement) -> bool {
    let everything = matches!(&statement.actions, ActionMatch::Action(patterns) if *patterns == ["*"]);
    statement.effect == Effect::Allow && everything && is_everywhere(statement)
}

/// Whether it denies taken actions by their whole names, on every resource and always.
fn is_plain_denial(statement: &Statement, taken: &BTreeSet<Action>) -> bool {
    // `Action` has no wildcards, so what parses as one is a whole name.
    let named = |pattern: &String| Action::parse(pattern).is_some_and(|action| taken.contains(&action));
    let plain = matches!(&statement.actions, ActionMatch::Action(patterns) if patterns.iter().all(named));
    statement.effect == Effect::Deny && plain && is_everywhere(statement)
}

#[cfg(test)]
#[path = "guardrail_proof_tests.rs"]
mod tests;
