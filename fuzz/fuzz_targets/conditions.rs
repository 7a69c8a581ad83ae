//! Random condition blocks in random contexts: never a crash, and the laws that operators keep among themselves.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use thirdtrail::policy::condition::holds;
use thirdtrail::policy::document::Version;
use thirdtrail::policy::statement::ConditionBlock;
use thirdtrail::policy::{Context, Truth};

/// Each operator that can be negated, with its negation.
const NEGATIONS: [(&str, &str); 8] = [
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("NumericEquals", "NumericNotEquals"),
    ("DateEquals", "DateNotEquals"),
    ("IpAddress", "NotIpAddress"),
    ("ArnLike", "ArnNotLike"),
    ("ArnEquals", "ArnNotEquals"),
];
const OTHERS: [&str; 10] = [
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// Chooses a known operator; what lies beyond takes `spelled`.
    operator: u8,
    spelled: &'a str,
    wanted: Vec<&'a str>,
    /// `None` is an absent key.
    given: Option<Vec<&'a str>>,
    /// What the variable `${u}` stands for.
    username: Option<&'a str>,
    old: bool,
    partial: bool,
}

impl Input<'_> {
    fn context(&self, partial: bool) -> Context {
        let context = if partial { Context::partial() } else { Context::complete() };
        let context = match &self.given {
            Some(values) => context.with("Key", values.iter().copied()),
            None => context,
        };
        match self.username {
            Some(name) => context.with("u", [name]),
            None => context,
        }
    }

    fn holds_in(&self, operator: &str, context: &Context) -> Truth {
        let values = self.wanted.iter().map(|value| (*value).to_owned()).collect();
        let block = ConditionBlock { operator: operator.to_owned(), key: "kEY".to_owned(), values };
        holds(&block, if self.old { Version::V2008 } else { Version::V2012 }, context)
    }

    fn holds(&self, operator: &str) -> Truth {
        self.holds_in(operator, &self.context(self.partial))
    }
}

fuzz_target!(|input: Input<'_>| {
    let operators = NEGATIONS.iter().flat_map(|(positive, negated)| [*positive, *negated]).chain(OTHERS);
    let operator = operators.chain(["Null"]).nth(usize::from(input.operator)).unwrap_or(input.spelled);
    let plain = input.holds(operator);
    assert_eq!(plain, input.holds(&operator.to_ascii_uppercase()), "case of the operator");
    more_knowledge_confirms(&input, operator);
    let known = OTHERS.contains(&operator) || NEGATIONS.iter().any(|(one, other)| [*one, *other].contains(&operator));
    if known {
        if_exists_asks_only_what_exists(&input, operator, plain);
        one_value_needs_no_quantifier(&input, operator, plain);
    }
    if let Some((positive, negated)) = NEGATIONS.iter().find(|(one, other)| [*one, *other].contains(&operator)) {
        negation_turns(&input, positive, negated);
    }
});

/// What is certain while keys are unknown stays so when those keys turn out to be absent.
fn more_knowledge_confirms(input: &Input<'_>, operator: &str) {
    for operator in [operator.to_owned(), format!("ForAllValues:{operator}"), format!("ForAnyValue:{operator}IfExists")] {
        let (partly, fully) =
            (input.holds_in(&operator, &input.context(true)), input.holds_in(&operator, &input.context(false)));
        assert!(partly == Truth::Unknown || partly == fully, "{operator}: {partly:?} and then {fully:?}");
    }
}

fn if_exists_asks_only_what_exists(input: &Input<'_>, operator: &str, plain: Truth) {
    let if_exists = input.holds(&format!("{operator}IfExists"));
    match &input.given {
        Some(values) if !values.is_empty() => assert_eq!(if_exists, plain, "{operator}IfExists with its key"),
        None if !input.partial => assert_eq!(if_exists, Truth::True, "{operator}IfExists without its key"),
        _ => {}
    }
}

fn one_value_needs_no_quantifier(input: &Input<'_>, operator: &str, plain: Truth) {
    // An empty text is no value to `ForAllValues`.
    if input.given.as_ref().is_some_and(|values| values.len() == 1 && values != &[""]) {
        assert_eq!(input.holds(&format!("ForAllValues:{operator}")), plain, "ForAllValues:{operator}");
        assert_eq!(input.holds(&format!("ForAnyValue:{operator}")), plain, "ForAnyValue:{operator}");
    }
}

fn negation_turns(input: &Input<'_>, positive: &str, negated: &str) {
    let (one, other) = (input.holds(positive), input.holds(negated));
    let certain = one != Truth::Unknown && other != Truth::Unknown;
    assert!(!certain || one != other, "{positive} and {negated} are both {one:?}");
}
