//! How long a bucket is waited for: attempts, pauses between them, and when the whole store is given up.
//!
//! All repetition is here and none in the SDK, which does not repeat a body that breaks off while it is read.

use std::future::Future;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::super::StoreError;
use super::refusal::Refusal;

/// How long to wait for what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// Attempts for one call.
    pub attempts: u32,
    /// The pause after the first attempt; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Until a connection stands.
    pub connect: Duration,
    /// Silence that is no longer waited out: before an answer begins, or within it.
    pub silence: Duration,
    /// What comes more slowly than this is as good as silence.
    pub slowest_bytes_per_second: u64,
    /// Calls given up in a row, without a success between them, after which the others are given up at once.
    pub given_up_in_a_row: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 10,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(8),
            connect: Duration::from_secs(5),
            silence: Duration::from_secs(20),
            slowest_bytes_per_second: 16 << 10,
            given_up_in_a_row: 256,
        }
    }
}

impl Patience {
    /// The longest that so many bytes may take.
    pub(super) fn longest_transfer(&self, bytes: u64) -> Duration {
        self.silence + Duration::from_secs(bytes / self.slowest_bytes_per_second.max(1))
    }

    /// The pause after an attempt, of half its length at least. How much more, is drawn from `seed`, so that calls that
    /// failed together do not come back together.
    fn pause(&self, attempt: u32, seed: &str) -> Duration {
        let longest = self.first_pause.saturating_mul(1 << attempt.min(16)).min(self.longest_pause);
        let drawn = BuildHasherDefault::<DefaultHasher>::default().hash_one((seed, attempt)) % 1024;
        longest / 2 + longest.mul_f64(drawn as f64 / 2048.0)
    }
}

/// Repeats calls, and knows how the last ones ended.
#[derive(Debug, Default)]
pub(super) struct Persistence {
    patience: Patience,
    given_up: AtomicU32,
}

impl Persistence {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, given_up: AtomicU32::new(0) }
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Repeats a call until it works, is refused for good, or has been tried often enough. `subject` tells calls apart.
    pub(super) async fn repeat<T, F, A>(&self, subject: &str, mut attempt: A) -> Result<T, Refusal>
    where
        A: FnMut() -> F,
        F: Future<Output = Result<T, Refusal>>,
    {
        if self.given_up.load(Ordering::Relaxed) >= self.patience.given_up_in_a_row {
            return Err(gave_up());
        }
        let mut tried = 0;
        loop {
            let refusal = match attempt().await {
                Ok(done) => {
                    self.given_up.store(0, Ordering::Relaxed);
                    return Ok(done);
                }
                Err(refusal) => refusal,
            };
            tried += 1;
            if !refusal.passing {
                return Err(refusal);
            }
            if tried >= self.patience.attempts {
                self.given_up.fetch_add(1, Ordering::Relaxed);
                return Err(refusal.after(tried));
            }
            tokio::time::sleep(self.patience.pause(tried - 1, subject)).await;
        }
    }
}

fn gave_up() -> Refusal {
    Refusal {
        passing: false,
        region: None,
        error: StoreError::Refused {
            reason: "not tried: the store had stopped answering".to_owned(),
            fix: "check the network and the endpoint, and run again".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing() -> Refusal {
        Refusal { passing: true, region: None, error: StoreError::Other("GetObject: busy".to_owned()) }
    }

    fn impatient() -> Patience {
        let none = Duration::ZERO;
        Patience { attempts: 3, first_pause: none, longest_pause: none, given_up_in_a_row: 2, ..Patience::default() }
    }

    /// The outcome of a call that fails so often, and the attempts it took.
    async fn outcome(persistence: &Persistence, failures: u32) -> (Result<u32, String>, u32) {
        let mut tried = 0;
        let result = persistence
            .repeat("key", || {
                tried += 1;
                let now = tried;
                async move { if now > failures { Ok(now) } else { Err(passing()) } }
            })
            .await;
        (result.map_err(|refusal| refusal.error.to_string()), tried)
    }

    #[tokio::test]
    async fn a_passing_trouble_is_waited_out_and_a_lasting_one_is_named() {
        let persistence = Persistence::new(impatient());
        assert_eq!(outcome(&persistence, 2).await, (Ok(3), 3));
        assert_eq!(outcome(&persistence, 9).await, (Err("GetObject: busy (3 attempts)".to_owned()), 3));
    }

    #[tokio::test]
    async fn a_store_that_no_longer_answers_is_given_up() {
        let persistence = Persistence::new(impatient());
        let mut tried = Vec::new();
        for failures in [9, 0, 9, 9, 0] {
            tried.push(outcome(&persistence, failures).await.1);
        }
        assert_eq!(tried, [3, 1, 3, 3, 0]);
    }

    #[test]
    fn pauses_grow_differ_and_have_an_end() {
        let patience = Patience::default();
        assert!(patience.pause(0, "a") <= patience.first_pause);
        assert!(patience.pause(3, "a") >= patience.first_pause * 4);
        assert_ne!(patience.pause(3, "a"), patience.pause(3, "b"));
        assert!(patience.pause(40, "a") <= patience.longest_pause);
        assert_eq!(patience.longest_transfer(160 << 10), patience.silence + Duration::from_secs(10));
    }
}
