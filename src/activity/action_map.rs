//! From a CloudTrail event to the IAM actions that the call used (S20).
//!
//! An event name is not an action: the source may carry another prefix, the name a date, S3 and API Gateway have names
//! of their own, one call can need several actions, and some need none. The rules are tried in a fixed order and the
//! one that decided is named in the result. Nothing is guessed: what no rule knows is `Unmapped`, with the services it
//! could belong to, so that it can block removals there (S22).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::action_tables::{SpecialRow, TABLES};
use crate::aws::{AccessLevel, Action, ApiCall, KnownActions};
use crate::cloudtrail::parameters::Hints;

/// Whether an event uses IAM actions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It uses the actions listed.
    Mapped,
    /// It is known to need no permission (`GetCallerIdentity`, console sign-in, service events).
    NoIam,
    /// No rule knows it.
    Unmapped,
}

/// How sure it is that a call used an action. All three count as used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The action that the call is named after, or that AWS documents for it.
    Primary,
    /// Needed as well, as the parameters show.
    Also,
    /// Needed in some cases, which the record does not tell apart.
    Maybe,
}

/// One action that a call used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mapped {
    /// In its canonical case.
    pub action: Action,
    /// How sure that is.
    pub certainty: Certainty,
}

/// What an event means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// Whether it uses actions.
    pub class: Class,
    /// The actions, each once, most certain first, then by name; empty unless `Mapped`.
    pub actions: Vec<Mapped>,
    /// The rule that decided, such as `s3-table` or `source-rename+same-name`.
    pub rule: String,
    /// For `Unmapped`: the service prefixes it could belong to, sorted.
    pub candidate_services: Vec<String>,
}

impl Mapping {
    fn no_iam(rule: &str) -> Self {
        Self { class: Class::NoIam, actions: Vec::new(), rule: rule.to_owned(), candidate_services: Vec::new() }
    }
}

/// Maps API calls to actions of one catalog.
#[derive(Clone, Copy)]
pub struct ActionMap<'k> {
    pub(super) known: &'k (dyn KnownActions + Sync),
}

impl std::fmt::Debug for ActionMap<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActionMap")
    }
}

/// Actions found so far, and by which rule.
#[derive(Default)]
struct Draft {
    actions: Vec<Mapped>,
    rule: String,
}

impl Draft {
    fn add(&mut self, action: Action, certainty: Certainty) {
        match self.actions.iter_mut().find(|mapped| mapped.action == action) {
            Some(mapped) => mapped.certainty = mapped.certainty.min(certainty),
            None => self.actions.push(Mapped { action, certainty }),
        }
    }

    /// Adds actions of which the first is the likeliest.
    fn add_first_sure(&mut self, actions: impl IntoIterator<Item = Action>) {
        for (place, action) in actions.into_iter().enumerate() {
            self.add(action, if place == 0 { Certainty::Primary } else { Certainty::Maybe });
        }
    }
}

impl<'k> ActionMap<'k> {
    /// A map onto the actions of `known`.
    #[must_use]
    pub fn new(known: &'k (dyn KnownActions + Sync)) -> Self {
        Self { known }
    }

    /// The names in the tables that the catalog does not know: actions, and service prefixes. None, with the built-in
    /// catalog; a test keeps it so.
    #[must_use]
    pub fn unknown_names(&self) -> BTreeSet<String> {
        let prefixes = self.known.service_prefixes();
        let actions = TABLES.actions().filter(|action| {
            self.known.canonical(action.service(), action.name()).is_none_or(|known| known.as_str() != action.as_str())
        });
        let strays = TABLES.sources.values().flatten().filter(|prefix| !prefixes.contains(prefix));
        actions.map(ToString::to_string).chain(strays.map(ToString::to_string)).collect()
    }

    /// The actions that `call` used, as far as its event type and parameters tell.
    #[must_use]
    pub fn map(&self, call: &ApiCall, event_type: &str, hints: Hints) -> Mapping {
        // Records before event version 1.02 have no event type; they are all API calls.
        if !matches!(event_type, "" | "AwsApiCall" | "AwsVpceEvent" | "AwsVpceEvents") {
            return Mapping::no_iam("event-type");
        }
        let (source, name) = (call.source.as_ref(), call.name.as_ref());
        if TABLES.no_iam.contains(&(source, name)) {
            return Mapping::no_iam("no-iam");
        }
        let found = self
            .special(source, name, hints)
            .or_else(|| self.api_gateway(source, name))
            .or_else(|| self.same_name(source, name, hints))
            .or_else(|| self.override_only(source, name));
        match found {
            Some(draft) => self.finish(draft, source, name, hints),
            None if TABLES.no_iam.contains(&(source, "*")) => Mapping::no_iam("no-iam"),
            // Calls that only AWS's console makes to its own backends.
            None if name.ends_with("Internal") => Mapping::no_iam("console-internal"),
            None => Mapping {
                class: Class::Unmapped,
                actions: Vec::new(),
                rule: "unmapped".to_owned(),
                candidate_services: self.candidates(source),
            },
        }
    }

