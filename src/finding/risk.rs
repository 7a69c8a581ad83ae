//! What a role's grants amount to, as they are and with its proposals applied.
//!
//! Only what the inventory shows is judged: a role that it does not hold has no risk here, and a document that cannot be
//! read leaves everything in doubt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::aws::{AccountId, Action, Arn};
use crate::policy::catalog::Catalog;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::NamedPolicy;
use crate::policy::grant;
use crate::policy::inventory::{Inventory, Role};
use crate::policy::inventory_users::IamUser;
use crate::policy::risk::{
    BlastRadius, Classes, Counts, Gives, OpenPath, Powers, Reach, Standing, escalations, wildcards,
};
use crate::policy::statement::{Effect, PrincipalMatch};

use super::assess::Case;
use super::assessment::{
    PartyBlastRadius, PartyReport, PassesRoles, PolicyReport, Rightsizing, RoleReport, RoleRisk, UserReport,
};
use super::proposal::Granted;

/// Roles that services may take and that may do whatever there is, found when somebody asks.
#[derive(Debug, Default)]
pub struct Administrators(OnceLock<BTreeMap<(AccountId, String), Vec<String>>>);

impl Administrators {
    /// Those of one account that a service such as `ec2.amazonaws.com` may take.
    fn of(&self, account: AccountId, service: &str, inventory: &Inventory, catalog: &Catalog) -> Vec<String> {
        let all = self.0.get_or_init(|| administrators(inventory, catalog));
        all.get(&(account, service.to_owned())).cloned().unwrap_or_default()
    }
}

fn administrators(inventory: &Inventory, catalog: &Catalog) -> BTreeMap<(AccountId, String), Vec<String>> {
    let mut found: BTreeMap<(AccountId, String), Vec<String>> = BTreeMap::new();
    for role in inventory.roles.values().filter(|role| !role.is_service_linked()) {
        let services = services_of(role);
        if services.is_empty() {
            continue;
        }
        let granted = Granted::parsed(inventory, role);
        let (held, nothing) = (held_by(role), grant::Granted::default());
        let powers =
            Powers::new(standing(role, &granted, &held), &granted.named, &granted.boundaries, &nothing, catalog);
        if powers.reaches_anything().reach == Reach::Every {
            for service in services {
                found.entry((role.account, service)).or_default().push(role.arn.clone());
            }
        }
    }
    found
}

/// The services that a trust policy names.
fn services_of(role: &Role) -> BTreeSet<String> {
    let trust = role.trust.parsed.as_ref().map_or(&[][..], |trust| trust.statements.as_slice());
    let allows = trust.iter().filter(|statement| statement.effect == Effect::Allow);
    let named = allows.filter_map(|statement| match &statement.principals {
        PrincipalMatch::Principal(principals) => Some(principals.service.iter().cloned()),
        PrincipalMatch::NotPrincipal(_) | PrincipalMatch::None => None,
    });
    named.flatten().collect()
}

/// Policies of somebody that can be changed.
fn held<'a>(attached: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    attached.filter(|arn| !arn.contains(":iam::aws:policy/")).collect()
}

fn held_by(role: &Role) -> Vec<&str> {
    held(role.attached.iter().map(|(_, arn)| arn.as_str()))
}

