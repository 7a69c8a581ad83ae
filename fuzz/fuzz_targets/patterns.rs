//! Random patterns against a matcher so naive that it can be checked by reading it.
//!
//! The input is three lines: a pattern, a narrower pattern, a text. The naive matcher tries every way a star can go and
//! therefore has a budget; where that is spent, nothing is compared.

#![no_main]

use libfuzzer_sys::fuzz_target;
use thirdtrail::policy::pattern::Pattern;

/// Steps the naive matcher may take for one comparison.
const STEPS: usize = 20_000;
const ARN_SEGMENTS: usize = 6;

fuzz_target!(|input: &str| {
    let mut lines = input.split('\n');
    let (Some(pattern), Some(narrower), Some(text)) = (lines.next(), lines.next(), lines.next()) else { return };
    agrees("string", Pattern::new(pattern).matches(text), naive(pattern, text));
    let (lower_pattern, lower_text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    agrees("action", Pattern::new(pattern).matches_action(text), naive(&lower_pattern, &lower_text));
    agrees("resource", Pattern::new(pattern).matches_resource(text), naive_resource(pattern, text));
    if Pattern::new(pattern).contains_action_pattern(narrower) && Pattern::new(narrower).matches_action(text) {
        assert!(Pattern::new(pattern).matches_action(text), "the wider pattern does not match");
    }
});

fn agrees(what: &str, ours: bool, naive: Option<bool>) {
    assert!(naive.is_none_or(|naive| naive == ours), "{what}: ours is {ours}");
}

fn characters(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// `None` where the budget is spent.
fn naive(pattern: &str, text: &str) -> Option<bool> {
    let pattern: Vec<Token> = pattern.chars().map(|character| token(character, true)).collect();
    matches(&pattern, &characters(text), &mut STEPS.clone())
}

/// The rule as published, segment by segment: a star at a segment's end, and any in the last one, may take colons.
fn naive_resource(pattern: &str, text: &str) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    let segments: Vec<&str> = pattern.splitn(ARN_SEGMENTS, ':').collect();
    let mut tokens = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            tokens.push(Token::Character(':'));
        }
        let length = segment.chars().count();
        for (at, character) in segment.chars().enumerate() {
            let crosses = index + 1 == ARN_SEGMENTS || (character == '*' && at + 1 == length);
            tokens.push(token(character, crosses));
        }
    }
    matches(&tokens, &characters(text), &mut STEPS.clone())
}

#[derive(Clone, Copy)]
enum Token {
    Character(char),
    One { colons: bool },
    Many { colons: bool },
}

fn token(character: char, colons: bool) -> Token {
    match character {
        '*' => Token::Many { colons },
        '?' => Token::One { colons },
        other => Token::Character(other),
    }
}

fn matches(pattern: &[Token], text: &[char], steps: &mut usize) -> Option<bool> {
    *steps = steps.checked_sub(1)?;
    let Some((first, rest)) = pattern.split_first() else { return Some(text.is_empty()) };
    let taken = |colons: bool| text.split_first().filter(|(character, _)| colons || **character != ':');
    match *first {
        Token::Character(wanted) => match text.split_first() {
            Some((have, after)) if *have == wanted => matches(rest, after, steps),
            _ => Some(false),
        },
        Token::One { colons } => taken(colons).map_or(Some(false), |(_, after)| matches(rest, after, steps)),
        Token::Many { colons } => {
            if matches(rest, text, steps)? {
                return Some(true);
            }
            taken(colons).map_or(Some(false), |(_, after)| matches(pattern, after, steps))
        }
    }
}
