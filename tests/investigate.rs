//! `investigate`: a breached party from the output of a run, and the files that shut it out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop here")]

mod bundled;
mod folders;
mod made;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use folders::{files, json_file};
use made::{OWN, Trail, session};
use program::{Run, run, run_with};
use serde_json::{Value, json};
use tempfile::TempDir;

const DATADOG: &str = "464622532012";
const STRANGER: &str = "999988887777";
const SECRET: &str = "an-external-id-of-somebody-else";
const HOSTILE: &str = "x'; touch /tmp/pwned; echo '<script>\u{1b}[31m|`$(id)`";

fn trust(accounts: &[&str], condition: &Value) -> Value {
    let principals: Vec<String> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principals},
        "Action": "sts:AssumeRole", "Condition": condition}]})
}

fn role(name: &str, trust: &Value) -> Value {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
        "Action": ["secretsmanager:GetSecretValue", "iam:CreateUser", "ec2:DescribeInstances"]}]});
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{OWN}:role/{name}"), "Path": "/",
        "CreateDate": "2020-01-01T00:00:00Z", "AssumeRolePolicyDocument": trust, "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}]})
}

fn inventory() -> Value {
    let id = json!({"StringEquals": {"sts:ExternalId": SECRET}});
    let mut shared = trust(&[DATADOG], &json!({}));
    shared["Statement"].as_array_mut().unwrap().push(trust(&[STRANGER], &id)["Statement"][0].clone());
    json!({"GroupDetailList": [], "Policies": [], "UserDetailList": [], "RoleDetailList": [
        role("Vendor", &trust(&[DATADOG, OWN], &json!({}))), role("Next", &trust(&[OWN], &json!({}))),
        role("Shared", &shared), role("Ours", &trust(&[OWN], &json!({})))]})
}

fn handoff(trail: &mut Trail, time: &str, by: Value, role: &str, key: &str) {
    trail.add(
        time,
        by,
        ("sts", "AssumeRole"),
        json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/{role}"), "roleSessionName": HOSTILE},
            "responseElements": {"credentials": {"accessKeyId": key}, "assumedRoleUser":
                {"assumedRoleId": format!("AROA{role}:{HOSTILE}"), "arn": "arn:aws:sts::x"}}}),
    );
}

/// A vendor that comes in on the second day, makes a user with a key, opens a role to a stranger, reads a secret, and
/// goes on to another role; the key and the opened role are used on the third day.
fn breach() -> Trail {
    let mut trail = Trail::new("2026-05-01", "2026-05-04");
    trail.inventory = Some(inventory());
    let outside = |account: &str| json!({"type": "AWSAccount", "principalId": "AROAX:y", "accountId": account});
    let vendor = |key: &str| session("Vendor", HOSTILE, key);
    handoff(&mut trail, "2026-05-01T08:00:00Z", outside(DATADOG), "Vendor", "ASIAQUIET");
    trail.add("2026-05-01T08:05:00Z", vendor("ASIAQUIET"), ("ec2", "DescribeInstances"), json!({}));
    handoff(&mut trail, "2026-05-02T10:00:00Z", outside(DATADOG), "Vendor", "ASIABREACH");
    let mut act = |time: &str, api: (&str, &str), changes: Value| {
        trail.add(&format!("2026-05-02T{time}Z"), vendor("ASIABREACH"), api, changes);
    };
    act("10:01:00", ("iam", "CreateUser"), json!({"requestParameters": {"userName": "backup"}}));
    act(
        "10:02:00",
        ("iam", "CreateAccessKey"),
        json!({"requestParameters": {"userName": "backup"},
            "responseElements": {"accessKey": {"accessKeyId": "AKIAMADEBYTHEVEND7QZ", "userName": "backup"}}}),
    );
    let opened = json!({"requestParameters": {"roleName": "Ours", "policyDocument": trust(&[OWN, STRANGER], &json!({})).to_string()}});
    act("10:03:00", ("iam", "UpdateAssumeRolePolicy"), opened);
    let secret = format!("arn:aws:secretsmanager:us-east-1:{OWN}:secret:db-AbCdEf");
    act("10:04:00", ("secretsmanager", "GetSecretValue"), json!({"requestParameters": {"secretId": secret}}));
    act("10:05:00", ("cloudtrail", "StopLogging"), json!({"errorCode": "AccessDenied"}));
    act("10:06:00", ("iam", "CreateUser"), json!({"requestParameters": {"userName": HOSTILE}}));
    let share = json!({"requestParameters": {"snapshotId": "snap-0a1b", "attributeType": "CREATE_VOLUME_PERMISSION",
        "createVolumePermission": {"add": {"items": [{"userId": STRANGER}]}}}});
    act("10:07:00", ("ec2", "ModifySnapshotAttribute"), share);
    handoff(&mut trail, "2026-05-02T10:10:00Z", vendor("ASIABREACH"), "Next", "ASIANEXT");
    trail.add("2026-05-02T10:11:00Z", session("Next", HOSTILE, "ASIANEXT"), ("s3", "ListBuckets"), json!({}));
    let made = made::user("backup", "AKIAMADEBYTHEVEND7QZ");
    trail.add("2026-05-03T09:00:00Z", made, ("ec2", "DescribeInstances"), json!({"sourceIPAddress": "198.51.100.9"}));
    handoff(&mut trail, "2026-05-03T11:00:00Z", outside(STRANGER), "Ours", "ASIASTRANGER");
    let admin = made::user("jane", "AKIAJANEJANEJANEJANE");
    let more = json!({"requestParameters": {"roleName": "Vendor", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}});
    trail.add("2026-05-02T07:00:00Z", admin, ("iam", "AttachRolePolicy"), more);
    trail.holes.push("2026-05-04".to_owned());
    trail
}

