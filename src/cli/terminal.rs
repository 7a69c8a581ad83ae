//! Text on the terminal: lines, sentences, notes, errors. Everything a stranger may have written is shown without control
//! sequences (S43).

use std::io::Write;

use crate::policy::diff::hides;
use crate::run::config::file::Config;

use super::exit_code::ExitCode;
use super::ink::Ink;

/// Words that a line on standard error may begin with, each with what it is painted with.
const FIRST_WORDS: [(&str, Ink); 4] =
    [("error:", Ink::Critical), ("warning:", Ink::Doubt), ("note:", Ink::Head), ("help:", Ink::Head)];

/// `text` on one line, characters that could hide or move others shown as what they are.
pub(super) fn plain(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if hides(c) || has_no_shape(c) {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            shown.push(c);
        }
        shown
    })
}

/// Characters without a shape of their own: they make two names look like one, and terminals differ in how wide what
/// they stand beside becomes.
fn has_no_shape(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// Prints a line on standard output; a closed pipe ends the program quietly, as it should.
pub(super) fn line(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")
}

/// Prints sentences on standard output, what strangers wrote in them [`plain`]: on a terminal their lines are broken between
/// words, and what is broken off stands a little further in than where the text begins.
pub(super) fn told(text: &str) -> std::io::Result<()> {
    told_under(text, text.len() - text.trim_start().len() + 2)
}

/// The same, with what is broken off below the column `under`.
pub(super) fn told_under(text: &str, under: usize) -> std::io::Result<()> {
    folded(text, width(), under).iter().try_for_each(|part| line(part))
}

fn folded(text: &str, width: Option<usize>, under: usize) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let further = " ".repeat(under.min(width / 2));
    // At spaces alone: whoever copies a name or a path would copy a part of it.
    let options = textwrap::Options::new(width)
        .subsequent_indent(&further)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let broken = textwrap::wrap(text, options);
    broken.into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// The width of the terminal that standard output is, in columns; nothing where it is none.
pub(super) fn width() -> Option<usize> {
    let terminal = console::Term::stdout();
    terminal.size_checked().filter(|_| terminal.is_term()).map(|(_, columns)| usize::from(columns))
}

/// Prints a line on standard error; a word such as `warning:` at its beginning stands out.
pub(super) fn note(text: &str) {
    let word = FIRST_WORDS.iter().find_map(|(word, ink)| Some((word, ink, text.strip_prefix(word)?)));
    let text = word.map_or_else(|| text.to_owned(), |(word, ink, rest)| format!("{}{rest}", ink.paint_note(word)));
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Which configuration is used, if one is.
pub(super) fn config_note(config: Option<&Config>) {
    if let Some(config) = config {
        note(&plain(&format!("config: {}", config.path.display())));
    }
}

/// The user's mistake, on one line.
pub(super) fn mistake(error: &anyhow::Error) -> ExitCode {
    let broken_pipe =
        error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
    if broken_pipe {
        return ExitCode::Done;
    }
    note(&format!("error: {}", plain(&format!("{error:#}"))));
    ExitCode::Mistake
}

/// Usage as clap words it: help and version are no mistakes.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render();
    // Nobody is left to be told that nobody listens.
    if error.use_stderr() {
        let text = if console::colors_enabled_stderr() { text.ansi().to_string() } else { text.to_string() };
        let _ = write!(std::io::stderr().lock(), "{text}");
        return ExitCode::Mistake;
    }
    let text = if console::colors_enabled() { text.ansi().to_string() } else { text.to_string() };
    let _ = write!(std::io::stdout().lock(), "{text}");
    ExitCode::Done
}

/// A panic was caught; its message is already on standard error.
pub(super) fn bug() -> ExitCode {
    note("error: this is a bug in thirdtrail; nothing was written; please report the lines above");
    ExitCode::Bug
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_hides_or_turns_text_is_shown_as_it_is() {
        for (text, expected) in [
            ("role \u{1b}[31mRed", "role \\u{1b}[31mRed"),
            ("a\u{202e}b\u{200b}c\u{fe0f}", "a\\u{202e}b\\u{200b}c\\u{fe0f}"),
            ("two\nlines", "two\\u{a}lines"),
            ("世界 e\u{301}", "世界 e\u{301}"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn sentences_are_broken_between_words_where_they_can() {
        let parts = folded("  one two three-four", Some(14), 4);
        assert_eq!(parts, ["  one two", "    three-four"]);
        assert_eq!(folded("  one two three-four", None, 4), ["  one two three-four"]);
        for width in [1, 8, 40] {
            let parts = folded(&format!("{} {}", "x".repeat(500), "世".repeat(500)), Some(width), 2);
            assert!(parts.iter().all(|part| console::measure_text_width(part) <= width.max(2)), "{width}");
        }
    }
}
