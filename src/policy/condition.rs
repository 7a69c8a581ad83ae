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
        check("NumericEquals", &["1e1"], Some(&["10"]), Unknown);
        check("NumericEquals", &["-0.50"], Some(&["-.5"]), True);
        check("DateGreaterThan", &["2026-01-01T00:00:00Z"], Some(&["2026-01-01T01:00:00+00:00"]), True);
        check("DateLessThan", &["1767225600"], Some(&["2025-12-31T23:59Z"]), True);
        check("DateEquals", &["2026-01-01"], Some(&["1767225600"]), True);
        check("DateEquals", &["2026-01"], Some(&["2026-01-01T00:00:00Z"]), True);
        check("DateEquals", &["2026"], Some(&["2026-01-01T00:00:00Z"]), Unknown);
        check("Bool", &["true"], Some(&["TRUE"]), True);
        check("Bool", &["1"], Some(&["1"]), Unknown);
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
        check("ForAllValues:StringEquals", &["a"], Some(&[""]), True);
        check("ForAnyValue:StringEquals", &["a"], Some(&[]), False);
    }

    /// S31: an operator for one value may do anything with several but match where none of them matches.
    #[test]
    fn several_values_without_a_set_operator_are_no_certain_match() {
        check("StringEquals", &["a"], Some(&["a", "b"]), Unknown);
        check("StringEquals", &["a", "b"], Some(&["a", "b"]), Unknown);
        check("StringEquals", &["c"], Some(&["a", "b"]), False);
        check("StringNotEquals", &["c"], Some(&["a", "b"]), Unknown);
        check("StringNotEquals", &["a", "b"], Some(&["a", "b"]), False);
    }

    /// S31: the pages on `IfExists` and on `ForAnyValue` say different things about a missing key.
    #[test]
    fn any_value_if_exists_without_its_key_is_undecided() {
        check("ForAnyValue:StringEqualsIfExists", &["a"], None, Unknown);
        check("ForAnyValue:StringEquals", &["a"], None, False);
        check("ForAllValues:StringEqualsIfExists", &["a"], None, True);
    }

    /// S31: only string and ARN operators take variables.
    #[test]
    fn variables_in_other_operators_are_not_replaced() {
        let holds_for = |operator: &str, wanted: &str| {
            let block = ConditionBlock { operator: operator.into(), key: "k".into(), values: vec![wanted.into()] };
            holds(&block, Version::V2012, &Context::complete().with("k", ["10"]).with("u", ["10"]))
        };
        assert_eq!(holds_for("StringEquals", "${u}"), True);
        assert_eq!(holds_for("NumericEquals", "${u}"), Unknown);
        assert_eq!(holds_for("NumericNotEquals", "${u}"), Unknown);
        assert_eq!(holds_for("BinaryEquals", "${u}"), Unknown);
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
