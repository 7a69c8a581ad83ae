//! The accounts of the caller's organization: `organizations:DescribeOrganization` and `ListAccounts`, all pages.

use serde_json::{Value, json};

use crate::policy::organization::OrganizationError;

use super::login::Login;
use super::pages::Pages;
use super::refusal::Refusal;
use super::shape::{object, text};

const DESCRIBE: &str = "organizations:DescribeOrganization";
const LIST: &str = "organizations:ListAccounts";

/// The refusal of a list with an account that cannot be read.
pub(super) fn unreadable(error: &OrganizationError) -> Refusal {
    Refusal::new(LIST, format!("the answer cannot be used: {error}"), "check --endpoint-url")
}

/// Asks for all of it. An account that is in no organization is an organization of its own.
///
/// Mail addresses are left out: nothing needs them.
pub(super) async fn fetch(login: &Login) -> Result<Value, Refusal> {
    let client = login.organizations();
    let described = match client.describe_organization().send().await {
        Ok(answer) => answer.organization,
        Err(error) if Refusal::code(&error) == Some("AWSOrganizationsNotInUseException") => {
            return Ok(json!({"Organization": null, "Accounts": [{"Id": login.account(), "Status": "ACTIVE"}]}));
        }
        Err(error) => return Err(Refusal::of(DESCRIBE, &error)),
    };
    let organization = described.map(|organization| {
        object([
            ("Id", text(organization.id())),
            ("Arn", text(organization.arn())),
            ("MasterAccountId", text(organization.master_account_id())),
        ])
    });
    let mut accounts = Vec::new();
    let (mut pages, mut token) = (Pages::of(LIST), None);
    loop {
        login.tell(LIST);
        let answer = client.list_accounts().set_next_token(token).send().await;
        let page = answer.map_err(|error| Refusal::of(LIST, &error))?;
        accounts.extend(page.accounts().iter().map(|account| {
            object([
                ("Id", text(account.id())),
                ("Arn", text(account.arn())),
                ("Name", text(account.name())),
                ("Status", status(account)),
                ("State", text(account.state().map(|state| state.as_str()))),
            ])
        }));
        token = pages.next(page.next_token())?;
        if token.is_none() {
            return Ok(json!({"Organization": organization, "Accounts": accounts}));
        }
    }
}

fn status(account: &aws_sdk_organizations::types::Account) -> Option<Value> {
    text(account.status().map(|status| status.as_str()))
}
