//! Which outputs are wanted; `report.json` and `run.json` are written whatever is.

use std::collections::BTreeSet;

/// One kind of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `findings.csv`.
    Csv,
    /// The pages below `report`.
    Html,
    /// `report.json`.
    Json,
    /// `report.md`.
    Markdown,
    /// `findings.ocsf.jsonl`.
    Ocsf,
    /// The tables below `parquet`.
    Parquet,
    /// The documents and scripts below `roles`.
    Policies,
    /// `findings.sarif`.
    Sarif,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Csv, Self::Html, Self::Json, Self::Markdown, Self::Ocsf, Self::Parquet, Self::Policies, Self::Sarif];

    /// The word of the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Json => "json",
            Self::Markdown => "md",
            Self::Ocsf => "ocsf",
            Self::Parquet => "parquet",
            Self::Policies => "policies",
            Self::Sarif => "sarif",
        }
    }
}

/// The outputs that are wanted: all, unless some are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formats(BTreeSet<Format>);

impl Default for Formats {
    fn default() -> Self {
        Self(Format::ALL.into())
    }
}

impl Formats {
    /// Those that are named; all where none is.
    #[must_use]
    pub fn named(formats: impl IntoIterator<Item = Format>) -> Self {
        let named: BTreeSet<Format> = formats.into_iter().collect();
        if named.is_empty() { Self::default() } else { Self(named) }
    }

    /// Whether this one is wanted.
    #[must_use]
    pub fn has(&self, format: Format) -> bool {
        self.0.contains(&format)
    }

    /// The same without one.
    #[must_use]
    pub fn without(&self, format: Format) -> Self {
        Self(self.0.iter().copied().filter(|one| *one != format).collect())
    }

    /// Their words, sorted.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|format| format.word())
    }
}
