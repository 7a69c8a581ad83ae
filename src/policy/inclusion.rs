//! Whether what some policies say lies within what others say, proven from their texts.
//!
//! Sound, not complete: what cannot be proven is a no. A statement is taken apart into pairs of an action pattern and a
//! resource pattern; each pair must lie within one statement of the other side, whose principals are the same and whose
//! conditions hold wherever those of the narrow statement do. `Sid` and unknown keys mean nothing to IAM and are not
//! compared.

use super::compiled::ActionTable;
use super::condition::is_negated;
use super::document::Version;
use super::evaluate::{NamedPolicy, StatementRef};
use super::pattern::{Pattern, has_variables};
use super::statement::{ActionMatch, ConditionBlock, Effect, ResourceMatch, Statement};
use super::truth::Truth;
use crate::aws::Action;

/// `Allow` statements of `new` that are not provably within those of `old`; none for a proven subset.
///
/// Denials are another question: [`lost_denials`].
#[must_use]
pub fn unproven_grants(new: &[NamedPolicy<'_>], old: &[NamedPolicy<'_>]) -> Vec<StatementRef> {
    outside(new, old, Effect::Allow)
}

/// `Deny` statements of `old` of which `new` does not provably deny everything.
#[must_use]
pub fn lost_denials(new: &[NamedPolicy<'_>], old: &[NamedPolicy<'_>]) -> Vec<StatementRef> {
    outside(old, new, Effect::Deny)
}

/// Whether `new` provably allows nothing that `old` does not: no action, on no resource, under no condition.
#[must_use]
pub fn subset(new: &[NamedPolicy<'_>], old: &[NamedPolicy<'_>]) -> bool {
    unproven_grants(new, old).is_empty() && lost_denials(new, old).is_empty()
}

fn outside(narrow: &[NamedPolicy<'_>], wide: &[NamedPolicy<'_>], effect: Effect) -> Vec<StatementRef> {
    let wide = Wide::of(statements(wide, effect).map(|(_, placed)| placed).collect());
    let unproven = statements(narrow, effect).filter(|(_, placed)| !wide.holds(*placed));
    unproven.map(|(policy, placed)| StatementRef::new(policy, placed.statement)).collect()
}

fn statements<'p>(policies: &'p [NamedPolicy<'p>], effect: Effect) -> impl Iterator<Item = (&'p str, Placed<'p>)> {
    policies.iter().flat_map(move |policy| {
        let version = policy.document.version;
        let of_effect = policy.document.statements.iter().filter(move |statement| statement.effect == effect);
        of_effect.map(move |statement| (policy.name, Placed { statement, version }))
    })
}

/// A statement with its document's version, which decides what `${...}` means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'p> {
    pub(super) statement: &'p Statement,
    pub(super) version: Version,
}

impl Placed<'_> {
    /// Whether this statement lies within a single other one, of the same effect.
    pub(super) fn is_within(self, wide: Placed<'_>) -> bool {
        self.statement.effect == wide.statement.effect && Wide::of(vec![wide]).holds(self)
    }
}

/// The statements within which another may lie.
struct Wide<'p> {
    statements: Vec<Placed<'p>>,
    actions: ActionTable,
}

/// One part of a narrow statement's resources.
#[derive(Clone, Copy)]
enum Part<'p> {
    Pattern(&'p str),
    AllBut(&'p [String]),
    /// A trust policy's statement names none.
    Role,
}

impl<'p> Wide<'p> {
    fn of(statements: Vec<Placed<'p>>) -> Self {
        let mut actions = ActionTable::default();
        for (number, placed) in statements.iter().enumerate() {
            actions.add(&placed.statement.actions, number);
        }
        actions.complete();
        Self { statements, actions }
    }

    fn holds(&self, narrow: Placed<'_>) -> bool {
        let parts: Vec<Part<'_>> = match &narrow.statement.resources {
            ResourceMatch::Resource(patterns) => patterns.iter().map(|pattern| Part::Pattern(pattern)).collect(),
            ResourceMatch::NotResource(patterns) => vec![Part::AllBut(patterns)],
            ResourceMatch::None => vec![Part::Role],
        };
        parts.into_iter().all(|part| {
            let fits = |wide: &Placed<'_>| {
                same_principals(narrow, *wide) && implied(narrow, *wide) && lies(part, narrow.version, *wide)
            };
            let fitting: Vec<bool> = self.statements.iter().map(fits).collect();
            self.has_actions(&narrow.statement.actions, &fitting)
        })
    }

    /// Whether each of the actions lies within one of the fitting statements.
    fn has_actions(&self, actions: &ActionMatch, fitting: &[bool]) -> bool {
        let some = |test: &dyn Fn(&Statement) -> bool| {
            self.statements.iter().zip(fitting).any(|(wide, fits)| *fits && test(wide.statement))
        };
        match actions {
            ActionMatch::NotAction(excluded) => some(&|wide| all_but_lies(excluded, &wide.actions)),
            ActionMatch::Action(patterns) => patterns.iter().all(|pattern| match Action::parse(pattern) {
                Some(action) => self.actions.numbers(&action).any(|number| fitting.get(number) == Some(&true)),
                None => some(&|wide| pattern_lies(pattern, &wide.actions)),
            }),
        }
    }
}

