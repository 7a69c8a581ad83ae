//! The user's own list of vendors: whose accounts, users and identities they are, until when, and what is expected (S17).
//!
//! What the user says of a vendor names it and measures it; it never makes an account trusted that was not.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::aws::wildcard::{matches, matches_exactly};
use crate::aws::window::{Time, midnight};
use crate::aws::{AccountId, Arn};

use super::directory::KnownKind;

/// One vendor of a vendors file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vendor {
    /// The file's name, without its folder.
    pub file: String,
    /// Where it begins in its file, from 1.
    pub line: usize,
    /// The name under which the user knows it.
    pub name: String,
    /// Third party or AWS.
    pub kind: KnownKind,
    /// Its accounts.
    pub accounts: BTreeSet<AccountId>,
    /// Who answers for it on the user's side.
    pub owner: Option<String>,
    /// The last day of the contract; `None` for one without an end.
    pub contract_end: Option<NaiveDate>,
    /// Names or ARNs, with wildcards, of the roles that it is expected in; `None` where nothing was said.
    pub roles: Option<Vec<String>>,
    /// Patterns of the actions that it is expected to use; `None` where nothing was said.
    pub actions: Option<Vec<String>>,
    /// Names or ARNs, with wildcards, of IAM users whose keys it holds (S16).
    pub users: Vec<String>,
    /// Identities that its identity providers vouch for (S13).
    pub identities: Vec<Identity>,
}

/// Identities of one issuer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The host and path of an OIDC issuer, or the name of a SAML provider.
    pub issuer: String,
    /// The subject, with wildcards.
    pub subject: String,
}

impl Vendor {
    /// The first moment after the contract: the end of its last day, in UTC.
    #[must_use]
    pub fn ended(&self) -> Option<Time> {
        self.contract_end?.succ_opt().map(midnight)
    }

    /// Whether it is expected in that role; `None` where nothing was said.
    #[must_use]
    pub fn expects_role(&self, arn: &str, name: &str) -> Option<bool> {
        Some(self.roles.as_ref()?.iter().any(|pattern| is_named(pattern, arn, name)))
    }

    /// Whether it is expected to use that action; `None` where nothing was said.
    #[must_use]
    pub fn expects_action(&self, action: &str) -> Option<bool> {
        Some(self.actions.as_ref()?.iter().any(|pattern| matches(pattern, action)))
    }

    /// Whether that party of a report is this vendor: one of its accounts, identities or users.
    #[must_use]
    pub fn is_party(&self, id: &str) -> bool {
        AccountId::parse(id).is_some_and(|account| self.accounts.contains(&account))
            || self.vouches_for(id)
            || (id.starts_with("arn:") && self.holds_user(id))
    }

    /// Whether that IAM user's keys are in its hands.
    #[must_use]
    pub fn holds_user(&self, arn: &str) -> bool {
        let name = Arn::parse(arn).and_then(|arn| arn.resource.rsplit('/').next()).unwrap_or(arn);
        self.users.iter().any(|pattern| is_named(pattern, arn, name))
    }

    fn vouches_for(&self, id: &str) -> bool {
        let subject = |identity: &Identity| id.strip_prefix(&identity.issuer).and_then(|rest| rest.strip_prefix('/'));
        self.identities
            .iter()
            .any(|identity| subject(identity).is_some_and(|subject| matches_exactly(&identity.subject, subject)))
    }
}

/// IAM tells no two names apart by case.
fn is_named(pattern: &str, arn: &str, name: &str) -> bool {
    matches(pattern, if pattern.starts_with("arn:") { arn } else { name })
}

/// All vendors that the user named, in the order of their files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vendors(Vec<Vendor>);

