//! What is wrong, surprising or wasteful in the text of a policy document, each with its place and what to do.
//!
//! Works on the text, because a parsed document has already lost equal keys and places. Never fails: a text that is no
//! JSON is a finding too. Errors are what AWS refuses or what cannot mean what it says; every document that
//! [`PolicyDocument`](super::PolicyDocument) refuses has at least one. The rules are a table, documented in docs/LINT.md.

mod arn;
mod condition;
mod document;
mod rules;
pub(super) mod spelling;
mod statement;

use serde::Serialize;

use super::catalog::Catalog;
use super::located::{Node, Place, Places, read};

pub use rules::RULES;

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// AWS refuses the document, or it cannot mean what it says.
    Error,
    /// It means more, or less, than its author is likely to think.
    Warning,
    /// It works, and could be clearer.
    Advice,
}

impl Severity {
    /// In lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

/// One rule of the linter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// In kebab case, never to be renamed.
    pub code: &'static str,
    /// The same for all its findings.
    pub severity: Severity,
    /// What to do, one line.
    pub help: &'static str,
}

/// One thing found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// The rule's severity.
    pub severity: Severity,
    /// The `Sid` (cut where it is very long), or `#1` for the first statement; `None` for the document as a whole.
    pub statement: Option<String>,
    /// Where it stands in the text.
    #[serde(flatten)]
    pub place: Place,
    /// What was found: lowercase, one line, input in backticks.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// Everything that the rules find in a text, in the order of the text.
#[must_use]
pub fn lint(text: &str, catalog: &Catalog) -> Vec<Finding> {
    let mut found = Found { catalog, statement: None, suggestions: 0, drafts: Vec::new() };
    match read(text) {
        Ok(root) => document::check(&root, text, &mut found),
        Err(broken) => found.add(&rules::NOT_JSON, broken.at, format!("not JSON: {}", broken.what)),
    }
    found.in_order(text)
}

/// The finding for an input that is not even text; `valid` is what of it is.
#[must_use]
pub fn not_text(valid: &str) -> Finding {
    let place = Places::of(valid).place(valid.len());
    let Rule { code, severity, help } = rules::NOT_JSON;
    Finding { code, severity, statement: None, place, message: "not JSON: not UTF-8".to_owned(), help }
}

/// A finding whose place is still in bytes.
struct Draft {
    at: usize,
    rule: &'static Rule,
    statement: Option<String>,
    message: String,
}

/// What has been found so far, and what every rule may ask.
struct Found<'c> {
    catalog: &'c Catalog,
    /// The label of the statement that is being looked at.
    statement: Option<String>,
    /// How often a better spelling was looked for.
    suggestions: usize,
    drafts: Vec<Draft>,
}

impl Found<'_> {
    fn add(&mut self, rule: &'static Rule, at: usize, message: impl Into<String>) {
        self.drafts.push(Draft { at, rule, statement: self.statement.clone(), message: message.into() });
    }

    /// Places are told in one pass over the text, however many findings there are.
    fn in_order(mut self, text: &str) -> Vec<Finding> {
        self.drafts.sort_by(|a, b| (a.at, a.rule.code, &a.message).cmp(&(b.at, b.rule.code, &b.message)));
        let mut places = Places::of(text);
        let finding = |draft: Draft| Finding {
            code: draft.rule.code,
            severity: draft.rule.severity,
            statement: draft.statement,
            place: places.place(draft.at),
            message: draft.message,
            help: draft.rule.help,
        };
        self.drafts.into_iter().map(finding).collect()
    }
}

/// Characters of input that a message repeats.
const QUOTED_CHARACTERS: usize = 80;

/// Input in backticks.
fn quoted(text: &str) -> String {
    format!("`{}`", clipped(text))
}

/// Input, cut where it would fill the screen.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARACTERS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The strings of an element that is one or a list of them; anything else in it is a finding.
fn strings<'n>(element: &str, node: &'n Node, found: &mut Found<'_>) -> Vec<(usize, &'n str)> {
    if node.items().is_empty() {
        found.add(&rules::EMPTY_LIST, node.at, format!("{} is empty", quoted(element)));
    }
    let mut texts = Vec::with_capacity(node.items().len());
    for item in node.items() {
        match item.text() {
            Some(text) => texts.push((item.at, text)),
            None => {
                let message = format!("{} is neither a string nor a list of strings", quoted(element));
                found.add(&rules::WRONG_TYPE, item.at, message);
            }
        }
    }
    texts
}

/// The text with each variable as one `$`, so that what is inside it is not taken for the text's own.
fn without_variables(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, opened)) = rest.split_once("${") {
        let Some((_, after)) = opened.split_once('}') else { break };
        out.push_str(before);
        out.push('$');
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
