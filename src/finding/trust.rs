//! Trust entries of the report: each principal with its party and the external id it must show (S40, S42).

use std::collections::BTreeMap;

use crate::activity::opening::RoleKey;
use crate::activity::party::{Accounts, Party};
use crate::aws::{AccountId, Fingerprint, ROLES_ANYWHERE};
use crate::policy::admission::{Admission, PrincipalKind, admissions, is_outside};
use crate::policy::document::PolicyDocument;
use crate::policy::federation::reach;
use crate::policy::inventory::{Inventory, Role};

use super::assessment::{ExternalIdReport, TrustEntry};
use super::external_id::{is_weak, strength};

/// The entries of one role's trust policy; none when it cannot be read.
#[must_use]
pub fn entries(role: &Role, accounts: Accounts<'_>) -> Vec<TrustEntry> {
    let Ok(trust) = &role.trust.parsed else { return Vec::new() };
    admissions(trust).iter().map(|admission| entry(admission, role, trust, accounts)).collect()
}

/// Whether a principal of a trust policy belongs to neither us nor AWS.
pub(super) fn is_outsider(admission: &Admission, accounts: Accounts<'_>) -> bool {
    is_outside(admission, accounts.own, accounts.organizations)
        && admission.account.is_none_or(|account| accounts.party(account).kind.is_outside())
}

fn entry(admission: &Admission, role: &Role, trust: &PolicyDocument, accounts: Accounts<'_>) -> TrustEntry {
    let party = admission.account.map(|account| accounts.party(account).name);
    let outside = is_outsider(admission, accounts);
    let name = party.as_deref();
    let external_id = admission.external_id.as_ref().filter(|_| outside).map(|demand| {
        let numbers = || accounts.own.iter().copied().chain(admission.account).chain([role.account]);
        let strengths = demand.values.iter().map(|id| strength(id, numbers(), name));
        ExternalIdReport {
            required: demand.required,
            any_accepted: demand.any_accepted,
            matching: demand.matching.to_owned(),
            values: u32::try_from(demand.values.len()).unwrap_or(u32::MAX),
            strength: strengths.min_by_key(|strength| !is_weak(strength)).unwrap_or("none").to_owned(),
            digests: demand
                .values
                .iter()
                .filter(|id| !id.contains(['*', '?']))
                .map(|id| Fingerprint::of(id).digest)
                .collect(),
            fingerprint: None,
            length: None,
        }
        .with(demand.values.first().map(|value| Fingerprint::of(value)).as_ref())
    });
    let federated = admission.kind == PrincipalKind::Federated;
    let reach = if federated { reach(trust, &admission.principal) } else { None };
    TrustEntry {
        principal: admission.principal.clone(),
        kind: admission.kind.word().to_owned(),
        account_id: admission.account,
        party: party.or_else(|| federated_name(admission)),
        outside,
        external_id,
        alone: admission.alone,
        subjects: reach.map(|reach| reach.word().to_owned()),
    }
}

fn federated_name(admission: &Admission) -> Option<String> {
    let zero = AccountId::parse("000000000000")?;
    match admission.kind {
        PrincipalKind::Federated => Some(Party::identity_provider(&admission.principal, "", zero).name),
        PrincipalKind::Organization => Some(format!("organization {}", admission.principal)),
        PrincipalKind::Service if admission.principal == ROLES_ANYWHERE => Some(Party::certificate("").name),
        _ => None,
    }
}

/// Where the id of our own organization is not known: the organizations that roles let in, which may be others'.
#[must_use]
pub(super) fn organizations_in_doubt(inventory: &Inventory, accounts: Accounts<'_>) -> Vec<String> {
    let mut trusting: BTreeMap<String, usize> = BTreeMap::new();
    if accounts.organizations.is_empty() {
        let trusts = inventory.roles.values().filter_map(|role| role.trust.parsed.as_ref().ok());
        for admission in trusts.flat_map(admissions).filter(|one| one.kind == PrincipalKind::Organization) {
            *trusting.entry(admission.principal).or_default() += 1;
        }
    }
    let told = |(id, roles): (String, usize)| {
        let roles = if roles == 1 { "1 role lets".to_owned() } else { format!("{roles} roles let") };
        format!(
            "whether organization `{id}` is yours: {roles} in every account of it, which counts as your own, \
             so its calls were not looked at; --organization tells"
        )
    };
    trusting.into_iter().map(told).collect()
}

