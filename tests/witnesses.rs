//! What AWS's own words change in the judgement of the bundled trail: trails as configured, last-accessed data, the
//! organization, users. None of it ever makes more permissions unused, one proven case apart.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod bundled;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bundled::{folder, options, report};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::aws::AccountId;
use thirdtrail::policy::narrow::Narrowing;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::beside::{BesideOptions, read};
use thirdtrail::run::live::Input;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

/// The account that is judged: its trail holds data events of S3.
const OWN: &str = "210987654321";

fn analyzed(source: &Path, files: &[(Input, PathBuf)], bucket: Option<&str>) -> Value {
    let beside = BesideOptions { files: files.to_vec(), bucket: bucket.map(str::to_owned), ..BesideOptions::default() };
    judged(source, Options { beside, ..options("vendors", 2) })
}

/// One account is enough, and three take three times as long.
fn judged(source: &Path, mut options: Options) -> Value {
    options.request.accounts.extend(AccountId::parse(OWN));
    options.inventories.retain(|path| path.ends_with(format!("{OWN}.json")));
    report(&analyze(&LocalStore::open(source).unwrap(), &options, &Silent).unwrap())
}

/// The report with one input given as this JSON.
fn with(input: Input, value: &Value, bucket: Option<&str>) -> Value {
    let file = TempDir::new().unwrap();
    let path = file.path().join("input.json");
    fs::write(&path, value.to_string()).unwrap();
    analyzed(&folder("vendors"), &[(input, path)], bucket)
}

/// Role and action of every verdict of that word.
fn actions(report: &Value, verdict: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for role in report["roles"].as_array().unwrap() {
        for action in role["actions"].as_array().unwrap().iter().filter(|action| action["verdict"] == verdict) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.insert((text(&role["arn"]), text(&action["action"])));
        }
    }
    found
}

fn unused(report: &Value) -> BTreeSet<(String, String)> {
    actions(report, "unused")
}

fn findings<'a>(report: &'a Value, code: &str) -> Vec<&'a Value> {
    report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code).collect()
}

/// A trail of all Regions that records all management events.
fn trail(name: &str, bucket: &str) -> Value {
    json!({"Trail": {"TrailARN": format!("arn:aws:cloudtrail:us-east-1:{OWN}:trail/{name}"), "HomeRegion": "us-east-1",
            "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true, "HasCustomEventSelectors": true,
            "S3BucketName": bucket},
        "EventSelectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]},
        "Status": {"IsLogging": true, "StartLoggingTime": "2025-01-01T00:00:00Z"}})
}

/// A configuration of one trail, changed at these places.
fn configured(changes: &[(&str, Value)]) -> Value {
    let mut trail = trail("main", "logs");
    for (pointer, value) in changes {
        *trail.pointer_mut(pointer).unwrap() = value.clone();
    }
    json!({"Trails": [trail]})
}

const SELECTORS: &str = "/EventSelectors/EventSelectors";
const GLOBAL: [&str; 3] = ["iam", "cloudfront", "route53"];

