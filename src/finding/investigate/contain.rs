//! What would shut a party out: steps that a script takes, trust policies without it, and what is left to a person.
//!
//! Nothing here is applied. A step is planned only for what is certain to exist under a name that IAM can hold; whatever
//! else let the party in is told as something to look at, because undoing it blindly may break others.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::aws::window::rfc3339;
use crate::aws::{AccountId, Arn};
use crate::cloudtrail::access_change::{ChangeKind, kind_of};
use crate::policy::containment::{admits_accounts, without_accounts};
use crate::policy::inventory::Role;

use super::Asked;
use super::answer::{CallTold, LeftBehind, RoleTold, UserTold};
use super::read::ChangeRead;

/// Roles that AWS makes and lets nobody change.
const OF_AWS: [&str; 2] = ["/aws-service-role/", "/aws-reserved/"];

/// What would shut it out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Containment {
    /// Sessions opened before this moment are denied everything.
    pub revoke_before: String,
    /// What the scripts do, by account, in their order.
    pub steps: Vec<Step>,
    /// Trust policies of roles that let it in.
    pub trusts: Vec<TrustTold>,
    /// What is left to a person.
    pub by_hand: Vec<ByHand>,
    /// Trust policies without it, by the role's ARN.
    #[serde(skip)]
    pub documents: BTreeMap<String, Value>,
}

/// Something that a script does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// The account in which it is done.
    pub account_id: String,
    /// What.
    pub what: What,
    /// ARN of the role or user.
    pub subject: String,
    /// Its name.
    pub name: String,
    /// The last four characters of a key's id, where one key is meant.
    pub ending: Option<String>,
    /// Why.
    pub why: String,
}

/// What a step does, in the order in which it is done: the door first, then those inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Puts the trust policy without the party in place.
    ReplaceTrust,
    /// Denies everything to a role that the party made.
    CloseRole,
    /// Denies everything to sessions of a role that are open already.
    EndSessions,
    /// Turns keys of a user off.
    DeactivateKeys,
    /// Denies everything to a user.
    CloseUser,
}

/// A trust policy that lets it in, or that of a role that it was in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TrustTold {
    /// The role.
    pub role_arn: String,
    /// `ready`, `withheld`, `holds_external_ids`, `lets_it_in_no_more`, `not_in_inventory`, `no_inventory`.
    pub status: &'static str,
    /// Why, or how.
    pub reason: String,
}

/// Something for a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ByHand {
    /// What it is about; may hold strangers' text.
    pub what: String,
    /// A command that looks at it, as its words; empty where none is safe to give.
    pub look: Vec<String>,
    /// A command that undoes it, as its words; empty where none is safe to give.
    pub undo: Vec<String>,
    /// The event, if one made it.
    pub event_id: Option<String>,
}

pub(super) fn plan(
    asked: &Asked<'_>,
    roles: &[RoleTold],
    left: &LeftBehind,
    given: &[ChangeRead],
    keys: &[UserTold],
    calls: &[CallTold],
) -> Containment {
    let mut plan = Containment { revoke_before: rfc3339(asked.revoke_before), ..Containment::default() };
    for role in roles {
        plan.role(What::EndSessions, &role.arn, "the party was in it");
    }
    for user in keys {
        plan.user(What::DeactivateKeys, &user.arn, None, "the party holds its keys");
        plan.user(What::CloseUser, &user.arn, None, "the party holds its keys");
    }
    for change in left.changes.iter().filter(|change| change.was_made()) {
        plan.undo(change);
    }
    plan.trusts(asked, roles);
    for change in left.changes.iter().chain(given).filter(|change| change.was_made()) {
        plan.by_hand.extend(look(change, asked));
    }
    plan.by_hand.extend(others(asked, calls));
    plan.steps.sort();
    plan.steps.dedup_by(|a, b| {
        (&a.account_id, a.what, &a.subject, &a.ending) == (&b.account_id, b.what, &b.subject, &b.ending)
    });
    plan.by_hand.sort();
    plan.by_hand.dedup();
    plan
}

