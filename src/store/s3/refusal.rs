//! What it means when S3 does not do as asked: whether it may pass, what to tell a person, and what to do about it.
//!
//! Sources: Amazon S3 API reference, "Error responses"; the words are ours, without request ids and times, so that two
//! runs say the same.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::super::StoreError;

/// Of an error code that is not known here; it is what somebody's server says.
const CODE_CHARACTERS: usize = 64;

const SENSELESS: &str = "the answer broke off or makes no sense";

/// What is asked of S3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    ListObjects,
    GetObject,
    HeadObject,
    PutObject,
    CreateUpload,
    UploadPart,
    CompleteUpload,
    DeleteObject,
}

impl Call {
    /// As the API reference calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ListObjects => "ListObjectsV2",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::PutObject => "PutObject",
            Self::CreateUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteUpload => "CompleteMultipartUpload",
            Self::DeleteObject => "DeleteObject",
        }
    }

    /// The permissions that it needs: of S3, and of the key of an encrypted object.
    fn permissions(self) -> (&'static str, &'static str) {
        match self {
            Self::ListObjects => ("s3:ListBucket", "kms:Decrypt"),
            Self::GetObject | Self::HeadObject => ("s3:GetObject", "kms:Decrypt"),
            Self::DeleteObject => ("s3:DeleteObject", "kms:Decrypt"),
            _ => ("s3:PutObject", "kms:GenerateDataKey"),
        }
    }
}

/// A call that did not do as asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// Whether another attempt may work.
    pub(super) passing: bool,
    /// The Region in which to ask instead, if the answer tells.
    pub(super) region: Option<String>,
    pub(super) error: StoreError,
}

impl Refusal {
    /// Trouble on the way, which may be gone the next time.
    pub(super) fn passing(call: Call, reason: &str) -> Self {
        let fix = "check the network and the endpoint, and run again";
        Self { passing: true, ..Self::lasting(call, reason, fix) }
    }

    fn lasting(call: Call, reason: &str, fix: &str) -> Self {
        let error = StoreError::Refused { reason: format!("{}: {reason}", call.name()), fix: fix.to_owned() };
        Self { passing: false, region: None, error }
    }

    /// The same, with the number of attempts said.
    pub(super) fn after(mut self, attempts: u32) -> Self {
        match &mut self.error {
            StoreError::Refused { reason: text, .. } | StoreError::Other(text) => {
                text.push_str(&format!(" ({attempts} attempts)"));
            }
            StoreError::Missing | StoreError::Denied => {}
        }
        self
    }

    /// What an error of the SDK means.
    pub(super) fn of<E>(call: Call, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let region = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
        let region = region.map(str::to_owned);
        match error {
            SdkError::ServiceError(context) => {
                let answer = Answer {
                    status: context.raw().status().as_u16(),
                    code: context.err().code().unwrap_or_default(),
                    message: context.err().message().unwrap_or_default(),
                };
                Self { region, ..answer.meaning(call) }
            }
            SdkError::TimeoutError(_) => Self::passing(call, "no answer in time"),
            SdkError::ResponseError(_) => Self::passing(call, SENSELESS),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::passing(call, "no answer in time"),
            SdkError::DispatchFailure(failure) if failure.is_io() => {
                let cause = failure.as_connector_error().map(|error| root_cause(error));
                Self::passing(call, &format!("no connection: {}", cause.unwrap_or_default()))
            }
            other => not_sent(call, &root_cause(other)),
        }
    }
}

/// The request could not be made: most often, nobody signs it.
fn not_sent(call: Call, cause: &str) -> Refusal {
    // The SDK goes on with a list of all places where it looked, a line each.
    let cause = cause.lines().next().unwrap_or_default().trim_end_matches(". Attempted:");
    if cause.to_lowercase().contains("endpoint") {
        return Refusal::lasting(call, cause, "write --endpoint-url as `https://host` or `http://host:port`");
    }
    let fix = "sign in (`aws sso login`), set AWS_PROFILE or --profile, or use --no-sign-request for a public bucket";
    Refusal::lasting(call, &format!("no credentials: {cause}"), fix)
}

/// The innermost of an error's reasons.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// An answer of S3 that is no success.
struct Answer<'a> {
    status: u16,
    code: &'a str,
    message: &'a str,
}

