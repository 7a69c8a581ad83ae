//! Reading with saved evidence: what shards hold is taken from them, the rest is read and saved.
//!
//! Three steps. Shards that serve are merged. Objects that none of them holds are read in portions, and each portion is
//! saved before anything else is done with it; evidence is saved whatever the window is, so that it serves the next
//! night's. Where the window takes some events of a shard and leaves others, and only their records can tell which, the
//! objects are read again with the window, and that is not saved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::window::{Time, Window};
use crate::evidence::coverage::object_digest;
use crate::evidence::observe::Observer;
use crate::evidence::scope::RoleRef;
use crate::evidence::shard::{Part, Shard};
use crate::evidence::within::Side;
use crate::evidence::{Evidence, Scope};
use crate::store::{Entry, Store, StoreError};

use super::UserError;
use super::checkpoint::{Checkpoints, MANY_SHARDS, mark};
use super::fetch::{Ahead, Objects};
use super::gathered::{Folded, Gathered, Overflow, Room};
use super::monitor::Monitor;
use super::portions::{Portion, portions};
use super::slot::Slot;
use super::stop::Stop;
use super::workers::{Effort, Read, Workers, disk, sum};

/// Saved evidence to read with.
#[derive(Clone, Copy)]
pub struct Saved<'a> {
    /// The shards.
    pub checkpoints: &'a Checkpoints<'a>,
    /// Whether to stop.
    pub stop: &'a Stop,
}

/// What is done with evidence beside saving it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// It is merged for an answer.
    Answer,
    /// Nothing: another run will do that.
    Save,
    /// It is merged for an answer, and nothing is read or saved.
    Recall,
}

/// All that the workers share.
struct Task<'a> {
    store: &'a dyn Store,
    scope: &'a Scope,
    saved: Saved<'a>,
    purpose: Purpose,
    monitor: &'a dyn Monitor,
    overflow: &'a Overflow,
    room: Room,
}

/// Reads objects, or takes what is saved of them.
///
/// # Errors
/// When evidence cannot be saved, temporary files fail, or somebody wants to stop; objects that cannot be read are no
/// error.
pub fn read(
    store: &dyn Store,
    objects: &[Entry],
    scope: &Scope,
    effort: Effort,
    monitor: &dyn Monitor,
    saved: Saved<'_>,
    purpose: Purpose,
) -> Result<Read, UserError> {
    let (workers, overflow) = (Workers::start(effort)?, Overflow::default());
    let task = Task { store, scope, saved, purpose, monitor, overflow: &overflow, room: effort.room() };
    saved.checkpoints.begin();
    let slots = Slot::all(objects);
    let taken = on_all(&workers, &task, &slots, || Taking::new(&task), Taking::take)?;
    let (mut gathered, mut missing, mut cut, mut loud) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
    let mut party_users = scope.party_users.clone();
    for taking in taken {
        gathered.push(taking.gathered);
        missing.extend(taking.missing);
        cut.extend(taking.cut);
        loud.extend(taking.loud);
        party_users.extend(taking.party_users);
    }
    // What earlier evidence kept in full is kept in full again: an outsider was seen there, and the next night's run
    // would have to read it all again.
    let quiet_roles = &scope.quiet_roles - &loud.into_iter().collect();
    let keeping = Scope { window: None, quiet_roles, party_users, ..scope.clone() };
    let keeping = Arc::new(keeping);
    let read = on_portions(&workers, &task, &missing, &keeping, Reading::save)?;
    for reading in read {
        gathered.push(reading.gathered);
        cut.extend(reading.cut);
    }
    if purpose == Purpose::Answer {
        let exact = Arc::new(scope.clone());
        let read = on_portions(&workers, &task, &cut, &exact, Reading::answer)?;
        gathered.extend(read.into_iter().map(|reading| reading.gathered));
    }
    monitor.begin("adding up what was read", 0, 0);
    let read = sum(&workers, folded(gathered)?, overflow)?;
    if purpose == Purpose::Answer {
        none_is_lost(objects, &read);
    }
    Ok(read)
}

/// What workers leave.
fn folded(gathered: Vec<Gathered<'_>>) -> Result<Vec<Folded>, UserError> {
    let settled = gathered.into_iter().map(|mut gathered| {
        gathered.settle().map_err(disk)?;
        Ok(gathered.finish())
    });
    settled.collect()
}

