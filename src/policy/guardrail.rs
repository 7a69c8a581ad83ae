//! Guard-rails: documents that take named actions from a role and nothing else, for a policy that must stay as it is.
//!
//! Two forms of the same thing, of which a person applies one: a deny policy beside the role's policies, and a permissions
//! boundary. Both deny each action by its whole name. A wildcard would be shorter and is never equal: it also takes what a
//! resource policy gives and what AWS adds tomorrow. `guardrail_proof` proves the documents; nothing here is trusted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{PolicyDocument, size_characters};
use super::size::{INLINE_CHARACTERS, MANAGED_CHARACTERS, PolicyKind, TooLarge, split};
use crate::aws::Action;

/// The `Sid` of the statement that takes, in both forms.
pub const DENY_SID: &str = "DenyDangerousUnused";
/// The `Sid` of the boundary's statement that takes nothing.
pub const ALLOW_SID: &str = "AllowWhatPoliciesAllow";

/// What a role has room for beside what it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Characters of inline policies, white space not counted.
    pub inline_characters: usize,
    /// Managed policies.
    pub managed_policies: usize,
}

impl Room {
    /// The room of a role whose inline policies have `inline_characters` together.
    #[must_use]
    pub fn beside(inline_characters: usize, managed_policies: usize, most_managed_policies: usize) -> Self {
        Self {
            inline_characters: INLINE_CHARACTERS.saturating_sub(inline_characters),
            managed_policies: most_managed_policies.saturating_sub(managed_policies),
        }
    }
}

/// A deny policy: one inline document, or one or several managed ones that only together take everything.
#[derive(Clone, PartialEq, Debug)]
pub struct DenyPolicy {
    /// Where it is to live.
    pub kind: PolicyKind,
    /// Never empty.
    pub documents: Vec<Value>,
}

/// A guard-rail that cannot be made to fit; it is never cut (S36).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoRoom {
    /// A role has one boundary, so it cannot be split.
    #[error("the boundary needs {needed} characters where {MANAGED_CHARACTERS} are allowed")]
    Boundary {
        /// White space not counted.
        needed: usize,
    },
    /// Neither inline nor managed.
    #[error("the deny policy needs {needed} managed policies where the role has room for {room}")]
    Deny {
        /// Managed policies.
        needed: usize,
        /// Managed policies.
        room: usize,
    },
    /// An action by itself is too long for a policy.
    #[error(transparent)]
    Action(#[from] TooLarge),
}

/// The deny policy: inline where the role has room for it, else spread over managed policies.
///
/// # Errors
/// [`NoRoom::Deny`], [`NoRoom::Action`].
pub fn deny_policy(taken: &BTreeSet<Action>, room: Room) -> Result<DenyPolicy, NoRoom> {
    let whole = document(vec![deny(DENY_SID, taken)]);
    if size_characters(&whole) <= room.inline_characters {
        return Ok(DenyPolicy { kind: PolicyKind::Inline, documents: vec![whole] });
    }
    let documents = split(&whole, MANAGED_CHARACTERS)?;
    if documents.len() > room.managed_policies {
        return Err(NoRoom::Deny { needed: documents.len(), room: room.managed_policies });
    }
    Ok(DenyPolicy { kind: PolicyKind::Managed, documents })
}

/// The permissions boundary: what limits the role now, or nothing, and the denial.
///
/// A role has one boundary, so a new one replaces `existing` and must hold all of it. Without one, everything is allowed
/// and the actions are denied: `Allow` with `NotAction` would be as short, but its implicit denial does not hold for what
/// a resource policy gives the role's session itself (IAM User Guide, "Permissions boundaries for IAM entities").
///
/// # Errors
/// [`NoRoom::Boundary`].
pub fn boundary(taken: &BTreeSet<Action>, existing: Option<&PolicyDocument>) -> Result<Value, NoRoom> {
    let whole = match existing {
        None => document(vec![
            json!({"Sid": ALLOW_SID, "Effect": "Allow", "Action": "*", "Resource": "*"}),
            deny(DENY_SID, taken),
        ]),
        Some(existing) => {
            let mut statements: Vec<Value> =
                existing.statements.iter().map(|statement| statement.raw.clone()).collect();
            statements.push(deny(&fresh_sid(existing), taken));
            existing.with_statements(statements)
        }
    };
    match size_characters(&whole) {
        needed if needed > MANAGED_CHARACTERS => Err(NoRoom::Boundary { needed }),
        _ => Ok(whole),
    }
}

