//! Access that was given in the window: which of the recorded changes let an outsider in, gave one more, or were made by
//! one.
//!
//! A record tells whom a new policy names, not whom it lets in: that is judged by today's policies, where there are any.
//! So a change is news to be looked at, and says who made it.

use std::collections::BTreeSet;

use crate::activity::party::{Accounts, Party, PartyKind};
use crate::activity::party_user::account_and_name;
use crate::activity::resolve::Activity;
use crate::aws::{AccountId, Arn, ROLES_ANYWHERE};
use crate::cloudtrail::access_change::{Admitted, ChangeKind, kind_of};
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::change::ChangeSeen;

use super::assess::{Case, Inquiry};
use super::assessment::{AccessChange, ChangedBy, LetIn, RoleReport};
use super::coverage::event_source;

/// The changes that concern outsiders, by time.
#[must_use]
pub fn changes(
    roles: &[RoleReport],
    activity: &Activity<'_>,
    inquiry: &Inquiry<'_>,
    case: &Case<'_>,
) -> Vec<AccessChange> {
    let reach = Reach::of(roles, inquiry);
    let mut changes: Vec<AccessChange> = inquiry
        .evidence
        .changes
        .values()
        .filter_map(|seen| {
            let by = activity.party_of(&seen.caller, &seen.caller_key, seen.caller_created);
            judged(seen, &by, &reach, case)
        })
        .collect();
    changes.sort_by(|a, b| (a.time, &a.event_id, a.account_id).cmp(&(b.time, &b.event_id, b.account_id)));
    changes
}

