//! Narrower trust policies, proposed on a small trail made for it: each step where the hand-offs say so, none where they do
//! not, and nothing where hand-offs may be missing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod made;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use thirdtrail::finding::trust_steps::{TrustNarrowing, TrustWishes};
use thirdtrail::policy::trust_edit::is_narrower;
use thirdtrail::policy::trust_probe::newly_admitted;
use thirdtrail::policy::{Caller, Context, Decision, PolicyDocument, trust_decision};

use made::{OWN, Trail};

const DATADOG: &str = "464622532012";
const CLOUDHEALTH: &str = "454464851268";
const UUID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";
const OTHER: &str = "8f14e45f-ceea-467f-9b1d-2f2f9a1d3c55";
const GITHUB: &str = "token.actions.githubusercontent.com";
const GONE: &str = "AROAGONEGONEGONEGONE1";
const WORKER: &str = "AROAWORKERWORKERWORK1";
const HELPER: &str = "AIDAHELPERHELPERHELP1";

/// Who came into a role, with what, on which days of May 2026.
#[derive(Clone)]
enum Came {
    /// An account's principal, with an external id or without.
    Vendor(&'static str, &'static str, Option<&'static str>, &'static [u32]),
    /// A subject of GitHub's with an audience that the record tells.
    GitHub(&'static str, &'static [u32]),
    /// The same, refused.
    Refused(&'static str, &'static str, &'static [u32]),
    /// A call of a session whose hand-off is not there.
    Unseen(u32),
}
use Came::{GitHub, Refused, Unseen, Vendor};

fn root(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

fn trusts(principal: Value, condition: Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if condition != json!({}) {
        statement["Condition"] = condition;
    }
    statement
}

fn vendor(condition: Value) -> Value {
    trusts(json!({"AWS": root(DATADOG)}), condition)
}

fn exact(id: &str) -> Value {
    json!({"StringEquals": {"sts:ExternalId": id}})
}

fn github(subject: Option<&str>, audience: bool) -> Value {
    let mut condition = json!({});
    if audience {
        condition["StringEquals"] = json!({format!("{GITHUB}:aud"): "sts.amazonaws.com"});
    }
    if let Some(subject) = subject {
        condition["StringLike"] = json!({format!("{GITHUB}:sub"): subject});
    }
    let mut statement = trusts(json!({"Federated": format!("arn:aws:iam::{OWN}:oidc-provider/{GITHUB}")}), condition);
    statement["Action"] = json!("sts:AssumeRoleWithWebIdentity");
    statement
}

const DAYS: &[u32] = &[1, 2, 3];

/// Every role with its trust and its hand-offs.
fn roles() -> Vec<(&'static str, Vec<Value>, Vec<Came>)> {
    let came = |id| vec![Vendor(DATADOG, WORKER, id, DAYS)];
    let tagging = || {
        let mut statement = vendor(json!({}));
        statement["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
        statement
    };
    let main = "repo:acme/shop:ref:refs/heads/main";
    vec![
        ("Deleted", vec![trusts(json!({"AWS": [root(DATADOG), GONE]}), exact(UUID))], came(Some(UUID))),
        ("OnlyDeleted", vec![trusts(json!({"AWS": GONE}), json!({})), github(Some(main), true)], vec![]),
        ("Nobody", vec![trusts(json!({"AWS": GONE}), json!({}))], came(Some(UUID))),
        ("Known", vec![vendor(exact(UUID)), vendor(json!({}))], came(Some(UUID))),
        ("IfExists", vec![vendor(json!({"StringEqualsIfExists": {"sts:ExternalId": UUID}}))], came(Some(UUID))),
        ("Template", vec![vendor(json!({}))], came(Some(UUID))),
        ("Pattern", vec![vendor(json!({"StringLike": {"sts:ExternalId": "*"}}))], came(Some(UUID))),
        ("WithoutId", vec![vendor(json!({}))], came(None)),
        ("TwoIds", vec![vendor(json!({}))], [came(Some(UUID)), came(Some(OTHER))].concat()),
        ("Tagging", vec![tagging()], came(Some(UUID))),
        ("Lost", vec![vendor(json!({}))], [came(Some(UUID)), vec![Unseen(2)]].concat()),
        (
            "Callers",
            vec![vendor(exact(UUID))],
            [came(Some(UUID)), vec![Vendor(DATADOG, HELPER, Some(UUID), &[2, 9])]].concat(),
        ),
        ("Once", vec![vendor(exact(UUID))], vec![Vendor(DATADOG, WORKER, Some(UUID), &[4])]),
        ("Root", vec![vendor(exact(UUID))], vec![Vendor(DATADOG, DATADOG, Some(UUID), DAYS)]),
        ("TwoParties", vec![trusts(json!({"AWS": [root(DATADOG), root(CLOUDHEALTH)]}), exact(UUID))], came(Some(UUID))),
        (
            "Named",
            vec![trusts(json!({"AWS": format!("arn:aws:iam::{DATADOG}:role/x")}), exact(UUID))],
            came(Some(UUID)),
        ),
        (
            "Denies",
            vec![
                vendor(json!({})),
                json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
            "Condition": {"StringNotEquals": {"sts:ExternalId": UUID}}}),
            ],
            came(Some(UUID)),
        ),
        (
            "Refusing",
            vec![vendor(exact(UUID)), vendor(json!({}))],
            [came(Some(UUID)), vec![Refused(CLOUDHEALTH, WORKER, DAYS)]].concat(),
        ),
        ("Subjects", vec![github(Some("repo:acme/*"), false)], vec![GitHub(main, DAYS)]),
        (
            "Prefix",
            vec![github(Some("repo:acme/*"), true)],
            vec![GitHub("repo:acme/shop:ref:refs/heads/a", &[1]), GitHub("repo:acme/shop:ref:refs/heads/b", &[2])],
        ),
        (
            "Wide",
            vec![github(Some("repo:acme/*"), true)],
            vec![GitHub("repo:acme/shop:ref:refs/heads/a", &[1]), GitHub("repo:acme/till:ref:refs/heads/b", &[2])],
        ),
        ("Bound", vec![github(Some(main), true)], vec![GitHub(main, DAYS)]),
        ("OneRun", vec![github(None, true)], vec![GitHub(main, &[5])]),
    ]
}

fn role_id(name: &str) -> String {
    format!("AROA{name}")
}

fn trail(wishes: TrustWishes) -> Trail {
    let mut trail = Trail::new("2026-05-01", "2026-05-10");
    trail.trust = wishes;
    let details: Vec<Value> = roles().into_iter().map(|(name, statements, _)| {
        json!({"RoleName": name, "RoleId": role_id(name), "Arn": format!("arn:aws:iam::{OWN}:role/{name}"), "Path": "/",
            "CreateDate": "2025-01-01T00:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": statements}})
    }).collect();
    trail.inventory =
        Some(json!({"RoleDetailList": details, "UserDetailList": [], "GroupDetailList": [], "Policies": []}));
    let mut number = 0;
    for (name, _, hand_offs) in roles() {
        let arn = format!("arn:aws:iam::{OWN}:role/{name}");
        for came in hand_offs {
            let days: &[u32] = match &came {
                Vendor(.., days) | GitHub(_, days) | Refused(.., days) => days,
                Unseen(day) => &[*day],
            };
            for day in days {
                number += 1;
                let time = format!("2026-05-{day:02}T10:{:02}:{:02}Z", number / 60, number % 60);
                let session = format!("s{number}");
                let response = json!({"credentials": {"accessKeyId": format!("ASIA{number:0>16}")},
                    "assumedRoleUser": {"assumedRoleId": format!("{}:{session}", role_id(name)), "arn": "arn:aws:sts::x"}});
                let mut parameters = json!({"roleArn": arn, "roleSessionName": session});
                match &came {
                    Vendor(account, id, sent, _) => {
                        if let Some(sent) = sent {
                            parameters["externalId"] = json!(sent);
                        }
                        let principal =
                            if id.starts_with("AROA") { format!("{id}:{session}") } else { (*id).to_owned() };
                        let caller = json!({"type": "AWSAccount", "principalId": principal, "accountId": account});
                        let change =
                            json!({"requestParameters": parameters, "responseElements": response, "readOnly": true});
                        trail.add(&time, caller, ("sts", "AssumeRole"), change);
                    }
                    Refused(account, id, _) => {
                        let caller = json!({"type": "AWSAccount", "principalId": id, "accountId": account});
                        let change =
                            json!({"requestParameters": parameters, "errorCode": "AccessDenied", "readOnly": true});
                        trail.add(&time, caller, ("sts", "AssumeRole"), change);
                    }
                    GitHub(subject, _) => {
                        let provider = format!("arn:aws:iam::{OWN}:oidc-provider/{GITHUB}");
                        let caller = json!({"type": "WebIdentityUser", "userName": subject, "identityProvider": provider,
                            "principalId": format!("{provider}:sts.amazonaws.com:{subject}")});
                        let mut response = response;
                        response["subjectFromWebIdentityToken"] = json!(subject);
                        let change =
                            json!({"requestParameters": parameters, "responseElements": response, "readOnly": true});
                        trail.add(&time, caller, ("sts", "AssumeRoleWithWebIdentity"), change);
                    }
                    Unseen(_) => {
                        let lost = made::session(name, "lost", "ASIALOSTLOSTLOSTLOST");
                        trail.add(&time, lost, ("ec2", "DescribeInstances"), json!({"readOnly": true}));
                    }
                }
            }
        }
    }
    trail
}

