//! Fewer resources: statements whose actions were used on known resources only are limited to these (S35).
//!
//! Opt-in, and only for actions in a list whose resources are tested to be read right from records. A statement is split
//! where its actions were used on different resources; what is not known, not used, or not in the list stays on the
//! resources that it had. Resources only ever become fewer: `certificate` proves it afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::document::{PolicyDocument, Version};
use super::pattern::{Pattern, has_variables};
use super::rightsize::with_list;
use super::statement::{ActionMatch, Effect, ResourceMatch, Statement};
use super::truth::Truth;
use crate::aws::{Action, Arn};

/// How far to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Narrowing {
    /// The things that were used: a bucket with all of its objects, a table, a queue.
    Exact,
    /// Within a bucket, down to the longest path that all used objects have in common.
    CommonPrefix,
}

impl Narrowing {
    /// The word of the command line and of `run.json`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::CommonPrefix => "prefix",
        }
    }
}

/// Actions whose use is fully known, each with every ARN that it was used on.
pub type KnownUses = BTreeMap<Action, BTreeSet<String>>;

/// What became of a statement's resources.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct NarrowedStatement {
    /// The `Sid`, or `#1` for the first statement, before.
    pub statement: String,
    /// Limited to the resources below.
    pub actions: Vec<String>,
    /// Afterwards.
    pub resources: Vec<String>,
}

/// How a thing's ARN is written in a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// As in the record.
    Whole,
    /// `bucket/key`: the bucket's objects.
    Object,
    /// The thing, and what lies in it behind a colon: a function's versions, a log group's streams.
    WithColon,
    /// A table, and its indexes.
    WithIndexes,
    /// As in the record, and with the six characters that Secrets Manager adds to a name: a call may leave them out, and
    /// a name may look as if it had them.
    Secret,
}

impl Shape {
    /// Colons in the last segment of its ARN, where more would be a version or a qualifier, which policies do not see.
    fn colons(self) -> Option<usize> {
        match self {
            Self::Object => None,
            Self::WithColon | Self::Secret => Some(1),
            Self::Whole | Self::WithIndexes => Some(0),
        }
    }
}

/// The actions that may be narrowed. Each row has a test with a record.
const SHAPES: [(Shape, &str, &str, &[&str]); 12] = [
    (
        Shape::Object,
        "s3",
        ":s3:::",
        &[
            "s3:GetObject",
            "s3:GetObjectAcl",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:PutObjectTagging",
            "s3:DeleteObject",
            "s3:DeleteObjectTagging",
            "s3:DeleteObjectVersion",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
            "s3:RestoreObject",
        ],
    ),
    (
        Shape::Whole,
        "s3",
        ":s3:::",
        &[
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            "s3:GetBucketLocation",
            "s3:GetBucketAcl",
            "s3:GetBucketPolicy",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetBucketNotification",
            "s3:PutBucketNotification",
            "s3:GetLifecycleConfiguration",
            "s3:GetEncryptionConfiguration",
        ],
    ),
    (
        Shape::Whole,
        "kms",
        ":key/",
        &[
            "kms:Decrypt",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:DescribeKey",
            "kms:CreateGrant",
            "kms:Sign",
            "kms:Verify",
        ],
    ),
    (
        Shape::WithIndexes,
        "dynamodb",
        ":table/",
        &[
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:DescribeTable",
        ],
    ),
    (
        Shape::WithColon,
        "lambda",
        ":function:",
        &[
            "lambda:InvokeFunction",
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:GetPolicy",
        ],
    ),
    (
        Shape::Whole,
        "sqs",
        ":sqs:",
        &[
            "sqs:SendMessage",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:GetQueueAttributes",
            "sqs:PurgeQueue",
        ],
    ),
    (
        Shape::Whole,
        "sns",
        ":sns:",
        &["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes", "sns:SetTopicAttributes"],
    ),
    (
        Shape::Secret,
        "secretsmanager",
        ":secret:",
        &["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"],
    ),
    (
        Shape::Whole,
        "ssm",
        ":parameter/",
        &["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter", "ssm:DeleteParameter"],
    ),
    (Shape::Whole, "iam", ":role/", &["iam:PassRole", "sts:AssumeRole"]),
    (Shape::Whole, "ec2", ":instance/", &["ec2:StopInstances", "ec2:RebootInstances", "ec2:TerminateInstances"]),
    (
        Shape::WithColon,
        "logs",
        ":log-group:",
        &[
            "logs:GetLogEvents",
            "logs:FilterLogEvents",
            "logs:DescribeLogStreams",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "logs:StartQuery",
        ],
    ),
];

