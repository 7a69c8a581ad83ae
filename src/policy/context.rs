//! The context keys of one request: given, known to be absent, or not known.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Condition keys with their values. Key names are compared without case, as AWS does; values are not. Copies share what
/// they hold, because many calls have the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Context {
    /// `None` is a key known to be absent.
    values: Arc<BTreeMap<String, Option<Vec<String>>>>,
    complete: bool,
}

/// What a context says about one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookup<'a> {
    /// The key is present with these values; an empty list is an empty multivalued key.
    Values(&'a [String]),
    /// The request certainly lacks the key.
    Absent,
    /// The context is partial and does not mention the key.
    Unknown,
}

impl Context {
    /// A context in which every key that is not given is absent.
    #[must_use]
    pub fn complete() -> Self {
        Self { values: Arc::default(), complete: true }
    }

    /// A context in which a key that is not given may have been anything: what CloudTrail records leave us with.
    #[must_use]
    pub fn partial() -> Self {
        Self { values: Arc::default(), complete: false }
    }

    /// The same context with `key` given.
    #[must_use]
    pub fn with<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        Arc::make_mut(&mut self.values)
            .insert(key.to_ascii_lowercase(), Some(values.into_iter().map(Into::into).collect()));
        self
    }

    /// The same context with `key` known to be absent.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        Arc::make_mut(&mut self.values).insert(key.to_ascii_lowercase(), None);
        self
    }

    /// The same context with `key` given, unless the context already says something about it.
    #[must_use]
    pub fn or_with(self, key: &str, value: &str) -> Self {
        if self.values.contains_key(&key.to_ascii_lowercase()) { self } else { self.with(key, [value]) }
    }

    /// What is known about `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Lookup<'_> {
        self.get_folded(&key.to_ascii_lowercase())
    }

    /// What is known about a key that is written in lower case.
    #[must_use]
    pub fn get_folded(&self, key: &str) -> Lookup<'_> {
        match self.values.get(key) {
            Some(Some(values)) => Lookup::Values(values),
            Some(None) => Lookup::Absent,
            None if self.complete => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S40: condition keys are case-insensitive.
    #[test]
    fn key_names_are_compared_without_case() {
        let context = Context::complete().with("sts:ExternalId", ["x"]);
        assert_eq!(context.get("STS:externalid"), Lookup::Values(&["x".to_owned()]));
    }

    /// S31: a value the record does not show is unknown, not absent.
    #[test]
    fn keys_missing_from_a_partial_context_are_unknown_unless_known_absent() {
        assert_eq!(Context::complete().get("aws:SourceIp"), Lookup::Absent);
        assert_eq!(Context::partial().get("aws:SourceIp"), Lookup::Unknown);
        assert_eq!(Context::partial().without("aws:SourceIp").get("aws:SourceIp"), Lookup::Absent);
    }
}
