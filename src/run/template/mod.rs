//! Designs a role for a vendor from what the user says, from an earlier run, or from the user whose keys it replaces.
//!
//! Reads files only; what comes out is text for a person to apply.

mod grant;
mod rightsized;
mod user;
mod vendor;

use std::path::PathBuf;

use crate::activity::directory::Directory;
use crate::activity::party_user::KnownBy;
use crate::aws::AccountId;
use crate::aws::external_id::ExternalId;
use crate::finding::external_id::{is_weak, strength};
use crate::policy::catalog::Catalog;
use crate::policy::danger::Danger;
use crate::policy::vendor_role::{Boundary, RoleDocument, Unfit, VendorRole, arrange};
use crate::policy::{Grant, NamedPolicy, PolicyDocument, expand};
use crate::report::OutputFile;
use crate::report::template::{Steps, UserToReplace, cloudformation, steps, terraform};

use super::UserError;
use super::external_id::Kept;
use grant::boundary;
use vendor::Vendor;

/// Dangerous actions that a note lists.
const DANGERS: usize = 10;

/// What the user asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// A name of the directory, or an account.
    pub vendor: Option<String>,
    /// The role, user or account that is to be let in, by ARN.
    pub principal: Option<String>,
    /// What the role is to do.
    pub permissions: Permissions,
    /// Whose keys it is to take the place of.
    pub replaced: Option<Replaced>,
    /// A file, or the ARN of a managed policy.
    pub boundary: Option<String>,
    /// Where the external id lies, to be written into the templates.
    pub external_id: Option<Kept>,
    /// The role's name.
    pub role_name: Option<String>,
    /// The role's description.
    pub description: Option<String>,
    /// The longest session.
    pub session_seconds: u32,
    /// Keys and values.
    pub tags: Vec<(String, String)>,
    /// Whether the vendor must name who acts.
    pub source_identity: bool,
    /// The accounts that are known.
    pub directory: Directory,
}

/// Where permissions come from.
#[derive(Clone, Debug)]
pub enum Permissions {
    /// None are asked for.
    None,
    /// Actions, and the resources to which those are limited that can be.
    Actions(Vec<String>, Vec<String>),
    /// Documents in files.
    Policies(Vec<PathBuf>),
    /// A role of an earlier run's output: its right-sized policies, and its guard-rail as boundary if asked for.
    Role {
        /// The output folder.
        out: PathBuf,
        /// Its ARN or name.
        role: String,
        /// Whether `boundary.json` is to be the boundary.
        guardrail: bool,
    },
}

/// A user of an inventory, whose keys the role takes the place of. Without permissions of its own the role gets the user's.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// Its ARN.
    pub arn: String,
    /// The inventories.
    pub inventories: Vec<PathBuf>,
}

/// What was read of the permissions.
#[derive(Default)]
struct Granted {
    documents: Vec<RoleDocument>,
    attached: Vec<String>,
    boundary: Option<Boundary>,
    notes: Vec<String>,
    /// Principals of other accounts that the role lets in today.
    principals: Vec<String>,
    partition: Option<String>,
    /// Whose the replaced user is, by its tag or name.
    hint: Option<(String, KnownBy)>,
    own: Vec<AccountId>,
    /// A name that is in use.
    taken: Option<String>,
    user: Option<UserToReplace>,
}

/// The role, and what to tell with it.
#[derive(Clone, Debug)]
pub struct Design {
    /// The role.
    pub role: VendorRole,
    /// The steps; which files there are is for the caller to say.
    pub steps: Steps,
}