/// S24, S27: the bundled trail judged under many configurations; whatever they say, nothing more becomes unused.
#[test]
fn a_configuration_only_takes_from_what_is_unused() {
    let plain_report = analyzed(&folder("vendors"), &[], None);
    let plain = unused(&plain_report);
    let of_service =
        |service: &str| plain.iter().filter(|(_, action)| service == action.split(':').next().unwrap()).count();
    assert!(of_service("ec2") > 10 && of_service("iam") > 10 && of_service("kms") > 0);
    // Some judge everything, some only the services named here; data events are looked at below.
    let check = |changes: &[(&str, Value)], expected: &dyn Fn(&str) -> bool| {
        let report = with(Input::TrailConfig, &configured(changes), None);
        let left = unused(&report);
        assert!(left.is_subset(&plain), "{changes:?}");
        for (role, action) in &plain {
            let service = action.split(':').next().unwrap();
            let asked = GLOBAL.contains(&service) || ["ec2", "kms", "rds", "sts"].contains(&service);
            let stays = left.contains(&(role.clone(), action.clone()));
            assert!(!asked || stays == expected(service), "{changes:?}: {action}");
        }
        report
    };
    let whole = check(&[], &|_| true);
    assert!(findings(&whole, "trail-partial").is_empty());
    assert!(!whole["coverage"]["not_judged"].to_string().contains("configuration"));
    assert!(plain_report["coverage"]["not_judged"].to_string().contains("configuration"));
    // One Region: only global services are recorded whole, if they are recorded there.
    let is_global = |service: &str| GLOBAL.contains(&service);
    let single = check(&[("/Trail/IsMultiRegionTrail", json!(false))], &is_global);
    let partial = findings(&single, "trail-partial");
    assert_eq!(partial.len(), 1);
    let lacks = partial[0]["evidence"]["configuration_lacks"].to_string();
    assert!(lacks.contains("us-east-1 only"), "{lacks}");
    check(&[("/Trail/IsMultiRegionTrail", json!(false)), ("/Trail/HomeRegion", json!("eu-west-1"))], &|_| false);
    check(&[("/Trail/IncludeGlobalServiceEvents", json!(false))], &|service| !is_global(service));
    let excluding = json!([{"ReadWriteType": "All", "IncludeManagementEvents": true,
        "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]);
    check(&[(SELECTORS, excluding)], &|service| service != "kms");
    check(&[(SELECTORS, json!([{"ReadWriteType": "All", "IncludeManagementEvents": false}]))], &|_| false);
    let by_identity = json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]},
        {"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:sts::1:assumed-role/x/"]}]}]);
    check(&[("/EventSelectors", json!({"AdvancedEventSelectors": by_identity}))], &|_| false);
    // A trail that was off for all of the window delivered nothing of it.
    check(&[("/Status", json!({"IsLogging": false, "StopLoggingTime": "2026-01-01T00:00:00Z"}))], &|_| false);
}

