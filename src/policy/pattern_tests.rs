//! Tests of [`super`], apart because the matchers fill their file.

use proptest::prelude::*;

use super::*;

fn check(matches: impl Fn(&Pattern<'_>, &str) -> bool, cases: &[(&str, &str, bool)]) {
    for (pattern, text, expected) in cases {
        assert_eq!(matches(&Pattern::new(pattern), text), *expected, "{pattern} on {text}");
    }
}

/// S31: actions are case-insensitive, with `*` and `?` anywhere.
#[test]
fn actions_match_without_case_and_with_wildcards_anywhere() {
    check(
        |pattern, text| pattern.matches_action(text),
        &[
            ("s3:getobject", "S3:GetObject", true),
            ("s3:*Object*", "s3:GetObjectAcl", true),
            ("s3:Get?bject", "s3:GetObject", true),
            ("s3:Get?", "s3:Get", false),
            ("*", "iam:PassRole", true),
            ("*:Get*", "s3:GetObject", true),
            ("s3:*", "s3-outposts:GetObject", false),
            ("s3:*t*t", "s3:PutBucket", true),
            ("", "s3:GetObject", false),
        ],
    );
}

/// S31: a star that ends an ARN segment may cross colons; others stay inside their segment.
#[test]
fn resource_stars_cross_colons_only_from_the_end_of_a_segment() {
    check(
        |pattern, text| pattern.matches_resource(text),
        &[
            ("*", "anything", true),
            ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b:c", true),
            ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", false),
            ("arn:aws:sns:*:topic", "arn:aws:sns:eu-west-1:111122223333:topic", true),
            ("arn:aws:sns:*", "arn:aws:sns:eu-west-1:111122223333:topic", true),
            ("arn:aws:sns:eu-*-1:111122223333:t", "arn:aws:sns:eu-west-1:111122223333:t", true),
            ("arn:aws:sns:e*1:t", "arn:aws:sns:eu-west-1:1:t", false),
            ("arn:aws:sns:e*1:?:t*", "arn:aws:sns:eu-west-1:1:t:u", true),
            ("arn:aws:s?s:*:q", "arn:aws:sqs:eu-west-1:111122223333:q", true),
            ("arn:aws:s?*:*:q", "arn:aws:sé:eu-west-1:1:q", true),
            ("arn:aws:s??:*:q", "arn:aws:sé:eu-west-1:1:q", false),
            ("arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:role/x", true),
            ("arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:role/X", false),
            ("*", "*", true),
            ("arn:aws:s3:::b", "*", false),
        ],
    );
}

/// S31: where AWS does not say what a resource pattern means, the answer is unknown.
#[test]
fn resource_patterns_of_unclear_meaning_are_undecided() {
    use Truth::{False, True, Unknown};
    let check = |pattern: &str, text: &str, expected| {
        assert_eq!(Pattern::new(pattern).covers_resource(text), expected, "{pattern} on {text}");
    };
    let queue = "arn:aws:sqs:eu-west-1:111122223333:queue";
    check("arn:aws:sqs", queue, Unknown);
    check("arn:aws:sqs:eu-west-1:111122223333", queue, Unknown);
    check("arn:aws:sqs:us-east-1", queue, False);
    check("arn:aws:sqs*", queue, True);
    check("arn:aws:sqs:*queue", queue, False);
    check("arn:aws:SQS:*:111122223333:queue", queue, Unknown);
    check("arn:aws:SQS:*:111122223333:Queue", queue, False);
    check("arn:aws:sqs:eu-west-1:111122223333:Queue", queue, False);
    check("arn:aws:sqs:eu-west-1:111122223333:q?eue", queue, True);
    check("**", queue, True);
    assert!(Pattern::new("**").is_anything() && !Pattern::new("").is_anything());
}

/// S31: a variable stands for no part of an ARN before the resource, and only quotation marks make a default.
#[test]
fn variables_that_aws_does_not_promise_are_undecided() {
    let context = Context::complete().with("aws:PrincipalAccount", ["111122223333"]);
    let early = "arn:aws:iam::${aws:PrincipalAccount}:role/x";
    assert_eq!(resolve_resource(early, Version::V2012, &context), Resolved::Unknown);
    assert!(matches!(resolve(early, Version::V2012, &context), Resolved::Pattern(_)));
    assert!(matches!(resolve_resource(early, Version::V2008, &context), Resolved::Pattern(_)));
    let late = resolve_resource("arn:aws:s3:::${aws:PrincipalAccount}-logs", Version::V2012, &context);
    assert!(matches!(late, Resolved::Pattern(pattern) if pattern.matches_resource("arn:aws:s3:::111122223333-logs")));
    for unclear in ["${team, none}", "${team,'none'}", "${team, 'none'"] {
        assert!(
            !matches!(resolve(unclear, Version::V2012, &context), Resolved::Pattern(pattern) if pattern.matches("none"))
        );
    }
    assert_eq!(resolve("${team, none}", Version::V2012, &context), Resolved::Unknown);
}

/// S31: `ArnLike` compares each of the six segments for itself.
#[test]
fn arn_conditions_never_cross_segments() {
    let check = |pattern: &str, text: &str, expected| {
        assert_eq!(Pattern::new(pattern).matches_arn_segments(text), expected, "{pattern} on {text}");
    };
    check("arn:aws:sns:*:*:topic", "arn:aws:sns:eu-west-1:111122223333:topic", Some(true));
    check("arn:aws:sns:*:*:*", "arn:aws:sns:eu-west-1:111122223333:a:b", Some(true));
    check("arn:aws:sns:*:topic", "arn:aws:sns:eu-west-1:111122223333:topic", None);
    check("arn:aws:iam::1:role/a*", "arn:aws:iam::2:role/ab", Some(false));
}

/// S31: policy variables are replaced in 2012-10-17 only, and what they bring in is literal.
#[test]
fn variables_are_replaced_only_in_the_version_that_has_them() {
    let context = Context::complete().with("aws:username", ["a*b"]).with("many", ["x", "y"]);
    let matches = |text: &str, version, resource: &str| match resolve(text, version, &context) {
        Resolved::Pattern(pattern) => pattern.matches(resource),
        other => panic!("{other:?}"),
    };
    assert!(matches("home/${aws:UserName}/*", Version::V2012, "home/a*b/x"));
    assert!(!matches("home/${aws:username}/*", Version::V2012, "home/aXb/x"));
    assert!(matches("home/${aws:username}", Version::V2008, "home/${aws:username}"));
    assert!(matches("${team, 'none'}/${*}${?}${$}", Version::V2012, "none/*?$"));
    assert!(!matches("${*}", Version::V2012, "x"));
    assert!(matches("${open", Version::V2012, "${open"));
    assert_eq!(resolve("${team}", Version::V2012, &context), Resolved::Absent);
    assert_eq!(resolve("${many}", Version::V2012, &context), Resolved::Unknown);
    assert_eq!(resolve("${team, 'none'}", Version::V2012, &Context::partial()), Resolved::Unknown);
}

/// S34: a pattern is inside another only where every star is swallowed by a star.
#[test]
fn containment_of_patterns_is_sound() {
    check(
        |pattern, text| pattern.contains_action_pattern(text),
        &[
            ("s3:*", "S3:Get*", true),
            ("s3:Get*", "s3:*", false),
            ("s3:Get?", "s3:Get*", false),
            ("s3:Get?", "s3:Get?", true),
            ("s3:*t*", "s3:Get*", true),
            ("*", "*:*", true),
            ("s3:*t", "s3:Get*", false),
        ],
    );
}

/// S44: no pattern makes matching explode.
#[test]
fn hostile_patterns_end_quickly() {
    let text = format!("arn:aws:s3:::{}", "a".repeat(2_000));
    let stars = format!("arn:aws:s3*:::{}b", "a*".repeat(500));
    assert!(!Pattern::new(&stars).matches_resource(&text));
    assert!(!Pattern::new(&stars).matches(&text));
}

fn naive(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
        Some(('?', rest)) => !text.is_empty() && naive(rest, &text[1..]),
        Some((want, rest)) => text.first() == Some(want) && naive(rest, &text[1..]),
    }
}

proptest! {
    /// S31: the matcher agrees with the obvious recursive one, which is too slow to ship.
    #[test]
    fn glob_agrees_with_the_naive_matcher(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(Pattern::new(&pattern).matches(&text), naive(&characters(&pattern), &characters(&text)));
    }

    /// S31: without stars at segment ends both ways to match an ARN agree.
    #[test]
    fn crossing_matcher_agrees_inside_the_last_segment(pattern in "[ab*?é:]{0,8}", text in "[abé:]{0,8}") {
        let (pattern, text) = (format!("arn:a:b:c:d:{pattern}"), format!("arn:a:b:c:d:{text}"));
        let across = glob_across_segments(pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(Pattern::new(&pattern).matches_resource(&text), across);
    }

    /// S34: containment never claims too much.
    #[test]
    fn contained_patterns_match_no_more(wide in "s:[ab*?]{0,6}", narrow in "s:[ab*?]{0,6}", text in "s:[ab]{0,6}") {
        if Pattern::new(&wide).contains_action_pattern(&narrow) && Pattern::new(&narrow).matches_action(&text) {
            prop_assert!(Pattern::new(&wide).matches_action(&text));
        }
    }
}
