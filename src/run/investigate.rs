//! An investigation: reads the output of a run, a folder or a place in a bucket, and writes the files beside nothing else.
//!
//! The trail is not opened. Of the tables only the rows of the parties asked about are turned into rows here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::aws::window::{Time, Window, rfc3339};
use crate::evidence::tables::columnar::{Wanted, decode_wanted};
use crate::finding::investigate::answer::{Investigation, SCHEMA};
use crate::finding::investigate::read::Reported;
use crate::finding::investigate::rows::{SESSION_COLUMNS, SessionRead, USAGE_COLUMNS, UsageRead};
use crate::finding::investigate::who::{Nobody, meant};
use crate::finding::investigate::{Asked, Known, investigate};
use crate::policy::Catalog;
use crate::policy::inventory::Inventory;
pub use crate::report::investigation::{ANSWER, PAGE};
use crate::report::investigation::{render, words};
use crate::report::{OutputFile, tables};
use crate::store::{KeyRange, Store};

use super::source::{AwsOptions, open};
use super::{UserError, inputs, output};

/// Form of the manifests that can be read.
const RUN_SCHEMA: &str = "thirdtrail.run/1";

/// What somebody wants to know.
#[derive(Debug, Clone)]
pub struct Question {
    /// The output of a run.
    pub out: String,
    /// Id or name of a party.
    pub party: String,
    /// From when on; the beginning of the run's window where nothing is given.
    pub since: Option<Time>,
    /// Until when; the end of the run's window where nothing is given.
    pub until: Option<Time>,
    /// Sessions opened before this are ended by the containment files; the end of the range where nothing is given.
    pub revoke_before: Option<Time>,
    /// Inventories of today.
    pub inventories: Vec<PathBuf>,
    /// Whether external ids of others may be written (S42).
    pub show_external_ids: bool,
    /// Whether containment files are wanted, and not only the page and the answer.
    pub with_files: bool,
}

/// An answer with its files.
pub struct Answered {
    /// The answer.
    pub answer: Investigation,
    /// Its files.
    pub files: Vec<OutputFile>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    schema: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    source: String,
}

/// Answers.
///
/// # Errors
/// No output of a run, no such party, a range turned around, an inventory that cannot be read.
pub fn answer(question: &Question, aws: &AwsOptions) -> Result<Answered, UserError> {
    let store = open(&place(&question.out)?, aws)?;
    let place = Place { store: &*store, shown: &question.out };
    let manifest = place.manifest()?;
    let reported = place.report()?;
    let inventory = match question.inventories.as_slice() {
        [] => None,
        paths => Some(inputs::inventory(paths)?.0),
    };
    let asked = asked(question, &reported, inventory.as_ref())?;
    let (parties, roles) = asked.wanted(&reported);
    let sessions = place.sessions(&parties, &roles)?;
    let usage = place.usage(&asked.ids())?;
    place.check_tables(&asked, &sessions, &usage)?;
    let known = Known {
        reported: &reported,
        sessions: &sessions,
        usage: &usage,
        version: &manifest.version,
        source: &manifest.source,
    };
    let mut answer = investigate(&known, &asked, Catalog::builtin());
    let files = if question.with_files { render(&mut answer) } else { words(&answer) };
    let files = files.map_err(|error| UserError::new(error.to_string(), "this is a bug: report it"))?;
    Ok(Answered { answer, files })
}

/// In a bucket all that lies below a folder is meant, not what begins alike.
fn place(out: &str) -> Result<String, UserError> {
    if out.starts_with("s3://") {
        return Ok(format!("{}/", out.trim_end_matches('/')));
    }
    if Path::new(out).is_dir() { Ok(out.to_owned()) } else { Err(no_output(out, "it is no folder")) }
}

fn no_output(shown: &str, reason: &str) -> UserError {
    let what = format!("cannot read the output of a run in `{shown}`: {reason}");
    UserError::new(what, "give the folder that `thirdtrail analyze --out` wrote")
}

