//! The evidence pack: the same inputs give the same bytes, everything in it can be checked, and it leads nowhere outside;
//! and outputs beside what others wrote.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot run the program has failed")]

mod bundled;
mod folders;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;

use regex::Regex;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use folders::{files, json_file};
use program::{Run, run};

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a pack.
fn unpacked(pack: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(fs::read(pack).unwrap())).unwrap();
    let mut found = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.enclosed_name().unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(found.insert(text(&name), bytes).is_none(), "{name:?} is there twice");
    }
    found
}

/// Runs `analyze` on a bundled trail into `out`, with more arguments.
fn analyze(trail: &str, out: &Path, more: &[&str]) -> Run {
    let (trail, out) = (text(&bundled::folder(trail)), text(out));
    run(&[&["analyze", &trail, "--out", &out, "--progress", "none"], more].concat())
}

/// The lines of the list of objects, without the header.
fn objects(pack: &BTreeMap<String, Vec<u8>>) -> Vec<Vec<String>> {
    let list = String::from_utf8(pack["inputs/objects.csv"].clone()).unwrap();
    let mut lines = list.lines();
    assert_eq!(lines.next(), Some("object,bytes,sha256,records,problem"));
    lines.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Invariant 3: threads, memory and saved evidence leave no trace in a pack.
#[test]
fn equal_inputs_give_equal_packs() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let evidence = text(&at("evidence"));
    let ways: [&[&str]; 4] =
        [&["--jobs", "1"], &["--jobs", "3", "--memory", "1MB"], &["--evidence", &evidence], &["--evidence", &evidence]];
    let mut packs = Vec::new();
    for (number, way) in ways.iter().enumerate() {
        let pack = at(&format!("{number}.zip"));
        let done = analyze("vendors", &at(&format!("out{number}")), &[way, &["--pack", &text(&pack)][..]].concat());
        assert_eq!(done.code, 0, "{}", done.stderr);
        let bytes = fs::read(&pack).unwrap();
        assert!(done.stdout.contains(&format!("(SHA-256 {})", hash(&bytes))), "{}", done.stdout);
        packs.push(bytes);
    }
    assert!(packs.iter().all(|pack| *pack == packs[0]));
    let other = at("other.zip");
    analyze("vendors", &at("other"), &["--idle-days", "30", "--pack", &text(&other)]);
    assert!(fs::read(other).unwrap() != packs[0], "an option that changes the answer changes the pack");
}

/// Everything in a pack is what the run wrote or is named with its hash; log objects are named with the hash of their file.
#[test]
fn everything_in_a_pack_can_be_checked() {
    let folder = TempDir::new().unwrap();
    let (out, pack) = (folder.path().join("out"), folder.path().join("new/pack.zip"));
    assert_eq!(analyze("vendors", &out, &["--pack", &text(&pack)]).code, 0);
    let (written, mut packed) = (files(&out), unpacked(&pack));

    let sums = String::from_utf8(packed["SHA256SUMS"].clone()).unwrap();
    let listed: BTreeMap<&str, &str> =
        sums.lines().map(|line| line.split_once("  ").unwrap()).map(|(sum, path)| (path, sum)).collect();
    let page = String::from_utf8(packed.remove("sign-off.html").unwrap()).unwrap();
    assert!(page.contains(&hash(&packed.remove("SHA256SUMS").unwrap())), "the page binds the list of hashes");
    let expected: BTreeMap<&str, String> = packed.iter().map(|(path, bytes)| (path.as_str(), hash(bytes))).collect();
    assert!(listed.len() > 100);
    assert_eq!(listed, expected.iter().map(|(path, sum)| (*path, sum.as_str())).collect());

    let manifest: Value = serde_json::from_slice(&packed.remove("manifest.json").unwrap()).unwrap();
    for line in objects(&packed) {
        let file = bundled::folder("vendors").join(&line[0]);
        let bytes = fs::read(&file).unwrap();
        assert_eq!((line[1].as_str(), line[2].as_str()), (bytes.len().to_string().as_str(), hash(&bytes).as_str()));
        assert!(line[3].parse::<u64>().unwrap() > 0 && line[4].is_empty(), "{line:?}");
    }
    let read = json_file(&out.join("report.json"))["coverage"]["objects"]["read"].as_u64().unwrap();
    assert_eq!(objects(&packed).len() as u64, read);
    packed.remove("inputs/objects.csv");
    for input in manifest["inputs"].as_array().unwrap() {
        assert_eq!(input["sha256"], hash(&fs::read(input["path"].as_str().unwrap()).unwrap()));
        assert!(page.contains(input["sha256"].as_str().unwrap()));
    }

    // The outputs as they were written, and of the tables the hashes; nothing of times.
    let (tables, outputs): (BTreeMap<String, Vec<u8>>, _) =
        written.into_iter().filter(|(path, _)| path != "run.json").partition(|(path, _)| path.starts_with("parquet/"));
    assert!(packed == outputs, "{:?}\n{:?}", packed.keys(), outputs.keys());
    let of_file = |(path, bytes): (&String, &Vec<u8>)| serde_json::json!({"path": path, "bytes": bytes.len(), "sha256": hash(bytes)});
    assert_eq!(manifest["outputs_not_in_the_pack"], tables.iter().map(of_file).collect::<Value>());
    for of_this_time in ["timings", "evidence", "peak_memory_bytes", "temporary_files"] {
        assert!(manifest.get(of_this_time).is_none(), "{of_this_time}");
    }
}

