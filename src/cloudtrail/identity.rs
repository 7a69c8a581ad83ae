//! `userIdentity`: who made the call, as the record tells it.
//!
//! Source of the shapes: AWS CloudTrail User Guide, "CloudTrail userIdentity element".

use crate::aws::window::{Time, parse_time};
use crate::aws::{AccountId, Arn};

use super::reader::Json;

/// `userIdentity.type`, as far as it makes a difference here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum IdentityKind {
    /// A role's session.
    AssumedRole,
    /// Another account; its own identities stay hidden (S9).
    AwsAccount,
    /// An AWS service on its own behalf (S12).
    AwsService,
    /// An IAM user.
    IamUser,
    /// The account's root user.
    Root,
    /// A session by `GetFederationToken`.
    FederatedUser,
    /// The caller of `AssumeRoleWithWebIdentity`.
    WebIdentityUser,
    /// The caller of `AssumeRoleWithSAML`.
    SamlUser,
    /// Any other type, or none.
    #[default]
    Other,
}

/// The role session behind a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoleSession<'a> {
    /// ARN of the role, with its path.
    pub role_arn: &'a str,
    /// `AROA...`: tells a role from another that had its name before (S18).
    pub role_id: &'a str,
    /// The account that owns the role.
    pub account: Option<AccountId>,
    /// The role's name.
    pub role_name: &'a str,
    /// The session's name, chosen by whoever opened it.
    pub session_name: &'a str,
    /// `creationDate` as written; see [`Self::created`].
    pub creation_date: &'a str,
    /// Whether the session was opened with MFA.
    pub mfa: bool,
}

/// Who made a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Identity<'a> {
    /// What kind of identity.
    pub kind: IdentityKind,
    /// `AROA..:session`, `AIDA..`, `vendor:...`.
    pub principal_id: &'a str,
    /// Its ARN; absent for other accounts.
    pub arn: &'a str,
    /// Its account.
    pub account: Option<AccountId>,
    /// The credentials; empty when the record does not tell.
    pub access_key: &'a str,
    /// An IAM user's or a federated user's name.
    pub user_name: &'a str,
    /// The service that called on the identity's behalf (S12).
    pub invoked_by: &'a str,
    /// The account that a temporary delegation let in (S14).
    pub delegate: Option<AccountId>,
    /// The identity provider of a federated caller (S13).
    pub provider: &'a str,
    /// The role session, for assumed roles.
    pub session: Option<RoleSession<'a>>,
    /// `sourceIdentity`, which lives on through chains (S11).
    pub source_identity: &'a str,
    /// The ARN of the IAM user for whom a federated user acts.
    pub federated_by: &'a str,
}

impl<'a> Identity<'a> {
    /// Reads `userIdentity`; what is missing stays empty.
    #[must_use]
    pub fn read(json: Json<'a>) -> Self {
        let mut identity = Self::default();
        let mut session = None;
        for (key, value) in json.members() {
            let text = value.as_str().unwrap_or_default();
            match key {
                "type" => identity.kind = kind_of(text),
                "principalId" => identity.principal_id = text,
                "arn" => identity.arn = text,
                "accountId" => identity.account = AccountId::parse(text),
                "accessKeyId" => identity.access_key = text,
                "userName" => identity.user_name = text,
                "invokedBy" => identity.invoked_by = text,
                "identityProvider" => identity.provider = text,
                "invokedByDelegate" => identity.delegate = value.text_at(&["accountId"]).and_then(AccountId::parse),
                "sessionContext" => session = Some(value),
                _ => {}
            }
        }
        if let Some(context) = session {
            identity.read_context(context);
        }
        identity
    }

