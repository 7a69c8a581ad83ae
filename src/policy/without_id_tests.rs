//! What trust policies do with a caller without its external id, case by case.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::admission::admissions;
use super::super::evaluate::Decision;
use super::super::trust::trust_decision;
use super::*;

const ID: &str = "23bc5533-157c-41bf-a01a-4ecb491471f6";
const VENDOR: &str = "arn:aws:iam::464622532012:root";

fn document(statements: Value) -> PolicyDocument {
    PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn statement(effect: &str, principal: Value, condition: Value) -> Value {
    json!({"Effect": effect, "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition})
}

fn allow(condition: Value) -> Value {
    statement("Allow", json!({"AWS": VENDOR}), condition)
}

fn deny(condition: Value) -> Value {
    statement("Deny", json!("*"), condition)
}

fn exact() -> Value {
    json!({"StringEquals": {"sts:ExternalId": ID}})
}

fn of(operator: &str, value: Value) -> Value {
    json!({operator: {"sts:ExternalId": value}})
}

fn answers(statements: &Value) -> Vec<IdCheck> {
    let trust = document(statements.clone());
    admissions(&trust).iter().map(|admission| check_id(&trust, admission)).collect()
}

fn check(statements: Value, answer: IdAnswer, deciding: &[&str], conditions: &[&str]) {
    let found = answers(&statements).remove(0);
    let texts = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
    assert_eq!(found.answer, answer, "{statements}");
    assert_eq!(texts(&found.statements), deciding, "{statements}");
    assert_eq!(texts(&found.conditions), conditions, "{statements}");
}

/// S40: every way to demand an id, and the ways that only look like one.
#[test]
fn the_answer_is_that_of_the_evaluation() {
    use IdAnswer::{AdmitsAny, AdmitsWithout, Refuses, Unknown};
    let conditions = json!({});
    check(json!([allow(exact())]), Refuses, &["#1"], &[]);
    check(json!([allow(conditions.clone())]), AdmitsWithout, &["#1"], &[]);
    check(json!([allow(exact()), allow(conditions.clone())]), AdmitsWithout, &["#2"], &[]);
    check(json!([allow(of("StringLike", json!("*")))]), AdmitsAny, &["#1"], &[]);
    check(json!([allow(of("StringLike", json!("?*-*")))]), AdmitsAny, &["#1"], &[]);
    check(json!([allow(of("StringEqualsIfExists", json!(ID)))]), AdmitsWithout, &["#1"], &[]);
    check(json!([allow(of("Null", json!("false")))]), AdmitsAny, &["#1"], &[]);
    check(json!([allow(of("Null", json!("true")))]), AdmitsWithout, &["#1"], &[]);
    check(json!([allow(of("ForAllValues:StringEquals", json!(ID)))]), AdmitsWithout, &["#1"], &[]);
    check(json!([allow(of("ForAnyValue:StringEquals", json!(ID)))]), Refuses, &["#1"], &[]);
    check(json!([allow(of("StringNotEquals", json!("other")))]), AdmitsWithout, &["#1"], &[]);
    check(json!([allow(json!({"StringEquals": {"STS:externalid": [ID, "second"]}}))]), Refuses, &["#1"], &[]);
    // An id that hangs on the caller cannot be told.
    check(json!([allow(of("StringEquals", json!("${aws:PrincipalTag/id}")))]), Unknown, &["#1"], &[]);
    check(json!([allow(json!({"StringSame": {"sts:ExternalId": ID}}))]), Unknown, &["#1"], &[]);
}

/// S40: denials count, and so do those of which nobody knows whether they hold.
#[test]
fn denials_refuse() {
    use IdAnswer::{AdmitsAny, AdmitsWithout, Refuses, Unknown};
    check(json!([allow(json!({})), deny(of("StringNotEquals", json!(ID)))]), Refuses, &["#2"], &[]);
    check(json!([allow(json!({})), deny(of("Null", json!("true")))]), AdmitsAny, &["#1"], &[]);
    check(json!([allow(json!({})), deny(json!({}))]), Refuses, &["#2"], &[]);
    let elsewhere = json!({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}});
    check(json!([allow(json!({})), deny(elsewhere)]), AdmitsWithout, &["#1"], &["aws:SourceIp"]);
    let by_tag = of("StringNotEquals", json!("${aws:PrincipalTag/id}"));
    check(json!([allow(json!({})), deny(by_tag)]), Unknown, &["#1", "#2"], &[]);
    let unlike = of("StringNotEqualsIfExists", json!("${aws:PrincipalTag/id}"));
    check(json!([allow(of("Null", json!("false"))), deny(unlike)]), Unknown, &["#1", "#2"], &[]);
    // Allowed from an address, denied from an address: whether from the same one is not told.
    let here = json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}});
    check(json!([allow(here.clone()), deny(here)]), Unknown, &["#1"], &["aws:SourceIp"]);
}

