//! Decisions that the IAM User Guide states for its own examples, page by page.
//!
//! Policies and requests are written anew after what the page says; only the facts are the page's. They need nothing
//! beside the tree, so the rules stay held where the independent evaluator cannot be had.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::{Value, json};
use thirdtrail::aws::Action;
use thirdtrail::policy::Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
use thirdtrail::policy::{Context, Decision, NamedPolicy, PolicyDocument, Request, Resource, evaluate};

const BUCKET: &str = "arn:aws:s3:::amzn-s3-demo-bucket";
const FILE: &str = "arn:aws:s3:::amzn-s3-demo-bucket/home/alice/a.txt";
const INSTANCE: &str = "arn:aws:ec2:us-east-1:111122223333:instance/i-1";

/// One request and what the page says about it.
type Row = (&'static str, &'static str, Value, Decision);

fn decide(policy: &Value, boundary: Option<&Value>, row: &Row) -> Decision {
    let (action, resource, keys, _) = row;
    let parse = |value: &Value| PolicyDocument::from_value(value).unwrap();
    let (policy, boundary) = (parse(policy), boundary.map(parse));
    let named = |document| NamedPolicy { name: "p", document };
    let context = keys.as_object().unwrap().iter().fold(Context::complete(), |context, (key, value)| match value {
        Value::Array(values) => context.with(key, values.iter().filter_map(Value::as_str)),
        value => context.with(key, value.as_str()),
    });
    let action = Action::parse(action).unwrap();
    let request = Request { action, resource: Resource::Known((*resource).to_owned()), context };
    let boundaries: Vec<_> = boundary.iter().map(named).collect();
    evaluate(&[named(&policy)], &boundaries, &request).decision
}

