//! What the configured trails of one account leave out (S24, S25).
//!
//! A configuration is today's: it only takes away what the records seem to show, and adds nothing to it. Where several
//! trails could have delivered what was read, everything must be recorded by each of them; only trails that deliver to
//! the very folder that was read, over the whole window, complete each other.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::aws::window::{Time, rfc3339};
use crate::aws::{AccountId, Window};
use crate::cloudtrail::configuration::{Configuration, Trail};
use crate::cloudtrail::selectors::Kind;

use super::beside::Beside;

/// Where the events of a service are recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// In any Region.
    Anywhere,
    /// In this Region alone, as an event of a global service (S27).
    Home(&'a str),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Configured<'a> {
    trails: Vec<&'a Trail>,
    /// Whether the trails complete each other; otherwise it is not known which of them was read.
    together: bool,
    /// Whether these are known to be trails of this account, and not only perhaps of its organization.
    of_account: bool,
    /// When the window began.
    since: Time,
}

impl<'a> Configured<'a> {
    /// The trails that may have recorded an account in the window; `None` where the configuration does not tell of it.
    #[must_use]
    pub fn of(configuration: &'a Configuration, account: AccountId, beside: &Beside, window: Window) -> Option<Self> {
        let mut trails = configuration.of(account)?;
        let members = beside.organization.as_ref();
        let is_stranger =
            |trail: &Trail| members.is_some_and(|members| !members.contains(&account)) && trail.account != account;
        let known = trails.len();
        trails.retain(|trail| !is_stranger(trail));
        if trails.is_empty() && known > 0 && !configuration.accounts.contains(&account) {
            return None;
        }
        // Where the organization is not known, its trail may be none of this account's.
        let is_sure = |trail: &Trail| trail.account == account || members.is_some();
        trails.retain(|trail| trail.off_since.is_none_or(|off| off > window.since));
        let delivering: Vec<&Trail> = trails
            .iter()
            .copied()
            .filter(|trail| beside.bucket.as_deref().is_some_and(|source| delivers_to(trail, account, source)))
            .collect();
        let whole = |trail: &&&Trail| {
            trail.started.is_some_and(|on| on <= window.since) && trail.off_since.is_none_or(|off| off >= window.until)
        };
        let lasting: Vec<&Trail> = delivering.iter().filter(whole).copied().collect();
        // Trails of the organization and those of the account deliver to folders apart: which one holds what was read is
        // not known, unless the source is one of them.
        let of_organization = lasting.iter().filter(|trail| trail.is_of_organization).count();
        let alike = of_organization == 0 || of_organization == lasting.len();
        let sure = lasting.iter().all(|trail| is_sure(trail));
        let (trails, together) = match (lasting.is_empty(), delivering.is_empty()) {
            (false, _) => (lasting, alike && sure),
            (true, false) => (delivering, false),
            (true, true) => (trails, false),
        };
        // Those that are not known to complete each other must agree, so one that is sure speaks for all.
        let of_account = trails.iter().any(|trail| is_sure(trail));
        Some(Self { trails, together, of_account, since: window.since })
    }

    /// Whether these are known to be trails of this account, and not only perhaps of its organization.
    #[must_use]
    pub fn is_of_account(&self) -> bool {
        self.of_account
    }

    /// The accounts that own the trails, where changes to them are recorded.
    pub fn owners(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.trails.iter().map(|trail| trail.account)
    }

    /// Whether every Region is recorded.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.ask(|trail| region(trail, Place::Anywhere)).is_ok()
    }

    /// Whether management events of one kind are recorded, for all `sources` (event sources without suffix).
    ///
    /// # Errors
    /// Why not.
    pub fn management(&self, kind: Kind, sources: &[&str], place: Place<'_>) -> Result<(), String> {
        self.ask(|trail| {
            region(trail, place)?;
            trail.selectors.as_ref().map_err(Clone::clone)?.records_management(kind, sources)
        })
    }

    /// Whether data events of one kind are recorded for every resource of a type.
    ///
    /// # Errors
    /// Why not.
    pub fn data(&self, kind: Kind, resource_type: &str) -> Result<(), String> {
        self.ask(|trail| {
            region(trail, Place::Anywhere)?;
            trail.selectors.as_ref().map_err(Clone::clone)?.records_data(kind, resource_type)
        })
    }

    /// What is left out of the management events, for people.
    #[must_use]
    pub fn lacks(&self, home: &str) -> BTreeSet<String> {
        let mut lacks = BTreeSet::new();
        for kind in [Kind::Read, Kind::Write] {
            lacks.extend(self.management(kind, &[], Place::Anywhere).err());
            for source in ["kms", "rdsdata"] {
                lacks.extend(self.management(kind, &[source], Place::Anywhere).err());
            }
        }
        lacks.extend(self.ask(|trail| region(trail, Place::Home(home))).err());
        lacks
    }

    /// A trail that was started within the window, its first day apart, does not tell what recorded before.
    fn began(&self, trail: &Trail) -> Result<(), String> {
        match trail.started.filter(|on| *on - self.since > TimeDelta::days(1)) {
            Some(on) => Err(format!("it was last started on {}, and what recorded before is not known", rfc3339(on))),
            None => Ok(()),
        }
    }

    fn ask(&self, question: impl Fn(&Trail) -> Result<(), String>) -> Result<(), String> {
        let answers = || {
            self.trails.iter().map(|trail| {
                let answer = self.began(trail).and_then(|()| question(trail));
                answer.map_err(|reason| format!("trail `{}`: {reason}", name(trail)))
            })
        };
        if self.trails.is_empty() {
            return Err("the configuration names no trail that was on for this account".to_owned());
        }
        if self.together && answers().any(|answer| answer.is_ok()) {
            return Ok(());
        }
        let Some(reason) = answers().find_map(Result::err) else { return Ok(()) };
        if self.together || self.trails.len() == 1 {
            return Err(reason);
        }
        Err(format!("{reason}, and which of {} trails delivered these records is not known", self.trails.len()))
    }
}