    /// One pass over `sessionContext`; most records of a trail have one.
    fn read_context(&mut self, context: Json<'a>) {
        let (mut issuer, mut attributes) = (None, None);
        for (key, value) in context.members() {
            match key {
                "sourceIdentity" => self.source_identity = value.as_str().unwrap_or_default(),
                "sessionIssuer" => issuer = Some(value),
                "attributes" => attributes = Some(value),
                "webIdFederationData" if self.provider.is_empty() => {
                    self.provider = value.text_at(&["federatedProvider"]).unwrap_or_default();
                }
                _ => {}
            }
        }
        if self.kind == IdentityKind::FederatedUser {
            self.federated_by = issuer.and_then(|issuer| issuer.text_at(&["arn"])).unwrap_or_default();
        }
        if self.kind == IdentityKind::AssumedRole {
            self.session = Some(self.role_session(issuer, attributes));
        }
    }

    fn role_session(&self, issuer: Option<Json<'a>>, attributes: Option<Json<'a>>) -> RoleSession<'a> {
        // A plain search: the part before the colon is too short for the general one to pay.
        let colon = self.principal_id.bytes().position(|byte| byte == b':');
        let (id, session_name) = colon
            .and_then(|at| Some((self.principal_id.get(..at)?, self.principal_id.get(at + 1..)?)))
            .unwrap_or((self.principal_id, ""));
        let mut session = RoleSession {
            role_arn: "",
            role_id: id,
            account: self.account,
            role_name: "",
            session_name,
            creation_date: "",
            mfa: false,
        };
        for (key, value) in issuer.unwrap_or_default().members() {
            let text = value.as_str().unwrap_or_default();
            match key {
                "arn" => session.role_arn = text,
                "principalId" if !text.is_empty() => session.role_id = text,
                "accountId" => session.account = AccountId::parse(text).or(self.account),
                "userName" => session.role_name = text,
                _ => {}
            }
        }
        for (key, value) in attributes.unwrap_or_default().members() {
            match key {
                "creationDate" => session.creation_date = value.as_str().unwrap_or_default(),
                "mfaAuthenticated" => session.mfa = value.as_bool() == Some(true),
                _ => {}
            }
        }
        if session.role_name.is_empty() {
            let named = Arn::parse(self.arn).and_then(|arn| arn.assumed_role());
            session.role_name = named.map_or("", |(name, _)| name);
        }
        session
    }
}

impl<'a> Identity<'a> {
    /// The ARN of the IAM user or root user behind a call, and the id of its long-term key, empty without one (S16).
    #[must_use]
    pub fn user_key(&self) -> Option<(&'a str, &'a str)> {
        let (arn, key) = match self.kind {
            IdentityKind::IamUser | IdentityKind::Root => (self.arn, long_term(self.access_key)),
            IdentityKind::FederatedUser => (self.federated_by, ""),
            _ => return None,
        };
        is_user(arn).then_some((arn, key))
    }
}

/// Whether an ARN is that of an IAM user, or of an account's root user.
pub(super) fn is_user(arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| {
        let named = arn.resource == "root" || arn.resource.strip_prefix("user/").is_some_and(|name| !name.is_empty());
        arn.service == "iam" && arn.account_id().is_some() && named
    })
}

/// The id of a key that a user has until somebody deletes it; empty for temporary credentials.
///
/// Source: IAM User Guide, "IAM identifiers": `AKIA` begins the ids of access keys, `ASIA` those of STS.
pub(super) fn long_term(key: &str) -> &str {
    if key.starts_with("AKIA") { key } else { "" }
}

impl RoleSession<'_> {
    /// When the session was opened; read on demand, because most records are of sessions that are not kept.
    #[must_use]
    pub fn created(&self) -> Option<Time> {
        parse_time(self.creation_date)
    }
}

pub(super) fn kind_of(text: &str) -> IdentityKind {
    match text {
        "AssumedRole" => IdentityKind::AssumedRole,
        "AWSAccount" => IdentityKind::AwsAccount,
        "AWSService" => IdentityKind::AwsService,
        "IAMUser" => IdentityKind::IamUser,
        "Root" => IdentityKind::Root,
        "FederatedUser" => IdentityKind::FederatedUser,
        "WebIdentityUser" => IdentityKind::WebIdentityUser,
        "SAMLUser" => IdentityKind::SamlUser,
        _ => IdentityKind::Other,
    }
}
