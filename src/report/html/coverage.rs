//! What the answer rests on: in a few plain sentences at the top of the index, and in full at its end.

use std::collections::BTreeSet;

use crate::finding::assessment::{AccountCoverage, Assessment, CoverageReport, IntegrityReport};

use super::words::{Few, Long, count, number, sentence, spoken, stopped};

/// Failed objects, bad records, holes and the like listed one by one; `report.json` has all.
const LISTED: usize = 40;

/// Accounts named in a sentence.
const NAMED: usize = 12;

/// What the answer rests on.
pub(super) struct Coverage {
    /// `good`, `medium` or `high`: how much the reader has to know of it first.
    pub(super) tone: &'static str,
    /// In a few words.
    pub(super) headline: String,
    /// What is missing, a sentence each.
    pub(super) sentences: Vec<String>,
    pub(super) objects: String,
    pub(super) records: String,
    pub(super) failures: Vec<Failures>,
    pub(super) integrity: Option<Vec<String>>,
    pub(super) unmapped: Vec<(Long, String, Few)>,
    pub(super) unmapped_more: u64,
    pub(super) not_judged: Vec<String>,
    pub(super) not_judged_more: u64,
}

/// What could not be read, of one kind.
pub(super) struct Failures {
    pub(super) title: &'static str,
    /// What, and why.
    pub(super) rows: Vec<(Long, Long)>,
    pub(super) more: u64,
}

/// The coverage for people.
pub(super) fn of(assessment: &Assessment) -> Coverage {
    let coverage = &assessment.coverage;
    let sentences = [not_read(assessment), sentences(coverage)].concat();
    let read = is_read(coverage);
    let grave = !coverage.complete || !read || coverage.records.total == 0 || refuted(coverage);
    let holes = holes(coverage);
    let (objects, records) = (&coverage.objects, &coverage.records);
    let skipped: Vec<String> =
        objects.skipped.iter().map(|(why, amount)| format!("{} {}", number(*amount), spoken(why))).collect();
    Coverage {
        tone: if grave {
            "high"
        } else if sentences.is_empty() {
            "good"
        } else {
            "medium"
        },
        headline: match (grave, coverage.records.total, holes) {
            (_, 0, _) => "The trail holds no records, so nothing can be said about use.",
            _ if refuted(coverage) => "The trail is not as CloudTrail delivered it.",
            (true, ..) => "Coverage is incomplete: not everything could be read.",
            (false, _, 0) if sentences.is_empty() => {
                "Coverage is complete: everything in scope could be read, and the trail has no holes."
            }
            (false, _, 0) => "Everything in scope could be read.",
            _ => "Everything in scope could be read, but the trail has holes.",
        }
        .to_owned(),
        sentences,
        objects: format!(
            "{} listed, {} read, {} failed{}.",
            number(objects.listed),
            number(objects.read),
            number(objects.failed.len() as u64),
            if skipped.is_empty() { String::new() } else { format!("; skipped: {}", skipped.join(", ")) }
        ),
        records: format!(
            "{} in all: {} used, {} out of scope, {} delivered again, {} bad.",
            number(records.total),
            number(records.used),
            number(records.out_of_scope),
            number(records.duplicate),
            number(records.bad)
        ),
        failures: failures(coverage),
        integrity: coverage.integrity.as_ref().map(integrity),
        unmapped: coverage
            .unmapped
            .iter()
            .take(LISTED)
            .map(|call| {
                let service = call.event_source.split('.').next().unwrap_or_default();
                (Long::of(&format!("{service}:{}", call.event_name)), number(call.calls), Few::of(&call.blocks, 6))
            })
            .collect(),
        unmapped_more: coverage.unmapped.len().saturating_sub(LISTED) as u64,
        not_judged: coverage.not_judged.iter().take(LISTED).map(|text| stopped(&sentence(text))).collect(),
        not_judged_more: coverage.not_judged.len().saturating_sub(LISTED) as u64,
    }
}

fn is_read(coverage: &CoverageReport) -> bool {
    coverage.objects.failed.is_empty() && coverage.records.bad == 0 && coverage.failed_inputs.is_empty()
}

fn refuted(coverage: &CoverageReport) -> bool {
    coverage.integrity.as_ref().is_some_and(|integrity| integrity.intact == Some(false))
}

/// Days that are holes in some account.
fn holes(coverage: &CoverageReport) -> usize {
    coverage.accounts.iter().flat_map(AccountCoverage::hole_days).collect::<BTreeSet<&str>>().len()
}

