//! The main job: plan, read, resolve, assess, render, write.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Days;
use serde_json::{Value, json};

use crate::activity::party::Accounts;
use crate::activity::party_user::{PartyUsers, UserFacts};
use crate::aws::AccountId;
use crate::aws::window::{Time, Window, midnight};
use crate::cloudtrail::digest::key::PublicKeys;
use crate::evidence::hands::{self, Hands};
use crate::evidence::scope::RoleRef;
use crate::evidence::{Evidence, Scope};
use crate::finding::assess::{Inquiry, NoAnswer, assess};
use crate::finding::assessment::{Assessment, IntegrityReport};
use crate::finding::beside::Beside;
use crate::finding::coverage::{Reading, window_of_events};
use crate::finding::keep::{KeepOutcome, outcomes};
use crate::finding::suppress::{self, SuppressionOutcome};
use crate::finding::trust_steps::TrustWishes;
use crate::policy::catalog::Catalog;
use crate::policy::inventory::Inventory;
use crate::policy::narrow::Narrowing;
use crate::policy::reachable::reachable;
pub use crate::report::formats::{Format, Formats};
use crate::report::{OutputFile, RenderError, render_by};
use crate::store::Store;

use super::UserError;
use super::again::First;
use super::beside::{self, BesideOptions};
use super::call_log::CallRuns;
use super::checkpoint::Notes;
use super::compare::mark_known;
use super::config::{RuleFiles, Rules};
use super::digests::{KeySources, add_live_keys, public_keys, witness};
use super::discover::find;
use super::gathered::OnDisk;
use super::inputs::InputFile;
use super::ledger::run_json;
use super::listing::{Listing, Listings, Saver};
use super::monitor::{Monitor, Telling};
use super::output::Target;
use super::pack;
use super::plan::{Plan, Request};
use super::quiet;
use super::resume::{self, Saved};
use super::spool::Spool;
use super::witness::Witness;
use super::workers::{Effort, Read, Workers, disk, read};

/// What to analyze, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What of the source.
    pub request: Request,
    /// Inventory files.
    pub inventories: Vec<PathBuf>,
    /// What else is read beside the trail.
    pub beside: BesideOptions,
    /// Whether and how to limit resources (S35).
    pub narrowing: Option<Narrowing>,
    /// What is asked for about trust policies.
    pub trust: TrustWishes,
    /// The user's rules about actions, findings and vendors.
    pub rules: RuleFiles,
    /// Public keys of digests, if digests are to be verified.
    pub digest_keys: Option<KeySources>,
    /// Further accounts of our own.
    pub own_accounts: BTreeSet<AccountId>,
    /// The day from which idleness is counted; the window's end by default.
    pub as_of: Option<Time>,
    /// Days from which a role is idle.
    pub idle_days: u32,
    /// Days from which an access key is old.
    pub key_days: u32,
    /// Largest share of the window's days that may be holes, 0.0 to 1.0.
    pub max_holes: f64,
    /// How much of the machine to use.
    pub effort: Effort,
    /// Which outputs to write.
    pub formats: Formats,
    /// Whether an evidence pack is wanted, which names each object with its SHA-256.
    pub pack: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub assessment: Assessment,
    /// All files, `run.json` and those of the table `activity` apart.
    pub files: Vec<OutputFile>,
    /// The files of the table `activity`.
    pub activity: Spool,
    /// The list of the objects, if a pack is wanted.
    pub objects: Spool,
    /// How long each phase took, in seconds, and what was read how often.
    pub timings: Value,
    /// What temporary files were used for.
    pub on_disk: OnDisk,
    /// Inputs beside the trail.
    pub inputs: Vec<InputFile>,
    /// What became of each keep rule.
    pub keep: Vec<KeepOutcome>,
    /// What became of each suppression.
    pub suppressions: Vec<SuppressionOutcome>,
    /// Accounts of vendors that turned out to be our own, each with its vendor.
    pub own_vendors: Vec<String>,
    /// What was used and saved of evidence, where that was asked for.
    pub evidence: Option<Notes>,
    /// The run whose output was rendered again, if that is what was done.
    pub first: Option<First>,
}

/// Reads, judges and renders; writes nothing.
///
/// # Errors
/// The user's mistakes. Unreadable objects and records are part of the answer.
pub fn analyze(store: &dyn Store, options: &Options, monitor: &dyn Monitor) -> Result<Outcome, UserError> {
    analyze_with(store, options, None, monitor)
}

