//! The directory of accounts as files: the public list made into a vendors file, and what is known listed.
//!
//! No network: whoever wants a newer list downloads it, and can read what will be used before it is.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use yaml_rust2::parser::{Event, EventReceiver, Parser};
use yaml_rust2::{Yaml, YamlLoader};

use crate::activity::directory::KnownKind;
use crate::aws::AccountId;

use super::UserError;
use super::config::{RuleFiles, Rules};
use super::inputs::read_text;

/// Where the public list comes from.
const LIST: &str = "https://raw.githubusercontent.com/fwdcloudsec/known_aws_accounts/main/accounts.yaml";
/// AWS's own, though the list does not say so.
const AWS_BY_NAME: [&str; 1] = ["AWS Log Delivery Service"];

/// An entry of the public list.
struct Listed {
    name: String,
    accounts: Vec<String>,
    is_aws: bool,
}

/// Aliases repeat what stands elsewhere, again and again if somebody wants to fill the memory (S44).
#[derive(Default)]
struct Aliases {
    found: bool,
}

impl EventReceiver for Aliases {
    fn on_event(&mut self, event: Event) {
        self.found |= matches!(event, Event::Alias(_));
    }
}

fn entries(text: &str) -> Result<Vec<Listed>, String> {
    // The list closes a bracket where its key begins; YAML wants it further in, and other readers do not mind.
    let text: String =
        text.lines().map(|line| if line.trim() == "]" { "    ]\n".to_owned() } else { format!("{line}\n") }).collect();
    let text = text.as_str();
    let mut aliases = Aliases::default();
    Parser::new_from_str(text).load(&mut aliases, true).map_err(|error| error.to_string())?;
    if aliases.found {
        return Err("it has aliases, which the list has not".to_owned());
    }
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let Some(Yaml::Array(entries)) = documents.first() else { return Err("it is no list of entries".to_owned()) };
    entries.iter().enumerate().map(|(at, entry)| listed(entry).ok_or_else(|| unlike(at))).collect()
}

fn unlike(at: usize) -> String {
    format!("entry {} has not a `name` and a list of `accounts`", at + 1)
}

fn listed(entry: &Yaml) -> Option<Listed> {
    // An id without quotes lost its zeros.
    let account = |account: &Yaml| match account {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(format!("{number:012}")),
        _ => None,
    };
    let Yaml::Hash(fields) = entry else { return None };
    let field = |name: &str| fields.get(&Yaml::String(name.to_owned()));
    let name = field("name")?.as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let accounts = match field("accounts")? {
        Yaml::Array(accounts) => accounts.iter().map(account).collect::<Option<_>>()?,
        one => vec![account(one)?],
    };
    let is_aws = field("type").and_then(Yaml::as_str) == Some("aws") || AWS_BY_NAME.contains(&name.as_str());
    (!name.is_empty()).then_some(Listed { name, accounts, is_aws })
}

/// A vendors file made from the public list.
#[derive(Debug)]
pub struct Refreshed {
    /// The file.
    pub text: String,
    /// Its accounts.
    pub accounts: usize,
    /// Its vendors and services.
    pub names: usize,
}

/// Makes a vendors file of the public list. Accounts that their vendor gave up stay: an id is given to nobody else, and a
/// role that still trusts one is just what a reader wants named.
///
/// # Errors
/// The file cannot be read, or is not that list.
pub fn refresh(from: &Path) -> Result<Refreshed, UserError> {
    let shown = from.display().to_string();
    if shown.contains("://") {
        return Err(UserError::new(
            format!("cannot read `{shown}`: thirdtrail calls nobody but AWS"),
            format!("download it first: `curl -fO {LIST}`, then give the file"),
        ));
    }
    let refuse = |reason: String| {
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        let what = format!("cannot read the list of accounts `{shown}`: {reason}");
        UserError::new(what, format!("give the `accounts.yaml` of {LIST}"))
    };
    let (text, file) = read_text(from).map_err(refuse)?;
    let named = entries(&text).and_then(named).map_err(refuse)?;
    if named.is_empty() {
        return Err(refuse("it lists no account".to_owned()));
    }
    let mut by_name: BTreeMap<(String, KnownKind), (String, Vec<AccountId>)> = BTreeMap::new();
    for (account, (kind, _, name)) in named {
        let entry = by_name.entry((name.to_lowercase(), kind)).or_insert_with(|| (name, Vec::new()));
        entry.1.push(account);
    }
    let accounts = by_name.values().map(|(_, accounts)| accounts.len()).sum();
    Ok(Refreshed { text: vendors_file(&by_name, &file.sha256), accounts, names: by_name.len() })
}

