//! What the trail of one account shows it records: the witness that decides whether absence means anything (S24, S25).

use std::collections::{BTreeMap, BTreeSet};

use crate::activity::action_map::{ActionMap, Certainty};
use crate::aws::{AccessLevel, AccountId, Action, ApiCall, Window};
use crate::cloudtrail::parameters::{Hints, partition_of_region};
use crate::cloudtrail::selectors::Kind;
use crate::evidence::Evidence;
use crate::evidence::coverage::Recorded;
use crate::policy::catalog::{ActionInfo, Catalog};
use crate::policy::comparison::Witness;

use super::beside::Beside;
use super::configured::{Configured, Place};

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

/// Calls that change what a trail records from then on; what it recorded before, nobody can tell.
const CHANGES: [&str; 2] = ["PutEventSelectors", "UpdateTrail"];

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
    /// What the trails are configured to record, if that is known.
    configured: Option<Configured<'a>>,
    /// Whether a trail's configuration was changed while it recorded.
    reconfigured: bool,
}

/// The trails of all accounts of the evidence.
#[must_use]
pub fn trails<'a>(
    evidence: &Evidence,
    map: ActionMap<'_>,
    catalog: &'a Catalog,
    asked: &'a BTreeSet<String>,
    beside: &'a Beside,
    window: Window,
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
    add_configuration(&mut trails, beside, window);
    trails
}

/// Adds what is configured, and whether that was changed in an account that owns one of the trails.
fn add_configuration<'a>(trails: &mut BTreeMap<AccountId, AccountTrail<'a>>, beside: &'a Beside, window: Window) {
    let Some(configuration) = &beside.configuration else { return };
    let changed: BTreeSet<AccountId> =
        trails.iter().filter(|(_, trail)| trail.reconfigured).map(|(account, _)| *account).collect();
    for (account, trail) in trails {
        trail.configured = Configured::of(configuration, *account, beside.bucket.as_deref(), window);
        let mut owners = trail.configured.iter().flat_map(Configured::owners);
        trail.reconfigured |= owners.any(|owner| changed.contains(&owner));
    }
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
            configured: None,
            reconfigured: false,
        }
    }

    fn note(&mut self, call: &ApiCall, recorded: Recorded, map: ActionMap<'_>) {
        self.reads |= recorded.contains(Recorded::READ);
        self.writes |= recorded.contains(Recorded::WRITE);
        self.reconfigured |= call.source.as_ref() == "cloudtrail" && CHANGES.contains(&call.name.as_ref());
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

    /// Whether all Regions were recorded, as far as is known, and read, so that no record of any can be missing by choice.
    #[must_use]
    pub fn is_read_everywhere(&self) -> bool {
        self.asked.is_empty() && self.configured.as_ref().is_none_or(Configured::is_everywhere)
    }

    /// Whether every session of a role would show: its hand-off is a read event of STS, in any Region (S28).
    ///
    /// # Errors
    /// Why not.
    pub fn shows_every_session(&self) -> Result<(), String> {
        if !self.reads {
            return Err("the trail shows no read events, and assuming a role is one".to_owned());
        }
        if !self.asked.is_empty() {
            return Err("only some Regions were read, and a role can be assumed in any".to_owned());
        }
        self.unchanged()?;
        self.configured
            .as_ref()
            .map_or(Ok(()), |configured| configured.management(Kind::Read, &["sts"], Place::Anywhere))
    }

    /// What the trails' configuration leaves out; `None` where it is not known.
    #[must_use]
    pub fn configured_lacks(&self) -> Option<BTreeSet<String>> {
        Some(self.configured.as_ref()?.lacks(self.home_region()))
    }

    /// Asks of both kinds of events, because access levels do not tell which kind the events of an action are: one kind
    /// is enough only for an action whose events the trail holds.
    fn of_either_kind(
        &self,
        info: &ActionInfo,
        ask: impl Fn(&Configured<'_>, Kind) -> Result<(), String>,
    ) -> Result<(), String> {
        let Some(configured) = &self.configured else { return Ok(()) };
        match (ask(configured, Kind::Read), ask(configured, Kind::Write)) {
            (Ok(()), Ok(())) => Ok(()),
            (Ok(()), _) | (_, Ok(())) if self.has_seen(info) => Ok(()),
            (Err(reason), _) | (_, Err(reason)) => Err(reason),
        }
    }

    fn unchanged(&self) -> Result<(), String> {
        if self.reconfigured {
            return Err("a trail's configuration was changed in the window, and what it recorded before is not known"
                .to_owned());
        }
        Ok(())
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
        let Some(recorded) = recorded.filter(|_| self.data_kinds.contains(&kind)) else { return Err(listed) };
        let whole = self.of_either_kind(info, |configured, kind| configured.data(kind, recorded));
        self.unchanged().and(whole).map_err(|reason| format!("{recorded}; {reason}"))?;
        Ok((*recorded).to_owned())
    }

    fn leaves_out(&self, resource_type: &str) -> bool {
        let whole = |configured: &Configured<'_>, kind| configured.data(kind, resource_type).is_ok();
        let kinds = [Kind::Read, Kind::Write];
        self.configured.as_ref().is_some_and(|configured| !kinds.into_iter().all(|kind| whole(configured, kind)))
    }

    fn records_management(&self, info: &ActionInfo) -> Result<(), String> {
        let service = info.action.service();
        if is_write(info.level) && !self.writes {
            return Err("the trail shows no write events in this account".to_owned());
        }
        if !is_write(info.level) && !self.reads {
            return Err("the trail shows no read events in this account".to_owned());
        }
        // Access levels do not tell which kind the events of an action are: AssumeRole is a write, its event a read.
        let whole = self.reads && self.writes;
        if !whole && !self.has_seen(info) {
            let lacking = if self.reads { Kind::Write } else { Kind::Read };
            return Err(format!(
                "the trail shows no {} events in this account, and this action's events may be such",
                lacking.word()
            ));
        }
        if let Some((_, sources)) = EXCLUDABLE.iter().find(|(name, _)| *name == service)
            && !sources.iter().any(|source| self.sources.contains(*source))
        {
            return Err(format!("the trail holds no event of {service}, which trails can exclude"));
        }
        self.unchanged()?;
        let home = self.home_region();
        // STS answers in every Region too, and is recorded where it answers.
        let home_only = GLOBAL.contains(&service) && service != "sts";
        let place = if home_only { Place::Home(home) } else { Place::Anywhere };
        let own = EXCLUDABLE.iter().find(|(name, _)| *name == service).map_or(&[][..], |(_, sources)| &sources[..]);
        self.of_either_kind(info, |configured, kind| configured.management(kind, own, place))?;
        if GLOBAL.contains(&service) {
            if !self.regions.contains(home) || !(self.asked.is_empty() || self.asked.contains(home)) {
                return Err(format!("{service} is recorded in {home}, which was not read"));
            }
            if home_only {
                return Ok(());
            }
        }
        if !self.asked.is_empty() {
            let asked: Vec<&str> = self.asked.iter().map(String::as_str).collect();
            return Err(format!("only {} was read, and it can be called in any Region", asked.join(", ")));
        }
        Ok(())
    }
}
