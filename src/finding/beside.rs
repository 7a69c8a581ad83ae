//! What is known beside the trail and the inventory: AWS's own words about trails, roles and users.
//!
//! None of it is needed. It can show that the trail leaves something out and that something was used after all; it can
//! also prove an absence: data events that are recorded whole (S25), and what IAM saw nobody try (S25a).

use std::collections::BTreeSet;

use crate::aws::AccountId;
use crate::aws::window::Time;
use crate::cloudtrail::configuration::Configuration;
use crate::policy::last_accessed::LastAccessed;
use crate::policy::users::Users;

use super::assessment::FailedInput;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// How trails are configured, if that is known.
    pub configuration: Option<Configuration>,
    /// The source that is read, if it is a bucket: `s3://bucket/prefix`.
    pub bucket: Option<String>,
    /// The Regions that the source or the evidence holds, if it is known to lack others.
    pub regions: BTreeSet<String>,
    /// The accounts of the organization, if they are known.
    pub organization: Option<BTreeSet<AccountId>>,
    /// The organization's id, if it is known; of several files, theirs.
    pub organization_ids: BTreeSet<String>,
    /// When IAM was asked for the inventory, the oldest part of it; `None` where that is not known of all of it.
    pub inventory_of: Option<Time>,
    /// Data event types (`AWS::S3::Object`) that the trail records for every resource, on the user's word.
    pub complete_data_events: BTreeSet<String>,
    /// IAM's last-accessed details.
    pub last_accessed: LastAccessed,
    /// Users and their keys.
    pub users: Users,
    /// What was asked for and could not be read.
    pub failed: Vec<FailedInput>,
}
