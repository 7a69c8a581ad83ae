//! The proposal for one role: each policy right-sized, sizes kept, everything replayed, or withheld with the reason.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::aws::Action;
use crate::policy::catalog::Catalog;
use crate::policy::certificate::{Certificate, ObservedCall, certify};
use crate::policy::document::{PolicyDocument, size_characters};
use crate::policy::evaluate::NamedPolicy;
use crate::policy::grant;
use crate::policy::inventory::{Inventory, Role, RolePolicy};
use crate::policy::inventory_users::IamUser;
use crate::policy::narrow::{KnownUses, Narrowing, narrow};
use crate::policy::rightsize::{Rightsized, rightsize};
use crate::policy::size::{PolicyKind, compact, split};

use super::assessment::{
    CertificateReport, Guardrail, NarrowedResources, NarrowingReport, PolicyFiles, PolicyReport, RemediationFiles,
    Rightsizing, StatementChange,
};

/// A role's policies, parsed, with what applies to them all.
pub struct Granted<'a> {
    /// As attached.
    pub policies: Vec<RolePolicy<'a>>,
    /// Those that can be read, in the same order.
    pub named: Vec<NamedPolicy<'a>>,
    /// The permissions boundary, if it can be read.
    pub boundaries: Vec<NamedPolicy<'a>>,
    /// What they all grant together.
    pub expanded: grant::Granted,
    /// Why the grants are not fully known, if so.
    pub unreadable: Option<String>,
}

impl<'a> Granted<'a> {
    /// The grants of a role of the inventory.
    #[must_use]
    pub fn of(inventory: &'a Inventory, role: &'a Role, catalog: &Catalog) -> Self {
        let granted = Self::parsed(inventory, role);
        Self { expanded: grant::expand(&granted.named, &granted.boundaries, catalog), ..granted }
    }

    /// The policies of a role, not expanded.
    #[must_use]
    pub fn parsed(inventory: &'a Inventory, role: &'a Role) -> Self {
        Self::of_policies(inventory, inventory.policies_of(role), role.boundary.as_ref())
    }

    /// The grants of a user: its own and those of its groups.
    #[must_use]
    pub fn of_user(inventory: &'a Inventory, user: &'a IamUser, catalog: &Catalog) -> Self {
        let granted = Self::of_policies(inventory, inventory.policies_of_user(user), user.boundary.as_ref());
        let lost = user.groups.iter().find(|name| !inventory.groups.contains_key(&(user.account, (*name).clone())));
        let lost = lost.map(|name| format!("group {name} is not in the inventory"));
        let expanded = grant::expand(&granted.named, &granted.boundaries, catalog);
        Self { expanded, unreadable: granted.unreadable.or(lost), ..granted }
    }

    fn of_policies(inventory: &'a Inventory, policies: Vec<RolePolicy<'a>>, boundary: Option<&String>) -> Self {
        let (mut named, mut unreadable) = (Vec::new(), None);
        for policy in &policies {
            match policy.document.map(|document| &document.parsed) {
                Some(Ok(document)) => named.push(NamedPolicy { name: policy.name, document }),
                Some(Err(problem)) => unreadable = Some(format!("policy {} cannot be read: {problem}", policy.name)),
                None => unreadable = Some(format!("the document of policy {} is not in the inventory", policy.name)),
            }
        }
        let boundary = boundary.and_then(|arn| inventory.policies.get(arn));
        let boundaries = boundary
            .and_then(|policy| policy.document.parsed.as_ref().ok().map(|document| (policy, document)))
            .map(|(policy, document)| NamedPolicy { name: &policy.name, document });
        let boundaries: Vec<NamedPolicy<'a>> = boundaries.into_iter().collect();
        Self { policies, named, boundaries, expanded: grant::Granted::default(), unreadable }
    }
}

/// The proposal, and each policy as the report shows it.
pub struct Proposal {
    /// In numbers.
    pub rightsizing: Rightsizing,
    /// One by one.
    pub policies: Vec<PolicyReport>,
}

