//! The map step alone: reads objects that no shard holds and saves their evidence; another run makes the report.
//!
//! Tasks on several machines may share one place of evidence: each names its objects, and a shard is written as a whole. A
//! task that is done again reads only what no shard holds by then, and what could not be read. What was listed is saved
//! before anything is read, by each task or once for all of them ([`announce`]), so that a report knows of tasks that were
//! never done. Nothing is taken away here, because others may be at work.

use std::collections::BTreeSet;

use crate::store::Store;

use super::UserError;
use super::analyze::{Options, given, scope_of};
use super::checkpoint::{Checkpoints, Notes};
use super::discover::find;
use super::listing::{Listing, Listings, Saver};
use super::monitor::Monitor;
use super::plan::{Plan, Request};
use super::quiet;
use super::resume::{Purpose, Saved, read};
use super::task::{PlannedPart, Task, no_object};

/// What was done.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Objects that were asked for.
    pub objects: u64,
    /// What was used and saved.
    pub notes: Notes,
    /// Objects that could not be read, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Observes what a task asks for of a source.
///
/// # Errors
/// The user's mistakes, evidence that cannot be saved, and a wish to stop.
pub fn observe(
    store: &dyn Store,
    options: &Options,
    task: &Task,
    saved: Saved<'_>,
    monitor: &dyn Monitor,
) -> Result<Observed, UserError> {
    let (given, _) = given(options, monitor)?;
    let plan = match task {
        Task::Planned(part) => planned(part, &options.request, saved.checkpoints)?,
        Task::Whole | Task::Keys(_) => {
            let mut plan = find(store, &options.request, monitor)?;
            announce(store, &mut plan, &options.request, &options.beside.regions, saved.checkpoints, monitor)?;
            plan
        }
    };
    let plan = limited(plan, task)?;
    let scope = scope_of(&plan, &given, options);
    monitor.begin("reading", plan.objects.len() as u64, plan.bytes());
    let read = read(store, &plan.objects, &scope, options.effort, monitor, saved, Purpose::Save)?;
    monitor.end();
    let failed = read.evidence.coverage.failed.into_iter().collect();
    Ok(Observed { objects: plan.objects.len() as u64, notes: saved.checkpoints.notes(), failed })
}

/// Tells the evidence what is going to be observed; answers with the name of the listing, which tasks refer to. The plan
/// then knows which days were quiet.
///
/// # Errors
/// When the evidence cannot be written, or is that of another source.
pub fn announce(
    store: &dyn Store,
    plan: &mut Plan,
    request: &Request,
    regions: &BTreeSet<String>,
    checkpoints: &Checkpoints<'_>,
    monitor: &dyn Monitor,
) -> Result<String, UserError> {
    plan.digest_days = quiet::days(store, plan, request, monitor)?;
    let listing = Listing::of(plan, request, regions);
    let key = listing.key();
    let known = Listings::sound(checkpoints);
    known.save(checkpoints.store(), listing, request, store.within(), Saver::Task)?;
    Ok(key)
}

/// A part of a plan that the evidence knows; of any other a report would not tell what nobody observed.
fn planned(part: &PlannedPart, request: &Request, checkpoints: &Checkpoints<'_>) -> Result<Plan, UserError> {
    let wrong = |what: String| {
        UserError::new(
            what,
            "run `thirdtrail plan` with the same SOURCE, --evidence, --since, --until, --account and --region first, and \
             give parts of what it prints",
        )
    };
    if part.listing != Listing::key_of(request) {
        return Err(wrong(format!("the plan with `{}` was made for another window, account or Region", part.listing)));
    }
    if !checkpoints.listings().contains(&part.listing) {
        return Err(wrong(format!("the evidence does not know the plan: it has no `{}`", part.listing)));
    }
    part.plan(request)
}

/// What of a plan a task asks for.
fn limited(mut plan: Plan, task: &Task) -> Result<Plan, UserError> {
    if let Task::Keys(keys) = task {
        plan.objects.retain(|entry| keys.contains(&entry.key));
        if plan.objects.len() < keys.len() {
            let stranger = keys.iter().find(|key| !plan.objects.iter().any(|entry| entry.key == **key));
            return Err(no_object(stranger.map_or("", String::as_str)));
        }
    }
    Ok(plan)
}
