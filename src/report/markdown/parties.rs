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
                party.denied.to_string(),
                party.failed.to_string(),
                moment(party.first_seen),
                moment(party.last_seen),
                party.blast_radius.map(|radius| blast_radius(radius.before, radius.after)).unwrap_or_default(),
            ]
        }),
    );
    if let Some(sentence) = left_out(parties.len(), SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
    if parties.iter().any(|party| party.blast_radius.is_some()) {
        page.paragraph(
            "The blast radius says how much a party could do to us with all of its roles: from 0 to 100, now and with the \
             right-sized policies applied. docs/RISK.md explains the formula.",
        );
    }
}
