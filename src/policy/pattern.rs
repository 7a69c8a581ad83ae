//! Wildcards and policy variables: whether one action, ARN or value matches one pattern.
//!
//! A pattern is matched byte by byte without being compiled and without backtracking that could explode: the simple form
//! restarts at its last star only, the ARN form whose stars cross colons walks all positions at once. Characters that a
//! variable put in are literal; they travel as byte values that UTF-8 never uses. Source: IAM User Guide, "Action",
//! "Resource", "Condition operators" and "Policy variables".

use std::borrow::Cow;

use crate::aws::wildcard::glob;

use super::context::{Context, Lookup};
use super::document::Version;
use super::truth::Truth;

const LITERAL_COLON: u8 = 0xFD;
const LITERAL_STAR: u8 = 0xFE;
const LITERAL_QUESTION: u8 = 0xFF;

/// Number of ARN segments; colons in the last one are ordinary characters.
pub const ARN_SEGMENTS: usize = 6;

/// A pattern with `*` (any characters) and `?` (one character); its variables already replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern<'a>(Cow<'a, [u8]>);

/// What became of a text with policy variables in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolved<'a> {
    /// All variables have values.
    Pattern(Pattern<'a>),
    /// A variable's key is certainly absent and has no default: the text matches nothing.
    Absent,
    /// A variable's value is not known.
    Unknown,
}

impl<'a> Pattern<'a> {
    /// A pattern without variables.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }

    /// The same, of its own text.
    #[must_use]
    pub fn owned(text: &str) -> Pattern<'static> {
        Pattern(Cow::Owned(text.as_bytes().to_vec()))
    }

    /// Whether the whole pattern is `*`, once or several times.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|byte| *byte == b'*')
    }

    /// `StringLike`: wildcards anywhere, colons are ordinary, case matters.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        glob(&self.0, text.as_bytes(), true, |want, have| plain(want) == have)
    }

    /// Action names: as [`Self::matches`], without case.
    #[must_use]
    pub fn matches_action(&self, action: &str) -> bool {
        glob(&self.0, action.as_bytes(), true, |want, have| plain(want).eq_ignore_ascii_case(&have))
    }

    /// Whether every text that `narrower` matches as an action is matched by this pattern, too.
    ///
    /// Sound but not complete: a star of the narrower pattern must be swallowed by a star of this one.
    #[must_use]
    pub fn contains_action_pattern(&self, narrower: &str) -> bool {
        glob(&self.0, narrower.as_bytes(), false, |want, have| {
            want == have || (have != b'*' && plain(want).eq_ignore_ascii_case(&have))
        })
    }

    /// Whether every ARN that `narrower` matches as a resource is matched by this pattern, too; neither has variables.
    ///
    /// Sound but not complete, as [`Self::contains_action_pattern`]; a narrower pattern whose star may go on beyond its
    /// segment is contained in itself and in `*` only.
    #[must_use]
    pub fn contains_resource_pattern(&self, narrower: &str) -> bool {
        if self.is_anything() || self.0.as_ref() == narrower.as_bytes() {
            return true;
        }
        let (wide, narrow) = (Segments::of(&self.0), Segments::of(narrower.as_bytes()));
        let crosses = narrow.parts.iter().take(ARN_SEGMENTS - 1).any(|segment| segment.ends_with(b"*"));
        let contains = |(wide, narrow): (&&[u8], &[u8])| {
            glob(wide, narrow, false, |want, have| have != b'*' && plain(want) == have)
        };
        wide.count == ARN_SEGMENTS
            && narrow.count == ARN_SEGMENTS
            && !crosses
            && wide.parts.iter().zip(narrow.parts).all(contains)
    }

    /// Equality with wildcards taken as ordinary characters.
    #[must_use]
    pub fn equals(&self, text: &str) -> bool {
        self.0.len() == text.len() && self.0.iter().zip(text.bytes()).all(|(want, have)| plain(*want) == have)
    }

    /// As [`Self::equals`], without case (simple Unicode lower case).
    #[must_use]
    pub fn equals_ignoring_case(&self, text: &str) -> bool {
        let bytes: Vec<u8> = self.0.iter().map(|byte| plain(*byte)).collect();
        String::from_utf8_lossy(&bytes).to_lowercase() == text.to_lowercase()
    }

    /// The pattern's characters, wildcards taken as ordinary ones.
    #[must_use]
    pub fn literal(&self) -> String {
        String::from_utf8_lossy(&self.0.iter().map(|byte| plain(*byte)).collect::<Vec<u8>>()).into_owned()
    }

    /// `ArnEquals` and `ArnLike`: each of the six segments for itself. `None` where one side is no ARN.
    #[must_use]
    pub fn matches_arn_segments(&self, arn: &str) -> Option<bool> {
        let (pattern, text) = (Segments::of(&self.0), Segments::of(arn.as_bytes()));
        (pattern.count == ARN_SEGMENTS && text.count == ARN_SEGMENTS).then(|| pattern.matches(&text))
    }

    /// `Resource` elements: per segment, but a star that ends a segment may go on beyond its colon.
    #[must_use]
    pub fn matches_resource(&self, resource: &str) -> bool {
        if self.is_anything() {
            return true;
        }
        let (pattern, text) = (Segments::of(&self.0), Segments::of(resource.as_bytes()));
        let crosses = pattern.parts.iter().take(ARN_SEGMENTS - 1).any(|segment| segment.ends_with(b"*"));
        (pattern.count == text.count && pattern.matches(&text))
            || (crosses && glob_across_segments(&self.0, resource.as_bytes()))
    }

    /// As [`Self::matches_resource`], but undecided where AWS does not say what a pattern means.
    ///
    /// Two things it leaves open: whether a pattern of less than six segments stands for all that begins so, and whether
    /// the five segments before the resource are compared with case.
    #[must_use]
    pub fn covers_resource(&self, resource: &str) -> Truth {
        if self.matches_resource(resource) {
            return Truth::True;
        }
        if self.is_certain() && !has_early_capitals(resource) {
            return Truth::False;
        }
        let mut widest = self.0.to_vec();
        widest.extend(b":*".repeat(ARN_SEGMENTS - Segments::of(&self.0).count));
        let mut lower = resource.to_owned().into_bytes();
        for text in [&mut widest, &mut lower] {
            let length = early(text).len();
            text.iter_mut().take(length).for_each(u8::make_ascii_lowercase);
        }
        let possible = Pattern(Cow::Owned(widest)).matches_resource(&String::from_utf8_lossy(&lower));
        if possible { Truth::Unknown } else { Truth::False }
    }

    /// Whether this pattern leaves nothing open when compared with an ARN without early capitals.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        Segments::of(&self.0).count == ARN_SEGMENTS && !early(&self.0).iter().any(u8::is_ascii_uppercase)
    }
}

