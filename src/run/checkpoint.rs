//! Saved shards of evidence: finding those that serve, saving new ones, taking away those that no longer stand for
//! anything.
//!
//! Objects are grouped into slots ([`super::slot`]). A slot holds shards, each for some of its objects. A shard is one file that is written whole
//! or not at all, so a run that was killed leaves nothing but shards that count; one that is damaged, of another version,
//! or that stands for an object that has changed or gone is not used, and what it stood for is read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::aws::Window;
use crate::evidence::Scope;
use crate::evidence::shard::{Mark, Part, Shard, ShardError};
use crate::evidence::within::Side;
use crate::store::{Entry, KeyRange, Store, StoreError};

use super::UserError;
use super::listing::{FOLDER as LISTINGS, is_listing};
use super::plan::Request;
use super::slot::{self, OTHER_FOLDER, Slot, is_asked_for};
use super::source::{self, AwsOptions, in_bucket, open_to_write};

/// Where shards lie.
const FOLDER: &str = "shards/";
const ENDING: &str = ".shard";
/// How a local store ends the name of a file that it is still writing.
const UNFINISHED: &str = ".part";
/// Damaged shards, and those that cannot be read, named in `run.json`; all are counted.
const NAMED: usize = 100;

/// More shards of one slot are put together in one.
pub const MANY_SHARDS: usize = 8;

/// What was used and what was saved, for `run.json`.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Notes {
    /// Shards whose evidence was used.
    pub shards_used: u64,
    /// Objects whose evidence shards held. Those that the window cuts were read all the same.
    pub objects_held: u64,
    /// Objects that were read.
    pub objects_read: u64,
    /// Shards saved.
    pub shards_saved: u64,
    /// Bytes of the shards saved.
    pub saved_bytes: u64,
    /// Shards that were damaged: their objects were read again.
    pub shards_damaged: u64,
    /// Some of them, and of those that were not given, with the reason.
    pub damaged: BTreeMap<String, String>,
    /// Shards that the store did not give, as it may another time: their objects were read again, and they stay.
    pub shards_unread: u64,
    /// Shards of other versions of this program: their objects were read again.
    pub shards_of_other_versions: u64,
    /// Shards taken away, because others took their place.
    pub shards_removed: u64,
}

impl Notes {
    fn name(&mut self, shard: String, reason: String) {
        if self.damaged.len() < NAMED {
            self.damaged.insert(shard, reason);
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// The shards of each slot, by key.
    slots: BTreeMap<String, BTreeSet<String>>,
    /// What killed runs left of shards that they were writing.
    unfinished: Vec<String>,
    /// Shards that the store did not give: nobody knows what is in them.
    unread: BTreeSet<String>,
    /// Listings.
    listings: Vec<String>,
    /// Slots that were looked into.
    visited: BTreeSet<String>,
    /// Shards that stand for what was asked.
    serving: BTreeSet<String>,
    notes: Notes,
}

/// A place of saved shards.
pub struct Checkpoints<'a> {
    store: &'a dyn Store,
    state: Mutex<State>,
}

/// What a store tells of an object.
#[must_use]
pub fn mark(entry: &Entry) -> Mark {
    Mark { size_bytes: entry.size_bytes, tag: entry.tag.clone() }
}

/// The store at a place of evidence; a folder is made if there is none.
///
/// # Errors
/// When there can be none.
pub fn open_place(place: &str, aws: &AwsOptions) -> Result<Box<dyn Store>, UserError> {
    if in_bucket(place)?.is_none() {
        std::fs::create_dir_all(place).map_err(|error| {
            let what = format!("cannot use `{place}` for evidence: {error}");
            UserError::new(what, "give a folder or s3://bucket/prefix")
        })?;
    }
    open_known(place, aws)
}

/// The store at a place where there is evidence.
///
/// # Errors
/// When there is no such place.
pub fn open_known(place: &str, aws: &AwsOptions) -> Result<Box<dyn Store>, UserError> {
    match in_bucket(place)? {
        Some(found) => Ok(Box::new(open_to_write(place, found, aws)?)),
        None => source::open(place, aws),
    }
}

impl<'a> Checkpoints<'a> {
    /// The shards at a place.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn open(store: &'a dyn Store) -> Result<Self, UserError> {
        Ok(Self::of(store, store.list().map_err(|error| cannot_list(&error))?))
    }

