//! An IAM action, `service:Name`, compared without regard to case as IAM does.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One IAM action such as `s3:GetObject`: keeps the case it was written in, compares without it.
///
/// Cloning is cheap (shared text).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Action(Arc<str>);

/// The text is not `service:Name`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an IAM action like `s3:GetObject`")]
pub struct NotAnAction(pub String);

impl Action {
    /// Reads `service:Name` (both parts not empty, no wildcard, one colon).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (service, name) = text.split_once(':')?;
        let plain =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        (plain(service) && plain(name)).then(|| Self(Arc::from(text)))
    }

    /// The whole text, `service:Name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service prefix, before the colon.
    #[must_use]
    pub fn service(&self) -> &str {
        self.0.split_once(':').map_or("", |(service, _)| service)
    }

    /// The name, after the colon.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, name)| name)
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|b| b.to_ascii_lowercase())
    }
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Action {}

impl PartialOrd for Action {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Action {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for Action {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // In pieces: hashers are slow when fed single bytes.
        for piece in self.0.as_bytes().chunks(64) {
            let mut folded = [0_u8; 64];
            let room = folded.iter_mut().zip(piece);
            room.for_each(|(to, from)| *to = from.to_ascii_lowercase());
            state.write(&folded);
        }
        state.write_usize(self.0.len());
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Action {
    type Error = NotAnAction;

    fn try_from(text: String) -> Result<Self, NotAnAction> {
        Self::parse(&text).ok_or(NotAnAction(text))
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.0.as_ref().to_owned()
    }
}

/// What an action lets its holder do, in the words of the AWS Service Authorization Reference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// Names and lists, no contents.
    List,
    /// Contents, no change.
    Read,
    /// Tags only.
    Tagging,
    /// Creates, changes, deletes.
    Write,
    /// Grants or changes permissions.
    PermissionsManagement,
}

/// A set of action names known to exist, so that a mapping can be checked against it.
///
/// Only the first method is needed; the others default to "nothing more is known".
pub trait KnownActions {
    /// The action in its canonical case, if `service:name` exists (compared without case).
    fn canonical(&self, service: &str, name: &str) -> Option<Action>;

    /// The service prefixes, sorted.
    fn service_prefixes(&self) -> Vec<&str> {
        Vec::new()
    }

    /// What the action lets its holder do.
    fn level(&self, _action: &Action) -> Option<AccessLevel> {
        None
    }

    /// The actions that this one needs as well.
    fn dependents(&self, _action: &Action) -> &[Action] {
        &[]
    }

    /// The resource types the action can be limited to; empty when only `*` fits, `None` when that is not known.
    fn resource_shapes(&self, _action: &Action) -> Option<Vec<ResourceShape<'_>>> {
        None
    }
}

/// The shape of one resource type of an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceShape<'a> {
    /// Whether the action needs a resource of this type.
    pub required: bool,
    /// The ARN template with `${Variables}`, where one is published.
    pub template: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S31: actions are case-insensitive.
    #[test]
    fn case_does_not_matter_but_is_kept() {
        let (a, b) = (Action::parse("S3:getobject").unwrap(), Action::parse("s3:GetObject").unwrap());
        assert_eq!(a, b);
        assert_eq!(a.cmp(&b), Ordering::Equal);
        assert_eq!(a.as_str(), "S3:getobject");
        assert_eq!(std::collections::HashSet::from([a, b]).len(), 1);
    }

    #[test]
    fn wildcards_and_fragments_are_no_actions() {
        for text in ["*", "s3:*", "s3:Get?", "s3", ":x", "s3:", "a:b:c", "s3:Get Object"] {
            assert_eq!(Action::parse(text), None, "{text}");
        }
    }
}
