//! Numbers, days and names as people read them.

use crate::aws::window::Time;
use crate::policy::risk::Radius;

pub(super) use super::super::markdown::page::plural;

/// Characters of a stranger's text that are shown at once; as many again and more are shown on hovering.
pub(super) const SHOWN_CHARS: usize = 120;
/// Characters of it that a page holds at all; the whole is in `report.json` and the tables.
pub(super) const HELD_CHARS: usize = 600;
/// Characters of what is told in whole sentences.
pub(super) const PROSE_CHARS: usize = 3 * HELD_CHARS;

/// Bytes of several texts in one place, after which only their number is told.
const FEW_BYTES: usize = 5_000;

/// `12,345`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The number of items of a list.
pub(super) fn len<T>(list: &[T]) -> u64 {
    list.len() as u64
}

/// `1 role`, `2 roles`, `1 party`, `2,000 parties`.
pub(super) fn count(amount: u64, one: &str) -> String {
    match amount {
        1 => format!("1 {one}"),
        _ => format!("{} {}", number(amount), plural(one)),
    }
}

/// `2026-06-01`.
pub(super) fn day(time: Time) -> String {
    time.format("%Y-%m-%d").to_string()
}

/// `2026-06-01`, or what to say where there is none.
pub(super) fn day_or(time: Option<Time>, none: &str) -> String {
    time.map_or_else(|| none.to_owned(), day)
}

/// `2026-06-01 10:00`, in UTC as everything here.
pub(super) fn minute(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// `privilege_escalation` as words.
pub(super) fn spoken(name: &str) -> String {
    if name == "saml" { "SAML".to_owned() } else { name.replace('_', " ") }
}

/// The sentence with a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) if first.is_ascii_lowercase() => format!("{}{}", first.to_ascii_uppercase(), rest.as_str()),
        _ => text.to_owned(),
    }
}

/// The sentence with a full stop.
pub(super) fn stopped(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// A share of something, `12 %`; nothing where there is nothing to share.
pub(super) fn share(part: u64, whole: u64) -> String {
    match (part, whole) {
        (0, _) | (_, 0) => String::new(),
        (part, whole) if part > whole => String::new(),
        (part, whole) if part * 100 < whole => "under 1 %".to_owned(),
        (part, whole) => format!("{:.0} %", part as f64 * 100.0 / whole as f64),
    }
}

/// A radius as a whole number, for sorting and for bars: tenths.
pub(super) fn tenths(radius: Radius) -> u64 {
    let text = radius.to_string();
    let (whole, tenth) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<u64>().unwrap_or_default() * 10 + tenth.parse::<u64>().unwrap_or_default()
}

/// A stranger's text, of which a page shows the beginning where it is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Long {
    /// What is seen.
    pub(super) shown: String,
    /// More of it, where what is seen was cut.
    pub(super) more: Option<String>,
}

impl Long {
    /// Of that text.
    pub(super) fn of(text: &str) -> Self {
        match cut(text, SHOWN_CHARS) {
            None => Self { shown: text.to_owned(), more: None },
            Some(shown) => Self { shown, more: Some(held(text, HELD_CHARS)) },
        }
    }

    /// How many bytes it may take on a page, escaped.
    pub(super) fn weight(&self) -> usize {
        weight(&self.shown) + self.more.as_deref().map_or(0, weight)
    }
}

/// The first of several strangers' texts, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Few {
    /// These.
    pub(super) shown: Vec<Long>,
    /// How many more.
    pub(super) more: usize,
}

impl Few {
    /// The first `most` of them.
    pub(super) fn of<T: AsRef<str>>(texts: &[T], most: usize) -> Self {
        let mut room = FEW_BYTES;
        let texts_shown = texts.iter().take(most).map(|text| Long::of(text.as_ref())).take_while(|text| {
            let is_room = room > 0;
            room = room.saturating_sub(text.weight());
            is_room
        });
        let shown: Vec<Long> = texts_shown.collect();
        Self { more: texts.len() - shown.len(), shown }
    }

    /// How many bytes they may take on a page, escaped.
    pub(super) fn weight(&self) -> usize {
        self.shown.iter().map(|text| text.weight() + 40).sum()
    }
}

/// Bytes of a text once it is escaped, at most.
pub(super) fn weight(text: &str) -> usize {
    text.len() + 5 * text.bytes().filter(|byte| b"<>&\"'".contains(byte)).count()
}

/// The beginning of a text that is longer than so many characters.
pub(super) fn cut(text: &str, most: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(most)?;
    Some(format!("{}…", text.get(..end).unwrap_or_default()))
}

/// As much of a text as a page holds: so many characters, and fewer where they have to be escaped one by one.
pub(super) fn held(text: &str, most: usize) -> String {
    let mut room = most + most / 2;
    let fits = text.char_indices().take(most).take_while(|(_, c)| {
        let bytes = weight(c.encode_utf8(&mut [0; 4]));
        let is_room = bytes <= room;
        room = room.saturating_sub(bytes);
        is_room
    });
    match fits.last().map_or(0, |(at, c)| at + c.len_utf8()) {
        end if end == text.len() => text.to_owned(),
        end => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// A sentence of ours in parts, each with whether it is to be copied: words between backticks are, unless somebody else's
/// backtick is among them.
pub(super) fn parts(raw: &str) -> Vec<(bool, String)> {
    let held = held(raw, PROSE_CHARS);
    if held.matches('`').count() % 2 == 1 {
        return vec![(false, held)];
    }
    held.split('`')
        .enumerate()
        .map(|(at, part)| (at % 2 == 1, part.to_owned()))
        .filter(|(_, part)| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_nouns_read_well() {
        for (given, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(number(given), expected);
        }
        for (amount, one, expected) in
            [(1, "role", "1 role"), (0, "role", "0 roles"), (2_000, "party", "2,000 parties"), (2, "day", "2 days")]
        {
            assert_eq!(count(amount, one), expected);
        }
        assert_eq!((share(0, 5), share(1, 500), share(1, 4)), (String::new(), "under 1 %".into(), "25 %".into()));
        assert_eq!((tenths(Radius::of_tenths(375)), tenths(Radius::of_tenths(40))), (375, 40));
    }

    /// S43, S44: a long text is cut where a character ends, and so is what is held of it.
    #[test]
    fn long_texts_are_cut() {
        assert_eq!(Long::of("short").more, None);
        let long = Long::of(&"é".repeat(100_000));
        assert_eq!(long.shown.chars().count(), SHOWN_CHARS + 1);
        assert!(long.more.unwrap().ends_with("é…"));
        assert_eq!(Long::of(&"x".repeat(100_000)).more.unwrap().chars().count(), HELD_CHARS + 1);
        let heavy = Long::of(&"<".repeat(100_000));
        assert!(heavy.weight() < 6 * SHOWN_CHARS + 2 * HELD_CHARS + 10, "{}", heavy.weight());
        assert_eq!((held("é<b", 8), held("é<b", 3)), ("é<b".to_owned(), "é…".to_owned()));
    }

    /// S43: an odd backtick makes nothing code.
    #[test]
    fn words_between_backticks_are_to_be_copied() {
        assert_eq!(parts("take `x` now"), [(false, "take ".into()), (true, "x".into()), (false, " now".into())]);
        assert_eq!(parts("an odd ` sign"), [(false, "an odd ` sign".to_owned())]);
    }
}
