//! `thirdtrail report`: from the output of a run, or from saved evidence.

use std::path::Path;

use crate::run::UserError;
use crate::run::again::{self, Again};
use crate::run::analyze::{Format, Formats, Options};
use crate::run::checkpoint::{Checkpoints, open_known};
use crate::run::config::file::Config;
use crate::run::output::Target;
use crate::run::past_run::PastRun;
use crate::run::report::report;
use crate::run::resume::Saved;
use crate::run::source::in_bucket;

use super::analyze::{effort, finish, options};
use super::args::AnalyzeArguments;
use super::exit_code::ExitCode;
use super::outputs::{formats, pack, target};
use super::progress::Shown;
use super::stop::stoppable;
use super::terminal::{config_note, note};

/// What a report is made of, for `--help`.
pub(super) const SOURCE: &str = "What `analyze --out` wrote, a folder or `s3://bucket/prefix`: rendered again as it was \
    judged, with --format, --out, --baseline and --fail-on; or what `--evidence` named: judged anew with all options";

/// What can be said of an output: how it is rendered and told, and how AWS is reached.
const OF_OUTPUT: [&str; 18] = [
    "color",
    "out",
    "overwrite",
    "format",
    "baseline",
    "fail_on",
    "quiet",
    "progress",
    "jobs",
    "memory",
    "config",
    "no_config",
    "profile",
    "region_name",
    "endpoint_url",
    "force_path_style",
    "request_payer",
    "no_sign_request",
];

pub(super) fn run(arguments: &AnalyzeArguments, config: Option<Config>) -> anyhow::Result<ExitCode> {
    if arguments.verify_digests {
        return Err(UserError::new(
            "`report` has no objects to verify: `--verify-digests` needs the trail",
            "run `thirdtrail analyze` with the trail and --verify-digests",
        )
        .into());
    }
    match PastRun::find(&arguments.selection.source, &arguments.aws.options())? {
        Some(past) => from_output(arguments, &past, config),
        None => from_evidence(arguments, config),
    }
}

/// Renders an output again.
fn from_output(arguments: &AnalyzeArguments, past: &PastRun, config: Option<Config>) -> anyhow::Result<ExitCode> {
    let place = &arguments.selection.source;
    if let Some(option) = arguments.typed.iter().find(|option| !OF_OUTPUT.contains(&option.as_str())) {
        let option = option.replace('_', "-");
        return Err(UserError::new(
            format!("`--{option}` cannot be used with `{place}`: the output of a run is rendered as it was judged"),
            format!("give the --evidence of that run with --{option}, or run `thirdtrail analyze`"),
        )
        .into());
    }
    config_note(config.as_ref().filter(|_| !arguments.quiet));
    let out = target(arguments)?;
    let in_place = out.is(place);
    if let (Target::Bucket(..), true) = (&out, in_place) {
        return Err(UserError::new(
            format!("`{place}` cannot take the place of itself: a bucket does not replace all files at once"),
            "name another place with --out",
        )
        .into());
    }
    let wanted = Again {
        formats: (!arguments.format.is_empty()).then(|| formats(&arguments.format)),
        baseline: arguments.baseline.as_deref(),
        effort: effort(arguments.jobs, arguments.memory),
        in_place,
    };
    let monitor = Shown::new(arguments.progress, arguments.quiet);
    let (outcome, formats) = again::render(past, &wanted, &monitor)?;
    if !arguments.quiet && leaves_out_tables(&wanted, &formats) {
        note("note: the run wrote no tables, and they cannot be made of its output");
    }
    let options = Options { formats, effort: wanted.effort, ..Options::default() };
    finish(arguments, &(out, None), outcome, &options, &monitor)
}

/// Whether tables are missing that nobody asked to leave out.
fn leaves_out_tables(wanted: &Again<'_>, written: &Formats) -> bool {
    wanted.formats.is_none() && !written.has(Format::Parquet)
}

/// Judges evidence anew.
fn from_evidence(arguments: &AnalyzeArguments, config: Option<Config>) -> anyhow::Result<ExitCode> {
    let place = &arguments.selection.source;
    let neither =
        |what: &str| UserError::new(what, "give what `thirdtrail analyze` wrote to --out, or what --evidence named");
    if in_bucket(place)?.is_none() && !Path::new(place).is_dir() {
        return Err(neither(&format!("`{place}` is no folder")).into());
    }
    let places = (target(arguments)?, pack(arguments)?);
    let evidence = open_known(place, &arguments.aws.options())?;
    let checkpoints = Checkpoints::open(&*evidence)?;
    if checkpoints.slots().is_empty() && checkpoints.listings().is_empty() {
        let what = format!("`{place}` holds neither the output of a run (no `run.json`) nor evidence (no `shards`)");
        return Err(neither(&what).into());
    }
    let mut options = options(arguments, config);
    // Evidence does not tell which bucket it was read from; where it lies itself says nothing about trails.
    options.beside.bucket = None;
    options.beside.regions.clear();
    let monitor = Shown::new(arguments.progress, arguments.quiet);
    stoppable(|stop| {
        let outcome = report(Saved { checkpoints: &checkpoints, stop }, &options, &monitor)?;
        finish(arguments, &places, outcome, &options, &monitor)
    })
}
