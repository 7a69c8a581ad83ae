//! The way to AWS: credentials, Region, endpoint, retries and timeouts, and the runtime that the SDK works on.
//!
//! The rest of the program is synchronous; [`Aws::wait`] is where it waits for the SDK. What the user does not say comes
//! from the SDK's default chain: environment, profile, SSO, container, instance.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use tokio::runtime::Runtime;

use super::StoreError;

/// Attempts for one call, with exponential backoff between them; S3 asks to slow down for seconds at a time.
const ATTEMPTS: u32 = 8;
const CONNECT: Duration = Duration::from_secs(5);
/// Silence on a connection that is no longer waited out.
const READ: Duration = Duration::from_secs(20);
/// The Region of calls when nothing names one: where AWS's global services answer.
const DEFAULT_REGION: &str = "us-east-1";

/// How to reach AWS, as far as the user says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AwsOptions {
    /// The profile of the shared configuration files.
    pub profile: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// An endpoint in place of AWS's own.
    pub endpoint_url: Option<String>,
    /// Buckets in the path, not in the host name.
    pub force_path_style: bool,
    /// Requests are paid by the caller, not by the bucket's owner.
    pub request_payer: bool,
    /// Requests are not signed; for public buckets.
    pub no_sign_request: bool,
}

/// A configured SDK with a runtime to call it on. Clones share both.
#[derive(Clone, Debug)]
pub struct Aws {
    runtime: Arc<Runtime>,
    config: SdkConfig,
    options: AwsOptions,
}

impl Aws {
    /// Loads the configuration; credentials are asked for with the first call.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn connect(options: &AwsOptions) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let config = runtime.block_on(load(options));
        Ok(Self { runtime: Arc::new(runtime), config, options: options.clone() })
    }

    /// The SDK's configuration.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// What the user asked for.
    #[must_use]
    pub fn options(&self) -> &AwsOptions {
        &self.options
    }

    /// The runtime, for work that goes on while this thread does something else.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Waits for an answer; not to be called on the runtime's own threads.
    pub fn wait<F: Future>(&self, call: F) -> F::Output {
        self.runtime.block_on(call)
    }
}

async fn load(options: &AwsOptions) -> SdkConfig {
    let region = options.region.clone().map(Region::new);
    let region = aws_config::meta::region::RegionProviderChain::first_try(region)
        .or_default_provider()
        .or_else(Region::from_static(DEFAULT_REGION));
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .retry_config(retries)
        .timeout_config(timeouts);
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &options.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    if options.no_sign_request {
        loader = loader.no_credentials();
    }
    loader.load().await
}
