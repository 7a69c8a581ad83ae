//! Whom the role is for: by name, account or ARN, or whom a role lets in today.

use std::collections::BTreeSet;

use crate::activity::directory::{Directory, KnownKind};
use crate::aws::{AccountId, Arn};

use super::super::UserError;
use super::{Granted, Wish};

/// Accounts that a message lists.
const LISTED: usize = 20;
/// Characters of the longest role name.
const NAME: usize = 64;

/// See the module.
pub(super) struct Vendor {
    pub(super) account: AccountId,
    /// Of the directory, or the account.
    pub(super) name: String,
    /// Whether the directory knows it.
    known: bool,
    /// The ARN that is let in.
    pub(super) principal: String,
}

impl Vendor {
    pub(super) fn of(wish: &Wish, granted: &Granted) -> Result<Self, UserError> {
        let asked = wish.vendor.as_deref().map(|vendor| account(vendor, &wish.directory)).transpose()?;
        let principal = wish.principal.as_deref().map(principal).transpose()?;
        if let (Some(asked), Some((_, of_principal))) = (asked, &principal)
            && asked != *of_principal
        {
            let what = format!("--principal is of account {of_principal}, and --vendor is account {asked}");
            return Err(UserError::new(what, "leave one of them out"));
        }
        let partition = granted.partition.as_deref().unwrap_or("aws");
        let root = |account: AccountId| format!("arn:{partition}:iam::{account}:root");
        let (principal, account) = match (principal, asked) {
            (Some(found), _) => found,
            (None, Some(account)) => (root(account), account),
            (None, None) => match &granted.hint {
                Some((name, _)) => of_user(name, &wish.directory).map(|account| (root(account), account))?,
                None => today(&granted.principals)?,
            },
        };
        let known = wish.directory.lookup(account);
        let name = known.map_or_else(|| format!("account {account}"), |known| known.name.clone());
        Ok(Self { account, name, known: known.is_some(), principal })
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        if self.known { format!("{} (account {})", self.name, self.account) } else { self.name.clone() }
    }

    pub(super) fn role_name(&self) -> String {
        let plain: String = self.name.chars().filter(char::is_ascii_alphanumeric).collect();
        let stem = if self.known && !plain.is_empty() { plain } else { format!("Vendor{}", self.account) };
        let room = NAME - "Access".len();
        format!("{}Access", stem.chars().take(room).collect::<String>())
    }

    pub(super) fn description(&self) -> String {
        let printable: String = self.shown().chars().filter(|c| matches!(c, ' '..='~')).collect();
        format!("Lets {printable} in, with its external id")
    }

    /// What to look at.
    pub(super) fn notes(&self, granted: &Granted) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some((name, known_by)) = &granted.hint {
            notes.push(format!("the user is taken for one of {name} by its {}", known_by.word()));
        }
        if granted.own.contains(&self.account) {
            notes.push(format!("account {} is your own, by the inventory", self.account));
        } else if !self.known {
            notes.push(format!("account {} is in no directory: ask the vendor whether it is theirs", self.account));
        }
        if self.principal.ends_with(":root") {
            notes.push(
                "every principal of the vendor's account can come in with the id; if the vendor names the role that it comes \
                 with, give that with --principal"
                    .to_owned(),
            );
        } else {
            notes.push(format!("{} must exist when the role is created, or AWS refuses it", self.principal));
        }
        notes
    }
}

/// The account of a name or number.
fn account(vendor: &str, directory: &Directory) -> Result<AccountId, UserError> {
    if let Some(account) = AccountId::parse(vendor.trim()) {
        return match directory.lookup(account) {
            Some(known) if known.kind == KnownKind::AwsService => Err(of_aws(vendor, &known.name)),
            _ => Ok(account),
        };
    }
    let found = directory.named(vendor);
    let vendors: Vec<_> = found.iter().filter(|(_, known)| known.kind == KnownKind::Vendor).collect();
    match (vendors.as_slice(), found.first()) {
        ([(account, _)], _) => Ok(*account),
        ([], Some((_, known))) => Err(of_aws(vendor, &known.name)),
        ([], None) => Err(UserError::new(
            format!("no vendor `{vendor}` is in the directory"),
            "give the number of its account, which its documentation tells",
        )),
        (several, _) => {
            let mut listed: Vec<String> =
                several.iter().take(LISTED).map(|(account, known)| format!("{account} ({})", known.name)).collect();
            if several.len() > LISTED {
                listed.push(format!("{} more", several.len() - LISTED));
            }
            Err(UserError::new(
                format!("`{vendor}` has {} accounts: {}", several.len(), listed.join(", ")),
                "give the one that its documentation names for roles",
            ))
        }
    }
}

/// The account of the party that a user is taken for.
fn of_user(name: &str, directory: &Directory) -> Result<AccountId, UserError> {
    account(name, directory).map_err(|error| {
        UserError::new(format!("the user is taken for one of `{name}`, and {}", error.what), "give --vendor ACCOUNT")
    })
}

fn of_aws(vendor: &str, name: &str) -> UserError {
    let what = format!("`{vendor}` is AWS itself ({name})");
    UserError::new(what, "a service of AWS is let in by its service principal, without external id")
}

/// An account, role or user in full.
fn principal(text: &str) -> Result<(String, AccountId), UserError> {
    let parsed = Arn::parse(text).filter(|arn| arn.service == "iam");
    let wrong = || {
        UserError::new(
            format!("`{text}` is not the ARN of one role, user or account"),
            "write it as `arn:aws:iam::464622532012:role/NAME`",
        )
    };
    let arn = parsed.ok_or_else(wrong)?;
    let whom = arn.resource == "root" || arn.resource.starts_with("role/") || arn.resource.starts_with("user/");
    let account = arn.account_id().filter(|_| whom && !text.contains(['*', '?'])).ok_or_else(wrong)?;
    Ok((text.to_owned(), account))
}

/// The only outside account that the role lets in today.
fn today(principals: &[String]) -> Result<(String, AccountId), UserError> {
    let of = |text: &String| AccountId::parse(text).or_else(|| Arn::parse(text).and_then(|arn| arn.account_id()));
    let accounts: BTreeSet<AccountId> = principals.iter().filter_map(of).collect();
    let help = "give --vendor NAME or ACCOUNT, or --principal ARN";
    match (accounts.first(), accounts.len()) {
        (Some(account), 1) => Ok(match principals {
            [only] if Arn::parse(only).is_some() => (only.clone(), *account),
            _ => (format!("arn:aws:iam::{account}:root"), *account),
        }),
        (None, _) => Err(UserError::new("it is not said whom the role is for", help)),
        _ => {
            let listed: Vec<String> = accounts.iter().map(AccountId::to_string).collect();
            Err(UserError::new(format!("the role lets several accounts in: {}", listed.join(", ")), help))
        }
    }
}
