//! Reads the digests of a source, from the newest of each chain back, and learns from them what was delivered.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use crate::aws::window::{Time, Window};
use crate::cloudtrail::digest::Digest;
use crate::cloudtrail::digest::chain::{Cause, Chain, Gap, Kept, Place, Root, Standing};
use crate::cloudtrail::digest::key::PublicKeys;
use crate::cloudtrail::gunzip::Inflater;
use crate::cloudtrail::object_key::ObjectKey;
use crate::evidence::{hands, limits};
use crate::finding::assessment::DigestGap;
use crate::store::aws::AwsOptions;
use crate::store::{Entry, Store};

use super::UserError;
use super::inputs::{InputFile, input_file, read_text};
use super::live;
use super::monitor::Monitor;
use super::plan::{Plan, Request, asks_for};
use super::witness::{Proof, Witness, list};
use super::workers::{Effort, Workers};

/// Most bytes that one digest may inflate to; it names the log objects of one hour.
pub const DIGEST_BYTES: usize = 64 << 20;
/// Digests that are held at once.
const BATCH: usize = 512;
/// Reading many small objects is waiting, not work.
const READERS: usize = 16;
/// A chain whose newest digest is older than the newest of all by more than this has ended; one is delivered each hour.
const LATE_HOURS: i64 = 3;

/// Where the public keys of digests come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySources {
    /// Outputs of `aws cloudtrail list-public-keys`.
    pub files: Vec<PathBuf>,
    /// Whether CloudTrail is asked, in the Regions and for the time of the digests.
    pub live: bool,
}

/// Asks CloudTrail for the keys of a plan's digests, and adds them.
///
/// # Errors
/// When CloudTrail refuses to answer.
pub fn add_live_keys(keys: &mut PublicKeys, plan: &Plan, aws: &AwsOptions) -> Result<Vec<InputFile>, UserError> {
    // A digest is signed when it is delivered, a little after its time.
    let margin = TimeDelta::hours(2);
    let ends = || plan.digests.iter().filter_map(|entry| Place::parse(&entry.key)).map(|place| place.end);
    let (Some(first), Some(last)) = (ends().min(), ends().max()) else { return Ok(Vec::new()) };
    let Some(time) = Window::new(first - margin, last + margin) else { return Ok(Vec::new()) };
    let regions = plan.digests.iter().filter_map(|entry| ObjectKey::parse(&entry.key).region.map(str::to_owned));
    let mut inputs = Vec::new();
    for (region, listing) in live::public_keys::fetch(aws, regions.collect(), time)? {
        let path = format!("live:public-keys/{region}.json");
        keys.add(&listing)
            .map_err(|error| UserError::new(format!("cannot read {path}: {error}"), "report this as a bug"))?;
        inputs.push(input_file(Path::new(&path), listing.as_bytes()));
    }
    Ok(inputs)
}

/// Reads files that hold the output of `aws cloudtrail list-public-keys`.
///
/// # Errors
/// The first file that cannot be read, with the reason.
pub fn public_keys(files: &[PathBuf]) -> Result<(PublicKeys, Vec<InputFile>), UserError> {
    let (mut keys, mut inputs) = (PublicKeys::default(), Vec::new());
    for file in files {
        let added = read_text(file).and_then(|(text, input)| {
            inputs.push(input);
            keys.add(&text).map_err(|error| error.to_string())
        });
        added.map_err(|reason| {
            UserError::new(
                format!("cannot read public keys `{}`: {reason}", file.display()),
                "give the output of `aws cloudtrail list-public-keys --start-time ... --end-time ...`, one for each Region",
            )
        })?;
    }
    Ok((keys, inputs))
}