/// S25: data events are judged where the records show them and the selectors have every resource of their type.
#[test]
fn data_events_are_judged_only_where_every_resource_is_recorded() {
    let of_data = |report: &Value| -> BTreeSet<String> {
        let actions = report["roles"].as_array().unwrap().iter().flat_map(|role| role["actions"].as_array().unwrap());
        let by_data = |action: &&Value| {
            action["verdict"] == "unused" && action["reason"].as_str().unwrap().contains("; data events of")
        };
        actions.filter(by_data).map(|action| action["action"].as_str().unwrap().to_owned()).collect()
    };
    let types = ["AWS::S3::Object", "AWS::S3::AccessPoint"];
    let selecting = |types: &[&str], values: &[&str], changes: &[(&str, Value)]| {
        let data: Vec<Value> = types.iter().map(|kind| json!({"Type": kind, "Values": values})).collect();
        let selectors = json!([{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": data}]);
        let changes: Vec<(&str, Value)> = changes.iter().cloned().chain([(SELECTORS, selectors)]).collect();
        of_data(&with(Input::TrailConfig, &configured(&changes), None))
    };
    let vouched = |types: &[&str]| {
        let complete_data_events = types.iter().map(|kind| (*kind).to_owned()).collect();
        let beside = BesideOptions { complete_data_events, ..BesideOptions::default() };
        of_data(&judged(&folder("vendors"), Options { beside, ..options("vendors", 2) }))
    };
    // Records of one bucket tell nothing of the others.
    assert!(of_data(&analyzed(&folder("vendors"), &[], None)).is_empty());
    let judged = vouched(&types);
    assert!(judged.contains("s3:DeleteObject"), "{judged:?}");
    assert_eq!(selecting(&types, &["arn:aws:s3"], &[]), judged);
    // An access point is another way to the same object, and has events of its own.
    assert!(!vouched(&["AWS::S3::Object"]).contains("s3:DeleteObject"));
    assert!(!selecting(&["AWS::S3::Object"], &["arn:aws:s3"], &[]).contains("s3:DeleteObject"));
    assert!(selecting(&types, &["arn:aws:s3:::one-bucket/"], &[]).is_empty());
    assert!(selecting(&[], &[], &[]).is_empty());
    // A trail of the organization may be none of this account's.
    let elsewhere = json!("arn:aws:cloudtrail:us-east-1:999988887777:trail/main");
    assert!(selecting(&types, &["arn:aws:s3"], &[("/Trail/TrailARN", elsewhere)]).is_empty());
}

/// S24: of several trails it counts which one was read: known by its bucket, or doubted.
#[test]
fn of_several_trails_the_one_that_delivers_to_the_source_counts() {
    let mut writes = trail("writes", "other");
    *writes.pointer_mut(SELECTORS).unwrap() = json!([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]);
    let value = json!({"Trails": [trail("main", "logs"), writes]});
    let known = unused(&with(Input::TrailConfig, &value, Some("s3://logs/AWSLogs/")));
    let doubted = unused(&with(Input::TrailConfig, &value, None));
    let wrong = unused(&with(Input::TrailConfig, &value, Some("s3://other")));
    assert!(doubted.is_subset(&known) && doubted.len() < known.len(), "{} {}", doubted.len(), known.len());
    assert_eq!(wrong, doubted);
    assert_eq!(known, unused(&with(Input::TrailConfig, &configured(&[]), None)));
}

/// The vendors' trail with one more object in the middle of the window.
fn with_record(record: &Value) -> TempDir {
    let copy = TempDir::new().unwrap();
    let mut folders = vec![folder("vendors")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let target = copy.path().join(path.strip_prefix(folder("vendors")).unwrap());
            if path.is_dir() {
                fs::create_dir_all(&target).unwrap();
                folders.push(path);
            } else {
                fs::copy(&path, &target).unwrap();
            }
        }
    }
    let day = copy.path().join("AWSLogs/210987654321/CloudTrail/us-east-1/2026/06/15");
    fs::create_dir_all(&day).unwrap();
    let name = "210987654321_CloudTrail_us-east-1_20260615T1205Z_aaaaaaaaaaaaaaaa.json.gz";
    let mut encoder = GzEncoder::new(fs::File::create(day.join(name)).unwrap(), Compression::fast());
    encoder.write_all(json!({"Records": [record]}).to_string().as_bytes()).unwrap();
    encoder.finish().unwrap();
    copy
}

/// S24: whoever changes a trail's selectors in the window leaves the time before unknown.
#[test]
fn a_trail_that_was_changed_in_the_window_proves_no_absence() {
    let changed = |name: &str| {
        let source = with_record(&json!({
            "eventVersion": "1.10", "eventID": "change-1", "eventTime": "2026-06-15T12:00:00Z", "eventName": name,
            "eventType": "AwsApiCall", "eventSource": "cloudtrail.amazonaws.com", "awsRegion": "us-east-1",
            "recipientAccountId": OWN, "readOnly": false, "managementEvent": true,
            "userIdentity": {"type": "Root", "principalId": OWN, "accountId": OWN, "arn": format!("arn:aws:iam::{OWN}:root")}}));
        unused(&analyzed(source.path(), &[], None)).len()
    };
    assert!(changed("GetEventSelectors") > 100);
    assert_eq!((changed("PutEventSelectors"), changed("UpdateTrail")), (0, 0));
}

fn last_accessed(role: &str, asked: &str, actions: &BTreeMap<&str, Option<&str>>) -> Value {
    let services: Vec<Value> = actions
        .iter()
        .map(|(action, at)| {
            let (service, name) = action.split_once(':').unwrap();
            json!({"ServiceName": service, "ServiceNamespace": service, "LastAuthenticated": at,
                "TrackedActionsLastAccessed": [{"ActionName": name, "LastAccessedTime": at}]})
        })
        .collect();
    json!({"Arn": role, "Details": {"JobStatus": "COMPLETED", "JobCreationDate": asked, "ServicesLastAccessed": services}})
}

fn entry(report: &Value, role: &str, action: &str) -> Value {
    let role = report["roles"].as_array().unwrap().iter().find(|known| known["arn"] == role).unwrap();
    role["actions"].as_array().unwrap().iter().find(|known| known["action"] == action).unwrap().clone()
}

/// S25a: what IAM says was tried since the window began is never unused, stays in the proposal, and names its witness.
#[test]
fn an_attempt_that_iam_knows_of_keeps_the_action() {
    let plain = analyzed(&folder("vendors"), &[], None);
    let proposed = |arn: &str| {
        let role = plain["roles"].as_array().unwrap().iter().find(|role| role["arn"] == arn).unwrap();
        role["rightsizing"]["status"] == "proposed"
    };
    let (role, action) =
        unused(&plain).into_iter().find(|(role, action)| proposed(role) && action.starts_with("ec2:")).unwrap();
    let says = |at: &str| {
        let actions = BTreeMap::from([(action.as_str(), Some(at))]);
        with(Input::LastAccessed, &json!({"Roles": [last_accessed(&role, "2026-08-20T00:00:00Z", &actions)]}), None)
    };
    let report = says("2026-07-01T10:00:00Z");
    let kept = entry(&report, &role, &action);
    assert_eq!((kept["verdict"].as_str(), kept["kept"].as_bool()), (Some("used"), Some(true)));
    assert!(
        kept["reason"].as_str().unwrap().contains("IAM's last-accessed data shows an attempt at 2026-07-01"),
        "{kept}"
    );
    let (before, after) = (unused(&plain), unused(&report));
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), [&(role.clone(), action.clone())]);
    // Both witnesses agree: still unused, and the reason says so.
    let agreed = entry(&says("2026-04-01T00:00:00Z"), &role, &action);
    assert_eq!(agreed["verdict"], "unused");
    assert!(agreed["reason"].as_str().unwrap().contains("and IAM's last-accessed data"), "{agreed}");
}

