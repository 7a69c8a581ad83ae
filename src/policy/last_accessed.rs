//! IAM's own record of when a role last tried each action: a second witness beside the trail (S25a).
//!
//! Read from the answers of `aws iam get-service-last-accessed-details` for reports made with
//! `--granularity ACTION_LEVEL`, role by role. IAM tracks some management actions only, counts refused attempts, and
//! tells the last attempt, not the first. So it is heard as a veto always; and as a witness that an action was not used
//! only where it certainly looked: at an action that it tracks for this role, over the whole window.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;

use crate::aws::window::{Time, Window, parse_time, rfc3339};
use crate::aws::{Action, Arn};

/// IAM looks back this far. Source: IAM User Guide, "Refine permissions using last accessed information".
const TRACKED: TimeDelta = TimeDelta::days(400);
/// Recent attempts usually appear within four hours (ibid.); a day is waited, because "usually" is not "always".
const DELAY: TimeDelta = TimeDelta::days(1);

/// Why a file holds no last-accessed details.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LastAccessedError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("it has no list `Roles`")]
    Shape,
    /// An entry without what makes it one.
    #[error("entry {0} of `Roles` has no readable `Arn` and `Details` of a completed report")]
    Entry(usize),
}

/// What IAM tells of one role.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Report {
    /// Tracked actions.
    actions: BTreeMap<Action, Tracked>,
    /// The last attempt to use any service.
    last: Option<Time>,
}

/// What IAM tells of one action of a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Tracked {
    /// When the latest report that lists the action was asked for: another one does not tell of it.
    asked: Option<Time>,
    /// The last attempt.
    last: Option<Time>,
}

/// What IAM has to say about one action of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Testimony {
    /// Tried at that time, in the window or later: not unused.
    Tried(Time),
    /// Not tried in the window, which IAM watched whole; the words say how that is known.
    NotTried(String),
    /// Nothing that decides.
    Nothing,
}

/// The reports of all roles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LastAccessed {
    roles: BTreeMap<String, Report>,
    /// The earliest attempt that IAM shows of each action, by any role: it tracked the action by then.
    tracked_by: BTreeMap<Action, Time>,
}

impl LastAccessed {
    /// Adds one file: JSON values with `Roles`, each an `Arn` and the `Details` that IAM answered.
    ///
    /// # Errors
    /// [`LastAccessedError`] with the first thing that is wrong.
    pub fn add(&mut self, json: &str) -> Result<(), LastAccessedError> {
        let mut any = false;
        for value in serde_json::Deserializer::from_str(json).into_iter::<Value>() {
            let value = value.map_err(|error| LastAccessedError::Json(error.to_string()))?;
            let roles = value.get("Roles").and_then(Value::as_array).ok_or(LastAccessedError::Shape)?;
            for (at, entry) in roles.iter().enumerate() {
                self.add_role(entry).ok_or(LastAccessedError::Entry(at + 1))?;
            }
            any = true;
        }
        if any { Ok(()) } else { Err(LastAccessedError::Json("empty file".to_owned())) }
    }

    fn add_role(&mut self, entry: &Value) -> Option<()> {
        let arn = entry["Arn"].as_str().filter(|arn| Arn::parse(arn).is_some())?;
        let details = &entry["Details"];
        let services = details["ServicesLastAccessed"].as_array()?;
        if details["JobStatus"] != "COMPLETED" {
            return None;
        }
        let report = self.roles.entry(arn.to_owned()).or_default();
        let asked = time(&details["JobCreationDate"]);
        for service in services {
            report.last = report.last.max(time(&service["LastAuthenticated"]));
            let prefix = service["ServiceNamespace"].as_str().unwrap_or_default();
            for tracked in service["TrackedActionsLastAccessed"].as_array().into_iter().flatten() {
                let Some(action) = action(prefix, &tracked["ActionName"]) else { continue };
                let at = time(&tracked["LastAccessedTime"]);
                if let Some(at) = at {
                    let first = self.tracked_by.entry(action.clone()).or_insert(at);
                    *first = at.min(*first);
                }
                let known = report.actions.entry(action).or_default();
                *known = Tracked { asked: known.asked.max(asked), last: known.last.max(at) };
            }
        }
        Some(())
    }

    /// The last attempt of a role to use any service.
    #[must_use]
    pub fn last_of(&self, role_arn: &str) -> Option<Time> {
        let report = self.roles.get(role_arn)?;
        report.last.max(report.actions.values().filter_map(|tracked| tracked.last).max())
    }

    /// What IAM says about one action of a role in a window.
    ///
    /// That it was not tried counts only if the report was asked for a day after the window's end or later, the window
    /// lies within the 400 days that IAM looks back, and IAM shows an attempt of this very action, by any role, from
    /// before the window: services and actions join the tracked ones over time, and nothing else tells since when.
    #[must_use]
    pub fn says(&self, role_arn: &str, action: &Action, window: Window) -> Testimony {
        let Some(report) = self.roles.get(role_arn) else { return Testimony::Nothing };
        let Some(Tracked { asked, last }) = report.actions.get(action) else { return Testimony::Nothing };
        if let Some(at) = last.filter(|at| *at >= window.since) {
            return Testimony::Tried(at);
        }
        let tracked = self.tracked_by.get(action).is_some_and(|first| *first <= window.since);
        match *asked {
            Some(asked) if tracked && window.until + DELAY <= asked && asked - TRACKED <= window.since => {
                let last = last.map_or_else(|| "never".to_owned(), rfc3339);
                Testimony::NotTried(format!("IAM's last-accessed data of {} shows none (last: {last})", rfc3339(asked)))
            }
            _ => Testimony::Nothing,
        }
    }
}

