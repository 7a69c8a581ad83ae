//! The guard-rail for one role: its dangerous unused actions taken, and nothing else, where the policy must stay.
//!
//! It rests on the same evidence as a removal, so what is missing for one withholds both. Its documents are replayed each
//! for itself; one that does not stand, or does not fit, is left out with the reason, and the other may still be there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::aws::{Action, Arn};
use crate::policy::document::{PolicyDocument, size_characters};
use crate::policy::evaluate::NamedPolicy;
use crate::policy::guardrail::{DenyPolicy, Room, boundary, deny_policy};
use crate::policy::guardrail_proof::{Baseline, GuardrailProof, Holder};
use crate::policy::inventory::{Inventory, Role};
use crate::policy::size::PolicyKind;

use super::assessment::{ActionEntry, Guardrail, GuardrailCertificate};
use super::proposal::{ATTACHED_POLICIES, Granted};

/// The guard-rail; `baseline` is the role as it is, and `obstacle` a reason for which nothing can be called unused.
#[must_use]
pub fn guardrail(
    inventory: &Inventory,
    role: &Role,
    granted: &Granted<'_>,
    ledger: &[ActionEntry],
    baseline: &Baseline<'_>,
    obstacle: Option<String>,
) -> Guardrail {
    if let Some(reason) = obstacle.or_else(|| granted.unreadable.clone()) {
        return Guardrail::none("withheld", reason);
    }
    let taken: BTreeSet<Action> =
        ledger.iter().filter(|entry| is_taken(entry)).map(|entry| entry.action.clone()).collect();
    if taken.is_empty() {
        return Guardrail::none("not_needed", "no dangerous action is known to be unused");
    }
    let maker = Maker { inventory, role, granted, taken: &taken, baseline };
    let mut out = Guardrail { taken: taken.len() as u64, ..Guardrail::default() };
    let reasons: Vec<String> = [
        maker.deny(&mut out).err().map(|reason| format!("no deny policy: {reason}")),
        maker.boundary(&mut out).err().map(|reason| format!("no boundary: {reason}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    out.reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    let proposed = out.boundary.is_some() || !out.deny.is_empty();
    out.status = if proposed { "proposed" } else { "withheld" }.to_owned();
    out.actions = if proposed { taken.into_iter().collect() } else { Vec::new() };
    out
}

/// A dangerous action that is granted, unused, and kept by nobody.
fn is_taken(entry: &ActionEntry) -> bool {
    entry.verdict == "unused" && !entry.kept && entry.danger.is_some() && !entry.granted_by.is_empty()
}

struct Maker<'a> {
    inventory: &'a Inventory,
    role: &'a Role,
    granted: &'a Granted<'a>,
    taken: &'a BTreeSet<Action>,
    baseline: &'a Baseline<'a>,
}

impl Maker<'_> {
    fn deny(&self, out: &mut Guardrail) -> Result<(), String> {
        let inline = self.role.inline.iter().map(|(_, document)| size_characters(&document.value)).sum();
        let room = Room::beside(inline, self.role.attached.len(), ATTACHED_POLICIES);
        let DenyPolicy { kind, documents } = deny_policy(self.taken, room).map_err(|error| error.to_string())?;
        let parsed = parse(&documents)?;
        let mut policies = self.granted.named.clone();
        policies.extend(parsed.iter().map(|document| NamedPolicy { name: "deny.json", document }));
        let after = Holder { policies: &policies, boundaries: &self.granted.boundaries };
        let proof = self.baseline.prove(after, self.taken);
        out.certificate.deny = Some(certificate(&proof));
        stands(&proof)?;
        let word = if kind == PolicyKind::Inline { "inline" } else { "managed" };
        out.deny_kind = Some(word.to_owned());
        out.names.deny = self.deny_names(kind, documents.len());
        out.deny = documents;
        Ok(())
    }

    fn boundary(&self, out: &mut Guardrail) -> Result<(), String> {
        let existing = self.granted.boundaries.first();
        if let (Some(arn), None) = (&self.role.boundary, existing) {
            return Err(format!("the boundary {arn}, which it would have to hold, is not readable in the inventory"));
        }
        let document =
            boundary(self.taken, existing.map(|policy| policy.document)).map_err(|error| error.to_string())?;
        let parsed = parse(std::slice::from_ref(&document))?;
        let boundaries: Vec<NamedPolicy<'_>> =
            parsed.iter().map(|document| NamedPolicy { name: "boundary.json", document }).collect();
        let after = Holder { policies: &self.granted.named, boundaries: &boundaries };
        let proof = self.baseline.prove(after, self.taken);
        out.certificate.boundary = Some(certificate(&proof));
        stands(&proof)?;
        out.names.boundary = Some(fresh_name(&self.role.name, "guardrail-boundary", &self.managed_names()));
        out.replaces_boundary = self.role.boundary.clone();
        out.boundary = Some(document);
        Ok(())
    }
}

impl Maker<'_> {
    fn deny_names(&self, kind: PolicyKind, documents: usize) -> Vec<String> {
        let mut used = match kind {
            PolicyKind::Inline => self.role.inline.iter().map(|(name, _)| name.to_ascii_lowercase()).collect(),
            PolicyKind::Managed => self.managed_names(),
        };
        let mut names = Vec::new();
        for _ in 0..documents {
            let name = fresh_name(&self.role.name, "guardrail-deny", &used);
            used.insert(name.to_ascii_lowercase());
            names.push(name);
        }
        names
    }

    /// Names of the managed policies of the role's account, in lower case.
    fn managed_names(&self) -> BTreeSet<String> {
        let own = |arn: &str| Arn::parse(arn).is_some_and(|arn| arn.account == self.role.account.as_str());
        let policies = self.inventory.policies.iter().filter(|(arn, _)| own(arn));
        policies.map(|(_, policy)| policy.name.to_ascii_lowercase()).collect()
    }
}

