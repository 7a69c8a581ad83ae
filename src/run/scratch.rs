//! A temporary file that grows at its end and vanishes with the process.

use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module; made when something is first written.
#[derive(Debug, Default)]
pub struct Scratch {
    file: Option<File>,
    end: u64,
}

/// One that several threads use by turns.
pub fn locked(scratch: &Mutex<Scratch>) -> MutexGuard<'_, Scratch> {
    // After a panic the run ends anyway.
    scratch.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where something lies in it.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where it begins.
    pub start: u64,
    /// Its length.
    pub bytes: u64,
}

impl Piece {
    /// Takes so many bytes from its beginning, or all there are.
    pub fn split_to(&mut self, bytes: usize) -> Self {
        let first = Self { start: self.start, bytes: self.bytes.min(bytes as u64) };
        self.start += first.bytes;
        self.bytes -= first.bytes;
        first
    }

    /// Its length as memory counts it.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }
}

impl Scratch {
    /// Writes bytes behind all others and tells where they begin.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let start = self.end;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(start))?;
        file.write_all(bytes)?;
        self.end += bytes.len() as u64;
        Ok(start)
    }

    /// Fills `bytes` with what was written at `start`.
    ///
    /// # Errors
    /// When nothing so long was written there, and when the disk refuses.
    pub fn read(&mut self, start: u64, bytes: &mut [u8]) -> Result<()> {
        let Some(file) = &mut self.file else { return Err(std::io::ErrorKind::UnexpectedEof.into()) };
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(bytes)
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.end
    }
}
