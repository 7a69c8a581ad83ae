//! The policy engine by itself: decisions a second on one core, and the expansion of a large policy.
//!
//! `cargo bench --bench policy [-- FILE]`: `evaluate` decides seeded requests under a set of 50 statements that was compiled
//! once; `compile` makes that set; `expand` lists what a policy grants over the catalog: FILE (a policy document, for
//! example `ReadOnlyAccess`), else a policy of reads in every service that is as long as that one. Medians of 9 rounds.
//! Nothing here asserts a time.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark: it prints its table and may break off"
)]

use std::collections::BTreeSet;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};
use thirdtrail::aws::Action;
use thirdtrail::policy::{Catalog, Context, Decision, InForce, NamedPolicy, PolicyDocument, PolicySet, Request};
use thirdtrail::policy::{Resource, expand};

const ROUNDS: usize = 9;
const REQUESTS: usize = 200_000;
const SERVICES: [&str; 10] = ["s3", "ec2", "sqs", "sns", "kms", "dynamodb", "lambda", "rds", "logs", "iam"];

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Catalog::builtin();
    let document = PolicyDocument::from_value(&statements())?;
    let policy = [NamedPolicy { name: "bench", document: &document }];
    let in_force = InForce { identity: &policy, ..InForce::default() };
    let set = PolicySet::new(in_force);
    let requests = requests(catalog);

    let allowed = requests.iter().filter(|request| set.evaluate(request).decision == Decision::Allowed).count();
    println!("{} statements, {} requests, {allowed} of them allowed", document.statements.len(), requests.len());
    let seconds = median(|| {
        for request in &requests {
            black_box(set.evaluate(black_box(request)));
        }
    });
    println!("evaluate   {:>10.0} decisions a second on one core", requests.len() as f64 / seconds);
    println!("compile    {:>10.1} microseconds", median(|| drop(black_box(PolicySet::new(black_box(in_force))))) * 1e6);

    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let (name, large) = match &file {
        Some(path) => (path.as_str(), std::fs::read_to_string(path)?.parse::<PolicyDocument>()?),
        None => ("reads in every service", PolicyDocument::from_value(&reads(catalog))?),
    };
    let named = [NamedPolicy { name, document: &large }];
    let granted = expand(&named, &[], catalog).grants.len();
    let seconds = median(|| drop(black_box(expand(black_box(&named), &[], catalog))));
    println!("expand     {:>10.2} milliseconds for {granted} actions of {name}", seconds * 1e3);
    Ok(())
}

/// Seconds of the median round.
fn median(mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}

/// 50 statements of the kinds that vendors write: wildcards, lists, ARNs, variables, conditions, a few denials.
fn statements() -> Value {
    let statement = |at: usize| {
        let service = SERVICES[at % SERVICES.len()];
        let resource = match at % 4 {
            0 => json!("*"),
            1 => json!([format!("arn:aws:{service}:*:111122223333:thing/*"), format!("arn:aws:{service}:::x-{at}")]),
            2 => json!(format!("arn:aws:{service}:eu-*-1:111122223333:thing/a?c/*")),
            _ => json!(format!("arn:aws:{service}:::${{aws:PrincipalTag/team, 'none'}}/*")),
        };
        let actions = json!([format!("{service}:Get*"), format!("{service}:List*Tags"), format!("{service}:Put{at}")]);
        let mut out = json!({
            "Sid": format!("S{at}"), "Action": actions, "Resource": resource,
            "Effect": if at % 12 == 11 { "Deny" } else { "Allow" },
        });
        if at.is_multiple_of(5) {
            out["Condition"] = json!({
                "StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]},
                "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
            });
        }
        out
    };
    json!({"Version": "2012-10-17", "Statement": (0..50).map(statement).collect::<Vec<Value>>()})
}

/// Requests in a fixed order that touch all of the statements.
fn requests(catalog: &Catalog) -> Vec<Request> {
    let wanted = |action: &&Action| SERVICES.contains(&action.service());
    let actions: Vec<&Action> = catalog.iter().map(|info| &info.action).filter(wanted).collect();
    let request = |at: usize| {
        let action = actions[at * 7919 % actions.len()];
        let resource = match at % 3 {
            0 => format!("arn:aws:{}:eu-west-1:111122223333:thing/abc/{at}", action.service()),
            1 => format!("arn:aws:{}:::red/{at}", action.service()),
            _ => format!("arn:aws:{}:us-east-1:111122223333:thing/{at}", action.service()),
        };
        let context = Context::complete()
            .with("aws:RequestedRegion", [if at.is_multiple_of(2) { "eu-west-1" } else { "us-east-1" }])
            .with("aws:SourceIp", ["203.0.113.9"])
            .with("aws:PrincipalTag/team", ["red"]);
        Request { action: action.clone(), resource: Resource::Known(resource), context }
    };
    (0..REQUESTS).map(request).collect()
}

/// As many patterns as AWS's `ReadOnlyAccess` has.
fn reads(catalog: &Catalog) -> Value {
    let services: BTreeSet<&str> = catalog.iter().map(|info| info.action.service()).collect();
    let verbs = ["Get*", "List*", "Describe*", "BatchGet*", "View*"];
    let patterns: Vec<String> =
        services.iter().flat_map(|service| verbs.map(|verb| format!("{service}:{verb}"))).collect();
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": patterns, "Resource": "*"}})
}
