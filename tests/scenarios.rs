//! The bundled trails, analyzed and compared with the truth that their generator wrote down while making them.
//!
//! One body runs through every mode of execution: workers, order of objects, evidence through tables or not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its trail has failed"
)]

mod bundled;
mod truth;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use thirdtrail::activity::directory::Directory;
use thirdtrail::activity::party::{Accounts, NO_ORGANIZATION};
use thirdtrail::activity::party_user::PartyUsers;
use thirdtrail::aws::Window;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::evidence::observe::observe;
use thirdtrail::evidence::tables::columnar::decode;
use thirdtrail::evidence::{Evidence, Scope};
use thirdtrail::finding::assess::{Inquiry, assess};
use thirdtrail::finding::beside::Beside;
use thirdtrail::finding::coverage::Reading;
use thirdtrail::finding::trust_steps::TrustWishes;
use thirdtrail::generate::Damage;
use thirdtrail::policy::catalog::Catalog;
use thirdtrail::report::tables::{SCHEMA, TABLES};
use thirdtrail::report::{OutputFile, render};
use thirdtrail::run::analyze::{Options, Outcome, analyze};
use thirdtrail::run::call_log::CallRuns;
use thirdtrail::run::inputs;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::{Plan, plan};
use thirdtrail::run::shelf::DiskShelf;
use thirdtrail::run::spool::Spool;
use thirdtrail::store::local::LocalStore;
use thirdtrail::store::{Entry, Store, StoreError};

use bundled::{folder, options};
use truth::{Differences, compare_coverage, compare_findings, compare_parties, compare_roles, compare_subjects, list};

fn run(trail: &str) -> (Outcome, Value) {
    let store = LocalStore::open(&folder(trail)).unwrap();
    let outcome = analyze(&store, &options(trail, 2), &Silent).unwrap();
    let report = bundled::report(&outcome);
    (outcome, report)
}

/// S4, S7, S9, S10, S11, S12, S13, S15, S17, S18, S19, S21, S24, S25, S27, S28: the report says what was made.
#[test]
fn the_report_agrees_with_the_truth() {
    for trail in ["vendors", "holes"] {
        let (truth, (_, report)) = (bundled::truth(trail), run(trail));
        let mut differences = Differences::default();
        compare_coverage(&truth, &report, &mut differences);
        compare_parties(&truth, &report, &mut differences);
        compare_roles(&truth, &report, &mut differences);
        compare_findings(&truth, &report, &mut differences);
        compare_subjects(&truth, &report, &mut differences);
        differences.check(&[
            ("parties", 20),
            ("roles", 20),
            ("idle verdicts", 10),
            ("used actions", 90),
            ("unused actions", 15),
            ("actions that cannot be judged", 10),
        ]);
    }
}

/// S6: every kind of damage is named with its object and reason, and everything else is intact.
#[test]
fn damage_is_named_and_loses_nothing_else() {
    let (truth, (_, report)) = (bundled::truth("damaged"), run("damaged"));
    let mut differences = Differences::default();
    compare_coverage(&truth, &report, &mut differences);
    compare_parties(&truth, &report, &mut differences);
    differences.check(&[("parties", 20)]);
    let failed: BTreeSet<&str> =
        list(&report["coverage"]["objects"], "failed").iter().map(|object| object["key"].as_str().unwrap()).collect();
    let bad: BTreeSet<&str> =
        list(&report["coverage"], "bad_records").iter().map(|record| record["key"].as_str().unwrap()).collect();
    assert_eq!(list(&truth["coverage"], "damaged").len(), Damage::ALL.len());
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
    let (mut roles, mut actions, mut files) = (0, 0, 0);
    for role in list(&report, "roles").iter().filter(|role| holed.contains(role["account_id"].as_str().unwrap())) {
        roles += 1;
        actions += list(role, "actions").len();
        assert_eq!(role["rightsizing"]["status"], "withheld", "{}", role["arn"]);
        assert!(!matches!(role["idle"]["verdict"].as_str().unwrap(), "idle" | "never_used"), "{}", role["arn"]);
        assert!(list(role, "actions").iter().all(|entry| entry["verdict"] != "unused"), "{}", role["arn"]);
        let folder = format!("roles/{}/{}/", role["account_id"].as_str().unwrap(), role["name"].as_str().unwrap());
        let written = outcome.files.iter().filter(|file| file.path.starts_with(&folder));
        let written: Vec<&str> = written.map(|file| file.path.as_str()).collect();
        assert!(!written.iter().any(|path| path.contains(".rightsized")), "{written:?}");
        files += written.len();
    }
    assert!(roles > 5 && actions > 50 && files > roles, "{roles} roles, {actions} actions, {files} files");
}