/// What outsiders have in their hands already.
struct Reach<'a> {
    roles: BTreeSet<(AccountId, &'a str)>,
    users: BTreeSet<(AccountId, &'a str)>,
    groups: BTreeSet<(AccountId, &'a str)>,
    policies: BTreeSet<&'a str>,
}

impl<'a> Reach<'a> {
    fn of(roles: &'a [RoleReport], inquiry: &Inquiry<'a>) -> Self {
        let user = |(arn, _): (&'a str, _)| account_and_name(arn);
        let held = || inquiry.users.iter().filter_map(|(arn, _)| inquiry.inventory.users.get(arn));
        let of_users = held().flat_map(|user| inquiry.inventory.policies_of_user(user)).filter_map(|policy| policy.arn);
        let of_roles = roles.iter().flat_map(|role| &role.policies).filter_map(|policy| policy.arn.as_deref());
        Self {
            roles: roles.iter().map(|role| (role.account_id, role.name.as_str())).collect(),
            users: inquiry.users.iter().filter_map(user).collect(),
            groups: held().flat_map(|user| user.groups.iter().map(|name| (user.account, name.as_str()))).collect(),
            policies: of_roles.chain(of_users).collect(),
        }
    }
}

fn judged(seen: &ChangeSeen, by: &Party, reach: &Reach<'_>, case: &Case<'_>) -> Option<AccessChange> {
    let kind = kind_of(&seen.source, &seen.name)?;
    let outside = by.kind.is_outside();
    let lets_in: Vec<LetIn> = seen.admitted.iter().filter_map(|one| let_in(one, kind, case.accounts)).collect();
    let target = (seen.recipient, &*seen.target);
    let concerns = match kind {
        ChangeKind::Trust | ChangeKind::Resource => !lets_in.is_empty(),
        ChangeKind::RolePermissions => reach.roles.contains(&target),
        ChangeKind::ManagedPolicy => reach.policies.contains(&*seen.target),
        ChangeKind::UserPermissions | ChangeKind::UserCredentials => reach.users.contains(&target),
        ChangeKind::GroupPermissions => reach.groups.contains(&target),
        ChangeKind::Provider => true,
    };
    if !outside && (!concerns || seen.outcome != Outcome::Allowed) {
        return None;
    }
    let caller = &seen.caller;
    let principal = if caller.arn.is_empty() { &caller.principal_id } else { &caller.arn };
    Some(AccessChange {
        time: seen.time,
        event_id: seen.event_id.to_string(),
        account_id: seen.recipient,
        region: seen.region.to_string(),
        event_source: event_source(&seen.source),
        event_name: seen.name.to_string(),
        outcome: seen.outcome.word().to_owned(),
        subject: subject(seen, kind, case),
        gives: gives(&seen.gives),
        lets_in,
        by: ChangedBy {
            principal: principal.to_string(),
            party_id: by.id.clone(),
            party: by.name.clone(),
            outside,
            network: seen.network.to_string(),
        },
    })
}

/// The ids of keys are told by their last four characters.
fn gives(text: &str) -> Option<String> {
    match text {
        "" => None,
        key if key.starts_with("AKIA") => Some(format!("****{}", key.get(key.len().saturating_sub(4)..)?)),
        other => Some(other.to_owned()),
    }
}

/// Condition keys by which a statement for everybody is for one's own accounts, organization or networks.
const OWN: [&str; 8] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceaccount",
    "aws:sourceowner",
    "kms:calleraccount",
    "aws:sourcevpce",
];

/// The outsider that a policy names, if it is one.
fn let_in(one: &Admitted, kind: ChangeKind, accounts: Accounts<'_>) -> Option<LetIn> {
    let conditions: Vec<String> = one.conditions.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect();
    let principal = &*one.principal;
    let party = match account_of(principal) {
        _ if principal == "*" => {
            if conditions.iter().any(|key| OWN.contains(&key.as_str())) {
                return None;
            }
            None
        }
        // Its owner is in the ARN, its members are not.
        Some(account) if is_organization(principal) && !accounts.own.contains(&account) => {
            let party = Some("an organization".to_owned());
            return Some(LetIn { principal: principal.to_owned(), party, unknown: false, conditions });
        }
        Some(account) if is_provider(principal) => Some(Party::identity_provider(principal, "", account)),
        Some(account) => Some(accounts.party(account)),
        None if principal == ROLES_ANYWHERE => Some(Party::certificate("")),
        // A public provider, such as accounts.google.com; only a trust can name one.
        None if kind == ChangeKind::Trust && is_web_provider(principal) => {
            Some(Party { id: principal.to_owned(), kind: PartyKind::IdentityProvider, name: principal.to_owned() })
        }
        None => return None,
    };
    if party.as_ref().is_some_and(|party| !party.kind.is_outside()) {
        return None;
    }
    let unknown = party.as_ref().is_some_and(|party| party.kind == PartyKind::UnknownAccount);
    Some(LetIn { principal: principal.to_owned(), party: party.map(|party| party.name), unknown, conditions })
}

fn account_of(principal: &str) -> Option<AccountId> {
    AccountId::parse(principal).or_else(|| Arn::parse(principal)?.account_id())
}

fn is_organization(principal: &str) -> bool {
    Arn::parse(principal).is_some_and(|arn| arn.service == "organizations")
}

fn is_provider(principal: &str) -> bool {
    principal.contains(":oidc-provider/") || principal.contains(":saml-provider/")
}

fn is_web_provider(principal: &str) -> bool {
    let service = principal.ends_with(".amazonaws.com") || principal.ends_with(".amazonaws.com.cn");
    principal == "cognito-identity.amazonaws.com"
        || (principal.contains('.') && !service && !principal.starts_with("arn:"))
}

/// The ARN of what was changed, as well as the record tells it.
fn subject(seen: &ChangeSeen, kind: ChangeKind, case: &Case<'_>) -> String {
    let (account, target) = (seen.recipient, &*seen.target);
    let partition = case.partition(account);
    if target.starts_with("arn:") {
        return target.to_owned();
    }
    match kind {
        ChangeKind::Trust | ChangeKind::RolePermissions => {
            let known = case.inventory.roles.values().find(|role| role.account == account && role.name == target);
            known.map_or_else(|| format!("arn:{partition}:iam::{account}:role/{target}"), |role| role.arn.clone())
        }
        ChangeKind::UserPermissions | ChangeKind::UserCredentials => {
            let known = case.inventory.users.values().find(|user| user.account == account && user.name == target);
            known.map_or_else(|| format!("arn:{partition}:iam::{account}:user/{target}"), |user| user.arn.clone())
        }
        ChangeKind::GroupPermissions => format!("arn:{partition}:iam::{account}:group/{target}"),
        ChangeKind::Provider if *seen.name == *"CreateSAMLProvider" => {
            format!("arn:{partition}:iam::{account}:saml-provider/{target}")
        }
        ChangeKind::Provider if *seen.source == *"iam" => {
            format!("arn:{partition}:iam::{account}:oidc-provider/{}", target.trim_start_matches("https://"))
        }
        _ if *seen.source == *"s3" => format!("arn:{partition}:s3:::{target}"),
        _ => format!("arn:{partition}:{}:{}:{account}:{target}", seen.source, seen.region),
    }
}
