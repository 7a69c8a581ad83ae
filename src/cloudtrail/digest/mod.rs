//! Digest files: the names and hashes of what CloudTrail delivered in an hour, signed, each naming the one before it.
//!
//! Hashes are of plain contents, after inflating, of log objects and digests alike. Sources: AWS CloudTrail User Guide,
//! "CloudTrail digest file structure" and "Custom implementations of CloudTrail log file integrity validation".
//! A digest says nothing here that its signature does not cover: who delivers it, and where, is in the signed text.

pub mod chain;
pub mod key;

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use crate::aws::AccountId;
use crate::aws::window::{Time, parse_time};

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(digest(&SHA256, bytes).as_ref().try_into().unwrap_or([0; 32]))
    }

    /// The hash that hexadecimal digits tell, if they tell one.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        Some(Self(bytes_of_hex(hex)?.try_into().ok()?))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The bytes that hexadecimal digits stand for.
fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let nibble = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(nibble(high)? << 4 | nibble(low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// Why a file is no digest that can be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It is no JSON, or a field is missing or of another type.
    #[error("no digest: {0}")]
    Malformed(String),
    /// A field holds what it must not.
    #[error("no digest: `{0}` cannot be understood")]
    Field(&'static str),
}

/// One digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digest {
    /// Whose log objects it names.
    pub account: AccountId,
    /// Beginning of the time whose deliveries it names.
    pub start: Time,
    /// End of the time whose deliveries it names.
    pub end: Time,
    /// The bucket it was delivered to.
    pub bucket: String,
    /// The key it was delivered under.
    pub object: String,
    /// Names the public key.
    pub fingerprint: String,
    /// The digest before it; none where the chain starts or starts again.
    pub previous: Option<Previous>,
    /// The log objects delivered.
    pub logs: Vec<LogFile>,
    /// Hash of its own plain contents.
    pub hash: Sha256,
    /// As written, because it is a part of the signed text.
    end_text: String,
    algorithm: String,
}

/// The digest before another one, as this one knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Previous {
    /// Its key.
    pub object: String,
    /// Its hash.
    pub hash: Sha256,
    /// Its signature, in hexadecimal digits.
    pub signature: String,
}

/// A log object as a digest names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogFile {
    /// Its key.
    pub object: String,
    /// Its hash.
    pub hash: Sha256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    aws_account_id: String,
    digest_start_time: String,
    digest_end_time: String,
    #[serde(rename = "digestS3Bucket")]
    bucket: String,
    #[serde(rename = "digestS3Object")]
    object: String,
    digest_public_key_fingerprint: String,
    digest_signature_algorithm: String,
    #[serde(rename = "previousDigestS3Object")]
    previous_object: Option<String>,
    previous_digest_hash_value: Option<String>,
    previous_digest_hash_algorithm: Option<String>,
    previous_digest_signature: Option<String>,
    log_files: Vec<WrittenLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLog {
    #[serde(rename = "s3Object")]
    object: String,
    hash_value: String,
    hash_algorithm: String,
}

impl Digest {
    /// Reads the plain contents of a digest file.
    ///
    /// # Errors
    /// When it is none, or uses a hash that is not known here.
    pub fn parse(plain: &[u8]) -> Result<Self, DigestError> {
        let written: Written =
            serde_json::from_slice(plain).map_err(|error| DigestError::Malformed(error.to_string()))?;
        let time = |text: &str, field| parse_time(text).ok_or(DigestError::Field(field));
        let account = AccountId::parse(&written.aws_account_id).ok_or(DigestError::Field("awsAccountId"))?;
        let log = |log: WrittenLog| {
            let hash = hash_of(&log.hash_algorithm, &log.hash_value);
            Ok(LogFile { object: log.object, hash: hash.ok_or(DigestError::Field("logFiles"))? })
        };
        Ok(Self {
            account,
            start: time(&written.digest_start_time, "digestStartTime")?,
            end: time(&written.digest_end_time, "digestEndTime")?,
            previous: previous(&written)?,
            logs: written.log_files.into_iter().map(log).collect::<Result<_, _>>()?,
            hash: Sha256::of(plain),
            bucket: written.bucket,
            object: written.object,
            fingerprint: written.digest_public_key_fingerprint,
            end_text: written.digest_end_time,
            algorithm: written.digest_signature_algorithm,
        })
    }

    /// The text that CloudTrail signs.
    #[must_use]
    pub fn signed_text(&self) -> String {
        let previous = self.previous.as_ref().map_or("null", |previous| previous.signature.as_str());
        format!("{}\n{}/{}\n{}\n{previous}", self.end_text, self.bucket, self.object, self.hash)
    }
}

fn hash_of(algorithm: &str, hex: &str) -> Option<Sha256> {
    Sha256::parse(hex).filter(|_| algorithm == "SHA-256")
}