/// S40: other conditions do not stand in for an id, and are named.
#[test]
fn other_conditions_are_taken_as_met() {
    use IdAnswer::{AdmitsWithout, Refuses};
    let address = json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}});
    check(json!([allow(address.clone())]), AdmitsWithout, &["#1"], &["aws:SourceIp"]);
    let mut both = exact();
    both["IpAddress"] = address["IpAddress"].clone();
    check(json!([allow(both)]), Refuses, &["#1"], &[]);
    let other_account = json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}});
    check(json!([allow(exact()), allow(other_account)]), Refuses, &["#1", "#2"], &[]);
}

/// S40: each principal has its own answer.
#[test]
fn principals_are_judged_one_by_one() {
    let role = "arn:aws:iam::464622532012:role/Scanner";
    let found = answers(&json!([allow(exact()), statement("Allow", json!({"AWS": role}), json!({}))]));
    let words: Vec<&str> = found.iter().map(|one| one.answer.word()).collect();
    assert_eq!(words, ["admits_without", "refuses"], "the role, then the account");
    let everybody = answers(&json!([statement("Allow", json!("*"), exact())]));
    assert_eq!(everybody[0].answer, IdAnswer::Refuses);
    let public = answers(&json!([statement("Allow", json!("*"), json!({}))]));
    assert_eq!(public[0].answer, IdAnswer::AdmitsWithout);
}

/// S41: a pattern admits ids that nobody agreed on, unless what is fixed of it is as good as an id.
#[test]
fn guessable_patterns_admit_wrong_ids() {
    for (pattern, expected, by_pattern) in [
        ("acme-*", IdAnswer::AdmitsAny, true),
        ("acme-?????", IdAnswer::AdmitsAny, true),
        ("kD83hfKs92hfKSjw83-*", IdAnswer::Refuses, false),
        ("*", IdAnswer::AdmitsAny, false),
    ] {
        let found = answers(&json!([allow(of("StringLike", json!(pattern)))])).remove(0);
        assert_eq!((found.answer, found.by_pattern), (expected, by_pattern), "{pattern}");
    }
}

/// Conditions on the id, and on what else a call may show.
fn any_condition() -> impl Strategy<Value = Value> {
    let of_id = prop::sample::select(vec![
        json!({}),
        exact(),
        of("StringLike", json!("*")),
        of("StringLike", json!("acme-*")),
        of("StringNotEquals", json!(ID)),
        of("StringEqualsIfExists", json!(ID)),
        of("Null", json!("true")),
        of("Null", json!("false")),
        of("ForAllValues:StringLike", json!([ID, "x"])),
    ]);
    let others = prop::sample::select(vec![
        json!({}),
        json!({}),
        json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
        json!({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
    ]);
    (of_id, others).prop_map(|(mut condition, other)| {
        for (operator, block) in other.as_object().unwrap() {
            condition[operator] = block.clone();
        }
        condition
    })
}

fn any_trust() -> impl Strategy<Value = Value> {
    let principal = prop::sample::select(vec![json!({"AWS": VENDOR}), json!({"AWS": "464622532012"}), json!("*")]);
    let effect = prop::sample::select(vec!["Allow", "Allow", "Deny"]);
    let one = (effect, principal, any_condition())
        .prop_map(|(effect, principal, condition)| statement(effect, principal, condition));
    prop::collection::vec(one, 1..4).prop_map(Value::from)
}

/// Whether some call with that id is let in, found by making all calls that differ in what the conditions ask about.
fn some_call_is_let_in(trust: &PolicyDocument, id: Option<&str>) -> bool {
    let caller = Caller::Arn("arn:aws:iam::464622532012:role/Scanner");
    let action = assume_role().unwrap();
    let addresses = ["198.51.100.7", "203.0.113.7"];
    let calls = addresses.iter().flat_map(|address| [None, Some("true"), Some("false")].map(|mfa| (*address, mfa)));
    calls.into_iter().any(|(address, mfa)| {
        let mut context = Context::complete().with("aws:SourceIp", [address]);
        context = mfa.into_iter().fold(context, |context, mfa| context.with("aws:MultiFactorAuthPresent", [mfa]));
        context = id.into_iter().fold(context, |context, id| context.with(KEY, [id]));
        trust_decision(trust, &action, caller, context).decision == Decision::Allowed
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// S40: no false alarm and nothing missed: what is answered is what making the calls shows, or is unknown.
    #[test]
    fn answers_agree_with_making_every_call(statements in any_trust()) {
        let trust = document(statements.clone());
        let without = some_call_is_let_in(&trust, None);
        let mut wrong = ["acme-stranger", STRANGE_IDS[0], STRANGE_IDS[1]].into_iter();
        let any = wrong.any(|id| some_call_is_let_in(&trust, Some(id)));
        let vendors = admissions(&trust).into_iter().filter(|one| one.account.is_some());
        for admission in vendors {
            let found = check_id(&trust, &admission).answer;
            match found {
                IdAnswer::AdmitsWithout => prop_assert!(without, "{statements}"),
                IdAnswer::AdmitsAny => prop_assert!(any, "{statements}"),
                IdAnswer::Refuses => prop_assert!(!any && !without, "{statements}"),
                IdAnswer::Unknown => {}
            }
        }
    }
}
