//! The bundled trails come out of the generator as they lie in `testdata/trails`; `THIRDTRAIL_REFRESH=1` writes them.

#![allow(clippy::unwrap_used, reason = "the lint knows tests, not their helpers")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use thirdtrail::generate::{Damage, Hole, Options, Size, generate, write_to_folder};

fn base() -> Options {
    let regions = ["us-east-1", "eu-west-1", "ap-southeast-2"].map(str::to_owned).to_vec();
    Options { regions, gzip_level: 9, third_party_share: 0.55, ..Options::default() }
}

fn scenarios() -> [(&'static str, Options); 3] {
    let vendors = Options {
        seed: 20_260_501,
        size: Size::Records(2_700),
        duplicates_share: 0.01,
        late_share: 0.01,
        digest_every_days: 14,
        ..base()
    };
    let damaged = Options { seed: 2, days: 4, size: Size::Records(350), damage: Damage::ALL.to_vec(), ..base() };
    let holes = Options {
        seed: 3,
        days: 40,
        idle_days: 30,
        size: Size::Records(800),
        regions: vec!["us-east-1".to_owned()],
        digest_every_days: 0,
        holes: vec![
            Hole::NoObjects { first_day: 8, days: 2 },
            Hole::LoggingStopped { account: 0, first_day: 20, last_day: 27 },
        ],
        ..base()
    };
    [("vendors", vendors), ("damaged", damaged), ("holes", holes)]
}

fn files_under(folder: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, root, found);
        } else {
            let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.insert(key, std::fs::read(&path).unwrap());
        }
    }
}

fn made(options: &Options) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    generate(options, &mut |key, bytes| {
        assert!(files.insert(key.to_owned(), bytes.to_vec()).is_none(), "{key} twice");
        Ok(())
    })
    .unwrap();
    files
}

/// As much as can be inflated; the bytes themselves where nothing can.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let whole = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out);
    if whole.is_ok() || !out.is_empty() { out } else { bytes.to_vec() }
}

/// Another processor may compress differently, so objects that differ are compared inflated.
#[test]
fn bundled_trails_are_what_the_generator_makes() {
    for (name, options) in scenarios() {
        let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), "testdata", "trails", name].iter().collect();
        if std::env::var_os("THIRDTRAIL_REFRESH").is_some() {
            let _ = std::fs::remove_dir_all(&root);
            write_to_folder(&options, &root).unwrap();
        }
        let (mut kept, made) = (BTreeMap::new(), made(&options));
        files_under(&root, &root, &mut kept);
        assert!(kept.keys().eq(made.keys()), "{name}: other files");
        for (key, bytes) in &made {
            assert!(kept[key] == *bytes || inflated(&kept[key]) == inflated(bytes), "{name}: {key} differs");
        }
    }
}

/// S4: what the truth counts is what the objects hold, counted again from their bytes.
#[test]
fn truth_counts_what_the_objects_hold() {
    let files = made(&scenarios()[0].1);
    let truth: serde_json::Value = serde_json::from_slice(&files["truth.json"]).unwrap();
    let (mut total, mut ids) = (0_u64, std::collections::HashSet::new());
    for (key, bytes) in files.iter().filter(|(key, _)| key.contains("/CloudTrail/")) {
        let object: serde_json::Value =
            serde_json::from_slice(&inflated(bytes)).unwrap_or_else(|error| panic!("{key}: {error}"));
        for record in object["Records"].as_array().unwrap() {
            total += 1;
            ids.insert(record["eventID"].as_str().unwrap().to_owned());
        }
    }
    let records = &truth["coverage"]["records"];
    assert_eq!(records["total"], total);
    assert_eq!(records["duplicate"], total - ids.len() as u64);
}
