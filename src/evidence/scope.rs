//! What of a trail is kept in full: the window, the accounts and Regions asked for, and the roles that matter.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use hashbrown::{Equivalent, HashSet};

use crate::aws::window::Time;
use crate::aws::{AccountId, Window};

use super::limits;
use super::names_of_parties::PartyNames;

/// A role of the inventory, as records name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoleRef {
    /// The account that owns it.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its id, `AROA...`.
    pub id: String,
}

#[derive(Hash)]
struct BorrowedRef<'a> {
    account: AccountId,
    name: &'a str,
    id: &'a str,
}

impl Equivalent<RoleRef> for BorrowedRef<'_> {
    fn equivalent(&self, role: &RoleRef) -> bool {
        self.account == role.account && self.name == role.name && self.id == role.id
    }
}

/// What `observe` keeps; the default keeps everything.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Only events in it, and the hand-offs shortly before (S3); `None` for all.
    pub window: Option<Window>,
    /// Only these recipient accounts; empty for all.
    pub accounts: BTreeSet<AccountId>,
    /// Only these Regions; empty for all.
    pub regions: BTreeSet<String>,
    /// Roles that no outsider can reach, by today's trust: only their last activity is kept. Should a hand-off show
    /// that an outsider reached one all the same, the caller removes it here and reads again.
    pub quiet_roles: HashSet<RoleRef>,
    /// IAM users by ARN whose calls are kept: a third party holds their keys (S16). Of all others only the use of their
    /// keys is kept. Should the records show another such user, the caller adds it here and reads again.
    pub party_users: HashSet<String>,
    /// Names of third parties: users whose names hold one are kept, too.
    pub party_names: PartyNames,
}

impl Scope {
    /// Whether an event of that time is asked for.
    #[must_use]
    pub fn admits_time(&self, time: Time) -> bool {
        self.window.is_none_or(|window| window.contains(time))
    }

    /// Whether a hand-off of that time may have opened a session seen in the window.
    #[must_use]
    pub fn admits_hand_off(&self, time: Time) -> bool {
        let early = TimeDelta::hours(limits::SESSION_HOURS);
        self.window
            .is_none_or(|window| window.since <= time.checked_add_signed(early).unwrap_or(time) && time < window.until)
    }

    /// Whether records of that account and Region are asked for.
    #[must_use]
    pub fn admits_place(&self, account: AccountId, region: &str) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(&account))
            && (self.regions.is_empty() || self.regions.contains(region))
    }

    /// Whether the calls of the user with that ARN are kept.
    #[must_use]
    pub fn is_party_user(&self, arn: &str) -> bool {
        let name = || arn.rsplit('/').next().unwrap_or_default();
        self.party_users.contains(arn) || self.party_names.within(name()).is_some()
    }

    /// Whether only the last activity of that role is kept.
    #[must_use]
    pub fn is_quiet(&self, account: AccountId, name: &str, id: &str) -> bool {
        !self.quiet_roles.is_empty() && self.quiet_roles.contains(&BorrowedRef { account, name, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;

    /// S3: a window selects by event time, hand-offs from twelve hours before.
    #[test]
    fn hand_offs_reach_back_half_a_day() {
        let time = |text: &str| parse_time(text).unwrap();
        let scope = Scope { window: Window::new(time("2026-05-02"), time("2026-05-03")), ..Scope::default() };
        assert!(!scope.admits_time(time("2026-05-01T23:59:59Z")));
        assert!(scope.admits_hand_off(time("2026-05-01T12:00:00Z")));
        assert!(!scope.admits_hand_off(time("2026-05-01T11:59:59Z")));
        assert!(!scope.admits_hand_off(time("2026-05-03T00:00:00Z")));
    }
}
