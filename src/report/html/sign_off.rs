//! The page of an evidence pack that is read, printed and signed: what was examined, on what it rests, who answers for it.

use askama::Template;

use serde_json::Value;

use crate::finding::assessment::Assessment;

use super::super::pack::{Input, Origin, SIGN_OFF, SUMS};
use super::super::{OutputFile, RenderError};
use super::coverage::{self, Coverage};
use super::page;
use super::shell::Shell;
use super::site::SEVERITIES;
use super::timeline::window_words;
use super::words::{Few, Long, count, day, len, number, spoken};

/// What somebody answers for although it was found, or was not used.
struct Exception {
    what: String,
    owner: Long,
    expires: String,
    covers: String,
    place: Long,
}

/// A file that the report was made of.
struct InputRow {
    path: Long,
    bytes: String,
    sha256: String,
    what: String,
}

#[derive(Template)]
#[template(path = "sign-off.html")]
struct View<'a> {
    shell: Shell,
    window: String,
    as_of: String,
    coverage: Coverage,
    source: Long,
    version: &'static str,
    accounts: Few,
    found: Vec<String>,
    inputs: Vec<InputRow>,
    options: Vec<(String, Long)>,
    exceptions: Vec<Exception>,
    sums_file: &'static str,
    sums: &'a str,
    has_pages: bool,
    has_text: bool,
    left_out: String,
}

/// Renders it; `sums` is the hash of `SHA256SUMS`, `has` tells which outputs are in the pack.
///
/// # Errors
/// [`RenderError::Page`].
pub fn render(
    assessment: &Assessment,
    origin: &Origin<'_>,
    sums: &str,
    has: &dyn Fn(&str) -> bool,
) -> Result<OutputFile, RenderError> {
    let accounts: Vec<String> =
        assessment.coverage.accounts.iter().map(|account| account.account_id.to_string()).collect();
    let view = View {
        shell: Shell::new("report/"),
        window: window_words(assessment),
        as_of: day(assessment.as_of),
        coverage: coverage::of(assessment),
        source: Long::of(origin.source),
        version: env!("CARGO_PKG_VERSION"),
        accounts: Few::of(&accounts, 60),
        found: found(assessment),
        inputs: inputs(assessment, origin),
        options: origin.options.into_iter().flatten().filter_map(option).collect(),
        exceptions: exceptions(origin),
        sums_file: SUMS,
        sums,
        has_pages: has("report/index.html"),
        has_text: has("report.md"),
        left_out: match origin.left_out {
            0 => String::new(),
            amount => count(amount, "file"),
        },
    };
    page(SIGN_OFF.to_owned(), &view)
}

/// What was found, in a few lines.
fn found(assessment: &Assessment) -> Vec<String> {
    let open = assessment.findings.iter().filter(|finding| finding.suppressed.is_none());
    let open: Vec<&str> = open.map(|finding| finding.severity.as_str()).collect();
    let counts = SEVERITIES.iter().map(|severity| (open.iter().filter(|one| *one == severity).count(), severity));
    let counts: Vec<String> =
        counts.filter(|(amount, _)| *amount > 0).map(|(amount, severity)| format!("{amount} {severity}")).collect();
    let suppressed = assessment.findings.len() - open.len();
    let with = |status: &'static str| assessment.roles.iter().filter(move |role| role.rightsizing.status == status);
    let removed: u64 = with("proposed").map(|role| role.rightsizing.removed).sum();
    vec![
        format!(
            "{} seen or trusted, and {} that outsiders can or did come into.",
            count(len(&assessment.parties), "party"),
            count(len(&assessment.roles), "role")
        ),
        match counts.as_slice() {
            [] => format!("No open finding; {} suppressed.", number(suppressed as u64)),
            counts => format!(
                "{}: {}; {} suppressed.",
                count(open.len() as u64, "open finding"),
                counts.join(", "),
                number(suppressed as u64)
            ),
        },
        format!(
            "{} to take {} back; for {} a proposal was withheld in doubt.",
            count(with("proposed").count() as u64, "proposal"),
            count(removed, "permission"),
            count(with("withheld").count() as u64, "role")
        ),
    ]
}

fn inputs(assessment: &Assessment, origin: &Origin<'_>) -> Vec<InputRow> {
    let row = |input: &Input<'_>, what: String| InputRow {
        path: Long::of(input.path),
        bytes: number(input.bytes),
        sha256: input.sha256.to_owned(),
        what,
    };
    let listed = || {
        let objects = &assessment.coverage.objects;
        let read = format!("in this pack: the SHA-256 of each of {}", count(objects.read, "log object"));
        match objects.failed.len() {
            0 => read,
            failed => format!("{read}, and why {failed} could not be read"),
        }
    };
    let objects = origin.objects.iter().map(|input| row(input, listed()));
    objects.chain(origin.inputs.iter().map(|input| row(input, "read beside the trail".to_owned()))).collect()
}

/// An option that says something.
fn option((name, value): (&String, &Value)) -> Option<(String, Long)> {
    let told = match value {
        Value::Null | Value::Bool(false) => return None,
        Value::Array(values) if values.is_empty() => return None,
        Value::Bool(true) => "yes".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            values.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    Some((spoken(name), Long::of(&told)))
}

fn exceptions(origin: &Origin<'_>) -> Vec<Exception> {
    let until = |expires: &Option<String>| expires.clone().unwrap_or_else(|| "never".to_owned());
    let state = |state: &str, what: String| if state == "expired" { format!("{what} (expired)") } else { what };
    let suppressions = origin.suppressions.iter().map(|one| Exception {
        what: state(&one.state, format!("suppresses {}", one.code)),
        owner: Long::of(&one.owner),
        expires: until(&one.expires),
        covers: count(one.findings, "finding"),
        place: Long::of(&format!("{}, line {}", one.file, one.line)),
    });
    let keep = origin.keep.iter().map(|one| Exception {
        what: state(&one.state, "keeps unused permissions".to_owned()),
        owner: Long::of(&one.owner),
        expires: until(&one.expires),
        covers: count(one.unused, "permission"),
        place: Long::of(&format!("{}, line {}", one.file, one.line)),
    });
    suppressions.chain(keep).collect()
}
