//! Contracts that are over, of vendors that come by an identity provider or with a user that only a tag or a name tells.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod made;

use made::{OWN, Trail, with};
use serde_json::{Value, json};

const ISSUER: &str = "token.actions.githubusercontent.com";

fn role(name: &str, federated: &str, action: &str, condition: Value) -> Value {
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{OWN}:role/{name}"), "Path": "/",
        "CreateDate": "2020-01-01T00:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action,
            "Principal": {"Federated": format!("arn:aws:iam::{OWN}:{federated}")}, "Condition": condition}]}})
}

fn github(name: &str, subject: &str) -> Value {
    let condition = json!({"StringLike": {format!("{ISSUER}:sub"): subject},
        "StringEquals": {format!("{ISSUER}:aud"): "sts.amazonaws.com"}});
    role(name, &format!("oidc-provider/{ISSUER}"), "sts:AssumeRoleWithWebIdentity", condition)
}

fn trail(vendors: &str) -> Trail {
    let saml = json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}});
    let user = |name: &str, tags: Value| {
        json!({"UserName": name, "UserId": format!("AIDA{name}"), "Arn": format!("arn:aws:iam::{OWN}:user/{name}"),
            "Tags": tags, "UserPolicyList": [], "AttachedManagedPolicies": [], "GroupList": []})
    };
    let mut trail = Trail::new("2026-05-01", "2026-05-02");
    trail.vendors = Some(vendors.to_owned());
    trail.inventory = Some(json!({"GroupDetailList": [], "Policies": [],
        "UserDetailList": [user("sync", json!([{"Key": "vendor", "Value": "Acme"}])), user("datadog-agent", json!([])),
            user("jane", json!([]))],
        "RoleDetailList": [github("Shop", "repo:acme/shop:*"), github("Other", "repo:other/shop:*"),
            role("Staff", "saml-provider/acme", "sts:AssumeRoleWithSAML", saml)]}));
    let head = "user,arn,password_last_used,access_key_1_active,access_key_1_last_used_date,access_key_2_active,\
                access_key_2_last_used_date";
    let lines = ["sync", "datadog-agent", "jane"]
        .map(|name| format!("{name},arn:aws:iam::{OWN}:user/{name},N/A,true,N/A,false,N/A"));
    trail.credential_report = Some(format!("{head}\n{}\n", lines.join("\n")));
    trail.add("2026-05-01T10:00:00Z", made::user("jane", "AKIAJANEJANEJANEJANE"), ("iam", "ListRoles"), json!({}));
    trail
}

fn vendor(name: &str, more: &str) -> String {
    format!("[[vendor]]\nname = \"{name}\"\naccounts = [\"999988887777\"]\ncontract_end = 2026-04-30\n{more}\n")
}

fn identity(issuer: &str, subject: &str) -> String {
    vendor("Acme", &format!("identities = [{{ issuer = \"{issuer}\", subject = \"{subject}\" }}]"))
}

fn open_roles(report: &Value) -> Vec<String> {
    let found = with(report, "party-offboarded-active");
    let of_provider = found.values().filter(|found| !found["subject"].as_str().unwrap().starts_with("arn:"));
    let roles = of_provider.flat_map(|found| found["evidence"]["open_roles"].as_array().unwrap().clone());
    roles.map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

/// S13: a vendor that could still come by its provider is told, for the roles that would take its subject, though it never
/// came.
#[test]
fn trusts_in_a_vendors_identities_outlive_the_contract() {
    assert_eq!(open_roles(&trail(&identity(ISSUER, "repo:acme/*")).report()), ["Shop"]);
    assert_eq!(open_roles(&trail(&identity(ISSUER, "repo:acme/shop:ref:refs/heads/main")).report()), ["Shop"]);
    assert_eq!(open_roles(&trail(&identity("acme", "*")).report()), ["Staff"]);
    // Somebody else's subject, another issuer, a contract that is not over, no inventory.
    assert_eq!(open_roles(&trail(&identity(ISSUER, "repo:third/*")).report()), [] as [&str; 0]);
    assert_eq!(open_roles(&trail(&identity("gitlab.com", "repo:acme/*")).report()), [] as [&str; 0]);
    let going = identity(ISSUER, "repo:acme/*").replace("2026-04-30", "2027-04-30");
    assert_eq!(open_roles(&trail(&going).report()), [] as [&str; 0]);
    let mut blind = trail(&identity(ISSUER, "repo:acme/*"));
    blind.inventory = None;
    assert_eq!(open_roles(&blind.report()), [] as [&str; 0]);
}

/// S16: a user that a tag or its name tells to be a vendor's has that vendor's contract.
#[test]
fn users_that_a_tag_or_a_name_tells_have_the_contract_of_their_vendor() {
    let both = [vendor("acme", ""), vendor("Datadog", "").replace("999988887777", "999988886666")].concat();
    let report = trail(&both).report();
    let found = with(&report, "party-offboarded-active");
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["datadog-agent", "sync"]);
    assert_eq!(found["sync"]["evidence"]["active_keys"], json!(1));
    let report = trail(&vendor("Somebody", "")).report();
    assert!(with(&report, "party-offboarded-active").is_empty());
    let mut untold = trail(&both);
    untold.credential_report = None;
    assert!(with(&untold.report(), "party-offboarded-active").is_empty(), "nobody tells of a key that can be used");
}
