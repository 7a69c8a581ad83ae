//! The groups of actors, each brought, joined to its sessions, judged and let go.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use crate::activity::calls::Callers;
use crate::activity::party::Accounts;
use crate::activity::resolve::{Activity, Actors};
use crate::aws::AccountId;
use crate::evidence::Evidence;
use crate::evidence::group::Group;
use crate::evidence::hands;
use crate::evidence::names::Names;
use crate::policy::inventory::Role;

use super::assess::{Case, Inquiry, NoAnswer, Reached};
use super::call_log;
use super::share::{Existing, Known, RoleArns, Share};
use super::trust::{entries, role_key};

/// All groups.
pub(super) struct Groups<'a> {
    inquiry: &'a Inquiry<'a>,
    activity: &'a Activity<'a>,
    case: &'a Case<'a>,
    all: BTreeMap<Group, Sources<'a>>,
}

/// What one group is made of.
#[derive(Default)]
struct Sources<'a> {
    /// Its actors in the evidence.
    actors: Actors<'a>,
    /// The groups of the shelf that belong to it.
    shelved: Vec<Group>,
    /// Those whose single calls are there.
    with_calls: Vec<Group>,
    /// The roles of the inventory.
    existing: Existing<'a>,
}

impl<'a> Groups<'a> {
    /// Gathers what each group is made of.
    pub(super) fn of(inquiry: &'a Inquiry<'a>, activity: &'a Activity<'a>, case: &'a Case<'a>) -> Self {
        let mut all: BTreeMap<Group, Sources<'a>> = BTreeMap::new();
        for group in activity.opened() {
            all.entry(group.clone()).or_default();
        }
        for (group, actors) in at_hand(inquiry.evidence) {
            all.entry(activity.judged(group)).or_default().actors.extend(actors);
        }
        for group in inquiry.shelf.groups() {
            all.entry(activity.judged(group.clone())).or_default().shelved.push(group);
        }
        for group in inquiry.shelf.groups_with_calls() {
            all.entry(activity.judged(group.clone())).or_default().with_calls.push(group);
        }
        let mut existing: BTreeMap<Group, Existing<'a>> = BTreeMap::new();
        for role in inquiry.inventory.roles.values() {
            let (key, trusts_outsiders) = (role_key(role), trusts_third_party(role, inquiry.accounts));
            if trusts_outsiders {
                all.entry(key.group()).or_default();
            }
            existing.entry(key.group()).or_default().insert(key, Known { role, trusts_outsiders });
        }
        for (group, sources) in &mut all {
            sources.existing = existing.remove(group).unwrap_or_default();
        }
        Self { inquiry, activity, case, all }
    }

