//! Patterns compared with regular expressions: a second opinion that needs nothing beside the tree.
//!
//! Each rule of the IAM User Guide is written down once more, as a translation into a regular expression, and compared
//! with the matcher on many short texts over an alphabet in which everything that means something is frequent.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use regex::Regex;
use thirdtrail::aws::Action;
use thirdtrail::policy::condition::holds;
use thirdtrail::policy::document::Version;
use thirdtrail::policy::evaluate::matches_action;
use thirdtrail::policy::pattern::Pattern;
use thirdtrail::policy::statement::ConditionBlock;
use thirdtrail::policy::{ActionMatch, Context, Truth};

/// How many segments an ARN has.
const SEGMENTS: usize = 6;

fn compiled(body: &str, flags: &str) -> Regex {
    Regex::new(&format!("(?s{flags})\\A(?:{body})\\z")).unwrap()
}

/// A text with wildcards, where a star becomes `many` and a question mark `one`.
fn translated(pattern: &str, many: &str, one: &str) -> String {
    pattern
        .chars()
        .map(|character| match character {
            '*' => many.to_owned(),
            '?' => one.to_owned(),
            plain => regex::escape(plain.encode_utf8(&mut [0; 4])),
        })
        .collect()
}

/// Action names: wildcards anywhere, without case.
fn action(pattern: &str) -> Regex {
    // Without case means ASCII here: no service has other letters in its actions.
    compiled(&translated(pattern, ".*", "."), "i")
}

/// `StringLike`: wildcards anywhere, with case.
fn string_like(pattern: &str) -> Regex {
    compiled(&translated(pattern, ".*", "."), "")
}

/// `ArnLike`: six segments, each for itself; only the last may hold colons.
fn arn_like(pattern: &str) -> Option<Regex> {
    let segments: Vec<&str> = pattern.splitn(SEGMENTS, ':').collect();
    let (last, before) = segments.split_last().filter(|(_, before)| before.len() == SEGMENTS - 1)?;
    let mut body: String = before.iter().map(|segment| translated(segment, "[^:]*", "[^:]") + ":").collect();
    body += &translated(last, ".*", ".");
    Some(compiled(&body, ""))
}

/// `Resource`: as `ArnLike`, but a star at the end of a segment takes colons, too.
fn resource(pattern: &str) -> Regex {
    let segments: Vec<&str> = pattern.splitn(SEGMENTS, ':').collect();
    let one = |(index, segment): (usize, &&str)| match segment.strip_suffix('*') {
        _ if index == SEGMENTS - 1 => translated(segment, ".*", "."),
        Some(inner) => translated(inner, "[^:]*", "[^:]") + ".*",
        None => translated(segment, "[^:]*", "[^:]"),
    };
    let body: Vec<String> = segments.iter().enumerate().map(one).collect();
    compiled(&body.join(":"), "")
}

/// Short texts in which wildcards, separators and a character of several bytes are frequent.
fn text() -> impl Strategy<Value = String> {
    "[ab:/é]{0,9}"
}

fn pattern() -> impl Strategy<Value = String> {
    "[ab:/é*?]{0,9}"
}

/// A pattern and an ARN, or nearly one: the pattern is the text with pieces widened, so that many match.
fn pattern_and_arn() -> impl Strategy<Value = (String, String)> {
    let count = prop_oneof![8 => Just(SEGMENTS), 1 => Just(SEGMENTS - 1), 1 => Just(SEGMENTS + 1)];
    let segment = ("[aAé/]{0,3}", 0..12u8, 0..4usize);
    let swallowed = prop::option::weighted(0.3, (0..SEGMENTS, 1..3usize));
    (count.prop_flat_map(move |count| prop::collection::vec(segment.clone(), count)), swallowed).prop_map(
        |(segments, swallowed)| {
            let text: Vec<&str> = segments.iter().map(|(text, ..)| text.as_str()).collect();
            let mut pattern: Vec<String> = segments.iter().map(|(text, how, at)| widened(text, *how, *at)).collect();
            if let Some((from, count)) = swallowed {
                // A star in the place of several segments: only one that may cross colons still matches.
                let to = (from + count).min(pattern.len());
                pattern.splice(from.min(to)..to, ["*".to_owned()]);
            }
            (pattern.join(":"), text.join(":"))
        },
    )
}

fn widened(text: &str, how: u8, at: usize) -> String {
    let (head, tail): (String, String) = (text.chars().take(at).collect(), text.chars().skip(at).collect());
    match how {
        0 => "*".to_owned(),
        1 => format!("{head}*"),
        2 => format!("*{tail}"),
        3 => format!("{head}*{tail}"),
        4 => format!("{head}?{}", tail.chars().skip(1).collect::<String>()),
        5 => format!("{text}?"),
        _ => text.to_owned(),
    }
}

