//! Whether a changed trust policy lets in anybody whom the one before did not, found by asking both for many callers (S37).
//!
//! A second opinion beside [`is_narrower`](super::trust_edit::is_narrower): callers and contexts are made from all that
//! either document names, and from what neither does.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::context::Context;
use super::document::PolicyDocument;
use super::evaluate::Decision;
use super::statement::{PrincipalMatch, Statement};
use super::trust::{Caller, trust_decision};
use crate::aws::{AccountId, Action, Arn};

/// Actions that trust policies are about.
const ACTIONS: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoleWithSAML",
    "sts:TagSession",
    "sts:SetSourceIdentity",
    "sts:SetContext",
];
/// A value that nobody means.
const STRANGE: &str = "stranger-7f3a9c51e0b8";
/// Values of one condition key that are tried; a trust policy of full size has hardly more.
const VALUES: usize = 40;

/// Who asks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Who {
    Account(AccountId),
    Arn(String),
    Federated(String),
    Service(String),
}

impl Who {
    fn caller(&self) -> Caller<'_> {
        match self {
            Self::Account(account) => Caller::Account(*account),
            Self::Arn(arn) => Caller::Arn(arn),
            Self::Federated(provider) => Caller::Federated(provider),
            Self::Service(service) => Caller::Service(service),
        }
    }
}

/// How much is let in: certainly not, perhaps, certainly.
#[must_use]
pub fn degree(decision: Decision) -> u8 {
    match decision {
        Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => 0,
        Decision::Unknown => 1,
        Decision::Allowed => 2,
    }
}

/// Callers that `after` lets in and `before` does not, or does less certainly; each once, by its kind.
#[must_use]
pub fn newly_admitted(after: &PolicyDocument, before: &PolicyDocument) -> Vec<String> {
    let actions: Vec<Action> = ACTIONS.iter().filter_map(|name| Action::parse(name)).collect();
    let (callers, contexts) = (callers(after, before), contexts(after, before));
    let mut found = BTreeSet::new();
    for caller in &callers {
        for action in &actions {
            let newly = contexts.iter().any(|context| {
                let of = |document| degree(trust_decision(document, action, caller.caller(), context.clone()).decision);
                let then = of(after);
                then > 0 && then > of(before)
            });
            if newly {
                found.insert(format!("{caller:?} by {action}"));
            }
        }
    }
    found.into_iter().collect()
}

fn statements<'a>(after: &'a PolicyDocument, before: &'a PolicyDocument) -> impl Iterator<Item = &'a Statement> {
    before.statements.iter().chain(&after.statements)
}

fn callers(after: &PolicyDocument, before: &PolicyDocument) -> BTreeSet<Who> {
    let mut found = BTreeSet::from([
        Who::Federated("arn:aws:iam::000000000000:oidc-provider/stranger.example".to_owned()),
        Who::Service("stranger.amazonaws.com".to_owned()),
    ]);
    let mut accounts: BTreeSet<AccountId> = AccountId::parse("000000000000").into_iter().collect();
    for statement in statements(after, before) {
        let (PrincipalMatch::Principal(named) | PrincipalMatch::NotPrincipal(named)) = &statement.principals else {
            continue;
        };
        for name in &named.aws {
            accounts.extend(AccountId::parse(name).or_else(|| Arn::parse(name).and_then(|arn| arn.account_id())));
            found.insert(Who::Arn(name.clone()));
        }
        found.extend(named.federated.iter().cloned().map(Who::Federated));
        found.extend(named.service.iter().cloned().map(Who::Service));
    }
    for account in accounts {
        found.insert(Who::Account(account));
        found.insert(Who::Arn(format!("arn:aws:iam::{account}:role/{STRANGE}")));
        found.insert(Who::Arn(format!("arn:aws:iam::{account}:user/{STRANGE}")));
    }
    found
}

/// For each statement a request that it is made for, and that request with one key otherwise or not there.
fn contexts(after: &PolicyDocument, before: &PolicyDocument) -> HashSet<Context> {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for block in statements(after, before).flat_map(|statement| &statement.conditions) {
        let known = values.entry(block.key.to_ascii_lowercase()).or_default();
        known.insert(STRANGE.to_owned());
        for value in block.values.iter().take(VALUES) {
            known.insert(filled(value));
            known.insert(value.replace(['*', '?'], ""));
        }
    }
    let mut found = HashSet::from([Context::partial(), Context::complete()]);
    for statement in statements(after, before) {
        let made_for = statement.conditions.iter().fold(Context::complete(), |context, block| {
            context.with(&block.key, block.values.first().map(|value| filled(value)))
        });
        for (key, values) in &values {
            found.insert(made_for.clone().without(key));
            found.extend(values.iter().map(|value| made_for.clone().with(key, [value.as_str()])));
        }
        found.insert(made_for);
    }
    found
}

fn filled(pattern: &str) -> String {
    pattern.replace('*', "x7f3").replace('?', "0")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(after: Value, before: Value) -> usize {
        let trust = |condition: Value| {
            PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                "Action": "sts:AssumeRole", "Principal": {"AWS": "464622532012"}, "Condition": condition}}))
            .unwrap()
        };
        newly_admitted(&trust(after), &trust(before)).len()
    }

    /// S37: who comes in newly is found, who is kept out newly is nobody's business here.
    #[test]
    fn newcomers_are_found() {
        let id = |id: &str| json!({"StringEquals": {"sts:ExternalId": id}});
        assert_eq!(found(id("x"), json!({})), 0);
        assert_ne!(found(json!({}), id("x")), 0);
        assert_ne!(found(id("y"), id("x")), 0);
        assert_ne!(
            found(json!({"StringLike": {"aws:userid": "AROAX*"}}), json!({"StringLike": {"aws:userid": "AROAX:*"}})),
            0
        );
        assert_eq!(
            found(json!({"StringLike": {"aws:userid": "AROAX:*"}}), json!({"StringLike": {"aws:userid": "AROAX*"}})),
            0
        );
    }
}
