//! `thirdtrail analyze`.

use std::path::Path;

use anyhow::Context;

use crate::finding::assessment::{Assessment, Finding, IntegrityReport};
use crate::finding::keep::KeepOutcome;
use crate::finding::suppress::SuppressionOutcome;
use crate::finding::trust_steps::{TrustNarrowing, TrustWishes};
use crate::policy::narrow::Narrowing;
use crate::run::analyze::{Format, Options, Outcome, analyze, analyze_with, write};
use crate::run::beside::BesideOptions;
use crate::run::checkpoint::{Checkpoints, Notes, open_place};
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
use super::stop::stoppable;
use super::terminal::{Shown, config_note, line, note, plain, size};

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
    monitor.end();
    let left = write(out, &mut outcome, &arguments.selection.source, options)?;
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
        summary(&outcome, out, options)?;
    }
    if let Some(pack) = pack {
        let sum = pack.write(&outcome, &arguments.selection.source, options)?;
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

/// The last lines: what matters first, coverage again, where to read on.
fn summary(outcome: &Outcome, out: &Target, options: &Options) -> anyhow::Result<()> {
    let assessment = &outcome.assessment;
    let outside = |kind: &str| matches!(kind, "vendor" | "unknown_account" | "identity_provider" | "iam_user");
    let parties = assessment.parties.iter().filter(|party| outside(&party.kind)).count();
    let proposed = assessment.roles.iter().filter(|role| role.rightsizing.status == "proposed");
    let (proposals, removed) =
        proposed.fold((0, 0), |(roles, removed), role| (roles + 1, removed + role.rightsizing.removed));
    let idle =
        assessment.roles.iter().filter(|role| matches!(role.idle.verdict.as_str(), "idle" | "never_used")).count();
    line(&format!(
        "{parties} outside parties, {} roles open to them ({idle} idle or never used)",
        assessment.roles.len()
    ))?;
    line(&format!("{proposals} right-sized roles, {removed} unused permissions to take back"))?;
    keep_rules(outcome)?;
    suppressions(outcome)?;
    findings(assessment)?;
    coverage(assessment)?;
    if let Some(notes) = &outcome.evidence {
        evidence(notes)?;
    }
    let (pages, text) = (options.formats.has(Format::Html), options.formats.has(Format::Markdown));
    let places = match (pages, text) {
        (true, true) => &[("report", "report/index.html"), ("as one text", "report.md")][..],
        (true, false) => &[("report", "report/index.html")],
        (false, true) => &[("report", "report.md")],
        (false, false) => &[("report", "report.json")],
    };
    for (what, file) in places {
        line(&format!("{what}: {}", out.place_of(file))).context("cannot print")?;
    }
    Ok(())
}

/// How many findings there are, and the gravest of them.
fn findings(assessment: &Assessment) -> anyhow::Result<()> {
    const SHOWN: usize = 5;
    let open: Vec<&Finding> = assessment.findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    let of = |severity: &str| open.iter().filter(|finding| finding.severity == severity).count();
    let counts = ["critical", "high", "medium", "low", "info"].map(|severity| (of(severity), severity));
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, severity)| format!("{count} {severity}"));
    let counts = counts.collect::<Vec<_>>();
    if !counts.is_empty() {
        line(&format!("findings: {}", counts.join(", ")))?;
    }
    let grave: Vec<&&Finding> =
        open.iter().filter(|one| matches!(one.severity.as_str(), "critical" | "high")).collect();
    for finding in grave.iter().take(SHOWN) {
        line(&format!("  {}: {}", finding.severity, plain(&finding.title)))?;
    }
    if grave.len() > SHOWN {
        line(&format!("  and {} more critical or high", grave.len() - SHOWN))?;
    }
    Ok(())
}

/// One line about keep rules, if there are any; a rule that matches nothing is likely to be mistyped.
fn keep_rules(outcome: &Outcome) -> anyhow::Result<()> {
    if outcome.keep.is_empty() {
        return Ok(());
    }
    let number = |wanted: fn(&KeepOutcome) -> bool| outcome.keep.iter().filter(|rule| wanted(rule)).count();
    let kept = outcome.assessment.roles.iter().flat_map(|role| role.actions.iter().chain(&role.actions_beyond));
    line(&format!(
        "keep rules: {} in force keep {} unused permissions, {} expired, {} match nothing (run.json names them)",
        number(|rule| rule.state == "in_force"),
        kept.filter(|entry| entry.kept_by.is_some()).count(),
        number(|rule| rule.state == "expired"),
        number(|rule| rule.roles == 0)
    ))?;
    Ok(())
}

