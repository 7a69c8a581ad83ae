//! The answers of `external-id check`: what each outside party of a role gets without its external id, or with a wrong one.
//!
//! Answered by evaluating the trust policy (S40). Of the ids that it accepts, strength, length and fingerprint are told, and
//! never the ids (S42).

use serde::Serialize;

use crate::activity::party::Accounts;
use crate::aws::{AccountId, Fingerprint};
use crate::policy::admission::{Admission, PrincipalKind, admissions};
use crate::policy::document::PolicyDocument;
use crate::policy::inventory::Role;
use crate::policy::without_id::{IdAnswer, IdCheck, check_id};

use super::external_id::{is_weak, strength};
use super::trust::is_outsider;

/// One role.
#[derive(Debug, Clone, Serialize)]
pub struct RoleIdCheck {
    /// Its ARN.
    pub role: String,
    /// `refuses`, `admits_without`, `admits_any` or `unknown`: the worst of its parties.
    pub answer: &'static str,
    /// One sentence.
    pub reason: String,
    /// The outside principals that it names.
    pub parties: Vec<PartyIdCheck>,
    #[serde(skip)]
    verdict: IdAnswer,
}

/// One outside principal of a trust policy.
#[derive(Debug, Clone, Serialize)]
pub struct PartyIdCheck {
    /// As written.
    pub principal: String,
    /// `account_root`, `role`, `user`, `anyone`.
    pub kind: &'static str,
    /// Its account; `null` for everybody.
    pub account_id: Option<AccountId>,
    /// The party's name.
    pub party: Option<String>,
    /// `refuses`, `admits_without`, `admits_any` or `unknown`.
    pub answer: &'static str,
    /// One sentence.
    pub reason: String,
    /// The statements that decide.
    pub statements: Vec<String>,
    /// Keys of further conditions that a call must meet to be let in.
    pub conditions: Vec<String>,
    /// The ids that it accepts, without the ids.
    pub external_ids: Vec<IdQuality>,
}

/// What may be told of an external id (S42).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct IdQuality {
    /// `uuid`, `long`, `short`, `word`, `repetitive`, `account_id`, `pattern`.
    pub strength: &'static str,
    /// Whether it can be guessed.
    pub weak: bool,
    /// In characters.
    pub length: u32,
    /// Keyed digest; none for a pattern.
    pub fingerprint: Option<String>,
}

impl IdQuality {
    /// That of `id`, which should hold none of these accounts' numbers and not the party's name.
    #[must_use]
    pub fn of(id: &str, accounts: impl IntoIterator<Item = AccountId>, party: Option<&str>) -> Self {
        let fingerprint = Fingerprint::of(id);
        let strength = strength(id, accounts, party);
        Self { strength, weak: is_weak(strength), length: fingerprint.length, fingerprint: Some(fingerprint.digest) }
    }
}

impl RoleIdCheck {
    /// The answer, to be compared.
    #[must_use]
    pub fn verdict(&self) -> IdAnswer {
        self.verdict
    }

    /// Whether there was an outside account to be asked about, or a trust policy that cannot be read.
    #[must_use]
    pub fn concerns_outsiders(&self) -> bool {
        !self.parties.is_empty() || self.verdict == IdAnswer::Unknown
    }
}

/// Asks about every outside principal of a role's trust policy.
#[must_use]
pub fn check_role(role: &Role, accounts: Accounts<'_>) -> RoleIdCheck {
    let of = |verdict: IdAnswer, reason: String, parties| RoleIdCheck {
        role: role.arn.clone(),
        answer: verdict.word(),
        reason,
        parties,
        verdict,
    };
    let trust = match &role.trust.parsed {
        Ok(trust) => trust,
        Err(problem) => {
            return of(IdAnswer::Unknown, format!("its trust policy cannot be read: {problem}"), Vec::new());
        }
    };
    let admissions = admissions(trust);
    let outside = || admissions.iter().filter(|admission| is_outsider(admission, accounts));
    let asked: Vec<(&Admission, IdCheck)> = outside()
        .filter(|admission| admission.external_id.is_some())
        .map(|admission| (admission, check_id(trust, admission)))
        .collect();
    let Some(verdict) = asked.iter().map(|(_, check)| check.answer).max() else {
        let providers = outside().any(|admission| admission.kind == PrincipalKind::Federated);
        let reason = if providers {
            "it lets in no outside account, only identity providers, which send no external id"
        } else {
            "it lets in no outside account"
        };
        return of(IdAnswer::Refuses, reason.to_owned(), Vec::new());
    };
    let parties: Vec<PartyIdCheck> =
        asked.iter().map(|(admission, check)| party(role, admission, check, accounts, trust)).collect();
    let worst = parties.iter().find(|party| party.answer == verdict.word());
    let reason = worst.map(|party| party.reason.clone()).unwrap_or_default();
    of(verdict, reason, parties)
}

fn party(
    role: &Role,
    admission: &Admission,
    check: &IdCheck,
    accounts: Accounts<'_>,
    trust: &PolicyDocument,
) -> PartyIdCheck {
    let name = admission.account.map(|account| accounts.party(account).name);
    let numbers = || accounts.own.iter().copied().chain(admission.account).chain([role.account]);
    let values = admission.external_id.iter().flat_map(|demand| &demand.values);
    let quality = |value: &String| match value.contains(['*', '?']) && is_pattern(trust, value) {
        true => IdQuality { strength: "pattern", weak: true, length: Fingerprint::of(value).length, fingerprint: None },
        false => IdQuality::of(value, numbers(), name.as_deref()),
    };
    let mut external_ids: Vec<IdQuality> = values.map(quality).collect();
    external_ids.sort();
    PartyIdCheck {
        principal: admission.principal.clone(),
        kind: admission.kind.word(),
        account_id: admission.account,
        party: name.clone(),
        answer: check.answer.word(),
        reason: reason(check),
        statements: check.statements.iter().cloned().collect(),
        conditions: check.conditions.iter().cloned().collect(),
        external_ids,
    }
}

