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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::catalog::Catalog;
    use crate::policy::certificate::ObservedCall;
    use crate::policy::context::Context;
    use crate::policy::document::PolicyDocument;
    use crate::policy::evaluate::{NamedPolicy, Resource};

    /// S22, S31: what was replayed is counted by action; what was not decided or not replayed says what is missing.
    #[test]
    fn gaps_are_named_and_counted() {
        let condition = json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}});
        let document = PolicyDocument::from_value(&json!({"Statement": [
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Condition": condition},
            {"Effect": "Allow", "Action": "sns:*", "Resource": "arn:aws:sns:::t"}]}))
        .unwrap();
        let call = |action: &str| ObservedCall {
            action: Action::parse(action).unwrap(),
            resource: Resource::Unknown,
            context: Context::partial(),
            id: "event-1".into(),
        };
        let calls = ["s3:GetObject", "s3:GetObject", "sqs:SendMessage", "sns:Publish"].map(call);
        let policies = [NamedPolicy { name: "p", document: &document }];
        let catalog = Catalog::default();
        let baseline = Baseline::of(Holder { policies: &policies, boundaries: &[] }, &calls, &catalog);
        let mut usage = Usage::default();
        usage.unmapped.insert(
            ApiCall::new("odd.amazonaws.com", "DoOddThing"),
            Unmapped { calls: 7, services: ["odd".to_owned()].into() },
        );
        let report = serde_json::to_value(replay(&baseline, &usage)).unwrap();
        assert_eq!(
            report,
            json!({
                "actions": [
                    {"action": "s3:GetObject", "calls": 1, "undecided": 0},
                    {"action": "sns:Publish", "calls": 1, "undecided": 1},
                    {"action": "sqs:SendMessage", "calls": 1, "undecided": 1}],
                "undecided": 2,
                "resource_unknown": 1,
                "condition_keys": [{"key": "aws:SourceVpc", "calls": 1}],
                "unmapped": [{"api": "odd:DoOddThing", "calls": 7}],
            })
        );
    }
}
