//! `report OUT`: the output of a run rendered again is the same to the byte, and what is no sound output is refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its files has failed"
)]

mod bucket;
mod bundled;
mod folders;
mod program;
mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::finding::assessment::Assessment;
use thirdtrail::report::{OutputFile, again, render_by};
use thirdtrail::run::again::{Again, render};
use thirdtrail::run::analyze::{Format, Formats, Options, Outcome, analyze, write};
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::output::{Others, Target};
use thirdtrail::run::past_run::PastRun;
use thirdtrail::run::source::AwsOptions;
use thirdtrail::run::spool::Spool;
use thirdtrail::store::local::LocalStore;

use bucket::{Server, answer};
use folders::{files, json_file};
use program::run;

type Files = BTreeMap<String, Vec<u8>>;

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn put(mut outcome: Outcome, formats: &Formats, place: &Path) {
    let target = Target::open(place, Others::Refused, &AwsOptions::default()).unwrap();
    let options = Options { formats: formats.clone(), ..Options::default() };
    write(&target, &mut outcome, "the trail", &options).unwrap();
}

/// Writes the output of a run that came to this answer.
fn written(mut assessment: Assessment, formats: &Formats, place: &Path) {
    let files = render_by(&OneByOne, &mut assessment, formats).unwrap();
    let outcome = Outcome {
        assessment,
        files,
        activity: Spool::default(),
        objects: Spool::default(),
        timings: Value::Null,
        on_disk: Default::default(),
        inputs: Vec::new(),
        keep: Vec::new(),
        suppressions: Vec::new(),
        own_vendors: Vec::new(),
        evidence: None,
        first: None,
    };
    put(outcome, formats, place);
}

/// Renders the output at one place again to another.
fn rendered(from: &Path, formats: Option<Formats>, to: &Path) {
    let past = PastRun::find(&text(from), &AwsOptions::default()).unwrap().unwrap();
    let (outcome, formats) = render(&past, &Again { formats, ..Again::default() }, &Silent).unwrap();
    put(outcome, &formats, to);
}

/// The files of the output at a place, rendered again.
fn files_again(from: &Path, formats: &Formats) -> Vec<OutputFile> {
    let past = PastRun::find(&text(from), &AwsOptions::default()).unwrap().unwrap();
    let wanted = Again { formats: Some(formats.clone()), ..Again::default() };
    render(&past, &wanted, &Silent).unwrap().0.files
}

/// The files of a place, `run.json` apart, which tells of the run.
fn outputs(place: &Path) -> Files {
    let mut files = files(place);
    files.remove("run.json").unwrap();
    files
}

fn same(what: &str, one: &Files, other: &Files) {
    let differ: Vec<&String> =
        one.keys().chain(other.keys()).filter(|path| one.get(*path) != other.get(*path)).collect();
    assert!(differ.is_empty(), "{what}: {differ:?}");
}

/// Every trail, whole and format by format; from an output with everything, and from one with `report.json` alone.
#[test]
fn an_output_rendered_again_is_the_same_to_the_byte() {
    for trail in ["vendors", "damaged", "holes"] {
        let folder = TempDir::new().unwrap();
        let place = |name: &str| folder.path().join(name);
        let analyzed = |formats: &Formats| {
            let store = LocalStore::open(&bundled::folder(trail)).unwrap();
            let options = Options { formats: formats.clone(), ..bundled::options(trail, 2) };
            analyze(&store, &options, &Silent).unwrap()
        };
        put(analyzed(&Formats::default()), &Formats::default(), &place("whole"));
        rendered(&place("whole"), None, &place("again"));
        let whole = outputs(&place("whole"));
        assert!(whole.contains_key(again::PATH) && whole.keys().any(|path| path.starts_with("parquet/activity/")));
        same(trail, &whole, &outputs(&place("again")));

        let json = Formats::named([Format::Json]);
        let outcome = analyzed(&json);
        let assessment = outcome.assessment.clone();
        put(outcome, &json, &place("json"));
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Parquet) {
            let formats = Formats::named([format]);
            let files = render_by(&OneByOne, &mut assessment.clone(), &formats).unwrap();
            // Where all outputs are there already, one trail shows it.
            for from in if trail == "vendors" { &["whole", "json"][..] } else { &["json"] } {
                assert_eq!(files_again(&place(from), &formats), files, "{trail} as {} from {from}", format.word());
            }
        }
    }
}

