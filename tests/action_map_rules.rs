//! Each rule of the action map by example, with the built-in catalog.
//!
//! Here and not beside the code, because `activity` does not know the catalog.

use std::collections::BTreeSet;

use thirdtrail::activity::action_map::{ActionMap, Certainty, Class, Mapping};
use thirdtrail::activity::action_resources::Resources;
use thirdtrail::aws::{Action, ApiCall};
use thirdtrail::cloudtrail::parameters::Hints;
use thirdtrail::policy::catalog::Catalog;

fn map(source: &str, name: &str, hints: Hints) -> Mapping {
    ActionMap::new(Catalog::builtin()).map(&ApiCall::new(source, name), "AwsApiCall", hints)
}

/// `s3:PutObject +s3:GetObject ?s3:PutObjectAcl`: primary, also, maybe.
fn written(mapping: &Mapping) -> String {
    let mark = |certainty| match certainty {
        Certainty::Primary => "",
        Certainty::Also => "+",
        Certainty::Maybe => "?",
    };
    let words: Vec<String> =
        mapping.actions.iter().map(|mapped| format!("{}{}", mark(mapped.certainty), mapped.action)).collect();
    words.join(" ")
}

fn check(cases: &[(&str, &str, Hints, &str, &str)]) {
    for (source, name, hints, rule, expected) in cases {
        let mapping = map(&format!("{source}.amazonaws.com"), name, *hints);
        assert_eq!(
            (mapping.rule.as_str(), written(&mapping).as_str()),
            (*rule, *expected),
            "{source} {name} {hints:?}"
        );
        assert_eq!(mapping.class, Class::Mapped);
    }
}

const NONE: Hints = Hints::none();

/// S20: names that are the same, sources that are not, and dates in names.
#[test]
fn sources_are_renamed_and_dates_are_cut() {
    check(&[
        ("ec2", "DescribeInstances", NONE, "same-name", "ec2:DescribeInstances"),
        ("monitoring", "DescribeAlarms", NONE, "source-rename+same-name", "cloudwatch:DescribeAlarms"),
        ("tagging", "GetResources", NONE, "source-rename+same-name", "tag:GetResources"),
        ("lambda", "ListFunctions20150331", NONE, "date-suffix+same-name", "lambda:ListFunctions"),
        ("lambda", "GetFunction20150331v2", NONE, "date-suffix+same-name", "lambda:GetFunction"),
        ("cloudfront", "ListDistributions2020_05_31", NONE, "date-suffix+same-name", "cloudfront:ListDistributions"),
        ("kafka", "CreateClusterV2", NONE, "same-name", MSK),
        ("rdsdataapi", "ExecuteStatement", NONE, "source-rename+same-name", "rds-data:ExecuteStatement"),
    ]);
}

const MSK: &str = "kafka:CreateClusterV2 ?ec2:CreateTags ?ec2:CreateVpcEndpoint ?ec2:DeleteVpcEndpoints \
                   ?ec2:DescribeSecurityGroups ?ec2:DescribeSubnets ?ec2:DescribeVpcAttribute \
                   ?ec2:DescribeVpcEndpoints ?ec2:DescribeVpcs ?iam:AttachRolePolicy ?iam:CreateServiceLinkedRole \
                   ?iam:PutRolePolicy ?kms:CreateGrant ?kms:DescribeKey";

/// S20: S3 names its events and its actions differently.
#[test]
fn s3_has_its_own_table() {
    check(&[
        ("s3", "ListBuckets", NONE, "s3-table", "s3:ListAllMyBuckets"),
        ("s3", "HeadBucket", NONE, "s3-table", "s3:ListBucket"),
        ("s3", "DeleteBucketEncryption", NONE, "s3-table", "s3:PutEncryptionConfiguration"),
        ("s3", "GetObject", NONE, "s3-table", "s3:GetObject"),
        ("s3", "GetObject", Hints::VERSION_ID, "s3-table", "s3:GetObjectVersion ?s3:GetObject"),
        ("s3", "PutObject", Hints::ACL, "s3-table", "s3:PutObject +s3:PutObjectAcl"),
        ("s3", "PutObject", Hints::TAGGING, "s3-table", "s3:PutObject +s3:PutObjectTagging"),
        ("s3", "GetBucketAcl", NONE, "same-name", "s3:GetBucketAcl"),
        ("s3", "DeleteBucketReplication", NONE, "s3-table", "s3:PutReplicationConfiguration"),
        ("s3express", "GetObject", NONE, "s3express-table", "s3express:CreateSession"),
    ]);
}

/// S20: IAM knows verbs for API Gateway.
#[test]
fn api_gateway_events_are_verbs() {
    check(&[
        ("apigateway", "GetRestApis", NONE, "apigateway-verb", "apigateway:GET"),
        ("apigateway", "CreateApi", NONE, "apigateway-verb", "apigateway:POST"),
        ("apigateway", "TagResource", NONE, "apigateway-verb", "apigateway:POST ?apigateway:PUT"),
    ]);
}

