//! Uses by action and day as a map of shades; grey columns where nothing is known, empty ones where nothing was used.

use plotters::style::text_anchor::HPos;

use super::super::timeline::Span;
use super::super::words::count;
use super::{Area, Chart, DrawError, WIDTH, draw, paint, rect, short, text};

/// Height of an action's row.
const ROW: i32 = 20;
/// Where the cells begin, and the room for the names of months above them.
const PLOT: (i32, i32) = (270, 22);

/// Draws one row for each action: its name, and its uses in each column of the span. Nothing for no row.
pub(in super::super) fn heat(span: &Span, rows: &[(String, Vec<u64>)]) -> Result<Option<Chart>, DrawError> {
    let most = rows.iter().flat_map(|(_, uses)| uses).copied().max().unwrap_or_default();
    if most == 0 {
        return Ok(None);
    }
    let height = PLOT.1.unsigned_abs() + u32::try_from(rows.len()).unwrap_or_default() * ROW.unsigned_abs() + 4;
    let label = format!(
        "Uses by day of {}, from {} to {}; the darkest shade stands for {}.",
        count(rows.len() as u64, "action"),
        span.first,
        span.last(),
        count(most, "use"),
    );
    draw(height, label, |area| {
        let width = cell(span.columns());
        let full = i32::try_from(rows.len()).unwrap_or_default() * ROW;
        for at in span.columns_without_data() {
            let x = PLOT.0 + i32::try_from(at).unwrap_or_default() * width;
            rect(area, (x, PLOT.1), (width, full), paint::NO_DATA)?;
        }
        for (at, name) in span.marks() {
            let x = PLOT.0 + i32::try_from(at).unwrap_or_default() * width;
            rect(area, (x, 4), (1, PLOT.1 - 4), paint::GRID)?;
            text(area, (x + 4, 10), HPos::Left, &name)?;
        }
        rows.iter().zip(0..).try_for_each(|((name, uses), at)| row(area, name, uses, PLOT.1 + at * ROW, width, most))
    })
    .map(Some)
}

fn row(area: &Area<'_>, name: &str, uses: &[u64], y: i32, width: i32, most: u64) -> Result<(), DrawError> {
    rect(area, (PLOT.0, y + ROW - 1), (i32::try_from(uses.len()).unwrap_or_default() * width, 1), paint::GRID)?;
    text(area, (PLOT.0 - 10, y + ROW / 2), HPos::Right, &short(name, 38))?;
    // Columns of one shade in a row are one piece: pages are many, and steady callers call every day.
    let mut at = 0;
    for same in uses.chunk_by(|a, b| shade(*a, most) == shade(*b, most)) {
        let columns = i32::try_from(same.len()).unwrap_or_default();
        if let Some(color) = same.first().and_then(|uses| shade(*uses, most)) {
            rect(area, (PLOT.0 + at * width, y + 2), (columns * width, ROW - 4), color)?;
        }
        at += columns;
    }
    Ok(())
}

/// The shade for so many uses: each is for several times as many as the one before, because uses differ by orders.
fn shade(uses: u64, most: u64) -> Option<plotters::style::RGBColor> {
    if uses == 0 {
        return None;
    }
    let part = (uses as f64).ln_1p() / (most as f64).ln_1p();
    let level = (part * paint::HEAT.len() as f64).ceil() as usize;
    paint::HEAT.get(level.saturating_sub(1)).or(paint::HEAT.last()).copied()
}

fn cell(columns: usize) -> i32 {
    let room = i32::try_from(WIDTH).unwrap_or_default() - PLOT.0 - 8;
    (room / i32::try_from(columns).unwrap_or(1).max(1)).clamp(1, 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_uses_are_never_lighter() {
        assert_eq!(shade(0, 10), None);
        let level = |uses| paint::HEAT.iter().position(|color| Some(*color) == shade(uses, 1_000));
        let levels: Vec<Option<usize>> = [1, 3, 20, 200, 1_000].map(level).into();
        assert!(
            levels.is_sorted() && levels.first() == Some(&Some(0)) && levels.last() == Some(&Some(4)),
            "{levels:?}"
        );
    }
}
