//! What a replay can show of one role's calls, and what it cannot: undecided calls with what is missing, unmapped APIs.

use std::collections::BTreeMap;

use crate::activity::usage::{Unmapped, Usage};
use crate::aws::{Action, ApiCall};
use crate::policy::evaluate::Decision;
use crate::policy::guardrail_proof::{Baseline, Holder};
use crate::policy::undecided::missing;

use super::assessment::{MissingKey, ReplayReport, ReplayedAction, UnmappedApi};

/// See the module; the calls are those that a certificate replays.
#[must_use]
pub fn replay(baseline: &Baseline<'_>, usage: &Usage) -> ReplayReport {
    let mut report = ReplayReport::default();
    let mut actions: BTreeMap<&Action, ReplayedAction> = BTreeMap::new();
    let mut keys: BTreeMap<String, MissingKey> = BTreeMap::new();
    let Holder { policies, boundaries } = baseline.holder();
    for (call, decision) in baseline.calls() {
        let none = || ReplayedAction { action: call.action.clone(), calls: 0, undecided: 0 };
        let sums = actions.entry(&call.action).or_insert_with(none);
        sums.calls += 1;
        if decision != Decision::Unknown {
            continue;
        }
        sums.undecided += 1;
        report.undecided += 1;
        let missing = missing(policies, boundaries, call);
        report.resource_unknown += u64::from(missing.resource);
        for (folded, key) in missing.keys {
            let sums = keys.entry(folded).or_insert_with(|| MissingKey { key: key.clone(), calls: 0 });
            sums.key = std::mem::take(&mut sums.key).min(key);
            sums.calls += 1;
        }
    }
    report.actions = actions.into_values().collect();
    report.condition_keys = keys.into_values().collect();
    let unmapped = |(api, unmapped): (&ApiCall, &Unmapped)| UnmappedApi { api: api.to_string(), calls: unmapped.calls };
    report.unmapped = usage.unmapped.iter().map(unmapped).collect();
    report
}
