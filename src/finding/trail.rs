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
/// a single endpoint there. STS has endpoints in every Region, so it is none of them. Source: AWS CloudTrail User Guide,
/// "About global service events"; AWS General Reference.
const GLOBAL: [&str; 11] = [
    "iam",
    "cloudfront",
    "route53",
    "route53domains",
    "organizations",
    "account",
    "budgets",
    "ce",
    "cur",
    "shield",
    "waf",
];

/// Services whose management events a trail can exclude (S24).
const EXCLUDABLE: [(&str, [&str; 2]); 2] = [("kms", ["kms", "kms"]), ("rds-data", ["rdsdata", "rdsdataapi"])];

/// Calls that change what a trail records from then on; what it recorded before, nobody can tell.
const CHANGES: [&str; 4] = ["CreateTrail", "DeleteTrail", "PutEventSelectors", "UpdateTrail"];

/// One account's trail.
#[derive(Debug)]
pub struct AccountTrail<'a> {
    catalog: &'a Catalog,
    /// Regions in which records or objects were found.
    regions: BTreeSet<String>,
    /// The Regions that were asked for, if not all.
    asked: BTreeSet<String>,
    /// In which kinds management events were recorded: of all, by event source, and by action.
    kinds: Recorded,
    sources: BTreeMap<String, Recorded>,
    actions: BTreeMap<Action, Recorded>,
    /// Actions that a data event showed.
    data_actions: BTreeSet<Action>,
    data_types: BTreeSet<String>,
    data_kinds: BTreeSet<(String, bool)>,
    /// Data event types that are recorded for every resource, on the user's word.
    vouched: &'a BTreeSet<String>,
    /// What the trails are configured to record, if that is known.
    configured: Option<Configured<'a>>,
    /// Whether a trail's configuration was changed while it recorded.
    reconfigured: bool,
    /// Whether records were read of every account that owns one of the trails, so that a change would have shown.
    shows_changes: bool,
}

/// The trails of all accounts of the evidence.
#[must_use]
pub fn trails<'a>(
    evidence: &Evidence,
    map: ActionMap<'_>,
    catalog: &'a Catalog,
    asked: &BTreeSet<String>,
    beside: &'a Beside,
    window: Window,
) -> BTreeMap<AccountId, AccountTrail<'a>> {
    let asked = asked_of(asked, &beside.regions);
    let mut trails = BTreeMap::new();
    for (account, region) in evidence.coverage.places.keys() {
        let trail = trails.entry(*account).or_insert_with(|| AccountTrail::new(catalog, &asked, beside));
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
    for account in began_within(evidence) {
        if let Some(trail) = trails.get_mut(&account) {
            trail.reconfigured = true;
        }
    }
    add_configuration(&mut trails, beside, window);
    trails
}

/// A source that is the folder of one Region holds that Region, whatever was asked for.
fn asked_of(asked: &BTreeSet<String>, held: &BTreeSet<String>) -> BTreeSet<String> {
    let both: BTreeSet<String> = asked.intersection(held).cloned().collect();
    // No Region stands for all of them, so two that have none in common are not nothing.
    if !both.is_empty() {
        return both;
    }
    if held.is_empty() { asked.clone() } else { held.clone() }
}

/// Accounts of which a trail began to record, though nobody had stopped it: another recorded before, and nobody knows what.
fn began_within(evidence: &Evidence) -> BTreeSet<AccountId> {
    let mut stopped: BTreeSet<(AccountId, &str)> = BTreeSet::new();
    let mut began = BTreeSet::new();
    // In the order of time.
    for (account, change) in &evidence.coverage.logging {
        let trail = (*account, change.trail.rsplit('/').next().unwrap_or_default());
        if !change.starts {
            stopped.insert(trail);
        } else if !stopped.remove(&trail) {
            began.insert(*account);
        }
    }
    began
}

