//! The decision on one request: explicit deny first, then identity policies and every boundary must allow.
//!
//! Source: IAM User Guide, "Policy evaluation logic". SCPs, RCPs and resource policies are not part of it (S32).
//! Three-valued: where the decision hangs on what is not known, it is [`Decision::Unknown`].

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::compiled::PolicySet;
use super::context::Context;
use super::document::PolicyDocument;
use super::pattern::Pattern;
use super::statement::{ActionMatch, Effect, Statement};
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

/// The answer and the statements that made it: those that deny, else those that allow; for an unknown answer those that
/// may allow, then those that may deny.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evaluation {
    /// The answer.
    pub decision: Decision,
    /// In the order of the policies.
    pub statements: Vec<StatementRef>,
}

/// The policies that bear on one principal.
#[derive(Clone, Copy, Debug, Default)]
pub struct InForce<'a> {
    /// Attached to the principal; each may allow.
    pub identity: &'a [NamedPolicy<'a>],
    /// Permissions boundaries; every one must allow, too.
    pub boundaries: &'a [NamedPolicy<'a>],
    /// Given when the session was opened; if there are any, one of them must allow, too.
    pub sessions: &'a [NamedPolicy<'a>],
}

/// In which of the sets of policies that must all allow a statement stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layer {
    Identity,
    /// By number: each boundary limits on its own.
    Boundary(usize),
    Session,
}

/// Decides one request of the holder of `policies` under `boundaries`, each of which must allow, too. To decide many
/// requests under the same policies, compile them once: [`PolicySet`].
#[must_use]
pub fn evaluate(policies: &[NamedPolicy<'_>], boundaries: &[NamedPolicy<'_>], request: &Request) -> Evaluation {
    PolicySet::new(InForce { identity: policies, boundaries, sessions: &[] }).evaluate(request)
}

/// Combines what the statements say about a request.
#[derive(Debug)]
pub(super) struct Verdicts {
    denied: Truth,
    denying: Vec<StatementRef>,
    maybe_denying: Vec<StatementRef>,
    allowed: Truth,
    allowing: Vec<StatementRef>,
    boundaries: Vec<Truth>,
    /// `None` without session policies.
    session: Option<Truth>,
}

impl Verdicts {
    pub(super) fn new(boundaries: usize, has_sessions: bool) -> Self {
        Self {
            denied: Truth::False,
            denying: Vec::new(),
            maybe_denying: Vec::new(),
            allowed: Truth::False,
            allowing: Vec::new(),
            boundaries: vec![Truth::False; boundaries],
            session: has_sessions.then_some(Truth::False),
        }
    }

    /// Notes whether one statement matches; statements that certainly do not may be left out.
    pub(super) fn note(
        &mut self,
        layer: Layer,
        effect: Effect,
        truth: Truth,
        reference: impl FnOnce() -> StatementRef,
    ) {
        if truth == Truth::False {
            return;
        }
        match (effect, layer) {
            (Effect::Deny, _) => {
                self.denied = self.denied.or(truth);
                let list = if truth == Truth::True { &mut self.denying } else { &mut self.maybe_denying };
                list.push(reference());
            }
            (Effect::Allow, Layer::Identity) => {
                self.allowed = self.allowed.or(truth);
                self.allowing.push(reference());
            }
            (Effect::Allow, Layer::Boundary(at)) => {
                if let Some(slot) = self.boundaries.get_mut(at) {
                    *slot = slot.or(truth);
                }
            }
            (Effect::Allow, Layer::Session) => self.session = self.session.map(|known| known.or(truth)),
        }
    }

    pub(super) fn decide(mut self) -> Evaluation {
        if self.denied == Truth::True {
            return Evaluation { decision: Decision::ExplicitlyDenied, statements: self.denying };
        }
        let limits = self.boundaries.into_iter().chain(self.session);
        let allowed = limits.fold(self.allowed, Truth::and);
        match allowed.and(self.denied.negate()) {
            Truth::True => Evaluation { decision: Decision::Allowed, statements: self.allowing },
            Truth::False => Evaluation { decision: Decision::ImplicitlyDenied, statements: Vec::new() },
            Truth::Unknown => {
                self.allowing.append(&mut self.maybe_denying);
                Evaluation { decision: Decision::Unknown, statements: self.allowing }
            }
        }
    }
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
