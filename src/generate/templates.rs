//! The vendors and roles from which the cast is drawn: one entry per situation that an analysis must understand.
//!
//! Vendor names and account ids are public facts (fwdcloudsec/known_aws_accounts, Apache-2.0); accounts without a name
//! belong to nobody known.

use super::policies::{
    ACTOR, AUDIT, BOUNDARY, CONTRACTORS, COST, DEPLOY, MONITORING, PIPELINE, POSTURE, SCHEDULER, SMALL, SPOKE,
};

/// How a call ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Allowed and done.
    Ok,
    /// `AccessDenied`.
    AccessDenied,
    /// `Client.UnauthorizedOperation`, as EC2 says it.
    Unauthorized,
    /// Allowed, then `ThrottlingException`.
    Throttled,
    /// Allowed, then not found.
    NotFound,
    /// Allowed, `Client.DryRunOperation`.
    DryRun,
}

/// Who may come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trust {
    /// One outside account.
    Vendor,
    /// One outside account, the condition written so that it can be left out (`IfExists`).
    VendorIfExists,
    /// Two outside accounts.
    TwoVendors,
    /// GitHub's tokens.
    GitHub,
    /// An external identity provider.
    Saml,
    /// The role before it in the chain, by name, in the account that many accounts back.
    Chain(&'static str),
    /// Own account number 0.
    OwnOrganization,
    /// The holder of a certificate, through IAM Roles Anywhere; its subject.
    Certificate(&'static str),
}

/// What is special about the role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Situation {
    /// Sessions all the time.
    Plain,
    /// Some hand-offs carry no external id.
    ExternalIdSometimesAbsent,
    /// Some hand-offs have no access key id in their response.
    KeyMissing,
    /// Used on the window's first day only.
    FirstDayOnly,
    /// Last used long before the window, by IAM's account.
    IdleBefore,
    /// Never used, older than the window.
    NeverUsed,
    /// Never used, younger than the threshold.
    TooNew,
    /// Assumed, but calls nothing.
    WithoutCalls,
    /// Begins a chain of two more roles.
    ChainHead,
    /// Reached through a chain only.
    ChainLink,
    /// Deleted and created again at three fifths of the window.
    Recreated,
    /// One session was opened before the trail began.
    BeforeTrail,
    /// Calls KMS through Secrets Manager.
    ViaService,
    /// One session was opened in the twelve hours before the window (S3).
    EarlyHandOff,
    /// The vendor acts in sessions that our own organization opened, by temporary delegation (S14).
    Delegated,
}

/// One role of the cast.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) role: &'static str,
    pub(crate) path: &'static str,
    /// Account and name of the outsider; the name is empty for an account that nobody knows.
    pub(crate) vendor: (&'static str, &'static str),
    /// Position of the own account; `None` for every account.
    pub(crate) home: Option<usize>,
    pub(crate) trust: Trust,
    pub(crate) external_id: External,
    pub(crate) situation: Situation,
    /// Share of the third-party records, relative to the other templates.
    pub(crate) weight: u32,
    /// `source:event`, outcome, weight.
    pub(crate) calls: &'static [(&'static str, Outcome, u32)],
    pub(crate) inline: &'static [(&'static str, &'static str)],
    pub(crate) managed: &'static [&'static str],
    pub(crate) boundary: Option<&'static str>,
    /// Concretely granted, shown by CloudTrail as a management event, called by nobody in this role.
    pub(crate) unused: &'static [&'static str],
    /// Concretely granted, and CloudTrail does not show whether it is used.
    pub(crate) blind: &'static [&'static str],
    /// Granted and harmful in the wrong hands: who never used one of them could lose it.
    pub(crate) dangerous: &'static [&'static str],
    /// The findings that its policies amount to, whatever of them was used.
    pub(crate) amounts: &'static [&'static str],
    pub(crate) agent: &'static str,
}

/// The external id that the trust asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum External {
    /// None.
    Absent,
    /// A UUID of its own.
    Uuid,
    /// A word.
    Word(&'static str),
}

use External::{Absent, Uuid, Word};
use Outcome::{AccessDenied, DryRun, NotFound, Ok, Throttled, Unauthorized};

