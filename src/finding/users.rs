//! Users and their keys put together: what IAM tells of each key, and what the records do.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::activity::party_user::{ROOT, account_and_name};
use crate::aws::AccountId;
use crate::aws::window::Time;
use crate::evidence::user_key::KeyUse;
use crate::policy::reachable::assumable;
use crate::policy::users::{AccessKey, User};

use super::assess::{Case, Inquiry};
use super::assessment::{KeyReport, NewNetwork, UserReport};
use super::parties::NETWORKS_SHOWN;
use super::proposal::Granted;
use super::risk::user_risk;

/// How long a key is watched before a network counts as new: a month sees what comes monthly.
pub const LEARNING_DAYS: i64 = 30;
/// Roles listed that a user may assume; all are counted.
pub const ASSUMABLE_ROLES: usize = 50;

/// All users that IAM's files tell of, that hold keys which were used, or that are a party's, by account and name.
#[must_use]
pub fn users(inquiry: &Inquiry<'_>, case: &Case<'_>) -> Vec<UserReport> {
    let mut drafts: BTreeMap<(AccountId, String), Draft<'_>> = BTreeMap::new();
    for (name, user) in &inquiry.beside.users.users {
        drafts.entry(name.clone()).or_default().told = Some(user);
    }
    for (arn, _) in inquiry.users.iter() {
        let Some((account, name)) = account_and_name(arn) else { continue };
        drafts.entry((account, name.to_owned())).or_default().arn = Some(arn);
    }
    let names = &inquiry.evidence.names;
    for (key, used) in &inquiry.evidence.keys {
        let (arn, id) = (names.text(key.user), names.text(key.key));
        let Some((account, name)) = account_and_name(arn) else { continue };
        let place = (account, name.to_owned());
        // Who signs in at the console is no key's matter.
        if id.is_empty() && !drafts.contains_key(&place) {
            continue;
        }
        drafts.entry(place).or_default().note(arn, id, used);
    }
    let mut users: Vec<UserReport> =
        drafts.into_iter().map(|((account, name), draft)| draft.report(account, name, inquiry)).collect();
    users.iter_mut().filter(|user| user.party.is_some()).for_each(|user| judge(user, case));
    users
}

/// What a third party's user may do, by the inventory.
fn judge(user: &mut UserReport, case: &Case<'_>) {
    let inventory = case.inventory;
    let Some(held) = inventory.users.get(&user.arn) else { return };
    let granted = Granted::of_user(inventory, held, case.catalog);
    let risk = user_risk(held, &granted, case);
    let caller = (user.arn.as_str(), held.account);
    let roles = assumable(inventory, caller, &granted.named, &granted.boundaries, risk.doubt.is_some());
    user.can_assume_total = roles.len() as u64;
    user.can_assume = roles.into_iter().take(ASSUMABLE_ROLES).map(|role| role.arn.clone()).collect();
    user.granted = granted.expanded.grants.len() as u64;
    user.blast_radius = Some(risk.blast_radius());
    user.risk = Some(risk);
}

/// What is known of one user.
#[derive(Default)]
struct Draft<'a> {
    arn: Option<&'a str>,
    told: Option<&'a User>,
    /// By the key's id, which is empty for all that needs no long-term key.
    used: BTreeMap<&'a str, KeyUse>,
    /// When the user was last seen under the ARN, which changes with its path.
    seen: Option<Time>,
}

impl<'a> Draft<'a> {
    /// Adds a use of a key. Names are unique in an account, so a user with another path is the same; the ARN is that of
    /// the inventory, or else the latest.
    fn note(&mut self, arn: &'a str, id: &'a str, used: &KeyUse) {
        let latest = (Some(used.active.last), Some(arn)) > (self.seen, self.arn);
        if latest && (self.seen.is_some() || self.arn.is_none()) {
            (self.seen, self.arn) = (Some(used.active.last), Some(arn));
        }
        match self.used.get_mut(id) {
            Some(known) => known.merge(used),
            None => drop(self.used.insert(id, used.clone())),
        }
    }

