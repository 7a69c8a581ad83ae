//! Grants that are grave by themselves where they reach every resource: keys, secrets, data, and IAM itself.
//!
//! Which actions count, and how much, is a table of our own; how far they reach is asked of the policies.

use std::sync::LazyLock;

use super::reach::{Answer, Powers, Reach};
use crate::aws::{AccessLevel, Action};

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
        }
    }
}

fn iam(powers: &Powers<'_>) -> Vec<Risky> {
    let writes = |level: AccessLevel| matches!(level, AccessLevel::Write | AccessLevel::PermissionsManagement);
    let harmless = |action: &Action| ROWS.iter().any(|row| row.weight.is_none() && row.action == *action);
    let counted = powers.catalog.in_service("iam").filter(|info| writes(info.level) && !harmless(&info.action));
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