impl Containment {
    /// Plans a step for a role or user, or says why a person must look at it.
    fn step(&mut self, what: What, arn: &str, name: Option<&str>, ending: Option<String>, why: &str) {
        let account = Arn::parse(arn).and_then(|arn| arn.account_id());
        let (Some(account), Some(name)) = (account, name.filter(|name| is_iam_name(name))) else {
            self.hand(format!("no command for `{arn}`: its name is none that IAM gives"));
            return;
        };
        if OF_AWS.iter().any(|path| arn.contains(path)) {
            self.hand(format!("`{arn}` is AWS's own: it cannot be changed, see its service or IAM Identity Center"));
            return;
        }
        self.steps.push(Step {
            account_id: account.to_string(),
            what,
            subject: arn.to_owned(),
            name: name.to_owned(),
            ending,
            why: why.to_owned(),
        });
    }

    fn role(&mut self, what: What, arn: &str, why: &str) {
        self.step(what, arn, Arn::parse(arn).and_then(|arn| arn.role_name()), None, why);
    }

    fn user(&mut self, what: What, arn: &str, ending: Option<String>, why: &str) {
        let name = Arn::parse(arn).filter(|arn| arn.resource.starts_with("user/"));
        let name = name.and_then(|arn| arn.resource.rsplit('/').next());
        self.step(what, arn, name, ending, why);
    }

    fn hand(&mut self, what: String) {
        self.by_hand.push(ByHand { what, look: Vec::new(), undo: Vec::new(), event_id: None });
    }

    /// What the party made itself.
    fn undo(&mut self, change: &ChangeRead) {
        let ending = || change.gives.as_deref().and_then(|gives| gives.strip_prefix("****")).map(str::to_owned);
        let why = format!("the party called {} at {}", change.event_name, change.time);
        match change.event_name.as_str() {
            "CreateRole" => self.role(What::CloseRole, &change.subject, &why),
            "CreateUser" => {
                self.user(What::DeactivateKeys, &change.subject, None, &why);
                self.user(What::CloseUser, &change.subject, None, &why);
            }
            "CreateAccessKey" | "UpdateAccessKey" => {
                // The key's ending decides: other keys of the user may be somebody's.
                match ending().filter(|ending| is_ending(ending)) {
                    Some(ending) => self.user(What::DeactivateKeys, &change.subject, Some(ending), &why),
                    None => self.hand(format!("{why}: look at the keys of `{}`", change.subject)),
                }
            }
            _ => {}
        }
    }

    /// Trust policies without the party's accounts, where there is an inventory.
    fn trusts(&mut self, asked: &Asked<'_>, roles: &[RoleTold]) {
        let outside = asked.parties.iter().filter(|party| matches!(party.kind.as_str(), "vendor" | "unknown_account"));
        let accounts: BTreeSet<AccountId> = outside.filter_map(|party| AccountId::parse(&party.id)).collect();
        if accounts.is_empty() {
            return;
        }
        let mut told: BTreeSet<TrustTold> = BTreeSet::new();
        let entered = roles.iter().map(|role| role.arn.as_str());
        let Some(inventory) = asked.inventory else {
            let reason = "give the account's inventory with --inventory to get its trust policy without the party";
            told.extend(entered.map(|arn| told_of(arn, "no_inventory", reason)));
            self.trusts = told.into_iter().collect();
            return;
        };
        let missing = entered.filter(|arn| !inventory.roles.contains_key(*arn));
        told.extend(missing.map(|arn| told_of(arn, "not_in_inventory", "the inventory does not hold it")));
        let was_in: BTreeSet<&str> = roles.iter().map(|role| role.arn.as_str()).collect();
        for role in inventory.roles.values() {
            let found = self.trust(role, &accounts, asked.show_external_ids);
            // Of roles that have nothing to do with it nothing is said.
            if found.status != "lets_it_in_no_more" || was_in.contains(role.arn.as_str()) {
                told.insert(found);
            }
        }
        self.trusts = told.into_iter().collect();
    }

