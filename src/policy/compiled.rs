//! A set of policies compiled once, to decide many requests quickly.
//!
//! A request is compared only with statements whose actions can match it, found by its service and name; patterns that
//! are plain text or end in their only star are compared without a general matcher, operators and keys of conditions are
//! read beforehand. What a statement means is said in `pattern` and `condition`; here is only when it is asked.

use std::cmp::Ordering;

use hashbrown::HashMap;

use super::condition::Condition;
use super::context::Context;
use super::document::Version;
use super::evaluate::{Evaluation, InForce, Layer, NamedPolicy, Request, Resource, StatementRef, Verdicts};
use super::pattern::{ARN_SEGMENTS, Pattern, Resolved, has_early_capitals, has_variables, resolve_resource};
use super::statement::{ActionMatch, Effect, ResourceMatch, Statement};
use super::truth::Truth;
use crate::aws::Action;

/// All policies of one principal, ready to decide.
#[derive(Clone, Debug)]
pub struct PolicySet {
    statements: Vec<Compiled>,
    actions: ActionTable,
    boundaries: usize,
    has_sessions: bool,
}

#[derive(Clone, Debug)]
struct Compiled {
    reference: StatementRef,
    layer: Layer,
    effect: Effect,
    resources: ResourceTest,
    conditions: Vec<Condition>,
}

impl PolicySet {
    /// Compiles the policies in force.
    #[must_use]
    pub fn new(policies: InForce<'_>) -> Self {
        let mut set = Self {
            statements: Vec::new(),
            actions: ActionTable::default(),
            boundaries: policies.boundaries.len(),
            has_sessions: !policies.sessions.is_empty(),
        };
        for policy in policies.identity {
            set.add(policy, Layer::Identity);
        }
        for (at, boundary) in policies.boundaries.iter().enumerate() {
            set.add(boundary, Layer::Boundary(at));
        }
        for session in policies.sessions {
            set.add(session, Layer::Session);
        }
        set.actions.complete();
        set
    }

    fn add(&mut self, policy: &NamedPolicy<'_>, layer: Layer) {
        let version = policy.document.version;
        for statement in &policy.document.statements {
            self.actions.add(&statement.actions, self.statements.len());
            self.statements.push(Compiled {
                reference: StatementRef::new(policy.name, statement),
                layer,
                effect: statement.effect,
                resources: ResourceTest::new(statement, version),
                conditions: statement.conditions.iter().map(|block| Condition::new(block, version)).collect(),
            });
        }
    }

    /// Decides one request.
    #[must_use]
    pub fn evaluate(&self, request: &Request) -> Evaluation {
        self.decide(&request.action, &request.resource, &request.context)
    }

    /// Decides one request, given in its parts.
    #[must_use]
    pub fn decide(&self, action: &Action, resource: &Resource, context: &Context) -> Evaluation {
        let mut verdicts = Verdicts::new(self.boundaries, self.has_sessions);
        let target = Target::of(resource);
        let mut marks = vec![0_u64; self.statements.len().div_ceil(64)];
        for number in self.actions.numbers(action) {
            if let Some(word) = marks.get_mut(number / 64) {
                *word |= 1 << (number % 64);
            }
        }
        for (word, bits) in marks.into_iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let at = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if let Some(statement) = self.statements.get(at) {
                    let truth = statement.matches(target, context);
                    verdicts.note(statement.layer, statement.effect, truth, || statement.reference.clone());
                }
            }
        }
        verdicts.decide()
    }
}

impl Compiled {
    fn matches(&self, target: Target<'_>, context: &Context) -> Truth {
        let resource = self.resources.matches(target, context);
        if resource == Truth::False {
            return Truth::False;
        }
        resource.and(Truth::all(self.conditions.iter().map(|condition| condition.holds(context))))
    }
}

/// Which statements, by number, an action can match.
#[derive(Clone, Debug, Default)]
pub(super) struct ActionTable {
    /// Patterns without a wildcard.
    exact: HashMap<Action, Vec<usize>>,
    /// Patterns with wildcards in the name only, by service; sorted without case once all are added.
    services: Vec<(Box<str>, Vec<Numbered>)>,
    /// Patterns that may match in any service.
    anywhere: Vec<Numbered>,
    /// `NotAction` lists.
    excluded: Vec<(Vec<ActionTest>, usize)>,
}

impl ActionTable {
    /// Adds the actions of a statement.
    pub(super) fn add(&mut self, actions: &ActionMatch, number: usize) {
        let patterns = match actions {
            ActionMatch::Action(patterns) => patterns,
            ActionMatch::NotAction(patterns) => {
                return self.excluded.push((patterns.iter().map(|text| ActionTest::new(text)).collect(), number));
            }
        };
        for text in patterns {
            if let Some(action) = Action::parse(text) {
                self.exact.entry(action).or_default().push(number);
                continue;
            }
            let entry = (ActionTest::new(text), number);
            match text.split_once(':').filter(|(service, _)| !service.contains(['*', '?'])) {
                Some((service, _)) => {
                    match self.services.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(service)) {
                        Some((_, entries)) => entries.push(entry),
                        None => self.services.push((Box::from(service), vec![entry])),
                    }
                }
                None => self.anywhere.push(entry),
            }
        }
    }

    /// To be called when all statements are added.
    pub(super) fn complete(&mut self) {
        self.services.sort_by(|(one, _), (other, _)| folded_order(one, other));
    }

    /// The statements whose actions match, in no order, some perhaps more than once.
    pub(super) fn numbers<'a>(&'a self, action: &'a Action) -> impl Iterator<Item = usize> + 'a {
        let exact = self.exact.get(action).into_iter().flatten().copied();
        let service = self.services.binary_search_by(|(known, _)| folded_order(known, action.service())).ok();
        let of_service = service.and_then(|at| self.services.get(at)).map_or(&[][..], |(_, entries)| entries);
        let wild = of_service.iter().chain(&self.anywhere).filter(|(test, _)| test.matches(action));
        let excluded = self.excluded.iter().filter(|(tests, _)| !tests.iter().any(|test| test.matches(action)));
        exact.chain(wild.map(|(_, number)| *number)).chain(excluded.map(|(_, number)| *number))
    }
}

