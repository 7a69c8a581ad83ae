//! `truth.json`: the ledger written down for a test to compare an analysis with.

use serde_json::{Value, json};

use super::cast::{Cast, Party, Role};
use super::clock::{DAY, time_text};
use super::desk::{Desk, Gap};
use super::expected::{Known, findings};
use super::records::TOKEN_MARK;
use super::truth::{Span, Stat, idle_verdict};

fn first(span: Option<Span>) -> Option<String> {
    span.map(|span| time_text(span.first))
}

fn last(span: Option<Span>) -> Option<String> {
    span.map(|span| time_text(span.last))
}

/// The whole document; `damage` as the damage module tells it.
pub(crate) fn document(desk: &Desk<'_>, damage: &(Vec<Value>, u64, u64)) -> Value {
    let (cast, done) = (desk.cast, &desk.mail.delivered);
    let (entries, good, bad) = damage;
    let failed =
        entries.iter().filter(|entry| entry.get("expect").is_some_and(|text| text == "object_failed")).count() as u64;
    let broken = entries.len() as u64;
    json!({"schema": "thirdtrail.truth/1", "seed": desk.options.seed,
        "window": {"since": time_text(cast.since), "until": time_text(cast.until)},
        "as_of": time_text(cast.until), "idle_days": desk.options.idle_days, "accounts": cast.accounts,
        "secret_mark": TOKEN_MARK,
        "coverage": {"objects": {"listed": done.log_objects + done.digest_objects + broken, "read": done.log_objects + broken - failed,
                "skipped": {"digest": done.digest_objects}, "failed": failed},
            "records": {"total": done.records + good + bad, "duplicate": done.duplicates, "bad": bad, "late": done.late, "before_window": done.before_window},
            "json_bytes": done.json_bytes, "concatenated": done.concatenated, "damaged": entries},
        "holes": gaps(desk).iter().map(|gap| hole(cast, gap)).collect::<Vec<_>>(),
        "findings": findings(desk, &Known { idle: &|role| idle(desk, role), gaps: &gaps(desk), unproven: &|at| over_limit(desk, at) }),
        "parties": parties(desk), "roles": cast.roles.iter().map(|role| one_role(desk, role)).collect::<Vec<_>>()})
}

fn hole(cast: &Cast, gap: &Gap) -> Value {
    json!({"kind": gap.kind, "account_id": gap.account.map(|at| cast.account(at)), "from": time_text(gap.from),
        "until": time_text(gap.until), "days": (gap.from / DAY..(gap.until + DAY - 1) / DAY).map(super::clock::date_text).collect::<Vec<_>>()})
}

/// The silences asked for, the first account's first day where objects on it cannot be read, and days of which an
/// account's only records came late (S26).
fn gaps(desk: &Desk<'_>) -> Vec<Gap> {
    let mut all = desk.gaps.clone();
    let from = desk.cast.since;
    if desk.options.damage.iter().any(|kind| kind.fails_object()) {
        all.push(Gap { account: Some(0), from, until: from + DAY, kind: "object_failed" });
    }
    for account in 0..desk.cast.accounts.len() {
        for from in (from..desk.cast.until).step_by(86_400) {
            let told =
                |gap: &Gap| gap.account.is_none_or(|at| at == account) && gap.from < from + DAY && from < gap.until;
            if !desk.mail.delivered.days.contains(&(account, from / DAY)) && !all.iter().any(told) {
                all.push(Gap { account: Some(account), from, until: from + DAY, kind: "no_objects" });
            }
        }
    }
    all
}

fn parties(desk: &Desk<'_>) -> Vec<Value> {
    let cast = desk.cast;
    let name = |at: &usize| cast.roles.get(*at).map(|role| role.arn.as_str());
    let mut list: Vec<Value> = Vec::new();
    for (party, book) in cast.parties.iter().zip(&desk.ledger.parties) {
        let mut roles: Vec<&str> = book.roles.iter().filter_map(name).collect();
        roles.sort_unstable();
        roles.dedup();
        list.push(
            json!({"id": reported(party), "kind": party.kind, "name": party.name, "third_party": party.third_party,
            "channels": book.channels, "roles": roles, "sessions": book.sessions, "calls": book.calls,
            "denied": book.denied, "first_seen": first(book.span), "last_seen": last(book.span)}),
        );
    }
    list
}

