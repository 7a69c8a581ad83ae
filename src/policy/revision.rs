//! What a new version of a policy means beside the old one, statement by statement and as a whole.
//!
//! For a person who has to agree to the change. Actions are compared over the catalog; resources, principals and
//! conditions are shown where they differ. What is not proved to let no more through than before is pointed out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;
use serde_json::Value;

use super::action_index::ActionIndex;
use super::catalog::Catalog;
use super::document::PolicyDocument;
use super::evaluate::{NamedPolicy, StatementRef};
use super::grant::{covered, expand};
use super::inclusion::{lost_denials, unproven_grants};
use super::statement::{ActionMatch, Effect, Statement};
use crate::aws::Action;

/// What says for whom, where and when a statement holds, and to what effect.
const ELEMENTS: [&str; 6] = ["Effect", "Principal", "NotPrincipal", "Resource", "NotResource", "Condition"];

/// What became of one statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// The same JSON.
    Unchanged,
    /// Written otherwise, and the same for every action that is known today.
    Rewritten,
    /// Other actions, resources, principals or conditions.
    Changed,
    /// Only in the old document.
    Dropped,
    /// Only in the new document.
    Added,
}

/// An element that differs; `None` where a document lacks it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ElementChange {
    /// `Resource`, `Condition`, ...
    pub element: &'static str,
    /// In the old document.
    pub old: Option<Value>,
    /// In the new one.
    pub new: Option<Value>,
}

/// One statement, old and new.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RevisedStatement {
    /// The `Sid`, or `#1` for the first statement; in the new document for a statement that was added.
    pub statement: String,
    /// `Allow` or `Deny`, of the new statement where there is one.
    pub effect: &'static str,
    /// What became of it.
    pub fate: Fate,
    /// Known actions that only the old statement covers.
    pub removed: Vec<Action>,
    /// Known actions that both cover.
    pub kept: Vec<Action>,
    /// Known actions that only the new statement covers.
    pub added: Vec<Action>,
    /// Patterns of the old `Action` that match no known action and are not in the new one.
    pub unknown_removed: Vec<String>,
    /// Patterns of the new `Action` that match no known action and are not in the old one.
    pub unknown_added: Vec<String>,
    /// Whatever else differs.
    pub elements: Vec<ElementChange>,
    /// Whether the text does not prove that this statement lets no more through than before: it may reach more
    /// resources, hold for more requests, or name actions yet to come.
    pub may_grant_more: bool,
}

/// Two versions of a policy compared.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Revision {
    /// In the order of the old document, then what was added.
    pub statements: Vec<RevisedStatement>,
    /// Known actions that the new document grants and the old one does not, sorted.
    pub newly_granted: Vec<Action>,
    /// Known actions that the old document grants and the new one does not, sorted.
    pub no_longer_granted: Vec<Action>,
    /// Whether the language versions differ, which changes what `${...}` means.
    pub version_changed: bool,
}

/// Compares two versions of a policy.
///
/// Statements belong together by their Sid; those without one by what they say, then by what they say beside their
/// actions, then by their number.
#[must_use]
pub fn revise(old: &PolicyDocument, new: &PolicyDocument, catalog: &Catalog) -> Revision {
    let pairs = pairs(&old.statements, &new.statements);
    let (before, after) = (granted(old, catalog), granted(new, catalog));
    let open = Open::between(old, new);
    Revision {
        statements: pairs.into_iter().map(|(old, new)| revised(old, new, &open, catalog.index())).collect(),
        newly_granted: without(&after, &before),
        no_longer_granted: without(&before, &after),
        version_changed: old.version != new.version,
    }
}

fn granted(document: &PolicyDocument, catalog: &Catalog) -> Vec<Action> {
    let policy = NamedPolicy { name: "policy", document };
    expand(&[policy], &[], catalog).grants.into_iter().map(|grant| grant.action).collect()
}

/// What is in one sorted list and not in the other.
fn without<T: Ord + Clone>(list: &[T], other: &[T]) -> Vec<T> {
    list.iter().filter(|item| other.binary_search(item).is_err()).cloned().collect()
}

type Pair<'s> = (Option<&'s Statement>, Option<&'s Statement>);

/// By what statements of two documents are held to be the same one, the surest first.
const KEYS: [fn(&Statement) -> Option<String>; 4] = [
    |statement| statement.sid.clone(),
    |statement| statement.sid.is_none().then(|| statement.raw.to_string()),
    |statement| statement.sid.is_none().then(|| scope(statement)),
    |statement| statement.sid.is_none().then(|| statement.index.to_string()),
];

fn scope(statement: &Statement) -> String {
    ELEMENTS.map(|element| statement.raw.get(element).map(Value::to_string).unwrap_or_default()).join("\n")
}

