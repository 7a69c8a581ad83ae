//! What cases are made of: services with their actions and resources, and condition keys with their values.

/// The account of every principal and of every resource that has one.
pub(crate) const ACCOUNT: &str = "111122223333";

/// Actions of one service, and resources that they are tried on, fitting or not.
pub(crate) struct Service {
    pub(crate) actions: &'static [&'static str],
    pub(crate) resources: &'static [&'static str],
}

pub(crate) const SERVICES: [Service; 12] = [
    Service {
        actions: &["s3:GetObject", "s3:PutObject", "s3:GetBucketAcl", "s3:ListBucket", "s3:GetObjectTagging"],
        resources: &[
            "arn:aws:s3:::bucket/alice/file",
            "arn:aws:s3:::bucket",
            "arn:aws:s3:::bucket/a:b/c",
            "arn:aws:s3:::Bucket/bob/fil\u{e9}",
            "arn:aws:s3:::bucket/what?/a$b",
        ],
    },
    Service {
        actions: &["ec2:RunInstances", "ec2:StopInstances", "ec2:DescribeInstances", "ec2:CreateTags"],
        resources: &[
            "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
            "arn:aws:ec2:eu-west-1:111122223333:volume/vol-2",
            "arn:aws:ec2:us-west-2::image/ami-3",
        ],
    },
    Service {
        actions: &["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"],
        resources: &["arn:aws:sqs:eu-west-1:111122223333:queue", "arn:aws:sqs:us-east-1:111122223333:alice-queue"],
    },
    Service {
        actions: &["sns:Publish", "sns:Subscribe"],
        resources: &["arn:aws:sns:us-east-1:111122223333:topic", "arn:aws:sns:us-east-1:111122223333:topic:sub-1"],
    },
    Service {
        actions: &["iam:PassRole", "iam:GetRole", "iam:CreateUser", "iam:CreateAccessKey"],
        resources: &[
            "arn:aws:iam::111122223333:role/app/worker",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:user/team/bob",
        ],
    },
    Service {
        actions: &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        resources: &[
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/index/by-day",
        ],
    },
    Service {
        actions: &["lambda:InvokeFunction", "lambda:GetFunction"],
        resources: &[
            "arn:aws:lambda:us-east-1:111122223333:function:resize",
            "arn:aws:lambda:us-east-1:111122223333:function:resize:live",
        ],
    },
    Service {
        actions: &["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:PutParameter"],
        resources: &[
            "arn:aws:ssm:eu-west-1:111122223333:parameter/app/db",
            "arn:aws:ssm:us-east-1::document/AWS-RunShell",
        ],
    },
    Service {
        actions: &["logs:PutLogEvents", "logs:CreateLogStream"],
        resources: &["arn:aws:logs:us-west-2:111122223333:log-group:/app/web:log-stream:one"],
    },
    Service {
        actions: &["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
        resources: &["arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-AbCdEf"],
    },
    Service {
        actions: &["rds:StartDBInstance", "rds:StopDBInstance"],
        resources: &["arn:aws-us-gov:rds:us-gov-west-1:111122223333:db:orders"],
    },
    Service {
        actions: &["execute-api:Invoke", "execute-api:ManageConnections"],
        resources: &["arn:aws:execute-api:us-east-1:111122223333:abc123/prod/GET/pets"],
    },
];

/// How the values of a key compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Text,
    /// Text of which a request has several values.
    Texts,
    Number,
    Date,
    Flag,
    Address,
    Arn,
    /// ARNs of which a request has several.
    Arns,
    Bytes,
}

impl Kind {
    pub(crate) fn is_many(self) -> bool {
        matches!(self, Self::Texts | Self::Arns)
    }

    /// The published operators for such a key.
    pub(crate) fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Texts => &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
            ],
            Self::Number => &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            Self::Date => &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            Self::Flag => &["Bool"],
            Self::Address => &["IpAddress", "NotIpAddress"],
            Self::Arn | Self::Arns => &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike"],
            Self::Bytes => &["BinaryEquals"],
        }
    }
}

/// A condition key, the values that requests have of it, and further ones that policies name.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) given: &'static [&'static str],
    pub(crate) wanted: &'static [&'static str],
}

