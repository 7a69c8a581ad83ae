//! Every single call by account and day, in the order of time, each once: what the runs of a day hold is merged when it
//! is asked for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{Error, ErrorKind, Result};
use std::sync::Mutex;

use hashbrown::{HashMap, HashSet};

use crate::finding::call_log::{Api, CallRow, Caller};

use super::call_rows::{AccountDay, HEAD_BYTES, Key, KnownLists, compared, key_of, length_of, read};
use super::scratch::{Piece, Scratch, locked};

/// The least and the most of a run that is in memory while it is merged.
pub(super) const WINDOW_BYTES: (usize, usize) = (8 << 10, 256 << 10);

/// See the module.
#[derive(Debug)]
pub struct CallDays {
    known: (Vec<Caller>, Vec<Api>),
    disk: Mutex<Scratch>,
    pieces: BTreeMap<AccountDay, Vec<Piece>>,
    /// When the first record of each amended event was written (S5): only these come with different times.
    first: HashMap<(u64, u128), i64>,
    room: usize,
}

impl CallDays {
    /// The calls that lie on `disk`: those of each day in sorted pieces. Of the events that are `amended` the first record
    /// counts; all of them are looked through for it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn new(
        known: (Vec<Caller>, Vec<Api>),
        disk: Scratch,
        pieces: BTreeMap<AccountDay, Vec<Piece>>,
        amended: &HashSet<u128>,
        room: usize,
    ) -> Result<Self> {
        let mut days = Self { known, disk: Mutex::new(disk), pieces, first: HashMap::new(), room };
        if !amended.is_empty() {
            days.first = days.first_of(amended)?;
        }
        Ok(days)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        locked(&self.disk).bytes()
    }

    /// The days, in order.
    pub fn days(&self) -> impl Iterator<Item = AccountDay> {
        self.pieces.keys().copied()
    }

    #[cfg(test)]
    pub(super) fn pieces(&self) -> usize {
        self.pieces.values().map(Vec::len).sum()
    }

    /// Callers and APIs, by the numbers in [`CallRow::kind`].
    #[must_use]
    pub fn known(&self) -> KnownLists<'_> {
        (&self.known.0, &self.known.1)
    }

    /// Shows the calls of a day in the order of time and event, each once.
    ///
    /// # Errors
    /// When the disk refuses, and what `show` says.
    pub fn each(&self, day: AccountDay, mut show: impl FnMut(&CallRow<'_>) -> Result<()>) -> Result<()> {
        let pieces = self.pieces.get(&day).map(Vec::as_slice).unwrap_or_default();
        // Several days may be merged at once.
        let window = (self.room / 4 / pieces.len().max(1)).clamp(WINDOW_BYTES.0, WINDOW_BYTES.1);
        let mut readers: Vec<Reader> = pieces.iter().map(|piece| Reader::new(*piece, window)).collect();
        let mut heads = BinaryHeap::with_capacity(readers.len());
        let mut same: Vec<usize> = (0..readers.len()).collect();
        let mut last = None;
        loop {
            for at in same.drain(..) {
                let Some(reader) = readers.get_mut(at) else { continue };
                heads.extend(reader.advance(&self.disk)?.map(|key| Reverse((key, at))));
            }
            let Some(Reverse((key, at))) = heads.pop() else { return Ok(()) };
            same.push(at);
            while let Some(Reverse((_, more))) = heads.peek().filter(|Reverse((more, _))| *more == key) {
                same.push(*more);
                heads.pop();
            }
            if last.replace(key) == Some(key) || !self.is_first(key) {
                continue;
            }
            let rows = same.iter().filter_map(|at| readers.get(*at)).map(Reader::row);
            let row = rows.min_by(|a, b| compared(a, b, self.known())).unwrap_or_default();
            show(&read(row, self.known()).ok_or(Error::from(ErrorKind::InvalidData))?)?;
        }
    }

    fn is_first(&self, key: Key) -> bool {
        self.first.get(&(key.account, key.id)).is_none_or(|first| *first == key.seconds)
    }

    fn first_of(&self, events: &HashSet<u128>) -> Result<HashMap<(u64, u128), i64>> {
        let mut first = HashMap::new();
        for piece in self.pieces.values().flatten() {
            let mut reader = Reader::new(*piece, WINDOW_BYTES.1);
            while let Some(key) = reader.advance(&self.disk)? {
                if events.contains(&key.id) {
                    let known = first.entry((key.account, key.id)).or_insert(key.seconds);
                    *known = key.seconds.min(*known);
                }
            }
        }
        Ok(first)
    }
}

/// Reads a piece from its beginning to its end, row by row.
struct Reader {
    /// Where the rest of it lies on disk.
    rest: Piece,
    /// How much of it is read at a time.
    window_bytes: usize,
    window: Vec<u8>,
    /// Where in the window the row in hand lies.
    at: usize,
    length: usize,
}

impl Reader {
    const fn new(rest: Piece, window_bytes: usize) -> Self {
        Self { rest, window_bytes, window: Vec::new(), at: 0, length: 0 }
    }

    /// The row in hand; empty before the first.
    fn row(&self) -> &[u8] {
        self.window.get(self.at..self.at + self.length).unwrap_or_default()
    }

    /// Goes to the next row and tells its key; `None` behind the last.
    fn advance(&mut self, disk: &Mutex<Scratch>) -> Result<Option<Key>> {
        self.at += self.length;
        loop {
            let ahead = self.window.get(self.at..).unwrap_or_default();
            let length = length_of(ahead).unwrap_or(HEAD_BYTES);
            if (HEAD_BYTES..=ahead.len()).contains(&length) {
                self.length = length;
                return key_of(ahead).map(Some).ok_or(ErrorKind::InvalidData.into());
            }
            if self.rest.bytes == 0 {
                self.length = 0;
                return if ahead.is_empty() { Ok(None) } else { Err(ErrorKind::InvalidData.into()) };
            }
            self.window.drain(..self.at);
            self.at = 0;
            let known = self.window.len();
            let some = self.rest.split_to(length.max(self.window_bytes));
            self.window.resize(known + some.length(), 0);
            let room = self.window.get_mut(known..).unwrap_or_default();
            locked(disk).read(some.start, room)?;
        }
    }
}
