//! The HTML report of an organization in which there are thousands of everything, with long and hostile texts: pages stay
//! such that a browser likes them, and nothing is dropped silently.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod sample;

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::json;
use thirdtrail::aws::AccountId;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::finding::assessment::{Assessment, Finding, LatestSessions, RoleReport};
use thirdtrail::report::{html, paths};

/// How many of each.
const MANY: usize = 5_000;
/// How many of what has a page of its own.
const SEVERAL: usize = 600;
/// Bytes that the index may have, and any other page.
const INDEX: usize = 3_000_000;
const PAGE: usize = 1_000_000;

type Pages = BTreeMap<String, String>;

fn rendered(assessment: &Assessment) -> Pages {
    let folders = paths::role_folders(&assessment.roles);
    let files = html::render(&OneByOne, assessment, &folders, &[], true).unwrap();
    files.into_iter().map(|file| (file.path, String::from_utf8(file.bytes).unwrap())).collect()
}

fn account(number: usize) -> AccountId {
    AccountId::parse(&format!("{:012}", 100_000_000_000 + number)).unwrap()
}

/// A stranger's text that takes six times its length when it is escaped.
fn hostile(at: usize) -> String {
    format!("{at}{}", "\"<".repeat(400))
}

fn small() -> Assessment {
    let mut assessment = sample::assessment();
    assessment.findings.clear();
    assessment.users.clear();
    assessment.access_changes.clear();
    assessment
}

fn finding(at: usize, code: &str, of: AccountId, subject: &str) -> Finding {
    let model = sample::assessment().findings.remove(0);
    Finding {
        id: format!("{at:016x}"),
        code: code.to_owned(),
        severity: "medium".to_owned(),
        account_id: Some(of),
        subject: subject.to_owned(),
        title: format!("access key {at} of user x is 400 days old"),
        detail: format!("{}{at}", "The key was made long ago, and nobody has changed it since. ".repeat(4)),
        evidence: json!({"keys": [{"ending": "ABCD", "age_days": 400}, {"ending": "EFGH", "age_days": 401}]}),
        ..model
    }
}

