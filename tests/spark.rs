//! The job on Spark, and what it rests on: a plan that the evidence knows, and tasks that may be done in any way.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot run the program has failed"
)]

mod beside;
mod bundled;
mod folders;
mod program;
mod python;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::run::checkpoint::Checkpoints;
use thirdtrail::run::discover::find;
use thirdtrail::run::inputs;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::observe::{announce, observe};
use thirdtrail::run::resume::Saved;
use thirdtrail::run::stop::Stop;
use thirdtrail::run::task::Task;
use thirdtrail::store::Entry;
use thirdtrail::store::local::LocalStore;
use thirdtrail::store::memory::MemoryStore;
use thirdtrail::store::recording::{Call, RecordingStore};

use beside::say;
use bundled::folder;
use folders::{files, json_file};
use program::{Run, run, run_with};
use python::Python;

const TRAIL: &str = "vendors";

/// A trail, evidence of it and the outputs of a run on one machine.
struct Place {
    room: TempDir,
    source: String,
}

impl Place {
    fn new() -> Self {
        Self { room: tempfile::tempdir().unwrap(), source: folder(TRAIL).display().to_string() }
    }

    fn path(&self, name: &str) -> String {
        self.room.path().join(name).display().to_string()
    }

    fn alone(&self) -> BTreeMap<String, Vec<u8>> {
        let out = self.path("alone");
        assert_eq!(run(&["analyze", &self.source, "--out", &out, "--quiet"]).code, 0);
        outputs(Path::new(&out))
    }