/// [`analyze`], with evidence of earlier runs where there is any, and for later ones.
///
/// # Errors
/// As [`analyze`], when evidence cannot be saved, and when somebody wants to stop.
pub fn analyze_with(
    store: &dyn Store,
    options: &Options,
    saved: Option<Saved<'_>>,
    monitor: &dyn Monitor,
) -> Result<Outcome, UserError> {
    let started = Instant::now();
    let (mut given, mut inputs) = given(options, monitor)?;
    // The catalog is needed later and takes as long to unpack as a folder to list.
    let (plan, _) =
        hands::both(&Workers::start(options.effort)?, || find(store, &options.request, monitor), Catalog::builtin);
    let mut plan = plan?;
    // Verified digests tell of quiet days themselves.
    if given.digest_keys.is_none() {
        plan.digest_days = quiet::days(store, &plan, &options.request, monitor)?;
    }
    let Some(saved) = saved else {
        let asks = options.digest_keys.as_ref().is_some_and(|sources| sources.live);
        if let Some(keys) = given.digest_keys.as_mut().filter(|_| asks) {
            inputs.extend(add_live_keys(keys, &plan, &options.beside.aws)?);
        }
        let verify = |keys| witness(store, &plan, keys, &options.request, monitor);
        let witness = given.digest_keys.as_ref().map(verify).transpose()?;
        let read = |scope: &Scope| {
            read(
                store,
                &plan.objects,
                &Arc::new(scope.clone()),
                options.effort,
                monitor,
                witness.as_ref(),
                options.pack,
            )
        };
        let reading = ReadBy { read: &read, witness: witness.as_ref() };
        return answer(&plan, (given, inputs), options, &reading, monitor, started);
    };
    let (place, within) = (saved.checkpoints.store(), store.within());
    let listing = Listing::of(&plan, &options.request, &options.beside.regions);
    Listings::sound(saved.checkpoints).save(place, listing, &options.request, within, Saver::Alone)?;
    let read = |scope: &Scope| {
        resume::read(store, &plan.objects, scope, options.effort, monitor, saved, resume::Purpose::Answer)
    };
    // What evidence holds is not read, so there is nothing to verify.
    let reading = ReadBy { read: &read, witness: None };
    let outcome = answer(&plan, (given, inputs), options, &reading, monitor, started)?;
    saved.checkpoints.sweep(&options.request, within);
    Ok(Outcome { evidence: Some(saved.checkpoints.notes()), ..outcome })
}

/// Reads by `read` what was planned, judges and renders.
pub(super) fn answer(
    plan: &Plan,
    (given, inputs): (Given, Vec<InputFile>),
    options: &Options,
    reading: &ReadBy<'_>,
    monitor: &dyn Monitor,
    started: Instant,
) -> Result<Outcome, UserError> {
    let planned = started.elapsed();
    let judged = read_and_judge(reading, plan, &given, options, monitor)?;
    let (mut assessment, workers) = (judged.assessment, judged.workers);
    monitor.begin("writing the table of calls", 0, 0);
    let calls = judged.calls.by_day().map_err(disk)?;
    let (activity, daily) = Spool::of(&calls, &workers).map_err(disk)?;
    daily.fill(&mut assessment);
    let on_disk = judged.on_disk.and(calls.bytes() + activity.bytes());
    if let Some(baseline) = &given.rules.baseline {
        mark_known(&mut assessment, baseline);
    }
    let judged_after = started.elapsed();
    let activity = if options.formats.has(Format::Parquet) { activity } else { Spool::default() };
    monitor.begin("rendering the report", 0, 0);
    let files = render_by(&workers, &mut assessment, &options.formats).map_err(not_rendered)?;
    monitor.end();
    let timings = json!({
        "plan_seconds": planned.as_secs_f64(),
        "read_seconds": judged.reading.as_secs_f64(),
        "judge_seconds": (judged_after - planned - judged.reading).as_secs_f64(),
        "render_seconds": (started.elapsed() - judged_after).as_secs_f64(),
        "passes": judged.passes,
    });
    let keep = outcomes(&given.rules.keep, &assessment.roles, assessment.as_of);
    let suppressions =
        suppress::outcomes(&given.rules.suppressions, &assessment.findings, &assessment.parties, assessment.as_of);
    Ok(Outcome {
        assessment,
        files,
        activity,
        objects: judged.objects,
        timings,
        on_disk,
        inputs,
        keep,
        suppressions,
        own_vendors: judged.own_vendors,
        evidence: None,
        first: None,
    })
}

/// No input should bring it about.
pub(super) fn not_rendered(error: RenderError) -> UserError {
    UserError::new(format!("cannot render the report: {error}"), "report this as a bug")
}

