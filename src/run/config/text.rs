//! A TOML file as a person wrote it: its text, and what is wrong with it by line and field.

use std::ops::Range;
use std::path::Path;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Value};

use crate::finding::suppress::Origin;

use super::super::UserError;
use super::super::inputs::{InputFile, read_text};

/// What is wrong, and where in the text.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) at: Option<Range<usize>>,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, at: Range<usize>) -> Self {
        Self { what: what.into(), at: Some(at) }
    }
}

/// What a file is, for its messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// `keep file`.
    pub(super) name: &'static str,
    /// What to do about a mistake in it.
    pub(super) help: &'static str,
}

/// A file that was read.
pub(super) struct Text {
    pub(super) text: String,
    /// Its name without the folder: reports are not to depend on where a file lies.
    pub(super) name: String,
    pub(super) file: InputFile,
    kind: Kind,
}

impl Text {
    /// Reads it.
    pub(super) fn read(path: &Path, kind: Kind) -> Result<Self, UserError> {
        let refuse = |reason: String| {
            UserError::new(format!("cannot read {} `{}`: {reason}", kind.name, path.display()), kind.help)
        };
        let (text, file) = read_text(path).map_err(refuse)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { text, name, file, kind })
    }

    /// The mistake with file, line and field.
    pub(super) fn refuse(&self, wrong: &Wrong) -> UserError {
        let told = told(&self.text, wrong);
        UserError::new(format!("cannot read {} `{}`: {told}", self.kind.name, self.file.path), self.kind.help)
    }

    /// Where a table of this file begins.
    pub(super) fn origin(&self, at: usize) -> Origin {
        Origin { file: self.name.clone(), line: line(&self.text, at) }
    }
}

/// The line of a byte, from 1.
pub(super) fn line(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}

/// `line 3: `owner`: what is wrong`, on one line.
pub(super) fn told(text: &str, wrong: &Wrong) -> String {
    let what = wrong.what.lines().collect::<Vec<_>>().join(" ");
    let Some(at) = &wrong.at else { return what };
    let line = line(text, at.start);
    // What is missing or unknown names its field itself.
    let names_itself = what.starts_with("unknown field") || what.starts_with("missing field");
    match field(text, at).filter(|_| !names_itself) {
        Some(field) if !what.starts_with(&format!("`{field}` ")) => format!("line {line}: `{field}`: {what}"),
        _ => format!("line {line}: {what}"),
    }
}

/// The innermost key whose value holds that part of the text.
fn field(text: &str, at: &Range<usize>) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    let mut found = None;
    innermost(table.get_ref(), at, &mut found);
    found
}

fn innermost(table: &DeTable<'_>, at: &Range<usize>, found: &mut Option<String>) {
    for (key, value) in table {
        let span = value.span();
        let here = span.start <= at.start && at.start < span.end.max(span.start + 1);
        match value.get_ref() {
            // Tables under one head each lie apart, so the span of their list says little.
            DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
                for item in items.iter().filter_map(|item| item.get_ref().as_table()) {
                    innermost(item, at, found);
                }
            }
            DeValue::Table(inner) => innermost(inner, at, found),
            _ if here => *found = Some(key.get_ref().to_string()),
            _ => {}
        }
    }
}

/// The text as that shape.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    toml::from_str(text).map_err(|error| Wrong { what: error.message().to_owned(), at: error.span() })
}

/// A text that says something.
pub(super) fn filled(key: &str, text: Spanned<String>) -> Result<String, Wrong> {
    let at = text.span();
    match text.into_inner().trim() {
        "" => Err(Wrong::new(format!("`{key}` is empty"), at)),
        text => Ok(text.to_owned()),
    }
}

/// Each of a list of texts, which says something.
pub(super) fn all_filled(key: &str, texts: Vec<Spanned<String>>) -> Result<Vec<String>, Wrong> {
    texts.into_iter().map(|text| filled(key, text)).collect()
}

/// `*`, or `service:Name` with `*` and `?` anywhere.
pub(super) fn action_pattern(pattern: Spanned<String>) -> Result<String, Wrong> {
    let part =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.*?".contains(&b));
    let text = pattern.get_ref();
    let good = text == "*" || text.split_once(':').is_some_and(|(service, name)| part(service) && part(name));
    if good {
        return Ok(pattern.into_inner());
    }
    Err(Wrong::new(format!("`{text}` is no action pattern like `ec2:Start*`"), pattern.span()))
}

/// A day: a date of TOML's own, or one in quotes.
pub(super) fn date(value: Spanned<Value>) -> Result<NaiveDate, Wrong> {
    let text = match value.get_ref() {
        Value::String(text) => text.clone(),
        Value::Datetime(date) => date.to_string(),
        other => other.type_str().to_owned(),
    };
    // A time of day would be a promise that the report does not keep: days are what counts.
    let day = (text.len() == 10).then(|| text.parse().ok()).flatten();
    day.ok_or_else(|| Wrong::new(format!("`{text}` is no date like 2026-12-31"), value.span()))
}
