//! Text on the terminal: progress, summary, errors. Everything a stranger may have written is shown without control
//! sequences (S43).

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::run::config::file::Config;
use crate::run::monitor::Monitor;

use crate::policy::diff::hides;

use super::args::Progress;
use super::exit_code::ExitCode;

/// `text` on one line, characters that could hide or move others shown as what they are.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if hides(c) { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() }).collect()
}

/// Prints a line on standard output; a closed pipe ends the program quietly, as it should.
pub(super) fn line(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")
}

/// The width of the terminal that standard output is, in columns; nothing where it is none.
pub(super) fn width() -> Option<usize> {
    let terminal = console::Term::stdout();
    terminal.size_checked().filter(|_| terminal.is_term()).map(|(_, columns)| usize::from(columns))
}

/// Prints a line on standard error.
pub(super) fn note(text: &str) {
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
    let _ = error.print();
    if error.use_stderr() { ExitCode::Mistake } else { ExitCode::Done }
}

/// A panic was caught; its message is already on standard error.
pub(super) fn bug() -> ExitCode {
    note("error: this is a bug in thirdtrail; nothing was written; please report the lines above");
    ExitCode::Bug
}

/// Progress: a bar on a terminal, a line every few seconds elsewhere.
pub(super) struct Shown {
    style: Style,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Bar,
    Plain,
    Nothing,
}

struct State {
    bar: Option<ProgressBar>,
    phase: String,
    steps: (u64, u64),
    bytes: (u64, u64),
    began: Instant,
    told: Instant,
}

impl Shown {
    pub(super) fn new(progress: Progress, quiet: bool) -> Self {
        let style = match progress {
            _ if quiet => Style::Nothing,
            Progress::None => Style::Nothing,
            Progress::Auto if std::io::stderr().is_terminal() => Style::Bar,
            Progress::Auto | Progress::Plain => Style::Plain,
        };
        let now = Instant::now();
        let state = State { bar: None, phase: String::new(), steps: (0, 0), bytes: (0, 0), began: now, told: now };
        Self { style, state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Monitor for Shown {
    fn begin(&self, phase: &str, steps: u64, bytes: u64) {
        let mut state = self.state();
        let now = Instant::now();
        *state =
            State { bar: None, phase: phase.to_owned(), steps: (0, steps), bytes: (0, bytes), began: now, told: now };
        match self.style {
            Style::Nothing => {}
            Style::Plain if steps > 0 => note(&format!("{phase}: {steps} objects, {}", size(bytes))),
            Style::Plain => note(phase),
            Style::Bar if steps > 0 => {
                let bar = ProgressBar::new(bytes);
                let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.set_message(phase.to_owned());
                state.bar = Some(bar);
            }
            Style::Bar => {
                let bar = ProgressBar::new_spinner();
                bar.set_message(phase.to_owned());
                bar.enable_steady_tick(Duration::from_millis(100));
                state.bar = Some(bar);
            }
        }
    }

    fn step(&self, bytes: u64) {
        if self.style == Style::Nothing {
            return;
        }
        let mut state = self.state();
        state.steps.0 += 1;
        state.bytes.0 += bytes;
        if let Some(bar) = &state.bar {
            bar.set_message(format!("{} {}/{}", state.phase, state.steps.0, state.steps.1));
            bar.inc(bytes);
        } else if state.told.elapsed() > Duration::from_secs(5) {
            state.told = Instant::now();
            let seconds = state.began.elapsed().as_secs_f64();
            let left = (state.bytes.1.saturating_sub(state.bytes.0)) as f64 * seconds / (state.bytes.0.max(1)) as f64;
            note(&format!(
                "{}: {} of {} objects, {} of {}, about {left:.0} s left",
                state.phase,
                state.steps.0,
                state.steps.1,
                size(state.bytes.0),
                size(state.bytes.1)
            ));
        }
    }

    fn end(&self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
