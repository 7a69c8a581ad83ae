//! The users and groups of an inventory: whose policies they are, and the tags that tell a third party's user (S16, S30).

use std::collections::BTreeMap;

use serde_json::Value;

use super::inventory::{Document, Inventory, RolePolicy, list, read_document, tags, text};
use crate::aws::window::{Time, parse_time};
use crate::aws::{AccountId, Arn};

/// The policies of a user or a group.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// Inline policies by name, in the order of the file.
    pub inline: Vec<(String, Document)>,
    /// Names and ARNs of attached managed policies.
    pub attached: Vec<(String, String)>,
}

/// An IAM user.
#[derive(Clone, Debug)]
pub struct IamUser {
    /// Its ARN, with path.
    pub arn: String,
    /// Its account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// `AIDA...`.
    pub id: String,
    /// When it was created.
    pub created: Option<Time>,
    /// Its own policies.
    pub holdings: Holdings,
    /// Names of the groups that it is in.
    pub groups: Vec<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl IamUser {
    /// The user of an entry of `UserDetailList`; `None` without a readable ARN.
    #[must_use]
    pub(super) fn read(entry: &Value) -> Option<Self> {
        let arn = text(entry, "Arn");
        let parsed = Arn::parse(arn)?;
        let name = parsed.resource.strip_prefix("user/")?.rsplit('/').next()?;
        let groups = list(entry, "GroupList").iter().filter_map(Value::as_str).map(str::to_owned);
        let boundary = entry.pointer("/PermissionsBoundary/PermissionsBoundaryArn").and_then(Value::as_str);
        Some(Self {
            arn: arn.to_owned(),
            account: parsed.account_id()?,
            name: name.to_owned(),
            id: text(entry, "UserId").to_owned(),
            created: parse_time(text(entry, "CreateDate")),
            holdings: Holdings::read(entry, "UserPolicyList"),
            groups: groups.collect(),
            boundary: boundary.map(str::to_owned),
            tags: tags(&entry["Tags"]),
        })
    }
}

impl Holdings {
    /// The policies of an entry whose inline ones are under `inline`.
    #[must_use]
    pub(super) fn read(entry: &Value, inline: &str) -> Self {
        let named = |item: &Value| (text(item, "PolicyName").to_owned(), read_document(&item["PolicyDocument"]));
        let attached = |item: &Value| {
            let arn = text(item, "PolicyArn");
            let name = text(item, "PolicyName");
            (if name.is_empty() { arn.rsplit('/').next().unwrap_or(arn) } else { name }.to_owned(), arn.to_owned())
        };
        Self {
            inline: list(entry, inline).iter().map(named).collect(),
            attached: list(entry, "AttachedManagedPolicies").iter().map(attached).collect(),
        }
    }
}

impl Inventory {
    /// The policies in force on a user: its own, then those of its groups, inline ones first.
    #[must_use]
    pub fn policies_of_user<'a>(&'a self, user: &'a IamUser) -> Vec<RolePolicy<'a>> {
        let groups = user.groups.iter().filter_map(|name| self.groups.get(&(user.account, name.clone())));
        let all = std::iter::once(&user.holdings).chain(groups);
        let policies = all.flat_map(|holdings| {
            let inline =
                holdings.inline.iter().map(|(name, document)| RolePolicy { name, arn: None, document: Some(document) });
            let attached = holdings.attached.iter().map(|(name, arn)| RolePolicy {
                name,
                arn: Some(arn),
                document: self.policies.get(arn).map(|policy| &policy.document),
            });
            inline.chain(attached)
        });
        policies.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// S16, S30: a user's policies are its own and those of its groups; its tags are read.
    #[test]
    fn users_hold_the_policies_of_their_groups() {
        let page = json!({
            "UserDetailList": [{"Arn": "arn:aws:iam::012345678901:user/v/datadog", "UserId": "AIDAX",
                "UserName": "datadog", "CreateDate": "2026-01-02T03:04:05Z", "GroupList": ["readers", "missing"],
                "Tags": [{"Key": "vendor", "Value": "Datadog"}],
                "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {"Statement": []}}],
                "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}],
            "GroupDetailList": [{"Arn": "arn:aws:iam::012345678901:group/readers", "GroupName": "readers",
                "GroupPolicyList": [{"PolicyName": "shared", "PolicyDocument": {"Statement": []}}],
                "AttachedManagedPolicies": []}]});
        let mut inventory = Inventory::default();
        inventory.add(&page.to_string()).unwrap();
        let user = &inventory.users["arn:aws:iam::012345678901:user/v/datadog"];
        assert_eq!(
            (user.name.as_str(), user.id.as_str(), user.tags["vendor"].as_str()),
            ("datadog", "AIDAX", "Datadog")
        );
        let names: Vec<&str> = inventory.policies_of_user(user).iter().map(|policy| policy.name).collect();
        assert_eq!(names, ["own", "ReadOnlyAccess", "shared"]);
    }
}