const BOTO: &str = "Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#5.10.226-214.879.amzn2.x86_64 md/arch#x86_64 lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.35.36";
const GO: &str = "aws-sdk-go-v2/1.32.3 ua/2.1 os/linux lang/go#1.23.1 md/GOOS#linux md/GOARCH#arm64 api/sts#1.32.3 m/E";
const JAVA: &str = "aws-sdk-java/2.28.11 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.109-118.189.amzn2023.x86_64 lang/java#17.0.12 md/OpenJDK_64-Bit_Server_VM#17.0.12+7-LTS";
const NODE: &str = "aws-sdk-nodejs/2.1692.0 linux/v20.18.0 promise";
const ACTION: &str = "configure-aws-credentials-for-github-actions aws-sdk-js/3.658.0 ua/2.0 os/linux#6.8.0-1015-azure lang/js md/nodejs#20.13.1 api/sts#3.658.0";
const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36";

const EMPTY: Template = Template {
    role: "",
    path: "/",
    vendor: ("", ""),
    home: Some(0),
    trust: Trust::Vendor,
    external_id: Uuid,
    situation: Situation::Plain,
    weight: 10,
    calls: &[("sts:GetCallerIdentity", Ok, 1), ("ec2:DescribeInstances", Ok, 5), ("ec2:DescribeVolumes", Ok, 3)],
    inline: &[("access", SMALL)],
    managed: &[],
    boundary: None,
    unused: &[],
    blind: &[],
    dangerous: &[],
    amounts: &[],
    agent: BOTO,
};

