//! A trust policy edited so that it lets in fewer: principals taken out, conditions added, everything else as it was (S34).
//!
//! What the edit is for is not known here. Whoever makes one asks [`is_narrower`], which looks at the two documents alone,
//! and [`newly_admitted`](super::trust_probe::newly_admitted), which evaluates both: the proof does not rest on the edit.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::condition::is_negated;
use super::document::{PolicyDocument, Version};
use super::pattern::has_variables;
use super::statement::{ConditionBlock, Effect, PrincipalMatch, Principals, Statement};
use crate::aws::wildcard::glob;

/// A condition that a statement gets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Demand {
    /// Position of the statement in the document, from 0.
    pub statement: usize,
    /// `StringEquals` or `StringLike`.
    pub operator: &'static str,
    /// The condition key.
    pub key: String,
    /// The values, any of which will do; patterns for `StringLike`.
    pub values: Vec<String>,
}

/// What is to change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// Principals to take out, each with the position of its statement.
    pub dropped: BTreeSet<(usize, String)>,
    /// Conditions to add.
    pub demands: Vec<Demand>,
}

/// Why a document cannot be edited so.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EditError {
    /// No statement would be left.
    #[error("nobody could assume the role any more: delete it instead")]
    Empty,
    /// The statement compares that key in that way already.
    #[error("statement `{0}` compares `{1}` already, and not more widely")]
    Compared(String, String),
    /// The value would be a policy variable.
    #[error("statement `{0}` would get a policy variable")]
    Variable(String),
}

impl Change {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dropped.is_empty() && self.demands.is_empty()
    }

    /// The document with the change made.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn apply(&self, trust: &PolicyDocument) -> Result<Value, EditError> {
        let mut left = Vec::new();
        for statement in &trust.statements {
            let dropped = |name: &str| self.dropped.contains(&(statement.index, name.to_owned()));
            let Some(mut raw) = without(statement, &dropped) else { continue };
            for demand in self.demands.iter().filter(|demand| demand.statement == statement.index) {
                add(&mut raw, demand, statement, trust.version)?;
            }
            left.push(raw);
        }
        if left.is_empty() && !trust.statements.is_empty() {
            return Err(EditError::Empty);
        }
        Ok(trust.with_statements(left))
    }
}

/// The statement without some principals; `None` when nobody is left in it.
fn without(statement: &Statement, dropped: &dyn Fn(&str) -> bool) -> Option<Value> {
    let mut raw = statement.raw.clone();
    let Some(Value::Object(kinds)) = raw.get_mut("Principal") else { return Some(raw) };
    let mut changed = false;
    for names in kinds.values_mut() {
        match names {
            Value::String(name) if dropped(name) => (changed, *names) = (true, Value::Array(Vec::new())),
            Value::Array(list) => {
                let before = list.len();
                list.retain(|name| !name.as_str().is_some_and(dropped));
                changed |= list.len() < before;
            }
            _ => {}
        }
    }
    if !changed {
        return Some(raw);
    }
    kinds.retain(|_, names| !matches!(names, Value::Array(list) if list.is_empty()));
    if kinds.is_empty() { None } else { Some(raw) }
}

