//! The pages of one account: what was read of it, findings about it and its users, its roles, keys, and access given in it.
//!
//! What has no page of its own is told here. An account with many users has several pages: each list goes on where it
//! ended, and nothing is left out.

use std::collections::HashMap;

use askama::Template;

use crate::aws::AccountId;
use crate::finding::assessment::{AccountCoverage, Finding};

use super::access::{self, Change, Key};
use super::findings::{Tally, Told, rank, tally, told, worst};
use super::lists::{self, RoleRow, Room, Weighed, pages};
use super::shell::Shell;
use super::site::{SEVERITIES, Site, account_page};
use super::words::{Few, day_or, len, number, spoken};

/// Roles on one page.
const ROLES: Room = Room { rows: 400, bytes: 150_000 };
/// Keys, and changes of access, on one page.
const ROWS: Room = Room { rows: 400, bytes: 150_000 };
/// Regions, resource types and holes of a trail on a page.
const NAMES: usize = 100;

/// An account in one line.
pub(super) struct AccountRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) roles: u64,
    pub(super) users: u64,
    pub(super) severity: String,
    pub(super) findings: u64,
    pub(super) trail: Option<Trail>,
}

impl Weighed for AccountRow {
    fn weight(&self) -> usize {
        480 + self.trail.as_ref().map_or(0, |trail| trail.data.weight())
    }
}

/// What was read of an account.
pub(super) struct Trail {
    pub(super) regions: Few,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) data: Few,
    pub(super) holes: Few,
    /// `4.3 % of the days`, or `none`.
    pub(super) share: String,
}

/// What the template takes.
#[derive(Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage {
    shell: Shell,
    name: String,
    number: usize,
    of: usize,
    pages: Vec<(usize, String)>,
    /// Of the findings told here, and of those on the pages of its roles.
    tally: Tally,
    of_roles: Tally,
    is_unread: bool,
    is_account: bool,
    all_roles: String,
    all_keys: String,
    trail: Option<Trail>,
    findings: Vec<Told>,
    roles: Vec<RoleRow>,
    keys: Vec<Key>,
    changes: Vec<Change>,
}

/// Accounts, those with the gravest findings first.
pub(super) fn rows(site: &Site<'_>) -> Vec<AccountRow> {
    let mut about: HashMap<Option<AccountId>, Vec<&Finding>> = HashMap::new();
    site.assessment.findings.iter().for_each(|finding| about.entry(finding.account_id).or_default().push(finding));
    let mut roles: HashMap<AccountId, u64> = HashMap::new();
    site.assessment.roles.iter().for_each(|role| *roles.entry(role.account_id).or_default() += 1);
    let mut users: HashMap<AccountId, u64> = HashMap::new();
    site.assessment.users.iter().for_each(|user| *users.entry(user.account_id).or_default() += 1);
    let trails: HashMap<AccountId, &AccountCoverage> =
        site.assessment.coverage.accounts.iter().map(|one| (one.account_id, one)).collect();
    let row = |(account, pages): (&Option<AccountId>, &Vec<Vec<&Finding>>)| {
        let own: Vec<&Finding> = match account {
            Some(_) => about.get(account).cloned().unwrap_or_default(),
            None => pages.concat(),
        };
        let (severity, findings) = worst(&own);
        let of = |amounts: &HashMap<AccountId, u64>| account.and_then(|one| amounts.get(&one)).copied().unwrap_or(0);
        AccountRow {
            href: account_page(*account, 0),
            name: name(*account),
            roles: of(&roles),
            users: of(&users),
            severity: severity.unwrap_or_default().to_owned(),
            findings,
            trail: account.and_then(|one| trails.get(&one)).map(|trail| of_trail(trail, 4)),
        }
    };
    let mut rows: Vec<AccountRow> = site.accounts.iter().map(row).collect();
    let place = |row: &AccountRow| if row.severity.is_empty() { SEVERITIES.len() } else { rank(&row.severity) };
    rows.sort_by(|a, b| (place(a), &a.href).cmp(&(place(b), &b.href)));
    rows
}

/// The pages of one account, each with its path from the folder of the report.
pub(super) fn view(site: &Site<'_>, account: Option<AccountId>) -> Vec<(String, AccountPage)> {
    let assessment = site.assessment;
    let is_of = |of: AccountId| account == Some(of);
    let its_roles = assessment.roles.iter().enumerate().filter(|(_, role)| is_of(role.account_id));
    let of_roles: Vec<&Finding> = its_roles.flat_map(|(at, _)| site.of_role(at)).copied().collect();
    let findings = site.accounts.get(&account).map_or(&[][..], Vec::as_slice);
    let roles = lists::roles(site, |role| is_of(role.account_id));
    let keys = access::keys(site, assessment.users.iter().filter(|user| is_of(user.account_id)));
    let changes = assessment.access_changes.iter().filter(|change| is_of(change.account_id));
    let (all_roles, all_keys) = (number(len(&roles)), number(len(&keys)));
    let mut roles = pages(roles, ROLES).into_iter();
    let mut keys = pages(keys, ROWS).into_iter();
    let mut changes = pages(access::changes(site, changes), ROWS).into_iter();
    let of = [findings.len(), roles.len(), keys.len(), changes.len(), 1].into_iter().max().unwrap_or(1);
    let page = |at: usize| AccountPage {
        shell: Shell::new("../"),
        name: name(account),
        number: at + 1,
        of,
        pages: (0..of).filter(|_| of > 1).map(|other| (other + 1, account_page(account, other))).collect(),
        tally: tally(&findings.concat()),
        of_roles: tally(&of_roles),
        is_unread: account.is_some_and(|account| site.unread.contains(&account)),
        is_account: account.is_some(),
        all_roles: all_roles.clone(),
        all_keys: all_keys.clone(),
        trail: assessment.coverage.accounts.iter().find(|one| is_of(one.account_id)).map(|one| of_trail(one, NAMES)),
        findings: findings.get(at).map(|page| told(site, page, 1)).unwrap_or_default(),
        roles: roles.next().unwrap_or_default(),
        keys: keys.next().unwrap_or_default(),
        changes: changes.next().unwrap_or_default(),
    };
    (0..of).map(|at| account_page(account, at)).zip((0..of).map(page)).collect()
}

fn name(account: Option<AccountId>) -> String {
    account.map_or_else(|| "no single account".to_owned(), |account| account.to_string())
}

fn of_trail(trail: &AccountCoverage, most: usize) -> Trail {
    let regions: Vec<&str> = trail.regions.iter().map(|region| region.region.as_str()).collect();
    let holes: Vec<String> =
        trail.holes.iter().map(|hole| format!("{} ({})", hole.day, spoken(&hole.reason))).collect();
    Trail {
        regions: Few::of(&regions, most),
        first: day_or(trail.regions.iter().filter_map(|region| region.first_event).min(), "none"),
        last: day_or(trail.regions.iter().filter_map(|region| region.last_event).max(), "none"),
        reads: trail.read_events_seen,
        writes: trail.write_events_seen,
        data: Few::of(&trail.data_events_seen, most),
        share: match holes.len() {
            0 => "none".to_owned(),
            _ => format!("{:.1} % of the days", trail.hole_share * 100.0),
        },
        holes: Few::of(&holes, most),
    }
}
