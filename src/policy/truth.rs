//! A truth value that admits not knowing.
//!
//! CloudTrail shows only part of a request's context, so much of a policy can be decided only in part. Unknown is never
//! rounded to yes or no here; whoever acts on it must keep the permission (S31).

/// Yes, no, or not known (Kleene's strong logic).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Truth {
    /// Certainly so.
    True,
    /// Certainly not.
    False,
    /// Depends on something that is not known.
    Unknown,
}

impl Truth {
    /// True only where both are, false where either is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        }
    }

    /// True where either is, false only where both are.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        (self.negate().and(other.negate())).negate()
    }

    /// The opposite; unknown stays unknown.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Whether any of `truths` holds; false for none at all.
    pub fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut found = Self::False;
        for truth in truths {
            found = found.or(truth);
            if found == Self::True {
                break;
            }
        }
        found
    }

    /// Whether all of `truths` hold; true for none at all.
    pub fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        Self::any(truths.into_iter().map(Self::negate)).negate()
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, True, Unknown};
    use super::*;

    /// S31: where the answer depends on what is not known, it is unknown.
    #[test]
    fn unknown_gives_way_only_to_a_deciding_side() {
        assert_eq!(Unknown.and(False), False);
        assert_eq!(Unknown.and(True), Unknown);
        assert_eq!(Unknown.or(True), True);
        assert_eq!(Unknown.or(False), Unknown);
        assert_eq!(Unknown.negate(), Unknown);
        assert_eq!((Truth::any([]), Truth::all([])), (False, True));
        assert_eq!(Truth::all([True, Unknown, False]), False);
    }
}
