//! Who may assume a role: trust policies decided for one caller.
//!
//! Answers by evaluating, not by looking for a condition: a second open statement, `...IfExists` or a wildcard lets a
//! caller in just the same (S40). Source: IAM User Guide, "Principal" and "How to use an external ID".

use super::condition;
use super::context::Context;
use super::document::PolicyDocument;
use super::evaluate::{Evaluation, Layer, StatementRef, Verdicts, matches_action};
use super::statement::{PrincipalMatch, Principals};
use super::truth::Truth;
use crate::aws::{AccountId, Action, Arn};

/// Who asks to assume the role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller<'a> {
    /// Some principal of this account; its name is not known, as in the records of the account that is entered (S9).
    Account(AccountId),
    /// The IAM user, role or assumed role with this ARN.
    Arn(&'a str),
    /// An identity from this provider (`arn:...:oidc-provider/...`, `cognito-identity.amazonaws.com`).
    Federated(&'a str),
    /// An AWS service (`ec2.amazonaws.com`).
    Service(&'a str),
}

/// Decides whether `caller` may perform `action` (`sts:AssumeRole`, `sts:AssumeRoleWithWebIdentity`, ...) on the role
/// that `document` belongs to.
///
/// The caller's own policies are not part of it. `aws:PrincipalAccount` and `aws:PrincipalArn` follow from the caller
/// where the context does not give them. To ask about a call without external id, use a context in which
/// `sts:ExternalId` is absent.
#[must_use]
pub fn trust_decision(document: &PolicyDocument, action: &Action, caller: Caller<'_>, context: Context) -> Evaluation {
    let context = caller.complete(context);
    let mut verdicts = Verdicts::new(0, false);
    for statement in document.statements.iter().filter(|statement| matches_action(&statement.actions, action)) {
        let named = match &statement.principals {
            PrincipalMatch::Principal(principals) => caller.is_among(principals),
            PrincipalMatch::NotPrincipal(principals) => caller.is_among(principals).negate(),
            PrincipalMatch::None => Truth::False,
        };
        let truth = named.and(condition::all_hold(&statement.conditions, document.version, &context));
        verdicts.note(Layer::Identity, statement.effect, truth, || StatementRef::new("trust", statement));
    }
    verdicts.decide()
}

impl Caller<'_> {
    fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(account) => Some(*account),
            Self::Arn(text) => Arn::parse(text).and_then(|arn| arn.account_id()),
            Self::Federated(_) | Self::Service(_) => None,
        }
    }

    pub(super) fn complete(&self, mut context: Context) -> Context {
        if let Some(account) = self.account() {
            context = context.or_with("aws:PrincipalAccount", account.as_str());
        }
        match self {
            Self::Arn(text) => context.or_with("aws:PrincipalArn", &principal_arn(text)),
            _ => context,
        }
    }

    pub(super) fn is_among(&self, principals: &Principals) -> Truth {
        if principals.anyone {
            return Truth::True;
        }
        match self {
            Self::Account(_) | Self::Arn(_) => {
                Truth::any(principals.aws.iter().map(|principal| self.is_aws_principal(principal)))
            }
            Self::Federated(provider) => principals.federated.iter().any(|name| name == provider || name == "*").into(),
            Self::Service(service) => principals.service.iter().any(|name| name == service || name == "*").into(),
        }
    }

    fn is_aws_principal(&self, principal: &str) -> Truth {
        if principal == "*" {
            return Truth::True;
        }
        let account = self.account();
        if let Some(whole) = AccountId::parse(principal) {
            return (account == Some(whole)).into();
        }
        // Anything else than an ARN is the unique id of a deleted principal: it matches nobody.
        let Some(named) = Arn::parse(principal) else { return Truth::False };
        if named.account_id().is_some() && named.account_id() != account {
            return Truth::False;
        }
        if named.resource == "root" {
            return (named.account_id() == account).into();
        }
        match self {
            Self::Arn(own) => same_principal(&named, own),
            _ => Truth::Unknown,
        }
    }
}

