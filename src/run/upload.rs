//! Writes all files of a run to a bucket, the manifest last.
//!
//! A bucket has no rename: while a run is written, its files stand beside those of the run before. So a mark takes the
//! place of the old manifest before anything else is written, and names all that may be there. Then come the files; then
//! what only earlier runs had is taken away, because an old proposal beside a new report is as good as a wrong one; then
//! `run.json`, which names the files that belong together, with their digests. A run that breaks off leaves the mark.
//!
//! Tables of a whole run before that are there as they would be written stay: a nightly run replaces the files of the days that
//! changed, and no others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::evidence::hands;
use crate::report::OutputFile;
use crate::store::{KeyRange, Store, StoreError};

use super::UserError;
use super::inputs::sha256;
use super::output::{MANIFEST, OWN, Others, TABLES, is_manifest};
use super::spool::{Spool, Spooled};
use super::workers::{Effort, Workers, disk};

/// Objects that are written at a time.
const AT_A_TIME: usize = 16;
/// Largest file that goes together with others.
const AT_ONCE_BYTES: u64 = 4 << 20;
/// In this order, and after all others: who sees the last one finds all that it speaks of.
const LAST: [&str; 2] = ["report.json", MANIFEST];
const SCHEMA: &str = "thirdtrail.run/1";
/// In a manifest: files of earlier runs that are still there; in the mark of an unfinished run, all that may be there.
const LEFT_OVER: &str = "left_over";

/// Whether the place can take the files of a run; asked before the long work. `place` is its name.
///
/// # Errors
/// It cannot be listed, or holds objects of others that are not to stay.
pub fn check(store: &dyn Store, place: &str, others: Others) -> Result<(), UserError> {
    let level = store.level("").map_err(|error| wrong(place, "list", &error))?;
    let folders = level.folders.iter().map(|folder| folder.trim_end_matches('/'));
    let names: Vec<&str> = folders.chain(level.objects.iter().map(|entry| entry.key.as_str())).collect();
    // Others have folders named `roles` too: only `run.json` shows that a run wrote here.
    let is_ours = names.is_empty() || manifest(store, place)?.is_some();
    match names.iter().find(|name| !is_ours || !OWN.contains(name)) {
        Some(name) if others == Others::Refused => Err(UserError::new(
            format!("output place `{place}` holds `{name}`, which thirdtrail did not write"),
            "give a prefix with nothing under it with --out, or name it once more with --overwrite: what is not an output stays",
        )),
        _ => Ok(()),
    }
}

/// The manifest that is there, if there is one.
fn manifest(store: &dyn Store, place: &str) -> Result<Option<Value>, UserError> {
    let mut bytes = Vec::new();
    match store.get(MANIFEST, &mut bytes) {
        Ok(()) => Ok(serde_json::from_slice(&bytes).ok().filter(|_| is_manifest(&bytes))),
        Err(StoreError::Missing) => Ok(None),
        Err(error) => Err(wrong(place, "read `run.json` at", &error)),
    }
}

/// The files that a manifest tells of; a stranger may have written it, so none but such as a run writes.
pub(super) fn told(manifest: &Value) -> BTreeSet<String> {
    let list = |name: &str| manifest.get(name).and_then(Value::as_array).into_iter().flatten();
    let paths = list("files").filter_map(|file| file.get("path")).chain(list(LEFT_OVER)).filter_map(Value::as_str);
    let is_own = |path: &&str| *path != MANIFEST && path.split('/').next().is_some_and(|top| OWN.contains(&top));
    paths.filter(is_own).map(str::to_owned).collect()
}

