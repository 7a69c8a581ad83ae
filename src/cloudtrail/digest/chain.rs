//! The chain of digests, walked from the newest back: which digests are proven, and which times none of them covers.
//!
//! A digest is proven by its own signature, or by a proven digest after it that names its hash; so one signature proves
//! a whole chain, and a digest that was edited cannot hide behind an unknown key. Its signature is not in the file: the
//! digest after it repeats it, and a bucket keeps it in the object's metadata. Names and times of digests that are not
//! proven are never relied on: a gap reaches from one proven digest to the next.
//!
//! The ends of a chain prove nothing: who removes the newest digests together with their logs leaves a shorter chain.
//! In a copy, whose files have no metadata, one digest at the newest end can lack its signature, and one before a proven
//! start; any other whose signature nothing holds stands where something was taken away or put in.

use chrono::{NaiveDateTime, TimeDelta};

use crate::aws::window::Time;

use super::super::object_key::ObjectKey;
use super::key::PublicKeys;
use super::{Digest, Previous};

/// What the key of a digest file tells.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place<'k> {
    /// Everything in the key but the day and the time: the same for all digests of one chain.
    pub chain: (&'k str, &'k str),
    /// Whether it adds logs to an hour whose digest was already delivered; such digests have a chain of their own.
    pub backfill: bool,
    /// The end of its time.
    pub end: Time,
    /// The key.
    pub key: &'k str,
}

impl<'k> Place<'k> {
    /// Takes the key of a digest file apart.
    #[must_use]
    pub fn parse(key: &'k str) -> Option<Self> {
        let stem = key.strip_suffix(".json.gz")?;
        let (stem, backfill) = stem.strip_suffix("_backfill").map_or((stem, false), |stem| (stem, true));
        let (head, stamp) = stem.rsplit_once('_')?;
        let end = NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%SZ").ok()?.and_utc();
        let (folder, name) = head.rsplit_once('/').unwrap_or(("", head));
        let above_the_day = folder.rsplitn(4, '/').nth(3).unwrap_or_default();
        Some(Self { chain: (above_the_day, name), backfill, end, key })
    }
}

/// Where the keys of a source lie in the bucket that the digests were delivered to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Root<'a> {
    here: &'a str,
    there: &'a str,
}

impl<'a> Root<'a> {
    /// What must be so for the object at `key` to be the one delivered as `object`: the source begins within the bucket,
    /// or it has folders above the trail's. `None` for an object that is not where it was delivered.
    #[must_use]
    pub fn of(key: &'a str, object: &'a str) -> Option<Self> {
        if let Some(there) = object.strip_suffix(key).filter(|there| there.is_empty() || there.ends_with('/')) {
            return Some(Self { here: "", there });
        }
        let (here, there) = (above_the_trail(key)?, above_the_trail(object)?);
        (key.get(here.len()..) == object.get(there.len()..)).then_some(Self { here, there })
    }

    /// The key in the source of what was delivered as `object`.
    #[must_use]
    pub fn key_of(&self, object: &str) -> Option<String> {
        Some(format!("{}{}", self.here, object.strip_prefix(self.there)?))
    }
}

fn above_the_trail(key: &str) -> Option<&str> {
    const TRAIL: &str = "AWSLogs/";
    let mut found = key.match_indices(TRAIL).map(|(at, _)| at);
    let at = found.find(|at| *at == 0 || key.as_bytes().get(at - 1) == Some(&b'/'))?;
    key.get(..at)
}

/// How far a digest can be relied on, the worse the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// It is what CloudTrail delivered.
    Proven,
    /// Its signature is not known: the newest of a chain, in a copy without metadata.
    SignatureUnknown,
    /// Its public key is not known.
    KeyUnknown,
    /// Its signature is not where it must be: in the digest after it, or in a bucket's metadata.
    SignatureMissing,
    /// It could not be read, or is no digest.
    Unreadable,
    /// It lies where it was not delivered, or is another account's.
    Moved,
    /// It is not what CloudTrail signed.
    Altered,
}

impl Standing {
    /// The word for reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Proven => "verified",
            Self::SignatureUnknown => "signature_unknown",
            Self::KeyUnknown => "key_unknown",
            Self::SignatureMissing => "signature_missing",
            Self::Unreadable => "unreadable",
            Self::Moved => "moved",
            Self::Altered => "altered",
        }
    }
}

/// What the store says of a digest's signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It keeps this one.
    Signature(String),
    /// It keeps signatures, and none of this digest.
    Nothing,
    /// It keeps none of any: a copy.
    NotKept,
    /// It cannot be asked.
    NotTold,
}