/// An assumed role acts under its role's principal ARN; the path that session ARNs drop cannot be restored (S19).
fn principal_arn(text: &str) -> String {
    match Arn::parse(text) {
        Some(arn) => match arn.assumed_role() {
            Some((role, _)) => format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

fn same_principal(named: &Arn<'_>, own: &str) -> Truth {
    if named.text == own {
        return Truth::True;
    }
    let session_role = Arn::parse(own).and_then(|own| own.assumed_role());
    match (named.role_name(), session_role) {
        (Some(role), Some((own_role, _))) => (role == own_role).into(),
        _ => Truth::False,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::evaluate::Decision;

    const VENDOR: &str = "464622532012";

    fn check(statements: Value, caller: Caller<'_>, context: Context, expected: Decision) {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let parsed = PolicyDocument::from_value(&document).unwrap();
        let action = Action::parse("sts:AssumeRole").unwrap();
        assert_eq!(trust_decision(&parsed, &action, caller, context).decision, expected, "{document} for {caller:?}");
    }

    fn trust(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition})
    }

    fn vendor() -> Caller<'static> {
        Caller::Account(AccountId::parse(VENDOR).unwrap())
    }

    /// S40: every form of principal.
    #[test]
    fn principals_match_by_their_form() {
        let role = Caller::Arn("arn:aws:iam::464622532012:role/path/Audit");
        let session = Caller::Arn("arn:aws:sts::464622532012:assumed-role/Audit/nightly");
        let cases = [
            (json!("*"), vendor(), Decision::Allowed),
            (json!({"AWS": "*"}), vendor(), Decision::Allowed),
            (json!({"AWS": VENDOR}), vendor(), Decision::Allowed),
            (json!({"AWS": ["arn:aws:iam::464622532012:root"]}), role, Decision::Allowed),
            (json!({"AWS": "arn:aws:iam::464622532012:role/path/Audit"}), role, Decision::Allowed),
            (json!({"AWS": "arn:aws:iam::464622532012:role/path/Audit"}), session, Decision::Allowed),
            (json!({"AWS": "arn:aws:iam::464622532012:role/Other"}), session, Decision::ImplicitlyDenied),
            (json!({"AWS": "arn:aws:iam::464622532012:user/x"}), vendor(), Decision::Unknown),
            (json!({"AWS": "arn:aws:iam::111122223333:root"}), vendor(), Decision::ImplicitlyDenied),
            (json!({"AWS": "AROAEXAMPLEDELETED"}), vendor(), Decision::ImplicitlyDenied),
            (json!({"CanonicalUser": "79a59d"}), vendor(), Decision::ImplicitlyDenied),
            (json!({"Service": "ec2.amazonaws.com"}), Caller::Service("ec2.amazonaws.com"), Decision::Allowed),
            (json!({"Service": "ec2.amazonaws.com"}), vendor(), Decision::ImplicitlyDenied),
            (json!({"Federated": "arn:x"}), Caller::Federated("arn:x"), Decision::Allowed),
        ];
        for (principal, caller, expected) in cases {
            check(trust(principal, json!({})), caller, Context::complete(), expected);
        }
    }

    /// S40: whether a call without the external id is let in is found by evaluating.
    #[test]
    fn external_ids_are_required_only_where_their_absence_denies() {
        let without = || Context::partial().without("sts:ExternalId");
        let aws = json!({"AWS": VENDOR});
        let exact = trust(aws.clone(), json!({"StringEquals": {"STS:externalid": "secret"}}));
        check(exact.clone(), vendor(), without(), Decision::ImplicitlyDenied);
        check(
            exact.clone(),
            vendor(),
            Context::partial().with("sts:ExternalId", ["wrong"]),
            Decision::ImplicitlyDenied,
        );
        check(exact.clone(), vendor(), Context::partial().with("sts:ExternalId", ["secret"]), Decision::Allowed);
        check(json!([exact, trust(aws.clone(), json!({}))]), vendor(), without(), Decision::Allowed);
        let if_exists = trust(aws.clone(), json!({"StringEqualsIfExists": {"sts:ExternalId": "secret"}}));
        check(if_exists, vendor(), without(), Decision::Allowed);
        let like = trust(aws.clone(), json!({"StringLike": {"sts:ExternalId": "*"}}));
        check(like.clone(), vendor(), without(), Decision::ImplicitlyDenied);
        check(like, vendor(), Context::partial().with("sts:ExternalId", ["anything"]), Decision::Allowed);
    }

    /// S40: an open principal closed by an account condition.
    #[test]
    fn account_conditions_limit_an_open_principal() {
        let limited = trust(json!({"AWS": "*"}), json!({"StringEquals": {"aws:PrincipalAccount": VENDOR}}));
        check(limited.clone(), vendor(), Context::partial(), Decision::Allowed);
        let other = Caller::Account(AccountId::parse("111122223333").unwrap());
        check(limited, other, Context::partial(), Decision::ImplicitlyDenied);
        let organization = trust(json!({"AWS": "*"}), json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}));
        check(organization, other, Context::partial(), Decision::Unknown);
    }
}
