//! A well-made role for a vendor, before it is written in anybody's template language.
//!
//! One outside principal, let in by `sts:AssumeRole` with its external id and in no other way; documents within IAM's
//! sizes (S36). The names, lengths and characters are IAM's. Source: IAM API Reference, CreateRole, PutRolePolicy, TagRole;
//! IAM User Guide, "IAM and AWS STS quotas".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::document::size_characters;
use super::size::{INLINE_CHARACTERS, MANAGED_CHARACTERS, PolicyKind, TRUST_CHARACTERS, TooLarge, split};
use crate::aws::external_id::ExternalId;

/// Managed policies that one role can have; more on request.
const ATTACHED_POLICIES: usize = 10;
/// Seconds of the shortest and of the longest session that a role can allow.
pub const SESSION_SECONDS: std::ops::RangeInclusive<u32> = 3_600..=43_200;
const TAGS: usize = 50;

/// A policy document with the name of the policy.
#[derive(Clone, PartialEq, Debug)]
pub struct RoleDocument {
    /// Its name.
    pub name: String,
    /// The document.
    pub document: Value,
}

/// The permissions boundary of a role.
#[derive(Clone, PartialEq, Debug)]
pub enum Boundary {
    /// A managed policy that exists.
    Arn(String),
    /// A document, to become a managed policy.
    Document(Value),
}

