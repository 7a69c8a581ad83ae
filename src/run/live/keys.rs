//! Users of one account: the credential report, and every access key with its last use.

use std::time::Duration;

use aws_sdk_iam::Client;
use serde_json::Value;

use super::at_once::at_once;
use super::login::Login;
use super::pages::Pages;
use super::refusal::Refusal;
use super::shape::{object, text, time};

const GENERATE: &str = "iam:GenerateCredentialReport";
const REPORT: &str = "iam:GetCredentialReport";
const USERS: &str = "iam:ListUsers";
const KEYS: &str = "iam:ListAccessKeys";
const LAST_USED: &str = "iam:GetAccessKeyLastUsed";
/// Users that are asked about at the same time.
const AT_ONCE: usize = 4;
/// How often a report is asked for before that is given up, waiting longer each time up to [`LONGEST`].
const POLLS: u32 = 60;
const LONGEST: Duration = Duration::from_secs(5);

/// The credential report as CSV.
pub(super) async fn report(login: &Login) -> Result<String, Refusal> {
    let client = login.iam();
    let mut pause = Duration::from_millis(250);
    for _ in 0..POLLS {
        login.tell(GENERATE);
        let answer = client.generate_credential_report().send().await;
        let state = answer.map_err(|error| Refusal::of(GENERATE, &error))?.state;
        if state.is_some_and(|state| state.as_str() == "COMPLETE") {
            let answer = client.get_credential_report().send().await;
            let content = answer.map_err(|error| Refusal::of(REPORT, &error))?.content;
            let bytes = content.map(aws_sdk_iam::primitives::Blob::into_inner).unwrap_or_default();
            return String::from_utf8(bytes).map_err(|_| Refusal::new(REPORT, "the report is not UTF-8", "try again"));
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST.min(pause * 2);
    }
    Err(Refusal::new(GENERATE, format!("the report is not ready after {POLLS} requests"), "try again later"))
}

/// Every access key of every user.
pub(super) async fn fetch(login: &Login) -> Result<Vec<Value>, Refusal> {
    let client = login.iam();
    login.tell(USERS);
    let names = users(&client).await?;
    let ask = |name| {
        login.tell(KEYS);
        keys_of(client.clone(), name)
    };
    let answers = at_once(names, AT_ONCE, ask).await;
    let mut keys = Vec::new();
    for answer in answers {
        keys.extend(answer?);
    }
    Ok(keys)
}

async fn users(client: &Client) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    let (mut pages, mut marker) = (Pages::of(USERS), None);
    loop {
        let answer = client.list_users().set_marker(marker).send().await;
        let page = answer.map_err(|error| Refusal::of(USERS, &error))?;
        names.extend(page.users().iter().map(|user| user.user_name().to_owned()));
        marker = pages.next_of(page.is_truncated(), page.marker())?;
        if marker.is_none() {
            return Ok(names);
        }
    }
}

async fn keys_of(client: Client, user: String) -> Result<Vec<Value>, Refusal> {
    let mut keys = Vec::new();
    let (mut pages, mut marker) = (Pages::of(KEYS), None);
    loop {
        let answer = client.list_access_keys().user_name(&user).set_marker(marker).send().await;
        let page = match answer {
            Ok(page) => page,
            // Deleted since it was listed.
            Err(error) if Refusal::code(&error) == Some("NoSuchEntity") => return Ok(keys),
            Err(error) => return Err(Refusal::of(KEYS, &error)),
        };
        for key in page.access_key_metadata() {
            let Some(id) = key.access_key_id() else { continue };
            let answer = client.get_access_key_last_used().access_key_id(id).send().await;
            let answer = answer.map_err(|error| Refusal::of(LAST_USED, &error))?;
            let last_used = answer.access_key_last_used().map(|used| {
                object([
                    ("LastUsedDate", time(used.last_used_date())),
                    ("ServiceName", text(Some(used.service_name()))),
                    ("Region", text(Some(used.region()))),
                ])
            });
            keys.push(object([
                ("UserName", text(Some(&user))),
                ("AccessKeyId", text(Some(id))),
                ("Status", text(key.status().map(|status| status.as_str()))),
                ("CreateDate", time(key.create_date())),
                ("AccessKeyLastUsed", last_used),
            ]));
        }
        marker = pages.next_of(page.is_truncated(), page.marker())?;
        if marker.is_none() {
            return Ok(keys);
        }
    }
}
