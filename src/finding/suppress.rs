//! Suppressions: findings that somebody has answered for, marked and out of the way, until a day (S39).
//!
//! A suppressed finding stays in the report and says who answers for it. Nothing but `--fail-on` and the order of reading
//! changes: coverage, exit code 3 and what is proposed do not look at suppressions. The day that counts is `as_of`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::aws::wildcard::matches;
use crate::aws::window::Time;

use super::assessment::{Finding, PartyReport, SuppressedBy};

/// The page that has a section for every code: also the list of the codes there are.
const FINDINGS: &str = include_str!("../../docs/FINDINGS.md");
/// The code that says so when a suppression's day has come; to hide it would be silence.
pub const EXPIRED: &str = "suppression-expired";

/// Where something begins in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's name, without its folder.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One suppression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Where it stands.
    pub origin: Origin,
    /// The finding's code.
    pub code: String,
    /// The finding's subject, with wildcards; `None` for any.
    pub subject: Option<String>,
    /// The finding's party, by name or id, with wildcards; `None` for any. All parties of a finding must be meant.
    pub party: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The first day on which it no longer hides; `None` for ever.
    pub expires: Option<NaiveDate>,
}

/// The codes that findings can have.
pub fn codes() -> impl Iterator<Item = &'static str> {
    FINDINGS.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'))
}

/// The ids of parties by their names.
pub struct PartyIds<'a>(BTreeMap<&'a str, BTreeSet<&'a str>>);

impl<'a> PartyIds<'a> {
    /// Those of a report.
    #[must_use]
    pub fn of(parties: &'a [PartyReport]) -> Self {
        let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for party in parties {
            ids.entry(&party.name).or_default().insert(&party.id);
        }
        Self(ids)
    }

    fn is_meant(&self, pattern: &str, name: &str) -> bool {
        let by_id = |ids: &BTreeSet<&str>| ids.iter().all(|id| matches(pattern, id));
        matches(pattern, name) || self.0.get(name).is_some_and(by_id)
    }
}

impl Suppression {
    /// Whether it still hides on the day of `as_of` (UTC): on `expires` itself it does not.
    #[must_use]
    pub fn is_in_force(&self, as_of: Time) -> bool {
        self.expires.is_none_or(|expires| as_of.date_naive() < expires)
    }

    /// Whether it is about this finding.
    #[must_use]
    pub fn is_about(&self, finding: &Finding, ids: &PartyIds<'_>) -> bool {
        let party = |pattern: &str| match &finding.party {
            // What is said of one party is not said of the others that share its role.
            Some(parties) => {
                let whole = parties.eq_ignore_ascii_case(pattern);
                whole || parties.split(", ").all(|name| ids.is_meant(pattern, name))
            }
            None => matches(pattern, &finding.subject),
        };
        self.code == finding.code
            && finding.code != EXPIRED
            && self.subject.as_deref().is_none_or(|pattern| matches(pattern, &finding.subject))
            && self.party.as_deref().is_none_or(party)
    }

    fn mark(&self) -> SuppressedBy {
        SuppressedBy {
            by: self.origin.to_string(),
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            expires: self.expires.map(|day| day.to_string()),
        }
    }
}

/// Marks what is suppressed, each by the first suppression in force that is about it.
pub fn mark(found: &mut [Finding], suppressions: &[Suppression], ids: &PartyIds<'_>, as_of: Time) {
    for finding in found {
        let mut in_force = suppressions.iter().filter(|suppression| suppression.is_in_force(as_of));
        finding.suppressed = in_force.find(|suppression| suppression.is_about(finding, ids)).map(Suppression::mark);
    }
}

/// What became of one suppression; for `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionOutcome {
    /// The name of its file, without the folder.
    pub file: String,
    /// Where it begins there, from 1.
    pub line: usize,
    /// The finding's code.
    pub code: String,
    /// Who answers for it.
    pub owner: String,
    /// `in_force`, or `expired` by `as_of`.
    pub state: String,
    /// The first day on which it no longer hides.
    pub expires: Option<String>,
    /// Findings that it is about; 0 for one that matches nothing.
    pub findings: u64,
}

