//! The pages of a report and the ways between them: which role or party has which page, and which findings stand there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::aws::AccountId;
use crate::finding::assessment::{Assessment, Finding, RoleReport};

use super::super::OutputFile;
use super::super::paths::{self, Named};
use super::lists::{Room, pages};

/// Findings on one page of an account.
const ACCOUNT_FINDINGS: Room = Room { rows: 150, bytes: 350_000 };
/// The severities, gravest first.
pub(super) const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// Everything that a page may point at.
pub(super) struct Site<'a> {
    /// What is told.
    pub(super) assessment: &'a Assessment,
    /// The folder of each role's files.
    folders: &'a [String],
    /// Other outputs of the run, by path.
    written: BTreeSet<&'a str>,
    /// The page of each role, without its folder.
    role_pages: Vec<String>,
    /// The page of each party.
    party_pages: Vec<String>,
    roles: HashMap<&'a str, usize>,
    parties: HashMap<&'a str, usize>,
    names: HashMap<&'a str, usize>,
    /// Accounts with roles of which no record was read.
    pub(super) unread: BTreeSet<AccountId>,
    role_findings: BTreeMap<usize, Vec<&'a Finding>>,
    party_findings: BTreeMap<usize, Vec<&'a Finding>>,
    /// Every account, with the findings that stand on its pages: those about itself, its users and whatever else has no
    /// page of its own. Last, under no account, what belongs to none.
    pub(super) accounts: BTreeMap<Option<AccountId>, Vec<Vec<&'a Finding>>>,
    /// The page of each of these findings, from the folder of the report.
    places: HashMap<&'a str, String>,
    /// Whether the tables are written.
    pub(super) has_tables: bool,
}

impl<'a> Site<'a> {
    /// The ways between the pages of an assessment; `folders` are those of its roles, `written` what else is there, and the
    /// tables if `has_tables`.
    pub(super) fn new(
        assessment: &'a Assessment,
        folders: &'a [String],
        written: &'a [OutputFile],
        has_tables: bool,
    ) -> Self {
        let mut site = Self {
            assessment,
            folders,
            written: written.iter().map(|file| file.path.as_str()).collect(),
            role_pages: folders.iter().map(|folder| role_page(folder)).collect(),
            party_pages: party_pages(assessment),
            roles: HashMap::new(),
            parties: HashMap::new(),
            names: HashMap::new(),
            unread: assessment.unread_accounts(),
            role_findings: BTreeMap::new(),
            party_findings: BTreeMap::new(),
            accounts: BTreeMap::new(),
            places: HashMap::new(),
            has_tables,
        };
        for (at, role) in assessment.roles.iter().enumerate() {
            // Of a role that was created again, the one that exists is meant.
            if role.in_inventory || !site.roles.contains_key(role.arn.as_str()) {
                site.roles.insert(&role.arn, at);
            }
        }
        for (at, party) in assessment.parties.iter().enumerate() {
            site.parties.entry(&party.id).or_insert(at);
            site.names.entry(&party.name).or_insert(at);
        }
        site.place_findings();
        site
    }

    /// Each finding to the page of its subject, in the order of the report, which is the gravest first.
    fn place_findings(&mut self) {
        let mut elsewhere: BTreeMap<Option<AccountId>, Vec<&Finding>> =
            accounts(self.assessment).into_iter().map(|account| (Some(account), Vec::new())).collect();
        for finding in &self.assessment.findings {
            let subject = finding.subject.as_str();
            if let Some(at) = self.roles.get(subject) {
                self.role_findings.entry(*at).or_default().push(finding);
            } else if let Some(at) = self.parties.get(subject) {
                self.party_findings.entry(*at).or_default().push(finding);
            } else {
                elsewhere.entry(finding.account_id).or_default().push(finding);
            }
        }
        for (account, findings) in elsewhere {
            let pages = pages(findings, ACCOUNT_FINDINGS);
            for (at, page) in pages.iter().enumerate() {
                let href = account_page(account, at);
                self.places.extend(page.iter().map(|finding| (finding.id.as_str(), href.clone())));
            }
            self.accounts.insert(account, pages);
        }
    }

    /// The first page of an account, from the folder of the report.
    pub(super) fn account_href(&self, account: Option<AccountId>) -> Option<String> {
        self.accounts.contains_key(&account).then(|| account_page(account, 0))
    }

    /// The name of a role's page within `roles/`.
    pub(super) fn role_page(&self, at: usize) -> &str {
        self.role_pages.get(at).map_or("", String::as_str)
    }

    /// The name of a party's page within `parties/`.
    pub(super) fn party_page(&self, at: usize) -> &str {
        self.party_pages.get(at).map_or("", String::as_str)
    }

