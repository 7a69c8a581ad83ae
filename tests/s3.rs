//! The trail in a real bucket: read, listed by days, and written to, against SeaweedFS on loopback.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read its trail has failed")]

mod bundled;
mod folders;
mod python;
mod seaweed;

use std::collections::BTreeMap;

use assert_cmd::Command;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;
use sha2::{Digest, Sha256};
use thirdtrail::store::aws::{Aws, AwsOptions};
use thirdtrail::store::s3::{Manner, S3Store};
use thirdtrail::store::{KeyRange, Store, StoreError};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use bundled::folder;
use seaweed::{OPEN, OWNER, READER, Seaweed, server};

/// Where the trail lies in its bucket.
const PREFIX: &str = "some/prefix/";

/// The server as its owner sees it.
struct Owner {
    runtime: Runtime,
    client: Client,
}

impl Owner {
    fn new(server: &Seaweed) -> Self {
        let config = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(Credentials::new(OWNER.0, OWNER.1, None, None, "test"))
            .region(Region::new("us-east-1"))
            .endpoint_url(&server.url)
            .force_path_style(true);
        let runtime = Runtime::new().unwrap();
        Self { client: Client::from_conf(config.build()), runtime }
    }

    fn create(&self, bucket: &str) {
        self.runtime.block_on(self.client.create_bucket().bucket(bucket).send()).unwrap();
    }

    fn put(&self, bucket: &str, objects: impl IntoIterator<Item = (String, Vec<u8>)>) {
        self.runtime.block_on(async {
            let mut puts = JoinSet::new();
            for (key, bytes) in objects {
                puts.spawn(self.client.put_object().bucket(bucket).key(key).body(ByteStream::from(bytes)).send());
            }
            while let Some(done) = puts.join_next().await {
                done.unwrap().unwrap();
            }
        });
    }

    fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let listed = self.client.list_objects_v2().bucket(bucket).prefix(prefix).send();
        let listed = self.runtime.block_on(listed).unwrap();
        assert_eq!(listed.is_truncated(), Some(false));
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    fn get(&self, bucket: &str, key: &str) -> Vec<u8> {
        self.runtime.block_on(async {
            let got = self.client.get_object().bucket(bucket).key(key).send().await.unwrap();
            got.body.collect().await.unwrap().to_vec()
        })
    }

    /// All below a prefix, by the rest of the key.
    fn files(&self, bucket: &str, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let keys = self.keys(bucket, prefix);
        keys.iter().map(|key| (key[prefix.len()..].to_owned(), self.get(bucket, key))).collect()
    }
}

