//! `thirdtrail plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};

use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::aws::AccountId;
use crate::cloudtrail::object_key::ObjectKey;
use crate::run::checkpoint::{Checkpoints, open_place};
use crate::run::estimate::{Estimate, VisibleHole, estimate, visible_holes};
use crate::run::observe::announce;
use crate::run::plan::{Plan, Request};
use crate::run::{discover, source};

use super::analyze::request;
use super::args::{AwsArguments, Format, SelectionArguments};
use super::exit_code::ExitCode;
use super::progress::{Progress, Shown};
use super::table::{Column, Table};
use super::terminal::{line, size, told_under};

/// Where the text begins that stands beside a word.
const BESIDE: usize = 9;
/// Days named in the table; JSON has all of them.
const DAYS_SHOWN: usize = 10;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// Save what was listed at this folder (or s3://bucket/prefix) of evidence, for tasks of `observe --objects` and for
    /// `report`, which then tells what none of them observed. Reads the digests of days without objects.
    #[arg(long, value_name = "DIR")]
    pub(super) evidence: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// How to show progress.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub(super) progress: Progress,
    #[command(flatten)]
    pub(super) aws: AwsArguments,
}

pub(super) fn run(arguments: &PlanArguments) -> anyhow::Result<ExitCode> {
    let store = source::open(&arguments.selection.source, &arguments.aws.options())?;
    // With saved evidence digests are not verified, and what was listed must be what `analyze` would list.
    let request = Request { with_digests: arguments.evidence.is_none(), ..request(&arguments.selection) };
    let monitor = Shown::new(arguments.progress, false);
    let mut plan = discover::find(&*store, &request, &monitor)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (estimate, holes) = (estimate(&plan, &request, threads), visible_holes(&plan, &request));
    let mut listing = None;
    if let Some(place) = &arguments.evidence {
        let place = open_place(place, &arguments.aws.options())?;
        let regions = source::region_of(&arguments.selection.source).into_iter().collect();
        listing = Some(announce(&*store, &mut plan, &request, &regions, &Checkpoints::open(&*place)?, &monitor)?);
    }
    match arguments.format {
        Format::Json => print_json(&plan, facts(&plan, &estimate, &holes), listing.as_deref())?,
        Format::Table => {
            table(&plan, &estimate, &holes)?;
            if let Some(listing) = listing {
                line("")?;
                said(&format!("saved    {listing}: `report` of this evidence tells what no `observe` read of it"))?;
            }
        }
    }
    Ok(ExitCode::Done)
}

/// Objects and bytes by account and Region.
fn by_place(plan: &Plan) -> BTreeMap<(String, String), (u64, u64)> {
    let mut sums: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for entry in &plan.objects {
        let key = ObjectKey::parse(&entry.key);
        let account = key.account.map_or_else(|| "unknown".to_owned(), |account| account.to_string());
        let entry_sums = sums.entry((account, key.region.unwrap_or("unknown").to_owned())).or_default();
        entry_sums.0 += 1;
        entry_sums.1 += entry.size_bytes;
    }
    sums
}

/// What is told of objects besides each of them.
fn facts(plan: &Plan, estimate: &Estimate, holes: &[VisibleHole]) -> serde_json::Value {
    let places: Vec<_> = by_place(plan)
        .into_iter()
        .map(|((account, region), (objects, bytes))| {
            json!({"account_id": account, "region": region, "objects": objects, "bytes": bytes})
        })
        .collect();
    let digest_bytes: u64 = plan.digests.iter().map(|entry| entry.size_bytes).sum();
    json!({
        "delivered": {"first": plan.days.first().map(ToString::to_string), "last": plan.days.last().map(ToString::to_string)},
        "listed": plan.listed,
        "skipped": plan.skipped,
        "read": {"objects": plan.objects.len(), "bytes": plan.bytes(), "days": plan.days.len()},
        "digests": {"objects": plan.digests.len(), "bytes": digest_bytes},
        "days_without_objects": holes,
        "estimate": estimate,
        "places": places,
    })
}

/// A plan as it is printed; there may be millions of objects, so none is copied.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    facts: serde_json::Value,
    listing: Option<&'a str>,
    accounts: &'a BTreeSet<AccountId>,
    #[serde(serialize_with = "objects")]
    objects: &'a Plan,
}

