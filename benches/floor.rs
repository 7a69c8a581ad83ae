//! The floor under every speed claim: how fast the same files inflate, and what each further step costs on top.
//!
//! `cargo bench --bench floor -- FOLDER [--threads 2] [--rounds 3]` reads all `.json.gz` below the folder. Stages:
//! `inflate` (libdeflate alone), `split` (records found), `parse` (a tape of every record), `observe` (the map step),
//! `analyze` (the whole job with its inventory, up to the bytes of every output file).
//! Each stage runs as a process of its own, so that its peak memory is its own, and the stages alternate over the
//! rounds, so that a noisy minute hits all of them; the table shows medians. Compressed bytes are read from the page
//! cache inside the measured time, in every stage alike. Nothing here asserts a time.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a benchmark: it prints its table and may break off"
)]

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use libdeflater::Decompressor;
use thirdtrail::cloudtrail::gunzip::{Inflater, Plain};
use thirdtrail::cloudtrail::reader::Parser;
use thirdtrail::cloudtrail::split::{Span, split};
use thirdtrail::evidence::observe::Observer;
use thirdtrail::evidence::{Evidence, Scope, limits};
use thirdtrail::run::beside::BesideOptions;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::source::AwsOptions;
use thirdtrail::run::workers::Effort;
use thirdtrail::run::{analyze, inputs, source};

/// The program's own allocator, so that its memory is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const STAGES: [&str; 5] = ["inflate", "split", "parse", "observe", "analyze"];
/// Names the stage to a child process.
const STAGE_VARIABLE: &str = "THIRDTRAIL_BENCH_STAGE";

struct Options {
    folder: PathBuf,
    threads: usize,
    rounds: usize,
}

/// What one run of one stage measured.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    json_bytes: u64,
    records: u64,
    peak_kib: u64,
}

fn main() -> Outcome<()> {
    let Some(options) = options()? else {
        println!("floor: no folder given, nothing measured (cargo bench --bench floor -- FOLDER)");
        return Ok(());
    };
    match env::var(STAGE_VARIABLE) {
        Ok(stage) => {
            let measured = measure(&stage, &options)?;
            let Measured { seconds, json_bytes, records, peak_kib } = measured;
            println!("{seconds} {json_bytes} {records} {peak_kib}");
            Ok(())
        }
        Err(_) => compare(&options),
    }
}

/// The arguments; cargo adds `--bench`, which means nothing here.
fn options() -> Outcome<Option<Options>> {
    let (mut folder, mut threads, mut rounds) = (env::var_os("THIRDTRAIL_BENCH_DATA").map(PathBuf::from), 2, 3);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or("a number is missing")?.parse::<usize>().map_err(|e| e.to_string());
        match argument.as_str() {
            "--bench" | "--test" => {}
            "--threads" => threads = number()?.max(1),
            "--rounds" => rounds = number()?.max(1),
            path => folder = Some(PathBuf::from(path)),
        }
    }
    Ok(folder.map(|folder| Options { folder, threads, rounds }))
}

/// Runs all stages in children, round by round, and prints the table.
fn compare(options: &Options) -> Outcome<()> {
    let mut runs: Vec<Vec<Measured>> = vec![Vec::new(); STAGES.len()];
    for _ in 0..options.rounds {
        for (stage, measured) in STAGES.iter().zip(&mut runs) {
            measured.push(in_child(stage, options)?);
        }
    }
    println!("{} threads, median of {} rounds", options.threads, options.rounds);
    println!(
        "{:<10}{:>10}{:>14}{:>10}{:>12}{:>12}",
        "stage", "seconds", "MB/s of JSON", "ratio", "records", "peak MiB"
    );
    let floor = median(&runs[0]).seconds;
    for (stage, measured) in STAGES.iter().zip(&runs) {
        let middle = median(measured);
        let speed = middle.json_bytes as f64 / 1e6 / middle.seconds;
        let (ratio, peak) = (middle.seconds / floor, middle.peak_kib as f64 / 1024.0);
        println!("{stage:<10}{:>10.3}{speed:>14.0}{ratio:>10.2}{:>12}{peak:>12.1}", middle.seconds, middle.records);
    }
    Ok(())
}

fn median(runs: &[Measured]) -> Measured {
    let mut sorted = runs.to_vec();
    sorted.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    sorted[sorted.len() / 2]
}

fn in_child(stage: &str, options: &Options) -> Outcome<Measured> {
    let output = Command::new(env::current_exe()?)
        .arg(&options.folder)
        .args(["--threads", &options.threads.to_string()])
        .env(STAGE_VARIABLE, stage)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [seconds, json_bytes, records, peak_kib] = words[..] else {
        return Err(format!("stage {stage}: {}", String::from_utf8_lossy(&output.stderr)).into());
    };
    Ok(Measured {
        seconds: seconds.parse()?,
        json_bytes: json_bytes.parse()?,
        records: records.parse()?,
        peak_kib: peak_kib.parse()?,
    })
}

