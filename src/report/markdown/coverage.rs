//! What the answer rests on: what was read, what was not, and what is not judged.

use crate::finding::assessment::{AccountCoverage, CoverageReport};

use super::super::escape::{code, text};
use super::page::{Page, count, left_out};
use super::{integrity, moment};

/// Failed objects, bad records and holes listed one by one.
const SHOWN: usize = 20;
/// Accounts listed.
const ACCOUNTS_SHOWN: usize = 200;

/// Writes the section.
pub(super) fn render(page: &mut Page, coverage: &CoverageReport) {
    page.heading(2, "What this rests on");
    page.paragraph(&verdict(coverage));
    let (objects, records) = (&coverage.objects, &coverage.records);
    let skipped = objects.skipped.iter().map(|(reason, number)| format!("{number} {}", text(reason)));
    let skipped: Vec<String> = skipped.collect();
    page.list([
        format!(
            "Objects: {} listed, {} read, {} failed; skipped: {}.",
            objects.listed,
            objects.read,
            objects.failed.len(),
            if skipped.is_empty() { "none".to_owned() } else { skipped.join(", ") }
        ),
        format!(
            "Records: {} in all; {} used, {} out of scope, {} delivered again, {} bad.",
            records.total, records.used, records.out_of_scope, records.duplicate, records.bad
        ),
        format!("Bytes: {} as delivered, {} as read.", coverage.bytes.compressed, coverage.bytes.decompressed),
    ]);
    failures(page, coverage);
    if let Some(integrity) = &coverage.integrity {
        integrity::render(page, integrity);
    }
    accounts(page, &coverage.accounts);
    unjudged(page, coverage);
}

fn verdict(coverage: &CoverageReport) -> String {
    let holes: usize = coverage.accounts.iter().map(|account| account.holes.len()).sum();
    let all_read = coverage.objects.failed.is_empty() && coverage.records.bad == 0 && coverage.failed_inputs.is_empty();
    let read = if coverage.complete || all_read {
        "**Complete: every object and record in scope could be read.**".to_owned()
    } else {
        let inputs = match coverage.failed_inputs.len() {
            0 => String::new(),
            number => format!(", and {} beside the trail", count(number as u64, "input")),
        };
        format!(
            "**Incomplete: {} and {}{inputs} could not be read; what they held is not in this report.**",
            count(coverage.objects.failed.len() as u64, "object"),
            count(coverage.records.bad, "record")
        )
    };
    let read = match &coverage.integrity {
        Some(integrity) if integrity.intact == Some(false) => {
            format!("{read} **Tampered with: it is not what CloudTrail delivered, see below.**")
        }
        Some(integrity) if integrity.intact.is_none() => {
            format!(
                "{read} **Not verified: nothing proves what CloudTrail delivered, or not of all times, see below.**"
            )
        }
        _ => read,
    };
    let days = match holes {
        0 => "The trail has no holes in the window.".to_owned(),
        _ => format!("The trail has {} in the window, listed below.", count(holes as u64, "hole")),
    };
    if coverage.records.total == 0 {
        return format!("{read} **The trail holds no records, so nothing can be said about use.**");
    }
    format!("{read} {days}")
}

fn failures(page: &mut Page, coverage: &CoverageReport) {
    let inputs = &coverage.failed_inputs;
    if !inputs.is_empty() {
        page.heading(3, "Inputs that could not be read");
        page.table(
            ["Account", "Call", "Reason"],
            inputs.iter().take(SHOWN).map(|one| {
                let account = one.account_id.map_or_else(|| "all".to_owned(), |account| account.to_string());
                [account, code(&one.call), text(&one.reason)]
            }),
        );
        more(page, inputs.len());
    }
    let failed = &coverage.objects.failed;
    if !failed.is_empty() {
        page.heading(3, "Objects that could not be read");
        page.table(["Object", "Reason"], failed.iter().take(SHOWN).map(|one| [code(&one.key), text(&one.reason)]));
        more(page, failed.len());
    }
    let bad = &coverage.bad_records;
    if !bad.is_empty() {
        page.heading(3, "Records that could not be used");
        page.table(
            ["Object", "Record", "Reason"],
            bad.iter().take(SHOWN).map(|one| [code(&one.key), one.index.to_string(), text(&one.reason)]),
        );
        more(page, bad.len());
    }
}

fn more(page: &mut Page, all: usize) {
    if let Some(sentence) = left_out(all, SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
}

fn accounts(page: &mut Page, accounts: &[AccountCoverage]) {
    if accounts.is_empty() {
        return;
    }
    page.heading(3, "Accounts in the trail");
    page.table(
        ["Account", "Regions", "First event", "Last event", "Read events", "Write events", "Data events", "Holes"],
        accounts.iter().take(ACCOUNTS_SHOWN).map(|account| {
            let seen = |yes: bool| if yes { "seen" } else { "not seen" }.to_owned();
            let data: Vec<String> = account.data_events_seen.iter().map(|kind| text(kind)).collect();
            [
                account.account_id.to_string(),
                account.regions.iter().map(|region| text(&region.region)).collect::<Vec<_>>().join(", "),
                moment(account.regions.iter().filter_map(|region| region.first_event).min()),
                moment(account.regions.iter().filter_map(|region| region.last_event).max()),
                seen(account.read_events_seen),
                seen(account.write_events_seen),
                if data.is_empty() { "not seen".to_owned() } else { data.join(", ") },
                format!("{} ({:.1} % of days)", account.holes.len(), account.hole_share * 100.0),
            ]
        }),
    );
    if let Some(sentence) = left_out(accounts.len(), ACCOUNTS_SHOWN, "`report.json`") {
        page.paragraph(&sentence);
    }
    for account in accounts.iter().filter(|account| !account.holes.is_empty()).take(ACCOUNTS_SHOWN) {
        let holes = account.holes.iter().take(SHOWN);
        let holes: Vec<String> =
            holes.map(|hole| format!("{} ({})", text(&hole.day), text(&hole.reason.replace('_', " ")))).collect();
        let rest =
            left_out(account.holes.len(), SHOWN, "`report.json`").map_or(String::new(), |rest| format!("; {rest}"));
        page.paragraph(&format!("Holes in {}: {}{rest}", account.account_id, holes.join(", ")));
    }
}

fn unjudged(page: &mut Page, coverage: &CoverageReport) {
    if !coverage.unmapped.is_empty() {
        page.heading(3, "Calls that could not be mapped to IAM actions");
        page.paragraph("No removal is proposed in the services that these calls could belong to.");
        page.table(
            ["Event source", "Event name", "Calls", "Blocks removals in"],
            coverage.unmapped.iter().take(SHOWN).map(|call| {
                let blocks: Vec<String> = call.blocks.iter().map(|service| code(service)).collect();
                [code(&call.event_source), code(&call.event_name), call.calls.to_string(), blocks.join(", ")]
            }),
        );
        more(page, coverage.unmapped.len());
    }
    if !coverage.not_judged.is_empty() {
        page.heading(3, "What is not judged");
        page.list(coverage.not_judged.iter().map(|sentence| text(sentence)));
    }
}
