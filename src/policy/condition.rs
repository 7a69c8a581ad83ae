//! Condition blocks: one operator, one key, its values, against what is known of the request.
//!
//! All published operators with their set forms (`ForAllValues`, `ForAnyValue`) and `IfExists`. A missing key makes a
//! positive operator false and a negated one true; a key whose value is not known makes the block unknown. Source: IAM
//! User Guide, "Condition operators" and "Single-valued vs. multivalued context keys".

use std::net::IpAddr;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::context::{Context, Lookup};
use super::document::Version;
use super::pattern::{Pattern, Resolved, has_variables, resolve};
use super::statement::ConditionBlock;
use super::truth::Truth;
use crate::aws::window::parse_time;

/// What a single request value is compared by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Test {
    Equals,
    EqualsIgnoringCase,
    Like,
    Bool,
    Binary,
    Numeric(Comparison),
    Date(Comparison),
    Ip,
    Arn,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quantifier {
    /// `ForAllValues`
    All,
    /// `ForAnyValue`
    Any,
    /// A single-valued key.
    Single,
}

/// A parsed operator; `Null` is handled before one is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Operator {
    quantifier: Quantifier,
    test: Test,
    negated: bool,
    if_exists: bool,
}

/// What the values of an operator must be, told to those who write policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// Any text, in which wildcards are ordinary characters.
    Text,
    /// Any text: patterns, ARNs, Base64.
    Any,
    /// A number.
    Number,
    /// An ISO 8601 date or time, or seconds since 1970.
    Date,
    /// An address, or a range in CIDR form.
    Network,
    /// `true` or `false`.
    Flag,
}

impl Operand {
    /// Of an operator with its prefix and suffix, in any case; `None` where there is no such operator.
    #[must_use]
    pub fn of(operator: &str) -> Option<Self> {
        let lower = operator.to_ascii_lowercase();
        if lower == "null" {
            return Some(Self::Flag);
        }
        Some(match Operator::parse(&lower)?.test {
            Test::Bool => Self::Flag,
            Test::Equals | Test::EqualsIgnoringCase => Self::Text,
            Test::Like | Test::Arn | Test::Binary => Self::Any,
            Test::Numeric(_) => Self::Number,
            Test::Date(_) => Self::Date,
            Test::Ip => Self::Network,
        })
    }

    /// Whether a value is one.
    #[must_use]
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text | Self::Any => true,
            Self::Number => number(value).is_some(),
            Self::Date => date(value).is_some(),
            Self::Network => in_network(value.split('/').next().unwrap_or_default(), value).is_some(),
            Self::Flag => ["true", "false"].iter().any(|flag| flag.eq_ignore_ascii_case(value)),
        }
    }
}

/// Whether all blocks hold; an operator that is not known here makes the answer unknown.
#[must_use]
pub fn all_hold(blocks: &[ConditionBlock], version: Version, context: &Context) -> Truth {
    Truth::all(blocks.iter().map(|block| holds(block, version, context)))
}

/// Whether one block holds.
#[must_use]
pub fn holds(block: &ConditionBlock, version: Version, context: &Context) -> Truth {
    Condition::new(block, version).holds(context)
}

/// Whether an operator holds where no value fits; `None` for `Null` and for operators that are not known here.
#[must_use]
pub fn is_negated(operator: &str) -> Option<bool> {
    Operator::parse(operator).map(|operator| operator.negated)
}

/// A block with its operator and key read, to be asked again and again.
#[derive(Clone, Debug)]
pub struct Condition {
    test: BlockTest,
    /// In lower case.
    key: Box<str>,
    wanted: Vec<String>,
    version: Version,
}

#[derive(Clone, Copy, Debug)]
enum BlockTest {
    Null,
    Operator(Operator),
    /// An operator that is not known here.
    Unknown,
}

