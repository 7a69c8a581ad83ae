//! A narrower trust policy for one role, replayed over the hand-offs that were observed before anybody sees it (S37).
//!
//! In doubt about the hand-offs nothing is proposed. A proposal must be narrower by its text, let in nobody new by evaluation,
//! and allow every observed hand-off as certainly as today's trust policy does; each added condition must be known to hold
//! for every hand-off that its statement may be meant for, so that what is undecided today cannot be refused tomorrow.
//! Refused hand-offs stay refused, because nobody new is let in; those of the window are replayed one by one all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::activity::attribution::How;
use crate::activity::party::Channel;
use crate::aws::Fingerprint;
use crate::policy::condition;
use crate::policy::document::{PolicyDocument, size_characters};
use crate::policy::inventory::Role;
use crate::policy::size::TRUST_CHARACTERS;
use crate::policy::statement::ConditionBlock;
use crate::policy::trust_edit::{Change, is_narrower};
use crate::policy::trust_probe::{degree, newly_admitted};
use crate::policy::truth::Truth;

use super::assess::Case;
use super::assessment::{ExternalIdUse, TrustEntry, TrustNarrowingReport, TrustReplay};
use super::hand_offs::{By, Way, Ways, account_of, refused_ways, ways};
use super::role::Subject;
use super::session_advice::advice;
use super::trust_steps::{Facts, Steps, external_ids, plural, steps};

/// Counter-examples told.
const COUNTER_EXAMPLES: usize = 5;
/// Twice the usual limit, which AWS gives on request.
const TRUST_CHARACTERS_ON_REQUEST: usize = 2 * TRUST_CHARACTERS;

/// The report for a role, if the inventory holds it; `doubt` says why hand-offs may be missing from the records.
#[must_use]
pub fn trust_narrowing(
    subject: &Subject<'_, '_>,
    entries: &[TrustEntry],
    uses: &[ExternalIdUse],
    doubt: Option<String>,
    case: &Case<'_>,
) -> Option<Box<TrustNarrowingReport>> {
    let role = subject.role?;
    let Ok(trust) = &role.trust.parsed else {
        return Some(Box::new(told("withheld", "the trust policy cannot be read".to_owned())));
    };
    let advice = advice(trust, entries, subject);
    let ways = ways(subject.openings.iter().copied(), trust);
    let report = match doubt.or_else(|| unseen(subject)).or_else(|| nameless(&ways)) {
        Some(reason) => told("withheld", format!("hand-offs may be missing: {reason}")),
        None => {
            let too_short = too_short(role, case);
            let refused = refused_ways(subject.refusals.iter().copied(), trust);
            propose(&Facts {
                trust,
                entries,
                uses,
                ways: &ways,
                refused: &refused,
                how: case.trust_narrowing,
                too_short,
            })
        }
    };
    Some(Box::new(TrustNarrowingReport { advice, current: trust.as_value().clone(), ..report }))
}

fn told(status: &str, reason: String) -> TrustNarrowingReport {
    TrustNarrowingReport { status: status.to_owned(), reason: Some(reason), ..TrustNarrowingReport::default() }
}

/// Sessions whose hand-off was not seen, or that are not surely those of a hand-off that was.
fn unseen(subject: &Subject<'_, '_>) -> Option<String> {
    let unsure = subject.sessions.iter().filter(|session| {
        session.attributed.how != How::Exact || session.attributed.channel == Channel::TemporaryDelegation
    });
    match unsure.count() as u64 {
        0 => None,
        count => Some(format!("who opened {} is not known for certain", plural(count, "session"))),
    }
}

fn nameless(ways: &Ways) -> Option<String> {
    let of_nobody = ways.iter().filter(|(way, _)| way.by == By::Nobody);
    match of_nobody.map(|(_, times)| times.hand_offs).sum::<u64>() {
        0 => None,
        count => Some(format!("{} do not tell who asked", plural(count, "hand-off"))),
    }
}

/// Why it cannot be said that a party does not come (S26).
fn too_short(role: &Role, case: &Case<'_>) -> Option<String> {
    let days = (case.window.until - case.window.since).num_days();
    if days < i64::from(case.idle_days) {
        return Some(format!("the window of {days} days is shorter than the {} of --idle-days", case.idle_days));
    }
    if let Some(changed) = case.trust_changed.get(&(role.account, role.name.as_str())) {
        let day = changed.format("%Y-%m-%d");
        return Some(format!("the trust policy was changed on {day}, and may let it in only since then"));
    }
    match role.created {
        Some(created) if created <= case.window.since => None,
        _ => Some("the role is not known to be older than the window".to_owned()),
    }
}

