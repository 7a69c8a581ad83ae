//! How far a grant reaches: every resource of its type, only some, or perhaps.
//!
//! Requests for strangers (see [`super::stranger`]) are decided by the engine. What a condition leaves open is `MayEvery`, with
//! the keys that it hangs on; a policy that cannot be read leaves everything open.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use super::stranger::{NOBODY, Place, meant_by, places, resource};
use crate::aws::Action;
use crate::policy::catalog::{Catalog, ResourceType};
use crate::policy::certificate::ObservedCall;
use crate::policy::compiled::PolicySet;
use crate::policy::context::Context;
use crate::policy::evaluate::{Decision, InForce, NamedPolicy, Resource, StatementRef, matches_action};
use crate::policy::grant::{Grant, Granted};
use crate::policy::statement::{Effect, ResourceMatch, Statement};
use crate::policy::truth::Truth;
use crate::policy::undecided::missing;

/// Who holds the policies.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The role's ARN.
    pub arn: &'a str,
    /// Its account.
    pub account: &'a str,
    /// `aws`, `aws-cn`, ...
    pub partition: &'a str,
    /// ARN of its permissions boundary.
    pub boundary: Option<&'a str>,
    /// The tags that every session of it has; `None` where sessions may bring their own.
    pub tags: Option<&'a BTreeMap<String, String>>,
    /// ARNs of the attached policies that can be changed.
    pub held: &'a [&'a str],
    /// Whether a policy or the boundary cannot be read, so that nothing is certain.
    pub doubt: bool,
}

/// How far a grant reaches, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reach {
    /// Not granted.
    No,
    /// Only resources that are named in some way, or under conditions that a stranger does not meet.
    Named,
    /// Every resource of the type, or not: it hangs on what is not known.
    MayEvery,
    /// Every resource of the type, in one Region at least.
    Every,
}

/// The answer about one action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// How far.
    pub reach: Reach,
    /// The only Region in which it reaches so far; `None` for all of them.
    pub region: Option<String>,
    /// Condition keys on which it hangs, for `MayEvery`.
    pub keys: BTreeSet<String>,
    /// Statements that allow it, or may.
    pub statements: BTreeSet<StatementRef>,
}

impl Answer {
    fn no(reach: Reach) -> Self {
        Self { reach, region: None, keys: BTreeSet::new(), statements: BTreeSet::new() }
    }
}

/// Whether one request is allowed, and why that is not certain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Held {
    pub(super) truth: Truth,
    pub(super) keys: BTreeSet<String>,
    pub(super) statements: BTreeSet<StatementRef>,
}

impl Held {
    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self { truth: Truth::True, keys: BTreeSet::new(), statements: BTreeSet::new() };
        for part in parts {
            whole.truth = whole.truth.and(part.truth);
            whole.keys.extend(part.keys);
            whole.statements.extend(part.statements);
        }
        whole
    }

    /// The better one; of equal ones the first.
    fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut best = Self { truth: Truth::False, keys: BTreeSet::new(), statements: BTreeSet::new() };
        for part in parts {
            if best.truth == Truth::False || part.truth == Truth::True {
                best = part;
            }
            if best.truth == Truth::True {
                break;
            }
        }
        best
    }
}

/// What is asked beside the action.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ask<'q> {
    /// The resource type that counts, beside the required ones.
    pub(super) kind: Option<&'q str>,
    /// What the request says, beyond what is known of every one.
    pub(super) says: Option<(&'q str, &'q str)>,
    /// Whether only the reach matters, not on what it hangs: asked of thousands of actions, that is quicker.
    pub(super) is_brief: bool,
}

/// The policies in force for one role, ready to be asked.
pub struct Powers<'a> {
    pub(super) standing: Standing<'a>,
    pub(super) policies: &'a [NamedPolicy<'a>],
    boundaries: &'a [NamedPolicy<'a>],
    pub(super) granted: &'a Granted,
    pub(super) catalog: &'a Catalog,
    set: PolicySet,
    places: Vec<Place>,
    /// Statements that allow what they name on every resource and without condition.
    open: HashSet<(&'a str, usize)>,
    /// Whether nothing takes from what statements allow.
    unlimited: bool,
}

