//! The permissions of a user whose keys a vendor has: its own policies and those of its groups.
//!
//! Managed policies stay what they are and are attached to the role; inline ones become the role's. What only works for
//! users is told, because the role would do less, or more, than the user did.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::Arn;
use crate::policy::inventory::Inventory;
use crate::policy::inventory_users::{InventoryUser, UserPolicy};
use crate::policy::vendor_role::{Boundary, RoleDocument};
use crate::report::template::UserToReplace;

use super::super::UserError;
use super::super::inputs::inventory;
use super::{Granted, Replaced};

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
pub(super) fn read(replaced: &Replaced, asked: Option<Granted>) -> Result<Granted, UserError> {
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

fn of_user(inventory: &Inventory, user: &InventoryUser) -> Result<Granted, UserError> {
    let policies = inventory.policies_of_user(user).map_err(|group| {
        let what = format!("the group `{group}` of `{}` is not in the inventory", user.arn);
        UserError::new(what, "give the whole output of `aws iam get-account-authorization-details`")
    })?;
    let mut granted = Granted::default();
    let mut only_users: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for policy in &policies {
        let shown = match policy.group {
            Some(group) => format!("{} of group {group}", policy.name),
            None => policy.name.to_owned(),
        };
        match policy.document {
            Some(document) => {
                let keys = keys_of_users(&document.value);
                if !keys.is_empty() {
                    only_users.insert(shown.clone(), keys);
                }
            }
            None => granted
                .notes
                .push(format!("the document of policy {shown} is not in the inventory; it is attached unread")),
        }
        add(policy, &shown, &mut granted)?;
    }
    granted.attached.sort();
    granted.attached.dedup();
    for (policy, keys) in only_users {
        let note = "means something else for a role than for a user";
        granted.notes.push(format!("policy {policy}: {} {note}", keys.join(", ")));
    }
    if granted.documents.is_empty() && granted.attached.is_empty() {
        granted.notes.push("the user has no policies".to_owned());
    }
    Ok(granted)
}

fn add(policy: &UserPolicy<'_>, shown: &str, granted: &mut Granted) -> Result<(), UserError> {
    if let Some(arn) = policy.arn {
        granted.attached.push(arn.to_owned());
        return Ok(());
    }
    let Some(document) = policy.document else { return Ok(()) };
    if let Err(problem) = &document.parsed {
        let what = format!("the inline policy {shown} cannot be read: {problem}");
        return Err(UserError::new(what, "give the permissions with --policy"));
    }
    let name = policy.group.map_or_else(|| policy.name.to_owned(), |group| format!("{group}-{}", policy.name));
    let name = name.chars().take(120).collect();
    granted.documents.push(RoleDocument { name, document: document.value.clone() });
    Ok(())
}

/// The keys that a document names in conditions, or as variables anywhere.
fn keys_of_users(document: &Value) -> Vec<&'static str> {
    let text = document.to_string().to_ascii_lowercase();
    OF_USERS
        .into_iter()
        .filter(|key| text.contains(&format!("\"{key}")) || text.contains(&format!("${{{key}")))
        .collect()
}