/// S20: one call, several actions.
#[test]
fn some_calls_need_several_actions() {
    check(&[
        ("kms", "ReEncrypt", NONE, "kms-table", "kms:ReEncryptFrom +kms:ReEncryptTo"),
        ("kms", "Decrypt", NONE, "kms-table", "kms:Decrypt"),
        ("kms", "GenerateDataKey", Hints::S3_CONTEXT, "kms-table", "kms:GenerateDataKey ?s3:PutObject"),
        ("lambda", "Invoke", NONE, "lambda-table", "lambda:InvokeFunction"),
        ("sqs", "SendMessageBatch", NONE, "sqs-table", "sqs:SendMessage"),
        (
            "dynamodb",
            "ExecuteStatement",
            NONE,
            "dynamodb-table",
            "?dynamodb:PartiQLDelete ?dynamodb:PartiQLInsert ?dynamodb:PartiQLSelect ?dynamodb:PartiQLUpdate",
        ),
    ]);
    let copy = written(&map("s3", "CopyObject", Hints::COPY_SOURCE));
    assert!(copy.starts_with("s3:PutObject +s3:GetObject "), "{copy}");
}

/// S20: two scaling services share a source and some names.
#[test]
fn scaling_services_are_told_apart_by_namespace() {
    let names = |mapping: Mapping| {
        mapping.actions.iter().map(|mapped| mapped.action.service().to_owned()).collect::<BTreeSet<_>>()
    };
    let both = names(map("autoscaling", "PutScalingPolicy", NONE));
    assert!(both.contains("autoscaling") && both.contains("application-autoscaling"), "{both:?}");
    let one = names(map("autoscaling", "DescribeScheduledActions", Hints::SERVICE_NAMESPACE));
    assert_eq!(one, BTreeSet::from(["application-autoscaling".to_owned()]));
    let only = map("autoscaling", "RegisterScalableTarget", NONE);
    assert_eq!(only.rule, "source-rename+same-name");
    let plain = written(&map("autoscaling", "SetDesiredCapacity", NONE));
    assert_eq!(plain, "autoscaling:SetDesiredCapacity");
}

/// S23: a role in the parameters of a changing call is a use of `iam:PassRole`.
#[test]
fn a_passed_role_is_a_use_of_pass_role() {
    let passes = |source, name, hints| {
        let pass_role = Action::parse("iam:PassRole").unwrap();
        map(source, name, hints).actions.iter().find(|mapped| mapped.action == pass_role).map(|mapped| mapped.certainty)
    };
    assert_eq!(passes("lambda", "CreateFunction20150331", Hints::PASSES_ROLE), Some(Certainty::Also));
    assert_eq!(passes("ec2", "RunInstances", Hints::PASSES_ROLE), Some(Certainty::Also));
    assert_eq!(passes("iam", "AddRoleToInstanceProfile", NONE), Some(Certainty::Also));
    assert_eq!(passes("ec2", "RunInstances", NONE), None);
    assert_eq!(passes("sts", "AssumeRole", Hints::PASSES_ROLE), None);
    assert_eq!(passes("lambda", "GetFunction20150331v2", Hints::PASSES_ROLE), None);
    assert_eq!(passes("tagging", "TagResources", Hints::PASSES_ROLE), None);
}

/// S20: tags on creation.
#[test]
fn tags_on_creation_need_the_tagging_action() {
    let with = |source, name, hints| written(&map(source, name, hints));
    assert!(with("ec2", "CreateVolume", Hints::TAG_SPECIFICATION).contains("+ec2:CreateTags"));
    assert!(with("iam", "CreateRole", Hints::TAGS).contains("?iam:TagRole"));
    assert!(with("secretsmanager", "CreateSecret", Hints::TAGS).contains("?secretsmanager:TagResource"));
    assert!(!with("secretsmanager", "ListSecrets", Hints::TAGS).contains("TagResource"));
}

/// S20, S8: no permission is used by these.
#[test]
fn some_events_use_no_permission() {
    let cases = [
        ("sts", "GetCallerIdentity", "AwsApiCall", "no-iam"),
        ("signin", "ConsoleLogin", "AwsConsoleSignIn", "event-type"),
        ("signin", "SwitchRole", "AwsApiCall", "no-iam"),
        ("kms", "RotateKey", "AwsServiceEvent", "event-type"),
        ("s3", "SomeConsoleThingInternal", "AwsApiCall", "console-internal"),
    ];
    for (source, name, event_type, rule) in cases {
        let mapping = ActionMap::new(Catalog::builtin()).map(&ApiCall::new(source, name), event_type, NONE);
        assert_eq!((mapping.class, mapping.rule.as_str()), (Class::NoIam, rule), "{source} {name}");
        assert!(mapping.actions.is_empty());
    }
}

