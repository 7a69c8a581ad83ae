//! Templates say what was asked for: the policies in them are those that were given, in both languages, and their trust
//! refuses whoever has no id.
//!
//! Readers are AWS's own linter of templates, an HCL parser (both from PyPI) and Terraform itself, where they can be had.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod beside;
mod python;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use beside::{published, say};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use python::Python;
use serde_json::{Value, json};
use thirdtrail::aws::external_id::ExternalId;
use thirdtrail::policy::PolicyDocument;
use thirdtrail::policy::admission::admissions;
use thirdtrail::policy::size::PolicyKind;
use thirdtrail::policy::vendor_role::{Boundary, RoleDocument, VendorRole, arrange};
use thirdtrail::policy::without_id::{IdAnswer, check_id};
use thirdtrail::report::template::{cloudformation, terraform};

const ID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";
/// Documents that readers outside this program compare; they are slow.
const COMPARED: usize = 40;

/// Texts as policies hold them, and as nobody would expect them: templates, quotes, controls, runs of signs.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "${aws:username}",
        "$${x}",
        "$$${",
        "%{ if a }",
        "%%{b}",
        "$",
        "%",
        "{",
        "}",
        "\"",
        "\\",
        "\\u0024",
        "\n",
        "\r\n",
        "\t",
        "\u{1b}",
        "é",
        "🔑",
        "#",
        "//",
        "/*",
        "arn:aws:s3:::bucket/",
        "*",
        " ",
        "<<EOT",
        "a",
        "B7",
        ":",
        ")",
        "\n  })\n",
    ]);
    prop::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
}

fn texts() -> impl Strategy<Value = Value> {
    prop_oneof![text().prop_map(Value::from), prop::collection::vec(text(), 0..4).prop_map(Value::from)]
}

fn statement() -> impl Strategy<Value = Value> {
    let action = prop::sample::select(vec!["ec2:DescribeInstances", "s3:Get*", "*", "iam:PassRole"]);
    let actions = prop::collection::vec(action, 1..4);
    let key = prop_oneof![Just("aws:SourceIp".to_owned()), text().prop_map(|text| format!("aws:RequestTag/{text}"))];
    let operator = prop::sample::select(vec!["StringEquals", "ForAnyValue:StringLike", "Bool"]);
    let scalar = prop_oneof![texts(), any::<bool>().prop_map(Value::from), (0..100_000_u32).prop_map(Value::from)];
    let condition = prop::option::of((operator, key, scalar));
    let sid = prop::option::of(Just("Sid1"));
    (sid, any::<bool>(), actions, texts(), condition).prop_map(|(sid, allow, actions, resource, condition)| {
        let effect = if allow { "Allow" } else { "Deny" };
        let mut statement = json!({"Effect": effect, "Action": actions, "Resource": resource});
        if let Some(sid) = sid {
            statement["Sid"] = json!(sid);
        }
        if let Some((operator, key, value)) = condition {
            statement["Condition"] = json!({operator: {key: value}});
        }
        statement
    })
}

fn document() -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 0..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Id": "x", "Statement": statements}))
}

fn role(documents: Vec<Value>, kind: PolicyKind) -> VendorRole {
    let named = |(at, document)| RoleDocument { name: format!("policy-{at}"), document };
    VendorRole {
        name: "DatadogAccess".to_owned(),
        description: "Lets Datadog in: ${not} a %{template} \"here\"".to_owned(),
        principal: "arn:aws:iam::464622532012:root".to_owned(),
        external_id: None,
        source_identity: false,
        kind,
        documents: documents.into_iter().enumerate().map(named).collect(),
        attached: vec!["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess".to_owned()],
        boundary: None,
        session_seconds: 3_600,
        tags: BTreeMap::from([("owner".to_owned(), "security team".to_owned()), ("a:b".to_owned(), String::new())]),
    }
}

fn any_role() -> impl Strategy<Value = VendorRole> {
    let kind = prop::sample::select(vec![PolicyKind::Inline, PolicyKind::Managed]);
    let principal = prop::sample::select(vec![
        "arn:aws:iam::464622532012:root",
        "arn:aws:iam::464622532012:role/scanner",
        "arn:aws-us-gov:iam::464622532012:user/x",
    ]);
    let boundary = prop::option::of(document());
    (prop::collection::vec(document(), 0..3), kind, principal, boundary, any::<bool>(), any::<bool>()).prop_map(
        |(documents, kind, principal, boundary, source_identity, with_id)| VendorRole {
            principal: principal.to_owned(),
            source_identity,
            boundary: boundary.map(Boundary::Document),
            external_id: with_id.then(|| ExternalId::parse(ID).unwrap()),
            ..role(documents, kind)
        },
    )
}

/// The documents of a role, in the order in which the Terraform file has them: boundary, trust, policies.
fn documents_of(role: &VendorRole, id: &Value) -> Vec<Value> {
    let boundary = role.boundary.iter().filter_map(|boundary| match boundary {
        Boundary::Document(document) => Some(document.clone()),
        Boundary::Arn(_) => None,
    });
    let policies = role.documents.iter().map(|one| one.document.clone());
    boundary.chain([role.trust(id)]).chain(policies).collect()
}

