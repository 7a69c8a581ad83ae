//! Whether a role lets in an identity that a provider vouches for, by its trust policy of today (S13, S40).

use std::collections::BTreeSet;

use crate::aws::wildcard::matches_exactly;
use crate::aws::{Action, Arn};
use crate::policy::context::Context;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::Decision;
use crate::policy::inventory::Inventory;
use crate::policy::trust::{Caller, trust_decision};

use super::super::assessment::RoleReport;

/// Whether the role may let in the identity `<issuer>/<subject>`, or one of those that it means when it has wildcards.
/// What a trust policy asks for beside the subject is for the provider to say, so it does not shut anybody out here.
pub(super) fn may_vouch(role: &RoleReport, id: &str, inventory: &Inventory) -> bool {
    let known = inventory.roles.get(&role.arn).filter(|known| known.id == role.role_id);
    let Some(trust) = known.and_then(|known| known.trust.parsed.as_ref().ok()) else { return false };
    let providers = role.trust.iter().filter(|entry| entry.outside && entry.kind == "federated");
    providers.map(|entry| entry.principal.as_str()).any(|provider| {
        let resource = Arn::parse(provider).map_or(provider, |arn| arn.resource);
        let saml = resource.strip_prefix("saml-provider/");
        let issuer = saml.or(resource.strip_prefix("oidc-provider/")).unwrap_or(resource);
        let subject = id.strip_prefix(issuer).and_then(|rest| rest.strip_prefix('/'));
        let (action, key) = match saml {
            Some(_) => ("sts:AssumeRoleWithSAML", "SAML:sub".to_owned()),
            None => ("sts:AssumeRoleWithWebIdentity", format!("{issuer}:sub")),
        };
        let action = Action::parse(action);
        subject.zip(action).is_some_and(|(subject, action)| {
            subjects(trust, &key, subject).iter().any(|subject| {
                let context = Context::partial().with(&key, [subject.as_str()]);
                let decision = trust_decision(trust, &action, Caller::Federated(provider), context).decision;
                matches!(decision, Decision::Allowed | Decision::Unknown)
            })
        })
    })
}

/// Subjects that a pattern means: one of its own making, and those that the trust policy names.
fn subjects(trust: &PolicyDocument, key: &str, pattern: &str) -> BTreeSet<String> {
    let filled = |text: &str| text.replace(['*', '?'], "x");
    let blocks = trust.statements.iter().flat_map(|statement| &statement.conditions);
    let named = blocks.filter(|block| block.key.eq_ignore_ascii_case(key)).flat_map(|block| &block.values);
    let named = named.map(|value| filled(value)).filter(|value| matches_exactly(pattern, value));
    named.chain([filled(pattern)]).collect()
}
