//! Puts the judgement together: coverage, parties, roles, findings, and the rows of the tables.

use std::collections::{BTreeMap, BTreeSet};

use crate::activity::action_map::ActionMap;
use crate::activity::opening::RoleKey;
use crate::activity::party::{Accounts, Party};
use crate::activity::party_user::PartyUsers;
use crate::activity::resolve::{Activity, Inputs};
use crate::aws::AccountId;
use crate::aws::window::{Time, Window};
use crate::cloudtrail::access_change::{ChangeKind, kind_of};
use crate::cloudtrail::outcome::Outcome;
use crate::cloudtrail::parameters::partition_of_region;
use crate::evidence::group::Shelf;
use crate::evidence::hands::{self, Hands};
use crate::evidence::{Evidence, Scope};
use crate::policy::catalog::Catalog;
use crate::policy::inventory::Inventory;
use crate::policy::narrow::Narrowing;

use super::access;
use super::assessment::{AskedReport, Assessment, SCHEMA, WindowReport};
use super::beside::Beside;
use super::call_log::{self, CallLog};
use super::coverage::{self, Holes, Reading};
use super::groups::Groups;
use super::keep::KeepRule;
use super::risk::{Administrators, fill_parties};
use super::rules;
use super::session_table::note_latest;
use super::suppress::Suppression;
use super::trail::{AccountTrail, trails};
use super::trust::{organizations_in_doubt, role_key, sole_outside};
use super::trust_steps::{TrustNarrowing, TrustWishes};
use super::users::users;

/// What an assessment is made from.
pub struct Inquiry<'a> {
    /// Whole evidence, apart from the actors on the shelf.
    pub evidence: &'a Evidence,
    /// Where the actors are that are not in the evidence: all of them, or none.
    pub shelf: &'a dyn Shelf,
    /// Who takes every single call.
    pub calls: &'a dyn CallLog,
    /// What reading it counted.
    pub reading: &'a Reading,
    /// The roles and policies; empty when none was given.
    pub inventory: &'a Inventory,
    /// Ours and theirs.
    pub accounts: Accounts<'a>,
    /// IAM users whose keys third parties hold.
    pub users: &'a PartyUsers,
    /// The known actions.
    pub catalog: &'a Catalog,
    /// The window.
    pub window: Window,
    /// The day from which idleness is counted.
    pub as_of: Time,
    /// Days from which a role is idle.
    pub idle_days: u32,
    /// Days from which a key is old.
    pub key_days: u32,
    /// Largest share of the window's days that may be holes.
    pub max_holes: f64,
    /// Keep rules, in the order of their file (S39).
    pub keep: &'a [KeepRule],
    /// Suppressions, in the order of their file (S39).
    pub suppressions: &'a [Suppression],
    /// Whether and how to limit resources (S35).
    pub narrowing: Option<Narrowing>,
    /// What is asked for about trust policies.
    pub trust: TrustWishes,
    /// What is known beside the trail and the inventory.
    pub beside: &'a Beside,
    /// What was kept of the records.
    pub scope: &'a Scope,
    /// Who does what can be done at once.
    pub hands: &'a dyn Hands,
}

/// An inquiry with what follows from it, shared by all roles.
pub struct Case<'a> {
    /// The roles and policies.
    pub inventory: &'a Inventory,
    /// Ours and theirs.
    pub accounts: Accounts<'a>,
    /// The known actions.
    pub catalog: &'a Catalog,
    /// API calls to actions.
    pub map: ActionMap<'a>,
    /// The window.
    pub window: Window,
    /// The day from which idleness is counted.
    pub as_of: Time,
    /// Days from which a role is idle.
    pub idle_days: u32,
    /// Largest share of holes.
    pub max_holes: f64,
    /// Keep rules.
    pub keep: &'a [KeepRule],
    /// Whether and how to limit resources.
    pub narrowing: Option<Narrowing>,
    /// Whether and how to narrow trust policies beyond what needs no asking.
    pub trust_narrowing: Option<TrustNarrowing>,
    /// What is known beside the trail and the inventory.
    pub beside: &'a Beside,
    /// Roles that services may take and that may do everything.
    pub administrators: Administrators,
    /// Roles whose trust policy was changed in the window, with the last change.
    pub trust_changed: BTreeMap<(AccountId, &'a str), Time>,
    /// What each account's trail records.
    pub trails: BTreeMap<AccountId, AccountTrail<'a>>,
    holes: Holes,
    partitions: BTreeMap<AccountId, &'static str>,
}

impl Case<'_> {
    /// Share of the window's days that cannot be judged.
    #[must_use]
    pub fn hole_share(&self, account: AccountId) -> f64 {
        coverage::hole_share(&self.holes, account, self.window)
    }

    /// Why nothing can be called unused in this account, if so (S26).
    #[must_use]
    pub fn uncovered(&self, account: AccountId) -> Option<String> {
        if !self.trails.contains_key(&account) {
            return Some("no record of this account was read".to_owned());
        }
        let share = self.hole_share(account);
        (share > self.max_holes).then(|| {
            let days: BTreeSet<&str> =
                self.holes.get(&account).into_iter().flatten().map(|hole| hole.day.as_str()).collect();
            let named: Vec<&str> = days.iter().copied().take(5).collect();
            let more = if days.len() > named.len() { ", ..." } else { "" };
            format!(
                "holes on {:.0} % of the window's days, more than the {:.0} % allowed ({}{more})",
                share * 100.0,
                self.max_holes * 100.0,
                named.join(", ")
            )
        })
    }

    /// The partition of an account's Regions.
    #[must_use]
    pub fn partition(&self, account: AccountId) -> &'static str {
        self.partitions.get(&account).copied().unwrap_or("aws")
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// The records show an outsider in roles or users that must be kept in full on another reading.
    ReadAgain(Reached),
    /// Evidence that was put away could not be had back.
    Lost(String),
}

