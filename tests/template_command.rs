//! `template` as people call it: whom it is for, where the permissions come from, what is refused, where secrets lie.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod bundled;
mod folders;
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use folders::{files, json_file};
use program::{Run, run};
use serde_json::{Value, json};
use tempfile::TempDir;

const DATADOG: &str = "464622532012";
const ID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";

fn template(more: &[&str]) -> Run {
    run(&[&["template"], more].concat())
}

fn role_of(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let template: Value = serde_json::from_str(&run.stdout).unwrap();
    template["Resources"]["VendorRole"]["Properties"].clone()
}

fn principal(run: &Run) -> String {
    role_of(run)["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"].as_str().unwrap().to_owned()
}

fn refused(more: &[&str], expected: &[&str]) {
    let done = template(more);
    assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{more:?}: {}", done.stderr);
    for text in expected {
        assert!(done.stderr.contains(text), "{more:?}: `{text}` is not in: {}", done.stderr);
    }
}

/// S17: whom a role is for is said by number, by a name that is certain, or by the ARN of what comes in.
#[test]
fn the_vendor_is_found_or_asked_for() {
    assert_eq!(principal(&template(&["--vendor", DATADOG])), format!("arn:aws:iam::{DATADOG}:root"));
    assert_eq!(principal(&template(&["--vendor", "vanta"])), "arn:aws:iam::956993596390:root");
    let one = "arn:aws:iam::464622532012:role/Scanner";
    assert_eq!(principal(&template(&["--principal", one])), one);
    let unknown = template(&["--vendor", "123456789012"]);
    assert_eq!(role_of(&unknown)["RoleName"], "Vendor123456789012Access");
    assert!(unknown.stderr.contains("is in no directory"), "{}", unknown.stderr);
    refused(&["--vendor", "datadog"], &["2 accounts", DATADOG, "865078226113"]);
    refused(&["--vendor", "no such vendor"], &["no vendor `no such vendor`"]);
    refused(&["--vendor", "127311923021"], &["AWS itself"]);
    refused(&["--vendor", "vanta", "--principal", one], &["--principal is of account 464622532012"]);
    for wrong in ["arn:aws:iam::464622532012:role/*", "arn:aws:s3:::bucket", "*", "arn:aws:iam::464622532012:group/x"] {
        refused(&["--principal", wrong], &["is not the ARN of one role, user or account"]);
    }
    refused(&[], &["required"]);
    // The user's own list says which of several accounts is meant, and names those that nobody else knows.
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("vendors.toml");
    fs::write(&own, "[[vendor]]\nname = \"Acme Scans\"\naccounts = [\"123456789012\"]\n").unwrap();
    let listed = template(&["--vendor", "acme", "--vendors", own.to_str().unwrap()]);
    assert_eq!(role_of(&listed)["RoleName"], "AcmeScansAccess");
    assert!(!listed.stderr.contains("is in no directory"), "{}", listed.stderr);
}

