//! Whom a role's trust policy lets in, principal by principal.

use std::collections::BTreeSet;

use super::context::Context;
use super::document::PolicyDocument;
use super::evaluate::Decision;
use super::id_demand::{ExternalIdDemand, demand};
use super::statement::{Effect, PrincipalMatch, Statement};
use super::trust::{Caller, trust_decision};
use crate::aws::{AccountId, Action, Arn, ROLES_ANYWHERE};

/// The action by which one role assumes another; always well formed.
#[must_use]
pub fn assume_role() -> Option<Action> {
    Action::parse("sts:AssumeRole")
}

/// What kind of principal a trust policy names (S40).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PrincipalKind {
    /// A whole account.
    AccountRoot,
    /// One role, or a session of it.
    Role,
    /// One user.
    User,
    /// `*`.
    Anyone,
    /// Everybody of one organization, as a condition on everybody says.
    Organization,
    /// An OIDC or SAML provider.
    Federated,
    /// An AWS service.
    Service,
    /// An S3 canonical user id.
    CanonicalUser,
    /// The unique id that a deleted principal leaves behind.
    Deleted,
    /// Anything else.
    Other,
}

impl PrincipalKind {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AccountRoot => "account_root",
            Self::Role => "role",
            Self::User => "user",
            Self::Anyone => "anyone",
            Self::Organization => "organization",
            Self::Federated => "federated",
            Self::Service => "service",
            Self::CanonicalUser => "canonical_user",
            Self::Deleted => "deleted",
            Self::Other => "other",
        }
    }
}

/// One principal that may come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    /// As written; of an organization its id.
    pub principal: String,
    /// Its kind.
    pub kind: PrincipalKind,
    /// Its account; none for identity providers and services.
    pub account: Option<AccountId>,
    /// Only for principals of accounts.
    pub external_id: Option<ExternalIdDemand>,
    /// Whether it may be let in at all, for all that is known; for `*` whether somebody may whom no condition names.
    pub open: bool,
    /// Whether the statements that let it in let in nobody of other accounts.
    pub alone: bool,
}

/// The principals that a trust policy's `Allow` statements name, sorted, each once. Where everybody is named, so are the
/// accounts and principals that conditions name and that are let in; and the organizations, unless everybody is.
#[must_use]
pub fn admissions(trust: &PolicyDocument) -> Vec<Admission> {
    let mut found: Vec<Admission> = Vec::new();
    for statement in trust.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        for (principal, kind) in principals_of(statement) {
            if kind == PrincipalKind::Anyone {
                let named = named_in_conditions(trust).into_iter();
                let named = named.map(|one| admission(trust, aws_kind(&one), one));
                found.extend(named.filter(|one| one.open));
            }
            let one = admission(trust, kind, principal);
            if kind == PrincipalKind::Anyone && !one.open {
                let organizations = organizations_let_in(trust).into_iter();
                found.extend(organizations.map(|id| admission(trust, PrincipalKind::Organization, id)));
            }
            found.push(one);
        }
    }
    found.sort_by(|a, b| (&a.principal, a.kind).cmp(&(&b.principal, b.kind)));
    found.dedup_by(|a, b| (&a.principal, a.kind) == (&b.principal, b.kind));
    found
}

fn admission(trust: &PolicyDocument, kind: PrincipalKind, principal: String) -> Admission {
    // A provider's ARN lies in our own account, and tells nothing about whom it vouches for.
    let account = if kind == PrincipalKind::Federated { None } else { account_of(&principal) };
    let external_id = is_aws(kind).then(|| demand(trust, &principal, account));
    let open = !is_aws(kind) || admits(trust, &principal, account, &of_no_organization);
    let alone = admitting(trust, &principal).all(|statement| {
        let of_account = |text: &str| account.is_some() && account_of(text) == account;
        principals_of(statement).iter().all(|(text, _)| of_account(text))
    });
    Admission { principal, kind, account, external_id, open, alone }
}

/// A caller of another organization: by `aws:PrincipalOrgID` one lets in one's own.
pub(super) fn of_no_organization(context: Context) -> Context {
    context
        .with("aws:PrincipalOrgID", ["o-0000000000"])
        .with("aws:PrincipalOrgPaths", ["o-0000000000/r-0000/ou-0000-00000000/"])
}