    fn trust(&mut self, role: &Role, accounts: &BTreeSet<AccountId>, show_external_ids: bool) -> TrustTold {
        let trust = match &role.trust.parsed {
            Ok(trust) => trust,
            Err(error) => return told_of(&role.arn, "withheld", &format!("its trust policy cannot be read: {error}")),
        };
        if !admits_accounts(trust, accounts) {
            let reason =
                "its trust policy does not name the party: it came in by a chain, or by an earlier trust policy";
            return told_of(&role.arn, "lets_it_in_no_more", reason);
        }
        match without_accounts(trust, accounts) {
            Err(reason) => told_of(&role.arn, "withheld", &reason),
            Ok(without) if without.holds_external_ids && !show_external_ids => {
                let reason =
                    "it holds external ids of others, which are secrets: give --show-external-ids to have it written";
                told_of(&role.arn, "holds_external_ids", reason)
            }
            Ok(without) => {
                let planned = self.steps.len();
                self.role(What::ReplaceTrust, &role.arn, "its trust policy lets the party in");
                if self.steps.len() == planned {
                    return told_of(&role.arn, "withheld", "no command can be given for it");
                }
                self.documents.insert(role.arn.clone(), without.document);
                let reason = if without.is_denied {
                    "everybody is let in, so the party's accounts are denied"
                } else {
                    "the party's accounts are taken out"
                };
                told_of(&role.arn, "ready", reason)
            }
        }
    }
}

fn told_of(arn: &str, status: &'static str, reason: &str) -> TrustTold {
    TrustTold { role_arn: arn.to_owned(), status, reason: reason.to_owned() }
}

/// Names that IAM gives to roles and users: others never came from IAM.
fn is_iam_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    !name.is_empty() && name.len() <= 64 && !name.starts_with('-') && name.chars().all(plain)
}

