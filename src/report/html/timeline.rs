//! Activity over time: the days of the window as columns, what was called on each, and of which days nothing is known.
//!
//! A day without an object in any Region of an account, or with one that could not be read, is a hole (S26): it is shown as
//! a day without data, because nobody knows what happened on it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use crate::aws::AccountId;
use crate::finding::assessment::{ActionDays, Assessment, DayCalls};

use super::charts::{self, Chart, DrawError};
use super::words::{count, day, len, number};

/// Columns of a chart; more days than that share them.
const COLUMNS: u64 = 100;
/// Actions in a heat map; the ledger has all.
pub(super) const ACTIONS_DRAWN: usize = 24;

/// The days of a window in the columns of a chart.
pub(super) struct Span {
    /// The first day.
    pub(super) first: NaiveDate,
    days: u64,
    /// Days in one column.
    pub(super) per_column: u64,
    without_data: BTreeSet<NaiveDate>,
}

impl Span {
    /// The window of the report, with the days that are holes in one of these accounts, or in any where none is named. Of an
    /// account without records no day is known.
    pub(super) fn of(assessment: &Assessment, accounts: &BTreeSet<AccountId>) -> Self {
        let window = assessment.window;
        let first = window.since.date_naive();
        let last = (window.until - chrono::TimeDelta::seconds(1)).date_naive();
        let days = u64::try_from((last - first).num_days() + 1).unwrap_or(1).max(1);
        let read = &assessment.coverage.accounts;
        let concerned = read.iter().filter(|one| accounts.is_empty() || accounts.contains(&one.account_id));
        let mut without_data: BTreeSet<NaiveDate> =
            concerned.flat_map(|account| account.hole_days()).filter_map(|day| day.parse().ok()).collect();
        if accounts.iter().any(|account| !read.iter().any(|one| one.account_id == *account)) {
            without_data.extend(first.iter_days().take_while(|day| *day <= last));
        }
        Self { first, days, per_column: days.div_ceil(COLUMNS), without_data }
    }

    /// The last day.
    pub(super) fn last(&self) -> NaiveDate {
        self.first.checked_add_days(Days::new(self.days - 1)).unwrap_or(self.first)
    }

    /// How many columns there are.
    pub(super) fn columns(&self) -> usize {
        usize::try_from(self.days.div_ceil(self.per_column)).unwrap_or_default()
    }

    /// Days without data.
    pub(super) fn gaps(&self) -> usize {
        self.without_data.len()
    }

    /// The columns of which no day has data.
    pub(super) fn columns_without_data(&self) -> Vec<usize> {
        let has_none = |column: &usize| {
            let start = *column as u64 * self.per_column;
            let days = start..(start + self.per_column).min(self.days);
            days.filter_map(|at| self.first.checked_add_days(Days::new(at))).all(|day| self.without_data.contains(&day))
        };
        (0..self.columns()).filter(has_none).collect()
    }

    /// The column of a day.
    fn column(&self, day: NaiveDate) -> Option<usize> {
        let at = u64::try_from((day - self.first).num_days()).ok().filter(|at| *at < self.days)?;
        usize::try_from(at / self.per_column).ok()
    }

    /// The columns in which a month begins, with its name; every third or sixth month of a long window.
    pub(super) fn marks(&self) -> Vec<(usize, String)> {
        let months = self.days / 30;
        let every = if months > 24 {
            6
        } else if months > 9 {
            3
        } else {
            1
        };
        let mut marks = Vec::new();
        for at in 0..self.days {
            let Some(day) = self.first.checked_add_days(Days::new(at)) else { break };
            let begins = day.day() == 1 && day.month0().is_multiple_of(every);
            let near_start = at == 0 && (self.days < 60 || day.day() < 20);
            if let (true, Some(column)) = (begins || near_start, self.column(day)) {
                let format = if day.day() == 1 { "%b %Y" } else { "%-d %b %Y" };
                marks.push((column, day.format(format).to_string()));
            }
        }
        // Names must not run into each other: a short window begins close to a month.
        let room = self.columns() / 10;
        marks.dedup_by(|later, earlier| later.0 - earlier.0 < room);
        marks
    }

    /// Calls and denied calls by column.
    fn fold(&self, days: &[DayCalls]) -> Vec<(u64, u64)> {
        let mut columns = vec![(0, 0); self.columns()];
        for one in days {
            if let Some(column) = self.column(one.day).and_then(|at| columns.get_mut(at)) {
                column.0 += one.calls;
                column.1 += one.denied;
            }
        }
        columns
    }
}