/// Why no proven digest covers a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Digests are there that cannot be relied on; the worst standing among them.
    NotProven(Standing),
    /// A digest names one before it that is not there.
    Missing,
    /// The chain starts again: logging or its validation was switched off.
    Restarted,
}

/// A time that no proven digest covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Its beginning; none where nothing proven lies before.
    pub from: Option<Time>,
    /// Its end.
    pub until: Time,
    /// Why.
    pub cause: Cause,
    /// The digest that is to blame, by its key.
    pub digest: Option<String>,
    /// Whether it hides what was delivered. Not so for the digests at the end of a copy, whose signatures nothing can
    /// hold, nor where nothing of the chain is proven because its key was not given.
    pub hides: bool,
}

/// What is kept of the proven digest that was reached last.
struct Anchor {
    start: Time,
    previous: Option<Previous>,
    /// The key in the source of the one that it names.
    expected: Option<String>,
}

/// The key in the source of the digest that one names as the one before it.
fn expected(place: &Place<'_>, digest: &Digest) -> Option<String> {
    Root::of(place.key, &digest.object)?.key_of(&digest.previous.as_ref()?.object)
}

/// Digests since the last proven one that are not.
struct Between {
    worst: Standing,
    key: String,
    first_end: Time,
    last_end: Time,
    /// Whether the proven digest after them names one of them.
    is_named: bool,
    /// The key that the latest of them names as the one before it.
    expected: Option<String>,
    /// The first that one of them names and that is not there.
    missing: Option<String>,
}

/// Most hours that one digest without a signature is believed to cover; CloudTrail delivers one each hour.
const UNSIGNED_HOURS: i64 = 6;

/// One chain, walked from its newest digest back.
#[derive(Default)]
pub struct Chain {
    /// The earliest proven digest so far.
    anchor: Option<Anchor>,
    /// What the digest after the one in hand says of it, if that one is not proven.
    claim: Option<Previous>,
    /// End of the newest proven digest.
    pub proven_until: Option<Time>,
    between: Option<Between>,
    gaps: Vec<Gap>,
    /// Whether this is not the newest digest.
    has_begun: bool,
}

impl Chain {
    /// Judges the next older digest; `kept` is asked for the signature where the file of the digest after it has none
    /// that fits.
    pub fn judge(
        &mut self,
        place: &Place<'_>,
        read: Option<&Digest>,
        keys: &PublicKeys,
        kept: impl FnOnce() -> Kept,
    ) -> Standing {
        let standing = read.map_or(Standing::Unreadable, |digest| self.standing(place, digest, keys, kept));
        match read.filter(|_| standing == Standing::Proven) {
            Some(digest) => self.reach(place, digest),
            None => {
                self.claim = read.and_then(|digest| digest.previous.clone());
                self.pass(place, standing, read.and_then(|digest| expected(place, digest)));
            }
        }
        self.has_begun = true;
        standing
    }

    fn standing(&self, place: &Place<'_>, digest: &Digest, keys: &PublicKeys, kept: impl FnOnce() -> Kept) -> Standing {
        let account = ObjectKey::parse(place.key).account;
        if Root::of(place.key, &digest.object).is_none() || account.is_some_and(|account| account != digest.account) {
            return Standing::Moved;
        }
        let named = |previous: &&Previous| previous.object == digest.object;
        let anchor = self.anchor.as_ref().and_then(|anchor| anchor.previous.as_ref());
        if let Some(previous) = anchor.filter(named) {
            return if previous.hash == digest.hash { Standing::Proven } else { Standing::Altered };
        }
        if !keys.has(&digest.fingerprint) {
            return Standing::KeyUnknown;
        }
        // Who says it does not matter: nobody but CloudTrail can make a signature that fits.
        let claim = self.claim.as_ref().filter(named);
        if claim.is_some_and(|claim| keys.verify(digest, &claim.signature)) {
            return Standing::Proven;
        }
        match kept() {
            Kept::Signature(signature) if keys.verify(digest, &signature) => Standing::Proven,
            Kept::NotTold => Standing::Unreadable,
            Kept::NotKept if claim.is_none() && self.may_lack_signature(place) => Standing::SignatureUnknown,
            Kept::Nothing | Kept::NotKept if claim.is_none() => Standing::SignatureMissing,
            _ => Standing::Altered,
        }
    }

    /// Whether no digest need hold its signature: the newest, the one before a proven start, and those that add logs to
    /// an hour, which nothing follows.
    fn may_lack_signature(&self, place: &Place<'_>) -> bool {
        let before_a_start = || self.anchor.as_ref().is_some_and(|anchor| anchor.previous.is_none());
        !self.has_begun || place.backfill || self.between.is_none() && before_a_start()
    }

