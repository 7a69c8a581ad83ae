//! The IAM data of one or several accounts, as `aws iam get-account-authorization-details` prints it (S30).
//!
//! Documents come decoded (AWS CLI) or URL-encoded (the API itself); pages may be concatenated in one file. A document
//! that cannot be read is kept as a problem of its role, not of the inventory.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::PolicyDocument;
use super::evaluate::matches_action;
use super::inventory_users::{Holdings, IamUser};
use super::statement::Effect;
use crate::aws::window::{Time, parse_time};
use crate::aws::{AccountId, Action, Arn};

/// Why a file is no inventory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("page {0} has no `RoleDetailList`: not the output of `aws iam get-account-authorization-details`")]
    Shape(usize),
    /// Not all pages.
    #[error("page {0} is the last one and says that more follow: run it without --max-items, or add the other pages")]
    CutOff(usize),
    /// A role without what makes it one.
    #[error("role {number} has no readable `{field}`")]
    Role {
        /// Counted from 1.
        number: usize,
        /// The field.
        field: &'static str,
    },
}

/// A policy document as read, and what it parses to.
#[derive(Clone, Debug)]
pub struct Document {
    /// The JSON.
    pub value: Value,
    /// The parsed document, or why it cannot be parsed.
    pub parsed: Result<PolicyDocument, String>,
}

/// One policy in force on a role, in the order in which reports show them.
#[derive(Clone, Debug)]
pub struct RolePolicy<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its ARN; `None` for inline.
    pub arn: Option<&'a str>,
    /// Its document; `None` when the inventory does not hold it.
    pub document: Option<&'a Document>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its ARN, with path.
    pub arn: String,
    /// The account that owns it.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// `AROA...`.
    pub id: String,
    /// `/`, `/vendors/`, `/aws-service-role/...`.
    pub path: String,
    /// When it was created.
    pub created: Option<Time>,
    /// Who may assume it.
    pub trust: Document,
    /// Inline policies by name, in the order of the file.
    pub inline: Vec<(String, Document)>,
    /// Names and ARNs of attached managed policies.
    pub attached: Vec<(String, String)>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// IAM's `RoleLastUsed`, which looks back 400 days.
    pub last_used: Option<Time>,
    /// Whether the file holds `RoleLastUsed` at all: then an empty one means not used for 400 days.
    pub tracks_last_use: bool,
    /// The role's own tags.
    pub tags: BTreeMap<String, String>,
}

impl Role {
    /// Whether AWS itself made the role for one of its services; such roles are left out (S28).
    #[must_use]
    pub fn is_service_linked(&self) -> bool {
        self.path.starts_with("/aws-service-role/")
    }

    /// The tags that every session of the role has; `None` where a session may bring tags that take their place.
    ///
    /// Session tags need `sts:TagSession` in the trust policy (IAM User Guide, "Passing session tags in AWS STS").
    #[must_use]
    pub fn session_tags(&self) -> Option<&BTreeMap<String, String>> {
        let trust = self.trust.parsed.as_ref().ok()?;
        let tagging = Action::parse("sts:TagSession")?;
        let mut allows = trust.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        (!allows.any(|statement| matches_action(&statement.actions, &tagging))).then_some(&self.tags)
    }
}

/// A managed policy with its default version.
#[derive(Clone, Debug)]
pub struct ManagedPolicy {
    /// Its name.
    pub name: String,
    /// The default version's document.
    pub document: Document,
}

/// All roles and managed policies.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The accounts that the inventory covers.
    pub accounts: BTreeSet<AccountId>,
    /// By ARN.
    pub roles: BTreeMap<String, Role>,
    /// By ARN.
    pub policies: BTreeMap<String, ManagedPolicy>,
    /// By ARN.
    pub users: BTreeMap<String, IamUser>,
    /// The policies of groups, by account and name.
    pub groups: BTreeMap<(AccountId, String), Holdings>,
    /// Roles, users and groups that a managed policy is attached to, by its ARN.
    pub attachments: BTreeMap<String, BTreeSet<String>>,
}

impl Inventory {
    /// Adds one file: one or several pages, each as printed by the AWS CLI.
    ///
    /// # Errors
    /// [`InventoryError`] with the first thing that makes it no inventory.
    pub fn add(&mut self, json: &str) -> Result<(), InventoryError> {
        let (mut pages, mut more) = (0, false);
        for page in serde_json::Deserializer::from_str(json).into_iter::<Value>() {
            let page = page.map_err(|error| InventoryError::Json(error.to_string()))?;
            let several = if let Value::Array(pages) = page { pages } else { vec![page] };
            for page in &several {
                pages += 1;
                self.add_page(pages, page)?;
                more = says_more(page);
            }
        }
        if more {
            return Err(InventoryError::CutOff(pages));
        }
        if pages == 0 { Err(InventoryError::Json("empty file".to_owned())) } else { Ok(()) }
    }

