//! Live inputs: asks AWS for what is known beside the trail, in the form of the files that hold it.
//!
//! What is fetched becomes the text of a file first, and is read as files are: so an analysis of what was saved says the
//! same as a live one. Nothing here judges, and nothing here changes anything in AWS. An account or a call that refuses
//! is told, and the others go on.

mod at_once;
pub mod external_id;
mod inventory;
mod keys;
mod last_accessed;
mod login;
mod organization;
mod pages;
pub mod public_keys;
mod refusal;
mod shape;
mod trails;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};

use crate::aws::AccountId;
use crate::aws::window::{Time, rfc3339};
use crate::finding::assessment::FailedInput;
use crate::policy::inventory::Inventory;
use crate::policy::organization::Organization;
use crate::store::aws::{Aws, AwsOptions};

use super::UserError;
use super::monitor::Monitor;
use login::{Heard, Login};
use refusal::Refusal;

/// Accounts that are asked at the same time.
const ACCOUNTS: usize = 4;

/// A kind of input beside the trail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Input {
    /// The accounts of the organization.
    Organization,
    /// Roles, policies, users and groups.
    Inventory,
    /// Trails with their event selectors.
    TrailConfig,
    /// The credential report.
    CredentialReport,
    /// Access keys with their last use.
    AccessKeys,
    /// Action-level last-accessed details of roles that outsiders can come into.
    LastAccessed,
}

impl Input {
    /// All kinds, in the order in which they are asked for.
    pub const ALL: [Self; 6] = [
        Self::Organization,
        Self::Inventory,
        Self::TrailConfig,
        Self::CredentialReport,
        Self::AccessKeys,
        Self::LastAccessed,
    ];

    /// The word of options and folders.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Inventory => "inventory",
            Self::TrailConfig => "trail-config",
            Self::CredentialReport => "credential-report",
            Self::AccessKeys => "access-keys",
            Self::LastAccessed => "last-accessed",
        }
    }

    /// The file of one account, below a folder that was collected.
    #[must_use]
    pub fn path(self, account: AccountId) -> String {
        match self {
            Self::Organization => "organization.json".to_owned(),
            Self::CredentialReport => format!("{}/{account}.csv", self.word()),
            _ => format!("{}/{account}.json", self.word()),
        }
    }
}

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The kinds of inputs.
    pub inputs: BTreeSet<Input>,
    /// The role to assume in every account of the organization; without it the caller's account is asked alone.
    pub role: Option<&'a str>,
    /// Roles that are known already, for last-accessed details without an inventory from the same call.
    pub inventory: Option<&'a Inventory>,
    /// The time that the files bear.
    pub now: Time,
}

/// The text of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Document {
    /// What it is.
    pub input: Input,
    /// Its path below a folder that was collected.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// What AWS answered.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Whose credentials these were.
    pub caller: String,
    /// The files, by kind and account.
    pub documents: Vec<Document>,
    /// What could not be read, each thing once, with what to do about it.
    pub failed: BTreeMap<(Input, FailedInput), String>,
    /// Accounts of the organization that were not asked, because they are not active.
    pub not_asked: BTreeSet<AccountId>,
}

/// Asks for everything wished.
///
/// # Errors
/// When it is not known whose credentials these are, or which accounts to ask.
pub fn ask(options: &AwsOptions, wish: &Wish<'_>, monitor: &dyn Monitor) -> Result<Answers, UserError> {
    let aws = Aws::connect(options)
        .map_err(|error| UserError::new(format!("cannot start the AWS SDK: {error}"), "check the system's limits"))?;
    monitor.begin("asking AWS", 0, 0);
    let (heard, calls) = mpsc::channel();
    // Tasks outlive every borrow; what they say comes here by a channel, which ends when the last of them does.
    let answers = thread::scope(|scope| {
        scope.spawn(move || calls.iter().for_each(|call: String| monitor.at(&call)));
        aws.wait(ask_all(aws.clone(), wish, heard))
    });
    monitor.end();
    answers
}

