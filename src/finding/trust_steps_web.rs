//! Steps for trust in a provider of web identities: the subjects and the audience that were seen (S13, S40).
//!
//! Only for providers that vouch for many companies, and only where today's trust is wider than one repository, workspace or
//! the like; subjects change with branches and environments, so those that were seen once only bind nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::aws::Arn;
use crate::policy::document::PolicyDocument;
use crate::policy::federation::{Reach, reach};
use crate::policy::statement::{Principals, Statement};
use crate::policy::trust_edit::{Change, Demand};

use super::hand_offs::{Times, issuer};
use super::trust_steps::{Facts, MORE, Steps, TRUST_CALLERS, TRUST_DAYS, allows, does_more, meant, plural, when};

/// Subjects named in the evidence of one step.
const SUBJECTS_SHOWN: usize = 10;

pub(super) fn steps(facts: &Facts<'_>, statement: &Statement, named: &Principals, found: &mut Steps) {
    let others = named.anyone || named.aws.len() + named.service.len() + named.canonical_user.len() > 0;
    let [provider] = named.federated.as_slice() else { return };
    let is_oidc = Arn::parse(provider).is_some_and(|arn| arn.resource.starts_with("oidc-provider/"));
    if others || !is_oidc || !allows(statement, "sts:AssumeRoleWithWebIdentity") {
        return;
    }
    let single = |change: &Change| {
        let alone = facts.trust.with_statements(vec![statement.raw.clone()]);
        let edited = PolicyDocument::from_value(&alone).ok().and_then(|alone| change.apply(&alone).ok())?;
        PolicyDocument::from_value(&edited).ok()
    };
    let Some(today) = single(&Change::default()).and_then(|alone| reach(&alone, provider)) else { return };
    let (mut subjects, mut audiences): (BTreeMap<&str, Times>, BTreeMap<&str, Times>) = Default::default();
    for (way, times) in meant(facts.ways, statement) {
        let audience = way.audience.as_deref().unwrap_or_default();
        for (sums, text) in [(&mut subjects, way.subject.as_str()), (&mut audiences, audience)] {
            sums.entry(text).and_modify(|known| known.add(times)).or_insert_with(|| times.clone());
        }
    }
    if subjects.is_empty() {
        return;
    }
    if does_more(statement) {
        return found.leave(statement, "subjects", MORE);
    }
    let (sub, aud) = (format!("{}:sub", issuer(provider)), format!("{}:aud", issuer(provider)));
    let narrows = |operator: &'static str, values: &[String]| {
        let demand = Demand { statement: 0, operator, key: sub.clone(), values: values.to_vec() };
        let alone = single(&Change { demands: vec![demand], ..Change::default() });
        // Whoever else the provider vouches for must be out.
        alone.is_some_and(|alone| reach(&alone, provider).is_none_or(|left| left < today && left == Reach::WholeOwner))
    };
    match bound(&subjects).and_then(|(operator, values)| match narrows(operator, &values) {
        true => Ok((operator, values)),
        false => Err("what the subjects have in common is no narrower than today's trust".to_owned()),
    }) {
        Ok((operator, values)) => {
            let detail = format!(
                "let in only {}, which {} of the window had",
                values.join(", "),
                plural(subjects.values().map(|times| times.hand_offs).sum(), "hand-off")
            );
            found.demand(statement, operator, &sub, values);
            found.take(statement, "subjects", detail, evidence("subjects", "subject", &subjects));
        }
        Err(reason) => found.leave(statement, "subjects", reason),
    }
    let demands = statement.conditions.iter().any(|block| block.key.eq_ignore_ascii_case(&aud));
    if demands {
        return;
    }
    if audiences.contains_key("") || audiences.len() > TRUST_CALLERS || audiences.keys().any(|text| text.contains("${"))
    {
        return found.leave(
            statement,
            "audience",
            "no audience is demanded, and the records do not tell all that were sent",
        );
    }
    let values: Vec<String> = audiences.keys().map(|text| (*text).to_owned()).collect();
    let detail = format!("demand the audience {}, which every hand-off of the window had", values.join(", "));
    found.demand(statement, "StringEquals", &aud, values);
    found.take(statement, "audience", detail, evidence("audiences", "audience", &audiences));
}

fn evidence(list: &str, name: &str, seen: &BTreeMap<&str, Times>) -> Value {
    let shown: Vec<Value> =
        seen.iter().take(SUBJECTS_SHOWN).map(|(text, times)| when(times, json!({name: text}))).collect();
    json!({list: shown, "different": seen.len()})
}

/// The subjects themselves where they are few and steady, else what they begin with.
fn bound(subjects: &BTreeMap<&str, Times>) -> Result<(&'static str, Vec<String>), String> {
    if subjects.keys().any(|subject| subject.is_empty() || subject.contains("${")) {
        return Err("the records do not tell every subject".to_owned());
    }
    let is_steady = subjects.values().all(|times| times.days.len() >= TRUST_DAYS);
    if is_steady && subjects.len() <= TRUST_CALLERS {
        return Ok(("StringEquals", subjects.keys().map(|subject| (*subject).to_owned()).collect()));
    }
    if subjects.len() < 2 {
        return Err("the only subject came on one day only, which does not show that it stays the same".to_owned());
    }
    match common(subjects.keys().copied()) {
        Some(head) if !head.contains(['*', '?']) => Ok(("StringLike", vec![format!("{head}*")])),
        _ => Err(format!("{} different subjects have no beginning in common", subjects.len())),
    }
}

/// The longest beginning that all have in common and that ends a part of them.
fn common<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = texts.next()?;
    let shared = texts.fold(first.len(), |length, text| {
        first.bytes().zip(text.bytes()).take(length).take_while(|(one, other)| one == other).count()
    });
    let end = first.as_bytes().get(..shared)?.iter().rposition(|byte| matches!(byte, b':' | b'/'))?;
    first.get(..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S40: a beginning ends where a part of the subject does, so that `main` does not stand for `maintenance`.
    #[test]
    fn common_beginnings_end_at_a_border() {
        let of = |texts: &[&'static str]| common(texts.iter().copied());
        assert_eq!(of(&["repo:a/shop:ref:x", "repo:a/shop:ref:y"]), Some("repo:a/shop:ref:"));
        assert_eq!(of(&["repo:a/shop:main", "repo:a/shopping:main"]), Some("repo:a/"));
        assert_eq!(of(&["ä/1", "ö/1"]), None);
        assert_eq!(of(&["abc", "abd"]), None);
    }
}
