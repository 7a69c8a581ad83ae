//! The parts of the sample that are about trust: a change of it, and a narrower one.

use super::*;

pub(super) fn access_change() -> AccessChange {
    AccessChange {
        time: at("2026-06-15T12:00:00Z"),
        event_id: "e1".to_owned(),
        account_id: account(),
        region: "us-east-1".to_owned(),
        event_source: "iam.amazonaws.com".to_owned(),
        event_name: "UpdateAssumeRolePolicy".to_owned(),
        outcome: "allowed".to_owned(),
        subject: format!("arn:aws:iam::{ACCOUNT}:role/{HOSTILE}"),
        gives: None,
        lets_in: vec![LetIn {
            principal: HOSTILE.to_owned(),
            party: Some(HOSTILE.to_owned()),
            unknown: true,
            conditions: strings(&[HOSTILE]),
        }],
        by: ChangedBy {
            principal: HOSTILE.to_owned(),
            party_id: ACCOUNT.to_owned(),
            party: "own organization".to_owned(),
            outside: false,
            network: HOSTILE.to_owned(),
        },
    }
}

/// A template with an external id in it, and a stranger's text wherever one could stand.
pub(super) fn narrowing() -> TrustNarrowingReport {
    let document = |id: &str| {
        json!({"Version": "2012-10-17", "Statement": {"Sid": HOSTILE, "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": VENDOR}, "Condition": {"StringEquals": {"sts:ExternalId": id}}}})
    };
    TrustNarrowingReport {
        status: "proposed".to_owned(),
        reason: Some(HOSTILE.to_owned()),
        steps: vec![TrustStep {
            kind: "external_id".to_owned(),
            statement: HOSTILE.to_owned(),
            detail: HOSTILE.to_owned(),
            evidence: json!({"party": HOSTILE}),
        }],
        left_alone: vec![TrustLeftAlone {
            kind: "callers".to_owned(),
            statement: HOSTILE.to_owned(),
            reason: HOSTILE.to_owned(),
        }],
        replay: Some(TrustReplay { hand_offs: 3, allowed: 3, ..TrustReplay::default() }),
        narrowed_size: Some(200),
        files: TrustFiles::default(),
        advice: Some(HOSTILE.to_owned()),
        current: document("23bc5533-157c-41bf-a01a-4ecb491471f6"),
        narrowed: document("8f14e45f-ceea-467f-9b1d-2f2f9a1d3c55"),
        ids_are_hidden: false,
    }
}