/// What a proposal is made from.
pub struct Request<'a> {
    /// The roles and policies.
    pub inventory: &'a Inventory,
    /// The role.
    pub role: &'a Role,
    /// Its policies.
    pub granted: &'a Granted<'a>,
    /// Actions that may not go.
    pub keep: &'a BTreeSet<Action>,
    /// What must go on working.
    pub calls: &'a [ObservedCall],
    /// Resources to which known uses may be limited, if that was asked for (S35).
    pub narrowing: Option<(KnownUses, Narrowing)>,
    /// The known actions.
    pub catalog: &'a Catalog,
    /// A reason to withhold whatever is proposed.
    pub obstacle: Option<String>,
}

/// Right-sizes, replays, and withholds what does not stand.
#[must_use]
pub fn propose(request: &Request<'_>) -> Proposal {
    let granted = request.granted;
    let mut rightsizing = unchanged(request);
    let mut policies: Vec<PolicyReport> =
        granted.policies.iter().map(|policy| policy_report(request.inventory, request.role, policy)).collect();
    if let Some(reason) = request.obstacle.clone().or_else(|| granted.unreadable.clone()) {
        return withheld(rightsizing, policies, reason);
    }
    let mut drafts: Vec<Rightsized> =
        granted.named.iter().map(|policy| rightsize(*policy, request.keep, request.catalog)).collect();
    let mut tried = None;
    if let Some((uses, how)) = &request.narrowing {
        let (narrower, report) = narrowed(&drafts, granted, uses, *how);
        rightsizing.narrowing = Some(report);
        if let Some(narrower) = narrower {
            match attempt(request, &narrower) {
                Ok(proven) => (drafts, tried) = (narrower, Some(proven)),
                // Fewer actions are still worth having.
                Err(failed) => rightsizing.narrowing = Some(NarrowingReport::of("withheld", Some(failed.reason))),
            }
        }
    }
    if drafts.iter().all(|draft| !draft.changed) {
        rightsizing.reason = Some("nothing that is granted is known to be unused".to_owned());
        return Proposal { rightsizing, policies };
    }
    let proven = match tried.map_or_else(|| attempt(request, &drafts), Ok) {
        Ok(proven) => proven,
        Err(failed) => {
            rightsizing.certificate = failed.certificate.as_ref().map(report);
            return withheld(rightsizing, policies, failed.reason);
        }
    };
    rightsizing.certificate = Some(report(&proven.certificate));
    rightsizing.status = "proposed".to_owned();
    rightsizing.kept = proven.certificate.granted.len() as u64;
    rightsizing.removed = rightsizing.granted - rightsizing.kept.min(rightsizing.granted);
    for ((policy, draft), documents) in policies.iter_mut().zip(drafts).zip(proven.documents) {
        fill(policy, draft, documents);
    }
    Proposal { rightsizing, policies }
}

fn unchanged(request: &Request<'_>) -> Rightsizing {
    let before = &request.granted.expanded;
    let patterns: BTreeSet<&String> = before.unmatched_patterns.iter().map(|unmatched| &unmatched.pattern).collect();
    Rightsizing {
        status: "unchanged".to_owned(),
        reason: None,
        granted: before.grants.len() as u64,
        kept: before.grants.len() as u64,
        removed: 0,
        certificate: None,
        replay: None,
        guardrail: Guardrail::default(),
        narrowing: None,
        remediation: RemediationFiles::default(),
        unknown_patterns: patterns.into_iter().cloned().collect(),
        not_considered: not_considered(request.role, request.granted),
    }
}

/// The drafts with their resources limited, if any can be, and what that changes.
fn narrowed(
    drafts: &[Rightsized],
    granted: &Granted<'_>,
    uses: &KnownUses,
    how: Narrowing,
) -> (Option<Vec<Rightsized>>, NarrowingReport) {
    let mut report = NarrowingReport::of("proposed", None);
    let mut narrower = drafts.to_vec();
    for (draft, policy) in narrower.iter_mut().zip(&granted.named) {
        let Some(document) = &draft.document else { continue };
        let (document, statements) = narrow(document, uses, how);
        draft.changed |= !statements.is_empty();
        draft.document = Some(document);
        report.statements.extend(statements.into_iter().map(|change| NarrowedResources {
            policy: policy.name.to_owned(),
            statement: change.statement,
            actions: change.actions,
            resources: change.resources,
        }));
    }
    if report.statements.is_empty() {
        let reason = "no action that is kept has all of its uses recorded with their resources";
        return (None, NarrowingReport::of("not_needed", Some(reason.to_owned())));
    }
    (Some(narrower), report)
}

