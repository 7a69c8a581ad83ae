//! An investigation: reads the output of a run, a folder or a place in a bucket, and writes the files beside nothing else.
//!
//! The trail is not opened. Of the tables only the rows of the parties asked about are turned into rows here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::aws::window::{Time, Window};
use crate::evidence::tables::columnar::{Cells, ColumnarError, Wanted, decode_where};
use crate::finding::investigate::answer::{Investigation, SCHEMA};
use crate::finding::investigate::read::{PartyRead, Reported};
use crate::finding::investigate::rows::{CALL_COLUMNS, CallRead, CallSums, SESSION_COLUMNS, SessionRead, add_call};
use crate::finding::investigate::{Asked, Known, investigate};
use crate::policy::Catalog;
use crate::policy::inventory::Inventory;
pub use crate::report::investigation::{ANSWER, PAGE};
use crate::report::investigation::{render, words};
use crate::report::{OutputFile, tables};

use super::past_run::{Manifest, PastRun, is_in, no_output, parties, range};
use super::source::AwsOptions;
use super::{UserError, inputs, output};

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

/// Answers.
///
/// # Errors
/// No output of a run, no such party, a range turned around, an inventory that cannot be read.
pub fn answer(question: &Question, aws: &AwsOptions) -> Result<Answered, UserError> {
    let past = PastRun::open(&question.out, aws)?;
    let (manifest, reported) = (past.manifest()?, past.report()?);
    let inventory = match question.inventories.as_slice() {
        [] => None,
        paths => Some(inputs::inventory(paths)?.0),
    };
    let asked = asked(question, &reported, inventory.as_ref())?;
    let (parties, roles) = asked.wanted(&reported);
    let tables = Tables { past: &past, manifest: &manifest };
    let sessions = tables.sessions(&parties, &roles)?;
    tables.check(&asked, &sessions)?;
    let calls = tables.calls(&asked.ids(), &reported, asked.range)?;
    let known = Known {
        reported: &reported,
        sessions: &sessions,
        calls: &calls,
        version: &manifest.version,
        source: &manifest.source,
    };
    let mut answer = investigate(&known, &asked, Catalog::builtin());
    let files = if question.with_files { render(&mut answer) } else { words(&answer) };
    let files = files.map_err(|error| UserError::new(error.to_string(), "this is a bug: report it"))?;
    Ok(Answered { answer, files })
}

fn asked<'a>(
    question: &Question,
    reported: &'a Reported,
    inventory: Option<&'a Inventory>,
) -> Result<Asked<'a>, UserError> {
    let parties = parties(reported, &question.party)?;
    let range = range(reported, question.since, question.until)?;
    Ok(Asked {
        parties,
        range,
        revoke_before: question.revoke_before.unwrap_or(range.until),
        inventory,
        show_external_ids: question.show_external_ids,
    })
}

/// Which rows of the tables are wanted.
struct Tables<'a> {
    past: &'a PastRun,
    manifest: &'a Manifest,
}

impl Tables<'_> {
    fn sessions(&self, parties: &BTreeSet<String>, roles: &BTreeSet<String>) -> Result<Vec<SessionRead>, UserError> {
        let mut found = Vec::new();
        let wanted = [Wanted { column: "party_id", texts: parties }, Wanted { column: "role_arn", texts: roles }];
        self.past.rows((tables::SESSIONS.name, self.manifest), &SESSION_COLUMNS, &wanted, |_, row| found.push(row))?;
        Ok(found)
    }

    /// The calls of parties in a range of time.
    fn calls(&self, parties: &BTreeSet<String>, reported: &Reported, range: Window) -> Result<CallSums, UserError> {
        let mut sums = CallSums::new();
        let columns: Vec<&str> = CALL_COLUMNS.into_iter().chain(["party_id", "hand_off"]).collect();
        let wants = |cells: &Cells<'_>, row: usize| {
            let is_theirs = cells.text("party_id", row).is_some_and(|party| parties.contains(party));
            is_theirs && cells.flag("hand_off", row) == Some(false) && is_in(range, cells, row)
        };
        for (account, path) in self.past.calls(self.manifest, reported, range)? {
            let read = decode_where(tables::SCHEMA, &columns, wants, self.past.get(&path)?, |rows: Vec<CallRead>| {
                rows.into_iter().for_each(|row| add_call(&mut sums, &account, row));
                Ok::<_, ColumnarError>(())
            });
            read.map_err(|error| self.past.bad_file(&path, &error))?;
        }
        Ok(sums)
    }

    /// A table that is missing must not look like a party that did nothing.
    fn check(&self, asked: &Asked<'_>, sessions: &[SessionRead]) -> Result<(), UserError> {
        let lacks = |party: &&&PartyRead| party.sessions > 0 && !sessions.iter().any(|row| row.party_id == party.id);
        let Some(party) = asked.parties.iter().find(lacks) else { return Ok(()) };
        let reason = format!("report.json counts sessions of `{}`, but parquet/sessions holds none", party.id);
        Err(no_output(&self.past.shown, &reason))
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
