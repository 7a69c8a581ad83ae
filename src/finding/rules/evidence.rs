//! Findings about the evidence itself: gaps that a reader must know before trusting anything else.

use serde_json::json;

use super::super::assess::Case;
use super::super::assessment::{Assessment, Finding};
use super::super::trail::AccountTrail;
use super::{Draft, count};

pub(super) fn of_coverage(assessment: &Assessment, case: &Case<'_>, found: &mut Vec<Finding>) {
    let coverage = &assessment.coverage;
    for account in &coverage.accounts {
        let id = account.account_id.as_str();
        let draft =
            |code, severity| Draft { code, severity, account: Some(account.account_id), subject: id, party: None };
        if !account.holes.is_empty() {
            let severity = if account.hole_share > case.max_holes { "high" } else { "low" };
            found.push(draft("coverage-hole", severity).finish(
                format!("the trail of {id} has holes on {:.1} % of the days", account.hole_share * 100.0),
                "What happened on these days is not known; above the limit nothing is called unused.".to_owned(),
                json!({"holes": account.holes, "share": account.hole_share, "allowed": case.max_holes}),
                "Find out why no object was delivered; look at the trail's own changes and at the bucket.",
            ));
        }
        let regions: Vec<&str> = account.regions.iter().map(|region| region.region.as_str()).collect();
        let configured = case.trails.get(&account.account_id).and_then(AccountTrail::configured_lacks);
        let one_region = regions.len() == 1 && configured.is_none();
        let partial = if !account.read_events_seen {
            Some("shows no read events")
        } else if !account.write_events_seen {
            Some("shows no write events")
        } else if configured.as_ref().is_some_and(|lacks| !lacks.is_empty()) {
            Some("is configured to record a part only")
        } else if one_region {
            Some("shows events of one Region only")
        } else {
            None
        };
        if let Some(lack) = partial {
            found.push(draft("trail-partial", "medium").finish(
                format!("the trail of {id} {lack}"),
                "A trail that records only a part can prove use, but not the absence of use.".to_owned(),
                json!({"regions": regions, "read_events_seen": account.read_events_seen,
                    "write_events_seen": account.write_events_seen, "configuration_lacks": configured}),
                "Check that the trail covers all Regions and both read and write management events.",
            ));
        }
    }
    unreadable(assessment, found);
    unmapped(assessment, found);
}

fn unreadable(assessment: &Assessment, found: &mut Vec<Finding>) {
    let coverage = &assessment.coverage;
    let failed = coverage.objects.failed.len() as u64;
    if failed == 0 && coverage.records.bad == 0 {
        return;
    }
    let keys: Vec<&str> = coverage.objects.failed.iter().take(20).map(|object| object.key.as_str()).collect();
    let draft = Draft { code: "objects-unreadable", severity: "high", account: None, subject: "source", party: None };
    found.push(draft.finish(
        format!("{} and {} could not be read", count(failed, "object"), count(coverage.records.bad, "record")),
        "Everything else was read. The days of unreadable objects count as holes.".to_owned(),
        json!({"objects": keys, "failed": failed, "bad_records": coverage.records.bad}),
        "Fetch the objects again from the bucket; if they are damaged there, restore them from a replica.",
    ));
}

fn unmapped(assessment: &Assessment, found: &mut Vec<Finding>) {
    let unmapped = &assessment.coverage.unmapped;
    if unmapped.is_empty() {
        return;
    }
    let draft = Draft { code: "events-unmapped", severity: "low", account: None, subject: "source", party: None };
    found.push(draft.finish(
        format!("{} could not be mapped to IAM actions", count(unmapped.len() as u64, "API")),
        "Nothing is removed in the services that these calls could belong to.".to_owned(),
        json!({"apis": unmapped}),
        "Report the event names to the project: each needs one line in its tables.",
    ));
}