/// The organizations that conditions name and whose accounts, whichever they are, may be let in.
fn organizations_let_in(trust: &PolicyDocument) -> BTreeSet<String> {
    let conditions = trust.statements.iter().flat_map(|statement| &statement.conditions);
    let about = |key: &str, one: &str| one.eq_ignore_ascii_case(key);
    let mut found = BTreeSet::new();
    for block in conditions {
        let is_path = about(&block.key, "aws:PrincipalOrgPaths");
        if !is_path && !about(&block.key, "aws:PrincipalOrgID") {
            continue;
        }
        for value in &block.values {
            let id = value.split('/').next().unwrap_or_default();
            let path = if is_path { value.replace(['*', '?'], "x") } else { format!("{id}/r-0000/") };
            let member = |context: Context| {
                context.with("aws:PrincipalOrgID", [id]).with("aws:PrincipalOrgPaths", [path.as_str()])
            };
            if id.starts_with("o-") && !id.contains(['*', '?', '$']) && admits(trust, "*", None, &member) {
                found.insert(id.to_owned());
            }
        }
    }
    found
}

/// What statements compare the caller's account or ARN with: a denial of all but some names these, too.
fn compared_callers(trust: &PolicyDocument) -> impl Iterator<Item = &str> {
    let about =
        |key: &str| ["aws:PrincipalAccount", "aws:PrincipalArn"].iter().any(|one| one.eq_ignore_ascii_case(key));
    let conditions = trust.statements.iter().flat_map(|statement| &statement.conditions);
    let blocks = conditions.filter(move |block| about(&block.key));
    let excepted = trust.statements.iter().filter_map(|statement| match &statement.principals {
        PrincipalMatch::NotPrincipal(excepted) if statement.effect == Effect::Deny => Some(&excepted.aws),
        _ => None,
    });
    blocks.flat_map(|block| &block.values).chain(excepted.flatten()).map(String::as_str)
}

/// The accounts and principals among them; of a pattern, its account.
fn named_in_conditions(trust: &PolicyDocument) -> BTreeSet<String> {
    let named = compared_callers(trust).filter_map(|value| {
        let account = account_of(value)?;
        Some(if value.contains(['*', '?']) { account.to_string() } else { value.to_owned() })
    });
    named.collect()
}

/// Callers whom nobody means: of an account that no policy names, with names that fit the patterns of conditions.
pub(super) fn strangers(trust: &PolicyDocument) -> Vec<String> {
    const NOBODY: &str = "000000000000";
    let mut found = vec![format!("arn:aws:iam::{NOBODY}:role/anyone")];
    for value in compared_callers(trust).filter(|value| value.contains(['*', '?']) && account_of(value).is_none()) {
        let filled = |text: &str, by: &str| text.replace('*', by).replace('?', "0");
        match Arn::parse(value) {
            Some(arn) => {
                let account = format!("{:0<12}", filled(arn.account, ""));
                found.push(format!("arn:aws:iam::{account}:{}", filled(arn.resource, "x")));
            }
            None if value.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '?') => {
                found.push(format!("arn:aws:iam::{:0<12}:role/anyone", filled(value, "")));
            }
            None => {
                let rest = value.trim_start_matches('*').trim_start_matches(':');
                found.push(format!("arn:aws:iam::{NOBODY}:{}", filled(rest, "x")));
            }
        }
    }
    found
}

pub(super) fn is_aws(kind: PrincipalKind) -> bool {
    matches!(kind, PrincipalKind::AccountRoot | PrincipalKind::Role | PrincipalKind::User | PrincipalKind::Anyone)
}

pub(super) fn account_of(principal: &str) -> Option<AccountId> {
    AccountId::parse(principal).or_else(|| Arn::parse(principal).and_then(|arn| arn.account_id()))
}

fn principals_of(statement: &Statement) -> Vec<(String, PrincipalKind)> {
    let named = match &statement.principals {
        PrincipalMatch::Principal(named) => named,
        // Everybody but those named: as good as anyone.
        PrincipalMatch::NotPrincipal(_) => return vec![("*".to_owned(), PrincipalKind::Anyone)],
        PrincipalMatch::None => return Vec::new(),
    };
    let mut found = Vec::new();
    if named.anyone {
        found.push(("*".to_owned(), PrincipalKind::Anyone));
    }
    found.extend(named.aws.iter().map(|text| (text.clone(), aws_kind(text))));
    let others = [
        (&named.federated, PrincipalKind::Federated),
        (&named.service, PrincipalKind::Service),
        (&named.canonical_user, PrincipalKind::CanonicalUser),
    ];
    for (names, kind) in others {
        found.extend(names.iter().map(|text| (text.clone(), kind)));
    }
    found
}

