//! Where the documents of an inventory that cannot be read stand in its file, so that a person finds them.
//!
//! Walks the file a second time, and only when there is such a document.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::PolicyDocument;
use super::inventory::{Document, Inventory};
use super::located::{Node, Place, Places, Shape, at_of, read_several};

/// What holds a document in `get-account-authorization-details`: trust, inline, one version of a managed policy.
const KEYS: [&str; 3] = ["AssumeRolePolicyDocument", "PolicyDocument", "Document"];
/// How a reason that has its place begins.
const PLACED: &str = "in `";

/// Puts file and line into the reason of every document that cannot be read, and returns these reasons.
///
/// `file` is the name that a person knows the text by.
pub fn name_places(inventory: &mut Inventory, file: &str, text: &str) -> Vec<String> {
    let mut open: BTreeMap<String, Vec<&mut String>> = BTreeMap::new();
    for document in documents(inventory) {
        if let Err(reason) = &mut document.parsed
            && !reason.starts_with(PLACED)
        {
            open.entry(document.value.to_string()).or_default().push(reason);
        }
    }
    if open.is_empty() {
        return Vec::new();
    }
    let mut places = Places::of(text);
    let mut reasons = Vec::new();
    for node in found(&read_several(text)) {
        let Some(value) = value_of(text, node) else { continue };
        for reason in open.remove(&value.to_string()).into_iter().flatten() {
            let at = PolicyDocument::from_value(&value).map_or_else(|error| at_of(node, &error), |_| node.at);
            let Place { line, .. } = places.place(at);
            *reason = format!("{PLACED}{file}`, line {line}: {reason}");
            reasons.push(reason.clone());
        }
    }
    reasons
}

fn documents(inventory: &mut Inventory) -> impl Iterator<Item = &mut Document> {
    let of_roles = inventory
        .roles
        .values_mut()
        .flat_map(|role| std::iter::once(&mut role.trust).chain(role.inline.iter_mut().map(|(_, document)| document)));
    of_roles.chain(inventory.policies.values_mut().map(|policy| &mut policy.document))
}

/// Every document, in the order of the text.
fn found(nodes: &[Node]) -> Vec<&Node> {
    let mut waiting: Vec<&Node> = nodes.iter().rev().collect();
    let mut documents = Vec::new();
    while let Some(node) = waiting.pop() {
        if let Shape::List(items) = &node.shape {
            waiting.extend(items.iter().rev());
        }
        for member in node.members().iter().rev() {
            if KEYS.contains(&member.key.as_str()) {
                documents.push(&member.value);
            } else {
                waiting.push(&member.value);
            }
        }
    }
    documents.sort_by_key(|node| node.at);
    documents
}

fn value_of(text: &str, node: &Node) -> Option<Value> {
    serde_json::Deserializer::from_str(text.get(node.at..)?).into_iter().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S30: a document that cannot be read is told with its file and the line of what is wrong with it.
    #[test]
    fn broken_documents_are_named_with_their_lines() {
        let text = r#"{"RoleDetailList": [{
            "RoleName": "Audit", "Arn": "arn:aws:iam::012345678901:role/Audit",
            "AssumeRolePolicyDocument": {"Statement": []},
            "RolePolicyList": [
                {"PolicyName": "good", "PolicyDocument": {"Statement": []}},
                {"PolicyName": "bad", "PolicyDocument": {"Statement": [
                    {"Effect": "Deny", "Action": "*", "Resource": "*"},
                    {"Effect": "Allow"}]}},
                {"PolicyName": "text", "PolicyDocument": "%7B"}]}]}
            {"Policies": [{"Arn": "arn:aws:iam::012345678901:policy/M", "PolicyVersionList": [
                {"VersionId": "v1", "IsDefaultVersion": false, "Document": {"Statement": 6}},
                {"VersionId": "v2", "IsDefaultVersion": true, "Document": {"Statement": 7}}]}]}"#;
        let mut inventory = Inventory::default();
        inventory.add(text).unwrap();
        let reasons = name_places(&mut inventory, "own.json", text);
        let begins = [
            "in `own.json`, line 8: statement 2 has neither `Action` nor `NotAction`",
            "in `own.json`, line 9: not JSON: ",
            "in `own.json`, line 12: `Statement` is neither an object nor a list",
        ];
        assert_eq!(reasons.len(), begins.len(), "{reasons:?}");
        for (reason, begin) in reasons.iter().zip(begins) {
            assert!(reason.starts_with(begin), "{reason}");
        }
        let role = &inventory.roles["arn:aws:iam::012345678901:role/Audit"];
        assert_eq!(role.inline[1].1.parsed.as_ref().unwrap_err(), &reasons[0]);
        assert!(name_places(&mut inventory, "other.json", text).is_empty(), "they have their place already");
    }
}
