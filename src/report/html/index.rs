//! The first page: what the answer rests on, what matters first, and the tables of findings, parties and roles.

use std::collections::BTreeSet;

use askama::Template;

use crate::finding::assessment::{Finding, PartyReport, RoleReport};

use super::access::{self, Change, Key};
use super::account::AccountRow;
use super::coverage::{self, Coverage};
use super::findings::worst;
use super::lists::{self, FindingRow, Further, Lists, PartyRow, RoleRow, Shown};
use super::party::kind_words;
use super::shell::Shell;
use super::site::{SEVERITIES, Site};
use super::timeline::{window_days, window_words};
use super::words::{count, day, len, number, spoken};

/// Accounts that a filter offers; a search finds the others.
const ACCOUNTS_OFFERED: usize = 200;

/// What belongs together among the findings, in the order in which it matters: title, what is said of it, codes.
const THEMES: [(&str, &str, &[&str]); 7] = [
    ("Dangerous and unused", "rights that could do harm and that nobody used", &["dangerous-unused"]),
    (
        "Idle roles",
        "roles that nobody used for long, or ever, or that did nothing once assumed",
        &["role-idle", "role-never-used", "role-assumed-without-calls"],
    ),
    (
        "Unknown parties",
        "accounts that nobody knows, or that should be gone",
        &[
            "trust-unknown-account",
            "trust-anyone",
            "party-offboarded-active",
            "party-unexpected-role",
            "party-unexpected-action",
        ],
    ),
    (
        "External ids",
        "missing, guessable, shared or not sent",
        &[
            "trust-no-external-id",
            "trust-any-external-id",
            "external-id-weak",
            "external-id-shared",
            "external-id-not-sent",
        ],
    ),
    (
        "Too much power",
        "rights that amount to more than was meant",
        &[
            "policy-admin",
            "policy-privilege-escalation",
            "policy-iam-write",
            "policy-kms-any-key",
            "policy-secrets-any",
            "policy-data-read-any",
            "policy-passrole-any",
            "policy-write-wildcard",
            "boundary-missing",
        ],
    ),
    (
        "Keys",
        "access keys of third parties, old or unused ones",
        &["key-root", "key-of-vendor", "key-old", "key-unused", "key-both-active", "key-new-network"],
    ),
    (
        "New access",
        "access given in the window, or without a role",
        &["access-new", "access-delegated", "access-without-role", "role-chained-by-party"],
    ),
];

/// Findings that belong together.
pub(super) struct Theme {
    title: &'static str,
    what: &'static str,
    codes: String,
    amount: String,
    severity: String,
}

/// A choice of a filter: value and words.
type Choice = (String, String);

