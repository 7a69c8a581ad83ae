//! Every single call in the order of accounts and time, each once, however many there are: sorted runs in a temporary
//! file, merged at the end.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::hash::Hash;
use std::io::{Error, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::{HashMap, HashSet};

use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::record::EventId;
use crate::evidence::call::{Call, NO_ID, READ_ONLY};
use crate::finding::call_log::{Api, CallLog, CallRow, Caller, Calls};

use super::scratch::Scratch;

/// The least and the most of a run that is in memory while it is merged.
const WINDOW_BYTES: (usize, usize) = (8 << 10, 256 << 10);
/// The bytes of a row before its texts: its length, its key, caller, API, outcome, `readOnly`.
const HEAD_BYTES: usize = 4 + 32 + 4 + 4 + 1 + 1;
const TEXTS: usize = 7;

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
    /// Where each run begins and ends.
    runs: Vec<(u64, u64)>,
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

/// What sorts a row: account, time, event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    account: u64,
    seconds: i64,
    id: u128,
}

impl CallRuns {
    /// None yet; so many bytes of rows are kept in memory.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self { room, state: Mutex::default() }
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state().disk.bytes()
    }

    /// Shows all calls in the order of account, time and event, each once.
    ///
    /// # Errors
    /// When the disk refuses, and what `show` says.
    pub fn each(&self, mut show: impl FnMut(&CallRow<'_>) -> Result<()>) -> Result<()> {
        let mut state = self.state();
        state.end_run()?;
        let State { callers, apis, disk, runs, amended, .. } = &mut *state;
        let window = (self.room / runs.len().max(1)).clamp(WINDOW_BYTES.0, WINDOW_BYTES.1);
        let known = (callers.list.as_slice(), apis.list.as_slice());
        let mut readers: Vec<Reader> = runs.iter().map(|(start, end)| Reader::new(*start, *end, window)).collect();
        let mut heads = BinaryHeap::new();
        for (at, reader) in readers.iter_mut().enumerate() {
            heads.extend(reader.next(disk)?.map(|row| Reverse(Head { row, at, known })));
        }
        let (mut last, mut shown) = (None, HashSet::new());
        while let Some(Reverse(Head { row, at, .. })) = heads.pop() {
            let key = key_of(&row);
            let again = key.is_some_and(|key| amended.contains(&key.id) && !shown.insert((key.account, key.id)));
            if last.replace(key) != Some(key) && !again {
                show(&read(&row, known).ok_or(Error::from(std::io::ErrorKind::InvalidData))?)?;
            }
            if let Some(reader) = readers.get_mut(at) {
                heads.extend(reader.next(disk)?.map(|row| Reverse(Head { row, at, known })));
            }
        }
        Ok(())
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
        let mut order: Vec<&[u8]> = Rows(&self.rows).collect();
        order.sort_unstable_by(|a, b| compared(a, b, known));
        let (start, mut end) = (self.disk.bytes(), self.disk.bytes());
        for some in order.chunks(4096) {
            let bytes = some.concat();
            end = self.disk.append(&bytes)? + bytes.len() as u64;
        }
        self.runs.push((start, end));
        self.rows.clear();
        Ok(())
    }
}

type KnownLists<'a> = (&'a [Caller], &'a [Api]);

/// The next row of a run.
struct Head<'a> {
    row: Vec<u8>,
    at: usize,
    known: KnownLists<'a>,
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compared(&self.row, &other.row, self.known)
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head<'_> {}

/// By key; of two records of one event by all that they say, so that the order in which they came does not matter.
fn compared(a: &[u8], b: &[u8], known: KnownLists<'_>) -> Ordering {
    key_of(a).cmp(&key_of(b)).then_with(|| {
        let told = |row| {
            let row = read(row, known)?;
            let texts = (row.session_id, row.session_name, row.event, row.error, row.network, row.agent, row.resources);
            // What opened a session may be a call of another one: then it is that.
            Some((row.api.is_hand_off, row.outcome, row.read_only, texts, row.caller, row.api))
        };
        told(a).cmp(&told(b))
    })
}

/// Rows that lie one after the other.
struct Rows<'a>(&'a [u8]);

impl<'a> Iterator for Rows<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (row, rest) = self.0.split_at_checked(length_of(self.0)?)?;
        self.0 = rest;
        Some(row)
    }
}