fn pairs<'s>(old: &'s [Statement], new: &'s [Statement]) -> Vec<Pair<'s>> {
    let mut partners: Vec<Option<&Statement>> = vec![None; old.len()];
    let mut left: Vec<&Statement> = new.iter().collect();
    for key in KEYS {
        let mut waiting: BTreeMap<String, VecDeque<&Statement>> = BTreeMap::new();
        let (keyed, keyless): (Vec<_>, Vec<_>) = left.into_iter().partition(|statement| key(statement).is_some());
        for statement in keyed {
            waiting.entry(key(statement).unwrap_or_default()).or_default().push_back(statement);
        }
        for (statement, partner) in old.iter().zip(&mut partners).filter(|(_, partner)| partner.is_none()) {
            *partner = key(statement).and_then(|key| waiting.get_mut(&key)?.pop_front());
        }
        left = waiting.into_values().flatten().chain(keyless).collect();
    }
    left.sort_by_key(|statement| statement.index);
    let kept = old.iter().zip(partners).map(|(statement, partner)| (Some(statement), partner));
    kept.chain(left.into_iter().map(|statement| (None, Some(statement)))).collect()
}

fn revised(old: Option<&Statement>, new: Option<&Statement>, open: &Open, index: &ActionIndex) -> RevisedStatement {
    let positions = |side: Option<&Statement>| side.map(|side| covered(index, &side.actions)).unwrap_or_default();
    let (before, after) = (positions(old), positions(new));
    let named = |positions: Vec<usize>| -> Vec<Action> {
        positions.into_iter().filter_map(|position| index.action(position).cloned()).collect()
    };
    let both = before.iter().filter(|position| after.binary_search(position).is_ok()).copied().collect();
    let (strange_before, strange_after) = (unknown(old, index), unknown(new, index));
    let mut out = RevisedStatement {
        statement: old.or(new).map(Statement::label).unwrap_or_default(),
        effect: new.or(old).map_or("", |statement| effect(statement.effect)),
        fate: Fate::Changed,
        removed: named(without(&before, &after)),
        kept: named(both),
        added: named(without(&after, &before)),
        unknown_removed: without(&strange_before, &strange_after),
        unknown_added: without(&strange_after, &strange_before),
        elements: old.zip(new).map(|(old, new)| elements(old, new)).unwrap_or_default(),
        may_grant_more: open.holds(old, new),
    };
    out.fate = fate(old, new, &out);
    out
}

/// Statements of which the texts do not prove that they let no more through than the old document; sound, not complete.
struct Open {
    /// Of the new document, by number: an `Allow` that is not within the old ones.
    grants: BTreeSet<usize>,
    /// Of the old document, by number: a `Deny` that is not within the new ones.
    denials: BTreeSet<usize>,
}

impl Open {
    fn between(old: &PolicyDocument, new: &PolicyDocument) -> Self {
        let named = |document| [NamedPolicy { name: "policy", document }];
        let (old, new) = (named(old), named(new));
        let numbers = |statements: Vec<StatementRef>| statements.into_iter().map(|at| at.index).collect();
        Self { grants: numbers(unproven_grants(&new, &old)), denials: numbers(lost_denials(&new, &old)) }
    }

    fn holds(&self, old: Option<&Statement>, new: Option<&Statement>) -> bool {
        new.is_some_and(|new| self.grants.contains(&new.index))
            || old.is_some_and(|old| self.denials.contains(&old.index))
    }
}

fn fate(old: Option<&Statement>, new: Option<&Statement>, found: &RevisedStatement) -> Fate {
    let same_actions = found.removed.is_empty()
        && found.added.is_empty()
        && found.unknown_removed.is_empty()
        && found.unknown_added.is_empty();
    match (old, new) {
        (_, None) => Fate::Dropped,
        (None, Some(_)) => Fate::Added,
        (Some(old), Some(new)) if old.raw == new.raw => Fate::Unchanged,
        _ if same_actions && found.elements.is_empty() => Fate::Rewritten,
        _ => Fate::Changed,
    }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    }
}

/// Patterns of `Action` that match nothing known, sorted; what they grant cannot be compared.
fn unknown(statement: Option<&Statement>, index: &ActionIndex) -> Vec<String> {
    let Some(ActionMatch::Action(patterns)) = statement.map(|statement| &statement.actions) else { return Vec::new() };
    let mut found: Vec<String> =
        patterns.iter().filter(|pattern| index.matching(pattern).next().is_none()).cloned().collect();
    found.sort();
    found
}

fn elements(old: &Statement, new: &Statement) -> Vec<ElementChange> {
    let change = |element: &'static str| {
        let (old, new) = (old.raw.get(element), new.raw.get(element));
        let differs = old.map(unlisted) != new.map(unlisted);
        differs.then(|| ElementChange { element, old: old.cloned(), new: new.cloned() })
    };
    ELEMENTS.into_iter().filter_map(change).collect()
}

