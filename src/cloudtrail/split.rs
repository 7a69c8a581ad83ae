//! Finds where each record begins and ends, without parsing it.
//!
//! One walk over the structure decides whether the object is whole, before any record is looked at: an object that
//! ends in the middle is refused as a whole, so that nothing is half counted. Shapes (S1): `{"Records":[..]}`, an
//! array of records, a single record, JSON Lines of any of these, and `aws cloudtrail lookup-events` output.

use std::ops::Range;

/// Deepest nesting that is followed; CloudTrail's own records stay below 20 (S44).
pub const MAX_DEPTH: usize = 128;
/// Most records taken from one object (S44).
pub const MAX_RECORDS: usize = 4_000_000;

/// Why an object is not a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// No bytes, or white space only.
    #[error("empty object")]
    Empty,
    /// Not JSON, or JSON that breaks off.
    #[error("bad JSON at byte {0}")]
    BadJson(usize),
    /// The JSON ends before its brackets close.
    #[error("truncated JSON")]
    Truncated,
    /// Sound JSON without records.
    #[error("not a CloudTrail log: no `Records`")]
    NoRecords,
    /// Too deep or too many.
    #[error("over a limit: {0}")]
    Limit(&'static str),
}

/// Where a record lies in its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// The bytes of the record.
    Record(Range<usize>),
    /// The bytes of a `lookup-events` entry, which holds the record as a string in `CloudTrailEvent`.
    LookupEvent(Range<usize>),
}

/// The spans of all records of an object, in order.
///
/// # Errors
/// See [`SplitError`]; a single bad line of JSON Lines is no error here, parsing it will tell.
pub fn split(json: &[u8]) -> Result<Vec<Span>, SplitError> {
    let mut scanner = Scanner::new(json);
    if json.starts_with(&[0xef, 0xbb, 0xbf]) {
        scanner.at = 3;
    }
    let mut spans = Vec::new();
    match scanner.peek() {
        None => return Err(SplitError::Empty),
        Some(b'[') => scanner.elements(|span| push(&mut spans, Span::Record(span)))?,
        Some(b'{') => {
            scanner.document(&mut spans)?;
            if scanner.peek().is_some() {
                spans.clear();
                return lines(json).map(|()| spans_of_lines(json));
            }
        }
        Some(_) => return Err(SplitError::BadJson(scanner.at)),
    }
    match scanner.peek() {
        None => Ok(spans),
        Some(_) => Err(SplitError::BadJson(scanner.at)),
    }
}

fn push(spans: &mut Vec<Span>, span: Span) -> Result<(), SplitError> {
    if spans.len() >= MAX_RECORDS {
        return Err(SplitError::Limit("too many records in one object"));
    }
    spans.push(span);
    Ok(())
}

/// JSON Lines: more than one document, the first of which fills its line.
fn lines(json: &[u8]) -> Result<(), SplitError> {
    let mut first = Scanner::new(json);
    first.peek();
    let begin = first.at;
    first.value()?;
    let line_ends = memchr::memchr(b'\n', json.get(begin..).unwrap_or_default()).map(|at| begin + at);
    match line_ends {
        Some(end) if end >= first.at => Ok(()),
        _ => Err(SplitError::BadJson(first.at)),
    }
}

fn spans_of_lines(json: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut begin = 0;
    for end in memchr::memchr_iter(b'\n', json).chain([json.len()]) {
        let line = json.get(begin..end).unwrap_or_default();
        if !line.trim_ascii().is_empty() {
            let mut inner = Vec::new();
            let mut scanner = Scanner::new(line);
            // A damaged line stays one span: the reader will refuse it and count it as one bad record.
            if scanner.document(&mut inner).is_ok() && scanner.peek().is_none() {
                spans.extend(inner.into_iter().map(|span| span.shifted(begin)));
            } else {
                spans.push(Span::Record(begin..end));
            }
        }
        begin = end + 1;
    }
    spans
}

