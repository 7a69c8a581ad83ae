//! The bundled trails, analyzed and compared with the truth that their generator wrote down while making them.
//!
//! One body runs through every mode of execution: workers, order of objects, evidence through tables or not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its trail has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use thirdtrail::activity::directory::Directory;
use thirdtrail::activity::party::Accounts;
use thirdtrail::aws::Window;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::evidence::observe::observe;
use thirdtrail::evidence::{Evidence, Scope};
use thirdtrail::finding::assess::{Inquiry, assess};
use thirdtrail::finding::coverage::Reading;
use thirdtrail::policy::catalog::Catalog;
use thirdtrail::report::{OutputFile, render};
use thirdtrail::run::analyze::{Options, Outcome, analyze};
use thirdtrail::run::inputs;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::{Plan, Request, plan};
use thirdtrail::run::workers::Effort;
use thirdtrail::store::local::LocalStore;
use thirdtrail::store::{Entry, Store, StoreError};

fn folder(trail: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/trails").join(trail)
}

fn truth(trail: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder(trail).join("truth.json")).unwrap()).unwrap()
}

fn options(trail: &str, jobs: usize) -> Options {
    let truth = truth(trail);
    let time = |key: &str| thirdtrail::aws::window::parse_time(truth["window"][key].as_str().unwrap());
    Options {
        request: Request { since: time("since"), until: time("until"), ..Request::default() },
        inventories: inputs::beside(&folder(trail)),
        own_accounts: BTreeSet::new(),
        as_of: None,
        idle_days: u32::try_from(truth["idle_days"].as_u64().unwrap()).unwrap(),
        max_holes: 0.05,
        effort: Effort { jobs, memory_bytes: 64 << 20 },
    }
}

fn run(trail: &str) -> (Outcome, Value) {
    let store = LocalStore::open(&folder(trail)).unwrap();
    let outcome = analyze(&store, &options(trail, 2), &Silent).unwrap();
    let report = file(&outcome, "report.json");
    (outcome, serde_json::from_slice(&report).unwrap())
}