/// Sizes are bearable, every reference leads somewhere, and each finding is told whole exactly once and reached from a list.
fn check(what: &str, assessment: &Assessment) -> Pages {
    let pages = rendered(assessment);
    for (path, text) in &pages {
        let most = if path.ends_with("index.html") { INDEX } else { PAGE };
        let most = if path.starts_with("report/lists/") { INDEX } else { most };
        if text.len() >= most {
            let mut parts: Vec<(usize, &str)> =
                text.split("<section").map(|part| (part.len(), &part[..part.len().min(90)])).collect();
            parts.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
            parts.truncate(5);
            panic!("{what}: {path} has {} bytes: {parts:?}", text.len());
        }
    }
    let reference = Regex::new(r#"\shref="([^"]*)""#).unwrap();
    let mut reached = BTreeSet::new();
    let mut lists = BTreeSet::new();
    for (path, text) in pages.iter().filter(|(path, _)| path.ends_with("index.html") || path.contains("/lists/")) {
        for found in reference.captures_iter(text) {
            let (file, anchor) = found[1].split_once('#').unwrap_or((&found[1], ""));
            let file = format!("report/{}", file.trim_start_matches("../"));
            if anchor.starts_with("f-") {
                reached.insert((file, anchor.to_owned()));
            } else if file.starts_with("report/lists/") {
                assert!(pages.contains_key(&file), "{what}: {path}: nothing at {file}");
                lists.insert(file);
            }
        }
    }
    assert_eq!(lists.len(), pages.keys().filter(|path| path.contains("/lists/")).count(), "{what}");
    let place = Regex::new(r#"<details class="finding [^"]*" id="([^"]*)""#).unwrap();
    let told: BTreeSet<(String, String)> = pages
        .iter()
        .flat_map(|(path, text)| {
            place.captures_iter(text).map(|found| (path.clone(), found[1].to_owned())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(told.len(), assessment.findings.len(), "{what}: told whole");
    assert_eq!(told, reached, "{what}: what lists lead to is what is told");
    pages
}

/// Thousands of users with two old keys each, in one account.
#[test]
fn findings_of_many_users_have_their_pages() {
    let mut assessment = small();
    let model = sample::assessment().users.remove(0);
    for at in 0..MANY {
        let mut user = model.clone();
        (user.name, user.party) = (format!("user-{at}"), None);
        user.arn = format!("arn:aws:iam::{}:user/user-{at}", sample::ACCOUNT);
        user.keys = vec![user.keys[0].clone(), user.keys[0].clone()];
        for code in ["key-old", "key-unused"] {
            let number = assessment.findings.len();
            assessment.findings.push(finding(number, code, user.account_id, &user.arn));
        }
        assessment.users.push(user);
    }
    let pages = check("users", &assessment);
    let keys: usize = pages
        .iter()
        .filter(|(path, _)| path.contains("/accounts/"))
        .map(|(_, text)| text.matches("<code>…MPLE</code>").count())
        .sum();
    assert_eq!(keys, 2 * MANY, "every key stands on a page");
    let index = &pages["report/index.html"];
    assert!(index.contains("9,800 more keys") || index.contains("9800 more keys"), "what is left out is counted");
    assert!(index.contains("go on in the same order on page"));
}

/// Hundreds of accounts with a trail, a finding and a role each, of parties with endless names.
#[test]
fn many_accounts_roles_and_parties_have_their_pages() {
    let mut assessment = small();
    let (trail, party) = (assessment.coverage.accounts[0].clone(), assessment.parties[0].clone());
    let change = sample::assessment().access_changes.remove(0);
    (assessment.roles, assessment.parties) = (Vec::new(), Vec::new());
    assessment.coverage.accounts.clear();
    for at in 0..SEVERAL {
        let of = account(at);
        let mut trail = trail.clone();
        trail.account_id = of;
        trail.data_events_seen = vec![hostile(at); 30];
        assessment.coverage.accounts.push(trail);
        assessment.findings.push(finding(at, "coverage-hole", of, of.as_str()));
        let mut party = party.clone();
        (party.id, party.name) =
            (account(SEVERAL + at).to_string(), if at % 2 == 0 { hostile(at) } else { format!("Vendor {at}") });
        party.channels = vec![hostile(at)];
        if at % 25 == 0 {
            let mut role = sample::role(&hostile(at), &format!("AROA{at}"), true);
            (role.account_id, role.arn) = (of, format!("arn:aws:iam::{of}:role/r{at}"));
            (role.actions, role.policies, role.daily) = (Vec::new(), Vec::new(), Vec::new());
            party.roles = vec![role.arn.clone()];
            assessment.roles.push(role);
        }
        assessment.parties.push(party);
        let mut change = change.clone();
        (change.account_id, change.subject) = (of, hostile(at));
        assessment.access_changes.push(change);
    }
    let pages = check("accounts", &assessment);
    let rows = |table: &str| {
        let start = format!("<table id=\"{table}\"");
        let tables = pages.iter().filter(|(path, _)| path.ends_with("index.html") || path.contains("/lists/"));
        let bodies = tables.filter_map(|(_, text)| text.split(&start).nth(1)?.split("</table>").next());
        bodies.map(|body| body.matches("\n<tr").count() + body.matches("><tr").count() - 1).sum::<usize>()
    };
    assert_eq!((rows("t-accounts"), rows("t-parties")), (SEVERAL, SEVERAL));
}

/// A role of which there is too much of everything.
fn with_thousands(role: &mut RoleReport) {
    let many = |at: usize| hostile(at);
    role.trust = (0..MANY)
        .map(|at| {
            let mut entry = role.trust[0].clone();
            entry.principal = many(at);
            entry.party = Some(many(at));
            entry
        })
        .collect();
    role.external_ids = (0..MANY)
        .map(|at| {
            let mut used = role.external_ids[0].clone();
            used.party_name = many(at);
            used.reason = many(at);
            used
        })
        .collect();
    role.sessions.by_party = (0..MANY).map(|at| (many(at), 1)).collect();
    role.actions = (0..MANY).map(|at| sample::entry(&format!("s{}:Action{at}", at % 900), "unused", 0, 0)).collect();
    role.actions.iter_mut().for_each(|entry| {
        entry.reason = many(1);
        entry.resources = vec![many(2); 50];
    });
    role.rightsizing.guardrail.actions = role.actions.iter().map(|entry| entry.action.clone()).collect();
    role.rightsizing.unknown_patterns = (0..MANY).map(many).collect();
    role.rightsizing.not_considered = (0..MANY).map(many).collect();
    let model = role.policies[0].clone();
    role.policies = (0..MANY / 10)
        .map(|at| {
            let mut policy = model.clone();
            policy.name = many(at);
            policy.also_attached_to = (0..MANY / 10).map(many).collect();
            let statements: Vec<_> = (0..20)
                .map(|n| json!({"Sid": many(n), "Effect": "Allow", "Action": ["s3:Get*"], "Resource": many(at)}))
                .collect();
            policy.current = json!({"Version": "2012-10-17", "Statement": statements});
            policy
        })
        .collect();
    if let Some(narrowing) = role.trust_narrowing.as_deref_mut() {
        narrowing.steps = vec![narrowing.steps[0].clone(); MANY];
        narrowing.steps.iter_mut().for_each(|step| (step.statement, step.detail) = (many(3), many(4)));
        narrowing.left_alone = vec![narrowing.left_alone[0].clone(); MANY];
        narrowing.left_alone.iter_mut().for_each(|one| (one.statement, one.reason) = (many(3), many(4)));
    }
}

/// One role and one party of which there is too much of everything.
#[test]
fn a_role_and_a_party_with_thousands_of_everything_have_bearable_pages() {
    let mut assessment = small();
    let many = |at: usize| hostile(at);
    let sessions: Vec<_> = (0..MANY)
        .map(|at| {
            let mut row = assessment.roles[1].latest.rows[0].clone();
            row.session_name = many(at).into();
            (row.networks, row.agents) =
                ((0..40).map(|n| many(n).into()).collect(), (0..40).map(|n| many(n).into()).collect());
            row
        })
        .collect();
    let role = &mut assessment.roles[1];
    let arn = role.arn.clone();
    with_thousands(role);
    let latest = LatestSessions { all: 2 * MANY as u64, rows: sessions };
    role.latest = latest.clone();
    assessment.parties[0].latest = latest;
    let party = &mut assessment.parties[0];
    party.roles = (0..MANY).map(|at| format!("arn:aws:iam::012345678901:role/{}", many(at))).collect();
    party.roles.push(arn.clone());
    (party.networks, party.agents, party.regions) =
        ((0..MANY).map(many).collect(), (0..MANY).map(many).collect(), (0..MANY).map(many).collect());
    party.channels = (0..40).map(many).collect();
    party.charged = vec![party.charged[0].clone(); MANY];
    let party = party.id.clone();
    for (number, subject) in [(0, &arn), (100, &party)] {
        for at in 0..40 {
            let mut one = finding(number + at, &format!("code-{at}"), account(0), subject);
            (one.title, one.detail, one.remediation) = (many(at), many(at).repeat(5), many(at).repeat(5));
            one.evidence = json!(vec![many(at); 200]);
            assessment.findings.push(one);
        }
    }
    assessment.coverage.not_judged = (0..MANY).map(many).collect();
    assessment.coverage.objects.failed = vec![assessment.coverage.objects.failed[0].clone(); MANY];
    assessment.coverage.objects.failed.iter_mut().for_each(|one| (one.key, one.reason) = (many(1), many(2)));
    assessment.coverage.bad_records = vec![assessment.coverage.bad_records[0].clone(); MANY];
    assessment.coverage.unmapped = vec![assessment.coverage.unmapped[0].clone(); MANY];
    assessment.coverage.unmapped.iter_mut().for_each(|one| one.blocks = vec![many(1); 100]);
    check("a role", &assessment);
}
