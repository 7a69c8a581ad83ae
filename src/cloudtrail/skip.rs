//! Passes over JSON without keeping anything of it, accepting less than a parser would.
//!
//! What is accepted here is sound JSON to every parser; what is not (characters beyond ASCII, `\u` escapes, white space,
//! numbers of many digits, deep nesting) may be sound all the same and is left to the parser.

/// Deepest nesting that is passed over.
const MAX_DEPTH: usize = 32;
/// Most bytes of a number; longer ones are for a parser to judge.
const MAX_NUMBER_BYTES: usize = 15;

/// A place in a text. Every step either moves on or, with `None`, leaves a cursor of no further use.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Just these bytes. The only step after whose `None` the cursor is where it was.
    pub(super) fn literal(&mut self, bytes: &[u8]) -> Option<()> {
        self.rest().starts_with(bytes).then(|| self.at += bytes.len())
    }

    /// So many bytes, whatever they are.
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.rest().get(..count)?;
        self.at += count;
        Some(bytes)
    }

    /// The inside of a string without escapes, up to its closing quote, which is not passed.
    pub(super) fn plain_text(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let length = plain_length(rest);
        let text = rest.get(..length)?;
        self.at += length;
        (rest.get(length) == Some(&b'"')).then_some(text)
    }

    /// A string from its opening quote to behind its closing one.
    fn string(&mut self) -> Option<()> {
        self.literal(b"\"")?;
        loop {
            let rest = self.rest();
            let length = plain_length(rest);
            self.at += length + 1;
            match rest.get(length)? {
                b'"' => return Some(()),
                b'\\' => {
                    let escaped = rest.get(length + 1)?;
                    br#""\/bfnrt"#.contains(escaped).then_some(())?;
                    self.at += 1;
                }
                _ => return None,
            }
        }
    }

    /// A value of any kind.
    pub(super) fn value(&mut self) -> Option<()> {
        // Whether each open bracket is an object's, the innermost lowest.
        let (mut objects, mut depth) = (0_u32, 0_usize);
        loop {
            match self.rest().first()? {
                b'"' => self.string()?,
                open @ (b'{' | b'[') => {
                    let is_object = *open == b'{';
                    self.at += 1;
                    if self.literal(if is_object { b"}" } else { b"]" }).is_none() {
                        depth += 1;
                        if depth > MAX_DEPTH {
                            return None;
                        }
                        objects = objects << 1 | u32::from(is_object);
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => self.number()?,
            }
            // Behind a value: close what ends here, then the next member or element, if there is one.
            loop {
                if depth == 0 {
                    return Some(());
                }
                let is_object = objects & 1 == 1;
                match (self.rest().first()?, is_object) {
                    (b',', _) => {
                        self.at += 1;
                        if is_object {
                            self.key()?;
                        }
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        self.at += 1;
                        objects >>= 1;
                        depth -= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.string()?;
        self.literal(b":")
    }

    /// A whole or decimal number without exponent.
    fn number(&mut self) -> Option<()> {
        let begin = self.at;
        let _sign = self.literal(b"-");
        let whole = self.digits()?;
        if whole.len() > 1 && whole.first() == Some(&b'0') {
            return None;
        }
        if self.literal(b".").is_some() {
            self.digits()?;
        }
        let ends = matches!(self.rest().first()?, b',' | b'}' | b']');
        (ends && self.at - begin <= MAX_NUMBER_BYTES).then_some(())
    }

    fn digits(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        self.at += length;
        rest.get(..length).filter(|digits| !digits.is_empty())
    }
}

/// How many bytes from the first on stand for themselves in a JSON string: ASCII without control characters, quote and
/// backslash. Eight bytes at a time in one word; of the marks in a word the lowest is exact, and only that is used.
fn plain_length(text: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let zero = |bytes: u64| bytes.wrapping_sub(EACH) & !bytes;
        let control = word.wrapping_sub(0x20 * EACH) & !word;
        let marks = (zero(word ^ (0x22 * EACH)) | zero(word ^ (0x5c * EACH)) | control | word) & HIGH;
        if marks != 0 {
            return at * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| (0x20..0x80).contains(*byte) && **byte != b'"' && **byte != b'\\';
    words.len() * 8 + rest.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte in every place of a word and beyond.
    #[test]
    fn plain_text_ends_at_the_first_byte_that_is_not_plain() {
        for byte in 0..=0xff_u8 {
            let is_plain = (0x20..0x80).contains(&byte) && !b"\"\\".contains(&byte);
            for place in 0..20 {
                for after in [b'a', b'"', 0x1f, 0x80, 0x21] {
                    let mut text = [b'a'; 24];
                    (text[place], text[place + 1], text[23]) = (byte, after, b'"');
                    let expected = text.iter().position(|b| !(0x20..0x80).contains(b) || b"\"\\".contains(b)).unwrap();
                    assert_eq!(plain_length(&text), expected, "{byte} {place}");
                    assert_eq!(expected == place, !is_plain);
                }
            }
        }
    }

    /// What is passed over is what a parser accepts, and ends where its value ends.
    #[test]
    fn sound_values_are_passed_over_whole() {
        for value in ["null", "true", "false", "0", "-1.5", "\"\"", "\"a\\n\\\"b\"", "{}", "[]", "[1,[],{\"a\":[{}]}]"]
        {
            let text = format!("{value},");
            let mut cursor = Cursor::new(text.as_bytes(), 0);
            assert_eq!((cursor.value(), cursor.rest()), (Some(()), &b","[..]), "{value}");
            assert!(serde_json::from_str::<serde_json::Value>(value).is_ok(), "{value}");
        }
        for value in [
            "nul",
            "01",
            "1e5",
            "-",
            "1.",
            ".5",
            "+1",
            "{",
            "[",
            "\"",
            "\"\\u0041\"",
            "\"\\x\"",
            "\"\u{e9}\"",
            "\"\n\"",
            "{,}",
            "[,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "[1}",
            "{\"a\":1]",
            "[1,]",
            "{\"a\":1,}",
            " 1",
            "1234567890123456",
            "",
        ] {
            let text = format!("{value},");
            assert_eq!(Cursor::new(text.as_bytes(), 0).value(), None, "{value}");
        }
        let deep = |depth: usize| format!("{}{},", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(Cursor::new(deep(MAX_DEPTH + 1).as_bytes(), 0).value(), Some(()));
        assert_eq!(Cursor::new(deep(MAX_DEPTH + 2).as_bytes(), 0).value(), None);
    }
}
