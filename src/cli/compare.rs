//! `thirdtrail compare`: what changed between two reports.

use crate::finding::compare::rank;
use crate::run::compare::Compared;

use super::args::{CompareArguments, CompareFormat};
use super::exit_code::ExitCode;
use super::terminal::{line, plain};

pub(super) fn run(arguments: &CompareArguments) -> anyhow::Result<ExitCode> {
    let compared = Compared::read(&arguments.old, &arguments.new)?;
    match arguments.format {
        CompareFormat::Table => {
            for text in compared.lines() {
                line(&plain(&text))?;
            }
        }
        CompareFormat::Json => line(&serde_json::to_string_pretty(compared.comparison())?)?,
        CompareFormat::Markdown => line(compared.markdown().trim_end())?,
    }
    let comparison = compared.comparison();
    let grave = |level: super::args::Severity| {
        comparison.to_look_at().any(|finding| rank(&finding.severity) <= rank(level.word()))
    };
    // What is new is new, whatever else was not read; that nothing is new is known only where all was read.
    Ok(match arguments.fail_on {
        Some(level) if grave(level) => ExitCode::Findings,
        _ if !comparison.new.complete => ExitCode::Incomplete,
        _ => ExitCode::Done,
    })
}