/// The situations, in a fixed order.
#[rustfmt::skip] // a table
pub(crate) static TEMPLATES: &[Template] = &[
    Template { role: "DatadogIntegrationRole", vendor: ("464622532012", "Datadog"), home: None, weight: 30, agent: GO, inline: &[("DatadogIntegrationPolicy", MONITORING)],
        unused: &["redshift:DescribeClusters", "guardduty:ListFindings", "ssm:SendCommand"], blind: &["cloudwatch:GetMetricData"],
        calls: &[("sts:GetCallerIdentity", Ok, 2), ("ec2:DescribeInstances", Ok, 8), ("ec2:DescribeVolumes", Ok, 4), ("tagging:GetResources", Ok, 6), ("monitoring:DescribeAlarms", Ok, 4), ("rds:DescribeDBInstances", Ok, 3), ("lambda:ListFunctions20150331", Ok, 3), ("ecs:ListClusters", Ok, 2), ("ecs:ListServices", NotFound, 1), ("logs:DescribeLogGroups", Ok, 2), ("autoscaling:DescribeAutoScalingGroups", Throttled, 1), ("s3:ListBuckets", Ok, 2), ("s3:GetBucketTagging", Ok, 2), ("cloudtrail:DescribeTrails", AccessDenied, 1)], dangerous: &["ssm:SendCommand"], amounts: &["policy-privilege-escalation"], ..EMPTY },
    Template { role: "lacework-iam-role", path: "/security/vendors/", vendor: ("434813966438", "Lacework"), weight: 12, managed: &["VendorReadOnlyShared"], agent: GO,
        unused: &["acm:ListCertificates", "backup:ListBackupVaults"],
        calls: &[("ec2:DescribeSecurityGroups", Ok, 4), ("ec2:DescribeSubnets", Ok, 2), ("s3:GetBucketPolicy", Ok, 4), ("s3:GetBucketEncryption", Ok, 4), ("s3:GetBucketReplication", Ok, 2), ("iam:ListRoles", Ok, 3), ("iam:GetAccountSummary", Ok, 1), ("kms:ListKeys", Ok, 2), ("kms:DescribeKey", Throttled, 1), ("lambda:GetPolicy20150331v2", NotFound, 1), ("s3:GetBucketAcl", Ok, 2)], ..EMPTY },
    Template { role: "OrcaSecurityRole", vendor: ("976280145156", "Orca Security"), weight: 10, managed: &["VendorReadOnlyShared"], inline: &[("OrcaSecrets", POSTURE)], situation: Situation::ViaService, boundary: Some(BOUNDARY),
        unused: &["acm:ListCertificates", "wafv2:ListWebACLs", "kms:CreateGrant"],
        calls: &[("ec2:DescribeSnapshots", Ok, 4), ("ec2:DescribeNetworkInterfaces", Ok, 3), ("secretsmanager:ListSecrets", Ok, 2), ("secretsmanager:GetSecretValue", Ok, 3), ("cloudfront:ListDistributions2020_05_31", Ok, 1), ("route53:ListHostedZones", Ok, 2), ("redshift:DescribeClusters", Ok, 1), ("ecr:DescribeRepositories", Ok, 1)], dangerous: &["kms:CreateGrant", "kms:Decrypt", "secretsmanager:GetSecretValue"], amounts: &["policy-secrets-any"], ..EMPTY },
    Template { role: "CloudabilityRole", vendor: ("165736516723", "Cloudability"), weight: 10, inline: &[("CloudabilityPolicy", COST)], agent: JAVA,
        unused: &["ec2:StopInstances", "ec2:TerminateInstances", "rds:ModifyDBInstance", "rds:DeleteDBInstance"],
        calls: &[("ce:GetCostAndUsage", Ok, 5), ("organizations:ListAccounts", Ok, 2), ("ec2:DescribeInstances", Ok, 4), ("ec2:DescribeReservedInstances", Unauthorized, 2), ("rds:DescribeDBInstances", Ok, 2), ("elasticache:DescribeCacheClusters", Ok, 1)], dangerous: &["ec2:StopInstances", "ec2:TerminateInstances", "rds:ModifyDBInstance", "rds:DeleteDBInstance"], amounts: &["policy-write-wildcard"], ..EMPTY },
    Template { role: "CloudHealth", vendor: ("454464851268", "Cloudhealth"), home: Some(1), weight: 8, external_id: Word("acme"), trust: Trust::VendorIfExists, situation: Situation::ExternalIdSometimesAbsent, agent: NODE, ..EMPTY },
    Template { role: "NewRelicInfrastructure-Integrations", vendor: ("017663287629", "New Relic"), home: Some(1), weight: 12, situation: Situation::KeyMissing, inline: &[("NewRelicReadOnly", MONITORING)], agent: JAVA,
        unused: &["redshift:DescribeClusters", "ssm:SendCommand"], blind: &["cloudwatch:GetMetricData"],
        calls: &[("ec2:DescribeInstances", Ok, 4), ("ec2:DescribeTags", Ok, 2), ("rds:DescribeDBClusters", Ok, 2), ("elasticloadbalancing:DescribeTargetGroups", Ok, 2), ("monitoring:DescribeAlarms", Ok, 2)], dangerous: &["ssm:SendCommand"], amounts: &["policy-privilege-escalation"], ..EMPTY },
    Template { role: "vanta-auditor", vendor: ("956993596390", "Vanta"), home: Some(2), situation: Situation::FirstDayOnly, weight: 0, managed: &["SecurityAudit"], inline: &[], agent: NODE,
        unused: &["tag:GetResources"],
        calls: &[("iam:ListUsers", Ok, 2), ("iam:GenerateCredentialReport", Ok, 1), ("s3:GetBucketVersioning", Ok, 2)], ..EMPTY },
    Template { role: "DrataAutopilotRole", vendor: ("269135526815", "Drata"), home: Some(2), situation: Situation::NeverUsed, weight: 0, managed: &["SecurityAudit"], inline: &[], ..EMPTY },
    Template { role: "SnykScanner", vendor: ("198361731867", "Snyk"), home: Some(0), situation: Situation::TooNew, weight: 0, ..EMPTY },
    Template { role: "CrowdStrikeCSPM", path: "/security/", vendor: ("292230061137", "CrowdStrike"), home: Some(1), situation: Situation::WithoutCalls, weight: 1, ..EMPTY },
    Template { role: "nops-integration", vendor: ("202279780353", "nOps"), home: Some(1), situation: Situation::IdleBefore, weight: 0, inline: &[("nops", COST)], dangerous: &["ec2:StopInstances", "ec2:TerminateInstances", "rds:ModifyDBInstance", "rds:DeleteDBInstance"], amounts: &["policy-write-wildcard"], ..EMPTY },
    Template { role: "FivetranConnector", vendor: ("834469178297", "Fivetran"), home: Some(1), weight: 14, inline: &[("pipeline", PIPELINE)], agent: JAVA,
        unused: &["rds:CreateDBSnapshot"],
        calls: &[("s3:GetObject", Ok, 8), ("s3:HeadObject", NotFound, 1), ("s3:PutObject", Ok, 3), ("s3:ListObjects", Ok, 3), ("s3:GetBucketLocation", Ok, 2), ("rds:DescribeDBInstances", Ok, 1)], dangerous: &["rds:CreateDBSnapshot"], ..EMPTY },
    Template { role: "SegmentExport", vendor: ("107630771604", "SegmentIO"), home: Some(2), weight: 6, situation: Situation::EarlyHandOff, inline: &[("export", PIPELINE)], agent: NODE,
        unused: &["rds:CreateDBSnapshot"], blind: &["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject"],
        calls: &[("s3:ListBuckets", Ok, 2), ("s3:GetBucketLocation", Ok, 5)], dangerous: &["rds:CreateDBSnapshot"], ..EMPTY },
    Template { role: "PartnerAccess", path: "/partners/", vendor: ("905418777103", ""), home: Some(0), weight: 6, external_id: Absent, agent: NODE, ..EMPTY },
    Template { role: "ZestyManager", vendor: ("672188301118", "Zesty"), home: Some(0), weight: 12, situation: Situation::ChainHead, inline: &[("scheduler", SCHEDULER)],
        unused: &["ec2:ModifyVolume"],
        calls: &[("ec2:DescribeInstances", Ok, 5), ("ec2:DescribeVolumes", Ok, 2), ("ec2:StopInstances", DryRun, 2), ("ec2:StartInstances", Ok, 1)], dangerous: &["ec2:StopInstances", "ec2:StartInstances", "ec2:ModifyVolume"], ..EMPTY },
    Template { role: "ZestyActor", home: Some(0), weight: 0, trust: Trust::Chain("ZestyManager"), external_id: Absent, situation: Situation::ChainLink, inline: &[("actor", ACTOR)],
        unused: &["ec2:DeleteTags"],
        calls: &[("ec2:CreateTags", Ok, 3), ("ec2:DescribeTags", Ok, 2)], ..EMPTY },
    Template { role: "ZestySpoke", home: Some(1), weight: 0, trust: Trust::Chain("ZestyActor"), external_id: Absent, situation: Situation::ChainLink, inline: &[("spoke", SPOKE)],
        unused: &["ec2:PurchaseReservedInstancesOffering"],
        calls: &[("ec2:DescribeInstances", Ok, 3), ("ec2:DescribeReservedInstances", Ok, 2)], dangerous: &["ec2:PurchaseReservedInstancesOffering"], ..EMPTY },
    Template { role: "MongoAtlasAccess", vendor: ("536727724300", "MongoDB Atlas"), home: Some(0), weight: 6, situation: Situation::Recreated, agent: GO, ..EMPTY },
    Template { role: "SumoLogicCollector", vendor: ("926226587429", "Sumo Logic"), home: Some(2), weight: 6, situation: Situation::BeforeTrail, agent: JAVA, inline: &[("audit", AUDIT)],
        unused: &["cloudtrail:LookupEvents", "access-analyzer:ListAnalyzers"],
        calls: &[("cloudtrail:DescribeTrails", Ok, 3), ("cloudtrail:GetTrailStatus", Ok, 3), ("config:DescribeConfigRules", Ok, 2), ("guardduty:ListDetectors", Ok, 2), ("s3:GetBucketLifecycle", Ok, 2), ("s3:GetBucketLogging", Ok, 1)], ..EMPTY },
    Template { role: "GrafanaShared", vendor: ("008923505280", "Grafana"), home: Some(2), weight: 6, trust: Trust::TwoVendors, situation: Situation::BeforeTrail, agent: GO, ..EMPTY },
    Template { role: "GitHubDeploy", home: Some(0), weight: 10, trust: Trust::GitHub, external_id: Absent, agent: ACTION, inline: &[("deploy", DEPLOY)],
        unused: &["lambda:DeleteFunction", "iam:CreateUser"], blind: &["iam:PassRole"],
        calls: &[("sts:GetCallerIdentity", Ok, 2), ("lambda:UpdateFunctionCode20150331v2", Ok, 3), ("lambda:GetFunction20150331v2", Ok, 3), ("cloudformation:ListStacks", Ok, 2), ("ecr:GetAuthorizationToken", Ok, 2), ("ecr:DescribeRepositories", Ok, 1)], dangerous: &["lambda:UpdateFunctionCode", "lambda:DeleteFunction", "iam:CreateUser"], amounts: &["policy-iam-write", "policy-passrole-any", "policy-privilege-escalation", "policy-data-read-any", "boundary-missing"], ..EMPTY },
    Template { role: "ExternalContractors", home: Some(1), weight: 8, trust: Trust::Saml, external_id: Absent, agent: BROWSER, inline: &[("contractors", CONTRACTORS)],
        unused: &["dynamodb:UpdateTable"], blind: &["dynamodb:GetItem"],
        calls: &[("dynamodb:ListTables", Ok, 3), ("dynamodb:DescribeTable", Ok, 4), ("logs:DescribeLogGroups", Ok, 2), ("eks:ListClusters", Ok, 2), ("eks:DescribeCluster", NotFound, 1), ("ssm:DescribeParameters", AccessDenied, 1)], dangerous: &["dynamodb:UpdateTable"], amounts: &["policy-data-read-any"], ..EMPTY },
    Template { role: "OrganizationAudit", path: "/org/", home: Some(1), weight: 6, trust: Trust::OwnOrganization, external_id: Absent, inline: &[("audit", AUDIT)],
        calls: &[("iam:GetCredentialReport", Ok, 2), ("iam:GetAccountSummary", Ok, 2), ("config:DescribeConfigRules", Ok, 2), ("organizations:DescribeOrganization", Ok, 1), ("kms:GetKeyRotationStatus", Ok, 1)], ..EMPTY },
];