/// Designs the role.
///
/// # Errors
/// The user's first mistake: a vendor nobody knows, an action that does not exist, a file that cannot be read, or what IAM
/// would not take.
pub fn design(wish: &Wish) -> Result<Design, UserError> {
    let granted = grant::read(wish)?;
    let vendor = Vendor::of(wish, &granted)?;
    let mut notes = vendor.notes(&granted);
    notes.extend(granted.notes);
    let external_id = wish.external_id.as_ref().map(Kept::read).transpose()?;
    notes.extend(external_id.as_ref().and_then(|id| of_weak(id, &vendor, &granted.own)));
    let name = wish.role_name.clone().unwrap_or_else(|| vendor.role_name());
    if granted.taken.as_ref() == Some(&name) {
        return Err(UserError::new(
            format!("a role `{name}` is there already"),
            "give the new one another --role-name",
        ));
    }
    let (kind, documents) = arrange(granted.documents).map_err(|error| unfit(&Unfit::from(error)))?;
    let role = VendorRole {
        name,
        description: wish.description.clone().unwrap_or_else(|| vendor.description()),
        principal: vendor.principal.clone(),
        external_id,
        source_identity: wish.source_identity,
        kind,
        documents,
        attached: granted.attached,
        boundary: match &wish.boundary {
            Some(given) => Some(boundary(given)?),
            None => granted.boundary,
        },
        session_seconds: wish.session_seconds,
        tags: wish.tags.iter().cloned().collect(),
    };
    role.check().map_err(|error| unfit(&error))?;
    if role.documents.is_empty() && role.attached.is_empty() {
        notes.push("the role may do nothing: no permissions were asked for".to_owned());
    }
    notes.extend(dangers(&role));
    let steps = Steps { party: vendor.shown(), notes, user: granted.user, ..Steps::default() };
    Ok(Design { role, steps })
}

/// What of the role's own documents could do the most harm; managed policies are not looked into.
fn dangers(role: &VendorRole) -> Option<String> {
    let catalog = Catalog::builtin();
    let parsed: Vec<(&str, PolicyDocument)> = role
        .documents
        .iter()
        .filter_map(|one| Some((one.name.as_str(), PolicyDocument::from_value(&one.document).ok()?)))
        .collect();
    let named: Vec<NamedPolicy<'_>> = parsed.iter().map(|(name, document)| NamedPolicy { name, document }).collect();
    let grants = expand(&named, &[], catalog).grants;
    let worst = |grant: &Grant| catalog.danger(&grant.action).filter(|danger| *danger <= Danger::PermissionsManagement);
    let mut found: Vec<(Danger, &str)> =
        grants.iter().filter_map(|grant| Some((worst(grant)?, grant.action.as_str()))).collect();
    found.sort_unstable();
    let listed: Vec<String> =
        found.iter().take(DANGERS).map(|(danger, action)| format!("{action} ({})", danger.as_str())).collect();
    let more = if found.len() > DANGERS { format!(" and {} more", found.len() - DANGERS) } else { String::new() };
    (!found.is_empty()).then(|| format!("it may do what can be misused badly: {}{more}", listed.join(", ")))
}

fn unfit(error: &Unfit) -> UserError {
    let help = match error {
        Unfit::Text { .. } => "choose another text",
        Unfit::Statement(_) | Unfit::Size { .. } => "give a smaller document",
        Unfit::Count { .. } => "give fewer",
    };
    UserError::new(format!("IAM would not take the role: {error}"), help)
}

fn of_weak(id: &ExternalId, vendor: &Vendor, own: &[AccountId]) -> Option<String> {
    let accounts = own.iter().copied().chain([vendor.account]);
    let strength = strength(id.reveal(), accounts, Some(&vendor.name));
    is_weak(strength).then(|| format!("the external id can be guessed ({strength}): let the vendor make a random one"))
}

impl Design {
    /// The CloudFormation template.
    ///
    /// # Errors
    /// A policy that CloudFormation would change.
    pub fn cloudformation(&self) -> Result<String, UserError> {
        cloudformation(&self.role)
            .map_err(|error| UserError::new(error.to_string(), "use --format terraform, or change the text"))
    }

    /// The Terraform file.
    #[must_use]
    pub fn terraform(&self) -> String {
        terraform(&self.role)
    }

    /// The files for a folder: the templates that are asked for, and the steps.
    ///
    /// # Errors
    /// As [`Design::cloudformation`].
    pub fn files(&self, with_cloudformation: bool, with_terraform: bool) -> Result<Vec<OutputFile>, UserError> {
        let mut files = Vec::new();
        let mut bytes = 0;
        if with_cloudformation {
            let text = self.cloudformation()?;
            bytes = text.len();
            files.push(OutputFile::new("role.template.json", text));
        }
        if with_terraform {
            files.push(OutputFile::new("role.tf", self.terraform()));
        }
        let told = Steps { cloudformation: with_cloudformation, terraform: with_terraform, ..self.steps.clone() };
        files.push(OutputFile::new("NEXT-STEPS.md", steps(&self.role, &told, bytes)));
        Ok(files)
    }
}
