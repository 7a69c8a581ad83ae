//! Advice on sessions that are hard to follow: at most one sentence per role, and only where records show the need.
//!
//! Source: IAM User Guide, "Monitor and control actions taken with assumed roles": a source identity stays the same through
//! chains of roles and cannot be changed, unlike a session's name; to set one needs `sts:SetSourceIdentity` in the trust.

use crate::activity::party::Channel;
use crate::activity::sessions::Session;
use crate::aws::Action;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::matches_action;
use crate::policy::statement::{Effect, PrincipalMatch};

use super::assessment::TrustEntry;
use super::role::Subject;
use super::trust_steps::plural;

/// The sentence, if there is something to say.
#[must_use]
pub fn advice(trust: &PolicyDocument, entries: &[TrustEntry], subject: &Subject<'_, '_>) -> Option<String> {
    let outside: Vec<&Session<'_>> =
        subject.sessions.iter().copied().filter(|session| session.attributed.party.kind.is_outside()).collect();
    let unnamed = |wanted: &dyn Fn(&Session<'_>) -> bool| {
        outside.iter().filter(|session| session.source_identity.is_none() && wanted(session)).count() as u64
    };
    let hint = "a source identity (sts:SourceIdentity) stays the same through chains of roles, unlike a session's name";
    let chained = unnamed(&|session| session.attributed.channel == Channel::RoleChain);
    if chained > 0 {
        return Some(format!(
            "{} came through other roles without a source identity; {hint}: ask for one where the chain begins",
            plural(chained, "session")
        ));
    }
    let people = unnamed(&|session| is_address(&session.name));
    if people > 0 {
        return Some(format!(
            "{} of outsiders have a person's address as their name, which the caller chooses; {hint}: ask for one",
            plural(people, "session")
        ));
    }
    let assumed = outside.iter().filter(|session| session.attributed.channel == Channel::AssumeRole);
    let assumed = assumed.filter(|session| session.opened.is_some()).count() as u64;
    let unused = assumed > 0 && outside.iter().all(|session| session.source_identity.is_none());
    (unused && may_set(trust, entries)).then(|| {
        format!("the trust lets an outsider set a source identity, and none of its {} did", plural(assumed, "session"))
    })
}

/// Whether a statement lets an outsider set a source identity.
fn may_set(trust: &PolicyDocument, entries: &[TrustEntry]) -> bool {
    let Some(action) = Action::parse("sts:SetSourceIdentity") else { return false };
    let outside = |name: &String| entries.iter().any(|entry| entry.outside && entry.principal == *name);
    trust.statements.iter().any(|statement| {
        let PrincipalMatch::Principal(named) = &statement.principals else { return false };
        statement.effect == Effect::Allow
            && matches_action(&statement.actions, &action)
            && named.aws.iter().any(outside)
    })
}

/// Whether a session's name is a person's address: `name@domain.tld`.
fn is_address(name: &str) -> bool {
    name.split_once('@').is_some_and(|(person, domain)| {
        !person.is_empty() && !domain.contains('@') && domain.split('.').filter(|part| !part.is_empty()).count() > 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S11: who acts is told by an address, not by any name.
    #[test]
    fn addresses_are_told_from_names() {
        assert!(is_address("jane.doe@vendor.example"));
        for name in ["worker", "i-0123456789", "a@b", "@vendor.example", "x@y@z.example", "vendor@"] {
            assert!(!is_address(name), "{name}");
        }
    }
}
