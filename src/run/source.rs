//! Opens the place that a user names: a folder, a file, or `s3://bucket/prefix`.

use std::path::Path;

use crate::store::Store;
pub use crate::store::aws::AwsOptions;
use crate::store::local::LocalStore;

use super::UserError;

/// The store behind a place.
///
/// # Errors
/// When there is nothing there, or it cannot be reached.
pub fn open(place: &str, aws: &AwsOptions) -> Result<Box<dyn Store>, UserError> {
    if place.starts_with("s3://") {
        let _ = aws;
        return Err(UserError::new(format!("cannot open `{place}`"), "copy it to a folder"));
    }
    let store = LocalStore::open(Path::new(place)).map_err(|error| {
        UserError::new(format!("cannot open source `{place}`: {error}"), "give a folder or file of CloudTrail logs")
    })?;
    Ok(Box::new(store))
}
