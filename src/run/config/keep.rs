//! The keep file: TOML, read into keep rules, or a user's mistake with the line and what to do (S39).
//!
//! Strict, because a rule that was mistyped would keep nothing and nobody would know: keys that are not known, empty texts
//! and patterns that cannot be ones are refused.

use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Value};

use crate::finding::keep::KeepRule;

use super::super::UserError;
use super::super::inputs::InputFile;
use super::text::{Kind, Text, Wrong, action_pattern, date, filled, line, parse};

const KIND: Kind = Kind {
    name: "keep file",
    help: "give `[[keep]]` tables with `actions`, `owner` and `reason`, and perhaps `role`, `vendor` and `expires`",
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepFile {
    #[serde(default)]
    keep: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    actions: Spanned<Vec<Spanned<String>>>,
    role: Option<Spanned<String>>,
    vendor: Option<Spanned<String>>,
    owner: Spanned<String>,
    reason: Spanned<String>,
    /// A date of TOML's own, or one in quotes.
    expires: Option<Spanned<Value>>,
}

/// Reads a keep file.
///
/// # Errors
/// It cannot be read, or the first thing in it that is no keep rule, with its line.
pub fn keep_rules(path: &Path) -> Result<(Vec<KeepRule>, InputFile), UserError> {
    let text = Text::read(path, KIND)?;
    let rules = rules_of(&text.text, &text.name).map_err(|wrong| text.refuse(&wrong))?;
    Ok((rules, text.file))
}

fn rules_of(text: &str, name: &str) -> Result<Vec<KeepRule>, Wrong> {
    rules(text, name, parse::<KeepFile>(text)?.keep)
}

/// The rules that these tables of a file are.
pub(super) fn rules(text: &str, name: &str, entries: Vec<Spanned<Entry>>) -> Result<Vec<KeepRule>, Wrong> {
    entries.into_iter().map(|entry| rule(text, name, entry)).collect()
}

fn rule(text: &str, name: &str, entry: Spanned<Entry>) -> Result<KeepRule, Wrong> {
    let line = line(text, entry.span().start);
    let entry = entry.into_inner();
    if entry.actions.get_ref().is_empty() {
        return Err(Wrong::new("`actions` is empty", entry.actions.span()));
    }
    Ok(KeepRule {
        file: name.to_owned(),
        line,
        actions: entry.actions.into_inner().into_iter().map(action_pattern).collect::<Result<_, _>>()?,
        role: entry.role.map(|role| filled("role", role)).transpose()?,
        vendor: entry.vendor.map(|vendor| filled("vendor", vendor)).transpose()?,
        owner: filled("owner", entry.owner)?,
        reason: filled("reason", entry.reason)?,
        expires: entry.expires.map(date).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::text::told;
    use super::*;

    const GOOD: &str = "[[keep]]\nactions = [\"ec2:Start*\", \"*\"]\nowner = \"ops\"\nreason = \"drill\"\n";

    #[track_caller]
    fn refuses(text: &str, says: &str) {
        let said = told(text, &rules_of(text, "keep.toml").err().unwrap());
        assert!(said.starts_with(says), "{text}: {said}");
    }

    /// S39: rules are read with their line; a date may be in quotes or not.
    #[test]
    fn rules_are_read_with_their_lines() {
        let text = format!("# ours\n{GOOD}expires = 2026-12-31\n\n{GOOD}role = \" R* \"\nexpires = \"2027-01-01\"\n");
        let rules = rules_of(&text, "keep.toml").ok().unwrap();
        let shown: Vec<_> = rules.iter().map(|rule| (rule.line, rule.expires.unwrap().to_string())).collect();
        assert_eq!(shown, [(2, "2026-12-31".to_owned()), (8, "2027-01-01".to_owned())]);
        assert_eq!((rules[1].role.as_deref(), rules[0].role.as_deref()), (Some("R*"), None));
        assert_eq!(rules[0].actions, ["ec2:Start*", "*"]);
        assert!(rules_of("", "keep.toml").is_ok_and(|rules| rules.is_empty()));
    }

    #[test]
    fn the_example_is_a_keep_file() {
        let rules = rules_of(include_str!("../../../docs/keep.example.toml"), "keep.toml").ok().unwrap();
        assert!(rules.len() > 1 && rules.iter().all(|rule| rule.expires.is_some()));
    }

    /// S39: what would keep nothing without anybody knowing is refused with its line.
    #[test]
    fn mistakes_are_named_with_their_line() {
        let with = |more: &str| format!("{GOOD}{more}\n");
        refuses(
            &with("until = 2026-12-31"),
            "line 5: unknown field `until`, expected one of `actions`, `role`, `vendor`, `owner`, `reason`, `expires`",
        );
        refuses(&GOOD.replace("keep", "kept"), "line 1: unknown field `kept`, expected `keep`");
        refuses(&GOOD.replace("owner = \"ops\"\n", ""), "line 1: missing field `owner`");
        refuses(&GOOD.replace("\"ops\"", "\" \""), "line 3: `owner` is empty");
        refuses(&GOOD.replace("[\"ec2:Start*\", \"*\"]", "[]"), "line 2: `actions` is empty");
        refuses(
            &GOOD.replace("ec2:Start*", "ec2 Start"),
            "line 2: `actions`: `ec2 Start` is no action pattern like `ec2:Start*`",
        );
        refuses(&with("expires = \"soon\""), "line 5: `expires`: `soon` is no date like 2026-12-31");
        refuses(
            &with("expires = 2026-12-31T10:00:00Z"),
            "line 5: `expires`: `2026-12-31T10:00:00Z` is no date like 2026-12-31",
        );
        refuses(&with("expires = 2026-02-30"), "line 5: invalid date");
        refuses("[[keep]\n", "line 1: ");
    }
}