    /// A digest that is not proven, and the key of the one that it names.
    fn pass(&mut self, place: &Place<'_>, standing: Standing, names: Option<String>) {
        let (key, end) = (place.key.to_owned(), place.end);
        let is_named = self.anchor.as_ref().is_some_and(|anchor| anchor.expected.as_ref() == Some(&key));
        match &mut self.between {
            Some(between) => {
                between.leads_to(&key);
                between.is_named |= is_named;
                between.expected = names;
                between.first_end = between.first_end.min(end);
                if between.worst < standing {
                    (between.worst, between.key) = (standing, key);
                }
            }
            None => {
                let (worst, first_end, last_end) = (standing, end, end);
                let expected = names;
                self.between = Some(Between { worst, key, first_end, last_end, is_named, expected, missing: None });
            }
        }
    }

    /// A proven digest: what lies between it and the proven one after it is a gap, unless that one follows on it.
    fn reach(&mut self, place: &Place<'_>, digest: &Digest) {
        self.proven_until = self.proven_until.or(Some(digest.end));
        self.claim = None;
        let mut between = self.between.take();
        if let Some(between) = &mut between {
            between.leads_to(place.key);
        }
        let (previous, expected) = (digest.previous.clone(), expected(place, digest));
        let anchor = self.anchor.replace(Anchor { start: digest.start, previous, expected });
        let follows = anchor.as_ref().is_some_and(|anchor| match &anchor.previous {
            Some(previous) => previous.object == digest.object,
            None => place.backfill || anchor.start <= digest.end,
        });
        if !follows {
            self.gaps.extend(gap(Some(digest.end), anchor.as_ref(), between));
        }
    }

    /// The gaps that touch the time asked for, the newest first. Digests of the day after it tell of its last logs.
    #[must_use]
    pub fn gaps(mut self, since: Option<Time>, until: Option<Time>) -> Vec<Gap> {
        let (anchor, between) = (self.anchor.take(), self.between.take());
        // A copy may begin anywhere in the chain, unless it should reach further back; and every chain has a beginning.
        let may_begin =
            between.is_none() && (since.is_none() || anchor.as_ref().is_none_or(|one| one.previous.is_none()));
        if !may_begin {
            self.gaps.extend(gap(None, anchor.as_ref(), between));
        }
        for gap in &mut self.gaps {
            gap.hides &= gap.cause != Cause::NotProven(Standing::KeyUnknown) || self.proven_until.is_some();
        }
        let until = until.and_then(|until| until.checked_add_signed(TimeDelta::days(1)));
        let touches = |gap: &Gap| {
            since.is_none_or(|since| gap.until > since)
                && until.is_none_or(|until| gap.from.is_none_or(|from| from < until))
        };
        self.gaps.retain(touches);
        self.gaps
    }
}

impl Between {
    /// The next older digest is at hand: is it the one that the one after it names?
    fn leads_to(&mut self, key: &str) {
        if let Some(expected) = self.expected.take().filter(|expected| expected != key) {
            self.missing.get_or_insert(expected);
        }
    }
}

/// What lies between the end of a proven digest and the next proven one, `anchor`.
fn gap(from: Option<Time>, anchor: Option<&Anchor>, between: Option<Between>) -> Option<Gap> {
    let previous = anchor.and_then(|anchor| anchor.previous.as_ref());
    let start = anchor.map(|anchor| anchor.start);
    if let Some(between) = between {
        let from = from.or_else(|| between.first_end.checked_sub_signed(TimeDelta::hours(1)));
        let until = start.unwrap_or(between.last_end);
        let unseen = previous.filter(|_| !between.is_named).map(|previous| previous.object.clone());
        if let Some(missing) = unseen.or(between.missing) {
            return Some(Gap { from, until, cause: Cause::Missing, digest: Some(missing), hides: true });
        }
        let hides = between.worst > Standing::SignatureUnknown;
        let too_long = from.is_some_and(|from| between.last_end - from > TimeDelta::hours(UNSIGNED_HOURS));
        if !hides && too_long {
            return Some(Gap { from, until, cause: Cause::Missing, digest: None, hides: true });
        }
        let (cause, digest) = (Cause::NotProven(between.worst), Some(between.key));
        return Some(Gap { from, until, cause, digest, hides });
    }
    let (cause, digest) = match previous {
        Some(previous) => (Cause::Missing, Some(previous.object.clone())),
        None => (Cause::Restarted, None),
    };
    let hides = cause == Cause::Missing;
    Some(Gap { from, until: start?, cause, digest, hides })
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
