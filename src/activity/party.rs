//! A party: who stands behind a call, told apart by what the records and the directory prove.

use std::collections::BTreeSet;

use crate::aws::{AccountId, Arn};

use super::directory::{Directory, KnownKind};

/// What kind of party.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PartyKind {
    /// A named third party.
    Vendor,
    /// An account that nobody knows (S17).
    UnknownAccount,
    /// An OIDC or SAML provider and the subject it vouched for (S13).
    IdentityProvider,
    /// An IAM user of ours whose keys a third party holds (S16).
    IamUser,
    /// One of our own accounts (S17).
    OwnOrganization,
    /// AWS itself (S12, S17).
    AwsService,
    /// The evidence does not tell (S10): a party of its own, never a dropped record.
    Unresolved,
}

impl PartyKind {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::UnknownAccount => "unknown_account",
            Self::IdentityProvider => "identity_provider",
            Self::IamUser => "iam_user",
            Self::OwnOrganization => "own_organization",
            Self::AwsService => "aws_service",
            Self::Unresolved => "unresolved",
        }
    }

    /// Whether it stands outside: neither ours, nor AWS, nor unresolved.
    #[must_use]
    pub fn is_outside(self) -> bool {
        matches!(self, Self::Vendor | Self::UnknownAccount | Self::IdentityProvider | Self::IamUser)
    }
}

/// How a party came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Channel {
    /// Another account assumed the role.
    AssumeRole,
    /// A party's session assumed the role (S11).
    RoleChain,
    /// `AssumeRoleWithWebIdentity`.
    WebIdentity,
    /// `AssumeRoleWithSAML`.
    Saml,
    /// An IAM user's keys (S16).
    AccessKey,
    /// A certificate, by IAM Roles Anywhere.
    RolesAnywhere,
    /// No role: a resource policy let the account in (S15).
    ResourcePolicy,
    /// Temporary delegation of one of our own identities (S14).
    TemporaryDelegation,
    /// Not known.
    Unknown,
}

impl Channel {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AssumeRole => "assume_role",
            Self::RoleChain => "role_chain",
            Self::WebIdentity => "web_identity",
            Self::Saml => "saml",
            Self::AccessKey => "access_key",
            Self::RolesAnywhere => "roles_anywhere",
            Self::ResourcePolicy => "resource_policy",
            Self::TemporaryDelegation => "temporary_delegation",
            Self::Unknown => "unknown",
        }
    }
}

/// Who stands behind a call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Party {
    /// Account id, `<provider>/<subject>`, service name, or `unresolved`.
    pub id: String,
    /// What kind.
    pub kind: PartyKind,
    /// For people.
    pub name: String,
}

impl Party {
    /// The party that the evidence does not tell.
    #[must_use]
    pub fn unresolved() -> Self {
        Self { id: "unresolved".to_owned(), kind: PartyKind::Unresolved, name: "not attributed".to_owned() }
    }

    /// An AWS service by its principal, such as `lambda.amazonaws.com`.
    #[must_use]
    pub fn aws_service(principal: &str) -> Self {
        let id = if principal.is_empty() { "aws" } else { principal };
        Self { id: id.to_owned(), kind: PartyKind::AwsService, name: id.to_owned() }
    }

    /// An identity provider (ARN or URL) with the subject it vouched for (S13).
    ///
    /// AWS's own single sign-on writes its provider as `AWSSSO_..._DO_NOT_DELETE`: that is our own organization.
    #[must_use]
    pub fn identity_provider(provider: &str, subject: &str, role_account: AccountId) -> Self {
        let short = Arn::parse(provider).map_or(provider, |arn| {
            let resource = arn.resource;
            resource.strip_prefix("oidc-provider/").or(resource.strip_prefix("saml-provider/")).unwrap_or(resource)
        });
        if short.starts_with("AWSSSO_") {
            return Self::own(role_account);
        }
        let id = if subject.is_empty() { short.to_owned() } else { format!("{short}/{subject}") };
        let id = if id.is_empty() { "identity-provider".to_owned() } else { id };
        Self { name: provider_name(short).to_owned(), id, kind: PartyKind::IdentityProvider }
    }

