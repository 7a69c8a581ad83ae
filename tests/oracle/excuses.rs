//! Where the evaluator and AWS's documentation, as we read it, differ: each with its reason and its page.
//!
//! Every entry must be needed: a run in which one excuses nothing fails.

use serde_json::Value;

use super::generator::Case;

/// One known difference.
pub(crate) struct Excuse {
    /// What AWS does and the evaluator does not.
    pub(crate) reason: &'static str,
    /// The page of the IAM User Guide that says so.
    pub(crate) page: &'static str,
    /// Whether it can be the cause in that case.
    pub(crate) applies: fn(&Case) -> bool,
}

pub(crate) const EXCUSES: [Excuse; 3] = [
    Excuse {
        reason: "`${...}` is literal text before Version 2012-10-17; the evaluator replaces it",
        page: "IAM JSON policy elements: Version",
        applies: |case| {
            case.documents().any(|document| document["Version"] != "2012-10-17" && document.to_string().contains("${"))
        },
    },
    Excuse {
        reason: "a star that ends an ARN segment may go on beyond its colon; the evaluator's stays inside",
        page: "IAM JSON policy elements: Resource",
        applies: |case| resources(case).iter().any(|text| star_may_cross(text)),
    },
    Excuse {
        reason: "a wildcard in an action's service prefix is a wildcard; the evaluator compares prefixes literally",
        page: "IAM JSON policy elements: Action",
        applies: |case| {
            actions(case).iter().any(|text| text.split_once(':').is_some_and(|(service, _)| service.contains('*')))
        },
    },
];

/// The texts of these elements in all statements.
fn texts(case: &Case, elements: [&str; 2]) -> Vec<String> {
    let statements = case.documents().flat_map(|document| match &document["Statement"] {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    });
    let values = statements.flat_map(|statement| elements.map(|element| statement.get(element))).flatten();
    values
        .flat_map(|value| match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            value => value.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
        })
        .collect()
}

fn actions(case: &Case) -> Vec<String> {
    texts(case, ["Action", "NotAction"])
}

fn resources(case: &Case) -> Vec<String> {
    texts(case, ["Resource", "NotResource"])
}

fn star_may_cross(text: &str) -> bool {
    let segments: Vec<&str> = text.splitn(6, ':').collect();
    !text.bytes().all(|byte| byte == b'*') && segments.iter().take(5).any(|segment| segment.ends_with('*'))
}