/// Writes the files, and answers which files of earlier runs could not be taken away.
///
/// # Errors
/// When one cannot be written; the mark of an unfinished run is then there instead of a manifest.
pub fn write(store: &dyn Store, place: &str, files: &[OutputFile], large: &Spool) -> Result<Vec<String>, UserError> {
    let hands = Workers::start(Effort { jobs: AT_A_TIME, memory_bytes: 0 })?;
    let put = |path: &str, bytes: &[u8]| store.put(path, bytes).map_err(|error| wrong(place, "write to", &error));
    let earlier = manifest(store, place)?;
    let unchanged = Unchanged::of(store, place, earlier.as_ref())?;
    let earlier = earlier.map_or_else(BTreeSet::new, |earlier| told(&earlier));
    let large_paths = large.files.iter().map(|file| file.path.as_str());
    let new: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).chain(large_paths).collect();
    let all: BTreeSet<&str> = earlier.iter().map(String::as_str).chain(new.iter().copied()).collect();
    put(MANIFEST, json!({"schema": SCHEMA, "unfinished": true, LEFT_OVER: all}).to_string().as_bytes())?;

    let (last, first): (Vec<&OutputFile>, Vec<&OutputFile>) =
        files.iter().partition(|file| LAST.contains(&file.path.as_str()));
    let small = |file: &&OutputFile| match unchanged.is(&file.path, file.bytes.len() as u64, || sha256(&file.bytes)) {
        true => Ok(()),
        false => put(&file.path, &file.bytes),
    };
    let done = hands::map(&hands, &first, small);
    done.into_iter().collect::<Result<(), _>>()?;
    let copy = |file: &Spooled| {
        if unchanged.is(&file.path, file.bytes, || file.sha256.clone()) {
            return Ok(());
        }
        let mut bytes = Vec::new();
        large.copy(file, &mut bytes).map_err(disk)?;
        put(&file.path, &bytes)
    };
    // Each is in memory while it is on its way, so that large ones go one after the other.
    let (small, huge): (Vec<&Spooled>, Vec<&Spooled>) =
        large.files.iter().partition(|file| file.bytes <= AT_ONCE_BYTES);
    hands::map(&hands, &small, |file| copy(file)).into_iter().collect::<Result<(), _>>()?;
    huge.into_iter().try_for_each(copy)?;
    let old: Vec<String> = earlier.into_iter().filter(|path| !new.contains(path.as_str())).collect();
    let stays = |path: &String| !matches!(store.remove(path), Ok(()) | Err(StoreError::Missing));
    let stay = hands::map(&hands, &old, stays);
    let left: Vec<String> = old.into_iter().zip(stay).filter_map(|(path, stays)| stays.then_some(path)).collect();
    for file in LAST.iter().flat_map(|name| last.iter().filter(move |file| file.path == *name)) {
        match file.path.as_str() {
            MANIFEST if !left.is_empty() => put(MANIFEST, &with_left_over(&file.bytes, &left))?,
            path => put(path, &file.bytes)?,
        }
    }
    Ok(left)
}

/// Tables that a whole run before wrote, and that are there with the size that it told.
struct Unchanged(BTreeMap<String, (u64, String)>);

impl Unchanged {
    fn of(store: &dyn Store, place: &str, earlier: Option<&Value>) -> Result<Self, UserError> {
        let whole = earlier.filter(|manifest| manifest.get("unfinished").is_none());
        let files = whole.and_then(|manifest| manifest.get("files")).and_then(Value::as_array);
        let Some(files) = files else { return Ok(Self(BTreeMap::new())) };
        let listed =
            store.list_range(&KeyRange::whole(TABLES.to_owned())).map_err(|error| wrong(place, "list", &error))?;
        let there: BTreeMap<&str, u64> = listed.iter().map(|entry| (entry.key.as_str(), entry.size_bytes)).collect();
        let sound = files.iter().filter_map(|file| {
            let path = file.get("path")?.as_str()?;
            let (bytes, sha256) = (file.get("bytes")?.as_u64()?, file.get("sha256")?.as_str()?);
            (there.get(path) == Some(&bytes)).then(|| (path.to_owned(), (bytes, sha256.to_owned())))
        });
        Ok(Self(sound.collect()))
    }

    fn is(&self, path: &str, bytes: u64, sha256: impl FnOnce() -> String) -> bool {
        self.0.get(path).is_some_and(|(known, sum)| *known == bytes && *sum == sha256())
    }
}

/// A manifest that also tells which files of earlier runs are still there.
fn with_left_over(manifest: &[u8], left: &[String]) -> Vec<u8> {
    let Ok(Value::Object(mut run)) = serde_json::from_slice(manifest) else { return manifest.to_vec() };
    run.insert(LEFT_OVER.to_owned(), json!(left));
    let mut bytes = serde_json::to_vec_pretty(&run).unwrap_or_else(|_| manifest.to_vec());
    bytes.push(b'\n');
    bytes
}

fn wrong(place: &str, what: &str, error: &StoreError) -> UserError {
    let fix = error.fix().unwrap_or("check its name and your permissions").to_owned();
    UserError::new(format!("cannot {what} `{place}`: {error}"), fix)
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