/// Documents that fit and stand.
struct Proven {
    documents: Vec<Vec<Value>>,
    certificate: Certificate,
}

struct Failed {
    reason: String,
    certificate: Option<Certificate>,
}

fn attempt(request: &Request<'_>, drafts: &[Rightsized]) -> Result<Proven, Failed> {
    let granted = request.granted;
    let documents =
        sized(granted, drafts, request.keep, request.catalog).map_err(|reason| Failed { reason, certificate: None })?;
    let certificate = replay(granted, &documents, request.calls, request.catalog);
    if let Some(action) = lost(request, &certificate) {
        let reason = format!("the proposal would lose `{action}`, which is to be kept");
        return Err(Failed { reason, certificate: Some(certificate) });
    }
    if certificate.passed() {
        return Ok(Proven { documents, certificate });
    }
    let reason = certificate.counter_examples.first().map_or_else(
        || "the replay found newly allowed actions".to_owned(),
        |example| format!("the replay failed: {example}"),
    );
    Err(Failed { reason, certificate: Some(certificate) })
}

/// A kept action that is granted now and would not be: no call may tell of it, so the replay could not notice.
fn lost(request: &Request<'_>, certificate: &Certificate) -> Option<Action> {
    let granted = request.granted;
    let stays = |action: &Action| certificate.granted.binary_search(action).is_ok();
    let mut kept =
        granted.expanded.grants.iter().map(|grant| &grant.action).filter(|action| request.keep.contains(action));
    kept.find(|action| !stays(action)).cloned()
}

fn withheld(mut rightsizing: Rightsizing, policies: Vec<PolicyReport>, reason: String) -> Proposal {
    rightsizing.status = "withheld".to_owned();
    rightsizing.reason = Some(reason);
    Proposal { rightsizing, policies }
}

/// Most managed policies that a role can have, with the quota raised as far as it goes (IAM quotas).
pub(super) const ATTACHED_POLICIES: usize = 20;

/// The documents of each policy after the edit: none when emptied, several when split to fit (S36).
fn sized(
    granted: &Granted<'_>,
    drafts: &[Rightsized],
    keep: &BTreeSet<Action>,
    catalog: &Catalog,
) -> Result<Vec<Vec<Value>>, String> {
    let inline_before = |index: usize| granted.policies.get(index).is_some_and(|policy| policy.arn.is_none());
    let sizes: usize = drafts
        .iter()
        .enumerate()
        .filter(|(index, _)| inline_before(*index))
        .filter_map(|(_, draft)| draft.document.as_ref())
        .map(size_characters)
        .sum();
    let inline_fits = sizes <= PolicyKind::Inline.limit_characters();
    let mut documents = Vec::new();
    for (index, (draft, policy)) in drafts.iter().zip(&granted.named).enumerate() {
        let Some(document) = draft.document.clone().filter(|_| draft.changed) else {
            documents.push(draft.document.clone().into_iter().collect());
            continue;
        };
        let limit = PolicyKind::Managed.limit_characters();
        let fits = if inline_before(index) { inline_fits } else { size_characters(&document) <= limit };
        if fits {
            documents.push(vec![document]);
            continue;
        }
        let smaller = compact(&document, policy.document, keep, catalog, limit);
        let parts = split(&smaller, limit).map_err(|error| format!("policy {}: {error}", policy.name))?;
        documents.push(parts);
    }
    let attached = documents.iter().enumerate().filter(|(index, parts)| !inline_before(*index) || parts.len() > 1);
    let policies: usize = attached.map(|(_, parts)| parts.len()).sum();
    if policies > ATTACHED_POLICIES {
        return Err(format!(
            "what is kept needs {policies} managed policies of {} characters, and a role can have {ATTACHED_POLICIES}",
            PolicyKind::Managed.limit_characters()
        ));
    }
    Ok(documents)
}

