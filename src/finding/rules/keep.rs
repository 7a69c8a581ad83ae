//! Findings about keep rules: those whose day has come (S39).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::aws::window::rfc3339;
use crate::aws::{AccountId, Arn};

use super::super::assess::Inquiry;
use super::super::assessment::{Assessment, Finding, KeepUse, RoleReport};
use super::super::keep::KeepRule;
use super::{Draft, count};

/// Action names told of one rule.
const SHOWN: usize = 20;

/// One finding for each role about which rules have expired, and one for each account with those about no role.
pub(super) fn expired(assessment: &Assessment, inquiry: &Inquiry<'_>, found: &mut Vec<Finding>) {
    let expired = inquiry.keep.iter().enumerate().filter(|(_, rule)| !rule.is_in_force(inquiry.as_of));
    let expired: BTreeMap<usize, &KeepRule> = expired.collect();
    for role in &assessment.roles {
        let rules = role.keep.iter().filter_map(|used| Some(told(expired.get(&used.rule)?, &lost(role, used))));
        let draft = Draft::role("keep-expired", "medium", role);
        found.extend(finding(draft, &format!("role {}", role.name), rules.collect(), inquiry));
    }
    let matched = |at: usize| assessment.roles.iter().flat_map(|role| &role.keep).any(|used| used.rule == at);
    let mut of_account: BTreeMap<Option<AccountId>, Vec<Value>> = BTreeMap::new();
    for (_, rule) in expired.iter().filter(|(at, _)| !matched(**at)) {
        of_account.entry(account(rule, inquiry)).or_default().push(told(rule, &[]));
    }
    for (account, rules) in of_account {
        let subject = account.map_or_else(|| "source".to_owned(), |account| account.to_string());
        let draft = Draft { code: "keep-expired", severity: "medium", account, subject: &subject, party: None };
        found.extend(finding(draft, "no role of the report", rules, inquiry));
    }
}

fn finding(draft: Draft<'_>, about: &str, rules: Vec<Value>, inquiry: &Inquiry<'_>) -> Option<Finding> {
    let verb = if rules.len() == 1 { "has" } else { "have" };
    (!rules.is_empty()).then(|| {
        draft.finish(
            format!("{} about {about} {verb} expired", count(rules.len() as u64, "keep rule")),
            "An expired rule keeps nothing: the actions that it named are judged by the evidence alone.".to_owned(),
            json!({"rules": rules, "as_of": rfc3339(inquiry.as_of)}),
            "Ask the owner whether the reason still holds: give the rule a new date, or delete it.",
        )
    })
}

/// The unused actions that the rule no longer keeps, and no other rule either.
fn lost<'a>(role: &'a RoleReport, used: &KeepUse) -> Vec<&'a str> {
    let entries = role.actions.iter().chain(&role.actions_beyond).filter(|entry| !entry.kept);
    entries
        .filter(|entry| used.unused.binary_search(&entry.action).is_ok())
        .map(|entry| entry.action.as_str())
        .collect()
}

fn told(rule: &KeepRule, lost: &[&str]) -> Value {
    json!({
        "line": rule.line, "owner": rule.owner, "reason": rule.reason,
        "expires": rule.expires.map(|day| day.to_string()), "actions": rule.actions, "role": rule.role,
        "vendor": rule.vendor, "no_longer_kept": lost.len(),
        "sample": lost.iter().take(SHOWN).collect::<Vec<_>>(),
    })
}

/// The account that the rule's ARN names, or the first of ours: a rule about no role is about no account of its own.
fn account(rule: &KeepRule, inquiry: &Inquiry<'_>) -> Option<AccountId> {
    let named = rule.role.as_deref().and_then(Arn::parse).and_then(|arn| AccountId::parse(arn.account));
    named.or_else(|| inquiry.accounts.own.first().copied())
}
