//! The oracle in `queries/oracle` works out from the evidence, in SQL and by the rules alone, who opened which session, what
//! was called and which actions were used; a run must have written the same.
//!
//! DuckDB runs the queries, and the grammar of Trino reads them, as in `tests/queries.rs`. Where these cannot be had, the
//! test says so on a line of its own and passes. What the oracle takes for given is written here from public functions;
//! see `queries/oracle/README.md`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop here")]

mod beside;
mod bundled;
mod odd;
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beside::say;
use python::{Python, run};
use serde_json::json;
use tempfile::TempDir;
use thirdtrail::activity::directory::{Directory, KnownKind};
use thirdtrail::activity::party_user::{PartyUsers, UserFacts};
use thirdtrail::aws::window::rfc3339;
use thirdtrail::evidence::observe::observe;
use thirdtrail::evidence::{Evidence, Scope};
use thirdtrail::generate::{Damage, Options as Made, Size, write_to_folder};
use thirdtrail::policy::inventory::Inventory;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::inputs;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::plan;
use thirdtrail::store::Store;
use thirdtrail::store::local::LocalStore;

const PACKAGES: [&str; 4] = ["duckdb", "sqlglot", "trino-query-parser", "pytz"];
const MODULES: &str = "duckdb, sqlglot, trino_query_parser, pytz";

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// An organization with outsiders by every channel and damaged objects.
fn organization(folder: &Path) {
    let made = Made {
        seed: 7,
        days: 40,
        accounts: 5,
        vendors: 12,
        every_channel: true,
        size: Size::Records(6_000),
        third_party_share: 0.3,
        damage: Damage::ALL.to_vec(),
        gzip_level: 1,
        ..Made::default()
    };
    write_to_folder(&made, folder).unwrap();
}

/// The evidence of a trail with no role left out, since the oracle is to find out for itself which roles matter.
fn evidence(store: &dyn Store, options: &Options, inventory: &Inventory) -> Evidence {
    let plan = plan(store.list().unwrap(), &options.request).unwrap();
    let party_users = party_users(inventory, &Evidence::default());
    let scope = Arc::new(Scope {
        window: plan.window,
        party_users: party_users.iter().map(|(arn, _)| arn.to_owned()).collect(),
        party_names: Directory::builtin().party_names(),
        ..Scope::default()
    });
    let (mut evidence, mut object) = (Evidence::default(), Vec::new());
    for entry in &plan.objects {
        store.get(&entry.key, &mut object).unwrap();
        evidence.merge(observe(&entry.key, &object, &scope));
    }
    evidence
}

/// The users whose keys third parties hold (S16).
fn party_users(inventory: &Inventory, evidence: &Evidence) -> PartyUsers {
    let (mut users, names) = (PartyUsers::default(), Directory::builtin().party_names());
    for arn in evidence.users().filter(|arn| !inventory.users.contains_key(*arn)) {
        users.note(UserFacts { arn, ..UserFacts::default() }, &names);
    }
    for user in inventory.users.values() {
        users.note(UserFacts { arn: &user.arn, id: &user.id, tags: Some(&user.tags), listed: None }, &names);
    }
    users
}

/// What the oracle takes for given beside the evidence.
fn write_given(folder: &Path, options: &Options, inventory: &Inventory, evidence: &Evidence) {
    let directory = Directory::builtin().iter();
    let directory = directory.map(
        |(account, known)| json!({"account": account, "name": known.name, "aws": known.kind == KnownKind::AwsService}),
    );
    let users = party_users(inventory, evidence);
    let users = users.iter().map(|(arn, user)| json!({"arn": arn, "name": user.party.name}));
    let roles = inventory.roles.values().map(|role| {
        json!({"account": role.account, "name": role.name, "id": role.id, "arn": role.arn,
            "trust": role.trust.value, "service_linked": role.is_service_linked()})
    });
    let given = json!({
        "since": options.request.since.map(rfc3339),
        "until": options.request.until.map(rfc3339),
        "directory": directory.collect::<Vec<_>>(),
        "own": inventory.accounts,
        "users": users.collect::<Vec<_>>(),
        "roles": roles.collect::<Vec<_>>(),
    });
    fs::write(folder.join("given.json"), given.to_string()).unwrap();
}