/// Whether all actions that a pattern with wildcards matches are matched.
fn pattern_lies(narrow: &str, wide: &ActionMatch) -> bool {
    match wide {
        ActionMatch::Action(patterns) => patterns.iter().any(|wide| Pattern::new(wide).contains_action_pattern(narrow)),
        ActionMatch::NotAction(excluded) => excluded.iter().all(|excluded| apart(narrow, excluded)),
    }
}

/// Whether two action patterns certainly have no action in common: their services are plain and different.
fn apart(one: &str, other: &str) -> bool {
    let service = |text: &str| text.split_once(':').map(|(service, _)| service.to_ascii_lowercase());
    match (service(one), service(other)) {
        (Some(one), Some(other)) => one != other && !one.contains(['*', '?']) && !other.contains(['*', '?']),
        _ => false,
    }
}

/// Whether all actions but the excluded ones are matched.
fn all_but_lies(excluded: &[String], wide: &ActionMatch) -> bool {
    match wide {
        ActionMatch::Action(patterns) => patterns.iter().any(|pattern| pattern == "*"),
        ActionMatch::NotAction(fewer) => fewer
            .iter()
            .all(|pattern| excluded.iter().any(|excluded| Pattern::new(excluded).contains_action_pattern(pattern))),
    }
}

fn same_principals(one: Placed<'_>, other: Placed<'_>) -> bool {
    one.statement.principals == other.statement.principals
}

fn lies(part: Part<'_>, version: Version, wide: Placed<'_>) -> bool {
    match (part, &wide.statement.resources) {
        (Part::Role, ResourceMatch::None) => true,
        (Part::Pattern(narrow), ResourceMatch::Resource(patterns)) => {
            patterns.iter().any(|pattern| resource_lies(narrow, version, pattern, wide.version))
        }
        (Part::Pattern(narrow), ResourceMatch::NotResource(excluded)) => {
            let plain =
                !narrow.contains(['*', '?']) && !has_variables(narrow, version) && Pattern::new(narrow).is_certain();
            plain
                && excluded.iter().all(|excluded| {
                    !has_variables(excluded, wide.version)
                        && Pattern::new(excluded).covers_resource(narrow) == Truth::False
                })
        }
        (Part::AllBut(_), ResourceMatch::Resource(patterns)) => patterns.iter().any(|pattern| pattern == "*"),
        (Part::AllBut(excluded), ResourceMatch::NotResource(fewer)) => fewer
            .iter()
            .all(|pattern| excluded.iter().any(|excluded| resource_lies(pattern, wide.version, excluded, version))),
        _ => false,
    }
}

fn resource_lies(narrow: &str, narrow_version: Version, wide: &str, wide_version: Version) -> bool {
    if wide == "*" {
        return true;
    }
    match (has_variables(narrow, narrow_version), has_variables(wide, wide_version)) {
        (false, false) => Pattern::new(wide).contains_resource_pattern(narrow),
        // What a variable will stand for is not known, only that it is the same on both sides.
        (true, true) => narrow == wide,
        _ => false,
    }
}

/// Whether all conditions of `wide` hold wherever those of `narrow` do.
fn implied(narrow: Placed<'_>, wide: Placed<'_>) -> bool {
    let same_version = narrow.version == wide.version;
    let plain = |block: &ConditionBlock| !block.values.iter().any(|value| value.contains("${"));
    wide.statement.conditions.iter().all(|wide| {
        narrow
            .statement
            .conditions
            .iter()
            .any(|narrow| (same_version || plain(narrow) && plain(wide)) && block_implies(narrow, wide))
    })
}

/// Whether the wide block holds wherever the narrow one does: the same test of the same key, against fewer values, or
/// more where the values are excluded.
fn block_implies(narrow: &ConditionBlock, wide: &ConditionBlock) -> bool {
    if !narrow.key.eq_ignore_ascii_case(&wide.key) {
        return false;
    }
    let (one, other) = (narrow.operator.to_ascii_lowercase(), wide.operator.to_ascii_lowercase());
    if one != other && format!("{one}ifexists") != other {
        return false;
    }
    let among = |few: &[String], many: &[String]| few.iter().all(|value| many.contains(value));
    match is_negated(&narrow.operator) {
        Some(false) => among(&narrow.values, &wide.values),
        Some(true) => among(&wide.values, &narrow.values),
        None => one == other && among(&narrow.values, &wide.values) && among(&wide.values, &narrow.values),
    }
}

#[cfg(test)]
#[path = "inclusion_tests.rs"]
mod tests;