/// What the template takes.
#[derive(Template)]
#[template(path = "index.html")]
pub(super) struct IndexPage<'l> {
    shell: Shell,
    window: String,
    days: String,
    has_text: bool,
    has_tables: bool,
    as_of: String,
    idle_days: u32,
    coverage: Coverage,
    severities: Vec<(&'static str, String)>,
    open: u64,
    suppressed: u64,
    known: Option<u64>,
    facts: Vec<(String, &'static str)>,
    themes: Vec<Theme>,
    findings: &'l [FindingRow],
    findings_further: Option<Further>,
    codes: BTreeSet<&'l str>,
    /// Severities and accounts to choose from among the findings, suppressed ones too.
    findings_severities: Vec<&'static str>,
    findings_accounts: BTreeSet<&'l str>,
    parties: &'l [PartyRow],
    parties_further: Option<Further>,
    party_kinds: Vec<Choice>,
    roles: &'l [RoleRow],
    roles_further: Option<Further>,
    accounts: &'l [AccountRow],
    accounts_further: Option<Further>,
    /// Accounts to choose from among the roles.
    accounts_offered: BTreeSet<&'l str>,
    idle_verdicts: Vec<Choice>,
    role_kinds: Vec<Choice>,
    keys: Shown<Key>,
    changes: Shown<Change>,
}

/// The page.
pub(super) fn view<'l>(site: &Site<'l>, lists: &'l Lists) -> IndexPage<'l> {
    let assessment = site.assessment;
    let findings = &assessment.findings;
    let open: Vec<&Finding> = findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    let roles = lists::first(&lists.roles);
    let rows = lists::first(&lists.findings);
    let known = findings.iter().any(|finding| finding.known.is_some());
    IndexPage {
        shell: Shell::new(""),
        window: window_words(assessment),
        days: count(window_days(assessment), "day"),
        has_text: site.has_file("report.md"),
        has_tables: site.has_tables,
        as_of: day(assessment.as_of),
        idle_days: assessment.idle_days,
        coverage: coverage::of(assessment),
        severities: severities(&open),
        suppressed: (findings.len() - open.len()) as u64,
        known: known.then(|| open.iter().filter(|finding| finding.known == Some(true)).count() as u64),
        facts: facts(site),
        themes: themes(&open),
        findings_severities: SEVERITIES.into_iter().filter(|one| rows.iter().any(|row| row.severity == *one)).collect(),
        findings_accounts: offered(rows.iter().map(|row| row.account.as_str())),
        findings: rows,
        findings_further: lists::further("findings", &lists.findings),
        codes: findings.iter().map(|finding| finding.code.as_str()).collect(),
        party_kinds: choices(assessment.parties.iter().map(|party| party.kind.as_str()), kind_words),
        parties: lists::first(&lists.parties),
        parties_further: lists::further("parties", &lists.parties),
        accounts: lists::first(&lists.accounts),
        accounts_further: lists::further("accounts", &lists.accounts),
        accounts_offered: offered(roles.iter().map(|role| role.account.as_str())),
        idle_verdicts: choices(roles.iter().map(|role| role.idle.as_str()), spoken),
        role_kinds: choices(roles.iter().flat_map(|role| role.kinds.split(' ')), kind_words),
        roles,
        roles_further: lists::further("roles", &lists.roles),
        keys: lists::within(access::keys(site, &assessment.users), access::SOME),
        changes: lists::within(access::changes(site, &assessment.access_changes), access::SOME),
        open: open.len() as u64,
    }
}

/// Accounts that a filter offers; none where they are too many.
fn offered<'v>(accounts: impl Iterator<Item = &'v str>) -> BTreeSet<&'v str> {
    let accounts: BTreeSet<&str> = accounts.filter(|account| !account.is_empty()).collect();
    if accounts.len() > ACCOUNTS_OFFERED { BTreeSet::new() } else { accounts }
}

fn choices<'v>(values: impl Iterator<Item = &'v str>, words: impl Fn(&str) -> String) -> Vec<Choice> {
    let values: BTreeSet<&str> = values.filter(|value| !value.is_empty()).collect();
    values.into_iter().map(|value| (value.to_owned(), words(value))).collect()
}

fn severities(open: &[&Finding]) -> Vec<(&'static str, String)> {
    let amount = |severity: &str| open.iter().filter(|finding| finding.severity == severity).count() as u64;
    SEVERITIES
        .iter()
        .map(|severity| (*severity, amount(severity)))
        .filter(|(_, amount)| *amount > 0)
        .map(|(severity, amount)| (severity, number(amount)))
        .collect()
}

/// The few numbers that say how large all this is.
fn facts(site: &Site<'_>) -> Vec<(String, &'static str)> {
    let (roles, parties) = (&site.assessment.roles, &site.assessment.parties);
    let outside =
        |party: &&PartyReport| !matches!(party.kind.as_str(), "own_organization" | "aws_service" | "unresolved");
    let sum = |of: fn(&RoleReport) -> u64| roles.iter().map(of).sum::<u64>();
    let removed = |role: &RoleReport| if role.rightsizing.status == "proposed" { role.rightsizing.removed } else { 0 };
    let outsiders = parties.iter().filter(outside).count() as u64;
    let word =
        |amount: u64, one: &'static str, many: &'static str| (number(amount), if amount == 1 { one } else { many });
    vec![
        word(outsiders, "outside party", "outside parties"),
        word(len(roles), "role they can or did assume", "roles they can or did assume"),
        word(sum(|role| role.sessions.total), "session in the window", "sessions in the window"),
        word(sum(|role| role.rightsizing.granted), "granted action", "granted actions"),
        word(sum(removed), "of them can go", "of them can go"),
    ]
}

fn themes(open: &[&Finding]) -> Vec<Theme> {
    let of = |codes: &[&str]| {
        open.iter().filter(|finding| codes.contains(&finding.code.as_str())).copied().collect::<Vec<_>>()
    };
    let themes = THEMES.iter().map(|(title, what, codes)| (title, what, codes, of(codes)));
    themes
        .filter(|(.., found)| !found.is_empty())
        .map(|(title, what, codes, found)| Theme {
            title,
            what,
            codes: codes.join(" "),
            amount: number(len(&found)),
            severity: worst(&found).0.unwrap_or("info").to_owned(),
        })
        .collect()
}
