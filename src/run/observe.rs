//! The map step alone: reads objects that no shard holds and saves their evidence; another run makes the report.
//!
//! Tasks on several machines may share one place of evidence: each names its objects, and a shard is written as a whole. A
//! task that is done again reads only what no shard holds by then, and what could not be read. Each task saves what was
//! listed, so that a report knows of tasks that were never done. Nothing is taken away here, because others may be at work.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::store::Store;

use super::UserError;
use super::analyze::{Options, given, scope_of};
use super::checkpoint::Notes;
use super::discover::find;
use super::listing::{Listing, Listings, Saver};
use super::monitor::Monitor;
use super::quiet;
use super::resume::{Purpose, Saved, read};

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

/// Observes the part of a source that was asked for, or of that the objects in `only`.
///
/// # Errors
/// The user's mistakes, evidence that cannot be saved, and a wish to stop.
pub fn observe(
    store: &dyn Store,
    options: &Options,
    only: Option<&BTreeSet<String>>,
    saved: Saved<'_>,
    monitor: &dyn Monitor,
) -> Result<Observed, UserError> {
    let (given, _) = given(options, monitor)?;
    let mut plan = find(store, &options.request, monitor)?;
    plan.digest_days = quiet::days(store, &plan, &options.request, monitor)?;
    let place = saved.checkpoints.store();
    let listing = Listing::of(&plan, &options.request, &options.beside.regions);
    Listings::sound(saved.checkpoints).save(place, listing, &options.request, store.within(), Saver::Task)?;
    if let Some(only) = only {
        let planned: BTreeSet<&String> = plan.objects.iter().map(|entry| &entry.key).collect();
        if let Some(stranger) = only.iter().find(|key| !planned.contains(key)) {
            return Err(UserError::new(
                format!("`{stranger}` is no object to be read at this source"),
                "name keys below SOURCE, as `thirdtrail plan --format json` lists them",
            ));
        }
        plan.objects.retain(|entry| only.contains(&entry.key));
    }
    let scope = scope_of(&plan, &given, options);
    monitor.begin("reading", plan.objects.len() as u64, plan.bytes());
    let read = read(store, &plan.objects, &scope, options.effort, monitor, saved, Purpose::Save)?;
    monitor.end();
    let failed = read.evidence.coverage.failed.into_iter().collect();
    Ok(Observed { objects: plan.objects.len() as u64, notes: saved.checkpoints.notes(), failed })
}

/// The keys in a file: one a line, or JSON as `thirdtrail plan --format json` prints it.
///
/// # Errors
/// When it cannot be read or names nothing.
pub fn keys(path: &Path) -> Result<BTreeSet<String>, UserError> {
    #[derive(Deserialize)]
    struct Planned {
        objects: Vec<PlannedObject>,
    }
    #[derive(Deserialize)]
    struct PlannedObject {
        key: String,
    }
    let shown = path.display();
    let wrong = |reason: String| {
        UserError::new(
            format!("cannot read the objects in `{shown}`: {reason}"),
            "give one key a line, or the output of `thirdtrail plan --format json`",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let keys: BTreeSet<String> = if text.trim_start().starts_with('{') {
        let planned: Planned = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        planned.objects.into_iter().map(|object| object.key).collect()
    } else {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    if keys.is_empty() { Err(wrong("it names none".to_owned())) } else { Ok(keys) }
}
