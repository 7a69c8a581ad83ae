//! IAM's size limits, and the two ways to get a document below one without changing what it grants.
//!
//! `compact` writes kept actions shorter, `split` spreads statements over several documents; a document is never cut (S36).
//! Source of the numbers: IAM User Guide, "IAM and AWS STS quotas"; white space is not counted.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::action_index::{ActionIndex, is_wild};
use super::catalog::Catalog;
use super::document::{PolicyDocument, size_characters};
use super::grant::covered;
use super::inclusion::Placed;
use super::pattern::Pattern;
use super::rightsize::with_list;
use super::statement::{ActionMatch, Effect};
use crate::aws::Action;

/// All inline policies of one role together.
pub const INLINE_CHARACTERS: usize = 10_240;
/// One managed policy.
pub const MANAGED_CHARACTERS: usize = 6_144;
/// One trust policy; 4,096 on request, which a document cannot tell.
pub const TRUST_CHARACTERS: usize = 2_048;

/// Where a policy lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyKind {
    /// Inside one role, user or group; the limit is for all of them together, so splitting does not help.
    Inline,
    /// On its own.
    Managed,
}

impl PolicyKind {
    /// The limit in characters.
    #[must_use]
    pub fn limit_characters(self) -> usize {
        match self {
            Self::Inline => INLINE_CHARACTERS,
            Self::Managed => MANAGED_CHARACTERS,
        }
    }
}

/// A document cannot be brought below the limit without changing what it grants.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("statement `{statement}` needs {size_characters} characters where {limit_characters} are allowed")]
pub struct TooLarge {
    /// The `Sid`, or `#1` for the first statement.
    pub statement: String,
    /// Of the smallest document that holds an indivisible part of it.
    pub size_characters: usize,
    /// The limit that it was to fit.
    pub limit_characters: usize,
}

/// Folds kept actions back into `Prefix*` where a document is over its limit.
///
/// A fold needs three things: the statement allows every known action under the wildcard, all of them are kept, and a
/// pattern that the same statement had in `before` contains it. So nothing is added, not even actions yet to come.
#[must_use]
pub fn compact(
    document: &Value,
    before: &PolicyDocument,
    keep: &BTreeSet<Action>,
    catalog: &Catalog,
    limit_characters: usize,
) -> Value {
    let Ok(parsed) = PolicyDocument::from_value(document) else { return document.clone() };
    if parsed.size_characters() <= limit_characters || parsed.version != before.version {
        return document.clone();
    }
    let index = catalog.index().with_more(keep);
    let version = parsed.version;
    let fold = |statement| fold(Placed { statement, version }, before, keep, &index);
    let statements = parsed.statements.iter().map(fold).collect();
    parsed.with_statements(statements)
}

fn fold(placed: Placed<'_>, before: &PolicyDocument, keep: &BTreeSet<Action>, index: &ActionIndex) -> Value {
    let statement = placed.statement;
    let ActionMatch::Action(patterns) = &statement.actions else { return statement.raw.clone() };
    let ancestor =
        before.statements.iter().find(|old| placed.is_within(Placed { statement: old, version: before.version }));
    let Some(ActionMatch::Action(old)) = ancestor.map(|old| &old.actions) else { return statement.raw.clone() };
    if statement.effect == Effect::Deny {
        return statement.raw.clone();
    }
    let allowed: BTreeSet<usize> = covered(index, &statement.actions)
        .into_iter()
        .filter(|position| index.action(*position).is_some_and(|action| keep.contains(action)))
        .collect();
    let fits = |wildcard: &str| {
        index.matching(wildcard).all(|position| allowed.contains(&position))
            && old.iter().any(|old| Pattern::new(old).contains_action_pattern(wildcard))
    };
    let literals: BTreeSet<String> =
        patterns.iter().filter(|pattern| !is_wild(pattern)).map(|pattern| pattern.to_ascii_lowercase()).collect();
    // A sorted set finds the other actions under a prefix at once; a grant of everything has 22,000 of them.
    let saves = |wildcard: &str| {
        let prefix = wildcard.trim_end_matches('*').to_ascii_lowercase();
        literals.range(prefix.clone()..).take_while(|other| other.starts_with(&prefix)).nth(1).is_some()
    };
    let mut left: Vec<String> = Vec::with_capacity(patterns.len());
    let mut folded: BTreeSet<String> = BTreeSet::new();
    for pattern in patterns {
        if is_wild(pattern) {
            left.push(pattern.clone());
            continue;
        }
        if prefixes(pattern).any(|wildcard| folded.contains(&wildcard.to_ascii_lowercase())) {
            continue;
        }
        match prefixes(pattern).find(|wildcard| saves(wildcard) && fits(wildcard)) {
            Some(wildcard) => {
                folded.insert(wildcard.to_ascii_lowercase());
                left.push(wildcard);
            }
            None => left.push(pattern.clone()),
        }
    }
    with_list(statement, "Action", left)
}