    /// Judges every group; what all of them share comes out in the order of groups, its roles by ARN.
    ///
    /// # Errors
    /// See [`NoAnswer`].
    pub(super) fn share(&self) -> Result<Share, NoAnswer> {
        let mut reached = Reached { roles: self.activity.reached(), users: self.unkept_users() };
        if !reached.is_empty() {
            return Err(NoAnswer::ReadAgain(reached));
        }
        // The largest first, so that none is left over for one hand at the end.
        let mut order: Vec<(&Group, &Sources<'_>)> = self.all.iter().collect();
        order.sort_by_cached_key(|(group, sources)| (std::cmp::Reverse(self.weight(group, sources)), *group));
        let shares = hands::map(self.inquiry.hands, &order, |(group, sources)| self.judge(group, sources));
        let mut in_order: BTreeMap<&Group, Share> = BTreeMap::new();
        for ((group, _), share) in order.into_iter().zip(shares) {
            match share {
                Ok(share) => drop(in_order.insert(group, share)),
                Err(NoAnswer::ReadAgain(more)) => reached.roles.extend(more.roles),
                Err(lost) => return Err(lost),
            }
        }
        if !reached.is_empty() {
            return Err(NoAnswer::ReadAgain(reached));
        }
        let mut whole = Share::default();
        in_order.into_values().for_each(|share| whole.merge(share));
        whole.roles.sort_by(|a, b| (&a.arn, &a.role_id).cmp(&(&b.arn, &b.role_id)));
        Ok(whole)
    }

    /// Users that are a party and whose calls were not kept.
    fn unkept_users(&self) -> BTreeSet<String> {
        let (users, scope) = (self.inquiry.users, self.inquiry.scope);
        let unkept = |user: &&str| users.get(user).is_some() && !scope.is_party_user(user);
        self.inquiry.evidence.users().filter(unkept).map(str::to_owned).collect()
    }

    /// How much there is to do, roughly.
    fn weight(&self, group: &Group, sources: &Sources<'_>) -> usize {
        sources.actors.len()
            + sources.shelved.iter().map(|one| self.inquiry.shelf.weight(one)).sum::<usize>()
            + self.activity.openings_of(group)
    }

    fn judge(&self, group: &Group, sources: &Sources<'_>) -> Result<Share, NoAnswer> {
        if sources.shelved.is_empty() {
            return self.judge_actors(group, &self.inquiry.evidence.names, &sources.actors, sources);
        }
        let mut brought = Evidence::default();
        for shelved in &sources.shelved {
            self.inquiry.shelf.bring(shelved, &mut brought).map_err(NoAnswer::Lost)?;
        }
        brought.settle();
        let actors: Actors<'_> = brought.actors.iter().collect();
        self.judge_actors(group, &brought.names, &actors, sources)
    }

    fn judge_actors(
        &self,
        group: &Group,
        names: &Names,
        actors: &Actors<'_>,
        sources: &Sources<'_>,
    ) -> Result<Share, NoAnswer> {
        let roles = self.activity.reached_by_delegates(names, actors);
        if !roles.is_empty() {
            return Err(NoAnswer::ReadAgain(Reached { roles, ..Reached::default() }));
        }
        let sessions = self.activity.sessions(group, names, actors);
        let arns = RoleArns::of(&sessions, &sources.existing, self.case);
        let callers = Callers::of(self.activity, group, &sessions);
        self.hand_out_calls(&callers, &arns, &sources.with_calls).map_err(NoAnswer::Lost)?;
        Ok(Share::of(&sessions, &arns, &sources.existing, self.activity, self.case))
    }

    fn hand_out_calls(&self, callers: &Callers<'_>, arns: &RoleArns<'_>, groups: &[Group]) -> Result<(), String> {
        let Inquiry { calls, shelf, .. } = self.inquiry;
        let arn = |session| arns.of_session(session).unwrap_or_default();
        let role_arns: Vec<&str> = callers.sessions().iter().map(arn).collect();
        call_log::opened(callers, &role_arns, *calls)?;
        groups
            .iter()
            .try_for_each(|group| shelf.calls(group, &mut |piece| call_log::piece(callers, &role_arns, piece, *calls)))
    }
}

/// The actors in the evidence itself, by group.
fn at_hand(evidence: &Evidence) -> impl Iterator<Item = (Group, Actors<'_>)> {
    let mut groups: HashMap<_, Actors<'_>> = HashMap::new();
    for (actor, acts) in &evidence.actors {
        // By the name's number, because there are far more actors than roles.
        groups.entry(actor.group()).or_default().push((actor, acts));
    }
    let group = |(account, role): (AccountId, _)| Group { account, role: Box::from(evidence.names.text(role)) };
    groups.into_iter().map(move |(role, actors)| (group(role), actors))
}

/// Whether a trust policy admits an outsider that is a third party and not AWS itself (S17).
fn trusts_third_party(role: &Role, accounts: Accounts<'_>) -> bool {
    let third_party = || role.trust.parsed.is_err() || entries(role, accounts).iter().any(|entry| entry.outside);
    !role.is_service_linked() && third_party()
}
