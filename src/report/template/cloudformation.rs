//! The role as a CloudFormation template, in JSON: every policy in it is the document as given.
//!
//! CloudFormation puts values in place of some texts wherever they stand, and has no way to quote them; a policy that
//! holds one cannot be written.

use serde_json::{Map, Value, json};

use super::{ID_CHARACTERS, ID_PATTERN, id_or_parameter};
use crate::policy::size::PolicyKind;
use crate::policy::vendor_role::{Boundary, VendorRole};

/// Levels of nesting that are looked through; policies have four.
const DEPTH: usize = 64;

/// Something that CloudFormation would take for its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` means something else in CloudFormation, and cannot be quoted there")]
pub struct CannotWrite(String);

/// The template.
///
/// # Errors
/// A text or key that CloudFormation would replace.
pub fn cloudformation(role: &VendorRole) -> Result<String, CannotWrite> {
    for document in &role.documents {
        check(&document.document)?;
    }
    if let Some(Boundary::Document(document)) = &role.boundary {
        check(document)?;
    }
    check(&json!([role.description, role.tags, role.attached]))?;
    let mut template = Map::new();
    template.insert("AWSTemplateFormatVersion".to_owned(), json!("2010-09-09"));
    template.insert("Description".to_owned(), json!(format!("Role {} for an outside party", role.name)));
    if role.external_id.is_none() {
        let parameter = json!({
            "Type": "String",
            "NoEcho": true,
            "Description": "The external id that was agreed on with the vendor; a secret",
            "MinLength": ID_CHARACTERS.0,
            "MaxLength": ID_CHARACTERS.1,
            "AllowedPattern": ID_PATTERN,
        });
        template.insert("Parameters".to_owned(), json!({"ExternalId": parameter}));
    }
    template.insert("Resources".to_owned(), resources(role));
    let arn = json!({"Description": "For the vendor", "Value": {"Fn::GetAtt": ["VendorRole", "Arn"]}});
    template.insert("Outputs".to_owned(), json!({"RoleArn": arn}));
    let mut text = serde_json::to_string_pretty(&template).unwrap_or_default();
    text.push('\n');
    Ok(text)
}

fn resources(role: &VendorRole) -> Value {
    let mut resources = Map::new();
    let mut attached: Vec<Value> = role.attached.iter().map(|arn| json!(arn)).collect();
    let mut add_managed = |id: String, name: String, document: &Value| {
        let properties = json!({"ManagedPolicyName": name, "PolicyDocument": document});
        resources.insert(id, json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}));
    };
    if let Some(Boundary::Document(document)) = &role.boundary {
        add_managed("Boundary".to_owned(), format!("{}-boundary", role.name), document);
    }
    let mut inline = Vec::new();
    for (at, one) in role.documents.iter().enumerate() {
        match role.kind {
            PolicyKind::Inline => inline.push(json!({"PolicyName": one.name, "PolicyDocument": one.document})),
            PolicyKind::Managed => {
                let id = format!("Policy{}", at + 1);
                attached.push(json!({"Ref": id}));
                add_managed(id, format!("{}-{}", role.name, one.name), &one.document);
            }
        }
    }
    let mut properties = Map::new();
    let mut set = |key: &str, value: Value| properties.insert(key.to_owned(), value);
    set("RoleName", json!(role.name));
    if !role.description.is_empty() {
        set("Description", json!(role.description));
    }
    set("AssumeRolePolicyDocument", role.trust(&id_or_parameter(role)));
    set("MaxSessionDuration", json!(role.session_seconds));
    match &role.boundary {
        Some(Boundary::Arn(arn)) => set("PermissionsBoundary", json!(arn)),
        Some(Boundary::Document(_)) => set("PermissionsBoundary", json!({"Ref": "Boundary"})),
        None => None,
    };
    if !inline.is_empty() {
        set("Policies", json!(inline));
    }
    if !attached.is_empty() {
        set("ManagedPolicyArns", json!(attached));
    }
    if !role.tags.is_empty() {
        let tags = role.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
        set("Tags", tags.collect());
    }
    resources.insert("VendorRole".to_owned(), json!({"Type": "AWS::IAM::Role", "Properties": properties}));
    Value::Object(resources)
}

/// Whether CloudFormation takes the value as it is.
///
/// # Errors
/// A text or key that it would replace.
pub(in super::super) fn check(value: &Value) -> Result<(), CannotWrite> {
    check_within(value, DEPTH)
}

/// Intrinsic functions are objects of one such key; dynamic references are texts. Source: CloudFormation User Guide,
/// "Intrinsic function reference", "Get values stored in other services using dynamic references".
fn check_within(value: &Value, depth: usize) -> Result<(), CannotWrite> {
    let wrong = |text: &str| Err(CannotWrite(text.chars().take(80).collect()));
    match value {
        _ if depth == 0 => wrong("nesting this deep"),
        Value::String(text) if text.contains("{{resolve:") => wrong(text),
        Value::Array(items) => items.iter().try_for_each(|item| check_within(item, depth - 1)),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            let replaced = ["Ref", "Condition"].contains(&key.as_str()) && map.len() == 1;
            if replaced || key.starts_with("Fn::") || key.contains("{{resolve:") {
                return wrong(key);
            }
            check_within(value, depth - 1)
        }),
        _ => Ok(()),
    }
}