/// Whether an ARN has capitals before its last segment, where AWS does not say that case matters.
#[must_use]
pub fn has_early_capitals(arn: &str) -> bool {
    early(arn.as_bytes()).iter().any(u8::is_ascii_uppercase)
}

/// An ARN without its last segment; all of a text with less than six.
fn early(text: &[u8]) -> &[u8] {
    let mut colons = text.iter().enumerate().filter(|(_, byte)| **byte == b':');
    colons.nth(ARN_SEGMENTS - 2).and_then(|(at, _)| text.get(..=at)).unwrap_or(text)
}

/// Whether `${...}` in a text is a variable.
#[must_use]
pub fn has_variables(text: &str, version: Version) -> bool {
    version == Version::V2012 && text.contains("${")
}

/// As [`resolve`] for a `Resource` element, whose variables must stand behind the fifth colon.
///
/// IAM User Guide, "Policy variables": one cannot replace a service or an account. What becomes of a pattern that tries,
/// it does not say.
#[must_use]
pub fn resolve_resource<'a>(text: &'a str, version: Version, context: &Context) -> Resolved<'a> {
    let early = |(head, _): (&str, &str)| head.matches(':').count() < ARN_SEGMENTS - 1;
    if version == Version::V2012 && text.split_once("${").is_some_and(early) {
        return Resolved::Unknown;
    }
    resolve(text, version, context)
}

