//! `findings.sarif`: SARIF 2.1.0, as code-scanning pages take it.
//!
//! A finding is about a role or an account, not about a line of code: the ARN is a logical location, and the physical one,
//! without which GitHub refuses a result, is a page of the report. Fingerprints are made of the finding's id alone, so that a
//! finding keeps its alert from run to run.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::rules::{Rule, rules};
use super::{name_of, rank, with};
use crate::aws::window::rfc3339;
use crate::finding::assessment::{Assessment, Finding};
use crate::report::escape::visible_text;

/// Where the schema is published.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Results in one run: GitHub refuses a file with more, and shows the gravest 5,000 of a run. Several runs would not help:
/// each must have a category of its own, so an alert that moved from one to another would close and open again. Source:
/// GitHub documentation, "SARIF results exceed one or more limits"; changelog of 2024-05-06 on combined runs.
const RESULTS: usize = 25_000;
/// Bytes of all results as they are written: GitHub takes 10 MB of gzip, and ours get nine times smaller by it (measured on a
/// generated organization; results that resemble each other more get smaller still).
const RESULT_BYTES: usize = 60_000_000;
/// Longest evidence of one result, in bytes of JSON.
const EVIDENCE_BYTES: usize = 20_000;
/// Longest text of one message, in characters.
const MESSAGE_CHARS: usize = 8_000;
/// How grave each severity is from 0 to 10, as GitHub sorts alerts: its `critical` begins above 9.0, `high` at 7.0,
/// `medium` at 4.0. Source: GitHub documentation, "SARIF support for code scanning".
const SCORES: [&str; 5] = ["9.5", "8.0", "5.5", "3.0", "0.1"];

/// The log.
pub(super) fn log(assessment: &Assessment, findings: &[&Finding], page: &str) -> Value {
    let rules = rules();
    let places: HashMap<&str, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.code, at)).collect();
    let results = results(findings, &places, page, RESULT_BYTES);
    let left = findings.len() - results.len();
    let described: Vec<Value> = rules.iter().map(|rule| describe(rule, findings)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "thirdtrail",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": described,
            }},
            "automationDetails": {"id": "thirdtrail/"},
            "invocations": [invocation(assessment, left)],
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    })
}

/// As many results as GitHub takes and there is room for: what nobody answers for first, the gravest first.
fn results(findings: &[&Finding], places: &HashMap<&str, usize>, page: &str, mut room: usize) -> Vec<Value> {
    let mut chosen: Vec<(usize, &Finding)> = findings.iter().copied().enumerate().collect();
    chosen.sort_by_key(|(at, finding)| (finding.suppressed.is_some(), *at));
    let mut results = Vec::new();
    for (at, finding) in chosen {
        if results.len() == RESULTS {
            break;
        }
        let result = result(finding, places, page);
        let bytes = serde_json::to_string_pretty(&result).map_or(0, |text| text.len());
        if bytes > room {
            continue;
        }
        room -= bytes;
        results.push((at, result));
    }
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// What the run could not see, and what the file has no room for, is told with it.
fn invocation(assessment: &Assessment, left: usize) -> Value {
    let coverage = &assessment.coverage;
    let notice = |level: &str, text: String| json!({"level": level, "message": {"text": text}});
    let mut notices = Vec::new();
    if left > 0 {
        let left = format!(
            "{left} findings are not in this file, because code scanning takes no more: `report.json` of the same run has all \
             of them. Left out are suppressed ones and the least grave before others, and what is too large for the room left."
        );
        notices.push(notice("error", left));
    }
    if !coverage.complete {
        notices.push(notice(
            "warning",
            format!(
                "Not everything could be read ({} objects, {} records, {} inputs beside the trail): what is not found here may \
                 be there all the same.",
                coverage.objects.failed.len(),
                coverage.records.bad,
                coverage.failed_inputs.len()
            ),
        ));
    }
    for account in assessment.unread_accounts() {
        notices.push(notice("warning", format!("No record of account {account} was read: nothing is known of it.")));
    }
    for account in coverage.accounts.iter().filter(|account| !account.holes.is_empty()) {
        notices.push(notice(
            "note",
            format!(
                "Days on which the trail of account {} has holes: {}.",
                account.account_id,
                account.hole_days().len()
            ),
        ));
    }
    json!({"executionSuccessful": true, "toolExecutionNotifications": notices, "properties": {
        "since": rfc3339(assessment.window.since), "until": rfc3339(assessment.window.until),
        "as_of": rfc3339(assessment.as_of)}})
}

fn describe(rule: &Rule, findings: &[&Finding]) -> Value {
    // GitHub sorts alerts by their rule, so a rule is as grave here as its gravest finding.
    let gravest = findings.iter().filter(|finding| finding.code == rule.code).map(|one| rank(&one.severity)).min();
    let score = gravest.and_then(|rank| SCORES.get(rank)).map(|score| json!(score));
    let properties = with(json!({"tags": ["security", "aws", "third-party"]}), "security-severity", score);
    json!({
        "id": rule.code,
        "name": rule.code,
        "shortDescription": {"text": first_sentence(&rule.meaning)},
        "fullDescription": {"text": rule.meaning},
        "help": {"text": format!("{} What to do: {}", rule.meaning, rule.to_do), "markdown": rule.section},
        "defaultConfiguration": {"level": gravest.map_or("warning", level_of)},
        "properties": properties,
    })
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").and_then(|end| text.get(..=end)).unwrap_or(text)
}

fn level_of(rank: usize) -> &'static str {
    match rank {
        0 | 1 => "error",
        2 => "warning",
        _ => "note",
    }
}

