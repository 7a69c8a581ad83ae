//! What the key of an object tells before it is read: is it a log, of which account, Region and delivery day.
//!
//! Layout (S1): `[prefix/]AWSLogs/[o-orgid/]<account>/CloudTrail/<region>/yyyy/mm/dd/<file>.json.gz`, with
//! `CloudTrail-Digest` and `CloudTrail-Insight` as neighbours of `CloudTrail` (S2). Source: AWS CloudTrail User Guide,
//! "Finding your CloudTrail log files".

use chrono::NaiveDate;

use crate::aws::AccountId;

/// What an object is, judged by its key alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ObjectKind {
    /// A log object: holds records.
    Log,
    /// A digest: proves that the trail was on, holds no records.
    Digest,
    /// An Insights object.
    Insight,
    /// Anything else.
    Other,
}

impl ObjectKind {
    /// The word under which skipped objects are counted.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Digest => "digest",
            Self::Insight => "insight",
            Self::Other => "other",
        }
    }
}

/// The parts of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectKey<'a> {
    /// By folder and ending.
    pub kind: ObjectKind,
    /// Whether the key lies in an `<account>/CloudTrail*/` folder.
    pub in_layout: bool,
    /// The account whose trail delivered it.
    pub account: Option<AccountId>,
    /// The Region whose events it holds.
    pub region: Option<&'a str>,
    /// The day it was delivered, which is not the day of its events (S3).
    pub delivered: Option<NaiveDate>,
}

impl<'a> ObjectKey<'a> {
    /// Takes a key apart; never fails, an unknown key is [`ObjectKind::Other`].
    #[must_use]
    pub fn parse(key: &'a str) -> Self {
        let segments: Vec<&str> = key.split('/').collect();
        let readable = is_readable(segments.last().copied().unwrap_or_default());
        for (at, pair) in segments.windows(2).enumerate() {
            let [account, folder] = pair else { continue };
            let (Some(account), Some(kind)) = (AccountId::parse(account), trail_folder(folder)) else { continue };
            let kind = if kind == ObjectKind::Log && !readable { ObjectKind::Other } else { kind };
            let mut rest = segments.iter().skip(at + 2).copied();
            let region = rest.next().filter(|region| !region.is_empty() && segments.len() > at + 3);
            return Self { kind, in_layout: true, account: Some(account), region, delivered: day_of(rest) };
        }
        Self::from_file_name(segments.last().copied().unwrap_or_default(), readable)
    }

    /// `<account>_CloudTrail_<region>_<yyyymmddThhmmZ>_<unique>.json.gz`, for logs copied out of their folders.
    fn from_file_name(name: &'a str, readable: bool) -> Self {
        let kind = if readable { ObjectKind::Log } else { ObjectKind::Other };
        let mut parts = name.split('_');
        let account = parts.next().and_then(AccountId::parse);
        let folder = parts.next().and_then(trail_folder);
        let (Some(account), Some(folder)) = (account, folder) else {
            return Self { kind, in_layout: false, account: None, region: None, delivered: None };
        };
        let region = parts.next();
        let delivered =
            parts.next().and_then(|time| time.get(..8)).and_then(|day| NaiveDate::parse_from_str(day, "%Y%m%d").ok());
        let kind = if kind == ObjectKind::Log { folder } else { kind };
        Self { kind, in_layout: false, account: Some(account), region, delivered }
    }
}

fn trail_folder(name: &str) -> Option<ObjectKind> {
    match name {
        "CloudTrail" => Some(ObjectKind::Log),
        "CloudTrail-Digest" => Some(ObjectKind::Digest),
        "CloudTrail-Insight" => Some(ObjectKind::Insight),
        _ if name.starts_with("CloudTrail-") => Some(ObjectKind::Other),
        _ => None,
    }
}

fn is_readable(name: &str) -> bool {
    const ENDINGS: [&str; 7] = [".json.gz", ".json", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".gz"];
    !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn day_of<'a>(mut segments: impl Iterator<Item = &'a str>) -> Option<NaiveDate> {
    let (year, month, day) = (segments.next()?, segments.next()?, segments.next()?);
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, kind: ObjectKind, account: Option<&str>, region: Option<&str>, day: Option<&str>) {
        let parsed = ObjectKey::parse(key);
        assert_eq!(parsed.kind, kind, "{key}");
        assert_eq!(parsed.account.map(|account| account.to_string()).as_deref(), account, "{key}");
        assert_eq!(parsed.region, region, "{key}");
        assert_eq!(parsed.delivered.map(|day| day.to_string()).as_deref(), day, "{key}");
    }

    /// S1: all layouts and partitions.
    #[test]
    fn log_keys_tell_account_region_and_day() {
        let (account, day) = (Some("012345678901"), Some("2026-06-03"));
        check(
            "AWSLogs/012345678901/CloudTrail/us-east-1/2026/06/03/x.json.gz",
            ObjectKind::Log,
            account,
            Some("us-east-1"),
            day,
        );
        check(
            "some/prefix/AWSLogs/o-abc123/012345678901/CloudTrail/cn-north-1/2026/06/03/x.json.gz",
            ObjectKind::Log,
            account,
            Some("cn-north-1"),
            day,
        );
        check(
            "copied/012345678901_CloudTrail_us-gov-west-1_20260603T0005Z_AbC.json.gz",
            ObjectKind::Log,
            account,
            Some("us-gov-west-1"),
            day,
        );
        check("records.jsonl", ObjectKind::Log, None, None, None);
    }

    /// S2: digests, Insights and other objects are told apart.
    #[test]
    fn neighbours_of_logs_are_not_logs() {
        let base = "AWSLogs/012345678901";
        let (account, day) = (Some("012345678901"), Some("2026-06-03"));
        let check_kind = |folder: &str, kind| {
            let key = format!("{base}/{folder}/eu-west-1/2026/06/03/x.json.gz");
            check(&key, kind, account, Some("eu-west-1"), day);
        };
        check_kind("CloudTrail-Digest", ObjectKind::Digest);
        check_kind("CloudTrail-Insight", ObjectKind::Insight);
        check_kind("CloudTrail-NetworkActivity", ObjectKind::Other);
        check("AWSLogs/012345678901/Config/x.txt", ObjectKind::Other, None, None, None);
        check("012345678901_CloudTrail-Digest_eu_20260603T0005Z.json.gz", ObjectKind::Digest, account, Some("eu"), day);
    }
}
