//! The policy documents of the synthetic accounts: broad where vendors' are broad, with Deny, Condition and NotAction.
//!
//! Every allowed call of a template in `templates` must be granted here. `%a` stands for the account.

/// A managed policy.
#[derive(Debug)]
pub(crate) struct Managed {
    /// Policy name.
    pub(crate) name: &'static str,
    /// Path with both slashes.
    pub(crate) path: &'static str,
    /// AWS's own policy (`arn:aws:iam::aws:policy/...`).
    pub(crate) aws: bool,
    /// The default version's document.
    pub(crate) document: &'static str,
}

/// Reads everything that monitoring needs, in wildcards, and a few concrete actions.
pub(crate) const MONITORING: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Describe","Effect":"Allow","Action":["ec2:Describe*","rds:Describe*","ecs:Describe*","ecs:List*","elasticloadbalancing:Describe*","autoscaling:Describe*","lambda:List*","logs:Describe*","cloudwatch:Get*","cloudwatch:List*","cloudwatch:Describe*","tag:GetResources"],"Resource":"*"},{"Sid":"Buckets","Effect":"Allow","Action":["s3:ListAllMyBuckets","s3:GetBucketTagging","s3:GetBucketLocation"],"Resource":"*"},{"Sid":"Extra","Effect":"Allow","Action":["cloudwatch:GetMetricData","redshift:DescribeClusters","guardduty:ListFindings","ssm:SendCommand"],"Resource":"*"},{"Sid":"Never","Effect":"Deny","Action":"ec2:GetPasswordData","Resource":"*"}]}"#;

/// What a cost tool asks for: reads, and writes that no report needs.
pub(crate) const COST: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["ce:*","organizations:List*","organizations:Describe*","ec2:DescribeInstances","ec2:DescribeVolumes","ec2:DescribeSnapshots","ec2:DescribeAddresses","rds:DescribeDBInstances","elasticache:Describe*"],"Resource":"*"},{"Sid":"Act","Effect":"Allow","Action":["ec2:StopInstances","ec2:TerminateInstances","rds:ModifyDBInstance","rds:DeleteDBInstance"],"Resource":"*"}]}"#;

/// A posture scanner's additions, one of them on every key, one under a condition.
pub(crate) const POSTURE: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Secrets","Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:ListSecrets"],"Resource":"*"},{"Sid":"Keys","Effect":"Allow","Action":["kms:Decrypt","kms:CreateGrant"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":["secretsmanager.us-east-1.amazonaws.com","secretsmanager.eu-west-1.amazonaws.com","secretsmanager.us-west-2.amazonaws.com","secretsmanager.ap-southeast-2.amazonaws.com"]}}}]}"#;

/// One statement as an object, actions as a string, odd case.
pub(crate) const SMALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"EC2:describe*","Resource":"*"}}"#;

/// A data pipeline: object reads and writes in one bucket.
pub(crate) const PIPELINE: &str = r#"{"Version":"2012-10-17","Id":"pipeline","Statement":[{"Sid":"Objects","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket","s3:GetBucketLocation","s3:DeleteObject"],"Resource":["arn:aws:s3:::acme-export-%a","arn:aws:s3:::acme-export-%a/*"]},{"Sid":"Names","Effect":"Allow","Action":["s3:ListAllMyBuckets","rds:DescribeDBInstances","rds:CreateDBSnapshot"],"Resource":"*"}]}"#;

/// An instance scheduler that hands over to a second role.
pub(crate) const SCHEDULER: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Plan","Effect":"Allow","Action":["ec2:DescribeInstances","ec2:DescribeVolumes","ec2:StopInstances","ec2:StartInstances","ec2:ModifyVolume"],"Resource":"*","Condition":{"StringEqualsIfExists":{"aws:RequestedRegion":["us-east-1","eu-west-1","us-west-2"]}}},{"Sid":"Next","Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Resource":["arn:aws:iam::%a:role/ZestyActor"]}]}"#;

/// The second role of the chain: acts here, and may go on into another account.
pub(crate) const ACTOR: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Act","Effect":"Allow","Action":["ec2:CreateTags","ec2:DescribeTags","ec2:DeleteTags","ec2:DescribeInstances"],"Resource":"*"},{"Sid":"Next","Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Resource":"arn:aws:iam::*:role/ZestySpoke"}]}"#;

/// The third role of the chain, in another account.
pub(crate) const SPOKE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances","ec2:DescribeReservedInstances","ec2:PurchaseReservedInstancesOffering"],"Resource":"*"}]}"#;

