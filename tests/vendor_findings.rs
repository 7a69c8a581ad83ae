//! The user's own vendors on small trails made for it: contracts that are over, roles and actions that nobody expects, names
//! for identities; each finding where it belongs, and quiet or doubtful where the evidence is missing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::aws::window::parse_time;
use thirdtrail::run::analyze::{Options, Outcome, analyze};
use thirdtrail::run::beside::BesideOptions;
use thirdtrail::run::config::RuleFiles;
use thirdtrail::run::live::Input;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::local::LocalStore;

const OWN: &str = "111122223333";
const DATADOG: &str = "464622532012";
const CLOUDHEALTH: &str = "454464851268";
const CLOUDABILITY: &str = "165736516723";
const GITHUB: &str = "token.actions.githubusercontent.com";

const USER: &str = "arn:aws:iam::111122223333:user/vendors/backup-sync";

/// Who comes in when, and what for: the caller, the role, the day of May 2026, and the API called, if any.
struct Visit {
    caller: &'static str,
    role: &'static str,
    day: u32,
    call: Option<&'static str>,
    refused: bool,
}

fn visit(caller: &'static str, role: &'static str, day: u32, call: Option<&'static str>) -> Visit {
    Visit { caller, role, day, call, refused: false }
}

fn visits() -> Vec<Visit> {
    vec![
        visit(DATADOG, "Monitoring", 1, Some("DescribeInstances")),
        visit(DATADOG, "Monitoring", 3, Some("StopInstances")),
        visit(DATADOG, "Forgotten", 2, Some("DescribeInstances")),
        visit(CLOUDABILITY, "Costs", 1, Some("DescribeInstances")),
        Visit { refused: true, ..visit(CLOUDABILITY, "Costs", 3, None) },
        visit("repo:acme/shop:ref:refs/heads/main", "Deploy", 3, Some("DescribeInstances")),
    ]
}

/// Roles with whom they trust.
const ROLES: [(&str, &str); 5] = [
    ("Monitoring", DATADOG),
    ("Forgotten", DATADOG),
    ("Costs", CLOUDABILITY),
    ("Quiet", CLOUDHEALTH),
    ("Deploy", "github"),
];

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{OWN}:role/{role}")
}

fn role_id(role: &str) -> String {
    format!("AROA{:0>17}", role.to_uppercase())
}