/// S43: strangers' texts everywhere come back as they were.
#[test]
fn hostile_names_come_back_as_they_were() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let formats = Formats::default().without(Format::Parquet);
    written(sample::assessment(), &formats, &first);
    rendered(&first, None, &second);
    same("the sample", &outputs(&first), &outputs(&second));
    let third = folder.path().join("third");
    rendered(&second, None, &third);
    same("the sample again", &outputs(&first), &outputs(&third));
}

/// S42: the file that rendering again needs holds no external id, whatever may be shown; and what was shown is shown again.
#[test]
fn external_ids_are_not_kept_for_rendering_again() {
    let ids = ["23bc5533-157c-41bf-a01a-4ecb491471f6", "8f14e45f-ceea-467f-9b1d-2f2f9a1d3c55"];
    for shown in [false, true] {
        let folder = TempDir::new().unwrap();
        let place = |name: &str| folder.path().join(name);
        let mut assessment = sample::assessment();
        assessment.asked.show_external_ids = shown;
        let all = Formats::default().without(Format::Parquet);
        written(assessment.clone(), &all, &place("first"));
        let files = outputs(&place("first"));
        let kept = String::from_utf8(zstd::decode_all(&files[again::PATH][..]).unwrap()).unwrap();
        assert!(kept.contains("external id, fingerprint"), "the trust policies are there");
        for id in ids {
            assert!(!kept.contains(id));
            let holds = |(_, bytes): &(&String, &Vec<u8>)| String::from_utf8_lossy(bytes).contains(id);
            assert_eq!(files.iter().any(|file| holds(&file)), shown);
        }
        rendered(&place("first"), None, &place("second"));
        same("with trust policies", &files, &outputs(&place("second")));

        // An output without the documents cannot give them back, and says so.
        written(assessment, &Formats::named([Format::Json]), &place("json"));
        rendered(&place("json"), Some(all), &place("third"));
        let third = outputs(&place("third"));
        assert!(third.keys().any(|path| path.ends_with("/trust.diff")));
        assert!(third.keys().all(|path| !path.ends_with("/trust.current.json")));
        assert!(String::from_utf8_lossy(&third["report.json"]).contains("--show-external-ids writes them"));
    }
}

/// A small output, by the program.
struct Output {
    folder: TempDir,
}

