//! The vendors file: TOML, read into the user's own directory, or a mistake with its line and field (S17).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Value};

use crate::activity::directory::KnownKind;
use crate::activity::vendors::{Identity, Vendor, Vendors};
use crate::aws::AccountId;

use super::super::UserError;
use super::super::inputs::InputFile;
use super::text::{Kind, Text, Wrong, action_pattern, all_filled, date, filled, parse};

const KIND: Kind = Kind {
    name: "vendors file",
    help: "give `[[vendor]]` tables with `name` and `accounts`; docs/CONFIG.md has an example",
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorsFile {
    #[serde(default)]
    vendor: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: Spanned<String>,
    kind: Option<Spanned<String>>,
    #[serde(default)]
    accounts: Vec<Spanned<String>>,
    owner: Option<Spanned<String>>,
    /// A date of TOML's own, or one in quotes.
    contract_end: Option<Spanned<Value>>,
    roles: Option<Vec<Spanned<String>>>,
    actions: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    users: Vec<Spanned<String>>,
    #[serde(default)]
    identities: Vec<IdentityEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityEntry {
    issuer: Spanned<String>,
    subject: Spanned<String>,
}

/// Reads a vendors file.
///
/// # Errors
/// It cannot be read, or the first thing in it that is no vendor, with its line and field.
pub fn vendors(path: &Path) -> Result<(Vec<Vendor>, InputFile), UserError> {
    let text = Text::read(path, KIND)?;
    let read = parse::<VendorsFile>(&text.text).and_then(|file| vendors_of(&text, file.vendor));
    let vendors = read.map_err(|wrong| text.refuse(&wrong))?;
    Ok((vendors, text.file))
}

/// The vendors that these tables of a file are: an account, and a name, once in a file.
pub(super) fn vendors_of(text: &Text, entries: Vec<Spanned<Entry>>) -> Result<Vec<Vendor>, Wrong> {
    let mut accounts: BTreeMap<AccountId, String> = BTreeMap::new();
    let mut names = BTreeSet::new();
    let mut vendors = Vec::new();
    for entry in entries {
        let span = entry.span();
        let entry = entry.into_inner();
        let name_at = entry.name.span();
        let listed: Vec<_> = entry.accounts.iter().map(|account| (account.get_ref().clone(), account.span())).collect();
        let vendor = vendor(text, span, entry)?;
        if !names.insert(vendor.name.to_lowercase()) {
            return Err(Wrong::new(format!("`{}` is listed twice", vendor.name), name_at));
        }
        for (account, at) in listed {
            let Some(account) = AccountId::parse(&account) else { continue };
            if let Some(other) = accounts.insert(account, vendor.name.clone()) {
                return Err(Wrong::new(format!("account {account} is listed twice: it is also `{other}`'s"), at));
            }
        }
        vendors.push(vendor);
    }
    Ok(vendors)
}

fn vendor(text: &Text, span: std::ops::Range<usize>, entry: Entry) -> Result<Vendor, Wrong> {
    let origin = text.origin(span.start);
    if entry.accounts.is_empty() && entry.users.is_empty() && entry.identities.is_empty() {
        let what = "a vendor needs `accounts`, `users` or `identities`: nothing says who it is";
        return Err(Wrong::new(what, span));
    }
    let mut identities = Vec::new();
    for identity in entry.identities {
        let issuer = filled("issuer", identity.issuer)?;
        let issuer = issuer.strip_prefix("https://").unwrap_or(&issuer).trim_end_matches('/').to_owned();
        identities.push(Identity { issuer, subject: filled("subject", identity.subject)? });
    }
    let actions = |patterns: Vec<Spanned<String>>| patterns.into_iter().map(action_pattern).collect();
    Ok(Vendor {
        file: origin.file,
        line: origin.line,
        name: filled("name", entry.name)?,
        kind: entry.kind.map_or(Ok(KnownKind::Vendor), kind)?,
        accounts: entry.accounts.into_iter().map(account).collect::<Result<_, _>>()?,
        owner: entry.owner.map(|owner| filled("owner", owner)).transpose()?,
        contract_end: entry.contract_end.map(date).transpose()?,
        roles: entry.roles.map(|roles| all_filled("roles", roles)).transpose()?,
        actions: entry.actions.map(actions).transpose()?,
        users: all_filled("users", entry.users)?,
        identities,
    })
}

fn kind(word: Spanned<String>) -> Result<KnownKind, Wrong> {
    match word.get_ref().as_str() {
        "vendor" => Ok(KnownKind::Vendor),
        "aws_service" => Ok(KnownKind::AwsService),
        other => Err(Wrong::new(format!("`{other}` is neither `vendor` nor `aws_service`"), word.span())),
    }
}

fn account(text: Spanned<String>) -> Result<AccountId, Wrong> {
    let wrong = || Wrong::new(format!("`{}` is no account id of 12 digits", text.get_ref()), text.span());
    AccountId::parse(text.get_ref()).ok_or_else(wrong)
}

/// The vendors of several files and of the configuration: of two that name one account, the later one keeps it.
#[must_use]
pub fn joined(vendors: Vec<Vendor>) -> Vendors {
    let mut taken = BTreeSet::new();
    let mut kept: Vec<Vendor> = Vec::new();
    for mut vendor in vendors.into_iter().rev() {
        vendor.accounts.retain(|account| taken.insert(*account));
        if !vendor.accounts.is_empty() || !vendor.users.is_empty() || !vendor.identities.is_empty() {
            kept.push(vendor);
        }
    }
    kept.reverse();
    Vendors::new(kept)
}

/// An account of a vendor that is said to be our own as well: one of the two is a mistake, and would hide the vendor.
///
/// # Errors
/// The first such account.
pub fn none_is_ours(vendors: &Vendors, own: &BTreeSet<AccountId>) -> Result<(), UserError> {
    match vendors.among(own).next() {
        None => Ok(()),
        Some((vendor, account)) => Err(UserError::new(
            format!(
                "cannot read vendors file `{}`: line {}: `accounts`: {account} of `{}` is one of your own accounts, by \
                 --own-account, the organization or an inventory",
                vendor.file, vendor.line, vendor.name
            ),
            "take it out of the vendor's accounts, or out of your own",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = "[[vendor]]\nname = \"Acme\"\naccounts = [\"464622532012\"]\n";

    fn read(text: &str) -> Result<Vec<Vendor>, UserError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vendors.toml");
        fs::write(&path, text).unwrap();
        vendors(&path).map(|(vendors, _)| vendors)
    }

    #[track_caller]
    fn refuses(text: &str, says: &str) {
        let what = read(text).unwrap_err().what;
        let said = what.split_once("vendors.toml`: ").unwrap().1;
        assert!(said.starts_with(says), "{text}: {what}");
        assert!(!what.contains('\n'), "{what}");
    }

    #[test]
    fn the_example_is_a_vendors_file() {
        let vendors = read(include_str!("../../../docs/vendors.example.toml")).unwrap();
        assert!(vendors.len() > 2 && vendors.iter().any(|vendor| vendor.contract_end.is_some()));
        assert!(vendors.iter().any(|vendor| !vendor.identities.is_empty()));
        assert!(vendors.iter().any(|vendor| !vendor.users.is_empty()));
    }

    #[test]
    fn vendors_are_read_with_their_lines() {
        let more = "[[vendor]]\nname = \" Git org \"\ncontract_end = 2026-06-30\nidentities = [{ issuer = \
                    \"https://token.actions.githubusercontent.com\", subject = \"repo:acme/*\" }]\n";
        let vendors = read(&format!("# ours\n{GOOD}\n{more}")).unwrap();
        assert_eq!(
            vendors.iter().map(|vendor| (vendor.line, vendor.name.as_str())).collect::<Vec<_>>(),
            [(2, "Acme"), (6, "Git org")]
        );
        assert_eq!(vendors[1].identities[0].issuer, "token.actions.githubusercontent.com");
        assert_eq!((vendors[0].roles.clone(), vendors[1].contract_end.is_some()), (None, true));
        assert!(read("").is_ok_and(|vendors| vendors.is_empty()));
    }

    #[test]
    fn mistakes_are_named_with_line_and_field() {
        let with = |more: &str| format!("{GOOD}{more}\n");
        refuses(
            &with("until = 2026-12-31"),
            "line 4: unknown field `until`, expected one of `name`, `kind`, `accounts`",
        );
        refuses("[[vendor]]\naccounts = []\n", "line 1: missing field `name`");
        refuses("[[vendor]]\nname = \"A\"\n", "line 1: a vendor needs `accounts`, `users` or `identities`");
        refuses(&with("owner = 7"), "line 4: `owner`: invalid type: integer `7`, expected a string");
        refuses(&with("owner = \" \""), "line 4: `owner` is empty");
        refuses(&with("roles = \"A*\""), "line 4: `roles`: invalid type: string \"A*\", expected a sequence");
        refuses(&with("actions = [\"ec2:*\", \"ec2 Start\"]"), "line 4: `actions`: `ec2 Start` is no action pattern");
        refuses(&with("contract_end = \"soon\""), "line 4: `contract_end`: `soon` is no date like 2026-12-31");
        refuses(&with("kind = \"friend\""), "line 4: `kind`: `friend` is neither");
        refuses(&GOOD.replace("012\"", "01\""), "line 3: `accounts`: `46462253201` is no account id of 12 digits");
        refuses(&GOOD.replace("\"464622532012\"", "464622532012"), "line 3: `accounts`: invalid type: integer");
        refuses(&format!("{GOOD}{GOOD}"), "line 5: `name`: `Acme` is listed twice");
        let second = GOOD.replace("Acme", "Other");
        refuses(
            &format!("{GOOD}{second}"),
            "line 6: `accounts`: account 464622532012 is listed twice: it is also `Acme`'s",
        );
        refuses(&with("identities = [{ issuer = \"x\" }]"), "line 4: missing field `subject`");
        refuses("[[vendor]\n", "line 1: ");
        refuses("vendor = 3\n", "line 1: `vendor`: invalid type: integer `3`");
    }

    /// The command line's file is read last, and what it says of an account wins.
    #[test]
    fn of_two_files_the_later_one_names_the_account() {
        let first = read(GOOD).unwrap();
        let second = read(&GOOD.replace("Acme", "Other")).unwrap();
        let vendors = joined(first.into_iter().chain(second).collect());
        assert_eq!(vendors.iter().map(|vendor| vendor.name.as_str()).collect::<Vec<_>>(), ["Other"]);
    }

    /// S17: an account cannot be ours and a vendor's.
    #[test]
    fn an_own_account_is_no_vendor() {
        let vendors = joined(read(GOOD).unwrap());
        let own = AccountId::parse("464622532012").into_iter().collect();
        let error = none_is_ours(&vendors, &own).unwrap_err();
        assert!(error.what.contains("line 1: `accounts`: 464622532012 of `Acme` is one of your own"), "{error}");
        assert!(none_is_ours(&vendors, &BTreeSet::new()).is_ok());
    }
}
