//! `--pack`: the evidence pack of a run, one zip file that is the same whenever the same inputs are run again.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::evidence::coverage::{Coverage, object_digest};
use crate::report::pack::{self, Input, MANIFEST, OBJECTS, Origin, SCHEMA};
use crate::report::{OutputFile, RenderError};
use crate::store::{Entry, Store, StoreError};

use super::UserError;
use super::analyze::{Options, Outcome, not_rendered};
use super::inputs::{Sum, sha256};
use super::ledger::{facts, files};
use super::output::{self, Others, TABLES, open_to_readers};
use super::plan::Plan;
use super::source::{AwsOptions, BucketPlace, in_bucket, open_to_write};
use super::spool::Spool;

/// What is refused of a place that holds something else than a pack.
const FOREIGN: &str = "is there, and thirdtrail did not write it";
/// The most that the manifest of a pack can be, to be looked at.
const MANIFEST_BYTES: u64 = 64 << 20;
/// What a zip file cannot tell of larger files without an extension.
const LARGE_BYTES: u64 = u32::MAX as u64;

/// Where a pack goes, checked before the long work.
pub enum PackTarget {
    /// A file.
    File(PathBuf),
    /// An object: its store, its key there, and its name for people.
    Object(Box<dyn Store>, String, String),
}

impl PackTarget {
    /// The target that a user names; `out` is where the outputs go.
    ///
    /// # Errors
    /// It is a folder, lies among the outputs, is somebody else's file that is not to be replaced, or cannot be reached.
    pub fn open(pack: &Path, out: &Path, others: Others, aws: &AwsOptions) -> Result<Self, UserError> {
        let place = pack.to_string_lossy();
        let refuse = |what: &str, help: &str| Err(UserError::new(format!("the pack `{place}` {what}"), help));
        let among = "lies among the outputs, which are replaced as a whole";
        if let Some(found) = in_bucket(&place)? {
            let (folder, name) = found.path.rsplit_once('/').unwrap_or(("", found.path));
            if name.is_empty() {
                return refuse("names no object", "write it as `s3://bucket/name.zip`");
            }
            if place.starts_with(&format!("{}/", out.to_string_lossy().trim_end_matches('/'))) {
                return refuse(among, "name a place beside --out");
            }
            let store = open_to_write(&place, BucketPlace { path: folder, ..found }, aws)?;
            let mut bytes = Vec::new();
            let is_free = match store.get(name, &mut bytes) {
                Ok(()) => is_pack(Cursor::new(bytes)),
                Err(StoreError::Missing) => true,
                // Whatever it is, it cannot be told from somebody else's.
                Err(_) => false,
            };
            if others == Others::Refused && !is_free {
                return refuse(FOREIGN, "give another name, or name it once more with --overwrite");
            }
            return Ok(Self::Object(Box::new(store), name.to_owned(), place.into_owned()));
        }
        if lies_in(pack, out) {
            return refuse(among, "name a file beside --out");
        }
        if pack.is_dir() || pack.file_name().is_none() {
            return refuse("is a folder", "name a file, such as `evidence.zip`");
        }
        if pack.ancestors().skip(1).any(Path::is_file) {
            return refuse("lies in a file", "name one in a folder");
        }
        if pack.exists() && !pack.is_file() {
            return refuse("is no file of its own", "name a file, such as `evidence.zip`");
        }
        let is_free = match fs::File::open(pack) {
            Ok(file) => is_pack(file),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if others == Others::Refused && !is_free {
            return refuse(FOREIGN, "give another name, or name it once more with --overwrite");
        }
        Ok(Self::File(pack.to_owned()))
    }

    /// For people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Object(_, _, place) => place.clone(),
        }
    }

    /// Writes the pack of a run, and answers with its SHA-256; the old one is there until the new one is whole.
    ///
    /// # Errors
    /// When the disk or the bucket refuses.
    pub fn write(&self, outcome: &Outcome, source: &str, options: &Options) -> Result<String, UserError> {
        let packed = Packed::of(outcome, source, options).map_err(not_rendered)?;
        let refused = |error: &dyn std::fmt::Display| {
            UserError::new(
                format!("cannot write the pack `{}`: {error}", self.place()),
                "check the room and permissions there",
            )
        };
        match self {
            Self::Object(store, name, _) => {
                let mut bytes = Cursor::new(Vec::new());
                packed.zip(&mut bytes).map_err(|error| refused(&error))?;
                let bytes = bytes.into_inner();
                store.put(name, &bytes).map_err(|error| refused(&error))?;
                Ok(sha256(&bytes))
            }
            Self::File(path) => write_file(path, &packed).map_err(|error| refused(&error)),
        }
    }
}

/// Whether a path leads to a folder or below it.
#[must_use]
pub fn lies_in(path: &Path, folder: &Path) -> bool {
    whole(path).starts_with(whole(folder))
}

/// The place that a path leads to, as far as it is there already.
fn whole(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = path.ancestors().find_map(|above| Some((above.canonicalize().ok()?, path.strip_prefix(above).ok()?)));
    known.map_or_else(|| path.clone(), |(above, rest)| above.join(rest))
}

