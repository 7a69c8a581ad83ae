//! Conditions as the IAM User Guide publishes them, and what it leaves open.

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