    fn report(self, account_id: AccountId, name: String, inquiry: &Inquiry<'_>) -> UserReport {
        let arn = self.arn.map_or_else(|| arn_of(account_id, &name, inquiry), str::to_owned);
        let party = inquiry.users.get(&arn);
        let seen = self.used.values().map(|used| used.active.last).max();
        let keys = self.keys(inquiry);
        let told = self.told.filter(|user| user.is_told);
        let active = |user: &User| {
            let active = u32::try_from(user.keys.iter().filter(|key| key.is_active).count()).unwrap_or(0);
            user.active_keys.max(active)
        };
        UserReport {
            account_id,
            name,
            arn,
            party: party.map(|user| user.party.name.clone()),
            known_by: party.map(|user| user.known_by.word().to_owned()),
            last_used: self.told.and_then(|user| user.last_used).max(seen),
            active_keys: told.map(active),
            keys,
            risk: None,
            blast_radius: None,
            granted: 0,
            can_assume: Vec::new(),
            can_assume_total: 0,
        }
    }

    /// The keys that IAM tells of with what the records show of them, then those that only records show.
    fn keys(&self, inquiry: &Inquiry<'_>) -> Vec<KeyReport> {
        let mut used = self.used.clone();
        used.remove("");
        let mut keys = Vec::new();
        for key in self.told.into_iter().flat_map(User::all_keys) {
            let id = used.keys().copied().find(|id| !key.ending.is_empty() && id.ends_with(&key.ending));
            let seen = id.and_then(|id| used.remove(id));
            keys.push(report(Some(key), &key.ending, seen.as_ref(), inquiry));
        }
        // A credential report names no key; where it has one and the records show one, they are the same, unless the one
        // in use was there before the other was made.
        let first = used.values().next().map(|used| used.active.first);
        if let ([only], true) = (keys.as_mut_slice(), used.len() == 1)
            && only.ending.is_empty()
            && only.created_at.is_none_or(|created| first.is_some_and(|first| created <= first))
            && let (Some(key), Some((id, seen))) = (self.told.and_then(|user| user.all_keys().next()), used.pop_first())
        {
            *only = report(Some(key), ending(id), Some(&seen), inquiry);
        }
        keys.extend(used.into_iter().map(|(id, seen)| report(None, ending(id), Some(&seen), inquiry)));
        keys
    }
}

/// The last four characters of a key's id.
fn ending(id: &str) -> &str {
    id.char_indices().rev().nth(3).and_then(|(at, _)| id.get(at..)).unwrap_or(id)
}

fn report(key: Option<&AccessKey>, ending: &str, used: Option<&KeyUse>, inquiry: &Inquiry<'_>) -> KeyReport {
    let created = key.and_then(|key| key.created);
    let networks = used.map(|used| &used.networks);
    KeyReport {
        ending: ending.to_owned(),
        active: key.map(|key| key.is_active),
        created_at: created,
        age_days: created.map(|created| (inquiry.as_of - created).num_days()),
        last_used: key.and_then(|key| key.last_used).max(used.map(|used| used.active.last)),
        first_seen: used.map(|used| used.active.first),
        last_seen: used.map(|used| used.active.last),
        networks: networks
            .into_iter()
            .flat_map(|networks| networks.keys().take(NETWORKS_SHOWN))
            .map(ToString::to_string)
            .collect(),
        networks_counted: networks.map_or(0, |networks| networks.len() as u64),
        new_networks: used.map(new_networks).unwrap_or_default(),
    }
}

/// The networks that a key was used from only after it had been in use for [`LEARNING_DAYS`], the earliest first. None
/// where so many networks were seen that some are not known.
fn new_networks(used: &KeyUse) -> Vec<NewNetwork> {
    let learned = used.active.first + TimeDelta::days(LEARNING_DAYS);
    let late = used.networks.iter().filter(|(_, span)| !used.more_networks && span.first >= learned);
    let mut late: Vec<NewNetwork> =
        late.map(|(network, span)| NewNetwork { network: network.to_string(), first_seen: span.first }).collect();
    late.sort_by(|a, b| (a.first_seen, &a.network).cmp(&(b.first_seen, &b.network)));
    late
}

/// The ARN of a user that only a credential report or a list of keys names, whose path is not known then.
fn arn_of(account: AccountId, name: &str, inquiry: &Inquiry<'_>) -> String {
    let known = inquiry.inventory.users.values().find(|user| user.account == account && user.name == name);
    match known {
        Some(user) => user.arn.clone(),
        None if name == ROOT => format!("arn:aws:iam::{account}:root"),
        None => format!("arn:aws:iam::{account}:user/{name}"),
    }
}

/// Whether a time lies at least so many whole days back.
#[must_use]
pub fn is_days_ago(time: Time, days: u32, as_of: Time) -> bool {
    as_of - time >= TimeDelta::days(i64::from(days))
}
