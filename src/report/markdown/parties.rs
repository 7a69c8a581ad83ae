//! Who came in, over all channels.

use crate::finding::assessment::PartyReport;

use super::super::escape::{code, text};
use super::page::{Page, left_out};
use super::{blast_radius, moment};

/// Parties listed.
const SHOWN: usize = 200;

/// Writes the section.
pub(super) fn render(page: &mut Page, parties: &[PartyReport]) {
    page.heading(2, "Parties");
    if parties.is_empty() {
        page.paragraph("No party was seen or is trusted.");
        return;
    }
    page.table(
        [
            "Party",
            "Kind",
            "Id",
            "Channels",
            "Roles",
            "Sessions",
            "Calls",
            "Denied",
            "Failed",
            "Throttled",
            "Charged",
            "First seen",
            "Last seen",
            "Blast radius",
        ],
        parties.iter().take(SHOWN).map(|party| {
            [
                text(&party.name),
                text(&party.kind.replace('_', " ")),
                code(&party.id),
                text(&party.channels.join(", ").replace('_', " ")),
                party.roles.len().to_string(),
                party.sessions.to_string(),
                party.calls.to_string(),
                share(party.denied, party.calls),
                party.failed.to_string(),
                share(party.throttled, party.calls),
                share(party.charged_calls, party.calls),
                moment(party.first_seen),
                moment(party.last_seen),
                party.blast_radius.map(|radius| blast_radius(radius.before, radius.after)).unwrap_or_default(),
            ]
        }),
    );
    page.paragraph(
        "Failed calls passed authorization; throttled ones are among them. Charged calls are those that AWS bills by the \
         call or by what it asks for; `report.json` has them by API, and each party's networks and agents.",
    );
    if let Some(sentence) = left_out(parties.len(), SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
    if parties.iter().any(|party| party.blast_radius.is_some()) {
        page.paragraph(
            "The blast radius says how much a party could do to us with all of its roles: from 0 to 100, now and with the \
             right-sized policies applied. docs/RISK.md of thirdtrail explains the formula.",
        );
    }
}

/// A number, and what part of all calls that is.
fn share(part: u64, calls: u64) -> String {
    match (part, calls) {
        (0, _) | (_, 0) => part.to_string(),
        // Refused hand-offs are counted, and are no calls.
        (part, calls) if part > calls => part.to_string(),
        (part, calls) => format!("{part} ({:.0} %)", part as f64 * 100.0 / calls as f64),
    }
}