/// What the digests of a plan say of its objects.
///
/// # Errors
/// When there is no digest, or no thread can be started. Digests that cannot be read are no error.
pub fn witness<'p>(
    store: &dyn Store,
    plan: &'p Plan,
    keys: &PublicKeys,
    request: &Request,
    monitor: &dyn Monitor,
) -> Result<Witness<'p>, UserError> {
    if plan.digests.is_empty() {
        return Err(UserError::new(
            "the source holds no digest of the time, accounts and Regions asked for",
            "leave out --verify-digests, or copy the `CloudTrail-Digest` folders too and switch on the trail's log file \
             validation",
        ));
    }
    let readers = readers()?;
    let mut walk = Walk {
        store,
        keys,
        request,
        witness: Witness::new(plan.objects.iter().map(|entry| entry.key.as_str())),
        chain: None,
        ends: BTreeMap::new(),
    };
    monitor.begin("verifying digests", plan.digests.len() as u64, plan.digests.iter().map(|one| one.size_bytes).sum());
    let mut order: Vec<(Option<Place<'_>>, &Entry)> =
        plan.digests.iter().map(|entry| (Place::parse(&entry.key), entry)).collect();
    order.sort_by(|a, b| Reverse(&a.0).cmp(&Reverse(&b.0)).then(b.1.key.cmp(&a.1.key)));
    for batch in order.chunks(BATCH) {
        let entries: Vec<&Entry> = batch.iter().map(|(_, entry)| *entry).collect();
        let digests = read_digests(&readers, store, &entries, monitor);
        for ((place, entry), digest) in batch.iter().zip(&digests) {
            walk.take(place.as_ref(), &entry.key, digest.as_ref());
        }
    }
    monitor.end();
    Ok(walk.finish())
}

/// Who reads digests.
///
/// # Errors
/// When the system starts no threads.
pub(super) fn readers() -> Result<Workers, UserError> {
    Workers::start(Effort { jobs: READERS, memory_bytes: 0 })
}

/// Digests in the order of their entries, or why they cannot be read.
pub(super) fn read_digests(
    readers: &Workers,
    store: &dyn Store,
    entries: &[&Entry],
    monitor: &dyn Monitor,
) -> Vec<Result<Digest, String>> {
    hands::map(readers, entries, |entry| {
        let digest = read_digest(store, &entry.key);
        monitor.step(entry.size_bytes);
        digest
    })
}

fn read_digest(store: &dyn Store, key: &str) -> Result<Digest, String> {
    let mut bytes = Vec::new();
    store.get(key, &mut bytes).map_err(|error| error.to_string())?;
    let mut inflater = Inflater::new(DIGEST_BYTES);
    let plain = inflater.inflate(&bytes).map_err(|error| error.to_string())?;
    Digest::parse(plain.bytes()).map_err(|error| error.to_string())
}

/// A bucket keeps a digest's signature as `x-amz-meta-signature`.
fn signature(store: &dyn Store, key: &str) -> Kept {
    match store.metadata(key).map(|mut metadata| metadata.remove("signature")) {
        Ok(Some(signature)) => Kept::Signature(signature),
        Ok(None) if store.remote().is_some() => Kept::Nothing,
        Ok(None) => Kept::NotKept,
        Err(_) => Kept::NotTold,
    }
}

