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

use super::scratch::Scratch;

/// See the module. Groups lie in pieces, one for each time that something of them was put there.
#[derive(Debug, Default)]
pub struct DiskShelf {
    disk: Mutex<Disk>,
}

#[derive(Debug, Default)]
struct Disk {
    actors: Scratch,
    pieces: BTreeMap<Group, Vec<Piece>>,
    times: usize,
}

/// Where a piece lies in the file.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u64,
    length: usize,
}

impl DiskShelf {
    /// Puts actors there; `names` are the texts behind theirs.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put(&self, names: &Names, actors: &HashMap<Actor, Acts>) -> std::io::Result<()> {
        let mut groups: HashMap<(AccountId, Name), Vec<(&Actor, &Acts)>> = HashMap::new();
        for (actor, acts) in actors {
            groups.entry(actor.group()).or_default().push((actor, acts));
        }
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        for ((account, role), actors) in groups {
            let piece = actors_to_bytes(names, actors);
            pieces.push((Group { account, role: Box::from(names.text(role)) }, bytes.len() as u64, piece.len()));
            bytes.extend(piece);
        }
        let mut disk = self.disk();
        let at = disk.actors.append(&bytes)?;
        disk.times += 1;
        for (group, start, length) in pieces {
            disk.pieces.entry(group).or_default().push(Piece { start: at + start, length });
        }
        Ok(())
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.disk().actors.bytes()
    }

    /// How often something was put there.
    #[must_use]
    pub fn times(&self) -> usize {
        self.disk().times
    }

    /// Whether nothing is there.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.times() == 0
    }

    fn pieces(&self, group: &Group) -> Vec<Piece> {
        self.disk().pieces.get(group).cloned().unwrap_or_default()
    }

    fn read(&self, piece: Piece) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; piece.length];
        self.disk().actors.read(piece.start, &mut bytes)?;
        Ok(bytes)
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // After a panic the run ends anyway.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for DiskShelf {
    fn groups(&self) -> BTreeSet<Group> {
        self.disk().pieces.keys().cloned().collect()
    }

    fn weight(&self, group: &Group) -> usize {
        self.pieces(group).iter().map(|piece| piece.length).sum()
    }

    fn bring(&self, group: &Group, evidence: &mut Evidence) -> Result<(), String> {
        for piece in self.pieces(group) {
            let bytes = self.read(piece).map_err(|error| error.to_string())?;
            evidence.merge(actors_from_bytes(&bytes).map_err(|error| error.to_string())?);
        }
        Ok(())
    }
}