    /// The folder of a role's files.
    pub(super) fn folder(&self, at: usize) -> &'a str {
        self.folders.get(at).map_or("", String::as_str)
    }

    /// The role of that ARN.
    pub(super) fn role(&self, arn: &str) -> Option<(usize, &'a RoleReport)> {
        let at = *self.roles.get(arn)?;
        Some((at, self.assessment.roles.get(at)?))
    }

    /// The page of a role, from the folder of the report.
    pub(super) fn role_href(&self, arn: &str) -> Option<String> {
        self.roles.get(arn).map(|at| format!("roles/{}", self.role_page(*at)))
    }

    /// The page of the party with that id, from the folder of the report.
    pub(super) fn party_href(&self, id: &str) -> Option<String> {
        self.parties.get(id).map(|at| format!("parties/{}", self.party_page(*at)))
    }

    /// The page of the party with that name.
    pub(super) fn party_href_by_name(&self, name: &str) -> Option<String> {
        self.names.get(name).map(|at| format!("parties/{}", self.party_page(*at)))
    }

    /// The name of the party with that id.
    pub(super) fn party_name(&self, id: &str) -> Option<&'a str> {
        self.parties.get(id).and_then(|at| self.assessment.parties.get(*at)).map(|party| party.name.as_str())
    }

    /// Where a finding is told in full, from the folder of the report.
    pub(super) fn finding_href(&self, finding: &Finding) -> String {
        let page = self.role_href(&finding.subject).or_else(|| self.party_href(&finding.subject));
        let page = page.or_else(|| self.places.get(finding.id.as_str()).cloned());
        format!("{}#{}", page.unwrap_or_default(), anchor(finding, self.has_page(finding)))
    }

    /// Whether a finding is told on the page of its subject.
    pub(super) fn has_page(&self, finding: &Finding) -> bool {
        self.roles.contains_key(finding.subject.as_str()) || self.parties.contains_key(finding.subject.as_str())
    }

    /// The findings of a role.
    pub(super) fn of_role(&self, at: usize) -> &[&'a Finding] {
        self.role_findings.get(&at).map_or(&[], Vec::as_slice)
    }

    /// The findings of a party.
    pub(super) fn of_party(&self, at: usize) -> &[&'a Finding] {
        self.party_findings.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Every other output of a role's folder, by name.
    pub(super) fn files_in(&self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let within = self.written.range(folder..).copied().take_while(move |path| path.starts_with(folder));
        within.filter_map(move |path| Some((path, path.strip_prefix(folder)?.strip_prefix('/')?)))
    }

    /// Whether the documents of the roles are there.
    pub(super) fn has_documents(&self) -> bool {
        self.written.range("roles/"..).next().is_some_and(|path| path.starts_with("roles/"))
    }

    /// Whether a file is there.
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.written.contains(path)
    }
}

/// The anchor of a finding: by its code on the page of its subject, which has one finding of each, else by its id.
pub(super) fn anchor(finding: &Finding, on_own_page: bool) -> String {
    let plain = |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>();
    format!("f-{}", plain(if on_own_page { &finding.code } else { &finding.id }))
}

/// The accounts that anything in the report is about.
fn accounts(assessment: &Assessment) -> BTreeSet<AccountId> {
    let read = assessment.coverage.accounts.iter().map(|one| one.account_id);
    let roles = assessment.roles.iter().map(|role| role.account_id);
    let users = assessment.users.iter().map(|user| user.account_id);
    let changes = assessment.access_changes.iter().map(|change| change.account_id);
    read.chain(roles).chain(users).chain(changes).collect()
}

/// A page of an account, from the folder of the report.
pub(super) fn account_page(account: Option<AccountId>, at: usize) -> String {
    let name = account.map_or_else(|| "none".to_owned(), |account| account.to_string());
    if at == 0 { format!("accounts/{name}.html") } else { format!("accounts/{name}-{}.html", at + 1) }
}

/// `roles/<account>/<role>` as one file name: accounts have twelve digits, so two folders never share one.
fn role_page(folder: &str) -> String {
    format!("{}.html", folder.trim_start_matches("roles/").replacen('/', "-", 1))
}

fn party_pages(assessment: &Assessment) -> Vec<String> {
    let named = |party: &crate::finding::assessment::PartyReport| Named {
        rank: 0,
        key: format!("{}\n{}", party.kind, party.id),
        name: party.id.clone(),
    };
    let named: Vec<Named> = assessment.parties.iter().map(named).collect();
    paths::safe_names(&named).into_iter().map(|name| format!("{name}.html")).collect()
}
