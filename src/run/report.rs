//! A report from saved evidence alone: the trail is not needed, only what is known of its listing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::aws::AccountId;
use crate::evidence::Scope;
use crate::evidence::hands;
use crate::evidence::shard::Mark;
use crate::store::Entry;

use super::UserError;
use super::analyze::{Options, Outcome, ReadBy, answer, given};
use super::checkpoint::{Checkpoints, Notes, mark};
use super::listing::Listings;
use super::monitor::Monitor;
use super::plan::plan;
use super::resume::{Saved, recall};
use super::slot::is_asked_for;
use super::workers::Workers;

/// Judges and renders what evidence holds.
///
/// # Errors
/// The user's mistakes: no evidence, or too little of it for what is asked.
pub fn report(saved: Saved<'_>, options: &Options, monitor: &dyn Monitor) -> Result<Outcome, UserError> {
    let started = Instant::now();
    let mut inputs = given(options, monitor)?;
    let listings = Listings::load(saved.checkpoints)?;
    let known = Known::of(saved.checkpoints, &listings, options)?;
    let options = &Options { request: listings.complete_request(&options.request)?, ..options.clone() };
    let mut plan = plan(known.objects, &options.request)?;
    plan.accounts.extend(known.accounts);
    // Where the evidence lies says nothing of Regions; what it was made of does.
    inputs.0.beside.regions = listings.regions(&options.request);
    listings.complete(&mut plan, &options.request);
    if known.others > 0 {
        no_object_is_unobserved(&plan.objects, &known.failures, known.others)?;
    }
    let read = |scope: &Scope| recall(&plan.objects, scope, options.effort, monitor, saved, &known.failures);
    let outcome = answer(&plan, inputs, options, &ReadBy { read: &read, witness: None }, monitor, started)?;
    Ok(Outcome { evidence: Some(saved.checkpoints.notes()), ..outcome })
}

/// Why an object counts as failed that was listed and that no shard tells of.
const NOT_OBSERVED: &str = "not observed: no evidence of it was saved";

/// What other versions observed is known to them alone.
fn no_object_is_unobserved(
    objects: &[Entry],
    failures: &BTreeMap<String, String>,
    others: u64,
) -> Result<(), UserError> {
    let unobserved = |entry: &&Entry| failures.get(&entry.key).is_some_and(|reason| reason == NOT_OBSERVED);
    let count = objects.iter().filter(unobserved).count();
    if count == 0 {
        return Ok(());
    }
    Err(UserError::new(
        format!(
            "{others} shards of the evidence are of other versions of thirdtrail, and {count} objects are in no other"
        ),
        "run `thirdtrail analyze` or `observe` of this version with the trail and this --evidence",
    ))
}

/// The objects that were listed or that shards tell of; of what is not asked for only what was listed, so that the report of
/// one account does not read the evidence of a thousand.
struct Known {
    objects: Vec<Entry>,
    /// The accounts that the evidence is of, asked for or not.
    accounts: BTreeSet<AccountId>,
    /// Those of them of which there is no evidence, with the reason.
    failures: BTreeMap<String, String>,
    /// Shards of other versions.
    others: u64,
}

impl Known {
    fn of(checkpoints: &Checkpoints<'_>, listings: &Listings, options: &Options) -> Result<Self, UserError> {
        let workers = Workers::start(options.effort)?;
        let mut held: BTreeMap<String, Mark> = BTreeMap::new();
        let mut failed = BTreeMap::new();
        let mut changed = BTreeSet::new();
        let slots = checkpoints.slots();
        let accounts = slots.iter().filter_map(|slot| AccountId::parse(slot.split('/').next()?)).collect();
        let (asked, others): (Vec<String>, Vec<String>) =
            slots.into_iter().partition(|slot| is_asked_for(slot, &options.request));
        let objects_of = |slot: &String| -> Vec<_> {
            checkpoints.shards(slot).into_iter().map(|(_, shard)| (shard.held, shard.failed)).collect()
        };
        for (objects, not_read) in hands::map(&workers, &asked, objects_of).into_iter().flatten() {
            for (key, mark) in objects {
                if held.get(&key).is_some_and(|known| *known != mark) {
                    changed.insert(key.clone());
                }
                held.insert(key, mark);
            }
            failed.extend(not_read);
        }
        failed.retain(|key, _| !held.contains_key(key));
        let notes = checkpoints.notes();
        usable(&notes)?;
        if held.is_empty() && failed.is_empty() && others.is_empty() {
            return Err(UserError::new(
                "there is no evidence of this version of thirdtrail",
                "give the --evidence of `thirdtrail analyze` or `thirdtrail observe`",
            ));
        }
        let mut failures: BTreeMap<String, String> =
            failed.iter().map(|(key, failure)| (key.clone(), failure.reason.clone())).collect();
        let mut listed: BTreeMap<String, BTreeSet<Mark>> = BTreeMap::new();
        for entry in listings.entries() {
            listed.entry(entry.key.clone()).or_default().insert(mark(&entry));
        }
        held.extend(failed.into_iter().map(|(key, failure)| (key, failure.mark)));
        for (key, marks) in listed {
            match held.get(&key) {
                Some(known) if failures.contains_key(&key) || marks.contains(known) => {}
                Some(_) => drop(changed.insert(key)),
                None => {
                    failures.insert(key.clone(), NOT_OBSERVED.to_owned());
                    held.extend(marks.into_iter().next().map(|mark| (key, mark)));
                }
            }
        }
        if let Some(key) = changed.first() {
            return Err(UserError::new(
                format!("`{key}` has changed since some of the evidence was saved"),
                "run `thirdtrail analyze` with the trail and this --evidence once",
            ));
        }
        let entry = |(key, mark): (String, Mark)| Entry { key, size_bytes: mark.size_bytes, tag: mark.tag };
        let objects = held.into_iter().map(entry).collect();
        Ok(Self { objects, accounts, failures, others: notes.shards_of_other_versions })
    }
}

/// Shards that cannot be read are told, because the trail is not there to be read instead.
fn usable(notes: &Notes) -> Result<(), UserError> {
    let first = notes.damaged.iter().next().map_or_else(String::new, |(key, why)| format!(" (`{key}`: {why})"));
    if notes.shards_unread > 0 {
        return Err(UserError::new(
            format!("{} shards of the evidence cannot be read{first}", notes.shards_unread),
            "check the permissions of the evidence, and try again",
        ));
    }
    if notes.shards_damaged > 0 {
        return Err(UserError::new(
            format!("{} shards of the evidence are damaged{first}", notes.shards_damaged),
            "run `thirdtrail analyze` with the trail and this --evidence: it reads their objects again",
        ));
    }
    Ok(())
}
