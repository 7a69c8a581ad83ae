//! The tables behind the action map, decoded once: special events, source renames, verbs, overrides.
//!
//! They are facts, written as lines of text under `data/`; the rules that use them are in `action_map`. A row that
//! cannot be read is left out; a test counts them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::aws::Action;
use crate::cloudtrail::parameters::Hints;

use super::action_map::Certainty;

const EVENTS: &str = include_str!("../../data/own/events.tsv");
const NO_IAM: &str = include_str!("../../data/own/no_iam.tsv");
const SOURCES: &str = include_str!("../../data/own/sources.tsv");
const API_GATEWAY: &str = include_str!("../../data/apigateway.tsv");
const OPERATIONS: &str = include_str!("../../data/operations.tsv");

/// A source or prefix, and an event name.
type Call = (&'static str, &'static str);

/// One action of a special event, and the hint that decides whether it is needed.
#[derive(Clone, Debug)]
pub(super) struct SpecialRow {
    when: When,
    pub(super) certainty: Certainty,
    pub(super) action: Action,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Always,
    Set(Hints),
    NotSet(Hints),
}

impl SpecialRow {
    pub(super) fn applies(&self, hints: Hints) -> bool {
        match self.when {
            When::Always => true,
            When::Set(flag) => hints.contains(flag),
            When::NotSet(flag) => !hints.contains(flag),
        }
    }
}

/// All tables.
#[derive(Debug)]
pub(super) struct Tables {
    /// Event source and name to rows.
    pub(super) special: HashMap<Call, Vec<SpecialRow>>,
    /// Event source and name (or `*`) of events that use no permission.
    pub(super) no_iam: HashSet<Call>,
    /// Event source to the IAM prefixes it can stand for, most likely first.
    pub(super) sources: HashMap<&'static str, Vec<&'static str>>,
    /// API Gateway event to its verbs.
    pub(super) api_gateway: HashMap<&'static str, Vec<Action>>,
    /// IAM prefix and event name to actions beside the one of the same name.
    pub(super) operations: HashMap<Call, Vec<Action>>,
}

impl Tables {
    /// Every action that a table names.
    pub(super) fn actions(&self) -> impl Iterator<Item = &Action> {
        let special = self.special.values().flatten().map(|row| &row.action);
        special.chain(self.api_gateway.values().flatten()).chain(self.operations.values().flatten())
    }
}

/// The tables that are built into the program.
pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    special: special(),
    no_iam: rows(NO_IAM).filter_map(|[source, event, ..]| Some((source?, event?))).collect(),
    sources: rows(SOURCES)
        .filter_map(|[source, prefixes, ..]| Some((source?, prefixes?.split(',').collect())))
        .collect(),
    api_gateway: rows(API_GATEWAY).filter_map(|[event, actions, ..]| Some((event?, actions_of(actions?)))).collect(),
    operations: rows(OPERATIONS)
        .filter_map(|[prefix, event, actions, ..]| Some(((prefix?, event?), actions_of(actions?))))
        .collect(),
});

fn special() -> HashMap<Call, Vec<SpecialRow>> {
    let mut special: HashMap<Call, Vec<SpecialRow>> = HashMap::new();
    for [source, event, when, certainty, action] in rows(EVENTS) {
        if let (Some(source), Some(event), Some(row)) = (source, event, special_row(when, certainty, action)) {
            special.entry((source, event)).or_default().push(row);
        }
    }
    special
}

fn special_row(when: Option<&str>, certainty: Option<&str>, action: Option<&str>) -> Option<SpecialRow> {
    let when = match when? {
        "-" => When::Always,
        flag => match flag.strip_prefix('!') {
            Some(flag) => When::NotSet(Hints::named(flag)?),
            None => When::Set(Hints::named(flag)?),
        },
    };
    let certainty = match certainty? {
        "primary" => Certainty::Primary,
        "also" => Certainty::Also,
        "maybe" => Certainty::Maybe,
        _ => return None,
    };
    Some(SpecialRow { when, certainty, action: Action::parse(action?)? })
}

fn actions_of(cell: &str) -> Vec<Action> {
    cell.split(',').filter_map(Action::parse).collect()
}

/// The lines of a table without its comments, cut into five cells of which the last may be missing.
fn rows(table: &'static str) -> impl Iterator<Item = [Option<&'static str>; 5]> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut cells = line.split('\t');
        std::array::from_fn(|_| cells.next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let lines = |table| rows(table).count();
        assert_eq!(TABLES.special.values().map(Vec::len).sum::<usize>(), lines(EVENTS));
        assert_eq!(TABLES.no_iam.len(), lines(NO_IAM));
        assert_eq!(TABLES.sources.len(), lines(SOURCES));
        assert_eq!(TABLES.api_gateway.len(), lines(API_GATEWAY));
        assert_eq!(TABLES.operations.len(), lines(OPERATIONS));
        assert!(TABLES.api_gateway.values().all(|verbs| !verbs.is_empty()));
    }
}
