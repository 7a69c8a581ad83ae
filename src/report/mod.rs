//! Words: an assessment turned into the bytes of every output file, for people and for machines.
//!
//! Pure: no file is opened, no clock is asked, and equal assessments give equal bytes. Judging is not done here; what a
//! page says of a role stands in the [`Assessment`]. In reading order: [`escape`] and [`paths`] (strangers' names made
//! harmless), [`formats`] (what is wanted), [`json`] and [`again`] (the whole answer), [`policy_files`], [`trust_files`], [`guardrail`], [`certificate`] and
//! [`remediation`] (what a person applies), [`markdown`] and [`html`] (what a person
//! reads), [`exports`] (what other programs read), [`pack`] (what an auditor keeps),
//! [`tables`] and [`parquet`] (what a query engine reads).

pub mod activity;
pub mod again;
pub mod certificate;
pub mod changes;
pub mod escape;
pub mod exports;
pub mod formats;
pub mod guardrail;
mod hcl;
pub mod html;
pub mod investigation;
pub mod json;
pub mod markdown;
pub mod pack;
pub mod parquet;
pub mod paths;
pub mod policy_files;
pub mod queries;
pub mod remediation;
pub mod spreadsheet;
pub mod tables;
pub mod template;
pub mod trust_files;

use crate::evidence::hands::{self, Hands, OneByOne};
use crate::finding::assessment::Assessment;

use self::formats::{Format, Formats};

/// One output: a path relative to the output folder, with `/` between its parts, and the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Where, relative to the output folder.
    pub path: String,
    /// What.
    pub bytes: Vec<u8>,
}

impl OutputFile {
    /// A file at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), bytes: bytes.into() }
    }
}

/// Why an output could not be made; each is a bug, not a matter of the input.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A value did not turn into JSON.
    #[error("cannot write `{path}` as JSON: {source}")]
    Json {
        /// The output.
        path: String,
        /// What the serializer said.
        source: serde_json::Error,
    },
    /// Rows did not fit their table.
    #[error("cannot write `{path}`: {source}")]
    Table {
        /// The output.
        path: String,
        /// What the writer said.
        source: crate::evidence::tables::columnar::ColumnarError,
    },
    /// A template did not take its values.
    #[error("cannot write `{path}`: {why}")]
    Page {
        /// The output.
        path: String,
        /// What the template or the chart said.
        why: String,
    },
    /// Two outputs would overwrite each other.
    #[error("two outputs share the path `{0}`")]
    SamePath(String),
}

/// Renders every output, sorted by path, and notes in the assessment where its policies' files lie.
///
/// # Errors
/// [`RenderError`], which no input should bring about.
pub fn render(assessment: &mut Assessment) -> Result<Vec<OutputFile>, RenderError> {
    render_by(&OneByOne, assessment, &Formats::default())
}

/// [`render`] by several hands, the outputs that are wanted and `report.json`.
///
/// # Errors
/// As [`render`].
pub fn render_by(
    hands: &dyn Hands,
    assessment: &mut Assessment,
    wanted: &Formats,
) -> Result<Vec<OutputFile>, RenderError> {
    outputs(hands, assessment, wanted, wanted.has(Format::Parquet))
}

/// [`render_by`] without the tables: where they are wanted, they are there already, and the others name them.
///
/// # Errors
/// As [`render`].
pub fn render_beside_tables(
    hands: &dyn Hands,
    assessment: &mut Assessment,
    wanted: &Formats,
) -> Result<Vec<OutputFile>, RenderError> {
    outputs(hands, assessment, wanted, false)
}

fn outputs(
    hands: &dyn Hands,
    assessment: &mut Assessment,
    wanted: &Formats,
    makes_tables: bool,
) -> Result<Vec<OutputFile>, RenderError> {
    let folders = paths::role_folders(&assessment.roles);
    let show = assessment.asked.show_external_ids;
    let mut files = Vec::new();
    if wanted.has(Format::Policies) {
        for (role, folder) in assessment.roles.iter_mut().zip(&folders) {
            policy_files::render(role, folder, &mut files)?;
            guardrail::render(role, folder, &mut files)?;
            trust_files::render(role, folder, show, &mut files)?;
            remediation::render(role, folder, &mut files)?;
        }
    }
    let assessment = &*assessment;
    let tables = || if makes_tables { parquet::render(hands, assessment) } else { Ok(Vec::new()) };
    let (tables, pages) = hands::both(hands, tables, || pages(assessment, &folders, wanted));
    files.extend(pages?);
    if wanted.has(Format::Html) {
        let people = html::render(hands, assessment, &folders, &files, wanted.has(Format::Parquet))?;
        files.extend(people);
    }
    files.extend(tables?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    match files.iter().zip(files.iter().skip(1)).find(|(a, b)| a.path == b.path) {
        Some((twice, _)) => Err(RenderError::SamePath(twice.path.clone())),
        None => Ok(files),
    }
}

/// What people read, and what other programs do; `report.json` always, and what goes with it.
fn pages(assessment: &Assessment, folders: &[String], wanted: &Formats) -> Result<Vec<OutputFile>, RenderError> {
    let mut files = vec![json::render(assessment)?, again::render(assessment)?];
    if wanted.has(Format::Policies) {
        for (role, folder) in assessment.roles.iter().zip(folders) {
            files.extend(certificate::render(assessment, role, folder)?);
            files.extend(remediation::pull_request(assessment, role, folder));
        }
    }
    if wanted.has(Format::Csv) {
        files.push(exports::csv(assessment));
    }
    if wanted.has(Format::Sarif) {
        files.push(exports::sarif(assessment, wanted)?);
    }
    if wanted.has(Format::Ocsf) {
        files.push(exports::ocsf(assessment)?);
    }
    if wanted.has(Format::Markdown) {
        let documents = if wanted.has(Format::Policies) { folders } else { &[] };
        files.push(OutputFile::new("report.md", markdown::render(assessment, documents)));
    }
    Ok(files)
}