    /// Who holds a certificate that IAM Roles Anywhere took for a role; `subject` is the session's source identity,
    /// `CN=...`.
    ///
    /// Source: IAM Roles Anywhere User Guide, "Trust model": the source identity is the certificate's common name.
    #[must_use]
    pub fn certificate(subject: &str) -> Self {
        let id = if subject.is_empty() { "rolesanywhere".to_owned() } else { format!("rolesanywhere/{subject}") };
        Self { id, kind: PartyKind::IdentityProvider, name: "IAM Roles Anywhere".to_owned() }
    }

    /// One of our own accounts.
    #[must_use]
    pub fn own(account: AccountId) -> Self {
        Self { id: account.to_string(), kind: PartyKind::OwnOrganization, name: "own organization".to_owned() }
    }
}

fn provider_name(short: &str) -> &str {
    match short.split('/').next().unwrap_or_default() {
        "token.actions.githubusercontent.com" => "GitHub Actions",
        "app.terraform.io" => "Terraform Cloud",
        "gitlab.com" => "GitLab",
        "agent.buildkite.com" => "Buildkite",
        "oidc.circleci.com" => "CircleCI",
        "accounts.google.com" => "Google",
        _ => short,
    }
}

/// Where the id of our own organization is not known.
pub static NO_ORGANIZATION: BTreeSet<String> = BTreeSet::new();

/// Tells accounts apart: ours, AWS's, a vendor's, nobody's.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    /// Ours (S17).
    pub own: &'a BTreeSet<AccountId>,
    /// The ids of our own organization, `o-...`; empty where it is not known.
    pub organizations: &'a BTreeSet<String>,
    /// Known vendors.
    pub directory: &'a Directory,
}

impl Accounts<'_> {
    /// The party behind an account.
    #[must_use]
    pub fn party(&self, account: AccountId) -> Party {
        if self.own.contains(&account) {
            return Party::own(account);
        }
        let id = account.to_string();
        match self.directory.lookup(account) {
            Some(known) => {
                let kind = match known.kind {
                    KnownKind::Vendor => PartyKind::Vendor,
                    KnownKind::AwsService => PartyKind::AwsService,
                };
                Party { id, kind, name: known.name.to_string() }
            }
            None => Party { name: format!("unknown account {id}"), id, kind: PartyKind::UnknownAccount },
        }
    }

    /// The party behind a provider and a subject: named by the user's own list where that knows the subject (S13).
    #[must_use]
    pub fn identity_provider(&self, provider: &str, subject: &str, role_account: AccountId) -> Party {
        let party = Party::identity_provider(provider, subject, role_account);
        match self.directory.listed().of_identity(&party.id) {
            Some(vendor) if party.kind == PartyKind::IdentityProvider => Party { name: vendor.name.clone(), ..party },
            _ => party,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S17: own accounts are no third parties, and an account nobody knows is not called a vendor.
    #[test]
    fn accounts_are_ours_or_known_or_unknown() {
        let own = BTreeSet::from([AccountId::parse("111122223333").unwrap()]);
        let accounts = Accounts { own: &own, organizations: &NO_ORGANIZATION, directory: Directory::builtin() };
        let kind = |id: &str| accounts.party(AccountId::parse(id).unwrap()).kind;
        assert_eq!(kind("111122223333"), PartyKind::OwnOrganization);
        assert_eq!(kind("464622532012"), PartyKind::Vendor);
        assert_eq!(kind("999988887777"), PartyKind::UnknownAccount);
    }

    /// S13: a federated party is the provider and the subject.
    #[test]
    fn federated_parties_are_provider_and_subject() {
        let account = AccountId::parse("111122223333").unwrap();
        let arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        let party = Party::identity_provider(arn, "repo:acme/app:ref:refs/heads/main", account);
        assert_eq!(party.id, "token.actions.githubusercontent.com/repo:acme/app:ref:refs/heads/main");
        assert_eq!(party.name, "GitHub Actions");
        let sso = "arn:aws:iam::111122223333:saml-provider/AWSSSO_0a1b_DO_NOT_DELETE";
        assert_eq!(Party::identity_provider(sso, "jane@example.com", account).kind, PartyKind::OwnOrganization);
    }
}
