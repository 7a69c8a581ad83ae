//! Keep rules: people who answer for an action that nobody used, so that it stays until a date (S39).
//!
//! A rule changes what is proposed, never what is true: the verdict stays what the evidence says. The day that counts is
//! `as_of`, so that equal inputs give equal answers on any day.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::activity::sessions::Session;
use crate::aws::Action;
use crate::aws::window::Time;
use crate::policy::pattern::Pattern;

use super::assessment::{ActionEntry, KeepUse, RoleReport, TrustEntry};

/// One rule of a keep file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepRule {
    /// The name of its file, without the folder.
    pub file: String,
    /// Where it begins in its file, from 1.
    pub line: usize,
    /// Action patterns, at least one: `ec2:Start*`.
    pub actions: Vec<String>,
    /// A role's name or ARN, with wildcards; `None` for every role.
    pub role: Option<String>,
    /// A party's id or name; `None` for every party.
    pub vendor: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The first day on which it no longer keeps; `None` for ever.
    pub expires: Option<NaiveDate>,
}

/// A role as keep rules name it.
#[derive(Debug, Clone, Default)]
pub struct RoleNames {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Ids and names of the parties that it lets in, or that came in.
    pub parties: BTreeSet<String>,
}

impl RoleNames {
    /// The names of a role, its parties told by its trust and by its sessions.
    #[must_use]
    pub fn of(arn: &str, name: &str, trust: &[TrustEntry], sessions: &[&Session<'_>]) -> Self {
        let trusted = trust.iter().filter(|entry| entry.outside).flat_map(|entry| {
            [entry.party.clone(), entry.account_id.map(|account| account.to_string())].into_iter().flatten()
        });
        let came = sessions.iter().map(|session| &session.attributed.party).filter(|party| party.kind.is_outside());
        let came = came.flat_map(|party| [party.id.clone(), party.name.clone()]);
        Self { arn: arn.to_owned(), name: name.to_owned(), parties: trusted.chain(came).collect() }
    }
}

impl KeepRule {
    /// Whether it still keeps on the day of `as_of` (UTC): on `expires` itself it does not.
    #[must_use]
    pub fn is_in_force(&self, as_of: Time) -> bool {
        self.expires.is_none_or(|expires| as_of.date_naive() < expires)
    }

    /// Whether it is about this role. IAM tells no two roles apart by case, so case does not count.
    #[must_use]
    pub fn is_about(&self, role: &RoleNames) -> bool {
        let named = |pattern: &String| {
            let text = if pattern.starts_with("arn:") { &role.arn } else { &role.name };
            Pattern::new(pattern).matches_action(text)
        };
        let party = |vendor: &String| role.parties.iter().any(|party| party.eq_ignore_ascii_case(vendor));
        self.role.as_ref().is_none_or(named) && self.vendor.as_ref().is_none_or(party)
    }

    /// Whether it covers the action.
    #[must_use]
    pub fn covers(&self, action: &Action) -> bool {
        self.actions.iter().any(|pattern| Pattern::new(pattern).matches_action(action.as_str()))
    }
}

impl std::fmt::Display for KeepRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "keep rule of {}: {}", self.owner, self.reason)?;
        self.expires.map_or(Ok(()), |expires| write!(f, " (until {expires})"))
    }
}

/// The rules about one role.
pub struct RoleRules<'a> {
    /// Positions in the file and rules, in the order of the file.
    rules: Vec<(usize, &'a KeepRule)>,
    as_of: Time,
}

impl<'a> RoleRules<'a> {
    /// Those of `rules` that are about `role`, expired ones included.
    #[must_use]
    pub fn about(role: &RoleNames, rules: &'a [KeepRule], as_of: Time) -> Self {
        Self { rules: rules.iter().enumerate().filter(|(_, rule)| rule.is_about(role)).collect(), as_of }
    }

    /// What keeps the action, if a rule in force does: the first of the file.
    #[must_use]
    pub fn keeper(&self, action: &Action) -> Option<String> {
        let mut in_force = self.rules.iter().filter(|(_, rule)| rule.is_in_force(self.as_of));
        in_force.find(|(_, rule)| rule.covers(action)).map(|(_, rule)| rule.to_string())
    }

    /// What each rule finds among the granted actions of the role; nothing for a rule that finds none.
    #[must_use]
    pub fn uses(&self, ledger: &[ActionEntry]) -> Vec<KeepUse> {
        let use_of = |(at, rule): &(usize, &KeepRule)| {
            let covered = ledger.iter().filter(|entry| !entry.granted_by.is_empty() && rule.covers(&entry.action));
            let mut found = KeepUse { rule: *at, granted: 0, unused: Vec::new() };
            for entry in covered {
                found.granted += 1;
                found.unused.extend((entry.verdict == "unused").then(|| entry.action.clone()));
            }
            (found.granted > 0).then_some(found)
        };
        self.rules.iter().filter_map(use_of).collect()
    }
}

