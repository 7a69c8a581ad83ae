//! Random records among sound ones whose parts are known: recognising says of every object what parsing says.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use thirdtrail::aws::AccountId;
use thirdtrail::evidence::Scope;
use thirdtrail::evidence::observe::Observer;
use thirdtrail::evidence::scope::RoleRef;

/// Records in the forms that CloudTrail writes most often.
const KNOWN: [&str; 4] = [
    r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAX:s","arn":"arn:aws:sts::111122223333:assumed-role/Audit/s","accountId":"111122223333","accessKeyId":"ASIAX","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAX","arn":"arn:aws:iam::111122223333:role/Audit","accountId":"111122223333","userName":"Audit"},"attributes":{"creationDate":"2026-05-01T00:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-05-01T00:00:01Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.44","userAgent":"a/1","requestParameters":{"filterSet":{"items":[{"name":"x","valueSet":{"items":[{"value":"y"}]}}]},"n":1},"responseElements":null,"requestID":"R1","eventID":"0a1b2c3d-0000-4000-8000-000000000001","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#,
    r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAX","arn":"arn:aws:iam::111122223333:user/ci","accountId":"111122223333","accessKeyId":"AKIAX","userName":"ci"},"eventTime":"2026-05-01T00:00:02Z","eventSource":"s3.amazonaws.com","eventName":"ListBuckets","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.44","userAgent":"a/1","errorCode":"AccessDenied","errorMessage":"no","requestParameters":null,"responseElements":null,"requestID":"R2","eventID":"0a1b2c3d-0000-4000-8000-000000000002","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#,
    r#"{"eventVersion":"1.11","userIdentity":{"type":"AWSService","invokedBy":"lambda.amazonaws.com"},"eventTime":"2026-05-01T00:00:03Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":"us-east-1","sourceIPAddress":"lambda.amazonaws.com","userAgent":"lambda.amazonaws.com","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/Audit","roleSessionName":"s"},"responseElements":null,"requestID":"R3","eventID":"0a1b2c3d-0000-4000-8000-000000000003","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#,
    r#"{"eventVersion":"1.11","userIdentity":{"type":"AWSAccount","principalId":"AIDAV","accountId":"464622532012"},"eventTime":"2026-05-01T00:00:04Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.44","userAgent":"a/1","requestParameters":{"bucketName":"b"},"responseElements":null,"requestID":"R4","eventID":"0a1b2c3d-0000-4000-8000-000000000004","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"}"#,
];

static SCOPE: LazyLock<Arc<Scope>> = LazyLock::new(|| {
    let account = AccountId::parse("111122223333").expect("twelve digits");
    let role = RoleRef { account, name: "Audit".to_owned(), id: "AROAX".to_owned() };
    Arc::new(Scope { quiet_roles: [role].into_iter().collect(), ..Scope::default() })
});

fuzz_target!(|data: &[u8]| {
    let known = KNOWN.join(",");
    let mut object = format!("{{\"Records\":[{known},").into_bytes();
    object.extend_from_slice(data);
    object.extend_from_slice(format!(",{known}]}}").as_bytes());
    let (mut quick, mut plain) = (Observer::new(Arc::clone(&SCOPE)), Observer::new(Arc::clone(&SCOPE)));
    // Tails are learned when they are met again; what was learned of the data must not lie the next time.
    for (key, object) in [
        ("1.json", format!("{{\"Records\":[{known},{known}]}}").as_bytes()),
        ("2.json", &object),
        ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/01/3.json", &object),
        ("4.json", &object),
    ] {
        quick.observe(key, object);
        plain.observe_anew(key, object);
    }
    let (quick, plain) = (quick.take(), plain.take());
    assert_eq!(quick.record_counts(), plain.record_counts());
    assert!(quick.to_tables().expect("tables") == plain.to_tables().expect("tables"));
});
