//! The guard-rail for one role: its dangerous unused actions taken, and nothing else, where the policy must stay.
//!
//! It rests on the same evidence as a removal, so what is missing for one withholds both. Its documents are replayed each
//! for itself; one that does not stand, or does not fit, is left out with the reason, and the other may still be there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::aws::Action;
use crate::policy::document::{PolicyDocument, size_characters};
use crate::policy::evaluate::NamedPolicy;
use crate::policy::guardrail::{DenyPolicy, Room, boundary, deny_policy};
use crate::policy::guardrail_proof::{Baseline, GuardrailProof, Holder};
use crate::policy::inventory::Role;
use crate::policy::size::PolicyKind;

use super::assessment::{ActionEntry, Guardrail, GuardrailCertificate};
use super::proposal::{ATTACHED_POLICIES, Granted};

/// The guard-rail; `baseline` is the role as it is, and `obstacle` a reason for which nothing can be called unused.
#[must_use]
pub fn guardrail(
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
    let maker = Maker { role, granted, taken: &taken, baseline };
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
        out.replaces_boundary = self.role.boundary.clone();
        out.boundary = Some(document);
        Ok(())
    }
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
