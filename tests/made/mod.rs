//! A small trail made for one test: records by day, an inventory, a credential report, and what `analyze` makes of them.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot make its trail has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirdtrail::aws::window::parse_time;
use thirdtrail::finding::trust_steps::TrustWishes;
use thirdtrail::run::analyze::{Options, analyze};
use thirdtrail::run::live::Input;
use thirdtrail::run::monitor::Silent;
use thirdtrail::run::plan::Request;
use thirdtrail::run::workers::Effort;
use thirdtrail::store::local::LocalStore;

/// The account whose trail it is.
pub(crate) const OWN: &str = "111122223333";

/// See the module.
pub(crate) struct Trail {
    folder: TempDir,
    records: Vec<Value>,
    /// First day and last day, `2026-05-01`; every day has an object.
    days: (&'static str, &'static str),
    /// Days without an object.
    pub(crate) holes: Vec<String>,
    pub(crate) inventory: Option<Value>,
    pub(crate) credential_report: Option<String>,
    /// Output of `aws organizations list-accounts`.
    pub(crate) organization: Option<Value>,
    /// A vendors file.
    pub(crate) vendors: Option<String>,
    /// What is asked for about trust policies.
    pub(crate) trust: TrustWishes,
    /// Worker threads.
    pub(crate) jobs: usize,
    /// Whole days without activity from which a role is idle.
    pub(crate) idle_days: u32,
    /// The Regions asked for; none for all.
    pub(crate) regions: Vec<String>,
}

impl Trail {
    pub(crate) fn new(first: &'static str, last: &'static str) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            records: Vec::new(),
            days: (first, last),
            holes: Vec::new(),
            inventory: None,
            credential_report: None,
            organization: None,
            vendors: None,
            trust: TrustWishes::default(),
            jobs: 2,
            idle_days: 90,
            regions: Vec::new(),
        }
    }

    /// Adds a record of a successful call; `changes` replace or add members, null takes one away.
    pub(crate) fn add(&mut self, time: &str, identity: Value, (source, name): (&str, &str), changes: Value) {
        let number = self.records.len();
        let mut record = json!({"eventVersion": "1.10", "userIdentity": identity, "eventTime": time,
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.7", "userAgent": "agent/1", "requestParameters": null, "responseElements": null,
            "eventID": format!("00000000-0000-4000-8000-{number:012}"), "eventType": "AwsApiCall",
            "managementEvent": true, "eventCategory": "Management", "readOnly": false, "recipientAccountId": OWN});
        for (key, value) in changes.as_object().unwrap() {
            record[key] = value.clone();
        }
        self.records.push(record);
    }

    /// The same records at one time.
    pub(crate) fn moved_to(mut self, time: &str) -> Self {
        self.records.iter_mut().for_each(|record| record["eventTime"] = time.into());
        self
    }

    /// What `analyze` makes of it: every output, by path.
    pub(crate) fn analyzed(&self) -> BTreeMap<String, Vec<u8>> {
        self.write_objects();
        let file = |name: &str, text: &str| -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let mut options = Options {
            request: Request {
                since: parse_time(self.days.0),
                until: parse_time(self.days.1).map(|time| time + chrono::TimeDelta::days(1)),
                regions: self.regions.iter().cloned().collect(),
                ..Request::default()
            },
            idle_days: self.idle_days,
            key_days: 90,
            max_holes: 0.05,
            trust: self.trust,
            effort: Effort { jobs: self.jobs, memory_bytes: 64 << 20 },
            ..Options::default()
        };
        if let Some(inventory) = &self.inventory {
            options.inventories.push(file("inventory.json", &inventory.to_string()));
        }
        if let Some(report) = &self.credential_report {
            options.beside.files.push((Input::CredentialReport, file("report.csv", report)));
        }
        if let Some(organization) = &self.organization {
            options.beside.files.push((Input::Organization, file("organization.json", &organization.to_string())));
        }
        if let Some(vendors) = &self.vendors {
            options.rules.vendors.push(file("vendors.toml", vendors));
        }
        let outcome = analyze(&LocalStore::open(Path::new(self.folder.path())).unwrap(), &options, &Silent).unwrap();
        let calls = outcome.activity.files.iter().map(|file| {
            let mut bytes = Vec::new();
            outcome.activity.copy(file, &mut bytes).unwrap();
            (file.path.clone(), bytes)
        });
        let calls: Vec<_> = calls.collect();
        outcome.files.into_iter().map(|file| (file.path, file.bytes)).chain(calls).collect()
    }

    /// Its `report.json`.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&self.analyzed()["report.json"]).unwrap()
    }

    fn write_objects(&self) {
        let (mut day, last) = (parse_time(self.days.0).unwrap(), parse_time(self.days.1).unwrap());
        while day <= last {
            let date = day.format("%Y-%m-%d").to_string();
            let records: Vec<&Value> =
                self.records.iter().filter(|record| record["eventTime"].as_str().unwrap().starts_with(&date)).collect();
            let folder = format!("AWSLogs/{OWN}/CloudTrail/us-east-1/{}", day.format("%Y/%m/%d"));
            let folder = self.folder.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            let name = format!("{OWN}_CloudTrail_us-east-1_{}T1100Z_abcdefghijklmnop.json", day.format("%Y%m%d"));
            if !self.holes.contains(&date) {
                fs::write(folder.join(name), json!({"Records": records}).to_string()).unwrap();
            }
            day += chrono::TimeDelta::days(1);
        }
    }
}

/// The findings of a report with that code, by the last part of their subject.
pub(crate) fn with<'a>(report: &'a Value, code: &str) -> BTreeMap<&'a str, &'a Value> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    findings.map(|finding| (finding["subject"].as_str().unwrap().rsplit(['/', ':']).next().unwrap(), finding)).collect()
}

/// The same, with only their severities.
pub(crate) fn severities<'a>(report: &'a Value, code: &str) -> Vec<(&'a str, &'a str)> {
    with(report, code).into_iter().map(|(name, finding)| (name, finding["severity"].as_str().unwrap())).collect()
}

/// The identity of an IAM user with a key.
pub(crate) fn user(name: &str, key: &str) -> Value {
    json!({"type": "IAMUser", "principalId": format!("AIDA{name}"), "arn": format!("arn:aws:iam::{OWN}:user/{name}"),
        "accountId": OWN, "accessKeyId": key, "userName": name})
}

/// The identity of a session of a role.
pub(crate) fn session(role: &str, name: &str, key: &str) -> Value {
    json!({"type": "AssumedRole", "principalId": format!("AROA{role}:{name}"), "accountId": OWN, "accessKeyId": key,
        "arn": format!("arn:aws:sts::{OWN}:assumed-role/{role}/{name}"), "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": format!("AROA{role}"), "accountId": OWN, "userName": role,
                "arn": format!("arn:aws:iam::{OWN}:role/{role}")},
            "attributes": {"creationDate": "2026-05-01T00:00:00Z", "mfaAuthenticated": "false"}}})
}
