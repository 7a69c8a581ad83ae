//! The evidence of one worker, within its share of memory: what outgrows it goes to temporary files.

use std::io::Result;

use serde::Serialize;

use crate::cloudtrail::record::EventId;
use crate::evidence::Evidence;
use crate::evidence::event_ids::EventIds;
use crate::evidence::merge::ids_of;
use crate::evidence::observe::Observer;

use super::shelf::DiskShelf;
use super::spill::Spill;

/// How much memory each worker has for what grows with the trail, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// For ids of events that need no evidence.
    pub ids: usize,
    /// For actors with their calls.
    pub actors: usize,
}

/// Temporary files of all workers.
#[derive(Debug, Default)]
pub struct Overflow {
    /// Ids of events that need no evidence.
    pub others: Spill,
    /// Ids of the calls of actors that are on the shelf.
    pub used: Spill,
    /// Actors.
    pub shelf: DiskShelf,
}

/// What temporary files were used for.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct OnDisk {
    /// How often ids of events went there.
    pub ids_moved: usize,
    /// How often the sessions of third parties, with their calls, went there.
    pub sessions_moved: usize,
    /// Size of all.
    pub bytes: u64,
}

impl OnDisk {
    /// With so many bytes more.
    #[must_use]
    pub fn and(self, bytes: u64) -> Self {
        Self { bytes: self.bytes + bytes, ..self }
    }
}

impl Overflow {
    /// What it was used for.
    #[must_use]
    pub fn used_for(&self) -> OnDisk {
        OnDisk {
            ids_moved: self.others.runs(),
            sessions_moved: self.shelf.times(),
            bytes: self.others.bytes() + self.used.bytes() + self.shelf.bytes(),
        }
    }

    /// Puts the single calls of an evidence away.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn shelve_calls(&self, evidence: &mut Evidence) -> Result<()> {
        let calls = evidence.take_calls();
        if calls.is_empty() { Ok(()) } else { self.shelf.put_calls(&evidence.names, &calls) }
    }

    /// Puts the actors of an evidence away.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn shelve(&self, evidence: &mut Evidence) -> Result<()> {
        self.shelve_calls(evidence)?;
        let actors = std::mem::take(&mut evidence.actors);
        if actors.is_empty() {
            return Ok(());
        }
        self.shelf.put(&evidence.names, &actors)?;
        self.used.add(&mut ids_of(&actors).collect())
    }
}

/// What a worker leaves: evidence, and the ids of events out of scope, sorted.
pub type Folded = (Evidence, Vec<EventId>);

/// See the module. Ids are apart, because merging would sort them again and again.
#[derive(Debug)]
pub struct Gathered<'a> {
    overflow: &'a Overflow,
    room: Room,
    /// Without the ids of events out of scope.
    evidence: Evidence,
    ids: EventIds,
    actors_bytes: usize,
    has_some: bool,
}

impl<'a> Gathered<'a> {
    /// Nothing yet.
    #[must_use]
    pub fn new(overflow: &'a Overflow, room: Room) -> Self {
        Self {
            overflow,
            room,
            evidence: Evidence::default(),
            ids: EventIds::default(),
            actors_bytes: 0,
            has_some: false,
        }
    }

    /// Its share of memory.
    #[must_use]
    pub fn room(&self) -> Room {
        self.room
    }

    /// Adds evidence.
    ///
    /// # Errors
    /// When there is no room and the disk refuses.
    pub fn merge(&mut self, mut evidence: Evidence) -> Result<()> {
        let ids = std::mem::take(&mut evidence.out_of_scope);
        if self.ids.is_empty() {
            self.ids = ids;
        } else {
            ids.iter().for_each(|id| self.ids.append(id));
        }
        self.overflow.others.relieve(&mut self.ids, self.room.ids)?;
        self.actors_bytes += evidence.actors_bytes();
        if self.actors_bytes > self.room.actors {
            self.shelve_calls()?;
            self.overflow.shelve_calls(&mut evidence)?;
            self.actors_bytes += evidence.actors_bytes();
        }
        if self.actors_bytes > self.room.actors {
            self.shelve()?;
            self.overflow.shelve(&mut evidence)?;
        }
        if std::mem::replace(&mut self.has_some, true) {
            self.evidence.merge(evidence);
        } else {
            self.evidence = evidence;
        }
        Ok(())
    }

    /// Notes that an object could not be read.
    pub fn note_failed(&mut self, key: String, reason: String) {
        self.has_some = true;
        self.evidence.coverage.failed.insert(key, reason);
    }

    /// Takes what an observer has, when that or its ids take more than their room.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn relieve(&mut self, observer: &mut Observer) -> Result<()> {
        self.overflow.others.relieve(observer.out_of_scope_mut(), self.room.ids)?;
        if observer.actors_bytes() <= self.room.actors {
            return Ok(());
        }
        self.overflow.others.add(observer.out_of_scope_mut())?;
        let evidence = observer.take();
        observer.out_of_scope_mut().reserve(self.room.ids / size_of::<EventId>());
        self.merge(evidence)
    }

    /// Puts all actors away.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn shelve(&mut self) -> Result<()> {
        self.overflow.shelve(&mut self.evidence)?;
        self.forget_names();
        Ok(())
    }

    fn shelve_calls(&mut self) -> Result<()> {
        self.overflow.shelve_calls(&mut self.evidence)?;
        self.forget_names();
        Ok(())
    }

    /// The names of what was put away go with it.
    fn forget_names(&mut self) {
        let rest = std::mem::take(&mut self.evidence);
        self.evidence.merge(rest);
        self.actors_bytes = self.evidence.actors_bytes();
    }

    /// Puts the single calls away and sorts what is sorted late: to be done by each worker for itself.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle(&mut self) -> Result<()> {
        self.overflow.shelve_calls(&mut self.evidence)?;
        self.evidence.settle();
        self.ids.settle();
        Ok(())
    }

    /// The evidence, and the ids of events out of scope, sorted.
    #[must_use]
    pub fn finish(mut self) -> Folded {
        (self.evidence, self.ids.drain_sorted())
    }
}
