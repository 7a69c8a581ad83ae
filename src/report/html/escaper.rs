//! What every text goes through on its way into a page: no markup, no quotes, nothing that hides or turns other text (S43).
//!
//! Templates name it in `askama.toml`, so that nobody can forget it; only our own charts, style and script pass unescaped.

use std::fmt;

use askama::filters::Escaper;

use super::super::escape::visible;

/// Escapes for element content and quoted attributes, and shows characters that have no form of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, c) in string.char_indices() {
            let harmless = c == visible(c) && !matches!(c, '<' | '>' | '&' | '"' | '\'');
            if harmless {
                continue;
            }
            dest.write_str(string.get(plain..at).unwrap_or_default())?;
            plain = at + c.len_utf8();
            match c {
                '<' => dest.write_str("&lt;")?,
                '>' => dest.write_str("&gt;")?,
                '&' => dest.write_str("&amp;")?,
                '"' => dest.write_str("&quot;")?,
                '\'' => dest.write_str("&#39;")?,
                c => dest.write_char(visible(c))?,
            }
        }
        dest.write_str(string.get(plain..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S43: markup, quotes, control characters and marks of direction are shown, not obeyed.
    #[test]
    fn hostile_text_is_shown_not_obeyed() {
        for (raw, expected) in [
            ("plain é 例", "plain é 例"),
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a&lt;b", "a&amp;lt;b"),
            ("\u{1b}[31mred\u{202e}gnp.exe\u{200b}\0", "␛[31mred\u{fffd}gnp.exe\u{fffd}␀"),
            ("a\r\nb", "a  b"),
        ] {
            let mut out = String::new();
            Visible.write_escaped_str(&mut out, raw).unwrap();
            assert_eq!(out, expected, "{raw:?}");
        }
    }
}
