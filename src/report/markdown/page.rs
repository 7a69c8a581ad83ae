//! A Markdown page being written: headings, paragraphs, lists and tables, with nothing left to escape.
//!
//! Callers hand over text that went through [`super::super::escape`] or is a constant.

/// The page.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// The whole page.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// A heading of that level.
    pub(super) fn heading(&mut self, level: usize, text: &str) {
        self.gap();
        self.text.push_str(&"#".repeat(level));
        self.text.push(' ');
        self.line(text);
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.gap();
        self.line(text);
    }

    /// A list with one line for each item; nothing for none.
    pub(super) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        self.gap();
        for item in items {
            self.text.push_str("- ");
            self.line(&item);
        }
    }

    /// A numbered list.
    pub(super) fn steps(&mut self, items: impl IntoIterator<Item = String>) {
        self.gap();
        for (at, item) in items.into_iter().enumerate() {
            self.text.push_str(&format!("{}. ", at + 1));
            self.line(&item);
        }
    }

    /// A table; nothing when there is no row.
    pub(super) fn table<const N: usize>(&mut self, head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        self.gap();
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(N)));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// One empty line before whatever comes, none at the top.
    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

/// `1 role`, `2 roles`.
pub(super) fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {}", plural(one)) }
}

/// The noun for several.
pub(in crate::report) fn plural(one: &str) -> String {
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{one}s"),
    }
}

/// The sentence that says how many rows of a list were left out, if any were.
pub(super) fn left_out(all: usize, shown: usize, place: &str) -> Option<String> {
    (all > shown).then(|| format!("{} more: see {place}.", all - shown))
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn plurals() {
        let said = [(1, "day"), (2, "day"), (2, "policy"), (0, "call")].map(|(number, one)| count(number, one));
        assert_eq!(said, ["1 day", "2 days", "2 policies", "0 calls"]);
    }
}
