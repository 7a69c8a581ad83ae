//! The role as a Terraform file: one that can be laid into a module as it is.

use serde_json::Value;

use super::super::hcl::{Instead, block, encoded, entry, lines, quoted};
use super::{ID_CHARACTERS, ID_PATTERN, id_or_parameter};
use crate::policy::size::PolicyKind;
use crate::policy::vendor_role::{Boundary, VendorRole};

/// The file.
#[must_use]
pub fn terraform(role: &VendorRole) -> String {
    let mut out = String::new();
    if role.external_id.is_none() {
        out.push_str(&variable());
    }
    if let Some(Boundary::Document(document)) = &role.boundary {
        let name = format!("{}-boundary", role.name);
        block(&mut out, "aws_iam_policy", "boundary", &policy(&name, document));
    }
    out.push_str(&role_block(role));
    for (at, one) in role.documents.iter().enumerate() {
        let label = format!("policy_{}", at + 1);
        match role.kind {
            PolicyKind::Inline => {
                let mut entries = policy(&one.name, &one.document);
                entries.insert(1, entry("role", "aws_iam_role.vendor.name"));
                block(&mut out, "aws_iam_role_policy", &label, &entries);
            }
            PolicyKind::Managed => {
                let name = format!("{}-{}", role.name, one.name);
                block(&mut out, "aws_iam_policy", &label, &policy(&name, &one.document));
                attachment(&mut out, &label, &format!("aws_iam_policy.{label}.arn"));
            }
        }
    }
    for (at, arn) in role.attached.iter().enumerate() {
        attachment(&mut out, &format!("managed_{}", at + 1), &quoted(arn));
    }
    out.push_str("output \"vendor_role_arn\" {\n  description = \"For the vendor\"\n  value       = aws_iam_role.vendor.arn\n}\n");
    out
}

fn variable() -> String {
    let pattern = quoted(&format!("^{ID_PATTERN}$"));
    let entries = [
        entry("description", "\"The external id that was agreed on with the vendor; a secret\""),
        entry("type", "string"),
        entry("sensitive", "true"),
    ];
    let (least, most) = ID_CHARACTERS;
    let length = "length(var.external_id)";
    let condition = format!("{length} >= {least} && {length} <= {most} && can(regex({pattern}, var.external_id))");
    let check = [
        entry("condition", &condition),
        entry("error_message", "\"An external id has 2 to 1224 letters, digits and +=,.@:/_-.\""),
    ];
    let (entries, check) = (lines(&entries, 2), lines(&check, 4));
    format!("variable \"external_id\" {{\n{entries}\n  validation {{\n{check}  }}\n}}\n\n")
}

fn role_block(role: &VendorRole) -> String {
    let mut entries = vec![entry("name", &quoted(&role.name))];
    if !role.description.is_empty() {
        entries.push(entry("description", &quoted(&role.description)));
    }
    entries.push(entry("max_session_duration", &role.session_seconds.to_string()));
    match &role.boundary {
        Some(Boundary::Arn(arn)) => entries.push(entry("permissions_boundary", &quoted(arn))),
        Some(Boundary::Document(_)) => entries.push(entry("permissions_boundary", "aws_iam_policy.boundary.arn")),
        None => {}
    }
    let id = id_or_parameter(role);
    let instead: &Instead<'_> = match role.external_id {
        None => &[(&id, "var.external_id")],
        Some(_) => &[],
    };
    entries.push(entry("assume_role_policy", &encoded(&role.trust(&id), instead)));
    if !role.tags.is_empty() {
        let tags: Vec<(String, String)> = role.tags.iter().map(|(key, value)| (quoted(key), quoted(value))).collect();
        entries.push(entry("tags", &format!("{{\n{}  }}", lines(&tags, 4))));
    }
    let mut out = String::new();
    block(&mut out, "aws_iam_role", "vendor", &entries);
    out
}

fn policy(name: &str, document: &Value) -> Vec<(String, String)> {
    vec![entry("name", &quoted(name)), entry("policy", &encoded(document, &[]))]
}

fn attachment(out: &mut String, label: &str, arn: &str) {
    let entries = [entry("role", "aws_iam_role.vendor.name"), entry("policy_arn", arn)];
    block(out, "aws_iam_role_policy_attachment", label, &entries);
}
