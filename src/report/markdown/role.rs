//! One role: who may come in and who did, when last, what it used, and what was refused.

use crate::aws::window::rfc3339;
use crate::finding::assessment::{ActionEntry, Assessment, ExternalIdReport, RoleReport};

use super::super::certificate::ledger;
use super::super::escape::{code, text};
use super::page::{Page, count, left_out};
use super::{apply, guardrail, moment, sizing, trust_narrowing};

/// Lines of the ledger shown in one table.
pub(super) const ACTIONS_SHOWN: usize = 40;
/// Principals and parties shown.
const PARTIES_SHOWN: usize = 30;

/// Writes the role's section; `folder` is where its files lie, if they are written.
pub(super) fn render(page: &mut Page, assessment: &Assessment, role: &RoleReport, folder: Option<&str>) {
    page.heading(3, &format!("{} in {}", code(&role.name), role.account_id));
    let created = role.created_at.map_or("an unknown time".to_owned(), rfc3339);
    let id = if role.role_id.is_empty() { "unknown".to_owned() } else { code(&role.role_id) };
    let mut line = format!("{}, id {id}, created at {created}.", code(&role.arn));
    if !role.in_inventory {
        line.push_str(" It is not in the inventory: deleted, or not collected; its policies are not known.");
    }
    page.paragraph(&line);
    idle(page, role);
    trust(page, role);
    external_ids(page, role);
    trust_narrowing::render(page, role);
    sessions(page, assessment, role);
    used(page, role);
    sizing::render(page, assessment, role, folder);
    apply::render(page, role);
    guardrail::render(page, role);
    denied(page, role);
}

fn idle(page: &mut Page, role: &RoleReport) {
    let last = match &role.last_activity {
        Some(last) => format!("Last active at {} ({}).", rfc3339(last.at), text(&last.source)),
        None => "Never seen active.".to_owned(),
    };
    let days = role.idle.days.map_or(String::new(), |days| format!(", {days} days"));
    let verdict = text(&role.idle.verdict.replace('_', " "));
    page.paragraph(&format!("**Idle? {verdict}{days}** ({}). {last}", text(&role.idle.reason)));
}

fn trust(page: &mut Page, role: &RoleReport) {
    page.heading(4, "Who can come in");
    if role.trust.is_empty() {
        page.paragraph("The trust policy is not known, or names nobody.");
        return;
    }
    page.table(
        ["Principal", "Kind", "Party", "Outside", "External id"],
        role.trust.iter().take(PARTIES_SHOWN).map(|entry| {
            [
                code(&entry.principal),
                text(&entry.kind.replace('_', " ")),
                entry.party.as_deref().map(text).unwrap_or_default(),
                if entry.outside { "yes" } else { "no" }.to_owned(),
                entry.external_id.as_ref().map(external_id).unwrap_or_default(),
            ]
        }),
    );
    if let Some(sentence) = left_out(role.trust.len(), PARTIES_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

/// What hand-offs carried, and whether an id could be demanded.
fn external_ids(page: &mut Page, role: &RoleReport) {
    if role.external_ids.is_empty() {
        return;
    }
    page.heading(4, "External ids, as they were sent");
    page.table(
        ["Party", "Hand-offs", "Without an id", "Different ids", "Demand it?", "Why"],
        role.external_ids.iter().take(PARTIES_SHOWN).map(|used| {
            [
                text(&used.party_name),
                used.hand_offs.to_string(),
                used.without.to_string(),
                used.different.to_string(),
                text(&used.verdict.replace('_', " ")),
                text(&used.reason),
            ]
        }),
    );
    if let Some(sentence) = left_out(role.external_ids.len(), PARTIES_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn external_id(id: &ExternalIdReport) -> String {
    if !id.required {
        return format!("**not demanded** ({})", text(&id.matching.replace('_', " ")));
    }
    if id.any_accepted {
        return format!("**any will do** ({})", text(&id.matching.replace('_', " ")));
    }
    format!("{}, {}, {}", text(&id.matching), text(&id.strength), count(u64::from(id.values), "value"))
}

fn sessions(page: &mut Page, assessment: &Assessment, role: &RoleReport) {
    page.heading(4, "Who came in");
    let sessions = &role.sessions;
    if sessions.total == 0 {
        page.paragraph("Nobody in the window.");
        return;
    }
    let how = &sessions.attribution;
    page.paragraph(&format!(
        "{}: {} attributed exactly, {} inferred, {} unresolved; {} opened from outside without an external id, {} \
         without a call.",
        count(sessions.total, "session"),
        how.exact,
        how.inferred,
        how.unresolved,
        sessions.without_external_id,
        sessions.without_calls
    ));
    let name = |id: &str| assessment.parties.iter().find(|party| party.id == id).map(|party| text(&party.name));
    page.table(
        ["Party", "Id", "Sessions"],
        sessions
            .by_party
            .iter()
            .take(PARTIES_SHOWN)
            .map(|(id, number)| [name(id).unwrap_or_default(), code(id), number.to_string()]),
    );
    if let Some(sentence) = left_out(sessions.by_party.len(), PARTIES_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn used(page: &mut Page, role: &RoleReport) {
    page.heading(4, "What it used");
    let number = |verdict: &str| ledger(role).filter(|entry| entry.verdict == verdict).count();
    page.paragraph(&format!(
        "Granted actions: {} used, {} unused, {} not observable, {} needed by others (dependent). Used without a \
         grant in the inventory: {}.",
        number("used"),
        number("unused"),
        number("not_observable"),
        number("dependent"),
        number("used_not_granted")
    ));
    let mut used: Vec<&ActionEntry> = ledger(role).filter(|entry| entry.calls > 0).collect();
    used.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.action.cmp(&b.action)));
    page.table(
        ["Action", "Verdict", "Calls", "Failed", "Denied", "First seen", "Last seen"],
        used.iter().take(ACTIONS_SHOWN).map(|entry| {
            [
                code(entry.action.as_str()),
                text(&entry.verdict.replace('_', " ")),
                entry.calls.to_string(),
                entry.failed.to_string(),
                entry.denied.to_string(),
                moment(entry.first_seen),
                moment(entry.last_seen),
            ]
        }),
    );
    if let Some(sentence) = left_out(used.len(), ACTIONS_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn denied(page: &mut Page, role: &RoleReport) {
    let mut denied: Vec<&ActionEntry> = ledger(role).filter(|entry| entry.denied > 0).collect();
    if denied.is_empty() {
        return;
    }
    denied.sort_by(|a, b| b.denied.cmp(&a.denied).then_with(|| a.action.cmp(&b.action)));
    page.heading(4, "What was refused");
    page.table(
        ["Action", "Denied", "Verdict", "Why"],
        denied.iter().take(ACTIONS_SHOWN).map(|entry| {
            let verdict = text(&entry.verdict.replace('_', " "));
            [code(entry.action.as_str()), entry.denied.to_string(), verdict, text(&entry.reason)]
        }),
    );
    if let Some(sentence) = left_out(denied.len(), ACTIONS_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}
