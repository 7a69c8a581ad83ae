//! Keys and changes of access, as the index and the pages of accounts tell them.

use crate::finding::assessment::{AccessChange, KeyReport, UserReport};

use super::lists::{Room, Weighed};
use super::site::Site;
use super::words::{Few, Long, day, day_or, minute};

/// Keys, and changes of access, on the index.
pub(super) const SOME: Room = Room { rows: 200, bytes: 100_000 };
/// Bytes of a row's markup, at most.
const MARKUP: usize = 350;

/// An access key.
pub(super) struct Key {
    pub(super) user: Long,
    pub(super) href: Option<String>,
    pub(super) account: String,
    pub(super) account_href: Option<String>,
    pub(super) party: Option<Long>,
    pub(super) key: String,
    pub(super) usable: &'static str,
    pub(super) made: String,
    pub(super) age: String,
    pub(super) last: String,
    pub(super) networks: Few,
}

impl Weighed for Key {
    fn weight(&self) -> usize {
        MARKUP + self.user.weight() + self.party.as_ref().map_or(0, Long::weight) + self.networks.weight()
    }
}

/// Keys: third parties' first, then those that can be used, the oldest first.
pub(super) fn keys<'a>(site: &Site<'_>, users: impl IntoIterator<Item = &'a UserReport>) -> Vec<Key> {
    let mut keys: Vec<(&UserReport, &KeyReport)> =
        users.into_iter().flat_map(|user| user.keys.iter().map(move |key| (user, key))).collect();
    keys.sort_by_key(|(user, key)| {
        (user.party.is_none(), key.active == Some(false), key.created_at.or(key.first_seen), &user.arn, &key.ending)
    });
    keys.into_iter().map(|(user, key)| view(site, user, key)).collect()
}

fn view(site: &Site<'_>, user: &UserReport, key: &KeyReport) -> Key {
    Key {
        user: Long::of(&user.name),
        href: site.party_href(&user.arn),
        account: user.account_id.to_string(),
        account_href: site.account_href(Some(user.account_id)),
        party: user.party.as_deref().map(Long::of),
        key: if key.ending.is_empty() { "not told".to_owned() } else { format!("…{}", key.ending) },
        usable: key.active.map_or("not asked", |active| if active { "yes" } else { "no" }),
        made: day_or(key.created_at, "not told"),
        age: key.age_days.map(|days| days.to_string()).unwrap_or_default(),
        last: key.last_used.map_or_else(|| "never".to_owned(), day),
        networks: Few::of(&key.networks, 3),
    }
}

/// A change of access.
pub(super) struct Change {
    pub(super) time: String,
    pub(super) what: Long,
    pub(super) outcome: String,
    pub(super) subject: Long,
    pub(super) href: Option<String>,
    pub(super) lets_in: Few,
    pub(super) by: Long,
    pub(super) event_id: Long,
}

impl Weighed for Change {
    fn weight(&self) -> usize {
        let texts = [&self.what, &self.subject, &self.by, &self.event_id];
        MARKUP + texts.map(Long::weight).iter().sum::<usize>() + self.lets_in.weight()
    }
}

/// Changes of access, the latest first.
pub(super) fn changes<'a>(
    site: &Site<'_>,
    changes: impl IntoIterator<Item = &'a AccessChange, IntoIter: DoubleEndedIterator>,
) -> Vec<Change> {
    changes.into_iter().rev().map(|change| change_view(site, change)).collect()
}

fn change_view(site: &Site<'_>, change: &AccessChange) -> Change {
    let service = change.event_source.split('.').next().unwrap_or_default();
    let lets_in = change.lets_in.iter().map(|one| match &one.party {
        Some(party) => format!("{} ({party})", one.principal),
        None => one.principal.clone(),
    });
    let given: Vec<String> = lets_in.chain(change.gives.clone()).collect();
    Change {
        time: minute(change.time),
        what: Long::of(&format!("{service}:{}", change.event_name)),
        outcome: change.outcome.clone(),
        subject: Long::of(&change.subject),
        href: site.role_href(&change.subject),
        lets_in: Few::of(&given, 4),
        by: Long::of(&match change.by.outside {
            true => format!("{} ({})", change.by.principal, change.by.party),
            false => change.by.principal.clone(),
        }),
        event_id: Long::of(&change.event_id),
    }
}