    /// The shards that may stand for some objects: a task of many lists no more of the evidence than it needs.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn open_for(store: &'a dyn Store, objects: &[Entry]) -> Result<Self, UserError> {
        let shards = slot::range(FOLDER, objects);
        let ranges = [Some(KeyRange::whole(LISTINGS)), shards].into_iter().flatten();
        let found: Result<Vec<_>, _> = ranges.map(|range| store.list_range(&range)).collect();
        Ok(Self::of(store, found.map_err(|error| cannot_list(&error))?.concat()))
    }

    fn of(store: &'a dyn Store, listing: Vec<Entry>) -> Self {
        let mut state = State::default();
        for entry in listing {
            match slot_of_shard(&entry.key) {
                Some((slot, true)) => drop(state.slots.entry(slot.to_owned()).or_default().insert(entry.key)),
                Some((_, false)) => state.unfinished.push(entry.key),
                None if is_listing(&entry.key) => state.listings.push(entry.key),
                None if is_unfinished_listing(&entry.key) => state.unfinished.push(entry.key),
                None => {}
            }
        }
        Self { store, state: Mutex::new(state) }
    }

    /// The store that they lie in.
    #[must_use]
    pub fn store(&self) -> &'a dyn Store {
        self.store
    }

    /// The keys of all listings.
    #[must_use]
    pub fn listings(&self) -> Vec<String> {
        self.state().listings.clone()
    }

    /// The names of all slots that hold shards.
    #[must_use]
    pub fn slots(&self) -> Vec<String> {
        self.state().slots.keys().cloned().collect()
    }

    /// All sound shards of a slot with their keys; those that are not are noted.
    #[must_use]
    pub fn shards(&self, slot: &str) -> Vec<(String, Shard)> {
        let keys: Vec<String> = {
            let mut state = self.state();
            state.visited.insert(slot.to_owned());
            state.slots.get(slot).into_iter().flatten().cloned().collect()
        };
        let mut bytes = Vec::new();
        let mut found = Vec::new();
        for key in keys {
            let read = match self.store.get(&key, &mut bytes) {
                Ok(()) => Shard::from_bytes(&bytes),
                Err(error) => {
                    self.note_unread(key, &error);
                    continue;
                }
            };
            match read {
                Ok(shard) => found.push((key, shard)),
                Err(ShardError::OtherVersion(_)) => self.state().notes.shards_of_other_versions += 1,
                Err(error) => {
                    let notes = &mut self.state().notes;
                    notes.shards_damaged += 1;
                    notes.name(key, error.to_string());
                }
            }
        }
        found
    }

    /// The store refused: it may give the shard another time, so that it is not damaged, and stays.
    fn note_unread(&self, key: String, error: &StoreError) {
        let State { unread, notes, .. } = &mut *self.state();
        if unread.insert(key.clone()) {
            notes.shards_unread += 1;
            notes.name(key, error.to_string());
        }
    }

    /// The shards of a slot that stand for its objects as they are, with what was kept enough for `scope`; the largest
    /// first, none that adds nothing.
    #[must_use]
    pub fn serving(&self, slot: &Slot, scope: &Scope) -> Vec<Shard> {
        let now: BTreeMap<&str, Mark> = slot.objects.iter().map(|entry| (entry.key.as_str(), mark(entry))).collect();
        let mut shards = self.shards(&slot.name);
        shards.retain(|(_, shard)| {
            shard.serves(scope) && shard.held.iter().all(|(key, mark)| now.get(key.as_str()) == Some(mark))
        });
        shards.sort_by_key(|(_, shard)| std::cmp::Reverse(shard.held.len()));
        let mut covered = BTreeSet::new();
        let mut serving = Vec::new();
        for (key, shard) in shards {
            if shard.held.keys().all(|key| covered.contains(key)) {
                continue;
            }
            covered.extend(shard.held.keys().cloned());
            let mut state = self.state();
            state.serving.insert(key);
            state.notes.shards_used += 1;
            drop(state);
            serving.push(shard);
        }
        self.state().notes.objects_held += covered.len() as u64;
        serving
    }

    /// Saves a shard.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn save(&self, slot: &str, shard: &Shard) -> Result<(), UserError> {
        let key = shard_key(slot, &shard.address());
        let bytes = shard.to_bytes();
        self.store.put(&key, &bytes).map_err(|error| cannot_write(&error))?;
        let mut state = self.state();
        state.notes.shards_saved += 1;
        state.notes.saved_bytes += bytes.len() as u64;
        state.serving.insert(key.clone());
        state.slots.entry(slot.to_owned()).or_default().insert(key);
        Ok(())
    }

    /// Many small shards, as late objects leave them, become few: those of one selection whose events lie on the same days
    /// and on the same side of the window. Shards that the window treats differently stay apart, because it would cut through
    /// what they became.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn put_together(
        &self,
        slot: &str,
        window: Option<Window>,
        shards: Vec<Shard>,
    ) -> Result<Vec<Shard>, UserError> {
        let days = |part: &Part| part.span.map(|span| (span.first.date_naive(), span.last.date_naive()));
        let lie = |shard: &Shard| -> BTreeSet<_> {
            shard.parts.iter().map(|part| (days(part), Side::of(window, part.span))).collect()
        };
        let mut groups: Vec<Vec<Shard>> = Vec::new();
        for shard in shards {
            let like = |group: &&mut Vec<Shard>| {
                group.first().is_some_and(|one| one.selection == shard.selection && lie(one) == lie(&shard))
            };
            match groups.iter_mut().find(like) {
                Some(group) => group.push(shard),
                None => groups.push(vec![shard]),
            }
        }
        let mut together = Vec::new();
        for mut group in groups {
            let others = group.split_off(1);
            let Some(mut one) = group.pop() else { continue };
            if !others.is_empty() {
                let before: Vec<String> = others.iter().chain([&one]).map(Shard::address).collect();
                others.into_iter().for_each(|shard| one.join(shard));
                self.save(slot, &one)?;
                self.replaced(slot, &before);
            }
            together.push(one);
        }
        Ok(together)
    }

    /// Says that shards of a slot, by their addresses, were put together in one, which alone is to stay.
    fn replaced(&self, slot: &str, addresses: &[String]) {
        let mut state = self.state();
        for address in addresses {
            state.serving.remove(&shard_key(slot, address));
        }
    }

    /// Another reading begins; what an earlier one took from shards it takes again.
    pub fn begin(&self) {
        let notes = &mut self.state().notes;
        (notes.shards_used, notes.objects_held) = (0, 0);
    }

    /// Says that objects were read.
    pub fn note_read(&self, objects: u64) {
        self.state().notes.objects_read += objects;
    }

    /// Takes away what was of no use in the slots that were looked into: shards of objects that have changed, damaged
    /// ones, those put together in one; and the slots that were asked for and have no objects any more. To be done when
    /// the answer is there, because until then they may serve. What could not be read stays, and so does what a request
    /// for a part of the trail (or of its place, `within`) knows nothing of.
    pub fn sweep(&self, request: &Request, within: &str) {
        let mut state = self.state();
        let State { slots, unfinished, unread, visited, serving, notes, .. } = &mut *state;
        let is_whole = *request == Request { with_digests: request.with_digests, ..Request::default() };
        unfinished.retain(|key| self.store.remove(key).is_err());
        for (slot, keys) in slots {
            // Objects whose keys tell no account and day share slots with others that were not asked for.
            let is_known = if slot.starts_with(OTHER_FOLDER) {
                is_whole && within.is_empty()
            } else {
                visited.contains(slot) && within.ends_with('/')
                    || within.is_empty() && (visited.contains(slot) || is_asked_for(slot, request))
            };
            if !is_known {
                continue;
            }
            keys.retain(|key| {
                let stays = serving.contains(key) || unread.contains(key) || self.store.remove(key).is_err();
                notes.shards_removed += u64::from(!stays);
                stays
            });
        }
    }

    /// What was used and saved so far.
    #[must_use]
    pub fn notes(&self) -> Notes {
        self.state().notes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // After a panic the run ends anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cannot_list(error: &StoreError) -> UserError {
    let fix = error.fix().unwrap_or("check the name and permissions of --evidence").to_owned();
    UserError::new(format!("cannot list the evidence: {error}"), fix)
}

