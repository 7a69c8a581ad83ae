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

pub(crate) const EXCUSES: [Excuse; 9] = [
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
        applies: |case| texts(case, ["Resource", "NotResource"]).iter().any(|text| star_may_cross(text)),
    },
    Excuse {
        reason: "wildcards may stand anywhere (AWS's own policies have `*/*`); the evaluator takes the type literally",
        page: "IAM JSON policy elements: Resource",
        applies: |case| texts(case, ["Resource", "NotResource"]).iter().any(|text| type_is_open(text)),
    },
    Excuse {
        reason: "a wildcard in an action's service prefix is one; the evaluator compares prefixes literally",
        page: "IAM JSON policy elements: Action",
        applies: |case| texts(case, ["Action", "NotAction"]).iter().any(|text| prefix_is_open(text)),
    },
    Excuse {
        reason: "`${*}`, `${?}`, `${$}` are their character for all string operators; for the evaluator in patterns only",
        page: "IAM policy elements: Variables and tags",
        applies: |case| {
            let special = |wanted: &String| ["${*}", "${?}", "${$}"].iter().any(|variable| wanted.contains(variable));
            conditions(case).any(|met| met.operator.contains("Equals") && met.wanted.iter().any(special))
        },
    },
    Excuse {
        reason: "seconds since 1970 and ISO 8601 name the same times; the evaluator takes seconds for milliseconds",
        page: "IAM JSON policy elements: Condition operators",
        applies: |case| {
            let epoch = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit());
            conditions(case).any(|met| met.operator.contains("Date") && met.pairs().any(|(a, b)| epoch(a) != epoch(b)))
        },
    },
    Excuse {
        reason: "an IPv6 address has many spellings and is in no IPv4 range; the evaluator compares texts",
        page: "IAM JSON policy elements: Condition operators",
        applies: |case| {
            let single_v6 = |a: &str, b: &str| !b.contains('/') && (a.contains(':') || b.contains(':'));
            conditions(case).any(|met| met.operator.contains("IpAddress") && met.pairs().any(|(a, b)| single_v6(a, b)))
        },
    },
    Excuse {
        reason: "`0.0.0.0/0` holds every IPv4 address; to the evaluator it holds one",
        page: "IAM JSON policy elements: Condition operators",
        applies: |case| {
            conditions(case)
                .any(|met| met.operator.contains("IpAddress") && met.wanted.iter().any(|a| a == "0.0.0.0/0"))
        },
    },
    Excuse {
        reason: "a key without any value is null; to the evaluator it is there",
        page: "Single-valued vs. multivalued context keys",
        applies: |case| conditions(case).any(|met| met.given.as_ref().is_some_and(Vec::is_empty)),
    },
];

/// A condition of a policy together with what the request has of its key.
struct Met {
    operator: String,
    wanted: Vec<String>,
    given: Option<Vec<String>>,
}

impl Met {
    /// Every value of the request with every value of the policy.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = self.given.iter().flatten();
        given.flat_map(|given| self.wanted.iter().map(|wanted| (given.as_str(), wanted.as_str())))
    }
}

fn conditions(case: &Case) -> impl Iterator<Item = Met> {
    let given = |key: &str| {
        case.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| strings(value))
    };
    let blocks = statements(case).filter_map(|statement| statement.get("Condition")?.as_object());
    blocks.flatten().filter_map(|(operator, keys)| Some((operator, keys.as_object()?))).flat_map(
        move |(operator, keys)| {
            let met = move |(key, wanted): (&String, &Value)| Met {
                operator: operator.clone(),
                wanted: strings(wanted),
                given: given(key),
            };
            keys.iter().map(met).collect::<Vec<_>>()
        },
    )
}

fn statements(case: &Case) -> impl Iterator<Item = &Value> {
    case.documents().flat_map(|document| match &document["Statement"] {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    })
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// The texts of these elements in all statements.
fn texts(case: &Case, elements: [&str; 2]) -> Vec<String> {
    let values = statements(case).flat_map(|statement| elements.map(|element| statement.get(element)));
    values.flatten().flat_map(strings).collect()
}

fn prefix_is_open(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, _)| service.contains('*'))
}

fn star_may_cross(text: &str) -> bool {
    let segments: Vec<&str> = text.splitn(6, ':').collect();
    !text.bytes().all(|byte| byte == b'*') && segments.iter().take(5).any(|segment| segment.ends_with('*'))
}

/// Whether what stands before the first slash or colon of the resource is not plain; S3's ARNs have no type.
fn type_is_open(text: &str) -> bool {
    let resource = text.splitn(6, ':').nth(5).unwrap_or_default();
    let kind = resource.split_once(['/', ':']).map_or("", |(kind, _)| kind);
    !text.starts_with("arn:aws:s3:::") && kind.contains(['*', '?', '$'])
}
