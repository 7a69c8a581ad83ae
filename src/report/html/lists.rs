//! The tables that the index begins and further pages go on with: findings, parties, roles and accounts.
//!
//! An index must stay one that a browser likes, whatever there is to list; so a table ends where its room ends, and what is
//! beyond stands on pages of its own, in the same order. Nothing is left out.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use crate::finding::assessment::{Finding, RoleReport};
use crate::policy::risk::Radius;

use super::account::{self, AccountRow};
use super::findings::{rank, worst};
use super::party::kind_words;
use super::shell::Shell;
use super::site::{SEVERITIES, Site};
use super::words::{Long, cut, day, day_or, len, number, sentence, spoken, tenths, weight};

/// How much of a list one page takes.
#[derive(Clone, Copy)]
pub(super) struct Room {
    /// Rows.
    pub(super) rows: usize,
    /// Bytes of them.
    pub(super) bytes: usize,
}

const FINDINGS: Room = Room { rows: 4_000, bytes: 1_150_000 };
const PARTIES: Room = Room { rows: 1_000, bytes: 300_000 };
const ROLES: Room = Room { rows: 2_500, bytes: 950_000 };
const ACCOUNTS: Room = Room { rows: 500, bytes: 150_000 };
/// Names of parties in a row of the table of roles.
const PARTIES_NAMED: usize = 3;
/// Characters of a name in a row.
const NAME_CHARS: usize = 80;
/// Characters of a title in a row.
const TITLE_CHARS: usize = 160;

/// A row that knows how many bytes it takes on a page, at most.
pub(super) trait Weighed {
    /// These bytes.
    fn weight(&self) -> usize;
}

/// The rows in pages, in their order; none where there is no row.
pub(super) fn pages<T: Weighed>(rows: Vec<T>, room: Room) -> Vec<Vec<T>> {
    let mut pages: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let added = row.weight();
        match pages.last_mut().filter(|page| page.len() < room.rows && bytes + added <= room.bytes) {
            Some(page) => {
                bytes += added;
                page.push(row);
            }
            None => {
                bytes = added;
                pages.push(vec![row]);
            }
        }
    }
    pages
}

/// As much of a list as a page shows.
pub(super) struct Shown<T> {
    /// These.
    pub(super) rows: Vec<T>,
    /// How many more there are.
    pub(super) more: u64,
}

/// The rows for which there is room, and how many more there are.
pub(super) fn within<T: Weighed>(rows: Vec<T>, room: Room) -> Shown<T> {
    let all = rows.len();
    let rows = pages(rows, room).into_iter().next().unwrap_or_default();
    Shown { more: (all - rows.len()) as u64, rows }
}

/// All lists, in pages.
pub(super) struct Lists {
    pub(super) findings: Vec<Vec<FindingRow>>,
    pub(super) parties: Vec<Vec<PartyRow>>,
    pub(super) roles: Vec<Vec<RoleRow>>,
    pub(super) accounts: Vec<Vec<AccountRow>>,
}

impl Lists {
    /// Of that site.
    pub(super) fn of(site: &Site<'_>) -> Self {
        Self {
            findings: pages(findings(site), FINDINGS),
            parties: pages(parties(site), PARTIES),
            roles: pages(roles(site, |_| true), ROLES),
            accounts: pages(account::rows(site), ACCOUNTS),
        }
    }

    /// The pages beyond the index.
    pub(super) fn further(&self) -> Vec<ListPage<'_>> {
        let mut pages = beyond("findings", "Findings", &self.findings, Rows::Findings);
        pages.extend(beyond("parties", "Parties", &self.parties, Rows::Parties));
        pages.extend(beyond("roles", "Roles", &self.roles, Rows::Roles));
        pages.extend(beyond("accounts", "Accounts", &self.accounts, Rows::Accounts));
        pages
    }
}

