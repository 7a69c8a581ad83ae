//! Ctrl-C: once to finish what is in hand and keep it, twice to stop at once.

use signal_hook::consts::SIGINT;
use signal_hook::flag::{register, register_conditional_shutdown};

use crate::run::stop::Stop;

use super::exit_code::ExitCode;
use super::terminal::note;

/// Does work that can be stopped and taken up again.
pub(super) fn stoppable(work: impl FnOnce(&Stop) -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let stop = Stop::default();
    // In this order: the second Ctrl-C finds the flag that the first one set. Where no handler can be set, Ctrl-C ends the
    // program as it always does; the evidence is whole in any case.
    let _ = register_conditional_shutdown(SIGINT, ExitCode::Interrupted as i32, stop.flag());
    let _ = register(SIGINT, stop.flag());
    match work(&stop) {
        Err(error) if stop.is_asked() => {
            note(&format!("{error:#}"));
            Ok(ExitCode::Interrupted)
        }
        done => done,
    }
}
