//! The inventory: the output of `aws iam get-account-authorization-details` for one account of the cast.

use serde_json::{Value, json};

use super::cast::{Cast, Role, User};
use super::clock::time_text;
use super::policies::{MANAGED, Managed, WORKLOAD};
use super::templates::{SECOND_PARTY, Trust};
use super::truth::Ledger;

/// The document of account number `account`.
pub(crate) fn document(cast: &Cast, ledger: &Ledger, account: usize) -> Value {
    let id = cast.account(account);
    let roles: Vec<&Role> = cast.roles.iter().filter(|role| role.account == account && role.exists).collect();
    let policies: Vec<Value> = MANAGED.iter().map(|policy| managed(policy, id, &roles)).collect();
    let users: Vec<Value> =
        cast.users.iter().filter(|user| user.account == account).map(|user| one_user(cast, user)).collect();
    let group = json!({"Path": "/", "GroupName": "deployers", "GroupId": format!("AGPA{:0>17}", account + 2),
        "Arn": format!("arn:aws:iam::{id}:group/deployers"), "CreateDate": time_text(cast.since - 40_000_000),
        "GroupPolicyList": [], "AttachedManagedPolicies": []});
    let roles: Vec<Value> = roles.iter().map(|role| one_role(cast, ledger, role)).collect();
    json!({"UserDetailList": users, "GroupDetailList": [group], "RoleDetailList": roles, "Policies": policies})
}

fn parsed(text: &str, account: &str) -> Value {
    serde_json::from_str(&text.replace("%a", account)).unwrap_or(Value::Null)
}

/// A document as the CLI shows it, decoded, or as the API sends it, URL-encoded.
fn shown(document: Value, encoded: bool) -> Value {
    if !encoded {
        return document;
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let text = document.to_string();
    Value::String(
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect(),
    )
}

fn policy_arn(policy: &Managed, account: &str) -> String {
    let owner = if policy.aws { "aws" } else { account };
    format!("arn:aws:iam::{owner}:policy{}{}", policy.path, policy.name)
}

fn managed(policy: &Managed, account: &str, roles: &[&Role]) -> Value {
    let holds = |role: &&&Role| role.template.is_some_and(|template| template.managed.contains(&policy.name));
    let bounds = |role: &&&Role| role.template.is_some_and(|template| template.boundary == Some(policy.name));
    json!({"PolicyName": policy.name, "PolicyId": format!("ANPA{:X<17}", policy.name.to_uppercase().chars().take(17).collect::<String>()),
        "Arn": policy_arn(policy, account), "Path": policy.path, "DefaultVersionId": "v2",
        "AttachmentCount": roles.iter().filter(holds).count(),
        "PermissionsBoundaryUsageCount": roles.iter().filter(bounds).count(),
        "IsAttachable": true, "CreateDate": "2024-02-01T09:00:00Z", "UpdateDate": "2025-03-01T09:00:00Z",
        "PolicyVersionList": [
            {"Document": parsed(policy.document, account), "VersionId": "v2", "IsDefaultVersion": true, "CreateDate": "2025-03-01T09:00:00Z"},
            {"Document": {"Version": "2012-10-17", "Statement": []}, "VersionId": "v1", "IsDefaultVersion": false, "CreateDate": "2024-02-01T09:00:00Z"}]})
}

fn attached(name: &str, account: &str) -> Option<Value> {
    let policy = MANAGED.iter().find(|policy| policy.name == name)?;
    Some(json!({"PolicyName": name, "PolicyArn": policy_arn(policy, account)}))
}

fn one_role(cast: &Cast, ledger: &Ledger, role: &Role) -> Value {
    let id = cast.account(role.account);
    let encoded = role.index % 3 == 1;
    let inline: Vec<(&str, &str)> = match (role.template, role.name.starts_with("AWSReservedSSO")) {
        (Some(template), _) => template.inline.to_vec(),
        (None, true) => Vec::new(),
        (None, false) => vec![("workload", WORKLOAD)],
    };
    let names = role.template.map_or(&[][..], |template| template.managed).iter().copied();
    let admin = role.name.starts_with("AWSReservedSSO").then_some("AdministratorAccess");
    let path =
        role.arn.split_once(":role").map_or("/", |(_, rest)| rest.strip_suffix(role.name.as_str()).unwrap_or("/"));
    let last = ledger
        .role_last_used(role)
        .map_or(json!({}), |time| json!({"LastUsedDate": time_text(time), "Region": "us-east-1"}));
    let mut detail = json!({"Path": path, "RoleName": role.name, "RoleId": role.role_id, "Arn": role.arn,
        "CreateDate": time_text(role.created), "AssumeRolePolicyDocument": shown(trust(cast, role), encoded),
        "InstanceProfileList": [],
        "RolePolicyList": inline.iter().map(|(name, text)| json!({"PolicyName": name, "PolicyDocument": shown(parsed(text, id), encoded)})).collect::<Vec<_>>(),
        "AttachedManagedPolicies": names.chain(admin).filter_map(|name| attached(name, id)).collect::<Vec<_>>(),
        "Tags": [{"Key": "owner", "Value": "platform"}], "RoleLastUsed": last});
    let boundary = role.template.and_then(|template| template.boundary);
    if let (Some(name), Some(fields)) = (boundary, detail.as_object_mut()) {
        let arn = format!("arn:aws:iam::{id}:policy/{name}");
        fields.insert(
            "PermissionsBoundary".to_owned(),
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}),
        );
    }
    detail
}

