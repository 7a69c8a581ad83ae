//! Writing the table `activity`, against Arrow's own writer on the same rows: 10,000,000 calls of 20 days.
//!
//! `cargo bench --bench activity [-- ROWS]`: first the whole way as a run goes it (calls come in no order, are sorted through a
//! temporary file and written, one file a day), with the peak of memory; then day by day the file writer alone and its floor,
//! which gets ready batches of the same rows and writes the same file, bloom filters and all. Nothing here asserts a time.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark: it prints its table and may break off"
)]

use std::io::{Result, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use thirdtrail::aws::AccountId;
use thirdtrail::cloudtrail::outcome::Outcome;
use thirdtrail::cloudtrail::record::EventId;
use thirdtrail::evidence::call::Call;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::evidence::names::Names;
use thirdtrail::finding::call_log::{Api, CallLog, CallRow, Caller, Calls};
use thirdtrail::report::activity::{ActivityFile, LAYOUT};
use thirdtrail::run::call_log::CallRuns;
use thirdtrail::run::spool::Spool;

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DAYS: u64 = 20;
const FIRST_SECOND: i64 = 1_777_593_600;
/// What a run leaves for calls in memory, of the 64 MB that it aims for by default.
const ROOM: usize = (64 << 20) / 8;

/// A sequence of numbers that looks like none.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Who calls what, as in a real trail: few callers and APIs, many sessions, events without end.
struct World {
    callers: Vec<Caller>,
    apis: Vec<Api>,
    agents: Vec<String>,
    account: AccountId,
}

/// One call, as numbers.
struct Made {
    caller: usize,
    api: usize,
    session: u64,
    agent: usize,
    network: u64,
    object: Option<u64>,
    seconds: i64,
    id: u128,
    denied: bool,
}

impl World {
    fn new() -> Self {
        let account = AccountId::parse("111122223333").unwrap();
        let caller = |n: u64| Caller {
            party_id: format!("{:012}", 400_000_000_000 + n * 7919).into(),
            party_kind: "vendor",
            party_name: format!("Vendor {n}").into(),
            channel: "assume_role",
            role_arn: format!("arn:aws:iam::111122223333:role/vendors/vendor-{n}").into(),
            role_id: format!("AROAEXAMPLE{n:010}").into(),
        };
        let api = |n: u64| Api {
            account_id: account,
            region: ["us-east-1", "eu-west-1", "eu-central-1"][n as usize % 3].into(),
            event_source: format!("service{}.amazonaws.com", n % 40).into(),
            event_name: format!("DescribeThings{n}").into(),
            via: "".into(),
            actions: (0..=n % 2).map(|more| format!("service{}:DescribeThings{}", n % 40, n + more).into()).collect(),
            primary: 1,
            is_hand_off: n == 0,
        };
        let agent =
            |n: u64| format!("aws-sdk-go-v2/1.{n}.3 ua/2.1 os/linux lang/go#1.22.{n} md/GOOS#linux api/service#1.{n}");
        Self {
            callers: (0..50).map(caller).collect(),
            apis: (0..300).map(api).collect(),
            agents: (0..40).map(agent).collect(),
            account,
        }
    }

    fn call(&self, dice: &mut Dice, day: u64) -> Made {
        let caller = dice.next(self.callers.len() as u64);
        Made {
            caller: caller as usize,
            api: dice.next(self.apis.len() as u64) as usize,
            session: day << 20 | caller << 8 | dice.next(24),
            agent: (caller as usize + dice.next(2) as usize) % self.agents.len(),
            network: caller << 4 | dice.next(16),
            object: (dice.next(3) == 0).then(|| dice.next(200_000)),
            seconds: FIRST_SECOND + (day * 86_400 + dice.next(86_400)) as i64,
            id: u128::from(dice.next(u64::MAX)) << 64 | u128::from(dice.next(u64::MAX)),
            denied: dice.next(50) == 0,
        }
    }
}

/// The texts of a call.
struct Texts {
    session: String,
    network: String,
    resources: String,
}

fn texts(made: &Made) -> Texts {
    let [_, _, third, fourth] = (made.network as u32).to_be_bytes();
    Texts {
        session: format!("{:032x}", u128::from(made.session).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
        network: format!("198.51.{third}.{fourth}"),
        resources: made.object.map_or_else(String::new, |n| format!("arn:aws:s3:::data/part-{n:08}.parquet")),
    }
}

fn outcome(made: &Made) -> (Outcome, &'static str) {
    if made.denied { (Outcome::Denied, "AccessDenied") } else { (Outcome::Allowed, "") }
}

/// The whole way of a run.
fn whole(world: &World, rows: u64) -> Result<(Duration, u64)> {
    let mut dice = Dice(88_172_645_463_325_252);
    let runs = CallRuns::new(ROOM);
    let mut taking = Duration::ZERO;
    for _ in 0..rows {
        let day = dice.next(DAYS);
        let made = world.call(&mut dice, day);
        let (texts, mut names) = (texts(&made), Names::default());
        let (outcome, error) = outcome(&made);
        let call = Call {
            id: EventId(made.id),
            seconds: made.seconds,
            outcome,
            read_only: Some(true),
            event: Names::EMPTY,
            error: names.intern(error),
            network: names.intern(&texts.network),
            agent: names.intern(&world.agents[made.agent]),
            resources: names.intern(&texts.resources),
        };
        let calls = Calls {
            caller: &world.callers[made.caller],
            session_id: &texts.session,
            session_name: "nightly",
            api: &world.apis[made.api],
            names: &names,
            calls: &[call],
        };
        let began = Instant::now();
        runs.take(&calls).map_err(std::io::Error::other)?;
        taking += began.elapsed();
    }
    let began = Instant::now();
    let (spool, _) = Spool::of(&runs.by_day()?, &OneByOne)?;
    Ok((taking + began.elapsed(), spool.bytes()))
}

/// Counts and forgets.
#[derive(Default)]
struct Counting(u64);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// One file by our writer into `sink`.
fn ours<W: Write + Send>(world: &World, day: &[(Made, Texts)], sink: W) -> W {
    let mut file = ActivityFile::new(sink).unwrap();
    for (made, texts) in day {
        let (outcome, error) = outcome(made);
        let row = CallRow {
            caller: &world.callers[made.caller],
            api: &world.apis[made.api],
            kind: (made.caller as u32, made.api as u32),
            seconds: made.seconds,
            id: EventId(made.id),
            outcome,
            read_only: Some(true),
            session_id: &texts.session,
            session_name: "nightly",
            event: "",
            error,
            network: &texts.network,
            agent: &world.agents[made.agent],
            resources: &texts.resources,
        };
        file.add(&row).unwrap();
    }
    file.finish().unwrap()
}

/// The same rows as Arrow has them in memory, and the time that its writer takes for them.
fn floor(bytes: Vec<u8>) -> (Duration, u64) {
    let bytes = bytes::Bytes::from(bytes);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().with_batch_size(8_192).build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
    let schema = KeyValue::new("thirdtrail.schema".to_owned(), thirdtrail::report::tables::SCHEMA.to_owned());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap()))
        .set_max_row_group_row_count(Some(500_000))
        .set_key_value_metadata(Some(vec![schema]));
    let properties = LAYOUT.apply(properties).build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let began = Instant::now();
    let schema = Arc::clone(&batches[0].schema());
    let mut writer = ArrowWriter::try_new_with_options(Counting::default(), schema, options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    let written = writer.into_inner().unwrap().0;
    (began.elapsed(), written)
}

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

fn main() {
    let rows = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(10_000_000);
    let world = World::new();
    println!("{rows} calls of {} by {} callers, {DAYS} days", world.account, world.callers.len());
    let (took, bytes) = whole(&world, rows).unwrap();
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "the whole way: {:.2} s, {:.0} MiB written, peak of memory {} MiB",
        took.as_secs_f64(),
        megabytes(bytes),
        peak_megabytes()
    );
    let (mut own, mut least) = ((Duration::ZERO, 0), (Duration::ZERO, 0));
    let mut dice = Dice(88_172_645_463_325_252);
    for day in 0..DAYS {
        let mut calls: Vec<Made> = (0..rows / DAYS).map(|_| world.call(&mut dice, day)).collect();
        calls.sort_by_key(|made| (made.seconds, made.id));
        // After sorting: as in a run, the texts of one row lie behind those of the row before.
        let with_texts = |made: Made| {
            let texts = texts(&made);
            (made, texts)
        };
        let calls: Vec<(Made, Texts)> = calls.into_iter().map(with_texts).collect();
        let began = Instant::now();
        own.1 += ours(&world, &calls, Counting::default()).0;
        own.0 += began.elapsed();
        let file = ours(&world, &calls, Vec::new());
        let size = file.len() as u64;
        let (took, bytes) = floor(file);
        assert_eq!(bytes, size, "the floor writes another file");
        least = (least.0 + took, least.1 + bytes);
    }
    println!("the file writer: {:.2} s, {:.0} MiB", own.0.as_secs_f64(), megabytes(own.1));
    println!("Arrow's writer:  {:.2} s, {:.0} MiB", least.0.as_secs_f64(), megabytes(least.1));
    println!("ratio {:.2}", own.0.as_secs_f64() / least.0.as_secs_f64());
}
