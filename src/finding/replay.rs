//! What a replay can show of one role's calls, and what it cannot: undecided calls with what is missing, unmapped APIs.

use std::collections::{BTreeMap, HashSet};

use crate::activity::usage::Usage;
use crate::aws::Action;
use crate::policy::certificate::ObservedCall;
use crate::policy::undecided::missing;

use super::assessment::{MissingKey, ReplayReport, ReplayedAction, UnmappedApi};
use super::proposal::Granted;

/// See the module; `calls` are those that a certificate replays.
#[must_use]
pub fn replay(granted: &Granted<'_>, calls: &[ObservedCall], usage: &Usage) -> ReplayReport {
    let mut report = ReplayReport::default();
    let mut actions: BTreeMap<&Action, (u64, u64)> = BTreeMap::new();
    let mut keys: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = HashSet::new();
    for call in calls.iter().filter(|call| seen.insert((&call.action, &call.resource, &call.context))) {
        let sums = actions.entry(&call.action).or_default();
        sums.0 += 1;
        let Some(missing) = missing(&granted.named, &granted.boundaries, call) else { continue };
        sums.1 += 1;
        report.undecided += 1;
        report.resource_unknown += u64::from(missing.resource);
        for key in missing.keys {
            *keys.entry(key).or_default() += 1;
        }
    }
    let replayed =
        |(action, (calls, undecided)): (&Action, _)| ReplayedAction { action: action.clone(), calls, undecided };
    report.actions = actions.into_iter().map(replayed).collect();
    report.condition_keys = keys.into_iter().map(|(key, calls)| MissingKey { key, calls }).collect();
    let unmapped = |(api, unmapped): (&crate::aws::ApiCall, &crate::activity::usage::Unmapped)| UnmappedApi {
        api: api.to_string(),
        calls: unmapped.calls,
    };
    report.unmapped = usage.unmapped.iter().map(unmapped).collect();
    report
}
