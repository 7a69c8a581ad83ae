//! An external id as `AssumeRole` takes it: a secret, which nothing shows by accident (S42).

use std::fmt;

use super::Fingerprint;

/// Characters of an external id. Source: AWS STS API Reference, AssumeRole, `ExternalId`.
const CHARACTERS: std::ops::RangeInclusive<usize> = 2..=1224;

/// See the module.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalId(String);

/// A text that AWS would not take as an external id; the text itself is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an external id has 2 to 1224 characters, all of them letters, digits or one of +=,.@:/_-")]
pub struct NotExternalId;

impl ExternalId {
    /// Reads one.
    ///
    /// # Errors
    /// [`NotExternalId`] for a text of other length or characters.
    pub fn parse(text: &str) -> Result<Self, NotExternalId> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@:/_-".contains(c);
        let is_one = CHARACTERS.contains(&text.len()) && text.chars().all(fits);
        if is_one { Ok(Self(text.to_owned())) } else { Err(NotExternalId) }
    }

    /// The secret, for those who must send or write it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fingerprint { digest, length } = Fingerprint::of(&self.0);
        write!(to, "ExternalId({digest}, {length} characters)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S42: an id is checked, and shown by neither errors nor debugging.
    #[test]
    fn ids_are_read_and_hidden() {
        let id = ExternalId::parse("kD83hfKs92hf/KSjw83_+=,.@:-").unwrap();
        assert_eq!(id.reveal(), "kD83hfKs92hf/KSjw83_+=,.@:-");
        assert!(!format!("{id:?}").contains("kD83"), "{id:?}");
        let long = "a".repeat(1225);
        for wrong in ["", "a", "two words", "a\nb", "a*", "é2", &long] {
            assert_eq!(ExternalId::parse(wrong), Err(NotExternalId), "{wrong}");
        }
    }
}
