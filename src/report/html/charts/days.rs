//! Calls by day as bars; a day of which nothing is known has a grey column, never a bar of no height.

use plotters::style::text_anchor::HPos;

use super::super::timeline::Span;
use super::super::words::{count, number};
use super::{Area, Chart, DrawError, WIDTH, draw, paint, rect, scaled, text};

/// Where the plot lies: left edge, top, height.
const PLOT: (i32, i32, i32) = (64, 12, 150);
/// Height of the whole.
const HEIGHT: u32 = 196;

/// Draws the calls and the denied ones among them, one pair for each column of the span; nothing where there was no call.
pub(in super::super) fn days(span: &Span, calls: &[(u64, u64)], what: &str) -> Result<Option<Chart>, DrawError> {
    let most = calls.iter().map(|(calls, _)| *calls).max().unwrap_or_default();
    if most == 0 {
        return Ok(None);
    }
    let top = rounded(most);
    let total: u64 = calls.iter().map(|(calls, _)| calls).sum();
    let label = format!(
        "{} by day from {} to {}: {} in all, at most {} in a {}; {} without data.",
        what,
        span.first,
        span.last(),
        number(total),
        number(most),
        if span.per_column == 1 { "day".to_owned() } else { format!("span of {} days", span.per_column) },
        count(span.gaps() as u64, "day"),
    );
    draw(HEIGHT, label, |area| {
        let width = cell(span.columns());
        frame(area, span, width, top)?;
        for (at, (calls, denied)) in (0..).zip(calls) {
            bar(area, PLOT.0 + at * width, width, scaled(*calls, top, PLOT.2), scaled(*denied, top, PLOT.2))?;
        }
        Ok(())
    })
    .map(Some)
}

fn bar(area: &Area<'_>, x: i32, width: i32, height: i32, denied: i32) -> Result<(), DrawError> {
    let floor = PLOT.1 + PLOT.2;
    let gap = i32::from(width > 3);
    if height > 0 {
        rect(area, (x, floor - height), (width - gap, height), paint::USED)?;
    }
    if denied > 0 {
        rect(area, (x, floor - denied), (width - gap, denied), paint::DANGER)?;
    }
    Ok(())
}

/// Lines for the amounts, names for the months, and grey where nothing is known.
fn frame(area: &Area<'_>, span: &Span, width: i32, top: u64) -> Result<(), DrawError> {
    let columns = i32::try_from(span.columns()).unwrap_or_default();
    for at in span.columns_without_data() {
        let at = i32::try_from(at).unwrap_or_default();
        rect(area, (PLOT.0 + at * width, PLOT.1), (width, PLOT.2), paint::NO_DATA)?;
    }
    for part in 0..=2 {
        let y = PLOT.1 + PLOT.2 - PLOT.2 * part / 2;
        rect(area, (PLOT.0, y), (columns * width, 1), paint::GRID)?;
        let amount = top / 2 * u64::from(part.unsigned_abs());
        text(area, (PLOT.0 - 8, y), HPos::Right, &number(amount))?;
    }
    for (at, name) in span.marks() {
        let x = PLOT.0 + i32::try_from(at).unwrap_or_default() * width;
        rect(area, (x, PLOT.1 + PLOT.2), (1, 6), paint::GRID)?;
        text(area, (x + 4, PLOT.1 + PLOT.2 + 16), HPos::Left, &name)?;
    }
    Ok(())
}

/// Pixels of one column, so that all of them fill the plot and each begins at a whole pixel.
fn cell(columns: usize) -> i32 {
    let room = i32::try_from(WIDTH).unwrap_or_default() - PLOT.0 - 8;
    (room / i32::try_from(columns).unwrap_or(1).max(1)).clamp(1, 40)
}

/// The next even number of one or two digits and noughts.
fn rounded(most: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for factor in [2, 4, 6, 8, 10] {
            let candidate = step.saturating_mul(factor);
            if candidate >= most {
                return candidate;
            }
        }
        step = step.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn the_top_of_the_scale_can_be_halved() {
        for (most, top) in [(1, 2), (2, 2), (3, 4), (7, 8), (11, 20), (57, 60), (999, 1_000), (u64::MAX, u64::MAX)] {
            assert_eq!(rounded(most), top);
        }
    }
}
