//! Roles with their trust and the hand-offs into them, made to call for a narrower trust or not to.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot make its trail has failed")]

use serde_json::{Value, json};
use thirdtrail::finding::trust_steps::TrustWishes;

use crate::made::{self, OWN, Trail};

pub(crate) const DATADOG: &str = "464622532012";
pub(crate) const CLOUDHEALTH: &str = "454464851268";
pub(crate) const UUID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";
pub(crate) const OTHER: &str = "8f14e45f-ceea-467f-9b1d-2f2f9a1d3c55";
pub(crate) const GITHUB: &str = "token.actions.githubusercontent.com";
pub(crate) const SIGN_ON: &str = "partner";
pub(crate) const GONE: &str = "AROAGONEGONEGONEGONE1";
pub(crate) const WORKER: &str = "AROAWORKERWORKERWORK1";
pub(crate) const HELPER: &str = "AIDAHELPERHELPERHELP1";

/// Who came into a role, with what, on which days of May 2026.
#[derive(Clone)]
pub(crate) enum Came {
    /// An account's principal, with an external id or without.
    Vendor(&'static str, &'static str, Option<&'static str>, &'static [u32]),
    /// A subject of GitHub's with an audience that the record tells.
    GitHub(&'static str, &'static [u32]),
    /// A person of the sign-on of a company.
    Saml(&'static str, &'static [u32]),
    /// An account's principal, refused.
    Refused(&'static str, &'static str, &'static [u32]),
    /// A call of a session whose hand-off is not there.
    Unseen(u32),
}
use Came::{GitHub, Refused, Saml, Unseen, Vendor};

pub(crate) fn root(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

pub(crate) fn trusts(principal: Value, condition: Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if condition != json!({}) {
        statement["Condition"] = condition;
    }
    statement
}

pub(crate) fn vendor(condition: Value) -> Value {
    trusts(json!({"AWS": root(DATADOG)}), condition)
}

pub(crate) fn exact(id: &str) -> Value {
    json!({"StringEquals": {"sts:ExternalId": id}})
}

pub(crate) fn github(subject: Option<&str>, audience: bool) -> Value {
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

pub(crate) fn saml() -> Value {
    let audience = json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}});
    let mut statement = trusts(json!({"Federated": format!("arn:aws:iam::{OWN}:saml-provider/{SIGN_ON}")}), audience);
    statement["Action"] = json!("sts:AssumeRoleWithSAML");
    statement
}

pub(crate) const DAYS: &[u32] = &[1, 2, 3];

/// Every role with its trust and its hand-offs.
pub(crate) fn roles() -> Vec<(&'static str, Vec<Value>, Vec<Came>)> {
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
        ("People", vec![saml()], vec![Saml("jo@partner.example", DAYS), Saml("sam@partner.example", &[1, 9])]),
        ("Guest", vec![saml()], vec![Saml("jo@partner.example", DAYS), Saml("guest@partner.example", &[4])]),
        ("Empty", vec![saml()], vec![]),
        ("Public", vec![trusts(json!("*"), json!({}))], came(Some(UUID))),
        ("PublicWithId", vec![trusts(json!({"AWS": "*"}), exact(UUID))], came(Some(UUID))),
        ("PublicUnused", vec![trusts(json!("*"), json!({}))], vec![]),
        ("OneRun", vec![github(None, true)], vec![GitHub(main, &[5])]),
    ]
}

pub(crate) fn role_id(name: &str) -> String {
    format!("AROA{name}")
}

fn signed_on(trail: &mut Trail, time: &str, subject: &str, (mut parameters, mut response): (Value, Value)) {
    let hash = "8uSlDRJvUnNCcdRGTtPXrAOiFlU=";
    let caller = json!({"type": "SAMLUser", "principalId": format!("{hash}:{subject}"), "userName": subject,
        "identityProvider": hash});
    parameters["principalArn"] = json!(format!("arn:aws:iam::{OWN}:saml-provider/{SIGN_ON}"));
    response["subject"] = json!(subject);
    response["audience"] = json!("https://signin.aws.amazon.com/saml");
    let change = json!({"requestParameters": parameters, "responseElements": response, "readOnly": true});
    trail.add(time, caller, ("sts", "AssumeRoleWithSAML"), change);
}

pub(crate) fn trail(wishes: TrustWishes) -> Trail {
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
                Vendor(.., days) | GitHub(_, days) | Saml(_, days) | Refused(.., days) => days,
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
                    Saml(subject, _) => signed_on(&mut trail, &time, subject, (parameters, response)),
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