    /// The hand-written table, under the recorded name and without its date.
    fn special(&self, source: &str, name: &str, hints: Hints) -> Option<Draft> {
        let rows = [name, without_date(name)].iter().find_map(|name| TABLES.special.get(&(source, *name)))?;
        let mut draft = Draft { actions: Vec::new(), rule: format!("{source}-table") };
        for SpecialRow { action, certainty, .. } in rows.iter().filter(|row| row.applies(hints)) {
            if let Some(action) = self.known.canonical(action.service(), action.name()) {
                draft.add(action, *certainty);
            }
        }
        (!draft.actions.is_empty()).then_some(draft)
    }

    /// IAM knows only HTTP verbs for most of API Gateway.
    fn api_gateway(&self, source: &str, name: &str) -> Option<Draft> {
        if source != "apigateway" {
            return None;
        }
        let verbs = TABLES.api_gateway.get(name)?;
        let mut draft = Draft { actions: Vec::new(), rule: "apigateway-verb".to_owned() };
        draft.add_first_sure(verbs.iter().filter_map(|verb| self.known.canonical(verb.service(), verb.name())));
        (!draft.actions.is_empty()).then_some(draft)
    }

    /// The action of the same name in a service that the source stands for.
    fn same_name(&self, source: &str, name: &str, hints: Hints) -> Option<Draft> {
        let prefixes = prefixes_of(source);
        let found = |name: &str| -> Vec<Action> {
            prefixes.iter().filter_map(|prefix| self.known.canonical(prefix, name)).collect()
        };
        let (mut actions, mut dated) = (found(name), false);
        if actions.is_empty() && without_date(name) != name {
            (actions, dated) = (found(without_date(name)), true);
        }
        // Three scaling services share one source; only one of them has a service namespace.
        let scaling = |action: &Action| action.service() == "application-autoscaling";
        if hints.contains(Hints::SERVICE_NAMESPACE) && actions.iter().any(scaling) {
            actions.retain(scaling);
        }
        let first = actions.first()?;
        let mut rule = Vec::new();
        if first.service() != source {
            rule.push("source-rename");
        }
        if dated {
            rule.push("date-suffix");
        }
        rule.push("same-name");
        let mut draft = Draft { actions: Vec::new(), rule: rule.join("+") };
        draft.add_first_sure(actions);
        Some(draft)
    }

    /// Operations of which no service has an action of the same name.
    fn override_only(&self, source: &str, name: &str) -> Option<Draft> {
        let mut draft = Draft { actions: Vec::new(), rule: "operation-override".to_owned() };
        draft.add_first_sure(self.overrides(source, name));
        (!draft.actions.is_empty()).then_some(draft)
    }

    fn overrides(&self, source: &str, name: &str) -> Vec<Action> {
        let name = without_date(name);
        prefixes_of(source)
            .iter()
            .filter_map(|prefix| TABLES.operations.get(&(*prefix, name)))
            .flatten()
            .filter_map(|action| self.known.canonical(action.service(), action.name()))
            .collect()
    }

    /// Adds what the parameters, the overrides and the catalog's dependents say, and puts all in order.
    fn finish(&self, mut draft: Draft, source: &str, name: &str, hints: Hints) -> Mapping {
        for action in self.overrides(source, name) {
            draft.add(action, Certainty::Maybe);
        }
        let primary: Vec<Action> = draft
            .actions
            .iter()
            .filter(|mapped| mapped.certainty == Certainty::Primary)
            .map(|mapped| mapped.action.clone())
            .collect();
        for action in &primary {
            self.add_dependents(&mut draft, action);
            self.add_tagging(&mut draft, action, hints);
        }
        let passed = hints.contains(Hints::PASSES_ROLE) && primary.iter().any(|action| self.can_pass_role(action));
        if let (true, Some(pass_role)) = (passed, self.known.canonical("iam", "PassRole")) {
            draft.add(pass_role, Certainty::Also);
        }
        let mut actions = draft.actions;
        actions.sort_by(|a, b| (a.certainty, &a.action).cmp(&(b.certainty, &b.action)));
        Mapping { class: Class::Mapped, actions, rule: draft.rule, candidate_services: Vec::new() }
    }

    /// Dependents are `Maybe`, except `iam:PassRole`, which only a role in the parameters shows (S23).
    fn add_dependents(&self, draft: &mut Draft, action: &Action) {
        for needed in self.known.dependents(action) {
            if !needed.as_str().eq_ignore_ascii_case("iam:PassRole") {
                draft.add(needed.clone(), Certainty::Maybe);
            }
        }
    }