fn is_ending(ending: &str) -> bool {
    ending.len() == 4 && ending.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// How to look at what a change gave, and how to undo it where that takes nothing from anybody else.
fn look(change: &ChangeRead, asked: &Asked<'_>) -> Option<ByHand> {
    let service = change.service();
    let kind = kind_of(service, &change.event_name)?;
    let target = change.subject.splitn(6, ':').last().unwrap_or_default();
    let name = target.rsplit('/').next().unwrap_or_default();
    let region = ["--region", change.region.as_str()];
    let words = |list: &[&str]| -> Vec<String> { list.iter().map(|word| (*word).to_owned()).collect() };
    let regional = |list: &[&str]| -> Vec<String> { words(list).into_iter().chain(words(&region)).collect() };
    let look = match (kind, service) {
        (ChangeKind::Trust, _) => words(&["aws", "iam", "get-role", "--role-name", name]),
        (ChangeKind::RolePermissions, _) if change.event_name.starts_with("Attach") => {
            words(&["aws", "iam", "list-attached-role-policies", "--role-name", name])
        }
        (ChangeKind::RolePermissions, _) => words(&["aws", "iam", "list-role-policies", "--role-name", name]),
        (ChangeKind::UserPermissions, _) if change.event_name == "PutUserPolicy" => {
            words(&["aws", "iam", "list-user-policies", "--user-name", name])
        }
        (ChangeKind::GroupPermissions, _) => {
            words(&["aws", "iam", "list-attached-group-policies", "--group-name", name])
        }
        (ChangeKind::UserPermissions, _) => words(&["aws", "iam", "list-attached-user-policies", "--user-name", name]),
        (ChangeKind::UserCredentials, _) if change.event_name.ends_with("LoginProfile") => {
            words(&["aws", "iam", "get-login-profile", "--user-name", name])
        }
        (ChangeKind::UserCredentials, _) => words(&["aws", "iam", "list-access-keys", "--user-name", name]),
        (ChangeKind::ManagedPolicy, _) => {
            words(&["aws", "iam", "list-policy-versions", "--policy-arn", change.subject.as_str()])
        }
        (ChangeKind::Provider, "iam") if change.event_name.contains("SAML") => {
            words(&["aws", "iam", "list-saml-providers"])
        }
        (ChangeKind::Provider, "iam") => words(&["aws", "iam", "list-open-id-connect-providers"]),
        (ChangeKind::Provider, _) => regional(&["aws", "rolesanywhere", "list-trust-anchors"]),
        (ChangeKind::Resource, "s3") => words(&["aws", "s3api", "get-bucket-policy", "--bucket", target]),
        (ChangeKind::Resource, "kms") if change.event_name == "CreateGrant" => {
            regional(&["aws", "kms", "list-grants", "--key-id", key_id(target)])
        }
        (ChangeKind::Resource, "kms") => {
            regional(&["aws", "kms", "get-key-policy", "--policy-name", "default", "--key-id", key_id(target)])
        }
        (ChangeKind::Resource, "lambda") => regional(&["aws", "lambda", "get-policy", "--function-name", target]),
        (ChangeKind::Resource, "sns") => {
            regional(&["aws", "sns", "get-topic-attributes", "--topic-arn", change.subject.as_str()])
        }
        (ChangeKind::Resource, "secretsmanager") => {
            regional(&["aws", "secretsmanager", "get-resource-policy", "--secret-id", change.subject.as_str()])
        }
        (ChangeKind::Resource, "ecr") => {
            regional(&["aws", "ecr", "get-repository-policy", "--repository-name", target])
        }
        _ => Vec::new(),
    };
    let ids = asked.ids();
    let account = |one: &str| AccountId::parse(one).or_else(|| Arn::parse(one)?.account_id());
    let named: Vec<String> = change
        .lets_in
        .iter()
        .filter_map(|one| account(&one.principal))
        .map(|account| account.to_string())
        .filter(|account| ids.contains(account) || ids.contains(&change.by.party_id))
        .collect();
    Some(ByHand {
        what: format!("{} of `{}` by `{}` at {}", change.event_name, change.subject, change.by.principal, change.time),
        look,
        undo: named.first().map(|account| undo(change, target, account)).unwrap_or_default(),
        event_id: Some(change.event_id.clone()),
    })
}

/// The grant's key as its command wants it.
fn key_id(target: &str) -> &str {
    target.strip_prefix("key/").unwrap_or(target)
}

/// Takes one account from the list of those that a snapshot or image is shared with: nobody else loses anything.
fn undo(change: &ChangeRead, target: &str, account: &str) -> Vec<String> {
    let words = |list: &[&str]| -> Vec<String> {
        list.iter().copied().chain(["--region", &change.region]).map(str::to_owned).collect()
    };
    match change.event_name.as_str() {
        "ModifySnapshotAttribute" => words(&[
            "aws",
            "ec2",
            "modify-snapshot-attribute",
            "--snapshot-id",
            target,
            "--attribute",
            "createVolumePermission",
            "--operation-type",
            "remove",
            "--user-ids",
            account,
        ]),
        "ModifyImageAttribute" => words(&[
            "aws",
            "ec2",
            "modify-image-attribute",
            "--image-id",
            target,
            "--attribute",
            "launchPermission",
            "--operation-type",
            "remove",
            "--user-ids",
            account,
        ]),
        "ModifyDBSnapshotAttribute" => words(&[
            "aws",
            "rds",
            "modify-db-snapshot-attribute",
            "--db-snapshot-identifier",
            target,
            "--attribute-name",
            "restore",
            "--values-to-remove",
            account,
        ]),
        _ => Vec::new(),
    }
}

/// Ways in that no policy of a role ends.
fn others(asked: &Asked<'_>, calls: &[CallTold]) -> Vec<ByHand> {
    let mut told: BTreeSet<String> = BTreeSet::new();
    for party in asked.parties.iter().filter(|party| party.kind == "identity_provider") {
        let id = &party.id;
        told.insert(if party.id.starts_with("rolesanywhere") {
            format!("the certificate `{id}`: revoke it (import a CRL), or disable its profile or trust anchor in IAM Roles Anywhere")
        } else {
            format!("the identity `{id}`: take its subject out of the conditions of the trust policies that name the provider, and end it at the provider; the files here end its sessions only")
        });
    }
    for call in calls.iter().filter(|call| call.calls > call.denied) {
        match call.channel.as_str() {
            "resource_policy" => {
                let (account, name) = (&call.account_id, &call.event_name);
                let things = match call.resources.as_slice() {
                    [] => "resources that the records do not name".to_owned(),
                    some => some.iter().take(5).map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "),
                };
                told.insert(format!(
                    "access without a role in {account} ({name}): a resource policy or grant lets the party in; look at {things}"
                ));
            }
            "temporary_delegation" => {
                told.insert(format!("temporary delegation in {}: end it in the IAM console", call.account_id));
            }
            _ => {}
        }
    }
    told.into_iter().map(|what| ByHand { what, look: Vec::new(), undo: Vec::new(), event_id: None }).collect()
}