/// The id that a report gives the party.
fn reported(party: &Party) -> &str {
    party.reported.as_deref().unwrap_or(&party.id)
}

fn one_role(desk: &Desk<'_>, role: &Role) -> Value {
    let (cast, ledger) = (desk.cast, &desk.ledger);
    let book = ledger.roles.get(role.index).cloned().unwrap_or_default();
    let id = |at: &usize| cast.parties.get(*at).map_or("", reported);
    let actions = ledger.actions(role.index);
    let used = |action: &str| actions.get(action).is_some_and(|stat| stat.calls > stat.denied);
    let unproven = over_limit(desk, role.account);
    let claims = |list: &'static [&'static str]| list.iter().copied().filter(|one| !used(one)).collect::<Vec<_>>();
    let template = role.template.filter(|_| role.exists);
    let unused = template.filter(|_| !unproven).map_or(Vec::new(), |template| claims(template.unused));
    let mut blind = template.map_or(Vec::new(), |template| claims(template.blind));
    if unproven {
        blind.extend(template.map_or(Vec::new(), |template| claims(template.unused)));
    }
    let idle = idle(desk, role);
    let by_party: serde_json::Map<String, Value> =
        book.by_party.iter().map(|(at, count)| (id(at).to_owned(), json!(count))).collect();
    let activity = ledger.last_activity(role);
    let outside = |at: &usize| cast.parties.get(*at).is_some_and(|party| party.third_party);
    let foreign = role.parties.iter().chain(book.by_party.keys()).any(outside);
    json!({"arn": role.arn, "account_id": cast.account(role.account), "name": role.name, "role_id": role.role_id,
        "created_at": time_text(role.created), "in_inventory": role.exists, "third_party": foreign,
        "admits": role.parties.iter().map(id).collect::<Vec<_>>(),
        "situation": role.template.map(|template| format!("{:?}", template.situation)),
        "situations": book.situations,
        "sessions": {"total": book.exact + book.inferred + book.unresolved, "by_party": by_party,
            "attribution": {"exact": book.exact, "inferred": book.inferred, "unresolved": book.unresolved},
            "without_external_id": book.without_external_id, "without_calls": book.without_calls},
        "last_activity": activity.map(|(at, source)| json!({"at": time_text(at), "source": source})),
        "idle": {"days": activity.map(|(at, _)| (cast.until - at) / DAY), "verdict": idle},
        "used": actions.iter().filter(|(name, _)| !name.is_empty()).map(|(name, stat)| one_action(name, stat)).collect::<Vec<_>>(),
        "calls_without_action": actions.get("").map_or(0, |stat| stat.calls),
        "expected_unused": unused, "expected_not_observable": blind})
}

/// The verdict that the report should give; `None` where it may say one or the other.
fn idle(desk: &Desk<'_>, role: &Role) -> Option<&'static str> {
    let unproven = over_limit(desk, role.account);
    match idle_verdict(&desk.ledger, desk.cast, role, i64::from(desk.options.idle_days)) {
        Some("idle") if unproven => Some("insufficient_evidence"),
        Some("never_used" | "too_new") if unproven => None,
        verdict => verdict,
    }
}

fn one_action(name: &str, stat: &Stat) -> Value {
    json!({"action": name, "calls": stat.calls, "denied": stat.denied, "failed": stat.failed, "dry_run": stat.dry_run,
        "first_seen": first(stat.span), "last_seen": last(stat.span)})
}

/// Whether holes touch more than 5 % of the account's days (S26).
fn over_limit(desk: &Desk<'_>, account: usize) -> bool {
    let all = gaps(desk);
    let of_account = all.iter().filter(|gap| gap.account.is_none_or(|at| at == account));
    let days: std::collections::BTreeSet<i64> =
        of_account.flat_map(|gap| gap.from / DAY..(gap.until + DAY - 1) / DAY).collect();
    days.len() as f64 > f64::from(desk.options.days) * 0.05
}
