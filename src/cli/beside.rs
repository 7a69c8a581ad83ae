//! The options about inputs beside the trail: files, a collected folder, or `live`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::run::beside::BesideOptions;
use crate::run::live::Input;
use crate::run::source::AwsOptions;

/// What stands for asking AWS in place of a file.
const LIVE: &str = "live";

/// Inputs beside the trail and the inventory.
#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs beside the trail (`live` asks AWS)")]
pub(super) struct BesideArguments {
    /// A folder that `thirdtrail collect` wrote: everything in it is used, and no inventory beside the source.
    #[arg(long, value_name = "DIR")]
    inputs: Option<PathBuf>,
    /// Accounts of your organization, which are no third parties: `live`, or the output of
    /// `aws organizations list-accounts`.
    #[arg(long, value_name = "live|FILE")]
    organization: Vec<PathBuf>,
    /// How trails are configured: `live`, or outputs of `aws cloudtrail describe-trails` and `get-event-selectors`;
    /// repeatable.
    #[arg(long, value_name = "live|FILE")]
    trail_config: Vec<PathBuf>,
    /// The last use of users' passwords and keys: `live`, or the output of
    /// `aws iam get-credential-report`; repeatable.
    #[arg(long, value_name = "live|FILE")]
    credential_report: Vec<PathBuf>,
    /// Each access key with its last use: `live`, or a file that `thirdtrail collect` wrote; repeatable.
    #[arg(long, value_name = "live|FILE")]
    access_keys: Vec<PathBuf>,
    /// IAM's action-level last-accessed details of roles that outsiders can come into, a second witness: `live`, or a
    /// file that `thirdtrail collect` wrote; repeatable.
    #[arg(long, value_name = "live|FILE")]
    last_accessed: Vec<PathBuf>,
    /// With `live`: ask every active account of the organization, through this role in each.
    #[arg(long, value_name = "NAME")]
    assume_role_name: Option<String>,
}

impl BesideArguments {
    /// Whether a collected folder takes the place of an inventory beside the source.
    pub(super) fn has_folder(&self) -> bool {
        self.inputs.is_some()
    }

    /// The options; inventories are told by the caller, `live` among them or not.
    pub(super) fn options(&self, inventories: &[PathBuf], aws: AwsOptions, source: &str) -> BesideOptions {
        let kinds = [
            (Input::Inventory, inventories),
            (Input::Organization, &self.organization[..]),
            (Input::TrailConfig, &self.trail_config),
            (Input::CredentialReport, &self.credential_report),
            (Input::AccessKeys, &self.access_keys),
            (Input::LastAccessed, &self.last_accessed),
        ];
        let mut options = BesideOptions {
            assume_role_name: self.assume_role_name.clone(),
            aws,
            folder: self.inputs.clone(),
            bucket: source.starts_with("s3://").then(|| source.to_owned()),
            ..BesideOptions::default()
        };
        for (input, paths) in kinds {
            for path in paths {
                if is_live(path) {
                    options.live.insert(input);
                } else if input != Input::Inventory {
                    options.files.push((input, path.clone()));
                }
            }
        }
        options
    }
}

/// Whether that is the word, and no file.
pub(super) fn is_live(path: &Path) -> bool {
    path.as_os_str() == LIVE
}