fn document(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn deny<'a>(sid: &str, actions: impl IntoIterator<Item = &'a Action>) -> Value {
    let actions: Vec<&str> = actions.into_iter().map(Action::as_str).collect();
    json!({"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*"})
}

/// A `Sid` that the document does not have: IAM wants those of one document to differ, and a guard-rail may be there.
fn fresh_sid(existing: &PolicyDocument) -> String {
    let taken = |sid: &str| existing.statements.iter().any(|statement| statement.sid.as_deref() == Some(sid));
    let numbered = (2..).map(|number| format!("{DENY_SID}{number}"));
    std::iter::once(DENY_SID.to_owned()).chain(numbered).find(|sid| !taken(sid)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(names: &[&str]) -> BTreeSet<Action> {
        names.iter().filter_map(|name| Action::parse(name)).collect()
    }

    fn many(number: usize) -> BTreeSet<Action> {
        (0..number).filter_map(|at| Action::parse(&format!("svc:DoSomethingWith{at:05}"))).collect()
    }

    const WIDE: Room = Room { inline_characters: INLINE_CHARACTERS, managed_policies: 10 };

    /// S36: the actions by their whole names, sorted, in one statement that says what it is.
    #[test]
    fn the_deny_policy_names_each_action() {
        let made = deny_policy(&actions(&["kms:Decrypt", "iam:CreateUser"]), WIDE).unwrap();
        assert_eq!(made.kind, PolicyKind::Inline);
        assert_eq!(
            made.documents,
            [json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "DenyDangerousUnused", "Effect": "Deny", "Action": ["iam:CreateUser", "kms:Decrypt"],
                 "Resource": "*"}]})]
        );
    }

    /// S36: a deny policy without room inline becomes managed ones, each within its limit and none cut.
    #[test]
    fn a_long_deny_policy_is_split() {
        let taken = many(1_000);
        let made = deny_policy(&taken, WIDE).unwrap();
        assert_eq!((made.kind, made.documents.len()), (PolicyKind::Managed, 5));
        assert!(made.documents.iter().all(|part| size_characters(part) <= MANAGED_CHARACTERS));
        let named: BTreeSet<Action> = made
            .documents
            .iter()
            .flat_map(|part| part["Statement"][0]["Action"].as_array().unwrap())
            .filter_map(|action| Action::parse(action.as_str().unwrap()))
            .collect();
        assert_eq!(named, taken);
        let tight = Room { inline_characters: 100, managed_policies: 4 };
        let refused = deny_policy(&taken, tight).unwrap_err();
        assert_eq!(refused.to_string(), "the deny policy needs 5 managed policies where the role has room for 4");
        assert_eq!(Room::beside(10_000, 12, 10), Room { inline_characters: 240, managed_policies: 0 });
    }

    /// S36: a boundary cannot be split, so one that is too long is refused with its size.
    #[test]
    fn a_boundary_that_does_not_fit_is_refused() {
        let fits = boundary(&many(200), None).unwrap();
        assert!(size_characters(&fits) <= MANAGED_CHARACTERS);
        let refused = boundary(&many(400), None).unwrap_err().to_string();
        assert!(refused.starts_with("the boundary needs ") && refused.ends_with("where 6144 are allowed"), "{refused}");
    }

    /// S32: a role has one boundary, so the new one holds all of the old one, as it was written.
    #[test]
    fn the_old_boundary_stays_within_the_new_one() {
        let old = json!({"Id": "x", "Version": "2008-10-17", "Statement":
            {"Sid": "DenyDangerousUnused", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}});
        let parsed = PolicyDocument::from_value(&old).unwrap();
        let made = boundary(&actions(&["kms:Decrypt"]), Some(&parsed)).unwrap();
        assert_eq!((&made["Id"], &made["Version"]), (&old["Id"], &old["Version"]));
        assert_eq!(made["Statement"][0], old["Statement"]);
        assert_eq!(made["Statement"][1]["Sid"], "DenyDangerousUnused2");
        assert_eq!(made["Statement"][1]["Action"], json!(["kms:Decrypt"]));
        assert_eq!(made["Statement"].as_array().unwrap().len(), 2);
    }
}