pub(super) fn aws_kind(text: &str) -> PrincipalKind {
    if text == "*" {
        return PrincipalKind::Anyone;
    }
    if AccountId::parse(text).is_some() {
        return PrincipalKind::AccountRoot;
    }
    match Arn::parse(text) {
        Some(arn) if arn.resource == "root" => PrincipalKind::AccountRoot,
        Some(arn) if arn.resource.starts_with("role/") || arn.resource.starts_with("assumed-role/") => {
            PrincipalKind::Role
        }
        Some(arn) if arn.resource.starts_with("user/") => PrincipalKind::User,
        Some(_) => PrincipalKind::Other,
        // Source: IAM User Guide, "Unique identifiers": AROA, AIDA, AGPA, ... replace the ARN of a deleted principal.
        None => PrincipalKind::Deleted,
    }
}

/// The `Allow` statements that name a principal, or everybody.
pub(super) fn admitting<'a>(trust: &'a PolicyDocument, principal: &'a str) -> impl Iterator<Item = &'a Statement> {
    let names = move |(text, _): &(String, PrincipalKind)| text == principal || text == "*";
    trust
        .statements
        .iter()
        .filter(move |statement| statement.effect == Effect::Allow && principals_of(statement).iter().any(names))
}

/// External ids that nobody agreed on, in forms that patterns of real ones have.
pub(super) const STRANGE_IDS: [&str; 2] = ["stranger-7f3a9c51e0b8", "b8e07f3a-9c51-4d2e-8f60-7f3a9c51e0b8"];

/// Whether `principal` may be let in, for all that is known of the context.
pub(super) fn admits(
    trust: &PolicyDocument,
    principal: &str,
    account: Option<AccountId>,
    context: &dyn Fn(Context) -> Context,
) -> bool {
    let Some(action) = assume_role() else { return true };
    let lets_in = |caller: Caller<'_>| {
        let decision = trust_decision(trust, &action, caller, context(Context::partial())).decision;
        matches!(decision, Decision::Allowed | Decision::Unknown)
    };
    match (aws_kind(principal), account) {
        (PrincipalKind::Role | PrincipalKind::User, _) => lets_in(Caller::Arn(principal)),
        (_, Some(account)) => lets_in(Caller::Account(account)),
        _ => strangers(trust).iter().any(|arn| lets_in(Caller::Arn(arn))),
    }
}

