//! `report.md`: the whole answer on one page that a person can act on.
//!
//! What the answer rests on comes first, then what matters most, then the parties, then each role. The page holds no
//! judgement of its own, and every text that a stranger could have written is escaped (S43).

mod access;
pub(super) mod apply;
mod containment;
mod coverage;
mod findings;
pub(super) mod guardrail;
mod integrity;
pub mod investigation;
mod kept;
pub(super) mod page;
mod parties;
pub mod pull_request;
mod role;
mod sizing;
pub(super) mod trust_narrowing;
mod users;

use crate::aws::window::{Time, rfc3339};
use crate::finding::assessment::Assessment;
use crate::policy::risk::Radius;

use self::page::{Page, count};
use super::escape::code;

/// Roles shown in detail; the files and `report.json` hold all of them.
pub const ROLES_SHOWN: usize = 200;

/// Renders the page; `folders` are the folders of the roles, in their order, and empty where no documents are written.
#[must_use]
pub fn render(assessment: &Assessment, folders: &[String]) -> String {
    let mut page = Page::default();
    page.heading(1, "Third parties in our AWS accounts");
    page.paragraph(&format!(
        "Window: {} to {}. Idleness is counted as of {}, from {} days on. Nothing was changed in AWS: this is a \
         proposal, to be applied by a person.",
        rfc3339(assessment.window.since),
        rfc3339(assessment.window.until),
        rfc3339(assessment.as_of),
        assessment.idle_days
    ));
    coverage::render(&mut page, &assessment.coverage);
    findings::render(&mut page, &assessment.findings, !folders.is_empty());
    parties::render(&mut page, &assessment.parties);
    users::render(&mut page, &assessment.users);
    access::render(&mut page, &assessment.access_changes);
    roles(&mut page, assessment, folders);
    page.finish()
}

fn roles(page: &mut Page, assessment: &Assessment, folders: &[String]) {
    page.heading(2, "Roles");
    if assessment.roles.is_empty() {
        page.paragraph("No role that an outside party can or did assume was found.");
        return;
    }
    page.table(
        ["Role", "Account", "Idle", "Sessions", "Proposal", "Granted", "Kept", "Removed", "Blast radius"],
        assessment.roles.iter().take(ROLES_SHOWN).map(|role| {
            let sizing = &role.rightsizing;
            [
                code(&role.name),
                role.account_id.to_string(),
                code(&role.idle.verdict),
                role.sessions.total.to_string(),
                code(&sizing.status),
                sizing.granted.to_string(),
                sizing.kept.to_string(),
                sizing.removed.to_string(),
                role.blast_radius.map(|radius| blast_radius(radius.before, radius.after)).unwrap_or_default(),
            ]
        }),
    );
    if assessment.roles.len() > ROLES_SHOWN {
        page.paragraph(&format!(
            "{} are shown; {} more are in `report.json`{}.",
            count(ROLES_SHOWN as u64, "role"),
            assessment.roles.len() - ROLES_SHOWN,
            if folders.is_empty() { "" } else { " and under `roles/`" }
        ));
    }
    for (at, role) in assessment.roles.iter().enumerate().take(ROLES_SHOWN) {
        role::render(page, assessment, role, folders.get(at).map(String::as_str));
    }
}

/// The day of a time.
fn day(time: Time) -> String {
    time.format("%Y-%m-%d").to_string()
}

/// Now, and with the proposals applied where that changes it.
fn blast_radius(before: Radius, after: Radius) -> String {
    if before == after { before.to_string() } else { format!("{before}, then {after}") }
}

/// A time, or what to say where there is none.
fn moment(time: Option<Time>) -> String {
    time.map_or_else(|| "never".to_owned(), rfc3339)
}