fn standing<'a>(role: &'a Role, granted: &Granted<'_>, held: &'a [&'a str]) -> Standing<'a> {
    Standing {
        arn: &role.arn,
        account: role.account.as_str(),
        partition: Arn::parse(&role.arn).map_or("aws", |arn| arn.partition),
        boundary: role.boundary.as_deref(),
        tags: role.session_tags(),
        held,
        doubt: doubt(role.boundary.as_ref(), granted).is_some(),
    }
}

fn doubt(boundary: Option<&String>, granted: &Granted<'_>) -> Option<String> {
    let boundary = boundary.filter(|_| granted.boundaries.is_empty());
    let boundary = boundary.map(|arn| format!("its permissions boundary {arn} is not readable in the inventory"));
    granted.unreadable.clone().or(boundary)
}

/// Judges a role of the inventory.
#[must_use]
pub fn risk(
    role: &Role,
    granted: &Granted<'_>,
    rightsizing: &Rightsizing,
    policies: &[PolicyReport],
    case: &Case<'_>,
) -> RoleRisk {
    let held = held_by(role);
    let documents = after(granted, rightsizing, policies);
    let doubt = doubt(role.boundary.as_ref(), granted);
    judged(standing(role, granted, &held), role.account, granted, documents, doubt, case)
}

/// Judges a user of the inventory: its own policies and those of its groups, within its boundary.
#[must_use]
pub fn user_risk(user: &IamUser, granted: &Granted<'_>, case: &Case<'_>) -> RoleRisk {
    let held = held(granted.policies.iter().filter_map(|policy| policy.arn));
    let doubt = doubt(user.boundary.as_ref(), granted);
    let standing = Standing {
        arn: &user.arn,
        account: user.account.as_str(),
        partition: Arn::parse(&user.arn).map_or("aws", |arn| arn.partition),
        boundary: user.boundary.as_deref(),
        tags: Some(&user.tags),
        held: &held,
        doubt: doubt.is_some(),
    };
    judged(standing, user.account, granted, None, doubt, case)
}

/// Judges whoever has these grants; `documents` are its policies with the proposals applied, if there are some.
fn judged(
    standing: Standing<'_>,
    account: AccountId,
    granted: &Granted<'_>,
    documents: Option<Vec<(&str, PolicyDocument)>>,
    doubt: Option<String>,
    case: &Case<'_>,
) -> RoleRisk {
    let strong = |service: &str| case.administrators.of(account, service, case.inventory, case.catalog);
    let powers = Powers::new(standing, &granted.named, &granted.boundaries, &granted.expanded, case.catalog);
    let paths = escalations(&powers, &strong);
    let everything = gives_everything(&paths);
    let before = Counts::of(&powers, everything);
    let anything = powers.reaches_anything();
    // Who may do whatever there is but cannot touch IAM is no administrator.
    let gains_all = paths.iter().any(|path| path.gives == Gives::Everything);
    let admin = Some(anything).filter(|answer| answer.reach >= Reach::MayEvery && gains_all);
    let after = match documents {
        None => before,
        Some(documents) => {
            let named: Vec<NamedPolicy<'_>> =
                documents.iter().map(|(name, document)| NamedPolicy { name, document }).collect();
            let expanded = grant::expand(&named, &granted.boundaries, case.catalog);
            let powers = Powers::new(standing, &named, &granted.boundaries, &expanded, case.catalog);
            Counts::of(&powers, gives_everything(&escalations(&powers, &strong)))
        }
    };
    RoleRisk {
        // One who may do everything is told of that, and not of each thing that follows.
        classes: if admin.is_some() { Classes::of_iam(&powers) } else { Classes::of(&powers) },
        wildcards: if admin.is_some() { Vec::new() } else { wildcards(&powers) },
        passes: passes(&powers),
        admin,
        paths,
        is_unbounded: standing.boundary.is_none(),
        doubt,
        before,
        after,
    }
}

fn gives_everything(paths: &[OpenPath]) -> bool {
    paths.iter().any(|path| path.gives == Gives::Everything && path.is_certain)
}

/// The policies with the proposals applied; `None` where nothing is proposed.
fn after<'p>(
    granted: &Granted<'_>,
    rightsizing: &Rightsizing,
    policies: &'p [PolicyReport],
) -> Option<Vec<(&'p str, PolicyDocument)>> {
    if rightsizing.status != "proposed" {
        return None;
    }
    let mut documents = Vec::new();
    for (policy, now) in policies.iter().zip(&granted.named) {
        if policy.proposal == "unchanged" {
            documents.push((policy.name.as_str(), now.document.clone()));
        }
        for document in &policy.rightsized {
            documents.push((policy.name.as_str(), PolicyDocument::from_value(document).ok()?));
        }
    }
    Some(documents)
}

/// Whether every role can be passed, and to whom.
fn passes(powers: &Powers<'_>) -> Option<PassesRoles> {
    let action = Action::parse("iam:PassRole")?;
    powers.grant(&action)?;
    let (services, answer) = powers.passed_to_every_service(&action);
    if let Some(answer) = answer {
        return Some(PassesRoles { services: BTreeSet::new(), answer });
    }
    let best = services.iter().map(|(_, answer)| answer).max_by_key(|answer| answer.reach)?.clone();
    Some(PassesRoles { services: services.into_iter().map(|(service, _)| service).collect(), answer: best })
}

/// Fills in what each party's roles amount to together, with what its users may do themselves.
pub fn fill_parties(parties: &mut [PartyReport], roles: &[RoleReport], users: &[UserReport]) {
    let by_arn: BTreeMap<&str, Vec<&RoleReport>> = roles.iter().fold(BTreeMap::new(), |mut by_arn, role| {
        by_arn.entry(role.arn.as_str()).or_insert_with(Vec::new).push(role);
        by_arn
    });
    for party in parties {
        let (mut before, mut after, mut known, mut unknown) = (Counts::default(), Counts::default(), 0_u64, 0_u64);
        // A role that was made anew is there twice, of which the inventory knows one.
        for role in party.roles.iter().flat_map(|arn| by_arn.get(arn.as_str()).into_iter().flatten()) {
            match &role.risk {
                Some(risk) => {
                    (before, after) = (before.plus(&risk.before), after.plus(&risk.after));
                    known += 1;
                }
                None => unknown += 1,
            }
        }
        for risk in users.iter().filter(|user| user.arn == party.id).filter_map(|user| user.risk.as_ref()) {
            (before, after) = (before.plus(&risk.before), after.plus(&risk.after));
            known += 1;
        }
        let BlastRadius { before, after } = BlastRadius { before: before.radius(), after: after.radius() };
        party.blast_radius = (known > 0).then_some(PartyBlastRadius { before, after, roles_not_known: unknown });
    }
}