impl Condition {
    /// Reads a block.
    #[must_use]
    pub fn new(block: &ConditionBlock, version: Version) -> Self {
        let test = match Operator::parse(&block.operator) {
            _ if block.operator.eq_ignore_ascii_case("Null") => BlockTest::Null,
            Some(operator) => BlockTest::Operator(operator),
            None => BlockTest::Unknown,
        };
        Self { test, key: block.key.to_ascii_lowercase().into(), wanted: block.values.clone(), version }
    }

    /// Whether the block holds.
    #[must_use]
    pub fn holds(&self, context: &Context) -> Truth {
        let given = context.get_folded(&self.key);
        let operator = match self.test {
            BlockTest::Null => return self.null_holds(given),
            BlockTest::Operator(operator) => operator,
            BlockTest::Unknown => return Truth::Unknown,
        };
        match given {
            Lookup::Unknown => Truth::Unknown,
            Lookup::Absent | Lookup::Values([]) => operator.holds_without_key(),
            Lookup::Values(values) => {
                let one = |value: &String| operator.value_passes(value, &self.wanted, self.version, context);
                match (operator.quantifier, values) {
                    // "A null data set, such as an empty string" counts as no value.
                    (Quantifier::All, _) if values.iter().all(String::is_empty) => Truth::True,
                    (Quantifier::All, _) => Truth::all(values.iter().map(one)),
                    (Quantifier::Any, _) => Truth::any(values.iter().map(one)),
                    (Quantifier::Single, [only]) => one(only),
                    // AWS does not say whether several values then match by any, by all, or never.
                    (Quantifier::Single, _) => Truth::any(values.iter().map(one)).and(Truth::Unknown),
                }
            }
        }
    }

    fn null_holds(&self, given: Lookup<'_>) -> Truth {
        let absent = match given {
            Lookup::Unknown => return Truth::Unknown,
            Lookup::Absent | Lookup::Values([]) => "true",
            Lookup::Values(_) => "false",
        };
        Truth::any(self.wanted.iter().map(|value| value.eq_ignore_ascii_case(absent).into()))
    }
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (quantifier, rest) = if let Some(rest) = lower.strip_prefix("forallvalues:") {
            (Quantifier::All, rest)
        } else if let Some(rest) = lower.strip_prefix("foranyvalue:") {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::Single, lower.as_str())
        };
        let (name, if_exists) = match rest.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (test, negated) = match name {
            "stringequals" => (Test::Equals, false),
            "stringnotequals" => (Test::Equals, true),
            "stringequalsignorecase" => (Test::EqualsIgnoringCase, false),
            "bool" => (Test::Bool, false),
            "binaryequals" => (Test::Binary, false),
            "stringnotequalsignorecase" => (Test::EqualsIgnoringCase, true),
            "stringlike" => (Test::Like, false),
            "stringnotlike" => (Test::Like, true),
            "ipaddress" => (Test::Ip, false),
            "notipaddress" => (Test::Ip, true),
            "arnequals" | "arnlike" => (Test::Arn, false),
            "arnnotequals" | "arnnotlike" => (Test::Arn, true),
            other => compared(other)?,
        };
        Some(Self { quantifier, test, negated, if_exists })
    }

    fn holds_without_key(self) -> Truth {
        match self.quantifier {
            Quantifier::All => Truth::True,
            // "False" says the page on set operators, "true" the one on `IfExists`.
            Quantifier::Any if self.if_exists => Truth::Unknown,
            Quantifier::Any => Truth::False,
            Quantifier::Single => (self.negated || self.if_exists).into(),
        }
    }

    /// Values are alternatives; a negated operator passes where none of them fits.
    fn value_passes(self, value: &str, wanted: &[String], version: Version, context: &Context) -> Truth {
        let fits = Truth::any(wanted.iter().map(|wanted| match resolve(wanted, version, context) {
            Resolved::Pattern(_) if has_variables(wanted, version) && !self.test.takes_variables() => Truth::Unknown,
            Resolved::Pattern(pattern) => self.test.fits(&pattern, value),
            // For a negated operator AWS does not say whether the statement is void.
            Resolved::Absent if !self.negated => Truth::False,
            Resolved::Absent | Resolved::Unknown => Truth::Unknown,
        }));
        if self.negated { fits.negate() } else { fits }
    }
}

