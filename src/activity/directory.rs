//! Whose account is that: the directory of accounts that vendors and AWS services are publicly known to use.
//!
//! A name here is a courtesy, never a reason to trust: an account that nobody listed is an unknown account, which is
//! a party too (S17). The built-in table is `data/vendors.tsv`; a user's own list can be laid over it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::aws::AccountId;

use super::vendors::Vendors;

const BUILTIN: &str = include_str!("../../data/vendors.tsv");

/// Whether a known account is a third party.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KnownKind {
    /// A company's account: a third party.
    Vendor,
    /// An account of AWS itself, such as the one that writes load balancer logs: no third party (S17).
    AwsService,
}

/// What is known of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The name under which people know it.
    pub name: String,
    /// Third party or AWS.
    pub kind: KnownKind,
}

/// Why a table of accounts could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The line has not the three columns.
    #[error("line {0}: expected account id, `vendor` or `aws`, and name, separated by tabs")]
    Columns(usize),
    /// The first column is no account id.
    #[error("line {0}: `{1}` is not an account id of 12 digits")]
    Account(usize, String),
    /// The account has two different entries.
    #[error("line {0}: account {1} is listed twice")]
    Twice(usize, AccountId),
}

/// Accounts by id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Directory {
    accounts: BTreeMap<AccountId, Known>,
    vendors: Vendors,
}

impl Directory {
    /// The project's own table.
    #[must_use]
    pub fn builtin() -> &'static Self {
        // A test reads the table, so the empty directory is never what users get.
        static TABLE: LazyLock<Directory> = LazyLock::new(|| Directory::parse(BUILTIN).unwrap_or_default());
        &TABLE
    }

    /// Reads lines of account id, kind (`vendor`, `aws`) and name, separated by tabs; `#` starts a comment line.
    ///
    /// # Errors
    /// [`DirectoryError`] for the first line that is none of these.
    pub fn parse(table: &str) -> Result<Self, DirectoryError> {
        let mut accounts = BTreeMap::new();
        for (at, line) in table.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let number = at + 1;
            let (account, known) = entry(number, line)?;
            if accounts.get(&account).is_some_and(|other| *other != known) {
                return Err(DirectoryError::Twice(number, account));
            }
            accounts.insert(account, known);
        }
        Ok(Self { accounts, vendors: Vendors::default() })
    }

    /// This directory with the user's own vendors laid over it: what they say of an account wins.
    #[must_use]
    pub fn overlaid(mut self, vendors: Vendors) -> Self {
        for vendor in vendors.iter() {
            let known = Known { name: vendor.name.clone(), kind: vendor.kind };
            self.accounts.extend(vendor.accounts.iter().map(|account| (*account, known.clone())));
        }
        self.vendors = vendors;
        self
    }

    /// The user's own vendors.
    #[must_use]
    pub fn listed(&self) -> &Vendors {
        &self.vendors
    }

    /// Every account that is known, in order.
    pub fn iter(&self) -> impl Iterator<Item = (AccountId, &Known)> {
        self.accounts.iter().map(|(account, known)| (*account, known))
    }

    /// Who uses that account.
    #[must_use]
    pub fn lookup(&self, account: AccountId) -> Option<&Known> {
        self.accounts.get(&account)
    }

    /// The accounts of a name, compared without case: those of exactly that name, else those whose name holds it.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<(AccountId, &Known)> {
        let wanted = name.trim().to_lowercase();
        let all = || self.accounts.iter().map(|(account, known)| (*account, known, known.name.to_lowercase()));
        let exact = all().any(|(.., name)| name == wanted);
        let fits = |name: &str| if exact { name == wanted } else { !wanted.is_empty() && name.contains(&wanted) };
        all().filter(|(.., name)| fits(name)).map(|(account, known, _)| (account, known)).collect()
    }

    /// How many accounts are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

fn entry(number: usize, line: &str) -> Result<(AccountId, Known), DirectoryError> {
    let mut columns = line.split('\t').map(str::trim);
    let (Some(account), Some(kind), Some(name), None) =
        (columns.next(), columns.next(), columns.next(), columns.next())
    else {
        return Err(DirectoryError::Columns(number));
    };
    let account = AccountId::parse(account).ok_or_else(|| DirectoryError::Account(number, account.to_owned()))?;
    let kind = match kind {
        "vendor" => KnownKind::Vendor,
        "aws" => KnownKind::AwsService,
        _ => return Err(DirectoryError::Columns(number)),
    };
    if name.is_empty() {
        return Err(DirectoryError::Columns(number));
    }
    Ok((account, Known { name: name.to_owned(), kind }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::vendors::Vendor;
    use super::*;

    fn account(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    fn check(id: &str, expected: Option<(&str, KnownKind)>) {
        let directory = Directory::builtin();
        let found = directory.lookup(account(id)).map(|known| (known.name.as_str(), known.kind));
        assert_eq!(found, expected, "{id}");
    }

    /// S17: vendors have their names, AWS's own accounts are no third parties, and others stay unknown.
    #[test]
    fn builtin_table_names_vendors_and_aws() {
        check("464622532012", Some(("Datadog", KnownKind::Vendor)));
        check("017663287629", Some(("New Relic", KnownKind::Vendor)));
        check("127311923021", Some(("ELB logs", KnownKind::AwsService)));
        check("858827067514", Some(("AWS Log Delivery Service", KnownKind::AwsService)));
        check("111122223333", None);
    }

    #[test]
    fn builtin_table_is_sound_and_sorted() {
        let directory = Directory::parse(BUILTIN).unwrap();
        assert!(directory.len() > 450 && !directory.is_empty(), "{}", directory.len());
        let ids: Vec<&str> = BUILTIN.lines().filter(|line| !line.starts_with('#')).map(|line| &line[..12]).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "data/vendors.tsv must be sorted and without duplicates");
        assert_eq!(ids.len(), directory.len());
    }

    /// An account that its vendor gave up is still that vendor's.
    #[test]
    fn deprecated_accounts_keep_their_names() {
        check("068664126052", Some(("DoIt", KnownKind::Vendor)));
    }

    #[test]
    fn own_entries_win_over_builtin_ones() {
        let own = Vendors::new(vec![Vendor {
            file: "vendors.toml".to_owned(),
            line: 1,
            name: "Our monitoring".to_owned(),
            kind: KnownKind::Vendor,
            accounts: BTreeSet::from([account("464622532012")]),
            owner: None,
            contract_end: None,
            roles: None,
            actions: None,
            users: Vec::new(),
            identities: Vec::new(),
        }]);
        let both = Directory::builtin().clone().overlaid(own);
        assert_eq!(both.lookup(account("464622532012")).map(|known| known.name.as_str()), Some("Our monitoring"));
        assert_eq!((both.len(), both.iter().count()), (Directory::builtin().len(), both.len()));
        assert_eq!(both.listed().iter().count(), 1);
    }

    #[test]
    fn bad_lines_are_named() {
        let twice = "464622532012\tvendor\tA\n464622532012\tvendor\tB\n";
        for (table, expected) in [
            ("464622532012 vendor A", DirectoryError::Columns(1)),
            ("# x\n464622532012\tfriend\tA", DirectoryError::Columns(2)),
            ("464622532012\tvendor\t", DirectoryError::Columns(1)),
            ("46462253201\tvendor\tA", DirectoryError::Account(1, "46462253201".to_owned())),
            (twice, DirectoryError::Twice(2, account("464622532012"))),
        ] {
            assert_eq!(Directory::parse(table), Err(expected), "{table}");
        }
    }
}