/// Statements of a current policy; `allow_all` puts one that allows everything before them.
fn policy(allow_all: bool, statements: &[Value]) -> Value {
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let statements: Vec<&Value> = allow_all.then_some(&all).into_iter().chain(statements).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn check(page: &str, policy: &Value, rows: &[Row]) {
    for row in rows {
        assert_eq!(decide(policy, None, row), row.3, "\"{page}\": {row:?}");
    }
}

/// S31: patterns of actions and resources, and their negations.
#[test]
fn elements_mean_what_their_pages_say() {
    let keys = json!({"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "*"});
    let user = "arn:aws:iam::111122223333:user/alice";
    check(
        "IAM JSON policy elements: Action",
        &policy(false, &[keys]),
        &[
            ("iam:CreateAccessKey", user, json!({}), Allowed),
            ("IAM:listaccesskeys", user, json!({}), Allowed),
            ("iam:GetUser", user, json!({}), ImplicitlyDenied),
        ],
    );
    let not_iam = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    check(
        "IAM JSON policy elements: NotAction",
        &policy(false, &[not_iam]),
        &[("s3:GetObject", FILE, json!({}), Allowed), ("iam:GetUser", user, json!({}), ImplicitlyDenied)],
    );
    let elsewhere = json!({"Effect": "Deny", "Action": "s3:*", "NotResource": [BUCKET, format!("{BUCKET}/*")]});
    check(
        "IAM JSON policy elements: NotResource",
        &policy(true, &[elsewhere]),
        &[
            ("s3:GetObject", FILE, json!({}), Allowed),
            ("s3:ListBucket", BUCKET, json!({}), Allowed),
            ("s3:GetObject", "arn:aws:s3:::other/a", json!({}), ExplicitlyDenied),
        ],
    );
    let queues = json!({"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:111122223333:queue?"});
    check(
        "IAM JSON policy elements: Resource",
        &policy(false, &[queues]),
        &[
            ("sqs:SendMessage", "arn:aws:sqs:us-east-2:111122223333:queue1", json!({}), Allowed),
            ("sqs:SendMessage", "arn:aws:sqs:us-east-2:111122223333:queue10", json!({}), ImplicitlyDenied),
            ("sqs:SendMessage", "arn:aws:sqs:us-east-2:444455556666:queue1", json!({}), ImplicitlyDenied),
        ],
    );
}

/// S31: variables, their defaults, and the version that has none.
#[test]
fn variables_are_what_their_page_says() {
    let home =
        json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{BUCKET}/home/${{aws:username}}/*")});
    let mut old = policy(false, std::slice::from_ref(&home));
    old["Version"] = json!("2008-10-17");
    let (alice, bob) = (json!({"aws:username": "alice"}), json!({"aws:username": "bob"}));
    check(
        "IAM policy elements: Variables and tags",
        &policy(false, &[home]),
        &[
            ("s3:GetObject", FILE, alice.clone(), Allowed),
            ("s3:GetObject", FILE, bob, ImplicitlyDenied),
            ("s3:GetObject", FILE, json!({}), ImplicitlyDenied),
        ],
    );
    check("IAM JSON policy elements: Version", &old, &[("s3:GetObject", FILE, alice, ImplicitlyDenied)]);
    let team = json!({"Effect": "Allow", "Action": "s3:GetObject",
        "Resource": format!("{BUCKET}/${{aws:PrincipalTag/team, 'company-wide'}}/*")});
    let (red, wide) = ("arn:aws:s3:::amzn-s3-demo-bucket/red/a", "arn:aws:s3:::amzn-s3-demo-bucket/company-wide/a");
    check(
        "IAM policy elements: Variables and tags",
        &policy(false, &[team]),
        &[
            ("s3:GetObject", red, json!({"aws:PrincipalTag/team": "red"}), Allowed),
            ("s3:GetObject", wide, json!({"aws:PrincipalTag/team": "red"}), ImplicitlyDenied),
            ("s3:GetObject", wide, json!({}), Allowed),
        ],
    );
    let starred = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{BUCKET}/a${{*}}/?")});
    check(
        "IAM policy elements: Variables and tags",
        &policy(false, &[starred]),
        &[
            ("s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/a*/x", json!({}), Allowed),
            ("s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/ab/x", json!({}), ImplicitlyDenied),
        ],
    );
}

/// One condition in an `Allow` on everything.
fn under(condition: &Value) -> Value {
    policy(false, &[json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition})])
}

fn check_condition(page: &str, condition: &Value, rows: &[(Value, bool)]) {
    for (context, holds) in rows {
        let expected = if *holds { Allowed } else { ImplicitlyDenied };
        check(page, &under(condition), &[("s3:ListBucket", BUCKET, context.clone(), expected)]);
    }
}