fn result(finding: &Finding, places: &HashMap<&str, usize>, page: &str) -> Value {
    let text = format!("{}. {} To do: {}", finding.title.trim_end_matches('.'), finding.detail, finding.remediation);
    let result = json!({
        "ruleId": finding.code,
        "level": level_of(rank(&finding.severity)),
        "message": {"text": message(&text)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": page}, "region": {"startLine": 1}},
            "logicalLocations": [{
                "name": visible_text(name_of(&finding.subject)),
                "fullyQualifiedName": visible_text(&finding.subject),
                "kind": "resource",
            }],
        }],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{}:1", finding.id),
            "thirdtrailFinding/v1": finding.id,
        },
        "properties": {"severity": finding.severity, "account_id": finding.account_id, "subject": finding.subject,
            "party": finding.party, "evidence": evidence(finding)},
    });
    let suppressions = finding.suppressed.as_ref().map(|mark| {
        let until = mark.expires.as_deref().map_or_else(|| "for ever".to_owned(), |day| format!("until {day}"));
        let why = format!("{} (owner {}, {until}, by {})", mark.reason, mark.owner, mark.by);
        json!([{"kind": "external", "status": "accepted", "justification": message(&why)}])
    });
    let baseline = finding.known.map(|known| json!(if known { "unchanged" } else { "new" }));
    let place = places.get(finding.code.as_str()).map(|at| json!(at));
    let result = with(result, "ruleIndex", place);
    with(with(result, "suppressions", suppressions), "baselineState", baseline)
}

/// The evidence, or its beginning as text where it is long.
fn evidence(finding: &Finding) -> Value {
    let text = finding.evidence.to_string();
    if text.len() <= EVIDENCE_BYTES {
        return finding.evidence.clone();
    }
    let beginning = text.get(..text.floor_char_boundary(EVIDENCE_BYTES)).unwrap_or_default();
    json!({"cut": true, "beginning": beginning, "whole": format!("report.json, finding {}", finding.id)})
}

/// One line in which nothing is a link: `[text](target)` would be one even in plain text (SARIF 2.1.0, 3.11.6).
fn message(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let line = visible_text(raw);
    let mut rest = line.chars();
    for c in rest.by_ref().take(MESSAGE_CHARS) {
        if matches!(c, '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::assessment::SuppressedBy;

    /// S43: a stranger's text is neither a link nor a second line.
    #[test]
    fn no_message_holds_a_link() {
        assert_eq!(message("see [here](http://evil.example)\n<b>"), "see \\[here\\](http://evil.example) <b>");
        assert_eq!(message(&"x".repeat(100_000)).chars().count(), MESSAGE_CHARS + 1);
    }

    fn finding(id: &str, evidence: Value) -> Finding {
        Finding {
            id: id.to_owned(),
            code: "role-idle".to_owned(),
            severity: "low".to_owned(),
            account_id: None,
            subject: "s".to_owned(),
            party: None,
            title: "t".to_owned(),
            detail: "d".to_owned(),
            evidence,
            remediation: "r".to_owned(),
            suppressed: None,
            known: None,
        }
    }

    /// S44: long evidence is cut, and it is said where the whole is.
    #[test]
    fn long_evidence_is_cut() {
        let short = json!({"names": ["a"]});
        assert_eq!(evidence(&finding("1", short.clone())), short);
        let cut = evidence(&finding("1", json!({"names": vec!["é"; 100_000]})));
        assert_eq!((&cut["cut"], &cut["whole"]), (&json!(true), &json!("report.json, finding 1")));
        assert!(cut["beginning"].as_str().unwrap().starts_with("{\"names\":[\"é\","));
        assert!(cut.to_string().len() < 2 * EVIDENCE_BYTES);
    }

    /// S44: a result for which there is no room leaves the room to those after it.
    #[test]
    fn one_large_result_does_not_drop_the_others() {
        let large = finding("large", json!("e".repeat(10_000)));
        let small = [finding("a", json!(1)), finding("b", json!(2))];
        let found = results(&[&small[0], &large, &small[1]], &HashMap::new(), "report.md", 8_000);
        let ids: Vec<&Value> = found.iter().map(|one| &one["partialFingerprints"]["thirdtrailFinding/v1"]).collect();
        assert_eq!(ids, ["a", "b"]);
    }

    /// Until when somebody answers for a finding reads well with and without a day.
    #[test]
    fn a_suppression_lasts_until_a_day_or_for_ever() {
        for (expires, words) in
            [(None, "(owner o, for ever, by f)"), (Some("2026-12-31"), "(owner o, until 2026-12-31, by f)")]
        {
            let mut one = finding("1", json!(1));
            let (by, owner, reason) = ("f".to_owned(), "o".to_owned(), "why".to_owned());
            one.suppressed = Some(SuppressedBy { by, owner, reason, expires: expires.map(str::to_owned) });
            let told = result(&one, &HashMap::new(), "report.md");
            assert_eq!(told["suppressions"][0]["justification"], format!("why {words}"));
        }
    }
}
