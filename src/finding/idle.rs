//! Whether a role is idle (S28): from the later of CloudTrail's and IAM's last activity, in whole days.

use crate::aws::Window;
use crate::aws::window::Time;

use super::assessment::{Idle, LastActivity};

/// What the verdict rests on.
#[derive(Clone, Debug)]
pub struct Signs {
    /// Last activity in the trail.
    pub cloudtrail: Option<Time>,
    /// IAM's `RoleLastUsed`.
    pub iam: Option<Time>,
    /// Whether IAM was asked at the window's end or later: then an empty `RoleLastUsed` means no use in 400 days.
    pub iam_watched: bool,
    /// When the role was created, if the inventory tells.
    pub created: Option<Time>,
    /// The window.
    pub window: Window,
    /// The day from which is counted.
    pub as_of: Time,
    /// Days from which a role is idle.
    pub idle_days: u32,
    /// Whether the account's holes are few enough (S26).
    pub covered: bool,
    /// Why the trail may lack sessions, if it may.
    pub blind: Option<String>,
}

/// A use that IAM tells by ARN, unless it is older than the role: then it was its predecessor's (S18).
#[must_use]
pub fn own_use(last: Time, created: Option<Time>) -> Option<Time> {
    Some(last).filter(|last| created.is_none_or(|created| created <= *last))
}

/// The later of both witnesses.
#[must_use]
pub fn last_activity(signs: &Signs) -> Option<LastActivity> {
    let named = |at: Option<Time>, source: &str| at.map(|at| LastActivity { at, source: source.to_owned() });
    match (signs.cloudtrail, signs.iam) {
        (Some(trail), Some(iam)) if iam > trail => named(Some(iam), "iam"),
        (Some(trail), _) => named(Some(trail), "cloudtrail"),
        (None, iam) => named(iam, "iam"),
    }
}

/// The verdict.
#[must_use]
pub fn judge(signs: &Signs) -> Idle {
    let threshold = i64::from(signs.idle_days);
    let days = last_activity(signs).map(|last| (signs.as_of - last.at).num_days().max(0));
    let verdict = |verdict: &str, reason: String| Idle { days, verdict: verdict.to_owned(), reason };
    if let Some(days) = days.filter(|days| *days < threshold) {
        return verdict("active", format!("last active {} before the report", in_days(days)));
    }
    let age = signs.created.map(|created| (signs.as_of - created).num_days());
    if let Some(age) = age.filter(|age| *age < threshold) {
        return verdict("too_new", format!("created {} before the report and not active since", in_days(age)));
    }
    if !signs.covered {
        return verdict("insufficient_evidence", "the trail of this account has too many holes".to_owned());
    }
    // IAM looks for itself: where it was asked after the window, what the trail leaves out does not matter.
    if let Some(reason) = signs.blind.as_ref().filter(|_| !signs.iam_watched) {
        return verdict("insufficient_evidence", format!("no activity is known, but {reason}"));
    }
    let long_enough = signs.window.whole_days() >= threshold;
    match days {
        Some(days) if long_enough || (signs.iam_watched && signs.iam.is_some()) => {
            verdict("idle", format!("last active {} before the report", in_days(days)))
        }
        Some(_) => verdict("insufficient_evidence", format!("the window is shorter than {threshold} days")),
        None if signs.created.is_none_or(|created| created >= signs.window.since) => verdict(
            "insufficient_evidence",
            "no activity, but it is not known that the role is older than the window".to_owned(),
        ),
        None if signs.iam_watched => {
            verdict("never_used", "no activity in the window, and none in the 400 days that IAM looks back".to_owned())
        }
        None if long_enough => verdict("never_used", "no activity in the window".to_owned()),
        None => verdict("insufficient_evidence", format!("the window is shorter than {threshold} days")),
    }
}

