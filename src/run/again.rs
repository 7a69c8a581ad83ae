//! The output of a run rendered again: in other formats, or by a newer version of the program. Nothing is judged anew.
//!
//! The files that the first run wrote are taken only if they are those that its `run.json` tells of. The tables cannot be
//! made again, because most of their rows are nowhere else; they are copied as they are.

use std::path::Path;
use std::time::Instant;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::finding::assessment::Assessment;
use crate::report::formats::{Format, Formats};
use crate::report::{again, paths, render_beside_tables, trust_files};

use super::UserError;
use super::analyze::{Outcome, not_rendered};
use super::compare::{mark_known, report};
use super::gathered::OnDisk;
use super::monitor::Monitor;
use super::past_run::{Manifest, PastRun};
use super::spool::Spool;
use super::workers::{Effort, Workers, disk};

/// What is wanted of an output.
#[derive(Clone, Debug, Default)]
pub struct Again<'a> {
    /// Which outputs; `None` for all that can be made.
    pub formats: Option<Formats>,
    /// An earlier report, by which findings are new or known; without one that stays as the first run told.
    pub baseline: Option<&'a Path>,
    /// How much of the machine to use.
    pub effort: Effort,
    /// Whether the new output is to take the place of the one that it is made of.
    pub in_place: bool,
}

/// The manifest of the run that is rendered again, and where it lies.
#[derive(Clone, Debug)]
pub struct First {
    /// The name of its output, for people.
    pub place: String,
    /// Its `run.json`.
    pub manifest: Map<String, Value>,
}

/// Renders an output again, and answers in which formats.
///
/// # Errors
/// The user's mistakes: an output that is damaged, too old or too new, or that lacks what is asked for.
pub fn render(past: &PastRun, wanted: &Again<'_>, monitor: &dyn Monitor) -> Result<(Outcome, Formats), UserError> {
    let started = Instant::now();
    monitor.begin("reading the output", 0, 0);
    let (first, manifest) = past.whole_manifest()?;
    not_newer(past, &manifest)?;
    let formats = formats(past, &manifest, wanted)?;
    let mut inputs = Vec::new();
    let baseline = wanted.baseline.map(report).transpose()?;
    let mut assessment = assessment(past, &manifest)?;
    nothing_is_lost(past, &manifest, &assessment, wanted, &formats)?;
    trust_documents(past, &manifest, &mut assessment)?;
    if let Some((baseline, file)) = baseline {
        mark_known(&mut assessment, &baseline);
        inputs.push(file);
    }
    let activity = if formats.has(Format::Parquet) { tables(past, &manifest)? } else { Spool::default() };
    monitor.end();
    let read = started.elapsed();
    monitor.begin("writing the report", 0, 0);
    let workers = Workers::start(wanted.effort)?;
    let files = render_beside_tables(&workers, &mut assessment, &formats).map_err(not_rendered)?;
    monitor.end();
    let outcome = Outcome {
        assessment,
        files,
        timings: json!({
            "read_seconds": read.as_secs_f64(),
            "render_seconds": (started.elapsed() - read).as_secs_f64(),
        }),
        on_disk: OnDisk { bytes: activity.bytes(), ..OnDisk::default() },
        activity,
        objects: Spool::default(),
        inputs,
        keep: told(&first, "keep_rules"),
        suppressions: told(&first, "suppressions"),
        own_vendors: told(&first, "vendors_that_are_own_accounts"),
        evidence: None,
        first: Some(First { place: past.shown.clone(), manifest: first }),
    };
    Ok((outcome, formats))
}

/// What the first run told about its rules; nothing where an older version told it otherwise.
fn told<T: DeserializeOwned>(first: &Map<String, Value>, name: &str) -> Vec<T> {
    first.get(name).and_then(|value| Vec::deserialize(value).ok()).unwrap_or_default()
}

/// What a newer version wrote may say more than this one knows, and would lose it.
fn not_newer(past: &PastRun, manifest: &Manifest) -> Result<(), UserError> {
    let numbers = |version: &str| -> Vec<u64> {
        version.split(['.', '-', '+']).take(3).map(|number| number.parse().unwrap_or(0)).collect()
    };
    let own = env!("CARGO_PKG_VERSION");
    if numbers(&manifest.version) <= numbers(own) {
        return Ok(());
    }
    Err(UserError::new(
        format!("`{}` was written by thirdtrail {}, and this is {own}", past.shown, manifest.version),
        "render it with that version or a newer one",
    ))
}

/// The tables that the first run wrote.
fn table_paths(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.paths().filter(|path| path.starts_with("parquet/"))
}

