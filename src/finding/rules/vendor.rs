//! Findings about the user's own vendors: contracts that are over, and what was not expected of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::activity::party_user::account_and_name;
use crate::activity::vendors::{Identity, Vendor, Vendors};
use crate::aws::wildcard::matches_exactly;
use crate::aws::window::{Time, rfc3339};

use super::super::assess::Case;
use super::super::assessment::{Assessment, Finding, PartyReport, RoleReport, SessionRow};
use super::vendor_identity::may_vouch;
use super::{Draft, count};

/// Roles, sessions or actions told of one party.
const SHOWN: usize = 20;

/// What a party did after a moment.
#[derive(Default)]
struct After<'a> {
    sessions: u64,
    calls: i64,
    first: Option<Time>,
    last: Option<Time>,
    roles: BTreeSet<&'a str>,
}

impl<'a> After<'a> {
    fn add(&mut self, row: &'a SessionRow, ended: Time) {
        let came = [row.opened_at, row.first_call, row.last_call];
        let after = || came.iter().flatten().copied().filter(|time| *time >= ended);
        // Without a role, a call that was refused is an attempt, and no access.
        let (Some(first), Some(last), true) = (after().min(), after().max(), came_in(row)) else { return };
        self.sessions += 1;
        // The calls of a session that began before cannot be told apart.
        if row.first_call.is_some_and(|call| call >= ended) {
            self.calls += row.calls;
        }
        self.first = self.first.map_or(Some(first), |known| Some(known.min(first)));
        self.last = self.last.max(Some(last));
        if !row.role_arn.is_empty() {
            self.roles.insert(&row.role_arn);
        }
    }
}

fn came_in(row: &SessionRow) -> bool {
    !row.role_arn.is_empty() || row.calls > row.denied
}

/// Parties of a vendor whose contract is over on the day of `as_of`: those that came in after it, and those that still could.
pub(super) fn offboarded(assessment: &Assessment, case: &Case<'_>, found: &mut Vec<Finding>) {
    let vendors = case.accounts.directory.listed();
    let parties = assessment.parties.iter().filter(|party| is_outside(party)).map(|party| party.id.as_str());
    // A user whose keys were not used is no party of the report, and its keys can be used all the same.
    let users = case.inventory.users.keys().map(String::as_str);
    let listed = parties.chain(users).filter_map(|id| Some((id, vendors.of_party(id)?)));
    // A user that its tag or its own name tells to be a vendor's is that vendor's, if the name is the same.
    let named = assessment.users.iter().filter_map(|user| {
        let name = user.party.as_deref()?;
        Some((user.arn.as_str(), vendors.iter().find(|vendor| vendor.name.eq_ignore_ascii_case(name))?))
    });
    // An identity that never came may come all the same.
    let identities = identities(vendors);
    let identities = identities.iter().map(|(id, vendor)| (id.as_str(), *vendor));
    let mut over: BTreeMap<&str, Over<'_>> = BTreeMap::new();
    for (id, vendor) in listed.chain(named).chain(identities) {
        let is_told = over.values().any(|known| known.vendor == vendor && id.contains('*') && is_of(known.id, id));
        if is_told || over.contains_key(id) {
            continue;
        }
        if let Some(ended) = vendor.ended().filter(|ended| *ended <= assessment.as_of) {
            over.insert(id, Over { id, vendor, ended, after: After::default() });
        }
    }
    if over.is_empty() {
        return;
    }
    for row in assessment.sessions.iter().flatten() {
        if let Some(over) = over.get_mut(&*row.party_id) {
            over.after.add(row, over.ended);
        }
    }
    found.extend(over.values().filter_map(|over| still_there(assessment, case, over)));
}

/// The identities of vendors as `<issuer>/<subject>`, wildcards included.
fn identities(vendors: &Vendors) -> Vec<(String, &Vendor)> {
    let of = |vendor| move |identity: &Identity| (format!("{}/{}", identity.issuer, identity.subject), vendor);
    vendors.iter().flat_map(|vendor| vendor.identities.iter().map(of(vendor))).collect()
}

/// Whether a party is one of those that a pattern of identities means.
fn is_of(id: &str, pattern: &str) -> bool {
    matches_exactly(pattern, id)
}

/// A party whose contract is over.
struct Over<'a> {
    id: &'a str,
    vendor: &'a Vendor,
    ended: Time,
    after: After<'a>,
}