fn in_days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;

    fn time(text: &str) -> Time {
        parse_time(text).unwrap()
    }

    fn signs() -> Signs {
        Signs {
            cloudtrail: None,
            iam: None,
            iam_watched: true,
            created: Some(time("2025-01-01")),
            window: Window::new(time("2026-05-01"), time("2026-08-01")).unwrap(),
            as_of: time("2026-08-01"),
            idle_days: 90,
            covered: true,
            blind: None,
        }
    }

    fn check(signs: Signs, verdict: &str, days: Option<i64>) {
        let idle = judge(&signs);
        assert_eq!((idle.verdict.as_str(), idle.days), (verdict, days), "{signs:?}");
    }

    /// S28: idle from exactly 90 whole days on, by the later of both witnesses.
    #[test]
    fn idle_begins_at_exactly_ninety_days() {
        check(Signs { cloudtrail: Some(time("2026-05-03T00:00:01Z")), ..signs() }, "active", Some(89));
        check(Signs { cloudtrail: Some(time("2026-05-03T00:00:00Z")), ..signs() }, "idle", Some(90));
        check(Signs { iam: Some(time("2026-02-01")), ..signs() }, "idle", Some(181));
        let both = Signs { cloudtrail: Some(time("2026-05-02")), iam: Some(time("2026-07-31")), ..signs() };
        assert_eq!(last_activity(&both).unwrap().source, "iam");
        check(both, "active", Some(1));
    }

    /// S28: never used needs a role older than the window; a young role is too new.
    #[test]
    fn silence_alone_is_not_idleness() {
        check(signs(), "never_used", None);
        check(Signs { created: Some(time("2026-06-01")), ..signs() }, "too_new", None);
        check(Signs { created: Some(time("2026-05-02")), ..signs() }, "insufficient_evidence", None);
        check(Signs { created: None, ..signs() }, "insufficient_evidence", None);
    }

    /// S18, S28: a role that was created anew has nothing of its predecessor.
    #[test]
    fn a_use_from_before_the_role_was_created_is_not_its_own() {
        let used = time("2026-02-01");
        assert_eq!(own_use(used, Some(time("2026-02-02"))), None);
        assert_eq!(own_use(used, Some(used)), Some(used));
        assert_eq!(own_use(used, None), Some(used));
    }

    /// S26, S28: holes or a short window leave no verdict from CloudTrail alone.
    #[test]
    fn thin_evidence_gives_no_idle_verdict() {
        check(Signs { covered: false, ..signs() }, "insufficient_evidence", None);
        let short = Window::new(time("2026-07-01"), time("2026-08-01")).unwrap();
        check(Signs { window: short, iam_watched: false, ..signs() }, "insufficient_evidence", None);
        let known = Signs { window: short, iam: Some(time("2026-02-01")), ..signs() };
        check(known.clone(), "idle", Some(181));
        // An inventory from before the window's end does not tell of what came after it.
        check(Signs { iam_watched: false, ..known }, "insufficient_evidence", Some(181));
        check(Signs { covered: false, cloudtrail: Some(time("2026-07-31")), ..signs() }, "active", Some(1));
    }

    /// S24, S28: a trail that may lack sessions says nothing of idleness, unless IAM looked too.
    #[test]
    fn a_trail_that_may_lack_sessions_leaves_it_to_iam() {
        let blind = || Signs { blind: Some("it records one Region only".to_owned()), ..signs() };
        let old = Some(time("2026-04-01"));
        check(Signs { iam_watched: false, ..blind() }, "insufficient_evidence", None);
        check(Signs { iam_watched: false, cloudtrail: old, ..blind() }, "insufficient_evidence", Some(122));
        let asked_before = Signs { iam: Some(time("2026-02-01")), iam_watched: false, ..blind() };
        check(asked_before, "insufficient_evidence", Some(181));
        check(Signs { iam_watched: false, cloudtrail: Some(time("2026-07-31")), ..blind() }, "active", Some(1));
        check(Signs { cloudtrail: old, ..blind() }, "idle", Some(122));
        check(blind(), "never_used", None);
    }
}
