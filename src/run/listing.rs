//! What a listing of the source told, saved beside the evidence, so that a report can be made without the source.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::aws::AccountId;
use crate::aws::window::rfc3339;
use crate::store::Store;

use super::UserError;
use super::checkpoint::cannot_write;
use super::plan::{Plan, Request};

/// Where it lies among the evidence.
const KEY: &str = "listing.json";
const SCHEMA: &str = "thirdtrail.listing/2";

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listing {
    schema: String,
    /// What was asked for.
    asked: Asked,
    listed: u64,
    skipped: BTreeMap<String, u64>,
    /// Days without objects that digests show to have been quiet; as texts, year first.
    quiet_days: BTreeSet<(AccountId, String)>,
    accounts: BTreeSet<AccountId>,
    /// The Regions that the source held, if it is known to lack others.
    #[serde(default)]
    regions: BTreeSet<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Asked {
    since: Option<String>,
    until: Option<String>,
    accounts: BTreeSet<AccountId>,
    regions: BTreeSet<String>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            since: request.since.map(rfc3339),
            until: request.until.map(rfc3339),
            accounts: request.accounts.clone(),
            regions: request.regions.clone(),
        }
    }
}

impl Listing {
    /// What was planned of a source that holds these Regions; all of them if none is named.
    #[must_use]
    pub fn of(plan: &Plan, request: &Request, regions: &BTreeSet<String>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            asked: Asked::of(request),
            listed: plan.listed,
            skipped: plan.skipped.clone(),
            quiet_days: plan.digest_days.iter().map(|(account, day)| (*account, day.to_string())).collect(),
            accounts: plan.accounts.clone(),
            regions: regions.clone(),
        }
    }

    /// Saves it beside evidence; the last one counts.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn save(&self, evidence: &dyn Store) -> Result<(), UserError> {
        let bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        evidence.put(KEY, &bytes).map_err(|error| cannot_write(&error))
    }

    /// The one that lies beside evidence, if there is a sound one.
    #[must_use]
    pub fn load(evidence: &dyn Store) -> Option<Self> {
        let mut bytes = Vec::new();
        evidence.get(KEY, &mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|listing: &Self| listing.schema == SCHEMA)
    }

    /// The Regions to which the last run was limited, by its source or by what was asked for; all if there is none.
    #[must_use]
    pub fn regions(&self) -> &BTreeSet<String> {
        if self.regions.is_empty() { &self.asked.regions } else { &self.regions }
    }

    /// Completes a plan that was made of the keys in the evidence: what the source held beside them. What was skipped
    /// is told only for the question that was asked then.
    pub fn complete(self, plan: &mut Plan, request: &Request) {
        let day = |(account, day): (AccountId, String)| Some((account, day.parse::<NaiveDate>().ok()?));
        // What was quiet in some Regions need not have been quiet in others.
        if self.asked.regions.is_empty() || self.asked.regions == request.regions {
            plan.digest_days.extend(self.quiet_days.into_iter().filter_map(day));
        }
        plan.accounts.extend(self.accounts);
        if self.asked == Asked::of(request) {
            (plan.listed, plan.skipped) = (self.listed, self.skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S24: evidence of one Region is not taken for that of all.
    #[test]
    fn a_listing_tells_to_which_regions_it_was_limited() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let limited = |asked: &[&str], held: &[&str]| {
            let request = Request { regions: set(asked), ..Request::default() };
            Listing::of(&Plan::default(), &request, &set(held)).regions().clone()
        };
        assert_eq!(limited(&[], &[]), set(&[]));
        assert_eq!(limited(&["a"], &[]), set(&["a"]));
        assert_eq!(limited(&[], &["b"]), set(&["b"]));
    }
}
