//! Whether a trust policy lets a principal in without its external id, or with one that nobody agreed on, and by which
//! statement.
//!
//! Asked is a call that meets every other condition of the policy, as the party's own calls do: an address or a tag that
//! is demanded, too, does not make up for an id that is not (S40). What hangs on the id itself and cannot be decided is
//! unknown, never a refusal.

use std::collections::BTreeSet;

use super::admission::{Admission, PrincipalKind, STRANGE_IDS, admitting, assume_role, of_no_organization, strangers};
use super::condition;
use super::context::Context;
use super::document::PolicyDocument;
use super::evaluate::matches_action;
use super::statement::{ConditionBlock, Effect, PrincipalMatch, Statement};
use super::trust::Caller;
use super::truth::Truth;

const KEY: &str = "sts:ExternalId";
/// Fixed characters from which on a pattern is as hard to guess as an id.
const HARD: usize = 16;

/// What a role does with a caller that has no external id, or a wrong one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IdAnswer {
    /// Both calls are refused.
    Refuses,
    /// It cannot be told.
    Unknown,
    /// A call with an id that nobody agreed on is let in; that one without an id is, too, is not known.
    AdmitsAny,
    /// A call without an id is let in.
    AdmitsWithout,
}

impl IdAnswer {
    /// The word of the outputs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refuses => "refuses",
            Self::Unknown => "unknown",
            Self::AdmitsAny => "admits_any",
            Self::AdmitsWithout => "admits_without",
        }
    }
}

/// The answer for one principal, and what it rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdCheck {
    /// The answer.
    pub answer: IdAnswer,
    /// The statements that decide: those that let the call in, or may; where it is refused, those that deny it, else those
    /// that would let it in with the right id.
    pub statements: BTreeSet<String>,
    /// Keys of further conditions that a call must meet to be let in.
    pub conditions: BTreeSet<String>,
    /// Whether the wrong id that is let in fits a pattern which the policy accepts.
    pub by_pattern: bool,
}

/// What comes of one call.
#[derive(Default)]
struct Outcome {
    admitting: BTreeSet<String>,
    undecided: BTreeSet<String>,
    denying: BTreeSet<String>,
    conditions: BTreeSet<String>,
}

impl Outcome {
    fn answer(&self, admitted: IdAnswer) -> IdAnswer {
        if !self.denying.is_empty() {
            IdAnswer::Refuses
        } else if !self.admitting.is_empty() {
            admitted
        } else if !self.undecided.is_empty() {
            IdAnswer::Unknown
        } else {
            IdAnswer::Refuses
        }
    }
}

/// Calls `sts:AssumeRole` as that principal: without an external id, and with some that nobody agreed on.
#[must_use]
pub fn check_id(trust: &PolicyDocument, admission: &Admission) -> IdCheck {
    // One principal can be named in several ways, so the patterns of all statements are tried.
    let conditions = trust.statements.iter().flat_map(|statement| &statement.conditions);
    let of_id = conditions.filter(|block| block.key.eq_ignore_ascii_case(KEY));
    let fitting: BTreeSet<String> = of_id.flat_map(|block| &block.values).filter_map(|value| fitting(value)).collect();
    let mut tries = vec![(None, IdAnswer::AdmitsWithout)];
    tries.extend(STRANGE_IDS.iter().copied().map(|id| (Some(id), IdAnswer::AdmitsAny)));
    tries.extend(fitting.iter().map(|id| (Some(id.as_str()), IdAnswer::AdmitsAny)));
    let mut found = IdCheck {
        answer: IdAnswer::Refuses,
        statements: BTreeSet::new(),
        conditions: BTreeSet::new(),
        by_pattern: false,
    };
    for (id, admitted) in tries {
        for outcome in outcomes(trust, admission, id) {
            let answer = outcome.answer(admitted);
            // The first call that gets furthest is the one that is told.
            if answer > found.answer {
                let statements = if answer == IdAnswer::Unknown { outcome.undecided } else { outcome.admitting };
                let by_pattern = id.is_some_and(|id| fitting.contains(id));
                found = IdCheck { answer, statements, conditions: outcome.conditions, by_pattern };
            } else if found.answer == IdAnswer::Refuses {
                found.statements.extend(outcome.denying);
            }
        }
    }
    if found.statements.is_empty() {
        let naming = admitting(trust, &admission.principal).filter(|statement| is_about_entering(statement));
        found.statements = naming.map(Statement::label).collect();
    }
    found
}