/// Evidence of an object that is neither held nor read nor known to have failed would be silence in the answer: whatever
/// led to it is a bug, and no answer is better.
fn none_is_lost(objects: &[Entry], read: &Read) {
    let coverage = &read.evidence.coverage;
    let is_there = |key: &str| coverage.objects.contains_key(&object_digest(key)) || coverage.failed.contains_key(key);
    let lost = objects.iter().find(|entry| !is_there(&entry.key));
    assert!(
        lost.is_none(),
        "the evidence of an object was lost: {}",
        lost.map_or_else(String::new, |e| format!("{:?}", e.key))
    );
}

/// What evidence alone says: that of all shards of these objects, none of which is read.
///
/// # Errors
/// When shards do not hold what is needed.
pub fn recall(
    objects: &[Entry],
    scope: &Scope,
    effort: Effort,
    monitor: &dyn Monitor,
    saved: Saved<'_>,
    failures: &BTreeMap<String, String>,
) -> Result<Read, UserError> {
    let store = crate::store::memory::MemoryStore::default();
    let (workers, overflow) = (Workers::start(effort)?, Overflow::default());
    let purpose = Purpose::Recall;
    let task = Task { store: &store, scope, saved, purpose, monitor, overflow: &overflow, room: effort.room() };
    saved.checkpoints.begin();
    let slots = Slot::all(objects);
    let taken = on_all(&workers, &task, &slots, || Taking::new(&task), Taking::take)?;
    let mut gathered = Vec::new();
    for taking in taken {
        if let Some(portion) = taking.cut.first() {
            return Err(UserError::new(
                format!("the window cuts through the events of `{}`", portion.slot),
                "late objects hold events of several days: move --since or --until by a day, or run `thirdtrail analyze` \
                 with the trail",
            ));
        }
        let mut one = taking.gathered;
        for (object, slot) in
            taking.missing.iter().flat_map(|portion| portion.objects.iter().map(|o| (o, &portion.slot)))
        {
            match failures.get(&object.key) {
                Some(reason) => one.note_failed(object.key.clone(), reason.clone()),
                None => {
                    return Err(UserError::new(
                        format!("the evidence in `{slot}` keeps too little of a role that outsiders can reach today"),
                        "give all the inventories (--inventory) that it was made with, or run `thirdtrail analyze` with \
                         the trail and this --evidence once",
                    ));
                }
            }
        }
        gathered.push(one);
    }
    monitor.begin("adding up what was read", 0, 0);
    let read = sum(&workers, folded(gathered)?, overflow)?;
    none_is_lost(objects, &read);
    Ok(read)
}

/// Has every worker take pieces until none is left, somebody wants to stop, or one fails.
fn on_all<P: Sync, W: Send>(
    workers: &Workers,
    task: &Task<'_>,
    pieces: &[P],
    new: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &P) -> Result<(), UserError> + Sync,
) -> Result<Vec<W>, UserError> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    let done = workers.on_each(|| {
        let mut worker = new();
        while !task.saved.stop.is_asked()
            && let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed))
        {
            if let Err(error) = work(&mut worker, piece) {
                // The others find nothing left to do.
                next.store(pieces.len(), Ordering::Relaxed);
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
        worker
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if task.saved.stop.is_asked() {
        return Err(UserError::new("stopped on request", "run the same command again: it goes on where it was"));
    }
    Ok(done)
}

/// What came of each object of a portion, in the order in which it came.
type Arrived = Vec<(Entry, Result<Vec<u8>, StoreError>)>;

/// Has the workers do portions. From a near store each reads its portion by itself. From a far one objects are on their
/// way before anybody wants them; who brings the last object of a portion does the portion.
fn on_portions<'a>(
    workers: &Workers,
    task: &'a Task<'a>,
    portions: &[Portion],
    scope: &Arc<Scope>,
    work: impl Fn(&mut Reading<'a>, &Portion, Option<Arrived>) -> Result<(), UserError> + Sync,
) -> Result<Vec<Reading<'a>>, UserError> {
    let new = || Reading::new(task, Arc::clone(scope));
    if task.store.remote().is_none() {
        return on_all(workers, task, portions, new, |reading, portion| work(reading, portion, None));
    }
    let entries: Vec<Entry> = portions.iter().flat_map(|portion| portion.objects.iter().cloned()).collect();
    let places =
        portions.iter().enumerate().flat_map(|(at, portion)| portion.objects.iter().map(move |o| (&o.key, at)));
    let places: BTreeMap<&String, usize> = places.collect();
    let waiting: Vec<Mutex<Arrived>> = portions.iter().map(|_| Mutex::default()).collect();
    let objects = Objects::of(task.store, &entries, Ahead::default());
    let seats: Vec<()> = vec![(); entries.len()];
    on_all(workers, task, &seats, new, |reading, ()| {
        let mut bytes = Vec::new();
        let Some((entry, got)) = objects.next(&mut bytes) else { return Ok(()) };
        let place = places.get(&entry.key).and_then(|at| Some((portions.get(*at)?, waiting.get(*at)?)));
        let Some((portion, waiting)) = place else { return Ok(()) };
        let mut arrived = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.push((entry.clone(), got.map(|()| bytes)));
        if arrived.len() < portion.objects.len() {
            return Ok(());
        }
        let arrived = std::mem::take(&mut *arrived);
        work(reading, portion, Some(arrived))
    })
}

