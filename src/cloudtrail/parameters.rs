//! What the mapping to IAM actions needs to know of `requestParameters`, gathered while a record is read.
//!
//! Parameters hold secrets and are large, so they are never kept: the reader shows each key to a [`Collector`], which
//! remembers a few named [`Hints`] and the ARNs. Uninteresting parameters cost a few comparisons and no allocation.
//! What is remembered does not depend on the order of keys, so records and evidence merge in any order.

use serde::{Deserialize, Serialize};

use crate::aws::AccountId;
use crate::aws::api_call::short_source;

use super::named_resources::{Named, named};

/// How many ARNs of one record are kept: the lexicographically smallest.
pub const ARNS_LIMIT: usize = 16;

/// ARNs longer than this many bytes are not kept; the documented limit of an IAM ARN is 2,048 characters.
pub const ARN_BYTES_LIMIT: usize = 2048;

/// Facts about the parameters of a call that change which IAM actions it needs: a set of flags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Hints(u32);

impl Hints {
    /// An S3 object version was named: the `*Version` action is checked.
    pub const VERSION_ID: Self = Self(1);
    /// A canned ACL or grant was sent along (`x-amz-acl`, `x-amz-grant-*`).
    pub const ACL: Self = Self(1 << 1);
    /// Object tags were sent along (`x-amz-tagging`).
    pub const TAGGING: Self = Self(1 << 2);
    /// A retention, a legal hold, or object lock for a new bucket was sent along.
    pub const OBJECT_LOCK: Self = Self(1 << 3);
    /// The object is a copy of another (`x-amz-copy-source`).
    pub const COPY_SOURCE: Self = Self(1 << 4);
    /// `serviceNamespace` is there: Application Auto Scaling, not EC2 Auto Scaling.
    pub const SERVICE_NAMESPACE: Self = Self(1 << 5);
    /// A role ARN or an instance profile is among the values (S23).
    pub const PASSES_ROLE: Self = Self(1 << 6);
    /// EC2 tag specifications: tags on creation, which need `ec2:CreateTags`.
    pub const TAG_SPECIFICATION: Self = Self(1 << 7);
    /// Tags of any other service.
    pub const TAGS: Self = Self(1 << 8);
    /// Governance retention was to be bypassed.
    pub const BYPASS_GOVERNANCE: Self = Self(1 << 9);
    /// Object ownership of a new bucket was set.
    pub const OWNERSHIP: Self = Self(1 << 10);
    /// A value was masked by the service: the resources are not known (S35).
    pub const MASKED: Self = Self(1 << 11);
    /// More ARNs than [`ARNS_LIMIT`] or one longer than [`ARN_BYTES_LIMIT`]: the resources are not all known (S35).
    pub const TRUNCATED: Self = Self(1 << 12);
    /// KMS was called with the encryption context of S3 (`aws:s3:arn`): an object was read or written, which shows
    /// even where the trail records no S3 data events.
    pub const S3_CONTEXT: Self = Self(1 << 13);

    /// No resource is named by its ARN or by a name that gives one, or one is named otherwise: the resources are not all
    /// known (S35).
    pub const UNNAMED: Self = Self(1 << 14);

    const NAMES: [(&'static str, Self); 15] = [
        ("VERSION_ID", Self::VERSION_ID),
        ("ACL", Self::ACL),
        ("TAGGING", Self::TAGGING),
        ("OBJECT_LOCK", Self::OBJECT_LOCK),
        ("COPY_SOURCE", Self::COPY_SOURCE),
        ("SERVICE_NAMESPACE", Self::SERVICE_NAMESPACE),
        ("PASSES_ROLE", Self::PASSES_ROLE),
        ("TAG_SPECIFICATION", Self::TAG_SPECIFICATION),
        ("TAGS", Self::TAGS),
        ("BYPASS_GOVERNANCE", Self::BYPASS_GOVERNANCE),
        ("OWNERSHIP", Self::OWNERSHIP),
        ("MASKED", Self::MASKED),
        ("TRUNCATED", Self::TRUNCATED),
        ("S3_CONTEXT", Self::S3_CONTEXT),
        ("UNNAMED", Self::UNNAMED),
    ];

    /// No flag.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// The flags as a number, for storage.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The flags of a stored number; unknown bits are dropped.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & Self::NAMES.iter().fold(0, |all, (_, flag)| all | flag.0))
    }

