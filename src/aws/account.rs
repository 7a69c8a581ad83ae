//! An AWS account id: twelve digits, a string and never a number, because `012345678901` keeps its zero.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Twelve ASCII digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

/// The text was not twelve ASCII digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an account id of 12 digits")]
pub struct NotAnAccountId(pub String);

impl AccountId {
    /// Reads twelve ASCII digits; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// Reads twelve ASCII digits from bytes that may be any.
    #[must_use]
    pub fn parse_bytes(text: &[u8]) -> Option<Self> {
        let digits: [u8; 12] = text.try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The twelve digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The constructor admits ASCII digits only, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or("000000000000")
    }
}

impl FromStr for AccountId {
    type Err = NotAnAccountId;

    fn from_str(text: &str) -> Result<Self, NotAnAccountId> {
        Self::parse(text).ok_or_else(|| NotAnAccountId(text.to_owned()))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S7: account ids are strings.
    #[test]
    fn leading_zero_is_kept() {
        assert_eq!(AccountId::parse("012345678901").unwrap().to_string(), "012345678901");
    }

    #[test]
    fn anything_but_twelve_digits_is_refused() {
        for text in ["", "12345678901", "1234567890123", "12345678901x", "١٢٣٤٥٦"] {
            assert_eq!(AccountId::parse(text), None, "{text}");
        }
    }
}
