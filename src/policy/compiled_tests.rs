//! The compiled set against the plain reading of the same statements.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::{Decision, matches_action};

/// What a statement means, pattern by pattern, with nothing compiled.
fn plainly(statement: &Statement, action: &Action, resource: &str) -> Truth {
    let any =
        |patterns: &[String]| Truth::any(patterns.iter().map(|text| Pattern::new(text).covers_resource(resource)));
    let on_resource = match &statement.resources {
        ResourceMatch::Resource(patterns) => any(patterns),
        ResourceMatch::NotResource(patterns) => any(patterns).negate(),
        ResourceMatch::None => Truth::Unknown,
    };
    Truth::from(matches_action(&statement.actions, action)).and(on_resource)
}

fn statement() -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        3 => "(s3|S3|ec2|sq[*]|[*]):[GgPp][eE][tT]?[*?]?[A-B]{0,2}[*]?",
        1 => Just("*".to_owned()),
        1 => "s3:[A-B*?]{1,3}",
    ];
    let resource = prop_oneof![
        Just("*".to_owned()),
        "arn:aws:s3:::[ab*?]{1,4}(/[ab*?:]{0,3})?",
        "arn:aws:[s*]3?:[*]?:[*]?:[ab*]{0,2}",
        "arn:[*]",
        "[ab*]{1,2}",
    ];
    let list = |texts: BoxedStrategy<String>| prop::collection::vec(texts, 1..4);
    (any::<bool>(), 0..6_u8, 0..6_u8, list(action.boxed()), list(resource.boxed())).prop_map(
        |(deny, not_action, not_resource, actions, resources)| {
            json!({
                "Effect": if deny { "Deny" } else { "Allow" },
                if not_action == 0 { "NotAction" } else { "Action" }: actions,
                if not_resource == 0 { "NotResource" } else { "Resource" }: resources,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// S31: finding the statements of an action by an index and by shortcuts changes no answer.
    #[test]
    fn compiled_statements_mean_what_they_say(
        statements in prop::collection::vec(statement(), 1..6),
        action in "(s3|S3|ec2|sqs):(Get|get|Put)[A-B]{0,2}",
        resource in "arn:aws:s3:::[ab]{1,3}(/[ab:]{0,3})?",
    ) {
        let document = PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap();
        let Some(action) = Action::parse(&action) else { return Ok(()) };
        let policy = [NamedPolicy { name: "p", document: &document }];
        let set = PolicySet::new(InForce { identity: &policy, ..InForce::default() });
        let compiled = set.decide(&action, &Resource::Known(resource.clone()), &Context::complete());
        let holds = |effect| Truth::any(
            document.statements.iter().filter(|s| s.effect == effect).map(|s| plainly(s, &action, &resource)),
        );
        let denied = holds(Effect::Deny);
        let expected = match holds(Effect::Allow).and(denied.negate()) {
            _ if denied == Truth::True => Decision::ExplicitlyDenied,
            Truth::True => Decision::Allowed,
            Truth::False => Decision::ImplicitlyDenied,
            Truth::Unknown => Decision::Unknown,
        };
        prop_assert_eq!(compiled.decision, expected, "{}", document.as_value());
        if matches!(expected, Decision::Allowed | Decision::ExplicitlyDenied) {
            let deciding: Vec<usize> = compiled.statements.iter().map(|reference| reference.index).collect();
            let effect = if expected == Decision::Allowed { Effect::Allow } else { Effect::Deny };
            let says = |s: &&Statement| match (s.effect == effect, plainly(s, &action, &resource)) {
                (true, Truth::True) => true,
                (true, Truth::Unknown) => effect == Effect::Allow,
                _ => false,
            };
            let plain: Vec<usize> = document.statements.iter().filter(says).map(|s| s.index).collect();
            prop_assert_eq!(deciding, plain);
        }
    }
}

/// S32: a session policy only limits, one of several is enough, and a deny in any of them counts.
#[test]
fn session_policies_are_an_intersection() {
    let document = |effect: &str, action: &str| {
        let statement = json!({"Effect": effect, "Action": action, "Resource": "*"});
        PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statement})).unwrap()
    };
    let (all, reads, deny) = (document("Allow", "s3:*"), document("Allow", "s3:Get*"), document("Deny", "s3:GetB"));
    let other = document("Allow", "ec2:*");
    let named = |document| NamedPolicy { name: "p", document };
    let check = |sessions: &[NamedPolicy<'_>], action: &str, expected: Decision| {
        let set = PolicySet::new(InForce { identity: &[named(&all)], boundaries: &[], sessions });
        let action = Action::parse(action).unwrap();
        let decided = set.decide(&action, &Resource::Known("arn:aws:s3:::b/k".to_owned()), &Context::complete());
        assert_eq!(decided.decision, expected, "{action} under {} session policies", sessions.len());
    };
    check(&[], "s3:PutA", Decision::Allowed);
    check(&[named(&reads)], "s3:PutA", Decision::ImplicitlyDenied);
    check(&[named(&reads)], "s3:GetA", Decision::Allowed);
    check(&[named(&other), named(&reads)], "s3:GetA", Decision::Allowed);
    check(&[named(&other)], "ec2:RunInstances", Decision::ImplicitlyDenied);
    check(&[named(&reads), named(&deny)], "s3:GetB", Decision::ExplicitlyDenied);
}

/// S31: an unknown answer names the statements that may allow, then those that may deny.
#[test]
fn an_unknown_answer_names_both_sides() {
    let condition = json!({"Bool": {"aws:SecureTransport": "false"}});
    let document = PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition},
        {"Sid": "Yes", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    ]}))
    .unwrap();
    let policy = [NamedPolicy { name: "p", document: &document }];
    let set = PolicySet::new(InForce { identity: &policy, ..InForce::default() });
    let answer = set.decide(&Action::parse("s3:GetObject").unwrap(), &Resource::Unknown, &Context::partial());
    let labels: Vec<&str> = answer.statements.iter().map(|reference| &*reference.statement).collect();
    assert_eq!((answer.decision, labels), (Decision::Unknown, vec!["Yes", "No"]));
}
