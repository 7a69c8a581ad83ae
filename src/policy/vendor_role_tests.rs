//! What a vendor's role is made of, and what IAM would refuse.

use super::super::admission::admissions;
use super::super::document::PolicyDocument;
use super::super::without_id::{IdAnswer, check_id};
use super::*;

pub(super) fn role() -> VendorRole {
    VendorRole {
        name: "DatadogAccess".to_owned(),
        description: "Lets Datadog in".to_owned(),
        principal: "arn:aws:iam::464622532012:root".to_owned(),
        external_id: None,
        source_identity: false,
        kind: PolicyKind::Inline,
        documents: Vec::new(),
        attached: Vec::new(),
        boundary: None,
        session_seconds: 3_600,
        tags: BTreeMap::new(),
    }
}

/// S40, S41: the trust of a made role refuses whoever has no id, or another, and lets the right one in.
#[test]
fn the_trust_refuses_callers_without_the_id() {
    for (source_identity, principal) in
        [(false, "arn:aws:iam::464622532012:root"), (true, "arn:aws:iam::464622532012:role/scanner")]
    {
        let made = VendorRole { source_identity, principal: principal.to_owned(), ..role() };
        let trust = PolicyDocument::from_value(&made.trust(&json!("23bc5533-157c-41bf-a01a-4ecb491471f6"))).unwrap();
        let admissions = admissions(&trust);
        assert_eq!(admissions.len(), 1);
        assert_eq!(check_id(&trust, &admissions[0]).answer, IdAnswer::Refuses);
        assert!(admissions[0].open, "the right caller comes in");
    }
}

/// S36: inline as long as all fit together, then managed, then split; names stay apart.
#[test]
fn documents_keep_to_the_sizes() {
    let document = |actions: usize| {
        let list: Vec<String> = (0..actions).map(|at| format!("ec2:DescribeSomethingLong{at:04}")).collect();
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list, "Resource": "*"}]})
    };
    let named = |name: &str, actions| RoleDocument { name: name.to_owned(), document: document(actions) };
    let arranged = |documents| {
        let (kind, documents) = arrange(documents).unwrap();
        (kind, documents.into_iter().map(|one| one.name).collect::<Vec<_>>())
    };
    let small = arranged(vec![named("a", 10), named("A", 10)]);
    assert_eq!(small, (PolicyKind::Inline, vec!["a".to_owned(), "A-2".to_owned()]));
    let (kind, names) = arranged(vec![named("a", 100), named("b", 250)]);
    assert_eq!((kind, names), (PolicyKind::Managed, ["a", "b", "b-2"].map(str::to_owned).to_vec()));
    let whole = json!({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "x".repeat(11_000)}]});
    assert!(arrange(vec![RoleDocument { name: "a".to_owned(), document: whole }]).is_err());
}

#[test]
fn what_iam_would_refuse_is_refused() {
    let check = |role: VendorRole, expected: &str| {
        let said = role.check().map_or_else(|error| error.to_string(), |()| "fine".to_owned());
        assert!(said.contains(expected), "{said}");
    };
    check(role(), "fine");
    check(VendorRole { name: "two words".to_owned(), ..role() }, "role name `two words`");
    check(VendorRole { name: "x".repeat(65), ..role() }, "role name");
    check(VendorRole { description: "\u{1b}".to_owned(), ..role() }, "description");
    let tagged = |key: &str, value: &str| VendorRole { tags: [(key.to_owned(), value.to_owned())].into(), ..role() };
    check(tagged("owner", "team/security"), "fine");
    check(tagged("aws:x", ""), "tag key");
    check(tagged("owner", "${x}"), "tag value");
    let attached = vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(); 11];
    check(VendorRole { attached, ..role() }, "11 managed policies where 10 are allowed");
    let boundary = Some(Boundary::Document(json!({"Statement": "x".repeat(7_000)})));
    check(VendorRole { boundary, ..role() }, "permissions boundary");
}
