//! The inventory of one account: `iam:GetAccountAuthorizationDetails`, all pages as one, documents decoded.

use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, ManagedPolicyDetail, PolicyDetail, PolicyVersion,
    RoleDetail, Tag, UserDetail,
};
use serde_json::{Value, json};

use crate::policy::inventory::decoded;

use super::login::Login;
use super::pages::Pages;
use super::refusal::Refusal;
use super::shape::{list, object, text, texts, time};

const CALL: &str = "iam:GetAccountAuthorizationDetails";
/// Items a page: as many as IAM gives.
const PAGE: i32 = 1_000;

/// Asks for all pages.
pub(super) async fn fetch(login: &Login) -> Result<Value, Refusal> {
    let client = login.iam();
    let (mut users, mut groups, mut roles, mut policies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut pages, mut marker) = (Pages::of(CALL), None);
    loop {
        login.tell(CALL);
        let answer = client.get_account_authorization_details().max_items(PAGE).set_marker(marker).send().await;
        let page = answer.map_err(|error| Refusal::of(CALL, &error))?;
        users.extend(page.user_detail_list().iter().map(user));
        groups.extend(page.group_detail_list().iter().map(group));
        roles.extend(page.role_detail_list().iter().map(role));
        policies.extend(page.policies().iter().map(policy));
        marker = pages.next_of(page.is_truncated(), page.marker())?;
        if marker.is_none() {
            return Ok(json!({"UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles,
                "Policies": policies}));
        }
    }
}

/// As JSON, or as it came where it is none: then the report says what is wrong with it.
fn document(encoded: Option<&str>) -> Option<Value> {
    encoded.map(|encoded| decoded(encoded).unwrap_or_else(|_| Value::from(encoded)))
}

fn inline(policy: &PolicyDetail) -> Value {
    object([("PolicyName", text(policy.policy_name())), ("PolicyDocument", document(policy.policy_document()))])
}

fn attached(policy: &AttachedPolicy) -> Value {
    object([("PolicyName", text(policy.policy_name())), ("PolicyArn", text(policy.policy_arn()))])
}

fn boundary(boundary: &AttachedPermissionsBoundary) -> Value {
    let kind = boundary.permissions_boundary_type().map(|kind| kind.as_str());
    object([
        ("PermissionsBoundaryType", text(kind)),
        ("PermissionsBoundaryArn", text(boundary.permissions_boundary_arn())),
    ])
}

fn tag(tag: &Tag) -> Value {
    json!({"Key": tag.key(), "Value": tag.value()})
}

fn role(role: &RoleDetail) -> Value {
    let last_used = role
        .role_last_used()
        .map(|used| object([("LastUsedDate", time(used.last_used_date())), ("Region", text(used.region()))]));
    object([
        ("Path", text(role.path())),
        ("RoleName", text(role.role_name())),
        ("RoleId", text(role.role_id())),
        ("Arn", text(role.arn())),
        ("CreateDate", time(role.create_date())),
        ("AssumeRolePolicyDocument", document(role.assume_role_policy_document())),
        ("RolePolicyList", list(role.role_policy_list(), inline)),
        ("AttachedManagedPolicies", list(role.attached_managed_policies(), attached)),
        ("PermissionsBoundary", role.permissions_boundary().map(boundary)),
        ("Tags", list(role.tags(), tag)),
        // An empty one says that IAM looked; none says nothing.
        ("RoleLastUsed", last_used),
    ])
}

fn user(user: &UserDetail) -> Value {
    object([
        ("Path", text(user.path())),
        ("UserName", text(user.user_name())),
        ("UserId", text(user.user_id())),
        ("Arn", text(user.arn())),
        ("CreateDate", time(user.create_date())),
        ("UserPolicyList", list(user.user_policy_list(), inline)),
        ("GroupList", texts(user.group_list())),
        ("AttachedManagedPolicies", list(user.attached_managed_policies(), attached)),
        ("PermissionsBoundary", user.permissions_boundary().map(boundary)),
        ("Tags", list(user.tags(), tag)),
    ])
}

fn group(group: &GroupDetail) -> Value {
    object([
        ("Path", text(group.path())),
        ("GroupName", text(group.group_name())),
        ("GroupId", text(group.group_id())),
        ("Arn", text(group.arn())),
        ("CreateDate", time(group.create_date())),
        ("GroupPolicyList", list(group.group_policy_list(), inline)),
        ("AttachedManagedPolicies", list(group.attached_managed_policies(), attached)),
    ])
}

fn version(version: &PolicyVersion) -> Value {
    object([
        ("Document", document(version.document())),
        ("VersionId", text(version.version_id())),
        ("IsDefaultVersion", Some(Value::from(version.is_default_version()))),
        ("CreateDate", time(version.create_date())),
    ])
}

fn policy(policy: &ManagedPolicyDetail) -> Value {
    object([
        ("PolicyName", text(policy.policy_name())),
        ("PolicyId", text(policy.policy_id())),
        ("Arn", text(policy.arn())),
        ("Path", text(policy.path())),
        ("DefaultVersionId", text(policy.default_version_id())),
        ("AttachmentCount", policy.attachment_count().map(Value::from)),
        ("PermissionsBoundaryUsageCount", policy.permissions_boundary_usage_count().map(Value::from)),
        ("IsAttachable", Some(Value::from(policy.is_attachable()))),
        ("CreateDate", time(policy.create_date())),
        ("UpdateDate", time(policy.update_date())),
        ("PolicyVersionList", list(policy.policy_version_list(), version)),
    ])
}