/// `service:*`, then the action's first word, first two words and so on, each with a star.
fn prefixes(action: &str) -> impl Iterator<Item = String> + '_ {
    let name_at = action.find(':').map_or(action.len(), |colon| colon + 1);
    let mut before = 'A';
    action.char_indices().filter_map(move |(at, character)| {
        let begins_word = character.is_ascii_uppercase() && !before.is_ascii_uppercase();
        before = character;
        let cut = at == name_at || (at > name_at && begins_word);
        cut.then(|| action.get(..at).map(|prefix| format!("{prefix}*"))).flatten()
    })
}

/// Spreads a document over several, each within the limit: whole statements first, then parts of an `Action` list.
///
/// All policies of a role are evaluated together, so the parts grant and deny what the whole did (IAM User Guide, "Policy
/// evaluation logic"). A `NotAction` list is never split: its parts would mean more.
///
/// # Errors
/// A statement that does not fit although its `Action` list is down to one entry.
pub fn split(document: &Value, limit_characters: usize) -> Result<Vec<Value>, TooLarge> {
    if size_characters(document) <= limit_characters {
        return Ok(vec![document.clone()]);
    }
    let statements: Vec<&Value> = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().collect(),
        other => other.into_iter().collect(),
    };
    let mut documents: Vec<Vec<Value>> = Vec::new();
    for (at, statement) in statements.into_iter().enumerate() {
        for part in parts(document, statement, at, limit_characters)? {
            let room = documents.last().is_some_and(|last| {
                let mut joined = last.clone();
                joined.push(part.clone());
                !last.iter().any(|other| same_sid(other, &part)) && wrapped_size(document, joined) <= limit_characters
            });
            match documents.last_mut() {
                Some(last) if room => last.push(part),
                _ => documents.push(vec![part]),
            }
        }
    }
    Ok(documents.into_iter().map(|statements| wrapped(document, statements)).collect())
}

/// IAM wants the Sids of one document to differ.
fn same_sid(one: &Value, other: &Value) -> bool {
    one.get("Sid").is_some_and(|sid| other.get("Sid") == Some(sid) && sid.as_str() != Some(""))
}

fn wrapped(document: &Value, statements: Vec<Value>) -> Value {
    let mut map: Map<String, Value> = document.as_object().cloned().unwrap_or_default();
    if let Some(slot) = map.get_mut("Statement") {
        *slot = Value::Array(statements);
    }
    Value::Object(map)
}

fn wrapped_size(document: &Value, statements: Vec<Value>) -> usize {
    size_characters(&wrapped(document, statements))
}

/// One statement as pieces that each fit into a document of their own.
fn parts(document: &Value, statement: &Value, at: usize, limit_characters: usize) -> Result<Vec<Value>, TooLarge> {
    let size = wrapped_size(document, vec![statement.clone()]);
    if size <= limit_characters {
        return Ok(vec![statement.clone()]);
    }
    let too_large = |size_characters| TooLarge {
        statement: statement
            .get("Sid")
            .and_then(Value::as_str)
            .filter(|sid| !sid.is_empty())
            .map_or_else(|| format!("#{}", at + 1), str::to_owned),
        size_characters,
        limit_characters,
    };
    let Some(Value::Array(actions)) = statement.get("Action") else { return Err(too_large(size)) };
    let of = |actions: &[Value]| {
        let mut part = statement.clone();
        if let Some(slot) = part.get_mut("Action") {
            *slot = Value::Array(actions.to_vec());
        }
        part
    };
    let empty = wrapped_size(document, vec![of(&[])]);
    let mut chunks: Vec<(usize, Vec<Value>)> = Vec::new();
    for action in actions {
        let more = size_characters(action);
        if empty + more > limit_characters {
            return Err(too_large(empty + more));
        }
        match chunks.last_mut() {
            // A comma goes before each action but the first.
            Some((size, chunk)) if *size + 1 + more <= limit_characters => {
                chunk.push(action.clone());
                *size += 1 + more;
            }
            _ => chunks.push((empty + more, vec![action.clone()])),
        }
    }
    Ok(chunks.into_iter().map(|(_, chunk)| of(&chunk)).collect())
}

#[cfg(test)]
#[path = "size_tests.rs"]
mod tests;