/// Actions are those of the catalog; what can be limited to resources is, where resources are given.
#[test]
fn actions_are_checked_against_the_catalog() {
    let statements = |more: &[&str]| {
        let done = template(&[&["--vendor", DATADOG], more].concat());
        (role_of(&done)["Policies"][0]["PolicyDocument"]["Statement"].clone(), done.stderr)
    };
    let (found, said) = statements(&["--actions", "EC2:describeinstances,s3:GetObject"]);
    let expected = json!([
        {"Sid": "OnAnyResource", "Effect": "Allow", "Action": ["ec2:DescribeInstances"], "Resource": "*"},
        {"Sid": "OnTheseResources", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]);
    assert_eq!(found, expected);
    assert!(said.contains("could be limited with --resource: s3:GetObject"), "{said}");
    let (found, said) =
        statements(&["--actions", "s3:GetObject,ec2:DescribeInstances", "--resource", "arn:aws:s3:::b/*"]);
    assert_eq!(found[1]["Resource"], json!(["arn:aws:s3:::b/*"]));
    assert!(!said.contains("could be limited"), "{said}");
    let with = |actions: &str, more: &[&str], expected: &[&str]| {
        refused(&[&["--vendor", DATADOG, "--actions", actions], more].concat(), expected);
    };
    with("ec2:DescribeInstancs", &[], &["`ec2:DescribeInstancs` matches no action", "ec2:DescribeInstances"]);
    with("ec3:DescribeInstances", &[], &["near are: ec2"]);
    with("s3:NoSuch*", &[], &["matches no action"]);
    with("describe", &[], &["`describe` is no action of one service"]);
    with("*", &[], &["`*` is no action of one service"]);
    with("*:*", &[], &["`*:*` is no action of one service"]);
    with("dynamodb:GetItem", &["--resource", "arn:aws:s3:::b/*"], &["no --resource fits `dynamodb:GetItem`", "table/"]);
}

fn written(folder: &TempDir, name: &str, value: &Value) -> String {
    let path = folder.path().join(name);
    fs::write(&path, value.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Documents of users: taken as they are, refused when they are something else.
#[test]
fn policies_are_taken_as_they_are() {
    let folder = TempDir::new().unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/x}", "Action": "s3:GetObject"}});
    let path = written(&folder, "vendor policy.json", &document);
    let done = template(&["--vendor", DATADOG, "--policy", &path, "--boundary", &path, "--max-session", "7200"]);
    let role = role_of(&done);
    assert_eq!(role["Policies"], json!([{"PolicyName": "vendorpolicy", "PolicyDocument": document}]));
    assert_eq!(
        (&role["PermissionsBoundary"], &role["MaxSessionDuration"]),
        (&json!({"Ref": "Boundary"}), &json!(7200))
    );
    let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]});
    let trust = written(&folder, "trust.json", &trust);
    refused(&["--vendor", DATADOG, "--policy", &trust], &["names principals"]);
    let admin =
        json!({"Statement": [{"Effect": "Allow", "Action": ["iam:*", "ec2:DescribeInstances"], "Resource": "*"}]});
    let admin = template(&["--vendor", DATADOG, "--policy", &written(&folder, "admin.json", &admin)]);
    assert!(admin.code == 0 && admin.stderr.contains("(privilege_escalation)"), "{}", admin.stderr);
    assert!(!done.stderr.contains("misused"), "{}", done.stderr);
    refused(&["--vendor", DATADOG, "--boundary", &trust], &["names principals"]);
    refused(&["--vendor", DATADOG, "--boundary", "arn:aws:iam::1:role/x"], &["not the ARN of a managed policy"]);
    let broken = written(&folder, "broken.json", &json!({"Statement": [{"Effect": "Allow"}]}));
    refused(&["--vendor", DATADOG, "--policy", &broken], &["broken.json", "statement 1"]);
    refused(&["--vendor", DATADOG, "--max-session", "60"], &["not a number from 3600 to 43200"]);
    refused(&["--vendor", DATADOG, "--tag", "Owner=a", "--tag", "owner=b"], &["given twice"]);
    refused(&["--vendor", DATADOG, "--role-name", "two words"], &["role name `two words`"]);
}

