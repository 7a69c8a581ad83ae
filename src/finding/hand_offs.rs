//! The hand-offs into one role, summed up by everything that a trust policy could tell apart, and asked again of a trust
//! policy (S37).
//!
//! Source: IAM User Guide, "AWS global condition context keys" (`aws:userid` is in every signed request) and "Principal key
//! values": `AROA...:session` for an assumed role, `AIDA...` for a user, which is what records show as `principalId` (S9).
//! For web identities `principalId` is `provider:audience:subject` (IAM User Guide, "Logging IAM and AWS STS API calls").

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::activity::opening::Opening;
use crate::aws::window::Time;
use crate::aws::{AccountId, Action, Arn, Fingerprint};
use crate::cloudtrail::handoff::HandOffKind;
use crate::cloudtrail::identity::IdentityKind;
use crate::evidence::limits;
use crate::evidence::session::HandOffSeen;
use crate::policy::context::Context;
use crate::policy::document::PolicyDocument;
use crate::policy::evaluate::Decision;
use crate::policy::statement::PrincipalMatch;
use crate::policy::trust::{Caller, trust_decision};

/// Bytes of a kept text that was certainly not cut.
const WHOLE_BYTES: usize = limits::TEXT_BYTES - 4;

/// Who asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum By {
    /// Somebody of another account, whose name the record does not tell (S9).
    Account(AccountId),
    /// A principal with its name.
    Arn(String),
    /// An identity that a provider vouches for.
    Federated(String),
    /// An AWS service.
    Service(String),
    /// The record does not tell.
    Nobody,
}

/// A way in which hand-offs came.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Way {
    /// Who asked.
    pub by: By,
    /// By which API.
    pub kind: HandOffKind,
    /// `aws:userid`, or empty; of a role without the session's name, unless the trust policy asks for it.
    pub user_id: String,
    /// The subject that a provider vouched for.
    pub subject: String,
    /// The audience of the token, where the record tells.
    pub audience: Option<String>,
    /// The external id that was sent.
    pub external_id: Option<Fingerprint>,
}

/// How often and when hand-offs came in one way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Times {
    /// How many.
    pub hand_offs: u64,
    /// Days on which some came.
    pub days: BTreeSet<NaiveDate>,
    /// The first.
    pub first: Time,
    /// The last.
    pub last: Time,
    /// The event of the first.
    pub event_id: String,
}

impl Times {
    /// One hand-off.
    #[must_use]
    pub fn once(time: Time, event_id: &str) -> Self {
        let days = BTreeSet::from([time.date_naive()]);
        Self { hand_offs: 1, days, first: time, last: time, event_id: event_id.to_owned() }
    }

    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.hand_offs += other.hand_offs;
        self.days.extend(&other.days);
        if (other.first, &other.event_id) < (self.first, &self.event_id) {
            (self.first, self.event_id) = (other.first, other.event_id.clone());
        }
        self.last = self.last.max(other.last);
    }
}

/// All ways.
pub type Ways = BTreeMap<Way, Times>;

/// The ways in which successful hand-offs came; `trust` tells whether session names matter.
#[must_use]
pub fn ways<'a, 'e: 'a>(openings: impl Iterator<Item = &'a Opening<'e>>, trust: &PolicyDocument) -> Ways {
    let by_session = tells_sessions(trust);
    let mut ways = Ways::new();
    for opening in openings {
        let times = Times::once(opening.time(), &opening.record.event_id);
        let way = way(opening.record, opening.external_id, by_session);
        ways.entry(way).and_modify(|known| known.add(&times)).or_insert(times);
    }
    ways
}

/// The ways in which hand-offs were asked for that were refused.
#[must_use]
pub fn refused_ways<'a>(records: impl Iterator<Item = &'a HandOffSeen>, trust: &PolicyDocument) -> Ways {
    let by_session = tells_sessions(trust);
    let mut ways = Ways::new();
    for record in records {
        let times = Times::once(record.time, &record.event_id);
        let way = way(record, record.external_id.as_ref(), by_session);
        ways.entry(way).and_modify(|known| known.add(&times)).or_insert(times);
    }
    ways
}