fn formats(past: &PastRun, manifest: &Manifest, wanted: &Again<'_>) -> Result<Formats, UserError> {
    let has_tables = table_paths(manifest).next().is_some();
    match &wanted.formats {
        None if has_tables => Ok(Formats::default()),
        None => Ok(Formats::default().without(Format::Parquet)),
        Some(formats) if formats.has(Format::Parquet) && !has_tables => Err(UserError::new(
            format!("the run in `{}` wrote no tables, and its output does not hold what they are made of", past.shown),
            "leave `parquet` out of --format, or analyze again with it",
        )),
        Some(formats) => Ok(formats.clone()),
    }
}

/// What cannot be made again is not replaced by less.
fn nothing_is_lost(
    past: &PastRun,
    manifest: &Manifest,
    assessment: &Assessment,
    wanted: &Again<'_>,
    formats: &Formats,
) -> Result<(), UserError> {
    if !wanted.in_place {
        return Ok(());
    }
    let lost = |what: &str, format: &str| {
        Err(UserError::new(
            format!("`{}` would lose {what}, which cannot be made again without the trail", past.shown),
            format!("add `{format}` to --format, or name another folder with --out"),
        ))
    };
    if !formats.has(Format::Parquet) && table_paths(manifest).next().is_some() {
        return lost("its tables", "parquet");
    }
    let is_trust = |path: &str| path.starts_with("roles/") && path.ends_with("/trust.current.json");
    if assessment.asked.show_external_ids && !formats.has(Format::Policies) && manifest.paths().any(is_trust) {
        return lost("its trust policies with external ids", "policies");
    }
    Ok(())
}

fn assessment(past: &PastRun, manifest: &Manifest) -> Result<Assessment, UserError> {
    if manifest.paths().all(|path| path != again::PATH) {
        return Err(UserError::new(
            format!(
                "`{}` has no `{}`: the version of thirdtrail that wrote it kept too little to render it again",
                past.shown,
                again::PATH
            ),
            "give the --evidence of that run, or analyze the trail with this version",
        ));
    }
    let (report, beside) = (past.sound("report.json", manifest)?, past.sound(again::PATH, manifest)?);
    again::read(&report, &beside).map_err(|error| past.no_output(&error))
}

/// The trust policies that hold external ids stand in files of their own, where the first run was to show them (S42).
fn trust_documents(past: &PastRun, manifest: &Manifest, assessment: &mut Assessment) -> Result<(), UserError> {
    if !assessment.asked.show_external_ids {
        return Ok(());
    }
    let folders = paths::role_folders(&assessment.roles);
    for (role, folder) in assessment.roles.iter_mut().zip(&folders) {
        let Some(report) = role.trust_narrowing.as_deref_mut().filter(|report| report.ids_are_hidden) else { continue };
        let Some([current, narrowed]) = trust_files::paths(report, folder) else { continue };
        if manifest.paths().any(|path| path == current) {
            let document = |path: &str| -> Result<Value, UserError> {
                serde_json::from_slice(&past.sound(path, manifest)?).map_err(|error| past.bad_file(path, &error))
            };
            (report.current, report.narrowed) = (document(&current)?, document(&narrowed)?);
            report.ids_are_hidden = false;
        }
    }
    Ok(())
}

fn tables(past: &PastRun, manifest: &Manifest) -> Result<Spool, UserError> {
    let mut spool = Spool::default();
    for path in table_paths(manifest) {
        if !is_harmless(path) {
            return Err(past.no_output(&format!("run.json tells of the file `{path}`, which no run writes")));
        }
        let bytes = past.sound(path, manifest)?;
        spool.add(path, |to| to.write_all(&bytes)).map_err(disk)?;
    }
    Ok(spool)
}

/// Whether a path that a manifest tells of stays in its folder (S43).
fn is_harmless(path: &str) -> bool {
    let harmless = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=_-.".contains(&byte))
    };
    path.split('/').all(harmless)
}

/// `run.json` of an output that was rendered again: that of the first run, with what is new in it.
pub(super) fn manifest(first: &First, own: Map<String, Value>) -> Value {
    let First { place, manifest } = first;
    let mut run = manifest.clone();
    let of_first = |name: &str| manifest.get(name).cloned().unwrap_or_default();
    let formats = manifest.get("options").and_then(|options| options.get("formats"));
    run.entry("judged_by_version").or_insert_with(|| of_first("version"));
    run.insert(
        "rendered_from".to_owned(),
        json!({"output": place, "version": of_first("version"), "formats": formats}),
    );
    let mut own = own;
    if let (Some(Value::Array(inputs)), Some(Value::Array(more))) = (run.get_mut("inputs"), own.remove("inputs")) {
        inputs.extend(more);
    }
    if let (Some(Value::Object(options)), Some(formats)) = (run.get_mut("options"), own.remove("formats")) {
        options.insert("formats".to_owned(), formats);
    }
    run.remove("left_over");
    run.extend(own);
    Value::Object(run)
}
