//! Which outputs to write, and where to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::run::UserError;
use crate::run::analyze::{Format, Formats};
use crate::run::output::{Others, Target};
use crate::run::pack::{PackTarget, lies_in};

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

/// Where a pack goes, if one is wanted. A file that is no pack must be named once more (`--overwrite`).
pub(super) fn pack(arguments: &AnalyzeArguments) -> Result<Option<PackTarget>, UserError> {
    let open = |pack: &PathBuf| {
        let others =
            if arguments.overwrite.iter().any(|named| **named == **pack) { Others::Stay } else { Others::Refused };
        PackTarget::open(pack, &arguments.out, others, &arguments.aws.options())
    };
    arguments.pack.as_ref().map(open).transpose()
}

/// Where they go. A folder that holds what is not ours must be named once more (`--overwrite`).
pub(super) fn target(arguments: &AnalyzeArguments) -> Result<Target, UserError> {
    // Without a name it is the folder that is meant.
    let is_out = |named: &&OsString| **named == *arguments.out || named.is_empty();
    let is_pack = |named: &&OsString| arguments.pack.as_ref().is_some_and(|pack| **named == **pack);
    if let Some(other) = arguments.overwrite.iter().find(|named| !is_out(named) && !is_pack(named)) {
        return Err(UserError::new(
            format!("--overwrite names `{}`, and --out `{}`", other.to_string_lossy(), arguments.out.display()),
            "name the same folder twice, or leave --overwrite away",
        ));
    }
    if let Some(evidence) =
        arguments.evidence.as_deref().filter(|evidence| lies_in(Path::new(evidence), &arguments.out))
    {
        return Err(UserError::new(
            format!("the evidence `{evidence}` lies among the outputs, which are replaced as a whole"),
            "name a folder beside --out with --evidence",
        ));
    }
    let others = if arguments.overwrite.iter().any(|named| is_out(&named)) { Others::Stay } else { Others::Refused };
    Target::open(&arguments.out, others, &arguments.aws.options()).map_err(|error| {
        let help = error.help.replace(
            "folder with --out",
            "folder with --out, or name it once more with --overwrite: what is not an output stays",
        );
        UserError { help, ..error }
    })
}
