//! Roles made of the documents that vendors publish: their templates filled with plausible values.
//!
//! What stands for what: a vendor's account variable becomes an account of that vendor, an external id a UUID, our own
//! account, partition and Region ours; of an `Fn::If` the first branch is taken; every other name becomes
//! `from-a-template`. A permission document gets the trust document of its own file that lets the vendor in, else the vendor's
//! first one that does; trust documents without permissions are roles of their own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) const OWN: &str = "111122223333";
pub(crate) const UUID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";

/// Public accounts of the vendors; Cast AI's is made up, because no public list has one.
const ACCOUNTS: [(&str, &str); 10] = [
    ("Bridgecrew_PrismaCloud", "890234264427"),
    ("CastAI", "809060229965"),
    ("CloudZero", "061190967865"),
    ("Cloudability", "165736516723"),
    ("CrowdStrike", "292230061137"),
    ("Datadog", "464622532012"),
    ("Dynatrace", "509560245411"),
    ("Spot", "922761411349"),
    ("SumoLogic", "926226587429"),
    ("ThreatStack", "896126563706"),
];

/// One role, and the documents that come to the same.
pub(crate) struct VendorRole {
    pub(crate) vendor: String,
    /// Files and places of the documents, the first of which names the role.
    pub(crate) documents: Vec<String>,
    pub(crate) trust: Value,
    pub(crate) permissions: Option<Value>,
}

impl VendorRole {
    /// A name that IAM would accept, by its number.
    pub(crate) fn role_name(&self, number: usize) -> String {
        format!("{}-{number:03}", self.vendor)
    }

    /// Its ARN, in the partition for which the documents were written.
    pub(crate) fn arn(&self, number: usize) -> String {
        let partition = if self.documents[0].contains("_gov_") { "aws-us-gov" } else { "aws" };
        format!("arn:{partition}:iam::{OWN}:role/{}", self.role_name(number))
    }
}

/// All roles, each pair of documents once.
pub(crate) fn roles(vendors: &[Value]) -> Vec<VendorRole> {
    let mut found: BTreeMap<(String, String, String), VendorRole> = BTreeMap::new();
    let mut order = Vec::new();
    for vendor in vendors {
        let name = vendor["vendor"].as_str().unwrap();
        let trusts = vendor["trust"].as_array().unwrap();
        let mut without: Vec<&Value> = trusts.iter().collect();
        let mut add = |place: String, trust: &Value, permissions: Option<&Value>| {
            let trust = filled(&trust["document"], name);
            let permissions = permissions.map(|entry| filled(&entry["document"], name));
            let key =
                (name.to_owned(), trust.to_string(), permissions.as_ref().map(Value::to_string).unwrap_or_default());
            let role = found.entry(key.clone()).or_insert_with(|| {
                order.push(key);
                VendorRole { vendor: name.to_owned(), documents: Vec::new(), trust, permissions }
            });
            role.documents.push(place);
        };
        for entry in vendor["permissions"].as_array().unwrap() {
            let trust = trust_for(entry, name, trusts);
            without.retain(|other| !std::ptr::eq(*other, trust));
            add(place(entry), trust, Some(entry));
        }
        for trust in without {
            add(place(trust), trust, None);
        }
    }
    order.into_iter().map(|key| found.remove(&key).unwrap()).collect()
}

fn text<'v>(entry: &'v Value, field: &str) -> &'v str {
    entry[field].as_str().unwrap()
}

/// File and resource, short.
fn place(entry: &Value) -> String {
    let parts: Vec<&str> = text(entry, "path").rsplit('/').take(2).collect();
    let file = parts.into_iter().rev().collect::<Vec<_>>().join("/");
    let locator = text(entry, "locator").trim_start_matches("/Resources/");
    let locator = locator.split("/Properties").next().unwrap().rsplit("aws_iam_policy_document.").next().unwrap();
    format!("{file} {locator}").trim().to_owned()
}

