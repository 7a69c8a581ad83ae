//! `investigation.md`: what a breached party did, for a person who must act now.
//!
//! What the trail could not show comes first. Lists are cut after a while and say so; `investigation.json` has all. Every
//! text that a stranger could have written is escaped (S43).

use std::collections::BTreeMap;

use super::page::{Page, count, left_out};
use crate::finding::investigate::answer::{CallTold, Investigation, RoleTold, Thing};
use crate::finding::investigate::read::{ChangeRead, KeyRead};

use super::super::escape::{code, text};
use super::containment;

/// Rows of one table.
const ROWS: usize = 100;
/// Names in one cell.
const NAMES: usize = 5;
/// Where the rest is.
const ALL: &str = "investigation.json";

/// Renders the page.
#[must_use]
pub fn render(answer: &Investigation) -> String {
    let mut page = Page::default();
    head(&mut page, answer);
    sessions(&mut page, answer);
    roles(&mut page, answer);
    calls(&mut page, answer);
    touched(&mut page, answer);
    refused(&mut page, answer);
    left_behind(&mut page, answer);
    given(&mut page, answer);
    could(&mut page, answer);
    keys(&mut page, answer);
    containment::render(&mut page, answer);
    page.finish()
}

fn head(page: &mut Page, answer: &Investigation) {
    let names: Vec<String> = answer.parties.iter().map(|one| text(&one.name)).collect();
    let mut unique = names.clone();
    unique.dedup();
    page.heading(1, &format!("Investigation: {}", unique.join(", ")));
    page.paragraph(&format!(
        "{} to {}, from the output of a run over {} ({} to {}). Nothing was changed in AWS.",
        answer.since,
        answer.until,
        code(&answer.run.source),
        answer.run.since,
        answer.run.until
    ));
    page.table(
        ["Party", "Kind", "Name", "Sessions in the run's window", "Calls in the run's window"],
        answer.parties.iter().zip(names).map(|(party, name)| {
            let (sessions, calls) = (party.sessions_in_window.to_string(), party.calls_in_window.to_string());
            [code(&party.id), text(&party.kind), name, sessions, calls]
        }),
    );
    if !answer.same_name.is_empty() {
        page.paragraph(&format!("Not asked about, though of the same name: {}.", some(&answer.same_name)));
    }
    page.heading(2, "What this cannot show");
    if answer.gaps.is_empty() {
        page.paragraph("No gap in the range is known.");
    }
    page.list(answer.gaps.iter().map(|gap| {
        let account = gap.account_id.as_deref().map_or(String::new(), |account| format!("{}: ", code(account)));
        format!("{account}{}.", text(&gap.detail))
    }));
}

fn sessions(page: &mut Page, answer: &Investigation) {
    let told = &answer.sessions;
    page.heading(2, "Sessions");
    if told.list.is_empty() {
        page.paragraph("No session of it overlaps the range.");
        return;
    }
    page.paragraph(&format!(
        "{} of roles, {} of them wholly in the range; first {}, last seen {}. Hand-offs with external id: {}, without: {}.",
        count(told.total, "session"),
        told.wholly_inside,
        told.first.as_deref().unwrap_or("unknown"),
        told.last.as_deref().unwrap_or("unknown"),
        told.with_external_id,
        told.without_external_id
    ));
    page.list(
        [
            ("channels", &told.channels),
            ("attribution", &told.attribution),
            ("networks", &told.networks),
            ("agents", &told.agents),
        ]
        .into_iter()
        .filter(|(_, sums)| !sums.is_empty())
        .map(|(what, sums)| format!("{what}: {}", summed(sums))),
    );
    page.table(
        ["Began", "Last seen", "Role", "Session", "Channel", "Calls", "Refused", "Networks"],
        told.list.iter().take(ROWS).map(|one| {
            let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "unknown".to_owned());
            let (calls, denied) = (one.calls.to_string(), one.denied.to_string());
            let role = if one.role_arn.is_empty() { "none".to_owned() } else { code(&one.role_arn) };
            let channel = text(&one.channel);
            [time(&one.began), time(&one.last), role, text(&one.name), channel, calls, denied, some(&one.networks)]
        }),
    );
    rest(page, told.list.len());
}

fn roles(page: &mut Page, answer: &Investigation) {
    page.heading(2, "Roles it was in");
    if answer.roles.is_empty() {
        page.paragraph("None in the range.");
    }
    page.table(
        ["Role", "Sessions", "By a chain", "Not attributed", "First", "Last"],
        answer.roles.iter().take(ROWS).map(|role| {
            let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "unknown".to_owned());
            let [sessions, chained, unknown] =
                [role.sessions, role.chained, role.not_attributed].map(|number| number.to_string());
            [code(&role.arn), sessions, chained, unknown, time(&role.first), time(&role.last)]
        }),
    );
    rest(page, answer.roles.len());
    if !answer.other_roles.is_empty() {
        page.paragraph(&format!("It can enter, or entered at another time: {}.", some(&answer.other_roles)));
    }
}

