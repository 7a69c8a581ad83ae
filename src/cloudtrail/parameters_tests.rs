//! What the collector remembers of parameters, and what it does not.

use super::*;

fn gather(source: &str, region: &str, seen: &[(usize, &str, Option<&str>)]) -> ParameterFacts {
    let mut collector = Collector::new(source, region, AccountId::parse("111122223333"));
    for (depth, key, value) in seen {
        collector.see(*depth, key, *value);
    }
    collector.finish()
}

/// S20: parameters decide between actions.
#[test]
fn keys_become_hints() {
    let cases: [(&str, Hints); 12] = [
        ("versionId", Hints::VERSION_ID),
        ("x-amz-acl", Hints::ACL),
        ("x-amz-grant-read", Hints::ACL),
        ("x-amz-tagging", Hints::TAGGING),
        ("x-amz-object-lock-mode", Hints::OBJECT_LOCK),
        ("x-amz-copy-source", Hints::COPY_SOURCE),
        ("serviceNamespace", Hints::SERVICE_NAMESPACE),
        ("iamInstanceProfile", Hints::PASSES_ROLE),
        ("tagSpecificationSet", Hints::TAG_SPECIFICATION),
        ("tags", Hints::TAGS),
        ("x-amz-checksum", Hints::none()),
        ("instanceId", Hints::none()),
    ];
    for (key, expected) in cases {
        assert_eq!(gather("ec2", "us-east-1", &[(1, key, None)]).hints, expected | Hints::UNNAMED, "{key}");
    }
}

/// S23: a role handed over is seen, a role named as principal or resource is not.
#[test]
fn passed_roles_are_told_from_named_ones() {
    let role = Some("arn:aws-cn:iam::111122223333:role/service/Runner");
    let cases = [
        ("role", role, true),
        ("executionRoleArn", role, true),
        ("arn", Some("arn:aws:iam::111122223333:instance-profile/web"), true),
        ("granteePrincipal", role, false),
        ("principalArn", role, false),
        ("resourceArn", role, false),
        ("AWS", role, false),
        ("role", Some("arn:aws:iam::111122223333:policy/role"), false),
        ("role", Some("arn:aws:s3:::role/x"), false),
    ];
    for (key, value, expected) in cases {
        let facts = gather("lambda.amazonaws.com", "us-east-1", &[(0, key, value)]);
        assert_eq!(facts.hints.contains(Hints::PASSES_ROLE), expected, "{key} {value:?}");
    }
}

#[test]
fn s3_names_become_arns_of_the_regions_partition() {
    let facts =
        gather("s3.amazonaws.com", "cn-north-1", &[(0, "bucketName", Some("logs")), (0, "key", Some("a/b.gz"))]);
    assert_eq!(facts.arns, ["arn:aws-cn:s3:::logs", "arn:aws-cn:s3:::logs/a/b.gz"]);
    let point = "arn:aws:s3:eu-west-1:111122223333:accesspoint/p";
    let facts = gather("s3", "eu-west-1", &[(0, "key", Some("k")), (0, "bucketName", Some(point))]);
    assert_eq!(facts.arns, [point.to_owned(), format!("{point}/object/k")]);
    assert!(gather("glue", "eu-west-1", &[(0, "bucketName", Some("logs"))]).arns.is_empty());
}

/// S35: masked and truncated parameters mean unknown.
#[test]
fn masked_values_are_marked() {
    for mask in ["HIDDEN_DUE_TO_SECURITY_REASONS", "****", "***"] {
        assert!(gather("ssm", "us-east-1", &[(2, "value", Some(mask))]).masked(), "{mask}");
    }
    assert!(!gather("ssm", "us-east-1", &[(2, "value", Some("*"))]).masked());
}

/// S35, and no limit depends on order.
#[test]
fn the_smallest_arns_stay_whatever_the_order() {
    let arns: Vec<String> = (0..40).map(|n| format!("arn:aws:sqs:us-east-1:111122223333:q{n:02}")).collect();
    let forward: Vec<_> = arns.iter().map(|arn| (0, "q", Some(arn.as_str()))).collect();
    let backward: Vec<_> = forward.iter().rev().copied().collect();
    let (one, two) = (gather("sqs", "us-east-1", &forward), gather("sqs", "us-east-1", &backward));
    assert_eq!(one, two);
    assert_eq!(one.arns, arns[..ARNS_LIMIT]);
    assert!(one.truncated());
    let twice = gather("sqs", "us-east-1", &[forward[0], forward[0]]);
    assert!(!twice.truncated() && twice.arns.len() == 1);
    let long = format!("arn:aws:sqs:::{}", "x".repeat(ARN_BYTES_LIMIT));
    assert!(gather("sqs", "us-east-1", &[(0, "q", Some(&long))]).truncated());
}

#[test]
fn bits_survive_storage_and_unknown_bits_do_not() {
    let all = Hints::VERSION_ID | Hints::TRUNCATED;
    assert_eq!(Hints::from_bits(all.bits()), all);
    assert_eq!(Hints::from_bits(1 << 31), Hints::none());
    assert_eq!(Hints::named("PASSES_ROLE"), Some(Hints::PASSES_ROLE));
    assert_eq!(Hints::named("passes_role"), None);
}

/// S35: a record that names no resource, or one in a way that gives no ARN, leaves the resources unknown.
#[test]
fn resources_are_unnamed_unless_each_has_an_arn() {
    let unnamed = |source: &str, seen: &[(usize, &str, Option<&str>)]| {
        gather(source, "eu-west-1", seen).hints.contains(Hints::UNNAMED)
    };
    assert!(!unnamed("dynamodb", &[(0, "tableName", Some("Orders"))]));
    assert!(!unnamed("sns", &[(0, "topicArn", Some("arn:aws:sns:eu-west-1:111122223333:t"))]));
    assert!(unnamed("sns", &[(0, "message", Some("x"))]));
    assert!(!unnamed("s3", &[(0, "bucketName", Some("logs"))]));
    assert!(unnamed("s3", &[(0, "bucketName", Some("reader-abc123-s3alias"))]));
    let role = (0, "role", Some("arn:aws:iam::111122223333:role/Runner"));
    assert!(!unnamed("lambda", &[(0, "functionName", Some("sync")), role]));
    assert!(unnamed("lambda", &[(0, "functionName", Some("sync:live")), role]));
    // S23: a role by its name beside one by its ARN.
    let other = (0, "executionRoleArn", Some("arn:aws:iam::111122223333:role/Runner"));
    assert!(!unnamed("ecs", &[other]));
    assert!(unnamed("ecs", &[other, (0, "taskRoleArn", Some("Worker"))]));
    let assumed = (0, "roleArn", Some("arn:aws:iam::111122223333:role/Runner"));
    assert!(!unnamed("sts", &[assumed, (0, "roleSessionName", Some("nightly"))]));
}