/// The situations that are made for [`super::Options::every_channel`].
#[rustfmt::skip] // a table
pub(crate) static MORE_CHANNELS: &[Template] = &[
    Template { role: "BuildMachines", home: Some(2), weight: 8, trust: Trust::Certificate("CN=build.example.com"), external_id: Absent, agent: GO, ..EMPTY },
    Template { role: "Admin", vendor: ("414351767826", "Databricks"), home: Some(1), weight: 8, trust: Trust::OwnOrganization, external_id: Absent, situation: Situation::Delegated, inline: &[], managed: &["AdministratorAccess"], agent: BROWSER,
        dangerous: &["iam:CreateUser", "s3:DeleteBucket"], amounts: &["policy-admin", "boundary-missing"],
        calls: &[("ec2:DescribeInstances", Ok, 3), ("iam:ListRoles", Ok, 2), ("s3:ListBuckets", Ok, 2), ("kms:ListKeys", Ok, 1)], ..EMPTY },
];

/// The second outsider of [`Trust::TwoVendors`]: an account that nobody knows.
pub(crate) const SECOND_PARTY: (&str, &str) = ("730335440098", "");

/// More vendors, for `Options::vendors` above the situations' 17; plain readers.
#[rustfmt::skip] // a table
pub(crate) static MORE_VENDORS: &[(&str, &str)] = &[
    ("509560245411", "dynatrace"), ("352813966189", "CloudCheckr"), ("122442690527", "Palo Alto Networks"), ("012615275169", "Tenable"), ("414351767826", "Databricks"), ("951887872838", "Auth0"), ("265975144233", "SignifAI"), ("753542375798", "ParkMyCloud"), ("395540211253", "Zencoder"), ("749779118921", "Brightcove"),
];