/// Whose calls were not kept, although an outsider made them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Roles.
    pub roles: BTreeSet<RoleKey>,
    /// Users, by ARN.
    pub users: BTreeSet<String>,
}

impl Reached {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.users.is_empty()
    }
}

/// The whole answer.
///
/// # Errors
/// See [`NoAnswer`].
pub fn assess(inquiry: &Inquiry<'_>) -> Result<Assessment, NoAnswer> {
    let existing: BTreeSet<RoleKey> = inquiry.inventory.roles.values().map(role_key).collect();
    let sole: BTreeMap<RoleKey, Party> = inquiry
        .inventory
        .roles
        .values()
        .filter_map(|role| Some((role_key(role), sole_outside(role, inquiry.accounts)?)))
        .collect();
    let sole_outside = |role: &RoleKey| sole.get(role).cloned();
    let is_kept = |role: &RoleKey| !inquiry.scope.is_quiet(role.account, &role.name, &role.id);
    let inputs = || Inputs {
        map: ActionMap::new(inquiry.catalog),
        accounts: inquiry.accounts,
        existing: &existing,
        sole_outside: &sole_outside,
        users: inquiry.users,
        is_kept: &is_kept,
        window: Some(inquiry.window),
    };
    let (activity, case) = hands::both(inquiry.hands, || Activity::of(inquiry.evidence, inputs()), || case_of(inquiry));
    let mut share = Groups::of(inquiry, &activity, &case).share()?;
    for refusal in &activity.refusals {
        share.parties.add_refusal(refusal);
        call_log::refused(refusal, inquiry.calls).map_err(NoAnswer::Lost)?;
    }
    let mut parties = std::mem::take(&mut share.parties).reports(&share.roles, inquiry.users);
    let users = users(inquiry, &case);
    fill_parties(&mut parties, &share.roles, &users);
    let access_changes = access::changes(&share.roles, &activity, inquiry, &case);
    let coverage =
        coverage::report(inquiry.evidence, inquiry.reading, &case.holes, inquiry.window, share.unmapped_calls());
    let mut coverage = coverage.beside(inquiry.beside, &case.trails);
    coverage.not_judged.extend(organizations_in_doubt(inquiry.inventory, case.accounts));
    let mut assessment = Assessment {
        schema: SCHEMA.to_owned(),
        window: WindowReport { since: inquiry.window.since, until: inquiry.window.until },
        as_of: inquiry.as_of,
        idle_days: inquiry.idle_days,
        asked: asked(inquiry),
        coverage,
        parties,
        roles: std::mem::take(&mut share.roles),
        findings: Vec::new(),
        users,
        access_changes,
        sessions: std::mem::take(&mut share.sessions),
        usage: std::mem::take(&mut share.usage),
    };
    note_latest(&mut assessment);
    assessment.findings = rules::findings(&assessment, &share, inquiry, &case);
    Ok(assessment)
}

fn trust_changed<'a>(inquiry: &Inquiry<'a>) -> BTreeMap<(AccountId, &'a str), Time> {
    let mut changed = BTreeMap::new();
    for seen in inquiry.evidence.changes.values() {
        if kind_of(&seen.source, &seen.name) == Some(ChangeKind::Trust) && seen.outcome == Outcome::Allowed {
            let last = changed.entry((seen.recipient, &*seen.target)).or_insert(seen.time);
            *last = seen.time.max(*last);
        }
    }
    changed
}

fn asked(inquiry: &Inquiry<'_>) -> AskedReport {
    AskedReport {
        accounts: inquiry.scope.accounts.iter().copied().collect(),
        regions: inquiry.scope.regions.iter().cloned().collect(),
        max_holes: inquiry.max_holes,
        key_days: inquiry.key_days,
        vendors: inquiry.accounts.directory.listed().iter().count() as u64,
        keep_rules: inquiry.keep.len() as u64,
        suppressions: inquiry.suppressions.len() as u64,
        narrow_trust: inquiry.trust.narrowing.map(|how| how.word().to_owned()),
        show_external_ids: inquiry.trust.show_external_ids,
    }
}

fn case_of<'a>(inquiry: &Inquiry<'a>) -> Case<'a> {
    let map = ActionMap::new(inquiry.catalog);
    let mut partitions = BTreeMap::new();
    for (account, region) in inquiry.evidence.coverage.places.keys() {
        partitions.insert(*account, partition_of_region(inquiry.evidence.names.text(*region)));
    }
    Case {
        inventory: inquiry.inventory,
        accounts: inquiry.accounts,
        catalog: inquiry.catalog,
        map,
        window: inquiry.window,
        as_of: inquiry.as_of,
        idle_days: inquiry.idle_days,
        max_holes: inquiry.max_holes,
        keep: inquiry.keep,
        narrowing: inquiry.narrowing,
        trust_narrowing: inquiry.trust.narrowing,
        beside: inquiry.beside,
        administrators: Administrators::default(),
        trust_changed: trust_changed(inquiry),
        trails: trails(inquiry.evidence, map, inquiry.catalog, &inquiry.scope.regions, inquiry.beside, inquiry.window),
        holes: coverage::holes(inquiry.evidence, inquiry.reading, inquiry.window),
        partitions,
    }
}