/// Each account once: of several entries AWS's own wins, then the first name by spelling.
fn named(listed: Vec<Listed>) -> Result<BTreeMap<AccountId, (KnownKind, String, String)>, String> {
    let mut named: BTreeMap<AccountId, (KnownKind, String, String)> = BTreeMap::new();
    for entry in listed {
        let name = &entry.name;
        let kind = if entry.is_aws { KnownKind::AwsService } else { KnownKind::Vendor };
        for account in &entry.accounts {
            let id = AccountId::parse(account).ok_or_else(|| format!("`{name}`: `{account}` is no account id"))?;
            let rank = |(kind, lower, name): &(KnownKind, String, String)| {
                (*kind == KnownKind::Vendor, lower.clone(), name.clone())
            };
            let found = (kind, name.to_lowercase(), name.clone());
            match named.get(&id) {
                Some(known) if rank(known) <= rank(&found) => {}
                _ => drop(named.insert(id, found)),
            }
        }
    }
    Ok(named)
}

fn vendors_file(by_name: &BTreeMap<(String, KnownKind), (String, Vec<AccountId>)>, sha256: &str) -> String {
    let mut text = format!(
        "# Written by `thirdtrail vendors refresh`. Facts: fwdcloudsec/known_aws_accounts (Apache-2.0), the file with\n\
         # SHA-256 {sha256}.\n"
    );
    for ((lower, kind), (name, accounts)) in by_name {
        // A name can stand once in a file.
        let is_aws = *kind == KnownKind::AwsService;
        let shared = is_aws && by_name.contains_key(&(lower.clone(), KnownKind::Vendor));
        let name = if shared { format!("{name} (AWS)") } else { name.clone() };
        let ids: Vec<String> = accounts.iter().map(|account| format!("\"{account}\"")).collect();
        text.push_str(&format!("\n[[vendor]]\nname = {}\n", quoted(&name)));
        if is_aws {
            text.push_str("kind = \"aws_service\"\n");
        }
        text.push_str(&format!("accounts = [{}]\n", ids.join(", ")));
    }
    text
}

/// A text of TOML: what JSON escapes means the same there, and no control character stands bare.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    serde_json::to_string(&plain).unwrap_or_default()
}

/// Writes a file whole or not at all.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), UserError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    written.map_err(|error| {
        UserError::new(format!("cannot write `{}`: {error}", path.display()), "check its name and permissions")
    })
}

/// An account that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownAccount {
    /// The account.
    pub account_id: AccountId,
    /// Whose it is.
    pub name: String,
    /// `vendor` or `aws_service`.
    pub kind: &'static str,
    /// `built-in`, or the vendors file.
    pub from: String,
}