fn time(value: &Value) -> Option<Time> {
    value.as_str().and_then(parse_time)
}

/// `GetUser` of `iam`, or `iam:GetUser`.
fn action(prefix: &str, name: &Value) -> Option<Action> {
    let name = name.as_str()?;
    if name.contains(':') { Action::parse(name) } else { Action::parse(&format!("{prefix}:{name}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ROLE: &str = "arn:aws:iam::111122223333:role/Vendor";
    const OTHER: &str = "arn:aws:iam::111122223333:role/Other";

    fn entry(arn: &str, asked: &str, actions: &[(&str, Option<&str>)]) -> Value {
        let tracked: Vec<Value> =
            actions.iter().map(|(name, at)| json!({"ActionName": name, "LastAccessedTime": at})).collect();
        json!({"Arn": arn, "Details": {"JobStatus": "COMPLETED", "JobCreationDate": asked,
            "ServicesLastAccessed": [{"ServiceNamespace": "ec2", "LastAuthenticated": null,
                "TrackedActionsLastAccessed": tracked}]}})
    }

    fn says(entries: &[Value], action: &str) -> Testimony {
        let mut known = LastAccessed::default();
        known.add(&json!({"Roles": entries}).to_string()).unwrap();
        let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
        known.says(ROLE, &Action::parse(action).unwrap(), window)
    }

    /// S25a: an attempt in the window or after it is a veto, whatever else is known.
    #[test]
    fn an_attempt_since_the_window_began_is_heard() {
        let tried = |at: &str| says(&[entry(ROLE, "2026-07-01", &[("RunInstances", Some(at))])], "ec2:runinstances");
        assert_eq!(tried("2026-05-01T00:00:00Z"), Testimony::Tried(parse_time("2026-05-01").unwrap()));
        assert!(matches!(tried("2026-09-01T00:00:00Z"), Testimony::Tried(_)));
        assert_eq!(tried("2026-04-30T23:59:59Z"), Testimony::Nothing);
    }

    /// S25a: IAM's silence counts only where it looked at that action over the whole window.
    #[test]
    fn silence_counts_only_where_iam_looked() {
        let old = |asked: &str| vec![entry(ROLE, asked, &[("RunInstances", Some("2026-04-01T00:00:00Z"))])];
        assert!(matches!(says(&old("2026-08-02"), "ec2:RunInstances"), Testimony::NotTried(_)));
        // Asked too early; asked so late that IAM no longer looks back to the window's first days.
        assert_eq!(says(&old("2026-08-01"), "ec2:RunInstances"), Testimony::Nothing);
        assert_eq!(says(&old("2027-08-01"), "ec2:RunInstances"), Testimony::Nothing);
        // Not tracked for this role.
        assert_eq!(says(&old("2026-08-02"), "ec2:StopInstances"), Testimony::Nothing);
    }

    /// S25a: never tried by this role is silence only if another role's attempt shows that IAM tracked the action then.
    #[test]
    fn never_counts_only_for_actions_that_iam_is_known_to_have_tracked() {
        let never = entry(ROLE, "2026-08-02", &[("RunInstances", None)]);
        assert_eq!(says(std::slice::from_ref(&never), "ec2:RunInstances"), Testimony::Nothing);
        let other = |at: &str| entry(OTHER, "2026-08-02", &[("RunInstances", Some(at))]);
        assert!(matches!(says(&[never.clone(), other("2026-05-01")], "ec2:RunInstances"), Testimony::NotTried(_)));
        assert_eq!(says(&[never, other("2026-05-02")], "ec2:RunInstances"), Testimony::Nothing);
    }

    /// S25a: a later report that does not list an action says nothing of it.
    #[test]
    fn a_report_dates_only_the_actions_that_it_lists() {
        let other = entry(OTHER, "2026-08-02", &[("RunInstances", Some("2026-05-01"))]);
        let old = || entry(ROLE, "2026-06-01", &[("RunInstances", None)]);
        let newer = |actions: &[(&str, Option<&str>)]| entry(ROLE, "2026-08-02", actions);
        let says = |new: Value| says(&[old(), new, other.clone()], "ec2:RunInstances");
        assert_eq!(says(newer(&[("StopInstances", None)])), Testimony::Nothing);
        assert!(matches!(says(newer(&[("RunInstances", None)])), Testimony::NotTried(_)));
    }

    #[test]
    fn reports_that_did_not_complete_are_refused() {
        let mut failed = entry(ROLE, "2026-08-02", &[]);
        failed["Details"]["JobStatus"] = json!("FAILED");
        let refuse = |json: &str| LastAccessed::default().add(json).unwrap_err();
        assert_eq!(refuse(&json!({"Roles": [failed]}).to_string()), LastAccessedError::Entry(1));
        assert_eq!(refuse("{}"), LastAccessedError::Shape);
        assert!(matches!(refuse(""), LastAccessedError::Json(_)));
    }
}
