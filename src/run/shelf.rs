//! Actors that outgrew their share of memory, in a temporary file until their group is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::aws::AccountId;
use crate::evidence::Evidence;
use crate::evidence::group::{Group, Shelf};
use crate::evidence::names::{Name, Names};
use crate::evidence::session::{Actor, Acts};
use crate::evidence::shard::{actors_from_bytes, actors_to_bytes};

use super::scratch::{Piece, Scratch};

/// See the module: the sums of calls, and apart from them the single calls, which nobody needs for judging.
#[derive(Debug, Default)]
pub struct DiskShelf {
    sums: Board,
    calls: Board,
}

/// Groups, in pieces, one for each time that something of them was put there.
#[derive(Debug, Default)]
struct Board(Mutex<Disk>);

#[derive(Debug, Default)]
struct Disk {
    actors: Scratch,
    pieces: BTreeMap<Group, Vec<Piece>>,
    times: usize,
}

impl DiskShelf {
    /// Puts actors there; `names` are the texts behind theirs.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put(&self, names: &Names, actors: &HashMap<Actor, Acts>) -> std::io::Result<()> {
        self.sums.put(names, actors)
    }

    /// Puts single calls there: actors that hold nothing else.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_calls(&self, names: &Names, actors: &HashMap<Actor, Acts>) -> std::io::Result<()> {
        self.calls.put(names, actors)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        [&self.sums, &self.calls].into_iter().map(|board| board.disk().actors.bytes()).sum()
    }

    /// How often sums were put there.
    #[must_use]
    pub fn times(&self) -> usize {
        self.sums.disk().times
    }

    /// Whether no sums are there.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.times() == 0
    }
}

impl Board {
    fn put(&self, names: &Names, actors: &HashMap<Actor, Acts>) -> std::io::Result<()> {
        let mut groups: HashMap<(AccountId, Name), Vec<(&Actor, &Acts)>> = HashMap::new();
        for (actor, acts) in actors {
            groups.entry(actor.group()).or_default().push((actor, acts));
        }
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        for ((account, role), actors) in groups {
            let piece = actors_to_bytes(names, actors);
            pieces.push((Group { account, role: Box::from(names.text(role)) }, bytes.len() as u64, piece.len() as u64));
            bytes.extend(piece);
        }
        let mut disk = self.disk();
        let at = disk.actors.append(&bytes)?;
        disk.times += 1;
        for (group, start, bytes) in pieces {
            disk.pieces.entry(group).or_default().push(Piece { start: at + start, bytes });
        }
        Ok(())
    }

    fn groups(&self) -> BTreeSet<Group> {
        self.disk().pieces.keys().cloned().collect()
    }

    fn pieces(&self, group: &Group) -> Vec<Piece> {
        self.disk().pieces.get(group).cloned().unwrap_or_default()
    }

    /// The evidence of each piece of a group, one after another.
    fn evidence(&self, group: &Group) -> impl Iterator<Item = Result<Evidence, String>> {
        self.pieces(group).into_iter().map(|piece| {
            let bytes = self.read(piece).map_err(|error| error.to_string())?;
            actors_from_bytes(&bytes).map_err(|error| error.to_string())
        })
    }

    fn read(&self, piece: Piece) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; piece.length()];
        self.disk().actors.read(piece.start, &mut bytes)?;
        Ok(bytes)
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // After a panic the run ends anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for DiskShelf {
    fn groups(&self) -> BTreeSet<Group> {
        self.sums.groups()
    }

    fn groups_with_calls(&self) -> BTreeSet<Group> {
        self.calls.groups()
    }

    fn weight(&self, group: &Group) -> usize {
        self.sums.pieces(group).iter().map(Piece::length).sum()
    }

    fn bring(&self, group: &Group, evidence: &mut Evidence) -> Result<(), String> {
        self.sums.evidence(group).try_for_each(|piece| {
            evidence.merge(piece?);
            Ok(())
        })
    }

    fn calls(&self, group: &Group, show: &mut dyn FnMut(&Evidence) -> Result<(), String>) -> Result<(), String> {
        self.calls.evidence(group).try_for_each(|piece| show(&piece?))
    }
}
