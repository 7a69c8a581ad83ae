//! Known ways from a role's rights to more: several grants that only together are dangerous.
//!
//! The table says which actions a way needs and on what; whether they are allowed there, with what the request would say, is
//! asked of the policies. A way that needs another role to be passed is open when any role can be passed, or one that is
//! known to be an administrator.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::reach::{Ask, Held, Powers, Reach};
use super::stranger::NOBODY;
use crate::aws::Action;
use crate::policy::evaluate::StatementRef;
use crate::policy::truth::Truth;

const TABLE: &str = include_str!("../../../data/own/escalation.tsv");

/// What a way leads to, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Gives {
    /// What the roles of resources that are there already have.
    Existing,
    /// As much as the strongest role or user that can be taken.
    AnyRole,
    /// Any right at all.
    Everything,
}

impl Gives {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Existing => "existing",
            Self::AnyRole => "any_role",
            Self::Everything => "everything",
        }
    }

    fn named(word: &str) -> Option<Self> {
        [Self::Existing, Self::AnyRole, Self::Everything].into_iter().find(|gives| gives.word() == word)
    }
}

/// Where an action must be allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Target {
    /// On every resource of its type.
    Every,
    /// On some resource: what is made anew can have any name.
    Somewhere,
    /// On the role itself.
    Itself,
    /// On a policy that the role holds and that can be changed.
    Held,
    /// On the role itself, which has a boundary.
    Bounded,
    /// On one resource, the same for all such steps.
    One,
    /// On every role, passed to this service.
    Passed(String),
}

struct Step {
    /// Each is enough, with the resource type that counts.
    actions: Vec<(Action, Option<String>)>,
    target: Target,
}

struct Way {
    name: &'static str,
    gives: Gives,
    does: &'static str,
    steps: Vec<Step>,
}

static WAYS: LazyLock<Vec<Way>> =
    LazyLock::new(|| TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(way).collect());

fn way(line: &'static str) -> Option<Way> {
    let mut cells = line.split('\t');
    let (name, gives) = (cells.next()?, Gives::named(cells.next()?)?);
    let steps: Option<Vec<Step>> = cells.next()?.split(' ').map(step).collect();
    Some(Way { name, gives, does: cells.next()?, steps: steps? })
}

fn step(text: &str) -> Option<Step> {
    let (actions, at) = text.split_once('@').map_or((text, None), |(actions, at)| (actions, Some(at)));
    let target = match at {
        None if actions.starts_with('~') => Target::Somewhere,
        None => Target::Every,
        Some("self") => Target::Itself,
        Some("held") => Target::Held,
        Some("bounded") => Target::Bounded,
        Some("one") => Target::One,
        Some(service) => Target::Passed(service.to_owned()),
    };
    let one = |text: &str| {
        let text = text.trim_start_matches('~');
        let (action, kind) = text.split_once('/').map_or((text, None), |(action, kind)| (action, Some(kind)));
        Some((Action::parse(action)?, kind.map(str::to_owned)))
    };
    Some(Step { actions: actions.split('|').map(one).collect::<Option<_>>()?, target })
}

/// A way that is open, or may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenPath {
    /// Its name in the table.
    pub name: &'static str,
    /// What it leads to.
    pub gives: Gives,
    /// What the holder does, in one sentence.
    pub does: &'static str,
    /// The steps; of each, the actions that are enough.
    pub steps: Vec<Vec<Action>>,
    /// Whether it is certainly allowed.
    pub is_certain: bool,
    /// Condition keys on which it hangs.
    pub keys: BTreeSet<String>,
    /// Whether the role's boundary limits what is won.
    pub within_boundary: bool,
    /// The only roles that can be passed; empty where any can.
    pub roles: Vec<String>,
    /// Statements that allow the steps.
    pub statements: BTreeSet<StatementRef>,
}

/// The ways that are open; `strong` names known administrators among the roles that a service (`ec2.amazonaws.com`) may
/// take. One that another way contains with fewer steps is left out.
#[must_use]
pub fn escalations(powers: &Powers<'_>, strong: &dyn Fn(&str) -> Vec<String>) -> Vec<OpenPath> {
    let open: Vec<OpenPath> = WAYS.iter().filter_map(|way| opened(way, powers, strong)).collect();
    open.iter().filter(|path| !open.iter().any(|other| contains(path, other))).cloned().collect()
}

/// Whether `path` is only `other` with more steps.
fn contains(path: &OpenPath, other: &OpenPath) -> bool {
    let shared = |step: &Vec<Action>| path.steps.iter().flatten().any(|action| step.contains(action));
    other.steps.len() < path.steps.len()
        && other.gives >= path.gives
        && other.is_certain >= path.is_certain
        && other.steps.iter().all(shared)
}

