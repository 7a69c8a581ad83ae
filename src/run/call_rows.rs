//! A call as bytes, as it lies in temporary files until it is written into the table `activity`.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate};

use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::record::EventId;
use crate::evidence::call::{Call, READ_ONLY};
use crate::finding::call_log::{Api, CallRow, Caller};

/// The bytes of a row before its texts: its length, its key, caller, API, outcome, `readOnly`.
pub const HEAD_BYTES: usize = LENGTH_BYTES + KEY_BYTES + 4 + 4 + 1 + 1;
const LENGTH_BYTES: usize = 4;
const KEY_BYTES: usize = 8 + 8 + 16;
const TEXTS: usize = 7;
const DAY_SECONDS: i64 = 86_400;

/// What sorts a row: account, time, event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// The digits of the account as a number.
    pub account: u64,
    /// When, in seconds since 1970.
    pub seconds: i64,
    /// The event's id.
    pub id: u128,
}

/// A day of an account: a file of the table `activity`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountDay {
    account: u64,
    /// Days since 1970.
    days: i64,
}

impl AccountDay {
    /// The day, if the calendar reaches so far.
    #[must_use]
    pub fn date(self) -> Option<NaiveDate> {
        DateTime::from_timestamp(self.days.checked_mul(DAY_SECONDS)?, 0).map(|time| time.date_naive())
    }
}

impl Key {
    /// The day that it is of.
    #[must_use]
    pub const fn day(&self) -> AccountDay {
        AccountDay { account: self.account, days: self.seconds.div_euclid(DAY_SECONDS) }
    }
}

/// All callers and APIs, each where its number in a row says.
pub type KnownLists<'a> = (&'a [Caller], &'a [Api]);

/// Rows that lie one after the other.
pub struct Rows<'a>(pub &'a [u8]);

impl<'a> Iterator for Rows<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (row, rest) = self.0.split_at_checked(length_of(self.0)?)?;
        self.0 = rest;
        Some(row)
    }
}

/// Adds a row. `kind` are the numbers of its caller and its API, `session` the session's id and name, `texts` those of
/// [`Call::texts`].
pub fn write(rows: &mut Vec<u8>, account: u64, kind: (u32, u32), call: &Call, session: [&str; 2], texts: [&str; 5]) {
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

/// The length of the row with which these bytes begin, if they hold so much of it.
#[must_use]
pub fn length_of(mut row: &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(number(&mut row)?) as usize)
}

/// The key of a row; `None` for bytes that are none.
#[must_use]
pub fn key_of(row: &[u8]) -> Option<Key> {
    let mut rest = row.get(LENGTH_BYTES..)?;
    Some(Key {
        account: u64::from_le_bytes(number(&mut rest)?),
        seconds: i64::from_le_bytes(number(&mut rest)?),
        id: u128::from_le_bytes(number(&mut rest)?),
    })
}

/// The row that these bytes are; `None` for others.
#[must_use]
pub fn read<'a>(row: &'a [u8], (callers, apis): KnownLists<'a>) -> Option<CallRow<'a>> {
    let key = key_of(row)?;
    let mut rest = row.get(LENGTH_BYTES + KEY_BYTES..)?;
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

/// The order of two records of one event: by all that they say, so that the order in which they came does not matter.
#[must_use]
pub fn compared(a: &[u8], b: &[u8], known: KnownLists<'_>) -> Ordering {
    let told = |row| {
        let row = read(row, known)?;
        let texts = (row.session_id, row.session_name, row.event, row.error, row.network, row.agent, row.resources);
        // What opened a session may be a call of another one: then it is that.
        Some((row.api.is_hand_off, row.outcome, row.read_only, texts, row.caller, row.api))
    };
    told(a).cmp(&told(b))
}

fn number<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*number)
}