fn folded_order(one: &str, other: &str) -> Ordering {
    one.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// A test with the number of its statement.
type Numbered = (ActionTest, usize);

#[derive(Clone, Debug)]
enum ActionTest {
    /// A single star at the end; for `*` the prefix is empty.
    Prefix(Box<[u8]>),
    Pattern(Pattern<'static>),
}

impl ActionTest {
    fn new(text: &str) -> Self {
        match only_star_at_end(text) {
            Some(prefix) => Self::Prefix(Box::from(prefix.as_bytes())),
            None => Self::Pattern(Pattern::owned(text)),
        }
    }

    fn matches(&self, action: &Action) -> bool {
        match self {
            Self::Prefix(prefix) => {
                action.as_str().as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
            }
            Self::Pattern(pattern) => pattern.matches_action(action.as_str()),
        }
    }
}

/// What comes before the star of a pattern whose only wildcard is a star at its end.
fn only_star_at_end(text: &str) -> Option<&str> {
    text.strip_suffix('*').filter(|prefix| !prefix.contains(['*', '?']))
}

/// Whether a statement is about a resource, for a caller that asks about it alone.
pub(super) fn is_about(statement: &Statement, version: Version, resource: &Resource, context: &Context) -> Truth {
    ResourceTest::new(statement, version).matches(Target::of(resource), context)
}

#[derive(Clone, Debug)]
enum ResourceTest {
    AnyOf(Vec<ResourcePattern>),
    NoneOf(Vec<ResourcePattern>),
    /// IAM does not accept such an identity policy.
    Missing,
}

impl ResourceTest {
    fn new(statement: &Statement, version: Version) -> Self {
        let compile = |texts: &[String]| texts.iter().map(|text| ResourcePattern::new(text, version)).collect();
        match &statement.resources {
            ResourceMatch::Resource(texts) => Self::AnyOf(compile(texts)),
            ResourceMatch::NotResource(texts) => Self::NoneOf(compile(texts)),
            ResourceMatch::None => Self::Missing,
        }
    }

    fn matches(&self, target: Target<'_>, context: &Context) -> Truth {
        let any = |patterns: &[ResourcePattern], absent: Truth| {
            Truth::any(patterns.iter().map(|pattern| pattern.matches(target, context, absent)))
        };
        match self {
            Self::AnyOf(patterns) => any(patterns, Truth::False),
            // AWS does not say whether an absent variable voids the statement or only the pattern.
            Self::NoneOf(patterns) => any(patterns, Truth::Unknown).negate(),
            Self::Missing => Truth::Unknown,
        }
    }
}

#[derive(Clone, Debug)]
struct ResourcePattern {
    form: Form,
    text: Box<str>,
    pattern: Pattern<'static>,
    /// Whether what does not match certainly does not.
    is_certain: bool,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Anything,
    /// No wildcard.
    Exact,
    /// A single star, at the end of the last ARN segment, after this many bytes.
    Prefix(usize),
    Other,
    /// Holds policy variables, whose values each request brings.
    Variables,
}

impl ResourcePattern {
    fn new(text: &str, version: Version) -> Self {
        let pattern = Pattern::owned(text);
        let prefix = only_star_at_end(text).filter(|prefix| prefix.matches(':').count() + 1 >= ARN_SEGMENTS);
        let form = match prefix {
            _ if pattern.is_anything() => Form::Anything,
            _ if has_variables(text, version) => Form::Variables,
            _ if !text.contains(['*', '?']) => Form::Exact,
            Some(prefix) => Form::Prefix(prefix.len()),
            None => Form::Other,
        };
        let is_certain = pattern.is_certain();
        Self { form, text: Box::from(text), pattern, is_certain }
    }

    /// `absent` is the answer of a pattern whose variable has no value.
    fn matches(&self, target: Target<'_>, context: &Context, absent: Truth) -> Truth {
        let resource = match (self.form, target.arn) {
            (Form::Anything, _) => return Truth::True,
            (Form::Variables, arn) => {
                return match (resolve_resource(&self.text, Version::V2012, context), arn) {
                    (Resolved::Pattern(pattern), Some(resource)) => pattern.covers_resource(resource),
                    (Resolved::Absent, _) => absent,
                    _ => Truth::Unknown,
                };
            }
            (_, None) => return Truth::Unknown,
            (_, Some(resource)) => resource,
        };
        let found = match self.form {
            Form::Exact => *resource == *self.text,
            Form::Prefix(length) => {
                resource.as_bytes().get(..length).is_some_and(|head| Some(head) == self.text.as_bytes().get(..length))
            }
            _ => self.pattern.matches_resource(resource),
        };
        if found || self.is_certain && !target.has_early_capitals {
            return found.into();
        }
        self.pattern.covers_resource(resource)
    }
}

/// The resource of a request.
#[derive(Clone, Copy)]
struct Target<'r> {
    arn: Option<&'r str>,
    has_early_capitals: bool,
}

impl<'r> Target<'r> {
    fn of(resource: &'r Resource) -> Self {
        match resource {
            Resource::Known(arn) => Self { arn: Some(arn), has_early_capitals: has_early_capitals(arn) },
            Resource::Unknown => Self { arn: None, has_early_capitals: false },
        }
    }
}

#[cfg(test)]
#[path = "compiled_tests.rs"]
mod tests;