/// Most ARNs that a narrowed statement lists; more would be a list that nobody reviews.
pub const NARROWED_RESOURCES: usize = 20;

/// Whether the action's resources are read from records in a way that is tested.
#[must_use]
pub fn is_narrowable(action: &Action) -> bool {
    shape(action).is_some()
}

fn shape(action: &Action) -> Option<(Shape, &'static str, &'static str)> {
    let is_listed = |names: &[&str]| names.iter().any(|name| action.as_str().eq_ignore_ascii_case(name));
    SHAPES.iter().find(|(.., names)| is_listed(names)).map(|(shape, service, mark, _)| (*shape, *service, *mark))
}

/// The document with statements limited to the resources in `uses`, and what that changed; the document itself where
/// nothing can be limited.
#[must_use]
pub fn narrow(document: &Value, uses: &KnownUses, how: Narrowing) -> (Value, Vec<NarrowedStatement>) {
    let Ok(parsed) = PolicyDocument::from_value(document) else { return (document.clone(), Vec::new()) };
    let mut sids: BTreeSet<String> = parsed.statements.iter().filter_map(|statement| statement.sid.clone()).collect();
    let (mut statements, mut changes) = (Vec::new(), Vec::new());
    for statement in &parsed.statements {
        let groups = groups(statement, parsed.version, uses, how);
        if groups.is_empty() {
            statements.push(statement.raw.clone());
            continue;
        }
        statements.extend(split(statement, &groups, &mut sids));
        changes.extend(groups.into_iter().map(|(resources, actions)| NarrowedStatement {
            statement: statement.label(),
            actions,
            resources,
        }));
    }
    if changes.is_empty() { (document.clone(), changes) } else { (parsed.with_statements(statements), changes) }
}

/// The actions of a statement by the resources to which they can be limited; those that cannot be are in none.
fn groups(
    statement: &Statement,
    version: Version,
    uses: &KnownUses,
    how: Narrowing,
) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut groups: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    let (Effect::Allow, ActionMatch::Action(actions), ResourceMatch::Resource(resources)) =
        (statement.effect, &statement.actions, &statement.resources)
    else {
        return groups;
    };
    if resources.iter().any(|resource| has_variables(resource, version)) {
        return groups;
    }
    for text in actions {
        let used = Action::parse(text).and_then(|action| Some((shape(&action)?, uses.get(&action)?)));
        let Some((shape, used)) = used else { continue };
        let narrower = limited(shape, used, resources, how);
        if let Some(narrower) = narrower.filter(|narrower| narrower != resources) {
            groups.entry(narrower).or_default().push(text.clone());
        }
    }
    groups
}

