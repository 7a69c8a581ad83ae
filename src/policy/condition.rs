//! Condition blocks: one operator, one key, its values, against what is known of the request.
//!
//! All published operators with their set forms (`ForAllValues`, `ForAnyValue`) and `IfExists`. A missing key makes a
//! positive operator false and a negated one true; a key whose value is not known makes the block unknown. Source: IAM
//! User Guide, "Condition operators" and "Single-valued vs. multivalued context keys".

use std::net::IpAddr;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::context::{Context, Lookup};
use super::document::Version;
use super::pattern::{Pattern, Resolved, resolve};
use super::statement::ConditionBlock;
use super::truth::Truth;
use crate::aws::window::parse_time;

/// What a single request value is compared by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Test {
    Equals,
    EqualsIgnoringCase,
    Like,
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
            Test::EqualsIgnoringCase if lower.contains("bool") => Self::Flag,
            Test::Equals if lower.contains("binary") => Self::Any,
            Test::Equals | Test::EqualsIgnoringCase => Self::Text,
            Test::Like | Test::Arn => Self::Any,
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
    if block.operator.eq_ignore_ascii_case("Null") {
        return null_holds(block, context);
    }
    let Some(operator) = Operator::parse(&block.operator) else { return Truth::Unknown };
    match context.get(&block.key) {
        Lookup::Unknown => Truth::Unknown,
        Lookup::Absent => operator.holds_without_key().into(),
        Lookup::Values([]) if operator.quantifier == Quantifier::Single => operator.holds_without_key().into(),
        Lookup::Values(values) => {
            let one = |value: &String| operator.value_passes(value, &block.values, version, context);
            match (operator.quantifier, values) {
                (Quantifier::All, _) => Truth::all(values.iter().map(one)),
                (Quantifier::Any, _) => Truth::any(values.iter().map(one)),
                (Quantifier::Single, [only]) => one(only),
                (Quantifier::Single, _) => agreed(values.iter().map(one)),
            }
        }
    }
}

/// AWS does not say how a single-valued operator treats a key with several values: known only where it cannot matter.
fn agreed(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut truths = truths.peekable();
    let first = truths.peek().copied().unwrap_or(Truth::Unknown);
    if truths.all(|truth| truth == first) { first } else { Truth::Unknown }
}

