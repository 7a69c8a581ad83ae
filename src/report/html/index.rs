//! The first page: what the answer rests on, what matters first, and the tables of findings, parties and roles.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use crate::finding::assessment::{Finding, PartyReport, RoleReport};
use crate::policy::risk::Radius;

use super::access::{self, Change, Key};
use super::coverage::{self, Coverage};
use super::findings::{Told, rank, told, worst};
use super::party::kind_words;
use super::shell::Shell;
use super::site::{SEVERITIES, Site};
use super::timeline::{window_days, window_words};
use super::words::{Long, count, cut, day, day_or, len, number, sentence, spoken, tenths};

/// Findings, parties and roles in the tables of the index; what is beyond stands on the pages and in `report.json`.
pub(super) const ROWS: usize = 6_000;
/// Names of parties in a row of the table of roles.
const PARTIES_NAMED: usize = 3;
/// Characters of a name in a row.
const NAME_CHARS: usize = 80;

/// What belongs together among the findings, in the order in which it matters: title, what is said of it, codes.
const THEMES: [(&str, &str, &[&str]); 7] = [
    ("Dangerous and unused", "rights that could do harm and that nobody used", &["dangerous-unused"]),
    (
        "Idle roles",
        "roles that nobody used for long, or ever",
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

/// A finding in one line.
pub(super) struct FindingRow {
    severity: String,
    code: String,
    href: String,
    title: String,
    account: String,
    party: String,
    known: bool,
    suppressed: bool,
}

/// A party in one line.
pub(super) struct PartyRow {
    href: String,
    name: Long,
    kind: String,
    kind_words: String,
    channels: String,
    roles: u64,
    sessions: u64,
    calls: u64,
    denied: u64,
    last: String,
    before: Option<u64>,
    radius: String,
    severity: String,
    rank: usize,
    findings: u64,
}

/// A role in one line.
pub(super) struct RoleRow {
    href: String,
    name: Long,
    account: String,
    parties: String,
    kinds: String,
    idle: String,
    idle_words: String,
    last: String,
    sessions: u64,
    in_inventory: bool,
    granted: u64,
    removed: u64,
    status: String,
    before: Option<u64>,
    radius: String,
    severity: String,
    rank: usize,
    findings: u64,
}

/// A choice of a filter: value and words.
type Choice = (String, String);

/// What the template takes.
#[derive(Template)]
#[template(path = "index.html")]
pub(super) struct IndexPage {
    shell: Shell,
    window: String,
    days: String,
    has_text: bool,
    as_of: String,
    idle_days: u32,
    coverage: Coverage,
    severities: Vec<(&'static str, String)>,
    open: u64,
    suppressed: u64,
    known: Option<u64>,
    facts: Vec<(String, &'static str)>,
    themes: Vec<Theme>,
    findings: Vec<FindingRow>,
    findings_more: u64,
    codes: Vec<String>,
    elsewhere: Vec<Told>,
    parties: Vec<PartyRow>,
    parties_more: u64,
    party_kinds: Vec<Choice>,
    roles: Vec<RoleRow>,
    roles_more: u64,
    accounts: Vec<String>,
    idle_verdicts: Vec<Choice>,
    role_kinds: Vec<Choice>,
    keys: Vec<Key>,
    keys_more: u64,
    changes: Vec<Change>,
    changes_more: u64,
}

/// The page.
pub(super) fn view(site: &Site<'_>) -> IndexPage {
    let assessment = site.assessment;
    let findings = &assessment.findings;
    let open: Vec<&Finding> = findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    let kinds: BTreeMap<&str, &str> =
        assessment.parties.iter().map(|party| (party.name.as_str(), party.kind.as_str())).collect();
    let roles: Vec<RoleRow> = roles(site, &kinds);
    let (keys, all_keys) = access::keys(site, assessment);
    let (changes, all_changes) = access::changes(site, assessment);
    let known = findings.iter().any(|finding| finding.known.is_some());
    IndexPage {
        shell: Shell::new(""),
        window: window_words(assessment),
        days: count(window_days(assessment), "day"),
        has_text: site.has_file("report.md"),
        as_of: day(assessment.as_of),
        idle_days: assessment.idle_days,
        coverage: coverage::of(assessment),
        severities: severities(&open),
        suppressed: (findings.len() - open.len()) as u64,
        known: known.then(|| open.iter().filter(|finding| finding.known == Some(true)).count() as u64),
        facts: facts(site),
        themes: themes(&open),
        findings: finding_rows(site),
        findings_more: findings.len().saturating_sub(ROWS) as u64,
        codes: findings.iter().map(|finding| finding.code.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        elsewhere: told(site, &site.elsewhere),
        party_kinds: choices(assessment.parties.iter().map(|party| party.kind.as_str()), kind_words),
        parties: parties(site),
        parties_more: assessment.parties.len().saturating_sub(ROWS) as u64,
        accounts: roles.iter().map(|role| role.account.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        idle_verdicts: choices(roles.iter().map(|role| role.idle.as_str()), spoken),
        role_kinds: choices(roles.iter().flat_map(|role| role.kinds.split(' ')), kind_words),
        roles,
        roles_more: assessment.roles.len().saturating_sub(ROWS) as u64,
        keys_more: all_keys - len(&keys),
        keys,
        changes_more: all_changes - len(&changes),
        changes,
        open: open.len() as u64,
    }
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

fn finding_rows(site: &Site<'_>) -> Vec<FindingRow> {
    let mut all: Vec<&Finding> = site.assessment.findings.iter().collect();
    all.sort_by_key(|finding| (finding.suppressed.is_some(), rank(&finding.severity), &finding.code, &finding.subject));
    let rows = all.into_iter().take(ROWS).map(|finding| FindingRow {
        severity: finding.severity.clone(),
        code: finding.code.clone(),
        href: site.finding_href(finding),
        title: short(&sentence(&finding.title), 160),
        account: finding.account_id.map(|account| account.to_string()).unwrap_or_default(),
        party: finding.party.as_deref().map(|party| short(party, NAME_CHARS)).unwrap_or_default(),
        known: finding.known == Some(true),
        suppressed: finding.suppressed.is_some(),
    });
    rows.collect()
}

fn short(text: &str, most: usize) -> String {
    cut(text, most).unwrap_or_else(|| text.to_owned())
}

fn parties(site: &Site<'_>) -> Vec<PartyRow> {
    let rows = site.assessment.parties.iter().enumerate().map(|(at, party)| {
        let roles = party.roles.iter().filter_map(|arn| site.role(arn));
        let all: Vec<&Finding> = site
            .of_party(at)
            .iter()
            .copied()
            .chain(roles.flat_map(|(at, _)| site.of_role(at).iter().copied()))
            .collect();
        let (severity, findings) = worst(&all);
        PartyRow {
            href: format!("parties/{}", site.party_page(at)),
            name: Long::of(&party.name),
            kind: party.kind.clone(),
            kind_words: kind_words(&party.kind),
            channels: party.channels.iter().map(|channel| spoken(channel)).collect::<Vec<_>>().join(", "),
            roles: len(&party.roles),
            sessions: party.sessions,
            calls: party.calls,
            denied: party.denied,
            last: day_or(party.last_seen, "never"),
            before: party.blast_radius.map(|radius| tenths(radius.before)),
            radius: party.blast_radius.map(|radius| radius_words(radius.before, radius.after)).unwrap_or_default(),
            severity: severity.unwrap_or_default().to_owned(),
            rank: severity.map_or(SEVERITIES.len(), rank),
            findings,
        }
    });
    let mut rows: Vec<PartyRow> = rows.collect();
    rows.sort_by(|a, b| (a.rank, b.before, b.calls, &a.href).cmp(&(b.rank, a.before, a.calls, &b.href)));
    rows.truncate(ROWS);
    rows
}

fn roles(site: &Site<'_>, kinds: &BTreeMap<&str, &str>) -> Vec<RoleRow> {
    let mut rows: Vec<RoleRow> =
        site.assessment.roles.iter().enumerate().map(|(at, role)| role_row(site, kinds, at, role)).collect();
    rows.sort_by(|a, b| (a.rank, b.before, b.removed, &a.href).cmp(&(b.rank, a.before, a.removed, &b.href)));
    rows.truncate(ROWS);
    rows
}

fn role_row(site: &Site<'_>, kinds: &BTreeMap<&str, &str>, at: usize, role: &RoleReport) -> RoleRow {
    let trusted = role.trust.iter().filter(|entry| entry.outside).filter_map(|entry| entry.party.as_deref());
    let came = role.sessions.by_party.keys().filter_map(|id| site.party_name(id));
    let names: BTreeSet<&str> = trusted.chain(came).collect();
    let kinds: BTreeSet<&str> = names.iter().filter_map(|name| kinds.get(name).copied()).collect();
    let (severity, findings) = worst(site.of_role(at));
    let more =
        if names.len() > PARTIES_NAMED { format!(", {} more", names.len() - PARTIES_NAMED) } else { String::new() };
    let named: Vec<String> = names.iter().take(PARTIES_NAMED).map(|name| short(name, NAME_CHARS)).collect();
    RoleRow {
        href: format!("roles/{}", site.role_page(at)),
        name: Long::of(&role.name),
        account: role.account_id.to_string(),
        parties: format!("{}{more}", named.join(", ")),
        kinds: kinds.into_iter().collect::<Vec<_>>().join(" "),
        idle: role.idle.verdict.clone(),
        idle_words: spoken(&role.idle.verdict),
        last: role.last_activity.as_ref().map_or_else(|| "never".to_owned(), |last| day(last.at)),
        sessions: role.sessions.total,
        in_inventory: role.in_inventory,
        granted: role.rightsizing.granted,
        removed: if role.rightsizing.status == "proposed" { role.rightsizing.removed } else { 0 },
        status: role.rightsizing.status.clone(),
        before: role.blast_radius.map(|radius| tenths(radius.before)),
        radius: role.blast_radius.map(|radius| radius_words(radius.before, radius.after)).unwrap_or_default(),
        severity: severity.unwrap_or_default().to_owned(),
        rank: severity.map_or(SEVERITIES.len(), rank),
        findings,
    }
}

/// Now, and with the proposals applied where that changes it.
pub(super) fn radius_words(before: Radius, after: Radius) -> String {
    if before == after { before.to_string() } else { format!("{before} → {after}") }
}
