//! Narrowed resources on the bundled trail: only what is known, only less than before, and every observed call goes on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod bundled;

use std::collections::BTreeSet;

use serde_json::Value;
use thirdtrail::policy::narrow::Narrowing;
use thirdtrail::policy::{NamedPolicy, PolicyDocument, unproven_grants};
use thirdtrail::run::analyze::{Options, Outcome, analyze};
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

use bundled::{file, folder, options, report};

fn narrowed(data_events: &[&str], change: impl FnOnce(&mut Options)) -> (Outcome, Value) {
    let mut options = Options { narrowing: Some(Narrowing::Exact), ..options("vendors", 2) };
    options.beside.complete_data_events.extend(data_events.iter().map(|kind| (*kind).to_owned()));
    change(&mut options);
    let outcome = analyze(&LocalStore::open(&folder("vendors")).unwrap(), &options, &Silent).unwrap();
    let report = report(&outcome);
    (outcome, report)
}

fn roles(report: &Value) -> impl Iterator<Item = &Value> {
    report["roles"].as_array().unwrap().iter()
}

fn statements(role: &Value) -> &[Value] {
    role["rightsizing"]["narrowing"]["statements"].as_array().map_or(&[], Vec::as_slice)
}

fn limited<'a>(report: &'a Value, role: &str, action: &str) -> BTreeSet<&'a str> {
    let of_role = roles(report).filter(|one| one["name"] == role).flat_map(statements);
    let of_action = of_role.filter(|one| one["actions"].as_array().unwrap().iter().any(|name| name == action));
    of_action.flat_map(|one| one["resources"].as_array().unwrap()).map(|arn| arn.as_str().unwrap()).collect()
}

/// S35, S37: a narrowed proposal lies within the policy as it is, its replay passes, and its numbers are those of the
/// proposal without narrowing.
#[test]
fn narrowed_proposals_are_proven() {
    let (outcome, narrow) = narrowed(&[], |_| {});
    let (_, wide) = narrowed(&[], |options| options.narrowing = None);
    let mut narrowed_roles = 0;
    for (role, plain) in roles(&narrow).zip(roles(&wide)) {
        assert_eq!(role["arn"], plain["arn"]);
        assert_eq!(role["rightsizing"]["removed"], plain["rightsizing"]["removed"], "{}", role["arn"]);
        assert_eq!(role["actions"], plain["actions"]);
        assert!(plain["rightsizing"]["narrowing"].is_null());
        if statements(role).is_empty() {
            continue;
        }
        narrowed_roles += 1;
        assert_eq!(role["rightsizing"]["certificate"]["newly_allowed"], 0);
        assert_eq!(
            role["rightsizing"]["certificate"]["calls_allowed"], plain["rightsizing"]["certificate"]["calls_allowed"],
            "{}",
            role["arn"]
        );
        for policy in role["policies"].as_array().unwrap() {
            let (Some(before), Some(after)) =
                (policy["files"]["current"].as_str(), policy["files"]["rightsized"].as_str())
            else {
                continue;
            };
            let read =
                |path: &str| -> PolicyDocument { String::from_utf8(file(&outcome, path)).unwrap().parse().unwrap() };
            let (before, after) = (read(before), read(after));
            let named = |document| [NamedPolicy { name: "p", document }];
            assert_eq!(unproven_grants(&named(&after), &named(&before)), [], "{}", role["arn"]);
        }
    }
    assert!(narrowed_roles > 5, "{narrowed_roles} roles narrowed");
}

/// S35: a function is limited to itself and its versions in the Regions of its use; keys and objects only when the user
/// vouches for the data events.
#[test]
fn only_fully_recorded_uses_are_narrowed() {
    let (_, report) = narrowed(&[], |_| {});
    let function = limited(&report, "GitHubDeploy", "lambda:UpdateFunctionCode");
    let region = |region: &str| format!("arn:aws:lambda:{region}:012345678901:function:nightly-report");
    let both = [region("eu-west-1"), region("us-east-1")];
    let expected: BTreeSet<String> = both.iter().flat_map(|arn| [arn.clone(), format!("{arn}:*")]).collect();
    assert_eq!(function, expected.iter().map(String::as_str).collect());
    assert!(limited(&report, "OrcaSecurityRole", "kms:Decrypt").is_empty());
    let (_, vouched) = narrowed(&["AWS::S3::Object"], |_| {});
    assert!(!limited(&vouched, "OrcaSecurityRole", "kms:Decrypt").is_empty());
}

/// S35: where only some Regions were read, a use elsewhere cannot be ruled out.
#[test]
fn one_region_is_not_enough() {
    let (_, report) = narrowed(&[], |options| options.request.regions = BTreeSet::from(["us-east-1".to_owned()]));
    assert_eq!(roles(&report).flat_map(statements).count(), 0);
}