fn parsed(documents: &[Vec<Value>]) -> Vec<Vec<PolicyDocument>> {
    let parse = |parts: &Vec<Value>| parts.iter().filter_map(|part| PolicyDocument::from_value(part).ok()).collect();
    documents.iter().map(parse).collect()
}

fn named<'a>(before: &[NamedPolicy<'a>], after: &'a [Vec<PolicyDocument>]) -> Vec<NamedPolicy<'a>> {
    let parts = before.iter().zip(after);
    parts
        .flat_map(|(policy, documents)| documents.iter().map(|document| NamedPolicy { name: policy.name, document }))
        .collect()
}

fn replay(granted: &Granted<'_>, documents: &[Vec<Value>], calls: &[ObservedCall], catalog: &Catalog) -> Certificate {
    let after = parsed(documents);
    certify(&granted.named, &named(&granted.named, &after), &granted.boundaries, calls, catalog)
}

fn report(certificate: &Certificate) -> CertificateReport {
    const SHOWN: usize = 20;
    CertificateReport {
        calls_replayed: certificate.calls_replayed as u64,
        calls_allowed: certificate.calls_allowed as u64,
        undecidable: certificate.undecidable as u64,
        newly_allowed: certificate.newly_allowed.len() as u64,
        counter_examples: certificate.counter_examples.iter().take(SHOWN).map(ToString::to_string).collect(),
    }
}

fn not_considered(role: &Role, granted: &Granted<'_>) -> Vec<String> {
    let mut texts =
        vec!["session policies, organization policies and resource policies are not in the inventory".to_owned()];
    if let Some(arn) = role.boundary.as_ref().filter(|_| granted.boundaries.is_empty()) {
        texts.push(format!("the permissions boundary {arn} is not in the inventory"));
    }
    texts
}

fn policy_report(inventory: &Inventory, role: &Role, policy: &RolePolicy<'_>) -> PolicyReport {
    let attached = policy.arn.and_then(|arn| inventory.attachments.get(arn));
    let others: Vec<String> = attached.into_iter().flatten().filter(|owner| **owner != role.arn).cloned().collect();
    let roles = attached.map_or(1, |owners| owners.iter().filter(|owner| owner.contains(":role/")).count());
    let kind = match policy.arn {
        None => "inline",
        Some(arn) if arn.contains(":iam::aws:policy/") => "aws_managed",
        Some(_) => "managed",
    };
    PolicyReport {
        kind: kind.to_owned(),
        name: policy.name.to_owned(),
        arn: policy.arn.map(str::to_owned),
        attached_to_roles: u32::try_from(roles).unwrap_or(u32::MAX),
        also_attached_to: others,
        proposal: "unchanged".to_owned(),
        rightsized_size: None,
        files: PolicyFiles::default(),
        current: policy.document.map_or(Value::Null, |document| document.value.clone()),
        rightsized: Vec::new(),
        statements: Vec::new(),
    }
}

fn fill(policy: &mut PolicyReport, draft: Rightsized, documents: Vec<Value>) {
    if !draft.changed {
        return;
    }
    // S33: a policy that others share, or that AWS owns, is replaced for this role and left alone for the others.
    let shared = policy.kind == "aws_managed" || !policy.also_attached_to.is_empty();
    let proposal = match (documents.is_empty(), shared || documents.len() > 1) {
        (true, _) => "emptied",
        (false, true) => "replaced",
        (false, false) => "edited",
    };
    policy.proposal = proposal.to_owned();
    policy.rightsized_size = Some(documents.iter().map(size_characters).sum::<usize>() as u64);
    policy.rightsized = documents;
    policy.statements = draft
        .statements
        .into_iter()
        .map(|change| StatementChange {
            statement: change.statement,
            removed: change.removed,
            kept: change.kept,
            dropped: change.dropped,
        })
        .collect();
}
