//! The catalog that is built into the program, decoded once from the tables under `data/`.
//!
//! The tables are lines of text so that a rebuild shows as a readable diff. A line that cannot be read is left out
//! rather than fatal; a test counts them.

use std::sync::LazyLock;

use super::catalog::{ActionInfo, Catalog, Observability, ResourceType};
use crate::aws::{AccessLevel, Action};

const ACTIONS: &str = include_str!("../../data/actions.tsv");
const RESOURCES: &str = include_str!("../../data/resources.tsv");
const DATA_EVENTS: &str = include_str!("../../data/own/data_events.tsv");

static BUILTIN: LazyLock<Catalog> = LazyLock::new(decode);

impl Catalog {
    /// Every action that AWS publishes, as of the build of the tables.
    ///
    /// The first call decodes them: about 15 ms in an optimised build, once.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }
}

fn decode() -> Catalog {
    let mut catalog = Catalog::from_actions(rows(ACTIONS).filter_map(action_of_row));
    catalog.templates = rows(RESOURCES).filter_map(|row| row.split_once('\t')).collect();
    catalog.data_event_types = rows(DATA_EVENTS)
        .filter_map(|row| {
            let mut cells = row.split('\t');
            let action = Action::parse(cells.next()?)?;
            Some((action, cells.next()?.split(',').collect()))
        })
        .collect();
    catalog
}

/// The lines of a table without its comments.
fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Reads `action, level, flags, resource types, dependents`; the last two may be missing.
fn action_of_row(row: &str) -> Option<ActionInfo> {
    let mut cells = row.split('\t');
    let action = Action::parse(cells.next()?)?;
    let level = level_of(cells.next()?)?;
    let observability = observability_of(cells.next()?);
    let resource_types = items(cells.next()).map(resource_type).collect();
    let dependents = items(cells.next()).filter_map(Action::parse).collect();
    Some(ActionInfo { action, level, resource_types, dependents, observability })
}

fn items(cell: Option<&str>) -> impl Iterator<Item = &str> {
    cell.unwrap_or("").split(',').filter(|item| !item.is_empty())
}

fn resource_type(text: &str) -> ResourceType {
    let (required, name) = text.strip_prefix('*').map_or((false, text), |name| (true, name));
    ResourceType { name: name.into(), required }
}

fn level_of(letter: &str) -> Option<AccessLevel> {
    match letter {
        "l" => Some(AccessLevel::List),
        "r" => Some(AccessLevel::Read),
        "w" => Some(AccessLevel::Write),
        "t" => Some(AccessLevel::Tagging),
        "p" => Some(AccessLevel::PermissionsManagement),
        _ => None,
    }
}

/// The class of an action's flags: data events and permissions without an API first, because some of both carry the
/// Access Analyzer flag all the same.
fn observability_of(flags: &str) -> Observability {
    [
        ('D', Observability::Data),
        ('P', Observability::PermissionOnly),
        ('A', Observability::ManagementConfirmed),
        ('S', Observability::ManagementSeen),
    ]
    .into_iter()
    .find(|(letter, _)| flags.contains(*letter))
    .map_or(Observability::Unknown, |(_, class)| class)
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