/// All fields about the digest before are there, or none is: that is a start of the chain.
fn previous(written: &Written) -> Result<Option<Previous>, DigestError> {
    let fields = (
        &written.previous_object,
        &written.previous_digest_hash_value,
        &written.previous_digest_hash_algorithm,
        &written.previous_digest_signature,
    );
    match fields {
        (None, None, None, None) => Ok(None),
        (Some(object), Some(hash), Some(algorithm), Some(signature)) => {
            let hash = hash_of(algorithm, hash).ok_or(DigestError::Field("previousDigestHashValue"))?;
            Ok(Some(Previous { object: object.clone(), hash, signature: signature.clone() }))
        }
        _ => Err(DigestError::Field("previousDigestS3Object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the User Guide, shortened to one log object and a short signature.
    const EXAMPLE: &str = r#"{
      "awsAccountId": "111122223333", "digestStartTime": "2015-08-17T14:01:31Z", "digestEndTime": "2015-08-17T15:01:31Z",
      "digestS3Bucket": "S3-bucket-name", "digestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/x_20150817T150131Z.json.gz",
      "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff", "digestSignatureAlgorithm": "SHA256withRSA",
      "newestEventTime": "2015-08-17T14:52:27Z", "oldestEventTime": "2015-08-17T14:42:27Z",
      "previousDigestS3Bucket": "S3-bucket-name", "previousDigestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/x_20150817T140131Z.json.gz",
      "previousDigestHashValue": "97fb791cf91ffc440d274f8190dbdd9aa09c34432aba82739df18b6d3c13df2d",
      "previousDigestHashAlgorithm": "SHA-256", "previousDigestSignature": "50887ccf",
      "logFiles": [{"s3Bucket": "S3-bucket-name", "s3Object": "AWSLogs/111122223333/CloudTrail/us-east-2/y.json.gz",
        "hashValue": "9bb6196fc6b84d6f075a56548feca262bd99ba3c2de41b618e5b6e22c1fc71f6", "hashAlgorithm": "SHA-256",
        "newestEventTime": "2015-08-17T14:52:27Z", "oldestEventTime": "2015-08-17T14:42:27Z"}]}"#;

    #[test]
    fn the_guides_example_is_read_and_its_signed_text_has_the_guides_form() {
        let digest = Digest::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(digest.account.as_str(), "111122223333");
        assert_eq!(digest.logs[0].object, "AWSLogs/111122223333/CloudTrail/us-east-2/y.json.gz");
        assert!(digest.logs[0].hash.to_string().starts_with("9bb6196f"));
        let text = digest.signed_text();
        let lines: Vec<&str> = text.lines().collect();
        let path = "S3-bucket-name/AWSLogs/111122223333/CloudTrail-Digest/us-east-2/x_20150817T150131Z.json.gz";
        assert_eq!(lines, ["2015-08-17T15:01:31Z", path, &Sha256::of(EXAMPLE.as_bytes()).to_string(), "50887ccf"]);
    }

    #[test]
    fn a_starting_digest_has_nothing_before_it_and_signs_null() {
        let mut value: serde_json::Value = serde_json::from_str(EXAMPLE).unwrap();
        for (field, value) in value.as_object_mut().unwrap() {
            if field.starts_with("previous") {
                *value = serde_json::Value::Null;
            }
        }
        let digest = Digest::parse(value.to_string().as_bytes()).unwrap();
        assert_eq!(digest.previous, None);
        assert!(digest.signed_text().ends_with("\nnull"));
    }

    /// S44: whatever a file holds, it is a digest or an error.
    #[test]
    fn what_is_no_digest_says_why() {
        let with = |from: &str, to: &str| Digest::parse(EXAMPLE.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert_eq!(with("111122223333", "1111"), DigestError::Field("awsAccountId"));
        assert_eq!(with("2015-08-17T15:01:31Z", "noon"), DigestError::Field("digestEndTime"));
        assert_eq!(with("\"50887ccf\"", "null"), DigestError::Field("previousDigestS3Object"));
        assert_eq!(with("97fb79", "97fb7x"), DigestError::Field("previousDigestHashValue"));
        assert_eq!(with("9bb6196f", "9bb6"), DigestError::Field("logFiles"));
        assert_eq!(
            with("\"SHA-256\",\n        \"newest", "\"MD5\",\n        \"newest"),
            DigestError::Field("logFiles")
        );
        assert!(matches!(with("\"logFiles\"", "\"files\""), DigestError::Malformed(_)));
        assert!(matches!(Digest::parse(b"\x1f\x8b"), Err(DigestError::Malformed(_))));
    }

    #[test]
    fn hashes_are_sha_256_in_small_hex_digits() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Sha256::of(b"").to_string(), empty);
        assert_eq!(Sha256::parse(&empty.to_uppercase()), Some(Sha256::of(b"")));
        assert_eq!(Sha256::parse(&empty[1..]), None);
        assert_eq!(Sha256::parse(&empty.replace('e', "ä")), None);
    }
}