/// S42: the id is in the templates only where it was given for them, in a folder for its owner alone, and in no other text.
#[test]
fn an_external_id_is_kept_to_the_templates() {
    let folder = TempDir::new().unwrap();
    let id = folder.path().join("id");
    fs::write(&id, format!("{ID}\n")).unwrap();
    let out = folder.path().join("out");
    let base = ["--vendor", DATADOG, "--out", out.to_str().unwrap()];
    let done = template(&[&base[..], &["--external-id-file", id.to_str().unwrap()]].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(!done.stdout.contains(ID) && !done.stderr.contains(ID));
    for (path, bytes) in files(&out) {
        assert_eq!(String::from_utf8(bytes).unwrap().contains(ID), path != "NEXT-STEPS.md", "{path}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let open = folder.path().join("open");
    assert_eq!(template(&["--vendor", DATADOG, "--out", open.to_str().unwrap()]).code, 0);
    assert_eq!(files(&open).len(), 3);
    assert!(fs::read_to_string(open.join("role.tf")).unwrap().contains("= var.external_id"));
    fs::write(&id, "acme\n").unwrap();
    let weak = template(&["--vendor", DATADOG, "--external-id-file", id.to_str().unwrap()]);
    assert!(weak.stderr.contains("can be guessed (word)") && !weak.stderr.contains("acme"), "{}", weak.stderr);
}

/// What is there already is not overwritten, above all not a report.
#[test]
fn only_a_new_or_empty_folder_is_written_to() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    fs::write(folder.path().join("run.json"), r#"{"schema":"thirdtrail.run/1"}"#).unwrap();
    fs::create_dir(folder.path().join("roles")).unwrap();
    refused(&["--vendor", DATADOG, "--out", out], &["is not empty"]);
    assert_eq!(files(folder.path()).len(), 1);
}

fn analyzed(folder: &TempDir) -> PathBuf {
    let out = folder.path().join("review");
    let trail = bundled::folder("vendors");
    let done = run(&["analyze", trail.to_str().unwrap(), "--out", out.to_str().unwrap(), "--quiet"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    out
}

/// S36, S37: the right-sized policies of an analysis become the new role's, for the party that the old role lets in.
#[test]
fn a_right_sized_role_is_made_again() {
    let folder = TempDir::new().unwrap();
    let out = analyzed(&folder);
    let from =
        |role: &str, more: &[&str]| template(&[&["--from", out.to_str().unwrap(), "--role", role], more].concat());
    let orca = "arn:aws:iam::012345678901:role/OrcaSecurityRole";
    let done = from(orca, &["--guardrail"]);
    let made: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(principal(&done), "arn:aws:iam::976280145156:root");
    let report = json_file(&out.join("report.json"));
    let role = report["roles"].as_array().unwrap().iter().find(|role| role["arn"] == orca).unwrap();
    let file = |path: &Value| json_file(&out.join(path.as_str().unwrap()));
    let expected: Vec<Value> =
        role["policies"].as_array().unwrap().iter().map(|policy| file(&policy["files"]["rightsized"])).collect();
    let policies = made["Resources"]["VendorRole"]["Properties"]["Policies"].as_array().unwrap();
    let found: Vec<Value> = policies.iter().map(|policy| policy["PolicyDocument"].clone()).collect();
    assert_eq!((expected.len(), found), (2, expected));
    let boundary = file(&role["rightsizing"]["guardrail"]["files"]["boundary"]);
    assert_eq!(made["Resources"]["Boundary"]["Properties"]["PolicyDocument"], boundary);
    // The one that was deleted and made again is the one that is there.
    assert_eq!(from("MongoAtlasAccess", &["--role-name", "MongoAgain"]).code, 0);
    let fails = |role: &str, more: &[&str], expected: &str| {
        refused(&[&["--from", out.to_str().unwrap(), "--role", role], more].concat(), &[expected]);
    };
    fails("DatadogIntegrationRole", &[], "3 roles `DatadogIntegrationRole`");
    fails("no such role", &[], "0 roles `no such role`");
    fails(orca, &["--role-name", "OrcaSecurityRole"], "is there already");
    fails("GitHubDeploy", &[], "it is not said whom the role is for");
    fails("GrafanaShared", &[], "lets several accounts in: 008923505280, 730335440098");
    fails("vanta-auditor", &["--guardrail"], "no guard-rail");
    refused(&["--from", "no such folder", "--role", "x"], &["report.json"]);
}

/// A report is somebody's file: what it names outside of its folder is not read.
#[test]
fn a_report_does_not_lead_out_of_its_folder() {
    let folder = TempDir::new().unwrap();
    let role = |path: &Path| {
        json!({"arn": "arn:aws:iam::111122223333:role/x", "name": "x", "in_inventory": true, "rightsizing": {"status": "proposed"}, "trust": [],
            "policies": [{"name": "p", "arn": null, "proposal": "edited", "files": {"rightsized": path, "further": []}}]})
    };
    let secret = folder.path().join("secret.json");
    fs::write(&secret, json!({"Statement": []}).to_string()).unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    for path in [secret.as_path(), Path::new("../secret.json")] {
        let report = json!({"schema": "thirdtrail.report/1", "roles": [role(path)]});
        fs::write(out.join("report.json"), report.to_string()).unwrap();
        refused(&["--vendor", DATADOG, "--from", out.to_str().unwrap(), "--role", "x"], &["outside of its folder"]);
    }
}

const USER: &str = "arn:aws:iam::111122223333:user/vendors/scanner";

fn key_user() -> Value {
    let on = |action: &str, resource: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]});
    let managed = |name: &str| json!({"PolicyName": name, "PolicyArn": format!("arn:aws:iam::aws:policy/{name}")});
    json!({
        "UserDetailList": [{"Arn": USER, "UserName": "scanner", "GroupList": ["outsiders"],
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": on("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*")}],
            "AttachedManagedPolicies": [managed("SecurityAudit")],
            "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/Limit"}},
            {"Arn": "arn:aws:iam::111122223333:user/lost", "GroupList": ["gone"]}],
        "GroupDetailList": [{"Arn": "arn:aws:iam::111122223333:group/outsiders", "GroupName": "outsiders",
            "GroupPolicyList": [{"PolicyName": "own", "PolicyDocument": on("sqs:ReceiveMessage", "*")}],
            "AttachedManagedPolicies": [managed("SecurityAudit"), managed("job-function/ViewOnlyAccess")]}],
        "RoleDetailList": [], "Policies": []})
}

/// S16, S30: from a vendor's key user to a role in one command: what the user may do by itself and by its groups.
#[test]
fn a_role_takes_the_place_of_a_users_keys() {
    let folder = TempDir::new().unwrap();
    let inventory = written(&folder, "inventory.json", &key_user());
    let out = folder.path().join("out");
    let base = ["--vendor", DATADOG, "--inventory", &inventory, "--replace-user"];
    let done = template(&[&base[..], &[USER, "--out", out.to_str().unwrap()]].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    let role = json_file(&out.join("role.template.json"))["Resources"]["VendorRole"]["Properties"].clone();
    let names: Vec<&str> =
        role["Policies"].as_array().unwrap().iter().map(|policy| policy["PolicyName"].as_str().unwrap()).collect();
    assert_eq!(names, ["own", "outsiders-own"]);
    let attached = ["arn:aws:iam::aws:policy/SecurityAudit", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"];
    assert_eq!(role["ManagedPolicyArns"], json!(attached));
    assert_eq!(role["PermissionsBoundary"], "arn:aws:iam::111122223333:policy/Limit");
    let steps = fs::read_to_string(out.join("NEXT-STEPS.md")).unwrap();
    for expected in
        ["aws:username means something else", "update-access-key --user-name scanner", "Watch both", "delete the keys"]
    {
        assert!(steps.contains(expected), "`{expected}` is not in: {steps}");
    }
    let smaller = template(&[&base[..], &[USER, "--actions", "s3:ListAllMyBuckets"]].concat());
    let role = role_of(&smaller);
    assert!(role["ManagedPolicyArns"].is_null(), "{role}");
    assert_eq!(role["Policies"].as_array().unwrap().len(), 1);
    assert_eq!(role["PermissionsBoundary"], "arn:aws:iam::111122223333:policy/Limit");
    // Nothing tells whose that user is; a tag may.
    let alone = ["--inventory", inventory.as_str(), "--replace-user", USER];
    refused(&alone, &["it is not said whom the role is for"]);
    let mut tagged = key_user();
    tagged["UserDetailList"][0]["Tags"] = json!([{"Key": "vendor", "Value": "Vanta"}]);
    let tagged = written(&folder, "tagged.json", &tagged);
    let done = template(&["--inventory", &tagged, "--replace-user", USER]);
    assert_eq!(principal(&done), "arn:aws:iam::956993596390:root");
    assert!(done.stderr.contains("taken for one of Vanta by its tag"), "{}", done.stderr);
    let mut several = key_user();
    several["UserDetailList"][0]["Tags"] = json!([{"Key": "vendor", "Value": "Datadog"}]);
    let several = written(&folder, "several.json", &several);
    refused(&["--inventory", &several, "--replace-user", USER], &["`Datadog` has 2 accounts", "give --vendor"]);
    let other = "arn:aws:iam::111122223333:user/scanner";
    refused(&[&base[..], &[other]].concat(), &["no user `arn:aws:iam::111122223333:user/scanner`", USER]);
    refused(&[&base[..], &["arn:aws:iam::111122223333:user/lost"]].concat(), &["group `gone`"]);
    refused(&["--vendor", DATADOG, "--replace-user", USER], &["--inventory"]);
}
