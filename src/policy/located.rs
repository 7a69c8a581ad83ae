//! JSON that remembers where it stood: every key and value with its place in the text.
//!
//! `serde_json` keeps the last of two equal keys and no places; a reader of policies must be told about both. The text is
//! first read by `serde_json`, which says what is wrong with it, so that this walk meets well-formed JSON only.

use serde::Serialize;

use super::document::DocumentError;

/// Levels of nesting that are read, as many as `serde_json` reads; a policy has seven.
pub const DEPTH: usize = 127;

/// A place in a text as editors show it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "line {}, column {}", self.line, self.column)
    }
}

/// One value and where it begins.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// In bytes from the beginning of the text.
    pub at: usize,
    /// What it is.
    pub shape: Shape,
}

/// What a value is.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// A number, truth value or null, as written.
    Bare(String),
    /// A string, its escapes replaced.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object with all its members, also those of the same name.
    Object(Vec<Member>),
}

/// One key with its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// In bytes from the beginning of the text.
    pub at: usize,
    /// Its escapes replaced.
    pub key: String,
    /// The value.
    pub value: Node,
}

/// Why a text is not JSON, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// In bytes from the beginning of the text.
    pub at: usize,
    /// Lowercase, without the place.
    pub what: String,
}

impl Node {
    /// The members of an object; none of anything else.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        if let Shape::Object(members) = &self.shape { members } else { &[] }
    }

    /// The member that counts: the last of that name, as `serde_json` has it.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| member.key == key)
    }

    /// The string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Shape::Text(text) = &self.shape { Some(text) } else { None }
    }

    /// The items of a list, or the value itself: wherever policies take both.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        if let Shape::List(items) = &self.shape { items } else { std::slice::from_ref(self) }
    }
}

/// Reads a text.
///
/// # Errors
/// [`Broken`], in the words of `serde_json`, also for a text that is nested deeper than [`DEPTH`].
pub fn read(text: &str) -> Result<Node, Broken> {
    serde_json::from_str::<serde_json::Value>(text).map_err(|error| broken(text, &error))?;
    Walk { text, at: 0 }.value(0).ok_or_else(|| Broken { at: 0, what: "cannot be followed".to_owned() })
}

fn broken(text: &str, error: &serde_json::Error) -> Broken {
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what).to_owned();
    let line_at = match error.line() {
        0 | 1 => 0,
        line => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(at, _)| at + 1),
    };
    Broken { at: (line_at + error.column().saturating_sub(1)).min(text.len()), what }
}

/// Reads the values that stand in a text one after another, up to the first that is not JSON.
#[must_use]
pub fn read_several(text: &str) -> Vec<Node> {
    let mut walk = Walk { text, at: 0 };
    std::iter::from_fn(|| walk.value(0)).collect()
}

/// Where what makes a text no policy document stands, for a message; `None` where the message says it itself.
#[must_use]
pub fn place_of(text: &str, error: &DocumentError) -> Option<Place> {
    let root = read(text).ok().filter(|_| !matches!(error, DocumentError::Json(_)))?;
    Some(Places::of(text).place(at_of(&root, error)))
}

/// Where in a document the thing stands that makes it no policy; in bytes from the beginning of the text.
#[must_use]
pub fn at_of(document: &Node, error: &DocumentError) -> usize {
    let statements = document.member("Statement").map(|member| &member.value);
    let wrong = match error {
        DocumentError::Json(_) => None,
        DocumentError::Shape(_) => statements,
        DocumentError::Statement { number, .. } => {
            statements.and_then(|statements| statements.items().get(number.saturating_sub(1)))
        }
    };
    wrong.map_or(document.at, |node| node.at)
}

/// Turns places in bytes into places for people; asked in rising order, it reads the text once.
pub struct Places<'t> {
    text: &'t str,
    at: usize,
    place: Place,
}

impl<'t> Places<'t> {
    /// Of a text.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        Self { text, at: 0, place: Place { line: 1, column: 1 } }
    }

    /// The place of the character at or before this byte.
    pub fn place(&mut self, at: usize) -> Place {
        if at < self.at {
            *self = Self::of(self.text);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (offset, character) in rest.char_indices() {
            if self.at + offset + character.len_utf8() > at {
                break;
            }
            self.place = match character {
                '\n' => Place { line: self.place.line + 1, column: 1 },
                _ => Place { column: self.place.column + 1, ..self.place },
            };
        }
        self.at = self.text.floor_char_boundary(at.max(self.at));
        self.place
    }
}