/// S25a: IAM alone makes unused only a management action that it tracked before the window began and saw nobody try.
#[test]
fn iam_alone_judges_only_what_it_certainly_watched() {
    let plain = analyzed(&folder("vendors"), &[], None);
    let unknown = |role: &Value, action: &Value| {
        action["verdict"] == "not_observable"
            && action["reason"].as_str().unwrap().starts_with("nothing is known")
            && role["idle"]["verdict"] == "active"
    };
    let mut found = None;
    for role in plain["roles"].as_array().unwrap() {
        for action in role["actions"].as_array().unwrap().iter().filter(|action| unknown(role, action)) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found = found.or(Some((text(&role["arn"]), text(&action["action"]))));
        }
    }
    let (role, action) = found.unwrap();
    let verdict = |entries: &[Value]| {
        let report = with(Input::LastAccessed, &json!({"Roles": entries}), None);
        let entry = entry(&report, &role, &action);
        (entry["verdict"].as_str().unwrap().to_owned(), entry["reason"].as_str().unwrap().to_owned())
    };
    let never = BTreeMap::from([(action.as_str(), None)]);
    let once = BTreeMap::from([(action.as_str(), Some("2026-03-01T00:00:00Z"))]);
    let asked = "2026-08-20T00:00:00Z";
    let other = "arn:aws:iam::012345678901:role/AnyOther";
    assert_eq!(verdict(&[last_accessed(&role, asked, &never)]).0, "not_observable");
    let (word, reason) = verdict(&[last_accessed(&role, asked, &never), last_accessed(other, asked, &once)]);
    assert_eq!(word, "unused");
    assert!(
        reason.contains("IAM's last-accessed data") && reason.contains("of the trail: nothing is known"),
        "{reason}"
    );
    let early = "2026-07-31T00:00:00Z";
    assert_eq!(verdict(&[last_accessed(&role, early, &never), last_accessed(other, early, &once)]).0, "not_observable");
    // Data events and permissions without an event stay what they are, whatever IAM says.
    for kind in ["a data event", "no API of this name"] {
        let mut other_kind = None;
        for role in plain["roles"].as_array().unwrap() {
            for action in role["actions"].as_array().unwrap() {
                if action["verdict"] == "not_observable" && action["reason"].as_str().unwrap().starts_with(kind) {
                    other_kind = Some((role["arn"].as_str().unwrap(), action["action"].as_str().unwrap()));
                }
            }
        }
        let (role, action) = other_kind.unwrap_or_else(|| panic!("no action that is {kind}"));
        let once = BTreeMap::from([(action, Some("2026-03-01T00:00:00Z"))]);
        let report = with(Input::LastAccessed, &json!({"Roles": [last_accessed(role, asked, &once)]}), None);
        assert_eq!(entry(&report, role, action)["verdict"], "not_observable", "{kind}: {action}");
    }
}

/// S28: what IAM knows of a role's last use counts for idleness.
#[test]
fn a_use_that_only_iam_knows_of_ends_idleness() {
    let plain = analyzed(&folder("vendors"), &[], None);
    let idle = |role: &&Value| role["idle"]["verdict"] == "idle";
    let role = plain["roles"].as_array().unwrap().iter().find(idle).unwrap()["arn"].as_str().unwrap();
    let actions = BTreeMap::from([("ec2:DescribeInstances", Some("2026-07-30T00:00:00Z"))]);
    let report = with(Input::LastAccessed, &json!({"Roles": [last_accessed(role, "2026-08-20", &actions)]}), None);
    let now = report["roles"].as_array().unwrap().iter().find(|known| known["arn"] == role).unwrap();
    assert_eq!(
        (now["idle"]["verdict"].as_str(), now["last_activity"]["source"].as_str()),
        (Some("active"), Some("iam"))
    );
}

