//! A day of calls, as the table `activity` holds them.

use thirdtrail::cloudtrail::outcome::Outcome;
use thirdtrail::cloudtrail::record::EventId;
use thirdtrail::finding::assessment::{ActionDays, DayCalls};
use thirdtrail::finding::call_log::{Api, CallRow, Caller};
use thirdtrail::report::OutputFile;
use thirdtrail::report::activity::ActivityFile;

use super::{ACCOUNT, HOSTILE, VENDOR, account, at};

/// The file of the table `activity`: a hand-off, and two calls of the session that it opened.
pub(crate) fn activity() -> OutputFile {
    let caller = Caller {
        party_id: Box::from(VENDOR),
        party_kind: "vendor",
        party_name: Box::from("Datadog"),
        channel: "assume_role",
        role_arn: Box::from(format!("arn:aws:iam::{ACCOUNT}:role/vendors/Datadog")),
        role_id: Box::from("AROADD"),
    };
    let api = |service: &str, name: &str, action: &str, is_hand_off| Api {
        account_id: account(),
        region: Box::from("us-east-1"),
        event_source: Box::from(format!("{service}.amazonaws.com")),
        event_name: Box::from(name),
        via: Box::default(),
        actions: vec![Box::from(action)],
        primary: 1,
        is_hand_off,
    };
    let opened = api("sts", "AssumeRole", "sts:AssumeRole", true);
    let read = api("s3", "GetObject", "s3:GetObject", false);
    let mut file = ActivityFile::new(Vec::new()).unwrap();
    for (number, api, outcome, resources) in [
        (1, &opened, Outcome::Allowed, ""),
        (2, &read, Outcome::Allowed, "arn:aws:s3:::b/k\narn:aws:s3:::b"),
        (3, &read, Outcome::Denied, "arn:aws:s3:::b/secret"),
    ] {
        let time = at(&format!("2026-06-02T10:00:0{number}Z"));
        let row = CallRow {
            caller: &caller,
            api,
            kind: (0, u32::from(api.is_hand_off)),
            seconds: time.timestamp(),
            id: EventId(number),
            outcome,
            read_only: (number > 1).then_some(true),
            session_id: "0123456789abcdef",
            session_name: HOSTILE,
            event: "",
            error: if outcome == Outcome::Denied { "AccessDenied" } else { "" },
            network: "203.0.113.7",
            agent: HOSTILE,
            resources,
        };
        file.add(&row).unwrap();
    }
    let day = at("2026-06-02T00:00:00Z").date_naive();
    OutputFile::new(thirdtrail::report::activity::path(account(), day), file.finish().unwrap())
}

/// Calls by action and day.
pub(super) fn daily() -> Vec<ActionDays> {
    let day = |day: u32, calls, denied| DayCalls {
        day: chrono::NaiveDate::from_ymd_opt(2026, 6, day).unwrap(),
        calls,
        denied,
    };
    let days = |action: &str, days: Vec<DayCalls>| ActionDays { action: action.to_owned(), days };
    vec![
        days("ec2:DescribeInstances", vec![day(1, 3, 0), day(2, 40, 0), day(9, 1, 0)]),
        days("s3:GetObject", vec![day(2, 7, 2)]),
    ]
}
