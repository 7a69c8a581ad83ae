//! Recognises a record by its parts: a part that was read before need not be read again.
//!
//! Nearly all that millions of records say was said before: the same API in the same Region, the same end from
//! `readOnly` on. Between these parts lie a few values that are new each time. So a record is taken apart as CloudTrail
//! writes it,
//!
//! ```text
//! caller  {"eventVersion":"1.11","userIdentity":{..},"eventTime":"        of a known form
//!         2026-05-01T00:00:01Z                                            read
//! call    ","eventSource":"..","eventName":"..","awsRegion":"..",..       known
//!         192.0.2.44                                                      read
//!         ","userAgent":"   aws-cli/2.17                                  passed over
//! middle  ","errorCode":..,"requestParameters":{..},..                    passed over
//!         requestID                                                       passed over
//!         eventID                                                         read
//! tail    ","readOnly":true,"eventType":"AwsApiCall",..}                  known
//! ```
//!
//! and a known part is recognised by comparing bytes, which is many times faster than parsing. Nothing is guessed: a
//! part becomes known only when it was cut from a whole record that the parser had accepted, at the borders of that
//! record's own members; what is passed over is checked to be sound JSON by rules stricter than the parser's; the keys
//! of each part are such that no part can contradict another. Any record that does not fit is parsed. Which records
//! were seen before therefore decides how fast a record is read, and never what it says; a differential test and a fuzz
//! target hold that.

use chrono::TimeDelta;
use hashbrown::HashTable;
use memchr::memmem::Finder;
use xxhash_rust::xxh3::xxh3_64;

use crate::aws::window::{Time, midnight, parse_time};

use super::caller_form::CallerForm;
pub use super::caller_form::SkimmedCaller;
use super::record::EventId;
use super::skip::Cursor;
use super::split::{Scanner, SplitError};

/// Most parts of each kind that are remembered; beyond that everything is forgotten and learned again (S44).
pub const MAX_PARTS: usize = 8 << 10;
/// Longest part that is remembered (S44).
pub const MAX_PART_BYTES: usize = 4 << 10;
/// Most forms of callers that are known; there are about a dozen (S44).
const MAX_FORMS: usize = 32;
/// Tails that are tried behind one call.
const RECENT: usize = 4;
/// Tails met once are remembered by a digest in as many slots, so that those never met again cost no memory.
const GLIMPSES: usize = 4 << 10;

const TIME_KEY: &[u8] = br#","eventTime":""#;
const ADDRESS_KEY: &[u8] = br#","sourceIPAddress":""#;
const AGENT_KEY: &[u8] = br#"","userAgent":""#;
const REQUEST_KEY: &[u8] = br#""requestID":""#;
const EVENT_KEY: &[u8] = br#""eventID":""#;
const TIME_BYTES: usize = 20;
const UUID_BYTES: usize = 36;

const HEAD_KEYS: [&[u8]; 2] = [b"eventVersion", b"userIdentity"];
const CALL_KEYS: [&[u8]; 3] = [b"eventSource", b"eventName", b"awsRegion"];
const MIDDLE_KEYS: [&[u8]; 5] =
    [b"errorCode", b"errorMessage", b"requestParameters", b"responseElements", b"additionalEventData"];
/// Keys of the values between the parts.
const VALUE_KEYS: [&[u8]; 5] = [b"eventTime", b"sourceIPAddress", b"userAgent", b"requestID", b"eventID"];

/// The number of a known part among those of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Part(u32);

impl Part {
    /// For lists with one element a part.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A record recognised by its parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Skim<'t> {
    /// Who called.
    pub caller: SkimmedCaller<'t>,
    /// Says which API in which Region.
    pub call: Part,
    /// From behind the event's id to the record's end: says what kind of event, and of which account.
    pub tail: Part,
    /// `eventTime`.
    pub time: Time,
    /// `eventID`.
    pub id: EventId,
    /// `sourceIPAddress`, in ASCII.
    pub address: &'t [u8],
    /// Bytes of the record.
    pub length: usize,
}