/// Runs one stage over all files on all threads; each thread takes the next file.
fn measure(stage: &str, options: &Options) -> Outcome<Measured> {
    if stage == "analyze" {
        return whole_job(options);
    }
    let mut files = Vec::new();
    gather(&options.folder, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(format!("no .json.gz below `{}`", options.folder.display()).into());
    }
    let next = AtomicUsize::new(0);
    let begin = Instant::now();
    let parts = thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads).map(|_| scope.spawn(|| work(stage, &files, &next))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker panicked")).collect::<Outcome<Vec<Done>>>()
    })?;
    let (mut json_bytes, mut records, mut whole) = (0, 0, Evidence::default());
    for done in parts {
        json_bytes += done.json_bytes;
        records += done.records;
        whole.merge(done.evidence);
    }
    let totals = whole.coverage.totals();
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Measured {
        seconds,
        json_bytes: json_bytes + totals.decompressed_bytes,
        records: records + totals.records,
        peak_kib: peak_kib(),
    })
}

/// The main job, as the program runs it.
fn whole_job(options: &Options) -> Outcome<Measured> {
    let begin = Instant::now();
    let job = analyze::Options {
        request: Request::default(),
        inventories: inputs::beside(&options.folder),
        beside: BesideOptions::default(),
        rules: thirdtrail::run::config::RuleFiles::default(),
        digest_keys: None,
        own_accounts: std::collections::BTreeSet::new(),
        as_of: None,
        idle_days: 90,
        key_days: 90,
        max_holes: 0.05,
        effort: Effort { jobs: options.threads, memory_bytes: 64 << 20 },
        ..analyze::Options::default()
    };
    let done =
        analyze::analyze(&*source::open(&options.folder.to_string_lossy(), &AwsOptions::default())?, &job, &Silent)?;
    let seconds = begin.elapsed().as_secs_f64();
    let coverage = &done.assessment.coverage;
    Ok(Measured {
        seconds,
        json_bytes: coverage.bytes.decompressed,
        records: coverage.records.total,
        peak_kib: peak_kib(),
    })
}

/// What one thread did.
#[derive(Default)]
struct Done {
    json_bytes: u64,
    records: u64,
    evidence: Evidence,
}

fn work(stage: &str, files: &[PathBuf], next: &AtomicUsize) -> Outcome<Done> {
    let mut done = Done::default();
    let mut bare = (Decompressor::new(), Vec::new());
    let mut inflater = Inflater::new(limits::OBJECT_BYTES);
    let mut parser = Parser::default();
    let mut observer = Observer::new(Arc::new(Scope::default()));
    while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        let object = fs::read(path)?;
        match stage {
            "inflate" => done.json_bytes += inflate(&mut bare, &object)?,
            "observe" => observer.observe(&path.to_string_lossy(), &object),
            _ => {
                // Damaged files of a generated trail are passed over, as the program passes over them.
                let Ok(mut plain) = inflater.inflate(&object) else { continue };
                done.json_bytes += plain.length() as u64;
                let spans = split(plain.bytes()).unwrap_or_default();
                done.records += spans.len() as u64;
                if stage == "parse" {
                    parse(&mut parser, &mut plain, spans);
                }
            }
        }
    }
    done.evidence = observer.finish();
    Ok(done)
}

/// One call to libdeflate and no check but its own; a file that it refuses counts as no bytes.
fn inflate((decompressor, buffer): &mut (Decompressor, Vec<u8>), object: &[u8]) -> Outcome<u64> {
    let trailer = object.last_chunk::<4>().ok_or("a file without a gzip trailer")?;
    let promised = u32::from_le_bytes(*trailer) as usize;
    if promised > limits::OBJECT_BYTES {
        return Ok(0);
    }
    if buffer.len() < promised {
        buffer.resize(promised, 0);
    }
    Ok(decompressor.gzip_decompress(object, &mut buffer[..promised]).unwrap_or(0) as u64)
}

fn parse(parser: &mut Parser, plain: &mut Plain<'_>, spans: Vec<Span>) {
    for span in spans {
        let (Span::Record(range) | Span::LookupEvent(range)) = span;
        // The answer keeps the parser from being optimized away; a bad record is as good a measure as any.
        let parsed = parser.parse(plain.padded_from(range.start), range.len(), |json| json.is_object());
        std::hint::black_box(parsed.is_ok());
    }
}

fn gather(place: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    if !place.is_dir() {
        if place.to_string_lossy().ends_with(".json.gz") && !place.to_string_lossy().contains("CloudTrail-") {
            files.push(place.to_path_buf());
        }
        return Ok(());
    }
    for entry in fs::read_dir(place)? {
        gather(&entry?.path(), files)?;
    }
    Ok(())
}

/// Peak resident memory of this process; 0 where the system does not tell.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
