//! `thirdtrail report`.

use crate::run::UserError;
use crate::run::checkpoint::{Checkpoints, open_known};
use crate::run::config::file::Config;
use crate::run::output::Target;
use crate::run::report::report;
use crate::run::resume::Saved;

use super::analyze::{finish, options};
use super::args::AnalyzeArguments;
use super::exit_code::ExitCode;
use super::progress::Shown;
use super::stop::stoppable;

pub(super) fn run(arguments: &AnalyzeArguments, config: Option<Config>) -> anyhow::Result<ExitCode> {
    if arguments.verify_digests {
        return Err(UserError::new(
            "`report` has no objects to verify: `--verify-digests` needs the trail",
            "run `thirdtrail analyze` with the trail and --verify-digests",
        )
        .into());
    }
    let out = Target::open(&arguments.out, &arguments.aws.options())?;
    let evidence = open_known(&arguments.selection.source, &arguments.aws.options())?;
    let mut options = options(arguments, config);
    // Evidence does not tell which bucket it was read from; where it lies itself says nothing about trails.
    options.beside.bucket = None;
    options.beside.regions.clear();
    let monitor = Shown::new(arguments.progress, arguments.quiet);
    let checkpoints = Checkpoints::open(&*evidence)?;
    stoppable(|stop| {
        let outcome = report(Saved { checkpoints: &checkpoints, stop }, &options, &monitor)?;
        finish(arguments, &out, outcome, &options, &monitor)
    })
}
