//! The accounts of an organization, as `aws organizations list-accounts` prints them (S17).

use std::collections::BTreeSet;

use serde_json::Value;

use super::inventory::says_more;
use crate::aws::{AccountId, Arn};

/// Why a file is no list of accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("it has no list `Accounts`: not the output of `aws organizations list-accounts`")]
    Shape,
    /// Not all pages.
    #[error("its last page says that more follow: run it without --max-items, or add the other pages")]
    CutOff,
    /// An account without its id.
    #[error("entry {0} of `Accounts` has no readable `Id`")]
    Account(usize),
}

/// An organization.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Organization {
    /// All accounts, suspended ones and the management account included.
    pub accounts: BTreeSet<AccountId>,
    /// The accounts that can be asked: those that are active.
    pub active: BTreeSet<AccountId>,
    /// Its id, `o-...`, where the file tells it.
    pub ids: BTreeSet<String>,
}

impl Organization {
    /// Adds one file: one or several pages.
    ///
    /// # Errors
    /// [`OrganizationError`] with the first thing that is wrong.
    pub fn add(&mut self, json: &str) -> Result<(), OrganizationError> {
        let (mut any, mut more) = (false, false);
        for page in serde_json::Deserializer::from_str(json).into_iter::<Value>() {
            let page = page.map_err(|error| OrganizationError::Json(error.to_string()))?;
            let accounts = page.get("Accounts").and_then(Value::as_array).ok_or(OrganizationError::Shape)?;
            for (at, account) in accounts.iter().enumerate() {
                let id = account["Id"].as_str().and_then(AccountId::parse);
                let id = id.ok_or(OrganizationError::Account(at + 1))?;
                self.accounts.insert(id);
                // `arn:aws:organizations::<management account>:account/o-.../<account>`
                let arn = account["Arn"].as_str().and_then(Arn::parse);
                let of = arn.and_then(|arn| arn.resource.strip_prefix("account/")?.split('/').next());
                self.ids.extend(of.filter(|id| id.starts_with("o-")).map(str::to_owned));
                // `State` takes the place of `Status`; an account that has neither is asked and may refuse.
                let state = account["State"].as_str().or_else(|| account["Status"].as_str());
                if state.is_none_or(|state| state == "ACTIVE") {
                    self.active.insert(id);
                }
            }
            let management = page.pointer("/Organization/MasterAccountId").and_then(Value::as_str);
            self.accounts.extend(management.and_then(AccountId::parse));
            any = true;
            more = says_more(&page);
        }
        if more {
            return Err(OrganizationError::CutOff);
        }
        if any { Ok(()) } else { Err(OrganizationError::Json("empty file".to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S7, S17: pages, suspended accounts, an id that begins with zero.
    #[test]
    fn all_accounts_are_ours_and_active_ones_can_be_asked() {
        let mut organization = Organization::default();
        let pages = r#"{"Accounts":[{"Id":"012345678901","Status":"ACTIVE"},{"Id":"111122223333","Status":"SUSPENDED"}]}
            {"Accounts":[{"Id":"222233334444"}],"Organization":{"Id":"o-1","MasterAccountId":"333344445555"}}"#;
        organization.add(pages).unwrap();
        let ids = |accounts: &BTreeSet<AccountId>| accounts.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(ids(&organization.accounts), ["012345678901", "111122223333", "222233334444", "333344445555"]);
        assert_eq!(ids(&organization.active), ["012345678901", "222233334444"]);
    }

    #[test]
    fn what_is_no_list_of_accounts_is_refused() {
        let refuse = |json: &str| Organization::default().add(json).unwrap_err();
        assert_eq!(refuse("{}"), OrganizationError::Shape);
        assert_eq!(refuse("{\"Accounts\":[{\"Id\":12}]}"), OrganizationError::Account(1));
        assert!(matches!(refuse(""), OrganizationError::Json(_)));
        assert_eq!(refuse("{\"Accounts\":[],\"NextToken\":\"t\"}"), OrganizationError::CutOff);
    }
}
