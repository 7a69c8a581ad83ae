//! Asks STS whether a role refuses the caller without its external id, and with a wrong one.
//!
//! Each call asks for a session that may do nothing: it carries a session policy that denies everything, and lasts as
//! short as can be. A session that is handed out all the same is the finding; what it holds is dropped unread. Only
//! `AccessDenied` counts as a refusal, and not where AWS says that the caller's own side refused.

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use serde::Serialize;

use crate::aws::Arn;
use crate::aws::external_id::ExternalId;
use crate::policy::without_id::IdAnswer;
use crate::store::aws::{Aws, AwsOptions};

use super::super::{UserError, external_id};
use super::login::Login;
use super::refusal::Refusal;

const CALL: &str = "sts:AssumeRole";
/// The name of our sessions in the role's trail.
const SESSION: &str = "thirdtrail-external-id-check";
/// Nothing is allowed to a session under this policy.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
/// The shortest session that STS gives.
const SESSION_SECONDS: i32 = 900;
const ATTEMPTS: u32 = 3;
/// How AWS says that it was not the trust policy that refused. Source: IAM User Guide, "Troubleshoot access denied error
/// messages".
const OWN_SIDE: [&str; 8] = [
    "no identity-based policy allows",
    "in an identity-based policy",
    "no permissions boundary allows",
    "in a permissions boundary",
    "no session policy allows",
    "in a session policy",
    "service control policy",
    "VPC endpoint policy",
];

/// What one role did.
#[derive(Debug, Clone, Serialize)]
pub struct LiveCheck {
    /// Its ARN.
    pub role: String,
    /// Who asked.
    pub caller: Option<String>,
    /// `refuses`, `admits_without`, `admits_any`, `unknown`.
    pub answer: &'static str,
    /// Whether the same caller was let in with the right id, so that its refusal is the id's doing.
    pub proven: bool,
    /// One sentence.
    pub reason: String,
    /// The calls in their order.
    pub calls: Vec<LiveCall>,
    #[serde(skip)]
    verdict: IdAnswer,
}

impl LiveCheck {
    /// The answer, to be compared.
    #[must_use]
    pub fn verdict(&self) -> IdAnswer {
        self.verdict
    }
}

/// One call of `AssumeRole`.
#[derive(Debug, Clone, Serialize)]
pub struct LiveCall {
    /// `none`, `wrong`, `given`.
    pub external_id: &'static str,
    /// `admitted`, `denied`, `unknown`.
    pub outcome: &'static str,
    /// What AWS said; nothing where it handed a session out.
    pub said: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    Admitted,
    Denied(String),
    Unknown(String),
}

/// Asks about each role with the user's own credentials. `given` is the agreed id.
///
/// # Errors
/// When the SDK cannot be started, or the system has no random source.
pub fn check(roles: &[String], given: Option<&ExternalId>, options: &AwsOptions) -> Result<Vec<LiveCheck>, UserError> {
    let aws = Aws::connect(options)
        .map_err(|error| UserError::new(format!("cannot start the AWS SDK: {error}"), "check the system's limits"))?;
    aws.wait(check_all(aws.clone(), roles, given))
}

async fn check_all(aws: Aws, roles: &[String], given: Option<&ExternalId>) -> Result<Vec<LiveCheck>, UserError> {
    let config = aws_sdk_sts::config::Builder::from(aws.config())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .build();
    let client = aws_sdk_sts::Client::from_conf(config);
    let caller = Login::of_caller(aws, std::sync::mpsc::channel().0).await;
    let mut found = Vec::new();
    for role in roles {
        found.push(match &caller {
            Ok(caller) => check_one(&client, role, caller.arn(), given).await?,
            Err(refusal) => {
                let reason = format!("{}: {}; {}", refusal.call, refusal.what, refusal.help);
                answered(role, None, IdAnswer::Unknown, false, reason, Vec::new())
            }
        });
    }
    Ok(found)
}