/// What is read beside the trail.
pub(super) struct Given {
    pub(super) inventory: Inventory,
    /// Accounts that are ours by the user's word or the organization's.
    own: BTreeSet<AccountId>,
    pub(super) beside: Beside,
    rules: Rules,
    digest_keys: Option<PublicKeys>,
}

/// Reads it before the long work, so that a mistake in it is told at once.
pub(super) fn given(options: &Options, monitor: &dyn Monitor) -> Result<(Given, Vec<InputFile>), UserError> {
    let beside::Given { inventory, organization, beside, files: mut inputs, .. } =
        beside::read(&options.inventories, &options.beside, monitor)?;
    let own: BTreeSet<AccountId> = options.own_accounts.iter().copied().chain(organization).collect();
    let mut rules = Rules::read(&options.rules, &own.union(&inventory.accounts).copied().collect())?;
    inputs.append(&mut rules.files);
    let mut digest_keys = None;
    if let Some(sources) = &options.digest_keys {
        let (keys, files) = public_keys(&sources.files)?;
        digest_keys = Some(keys);
        inputs.extend(files);
    }
    Ok((Given { inventory, own, beside, rules, digest_keys }, inputs))
}

/// How the planned objects are read with a scope, and who compares them with their digests meanwhile.
pub(super) struct ReadBy<'a> {
    pub(super) read: &'a dyn Fn(&Scope) -> Result<Read, UserError>,
    pub(super) witness: Option<&'a Witness<'a>>,
}

struct Judged {
    assessment: Assessment,
    calls: CallRuns,
    objects: Spool,
    workers: Workers,
    reading: Duration,
    passes: u32,
    on_disk: OnDisk,
    own_vendors: Vec<String>,
}

/// Reads with the smallest scope that today's trust allows, and again should the records show that an outsider
/// reached a role that the trust did not tell of.
fn read_and_judge(
    by: &ReadBy<'_>,
    plan: &Plan,
    given: &Given,
    options: &Options,
    monitor: &dyn Monitor,
) -> Result<Judged, UserError> {
    let mut scope = scope_of(plan, given, options);
    let (mut passes, mut reading) = (0, Duration::ZERO);
    loop {
        passes += 1;
        let began = Instant::now();
        monitor.begin("reading", plan.objects.len() as u64, plan.bytes());
        let read = (by.read)(&scope)?;
        monitor.end();
        reading += began.elapsed();
        monitor.begin("attributing sessions", 0, 0);
        // After reading, so that the threads that read have given their memory back.
        let workers = Workers::start(options.effort)?;
        let integrity = by.witness.map(Witness::report);
        let telling = Telling { hands: &workers, monitor, phase: "judging roles" };
        match judge(&telling, &read, integrity, plan, given, &scope, options)? {
            Ok((assessment, calls)) => {
                let own_vendors = given.rules.own_vendors(&own_of_records(&read.evidence, given));
                let coverage = options.pack.then_some(&read.evidence.coverage);
                let objects = coverage.map(|coverage| pack::objects(plan, coverage).map_err(disk)).transpose()?;
                let objects = objects.unwrap_or_default();
                let on_disk = read.on_disk;
                workers.let_go(read.evidence);
                return Ok(Judged { assessment, calls, objects, workers, reading, passes, on_disk, own_vendors });
            }
            Err(NoAnswer::Lost(reason)) => return Err(disk(std::io::Error::other(reason))),
            Err(NoAnswer::ReadAgain(reached)) => {
                monitor.end();
                scope.party_users.extend(reached.users);
                for role in reached.roles {
                    scope.quiet_roles.remove(&RoleRef { account: role.account, name: role.name, id: role.id });
                }
            }
        }
    }
}

pub(super) fn scope_of(plan: &Plan, given: &Given, options: &Options) -> Scope {
    let reachable = reachable(&given.inventory, &own_accounts(plan, given), &given.beside.organization_ids);
    let quiet = given.inventory.roles.values().filter(|role| !reachable.contains(&role.arn) && !role.id.is_empty());
    Scope {
        window: plan.window,
        accounts: options.request.accounts.clone(),
        regions: options.request.regions.clone(),
        quiet_roles: quiet
            .map(|role| RoleRef { account: role.account, name: role.name.clone(), id: role.id.clone() })
            .collect(),
        party_users: party_users(given, None).iter().map(|(arn, _)| arn.to_owned()).collect(),
        party_names: given.rules.directory.party_names(),
    }
}

