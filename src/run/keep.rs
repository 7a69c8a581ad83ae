//! The keep file: TOML, read into keep rules, or a user's mistake with the line and what to do (S39).
//!
//! Strict, because a rule that was mistyped would keep nothing and nobody would know: keys that are not known, empty texts
//! and patterns that cannot be ones are refused.

use std::ops::Range;
use std::path::Path;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::finding::keep::KeepRule;

use super::UserError;
use super::inputs::{InputFile, read_text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepFile {
    #[serde(default)]
    keep: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    actions: Spanned<Vec<Spanned<String>>>,
    role: Option<Spanned<String>>,
    vendor: Option<Spanned<String>>,
    owner: Spanned<String>,
    reason: Spanned<String>,
    /// A date of TOML's own, or one in quotes.
    expires: Option<Spanned<Value>>,
}

/// What is wrong, and where in the text.
struct Wrong {
    what: String,
    at: Option<Range<usize>>,
}

/// Reads a keep file.
///
/// # Errors
/// It cannot be read, or the first thing in it that is no keep rule, with its line.
pub fn keep_rules(path: &Path) -> Result<(Vec<KeepRule>, InputFile), UserError> {
    let shown = path.display().to_string();
    let refuse = |reason: String| {
        UserError::new(
            format!("cannot read keep file `{shown}`: {reason}"),
            "give `[[keep]]` tables with `actions`, `owner` and `reason`, and perhaps `role`, `vendor` and `expires`",
        )
    };
    let (text, file) = read_text(path).map_err(refuse)?;
    let rules = parse(&text).map_err(|wrong| {
        let what = wrong.what.lines().collect::<Vec<_>>().join(" ");
        refuse(match wrong.at {
            Some(at) => format!("line {}: {what}", line(&text, at.start)),
            None => what,
        })
    })?;
    Ok((rules, file))
}

/// The line of a byte, from 1.
fn line(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}

fn parse(text: &str) -> Result<Vec<KeepRule>, Wrong> {
    let file: KeepFile =
        toml::from_str(text).map_err(|error| Wrong { what: error.message().to_owned(), at: error.span() })?;
    file.keep.into_iter().map(|entry| rule(text, entry)).collect()
}

fn rule(text: &str, entry: Spanned<Entry>) -> Result<KeepRule, Wrong> {
    let line = line(text, entry.span().start);
    let entry = entry.into_inner();
    if entry.actions.get_ref().is_empty() {
        return Err(Wrong { what: "`actions` is empty".to_owned(), at: Some(entry.actions.span()) });
    }
    Ok(KeepRule {
        line,
        actions: entry.actions.into_inner().into_iter().map(action_pattern).collect::<Result<_, _>>()?,
        role: entry.role.map(|role| filled("role", role)).transpose()?,
        vendor: entry.vendor.map(|vendor| filled("vendor", vendor)).transpose()?,
        owner: filled("owner", entry.owner)?,
        reason: filled("reason", entry.reason)?,
        expires: entry.expires.map(date).transpose()?,
    })
}

fn filled(key: &str, text: Spanned<String>) -> Result<String, Wrong> {
    let at = text.span();
    match text.into_inner().trim() {
        "" => Err(Wrong { what: format!("`{key}` is empty"), at: Some(at) }),
        text => Ok(text.to_owned()),
    }
}

/// `*`, or `service:Name` with `*` and `?` anywhere.
fn action_pattern(pattern: Spanned<String>) -> Result<String, Wrong> {
    let part =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.*?".contains(&b));
    let text = pattern.get_ref();
    let good = text == "*" || text.split_once(':').is_some_and(|(service, name)| part(service) && part(name));
    if good {
        return Ok(pattern.into_inner());
    }
    Err(Wrong { what: format!("`{text}` is no action pattern like `ec2:Start*`"), at: Some(pattern.span()) })
}

fn date(value: Spanned<Value>) -> Result<NaiveDate, Wrong> {
    let text = match value.get_ref() {
        Value::String(text) => text.clone(),
        Value::Datetime(date) => date.to_string(),
        other => other.type_str().to_owned(),
    };
    // A time of day would be a promise that the report does not keep: rules expire by the day.
    let day = (text.len() == 10).then(|| text.parse().ok()).flatten();
    day.ok_or_else(|| Wrong { what: format!("`{text}` is no date like 2026-12-31"), at: Some(value.span()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[keep]]\nactions = [\"ec2:Start*\", \"*\"]\nowner = \"ops\"\nreason = \"drill\"\n";

    #[track_caller]
    fn refuses(text: &str, says: &str) {
        let wrong = parse(text).err().unwrap();
        let line = wrong.at.map(|at| line(text, at.start));
        let said = format!("{line:?} {}", wrong.what);
        assert!(said.starts_with(says), "{text}: {said}");
    }

    /// S39: rules are read with their line; a date may be in quotes or not.
    #[test]
    fn rules_are_read_with_their_lines() {
        let text = format!("# ours\n{GOOD}expires = 2026-12-31\n\n{GOOD}role = \" R* \"\nexpires = \"2027-01-01\"\n");
        let rules = parse(&text).ok().unwrap();
        let shown: Vec<_> = rules.iter().map(|rule| (rule.line, rule.expires.unwrap().to_string())).collect();
        assert_eq!(shown, [(2, "2026-12-31".to_owned()), (8, "2027-01-01".to_owned())]);
        assert_eq!((rules[1].role.as_deref(), rules[0].role.as_deref()), (Some("R*"), None));
        assert_eq!(rules[0].actions, ["ec2:Start*", "*"]);
        assert!(parse("").is_ok_and(|rules| rules.is_empty()));
    }

    #[test]
    fn the_example_is_a_keep_file() {
        let rules = parse(include_str!("../../docs/keep.example.toml")).ok().unwrap();
        assert!(rules.len() > 1 && rules.iter().all(|rule| rule.expires.is_some()));
    }

    /// S39: what would keep nothing without anybody knowing is refused with its line.
    #[test]
    fn mistakes_are_named_with_their_line() {
        let with = |more: &str| format!("{GOOD}{more}\n");
        refuses(
            &with("until = 2026-12-31"),
            "Some(5) unknown field `until`, expected one of `actions`, `role`, `vendor`, `owner`, `reason`, `expires`",
        );
        refuses(&GOOD.replace("keep", "kept"), "Some(1) unknown field `kept`, expected `keep`");
        refuses(&GOOD.replace("owner = \"ops\"\n", ""), "Some(1) missing field `owner`");
        refuses(&GOOD.replace("\"ops\"", "\" \""), "Some(3) `owner` is empty");
        refuses(&GOOD.replace("[\"ec2:Start*\", \"*\"]", "[]"), "Some(2) `actions` is empty");
        refuses(&GOOD.replace("ec2:Start*", "ec2 Start"), "Some(2) `ec2 Start` is no action pattern like `ec2:Start*`");
        refuses(&with("expires = \"soon\""), "Some(5) `soon` is no date like 2026-12-31");
        refuses(&with("expires = 2026-12-31T10:00:00Z"), "Some(5) `2026-12-31T10:00:00Z` is no date like 2026-12-31");
        refuses(&with("expires = 2026-02-30"), "Some(5) invalid date");
        refuses("[[keep]\n", "Some(1) ");
    }
}