/// The only outside party that a role's trust admits, if it admits no one else (S10's last resort).
#[must_use]
pub fn sole_outside(role: &Role, accounts: Accounts<'_>) -> Option<Party> {
    let trust = role.trust.parsed.as_ref().ok()?;
    let mut parties = std::collections::BTreeSet::new();
    for admission in admissions(trust) {
        match (admission.kind, admission.account) {
            (PrincipalKind::AccountRoot | PrincipalKind::Role | PrincipalKind::User, Some(account)) => {
                parties.insert(accounts.party(account));
            }
            (PrincipalKind::Federated, _) => {
                parties.insert(accounts.identity_provider(&admission.principal, "", role.account));
            }
            // A deleted principal matches nobody.
            (PrincipalKind::Deleted, _) => {}
            _ => return None,
        }
    }
    let only = parties.pop_first()?;
    (parties.is_empty() && only.kind.is_outside()).then_some(only)
}

/// The key under which activity knows a role of the inventory.
#[must_use]
pub fn role_key(role: &Role) -> RoleKey {
    RoleKey { account: role.account, name: role.name.clone(), id: role.id.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::directory::Directory;
    use crate::activity::party::NO_ORGANIZATION;
    use crate::policy::inventory::Inventory;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    fn check(principal: Value, condition: Value, expected: (&str, bool, Option<&str>)) {
        let mut inventory = Inventory::default();
        let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": principal.clone(),
            "Action": "sts:AssumeRole*", "Condition": condition}});
        let role = json!({"RoleName": "R", "RoleId": "AROAR", "Arn": "arn:aws:iam::111122223333:role/R",
            "AssumeRolePolicyDocument": trust});
        inventory.add(&json!({"RoleDetailList": [role]}).to_string()).unwrap();
        let own = BTreeSet::from([AccountId::parse("111122223333").unwrap()]);
        let accounts = Accounts { own: &own, organizations: &NO_ORGANIZATION, directory: Directory::builtin() };
        let entries = entries(&inventory.roles["arn:aws:iam::111122223333:role/R"], accounts);
        let entry = &entries[0];
        let strength = entry.external_id.as_ref().map(|demand| demand.strength.as_str());
        assert_eq!((entry.kind.as_str(), entry.outside, strength), expected, "{principal}");
    }

    /// S13, S17: a provider in our own account lets outsiders in; our own accounts and services are none.
    #[test]
    fn outsiders_are_told_from_our_own() {
        let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        check(json!({"Federated": provider}), json!({}), ("federated", true, None));
        let sso = "arn:aws:iam::111122223333:saml-provider/AWSSSO_0a_DO_NOT_DELETE";
        check(json!({"Federated": sso}), json!({}), ("federated", false, None));
        check(json!({"AWS": "111122223333"}), json!({}), ("account_root", false, None));
        check(json!({"Service": "ec2.amazonaws.com"}), json!({}), ("service", false, None));
        check(json!({"AWS": "*"}), json!({}), ("anyone", true, Some("none")));
    }

    /// S42: the strength of an external id is told without showing it.
    #[test]
    fn external_ids_have_a_strength() {
        let vendor = json!({"AWS": "arn:aws:iam::464622532012:root"});
        for (id, strength) in [
            ("23bc5533-157c-41bf-a01a-4ecb491471f6", "uuid"),
            ("acme", "word"),
            ("464622532012", "account_id"),
            ("kD83hfKs92hfKSjw83", "long"),
        ] {
            let condition = json!({"StringEquals": {"sts:ExternalId": id}});
            check(vendor.clone(), condition, ("account_root", true, Some(strength)));
        }
    }
}