/// What the scope leaves of a part that its window does not cut.
fn admitted(part: Part, scope: &Scope) -> Evidence {
    let mut evidence = part.evidence;
    evidence.quieten(scope);
    if Side::of(scope.window, part.span).is_outside() {
        evidence.leave_window(scope);
    }
    evidence
}

/// A worker that takes what shards hold.
struct Taking<'a> {
    task: &'a Task<'a>,
    gathered: Gathered<'a>,
    /// Objects that no shard holds.
    missing: Vec<Portion>,
    /// Objects of shards that the window cuts.
    cut: Vec<Portion>,
    /// Roles kept in full, though they could be kept in little.
    loud: BTreeSet<RoleRef>,
    /// Users whose calls were kept.
    party_users: BTreeSet<String>,
}

impl<'a> Taking<'a> {
    fn new(task: &'a Task<'a>) -> Self {
        Self {
            gathered: Gathered::new(task.overflow, task.room),
            task,
            missing: Vec::new(),
            cut: Vec::new(),
            loud: BTreeSet::new(),
            party_users: BTreeSet::new(),
        }
    }

    fn take(&mut self, slot: &Slot) -> Result<(), UserError> {
        let task = self.task;
        let checkpoints = task.saved.checkpoints;
        let shards = checkpoints.serving(slot, task.scope);
        for shard in &shards {
            let roles = shard.parts.iter().flat_map(|part| part.evidence.role_refs());
            let quiet_now = roles.filter(|role| task.scope.quiet_roles.contains(role));
            self.loud.extend(quiet_now.filter(|role| !shard.quiet.contains(role)));
            self.party_users.extend(shard.party_users.iter().cloned());
        }
        let many = shards.len() > MANY_SHARDS && task.purpose != Purpose::Recall;
        let shards = if many { checkpoints.put_together(&slot.name, task.scope.window, shards)? } else { shards };
        // What is held and what is cut is told of the shards as they are used from here on, so that no object is lost
        // between the two.
        let keys = |shards: &[Shard]| -> BTreeSet<String> {
            shards.iter().flat_map(|shard| shard.held.keys().cloned()).collect()
        };
        let window = task.scope.window;
        let (cut, whole): (Vec<Shard>, Vec<Shard>) = shards
            .into_iter()
            .partition(|shard| shard.parts.iter().any(|part| Side::of(window, part.span) == Side::Cut));
        let (cut, held) = (keys(&cut), keys(&whole));
        for entry in slot.objects.iter().filter(|entry| held.contains(&entry.key) && !cut.contains(&entry.key)) {
            task.monitor.step(entry.size_bytes);
        }
        let portions = |wanted: &dyn Fn(&Entry) -> bool| portions(slot, wanted);
        self.missing.extend(portions(&|entry| !held.contains(&entry.key) && !cut.contains(&entry.key)));
        self.cut.extend(portions(&|entry| cut.contains(&entry.key)));
        if task.purpose == Purpose::Save {
            return Ok(());
        }
        whole
            .into_iter()
            .flat_map(|shard| shard.parts)
            .try_for_each(|part| self.gathered.merge(admitted(part, task.scope)).map_err(disk))
    }
}