/// A list of one means what its item means.
fn unlisted(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::action_index::tests::catalog;

    fn revision(old: &Value, new: &Value) -> Revision {
        let document = |statements: &Value| PolicyDocument::from_value(&json!({"Statement": statements})).unwrap();
        let catalog = catalog(&["iam:PassRole", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]);
        revise(&document(old), &document(new), &catalog)
    }

    fn fates(revision: &Revision) -> Vec<(&str, Fate)> {
        revision.statements.iter().map(|statement| (statement.statement.as_str(), statement.fate)).collect()
    }

    fn allow(actions: &Value) -> Value {
        json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
    }

    /// S34: removed and kept actions, statement by statement; a narrower policy grants nothing new.
    #[test]
    fn a_cut_shows_what_goes_and_what_stays() {
        let old = json!([{"Sid": "A", "Effect": "Allow", "Action": ["s3:*", "new:*"], "Resource": "*"}, allow(&json!("iam:*"))]);
        let new = json!([{"Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["*"]}]);
        let found = revision(&old, &new);
        assert_eq!(fates(&found), [("A", Fate::Changed), ("#2", Fate::Dropped)]);
        let changed = serde_json::to_value(&found.statements[0]).unwrap();
        assert_eq!(changed["removed"], json!(["s3:ListBucket", "s3:PutObject"]));
        assert_eq!((&changed["kept"], &changed["added"]), (&json!(["s3:GetObject"]), &json!([])));
        assert_eq!((&changed["unknown_removed"], &changed["elements"]), (&json!(["new:*"]), &json!([])));
        assert_eq!((found.newly_granted.len(), found.no_longer_granted.len()), (0, 3));
    }

    /// S31: what a `Deny` no longer takes is newly granted, though no `Allow` says so.
    #[test]
    fn a_deny_that_goes_grants() {
        let deny = json!({"Sid": "No", "Effect": "Deny", "Action": "iam:*", "Resource": "*"});
        let found = revision(&json!([allow(&json!("*")), deny]), &json!([allow(&json!("*"))]));
        assert_eq!(fates(&found), [("#1", Fate::Unchanged), ("No", Fate::Dropped)]);
        assert_eq!(serde_json::to_value(&found.newly_granted).unwrap(), json!(["iam:PassRole"]));
    }

    /// S34: statements without a Sid are found again although their numbers moved.
    #[test]
    fn statements_without_sid_are_found_by_what_they_say() {
        let bucket = |actions: Value| json!({"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::b"});
        let old = json!([allow(&json!("iam:*")), bucket(json!("s3:*")), allow(&json!("s3:ListBucket"))]);
        let new = json!([bucket(json!(["s3:Get*", "s3:PutObject"])), allow(&json!("s3:ListBucket"))]);
        assert_eq!(
            fates(&revision(&old, &new)),
            [("#1", Fate::Dropped), ("#2", Fate::Changed), ("#3", Fate::Unchanged)]
        );
        let rewritten = revision(&json!([bucket(json!("s3:*"))]), &json!([bucket(json!("S3:*"))]));
        assert_eq!(fates(&rewritten), [("#1", Fate::Rewritten)]);
        let added =
            revision(&json!([]), &json!([bucket(json!("x:Y")), {"Sid": "B", "Effect": "Deny", "NotAction": "s3:*"}]));
        assert_eq!(fates(&added), [("#1", Fate::Added), ("B", Fate::Added)]);
        assert_eq!((added.statements[0].unknown_added.len(), added.statements[1].effect), (1, "Deny"));
    }

    /// S34: other resources and conditions are shown, not judged.
    #[test]
    fn other_elements_are_shown() {
        let with = |condition: Value| json!([{"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}]);
        let found = revision(&with(json!({"Bool": {"k": "true"}})), &with(json!({"Bool": {"k": "false"}})));
        assert_eq!(found.statements[0].fate, Fate::Changed);
        let elements: Vec<_> = found.statements[0].elements.iter().map(|change| change.element).collect();
        assert_eq!((elements, found.newly_granted.len()), (vec!["Condition"], 0));
    }

    /// S34: more resources, actions yet to come, a weaker `Deny`: whatever is not proved to be less is pointed out.
    #[test]
    fn what_may_grant_more_is_pointed_out() {
        let check = |old: &Value, new: &Value, expected: bool| {
            let found = revision(old, new);
            let pointed_out = found.statements.iter().any(|statement| statement.may_grant_more);
            assert_eq!((pointed_out, found.newly_granted.len()), (expected, 0), "{old} to {new}");
        };
        let on = |resource: &str| json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource});
        check(&json!([on("arn:aws:s3:::b/*")]), &json!([on("*")]), true);
        check(&json!([on("arn:aws:s3:::b/*")]), &json!([on("arn:aws:s3:::b/*"), on("*")]), true);
        check(&json!([on("*"), on("arn:aws:s3:::b/*")]), &json!([on("*")]), false);
        check(&json!([allow(&json!("iam:PassRole"))]), &json!([allow(&json!("iam:*"))]), true);
        check(&json!([allow(&json!("iam:*"))]), &json!([allow(&json!("iam:PassRole"))]), false);
        let deny = |actions: &str| json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
        check(&json!([deny("s3:*")]), &json!([deny("s3:Get*")]), true);
        check(&json!([deny("s3:Get*")]), &json!([deny("s3:*")]), false);
        check(&json!([deny("s3:*")]), &json!([]), true);
    }
}
