//! An assessment with everything in it, hostile names included, for the tests of the outputs.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

pub(crate) mod activity;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use thirdtrail::aws::window::{Time, parse_time};
use thirdtrail::aws::{AccessLevel, AccountId, Action};
use thirdtrail::finding::assessment::*;
use thirdtrail::finding::session_table::note_latest;
use thirdtrail::policy::risk::{BlastRadius, Radius};

/// What a stranger could write.
pub(crate) const HOSTILE: &str = "a|b`c`<script>alert(1)</script>\n\u{1b}[31m\u{202e}";
/// The account of the sample's roles.
pub(crate) const ACCOUNT: &str = "012345678901";
/// The vendor's account.
pub(crate) const VENDOR: &str = "464622532012";

pub(crate) fn at(text: &str) -> Time {
    parse_time(text).unwrap()
}

pub(crate) fn account() -> AccountId {
    AccountId::parse(ACCOUNT).unwrap()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) fn entry(action: &str, verdict: &str, calls: u64, denied: u64) -> ActionEntry {
    let granted = !matches!(verdict, "denied" | "used_not_granted");
    let seen = (calls > 0).then(|| at("2026-06-01T10:00:00Z"));
    ActionEntry {
        action: Action::parse(action).unwrap(),
        verdict: verdict.to_owned(),
        access_level: Some(AccessLevel::Read),
        danger: (action == "iam:PassRole").then(|| "privilege escalation".to_owned()),
        calls,
        denied,
        failed: 0,
        first_seen: seen,
        last_seen: seen.map(|_| at("2026-07-20T11:30:00Z")),
        resources: if calls > 0 { strings(&["arn:aws:s3:::logs"]) } else { Vec::new() },
        sample_event_ids: if calls > 0 { strings(&["0a1b2c3d-0000-4000-8000-000000000001"]) } else { Vec::new() },
        granted_by: if granted {
            vec![GrantedBy { policy: "Inline|Policy".to_owned(), statement: "Read".to_owned() }]
        } else {
            Vec::new()
        },
        kept: granted && verdict != "unused",
        kept_by: None,
        reason: format!("{calls} calls from 2026-05-01 to 2026-08-01"),
    }
}

fn policy(kind: &str, name: &str, proposal: &str) -> PolicyReport {
    let document = |actions: Value| json!({"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": actions, "Resource": "*"}]});
    let edited = matches!(proposal, "edited" | "replaced");
    PolicyReport {
        kind: kind.to_owned(),
        name: name.to_owned(),
        arn: match kind {
            "inline" => None,
            "aws_managed" => Some(format!("arn:aws:iam::aws:policy/{name}")),
            _ => Some(format!("arn:aws:iam::{ACCOUNT}:policy/{name}")),
        },
        attached_to_roles: if kind == "managed" { 2 } else { 1 },
        also_attached_to: if kind == "managed" { strings(&["role/OtherRole"]) } else { Vec::new() },
        proposal: proposal.to_owned(),
        rightsized_size: edited.then_some(120),
        files: PolicyFiles::default(),
        current: document(json!(["s3:ListAllMyBuckets", "ec2:RunInstances", "iam:PassRole"])),
        rightsized: if edited { vec![document(json!(["s3:ListAllMyBuckets"]))] } else { Vec::new() },
        statements: vec![StatementChange {
            statement: "Read".to_owned(),
            removed: vec![Action::parse("ec2:RunInstances").unwrap(), Action::parse("iam:PassRole").unwrap()],
            kept: vec![Action::parse("s3:ListAllMyBuckets").unwrap()],
            dropped: false,
        }],
    }
}

/// A guard-rail whose deny policy had to be split.
fn guardrail(role: &str) -> Guardrail {
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "DenyDangerousUnused", "Effect": "Deny", "Action": ["iam:PassRole"], "Resource": "*"}]});
    let proof = GuardrailCertificate {
        calls_replayed: 1,
        calls_allowed: 1,
        undecidable: 0,
        granted_before: 5,
        granted_after: 4,
        newly_allowed: 0,
        counter_examples: Vec::new(),
    };
    Guardrail {
        status: "proposed".to_owned(),
        reason: None,
        taken: 1,
        actions: vec![Action::parse("iam:PassRole").unwrap()],
        deny_kind: Some("managed".to_owned()),
        names: GuardrailNames {
            boundary: Some(format!("{role}-guardrail-boundary")),
            deny: vec![format!("{role}-guardrail-deny"), format!("{role}-guardrail-deny-2")],
        },
        replaces_boundary: Some(format!("arn:aws:iam::{ACCOUNT}:policy/Fence")),
        files: GuardrailFiles::default(),
        certificate: GuardrailCertificates { boundary: Some(proof.clone()), deny: Some(proof) },
        boundary: Some(deny.clone()),
        deny: vec![deny.clone(), deny],
    }
}