/// Where the parts of a record lie that could become known: the ends of its head and call, the place of its tail.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    head_end: usize,
    call: (usize, usize),
    tail: (usize, usize),
}

impl Shape {
    /// Bytes of the record.
    #[must_use]
    pub fn length(&self) -> usize {
        self.tail.1
    }

    fn parts<'t>(&self, text: &'t [u8]) -> [&'t [u8]; 3] {
        [(0, self.head_end), self.call, self.tail].map(|(from, to)| text.get(from..to).unwrap_or_default())
    }

    /// Whether the parts have the borders by which they would be found.
    fn could_be_recognised(&self, text: &[u8]) -> bool {
        let parts = self.parts(text);
        let [head, call, _] = parts;
        head.ends_with(TIME_KEY) && call.ends_with(ADDRESS_KEY) && parts.iter().all(|part| part.len() <= MAX_PART_BYTES)
    }
}

/// What a record is to the skimmer.
#[derive(Clone, Copy, Debug)]
pub enum Glance<'t> {
    /// All its parts are known.
    Known(Skim<'t>),
    /// It could be learned, once it has been parsed and found sound.
    Learnable(Shape),
    /// It has to be parsed; this many bytes.
    Other(usize),
}

/// Knows parts. What they mean is its owner's business, who keeps a list by part.
pub struct Skimmer {
    forms: Vec<CallerForm>,
    calls: Parts,
    tails: Parts,
    /// By call: the tails that were last seen behind it, the latest first.
    recent: Vec<[Option<Part>; RECENT]>,
    glimpses: Vec<u64>,
    days: Days,
    address_key: Finder<'static>,
}

impl Default for Skimmer {
    fn default() -> Self {
        Self {
            forms: Vec::new(),
            calls: Parts::default(),
            tails: Parts::default(),
            recent: Vec::new(),
            glimpses: vec![0; GLIMPSES],
            days: Days::default(),
            address_key: Finder::new(ADDRESS_KEY),
        }
    }
}