/// S25a, S35: an attempt that the trail does not show may have been on any resource, so the action is not narrowed.
#[test]
fn an_attempt_that_the_trail_does_not_show_leaves_resources_alone() {
    let narrowed = |files: &[(Input, PathBuf)]| -> Value {
        let beside = BesideOptions { files: files.to_vec(), ..BesideOptions::default() };
        judged(&folder("vendors"), Options { beside, narrowing: Some(Narrowing::Exact), ..options("vendors", 2) })
    };
    let actions = |report: &Value| -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for role in report["roles"].as_array().unwrap() {
            for statement in role["rightsizing"]["narrowing"]["statements"].as_array().into_iter().flatten() {
                for action in statement["actions"].as_array().unwrap() {
                    found.insert((role["arn"].as_str().unwrap().to_owned(), action.as_str().unwrap().to_owned()));
                }
            }
        }
        found
    };
    let plain = actions(&narrowed(&[]));
    let (role, action) = plain.first().unwrap();
    let tried = BTreeMap::from([(action.as_str(), Some("2026-08-10T00:00:00Z"))]);
    let file = TempDir::new().unwrap();
    let path = file.path().join("last.json");
    fs::write(&path, json!({"Roles": [last_accessed(role, "2026-08-20T00:00:00Z", &tried)]}).to_string()).unwrap();
    let left = actions(&narrowed(&[(Input::LastAccessed, path)]));
    assert_eq!(plain.difference(&left).collect::<Vec<_>>(), [&(role.clone(), action.clone())]);
}

/// S17: accounts of the organization are no third parties.
#[test]
fn accounts_of_the_organization_are_ours() {
    let plain = analyzed(&folder("vendors"), &[], None);
    let party = "464622532012";
    let outside = |report: &Value| {
        let trusts = |role: &&Value| {
            role["trust"]
                .as_array()
                .unwrap()
                .iter()
                .any(|trust| trust["account_id"] == party && trust["outside"] == true)
        };
        let of_kind = |known: &&Value| known["id"] == party && known["kind"] != "own_organization";
        (
            report["roles"].as_array().unwrap().iter().filter(trusts).count(),
            report["parties"].as_array().unwrap().iter().filter(of_kind).count(),
        )
    };
    assert!(outside(&plain).0 > 0 && outside(&plain).1 > 0);
    let ours = with(Input::Organization, &json!({"Accounts": [{"Id": party, "Status": "ACTIVE"}]}), None);
    assert_eq!(outside(&ours), (0, 0));
}

/// The credential report tells of users; keys and passwords stay out of the report.
#[test]
fn users_are_in_the_report_where_they_were_given() {
    let file = TempDir::new().unwrap();
    let path = file.path().join("report.csv");
    fs::write(&path, "user,arn,password_last_used,access_key_1_active,access_key_1_last_used_date,access_key_2_active,\
        access_key_2_last_used_date\njane,arn:aws:iam::012345678901:user/jane,N/A,true,2026-06-01T00:00:00+00:00,false,N/A\n")
        .unwrap();
    let report = analyzed(&folder("vendors"), &[(Input::CredentialReport, path)], None);
    let users = |report: &Value| report["users"].as_array().cloned().unwrap_or_default();
    let jane = users(&report).into_iter().find(|user| user["name"] == "jane").unwrap();
    let text = |key: &str| jane[key].as_str().unwrap().to_owned();
    assert_eq!((text("account_id"), text("last_used")), ("012345678901".to_owned(), "2026-06-01T00:00:00Z".to_owned()));
    assert_eq!((&jane["active_keys"], &jane["keys"][0]["active"]), (&json!(1), &json!(true)));
    let plain = analyzed(&folder("vendors"), &[], None);
    assert!(users(&plain).iter().all(|user| user["name"] != "jane" && user["active_keys"].is_null()));
}

/// The envelopes in docs/INPUTS.md are read as they stand there.
#[test]
fn the_documented_envelopes_are_read() {
    let document = include_str!("../docs/INPUTS.md");
    let blocks: Vec<&str> =
        document.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    let inputs = [Input::TrailConfig, Input::AccessKeys, Input::LastAccessed];
    assert_eq!(blocks.len(), inputs.len());
    for (input, block) in inputs.into_iter().zip(blocks) {
        let file = TempDir::new().unwrap();
        let path = file.path().join("input.json");
        fs::write(&path, block).unwrap();
        let given =
            read(&[], &BesideOptions { files: vec![(input, path)], ..BesideOptions::default() }, &Silent).unwrap();
        assert!(given.beside.configuration.is_some() == (input == Input::TrailConfig), "{input:?}");
    }
}
