//! `thirdtrail compare`: what changed between two reports.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::finding::compare::rank;
use crate::run::compare::Compared;

use super::args::Severity;
use super::exit_code::ExitCode;
use super::ink::Ink;
use super::terminal::{line, plain, told_under};

/// Where what changed stands, beside its sign.
const BESIDE: usize = 4;

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// The earlier `report.json`, or the folder that holds it.
    pub(super) old: PathBuf,
    /// The later one.
    pub(super) new: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t = CompareFormat::Table)]
    pub(super) format: CompareFormat,
    /// Exit with 1 if a finding of this severity or a graver one is new, became that grave, or lost its suppression.
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<Severity>,
}

/// How to print a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum CompareFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For a page or a ticket.
    Markdown,
}

pub(super) fn run(arguments: &CompareArguments) -> anyhow::Result<ExitCode> {
    let compared = Compared::read(&arguments.old, &arguments.new)?;
    match arguments.format {
        CompareFormat::Table => {
            for text in compared.lines() {
                told_under(&painted(&plain(&text)), BESIDE)?;
            }
        }
        CompareFormat::Json => line(&serde_json::to_string_pretty(compared.comparison())?)?,
        CompareFormat::Markdown => line(compared.markdown().trim_end())?,
    }
    let comparison = compared.comparison();
    let grave = |level: Severity| comparison.to_look_at().any(|finding| rank(&finding.severity) <= rank(level.word()));
    // What is new is new, whatever else was not read; that nothing is new is known only where all was read.
    Ok(match arguments.fail_on {
        Some(level) if grave(level) => ExitCode::Findings,
        _ if !comparison.new.complete => ExitCode::Incomplete,
        _ => ExitCode::Done,
    })
}

/// A line of the table: the severity of a finding stands out, and so does the head of a section.
fn painted(text: &str) -> String {
    let Some(change) = text.strip_prefix("  ") else {
        let (head, rest) = text.split_once(':').unwrap_or((text, ""));
        return if rest.is_empty() { text.to_owned() } else { format!("{}:{rest}", Ink::Head.paint(head)) };
    };
    let mut words = change.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some(sign), Some(word), Some(rest)) => format!("  {sign} {} {rest}", Ink::of(word).paint(word)),
        _ => text.to_owned(),
    }
}
