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
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self { texts: Vec::new(), index: HashMap::new() };
        names.intern("");
        names
    }
}

impl Names {
    /// The empty text, which every evidence knows.
    pub const EMPTY: Name = Name(0);

    /// The name of `text` (cut to its limit), new or known.
    pub fn intern(&mut self, text: &str) -> Name {
        let text = cut(text);
        if let Some(name) = self.index.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = Arc::from(text);
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

    /// For each name of `other`, its name here.
    pub fn adopt(&mut self, other: &Self) -> Translation {
        Translation(other.texts.iter().map(|text| self.intern(text)).collect())
    }
}

/// From the names of one evidence to those of another.
#[derive(Debug)]
pub struct Translation(Vec<Name>);

impl Translation {
    /// The name in the adopting evidence.
    #[must_use]
    pub fn of(&self, name: Name) -> Name {
        self.0.get(name.0 as usize).copied().unwrap_or(Names::EMPTY)
    }
}
