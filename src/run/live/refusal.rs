//! Why a call to AWS gave no answer: one line with the call, what is wrong, and what to do.

use std::error::Error;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};

use super::UserError;

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// `iam:GetAccountAuthorizationDetails`.
    pub(super) call: &'static str,
    /// What is wrong, on one line.
    pub(super) what: String,
    /// What to do.
    pub(super) help: String,
}

impl Refusal {
    /// A refusal in words of our own.
    pub(super) fn new(call: &'static str, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { call, what: what.into(), help: help.into() }
    }

    /// What the SDK says went wrong.
    pub(super) fn of<E, R>(call: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug,
    {
        if let SdkError::ServiceError(answered) = error {
            let (code, message) = (answered.err().code(), answered.err().message());
            return match code {
                Some(code) => Self::of_code(call, code, message.unwrap_or("no message")),
                None => Self::new(call, "an error that is none of AWS", "check --endpoint-url and the proxy"),
            };
        }
        let chain = chain(error);
        // The SDK has no type of its own for this; its chain says which providers were tried.
        if chain.to_ascii_lowercase().contains("credential") {
            let help =
                "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give --profile; `aws sts get-caller-identity` must work";
            return Self::new(call, format!("no credentials: {chain}"), help);
        }
        Self::new(call, format!("no answer: {chain}"), "check the network, the proxy, --endpoint-url and --region-name")
    }

    fn of_code(call: &'static str, code: &str, message: &str) -> Self {
        let what = format!("{code}: {}", one_line(message));
        let help = if code.contains("AccessDenied") || code.contains("Unauthorized") {
            format!("allow `{call}` to these credentials; README.md has the policy")
        } else if code.contains("Expired") || code.contains("InvalidClientToken") || code.contains("Unrecognized") {
            "sign in again, or choose another --profile".to_owned()
        } else if code.contains("Throttl") || code.contains("TooManyRequests") {
            "AWS keeps throttling: try again later".to_owned()
        } else {
            "look the code up in AWS's documentation of that call".to_owned()
        };
        Self { call, what, help }
    }

    /// The error code that AWS answered.
    pub(super) fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
        match error {
            SdkError::ServiceError(answered) => answered.err().code(),
            _ => None,
        }
    }

    /// With more words before what is wrong.
    pub(super) fn about(self, subject: &str) -> Self {
        Self { what: format!("{subject}: {}", self.what), ..self }
    }
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self::new(format!("{}: {}", refusal.call, refusal.what), refusal.help)
    }
}

/// An error and what caused it, each text once.
fn chain(error: &dyn Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next.filter(|_| texts.len() < 8) {
        let text = one_line(&error.to_string());
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

/// The first line of a text, at most so many characters of it.
fn one_line(text: &str) -> String {
    const CHARACTERS: usize = 300;
    text.lines().next().unwrap_or_default().trim().chars().take(CHARACTERS).collect()
}
