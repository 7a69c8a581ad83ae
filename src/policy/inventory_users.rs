//! Users and groups of an inventory with what is attached to them: what a user may do, it may do by both.

use std::collections::BTreeMap;

use serde_json::Value;

use super::inventory::{Document, Inventory, attached, inline, list, tags, text};
use crate::aws::{AccountId, Arn};

/// A user.
#[derive(Clone, Debug)]
pub struct InventoryUser {
    /// Its ARN, with path.
    pub arn: String,
    /// Its account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Inline policies by name.
    pub inline: Vec<(String, Document)>,
    /// Names and ARNs of attached managed policies.
    pub attached: Vec<(String, String)>,
    /// Names of its groups.
    pub groups: Vec<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A group.
#[derive(Clone, Debug)]
pub struct InventoryGroup {
    /// Inline policies by name.
    pub inline: Vec<(String, Document)>,
    /// Names and ARNs of attached managed policies.
    pub attached: Vec<(String, String)>,
}

/// One policy in force on a user.
#[derive(Clone, Debug)]
pub struct UserPolicy<'a> {
    /// The group that brings it; `None` for the user's own.
    pub group: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
    /// Its ARN; `None` for inline.
    pub arn: Option<&'a str>,
    /// Its document; `None` when the inventory does not hold it.
    pub document: Option<&'a Document>,
}

pub(super) fn read_user(user: &Value) -> Option<InventoryUser> {
    let arn = text(user, "Arn");
    let parsed = Arn::parse(arn)?;
    let name = match text(user, "UserName") {
        "" => parsed.resource.rsplit('/').next()?,
        name => name,
    };
    let boundary = user.pointer("/PermissionsBoundary/PermissionsBoundaryArn").and_then(Value::as_str);
    let groups = list(user, "GroupList").iter().filter_map(Value::as_str);
    Some(InventoryUser {
        arn: arn.to_owned(),
        account: parsed.account_id()?,
        name: name.to_owned(),
        inline: inline(user, "UserPolicyList"),
        attached: attached(user),
        groups: groups.map(str::to_owned).collect(),
        boundary: boundary.map(str::to_owned),
        tags: tags(&user["Tags"]),
    })
}

pub(super) fn read_group(group: &Value) -> Option<((AccountId, String), InventoryGroup)> {
    let parsed = Arn::parse(text(group, "Arn"))?;
    let name = match text(group, "GroupName") {
        "" => parsed.resource.rsplit('/').next()?,
        name => name,
    };
    let read = InventoryGroup { inline: inline(group, "GroupPolicyList"), attached: attached(group) };
    Some(((parsed.account_id()?, name.to_owned()), read))
}

impl Inventory {
    /// The policies in force on a user: its own, then those of its groups, inline ones first.
    ///
    /// # Errors
    /// The name of a group that the inventory does not hold.
    pub fn policies_of_user<'a>(&'a self, user: &'a InventoryUser) -> Result<Vec<UserPolicy<'a>>, &'a str> {
        let mut found = Vec::new();
        self.add_policies(None, &user.inline, &user.attached, &mut found);
        for name in &user.groups {
            let group = self.groups.get(&(user.account, name.clone())).ok_or(name.as_str())?;
            self.add_policies(Some(name), &group.inline, &group.attached, &mut found);
        }
        Ok(found)
    }

    fn add_policies<'a>(
        &'a self,
        group: Option<&'a str>,
        inline: &'a [(String, Document)],
        attached: &'a [(String, String)],
        found: &mut Vec<UserPolicy<'a>>,
    ) {
        let own =
            |(name, document): &'a (String, Document)| UserPolicy { group, name, arn: None, document: Some(document) };
        let managed = |(name, arn): &'a (String, String)| {
            let document = self.policies.get(arn).map(|policy| &policy.document);
            UserPolicy { group, name, arn: Some(arn), document }
        };
        found.extend(inline.iter().map(own).chain(attached.iter().map(managed)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// S30: a user's own policies and those of its groups.
    #[test]
    fn users_have_their_own_policies_and_those_of_their_groups() {
        let managed = json!([{"PolicyName": "ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]);
        let named = |name: &str| json!([{"PolicyName": name, "PolicyDocument": {"Statement": []}}]);
        let mut inventory = Inventory::default();
        let page = json!({
            "UserDetailList": [
                {"Arn": "arn:aws:iam::111122223333:user/v/scanner", "UserName": "scanner", "GroupList": ["vendors"],
                    "UserPolicyList": named("own"), "Tags": [{"Key": "owner", "Value": "sec"}],
                    "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/B"}},
                {"Arn": "arn:aws:iam::111122223333:user/lost", "GroupList": ["gone"]}],
            "GroupDetailList": [{"Arn": "arn:aws:iam::111122223333:group/vendors", "GroupName": "vendors",
                "GroupPolicyList": named("shared"), "AttachedManagedPolicies": managed}]});
        inventory.add(&page.to_string()).unwrap();
        let scanner = &inventory.users["arn:aws:iam::111122223333:user/v/scanner"];
        let found = inventory.policies_of_user(scanner).unwrap();
        let names: Vec<_> = found.iter().map(|policy| (policy.group, policy.name, policy.arn.is_some())).collect();
        let group = Some("vendors");
        assert_eq!(names, [(None, "own", false), (group, "shared", false), (group, "ReadOnlyAccess", true)]);
        assert_eq!(scanner.boundary.as_deref(), Some("arn:aws:iam::111122223333:policy/B"));
        assert_eq!(scanner.tags["owner"], "sec");
        let lost = &inventory.users["arn:aws:iam::111122223333:user/lost"];
        assert_eq!((lost.name.as_str(), inventory.policies_of_user(lost).unwrap_err()), ("lost", "gone"));
    }
}
