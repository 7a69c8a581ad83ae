//! The order in which a run is written to a bucket, and what is left of earlier ones.

use super::*;

fn write_small(store: &dyn Store, place: &str, files: &[OutputFile]) -> Result<Vec<String>, UserError> {
    write(store, place, files, &Spool::default())
}

use crate::store::memory::MemoryStore;
use crate::store::recording::RecordingStore;
use crate::store::{Entry, Store};
use std::sync::Mutex;

/// Writes down the order of changes, and refuses one key or to remove.
#[derive(Default)]
struct Ordered {
    behind: MemoryStore,
    done: Mutex<Vec<String>>,
    refused: &'static str,
    keeps: bool,
}

impl Ordered {
    fn done(&self) -> Vec<String> {
        std::mem::take(&mut *self.done.lock().unwrap())
    }

    fn manifest(&self) -> Value {
        manifest(self, "s3://b/out").unwrap().unwrap()
    }

    fn keys(&self) -> Vec<String> {
        self.list().unwrap().into_iter().map(|entry| entry.key).collect()
    }
}

impl Store for Ordered {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.behind.list()
    }
    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        self.behind.get(key, buffer)
    }
    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if key == self.refused {
            return Err(StoreError::Denied);
        }
        self.done.lock().unwrap().push(format!("put {key}"));
        self.behind.put(key, bytes)
    }
    fn remove(&self, key: &str) -> Result<(), StoreError> {
        if self.keeps {
            return Err(StoreError::Denied);
        }
        self.done.lock().unwrap().push(format!("remove {key}"));
        self.behind.remove(key)
    }
}

const PLACE: &str = "s3://b/out";

/// A run of that name, with some files beside those that every run has.
fn files(name: &str, more: &[&str]) -> Vec<OutputFile> {
    let all: Vec<&str> = ["report.json", "report.md"].iter().chain(more).copied().collect();
    let listed: Vec<Value> = all.iter().map(|path| json!({"path": path})).collect();
    let run = json!({"schema": SCHEMA, "name": name, "files": listed}).to_string();
    let mut files: Vec<OutputFile> = all.iter().map(|path| OutputFile::new(*path, name.as_bytes())).collect();
    files.insert(0, OutputFile::new("run.json", run.as_bytes()));
    files
}

/// A reader never sees a manifest beside files that it does not name.
#[test]
fn the_mark_is_written_first_and_the_manifest_last() {
    let store = Ordered::default();
    write_small(&store, PLACE, &files("one", &["roles/1/a.rightsized.json"])).unwrap();
    let done = store.done();
    assert_eq!((done.len(), done[0].as_str()), (5, "put run.json"));
    assert_eq!(done[3..], ["put report.json", "put run.json"]);
    assert_eq!(store.manifest()["name"], "one");

    let left = write_small(&store, PLACE, &files("two", &["roles/1/b.rightsized.json"])).unwrap();
    assert_eq!(left, [] as [String; 0]);
    let done = store.done();
    assert_eq!(done[0], "put run.json");
    assert_eq!(done[3..], ["remove roles/1/a.rightsized.json", "put report.json", "put run.json"]);
    assert_eq!(store.keys(), ["report.json", "report.md", "roles/1/b.rightsized.json", "run.json"]);
}

/// A run that breaks off leaves a mark, by which the next knows what is there.
#[test]
fn a_run_that_cannot_be_written_whole_has_no_manifest() {
    for refused in ["roles/1/b.json", "report.json"] {
        let mut store = Ordered::default();
        write_small(&store, PLACE, &files("one", &["roles/1/a.json"])).unwrap();
        store.refused = refused;
        let error = write_small(&store, PLACE, &files("two", &["roles/1/b.json"])).unwrap_err();
        assert!(error.what.contains("permission denied"));
        let mark = store.manifest();
        assert_eq!((&mark["unfinished"], &mark["files"]), (&json!(true), &Value::Null), "{refused}");
        check(&store, PLACE, Others::Refused).unwrap();
        store.refused = "";
        write_small(&store, PLACE, &files("three", &[])).unwrap();
        assert_eq!(store.keys(), ["report.json", "report.md", "run.json"], "{refused}");
    }
}

/// A run of three days of calls, each day's file with its hash in the manifest.
fn days(name: &str, texts: [&str; 3]) -> Vec<OutputFile> {
    let mut days = files(name, &[]);
    let told: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(day, text)| {
            let path = format!("parquet/activity/account_id=1/2026-05-0{}.parquet", day + 1);
            days.push(OutputFile::new(path.clone(), text.as_bytes()));
            json!({"path": path, "bytes": text.len(), "sha256": sha256(text.as_bytes())})
        })
        .collect();
    days[0].bytes = json!({"schema": SCHEMA, "name": name, "files": told}).to_string().into_bytes();
    days
}