/// See the module.
#[derive(Clone, PartialEq, Debug)]
pub struct VendorRole {
    /// The role's name.
    pub name: String,
    /// For people.
    pub description: String,
    /// The ARN of the account, role or user that is let in.
    pub principal: String,
    /// The agreed id; without it, whoever applies the template gives it.
    pub external_id: Option<ExternalId>,
    /// Whether the vendor must name who acts (`sts:SourceIdentity`).
    pub source_identity: bool,
    /// Whether the documents are inline policies or managed ones.
    pub kind: PolicyKind,
    /// What the role may do.
    pub documents: Vec<RoleDocument>,
    /// ARNs of managed policies that exist.
    pub attached: Vec<String>,
    /// What the role may do at most.
    pub boundary: Option<Boundary>,
    /// The longest session.
    pub session_seconds: u32,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What IAM would not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A text of wrong length or characters.
    #[error("{what} `{text}` is not one: {rule}")]
    Text {
        /// `role name`, `tag key`, ...
        what: &'static str,
        /// The text.
        text: String,
        /// What IAM asks for.
        rule: &'static str,
    },
    /// A statement too large for a policy.
    #[error(transparent)]
    Statement(#[from] TooLarge),
    /// A document over its limit.
    #[error("the {what} has {characters} characters where {limit} are allowed")]
    Size {
        /// Which document.
        what: &'static str,
        /// Its size, white space not counted.
        characters: usize,
        /// The limit.
        limit: usize,
    },
    /// Too many of something.
    #[error("{count} {what} where {limit} are allowed")]
    Count {
        /// `tags`, `managed policies`.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
}

/// The documents as inline policies where all fit together, else as managed ones, split where one is too large (S36).
///
/// # Errors
/// A statement that cannot be divided.
pub fn arrange(documents: Vec<RoleDocument>) -> Result<(PolicyKind, Vec<RoleDocument>), TooLarge> {
    let documents = with_own_names(documents);
    let together: usize = documents.iter().map(|one| size_characters(&one.document)).sum();
    if together <= INLINE_CHARACTERS {
        return Ok((PolicyKind::Inline, documents));
    }
    let mut parts = Vec::new();
    for RoleDocument { name, document } in documents {
        for (at, document) in split(&document, MANAGED_CHARACTERS)?.into_iter().enumerate() {
            let name = if at == 0 { name.clone() } else { format!("{name}-{}", at + 1) };
            parts.push(RoleDocument { name, document });
        }
    }
    Ok((PolicyKind::Managed, with_own_names(parts)))
}

/// Names that differ in more than case, as IAM wants them.
fn with_own_names(documents: Vec<RoleDocument>) -> Vec<RoleDocument> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let free = |RoleDocument { name, document }: RoleDocument| {
        let numbered = (2..).map(|number: u32| format!("{name}-{number}"));
        let found = std::iter::once(name.clone()).chain(numbered).find(|one| taken.insert(one.to_ascii_lowercase()));
        RoleDocument { name: found.unwrap_or(name), document }
    };
    documents.into_iter().map(free).collect()
}

impl VendorRole {
    /// The trust policy. `external_id` is the id, or what stands for it in a template.
    #[must_use]
    pub fn trust(&self, external_id: &Value) -> Value {
        let mut statements = vec![json!({
            "Sid": "VendorWithItsExternalId",
            "Effect": "Allow",
            "Principal": {"AWS": self.principal},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        })];
        if self.source_identity {
            // That it be there at all is asked of the call that opens the session; the other action only lets it be set.
            if let Some(condition) = statements.first_mut().and_then(|first| first.get_mut("Condition")) {
                condition["Null"] = json!({"sts:SourceIdentity": "false"});
            }
            statements.push(json!({
                "Sid": "VendorNamesWhoActs",
                "Effect": "Allow",
                "Principal": {"AWS": self.principal},
                "Action": "sts:SetSourceIdentity",
            }));
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    /// Whether IAM would take it.
    ///
    /// # Errors
    /// The first thing that it would not.
    pub fn check(&self) -> Result<(), Unfit> {
        const NAME: &str = "letters, digits and +=,.@_-";
        name("role name", &self.name, 64, NAME)?;
        for document in &self.documents {
            name("policy name", &document.name, 128, NAME)?;
        }
        let printable = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
        let rule = "at most 1000 characters of Latin 1";
        text("description", &self.description, 0..=1000, printable, rule)?;
        let of_tag = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
        for (key, value) in &self.tags {
            let rule = "1 to 128 letters, digits, spaces and _.:/=+-@, and not beginning with `aws:`";
            text("tag key", key, 1..=128, of_tag, rule)?;
            if key.to_ascii_lowercase().starts_with("aws:") {
                return Err(Unfit::Text { what: "tag key", text: key.clone(), rule });
            }
            text("tag value", value, 0..=256, of_tag, "at most 256 letters, digits, spaces and _.:/=+-@")?;
        }
        let count = |what, count, limit| if count > limit { Err(Unfit::Count { what, count, limit }) } else { Ok(()) };
        count("tags", self.tags.len(), TAGS)?;
        let managed = if self.kind == PolicyKind::Managed { self.documents.len() } else { 0 };
        count("managed policies", managed + self.attached.len(), ATTACHED_POLICIES)?;
        let size = |what, document: &Value, limit| match size_characters(document) {
            characters if characters > limit => Err(Unfit::Size { what, characters, limit }),
            _ => Ok(()),
        };
        if let Some(Boundary::Document(document)) = &self.boundary {
            size("permissions boundary", document, MANAGED_CHARACTERS)?;
        }
        let longest = self.external_id.as_ref().map_or("", ExternalId::reveal);
        size("trust policy", &self.trust(&json!(longest)), TRUST_CHARACTERS)
    }
}

fn name(what: &'static str, given: &str, most: usize, rule: &'static str) -> Result<(), Unfit> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    text(what, given, 1..=most, fits, rule)
}

fn text(
    what: &'static str,
    given: &str,
    length: std::ops::RangeInclusive<usize>,
    fits: impl Fn(char) -> bool,
    rule: &'static str,
) -> Result<(), Unfit> {
    if length.contains(&given.chars().count()) && given.chars().all(fits) {
        return Ok(());
    }
    Err(Unfit::Text { what, text: given.chars().take(80).collect(), rule })
}

#[cfg(test)]
#[path = "vendor_role_tests.rs"]
mod tests;
