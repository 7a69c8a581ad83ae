//! The public keys of digests, as `aws cloudtrail list-public-keys` prints them.
//!
//! CloudTrail signs with a key of its own in each Region, so the output for each Region is needed; keys add up. When a
//! key was in use is not looked at: a digest names its key by fingerprint, and a late digest is signed with a later one.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::{Digest, bytes_of_hex};

/// The only algorithm with which CloudTrail signs.
const ALGORITHM: &str = "SHA256withRSA";

/// Why a text holds no public keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has another shape.
    #[error("{0}")]
    Malformed(String),
    /// A key that is none.
    #[error("the key with the fingerprint `{0}` is no base64")]
    Value(String),
    /// Nothing in it.
    #[error("no key in it")]
    Empty,
}

/// Keys in the form in which they are listed, from fingerprints and DER.
pub fn listing<'k>(keys: impl Iterator<Item = (&'k str, &'k [u8])>) -> String {
    let keys = keys.map(|(name, der)| serde_json::json!({"Value": BASE64_STANDARD.encode(der), "Fingerprint": name}));
    serde_json::json!({"PublicKeyList": keys.collect::<Vec<_>>()}).to_string()
}

/// Public keys by fingerprint: DER, as PKCS #1 or X.509 has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicKeys(BTreeMap<String, Vec<u8>>);

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "PublicKeyList", alias = "publicKeyList")]
    keys: Vec<ListedKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedKey {
    value: String,
    fingerprint: String,
}

impl PublicKeys {
    /// Adds the keys of one listing.
    ///
    /// # Errors
    /// When the text is no such listing, or an empty one.
    pub fn add(&mut self, listing: &str) -> Result<(), KeyError> {
        let listed: Listed = serde_json::from_str(listing).map_err(|error| KeyError::Malformed(error.to_string()))?;
        if listed.keys.is_empty() {
            return Err(KeyError::Empty);
        }
        for key in listed.keys {
            let der = BASE64_STANDARD.decode(&key.value).map_err(|_| KeyError::Value(key.fingerprint.clone()))?;
            self.add_der(key.fingerprint, der);
        }
        Ok(())
    }

    /// Adds one key in DER.
    pub fn add_der(&mut self, fingerprint: String, der: Vec<u8>) {
        self.0.insert(fingerprint, der);
    }

    /// Whether the key that a digest names is among these.
    #[must_use]
    pub fn has(&self, fingerprint: &str) -> bool {
        self.0.contains_key(fingerprint)
    }

    /// Whether `signature`, in hexadecimal digits, is the one of this digest by the key that the digest names.
    #[must_use]
    pub fn verify(&self, digest: &Digest, signature: &str) -> bool {
        let (Some(der), Some(signature)) = (self.0.get(&digest.fingerprint), bytes_of_hex(signature)) else {
            return false;
        };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der);
        digest.algorithm == ALGORITHM && key.verify(digest.signed_text().as_bytes(), &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of the answer, with the keys in both forms that the User Guide shows, cut short.
    #[test]
    fn listings_of_several_regions_add_up() {
        let mut keys = PublicKeys::default();
        keys.add(r#"{"PublicKeyList":[{"Value":"MIIB","ValidityStartTime":1436317441.0,"Fingerprint":"8eba"}]}"#)
            .unwrap();
        keys.add(r#"{"publicKeyList":[{"ValidityStartTime":"1434589460.0","Value":"AAAA","Fingerprint":"8933"}]}"#)
            .unwrap();
        assert!(keys.has("8eba") && keys.has("8933") && !keys.has("31e8"));
        let listed = listing(keys.0.iter().map(|(name, der)| (name.as_str(), der.as_slice())));
        let mut again = PublicKeys::default();
        again.add(&listed).unwrap();
        assert_eq!(again, keys);
    }

    #[test]
    fn what_holds_no_keys_says_why() {
        let error = |text: &str| PublicKeys::default().add(text).unwrap_err();
        assert_eq!(error(r#"{"PublicKeyList":[]}"#), KeyError::Empty);
        assert_eq!(error(r#"{"PublicKeyList":[{"Value":"?","Fingerprint":"f"}]}"#), KeyError::Value("f".to_owned()));
        assert!(matches!(error("-----BEGIN PUBLIC KEY-----"), KeyError::Malformed(_)));
    }
}