/// The bytes of an object, or why there are none.
type Got<'a> = Result<&'a [u8], &'a StoreError>;

fn see(observer: &mut Observer, entry: &Entry, got: Got<'_>) {
    match got {
        Ok(bytes) => observer.observe(&entry.key, bytes),
        Err(error) => observer.unreadable(&entry.key, &error.to_string()),
    }
}

/// A worker that reads objects.
struct Reading<'a> {
    task: &'a Task<'a>,
    gathered: Gathered<'a>,
    cut: Vec<Portion>,
    scope: Arc<Scope>,
    observer: Observer,
    object: Vec<u8>,
}

impl<'a> Reading<'a> {
    fn new(task: &'a Task<'a>, scope: Arc<Scope>) -> Self {
        Self {
            gathered: Gathered::new(task.overflow, task.room),
            task,
            cut: Vec::new(),
            observer: Observer::new(Arc::clone(&scope)).with_sums(),
            scope,
            object: Vec::new(),
        }
    }

    /// The objects of a portion, brought if they have not come by themselves.
    fn bring(
        &mut self,
        portion: &Portion,
        arrived: Option<Arrived>,
        mut see: impl FnMut(&mut Observer, &Entry, Got<'_>),
    ) {
        let task = self.task;
        match arrived {
            Some(arrived) => {
                for (entry, got) in arrived {
                    see(&mut self.observer, &entry, got.as_deref());
                    task.monitor.step(entry.size_bytes);
                }
            }
            None => {
                for entry in &portion.objects {
                    let got = task.store.get(&entry.key, &mut self.object);
                    see(&mut self.observer, entry, got.as_ref().map(|()| self.object.as_slice()));
                    task.monitor.step(entry.size_bytes);
                }
            }
        }
        task.saved.checkpoints.note_read(portion.objects.len() as u64);
    }

    fn observe(&mut self, portion: &Portion, arrived: Option<Arrived>) -> Evidence {
        self.bring(portion, arrived, see);
        self.observer.take()
    }

    /// The evidence of a portion, before and after the midnight that its objects were delivered after, if it is such a
    /// portion: the window of a day, or of days, then takes the one and leaves the other.
    fn observe_days(&mut self, portion: &Portion, arrived: Option<Arrived>) -> Vec<Evidence> {
        let Some(window) = portion.midnight().and_then(|midnight| Window::new(Time::MIN_UTC, midnight)) else {
            return vec![self.observe(portion, arrived)];
        };
        let before = Scope { window: Some(window), ..Scope::clone(&self.scope) };
        let mut before = Observer::new(Arc::new(before)).with_sums();
        let after = Window::new(window.until, Time::MAX_UTC);
        let mut after = Observer::new(Arc::new(Scope { window: after, ..Scope::clone(&self.scope) })).with_sums();
        self.bring(portion, arrived, |_, entry, got| {
            see(&mut before, entry, got);
            see(&mut after, entry, got);
        });
        vec![before.take(), after.take()]
    }

    /// Reads objects that no shard holds, saves their evidence, and only then uses it.
    fn save(&mut self, portion: &Portion, arrived: Option<Arrived>) -> Result<(), UserError> {
        let evidence = self.observe_days(portion, arrived);
        let marks = portion.objects.iter().map(|entry| (entry.key.clone(), mark(entry)));
        let shard = Shard::of(&self.scope, marks, evidence);
        let task = self.task;
        task.saved.checkpoints.save(&portion.slot, &shard)?;
        if task.purpose == Purpose::Answer
            && shard.parts.iter().any(|part| Side::of(task.scope.window, part.span) == Side::Cut)
        {
            self.cut.push(portion.clone());
            return Ok(());
        }
        for (key, failure) in shard.failed {
            self.gathered.note_failed(key, failure.reason);
        }
        if task.purpose == Purpose::Save {
            return Ok(());
        }
        shard.parts.into_iter().try_for_each(|part| self.gathered.merge(admitted(part, task.scope)).map_err(disk))
    }

    /// Reads objects for this answer alone.
    fn answer(&mut self, portion: &Portion, arrived: Option<Arrived>) -> Result<(), UserError> {
        let evidence = self.observe(portion, arrived);
        self.gathered.merge(evidence).map_err(disk)
    }
}