/// Runs the program as somebody with keys: exit code, standard output, standard error.
fn run_as((access, secret): (&str, &str), server: &Seaweed, arguments: &[&str]) -> (i32, String, String) {
    let environment = [
        ("AWS_ACCESS_KEY_ID", access),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_CONFIG_FILE", "/nowhere"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    command.env_clear().envs(environment).args(arguments);
    command.args(["--endpoint-url", &server.url, "--force-path-style", "--region-name", "us-east-1"]);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The bundled trail in a bucket of that name.
fn uploaded(server: &Seaweed, bucket: &str) -> Owner {
    let owner = Owner::new(server);
    owner.create(bucket);
    let files = folders::files(&folder("vendors"));
    owner.put(bucket, files.into_iter().map(|(key, bytes)| (format!("{PREFIX}{key}"), bytes)));
    owner
}

/// The objects of a plan, without the tags, which each store has of its own kind.
fn untagged(plan: &Value) -> Vec<(&Value, &Value)> {
    plan["objects"].as_array().unwrap().iter().map(|object| (&object["key"], &object["bytes"])).collect()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// S1, invariant 3: from a bucket to a bucket gives the files of a run from a folder to a folder, and the manifest says
/// which they are. What is not ours is left alone.
#[test]
fn a_trail_in_a_bucket_gives_the_files_of_a_local_one() {
    let Some(server) = server() else { return };
    let owner = uploaded(server, "analyzed");
    owner.create("reports");
    let local = tempfile::tempdir().unwrap();
    let (trail, out) = (folder("vendors"), local.path().join("out"));
    let inventories: Vec<String> = thirdtrail::run::inputs::beside(&trail)
        .into_iter()
        .flat_map(|path| ["--inventory".to_owned(), path.to_str().unwrap().to_owned()])
        .collect();
    let analyze = |source: &str, out: &str| {
        let inventories = inventories.iter().map(String::as_str);
        let arguments: Vec<&str> = ["analyze", source, "--out", out].into_iter().chain(inventories).collect();
        run_as(OWNER, server, &arguments)
    };
    let (exit, _, stderr) = analyze(trail.to_str().unwrap(), out.to_str().unwrap());
    assert_eq!(exit, 0, "{stderr}");
    for again in [true, false] {
        let (exit, stdout, stderr) = analyze("s3://analyzed/some/prefix", "s3://reports/daily/");
        assert_eq!(exit, 0, "{stderr}");
        assert!(stdout.contains("report: s3://reports/daily/report/index.html"), "{stdout}");
        assert!(!stderr.contains("earlier runs"), "{stderr}");
        if again {
            // What only this run has is gone after the next one.
            let mut run = json(&owner.get("reports", "daily/run.json"));
            let old = "roles/012345678901/Old/Old.rightsized.json";
            run["files"].as_array_mut().unwrap().push(serde_json::json!({"path": old}));
            owner.put("reports", [(format!("daily/{old}"), b"{}".to_vec())]);
            owner.put("reports", [("daily/run.json".to_owned(), run.to_string().into_bytes())]);
        }
    }
    let (mut expected, mut written) = (folders::files(&out), owner.files("reports", "daily/"));
    let (mut near, far) = (json(&expected.remove("run.json").unwrap()), json(&written.remove("run.json").unwrap()));
    assert!(expected == written, "{:?}\n{:?}", expected.keys(), written.keys());
    for different in ["source", "timings", "peak_memory_bytes", "temporary_files"] {
        near[different] = far[different].clone();
    }
    assert_eq!(near, far);
    assert_eq!(far["source"], "s3://analyzed/some/prefix");
    let of_file = |(path, bytes): (&String, &Vec<u8>)| {
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        serde_json::json!({"path": path, "bytes": bytes.len(), "sha256": sha256})
    };
    assert_eq!(far["files"], written.iter().map(of_file).collect::<Value>());

    let investigated = |place: &str, into: &str| {
        let files = local.path().join(into);
        let asked = ["investigate", place, "--party", "Datadog", "--since", "2026-05-10", "--format", "json", "--out"];
        run_as(OWNER, server, &[&asked[..], &[files.to_str().unwrap()]].concat())
    };
    let (exit, there, stderr) = investigated("s3://reports/daily", "there");
    assert_eq!(exit, 0, "{stderr}");
    let (mut there, mut here) =
        (json(there.as_bytes()), json(investigated(out.to_str().unwrap(), "here").1.as_bytes()));
    assert_eq!(there["run"]["source"], "s3://analyzed/some/prefix");
    assert!(there["files"].as_array().is_some_and(|list| !list.is_empty()), "{there}");
    for answer in [&mut there, &mut here] {
        answer["run"] = Value::Null;
    }
    assert_eq!(there, here);
    let written = |into: &str| folders::files(&local.path().join(into)).into_keys().collect::<Vec<_>>();
    assert_eq!(written("there"), written("here"));
    let (exit, _, stderr) = investigated("s3://reports/nightly", "none");
    assert!(exit == 2 && stderr.contains("s3://reports/nightly"), "{stderr}");

    owner.put("reports", [("daily/notes.txt".to_owned(), Vec::new())]);
    let (exit, _, stderr) = analyze("s3://analyzed/some/prefix", "s3://reports/daily");
    assert_eq!(exit, 2, "{stderr}");
    assert!(stderr.contains("output place `s3://reports/daily` holds `notes.txt`"), "{stderr}");
    packed_in_a_bucket(server, &owner);
}

/// The place that holds notes of others, named once more, is written to, and they stay. A pack goes to a bucket, too.
fn packed_in_a_bucket(server: &Seaweed, owner: &Owner) {
    let more = ["--overwrite", "s3://reports/daily", "--format", "json", "--pack", "s3://reports/packs/one.zip"];
    let again = ["analyze", "s3://analyzed/some/prefix", "--out", "s3://reports/daily"];
    let (exit, stdout, stderr) = run_as(OWNER, server, &[&again[..], &more].concat());
    assert_eq!(exit, 0, "{stderr}");
    let pack = owner.get("reports", "packs/one.zip");
    let sum: String = Sha256::digest(&pack).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(stdout.contains(&format!("evidence pack: s3://reports/packs/one.zip (SHA-256 {sum})")), "{stdout}");
    assert!(owner.keys("reports", "daily/").contains(&"daily/notes.txt".to_owned()));
    owner.put("reports", [("packs/other.zip".to_owned(), b"other".to_vec())]);
    for (out, pack, says) in [
        ("s3://reports/empty", "packs/other.zip", "thirdtrail did not write"),
        ("s3://reports/empty", "empty/x.zip", "among the outputs"),
        ("s3://reports/empty", "", "names no object"),
    ] {
        let pack = format!("s3://reports/{pack}");
        let asked = ["--out", out, "--pack", &pack];
        let (exit, _, stderr) = run_as(OWNER, server, &[&again[..2], &asked].concat());
        assert!(exit == 2 && stderr.contains(says), "{stderr}");
    }
}

/// S4: evidence saved in a bucket stands for the objects that it was made of: the second run reads none of them, and says
/// the same.
#[test]
fn evidence_in_a_bucket_is_used_again() {
    let Some(server) = server() else { return };
    let owner = uploaded(server, "observed");
    owner.create("evidence");
    let folder = tempfile::tempdir().unwrap();
    let analyze = |name: &str| {
        let out = folder.path().join(name);
        let evidence = ["--evidence", "s3://evidence/saved/here"];
        let arguments = ["analyze", "s3://observed/some/prefix", "--out", out.to_str().unwrap()];
        let (exit, _, stderr) = run_as(OWNER, server, &[&arguments[..], &evidence].concat());
        assert_eq!(exit, 0, "{stderr}");
        let mut files = folders::files(&out);
        let run = json(&files.remove("run.json").unwrap());
        (files, run["evidence"]["objects_read"].as_u64().unwrap(), run["evidence"]["objects_held"].as_u64().unwrap())
    };
    let (first, read, held) = analyze("first");
    assert!(read > 20 && held == 0, "{read} read, {held} held");
    assert!(!owner.keys("evidence", "saved/here/").is_empty());
    let (second, read_again, held) = analyze("second");
    assert_eq!((read_again, held), (0, read));
    assert!(first == second, "saved evidence says something else");
}

/// S1, S3: a part of a trail is planned as from a folder, from wherever in the bucket it is asked for.
#[test]
fn a_part_of_a_trail_in_a_bucket_is_planned_as_a_local_one() {
    let Some(server) = server() else { return };
    uploaded(server, "planned");
    let trail = folder("vendors");
    let planned = |source: &str, part: &[&str]| -> Value {
        let (exit, stdout, stderr) = run_as(OWNER, server, &[&["plan", source, "--format", "json"], part].concat());
        assert_eq!(exit, 0, "{stderr}");
        json(stdout.as_bytes())
    };
    let account = ["--account", "333344445555"];
    let week = ["--since", "2026-06-01", "--until", "2026-06-08"];
    for part in [&[][..], &week, &account, &["--region", "us-east-1", "--since", "2026-07-20"]] {
        let (near, far) = (planned(trail.to_str().unwrap(), part), planned("s3://planned/some/prefix/", part));
        assert!(untagged(&near) == untagged(&far), "{part:?}");
        assert!(!far["objects"].as_array().unwrap().is_empty());
        assert_eq!(
            (&near["places"], &near["read"], &near["delivered"]),
            (&far["places"], &far["read"], &far["delivered"])
        );
        let all_listed = part.is_empty();
        assert_eq!(near["listed"] == far["listed"], all_listed, "{part:?}: {} of {}", far["listed"], near["listed"]);
    }
    let whole = planned("s3://planned", &[]);
    let inside = planned("s3://planned/some/prefix/AWSLogs/333344445555", &[]);
    let keys = |plan: &Value| -> Vec<String> {
        let objects = plan["objects"].as_array().unwrap().iter();
        objects.map(|object| object["key"].as_str().unwrap().trim_start_matches(PREFIX).to_owned()).collect()
    };
    let mut expected = keys(&whole);
    expected.retain(|key| key.starts_with("AWSLogs/333344445555/"));
    assert!(!expected.is_empty() && keys(&inside) == expected, "{} of {}", keys(&inside).len(), expected.len());
    let one = format!("s3://planned/{PREFIX}{}", keys(&inside)[0]);
    assert_eq!(keys(&planned(&one, &[])), keys(&inside)[..1]);
}

#[test]
fn who_may_not_list_learns_what_is_missing() {
    let Some(server) = server() else { return };
    Owner::new(server).create("trail");
    let check = |keys: (&str, &str), place: &str, what: &str| {
        let (exit, stdout, stderr) = run_as(keys, server, &["plan", place, "--progress", "none"]);
        assert_eq!((exit, stdout.as_str(), stderr.lines().count()), (2, "", 1), "{stderr}");
        assert!(stderr.starts_with(&format!("error: cannot list `{place}`: ListObjectsV2: {what}; ")), "{stderr}");
    };
    check(READER, "s3://trail", "access denied: `s3:ListBucket` is missing");
    check(OWNER, "s3://no-such-bucket", "there is no such bucket");
    check((OWNER.0, "wrong"), "s3://trail", "the signature does not match");
    check(("AKIANOBODY", "x"), "s3://trail", "AWS does not know these credentials");
}

/// A store in the open bucket, with pages and parts as small as they may be.
fn open(server: &Seaweed, path: &str) -> S3Store {
    let options = AwsOptions {
        endpoint_url: Some(server.url.clone()),
        region: Some("us-east-1".to_owned()),
        force_path_style: true,
        no_sign_request: true,
        ..AwsOptions::default()
    };
    let manner = Manner { page_keys: 7, part_bytes: 5 << 20, ..Manner::default() };
    S3Store::open(Aws::connect(&options).unwrap(), OPEN, path, None, manner).unwrap()
}

/// What is written is listed page by page, told by level and range, and read back; large objects too, and odd names.
#[test]
fn a_bucket_is_a_store() {
    let Some(server) = server() else { return };
    let owner = Owner::new(server);
    owner.create(OPEN);
    let store = open(server, "a b/store");
    assert_eq!(store.list().unwrap(), []);
    let names = ["a/1", "a/b/2", "c", "odd/100%/a+b c", "odd/\u{e9}=&?#"].map(str::to_owned);
    let names: Vec<String> = names.into_iter().chain((10..50).map(|number| format!("days/{number}"))).collect();
    for name in &names {
        store.put(name, name.as_bytes()).unwrap();
    }
    let keys = |entries: Vec<thirdtrail::store::Entry>| -> Vec<String> {
        entries.into_iter().map(|entry| entry.key).collect()
    };
    let sorted: std::collections::BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(keys(store.list().unwrap()), sorted.into_iter().collect::<Vec<_>>());
    let mut bytes = Vec::new();
    for entry in store.list().unwrap() {
        store.get(&entry.key, &mut bytes).unwrap();
        assert_eq!((bytes.as_slice(), bytes.len() as u64), (entry.key.as_bytes(), entry.size_bytes));
        assert!(!entry.tag.is_empty() && !entry.tag.contains('"'), "{}", entry.tag);
    }
    let level = store.level("").unwrap();
    assert_eq!(level.folders.iter().collect::<Vec<_>>(), ["a/", "days/", "odd/"]);
    assert_eq!(keys(level.objects), ["c"]);
    assert_eq!(store.level("days/").unwrap().objects.len(), 40);
    let range = KeyRange { prefix: "days/".to_owned(), after: "22".to_owned(), to: Some("41".to_owned()) };
    assert_eq!(keys(store.list_range(&range).unwrap()), (23..41).map(|n| format!("days/{n}")).collect::<Vec<_>>());
    assert_eq!(keys(open(server, "a b/store/a/1").list().unwrap()), ["1"]);

    let large: Vec<u8> = (0..12_000_000_u32).map(|number| (number % 251) as u8).collect();
    store.put("large", &large).unwrap();
    store.get("large", &mut bytes).unwrap();
    assert!(bytes == large);
    let tag = |key: &str| store.list().unwrap().into_iter().find(|entry| entry.key == key).unwrap().tag;
    assert!(tag("large").ends_with("-3"), "not written in three parts: {}", tag("large"));
    let before = tag("c");
    store.put("c", b"other bytes").unwrap();
    assert_ne!(tag("c"), before);
    assert_eq!(store.get("none", &mut bytes), Err(StoreError::Missing));

    let put = owner.client.put_object().bucket(OPEN).key("a b/store/signed").metadata("Signature", "0aff");
    owner.runtime.block_on(put.send()).unwrap();
    assert_eq!(store.metadata("signed").unwrap(), BTreeMap::from([("signature".to_owned(), "0aff".to_owned())]));
    assert_eq!(store.metadata("c").unwrap(), BTreeMap::new());
    assert_eq!(store.metadata("none"), Err(StoreError::Missing));
}

/// Evidence in a bucket: the next run reads no object of the trail, a damaged shard is made anew and the old one taken
/// away, and a report needs the evidence alone.
#[test]
fn evidence_in_a_bucket_serves_the_next_run() {
    let Some(server) = server() else { return };
    let owner = uploaded(server, "observed-again");
    owner.create("evidence-again");
    let room = tempfile::tempdir().unwrap();
    let inventories: Vec<String> = thirdtrail::run::inputs::beside(&folder("vendors"))
        .into_iter()
        .flat_map(|path| ["--inventory".to_owned(), path.to_str().unwrap().to_owned()])
        .collect();
    let run = |command: &[&str], out: &str| {
        let out = room.path().join(out);
        let inventories = inventories.iter().map(String::as_str);
        let arguments = command.iter().copied().chain(["--quiet", "--out", out.to_str().unwrap()]).chain(inventories);
        let (exit, _, stderr) = run_as(OWNER, server, &arguments.collect::<Vec<_>>());
        assert_eq!(exit, 0, "{command:?}: {stderr}");
        let mut files = folders::files(&out);
        let run = json(&files.remove("run.json").unwrap());
        (files, run["evidence"].clone())
    };
    let analyze = ["analyze", "s3://observed-again/some/prefix", "--evidence", "s3://evidence-again/a/b"];
    let (reference, _) = run(&analyze[..2], "reference");
    let (files, first) = run(&analyze, "first");
    assert!(files == reference);
    let kept = owner.keys("evidence-again", "a/b/shards/");
    assert_eq!(first["shards_saved"], kept.len());
    owner.put("evidence-again", [(kept[3].clone(), b"damaged".to_vec()), (format!("{}x.shard", kept[5]), Vec::new())]);
    let (files, next) = run(&analyze, "next");
    assert!(files == reference);
    assert_eq!((&next["shards_damaged"], &next["shards_removed"]), (&json(b"2"), &json(b"1")));
    assert!(next["objects_read"].as_u64().unwrap() < 5, "{next}");
    assert_eq!(owner.keys("evidence-again", "a/b/shards/"), kept);
    let (files, _) = run(&["report", "s3://evidence-again/a/b"], "report");
    assert!(files == reference);
}

/// Tasks that get parts of a plan, with trail and evidence in buckets, lead to the report of one machine, of a window too.
#[test]
fn tasks_of_a_plan_in_a_bucket_give_the_same_report() {
    let Some(server) = server() else { return };
    uploaded(server, "cut-into-tasks");
    let room = tempfile::tempdir().unwrap();
    let selection = ["--since", "2026-05-01", "--until", "2026-08-01", "--account", "333344445555"];
    let run = |arguments: &[&str]| {
        let (exit, stdout, stderr) = run_as(OWNER, server, &[arguments, &selection].concat());
        assert_eq!(exit, 0, "{arguments:?}: {stderr}");
        stdout
    };
    let (source, evidence) = ("s3://cut-into-tasks/some/prefix", ["--evidence", "s3://cut-into-tasks/e"]);
    let plan = json(run(&[&["plan", source, "--format", "json"][..], &evidence].concat()).as_bytes());
    let objects = plan["objects"].as_array().unwrap();
    assert!(objects.len() > 80, "{}", objects.len());
    let task = room.path().join("task");
    for objects in objects.chunks(30) {
        let part = serde_json::json!({"listing": plan["listing"], "accounts": plan["accounts"], "objects": objects});
        std::fs::write(&task, part.to_string()).unwrap();
        run(&[&["observe", source, "--quiet", "--objects", task.to_str().unwrap()][..], &evidence].concat());
    }
    let files = |command: &[&str]| {
        let out = room.path().join(command[0]);
        run(&[command, &["--quiet", "--out", out.to_str().unwrap()]].concat());
        let mut files = folders::files(&out);
        files.remove("run.json").unwrap();
        files
    };
    assert!(files(&["report", evidence[1]]) == files(&["analyze", source]), "tasks give another report");
}