fn name(trail: &Trail) -> &str {
    trail.arn.rsplit('/').next().unwrap_or(&trail.arn)
}

fn region(trail: &Trail, place: Place<'_>) -> Result<(), String> {
    if let Place::Home(_) = place
        && !trail.has_global_events
    {
        return Err("it records no events of global services".to_owned());
    }
    match place {
        _ if trail.is_multi_region => Ok(()),
        Place::Home(home) if home == trail.home_region => Ok(()),
        Place::Home(home) => Err(format!("it records {} only, and global services in {home}", trail.home_region)),
        Place::Anywhere => Err(format!("it records {} only", trail.home_region)),
    }
}

/// Whether what a trail delivers of an account lies below the source, or holds it: then in the folder of the
/// organization for a trail of it, and in that of the account for another.
fn delivers_to(trail: &Trail, account: AccountId, source: &str) -> bool {
    let read = format!("{}/", source.trim_end_matches('/'));
    let place = trail.place();
    if place.starts_with(&read) {
        return true;
    }
    let Some(below) = read.strip_prefix(&place) else { return false };
    let mut steps = below.split('/');
    let first = steps.next().unwrap_or_default();
    if !trail.is_of_organization {
        return first == account.as_str();
    }
    let next = steps.next().unwrap_or_default();
    first.starts_with("o-") && (next.is_empty() || next == account.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;
    use serde_json::{Value, json};

    fn account() -> AccountId {
        AccountId::parse("111122223333").unwrap()
    }

    fn trail(name: &str, bucket: &str, changes: &Value) -> Value {
        let mut trail = json!({"Trail": {"TrailARN": format!("arn:aws:cloudtrail:eu-west-1:111122223333:trail/{name}"),
            "HomeRegion": "eu-west-1", "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true,
            "HasCustomEventSelectors": false, "S3BucketName": bucket},
            "Status": {"IsLogging": true, "StartLoggingTime": "2026-01-01T00:00:00Z"}});
        for (pointer, value) in changes.as_object().unwrap() {
            let (parent, key) = pointer.split_once('/').unwrap();
            trail[parent][key] = value.clone();
        }
        trail
    }

    fn at(bucket: Option<&str>) -> Beside {
        Beside { bucket: bucket.map(str::to_owned), ..Beside::default() }
    }

    fn configuration(trails: &[Value]) -> Configuration {
        let mut configuration = Configuration::default();
        configuration.add(&json!({"Account": "111122223333", "Trails": trails}).to_string()).unwrap();
        configuration
    }

    /// Whether reads and writes are recorded anywhere.
    fn check(trails: &[Value], bucket: Option<&str>, expected: (bool, bool)) {
        let configuration = configuration(trails);
        let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
        let configured = Configured::of(&configuration, account(), &at(bucket), window).unwrap();
        let records = |kind| configured.management(kind, &["ec2"], Place::Anywhere).is_ok();
        assert_eq!((records(Kind::Read), records(Kind::Write)), expected, "{trails:?} {bucket:?}");
    }

    fn only(kind: &str) -> Value {
        json!([{"ReadWriteType": kind, "IncludeManagementEvents": true}])
    }

    fn selecting(name: &str, bucket: &str, kind: &str) -> Value {
        let mut trail = trail(name, bucket, &json!({}));
        trail["EventSelectors"] = json!({"EventSelectors": only(kind)});
        trail
    }

    /// S24: a trail of one Region says nothing of the others.
    #[test]
    fn a_trail_of_one_region_records_that_region_only() {
        check(&[trail("t", "b", &json!({}))], None, (true, true));
        let single = trail("t", "b", &json!({"Trail/IsMultiRegionTrail": false}));
        check(std::slice::from_ref(&single), None, (false, false));
        let configuration = configuration(&[single]);
        let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
        let configured = Configured::of(&configuration, account(), &at(None), window).unwrap();
        assert!(configured.management(Kind::Read, &["iam"], Place::Home("us-east-1")).is_err());
        assert!(configured.management(Kind::Read, &["iam"], Place::Home("eu-west-1")).is_ok());
    }

    /// S24, S27: a trail can leave out the events of global services.
    #[test]
    fn global_services_are_left_out_where_the_trail_says_so() {
        let configuration = configuration(&[trail("t", "b", &json!({"Trail/IncludeGlobalServiceEvents": false}))]);
        let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
        let configured = Configured::of(&configuration, account(), &at(None), window).unwrap();
        assert!(configured.management(Kind::Read, &["iam"], Place::Home("us-east-1")).is_err());
        assert!(configured.management(Kind::Read, &["ec2"], Place::Anywhere).is_ok());
    }

    /// S24: trails complete each other only where each is known to deliver to what was read, over the whole window.
    #[test]
    fn trails_complete_each_other_only_in_the_bucket_that_was_read() {
        let both = [selecting("r", "b", "ReadOnly"), selecting("w", "b", "WriteOnly")];
        check(&both, None, (false, false));
        check(&both, Some("s3://b"), (true, true));
        check(&both, Some("s3://b/AWSLogs/111122223333/"), (true, true));
        check(&both, Some("s3://b/other"), (false, false));
        check(&both, Some("s3://bb"), (false, false));
        let elsewhere = [selecting("r", "a", "ReadOnly"), selecting("w", "b", "All")];
        check(&elsewhere, None, (true, false));
        check(&elsewhere, Some("s3://b/"), (true, true));
        let mut young = selecting("r", "b", "ReadOnly");
        young["Status"]["StartLoggingTime"] = json!("2026-06-01T00:00:00Z");
        check(&[young, selecting("w", "b", "WriteOnly")], Some("s3://b"), (false, true));
    }

    /// S24: the trail of an organization and the account's own in one bucket: only what lies in a folder that was read
    /// counts, and from above both it is not known which of them holds it.
    #[test]
    fn a_trail_of_the_organization_completes_no_trail_of_the_account() {
        let mut writes = selecting("w", "b", "WriteOnly");
        writes["Trail"]["IsOrganizationTrail"] = json!(true);
        let configuration = configuration(&[selecting("r", "b", "ReadOnly"), writes]);
        let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
        let records = |source: &str| {
            let configured = Configured::of(&configuration, account(), &at(Some(source)), window).unwrap();
            [Kind::Read, Kind::Write].map(|kind| configured.management(kind, &["ec2"], Place::Anywhere).is_ok())
        };
        assert_eq!(records("s3://b/AWSLogs/o-abc/"), [false, true]);
        assert_eq!(records("s3://b/AWSLogs/111122223333/"), [true, false]);
        assert_eq!(records("s3://b/AWSLogs/444455556666/"), [false, false]);
        assert_eq!(records("s3://b"), [false, false]);
    }

    /// S24: a trail of the organization is one of its accounts only; unknown members may take away, and prove nothing.
    #[test]
    fn a_trail_of_the_organization_is_of_its_accounts() {
        let mut trails = [selecting("r", "b", "ReadOnly"), selecting("w", "b", "WriteOnly")];
        for trail in &mut trails {
            trail["Trail"]["IsOrganizationTrail"] = json!(true);
            trail["Trail"]["TrailARN"] = json!(trail["Trail"]["TrailARN"].as_str().unwrap().replace("1111", "4444"));
        }
        let mut configuration = Configuration::default();
        configuration.add(&json!({"Trails": trails}).to_string()).unwrap();
        let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
        let of = |members: Option<AccountId>| {
            let organization = members.map(|member| BTreeSet::from([member]));
            let beside = Beside { organization, ..at(Some("s3://b/AWSLogs/o-abc")) };
            Configured::of(&configuration, account(), &beside, window)
        };
        let records =
            |configured: &Configured<'_>| configured.management(Kind::Read, &["ec2"], Place::Anywhere).is_ok();
        let member = of(Some(account())).unwrap();
        assert!(member.is_of_account() && records(&member));
        let unknown = of(None).unwrap();
        assert!(!unknown.is_of_account() && !records(&unknown));
        assert!(of(AccountId::parse("999988887777")).is_none());
        // A trail of its own that delivers elsewhere does not vouch for the one that was read.
        let own = selecting("own", "elsewhere", "All");
        configuration.add(&json!({"Account": "111122223333", "Trails": [own]}).to_string()).unwrap();
        let beside = at(Some("s3://b/AWSLogs/o-abc"));
        assert!(!Configured::of(&configuration, account(), &beside, window).unwrap().is_of_account());
    }

    /// S26: a trail that was off before the window delivered nothing of it; with no other there is nothing to go by.
    #[test]
    fn a_trail_that_was_off_is_none() {
        let off = |at: &str| trail("t", "b", &json!({"Status/IsLogging": false, "Status/StopLoggingTime": at}));
        check(&[off("2026-04-01T00:00:00Z")], None, (false, false));
        check(&[off("2026-04-01T00:00:00Z"), selecting("u", "b", "All")], None, (true, true));
        check(&[off("2026-09-01T00:00:00Z")], None, (true, true));
        let never_on = trail("t", "b", &json!({"Status/IsLogging": false}));
        check(&[never_on], None, (false, false));
    }

    /// S24: a trail that was started within the window says nothing of the days before.
    #[test]
    fn a_trail_that_began_within_the_window_is_doubted() {
        let since = |name: &str, at: &str| trail(name, "b", &json!({"Status/StartLoggingTime": at}));
        let young = || since("young", "2026-05-03T00:00:00Z");
        check(&[since("t", "2026-05-01T20:00:00Z")], None, (true, true));
        check(&[young()], None, (false, false));
        check(&[young()], Some("s3://b"), (false, false));
        check(&[young(), since("old", "2026-01-01T00:00:00Z")], None, (false, false));
        check(&[young(), since("old", "2026-01-01T00:00:00Z")], Some("s3://b"), (true, true));
    }

    #[test]
    fn an_account_that_the_configuration_does_not_tell_of_is_left_as_it_is() {
        let configuration = configuration(&[]);
        let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
        let other = AccountId::parse("444455556666").unwrap();
        assert!(Configured::of(&configuration, other, &at(None), window).is_none());
        let known = Configured::of(&configuration, account(), &at(None), window).unwrap();
        assert!(known.management(Kind::Read, &[], Place::Anywhere).is_err());
    }
}