fn objects<S: Serializer>(plan: &Plan, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Object<'a> {
        key: &'a str,
        bytes: u64,
        tag: &'a str,
    }
    to.collect_seq(plan.objects.iter().map(|entry| Object {
        key: &entry.key,
        bytes: entry.size_bytes,
        tag: &entry.tag,
    }))
}

fn print_json(plan: &Plan, facts: serde_json::Value, listing: Option<&str>) -> std::io::Result<()> {
    let mut to = BufWriter::new(std::io::stdout().lock());
    let written = Written { facts, listing, accounts: &plan.accounts, objects: plan };
    serde_json::to_writer_pretty(&mut to, &written)?;
    writeln!(to)?;
    to.flush()
}

fn table(plan: &Plan, estimate: &Estimate, holes: &[VisibleHole]) -> anyhow::Result<()> {
    if let (Some(first), Some(last)) = (plan.days.first(), plan.days.last()) {
        said(&format!("days     {first} to {last} (of delivery)"))?;
    }
    said(&format!("to read  {} objects, {}, {} days", plan.objects.len(), size(plan.bytes()), plan.days.len()))?;
    for (reason, count) in &plan.skipped {
        said(&format!("skipped  {count} {reason}"))?;
    }
    days_without_objects(holes)?;
    costs(estimate)?;
    let mut places = Table::new(&[
        Column::text("account", 12),
        Column::text("region", 14),
        Column::number("objects"),
        Column::number("bytes"),
    ]);
    for ((account, region), (objects, bytes)) in by_place(plan) {
        places.add([account.into(), region.into(), objects.into(), size(bytes).into()]);
    }
    line("")?;
    places.print()?;
    Ok(())
}

fn said(text: &str) -> std::io::Result<()> {
    told_under(text, BESIDE)
}

/// What is a hole already, and what may be one.
fn days_without_objects(holes: &[VisibleHole]) -> anyhow::Result<()> {
    let mut accounts: BTreeMap<_, (Vec<String>, usize)> = BTreeMap::new();
    for hole in holes {
        let (days, quiet) = accounts.entry(hole.account_id).or_default();
        if hole.digest {
            *quiet += 1;
        } else {
            days.push(hole.day.to_string());
        }
    }
    for (account, (days, quiet)) in accounts {
        let named: Vec<&str> = days.iter().take(DAYS_SHOWN).map(String::as_str).collect();
        let more = if days.len() > named.len() { ", ..." } else { "" };
        if !days.is_empty() {
            let number = number_of_days(days.len());
            said(&format!("holes    {account}: {number} without objects: {}{more}", named.join(", ")))?;
        }
        if quiet > 0 {
            let number = number_of_days(quiet);
            let judged = "holes unless the digests, which `analyze` reads, name no logs";
            said(&format!("digests  {account}: {number} with digests and without objects: {judged}"))?;
        }
    }
    Ok(())
}

fn number_of_days(days: usize) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

fn costs(estimate: &Estimate) -> anyhow::Result<()> {
    let Estimate { s3, transfer, time, athena } = estimate;
    said(&format!(
        "from S3  about {} in requests: {} LIST, {} GET{} (prices of {}; other Regions differ)",
        usd(s3.usd),
        s3.list_requests,
        s3.get_requests + s3.silent_digest_get_requests,
        if s3.digest_get_requests > 0 {
            let (gets, heads) = (s3.digest_get_requests, s3.digest_head_requests);
            format!("; with --verify-digests {gets} more GET and {heads} HEAD, {}", usd(s3.usd_with_digests))
        } else {
            String::new()
        },
        s3.prices
    ))?;
    said(&format!(
        "transfer {}: free within the bucket's Region, about {} out of AWS",
        size(transfer.bytes),
        usd(transfer.internet_usd)
    ))?;
    said(&format!(
        "time     about {} s on {} threads at {} a second each ({}; the network comes on top)",
        time.seconds,
        time.threads,
        size(time.bytes_per_second_per_thread),
        time.measured_by
    ))?;
    said(&format!(
        "Athena   the same question: {} scanned, about {} a query, S3 requests on top",
        size(athena.bytes_scanned),
        usd(athena.usd)
    ))?;
    Ok(())
}

/// Cents as they are; less than a cent with as many digits as say something.
fn usd(dollars: f64) -> String {
    if dollars >= 0.01 || dollars == 0.0 { format!("${dollars:.2}") } else { format!("${dollars:.6}") }
}
