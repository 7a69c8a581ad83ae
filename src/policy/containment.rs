//! Documents that shut somebody out: sessions that are open already, a holder altogether, accounts of a trust policy.
//!
//! A trust policy is cut by its text and then asked: the accounts must no longer be let in, and everybody else as before,
//! found by evaluating both. Where that cannot be shown there is no document.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::admission::{Admission, PrincipalKind, admissions, assume_role};
use super::context::Context;
use super::document::PolicyDocument;
use super::evaluate::Decision;
use super::statement::{Effect, PrincipalMatch};
use super::trust::{Caller, trust_decision};
use crate::aws::window::{Time, rfc3339};
use crate::aws::{AccountId, Arn};

/// Denies everything to sessions whose credentials were issued before `time`. Later ones, and keys of users, stay as they
/// were (IAM User Guide, "Revoking IAM role temporary security credentials").
#[must_use]
pub fn deny_sessions_before(time: Time) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "DenySessionsOpenedBefore",
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": rfc3339(time)}}}]})
}

/// Denies everything.
#[must_use]
pub fn deny_everything() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "DenyEverything", "Effect": "Deny", "Action": "*", "Resource": "*"}]})
}

/// A trust policy without some accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Without {
    /// The document.
    pub document: Value,
    /// Whether a statement had to be added that denies the accounts, because everybody is let in.
    pub is_denied: bool,
    /// Whether it holds external ids, which are those of others: secrets (S42).
    pub holds_external_ids: bool,
}

/// Whether a trust policy may let in somebody of these accounts.
#[must_use]
pub fn admits_accounts(trust: &PolicyDocument, accounts: &BTreeSet<AccountId>) -> bool {
    let open = |account: &AccountId| {
        lets_in(trust, Caller::Account(*account))
            || named(trust, accounts).iter().any(|principal| lets_in(trust, Caller::Arn(principal)))
    };
    accounts.iter().any(open)
}

/// The document with the accounts taken out.
///
/// # Errors
/// Why there is none.
pub fn without_accounts(trust: &PolicyDocument, accounts: &BTreeSet<AccountId>) -> Result<Without, String> {
    let kept: Vec<Value> = trust
        .statements
        .iter()
        .filter_map(|statement| match (&statement.principals, statement.effect) {
            (PrincipalMatch::Principal(_), Effect::Allow) => cut(&statement.raw, accounts),
            _ => Some(statement.raw.clone()),
        })
        .collect();
    let mut document = trust.with_statements(if kept.is_empty() { vec![nobody()] } else { kept.clone() });
    let mut is_denied = false;
    if admits_accounts(&parsed(&document)?, accounts) {
        is_denied = true;
        document = trust.with_statements(kept.into_iter().chain([denied(accounts)]).collect());
    }
    let after = parsed(&document)?;
    if admits_accounts(&after, accounts) {
        return Err("it would still be let in, for all that is known of the conditions".to_owned());
    }
    if let Some(other) = changed(trust, &after, accounts) {
        return Err(format!("`{other}` would not be let in as before"));
    }
    let holds_external_ids = after
        .statements
        .iter()
        .flat_map(|statement| &statement.conditions)
        .any(|block| block.key.eq_ignore_ascii_case("sts:ExternalId"));
    Ok(Without { document, is_denied, holds_external_ids })
}

fn parsed(document: &Value) -> Result<PolicyDocument, String> {
    PolicyDocument::from_value(document).map_err(|error| error.to_string())
}