/// An id that fits a pattern whose fixed part can be guessed; `None` for what is no pattern.
fn fitting(value: &str) -> Option<String> {
    let is_wild = |c: char| c == '*' || c == '?';
    let fixed = value.chars().filter(|c| !is_wild(*c)).count();
    let wild = value.contains(is_wild) && fixed < HARD && !value.contains("${");
    wild.then(|| value.replace('*', "stranger").replace('?', "0"))
}

fn is_about_entering(statement: &Statement) -> bool {
    assume_role().is_some_and(|action| matches_action(&statement.actions, &action))
}

fn outcomes(trust: &PolicyDocument, admission: &Admission, id: Option<&str>) -> Vec<Outcome> {
    let context = match id {
        Some(id) => Context::partial().with(KEY, [id]),
        None => Context::partial().without(KEY),
    };
    let principal = admission.principal.as_str();
    match (admission.kind, admission.account) {
        (PrincipalKind::Role | PrincipalKind::User, _) => vec![outcome(trust, Caller::Arn(principal), context)],
        (_, Some(account)) => vec![outcome(trust, Caller::Account(account), context)],
        (PrincipalKind::Anyone, None) => {
            let strangers = strangers(trust);
            let ask = |arn: &String| outcome(trust, Caller::Arn(arn), of_no_organization(context.clone()));
            strangers.iter().map(ask).collect()
        }
        // Neither providers nor services nor what is gone come in by `sts:AssumeRole` from another account.
        _ => Vec::new(),
    }
}

fn outcome(trust: &PolicyDocument, caller: Caller<'_>, context: Context) -> Outcome {
    let context = caller.complete(context);
    let mut found = Outcome::default();
    let (mut needed, mut forbidden, mut doubted) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for statement in trust.statements.iter().filter(|statement| is_about_entering(statement)) {
        let named = match &statement.principals {
            PrincipalMatch::Principal(principals) => caller.is_among(principals),
            PrincipalMatch::NotPrincipal(principals) => caller.is_among(principals).negate(),
            PrincipalMatch::None => Truth::False,
        };
        let (of_id, others): (Vec<&ConditionBlock>, Vec<_>) =
            statement.conditions.iter().partition(|block| block.key.eq_ignore_ascii_case(KEY));
        let holds = |block: &&ConditionBlock| condition::holds(block, trust.version, &context);
        let id_holds = Truth::all(of_id.iter().map(holds));
        let other_holds = Truth::all(others.iter().map(holds));
        let open = others.iter().filter(|block| holds(block) == Truth::Unknown);
        let open: BTreeSet<String> = open.map(|block| block.key.clone()).collect();
        let label = statement.label();
        match (statement.effect, named, other_holds, id_holds) {
            (_, Truth::False, _, _) | (_, _, Truth::False, _) | (_, _, _, Truth::False) => {}
            // A single principal that another statement names has an answer of its own.
            (Effect::Allow, Truth::Unknown, _, _) => {}
            (Effect::Allow, Truth::True, _, Truth::True) => {
                found.admitting.insert(label);
                needed.extend(open);
            }
            (Effect::Allow, Truth::True, _, Truth::Unknown) => {
                found.undecided.insert(label);
                needed.extend(open);
            }
            (Effect::Deny, Truth::True, Truth::True, Truth::True) => {
                found.denying.insert(label);
            }
            (Effect::Deny, _, _, Truth::Unknown) => {
                doubted.insert(label);
                forbidden.extend(open);
            }
            // A call that meets the other conditions is not the one that is denied; no call may meet those of two denials.
            (Effect::Deny, _, _, Truth::True) => {
                if !forbidden.is_disjoint(&open) {
                    doubted.insert(label);
                }
                forbidden.extend(open);
            }
        }
    }
    // What one statement needs and another forbids may be one call or none.
    if !doubted.is_empty() || !needed.is_disjoint(&forbidden) {
        found.undecided.append(&mut found.admitting);
        found.undecided.append(&mut doubted);
    }
    found.conditions = needed.into_iter().chain(forbidden).collect();
    found
}

#[cfg(test)]
#[path = "without_id_tests.rs"]
mod tests;
