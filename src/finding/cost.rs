//! Calls that cost us money, call by call or by what each asks for: a vendor's polling is on our bill.
//!
//! Only whether a call is charged, never how much: prices differ by Region and change. Source: the pricing pages of the
//! services named in `data/own/charged.tsv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../data/own/charged.tsv");

/// What a call of an API is charged by; `None` when it is free, or when CloudTrail's records could not show the calls.
#[must_use]
pub(super) fn charged_by(source: &str, name: &str) -> Option<&'static str> {
    static UNITS: LazyLock<BTreeMap<(&str, &str), &str>> = LazyLock::new(|| {
        let rows = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let columns = rows.filter_map(|line| {
            let mut columns = line.split('\t');
            Some(((columns.next()?, columns.next()?), columns.next()?))
        });
        columns.collect()
    });
    UNITS.get(&(source, name)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charged_calls_are_told_from_free_ones() {
        assert_eq!(charged_by("ce", "GetCostAndUsage"), Some("request"));
        assert_eq!(charged_by("monitoring", "GetMetricData"), Some("metric"));
        assert_eq!(charged_by("ec2", "DescribeInstances"), None);
    }

    #[test]
    fn every_row_of_the_table_has_three_columns_and_its_place() {
        let rows: Vec<Vec<&str>> = TABLE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.split('\t').collect())
            .collect();
        assert!(rows.iter().all(|row| row.len() == 3 && row.iter().all(|cell| !cell.trim().is_empty())));
        assert!(rows.is_sorted_by(|a, b| a < b), "data/own/charged.tsv must be sorted and without duplicates");
    }
}
