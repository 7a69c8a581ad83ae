//! `thirdtrail policy lint`: what is wrong with policy documents, a line each, for people and for programs.

use std::path::PathBuf;

use serde::Serialize;

use crate::policy::Catalog;
use crate::policy::lint::{Finding, Severity, lint, not_text};

use super::args::Format;
use super::exit_code::ExitCode;
use super::ink::Ink;
use super::input::Input;
use super::terminal::{line, mistake, plain};

#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

/// Looks at every file, also after one that cannot be read; at standard input where there is none.
pub(super) fn run(files: &[PathBuf], format: Format) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::Done;
    let inputs: Vec<_> = if files.is_empty() { vec![None] } else { files.iter().map(|file| Some(&**file)).collect() };
    for file in inputs {
        code = code.max(match Input::read(file) {
            Ok(input) => show(&input, format)?,
            Err(error) => mistake(&error.into()),
        });
    }
    Ok(code)
}

fn show(input: &Input, format: Format) -> anyhow::Result<ExitCode> {
    let findings = match input.text() {
        Ok(text) => lint(text, Catalog::builtin()),
        Err(valid) => vec![not_text(&valid)],
    };
    for finding in &findings {
        line(&match format {
            Format::Json => serde_json::to_string(&Row { file: &input.name, finding })?,
            Format::Table => sentence(&input.name, finding),
        })?;
    }
    let errors = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if errors { ExitCode::Findings } else { ExitCode::Done })
}

/// `FILE:LINE:COLUMN: severity: message [code]`, as editors read it.
fn sentence(name: &str, finding: &Finding) -> String {
    let Finding { code, severity, statement, place, message, help } = finding;
    let statement = statement.as_ref().map(|label| format!("statement `{label}`: ")).unwrap_or_default();
    let severity = Ink::of(severity.as_str()).paint(severity.as_str());
    let (name, said) = (plain(name), plain(&format!("{statement}{message}; {help} [{code}]")));
    format!("{name}:{}:{}: {severity}: {said}", place.line, place.column)
}