/// Every account that is known, with these vendors files.
///
/// # Errors
/// The first mistake in one of the files.
pub fn list(vendors: Vec<PathBuf>) -> Result<Vec<KnownAccount>, UserError> {
    let files = RuleFiles { vendors, ..RuleFiles::default() };
    let rules = Rules::read(&files, &std::collections::BTreeSet::new())?;
    let known = rules.directory.iter().map(|(account, known)| {
        let mut listed = rules.directory.listed().iter().filter(|vendor| vendor.accounts.contains(&account));
        KnownAccount {
            account_id: account,
            name: known.name.clone(),
            kind: match known.kind {
                KnownKind::Vendor => "vendor",
                KnownKind::AwsService => "aws_service",
            },
            from: listed.next().map_or_else(|| "built-in".to_owned(), |vendor| vendor.file.clone()),
        }
    });
    Ok(known.collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::activity::directory::Directory;
    use crate::run::config::vendors;

    fn refreshed(yaml: &str) -> Result<Refreshed, UserError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.yaml");
        fs::write(&path, yaml).unwrap();
        refresh(&path)
    }

    fn directory(text: &str) -> Directory {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vendors.toml");
        write(&path, text).unwrap();
        let (read, _) = vendors::vendors(&path).unwrap();
        Directory::default().overlaid(vendors::joined(read))
    }

    #[test]
    fn the_public_list_becomes_a_vendors_file() {
        let yaml = "# a comment\n- name: 'Acme \"quoted\"  Ltd'\n  source: ['https://example.com']\n  accounts: ['012345678901', '464622532012']\n\
                    - name: acme \"quoted\" ltd\n  type: 'aws'\n  accounts:\n    - '111122223333'\n- name: Other\n  enabled: false\n  accounts: [\n    '464622532012'\n  ]\n";
        let made = refreshed(yaml).unwrap();
        assert_eq!((made.accounts, made.names), (3, 2));
        let known = directory(&made.text);
        let name = |id: &str| known.lookup(AccountId::parse(id).unwrap()).map(|known| (known.name.clone(), known.kind));
        assert_eq!(name("012345678901"), Some(("Acme \"quoted\" Ltd".to_owned(), KnownKind::Vendor)));
        assert_eq!(name("111122223333"), Some(("acme \"quoted\" ltd (AWS)".to_owned(), KnownKind::AwsService)));
        assert_eq!(name("464622532012").unwrap().0, "Acme \"quoted\" Ltd");
    }

    /// S44: what is not that list, and what was made to fill memory or stack, is refused.
    #[test]
    fn what_is_not_that_list_is_refused_in_one_line() {
        let check = |yaml: &str, says: &str| {
            let error = refreshed(yaml).unwrap_err();
            assert!(error.what.contains(says) && !error.to_string().contains('\n'), "{error}");
        };
        check("- name: x\n  accounts: ['12']\n", "`x`: `12` is no account id");
        check("- name: ' '\n  accounts: []\n", "entry 1 has not a `name` and a list of `accounts`");
        check("[]", "it lists no account");
        check("", "it is no list of entries");
        check("name: x\n", "it is no list of entries");
        check("- [", "accounts.yaml`: ");
        check("- accounts: ['464622532012']\n", "entry 1 has not a `name`");
        check("- &a x\n- *a\n", "it has aliases");
        check(&"[".repeat(100_000), "accounts.yaml`: ");
        let error = refresh(Path::new("https://example.com/accounts.yaml")).unwrap_err();
        assert!(error.help.contains("curl -fO https://raw.githubusercontent.com/fwdcloudsec/"), "{error}");
    }

    /// The built-in table is that list: what the command makes of it says the same.
    #[test]
    fn the_built_in_table_can_be_made_again() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/vendors/known_aws_accounts.yaml");
        if !path.is_file() {
            eprintln!("absent: the public list of accounts; the built-in table was not compared");
            return;
        }
        let made = refresh(&path).unwrap();
        let (known, builtin) = (directory(&made.text), Directory::builtin());
        assert_eq!((known.len(), made.accounts), (builtin.len(), builtin.len()));
        for (account, expected) in builtin.iter() {
            let found = known.lookup(account).unwrap();
            let name = found.name.trim_end_matches(" (AWS)").to_lowercase();
            assert_eq!((name, found.kind), (expected.name.to_lowercase(), expected.kind), "{account}");
        }
    }
}
