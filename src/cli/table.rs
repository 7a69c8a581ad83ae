//! Tables for people: as wide as their texts, on a terminal never wider than it.
//!
//! Where room is short, long cells are cut, and columns that would be cut to nothing useful are left out, the last ones
//! first. Elsewhere nothing is cut or left out: a file or a program downstream gets every text whole. Strangers' texts go
//! through [`plain`] here, before they are measured.

use console::{Alignment, measure_text_width, pad_str};

use super::ink::Ink;
use super::terminal::{line, plain, width};

/// Between two columns.
const GAP: usize = 2;
/// Most columns of the terminal that a cell is padded to where nothing is cut: one long name must not push all others away.
const PADDED: usize = 48;
/// Characters for each column of the terminal that a cut cell may have: marks that combine take no room of their own.
const CROWD: usize = 4;

/// A column: what it is called, and how little of it is still of use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    head: &'static str,
    alignment: Alignment,
    least: usize,
}

impl Column {
    /// Of texts.
    pub(super) const fn text(head: &'static str, least: usize) -> Self {
        Self { head, alignment: Alignment::Left, least }
    }

    /// Of numbers, which are shown whole or not at all.
    pub(super) const fn number(head: &'static str) -> Self {
        Self { head, alignment: Alignment::Right, least: usize::MAX }
    }
}

/// A text in a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    /// A text of that kind, whoever wrote it.
    pub(super) fn new(text: &str, ink: Ink) -> Self {
        Self { text: plain(text), ink }
    }

    /// The same in another colour.
    pub(super) fn painted(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(&text.to_string(), Ink::Usual)
    }
}

/// A table whose rows are all known.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, a cell for each column.
    pub(super) fn add(&mut self, row: impl IntoIterator<Item = Cell>) {
        self.rows.push(row.into_iter().collect());
    }

    /// On standard output, under its heads.
    pub(super) fn print(&self) -> std::io::Result<()> {
        self.lines(width()).iter().try_for_each(|text| line(text))
    }

    fn lines(&self, room: Option<usize>) -> Vec<String> {
        let mut wanted: Vec<usize> = self.columns.iter().map(|column| measure_text_width(column.head)).collect();
        for row in &self.rows {
            for (wanted, cell) in wanted.iter_mut().zip(row) {
                *wanted = (*wanted).max(measure_text_width(&cell.text));
            }
        }
        let layout = Layout::new(&self.columns, &wanted, room);
        std::iter::once(layout.heads()).chain(self.rows.iter().map(|row| layout.row(row))).collect()
    }
}

/// Where columns stand; for tables that are printed while they are read, with widths that are known before.
pub(super) struct Layout {
    /// Those that are shown, each with its width.
    columns: Vec<(Column, usize)>,
    cuts: bool,
}

impl Layout {
    /// Columns of the widths `wanted`, in `room` columns of a terminal if it is one.
    pub(super) fn new(columns: &[Column], wanted: &[usize], room: Option<usize>) -> Self {
        let columns = columns.iter().copied().zip(wanted.iter().copied());
        let columns = match room {
            None => columns.map(|(column, wanted)| (column, wanted.min(PADDED))).collect(),
            Some(room) => fit(columns.map(|(column, wanted)| (column, wanted.min(room))).collect(), room),
        };
        Self { columns, cuts: room.is_some() }
    }

    /// The line of the heads.
    pub(super) fn heads(&self) -> String {
        let heads: Vec<Cell> = self.columns.iter().map(|(column, _)| Cell::new(column.head, Ink::Head)).collect();
        self.row(&heads)
    }

    /// One row on one line, nothing behind it.
    pub(super) fn row(&self, cells: &[Cell]) -> String {
        let (mut line, mut owed) = (String::new(), 0);
        for ((column, width), cell) in self.columns.iter().zip(cells) {
            let text = if self.cuts { cut(&cell.text, *width) } else { cell.text.clone() };
            let free = width.saturating_sub(measure_text_width(&text));
            let before = if column.alignment == Alignment::Right { free } else { 0 };
            if !text.is_empty() {
                line.push_str(&pad_str("", owed + before, Alignment::Left, None));
                line.push_str(&cell.ink.paint(&text));
                owed = 0;
            }
            owed += GAP + if text.is_empty() { *width } else { free - before };
        }
        line
    }
}

