//! Calls by day, for the pages that people read: of each role by action, of each party in all.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use hashbrown::HashMap;

use super::assessment::{ActionDays, Assessment, DayCalls};
use super::call_log::{Api, Caller};

type Days = BTreeMap<NaiveDate, DayCalls>;
type ByAction = BTreeMap<Box<str>, Days>;

/// See the module; in the making.
#[derive(Debug, Default)]
pub struct Daily {
    /// By ARN and id.
    roles: HashMap<(Box<str>, Box<str>), ByAction>,
    parties: HashMap<Box<str>, Days>,
}

impl Daily {
    /// Counts calls of one day. Hand-offs are sessions and no calls.
    pub fn add(&mut self, caller: &Caller, api: &Api, made: DayCalls) {
        if api.is_hand_off {
            return;
        }
        add(self.parties.entry(caller.party_id.clone()).or_default(), made);
        if caller.role_arn.is_empty() {
            return;
        }
        let role = (caller.role_arn.clone(), caller.role_id.clone());
        let actions = self.roles.entry(role).or_default();
        for (at, action) in api.actions.iter().enumerate() {
            // A refused call proves the wish for the action that it is named after, not for the others it may need.
            let proven =
                if at < api.primary { made } else { DayCalls { calls: made.calls - made.denied, denied: 0, ..made } };
            if proven.calls > 0 {
                add(actions.entry(action.clone()).or_default(), proven);
            }
        }
    }

    /// Puts the sums where they belong.
    pub fn fill(mut self, assessment: &mut Assessment) {
        for party in &mut assessment.parties {
            party.days = self.parties.remove(party.id.as_str()).map(listed).unwrap_or_default();
        }
        for role in &mut assessment.roles {
            let arn: Box<str> = Box::from(role.arn.as_str());
            let of_id = self.roles.remove(&(arn.clone(), Box::from(role.role_id.as_str())));
            // Calls whose record tells no role id count for the role that has the name now.
            let of_none = if role.in_inventory { self.roles.remove(&(arn, Box::default())) } else { None };
            let mut actions = of_id.unwrap_or_default();
            for (action, days) in of_none.into_iter().flatten() {
                let known = actions.entry(action).or_default();
                days.into_values().for_each(|day| add(known, day));
            }
            role.daily = actions
                .into_iter()
                .map(|(action, days)| ActionDays { action: action.into_string(), days: listed(days) })
                .collect();
        }
    }
}

fn add(days: &mut Days, more: DayCalls) {
    let known = days.entry(more.day).or_insert(DayCalls { calls: 0, denied: 0, ..more });
    known.calls += more.calls;
    known.denied += more.denied;
}

fn listed(days: Days) -> Vec<DayCalls> {
    days.into_values().collect()
}