async fn ask_all(aws: Aws, wish: &Wish<'_>, heard: Heard) -> Result<Answers, UserError> {
    let caller = Login::of_caller(aws, heard).await?;
    let mut answers = Answers { caller: caller.arn().to_owned(), ..Answers::default() };
    let mut organization = Organization::default();
    if wish.role.is_some() || wish.inputs.contains(&Input::Organization) {
        match organization::fetch(&caller).await {
            Ok(value) => {
                let text = pretty(&value);
                // An account that is not understood must not be left out in silence.
                organization.add(&text).map_err(|error| organization::unreadable(&error))?;
                answers.add(Input::Organization, caller.account(), text);
            }
            Err(refusal) if wish.role.is_some() => return Err(refusal.into()),
            Err(refusal) => answers.refuse(Input::Organization, None, refusal),
        }
    }
    answers.documents.retain(|document| wish.inputs.contains(&document.input));
    let own: BTreeSet<AccountId> = organization.accounts.iter().copied().chain([caller.account()]).collect();
    if wish.role.is_some() {
        answers.not_asked = organization.accounts.difference(&organization.active).copied().collect();
    }
    let accounts: Vec<AccountId> = match wish.role {
        Some(_) => organization.active.iter().copied().collect(),
        None => vec![caller.account()],
    };
    let asked = at_once::at_once(accounts, ACCOUNTS, |account| {
        let task = Task {
            caller: caller.clone(),
            account,
            role: wish.role.map(str::to_owned),
            inputs: wish.inputs.clone(),
            inventory: wish.inventory.cloned(),
            own: own.clone(),
            now: wish.now,
        };
        task.run()
    });
    for of_account in asked.await {
        answers.documents.extend(of_account.documents);
        answers.failed.extend(of_account.failed);
    }
    answers.documents.sort();
    Ok(answers)
}

impl Answers {
    fn add(&mut self, input: Input, account: AccountId, text: String) {
        self.documents.push(Document { input, path: input.path(account), text });
    }

    fn refuse(&mut self, input: Input, account: Option<AccountId>, refusal: Refusal) {
        let failed = FailedInput { account_id: account, call: refusal.call.to_owned(), reason: refusal.what };
        self.failed.insert((input, failed), refusal.help);
    }
}

/// One account to ask.
struct Task {
    caller: Login,
    account: AccountId,
    role: Option<String>,
    inputs: BTreeSet<Input>,
    inventory: Option<Inventory>,
    own: BTreeSet<AccountId>,
    now: Time,
}

impl Task {
    async fn run(self) -> Answers {
        let mut answers = Answers::default();
        let mut inputs = self.inputs.clone();
        inputs.remove(&Input::Organization);
        if inputs.is_empty() {
            return answers;
        }
        let login = match &self.role {
            Some(role) if self.account != self.caller.account() => self.caller.assume(self.account, role).await,
            _ => Ok(self.caller.clone()),
        };
        let login = match login {
            Ok(login) => login,
            Err(refusal) => {
                for input in inputs {
                    answers.refuse(input, Some(self.account), refusal.clone());
                }
                return answers;
            }
        };
        for input in inputs {
            self.fetch(input, &login, &mut answers).await;
        }
        answers
    }

    async fn fetch(&self, input: Input, login: &Login, answers: &mut Answers) {
        let envelope = |key: &str, list: Vec<Value>| {
            pretty(&json!({"Account": self.account, "Collected": rfc3339(self.now), key: list}))
        };
        let (text, refused) = match input {
            Input::Organization => return,
            Input::Inventory => only(inventory::fetch(login).await.map(|value| pretty(&value))),
            Input::CredentialReport => only(keys::report(login).await),
            Input::AccessKeys => only(keys::fetch(login).await.map(|keys| envelope("AccessKeys", keys))),
            Input::TrailConfig => match trails::fetch(login).await {
                Ok((trails, refused)) => (Some(envelope("Trails", trails)), refused),
                Err(refusal) => (None, vec![refusal]),
            },
            Input::LastAccessed => {
                let Some(roles) = self.roles(answers) else {
                    return answers.refuse(input, Some(self.account), last_accessed::unknown_roles());
                };
                let asked = !roles.is_empty();
                let (details, refused) = last_accessed::fetch(login, roles).await;
                // Nothing read of roles that were asked for is no file; no role to ask for is an empty one.
                ((!asked || !details.is_empty()).then(|| envelope("Roles", details)), refused)
            }
        };
        if let Some(text) = text {
            answers.add(input, self.account, text);
        }
        for refusal in refused {
            answers.refuse(input, Some(self.account), refusal);
        }
    }

    /// The roles of the account that outsiders can come into by trust, directly or through others; `None` where no
    /// inventory tells.
    fn roles(&self, answers: &Answers) -> Option<Vec<String>> {
        let mut inventory = self.inventory.clone().unwrap_or_default();
        for document in answers.documents.iter().filter(|document| document.input == Input::Inventory) {
            inventory.add(&document.text).ok()?;
        }
        if !inventory.accounts.contains(&self.account) {
            // An account without roles and users is in no inventory either, but then one was read.
            let read = answers.documents.iter().any(|document| document.input == Input::Inventory);
            return read.then(Vec::new);
        }
        let reachable = crate::policy::reachable::reachable(&inventory, &self.own, &BTreeSet::new());
        let roles = inventory.roles.values().filter(|role| role.account == self.account && !role.is_service_linked());
        Some(roles.filter(|role| reachable.contains(&role.arn)).map(|role| role.arn.clone()).collect())
    }
}

fn only(answer: Result<String, Refusal>) -> (Option<String>, Vec<Refusal>) {
    match answer {
        Ok(text) => (Some(text), Vec::new()),
        Err(refusal) => (None, vec![refusal]),
    }
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
