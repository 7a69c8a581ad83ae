//! What is read beside the trail: files, a folder that `collect` wrote, or live answers, all by the same parsers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::aws::AccountId;
use crate::aws::window::{Time, parse_time};
use crate::cloudtrail::configuration::Configuration;
use crate::finding::assessment::FailedInput;
use crate::finding::beside::Beside;
use crate::policy::inventory::Inventory;
use crate::policy::organization::Organization;
use crate::store::aws::AwsOptions;

use super::UserError;
use super::inputs::{InputFile, add_inventory, input_file, read_text};
use super::live::{Answers, Input, Wish, ask};
use super::monitor::Monitor;

/// Where the inputs beside the trail come from.
#[derive(Clone, Debug, Default)]
pub struct BesideOptions {
    /// What AWS is asked for.
    pub live: BTreeSet<Input>,
    /// The role to assume in every account of the organization.
    pub assume_role_name: Option<String>,
    /// How to reach AWS.
    pub aws: AwsOptions,
    /// Files, or folders of files, by kind; inventories apart.
    pub files: Vec<(Input, PathBuf)>,
    /// A folder that `collect` wrote.
    pub folder: Option<PathBuf>,
    /// The source, if it is a bucket.
    pub bucket: Option<String>,
    /// The Regions that the source holds, if it is known to lack others.
    pub regions: BTreeSet<String>,
    /// Data event types that the trail records for every resource, on the user's word.
    pub complete_data_events: BTreeSet<String>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Given {
    /// Roles and policies.
    pub inventory: Inventory,
    /// Accounts of the organization.
    pub organization: BTreeSet<AccountId>,
    /// All else.
    pub beside: Beside,
    /// The files, hashed.
    pub files: Vec<InputFile>,
    /// When AWS was asked for each inventory.
    inventories_of: Vec<Option<Time>>,
}

/// One input as text.
struct Text {
    input: Input,
    /// When AWS was asked for it, if that is known.
    asked: Option<Time>,
    text: String,
    file: InputFile,
}

/// Reads everything.
///
/// # Errors
/// The first file that cannot be read, or a kind of input of which AWS gave nothing.
pub fn read(inventories: &[PathBuf], options: &BesideOptions, monitor: &dyn Monitor) -> Result<Given, UserError> {
    if options.assume_role_name.is_some() && options.live.is_empty() {
        let what = "--assume-role-name asks AWS, but no input is to be read live";
        return Err(UserError::new(what, "give `live` for an input, such as --inventory live"));
    }
    let mut given = Given::default();
    given.beside.bucket.clone_from(&options.bucket);
    given.beside.regions.clone_from(&options.regions);
    given.beside.complete_data_events.clone_from(&options.complete_data_events);
    let mut texts = Vec::new();
    for path in inventories {
        texts.push(text_of(Input::Inventory, path)?);
    }
    for (input, path) in &options.files {
        for path in within(path)? {
            texts.push(text_of(*input, &path)?);
        }
    }
    if let Some(folder) = &options.folder {
        let (manifest, found, failed) = collected(folder)?;
        given.files.push(manifest);
        texts.extend(found);
        given.beside.failed = failed;
    }
    for text in texts {
        given.add(text)?;
    }
    if !options.live.is_empty() {
        given.add_live(options, monitor)?;
    }
    // The age of the whole is that of its oldest part, and not known if that of one part is not.
    given.beside.inventory_of = given.inventories_of.iter().min().copied().flatten();
    given.beside.failed.sort();
    given.beside.failed.dedup();
    Ok(given)
}

impl Given {
    fn add(&mut self, text: Text) -> Result<(), UserError> {
        let Text { input, asked, text, mut file } = text;
        let beside = &mut self.beside;
        let read = match input {
            Input::Inventory => {
                self.inventories_of.push(asked);
                add_inventory(&mut self.inventory, &file.path, &text).map(|unreadable| file.unreadable = unreadable)
            }
            Input::Organization => {
                let mut organization = Organization::default();
                organization
                    .add(&text)
                    .map(|()| {
                        let known = beside.organization.get_or_insert_default();
                        known.extend(&organization.accounts);
                        beside.organization_ids.extend(organization.ids);
                        self.organization.extend(organization.accounts);
                    })
                    .map_err(|e| e.to_string())
            }
            Input::TrailConfig => {
                beside.configuration.get_or_insert_with(Configuration::default).add(&text).map_err(|e| e.to_string())
            }
            Input::CredentialReport => beside.users.add_report(&text).map_err(|e| e.to_string()),
            Input::AccessKeys => beside.users.add_keys(&text).map_err(|e| e.to_string()),
            Input::LastAccessed => beside.last_accessed.add(&text).map_err(|e| e.to_string()),
        };
        read.map_err(|reason| wrong(input, &file.path, &reason))?;
        self.files.push(file);
        Ok(())
    }