/// S6, S44: what could not be read is named with its reason, in the list and on the page.
#[test]
fn a_pack_says_what_it_lacks() {
    let folder = TempDir::new().unwrap();
    let (out, pack) = (folder.path().join("out"), folder.path().join("pack.zip"));
    assert_eq!(analyze("damaged", &out, &["--pack", &text(&pack)]).code, 3);
    let packed = unpacked(&pack);
    let failed: BTreeMap<String, String> = objects(&packed)
        .into_iter()
        .filter(|line| !line[4].is_empty())
        .inspect(|line| assert!(line[2].is_empty() && line[3].is_empty(), "{line:?}"))
        .map(|line| (line[0].clone(), line[4].clone()))
        .collect();
    let told = json_file(&out.join("report.json"))["coverage"]["objects"]["failed"].clone();
    let told: BTreeMap<String, String> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["key"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned()))
        .collect();
    assert!(!told.is_empty());
    assert_eq!(failed, told);
    let page = String::from_utf8(packed["sign-off.html"].clone()).unwrap();
    assert!(page.contains("Coverage is incomplete"));
    assert!(page.contains(&format!("and why {} could not be read", told.len())));
}

/// S43: names of strangers run nothing on the page, and whatever outputs were asked for, its links lead to files of the
/// pack.
#[test]
fn the_page_leads_nowhere_outside() {
    let folder = TempDir::new().unwrap();
    let hostile = folder.path().join("<img src=x onerror=alert(1)>\u{202e}");
    for (path, bytes) in files(&bundled::folder("holes")) {
        let target = hostile.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, bytes).unwrap();
    }
    let (out, pack) = (text(&folder.path().join("out")), folder.path().join("pack.zip"));
    let links = Regex::new("(?:href|src)=\"([^\"#]+)").unwrap();
    for formats in ["html,md,policies", "md", "json", "html"] {
        let asked = ["analyze", &text(&hostile), "--out", &out, "--quiet", "--format", formats, "--pack", &text(&pack)];
        let done = run(&asked);
        assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{}", done.stderr);
        let packed = unpacked(&pack);
        let page = String::from_utf8(packed["sign-off.html"].clone()).unwrap();
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") && !page.contains("<img"), "{formats}");
        assert!(!page.contains('\u{202e}'), "{formats}");
        for link in links.captures_iter(&page).map(|found| found[1].to_owned()).filter(|link| link != "data:,") {
            assert!(packed.contains_key(&link), "{formats}: {link}");
        }
        assert_eq!(packed.contains_key("report/index.html"), formats.contains("html"));
    }
}

/// A pack is handed on: it holds no external id. It replaces a pack, and nothing else.
#[test]
fn places_and_options_that_do_not_go_with_a_pack_are_refused() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (out, mine, empty) = (at("out"), at("mine.zip"), at("empty"));
    fs::write(&mine, "mine").unwrap();
    fs::create_dir(&empty).unwrap();
    for (pack, says) in [
        (&mine, "thirdtrail did not write"),
        (&empty, "is a folder"),
        (&out.join("pack.zip"), "among the outputs"),
        (&at("empty/../out/pack.zip"), "among the outputs"),
        (&mine.join("pack.zip"), "lies in a file"),
        (&Path::new("/dev/null").to_owned(), "is no file of its own"),
    ] {
        let done = analyze("holes", &out, &["--pack", &text(pack)]);
        assert!(done.code == 2 && done.stderr.lines().count() == 1 && done.stderr.contains(says), "{}", done.stderr);
    }
    let done = analyze("holes", &out, &["--pack", &text(&at("a.zip")), "--show-external-ids"]);
    assert!(done.code == 2 && done.stderr.contains("cannot be used with"), "{}", done.stderr);
    assert!(!out.exists() && fs::read(&mine).unwrap() == b"mine" && !at("a.zip").exists());

    // The word for the folder is none for the pack.
    assert_eq!(analyze("holes", &out, &["--overwrite", &text(&out), "--pack", &text(&mine)]).code, 2);
    assert_eq!(analyze("holes", &out, &["--quiet", "--pack", &text(&mine), "--overwrite", &text(&mine)]).code, 0);
    assert_eq!(analyze("holes", &out, &["--quiet", "--pack", &text(&mine)]).code, 0, "a pack is replaced");
    assert!(unpacked(&mine).contains_key("manifest.json"));
}

