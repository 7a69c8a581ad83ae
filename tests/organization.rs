//! An organization of fifty accounts and forty vendors, made and analyzed: parties, sessions and findings are what the
//! generator wrote down, and nothing of our own is called an outsider's.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod truth;

use std::collections::BTreeSet;

use serde_json::Value;
use tempfile::TempDir;
use thirdtrail::aws::window::parse_time;
use thirdtrail::generate::{Options as Made, Size, write_to_folder};
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::inputs;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::local::LocalStore;

use truth::{Differences, compare_findings, compare_parties, compare_roles, compare_subjects, list};

/// S10, S11, S12, S13, S14, S15, S16, S17, S18, S28, S40, S41: chains of three roles, roles that were made again, resource
/// policies, users' keys, providers, certificates and delegation, in fifty accounts.
#[test]
fn an_organization_is_told_as_it_was_made() {
    let folder = TempDir::new().unwrap();
    let made = Made {
        seed: 50,
        accounts: 50,
        vendors: 40,
        every_channel: true,
        size: Size::Records(14_000),
        third_party_share: 0.5,
        regions: vec!["us-east-1".to_owned()],
        gzip_level: 1,
        ..Made::default()
    };
    write_to_folder(&made, folder.path()).unwrap();
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    let time = |key: &str| parse_time(truth["window"][key].as_str().unwrap());
    let options = Options {
        request: Request { since: time("since"), until: time("until"), ..Request::default() },
        inventories: inputs::beside(folder.path()),
        idle_days: 90,
        key_days: 90,
        max_holes: 0.05,
        effort: Effort { jobs: 2, memory_bytes: 64 << 20 },
        ..Options::default()
    };
    let outcome = analyze(&LocalStore::open(folder.path()).unwrap(), &options, &Silent).unwrap();
    let report: Value =
        serde_json::from_slice(&outcome.files.iter().find(|file| file.path == "report.json").unwrap().bytes).unwrap();
    let mut differences = Differences::default();
    compare_parties(&truth, &report, &mut differences);
    compare_roles(&truth, &report, &mut differences);
    compare_findings(&truth, &report, &mut differences);
    compare_subjects(&truth, &report, &mut differences);
    differences.check(&[("parties", 40), ("roles", 80), ("findings", 300)]);
    let channels: BTreeSet<&str> = list(&report, "parties")
        .iter()
        .flat_map(|party| list(party, "channels"))
        .map(|channel| channel.as_str().unwrap())
        .collect();
    let every = [
        "access_key",
        "assume_role",
        "resource_policy",
        "role_chain",
        "roles_anywhere",
        "saml",
        "temporary_delegation",
        "unknown",
        "web_identity",
    ];
    assert!(channels.iter().eq(every.iter()), "{channels:?}");
}