fn rightsizing(role: &str, in_inventory: bool) -> Rightsizing {
    Rightsizing {
        status: if in_inventory { "proposed" } else { "withheld" }.to_owned(),
        reason: (!in_inventory).then(|| "the role is not in the inventory".to_owned()),
        granted: 5,
        kept: 2,
        removed: 3,
        certificate: in_inventory.then(|| CertificateReport {
            calls_replayed: 1,
            calls_allowed: 1,
            undecidable: 0,
            newly_allowed: 0,
            counter_examples: Vec::new(),
        }),
        replay: None,
        guardrail: if in_inventory { guardrail(role) } else { Guardrail::none("withheld", "not in the inventory") },
        remediation: RemediationFiles::default(),
        unknown_patterns: Vec::new(),
        narrowing: None,
        not_considered: strings(&["service control policies"]),
    }
}

fn external_id_use() -> ExternalIdUse {
    ExternalIdUse {
        party_id: VENDOR.to_owned(),
        party_name: HOSTILE.to_owned(),
        hand_offs: 2,
        without: 1,
        unseen: 1,
        different: 1,
        ids: vec![SentId { fingerprint: "00112233445566aa".to_owned(), length: 36, hand_offs: 1 }],
        verdict: "will_break".to_owned(),
        reason: format!("{HOSTILE} sent no external id in 1 of 2 hand-offs"),
    }
}

pub(crate) fn role(name: &str, id: &str, in_inventory: bool) -> RoleReport {
    let mut split = policy("managed", "SharedPolicy", "replaced");
    split.rightsized.push(split.current.clone());
    RoleReport {
        arn: format!("arn:aws:iam::{ACCOUNT}:role/vendors/{name}"),
        account_id: account(),
        name: name.to_owned(),
        role_id: id.to_owned(),
        created_at: in_inventory.then(|| at("2025-01-01T00:00:00Z")),
        in_inventory,
        trust: vec![TrustEntry {
            principal: format!("arn:aws:iam::{VENDOR}:root"),
            kind: "account_root".to_owned(),
            account_id: AccountId::parse(VENDOR),
            party: Some("Datadog".to_owned()),
            outside: true,
            external_id: Some(ExternalIdReport {
                required: false,
                any_accepted: true,
                digests: BTreeSet::new(),
                matching: "if_exists".to_owned(),
                values: 1,
                strength: "uuid".to_owned(),
                fingerprint: Some("00112233445566aa".to_owned()),
                length: Some(36),
            }),
            alone: true,
            subjects: None,
        }],
        external_ids: vec![external_id_use()],
        trust_narrowing: Some(Box::new(trust::narrowing())),
        last_activity: Some(LastActivity { at: at("2026-07-20T11:30:00Z"), source: "cloudtrail".to_owned() }),
        idle: Idle { days: Some(11), verdict: "active".to_owned(), reason: "a call 11 days ago".to_owned() },
        sessions: RoleSessions {
            total: 3,
            by_party: BTreeMap::from([(VENDOR.to_owned(), 3)]),
            attribution: Attribution { exact: 2, inferred: 1, unresolved: 0 },
            without_external_id: 1,
            without_calls: 1,
        },
        actions: vec![
            entry("ec2:RunInstances", "unused", 0, 0),
            entry("iam:PassRole", "unused", 0, 0),
            entry("kms:Decrypt", "denied", 0, 4),
            entry("s3:GetObject", "not_observable", 0, 0),
            entry("s3:ListAllMyBuckets", "used", 12, 0),
        ],
        denied_not_granted: vec![],
        actions_summed: Vec::new(),
        actions_beyond: vec![entry("ec2:StopInstances", "unused", 0, 0)],
        keep: Vec::new(),
        policies: if in_inventory {
            vec![
                policy("inline", "Inline|Policy", "edited"),
                policy("inline", "inline|policy", "emptied"),
                split,
                policy("aws_managed", "ViewOnlyAccess", "unchanged"),
            ]
        } else {
            Vec::new()
        },
        rightsizing: rightsizing(name, in_inventory),
        blast_radius: in_inventory
            .then_some(BlastRadius { before: Radius::of_tenths(375), after: Radius::of_tenths(40) }),
        risk: None,
        daily: activity::daily(),
        latest: LatestSessions::default(),
    }
}