fn asked<'a>(
    question: &Question,
    reported: &'a Reported,
    inventory: Option<&'a Inventory>,
) -> Result<Asked<'a>, UserError> {
    let parties = meant(&reported.parties, &question.party).map_err(|nobody| unknown(&question.party, &nobody))?;
    let since = question.since.unwrap_or(reported.window.since);
    let until = question.until.unwrap_or(reported.window.until);
    let range = Window::new(since, until).ok_or_else(|| {
        let what = format!("the range from {} to {} is empty", rfc3339(since), rfc3339(until));
        UserError::new(what, "give a --since that lies before --until")
    })?;
    Ok(Asked {
        parties,
        range,
        revoke_before: question.revoke_before.unwrap_or(until),
        inventory,
        show_external_ids: question.show_external_ids,
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

/// The output of a run.
struct Place<'a> {
    store: &'a dyn Store,
    shown: &'a str,
}

impl Place<'_> {
    fn get(&self, key: &str) -> Result<Vec<u8>, UserError> {
        let mut bytes = Vec::new();
        let got = self.store.get(key, &mut bytes);
        got.map_err(|error| no_output(self.shown, &format!("`{key}`: {error}"))).map(|()| bytes)
    }

    fn manifest(&self) -> Result<Manifest, UserError> {
        let wrong = |reason: &str| no_output(self.shown, &format!("`run.json`: {reason}"));
        let manifest: Manifest =
            serde_json::from_slice(&self.get("run.json")?).map_err(|error| wrong(&error.to_string()))?;
        match manifest.schema.as_str() {
            RUN_SCHEMA => Ok(manifest),
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

    fn report(&self) -> Result<Reported, UserError> {
        let bytes = self.get("report.json")?;
        Reported::read(&bytes).map_err(|error| no_output(self.shown, &format!("`report.json`: {error}")))
    }

    /// The rows of a table that are wanted, with the account that they lie under.
    fn rows<T: DeserializeOwned>(
        &self,
        table: &str,
        columns: &[&str],
        wanted: &[Wanted<'_>],
        mut add: impl FnMut(&str, T),
    ) -> Result<(), UserError> {
        let prefix = format!("parquet/{table}/");
        let listed = self.store.list_range(&KeyRange::whole(prefix.clone()));
        for entry in listed.map_err(|error| no_output(self.shown, &error.to_string()))? {
            let Some(rest) = entry.key.strip_prefix(&prefix).filter(|rest| rest.ends_with(".parquet")) else {
                continue;
            };
            let account = rest.split('/').next().and_then(|part| part.strip_prefix("account_id=")).unwrap_or_default();
            let bytes = self.get(&entry.key)?;
            let rows = decode_wanted::<T>(tables::SCHEMA, columns, wanted, bytes);
            let rows = rows.map_err(|error| no_output(self.shown, &format!("`{}`: {error}", entry.key)))?;
            rows.into_iter().for_each(|row| add(account, row));
        }
        Ok(())
    }

    fn sessions(&self, parties: &BTreeSet<String>, roles: &BTreeSet<String>) -> Result<Vec<SessionRead>, UserError> {
        let mut found = Vec::new();
        let wanted = [Wanted { column: "party_id", texts: parties }, Wanted { column: "role_arn", texts: roles }];
        self.rows(tables::SESSIONS.name, &SESSION_COLUMNS, &wanted, |_, row| found.push(row))?;
        Ok(found)
    }

    fn usage(&self, parties: &BTreeSet<String>) -> Result<Vec<UsageRead>, UserError> {
        let mut found = Vec::new();
        let wanted = [Wanted { column: "party_id", texts: parties }];
        self.rows(tables::USAGE.name, &USAGE_COLUMNS, &wanted, |account, row: UsageRead| {
            found.push(UsageRead { account_id: account.to_owned(), ..row });
        })?;
        Ok(found)
    }

    /// A table that is missing must not look like a party that did nothing.
    fn check_tables(&self, asked: &Asked<'_>, sessions: &[SessionRead], usage: &[UsageRead]) -> Result<(), UserError> {
        for party in &asked.parties {
            let none = party.sessions > 0 && !sessions.iter().any(|row| row.party_id == party.id);
            let table = if none { Some("sessions") } else { None };
            let table =
                table.or((asked.parties.iter().any(|one| one.calls > 0) && usage.is_empty()).then_some("usage"));
            if let Some(table) = table {
                let reason = format!("report.json counts {table} of `{}`, but parquet/{table} holds none", party.id);
                return Err(no_output(self.shown, &reason));
            }
        }
        Ok(())
    }
}

/// Whether a folder can take the files of an investigation: it is new, empty, or holds nothing but an earlier one, as it
/// was written. What the scripts kept there is the way back, and is not replaced.
///
/// # Errors
/// It holds something else.
pub fn check(out: &Path) -> Result<(), UserError> {
    let shown = out.display();
    let refuse = |what: String| UserError::new(what, "give a new or empty folder with --out");
    if out.is_file() {
        return Err(refuse(format!("output folder `{shown}` is a file")));
    }
    if out.file_name().is_none() {
        return Err(refuse(format!(
            "output folder `{shown}` has no name of its own, so it cannot be replaced as a whole"
        )));
    }
    #[derive(Deserialize)]
    struct Earlier {
        schema: String,
        files: BTreeSet<String>,
    }
    let earlier: Option<Earlier> =
        fs::read(out.join(ANSWER)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let known = earlier.filter(|earlier| earlier.schema == SCHEMA).map(|earlier| earlier.files).unwrap_or_default();
    let mut folders = vec![out.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(out).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if entry.file_type().is_ok_and(|kind| kind.is_dir())
                && known.iter().any(|file| file.starts_with(&format!("{name}/")))
            {
                folders.push(path);
            } else if !known.contains(&name) {
                return Err(refuse(format!("output folder `{shown}` holds `{name}`, which thirdtrail did not write")));
            }
        }
    }
    Ok(())
}

/// Writes the files; a folder with external ids of others is its owner's alone.
///
/// # Errors
/// When the disk refuses.
pub fn write(out: &Path, files: &[OutputFile], show_external_ids: bool) -> Result<(), UserError> {
    if show_external_ids { output::write_private(out, files) } else { output::write(out, files) }
}
