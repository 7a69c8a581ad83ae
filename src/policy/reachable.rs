//! Which roles outsiders can reach, directly or through roles that they reach.

use std::collections::BTreeSet;

use super::admission::{Admission, admissions, admits, assume_role, is_aws, is_outside};
use super::context::Context;
use super::evaluate::{Decision, NamedPolicy, Request, Resource, evaluate};
use super::inventory::{Inventory, Role};
use crate::aws::AccountId;

/// ARNs of the roles that outsiders can reach, directly or through roles they reach, as far as trust and permission
/// policies tell today. Where a condition leaves it open, the role counts as reachable.
#[must_use]
pub fn reachable(
    inventory: &Inventory,
    own: &BTreeSet<AccountId>,
    organizations: &BTreeSet<String>,
) -> BTreeSet<String> {
    let roles = inventory.roles.values().filter(|role| !role.is_service_linked());
    // Once for each role, not for each pair.
    let roles: Vec<(&Role, Vec<Admission>)> =
        roles.map(|role| (role, role.trust.parsed.as_ref().map(admissions).unwrap_or_default())).collect();
    let outside = |role: &Role, entries: &[Admission]| {
        role.trust.parsed.is_err() || entries.iter().any(|admission| is_outside(admission, own, organizations))
    };
    let mut fresh: Vec<&Role> =
        roles.iter().filter(|(role, entries)| outside(role, entries)).map(|(role, _)| *role).collect();
    let mut reached: BTreeSet<String> = fresh.iter().map(|role| role.arn.clone()).collect();
    while let Some(from) = fresh.pop() {
        for (to, entries) in &roles {
            if !reached.contains(&to.arn) && can_assume(inventory, from, to, entries) {
                reached.insert(to.arn.clone());
                fresh.push(to);
            }
        }
    }
    reached
}

/// The roles that a user with these policies may assume, in the order of their ARNs. Where a condition leaves it open, or
/// the policies are in doubt, it may.
#[must_use]
pub fn assumable<'a>(
    inventory: &'a Inventory,
    (user, account): (&str, AccountId),
    policies: &[NamedPolicy<'_>],
    boundaries: &[NamedPolicy<'_>],
    in_doubt: bool,
) -> Vec<&'a Role> {
    let may = |role: &&Role| {
        let Ok(trust) = &role.trust.parsed else { return false };
        let entries = admissions(trust);
        let named = |one: &Admission| is_aws(one.kind) && (one.account == Some(account) || one.account.is_none());
        if !entries.iter().any(named) || !admits(trust, user, Some(account), &|context| context) {
            return false;
        }
        // Named by its own ARN within one account, it needs no policy of its own.
        let by_name = role.account == account && entries.iter().any(|one| one.principal == user);
        let Some(action) = assume_role() else { return true };
        let request = Request { action, resource: Resource::Known(role.arn.clone()), context: Context::partial() };
        let decision = evaluate(policies, boundaries, &request).decision;
        match decision {
            Decision::ExplicitlyDenied => false,
            Decision::Allowed | Decision::Unknown => true,
            Decision::ImplicitlyDenied => by_name || in_doubt,
        }
    };
    inventory.roles.values().filter(|role| !role.is_service_linked()).filter(may).collect()
}

/// `entries` are whom the trust policy of `to` names.
fn can_assume(inventory: &Inventory, from: &Role, to: &Role, entries: &[Admission]) -> bool {
    let Ok(trust) = &to.trust.parsed else { return true };
    let named = |admission: &Admission| admission.account == Some(from.account) || admission.account.is_none();
    if !entries.iter().any(|admission| is_aws(admission.kind) && named(admission)) {
        return false;
    }
    if !admits(trust, &from.arn, Some(from.account), &|context| context) {
        return false;
    }
    // Named by its own ARN within one account, a role needs no permission policy of its own.
    let by_name = entries.iter().any(|admission| admission.principal == from.arn);
    if by_name && from.account == to.account {
        return true;
    }
    let policies = inventory.policies_of(from);
    let Some(action) = assume_role() else { return true };
    let mut documents = Vec::new();
    for policy in &policies {
        match policy.document.map(|document| &document.parsed) {
            Some(Ok(document)) => documents.push(NamedPolicy { name: policy.name, document }),
            _ => return true,
        }
    }
    let request = Request { action, resource: Resource::Known(to.arn.clone()), context: Context::partial() };
    matches!(evaluate(&documents, &[], &request).decision, Decision::Allowed | Decision::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn allow(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition})
    }

    /// S11: roles behind an outsider's role are reachable when trust and permissions both allow.
    #[test]
    fn roles_are_reached_through_roles() {
        let role = |name: &str, trust: Value, policy: Value| {
            json!({"RoleName": name, "RoleId": name, "Arn": format!("arn:aws:iam::111122223333:role/{name}"),
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [policy]}}]})
        };
        let outside = allow(json!({"AWS": "464622532012"}), json!({}));
        let own_root = allow(json!({"AWS": "arn:aws:iam::111122223333:root"}), json!({}));
        let assume = json!({"Effect": "Allow", "Action": "sts:*", "Resource": "arn:aws:iam::*:role/B"});
        let read = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        let page = json!({"RoleDetailList": [
            role("A", outside, assume.clone()), role("B", own_root.clone(), read.clone()), role("C", own_root, read)]});
        let mut inventory = Inventory::default();
        inventory.add(&page.to_string()).unwrap();
        let own = BTreeSet::from([AccountId::parse("111122223333").unwrap()]);
        let reached: Vec<String> = reachable(&inventory, &own, &BTreeSet::new()).into_iter().collect();
        assert_eq!(reached, ["arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:role/B"]);
    }
}