    /// The flag of this name, as the tables under `data/own` write it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, flag)| *flag)
    }

    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitOr for Hints {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl std::ops::BitOrAssign for Hints {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.union(other);
    }
}

/// What is remembered of one record's parameters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ParameterFacts {
    /// The flags.
    pub hints: Hints,
    /// The ARNs among the values, sorted, each once, at most [`ARNS_LIMIT`].
    pub arns: Vec<String>,
}

impl ParameterFacts {
    /// Whether a value was masked, so that the resources are unknown.
    #[must_use]
    pub fn masked(&self) -> bool {
        self.hints.contains(Hints::MASKED)
    }

    /// Whether not all ARNs were kept.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.hints.contains(Hints::TRUNCATED)
    }
}

/// Gathers [`ParameterFacts`] key by key.
#[derive(Debug)]
pub struct Collector<'a> {
    facts: ParameterFacts,
    source: &'a str,
    region: &'a str,
    account: Option<AccountId>,
    s3: bool,
    bucket: Option<String>,
    key: Option<String>,
}

impl<'a> Collector<'a> {
    /// A collector for one record: `event_source` with or without `.amazonaws.com`, `awsRegion`, and the caller's account,
    /// in which names are looked up.
    #[must_use]
    pub fn new(event_source: &'a str, region: &'a str, account: Option<AccountId>) -> Self {
        let source = short_source(event_source);
        Self { facts: ParameterFacts::default(), source, region, account, s3: source == "s3", bucket: None, key: None }
    }

    /// Shows one key of `requestParameters` with its value, `None` when that is no string.
    ///
    /// `depth` is 0 for the top level. The strings of an array come one by one under the array's key.
    pub fn see(&mut self, depth: usize, key: &str, value: Option<&str>) {
        self.facts.hints |= hint_of_key(key);
        let Some(value) = value else { return };
        if value.starts_with("arn:") {
            self.see_arn(value);
            if is_passed_role(key, value) {
                self.facts.hints |= Hints::PASSES_ROLE;
            }
        } else if is_masked(value) {
            self.facts.hints |= Hints::MASKED;
        } else {
            match named(self.source, key, value, self.region, self.account) {
                // Some APIs take a role's name where its ARN belongs.
                Named::Nothing if names_role(key) => self.facts.hints |= Hints::UNNAMED,
                Named::Nothing => {}
                Named::Arn(arn) => self.see_arn(&arn),
                Named::Unclear => self.facts.hints |= Hints::UNNAMED,
            }
        }
        if self.s3 && depth == 0 && !value.is_empty() {
            match key {
                "bucketName" => self.bucket = Some(value.to_owned()),
                "key" => self.key = Some(value.to_owned()),
                _ => {}
            }
        }
    }

    /// Adds an ARN from elsewhere in the record, such as `resources[]`.
    pub fn see_arn(&mut self, arn: &str) {
        if arn.len() > ARN_BYTES_LIMIT {
            self.facts.hints |= Hints::TRUNCATED;
            return;
        }
        let arns = &mut self.facts.arns;
        let Err(place) = arns.binary_search_by(|known| known.as_str().cmp(arn)) else { return };
        if arns.len() == ARNS_LIMIT {
            self.facts.hints |= Hints::TRUNCATED;
            if place == ARNS_LIMIT {
                return;
            }
            arns.pop();
        }
        arns.insert(place, arn.to_owned());
    }

