//! The laws of evidence: merging is a commutative, associative and idempotent union with the empty evidence as its
//! identity, folding objects equals merging them, and tables hold all of it.
//!
//! Random trails: hand-offs, chains, calls, outsiders, data events, refusals, changes of logging, sign-ins, broken
//! records and broken objects, over several accounts and Regions, with events delivered in more than one object.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use thirdtrail::evidence::names::Name;
use thirdtrail::evidence::observe::{Observer, observe};
use thirdtrail::evidence::session::Actor;
use thirdtrail::evidence::tables::{TableError, Tables};
use thirdtrail::evidence::{Evidence, Scope};

const ACCOUNTS: [&str; 3] = ["012345678901", "111122223333", "222233334444"];
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
const ERRORS: [&str; 4] = ["", "", r#","errorCode":"AccessDenied""#, r#","errorCode":"ThrottlingException""#];
const NAMES: [(&str, &str); 4] =
    [("ec2", "RunInstances"), ("s3", "ListBuckets"), ("kms", "Decrypt"), ("s3", "GetObject")];

/// What a record is made of; small ranges, so that records meet.
#[derive(Clone, Copy, Debug)]
struct Seed {
    kind: u8,
    account: usize,
    region: usize,
    role: usize,
    session: usize,
    minute: usize,
    error: usize,
    name: usize,
}

fn seed() -> impl Strategy<Value = Seed> {
    (0..13_u8, 0..3_usize, 0..2_usize, 0..2_usize, 0..3_usize, 0..1440_usize, 0..4_usize, 0..4_usize).prop_map(
        |(kind, account, region, role, session, minute, error, name)| Seed {
            kind,
            account,
            region,
            role,
            session,
            minute,
            error,
            name,
        },
    )
}

/// The record of an event; equal events give equal records wherever they are delivered.
fn record(number: usize, seed: Seed) -> String {
    let Seed { kind, role, session, .. } = seed;
    let account = ACCOUNTS[seed.account];
    let (source, name) = NAMES[seed.name];
    let role_session = format!(
        r#""userIdentity":{{"type":"AssumedRole","principalId":"AROA{role}:s{session}","accountId":"{account}",
        "accessKeyId":"ASIA{session}","arn":"arn:aws:sts::{account}:assumed-role/R{role}/s{session}","sessionContext":{{
        "attributes":{{"creationDate":"2026-05-01T00:0{session}:00Z","mfaAuthenticated":"true"}},"sessionIssuer":{{
        "type":"Role","principalId":"AROA{role}","arn":"arn:aws:iam::{account}:role/v/R{role}",
        "accountId":"{account}","userName":"R{role}"}},"sourceIdentity":"jane{session}"}}}}"#
    );
    let outside = r#""userIdentity":{"type":"AWSAccount","principalId":"AIDAV","accountId":"464622532012"}"#;
    let asked = format!(
        r#""requestParameters":{{"roleArn":"arn:aws:iam::{account}:role/v/R{role}","roleSessionName":"s{session}",
        "externalId":"id-{session}"}},"responseElements":{{"credentials":{{"accessKeyId":"ASIA{session}"}},
        "assumedRoleUser":{{"assumedRoleId":"AROA{role}:s{session}"}}}},"sharedEventID":"shared-{number}""#
    );
    let user = format!(
        r#""userIdentity":{{"type":"IAMUser","principalId":"AIDA{role}","accountId":"{account}","userName":"u{role}",
        "arn":"arn:aws:iam::{account}:user/u{role}","accessKeyId":"AKIA{session}"}}"#
    );
    let data = r#""eventCategory":"Data","resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"}]"#;
    let (source, name, rest) = match kind {
        0 => ("sts", "AssumeRole", format!("{outside},{asked}")),
        1 => ("sts", "AssumeRole", format!("{role_session},{asked}")),
        2 => ("sts", "AssumeRoleWithWebIdentity", asked),
        3 => (source, name, outside.to_owned()),
        4 => (source, name, format!("{role_session},{data}")),
        5 => ("cloudtrail", "StopLogging", format!(r#"{role_session},"requestParameters":{{"name":"t{role}"}}"#)),
        6 => ("signin", "ConsoleLogin", r#""eventType":"AwsConsoleSignIn""#.to_owned()),
        7 => return if role == 0 { "7".to_owned() } else { format!(r#"{{"eventID":"broken-{number}"}}"#) },
        8 => (source, name, user),
        9 => {
            let policy = format!(
                r#""policyDocument":"{{\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"{account}\"}}}}}}""#
            );
            (
                "iam",
                "UpdateAssumeRolePolicy",
                format!(r#"{role_session},"requestParameters":{{"roleName":"R{role}",{policy}}}"#),
            )
        }
        10 => ("iam", "CreateAccessKey", format!(r#"{user},"requestParameters":{{"userName":"u{role}"}}"#)),
        _ => (source, name, format!(r#"{role_session},"requestParameters":{{"bucketName":"b{role}"}}"#)),
    };
    format!(
        r#"{{"eventID":"0a1b2c3d-0000-4000-8000-{number:012x}","eventTime":"2026-05-0{}T{:02}:{:02}:07Z","awsRegion":"{}",
        "eventSource":"{source}.amazonaws.com","eventName":"{name}","readOnly":{},"recipientAccountId":"{account}",
        "sourceIPAddress":"203.0.113.{session}","userAgent":"agent/{role}"{},{rest}}}"#,
        seed.minute % 3 + 1,
        seed.minute / 60,
        seed.minute % 60,
        REGIONS[seed.region],
        seed.role == 0,
        ERRORS[seed.error],
    )
}

/// Objects of a trail: keys and bytes. Some events lie in several objects, some objects are broken or undated.
fn trail() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let events = prop::collection::vec(seed(), 1..24);
    let objects = prop::collection::vec((prop::collection::vec(0..24_usize, 0..10), 0..8_u8, 0..3_usize), 1..7);
    (events, objects).prop_map(|(events, objects)| {
        let object = |(at, (members, fate, place)): (usize, (Vec<usize>, u8, usize))| {
            let records = members.iter().map(|one| one % events.len()).map(|one| record(one, events[one]));
            let text = format!(r#"{{"Records":[{}]}}"#, records.collect::<Vec<_>>().join(","));
            let (account, region) = (ACCOUNTS[place], REGIONS[place % 2]);
            match fate {
                0 => (format!("broken-{at}.json"), b"{\"Records\":[".to_vec()),
                1 => (format!("loose-{at}.json"), text.into_bytes()),
                _ => {
                    let key = format!("AWSLogs/{account}/CloudTrail/{region}/2026/05/0{}/{at}.json.gz", fate % 3 + 1);
                    (key, text.into_bytes())
                }
            }
        };
        objects.into_iter().enumerate().map(object).collect()
    })
}

/// Everything, and the calls of one user of each account.
fn scope() -> Scope {
    let users = ACCOUNTS.iter().map(|account| format!("arn:aws:iam::{account}:user/u0"));
    Scope { party_users: users.collect(), ..Scope::default() }
}

fn seen(objects: &[(String, Vec<u8>)]) -> Vec<Evidence> {
    let scope = Arc::new(scope());
    objects.iter().map(|(key, bytes)| observe(key, bytes, &scope)).collect()
}

fn union(parts: impl IntoIterator<Item = Evidence>) -> Evidence {
    let mut whole = Evidence::default();
    parts.into_iter().for_each(|part| whole.merge(part));
    whole
}

fn tables(evidence: &Evidence) -> Tables {
    evidence.to_tables().unwrap()
}

/// Everything in an evidence as texts, written without the code under test.
fn dump(evidence: &Evidence) -> BTreeSet<String> {
    let text = |name: Name| evidence.names.text(name).to_owned();
    let mut all: BTreeSet<String> = evidence.handoffs.iter().map(|pair| format!("{pair:?}")).collect();
    for (actor, acts) in &evidence.actors {
        let who = match *actor {
            Actor::Session { role, access_key, session_name, created, delegate } => format!(
                "{} {} {} {} {} {created:?} {delegate:?}",
                role.account,
                text(role.name),
                text(role.id),
                text(access_key),
                text(session_name)
            ),
            Actor::Outsider { account, principal } => format!("outsider {account} {}", text(principal)),
            Actor::User { account, arn, access_key } => format!("user {account} {} {}", text(arn), text(access_key)),
        };
        all.insert(format!("{who} {:?} {:?} {:?} {}", acts.networks, acts.agents, acts.source_identities, acts.mfa));
        for (key, sighting) in &acts.calls {
            let place = [key.region, key.source, key.name, key.via].map(text).join(" ");
            let ids = [&sighting.allowed, &sighting.denied, &sighting.failed].map(|ids| ids.to_sorted());
            let throttled = sighting.throttled.as_ref().map(|ids| ids.to_sorted());
            let calls = sighting.settled_calls(&evidence.names).into_iter();
            let calls: Vec<String> = calls
                .map(|call| {
                    let told = (call.id, call.seconds, call.outcome, call.read_only, call.texts(&evidence.names));
                    format!("{told:?}")
                })
                .collect();
            let mut rest = sighting.clone();
            (rest.throttled, rest.calls) = (None, Vec::new());
            (rest.allowed, rest.denied, rest.failed) = Default::default();
            all.insert(format!(
                "{who} {} {place} {:?} {ids:?} {throttled:?} {calls:?} {rest:?}",
                key.account, key.hints
            ));
        }
    }
    all.extend(evidence.keys.iter().map(|(key, used)| format!("{} {} {used:?}", text(key.user), text(key.key))));
    all.extend(evidence.changes.iter().map(|pair| format!("{pair:?}")));
    let roles = evidence.roles.iter();
    all.extend(roles.map(|(role, span)| format!("{} {} {} {span:?}", role.account, text(role.name), text(role.id))));
    all.insert(format!("{:?}", evidence.out_of_scope.to_sorted()));
    let coverage = &evidence.coverage;
    all.extend(coverage.objects.iter().map(|pair| format!("{pair:?}")));
    all.insert(format!("{:?} {:?}", coverage.failed, coverage.bad_records));
    all.extend(
        coverage.places.iter().map(|((account, region), place)| format!("{account} {} {place:?}", text(*region))),
    );
    all.extend(coverage.seen.iter().map(|(key, recorded)| {
        format!("{} {} {recorded:?}", key.account, [key.region, key.source, key.name].map(text).join(" "))
    }));
    all.insert(format!("{:?} {:?}", coverage.data_types, coverage.logging));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Invariant 3 and S4: evidences merge in any order and any grouping, once or twice, with the same bytes.
    #[test]
    fn merging_is_a_commutative_idempotent_monoid(objects in trail()) {
        let parts = seen(&objects);
        let third = parts.len() / 3;
        let (a, b, c) = (
            union(parts[..third].iter().cloned()),
            union(parts[third..2 * third].iter().cloned()),
            union(parts[2 * third..].iter().cloned()),
        );
        let of = |parts: &[&Evidence]| tables(&union(parts.iter().map(|part| (*part).clone())));
        let whole = of(&[&a, &b, &c]);
        prop_assert_eq!(&of(&[&c, &b, &a]), &whole);
        let (ab, bc) = (union([a.clone(), b.clone()]), union([b.clone(), c.clone()]));
        prop_assert_eq!(&of(&[&ab, &c]), &whole);
        prop_assert_eq!(&of(&[&a, &bc]), &whole);
        prop_assert_eq!(&of(&[&c, &c]), &tables(&c));
        prop_assert_eq!(&of(&[&ab, &bc, &ab]), &whole);
        let mut left = c.clone();
        left.merge(Evidence::default());
        prop_assert_eq!(tables(&left), tables(&c));
    }

    /// Invariant 3: one worker that folds all objects, in any order, finds what many workers find together.
    #[test]
    fn folding_objects_equals_merging_them(objects in trail(), turn in 0..7_usize) {
        let apart = union(seen(&objects));
        let mut order: Vec<_> = objects.iter().collect();
        order.rotate_left(turn % objects.len());
        order.reverse();
        let mut worker = Observer::new(Arc::new(scope()));
        for (key, bytes) in order {
            worker.observe(key, bytes);
        }
        let folded = worker.finish();
        prop_assert_eq!(dump(&folded), dump(&apart));
        prop_assert_eq!(tables(&folded), tables(&apart));
    }

    /// Invariant 2: every record is counted exactly once: used, out of scope, duplicate or bad.
    #[test]
    fn every_record_has_one_fate(objects in trail()) {
        let counts = union(seen(&objects)).record_counts();
        prop_assert_eq!(counts.total, counts.used + counts.out_of_scope + counts.duplicate + counts.bad);
    }

    /// Saved evidence is the evidence: nothing is lost in the tables, and they give the same bytes again.
    #[test]
    fn tables_hold_all_of_the_evidence(objects in trail()) {
        let evidence = union(seen(&objects));
        let saved = tables(&evidence);
        let read = Evidence::from_tables(saved.clone()).unwrap();
        prop_assert_eq!(dump(&read), dump(&evidence));
        prop_assert_eq!(tables(&read), saved);
    }
}

/// The random trails are of use only if they hold all there is.
#[test]
fn trails_hold_every_kind_of_evidence() {
    let role = |kind| usize::from(kind != 8);
    let error = |kind| if kind == 4 { 3 } else { 0 };
    let events: Vec<String> = (0..12)
        .map(|kind| Seed {
            kind,
            account: 0,
            region: 0,
            role: role(kind),
            session: 1,
            minute: 5,
            error: error(kind),
            name: 3,
        })
        .enumerate()
        .map(|(at, seed)| record(at, seed))
        .collect();
    let text = format!(r#"{{"Records":[{}]}}"#, events.join(","));
    let evidence = union(seen(&[("x.json".to_owned(), text.into_bytes()), ("y.json".to_owned(), b"{".to_vec())]));
    assert_eq!(evidence.handoffs.len(), 3);
    assert!(evidence.actors.keys().any(|actor| matches!(actor, Actor::Outsider { .. })));
    assert!(evidence.actors.keys().any(|actor| matches!(actor, Actor::Session { .. })));
    assert!(evidence.actors.keys().any(|actor| matches!(actor, Actor::User { .. })));
    let sightings = || evidence.actors.values().flat_map(|acts| acts.calls.values());
    assert!(sightings().any(|sighting| sighting.throttled() > 0));
    assert_eq!((evidence.keys.len(), evidence.changes.len()), (2, 2));
    let coverage = &evidence.coverage;
    assert_eq!((coverage.failed.len(), coverage.bad_records.len(), coverage.logging.len()), (1, 1, 1));
    assert!(!coverage.data_types.is_empty() && !coverage.places.is_empty() && !coverage.seen.is_empty());
    assert!(!evidence.out_of_scope.is_empty() && !evidence.roles.is_empty());
}

/// S44: a table that is missing, cut or not ours is an error.
#[test]
fn damaged_tables_are_refused() {
    let saved = tables(&Evidence::default());
    assert!(saved.len() > 5, "{:?}", saved.keys());
    for name in saved.keys() {
        let mut missing = saved.clone();
        missing.remove(name);
        assert!(matches!(Evidence::from_tables(missing), Err(TableError::Missing(_))), "{name}");
        let mut cut = saved.clone();
        cut.get_mut(name).unwrap().truncate(20);
        assert!(matches!(Evidence::from_tables(cut), Err(TableError::Table { .. })), "{name}");
    }
    assert_eq!(tables(&Evidence::from_tables(saved.clone()).unwrap()), saved);
}

/// S5: an addendum repeats an earlier event with changes; which of the two stays does not depend on their order.
#[test]
fn an_event_told_in_two_ways_merges_in_any_order() {
    let first = record(3, Seed { kind: 0, account: 0, region: 0, role: 0, session: 0, minute: 5, error: 0, name: 0 });
    let again = first.replace("203.0.113.0", "198.51.100.9").replace(
        r#""readOnly""#,
        r#""addendum":{"reason":"UPDATED_DATA","originalEventID":"0a1b2c3d-0000-4000-8000-000000000003"},"readOnly""#,
    );
    assert!(again.contains("198.51.100.9") && again.contains("addendum"), "{again}");
    let object = |name: &str, record: String| (name.to_owned(), format!(r#"{{"Records":[{record}]}}"#).into_bytes());
    let mut parts = seen(&[object("a.json", first), object("b.json", again)]);
    let forth = tables(&union(parts.clone()));
    parts.reverse();
    assert_eq!(tables(&union(parts)), forth);
}
