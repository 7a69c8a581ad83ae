//! Findings: what should make somebody act, one small struct each, with stable codes (docs/FINDINGS.md).

mod access;
mod evidence;
mod external_id;
mod integrity;
mod keep;
mod keys;
mod policy;
mod policy_use;
mod suppressed;
mod trust;
mod usage;
mod vendor;
mod vendor_identity;

use serde_json::Value;

use crate::aws::{AccountId, Fingerprint};

use super::assess::{Case, Inquiry};
use super::assessment::{Assessment, Finding, RoleReport};
use super::share::Share;

/// How grave a finding is, the gravest first.
pub const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// All findings, the gravest first, then by code and subject.
#[must_use]
pub fn findings(assessment: &Assessment, share: &Share, inquiry: &Inquiry<'_>, case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for role in &assessment.roles {
        usage::of_role(role, assessment, &mut found);
        trust::of_role(role, &mut found);
        external_id::of_role(role, &mut found);
        policy::of_role(role, &mut found);
    }
    for user in &assessment.users {
        keys::of_user(user, inquiry, case, &mut found);
        policy::of_user(user, &mut found);
    }
    external_id::shared(&assessment.roles, &mut found);
    usage::recreated(&assessment.roles, &mut found);
    usage::chained(&share.chained, &mut found);
    usage::without_role(&share.visits, &mut found);
    access::new(&assessment.access_changes, &mut found);
    access::delegated(&share.delegated, &mut found);
    evidence::of_coverage(assessment, case, &mut found);
    if let Some(integrity) = &assessment.coverage.integrity {
        integrity::of_integrity(integrity, &mut found);
    }
    keep::expired(assessment, inquiry, &mut found);
    vendor::offboarded(assessment, case, &mut found);
    vendor::unexpected(assessment, case, &mut found);
    suppressed::mark(assessment, inquiry, &mut found);
    let rank = |finding: &Finding| SEVERITIES.iter().position(|severity| *severity == finding.severity);
    found.sort_by(|a, b| (rank(a), &a.code, &a.subject).cmp(&(rank(b), &b.code, &b.subject)));
    found
}

/// A finding in the making: code, severity and subject come first, because they are what others sort by.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub(super) code: &'a str,
    pub(super) severity: &'a str,
    pub(super) account: Option<AccountId>,
    pub(super) subject: &'a str,
    pub(super) party: Option<String>,
}

impl<'a> Draft<'a> {
    /// A finding about a role, and the parties that may come into it.
    pub(super) fn role(code: &'a str, severity: &'a str, role: &'a RoleReport) -> Self {
        let mut parties: Vec<&str> = outside_parties(role);
        parties.sort_unstable();
        parties.dedup();
        let party = (!parties.is_empty()).then(|| parties.join(", "));
        Self { code, severity, account: Some(role.account_id), subject: &role.arn, party }
    }

    /// The finding, with its words and its evidence.
    pub(super) fn finish(self, title: String, detail: String, evidence: Value, remediation: &str) -> Finding {
        Finding {
            id: Fingerprint::of(&format!("{}/{}", self.code, self.subject)).digest,
            code: self.code.to_owned(),
            severity: self.severity.to_owned(),
            account_id: self.account,
            subject: self.subject.to_owned(),
            party: self.party,
            title,
            detail,
            evidence,
            remediation: remediation.to_owned(),
            suppressed: None,
            known: None,
        }
    }
}

fn outside_parties(role: &RoleReport) -> Vec<&str> {
    role.trust.iter().filter(|trust| trust.outside).filter_map(|trust| trust.party.as_deref()).collect()
}

/// `1 action`, `2 actions`.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