/// The walk through all chains.
struct Walk<'a, 'p> {
    store: &'a dyn Store,
    keys: &'a PublicKeys,
    request: &'a Request,
    witness: Witness<'p>,
    chain: Option<(Place<'p>, Chain)>,
    /// The newest proven digest of each chain.
    ends: BTreeMap<(&'p str, &'p str), (Place<'p>, Time)>,
}

impl<'p> Walk<'_, 'p> {
    fn take(&mut self, place: Option<&Place<'p>>, key: &str, read: Result<&Digest, &String>) {
        self.witness.digests.digests.read += 1;
        let standing = match place {
            Some(place) => self.judge(place, read.ok()),
            None => Standing::Unreadable,
        };
        let digests = &mut self.witness.digests;
        if standing == Standing::Proven {
            digests.digests.verified += 1;
        } else {
            *digests.digests.unverified.entry(standing.word().to_owned()).or_default() += 1;
            let why = read.err().map(|why| format!("{}: {}", standing.word(), limits::cut(why)));
            list(&mut digests.doubted_digests, key, why.as_deref().unwrap_or(standing.word()));
        }
        if let Ok(digest) = read {
            self.hear(key, digest, standing);
        }
    }

    fn judge(&mut self, place: &Place<'p>, digest: Option<&Digest>) -> Standing {
        let same = |(first, _): &(Place<'_>, Chain)| (first.chain, first.backfill) == (place.chain, place.backfill);
        if !self.chain.as_ref().is_some_and(same) {
            self.close();
            self.chain = Some((place.clone(), Chain::default()));
        }
        let (store, keys) = (self.store, self.keys);
        let Some((_, chain)) = &mut self.chain else { return Standing::Unreadable };
        chain.judge(place, digest, keys, || signature(store, place.key))
    }

    /// What a digest says of the objects.
    fn hear(&mut self, key: &str, digest: &Digest, standing: Standing) {
        let proof = match standing {
            Standing::Proven => Proof::Proven,
            Standing::SignatureUnknown | Standing::KeyUnknown | Standing::SignatureMissing => Proof::Unproven,
            Standing::Unreadable | Standing::Moved | Standing::Altered => Proof::Refuted,
        };
        if standing == Standing::Proven {
            let place = ObjectKey::parse(key);
            let day = place.account.zip(place.delivered);
            self.witness.digests.days.extend(day);
            if !self.witness.digests.buckets.contains(&digest.bucket) {
                self.witness.digests.buckets.insert(digest.bucket.clone());
            }
        }
        let root = Root::of(key, &digest.object);
        for log in &digest.logs {
            // What lies in another part of the bucket cannot be here.
            let place = root.and_then(|root| root.key_of(&log.object));
            let named = place.as_ref().is_some_and(|place| self.witness.expect(place, proof, log.hash));
            let missing = place.unwrap_or_else(|| log.object.clone());
            if !named && proof > Proof::Refuted && asks_for(self.request, &ObjectKey::parse(&missing)) {
                self.witness.miss(missing);
            }
        }
    }

    fn close(&mut self) {
        let Some((place, chain)) = self.chain.take() else { return };
        if let Some(end) = chain.proven_until.filter(|_| !place.backfill) {
            self.ends.insert(place.chain, (place.clone(), end));
        }
        for gap in chain.gaps(self.request.since, self.request.until) {
            self.witness.digests.digests.missing += u64::from(gap.cause == Cause::Missing);
            self.witness.digests.gaps.push(gap_of(&place, gap));
        }
    }

    fn finish(mut self) -> Witness<'p> {
        self.close();
        self.note_ends();
        self.witness.digests.gaps.sort_by(|a, b| {
            (a.account_id, &a.region, a.from, a.until, &a.reason).cmp(&(
                b.account_id,
                &b.region,
                b.from,
                b.until,
                &b.reason,
            ))
        });
        self.witness.digests.doubted_digests.sort();
        self.witness
    }

    /// Chains that ended before the others did, with no other of their account and Region that goes on.
    fn note_ends(&mut self) {
        let newest = self.ends.values().map(|(_, end)| *end).max();
        let until = newest.map(|newest| self.request.until.map_or(newest, |until| until.min(newest)));
        let mut last: BTreeMap<_, (&Place<'_>, Time)> = BTreeMap::new();
        for (place, end) in self.ends.values() {
            let key = ObjectKey::parse(place.key);
            let known = last.entry((key.account, key.region.map(str::to_owned))).or_insert((place, *end));
            if known.1 < *end {
                *known = (place, *end);
            }
        }
        for (place, end) in last.into_values() {
            let late = until.is_some_and(|until| end + TimeDelta::hours(LATE_HOURS) < until);
            // Digests after it that are not proven make a gap of their own.
            if late && place.end <= end {
                let key = ObjectKey::parse(place.key);
                self.witness.digests.gaps.push(DigestGap {
                    account_id: key.account,
                    region: key.region.map(str::to_owned),
                    from: Some(end),
                    until: None,
                    reason: "chain_ends".to_owned(),
                    digest: None,
                    hole: true,
                });
            }
        }
    }
}

fn gap_of(place: &Place<'_>, gap: Gap) -> DigestGap {
    let key = ObjectKey::parse(place.key);
    let reason = match gap.cause {
        Cause::NotProven(standing) => format!("digest_{}", standing.word()),
        Cause::Missing => "digest_missing".to_owned(),
        Cause::Restarted => "chain_restarted".to_owned(),
    };
    DigestGap {
        account_id: key.account,
        region: key.region.map(str::to_owned),
        from: gap.from,
        until: Some(gap.until),
        reason,
        digest: gap.digest,
        hole: gap.hides,
    }
}