fn is_outside(party: &PartyReport) -> bool {
    matches!(party.kind.as_str(), "vendor" | "unknown_account" | "identity_provider" | "iam_user")
}

fn still_there(assessment: &Assessment, case: &Case<'_>, over: &Over<'_>) -> Option<Finding> {
    let Over { id, vendor, ended, after } = over;
    let lets_in = |role: &&RoleReport| trusts(role, id) || may_vouch(role, id, case.inventory);
    let open: Vec<&str> = assessment.roles.iter().filter(lets_in).map(|role| role.arn.as_str()).collect();
    let keys = active_keys(assessment, id);
    if after.sessions == 0 && open.is_empty() && keys.unwrap_or(0) == 0 {
        return None;
    }
    let day = vendor.contract_end.map(|day| day.to_string()).unwrap_or_default();
    let (state, severity) = if after.sessions > 0 { ("active", "high") } else { ("open", "medium") };
    let title = match state {
        "active" => format!("{} came in after its contract ended on {day}", vendor.name),
        _ => format!("{} can still come in although its contract ended on {day}", vendor.name),
    };
    let seen = match state {
        "active" => format!("Sessions and visits of it after that day: {}", after.sessions),
        _ => silence(assessment, case, *ended),
    };
    let detail = match keys {
        Some(keys) => format!("{seen}. {} can be used today.", count(u64::from(keys), "access key")),
        None => format!("{seen}. {} today by its trust policy.", lets(open.len())),
    };
    let evidence = json!({
        "state": state, "vendor": vendor.name, "contract_end": day, "owner": vendor.owner,
        "as_of": rfc3339(assessment.as_of), "sessions_after": after.sessions, "calls_after": after.calls,
        "first_after": after.first.map(rfc3339), "last_after": after.last.map(rfc3339),
        "roles_used_after": after.roles.iter().take(SHOWN).collect::<Vec<_>>(),
        "open_roles": open.iter().take(SHOWN).collect::<Vec<_>>(), "open_roles_total": open.len(),
        "active_keys": keys,
        "inventory_given": !case.inventory.roles.is_empty(),
    });
    let draft = Draft {
        code: "party-offboarded-active",
        severity,
        account: account_and_name(id).map(|(account, _)| account),
        subject: id,
        party: Some(vendor.name.clone()),
    };
    Some(draft.finish(
        title,
        detail,
        evidence,
        "Ask the owner whether the contract was prolonged; if not, take the party out of the trust policies, then remove \
         its roles, and read what it did after the end.",
    ))
}

/// Keys of a user that can be used, where the credential report or the list of keys tells.
fn active_keys(assessment: &Assessment, arn: &str) -> Option<u32> {
    let (account, name) = account_and_name(arn)?;
    let user = assessment.users.iter().find(|user| user.account_id == account && user.name == name)?;
    user.active_keys
}

fn lets(roles: usize) -> String {
    match roles {
        0 => "No role of the inventory lets it in".to_owned(),
        1 => "1 role lets it in".to_owned(),
        more => format!("{more} roles let it in"),
    }
}

/// What it means that nothing was seen after the end.
fn silence(assessment: &Assessment, case: &Case<'_>, ended: Time) -> String {
    if assessment.window.until <= ended {
        return "The window ends before the contract did, so it shows nothing of the time after".to_owned();
    }
    let mut doubts = case.trails.keys().filter_map(|account| case.uncovered(*account));
    let doubt = doubts.next().or_else(|| case.trails.is_empty().then(|| "no record was read".to_owned()));
    match doubt {
        Some(doubt) => format!("No session of it after that day is among the records, which may lack some ({doubt})"),
        None => "No session of it after that day is among the records".to_owned(),
    }
}

fn trusts(role: &RoleReport, party_id: &str) -> bool {
    let is = |account: crate::aws::AccountId| account.as_str() == party_id;
    role.trust.iter().any(|entry| entry.outside && entry.account_id.is_some_and(is))
}

/// Vendors in roles, and doing what, they are not expected to.
pub(super) fn unexpected(assessment: &Assessment, case: &Case<'_>, found: &mut Vec<Finding>) {
    let vendors = case.accounts.directory.listed();
    if vendors.is_empty() {
        return;
    }
    for role in &assessment.roles {
        found.extend(role_of(role, vendors));
    }
    actions(assessment, vendors, found);
}