/// One line about suppressions, if there are any; one that matches nothing is likely to be mistyped or out of date.
fn suppressions(outcome: &Outcome) -> anyhow::Result<()> {
    let findings = &outcome.assessment.findings;
    if !outcome.suppressions.is_empty() {
        let number =
            |wanted: fn(&SuppressionOutcome) -> bool| outcome.suppressions.iter().filter(|one| wanted(one)).count();
        line(&format!(
            "suppressions: {} in force hide {} findings, {} expired, {} match nothing, {} never expire (run.json names them)",
            number(|one| one.state == "in_force"),
            findings.iter().filter(|finding| finding.suppressed.is_some()).count(),
            number(|one| one.state == "expired"),
            number(|one| one.findings == 0),
            number(|one| one.expires.is_none())
        ))?;
    }
    for own in &outcome.own_vendors {
        note(&plain(&format!("warning: {own} is your own account, because its trail was read; it counts as yours")));
    }
    if findings.iter().any(|finding| finding.known.is_some()) {
        let known = findings.iter().filter(|finding| finding.known == Some(true)).count();
        line(&format!("baseline: {} findings are new, {known} were there before", findings.len() - known))?;
    }
    Ok(())
}

/// What the digests say.
fn integrity(integrity: &IntegrityReport) -> anyhow::Result<()> {
    let objects = &integrity.objects;
    line(&format!(
        "digests: {} of {} verified; objects: {} verified, {} tampered with, {} missing, {} not verified",
        integrity.digests.verified,
        integrity.digests.read,
        objects.verified,
        objects.tampered,
        objects.missing,
        objects.unverified.values().sum::<u64>()
    ))?;
    match integrity.intact {
        Some(true) => {}
        Some(false) => line("the trail is NOT as CloudTrail delivered it; the days concerned count as holes")?,
        None if integrity.verified == "none" => line("NOTHING could be verified: no digest is proven")?,
        None => line("no verified digest covers some times; they count as holes")?,
    }
    for one in integrity.tampered.iter().chain(&integrity.missing).take(10) {
        line(&format!("  {}: {}", plain(&one.key), one.reason.replace('_', " ")))?;
    }
    for gap in integrity.gaps.iter().filter(|gap| gap.hole).take(10) {
        let digest = gap.digest.as_deref().unwrap_or_default();
        line(&format!("  {}: {}", gap.reason.replace('_', " "), plain(digest)))?;
    }
    Ok(())
}

/// What was not read because evidence held it, and what evidence could not be trusted.
pub(super) fn evidence(notes: &Notes) -> anyhow::Result<()> {
    let held = format!("{} objects held by {} shards", notes.objects_held, notes.shards_used);
    line(&format!("evidence: {held}, {} objects read, {} shards saved", notes.objects_read, notes.shards_saved))?;
    if notes.shards_damaged > 0 {
        line(&format!("evidence: {} shards were damaged; their objects were read again", notes.shards_damaged))?;
    }
    if notes.shards_unread > 0 {
        let what = "shards could not be read (run.json names them); their objects were read again";
        line(&format!("evidence: {} {what}", notes.shards_unread))?;
    }
    Ok(())
}

fn coverage(assessment: &Assessment) -> anyhow::Result<()> {
    let coverage = &assessment.coverage;
    let skipped: Vec<String> = coverage
        .objects
        .skipped
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    let skipped =
        if skipped.is_empty() { "none skipped".to_owned() } else { format!("skipped {}", skipped.join(", ")) };
    line(&format!(
        "coverage: {} of {} objects read ({skipped}), {} records, {} duplicates, {} of JSON",
        coverage.objects.read,
        coverage.objects.listed,
        coverage.records.total,
        coverage.records.duplicate,
        size(coverage.bytes.decompressed)
    ))?;
    for account in coverage.accounts.iter().filter(|account| !account.holes.is_empty()) {
        line(&format!("coverage: holes on {:.1} % of the days of {}", account.hole_share * 100.0, account.account_id))?;
    }
    if let Some(integrity) = &coverage.integrity {
        self::integrity(integrity)?;
    }
    if coverage.objects.failed.is_empty() && coverage.records.bad == 0 && coverage.failed_inputs.is_empty() {
        return Ok(());
    }
    line(&format!(
        "coverage is INCOMPLETE: {} objects, {} records and {} inputs could not be read",
        coverage.objects.failed.len(),
        coverage.records.bad,
        coverage.failed_inputs.len()
    ))?;
    for failed in coverage.failed_inputs.iter().take(10) {
        let account = failed.account_id.map_or_else(String::new, |account| format!("account {account}: "));
        line(&plain(&format!("  not read: {account}{}: {}", failed.call, failed.reason)))?;
    }
    for failed in coverage.objects.failed.iter().take(10) {
        line(&format!("  {}: {}", plain(&failed.key), plain(&failed.reason)))?;
    }
    for bad in coverage.bad_records.iter().take(10) {
        line(&format!("  {} record {}: {}", plain(&bad.key), bad.index, plain(&bad.reason)))?;
    }
    Ok(())
}
