//! What stays in one role although nobody used it, because a keep rule says so (S39).

use crate::finding::assessment::{ActionEntry, RoleReport};

use super::super::certificate::ledger;
use super::super::escape::{code, text};
use super::page::{Page, left_out};
use super::role::ACTIONS_SHOWN;

/// Writes the table, if there is anything to say.
pub(super) fn render(page: &mut Page, role: &RoleReport) {
    let mut kept: Vec<(&ActionEntry, &str)> =
        ledger(role).filter_map(|entry| Some((entry, entry.kept_by.as_deref()?))).collect();
    kept.sort_by(|(a, _), (b, _)| a.action.cmp(&b.action));
    if kept.is_empty() {
        return;
    }
    page.paragraph("Kept by rule, although unused:");
    page.table(
        ["Action", "Danger", "Rule"],
        kept.iter().take(ACTIONS_SHOWN).map(|(entry, rule)| {
            [code(entry.action.as_str()), entry.danger.as_deref().map(text).unwrap_or_default(), text(rule)]
        }),
    );
    if let Some(sentence) = left_out(kept.len(), ACTIONS_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}
