//! Inflates one object into a reused buffer, with a cap and all its members.
//!
//! The fast path gives a whole single-member object to libdeflate; everything that does not fit its one-shot shape
//! (several members, an untrue length in the trailer) goes through flate2, which is slower and sees every member.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;

use super::reader::PADDING_BYTES;

/// Why an object could not be inflated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// The stream ends before its last member does.
    #[error("truncated gzip")]
    Truncated,
    /// A checksum, length or code is wrong.
    #[error("damaged gzip: {0}")]
    Damaged(String),
    /// More than the cap; the bytes behind it were not looked at.
    #[error("inflates to more than {0} bytes")]
    TooLarge(usize),
}

const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// The plain bytes of one object, with what may follow them in the buffer so that records can be parsed in place.
pub struct Plain<'b> {
    padded: &'b mut [u8],
    length: usize,
}

impl Plain<'_> {
    /// The bytes of the object.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.padded.get(..self.length).unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// The bytes from `start` on, followed by at least [`PADDING_BYTES`] more.
    pub fn padded_from(&mut self, start: usize) -> &mut [u8] {
        self.padded.get_mut(start..).unwrap_or_default()
    }
}

/// Inflates objects one after another into one buffer.
pub struct Inflater {
    fast: Decompressor,
    buffer: Vec<u8>,
    cap_bytes: usize,
}

impl Inflater {
    /// An inflater that refuses to write more than `cap_bytes` for one object.
    #[must_use]
    pub fn new(cap_bytes: usize) -> Self {
        Self { fast: Decompressor::new(), buffer: Vec::new(), cap_bytes }
    }

    /// The plain bytes of `object`; bytes that are not gzip are taken as plain already.
    ///
    /// # Errors
    /// See [`InflateError`].
    pub fn inflate(&mut self, object: &[u8]) -> Result<Plain<'_>, InflateError> {
        self.give_back_much();
        if !object.starts_with(&MAGIC) {
            if object.len() > self.cap_bytes {
                return Err(InflateError::TooLarge(self.cap_bytes));
            }
            self.buffer.clear();
            self.buffer.extend_from_slice(object);
            return Ok(self.plain(object.len()));
        }
        let length = match self.inflate_single_member(object) {
            Some(length) => length,
            None => self.inflate_all_members(object)?,
        };
        Ok(self.plain(length))
    }

    fn plain(&mut self, length: usize) -> Plain<'_> {
        if self.buffer.len() < length + PADDING_BYTES {
            self.buffer.resize(length + PADDING_BYTES, 0);
        }
        Plain { padded: &mut self.buffer, length }
    }

    /// One exceptionally large object must not hold its memory for the rest of the run.
    fn give_back_much(&mut self) {
        const KEEP_BYTES: usize = 32 << 20;
        if self.buffer.len() > KEEP_BYTES {
            self.buffer = Vec::new();
        }
    }

    /// Length of the plain bytes, or `None` when the object is not plainly a single sound member.
    fn inflate_single_member(&mut self, object: &[u8]) -> Option<usize> {
        let trailer: [u8; 4] = object.last_chunk::<4>().copied()?;
        let promised = u32::from_le_bytes(trailer) as usize;
        // Deflate cannot shrink more than about 1:1032, so a larger promise is untrue.
        if promised > self.cap_bytes || promised / 1_040 > object.len() {
            return None;
        }
        // libdeflate stops after the first member without a word, so a second one must be ruled out first.
        if memchr::memmem::find(object.get(MAGIC.len()..)?, &MAGIC).is_some() {
            return None;
        }
        if self.buffer.len() < promised + PADDING_BYTES {
            self.buffer.resize(promised + PADDING_BYTES, 0);
        }
        let length = self.fast.gzip_decompress(object, self.buffer.get_mut(..promised)?).ok()?;
        (length == promised).then_some(length)
    }

    fn inflate_all_members(&mut self, object: &[u8]) -> Result<usize, InflateError> {
        self.buffer.clear();
        let limit = self.cap_bytes as u64 + 1;
        let mut members = MultiGzDecoder::new(object).take(limit);
        members.read_to_end(&mut self.buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => InflateError::Truncated,
            _ => InflateError::Damaged(error.to_string()),
        })?;
        if self.buffer.len() > self.cap_bytes {
            self.buffer = Vec::new();
            return Err(InflateError::TooLarge(self.cap_bytes));
        }
        Ok(self.buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// S6: concatenated gzip members are read whole, identical ones too.
    #[test]
    fn every_member_is_read() {
        let mut inflater = Inflater::new(1 << 20);
        let two = [gzip(b"one,"), gzip(b"one,")].concat();
        assert_eq!(inflater.inflate(&two).unwrap().bytes(), b"one,one,");
        assert_eq!(inflater.inflate(&gzip(b"alone")).unwrap().bytes(), b"alone");
        assert_eq!(inflater.inflate(b"plain").unwrap().bytes(), b"plain");
        assert_eq!(inflater.inflate(&gzip(b"")).unwrap().bytes(), b"");
    }

    /// S6, S44: truncation, damage and bombs are told apart.
    #[test]
    fn damage_has_its_reason() {
        let mut inflater = Inflater::new(1000);
        let sound = gzip(&b"0123456789 abcdefghij ".repeat(20));
        let cut = &sound[..sound.len() - 9];
        assert_eq!(inflater.inflate(cut).err(), Some(InflateError::Truncated));
        let mut flipped = sound.clone();
        let middle = flipped.len() - 6;
        flipped[middle] ^= 0x55;
        assert!(matches!(inflater.inflate(&flipped).err(), Some(InflateError::Damaged(_))));
        assert_eq!(inflater.inflate(&gzip(&[b'0'; 5000])).err(), Some(InflateError::TooLarge(1000)));
        assert_eq!(inflater.inflate(&sound).unwrap().length(), 440);
    }
}
