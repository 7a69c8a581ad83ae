//! What would be read, and what not and why, decided by keys alone: no object is opened.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use crate::aws::AccountId;
use crate::aws::window::{Time, Window};
use crate::cloudtrail::object_key::{ObjectKey, ObjectKind};
use crate::store::Entry;

use super::UserError;
use super::listing::{FOLDER as LISTINGS, is_listing};

/// What the user asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// First moment, if given.
    pub since: Option<Time>,
    /// First moment after, if given.
    pub until: Option<Time>,
    /// Only these accounts; empty for all.
    pub accounts: BTreeSet<AccountId>,
    /// Only these Regions; empty for all.
    pub regions: BTreeSet<String>,
    /// Whether digests are wanted as well, to verify the objects with.
    pub with_digests: bool,
}

/// Which objects will be read.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// To be read, by key.
    pub objects: Vec<Entry>,
    /// Digests of these objects, if they are wanted, by key.
    pub digests: Vec<Entry>,
    /// Found at the source.
    pub listed: u64,
    /// Not to be read, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Days on which a digest was delivered; once those without objects were looked at (`quiet`), those that their
    /// digests show to have been quiet.
    pub digest_days: BTreeSet<(AccountId, NaiveDate)>,
    /// Digests of days without objects to be read, and of the day after each, by key.
    pub silent_digests: Vec<Entry>,
    /// Regions in which an account's digests were delivered.
    pub digest_regions: BTreeMap<AccountId, BTreeSet<String>>,
    /// Accounts named by keys.
    pub accounts: BTreeSet<AccountId>,
    /// Days of delivery of the objects to be read.
    pub days: BTreeSet<NaiveDate>,
    /// The window asked for, open on a side that was not; the events complete it.
    pub window: Option<Window>,
}

impl Plan {
    /// Bytes to be read, as delivered.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|entry| entry.size_bytes).sum()
    }
}

/// Plans the reading of a listing.
///
/// # Errors
/// Contradictory dates, or nothing to read.
pub fn plan(listing: Vec<Entry>, request: &Request) -> Result<Plan, UserError> {
    check_dates(request)?;
    if listing.is_empty() {
        return Err(UserError::new("the source is empty", "give a folder or prefix that holds CloudTrail log objects"));
    }
    // In a source with a trail's layout, files beside it are somebody's notes, not logs.
    let has_layout = listing.iter().any(|entry| ObjectKey::parse(&entry.key).in_layout);
    let earlier = earlier_outputs(&listing);
    let mut plan = Plan { listed: listing.len() as u64, ..Plan::default() };
    plan.skipped.insert("digest".to_owned(), 0);
    let (mut logs, mut digests) = (0_u64, Vec::new());
    for entry in listing {
        let key = ObjectKey::parse(&entry.key);
        plan.accounts.extend(key.account.filter(|_| key.in_layout));
        if let (ObjectKind::Digest, Some(account), Some(day)) = (key.kind, key.account, key.delivered) {
            plan.digest_days.insert((account, day));
            let regions = plan.digest_regions.entry(account).or_default();
            if let Some(region) = key.region.filter(|region| !regions.contains(*region)) {
                regions.insert(region.to_owned());
            }
        }
        let ours = earlier.iter().any(|folder| entry.key.starts_with(folder));
        let reason = if ours { Some("other") } else { reason_to_skip(&entry.key, &key, has_layout, request) };
        logs += u64::from(!matches!(reason, Some("digest" | "insight" | "other" | "inventory")));
        match reason {
            Some(reason) => {
                *plan.skipped.entry(reason.to_owned()).or_default() += 1;
                if reason == "digest" {
                    digests.push(entry);
                }
            }
            None => {
                plan.days.extend(key.delivered);
                plan.objects.push(entry);
            }
        }
    }
    if plan.objects.is_empty() {
        return Err(nothing_to_read(logs));
    }
    plan.window = window(request);
    let silent = silent_days(&plan, request);
    for entry in digests {
        let key = ObjectKey::parse(&entry.key);
        let of = |day: Option<NaiveDate>| key.account.zip(day).is_some_and(|day| silent.contains(&day));
        if of(key.delivered) || of(key.delivered.and_then(|day| day.pred_opt())) {
            plan.silent_digests.push(entry.clone());
        }
        if wants_digest(&key, request) {
            plan.digests.push(entry);
        }
    }
    Ok(plan)
}