/// The template of a plain reader.
pub(crate) static PLAIN: Template = Template { role: "Reader", inline: &[("read", SMALL)], ..EMPTY };

/// A vendor's IAM user and its calls.
pub(crate) const VENDOR_USER: (&str, &[&str]) = (
    "spotinst-integration",
    &["ec2:DescribeInstances", "ec2:DescribeVolumes", "autoscaling:DescribeAutoScalingGroups"],
);

/// What the vendor's user's policy amounts to: `ecr:*` reads images, and writes, on every repository.
pub(crate) const VENDOR_USER_AMOUNTS: [&str; 2] = ["policy-data-read-any", "policy-write-wildcard"];

#[cfg(test)]
mod tests {
    use super::*;

    /// S20: every call of every template stands in the table of events.
    #[test]
    fn calls_are_known_events() {
        for template in TEMPLATES.iter().chain(MORE_CHANNELS).chain([&PLAIN]) {
            for (name, ..) in template.calls {
                assert!(super::super::apis::find(name).is_some(), "{name}");
            }
            for name in template.managed.iter().chain(&template.boundary) {
                assert!(super::super::policies::MANAGED.iter().any(|policy| policy.name == *name), "{name}");
            }
        }
        assert!(VENDOR_USER.1.iter().all(|name| super::super::apis::find(name).is_some()));
    }
}
