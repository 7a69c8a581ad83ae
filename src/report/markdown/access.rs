//! Access given in the window: what was changed, for whom, by whom.

use crate::finding::assessment::AccessChange;

use super::super::escape::{code, text};
use super::moment;
use super::page::{Page, left_out};

/// Changes listed.
const SHOWN: usize = 100;

/// Writes the section; nothing where there was none.
pub(super) fn render(page: &mut Page, changes: &[AccessChange]) {
    if changes.is_empty() {
        return;
    }
    page.heading(2, "Access given in the window");
    page.paragraph(
        "Recorded changes that name an outsider, give one more, or were made by one, by time. Values of conditions are not \
         kept.",
    );
    page.table(
        ["When", "What", "On", "Lets in, or gives", "By", "Event"],
        changes.iter().take(SHOWN).map(|change| {
            let (service, _) = change.event_source.split_once('.').unwrap_or((&change.event_source, ""));
            let refused = if change.outcome == "allowed" { String::new() } else { format!(" ({})", change.outcome) };
            [
                moment(Some(change.time)),
                format!("{}{refused}", code(&format!("{service}:{}", change.event_name))),
                code(&change.subject),
                given(change),
                by(change),
                code(&change.event_id),
            ]
        }),
    );
    if let Some(sentence) = left_out(changes.len(), SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn given(change: &AccessChange) -> String {
    let lets_in = change.lets_in.iter().map(|one| {
        let party = one.party.as_deref().map(|party| format!(" ({})", text(party))).unwrap_or_default();
        let conditions = match one.conditions.as_slice() {
            [] => String::new(),
            keys => format!(" if {}", keys.iter().map(|key| code(key)).collect::<Vec<_>>().join(", ")),
        };
        format!("{}{party}{conditions}", code(&one.principal))
    });
    lets_in.chain(change.gives.as_deref().map(code)).collect::<Vec<_>>().join("; ")
}

fn by(change: &AccessChange) -> String {
    let party = if change.by.outside { format!(" ({})", text(&change.by.party)) } else { String::new() };
    format!("{}{party}", code(&change.by.principal))
}