/// Days asked for on which an account with objects has digests alone.
#[must_use]
pub fn silent_days(plan: &Plan, request: &Request) -> BTreeSet<(AccountId, NaiveDate)> {
    if plan.digest_days.is_empty() {
        return BTreeSet::new();
    }
    let mut delivered: BTreeMap<AccountId, BTreeSet<NaiveDate>> = BTreeMap::new();
    for entry in &plan.objects {
        let key = ObjectKey::parse(&entry.key);
        if let (Some(account), Some(day)) = (key.account, key.delivered) {
            delivered.entry(account).or_default().insert(day);
        }
    }
    let asked = |day: NaiveDate| {
        request.since.is_none_or(|since| day >= since.date_naive())
            && request.until.is_none_or(|until| day <= until.date_naive())
    };
    let silent = |(account, day): &&(AccountId, NaiveDate)| {
        asked(*day) && delivered.get(account).is_some_and(|days| !days.contains(day))
    };
    plan.digest_days.iter().filter(silent).copied().collect()
}

/// Dates that contradict each other are told before anything is listed.
///
/// # Errors
/// An end that is not after its beginning.
pub(super) fn check_dates(request: &Request) -> Result<(), UserError> {
    match (request.since, request.until) {
        (Some(since), Some(until)) if since >= until => Err(UserError::new(
            format!(
                "`--since {}` is not before `--until {}`",
                crate::aws::window::rfc3339(since),
                crate::aws::window::rfc3339(until)
            ),
            "exchange them, or leave one out",
        )),
        _ => Ok(()),
    }
}

fn nothing_to_read(logs: u64) -> UserError {
    if logs == 0 {
        UserError::new(
            "the source holds no CloudTrail log object",
            "give the folder above `AWSLogs`, or a folder of `.json.gz`, `.json` or `.jsonl` files",
        )
    } else {
        UserError::new(
            format!("none of the {logs} log objects lies in the window, accounts and Regions asked for"),
            "widen --since, --until, --account or --region",
        )
    }
}

/// Folders, with their final `/`, that hold the outputs of an earlier run, and listings among saved evidence: they are no
/// logs, though they are JSON.
fn earlier_outputs(listing: &[Entry]) -> Vec<String> {
    let keys: BTreeSet<&str> = listing.iter().map(|entry| entry.key.as_str()).collect();
    let holds = |folder: &str, name: &str| keys.contains(format!("{folder}/{name}").as_str());
    let folders = keys.iter().filter_map(|key| key.strip_suffix("/run.json"));
    let ours = folders.filter(|folder| holds(folder, "report.json") && holds(folder, "report.md"));
    let mut ours: Vec<String> = ours.map(|folder| format!("{folder}/")).collect();
    let listings = keys.iter().filter_map(|key| key.rsplit_once(LISTINGS));
    let listings = listings.filter(|(above, name)| {
        (above.is_empty() || above.ends_with('/')) && name.len() == 37 && is_listing(&format!("{LISTINGS}{name}"))
    });
    let folders: BTreeSet<&str> = listings.map(|(above, _)| above).collect();
    // A folder of that name is evidence where shards lie beside it.
    let has_shards = |folder: &&str| {
        let shards = format!("{folder}shards/");
        keys.range(shards.as_str()..).next().is_some_and(|key| key.starts_with(&shards))
    };
    ours.extend(folders.into_iter().filter(has_shards).map(|folder| format!("{folder}{LISTINGS}")));
    ours
}