    fn add_page(&mut self, number: usize, page: &Value) -> Result<(), InventoryError> {
        if !["RoleDetailList", "Policies", "UserDetailList", "GroupDetailList"].iter().any(|key| page[key].is_array()) {
            return Err(InventoryError::Shape(number));
        }
        for (at, role) in list(page, "RoleDetailList").iter().enumerate() {
            let role = read_role(at + 1, role)?;
            self.accounts.insert(role.account);
            for (_, policy) in &role.attached {
                self.attachments.entry(policy.clone()).or_default().insert(role.arn.clone());
            }
            self.roles.insert(role.arn.clone(), role);
        }
        for key in ["UserDetailList", "GroupDetailList"] {
            for owner in list(page, key) {
                let arn = text(owner, "Arn");
                self.accounts.extend(Arn::parse(arn).and_then(|arn| arn.account_id()));
                for policy in list(owner, "AttachedManagedPolicies") {
                    let attached = self.attachments.entry(text(policy, "PolicyArn").to_owned()).or_default();
                    attached.insert(arn.to_owned());
                }
            }
        }
        for user in list(page, "UserDetailList").iter().filter_map(IamUser::read) {
            self.users.insert(user.arn.clone(), user);
        }
        for group in list(page, "GroupDetailList") {
            let Some(account) = Arn::parse(text(group, "Arn")).and_then(|arn| arn.account_id()) else { continue };
            let name = text(group, "GroupName").to_owned();
            self.groups.insert((account, name), Holdings::read(group, "GroupPolicyList"));
        }
        for policy in list(page, "Policies") {
            self.add_policy(policy);
        }
        Ok(())
    }

    fn add_policy(&mut self, policy: &Value) {
        let arn = text(policy, "Arn");
        let default = text(policy, "DefaultVersionId");
        let versions = list(policy, "PolicyVersionList");
        let is_default = |version: &&Value| {
            version["IsDefaultVersion"] == Value::Bool(true) || (!default.is_empty() && version["VersionId"] == default)
        };
        let Some(version) = versions.iter().find(is_default) else { return };
        let name = match text(policy, "PolicyName") {
            "" => arn.rsplit('/').next().unwrap_or(arn),
            name => name,
        };
        let document = read_document(&version["Document"]);
        self.policies.insert(arn.to_owned(), ManagedPolicy { name: name.to_owned(), document });
    }

    /// The policies in force on a role: inline ones first, then attached ones.
    #[must_use]
    pub fn policies_of<'a>(&'a self, role: &'a Role) -> Vec<RolePolicy<'a>> {
        let inline =
            role.inline.iter().map(|(name, document)| RolePolicy { name, arn: None, document: Some(document) });
        let attached = role.attached.iter().map(|(name, arn)| RolePolicy {
            name,
            arn: Some(arn),
            document: self.policies.get(arn).map(|policy| &policy.document),
        });
        inline.chain(attached).collect()
    }
}