fn inventory() -> Value {
    let details = ROLES.iter().map(|(role, whom)| {
        let statement = match *whom {
            "github" => json!({"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": format!("arn:aws:iam::{OWN}:oidc-provider/{GITHUB}")},
                "Condition": {"StringLike": {format!("{GITHUB}:sub"): "repo:acme/*"}}}),
            account => json!({"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}}),
        };
        json!({"RoleName": role, "RoleId": role_id(role), "Arn": arn(role), "Path": "/",
            "CreateDate": "2025-01-01T00:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
    });
    let user = json!({"UserName": "backup-sync", "UserId": "AIDABACKUP", "Path": "/vendors/", "Arn": USER,
        "CreateDate": "2025-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [], "Tags": []});
    json!({"RoleDetailList": details.collect::<Vec<_>>(), "UserDetailList": [user], "GroupDetailList": [], "Policies": []})
}

fn record(at: usize, time: &str, identity: &Value, name: &str, more: Value) -> Value {
    let source = if name.starts_with("AssumeRole") { "sts" } else { "ec2" };
    let mut record = json!({"eventVersion": "1.10", "userIdentity": identity, "eventTime": time,
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "vendor/1", "requestParameters": null, "responseElements": null,
        "eventID": format!("00000000-0000-4000-8000-{at:012}"), "eventType": "AwsApiCall", "managementEvent": true,
        "eventCategory": "Management", "readOnly": true, "recipientAccountId": OWN});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

fn records_of(day: u32) -> Vec<Value> {
    let mut records = Vec::new();
    for (number, visit) in visits().iter().enumerate().filter(|(_, visit)| visit.day == day) {
        let (role, id, key) = (arn(visit.role), role_id(visit.role), format!("ASIA{number:0>16}"));
        let time = |minute: u32| format!("2026-05-{day:02}T10:{minute:02}:00Z");
        let federated = visit.caller.starts_with("repo:");
        let caller = if federated {
            json!({"type": "WebIdentityUser", "principalId": format!("{GITHUB}:{}", visit.caller), "userName": visit.caller,
                "identityProvider": GITHUB})
        } else {
            json!({"type": "AWSAccount", "principalId": "AROAVENDOR:worker", "accountId": visit.caller})
        };
        let mut more = json!({"requestParameters": {"roleArn": role, "roleSessionName": format!("s{number}")}});
        if visit.refused {
            more["errorCode"] = json!("AccessDenied");
        } else {
            more["responseElements"] = json!({"credentials": {"accessKeyId": key},
                "subjectFromWebIdentityToken": visit.caller, "provider": format!("arn:aws:iam::{OWN}:oidc-provider/{GITHUB}"),
                "assumedRoleUser": {"assumedRoleId": format!("{id}:s{number}"), "arn": "arn:aws:sts::x"}});
        }
        let name = if federated { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
        records.push(record(number * 2, &time(0), &caller, name, more));
        if let Some(call) = visit.call {
            let session = json!({"sessionIssuer": {"type": "Role", "principalId": id, "arn": role, "accountId": OWN,
                "userName": visit.role}, "attributes": {"creationDate": time(0), "mfaAuthenticated": "false"}});
            let inside = json!({"type": "AssumedRole", "principalId": format!("{id}:s{number}"), "accountId": OWN,
                "arn": format!("arn:aws:sts::{OWN}:assumed-role/{}/s{number}", visit.role), "accessKeyId": key,
                "sessionContext": session});
            records.push(record(number * 2 + 1, &time(5), &inside, call, json!({"readOnly": call != "StopInstances"})));
        }
    }
    records
}

/// How a report is made.
struct Way<'a> {
    vendors: &'a str,
    config: &'a str,
    until: &'a str,
    as_of: &'a str,
    with_inventory: bool,
    days: &'a [u32],
    credentials: &'a str,
}

impl Default for Way<'_> {
    fn default() -> Self {
        let until = "2026-05-04";
        Self { vendors: "", config: "", until, as_of: until, with_inventory: true, days: &[1, 2, 3], credentials: "" }
    }
}

fn outcome(way: &Way<'_>) -> Outcome {
    let (trail, user) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for day in way.days {
        let folder = trail.path().join(format!("AWSLogs/{OWN}/CloudTrail/us-east-1/2026/05/{day:02}"));
        fs::create_dir_all(&folder).unwrap();
        let name = format!("{OWN}_CloudTrail_us-east-1_202605{day:02}T1100Z_abcdefghijklmnop.json");
        fs::write(folder.join(name), json!({"Records": records_of(*day)}).to_string()).unwrap();
    }
    let file = user.path().join("inventory.json");
    fs::write(&file, inventory().to_string()).unwrap();
    let vendors = user.path().join("vendors.toml");
    fs::write(&vendors, way.vendors).unwrap();
    let config = user.path().join("thirdtrail.toml");
    fs::write(&config, way.config).unwrap();
    let mut beside = BesideOptions::default();
    if !way.credentials.is_empty() {
        let path = user.path().join("credentials.csv");
        fs::write(&path, way.credentials).unwrap();
        beside.files.push((Input::CredentialReport, path));
    }
    let options = Options {
        beside,
        request: Request { since: parse_time("2026-05-01"), until: parse_time(way.until), ..Request::default() },
        inventories: if way.with_inventory { vec![file] } else { Vec::new() },
        rules: RuleFiles {
            vendors: vec![vendors],
            config: Some(thirdtrail::run::config::file::Config::read(&config).unwrap()),
            ..RuleFiles::default()
        },
        as_of: parse_time(way.as_of),
        idle_days: 90,
        max_holes: 0.05,
        effort: Effort { jobs: 2, memory_bytes: 64 << 20 },
        ..Options::default()
    };
    analyze(&LocalStore::open(Path::new(trail.path())).unwrap(), &options, &Silent).unwrap()
}

fn report_of(outcome: &Outcome) -> Value {
    let file = outcome.files.iter().find(|file| file.path == "report.json").unwrap();
    serde_json::from_slice(&file.bytes).unwrap()
}

fn report(way: &Way<'_>) -> Value {
    report_of(&outcome(way))
}

/// The findings of a code by their subject.
fn with<'a>(report: &'a Value, code: &str) -> BTreeMap<&'a str, &'a Value> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    findings.map(|finding| (finding["subject"].as_str().unwrap(), finding)).collect()
}

fn vendor(name: &str, account: &str, more: &str) -> String {
    format!("[[vendor]]\nname = \"{name}\"\naccounts = [\"{account}\"]\nowner = \"ops\"\n{more}\n")
}

/// S17: a party that came in after its contract ended is told from one that only still could, by `as_of`.
#[test]
fn contracts_that_are_over_are_found() {
    let vendors = [
        vendor("Datadog", DATADOG, "contract_end = 2026-05-01"),
        vendor("Cloudability", CLOUDABILITY, "contract_end = 2026-05-01"),
        vendor("Cloudhealth", CLOUDHEALTH, "contract_end = 2026-05-02"),
    ]
    .concat();
    let way = Way { vendors: &vendors, ..Way::default() };
    let found = report(&way);
    let over = with(&found, "party-offboarded-active");
    let state = |id: &str| (over[id]["evidence"]["state"].as_str().unwrap(), over[id]["severity"].as_str().unwrap());
    assert_eq!(over.len(), 3, "{over:?}");
    assert_eq!((state(DATADOG), state(CLOUDHEALTH)), (("active", "high"), ("open", "medium")));
    // Refused attempts are no activity; the trust is still there.
    assert_eq!(state(CLOUDABILITY), ("open", "medium"));
    let evidence = &over[DATADOG]["evidence"];
    assert_eq!((&evidence["sessions_after"], &evidence["calls_after"]), (&json!(2), &json!(2)));
    assert_eq!(evidence["first_after"], "2026-05-02T10:00:00Z");
    assert_eq!(evidence["open_roles"], json!([arn("Forgotten"), arn("Monitoring")]));
    assert_eq!(evidence["owner"], "ops");
    assert!(over[CLOUDHEALTH]["detail"].as_str().unwrap().contains("No session of it after that day is among"));

    // On the last day of the contract nothing is over yet.
    let before = report(&Way { as_of: "2026-05-01T23:59:59Z", ..way });
    assert!(with(&before, "party-offboarded-active").is_empty());
}

/// S26: silence in holes, or in a window that ends before the contract, is not told as silence.
#[test]
fn what_was_not_read_is_not_told_as_silence() {
    let vendors = vendor("Cloudhealth", CLOUDHEALTH, "contract_end = 2026-05-01");
    let way = Way { vendors: &vendors, days: &[1], ..Way::default() };
    let holes = report(&way);
    let detail = with(&holes, "party-offboarded-active")[CLOUDHEALTH]["detail"].as_str().unwrap();
    assert!(detail.contains("may lack some (holes on 67 %"), "{detail}");
    let early = report(&Way { until: "2026-05-02", as_of: "2026-06-01", ..way });
    let detail = with(&early, "party-offboarded-active")[CLOUDHEALTH]["detail"].as_str().unwrap();
    assert!(detail.starts_with("The window ends before the contract did"), "{detail}");
    // Without an inventory nobody knows who could come in, and what was seen is told all the same.
    let all = [vendors.as_str(), &vendor("Datadog", DATADOG, "contract_end = 2026-05-01")].concat();
    let found = report(&Way { vendors: &all, with_inventory: false, ..Way::default() });
    let over = with(&found, "party-offboarded-active");
    assert_eq!(over.keys().copied().collect::<Vec<_>>(), [DATADOG]);
    assert_eq!(over[DATADOG]["evidence"]["inventory_given"], false);
}

/// S16: the keys of a vendor's user are access as well, where it is known that they can be used.
#[test]
fn keys_that_outlive_the_contract_are_found() {
    let head = "user,arn,password_last_used,access_key_1_active,access_key_1_last_used_date,access_key_2_active,\
                access_key_2_last_used_date";
    let credentials = |active: bool| format!("{head}\nbackup-sync,{USER},N/A,{active},N/A,false,N/A\n");
    let vendors = "[[vendor]]\nname = \"Backup Ltd\"\nusers = [\"backup-*\"]\ncontract_end = 2026-05-01\n";
    let way = Way { vendors, ..Way::default() };
    let found = report(&Way { credentials: &credentials(true), ..way });
    let over = with(&found, "party-offboarded-active");
    assert_eq!(over.keys().copied().collect::<Vec<_>>(), [USER]);
    assert_eq!((&over[USER]["evidence"]["state"], &over[USER]["evidence"]["active_keys"]), (&json!("open"), &json!(1)));
    assert_eq!((&over[USER]["party"], &over[USER]["account_id"]), (&json!("Backup Ltd"), &json!(OWN)));
    for quiet in [credentials(false), String::new()] {
        let found = report(&Way { vendors, credentials: &quiet, ..Way::default() });
        assert!(with(&found, "party-offboarded-active").is_empty(), "{quiet}");
    }
}

/// Roles and actions that were listed raise nothing, what was not listed does, and where nothing was said nothing is found.
#[test]
fn what_nobody_expects_is_found() {
    let vendors = [
        vendor("Datadog", DATADOG, "roles = [\"Monitor*\"]\nactions = [\"ec2:Describe*\"]"),
        vendor("Cloudability", CLOUDABILITY, "roles = [\"Costs\"]\nactions = [\"ec2:*\"]"),
        vendor("Cloudhealth", CLOUDHEALTH, ""),
    ]
    .concat();
    let found = report(&Way { vendors: &vendors, ..Way::default() });
    let roles = with(&found, "party-unexpected-role");
    assert_eq!(roles.keys().map(|subject| subject.to_string()).collect::<Vec<_>>(), [arn("Forgotten")]);
    let party = &roles[arn("Forgotten").as_str()]["evidence"]["parties"][0];
    assert_eq!((&party["vendor"], &party["sessions"], &party["trusted"]), (&json!("Datadog"), &json!(1), &json!(true)));
    assert_eq!(roles[arn("Forgotten").as_str()]["party"], "Datadog");

    let actions = with(&found, "party-unexpected-action");
    assert_eq!(actions.keys().copied().collect::<Vec<_>>(), [DATADOG]);
    let used = actions[DATADOG]["evidence"]["actions"].as_array().unwrap();
    assert_eq!(used.iter().map(|used| used["action"].as_str().unwrap()).collect::<Vec<_>>(), ["ec2:StopInstances"]);
    assert_eq!((&used[0]["calls"], &used[0]["roles"]), (&json!(1), &json!([arn("Monitoring")])));

    let silent = [vendor("Datadog", DATADOG, ""), vendor("Cloudability", CLOUDABILITY, "")].concat();
    let nothing = report(&Way { vendors: &silent, ..Way::default() });
    for code in ["party-unexpected-role", "party-unexpected-action", "party-offboarded-active"] {
        assert!(with(&nothing, code).is_empty(), "{code}");
    }
}

/// S13, S17: names come from the user's own list: accounts, and the subjects of identity providers.
#[test]
fn the_users_names_are_the_names_of_the_report() {
    let identity = format!("identities = [{{ issuer = \"https://{GITHUB}\", subject = \"repo:acme/*\" }}]\n");
    let acme = format!("[[vendor]]\nname = \"Acme Consulting\"\ncontract_end = 2026-05-01\nroles = []\n{identity}");
    let vendors = format!("{}{acme}", vendor("Our monitoring", DATADOG, ""));
    let found = report(&Way { vendors: &vendors, ..Way::default() });
    let names: BTreeMap<&str, &str> = found["parties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| (party["id"].as_str().unwrap(), party["name"].as_str().unwrap()))
        .collect();
    assert_eq!(names[DATADOG], "Our monitoring");
    let id = format!("{GITHUB}/repo:acme/shop:ref:refs/heads/main");
    assert_eq!(names[id.as_str()], "Acme Consulting");
    assert_eq!(with(&found, "party-offboarded-active")[id.as_str()]["evidence"]["state"], "active");
    // An empty list says that it is expected nowhere.
    assert!(with(&found, "party-unexpected-role").contains_key(arn("Deploy").as_str()));
}

/// S17: an account whose own trail was read is ours, whatever the file says, and the user is told.
#[test]
fn an_account_whose_trail_was_read_stays_ours() {
    let vendors = vendor("Sister company", OWN, "contract_end = 2026-05-01");
    let way = Way { vendors: &vendors, with_inventory: false, ..Way::default() };
    let outcome = outcome(&way);
    assert_eq!(outcome.own_vendors, [format!("{OWN} of `Sister company` (vendors.toml:1)")]);
    assert!(with(&report_of(&outcome), "party-offboarded-active").is_empty());
}

const SUPPRESS: &str =
    "[[suppress]]\ncode = \"trust-whole-account\"\nparty = \"Datadog\"\nowner = \"ops\"\nreason = \"agreed\"\n";

/// S39: a suppressed finding stays, says who answers for it, and an expired suppression hides nothing and is a finding.
#[test]
fn suppressions_mark_and_expire() {
    let live = format!("{SUPPRESS}expires = 2026-06-01\n");
    let found = report(&Way { config: &live, ..Way::default() });
    let whole = with(&found, "trust-whole-account");
    let marked: Vec<&str> =
        whole.iter().filter(|(_, finding)| !finding["suppressed"].is_null()).map(|(subject, _)| *subject).collect();
    assert_eq!(marked, [arn("Forgotten"), arn("Monitoring")]);
    assert!(whole.len() > marked.len(), "others stay open");
    let mark = &whole[arn("Monitoring").as_str()]["suppressed"];
    assert_eq!(mark, &json!({"by": "thirdtrail.toml:1", "owner": "ops", "reason": "agreed", "expires": "2026-06-01"}));
    assert!(with(&found, "suppression-expired").is_empty());

    let expired = report(&Way { config: &live, as_of: "2026-06-01", ..Way::default() });
    assert!(with(&expired, "trust-whole-account").values().all(|finding| finding["suppressed"].is_null()));
    let told = with(&expired, "suppression-expired")[OWN];
    assert_eq!(told["evidence"]["suppressions"][0]["findings"], 2);
    assert_eq!((&told["severity"], &told["evidence"]["suppressions"][0]["owner"]), (&json!("medium"), &json!("ops")));

    // About one finding: told under that finding's subject. About none: told under the account.
    let one = SUPPRESS.replace("party = \"Datadog\"", &format!("subject = \"{}\"", arn("Quiet")));
    let none = SUPPRESS.replace("party = \"Datadog\"", "subject = \"arn:aws:iam::999988887777:role/x\"");
    let config = format!("{one}expires = 2026-05-01\n{none}expires = 2026-05-01\n");
    let expired = outcome(&Way { config: &config, ..Way::default() });
    let counts: Vec<_> = expired.suppressions.iter().map(|one| (one.line, one.state.as_str(), one.findings)).collect();
    assert_eq!(counts, [(1, "expired", 1), (7, "expired", 0)]);
    let found = report_of(&expired);
    let told = with(&found, "suppression-expired");
    assert_eq!(
        told.keys().map(|subject| subject.to_string()).collect::<Vec<_>>(),
        ["999988887777".to_owned(), arn("Quiet")]
    );
}

/// S39: the page tells the suppressed apart and says who answers; a stranger's words in a reason are no markup (S43).
#[test]
fn the_page_tells_suppressed_findings_apart() {
    let config = SUPPRESS.replace("agreed", "<b>a|b</b>");
    let outcome = outcome(&Way { config: &config, ..Way::default() });
    let page = outcome.files.iter().find(|file| file.path == "report.md").unwrap();
    let page = String::from_utf8(page.bytes.clone()).unwrap();
    let (open, suppressed) = page.split_once("### Suppressed").unwrap();
    assert!(open.contains("2 more are suppressed") && !open.contains("thirdtrail.toml:1"));
    assert!(suppressed.contains("| ops | &lt;b&gt;a\\|b&lt;/b&gt; | for ever | `thirdtrail.toml:1` |"), "{suppressed}");
}