/// S8: events of VPC endpoints repeat API calls and count as such; so do old records without a type.
#[test]
fn endpoint_events_and_untyped_records_count() {
    for event_type in ["AwsVpceEvent", "AwsApiCall", ""] {
        let call = ApiCall::new("kms.amazonaws.com", "Decrypt");
        let mapping = ActionMap::new(Catalog::builtin()).map(&call, event_type, NONE);
        assert_eq!(mapping.class, Class::Mapped, "{event_type}");
    }
}

/// S22: an unknown event names every service it could belong to.
#[test]
fn unknown_events_name_their_candidates() {
    let cases: [(&str, &[&str]); 4] = [
        ("autoscaling", &["application-autoscaling", "autoscaling", "autoscaling-plans"]),
        ("ec2", &["ec2"]),
        ("monitoring", &["cloudwatch"]),
        ("never-heard-of", &["never-heard-of"]),
    ];
    for (source, expected) in cases {
        let mapping = map(source, "InventFire", NONE);
        assert_eq!(mapping.class, Class::Unmapped);
        assert_eq!(mapping.candidate_services, expected, "{source}");
    }
}

/// S20: every mapped name is a known action; there is no exception at present.
#[test]
fn every_name_in_the_tables_exists() {
    assert_eq!(ActionMap::new(Catalog::builtin()).unknown_names(), BTreeSet::new());
}

fn check_resources(action: &str, arns: &[&str], hints: Hints, expected: &Resources) {
    let arns: Vec<String> = arns.iter().map(|arn| (*arn).to_owned()).collect();
    let map = ActionMap::new(Catalog::builtin());
    let resources = Action::parse(action).map(|action| map.resources(&action, &arns, hints));
    assert_eq!(resources.as_ref(), Some(expected), "{action} {arns:?}");
}

fn exact(arns: &[&str]) -> Resources {
    Resources::Exact(arns.iter().map(|arn| (*arn).to_owned()).collect())
}

/// S35: each action takes the ARNs of its own resource types.
#[test]
fn arns_go_to_the_types_they_fit() {
    let (bucket, object) = ("arn:aws:s3:::logs", "arn:aws:s3:::logs/a/b:c.gz");
    let role = "arn:aws:iam::111122223333:role/service/Runner";
    let key = "arn:aws:kms:eu-west-1:111122223333:key/0f1e";
    let cases = [
        ("s3:GetObject", exact(&[object])),
        ("s3:ListBucket", exact(&[bucket])),
        ("kms:Decrypt", exact(&[key])),
        ("iam:PassRole", exact(&[role])),
        ("sts:AssumeRole", exact(&[role])),
        ("ec2:DescribeInstances", Resources::Any),
        ("sqs:SendMessage", Resources::Unknown),
    ];
    for (action, expected) in cases {
        check_resources(action, &[object, bucket, role, key], Hints::none(), &expected);
    }
}

/// S35: masked, truncated and pseudo-ARNs are unknown.
#[test]
fn doubt_is_unknown() {
    let queue = "arn:aws:sqs:eu-west-1:111122223333:jobs";
    check_resources("sqs:SendMessage", &[queue], Hints::none(), &exact(&[queue]));
    check_resources("sqs:SendMessage", &[queue], Hints::MASKED, &Resources::Unknown);
    check_resources("sqs:SendMessage", &[queue], Hints::TRUNCATED, &Resources::Unknown);
    check_resources("sqs:SendMessage", &[queue], Hints::UNNAMED, &Resources::Unknown);
    // A version or an alias beside a name must not hide.
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:sync";
    let version = "arn:aws:lambda:eu-west-1:111122223333:function:other:live";
    check_resources("lambda:GetFunction", &[function], Hints::none(), &exact(&[function]));
    check_resources("lambda:GetFunction", &[function, version], Hints::none(), &Resources::Unknown);
    check_resources(
        "s3:GetObject",
        &["arn:aws:s3:::a", "arn:aws:s3:::a/k"],
        Hints::none(),
        &exact(&["arn:aws:s3:::a/k"]),
    );
    check_resources("s3:GetObject", &["arn:aws:s3:::a/k", "arn:aws:s3:::b/x*"], Hints::none(), &Resources::Unknown);
    // The target of a copy is not what was read.
    let target = "arn:aws:s3:::target/key";
    check_resources("s3:GetObject", &[target], Hints::none(), &exact(&[target]));
    check_resources("s3:GetObject", &[target], Hints::COPY_SOURCE, &Resources::Unknown);
    check_resources("sqs:SendMessage", &["arn:aws:sqs:eu-west-1:111122223333:*"], Hints::none(), &Resources::Unknown);
    check_resources("sqs:SendMessage", &[], Hints::none(), &Resources::Unknown);
    check_resources("nosuch:Thing", &[queue], Hints::none(), &Resources::Unknown);
}

/// S35: a required type without an ARN leaves the whole unknown.
#[test]
fn every_required_type_needs_an_arn() {
    let subnet = "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1";
    check_resources("ec2:RunInstances", &[subnet], Hints::none(), &Resources::Unknown);
}
