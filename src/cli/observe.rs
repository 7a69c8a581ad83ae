//! `thirdtrail observe`.

use std::path::Path;

use crate::run::analyze::Options;
use crate::run::beside::BesideOptions;
use crate::run::checkpoint::{Checkpoints, open_place};
use crate::run::monitor::Monitor;
use crate::run::observe::{Observed, observe};
use crate::run::resume::Saved;
use crate::run::task::Task;
use crate::run::{UserError, inputs, source};

use super::analyze::{effort, request};
use super::args::ObserveArguments;
use super::coverage::evidence;
use super::exit_code::ExitCode;
use super::input::Input;
use super::progress::Shown;
use super::stop::stoppable;
use super::terminal::{line, plain};

pub(super) fn run(arguments: &ObserveArguments) -> anyhow::Result<ExitCode> {
    let task = arguments.objects.as_deref().map(task).transpose()?.unwrap_or_default();
    let aws = arguments.aws.options();
    let store = source::open(&arguments.selection.source, &aws)?;
    let place = open_place(&arguments.evidence, &aws)?;
    let checkpoints = match task.planned() {
        Some(objects) => Checkpoints::open_for(&*place, objects)?,
        None => Checkpoints::open(&*place)?,
    };
    let options = Options {
        request: request(&arguments.selection),
        inventories: if arguments.inventory.is_empty() {
            inputs::beside(Path::new(&arguments.selection.source))
        } else {
            arguments.inventory.clone()
        },
        own_accounts: arguments.own_account.iter().copied().collect(),
        beside: BesideOptions {
            regions: source::region_of(&arguments.selection.source).into_iter().collect(),
            ..BesideOptions::default()
        },
        effort: effort(arguments.jobs, 0),
        ..Options::default()
    };
    let monitor = Shown::new(arguments.progress, arguments.quiet);
    stoppable(|stop| {
        let saved = Saved { checkpoints: &checkpoints, stop };
        let observed = observe(&*store, &options, &task, saved, &monitor)?;
        monitor.end();
        if !arguments.quiet {
            tell(&observed)?;
        }
        Ok(if observed.failed.is_empty() { ExitCode::Done } else { ExitCode::Incomplete })
    })
}

/// The task in a file; `-` is standard input.
fn task(path: &Path) -> Result<Task, UserError> {
    let input = Input::read((path != Path::new("-")).then_some(path))?;
    let text = input.text().map_err(|_| {
        UserError::new(
            format!("cannot read the objects in `{}`: not UTF-8", input.name),
            "give one key a line, in UTF-8",
        )
    })?;
    Task::parse(&input.name, text)
}

fn tell(observed: &Observed) -> anyhow::Result<()> {
    evidence(&observed.notes)?;
    for (key, reason) in observed.failed.iter().take(10) {
        line(&format!("cannot read {}: {}", plain(key), plain(reason)))?;
    }
    Ok(())
}
