//! `thirdtrail analyze`.

use std::path::Path;

use crate::finding::assessment::{Assessment, Finding};
use crate::finding::trust_steps::{TrustNarrowing, TrustWishes};
use crate::policy::narrow::Narrowing;
use crate::run::analyze::{Options, Outcome, analyze, analyze_with, write};
use crate::run::beside::BesideOptions;
use crate::run::checkpoint::{Checkpoints, open_place};
use crate::run::config::RuleFiles;
use crate::run::config::file::Config;
use crate::run::digests::KeySources;
use crate::run::monitor::Monitor;
use crate::run::output::Target;
use crate::run::pack::PackTarget;
use crate::run::plan::Request;
use crate::run::resume::Saved;
use crate::run::workers::Effort;
use crate::run::{inputs, source};

use super::args::{AnalyzeArguments, NarrowResources, NarrowTrust, SelectionArguments, Severity};
use super::beside::is_live;
use super::exit_code::ExitCode;
use super::outputs::{formats, pack, target};
use super::progress::Shown;
use super::stop::stoppable;
use super::summary;
use super::terminal::{config_note, line, note, plain};

pub(super) fn run(arguments: &AnalyzeArguments, config: Option<Config>) -> anyhow::Result<ExitCode> {
    let places = (target(arguments)?, pack(arguments)?);
    let store = source::open(&arguments.selection.source, &arguments.aws.options())?;
    let options = options(arguments, config);
    let monitor = Shown::new(arguments.progress, arguments.quiet);
    let Some(place) = &arguments.evidence else {
        let outcome = analyze(&*store, &options, &monitor)?;
        return finish(arguments, &places, outcome, &options, &monitor);
    };
    let evidence = open_place(place, &arguments.aws.options())?;
    let checkpoints = Checkpoints::open(&*evidence)?;
    stoppable(|stop| {
        let saved = Saved { checkpoints: &checkpoints, stop };
        let outcome = analyze_with(&*store, &options, Some(saved), &monitor)?;
        finish(arguments, &places, outcome, &options, &monitor)
    })
}

/// Writes the outputs and says what is in them.
pub(super) fn finish(
    arguments: &AnalyzeArguments,
    (out, pack): &(Target, Option<PackTarget>),
    mut outcome: Outcome,
    options: &Options,
    monitor: &dyn Monitor,
) -> anyhow::Result<ExitCode> {
    monitor.begin("writing the report", 0, 0);
    let left = write(out, &mut outcome, &arguments.selection.source, options)?;
    monitor.end();
    // Even when nothing else is to be said: an old proposal beside a new report is easily applied.
    if let Some(one) = left.first() {
        note(&plain(&format!(
            "warning: {} files of earlier runs are still there, such as `{}`; remove them, or allow `s3:DeleteObject` there",
            left.len(),
            out.place_of(one)
        )));
    }
    if !arguments.quiet {
        for reason in outcome.inputs.iter().flat_map(|input| &input.unreadable) {
            let what =
                format!("warning: cannot read a policy {reason}; mend it there, and see `thirdtrail policy lint`");
            note(&plain(&what));
        }
        summary::print(&outcome, out, options)?;
    }
    if let Some(pack) = pack {
        monitor.begin("writing the evidence pack", 0, 0);
        let sum = pack.write(&outcome, &arguments.selection.source, options)?;
        monitor.end();
        if !arguments.quiet {
            line(&plain(&format!("evidence pack: {} (SHA-256 {sum})", pack.place())))?;
        }
    }
    Ok(exit_code(&outcome.assessment, arguments.fail_on))
}

/// The part of a source that was asked for.
pub(super) fn request(selection: &SelectionArguments) -> Request {
    Request {
        since: selection.since,
        until: selection.until,
        accounts: selection.account.iter().copied().collect(),
        regions: selection.region.iter().cloned().collect(),
        with_digests: false,
    }
}

pub(super) fn options(arguments: &AnalyzeArguments, config: Option<Config>) -> Options {
    config_note(config.as_ref().filter(|_| !arguments.quiet));
    let inventories = if arguments.inventory.is_empty() && !arguments.beside.has_folder() {
        inputs::beside(Path::new(&arguments.selection.source))
    } else {
        arguments.inventory.iter().filter(|path| !is_live(path)).cloned().collect()
    };
    let beside = BesideOptions {
        regions: source::region_of(&arguments.selection.source).into_iter().collect(),
        complete_data_events: arguments.complete_data_events.iter().cloned().collect(),
        ..arguments.beside.options(&arguments.inventory, arguments.aws.options(), &arguments.selection.source)
    };
    Options {
        request: Request { with_digests: arguments.verify_digests, ..request(&arguments.selection) },
        inventories,
        beside,
        rules: RuleFiles {
            config,
            keep: arguments.keep.clone(),
            vendors: arguments.vendors.clone(),
            baseline: arguments.baseline.clone(),
        },
        digest_keys: arguments.verify_digests.then(|| KeySources {
            files: arguments.digest_public_keys.iter().filter(|path| !is_live(path)).cloned().collect(),
            live: arguments.digest_public_keys.iter().any(|path| is_live(path)),
        }),
        own_accounts: arguments.own_account.iter().copied().collect(),
        as_of: arguments.as_of,
        idle_days: arguments.idle_days,
        key_days: arguments.key_days,
        max_holes: arguments.max_holes,
        narrowing: arguments.narrow_resources.map(|how| match how {
            NarrowResources::Exact => Narrowing::Exact,
            NarrowResources::Prefix => Narrowing::CommonPrefix,
        }),
        trust: TrustWishes {
            narrowing: arguments.narrow_trust.map(|how| match how {
                NarrowTrust::Callers => TrustNarrowing::Callers,
                NarrowTrust::Parties => TrustNarrowing::Parties,
            }),
            show_external_ids: arguments.show_external_ids,
        },
        effort: effort(arguments.jobs, arguments.memory),
        formats: formats(&arguments.format),
        pack: arguments.pack.is_some(),
    }
}

/// How much of the machine to use; by default a worker for each processor.
pub(super) fn effort(jobs: Option<u16>, memory_bytes: u64) -> Effort {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Effort {
        jobs: jobs.map_or(processors, usize::from),
        memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX),
    }
}

fn exit_code(assessment: &Assessment, fail_on: Option<Severity>) -> ExitCode {
    if !assessment.coverage.complete {
        return ExitCode::Incomplete;
    }
    let counts: &[&str] = match fail_on {
        None => return ExitCode::Done,
        Some(Severity::Critical) => &["critical"],
        Some(Severity::High) => &["critical", "high"],
        Some(Severity::Medium) => &["critical", "high", "medium"],
        Some(Severity::Low) => &["critical", "high", "medium", "low"],
    };
    let counts = |finding: &&Finding| {
        finding.suppressed.is_none() && finding.known != Some(true) && counts.contains(&finding.severity.as_str())
    };
    let grave = assessment.findings.iter().any(|finding| counts(&finding));
    if grave { ExitCode::Findings } else { ExitCode::Done }
}