fn null_holds(block: &ConditionBlock, context: &Context) -> Truth {
    let absent = match context.get(&block.key) {
        Lookup::Unknown => return Truth::Unknown,
        Lookup::Absent | Lookup::Values([]) => true,
        Lookup::Values(_) => false,
    };
    Truth::any(block.values.iter().map(|value| value.eq_ignore_ascii_case(&absent.to_string()).into()))
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
            "stringequals" | "binaryequals" => (Test::Equals, false),
            "stringnotequals" => (Test::Equals, true),
            "stringequalsignorecase" | "bool" => (Test::EqualsIgnoringCase, false),
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

    fn holds_without_key(self) -> bool {
        if self.if_exists {
            return true;
        }
        match self.quantifier {
            Quantifier::All => true,
            Quantifier::Any => false,
            Quantifier::Single => self.negated,
        }
    }

    /// Values are alternatives; a negated operator passes where none of them fits.
    fn value_passes(self, value: &str, wanted: &[String], version: Version, context: &Context) -> Truth {
        let fits = Truth::any(wanted.iter().map(|wanted| match resolve(wanted, version, context) {
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
    fn fits(self, wanted: &Pattern<'_>, value: &str) -> Truth {
        let known = match self {
            Self::Equals => Some(wanted.equals(value)),
            Self::EqualsIgnoringCase => Some(wanted.equals_ignoring_case(value)),
            Self::Like => Some(wanted.matches(value)),
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

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// The ISO 8601 forms that W3C allows, with a zone where there is a time, or seconds since 1970.
fn date(text: &str) -> Option<DateTime<Utc>> {
    if text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return DateTime::from_timestamp(text.parse().ok()?, 0);
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
mod tests {
    use super::Truth::{False, True, Unknown};
    use super::*;

    fn check(operator: &str, wanted: &[&str], given: Option<&[&str]>, expected: Truth) {
        let block = ConditionBlock {
            operator: operator.into(),
            key: "k".into(),
            values: wanted.iter().map(|text| (*text).to_owned()).collect(),
        };
        let context = match given {
            Some(values) => Context::complete().with("K", values.iter().copied()),
            None => Context::complete(),
        };
        assert_eq!(holds(&block, Version::V2012, &context), expected, "{operator} {wanted:?} on {given:?}");
    }

    /// S31: a missing key makes a positive operator false and a negated one true; IfExists true; sets by their rule.
    #[test]
    fn missing_keys_decide_by_the_kind_of_operator() {
        for operator in ["StringEquals", "NumericLessThan", "Bool", "IpAddress", "ArnLike", "BinaryEquals"] {
            check(operator, &["1"], None, False);
            check(&format!("{operator}IfExists"), &["1"], None, True);
        }
        for operator in ["StringNotEquals", "StringNotLike", "NotIpAddress", "ArnNotEquals", "DateNotEquals"] {
            check(operator, &["1"], None, True);
        }
        check("ForAllValues:StringEquals", &["a"], None, True);
        check("ForAllValues:StringEquals", &["a"], Some(&[]), True);
        check("ForAnyValue:StringEquals", &["a"], None, False);
        check("ForAnyValue:StringNotEquals", &["a"], None, False);
        check("Null", &["true"], None, True);
        check("Null", &["false"], Some(&["x"]), True);
        check("Null", &["true"], Some(&["x"]), False);
    }

    /// S31: the whole published list of operators.
    #[test]
    fn operators_compare_as_published() {
        check("StringEquals", &["a", "b"], Some(&["b"]), True);
        check("StringEquals", &["a*"], Some(&["ab"]), False);
        check("StringNotEquals", &["a", "b"], Some(&["b"]), False);
        check("StringEqualsIgnoreCase", &["É"], Some(&["é"]), True);
        check("StringNotEqualsIgnoreCase", &["a"], Some(&["A"]), False);
        check("StringLike", &["a?c*"], Some(&["abc:d"]), True);
        check("StringNotLike", &["a*"], Some(&["ab"]), False);
        check("NumericEquals", &["10"], Some(&["10.0"]), True);
        check("NumericGreaterThanEquals", &["10"], Some(&["9"]), False);
        check("NumericLessThan", &["x"], Some(&["9"]), Unknown);
        check("DateGreaterThan", &["2026-01-01T00:00:00Z"], Some(&["2026-01-01T01:00:00+00:00"]), True);
        check("DateLessThan", &["1767225600"], Some(&["2025-12-31T23:59Z"]), True);
        check("DateEquals", &["2026-01-01"], Some(&["1767225600"]), True);
        check("Bool", &["true"], Some(&["TRUE"]), True);
        check("BinaryEquals", &["QmFzZTY0"], Some(&["QmFzZTY0"]), True);
        check("IpAddress", &["10.0.0.0/8", "2001:db8::/32"], Some(&["2001:db8::1"]), True);
        check("NotIpAddress", &["10.0.0.0/8"], Some(&["10.1.2.3"]), False);
        check("IpAddress", &["0.0.0.0/0"], Some(&["1.2.3.4"]), True);
        check("IpAddress", &["10.0.0.0/8"], Some(&["ec2.amazonaws.com"]), Unknown);
        check("ArnLike", &["arn:aws:iam::*:role/a*"], Some(&["arn:aws:iam::111122223333:role/ab"]), True);
        check("StringNearly", &["a"], Some(&["a"]), Unknown);
    }

    /// S31: set operators ask all values, or any.
    #[test]
    fn set_operators_quantify_over_the_values_of_the_request() {
        check("ForAllValues:StringEquals", &["a", "b"], Some(&["a", "b"]), True);
        check("ForAllValues:StringEquals", &["a"], Some(&["a", "b"]), False);
        check("ForAnyValue:StringLike", &["b*"], Some(&["a", "bc"]), True);
        check("ForAllValues:StringNotEquals", &["a"], Some(&["a", "b"]), False);
        check("StringEquals", &["a"], Some(&["a", "b"]), Unknown);
        check("StringEquals", &["c"], Some(&["a", "b"]), False);
    }

    /// S31: a value that the record does not show makes the answer unknown.
    #[test]
    fn partial_contexts_leave_blocks_undecided() {
        let block = ConditionBlock { operator: "Null".into(), key: "k".into(), values: vec!["true".into()] };
        assert_eq!(holds(&block, Version::V2012, &Context::partial()), Unknown);
        assert_eq!(holds(&block, Version::V2012, &Context::partial().without("K")), True);
        let block = ConditionBlock { operator: "StringEquals".into(), key: "k".into(), values: vec!["${u}".into()] };
        assert_eq!(holds(&block, Version::V2012, &Context::partial().with("k", ["x"])), Unknown);
        assert_eq!(holds(&block, Version::V2008, &Context::partial().with("k", ["${u}"])), True);
    }
}
