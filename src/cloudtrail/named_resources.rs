//! ARNs of resources that parameters give by name: a table, a function, a queue of the caller's own account.
//!
//! Only names whose meaning is certain: a name is looked up in the account and Region of the call. Source: the resource
//! types of each service in the Service Authorization Reference, and the parameters of its API reference.

use crate::aws::AccountId;

use super::parameters::partition_of_region;

/// Service, parameter, and how its ARN goes on after the account.
const NAMES: [(&str, &str, &str); 8] = [
    ("dynamodb", "tableName", "table/"),
    ("ec2", "instanceId", "instance/"),
    ("kms", "keyId", "key/"),
    ("lambda", "functionName", "function:"),
    ("logs", "logGroupName", "log-group:"),
    ("sqs", "queueUrl", ""),
    ("ssm", "name", "parameter/"),
    ("ssm", "names", "parameter/"),
];

/// Parameters that may give a name where only an ARN would be certain: a name lacks what the service adds to it, or is one
/// of several.
const UNCLEAR: [(&str, &str); 6] = [
    ("kms", "aliasName"),
    ("logs", "logGroupIdentifier"),
    ("logs", "logGroupIdentifiers"),
    ("logs", "logGroupNames"),
    ("secretsmanager", "secretId"),
    ("secretsmanager", "secretIdList"),
];

/// What a parameter says of a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named {
    /// Nothing: it is no name of a resource, or is an ARN itself.
    Nothing,
    /// The ARN.
    Arn(String),
    /// It names a resource in a way that gives no certain ARN: an alias, a version, a partial ARN.
    Unclear,
}

/// What the parameter `key` of a call to `source` names; `account` is the caller's.
#[must_use]
pub fn named(source: &str, key: &str, value: &str, region: &str, account: Option<AccountId>) -> Named {
    if UNCLEAR.contains(&(source, key)) && !value.starts_with("arn:") {
        return Named::Unclear;
    }
    let Some((_, _, kind)) = NAMES.iter().find(|(service, name, _)| *service == source && *name == key) else {
        return Named::Nothing;
    };
    if value.starts_with("arn:") {
        return Named::Nothing;
    }
    let (account, name) = match source {
        "sqs" => match queue(value) {
            Some(found) => found,
            None => return Named::Unclear,
        },
        // A parameter's ARN has one slash before the name, whether the name begins with one or not.
        // AWS's own parameters have no account in their ARN.
        "ssm" if value.starts_with("/aws/") || value.starts_with("aws/") => return Named::Unclear,
        "ssm" => (account, value.strip_prefix('/').unwrap_or(value)),
        "kms" if value.len() != 36 && !value.starts_with("mrk-") => return Named::Unclear,
        _ => (account, value),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./#".contains(&byte);
    match account {
        Some(account) if !name.is_empty() && name.bytes().all(plain) => {
            Named::Arn(format!("arn:{}:{source}:{region}:{account}:{kind}{name}", partition_of_region(region)))
        }
        _ => Named::Unclear,
    }
}

/// Account and name at the end of a queue's URL.
fn queue(url: &str) -> Option<(Option<AccountId>, &str)> {
    let (head, name) = url.strip_prefix("https://")?.rsplit_once('/')?;
    let (_, account) = head.rsplit_once('/')?;
    Some((Some(AccountId::parse(account)?), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S35: every extractor, and what it must not guess.
    #[test]
    fn names_become_arns_where_they_are_certain() {
        let account = AccountId::parse("111122223333");
        let arn = |text: &str| Named::Arn(text.to_owned());
        let cases = [
            ("dynamodb", "tableName", "Orders", arn("arn:aws:dynamodb:eu-west-1:111122223333:table/Orders")),
            ("ec2", "instanceId", "i-0abc", arn("arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc")),
            ("lambda", "functionName", "sync", arn("arn:aws:lambda:eu-west-1:111122223333:function:sync")),
            ("lambda", "functionName", "sync:live", Named::Unclear),
            ("lambda", "functionName", "111122223333:function:sync", Named::Unclear),
            ("lambda", "functionName", "arn:aws:lambda:eu-west-1:1:function:x", Named::Nothing),
            ("logs", "logGroupName", "/aws/x", arn("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x")),
            (
                "sqs",
                "queueUrl",
                "https://sqs.eu-west-1.amazonaws.com/444455556666/jobs.fifo",
                arn("arn:aws:sqs:eu-west-1:444455556666:jobs.fifo"),
            ),
            ("sqs", "queueUrl", "jobs", Named::Unclear),
            ("ssm", "name", "/app/db", arn("arn:aws:ssm:eu-west-1:111122223333:parameter/app/db")),
            ("ssm", "names", "db", arn("arn:aws:ssm:eu-west-1:111122223333:parameter/db")),
            ("ssm", "name", "/app/db:3", Named::Unclear),
            ("ssm", "name", "/aws/service/ami-amazon-linux-latest/x", Named::Unclear),
            ("secretsmanager", "secretId", "db", Named::Unclear),
            ("secretsmanager", "secretId", "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf", Named::Nothing),
            ("logs", "logGroupNames", "/aws/x", Named::Unclear),
            (
                "kms",
                "keyId",
                "0a1b2c3d-0000-4000-8000-00000000ffff",
                arn("arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-00000000ffff"),
            ),
            ("kms", "keyId", "alias/app", Named::Unclear),
            ("ec2", "volumeId", "vol-1", Named::Nothing),
            ("s3", "tableName", "Orders", Named::Nothing),
            ("dynamodb", "tableName", "a*", Named::Unclear),
            ("dynamodb", "tableName", "", Named::Unclear),
        ];
        for (source, key, value, expected) in cases {
            assert_eq!(named(source, key, value, "eu-west-1", account), expected, "{source} {key} {value}");
        }
        assert_eq!(named("dynamodb", "tableName", "Orders", "eu-west-1", None), Named::Unclear);
        let china = named("dynamodb", "tableName", "T", "cn-north-1", account);
        assert_eq!(china, arn("arn:aws-cn:dynamodb:cn-north-1:111122223333:table/T"));
    }
}
