//! What the charts of activity show of a window, and what they do not pretend to know.

use super::*;

fn day_of(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn span(first: &str, days: u64, without_data: &[&str]) -> Span {
    let without_data = without_data.iter().map(|day| day_of(day)).collect();
    Span { first: day_of(first), days, per_column: days.div_ceil(COLUMNS), without_data }
}

fn calls(day: &str, calls: u64) -> DayCalls {
    DayCalls { day: day_of(day), calls, denied: 0 }
}

/// S26: a day of which nothing is known is grey, and no day without calls.
#[test]
fn days_without_data_are_no_quiet_days() {
    let span = span("2026-06-01", 10, &["2026-06-03"]);
    assert_eq!(span.columns_without_data(), [2]);
    let drawn = by_day(&span, &[calls("2026-06-02", 5)], "Calls").unwrap().unwrap();
    assert_eq!(drawn.sentence, "Active on 1 of 10 days. 1 day has no or incomplete data: it is grey, not quiet.");
    let svg = drawn.chart.svg.to_string();
    assert_eq!(svg.matches("#ECEEF1").count(), 1, "{svg}");
    let whole = by_day(&self::span("2026-06-01", 10, &[]), &[calls("2026-06-02", 5)], "Calls").unwrap().unwrap();
    assert!(!whole.chart.svg.to_string().contains("#ECEEF1") && !whole.has_gaps);
}

/// S44: a long window has wider columns, not more; one of them has no data only when none of its days has.
#[test]
fn long_windows_share_columns() {
    let span = span("2025-01-01", 400, &["2025-01-01", "2025-01-05", "2025-01-06", "2025-01-07", "2025-01-08"]);
    assert_eq!((span.per_column, span.columns()), (4, 100));
    assert_eq!(span.columns_without_data(), [1]);
    assert_eq!(span.fold(&[calls("2025-01-02", 1), calls("2025-01-04", 2), calls("2024-12-31", 9)])[0], (3, 0));
}

#[test]
fn nothing_is_drawn_of_nothing() {
    let span = span("2026-06-01", 10, &[]);
    assert!(by_day(&span, &[], "Calls").unwrap().is_none());
    assert!(by_action(&span, &[]).unwrap().is_none());
}

#[test]
fn the_most_used_actions_are_drawn() {
    let actions: Vec<ActionDays> = (0..30)
        .map(|at| ActionDays { action: format!("s3:A{at:02}"), days: vec![calls("2026-06-02", at + 1)] })
        .collect();
    let drawn = by_action(&span("2026-06-01", 10, &[]), &actions).unwrap().unwrap();
    assert_eq!((drawn.rows.len(), drawn.left_out), (ACTIONS_DRAWN, 30 - ACTIONS_DRAWN as u64));
    assert_eq!(drawn.rows[0], ["s3:A29", "30", "1", "2026-06-02", "2026-06-02"]);
}

#[test]
fn names_of_months_do_not_run_into_each_other() {
    let marks =
        |first: &str, days: u64| span(first, days, &[]).marks().into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(marks("2026-04-30", 93), ["May 2026", "Jun 2026", "Jul 2026"]);
    assert_eq!(marks("2026-05-05", 10), ["5 May 2026"]);
    assert_eq!(marks("2025-01-01", 365), ["Jan 2025", "Apr 2025", "Jul 2025", "Oct 2025"]);
}
