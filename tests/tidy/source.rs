//! Files of the tree as the checks see them.

use std::fs;
use std::io::Write;
use std::path::Path;

/// One file.
pub(crate) struct Source {
    /// From the root of the tree, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether all of it is test code.
    pub(crate) fn is_test(&self) -> bool {
        !self.path.starts_with("src/") || self.path.ends_with("_tests.rs")
    }

    /// Its code without comment lines and without tests: what stands before the first `#[cfg(test)]`.
    pub(crate) fn code(&self) -> Vec<&str> {
        if self.is_test() {
            return Vec::new();
        }
        let lines = self.text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        lines.filter(|line| !line.trim_start().starts_with("//")).collect()
    }

    /// Its tests.
    pub(crate) fn tests(&self) -> Vec<&str> {
        if self.is_test() {
            return self.text.lines().collect();
        }
        self.text.lines().skip_while(|line| line.trim() != "#[cfg(test)]").collect()
    }

    /// The folder below `src`, or the file itself.
    pub(crate) fn folder(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split_once('/').map_or(inside, |(folder, _)| folder)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file at the root; a check that would look at a file that is gone fails.
pub(crate) fn read_root(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Whether the tree has that file or folder.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// All files with one of these endings below these folders (or these files themselves), sorted; each must have some.
pub(crate) fn read_tree(places: &[&str], endings: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for place in places {
        let before = sources.len();
        visit(&root().join(place), endings, &mut sources);
        assert!(sources.len() > before, "no file with an ending of {endings:?} in {place}");
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn visit(place: &Path, endings: &[&str], sources: &mut Vec<Source>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            visit(&entry.unwrap().path(), endings, sources);
        }
    } else if place.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
        let path = place.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        sources.push(Source { path, text: fs::read_to_string(place).unwrap() });
    }
}

/// Says something that people see although the test passes.
pub(crate) fn announce(what: &str, lines: &[String]) {
    if !lines.is_empty() {
        let text = format!("tidy: {what}:\n  {}\n", lines.join("\n  "));
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
}

/// Where `word` stands in `line` as a word of its own, not as a part of a longer name or path.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part);
        let after = line[at + word.len()..].chars().next().is_some_and(part);
        !before && !after
    })
}

#[test]
fn code_and_tests_are_told_apart() {
    let source = Source::new("src/aws/x.rs", "//! x\nfn a() {}\n#[cfg(test)]\nmod tests {}\n");
    assert_eq!(source.code(), ["fn a() {}"]);
    assert_eq!(source.tests().len(), 2);
    assert_eq!(source.folder(), "aws");
    assert!(has_word("use arrow::array;", "arrow") && !has_word("my_arrow::x", "arrow"));
}