    fn add_live(&mut self, options: &BesideOptions, monitor: &dyn Monitor) -> Result<(), UserError> {
        let asks_again = options.live.contains(&Input::Inventory);
        if options.live.contains(&Input::LastAccessed) && !asks_again && self.inventory.roles.is_empty() {
            return Err(UserError::new(
                "no inventory says which roles to ask about",
                "give --inventory live or a file with --last-accessed live",
            ));
        }
        let now = now();
        let wish = Wish {
            inputs: options.live.clone(),
            role: options.assume_role_name.as_deref(),
            inventory: (!asks_again).then_some(&self.inventory),
            now,
        };
        let answers = ask(&options.aws, &wish, monitor)?;
        for input in &options.live {
            nothing_of(*input, &answers).map_or(Ok(()), Err)?;
        }
        for document in answers.documents {
            let file = input_file(Path::new(&format!("live:{}", document.path)), document.text.as_bytes());
            self.add(Text { input: document.input, asked: Some(now), text: document.text, file })?;
        }
        self.beside.failed.extend(answers.failed.into_keys().map(|(_, failed)| failed));
        Ok(())
    }
}

/// The error of a kind of which nothing could be read: the first reason, as it is told.
pub(super) fn nothing_of(input: Input, answers: &Answers) -> Option<UserError> {
    if answers.documents.iter().any(|document| document.input == input) {
        return None;
    }
    let ((_, failed), help) = answers.failed.iter().find(|((of, _), _)| *of == input)?;
    Some(UserError::new(format!("cannot read {} live: {}: {}", input.word(), failed.call, failed.reason), help))
}

/// The time of the question; the judgement takes its own from the window.
pub fn now() -> Time {
    chrono::Utc::now()
}

fn wrong(input: Input, path: &str, reason: &str) -> UserError {
    let help = match input {
        Input::Inventory => "give the output of `aws iam get-account-authorization-details`",
        Input::Organization => "give the output of `aws organizations list-accounts`",
        Input::TrailConfig => {
            "give the outputs of `aws cloudtrail describe-trails` and `get-event-selectors`, or what `thirdtrail collect` wrote"
        }
        Input::CredentialReport => "give the output of `aws iam get-credential-report`, or the CSV in it",
        Input::AccessKeys | Input::LastAccessed => "give what `thirdtrail collect` wrote",
    };
    UserError::new(format!("cannot read {} `{path}`: {reason}", input.word()), help)
}

fn text_of(input: Input, path: &Path) -> Result<Text, UserError> {
    let shown = path.display().to_string();
    let (text, file) = read_text(path).map_err(|reason| wrong(input, &shown, &reason))?;
    Ok(Text { input, asked: None, text, file })
}

/// A file, or the files in a folder.
fn within(path: &Path) -> Result<Vec<PathBuf>, UserError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error: std::io::Error| {
        UserError::new(format!("cannot list `{}`: {error}", path.display()), "give a file, or a folder of files")
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == "json" || ending == "csv") {
            found.push(file);
        }
    }
    found.sort();
    if found.is_empty() {
        let what = format!("no `.json` or `.csv` file in `{}`", path.display());
        return Err(UserError::new(what, "give a file, or a folder of files"));
    }
    Ok(found)
}

/// What matters of `collect.json`.
#[derive(Deserialize)]
struct Manifest {
    schema: String,
    files: Vec<Listed>,
    #[serde(default)]
    collected_at: Option<String>,
    failed: Vec<FailedInput>,
}

/// A file as it was when it was collected.
#[derive(Deserialize)]
struct Listed {
    path: String,
    sha256: String,
}

/// Why a folder is not what was collected: the first file that is missing, changed or added.
fn other_than_collected(folder: &Path, listed: Vec<Listed>, found: &[Text]) -> Option<String> {
    let mut listed: BTreeMap<String, String> = listed.into_iter().map(|file| (file.path, file.sha256)).collect();
    for text in found {
        let path = Path::new(&text.file.path);
        let path = path.strip_prefix(folder).unwrap_or(path);
        let path = path.iter().map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join("/");
        match listed.remove(&path) {
            Some(hash) if hash == text.file.sha256 => {}
            Some(_) => return Some(format!("`{path}` is not as it was collected")),
            None => return Some(format!("`{path}` was not collected with the others")),
        }
    }
    listed.into_keys().next().map(|path| format!("`{path}`, which was collected, is not there"))
}

