//! A bucket, or a part of it, as a store.
//!
//! Keys are told from `root` on, which is what was asked for or, in a trail's layout, what lies above `AWSLogs`. What
//! may pass is tried again (`patience`); what does not is said in words that a person understands (`refusal`).

mod listing;
mod patience;
mod refusal;
mod transfer;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, Region, StalledStreamProtectionConfig};
use aws_sdk_s3::types::RequestPayer;
use tokio::runtime::Handle;

use super::aws::Aws;
use super::{Coming, Entry, KeyRange, Level, Remote, Store, StoreError};

pub use patience::Patience;

use patience::Persistence;

/// Most keys that S3 gives in one answer.
const PAGE_KEYS: i32 = 1000;
/// Attempts for the first call: somebody waits for it, and a slip is more likely than a busy store.
const FIRST_ATTEMPTS: u32 = 4;
/// Larger objects are written in parts of this size.
const PART_BYTES: usize = 16 << 20;

/// How to work with a bucket; the defaults are for AWS, tests have other needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manner {
    /// How long to wait for what.
    pub patience: Patience,
    /// Keys in one answer to a listing, at most.
    pub page_keys: i32,
    /// Objects larger than this are written in parts of this size; S3 takes no smaller ones than 5 MiB.
    pub part_bytes: usize,
}

impl Default for Manner {
    fn default() -> Self {
        Self { patience: Patience::default(), page_keys: PAGE_KEYS, part_bytes: PART_BYTES }
    }
}

/// Objects of one bucket.
#[derive(Clone, Debug)]
pub struct S3Store {
    aws: Aws,
    bucket: Arc<Bucket>,
    /// Below the root; empty for all of it.
    within: String,
}

/// What every call needs.
#[derive(Debug)]
struct Bucket {
    client: Client,
    name: String,
    /// What keys are told from; empty, or with a final `/`.
    root: String,
    payer: Option<RequestPayer>,
    persistence: Persistence,
    manner: Manner,
}

impl S3Store {
    /// The objects at `path`: all that lies below it as in a folder, or the one object of that name. Asks for one key,
    /// so that wrong names, Regions and credentials are noticed at once; goes to the Region that the bucket is in.
    ///
    /// `root` is how `path` begins, and what keys are told from; by default the folder.
    ///
    /// # Errors
    /// When the bucket cannot be listed.
    pub fn open(aws: Aws, name: &str, path: &str, root: Option<&str>, manner: Manner) -> Result<Self, StoreError> {
        let mut bucket = Bucket::new(&aws, name, None, manner);
        let folder = if path.is_empty() || path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
        let mut first = aws.wait(bucket.first_key(&folder));
        let here = aws.config().region().map(Region::as_ref);
        let elsewhere = first.as_ref().err().and_then(|refusal| refusal.region.clone());
        if let Some(region) = elsewhere.filter(|region| Some(region.as_str()) != here) {
            bucket = Bucket::new(&aws, name, Some(region), manner);
            first = aws.wait(bucket.first_key(&folder));
        }
        let is_folder = first.map_err(|refusal| refusal.error)?.is_some() || folder == path;
        let is_object = !is_folder && {
            let first = aws.wait(bucket.first_key(path)).map_err(|refusal| refusal.error)?;
            first.as_deref() == Some(path)
        };
        let place = if is_object { path.to_owned() } else { folder };
        let parent = place.rfind('/').and_then(|at| place.get(..=at)).unwrap_or_default();
        bucket.root = root.unwrap_or(parent).to_owned();
        bucket.persistence = Persistence::new(manner.patience);
        let within = place.strip_prefix(&bucket.root).unwrap_or_default().to_owned();
        Ok(Self { aws, bucket: Arc::new(bucket), within })
    }
}

impl Bucket {
    fn new(aws: &Aws, name: &str, region: Option<String>, manner: Manner) -> Self {
        let patience = manner.patience;
        let timeouts =
            TimeoutConfig::builder().connect_timeout(patience.connect).read_timeout(patience.silence).build();
        let mut config = Builder::from(aws.config())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .force_path_style(aws.options().force_path_style);
        if let Some(region) = region {
            config = config.region(Region::new(region));
        }
        Self {
            client: Client::from_conf(config.build()),
            name: name.to_owned(),
            root: String::new(),
            payer: aws.options().request_payer.then_some(RequestPayer::Requester),
            persistence: Persistence::new(Patience { attempts: patience.attempts.min(FIRST_ATTEMPTS), ..patience }),
            manner,
        }
    }
}

impl Store for S3Store {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.list_range(&KeyRange::at(&self.within))
    }

    fn list_range(&self, range: &KeyRange) -> Result<Vec<Entry>, StoreError> {
        self.aws.wait(self.bucket.list(range)).map_err(|refusal| refusal.error)
    }

    fn level(&self, prefix: &str) -> Result<Level, StoreError> {
        self.aws.wait(self.bucket.level(prefix)).map_err(|refusal| refusal.error)
    }

    fn remote(&self) -> Option<&dyn Remote> {
        Some(self)
    }

    fn within(&self) -> &str {
        &self.within
    }

    fn get(&self, key: &str, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        *buffer = self.aws.wait(self.bucket.get(key, std::mem::take(buffer))).map_err(|refusal| refusal.error)?;
        Ok(())
    }

    fn metadata(&self, key: &str) -> Result<BTreeMap<String, String>, StoreError> {
        self.aws.wait(self.bucket.metadata(key)).map_err(|refusal| refusal.error)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.aws.wait(self.bucket.put(key, bytes)).map_err(|refusal| refusal.error)
    }

    fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.aws.wait(self.bucket.remove(key)).map_err(|refusal| refusal.error)
    }
}

impl Remote for S3Store {
    fn fetch(&self, key: &str, buffer: Vec<u8>) -> Coming {
        let (bucket, key) = (Arc::clone(&self.bucket), key.to_owned());
        Box::pin(async move { bucket.get(&key, buffer).await.map_err(|refusal| refusal.error) })
    }

    fn runtime(&self) -> Handle {
        self.aws.runtime().handle().clone()
    }
}