/// Goes over well-formed JSON; `None` where it is not.
struct Walk<'t> {
    text: &'t str,
    at: usize,
}

impl Walk<'_> {
    fn value(&mut self, depth: usize) -> Option<Node> {
        let at = self.next_token();
        let shape = match self.peek()? {
            b'{' | b'[' if depth == DEPTH => return None,
            b'{' => Shape::Object(self.between(b'}', |walk| walk.entry(depth))?),
            b'[' => Shape::List(self.between(b']', |walk| walk.value(depth + 1))?),
            b'"' => Shape::Text(self.string()?),
            _ => Shape::Bare(self.bare()?),
        };
        Some(Node { at, shape })
    }

    fn entry(&mut self, depth: usize) -> Option<Member> {
        let at = self.next_token();
        let key = self.string()?;
        self.next_token();
        self.take(b':')?;
        Some(Member { at, key, value: self.value(depth + 1)? })
    }

    /// What stands between brackets, separated by commas.
    fn between<T>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut items = Vec::new();
        self.next_token();
        while self.take(close).is_none() {
            if !items.is_empty() {
                self.take(b',')?;
            }
            items.push(item(self)?);
            self.next_token();
        }
        Some(items)
    }

    fn string(&mut self) -> Option<String> {
        let from = self.at;
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(from..self.at)?).ok()
    }

    fn bare(&mut self) -> Option<String> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.at += 1;
        }
        let written = self.text.get(from..self.at)?;
        serde_json::from_str::<serde_json::Value>(written).ok().map(|_| written.to_owned())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Skips white space.
    fn next_token(&mut self) -> usize {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PolicyDocument;

    fn place(text: &str, at: usize) -> (usize, usize) {
        let place = Places::of(text).place(at);
        (place.line, place.column)
    }

    /// S30: nothing is lost: the second key of a name, escapes, numbers as written, and where each stands.
    #[test]
    fn keys_and_values_have_their_places() {
        let text = "{\"a\": 1.50,\n \"\\u0061\": [\"x\\\"y\", {}, []],\"é\":null}";
        let root = read(text).unwrap();
        let found: Vec<_> =
            root.members().iter().map(|member| (member.key.as_str(), place(text, member.value.at))).collect();
        assert_eq!(found, [("a", (1, 7)), ("a", (2, 12)), ("é", (2, 33))]);
        assert_eq!(root.members()[0].value.shape, Shape::Bare("1.50".to_owned()));
        let counts = &root.member("a").unwrap().value;
        assert_eq!((counts.items().len(), counts.items()[0].text()), (3, Some("x\"y")));
    }

    /// S44: what `serde_json` refuses is refused at the same place, too deep nesting and half surrogates included.
    #[test]
    fn broken_text_is_refused_where_it_breaks() {
        let check = |text: &str, what: &str, at: (usize, usize)| {
            let broken = read(text).unwrap_err();
            assert_eq!((broken.what.as_str(), place(text, broken.at)), (what, at), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err());
        };
        check("", "EOF while parsing a value", (1, 1));
        check("{\n  \"a\": 1,\n}", "trailing comma", (3, 1));
        check("{\"é\": x}", "expected value", (1, 7));
        check("[1e999]", "number out of range", (1, 6));
        check("[\"\\ud800\"]", "unexpected end of hex escape", (1, 9));
        check("{} {}", "trailing characters", (1, 4));
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(DEPTH)).is_ok());
        check(&nested(DEPTH + 1), "recursion limit exceeded", (1, DEPTH + 1));
        assert_eq!(read(&"[".repeat(1_000_000)).unwrap_err().what, "recursion limit exceeded");
    }

    /// S30: an error that names a statement is told where the statement stands.
    #[test]
    fn errors_of_documents_have_a_place() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let error = text.parse::<PolicyDocument>().unwrap_err();
            assert_eq!(place_of(text, &error).map(|place| (place.line, place.column)), expected, "{error}");
        };
        check("{\"Statement\": [\n {\"Effect\": \"Allow\", \"Action\": []},\n {\"Effect\": 1}]}", Some((3, 2)));
        check("{\n\"Statement\":\n 7}", Some((3, 2)));
        check(" []", Some((1, 2)));
        check("{", None);
    }
}