/// Whether the trust policy may ask for the names of sessions.
fn tells_sessions(trust: &PolicyDocument) -> bool {
    trust.as_value().to_string().to_ascii_lowercase().contains("aws:userid")
}

fn way(record: &HandOffSeen, external_id: Option<&Fingerprint>, by_session: bool) -> Way {
    let caller = &record.caller;
    let by = match (record.kind, caller.kind, caller.account) {
        (HandOffKind::WebIdentity | HandOffKind::Saml, ..) if record.provider.is_empty() => By::Nobody,
        (HandOffKind::WebIdentity | HandOffKind::Saml, ..) => By::Federated(record.provider.to_string()),
        (_, IdentityKind::AwsService, _) => By::Service(caller.invoked_by.to_string()),
        (_, kind, _) if kind != IdentityKind::AwsAccount && !caller.arn.is_empty() => By::Arn(caller.arn.to_string()),
        (_, _, Some(account)) => By::Account(account),
        _ => By::Nobody,
    };
    let id: &str = &caller.principal_id;
    let is_whole = id.len() <= WHOLE_BYTES;
    let user_id = match id.split_once(':') {
        _ if record.kind != HandOffKind::AssumeRole || !is_whole => "",
        Some((role, _)) if !by_session => role,
        _ => id,
    };
    let web = record.kind == HandOffKind::WebIdentity && is_whole;
    let audience = id.strip_prefix(&*record.provider).and_then(|rest| rest.strip_prefix(':'));
    let audience = audience.and_then(|rest| rest.strip_suffix(&*record.subject)?.strip_suffix(':'));
    Way {
        by,
        kind: record.kind,
        user_id: user_id.to_owned(),
        subject: if record.subject.len() <= WHOLE_BYTES { record.subject.to_string() } else { String::new() },
        audience: audience.filter(|audience| web && !audience.is_empty()).map(str::to_owned),
        external_id: external_id.cloned(),
    }
}

