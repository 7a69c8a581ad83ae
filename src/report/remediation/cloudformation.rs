//! The right-sized policies of a role as a CloudFormation template, in JSON.
//!
//! Policies stay when the stack goes, or a deleted stack would take a vendor's rights away.

use serde_json::{Map, Value, json};

use super::super::template::{CannotWrite, check};
use super::plan::{Change, Step, path_of};
use crate::finding::assessment::RoleReport;

/// The template; nothing where there would be no resource in it.
///
/// # Errors
/// A text or key that CloudFormation would replace.
pub(super) fn cloudformation(role: &RoleReport, steps: &[Step<'_>]) -> Result<Option<String>, CannotWrite> {
    let mut resources = Map::new();
    for (at, step) in steps.iter().enumerate() {
        let id = format!("Policy{}", at + 1);
        let name = &step.policy.name;
        match &step.change {
            Change::PutInline => {
                let properties = json!({"RoleName": role.name, "PolicyName": name, "PolicyDocument": step.document(0)});
                add(&mut resources, id, "AWS::IAM::RolePolicy", properties)?;
            }
            Change::NewVersion(arn) => {
                let properties = json!({"ManagedPolicyName": name, "Path": path_of(arn), "Roles": [role.name],
                    "PolicyDocument": step.document(0)});
                add(&mut resources, id, "AWS::IAM::ManagedPolicy", properties)?;
            }
            Change::Replace(own) => {
                for one in own {
                    let properties = json!({"ManagedPolicyName": one.name, "Roles": [role.name],
                        "PolicyDocument": step.document(one.part)});
                    add(&mut resources, format!("{id}Part{}", one.part + 1), "AWS::IAM::ManagedPolicy", properties)?;
                }
            }
        }
    }
    if resources.is_empty() {
        return Ok(None);
    }
    let description = "Right-sized policies of a role. A managed policy of yours that exists is imported into the stack; \
                       what these policies replace is detached afterwards. The way back: the document as it was \
                       (.current.json) in the same resource; without the resource the policy stays as it is then";
    let template =
        json!({"AWSTemplateFormatVersion": "2010-09-09", "Description": description, "Resources": resources});
    let mut text = serde_json::to_string_pretty(&template).unwrap_or_default();
    text.push('\n');
    Ok(Some(text))
}

fn add(resources: &mut Map<String, Value>, id: String, kind: &str, properties: Value) -> Result<(), CannotWrite> {
    check(&properties)?;
    let resource = json!({"Type": kind, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
        "Properties": properties});
    resources.insert(id, resource);
    Ok(())
}
