//! Files that are made before a run's other files, those of the table `activity` above all, and kept on disk until all are put in place.

use std::io::{Error, Result, Write};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate};
use hashbrown::HashMap;

use crate::aws::AccountId;
use crate::cloudtrail::outcome::Outcome;
use crate::finding::assessment::DayCalls;
use crate::finding::call_log::{Api, CallRow, Caller};
use crate::finding::daily::Daily;
use crate::report::activity::{ActivityFile, path};

use super::call_log::CallRuns;
use super::inputs::Sum;
use super::scratch::Scratch;

/// Bytes of a file that are in memory while it is put in place.
const CHUNK_BYTES: usize = 1 << 20;

/// Files on disk, in one temporary file.
#[derive(Debug, Default)]
pub struct Spool {
    disk: Arc<Mutex<Scratch>>,
    /// The files, by path.
    pub files: Vec<Spooled>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Spooled {
    /// Where it goes, relative to the output folder.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Where it lies.
    start: u64,
}

impl Spool {
    /// The files of all calls, and what those calls were by day.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn of(calls: &CallRuns) -> Result<(Self, Daily)> {
        let (mut spool, mut days) = (Self::default(), Days::default());
        let mut open: Option<(AccountId, NaiveDate, ActivityFile<Sink>)> = None;
        calls.each(|row| {
            let Some(day) = DateTime::from_timestamp(row.seconds, 0).map(|time| time.date_naive()) else {
                return Ok(());
            };
            days.add(row, day);
            let place = (row.api.account_id, day);
            if open.as_ref().is_none_or(|(account, day, _)| (*account, *day) != place) {
                if let Some((account, day, file)) = open.take() {
                    spool.end(path(account, day), file.finish().map_err(Error::other)?);
                }
                let file = ActivityFile::new(spool.begin()).map_err(Error::other)?;
                open = Some((place.0, place.1, file));
            }
            let Some((_, _, file)) = &mut open else { return Ok(()) };
            file.add(row).map_err(Error::other)
        })?;
        if let Some((account, day, file)) = open {
            spool.end(path(account, day), file.finish().map_err(Error::other)?);
        }
        Ok((spool, days.finish()))
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Copies a file.
    ///
    /// # Errors
    /// When the disk or `to` refuses.
    pub fn copy(&self, file: &Spooled, to: &mut dyn Write) -> Result<()> {
        let mut left = file.bytes;
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            let mut bytes = vec![0; some];
            let start = file.start + (file.bytes - left);
            self.disk.lock().unwrap_or_else(PoisonError::into_inner).read(start, &mut bytes)?;
            to.write_all(&bytes)?;
            left -= some as u64;
        }
        Ok(())
    }

    /// One more file, by what writes it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&mut self, path: &str, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let mut sink = std::io::BufWriter::new(self.begin());
        write(&mut sink)?;
        self.end(path.to_owned(), sink.into_inner()?);
        Ok(())
    }

    fn begin(&self) -> Sink {
        let start = self.disk.lock().unwrap_or_else(PoisonError::into_inner).bytes();
        Sink { disk: Arc::clone(&self.disk), start, bytes: 0, sum: Sum::default() }
    }

    fn end(&mut self, path: String, sink: Sink) {
        let Sink { start, bytes, sum, .. } = sink;
        self.files.push(Spooled { path, bytes, sha256: sum.hex(), start });
    }
}

/// Takes the bytes of one file at the end of the spool.
struct Sink {
    disk: Arc<Mutex<Scratch>>,
    start: u64,
    bytes: u64,
    sum: Sum,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).append(bytes)?;
        self.sum.add(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Calls of the day in hand, by caller and API, and those of the days before.
#[derive(Default)]
struct Days {
    daily: Daily,
    day: Option<NaiveDate>,
    today: HashMap<(u32, u32), (Caller, Api, DayCalls)>,
}

impl Days {
    fn add(&mut self, row: &CallRow<'_>, day: NaiveDate) {
        if self.day.replace(day) != Some(day) {
            self.close();
        }
        let none = || (row.caller.clone(), row.api.clone(), DayCalls { day, calls: 0, denied: 0 });
        let (_, _, made) = self.today.entry(row.kind).or_insert_with(none);
        made.calls += 1;
        made.denied += u64::from(row.outcome == Outcome::Denied);
    }

    fn close(&mut self) {
        for (caller, api, made) in self.today.drain().map(|(_, sums)| sums) {
            self.daily.add(&caller, &api, made);
        }
    }

    fn finish(mut self) -> Daily {
        self.close();
        self.daily
    }
}
