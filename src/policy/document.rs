//! A policy document: parsed for deciding, kept as read for editing.
//!
//! Lossless: key order, single values against lists, numbers against strings and unknown keys all survive, because an
//! edit replaces only what it must (S34).

use serde_json::Value;

use super::statement::Statement;

/// The language version; it decides whether `${...}` is a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// `2012-10-17`: policy variables are replaced.
    V2012,
    /// `2008-10-17`, also when absent: `${...}` is literal text (IAM User Guide, "Version").
    V2008,
}

/// Why a document is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON, but no policy.
    #[error("{0}")]
    Shape(&'static str),
    /// One statement is wrong; `number` counts from 1.
    #[error("statement {number} {what}")]
    Statement {
        /// From 1.
        number: usize,
        /// What is wrong, to follow the number.
        what: String,
    },
}

/// A parsed policy document together with its JSON as read.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyDocument {
    /// The language version.
    pub version: Version,
    /// In the order of the document.
    pub statements: Vec<Statement>,
    raw: Value,
}

impl PolicyDocument {
    /// Reads a document from its JSON value: an object with a `Statement` that is an object or a list.
    ///
    /// # Errors
    /// The first thing that makes it no policy.
    pub fn from_value(raw: &Value) -> Result<Self, DocumentError> {
        let object = raw.as_object().ok_or(DocumentError::Shape("policy is not a JSON object"))?;
        let version = match object.get("Version") {
            None => Version::V2008,
            Some(Value::String(text)) if text == "2012-10-17" => Version::V2012,
            Some(Value::String(text)) if text == "2008-10-17" => Version::V2008,
            Some(_) => return Err(DocumentError::Shape("`Version` is neither `2012-10-17` nor `2008-10-17`")),
        };
        let statements = match object.get("Statement") {
            Some(single @ Value::Object(_)) => vec![Statement::parse(0, single)?],
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(index, item)| Statement::parse(index, item)).collect::<Result<_, _>>()?
            }
            Some(_) => return Err(DocumentError::Shape("`Statement` is neither an object nor a list")),
            None => return Err(DocumentError::Shape("policy has no `Statement`")),
        };
        Ok(Self { version, statements, raw: raw.clone() })
    }

    /// The JSON exactly as read.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.raw
    }

    /// The document with other statements and everything else as read; a single statement stays a bare object where it
    /// was one.
    #[must_use]
    pub fn with_statements(&self, mut statements: Vec<Value>) -> Value {
        let mut document = self.raw.clone();
        if let Some(slot) = document.get_mut("Statement") {
            *slot = match statements.pop() {
                Some(only) if statements.is_empty() && slot.is_object() => only,
                last => {
                    statements.extend(last);
                    Value::Array(statements)
                }
            };
        }
        document
    }

    /// Size in characters, white space not counted.
    #[must_use]
    pub fn size_characters(&self) -> usize {
        size_characters(&self.raw)
    }
}

impl std::str::FromStr for PolicyDocument {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, DocumentError> {
        let value: Value = serde_json::from_str(text).map_err(|error| DocumentError::Json(error.to_string()))?;
        Self::from_value(&value)
    }
}

