//! The pool: each worker folds its own evidence, nothing is shared while reading, and merging comes last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cloudtrail::record::EventId;
use crate::evidence::merge::RecordCounts;
use crate::evidence::observe::Observer;
use crate::evidence::{Evidence, Scope};
use crate::store::{Entry, Store};

use super::UserError;
use super::monitor::Monitor;
use super::spill::Spill;

/// One exceptionally large object must not hold its memory for the rest of the run.
const KEEP_BYTES: usize = 8 << 20;

/// How much of the machine to use.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Worker threads.
    pub jobs: usize,
    /// Memory to aim for, in bytes.
    pub memory_bytes: usize,
}

/// Whole evidence, with the fate of every record.
#[derive(Debug)]
pub struct Read {
    /// Merged over all workers; ids of out-of-scope events were counted and let go.
    pub evidence: Evidence,
    /// The counts.
    pub counts: RecordCounts,
    /// How often ids went to disk.
    pub spills: usize,
}

/// Reads objects.
///
/// # Errors
/// When no thread can be started or the disk for temporary files fails; objects that cannot be read are no error.
pub fn read(
    store: &dyn Store,
    objects: &[Entry],
    scope: &Arc<Scope>,
    effort: Effort,
    monitor: &dyn Monitor,
) -> Result<Read, UserError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(effort.jobs).build();
    let pool = pool.map_err(|error| UserError::new(format!("cannot start workers: {error}"), "try --jobs 1"))?;
    let (next, spill) = (AtomicUsize::new(0), Spill::default());
    // A quarter of the memory for ids, shared by the workers.
    let ids_bytes = (effort.memory_bytes / 4 / effort.jobs.max(1)).max(1 << 20);
    let folds = pool.broadcast(|_| fold(store, objects, scope, monitor, &next, &spill, ids_bytes));
    let mut folds = folds.into_iter().collect::<std::io::Result<Vec<Evidence>>>().map_err(disk)?;
    let rest: Vec<Vec<EventId>> = folds.iter_mut().map(|evidence| evidence.out_of_scope.drain_sorted()).collect();
    // Into the first fold and not into an empty evidence: that would hold everything twice for a moment.
    let mut folds = folds.into_iter();
    let mut evidence = folds.next().unwrap_or_default();
    for fold in folds {
        evidence.merge(fold);
    }
    let spills = spill.runs();
    let others = spill.count_others(rest, &evidence.used_ids()).map_err(disk)?;
    let counts = evidence.record_counts(others);
    Ok(Read { evidence, counts, spills })
}

fn disk(error: std::io::Error) -> UserError {
    UserError::new(format!("cannot use temporary files: {error}"), "set TMPDIR to a folder with room")
}

fn fold(
    store: &dyn Store,
    objects: &[Entry],
    scope: &Arc<Scope>,
    monitor: &dyn Monitor,
    next: &AtomicUsize,
    spill: &Spill,
    ids_bytes: usize,
) -> std::io::Result<Evidence> {
    let mut observer = Observer::new(Arc::clone(scope));
    let mut object = Vec::new();
    while let Some(entry) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
        match store.get(&entry.key, &mut object) {
            Ok(()) => observer.observe(&entry.key, &object),
            Err(error) => observer.unreadable(&entry.key, &error.to_string()),
        }
        let others = &mut observer.evidence_mut().out_of_scope;
        if others.held_bytes() > ids_bytes {
            spill.add(others)?;
        }
        monitor.step(entry.size_bytes);
        if object.capacity() > KEEP_BYTES {
            object = Vec::new();
        }
    }
    Ok(observer.finish())
}
