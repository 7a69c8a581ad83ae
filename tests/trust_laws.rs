//! Laws of narrower trust policies, on made-up policies and hand-offs: nobody new comes in, everybody who came still does,
//! whatever the verdicts about external ids claim.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use thirdtrail::activity::directory::Directory;
use thirdtrail::activity::party::{Accounts, NO_ORGANIZATION};
use thirdtrail::aws::window::parse_time;
use thirdtrail::aws::{AccountId, Action, Fingerprint};
use thirdtrail::cloudtrail::handoff::HandOffKind;
use thirdtrail::finding::assessment::{ExternalIdUse, SentId};
use thirdtrail::finding::hand_offs::{By, Times, Way, Ways};
use thirdtrail::finding::trust::entries;
use thirdtrail::finding::trust_narrowing::propose;
use thirdtrail::finding::trust_steps::{Facts, TrustNarrowing};
use thirdtrail::policy::inventory::Inventory;
use thirdtrail::policy::trust_probe::degree;
use thirdtrail::policy::{Caller, Context, PolicyDocument, trust_decision};

const OWN: &str = "111122223333";
const ACCOUNTS: [&str; 3] = ["464622532012", "454464851268", OWN];
const CALLERS: [&str; 4] = ["AROAONEONEONEONEONE1", "AROATWOTWOTWOTWOTWO2", "AIDATHREETHREETHREE3", "464622532012"];
const IDS: [&str; 3] = ["first-external-id-7f3a", "other-external-id-9c51", "pat-kD83hfKs92"];
const SUBJECTS: [&str; 3] =
    ["repo:acme/shop:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/next", "repo:acme/till:environment:live"];
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const SUB: &str = "token.actions.githubusercontent.com:sub";
const AUD: &str = "token.actions.githubusercontent.com:aud";

/// One who came, or who might.
#[derive(Clone, Debug)]
enum Guest {
    Account { account: usize, caller: usize, id: Option<usize> },
    Subject { subject: usize, audience: usize },
}

const AUDIENCES: [&str; 2] = ["sts.amazonaws.com", "https://github.com/acme"];