/// Size of a document in characters as IAM's quotas count them, white space left out (S36).
#[must_use]
pub fn size_characters(document: &Value) -> usize {
    document.to_string().chars().filter(|character| !character.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::statement::{ActionMatch, Effect, PrincipalMatch, ResourceMatch};

    fn parse(value: &Value) -> PolicyDocument {
        PolicyDocument::from_value(value).unwrap()
    }

    /// S30: strings or lists everywhere; a statement is an object or a list; unknown keys do not fail.
    #[test]
    fn every_legal_shape_is_read() {
        let document = parse(&json!({"Id": "x", "Extra": 1, "Statement":
            {"Effect": "Deny", "NotAction": "s3:*", "NotResource": "*", "Comment": "odd",
             "Principal": {"AWS": "111122223333", "Service": ["ec2.amazonaws.com"]},
             "Condition": {"Bool": {"aws:SecureTransport": false}, "NumericLessThan": {"s3:max-keys": [10, "20"]}}}}));
        assert_eq!(document.version, Version::V2008);
        let statement = &document.statements[0];
        assert_eq!((statement.effect, statement.label().as_str()), (Effect::Deny, "#1"));
        assert_eq!(statement.actions, ActionMatch::NotAction(vec!["s3:*".into()]));
        assert_eq!(statement.resources, ResourceMatch::NotResource(vec!["*".into()]));
        assert!(
            matches!(&statement.principals, PrincipalMatch::Principal(who) if who.aws == ["111122223333"] && who.service.len() == 1)
        );
        let values: Vec<_> = statement.conditions.iter().flat_map(|block| block.values.clone()).collect();
        assert_eq!(values, ["false", "10", "20"]);
    }

    /// S42: a statement that is named after its external id is told by its number.
    #[test]
    fn a_name_that_tells_an_external_id_is_none() {
        let named = |sid: &str| {
            parse(&json!({"Statement": {"Sid": sid, "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": "464622532012"},
                "Condition": {"StringEquals": {"STS:externalid": ["onlysecret", "other"]}}}}))
            .statements[0]
                .label()
        };
        assert_eq!([named("AllowDatadog"), named("ForOnlysecret")], ["AllowDatadog", "ForOnlysecret"]);
        assert_eq!([named("onlysecret"), named("Xother1")], ["#1", "#1"]);
    }

    /// S30: an error names the statement.
    #[test]
    fn errors_name_the_statement_in_one_lowercase_line() {
        let check = |value: Value, message: &str| {
            assert_eq!(PolicyDocument::from_value(&value).unwrap_err().to_string(), message);
        };
        let good = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        check(
            json!({"Statement": [good, {"Effect": "Allow", "Resource": "*"}]}),
            "statement 2 has neither `Action` nor `NotAction`",
        );
        check(
            json!({"Statement": [{"Effect": "Allow", "Action": "a:b", "NotAction": []}]}),
            "statement 1 has both `Action` and `NotAction`",
        );
        check(json!({"Statement": {"Action": "a:b"}}), "statement 1 has no `Effect` of `Allow` or `Deny`");
        check(
            json!({"Statement": {"Effect": "Allow", "Action": 3}}),
            "statement 1 has a `Action` that is neither a string nor a list of strings",
        );
        check(json!({"Version": "2012-10-17"}), "policy has no `Statement`");
        check(json!([]), "policy is not a JSON object");
        assert!("{".parse::<PolicyDocument>().unwrap_err().to_string().starts_with("not JSON: "));
    }

    /// S34: what is not edited is written as read.
    #[test]
    fn key_order_and_shapes_survive() {
        let text = r#"{"Statement":{"Resource":"*","Action":"s3:Get*","Effect":"Allow","Condition":{"NumericEquals":{"k":1.50}}},"Version":"2012-10-17"}"#;
        let document: PolicyDocument = text.parse().unwrap();
        let raw = document.statements[0].raw.clone();
        assert_eq!(document.as_value().to_string(), text.replace("1.50", "1.5"));
        assert_eq!(document.with_statements(vec![raw]), *document.as_value());
    }

    /// S34: a number that is written and read again is the same number, to the last bit.
    #[test]
    fn long_numbers_survive() {
        for number in ["962.12817900835389874", "0.1", "18446744073709551615", "-9007199254740993"] {
            let text = format!(r#"{{"Id":{number},"Statement":[]}}"#);
            let document: PolicyDocument = text.parse().unwrap();
            assert_eq!(document.as_value().to_string().parse::<PolicyDocument>().unwrap(), document, "{number}");
        }
    }

    /// S36: white space is not counted.
    #[test]
    fn size_leaves_white_space_out() {
        let document: PolicyDocument = "{ \"Statement\" : [ ] ,\n \"Id\": \"a b\" }".parse().unwrap();
        assert_eq!(document.size_characters(), r#"{"Statement":[],"Id":"ab"}"#.len());
    }
}
