//! Names of third parties, as they are found within the names that people give to users (S16).

use std::collections::BTreeMap;

/// Names by their words, in lower case and joined.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PartyNames(BTreeMap<String, String>);

/// The longest name of an IAM user, in characters.
const LONGEST: usize = 64;
/// Shorter names are found in too many words.
const SHORTEST: usize = 4;

impl PartyNames {
    /// Adds a name, unless it is too short to tell anything.
    pub fn add(&mut self, name: &str) {
        let plain = words(name).concat();
        if plain.len() >= SHORTEST {
            self.0.entry(plain).or_insert_with(|| name.to_owned());
        }
    }

    /// The longest name that is in a text as whole words: `svc-new-relic-prod` holds New Relic.
    #[must_use]
    pub fn within(&self, text: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        // IAM's names have 64 characters at most; a stranger's text may have more.
        let from = text.char_indices().rev().nth(LONGEST - 1).map_or(0, |(at, _)| at);
        let words = words(text.get(from..).unwrap_or_default());
        let spans = (0..words.len()).flat_map(|from| (from + 1..=words.len()).map(move |to| (from, to)));
        let joined = spans.filter_map(|(from, to)| Some(words.get(from..to)?.concat()));
        let found = joined.filter_map(|plain| self.0.get_key_value(&plain));
        let longest = found.max_by_key(|(plain, _)| (plain.len(), std::cmp::Reverse(*plain)));
        longest.map(|(_, name)| name.as_str())
    }
}

/// The words of a name, in lower case: parted by anything but letters and digits, and where a capital follows a small
/// letter.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let (mut words, mut last) = (vec![String::new()], ' ');
    for letter in text.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && last.is_lowercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
        last = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_whole_words() {
        let mut names = PartyNames::default();
        ["New Relic", "Qualys", "Qualys Cloud View", "IBM"].into_iter().for_each(|name| names.add(name));
        for (text, name) in [
            ("svc-new-relic-prod", Some("New Relic")),
            ("NewRelicUser", Some("New Relic")),
            ("qualys.cloud_view", Some("Qualys Cloud View")),
            ("qualysguard", None),
            ("ibm", None),
            ("", None),
        ] {
            assert_eq!(names.within(text), name, "{text}");
        }
        assert_eq!(PartyNames::default().within("qualys"), None);
        // S44: a name that no user can have takes no time.
        assert_eq!(names.within(&format!("{}qualys", "a-".repeat(100_000))), Some("Qualys"));
    }
}