    /// Tags given on creation need the service's tagging action too.
    ///
    /// Source: "Grant permission to tag resources during creation" in the EC2 user guide, and its relatives.
    fn add_tagging(&self, draft: &mut Draft, action: &Action, hints: Hints) {
        if !self.changes(action) {
            return;
        }
        let specified = hints.contains(Hints::TAG_SPECIFICATION) && action.service() == "ec2";
        if let (true, Some(tagging)) = (specified, self.known.canonical("ec2", "CreateTags")) {
            draft.add(tagging, Certainty::Also);
        }
        if !hints.contains(Hints::TAGS) || self.known.level(action) == Some(AccessLevel::Tagging) {
            return;
        }
        // IAM has one tagging action for each kind: `CreateRole` needs `TagRole`.
        let own_kind = action.name().strip_prefix("Create").map(|kind| format!("Tag{kind}"));
        let names = ["TagResource", "AddTags", "AddTagsToResource", "CreateTags", "AddTagsToCertificate"];
        for name in own_kind.as_deref().into_iter().chain(names) {
            if let Some(tagging) = self.known.canonical(action.service(), name) {
                draft.add(tagging, Certainty::Maybe);
                return;
            }
        }
    }

    /// Whether a role ARN in the parameters of this action is handed over to a service.
    ///
    /// STS assumes roles, IAM and Organizations name them; none of these passes one (`AddRoleToInstanceProfile` does,
    /// and is in the special table).
    fn can_pass_role(&self, action: &Action) -> bool {
        !matches!(action.service(), "sts" | "iam" | "organizations" | "tag") && self.changes(action)
    }

    /// Whether the action changes anything. Tagging does not pass roles, nor do reads.
    fn changes(&self, action: &Action) -> bool {
        match self.known.level(action) {
            Some(level) => matches!(level, AccessLevel::Write | AccessLevel::PermissionsManagement),
            None => !["Get", "List", "Describe", "Head", "Search", "Lookup", "BatchGet"]
                .iter()
                .any(|verb| action.name().starts_with(verb)),
        }
    }

    /// The service prefixes that an unknown event of this source could belong to.
    ///
    /// All prefixes that share the source; for a source that no table knows, those of the same family
    /// (`partnercentral-x` gives `partnercentral`); at least the source itself, so that it shows in the report.
    fn candidates(&self, source: &str) -> Vec<String> {
        let prefixes = self.known.service_prefixes();
        let mut found: BTreeSet<&str> =
            prefixes_of(source).into_iter().filter(|prefix| prefixes.contains(prefix)).collect();
        let related: Vec<&str> =
            TABLES.sources.values().filter(|group| group.contains(&source)).flatten().copied().collect();
        found.extend(related);
        if found.is_empty() {
            let family = |text: &str| text.split(['-', '.']).next().unwrap_or("").to_ascii_lowercase();
            found.extend(prefixes.iter().filter(|prefix| family(prefix) == family(source)));
        }
        if found.is_empty() { vec![source.to_owned()] } else { found.into_iter().map(str::to_owned).collect() }
    }
}

/// The IAM prefixes that an event source can stand for, most likely first.
fn prefixes_of(source: &str) -> Vec<&str> {
    TABLES.sources.get(source).map_or_else(|| vec![source], Clone::clone)
}

/// An event name without the API date that Lambda and CloudFront append: `20150331`, `20150331v2`, `2020_05_31`.
fn without_date(name: &str) -> &str {
    // `v` and one digit may follow the date.
    let dated = match name.len().checked_sub(2).and_then(|at| name.split_at_checked(at)) {
        Some((head, tail)) if is_version(tail) => head,
        _ => name,
    };
    for length in [8, 10] {
        let Some((head, date)) = dated.len().checked_sub(length).and_then(|at| dated.split_at_checked(at)) else {
            continue;
        };
        if is_date(date) && !head.is_empty() {
            return head;
        }
    }
    name
}

fn is_version(tail: &str) -> bool {
    tail.strip_prefix('v').is_some_and(|digit| digit.bytes().all(|b| b.is_ascii_digit()))
}

/// `20yymmdd` or `20yy_mm_dd`.
fn is_date(text: &str) -> bool {
    let shape = if text.len() == 8 { "20dddddd" } else { "20dd_dd_dd" };
    text.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'd' { b.is_ascii_digit() } else { b == s })
}

#[cfg(test)]
mod tests {
    use super::without_date;

    /// S20: the date is cut only at the end and only when it is one.
    #[test]
    fn only_dates_at_the_end_are_cut() {
        let cases = [
            ("ListFunctions20150331", "ListFunctions"),
            ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration"),
            ("CreateDistribution2020_05_31", "CreateDistribution"),
            ("20150331", "20150331"),
            ("CreateClusterV2", "CreateClusterV2"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("X19150331", "X19150331"),
            ("v2", "v2"),
            ("Naïve", "Naïve"),
            ("", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(without_date(name), expected);
        }
    }
}
