//! Ids of events that need no evidence, moved to temporary files when they outgrow their share of memory (S4).
//!
//! They are the only thing that grows with every record of a trail. Sorted runs on disk are merged at the end, just to
//! be counted, so that duplicates are counted exactly and memory does not depend on the trail.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;

use hashbrown::HashSet;

use crate::cloudtrail::record::EventId;
use crate::evidence::event_ids::EventIds;

/// Sorted runs of ids on disk.
#[derive(Debug, Default)]
pub struct Spill {
    runs: Mutex<Vec<File>>,
}

impl Spill {
    /// Writes ids, sorted, to a new temporary file that vanishes with the process.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&self, ids: &mut EventIds) -> std::io::Result<()> {
        let mut file = tempfile::tempfile()?;
        let mut bytes = Vec::with_capacity(1 << 20);
        for id in ids.drain_sorted() {
            bytes.extend_from_slice(&id.0.to_be_bytes());
            if bytes.len() >= 1 << 20 {
                file.write_all(&bytes)?;
                bytes.clear();
            }
        }
        file.write_all(&bytes)?;
        self.runs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(file);
        Ok(())
    }

    /// How many files there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len()
    }

    /// How many different ids there are in all runs and in `rest` that are not among `used`.
    ///
    /// # Errors
    /// When a run cannot be read back.
    pub fn count_others(self, rest: Vec<Vec<EventId>>, used: &HashSet<EventId>) -> std::io::Result<u64> {
        let mut runs: Vec<Box<dyn Iterator<Item = std::io::Result<EventId>>>> = Vec::new();
        for mut file in self.runs.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            file.seek(SeekFrom::Start(0))?;
            runs.push(Box::new(Run(BufReader::with_capacity(1 << 16, file))));
        }
        for ids in rest {
            runs.push(Box::new(ids.into_iter().map(Ok)));
        }
        let mut heap = BinaryHeap::new();
        for (at, run) in runs.iter_mut().enumerate() {
            if let Some(id) = run.next() {
                heap.push(Reverse((id?, at)));
            }
        }
        let (mut count, mut last) = (0_u64, None);
        while let Some(Reverse((id, at))) = heap.pop() {
            if last != Some(id) && !used.contains(&id) {
                count += 1;
            }
            last = Some(id);
            if let Some(next) = runs.get_mut(at).and_then(Iterator::next) {
                heap.push(Reverse((next?, at)));
            }
        }
        Ok(count)
    }
}

struct Run(BufReader<File>);

impl Iterator for Run {
    type Item = std::io::Result<EventId>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = [0_u8; 16];
        match self.0.read_exact(&mut bytes) {
            Ok(()) => Some(Ok(EventId(u128::from_be_bytes(bytes)))),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => None,
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S4: counts are exact wherever the ids lie.
    #[test]
    fn ids_on_disk_and_in_memory_are_counted_once() {
        let ids = |from: u128, to: u128| (from..to).map(EventId).collect::<EventIds>();
        let spill = Spill::default();
        spill.add(&mut ids(0, 100)).unwrap();
        spill.add(&mut ids(50, 150)).unwrap();
        assert_eq!(spill.runs(), 2);
        let used = HashSet::from([EventId(3), EventId(1000)]);
        assert_eq!(spill.count_others(vec![ids(140, 160).to_sorted(), Vec::new()], &used).unwrap(), 159);
        assert_eq!(Spill::default().count_others(Vec::new(), &used).unwrap(), 0);
    }
}
