//! The permissions of a user whose keys a vendor has: its own policies and those of its groups.
//!
//! Managed policies stay what they are and are attached to the role; inline ones become the role's. What only works for
//! users is told, because the role would do less, or more, than the user did.

use serde_json::Value;

use crate::activity::directory::Directory;
use crate::activity::party_user::{PartyUsers, UserFacts};
use crate::aws::Arn;
use crate::policy::inventory::Inventory;
use crate::policy::inventory_users::{Holdings, IamUser};
use crate::policy::vendor_role::{Boundary, RoleDocument};
use crate::report::template::UserToReplace;

use super::super::UserError;
use super::super::inputs::inventory;
use super::{Granted, Replaced};

/// Characters of a policy's name, with room for a number.
const NAME: usize = 120;
/// Condition keys and variables that have other values in a role's session, or none. Source: IAM User Guide, "AWS global
/// condition context keys".
const OF_USERS: [&str; 8] = [
    "aws:username",
    "aws:userid",
    "aws:principalarn",
    "aws:principaltype",
    "aws:principaltag/",
    "aws:multifactorauthpresent",
    "aws:multifactorauthage",
    "aws:tokenissuetime",
];

/// The user's permissions, or those that are asked for in their place.
pub(super) fn read(replaced: &Replaced, asked: Option<Granted>, directory: &Directory) -> Result<Granted, UserError> {
    let (inventory, _) = inventory(&replaced.inventories)?;
    let arn = replaced.arn.as_str();
    let user = inventory.users.get(arn).ok_or_else(|| no_user(arn, &inventory))?;
    let mut granted = match asked {
        Some(asked) => asked,
        None => of_user(&inventory, user)?,
    };
    granted.own = inventory.accounts.iter().copied().collect();
    granted.partition = Arn::parse(arn).map(|arn| arn.partition.to_owned());
    if let Some(boundary) = &user.boundary {
        granted.boundary = Some(Boundary::Arn(boundary.clone()));
        granted.notes.push("the role has the permissions boundary of the user, unless another is given".to_owned());
    }
    let listed = directory.listed().of_user(arn).map(|vendor| vendor.name.as_str());
    let mut users = PartyUsers::default();
    users.note(UserFacts { arn, id: &user.id, tags: Some(&user.tags), listed }, &directory.party_names());
    granted.hint = users.get(arn).map(|found| (found.party.name.clone(), found.known_by));
    granted.user = Some(UserToReplace { arn: user.arn.clone(), name: user.name.clone() });
    Ok(granted)
}

fn no_user(arn: &str, inventory: &Inventory) -> UserError {
    let last = arn.rsplit('/').next().unwrap_or(arn);
    let alike: Vec<&str> =
        inventory.users.values().filter(|user| user.name == last).map(|user| user.arn.as_str()).collect();
    let help = match alike.as_slice() {
        [] => "give the ARN of a user of the inventory".to_owned(),
        arns => format!("of that name there is: {}", arns.join(", ")),
    };
    UserError::new(format!("no user `{arn}` is in the inventory"), help)
}

fn of_user(inventory: &Inventory, user: &IamUser) -> Result<Granted, UserError> {
    let mut granted = Granted::default();
    add(None, &user.holdings, inventory, &mut granted)?;
    for name in &user.groups {
        let group = inventory.groups.get(&(user.account, name.clone())).ok_or_else(|| {
            let what = format!("the group `{name}` of `{}` is not in the inventory", user.arn);
            UserError::new(what, "give the whole output of `aws iam get-account-authorization-details`")
        })?;
        add(Some(name), group, inventory, &mut granted)?;
    }
    granted.attached.sort();
    granted.attached.dedup();
    if granted.documents.is_empty() && granted.attached.is_empty() {
        granted.notes.push("the user has no policies".to_owned());
    }
    Ok(granted)
}

/// The policies of the user, or of one of its groups.
fn add(
    group: Option<&str>,
    holdings: &Holdings,
    inventory: &Inventory,
    granted: &mut Granted,
) -> Result<(), UserError> {
    let shown = |name: &str| group.map_or_else(|| name.to_owned(), |group| format!("{name} of group {group}"));
    for (name, document) in &holdings.inline {
        if let Err(problem) = &document.parsed {
            let what = format!("the inline policy {} cannot be read: {problem}", shown(name));
            return Err(UserError::new(what, "give the permissions with --policy"));
        }
        granted.notes.extend(of_users(&shown(name), &document.value));
        let own = group.map_or_else(|| name.clone(), |group| format!("{group}-{name}"));
        let name = own.chars().take(NAME).collect();
        granted.documents.push(RoleDocument { name, document: document.value.clone() });
    }
    for (name, arn) in &holdings.attached {
        granted.notes.extend(match inventory.policies.get(arn) {
            Some(policy) => of_users(&shown(name), &policy.document.value),
            None => Some(format!("policy {} is attached unread: the inventory does not hold it", shown(name))),
        });
        granted.attached.push(arn.clone());
    }
    Ok(())
}

/// What of a policy only works for users.
fn of_users(policy: &str, document: &Value) -> Option<String> {
    let keys = keys_of_users(document);
    (!keys.is_empty())
        .then(|| format!("policy {policy}: {} means something else for a role than for a user", keys.join(", ")))
}

/// The keys that a document names in conditions, or as variables anywhere.
fn keys_of_users(document: &Value) -> Vec<&'static str> {
    let text = document.to_string().to_ascii_lowercase();
    OF_USERS
        .into_iter()
        .filter(|key| text.contains(&format!("\"{key}")) || text.contains(&format!("${{{key}")))
        .collect()
}
