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
use super::gathered::{Folded, Gathered, OnDisk, Overflow, Room};
use super::monitor::Monitor;
use super::shelf::DiskShelf;
use super::spill::{Ids, count};
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
    /// What of the memory each worker has: together a quarter for ids, and a quarter for actors.
    #[must_use]
    pub fn room(self) -> Room {
        let quarter = self.memory_bytes / 4 / self.jobs.max(1);
        Room { ids: quarter.max(1 << 20), actors: quarter.max(4 << 10) }
    }
}

/// Whole evidence, with the fate of every record.
#[derive(Debug)]
pub struct Read {
    /// Merged over all workers; ids of out-of-scope events were counted and let go.
    pub evidence: Evidence,
    /// The counts.
    pub counts: RecordCounts,
    /// The actors that went to disk: all, or none.
    pub shelf: DiskShelf,
    /// What temporary files were used for.
    pub on_disk: OnDisk,
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

/// Reads objects, and notes their SHA-256 if `sums` are asked for.
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
    sums: bool,
) -> Result<Read, UserError> {
    let workers = Workers::start(effort)?;
    let (objects, overflow) = (Objects::of(store, objects, Ahead::default()), Overflow::default());
    let folds = workers
        .on_each(|| fold(&objects, observer(scope, sums), monitor, witness, Gathered::new(&overflow, effort.room())));
    let folds = folds.into_iter().map(|gathered| Ok(gathered?.finish())).collect::<std::io::Result<Vec<Folded>>>();
    monitor.begin("adding up what was read", 0, 0);
    sum(&workers, folds.map_err(disk)?, overflow)
}

/// Whole evidence of what each worker gathered.
pub(super) fn sum(workers: &Workers, folds: Vec<Folded>, overflow: Overflow) -> Result<Read, UserError> {
    let (mut folds, mut rest): (Vec<Evidence>, Vec<Vec<EventId>>) = folds.into_iter().unzip();
    if !overflow.shelf.is_bare() {
        // Then all actors are there: those of a group are in one place.
        for evidence in &mut folds {
            overflow.shelve(evidence).map_err(disk)?;
        }
    }
    // Into the first fold and not into an empty evidence: that would hold everything twice for a moment.
    let mut folds = folds.into_iter();
    let mut evidence = folds.next().unwrap_or_default();
    for fold in folds {
        evidence.merge(fold);
    }
    let used = [evidence.used_ids()];
    let used = Ids { spill: &overflow.used, rest: &used };
    let (used, others) = count(used, Ids { spill: &overflow.others, rest: &rest }, workers).map_err(disk)?;
    rest.clear();
    let counts = evidence.fates(used, others);
    Ok(Read { evidence, counts, on_disk: overflow.used_for(), shelf: overflow.shelf })
}

pub(super) fn disk(error: std::io::Error) -> UserError {
    UserError::new(format!("cannot use temporary files: {error}"), "set TMPDIR to a folder with room")
}

fn observer(scope: &Arc<Scope>, sums: bool) -> Observer {
    let observer = Observer::new(Arc::clone(scope));
    if sums { observer.with_sums() } else { observer }
}

fn fold<'a>(
    objects: &Objects<'_>,
    mut observer: Observer,
    monitor: &dyn Monitor,
    witness: Option<&Witness<'_>>,
    mut gathered: Gathered<'a>,
) -> std::io::Result<Gathered<'a>> {
    // At once: growing by doubling would copy the ids again and again. Room that is not used costs nothing.
    observer.out_of_scope_mut().reserve(gathered.room().ids / size_of::<EventId>());
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
        gathered.relieve(&mut observer)?;
        monitor.step(entry.size_bytes);
        if object.capacity() > KEEP_BYTES {
            object = Vec::new();
        }
    }
    gathered.merge(observer.take())?;
    // By each worker for itself, so that there is less to do later.
    gathered.settle()?;
    Ok(gathered)
}
