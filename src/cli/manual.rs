//! `thirdtrail completions` and `thirdtrail man`: both are made of the arguments as clap reads them, so they lack none.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};
use clap_mangen::{Man, generate_to};

use crate::run::UserError;

use super::args::Arguments;
use super::exit_code::ExitCode;
use super::terminal::{line, note, plain};

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Write a page for each command into this folder, such as `thirdtrail-analyze.1`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(arguments: &CompletionsArguments) -> anyhow::Result<ExitCode> {
    let (mut command, mut script) = (Arguments::command(), Vec::new());
    let name = command.get_name().to_owned();
    generate(arguments.shell, &mut command, name, &mut script);
    line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::Done)
}

pub(super) fn man(arguments: &ManArguments) -> anyhow::Result<ExitCode> {
    let command = Arguments::command();
    let Some(out) = &arguments.out else {
        let mut page = Vec::new();
        Man::new(command.disable_help_subcommand(true)).render(&mut page)?;
        line(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(ExitCode::Done);
    };
    let shown = out.display();
    fs::create_dir_all(out).and_then(|()| generate_to(command, out)).map_err(|error| {
        UserError::new(format!("cannot write manual pages to `{shown}`: {error}"), "name another folder with --out")
    })?;
    note(&plain(&format!("wrote manual pages to {shown}; `man -l {shown}/thirdtrail.1` shows the first")));
    Ok(ExitCode::Done)
}
