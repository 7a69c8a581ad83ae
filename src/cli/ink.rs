//! Colours: on a terminal only, and never where somebody does not want them.
//!
//! A colour says again what a word beside it says already, so nothing is lost without them. Paint goes on last, over text
//! that went through [`plain`](super::terminal::plain): what strangers wrote cannot bring in a colour of its own.

use std::ffi::{OsStr, OsString};

use clap::ValueEnum;
use console::{Style, Term};

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`.
    #[default]
    Auto,
    /// Into files and pipes too.
    Always,
    /// Nowhere.
    Never,
}

/// What the words are like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Ink {
    /// A heading.
    Head,
    /// The gravest.
    Critical,
    /// Grave, refused, gone.
    Bad,
    /// To be looked at.
    Doubt,
    /// As it should be, new.
    Good,
    /// Of little weight.
    Faint,
    /// Like everything else.
    #[default]
    Usual,
}

impl Ink {
    /// That of a severity, or of a verdict.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "critical" => Self::Critical,
            "high" | "error" | "denied" | "admits_without" | "admits_any" => Self::Bad,
            "medium" | "warning" | "failed" | "unknown" | "unproven" => Self::Doubt,
            "refuses" => Self::Good,
            "low" | "info" | "note" => Self::Faint,
            _ => Self::Usual,
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Head => Style::new().bold(),
            Self::Critical => Style::new().red().bold(),
            Self::Bad => Style::new().red(),
            Self::Doubt => Style::new().yellow(),
            Self::Good => Style::new().green(),
            Self::Faint => Style::new().dim(),
            Self::Usual => Style::new(),
        }
    }

    /// `text` for standard output.
    pub(super) fn paint(self, text: &str) -> String {
        self.style().apply_to(text).to_string()
    }

    /// `text` for standard error.
    pub(super) fn paint_note(self, text: &str) -> String {
        self.style().for_stderr().apply_to(text).to_string()
    }
}

/// Decides for standard output and standard error, each for itself, by what was typed and by the environment.
pub(super) fn set_colours(typed: &[OsString]) {
    let (colour, environment) = (asked(typed), Environment::of_process());
    console::set_colors_enabled(environment.wants(colour, Term::stdout().is_term()));
    console::set_colors_enabled_stderr(environment.wants(colour, Term::stderr().is_term()));
}

/// The last `--color` that was typed; read before anything else, so that a word about wrong usage is shown as asked, too.
fn asked(typed: &[OsString]) -> Colour {
    let mut asked = Colour::default();
    let mut words = typed.iter().take_while(|word| *word != "--").map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next().map(|next| next.into_owned()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(value) = value {
            asked = Colour::from_str(&value, false).unwrap_or(asked);
        }
    }
    asked
}

/// What the environment says about colours: <https://no-color.org>, <https://bixense.com/clicolors>.
struct Environment {
    no_color: bool,
    forced: bool,
    off: bool,
    dumb: bool,
}

impl Environment {
    fn of_process() -> Self {
        Self::read(|name| std::env::var_os(name))
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let is = |name: &str, wanted: &str| variable(name).as_deref() == Some(OsStr::new(wanted));
        let given = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        Self {
            no_color: given("NO_COLOR"),
            forced: given("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0"),
            off: is("CLICOLOR", "0"),
            dumb: is("TERM", "dumb"),
        }
    }

    fn wants(&self, colour: Colour, is_terminal: bool) -> bool {
        match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !self.no_color && (self.forced || (is_terminal && !self.off && !self.dumb)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_and_for_those_who_want_them() {
        let check = |colour, variables: &[(&str, &str)], on_terminal: bool, elsewhere: bool| {
            let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            let environment = Environment::read(value);
            let wanted = (environment.wants(colour, true), environment.wants(colour, false));
            assert_eq!(wanted, (on_terminal, elsewhere), "{colour:?} {variables:?}");
        };
        check(Colour::Auto, &[("TERM", "xterm")], true, false);
        check(Colour::Auto, &[("TERM", "dumb")], false, false);
        check(Colour::Auto, &[("NO_COLOR", "1")], false, false);
        check(Colour::Auto, &[("NO_COLOR", "")], true, false);
        check(Colour::Auto, &[("CLICOLOR", "0")], false, false);
        check(Colour::Auto, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], true, true);
        check(Colour::Auto, &[("CLICOLOR_FORCE", "0")], true, false);
        check(Colour::Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false);
        check(Colour::Always, &[("NO_COLOR", "1")], true, true);
        check(Colour::Never, &[("CLICOLOR_FORCE", "1")], false, false);
    }

    #[test]
    fn the_last_word_about_colours_counts() {
        let check = |typed: &[&str], expected| {
            let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
            assert_eq!(asked(&typed), expected, "{typed:?}");
        };
        check(&["plan", "x"], Colour::Auto);
        check(&["--color", "never", "plan"], Colour::Never);
        check(&["plan", "--color=always"], Colour::Always);
        check(&["--color=always", "plan", "--color=never"], Colour::Never);
        check(&["plan", "--", "--color=never"], Colour::Auto);
        check(&["plan", "--color"], Colour::Auto);
        check(&["plan", "--color=blue"], Colour::Auto);
    }
}
