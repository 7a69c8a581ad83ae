//! Parses one record with simd-json into reused buffers and shows it as a borrowed tree.
//!
//! The only module that knows simd-json. A parsed record lives as long as the call that reads it, so that no record
//! ever owns memory.

use simd_json::{Buffers, Node, StaticNode, Tape};

use super::split::MAX_DEPTH;

/// Bytes of any content that must follow JSON which is parsed where it lies: wide loads read past its end.
pub const PADDING_BYTES: usize = simd_json::INPUT_PADDING;

/// The record is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad JSON: {0}")]
pub struct ParseError(pub String);

/// Parses records one after another, reusing its memory.
pub struct Parser {
    buffers: Buffers,
    tape: Tape<'static>,
    /// Where texts that must stay as they are are copied to.
    copy: Vec<u8>,
}

impl Default for Parser {
    fn default() -> Self {
        // Two levels more than a record may have, for the object that holds it.
        Self { buffers: Buffers::with_max_depth(4096, MAX_DEPTH + 2), tape: Tape::null(), copy: Vec::new() }
    }
}

impl Parser {
    /// Parses the first `length` bytes of `padded` and hands the tree to `read`. These bytes are overwritten; at least
    /// [`PADDING_BYTES`] must follow them, which stay as they are.
    ///
    /// # Errors
    /// [`ParseError`] when the bytes are not one JSON value in UTF-8.
    pub fn parse<R>(
        &mut self,
        padded: &mut [u8],
        length: usize,
        read: impl FnOnce(Json<'_>) -> R,
    ) -> Result<R, ParseError> {
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(padded, length, &mut self.buffers, &mut tape);
        let answer = match parsed {
            Ok(()) => Ok(read(Json(&tape.0))),
            Err(error) => Err(ParseError(error.to_string())),
        };
        self.tape = tape.reset();
        answer
    }

    /// Parses a text that lies elsewhere.
    ///
    /// # Errors
    /// [`ParseError`] when the text is not one JSON value.
    pub fn parse_copy<R>(&mut self, json: &[u8], read: impl FnOnce(Json<'_>) -> R) -> Result<R, ParseError> {
        let mut padded = std::mem::take(&mut self.copy);
        padded.clear();
        padded.extend_from_slice(json);
        padded.resize(json.len() + PADDING_BYTES, 0);
        let answer = self.parse(&mut padded, json.len(), read);
        self.copy = padded;
        answer
    }
}

/// One value of a parsed record; a missing or wrong value is an empty answer, never an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<'t>(&'t [Node<'t>]);

impl<'t> Json<'t> {
    /// The text of a string.
    #[must_use]
    pub fn as_str(self) -> Option<&'t str> {
        match self.0.first() {
            Some(Node::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A boolean, also one written as the string `"true"` or `"false"`, as some services do.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.0.first() {
            Some(Node::Static(StaticNode::Bool(value))) => Some(*value),
            Some(Node::String("true")) => Some(true),
            Some(Node::String("false")) => Some(false),
            _ => None,
        }
    }

    /// Whether this is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        matches!(self.0.first(), Some(Node::Object { .. }))
    }

    /// The members of an object in order, or nothing.
    pub fn members(self) -> impl Iterator<Item = (&'t str, Json<'t>)> {
        let mut rest = if self.is_object() { self.0.get(1..).unwrap_or_default() } else { &[] };
        std::iter::from_fn(move || {
            let (key, tail) = rest.split_first()?;
            let (value, tail) = tail.split_at_checked(width(tail.first()?))?;
            rest = tail;
            match key {
                Node::String(key) => Some((*key, Json(value))),
                _ => None,
            }
        })
    }

    /// The elements of an array in order, or nothing.
    pub fn elements(self) -> impl Iterator<Item = Json<'t>> {
        let is_array = matches!(self.0.first(), Some(Node::Array { .. }));
        let mut rest = if is_array { self.0.get(1..).unwrap_or_default() } else { &[] };
        std::iter::from_fn(move || {
            let (value, tail) = rest.split_at_checked(width(rest.first()?))?;
            rest = tail;
            Some(Json(value))
        })
    }

    /// The last member of that name (a key twice in one object: the later wins, as in most parsers).
    #[must_use]
    pub fn get(self, key: &str) -> Option<Json<'t>> {
        self.members().filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }

    /// The string at a path of keys.
    #[must_use]
    pub fn text_at(self, path: &[&str]) -> Option<&'t str> {
        let mut value = self;
        for key in path {
            value = value.get(key)?;
        }
        value.as_str()
    }

    /// Calls `see` with depth (0 for the direct members), key and string value of every member at any depth; members
    /// of objects in arrays count as one level deeper, and elements of arrays carry the array's key.
    pub fn walk(self, see: &mut dyn FnMut(usize, &'t str, Option<&'t str>)) {
        self.walk_at(0, "", see);
    }

    fn walk_at(self, depth: usize, name: &'t str, see: &mut dyn FnMut(usize, &'t str, Option<&'t str>)) {
        // The splitter refuses deeper nesting than this, so recursion is bounded.
        for (key, value) in self.members() {
            see(depth, key, value.as_str());
            value.walk_at(depth + 1, key, see);
        }
        for element in self.elements() {
            if let Some(text) = element.as_str() {
                see(depth, name, Some(text));
            }
            element.walk_at(depth + 1, name, see);
        }
    }

    /// A digest of the whole value: equal trees have equal digests, whatever their white space.
    #[must_use]
    pub fn digest(self) -> u128 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for node in self.0 {
            match node {
                Node::String(text) => {
                    hasher.update(&[1]);
                    hasher.update(&(text.len() as u64).to_le_bytes());
                    hasher.update(text.as_bytes());
                }
                Node::Object { len, .. } => hasher.update(&[2, (*len & 0xff) as u8]),
                Node::Array { len, .. } => hasher.update(&[3, (*len & 0xff) as u8]),
                Node::Static(value) => {
                    hasher.update(&[4]);
                    hasher.update(value.to_string().as_bytes());
                }
            }
        }
        hasher.digest128()
    }
}

fn width(node: &Node<'_>) -> usize {
    match node {
        Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<R>(json: &str, read: impl FnOnce(Json<'_>) -> R) -> R {
        Parser::default().parse_copy(json.as_bytes(), read).unwrap()
    }

    #[test]
    fn members_and_elements_are_walked_in_order() {
        let seen = read(r#"{"a":{"b":["x",{"c":"y"}]},"d":true,"e":"false"}"#, |json| {
            assert_eq!(json.get("d").and_then(Json::as_bool), Some(true));
            assert_eq!(json.get("e").and_then(Json::as_bool), Some(false));
            assert_eq!(json.text_at(&["a", "b"]), None);
            let mut seen = Vec::new();
            json.walk(&mut |depth, key, value| seen.push(format!("{depth}{key}={}", value.unwrap_or("-"))));
            seen
        });
        assert_eq!(seen, ["0a=-", "1b=-", "2b=x", "3c=y", "0d=-", "0e=false"]);
    }

    /// S4: records without an event id are told apart by what they say.
    #[test]
    fn digest_sees_content_and_not_layout() {
        let digest = |json: &str| read(json, |json| json.digest());
        assert_eq!(digest(r#"{"a":[1,"x"]}"#), digest("{ \"a\" : [1, \"x\"] }"));
        assert_ne!(digest(r#"{"a":[1,"x"]}"#), digest(r#"{"a":[1],"x":2}"#));
    }

    #[test]
    fn bad_json_is_refused_and_the_parser_goes_on() {
        let mut parser = Parser::default();
        assert!(parser.parse_copy(b"{\"a\":}", |_| ()).is_err());
        assert!(parser.parse_copy(b"\"\xff\"", |_| ()).is_err());
        assert!(parser.parse_copy(b"{\"a\":1}", |json| json.get("a").is_some()).unwrap());
    }
}