fn role_of(role: &RoleReport, vendors: &Vendors) -> Option<Finding> {
    let trusted = role.trust.iter().filter(|entry| entry.outside).filter_map(|entry| entry.account_id);
    let mut ids: BTreeSet<String> = trusted.map(|account| account.to_string()).collect();
    ids.extend(role.sessions.by_party.keys().cloned());
    let (mut names, mut parties, mut came) = (BTreeSet::new(), Vec::new(), false);
    for id in ids {
        let Some(vendor) = vendors.of_party(&id) else { continue };
        if vendor.expects_role(&role.arn, &role.name) != Some(false) {
            continue;
        }
        let sessions = role.sessions.by_party.get(&id).copied().unwrap_or(0);
        came |= sessions > 0;
        names.insert(vendor.name.as_str());
        parties.push(json!({"party_id": id, "vendor": vendor.name, "owner": vendor.owner, "sessions": sessions,
            "trusted": trusts(role, &id), "expected_roles": vendor.roles}));
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let verb = if came { "came into" } else { "may come into" };
    let draft = Draft {
        code: "party-unexpected-role",
        severity: "medium",
        account: Some(role.account_id),
        subject: &role.arn,
        party: Some(names.clone()),
    };
    (!parties.is_empty()).then(|| {
        draft.finish(
            format!("{names} {verb} role {}, where nobody expects it", role.name),
            "The vendors file lists the roles that the vendor is expected in, and this one is not among them.".to_owned(),
            json!({"parties": parties}),
            "Ask the owner of the vendor what the role is for: list it under `roles`, or take the vendor out of its trust.",
        )
    })
}

/// What a party did with one action that nobody expects.
#[derive(Default)]
struct Used<'a> {
    calls: i64,
    denied: i64,
    first: Option<&'a str>,
    last: Option<&'a str>,
    roles: BTreeSet<&'a str>,
    samples: BTreeSet<&'a str>,
}

/// A call is unexpected when none of the actions that it may have used is expected; a refused one is no use (S21).
fn actions(assessment: &Assessment, vendors: &Vendors, found: &mut Vec<Finding>) {
    let mut by_party: BTreeMap<&str, BTreeMap<&str, Used<'_>>> = BTreeMap::new();
    for row in assessment.usage.iter().filter(|row| row.calls > row.denied) {
        let Some(vendor) = vendors.of_party(&row.party_id) else { continue };
        let unexpected = |action: &String| vendor.expects_action(action) == Some(false);
        let Some(surest) = row.actions.first().filter(|_| row.actions.iter().all(unexpected)) else { continue };
        let used = by_party.entry(&row.party_id).or_default().entry(surest).or_default();
        used.calls += row.calls - row.denied;
        used.denied += row.denied;
        let first = row.first_seen.as_deref();
        used.first = used.first.min(first).or(used.first).or(first);
        used.last = used.last.max(row.last_seen.as_deref());
        used.roles.insert(&row.role_arn);
        used.samples.extend(row.sample_event_ids.iter().take(3).map(String::as_str));
    }
    for (id, used) in by_party {
        let Some(vendor) = vendors.of_party(id) else { continue };
        let party = assessment.parties.iter().find(|party| party.id == id);
        let name = party.map_or_else(|| vendor.name.clone(), |party| party.name.clone());
        let draft = Draft {
            code: "party-unexpected-action",
            severity: "medium",
            account: None,
            subject: id,
            party: Some(name),
        };
        found.push(draft.finish(
            format!("{} used {} that nobody expects of it", vendor.name, count(used.len() as u64, "action")),
            "The vendors file lists the actions that the vendor is expected to use, and these are not among them."
                .to_owned(),
            json!({"vendor": vendor.name, "owner": vendor.owner, "expected_actions": vendor.actions,
                "actions_total": used.len(), "actions": used.iter().take(SHOWN).map(told).collect::<Vec<_>>()}),
            "Ask the owner of the vendor whether it has a new feature: list the actions under `actions`, or take them \
             from its roles.",
        ));
    }
}

fn told((action, used): (&&str, &Used<'_>)) -> Value {
    let roles: Vec<_> = used.roles.iter().filter(|role| !role.is_empty()).take(SHOWN).collect();
    json!({"action": action, "calls": used.calls, "denied": used.denied, "first_seen": used.first,
        "last_seen": used.last, "roles": roles, "sample_event_ids": used.samples.iter().take(3).collect::<Vec<_>>()})
}
