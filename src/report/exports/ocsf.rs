//! `findings.ocsf.jsonl`: OCSF 1.6.0, one Detection Finding a line.
//!
//! Of the classes of findings, Detection Finding (2004) is the one that asks for nothing that a finding here has not: a
//! Compliance Finding (2003) is the result of a control of a standard, and the trail knows of none. 1.6.0 is the version of
//! Security Hub's findings. Source: schema.ocsf.io; Security Hub User Guide, "OCSF".

use serde_json::{Map, Value, json};

use super::{name_of, with};
use crate::aws::Arn;
use crate::aws::window::Time;
use crate::finding::assessment::{Assessment, Finding};
use crate::report::escape::visible_text;

/// The version of the schema.
const VERSION: &str = "1.6.0";
const CLASS: u32 = 2_004;
/// `Create`.
const ACTIVITY: u32 = 1;
/// `AWS Account`.
const AWS_ACCOUNT: u32 = 10;
/// `Rule`.
const RULE: u32 = 1;

/// One finding as an event.
pub(super) fn event(assessment: &Assessment, finding: &Finding) -> Value {
    let (severity_id, severity) = severity(&finding.severity);
    let (status_id, status) = if finding.suppressed.is_some() { (3, "Suppressed") } else { (1, "New") };
    let event = json!({
        "activity_id": ACTIVITY,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Detection Finding",
        "class_uid": CLASS,
        "type_name": "Detection Finding: Create",
        "type_uid": CLASS * 100 + ACTIVITY,
        "time": milliseconds(assessment.as_of),
        "start_time": milliseconds(assessment.window.since),
        "end_time": milliseconds(assessment.window.until),
        "severity": severity,
        "severity_id": severity_id,
        "status": status,
        "status_id": status_id,
        "is_alert": severity_id >= 4 && finding.suppressed.is_none(),
        "message": visible_text(&finding.title),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "uid": finding.id,
            "event_code": finding.code,
            "product": {"name": "thirdtrail", "vendor_name": "thirdtrail", "version": env!("CARGO_PKG_VERSION")},
        },
        "cloud": cloud(finding),
        "finding_info": {
            "uid": finding.id,
            "title": visible_text(&finding.title),
            "desc": visible_text(&finding.detail),
            "types": [finding.code],
            "analytic": {"name": finding.code, "uid": finding.code, "type": "Rule", "type_id": RULE},
            "data_sources": ["AWS CloudTrail", "AWS IAM"],
        },
        "resources": [resource(finding)],
        "remediation": {"desc": visible_text(&finding.remediation)},
        "evidences": [{"data": finding.evidence}],
    });
    let suppressed = finding.suppressed.as_ref();
    let answered = suppressed.map(|mark| {
        let until = mark.expires.as_deref().map_or_else(|| "for ever".to_owned(), |day| format!("until {day}"));
        json!(visible_text(&format!("{} (owner {}, {until}, by {})", mark.reason, mark.owner, mark.by)))
    });
    let mut unmapped = Map::new();
    unmapped.extend(finding.party.as_ref().map(|party| ("party".to_owned(), json!(party))));
    unmapped.extend(finding.known.map(|known| ("known".to_owned(), json!(known))));
    let event = with(event, "status_detail", answered);
    with(event, "unmapped", (!unmapped.is_empty()).then_some(Value::Object(unmapped)))
}

fn severity(word: &str) -> (u32, &'static str) {
    match word {
        "critical" => (5, "Critical"),
        "high" => (4, "High"),
        "medium" => (3, "Medium"),
        "low" => (2, "Low"),
        "info" => (1, "Informational"),
        _ => (0, "Unknown"),
    }
}

fn cloud(finding: &Finding) -> Value {
    let account =
        finding.account_id.map(|account| json!({"uid": account, "type": "AWS Account", "type_id": AWS_ACCOUNT}));
    let partition = Arn::parse(&finding.subject).map(|arn| json!(arn.partition));
    with(with(json!({"provider": "AWS"}), "account", account), "cloud_partition", partition)
}

/// What the finding is about; the types of AWS's resources are those of Security Hub.
fn resource(finding: &Finding) -> Value {
    let arn = Arn::parse(&finding.subject);
    let kind = match arn.map(|arn| (arn.service, arn.resource.split(['/', ':']).next().unwrap_or_default())) {
        Some(("iam", "role")) => "AwsIamRole",
        Some(("iam", "user")) => "AwsIamUser",
        Some(("iam", "root")) => "AwsAccount",
        Some(_) => "Other",
        None if finding.account_id.is_some_and(|account| account.as_str() == finding.subject) => "AwsAccount",
        None => "Third party",
    };
    let resource = json!({"uid": finding.subject, "name": visible_text(name_of(&finding.subject)), "type": kind});
    with(resource, "cloud_partition", arn.map(|arn| json!(arn.partition)))
}

fn milliseconds(time: Time) -> i64 {
    time.timestamp_millis()
}
