//! The configuration file, `thirdtrail.toml`: options of the command line under their own names, and rules.
//!
//! What an option may be is not said here: the command line's own parsers judge the values, so that a new option can be
//! given in the file at once and means the same there.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::activity::vendors::Vendor;
use crate::finding::keep::KeepRule;
use crate::finding::suppress::Suppression;

use super::super::UserError;
use super::super::inputs::InputFile;
use super::text::{Kind, Text, Wrong, line, parse};
use super::{keep, suppress, vendors};

/// The name under which it is found where the program runs.
pub const DEFAULT: &str = "thirdtrail.toml";
/// The tables of rules; every other key is an option.
pub const RULES: [&str; 3] = ["keep", "suppress", "vendor"];

const KIND: Kind = Kind { name: "config", help: "docs/CONFIG.md says what it may hold; `--no-config` runs without it" };

/// A configuration that was read.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it lies, as given.
    pub path: PathBuf,
    /// The file, hashed.
    pub file: InputFile,
    /// Options, in the order of their names.
    pub settings: Vec<Setting>,
    /// Keep rules (S39).
    pub keep: Vec<KeepRule>,
    /// Suppressions.
    pub suppressions: Vec<Suppression>,
    /// Vendors.
    pub vendors: Vec<Vendor>,
}

/// One option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// As written, with `_`.
    pub name: String,
    /// Where it stands, from 1.
    pub line: usize,
    /// What it is set to.
    pub value: Given,
}

/// What an option is set to, as TOML tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// `true` or `false`.
    Flag(bool),
    /// A number, as written.
    Number(String),
    /// A date or time, as written.
    Moment(String),
    /// A text.
    Text(String),
    /// Several of them.
    List(Vec<Given>),
    /// A table, which no option is.
    Table,
}

#[derive(Deserialize)]
struct Rules {
    #[serde(default)]
    keep: Vec<Spanned<keep::Entry>>,
    #[serde(default)]
    suppress: Vec<Spanned<suppress::Entry>>,
    #[serde(default)]
    vendor: Vec<Spanned<vendors::Entry>>,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read, or the first thing in it that is wrong, with its line and field.
    pub fn read(path: &Path) -> Result<Self, UserError> {
        let text = Text::read(path, KIND)?;
        let read = read(&text).map_err(|wrong| text.refuse(&wrong))?;
        Ok(Self { path: path.to_owned(), file: text.file, ..read })
    }

    /// A mistake in an option.
    #[must_use]
    pub fn wrong(&self, setting: &Setting, what: &str) -> UserError {
        let (path, line, name) = (self.path.display(), setting.line, &setting.name);
        let what = what.lines().collect::<Vec<_>>().join(" ");
        UserError::new(format!("cannot read config `{path}`: line {line}: `{name}`: {what}"), KIND.help)
    }
}

fn read(text: &Text) -> Result<Config, Wrong> {
    let parsed =
        DeTable::parse(&text.text).map_err(|error| Wrong { what: error.message().to_owned(), at: error.span() })?;
    let options = parsed.get_ref().iter().filter(|(key, _)| !RULES.contains(&key.get_ref().as_ref()));
    let mut settings: Vec<Setting> = options
        .map(|(key, value)| Setting {
            name: key.get_ref().to_string(),
            line: line(&text.text, key.span().start),
            value: given(value.get_ref()),
        })
        .collect();
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    let rules: Rules = parse(&text.text)?;
    Ok(Config {
        path: PathBuf::new(),
        file: text.file.clone(),
        settings,
        keep: keep::rules(&text.text, &text.name, rules.keep)?,
        suppressions: suppress::suppressions(text, rules.suppress)?,
        vendors: vendors::vendors_of(text, rules.vendor)?,
    })
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Boolean(flag) => Given::Flag(*flag),
        DeValue::Integer(number) => Given::Number(number.to_string()),
        DeValue::Float(number) => Given::Number(number.to_string()),
        DeValue::Datetime(moment) => Given::Moment(moment.to_string()),
        DeValue::Array(items) => Given::List(items.iter().map(|item| given(item.get_ref())).collect()),
        DeValue::Table(_) => Given::Table,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn config(text: &str) -> Result<Config, UserError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DEFAULT);
        fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[track_caller]
    fn refuses(text: &str, says: &str) {
        let what = config(text).unwrap_err().what;
        let said = what.split_once("thirdtrail.toml`: ").unwrap().1;
        assert!(said.starts_with(says) && !what.contains('\n'), "{text}: {what}");
    }

    const SUPPRESS: &str = "[[suppress]]\ncode = \"role-idle\"\nsubject = \"*\"\nowner = \"ops\"\nreason = \"why\"\n";

    #[test]
    fn options_keep_their_type_and_line() {
        let read = config("idle_days = 120\n\nsince = 2026-05-01\nquiet = true\nregion = [\"a\", \"b\"]\n").unwrap();
        let texts = |texts: &[&str]| Given::List(texts.iter().map(|text| Given::Text((*text).to_owned())).collect());
        let expected = [
            ("idle_days", 1, Given::Number("120".to_owned())),
            ("quiet", 4, Given::Flag(true)),
            ("region", 5, texts(&["a", "b"])),
            ("since", 3, Given::Moment("2026-05-01".to_owned())),
        ];
        let settings = expected.map(|(name, line, value)| Setting { name: name.to_owned(), line, value });
        assert_eq!(read.settings, settings);
        assert!(read.keep.is_empty() && read.suppressions.is_empty() && read.vendors.is_empty());
    }

    /// S39: rules of the configuration are those of the keep file.
    #[test]
    fn rules_are_read_with_their_place() {
        let keep = "[[keep]]\nactions = [\"ec2:*\"]\nowner = \"ops\"\nreason = \"drill\"\nexpires = 2026-12-31\n";
        let vendor = "[[vendor]]\nname = \"Acme\"\naccounts = [\"464622532012\"]\n";
        let read = config(&format!("idle_days = 9\n{keep}\n{SUPPRESS}expires = \"2026-12-31\"\n{vendor}")).unwrap();
        assert_eq!((read.keep[0].line, read.keep[0].file.as_str()), (2, DEFAULT));
        assert_eq!(read.suppressions[0].origin.to_string(), "thirdtrail.toml:8");
        assert!(read.suppressions[0].expires.is_some());
        assert_eq!(read.vendors[0].name, "Acme");
    }

    #[test]
    fn mistakes_are_named_with_line_and_field() {
        refuses(&format!("{SUPPRESS}until = 1\n"), "line 6: unknown field `until`, expected one of `code`, `subject`");
        refuses(
            &SUPPRESS.replace("role-idle", "role-idel"),
            "line 2: `code`: `role-idel` is no code of docs/FINDINGS.md",
        );
        refuses(&SUPPRESS.replace("role-idle", "suppression-expired"), "line 2: `code`: `suppression-expired` cannot");
        refuses(&SUPPRESS.replace("subject = \"*\"\n", ""), "line 1: a suppression needs `subject` or `party`");
        refuses(&SUPPRESS.replace("owner = \"ops\"\n", ""), "line 1: missing field `owner`");
        refuses(&SUPPRESS.replace("\"why\"", "\"\""), "line 5: `reason` is empty");
        refuses(&format!("{SUPPRESS}expires = \"never\"\n"), "line 6: `expires`: `never` is no date");
        refuses("keep = \"keep.toml\"\n", "line 1: `keep`: invalid type: string \"keep.toml\", expected a sequence");
        refuses("x = \n", "line 1: ");
        refuses("idle_days = 1\nidle_days = 2\n", "line 2: ");
    }
}