/// What was not there to be read.
fn not_read(assessment: &Assessment) -> Vec<String> {
    let mut told = Vec::new();
    let roles = &assessment.roles;
    if !roles.is_empty() && roles.iter().all(|role| !role.in_inventory) {
        told.push("No role of it is in an inventory, so nothing is said of what is granted.".to_owned());
    }
    let unread: Vec<String> = assessment.unread_accounts().iter().map(ToString::to_string).collect();
    let accounts = match unread.as_slice() {
        [] => return told,
        [one] => format!("account {one}"),
        many => {
            let named = many.get(..NAMED).unwrap_or(many);
            let more = many.len() - named.len();
            let more = if more > 0 { format!(" and {} more", number(more as u64)) } else { String::new() };
            format!("accounts {}{more}", named.join(", "))
        }
    };
    told.push(format!("No record was read of {accounts}: of what was done there nothing is known."));
    told
}

/// What a reader must know before anything else.
fn sentences(coverage: &CoverageReport) -> Vec<String> {
    let mut told = Vec::new();
    if !is_read(coverage) {
        let inputs = match coverage.failed_inputs.len() {
            0 => String::new(),
            amount => format!(", and {} beside the trail", count(amount as u64, "input")),
        };
        told.push(format!(
            "{} and {}{inputs} could not be read; what they held is not in this report.",
            count(coverage.objects.failed.len() as u64, "object"),
            count(coverage.records.bad, "record")
        ));
    }
    match coverage.integrity.as_ref().map(|integrity| integrity.intact) {
        Some(Some(false)) => {
            told.push("Something of it was tampered with or is missing; the days concerned count as holes.".to_owned())
        }
        Some(None) => told
            .push("Its digests do not prove, or not for all times, that it is what CloudTrail delivered.".to_owned()),
        _ => {}
    }
    let torn: Vec<&AccountCoverage> = coverage.accounts.iter().filter(|account| !account.holes.is_empty()).collect();
    if let Some(worst) = torn.iter().max_by(|a, b| a.hole_share.total_cmp(&b.hole_share)) {
        told.push(format!(
            "On {} nothing, or not everything, is known of {}; the most of {}, on {:.1} % of the days.",
            count(holes(coverage) as u64, "day"),
            count(torn.len() as u64, "account"),
            worst.account_id,
            worst.hole_share * 100.0
        ));
    }
    if !coverage.unmapped.is_empty() {
        told.push(format!(
            "{} could not be mapped to IAM actions; no removal is proposed in the services that they could belong to.",
            count(coverage.unmapped.len() as u64, "API")
        ));
    }
    told
}

/// What could not be read, by kind.
fn failures(coverage: &CoverageReport) -> Vec<Failures> {
    let inputs = coverage.failed_inputs.iter().map(|one| {
        let account = one.account_id.map(|account| format!(" in {account}")).unwrap_or_default();
        (Long::of(&format!("{}{account}", one.call)), Long::of(&one.reason))
    });
    let objects = coverage.objects.failed.iter().map(|one| (Long::of(&one.key), Long::of(&one.reason)));
    let records = coverage
        .bad_records
        .iter()
        .map(|one| (Long::of(&format!("{}, record {}", one.key, one.index)), Long::of(&one.reason)));
    let kinds = [
        of_kind("Inputs that could not be read", inputs),
        of_kind("Objects that could not be read", objects),
        of_kind("Records that could not be used", records),
    ];
    kinds.into_iter().filter(|kind| !kind.rows.is_empty()).collect()
}

fn of_kind(title: &'static str, mut rows: impl ExactSizeIterator<Item = (Long, Long)>) -> Failures {
    let rows_shown = rows.by_ref().take(LISTED).collect();
    Failures { title, rows: rows_shown, more: rows.len() as u64 }
}

fn integrity(integrity: &IntegrityReport) -> Vec<String> {
    let reasons = |reasons: &std::collections::BTreeMap<String, u64>| {
        let all: Vec<String> =
            reasons.iter().map(|(why, amount)| format!("{} {}", number(*amount), spoken(why))).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    };
    let (objects, digests) = (&integrity.objects, &integrity.digests);
    vec![
        format!(
            "Log objects: {} verified, {} tampered with, {} missing; not verified: {}.",
            number(objects.verified),
            number(objects.tampered),
            number(objects.missing),
            reasons(&objects.unverified)
        ),
        format!(
            "Digests: {} read, {} verified; not verified: {}.",
            number(digests.read),
            number(digests.verified),
            reasons(&digests.unverified)
        ),
        format!("{} without a verified digest.", count(integrity.gaps.len() as u64, "span of time")),
    ]
}
