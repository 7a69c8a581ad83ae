//! The command line: arguments in, text out, exit codes. The only folder that prints.

mod activity;
mod analyze;
mod args;
mod beside;
mod collect;
mod compare;
mod config;
mod diff;
mod exit_code;
mod external_id;
mod generate;
mod input;
mod investigate;
mod lint;
mod map;
mod observe;
mod outputs;
mod plan;
mod policy;
mod queries;
mod report;
mod stop;
mod template;
mod terminal;
mod vendors;

pub use exit_code::ExitCode;

use args::Command;
use config::Stop;

/// Runs the program with the process's own arguments and answers with its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let (arguments, config) = match config::arguments(std::env::args_os().collect()) {
        Ok(read) => read,
        Err(Stop::Usage(error)) => return terminal::usage(&error),
        Err(Stop::Mistake(error)) => return terminal::mistake(&error.into()),
    };
    let done = std::panic::catch_unwind(|| match arguments.command {
        Command::Analyze(arguments) => analyze::run(&arguments, config),
        Command::Investigate(arguments) => investigate::run(&arguments),
        Command::Activity(arguments) => activity::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Collect(arguments) => collect::run(&arguments),
        Command::Observe(arguments) => observe::run(&arguments),
        Command::Report(arguments) => report::run(&arguments, config),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Map(arguments) => map::run(&arguments),
        Command::Vendors(arguments) => vendors::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::ExternalId(arguments) => external_id::run(&arguments, config),
        Command::Template(arguments) => template::run(&arguments, config),
        Command::Queries(arguments) => queries::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
    });
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => terminal::mistake(&error),
        Err(_) => terminal::bug(),
    }
}
