//! A source whose objects cannot all be fetched: that is coverage, named and judged, and never a crash.
//!
//! Damage within objects is tested with the trail `damaged`; here the store itself fails, as a network or a permission
//! does, at the places where a test wants it to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its trail has failed")]

mod bundled;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use thirdtrail::run::UserError;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::plan;
use thirdtrail::store::faulty::FaultyStore;
use thirdtrail::store::local::LocalStore;
use thirdtrail::store::memory::MemoryStore;
use thirdtrail::store::{Store, StoreError};

use bundled::{folder, options, report};

type Faults = BTreeMap<String, StoreError>;

fn vendors() -> LocalStore {
    LocalStore::open(&folder("vendors")).unwrap()
}

/// The keys that a run reads, by key.
fn keys_read(store: &dyn Store) -> Vec<String> {
    let plan = plan(store.list().unwrap(), &options("vendors", 1).request).unwrap();
    plan.objects.into_iter().map(|entry| entry.key).collect()
}

fn report_of(store: &dyn Store, options: &Options) -> Value {
    report(&analyze(store, options, &Silent).unwrap())
}

/// One fault of each kind, spread over the trail.
fn three_faults(keys: &[String]) -> Faults {
    let errors = [StoreError::Missing, StoreError::Denied, StoreError::Other("connection reset by peer".to_owned())];
    let places = [keys.len() / 5, keys.len() / 2, keys.len() - 9];
    places.into_iter().zip(errors).map(|(at, error)| (keys[at].clone(), error)).collect()
}

/// The account and day in the key of an object.
fn account_and_day(key: &str) -> (String, String) {
    let (_, inside) = key.split_once("AWSLogs/").unwrap();
    let parts: Vec<&str> = inside.split('/').filter(|part| !part.starts_with("o-")).collect();
    (parts[0].to_owned(), parts[3..6].join("-"))
}

/// S6: an object that cannot be fetched is named with the store's reason, and the run is incomplete; everything else is
/// read, as from a trail that never had these objects.
#[test]
fn objects_that_cannot_be_fetched_are_named_and_nothing_else_is_lost() {
    let store = vendors();
    let keys = keys_read(&store);
    let faults = three_faults(&keys);
    let whole = report_of(&store, &options("vendors", 2));
    let broken = report_of(&FaultyStore::new(&store, faults.clone()), &options("vendors", 2));
    assert_eq!((&whole["coverage"]["complete"], &broken["coverage"]["complete"]), (&json!(true), &json!(false)));
    let failed: Vec<Value> =
        faults.iter().map(|(key, error)| json!({"key": key, "reason": error.to_string()})).collect();
    assert_eq!(broken["coverage"]["objects"]["failed"], Value::from(failed));
    assert_eq!(broken["coverage"]["objects"]["read"], keys.len() - faults.len());
    assert_eq!(broken["coverage"]["objects"]["listed"], whole["coverage"]["objects"]["listed"]);

    let entries = store.list().unwrap().into_iter().filter(|entry| !faults.contains_key(&entry.key));
    let object = |key: String| {
        let mut bytes = Vec::new();
        store.get(&key, &mut bytes).unwrap();
        (key, bytes)
    };
    let rest: MemoryStore = entries.map(|entry| object(entry.key)).collect();
    let without = report_of(&rest, &options("vendors", 2));
    let total = |report: &Value| report["coverage"]["records"]["total"].as_u64().unwrap();
    assert!(total(&broken) < total(&whole), "the objects that failed held nothing");
    for part in ["records", "bytes", "unmapped"] {
        assert_eq!(broken["coverage"][part], without["coverage"][part], "{part}");
    }
    assert_eq!(broken["parties"], without["parties"]);
    let seen = |report: &Value| -> Vec<Value> {
        let role = |role: &Value| json!([role["arn"], role["role_id"], role["sessions"], role["last_activity"]]);
        report["roles"].as_array().unwrap().iter().map(role).collect()
    };
    assert!(seen(&broken).len() > 20);
    assert_eq!(seen(&broken), seen(&without));
}

/// S26: the day of an object that could not be fetched is a hole of its account, and of no other.
#[test]
fn the_day_of_an_object_that_cannot_be_fetched_is_a_hole() {
    let store = vendors();
    let faults = three_faults(&keys_read(&store));
    let holes = |store: &dyn Store| -> BTreeSet<(String, String)> {
        let report = report_of(store, &options("vendors", 2));
        let accounts = report["coverage"]["accounts"].as_array().unwrap();
        let of = |account: &Value| -> Vec<(String, String)> {
            let unreadable = account["holes"].as_array().unwrap().iter();
            let unreadable = unreadable.filter(|hole| hole["reason"] == "unreadable_object");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            unreadable.map(|hole| (text(&account["account_id"]), text(&hole["day"]))).collect()
        };
        accounts.iter().flat_map(of).collect()
    };
    let expected: BTreeSet<_> = faults.keys().map(|key| account_and_day(key)).collect();
    assert_eq!(expected.len(), 3);
    assert_eq!(holes(&store), BTreeSet::new());
    assert_eq!(holes(&FaultyStore::new(&store, faults)), expected);
}