/// Adds what is configured, and whether that was changed in an account that owns one of the trails.
fn add_configuration<'a>(trails: &mut BTreeMap<AccountId, AccountTrail<'a>>, beside: &'a Beside, window: Window) {
    let Some(configuration) = &beside.configuration else { return };
    let changed: BTreeSet<AccountId> =
        trails.iter().filter(|(_, trail)| trail.reconfigured).map(|(account, _)| *account).collect();
    let read: BTreeSet<AccountId> = trails.keys().copied().collect();
    for (account, trail) in trails {
        trail.configured = Configured::of(configuration, *account, beside, window);
        trail.shows_changes = trail.configured.iter().flat_map(Configured::owners).all(|owner| read.contains(&owner));
        let mut owners = trail.configured.iter().flat_map(Configured::owners);
        trail.reconfigured |= owners.any(|owner| changed.contains(&owner));
    }
}

impl<'a> AccountTrail<'a> {
    fn new(catalog: &'a Catalog, asked: &BTreeSet<String>, beside: &'a Beside) -> Self {
        Self {
            catalog,
            regions: BTreeSet::new(),
            asked: asked.clone(),
            kinds: Recorded::default(),
            sources: BTreeMap::new(),
            actions: BTreeMap::new(),
            data_actions: BTreeSet::new(),
            data_types: BTreeSet::new(),
            data_kinds: BTreeSet::new(),
            vouched: &beside.complete_data_events,
            configured: None,
            reconfigured: false,
            shows_changes: false,
        }
    }