/// Everything in a folder that was collected, and what could not be read then.
fn collected(folder: &Path) -> Result<(InputFile, Vec<Text>, Vec<FailedInput>), UserError> {
    let manifest = folder.join("collect.json");
    let wrong = |reason: String| {
        let what = format!("cannot read `{}`: {reason}", manifest.display());
        UserError::new(what, "give a folder that `thirdtrail collect` wrote")
    };
    let (text, file) = read_text(&manifest).map_err(wrong)?;
    let read: Manifest = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if read.schema != super::collect::SCHEMA {
        return Err(wrong(format!("its schema is `{}`", read.schema)));
    }
    let mut texts = Vec::new();
    let organization = folder.join("organization.json");
    if organization.exists() {
        texts.push(text_of(Input::Organization, &organization)?);
    }
    for input in Input::ALL {
        let of_accounts = folder.join(input.word());
        if of_accounts.is_dir() {
            for path in within(&of_accounts)? {
                texts.push(text_of(input, &path)?);
            }
        }
    }
    let asked = read.collected_at.as_deref().and_then(parse_time);
    texts.iter_mut().for_each(|text| text.asked = asked);
    match other_than_collected(folder, read.files, &texts) {
        None => Ok((file, texts, read.failed)),
        Some(difference) => Err(UserError::new(
            format!("`{}` is not a whole collection: {difference}", folder.display()),
            "run `thirdtrail collect` again, or give the files one by one with their own options",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::monitor::Silent;

    fn options(input: Input, path: &Path) -> BesideOptions {
        BesideOptions { files: vec![(input, path.to_owned())], ..BesideOptions::default() }
    }

    /// S17: the accounts of the organization become ours; a folder of files is as good as a file.
    #[test]
    fn files_and_folders_of_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("organization.json");
        fs::write(&file, r#"{"Accounts":[{"Id":"012345678901"}]}"#).unwrap();
        for path in [file.as_path(), folder.path()] {
            let given = read(&[], &options(Input::Organization, path), &Silent).unwrap();
            assert_eq!(given.organization.iter().map(ToString::to_string).collect::<Vec<_>>(), ["012345678901"]);
            assert_eq!(given.files.len(), 1);
        }
    }

    /// S28: an inventory is as old as its oldest part, and of unknown age where one part is.
    #[test]
    fn the_age_of_an_inventory_is_known_of_all_of_it_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let roles = r#"{"RoleDetailList":[]}"#;
        let hash = super::super::inputs::sha256(roles.as_bytes());
        let manifest = serde_json::json!({"schema": "thirdtrail.collect/1", "collected_at": "2026-08-02T00:00:00Z",
            "files": [{"path": "inventory/012345678901.json", "sha256": hash}], "failed": []});
        fs::write(folder.path().join("collect.json"), manifest.to_string()).unwrap();
        fs::create_dir(folder.path().join("inventory")).unwrap();
        let file = folder.path().join("inventory/012345678901.json");
        fs::write(&file, roles).unwrap();
        let options = BesideOptions { folder: Some(folder.path().to_owned()), ..BesideOptions::default() };
        assert_eq!(read(&[], &options, &Silent).unwrap().beside.inventory_of, parse_time("2026-08-02"));
        assert_eq!(read(&[file], &options, &Silent).unwrap().beside.inventory_of, None);
    }

    #[test]
    fn a_wrong_input_is_named_with_what_to_give() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        fs::write(&file, "{}").unwrap();
        for input in Input::ALL {
            let error = read(&[], &options(input, &file), &Silent).unwrap_err();
            assert!(error.what.contains(input.word()) && error.what.contains("x.json"), "{error}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(
            read(&[], &options(Input::Organization, empty.path()), &Silent).unwrap_err().what.contains("no `.json`")
        );
        let folder = BesideOptions { folder: Some(empty.path().to_owned()), ..BesideOptions::default() };
        assert!(read(&[], &folder, &Silent).unwrap_err().what.contains("collect.json"));
    }

    /// A half copied or edited collection would be a silent gap.
    #[test]
    fn a_collected_folder_must_be_whole_and_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let organization = folder.path().join("organization.json");
        let text = r#"{"Accounts":[{"Id":"012345678901"}]}"#;
        let hash = input_file(Path::new("x"), text.as_bytes()).sha256;
        let manifest = serde_json::json!({"schema": super::super::collect::SCHEMA, "failed": [],
            "files": [{"path": "organization.json", "sha256": hash, "bytes": text.len()}]});
        fs::write(folder.path().join("collect.json"), manifest.to_string()).unwrap();
        let options = BesideOptions { folder: Some(folder.path().to_owned()), ..BesideOptions::default() };
        let refused = || read(&[], &options, &Silent).unwrap_err().what;
        assert!(refused().contains("`organization.json`, which was collected, is not there"));
        fs::write(&organization, text.replace("01\"", "02\"")).unwrap();
        assert!(refused().contains("`organization.json` is not as it was collected"));
        fs::write(&organization, text).unwrap();
        assert_eq!(read(&[], &options, &Silent).unwrap().organization.len(), 1);
        fs::create_dir(folder.path().join("inventory")).unwrap();
        fs::write(folder.path().join("inventory/111122223333.json"), "{}").unwrap();
        assert!(refused().contains("`inventory/111122223333.json` was not collected"));
    }

    #[test]
    fn last_accessed_details_need_to_know_the_roles() {
        let live = BesideOptions { live: BTreeSet::from([Input::LastAccessed]), ..BesideOptions::default() };
        assert!(read(&[], &live, &Silent).unwrap_err().what.contains("no inventory"));
    }
}
