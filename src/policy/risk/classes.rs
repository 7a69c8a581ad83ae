//! Grants that are grave by themselves where they reach every resource: keys, secrets, data, and IAM itself.
//!
//! Which actions count, and how much, is a table of our own; how far they reach is asked of the policies.

use std::sync::LazyLock;

use super::reach::{Answer, Powers, Reach};
use crate::aws::{AccessLevel, Action};
use crate::policy::catalog::ActionInfo;
use crate::policy::danger::{Danger, is_reading};

const TABLE: &str = include_str!("../../../data/own/risk.tsv");

/// What is at stake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Users, roles, policies.
    Iam,
    /// Encryption keys.
    Keys,
    /// Secrets and credentials.
    Secrets,
    /// The contents that people store.
    Data,
}

/// How grave a grant on every resource is by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Weight {
    /// Worth knowing.
    Low,
    /// Worth acting on.
    Medium,
    /// Worth acting on first.
    High,
}

/// One action of a class that reaches every resource, or may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Risky {
    /// The action.
    pub action: Action,
    /// How far it reaches.
    pub answer: Answer,
    /// How grave that is.
    pub weight: Weight,
}

/// The risky actions of each class.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Classes {
    /// [`Class::Iam`].
    pub iam: Vec<Risky>,
    /// [`Class::Keys`].
    pub keys: Vec<Risky>,
    /// [`Class::Secrets`].
    pub secrets: Vec<Risky>,
    /// [`Class::Data`].
    pub data: Vec<Risky>,
    /// Writing actions of no class that could be limited to some resources and are not.
    pub writes: Vec<Risky>,
}

struct Row {
    class: Class,
    /// `None` for an action that does not count.
    weight: Option<Weight>,
    action: Action,
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect());

fn row(line: &str) -> Option<Row> {
    let mut cells = line.split('\t');
    let class = match cells.next()? {
        "iam" => Class::Iam,
        "keys" => Class::Keys,
        "secrets" => Class::Secrets,
        "data" => Class::Data,
        _ => return None,
    };
    let weight = match cells.next()? {
        "none" => None,
        "low" => Some(Weight::Low),
        "medium" => Some(Weight::Medium),
        "high" => Some(Weight::High),
        _ => return None,
    };
    Some(Row { class, weight, action: Action::parse(cells.next()?)? })
}

impl Classes {
    /// Asks about IAM alone.
    #[must_use]
    pub fn of_iam(powers: &Powers<'_>) -> Self {
        Self { iam: iam(powers), ..Self::default() }
    }

    /// Asks about every action that counts.
    #[must_use]
    pub fn of(powers: &Powers<'_>) -> Self {
        let of_table = |class: Class| {
            let rows = ROWS.iter().filter(move |row| row.class == class);
            rows.filter_map(|row| risky(powers, &row.action, row.weight?)).collect()
        };
        Self {
            iam: iam(powers),
            keys: of_table(Class::Keys),
            secrets: of_table(Class::Secrets),
            data: of_table(Class::Data),
            writes: writes(powers),
        }
    }
}

/// Whether an action changes something.
pub(super) fn is_write(info: &ActionInfo) -> bool {
    matches!(info.level, AccessLevel::Write | AccessLevel::PermissionsManagement) && !is_reading(info.action.name())
}

fn writes(powers: &Powers<'_>) -> Vec<Risky> {
    let mut found = Vec::new();
    for grant in &powers.granted.grants {
        let Some(info) = powers.catalog.get(&grant.action) else { continue };
        let in_class = grant.action.service() == "iam" || ROWS.iter().any(|row| row.action == grant.action);
        if !is_write(info) || info.resource_types.is_empty() || in_class {
            continue;
        }
        let brief = powers.brief_reach_of(grant).reach;
        let plain = powers.catalog.danger(&grant.action).is_none_or(|danger| danger == Danger::Write);
        // A plain write that may only be possible is not worth a word.
        if brief == Reach::Every || brief == Reach::MayEvery && !plain {
            let weight = if plain { Weight::Low } else { Weight::Medium };
            found.push(Risky { action: grant.action.clone(), answer: powers.reach_of(grant), weight });
        }
    }
    found
}

fn iam(powers: &Powers<'_>) -> Vec<Risky> {
    let harmless = |action: &Action| ROWS.iter().any(|row| row.weight.is_none() && row.action == *action);
    let counted = powers.catalog.in_service("iam").filter(|info| is_write(info) && !harmless(&info.action));
    counted.filter_map(|info| risky(powers, &info.action, Weight::Medium)).collect()
}

fn risky(powers: &Powers<'_>, action: &Action, weight: Weight) -> Option<Risky> {
    let answer = powers.reach(action);
    let action = powers.grant(action)?.action.clone();
    (answer.reach >= Reach::MayEvery).then_some(Risky { action, answer, weight })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Catalog;

    #[test]
    fn every_row_is_read_and_names_a_known_action() {
        assert_eq!(ROWS.len(), TABLE.lines().filter(|line| !line.starts_with('#')).count());
        for row in ROWS.iter() {
            assert!(Catalog::builtin().get(&row.action).is_some(), "{} is not known", row.action);
        }
    }
}
