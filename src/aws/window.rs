//! A half-open span of time in UTC, and the days it touches.

use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};

/// A point in time, UTC.
pub type Time = DateTime<Utc>;

/// `since <= t < until`, UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// First moment inside.
    pub since: Time,
    /// First moment after.
    pub until: Time,
}

impl Window {
    /// A window, unless it would be empty or turned around.
    #[must_use]
    pub fn new(since: Time, until: Time) -> Option<Self> {
        (since < until).then_some(Self { since, until })
    }

    /// Whether `time` lies inside.
    #[must_use]
    pub fn contains(&self, time: Time) -> bool {
        self.since <= time && time < self.until
    }

    /// Every day any part of which lies inside, in order.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let end = self.until;
        std::iter::successors(Some(self.since.date_naive()), |day| day.checked_add_days(Days::new(1)))
            .take_while(move |day| midnight(*day) < end)
    }

    /// Length in whole days, rounded down.
    #[must_use]
    pub fn whole_days(&self) -> i64 {
        (self.until - self.since).num_days()
    }
}

/// The first moment of a day.
#[must_use]
pub fn midnight(day: NaiveDate) -> Time {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// RFC 3339 with whole seconds and `Z`, the only form of time in any output.
#[must_use]
pub fn rfc3339(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Reads an RFC 3339 time, or a date as its first moment in UTC.
#[must_use]
pub fn parse_time(text: &str) -> Option<Time> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(midnight(day));
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_is_half_open_and_lists_each_day_it_touches() {
        let window =
            Window::new(parse_time("2026-05-01T06:00:00Z").unwrap(), parse_time("2026-05-03").unwrap()).unwrap();
        assert!(window.contains(parse_time("2026-05-01T06:00:00Z").unwrap()));
        assert!(!window.contains(parse_time("2026-05-03").unwrap()));
        let days: Vec<String> = window.days().map(|day| day.to_string()).collect();
        assert_eq!(days, ["2026-05-01", "2026-05-02"]);
    }

    #[test]
    fn turned_around_or_empty_windows_do_not_exist() {
        let day = parse_time("2026-05-01").unwrap();
        assert_eq!(Window::new(day, day), None);
        assert_eq!(parse_time("yesterday"), None);
        assert_eq!(rfc3339(parse_time("2026-05-01T02:00:00+02:00").unwrap()), "2026-05-01T00:00:00Z");
    }
}