fn calls(page: &mut Page, answer: &Investigation) {
    page.heading(2, "What it did");
    if answer.calls.is_empty() {
        page.paragraph("No calls of it are known in the range.");
        return;
    }
    page.table(
        ["Service", "APIs", "Calls", "Refused", "Failed", "Regions", "Dangers"],
        answer.services.iter().map(|service| {
            let [apis, calls, denied, failed] =
                [service.apis, service.calls, service.denied, service.failed].map(|number| number.to_string());
            let dangers = service.dangers.iter().map(|danger| text(danger)).collect::<Vec<_>>().join(", ");
            [code(&service.event_source), apis, calls, denied, failed, some(&service.regions), dangers]
        }),
    );
    // The dangerous first, or a cut would take them.
    let mut rows: Vec<&CallTold> = answer.calls.iter().collect();
    rows.sort_by_key(|call| (call.danger.is_none(), *call));
    page.table(
        ["API", "Region", "Role", "Calls", "Refused", "Failed", "First", "Last", "Danger", "Events"],
        rows.into_iter().take(ROWS).map(|call| {
            let [calls, denied, failed] = [call.calls, call.denied, call.failed].map(|number| number.to_string());
            [
                code(&api(&call.event_source, &call.event_name)),
                code(&call.region),
                role_name(&call.role_arn),
                calls,
                denied,
                failed,
                call.first_seen.clone(),
                call.last_seen.clone(),
                call.danger.as_deref().map_or(String::new(), text),
                some(&call.sample_event_ids),
            ]
        }),
    );
    rest(page, answer.calls.len());
}

fn touched(page: &mut Page, answer: &Investigation) {
    page.heading(2, "What it touched");
    if answer.touched.is_empty() {
        page.paragraph("The records name no resource.");
    }
    for kind in &answer.touched {
        page.heading(3, &format!("{} ({})", text(&kind.kind), kind.things.len()));
        page.table(
            ["Resource", "Objects", "By", "Outcome"],
            kind.things.iter().take(ROWS).map(|thing| {
                let apis = some(&thing.apis);
                [code(&thing.name), objects(thing), apis, thing.outcome.to_owned()]
            }),
        );
        rest(page, kind.things.len());
        if kind.things.iter().any(|thing| thing.may_be_more) {
            page.paragraph("There may be more: a run keeps only the first resources of a row of calls.");
        }
    }
}

fn objects(thing: &Thing) -> String {
    if thing.objects.is_empty() { String::new() } else { some(&thing.objects) }
}

fn refused(page: &mut Page, answer: &Investigation) {
    let rows: Vec<&CallTold> = answer.calls.iter().filter(|call| call.denied > 0).collect();
    if rows.is_empty() {
        return;
    }
    page.heading(2, "What it tried and was refused");
    page.table(
        ["API", "Region", "Role", "Refused", "Error codes", "First", "Last"],
        rows.iter().take(ROWS).map(|call| {
            [
                code(&api(&call.event_source, &call.event_name)),
                code(&call.region),
                role_name(&call.role_arn),
                call.denied.to_string(),
                some(&call.error_codes),
                call.first_seen.clone(),
                call.last_seen.clone(),
            ]
        }),
    );
    rest(page, rows.len());
}

fn left_behind(page: &mut Page, answer: &Investigation) {
    let left = &answer.left_behind;
    page.heading(2, "What it may have left behind");
    if left.changes.is_empty() && left.signs.is_empty() {
        page.paragraph("No sign of anything in the range, as far as the records show.");
    }
    changes(page, &left.changes, "Changes of access that it made or tried");
    if left.changes_outside_range > 0 {
        let more = count(left.changes_outside_range, "change");
        page.paragraph(&format!("{more} of access by it lie outside of the range."));
    }
    if !left.credentials.is_empty() {
        page.heading(3, "Users and keys that it made, and their use since");
        page.table(
            ["User", "By", "When", "Key ends in", "Seen in use"],
            left.credentials.iter().take(ROWS).map(|one| {
                let ending = one.ending.as_deref().map_or(String::new(), code);
                let used = one.used.as_ref().map_or_else(|| "no record of it".to_owned(), use_of);
                [code(&one.user_arn), code(&one.made_by), text(&one.made_at), ending, used]
            }),
        );
        rest(page, left.credentials.len());
    }
    if !left.doors.is_empty() {
        page.heading(3, "Roles that it made or opened, and who was in them since");
        page.table(
            ["Role", "By", "When", "Sessions since, by party"],
            left.doors.iter().take(ROWS).map(|door| {
                let since = &door.sessions_since;
                let since = if since.is_empty() { "none seen".to_owned() } else { summed(since) };
                [code(&door.role_arn), code(&door.opened_by), text(&door.opened_at), since]
            }),
        );
        rest(page, left.doors.len());
    }
    if !left.signs.is_empty() {
        page.heading(3, "Calls by which one can stay, hide or run code");
        page.table(
            ["API", "Danger", "Account", "Region", "Calls", "First", "Last", "Resources", "Events"],
            left.signs.iter().take(ROWS).map(|sign| {
                [
                    code(&api(&sign.event_source, &sign.event_name)),
                    text(&sign.danger),
                    code(&sign.account_id),
                    code(&sign.region),
                    sign.calls.to_string(),
                    sign.first_seen.clone(),
                    sign.last_seen.clone(),
                    some(&sign.resources),
                    some(&sign.sample_event_ids),
                ]
            }),
        );
        rest(page, left.signs.len());
    }
}