/// The first columns that have room with what is of use of them; the widest of these give way.
fn fit(mut columns: Vec<(Column, usize)>, room: usize) -> Vec<(Column, usize)> {
    let least = |&(column, wanted): &(Column, usize)| column.least.min(wanted);
    let total = |columns: &[(Column, usize)], of: &dyn Fn(&(Column, usize)) -> usize| {
        columns.iter().map(of).sum::<usize>() + GAP * columns.len().saturating_sub(1)
    };
    while columns.len() > 1 && total(&columns, &least) > room {
        columns.pop();
    }
    let leasts: Vec<usize> = columns.iter().map(least).collect();
    // At most the sum of widths that are no wider than the terminal each.
    while total(&columns, &|(_, width)| *width) > room {
        let can_give = columns.iter_mut().zip(&leasts).filter(|((_, width), least)| width > least);
        match can_give.max_by_key(|((_, width), _)| *width) {
            Some(((_, width), _)) => *width -= 1,
            None => break,
        }
    }
    columns
}

/// `text` in at most that many columns, with `…` where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    let chars = || text.chars().take(width.saturating_mul(CROWD).saturating_add(1));
    let (whole, length) = chars().fold((0, 0), |(columns, chars), c| (columns + columns_of(c), chars + 1));
    if whole <= width && length <= width.saturating_mul(CROWD) {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut kept: String = chars()
        .take(width.saturating_mul(CROWD).saturating_sub(1))
        .take_while(|c| {
            let fits = columns_of(*c) <= left;
            left = left.saturating_sub(columns_of(*c));
            fits
        })
        .collect();
    if width > 0 {
        kept.push('…');
    }
    kept
}

fn columns_of(c: char) -> usize {
    measure_text_width(c.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Vec<String> {
        let wide = "\u{4e16}".repeat(30);
        let combining = format!("e{}", "\u{301}".repeat(100_000));
        let turned = "\u{202e}gnp.exe\u{202c}".to_owned();
        let escape = "\u{1b}[2J\u{1b}]0;owned\u{7}x".to_owned();
        vec!["x".repeat(100_000), wide, combining, turned, escape, "two\nlines\ttab".to_owned(), String::new()]
    }

    fn table() -> Table {
        console::set_colors_enabled(false);
        let mut table = Table::new(&[
            Column::text("name", 8),
            Column::number("calls"),
            Column::text("from", 6),
            Column::text("last", 4),
        ]);
        for name in hostile() {
            table.add([name.as_str().into(), 12_345.into(), name.as_str().into(), "end".into()]);
        }
        table
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for room in [1, 5, 20, 40, 80, 120, 200] {
            let lines = table().lines(Some(room));
            assert_eq!(lines.len(), hostile().len() + 1);
            for text in lines {
                assert!(measure_text_width(&text) <= room, "{room}: {text}");
                assert!(text.chars().count() <= room * (CROWD + 1), "{room}: {}", text.chars().count());
                assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{room}: {text:?}");
            }
        }
    }

    #[test]
    fn columns_stand_below_each_other() {
        let lines = table().lines(Some(80));
        let at = |text: &str, what: &str| text.find(what).map(|at| measure_text_width(text.get(..at).unwrap()));
        let place = at(&lines[0], "calls").unwrap();
        assert!(lines[1..].iter().all(|text| at(text, "12345") == Some(place)), "{lines:#?}");
        let end = at(&lines[0], "last").unwrap();
        assert!(lines[1..].iter().all(|text| at(text, "end") == Some(end)), "{lines:#?}");
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let lines = table().lines(None);
        assert!(lines[1].contains(&"x".repeat(100_000)) && lines[3].contains(&"\u{301}".repeat(100_000)));
        assert!(lines[1..].iter().all(|text| text.ends_with("end") && text.contains("12345")));
        // One long name does not push the others away.
        assert!(lines[4].len() < 200, "{}", lines[4].len());
    }

    #[test]
    fn columns_without_room_are_left_out_from_the_end() {
        let heads = |room| table().lines(Some(room)).swap_remove(0);
        let words = |room| heads(room).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(80), ["name", "calls", "from", "last"]);
        assert_eq!(words(22), ["name", "calls"]);
        assert_eq!(words(10), ["name"]);
    }

    #[test]
    fn a_text_is_cut_where_it_must() {
        for (text, width, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("世界世", 4, "世…"),
            ("世界", 4, "世界"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, width), expected, "{text} in {width}");
        }
    }
}
