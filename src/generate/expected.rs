//! The findings that follow from how the cast was made, for a test to compare an analysis with.
//!
//! Only codes that the cast and the ledger decide are told; what a policy amounts to is not theirs to say.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cast::{Cast, Role};
use super::desk::Desk;
use super::templates::{External, Situation, Trust};

/// The codes that are told completely: a finding of one of them that is not in the list is wrong.
pub(crate) const CODES: [&str; 15] = [
    "access-without-role",
    "calls-denied",
    "external-id-not-sent",
    "external-id-shared",
    "external-id-weak",
    "key-of-vendor",
    "role-assumed-without-calls",
    "role-chained-by-party",
    "role-idle",
    "role-never-used",
    "role-recreated",
    "trust-any-external-id",
    "trust-no-external-id",
    "trust-several-parties",
    "trust-unknown-account",
];

/// `{"codes": [...], "list": [{"code", "subject"}]}`, sorted.
pub(crate) fn findings(desk: &Desk<'_>, idle: &dyn Fn(&Role) -> Option<&'static str>) -> Value {
    let cast = desk.cast;
    let mut found: BTreeSet<(&str, &str)> = BTreeSet::new();
    for role in cast.roles.iter().filter(|role| role.exists && role.template.is_some()) {
        of_trust(cast, role, &mut found);
        of_use(desk, role, idle(role), &mut found);
    }
    for (party, book) in cast.parties.iter().zip(&desk.ledger.parties) {
        if party.third_party && book.channels.contains("resource_policy") {
            found.insert(("access-without-role", &party.id));
        }
    }
    for user in &cast.users {
        if cast.parties.get(user.party).is_some_and(|party| party.third_party) {
            found.insert(("key-of-vendor", &user.arn));
        }
    }
    let list = found.into_iter().map(|(code, subject)| json!({"code": code, "subject": subject}));
    json!({"codes": CODES, "list": list.collect::<Vec<_>>()})
}

fn of_trust<'a>(cast: &'a Cast, role: &'a Role, found: &mut BTreeSet<(&'a str, &'a str)>) {
    let Some(template) = role.template else { return };
    let mut add = |code| {
        found.insert((code, role.arn.as_str()));
    };
    let by_account = matches!(template.trust, Trust::Vendor | Trust::VendorIfExists | Trust::TwoVendors);
    if !by_account {
        return;
    }
    match template.external_id {
        External::Absent => add("trust-no-external-id"),
        External::Word(_) => add("external-id-weak"),
        External::Uuid => {}
    }
    match template.trust {
        Trust::VendorIfExists => add("trust-any-external-id"),
        Trust::TwoVendors => {
            add("external-id-shared");
            add("trust-several-parties");
        }
        _ => {}
    }
    let unknown = |at: &usize| cast.parties.get(*at).is_some_and(|party| party.kind == "unknown_account");
    if role.parties.iter().any(unknown) {
        add("trust-unknown-account");
    }
}

fn of_use<'a>(desk: &'a Desk<'_>, role: &'a Role, idle: Option<&str>, found: &mut BTreeSet<(&'a str, &'a str)>) {
    let Some(template) = role.template else { return };
    let (cast, ledger) = (desk.cast, &desk.ledger);
    let Some(book) = ledger.roles.get(role.index) else { return };
    let outside = |at: &usize| cast.parties.get(*at).is_some_and(|party| party.third_party);
    if !role.parties.iter().chain(book.by_party.keys()).any(outside) {
        return;
    }
    let mut add = |code| {
        found.insert((code, role.arn.as_str()));
    };
    match idle {
        Some("idle") => add("role-idle"),
        Some("never_used") => add("role-never-used"),
        _ => {}
    }
    let sessions = book.exact + book.inferred + book.unresolved;
    if sessions > 0 && book.without_calls == sessions {
        add("role-assumed-without-calls");
    }
    if book.without_external_id > 0 {
        add("external-id-not-sent");
    }
    if template.situation == Situation::ChainLink && sessions > 0 {
        add("role-chained-by-party");
    }
    if template.situation == Situation::Recreated {
        add("role-recreated");
    }
    if ledger.actions(role.index).values().any(|stat| stat.denied > 0) {
        add("calls-denied");
    }
}
