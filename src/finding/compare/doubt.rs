//! What the absence of something from a report means: that it is not there, or only that nobody looked (S26).

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::window::parse_time;

use super::is_outside_kind;
use super::snapshot::{AccountRead, AskedRead, PartyRead, RoleRead, Snapshot, TrustRead, WindowRead};

/// The share of holes that is allowed where a report does not say: the program's default.
const MAX_HOLES: f64 = 0.05;

/// What one report could not have shown of what another one holds.
pub(super) struct Doubts<'a> {
    of: &'a Snapshot,
    against: &'a Snapshot,
    /// About everything that a trail shows.
    trail: Option<String>,
    /// About what the trail of one account shows.
    accounts: BTreeMap<&'a str, String>,
}

impl<'a> Doubts<'a> {
    /// What `against` could not have shown of what `of` holds.
    pub(super) fn new(of: &'a Snapshot, against: &'a Snapshot) -> Self {
        let known: BTreeMap<&str, &AccountRead> =
            against.coverage.accounts.iter().map(|account| (account.account_id.as_str(), account)).collect();
        let partial = |snapshot: &Snapshot, account: &str| {
            let is = |found: &&super::snapshot::FindingRead| {
                found.code == "trail-partial" && found.account_id.as_deref().is_none_or(|id| id == account)
            };
            snapshot.findings.iter().any(|found| is(&found))
        };
        // What holes prove nothing about is what they prove nothing about in a report, too.
        let allowed = against.asked.as_ref().and_then(|asked| asked.max_holes).unwrap_or(MAX_HOLES);
        let mut accounts = BTreeMap::new();
        for before in &of.coverage.accounts {
            let id = before.account_id.as_str();
            let doubt = match known.get(id) {
                None => Some(format!("no record of account {id} was read")),
                Some(now) if now.hole_share > allowed => {
                    Some(format!("account {id} has holes on {:.1} % of the days", now.hole_share * 100.0))
                }
                Some(now) if before.read_events_seen == Some(true) && now.read_events_seen == Some(false) => {
                    Some(format!("no reads of account {id} were recorded"))
                }
                Some(_) if partial(against, id) && !partial(of, id) => {
                    Some(format!("the trail of account {id} does not record everything"))
                }
                Some(_) => None,
            };
            accounts.extend(doubt.map(|doubt| (id, doubt)));
        }
        Self { of, against, trail: trail(of, against), accounts }
    }