/// S26: where the objects of an account cannot be fetched, absence of use means nothing there, and no policy is cut;
/// the other accounts are judged as before, as far as nobody came to them from there.
#[test]
fn an_account_that_cannot_be_fetched_is_not_judged() {
    let (store, lost) = (vendors(), "012345678901");
    let keys = keys_read(&store).into_iter().filter(|key| account_and_day(key).0 == lost);
    let faults: Faults = keys.map(|key| (key, StoreError::Denied)).collect();
    assert!(faults.len() > 100);
    let whole = report_of(&store, &options("vendors", 2));
    let broken = report_of(&FaultyStore::new(&store, faults.clone()), &options("vendors", 2));
    assert_eq!(broken["coverage"]["objects"]["failed"].as_array().unwrap().len(), faults.len());
    let account =
        broken["coverage"]["accounts"].as_array().unwrap().iter().find(|account| account["account_id"] == lost);
    assert!(account.unwrap()["hole_share"].as_f64().unwrap() > 0.9, "{account:?}");
    let proposals = |report: &Value, of_lost: bool| -> BTreeSet<String> {
        let roles = report["roles"].as_array().unwrap().iter();
        let roles = roles.filter(|role| (role["account_id"] == lost) == of_lost);
        roles
            .filter(|role| role["rightsizing"]["status"] == "proposed")
            .map(|role| role["arn"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(!proposals(&whole, true).is_empty());
    assert_eq!(proposals(&broken, true), BTreeSet::new());
    // Outsiders come to this one only by a chain of roles through the account that is lost.
    let chained = BTreeSet::from(["arn:aws:iam::210987654321:role/ZestySpoke".to_owned()]);
    assert!(proposals(&broken, false).len() > 5);
    assert_eq!(&proposals(&broken, false) | &chained, proposals(&whole, false));
    let mut actions = 0;
    for role in broken["roles"].as_array().unwrap().iter().filter(|role| role["account_id"] == lost) {
        assert!(!matches!(role["idle"]["verdict"].as_str().unwrap(), "idle" | "never_used"), "{}", role["arn"]);
        for entry in role["actions"].as_array().unwrap() {
            assert_ne!(entry["verdict"], "unused", "{} {}", role["arn"], entry["action"]);
            actions += 1;
        }
    }
    assert!(actions > 100, "only {actions} actions of the account are in the report");
}

/// S6, S26: nothing could be fetched: with a window the report says so and proposes nothing; without one there is no day
/// to judge, which is an error.
#[test]
fn a_source_of_which_nothing_can_be_fetched_gives_no_policy() {
    let store = vendors();
    let faults: Faults = keys_read(&store).into_iter().map(|key| (key, StoreError::Denied)).collect();
    let broken = FaultyStore::new(&store, faults.clone());
    let report = report_of(&broken, &options("vendors", 2));
    assert_eq!((&report["coverage"]["complete"], &report["coverage"]["objects"]["read"]), (&json!(false), &json!(0)));
    assert_eq!(report["coverage"]["objects"]["failed"].as_array().unwrap().len(), faults.len());
    let roles = report["roles"].as_array().unwrap();
    assert!(!roles.is_empty());
    for role in roles {
        assert_eq!(role["rightsizing"]["status"], "withheld", "{}", role["arn"]);
    }
    let mut undated = options("vendors", 2);
    (undated.request.since, undated.request.until) = (None, None);
    let keys = store.list().unwrap().into_iter().map(|entry| (entry.key, StoreError::Denied));
    let error = analyze(&FaultyStore::new(&store, keys), &undated, &Silent).unwrap_err();
    assert_eq!(error.what, "no record with a time and an account could be read");
}

/// Invariant 3: faults too give the same bytes for any number of workers.
#[test]
fn outputs_with_faults_do_not_depend_on_workers() {
    let store = vendors();
    let broken = FaultyStore::new(&store, three_faults(&keys_read(&store)));
    let files = |jobs: usize| analyze(&broken, &options("vendors", jobs), &Silent).unwrap().files;
    assert!(files(1) == files(3));
}

/// A source that cannot be listed is the user's to mend: one line says what is wrong and what to do.
#[test]
fn a_source_that_cannot_be_listed_is_an_error() {
    let store = vendors();
    for fault in [StoreError::Missing, StoreError::Denied, StoreError::Other("timed out".to_owned())] {
        let expected = UserError::new(format!("cannot list the source: {fault}"), "check its name and permissions");
        let broken = FaultyStore::unlisted(&store, fault);
        assert_eq!(analyze(&broken, &options("vendors", 1), &Silent).unwrap_err(), expected);
    }
}