/// Reads a run from its beginning to its end.
struct Reader {
    /// Where the rest of it lies on disk.
    start: u64,
    end: u64,
    /// How much of it is read at a time.
    window_bytes: usize,
    window: Vec<u8>,
    /// Where in the window the next row begins.
    at: usize,
}

impl Reader {
    fn new(start: u64, end: u64, window_bytes: usize) -> Self {
        Self { start, end, window_bytes, window: Vec::new(), at: 0 }
    }

    fn next(&mut self, disk: &mut Scratch) -> Result<Option<Vec<u8>>> {
        loop {
            let rest = self.window.get(self.at..).unwrap_or_default();
            let wanted = length_of(rest).unwrap_or(self.window_bytes);
            if let Some(row) = rest.get(..wanted).filter(|_| rest.len() >= HEAD_BYTES) {
                let row = row.to_vec();
                self.at += wanted;
                return Ok(Some(row));
            }
            let left = usize::try_from(self.end - self.start).unwrap_or(usize::MAX).min(wanted.max(self.window_bytes));
            if left == 0 {
                return Ok(None);
            }
            self.window.drain(..self.at);
            self.at = 0;
            let known = self.window.len();
            self.window.resize(known + left, 0);
            disk.read(self.start, self.window.get_mut(known..).unwrap_or_default())?;
            self.start += left as u64;
        }
    }
}

fn write(rows: &mut Vec<u8>, account: u64, kind: (u32, u32), call: &Call, session: [&str; 2], texts: [&str; 5]) {
    let start = rows.len();
    rows.extend_from_slice(&[0; 4]);
    rows.extend_from_slice(&account.to_le_bytes());
    rows.extend_from_slice(&call.seconds.to_le_bytes());
    rows.extend_from_slice(&call.id.0.to_le_bytes());
    rows.extend_from_slice(&kind.0.to_le_bytes());
    rows.extend_from_slice(&kind.1.to_le_bytes());
    rows.push(Outcome::ALL.iter().position(|one| *one == call.outcome).unwrap_or_default() as u8);
    rows.push(READ_ONLY.iter().position(|one| *one == call.read_only).unwrap_or_default() as u8);
    for text in session.into_iter().chain(texts) {
        // Texts are limited where they are made, far below this.
        rows.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        rows.extend_from_slice(text.as_bytes());
    }
    let length = u32::try_from(rows.len() - start).unwrap_or(u32::MAX);
    if let Some(place) = rows.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

fn number<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*number)
}

fn length_of(mut row: &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(number(&mut row)?) as usize)
}

fn key_of(row: &[u8]) -> Option<Key> {
    let mut rest = row.get(4..)?;
    Some(Key {
        account: u64::from_le_bytes(number(&mut rest)?),
        seconds: i64::from_le_bytes(number(&mut rest)?),
        id: u128::from_le_bytes(number(&mut rest)?),
    })
}

fn read<'a>(row: &'a [u8], (callers, apis): KnownLists<'a>) -> Option<CallRow<'a>> {
    let key = key_of(row)?;
    let mut rest = row.get(4 + 32..)?;
    let kind = (u32::from_le_bytes(number(&mut rest)?), u32::from_le_bytes(number(&mut rest)?));
    let [outcome, read_only] = number::<2>(&mut rest)?;
    let mut texts = [""; TEXTS];
    for text in &mut texts {
        let length = u32::from_le_bytes(number(&mut rest)?) as usize;
        let (bytes, after) = rest.split_at_checked(length)?;
        (*text, rest) = (std::str::from_utf8(bytes).ok()?, after);
    }
    let [session_id, session_name, event, error, network, agent, resources] = texts;
    Some(CallRow {
        caller: callers.get(kind.0 as usize)?,
        api: apis.get(kind.1 as usize)?,
        kind,
        seconds: key.seconds,
        id: EventId(key.id),
        outcome: *Outcome::ALL.get(usize::from(outcome))?,
        read_only: *READ_ONLY.get(usize::from(read_only))?,
        session_id,
        session_name,
        event,
        error,
        network,
        agent,
        resources,
    })
}

#[cfg(test)]
#[path = "call_log_tests.rs"]
mod tests;