fn write_file(path: &Path, packed: &Packed<'_>) -> std::io::Result<String> {
    let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let mut fresh = tempfile::Builder::new().prefix(".thirdtrail-").tempfile_in(parent)?;
    packed.zip(fresh.as_file_mut())?;
    fresh.as_file_mut().rewind()?;
    let mut sum = Sum::default();
    let mut piece = vec![0; 1 << 16];
    while let read @ 1.. = fresh.as_file_mut().read(&mut piece)? {
        sum.add(piece.get(..read).unwrap_or_default());
    }
    open_to_readers(fresh.path(), 0o644)?;
    fresh.persist(path).map_err(|error| error.error)?;
    Ok(sum.hex())
}

/// Whether this is a pack that a run wrote.
fn is_pack(file: impl Read + Seek) -> bool {
    let Ok(mut archive) = ZipArchive::new(file) else { return false };
    let Ok(manifest) = archive.by_name(MANIFEST) else { return false };
    let read: Result<Value, _> = serde_json::from_reader(manifest.take(MANIFEST_BYTES));
    read.is_ok_and(|manifest| manifest.get("schema").and_then(Value::as_str) == Some(SCHEMA))
}

/// The files of a pack, the list of objects apart: outputs of the run, and those made for the pack.
struct Packed<'a> {
    outputs: Vec<&'a OutputFile>,
    own: Vec<OutputFile>,
    objects: &'a Spool,
}

impl<'a> Packed<'a> {
    fn of(outcome: &'a Outcome, source: &str, options: &Options) -> Result<Self, RenderError> {
        let facts = facts(outcome, source, options);
        // It tells of times and memory, too, and is not packed.
        let outputs = outcome.files.iter().filter(|file| file.path != output::MANIFEST);
        let (left_out, outputs): (Vec<&OutputFile>, Vec<&OutputFile>) =
            // Too large to be packed.
            outputs.partition(|file| file.path.starts_with(TABLES));
        let left_out = files(left_out, &outcome.activity);
        let manifest = pack::manifest(&outcome.assessment, &facts, &left_out)?;
        let listed = outcome.objects.files.first();
        let mut sums: BTreeMap<&str, String> =
            outputs.iter().copied().chain([&manifest]).map(|file| (file.path.as_str(), sha256(&file.bytes))).collect();
        sums.extend(listed.map(|file| (file.path.as_str(), file.sha256.clone())));
        let sums = pack::sums(sums.iter().map(|(path, sum)| (*path, sum.as_str())));
        let origin = Origin {
            source,
            options: facts.get("options").and_then(Value::as_object),
            inputs: outcome.inputs.iter().map(|one| Input::new(&one.path, one.bytes, &one.sha256)).collect(),
            objects: listed.map(|one| Input::new(&one.path, one.bytes, &one.sha256)),
            keep: &outcome.keep,
            suppressions: &outcome.suppressions,
            left_out: left_out.len() as u64,
        };
        let has = |path: &str| outputs.iter().any(|file| file.path == path);
        let page = pack::sign_off(&outcome.assessment, &origin, &sha256(&sums.bytes), &has)?;
        Ok(Self { outputs, own: vec![manifest, sums, page], objects: &outcome.objects })
    }

    /// Puts the files in one, in the order of their paths.
    fn zip(&self, to: impl Write + Seek) -> std::io::Result<()> {
        let options = |bytes: u64| {
            SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(6))
                // Not the clock's: equal contents are to give equal bytes.
                .last_modified_time(DateTime::default())
                .unix_permissions(0o644)
                .large_file(bytes >= LARGE_BYTES)
        };
        let mut zip = ZipWriter::new(to);
        let mut small: Vec<&OutputFile> = self.outputs.iter().copied().chain(&self.own).collect();
        small.sort_by(|a, b| a.path.cmp(&b.path));
        for file in small {
            zip.start_file(file.path.as_str(), options(file.bytes.len() as u64))?;
            zip.write_all(&file.bytes)?;
        }
        for file in &self.objects.files {
            zip.start_file(file.path.as_str(), options(file.bytes))?;
            self.objects.copy(file, &mut zip)?;
        }
        zip.finish()?;
        Ok(())
    }
}

/// The list of the objects that a run read or could not read.
///
/// # Errors
/// When the disk refuses.
pub(super) fn objects(plan: &Plan, coverage: &Coverage) -> std::io::Result<Spool> {
    let mut entries: Vec<&Entry> = plan.objects.iter().collect();
    entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let mut spool = Spool::default();
    spool.add(OBJECTS, |to| {
        to.write_all(&pack::object_header())?;
        for entry in entries {
            let read = coverage.objects.get(&object_digest(&entry.key));
            let problem = coverage.failed.get(&entry.key).map_or("", String::as_str);
            let sum = read.and_then(|read| read.sha256).map(|sum| sum.to_string()).unwrap_or_default();
            to.write_all(&pack::object_line(
                &entry.key,
                entry.size_bytes,
                &sum,
                read.map(|read| read.records),
                problem,
            ))?;
        }
        Ok(())
    })?;
    Ok(spool)
}