/// S31: one fact or more about every family of operators.
#[test]
fn operators_compare_as_their_page_says() {
    let page = "IAM JSON policy elements: Condition operators";
    check_condition(
        page,
        &json!({"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}),
        &[
            (json!({"s3:prefix": "home/alice/x", "aws:username": "alice"}), true),
            (json!({"s3:prefix": "home/bob/x", "aws:username": "alice"}), false),
            (json!({"aws:username": "alice"}), false),
        ],
    );
    check_condition(
        page,
        &json!({"StringNotLike": {"s3:prefix": "home/*"}}),
        &[(json!({"s3:prefix": "home/a"}), false), (json!({"s3:prefix": "away/a"}), true), (json!({}), true)],
    );
    check_condition(
        page,
        &json!({"NumericLessThanEquals": {"s3:max-keys": "10"}}),
        &[(json!({"s3:max-keys": "10"}), true), (json!({"s3:max-keys": "11"}), false), (json!({}), false)],
    );
    check_condition(
        page,
        &json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}}),
        &[
            (json!({"aws:SourceIp": "203.0.113.9"}), true),
            (json!({"aws:SourceIp": "2001:db8:1234:5678::1"}), true),
            (json!({"aws:SourceIp": "203.0.114.9"}), false),
        ],
    );
    check_condition(
        page,
        &json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}),
        &[
            (json!({"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:a"}), true),
            (json!({"aws:SourceArn": "arn:aws:sns:us-east-1:444455556666:a"}), false),
        ],
    );
    check_condition(
        page,
        &json!({"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}),
        &[
            (json!({"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}), true),
            (json!({"key": "qmluYXJ5VmFsdWVJbkJhc2U2NA=="}), false),
        ],
    );
    check_condition(
        page,
        &json!({"Null": {"aws:TokenIssueTime": "true"}}),
        &[(json!({"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}), false), (json!({}), true)],
    );
    check_condition(
        page,
        &json!({"StringEqualsIfExists": {"ec2:InstanceType": ["t1.*", "m3.large"]}}),
        &[
            (json!({"ec2:InstanceType": "m3.large"}), true),
            (json!({"ec2:InstanceType": "t1.micro"}), false),
            (json!({}), true),
        ],
    );
}

/// S31: several keys are all needed, several values are alternatives, and negation turns the alternatives round.
#[test]
fn several_keys_and_values_combine_as_their_pages_say() {
    let page = "Conditions with multiple context keys or values";
    let both = json!({"StringEquals": {"aws:PrincipalTag/a": ["x", "y"], "aws:PrincipalTag/b": "z"}, "Bool": {"aws:SecureTransport": "true"}});
    let given = |a: &str, secure: &str| json!({"aws:PrincipalTag/a": a, "aws:PrincipalTag/b": "z", "aws:SecureTransport": secure});
    check_condition(
        page,
        &both,
        &[
            (given("x", "true"), true),
            (given("y", "true"), true),
            (given("q", "true"), false),
            (given("x", "false"), false),
        ],
    );
    check_condition(
        page,
        &json!({"StringNotEquals": {"aws:PrincipalTag/a": ["x", "y"]}}),
        &[(json!({"aws:PrincipalTag/a": "x"}), false), (json!({"aws:PrincipalTag/a": "q"}), true), (json!({}), true)],
    );
    let page = "Single-valued vs. multivalued context keys";
    check_condition(
        page,
        &json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]}}),
        &[
            (json!({"aws:TagKeys": ["environment"]}), true),
            (json!({"aws:TagKeys": ["environment", "cost-center"]}), true),
            (json!({"aws:TagKeys": ["environment", "owner"]}), false),
            (json!({}), true),
        ],
    );
    check_condition(
        page,
        &json!({"ForAnyValue:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]}}),
        &[
            (json!({"aws:TagKeys": ["environment", "owner"]}), true),
            (json!({"aws:TagKeys": ["owner"]}), false),
            (json!({}), false),
        ],
    );
}

/// S31, S32: the guide's example policies decide as their pages describe.
#[test]
fn example_policies_decide_as_described() {
    let dates = json!({"DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"}, "DateLessThan": {"aws:CurrentTime": "2020-06-30T23:59:59Z"}});
    check_condition(
        "AWS: Allows access within specific dates",
        &dates,
        &[
            (json!({"aws:CurrentTime": "2020-05-01T00:00:00Z"}), true),
            (json!({"aws:CurrentTime": "2020-07-01T00:00:00Z"}), false),
        ],
    );
    let ip = json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
        "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}, "Bool": {"aws:ViaAWSService": "false"}}});
    check(
        "AWS: Denies access to AWS based on the source IP",
        &policy(true, &[ip]),
        &[
            ("s3:GetObject", FILE, json!({"aws:SourceIp": "192.0.2.9", "aws:ViaAWSService": "false"}), Allowed),
            (
                "s3:GetObject",
                FILE,
                json!({"aws:SourceIp": "198.51.100.9", "aws:ViaAWSService": "false"}),
                ExplicitlyDenied,
            ),
            ("s3:GetObject", FILE, json!({"aws:SourceIp": "198.51.100.9", "aws:ViaAWSService": "true"}), Allowed),
        ],
    );
    let region = json!({"Effect": "Deny", "NotAction": ["cloudfront:*", "iam:*", "route53:*", "support:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}});
    check(
        "AWS: Denies access to AWS based on the requested Region",
        &policy(true, &[region]),
        &[
            ("ec2:StopInstances", INSTANCE, json!({"aws:RequestedRegion": "us-east-1"}), ExplicitlyDenied),
            ("ec2:StopInstances", INSTANCE, json!({"aws:RequestedRegion": "eu-west-1"}), Allowed),
            ("iam:GetUser", "arn:aws:iam::111122223333:user/a", json!({"aws:RequestedRegion": "us-east-1"}), Allowed),
        ],
    );
    let mfa = json!({"Effect": "Deny", "NotAction": ["iam:ListMFADevices", "sts:GetSessionToken"], "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}});
    check(
        "AWS: Allows MFA-authenticated IAM users to manage their own credentials",
        &policy(true, &[mfa]),
        &[
            ("s3:GetObject", FILE, json!({"aws:MultiFactorAuthPresent": "true"}), Allowed),
            ("s3:GetObject", FILE, json!({"aws:MultiFactorAuthPresent": "false"}), ExplicitlyDenied),
            ("s3:GetObject", FILE, json!({}), ExplicitlyDenied),
            ("sts:GetSessionToken", "*", json!({}), Allowed),
        ],
    );
    let owner = json!({"Effect": "Allow", "Action": ["ec2:StartInstances", "ec2:StopInstances"], "Resource": "arn:aws:ec2:*:*:instance/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/Owner": "${aws:username}"}}});
    check(
        "Amazon EC2: Allows starting or stopping EC2 instances a user has tagged",
        &policy(false, &[owner]),
        &[
            (
                "ec2:StopInstances",
                INSTANCE,
                json!({"aws:ResourceTag/Owner": "alice", "aws:username": "alice"}),
                Allowed,
            ),
            (
                "ec2:StopInstances",
                INSTANCE,
                json!({"aws:resourcetag/owner": "alice", "aws:username": "alice"}),
                Allowed,
            ),
            (
                "ec2:StopInstances",
                INSTANCE,
                json!({"aws:ResourceTag/Owner": "bob", "aws:username": "alice"}),
                ImplicitlyDenied,
            ),
            (
                "ec2:RunInstances",
                INSTANCE,
                json!({"aws:ResourceTag/Owner": "alice", "aws:username": "alice"}),
                ImplicitlyDenied,
            ),
        ],
    );
}

/// S32: a boundary gives nothing and takes what it does not allow; an explicit deny wins over all.
#[test]
fn boundaries_and_denies_decide_as_their_pages_say() {
    let boundary =
        policy(false, &[json!({"Effect": "Allow", "Action": ["s3:*", "cloudwatch:*", "ec2:*"], "Resource": "*"})]);
    let user = "arn:aws:iam::111122223333:user/a";
    let creates = policy(false, &[json!({"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"})]);
    let rows: [(&Value, Row); 3] = [
        (&creates, ("iam:CreateUser", user, json!({}), ImplicitlyDenied)),
        (&creates, ("s3:GetObject", FILE, json!({}), ImplicitlyDenied)),
        (&policy(true, &[]), ("s3:GetObject", FILE, json!({}), Allowed)),
    ];
    for (policy, row) in &rows {
        assert_eq!(decide(policy, Some(&boundary), row), row.3, "\"Permissions boundaries for IAM entities\": {row:?}");
    }
    let deny = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
    check(
        "Policy evaluation logic",
        &policy(true, &[deny]),
        &[("s3:GetObject", FILE, json!({}), ExplicitlyDenied), ("ec2:StopInstances", INSTANCE, json!({}), Allowed)],
    );
    check("Policy evaluation logic", &policy(false, &[]), &[("s3:GetObject", FILE, json!({}), ImplicitlyDenied)]);
}
