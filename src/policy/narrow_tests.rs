//! What is limited to which resources, and what is left alone.

use super::*;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::NamedPolicy;
use crate::policy::inclusion::subset;

fn uses(of: &[(&str, &[&str])]) -> KnownUses {
    let use_of = |(action, arns): &(&str, &[&str])| {
        (Action::parse(action).unwrap(), arns.iter().map(|arn| (*arn).to_owned()).collect())
    };
    of.iter().map(use_of).collect()
}

fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Narrows, and proves that nothing was added.
fn narrowed(statements: &Value, of: &[(&str, &[&str])], how: Narrowing) -> Value {
    let old = document(statements);
    let (new, changes) = narrow(&old, &uses(of), how);
    assert_eq!(changes.is_empty(), new == old);
    let (before, after) = (PolicyDocument::from_value(&old).unwrap(), PolicyDocument::from_value(&new).unwrap());
    let named = |document| [NamedPolicy { name: "p", document }];
    assert!(subset(&named(&after), &named(&before)), "{new} is not within {old}");
    new["Statement"].clone()
}

fn allow(action: &Value, resource: &Value) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// S35: each kind of resource is written as policies write it.
#[test]
fn each_shape_becomes_its_pattern() {
    let check = |action: &str, used: &str, expected: Value| {
        let before = allow(&json!(action), &json!("*"));
        let after = narrowed(&before, &[(action, &[used])], Narrowing::Exact);
        assert_eq!(after["Resource"], expected, "{action}");
        assert_eq!(after["Action"], json!(action));
    };
    check("s3:GetObject", "arn:aws:s3:::b/a/k", json!("arn:aws:s3:::b/*"));
    check("s3:ListBucket", "arn:aws:s3:::b", json!("arn:aws:s3:::b"));
    let queue = "arn:aws:sqs:eu-west-1:111122223333:jobs";
    check("sqs:SendMessage", queue, json!(queue));
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:sync";
    check("lambda:InvokeFunction", function, json!([function, format!("{function}:*")]));
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders";
    check("dynamodb:Query", table, json!([table, format!("{table}/index/*")]));
    let group = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x";
    check("logs:GetLogEvents", group, json!([group, format!("{group}:*")]));
    let role = "arn:aws:iam::111122223333:role/Runner";
    check("iam:PassRole", role, json!(role));
    check("sts:AssumeRole", role, json!(role));
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db";
    check("secretsmanager:GetSecretValue", secret, json!([secret, format!("{secret}-??????")]));
    let key = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-00000000ffff";
    check("kms:Decrypt", key, json!(key));
    for other in [
        ("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:topic"),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/app/db"),
        ("ec2:StopInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc"),
    ] {
        check(other.0, other.1, json!(other.1));
    }
}

