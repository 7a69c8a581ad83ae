//! Findings about access given in the window, and about outsiders who act in the name of our own identities.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::aws::window::rfc3339;

use super::super::assessment::{AccessChange, Finding};
use super::super::share::Delegated;
use super::{Draft, SEVERITIES, count};

/// Changes told of one subject.
const SHOWN: usize = 20;

/// One finding a subject, so that ten changes of one trust are one thing to look at.
pub(super) fn new(changes: &[AccessChange], found: &mut Vec<Finding>) {
    let mut by_subject: BTreeMap<&str, Vec<&AccessChange>> = BTreeMap::new();
    for change in changes {
        by_subject.entry(&change.subject).or_default().push(change);
    }
    for (subject, changes) in by_subject {
        let Some(first) = changes.first() else { continue };
        let gravest = changes.iter().map(|change| severity(change)).min();
        let severity = gravest.map_or("low", |rank| SEVERITIES.get(rank).copied().unwrap_or("low"));
        let mut parties: Vec<String> = changes.iter().flat_map(|change| parties(change)).collect();
        parties.sort();
        parties.dedup();
        let party = (!parties.is_empty()).then(|| parties.join(", "));
        let draft = Draft { code: "access-new", severity, account: Some(first.account_id), subject, party };
        let evidence = json!({"changes": changes.len(),
            "list": changes.iter().take(SHOWN).map(|change| told(change)).collect::<Vec<_>>()});
        found.push(draft.finish(
            title(subject, &changes),
            "A record names whom a new policy lets in and who set it; whether it still does is for today's policies to \
             say. The values of its conditions are not kept."
                .to_owned(),
            evidence,
            "Ask whoever made the change whether it was meant; if nobody answers for it, take it back.",
        ));
    }
}

/// The place of its severity among [`SEVERITIES`].
fn severity(change: &AccessChange) -> usize {
    let anyone = change.lets_in.iter().any(|one| one.principal == "*" && one.conditions.is_empty());
    let allowed = is_allowed(change);
    match () {
        // An outsider opens another door for outsiders.
        () if change.by.outside && allowed && !change.lets_in.is_empty() => 0,
        () if anyone && allowed => 0,
        () if change.by.outside || change.lets_in.iter().any(|one| one.unknown) => 1,
        () if change.event_source.starts_with("iam.") && change.lets_in.is_empty() && is_provider(change) => 3,
        () => 2,
    }
}

fn is_allowed(change: &AccessChange) -> bool {
    change.outcome == "allowed"
}

fn is_provider(change: &AccessChange) -> bool {
    change.subject.contains("-provider/")
}

fn parties(change: &AccessChange) -> Vec<String> {
    // Whoever accepts one party has not accepted everybody.
    let named = change.lets_in.iter().map(|one| one.party.clone().unwrap_or_else(|| "everybody".to_owned()));
    named.chain(change.by.outside.then(|| change.by.party.clone())).collect()
}

fn title(subject: &str, changes: &[&AccessChange]) -> String {
    let name = subject.rsplit('/').next().unwrap_or(subject);
    let lets_in = changes.iter().any(|change| !change.lets_in.is_empty() && is_allowed(change));
    let by_outsider = changes.iter().any(|change| change.by.outside);
    match (lets_in, by_outsider) {
        (true, true) => format!("an outsider opened {name} to outsiders in the window"),
        (true, false) => format!("{name} was opened to outsiders in the window"),
        (false, true) => format!("an outsider changed, or tried to change, the access of {name}"),
        (false, false) => format!("what outsiders can do by {name} was changed in the window"),
    }
}

fn told(change: &AccessChange) -> Value {
    json!({"time": rfc3339(change.time), "event": format!("{}:{}", change.event_source, change.event_name),
        "event_id": change.event_id, "outcome": change.outcome, "gives": change.gives, "lets_in": change.lets_in,
        "by": change.by})
}

/// Somebody from outside acts in the name of one of our own identities (S14).
pub(super) fn delegated(delegated: &[Delegated], found: &mut Vec<Finding>) {
    for one in delegated {
        let calls: u64 = one.parties.values().map(|(_, calls)| calls).sum();
        let by_party: BTreeMap<&str, Value> = one
            .parties
            .iter()
            .map(|(party, (sessions, calls))| (party.as_str(), json!({"sessions": sessions, "calls": calls})))
            .collect();
        let party = one.parties.keys().cloned().collect::<Vec<_>>().join(", ");
        let draft = Draft {
            code: "access-delegated",
            severity: "medium",
            account: Some(one.account),
            subject: &one.arn,
            party: Some(party),
        };
        found.push(draft.finish(
            format!("an outsider acted as role {} by temporary delegation", one.name),
            format!("{} in the name of an identity of your own; no trust policy tells of it.", count(calls, "call")),
            json!({"by_party": by_party}),
            "Find the delegation request and who approved it; let it run out, and ask for a role if it is to last.",
        ));
    }
}
