//! JSON values as expressions of HCL, Terraform's language.
//!
//! Written here, because the library at hand leaves `$${` alone, which HCL then reads as `${`: a policy with that text
//! would mean another. HCL's own parser and Terraform read what comes out in the tests.

use serde_json::Value;

/// Parts of a document for which an expression stands instead.
pub(super) type Instead<'a> = [(&'a Value, &'a str)];

/// A quoted string that reads as `text`.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // `${` and `%{` begin a template unless the sign is doubled.
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            // A sign before such a pair could be read together with it.
            '$' | '%' if rest.peek() == Some(&c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' || c == '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The value as an expression, its further lines indented by `indent` and more.
fn expression(value: &Value, instead: &Instead<'_>, indent: usize) -> String {
    let mut out = String::new();
    write_value(value, instead, indent, &mut out);
    out
}

fn write_value(value: &Value, instead: &Instead<'_>, indent: usize, out: &mut String) {
    if let Some((_, expression)) = instead.iter().find(|(part, _)| *part == value) {
        return out.push_str(expression);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.push_str(&quoted(text)),
        Value::Array(items) => match items.as_slice() {
            [] => out.push_str("[]"),
            // One plain value needs no line of its own.
            [only] if !only.is_array() && !only.is_object() => {
                out.push('[');
                write_value(only, instead, indent, out);
                out.push(']');
            }
            several => {
                out.push_str("[\n");
                for item in several {
                    out.push_str(&" ".repeat(indent + 2));
                    write_value(item, instead, indent + 2, out);
                    out.push_str(",\n");
                }
                out.push_str(&" ".repeat(indent));
                out.push(']');
            }
        },
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (name(key), expression(value, instead, indent + 2)));
            out.push_str("{\n");
            out.push_str(&lines(&entries.collect::<Vec<_>>(), indent + 2));
            out.push_str(&" ".repeat(indent));
            out.push('}');
        }
    }
}

/// The key of an object: bare where that is certain to be a name.
fn name(key: &str) -> String {
    let bare = key.starts_with(|c: char| c.is_ascii_uppercase()) && key.chars().all(|c| c.is_ascii_alphanumeric());
    if bare { key.to_owned() } else { quoted(key) }
}

/// The name of an argument and its value.
pub(super) fn entry(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The text that a JSON document stands for.
pub(super) fn encoded(document: &Value, instead: &Instead<'_>) -> String {
    format!("jsonencode({})", expression(document, instead, 2))
}

/// A resource with its arguments.
pub(super) fn block(out: &mut String, kind: &str, label: &str, entries: &[(String, String)]) {
    out.push_str(&format!("resource \"{kind}\" \"{label}\" {{\n{}}}\n\n", lines(entries, 2)));
}

/// `name = expression`, one after another, the signs below each other as `terraform fmt` wants them: of neighbours that
/// take one line each.
pub(super) fn lines(entries: &[(String, String)], indent: usize) -> String {
    let mut out = String::new();
    for group in entries.chunk_by(|(_, one), (_, other)| !one.contains('\n') && !other.contains('\n')) {
        let width = group.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in group {
            let room = " ".repeat(width.saturating_sub(name.chars().count()));
            out.push_str(&format!("{}{name}{room} = {value}\n", " ".repeat(indent)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// S43: nothing in a text is a template, and no quote ends early.
    #[test]
    fn texts_are_quoted() {
        for (text, expected) in [
            ("plain", r#""plain""#),
            ("${aws:username}", r#""$${aws:username}""#),
            ("%{ if x }", r#""%%{ if x }""#),
            ("$${x}", r#""\u0024$${x}""#),
            ("$%{x}", r#""$%%{x}""#),
            ("a\"b\\c\nd\t", r#""a\"b\\c\nd\t""#),
            ("100%", r#""100%""#),
            ("$$", r#""\u0024$""#),
            ("\u{1b}[0m", r#""\u001b[0m""#),
        ] {
            assert_eq!(quoted(text), expected, "{text:?}");
        }
    }

    #[test]
    fn values_are_written_as_terraform_formats_them() {
        let value =
            json!({"Version": "2012-10-17", "Statement": [{"Action": ["a", "b"], "x:y": true, "Effect": "Allow"}]});
        let expected = "{\n  Version = \"2012-10-17\"\n  Statement = [\n    {\n      Action = [\n        \"a\",\n        \
                        \"b\",\n      ]\n      \"x:y\"  = true\n      Effect = \"Allow\"\n    },\n  ]\n}";
        assert_eq!(expression(&value, &[], 0), expected);
        let marked = json!({"Ref": "ExternalId"});
        assert_eq!(expression(&json!([marked]), &[(&marked, "var.external_id")], 0), "[\n  var.external_id,\n]");
    }
}