impl Output {
    fn of(formats: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let (trail, out) = (text(&bundled::folder("vendors")), text(&folder.path().join("first")));
        let done = run(&["analyze", &trail, "--out", &out, "--format", formats, "--quiet", "--no-config"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        Self { folder }
    }

    fn place(&self, name: &str) -> String {
        text(&self.folder.path().join(name))
    }

    fn file(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join("first").join(path)
    }

    /// `report` of it to `second`: its exit code and what it said.
    fn report(&self, more: &[&str]) -> (i32, String) {
        let (first, second) = (self.place("first"), self.place("second"));
        let arguments = ["report", &first, "--out", &second, "--quiet", "--no-config"];
        let done = run(&[&arguments[..], more].concat());
        (done.code, done.stderr)
    }

    /// `report` of it is a mistake that is told in one line, and writes nothing.
    fn refused(&self, more: &[&str], says: &str) {
        let (code, said) = self.report(more);
        assert_eq!(code, 2, "{said}");
        assert!(said.starts_with("error: ") && said.contains(says) && said.lines().count() == 1, "{said}");
        assert!(!Path::new(&self.place("second")).exists());
    }

    /// Changes its manifest.
    fn manifest(&self, change: impl Fn(&mut Value)) {
        let mut run = json_file(&self.file("run.json"));
        change(&mut run);
        fs::write(self.file("run.json"), run.to_string()).unwrap();
    }

    /// Changes a file, and the manifest with it, as only somebody does who wants to deceive.
    fn forge(&self, path: &str, bytes: &[u8]) {
        fs::write(self.file(path), bytes).unwrap();
        let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        self.manifest(|run| {
            let files = run["files"].as_array_mut().unwrap();
            files.iter_mut().find(|file| file["path"] == path).unwrap()["sha256"] = json!(digest);
        });
    }
}

/// The manifest tells what was rendered, and by it the other commands read the output as they read the first.
#[test]
fn the_new_output_is_that_of_a_run() {
    let output = Output::of("json,parquet");
    let (code, said) = output.report(&["--format", "html,md,parquet"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let (first, second) = (output.place("first"), output.place("second"));
    let (old, new) = (json_file(&output.file("run.json")), json_file(&Path::new(&second).join("run.json")));
    for carried in ["source", "inputs", "coverage", "evidence", "keep_rules", "catalog_actions"] {
        assert_eq!(old[carried], new[carried], "{carried}");
    }
    assert_eq!(
        (&old["options"]["idle_days"], &old["version"]),
        (&new["options"]["idle_days"], &new["judged_by_version"])
    );
    assert_eq!(new["options"]["formats"], json!(["html", "md", "parquet"]));
    let from = json!({"output": first, "version": old["version"], "formats": ["json", "parquet"]});
    assert_eq!(new["rendered_from"], from);
    let told: Vec<&str> = new["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    let there = outputs(Path::new(&second));
    assert_eq!(told, there.keys().map(String::as_str).collect::<Vec<_>>());
    assert!(there.contains_key("report/index.html") && !there.contains_key("findings.csv"));

    let range = ["--party", "Datadog", "--since", "2026-05-10", "--until", "2026-05-20", "--format", "json"];
    for command in ["activity", "investigate"] {
        let [of_first, of_second] = [&first, &second].map(|place| {
            let out = output.place(command);
            let more = if command == "investigate" { vec!["--out", &out] } else { Vec::new() };
            let done = run(&[&[command, place][..], &range, &more].concat());
            assert_eq!(done.code, 0, "{}", done.stderr);
            done.stdout.replace(place, "OUT")
        });
        assert!(!of_first.is_empty());
        assert_eq!(of_first, of_second, "{command}");
    }
    assert_eq!(run(&["compare", &first, &second, "--fail-on", "low"]).code, 0);
}

/// What only concerns how it is told works as with `analyze`; what would have to be judged anew is refused.
#[test]
fn options_of_rendering_work_and_others_are_refused() {
    let output = Output::of("json");
    let report = output.place("first/report.json");
    output.refused(&["--since", "2026-05-01"], "`--since` cannot be used");
    output.refused(&["--idle-days", "90"], "`--idle-days` cannot be used");
    output.refused(&["--inventory", "x.json"], "`--inventory` cannot be used");
    output.refused(&["--keep", "x.toml"], "`--keep` cannot be used");
    output.refused(&["--show-external-ids"], "`--show-external-ids` cannot be used");
    output.refused(&["--narrow-trust"], "`--narrow-trust` cannot be used");
    output.refused(&["--evidence", "x"], "`--evidence` cannot be used");
    output.refused(&["--format", "parquet"], "wrote no tables");
    assert_eq!(output.report(&["--fail-on", "high", "--jobs", "1", "--memory", "64MB", "--progress", "none"]).0, 1);
    assert_eq!(output.report(&["--fail-on", "high", "--baseline", &report, "--format", "json"]).0, 0);
    let again = json_file(&Path::new(&output.place("second")).join("report.json"));
    assert!(again["findings"].as_array().unwrap().iter().all(|finding| finding["known"] == true));
    let run_json = json_file(&Path::new(&output.place("second")).join("run.json"));
    assert!(run_json["inputs"].as_array().unwrap().iter().any(|input| input["path"] == json!(report)));

    // What a configuration sets was judged by the first run, so it does not stand in the way.
    let config = output.folder.path().join("thirdtrail.toml");
    fs::write(&config, "idle_days = 10\nformat = [\"csv\"]\n").unwrap();
    let second = output.place("second");
    let done = run(&["report", &output.place("first"), "--out", &second, "--config", &text(&config)]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(json_file(&Path::new(&second).join("report.json"))["idle_days"], 90);
    assert!(Path::new(&second).join("findings.csv").exists() && !Path::new(&second).join("report.md").exists());
    assert!(done.stdout.contains(&format!("\nreport: {second}/report.json\n")), "{}", done.stdout);
}

#[test]
fn what_is_missing_of_the_tables_is_said() {
    let output = Output::of("json");
    let done = run(&["report", &output.place("first"), "--out", &output.place("second"), "--no-config"]);
    assert_eq!(done.code, 0);
    assert!(done.stderr.contains("note: the run wrote no tables, and they cannot be made of its output"));
    let run_json = json_file(&Path::new(&output.place("second")).join("run.json"));
    assert!(run_json["options"]["formats"].as_array().unwrap().iter().all(|format| format != "parquet"));
}

#[test]
fn an_output_that_is_not_sound_is_refused() {
    let check = |change: &dyn Fn(&Output), says: &str| {
        let output = Output { folder: TempDir::new().unwrap() };
        written(sample::assessment(), &Formats::default(), Path::new(&output.place("first")));
        change(&output);
        output.refused(&[], says);
    };
    let append = |output: &Output, path: &str| {
        let mut bytes = fs::read(output.file(path)).unwrap();
        bytes.push(b'\n');
        fs::write(output.file(path), bytes).unwrap();
    };
    let table = "parquet/sessions/account_id=012345678901/part-0.parquet";
    for path in ["report.json", again::PATH, table] {
        check(&|output| append(output, path), &format!("`{path}` is not the file that run.json tells of"));
        check(&|output| fs::remove_file(output.file(path)).unwrap(), &format!("`{path}`: does not exist"));
    }
    check(&|output| fs::write(output.file("run.json"), "{").unwrap(), "`run.json`: EOF while parsing");
    check(
        &|output| output.manifest(|run| run["schema"] = json!("thirdtrail.run/2")),
        "its run.json is `thirdtrail.run/2`",
    );
    check(
        &|output| output.manifest(|run| run["version"] = json!("0.10.0")),
        "written by thirdtrail 0.10.0, and this is",
    );
    check(&|output| output.manifest(|run| run["unfinished"] = json!(true)), "the run that wrote here broke off");
    let without = |output: &Output| {
        output.manifest(|run| run["files"].as_array_mut().unwrap().retain(|file| file["path"] != again::PATH));
    };
    check(&without, "kept too little to render it again");
    let outside = |output: &Output| {
        fs::write(Path::new(&output.place("secret")), "secret").unwrap();
        let file = json!({"path": "parquet/../../secret", "sha256": format!("{:064}", 0)});
        output.manifest(|run| run["files"].as_array_mut().unwrap().push(file.clone()));
    };
    check(&outside, "run.json tells of the file `parquet/../../secret`, which no run writes");

    let report = |change: fn(&mut Value)| {
        move |output: &Output| {
            let mut report = json_file(&output.file("report.json"));
            change(&mut report);
            output.forge("report.json", report.to_string().as_bytes());
        }
    };
    let schema = "`report.json`: its schema is `thirdtrail.report/2`, not `thirdtrail.report/1`";
    check(&report(|report| report["schema"] = json!("thirdtrail.report/2")), schema);
    check(&report(|report| drop(report["roles"].as_array_mut().unwrap().pop())), "it goes with another report");
    check(&report(|report| report["as_of"] = json!("soon")), "`report.json`: `soon` is no time");
    check(&report(|report| drop(report.as_object_mut().unwrap().remove("coverage"))), "missing field `coverage`");
    let forged = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    check(&|output| output.forge(again::PATH, b"{}"), &format!("`{}`: ", again::PATH));
    let other = forged(r#"{"schema": "thirdtrail.rerender/2", "roles": [], "parties": []}"#);
    check(&|output| output.forge(again::PATH, &other), "its schema is `thirdtrail.rerender/2`");
    let empty = forged(r#"{"schema": "thirdtrail.rerender/1", "roles": [], "parties": []}"#);
    check(&|output| output.forge(again::PATH, &empty), "it goes with another report");
}

#[test]
fn a_folder_that_is_neither_output_nor_evidence_is_told() {
    let folder = TempDir::new().unwrap();
    let (place, file) = (text(folder.path()), text(&folder.path().join("file")));
    fs::write(&file, "x").unwrap();
    let out = text(&folder.path().join("out"));
    for (place, says) in [
        (place.as_str(), "holds neither the output of a run (no `run.json`) nor evidence (no `shards`)"),
        (&file, "is no folder"),
        ("nowhere", "`nowhere` is no folder"),
    ] {
        let done = run(&["report", place, "--out", &out, "--no-config"]);
        assert_eq!(done.code, 2);
        assert!(
            done.stderr.contains(says) && done.stderr.contains("give what `thirdtrail analyze` wrote"),
            "{}",
            done.stderr
        );
    }
}

/// The new output takes the place of the old one as a whole, and never at the price of what cannot be made again.
#[test]
fn an_output_can_take_its_own_place() {
    let output = Output { folder: TempDir::new().unwrap() };
    let first = output.place("first");
    let shown = || {
        let mut assessment = sample::assessment();
        assessment.asked.show_external_ids = true;
        assessment
    };
    written(shown(), &Formats::default(), Path::new(&first));
    let (all, run_json) = (outputs(Path::new(&first)), fs::read(output.file("run.json")).unwrap());
    let in_place = |formats: &str| {
        let (place, format) = (format!("{first}/."), format!("--format={formats}"));
        // Named otherwise, and the same place.
        let done = run(&["report", &place, "--out", &first, &format, "--quiet", "--no-config"]);
        (done.code, done.stderr)
    };
    for (formats, lost) in [("html", "its tables"), ("html,parquet", "its trust policies with external ids")] {
        let (code, said) = in_place(formats);
        assert!(code == 2 && said.contains(&format!("would lose {lost}")), "{said}");
        same("nothing was touched", &all, &outputs(Path::new(&first)));
        assert_eq!(fs::read(output.file("run.json")).unwrap(), run_json);
    }
    // The sample has objects that could not be read.
    assert_eq!(in_place("html,parquet,policies"), (3, String::new()));
    let named = [Format::Html, Format::Parquet, Format::Policies];
    let reference = TempDir::new().unwrap();
    written(shown(), &Formats::named(named), &reference.path().join("out"));
    same("as if it had been written so", &outputs(&reference.path().join("out")), &outputs(Path::new(&first)));
    assert_eq!(fs::read_dir(output.folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn an_output_in_a_bucket_is_rendered_again() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    written(sample::assessment(), &Formats::default(), &first);
    let objects = files(&first).into_iter().map(|(path, bytes)| (format!("daily/{path}"), bytes)).collect();
    let server = Server::start(move |request| answer(&objects, request));
    let report = |out: &str| {
        let at =
            ["--endpoint-url", &server.url, "--force-path-style", "--region-name", "us-east-1", "--no-sign-request"];
        let done = run(&[&["report", "s3://reports/daily", "--out", out, "--quiet", "--no-config"][..], &at].concat());
        (done.code, done.stderr)
    };
    assert_eq!(report(&text(&second)), (3, String::new()));
    same("from a bucket", &outputs(&first), &outputs(&second));
    assert_eq!(json_file(&second.join("run.json"))["rendered_from"]["output"], "s3://reports/daily");
    let (code, said) = report("s3://reports/daily/");
    assert!(code == 2 && said.contains("cannot take the place of itself"), "{said}");
}