/// The statement without the accounts' principals; nothing where nobody remains.
fn cut(statement: &Value, accounts: &BTreeSet<AccountId>) -> Option<Value> {
    let mut statement = statement.clone();
    let Some(Value::Object(principals)) = statement.get_mut("Principal") else { return Some(statement) };
    let Some(named) = principals.get_mut("AWS") else { return Some(statement) };
    let is_theirs = |value: &Value| {
        let account = value.as_str().and_then(|text| AccountId::parse(text).or_else(|| Arn::parse(text)?.account_id()));
        account.is_some_and(|account| accounts.contains(&account))
    };
    let nobody_left = match named {
        Value::Array(list) => {
            list.retain(|one| !is_theirs(one));
            list.is_empty()
        }
        single => is_theirs(single),
    };
    if nobody_left {
        principals.remove("AWS");
    }
    let is_empty = principals.values().all(|value| value.as_array().is_some_and(Vec::is_empty));
    if is_empty { None } else { Some(statement) }
}

/// A trust policy must have a statement, also where it lets in nobody.
fn nobody() -> Value {
    json!({"Sid": "NobodyIsLetIn", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
}

fn denied(accounts: &BTreeSet<AccountId>) -> Value {
    let accounts: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    let mut condition = Map::new();
    condition.insert("aws:PrincipalAccount".to_owned(), json!(accounts));
    json!({"Sid": "DenyContainedAccounts", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": condition}})
}

/// Principals of these accounts that a trust policy names.
fn named(trust: &PolicyDocument, accounts: &BTreeSet<AccountId>) -> Vec<String> {
    let found =
        admissions(trust).into_iter().filter(|one| one.account.is_some_and(|account| accounts.contains(&account)));
    found.map(|one| one.principal).filter(|principal| Arn::parse(principal).is_some()).collect()
}

fn lets_in(trust: &PolicyDocument, caller: Caller<'_>) -> bool {
    matches!(decision(trust, caller), Some(Decision::Allowed | Decision::Unknown))
}

fn decision(trust: &PolicyDocument, caller: Caller<'_>) -> Option<Decision> {
    Some(trust_decision(trust, &assume_role()?, caller, Context::partial()).decision)
}

/// Somebody else who is not let in as before.
fn changed(before: &PolicyDocument, after: &PolicyDocument, accounts: &BTreeSet<AccountId>) -> Option<String> {
    let others = |trust: &PolicyDocument| -> Vec<Admission> {
        let all = admissions(trust).into_iter();
        let others = all.filter(|one| one.account.is_none_or(|account| !accounts.contains(&account)));
        // With whom somebody shares a statement is no part of how it is let in.
        others.map(|one| Admission { alone: true, ..one }).collect()
    };
    let (was, is) = (others(before), others(after));
    if let Some(lost) = was.iter().find(|one| !is.contains(one)).or_else(|| is.iter().find(|one| !was.contains(one))) {
        return Some(lost.principal.clone());
    }
    let differs = |one: &&Admission| {
        let callers = [
            one.account.map(Caller::Account),
            Arn::parse(&one.principal).map(|_| Caller::Arn(&one.principal)),
            (one.kind == PrincipalKind::Federated).then_some(Caller::Federated(&one.principal)),
            (one.kind == PrincipalKind::Service).then_some(Caller::Service(&one.principal)),
        ];
        callers.into_iter().flatten().any(|caller| decision(before, caller) != decision(after, caller))
    };
    was.iter().find(differs).map(|one| one.principal.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Action;
    use crate::aws::window::parse_time;
    use crate::policy::evaluate::{NamedPolicy, Request, Resource, evaluate};

    const VENDOR: &str = "464622532012";

    fn accounts() -> BTreeSet<AccountId> {
        BTreeSet::from([AccountId::parse(VENDOR).unwrap()])
    }

    fn trust(statements: Value) -> PolicyDocument {
        PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
    }

    fn allow(principal: Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    }

    fn statements(trust: &PolicyDocument) -> Value {
        without_accounts(trust, &accounts()).unwrap().document["Statement"].clone()
    }

    #[test]
    fn the_accounts_go_and_everybody_else_stays() {
        let root = format!("arn:aws:iam::{VENDOR}:root");
        let alone = trust(json!([allow(json!({"AWS": root})), allow(json!({"Service": "ec2.amazonaws.com"}))]));
        assert_eq!(statements(&alone), json!([allow(json!({"Service": "ec2.amazonaws.com"}))]));
        let shared =
            trust(json!([allow(json!({"AWS": [VENDOR, format!("arn:aws:iam::{VENDOR}:role/x"), "999988887777"],
            "Federated": "accounts.google.com"}))]));
        let expected = allow(json!({"AWS": ["999988887777"], "Federated": "accounts.google.com"}));
        assert_eq!(statements(&shared), json!([expected]));
        assert!(admits_accounts(&shared, &accounts()));
    }

    #[test]
    fn nobody_left_is_a_trust_that_lets_in_nobody() {
        let only = trust(json!([allow(json!({"AWS": VENDOR}))]));
        let without = without_accounts(&only, &accounts()).unwrap();
        assert_eq!(without.document["Statement"][0]["Sid"], "NobodyIsLetIn");
        assert!(!admits_accounts(&parsed(&without.document).unwrap(), &accounts()));
    }

    /// S40: where everybody is let in, the accounts are denied, and everybody else comes in as before.
    #[test]
    fn accounts_of_a_trust_for_everybody_are_denied() {
        let mut open = allow(json!("*"));
        let everybody = trust(json!([open.clone()]));
        let without = without_accounts(&everybody, &accounts()).unwrap();
        assert!(without.is_denied && !without.holds_external_ids);
        let after = parsed(&without.document).unwrap();
        assert_eq!(
            decision(&after, Caller::Account(AccountId::parse(VENDOR).unwrap())),
            Some(Decision::ExplicitlyDenied)
        );
        let other = Caller::Arn("arn:aws:iam::999988887777:role/x");
        assert_eq!(decision(&after, other), Some(Decision::Allowed));
        open["Condition"] = json!({"StringEquals": {"aws:PrincipalAccount": [VENDOR, "999988887777"]}});
        assert!(without_accounts(&trust(json!([open])), &accounts()).unwrap().is_denied);
    }

    /// S42: external ids that remain are those of others.
    #[test]
    fn external_ids_of_others_are_noticed() {
        let with = |account: &str| {
            let mut statement = allow(json!({"AWS": account}));
            statement["Condition"] = json!({"StringEquals": {"sts:externalid": "secret"}});
            statement
        };
        let holds = |list: Value| without_accounts(&trust(list), &accounts()).unwrap().holds_external_ids;
        assert!(!holds(json!([with(VENDOR), allow(json!({"Service": "ec2.amazonaws.com"}))])));
        assert!(holds(json!([with(VENDOR), with("999988887777")])));
    }

    /// The file that ends sessions, decided by our own engine: an older session is denied, a newer one and a key are not.
    #[test]
    fn older_sessions_are_denied_and_newer_ones_are_not() {
        let until = parse_time("2026-06-01T12:00:00Z").unwrap();
        let deny = parsed(&deny_sessions_before(until)).unwrap();
        let all = trust(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
        let action = Action::parse("s3:GetObject").unwrap();
        let decide = |deny: &PolicyDocument, context: Context| {
            let policies = [NamedPolicy { name: "all", document: &all }, NamedPolicy { name: "deny", document: deny }];
            let resource = Resource::Known("arn:aws:s3:::b/k".to_owned());
            evaluate(&policies, &[], &Request { action: action.clone(), resource, context }).decision
        };
        let issued = |time: &str| Context::complete().with("aws:TokenIssueTime", [time]);
        assert_eq!(decide(&deny, issued("2026-06-01T11:59:59Z")), Decision::ExplicitlyDenied);
        assert_eq!(decide(&deny, issued("2026-06-01T12:00:00Z")), Decision::Allowed);
        assert_eq!(decide(&deny, Context::complete()), Decision::Allowed);
        assert_eq!(decide(&parsed(&deny_everything()).unwrap(), Context::complete()), Decision::ExplicitlyDenied);
    }
}
