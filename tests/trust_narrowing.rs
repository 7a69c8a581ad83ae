//! Narrower trust policies, proposed on a small trail made for it: each step where the hand-offs say so, none where they do
//! not, and nothing where hand-offs may be missing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod comers;
mod made;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use thirdtrail::aws::{AccountId, Action};
use thirdtrail::finding::trust_steps::{TrustNarrowing, TrustWishes};
use thirdtrail::policy::trust_edit::is_narrower;
use thirdtrail::policy::trust_probe::newly_admitted;
use thirdtrail::policy::{Caller, Context, Decision, PolicyDocument, trust_decision};

use comers::Came::{GitHub, Refused, Saml, Unseen, Vendor};
use comers::{CLOUDHEALTH, DATADOG, GITHUB, HELPER, OTHER, SIGN_ON, UUID, WORKER, role_id, roles, root, trail, vendor};
use made::{OWN, Trail};

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

/// S40: a whole account becomes its callers only where that was asked for, and parties go only if they had time to come.
#[test]
fn callers_and_parties_are_narrowed_only_if_asked() {
    let callers = answer(asked(TrustNarrowing::Callers));
    assert_eq!(callers.steps("Callers"), ("proposed", vec!["callers"]));
    let step = &callers.of("Callers")["steps"][0];
    let evidence: Vec<(&str, u64, u64)> = step["evidence"]["callers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), one["hand_offs"].as_u64().unwrap(), one["days"].as_u64().unwrap()))
        .collect();
    assert_eq!(evidence, [(HELPER, 2, 2), (WORKER, 3, 3)]);
    assert!(step["detail"].as_str().unwrap().contains("may change its roles any day"));
    for role in ["Once", "Root", "TwoParties", "Named"] {
        assert_eq!(callers.steps(role), ("unchanged", vec![]), "{role}");
    }
    let short = answer(asked(TrustNarrowing::Parties));
    assert_eq!(short.steps("TwoParties"), ("unchanged", vec![]), "ten days are no ninety");
    let mut trail = trail(asked(TrustNarrowing::Parties));
    trail.idle_days = 5;
    let parties = answer_of(&trail);
    assert_eq!(parties.steps("TwoParties"), ("proposed", vec!["unused_party", "callers"]));
    let left = parties.document("TwoParties", "narrowed").as_value()["Statement"][0]["Principal"].clone();
    assert_eq!(left, json!({"AWS": [root(DATADOG)]}));
    assert!(parties.left("OnlyDeleted", "unused_party").contains("nor did anybody else"));
    assert_eq!(parties.steps("Nobody").0, "withheld");
    assert!(parties.of("Nobody")["reason"].as_str().unwrap().contains("delete it instead"));
}

/// S13, S40: people and accounts are limited to those who came only where that was asked for, and they are few and steady.
#[test]
fn people_and_everybody_are_narrowed_only_if_asked() {
    let shown = answer(SHOWN);
    for role in ["People", "Guest", "Empty", "Public", "PublicWithId", "PublicUnused"] {
        assert_eq!(shown.steps(role), ("unchanged", vec![]), "{role}");
    }
    assert!(shown.left("People", "subjects").contains("only 2 subjects came: --narrow-trust"));
    assert!(shown.left("Public", "accounts").contains("--idle-days"));
    let mut trail = trail(asked(TrustNarrowing::Parties));
    trail.idle_days = 5;
    let found = answer_of(&trail);
    assert_eq!(found.steps("People"), ("proposed", vec!["subjects"]));
    let people = found.document("People", "narrowed").as_value()["Statement"][0]["Condition"]["StringEquals"].clone();
    assert_eq!(people["SAML:sub"], json!(["jo@partner.example", "sam@partner.example"]));
    assert!(found.left("Guest", "subjects").contains("one day"));
    assert_eq!(found.steps("Empty"), ("unchanged", vec![]));
    for role in ["Public", "PublicWithId"] {
        assert_eq!(found.steps(role), ("proposed", vec!["accounts"]), "{role}: {:#}", found.of(role));
        let after = found.document(role, "narrowed").as_value()["Statement"][0]["Condition"].clone();
        assert_eq!(after["StringEquals"]["aws:PrincipalAccount"], json!(DATADOG), "{role}");
    }
    assert!(found.left("PublicUnused", "accounts").contains("nobody came"));
}

/// S26: who was let in within the window had no window to come in.
#[test]
fn a_trust_that_was_changed_in_the_window_shows_nobody_unused() {
    let mut trail = trail(asked(TrustNarrowing::Parties));
    trail.idle_days = 5;
    let set = |role: &str, outcome: Value| {
        json!({"requestParameters": {"roleName": role, "policyDocument": json!({"Statement": []}).to_string()},
            "errorCode": outcome})
    };
    let jane = || made::user("jane", "AKIAJANEJANEJANEJANE");
    let api = ("iam", "UpdateAssumeRolePolicy");
    trail.add("2026-05-07T10:00:00Z", jane(), api, set("Public", json!("AccessDenied")));
    trail.add("2026-05-07T10:00:01Z", jane(), api, set("TwoParties", Value::Null));
    let found = answer_of(&trail);
    assert_eq!(found.steps("TwoParties"), ("unchanged", vec![]));
    let left = found.left("TwoParties", "unused_party");
    assert!(left.contains(CLOUDHEALTH) && left.contains("changed on 2026-05-07"), "{left}");
    assert_eq!(found.steps("Public").0, "proposed", "a refused change changes nothing");
}

/// S26, S40: where hand-offs may be missing, nothing is proposed, and it is said why.
#[test]
fn nothing_is_proposed_in_doubt() {
    let check = |found: &Answer, role: &str, why: &str| {
        assert_eq!(found.steps(role), ("withheld", vec![]), "{role}");
        assert!(found.of(role)["reason"].as_str().unwrap().contains(why), "{:#}", found.of(role));
        let folder = format!("roles/{OWN}/{role}/trust");
        assert!(!found.files.keys().any(|path| path.starts_with(&folder)), "{role}");
    };
    check(&answer(SHOWN), "Lost", "who opened 1 session is not known");
    let mut holes = trail(SHOWN);
    holes.holes = vec!["2026-05-06".to_owned(), "2026-05-07".to_owned()];
    let mut region = trail(SHOWN);
    region.regions = vec!["us-east-1".to_owned()];
    let (holes, region) = (answer_of(&holes), answer_of(&region));
    for role in ["Deleted", "Known", "Template", "Callers", "Subjects"] {
        check(&holes, role, "holes on 20 %");
        check(&region, role, "only some Regions were read");
    }
}

/// S37: what is proposed is narrower, lets in nobody new, lets in everybody who came, and keeps out who was kept out.
#[test]
fn every_hand_off_goes_on_and_nobody_new_comes_in() {
    let mut trail = trail(asked(TrustNarrowing::Parties));
    trail.idle_days = 5;
    let found = answer_of(&trail);
    let mut proposals = 0;
    for (role, _, hand_offs) in roles() {
        if !matches!(found.steps(role).0, "proposed" | "template") {
            continue;
        }
        proposals += 1;
        let (before, after) = (found.document(role, "current"), found.document(role, "narrowed"));
        assert!(is_narrower(&after, &before), "{role}");
        assert_eq!(newly_admitted(&after, &before), [] as [String; 0], "{role}");
        // Somebody fills the template in.
        let filled = after.as_value().to_string().replace(&format!("REPLACE-WITH-THE-EXTERNAL-ID-OF-{DATADOG}"), UUID);
        let after: PolicyDocument = filled.parse().unwrap();
        let mut count = 0;
        for came in hand_offs {
            let (is_in, caller, context, days) = match came {
                Vendor(account, id, sent, days) => (true, account, vendor_context(id, sent), days),
                Refused(account, id, days) => (false, account, vendor_context(id, None), days),
                GitHub(subject, days) => {
                    let context = Context::complete().with(&format!("{GITHUB}:sub"), [subject]);
                    (true, GITHUB, context.with(&format!("{GITHUB}:aud"), ["sts.amazonaws.com"]), days)
                }
                Saml(subject, days) => {
                    let context = Context::complete().with("SAML:sub", [subject]);
                    (true, SIGN_ON, context.with("SAML:aud", ["https://signin.aws.amazon.com/saml"]), days)
                }
                Unseen(_) => continue,
            };
            let of_github = format!("arn:aws:iam::{OWN}:oidc-provider/{GITHUB}");
            let sign_on = format!("arn:aws:iam::{OWN}:saml-provider/{SIGN_ON}");
            let (caller, action) = match AccountId::parse(caller) {
                Some(account) => (Caller::Account(account), "sts:AssumeRole"),
                None if caller == SIGN_ON => (Caller::Federated(&sign_on), "sts:AssumeRoleWithSAML"),
                None => (Caller::Federated(&of_github), "sts:AssumeRoleWithWebIdentity"),
            };
            let action = Action::parse(action).unwrap();
            let decide = |trust| trust_decision(trust, &action, caller, context.clone()).decision == Decision::Allowed;
            assert_eq!((decide(&before), decide(&after)), (is_in, is_in), "{role}: {caller:?}");
            count += if is_in { days.len() as u64 } else { 0 };
        }
        let replay = &found.of(role)["replay"];
        let numbers = ["hand_offs", "newly_admitted", "refused", "still_refused"];
        let numbers = numbers.map(|name| replay[name].as_u64().unwrap());
        let refused = if role == "Refusing" { 3 } else { 0 };
        assert_eq!(numbers, [count, 0, refused, refused], "{role}");
        // What a sign-on vouches for beyond the subject, records do not tell.
        let (known, open) = if role == "People" { (0, count) } else { (count, 0) };
        assert_eq!([&replay["allowed"], &replay["undecided"]], [known, open], "{role}");
    }
    assert!(proposals >= 12, "{proposals}");
}

fn vendor_context(id: &str, sent: Option<&str>) -> Context {
    let user_id = if id.starts_with("AROA") { format!("{id}:any") } else { id.to_owned() };
    let context = Context::complete().with("aws:userid", [user_id]);
    sent.map_or(context.clone(), |sent| context.with("sts:ExternalId", [sent]))
}

/// S42: no id is in any output unless that was asked for, and then below `roles` only.
#[test]
fn external_ids_are_shown_only_if_asked_and_only_in_files_to_apply() {
    let hidden = answer(TrustWishes { narrowing: Some(TrustNarrowing::Callers), show_external_ids: false });
    let secrets = |text: &str| [UUID, OTHER].into_iter().any(|id| text.contains(id));
    for (path, bytes) in &hidden.files {
        assert!(!secrets(&String::from_utf8_lossy(bytes)), "{path}");
    }
    let files = &hidden.of("Known")["files"];
    assert!(files["current"].is_null() && files["narrowed"].is_null());
    assert!(files["not_written"].as_str().unwrap().contains("--show-external-ids"));
    let diff = String::from_utf8(hidden.files[files["diff"].as_str().unwrap()].clone()).unwrap();
    assert!(diff.contains("+          \"sts:ExternalId\": \"<external id, fingerprint "), "{diff}");
    // Without an id in it a document is no secret.
    assert!(hidden.of("Subjects")["files"]["narrowed"].is_string());
    let shown = answer(asked(TrustNarrowing::Callers));
    let with: Vec<&String> = shown
        .files
        .iter()
        .filter(|(_, bytes)| secrets(&String::from_utf8_lossy(bytes)))
        .map(|(path, _)| path)
        .collect();
    assert!(
        !with.is_empty() && with.iter().all(|path| path.starts_with("roles/") && path.contains("/trust.")),
        "{with:?}"
    );
    let page = String::from_utf8(shown.files["report.md"].clone()).unwrap();
    let command = format!(
        "aws iam update-assume-role-policy --role-name Known --policy-document file://roles/{OWN}/Known/trust."
    );
    assert!(page.contains(&format!("{command}narrowed.json")) && page.contains(&format!("{command}current.json")));
}

/// Equal inputs give equal bytes, for any number of workers.
#[test]
fn workers_change_nothing() {
    let by = |jobs| {
        let mut trail = trail(asked(TrustNarrowing::Callers));
        trail.jobs = jobs;
        trail.analyzed()
    };
    assert!(by(1) == by(5));
}

/// S11: advice on sessions is one sentence, where records show the need.
#[test]
fn advice_needs_evidence() {
    let mut trail = Trail::new("2026-05-01", "2026-05-02");
    let roles = [
        ("People", "jane@vendor.example", None),
        ("Machine", "worker", None),
        ("Told", "jo@vendor.example", Some("jo")),
    ];
    let mut details = Vec::new();
    for (number, (name, session, identity)) in roles.into_iter().enumerate() {
        let arn = format!("arn:aws:iam::{OWN}:role/{name}");
        details.push(json!({"RoleName": name, "RoleId": role_id(name), "Arn": arn, "Path": "/",
            "CreateDate": "2025-01-01T00:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": vendor(json!({}))}}));
        let caller = json!({"type": "AWSAccount", "principalId": format!("{WORKER}:x"), "accountId": DATADOG});
        let mut parameters = json!({"roleArn": arn, "roleSessionName": session});
        if let Some(identity) = identity {
            parameters["sourceIdentity"] = json!(identity);
        }
        let response = json!({"credentials": {"accessKeyId": format!("ASIA{number:0>16}")},
            "assumedRoleUser": {"assumedRoleId": format!("{}:{session}", role_id(name)), "arn": "arn:aws:sts::x"}});
        let change = json!({"requestParameters": parameters, "responseElements": response, "readOnly": true});
        trail.add("2026-05-01T10:00:00Z", caller, ("sts", "AssumeRole"), change);
    }
    trail.inventory =
        Some(json!({"RoleDetailList": details, "UserDetailList": [], "GroupDetailList": [], "Policies": []}));
    let found = answer_of(&trail);
    assert!(found.of("People")["advice"].as_str().unwrap().contains("source identity"));
    assert!(found.of("Machine")["advice"].is_null() && found.of("Told")["advice"].is_null());
}