fn coverage() -> CoverageReport {
    CoverageReport {
        complete: false,
        objects: ObjectsReport {
            listed: 5,
            read: 3,
            skipped: BTreeMap::from([("digest".to_owned(), 1)]),
            failed: vec![FailedObject { key: format!("AWSLogs/{HOSTILE}"), reason: "truncated gzip".to_owned() }],
        },
        records: RecordsReport { total: 40, used: 30, out_of_scope: 8, duplicate: 1, bad: 1 },
        bytes: BytesReport { compressed: 1_000, decompressed: 20_000 },
        accounts: vec![AccountCoverage {
            account_id: account(),
            regions: vec![RegionCoverage {
                region: "us-east-1".to_owned(),
                first_event: Some(at("2026-05-01T00:00:05Z")),
                last_event: Some(at("2026-07-31T23:00:00Z")),
                days_without_objects: strings(&["2026-06-03"]),
            }],
            data_events_seen: strings(&["AWS::S3::Object"]),
            read_events_seen: true,
            write_events_seen: false,
            holes: vec![Hole { day: "2026-06-03".to_owned(), reason: "no_objects".to_owned() }],
            hole_share: 0.011,
        }],
        bad_records: vec![BadRecord { key: "k".to_owned(), index: 7, reason: HOSTILE.to_owned() }],
        failed_inputs: vec![FailedInput {
            account_id: Some(account()),
            call: "iam:GetCredentialReport".to_owned(),
            reason: HOSTILE.to_owned(),
        }],
        unmapped: vec![UnmappedCall {
            event_source: "odd.amazonaws.com".to_owned(),
            event_name: HOSTILE.to_owned(),
            calls: 2,
            blocks: strings(&["odd"]),
        }],
        not_judged: strings(&["resource policies"]),
        integrity: Some(integrity()),
    }
}

fn integrity() -> IntegrityReport {
    let doubted = |reason: &str| vec![DoubtedObject::new(&format!("AWSLogs/{HOSTILE}"), reason)];
    IntegrityReport {
        intact: Some(false),
        verified: "some".to_owned(),
        digests: DigestsReport { read: 3, verified: 1, unverified: counts("unreadable"), missing: 1 },
        objects: VerifiedObjects { verified: 1, tampered: 1, missing: 1, unverified: counts("not_named") },
        tampered: doubted("hash_differs"),
        missing: doubted("missing"),
        unverified: doubted("not_named"),
        doubted_digests: doubted(&format!("unreadable: no digest: {HOSTILE}")),
        gaps: vec![DigestGap {
            account_id: Some(account()),
            region: Some(HOSTILE.to_owned()),
            from: Some(at("2026-05-01T00:00:00Z")),
            until: None,
            reason: "digest_missing".to_owned(),
            digest: Some(HOSTILE.to_owned()),
            hole: true,
        }],
        buckets: BTreeSet::from([HOSTILE.to_owned()]),
        ..IntegrityReport::default()
    }
}

fn counts(reason: &str) -> BTreeMap<String, u64> {
    BTreeMap::from([(reason.to_owned(), 1)])
}

fn finding(code: &str, severity: &str, account_id: Option<AccountId>, subject: &str) -> Finding {
    Finding {
        id: format!("{code}-{severity}"),
        code: code.to_owned(),
        severity: severity.to_owned(),
        account_id,
        subject: subject.to_owned(),
        party: Some("Datadog".to_owned()),
        title: format!("title of {code}"),
        detail: HOSTILE.to_owned(),
        evidence: json!({"holes": ["2026-06-03"]}),
        remediation: "do it".to_owned(),
        suppressed: None,
        known: None,
    }
}

fn session(id: &str, name: &str) -> SessionRow {
    SessionRow {
        account_id: account(),
        session_id: id.into(),
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/vendors/Datadog").into(),
        role_id: "AROAONE".into(),
        session_name: name.into(),
        party_id: VENDOR.into(),
        party_kind: "vendor".into(),
        party_name: "Datadog".into(),
        channel: "assume_role".into(),
        attribution: "exact".into(),
        opened_at: Some(at("2026-06-01T09:59:00Z")),
        first_call: Some(at("2026-06-01T10:00:00Z")),
        last_call: None,
        calls: 12,
        denied: 4,
        failed: 0,
        external_id_sent: Some(true),
        source_identity: None,
        networks: ["203.0.113.7".into()].into(),
        agents: [HOSTILE.into()].into(),
    }
}

