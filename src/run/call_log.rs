//! Takes every single call, however many there are: sorted runs in a temporary file, each in pieces by account and day.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::io::Result;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::{HashMap, HashSet};

use crate::cloudtrail::record::EventId;
use crate::evidence::call::NO_ID;
use crate::finding::call_log::{Api, CallLog, Caller, Calls};

use super::call_days::CallDays;
use super::call_rows::{AccountDay, Rows, compared, key_of, write};
use super::scratch::{Piece, Scratch};

/// Rows that are put together to be written at once.
const ROWS_AT_A_TIME: usize = 4096;

/// See the module.
#[derive(Debug)]
pub struct CallRuns {
    room: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    callers: Known<Caller>,
    apis: Known<Api>,
    /// Rows not yet in a run, one after the other.
    rows: Vec<u8>,
    disk: Scratch,
    /// Where the rows of each day are, a piece for each run that has some.
    pieces: BTreeMap<AccountDay, Vec<Piece>>,
    runs: usize,
    /// Events that some record amends (S5): only these come with different times.
    amended: HashSet<u128>,
}

/// Values that occur again and again, each kept once and named by a number.
#[derive(Debug)]
struct Known<T> {
    list: Vec<T>,
    index: HashMap<T, u32>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { list: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Known<T> {
    fn number(&mut self, value: &T) -> u32 {
        if let Some(known) = self.index.get(value) {
            return *known;
        }
        // Four billion would not fit any memory that they are kept in.
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(value.clone());
        self.index.insert(value.clone(), next);
        next
    }
}

impl CallRuns {
    /// None yet; so many bytes of rows are kept in memory.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self { room, state: Mutex::default() }
    }

    /// All calls, by account and day.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn by_day(self) -> Result<CallDays> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.end_run()?;
        let State { callers, apis, disk, pieces, amended, .. } = state;
        CallDays::new((callers.list, apis.list), disk, pieces, &amended, self.room)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // After a panic the run ends anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallLog for CallRuns {
    fn take(&self, calls: &Calls<'_>) -> std::result::Result<(), String> {
        let mut state = self.state();
        let kind = (state.callers.number(calls.caller), state.apis.number(calls.api));
        // Twelve digits always fit.
        let account = calls.api.account_id.as_str().parse().unwrap_or_default();
        for call in calls.calls {
            let texts = call.texts(calls.names);
            let [event, ..] = texts;
            if !event.is_empty() && event != NO_ID && EventId::of(event) != call.id {
                state.amended.insert(call.id.0);
            }
            write(&mut state.rows, account, kind, call, [calls.session_id, calls.session_name], texts);
        }
        if state.rows.len() > self.room { state.end_run().map_err(|error| error.to_string()) } else { Ok(()) }
    }
}

impl State {
    /// Sorts the rows in memory and moves them to disk.
    fn end_run(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let known = (self.callers.list.as_slice(), self.apis.list.as_slice());
        let mut order: Vec<_> = Rows(&self.rows).filter_map(|row| Some((key_of(row)?, row))).collect();
        order.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| compared(one, other, known)));
        let mut start = self.disk.bytes();
        for of_day in order.chunk_by(|(a, _), (b, _)| a.day() == b.day()) {
            let Some((key, _)) = of_day.first() else { continue };
            let bytes = of_day.iter().map(|(_, row)| row.len() as u64).sum();
            self.pieces.entry(key.day()).or_default().push(Piece { start, bytes });
            start += bytes;
        }
        for some in order.chunks(ROWS_AT_A_TIME) {
            let bytes: Vec<&[u8]> = some.iter().map(|(_, row)| *row).collect();
            self.disk.append(&bytes.concat())?;
        }
        self.runs += 1;
        self.rows.clear();
        Ok(())
    }
}

#[cfg(test)]
#[path = "call_log_tests.rs"]
mod tests;
