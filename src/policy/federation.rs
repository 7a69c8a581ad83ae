//! How many identities of an OIDC provider a trust policy lets in (S40).
//!
//! Providers such as GitHub vouch for everybody who has an account there, so a trust must say whose tokens are meant, by
//! the subject (`sub`). Source: IAM User Guide, "Create a role for OpenID Connect federation", and GitHub's, GitLab's and
//! HashiCorp's own guides on the form of their subjects.

use super::context::Context;
use super::document::PolicyDocument;
use super::evaluate::Decision;
use super::statement::Effect;
use super::trust::{Caller, trust_decision};
use crate::aws::{Action, Arn};

/// A provider that vouches for customers of many companies.
struct Shared {
    issuer: &'static str,
    /// A subject that nobody means.
    stranger: &'static str,
    /// What a subject begins with, and what ends the owner's name in it.
    owner: Option<(&'static str, char)>,
    /// Whether the audience is something of one's own that strangers cannot have tokens for: an identity pool, a client.
    own_audience: bool,
}

const SHARED: [Shared; 9] = [
    Shared {
        issuer: "token.actions.githubusercontent.com",
        stranger: "repo:stranger-7f3a9c/stranger-7f3a9c:ref:refs/heads/main",
        owner: Some(("repo:", '/')),
        own_audience: false,
    },
    Shared {
        issuer: "gitlab.com",
        stranger: "project_path:stranger-7f3a9c/stranger-7f3a9c:ref_type:branch:ref:main",
        owner: Some(("project_path:", '/')),
        own_audience: false,
    },
    Shared {
        issuer: "app.terraform.io",
        stranger: "organization:stranger-7f3a9c:project:stranger:workspace:stranger:run_phase:apply",
        owner: Some(("organization:", ':')),
        own_audience: false,
    },
    Shared {
        issuer: "agent.buildkite.com",
        stranger: "organization:stranger-7f3a9c:pipeline:x",
        owner: Some(("organization:", ':')),
        own_audience: false,
    },
    Shared { issuer: "accounts.google.com", stranger: "100000000000000000001", owner: None, own_audience: true },
    Shared { issuer: "cognito-identity.amazonaws.com", stranger: "stranger-7f3a9c", owner: None, own_audience: true },
    Shared { issuer: "www.amazon.com", stranger: "stranger-7f3a9c", owner: None, own_audience: true },
    Shared { issuer: "graph.facebook.com", stranger: "stranger-7f3a9c", owner: None, own_audience: true },
    Shared {
        issuer: "oidc.vercel.com",
        stranger: "owner:stranger-7f3a9c:project:x:environment:production",
        owner: Some(("owner:", ':')),
        own_audience: false,
    },
];

/// How wide a trust in a shared provider is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reach {
    /// One customer of the provider as a whole: every repository, every workspace.
    WholeOwner,
    /// Everybody whose name begins in some way.
    SomeNames,
    /// Everybody whom the provider vouches for.
    Anyone,
}

impl Reach {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::WholeOwner => "whole_owner",
            Self::SomeNames => "some_names",
            Self::Anyone => "anyone",
        }
    }
}

/// How wide the trust in `provider` (as written: an ARN or a host) is; `None` where it is bound to what somebody named,
/// where other conditions may bind it, and for providers that vouch for one company only.
#[must_use]
pub fn reach(trust: &PolicyDocument, provider: &str) -> Option<Reach> {
    let issuer = Arn::parse(provider).map_or(provider, |arn| arn.resource);
    let issuer = issuer.strip_prefix("oidc-provider/").unwrap_or(issuer);
    let shared = SHARED.iter().find(|shared| shared.issuer.eq_ignore_ascii_case(issuer))?;
    let action = Action::parse("sts:AssumeRoleWithWebIdentity")?;
    let (sub, aud) = (format!("{issuer}:sub"), format!("{issuer}:aud"));
    let mut audiences: Vec<Option<&str>> = vec![None];
    if !shared.own_audience {
        // Whoever asks for a token names its audience.
        audiences = values(trust, &aud).chain(["sts.amazonaws.com"]).map(Some).collect();
    }
    let lets_in = |subject: &str| {
        audiences.iter().any(|audience| {
            let context = Context::partial().with(&sub, [subject]);
            let context = audience.map_or(context.clone(), |audience| context.with(&aud, [audience]));
            trust_decision(trust, &action, Caller::Federated(provider), context).decision == Decision::Allowed
        })
    };
    if lets_in(shared.stranger) {
        return Some(Reach::Anyone);
    }
    let (begin, end) = shared.owner?;
    let wide = values(trust, &sub).filter_map(|pattern| Some((pattern, reach_of(pattern, begin, end)?)));
    // Somebody whom the pattern fits, and nobody means.
    let fitting = |pattern: &str| pattern.replace('*', "stranger-7f3a9c").replace('?', "0");
    wide.filter(|(pattern, _)| lets_in(&fitting(pattern))).map(|(_, reach)| reach).max()
}