/// Whether one admission is of an outsider: neither one of `own`, nor an AWS service, nor our own sign-on, nor of our
/// organization. Where that is not known (`organizations` is empty), none that a condition names is called an outsider.
#[must_use]
pub fn is_outside(admission: &Admission, own: &BTreeSet<AccountId>, organizations: &BTreeSet<String>) -> bool {
    match admission.kind {
        // Whoever has a certificate comes in through this service.
        PrincipalKind::Service => admission.principal == ROLES_ANYWHERE,
        PrincipalKind::Deleted => false,
        PrincipalKind::Organization => !organizations.is_empty() && !organizations.contains(&admission.principal),
        PrincipalKind::Federated => !admission.principal.contains(":saml-provider/AWSSSO_"),
        PrincipalKind::Anyone => admission.open,
        _ => admission.account.is_none_or(|account| !own.contains(&account)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn trust(statements: Value) -> PolicyDocument {
        PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
    }

    fn allow(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition})
    }

    fn check(statements: Value, required: bool, matching: &str) {
        let found = admissions(&trust(statements.clone()));
        let demand = found[0].external_id.as_ref().unwrap();
        assert_eq!((demand.required, demand.matching), (required, matching), "{statements}");
    }

    /// S40: whether a call without external id is refused is found by evaluating.
    #[test]
    fn external_id_is_required_only_if_no_statement_lets_in_without() {
        let vendor = json!({"AWS": "arn:aws:iam::464622532012:root"});
        let id = |operator: &str| json!({operator: {"STS:externalid": "7f9c1d1e"}});
        check(json!([allow(vendor.clone(), id("StringEquals"))]), true, "exact");
        check(json!([allow(vendor.clone(), id("StringEqualsIfExists"))]), false, "if_exists");
        check(json!([allow(vendor.clone(), json!({"StringLike": {"sts:ExternalId": "*"}}))]), true, "pattern");
        check(json!([allow(vendor.clone(), json!({}))]), false, "none");
        check(json!([allow(vendor.clone(), json!({"Null": {"sts:ExternalId": "false"}}))]), true, "none");
        let both = [
            allow(vendor.clone(), json!({"StringLike": {"sts:ExternalId": "a-*"}})),
            allow(vendor.clone(), id("StringEquals")),
        ];
        check(json!(both), true, "pattern");
        check(json!([both[1], both[0]]), true, "pattern");
        check(json!([allow(vendor.clone(), id("StringEquals")), allow(vendor, json!({}))]), false, "exact");
    }

    /// S40: principals are told apart.
    #[test]
    fn principals_have_their_kind() {
        let kinds: Vec<&str> = admissions(&trust(json!([allow(
            json!({"AWS": ["*", "464622532012", "arn:aws:iam::464622532012:role/x", "AROAEXAMPLE"], "Service": "ec2.amazonaws.com"}),
            json!({})
        )])))
        .iter()
        .map(|admission| admission.kind.word())
        .collect();
        assert_eq!(kinds, ["anyone", "account_root", "deleted", "role", "service"]);
    }

    /// S40: everybody is named, and conditions say who is meant.
    #[test]
    fn conditions_say_who_everybody_is() {
        let own = BTreeSet::from([AccountId::parse("111122223333").unwrap()]);
        let outside = |condition: Value| -> Vec<String> {
            let found = admissions(&trust(json!([allow(json!("*"), condition)])));
            found.into_iter().filter(|one| is_outside(one, &own, &BTreeSet::new())).map(|one| one.principal).collect()
        };
        let equals = |key: &str, value: Value| json!({"StringEquals": {key: value}});
        assert_eq!(outside(json!({})), ["*"]);
        assert_eq!(outside(equals("aws:PrincipalOrgID", json!("o-ours"))), [] as [&str; 0]);
        assert_eq!(outside(equals("aws:principalaccount", json!("111122223333"))), [] as [&str; 0]);
        let accounts = json!(["111122223333", "464622532012"]);
        assert_eq!(outside(equals("aws:PrincipalAccount", accounts)), ["464622532012"]);
        assert_eq!(outside(json!({"StringNotEquals": {"aws:PrincipalAccount": "464622532012"}})), ["*"]);
        let arn = |text: &str| json!({"ArnLike": {"aws:PrincipalArn": text}});
        assert_eq!(outside(arn("arn:aws:iam::111122223333:role/Scanner")), [] as [&str; 0]);
        let role = "arn:aws:iam::464622532012:role/Scanner";
        assert_eq!(outside(arn(role)), [role]);
        assert_eq!(outside(arn("arn:aws:iam::464622532012:role/*")), ["464622532012"]);
        // A role of that name in any account.
        assert_eq!(outside(arn("arn:aws:iam::*:role/Scanner")), ["*"]);
        assert_eq!(outside(json!({"StringLike": {"aws:PrincipalArn": "*:role/Scanner"}})), ["*"]);
        assert_eq!(outside(json!({"StringLike": {"aws:PrincipalAccount": "4646*"}})), ["*"]);
        let denied = |denial: Value| -> Vec<String> {
            let found = admissions(&trust(json!([allow(json!("*"), json!({})), denial])));
            found.into_iter().filter(|one| is_outside(one, &own, &BTreeSet::new())).map(|one| one.principal).collect()
        };
        let but = json!({"StringNotEquals": {"aws:PrincipalAccount": ["111122223333", "464622532012"]}});
        let deny = json!({"Effect": "Deny", "Action": "sts:AssumeRole"});
        let with = |key: &str, value: Value, condition: Value| {
            let mut denial = deny.clone();
            (denial[key], denial["Condition"]) = (value, condition);
            denial
        };
        assert_eq!(denied(with("Principal", json!("*"), but)), ["464622532012"]);
        let vendor = "arn:aws:iam::464622532012:root";
        assert_eq!(denied(with("NotPrincipal", json!({"AWS": vendor}), json!({}))), [vendor]);
        // What no record of a trust policy tells may let anybody in.
        assert_eq!(outside(json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})), ["*"]);
    }
}
