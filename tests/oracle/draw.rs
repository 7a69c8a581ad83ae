//! A seeded source of choices: the same seed gives the same cases on every machine.
//!
//! A hundred thousand cases need one choice after another and neither shrinking nor a tree of values, so this is
//! splitmix64 and nothing else.

use std::fmt;

/// The state.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True in so many of a hundred.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// The index of one of these weights.
    pub(crate) fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut at = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|weight| {
                let found = at < *weight;
                at = at.saturating_sub(*weight);
                found
            })
            .unwrap_or_default()
    }

    /// The same letters in another case.
    pub(crate) fn recased(&mut self, text: &str) -> String {
        match self.below(3) {
            0 => text.to_ascii_uppercase(),
            1 => text.to_ascii_lowercase(),
            _ => text
                .chars()
                .map(|letter| if self.percent(50) { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() })
                .collect(),
        }
    }

    /// The text with one character changed, dropped or doubled; mostly something that no longer matches.
    pub(crate) fn missed(&mut self, text: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            return "x".to_owned();
        }
        let at = self.below(characters.len());
        match self.below(3) {
            0 if characters[at] != ':' => characters[at] = 'q',
            1 if characters[at] != ':' => drop(characters.remove(at)),
            _ => characters.push('z'),
        }
        characters.into_iter().collect()
    }
}

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draw({:#x})", self.0)
    }
}