fn reason_to_skip(name: &str, key: &ObjectKey<'_>, has_layout: bool, request: &Request) -> Option<&'static str> {
    if name == "inventory.json" || name.starts_with("inventory/") && !key.in_layout {
        return Some("inventory");
    }
    if key.kind != ObjectKind::Log {
        return Some(key.kind.word());
    }
    if has_layout && !key.in_layout || name == "truth.json" {
        return Some("other");
    }
    reason_not_asked_for(key, request, 1)
}

fn reason_not_asked_for(key: &ObjectKey<'_>, request: &Request, days_after: u64) -> Option<&'static str> {
    if key.account.is_some_and(|account| !request.accounts.is_empty() && !request.accounts.contains(&account)) {
        return Some("account");
    }
    if key.region.is_some_and(|region| !request.regions.is_empty() && !request.regions.contains(region)) {
        return Some("region");
    }
    // S3: the key tells the day of delivery, so one more day is read on each side.
    let early = |day: NaiveDate| request.since.is_some_and(|since| day + Days::new(1) < since.date_naive());
    let late = |day: NaiveDate| request.until.is_some_and(|until| day > until.date_naive() + Days::new(days_after));
    key.delivered.is_some_and(|day| early(day) || late(day)).then_some("window")
}

/// Whether a log object of that key would be read, were it there.
#[must_use]
pub fn asks_for(request: &Request, key: &ObjectKey<'_>) -> bool {
    key.kind == ObjectKind::Log && reason_not_asked_for(key, request, 1).is_none()
}

/// A digest is delivered after the logs that it names, on the next day at the latest.
fn wants_digest(key: &ObjectKey<'_>, request: &Request) -> bool {
    request.with_digests && reason_not_asked_for(key, request, 2).is_none()
}

/// What reading selects by: the window asked for, open on a side that was not; `None` when neither was.
fn window(request: &Request) -> Option<Window> {
    match (request.since, request.until) {
        (None, None) => None,
        (since, until) => Window::new(since.unwrap_or(Time::MIN_UTC), until.unwrap_or(Time::MAX_UTC)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;

    fn log(day: &str) -> String {
        format!("AWSLogs/111122223333/CloudTrail/us-east-1/{day}/x.json.gz")
    }

    fn listing(keys: &[String]) -> Vec<Entry> {
        keys.iter().map(|key| Entry { key: key.clone(), size_bytes: 1, tag: String::new() }).collect()
    }

    /// S2: what is no log is skipped and counted.
    #[test]
    fn other_objects_are_skipped_and_counted() {
        let digest = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/05/01/d.json.gz".to_owned();
        let keys = [log("2026/05/01"), digest, "inventory.json".to_owned(), "truth.json".to_owned()];
        let plan = plan(listing(&keys), &Request::default()).unwrap();
        assert_eq!(plan.objects.len(), 1);
        let skipped: Vec<(&str, u64)> = plan.skipped.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
        assert_eq!(skipped, [("digest", 1), ("inventory", 1), ("other", 1)]);
        assert_eq!(plan.digest_days.len(), 1);
    }

    /// Somebody who analyzes the folder they stand in has the outputs of the last run in it.
    #[test]
    fn outputs_of_an_earlier_run_are_no_logs() {
        let outputs = ["run.json", "report.json", "report.md", "roles/1/R/p.current.json"];
        let mut keys: Vec<String> = outputs.iter().map(|name| format!("out/{name}")).collect();
        keys.extend(["records.json".to_owned(), "other/run.json".to_owned()]);
        let plan = plan(listing(&keys), &Request::default()).unwrap();
        let read: Vec<&str> = plan.objects.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(read, ["records.json", "other/run.json"]);
        assert_eq!(plan.skipped["other"], 4);
    }

    /// Nor is evidence that somebody keeps in the folder of the trail; a folder that is only named like it holds logs.
    #[test]
    fn saved_evidence_is_no_log() {
        let listing = "listings/0123456789abcdef0123456789abcdef.json";
        let keys = ["records.json", &format!("e/{listing}"), "e/shards/other/01/a.shard", &format!("f/{listing}")];
        for above in ["", "deep/er/"] {
            let keys: Vec<String> = keys.iter().map(|key| format!("{above}{key}")).collect();
            let plan = plan(super::tests::listing(&keys), &Request::default()).unwrap();
            let read: Vec<&str> = plan.objects.iter().map(|entry| &entry.key[above.len()..]).collect();
            assert_eq!(read, ["records.json", &format!("f/{listing}")]);
        }
    }

    /// S3: keys of one more day on each side are read; the window itself stays as asked.
    #[test]
    fn one_more_day_of_keys_is_read_on_each_side() {
        let days = ["2026/05/01", "2026/05/02", "2026/05/03", "2026/05/05", "2026/05/06"];
        let keys: Vec<String> = days.iter().map(|day| log(day)).collect();
        let request =
            Request { since: parse_time("2026-05-03"), until: parse_time("2026-05-04"), ..Request::default() };
        let planned = plan(listing(&keys), &request).unwrap();
        let read: Vec<&str> = planned.objects.iter().map(|entry| &entry.key[42..52]).collect();
        assert_eq!(read, ["2026/05/02", "2026/05/03", "2026/05/05"]);
        assert_eq!(planned.window, Window::new(request.since.unwrap(), request.until.unwrap()));
        assert_eq!(plan(listing(&keys), &Request::default()).unwrap().window, None);
    }

    #[test]
    fn bad_requests_say_what_to_do() {
        let what = |keys: &[String], request: &Request| plan(listing(keys), request).unwrap_err().what;
        let request =
            Request { since: parse_time("2026-05-03"), until: parse_time("2026-05-03"), ..Request::default() };
        assert!(what(&[log("2026/05/01")], &request).contains("not before"));
        assert!(what(&[], &Request::default()).contains("empty"));
        assert!(what(&["notes.txt".to_owned()], &Request::default()).contains("no CloudTrail log object"));
        let later = Request { since: parse_time("2027-01-01"), ..Request::default() };
        assert!(what(&[log("2026/05/01")], &later).contains("none of the 1 log objects"));
    }
}
