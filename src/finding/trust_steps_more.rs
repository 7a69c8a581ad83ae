//! Steps for trust in a SAML provider and in everybody: the people, and the accounts, that were seen (S13, S40).
//!
//! People come and go, and so do the accounts of a company: neither is limited to those seen without being asked to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::aws::AccountId;
use crate::policy::admission::PrincipalKind;
use crate::policy::statement::{Principals, Statement};

use super::hand_offs::Times;
use super::trust_steps::{Facts, MORE, Steps, TRUST_CALLERS, TRUST_DAYS, TrustNarrowing, allows, does_more, meant};
use super::trust_steps::{plural, when};

const SUBJECT: &str = "SAML:sub";
const ACCOUNT: &str = "aws:PrincipalAccount";

/// Everybody whom a company's sign-on vouches for becomes those who came.
pub(super) fn saml(facts: &Facts<'_>, statement: &Statement, named: &Principals, found: &mut Steps) {
    let others = named.anyone || named.aws.len() + named.service.len() + named.canonical_user.len() > 0;
    let [provider] = named.federated.as_slice() else { return };
    let is_outside = facts.entries.iter().any(|entry| entry.principal == *provider && entry.outside);
    let is_bound = statement.conditions.iter().any(|block| block.key.eq_ignore_ascii_case(SUBJECT));
    let is_saml = provider.contains(":saml-provider/") && allows(statement, "sts:AssumeRoleWithSAML");
    if others || !is_outside || is_bound || !is_saml {
        return;
    }
    let mut subjects: BTreeMap<&str, Times> = BTreeMap::new();
    for (way, times) in meant(facts.ways, statement) {
        subjects.entry(&way.subject).and_modify(|known| known.add(times)).or_insert_with(|| times.clone());
    }
    if subjects.is_empty() {
        return;
    }
    if does_more(statement) {
        return found.leave(statement, "subjects", MORE);
    }
    let reason = match () {
        () if subjects.keys().any(|subject| subject.is_empty() || subject.contains("${")) => {
            "the records do not tell every subject".to_owned()
        }
        () if subjects.len() > TRUST_CALLERS => {
            format!("{} different people came, more than {TRUST_CALLERS}: they are likely to change", subjects.len())
        }
        () if subjects.values().any(|times| times.days.len() < TRUST_DAYS) => {
            "somebody came on one day only, which does not show that people stay the same".to_owned()
        }
        () if facts.how.is_none() => {
            format!(
                "only {} came: --narrow-trust limits the provider to them",
                plural(subjects.len() as u64, "subject")
            )
        }
        () => {
            let values: Vec<String> = subjects.keys().map(|subject| (*subject).to_owned()).collect();
            let detail =
                format!("let in only {}; others whom the provider vouches for would be refused", values.join(", "));
            found.demand(statement, "StringEquals", SUBJECT, values);
            let seen: Vec<_> = subjects.iter().map(|(text, times)| when(times, json!({"subject": text}))).collect();
            return found.take(statement, "subjects", detail, json!({"subjects": seen, "different": subjects.len()}));
        }
    };
    found.leave(statement, "subjects", reason);
}

/// Everybody, limited by conditions or not, becomes the accounts that came.
pub(super) fn everybody(facts: &Facts<'_>, statement: &Statement, named: &Principals, found: &mut Steps) {
    let is_everybody = named.anyone || named.aws.iter().any(|name| name == "*");
    let anybody = [PrincipalKind::Anyone, PrincipalKind::Organization].map(PrincipalKind::word);
    let is_open = facts.entries.iter().any(|entry| entry.outside && anybody.contains(&entry.kind.as_str()));
    if !is_everybody || !is_open || !allows(statement, "sts:AssumeRole") {
        return;
    }
    let mut accounts: BTreeSet<Option<AccountId>> = BTreeSet::new();
    let mut hand_offs = 0;
    for (way, times) in meant(facts.ways, statement) {
        accounts.insert(way.account());
        hand_offs += times.hand_offs;
    }
    let named: Option<Vec<String>> = accounts.iter().map(|one| one.map(|account| account.to_string())).collect();
    let reason = match (named, &facts.too_short) {
        _ if accounts.is_empty() => "nobody came in the window whom it could be limited to".to_owned(),
        (None, _) => "the records do not tell the account of everybody who came".to_owned(),
        _ if does_more(statement) => MORE.to_owned(),
        (Some(named), Some(why)) => format!("only {} came in the window, but {why}", named.join(", ")),
        (Some(named), None) if facts.how != Some(TrustNarrowing::Parties) => {
            format!("only {} came: --narrow-trust=parties limits it to them", named.join(", "))
        }
        (Some(named), None) => {
            let detail = format!("let in only {}, of whom {} came", named.join(", "), plural(hand_offs, "hand-off"));
            let evidence = json!({"accounts": named, "hand_offs": hand_offs});
            found.demand(statement, "StringEquals", ACCOUNT, named);
            return found.take(statement, "accounts", detail, evidence);
        }
    };
    found.leave(statement, "accounts", reason);
}
