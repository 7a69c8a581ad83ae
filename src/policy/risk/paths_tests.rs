//! Ways to more rights on small policies: open, closed by what takes a step away, and in doubt.

use serde_json::{Value, json};

use super::super::reach::Standing;
use super::*;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::NamedPolicy;
use crate::policy::grant::expand;
use crate::policy::{Catalog, statement::Effect};

const ROLE: &str = "arn:aws:iam::111122223333:role/Vendor";
const HELD: &str = "arn:aws:iam::111122223333:policy/VendorAccess";
const ADMIN: &str = "arn:aws:iam::111122223333:role/Admin";

fn allow(actions: Value, resources: Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resources})
}

fn document(statements: Value) -> PolicyDocument {
    PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn with(policy: &PolicyDocument, boundary: Option<&PolicyDocument>) -> Vec<OpenPath> {
    let policies = [NamedPolicy { name: "p", document: policy }];
    let boundaries: Vec<_> = boundary.map(|document| NamedPolicy { name: "b", document }).into_iter().collect();
    let catalog = Catalog::builtin();
    let granted = expand(&policies, &boundaries, catalog);
    let standing = Standing {
        arn: ROLE,
        account: "111122223333",
        partition: "aws",
        boundary: boundary.map(|_| "arn:aws:iam::111122223333:policy/b"),
        tags: None,
        held: &[HELD],
        doubt: false,
    };
    let powers = Powers::new(standing, &policies, &boundaries, &granted, catalog);
    let strong = |service: &str| if service == "lambda.amazonaws.com" { vec![ADMIN.to_owned()] } else { Vec::new() };
    escalations(&powers, &strong)
}

/// The names of the open ways; those that only may be open with a question mark.
fn open(statements: Value) -> Vec<String> {
    let name = |path: &OpenPath| format!("{}{}", path.name, if path.is_certain { "" } else { "?" });
    with(&document(statements), None).iter().map(name).collect()
}

/// S31: every way of the table is read, and open for one who is granted exactly its actions, however they are.
#[test]
fn each_way_is_open_with_its_own_actions() {
    assert_eq!(WAYS.len(), TABLE.lines().filter(|line| !line.starts_with('#')).count());
    for way in WAYS.iter() {
        let actions: Vec<&str> = way.steps.iter().map(|step| step.actions[0].0.as_str()).collect();
        for action in &actions {
            assert!(Catalog::builtin().get(&Action::parse(action).unwrap()).is_some(), "{action}");
        }
        let boundary = document(allow(json!("*"), json!("*")));
        let bounded = way.steps.iter().any(|step| step.target == Target::Bounded).then_some(&boundary);
        let found = with(&document(json!([allow(json!(actions), json!("*"))])), bounded);
        let by_fewer = |path: &OpenPath| path.steps.len() < way.steps.len() && path.gives >= way.gives;
        assert!(found.iter().any(|path| path.name == way.name || by_fewer(path)), "{}: {found:?}", way.name);
        assert!(found.iter().all(|path| path.is_certain), "{}", way.name);
        // A step less closes it.
        for gone in &actions {
            let fewer: Vec<&&str> = actions.iter().filter(|action| *action != gone).collect();
            let found = with(&document(json!([allow(json!(fewer), json!("*"))])), bounded);
            assert!(!found.iter().any(|path| path.name == way.name), "{} without {gone}", way.name);
        }
        let deny = json!({"Effect": "Deny", "Action": actions[0], "Resource": "*"});
        let denied = with(&document(json!([allow(json!(actions), json!("*")), deny])), bounded);
        assert!(!denied.iter().any(|path| path.name == way.name), "{} in spite of a denial", way.name);
        assert_eq!(document(deny).statements[0].effect, Effect::Deny);
    }
}

/// S31: the same right is no way where it is only for resources that lead nowhere.
#[test]
fn narrow_resources_close_a_way_unless_they_are_the_role_itself() {
    let attach = |resource: &str| open(json!([allow(json!("iam:AttachRolePolicy"), json!(resource))]));
    assert_eq!(attach(ROLE), ["iam-attach-role-policy"]);
    assert_eq!(attach("arn:aws:iam::*:role/Ven*"), ["iam-attach-role-policy"]);
    assert!(attach("arn:aws:iam::*:role/other-*").is_empty());
    let version = |resource: &str| open(json!([allow(json!("iam:CreatePolicyVersion"), json!(resource))]));
    assert_eq!(version(HELD), ["iam-create-policy-version"]);
    assert!(version("arn:aws:iam::*:policy/other").is_empty());
    // Roles of one name, made and filled: only where both are allowed on the same.
    let both = json!([allow(json!(["iam:CreateRole", "iam:PutRolePolicy"]), json!("arn:aws:iam::*:role/v-*"))]);
    assert_eq!(open(both), ["iam-create-role"]);
    let apart = json!([
        allow(json!("iam:CreateRole"), json!("arn:aws:iam::*:role/v-*")),
        allow(json!("iam:PutRolePolicy"), json!("arn:aws:iam::*:role/w-*"))
    ]);
    assert!(open(apart).is_empty());
    let linked = "arn:aws:iam::*:role/aws-service-role/x.amazonaws.com/*";
    assert!(open(json!([allow(json!(["iam:CreateRole", "iam:PutRolePolicy"]), json!(linked))])).is_empty());
}

/// S31: a condition on the service that a role is passed to closes the ways through other services.
#[test]
fn passed_to_service_is_understood() {
    let pass = |service: &str| {
        json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": service}}})
    };
    let make = || allow(json!(["lambda:CreateFunction", "lambda:InvokeFunction", "ec2:RunInstances"]), json!("*"));
    assert_eq!(open(json!([pass("ec2.amazonaws.com"), make()])), ["ec2-run-instances"]);
    assert_eq!(open(json!([pass("lambda.amazonaws.com"), make()])), ["lambda-create-and-invoke"]);
    assert!(open(json!([pass("monitoring.rds.amazonaws.com"), make()])).is_empty());
}

/// S31: one role alone can be passed: that is a way only where it is known to be an administrator.
#[test]
fn passing_one_role_matters_when_it_is_strong() {
    let make = || allow(json!(["lambda:CreateFunction", "lambda:InvokeFunction"]), json!("*"));
    let found = with(&document(json!([allow(json!("iam:PassRole"), json!(ADMIN)), make()])), None);
    assert_eq!((found[0].name, found[0].roles.as_slice()), ("lambda-create-and-invoke", &[ADMIN.to_owned()][..]));
    let plain = "arn:aws:iam::111122223333:role/plain";
    assert!(open(json!([allow(json!("iam:PassRole"), json!(plain)), make()])).is_empty());
}

/// S31: what hangs on something that is not known may be open, and says on what.
#[test]
fn unknown_conditions_leave_a_way_in_doubt() {
    let when = json!({"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}});
    let found = with(&document(json!([when])), None);
    assert_eq!((found[0].name, found[0].is_certain), ("iam-put-role-policy", false));
    assert!(found[0].keys.contains("aws:SourceIp"));
    // A condition that the role certainly does not meet.
    let bounded = json!({"Effect": "Allow", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/limit"}}});
    assert!(open(json!([bounded])).is_empty());
}

/// S27, S31: IAM has one Region, whatever Region a policy leaves open for others.
#[test]
fn a_region_that_is_closed_to_iam_closes_its_ways() {
    let outside = |regions: Value| {
        json!([allow(json!(["iam:PutRolePolicy", "lambda:UpdateFunctionCode"]), json!("*")),
            {"Effect": "Deny", "Action": "*", "Resource": "*",
             "Condition": {"StringNotEquals": {"aws:RequestedRegion": regions}}}])
    };
    assert_eq!(open(outside(json!("eu-west-1"))), ["lambda-update-code"]);
    assert_eq!(open(outside(json!(["eu-west-1", "us-east-1"]))), ["iam-put-role-policy", "lambda-update-code"]);
}

/// S32: a boundary that does not let a step through closes the way; one that does limits what is won.
#[test]
fn boundaries_close_or_limit_a_way() {
    let policy = document(json!([allow(json!("iam:*"), json!("*"))]));
    let none = document(json!([allow(json!("s3:*"), json!("*"))]));
    assert!(with(&policy, Some(&none)).is_empty());
    let some = document(json!([allow(json!(["iam:PutRolePolicy", "s3:*"]), json!("*"))]));
    let found = with(&policy, Some(&some));
    assert_eq!((found.len(), found[0].name, found[0].gives), (1, "iam-put-role-policy", Gives::Existing));
    assert!(found[0].within_boundary);
}