fn file(outcome: &Outcome, path: &str) -> Vec<u8> {
    outcome.files.iter().find(|file| file.path == path).unwrap().bytes.clone()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Every difference, so that one run shows them all.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn same(&mut self, what: String, truth: &Value, got: &Value) {
        if truth != got {
            self.0.push(format!("{what}: truth {truth}, got {got}"));
        }
    }

    fn check(self) {
        assert!(self.0.is_empty(), "{} differences:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// The generator names a federated party by its provider alone, and tells users and services that are not judged here.
fn is_compared(party: &Value) -> bool {
    matches!(party["kind"].as_str().unwrap(), "vendor" | "unknown_account" | "unresolved")
}

/// Actions whose reading in the report is wider than the generator's, which knows the primary action only: a failed
/// object read may have needed `s3:ListBucket` (S20, maybe counts as used).
const WIDER: [&str; 1] = ["s3:ListBucket"];

fn compare_parties(truth: &Value, report: &Value, differences: &mut Differences) {
    let got: BTreeMap<&str, &Value> =
        list(report, "parties").iter().map(|party| (party["id"].as_str().unwrap(), party)).collect();
    for party in list(truth, "parties").iter().filter(|party| is_compared(party)) {
        let id = party["id"].as_str().unwrap();
        let Some(found) = got.get(id) else {
            differences.0.push(format!("party {id} is missing"));
            continue;
        };
        for key in ["kind", "sessions", "calls", "denied", "last_seen"] {
            differences.same(format!("party {id} {key}"), &party[key], &found[key]);
        }
    }
}

fn compare_roles(truth: &Value, report: &Value, differences: &mut Differences) {
    let key = |role: &Value| (role["arn"].as_str().unwrap().to_owned(), role["role_id"].as_str().unwrap().to_owned());
    let got: BTreeMap<(String, String), &Value> = list(report, "roles").iter().map(|role| (key(role), role)).collect();
    let outside = list(truth, "roles").iter().filter(|role| role["third_party"] == true);
    let mut expected = BTreeSet::new();
    for role in outside {
        let name = role["name"].as_str().unwrap();
        // The path of a role that no longer exists is in no record of its sessions.
        let found = got
            .get(&key(role))
            .copied()
            .or_else(|| list(report, "roles").iter().find(|found| found["role_id"] == role["role_id"]));
        let Some(found) = found else {
            differences.0.push(format!("role {name} is missing"));
            continue;
        };
        expected.insert(key(found));
        compare_role(name, role, found, differences);
    }
    for (arn, id) in got.keys().filter(|key| !expected.contains(*key)) {
        differences.0.push(format!("role {arn} {id} is not outside"));
    }
}

fn compare_role(name: &str, truth: &Value, got: &Value, differences: &mut Differences) {
    let federated = truth["admits"].to_string().contains("-provider/");
    for key in ["total", "attribution", "without_external_id", "without_calls", "by_party"] {
        if key != "by_party" || !federated {
            differences.same(format!("role {name} sessions {key}"), &truth["sessions"][key], &got["sessions"][key]);
        }
    }
    differences.same(format!("role {name} last activity"), &truth["last_activity"], &got["last_activity"]);
    if !truth["idle"]["verdict"].is_null() {
        for key in ["verdict", "days"] {
            differences.same(format!("role {name} idle {key}"), &truth["idle"][key], &got["idle"][key]);
        }
    }
    let actions: BTreeMap<&str, &Value> =
        list(got, "actions").iter().map(|entry| (entry["action"].as_str().unwrap(), entry)).collect();
    let wishes: BTreeSet<&str> =
        list(got, "denied_not_granted").iter().filter_map(|entry| entry["action"].as_str()).collect();
    for used in list(truth, "used") {
        let action = used["action"].as_str().unwrap();
        let only_denied = used["calls"] == used["denied"];
        match actions.get(action) {
            None if only_denied && wishes.contains(action) => {}
            None => differences.0.push(format!("role {name}: {action} is missing")),
            Some(entry) => {
                let verdict = entry["verdict"].as_str().unwrap();
                if !only_denied && !matches!(verdict, "used" | "used_not_granted") {
                    differences.0.push(format!("role {name}: {action} was used, but is {verdict}"));
                }
                for key in ["calls", "denied", "failed"] {
                    if !WIDER.contains(&action) {
                        differences.same(format!("role {name} {action} {key}"), &used[key], &entry[key]);
                    }
                }
            }
        }
    }
    let verdict = |action: &Value| actions[action.as_str().unwrap()]["verdict"].as_str().unwrap();
    for action in list(truth, "expected_unused") {
        if verdict(action) != "unused" {
            differences.0.push(format!("role {name}: {action} should be unused, but is {}", verdict(action)));
        }
    }
    for action in list(truth, "expected_not_observable") {
        if !matches!(verdict(action), "not_observable" | "dependent") {
            differences.0.push(format!("role {name}: {action} cannot be judged, but is {}", verdict(action)));
        }
    }
}

fn compare_coverage(truth: &Value, report: &Value, differences: &mut Differences) {
    let (wanted, got) = (&truth["coverage"], &report["coverage"]);
    differences.same("objects read".to_owned(), &wanted["objects"]["read"], &got["objects"]["read"]);
    differences.same(
        "objects failed".to_owned(),
        &wanted["objects"]["failed"],
        &list(&got["objects"], "failed").len().into(),
    );
    differences.same(
        "digests".to_owned(),
        &wanted["objects"]["skipped"]["digest"],
        &got["objects"]["skipped"]["digest"],
    );
    for key in ["total", "duplicate", "bad"] {
        differences.same(format!("records {key}"), &wanted["records"][key], &got["records"][key]);
    }
    let records = &got["records"];
    let number = |key: &str| records[key].as_u64().unwrap();
    assert_eq!(number("total"), number("used") + number("out_of_scope") + number("duplicate") + number("bad"));
}

/// S4, S7, S9, S10, S11, S12, S13, S15, S17, S18, S19, S21, S24, S25, S27, S28: the report says what was made.
#[test]
fn the_report_agrees_with_the_truth() {
    for trail in ["vendors", "holes"] {
        let (truth, (_, report)) = (truth(trail), run(trail));
        let mut differences = Differences::default();
        compare_coverage(&truth, &report, &mut differences);
        compare_parties(&truth, &report, &mut differences);
        compare_roles(&truth, &report, &mut differences);
        differences.check();
    }
}

/// S6: every kind of damage is named with its object and reason, and everything else is intact.
#[test]
fn damage_is_named_and_loses_nothing_else() {
    let (truth, (_, report)) = (truth("damaged"), run("damaged"));
    let mut differences = Differences::default();
    compare_coverage(&truth, &report, &mut differences);
    compare_parties(&truth, &report, &mut differences);
    differences.check();
    let failed: BTreeSet<&str> =
        list(&report["coverage"]["objects"], "failed").iter().map(|object| object["key"].as_str().unwrap()).collect();
    let bad: BTreeSet<&str> =
        list(&report["coverage"], "bad_records").iter().map(|record| record["key"].as_str().unwrap()).collect();
    for damage in list(&truth["coverage"], "damaged") {
        let key = damage["key"].as_str().unwrap();
        let named = if damage["expect"] == "object_failed" { failed.contains(key) } else { bad.contains(key) };
        assert!(named, "{damage} is not named");
    }
    assert_eq!(report["coverage"]["complete"], false);
}

/// S26: above the share of holes that is allowed, nothing is called unused or idle and no policy is written.
#[test]
fn too_many_holes_leave_nothing_unused() {
    let (outcome, report) = run("holes");
    let holed: BTreeSet<&str> = list(&report["coverage"], "accounts")
        .iter()
        .filter(|account| account["hole_share"].as_f64().unwrap() > 0.05)
        .map(|account| account["account_id"].as_str().unwrap())
        .collect();
    assert!(!holed.is_empty());
    for role in list(&report, "roles").iter().filter(|role| holed.contains(role["account_id"].as_str().unwrap())) {
        assert_eq!(role["rightsizing"]["status"], "withheld", "{}", role["arn"]);
        assert!(!matches!(role["idle"]["verdict"].as_str().unwrap(), "idle" | "never_used"), "{}", role["arn"]);
        assert!(list(role, "actions").iter().all(|entry| entry["verdict"] != "unused"), "{}", role["arn"]);
        let folder = format!("roles/{}/{}/", role["account_id"].as_str().unwrap(), role["name"].as_str().unwrap());
        assert!(!outcome.files.iter().any(|f| f.path.starts_with(&folder) && f.path.ends_with(".rightsized.json")));
    }
}

/// S42: neither session tokens nor external ids are in any output.
#[test]
fn no_output_holds_a_secret() {
    let (truth, (outcome, _)) = (truth("vendors"), run("vendors"));
    let inventory: String =
        inputs::beside(&folder("vendors")).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut secrets = vec![truth["secret_mark"].as_str().unwrap().to_owned()];
    for piece in inventory.split("\"sts:ExternalId\":\"").skip(1) {
        secrets.push(piece.split('"').next().unwrap().to_owned());
    }
    // Shorter ones (a vendor's bad habit) occur anywhere by chance.
    secrets.retain(|secret| secret.len() >= 8);
    assert!(secrets.len() > 3);
    for file in &outcome.files {
        for secret in &secrets {
            let found = file.bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds a secret", file.path);
        }
    }
}

/// A store that lists its objects in another order.
struct Reordered<'a>(&'a LocalStore, u64);

impl Store for Reordered<'_> {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = self.0.list()?;
        match self.1 {
            0 => entries.reverse(),
            seed => entries.sort_by_key(|entry| {
                entry.key.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
            }),
        }
        Ok(entries)
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.0.get(key)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.put(key, bytes)
    }
}

