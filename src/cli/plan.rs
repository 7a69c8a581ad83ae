//! `thirdtrail plan`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cloudtrail::object_key::ObjectKey;
use crate::run::plan::Plan;
use crate::run::{discover, source};

use super::analyze::request;
use super::args::{Format, PlanArguments};
use super::exit_code::ExitCode;
use super::terminal::{line, size};

pub(super) fn run(arguments: &PlanArguments) -> anyhow::Result<ExitCode> {
    let store = source::open(&arguments.selection.source, &arguments.aws.options())?;
    let plan = discover::find(&*store, &request(&arguments.selection))?;
    match arguments.format {
        Format::Json => line(&serde_json::to_string_pretty(&as_json(&plan))?)?,
        Format::Table => table(&plan)?,
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

fn as_json(plan: &Plan) -> serde_json::Value {
    let places: Vec<_> = by_place(plan)
        .into_iter()
        .map(|((account, region), (objects, bytes))| {
            json!({"account_id": account, "region": region, "objects": objects, "bytes": bytes})
        })
        .collect();
    let objects: Vec<_> =
        plan.objects.iter().map(|entry| json!({"key": entry.key, "bytes": entry.size_bytes})).collect();
    json!({
        "delivered": {"first": plan.days.first().map(ToString::to_string), "last": plan.days.last().map(ToString::to_string)},
        "listed": plan.listed,
        "skipped": plan.skipped,
        "read": {"objects": plan.objects.len(), "bytes": plan.bytes(), "days": plan.days.len()},
        "places": places,
        "objects": objects,
    })
}

fn table(plan: &Plan) -> anyhow::Result<()> {
    if let (Some(first), Some(last)) = (plan.days.first(), plan.days.last()) {
        line(&format!("days     {first} to {last} (of delivery)"))?;
    }
    line(&format!("to read  {} objects, {}, {} days", plan.objects.len(), size(plan.bytes()), plan.days.len()))?;
    for (reason, count) in &plan.skipped {
        line(&format!("skipped  {count} {reason}"))?;
    }
    for ((account, region), (objects, bytes)) in by_place(plan) {
        line(&format!("{account}  {:<16} {objects:>8} objects  {:>12}", super::terminal::plain(&region), size(bytes)))?;
    }
    Ok(())
}
