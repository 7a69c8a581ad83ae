//! The documents of a role's trust policy: as it is, as proposed, and the difference.
//!
//! Written for a proposal whose replay passed, as with a right-sizing (S37). External ids stand in these documents in clear
//! and are secrets (S42): where there is one the documents are written only if that was asked for, and the difference shows
//! fingerprints instead.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::aws::Fingerprint;
use crate::finding::assessment::{RoleReport, TrustFiles, TrustNarrowingReport};
use crate::finding::trust_narrowing::each_text;
use crate::policy::diff::unified;

use super::{OutputFile, RenderError, json};

/// Characters from which an id is also looked for within other texts of a document.
const TELLING_CHARACTERS: usize = 6;
/// How texts begin that stand for an id.
const PLACEHOLDER: &str = "REPLACE-WITH-THE-EXTERNAL-ID-OF-";

/// Renders the documents into `files` and notes their paths in the role.
///
/// # Errors
/// [`RenderError::Json`].
pub fn render(
    role: &mut RoleReport,
    folder: &str,
    show_external_ids: bool,
    files: &mut Vec<OutputFile>,
) -> Result<(), RenderError> {
    let Some(report) = role.trust_narrowing.as_deref_mut() else { return Ok(()) };
    report.files = TrustFiles::default();
    let Some([current, narrowed]) = paths(report, folder) else { return Ok(()) };
    let documents = documents(report, show_external_ids);
    let shows = !documents.ids_are_hidden;
    let mut texts = Vec::new();
    for (path, document) in [(&current, &documents.current), (&narrowed, &documents.narrowed)] {
        let file = json::pretty(path, document)?;
        texts.push(String::from_utf8_lossy(&file.bytes).into_owned());
        files.extend(shows.then_some(file));
    }
    if let [before, after] = texts.as_slice() {
        let path = format!("{folder}/trust.diff");
        // A file that is not written is not named.
        let names =
            if shows { [current.as_str(), &narrowed] } else { ["as it is, ids hidden", "narrower, ids hidden"] };
        files.push(OutputFile::new(path.clone(), unified((names[0], before), (names[1], after))));
        report.files.diff = Some(path);
    }
    if shows {
        (report.files.current, report.files.narrowed) = (Some(current), Some(narrowed));
    } else {
        report.files.not_written = Some("the documents hold external ids in clear; --show-external-ids writes them");
    }
    Ok(())
}

/// Where the trust policy lies as it is and as proposed; nothing where there is no proposal.
#[must_use]
pub fn paths(report: &TrustNarrowingReport, folder: &str) -> Option<[String; 2]> {
    let template = match report.status.as_str() {
        "proposed" => "",
        "template" => "template.",
        _ => return None,
    };
    Some([format!("{folder}/trust.current.json"), format!("{folder}/trust.narrowed.{template}json")])
}

/// Both documents as they may be shown.
pub(super) struct Documents<'a> {
    pub(super) current: Cow<'a, Value>,
    pub(super) narrowed: Cow<'a, Value>,
    /// Whether they have fingerprints where ids stood.
    pub(super) ids_are_hidden: bool,
}

/// The documents; ids in them only if these may be shown.
pub(super) fn documents(report: &TrustNarrowingReport, show_external_ids: bool) -> Documents<'_> {
    let (current, narrowed) = (&report.current, &report.narrowed);
    let as_they_are = |ids_are_hidden| Documents {
        current: Cow::Borrowed(current),
        narrowed: Cow::Borrowed(narrowed),
        ids_are_hidden,
    };
    if report.ids_are_hidden || show_external_ids {
        return as_they_are(report.ids_are_hidden);
    }
    let ids = ids(current).chain(ids(narrowed)).collect::<BTreeSet<String>>();
    if ids.is_empty() {
        return as_they_are(false);
    }
    let hidden = |document| Cow::Owned(hidden(document, &ids));
    Documents { current: hidden(current), narrowed: hidden(narrowed), ids_are_hidden: true }
}

/// What a document compares external ids with, patterns too, placeholders not.
fn ids(document: &Value) -> impl Iterator<Item = String> {
    let mut found = BTreeSet::new();
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        single => single.into_iter().collect::<Vec<_>>(),
    };
    let operators = statements.iter().filter_map(|statement| statement.get("Condition")?.as_object());
    for (key, values) in operators.flat_map(|operators| operators.values()).filter_map(Value::as_object).flatten() {
        if key.eq_ignore_ascii_case("sts:ExternalId") {
            each_text(&mut values.clone(), &mut |text| {
                found.insert(text.clone());
            });
        }
    }
    found.into_iter().filter(|id| !id.is_empty() && !id.starts_with(PLACEHOLDER) && id != "true" && id != "false")
}

/// The document with a fingerprint for each id.
fn hidden(document: &Value, ids: &BTreeSet<String>) -> Value {
    let mut document = document.clone();
    each_text(&mut document, &mut |text| {
        // The longest first: one id may be a part of another.
        let mut within: Vec<&String> = ids.iter().filter(|id| text.contains(id.as_str())).collect();
        within.sort_by_key(|id| std::cmp::Reverse(id.len()));
        let is_whole = |id: &String| *id == *text;
        let telling = |id: &&&String| id.chars().count() >= TELLING_CHARACTERS;
        let hidden: Vec<&String> = match within.iter().find(|id| is_whole(id)) {
            Some(whole) => vec![*whole],
            None => within.iter().filter(telling).copied().collect(),
        };
        for id in hidden {
            let print = Fingerprint::of(id);
            let shown = format!("<external id, fingerprint {}, {} characters>", print.digest, print.length);
            *text = text.replace(id.as_str(), &shown);
        }
    });
    document
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// S42: ids are hidden wherever they stand, in every form of condition, also where another id is a part of one.
    #[test]
    fn ids_are_hidden_wherever_they_stand() {
        let document = json!({"Statement": [
            {"Sid": "longsecret1", "Condition": {"StringEquals": {"STS:externalid": ["longsecret1", "longsecret1-2"]}}},
            {"Condition": {"StringLike": {"sts:ExternalId": "pat-*"}, "Null": {"sts:ExternalId": "false"}}},
            {"Condition": {"StringEquals": {"sts:ExternalId": "REPLACE-WITH-THE-EXTERNAL-ID-OF-1"}}}]});
        let ids: BTreeSet<String> = ids(&document).collect();
        assert_eq!(ids.len(), 3, "{ids:?}");
        let shown = hidden(&document, &ids).to_string();
        let twice = json!({"Sid": "longsecret1-and-longsecret1-2"});
        let twice = super::hidden(&twice, &["longsecret1".to_owned(), "longsecret1-2".to_owned()].into()).to_string();
        assert!(!twice.contains("longsecret1"), "{twice}");
        for id in ["longsecret1", "pat-"] {
            assert!(!shown.contains(id), "{shown}");
        }
        assert!(shown.contains("REPLACE-WITH-THE-EXTERNAL-ID-OF-1") && shown.contains("\"false\""), "{shown}");
    }
}