fn add(raw: &mut Value, demand: &Demand, statement: &Statement, version: Version) -> Result<(), EditError> {
    let label = || statement.label();
    if demand.values.iter().any(|value| has_variables(value, version) || value.contains("${")) {
        return Err(EditError::Variable(label()));
    }
    let Some(object) = raw.as_object_mut() else { return Ok(()) };
    let condition = object.entry("Condition").or_insert_with(|| Value::Object(Map::new()));
    let Some(condition) = condition.as_object_mut() else { return Ok(()) };
    let operator = same_name(condition, demand.operator).unwrap_or_else(|| demand.operator.to_owned());
    let keys = condition.entry(operator).or_insert_with(|| Value::Object(Map::new()));
    let Some(keys) = keys.as_object_mut() else { return Ok(()) };
    let key = match same_name(keys, &demand.key) {
        None => demand.key.clone(),
        Some(key) => {
            let old = statement.conditions.iter().filter(|block| {
                block.key.eq_ignore_ascii_case(&key) && block.operator.eq_ignore_ascii_case(demand.operator)
            });
            let old: Vec<String> = old.flat_map(|block| block.values.iter().cloned()).collect();
            let is_like = demand.operator.eq_ignore_ascii_case("StringLike");
            if old == demand.values || !lie_within(&demand.values, &old, is_like) {
                return Err(EditError::Compared(label(), demand.key.clone()));
            }
            key
        }
    };
    let value = match demand.values.as_slice() {
        [only] => Value::String(only.clone()),
        several => several.iter().cloned().map(Value::String).collect(),
    };
    keys.insert(key, value);
    Ok(())
}