/// The output of a run in a folder, with today's inventory beside it.
struct Output {
    folder: TempDir,
}

impl Output {
    fn of(files: BTreeMap<String, Vec<u8>>) -> Self {
        let folder = TempDir::new().unwrap();
        let told: Vec<Value> = files.keys().map(|path| json!({"path": path})).collect();
        for (path, bytes) in files {
            let path = folder.path().join("out").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let manifest = json!({"schema": "thirdtrail.run/1", "version": "0.1.0", "source": "trail", "files": told});
        fs::write(folder.path().join("out/run.json"), manifest.to_string()).unwrap();
        fs::write(folder.path().join("inventory.json"), inventory().to_string()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn asked(&self, more: &[&str]) -> Run {
        let out = self.path("out");
        run(&[&["investigate", out.as_str()], more].concat())
    }

    fn json(&self, more: &[&str]) -> Value {
        let run = self.asked(&[more, &["--format", "json"]].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// With containment files, by path.
    fn files(&self, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let (to, inventory) = (self.path("case"), self.path("inventory.json"));
        let run = self.asked(&[&["--party", "datadog", "--out", &to, "--inventory", &inventory], more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        files(Path::new(&to))
    }
}

const DAY: [&str; 6] = ["--party", "Datadog", "--since", "2026-05-02", "--until", "2026-05-03"];

fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

/// What the vendor did, touched, left behind and what came of it, all in the range; a chain is followed (S11).
#[test]
fn a_breach_is_told_from_the_output_of_a_run() {
    let told = Output::of(breach().analyzed()).json(&DAY);
    assert_eq!(told["schema"], "thirdtrail.investigation/1");
    assert_eq!((&told["sessions"]["total"], &told["sessions"]["without_external_id"]), (&json!(2), &json!(2)));
    assert_eq!(told["sessions"]["channels"], json!({"assume_role": 1, "role_chain": 1}));
    let roles: Vec<String> = ["Next", "Vendor"].iter().map(|name| format!("arn:aws:iam::{OWN}:role/{name}")).collect();
    assert_eq!(texts(&told["roles"], "arn"), roles);
    assert_eq!(told["roles"][1]["could"]["dangerous"]["secrets_read"][0]["action"], "secretsmanager:GetSecretValue");
    let left = &told["left_behind"];
    let changes = texts(&left["changes"], "event_name");
    let made = ["CreateUser", "CreateAccessKey", "UpdateAssumeRolePolicy", "CreateUser", "ModifySnapshotAttribute"];
    assert_eq!(changes, made);
    let key = left["credentials"].as_array().unwrap().iter().find(|one| one["made_by"] == "CreateAccessKey").unwrap();
    assert_eq!((&key["ending"], &key["used"]["networks"]), (&json!("D7QZ"), &json!(["198.51.100.0/24"])));
    assert_eq!(left["doors"][0]["sessions_since"], json!({STRANGER: 1}));
    let signs: BTreeSet<String> = texts(&left["signs"], "event_name").into_iter().collect();
    assert!(
        signs.contains("CreateUser") && !signs.contains("StopLogging") && !signs.contains("AssumeRole"),
        "{signs:?}"
    );
    let kinds = texts(&told["touched"], "kind");
    assert!(kinds.contains(&"secretsmanager secret".to_owned()), "{kinds:?}");
    let calls = told["calls"].as_array().unwrap();
    let stop = calls.iter().find(|call| call["event_name"] == "StopLogging").unwrap();
    assert_eq!(stop["denied"], json!(1));
    assert_eq!(texts(&told["given"], "event_name"), ["AttachRolePolicy"]);
}

/// S3: before and after the breach there is nothing of it; a call of the day before is not among those of the day.
#[test]
fn other_days_have_nothing_of_it() {
    let output = Output::of(breach().analyzed());
    let before = output.json(&["--party", DATADOG, "--since", "2026-05-01", "--until", "2026-05-02"]);
    assert_eq!((&before["sessions"]["total"], &before["left_behind"]["changes"]), (&json!(1), &json!([])));
    assert_eq!(texts(&before["calls"], "event_name"), ["DescribeInstances"]);
    assert_eq!(before["left_behind"]["changes_outside_range"], 5);
    let after = output.json(&["--party", DATADOG, "--since", "2026-05-03", "--until", "2026-05-05T12:00:00Z"]);
    assert_eq!((&after["sessions"]["total"], &after["calls"], &after["roles"]), (&json!(0), &json!([]), &json!([])));
    assert_eq!(after["containment"]["steps"], json!([]));
    let gaps = texts(&after["gaps"], "what");
    assert_eq!(gaps[..2], ["outside_window", "hole"], "what could not be seen comes first");
    let whole = output.json(&["--party", DATADOG]);
    assert_eq!(texts(&whole["calls"], "event_name").iter().filter(|name| *name == "DescribeInstances").count(), 1);
}

/// Calls are told one by one: of one API before, in and after the range, those in it.
#[test]
fn calls_of_the_range_are_told_and_no_others() {
    let mut trail = breach();
    let again = || session("Vendor", HOSTILE, "ASIABREACH");
    for (time, bucket) in
        [("2026-05-02T10:08:00Z", "in"), ("2026-05-02T23:59:59Z", "late"), ("2026-05-03T00:00:00Z", "out")]
    {
        let refused = if bucket == "late" { json!("AccessDenied") } else { Value::Null };
        let what = json!({"errorCode": refused, "resources": [{"ARN": format!("arn:aws:s3:::{bucket}")}]});
        trail.add(time, again(), ("ec2", "DescribeInstances"), what);
    }
    let output = Output::of(trail.analyzed());
    let told = output.json(&DAY);
    let row = told["calls"].as_array().unwrap().iter().find(|call| call["event_name"] == "DescribeInstances").unwrap();
    assert_eq!((&row["calls"], &row["denied"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&row["first_seen"], &row["last_seen"]),
        (&json!("2026-05-02T10:08:00Z"), &json!("2026-05-02T23:59:59Z"))
    );
    assert_eq!(row["resources"], json!(["arn:aws:s3:::in", "arn:aws:s3:::late"]));
    let buckets = told["touched"].as_array().unwrap().iter().find(|kind| kind["kind"] == "s3 bucket").unwrap();
    let outcomes: BTreeMap<&str, &str> = buckets["things"]
        .as_array()
        .unwrap()
        .iter()
        .map(|thing| (thing["name"].as_str().unwrap(), thing["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!((outcomes["arn:aws:s3:::in"], outcomes["arn:aws:s3:::late"]), ("allowed", "refused"));
}

/// S43: nothing that a stranger wrote gets out of its place, in the page, in the scripts, or in a name.
#[test]
fn hostile_names_stay_where_they_are() {
    let output = Output::of(breach().analyzed());
    let found = output.files(&DAY[2..]);
    let page = String::from_utf8(found["investigation.md"].clone()).unwrap();
    assert!(!page.contains("<script>") && !page.contains('\u{1b}'), "{page}");
    assert!(page.contains("no command for"), "the user with a name that IAM never gave is told: {page}");
    for name in ["contain.sh", "rollback.sh"] {
        let path = format!("case/containment/{OWN}/{name}");
        let script = fs::read_to_string(output.path(&path)).unwrap();
        assert!(!script.contains("pwned") && !script.contains('\u{1b}'), "{script}");
        let checked = Command::new("sh").args(["-n", &output.path(&path)]).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

/// The scripts run against a stand-in of the AWS command line: what they ask for, and what they take back.
#[test]
fn the_scripts_do_what_they_say() {
    let output = Output::of(breach().analyzed());
    let found = output.files(&DAY[2..]);
    let folder = format!("case/containment/{OWN}");
    let at = |name: &str| output.path(&format!("{folder}/{name}"));
    let bin = TempDir::new().unwrap();
    let log = output.path("log");
    let aws = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{log}'\ncase \"$*\" in\n*get-caller-identity*) echo ${{ACCOUNT:-{OWN}}} ;;\n\
         *get-role*) echo '{{}}' ;;\n*list-access-keys*) printf 'AKIAONED7QZ\\n' ;;\nesac\n"
    );
    fs::write(bin.path().join("aws"), aws).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(bin.path().join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let ran = |name: &str, account: &str| -> (bool, String) {
        let _ = fs::remove_file(&log);
        let done = Command::new("sh").arg(at(name)).env("PATH", &path).env("ACCOUNT", account).output().unwrap();
        (done.status.success(), fs::read_to_string(&log).unwrap())
    };
    let (ok, asked) = ran("contain.sh", "000011112222");
    assert!(!ok && asked.lines().count() == 1, "another account's credentials change nothing: {asked}");
    let (ok, asked) = ran("contain.sh", OWN);
    assert!(ok, "{asked}");
    for wanted in [
        "iam update-assume-role-policy --role-name Vendor --policy-document file://trust/Vendor.json",
        "iam put-role-policy --role-name Vendor --policy-name thirdtrail-deny-sessions",
        "iam put-role-policy --role-name Next --policy-name thirdtrail-deny-sessions",
        "iam update-access-key --user-name backup --access-key-id AKIAONED7QZ --status Inactive",
        "iam put-user-policy --user-name backup --policy-name thirdtrail-deny-everything",
    ] {
        assert!(asked.contains(wanted), "{wanted}: {asked}");
    }
    assert!(asked.find("update-assume-role-policy") < asked.find("put-role-policy"), "the door first: {asked}");
    let refused = output.asked(&["--party", "Datadog", "--out", &output.path("case")]);
    assert_eq!(refused.code, 2, "what the script kept is the way back");
    assert!(refused.stderr.contains("which thirdtrail did not write"), "{}", refused.stderr);
    let (ok, asked) = ran("rollback.sh", OWN);
    assert!(ok, "{asked}");
    for wanted in [
        "--role-name Vendor --policy-document file://trust/Vendor.before.json",
        "delete-role-policy --role-name Next --policy-name thirdtrail-deny-sessions",
        "update-access-key --user-name backup --access-key-id AKIAONED7QZ --status Active",
        "delete-user-policy --user-name backup --policy-name thirdtrail-deny-everything",
    ] {
        assert!(asked.contains(wanted), "{wanted}: {asked}");
    }
    assert!(found.contains_key(&format!("containment/{OWN}/deny-sessions.json")));
}

/// The file that ends sessions, decided by `policy evaluate`: an older session is denied, a newer one is not.
#[test]
fn older_sessions_are_denied_and_newer_ones_are_not() {
    let output = Output::of(breach().analyzed());
    output.files(&DAY[2..]);
    let deny = json_file(Path::new(&output.path(&format!("case/containment/{OWN}/deny-sessions.json"))));
    let allow = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let decided = |issued: &str| {
        let request = json!({"policies": [allow, deny], "boundaries": [], "request": {"action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k", "context": {"aws:TokenIssueTime": issued}}});
        let run = run_with(&["policy", "evaluate"], &request.to_string());
        serde_json::from_str::<Value>(&run.stdout).unwrap()["decision"].as_str().unwrap().to_owned()
    };
    assert_eq!(decided("2026-05-02T23:59:59Z"), "explicitly_denied");
    assert_eq!(decided("2026-05-03T00:00:00Z"), "allowed");
}

/// S42: a trust policy that holds external ids of others is written only on demand; nothing else holds them.
#[test]
fn external_ids_of_others_are_written_on_demand_only() {
    let output = Output::of(breach().analyzed());
    let found = output.files(&DAY[2..]);
    let secret = |files: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        let holds = files.iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(SECRET));
        holds.map(|(path, _)| path.clone()).collect()
    };
    assert_eq!(secret(&found), [] as [&str; 0]);
    let answer: Value = serde_json::from_slice(&found["investigation.json"]).unwrap();
    let status = |name: &str| {
        let arn = format!("arn:aws:iam::{OWN}:role/{name}");
        let trusts = answer["containment"]["trusts"].as_array().unwrap().iter();
        trusts.filter(|one| one["role_arn"] == arn).map(|one| one["status"].as_str().unwrap().to_owned()).next()
    };
    assert_eq!(status("Vendor").unwrap(), "ready");
    assert_eq!(status("Shared").unwrap(), "holds_external_ids");
    assert_eq!(status("Next").unwrap(), "lets_it_in_no_more");
    assert_eq!(status("Ours"), None);
    let document: Value = serde_json::from_slice(&found[&format!("containment/{OWN}/trust/Vendor.json")]).unwrap();
    assert_eq!(document["Statement"][0]["Principal"]["AWS"], json!([format!("arn:aws:iam::{OWN}:root")]));
    let shown = output.files(&[&DAY[2..], &["--show-external-ids"]].concat());
    assert_eq!(secret(&shown), [format!("containment/{OWN}/trust/Shared.json")]);
}

/// Equal questions give equal bytes, and a folder of an earlier answer is replaced.
#[test]
fn equal_questions_have_equal_answers() {
    let output = Output::of(breach().analyzed());
    assert_eq!(output.files(&DAY[2..]), output.files(&DAY[2..]));
    fs::write(output.path("case/notes.txt"), "mine").unwrap();
    let refused = output.asked(&["--party", "Datadog", "--out", &output.path("case")]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("`notes.txt`"), "{}", refused.stderr);
}

/// What is no output of a run, or of another version, and who is nobody: one line, exit code 2.
#[test]
fn mistakes_are_told_in_one_line() {
    let output = Output::of(breach().analyzed());
    let told = |run: Run, says: &str| {
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
        assert!(
            run.stderr.contains(says) && run.stderr.lines().filter(|line| line.starts_with("error: ")).count() == 1,
            "{}",
            run.stderr
        );
    };
    told(output.asked(&["--party", "data dog"]), "near it are Datadog (464622532012)");
    told(output.asked(&["--party", "nobody-at-all"]), "see the parties in report.md");
    told(output.asked(&["--party", "Datadog", "--since", "2026-05-03", "--until", "2026-05-02"]), "is empty");
    told(run(&["investigate", &output.path("nowhere"), "--party", "x"]), "it is no folder");
    told(run(&["investigate", &output.path(""), "--party", "x"]), "`run.json`: does not exist");
    fs::remove_dir_all(output.path("out/parquet/sessions")).unwrap();
    told(output.asked(&["--party", "Datadog"]), "which run.json tells of, is not there");
    fs::write(output.path("out/report.json"), "{\"schema\": \"thirdtrail.report/2\"}").unwrap();
    told(output.asked(&["--party", "Datadog"]), "its schema is `thirdtrail.report/2`");
    fs::write(output.path("out/run.json"), "{\"schema\": \"thirdtrail.run/9\"}").unwrap();
    told(output.asked(&["--party", "Datadog"]), "was written by another version");
}

/// S11, S16: on the bundled trail a chain over three roles and a user's key are told as the generator made them.
#[test]
fn bundled_parties_are_told_as_they_are() {
    let folder = TempDir::new().unwrap();
    let (source, out) = (bundled::folder("vendors"), folder.path().join("out"));
    let arguments = ["analyze", source.to_str().unwrap(), "--out", out.to_str().unwrap(), "--quiet", "--no-config"];
    assert_eq!(run(&arguments).code, 0);
    let output = Output { folder };
    let report = json_file(Path::new(&output.path("out/report.json")));
    for party in report["parties"].as_array().unwrap() {
        let told = output.json(&["--party", party["id"].as_str().unwrap()]);
        assert_eq!(told["sessions"]["total"], party["sessions"], "{}", party["name"]);
        let calls: u64 = told["calls"].as_array().unwrap().iter().map(|call| call["calls"].as_u64().unwrap()).sum();
        assert_eq!(json!(calls), party["calls"], "{}", party["name"]);
    }
    let zesty = output.json(&["--party", "zesty"]);
    assert_eq!(zesty["roles"].as_array().unwrap().len(), 3);
    let spotinst = output.json(&["--party", "Spotinst"]);
    assert_eq!(spotinst["keys"][0]["keys"][0]["ending"], "QYJV");
    assert_eq!(spotinst["containment"]["steps"][0]["what"], "deactivate_keys");
}
