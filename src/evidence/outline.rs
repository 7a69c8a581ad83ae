//! The outline of an object before anything is taken from it: where its records lie, and which of them are quiet.
//!
//! An object that turns out to be broken must leave nothing behind, so the whole of it is outlined first. Records whose
//! parts are known cost no parsing at all; a record with a new part is parsed once to learn the part.

use std::ops::Range;

use crate::cloudtrail::reader::Parser;
use crate::cloudtrail::record::Record;
use crate::cloudtrail::skim::{Glance, Shape, Skim, Skimmer};
use crate::cloudtrail::split::MAX_RECORDS;

use super::familiar::{Familiar, Quiet, Tallied};

/// One record of an object.
pub(super) enum Piece {
    /// No more of it is needed.
    Quiet(Quiet),
    /// The bytes of a record to be read in full.
    Telling(Range<usize>),
}

/// Outlines objects one after another and remembers the parts of their records.
#[derive(Default)]
pub(super) struct Outliner {
    skimmer: Skimmer,
    pub(super) familiar: Familiar,
    parser: Parser,
    pub(super) pieces: Vec<Piece>,
}

impl Outliner {
    /// Outlines an object in the shape in which CloudTrail delivers, `{"Records":[..]}`; `None` for any other.
    pub(super) fn outline(&mut self, json: &[u8], tallied: &mut Tallied<'_>) -> Option<()> {
        self.pieces.clear();
        if self.skimmer.is_full() {
            (self.skimmer, self.familiar) = (Skimmer::default(), Familiar::default());
        }
        let mut at = skip_word(json, 0, b"{")?;
        at = skip_word(json, at, b"\"Records\"")?;
        at = skip_word(json, at, b":")?;
        at = skip_word(json, at, b"[")?;
        if let Some(end) = skip_word(json, at, b"]") {
            return is_end(json, end);
        }
        loop {
            at = skip_space(json, at);
            at += self.piece(json, at, tallied)?;
            if self.pieces.len() > MAX_RECORDS {
                return None;
            }
            match skip_word(json, at, b",") {
                Some(next) => at = next,
                None => return is_end(json, skip_word(json, at, b"]")?),
            }
        }
    }

    /// Outlines the record at `at` and tells its length.
    fn piece(&mut self, json: &[u8], at: usize, tallied: &mut Tallied<'_>) -> Option<usize> {
        let text = json.get(at..)?;
        let (skim, length) = match self.skimmer.glance(text).ok()? {
            Glance::Known(skim) => (Some(skim), skim.length),
            Glance::Learnable(shape) => (self.learn(text, &shape), shape.length()),
            Glance::Other(length) => (None, length),
        };
        let quiet = skim.and_then(|skim| self.familiar.quiet(&skim, tallied));
        self.pieces.push(quiet.map_or(Piece::Telling(at..at + length), Piece::Quiet));
        Some(length)
    }

    fn learn<'t>(&mut self, text: &'t [u8], shape: &Shape) -> Option<Skim<'t>> {
        let text = text.get(..shape.length())?;
        let (skimmer, familiar) = (&mut self.skimmer, &mut self.familiar);
        let learned = self.parser.parse_copy(text, |json| {
            let record = Record::read(json).ok()?;
            familiar.learn(skimmer.learn(text, shape)?, &record);
            Some(())
        });
        learned.ok().flatten()?;
        self.skimmer.recognise(text)
    }
}

fn skip_space(json: &[u8], at: usize) -> usize {
    let rest = json.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The place behind a word that follows white space or nothing.
fn skip_word(json: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let at = skip_space(json, at);
    json.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// Nothing but the closing brace of the object follows.
fn is_end(json: &[u8], at: usize) -> Option<()> {
    let end = skip_word(json, at, b"}")?;
    (skip_space(json, end) == json.len()).then_some(())
}