/// The users whose keys third parties hold, by the inventory and, once it is read, by the records.
fn party_users(given: &Given, evidence: Option<&Evidence>) -> PartyUsers {
    let mut users = PartyUsers::default();
    let directory = &given.rules.directory;
    let names = directory.party_names();
    let listed = |arn: &str| directory.listed().of_user(arn).map(|vendor| vendor.name.as_str());
    for arn in evidence.into_iter().flat_map(Evidence::users).filter(|arn| !given.inventory.users.contains_key(*arn)) {
        users.note(UserFacts { arn, listed: listed(arn), ..UserFacts::default() }, &names);
    }
    for user in given.inventory.users.values() {
        let listed = listed(&user.arn);
        users.note(UserFacts { arn: &user.arn, id: &user.id, tags: Some(&user.tags), listed }, &names);
    }
    users
}

fn judge(
    hands: &dyn Hands,
    read: &Read,
    integrity: Option<IntegrityReport>,
    plan: &Plan,
    given: &Given,
    scope: &Scope,
    options: &Options,
) -> Result<Result<(Assessment, CallRuns), NoAnswer>, UserError> {
    let calls = CallRuns::new(options.effort.memory_bytes / 8);
    let window = complete(&read.evidence, plan, &options.request)?;
    let own = own_of_records(&read.evidence, given);
    let reading = Reading {
        listed: plan.listed,
        skipped: plan.skipped.clone(),
        // Anybody can write a file that looks like a digest, so verified ones are believed if there are such.
        digest_days: integrity.as_ref().map_or_else(|| plan.digest_days.clone(), |verified| verified.days.clone()),
        records: read.counts,
        integrity,
    };
    let users = party_users(given, Some(&read.evidence));
    Ok(assess(&Inquiry {
        users: &users,
        evidence: &read.evidence,
        shelf: &read.shelf,
        calls: &calls,
        reading: &reading,
        inventory: &given.inventory,
        accounts: Accounts {
            own: &own,
            organizations: &given.beside.organization_ids,
            directory: &given.rules.directory,
        },
        catalog: Catalog::builtin(),
        window,
        as_of: options.as_of.unwrap_or(window.until),
        idle_days: options.idle_days,
        key_days: options.key_days,
        max_holes: options.max_holes,
        beside: &given.beside,
        keep: &given.rules.keep,
        suppressions: &given.rules.suppressions,
        narrowing: options.narrowing,
        trust: options.trust,
        scope,
        hands,
    })
    .map(|assessment| (assessment, calls)))
}

/// Ours, as far as is known before reading.
fn own_accounts(plan: &Plan, given: &Given) -> BTreeSet<AccountId> {
    let mut own = given.own.clone();
    own.extend(&given.inventory.accounts);
    own.extend(&plan.accounts);
    own
}

/// Ours: those of the inventory and the organization, the accounts whose trails were read, and those named.
fn own_of_records(evidence: &Evidence, given: &Given) -> BTreeSet<AccountId> {
    let mut own = given.own.clone();
    own.extend(&given.inventory.accounts);
    own.extend(evidence.coverage.places.keys().map(|(account, _)| *account));
    own
}

/// The window asked for, completed by the days of the events, which must lie near the days of delivery.
fn complete(evidence: &Evidence, plan: &Plan, request: &Request) -> Result<Window, UserError> {
    let events = window_of_events(evidence);
    let (first, last) = (plan.days.first().copied(), plan.days.last().copied());
    let early = first.and_then(|day| day.checked_sub_days(Days::new(1))).map(midnight);
    let late = last.and_then(|day| day.checked_add_days(Days::new(1))).map(midnight);
    let since = request.since.or(events.map(|window| window.since.max(early.unwrap_or(window.since))));
    let until = request.until.or(events.map(|window| window.until.min(late.unwrap_or(window.until))));
    since.zip(until).and_then(|(since, until)| Window::new(since, until)).ok_or_else(|| {
        UserError::new(
            "no record with a time and an account could be read",
            "give --since and --until, or another source",
        )
    })
}

/// Adds `run.json`, puts everything in place and answers which files of earlier runs could not be taken away.
///
/// # Errors
/// When the output folder or bucket cannot be written.
pub fn write(out: &Target, outcome: &mut Outcome, source: &str, options: &Options) -> Result<Vec<String>, UserError> {
    let run = run_json(outcome, source, options);
    let mut bytes = serde_json::to_vec_pretty(&run).unwrap_or_default();
    bytes.push(b'\n');
    outcome.files.push(OutputFile::new("run.json", bytes));
    out.write(&outcome.files, &outcome.activity)
}