fn usage(name: &str, calls: i64, denied: i64) -> UsageRow {
    UsageRow {
        account_id: account(),
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/vendors/Datadog"),
        sessions: 1,
        party_id: VENDOR.to_owned(),
        party_name: "Datadog".to_owned(),
        channel: "assume_role".to_owned(),
        region: "us-east-1".to_owned(),
        event_source: "s3.amazonaws.com".to_owned(),
        event_name: name.to_owned(),
        actions: strings(&["s3:ListAllMyBuckets"]),
        rule: "table".to_owned(),
        calls,
        denied,
        failed: 0,
        first_seen: Some("2026-06-01T10:00:00Z".to_owned()),
        last_seen: Some("2026-07-20T11:30:00Z".to_owned()),
        resources: Vec::new(),
        error_codes: if denied > 0 { strings(&["AccessDenied"]) } else { Vec::new() },
        sample_event_ids: strings(&["0a1b2c3d-0000-4000-8000-000000000001"]),
    }
}

fn user() -> UserReport {
    UserReport {
        account_id: account(),
        name: HOSTILE.to_owned(),
        arn: format!("arn:aws:iam::{ACCOUNT}:user/{HOSTILE}"),
        party: Some(HOSTILE.to_owned()),
        known_by: Some("name".to_owned()),
        last_used: Some(at("2026-07-01T00:00:00Z")),
        active_keys: Some(1),
        risk: None,
        blast_radius: None,
        granted: 12,
        can_assume: Vec::new(),
        can_assume_total: 0,
        keys: vec![KeyReport { ending: "MPLE".to_owned(), active: Some(true), ..KeyReport::default() }],
    }
}

/// The sample.
pub(crate) fn assessment() -> Assessment {
    let mut idle = role("Trial", "AROATRIAL", true);
    idle.idle = Idle { days: Some(120), verdict: "idle".to_owned(), reason: "no call since April".to_owned() };
    idle.last_activity = Some(LastActivity { at: at("2026-04-03T00:00:00Z"), source: "iam".to_owned() });
    let mut assessment = Assessment {
        schema: SCHEMA.to_owned(),
        window: WindowReport { since: at("2026-05-01"), until: at("2026-08-01") },
        as_of: at("2026-08-01"),
        idle_days: 90,
        asked: AskedReport::default(),
        coverage: coverage(),
        parties: vec![PartyReport {
            id: VENDOR.to_owned(),
            kind: "vendor".to_owned(),
            name: format!("Datadog {HOSTILE}"),
            channels: strings(&["assume_role"]),
            roles: vec![format!("arn:aws:iam::{ACCOUNT}:role/vendors/Datadog")],
            sessions: 3,
            calls: 12,
            denied: 4,
            failed: 2,
            throttled: 1,
            charged_calls: 5,
            charged: vec![ChargedCalls {
                event_source: "ce.amazonaws.com".to_owned(),
                event_name: "GetCostAndUsage".to_owned(),
                calls: 5,
                by: "request".to_owned(),
            }],
            known_by: None,
            first_seen: Some(at("2026-06-01T09:59:00Z")),
            last_seen: Some(at("2026-07-20T11:30:00Z")),
            regions: strings(&["us-east-1"]),
            networks: strings(&["203.0.113.7"]),
            agents: strings(&[HOSTILE]),
            blast_radius: Some(PartyBlastRadius {
                before: Radius::of_tenths(375),
                after: Radius::of_tenths(40),
                roles_not_known: 1,
            }),
            days: vec![DayCalls { day: chrono::NaiveDate::from_ymd_opt(2026, 6, 2).unwrap(), calls: 47, denied: 2 }],
            latest: LatestSessions::default(),
        }],
        roles: vec![
            role("Datadog", "AROAOLD", false),
            role("Datadog", "AROAONE", true),
            role(HOSTILE, "AROAODD", true),
            idle,
        ],
        findings: vec![
            finding("coverage-hole", "low", Some(account()), ACCOUNT),
            finding("trust-any-external-id", "critical", Some(account()), "arn:aws:iam::012345678901:role/x"),
            finding("party-offboarded-active", "high", None, VENDOR),
        ],
        users: vec![user()],
        access_changes: vec![trust::access_change()],
        sessions: vec![vec![session("s2", HOSTILE)], vec![session("s1", "nightly")]],
        usage: vec![usage("ListBuckets", 12, 0), usage("Decrypt", 0, 4)],
    };
    note_latest(&mut assessment);
    assessment
}