/// The uses of all actions by day; a call that needs two actions uses both.
pub(super) fn summed(actions: &[ActionDays]) -> Vec<DayCalls> {
    let mut days: BTreeMap<NaiveDate, DayCalls> = BTreeMap::new();
    for one in actions.iter().flat_map(|action| &action.days) {
        let sum = days.entry(one.day).or_insert(DayCalls { calls: 0, denied: 0, ..*one });
        sum.calls += one.calls;
        sum.denied += one.denied;
    }
    days.into_values().collect()
}

/// Calls by day, drawn and as a table.
pub(super) struct ByDay {
    pub(super) chart: Chart,
    /// The busiest days: day, calls, denied.
    pub(super) busiest: Vec<[String; 3]>,
    pub(super) sentence: String,
    pub(super) has_denied: bool,
    pub(super) has_gaps: bool,
}

/// Uses by action and day, drawn and as a table.
pub(super) struct ByAction {
    pub(super) chart: Chart,
    /// Action, uses, days with any, first, last.
    pub(super) rows: Vec<[String; 5]>,
    pub(super) left_out: u64,
    pub(super) has_gaps: bool,
}

/// Busiest days listed.
const DAYS_LISTED: usize = 15;

/// Draws calls by day; nothing where there was none.
pub(super) fn by_day(span: &Span, days: &[DayCalls], what: &str) -> Result<Option<ByDay>, DrawError> {
    let columns = span.fold(days);
    let Some(chart) = charts::days(span, &columns, what)? else { return Ok(None) };
    let mut busiest: Vec<&DayCalls> = days.iter().filter(|one| one.calls > 0).collect();
    let active = busiest.len();
    busiest.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.day.cmp(&b.day)));
    Ok(Some(ByDay {
        chart,
        busiest: busiest
            .into_iter()
            .take(DAYS_LISTED)
            .map(|one| [one.day.to_string(), number(one.calls), number(one.denied)])
            .collect(),
        sentence: sentence(span, active),
        has_denied: columns.iter().any(|(_, denied)| *denied > 0),
        has_gaps: span.gaps() > 0,
    }))
}

fn sentence(span: &Span, active: usize) -> String {
    let column = match span.per_column {
        1 => String::new(),
        days => format!(" Each column stands for {days} days."),
    };
    let gaps = match span.gaps() {
        0 => String::new(),
        1 => " 1 day has no or incomplete data: it is grey, not quiet.".to_owned(),
        gaps => format!(" {gaps} days have no or incomplete data: they are grey, not quiet."),
    };
    format!("Active on {active} of {}.{column}{gaps}", count(span.days, "day"))
}

/// Draws uses by action and day, of the actions with the most uses; nothing where there was none.
pub(super) fn by_action(span: &Span, actions: &[ActionDays]) -> Result<Option<ByAction>, DrawError> {
    let total = |one: &ActionDays| one.days.iter().map(|day| day.calls).sum::<u64>();
    let mut order: Vec<&ActionDays> = actions.iter().filter(|one| total(one) > 0).collect();
    order.sort_by(|a, b| total(b).cmp(&total(a)).then_with(|| a.action.cmp(&b.action)));
    let left_out = len(&order).saturating_sub(ACTIONS_DRAWN as u64);
    order.truncate(ACTIONS_DRAWN);
    let calls = |one: &ActionDays| span.fold(&one.days).into_iter().map(|(calls, _)| calls).collect::<Vec<u64>>();
    let drawn: Vec<(String, Vec<u64>)> = order.iter().map(|one| (one.action.clone(), calls(one))).collect();
    let Some(chart) = charts::heat(span, &drawn)? else { return Ok(None) };
    let rows = order.iter().map(|one| {
        let edge = |day: Option<&DayCalls>| day.map(|one| one.day.to_string()).unwrap_or_default();
        [one.action.clone(), number(total(one)), number(len(&one.days)), edge(one.days.first()), edge(one.days.last())]
    });
    Ok(Some(ByAction { chart, rows: rows.collect(), left_out, has_gaps: span.gaps() > 0 }))
}

/// `2026-05-01 to 2026-07-31`, both inside.
pub(super) fn window_words(assessment: &Assessment) -> String {
    let last = assessment.window.until - chrono::TimeDelta::seconds(1);
    format!("{} to {}", day(assessment.window.since), day(last))
}

/// Days that the window touches.
pub(super) fn window_days(assessment: &Assessment) -> u64 {
    Span::of(assessment, &BTreeSet::new()).days
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