fn in_cloudformation(template: &Value) -> Vec<Value> {
    let resources = template["Resources"].as_object().unwrap();
    let properties = |id: &String| &resources[id]["Properties"];
    let boundary = resources.get("Boundary").map(|boundary| boundary["Properties"]["PolicyDocument"].clone());
    let role = &resources["VendorRole"]["Properties"];
    let inline = role["Policies"].as_array().into_iter().flatten().map(|policy| policy["PolicyDocument"].clone());
    let managed = resources.keys().filter(|id| id.starts_with("Policy"));
    let managed = managed.map(|id| properties(id)["PolicyDocument"].clone());
    boundary.into_iter().chain([role["AssumeRolePolicyDocument"].clone()]).chain(inline).chain(managed).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// S40, S41: what CloudFormation gets is what was given, and its trust refuses whoever has no id.
    #[test]
    fn cloudformation_holds_the_documents_as_given(role in any_role()) {
        let template: Value = serde_json::from_str(&cloudformation(&role).unwrap()).unwrap();
        let id = if role.external_id.is_some() { json!(ID) } else { json!({"Ref": "ExternalId"}) };
        let found = in_cloudformation(&template);
        prop_assert_eq!(&found, &documents_of(&role, &id));
        prop_assert_eq!(template["Parameters"]["ExternalId"]["NoEcho"] == true, role.external_id.is_none());
        let trust = found.iter().find(|document| document.to_string().contains("sts:AssumeRole")).unwrap();
        let filled = trust.to_string().replace(r#"{"Ref":"ExternalId"}"#, &format!("\"{ID}\""));
        let trust: PolicyDocument = filled.parse().unwrap();
        let admitted = admissions(&trust);
        prop_assert_eq!(admitted.len(), 1);
        prop_assert_eq!(check_id(&trust, &admitted[0]).answer, IdAnswer::Refuses);
    }
}

/// The expressions within `jsonencode(...)`, in order: each ends where its resource's next line begins.
fn encoded(tf: &str) -> Vec<String> {
    let parts = tf.split("= jsonencode(").skip(1);
    let one = |part: &str| {
        let (at, _) = part.match_indices(")\n").find(|(at, _)| balanced(&part[..*at])).unwrap();
        part[..at].to_owned()
    };
    parts.map(one).collect()
}

/// Whether braces and quotes are closed.
fn balanced(text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !quoted
}

fn drawn(wanted: impl Fn(&VendorRole) -> bool) -> Vec<VendorRole> {
    let mut runner = TestRunner::deterministic();
    let roles = std::iter::repeat_with(|| any_role().new_tree(&mut runner).unwrap().current());
    roles.filter(|role| wanted(role)).take(COMPARED).collect()
}

/// Whether whatever looks like the beginning of a template also looks like its end: the parser wants that even of texts in
/// which the beginning is quoted. Terraform does not.
fn closed(role: &VendorRole) -> bool {
    let text = Value::from(documents_of(role, &json!(ID))).to_string();
    let closes = |rest: &str| rest.find(['}', '"', '\\', '{', '$', '%']).is_some_and(|at| rest[at..].starts_with('}'));
    ["${", "%{"].iter().all(|sign| text.split(sign).skip(1).all(closes))
}

/// S40, S43: Terraform itself reads the documents that were given, whatever signs are in them, and has nothing to format.
#[test]
fn terraform_reads_the_documents_as_given() {
    if Command::new("terraform").arg("version").output().is_err() {
        return say("NOT RUN: terraform is not there, its reading was not compared");
    }
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut locals, mut expected) = (String::new(), Vec::new());
    for (at, role) in drawn(|_| true).iter().enumerate() {
        let tf = terraform(role);
        fs::write(files.path().join(format!("{at}.tf")), &tf).unwrap();
        for expression in encoded(&tf) {
            locals.push_str(&format!("  p{} = {expression}\n", expected.len()));
            expected.push(Value::Null);
        }
        let from = expected.len() - encoded(&tf).len();
        let documents = documents_of(role, &json!(ID));
        assert_eq!(documents.len(), expected.len() - from, "case {at}");
        expected.splice(from.., documents);
    }
    let formatted = Command::new("terraform").args(["fmt", "-check", "-diff"]).arg(files.path()).output().unwrap();
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));
    let variable = terraform(&role(Vec::new(), PolicyKind::Inline));
    let variable = variable.split("resource \"").next().unwrap();
    fs::write(folder.path().join("case.tf"), format!("{variable}locals {{\n{locals}}}\n")).unwrap();
    let names: Vec<String> = (0..expected.len()).map(|at| format!("local.p{at}")).collect();
    let ask = |id: &str| {
        let mut command = Command::new("terraform");
        command.args(["console", "-var", &format!("external_id={id}")]).current_dir(folder.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let question = format!("base64encode(nonsensitive(jsonencode([{}])))\n", names.join(", "));
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), question.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = ask(ID);
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let bytes = base64::engine::general_purpose::STANDARD.decode(line.trim().trim_matches('"'));
    let found: Vec<Value> = serde_json::from_slice(&bytes.unwrap_or_else(|error| panic!("{error}: {said}"))).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
    // What is no external id is refused before anything is made of it.
    for wrong in ["no good", "x"] {
        let refused = ask(wrong);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned() + &String::from_utf8_lossy(&refused.stdout);
        assert!(said.contains("An external id has 2 to 1224"), "{wrong}: {said}");
    }
    say(&format!("terraform: {} documents in {COMPARED} files", found.len()));
}