struct Answer {
    files: BTreeMap<String, Vec<u8>>,
    report: Value,
}

fn answer(wishes: TrustWishes) -> Answer {
    answer_of(&trail(wishes))
}

fn answer_of(trail: &Trail) -> Answer {
    let files = trail.analyzed();
    let report = serde_json::from_slice(&files["report.json"]).unwrap();
    Answer { files, report }
}

fn asked(narrowing: TrustNarrowing) -> TrustWishes {
    TrustWishes { narrowing: Some(narrowing), show_external_ids: true }
}

const SHOWN: TrustWishes = TrustWishes { narrowing: None, show_external_ids: true };

impl Answer {
    fn of(&self, role: &str) -> &Value {
        let roles = self.report["roles"].as_array().unwrap();
        &roles.iter().find(|one| one["name"] == role).unwrap()["trust_narrowing"]
    }

    /// Status and kinds of steps.
    fn steps(&self, role: &str) -> (&str, Vec<&str>) {
        let of = self.of(role);
        let kinds = of["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap());
        (of["status"].as_str().unwrap(), kinds.collect())
    }

    /// The reason why that kind of change was not made.
    fn left(&self, role: &str, kind: &str) -> &str {
        let left = self.of(role)["left_alone"].as_array().unwrap().iter().find(|one| one["kind"] == kind);
        left.unwrap_or_else(|| panic!("{role}: {}", self.of(role)))["reason"].as_str().unwrap()
    }

    fn document(&self, role: &str, which: &str) -> PolicyDocument {
        let path = self.of(role)["files"][which].as_str().unwrap();
        String::from_utf8(self.files[path].clone()).unwrap().parse().unwrap()
    }
}

/// S34, S40, S41: each step at the roles whose hand-offs call for it.
#[test]
fn steps_are_where_the_hand_offs_call_for_them() {
    let found = answer(SHOWN);
    let check = |role: &str, status: &str, steps: &[&str]| {
        assert_eq!(found.steps(role), (status, steps.to_vec()), "{role}: {:#}", found.of(role));
    };
    check("Deleted", "proposed", &["deleted_principal"]);
    check("OnlyDeleted", "proposed", &["deleted_principal"]);
    check("Known", "proposed", &["external_id"]);
    check("IfExists", "proposed", &["external_id"]);
    check("Template", "template", &["external_id"]);
    check("Pattern", "template", &["external_id"]);
    check("Denies", "unchanged", &[]);
    check("WithoutId", "unchanged", &[]);
    check("TwoIds", "unchanged", &[]);
    check("Tagging", "unchanged", &[]);
    check("Callers", "unchanged", &[]);
    check("Named", "unchanged", &[]);
    check("TwoParties", "unchanged", &[]);
    check("Subjects", "proposed", &["subjects", "audience"]);
    check("Prefix", "proposed", &["subjects"]);
    check("Wide", "unchanged", &[]);
    check("Bound", "unchanged", &[]);
    check("OneRun", "unchanged", &[]);
    assert!(found.left("Tagging", "external_id").contains("sts:TagSession"));
    assert!(found.left("Callers", "callers").contains("--narrow-trust"));
    assert!(found.left("Once", "callers").contains("one day") || found.left("Once", "callers").contains("1 day"));
    assert!(found.left("Root", "callers").contains("root user"));
    assert!(found.left("TwoParties", "unused_party").contains("--idle-days"));
    assert!(found.left("Wide", "subjects").contains("no narrower"));
    assert!(found.left("OneRun", "subjects").contains("one day"));
}

/// S34: the edit and nothing else.
#[test]
fn proposals_change_what_they_say_and_nothing_else() {
    let found = answer(asked(TrustNarrowing::Callers));
    let check = |role: &str, pointer: &str, expected: Value| {
        let (before, after) = (found.document(role, "current"), found.document(role, "narrowed"));
        let mut edited = before.as_value().clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        edited.pointer_mut(parent).unwrap()[key] = expected;
        assert_eq!(after.as_value(), &edited, "{role}");
    };
    let sub = format!("{GITHUB}:sub");
    check("Callers", "/Statement/0/Condition/StringLike", json!({"aws:userid": [HELPER, format!("{WORKER}:*")]}));
    check("Prefix", "/Statement/0/Condition/StringLike", json!({sub: "repo:acme/shop:ref:refs/heads/*"}));
    let id = format!("REPLACE-WITH-THE-EXTERNAL-ID-OF-{DATADOG}");
    check(
        "Template",
        "/Statement/0/Condition",
        json!({"StringEquals": {"sts:ExternalId": id}, "StringLike": {"aws:userid": format!("{WORKER}:*")}}),
    );
    assert!(found.of("Template")["files"]["narrowed"].as_str().unwrap().ends_with("trust.narrowed.template.json"));
}
