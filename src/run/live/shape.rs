//! Answers of the SDK in the shape in which the AWS CLI prints them.

use aws_sdk_iam::primitives::DateTime;
use serde_json::{Map, Value};

use crate::aws::window::{Time, rfc3339};

/// A time as text.
pub(super) fn time(at: Option<&DateTime>) -> Option<Value> {
    let at = at?;
    let time: Option<Time> = chrono::DateTime::from_timestamp(at.secs(), at.subsec_nanos());
    time.map(|time| Value::from(rfc3339(time)))
}

/// A text.
pub(super) fn text<T: AsRef<str>>(text: Option<T>) -> Option<Value> {
    text.map(|text| Value::from(text.as_ref()))
}

/// A list, also where it is empty.
pub(super) fn list<T>(items: &[T], shape: impl Fn(&T) -> Value) -> Option<Value> {
    Some(Value::Array(items.iter().map(shape).collect()))
}

/// A list of texts.
pub(super) fn texts(items: &[String]) -> Option<Value> {
    list(items, |item| Value::from(item.as_str()))
}

/// An object of the fields that are there.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let there = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect::<Map<String, Value>>())
}