impl Skimmer {
    /// Looks at the record with which `text` begins.
    ///
    /// # Errors
    /// When no record ends in `text`.
    pub fn glance<'t>(&mut self, text: &'t [u8]) -> Result<Glance<'t>, SplitError> {
        if let Some(skim) = self.recognise(text) {
            return Ok(Glance::Known(skim));
        }
        if text.first() != Some(&b'{') {
            let mut scanner = Scanner::new(text);
            scanner.value()?;
            return Ok(Glance::Other(scanner.at()));
        }
        let mut scanner = Scanner::of_record(text);
        let shape = shape(&mut scanner)?;
        let other = Glance::Other(scanner.at());
        let Some(shape) = shape.filter(|shape| shape.could_be_recognised(text)) else { return Ok(other) };
        let [_, call, tail] = shape.parts(text);
        Ok(match (self.caller(text), self.calls.get(call), self.tails.get(tail)) {
            // Only this tail behind this call is new.
            (Some(_), Some(call), Some(tail)) => {
                self.note_recent(call, tail);
                self.recognise(text).map_or(other, Glance::Known)
            }
            (_, _, Some(_)) => Glance::Learnable(shape),
            _ if self.was_glimpsed(tail) => Glance::Learnable(shape),
            _ => other,
        })
    }

    /// The record with which `text` begins, if all its parts are known.
    pub fn recognise<'t>(&mut self, text: &'t [u8]) -> Option<Skim<'t>> {
        let (caller, head_end) = self.caller(text)?;
        let time = self.days.time(text.get(head_end..head_end + TIME_BYTES)?)?;
        let rest = text.get(head_end + TIME_BYTES..)?;
        let call_end = self.address_key.find(rest.get(..MAX_PART_BYTES).unwrap_or(rest))? + ADDRESS_KEY.len();
        let call = self.calls.get(rest.get(..call_end)?)?;
        let mut cursor = Cursor::new(rest, call_end);
        let address = cursor.plain_text()?;
        cursor.literal(AGENT_KEY)?;
        cursor.plain_text()?;
        pass_middle(&mut cursor)?;
        let id = EventId::of_uuid(cursor.bytes(UUID_BYTES)?)?;
        let tail = self.tail_behind(call, cursor.rest())?;
        let length = head_end + TIME_BYTES + cursor.at() + self.tails.text(tail).len();
        Some(Skim { caller, call, tail, time, id, address, length })
    }

    /// The caller, and where the time begins.
    fn caller<'t>(&mut self, text: &'t [u8]) -> Option<(SkimmedCaller<'t>, usize)> {
        let (place, caller) = self.forms.iter().enumerate().find_map(|(at, form)| Some((at, form.read(text)?)))?;
        // Usual forms come to be tried first.
        if let Some(before) = place.checked_sub(1) {
            self.forms.swap(before, place);
        }
        Some(caller)
    }

    fn tail_behind(&mut self, call: Part, rest: &[u8]) -> Option<Part> {
        let recent = self.recent.get_mut(call.index())?;
        let place = recent.iter().position(|tail| tail.is_some_and(|tail| rest.starts_with(self.tails.text(tail))))?;
        recent.get_mut(..=place)?.rotate_right(1);
        *recent.first()?
    }

    /// Whether a new tail was met before. A new form or call is likely to be met again; a tail only when it was met
    /// twice, because some services write there what is different each time.
    fn was_glimpsed(&mut self, tail: &[u8]) -> bool {
        let digest = xxh3_64(tail);
        let slot = self.glimpses.get_mut(digest as usize % GLIMPSES);
        slot.is_some_and(|slot| std::mem::replace(slot, digest) == digest)
    }

    /// Makes the parts of a record known, which the caller has parsed and found sound. New calls and tails are numbered
    /// on from the last; `None` for a record that is too odd.
    pub fn learn(&mut self, text: &[u8], shape: &Shape) -> Option<[Part; 2]> {
        let [head, call, tail] = shape.parts(text);
        if self.caller(text).is_none() {
            let form = CallerForm::of(head).filter(|_| self.forms.len() < MAX_FORMS)?;
            self.forms.push(form);
        }
        let [call, tail] = [self.calls.learn(call), self.tails.learn(tail)];
        self.note_recent(call, tail);
        Some([call, tail])
    }

    fn note_recent(&mut self, call: Part, tail: Part) {
        if call.index() >= self.recent.len() {
            self.recent.resize(call.index() + 1, [None; RECENT]);
        }
        let Some(recent) = self.recent.get_mut(call.index()) else { return };
        if !recent.contains(&Some(tail)) {
            recent.rotate_right(1);
            let [first, ..] = recent;
            *first = Some(tail);
        }
    }

    /// Whether so many parts are known that they should be forgotten. The owner then forgets their meaning as well.
    #[must_use]
    pub fn is_full(&self) -> bool {
        [&self.calls, &self.tails].into_iter().any(|parts| parts.texts.len() >= MAX_PARTS)
    }
}

/// Passes over the middle, the request's id, and the key of the event's id.
fn pass_middle(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.literal(b"\",")?;
    loop {
        if cursor.literal(EVENT_KEY).is_some() {
            return Some(());
        }
        if cursor.literal(REQUEST_KEY).is_some() {
            cursor.plain_text()?;
            cursor.literal(b"\",")?;
            return cursor.literal(EVENT_KEY);
        }
        cursor.literal(b"\"")?;
        let key = cursor.plain_text()?;
        if !MIDDLE_KEYS.contains(&key) {
            return None;
        }
        cursor.literal(b"\":")?;
        cursor.value()?;
        cursor.literal(b",")?;
    }
}

/// Walks one record and finds its parts; `None` for a record of another shape. The scanner ends behind the record.
fn shape(scanner: &mut Scanner<'_>) -> Result<Option<Shape>, SplitError> {
    let mut walk = Walk { zone: 0, fits: true, head_end: 0, call: (0, 0), tail: 0 };
    scanner.members(|scanner, key| {
        scanner.peek();
        let begin = scanner.at();
        scanner.value()?;
        walk.see(key, begin, scanner.at());
        Ok(())
    })?;
    let shape = Shape { head_end: walk.head_end, call: walk.call, tail: (walk.tail, scanner.at()) };
    Ok((walk.fits && walk.zone == 4).then_some(shape))
}

