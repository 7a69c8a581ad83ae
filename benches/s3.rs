//! What reading from a bucket costs: getting the objects of a trail and throwing them away, and the whole of `analyze`.
//!
//! `cargo bench --bench s3 -- s3://bucket/prefix [--endpoint-url URL] [--inventory FILE]... [--threads 2] [--rounds 3]`.
//! Credentials and Region come from the environment. `get` finds the objects as `analyze` does, has as many on their way,
//! hands them to as many threads, and counts their bytes; `analyze` is the program itself, up to its written files. Each
//! runs as a process of its own, the two alternate over the rounds, and the table shows medians. Nothing here asserts a
//! time.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark: it prints its table and may break off"
)]

use std::env;
use std::error::Error;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use thirdtrail::run::discover::find;
use thirdtrail::run::fetch::{Ahead, Objects};
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::source::{self, AwsOptions};

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Names the stage to a child process.
const STAGE_VARIABLE: &str = "THIRDTRAIL_BENCH_STAGE";

#[derive(Default)]
struct Options {
    place: String,
    endpoint: Option<String>,
    inventories: Vec<String>,
    threads: usize,
    rounds: usize,
}

/// What one run measured.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    objects: u64,
    bytes: u64,
}

fn main() -> Outcome<()> {
    let options = options()?;
    if options.place.is_empty() {
        println!("s3: no bucket given, nothing measured (cargo bench --bench s3 -- s3://bucket/prefix)");
        return Ok(());
    }
    if env::var_os(STAGE_VARIABLE).is_some() {
        let Measured { seconds, objects, bytes } = get(&options)?;
        println!("{seconds} {objects} {bytes}");
        return Ok(());
    }
    let (mut gets, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        gets.push(get_in_child()?);
        whole.push(analyze(&options)?);
    }
    let (get, (analyze, peak)) = (median(gets, |get| get.seconds), median(whole, |whole| whole.0));
    println!("{} threads, median of {} rounds, {} objects", options.threads, options.rounds, get.objects);
    println!("{:<10}{:>10}{:>14}{:>10}{:>12}", "stage", "seconds", "MB/s as given", "ratio", "peak MiB");
    let speed = |seconds: f64| get.bytes as f64 / 1e6 / seconds;
    println!("{:<10}{:>10.3}{:>14.0}{:>10.2}", "get", get.seconds, speed(get.seconds), 1.0);
    println!("{:<10}{analyze:>10.3}{:>14.0}{:>10.2}{peak:>12.1}", "analyze", speed(analyze), analyze / get.seconds);
    Ok(())
}

/// The arguments; cargo adds `--bench`, which means nothing here.
fn options() -> Outcome<Options> {
    let mut options = Options { threads: 2, rounds: 3, ..Options::default() };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--bench" | "--test" => {}
            "--endpoint-url" => options.endpoint = Some(value()?),
            "--inventory" => options.inventories.push(value()?),
            "--threads" => options.threads = value()?.parse::<usize>()?.max(1),
            "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
            _ => options.place = argument,
        }
    }
    Ok(options)
}

/// Gets all objects that `analyze` would read, and throws them away.
fn get(options: &Options) -> Outcome<Measured> {
    let begin = Instant::now();
    let aws = AwsOptions {
        endpoint_url: options.endpoint.clone(),
        force_path_style: options.endpoint.is_some(),
        ..AwsOptions::default()
    };
    let store = source::open(&options.place, &aws)?;
    let plan = find(&*store, &Request::default(), &Silent)?;
    let objects = Objects::of(&*store, &plan.objects, Ahead::default());
    let (count, bytes, failed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| {
                let mut buffer = Vec::new();
                while let Some((_, got)) = objects.next(&mut buffer) {
                    count.fetch_add(1, Ordering::Relaxed);
                    bytes.fetch_add(buffer.len() as u64, Ordering::Relaxed);
                    failed.fetch_add(u64::from(got.is_err()), Ordering::Relaxed);
                }
            });
        }
    });
    if failed.load(Ordering::Relaxed) > 0 {
        return Err("objects could not be read".into());
    }
    Ok(Measured { seconds: begin.elapsed().as_secs_f64(), objects: count.into_inner(), bytes: bytes.into_inner() })
}

fn get_in_child() -> Outcome<Measured> {
    let output = Command::new(env::current_exe()?).args(env::args().skip(1)).env(STAGE_VARIABLE, "get").output()?;
    let text = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [seconds, objects, bytes] = words[..] else {
        return Err(format!("get: {}", String::from_utf8_lossy(&output.stderr)).into());
    };
    Ok(Measured { seconds: seconds.parse()?, objects: objects.parse()?, bytes: bytes.parse()? })
}

/// Runs the program; seconds, and its peak memory in MiB.
fn analyze(options: &Options) -> Outcome<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_thirdtrail"));
    command.args(["analyze", &options.place, "--quiet", "--jobs", &options.threads.to_string(), "--out"]).arg(&out);
    if let Some(endpoint) = &options.endpoint {
        command.args(["--endpoint-url", endpoint, "--force-path-style"]);
    }
    command.args(options.inventories.iter().flat_map(|file| ["--inventory", file]));
    let begin = Instant::now();
    let output = command.output()?;
    let seconds = begin.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("analyze: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let run: serde_json::Value = serde_json::from_slice(&fs::read(out.join("run.json"))?)?;
    Ok((seconds, run["peak_memory_bytes"].as_f64().unwrap_or(0.0) / f64::from(1 << 20)))
}

fn median<T: Copy>(mut runs: Vec<T>, seconds: impl Fn(&T) -> f64) -> T {
    runs.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
    runs[runs.len() / 2]
}
