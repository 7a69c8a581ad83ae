//! Numbers, texts, times and ids as bytes, and back.
//!
//! Texts are written once and then named by their number, because a session's calls repeat almost all of them. Reading
//! trusts nothing: every length is checked against what is left before anything is reserved for it.

use chrono::DateTime;
use hashbrown::HashMap;

use crate::aws::AccountId;
use crate::aws::window::Time;
use crate::cloudtrail::record::EventId;
use crate::evidence::event_ids::EventIds;
use crate::evidence::few::Few;
use crate::evidence::session::Span;

use super::ShardError;

/// Bytes in the making.
#[derive(Debug, Default)]
pub(super) struct Writer {
    body: Vec<u8>,
    texts: Vec<u8>,
    known: HashMap<Box<str>, u64>,
}

impl Writer {
    pub(super) fn number(&mut self, number: u64) {
        push_number(&mut self.body, number);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.number(u64::from(flag));
    }

    pub(super) fn text(&mut self, text: &str) {
        let known = self.known.get(text).copied();
        let number = known.unwrap_or_else(|| {
            let next = self.known.len() as u64;
            push_number(&mut self.texts, text.len() as u64);
            self.texts.extend_from_slice(text.as_bytes());
            self.known.insert(Box::from(text), next);
            next
        });
        self.number(number);
    }

    pub(super) fn account(&mut self, account: AccountId) {
        // Twelve digits always fit.
        self.number(account.as_str().parse().unwrap_or_default());
    }

    /// Numbers near zero are short on both sides of it.
    pub(super) fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    pub(super) fn time(&mut self, time: Time) {
        self.signed(time.timestamp());
        self.number(u64::from(time.timestamp_subsec_nanos()));
    }

    pub(super) fn span(&mut self, span: Span) {
        self.time(span.first);
        self.time(span.last);
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn bits(&mut self, bits: u128) {
        self.body.extend_from_slice(&bits.to_le_bytes());
    }

    pub(super) fn ids(&mut self, ids: &EventIds) {
        let ids = ids.to_sorted();
        self.count(ids.len());
        for id in ids {
            self.bits(id.0);
        }
    }

    pub(super) fn few<const LIMIT: usize>(&mut self, few: &Few<LIMIT>) {
        self.flag(few.has_more());
        self.count(few.iter().count());
        for text in few.iter() {
            self.text(text);
        }
    }

    /// All of it: the texts first, because the rest names them.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.texts.len() + self.body.len() + 10);
        push_number(&mut bytes, self.known.len() as u64);
        bytes.extend_from_slice(&self.texts);
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Seven bits a byte, the lowest first, the highest bit set while more follow.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Bytes that are left to read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    texts: Vec<&'a str>,
}

type Outcome<T> = Result<T, ShardError>;

impl<'a> Reader<'a> {
    /// Reads the texts; what follows is read on demand.
    pub(super) fn new(bytes: &'a [u8]) -> Outcome<Self> {
        let mut reader = Self { rest: bytes, texts: Vec::new() };
        for _ in 0..reader.count(1)? {
            let length = reader.count(1)?;
            let text = std::str::from_utf8(reader.take(length)?).map_err(|_| ShardError::Value("text"))?;
            reader.texts.push(text);
        }
        Ok(reader)
    }

    fn take(&mut self, length: usize) -> Outcome<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ShardError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Outcome<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take(1)? else { return Err(ShardError::Short) };
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(ShardError::Value("number"))
    }

    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Outcome<T> {
        T::try_from(self.number()?).map_err(|_| ShardError::Value("number"))
    }

    /// A number of things that take at least so many bytes each.
    pub(super) fn count(&mut self, bytes_each: usize) -> Outcome<usize> {
        let count: usize = self.small()?;
        if count > self.rest.len() / bytes_each { Err(ShardError::Short) } else { Ok(count) }
    }

    pub(super) fn flag(&mut self) -> Outcome<bool> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ShardError::Value("flag")),
        }
    }

    pub(super) fn text(&mut self) -> Outcome<&'a str> {
        let number: usize = self.small()?;
        self.texts.get(number).copied().ok_or(ShardError::Value("text"))
    }

    pub(super) fn owned(&mut self) -> Outcome<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn boxed(&mut self) -> Outcome<Box<str>> {
        self.text().map(Box::from)
    }

    pub(super) fn account(&mut self) -> Outcome<AccountId> {
        AccountId::parse(&format!("{:012}", self.number()?)).ok_or(ShardError::Value("account"))
    }

    pub(super) fn signed(&mut self) -> Outcome<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    pub(super) fn time(&mut self) -> Outcome<Time> {
        DateTime::from_timestamp(self.signed()?, self.small()?).ok_or(ShardError::Value("time"))
    }

    pub(super) fn span(&mut self) -> Outcome<Span> {
        Ok(Span { first: self.time()?, last: self.time()? })
    }

    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// So many things.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Outcome<T>) -> Outcome<Vec<T>> {
        let count = self.count(1)?;
        (0..count).map(|_| read(self)).collect()
    }

    pub(super) fn bits(&mut self) -> Outcome<u128> {
        let bytes = self.take(16)?.try_into().map_err(|_| ShardError::Short)?;
        Ok(u128::from_le_bytes(bytes))
    }

    pub(super) fn ids(&mut self) -> Outcome<EventIds> {
        let count = self.count(16)?;
        let (ids, _) = self.take(count * 16)?.as_chunks();
        Ok(ids.iter().map(|id| EventId(u128::from_le_bytes(*id))).collect())
    }

    pub(super) fn few<const LIMIT: usize>(&mut self) -> Outcome<Few<LIMIT>> {
        let more = self.flag()?;
        Ok(Few::of(self.list(Self::text)?, more))
    }

    pub(super) fn end(&self) -> Outcome<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(ShardError::Value("end")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_values_come_back() {
        let account = AccountId::parse("012345678901").unwrap();
        let times = [DateTime::from_timestamp(-7, 5).unwrap(), Time::MIN_UTC, Time::MAX_UTC];
        let mut writer = Writer::default();
        for number in [0, 127, 128, u64::MAX] {
            writer.number(number);
        }
        for text in ["", "é", "", "long".repeat(99).as_str()] {
            writer.text(text);
        }
        writer.account(account);
        for time in times {
            writer.time(time);
        }
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes).unwrap();
        assert_eq!([(); 4].map(|()| reader.number().unwrap()), [0, 127, 128, u64::MAX]);
        assert_eq!([(); 4].map(|()| reader.text().unwrap().len()), [0, 2, 0, 396]);
        assert_eq!(reader.account().unwrap(), account);
        assert_eq!([(); 3].map(|()| reader.time().unwrap()), times);
        reader.end().unwrap();
        assert!(reader.number().is_err());
    }

    /// S44: a length that no file could hold reserves nothing.
    #[test]
    fn lengths_are_checked_first() {
        let mut writer = Writer::default();
        writer.number(u64::MAX);
        let bytes = writer.finish();
        assert!(Reader::new(&bytes).unwrap().ids().is_err());
        assert!(Reader::new(&bytes).unwrap().list(Reader::text).is_err());
        assert!(Reader::new(&[0xff; 11]).is_err());
    }
}
