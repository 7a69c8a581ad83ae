//! The user's own TOML files: the configuration, keep rules, suppressions and vendors.
//!
//! All are read strictly and by the same means (`text.rs`), because a key that was mistyped would do nothing and nobody
//! would know: the first thing that is wrong is told with its file, line and field.

pub mod file;
pub mod keep;
pub mod suppress;
mod text;
pub mod vendors;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::activity::directory::Directory;
use crate::activity::vendors::Vendor;
use crate::aws::AccountId;
use crate::finding::compare::snapshot::Snapshot;
use crate::finding::keep::KeepRule;
use crate::finding::suppress::Suppression;

use super::UserError;
use super::compare;
use super::inputs::InputFile;
use file::Config;

/// Where the user's rules come from.
#[derive(Clone, Debug, Default)]
pub struct RuleFiles {
    /// The configuration, for its rules; its options were read with the command line.
    pub config: Option<Config>,
    /// The keep file, if there is one (S39).
    pub keep: Option<PathBuf>,
    /// Vendors files; of two that name an account, the later one wins.
    pub vendors: Vec<PathBuf>,
    /// An earlier report, whose findings are known.
    pub baseline: Option<PathBuf>,
}

/// What the user says of actions, findings and vendors.
#[derive(Debug)]
pub struct Rules {
    /// Actions that stay (S39).
    pub keep: Vec<KeepRule>,
    /// Findings that somebody answers for (S39).
    pub suppressions: Vec<Suppression>,
    /// The public list of accounts, with the user's vendors laid over it.
    pub directory: Directory,
    /// An earlier report.
    pub baseline: Option<Snapshot>,
    /// The files, hashed.
    pub files: Vec<InputFile>,
}

impl Rules {
    /// Reads them; `own` are the accounts that are known to be our own before the trail is read.
    ///
    /// # Errors
    /// The first mistake in one of the files.
    pub fn read(from: &RuleFiles, own: &BTreeSet<AccountId>) -> Result<Self, UserError> {
        let (mut keep, mut suppressions, mut named, mut files) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        if let Some(path) = &from.keep {
            let (rules, file) = keep::keep_rules(path)?;
            keep = rules;
            files.push(file);
        }
        if let Some(config) = &from.config {
            keep.extend(config.keep.iter().cloned());
            suppressions.clone_from(&config.suppressions);
            named.clone_from(&config.vendors);
            files.push(config.file.clone());
        }
        for path in &from.vendors {
            let (vendors, file) = vendors::vendors(path)?;
            named.extend(vendors);
            files.push(file);
        }
        let mut baseline = None;
        if let Some(path) = &from.baseline {
            let (report, file) = compare::report(path)?;
            baseline = Some(report);
            files.push(file);
        }
        let named = vendors::joined(named);
        vendors::none_is_ours(&named, own)?;
        Ok(Self { keep, suppressions, directory: Directory::builtin().clone().overlaid(named), baseline, files })
    }

    /// Accounts that the user calls a vendor's and that turned out to be our own: they count as ours, and the user is told.
    #[must_use]
    pub fn own_vendors(&self, own: &BTreeSet<AccountId>) -> Vec<String> {
        let told = |(vendor, account): (&Vendor, AccountId)| {
            format!("{account} of `{}` ({}:{})", vendor.name, vendor.file, vendor.line)
        };
        self.directory.listed().among(own).map(told).collect()
    }
}