fn opened(way: &Way, powers: &Powers<'_>, strong: &dyn Fn(&str) -> Vec<String>) -> Option<OpenPath> {
    let mut path = OpenPath {
        name: way.name,
        gives: way.gives,
        does: way.does,
        steps: Vec::new(),
        is_certain: true,
        keys: BTreeSet::new(),
        within_boundary: false,
        roles: Vec::new(),
        statements: BTreeSet::new(),
    };
    let one = way.steps.iter().filter(|step| step.target == Target::One).collect::<Vec<_>>();
    let shared = if one.is_empty() { None } else { Some(common(&one, powers)?) };
    for step in &way.steps {
        let resource = shared.as_deref().filter(|_| step.target == Target::One);
        let mut allowed = Vec::new();
        let mut best: Option<Held> = None;
        for (action, kind) in step.actions.iter().filter(|(action, _)| powers.grant(action).is_some()) {
            let held = match (&step.target, resource) {
                (Target::Passed(service), _) => passed(action, service, powers, strong, &mut path.roles),
                (_, Some(resource)) => powers.on(action, resource, Ask::default()),
                (target, None) => asked(action, kind.as_deref(), target, powers),
            };
            if held.truth != Truth::False {
                allowed.push(action.clone());
                if best.as_ref().is_none_or(|best| held.truth == Truth::True && best.truth != Truth::True) {
                    best = Some(held);
                }
            }
        }
        let best = best?;
        path.is_certain &= best.truth == Truth::True;
        path.keys.extend(best.keys);
        path.statements.extend(best.statements);
        path.steps.push(allowed);
        path.within_boundary |=
            matches!(step.target, Target::Itself | Target::Held) && powers.standing.boundary.is_some();
    }
    if path.within_boundary {
        path.gives = Gives::Existing;
    }
    Some(path)
}

fn asked(action: &Action, kind: Option<&str>, target: &Target, powers: &Powers<'_>) -> Held {
    let standing = &powers.standing;
    let boundary = |arn| Ask { says: Some(("iam:PermissionsBoundary", arn)), ..Ask::default() };
    let itself = standing.boundary.map_or(Ask::default(), boundary);
    match target {
        Target::Somewhere => powers.somewhere(action, Ask { kind, ..Ask::default() }),
        Target::Itself => powers.on(action, standing.arn, itself),
        Target::Held => any(standing.held.iter().map(|arn| powers.on(action, arn, Ask::default()))),
        Target::Bounded if standing.boundary.is_none() => any([]),
        // A boundary is replaced by one that nobody had in mind.
        Target::Bounded if action.name().starts_with("Put") => powers.on(action, standing.arn, boundary(NOBODY)),
        Target::Bounded => powers.on(action, standing.arn, itself),
        Target::Every | Target::One | Target::Passed(_) => every(action, Ask { kind, ..Ask::default() }, powers),
    }
}

fn every(action: &Action, ask: Ask<'_>, powers: &Powers<'_>) -> Held {
    let answer = powers.every(action, ask);
    let truth = match answer.reach {
        Reach::Every => Truth::True,
        Reach::MayEvery => Truth::Unknown,
        Reach::Named | Reach::No => Truth::False,
    };
    Held { truth, keys: answer.keys, statements: answer.statements }
}

fn any(parts: impl IntoIterator<Item = Held>) -> Held {
    let none = Held { truth: Truth::False, keys: BTreeSet::new(), statements: BTreeSet::new() };
    parts.into_iter().fold(none, |best, part| {
        if best.truth == Truth::False || best.truth == Truth::Unknown && part.truth == Truth::True {
            part
        } else {
            best
        }
    })
}

/// Any role, or else an administrator that the service may take.
fn passed(
    action: &Action,
    service: &str,
    powers: &Powers<'_>,
    strong: &dyn Fn(&str) -> Vec<String>,
    roles: &mut Vec<String>,
) -> Held {
    // Some services have another name in China, others the same.
    let ending = if powers.standing.partition == "aws-cn" {
        &[".amazonaws.com", ".amazonaws.com.cn"][..]
    } else {
        &[".amazonaws.com"]
    };
    let services: Vec<String> = ending.iter().map(|ending| format!("{service}{ending}")).collect();
    let to = |service| Ask { says: Some(("iam:PassedToService", service)), ..Ask::default() };
    let held = any(services.iter().map(|service| every(action, to(service), powers)));
    if held.truth != Truth::False {
        return held;
    }
    any(services.iter().flat_map(|service| strong(service).into_iter().map(move |arn| (service, arn))).map(
        |(service, arn)| {
            let held = powers.on(action, &arn, to(service));
            if held.truth != Truth::False && arn != powers.standing.arn {
                roles.push(arn);
            }
            held
        },
    ))
}

/// A resource on which one action of each step is allowed, for certain if there is one.
fn common(steps: &[&Step], powers: &Powers<'_>) -> Option<String> {
    let granted = |step: &Step| -> Vec<Action> {
        let actions = step.actions.iter().map(|(action, _)| action);
        actions.filter(|action| powers.grant(action).is_some()).cloned().collect()
    };
    let steps: Vec<Vec<Action>> = steps.iter().map(|step| granted(step)).collect();
    if steps.iter().any(Vec::is_empty) {
        return None;
    }
    let candidates: BTreeSet<String> = steps.iter().flatten().flat_map(|action| powers.candidates(action)).collect();
    let mut perhaps = None;
    for candidate in candidates {
        let on = |action: &Action| powers.on(action, &candidate, Ask::default()).truth;
        match Truth::all(steps.iter().map(|step| Truth::any(step.iter().map(on)))) {
            Truth::True => return Some(candidate),
            Truth::Unknown if perhaps.is_none() => perhaps = Some(candidate),
            Truth::Unknown | Truth::False => {}
        }
    }
    perhaps
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