/// Whether a page of an answer says that it is not the last one.
pub(super) fn says_more(page: &Value) -> bool {
    page["IsTruncated"] == Value::Bool(true)
        || ["Marker", "NextToken"].iter().any(|key| page[key].as_str().is_some_and(|token| !token.is_empty()))
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn read_role(number: usize, role: &Value) -> Result<Role, InventoryError> {
    let wrong = |field| InventoryError::Role { number, field };
    let arn = text(role, "Arn");
    let parsed = Arn::parse(arn).ok_or_else(|| wrong("Arn"))?;
    let name = match text(role, "RoleName") {
        "" => parsed.role_name().ok_or_else(|| wrong("RoleName"))?,
        name => name,
    };
    let Holdings { inline, attached } = Holdings::read(role, "RolePolicyList");
    Ok(Role {
        arn: arn.to_owned(),
        account: parsed.account_id().ok_or_else(|| wrong("Arn"))?,
        name: name.to_owned(),
        id: text(role, "RoleId").to_owned(),
        path: match text(role, "Path") {
            "" => "/".to_owned(),
            path => path.to_owned(),
        },
        created: parse_time(text(role, "CreateDate")),
        trust: read_document(&role["AssumeRolePolicyDocument"]),
        inline,
        attached,
        boundary: role
            .pointer("/PermissionsBoundary/PermissionsBoundaryArn")
            .and_then(Value::as_str)
            .map(str::to_owned),
        last_used: parse_time(text(&role["RoleLastUsed"], "LastUsedDate")),
        tracks_last_use: role["RoleLastUsed"].is_object(),
        tags: tags(&role["Tags"]),
    })
}

pub(super) fn tags(list: &Value) -> BTreeMap<String, String> {
    let tags = list.as_array().into_iter().flatten();
    tags.map(|tag| (text(tag, "Key").to_owned(), text(tag, "Value").to_owned())).collect()
}

/// The JSON of a document that is a string, URL-encoded or not.
///
/// # Errors
/// Why it is no JSON.
pub fn decoded(encoded: &str) -> Result<Value, String> {
    let plain = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy();
    serde_json::from_str(&plain)
        .or_else(|_| serde_json::from_str(encoded))
        .map_err(|error| format!("not JSON: {error}"))
}

/// A document given as JSON, or as a string of JSON, URL-encoded or not.
pub(super) fn read_document(value: &Value) -> Document {
    let decoded = match value {
        Value::String(encoded) => decoded(encoded),
        other => Ok(other.clone()),
    };
    match decoded {
        Ok(value) => {
            let parsed = PolicyDocument::from_value(&value).map_err(|error| error.to_string());
            Document { value, parsed }
        }
        Err(problem) => Document { value: value.clone(), parsed: Err(problem) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page() -> Value {
        json!({"RoleDetailList": [{
            "RoleName": "Audit", "RoleId": "AROAX", "Path": "/v/", "Arn": "arn:aws:iam::012345678901:role/v/Audit",
            "CreateDate": "2026-01-02T03:04:05+00:00", "RoleLastUsed": {"LastUsedDate": "2026-05-01T00:00:00Z"},
            "AssumeRolePolicyDocument":
                "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%22%2A%22%7D%7D",
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": []}}],
            "AttachedManagedPolicies": [{"PolicyName": "M", "PolicyArn": "arn:aws:iam::012345678901:policy/M"}]}],
            "UserDetailList": [{"Arn": "arn:aws:iam::012345678901:user/jane",
                "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::012345678901:policy/M"}]}],
            "Policies": [{"Arn": "arn:aws:iam::012345678901:policy/M", "DefaultVersionId": "v2", "PolicyVersionList": [
                {"VersionId": "v1", "Document": {"Statement": 1}},
                {"VersionId": "v2", "IsDefaultVersion": true, "Document": "{\"Statement\": []}"}]}]})
    }

    /// S30: decoded and URL-encoded documents, default versions, names from ARNs, attachments of users.
    #[test]
    fn every_way_of_writing_a_document_is_read() {
        let mut inventory = Inventory::default();
        inventory.add(&page().to_string()).unwrap();
        let role = &inventory.roles["arn:aws:iam::012345678901:role/v/Audit"];
        assert_eq!(role.trust.parsed.as_ref().unwrap().statements.len(), 1);
        assert_eq!(role.created, parse_time("2026-01-02T03:04:05Z"));
        let policies = inventory.policies_of(role);
        assert!(policies.iter().all(|policy| policy.document.unwrap().parsed.is_ok()));
        assert_eq!(inventory.policies["arn:aws:iam::012345678901:policy/M"].name, "M");
        assert_eq!(inventory.attachments["arn:aws:iam::012345678901:policy/M"].len(), 2);
    }

    /// S30: pages concatenated in one file, and several accounts.
    #[test]
    fn concatenated_pages_are_one_inventory() {
        let second = page().to_string().replace("012345678901", "111122223333");
        let mut inventory = Inventory::default();
        inventory.add(&format!("{}\n{second}", page())).unwrap();
        inventory.add(&format!("[{second}]")).unwrap();
        assert_eq!((inventory.accounts.len(), inventory.roles.len()), (2, 2));
    }

    /// S30: an inventory that was cut off lacks roles and policies, and nobody would see it.
    #[test]
    fn an_inventory_that_says_that_more_follows_is_refused() {
        let last = page().to_string();
        for (key, value) in [("IsTruncated", json!(true)), ("Marker", json!("m")), ("NextToken", json!("t"))] {
            let mut first = page();
            first[key] = value;
            let error = Inventory::default().add(&first.to_string()).unwrap_err();
            assert_eq!(error, InventoryError::CutOff(1), "{key}");
            Inventory::default().add(&format!("{first}{last}")).unwrap();
        }
    }

    #[test]
    fn what_is_no_inventory_is_refused() {
        let refuse = |json: &str| Inventory::default().add(json).unwrap_err().to_string();
        assert!(refuse("").contains("empty"));
        assert!(refuse("{\"Records\":[]}").contains("RoleDetailList"));
        assert!(refuse("{\"RoleDetailList\":[{}]}").contains("role 1"));
        assert!(refuse("{").contains("not JSON"));
    }
}
