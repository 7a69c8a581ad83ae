//! The output of a run, read back: its manifest, its report and its tables, from a folder or a place in a bucket.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::aws::window::{Time, Window, midnight, rfc3339};
use crate::evidence::tables::columnar::{Cells, Wanted, decode_wanted};
use crate::finding::investigate::read::{PartyRead, Reported};
use crate::finding::investigate::who::{Nobody, meant};
use crate::report::activity::day_of;
use crate::report::tables;
use crate::store::{KeyRange, Store, StoreError};

use super::UserError;
use super::inputs::sha256;
use super::source::{AwsOptions, in_bucket, open};

const MANIFEST: &str = "run.json";
/// Form of the manifests that can be read.
const RUN_SCHEMA: &str = "thirdtrail.run/1";

/// What `run.json` tells.
#[derive(Deserialize)]
pub struct Manifest {
    #[serde(default)]
    schema: String,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default)]
    pub(super) source: String,
    /// Whether it only marks a place that a run began to write to and did not end.
    #[serde(default)]
    unfinished: bool,
    /// The files that belong to the run.
    #[serde(default)]
    files: Vec<FileRead>,
    #[serde(default)]
    options: OptionsRead,
}

#[derive(Deserialize, Default)]
struct OptionsRead {
    /// The outputs that were asked for.
    formats: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct FileRead {
    path: String,
    /// SHA-256 in hex.
    #[serde(default)]
    sha256: String,
}

impl Manifest {
    /// The paths of the files that belong to the run.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }
}

/// The output of a run.
pub struct PastRun {
    store: Box<dyn Store>,
    /// Its name, for people.
    pub(super) shown: String,
}

impl PastRun {
    /// Opens it; nothing is read yet.
    pub(super) fn open(out: &str, aws: &AwsOptions) -> Result<Self, UserError> {
        Ok(Self { store: open(&place(out)?, aws)?, shown: out.to_owned() })
    }

