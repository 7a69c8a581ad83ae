//! The findings that follow from how the cast was made, for a test to compare an analysis with.
//!
//! Every code is told: what the policies amount to stands in the table of the cast, where a person who read them wrote it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cast::{Cast, Role};
use super::desk::{Desk, Gap};
use super::templates::{External, Situation, Trust, VENDOR_USER_AMOUNTS};

/// What the holes of the trail and the idle days make of the ledger.
pub(crate) struct Known<'a> {
    /// The idle verdict of a role, where it is beyond doubt.
    pub(crate) idle: &'a dyn Fn(&Role) -> Option<&'static str>,
    /// The holes.
    pub(crate) gaps: &'a [Gap],
    /// Whether an account has too many of them to prove that something was not used.
    pub(crate) unproven: &'a dyn Fn(usize) -> bool,
}

/// Pairs of code and subject.
type Found<'a> = BTreeSet<(&'a str, &'a str)>;

/// `[{"code", "subject"}]`, sorted: every finding of the trail, and any other is wrong.
pub(crate) fn findings(desk: &Desk<'_>, known: &Known<'_>) -> Value {
    let cast = desk.cast;
    let mut found = Found::new();
    of_trail(desk, known, &mut found);
    for role in cast.roles.iter().filter(|role| role.template.is_some()) {
        of_calls(desk, role, &mut found);
        if role.exists {
            of_trust(cast, role, &mut found);
            of_use(desk, role, known, &mut found);
        }
    }
    for (party, book) in cast.parties.iter().zip(&desk.ledger.parties) {
        if party.third_party && book.channels.contains("resource_policy") {
            found.insert(("access-without-role", &party.id));
        }
    }
    for user in &cast.users {
        if cast.parties.get(user.party).is_some_and(|party| party.third_party) {
            found.insert(("key-of-vendor", &user.arn));
            found.extend(VENDOR_USER_AMOUNTS.map(|code| (code, user.arn.as_str())));
        }
    }
    found.into_iter().map(|(code, subject)| json!({"code": code, "subject": subject})).collect()
}

fn of_trail<'a>(desk: &'a Desk<'_>, known: &Known<'_>, found: &mut Found<'a>) {
    for (at, account) in desk.cast.accounts.iter().enumerate() {
        let places = || desk.places.iter().filter(|((account, _), _)| *account == at);
        if places().count() == 1 || !places().any(|(_, writes)| *writes) {
            found.insert(("trail-partial", account));
        }
        if known.gaps.iter().any(|gap| gap.account.is_none_or(|account| account == at)) {
            found.insert(("coverage-hole", account));
        }
    }
    if !desk.options.damage.is_empty() {
        found.insert(("objects-unreadable", "source"));
    }
}

/// What calls show of a role, also of one that was deleted.
fn of_calls<'a>(desk: &'a Desk<'_>, role: &'a Role, found: &mut Found<'a>) {
    if !is_reached(desk, role) {
        return;
    }
    let half = (desk.cast.until - desk.cast.since) / 2;
    for (action, stat) in desk.ledger.actions(role.index) {
        if stat.denied > 0 {
            found.insert(("calls-denied", &role.arn));
        }
        // Two uses further apart than half the window; more uses cannot be so on the average.
        let apart = stat.span.is_some_and(|span| span.last - span.first > half);
        if !action.is_empty() && stat.calls - stat.denied == 2 && apart {
            found.insert(("action-seasonal", &role.arn));
        }
    }
}

/// Whether an outsider can or did come into the role.
fn is_reached(desk: &Desk<'_>, role: &Role) -> bool {
    let outside = |at: &usize| desk.cast.parties.get(*at).is_some_and(|party| party.third_party);
    let came = desk.ledger.roles.get(role.index).is_some_and(|book| book.by_party.keys().any(outside));
    came || role.parties.iter().any(outside)
}

/// Actions that write, and none of which is more than that: on every resource, the ones in use are a finding.
const WRITES: [&str; 11] = [
    "dynamodb:UpdateTable",
    "ec2:ModifyVolume",
    "ec2:PurchaseReservedInstancesOffering",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "ec2:TerminateInstances",
    "lambda:DeleteFunction",
    "rds:CreateDBSnapshot",
    "rds:DeleteDBInstance",
    "rds:ModifyDBInstance",
    "s3:DeleteBucket",
];

/// What the policies amount to, and what of them nobody used.
fn of_policies<'a>(desk: &'a Desk<'_>, role: &'a Role, unproven: bool, found: &mut Found<'a>) {
    let Some(template) = role.template else { return };
    let arn = role.arn.as_str();
    found.extend(template.amounts.iter().map(|code| (*code, arn)));
    let actions = desk.ledger.actions(role.index);
    let used = |action: &str| actions.get(action).is_some_and(|stat| stat.calls > stat.denied);
    // Every policy of the cast grants more than its role's calls.
    if !unproven {
        found.insert(("permissions-unused", arn));
        if template.dangerous.iter().any(|action| !used(action)) {
            found.insert(("dangerous-unused", arn));
        }
    }
    let writes = |action: &&&str| WRITES.contains(*action) && (unproven || used(action));
    if !template.amounts.contains(&"policy-admin") && template.dangerous.iter().any(|action| writes(&action)) {
        found.insert(("policy-write-wildcard", arn));
    }
}

fn of_trust<'a>(cast: &'a Cast, role: &'a Role, found: &mut Found<'a>) {
    let Some(template) = role.template else { return };
    let mut add = |code| {
        found.insert((code, role.arn.as_str()));
    };
    let by_account = matches!(template.trust, Trust::Vendor | Trust::VendorIfExists | Trust::TwoVendors);
    if !by_account {
        return;
    }
    add("trust-whole-account");
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

fn of_use<'a>(desk: &'a Desk<'_>, role: &'a Role, known: &Known<'_>, found: &mut Found<'a>) {
    let Some(template) = role.template else { return };
    let Some(book) = desk.ledger.roles.get(role.index).filter(|_| is_reached(desk, role)) else { return };
    of_policies(desk, role, (known.unproven)(role.account), found);
    let mut add = |code| {
        found.insert((code, role.arn.as_str()));
    };
    match (known.idle)(role) {
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
    if book.situations.contains("delegated") {
        add("access-delegated");
    }
    if book.situations.contains("access_given") {
        add("access-new");
    }
}