/// Invariant 3: the same outputs to the byte, for any number of workers and any order of objects.
#[test]
fn outputs_do_not_depend_on_workers_or_order() {
    let store = LocalStore::open(&folder("damaged")).unwrap();
    let reference = analyze(&store, &options("damaged", 1), &Silent).unwrap().files;
    for jobs in [1, 2, 8] {
        for order in [0, 1, 7] {
            let other = analyze(&Reordered(&store, order), &options("damaged", jobs), &Silent).unwrap().files;
            assert!(reference == other, "{jobs} workers, order {order}: other files");
        }
    }
}

/// The outputs that evidence gives, judged as a run judges it.
fn rendered(evidence: &Evidence, plan: &Plan, options: &Options, scope: &Scope) -> Vec<OutputFile> {
    let (inventory, _) = inputs::inventory(&options.inventories).unwrap();
    let mut own = inventory.accounts.clone();
    own.extend(evidence.coverage.places.keys().map(|(account, _)| *account));
    let reading = Reading {
        listed: plan.listed,
        skipped: plan.skipped.clone(),
        digest_days: plan.digest_days.clone(),
        records: evidence.record_counts(0),
    };
    let window = Window::new(options.request.since.unwrap(), options.request.until.unwrap()).unwrap();
    let inquiry = Inquiry {
        evidence,
        reading: &reading,
        inventory: &inventory,
        accounts: Accounts { own: &own, directory: Directory::builtin() },
        catalog: Catalog::builtin(),
        window,
        as_of: window.until,
        idle_days: options.idle_days,
        max_holes: options.max_holes,
        scope,
        hands: &OneByOne,
    };
    render(&mut assess(&inquiry)).unwrap()
}

/// Invariant 3: evidence that went through tables, object by object and as a whole, says the same to the byte.
#[test]
fn evidence_through_tables_gives_the_same_report() {
    for trail in ["vendors", "damaged"] {
        let options = options(trail, 1);
        let store = LocalStore::open(&folder(trail)).unwrap();
        let plan = plan(store.list().unwrap(), &options.request).unwrap();
        let scope = Arc::new(Scope { window: plan.window, ..Scope::default() });
        let (mut direct, mut saved) = (Evidence::default(), Evidence::default());
        for entry in &plan.objects {
            let one = observe(&entry.key, &store.get(&entry.key).unwrap(), &scope);
            saved.merge(through_tables(&one));
            direct.merge(one);
        }
        let reference = rendered(&direct, &plan, &options, &scope);
        for (what, evidence) in [("objects", saved), ("the whole", through_tables(&direct))] {
            let files = rendered(&evidence, &plan, &options, &scope);
            let paths = |files: &[OutputFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
            assert_eq!(paths(&reference), paths(&files), "{trail}, {what} through tables");
            for (one, other) in reference.iter().zip(&files) {
                assert!(one.bytes == other.bytes, "{trail}, {what} through tables: another {}", one.path);
            }
        }
        // The hand-made inquiry is the one of a run, but for roles that a run may keep quiet.
        let run = analyze(&store, &options, &Silent).unwrap().files;
        let paths = |files: &[OutputFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&reference), paths(&run), "{trail}");
    }
}

fn through_tables(evidence: &Evidence) -> Evidence {
    Evidence::from_tables(evidence.to_tables().unwrap()).unwrap()
}
