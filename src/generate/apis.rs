//! The table of API calls that the generated principals make: event name, IAM action, parameters.
//!
//! Only events whose IAM action is beyond doubt stand here; the truth says `used` for exactly these actions.
//! In the templates `%a` is the account, `%r` the Region, `%b` a bucket, `%i` a random id of 17 hex digits.

/// One API as CloudTrail names it, and the IAM action that it needs.
#[derive(Debug)]
pub(crate) struct Api {
    /// `eventSource` without `.amazonaws.com`.
    pub(crate) source: &'static str,
    /// `eventName`.
    pub(crate) event: &'static str,
    /// The IAM action; empty where none is needed.
    pub(crate) action: &'static str,
    /// `readOnly`.
    pub(crate) read: bool,
    /// `requestParameters` template.
    pub(crate) params: &'static str,
    /// `resources` template; empty for none.
    pub(crate) resources: &'static str,
    /// A data event, delivered only where the trail asks for it.
    pub(crate) data: bool,
    /// `eventType`; any other than `AwsApiCall` is no use of a permission (S8).
    pub(crate) event_type: &'static str,
}

const CALL: &str = "AwsApiCall";

impl Api {
    /// Recorded in `us-east-1` wherever it was called from (S27).
    pub(crate) fn global(&self) -> bool {
        matches!(self.source, "iam" | "cloudfront" | "route53" | "organizations" | "ce" | "signin")
    }
}

const fn read(source: &'static str, event: &'static str, action: &'static str, params: &'static str) -> Api {
    Api { source, event, action, read: true, params, resources: "", data: false, event_type: CALL }
}

const fn write(source: &'static str, event: &'static str, action: &'static str, params: &'static str) -> Api {
    Api { source, event, action, read: false, params, resources: "", data: false, event_type: CALL }
}

const fn key(event: &'static str, action: &'static str, params: &'static str) -> Api {
    Api { source: "kms", event, action, read: true, params, resources: KEY, data: false, event_type: CALL }
}

const fn bucket(event: &'static str, action: &'static str, params: &'static str) -> Api {
    Api { source: "s3", event, action, read: true, params, resources: BUCKET, data: false, event_type: CALL }
}

const fn object(event: &'static str, action: &'static str, read: bool) -> Api {
    Api { source: "s3", event, action, read, params: OBJECT_PARAMS, resources: OBJECT, data: true, event_type: CALL }
}

const fn no_call(source: &'static str, event: &'static str, resources: &'static str, event_type: &'static str) -> Api {
    Api { source, event, action: "", read: false, params: "null", resources, data: false, event_type }
}

const KEY: &str =
    r#"[{"accountId":"%a","type":"AWS::KMS::Key","ARN":"arn:aws:kms:%r:%a:key/5d1a9c3e-7b20-4f86-a1d4-93c0be52f7a1"}]"#;
const BUCKET: &str = r#"[{"accountId":"%a","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::%b"}]"#;
const OBJECT: &str = r#"[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::%b/export/daily/part-0001.parquet"},{"accountId":"%a","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::%b"}]"#;
const OBJECT_PARAMS: &str =
    r#"{"bucketName":"%b","Host":"%b.s3.amazonaws.com","key":"export/daily/part-0001.parquet"}"#;
const KEY_PARAMS: &str = r#"{"keyId":"arn:aws:kms:%r:%a:key/5d1a9c3e-7b20-4f86-a1d4-93c0be52f7a1"}"#;
const CRYPT_PARAMS: &str = r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"SecretARN":"arn:aws:secretsmanager:%r:%a:secret:prod/database-Ab12Cd"}}"#;
const BUCKET_PARAMS: &str = r#"{"bucketName":"%b","Host":"%b.s3.amazonaws.com"}"#;
const PAGE: &str = r#"{"maxResults":100,"nextToken":"%i"}"#;
const MAX: &str = r#"{"maxResults":100}"#;
const ITEMS: &str = r#"{"maxItems":100}"#;
const FILTER: &str = r#"{"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}}]},"instancesSet":{}}"#;
const INSTANCE: &str = r#"{"instancesSet":{"items":[{"instanceId":"i-%i"}]},"force":false}"#;
const TRY_INSTANCE: &str = r#"{"instancesSet":{"items":[{"instanceId":"i-%i"}]}}"#;
const FUNCTION: &str = r#"{"functionName":"arn:aws:lambda:%r:%a:function:nightly-report"}"#;
const SECRET: &str = r#"{"secretId":"prod/database"}"#;
const ROLE_NAME: &str = r#"{"roleName":"MongoAtlasAccess"}"#;
const TRAIL: &str = r#"{"name":"arn:aws:cloudtrail:us-east-1:%a:trail/main"}"#;

