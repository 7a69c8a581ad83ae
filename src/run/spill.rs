//! Ids of events, moved to a temporary file when they outgrow their share of memory (S4).
//!
//! They are the only thing that grows with every record of a trail. The file holds sorted runs; at the end they are
//! counted range by range, just so many at once as there are workers, so that duplicates are counted exactly and memory
//! does not depend on the trail.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cloudtrail::record::EventId;
use crate::evidence::event_ids::EventIds;
use crate::evidence::hands::{Hands, map};

use super::scratch::Scratch;

/// Ids are counted by their first bits. At a billion records, a range of ids takes 16 MB.
const RANGE_BITS: u32 = 10;
const RANGES: usize = 1 << RANGE_BITS;
const ID_BYTES: usize = size_of::<EventId>();

/// Sorted runs of ids on disk.
#[derive(Debug, Default)]
pub struct Spill {
    disk: Mutex<Disk>,
}

#[derive(Debug, Default)]
struct Disk {
    ids: Scratch,
    runs: Vec<Run>,
}

/// Where the ids of one run lie.
#[derive(Debug)]
struct Run {
    /// The place of its first id in the file, in bytes.
    start: u64,
    /// For each range the number of ids in the ranges before it, and at the end the number of all.
    bounds: Vec<usize>,
}

impl Spill {
    /// Moves all ids to disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&self, ids: &mut EventIds) -> std::io::Result<()> {
        ids.take_sorted(|ids| self.write(ids))
    }

    /// Moves all ids to disk when they nearly fill so many bytes: before the room for them doubles once more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn relieve(&self, ids: &mut EventIds, room_bytes: usize) -> std::io::Result<()> {
        if ids.held_bytes() > room_bytes / 8 * 7 { self.add(ids) } else { Ok(()) }
    }

    fn write(&self, ids: &[EventId]) -> std::io::Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut disk = self.disk();
        let start = disk.ids.bytes();
        let mut bytes = Vec::with_capacity(1 << 20);
        for chunk in ids.chunks((1 << 20) / ID_BYTES) {
            bytes.clear();
            bytes.extend(chunk.iter().flat_map(|id| id.0.to_le_bytes()));
            disk.ids.append(&bytes)?;
        }
        disk.runs.push(Run { start, bounds: (0..=RANGES).map(|range| ids_before(ids, range)).collect() });
        Ok(())
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.disk().ids.bytes()
    }

    /// How often ids were moved.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.disk().runs.len()
    }

    /// The different ids of one range, on disk and in `rest`, sorted; all of `rest` sorted.
    fn range(&self, range: usize, rest: &[Vec<EventId>]) -> std::io::Result<Vec<EventId>> {
        let mut ids = Vec::new();
        for rest in rest {
            ids.extend_from_slice(within(rest, range));
        }
        self.read(range, &mut ids)?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Adds the ids of one range of all runs.
    fn read(&self, range: usize, ids: &mut Vec<EventId>) -> std::io::Result<()> {
        let mut disk = self.disk();
        let Disk { ids: on_disk, runs } = &mut *disk;
        let mut bytes = Vec::new();
        for run in runs {
            let (Some(from), Some(to)) = (run.bounds.get(range), run.bounds.get(range + 1)) else { continue };
            bytes.resize((to - from) * ID_BYTES, 0);
            on_disk.read(run.start + (from * ID_BYTES) as u64, &mut bytes)?;
            let (each, _) = bytes.as_chunks();
            ids.extend(each.iter().map(|id| EventId(u128::from_le_bytes(*id))));
        }
        Ok(())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // After a panic the run ends anyway.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids on disk, and those beside them in memory, each list of them sorted.
#[derive(Clone, Copy, Debug)]
pub struct Ids<'a> {
    /// On disk.
    pub spill: &'a Spill,
    /// In memory.
    pub rest: &'a [Vec<EventId>],
}

/// How many different ids are `used`, and how many of the `others` are not among them.
///
/// # Errors
/// When a run cannot be read back.
pub fn count(used: Ids<'_>, others: Ids<'_>, hands: &dyn Hands) -> std::io::Result<(u64, u64)> {
    let ranges: Vec<usize> = (0..RANGES).collect();
    let counts = map(hands, &ranges, |range| -> std::io::Result<(u64, u64)> {
        let used = used.spill.range(*range, used.rest)?;
        let mut others = others.spill.range(*range, others.rest)?;
        // Both sorted, so the used ones are passed in step.
        let mut passed = used.iter().peekable();
        others.retain(|id| {
            while passed.next_if(|used| *used < id).is_some() {}
            passed.peek() != Some(&id)
        });
        Ok((used.len() as u64, others.len() as u64))
    });
    counts.into_iter().try_fold((0, 0), |(used, others), counted| {
        let (more_used, more_others) = counted?;
        Ok((used + more_used, others + more_others))
    })
}

/// How many of these sorted ids come before a range.
fn ids_before(ids: &[EventId], range: usize) -> usize {
    ids.partition_point(|id| ((id.0 >> (u128::BITS - RANGE_BITS)) as usize) < range)
}

fn within(ids: &[EventId], range: usize) -> &[EventId] {
    ids.get(ids_before(ids, range)..ids_before(ids, range + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::hands::OneByOne;

    /// S4: counts are exact wherever the ids lie.
    #[test]
    fn ids_on_disk_and_in_memory_are_counted_once() {
        // Spread over all ranges, in runs of different lengths.
        let id = |number: u128| EventId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let ids = |from: u128, to: u128| (from..to).map(id).collect::<EventIds>();
        let spill = Spill::default();
        spill.add(&mut ids(0, 1000)).unwrap();
        spill.add(&mut ids(500, 1500)).unwrap();
        assert_eq!(spill.runs(), 2);
        let rest = [ids(1400, 1600).to_sorted(), Vec::new()];
        let used = [[id(3), id(100_000)].into_iter().collect::<EventIds>().to_sorted()];
        let (bare, used_spill) = (Spill::default(), Spill::default());
        used_spill.add(&mut [id(3), id(4)].into_iter().collect()).unwrap();
        let count = |used: Ids<'_>, others: Ids<'_>| count(used, others, &OneByOne).unwrap();
        let in_memory = Ids { spill: &bare, rest: &used };
        let on_both = Ids { spill: &used_spill, rest: &used };
        assert_eq!(count(in_memory, Ids { spill: &spill, rest: &rest }), (2, 1599));
        assert_eq!(count(on_both, Ids { spill: &spill, rest: &rest }), (3, 1598));
        assert_eq!(count(on_both, Ids { spill: &bare, rest: &rest }), (3, 200));
        assert_eq!(count(in_memory, Ids { spill: &bare, rest: &[] }), (2, 0));
    }
}