    /// The plan, known to the evidence.
    fn plan(&self) -> Value {
        let done = run(&["plan", &self.source, "--evidence", &self.path("evidence"), "--format", "json"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    }

    fn observe(&self, task: &str) -> Run {
        let evidence = self.path("evidence");
        run_with(&["observe", &self.source, "--objects", "-", "--evidence", &evidence, "--quiet"], task)
    }

    fn report(&self) -> (i32, BTreeMap<String, Vec<u8>>) {
        self.report_of(&[])
    }

    /// The report of a part.
    fn report_of(&self, selection: &[&str]) -> (i32, BTreeMap<String, Vec<u8>>) {
        let (evidence, out) = (self.path("evidence"), self.path("out"));
        let mut arguments = vec!["report".to_owned(), evidence, "--out".to_owned(), out.clone(), "--quiet".to_owned()];
        for inventory in inputs::beside(Path::new(&self.source)) {
            arguments.extend(["--inventory".to_owned(), inventory.display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(selection.iter().copied()).collect();
        let done = run(&arguments);
        assert!(done.code != 2, "{}", done.stderr);
        (done.code, outputs(Path::new(&out)))
    }
}

/// Every output but `run.json`.
fn outputs(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut outputs = files(out);
    assert!(outputs.remove("run.json").is_some());
    outputs
}

fn same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert!(one.keys().eq(other.keys()), "other files");
    for (name, bytes) in one {
        assert!(other[name] == *bytes, "another {name}");
    }
}

/// Parts of a plan of so many objects each.
fn parts(plan: &Value, objects: usize) -> Vec<String> {
    let part = |objects: &[Value]| {
        json!({"listing": plan["listing"], "accounts": plan["accounts"], "objects": objects}).to_string()
    };
    plan["objects"].as_array().unwrap().chunks(objects).map(part).collect()
}

/// Parts of a plan, observed by themselves, are the whole; what none of them observed is named.
#[test]
fn parts_of_a_plan_give_the_report_of_the_whole() {
    let place = Place::new();
    let tasks = parts(&place.plan(), 50);
    assert!(tasks.len() > 5);
    let (last, first) = tasks.split_last().unwrap();
    for task in first {
        assert_eq!(place.observe(task).code, 0);
    }
    let (code, incomplete) = place.report();
    assert_eq!(code, 3);
    let report: Value = serde_json::from_slice(&incomplete["report.json"]).unwrap();
    let unobserved: Vec<&Value> = report["coverage"]["objects"]["failed"].as_array().unwrap().iter().collect();
    let last_part: Value = serde_json::from_str(last).unwrap();
    assert_eq!(unobserved.len(), last_part["objects"].as_array().unwrap().len());
    assert!(unobserved.iter().all(|failed| failed["reason"].as_str().unwrap().starts_with("not observed")));
    assert_eq!(place.observe(last).code, 0);
    let (code, whole) = place.report();
    assert_eq!(code, 0);
    same(&place.alone(), &whole);
}

/// The report of one account says what `analyze` says of it, and reads nothing of what is saved of others: reports of a
/// thousand accounts do not read everything a thousand times.
#[test]
fn a_report_of_one_account_reads_no_evidence_of_others() {
    const ACCOUNT: &str = "333344445555";
    let place = Place::new();
    let (evidence, alone) = (place.path("evidence"), place.path("alone"));
    assert_eq!(run(&["observe", &place.source, "--evidence", &evidence, "--quiet"]).code, 0);
    let shards = files(&Path::new(&evidence).join("shards"));
    let others: Vec<&String> = shards.keys().filter(|name| !name.starts_with(ACCOUNT)).collect();
    assert!(!others.is_empty() && others.len() < shards.len());
    for name in others {
        fs::write(Path::new(&evidence).join("shards").join(name), "nothing that can be read").unwrap();
    }
    assert_eq!(place.report_of(&["--account", ACCOUNT]).0, 0);
    assert_eq!(run(&["analyze", &place.source, "--account", ACCOUNT, "--out", &alone, "--quiet"]).code, 0);
    let [reported, analyzed] = [place.path("out"), alone].map(|out| json_file(&Path::new(&out).join("report.json")));
    for part in ["parties", "roles", "findings"] {
        assert_eq!(reported[part], analyzed[part], "{part}");
    }
    assert!(!reported["roles"].as_array().unwrap().is_empty());
}

/// A plan without a task done is no evidence, and says so.
#[test]
fn a_plan_alone_makes_no_report() {
    let place = Place::new();
    place.plan();
    let evidence = place.path("evidence");
    let done = run(&["report", &evidence, "--out", &place.path("out")]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("there is no evidence"), "{}", done.stderr);
}

/// The same task several times at once, as Spark does it when one is slow: nothing is there twice, and nothing half.
#[test]
fn attempts_of_one_task_at_one_time_do_no_harm() {
    let place = Place::new();
    let tasks = parts(&place.plan(), 130);
    let file = place.path("task");
    for task in &tasks {
        fs::write(&file, task).unwrap();
        let attempt = |_| -> Child {
            let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
            command.args(["observe", &place.source, "--objects", &file, "--evidence", &place.path("evidence")]);
            command.args(["--quiet", "--jobs", "1"]).stdout(Stdio::null()).spawn().unwrap()
        };
        let attempts: Vec<Child> = (0..3).map(attempt).collect();
        for mut attempt in attempts {
            assert!(attempt.wait().unwrap().success());
        }
    }
    assert!(files(Path::new(&place.path("evidence"))).keys().all(|name| !name.ends_with(".part")));
    let (code, whole) = place.report();
    assert_eq!(code, 0);
    same(&place.alone(), &whole);
}

/// A task of many asks for its own objects, and for what the evidence has near them; it lists no trail.
#[test]
fn a_part_of_a_plan_lists_nothing_of_the_source() {
    let options = bundled::options(TRAIL, 1);
    let local = LocalStore::open(&folder(TRAIL)).unwrap();
    let (source, memory) = (RecordingStore::new(&local), MemoryStore::default());
    let mut plan = find(&source, &options.request, &Silent).unwrap();
    let (regions, known) = (BTreeSet::new(), Checkpoints::open(&memory).unwrap());
    let listing = announce(&source, &mut plan, &options.request, &regions, &known, &Silent).unwrap();
    let object = |entry: &Entry| json!({"key": entry.key, "bytes": entry.size_bytes, "tag": entry.tag});
    let part: Vec<Value> = plan.objects.iter().skip(100).take(30).map(object).collect();
    let text = json!({"listing": listing, "accounts": plan.accounts, "objects": part}).to_string();
    let task = Task::parse("a test", &text).unwrap();
    source.take();
    let evidence = RecordingStore::new(&memory);
    let checkpoints = Checkpoints::open_for(&evidence, task.planned().unwrap()).unwrap();
    let asked = evidence.take();
    assert!(matches!(&asked[..], [Call::Range(_), Call::Range(_)]), "{asked:?}");
    let saved = Saved { checkpoints: &checkpoints, stop: &Stop::default() };
    let observed = observe(&source, &options, &task, saved, &Silent).unwrap();
    assert_eq!(observed.notes.objects_read, 30);
    let calls = source.take();
    assert!(calls.len() == 30 && calls.iter().all(|call| matches!(call, Call::Get(_))), "{calls:?}");
    // Done again it finds all that it saved, though it does not list all evidence.
    let checkpoints = Checkpoints::open_for(&evidence, task.planned().unwrap()).unwrap();
    let saved = Saved { checkpoints: &checkpoints, stop: &Stop::default() };
    let again = observe(&source, &options, &task, saved, &Silent).unwrap();
    assert_eq!((again.notes.objects_read, again.notes.objects_held, source.take().len()), (0, 30, 0));
}

/// A part of a plan that the evidence does not know is refused: a report could not tell what nobody observed.
#[test]
fn parts_of_unknown_plans_are_refused() {
    let place = Place::new();
    let plan = place.plan();
    let task = parts(&plan, 10).remove(0);
    let refused = |arguments: &[&str], task: &str, what: &str| {
        let done = run_with(&[&["observe", &place.source, "--objects", "-"], arguments].concat(), task);
        assert_eq!(done.code, 2, "{what}");
        assert!(done.stderr.contains(what), "{}", done.stderr);
    };
    let (known, other) = (place.path("evidence"), place.path("other"));
    refused(&["--evidence", &other], &task, "the evidence does not know the plan");
    let selection = ["--evidence", &known, "--since", "2026-05-01"];
    refused(&selection, &task, "was made for another window, account or Region");
    let strange = task.replacen(".json.gz", ".txt", 1);
    refused(&["--evidence", &known], &strange, "is no object to be read at this source");
    refused(&["--evidence", &known], "", "cannot read the objects in `standard input`: it names none");
    // Without sizes and tags the source is listed, and tells them.
    let key = plan["objects"][0]["key"].as_str().unwrap();
    let done = run_with(&["observe", &place.source, "--objects", "-", "--evidence", &other], key);
    assert_eq!(done.code, 0, "{}", done.stderr);
}

/// The packing of objects into tasks needs no Spark.
#[test]
fn objects_are_packed_into_tasks() {
    let mut python = Command::new("python3");
    python.arg("-B").arg(tree("tests/spark/packing.py")).arg(tree("spark"));
    match python.output() {
        Err(error) => say(&format!("NOT RUN: no python3 ({error}), the packing of tasks was not tested")),
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr)),
    }
}

fn tree(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// On Spark, with two executors: one task fails twice, one has its executor killed while it works; the outputs are those of
/// one machine, to the byte.
#[test]
fn spark_gives_the_outputs_of_one_machine() {
    let python = match Python::with_spark() {
        Ok(python) => python,
        Err(reason) => return say(&format!("NOT RUN: no Spark ({reason}), the job on Spark was not tested")),
    };
    let place = Place::new();
    let plan = place.plan();
    fs::remove_dir_all(place.path("evidence")).unwrap();
    let key = |at: usize| plan["objects"][at]["key"].as_str().unwrap();
    let troubled = troubled(&place, (key(100), key(200)));
    let mut job = submit(&python, &place);
    job.args(["--files", &troubled]).arg(tree("spark/thirdtrail_spark.py")).arg(&place.source);
    job.args(["--evidence", &place.path("evidence"), "--out", &place.path("out")]);
    job.args(["--task-objects", "40", "--report-options=--quiet"]);
    let done = job.output().unwrap();
    let log = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{log}");
    assert!(log.contains("Lost executor"), "{log}");
    for trouble in ["failed-1", "failed-2", "killed"] {
        assert!(place.room.path().join(trouble).is_dir(), "nothing was {trouble}\n{log}");
    }
    assert!(log.contains("ended with 9: made to fail"), "{log}");
    // `spark-submit` puts together what the job prints and what it says.
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("10 tasks observed, 0 of them with objects that could not be read"), "{said}");
    same(&place.alone(), &outputs(Path::new(&place.path("out"))));
    let run = json_file(&Path::new(&place.path("out")).join("run.json"));
    assert!(run["evidence"]["shards_used"].as_u64().unwrap() > 9, "{}", run["evidence"]);
}

fn submit(python: &Python, place: &Place) -> Command {
    let program = python::run(python.command().args(["-c", "import sys; print(sys.executable)"])).unwrap();
    let mut command = Command::new(Path::new(&program).with_file_name("spark-submit"));
    command.current_dir(place.room.path()).env("PYSPARK_PYTHON", &program).env("SPARK_LOCAL_IP", "127.0.0.1");
    command.args(["--master", "local-cluster[2,1,1024]"]);
    for setting in ["spark.driver.host=127.0.0.1", "spark.driver.bindAddress=127.0.0.1", "spark.ui.enabled=false"] {
        command.args(["--conf", setting]);
    }
    command.args(["--conf", &format!("spark.local.dir={}", place.path("spark"))]);
    command
}

/// A program that fails twice at the task of one key, and once kills the executor that has the task of the other while the
/// real program is at work.
fn troubled(place: &Place, (failing, killing): (&str, &str)) -> String {
    let real = assert_cmd::cargo::cargo_bin!("thirdtrail").display().to_string();
    let script = r#"#!/bin/sh
cd ROOM || exit 8
[ "$1" = observe ] || exec REAL "$@"
task=$(cat)
case $task in
*FAILING*)
    if mkdir failed-1 2>/dev/null || mkdir failed-2 2>/dev/null; then echo "made to fail" >&2; exit 9; fi ;;
*KILLING*)
    if mkdir killed 2>/dev/null; then
        printf '%s' "$task" | REAL "$@" &
        executor=$$
        until grep -q CoarseGrainedExecutorBackend "/proc/$executor/cmdline"; do
            executor=$(sed -n 's/^PPid:\t//p' "/proc/$executor/status")
        done
        kill -9 "$executor"
        sleep 5
    fi ;;
esac
printf '%s' "$task" | REAL "$@"
"#;
    let room = place.room.path().display().to_string();
    let script = script.replace("ROOM", &room).replace("REAL", &real);
    let path = place.path("shipped/thirdtrail");
    fs::create_dir(place.path("shipped")).unwrap();
    fs::write(&path, script.replace("FAILING", failing).replace("KILLING", killing)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Executors have a C library and little else: the program needs nothing more, and a static one not even that.
#[cfg(target_os = "linux")]
#[test]
fn the_program_needs_nothing_but_the_c_library() {
    let ordinary = assert_cmd::cargo::cargo_bin!("thirdtrail");
    let known = ["libc.so", "libm.so", "libgcc_s.so", "ld-linux"];
    let Ok(needed) = needed(ordinary) else { return say("NOT RUN: no readelf, the program was not looked at") };
    let strange: Vec<&String> =
        needed.iter().filter(|name| !known.iter().any(|known| name.starts_with(known))).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let Some(built) = std::env::var_os("THIRDTRAIL_STATIC") else {
        return say("NOT RUN: THIRDTRAIL_STATIC names no static build, none was looked at");
    };
    assert_eq!(self::needed(Path::new(&built)).unwrap(), [] as [String; 0]);
    let place = Place::new();
    let mut command = Command::new(built);
    let out = place.path("static");
    assert!(command.args(["analyze", &place.source, "--out", &out, "--quiet"]).status().unwrap().success());
    same(&place.alone(), &outputs(Path::new(&out)));
}

/// The libraries that a program asks for.
#[cfg(target_os = "linux")]
fn needed(program: &Path) -> Result<Vec<String>, String> {
    let told = python::run(Command::new("readelf").arg("--dynamic").arg(program))?;
    let named = told.lines().filter(|line| line.contains("(NEEDED)")).filter_map(|line| line.split(['[', ']']).nth(1));
    Ok(named.map(str::to_owned).collect())
}
