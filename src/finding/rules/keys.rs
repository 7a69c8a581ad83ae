//! Findings about access keys: old, idle, doubled, the root's, in a third party's hands, and used from new places (S16).

use serde_json::{Value, json};

use crate::activity::party_user::ROOT;
use crate::aws::window::{Time, rfc3339};

use super::super::assess::{Case, Inquiry};
use super::super::assessment::{Finding, KeyReport, UserReport};
use super::super::users::{LEARNING_DAYS, is_days_ago};
use super::{Draft, count};

/// From this age on an old key is grave: it has outlived most of the people who ever saw it.
const VERY_OLD_DAYS: i64 = 365;

pub(super) fn of_user(user: &UserReport, inquiry: &Inquiry<'_>, case: &Case<'_>, found: &mut Vec<Finding>) {
    root(user, found);
    of_vendor(user, inquiry, found);
    old(user, inquiry, found);
    unused(user, inquiry, found);
    both(user, found);
    new_network(user, case, found);
}

fn draft<'a>(code: &'a str, severity: &'a str, user: &'a UserReport) -> Draft<'a> {
    Draft { code, severity, account: Some(user.account_id), subject: &user.arn, party: user.party.clone() }
}

fn active(user: &UserReport) -> Vec<&KeyReport> {
    user.keys.iter().filter(|key| key.active == Some(true)).collect()
}

fn moment(time: Option<Time>) -> Value {
    time.map_or(Value::Null, |time| rfc3339(time).into())
}

fn evidence(keys: &[&KeyReport]) -> Value {
    let keys = keys.iter().map(|key| {
        json!({"ending": key.ending, "active": key.active, "created_at": moment(key.created_at),
            "age_days": key.age_days, "last_used": moment(key.last_used), "first_seen": moment(key.first_seen),
            "last_seen": moment(key.last_seen), "networks": key.networks, "networks_counted": key.networks_counted})
    });
    keys.collect()
}

/// `****WXYZ, ****ABCD`, or how many there are where their ids are not known.
fn named(keys: &[&KeyReport]) -> String {
    let known: Vec<String> =
        keys.iter().filter(|key| !key.ending.is_empty()).map(|key| format!("****{}", key.ending)).collect();
    if known.is_empty() { count(keys.len() as u64, "key") } else { known.join(", ") }
}

/// The keys that can be used, by IAM's word if it was asked, else those that records show. A key that is gone or switched
/// off is no danger any more, whatever the records show of its past.
fn live(user: &UserReport) -> Vec<&KeyReport> {
    user.keys.iter().filter(|key| key.active == Some(true) || user.active_keys.is_none()).collect()
}

/// The keys that records show, apart from those that IAM says are gone: a credential report alone names none.
fn seen(user: &UserReport) -> Vec<&KeyReport> {
    let named = user.keys.iter().any(|key| key.active.is_some() && !key.ending.is_empty());
    let gone = named || user.active_keys == Some(0);
    user.keys.iter().filter(|key| key.active == Some(true) || (key.active.is_none() && !gone)).collect()
}

fn root(user: &UserReport, found: &mut Vec<Finding>) {
    let keys = live(user);
    if user.name != ROOT || keys.is_empty() {
        return;
    }
    let used = keys.iter().any(|key| key.last_seen.is_some());
    let severity = if used { "critical" } else { "high" };
    found.push(draft("key-root", severity, user).finish(
        format!("the root user of {} has {}", user.account_id, count(keys.len() as u64, "access key")),
        "No policy, boundary or service control policy limits what a root key may do in its account.".to_owned(),
        json!({"keys": evidence(&keys), "used_in_window": used}),
        "Find out what uses it, give that a role, then delete the key.",
    ));
}

/// A third party's key works from anywhere, for anyone who has it, until somebody remembers it.
fn of_vendor(user: &UserReport, inquiry: &Inquiry<'_>, found: &mut Vec<Finding>) {
    let (Some(party), Some(known_by)) = (&user.party, &user.known_by) else { return };
    let keys = live(user);
    let used = inquiry.evidence.users().any(|arn| arn == user.arn);
    // No key, says IAM; what the records show of the user is its past.
    if keys.is_empty() && user.active_keys.is_some() {
        return;
    }
    let severity = match (keys.is_empty(), known_by.as_str()) {
        (true, _) if !used => "low",
        (_, "name") => "medium",
        _ => "high",
    };
    let why = match known_by.as_str() {
        "list" => "your vendor file says so".to_owned(),
        "tag" => "a tag of the user says so".to_owned(),
        _ => "its name says so, and nothing else".to_owned(),
    };
    let known = match keys.is_empty() {
        true => " Whether it has keys is not known: give the credential report.",
        false => "",
    };
    found.push(draft("key-of-vendor", severity, user).finish(
        format!("user {} is taken for one of {party}", user.name),
        format!(
            "It is taken for a third party's because {why}. A key works from anywhere until somebody deletes it.{known}"
        ),
        json!({"known_by": known_by, "keys": evidence(&keys), "active_keys": user.active_keys, "used_in_window": used,
            "blast_radius": user.blast_radius, "can_assume": user.can_assume, "can_assume_total": user.can_assume_total}),
        "Give the party a role with an external id instead (`thirdtrail template --replace-user`), watch both, then \
         switch the key off, and delete it when nothing breaks.",
    ));
}

