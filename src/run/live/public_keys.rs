//! The public keys of digests: `cloudtrail:ListPublicKeys` in every Region that delivered some, for their time.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::{Builder, Region};
use aws_sdk_cloudtrail::primitives::DateTime;

use crate::aws::window::Window;
use crate::cloudtrail::digest::key::listing;
use crate::store::aws::{Aws, AwsOptions};

use super::UserError;
use super::at_once::at_once;
use super::pages::Pages;
use super::refusal::Refusal;

const CALL: &str = "cloudtrail:ListPublicKeys";
/// Regions that are asked at the same time.
const AT_ONCE: usize = 4;

/// The keys of each Region, as the AWS CLI would print them; nothing of a Region that has none.
///
/// # Errors
/// When a Region refuses to answer.
pub fn fetch(
    options: &AwsOptions,
    regions: BTreeSet<String>,
    time: Window,
) -> Result<Vec<(String, String)>, UserError> {
    let aws = Aws::connect(options)
        .map_err(|error| UserError::new(format!("cannot start the AWS SDK: {error}"), "check the system's limits"))?;
    let client = |region: &str| {
        let config = Builder::from(aws.config()).region(Region::new(region.to_owned()));
        Client::from_conf(config.build())
    };
    let answers = aws.wait(at_once(regions.into_iter().collect(), AT_ONCE, |region| {
        let client = client(&region);
        async move { of_region(client, time).await.map_err(|refusal| refusal.about(&region)).map(|keys| (region, keys)) }
    }));
    let mut listings = Vec::new();
    for answer in answers {
        let (region, keys) = answer?;
        if !keys.is_empty() {
            listings.push((region, listing(keys.iter().map(|(name, der)| (name.as_str(), der.as_slice())))));
        }
    }
    Ok(listings)
}

/// Fingerprints with their keys.
async fn of_region(client: Client, time: Window) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let mut keys = Vec::new();
    let (mut pages, mut token) = (Pages::of(CALL), None);
    let at = |time: crate::aws::window::Time| DateTime::from_secs(time.timestamp());
    loop {
        let asked = client.list_public_keys().start_time(at(time.since)).end_time(at(time.until));
        let page = asked.set_next_token(token).send().await.map_err(|error| Refusal::of(CALL, &error))?;
        let listed = page.public_key_list().iter();
        let known = listed.filter_map(|key| Some((key.fingerprint()?.to_owned(), key.value()?.as_ref().to_vec())));
        keys.extend(known);
        token = pages.next(page.next_token())?;
        if token.is_none() {
            return Ok(keys);
        }
    }
}