/// S36, S40: cfn-lint has nothing to say about templates of real permissions, and an HCL parser reads back what was given.
#[test]
fn linters_and_parsers_agree() {
    let packages = ["cfn-lint==1.58.0", "python-hcl2==8.1.4"];
    let python = match Python::new().and_then(|python| python.with(&packages, "cfnlint, hcl2")) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!(
                "NOT RUN: readers of templates absent: {}",
                reason.lines().last().unwrap_or_default()
            ));
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let mut cases: Vec<(String, VendorRole, bool)> = Vec::new();
    for (at, role) in drawn(closed).into_iter().enumerate() {
        cases.push((format!("drawn-{at}"), role, false));
    }
    for (name, role) in sound() {
        cases.push((name, role, true));
    }
    for (name, role, lint) in &cases {
        let write =
            |ending: &str, text: String| fs::write(folder.path().join(format!("{name}.{ending}")), text).unwrap();
        write("template.json", cloudformation(role).unwrap());
        write("tf", terraform(role));
        let id = if role.external_id.is_some() { json!(ID) } else { json!({"expression": "${var.external_id}"}) };
        write("expected.json", Value::from(documents_of(role, &id)).to_string());
        if *lint {
            write("lint", String::new());
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/check.py");
    let said = python::run(python.command().arg(script).arg(folder.path()));
    say(&format!("templates: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}

/// Roles as people make them, with what vendors publish where that lies beside the repository.
fn sound() -> Vec<(String, VendorRole)> {
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": ["ec2:DescribeInstances", "s3:ListBucket"], "Resource": "*"},
        {"Sid": "Own", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"}]});
    let plain = |documents, kind| VendorRole { description: "Lets Datadog in".to_owned(), ..role(documents, kind) };
    let mut found = vec![
        ("inline".to_owned(), plain(vec![document.clone()], PolicyKind::Inline)),
        ("managed".to_owned(), plain(vec![document.clone(), document.clone()], PolicyKind::Managed)),
        (
            "bare".to_owned(),
            VendorRole { attached: Vec::new(), tags: BTreeMap::new(), ..plain(Vec::new(), PolicyKind::Inline) },
        ),
        (
            "bound".to_owned(),
            VendorRole {
                boundary: Some(Boundary::Document(document.clone())),
                source_identity: true,
                external_id: Some(ExternalId::parse(ID).unwrap()),
                ..plain(vec![document.clone()], PolicyKind::Inline)
            },
        ),
        (
            "boundary-arn".to_owned(),
            VendorRole {
                boundary: Some(Boundary::Arn("arn:aws:iam::111122223333:policy/Boundary".to_owned())),
                ..plain(vec![document], PolicyKind::Inline)
            },
        ),
    ];
    // Some are published with places to be filled in.
    let whole =
        |(_, document): &(String, Value)| !["${var.", "${data."].iter().any(|hole| document.to_string().contains(hole));
    let vendors = published("permissions").unwrap_or_default().into_iter().filter(whole);
    for (at, (_, document)) in vendors.enumerate().take(12) {
        let named = RoleDocument { name: "vendor".to_owned(), document };
        let Ok((kind, documents)) = arrange(vec![named]) else { continue };
        found.push((format!("vendor-{at}"), VendorRole { documents, ..plain(Vec::new(), kind) }));
    }
    found
}

/// S43: what CloudFormation would put something else in place of is refused, not written.
#[test]
fn what_cloudformation_would_replace_is_refused() {
    let with = |document: Value| cloudformation(&role(vec![document], PolicyKind::Inline));
    let statement =
        |resource: Value| json!({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}]});
    assert!(with(statement(json!("arn:aws:s3:::${aws:username}/*"))).is_ok());
    for bad in [json!("{{resolve:ssm-secure:x}}"), json!({"Ref": "Bucket"}), json!({"Fn::Sub": "arn:aws:s3:::x"})] {
        let said = with(statement(bad.clone())).unwrap_err().to_string();
        assert!(said.contains("CloudFormation"), "{bad}: {said}");
    }
    let described =
        VendorRole { description: "{{resolve:secretsmanager:x}}".to_owned(), ..role(Vec::new(), PolicyKind::Inline) };
    assert!(cloudformation(&described).is_err());
}