impl Answer<'_> {
    fn meaning(&self, call: Call) -> Refusal {
        let lasting = |reason: &str, fix: &str| Refusal::lasting(call, reason, fix);
        let (permission, key_permission) = call.permissions();
        match self.code {
            // Answers to HeadObject have no words, only numbers.
            "NoSuchKey" | "NotFound" => Refusal { passing: false, region: None, error: StoreError::Missing },
            "NoSuchBucket" => lasting("there is no such bucket", "check the name after `s3://`"),
            "InvalidBucketName" => lasting("this is no name of a bucket", "check the name after `s3://`"),
            "InvalidObjectState" => lasting(
                "archived (Glacier or Deep Archive), it must be restored before it can be read",
                "restore it with `aws s3api restore-object`, and run again",
            ),
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
                lasting("the credentials have expired", "sign in again, for example with `aws sso login`")
            }
            "InvalidAccessKeyId" | "InvalidClientTokenId" | "InvalidToken" | "UnrecognizedClientException" => {
                lasting("AWS does not know these credentials", "check AWS_PROFILE, --profile and AWS_ACCESS_KEY_ID")
            }
            "SignatureDoesNotMatch" => {
                lasting("the signature does not match", "check the secret access key and --endpoint-url")
            }
            "RequestTimeTooSkewed" => lasting("the clock of this machine is wrong", "set the clock"),
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                lasting("the bucket is in another Region", "give its Region with --region-name")
            }
            code if code.starts_with("KMS.") => lasting(
                &format!("the object's KMS key cannot be used ({code})"),
                "enable the key, or ask those who manage it",
            ),
            "AccessDenied" if self.message.contains("kms:") || self.message.contains("KMS") => lasting(
                &format!("access denied by KMS: `{key_permission}` on the object's key is missing"),
                &format!("allow `{key_permission}` in the key's policy and in yours"),
            ),
            // A success that cannot be read, or that is none: a listing that was cut, or a page of somebody's proxy.
            "" if self.status < 300 => Refusal::passing(call, SENSELESS),
            _ if self.may_pass() => Refusal::passing(call, &self.shown()),
            _ if self.status == 301 => lasting("the bucket is in another Region", "give its Region with --region-name"),
            _ if self.status == 403 => lasting(
                &format!("access denied: `{permission}` is missing"),
                &format!("allow `{permission}` on the bucket, or use other credentials"),
            ),
            _ => lasting(&self.shown(), "check the bucket, --endpoint-url and your permissions"),
        }
    }

    /// Whether S3 asks for another attempt, or stumbled.
    fn may_pass(&self) -> bool {
        let slow = ["SlowDown", "RequestTimeout", "RequestTimeoutException", "ThrottlingException", "Throttling"];
        self.status >= 500 || self.status == 429 || slow.contains(&self.code)
    }

    /// Code and status, which are the same in every run; the message may not be.
    fn shown(&self) -> String {
        let code: String = self.code.chars().take(CODE_CHARACTERS).collect();
        if code.is_empty() { format!("HTTP {}", self.status) } else { format!("{code} (HTTP {})", self.status) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(call: Call, status: u16, code: &str, message: &str, passing: bool, expected: &str) {
        let refusal = Answer { status, code, message }.meaning(call);
        assert_eq!((refusal.passing, refusal.error.to_string().as_str()), (passing, expected), "{code}");
    }

    #[test]
    fn each_refusal_has_words_of_its_own() {
        let get = Call::GetObject;
        check(get, 404, "NoSuchKey", "", false, "does not exist");
        check(get, 403, "AccessDenied", "Access Denied", false, "GetObject: access denied: `s3:GetObject` is missing");
        let kms = "User: arn:aws:sts::1:x is not authorized to perform: kms:Decrypt on the resource";
        let reason = "GetObject: access denied by KMS: `kms:Decrypt` on the object's key is missing";
        check(get, 403, "AccessDenied", kms, false, reason);
        let reason = "GetObject: the object's KMS key cannot be used (KMS.DisabledException)";
        check(get, 400, "KMS.DisabledException", "", false, reason);
        let reason = "GetObject: archived (Glacier or Deep Archive), it must be restored before it can be read";
        check(get, 403, "InvalidObjectState", "", false, reason);
        check(get, 503, "SlowDown", "", true, "GetObject: SlowDown (HTTP 503)");
        check(get, 500, "InternalError", "", true, "GetObject: InternalError (HTTP 500)");
        check(get, 400, "RequestTimeout", "", true, "GetObject: RequestTimeout (HTTP 400)");
        check(get, 418, "", "", false, "GetObject: HTTP 418");
        let list = Call::ListObjects;
        check(list, 404, "NoSuchBucket", "", false, "ListObjectsV2: there is no such bucket");
        check(list, 400, "ExpiredToken", "", false, "ListObjectsV2: the credentials have expired");
        check(list, 403, "", "", false, "ListObjectsV2: access denied: `s3:ListBucket` is missing");
        check(list, 301, "PermanentRedirect", "", false, "ListObjectsV2: the bucket is in another Region");
        let put = Call::PutObject;
        check(put, 403, "AccessDenied", "", false, "PutObject: access denied: `s3:PutObject` is missing");
    }
}
