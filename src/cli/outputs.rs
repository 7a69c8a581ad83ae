//! Which outputs to write, and where to.

use clap::ValueEnum;

use crate::run::UserError;
use crate::run::analyze::{Format, Formats};
use crate::run::output::{Others, Target};
use crate::run::pack::PackTarget;

use super::args::AnalyzeArguments;

/// An output of `analyze`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum OutputFormat {
    /// The pages below `report`.
    Html,
    /// `report.md`.
    Md,
    /// `report.json`, which is written in any case.
    Json,
    /// `findings.csv`, for spreadsheets.
    Csv,
    /// `findings.sarif`, for code scanning.
    Sarif,
    /// `findings.ocsf.jsonl`, for SIEMs.
    Ocsf,
    /// The tables below `parquet`.
    Parquet,
    /// The policies, certificates and scripts below `roles`.
    Policies,
}

/// The outputs that are asked for: all where none is named.
pub(super) fn formats(asked: &[OutputFormat]) -> Formats {
    Formats::named(asked.iter().map(|format| match format {
        OutputFormat::Html => Format::Html,
        OutputFormat::Md => Format::Markdown,
        OutputFormat::Json => Format::Json,
        OutputFormat::Csv => Format::Csv,
        OutputFormat::Sarif => Format::Sarif,
        OutputFormat::Ocsf => Format::Ocsf,
        OutputFormat::Parquet => Format::Parquet,
        OutputFormat::Policies => Format::Policies,
    }))
}

/// Where a pack goes, if one is wanted.
pub(super) fn pack(arguments: &AnalyzeArguments) -> Result<Option<PackTarget>, UserError> {
    let others = if arguments.overwrite.is_some() { Others::Stay } else { Others::Refused };
    let open = |pack| PackTarget::open(pack, &arguments.out, others, &arguments.aws.options());
    arguments.pack.as_deref().map(open).transpose()
}

/// Where they go. A folder that holds what is not ours must be named once more (`--overwrite`).
pub(super) fn target(arguments: &AnalyzeArguments) -> Result<Target, UserError> {
    let others = match &arguments.overwrite {
        None => Others::Refused,
        Some(Some(named)) if *named != arguments.out => {
            return Err(UserError::new(
                format!("--overwrite names `{}`, and --out `{}`", named.display(), arguments.out.display()),
                "name the same folder twice, or leave --overwrite away",
            ));
        }
        Some(_) => Others::Stay,
    };
    Target::open(&arguments.out, others, &arguments.aws.options())
}