impl<'a> Powers<'a> {
    /// The powers; `granted` is what the same policies and boundaries expand to.
    #[must_use]
    pub fn new(
        standing: Standing<'a>,
        policies: &'a [NamedPolicy<'a>],
        boundaries: &'a [NamedPolicy<'a>],
        granted: &'a Granted,
        catalog: &'a Catalog,
    ) -> Self {
        let all = || policies.iter().chain(boundaries);
        let unlimited = boundaries.is_empty()
            && !all().flat_map(|policy| &policy.document.statements).any(|it| it.effect == Effect::Deny);
        let is_open = |statement: &&Statement| {
            let anything = |patterns: &[String]| patterns.iter().any(|pattern| pattern == "*");
            statement.effect == Effect::Allow
                && statement.conditions.is_empty()
                && matches!(&statement.resources, ResourceMatch::Resource(patterns) if anything(patterns))
        };
        let open = policies.iter().flat_map(|policy| {
            let open = policy.document.statements.iter().filter(is_open);
            open.map(|statement| (policy.name, statement.index))
        });
        Self {
            standing,
            policies,
            boundaries,
            granted,
            catalog,
            set: PolicySet::new(InForce { identity: policies, boundaries, sessions: &[] }),
            places: places(&standing, all()),
            open: open.collect(),
            unlimited,
        }
    }

    /// The grant of an action, if it can be allowed at all.
    #[must_use]
    pub fn grant(&self, action: &Action) -> Option<&'a Grant> {
        let grants = &self.granted.grants;
        grants.binary_search_by(|grant| grant.action.cmp(action)).ok().and_then(|at| grants.get(at))
    }

    /// How far an action reaches.
    #[must_use]
    pub fn reach(&self, action: &Action) -> Answer {
        self.grant(action).map_or_else(|| Answer::no(Reach::No), |grant| self.reach_of(grant))
    }

    /// How far a grant reaches.
    #[must_use]
    pub fn reach_of(&self, grant: &Grant) -> Answer {
        self.told_of(grant, Ask::default())
    }

    /// The same, without the keys.
    pub(super) fn brief_reach_of(&self, grant: &Grant) -> Answer {
        self.told_of(grant, Ask { is_brief: true, ..Ask::default() })
    }

    fn told_of(&self, grant: &Grant, ask: Ask<'_>) -> Answer {
        if self.unlimited && !self.standing.doubt {
            let open = grant.granted_by.iter().filter(|by| self.open.contains(&(by.policy.as_ref(), by.index)));
            let statements: BTreeSet<StatementRef> = open.cloned().collect();
            if !statements.is_empty() {
                return Answer { statements, ..Answer::no(Reach::Every) };
            }
        }
        self.every(&grant.action, ask)
    }

    /// Whether the role may do whatever there is, IAM aside: an action that nobody knows, on a stranger.
    #[must_use]
    pub fn reaches_anything(&self) -> Answer {
        let Some(unheard) = Action::parse("thirdtrail-probe:DoAnything") else { return Answer::no(Reach::No) };
        self.every(&unheard, Ask::default())
    }

    /// How far every role can be passed: to any service, else to the services that conditions name.
    #[must_use]
    pub fn passed_to_every_service(&self, pass: &Action) -> (Vec<(String, Answer)>, Option<Answer>) {
        const TO: &str = "iam:PassedToService";
        let to = |service: &str| self.every(pass, Ask { says: Some((TO, service)), ..Ask::default() });
        let anybody = to(&format!("{NOBODY}.amazonaws.com"));
        if anybody.reach >= Reach::MayEvery {
            return (Vec::new(), Some(anybody));
        }
        let statements = self.policies.iter().flat_map(|policy| &policy.document.statements);
        let blocks = statements.filter(|it| it.effect == Effect::Allow).flat_map(|statement| &statement.conditions);
        let values = blocks.filter(|block| block.key.eq_ignore_ascii_case(TO)).flat_map(|block| &block.values);
        let named: BTreeSet<&String> = values.collect();
        let asked = named.into_iter().map(|service| (service.clone(), to(&service.replace(['*', '?'], "x"))));
        (asked.filter(|(_, answer)| answer.reach >= Reach::MayEvery).collect(), None)
    }

    /// How far an action reaches, asked in some particular way.
    pub(super) fn every(&self, action: &Action, ask: Ask<'_>) -> Answer {
        let mut best = Answer::no(Reach::Named);
        for place in &self.places {
            let held = self.everywhere_in(action, ask, place);
            let reach = match held.truth {
                Truth::True => Reach::Every,
                Truth::Unknown => Reach::MayEvery,
                Truth::False => continue,
            };
            if reach > best.reach {
                let Held { keys, statements, .. } = held;
                best = Answer { reach, region: place.region.clone(), keys, statements };
            }
            if best.reach == Reach::Every {
                break;
            }
        }
        best
    }

    /// All types that the action needs, or one of those that it can have.
    fn everywhere_in(&self, action: &Action, ask: Ask<'_>, place: &Place) -> Held {
        let context = self.context(action, ask, place);
        let stranger = |template: &str| resource(template, &self.standing, place.region.as_deref());
        self.over_types(action, ask, |template| {
            let resource = template.map_or_else(|| "*".to_owned(), stranger);
            self.decide(action, &Resource::Known(resource), &context, ask)
        })
    }

    /// Whether there is any resource at all on which the action is allowed: one that a statement means, or a stranger.
    pub(super) fn somewhere(&self, action: &Action, ask: Ask<'_>) -> Held {
        let here = self.places.iter().map(|place| {
            let context = self.context(action, ask, place);
            self.over_types(action, ask, |template| {
                let candidates = match template {
                    Some(template) => self.meant(action, template, place),
                    None => vec!["*".to_owned()],
                };
                Held::any(candidates.into_iter().map(|arn| self.decide(action, &Resource::Known(arn), &context, ask)))
            })
        });
        Held::any(here)
    }

    /// Resources that could be asked about: a stranger, and what the statements that allow the action mean.
    pub(super) fn candidates(&self, action: &Action) -> BTreeSet<String> {
        let templates = self.catalog.resource_templates(action);
        let of_place = |place: &'_ Place| -> Vec<String> {
            let templates = templates.iter().filter_map(|(_, template)| *template);
            templates.flat_map(|template| self.meant(action, template, place)).collect()
        };
        self.places.iter().flat_map(of_place).collect()
    }

    fn meant(&self, action: &Action, template: &str, place: &Place) -> Vec<String> {
        let region = place.region.as_deref();
        let mut found = vec![resource(template, &self.standing, region)];
        for statement in self.policies.iter().flat_map(|policy| &policy.document.statements) {
            if let ResourceMatch::Resource(patterns) = &statement.resources
                && statement.effect == Effect::Allow
                && matches_action(&statement.actions, action)
            {
                found.extend(patterns.iter().filter_map(|text| meant_by(text, template, &self.standing, region)));
            }
        }
        found
    }

    /// Whether the action is allowed on one resource, wherever it is asked for.
    pub(super) fn on(&self, action: &Action, resource: &str, ask: Ask<'_>) -> Held {
        let known = Resource::Known(resource.to_owned());
        let here = |place| self.decide(action, &known, &self.context(action, ask, place), ask);
        Held::any(self.places.iter().map(here))
    }

    fn context(&self, action: &Action, ask: Ask<'_>, place: &Place) -> Context {
        let mut context = place.context.clone();
        if GLOBAL.contains(&action.service()) {
            context = context.with("aws:RequestedRegion", [home_region(self.standing.partition)]);
        }
        match ask.says {
            Some((key, value)) => context.with(key, [value]),
            None => context,
        }
    }

    fn over_types(&self, action: &Action, ask: Ask<'_>, holds: impl Fn(Option<&str>) -> Held) -> Held {
        let types = self.catalog.resource_templates(action);
        let known: Vec<(&ResourceType, &str)> =
            types.into_iter().filter_map(|(kind, template)| Some((kind, template?))).collect();
        let asked = |kind: &ResourceType| ask.kind.is_some_and(|asked| *kind.name == *asked);
        let needed: Vec<&str> =
            known.iter().filter(|(kind, _)| kind.required || asked(kind)).map(|(_, template)| *template).collect();
        if known.is_empty() {
            return holds(None);
        }
        if needed.is_empty() {
            return Held::any(known.iter().map(|(_, template)| holds(Some(template))));
        }
        Held::all(needed.into_iter().map(|template| holds(Some(template))))
    }

    fn decide(&self, action: &Action, resource: &Resource, context: &Context, ask: Ask<'_>) -> Held {
        let found = self.set.decide(action, resource, context);
        let mut keys = BTreeSet::new();
        let truth = match found.decision {
            Decision::Allowed if self.standing.doubt => Truth::Unknown,
            Decision::Allowed => Truth::True,
            Decision::ImplicitlyDenied | Decision::ExplicitlyDenied => Truth::False,
            Decision::Unknown => Truth::Unknown,
        };
        if found.decision == Decision::Unknown && !ask.is_brief {
            let (action, resource, context) = (action.clone(), resource.clone(), context.clone());
            let call = ObservedCall { action, resource, context, id: String::new() };
            keys.extend(missing(self.policies, self.boundaries, &call).keys.into_values());
        }
        let statements = if truth == Truth::False { BTreeSet::new() } else { found.statements.into_iter().collect() };
        Held { truth, keys, statements }
    }
}

/// Services with one Region for the whole world, in which every request to them is made (S27).
const GLOBAL: [&str; 8] =
    ["iam", "organizations", "account", "cloudfront", "route53", "route53domains", "globalaccelerator", "shield"];

/// Where requests to [`GLOBAL`] services are made.
fn home_region(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