impl Span {
    fn shifted(self, by: usize) -> Self {
        match self {
            Self::Record(range) => Self::Record(range.start + by..range.end + by),
            Self::LookupEvent(range) => Self::LookupEvent(range.start + by..range.end + by),
        }
    }
}

/// A place in an object. Brackets are counted, not matched: only parsing tells sound JSON.
pub(super) struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
    max_depth: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(json: &'a [u8]) -> Self {
        Self { json, at: 0, max_depth: MAX_DEPTH }
    }

    /// A scanner that walks the members of a record, so that their values are one level down.
    pub(super) fn of_record(json: &'a [u8]) -> Self {
        Self { json, at: 0, max_depth: MAX_DEPTH - 1 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Skips white space and shows the next byte.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.json.get(self.at) {
            if !byte.is_ascii_whitespace() {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn expect(&mut self, wanted: u8) -> Result<(), SplitError> {
        match self.peek() {
            Some(byte) if byte == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(SplitError::BadJson(self.at)),
            None => Err(SplitError::Truncated),
        }
    }

    /// A top-level object: a holder of records, or a record itself.
    fn document(&mut self, spans: &mut Vec<Span>) -> Result<(), SplitError> {
        self.peek();
        let begin = self.at;
        let (mut holder, mut like_record) = (false, false);
        self.members(|scanner, key| match (key, scanner.peek()) {
            (b"Records", Some(b'[')) => {
                holder = true;
                scanner.elements(|span| push(spans, Span::Record(span)))
            }
            (b"Events", Some(b'[')) => {
                holder = true;
                scanner.elements(|span| push(spans, Span::LookupEvent(span)))
            }
            (b"CloudTrailEvent", Some(b'"')) => {
                holder = true;
                scanner.value()?;
                push(spans, Span::LookupEvent(begin..begin))
            }
            (b"eventName" | b"eventSource" | b"eventVersion" | b"eventTime" | b"userIdentity", _) => {
                like_record = true;
                scanner.value()
            }
            _ => scanner.value(),
        })?;
        let end = self.at;
        for span in spans.iter_mut() {
            // A lone lookup entry is known to be one only at its end.
            if *span == Span::LookupEvent(begin..begin) {
                *span = Span::LookupEvent(begin..end);
            }
        }
        match (holder, like_record) {
            (true, _) => Ok(()),
            (false, true) => push(spans, Span::Record(begin..end)),
            (false, false) => Err(SplitError::NoRecords),
        }
    }

    /// Walks `{..}`, handing each key to `member`, which must consume the value.
    pub(super) fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<(), SplitError>,
    ) -> Result<(), SplitError> {
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.peek();
            let begin = self.at;
            self.string()?;
            let key = self.json.get(begin + 1..self.at - 1).unwrap_or_default();
            self.expect(b':')?;
            member(self, key)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b'}'),
            }
        }
    }

    /// Walks `[..]`, handing the range of each element to `element`.
    fn elements(&mut self, mut element: impl FnMut(Range<usize>) -> Result<(), SplitError>) -> Result<(), SplitError> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.peek();
            let begin = self.at;
            self.value()?;
            element(begin..self.at)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b']'),
            }
        }
    }

    /// Skips a string, from its opening quote to behind its closing one.
    fn string(&mut self) -> Result<(), SplitError> {
        if self.json.get(self.at) != Some(&b'"') {
            return self.expect(b'"');
        }
        self.at += 1;
        loop {
            let rest = self.json.get(self.at..).unwrap_or_default();
            let Some(offset) = memchr::memchr2(b'"', b'\\', rest) else { return Err(SplitError::Truncated) };
            let escape = rest.get(offset) == Some(&b'\\');
            self.at += offset + if escape { 2 } else { 1 };
            if !escape {
                return Ok(());
            }
        }
    }

    /// Skips one value of any kind; brackets are counted, not matched: parsing will tell a `[}`.
    pub(super) fn value(&mut self) -> Result<(), SplitError> {
        match self.peek() {
            None => Err(SplitError::Truncated),
            Some(b'"') => self.string(),
            Some(b'{' | b'[') => self.nested(),
            Some(_) => self.literal(),
        }
    }

    /// Skips an object or array: only strings and brackets matter, so all else is passed over byte by byte.
    fn nested(&mut self) -> Result<(), SplitError> {
        let mut depth = 0_usize;
        while let Some(byte) = self.json.get(self.at) {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => {
                    depth += 1;
                    if depth > self.max_depth {
                        return Err(SplitError::Limit("nested too deep"));
                    }
                }
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
        Err(SplitError::Truncated)
    }

    /// Skips a number, `true`, `false` or `null`.
    fn literal(&mut self) -> Result<(), SplitError> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = rest.iter().take_while(|byte| plain(byte)).count();
        if length == 0 {
            return Err(SplitError::BadJson(self.at));
        }
        self.at += length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str) -> Result<Vec<String>, SplitError> {
        let spans = split(json.as_bytes())?;
        Ok(spans
            .into_iter()
            .map(|span| match span {
                Span::Record(range) => json[range].to_owned(),
                Span::LookupEvent(range) => format!("lookup {}", &json[range]),
            })
            .collect())
    }

    fn check(json: &str, expected: &[&str]) {
        assert_eq!(texts(json).unwrap(), expected, "{json}");
    }

    /// S1: every shape a folder of logs can hold.
    #[test]
    fn records_are_found_in_every_shape() {
        check(r#"{"Records":[{"a":"}]"}, {"b":[1,-2.5e3,null]}]}"#, &[r#"{"a":"}]"}"#, r#"{"b":[1,-2.5e3,null]}"#]);
        check("\u{feff}{\"x\":{\"y\":[]},\"Records\":[]}\n", &[]);
        check(r#"[{"eventName":"A"},7]"#, &[r#"{"eventName":"A"}"#, "7"]);
        check("{\n \"eventName\": \"A\\\"\"\n}\n", &["{\n \"eventName\": \"A\\\"\"\n}"]);
        check("{\"eventName\":\"A\"}\n\n{\"eventName\":\"B\"}", &[r#"{"eventName":"A"}"#, r#"{"eventName":"B"}"#]);
        check("{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":2}]}\n", &[r#"{"a":1}"#, r#"{"b":2}"#]);
        let lookup = r#"{"EventId":"x","CloudTrailEvent":"{\"a\":1}"}"#;
        check(&format!("{{\"Events\":[{lookup}],\"NextToken\":\"n\"}}"), &[&format!("lookup {lookup}")]);
        check(&format!("{lookup}\n{lookup}\n"), &[&format!("lookup {lookup}"), &format!("lookup {lookup}")]);
    }

    /// S6: what is no log says why.
    #[test]
    fn what_is_no_log_is_refused_with_its_reason() {
        for (json, expected) in [
            ("", SplitError::Empty),
            ("  \n", SplitError::Empty),
            ("<html>", SplitError::BadJson(0)),
            (r#"{"Records":[{"a":1},"#, SplitError::Truncated),
            (r#"{"Records":[{"a":"b"#, SplitError::Truncated),
            (r#"{"Records":[{"a" 1}]} x"#, SplitError::BadJson(21)),
            (r#"{"Records":5}"#, SplitError::NoRecords),
            (r#"{"RoleDetailList":[]}"#, SplitError::NoRecords),
            (r#"{"Records":[1 2]}"#, SplitError::BadJson(14)),
        ] {
            assert_eq!(texts(json), Err(expected), "{json}");
        }
        let deep = format!("{{\"Records\":[{}]}}", "[".repeat(200));
        assert_eq!(texts(&deep), Err(SplitError::Limit("nested too deep")));
    }

    /// S6: one bad line loses one record.
    #[test]
    fn a_bad_line_stays_one_span() {
        check("{\"eventName\":\"A\"}\n{\"eventName\":\nno\n", &[r#"{"eventName":"A"}"#, r#"{"eventName":"#, "no"]);
    }
}
