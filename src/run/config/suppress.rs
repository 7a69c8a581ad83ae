//! The `[[suppress]]` tables of the configuration: findings that somebody answers for (S39).

use serde::Deserialize;
use toml::{Spanned, Value};

use crate::finding::suppress::{EXPIRED, Suppression, codes};

use super::text::{Text, Wrong, date, filled};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    code: Spanned<String>,
    subject: Option<Spanned<String>>,
    party: Option<Spanned<String>>,
    owner: Spanned<String>,
    reason: Spanned<String>,
    /// A date of TOML's own, or one in quotes.
    expires: Option<Spanned<Value>>,
}

/// The suppressions that these tables of a file are.
pub(super) fn suppressions(text: &Text, entries: Vec<Spanned<Entry>>) -> Result<Vec<Suppression>, Wrong> {
    entries.into_iter().map(|entry| suppression(text, entry)).collect()
}

fn suppression(text: &Text, entry: Spanned<Entry>) -> Result<Suppression, Wrong> {
    let span = entry.span();
    let entry = entry.into_inner();
    if entry.subject.is_none() && entry.party.is_none() {
        let what = "a suppression needs `subject` or `party`; `subject = \"*\"` is for every subject";
        return Err(Wrong::new(what, span));
    }
    Ok(Suppression {
        origin: text.origin(span.start),
        code: code(entry.code)?,
        subject: entry.subject.map(|subject| filled("subject", subject)).transpose()?,
        party: entry.party.map(|party| filled("party", party)).transpose()?,
        owner: filled("owner", entry.owner)?,
        reason: filled("reason", entry.reason)?,
        expires: entry.expires.map(date).transpose()?,
    })
}

/// A code that a finding can have: a mistyped one would hide nothing.
fn code(code: Spanned<String>) -> Result<String, Wrong> {
    let text = code.get_ref().as_str();
    if text == EXPIRED {
        let what = format!("`{EXPIRED}` cannot be suppressed: give the suppression a new date, or delete it");
        return Err(Wrong::new(what, code.span()));
    }
    if codes().any(|known| known == text) {
        return Ok(code.into_inner());
    }
    let group = text.split('-').next().unwrap_or_default();
    let near: Vec<&str> = codes().filter(|known| known.split('-').next() == Some(group)).collect();
    let near = if near.is_empty() { String::new() } else { format!(" (there are {})", near.join(", ")) };
    Err(Wrong::new(format!("`{text}` is no code of docs/FINDINGS.md{near}"), code.span()))
}
