//! What an answer rests on: what was read of the trail, what not, and what its digests say.

use crate::aws::window::rfc3339;
use crate::finding::assessment::{Assessment, CoverageReport, IntegrityReport};
use crate::run::checkpoint::Notes;

use super::ink::Ink;
use super::terminal::{line, plain, size, told};

/// Things named one by one; `report.json` has them all.
const NAMED: usize = 10;

/// What is missing first, then what was read.
pub(super) fn print(assessment: &Assessment) -> std::io::Result<()> {
    let coverage = &assessment.coverage;
    if !coverage.complete {
        not_read(coverage)?;
    }
    let day = |at| rfc3339(at).chars().take(10).collect::<String>();
    told(&format!(
        "coverage: {} to {}, {} of {} objects read{}, {} records{}, {} of JSON",
        day(assessment.window.since),
        day(assessment.window.until),
        coverage.objects.read,
        coverage.objects.listed,
        skipped(coverage),
        coverage.records.total,
        duplicates(coverage),
        size(coverage.bytes.decompressed)
    ))?;
    holes(coverage)?;
    coverage.integrity.as_ref().map_or(Ok(()), integrity)
}

fn skipped(coverage: &CoverageReport) -> String {
    let skipped = coverage.objects.skipped.iter().filter(|(_, count)| **count > 0);
    let skipped: Vec<String> = skipped.map(|(reason, count)| format!("{count} {reason}")).collect();
    if skipped.is_empty() { String::new() } else { format!(" (skipped: {})", skipped.join(", ")) }
}

fn duplicates(coverage: &CoverageReport) -> String {
    match coverage.records.duplicate {
        0 => String::new(),
        duplicate => format!(" ({duplicate} delivered twice)"),
    }
}

/// What could not be read, by name as far as there is room for it.
fn not_read(coverage: &CoverageReport) -> std::io::Result<()> {
    let (objects, inputs) = (coverage.objects.failed.len(), coverage.failed_inputs.len());
    let counts = [(objects as u64, "objects"), (coverage.records.bad, "records"), (inputs as u64, "inputs")];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let head = Ink::Critical.paint("coverage is INCOMPLETE");
    if counts.is_empty() {
        // What digests say is told with them.
        return told(&format!("{head}: the trail is not known to be whole"));
    }
    told(&format!("{head}: {} could not be read", counts.join(", ")))?;
    let inputs = coverage.failed_inputs.iter().map(|failed| {
        let account = failed.account_id.map_or_else(String::new, |account| format!("account {account}: "));
        format!("  not read: {account}{}: {}", failed.call, failed.reason)
    });
    let objects = coverage.objects.failed.iter().map(|failed| format!("  {}: {}", failed.key, failed.reason));
    let records = coverage.bad_records.iter().map(|bad| format!("  {} record {}: {}", bad.key, bad.index, bad.reason));
    some_of(inputs)?;
    some_of(objects)?;
    some_of(records)
}

/// The first few, and how many more there are.
fn some_of(texts: impl ExactSizeIterator<Item = String>) -> std::io::Result<()> {
    let more = texts.len().saturating_sub(NAMED);
    for text in texts.take(NAMED) {
        told(&plain(&text))?;
    }
    if more > 0 { line(&format!("  and {more} more (report.json)")) } else { Ok(()) }
}

/// The days that nothing tells of, on one line whatever the number of accounts.
fn holes(coverage: &CoverageReport) -> std::io::Result<()> {
    let holes = coverage.accounts.iter().filter(|account| !account.holes.is_empty());
    let mut holes: Vec<(f64, String)> =
        holes.map(|account| (account.hole_share, account.account_id.to_string())).collect();
    if holes.is_empty() {
        return Ok(());
    }
    holes.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    let more = holes.len().saturating_sub(NAMED);
    let named = holes.iter().take(NAMED).map(|(share, account)| format!("{:.1} % of {account}", share * 100.0));
    let mut named: Vec<String> = named.collect();
    named.extend((more > 0).then(|| format!("{more} more accounts")));
    told(&format!("{} on days of: {}", Ink::Doubt.paint("holes"), named.join(", ")))
}

/// What the digests say.
fn integrity(integrity: &IntegrityReport) -> std::io::Result<()> {
    let objects = &integrity.objects;
    told(&format!(
        "digests: {} of {} verified; objects: {} verified, {} tampered with, {} missing, {} not verified",
        integrity.digests.verified,
        integrity.digests.read,
        objects.verified,
        objects.tampered,
        objects.missing,
        objects.unverified.values().sum::<u64>()
    ))?;
    let bad = |text: &str| told(&Ink::Critical.paint(text));
    match integrity.intact {
        Some(true) => {}
        Some(false) => bad("the trail is NOT as CloudTrail delivered it; the days concerned count as holes")?,
        None if integrity.verified == "none" => bad("NOTHING could be verified: no digest is proven")?,
        None => line("no verified digest covers some times; they count as holes")?,
    }
    let doubted = integrity.tampered.iter().chain(&integrity.missing);
    let doubted: Vec<String> = doubted.map(|one| format!("  {}: {}", one.key, one.reason.replace('_', " "))).collect();
    some_of(doubted.into_iter())?;
    let gaps = integrity.gaps.iter().filter(|gap| gap.hole);
    let gaps: Vec<String> = gaps
        .map(|gap| format!("  {}: {}", gap.reason.replace('_', " "), gap.digest.as_deref().unwrap_or_default()))
        .collect();
    some_of(gaps.into_iter())
}

/// What was not read because evidence held it, and what evidence could not be trusted.
pub(super) fn evidence(notes: &Notes) -> std::io::Result<()> {
    let held = format!("{} objects held by {} shards", notes.objects_held, notes.shards_used);
    told(&format!("evidence: {held}, {} objects read, {} shards saved", notes.objects_read, notes.shards_saved))?;
    if notes.shards_damaged > 0 {
        told(&format!("evidence: {} shards were damaged; their objects were read again", notes.shards_damaged))?;
    }
    if notes.shards_unread > 0 {
        let what = "shards could not be read (run.json names them); their objects were read again";
        told(&format!("evidence: {} {what}", notes.shards_unread))?;
    }
    Ok(())
}