/// How wide a pattern of subjects is, by what stands before its first wildcard.
fn reach_of(pattern: &str, begin: &str, end: char) -> Option<Reach> {
    let (head, _) = pattern.split_at_checked(pattern.find(['*', '?'])?)?;
    let Some(owner) = head.strip_prefix(begin) else {
        return begin.starts_with(head).then_some(Reach::Anyone);
    };
    match owner.split_once(end) {
        None if owner.is_empty() => Some(Reach::Anyone),
        None => Some(Reach::SomeNames),
        Some((_, "" | "project:" | "pipeline:")) => Some(Reach::WholeOwner),
        Some(_) => None,
    }
}

/// The values that `Allow` statements compare a key with.
fn values<'a>(trust: &'a PolicyDocument, key: &'a str) -> impl Iterator<Item = &'a str> {
    let allows = trust.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let blocks = allows.flat_map(|statement| &statement.conditions).filter(|block| block.key.eq_ignore_ascii_case(key));
    blocks.flat_map(|block| &block.values).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn github(conditions: Value) -> Option<Reach> {
        let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        of(provider, conditions)
    }

    fn of(provider: &str, conditions: Value) -> Option<Reach> {
        let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}});
        reach(&trust.to_string().parse().unwrap(), provider)
    }

    fn like(subject: &str) -> Value {
        json!({"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
            "StringLike": {"token.actions.githubusercontent.com:sub": subject}})
    }

    /// S40: who is let in is found by asking for a stranger, and by what the subject leaves open.
    #[test]
    fn subjects_bind_or_do_not() {
        let audience = json!({"StringEquals": {"token.actions.githubusercontent.com:AUD": "sts.amazonaws.com"}});
        for (conditions, expected) in [
            (audience, Some(Reach::Anyone)),
            (json!({}), Some(Reach::Anyone)),
            (like("*"), Some(Reach::Anyone)),
            (like("repo:*"), Some(Reach::Anyone)),
            (like("repo:*:ref:refs/heads/main"), Some(Reach::Anyone)),
            (like("repo:acme*"), Some(Reach::SomeNames)),
            (like("repo:acme/*"), Some(Reach::WholeOwner)),
            (like("repo:acme/shop:*"), None),
            (like("repo:acme/shop:ref:refs/heads/main"), None),
            (like("*:environment:production"), Some(Reach::Anyone)),
            (like("repo:*/infra:*"), Some(Reach::Anyone)),
            // Equal to a text with a star in it is nobody.
            (json!({"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}), None),
            // Somebody else's condition may bind it.
            (json!({"StringEquals": {"token.actions.githubusercontent.com:repository_owner_id": "7"}}), None),
        ] {
            assert_eq!(github(conditions.clone()), expected, "{conditions}");
        }
    }

    /// S40: a provider of one company vouches for that company alone.
    #[test]
    fn only_shared_providers_let_strangers_in() {
        assert_eq!(of("arn:aws:iam::111122223333:oidc-provider/idp.acme.example", json!({})), None);
        assert_eq!(of("arn:aws:iam::111122223333:saml-provider/Okta", json!({})), None);
        assert_eq!(of("accounts.google.com", json!({})), Some(Reach::Anyone));
        // A client's tokens are for those whom the client lets in.
        assert_eq!(of("accounts.google.com", json!({"StringEquals": {"accounts.google.com:aud": "client"}})), None);
        let terraform = "arn:aws:iam::111122223333:oidc-provider/app.terraform.io";
        let subject = |text: &str| json!({"StringLike": {"app.terraform.io:sub": text}});
        assert_eq!(of(terraform, subject("organization:acme:*")), Some(Reach::WholeOwner));
        assert_eq!(of(terraform, subject("organization:acme:project:*")), Some(Reach::WholeOwner));
        assert_eq!(of(terraform, subject("organization:acme:project:shop:workspace:*:run_phase:*")), None);
    }
}