/// The name as the object has it, in whatever case.
fn same_name(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

/// Whether each of the new values fits what one of the old ones fits, and no more.
fn lie_within(new: &[String], old: &[String], are_patterns: bool) -> bool {
    let within = |new: &String, old: &String| {
        new == old || (are_patterns && glob(old.as_bytes(), new.as_bytes(), false, |want, have| want == have))
    };
    new.iter().all(|new| old.iter().any(|old| within(new, old)))
}

/// Whether `after` provably lets in nobody that `before` does not, by their texts: the same statements in the same order,
/// some of the allowing ones gone; denials as they were; the rest with no other principals, and no condition less.
#[must_use]
pub fn is_narrower(after: &PolicyDocument, before: &PolicyDocument) -> bool {
    let mut old = before.statements.iter();
    let mut all = after.version == before.version;
    for new in &after.statements {
        // An allowing statement may be gone; a denying one may not.
        all &= loop {
            match old.next() {
                None => break false,
                Some(old) if lies_within(new, old, after.version) => break true,
                Some(old) if old.effect == Effect::Allow => {}
                Some(_) => break false,
            }
        };
    }
    all && old.all(|old| old.effect == Effect::Allow)
}

fn lies_within(new: &Statement, old: &Statement, version: Version) -> bool {
    if new.effect != old.effect || new.actions != old.actions || new.resources != old.resources {
        return false;
    }
    if new.effect == Effect::Deny {
        return new.principals == old.principals && new.conditions == old.conditions;
    }
    let held = |old: &ConditionBlock| new.conditions.iter().any(|new| block_lies_within(new, old, version));
    fewer_principals(&new.principals, &old.principals) && old.conditions.iter().all(held)
}

fn fewer_principals(new: &PrincipalMatch, old: &PrincipalMatch) -> bool {
    let (PrincipalMatch::Principal(new), PrincipalMatch::Principal(old)) = (new, old) else { return new == old };
    let Principals { anyone, aws, federated, service, canonical_user } = new;
    let among = |new: &[String], old: &[String]| new.iter().all(|name| old.contains(name));
    (!*anyone || old.anyone)
        && among(aws, &old.aws)
        && among(federated, &old.federated)
        && among(service, &old.service)
        && among(canonical_user, &old.canonical_user)
}

fn block_lies_within(new: &ConditionBlock, old: &ConditionBlock, version: Version) -> bool {
    if !new.key.eq_ignore_ascii_case(&old.key) || !new.operator.eq_ignore_ascii_case(&old.operator) {
        return false;
    }
    let plain = ["stringequals", "stringlike"].iter().any(|plain| new.operator.eq_ignore_ascii_case(plain));
    let variable = |values: &[String]| values.iter().any(|value| has_variables(value, version));
    if !plain || is_negated(&new.operator) != Some(false) || variable(&new.values) || variable(&old.values) {
        return new.values == old.values;
    }
    lie_within(&new.values, &old.values, new.operator.eq_ignore_ascii_case("stringlike"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(value: &Value) -> PolicyDocument {
        PolicyDocument::from_value(value).unwrap()
    }

    fn demand(key: &str, values: &[&str]) -> Demand {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Demand { statement: 0, operator: "StringLike", key: key.to_owned(), values }
    }

    /// S34: only what must change does: Sid, order, other statements, shapes and Deny stay.
    #[test]
    fn an_edit_leaves_everything_else_alone() {
        let before = json!({"Version": "2012-10-17", "Id": "x", "Statement": [
            {"Sid": "Vendor", "Effect": "Allow", "Action": "sts:AssumeRole",
             "Principal": {"AWS": ["464622532012", "AROAGONEGONEGONEGONE1"]}, "Condition": {"stringlike": {"aws:X": "1"}}},
            {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:Y": "true"}}},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "AROAGONEGONEGONEGONE1"}}]});
        let gone = |at| (at, "AROAGONEGONEGONEGONE1".to_owned());
        let change = Change { dropped: [gone(0), gone(2)].into(), demands: vec![demand("aws:userid", &["AROAX:*"])] };
        let after = change.apply(&document(&before)).unwrap();
        let mut expected = before.clone();
        expected["Statement"][0]["Principal"]["AWS"] = json!(["464622532012"]);
        expected["Statement"][0]["Condition"]["stringlike"]["aws:userid"] = json!("AROAX:*");
        expected["Statement"].as_array_mut().unwrap().pop();
        assert_eq!(after.to_string(), expected.to_string());
        assert!(is_narrower(&document(&after), &document(&before)));
        assert!(!is_narrower(&document(&before), &document(&after)));
    }

    /// S37: what cannot be an edit that only removes is refused.
    #[test]
    fn an_edit_that_would_add_or_empty_is_refused() {
        let trust = |sub: Value| {
            document(&json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": "AROAGONEGONEGONEGONE1"}, "Condition": {"StringLike": {"i:sub": sub}}}}))
        };
        let with = |demand: Demand| Change { demands: vec![demand], ..Change::default() };
        let all = Change { dropped: [(0, "AROAGONEGONEGONEGONE1".to_owned())].into(), ..Change::default() };
        assert_eq!(all.apply(&trust(json!("a*"))), Err(EditError::Empty));
        let wider = with(demand("i:sub", &["*"])).apply(&trust(json!("a*")));
        assert!(matches!(wider, Err(EditError::Compared(..))), "{wider:?}");
        let narrower = with(demand("I:sub", &["ab*"])).apply(&trust(json!("a*"))).unwrap();
        assert_eq!(narrower["Statement"]["Condition"], json!({"StringLike": {"i:sub": "ab*"}}));
        let variable = with(demand("i:sub", &["a${aws:userid}"])).apply(&trust(json!("a*")));
        assert!(matches!(variable, Err(EditError::Variable(_))), "{variable:?}");
    }

    /// S37: a lost denial, another principal, a looser condition: none of them is narrower.
    #[test]
    fn what_lets_in_more_is_not_narrower() {
        let base = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "464622532012"},
             "Condition": {"StringEquals": {"sts:ExternalId": "x"}}},
            {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": "*",
             "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "464622532012"}}}]});
        for (pointer, value) in [
            ("/Statement/0/Principal", json!({"AWS": ["464622532012", "111122223333"]})),
            ("/Statement/0/Condition", json!({})),
            ("/Statement/0/Condition", json!({"StringEquals": {"sts:ExternalId": ["x", "y"]}})),
            ("/Statement/0/Condition", json!({"StringEqualsIfExists": {"sts:ExternalId": "x"}})),
            ("/Statement/0/Action", json!("sts:*")),
            ("/Statement/1/Condition", json!({"StringNotEquals": {"aws:PrincipalAccount": ["464622532012", "1"]}})),
            ("/Statement", json!([base["Statement"][0]])),
            ("/Version", json!("2008-10-17")),
        ] {
            let mut other = base.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            assert!(!is_narrower(&document(&other), &document(&base)), "{other}");
        }
        assert!(is_narrower(&document(&base), &document(&base)));
    }
}
