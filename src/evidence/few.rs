//! A set that keeps its few smallest elements and remembers whether there were more.
//!
//! Which elements stay depends on the elements alone, never on the order in which they came, so merging is
//! associative, commutative and idempotent.

/// At most `LIMIT` texts, the smallest in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Few<const LIMIT: usize> {
    /// Sorted, each once. There are millions of these sets and most hold one text: a list is a third of a tree's size.
    kept: Vec<Box<str>>,
    more: bool,
}

impl<const LIMIT: usize> Few<LIMIT> {
    /// Adds one text; allocates only when it is new and stays.
    pub fn insert(&mut self, text: &str) {
        let Err(place) = self.kept.binary_search_by(|known| known.as_ref().cmp(text)) else { return };
        if self.kept.len() == LIMIT {
            self.more = true;
            if place == LIMIT {
                return;
            }
            self.kept.pop();
        }
        if self.kept.is_empty() {
            self.kept.reserve_exact(1);
        }
        self.kept.insert(place, Box::from(text));
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: &Self) {
        self.more |= other.more;
        for text in &other.kept {
            self.insert(text);
        }
    }

    /// The kept texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(AsRef::as_ref)
    }

    /// Whether some text was not kept.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The set of these texts, of which `more` were not kept.
    pub fn of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, more: bool) -> Self {
        let mut few = Self { kept: Vec::new(), more };
        for text in texts {
            few.insert(text.as_ref());
        }
        few
    }

    /// The kept texts, owned.
    #[must_use]
    pub fn to_vec(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// S44: no limit depends on order.
        #[test]
        fn order_and_grouping_do_not_matter(texts in prop::collection::vec("[a-e]{1,2}", 0..30), cut in 0_usize..30) {
            let cut = cut.min(texts.len());
            let mut parts = Few::<5>::of(&texts[cut..], false);
            parts.merge(&Few::of(&texts[..cut], false));
            let mut whole = Few::<5>::of(&texts, false);
            prop_assert_eq!(&parts, &whole);
            whole.merge(&parts);
            prop_assert_eq!(parts, whole);
        }
    }
}
