//! One API of one service as CloudTrail names it: event source and event name.

use std::fmt;
use std::sync::Arc;

/// `eventSource` without its DNS suffix, and `eventName`: (`s3`, `ListBuckets`).
///
/// An event name is not an IAM action (S20); `activity::action_map` tells which actions it uses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ApiCall {
    /// `s3` for `s3.amazonaws.com`; any other text is kept whole.
    pub source: Arc<str>,
    /// The event name as recorded.
    pub name: Arc<str>,
}

impl ApiCall {
    /// Takes the recorded `eventSource` and `eventName`.
    #[must_use]
    pub fn new(event_source: &str, event_name: &str) -> Self {
        Self { source: Arc::from(short_source(event_source)), name: Arc::from(event_name) }
    }

    /// The `eventSource` as CloudTrail writes it.
    #[must_use]
    pub fn event_source(&self) -> String {
        if self.source.contains('.') { self.source.to_string() } else { format!("{}.amazonaws.com", self.source) }
    }
}

/// `s3` of `s3.amazonaws.com` and `s3.amazonaws.com.cn`.
#[must_use]
pub fn short_source(event_source: &str) -> &str {
    event_source
        .strip_suffix(".amazonaws.com")
        .or_else(|| event_source.strip_suffix(".amazonaws.com.cn"))
        .unwrap_or(event_source)
}

impl fmt::Display for ApiCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_lose_their_suffix_in_every_partition() {
        assert_eq!(short_source("ec2.amazonaws.com"), "ec2");
        assert_eq!(short_source("ec2.amazonaws.com.cn"), "ec2");
        assert_eq!(short_source("odd"), "odd");
        assert_eq!(ApiCall::new("ec2.amazonaws.com", "RunInstances").event_source(), "ec2.amazonaws.com");
    }
}
