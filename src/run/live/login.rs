//! Credentials for one account: the caller's own, or those of a role assumed there.

use std::sync::mpsc::Sender;

use aws_sdk_iam::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;

use crate::aws::{AccountId, Arn};
use crate::store::aws::Aws;

use super::refusal::Refusal;

/// The name of our sessions in the other accounts' trails.
const SESSION: &str = "thirdtrail-collect";

/// Attempts of the first call.
const FIRST_ATTEMPTS: u32 = 3;

/// Hears of each call: its account and its name.
pub(super) type Heard = Sender<String>;

/// See the module. Clones share the configuration.
#[derive(Clone, Debug)]
pub(super) struct Login {
    aws: Aws,
    /// Of an assumed role; the caller's own come from the configuration.
    credentials: Option<Credentials>,
    account: AccountId,
    arn: String,
    /// Who hears what is asked.
    heard: Heard,
}

impl Login {
    /// The caller, after asking who that is.
    pub(super) async fn of_caller(aws: Aws, heard: Heard) -> Result<Self, Refusal> {
        const CALL: &str = "sts:GetCallerIdentity";
        let _ = heard.send(CALL.to_owned());
        // The first call shows whether there is anybody to ask: nobody should wait half a minute for that.
        let hasty = aws_sdk_sts::config::Builder::from(aws.config())
            .retry_config(RetryConfig::standard().with_max_attempts(FIRST_ATTEMPTS))
            .build();
        let answer = aws_sdk_sts::Client::from_conf(hasty).get_caller_identity().send().await;
        let GetCallerIdentityOutput { account, arn, .. } = answer.map_err(|error| Refusal::of(CALL, &error))?;
        let account = account.as_deref().and_then(AccountId::parse);
        let unreadable = || Refusal::new(CALL, "the answer names no account", "check --endpoint-url");
        Ok(Self {
            aws,
            credentials: None,
            account: account.ok_or_else(unreadable)?,
            arn: arn.unwrap_or_default(),
            heard,
        })
    }

    /// A role of that name in another account.
    pub(super) async fn assume(&self, account: AccountId, name: &str) -> Result<Self, Refusal> {
        const CALL: &str = "sts:AssumeRole";
        let partition = Arn::parse(&self.arn).map_or("aws", |arn| arn.partition);
        let arn = format!("arn:{partition}:iam::{account}:role/{}", name.trim_start_matches('/'));
        let client = aws_sdk_sts::Client::new(self.aws.config());
        let answer = client.assume_role().role_arn(&arn).role_session_name(SESSION).send().await;
        let answer = answer.map_err(|error| Refusal::of(CALL, &error).about(&arn))?;
        let given = answer.credentials.ok_or_else(|| {
            Refusal::new(CALL, format!("{arn}: the answer holds no credentials"), "check --endpoint-url")
        })?;
        let credentials = Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            None,
            "thirdtrail",
        );
        Ok(Self { aws: self.aws.clone(), credentials: Some(credentials), account, arn, heard: self.heard.clone() })
    }

    /// Tells that this call is about to be made. Nobody need listen.
    pub(super) fn tell(&self, call: &str) {
        let _ = self.heard.send(format!("{} {call}", self.account));
    }

    /// The account.
    pub(super) fn account(&self) -> AccountId {
        self.account
    }

    /// Who this is.
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    fn provider(&self) -> Option<SharedCredentialsProvider> {
        self.credentials.clone().map(SharedCredentialsProvider::new)
    }

    /// IAM there.
    pub(super) fn iam(&self) -> aws_sdk_iam::Client {
        let mut builder = aws_sdk_iam::config::Builder::from(self.aws.config());
        if let Some(provider) = self.provider() {
            builder.set_credentials_provider(Some(provider));
        }
        aws_sdk_iam::Client::from_conf(builder.build())
    }

    /// Organizations there.
    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        aws_sdk_organizations::Client::new(self.aws.config())
    }

    /// CloudTrail there, in a Region, or in that of the configuration.
    pub(super) fn cloudtrail(&self, region: Option<&str>) -> aws_sdk_cloudtrail::Client {
        let mut builder = aws_sdk_cloudtrail::config::Builder::from(self.aws.config());
        if let Some(region) = region {
            builder = builder.region(aws_sdk_cloudtrail::config::Region::new(region.to_owned()));
        }
        if let Some(provider) = self.provider() {
            builder.set_credentials_provider(Some(provider));
        }
        aws_sdk_cloudtrail::Client::from_conf(builder.build())
    }
}
