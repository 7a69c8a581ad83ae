//! Whose keys there are: users that are a third party's first, then the others, with what is known of each key.

use crate::finding::assessment::{KeyReport, UserReport};

use super::super::escape::{code, text};
use super::page::{Page, left_out};
use super::{day, moment};

/// Keys listed.
const SHOWN: usize = 100;

/// Writes the section; nothing where no key is known.
pub(super) fn render(page: &mut Page, users: &[UserReport]) {
    let mut keys: Vec<(&UserReport, &KeyReport)> =
        users.iter().flat_map(|user| user.keys.iter().map(move |key| (user, key))).collect();
    if keys.is_empty() {
        return;
    }
    keys.sort_by_key(|(user, key)| {
        (user.party.is_none(), key.active == Some(false), key.created_at.or(key.first_seen), &user.arn, &key.ending)
    });
    page.heading(2, "Access keys");
    page.paragraph(
        "Users whose keys a third party holds come first. A key that IAM was not asked about shows only its records.",
    );
    page.table(
        ["User", "Account", "Third party", "Key", "Can be used", "Made", "Days old", "Last used", "Networks"],
        keys.iter().take(SHOWN).map(|(user, key)| {
            let known = user.known_by.as_deref().map(|by| format!(" (by {by})")).unwrap_or_default();
            [
                code(&user.name),
                user.account_id.to_string(),
                user.party.as_deref().map(|party| format!("{}{known}", text(party))).unwrap_or_default(),
                if key.ending.is_empty() { "not told".to_owned() } else { code(&format!("****{}", key.ending)) },
                key.active.map_or("not asked", |active| if active { "yes" } else { "no" }).to_owned(),
                key.created_at.map_or_else(|| "not told".to_owned(), day),
                key.age_days.map(|days| days.to_string()).unwrap_or_default(),
                moment(key.last_used),
                networks(key),
            ]
        }),
    );
    if let Some(sentence) = left_out(keys.len(), SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn networks(key: &KeyReport) -> String {
    let few: Vec<String> = key.networks.iter().take(3).map(|network| code(network)).collect();
    let more = key.networks_counted.saturating_sub(few.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", few.join(", "))
}