/// The proposal that follows from what was seen, or why there is none.
#[must_use]
pub fn propose(facts: &Facts<'_>) -> TrustNarrowingReport {
    let Steps { change, steps, left, placeholders } = steps(facts);
    let mut report =
        TrustNarrowingReport { status: "unchanged".to_owned(), left_alone: left, ..TrustNarrowingReport::default() };
    if change.is_empty() {
        report.reason = Some("no hand-off shows anything that could be taken back without asking".to_owned());
        return report;
    }
    let narrowed = match change.apply(facts.trust) {
        Ok(narrowed) => narrowed,
        Err(error) => {
            (report.status, report.reason) = ("withheld".to_owned(), Some(error.to_string()));
            return report;
        }
    };
    report.narrowed_size = Some(size_characters(&narrowed) as u64);
    let proof = prove(facts, &change, &narrowed, &placeholders);
    let verdict = proof.as_ref().map_err(Clone::clone).and_then(|_| fits(facts.trust, &narrowed));
    let replay = proof.unwrap_or_default();
    match verdict.and_then(|()| replay.counter_examples.first().map_or(Ok(()), |one| Err(one.clone()))) {
        Ok(()) => {
            report.status = if placeholders.is_empty() { "proposed" } else { "template" }.to_owned();
            (report.steps, report.narrowed) = (steps, narrowed);
            report.reason = (!placeholders.is_empty()).then(|| {
                "an external id that only its party knows must be filled in before it can be applied".to_owned()
            });
        }
        Err(reason) => (report.status, report.reason) = ("withheld".to_owned(), Some(reason)),
    }
    report.replay = Some(replay);
    report
}

/// Whether IAM would take it (S36): a trust policy cannot be split.
fn fits(before: &PolicyDocument, narrowed: &Value) -> Result<(), String> {
    let limit =
        if before.size_characters() > TRUST_CHARACTERS { TRUST_CHARACTERS_ON_REQUEST } else { TRUST_CHARACTERS };
    let size = size_characters(narrowed);
    if size <= limit {
        return Ok(());
    }
    Err(format!("the narrower trust policy would have {size} characters, and IAM takes {limit}"))
}

/// The proof, or why there can be none.
fn prove(
    facts: &Facts<'_>,
    change: &Change,
    narrowed: &Value,
    placeholders: &BTreeMap<String, Fingerprint>,
) -> Result<TrustReplay, String> {
    let after = PolicyDocument::from_value(narrowed).map_err(|error| format!("the proposal is no policy: {error}"))?;
    if !is_narrower(&after, facts.trust) {
        return Err("the proposal is not provably narrower than today's trust policy".to_owned());
    }
    let newly = newly_admitted(&after, facts.trust);
    let mut replay = TrustReplay { newly_admitted: newly.len() as u64, ..TrustReplay::default() };
    replay.counter_examples = newly.into_iter().map(|who| format!("newly let in: {who}")).collect();
    for (way, times) in facts.ways {
        replay.hand_offs += times.hand_offs;
        let shown = || format!("{} since {} ({})", shown(way), times.first.format("%Y-%m-%d"), times.event_id);
        if !steps_hold(facts.trust, change, way, placeholders) {
            replay.counter_examples.push(format!("would be refused, or may be: {}", shown()));
            continue;
        }
        match decided(facts.trust, &after, way, placeholders) {
            None => replay.counter_examples.push(format!("would be refused: {}", shown())),
            Some(2) => replay.allowed += times.hand_offs,
            Some(1) => replay.undecided += times.hand_offs,
            Some(_) => replay.refused_today += times.hand_offs,
        }
    }
    for (way, times) in facts.refused {
        replay.refused += times.hand_offs;
        if is_refused_still(facts.trust, &after, way, placeholders) {
            replay.still_refused += times.hand_offs;
        } else {
            let first = times.first.format("%Y-%m-%d");
            replay.counter_examples.push(format!(
                "refused on {first} ({}), and would be let in: {}",
                times.event_id,
                shown(way)
            ));
        }
    }
    replay.counter_examples.truncate(COUNTER_EXAMPLES);
    Ok(replay)
}

fn shown(way: &Way) -> String {
    let id = way
        .external_id
        .as_ref()
        .map_or("without an external id".to_owned(), |id| format!("with the external id of fingerprint {}", id.digest));
    match &way.by {
        By::Account(account) => format!("account {account}, {}, {id}", way.caller_id()),
        By::Arn(arn) => format!("{arn}, {id}"),
        By::Federated(provider) => format!("{provider}, {}", way.subject),
        By::Service(service) => service.clone(),
        By::Nobody => "somebody".to_owned(),
    }
}