fn single(operator: &str, wanted: &str, given: &str) -> Truth {
    let block = ConditionBlock { operator: operator.into(), key: "k".into(), values: vec![wanted.to_owned()] };
    holds(&block, Version::V2012, &Context::complete().with("k", [given]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// S31: `StringLike` on any text.
    #[test]
    fn strings_match_as_a_regular_expression(pattern in pattern(), text in text()) {
        let expected = string_like(&pattern).is_match(&text);
        prop_assert_eq!(Pattern::new(&pattern).matches(&text), expected);
        prop_assert_eq!(single("StringLike", &pattern, &text), expected.into());
        prop_assert_eq!(single("StringNotLike", &pattern, &text), (!expected).into());
    }

    /// S31: action names, whatever their case.
    #[test]
    fn actions_match_as_a_regular_expression(pattern in "[abAB:*?]{0,7}", name in "[abAB]{1,6}") {
        let name = format!("a:{name}");
        let expected = action(&pattern).is_match(&name);
        prop_assert_eq!(Pattern::new(&pattern).matches_action(&name), expected);
        let parsed = Action::parse(&name).unwrap();
        prop_assert_eq!(matches_action(&ActionMatch::Action(vec![pattern.clone()]), &parsed), expected);
        prop_assert_eq!(matches_action(&ActionMatch::NotAction(vec![pattern]), &parsed), !expected);
    }

    /// S31: resources of any form, the whole pattern `*` included.
    #[test]
    fn resources_match_as_a_regular_expression(pattern in pattern(), text in text()) {
        prop_assert_eq!(Pattern::new(&pattern).matches_resource(&text), resource(&pattern).is_match(&text));
    }

    /// S31: resources that are ARNs, or nearly.
    #[test]
    fn arns_match_as_a_regular_expression((pattern, text) in pattern_and_arn()) {
        prop_assert_eq!(Pattern::new(&pattern).matches_resource(&text), resource(&pattern).is_match(&text));
    }

    /// S31: `ArnLike`, undecided where one side is no ARN.
    #[test]
    fn arn_conditions_match_as_a_regular_expression((pattern, text) in pattern_and_arn()) {
        let is_arn = text.splitn(SEGMENTS, ':').count() == SEGMENTS;
        let expected = arn_like(&pattern).filter(|_| is_arn).map(|expression| expression.is_match(&text));
        prop_assert_eq!(Pattern::new(&pattern).matches_arn_segments(&text), expected);
        let truth = expected.map_or(Truth::Unknown, Truth::from);
        prop_assert_eq!(single("ArnLike", &pattern, &text), truth);
        prop_assert_eq!(single("ArnNotEquals", &pattern, &text), truth.negate());
    }

    /// S31: a resource that certainly matches matches the expression, and one that certainly does not, does not.
    #[test]
    fn certain_answers_on_resources_are_those_of_the_expression((pattern, text) in pattern_and_arn()) {
        let expected = resource(&pattern).is_match(&text);
        let ours = Pattern::new(&pattern).covers_resource(&text);
        prop_assert!(ours == Truth::from(expected) || (ours == Truth::Unknown && !expected), "{:?}", ours);
    }

    /// S34: what a pattern contains it matches, and a pattern contains itself and is contained in `*`.
    #[test]
    fn containment_follows_from_the_expressions(wide in "[ab*?]{0,5}", narrow in "[ab*?]{0,5}", name in "[ab]{0,5}") {
        let contains = |wide: &str, narrow: &str| Pattern::new(wide).contains_action_pattern(narrow);
        if contains(&wide, &narrow) && action(&narrow).is_match(&name) {
            prop_assert!(action(&wide).is_match(&name));
        }
        prop_assert!(contains("*", &wide) && contains(&wide, &wide));
        // Without wildcards in the narrower pattern containing is matching.
        prop_assert_eq!(contains(&wide, &name), action(&wide).is_match(&name));
    }
}

/// The properties are of use only if both answers are frequent, and if stars that cross colons decide some.
#[test]
fn texts_match_and_do_not() {
    let mut runner = TestRunner::deterministic();
    let pairs = (0..1_000).map(|_| pattern_and_arn().new_tree(&mut runner).unwrap().current());
    let (mut matched, mut crossed) = (0, 0);
    for (pattern, text) in pairs {
        let matches = resource(&pattern).is_match(&text);
        matched += usize::from(matches);
        crossed += usize::from(matches && !arn_like(&pattern).is_some_and(|expression| expression.is_match(&text)));
    }
    assert!((200..800).contains(&matched) && crossed > 50, "{matched} of 1000 match, {crossed} across colons");
}