/// S42: neither session tokens nor external ids are in any output.
#[test]
fn no_output_holds_a_secret() {
    let (truth, (outcome, _)) = (bundled::truth("vendors"), run("vendors"));
    let inventory: String =
        inputs::beside(&folder("vendors")).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut secrets = vec![truth["secret_mark"].as_str().unwrap().to_owned()];
    for piece in inventory.split("\"sts:ExternalId\":\"").skip(1) {
        secrets.push(piece.split('"').next().unwrap().to_owned());
    }
    // Shorter ones (a vendor's bad habit) occur anywhere by chance.
    secrets.retain(|secret| secret.len() >= 8);
    assert!(secrets.len() > 3);
    let mut tables = 0;
    for file in &outcome.files {
        let table = TABLES.into_iter().find(|table| file.path.starts_with(&format!("parquet/{}/", table.name)));
        // Tables are compressed: their rows are searched as text.
        let text = match table {
            Some(table) => {
                tables += 1;
                let rows: Vec<Value> = decode(SCHEMA, table.columns, file.bytes.clone()).unwrap();
                Value::from(rows).to_string().into_bytes()
            }
            None => file.bytes.clone(),
        };
        for secret in &secrets {
            let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds a secret", file.path);
        }
    }
    assert_eq!(tables, outcome.files.iter().filter(|file| file.path.ends_with(".parquet")).count());
    assert!(tables > 10);
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

    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        self.0.get(key, buffer)
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

/// S44, invariant 3: the same outputs to the byte with hardly any memory, when actors and ids go to disk again and again.
#[test]
fn outputs_do_not_depend_on_memory() {
    for trail in ["vendors", "damaged"] {
        let store = LocalStore::open(&folder(trail)).unwrap();
        let plenty = analyze(&store, &options(trail, 2), &Silent).unwrap();
        let moved = (plenty.on_disk.ids_moved, plenty.on_disk.sessions_moved);
        assert_eq!(moved, (0, 0), "{trail}: nothing but single calls needed to go to disk");
        for jobs in [1, 2, 8] {
            let mut options = options(trail, jobs);
            options.effort.memory_bytes = 0;
            let scarce = analyze(&Reordered(&store, 7), &options, &Silent).unwrap();
            assert!(scarce.on_disk.sessions_moved > jobs, "{trail}: {:?}", scarce.on_disk);
            assert!(plenty.files == scarce.files, "{trail}, {jobs} workers: other files");
            let calls = |outcome: &Outcome| -> Vec<(String, String)> {
                outcome.activity.files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect()
            };
            assert_eq!(calls(&plenty), calls(&scarce), "{trail}, {jobs} workers: other calls");
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
        integrity: None,
        records: evidence.record_counts(),
    };
    let window = Window::new(options.request.since.unwrap(), options.request.until.unwrap()).unwrap();
    let (mut evidence, shelf, calls) = (evidence.clone(), DiskShelf::default(), CallRuns::new(0));
    let single = evidence.take_calls();
    shelf.put_calls(&evidence.names, &single).unwrap();
    let inquiry = Inquiry {
        trust: TrustWishes::default(),
        evidence: &evidence,
        shelf: &shelf,
        calls: &calls,
        reading: &reading,
        inventory: &inventory,
        accounts: Accounts { own: &own, organizations: &NO_ORGANIZATION, directory: Directory::builtin() },
        catalog: Catalog::builtin(),
        window,
        as_of: window.until,
        users: &PartyUsers::default(),
        idle_days: options.idle_days,
        key_days: options.key_days,
        max_holes: options.max_holes,
        beside: &Beside::default(),
        narrowing: None,
        keep: &[],
        suppressions: &[],
        scope,
        hands: &OneByOne,
    };
    let mut assessment = assess(&inquiry).unwrap();
    let (activity, daily) = Spool::of(&calls.by_day().unwrap(), &OneByOne).unwrap();
    daily.fill(&mut assessment);
    let mut files = render(&mut assessment).unwrap();
    for file in &activity.files {
        let mut bytes = Vec::new();
        activity.copy(file, &mut bytes).unwrap();
        files.push(OutputFile::new(file.path.clone(), bytes));
    }
    files
}

/// Invariant 3: evidence that went through tables, object by object and as a whole, says the same to the byte.
#[test]
fn evidence_through_tables_gives_the_same_report() {
    for trail in ["vendors", "damaged"] {
        let options = options(trail, 1);
        let store = LocalStore::open(&folder(trail)).unwrap();
        let plan = plan(store.list().unwrap(), &options.request).unwrap();
        let scope = Arc::new(Scope { window: plan.window, ..Scope::default() });
        let (mut direct, mut saved, mut object) = (Evidence::default(), Evidence::default(), Vec::new());
        for entry in &plan.objects {
            store.get(&entry.key, &mut object).unwrap();
            let one = observe(&entry.key, &object, &scope);
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
        // The hand-made inquiry is the one of a run, but for roles that a run may keep quiet and for users that are parties.
        let run = analyze(&store, &options, &Silent).unwrap().files;
        let paths = |files: &[OutputFile]| {
            let paths = files.iter().map(|file| file.path.clone());
            let others = ["report/parties/", "parquet/activity/"];
            paths.filter(|path| others.iter().all(|other| !path.starts_with(other))).collect::<Vec<_>>()
        };
        assert_eq!(paths(&reference), paths(&run), "{trail}");
    }
}

fn through_tables(evidence: &Evidence) -> Evidence {
    Evidence::from_tables(evidence.to_tables().unwrap()).unwrap()
}