/// How far a record's members follow the usual order: 0 head, 1 call, 2 middle, 3 before the event's id, 4 tail.
struct Walk {
    zone: u8,
    fits: bool,
    head_end: usize,
    call: (usize, usize),
    tail: usize,
}

impl Walk {
    fn see(&mut self, key: &[u8], begin: usize, end: usize) {
        let is_one_of = |keys: &[&[u8]]| keys.contains(&key);
        // A key with an escape could be any key.
        self.fits &= !key.contains(&b'\\');
        match (self.zone, key) {
            (0, b"eventTime") => {
                (self.zone, self.head_end) = (1, begin + 1);
                self.call.0 = begin + 1 + TIME_BYTES;
                self.fits &= end == begin + TIME_BYTES + 2;
            }
            (0, _) => self.fits &= is_one_of(&HEAD_KEYS),
            (1, b"sourceIPAddress") => (self.zone, self.call.1) = (2, begin + 1),
            (1, _) => self.fits &= is_one_of(&CALL_KEYS),
            (2 | 3, b"eventID") => {
                (self.zone, self.tail) = (4, end.saturating_sub(1));
                self.fits &= end == begin + UUID_BYTES + 2;
            }
            (2, b"requestID") => self.zone = 3,
            (2, b"userAgent") => {}
            (2, _) => self.fits &= is_one_of(&MIDDLE_KEYS),
            (4, b"addendum") => self.fits = false,
            (4, _) => {
                let elsewhere: [&[&[u8]]; 4] = [&HEAD_KEYS, &CALL_KEYS, &MIDDLE_KEYS, &VALUE_KEYS];
                self.fits &= !elsewhere.iter().any(|keys| is_one_of(keys));
            }
            _ => self.fits = false,
        }
    }
}

/// Reads times; the day of the last is remembered, because the next is nearly always of the same.
#[derive(Default)]
struct Days {
    known: Option<([u8; 10], Time)>,
}

impl Days {
    /// The time of twenty bytes, as [`parse_time`] reads it.
    fn time(&mut self, text: &[u8]) -> Option<Time> {
        let [day @ .., b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = *text.as_array::<TIME_BYTES>()? else {
            return None;
        };
        let Some(begin) = self.known.filter(|(known, _)| *known == day).map(|(_, begin)| begin) else {
            let time = parse_time(std::str::from_utf8(text).ok()?)?;
            self.known = Some((day, midnight(time.date_naive())));
            return Some(time);
        };
        let pair = |tens: u8, ones: u8| {
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            digits.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        };
        let (hour, minute, second) = (pair(h1, h2)?, pair(m1, m2)?, pair(s1, s2)?);
        // A leap second is the general parser's to judge.
        let usual = hour < 24 && minute < 60 && second < 60;
        usual.then(|| begin + TimeDelta::seconds(hour * 3600 + minute * 60 + second))
    }
}

/// The known parts of one kind.
#[derive(Default)]
struct Parts {
    texts: Vec<Box<[u8]>>,
    index: HashTable<Part>,
}

impl Parts {
    fn text(&self, part: Part) -> &[u8] {
        self.texts.get(part.index()).map_or(&[], AsRef::as_ref)
    }

    fn get(&self, text: &[u8]) -> Option<Part> {
        self.index.find(xxh3_64(text), |part| self.text(*part) == text).copied()
    }

    fn learn(&mut self, text: &[u8]) -> Part {
        if let Some(part) = self.get(text) {
            return part;
        }
        let part = Part(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.texts.push(Box::from(text));
        let texts = &self.texts;
        let digest = |part: &Part| xxh3_64(texts.get(part.index()).map_or(&[], AsRef::as_ref));
        self.index.insert_unique(xxh3_64(text), part, digest);
        part
    }
}
