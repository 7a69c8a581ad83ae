//! The built-in catalog says what AWS says.

use std::collections::BTreeMap;

use super::*;
use Observability::{Data, ManagementConfirmed, ManagementSeen, PermissionOnly, Unknown};

fn class_of(action: &str) -> Observability {
    Catalog::builtin()
        .get(&Action::parse(action).unwrap())
        .unwrap_or_else(|| panic!("{action} is unknown"))
        .observability
}

fn check(expected: Observability, actions: &str) {
    for action in actions.split_whitespace() {
        assert_eq!(class_of(action), expected, "{action}");
    }
}

#[test]
fn every_line_of_the_table_is_an_action() {
    assert_eq!(rows(ACTIONS).count(), 22_091);
    assert_eq!(Catalog::builtin().iter().count(), 22_091);
    assert_eq!(Catalog::builtin().services().count(), 456);
    let by_service: usize =
        Catalog::builtin().services().map(|prefix| Catalog::builtin().in_service(prefix).count()).sum();
    assert_eq!(by_service, 22_091);
}

/// S24: the classes as they were counted when the tables were built.
#[test]
fn classes_are_as_counted() {
    let mut counts = BTreeMap::new();
    for info in Catalog::builtin().iter() {
        *counts.entry(info.observability).or_insert(0) += 1;
    }
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [(Data, 203), (PermissionOnly, 1446), (ManagementConfirmed, 10_130), (ManagementSeen, 37), (Unknown, 10_275)]
    );
}

/// S25: data events keep their class although AWS's policy generator flags them.
#[test]
fn seventeen_flagged_data_actions_are_data() {
    check(
        Data,
        "s3:GetObjectAttributes kinesis:GetRecords kinesis:GetShardIterator kinesis:PutRecord kinesis:PutRecords \
         kinesis:SubscribeToShard appsync:GraphQL timestream:CancelQuery timestream:PrepareQuery \
         states:InvokeHTTPEndpoint states:SendTaskHeartbeat states:SendTaskSuccess states:SendTaskFailure \
         ses:SendBounce ses:SendCustomVerificationEmail guardduty:SendSecurityTelemetry ecs:Poll",
    );
}

/// S25: calls that look like management and are recorded as data.
#[test]
fn reads_that_need_a_selector_are_data() {
    check(
        Data,
        "s3:ListBucket s3:GetObject lambda:InvokeFunction dynamodb:GetItem cloudwatch:GetMetricData \
         cloudwatch:ListMetrics sqs:ListQueues sqs:GetQueueAttributes sqs:ReceiveMessage sns:Publish",
    );
}

/// S23: `iam:PassRole` has no event, nor have other permissions without an API.
#[test]
fn permissions_without_an_api_have_no_event() {
    check(PermissionOnly, "iam:PassRole logs:PutLogEvents es:ESHttpGet kafka-cluster:Connect neptune-db:connect");
}

/// S24: management events.
#[test]
fn management_events_are_confirmed_or_seen() {
    check(ManagementConfirmed, "ec2:DescribeInstances s3:ListAllMyBuckets iam:ListRoles sts:AssumeRole kms:Decrypt");
    check(ManagementSeen, "cloudwatch:DescribeAlarms tag:GetResources logs:FilterLogEvents sns:ListTopics");
}

/// S25: the selector type of a data event.
#[test]
fn data_actions_know_their_selector_types() {
    let types = |action| Catalog::builtin().data_event_types(&Action::parse(action).unwrap());
    assert_eq!(types("S3:getobject"), ["AWS::S3::Object", "AWS::S3::AccessPoint"]);
    assert_eq!(types("cloudwatch:ListMetrics"), ["AWS::CloudWatch::Metric"]);
    assert!(types("ec2:DescribeInstances").is_empty());
    for info in Catalog::builtin().iter() {
        let known = !Catalog::builtin().data_event_types(&info.action).is_empty();
        assert_eq!(known, info.observability == Data, "{}", info.action);
    }
}

#[test]
fn resource_types_have_templates() {
    let catalog = Catalog::builtin();
    let object = catalog.resource_templates(&Action::parse("s3:GetObject").unwrap());
    assert!(object.iter().any(|(_, template)| *template == Some("arn:${Partition}:s3:::${BucketName}/${ObjectName}")));
    let without: Vec<String> = catalog
        .iter()
        .flat_map(|info| catalog.resource_templates(&info.action).into_iter().map(move |pair| (info, pair)))
        .filter(|(_, (_, template))| template.is_none())
        .map(|(info, (kind, _))| format!("{}/{}", info.action, kind.name))
        .collect();
    assert_eq!(without, Vec::<String>::new(), "resource types without a template");
}

#[test]
fn dependents_exist() {
    let catalog = Catalog::builtin();
    for info in catalog.iter() {
        for needed in &info.dependents {
            assert!(catalog.get(needed).is_some(), "{} needs {needed}", info.action);
        }
    }
    let run = catalog.get(&Action::parse("lambda:CreateFunction").unwrap()).unwrap();
    assert!(run.dependents.contains(&Action::parse("iam:PassRole").unwrap()));
}