/// The used resources as patterns, each within one of `current`; `None` where that cannot be.
fn limited(
    (shape, service, mark): (Shape, &str, &str),
    used: &BTreeSet<String>,
    current: &[String],
    how: Narrowing,
) -> Option<Vec<String>> {
    let sound = |arn: &String| {
        let fits = |parsed: Arn<'_>| {
            let colons = parsed.resource.matches(':').count();
            parsed.service == service && shape.colons().is_none_or(|expected| colons == expected)
        };
        Arn::parse(arn).is_some_and(fits) && arn.contains(mark) && !arn.contains(['*', '?', '$', '"'])
    };
    if used.is_empty() || !used.iter().all(sound) {
        return None;
    }
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    match shape {
        Shape::Object => wanted.extend(objects(used, how)?),
        Shape::Whole => wanted.extend(used.iter().cloned()),
        Shape::WithColon => wanted.extend(used.iter().flat_map(|arn| [arn.clone(), format!("{arn}:*")])),
        Shape::Secret => wanted.extend(used.iter().flat_map(|arn| [arn.clone(), format!("{arn}-??????")])),
        Shape::WithIndexes => wanted.extend(used.iter().flat_map(|arn| [arn.clone(), format!("{arn}/index/*")])),
    }
    let contained = |wanted: &String| current.iter().any(|one| Pattern::new(one).contains_resource_pattern(wanted));
    // A version or an index may be granted by a pattern of its own, which the record does not tell.
    if matches!(shape, Shape::WithColon | Shape::WithIndexes | Shape::Secret) {
        return (wanted.iter().all(contained) && wanted.len() <= NARROWED_RESOURCES)
            .then(|| wanted.into_iter().collect());
    }
    // A use that this statement does not allow is another statement's; one that it allows in part only stays as it is.
    wanted.retain(contained);
    let may_allow = |current: &String, arn: &str| Pattern::new(current).covers_resource(arn) != Truth::False;
    let allowed_here = |arn: &&String| current.iter().any(|current| may_allow(current, arn));
    let stays = |arn: &String| wanted.iter().any(|wanted| Pattern::new(wanted).matches_resource(arn));
    let whole = used.iter().filter(allowed_here).all(stays);
    (whole && !wanted.is_empty() && wanted.len() <= NARROWED_RESOURCES).then(|| wanted.into_iter().collect())
}

/// `arn:...:bucket/*` for each bucket, or the path that its used objects have in common.
fn objects(used: &BTreeSet<String>, how: Narrowing) -> Option<Vec<String>> {
    let mut buckets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for arn in used {
        let (bucket, key) = arn.split_once('/')?;
        buckets.entry(bucket).or_default().push(key);
    }
    let pattern = |(bucket, keys): (&str, Vec<&str>)| match how {
        Narrowing::Exact => format!("{bucket}/*"),
        Narrowing::CommonPrefix => format!("{bucket}/{}*", common_path(&keys)),
    };
    Some(buckets.into_iter().map(pattern).collect())
}

/// The longest run of whole path segments that all keys begin with, each with its slash.
fn common_path<'k>(keys: &[&'k str]) -> &'k str {
    let Some(first) = keys.first() else { return "" };
    let ends = first.match_indices('/').map(|(at, slash)| at + slash.len());
    let prefixes = ends.filter_map(|end| first.get(..end));
    prefixes.take_while(|prefix| keys.iter().all(|key| key.starts_with(prefix))).last().unwrap_or("")
}

/// The statement's remaining actions on the resources that they had, then one statement for each group.
fn split(
    statement: &Statement,
    groups: &BTreeMap<Vec<String>, Vec<String>>,
    sids: &mut BTreeSet<String>,
) -> Vec<Value> {
    let ActionMatch::Action(actions) = &statement.actions else { return vec![statement.raw.clone()] };
    let narrowed: BTreeSet<&String> = groups.values().flatten().collect();
    let rest: Vec<String> = actions.iter().filter(|action| !narrowed.contains(action)).cloned().collect();
    let mut out = Vec::new();
    if !rest.is_empty() {
        out.push(with_list(statement, "Action", rest));
    }
    for (resources, actions) in groups {
        let mut raw = with_list(statement, "Action", actions.clone());
        let is_string = raw.get("Resource").is_some_and(Value::is_string);
        let resource = match &resources[..] {
            [only] if is_string => json!(only),
            many => json!(many),
        };
        if let Some(slot) = raw.get_mut("Resource") {
            *slot = resource;
        }
        if let (Some(sid), Some(slot), false) = (&statement.sid, raw.get_mut("Sid"), out.is_empty()) {
            *slot = json!(fresh(sid, sids));
        }
        out.push(raw);
    }
    out
}

/// A statement id that the document does not have yet: ids must differ, and hold letters and digits only.
fn fresh(sid: &str, sids: &mut BTreeSet<String>) -> String {
    let numbered = (1_usize..).map(|number| format!("{sid}Narrowed{number}"));
    let new = numbered.into_iter().find(|candidate| !sids.contains(candidate)).unwrap_or_default();
    sids.insert(new.clone());
    new
}

#[cfg(test)]
#[path = "narrow_tests.rs"]
mod tests;