    /// The output at a place, if a run wrote there, or began to.
    ///
    /// # Errors
    /// The place cannot be read.
    pub fn find(out: &str, aws: &AwsOptions) -> Result<Option<Self>, UserError> {
        if in_bucket(out)?.is_none() && !Path::new(out).is_dir() {
            return Ok(None);
        }
        let past = Self::open(out, aws)?;
        match past.store.get(MANIFEST, &mut Vec::new()) {
            Ok(()) => Ok(Some(past)),
            Err(StoreError::Missing) => Ok(None),
            Err(error) => {
                let fix = error.fix().unwrap_or("check its name and your permissions").to_owned();
                Err(UserError::new(format!("cannot read `{MANIFEST}` in `{out}`: {error}"), fix))
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Result<Vec<u8>, UserError> {
        let mut bytes = Vec::new();
        let got = self.store.get(key, &mut bytes);
        got.map_err(|error| no_output(&self.shown, &format!("`{key}`: {error}"))).map(|()| bytes)
    }

    pub(super) fn manifest(&self) -> Result<Manifest, UserError> {
        self.whole_manifest().map(|(_, manifest)| manifest)
    }

    /// The manifest, as it was written too.
    pub(super) fn whole_manifest(&self) -> Result<(Map<String, Value>, Manifest), UserError> {
        let wrong = |reason: &str| self.no_output(&format!("`{MANIFEST}`: {reason}"));
        let whole: Map<String, Value> =
            serde_json::from_slice(&self.get(MANIFEST)?).map_err(|error| wrong(&error.to_string()))?;
        let manifest = Manifest::deserialize(&whole).map_err(|error| wrong(&error.to_string()))?;
        match manifest.schema.as_str() {
            RUN_SCHEMA if manifest.unfinished => Err(wrong("the run that wrote here broke off")),
            RUN_SCHEMA => Ok((whole, manifest)),
            "" => Err(wrong("it has no `schema`")),
            other => Err(UserError::new(
                format!(
                    "`{}` was written by another version: its run.json is `{other}`, not `{RUN_SCHEMA}`",
                    self.shown
                ),
                "analyze the trail again with this version",
            )),
        }
    }

    /// A file as the run wrote it.
    ///
    /// # Errors
    /// It is not there, or is another one.
    pub(super) fn sound(&self, path: &str, manifest: &Manifest) -> Result<Vec<u8>, UserError> {
        let bytes = self.get(path)?;
        match manifest.files.iter().find(|file| file.path == path) {
            Some(file) if file.sha256 == sha256(&bytes) => Ok(bytes),
            Some(_) => Err(self.no_output(&format!("`{path}` is not the file that run.json tells of: it was changed"))),
            None => Err(self.no_output(&format!("run.json tells of no `{path}`"))),
        }
    }

    pub(super) fn report(&self) -> Result<Reported, UserError> {
        let bytes = self.get("report.json")?;
        Reported::read(&bytes).map_err(|error| no_output(&self.shown, &format!("`report.json`: {error}")))
    }

    /// The files of a table that the manifest tells of: each with the account that it lies under.
    ///
    /// # Errors
    /// When one of them is not there: its rows would look like silence.
    pub(super) fn files(&self, table: &str, manifest: &Manifest) -> Result<Vec<(String, String)>, UserError> {
        if manifest.options.formats.as_ref().is_some_and(|formats| !formats.iter().any(|one| one == "parquet")) {
            let what = format!("the run in `{}` wrote no tables: it was asked for other formats", self.shown);
            return Err(UserError::new(what, "analyze again with `parquet` among --format"));
        }
        let prefix = format!("parquet/{table}/");
        let listed = self.store.list_range(&KeyRange::whole(prefix.clone()));
        let listed = listed.map_err(|error| no_output(&self.shown, &error.to_string()))?;
        let there: BTreeSet<&str> = listed.iter().map(|entry| entry.key.as_str()).collect();
        let written = manifest.files.iter().map(|file| file.path.as_str()).filter(|path| path.starts_with(&prefix));
        let account = |path: &str| {
            let folder = path.strip_prefix(&prefix).and_then(|rest| rest.split('/').next());
            folder.and_then(|folder| folder.strip_prefix("account_id=")).unwrap_or_default().to_owned()
        };
        let file = |path: &str| match there.contains(path) {
            true => Ok((account(path), path.to_owned())),
            false => Err(no_output(&self.shown, &format!("`{path}`, which run.json tells of, is not there"))),
        };
        written.map(file).collect()
    }

    /// The files of the table `activity` that may hold calls of a range of time; one whose name tells no day may.
    ///
    /// # Errors
    /// As [`Self::files`]; and when there should be calls and are none: a run of a version that wrote no such table must
    /// not look like a quiet one.
    pub(super) fn calls(
        &self,
        manifest: &Manifest,
        reported: &Reported,
        range: Window,
    ) -> Result<Vec<(String, String)>, UserError> {
        let files = self.files(tables::ACTIVITY.name, manifest)?;
        if files.is_empty() && reported.parties.iter().any(|party| party.calls > 0) {
            let reason = "report.json counts calls, but there is no table of them: it was written by an older version";
            return Err(no_output(&self.shown, reason));
        }
        let may_hold = |path: &str| {
            let Some(day) = day_of(path) else { return true };
            let ends = day.succ_opt().map(midnight);
            midnight(day) < range.until && ends.is_none_or(|ends| range.since < ends)
        };
        Ok(files.into_iter().filter(|(_, path)| may_hold(path)).collect())
    }

    /// The rows of a table that are wanted, with the account that they lie under.
    pub(super) fn rows<T: DeserializeOwned>(
        &self,
        (table, manifest): (&str, &Manifest),
        columns: &[&str],
        wanted: &[Wanted<'_>],
        mut add: impl FnMut(&str, T),
    ) -> Result<(), UserError> {
        for (account, path) in self.files(table, manifest)? {
            let rows = decode_wanted::<T>(tables::SCHEMA, columns, wanted, self.get(&path)?);
            rows.map_err(|error| self.bad_file(&path, &error))?.into_iter().for_each(|row| add(&account, row));
        }
        Ok(())
    }

    /// Something else in it that cannot be read.
    pub(super) fn no_output(&self, reason: &dyn std::fmt::Display) -> UserError {
        no_output(&self.shown, &reason.to_string())
    }

    /// A file of it that cannot be read.
    pub(super) fn bad_file(&self, path: &str, error: &dyn std::fmt::Display) -> UserError {
        no_output(&self.shown, &format!("`{path}`: {error}"))
    }
}

/// In a bucket all that lies below a folder is meant, not what begins alike.
fn place(out: &str) -> Result<String, UserError> {
    if out.starts_with("s3://") {
        return Ok(format!("{}/", out.trim_end_matches('/')));
    }
    if Path::new(out).is_dir() { Ok(out.to_owned()) } else { Err(no_output(out, "it is no folder")) }
}

pub(super) fn no_output(shown: &str, reason: &str) -> UserError {
    let what = format!("cannot read the output of a run in `{shown}`: {reason}");
    UserError::new(what, "give the folder that `thirdtrail analyze --out` wrote")
}

/// Whether a row of the table `activity` lies in a range of time.
pub(super) fn is_in(range: Window, cells: &Cells<'_>, row: usize) -> bool {
    let (since, until) = (range.since.timestamp(), range.until.timestamp());
    cells.seconds("time", row).is_some_and(|seconds| since <= seconds && seconds < until)
}

/// The parties with that id or name.
pub(super) fn parties<'a>(reported: &'a Reported, wanted: &str) -> Result<Vec<&'a PartyRead>, UserError> {
    meant(&reported.parties, wanted).map_err(|nobody| unknown(wanted, &nobody))
}

/// A range of time, completed by the run's window.
pub(super) fn range(reported: &Reported, since: Option<Time>, until: Option<Time>) -> Result<Window, UserError> {
    let (since, until) = (since.unwrap_or(reported.window.since), until.unwrap_or(reported.window.until));
    Window::new(since, until).ok_or_else(|| {
        let what = format!("the range from {} to {} is empty", rfc3339(since), rfc3339(until));
        UserError::new(what, "give a --since that lies before --until")
    })
}

fn unknown(wanted: &str, nobody: &Nobody) -> UserError {
    let what = format!("no party has the id or name `{wanted}`");
    let more = if nobody.more > 0 { format!(" and {} more", nobody.more) } else { String::new() };
    match nobody.near.as_slice() {
        [] => UserError::new(what, "see the parties in report.md"),
        near => UserError::new(what, format!("near it are {}{more}", near.join(", "))),
    }
}
