//! Why observed calls cannot be decided: which condition keys and resources their records do not show (S31).
//!
//! A replay proves nothing about such a call but that it is as undecided after as before, so the certificate names what is
//! missing. It only explains: `evaluate` says whether a call is undecided.

use std::collections::BTreeMap;

use super::certificate::ObservedCall;
use super::compiled::is_about;
use super::condition::all_hold;
use super::context::Lookup;
use super::document::Version;
use super::evaluate::{NamedPolicy, Resource, matches_action};
use super::statement::{ConditionBlock, ResourceMatch, Statement};
use super::truth::Truth;

/// What is missing to decide one call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Missing {
    /// Condition keys as written, by their lower case; also those that a policy variable names.
    pub keys: BTreeMap<String, String>,
    /// Whether the resource is not known where a statement asks for one.
    pub resource: bool,
}

/// What is missing to decide `call`, which these policies leave undecided.
#[must_use]
pub fn missing(policies: &[NamedPolicy<'_>], boundaries: &[NamedPolicy<'_>], call: &ObservedCall) -> Missing {
    let mut missing = Missing::default();
    for policy in policies.iter().chain(boundaries) {
        for statement in &policy.document.statements {
            if matches_action(&statement.actions, &call.action) {
                missing.add(statement, policy.document.version, call);
            }
        }
    }
    missing
}

impl Missing {
    fn add(&mut self, statement: &Statement, version: Version, call: &ObservedCall) {
        let resource = resource(statement, version, call);
        let conditions = all_hold(&statement.conditions, version, &call.context);
        // What certainly does not hold for one reason asks for nothing more.
        if resource.truth == Truth::False || conditions == Truth::False {
            return;
        }
        if resource.truth == Truth::Unknown {
            self.resource |= call.resource == Resource::Unknown;
            resource.keys.into_iter().for_each(|key| self.name(key));
        }
        for block in &statement.conditions {
            if all_hold(std::slice::from_ref(block), version, &call.context) == Truth::Unknown {
                keys_of(block, version, call).into_iter().for_each(|key| self.name(key));
            }
        }
    }

    /// Of several spellings the smallest is shown, in whatever order they come.
    fn name(&mut self, key: String) {
        let shown = self.keys.entry(key.to_ascii_lowercase()).or_insert_with(|| key.clone());
        *shown = std::mem::take(shown).min(key);
    }
}

/// The keys for which a block cannot be decided: its own, or those of variables in its values.
fn keys_of(block: &ConditionBlock, version: Version, call: &ObservedCall) -> Vec<String> {
    let unknown: Vec<String> =
        block.values.iter().flat_map(|value| variables(value, version)).filter(|key| is_unknown(key, call)).collect();
    // An operator that is not understood leaves its own key to be named.
    if is_unknown(&block.key, call) || unknown.is_empty() {
        return vec![block.key.clone()];
    }
    unknown
}

fn is_unknown(key: &str, call: &ObservedCall) -> bool {
    call.context.get(key) == Lookup::Unknown
}

/// Whether a statement is about the resource of a call, and the unknown keys that its variables name.
struct OfResource {
    truth: Truth,
    keys: Vec<String>,
}

fn resource(statement: &Statement, version: Version, call: &ObservedCall) -> OfResource {
    let patterns: &[String] = match &statement.resources {
        ResourceMatch::Resource(patterns) | ResourceMatch::NotResource(patterns) => patterns,
        ResourceMatch::None => &[],
    };
    let truth = is_about(statement, version, &call.resource, &call.context);
    let keys = patterns.iter().flat_map(|text| variables(text, version)).filter(|key| is_unknown(key, call)).collect();
    OfResource { truth, keys }
}

/// The keys of the policy variables in a text (IAM User Guide, "Policy variables").
fn variables(text: &str, version: Version) -> Vec<String> {
    if version == Version::V2008 {
        return Vec::new();
    }
    let bodies = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(body, _)| body);
    let keys = bodies.map(|body| body.split(',').next().unwrap_or_default().trim());
    keys.filter(|key| !matches!(*key, "*" | "?" | "$")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::Action;
    use crate::policy::context::Context;
    use crate::policy::document::PolicyDocument;
    use crate::policy::evaluate::{Decision, Request, evaluate};

    fn check(statements: Value, resource: Resource, expected: Option<(&[&str], bool)>) {
        let text = statements.to_string();
        let document = PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap();
        let context = Context::partial().with("aws:RequestedRegion", ["us-east-1"]);
        let action = Action::parse("s3:GetObject").unwrap();
        let call = ObservedCall { action, resource, context, id: "e".into() };
        let policies = [NamedPolicy { name: "p", document: &document }];
        let request =
            Request { action: call.action.clone(), resource: call.resource.clone(), context: call.context.clone() };
        let undecided = evaluate(&policies, &[], &request).decision == Decision::Unknown;
        let found = undecided.then(|| missing(&policies, &[], &call));
        let expected = expected.map(|(keys, resource)| Missing {
            keys: keys.iter().map(|key| (key.to_ascii_lowercase(), (*key).to_owned())).collect(),
            resource,
        });
        assert_eq!(found, expected, "{text}");
    }

    fn object() -> Resource {
        Resource::Known("arn:aws:s3:::b/k".into())
    }

    fn allow(resource: &str, condition: Value) -> Value {
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": resource, "Condition": condition})
    }

    /// S31: the keys that a record does not show are named, each once and without regard to case.
    #[test]
    fn missing_condition_keys_are_named() {
        let vpc = json!({"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:RequestedRegion": "us-east-1"}});
        check(allow("*", vpc.clone()), object(), Some((&["aws:SourceVpc"], false)));
        check(json!([allow("*", vpc.clone()), allow("*", json!({}))]), object(), None);
        let again = json!({"StringEquals": {"AWS:sourcevpc": "vpc-2"}});
        check(json!([allow("*", vpc.clone()), allow("*", again)]), object(), Some((&["AWS:sourcevpc"], false)));
        let elsewhere = json!({"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:RequestedRegion": "eu-west-1"}});
        check(allow("*", elsewhere), object(), None);
        check(allow("arn:aws:s3:::other/*", vpc), object(), None);
        let value = json!({"StringLike": {"aws:RequestedRegion": "${aws:PrincipalTag/region}"}});
        check(allow("*", value), object(), Some((&["aws:PrincipalTag/region"], false)));
        check(
            allow("*", json!({"StringNearly": {"aws:RequestedRegion": "x"}})),
            object(),
            Some((&["aws:RequestedRegion"], false)),
        );
    }

    /// S31: so is a resource that is not known where a statement asks for one, or that a variable would fill.
    #[test]
    fn missing_resources_are_named() {
        check(allow("arn:aws:s3:::b/*", json!({})), Resource::Unknown, Some((&[], true)));
        check(allow("*", json!({})), Resource::Unknown, None);
        check(allow("arn:aws:s3:::b/${aws:username}", json!({})), object(), Some((&["aws:username"], false)));
    }
}