/// What became of each suppression, in the order of the file.
#[must_use]
pub fn outcomes(
    suppressions: &[Suppression],
    found: &[Finding],
    parties: &[PartyReport],
    as_of: Time,
) -> Vec<SuppressionOutcome> {
    let ids = PartyIds::of(parties);
    let outcome = |suppression: &Suppression| SuppressionOutcome {
        file: suppression.origin.file.clone(),
        line: suppression.origin.line,
        code: suppression.code.clone(),
        owner: suppression.owner.clone(),
        state: if suppression.is_in_force(as_of) { "in_force" } else { "expired" }.to_owned(),
        expires: suppression.expires.map(|day| day.to_string()),
        findings: found.iter().filter(|finding| suppression.is_about(finding, &ids)).count() as u64,
    };
    suppressions.iter().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;
    use serde_json::Value;

    fn finding(code: &str, subject: &str, party: Option<&str>) -> Finding {
        Finding {
            id: String::new(),
            code: code.to_owned(),
            severity: "high".to_owned(),
            account_id: None,
            subject: subject.to_owned(),
            party: party.map(str::to_owned),
            title: String::new(),
            detail: String::new(),
            evidence: Value::Null,
            remediation: String::new(),
            suppressed: None,
            known: None,
        }
    }

    fn suppression(code: &str, subject: Option<&str>, party: Option<&str>) -> Suppression {
        Suppression {
            origin: Origin { file: "thirdtrail.toml".to_owned(), line: 3 },
            code: code.to_owned(),
            subject: subject.map(str::to_owned),
            party: party.map(str::to_owned),
            owner: "ops".to_owned(),
            reason: "known".to_owned(),
            expires: "2026-08-01".parse().ok(),
        }
    }

    const ROLE: &str = "arn:aws:iam::111122223333:role/Datadog";

    /// S39: a suppression is about a code with a subject, a party, or both; never about a party that it does not name.
    #[test]
    fn suppressions_are_about_what_they_name() {
        let parties = serde_json::from_value::<Vec<(String, String)>>(serde_json::json!([
            ["464622532012", "Datadog"],
            ["165736516723", "Cloudability"]
        ]));
        let parties: Vec<PartyReport> = parties.unwrap().into_iter().map(|(id, name)| party(&id, &name)).collect();
        let ids = PartyIds::of(&parties);
        let check = |subject, party, parties: Option<&str>, expected: bool| {
            let found = finding("trust-whole-account", ROLE, parties);
            let about = suppression("trust-whole-account", subject, party).is_about(&found, &ids);
            assert_eq!(about, expected, "{subject:?} {party:?} {parties:?}");
        };
        check(Some("arn:aws:iam::*:role/datadog"), None, Some("Datadog"), true);
        check(Some("Datadog"), None, Some("Datadog"), false);
        check(None, Some("Datadog"), Some("Datadog"), true);
        check(None, Some("464622532012"), Some("Datadog"), true);
        check(None, Some("Datadog"), Some("Cloudability, Datadog"), false);
        check(None, Some("*d*"), Some("Cloudability, Datadog"), true);
        check(None, Some("Datadog*"), Some("Datadog, unknown account 999988887777"), false);
        check(None, Some("Datadog"), None, false);
        check(Some("*"), Some("Cloudability"), Some("Datadog"), false);
        assert!(!suppression("trust-anyone", Some("*"), None).is_about(&finding("role-idle", ROLE, None), &ids));
        assert!(!suppression(EXPIRED, Some("*"), None).is_about(&finding(EXPIRED, ROLE, None), &ids));
    }

    fn party(id: &str, name: &str) -> PartyReport {
        PartyReport { id: id.to_owned(), kind: "vendor".to_owned(), name: name.to_owned(), ..PartyReport::default() }
    }

    /// S39: on the day of its expiry a suppression no longer hides, and what it did not hide stays unmarked.
    #[test]
    fn expired_suppressions_hide_nothing() {
        let all = [suppression("role-idle", Some("*"), None)];
        let parties = PartyIds::of(&[]);
        let mut found = [finding("role-idle", ROLE, None), finding("trust-anyone", ROLE, None)];
        mark(&mut found, &all, &parties, parse_time("2026-07-31T23:59:59Z").unwrap());
        assert_eq!(found[0].suppressed.as_ref().map(|mark| mark.by.as_str()), Some("thirdtrail.toml:3"));
        assert_eq!(found[1].suppressed, None);
        let day = parse_time("2026-08-01").unwrap();
        mark(&mut found, &all, &parties, day);
        assert_eq!(found[0].suppressed, None);
        let outcome = &outcomes(&all, &found, &[], day)[0];
        assert_eq!((outcome.state.as_str(), outcome.findings), ("expired", 1));
    }

    #[test]
    fn every_code_of_the_page_can_be_suppressed() {
        assert!(codes().count() > 20 && codes().any(|code| code == "trust-anyone"));
    }
}