/// Evidence that cannot be saved is a mistake to be told: the user counts on it.
pub(super) fn cannot_write(error: &StoreError) -> UserError {
    let fix = error.fix().unwrap_or("check the room and permissions of --evidence").to_owned();
    UserError::new(format!("cannot write evidence: {error}"), fix)
}

fn shard_key(slot: &str, address: &str) -> String {
    format!("{FOLDER}{slot}/{address}{ENDING}")
}

fn is_unfinished_listing(key: &str) -> bool {
    key.starts_with(LISTINGS) && key.ends_with(UNFINISHED)
}

/// The slot that a key names, if it is that of a shard, and whether the shard is finished.
fn slot_of_shard(key: &str) -> Option<(&str, bool)> {
    let (slot, name) = key.strip_prefix(FOLDER)?.rsplit_once('/')?;
    let finished = !name.starts_with('.') && name.ends_with(ENDING);
    (finished || name.ends_with(UNFINISHED)).then_some((slot, finished))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_shards_are_told_from_unfinished_ones() {
        assert_eq!(slot_of_shard("shards/a/b/c.shard"), Some(("a/b", true)));
        assert_eq!(slot_of_shard("shards/a/b/.c.shard.7.part"), Some(("a/b", false)));
        assert_eq!(slot_of_shard("a/c.shard"), None);
    }
}