/// Whether every step is known to leave a way as it is: what is taken out cannot be meant for it, what is added holds.
fn steps_hold(
    trust: &PolicyDocument,
    change: &Change,
    way: &Way,
    placeholders: &BTreeMap<String, Fingerprint>,
) -> bool {
    let is_dropped = |name: &String| match &way.by {
        By::Federated(provider) => provider == name,
        _ => way.account().is_some() && account_of(name) == way.account(),
    };
    if change.dropped.iter().any(|(_, name)| is_dropped(name)) {
        return false;
    }
    change.demands.iter().all(|demand| {
        let Some(statement) = trust.statements.get(demand.statement) else { return false };
        let holds = |id: &Option<String>| {
            let values = demand.values.iter().map(|value| filled(value, way, id.as_deref(), placeholders)).collect();
            let block = ConditionBlock { operator: demand.operator.to_owned(), key: demand.key.clone(), values };
            condition::holds(&block, trust.version, &way.context(id.as_deref())) == Truth::True
        };
        !way.is_meant_by(&statement.principals) || stand_ins(trust, way).iter().all(holds)
    })
}

/// How certainly today's trust policy lets a way in, if the proposal does so no less; for every principal that the caller may
/// have been, and every id that it may have sent.
fn decided(
    before: &PolicyDocument,
    after: &PolicyDocument,
    way: &Way,
    placeholders: &BTreeMap<String, Fingerprint>,
) -> Option<u8> {
    let mut best = 0;
    for id in stand_ins(before, way) {
        let after = PolicyDocument::from_value(&filled_in(after.as_value(), way, id.as_deref(), placeholders)).ok()?;
        let (now, then) = (way.decisions(before, before, id.as_deref()), way.decisions(&after, before, id.as_deref()));
        for (now, then) in now.into_iter().map(degree).zip(then.into_iter().map(degree)) {
            if then < now {
                return None;
            }
            best = best.max(now);
        }
    }
    Some(best)
}

/// Whether the proposal lets a way that was refused in no more than today's trust policy does.
fn is_refused_still(
    before: &PolicyDocument,
    after: &PolicyDocument,
    way: &Way,
    placeholders: &BTreeMap<String, Fingerprint>,
) -> bool {
    stand_ins(before, way).into_iter().all(|id| {
        let after = PolicyDocument::from_value(&filled_in(after.as_value(), way, id.as_deref(), placeholders));
        let Ok(after) = after else { return false };
        let (now, then) = (way.decisions(before, before, id.as_deref()), way.decisions(&after, before, id.as_deref()));
        now.into_iter().map(degree).zip(then.into_iter().map(degree)).all(|(now, then)| then <= now)
    })
}

/// What the way may have sent as its external id: one that the trust policy names, or any text with its fingerprint, among
/// them those that the trust policy's patterns let in.
fn stand_ins(trust: &PolicyDocument, way: &Way) -> Vec<Option<String>> {
    let Some(print) = &way.external_id else { return vec![None] };
    if let Some(known) = external_ids(trust).into_iter().find(|id| Fingerprint::of(id) == *print) {
        return vec![Some(known)];
    }
    let blocks = trust.statements.iter().flat_map(|statement| &statement.conditions);
    let values =
        blocks.filter(|block| block.key.eq_ignore_ascii_case("sts:ExternalId")).flat_map(|block| &block.values);
    let patterns = values.filter(|value| value.contains(['*', '?']));
    let fitting = patterns.map(|pattern| pattern.replace('*', &print.digest).replace('?', "0"));
    fitting.chain([format!("id-{}", print.digest)]).map(Some).collect()
}

/// A value as the evaluation sees it: a placeholder is what was sent, where that has the fingerprint that it stands for.
fn filled(value: &str, way: &Way, id: Option<&str>, placeholders: &BTreeMap<String, Fingerprint>) -> String {
    let same = placeholders.get(value).is_some_and(|print| way.external_id.as_ref() == Some(print));
    id.filter(|_| same).unwrap_or(value).to_owned()
}

fn filled_in(after: &Value, way: &Way, id: Option<&str>, placeholders: &BTreeMap<String, Fingerprint>) -> Value {
    let mut document = after.clone();
    each_text(&mut document, &mut |text| *text = filled(text, way, id, placeholders));
    document
}

/// Every text in a document, keys apart.
pub fn each_text(value: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text(member, change)),
        _ => {}
    }
}