fn old(user: &UserReport, inquiry: &Inquiry<'_>, found: &mut Vec<Finding>) {
    let mut keys = active(user);
    keys.retain(|key| key.created_at.is_some_and(|at| is_days_ago(at, inquiry.key_days, inquiry.as_of)));
    let Some(oldest) = keys.iter().filter_map(|key| key.age_days).max() else { return };
    let severity = if user.party.is_some() || oldest >= VERY_OLD_DAYS { "high" } else { "medium" };
    found.push(draft("key-old", severity, user).finish(
        format!("user {} has a key that is {oldest} days old", user.name),
        format!("Keys are to be renewed after {} days: {}.", inquiry.key_days, named(&keys)),
        json!({"keys": evidence(&keys), "key_days": inquiry.key_days, "as_of": rfc3339(inquiry.as_of)}),
        "Make a second key, move what uses the first, switch the first off, wait, delete it; better, use a role.",
    ));
}

/// Only IAM knows every use of a key; records alone show some Regions and a window.
fn unused(user: &UserReport, inquiry: &Inquiry<'_>, found: &mut Vec<Finding>) {
    let mut keys = active(user);
    keys.retain(|key| {
        let since = key.last_used.max(key.created_at);
        since.is_some_and(|since| is_days_ago(since, inquiry.idle_days, inquiry.as_of))
    });
    if keys.is_empty() {
        return;
    }
    let never = keys.iter().all(|key| key.last_used.is_none());
    let word = if never { "never used" } else { "not used for long" };
    found.push(draft("key-unused", "medium", user).finish(
        format!("user {} has {} {word}", user.name, count(keys.len() as u64, "key")),
        format!("Neither IAM nor the trail knows of a use in {} days: {}.", inquiry.idle_days, named(&keys)),
        json!({"keys": evidence(&keys), "idle_days": inquiry.idle_days, "as_of": rfc3339(inquiry.as_of)}),
        "Switch the key off; when nothing breaks for a while, delete it.",
    ));
}

fn both(user: &UserReport, found: &mut Vec<Finding>) {
    let keys = active(user);
    if keys.len() < 2 {
        return;
    }
    found.push(draft("key-both-active", "low", user).finish(
        format!("user {} has two keys that can be used", user.name),
        "Two keys are for the days of a renewal; one that stays is one more to lose.".to_owned(),
        json!({"keys": evidence(&keys)}),
        "Finish the renewal: move what uses the older key, switch it off, delete it.",
    ));
}

fn new_network(user: &UserReport, case: &Case<'_>, found: &mut Vec<Finding>) {
    // What looks new after a hole may be old.
    if case.uncovered(user.account_id).is_some() {
        return;
    }
    let keys: Vec<&KeyReport> = seen(user).into_iter().filter(|key| !key.new_networks.is_empty()).collect();
    if keys.is_empty() {
        return;
    }
    let new: u64 = keys.iter().map(|key| key.new_networks.len() as u64).sum();
    let severity = if user.party.is_some() || user.name == ROOT { "high" } else { "medium" };
    let networks: Vec<Value> = keys
        .iter()
        .map(|key| json!({"ending": key.ending, "networks_counted": key.networks_counted, "new": key.new_networks}))
        .collect();
    found.push(draft("key-new-network", severity, user).finish(
        format!("a key of user {} is used from {}", user.name, count(new, "new network")),
        format!("The trail shows the key in use for {LEARNING_DAYS} days or more, and only then from there."),
        json!({"keys": networks, "learning_days": LEARNING_DAYS, "window": {"since": rfc3339(case.window.since),
            "until": rfc3339(case.window.until)}}),
        "Ask who holds the key whether that is theirs; if nobody knows, switch it off now.",
    ));
}
