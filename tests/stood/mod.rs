//! An account that stands in for one of AWS, with the scripts of an analysis of it, and the AWS command line to run them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot start its servers has failed")]

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::made::{self, OWN, Trail, session};
use crate::moto::{self, Moto};

/// An account in moto, the AWS command line before it, and the files of an analysis of it.
pub(crate) struct Account {
    _moto: Moto,
    cli: Child,
    /// `roles.py`, which answers a line for each line.
    asked: Child,
    answers: RefCell<BufReader<ChildStdout>>,
    folder: TempDir,
    /// The id of its role `Vendor`.
    pub(crate) role_id: String,
}

impl Drop for Account {
    fn drop(&mut self) {
        for child in [&mut self.cli, &mut self.asked] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Account {
    pub(crate) fn new() -> Result<Self, String> {
        let python = moto::python()?.with(&["awscli==1.46.3"], "awscli")?;
        let moto = Moto::start(&python, &[("MOTO_ACCOUNT_ID", OWN), ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")]);
        let folder = TempDir::new().unwrap();
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/awscli");
        let socket = folder.path().join("socket");
        let mut cli = python.command();
        cli.arg(tree.join("ready.py")).arg(&socket).env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", moto.port));
        cli.envs([("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")]);
        cli.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_CONFIG_FILE", "/dev/null").env_remove("AWS_PROFILE");
        let cli = cli.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let program = python.command().get_program().to_str().unwrap().to_owned();
        let call = tree.join("call.py").to_str().unwrap().to_owned();
        let aws = match std::env::var("THIRDTRAIL_AWS_CLI") {
            // Another command line, such as version 2, takes much longer.
            Ok(other) => format!(
                "#!/bin/sh\nAWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing \
                 AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null exec '{other}' \
                 --endpoint-url=http://127.0.0.1:{} \"$@\"\n",
                moto.port
            ),
            Err(_) => format!("#!/bin/sh\nexec '{program}' -I -S '{call}' '{}' \"$@\"\n", socket.display()),
        };
        fs::write(bin.join("aws"), aws).unwrap();
        fs::set_permissions(bin.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut asked = python.command();
        asked.arg(tree.with_file_name("moto").join("roles.py")).arg(format!("http://127.0.0.1:{}", moto.port));
        let mut asked = asked.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = RefCell::new(BufReader::new(asked.stdout.take().unwrap()));
        let mut account = Self { _moto: moto, cli, asked, answers, folder, role_id: String::new() };
        let inventory = account.ask("seed");
        let roles = inventory["RoleDetailList"].as_array().unwrap();
        let role = roles.iter().find(|role| role["RoleName"] == "Vendor").unwrap();
        account.role_id = role["RoleId"].as_str().unwrap().to_owned();
        account.analyze(inventory);
        for _ in 0..300 {
            if socket.exists() {
                return Ok(account);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("the AWS command line does not start".to_owned())
    }

    /// What `roles.py` answers.
    pub(crate) fn ask(&self, what: &str) -> Value {
        writeln!(self.asked.stdin.as_ref().unwrap(), "{what}").unwrap();
        let mut line = String::new();
        self.answers.borrow_mut().read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{what}: {error}: {line}"))
    }

    fn analyze(&self, inventory: Value) {
        let mut trail = Trail::new("2026-05-01", "2026-05-10");
        trail.inventory = Some(inventory);
        for day in 1..=10 {
            let at = |minute: u32| format!("2026-05-{day:02}T08:{minute:02}:00Z");
            let mut caller = session("Vendor", "scan", &format!("ASIA{day}"));
            caller["principalId"] = json!(format!("{}:scan", self.role_id));
            caller["sessionContext"]["sessionIssuer"]["principalId"] = json!(self.role_id);
            trail.add(
                &at(0),
                json!({"type": "AWSAccount", "principalId": "AIDAX", "accountId": "464622532012"}),
                ("sts", "AssumeRole"),
                json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{OWN}:role/Vendor"), "roleSessionName": "scan"},
                    "responseElements": {"credentials": {"accessKeyId": format!("ASIA{day}")}, "assumedRoleUser":
                        {"assumedRoleId": format!("{}:scan", self.role_id), "arn": "arn:aws:sts::x"}}}),
            );
            for name in ["DescribeInstances", "DescribeVolumes", "DescribeSnapshots"] {
                trail.add(&at(1), caller.clone(), ("ec2", name), json!({"readOnly": true}));
            }
            let jane = made::user("jane", "AKIAJANEJANEJANEJANE");
            trail.add(&at(2), jane, ("ec2", "CreateTags"), json!({}));
        }
        for (path, bytes) in trail.analyzed() {
            let path = self.folder.path().join("out").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("out/roles").join(OWN).join("Vendor").join(name)
    }

    pub(crate) fn document(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.at(name)).unwrap()).unwrap()
    }

    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> Said {
        let path = format!("{}:{}", self.folder.path().join("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh").arg(self.at(script)).args(arguments).env("PATH", path).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Said { code: output.status.code().unwrap(), text: text(&output.stdout) + &text(&output.stderr) }
    }

    /// Runs it, and it succeeds.
    pub(crate) fn done(&self, script: &str, arguments: &[&str]) -> String {
        let said = self.run(script, arguments);
        assert_eq!(said.code, 0, "{script} {arguments:?}: {}", said.text);
        said.text
    }

    /// Runs it, and it stops without having changed anything.
    pub(crate) fn refused(&self, script: &str, arguments: &[&str], why: &str) {
        let before = self.ask("state");
        let said = self.run(script, arguments);
        assert!(said.code == 1 && said.text.contains(why), "{script} {arguments:?}: {}", said.text);
        assert_eq!(self.ask("state"), before);
    }
}
