//! Which actions are dangerous to leave granted, and why (S38): a small table of our own.
//!
//! An access level is too coarse for this: `s3:GetObject` and `ec2:DescribeInstances` are both reads. The table names
//! actions by pattern, first match wins; what it does not name is judged by its level. It is a judgement, not a fact of AWS:
//! the escalation rows follow the published research on IAM privilege escalation (Rhino Security Labs and others).

use std::sync::LazyLock;

use super::catalog::Catalog;
use crate::aws::{AccessLevel, Action};

const TABLE: &str = include_str!("../../data/own/danger.tsv");

/// What an unused grant could be misused for, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Danger {
    /// The holder can give itself more permissions, or take over a more powerful identity.
    PrivilegeEscalation,
    /// Reads secrets, or hands out credentials.
    SecretsRead,
    /// Uses or delegates encryption keys.
    KeyUse,
    /// Hides traces: logs, detectors, alarms.
    DefenseEvasion,
    /// Changes who may do what.
    PermissionsManagement,
    /// Destroys data or services.
    Destruction,
    /// Reads the contents that customers store.
    DataRead,
    /// Runs code or commands on machines.
    CodeExecution,
    /// Creates or changes things in any other way.
    Write,
}

impl Danger {
    /// The class as reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrivilegeEscalation => "privilege_escalation",
            Self::SecretsRead => "secrets_read",
            Self::KeyUse => "key_use",
            Self::DefenseEvasion => "defense_evasion",
            Self::PermissionsManagement => "permissions_management",
            Self::Destruction => "destruction",
            Self::DataRead => "data_read",
            Self::CodeExecution => "code_execution",
            Self::Write => "write",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [
            Self::PrivilegeEscalation,
            Self::SecretsRead,
            Self::KeyUse,
            Self::DefenseEvasion,
            Self::PermissionsManagement,
            Self::Destruction,
            Self::DataRead,
            Self::CodeExecution,
            Self::Write,
        ]
        .into_iter()
        .find(|danger| danger.as_str() == name)
    }
}

struct Row {
    /// Lowercase, `*` at the end or as the whole name at most.
    pattern: String,
    danger: Danger,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (pattern, rest) = line.split_once('\t')?;
            let danger = Danger::named(rest.split('\t').next()?)?;
            Some(Row { pattern: pattern.to_ascii_lowercase(), danger })
        })
        .collect()
});

impl Row {
    fn fits(&self, action: &str) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(head) => action.starts_with(head),
            None => action == self.pattern,
        }
    }
}

impl Catalog {
    /// What an unused grant of `action` could be misused for; `None` for harmless reads, lists and tags, and for
    /// actions that the catalog does not know and the table does not name.
    #[must_use]
    pub fn danger(&self, action: &Action) -> Option<Danger> {
        let folded = action.as_str().to_ascii_lowercase();
        if let Some(row) = ROWS.iter().find(|row| row.fits(&folded)) {
            return Some(row.danger);
        }
        match self.get(action)?.level {
            // The tables call some reads of policies so.
            AccessLevel::PermissionsManagement if is_reading(action.name()) => None,
            AccessLevel::PermissionsManagement => Some(Danger::PermissionsManagement),
            AccessLevel::Write if is_destructive(action.name()) => Some(Danger::Destruction),
            AccessLevel::Write => Some(Danger::Write),
            AccessLevel::List | AccessLevel::Read | AccessLevel::Tagging => None,
        }
    }
}

/// Whether a name says that nothing is changed.
#[must_use]
pub fn is_reading(name: &str) -> bool {
    ["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb))
}

fn is_destructive(name: &str) -> bool {
    ["Delete", "Terminate", "BatchDelete", "Purge"].iter().any(|verb| name.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn danger(action: &str) -> Option<Danger> {
        Catalog::builtin().danger(&Action::parse(action).unwrap())
    }

    /// S38: each removal says its danger.
    #[test]
    fn dangerous_actions_are_named() {
        let cases = [
            ("iam:PassRole", Some(Danger::PrivilegeEscalation)),
            ("IAM:attachrolepolicy", Some(Danger::PrivilegeEscalation)),
            ("secretsmanager:GetSecretValue", Some(Danger::SecretsRead)),
            ("kms:Decrypt", Some(Danger::KeyUse)),
            ("kms:CreateGrant", Some(Danger::KeyUse)),
            ("cloudtrail:StopLogging", Some(Danger::DefenseEvasion)),
            ("s3:PutBucketPolicy", Some(Danger::PermissionsManagement)),
            ("s3:DeleteBucket", Some(Danger::Destruction)),
            ("s3:GetObject", Some(Danger::DataRead)),
            ("ssm:SendCommand", Some(Danger::CodeExecution)),
            ("ec2:CreateVpc", Some(Danger::Write)),
            ("ec2:DescribeInstances", None),
            ("billing:GetResourcePolicy", None),
            ("nosuch:Action", None),
        ];
        for (action, expected) in cases {
            assert_eq!(danger(action), expected, "{action}");
        }
    }

    #[test]
    fn every_row_names_known_actions() {
        for row in ROWS.iter() {
            let known = Catalog::builtin().iter().any(|info| row.fits(&info.action.as_str().to_ascii_lowercase()));
            assert!(known, "{} fits no action", row.pattern);
        }
        assert_eq!(ROWS.len(), TABLE.lines().filter(|line| !line.starts_with('#')).count());
    }
}