impl Vendors {
    /// These vendors.
    #[must_use]
    pub fn new(vendors: Vec<Vendor>) -> Self {
        Self(vendors)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Vendor> {
        self.0.iter()
    }

    /// Whether none was named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The vendor whose identity a party `<issuer>/<subject>` is.
    #[must_use]
    pub fn of_identity(&self, id: &str) -> Option<&Vendor> {
        self.iter().find(|vendor| vendor.vouches_for(id))
    }

    /// The vendor that holds the keys of an IAM user (S16).
    #[must_use]
    pub fn of_user(&self, arn: &str) -> Option<&Vendor> {
        self.iter().find(|vendor| vendor.holds_user(arn))
    }

    /// The vendor that a party of a report is.
    #[must_use]
    pub fn of_party(&self, id: &str) -> Option<&Vendor> {
        self.iter().find(|vendor| vendor.is_party(id))
    }

    /// Accounts that are said to be a vendor's and are our own: being our own wins, and nothing is found about them.
    pub fn among<'a>(&'a self, own: &'a BTreeSet<AccountId>) -> impl Iterator<Item = (&'a Vendor, AccountId)> {
        self.iter().flat_map(move |vendor| vendor.accounts.intersection(own).map(move |account| (vendor, *account)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;

    pub(crate) fn vendor() -> Vendor {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Vendor {
            file: "vendors.toml".to_owned(),
            line: 1,
            name: "Acme".to_owned(),
            kind: KnownKind::Vendor,
            accounts: AccountId::parse("464622532012").into_iter().collect(),
            owner: None,
            contract_end: "2026-06-30".parse().ok(),
            roles: Some(texts(&["Acme*", "arn:aws:iam::*:role/v/*"])),
            actions: Some(texts(&["ec2:Describe*"])),
            users: texts(&["acme-*", "arn:aws:iam::111122223333:user/ci/deploy"]),
            identities: vec![Identity {
                issuer: "token.actions.githubusercontent.com".to_owned(),
                subject: "repo:acme/*".to_owned(),
            }],
        }
    }

    /// S13, S16: a party of a report is a vendor by its account, its identity or its user.
    #[test]
    fn parties_are_vendors_by_account_identity_or_user() {
        let vendors = Vendors::new(vec![vendor()]);
        let check = |id: &str, expected: bool| assert_eq!(vendors.of_party(id).is_some(), expected, "{id}");
        check("464622532012", true);
        check("111122223333", false);
        check("token.actions.githubusercontent.com/repo:acme/shop:ref:refs/heads/main", true);
        check("token.actions.githubusercontent.com/repo:acme-evil/shop", false);
        check("gitlab.com/repo:acme/shop", false);
        check("arn:aws:iam::111122223333:user/tools/acme-sync", true);
        check("arn:aws:iam::111122223333:user/ci/deploy", true);
        check("arn:aws:iam::111122223333:user/deploy", false);
        assert!(vendors.of_user("arn:aws:iam::111122223333:user/ACME-1").is_some());
    }

    #[test]
    fn expectations_are_said_or_unknown() {
        let vendor = vendor();
        let arn = "arn:aws:iam::111122223333:role/v/Other";
        assert_eq!(vendor.expects_role(arn, "Other"), Some(true));
        assert_eq!(vendor.expects_role("arn:aws:iam::111122223333:role/Other", "Other"), Some(false));
        assert_eq!(vendor.expects_action("ec2:describeInstances"), Some(true));
        let silent = Vendor { roles: None, actions: None, ..vendor };
        assert_eq!((silent.expects_role(arn, "Other"), silent.expects_action("iam:PassRole")), (None, None));
    }

    /// The last day of a contract belongs to it.
    #[test]
    fn a_contract_ends_with_its_last_day() {
        assert_eq!(vendor().ended(), parse_time("2026-07-01T00:00:00Z"));
    }

    /// S17: an account that is said to be a vendor's and our own is told.
    #[test]
    fn our_own_accounts_among_vendors_are_found() {
        let vendors = Vendors::new(vec![vendor()]);
        let own = BTreeSet::from([AccountId::parse("464622532012").unwrap()]);
        assert_eq!(vendors.among(&own).count(), 1);
        assert_eq!(vendors.among(&BTreeSet::new()).count(), 0);
    }
}
