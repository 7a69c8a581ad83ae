//! `--format` of `analyze`: which outputs to write.

use clap::ValueEnum;

use crate::run::analyze::{Format, Formats};

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
