//! The decision on one request: explicit deny first, then identity policies and every boundary must allow.
//!
//! Source: IAM User Guide, "Policy evaluation logic". Session policies, SCPs, RCPs and resource policies are not part of
//! it (S32). Three-valued: where the decision hangs on what is not known, it is [`Decision::Unknown`].

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::condition;
use super::context::Context;
use super::document::{PolicyDocument, Version};
use super::pattern::{Pattern, Resolved, resolve_resource};
use super::statement::{ActionMatch, Effect, ResourceMatch, Statement};
use super::truth::Truth;
use crate::aws::Action;

/// A document with the name it has in reports.
#[derive(Clone, Copy, Debug)]
pub struct NamedPolicy<'a> {
    /// A policy name or ARN.
    pub name: &'a str,
    /// Its document.
    pub document: &'a PolicyDocument,
}

/// Where in which policy; written as `{"policy": .., "statement": ..}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StatementRef {
    /// The policy's name as given in [`NamedPolicy`].
    pub policy: Arc<str>,
    /// Position in the document, from 0; not written.
    pub index: usize,
    /// The `Sid`, or `#1` for the first statement.
    pub statement: Arc<str>,
}

impl StatementRef {
    /// The reference to a statement of `policy`.
    #[must_use]
    pub fn new(policy: &str, statement: &Statement) -> Self {
        Self { policy: Arc::from(policy), index: statement.index, statement: Arc::from(statement.label()) }
    }
}

impl Serialize for StatementRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("StatementRef", 2)?;
        out.serialize_field("policy", self.policy.as_ref())?;
        out.serialize_field("statement", self.statement.as_ref())?;
        out.end()
    }
}

/// What a request touches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resource {
    /// An ARN, or `*` for an action that has no resource.
    Known(String),
    /// Not shown by the record: only `*` certainly matches.
    Unknown,
}

/// One call to be decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The IAM action.
    pub action: Action,
    /// What it touches.
    pub resource: Resource,
    /// Condition keys.
    pub context: Context,
}

/// The answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Certainly allowed.
    Allowed,
    /// Nothing allows it, or a boundary does not.
    ImplicitlyDenied,
    /// A `Deny` holds.
    ExplicitlyDenied,
    /// Depends on what is not known.
    Unknown,
}

/// The answer and the statements that made it: those that deny, else those that allow or may allow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evaluation {
    /// The answer.
    pub decision: Decision,
    /// In the order of the policies.
    pub statements: Vec<StatementRef>,
}

/// Decides one request of the holder of `policies` under `boundaries`, each of which must allow, too.
#[must_use]
pub fn evaluate(policies: &[NamedPolicy<'_>], boundaries: &[NamedPolicy<'_>], request: &Request) -> Evaluation {
    let matches = |document: &PolicyDocument, statement: &Statement| statement_matches(document, statement, request);
    decide(policies, boundaries, &matches)
}

/// Combines the truth of every statement into a decision; shared with trust policies.
pub(super) fn decide(
    policies: &[NamedPolicy<'_>],
    boundaries: &[NamedPolicy<'_>],
    matches: &dyn Fn(&PolicyDocument, &Statement) -> Truth,
) -> Evaluation {
    let mut denied = Truth::False;
    let mut denying = Vec::new();
    for policy in policies.iter().chain(boundaries) {
        for statement in policy.document.statements.iter().filter(|statement| statement.effect == Effect::Deny) {
            let truth = matches(policy.document, statement);
            denied = denied.or(truth);
            if truth == Truth::True {
                denying.push(StatementRef::new(policy.name, statement));
            }
        }
    }
    if denied == Truth::True {
        return Evaluation { decision: Decision::ExplicitlyDenied, statements: denying };
    }
    let mut statements = Vec::new();
    let mut allowed = Truth::any(policies.iter().map(|policy| allows(policy, matches, &mut statements)));
    for boundary in boundaries {
        allowed = allowed.and(allows(boundary, matches, &mut Vec::new()));
    }
    let decision = match allowed.and(denied.negate()) {
        Truth::True => Decision::Allowed,
        Truth::Unknown => Decision::Unknown,
        Truth::False => Decision::ImplicitlyDenied,
    };
    if decision == Decision::ImplicitlyDenied {
        statements.clear();
    }
    Evaluation { decision, statements }
}

fn allows(
    policy: &NamedPolicy<'_>,
    matches: &dyn Fn(&PolicyDocument, &Statement) -> Truth,
    allowing: &mut Vec<StatementRef>,
) -> Truth {
    let mut found = Truth::False;
    for statement in policy.document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        let truth = matches(policy.document, statement);
        found = found.or(truth);
        if truth != Truth::False {
            allowing.push(StatementRef::new(policy.name, statement));
        }
    }
    found
}

fn statement_matches(document: &PolicyDocument, statement: &Statement, request: &Request) -> Truth {
    if !matches_action(&statement.actions, &request.action) {
        return Truth::False;
    }
    let resource = matches_resource(&statement.resources, document.version, &request.resource, &request.context);
    if resource == Truth::False {
        return Truth::False;
    }
    resource.and(condition::all_hold(&statement.conditions, document.version, &request.context))
}

/// Whether a statement's `Action` or `NotAction` covers `action`.
#[must_use]
pub fn matches_action(actions: &ActionMatch, action: &Action) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|text| Pattern::new(text).matches_action(action.as_str()));
    match actions {
        ActionMatch::Action(patterns) => any(patterns),
        ActionMatch::NotAction(patterns) => !any(patterns),
    }
}