/// The rows of one page of a list.
pub(super) enum Rows<'l> {
    Findings(&'l [FindingRow]),
    Parties(&'l [PartyRow]),
    Roles(&'l [RoleRow]),
    Accounts(&'l [AccountRow]),
}

/// What the template of a further page takes.
#[derive(Template)]
#[template(path = "list.html")]
pub(super) struct ListPage<'l> {
    shell: Shell,
    /// Where it lies, from the folder of the report.
    pub(super) href: String,
    list: &'static str,
    title: &'static str,
    number: usize,
    of: usize,
    before: Option<String>,
    next: Option<String>,
    rows: Rows<'l>,
}

fn beyond<'l, T>(
    list: &'static str,
    title: &'static str,
    pages: &'l [Vec<T>],
    rows: impl Fn(&'l [T]) -> Rows<'l>,
) -> Vec<ListPage<'l>> {
    let page = |(at, page): (usize, &'l Vec<T>)| ListPage {
        shell: Shell::new("../"),
        href: href(list, at + 1),
        list,
        title,
        number: at + 1,
        of: pages.len(),
        before: (at > 1).then(|| href(list, at)),
        next: (at + 1 < pages.len()).then(|| href(list, at + 2)),
        rows: rows(page),
    };
    pages.iter().enumerate().skip(1).map(page).collect()
}

/// A further page of a list, from the folder of the report; the first is the index.
fn href(list: &str, number: usize) -> String {
    format!("lists/{list}-{number}.html")
}

/// What of a list is on further pages.
pub(super) struct Further {
    /// How many rows.
    pub(super) rows: String,
    /// The pages.
    pub(super) links: Vec<(usize, String)>,
}

/// What the index does not hold of a list; nothing where it holds all of it.
pub(super) fn further<T>(list: &str, pages: &[Vec<T>]) -> Option<Further> {
    let rows: usize = pages.iter().skip(1).map(Vec::len).sum();
    let links = (2..=pages.len()).map(|number| (number, href(list, number)));
    (rows > 0).then(|| Further { rows: number(rows as u64), links: links.collect() })
}

/// The rows that the index holds.
pub(super) fn first<T>(pages: &[Vec<T>]) -> &[T] {
    pages.first().map_or(&[], Vec::as_slice)
}

/// A finding in one line.
pub(super) struct FindingRow {
    pub(super) severity: String,
    pub(super) code: String,
    pub(super) href: String,
    pub(super) title: String,
    pub(super) account: String,
    pub(super) party: String,
    pub(super) known: bool,
    pub(super) suppressed: bool,
}

/// A party in one line.
pub(super) struct PartyRow {
    pub(super) href: String,
    pub(super) name: Long,
    pub(super) kind: String,
    pub(super) kind_words: String,
    pub(super) channels: String,
    pub(super) roles: u64,
    pub(super) sessions: u64,
    pub(super) calls: u64,
    pub(super) denied: u64,
    pub(super) last: String,
    pub(super) before: Option<u64>,
    pub(super) radius: String,
    pub(super) severity: String,
    pub(super) rank: usize,
    pub(super) findings: u64,
}

/// A role in one line.
pub(super) struct RoleRow {
    pub(super) href: String,
    pub(super) name: Long,
    pub(super) account: String,
    pub(super) parties: String,
    pub(super) kinds: String,
    pub(super) idle: String,
    pub(super) idle_words: String,
    pub(super) last: String,
    pub(super) sessions: u64,
    pub(super) in_inventory: bool,
    pub(super) granted: u64,
    pub(super) removed: u64,
    pub(super) status: String,
    pub(super) before: Option<u64>,
    pub(super) radius: String,
    pub(super) severity: String,
    pub(super) rank: usize,
    pub(super) findings: u64,
}

/// Bytes of a row's markup, at most.
const MARKUP: usize = 230;

impl Weighed for FindingRow {
    fn weight(&self) -> usize {
        MARKUP + [&self.code, &self.href, &self.title, &self.party].map(|text| weight(text)).iter().sum::<usize>()
    }
}

impl Weighed for PartyRow {
    fn weight(&self) -> usize {
        2 * MARKUP + self.name.weight() + weight(&self.href) + weight(&self.channels)
    }
}

impl Weighed for RoleRow {
    fn weight(&self) -> usize {
        2 * MARKUP + self.name.weight() + weight(&self.href) + weight(&self.parties) + self.kinds.len()
    }
}

fn findings(site: &Site<'_>) -> Vec<FindingRow> {
    let mut all: Vec<&Finding> = site.assessment.findings.iter().collect();
    all.sort_by_key(|finding| (finding.suppressed.is_some(), rank(&finding.severity), &finding.code, &finding.subject));
    let rows = all.into_iter().map(|finding| FindingRow {
        severity: finding.severity.clone(),
        code: finding.code.clone(),
        href: site.finding_href(finding),
        title: short(&sentence(&finding.title), TITLE_CHARS),
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
            channels: short(&party.channels.iter().map(|one| spoken(one)).collect::<Vec<_>>().join(", "), TITLE_CHARS),
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
    rows
}

/// Roles of which that is wanted, those with the gravest findings first.
pub(super) fn roles(site: &Site<'_>, wanted: impl Fn(&RoleReport) -> bool) -> Vec<RoleRow> {
    let parties = &site.assessment.parties;
    let kinds: BTreeMap<&str, &str> = parties.iter().map(|party| (party.name.as_str(), party.kind.as_str())).collect();
    let mut rows: Vec<RoleRow> = site
        .assessment
        .roles
        .iter()
        .enumerate()
        .filter(|(_, role)| wanted(role))
        .map(|(at, role)| role_row(site, &kinds, at, role))
        .collect();
    rows.sort_by(|a, b| (a.rank, b.before, b.removed, &a.href).cmp(&(b.rank, a.before, a.removed, &b.href)));
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