/// Replaces the variables of `text` (`${key}`, `${key, 'default'}`, `${*}`, `${?}`, `${$}`) from the context.
///
/// Version 2008-10-17 has no variables: there the text is taken as it is. A key with several values cannot fill a
/// variable; AWS does not say what then happens, so that is unknown.
#[must_use]
pub fn resolve<'a>(text: &'a str, version: Version, context: &Context) -> Resolved<'a> {
    if !has_variables(text, version) {
        return Resolved::Pattern(Pattern::new(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, opened)) = rest.split_once("${") {
        let Some((body, after)) = opened.split_once('}') else { break };
        out.extend_from_slice(before.as_bytes());
        match variable(body, context) {
            Variable::Value(value) => out.extend(value.bytes().map(quoted)),
            Variable::Absent => return Resolved::Absent,
            Variable::Unknown => return Resolved::Unknown,
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    Resolved::Pattern(Pattern(Cow::Owned(out)))
}

enum Variable<'a> {
    Value(&'a str),
    Absent,
    Unknown,
}

fn variable<'a>(body: &'a str, context: &'a Context) -> Variable<'a> {
    if matches!(body, "*" | "?" | "$") {
        return Variable::Value(body);
    }
    let (key, default) = match body.split_once(", ") {
        Some((key, default)) => (key, Some(default)),
        None => (body, None),
    };
    let default = match default.map(unquoted) {
        Some(None) => return Variable::Unknown,
        quoted => quoted.flatten(),
    };
    match context.get(key) {
        Lookup::Values([only]) => Variable::Value(only),
        Lookup::Values([_, _, ..]) | Lookup::Unknown => Variable::Unknown,
        Lookup::Values([]) | Lookup::Absent => default.map_or(Variable::Absent, Variable::Value),
    }
}

/// The text between single quotation marks, without which AWS knows no default.
fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

/// A byte that came out of a variable, marked as literal where it would mean something in a pattern.
fn quoted(byte: u8) -> u8 {
    match byte {
        b'*' => LITERAL_STAR,
        b'?' => LITERAL_QUESTION,
        b':' => LITERAL_COLON,
        other => other,
    }
}

/// The character that a pattern byte stands for when it is not a wildcard.
fn plain(byte: u8) -> u8 {
    match byte {
        LITERAL_STAR => b'*',
        LITERAL_QUESTION => b'?',
        LITERAL_COLON => b':',
        other => other,
    }
}

/// A text cut at its first five colons.
struct Segments<'t> {
    parts: [&'t [u8]; ARN_SEGMENTS],
    count: usize,
}

impl<'t> Segments<'t> {
    fn of(text: &'t [u8]) -> Self {
        let mut segments = Self { parts: [&[]; ARN_SEGMENTS], count: 0 };
        for (slot, part) in segments.parts.iter_mut().zip(text.splitn(ARN_SEGMENTS, |byte| *byte == b':')) {
            *slot = part;
            segments.count += 1;
        }
        segments
    }

    fn matches(&self, text: &Self) -> bool {
        self.parts
            .iter()
            .zip(text.parts)
            .all(|(pattern, text)| glob(pattern, text, true, |want, have| plain(want) == have))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `?`, and whether it may be a colon.
    One(bool),
    /// `*`, and whether it may take colons.
    Many(bool),
}

/// Matches a whole ARN by keeping the set of pattern positions reached so far.
fn glob_across_segments(pattern: &[u8], text: &[u8]) -> bool {
    let tokens = tokens(pattern);
    let mut reached = vec![false; tokens.len() + 1];
    mark(&tokens, &mut reached, 0);
    for byte in text {
        let mut next = vec![false; tokens.len() + 1];
        let continues = (0x80..=0xBF).contains(byte);
        for (at, _) in reached.iter().enumerate().filter(|(_, on)| **on) {
            let before = at.checked_sub(1).and_then(|before| tokens.get(before));
            if continues && matches!(before, Some(Token::One(_))) {
                // The `?` before has taken the first byte of this character.
                mark(&tokens, &mut next, at);
            }
            match tokens.get(at) {
                Some(Token::Many(colons)) if *colons || *byte != b':' => mark(&tokens, &mut next, at),
                Some(Token::One(colons)) if !continues && (*colons || *byte != b':') => {
                    mark(&tokens, &mut next, at + 1);
                }
                Some(Token::Byte(want)) if want == byte => mark(&tokens, &mut next, at + 1),
                _ => {}
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

fn tokens(pattern: &[u8]) -> Vec<Token> {
    let mut segment = 1;
    let mut tokens = Vec::with_capacity(pattern.len());
    for (at, byte) in pattern.iter().enumerate() {
        let last_segment = segment == ARN_SEGMENTS;
        let ends_segment = matches!(pattern.get(at + 1), None | Some(b':'));
        tokens.push(match byte {
            b'*' => Token::Many(last_segment || ends_segment),
            b'?' => Token::One(last_segment),
            other => Token::Byte(plain(*other)),
        });
        if *byte == b':' && !last_segment {
            segment += 1;
        }
    }
    tokens
}

/// Marks a position and all that follow it over stars, which may take nothing.
fn mark(tokens: &[Token], reached: &mut [bool], mut at: usize) {
    while let Some(slot) = reached.get_mut(at) {
        *slot = true;
        if !matches!(tokens.get(at), Some(Token::Many(_))) {
            break;
        }
        at += 1;
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