/// S35: what is not in the list, not fully known, or odd stays on the resources that it had.
#[test]
fn unknown_is_not_narrowed() {
    let stays = |action: &str, resource: Value, of: &[(&str, &[&str])]| {
        let before = allow(&json!(action), &resource);
        assert_eq!(narrowed(&before, of, Narrowing::Exact), before, "{action}");
    };
    let object: &[&str] = &["arn:aws:s3:::b/k"];
    stays("s3:GetObject", json!("*"), &[]);
    stays("s3:Get*", json!("*"), &[("s3:GetObject", object)]);
    stays("s3:PutBucketPolicy", json!("*"), &[("s3:PutBucketPolicy", &["arn:aws:s3:::b"])]);
    stays("s3:GetObject", json!("*"), &[("s3:GetObject", &["arn:aws:s3:::b/k*"])]);
    stays("s3:GetObject", json!("*"), &[("s3:GetObject", &["arn:aws:s3:::b/${x}"])]);
    stays("s3:GetObject", json!("*"), &[("s3:GetObject", &["arn:aws:s3:::b"])]);
    stays("sqs:SendMessage", json!("*"), &[("sqs:SendMessage", object)]);
    for (action, arn) in [
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/app:3"),
        ("lambda:GetFunction", "arn:aws:lambda:eu-west-1:111122223333:function:sync:live"),
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:alias/app"),
    ] {
        stays(action, json!("*"), &[(action, &[arn])]);
    }
    stays("s3:GetObject", json!("arn:aws:s3:::b/${aws:username}/*"), &[("s3:GetObject", object)]);
    // Narrower already, or granted by another statement.
    stays("s3:GetObject", json!("arn:aws:s3:::b/k"), &[("s3:GetObject", object)]);
    stays("s3:GetObject", json!("arn:aws:s3:::other/*"), &[("s3:GetObject", object)]);
    let many: Vec<String> = (0..=NARROWED_RESOURCES).map(|at| format!("arn:aws:s3:::b{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    stays("s3:ListBucket", json!("*"), &[("s3:ListBucket", &many)]);
    let deny = json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"});
    assert_eq!(narrowed(&deny, &[("s3:GetObject", object)], Narrowing::Exact), deny);
    let but = json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::x/*"});
    assert_eq!(narrowed(&but, &[("s3:GetObject", object)], Narrowing::Exact), but);
}

/// S35: an index, a version or a stream that has a pattern of its own is not lost, though records do not tell it.
#[test]
fn patterns_of_parts_are_not_lost() {
    let stays = |action: &str, used: &[&str], resources: Value| {
        let before = allow(&json!(action), &resources);
        assert_eq!(narrowed(&before, &[(action, used)], Narrowing::Exact), before, "{action}");
    };
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders";
    stays("dynamodb:Query", &[table], json!([table, format!("{table}/index/ByDate"), "arn:aws:dynamodb:*:*:table/x"]));
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:sync";
    stays("lambda:GetFunction", &[function], json!([function, format!("{function}:live")]));
    let group = |name: &str| format!("arn:aws:logs:eu-west-1:111122223333:log-group:/{name}");
    let (one, other) = (group("a"), group("b"));
    stays("logs:FilterLogEvents", &[&one, &other], json!([format!("{one}:log-stream:*"), format!("{other}:*")]));
    let secret = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}");
    let (db, x) = (secret("db"), secret("x"));
    stays("secretsmanager:GetSecretValue", &[&db, &x], json!([format!("{db}-AbCdEf"), format!("{x}-??????")]));
}

/// S34, S35: a statement is split where it must be; ids stay different, order and conditions stay.
#[test]
fn statements_are_split_by_resources() {
    let condition = json!({"Bool": {"aws:SecureTransport": "true"}});
    let before = json!([
        {"Sid": "Data", "Effect": "Allow", "Action": ["s3:GetObject", "ec2:DescribeInstances", "s3:ListBucket", "s3:PutObject"],
         "Resource": "*", "Condition": condition},
        {"Sid": "DataNarrowed1", "Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"},
    ]);
    let objects: &[&str] = &["arn:aws:s3:::a/x/1", "arn:aws:s3:::a/x/2"];
    let of: &[(&str, &[&str])] =
        &[("s3:GetObject", objects), ("s3:PutObject", objects), ("s3:ListBucket", &["arn:aws:s3:::a"])];
    let after = narrowed(&before, of, Narrowing::Exact);
    assert_eq!(
        after,
        json!([
            {"Sid": "Data", "Effect": "Allow", "Action": ["ec2:DescribeInstances"], "Resource": "*", "Condition": condition},
            {"Sid": "DataNarrowed2", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::a",
             "Condition": condition},
            {"Sid": "DataNarrowed3", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
             "Resource": "arn:aws:s3:::a/*", "Condition": condition},
            before[1],
        ])
    );
}

/// S35: a common path is looked for only when asked, and ends at a slash.
#[test]
fn paths_are_common_to_all_objects() {
    let before = allow(&json!("s3:GetObject"), &json!(["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]));
    let of: &[(&str, &[&str])] =
        &[("s3:GetObject", &["arn:aws:s3:::a/x/1/k", "arn:aws:s3:::a/x/12/k", "arn:aws:s3:::b/k"])];
    let after = narrowed(&before, of, Narrowing::CommonPrefix);
    assert_eq!(after["Resource"], json!(["arn:aws:s3:::a/x/*", "arn:aws:s3:::b/*"]));
    assert_eq!(common_path(&["a/b", "a/b"]), "a/");
    assert_eq!(common_path(&["ab", "ab"]), "");
}

/// S35: every action in the list exists, once, and its resources can be told.
#[test]
fn listed_actions_are_known() {
    let mut seen = BTreeSet::new();
    for name in SHAPES.iter().flat_map(|(.., names)| *names) {
        let action = Action::parse(name).unwrap();
        assert!(crate::policy::Catalog::builtin().get(&action).is_some(), "{name}");
        assert!(seen.insert(action), "{name} twice");
    }
}
