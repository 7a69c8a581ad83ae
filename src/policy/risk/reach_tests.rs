//! How far grants reach under each kind of condition and resource, one line each.

use serde_json::{Value, json};

use super::*;
use crate::policy::document::PolicyDocument;
use crate::policy::grant::expand;

/// One allowed action on a resource under a condition; `tags` are those of every session of the role.
fn answer(action: &str, resource: &Value, condition: Value, tags: Option<&BTreeMap<String, String>>) -> Answer {
    let mut statement = json!({"Effect": "Allow", "Action": action});
    for (key, value) in resource.as_object().unwrap() {
        statement[key] = value.clone();
    }
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    let document = PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap();
    let policies = [NamedPolicy { name: "p", document: &document }];
    let granted = expand(&policies, &[], Catalog::builtin());
    let standing = Standing {
        arn: "arn:aws:iam::111122223333:role/R",
        account: "111122223333",
        partition: "aws",
        boundary: None,
        tags,
        held: &[],
        doubt: false,
    };
    Powers::new(standing, &policies, &[], &granted, Catalog::builtin()).reach(&Action::parse(action).unwrap())
}

fn under(action: &str, condition: Value) -> Reach {
    answer(action, &json!({"Resource": "*"}), condition, None).reach
}

/// S31: what a resource pattern covers: every resource of the type, in every Region or one, or only named ones.
#[test]
fn resources_are_every_one_or_named() {
    let on = |action: &str, resource: Value| {
        let answer = answer(action, &resource, Value::Null, None);
        (answer.reach, answer.region)
    };
    let only = |resource: &str| json!({"Resource": resource});
    let every = (Reach::Every, None);
    let named = (Reach::Named, None);
    assert_eq!(on("s3:GetObject", only("arn:aws:s3:::*")), every);
    assert_eq!(on("s3:GetObject", only("arn:aws:s3:::*/*")), every);
    assert_eq!(on("s3:GetObject", only("arn:aws:s3:::logs/*")), named);
    assert_eq!(on("s3:GetObject", only("arn:aws:s3:::*-logs/*")), named);
    assert_eq!(on("s3:GetObject", json!({"NotResource": "arn:aws:s3:::private/*"})), every);
    assert_eq!(on("kms:Decrypt", only("arn:aws:kms:*:111122223333:key/*")), every);
    assert_eq!(on("kms:Decrypt", only("arn:aws:kms:*:444455556666:key/*")), named);
    let region = Some("eu-west-1".to_owned());
    assert_eq!(on("kms:Decrypt", only("arn:aws:kms:eu-west-1:111122223333:key/*")), (Reach::Every, region));
    assert_eq!(on("lambda:UpdateFunctionCode", only("arn:aws:lambda:*:*:function:datadog-*")), named);
    assert_eq!(on("iam:PassRole", only("arn:aws:iam::*:role/*")), every);
    assert_eq!(on("iam:PassRole", only("arn:aws:iam::*:role/vendor/*")), named);
    // A variable that certainly has no value covers nothing, one that may have any leaves it open.
    assert_eq!(on("s3:GetObject", only("arn:aws:s3:::${aws:username}/*")).0, Reach::Named);
    assert_eq!(on("s3:GetObject", only("arn:aws:s3:::${aws:userid}/*")).0, Reach::MayEvery);
}

/// S31: conditions that a resource without tags and a request by the session itself do not meet narrow a grant; such that
/// they meet do not; what nothing tells leaves it open.
#[test]
fn conditions_narrow_or_not_or_leave_it_open() {
    let read = |condition: Value| under("s3:GetObject", condition);
    assert_eq!(read(json!({"StringEquals": {"aws:ResourceTag/vendor": "x"}})), Reach::Named);
    assert_eq!(read(json!({"StringEquals": {"s3:ExistingObjectTag/vendor": "x"}})), Reach::Named);
    assert_eq!(read(json!({"StringNotEquals": {"aws:ResourceTag/private": "true"}})), Reach::Every);
    assert_eq!(read(json!({"StringEqualsIfExists": {"aws:ResourceTag/vendor": "x"}})), Reach::Every);
    assert_eq!(read(json!({"Null": {"aws:ResourceTag/private": "true"}})), Reach::Every);
    assert_eq!(read(json!({"Bool": {"aws:SecureTransport": "true"}})), Reach::Every);
    assert_eq!(read(json!({"StringEquals": {"aws:ResourceAccount": "111122223333"}})), Reach::Every);
    assert_eq!(read(json!({"StringEquals": {"aws:ResourceAccount": "444455556666"}})), Reach::Named);
    assert_eq!(read(json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/R"}})), Reach::Every);
    assert_eq!(read(json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})), Reach::Every);
    assert_eq!(read(json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})), Reach::MayEvery);
    assert_eq!(read(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})), Reach::MayEvery);
    assert_eq!(under("kms:Decrypt", json!({"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}})), Reach::Named);
    assert_eq!(under("kms:CreateGrant", json!({"Bool": {"kms:GrantIsForAWSResource": "true"}})), Reach::Named);
    assert_eq!(under("kms:Decrypt", json!({"StringEquals": {"kms:EncryptionContext:app": "x"}})), Reach::Named);
    assert_eq!(
        under("iam:AttachRolePolicy", json!({"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/SecurityAudit"}})),
        Reach::Named
    );
    assert_eq!(
        under("iam:PutRolePolicy", json!({"StringLike": {"iam:AWSServiceName": "elasticache.amazonaws.com"}})),
        Reach::Named
    );
    assert_eq!(
        under("secretsmanager:GetSecretValue", json!({"StringEquals": {"secretsmanager:ResourceTag/a": "b"}})),
        Reach::Named
    );
}

/// S31: tags of the role are known when sessions cannot bring their own.
#[test]
fn tags_of_the_role_are_known_where_sessions_bring_none() {
    let condition = || json!({"StringEquals": {"aws:PrincipalTag/team": "data"}});
    let reach = |tags: Option<&BTreeMap<String, String>>| {
        answer("s3:GetObject", &json!({"Resource": "*"}), condition(), tags).reach
    };
    let team = |name: &str| BTreeMap::from([("Team".to_owned(), name.to_owned())]);
    assert_eq!(reach(Some(&team("data"))), Reach::Every);
    assert_eq!(reach(Some(&team("web"))), Reach::Named);
    assert_eq!(reach(Some(&BTreeMap::new())), Reach::Named);
    assert_eq!(reach(None), Reach::MayEvery);
}