async fn check_one(
    client: &aws_sdk_sts::Client,
    role: &str,
    caller: &str,
    given: Option<&ExternalId>,
) -> Result<LiveCheck, UserError> {
    let wrong = external_id::fresh()?;
    let without = call(client, role, None).await;
    let with_wrong = call(client, role, Some(&wrong)).await;
    let with_given = match given {
        Some(id) => Some(call(client, role, Some(id)).await),
        None => None,
    };
    let (verdict, proven, reason) = judge(role, caller, &without, &with_wrong, with_given.as_ref());
    let told = |external_id, outcome: &Outcome| {
        let (outcome, said) = match outcome {
            Outcome::Admitted => ("admitted", None),
            Outcome::Denied(said) => ("denied", Some(said)),
            Outcome::Unknown(said) => ("unknown", Some(said)),
        };
        let hidden = said.map(|said| match given {
            Some(id) => said.replace(id.reveal(), "(the external id)"),
            None => said.clone(),
        });
        LiveCall { external_id, outcome, said: hidden }
    };
    let mut calls = vec![told("none", &without), told("wrong", &with_wrong)];
    calls.extend(with_given.as_ref().map(|outcome| told("given", outcome)));
    Ok(answered(role, Some(caller), verdict, proven, reason, calls))
}

fn answered(
    role: &str,
    caller: Option<&str>,
    verdict: IdAnswer,
    proven: bool,
    reason: String,
    calls: Vec<LiveCall>,
) -> LiveCheck {
    let (role, caller) = (role.to_owned(), caller.map(str::to_owned));
    LiveCheck { role, caller, answer: verdict.word(), proven, reason, calls, verdict }
}

/// The answer and whether it is proven, with one sentence.
fn judge(
    role: &str,
    caller: &str,
    without: &Outcome,
    with_wrong: &Outcome,
    with_given: Option<&Outcome>,
) -> (IdAnswer, bool, String) {
    use Outcome::{Admitted, Denied, Unknown};
    let account = |arn: &str| Arn::parse(arn).and_then(|arn| arn.account_id());
    let insider = if account(role) == account(caller) { " of the role's own account" } else { "" };
    match (without, with_wrong, with_given) {
        (Admitted, ..) => (IdAnswer::AdmitsWithout, true, "a session was handed out without an external id".to_owned()),
        (_, Admitted, _) => (IdAnswer::AdmitsAny, true, "a session was handed out for a random external id".to_owned()),
        (Unknown(_), ..) => (IdAnswer::Unknown, false, "the call without an external id says nothing".to_owned()),
        (_, Unknown(_), _) => (IdAnswer::Unknown, false, "the call with a wrong external id says nothing".to_owned()),
        (Denied(_), Denied(_), Some(Admitted)) => (
            IdAnswer::Refuses,
            true,
            "the caller is let in with the given external id, and neither without one nor with another".to_owned(),
        ),
        (Denied(_), Denied(_), Some(Denied(_))) => (
            IdAnswer::Unknown,
            false,
            format!(
                "the caller{insider} is refused with the given external id, too: the role may not exist or not know this \
                 caller, or the id is another"
            ),
        ),
        (Denied(_), Denied(_), Some(Unknown(_))) => {
            (IdAnswer::Unknown, false, "the call with the given external id says nothing".to_owned())
        }
        (Denied(_), Denied(_), None) => (
            IdAnswer::Refuses,
            false,
            format!(
                "this caller{insider} is refused; not proven to be for the external id: a role that is not there or does not \
                 know the caller refuses the same way; --external-id-file tells them apart"
            ),
        ),
    }
}

async fn call(client: &aws_sdk_sts::Client, role: &str, id: Option<&ExternalId>) -> Outcome {
    let request = client
        .assume_role()
        .role_arn(role)
        .role_session_name(SESSION)
        .duration_seconds(SESSION_SECONDS)
        .policy(NOTHING)
        .set_external_id(id.map(|id| id.reveal().to_owned()));
    match request.send().await {
        // An answer without credentials is nobody's session.
        Ok(answer) if answer.credentials().is_none() => Outcome::Unknown("the answer holds no credentials".to_owned()),
        Ok(_) => Outcome::Admitted,
        Err(error) => outcome_of(&error),
    }
}

fn outcome_of(error: &SdkError<AssumeRoleError>) -> Outcome {
    let denied = Refusal::code(error) == Some("AccessDenied");
    let refusal = Refusal::of(CALL, error);
    if !denied {
        return Outcome::Unknown(format!("{}; {}", refusal.what, refusal.help));
    }
    if OWN_SIDE.iter().any(|words| refusal.what.contains(words)) {
        return Outcome::Unknown(format!("{}; this is not the trust policy's answer", refusal.what));
    }
    Outcome::Denied(refusal.what)
}
