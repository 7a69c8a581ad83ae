//! The map step: folds one object after another into an evidence.
//!
//! `observe` never fails: an object or record that cannot be read becomes a counted problem in the coverage, and all
//! others are still read. Each record is touched once; one that is out of scope leaves an id and no allocation.

use std::sync::Arc;

use crate::cloudtrail::digest::Sha256;
use crate::cloudtrail::gunzip::{Inflater, Plain};
use crate::cloudtrail::object_key::ObjectKey;
use crate::cloudtrail::reader::{Json, ParseError, Parser};
use crate::cloudtrail::record::RecordError;
use crate::cloudtrail::split::{self, split};

use super::coverage::{ObjectReading, object_digest};
use super::event_ids::EventIds;
use super::fold::Fold;
use super::limits;
use super::merge::Evidence;
use super::outline::{Outliner, Piece};
use super::scope::Scope;

/// Reads one object on its own.
#[must_use]
pub fn observe(key: &str, bytes: &[u8], scope: &Arc<Scope>) -> Evidence {
    let mut observer = Observer::new(Arc::clone(scope));
    observer.observe(key, bytes);
    observer.finish()
}

/// Folds objects into one evidence; each worker has its own.
pub struct Observer {
    inflater: Inflater,
    parser: Parser,
    lookups: Parser,
    outliner: Outliner,
    fold: Fold,
    with_sums: bool,
}

/// The object in hand.
struct Object<'a> {
    key: &'a str,
    place: ObjectKey<'a>,
}

impl Observer {
    /// An observer with empty evidence.
    #[must_use]
    pub fn new(scope: Arc<Scope>) -> Self {
        Self {
            inflater: Inflater::new(limits::OBJECT_BYTES),
            parser: Parser::default(),
            lookups: Parser::default(),
            outliner: Outliner::default(),
            fold: Fold::new(scope),
            with_sums: false,
        }
    }

    /// One that also notes the SHA-256 of each object.
    #[must_use]
    pub fn with_sums(mut self) -> Self {
        self.with_sums = true;
        self
    }

    /// Ids of the events so far that became no evidence, to be kept elsewhere when they are many.
    pub fn out_of_scope_mut(&mut self) -> &mut EventIds {
        &mut self.fold.evidence.out_of_scope
    }

    /// About the memory that the actors take of the evidence so far, in bytes.
    #[must_use]
    pub fn actors_bytes(&self) -> usize {
        self.fold.actors_bytes
    }

    /// The evidence of all objects observed.
    #[must_use]
    pub fn finish(self) -> Evidence {
        self.fold.finish()
    }

    /// The evidence of all objects since the last time, with its ids sorted; what helps to read on quickly is kept.
    pub fn take(&mut self) -> Evidence {
        self.outliner.familiar.forget_slots();
        let mut evidence = self.fold.take_evidence();
        evidence.settle();
        evidence
    }

    /// Notes an object that could not even be fetched.
    pub fn unreadable(&mut self, key: &str, reason: &str) {
        self.fold.evidence.coverage.failed.insert(key.to_owned(), reason.to_owned());
    }

    /// Reads one object: its key within the source and its bytes as delivered.
    pub fn observe(&mut self, key: &str, bytes: &[u8]) {
        let object = Object { key, place: ObjectKey::parse(key) };
        match self.observe_usual(&object, bytes) {
            Some(reading) => self.note(&object, bytes, reading),
            None => self.parse_all(&object, bytes),
        }
    }

    /// The usual object, in the shape in which CloudTrail delivers. `None` for any other, with nothing taken from it:
    /// its records are then found in a way that is slower and tells what is wrong.
    fn observe_usual(&mut self, object: &Object<'_>, bytes: &[u8]) -> Option<ObjectReading> {
        let mut plain = self.inflater.inflate(bytes).ok()?;
        let (outliner, fold) = (&mut self.outliner, &mut self.fold);
        outliner.outline(plain.bytes(), &mut fold.tallied())?;
        let mut reading = reading_of(outliner.pieces.len(), bytes, &plain);
        for (at, piece) in outliner.pieces.iter().enumerate() {
            match piece {
                Piece::Quiet(quiet) => fold.take_quiet(&object.place, quiet, &mut outliner.familiar),
                Piece::Telling(range) => {
                    let take = |json: Json<'_>| fold.take(&object.place, json);
                    let taken = self.parser.parse(plain.padded_from(range.start), range.len(), take);
                    note_problem(fold, &mut reading, object, at, taken);
                }
            }
        }
        Some(reading)
    }

    /// Reads one object as [`Self::observe`] does, but recognises nothing: every record is parsed. What the other way must
    /// agree with.
    pub fn observe_anew(&mut self, key: &str, bytes: &[u8]) {
        self.parse_all(&Object { key, place: ObjectKey::parse(key) }, bytes);
    }

    fn parse_all(&mut self, object: &Object<'_>, bytes: &[u8]) {
        match self.observe_pieces(object, bytes) {
            Ok(reading) => self.note(object, bytes, reading),
            Err(reason) => self.fold.evidence.fail(object.key, &reason),
        }
    }

