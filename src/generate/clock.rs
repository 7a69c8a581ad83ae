//! Seconds since 1970 written as the dates and times that CloudTrail writes, without a clock.

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's civil-from-days).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn two(out: &mut Vec<u8>, number: i64) {
    let digit = |value: i64| b'0' + u8::try_from(value.rem_euclid(10)).unwrap_or(0);
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}

/// Appends `2026-05-01T00:00:00Z`.
pub(crate) fn write_time(out: &mut Vec<u8>, seconds: i64) {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let rest = seconds.rem_euclid(DAY);
    two(out, year / 100);
    two(out, year % 100);
    out.push(b'-');
    two(out, month);
    out.push(b'-');
    two(out, day);
    out.push(b'T');
    two(out, rest / 3600);
    out.push(b':');
    two(out, rest / 60 % 60);
    out.push(b':');
    two(out, rest % 60);
    out.push(b'Z');
}

/// `2026-05-01T00:00:00Z`.
pub(crate) fn time_text(seconds: i64) -> String {
    let mut out = Vec::with_capacity(20);
    write_time(&mut out, seconds);
    String::from_utf8(out).unwrap_or_default()
}

/// `2026-05-01`.
pub(crate) fn date_text(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `Jul 30, 2026, 9:46:15 PM`, the form of `credentials.expiration`.
pub(crate) fn expiration_text(seconds: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"Jan");
    let rest = seconds.rem_euclid(DAY);
    let (hour, half) = (rest / 3600, if rest >= DAY / 2 { "PM" } else { "AM" });
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!("{name} {day}, {year}, {twelve}:{:02}:{:02} {half}", rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_cloudtrail_writes_them() {
        assert_eq!(time_text(1_777_593_600), "2026-05-01T00:00:00Z");
        assert_eq!(time_text(951_868_799), "2000-02-29T23:59:59Z");
        assert_eq!(date_text(20_574), "2026-05-01");
        assert_eq!(expiration_text(1_777_593_600), "May 1, 2026, 12:00:00 AM");
        assert_eq!(expiration_text(1_777_593_600 + 13 * 3600 + 65), "May 1, 2026, 1:01:05 PM");
    }
}