/// A trust document that lets the vendor in: roles that only our own account enters are no third party's, but what they
/// may do is published by the vendor all the same.
fn trust_for<'v>(entry: &Value, vendor: &str, trusts: &'v [Value]) -> &'v Value {
    let lets_in = |trust: &&Value| {
        let text = filled(&trust["document"], vendor).to_string();
        let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 12);
        numbers.into_iter().any(|number| number != OWN)
    };
    let same_file = |trust: &&Value| trust["repo"] == entry["repo"] && trust["path"] == entry["path"];
    let open = || trusts.iter().filter(lets_in);
    let same = open().filter(same_file).find(|trust| place(trust) == place(entry));
    same.or_else(|| open().find(same_file)).or_else(|| open().next()).unwrap_or(&trusts[0])
}

fn account(vendor: &str) -> &'static str {
    ACCOUNTS.iter().find(|(name, _)| *name == vendor).unwrap().1
}

/// A template's document as it would be deployed.
fn filled(value: &Value, vendor: &str) -> Value {
    match value {
        Value::String(text) => Value::from(substituted(text, vendor)),
        Value::Array(items) => {
            items.iter().filter(|item| item["Ref"] != "AWS::NoValue").map(|item| filled(item, vendor)).collect()
        }
        Value::Object(map) => match map.iter().next().filter(|_| map.len() == 1) {
            Some((key, inner)) if key == "Ref" => Value::from(meaning(inner.as_str().unwrap(), vendor)),
            Some((key, inner)) if key.starts_with("Fn::") => function(key, inner, vendor),
            _ => map.iter().map(|(key, inner)| (substituted(key, vendor), filled(inner, vendor))).collect(),
        },
        other => other.clone(),
    }
}

fn function(key: &str, inner: &Value, vendor: &str) -> Value {
    let joined = |parts: &Value, between: &str| {
        let parts: Vec<String> =
            parts.as_array().unwrap().iter().map(|part| filled(part, vendor).as_str().unwrap().to_owned()).collect();
        Value::from(parts.join(between))
    };
    match key {
        "Fn::If" => filled(&inner[1], vendor),
        "Fn::Sub" => filled(if inner.is_array() { &inner[0] } else { inner }, vendor),
        "Fn::Join" => joined(&inner[1], inner[0].as_str().unwrap()),
        "Fn::GetAtt" if inner.to_string().contains("Role") => json!(format!("arn:aws:iam::{OWN}:role/from-a-template")),
        _ => json!("arn:aws:s3:::from-a-template"),
    }
}

fn substituted(text: &str, vendor: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, opened)) = rest.split_once("${") {
        let Some((body, after)) = opened.split_once('}') else { break };
        out.push_str(before);
        // What AWS itself replaces when it decides stays.
        if body.starts_with("aws:") {
            out.push_str(&format!("${{{body}}}"));
        } else {
            out.push_str(&meaning(body, vendor));
        }
        rest = after;
    }
    out + rest
}

/// What a template's variable stands for.
fn meaning(variable: &str, vendor: &str) -> String {
    let lower = variable.to_ascii_lowercase();
    let own = ["aws::accountid", "data.aws_caller_identity.current.account_id", "local.account_id", "eventbusaccount"];
    match lower.as_str() {
        _ if own.contains(&lower.as_str()) => OWN.to_owned(),
        "var.castai_user_arn" => format!("arn:aws:iam::{}:user/from-a-template", account(vendor)),
        "var.intermediate_role_arn" => format!("arn:aws:iam::{}:role/from-a-template", account(vendor)),
        "local.principals_identifiers" => format!("arn:aws:iam::{}:root", account(vendor)),
        "var.role_path" => "/cloudzero/".to_owned(),
        "sumodeployment" => "us2".to_owned(),
        "sumoorganizationid" => "0000000000ABC123".to_owned(),
        _ if lower.contains("partition") => "aws".to_owned(),
        _ if lower.contains("region") => "us-east-1".to_owned(),
        _ if lower.contains("external") => UUID.to_owned(),
        _ if lower.contains("account") => account(vendor).to_owned(),
        _ if lower.contains("stackset") && lower.contains("role") => {
            format!("arn:aws:iam::{OWN}:role/from-a-template")
        }
        _ if lower.contains("arn") => "arn:aws:s3:::from-a-template".to_owned(),
        _ => "from-a-template".to_owned(),
    }
}