fn compared(name: &str) -> Option<(Test, bool)> {
    let (test, rest): (fn(Comparison) -> Test, &str) = if let Some(rest) = name.strip_prefix("numeric") {
        (Test::Numeric, rest)
    } else {
        (Test::Date, name.strip_prefix("date")?)
    };
    let (comparison, negated) = match rest {
        "equals" => (Comparison::Equal, false),
        "notequals" => (Comparison::Equal, true),
        "lessthan" => (Comparison::Less, false),
        "lessthanequals" => (Comparison::LessOrEqual, false),
        "greaterthan" => (Comparison::Greater, false),
        "greaterthanequals" => (Comparison::GreaterOrEqual, false),
        _ => return None,
    };
    Some((test(comparison), negated))
}

impl Test {
    /// AWS replaces variables for string and ARN operators only, and does not say what becomes of the others.
    fn takes_variables(self) -> bool {
        matches!(self, Self::Equals | Self::EqualsIgnoringCase | Self::Like | Self::Arn)
    }

    fn fits(self, wanted: &Pattern<'_>, value: &str) -> Truth {
        let known = match self {
            Self::Equals | Self::Binary => Some(wanted.equals(value)),
            Self::EqualsIgnoringCase => Some(wanted.equals_ignoring_case(value)),
            Self::Like => Some(wanted.matches(value)),
            Self::Bool => flag(value).zip(flag(&wanted.literal())).map(|(have, want)| have == want),
            Self::Numeric(comparison) => number(value)
                .zip(number(&wanted.literal()))
                .and_then(|(have, want)| have.partial_cmp(&want).map(|ordering| comparison.accepts(ordering))),
            Self::Date(comparison) => {
                date(value).zip(date(&wanted.literal())).map(|(have, want)| comparison.accepts(have.cmp(&want)))
            }
            Self::Ip => in_network(value, &wanted.literal()),
            Self::Arn => wanted.matches_arn_segments(value),
        };
        known.map_or(Truth::Unknown, Truth::from)
    }
}

impl Comparison {
    fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// An integer or decimal value; what else Rust reads as a number (`1e3`, `inf`) AWS may not.
fn number(text: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    text.parse::<f64>().ok().filter(|_| text.bytes().all(plain))
}

fn flag(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

/// The ISO 8601 forms that W3C allows from the month on, with a zone where there is a time, or seconds since 1970.
///
/// Four digits alone could be a year or seconds: no date.
fn date(text: &str) -> Option<DateTime<Utc>> {
    if text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return DateTime::from_timestamp(text.parse().ok()?, 0);
    }
    if text.len() == 7 {
        return parse_time(&format!("{text}-01"));
    }
    parse_time(text).or_else(|| {
        let minutes = text.strip_suffix('Z')?;
        NaiveDateTime::parse_from_str(minutes, "%Y-%m-%dT%H:%M").ok().map(|time| time.and_utc())
    })
}

/// `None` where either side is no address, as with the service names that CloudTrail writes for an address.
fn in_network(address: &str, network: &str) -> Option<bool> {
    let address: IpAddr = address.parse().ok()?;
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base.parse().ok()?, Some(length.parse::<u32>().ok()?)),
        None => (network.parse::<IpAddr>().ok()?, None),
    };
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let length = length.unwrap_or(32);
            let shift = 32_u32.checked_sub(length)?;
            Some((address.to_bits() ^ base.to_bits()).checked_shr(shift).unwrap_or(0) == 0)
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let length = length.unwrap_or(128);
            let shift = 128_u32.checked_sub(length)?;
            Some((address.to_bits() ^ base.to_bits()).checked_shr(shift).unwrap_or(0) == 0)
        }
        _ => Some(false),
    }
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