fn use_of(key: &KeyRead) -> String {
    let last = key.last_seen.as_deref().unwrap_or("unknown");
    let ending = if key.ending.is_empty() { String::new() } else { format!(" (key {})", code(&key.ending)) };
    format!("yes, last {}{ending} from {}", text(last), some(&key.networks))
}

fn given(page: &mut Page, answer: &Investigation) {
    if !answer.given.is_empty() {
        page.heading(2, "Access that others gave it in the range");
        changes(page, &answer.given, "Changes");
    }
}

fn changes(page: &mut Page, changes: &[ChangeRead], heading: &str) {
    if changes.is_empty() {
        return;
    }
    page.heading(3, heading);
    page.table(
        ["When", "API", "Outcome", "Of", "Gives", "Lets in", "By", "From", "Event"],
        changes.iter().take(ROWS).map(|change| {
            let lets_in: Vec<String> = change.lets_in.iter().map(|one| one.principal.clone()).collect();
            [
                text(&change.time),
                code(&api(&change.event_source, &change.event_name)),
                text(&change.outcome),
                code(&change.subject),
                change.gives.as_deref().map_or(String::new(), code),
                if lets_in.is_empty() { String::new() } else { some(&lets_in) },
                code(&change.by.principal),
                code(&change.by.network),
                code(&change.event_id),
            ]
        }),
    );
    rest(page, changes.len());
}

fn could(page: &mut Page, answer: &Investigation) {
    page.heading(2, "What it could have done");
    page.paragraph("What the policies of its roles granted in the run, whether it was used or not.");
    for role in answer.roles.iter().take(ROWS) {
        could_in(page, role);
    }
    rest(page, answer.roles.len());
    if !answer.findings.is_empty() {
        page.heading(3, "Findings about it and its roles");
        page.table(
            ["Severity", "Code", "About", "What"],
            answer
                .findings
                .iter()
                .take(ROWS)
                .map(|one| [text(&one.severity), code(&one.code), code(&one.subject), text(&one.title)]),
        );
        rest(page, answer.findings.len());
    }
}

fn could_in(page: &mut Page, role: &RoleTold) {
    page.heading(3, &code(&role.arn));
    let Some(could) = &role.could else {
        page.paragraph("Not in the inventory of the run: what it grants is not known.");
        return;
    };
    let more = match could.only_counted {
        0 => String::new(),
        more => format!(" {more} more are only counted in the report."),
    };
    page.paragraph(&format!("{} granted: {}.{more}", count(could.granted, "action"), summed(&could.by_verdict)));
    page.table(
        ["Danger", "Actions", "Of them unused", "Which"],
        could.dangerous.iter().map(|(danger, actions)| {
            let unused = actions.iter().filter(|one| one.verdict == "unused").count();
            let names: Vec<String> = actions.iter().map(|one| one.action.clone()).collect();
            [text(danger), actions.len().to_string(), unused.to_string(), some(&names)]
        }),
    );
}

fn keys(page: &mut Page, answer: &Investigation) {
    if answer.keys.is_empty() {
        return;
    }
    page.heading(2, "Keys that it holds");
    for user in &answer.keys {
        let known_by = user.known_by.as_deref().map_or(String::new(), |by| format!(" (known by its {})", text(by)));
        page.paragraph(&format!("{}{known_by}", code(&user.arn)));
        page.table(
            ["Key ends in", "Active", "Made", "Last used", "Networks"],
            user.keys.iter().map(|key| {
                let active = key.active.map_or("unknown", |active| if active { "yes" } else { "no" });
                let time = |time: &Option<String>| time.as_deref().map_or_else(|| "unknown".to_owned(), text);
                [code(&key.ending), active.to_owned(), time(&key.created_at), time(&key.last_used), some(&key.networks)]
            }),
        );
    }
}

fn api(source: &str, name: &str) -> String {
    format!("{}:{name}", source.split('.').next().unwrap_or_default())
}

fn role_name(arn: &str) -> String {
    if arn.is_empty() { "none".to_owned() } else { code(arn.rsplit('/').next().unwrap_or(arn)) }
}

fn rest(page: &mut Page, all: usize) {
    if let Some(more) = left_out(all, ROWS, ALL) {
        page.paragraph(&more);
    }
}

fn some<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<&String> = texts.into_iter().collect();
    let shown = texts.iter().take(NAMES).map(|one| code(one)).collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn summed(sums: &BTreeMap<String, u64>) -> String {
    let mut order: Vec<(&String, &u64)> = sums.iter().collect();
    order.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown = order.iter().take(NAMES * 2).map(|(what, number)| format!("{} ({number})", code(what)));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match order.len().saturating_sub(NAMES * 2) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
