//! A report from saved evidence alone: the trail is not needed, only what is known of its listing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::evidence::Scope;
use crate::evidence::shard::Mark;
use crate::store::Entry;

use super::UserError;
use super::analyze::{Options, Outcome, ReadBy, answer, given};
use super::checkpoint::Checkpoints;
use super::listing::Listing;
use super::monitor::Monitor;
use super::plan::plan;
use super::resume::{Saved, recall};

/// Judges and renders what evidence holds.
///
/// # Errors
/// The user's mistakes: no evidence, or too little of it for what is asked.
pub fn report(saved: Saved<'_>, options: &Options, monitor: &dyn Monitor) -> Result<Outcome, UserError> {
    let started = Instant::now();
    let mut inputs = given(options)?;
    let known = Known::of(saved.checkpoints)?;
    let mut plan = plan(known.objects, &options.request)?;
    if let Some(listing) = Listing::load(saved.checkpoints.store()) {
        // Where the evidence lies says nothing of Regions; what it was made of does.
        inputs.0.beside.regions.clone_from(listing.regions());
        listing.complete(&mut plan, &options.request);
    }
    let read = |scope: &Scope| recall(&plan.objects, scope, options.effort, monitor, saved, &known.failures);
    let outcome = answer(&plan, inputs, options, &ReadBy { read: &read, witness: None }, monitor, started)?;
    Ok(Outcome { evidence: Some(saved.checkpoints.notes()), ..outcome })
}

/// The objects that the shards tell of.
struct Known {
    objects: Vec<Entry>,
    /// Those of them that were tried and never read, with the reason.
    failures: BTreeMap<String, String>,
}

impl Known {
    fn of(checkpoints: &Checkpoints<'_>) -> Result<Self, UserError> {
        let mut held: BTreeMap<String, Mark> = BTreeMap::new();
        let mut failed = BTreeMap::new();
        let mut changed = BTreeSet::new();
        for slot in checkpoints.slots() {
            for (_, shard) in checkpoints.shards(&slot) {
                for (key, mark) in shard.held {
                    if held.get(&key).is_some_and(|known| *known != mark) {
                        changed.insert(key.clone());
                    }
                    held.insert(key, mark);
                }
                failed.extend(shard.failed);
            }
        }
        failed.retain(|key, _| !held.contains_key(key));
        if let Some(key) = changed.first() {
            return Err(UserError::new(
                format!("the evidence holds two versions of `{key}`"),
                "run `thirdtrail analyze` with the trail and this --evidence once",
            ));
        }
        if checkpoints.notes().shards_damaged > 0 {
            return Err(UserError::new(
                format!("{} shards of the evidence are damaged", checkpoints.notes().shards_damaged),
                "run `thirdtrail analyze` with the trail and this --evidence: it reads their objects again",
            ));
        }
        if held.is_empty() && failed.is_empty() {
            return Err(UserError::new(
                "there is no evidence of this version of thirdtrail",
                "give the --evidence of `thirdtrail analyze` or `thirdtrail observe`",
            ));
        }
        let failures = failed.iter().map(|(key, failure)| (key.clone(), failure.reason.clone())).collect();
        held.extend(failed.into_iter().map(|(key, failure)| (key, failure.mark)));
        let entry = |(key, mark): (String, Mark)| Entry { key, size_bytes: mark.size_bytes, tag: mark.tag };
        Ok(Self { objects: held.into_iter().map(entry).collect(), failures })
    }
}