fn matches_resource(resources: &ResourceMatch, version: Version, resource: &Resource, context: &Context) -> Truth {
    let any = |patterns: &[String], absent: Truth| {
        Truth::any(patterns.iter().map(|text| match (resolve_resource(text, version, context), resource) {
            (Resolved::Pattern(pattern), Resource::Known(resource)) => pattern.covers_resource(resource),
            (Resolved::Pattern(pattern), Resource::Unknown) if pattern.is_anything() => Truth::True,
            (Resolved::Absent, _) => absent,
            _ => Truth::Unknown,
        }))
    };
    match resources {
        ResourceMatch::Resource(patterns) => any(patterns, Truth::False),
        // AWS does not say whether an absent variable voids the statement or only the pattern.
        ResourceMatch::NotResource(patterns) => any(patterns, Truth::Unknown).negate(),
        // IAM does not accept such an identity policy.
        ResourceMatch::None => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn allow(action: &str, resource: &str) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    fn decide(statements: Value, boundary: Option<Value>, request: &Request) -> Decision {
        let document = |statements| {
            PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
        };
        let (policy, boundary) = (document(statements), boundary.map(document));
        let boundaries: Vec<_> = boundary.iter().map(|document| NamedPolicy { name: "boundary", document }).collect();
        evaluate(&[NamedPolicy { name: "p", document: &policy }], &boundaries, request).decision
    }

    fn get_object(resource: Resource, context: Context) -> Request {
        Request { action: Action::parse("s3:GetObject").unwrap(), resource, context }
    }

    fn known() -> Request {
        get_object(Resource::Known("arn:aws:s3:::b/k".into()), Context::complete())
    }

    /// S32: explicit deny, then boundary and identity policy both allowing.
    #[test]
    fn deny_wins_and_a_boundary_must_allow_too() {
        let deny = json!({"Effect": "Deny", "NotAction": "s3:Put*", "Resource": "*"});
        assert_eq!(decide(json!([allow("s3:*", "*"), deny]), None, &known()), Decision::ExplicitlyDenied);
        assert_eq!(decide(json!([allow("s3:*", "*")]), None, &known()), Decision::Allowed);
        assert_eq!(
            decide(json!([allow("s3:*", "*")]), Some(allow("ec2:*", "*")), &known()),
            Decision::ImplicitlyDenied
        );
        assert_eq!(decide(json!([allow("s3:*", "*")]), Some(allow("S3:get*", "*")), &known()), Decision::Allowed);
        assert_eq!(decide(json!([]), Some(allow("s3:*", "*")), &known()), Decision::ImplicitlyDenied);
        assert_eq!(decide(json!([allow("s3:*", "*")]), Some(deny), &known()), Decision::ExplicitlyDenied);
    }

    /// S31: an unknown resource certainly matches `*` only.
    #[test]
    fn unknown_resources_leave_narrow_statements_undecided() {
        let unknown = get_object(Resource::Unknown, Context::complete());
        assert_eq!(decide(allow("s3:*", "*"), None, &unknown), Decision::Allowed);
        assert_eq!(decide(allow("s3:*", "arn:aws:s3:::b/*"), None, &unknown), Decision::Unknown);
        let deny = json!({"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"});
        assert_eq!(decide(json!([allow("s3:*", "*"), deny]), None, &unknown), Decision::Unknown);
    }

    /// S31: an unknown deny takes certainty from an allow, and none from a denial.
    #[test]
    fn unknown_conditions_make_the_decision_unknown_where_they_matter() {
        let partial = get_object(Resource::Known("arn:aws:s3:::b/k".into()), Context::partial());
        let condition = json!({"Bool": {"aws:SecureTransport": "false"}});
        let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition});
        assert_eq!(decide(json!([allow("s3:*", "*"), deny]), None, &partial), Decision::Unknown);
        assert_eq!(decide(json!([allow("ec2:*", "*"), deny]), None, &partial), Decision::ImplicitlyDenied);
        assert_eq!(decide(json!([allow("s3:*", "*"), deny]), None, &known()), Decision::Allowed);
    }
}
