//! The pool: each worker folds its own evidence, nothing is shared while reading, and merging comes last.

use std::sync::Arc;

use rayon::prelude::*;

use crate::cloudtrail::record::EventId;
use crate::evidence::hands::Hands;
use crate::evidence::merge::RecordCounts;
use crate::evidence::observe::Observer;
use crate::evidence::{Evidence, Scope};
use crate::store::{Entry, Store};

use super::UserError;
use super::fetch::{Ahead, Objects};
use super::monitor::Monitor;
use super::spill::Spill;
use super::witness::Witness;

/// One exceptionally large object must not hold its memory for the rest of the run.
const KEEP_BYTES: usize = 8 << 20;

/// How much of the machine to use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    /// Worker threads.
    pub jobs: usize,
    /// Memory to aim for, in bytes.
    pub memory_bytes: usize,
}

impl Effort {
    /// What of the memory each worker has for ids: together they have a quarter.
    #[must_use]
    pub fn ids_bytes(self) -> usize {
        (self.memory_bytes / 4 / self.jobs.max(1)).max(1 << 20)
    }
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

/// Worker threads. Those that read are let go before the judgement begins, because each holds on to memory that only
/// reading needs.
pub struct Workers(rayon::ThreadPool);

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(effort: Effort) -> Result<Self, UserError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(effort.jobs).build();
        pool.map(Self).map_err(|error| UserError::new(format!("cannot start workers: {error}"), "try --jobs 1"))
    }
}

impl Workers {
    /// Has each thread do the same once.
    pub(super) fn on_each<T: Send>(&self, work: impl Fn() -> T + Sync) -> Vec<T> {
        self.0.broadcast(|_| work())
    }

    /// Frees evidence by several threads, because it is millions of small pieces; what comes next finds the room free.
    pub fn let_go(&self, evidence: Evidence) {
        let Evidence { actors, handoffs, .. } = evidence;
        self.0.join(|| drop(actors), || drop(handoffs));
    }
}

impl Hands for Workers {
    fn each(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
        self.0.install(|| (0..count).into_par_iter().with_max_len(1).for_each(piece));
    }
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
    witness: Option<&Witness<'_>>,
) -> Result<Read, UserError> {
    let workers = Workers::start(effort)?;
    let (objects, spill) = (Objects::of(store, objects, Ahead::default()), Spill::default());
    let folds = workers.on_each(|| fold(&objects, scope, monitor, witness, &spill, effort.ids_bytes()));
    let folds = folds.into_iter().collect::<std::io::Result<Vec<Evidence>>>().map_err(disk)?;
    sum(&workers, folds, &spill)
}

/// Whole evidence of what each worker gathered.
pub(super) fn sum(workers: &Workers, mut folds: Vec<Evidence>, spill: &Spill) -> Result<Read, UserError> {
    let rest: Vec<Vec<EventId>> = folds.iter_mut().map(|evidence| evidence.out_of_scope.drain_sorted()).collect();
    // Into the first fold and not into an empty evidence: that would hold everything twice for a moment.
    let mut folds = folds.into_iter();
    let mut evidence = folds.next().unwrap_or_default();
    for fold in folds {
        evidence.merge(fold);
    }
    let spills = spill.runs();
    let used = evidence.used_ids();
    let others = spill.count_others(&rest, &used, workers).map_err(disk)?;
    let counts = evidence.fates(used.len() as u64, others);
    Ok(Read { evidence, counts, spills })
}

pub(super) fn disk(error: std::io::Error) -> UserError {
    UserError::new(format!("cannot use temporary files: {error}"), "set TMPDIR to a folder with room")
}

fn fold(
    objects: &Objects<'_>,
    scope: &Arc<Scope>,
    monitor: &dyn Monitor,
    witness: Option<&Witness<'_>>,
    spill: &Spill,
    ids_bytes: usize,
) -> std::io::Result<Evidence> {
    let mut observer = Observer::new(Arc::clone(scope));
    // At once: growing by doubling would copy the ids again and again. Room that is not used costs nothing.
    observer.out_of_scope_mut().reserve(ids_bytes / size_of::<EventId>());
    let mut object = Vec::new();
    let mut eye = witness.map(Witness::eye);
    while let Some((entry, got)) = objects.next(&mut object) {
        match got {
            Ok(()) => {
                if let Some(eye) = &mut eye {
                    eye.see(&entry.key, &object);
                }
                observer.observe(&entry.key, &object);
            }
            Err(error) => observer.unreadable(&entry.key, &error.to_string()),
        }
        spill.relieve(observer.out_of_scope_mut(), ids_bytes)?;
        monitor.step(entry.size_bytes);
        if object.capacity() > KEEP_BYTES {
            object = Vec::new();
        }
    }
    // Sorted by each worker for itself, so that the merge has less to do.
    Ok(observer.take())
}
