//! Progress: a bar on a terminal, a line every few seconds elsewhere; always on standard error.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::run::monitor::Monitor;

use super::terminal::{note, plain, size};

/// Between two lines where there is no bar.
const SILENCE: Duration = Duration::from_secs(5);
/// What is over sooner is not told where nobody watches.
const WHILE: Duration = Duration::from_secs(1);
/// Between two pictures of what turns.
const TURN: Duration = Duration::from_millis(100);

/// How to show progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Progress {
    /// A bar on a terminal; elsewhere plain lines, of phases that take longer than a second.
    Auto,
    /// Plain lines, of every phase.
    Plain,
    /// Nothing.
    None,
}

/// Shows the progress of a run.
pub(super) struct Shown {
    style: Style,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Bar,
    Plain,
    /// Plain lines, of what has lasted a while.
    Patient,
    Nothing,
}

struct State {
    bar: Option<ProgressBar>,
    phase: Phase,
    told: Instant,
}

/// How far a phase is.
struct Phase {
    name: String,
    /// What is done just now.
    at: String,
    /// Done, and to be done if that is known.
    steps: (u64, u64),
    /// The same in bytes, where steps are objects.
    bytes: (u64, u64),
    began: Instant,
    /// Whether its beginning was told.
    told: bool,
}

impl Phase {
    fn new(name: &str, steps: u64, bytes: u64) -> Self {
        let (at, began) = (String::new(), Instant::now());
        Self { name: name.to_owned(), at, steps: (0, steps), bytes: (0, bytes), began, told: false }
    }

    /// What there is to do.
    fn beginning(&self) -> String {
        match (self.steps.1, self.bytes.1) {
            (0, _) => self.name.clone(),
            (steps, 0) => format!("{}: {steps}", self.name),
            (steps, bytes) => format!("{}: {steps} objects, {}", self.name, size(bytes)),
        }
    }

    /// Beside a bar.
    fn message(&self) -> String {
        let at = if self.at.is_empty() { String::new() } else { format!(" {}", self.at) };
        match self.steps {
            (0, 0) => format!("{}{at}", self.name),
            (done, 0) => format!("{}{at}: {done}", self.name),
            (done, all) => format!("{} {done}/{all}{at}", self.name),
        }
    }

    /// After `seconds`, on a line of its own.
    fn line(&self, seconds: f64) -> String {
        let ((done, all), (read, bytes)) = (self.steps, self.bytes);
        if all == 0 || bytes == 0 {
            return self.message();
        }
        let left = bytes.saturating_sub(read) as f64 * seconds / read.max(1) as f64;
        let (name, read, bytes) = (&self.name, size(read), size(bytes));
        format!("{name}: {done} of {all} objects, {read} of {bytes}, about {left:.0} s left")
    }

    fn bar(&self) -> ProgressBar {
        let (bar, template) = match (self.steps.1, self.bytes.1) {
            (0, _) => (ProgressBar::new_spinner(), "{spinner} {wide_msg}"),
            (steps, 0) => (ProgressBar::new(steps), "{msg} {wide_bar} {elapsed}"),
            (_, bytes) => (ProgressBar::new(bytes), "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}"),
        };
        if self.steps.1 == 0 {
            bar.enable_steady_tick(TURN);
        }
        ProgressStyle::with_template(template).map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
    }
}

impl Shown {
    pub(super) fn new(progress: Progress, quiet: bool) -> Self {
        let style = match progress {
            _ if quiet => Style::Nothing,
            Progress::None => Style::Nothing,
            Progress::Plain => Style::Plain,
            // A terminal that cannot go back on its line has no bars.
            Progress::Auto if std::env::var_os("TERM").is_some_and(|term| term == "dumb") => Style::Patient,
            Progress::Auto if std::io::stderr().is_terminal() => Style::Bar,
            Progress::Auto => Style::Patient,
        };
        Self { style, state: Mutex::new(State { bar: None, phase: Phase::new("", 0, 0), told: Instant::now() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self, change: impl FnOnce(&mut Phase), bytes: u64) {
        if self.style == Style::Nothing {
            return;
        }
        let mut state = self.state();
        change(&mut state.phase);
        if let Some(bar) = &state.bar {
            bar.set_message(state.phase.message());
            bar.inc(if state.phase.bytes.1 > 0 { bytes } else { 1 });
        } else if self.style == Style::Patient && !state.phase.told {
            if state.phase.began.elapsed() > WHILE {
                (state.phase.told, state.told) = (true, Instant::now());
                note(&state.phase.beginning());
            }
        } else if state.told.elapsed() > SILENCE {
            state.told = Instant::now();
            note(&state.phase.line(state.phase.began.elapsed().as_secs_f64()));
        }
    }
}

impl Monitor for Shown {
    fn begin(&self, phase: &str, steps: u64, bytes: u64) {
        self.end();
        let phase = Phase::new(&plain(phase), steps, bytes);
        let bar = match self.style {
            Style::Nothing => return,
            Style::Patient => None,
            Style::Plain => {
                note(&phase.beginning());
                None
            }
            Style::Bar => {
                let bar = phase.bar();
                bar.set_message(phase.message());
                Some(bar)
            }
        };
        *self.state() = State { bar, phase, told: Instant::now() };
    }

    fn step(&self, bytes: u64) {
        let done = |phase: &mut Phase| {
            phase.steps.0 += 1;
            phase.bytes.0 += bytes;
        };
        self.moved(done, bytes);
    }

    fn at(&self, what: &str) {
        let now = |phase: &mut Phase| {
            phase.steps.0 += 1;
            phase.at = plain(what);
        };
        self.moved(now, 0);
    }

    fn end(&self) {
        let mut state = self.state();
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
        let lasted = state.phase.began.elapsed();
        if self.style == Style::Patient && !state.phase.told && !state.phase.name.is_empty() && lasted > WHILE {
            note(&format!("{}: {:.0} s", state.phase.beginning(), lasted.as_secs_f64()));
        }
        state.phase.told = true;
    }
}

/// What stopped the work is told on a line of its own.
impl Drop for Shown {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_tells_what_it_knows() {
        let check = |steps: (u64, u64), bytes: (u64, u64), at: &str, expected: [&str; 2]| {
            let phase = Phase { at: at.to_owned(), steps, bytes, ..Phase::new("reading", 0, 0) };
            assert_eq!([phase.beginning(), phase.line(2.0)], expected);
        };
        check((0, 0), (0, 0), "", ["reading", "reading"]);
        check((3, 0), (0, 0), "iam:ListUsers", ["reading", "reading iam:ListUsers: 3"]);
        check((3, 9), (0, 0), "", ["reading: 9", "reading 3/9"]);
        let line = "reading: 3 of 9 objects, 1.00 KiB of 3.00 KiB, about 4 s left";
        check((3, 9), (1024, 3072), "", ["reading: 9 objects, 3.00 KiB", line]);
    }
}