    /// About what the trails of these accounts show; of all where none is named.
    pub(super) fn in_trail<'b>(&self, accounts: impl IntoIterator<Item = &'b str>) -> Option<String> {
        let mut named = accounts.into_iter().peekable();
        let one = if named.peek().is_some() {
            named.find_map(|account| self.accounts.get(account))
        } else {
            self.accounts.values().next()
        };
        self.trail.clone().or_else(|| one.cloned())
    }

    /// About what the inventory of an account shows.
    pub(super) fn in_inventory(&self, account: &str) -> Option<String> {
        let given =
            |snapshot: &Snapshot| snapshot.roles.iter().any(|role| role.in_inventory && role.account_id == account);
        // With no role left in it, an inventory that was given looks like one that was not.
        (given(self.of) && !given(self.against))
            .then(|| format!("no inventory of account {account} is known to be read"))
    }

    /// About what only the user's own list of vendors tells.
    pub(super) fn in_vendors(&self) -> Option<String> {
        let vendors = |snapshot: &Snapshot| snapshot.asked.as_ref().map(|asked| asked.vendors);
        (vendors(self.of) != Some(0) && vendors(self.against) == Some(0))
            .then(|| "no vendors file was given".to_owned())
    }

    /// About a party that comes into these accounts, and whatever is told of it.
    pub(super) fn of_party<'b>(
        &self,
        party: &PartyRead,
        accounts: impl IntoIterator<Item = &'b str>,
    ) -> Option<String> {
        let there = self.against.parties.iter().find(|known| known.id == party.id);
        // Ours, or AWS's, by what that report was told: it is there, and no outsider.
        let ours = there.filter(|there| !is_outside_kind(&there.kind));
        let ours = ours.map(|there| format!("`{}` counts as {} there", party.id, there.kind.replace('_', " ")));
        // That a user's keys are a third party's, a list may be the only one to know.
        let listed = || if party.kind == "iam_user" && there.is_none() { self.in_vendors() } else { None };
        ours.or_else(listed).or_else(|| self.in_trail(accounts))
    }

    /// About an outside principal of a trust policy.
    pub(super) fn of_trust(&self, role: &RoleRead, entry: &TrustRead) -> Option<String> {
        let same = self.against.roles.iter().filter(|known| known.arn == role.arn).flat_map(|known| &known.trust);
        let ours = same.filter(|known| known.principal == entry.principal && !known.outside);
        ours.map(|known| format!("`{}` counts as no outsider there", known.principal)).next()
    }

    /// The id of a role; where only one of the two reports knows it, and no other role of the name, it is that one's.
    pub(super) fn role_id(&self, role: &'a RoleRead) -> &'a str {
        if !role.role_id.is_empty() {
            return &role.role_id;
        }
        let namesakes = self.of.roles.iter().chain(&self.against.roles).filter(|known| known.arn == role.arn);
        let ids: BTreeSet<&'a str> =
            namesakes.map(|known| known.role_id.as_str()).filter(|id| !id.is_empty()).collect();
        if ids.len() == 1 { ids.first().copied().unwrap_or_default() } else { "" }
    }

    /// About a Region, apart from what the trail could not show.
    pub(super) fn in_region(&self, region: &str) -> Option<String> {
        let read = self.against.coverage.accounts.iter().flat_map(|account| &account.regions);
        let seen: BTreeSet<&str> = read.map(|read| read.region.as_str()).collect();
        (!seen.contains(region)).then(|| format!("no record of Region {region} was read"))
    }

    /// About a list that shows so many at most.
    pub(super) fn in_list(&self, party: &str, most: usize) -> Option<String> {
        let listed = self.against.parties.iter().find(|known| known.id == party)?.networks.as_ref()?.len();
        (listed >= most).then(|| format!("only {most} networks of a party are listed"))
    }

    /// About a finding: by what it rests on.
    pub(super) fn of_finding(&self, code: &str, account: Option<&str>) -> Option<String> {
        // What rests on the user's own files alone is there, or it is not.
        if matches!(code, "keep-expired" | "suppression-expired") {
            return None;
        }
        let by_list = code.starts_with("party-") || code.starts_with("access-") || code == "key-of-vendor";
        if let Some(doubt) = self.in_vendors().filter(|_| by_list) {
            return Some(doubt);
        }
        if code.starts_with("digest-") && self.against.coverage.integrity.is_none() {
            return Some("no digests were verified".to_owned());
        }
        let keys_told = |snapshot: &Snapshot| snapshot.users.iter().any(|user| user.active_keys.is_some());
        if code.starts_with("key-") && keys_told(self.of) && !keys_told(self.against) {
            return Some("no credential report was given".to_owned());
        }
        let key_days = |snapshot: &Snapshot| snapshot.asked.as_ref().map(|asked| asked.key_days);
        if code == "key-old" && key_days(self.of) != key_days(self.against) {
            return Some("another number of days makes a key old".to_owned());
        }
        if code == "key-unused" && self.of.idle_days != self.against.idle_days {
            return Some("another number of days makes a key unused".to_owned());
        }
        if code.starts_with("role-") && self.of.idle_days != self.against.idle_days {
            return Some("another number of days makes a role idle".to_owned());
        }
        self.in_trail(account).or_else(|| account.and_then(|account| self.in_inventory(account)))
    }
}

/// About everything that a trail shows.
fn trail(of: &Snapshot, against: &Snapshot) -> Option<String> {
    if !against.coverage.is_complete() {
        return Some("not everything could be read".to_owned());
    }
    match (seconds(&of.window), seconds(&against.window)) {
        (Some(long), Some(short)) if short < long => {
            return Some(format!("the window is shorter ({}, not {})", days(short), days(long)));
        }
        (Some(_), Some(_)) => {}
        _ => return Some("the window cannot be read".to_owned()),
    }
    let all = AskedRead::default();
    let (before, now) = (of.asked.as_ref().unwrap_or(&all), against.asked.as_ref().unwrap_or(&all));
    let left_out = |before: &[String], now: &[String]| {
        !now.is_empty() && (before.is_empty() || before.iter().any(|one| !now.contains(one)))
    };
    left_out(&before.regions, &now.regions).then(|| format!("only Regions {} were read", now.regions.join(", ")))
}

/// The length of a window.
pub(super) fn seconds(window: &WindowRead) -> Option<i64> {
    Some((parse_time(&window.until)? - parse_time(&window.since)?).num_seconds())
}

/// A length for people.
pub(super) fn days(seconds: i64) -> String {
    match seconds % 86_400 {
        0 => format!("{} days", seconds / 86_400),
        _ => format!("{} hours", seconds / 3_600),
    }
}
