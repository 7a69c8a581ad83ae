//! Lines for spreadsheets: CSV whose cells are text and nothing else (S43).

use super::escape::visible_text;

/// One line with its end. A cell that a spreadsheet would take for a formula begins with an apostrophe; control
/// characters are shown.
///
/// Source: OWASP, "CSV Injection": cells that begin with `=`, `+`, `-`, `@`, a tab or a carriage return, also in their
/// full-width forms.
#[must_use]
pub fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    // Writing to memory cannot fail.
    let _ = writer.write_record(&cells);
    writer.into_inner().unwrap_or_default()
}

fn cell(text: &str) -> String {
    let first = text.trim_start_matches([' ', '\n']).chars().next();
    let formula = first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠'));
    let shown = visible_text(text);
    if formula { format!("'{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// S43: no formula, no control character.
    #[test]
    fn cells_are_text() {
        let hostile = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\n=1", "\u{ff1d}1"];
        for text in hostile {
            assert!(cell(text).starts_with('\''), "{text}");
        }
        for text in ["a=b", "203.0.113.7", "", "2026-05-01T00:00:00Z"] {
            assert_eq!(cell(text), text);
        }
        assert_eq!(line(["a,b", "\"", "\u{1b}[31m"]), "\"a,b\",\"\"\"\",\u{241b}[31m\n".as_bytes());
    }

    proptest! {
        #[test]
        fn lines_come_back(cells in prop::collection::vec("[ -~]{0,12}", 1..5)) {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(std::io::Cursor::new(line(&cells)));
            let read = reader.records().next().unwrap().unwrap();
            for (text, was) in read.iter().zip(&cells) {
                prop_assert_eq!(text.strip_prefix('\'').filter(|_| !was.starts_with('\'')).unwrap_or(text), was);
            }
        }
    }
}