    /// What was gathered; an S3 bucket and key have become ARNs.
    #[must_use]
    pub fn finish(mut self) -> ParameterFacts {
        if let Some(bucket) = self.bucket.take().filter(|bucket| !is_masked(bucket)) {
            if ["-s3alias", "--ol-s3", "--x-s3", ".mrap"].into_iter().any(|end| bucket.ends_with(end)) {
                // An access point by another name, whose ARN is not the bucket's.
                self.facts.hints |= Hints::UNNAMED;
            }
            let key = self.key.take().filter(|key| !is_masked(key));
            // A caller may name an access point by its ARN where a bucket name belongs.
            let (holder, between) = if bucket.starts_with("arn:") {
                (bucket, "/object/")
            } else {
                (format!("arn:{}:s3:::{bucket}", partition_of_region(self.region)), "/")
            };
            self.see_arn(&holder);
            if let Some(key) = key {
                self.see_arn(&format!("{holder}{between}{key}"));
            }
        }
        if self.facts.arns.is_empty() {
            self.facts.hints |= Hints::UNNAMED;
        }
        self.facts
    }
}

/// The partition that a Region's name belongs to.
///
/// Source: the partitions in the AWS General Reference and the SDK's endpoint rules.
#[must_use]
pub fn partition_of_region(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS.iter().find(|(head, _)| region.starts_with(head)).map_or("aws", |(_, partition)| partition)
}

/// The masks that services write in place of values they keep from the log.
#[must_use]
pub fn is_masked(value: &str) -> bool {
    matches!(value, "HIDDEN_DUE_TO_SECURITY_REASONS" | "****" | "***")
}

fn hint_of_key(key: &str) -> Hints {
    if let Some(header) = key.strip_prefix("x-amz-") {
        return hint_of_header(header);
    }
    match key {
        "versionId" | "VersionId" => Hints::VERSION_ID,
        "serviceNamespace" => Hints::SERVICE_NAMESPACE,
        "aws:s3:arn" => Hints::S3_CONTEXT,
        "iamInstanceProfile" | "IamInstanceProfile" | "iamInstanceProfileName" => Hints::PASSES_ROLE,
        "tagSpecificationSet" | "tagSpecifications" | "tagSpecification" | "TagSpecification" => {
            Hints::TAG_SPECIFICATION
        }
        "tags" | "Tags" | "tagList" | "tagSet" => Hints::TAGS,
        _ => Hints::none(),
    }
}

fn hint_of_header(header: &str) -> Hints {
    match header {
        "acl" => Hints::ACL,
        "tagging" => Hints::TAGGING,
        "copy-source" => Hints::COPY_SOURCE,
        "version-id" => Hints::VERSION_ID,
        "bucket-object-lock-enabled" => Hints::OBJECT_LOCK,
        "bypass-governance-retention" => Hints::BYPASS_GOVERNANCE,
        "object-ownership" => Hints::OWNERSHIP,
        _ if header.starts_with("grant-") => Hints::ACL,
        _ if header.starts_with("object-lock-") => Hints::OBJECT_LOCK,
        _ => Hints::none(),
    }
}

/// Whether a value under this key hands a role to a service: `arn:*:iam::*:role/*` or an instance profile.
///
/// A role named as principal (of a policy, a grant, an access entry) or as the resource of a call is not passed.
fn is_passed_role(key: &str, value: &str) -> bool {
    let mut parts = value.splitn(6, ':').skip(2);
    let iam = parts.next() == Some("iam");
    let Some(resource) = parts.nth(2) else { return false };
    let role = resource.starts_with("role/") || resource.starts_with("instance-profile/");
    iam && role && !contains_folded(key, "principal") && !contains_folded(key, "resourcearn") && key != "AWS"
}

/// Whether a parameter is for a role: `role`, `taskRoleArn`, `roleName`, `iamInstanceProfileName`.
fn names_role(key: &str) -> bool {
    let ends = |end: &str| {
        key.len() >= end.len()
            && key.as_bytes().get(key.len() - end.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    ["role", "rolearn", "rolename", "instanceprofile", "instanceprofilename"].into_iter().any(ends)
}

fn contains_folded(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
