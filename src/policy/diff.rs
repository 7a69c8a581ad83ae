//! The difference between a policy as it is and as it could be, as a unified diff for a person to read.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Lines shown around each change.
const CONTEXT_LINES: usize = 3;

/// A unified diff of two documents, pretty-printed with two spaces; empty where they are equal.
///
/// `after` is `None` where nothing is left of the policy. The name is a stranger's: its control characters are replaced
/// (S43); those inside the documents are escaped by JSON.
#[must_use]
pub fn diff(name: &str, before: &Value, after: Option<&Value>) -> String {
    let after_name = format!("{name}.rightsized.json");
    between((&format!("{name}.current.json"), before), (&after_name, after))
}

/// As [`diff`], with a name for each document.
#[must_use]
pub fn between(before: (&str, &Value), after: (&str, Option<&Value>)) -> String {
    let names = (one_line(before.0), one_line(after.0));
    unified((&names.0, &pretty(before.1)), (&names.1, &after.1.map(pretty).unwrap_or_default()))
}

/// A unified diff of two texts, each with its header, as `patch` reads it; empty where they are equal.
#[must_use]
pub fn unified(before: (&str, &str), after: (&str, &str)) -> String {
    TextDiff::from_lines(before.1, after.1)
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(before.0, after.0)
        .to_string()
}

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineChange {
    /// In both documents.
    Same,
    /// Only in the old one.
    Removed,
    /// Only in the new one.
    Added,
}

/// The lines of two documents, pretty-printed, in the order in which a difference shows them.
#[must_use]
pub fn lines(before: Option<&Value>, after: Option<&Value>) -> Vec<(LineChange, String)> {
    let (before, after) = (before.map(pretty).unwrap_or_default(), after.map(pretty).unwrap_or_default());
    TextDiff::from_lines(before.as_str(), after.as_str())
        .iter_all_changes()
        .map(|change| {
            let kind = match change.tag() {
                ChangeTag::Equal => LineChange::Same,
                ChangeTag::Delete => LineChange::Removed,
                ChangeTag::Insert => LineChange::Added,
            };
            (kind, change.value().trim_end_matches('\n').to_owned())
        })
        .collect()
}

/// The text with every control, line-breaking and direction-changing character replaced, so that it cannot pretend to be
/// more than one line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if hides(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Whether a character can hide or move others: control, line-breaking and direction-changing ones.
#[must_use]
pub fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// S34: the diff shows the edit and nothing else.
    #[test]
    fn a_diff_shows_what_changes() {
        let before = json!({"Statement": {"Action": ["s3:GetObject", "s3:PutObject"]}});
        let after = json!({"Statement": {"Action": ["s3:GetObject"]}});
        let expected = "\
--- p.current.json
+++ p.rightsized.json
@@ -1,8 +1,7 @@
 {
   \"Statement\": {
     \"Action\": [
-      \"s3:GetObject\",
-      \"s3:PutObject\"
+      \"s3:GetObject\"
     ]
   }
 }
";
        assert_eq!(diff("p", &before, Some(&after)), expected);
        assert_eq!(diff("p", &before, Some(&before)), "");
    }

    #[test]
    fn lines_say_what_became_of_them() {
        let kinds = |before: Option<&Value>, after: Option<&Value>| {
            lines(before, after).into_iter().map(|(change, _)| change).collect::<Vec<_>>()
        };
        let (old, new) = (json!(["a", "b"]), json!(["a"]));
        use LineChange::{Added, Removed, Same};
        assert_eq!(kinds(Some(&old), Some(&new)), [Same, Removed, Removed, Added, Same]);
        assert_eq!(kinds(Some(&new), None), [Removed, Removed, Removed]);
        assert_eq!(kinds(None, Some(&json!(1))), [Added]);
    }

    /// S34: a policy that is emptied is shown as all removed.
    #[test]
    fn an_emptied_policy_loses_every_line() {
        let shown = diff("p", &json!({"a": 1}), None);
        assert!(shown.ends_with("-{\n-  \"a\": 1\n-}\n"), "{shown}");
    }

    /// S43: a name cannot add lines or terminal sequences.
    #[test]
    fn control_characters_in_names_are_replaced() {
        let shown = diff("a\n+++ b\u{1b}[31m\u{202e}", &json!(1), Some(&json!(2)));
        assert!(shown.starts_with("--- a\u{fffd}+++ b\u{fffd}[31m\u{fffd}.current.json\n"), "{shown}");
    }
}
