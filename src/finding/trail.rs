//! What the trail of one account shows it records: the witness that decides whether absence means anything (S24, S25).

use std::collections::{BTreeMap, BTreeSet};

use crate::activity::action_map::{ActionMap, Certainty};
use crate::aws::{AccessLevel, AccountId, Action, ApiCall};
use crate::cloudtrail::parameters::{Hints, partition_of_region};
use crate::evidence::Evidence;
use crate::evidence::coverage::Recorded;
use crate::policy::catalog::{ActionInfo, Catalog};
use crate::policy::comparison::Witness;

/// Services whose events are recorded in one home Region only (S27); those beyond AWS's list for global services have
/// a single endpoint there. Source: AWS CloudTrail User Guide, "About global service events"; AWS General Reference.
const GLOBAL: [&str; 16] = [
    "iam",
    "sts",
    "cloudfront",
    "route53",
    "route53domains",
    "organizations",
    "account",
    "budgets",
    "ce",
    "cur",
    "health",
    "support",
    "shield",
    "waf",
    "globalaccelerator",
    "trustedadvisor",
];

/// Services whose management events a trail can exclude (S24).
const EXCLUDABLE: [(&str, [&str; 2]); 2] = [("kms", ["kms", "kms"]), ("rds-data", ["rdsdata", "rdsdataapi"])];

/// One account's trail.
#[derive(Debug)]
pub struct AccountTrail<'a> {
    catalog: &'a Catalog,
    /// Regions in which records or objects were found.
    regions: BTreeSet<String>,
    /// The Regions that were asked for, if not all.
    asked: &'a BTreeSet<String>,
    reads: bool,
    writes: bool,
    sources: BTreeSet<String>,
    actions: BTreeSet<Action>,
    data_types: BTreeSet<String>,
    data_kinds: BTreeSet<(String, bool)>,
}

/// The trails of all accounts of the evidence.
#[must_use]
pub fn trails<'a>(
    evidence: &Evidence,
    map: ActionMap<'_>,
    catalog: &'a Catalog,
    asked: &'a BTreeSet<String>,
) -> BTreeMap<AccountId, AccountTrail<'a>> {
    let mut trails = BTreeMap::new();
    for (account, region) in evidence.coverage.places.keys() {
        let trail = trails.entry(*account).or_insert_with(|| AccountTrail::new(catalog, asked));
        trail.regions.insert(evidence.names.text(*region).to_owned());
    }
    for (key, recorded) in &evidence.coverage.seen {
        let Some(trail) = trails.get_mut(&key.account) else { continue };
        let call = ApiCall { source: evidence.names.shared(key.source), name: evidence.names.shared(key.name) };
        trail.note(&call, *recorded, map);
    }
    for (account, types) in &evidence.coverage.data_types {
        if let Some(trail) = trails.get_mut(account) {
            trail.data_types.clone_from(types);
        }
    }
    trails
}

impl<'a> AccountTrail<'a> {
    fn new(catalog: &'a Catalog, asked: &'a BTreeSet<String>) -> Self {
        Self {
            catalog,
            regions: BTreeSet::new(),
            asked,
            reads: false,
            writes: false,
            sources: BTreeSet::new(),
            actions: BTreeSet::new(),
            data_types: BTreeSet::new(),
            data_kinds: BTreeSet::new(),
        }
    }

    fn note(&mut self, call: &ApiCall, recorded: Recorded, map: ActionMap<'_>) {
        self.reads |= recorded.contains(Recorded::READ);
        self.writes |= recorded.contains(Recorded::WRITE);
        let data = recorded.contains(Recorded::DATA);
        if recorded.0 & !Recorded::DATA.0 != 0 {
            self.sources.insert(call.source.to_string());
        }
        for mapped in map.map(call, "AwsApiCall", Hints::none()).actions {
            if mapped.certainty != Certainty::Primary {
                continue;
            }
            if data && let Some(info) = self.catalog.get(&mapped.action) {
                self.data_kinds.insert((info.action.service().to_owned(), is_write(info.level)));
            }
            self.actions.insert(mapped.action);
        }
    }

    /// Whether all Regions were read, so that no record of any can be missing by choice.
    #[must_use]
    pub fn is_read_everywhere(&self) -> bool {
        self.asked.is_empty()
    }

    fn home_region(&self) -> &'static str {
        let partition = self.regions.first().map_or("aws", |region| partition_of_region(region));
        match partition {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        }
    }
}

fn is_write(level: AccessLevel) -> bool {
    !matches!(level, AccessLevel::List | AccessLevel::Read)
}

impl Witness for AccountTrail<'_> {
    fn has_seen(&self, info: &ActionInfo) -> bool {
        self.actions.contains(&info.action)
    }

    fn records_data(&self, info: &ActionInfo) -> Result<String, String> {
        let types = self.catalog.data_event_types(&info.action);
        let listed = if types.is_empty() { "of its service".to_owned() } else { types.join(", ") };
        let recorded = types.iter().find(|kind| self.data_types.contains(**kind));
        // Selectors choose reads and writes apart, so one kind says nothing about the other.
        let kind = (info.action.service().to_owned(), is_write(info.level));
        match recorded {
            Some(recorded) if self.data_kinds.contains(&kind) => Ok((*recorded).to_owned()),
            _ => Err(listed),
        }
    }

    fn records_management(&self, info: &ActionInfo) -> Result<(), String> {
        let service = info.action.service();
        if is_write(info.level) && !self.writes {
            return Err("the trail shows no write events in this account".to_owned());
        }
        if !is_write(info.level) && !self.reads {
            return Err("the trail shows no read events in this account".to_owned());
        }
        if let Some((_, sources)) = EXCLUDABLE.iter().find(|(name, _)| *name == service)
            && !sources.iter().any(|source| self.sources.contains(*source))
        {
            return Err(format!("the trail holds no event of {service}, which trails can exclude"));
        }
        let home = self.home_region();
        if GLOBAL.contains(&service) {
            return if self.regions.contains(home) && (self.asked.is_empty() || self.asked.contains(home)) {
                Ok(())
            } else {
                Err(format!("{service} is recorded in {home}, which was not read"))
            };
        }
        if !self.asked.is_empty() {
            let asked: Vec<&str> = self.asked.iter().map(String::as_str).collect();
            return Err(format!("only {} was read, and it can be called in any Region", asked.join(", ")));
        }
        Ok(())
    }
}