fn guest() -> impl Strategy<Value = Guest> {
    prop_oneof![
        3 => (0..3_usize, 0..4_usize, prop::option::of(0..3_usize))
            .prop_map(|(account, caller, id)| Guest::Account { account, caller, id }),
        1 => (0..3_usize, 0..2_usize).prop_map(|(subject, audience)| Guest::Subject { subject, audience }),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let one = |value: Value| Just(value).boxed();
    let block = prop_oneof![
        one(json!({})),
        one(json!({"StringEquals": {"sts:ExternalId": IDS[0]}})),
        one(json!({"StringEquals": {"STS:externalid": [IDS[0], IDS[1]]}})),
        one(json!({"StringLike": {"sts:ExternalId": "pat-*"}})),
        one(json!({"StringLike": {"sts:ExternalId": "*"}})),
        one(json!({"StringEqualsIfExists": {"sts:ExternalId": IDS[1]}})),
        one(json!({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::464622532012:role/*"}})),
        one(json!({"StringEquals": {"aws:PrincipalAccount": "464622532012"}})),
        one(json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
        one(json!({"StringLike": {"aws:userid": "AROAONE*"}})),
        one(json!({"StringLike": {SUB: "repo:acme/*"}})),
        one(json!({"StringLike": {SUB: "repo:*"}, "StringEquals": {AUD: AUDIENCES[0]}})),
        one(json!({"Null": {"sts:ExternalId": "false"}})),
    ];
    block.boxed()
}

fn principal() -> impl Strategy<Value = Value> {
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    prop::sample::select(vec![
        json!({"AWS": root(ACCOUNTS[0])}),
        json!({"AWS": ACCOUNTS[0]}),
        json!({"AWS": [root(ACCOUNTS[0]), "AROAGONEGONEGONEGONE1"]}),
        json!({"AWS": [root(ACCOUNTS[0]), root(ACCOUNTS[1])]}),
        json!({"AWS": [root(ACCOUNTS[1]), OWN]}),
        json!({"AWS": "arn:aws:iam::464622532012:role/worker"}),
        json!({"AWS": "AROAGONEGONEGONEGONE1"}),
        json!({"Federated": PROVIDER}),
        json!({"AWS": root(ACCOUNTS[0]), "Federated": PROVIDER}),
        json!("*"),
    ])
}

fn statement() -> impl Strategy<Value = Value> {
    let action = prop::sample::select(vec![
        json!("sts:AssumeRole"),
        json!("sts:AssumeRole"),
        json!("sts:*"),
        json!("sts:AssumeRole*"),
        json!(["sts:AssumeRole", "sts:TagSession"]),
        json!("sts:AssumeRoleWithWebIdentity"),
    ]);
    (prop::bool::weighted(0.15), principal(), action, condition()).prop_map(|(deny, principal, action, condition)| {
        let effect = if deny { "Deny" } else { "Allow" };
        json!({"Effect": effect, "Principal": principal, "Action": action, "Condition": condition})
    })
}

/// How a trust policy decides a guest, told in full.
fn decide(trust: &PolicyDocument, guest: &Guest) -> Vec<u8> {
    let decide = |caller: Caller<'_>, action: &str, context: &Context| {
        degree(trust_decision(trust, &Action::parse(action).unwrap(), caller, context.clone()).decision)
    };
    match guest {
        Guest::Account { account, caller, id } => {
            let user_id = CALLERS[*caller].to_owned() + if CALLERS[*caller].starts_with("AROA") { ":x" } else { "" };
            let context = Context::complete().with("aws:userid", [user_id]).with("aws:SourceIp", ["203.0.113.7"]);
            let context = id.map_or(context.clone(), |id| context.with("sts:ExternalId", [IDS[id]]));
            let worker = format!("arn:aws:iam::{}:role/worker", ACCOUNTS[*account]);
            let actions = ["sts:AssumeRole", "sts:TagSession"];
            actions.map(|action| decide(Caller::Arn(&worker), action, &context)).to_vec()
        }
        Guest::Subject { subject, audience } => {
            let context = Context::complete().with(SUB, [SUBJECTS[*subject]]).with(AUD, [AUDIENCES[*audience]]);
            vec![decide(Caller::Federated(PROVIDER), "sts:AssumeRoleWithWebIdentity", &context)]
        }
    }
}

/// The guests as the records show them, each on some days.
fn ways(guests: &[(Guest, u32)]) -> Ways {
    let mut ways = Ways::new();
    for (number, (guest, days)) in guests.iter().enumerate() {
        let (by, kind, user_id, subject, audience, external_id) = match guest {
            Guest::Account { account, caller, id } => {
                let by = By::Account(AccountId::parse(ACCOUNTS[*account]).unwrap());
                let colon = if CALLERS[*caller].starts_with("AROA") { ":x" } else { "" };
                let id = id.map(|id| Fingerprint::of(IDS[id]));
                (by, HandOffKind::AssumeRole, format!("{}{colon}", CALLERS[*caller]), String::new(), None, id)
            }
            Guest::Subject { subject, audience } => {
                let (subject, audience) = (SUBJECTS[*subject].to_owned(), Some(AUDIENCES[*audience].to_owned()));
                (By::Federated(PROVIDER.to_owned()), HandOffKind::WebIdentity, String::new(), subject, audience, None)
            }
        };
        let way = Way { by, kind, user_id, subject, audience, external_id };
        for day in 1..=*days {
            let time = parse_time(&format!("2026-05-{day:02}T10:00:00Z")).unwrap();
            let times = Times::once(time, &format!("e{number}-{day}"));
            ways.entry(way.clone()).and_modify(|known| known.add(&times)).or_insert(times);
        }
    }
    ways
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300, max_global_rejects: 100_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// S34, S37, S40: a proposal only takes away, and from nobody who came.
    #[test]
    fn proposals_only_remove_and_from_nobody_who_came(
        statements in prop::collection::vec(statement(), 1..4),
        came in prop::collection::vec((guest(), 1..4_u32), 0..6),
        others in prop::collection::vec(guest(), 12),
        claims in prop::collection::vec(0..3_usize, 2),
        how in prop::sample::select(vec![None, Some(TrustNarrowing::Callers), Some(TrustNarrowing::Parties)]),
    ) {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let role = json!({"RoleName": "R", "RoleId": "AROAR", "Arn": "arn:aws:iam::111122223333:role/R",
            "AssumeRolePolicyDocument": document});
        let mut inventory = Inventory::default();
        inventory.add(&json!({"RoleDetailList": [role]}).to_string()).unwrap();
        let own = BTreeSet::from([AccountId::parse(OWN).unwrap()]);
        let role = &inventory.roles["arn:aws:iam::111122223333:role/R"];
        let entries = entries(role, Accounts { own: &own, organizations: &NO_ORGANIZATION, directory: Directory::builtin() });
        let trust = role.trust.parsed.as_ref().unwrap();
        // Verdicts that claim anything: the proof must not rest on them.
        let uses: Vec<ExternalIdUse> = claims.iter().zip(ACCOUNTS).map(|(id, account)| {
            let print = Fingerprint::of(IDS[*id]);
            ExternalIdUse { party_id: account.to_owned(), party_name: account.to_owned(), verdict: "safe".to_owned(),
                ids: vec![SentId { fingerprint: print.digest, length: print.length, hand_offs: 1 }],
                ..ExternalIdUse::default() }
        }).collect();
        let ways = ways(&came);
        let report = propose(&Facts { trust, entries: &entries, uses: &uses, ways: &ways, refused: &Ways::new(), how, too_short: None });
        prop_assume!(matches!(report.status.as_str(), "proposed" | "template"));
        let mut filled = report.narrowed.to_string();
        for (id, account) in claims.iter().zip(ACCOUNTS) {
            filled = filled.replace(&format!("REPLACE-WITH-THE-EXTERNAL-ID-OF-{account}"), IDS[*id]);
        }
        let after: PolicyDocument = filled.parse().unwrap();
        for guest in came.iter().map(|(guest, _)| guest) {
            let (now, then) = (decide(trust, guest)[0], decide(&after, guest)[0]);
            prop_assert!(then >= now, "{guest:?} is shut out: {document} became {filled}");
        }
        for guest in came.iter().map(|(guest, _)| guest).chain(&others) {
            for (now, then) in decide(trust, guest).into_iter().zip(decide(&after, guest)) {
                prop_assert!(then <= now, "{guest:?} comes in newly: {document} became {filled}");
            }
        }
    }
}
