//! Findings about trust: who could come in, and what they must show (S40).

use serde_json::json;

use super::super::assessment::{Finding, RoleReport, TrustEntry};
use super::Draft;

pub(super) fn of_role(role: &RoleReport, found: &mut Vec<Finding>) {
    let outside: Vec<&TrustEntry> = role.trust.iter().filter(|trust| trust.outside).collect();
    let principals =
        |entries: &[&TrustEntry]| -> Vec<String> { entries.iter().map(|entry| entry.principal.clone()).collect() };
    let of_kind =
        |kind: &str| -> Vec<&TrustEntry> { outside.iter().copied().filter(|entry| entry.kind == kind).collect() };

    let anyone = of_kind("anyone");
    if !anyone.is_empty() {
        found.push(Draft::role("trust-anyone", "critical", role).finish(
            format!("role {} can be assumed from any account", role.name),
            "Its trust policy names `*`; only conditions, if any, stand between it and everybody.".to_owned(),
            json!({"principals": principals(&anyone)}),
            "Name the accounts or roles that need it.",
        ));
    }
    let accounts: Vec<&TrustEntry> = outside.iter().copied().filter(|entry| entry.account_id.is_some()).collect();
    let open: Vec<&TrustEntry> = accounts
        .iter()
        .copied()
        .filter(|entry| entry.external_id.as_ref().is_some_and(|demand| !demand.required))
        .collect();
    if !open.is_empty() {
        found.push(Draft::role("trust-no-external-id", "high", role).finish(
            format!("role {} can be assumed without an external id", role.name),
            "A vendor that serves many customers could be tricked into entering your account for another.".to_owned(),
            json!({"principals": principals(&open), "sessions_without": role.sessions.without_external_id}),
            "Agree on an external id with the party, then demand it with StringEquals in every statement.",
        ));
    }
    let unknown: Vec<&TrustEntry> = accounts
        .iter()
        .copied()
        .filter(|entry| entry.party.as_deref().is_some_and(|party| party.starts_with("unknown account")))
        .collect();
    if !unknown.is_empty() {
        found.push(Draft::role("trust-unknown-account", "high", role).finish(
            format!("role {} trusts an account that nobody knows", role.name),
            "The account is neither yours, as far as was told, nor in the vendor directory.".to_owned(),
            json!({"principals": principals(&unknown)}),
            "Find out whose account it is; name it with --own-account if it is yours.",
        ));
    }
    let whole: Vec<&TrustEntry> = of_kind("account_root");
    if !whole.is_empty() {
        found.push(Draft::role("trust-whole-account", "medium", role).finish(
            format!("role {} trusts every principal of another account", role.name),
            "Who may come in is decided by the other company's IAM.".to_owned(),
            json!({"principals": principals(&whole)}),
            "If the party can name the role it comes with, trust that role alone.",
        ));
    }
    let mut parties: Vec<&str> = outside.iter().filter_map(|entry| entry.party.as_deref()).collect();
    parties.sort_unstable();
    parties.dedup();
    if parties.len() > 1 {
        found.push(Draft::role("trust-several-parties", "medium", role).finish(
            format!("role {} is shared by {} parties", role.name, parties.len()),
            "What one needs, all can do; and what one did cannot be taken from it alone.".to_owned(),
            json!({"parties": parties}),
            "Give each party a role of its own.",
        ));
    }
}