/// What became of one rule, over all roles; for `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepOutcome {
    /// The name of its file, without the folder.
    pub file: String,
    /// Where it begins in its file, from 1.
    pub line: usize,
    /// Who answers for it.
    pub owner: String,
    /// `in_force`, or `expired` by `as_of`.
    pub state: String,
    /// The first day on which it no longer keeps.
    pub expires: Option<String>,
    /// Roles with a granted action that it covers; 0 for a rule that matches nothing.
    pub roles: u64,
    /// Granted actions that it covers, summed over these roles.
    pub actions: u64,
    /// Of these, unused ones; they are kept while the rule is in force.
    pub unused: u64,
}

/// What became of each rule, in the order of the file.
#[must_use]
pub fn outcomes(rules: &[KeepRule], roles: &[RoleReport], as_of: Time) -> Vec<KeepOutcome> {
    let outcome = |(at, rule): (usize, &KeepRule)| {
        let uses: Vec<&KeepUse> = roles.iter().flat_map(|role| &role.keep).filter(|found| found.rule == at).collect();
        KeepOutcome {
            file: rule.file.clone(),
            line: rule.line,
            owner: rule.owner.clone(),
            state: if rule.is_in_force(as_of) { "in_force" } else { "expired" }.to_owned(),
            expires: rule.expires.map(|day| day.to_string()),
            roles: uses.len() as u64,
            actions: uses.iter().map(|found| found.granted).sum(),
            unused: uses.iter().map(|found| found.unused.len() as u64).sum(),
        }
    };
    rules.iter().enumerate().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::window::parse_time;

    fn rule(role: Option<&str>, vendor: Option<&str>, expires: Option<&str>) -> KeepRule {
        KeepRule {
            file: "keep.toml".into(),
            line: 1,
            actions: vec!["ec2:Start*".into(), "kms:decrypt".into()],
            role: role.map(str::to_owned),
            vendor: vendor.map(str::to_owned),
            owner: "ops".into(),
            reason: "restore drill".into(),
            expires: expires.map(|day| day.parse().unwrap()),
        }
    }

    fn names() -> RoleNames {
        RoleNames {
            arn: "arn:aws:iam::111122223333:role/vendors/Datadog-Main".into(),
            name: "Datadog-Main".into(),
            parties: ["464622532012".to_owned(), "Datadog".to_owned()].into(),
        }
    }

    /// S39: a rule is about a role by its name, its ARN, its party, or all roles.
    #[test]
    fn rules_name_roles_and_parties() {
        let check = |role, vendor, expected: bool| {
            assert_eq!(rule(role, vendor, None).is_about(&names()), expected, "{role:?} {vendor:?}");
        };
        check(None, None, true);
        check(Some("Datadog-Main"), None, true);
        check(Some("datadog-*"), None, true);
        check(Some("Datadog"), None, false);
        check(Some("arn:aws:iam::*:role/vendors/*"), None, true);
        check(Some("arn:aws:iam::999999999999:role/*"), None, false);
        check(None, Some("datadog"), true);
        check(None, Some("464622532012"), true);
        check(None, Some("Wiz"), false);
        check(Some("Datadog-Main"), Some("Wiz"), false);
    }

    /// S39: patterns cover actions without regard to case.
    #[test]
    fn rules_cover_actions_by_pattern() {
        let covers = |action: &str| rule(None, None, None).covers(&Action::parse(action).unwrap());
        assert!(covers("ec2:StartInstances") && covers("EC2:startinstances") && covers("kms:Decrypt"));
        assert!(!covers("ec2:StopInstances") && !covers("kms:DecryptMore"));
    }

    /// S39: the day of expiry is judged by `as_of`, and on that day the rule no longer keeps.
    #[test]
    fn a_rule_expires_on_its_day() {
        let keeps = |expires: Option<&str>, as_of: &str| {
            let rules = [rule(None, None, expires)];
            let about = RoleRules::about(&names(), &rules, parse_time(as_of).unwrap());
            about.keeper(&Action::parse("ec2:StartInstances").unwrap())
        };
        let until = "keep rule of ops: restore drill (until 2026-08-01)";
        assert_eq!(keeps(Some("2026-08-01"), "2026-07-31T23:59:59Z").as_deref(), Some(until));
        assert_eq!(keeps(Some("2026-08-01"), "2026-08-01T00:00:00Z"), None);
        assert_eq!(keeps(Some("2026-08-01"), "2026-09-01"), None);
        assert_eq!(keeps(None, "2099-01-01").as_deref(), Some("keep rule of ops: restore drill"));
    }
}