/// The next night's run replaces the file of the day that changed; one that is gone, or that nobody vouches for because a run
/// broke off, is written again.
#[test]
fn tables_of_days_that_did_not_change_stay() {
    let mut store = Ordered::default();
    write_small(&store, PLACE, &days("one", ["a", "b", "c"])).unwrap();
    let tables =
        |store: &Ordered| store.done().into_iter().filter(|done| done.contains("parquet/")).collect::<Vec<_>>();
    assert_eq!(tables(&store).len(), 3);
    write_small(&store, PLACE, &days("two", ["a", "B", "c"])).unwrap();
    assert_eq!(tables(&store), ["put parquet/activity/account_id=1/2026-05-02.parquet"]);
    assert_eq!(store.manifest()["name"], "two");

    store.behind.remove("parquet/activity/account_id=1/2026-05-03.parquet").unwrap();
    store.behind.put("parquet/activity/account_id=1/2026-05-01.parquet", b"longer").unwrap();
    write_small(&store, PLACE, &days("three", ["a", "B", "c"])).unwrap();
    assert_eq!(tables(&store).len(), 2);
    store.refused = "report.json";
    assert!(write_small(&store, PLACE, &days("four", ["a", "B", "c"])).is_err());
    store.refused = "";
    store.done();
    write_small(&store, PLACE, &days("five", ["a", "B", "c"])).unwrap();
    assert_eq!(tables(&store).len(), 3);
    let mut bytes = Vec::new();
    store.get("parquet/activity/account_id=1/2026-05-01.parquet", &mut bytes).unwrap();
    assert_eq!(bytes, b"a");
}

/// What may not be removed is told, now and as long as it is there.
#[test]
fn files_that_cannot_be_removed_are_told() {
    let mut store = Ordered { keeps: true, ..Ordered::default() };
    write_small(&store, PLACE, &files("one", &["roles/1/a.json"])).unwrap();
    for name in ["two", "three"] {
        let left = write_small(&store, PLACE, &files(name, &[])).unwrap();
        assert_eq!(left, ["roles/1/a.json"], "{name}");
        let run = store.manifest();
        assert_eq!((&run["name"], &run["left_over"]), (&json!(name), &json!(["roles/1/a.json"])));
        assert_eq!(run.get("unfinished"), None);
    }
    store.keeps = false;
    assert_eq!(write_small(&store, PLACE, &files("four", &[])).unwrap(), [] as [String; 0]);
    assert_eq!(store.manifest().get("left_over"), None);
    assert!(!store.keys().contains(&"roles/1/a.json".to_owned()));
}

/// Whoever may write `run.json` gets nothing removed that is no file of a run.
#[test]
fn a_manifest_that_names_files_of_others_removes_none() {
    let named = json!({"schema": SCHEMA, "files": [{"path": "notes.txt"}, {"path": "roles/1/a.json"}, {"path": 7}],
        "left_over": ["../other", "run.json", "report"]});
    assert_eq!(told(&named), BTreeSet::from(["report".to_owned(), "roles/1/a.json".to_owned()]));
}

#[test]
fn a_place_with_objects_of_others_is_left_alone() {
    let check = |keys: &[(&str, &str)], fine: bool| {
        let store: MemoryStore = keys.iter().map(|(key, text)| ((*key).to_owned(), text.as_bytes().to_vec())).collect();
        let recording = RecordingStore::new(&store);
        assert_eq!(super::check(&recording, PLACE, Others::Refused).is_ok(), fine, "{keys:?}");
    };
    let ours = ("run.json", "{\"schema\":\"thirdtrail.run/1\"}");
    check(&[], true);
    check(&[ours, ("roles/1/a.json", ""), ("report.json", "")], true);
    check(&[ours, ("notes.txt", "")], false);
    check(&[("roles/1/a.json", "")], false);
    check(&[("run.json", "{}"), ("report.json", "")], false);
    let theirs: MemoryStore = [("notes.txt".to_owned(), Vec::new())].into_iter().collect();
    assert!(super::check(&theirs, PLACE, Others::Stay).is_ok());
}

/// A `run.json` that may not be read is no sign of strangers.
#[test]
fn a_manifest_that_cannot_be_read_is_told_as_that() {
    let store: MemoryStore = [("run.json".to_owned(), b"{}".to_vec())].into_iter().collect();
    let faulty = crate::store::faulty::FaultyStore::new(&store, [("run.json".to_owned(), StoreError::Denied)]);
    let error = super::check(&faulty, PLACE, Others::Refused).unwrap_err();
    assert_eq!(error.what, "cannot read `run.json` at `s3://b/out`: permission denied");
}
