//! Texts that occur again and again, each kept once and named by a number.

use std::sync::Arc;

use hashbrown::HashMap;

use super::limits::cut;

/// A text of one [`Names`]; means nothing in another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Name(u32);

/// The texts of one evidence.
#[derive(Clone, Debug)]
pub struct Names {
    texts: Vec<Arc<str>>,
    index: HashMap<Arc<str>, Name>,
    held_bytes: usize,
}

/// About what a text takes beside its bytes, in the list and in the index.
const TEXT_BYTES: usize = 64;

impl Default for Names {
    fn default() -> Self {
        let mut names = Self { texts: Vec::new(), index: HashMap::new(), held_bytes: 0 };
        names.intern("");
        names
    }
}

impl Names {
    /// The empty text, which every evidence knows.
    pub const EMPTY: Name = Name(0);

    /// The name of `text` (cut to its limit), new or known.
    pub fn intern(&mut self, text: &str) -> Name {
        self.intern_whole(cut(text))
    }

    /// The name of `text` as it is: for texts that are limited by whoever made them.
    pub fn intern_whole(&mut self, text: &str) -> Name {
        match self.index.get(text) {
            Some(name) => *name,
            None => self.put(Arc::from(text)),
        }
    }

    /// About the memory that they take, in bytes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// `text` (cut to its limit), shared with all who have it.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        let name = self.intern(text);
        self.shared(name)
    }

    /// The name of a text that other names share.
    fn adopt_text(&mut self, text: Arc<str>) -> Name {
        match self.index.get(&text) {
            Some(name) => *name,
            None => self.put(text),
        }
    }

    /// The name of a new text.
    fn put(&mut self, text: Arc<str>) -> Name {
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.held_bytes += TEXT_BYTES + text.len();
        self.texts.push(Arc::clone(&text));
        self.index.insert(text, name);
        name
    }

    /// The text behind a name.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        self.texts.get(name.0 as usize).map_or("", AsRef::as_ref)
    }

    /// The text behind a name, shared.
    #[must_use]
    pub fn shared(&self, name: Name) -> Arc<str> {
        self.texts.get(name.0 as usize).cloned().unwrap_or_default()
    }

    /// From the names of `other` to names here.
    pub fn adopt<'a>(&'a mut self, other: &'a Self) -> Translation<'a> {
        Translation { known: vec![None; other.texts.len()], from: other, to: self }
    }
}

/// From the names of one evidence to those of another, which learns those alone that are asked for.
#[derive(Debug)]
pub struct Translation<'a> {
    from: &'a Names,
    to: &'a mut Names,
    known: Vec<Option<Name>>,
}

impl Translation<'_> {
    /// The name in the adopting evidence.
    pub fn of(&mut self, name: Name) -> Name {
        let Some(known) = self.known.get_mut(name.0 as usize) else { return Names::EMPTY };
        *known.get_or_insert_with(|| self.to.adopt_text(self.from.shared(name)))
    }
}