impl Way {
    /// The account that asked.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match &self.by {
            By::Account(account) => Some(*account),
            By::Arn(arn) => Arn::parse(arn).and_then(|arn| arn.account_id()),
            _ => None,
        }
    }

    /// The caller's unique id: of the role, or of the user.
    #[must_use]
    pub fn caller_id(&self) -> &str {
        self.user_id.split_once(':').map_or(&self.user_id, |(role, _)| role)
    }

    /// Whether a trust policy's principal may be meant for it: its account's, its provider, its service, everybody.
    #[must_use]
    pub fn is_meant_by(&self, principals: &PrincipalMatch) -> bool {
        let PrincipalMatch::Principal(named) = principals else { return true };
        let account = self.account();
        let of_account = |name: &String| name == "*" || (account.is_some() && account == account_of(name));
        named.anyone
            || named.aws.iter().any(of_account)
            || matches!(&self.by, By::Federated(provider) if named.federated.iter().any(|name| name == provider))
            || matches!(&self.by, By::Service(service) if named.service.contains(service))
            || self.by == By::Nobody
    }

    /// Whether conditions on what this way shows are known to hold; `stand_in` is what was sent as the external id.
    #[must_use]
    pub fn context(&self, stand_in: Option<&str>) -> Context {
        let mut context = Context::partial();
        context = match stand_in {
            Some(id) => context.with("sts:ExternalId", [id]),
            None => context.without("sts:ExternalId"),
        };
        if !self.user_id.is_empty() {
            let session = if self.user_id.starts_with("AROA") && !self.user_id.contains(':') { ":session" } else { "" };
            context = context.with("aws:userid", [format!("{}{session}", self.user_id)]);
        }
        if let Some(account) = self.account() {
            context = context.with("aws:PrincipalAccount", [account.as_str()]);
        }
        // Source: IAM User Guide, "Available keys for SAML-based federation": `SAML:sub` is the subject of the assertion.
        if self.kind == HandOffKind::Saml && !self.subject.is_empty() {
            context = context.with("SAML:sub", [self.subject.as_str()]);
        }
        if let (By::Federated(provider), HandOffKind::WebIdentity) = (&self.by, self.kind) {
            let issuer = issuer(provider);
            if !self.subject.is_empty() {
                context = context.with(&format!("{issuer}:sub"), [self.subject.as_str()]);
            }
            if let Some(audience) = &self.audience {
                context = context.with(&format!("{issuer}:aud"), [audience.as_str()]);
            }
        }
        context
    }

    /// How a trust policy decides it, for each principal that the caller may have been; `named_by` names these.
    #[must_use]
    pub fn decisions(
        &self,
        trust: &PolicyDocument,
        named_by: &PolicyDocument,
        stand_in: Option<&str>,
    ) -> Vec<Decision> {
        let name = match self.kind {
            HandOffKind::AssumeRole => "sts:AssumeRole",
            HandOffKind::WebIdentity => "sts:AssumeRoleWithWebIdentity",
            HandOffKind::Saml => "sts:AssumeRoleWithSAML",
        };
        let Some(action) = Action::parse(name) else { return Vec::new() };
        let context = self.context(stand_in);
        let decide = |caller: Caller<'_>| trust_decision(trust, &action, caller, context.clone()).decision;
        let mut found = match &self.by {
            By::Account(account) => vec![decide(Caller::Account(*account))],
            By::Arn(arn) => vec![decide(Caller::Arn(arn))],
            By::Federated(provider) => vec![decide(Caller::Federated(provider))],
            By::Service(service) => vec![decide(Caller::Service(service))],
            By::Nobody => Vec::new(),
        };
        found.extend(self.may_be(named_by).iter().map(|arn| decide(Caller::Arn(arn))));
        found
    }

    /// Principals that the trust policy names and the caller may have been: records of other accounts tell no name, and
    /// those of sessions leave out the path of the role (S19).
    fn may_be(&self, trust: &PolicyDocument) -> BTreeSet<String> {
        let Some(account) = self.account() else { return BTreeSet::new() };
        let role = match &self.by {
            By::Arn(arn) => match Arn::parse(arn).and_then(|arn| arn.assumed_role().map(|(role, _)| role.to_owned())) {
                Some(role) => Some(role),
                None => return BTreeSet::new(),
            },
            _ => None,
        };
        let named = trust.statements.iter().flat_map(|statement| {
            let principals = match &statement.principals {
                PrincipalMatch::Principal(named) | PrincipalMatch::NotPrincipal(named) => named.aws.as_slice(),
                PrincipalMatch::None => &[],
            };
            let compared =
                statement.conditions.iter().filter(|block| block.key.eq_ignore_ascii_case("aws:PrincipalArn"));
            principals.iter().chain(compared.flat_map(|block| &block.values))
        });
        let fits = |name: &&String| {
            let Some(arn) = Arn::parse(name).filter(|_| !name.contains(['*', '?'])) else { return false };
            let is_whole = arn.resource == "root";
            arn.account_id() == Some(account)
                && !is_whole
                && role.as_deref().is_none_or(|role| arn.role_name() == Some(role))
        };
        named.filter(fits).cloned().collect()
    }
}

/// The account that a principal of a trust policy is of, or is.
#[must_use]
pub fn account_of(principal: &str) -> Option<AccountId> {
    AccountId::parse(principal).or_else(|| Arn::parse(principal).and_then(|arn| arn.account_id()))
}

/// The issuer by which a provider's condition keys begin.
#[must_use]
pub fn issuer(provider: &str) -> &str {
    let resource = Arn::parse(provider).map_or(provider, |arn| arn.resource);
    resource.strip_prefix("oidc-provider/").unwrap_or(resource)
}