/// The evidence of a trail, what is given, and what a run makes of it, as files.
fn write_scenario(trail: &Path, folder: &Path) {
    let (store, options) = (LocalStore::open(trail).unwrap(), bundled::options(trail.to_str().unwrap(), 2));
    let (inventory, _) = inputs::inventory(&options.inventories).unwrap();
    let evidence = evidence(&store, &options, &inventory);
    fs::create_dir_all(folder.join("evidence")).unwrap();
    for (name, bytes) in evidence.to_tables().unwrap() {
        fs::write(folder.join("evidence").join(name).with_extension("parquet"), bytes).unwrap();
    }
    write_given(folder, &options, &inventory, &evidence);
    let outcome = analyze(&store, &options, &Silent).unwrap();
    let is_compared = |path: &str| path.starts_with("parquet/") || path == "report.json";
    for file in outcome.files.iter().filter(|file| is_compared(&file.path)) {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.bytes).unwrap();
    }
}

/// S3, S4, S9 to S21: the tables of a run are what the rules make of its evidence, session by session, API by API and action by
/// action; and no session, call or action of them can change without its being noticed.
#[test]
fn a_run_says_what_the_rules_make_of_the_evidence() {
    let python = match Python::new().and_then(|python| python.with(&PACKAGES, MODULES)) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: SQL oracle absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let scratch = TempDir::new().unwrap();
    let (made, odd) = (scratch.path().join("made"), scratch.path().join("odd"));
    organization(&made);
    odd::write(&odd);
    let mut command = python.command();
    command
        .arg(tree("tests/sql/oracle.py"))
        .arg(tree("queries/oracle"))
        .arg(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    for trail in [bundled::folder("vendors"), bundled::folder("damaged"), bundled::folder("holes"), made, odd] {
        let folder = scratch.path().join("scenarios").join(trail.file_name().unwrap());
        write_scenario(&trail, &folder);
        command.arg(&trail).arg(&folder);
    }
    let said = run(&mut command);
    say(&format!("oracle: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}

/// S10, S17: whose session it is stays open where different callers opened one of that name in that moment, and where another
/// key shows that it is another; not where all were opened by one caller. What comes from a role of ours that no outsider can
/// assume, and that none was seen in, is ours.
#[test]
fn doubt_about_a_session_is_said_and_certainty_too() {
    let folder = TempDir::new().unwrap();
    odd::write(folder.path());
    let options = bundled::options(folder.path().to_str().unwrap(), 1);
    let assessment = analyze(&LocalStore::open(folder.path()).unwrap(), &options, &Silent).unwrap().assessment;
    let check = |name: &str, expected: &[(&str, &str, i64)]| {
        let rows = assessment.sessions.iter().flatten().filter(|row| &*row.session_name == name);
        let mut found: Vec<(&str, &str, i64)> =
            rows.map(|row| (&*row.party_id, &*row.attribution, row.calls)).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{name}");
    };
    let (vendor, other) = ("464622532012", "017663287629");
    check("twins", &[(other, "exact", 0), (vendor, "exact", 0), ("unresolved", "unresolved", 1)]);
    check("siblings", &[(vendor, "exact", 0), (vendor, "inferred", 1)]);
    check("another-key", &[(vendor, "exact", 0), ("unresolved", "unresolved", 1)]);
    check("no-key-at-first", &[(vendor, "inferred", 1)]);
    check("of-ours", &[("111122223333", "exact", 0)]);
    check("of-more", &[("unresolved", "unresolved", 0)]);
}