/// The role's trust policy.
pub(crate) fn trust(cast: &Cast, role: &Role) -> Value {
    let party =
        |at: usize| role.parties.get(at).and_then(|at| cast.parties.get(*at)).map_or("", |party| party.id.as_str());
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let own = cast.account(0);
    let (principal, action, condition) = match role.template.map(|template| template.trust) {
        Some(Trust::Vendor) => (json!({"AWS": root(party(0))}), "sts:AssumeRole", equals(role, "StringEquals")),
        Some(Trust::VendorIfExists) => {
            (json!({"AWS": root(party(0))}), "sts:AssumeRole", equals(role, "StringEqualsIfExists"))
        }
        Some(Trust::TwoVendors) => {
            (json!({"AWS": [root(party(0)), SECOND_PARTY.0]}), "sts:AssumeRole", equals(role, "StringEquals"))
        }
        Some(Trust::GitHub) => (
            json!({"Federated": party(0)}),
            "sts:AssumeRoleWithWebIdentity",
            json!({"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}, "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:*"}}),
        ),
        Some(Trust::Chain(before)) => {
            (json!({"AWS": format!("arn:aws:iam::{own}:role/{before}")}), "sts:AssumeRole", Value::Null)
        }
        Some(Trust::OwnOrganization) => (json!({"AWS": root(own)}), "sts:AssumeRole", Value::Null),
        Some(Trust::Certificate(_)) => (
            json!({"Service": "rolesanywhere.amazonaws.com"}),
            "sts:AssumeRole",
            json!({"ArnEquals": {"aws:SourceArn": format!("arn:aws:rolesanywhere:us-east-1:{}:trust-anchor/5d1a9c3e-7b20-4f86-a1d4-93c0be52f7a1", cast.account(role.account))}}),
        ),
        Some(Trust::Saml) => (
            json!({"Federated": party(0)}),
            "sts:AssumeRoleWithSAML",
            json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}),
        ),
        None if party(0).starts_with("arn:") => (
            json!({"Federated": party(0)}),
            "sts:AssumeRoleWithSAML",
            json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}),
        ),
        None => (json!({"Service": party(0)}), "sts:AssumeRole", Value::Null),
    };
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": action});
    if let (false, Some(fields)) = (condition.is_null(), statement.as_object_mut()) {
        fields.insert("Condition".to_owned(), condition);
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn equals(role: &Role, operator: &str) -> Value {
    role.external_id.as_ref().map_or(Value::Null, |id| json!({operator: {"sts:ExternalId": id}}))
}

fn one_user(cast: &Cast, user: &User) -> Value {
    let id = cast.account(user.account);
    let document = parsed(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","autoscaling:Describe*","ecr:*","cloudformation:List*"],"Resource":"*"}]}"#,
        id,
    );
    json!({"Path": "/", "UserName": user.name, "UserId": user.user_id, "Arn": user.arn,
        "CreateDate": time_text(cast.since - 60_000_000),
        "UserPolicyList": [{"PolicyName": "access", "PolicyDocument": document}],
        "GroupList": if user.name == "ci-deployer" { vec!["deployers"] } else { vec![] }, "AttachedManagedPolicies": [], "Tags": []})
}
