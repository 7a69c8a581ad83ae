//! Tests of the linter: for every code the nearest document that has the finding and the nearest that has not.

use std::collections::BTreeSet;

use super::*;
use crate::policy::PolicyDocument;

/// Code, a statement (or what stands in its place) that has the finding, and the nearest that has not.
type Case = (&'static str, &'static str, &'static str);

fn codes(text: &str) -> Vec<&'static str> {
    lint(text, Catalog::builtin()).into_iter().map(|finding| finding.code).collect()
}

/// The rest of what makes a text a policy.
fn document(statement: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#)
}

fn check(cases: &[Case], text: impl Fn(&str) -> String) -> BTreeSet<&'static str> {
    for (code, bad, good) in cases {
        let (bad, good) = (text(bad), text(good));
        assert!(codes(&bad).contains(code), "{code} is not found in {bad}: {:?}", codes(&bad));
        assert!(!codes(&good).contains(code), "{code} is found in {good}");
    }
    cases.iter().map(|(code, ..)| *code).collect()
}

const DOCUMENTS: &[Case] = &[
    ("not-json", r#"{"Version": "2012-10-17",}"#, r#"{"Version": "2012-10-17"}"#),
    ("not-a-policy", r#"{"Version": "2012-10-17"}"#, r#"{"Statement": []}"#),
    ("not-a-policy", r#"{"Statement": ["Allow"]}"#, r#"{"Statement": [{}]}"#),
    ("not-a-policy", "[]", r#"{"Statement": {}}"#),
    ("duplicate-key", r#"{"Id": "a", "Statement": [], "Id": "b"}"#, r#"{"Id": "Id", "Statement": []}"#),
    ("unknown-key", r#"{"version": "2012-10-17", "Statement": []}"#, r#"{"Version": "2012-10-17", "Statement": []}"#),
    ("missing-version", r#"{"Statement": []}"#, r#"{"Version": "2012-10-17", "Statement": []}"#),
    ("old-version", r#"{"Version": "2008-10-17"}"#, r#"{"Version": "2012-10-17"}"#),
    ("unknown-version", r#"{"Version": "2026-05-01"}"#, r#"{"Version": "2008-10-17"}"#),
    ("unknown-version", r#"{"Version": 2012}"#, "{}"),
    ("empty-list", r#"{"Statement": []}"#, r#"{"Statement": {}}"#),
];

const STATEMENTS: &[Case] = &[
    ("wrong-type", r#"{"Action": 7}"#, r#"{"Action": "s3:GetObject"}"#),
    ("wrong-type", r#"{"Sid": null}"#, r#"{"Sid": ""}"#),
    ("wrong-type", r#"{"Principal": "111122223333"}"#, r#"{"Principal": "*"}"#),
    ("wrong-type", r#"{"Condition": {"Bool": "true"}}"#, r#"{"Condition": {"Bool": {"k": "true"}}}"#),
    ("wrong-type", r#"{"Condition": {"Bool": {"k": null}}}"#, r#"{"Condition": {"Bool": {"k": true}}}"#),
    (
        "duplicate-key",
        r#"{"Condition": {"StringLike": {"k": "a"}, "StringLike": {"l": "b"}}}"#,
        r#"{"Condition": {"StringLike": {"k": "a", "l": "b"}}}"#,
    ),
    ("unknown-key", r#"{"Actions": "s3:*"}"#, r#"{"Action": "s3:*"}"#),
    ("unknown-key", r#"{"Principal": {"aws": "*"}}"#, r#"{"Principal": {"AWS": "*"}}"#),
    ("empty-list", r#"{"Action": []}"#, r#"{"Action": ["s3:GetObject"]}"#),
    ("empty-list", r#"{"Resource": []}"#, r#"{"Resource": ["*"]}"#),
    ("empty-list", r#"{"Condition": {"Bool": {"k": []}}}"#, r#"{"Condition": {"Bool": {"k": ["true"]}}}"#),
    ("duplicate-sid", r#"{"Sid": "A"}, {"Sid": "A"}"#, r#"{"Sid": ""}, {"Sid": ""}, {"Sid": "A"}, {"Sid": "a"}"#),
    ("bad-sid", r#"{"Sid": "Read it"}"#, r#"{"Sid": "ReadIt1"}"#),
    ("bad-sid", r#"{"Sid": "Read-it"}"#, r#"{"Sid": "Read-it", "Principal": "*"}"#),
    (
        "repeated-statement",
        r#"{"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"]},
           {"Action": ["S3:putobject", "s3:GetObject"], "Effect": "Allow"}"#,
        r#"{"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/K"},
           {"Sid": "B", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/k"}"#,
    ),
    ("resource-policy", r#"{"Principal": "*"}"#, r#"{"Resource": "*"}"#),
    ("missing-principal", r#"{"Principal": "*"}, {"Resource": "*"}"#, r#"{"Principal": "*"}, {"NotPrincipal": "*"}"#),
    ("bad-effect", r#"{"Effect": "allow"}"#, r#"{"Effect": "Allow"}"#),
    ("bad-effect", "{}", r#"{"Effect": "Deny"}"#),
    ("missing-action", "{}", r#"{"NotAction": "s3:*"}"#),
    ("missing-resource", "{}", r#"{"Principal": "*"}"#),
    ("missing-resource", "{}", r#"{"NotResource": "arn:aws:s3:::b"}"#),
    ("both-elements", r#"{"Action": "s3:*", "NotAction": "s3:Get*"}"#, r#"{"Action": "s3:*"}"#),
    ("action-without-colon", r#"{"Action": "s3.GetObject"}"#, r#"{"Action": "*"}"#),
    ("wildcard-service-prefix", r#"{"Action": "s*:GetObject"}"#, r#"{"Action": ["s3:*", "*:*"]}"#),
    ("unknown-action", r#"{"Action": "s3:GetObjekt"}"#, r#"{"Action": "S3:getobject"}"#),
    ("unknown-action", r#"{"NotAction": "simplestorage:*"}"#, r#"{"NotAction": "s3:?et*"}"#),
    ("not-action-allow", r#"{"Effect": "Allow", "NotAction": "iam:*"}"#, r#"{"Effect": "Deny", "NotAction": "iam:*"}"#),
    (
        "not-resource-allow",
        r#"{"Effect": "Allow", "NotResource": "arn:aws:s3:::b"}"#,
        r#"{"Effect": "Deny", "NotResource": "arn:aws:s3:::b"}"#,
    ),
    (
        "not-principal-allow",
        r#"{"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}}"#,
        r#"{"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}}"#,
    ),
];

const NAMES: &[Case] = &[
    ("malformed-arn", r#"{"Resource": "arn:aws:s3:bucket"}"#, r#"{"Resource": "arn:aws:s3:::bucket"}"#),
    ("malformed-arn", r#"{"Resource": "bucket/*"}"#, r#"{"Resource": "*"}"#),
    ("malformed-arn", r#"{"Resource": "arn:aws:s3:::"}"#, r#"{"Resource": "arn:aws:s3:::*"}"#),
    ("malformed-arn", r#"{"NotResource": "arn::s3:::b"}"#, r#"{"NotResource": "arn:aws:s3:::b"}"#),
    (
        "malformed-arn",
        r#"{"Resource": "${aws:username}"}"#,
        r#"{"Resource": "arn:aws:sqs:*:${aws:PrincipalAccount}:x:${aws:username}"}"#,
    ),
    (
        "malformed-arn",
        r#"{"Principal": {"AWS": "arn:aws:iam"}}"#,
        r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}"#,
    ),
    ("short-arn", r#"{"Resource": "arn:aws:sns:*:topic"}"#, r#"{"Resource": "arn:aws:sns:*:*:topic"}"#),
    ("wildcard-service", r#"{"Resource": "arn:aws:*:::b"}"#, r#"{"Resource": "arn:*:s3:*:*:b"}"#),
    ("unknown-partition", r#"{"Resource": "arn:asw:s3:::b"}"#, r#"{"Resource": "arn:aws-us-gov:s3:::b"}"#),
    ("bad-account", r#"{"Resource": "arn:aws:sqs:*:12345678901:q"}"#, r#"{"Resource": "arn:aws:iam::aws:policy/x"}"#),
    (
        "bad-account",
        r#"{"Resource": "arn:aws:sqs:*:1111222233334:q"}"#,
        r#"{"Resource": "arn:aws:sqs:*:012345678901:q"}"#,
    ),
    ("malformed-principal", r#"{"Principal": {"AWS": "12345"}}"#, r#"{"Principal": {"AWS": ["111122223333", "*"]}}"#),
    ("malformed-principal", r#"{"Principal": {"AWS": "bob"}}"#, r#"{"Principal": {"AWS": "AROAEXAMPLE0123456789"}}"#),
    (
        "malformed-principal",
        r#"{"Principal": {"Service": "ec2"}}"#,
        r#"{"Principal": {"Service": "ec2.amazonaws.com"}}"#,
    ),
    (
        "malformed-principal",
        r#"{"Principal": {"Federated": ""}}"#,
        r#"{"Principal": {"Federated": "accounts.google.com"}}"#,
    ),
    (
        "wildcard-principal",
        r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/a*"}}"#,
        r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/a"}}"#,
    ),
];

/// Operator and values, as they stand in a `Condition` of an `Allow`.
const CONDITIONS: &[Case] = &[
    ("unknown-operator", r#""StringEqual": {"k": "v"}"#, r#""stringequals": {"k": "v"}"#),
    ("unknown-operator", r#""NullIfExists": {"k": "true"}"#, r#""Null": {"k": "true"}"#),
    ("unknown-operator", r#""ForEachValue:StringLike": {"k": "v"}"#, r#""ForAnyValue:StringLikeIfExists": {"k": "v"}"#),
    ("not-a-number", r#""NumericLessThan": {"k": "ten"}"#, r#""NumericLessThan": {"k": [10, "1.5"]}"#),
    (
        "not-a-date",
        r#""DateLessThan": {"k": "next week"}"#,
        r#""DateLessThan": {"k": ["2026-05-01T00:00:00Z", "1767225600"]}"#,
    ),
    ("not-a-network", r#""IpAddress": {"k": "10.0.0.0/33"}"#, r#""IpAddress": {"k": ["10.0.0.0/32", "192.0.2.7"]}"#),
    ("not-a-network", r#""NotIpAddress": {"k": "10.0.0.*"}"#, r#""NotIpAddress": {"k": "2001:db8::/32"}"#),
    ("not-a-bool", r#""Bool": {"k": "yes"}"#, r#""Bool": {"k": ["TRUE", false]}"#),
    ("not-a-bool", r#""Null": {"k": "1"}"#, r#""Null": {"k": "false"}"#),
    ("wildcard-without-like", r#""StringEquals": {"k": "a*"}"#, r#""StringLike": {"k": "a*"}"#),
    ("wildcard-without-like", r#""StringNotEquals": {"k": "a?"}"#, r#""StringNotEquals": {"k": "a${?}"}"#),
    (
        "for-all-values-allow",
        r#""ForAllValues:StringEquals": {"k": "v"}"#,
        r#""ForAllValues:StringEquals": {"k": "v"}, "Null": {"K": "false"}"#,
    ),
];

/// S30, S31, S36: every code is found where it should be, and not in the nearest document where it should not.
#[test]
fn every_code_has_its_nearest_cases() {
    let mut tested = check(DOCUMENTS, str::to_owned);
    tested.extend(check(STATEMENTS, document));
    tested.extend(check(NAMES, document));
    let allow = |inner: &str| document(&format!(r#"{{"Effect": "Allow", "Condition": {{{inner}}}}}"#));
    tested.extend(check(CONDITIONS, allow));
    // These need more than one statement to show: see the tests below.
    tested.extend(["variable-in-old-version", "too-large", "too-large-for-managed", "too-large-for-trust"]);
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!((tested, RULES.len()), (all.clone(), all.len()));
}

/// S31: version 2008-10-17, also when it is not written, has no variables.
#[test]
fn variables_need_the_version_of_2012() {
    let text = |version: &str| {
        let statement = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"}"#;
        codes(&format!(r#"{{{version} "Statement": {statement}}}"#))
    };
    assert_eq!(text(r#""Version": "2012-10-17","#), [""; 0]);
    assert_eq!(text(r#""Version": "2008-10-17","#), ["old-version", "variable-in-old-version"]);
    assert_eq!(text(""), ["missing-version", "variable-in-old-version"]);
}

/// S36: the limits of each kind of policy, one character below and one above; white space is not counted.
#[test]
fn sizes_are_those_of_the_kind() {
    let found = |rest: &str, size: usize| -> Vec<&str> {
        let text = |id: &str| format!(r#"{{ "Id": "{id}", "Statement": [ {{ {rest} }} ] }}"#);
        let empty = text("").chars().filter(|c| !c.is_whitespace()).count();
        let mut found = codes(&text(&"x".repeat(size - empty)));
        found.retain(|code| code.starts_with("too-large"));
        found
    };
    let (identity, trust) = (r#""Resource":"*""#, r#""Principal":"*","Action":"sts:AssumeRole""#);
    let bucket = r#""Principal":"*","Action":"s3:GetObject""#;
    assert_eq!(found(identity, 6_144), [""; 0]);
    assert_eq!(found(identity, 6_145), ["too-large-for-managed"]);
    assert_eq!(found(identity, 10_240), ["too-large-for-managed"]);
    assert_eq!(found(identity, 10_241), ["too-large"]);
    assert_eq!(found(trust, 2_048), [""; 0]);
    assert_eq!(found(trust, 2_049), ["too-large-for-trust"]);
    assert_eq!(found(trust, 4_097), ["too-large"]);
    assert_eq!(found(bucket, 20_000), [""; 0]);
}

/// S30: a finding tells its statement, its place, what is wrong and what to do.
#[test]
fn findings_tell_where_and_what() {
    let text = "{\"Version\": \"2012-10-17\",\n \"Statement\": [{\"Sid\": \"Lesen\", \"Effect\": \"Allow\",\n  \"Action\": [\"s3:GetObject\", \"s3:Gét\"],\n  \"Resource\": \"*\"},\n {\"effect\": \"Deny\"}]}";
    let found = lint(text, Catalog::builtin());
    let told: Vec<_> = found
        .iter()
        .map(|finding| {
            let Place { line, column } = finding.place;
            (line, column, finding.code, finding.statement.as_deref())
        })
        .collect();
    assert_eq!(
        told,
        [
            (3, 30, "unknown-action", Some("Lesen")),
            (5, 2, "bad-effect", Some("#2")),
            (5, 2, "missing-action", Some("#2")),
            (5, 2, "missing-resource", Some("#2")),
            (5, 3, "unknown-key", Some("#2")),
        ]
    );
    assert_eq!(found[0].message, "`s3:Gét` matches no known action");
    assert_eq!(found[4].message, "`effect` is no key of a statement; `Effect` is meant");
    let json = serde_json::to_value(&found[0]).unwrap();
    assert_eq!((&json["severity"], &json["line"], &json["column"]), (&"warning".into(), &3.into(), &30.into()));
}

/// S31: an action that nobody knows is told with what it is likely to mean.
#[test]
fn unknown_actions_say_why() {
    let check = |action: &str, why: &str| {
        let text = document(&format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#));
        let messages: Vec<_> = lint(&text, Catalog::builtin()).into_iter().map(|finding| finding.message).collect();
        assert_eq!(messages, [format!("`{action}` matches no known action{why}")]);
    };
    check("s3:GetObjcet", "; `s3:GetObject` is near");
    check("S3:listbuckets", "; `s3:ListBucket` is near");
    check("s3:MakeCoffee", "");
    check("s3:Objekt*", "");
    check("s3:", ": it names a service and no action");
    check("elb:DescribeTags", ": no service has the prefix `elb`");
}

/// S30: what cannot be read as a policy has an error, and what has no error can be read.
#[test]
fn unreadable_documents_have_errors() {
    let documents = DOCUMENTS.iter().flat_map(|(_, bad, good)| [(*bad).to_owned(), (*good).to_owned()]);
    let statements = STATEMENTS.iter().chain(NAMES).flat_map(|(_, bad, good)| [document(bad), document(good)]);
    for text in documents.chain(statements) {
        let refused = text.parse::<PolicyDocument>().is_err();
        let errors = lint(&text, Catalog::builtin()).iter().any(|finding| finding.severity == Severity::Error);
        assert!(errors || !refused, "{text}");
    }
}

/// S44: deep nesting and long input end in a finding, soon.
#[test]
fn hostile_texts_end_in_findings() {
    assert_eq!(codes(&"[".repeat(100_000)), ["not-json"]);
    assert_eq!(
        codes(&format!("{{\"Statement\":{}{}}}", "[".repeat(126), "]".repeat(126))).first(),
        Some(&"missing-version")
    );
    let long = document(&format!(r#"{{"Action": "{}"}}"#, "x".repeat(10_000)));
    assert!(lint(&long, Catalog::builtin()).iter().all(|finding| finding.message.len() < 200));
    let many =
        document(&format!(r#"{{"Effect": "Allow", "Resource": "*", "Action": [{}"s3:*"]}}"#, "\"x\",".repeat(20_000)));
    assert_eq!(codes(&many).iter().filter(|code| **code == "action-without-colon").count(), 20_000);
    let not_text = not_text("{\n  ");
    assert_eq!((not_text.place.line, not_text.place.column), (2, 3));
}
