//! Files that are made before a run's other files, those of the table `activity` above all, and kept on disk until all are put in place.

use std::io::{BufWriter, Error, Result, Write};
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;

use crate::aws::AccountId;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::hands::{self, Hands};
use crate::finding::assessment::DayCalls;
use crate::finding::daily::Daily;
use crate::report::activity::{ActivityFile, path};

use super::call_days::CallDays;
use super::call_rows::AccountDay;
use super::inputs::Sum;
use super::scratch::{Piece, Scratch, locked};

/// Bytes of a file that are in memory while it is put in place.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes of a file that go to disk at once.
const PIECE_BYTES: usize = 128 << 10;

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
    /// Where its parts lie, one behind the other.
    pieces: Vec<Piece>,
}

impl Spool {
    /// The files of all calls, a day of an account each, and what those calls were by day.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn of(calls: &CallDays, hands: &dyn Hands) -> Result<(Self, Daily)> {
        let (mut spool, daily) = (Self::default(), Mutex::default());
        let days: Vec<AccountDay> = calls.days().collect();
        let files = hands::map(hands, &days, |day| spool.day(calls, *day, &daily));
        spool.files = files.into_iter().filter_map(Result::transpose).collect::<Result<_>>()?;
        Ok((spool, daily.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The file of a day; none for one that no calendar knows.
    fn day(&self, calls: &CallDays, of: AccountDay, daily: &Mutex<Daily>) -> Result<Option<Spooled>> {
        let Some(day) = of.date() else { return Ok(None) };
        let mut made: HashMap<(u32, u32), DayCalls> = HashMap::new();
        let mut open: Option<(AccountId, ActivityFile<Sink>)> = None;
        calls.each(of, |row| {
            let made = made.entry(row.kind).or_insert(DayCalls { day, calls: 0, denied: 0 });
            made.calls += 1;
            made.denied += u64::from(row.outcome == Outcome::Denied);
            let (_, file) = match &mut open {
                Some(open) => open,
                none => none.insert((row.api.account_id, ActivityFile::new(self.begin()).map_err(Error::other)?)),
            };
            file.add(row).map_err(Error::other)
        })?;
        let (callers, apis) = calls.known();
        let mut daily = daily.lock().unwrap_or_else(PoisonError::into_inner);
        for ((caller, api), made) in made {
            if let (Some(caller), Some(api)) = (callers.get(caller as usize), apis.get(api as usize)) {
                daily.add(caller, api, made);
            }
        }
        drop(daily);
        let Some((account, file)) = open else { return Ok(None) };
        end(file.finish().map_err(Error::other)?, path(account, day)).map(Some)
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
        for piece in &file.pieces {
            let mut rest = *piece;
            while rest.bytes > 0 {
                let some = rest.split_to(CHUNK_BYTES);
                let mut bytes = vec![0; some.length()];
                locked(&self.disk).read(some.start, &mut bytes)?;
                to.write_all(&bytes)?;
            }
        }
        Ok(())
    }

    /// One more file, by what writes it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&mut self, path: &str, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let mut sink = self.begin();
        write(&mut sink)?;
        self.files.push(end(sink, path.to_owned())?);
        Ok(())
    }

    fn begin(&self) -> Sink {
        let growing = Growing { disk: Arc::clone(&self.disk), pieces: Vec::new(), sum: Sum::default() };
        BufWriter::with_capacity(PIECE_BYTES, growing)
    }
}

/// Takes the bytes of one file.
type Sink = BufWriter<Growing>;

/// The file whose last bytes were written.
fn end(sink: Sink, path: String) -> Result<Spooled> {
    let Growing { pieces, sum, .. } = sink.into_inner()?;
    let bytes = pieces.iter().map(|piece| piece.bytes).sum();
    Ok(Spooled { path, bytes, sha256: sum.hex(), pieces })
}

/// Puts bytes at the end of the spool, where several files may grow by turns.
struct Growing {
    disk: Arc<Mutex<Scratch>>,
    pieces: Vec<Piece>,
    sum: Sum,
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let start = locked(&self.disk).append(bytes)?;
        self.sum.add(bytes);
        match self.pieces.last_mut().filter(|last| last.start + last.bytes == start) {
            Some(last) => last.bytes += bytes.len() as u64,
            None => self.pieces.push(Piece { start, bytes: bytes.len() as u64 }),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_grow_by_turns_come_back_whole() {
        let spool = Spool::default();
        let wanted = |file: u8| vec![file; PIECE_BYTES * 3 + usize::from(file)];
        let mut sinks = [spool.begin(), spool.begin()];
        for part in 0..4 {
            for (sink, file) in sinks.iter_mut().zip(1..) {
                let bytes = wanted(file);
                let some = bytes.chunks(PIECE_BYTES).nth(part).unwrap();
                sink.write_all(some).unwrap();
            }
        }
        for (sink, file) in sinks.into_iter().zip(1..) {
            let file_of = end(sink, file.to_string()).unwrap();
            assert!(file_of.pieces.len() > 1, "they did not take turns");
            let mut bytes = Vec::new();
            spool.copy(&file_of, &mut bytes).unwrap();
            assert!(bytes == wanted(file) && file_of.bytes == bytes.len() as u64);
            let mut sum = Sum::default();
            sum.add(&bytes);
            assert_eq!(file_of.sha256, sum.hex());
        }
    }
}
