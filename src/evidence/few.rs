//! A set that keeps its few smallest elements and remembers whether there were more.
//!
//! Which elements stay depends on the elements alone, never on the order in which they came, so merging is
//! associative, commutative and idempotent.

/// At most `LIMIT` texts, the smallest in byte order. There are millions of these sets and most are empty or hold one
/// text, so an empty one is a single word and the texts are a list, not a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Few<const LIMIT: usize>(Option<Box<Kept>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept {
    /// Sorted, each once.
    texts: Vec<Box<str>>,
    more: bool,
}

impl<const LIMIT: usize> Few<LIMIT> {
    /// Adds one text; allocates only when it is new and stays.
    pub fn insert(&mut self, text: &str) {
        let kept = self.0.get_or_insert_default();
        let Err(place) = kept.texts.binary_search_by(|known| known.as_ref().cmp(text)) else { return };
        if kept.texts.len() == LIMIT {
            kept.more = true;
            if place == LIMIT {
                return;
            }
            kept.texts.pop();
        }
        if kept.texts.is_empty() {
            kept.texts.reserve_exact(1);
        }
        kept.texts.insert(place, Box::from(text));
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: &Self) {
        if other.has_more() {
            self.0.get_or_insert_default().more = true;
        }
        for text in other.iter() {
            self.insert(text);
        }
    }

    /// The kept texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|kept| &kept.texts).map(AsRef::as_ref)
    }

    /// The kept texts in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Box<str>] {
        self.0.as_ref().map_or(&[], |kept| &kept.texts)
    }

    /// Whether some text was not kept.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.0.as_ref().is_some_and(|kept| kept.more)
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|kept| kept.texts.is_empty())
    }

    /// The set of these texts, of which `more` were not kept.
    pub fn of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, more: bool) -> Self {
        let mut few = Self::default();
        if more {
            few.0.get_or_insert_default().more = true;
        }
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
