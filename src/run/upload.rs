//! Writes all files of a run to a bucket, the manifest last.
//!
//! A bucket has no rename: while a run is written, its files stand beside those of the run before. `run.json` names the
//! files that belong together, with their digests, and is written when they are all there. Nothing is ever deleted: files
//! of an earlier run that the new one does not have stay, and are in no manifest.

use crate::evidence::hands;
use crate::report::OutputFile;
use crate::store::{Store, StoreError};

use super::UserError;
use super::output::{OWN, is_manifest};
use super::workers::{Effort, Workers};

/// Objects that are written at a time.
const AT_A_TIME: usize = 16;
/// In this order, and after all others: who sees the last one finds all that it speaks of.
const LAST: [&str; 2] = ["report.json", "run.json"];

/// Whether the place can take the files of a run; asked before the long work. `place` is its name.
///
/// # Errors
/// It cannot be listed, or holds objects of others.
pub fn check(store: &dyn Store, place: &str) -> Result<(), UserError> {
    let level = store.level("").map_err(|error| wrong(place, "list", &error))?;
    let folders = level.folders.iter().map(|folder| folder.trim_end_matches('/'));
    let names: Vec<&str> = folders.chain(level.objects.iter().map(|entry| entry.key.as_str())).collect();
    // Others have folders named `roles` too: only `run.json` shows that a run wrote here.
    let mut manifest = Vec::new();
    let is_ours = names.is_empty() || store.get("run.json", &mut manifest).is_ok() && is_manifest(&manifest);
    match names.iter().find(|name| !is_ours || !OWN.contains(name)) {
        None => Ok(()),
        Some(name) => Err(UserError::new(
            format!("output place `{place}` holds `{name}`, which thirdtrail did not write"),
            "give a prefix with nothing under it with --out",
        )),
    }
}

/// Writes the files.
///
/// # Errors
/// When one cannot be written; the manifest is then the old one, if there was one.
pub fn write(store: &dyn Store, place: &str, files: &[OutputFile]) -> Result<(), UserError> {
    let hands = Workers::start(Effort { jobs: AT_A_TIME, memory_bytes: 0 })?;
    let (last, first): (Vec<&OutputFile>, Vec<&OutputFile>) =
        files.iter().partition(|file| LAST.contains(&file.path.as_str()));
    let put = |file: &&OutputFile| store.put(&file.path, &file.bytes).map_err(|error| wrong(place, "write to", &error));
    hands::map(&hands, &first, put).into_iter().collect::<Result<(), _>>()?;
    LAST.iter().flat_map(|name| last.iter().filter(move |file| file.path == *name)).try_for_each(put)
}

fn wrong(place: &str, what: &str, error: &StoreError) -> UserError {
    let fix = error.fix().unwrap_or("check its name and your permissions").to_owned();
    UserError::new(format!("cannot {what} `{place}`: {error}"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::recording::RecordingStore;
    use crate::store::{Entry, Store};
    use std::sync::Mutex;

    /// Writes down the order, and refuses one key.
    #[derive(Default)]
    struct Ordered {
        written: Mutex<Vec<String>>,
        refused: &'static str,
    }

    impl Store for Ordered {
        fn list(&self) -> Result<Vec<Entry>, StoreError> {
            Ok(Vec::new())
        }
        fn get(&self, _key: &str, _buffer: &mut Vec<u8>) -> Result<(), StoreError> {
            Err(StoreError::Missing)
        }
        fn put(&self, key: &str, _bytes: &[u8]) -> Result<(), StoreError> {
            if key == self.refused {
                return Err(StoreError::Denied);
            }
            self.written.lock().unwrap().push(key.to_owned());
            Ok(())
        }
    }

    fn files() -> Vec<OutputFile> {
        let names = ["run.json", "report.json", "roles/1/a.json", "report.md"];
        names.map(|name| OutputFile::new(name, b"{\"schema\":\"thirdtrail.run/1\"}".as_slice())).into()
    }

    #[test]
    fn the_manifest_is_written_last() {
        let store = Ordered::default();
        write(&store, "s3://b/out", &files()).unwrap();
        let written = store.written.into_inner().unwrap();
        assert_eq!((written.len(), &written[2..]), (4, &["report.json".to_owned(), "run.json".to_owned()][..]));
    }

    #[test]
    fn a_run_that_cannot_be_written_whole_has_no_manifest() {
        for refused in ["roles/1/a.json", "report.json"] {
            let store = Ordered { refused, ..Ordered::default() };
            assert!(write(&store, "s3://b/out", &files()).unwrap_err().what.contains("permission denied"));
            assert!(!store.written.into_inner().unwrap().contains(&"run.json".to_owned()), "{refused}");
        }
    }

    #[test]
    fn a_place_with_objects_of_others_is_left_alone() {
        let check = |keys: &[(&str, &str)], fine: bool| {
            let store: MemoryStore =
                keys.iter().map(|(key, text)| ((*key).to_owned(), text.as_bytes().to_vec())).collect();
            let recording = RecordingStore::new(&store);
            assert_eq!(super::check(&recording, "s3://b/out").is_ok(), fine, "{keys:?}");
        };
        let ours = ("run.json", "{\"schema\":\"thirdtrail.run/1\"}");
        check(&[], true);
        check(&[ours, ("roles/1/a.json", ""), ("report.json", "")], true);
        check(&[ours, ("notes.txt", "")], false);
        check(&[("roles/1/a.json", "")], false);
        check(&[("run.json", "{}"), ("report.json", "")], false);
    }
}