/// The folder must be named once more to be written to beside what others have there, at any depth; that stays.
#[test]
fn what_others_have_in_an_output_folder_stays() {
    let folder = TempDir::new().unwrap();
    let (out, elsewhere) = (folder.path().join("out"), folder.path().join("elsewhere"));
    let theirs = [".git/HEAD", "notes.txt", "report/thesis.tex", "roles/1/a/before/Policy.json", "roles/web/tasks.yml"];
    let put = |path: &str| {
        fs::create_dir_all(out.join(path).parent().unwrap()).unwrap();
        fs::write(out.join(path), "mine").unwrap();
    };
    theirs.into_iter().chain(["report.md"]).for_each(put);
    let before = files(&out);
    let refused = |more: &[&str], says: &str| {
        let done = analyze("holes", &out, more);
        assert!(done.code == 2 && done.stderr.contains(says), "{}", done.stderr);
    };
    refused(&[], "--overwrite");
    refused(&["--overwrite", &text(&elsewhere)], "--overwrite names");
    assert!(files(&out) == before);
    assert_eq!(analyze("holes", &elsewhere, &[]).code, 0);
    for more in [&["--overwrite", &text(&out)][..], &["--overwrite"]] {
        assert_eq!(analyze("holes", &out, more).code, 0);
        let mut written = files(&out);
        for path in theirs {
            assert_eq!(written.remove(path).as_deref(), Some(&b"mine"[..]), "{path}");
        }
        assert!(written.keys().eq(files(&elsewhere).keys()), "what has the path of an output is one");
    }
    refused(&[], "thirdtrail did not write");
    // What somebody added to an output of ours is his.
    put_in(&elsewhere, "roles/notes.txt");
    let done = analyze("holes", &elsewhere, &[]);
    assert!(done.code == 2 && done.stderr.contains("roles/notes.txt"), "{}", done.stderr);
    fs::rename(elsewhere.join("roles/notes.txt"), elsewhere.join("roles/.DS_Store")).unwrap();
    assert_eq!(analyze("holes", &elsewhere, &[]).code, 0, "what a file manager left is nobody's");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

fn put_in(folder: &Path, path: &str) {
    fs::write(folder.join(path), "mine").unwrap();
}

/// A run does not take its own evidence away with the folder that it replaces.
#[test]
fn evidence_among_the_outputs_is_refused() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let done = analyze("holes", &out, &["--evidence", &text(&out.join("evidence"))]);
    assert!(done.code == 2 && done.stderr.contains("among the outputs"), "{}", done.stderr);
    assert!(!out.exists());
}

/// A link to a folder stays a link: the folder is replaced.
#[cfg(unix)]
#[test]
fn a_link_to_the_output_folder_stays_one() {
    let folder = TempDir::new().unwrap();
    let (out, link) = (folder.path().join("out"), folder.path().join("link"));
    std::os::unix::fs::symlink(&out, &link).unwrap();
    let done = analyze("holes", &link, &[]);
    assert!(done.code == 2 && done.stderr.contains("leads nowhere"), "{}", done.stderr);
    fs::create_dir(&out).unwrap();
    assert_eq!(analyze("holes", &link, &[]).code, 0);
    assert!(link.is_symlink() && out.join("report.json").exists());
}

/// A disk that takes no more leaves the report and the pack before whole, and nothing beside them.
#[test]
fn a_full_disk_leaves_what_was_there() {
    let folder = TempDir::new().unwrap();
    let (out, pack) = (folder.path().join("out"), folder.path().join("pack.zip"));
    assert_eq!(analyze("vendors", &out, &["--pack", &text(&pack)]).code, 0);
    let (before, pack_before) = (files(&out), fs::read(&pack).unwrap());
    // No file may grow beyond so much: more than the temporary files hold, and less than `report.json`.
    let kilobytes = before["report.json"].len() / 1024 - 100;
    let program = assert_cmd::cargo::cargo_bin!("thirdtrail");
    let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$@\"");
    let output = Command::new("bash")
        .args(["-c", &script, "bash", &text(program), "analyze", &text(&bundled::folder("vendors"))])
        .args(["--out", &text(&out), "--quiet", "--pack", &text(&pack)])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot write to") && stderr.lines().count() == 1, "{stderr}");
    assert!(files(&out) == before && fs::read(&pack).unwrap() == pack_before);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}
