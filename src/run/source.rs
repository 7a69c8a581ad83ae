//! Opens the place that a user names: a folder, a file, or `s3://bucket/prefix`.

use std::path::Path;

use crate::cloudtrail::object_key::ObjectKey;
use crate::store::Store;
use crate::store::aws::Aws;
pub use crate::store::aws::AwsOptions;
use crate::store::local::LocalStore;
use crate::store::s3::{Manner, S3Store};

use super::UserError;

/// How places in S3 begin.
const SCHEME: &str = "s3://";
/// Where CloudTrail's layout begins in a bucket (S1).
const TRAIL_FOLDER: &str = "AWSLogs";

/// A place in a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BucketPlace<'a> {
    /// The bucket, or the alias of an access point.
    pub bucket: &'a str,
    /// What follows it, without a `/` in front.
    pub path: &'a str,
}

/// Takes `s3://bucket/prefix` apart; `None` for a place that is not in S3.
///
/// # Errors
/// A place in S3 that names no bucket.
pub fn in_bucket(place: &str) -> Result<Option<BucketPlace<'_>>, UserError> {
    let Some(rest) = place.strip_prefix(SCHEME) else {
        // A name with another scheme is a slip more often than a folder.
        return match place.split_once("://") {
            Some((scheme, _)) if !Path::new(place).exists() => Err(UserError::new(
                format!("cannot open `{place}`: `{scheme}` is not known here"),
                "write a folder, or `s3://bucket/prefix`",
            )),
            _ => Ok(None),
        };
    };
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bucket.len() < 3 || bucket.len() > 255 || !bucket.chars().all(is_name) || path.starts_with('/') {
        return Err(UserError::new(format!("`{place}` names no bucket"), "write it as `s3://bucket/prefix`"));
    }
    Ok(Some(BucketPlace { bucket, path }))
}

/// The Region whose folder a place is, or lies in: then nothing of other Regions is read.
#[must_use]
pub fn region_of(place: &str) -> Option<String> {
    let resolved = if place.starts_with(SCHEME) { None } else { Path::new(place).canonicalize().ok() };
    let path = resolved.map_or_else(|| place.to_owned(), |path| path.to_string_lossy().replace('\\', "/"));
    let inside = format!("{}/-", path.trim_end_matches('/'));
    ObjectKey::parse(&inside).region.map(str::to_owned)
}

/// The store behind a place that is read.
///
/// # Errors
/// When there is nothing there, or it cannot be reached.
pub fn open(place: &str, aws: &AwsOptions) -> Result<Box<dyn Store>, UserError> {
    if let Some(found) = in_bucket(place)? {
        // Keys are told from above `AWSLogs`, so that a part of a trail is read as the whole of it is.
        let root = found
            .path
            .split('/')
            .position(|step| step == TRAIL_FOLDER)
            .map(|above| found.path.split_inclusive('/').take(above).collect::<String>());
        return Ok(Box::new(open_bucket(place, found, root.as_deref(), aws)?));
    }
    let store = LocalStore::open(Path::new(place)).map_err(|error| {
        UserError::new(format!("cannot open source `{place}`: {error}"), "give a folder or file of CloudTrail logs")
    })?;
    Ok(Box::new(store))
}

/// The store at a place in a bucket, to write to it; there may be nothing yet.
///
/// # Errors
/// When the bucket cannot be reached or listed.
pub fn open_to_write(place: &str, found: BucketPlace<'_>, aws: &AwsOptions) -> Result<S3Store, UserError> {
    let folder = match found.path {
        "" => String::new(),
        path => format!("{}/", path.trim_end_matches('/')),
    };
    open_bucket(place, BucketPlace { path: &folder, ..found }, None, aws)
}

fn open_bucket(
    place: &str,
    found: BucketPlace<'_>,
    root: Option<&str>,
    aws: &AwsOptions,
) -> Result<S3Store, UserError> {
    let opened =
        Aws::connect(aws).and_then(|aws| S3Store::open(aws, found.bucket, found.path, root, Manner::default()));
    opened.map_err(|error| {
        let fix = error.fix().unwrap_or("check its name and your permissions").to_owned();
        UserError::new(format!("cannot list `{place}`: {error}"), fix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(place: &str, expected: Option<(&str, &str)>) {
        let expected = expected.map(|(bucket, path)| BucketPlace { bucket, path });
        assert_eq!(in_bucket(place).unwrap(), expected, "{place}");
    }

    /// S24: the folder of a Region holds that Region only, as a bucket or as a folder, named from within or not.
    #[test]
    fn the_folder_of_a_region_tells_the_region() {
        let part = "AWSLogs/111122223333/CloudTrail/eu-west-1";
        for place in [format!("s3://b/{part}"), format!("s3://b/p/{part}/"), format!("s3://b/{part}/2026/05/01/")] {
            assert_eq!(region_of(&place).as_deref(), Some("eu-west-1"), "{place}");
        }
        for place in ["s3://b", "s3://b/AWSLogs/111122223333/", "s3://b/AWSLogs/111122223333/CloudTrail/"] {
            assert_eq!(region_of(place), None, "{place}");
        }
        let folder = tempfile::tempdir().unwrap();
        let region = folder.path().join(part);
        std::fs::create_dir_all(&region).unwrap();
        assert_eq!(region_of(folder.path().to_str().unwrap()), None);
        let within = region.join(".").join("../eu-west-1");
        assert_eq!(region_of(within.to_str().unwrap()).as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn a_place_in_s3_is_a_bucket_and_a_prefix() {
        check("s3://trail", Some(("trail", "")));
        check("s3://trail/", Some(("trail", "")));
        check("s3://trail/a/AWSLogs/", Some(("trail", "a/AWSLogs/")));
        check("trail/s3", None);
        for wrong in ["s3://", "s3:///prefix", "s3://a b/prefix", "s3://trail//prefix", "gs://trail", "s3:/trail://x"] {
            assert!(in_bucket(wrong).is_err(), "{wrong}");
        }
    }
}