    fn note(&mut self, call: &ApiCall, recorded: Recorded, map: ActionMap<'_>) {
        let (data, management) = (recorded.contains(Recorded::DATA), recorded.management());
        self.reconfigured |= call.source.as_ref() == "cloudtrail" && CHANGES.contains(&call.name.as_ref());
        self.kinds.add(management);
        self.sources.entry(call.source.to_string()).or_default().add(management);
        for mapped in map.map(call, "AwsApiCall", Hints::none()).actions {
            if mapped.certainty != Certainty::Primary {
                continue;
            }
            if data {
                if let Some(info) = self.catalog.get(&mapped.action) {
                    self.data_kinds.insert((info.action.service().to_owned(), is_write(info.level)));
                }
                self.data_actions.insert(mapped.action.clone());
            }
            if management != Recorded::default() {
                self.actions.entry(mapped.action).or_default().add(management);
            }
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
        if !self.kinds.contains(Recorded::READ) {
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

    /// Whether an account's configuration is known.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.configured.is_some()
    }

    /// The kinds of events that an action is recorded as: those in which the trail holds it, and both as long as that is
    /// not known, because access levels do not tell. `AssumeRole` is a write, its event a read.
    fn kinds_of(&self, info: &ActionInfo) -> &'static [Kind] {
        match self.actions.get(&info.action) {
            Some(&Recorded::READ) => &[Kind::Read],
            Some(&Recorded::WRITE) => &[Kind::Write],
            _ => &BOTH,
        }
    }

    fn shows(&self, kind: Kind) -> bool {
        self.kinds.contains(flag(kind))
    }

    /// Whether the events of a service that trails can exclude are in this one, of the kinds that the action's may be.
    fn holds_excludable(&self, info: &ActionInfo, sources: &[&str]) -> bool {
        let holds = |kind: Kind| {
            let held = |source: &&str| self.sources.get(*source).is_some_and(|held| held.contains(flag(kind)));
            sources.iter().any(held)
        };
        self.has_seen(info) || BOTH.into_iter().all(holds)
    }

    /// Whether every resource of a data event type is recorded: on the user's word, or by the trails' configuration.
    fn records_every(&self, resource_type: &str) -> Result<(), String> {
        if self.vouched.contains(resource_type) {
            return match self.leaves_out(resource_type) {
                false => Ok(()),
                true => Err(format!("the trail's configuration leaves out some of {resource_type}")),
            };
        }
        let by = "only --trail-config or --complete-data-events tells";
        let configured = self.configured.as_ref().filter(|configured| configured.is_of_account());
        let Some(configured) = configured.filter(|_| self.shows_changes) else {
            return Err(format!("{by} that every {resource_type} is recorded"));
        };
        BOTH.into_iter().try_for_each(|kind| configured.data(kind, resource_type))
    }

    fn leaves_out(&self, resource_type: &str) -> bool {
        let whole =
            |configured: &Configured<'_>| BOTH.into_iter().all(|kind| configured.data(kind, resource_type).is_ok());
        self.configured.as_ref().is_some_and(|configured| !whole(configured))
    }

    /// Whether nothing was left out by choice of Regions.
    fn is_of_all_regions(&self) -> Result<(), String> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let asked: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        Err(format!("only {} was read, and it can be called in any Region", asked.join(", ")))
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

const BOTH: [Kind; 2] = [Kind::Read, Kind::Write];

fn flag(kind: Kind) -> Recorded {
    match kind {
        Kind::Read => Recorded::READ,
        Kind::Write => Recorded::WRITE,
    }
}

fn is_write(level: AccessLevel) -> bool {
    !matches!(level, AccessLevel::List | AccessLevel::Read)
}

impl Witness for AccountTrail<'_> {
    fn has_seen(&self, info: &ActionInfo) -> bool {
        self.actions.contains_key(&info.action)
    }

    /// Records show that a type is recorded for some resource, never that it is for every one.
    fn records_data(&self, info: &ActionInfo) -> Result<String, String> {
        let types = self.catalog.data_event_types(&info.action);
        let listed = if types.is_empty() { "of its service".to_owned() } else { types.join(", ") };
        let unknown = |reason: String| format!("({listed}) that this trail may not record whole: {reason}");
        // Selectors choose reads and writes apart, so one kind says nothing about the other.
        let kind = (info.action.service().to_owned(), is_write(info.level));
        if !types.iter().any(|kind| self.data_types.contains(*kind)) || !self.data_kinds.contains(&kind) {
            return Err(format!("({listed}) that this trail does not show to be recorded"));
        }
        self.unchanged().and_then(|()| self.is_of_all_regions()).map_err(unknown)?;
        types.iter().try_for_each(|kind| self.records_every(kind)).map_err(unknown)?;
        Ok(listed)
    }

    fn is_vouched(&self, resource_type: &str) -> bool {
        self.vouched.contains(resource_type) && !self.leaves_out(resource_type)
    }

    fn records_management(&self, info: &ActionInfo) -> Result<(), String> {
        if self.data_actions.contains(&info.action) {
            return Err("the trail shows it as a data event, and of which resources is not known".to_owned());
        }
        let service = info.action.service();
        let own = if is_write(info.level) { Kind::Write } else { Kind::Read };
        if !self.shows(own) {
            return Err(format!("the trail shows no {} events in this account", own.word()));
        }
        if let Some(lacking) = self.kinds_of(info).iter().find(|kind| !self.shows(**kind)) {
            return Err(format!(
                "the trail shows no {} events in this account, and this action's events may be such",
                lacking.word()
            ));
        }
        let sources = EXCLUDABLE.iter().find(|(name, _)| *name == service).map_or(&[][..], |(_, sources)| &sources[..]);
        if !sources.is_empty() && !self.holds_excludable(info, sources) {
            return Err(format!("the trail does not hold both kinds of events of {service}, which trails can exclude"));
        }
        self.unchanged()?;
        let home = self.home_region();
        // Outside of the partition `aws` AWS's list names IAM alone for this Region.
        let home_only = GLOBAL.contains(&service) && (home == "us-east-1" || service == "iam");
        let place = if home_only { Place::Home(home) } else { Place::Anywhere };
        if let Some(configured) = &self.configured {
            self.kinds_of(info).iter().try_for_each(|kind| configured.management(*kind, sources, place))?;
        }
        if !home_only {
            return self.is_of_all_regions();
        }
        if !self.regions.contains(home) || !(self.asked.is_empty() || self.asked.contains(home)) {
            return Err(format!("{service} is recorded in {home}, which was not read"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "trail_tests.rs"]
mod tests;