/// A pipeline in a code forge: deploys functions, may pass any role.
pub(crate) const DEPLOY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Deploy","Effect":"Allow","Action":["lambda:UpdateFunctionCode","lambda:GetFunction","lambda:ListFunctions","lambda:DeleteFunction","cloudformation:ListStacks","ecr:GetAuthorizationToken","ecr:DescribeRepositories","iam:CreateUser"],"Resource":"*"},{"Sid":"Pass","Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::%a:role/*"}]}"#;

/// A role of people outside, through their own identity provider; no unused deletes.
pub(crate) const CONTRACTORS: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Look","Effect":"Allow","Action":["dynamodb:ListTables","dynamodb:DescribeTable","logs:DescribeLogGroups","eks:ListClusters","eks:DescribeCluster","dynamodb:UpdateTable","dynamodb:GetItem"],"Resource":"*"},{"Sid":"NotAtNight","Effect":"Deny","NotAction":["sts:GetCallerIdentity"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;

/// An audit tool's credentials report and lists.
pub(crate) const AUDIT: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Audit","Effect":"Allow","Action":["iam:Generate*","iam:Get*","iam:List*","config:Describe*","cloudtrail:Describe*","cloudtrail:GetTrailStatus","guardduty:List*","kms:List*","kms:Describe*","kms:GetKeyRotationStatus","organizations:DescribeOrganization","s3:GetEncryptionConfiguration","s3:GetBucketPolicy","s3:GetBucketAcl","s3:GetBucketVersioning","s3:GetBucketLogging","s3:GetLifecycleConfiguration","s3:ListAllMyBuckets","ec2:DescribeSecurityGroups","ec2:DescribeVpcs"],"Resource":"*"},{"Sid":"More","Effect":"Allow","Action":["cloudtrail:LookupEvents","iam:SimulateCustomPolicy","access-analyzer:ListAnalyzers"],"Resource":"*"}]}"#;

/// What own workloads hold.
pub(crate) const WORKLOAD: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*","secretsmanager:GetSecretValue","kms:Decrypt","kms:GenerateDataKey","dynamodb:*","s3:*","ssm:*","ec2:Describe*","ec2:CreateTags","sts:AssumeRole","ecr:*"],"Resource":"*"}]}"#;

/// A boundary that protects what matters.
pub(crate) const BOUNDARY: &str = "VendorBoundary";

/// Every managed policy; attached by name.
#[rustfmt::skip] // one policy, one line
pub(crate) static MANAGED: &[Managed] = &[
    Managed { name: "VendorReadOnlyShared", path: "/vendors/", aws: false, document: r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["ec2:Describe*","s3:GetBucket*","s3:GetEncryptionConfiguration","s3:GetReplicationConfiguration","s3:ListAllMyBuckets","iam:List*","iam:GetAccountSummary","lambda:List*","lambda:GetPolicy","kms:List*","kms:DescribeKey","rds:Describe*","cloudfront:List*","route53:List*","redshift:Describe*","ecr:Describe*"],"Resource":"*"},{"Sid":"Concrete","Effect":"Allow","Action":["wafv2:ListWebACLs","acm:ListCertificates","backup:ListBackupVaults"],"Resource":"*"}]}"# },
    Managed { name: "SecurityAudit", path: "/", aws: true, document: r#"{"Version":"2012-10-17","Statement":[{"Sid":"BaseSecurityAuditStatement","Effect":"Allow","Action":["acm:List*","cloudtrail:DescribeTrails","cloudtrail:GetTrailStatus","config:Describe*","dynamodb:ListTables","dynamodb:DescribeTable","ec2:Describe*","ecs:List*","elasticloadbalancing:Describe*","guardduty:List*","iam:GenerateCredentialReport","iam:GetCredentialReport","iam:GetAccountAuthorizationDetails","iam:List*","kms:List*","kms:Describe*","rds:Describe*","s3:GetBucket*","s3:GetEncryptionConfiguration","s3:ListAllMyBuckets","tag:GetResources"],"Resource":"*"},{"Sid":"APIGatewayAccess","Effect":"Allow","Action":["apigateway:GET"],"Resource":["arn:aws:apigateway:*::/apis","arn:aws:apigateway:*::/restapis"]}]}"# },
    Managed { name: "VendorBoundary", path: "/", aws: false, document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["organizations:LeaveOrganization","iam:*AccessKey*","cloudtrail:StopLogging"],"Resource":"*"}]}"# },
    Managed { name: "AdministratorAccess", path: "/", aws: true, document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"# },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// S30: every document is JSON with a version.
    #[test]
    fn documents_are_json() {
        let inline = [MONITORING, COST, POSTURE, SMALL, PIPELINE, SCHEDULER, ACTOR, SPOKE, DEPLOY, CONTRACTORS, AUDIT];
        for text in inline.into_iter().chain([WORKLOAD]).chain(MANAGED.iter().map(|policy| policy.document)) {
            let document: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(document["Version"], "2012-10-17", "{text}");
        }
    }
}