/// Every API that a generated principal may call.
#[rustfmt::skip] // one API, one line
pub(crate) static APIS: &[Api] = &[
    read("sts", "GetCallerIdentity", "", "null"),
    write("sts", "AssumeRole", "sts:AssumeRole", "null"),
    read("ec2", "DescribeInstances", "ec2:DescribeInstances", FILTER),
    read("ec2", "DescribeVolumes", "ec2:DescribeVolumes", r#"{"maxResults":500,"volumeSet":{},"filterSet":{}}"#),
    read("ec2", "DescribeSnapshots", "ec2:DescribeSnapshots", r#"{"ownersSet":{"items":[{"owner":"self"}]},"filterSet":{}}"#),
    read("ec2", "DescribeSecurityGroups", "ec2:DescribeSecurityGroups", r#"{"securityGroupSet":{},"filterSet":{}}"#),
    read("ec2", "DescribeVpcs", "ec2:DescribeVpcs", r#"{"vpcSet":{},"filterSet":{}}"#),
    read("ec2", "DescribeSubnets", "ec2:DescribeSubnets", r#"{"subnetSet":{},"filterSet":{}}"#),
    read("ec2", "DescribeRegions", "ec2:DescribeRegions", r#"{"regionSet":{},"allRegions":false}"#),
    read("ec2", "DescribeTags", "ec2:DescribeTags", r#"{"maxResults":1000,"filterSet":{}}"#),
    read("ec2", "DescribeAddresses", "ec2:DescribeAddresses", r#"{"publicIpsSet":{},"filterSet":{}}"#),
    read("ec2", "DescribeNetworkInterfaces", "ec2:DescribeNetworkInterfaces", r#"{"networkInterfaceIdSet":{},"filterSet":{}}"#),
    read("ec2", "DescribeReservedInstances", "ec2:DescribeReservedInstances", r#"{"reservedInstancesSet":{},"filterSet":{}}"#),
    write("ec2", "StopInstances", "ec2:StopInstances", INSTANCE),
    write("ec2", "StartInstances", "ec2:StartInstances", TRY_INSTANCE),
    write("ec2", "CreateTags", "ec2:CreateTags", r#"{"resourcesSet":{"items":[{"resourceId":"i-%i"}]},"tagSet":{"items":[{"key":"owner","value":"platform"}]}}"#),
    bucket("ListBuckets", "s3:ListAllMyBuckets", r#"{"Host":"s3.amazonaws.com"}"#),
    bucket("GetBucketEncryption", "s3:GetEncryptionConfiguration", BUCKET_PARAMS),
    bucket("GetBucketLocation", "s3:GetBucketLocation", BUCKET_PARAMS),
    bucket("GetBucketPolicy", "s3:GetBucketPolicy", BUCKET_PARAMS),
    bucket("GetBucketTagging", "s3:GetBucketTagging", BUCKET_PARAMS),
    bucket("GetBucketAcl", "s3:GetBucketAcl", BUCKET_PARAMS),
    bucket("GetBucketVersioning", "s3:GetBucketVersioning", BUCKET_PARAMS),
    bucket("GetBucketLogging", "s3:GetBucketLogging", BUCKET_PARAMS),
    bucket("GetBucketLifecycle", "s3:GetLifecycleConfiguration", BUCKET_PARAMS),
    bucket("GetBucketReplication", "s3:GetReplicationConfiguration", BUCKET_PARAMS),
    object("GetObject", "s3:GetObject", true),
    object("HeadObject", "s3:GetObject", true),
    object("PutObject", "s3:PutObject", false),
    object("ListObjects", "s3:ListBucket", true),
    read("monitoring", "DescribeAlarms", "cloudwatch:DescribeAlarms", r#"{"maxRecords":100}"#),
    read("tagging", "GetResources", "tag:GetResources", r#"{"resourcesPerPage":100,"resourceTypeFilters":["ec2:instance"],"paginationToken":"%i"}"#),
    read("lambda", "ListFunctions20150331", "lambda:ListFunctions", ITEMS),
    read("lambda", "GetFunction20150331v2", "lambda:GetFunction", FUNCTION),
    read("lambda", "GetPolicy20150331v2", "lambda:GetPolicy", FUNCTION),
    write("lambda", "UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode", FUNCTION),
    read("iam", "ListRoles", "iam:ListRoles", ITEMS),
    read("iam", "ListUsers", "iam:ListUsers", ITEMS),
    read("iam", "ListPolicies", "iam:ListPolicies", r#"{"scope":"Local","onlyAttached":true}"#),
    read("iam", "ListAccountAliases", "iam:ListAccountAliases", "null"),
    read("iam", "GetAccountSummary", "iam:GetAccountSummary", "null"),
    read("iam", "GenerateCredentialReport", "iam:GenerateCredentialReport", "null"),
    read("iam", "GetCredentialReport", "iam:GetCredentialReport", "null"),
    write("iam", "DeleteRole", "iam:DeleteRole", ROLE_NAME),
    write("iam", "CreateRole", "iam:CreateRole", ROLE_NAME),
    read("rds", "DescribeDBInstances", "rds:DescribeDBInstances", r#"{"maxRecords":100}"#),
    read("rds", "DescribeDBSnapshots", "rds:DescribeDBSnapshots", r#"{"maxRecords":100,"snapshotType":"manual"}"#),
    read("rds", "DescribeDBClusters", "rds:DescribeDBClusters", r#"{"maxRecords":100}"#),
    read("kms", "ListKeys", "kms:ListKeys", r#"{"limit":100}"#),
    read("kms", "ListAliases", "kms:ListAliases", r#"{"limit":100}"#),
    key("DescribeKey", "kms:DescribeKey", KEY_PARAMS),
    key("GetKeyRotationStatus", "kms:GetKeyRotationStatus", KEY_PARAMS),
    key("Decrypt", "kms:Decrypt", CRYPT_PARAMS),
    key("GenerateDataKey", "kms:GenerateDataKey", KEY_PARAMS),
    read("secretsmanager", "GetSecretValue", "secretsmanager:GetSecretValue", SECRET),
    read("secretsmanager", "ListSecrets", "secretsmanager:ListSecrets", MAX),
    read("logs", "DescribeLogGroups", "logs:DescribeLogGroups", r#"{"limit":50}"#),
    write("logs", "CreateLogStream", "logs:CreateLogStream", r#"{"logGroupName":"/aws/lambda/nightly-report","logStreamName":"2026/[$LATEST]%i"}"#),
    read("ce", "GetCostAndUsage", "ce:GetCostAndUsage", r#"{"granularity":"DAILY","metrics":["UnblendedCost"],"timePeriod":{"start":"2026-04-01","end":"2026-05-01"}}"#),
    read("organizations", "ListAccounts", "organizations:ListAccounts", MAX),
    read("organizations", "DescribeOrganization", "organizations:DescribeOrganization", "null"),
    read("cloudtrail", "DescribeTrails", "cloudtrail:DescribeTrails", r#"{"includeShadowTrails":true}"#),
    read("cloudtrail", "GetTrailStatus", "cloudtrail:GetTrailStatus", TRAIL),
    write("cloudtrail", "StopLogging", "cloudtrail:StopLogging", TRAIL),
    write("cloudtrail", "StartLogging", "cloudtrail:StartLogging", TRAIL),
    read("guardduty", "ListDetectors", "guardduty:ListDetectors", MAX),
    read("config", "DescribeConfigRules", "config:DescribeConfigRules", "null"),
    read("autoscaling", "DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingGroups", r#"{"maxRecords":100}"#),
    read("elasticloadbalancing", "DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroups", r#"{"pageSize":100}"#),
    read("dynamodb", "ListTables", "dynamodb:ListTables", r#"{"limit":100}"#),
    read("dynamodb", "DescribeTable", "dynamodb:DescribeTable", r#"{"tableName":"orders"}"#),
    read("ecr", "DescribeRepositories", "ecr:DescribeRepositories", MAX),
    read("ecr", "GetAuthorizationToken", "ecr:GetAuthorizationToken", "null"),
    read("ecs", "ListClusters", "ecs:ListClusters", MAX),
    read("ecs", "ListServices", "ecs:ListServices", r#"{"cluster":"arn:aws:ecs:%r:%a:cluster/main","maxResults":100}"#),
    read("eks", "ListClusters", "eks:ListClusters", PAGE),
    read("eks", "DescribeCluster", "eks:DescribeCluster", r#"{"name":"main"}"#),
    read("cloudformation", "ListStacks", "cloudformation:ListStacks", r#"{"stackStatusFilter":["CREATE_COMPLETE","UPDATE_COMPLETE"]}"#),
    read("ssm", "DescribeParameters", "ssm:DescribeParameters", MAX),
    write("ssm", "UpdateInstanceInformation", "ssm:UpdateInstanceInformation", r#"{"instanceId":"i-%i","agentVersion":"3.3.1230.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"10.0.14.7","computerName":"ip-10-0-14-7.ec2.internal","agentName":"amazon-ssm-agent"}"#),
    read("cloudfront", "ListDistributions2020_05_31", "cloudfront:ListDistributions", r#"{"maxItems":"100"}"#),
    read("route53", "ListHostedZones", "route53:ListHostedZones", r#"{"maxItems":"100"}"#),
    read("elasticache", "DescribeCacheClusters", "elasticache:DescribeCacheClusters", r#"{"maxRecords":100}"#),
    read("redshift", "DescribeClusters", "redshift:DescribeClusters", r#"{"maxRecords":100}"#),
    write("iam", "UpdateAssumeRolePolicy", "iam:UpdateAssumeRolePolicy", "null"),
    no_call("signin", "ConsoleLogin", "", "AwsConsoleSignIn"),
    no_call("kms", "RotateKey", KEY, "AwsServiceEvent"),
];

/// Position and entry of `source:event`.
pub(crate) fn find(name: &str) -> Option<(usize, &'static Api)> {
    let (source, event) = name.split_once(':')?;
    APIS.iter().enumerate().find(|(_, api)| api.source == source && api.event == event)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S20: event names are unique, and every template is JSON.
    #[test]
    fn table_is_well_formed() {
        for (at, api) in APIS.iter().enumerate() {
            assert_eq!(find(&format!("{}:{}", api.source, api.event)).unwrap().0, at, "{api:?}");
            for text in [api.params, api.resources] {
                assert!(text.is_empty() || serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
            }
        }
    }
}