    fn note(&mut self, object: &Object<'_>, bytes: &[u8], reading: ObjectReading) {
        let sha256 = self.with_sums.then(|| Sha256::of(bytes));
        self.fold.evidence.note_object(object, ObjectReading { sha256, ..reading });
    }

    fn observe_pieces(&mut self, object: &Object<'_>, bytes: &[u8]) -> Result<ObjectReading, String> {
        let mut plain = self.inflater.inflate(bytes).map_err(|error| error.to_string())?;
        let pieces = split(plain.bytes()).map_err(|error| error.to_string())?;
        let mut reading = reading_of(pieces.len(), bytes, &plain);
        let fold = &mut self.fold;
        for (at, piece) in pieces.into_iter().enumerate() {
            let mut take = |json: Json<'_>| fold.take(&object.place, json);
            let taken = match piece {
                split::Span::Record(range) => self.parser.parse(plain.padded_from(range.start), range.len(), take),
                split::Span::LookupEvent(range) => {
                    let inner = &mut self.lookups;
                    let unwrapped = self.parser.parse(plain.padded_from(range.start), range.len(), |entry| {
                        let text = entry.text_at(&["CloudTrailEvent"]).unwrap_or_default();
                        inner.parse_copy(text.as_bytes(), &mut take)
                    });
                    unwrapped.and_then(|inner| inner)
                }
            };
            note_problem(fold, &mut reading, object, at, taken);
        }
        Ok(reading)
    }
}

/// An object of so many records, none of which was found bad so far.
fn reading_of(records: usize, delivered: &[u8], plain: &Plain<'_>) -> ObjectReading {
    ObjectReading {
        records: records as u64,
        bad: 0,
        compressed_bytes: delivered.len() as u64,
        decompressed_bytes: plain.length() as u64,
        sha256: None,
    }
}

/// Counts and lists a record with which something is wrong.
fn note_problem(
    fold: &mut Fold,
    reading: &mut ObjectReading,
    object: &Object<'_>,
    at: usize,
    taken: Result<Result<(), RecordError>, ParseError>,
) {
    let problem = match taken {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    reading.bad += 1;
    fold.evidence.coverage.note_bad(object.key, at as u64, problem);
}

impl Evidence {
    fn fail(&mut self, key: &str, reason: &str) {
        self.coverage.failed.insert(key.to_owned(), reason.to_owned());
    }

    fn note_object(&mut self, object: &Object<'_>, reading: ObjectReading) {
        self.coverage.objects.insert(object_digest(object.key), reading);
        if let (Some(account), Some(region), Some(day)) =
            (object.place.account, object.place.region, object.place.delivered)
        {
            let region = self.names.intern(region);
            self.coverage.places.entry((account, region)).or_default().delivered.insert(day);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S6, invariant 2: the fast way and the thorough way read the same, and damage falls to the thorough one.
    #[test]
    fn both_ways_of_reading_agree() {
        let record = |name: &str| {
            format!(
                r#"{{"eventTime":"2026-05-01T00:00:01Z","eventSource":"s3.amazonaws.com","eventName":"{name}",
                "recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventID":"{name}"}}"#
            )
        };
        let (one, two) = (record("GetObject"), record("ListBuckets"));
        let nested = |depth: usize| {
            one.replacen("\"GetObject\"", &format!("\"x\",\"y\":{}1{}", "[".repeat(depth), "]".repeat(depth)), 1)
        };
        for (json, whole) in [
            (format!("{{\"Records\":[{one},{two},7]}}"), true),
            ("{\"Records\":[]}".to_owned(), true),
            (format!("{{\"Records\":[{one}],\"Records\":[{two}]}}"), false),
            (format!("{{\"Records\":[{}]}}", nested(100)), true),
            (format!("{{\"Records\":[{}]}}", nested(200)), false),
            (format!("{{\"Records\":[{one},{{\"a\" 1}}]}}"), false),
            (format!("{{\"Records\":[{one},"), false),
            (format!("{{\"Records\":[{one}]}}\n{{\"Records\":[{two}]}}"), false),
            (format!("[{one}]"), false),
        ] {
            let object = Object { key: "k", place: ObjectKey::parse("k") };
            let scope = Arc::new(Scope::default());
            let (mut fast, mut thorough) = (Observer::new(Arc::clone(&scope)), Observer::new(scope));
            let fast_reading = fast.observe_usual(&object, json.as_bytes());
            let reading = thorough.observe_pieces(&object, json.as_bytes());
            assert_eq!(fast_reading.is_some(), whole, "{json}");
            let tables = |observer: Observer| observer.finish().to_tables().unwrap();
            if whole {
                assert_eq!(fast_reading, reading.ok(), "{json}");
                assert!(tables(fast) == tables(thorough), "{json}");
            } else {
                assert!(tables(fast) == Evidence::default().to_tables().unwrap(), "{json}: something was taken");
            }
        }
    }
}
