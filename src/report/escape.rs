//! Strangers' text made harmless for Markdown, which may hold HTML, and for command lines shown in it (S43).
//!
//! Session names, user agents, role names and keys are written by whoever calls. Nothing here decides what to show;
//! everything shown that is not a constant of this program goes through here.

/// Longest text shown in one place of a page, in characters; whole texts are in `report.json` and the tables.
pub const SHOWN_CHARS: usize = 400;

/// Longest text in a comment of a script.
const SCRIPT_CHARS: usize = 200;

/// Text in a paragraph, list or table cell: one line, no markup, no HTML, no links, no control characters.
#[must_use]
pub fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + 8);
    let mut rest = raw.chars();
    for c in rest.by_ref().take(SHOWN_CHARS) {
        match visible(c) {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An address is not to become a link.
            '/' if out.ends_with(":/") => out.push_str("\\/"),
            c @ ('\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '$') => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    if rest.next().is_some() {
        out.push('…');
    }
    let out = out.replace("www.", "www\\.");
    match out.chars().next() {
        // What would begin a list, a quote or a heading begins with a harmless escape instead.
        Some('-' | '+' | '=') => format!("\\{out}"),
        Some(' ') => out.trim_start().to_owned(),
        _ => out,
    }
}

/// A name or another value to be copied: in a code span when that cannot go wrong, else as [`text`].
#[must_use]
pub fn code(raw: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/:*?#%".contains(c);
    if !raw.is_empty() && raw.len() <= SHOWN_CHARS && raw.chars().all(harmless) {
        format!("`{raw}`")
    } else {
        text(raw)
    }
}

/// A sentence of ours, in which words between backticks are to be copied; whoever else had a word in it, nothing is markup.
#[must_use]
pub fn prose(raw: &str) -> String {
    if raw.matches('`').count() % 2 == 1 {
        return text(raw);
    }
    let copied = |part: &str| {
        let plain = part.split(' ').all(|word| !word.is_empty() && code(word).starts_with('`'));
        if plain { format!("`{part}`") } else { text(part) }
    };
    let parts = raw.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { copied(part) } else { spaced(part) }).collect()
}

/// As [`text`], with the space that it begins with.
fn spaced(raw: &str) -> String {
    format!("{}{}", if raw.starts_with(' ') { " " } else { "" }, text(raw))
}

/// A word of a command line, when it needs no quoting; nobody should copy a command that holds anything else.
#[must_use]
pub fn shell_word(raw: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_/:-".contains(c);
    (!raw.is_empty() && !raw.starts_with('-') && raw.chars().all(plain)).then_some(raw)
}

/// One word for the shell, whatever it holds but a NUL, which no word can.
#[must_use]
pub fn shell_quoted(raw: &str) -> String {
    format!("'{}'", raw.replace('\'', r"'\''"))
}

/// Adds a comment line to a script, from which everything is taken that is not plain.
pub fn shell_comment(out: &mut String, raw: &str) {
    out.push_str("# ");
    out.push_str(&shell_plain(raw));
    out.push('\n');
}

/// What is left of a text that a script shows: plain characters, a question mark for each of the others.
#[must_use]
pub fn shell_plain(raw: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " .,:;()/_@+=`'-".contains(c);
    raw.chars().take(SCRIPT_CHARS).map(|c| if plain(c) { c } else { '?' }).collect()
}

/// Text of several lines in a code block, which nothing in it ends.
#[must_use]
pub fn fenced(language: &str, raw: &str) -> String {
    let longest = raw.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let shown: String = raw.trim_end().chars().map(|c| if c == '\n' { c } else { visible(c) }).collect();
    format!("{fence}{language}\n{shown}\n{fence}")
}

/// Each character, or one that shows where a character without form was.
#[must_use]
pub fn visible_text(raw: &str) -> String {
    raw.chars().map(visible).collect()
}

/// The character, or one that shows where a character without form was.
///
/// Control characters become their pictures; marks that turn the direction of writing or take no room become U+FFFD.
pub(super) fn visible(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// S43: strangers' text is neither markup nor HTML nor a link.
    #[test]
    fn hostile_text_is_shown_not_obeyed() {
        for (raw, expected) in [
            ("a|b", "a\\|b"),
            ("`x`", "\\`x\\`"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("line\r\nnext", "line  next"),
            ("\u{1b}[31mred", "␛\\[31mred"),
            ("\u{202e}gnp.exe", "\u{fffd}gnp.exe"),
            ("http://evil.example", "http:/\\/evil.example"),
            ("[x](y) & ![z]", "\\[x\\](y) &amp; \\!\\[z\\]"),
            ("- item", "\\- item"),
        ] {
            assert_eq!(text(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn plain_names_can_be_copied() {
        assert_eq!(code("arn:aws:iam::111122223333:role/v/A_b"), "`arn:aws:iam::111122223333:role/v/A_b`");
        assert_eq!(code("a`b"), "a\\`b");
        assert_eq!(code("a|b"), "a\\|b");
    }

    /// S43: a command is shown only when no word of it needs quoting.
    #[test]
    fn odd_words_make_no_command() {
        assert_eq!(shell_word("roles/1/A+b=c"), Some("roles/1/A+b=c"));
        for odd in ["", "-rf", "a b", "$(x)", "a;b", "a'b", "a\nb"] {
            assert_eq!(shell_word(odd), None, "{odd:?}");
        }
    }

    /// S43: no word ends its quotes, no comment its line, no line its code block.
    #[test]
    fn hostile_words_stay_words() {
        assert_eq!(shell_quoted("a'; rm -rf / #"), r"'a'\''; rm -rf / #'");
        let mut out = String::new();
        shell_comment(&mut out, "x\nrm -rf /\r\u{2028}$(id)");
        assert_eq!(out, "# x?rm -rf /???(id)\n");
        assert_eq!(fenced("diff", "+a\n"), "```diff\n+a\n```");
        assert_eq!(fenced("diff", " ```\n\u{202e}<b>"), "````diff\n ```\n\u{fffd}<b>\n````");
    }

    proptest! {
        /// S43, S44: one line, no tag, no cell border, and not much longer than what is shown at most.
        #[test]
        fn any_text_stays_in_its_cell(raw in "\\PC*|.*") {
            for shown in [text(&raw), code(&raw)] {
                let raw_marks = shown.contains(['<', '\n', '\r', '\u{1b}']);
                prop_assert!(!raw_marks);
                prop_assert!(!shown.replace("\\\\", "").replace("\\|", "").contains('|'));
                prop_assert!(shown.chars().count() <= SHOWN_CHARS * 5 + 2);
            }
        }
    }

    /// S43: words to be copied are, and nothing that a stranger put into a sentence becomes markup.
    #[test]
    fn sentences_keep_their_words_and_no_markup() {
        assert_eq!(prose("take `*.json` and `a b`, then"), "take `*.json` and `a b`, then");
        assert_eq!(prose("an odd ` sign"), text("an odd ` sign"));
        for hostile in ["x `<b>` y", "x ``` y `", "a `]( b` <i>", "`\n# heading`"] {
            let shown = prose(hostile);
            assert!(!shown.contains('<') && !shown.contains('\n') && !shown.contains("```"), "{shown}");
        }
    }
}