/// IAM's longest policy name.
const POLICY_NAME_CHARS: usize = 128;

/// `<role>-<what>`, with a number where that is in use; IAM tells no two names apart by case.
fn fresh_name(role: &str, what: &str, used: &BTreeSet<String>) -> String {
    let name = |number: usize| {
        let ending = if number == 1 { format!("-{what}") } else { format!("-{what}-{number}") };
        let stem: String = role.chars().take(POLICY_NAME_CHARS - ending.len()).collect();
        format!("{stem}{ending}")
    };
    let mut number = 1;
    while used.contains(&name(number).to_ascii_lowercase()) {
        number += 1;
    }
    name(number)
}

fn parse(documents: &[Value]) -> Result<Vec<PolicyDocument>, String> {
    documents.iter().map(|document| PolicyDocument::from_value(document).map_err(|error| error.to_string())).collect()
}

fn stands(proof: &GuardrailProof) -> Result<(), String> {
    proof.flaws.first().map_or(Ok(()), |flaw| Err(format!("the replay failed: {flaw}")))
}

fn certificate(proof: &GuardrailProof) -> GuardrailCertificate {
    const SHOWN: usize = 20;
    GuardrailCertificate {
        calls_replayed: proof.calls_replayed as u64,
        calls_allowed: proof.calls_allowed as u64,
        undecidable: proof.undecidable as u64,
        granted_before: proof.granted_before as u64,
        granted_after: proof.granted_after as u64,
        newly_allowed: proof.newly_allowed as u64,
        counter_examples: proof.flaws.iter().take(SHOWN).map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S37: a name that is in use would overwrite an earlier guard-rail, so another is taken.
    #[test]
    fn names_are_fresh() {
        let used = |names: &[&str]| names.iter().map(|name| name.to_ascii_lowercase()).collect::<BTreeSet<String>>();
        assert_eq!(fresh_name("Scan", "guardrail-deny", &used(&[])), "Scan-guardrail-deny");
        let both = used(&["scan-Guardrail-Deny", "Scan-guardrail-deny-2"]);
        assert_eq!(fresh_name("Scan", "guardrail-deny", &both), "Scan-guardrail-deny-3");
        let long = fresh_name(&"x".repeat(200), "guardrail-deny", &used(&[]));
        assert_eq!((long.len(), long.ends_with("x-guardrail-deny")), (POLICY_NAME_CHARS, true));
    }
}
