//! `thirdtrail.toml` as people use it: found or named, overruled by the command line, recorded, and refused with line and
//! field.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod bundled;
mod folders;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::run::inputs;

use bundled::folder;
use folders::json_file;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the program in a folder that holds these files.
fn run_in(place: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thirdtrail"));
    let output = command.current_dir(place).args(arguments).output().unwrap();
    let ran = Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(ran.code != 70 && !ran.stderr.contains("panicked"), "{arguments:?}: {}", ran.stderr);
    ran
}

fn place(files: &[(&str, &str)]) -> TempDir {
    let place = TempDir::new().unwrap();
    for (name, text) in files {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

fn holes() -> String {
    folder("holes").display().to_string()
}

fn options(place: &TempDir, out: &str) -> Value {
    json_file(&place.path().join(out).join("run.json"))["options"].clone()
}

#[test]
fn the_file_where_the_program_runs_is_used_and_recorded() {
    let text =
        "idle_days = 33\nmax_holes = \"10%\"\nout = \"there\"\nown_account = [\"999988887777\"]\nmemory = \"32MB\"\n";
    let place = place(&[("thirdtrail.toml", text)]);
    let ran = run_in(place.path(), &["analyze", &holes(), "--progress", "none"]);
    assert_eq!((ran.code, ran.stderr.contains("config: thirdtrail.toml")), (0, true), "{}", ran.stderr);
    let options = options(&place, "there");
    assert_eq!((&options["idle_days"], &options["max_holes"]), (&json!(33), &json!(0.1)));
    assert_eq!((&options["own_accounts"], &options["memory_bytes"]), (&json!(["999988887777"]), &json!(32_000_000)));
    assert_eq!(options["config"], "thirdtrail.toml");
    let inputs = json_file(&place.path().join("there/run.json"))["inputs"].clone();
    let config = inputs.as_array().unwrap().iter().find(|input| input["path"] == "thirdtrail.toml").unwrap();
    assert_eq!(config["sha256"].as_str().unwrap().len(), 64);

    let without = run_in(place.path(), &["analyze", &holes(), "--no-config", "--quiet", "--out", "bare"]);
    assert_eq!((without.code, self::options(&place, "bare")["config"].is_null()), (0, true));
    assert_eq!(self::options(&place, "bare")["idle_days"], 90);
}

/// What is typed wins, lists too; what is not typed comes from the file, also what another option needs.
#[test]
fn the_command_line_wins() {
    let text =
        "idle_days = 33\nown_account = [\"999988887777\"]\nquiet = true\nsince = 2026-05-02\nuntil = 2026-05-09\n";
    let place = place(&[("conf/mine.toml", text)]);
    let typed = ["--idle-days", "44", "--own-account", "555566667777", "--until", "2026-05-08"];
    let holes = holes();
    let mut arguments = vec!["analyze", "--config", "conf/mine.toml", "--out", "out"];
    arguments.extend(typed);
    arguments.extend(["--", &holes]);
    let ran = run_in(place.path(), &arguments);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    let options = options(&place, "out");
    assert_eq!((&options["idle_days"], &options["own_accounts"]), (&json!(44), &json!(["555566667777"])));
    assert_eq!(
        (&options["since"], &options["until"]),
        (&json!("2026-05-02T00:00:00Z"), &json!("2026-05-08T00:00:00Z"))
    );
    assert_eq!(options["config"], "conf/mine.toml");
}

/// Paths are those of the file that names them.
#[test]
fn paths_are_relative_to_the_file() {
    let vendors = "[[vendor]]\nname = \"Ours\"\naccounts = [\"464622532012\"]\n";
    let text = "vendors = \"lists/vendors.toml\"\nout = \"out\"\nevidence = \"kept\"\nquiet = true\n";
    let place = place(&[("conf/thirdtrail.toml", text), ("conf/lists/vendors.toml", vendors)]);
    let ran = run_in(place.path(), &["analyze", &holes(), "--config", "conf/thirdtrail.toml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(place.path().join("conf/out/report.json").is_file() && place.path().join("conf/kept").is_dir());
    let inventories: Vec<String> =
        inputs::beside(&folder("holes")).iter().map(|path| format!("--inventory={}", path.display())).collect();
    let mut arguments = vec!["report", "conf/kept", "--config", "conf/thirdtrail.toml", "--out", "again"];
    arguments.extend(inventories.iter().map(String::as_str));
    // `report` has no trail, and passes over what needs one.
    let ran = run_in(place.path(), &arguments);
    assert_eq!((ran.code, place.path().join("again/report.json").is_file()), (0, true), "{}", ran.stderr);
}

#[test]
fn mistakes_are_told_with_file_line_and_field() {
    let check = |text: &str, says: &str| {
        let place = place(&[("thirdtrail.toml", text)]);
        let ran = run_in(place.path(), &["analyze", &holes()]);
        assert_eq!(ran.code, 2, "{text}");
        let expected = format!("error: cannot read config `thirdtrail.toml`: {says}");
        assert!(ran.stderr.starts_with(&expected), "{text}: {}", ran.stderr);
        assert!(ran.stderr.lines().count() == 1 && ran.stderr.contains("; "), "{}", ran.stderr);
        assert!(!place.path().join("thirdtrail-out").exists());
    };
    check("\nidle_dais = 3\n", "line 2: `idle_dais`: unknown option, expected one of `since`, ");
    check("idle-days = 3\n", "line 1: `idle-days`: unknown option: write `idle_days`");
    check("config = \"x\"\n", "line 1: `config`: can only be given on the command line");
    check("idle_days = \"90\"\n", "line 1: `idle_days`: expected a whole number");
    check("idle_days = -1\n", "line 1: `idle_days`: `-1`: ");
    check("idle_days = [1]\n", "line 1: `idle_days`: expected one value, not a list");
    check("own_account = 111122223333\n", "line 1: `own_account`: expected a text in quotes, not a number");
    check("own_account = [\"1111\"]\n", "line 1: `own_account`: `1111`: ");
    check("quiet = \"yes\"\n", "line 1: `quiet`: expected `true` or `false`");
    check("max_holes = 7\n", "line 1: `max_holes`: `7`: not a share between 0 and 1");
    check("since = \"soon\"\n", "line 1: `since`: `soon`: not a date");
    check("fail_on = \"grave\"\n", "line 1: `fail_on`: `grave`: expected one of low, medium, high, critical");
    check("[analyze]\nidle_days = 3\n", "line 1: `analyze`: unknown option");
    check("[[suppress]]\ncode = \"role-idle\"\n", "line 1: ");
    check("idle_days = 3\nidle_days = 4\n", "line 2: ");
    check("[[vendor]]\nname = \"A\"\naccounts = [\"12\"]\n", "line 3: `accounts`: `12` is no account id of 12 digits");
    check("a\u{7}b = 1\n", "line 1: ");

    let place = place(&[]);
    let ran = run_in(place.path(), &["analyze", &holes(), "--config", "gone.toml"]);
    assert!(ran.code == 2 && ran.stderr.starts_with("error: cannot read config `gone.toml`: "), "{}", ran.stderr);
}

/// Options of the file and of the command line that do not go together are told so; usage stays usage.
#[test]
fn what_does_not_go_together_is_told() {
    let place = place(&[("thirdtrail.toml", "evidence = \"kept\"\n")]);
    let verify = ["analyze", &holes(), "--verify-digests", "--digest-public-keys", "keys.json"];
    let ran = run_in(place.path(), &verify);
    assert_eq!(ran.code, 2);
    let expected = "error: config `thirdtrail.toml` does not go with the command line: the argument ";
    assert!(ran.stderr.starts_with(expected) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    let usage = run_in(place.path(), &["analyze", &holes(), "--jobs", "many"]);
    assert!(usage.code == 2 && usage.stderr.contains("invalid value 'many' for '--jobs <JOBS>'"), "{}", usage.stderr);
    assert_eq!(run_in(place.path(), &["analyze", "--help"]).code, 0);
}

/// S39: `--fail-on` does not count what is suppressed; coverage and exit code 3 do not know of suppressions.
#[test]
fn suppressions_change_the_gate_and_not_the_coverage() {
    let all = |trail: &str| -> String {
        let out = TempDir::new().unwrap();
        let place = place(&[]);
        let path = out.path().display().to_string();
        run_in(place.path(), &["analyze", &folder(trail).display().to_string(), "--quiet", "--out", &path]);
        let report = json_file(&out.path().join("report.json"));
        let codes = report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap());
        let codes: std::collections::BTreeSet<&str> = codes.collect();
        let rule = |code: &str| {
            format!(
                "[[suppress]]\ncode = \"{code}\"\nsubject = \"*\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2099-01-01\n"
            )
        };
        codes.into_iter().map(rule).collect()
    };
    let gate = |trail: &str, config: &str| {
        let place = place(&[("thirdtrail.toml", config)]);
        let trail = folder(trail).display().to_string();
        let ran = run_in(place.path(), &["analyze", &trail, "--fail-on", "low", "--progress", "none"]);
        (ran, json_file(&place.path().join("thirdtrail-out/report.json")))
    };
    let (open, _) = gate("vendors", "");
    let (hidden, report) = gate("vendors", &all("vendors"));
    assert_eq!((open.code, hidden.code), (1, 0), "{}", hidden.stdout);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.len() > 20 && findings.iter().all(|finding| finding["suppressed"]["owner"] == "o"));
    assert!(hidden.stdout.contains(&format!("hide {} findings, 0 expired, 0 match nothing", findings.len())));

    let (damaged, report) = gate("damaged", &all("damaged"));
    assert_eq!((damaged.code, &report["coverage"]["complete"]), (3, &json!(false)), "{}", damaged.stdout);
    assert!(damaged.stdout.contains("coverage is INCOMPLETE"));
    assert!(report["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "objects-unreadable"));
}

#[test]
fn the_directory_is_listed_and_made_again() {
    let yaml = "- name: Acme\n  source: ['https://example.com']\n  accounts: ['464622532012']\n";
    let place = place(&[("accounts.yaml", yaml)]);
    let made = run_in(place.path(), &["vendors", "refresh", "--from", "accounts.yaml", "--out", "known.toml"]);
    assert_eq!((made.code, made.stderr.as_str()), (0, "1 accounts of 1 names in known.toml\n"));
    let shown = run_in(place.path(), &["vendors", "refresh", "--from", "accounts.yaml"]);
    assert_eq!(shown.stdout, fs::read_to_string(place.path().join("known.toml")).unwrap());
    let listed = run_in(place.path(), &["vendors", "list", "--vendors", "known.toml"]);
    let row = |account: &str| {
        let line = listed.stdout.lines().find(|line| line.starts_with(account)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("464622532012"), ["464622532012", "vendor", "Acme", "known.toml"]);
    assert_eq!(row("127311923021"), ["127311923021", "aws_service", "ELB", "logs", "built-in"]);
    let json: Value =
        serde_json::from_str(&run_in(place.path(), &["vendors", "list", "--format", "json"]).stdout).unwrap();
    assert!(json.as_array().unwrap().iter().any(|known| known["name"] == "Datadog" && known["from"] == "built-in"));
    let refused = run_in(place.path(), &["vendors", "refresh", "--from", "https://example.com/accounts.yaml"]);
    assert!(refused.code == 2 && refused.stderr.contains("download it first"), "{}", refused.stderr);
}

/// The examples of the documentation are files that the program takes.
#[test]
fn the_examples_are_taken() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let place = place(&[]);
    let example = docs.join("thirdtrail.example.toml").display().to_string();
    let keep = docs.join("keep.example.toml").display().to_string();
    let vendors = folder("vendors").display().to_string();
    let arguments = ["analyze", &vendors, "--config", &example, "--keep", &keep, "--out", "out", "--progress", "none"];
    let ran = run_in(place.path(), &arguments);
    // The bundled trail has findings of that severity, which is what `fail_on` is for.
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("suppressions: 2 in force hide "), "{}", ran.stdout);
    let run = json_file(&place.path().join("out/run.json"));
    assert_eq!(run["keep_rules"].as_array().unwrap().len(), 3);
    let names: Vec<&str> =
        run["inputs"].as_array().unwrap().iter().filter_map(|input| input["path"].as_str()).collect();
    assert!(names.iter().any(|name| name.ends_with("vendors.example.toml")), "{names:?}");
    // What the page shows is TOML that the program takes as well.
    let page = fs::read_to_string(docs.join("CONFIG.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
    assert_eq!(blocks.len(), 2);
    fs::write(place.path().join("shown.toml"), blocks.concat()).unwrap();
    let holes = holes();
    let ran = run_in(place.path(), &["analyze", &holes, "--config", "shown.toml", "--quiet", "--out", "shown"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

/// S17: vendors, own accounts and inputs of the configuration count for `external-id check` and `template`, as far as
/// these take them; the command line wins, and what they have no use for is passed over.
#[test]
fn other_commands_take_what_they_can_use() {
    let role = |name: &str, account: &str| {
        json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::111122223333:role/{name}"),
            "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": account}}]}})
    };
    let inventory =
        json!({"RoleDetailList": [role("Theirs", "999988887777"), role("Ours", "444455556666")]}).to_string();
    let text = "inventory = [\"iam.json\"]\nown_account = [\"444455556666\"]\nvendors = [\"v.toml\"]\nout = \"there\"\n\
        [[vendor]]\nname = \"Acme\"\naccounts = [\"999988887777\"]\n";
    let vendors = "[[vendor]]\nname = \"Bolt\"\naccounts = [\"888877776666\"]\n";
    let place =
        place(&[("thirdtrail.toml", text), ("v.toml", vendors), ("iam.json", &inventory), ("off/x.toml", text)]);
    let check = |more: &[&str]| run_in(place.path(), &[&["external-id", "check"], more].concat());
    let found = check(&[]);
    assert!(found.code == 1 && found.stdout.contains("Acme") && !found.stdout.contains("Ours"), "{}", found.stdout);
    assert!(found.stderr.contains("config: thirdtrail.toml"), "{}", found.stderr);
    assert!(check(&["--own-account", "123412341234"]).stdout.contains("Ours"), "the command line wins");
    assert_eq!(check(&["--no-config"]).code, 2, "without it there is no inventory");
    let lost = check(&["--config", "off/x.toml"]);
    assert!(lost.code == 2 && lost.stderr.contains("off/iam.json"), "paths are the file's: {}", lost.stderr);
    let live = check(&["--live", "--role", "Theirs"]);
    assert!(live.code == 2 && live.stderr.contains("ARN"), "what a live question has no use for: {}", live.stderr);
    for (name, account) in [("Acme", "999988887777"), ("Bolt", "888877776666")] {
        let template = |more: &[&str]| run_in(place.path(), &[&["template", "--vendor", name], more].concat());
        let made = template(&["--actions", "ec2:DescribeInstances"]);
        assert!(made.code == 0 && made.stdout.contains(account), "{}", made.stderr);
        assert_eq!(template(&["--no-config", "--actions", "ec2:DescribeInstances"]).code, 2);
    }
    assert!(!place.path().join("there").exists(), "`out` is where a report goes");
}