const fn key(name: &'static str, kind: Kind, given: &'static [&'static str], wanted: &'static [&'static str]) -> Key {
    Key { name, kind, given, wanted }
}

pub(crate) const KEYS: [Key; 18] = [
    key(
        "aws:username",
        Kind::Text,
        &["alice", "bob", "Alice", "a*e", "b?b"],
        &["a*e", "b?b", "a${*}e", "b${?}b", "?*"],
    ),
    key("aws:PrincipalTag/team", Kind::Text, &["red", "alice", "r${d"], &["${aws:username}", "r*", "r${$}{d", "*d"]),
    key(
        "s3:prefix",
        Kind::Text,
        &["alice/", "home/", "bob/x", "home"],
        &["${aws:username}/*", "home/*", "${aws:PrincipalTag/team, 'alice'}/"],
    ),
    key("aws:RequestedRegion", Kind::Text, &["us-east-1", "us-west-2", "eu-west-1"], &["us-*", "eu-west-?", "*"]),
    key(
        "aws:ResourceTag/owner",
        Kind::Text,
        &["alice", "Fil\u{e9}", "x.y+z(1)"],
        &["${aws:username}", "FIL\u{c9}", "x?y+z*", "${aws:nobody, 'alice'}"],
    ),
    key(
        "aws:TagKeys",
        Kind::Texts,
        &["team", "owner", "costs", "Team"],
        &["cost*", "team", "?wner", "${aws:username}"],
    ),
    key(
        "aws:CalledVia",
        Kind::Texts,
        &["athena.amazonaws.com", "cloudformation.amazonaws.com"],
        &["*.amazonaws.com", "athena*"],
    ),
    key("s3:max-keys", Kind::Number, &["9", "10", "10.5", "100", "-1", "010"], &["10", "10.50", "0", "9.99"]),
    key("ec2:VolumeSize", Kind::Number, &["0", "20", "20.0"], &["20", "-0.5", "21"]),
    key("aws:MultiFactorAuthAge", Kind::Number, &["3599", "3600", "3601"], &["3600"]),
    key(
        "aws:CurrentTime",
        Kind::Date,
        &["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.500Z"],
        &["2026-01-01", "2026-01-01T00:00Z", "2025-12-31T23:00:00-01:00", "2026-01", "1767225600"],
    ),
    key(
        "aws:EpochTime",
        Kind::Date,
        &["1767225599", "1767225600", "1767225601"],
        &["1767225600", "2026-01-01T00:00:00Z"],
    ),
    key("aws:SecureTransport", Kind::Flag, &["true", "false", "TRUE"], &["true", "False"]),
    key(
        "aws:SourceIp",
        Kind::Address,
        &["203.0.113.7", "203.0.113.200", "198.51.100.7", "2001:db8::1", "2001:db8:0:1::2", "::ffff"],
        &[
            "203.0.113.0/24",
            "203.0.113.0/25",
            "0.0.0.0/0",
            "2001:db8::/32",
            "2001:db8::/64",
            "::/0",
            "198.51.100.6/31",
            "2001:0db8::1",
        ],
    ),
    key(
        "aws:SourceArn",
        Kind::Arn,
        &[
            "arn:aws:sns:us-east-1:111122223333:topic",
            "arn:aws:sns:eu-west-1:444455556666:t",
            "arn:aws:s3:::bucket/a:b",
        ],
        &["arn:aws:sns:*:111122223333:*", "arn:aws:sns:us-east-?:*:top*", "arn:*:s3:::bucket/*", "arn:aws:sns:*:topic"],
    ),
    key(
        "aws:PrincipalArn",
        Kind::Arn,
        &["arn:aws:iam::111122223333:role/vendor"],
        &["arn:aws:iam::*:role/v*", "arn:aws:iam::111122223333:role/${aws:username}", "arn:aws:iam::111122223333:*"],
    ),
    key(
        "ec2:AuthorizedArns",
        Kind::Arns,
        &["arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:user/b"],
        &["arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:user/?"],
    ),
    key("app:digest", Kind::Bytes, &["QmFzZTY0", "QmFzZTY1", "AA=="], &["qmFzZTY0", "AA=="]),
];
