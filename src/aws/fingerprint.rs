//! A secret shown without being shown: a short keyed digest and a length (S42).

use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The keyed digest (16 hex digits) and the length in characters of a secret such as an external id.
///
/// Equal secrets under one key have equal fingerprints. The key is derived from public names, so a
/// fingerprint of a short or guessable id can be found by trying; its purpose is to keep ids out of
/// reports, tickets and logs, not to protect a weak one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Fingerprint {
    /// 16 hex digits.
    pub digest: String,
    /// Length of the secret in characters.
    pub length: u32,
}

/// The state after the key, which is the same for every secret.
static KEYED: LazyLock<Option<Hmac<Sha256>>> =
    LazyLock::new(|| Hmac::<Sha256>::new_from_slice(b"thirdtrail.external-id/1").ok());

impl Fingerprint {
    /// Fingerprints `secret` under the project's fixed key.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        let mut digest = String::new();
        if let Some(mut mac) = KEYED.clone() {
            mac.update(secret.as_bytes());
            let bytes = mac.finalize().into_bytes();
            let start = bytes.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            digest = format!("{start:016x}");
        }
        Self { digest, length: u32::try_from(secret.chars().count()).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S42: external ids are handled like secrets.
    #[test]
    fn fingerprints_tell_equal_from_different_without_the_secret() {
        let a = Fingerprint::of("7f9c1d1e-0000-4000-8000-000000000001");
        assert_eq!(a, Fingerprint::of("7f9c1d1e-0000-4000-8000-000000000001"));
        assert_ne!(a.digest, Fingerprint::of("7f9c1d1e-0000-4000-8000-000000000002").digest);
        assert_eq!((a.digest.len(), a.length), (16, 36));
    }
}
