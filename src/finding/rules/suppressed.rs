//! Findings about suppressions: those whose day has come (S39).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::aws::window::rfc3339;
use crate::aws::{AccountId, Arn};

use super::super::assess::Inquiry;
use super::super::assessment::{Assessment, Finding};
use super::super::suppress::{EXPIRED, PartyIds, Suppression, mark as mark_found};
use super::{Draft, count};

/// Findings told of one suppression.
const SHOWN: usize = 20;

/// Marks what is suppressed, and adds a finding for the suppressions that no longer hide.
pub(super) fn mark(assessment: &Assessment, inquiry: &Inquiry<'_>, found: &mut Vec<Finding>) {
    let ids = PartyIds::of(&assessment.parties);
    mark_found(found, inquiry.suppressions, &ids, inquiry.as_of);
    let expired = inquiry.suppressions.iter().filter(|suppression| !suppression.is_in_force(inquiry.as_of));
    let mut by_subject: BTreeMap<(String, Option<AccountId>), Vec<Value>> = BTreeMap::new();
    for suppression in expired {
        let about: Vec<&Finding> = found.iter().filter(|finding| suppression.is_about(finding, &ids)).collect();
        by_subject.entry(subject(suppression, &about, inquiry)).or_default().push(told(suppression, &about));
    }
    for ((subject, account), rules) in by_subject {
        let draft = Draft { code: EXPIRED, severity: "medium", account, subject: &subject, party: None };
        let verb = if rules.len() == 1 { "has" } else { "have" };
        found.push(draft.finish(
            format!("{} {verb} expired", count(rules.len() as u64, "suppression")),
            "An expired suppression hides nothing: what it was about counts again.".to_owned(),
            json!({"suppressions": rules, "as_of": rfc3339(inquiry.as_of)}),
            "Mend what was suppressed; or ask the owner whether the reason still holds, and give the suppression a new \
             date or delete it.",
        ));
    }
}

/// The only subject that it is about; else the account that it names, or the first of ours.
fn subject(suppression: &Suppression, about: &[&Finding], inquiry: &Inquiry<'_>) -> (String, Option<AccountId>) {
    if let [only] = about {
        return (only.subject.clone(), only.account_id);
    }
    let named = suppression.subject.as_deref().and_then(Arn::parse).and_then(|arn| AccountId::parse(arn.account));
    let account = named.or_else(|| inquiry.accounts.own.first().copied());
    (account.map_or_else(|| "source".to_owned(), |account| account.to_string()), account)
}

fn told(suppression: &Suppression, about: &[&Finding]) -> Value {
    json!({
        "suppression": suppression.origin.to_string(), "code": suppression.code, "subject": suppression.subject,
        "party": suppression.party, "owner": suppression.owner, "reason": suppression.reason,
        "expires": suppression.expires.map(|day| day.to_string()), "findings": about.len(),
        "sample": about.iter().take(SHOWN).map(|finding| &finding.subject).collect::<Vec<_>>(),
    })
}