/// Whether wildcards in that value are more than characters: only `StringLike` reads them.
fn is_pattern(trust: &PolicyDocument, value: &str) -> bool {
    let mut blocks = trust.statements.iter().flat_map(|statement| &statement.conditions);
    blocks.any(|block| {
        block.operator.to_ascii_lowercase().contains("like")
            && block.key.eq_ignore_ascii_case("sts:ExternalId")
            && block.values.iter().any(|one| one == value)
    })
}

fn reason(check: &IdCheck) -> String {
    let statements: Vec<&str> = check.statements.iter().map(String::as_str).collect();
    let which = match statements.as_slice() {
        [one] => format!("statement {one}"),
        several => format!("statements {}", several.join(", ")),
    };
    let verb = |one: &'static str, several: &'static str| if statements.len() == 1 { one } else { several };
    let lets = verb("lets", "let");
    let what = match check.answer {
        IdAnswer::Refuses => "a call without an external id is refused, and one with a wrong id".to_owned(),
        IdAnswer::AdmitsWithout => format!("{which} {lets} it in without an external id"),
        IdAnswer::AdmitsAny if check.by_pattern => {
            format!("{which} {lets} it in with every external id that fits a pattern")
        }
        IdAnswer::AdmitsAny => format!("{which} {lets} it in with any external id"),
        IdAnswer::Unknown => format!("what {which} {} hangs on more than the policy tells", verb("accepts", "accept")),
    };
    let conditions: Vec<&str> = check.conditions.iter().map(String::as_str).collect();
    match conditions.as_slice() {
        [] => what,
        keys => format!("{what}, where its conditions on {} hold", keys.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::activity::directory::Directory;
    use crate::activity::party::NO_ORGANIZATION;
    use crate::policy::inventory::Inventory;

    fn check(trust: Value) -> RoleIdCheck {
        let mut inventory = Inventory::default();
        let role = json!({"RoleName": "R", "RoleId": "AROAR", "Arn": "arn:aws:iam::111122223333:role/R",
            "AssumeRolePolicyDocument": trust});
        inventory.add(&json!({"RoleDetailList": [role]}).to_string()).unwrap();
        let own = BTreeSet::from([AccountId::parse("111122223333").unwrap()]);
        check_role(
            &inventory.roles["arn:aws:iam::111122223333:role/R"],
            Accounts { own: &own, organizations: &NO_ORGANIZATION, directory: Directory::builtin() },
        )
    }

    fn allow(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition})
    }

    /// S40: the worst party decides; our own accounts and services are not asked about.
    #[test]
    fn the_worst_party_is_the_roles_answer() {
        let exact = json!({"StringEquals": {"sts:ExternalId": "23bc5533-157c-41bf-a01a-4ecb491471f6"}});
        let datadog = json!({"AWS": "arn:aws:iam::464622532012:root"});
        let other = json!({"AWS": "arn:aws:iam::454464851268:root"});
        let found = check(json!({"Statement": [allow(datadog.clone(), exact.clone()), allow(other, json!({}))]}));
        assert_eq!((found.answer, found.parties.len()), ("admits_without", 2));
        assert!(found.reason.contains("statement #2 lets it in without"), "{}", found.reason);
        let ours = [
            allow(json!({"AWS": "111122223333"}), json!({})),
            allow(json!({"Service": "ec2.amazonaws.com"}), json!({})),
        ];
        let found = check(json!({"Statement": ours}));
        assert_eq!((found.answer, found.concerns_outsiders()), ("refuses", false));
        let broken = check(json!({"Statement": [{"Effect": "Perhaps"}]}));
        assert_eq!((broken.answer, broken.concerns_outsiders()), ("unknown", true));
        let found = check(json!({"Statement": allow(datadog, exact)}));
        assert_eq!(found.parties[0].party.as_deref(), Some("Datadog"));
    }

    /// S41, S42: quality is told and the id is not.
    #[test]
    fn ids_are_judged_and_not_shown() {
        let datadog = || json!({"AWS": "arn:aws:iam::464622532012:root"});
        let of = |operator: &str, id: &str| {
            let found = check(json!({"Statement": allow(datadog(), json!({operator: {"sts:ExternalId": id}}))}));
            assert!(!serde_json::to_string(&found).unwrap().contains(id), "{id}");
            let quality = &found.parties[0].external_ids[0];
            (quality.strength, quality.weak, quality.length, quality.fingerprint.is_some())
        };
        assert_eq!(of("StringEquals", "23bc5533-157c-41bf-a01a-4ecb491471f6"), ("uuid", false, 36, true));
        assert_eq!(of("StringEquals", "datadog-production-2024"), ("word", true, 23, true));
        assert_eq!(of("StringLike", "kD83hfKs92hfKSjw83-*"), ("pattern", true, 20, false));
        assert_eq!(of("StringEquals", "kD83hfKs92hfKSjw83-*"), ("long", false, 20, true));
    }
}
