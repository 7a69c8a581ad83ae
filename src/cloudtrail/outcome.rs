//! What an error code says about authorization: allowed, denied, or failed after authorization (S21).
//!
//! Only codes that mean nothing but a refused permission are `Denied`. A code that a service also uses for other
//! things (`ForbiddenException`, Cognito's `NotAuthorizedException` for a wrong password) is `Failed`: it counts as
//! use, so that an ambiguous error never takes a permission away.

use serde::{Deserialize, Serialize};

/// Whether a call passed authorization, and whether it then succeeded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No error, or a dry run that would have been allowed.
    Allowed,
    /// The permission was refused: no use, reported as denied.
    Denied,
    /// Another error, after authorization: use, counted as failed.
    Failed,
}

impl Outcome {
    /// All of them, in the order of the numbers that stand for them in files.
    pub const ALL: [Self; 3] = [Self::Allowed, Self::Denied, Self::Failed];

    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    /// Whether the call exercised its permission.
    #[must_use]
    pub fn is_use(self) -> bool {
        self != Self::Denied
    }
}

/// Codes of a refused permission, without `Client.`-like prefixes and without `Exception` or `Fault`.
///
/// Source: the common errors of each service's API reference. `AuthorizationError` is SNS,
/// `OperationNotPermittedFault` is SWF (matched whole, below), `UnauthorizedOperation` is EC2 and its relatives.
const DENIED: [&str; 5] =
    ["AccessDenied", "UnauthorizedOperation", "UnauthorizedAccess", "NotAuthorized", "AuthorizationError"];

/// Codes of a call refused because there were too many, without prefixes and without `Exception`.
///
/// Source: AWS SDKs and Tools Reference Guide, "Retry behavior", throttling error codes; EC2 API Reference, "Error codes".
const THROTTLED: [&str; 10] = [
    "Throttling",
    "Throttled",
    "RequestThrottled",
    "RequestLimitExceeded",
    "TooManyRequests",
    "SlowDown",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceeded",
    "EC2Throttled",
    "PriorRequestNotComplete",
];

/// Whether `errorCode` says that there were too many calls.
#[must_use]
pub fn is_throttled(error_code: &str) -> bool {
    let code = error_code.rsplit('#').next().unwrap_or(error_code);
    let code = code.split([':', ' ']).next().unwrap_or(code);
    let code = code.rsplit('.').next().unwrap_or(code);
    let bare = strip_tail(code, "Exception").unwrap_or(code);
    THROTTLED.iter().any(|known| known.eq_ignore_ascii_case(bare))
}

/// Reads the outcome from `errorCode`.
#[must_use]
pub fn outcome(error_code: Option<&str>) -> Outcome {
    let Some(code) = error_code.map(str::trim).filter(|code| !code.is_empty()) else { return Outcome::Allowed };
    // `com.amazonaws.kms#AccessDeniedException`, `Client.UnauthorizedOperation`, `AccessDeniedException: text`
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split([':', ' ']).next().unwrap_or(code);
    // A denied call to KMS came after the service's own check: `KMS.AccessDeniedException` is a failed SQS call.
    if code.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("kms.")) {
        return Outcome::Failed;
    }
    let code = code.rsplit('.').next().unwrap_or(code);
    if code.eq_ignore_ascii_case("DryRunOperation") {
        return Outcome::Allowed;
    }
    // Cognito answers a wrong password with it, so it does not tell about IAM.
    if code.eq_ignore_ascii_case("NotAuthorizedException") {
        return Outcome::Failed;
    }
    let bare = ["Exception", "Fault"].iter().find_map(|tail| strip_tail(code, tail)).unwrap_or(code);
    let refused =
        code.eq_ignore_ascii_case("OperationNotPermittedFault") || DENIED.iter().any(|d| d.eq_ignore_ascii_case(bare));
    if refused { Outcome::Denied } else { Outcome::Failed }
}

fn strip_tail<'a>(text: &'a str, tail: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(text.len().checked_sub(tail.len())?)?;
    rest.eq_ignore_ascii_case(tail).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: Outcome, codes: &[Option<&str>]) {
        for code in codes {
            assert_eq!(outcome(*code), expected, "{code:?}");
        }
    }

    /// S21: refused permissions are not use.
    #[test]
    fn every_spelling_of_a_refusal_is_denied() {
        check(
            Outcome::Denied,
            &[
                Some("AccessDenied"),
                Some("AccessDeniedException"),
                Some("accessDeniedException"),
                Some("UnauthorizedOperation"),
                Some("Client.UnauthorizedOperation"),
                Some("Server.UnauthorizedOperation"),
                Some("Client.AccessDenied"),
                Some("AWS.SimpleQueueService.AccessDenied"),
                Some("com.amazonaws.glue#AccessDeniedException"),
                Some("AccessDeniedFault"),
                Some("NotAuthorized"),
                Some("AuthorizationError"),
                Some("AuthorizationErrorException"),
                Some("UnauthorizedAccess"),
                Some("OperationNotPermittedFault"),
                Some("AccessDeniedException: User is not authorized"),
            ],
        );
    }

    /// S21: any other error passed authorization.
    #[test]
    fn other_errors_are_failed_use() {
        check(
            Outcome::Failed,
            &[
                Some("NoSuchBucket"),
                Some("ThrottlingException"),
                Some("ValidationException"),
                Some("Client.InvalidInstanceID.NotFound"),
                Some("NotAuthorizedException"),
                Some("ForbiddenException"),
                Some("KMS.AccessDeniedException"),
                Some("Ünïcode"),
            ],
        );
        assert!(Outcome::Failed.is_use() && !Outcome::Denied.is_use());
    }

    /// S21: a dry run is use.
    #[test]
    fn success_and_dry_run_are_allowed() {
        check(Outcome::Allowed, &[None, Some(""), Some("DryRunOperation"), Some("Client.DryRunOperation")]);
    }

    /// S21: too many calls is no refused permission.
    #[test]
    fn throttling_is_told_from_other_failures() {
        for code in ["ThrottlingException", "Client.RequestLimitExceeded", "TooManyRequestsException", "SlowDown"] {
            assert!(is_throttled(code) && outcome(Some(code)) == Outcome::Failed, "{code}");
        }
        for code in ["AccessDenied", "NoSuchBucket", "LimitExceededException", ""] {
            assert!(!is_throttled(code), "{code}");
        }
    }
}
