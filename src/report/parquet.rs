//! The tables' files: rows of an assessment, by account, as Parquet.
//!
//! Rows are sorted, so the bytes do not depend on the order of work. Every line of every ledger is written, those that
//! `report.json` only sums included.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::window::{Time, rfc3339};
use crate::aws::{AccessLevel, AccountId};
use crate::evidence::hands::{self, Hands};
use crate::evidence::tables::columnar::encode;
use crate::finding::assessment::{ActionEntry, Assessment, Finding, PartyReport, RoleReport};

use super::certificate::ledger;
use super::tables::{self, NO_ACCOUNT, Table};
use super::{OutputFile, RenderError};

/// Renders the files of all tables.
///
/// # Errors
/// [`RenderError::Table`] when a row does not fit its columns, which no assessment should bring about.
pub fn render(hands: &dyn Hands, assessment: &Assessment) -> Result<Vec<OutputFile>, RenderError> {
    let mut files = Files { hands, rendered: Vec::new() };
    let roles = &assessment.roles;
    files.add(&tables::FINDINGS, assessment.findings.iter().map(|one| (one.account_id, finding(one))))?;
    files.add(&tables::PARTIES, assessment.parties.iter().map(|one| (None, party(one))))?;
    files.add(&tables::PERMISSIONS, permissions(roles))?;
    files.add(&tables::ROLES, roles.iter().map(|one| (Some(one.account_id), role(one))))?;
    let mut sessions: Vec<_> = assessment.sessions.iter().flatten().collect();
    sessions.sort_by_key(|row| (&row.role_arn, &row.session_id));
    files.add(&tables::SESSIONS, sessions.into_iter().map(|row| (Some(row.account_id), row)))?;
    let mut usage: Vec<_> = assessment.usage.iter().collect();
    usage.sort_by_key(|row| {
        (&row.role_arn, &row.party_id, &row.channel, &row.event_source, &row.event_name, &row.region)
    });
    files.add(&tables::USAGE, usage.into_iter().map(|row| (Some(row.account_id), row)))?;
    Ok(files.rendered)
}

fn permissions(roles: &[RoleReport]) -> impl Iterator<Item = (Option<AccountId>, PermissionRow<'_>)> {
    let mut lines: Vec<_> = roles.iter().flat_map(|role| ledger(role).map(move |entry| (role, entry))).collect();
    lines.sort_by_key(|(role, entry)| (&role.arn, &role.role_id, &entry.action));
    lines.into_iter().map(|(role, entry)| (Some(role.account_id), permission(role, entry)))
}

struct Files<'a> {
    hands: &'a dyn Hands,
    rendered: Vec<OutputFile>,
}

impl Files<'_> {
    /// Adds a table: one file for each account.
    fn add<T: Serialize + Sync>(
        &mut self,
        table: &Table,
        rows: impl Iterator<Item = (Option<AccountId>, T)>,
    ) -> Result<(), RenderError> {
        let mut by_account: BTreeMap<Option<AccountId>, Vec<T>> = BTreeMap::new();
        for (account, row) in rows {
            by_account.entry(account).or_default().push(row);
        }
        let parts: Vec<_> = by_account.iter().collect();
        let files = hands::map(self.hands, &parts, |(account, rows)| {
            let partition = account.as_ref().map_or(NO_ACCOUNT, AccountId::as_str);
            let path = format!("parquet/{}/account_id={partition}/part-0.parquet", table.name);
            match encode(tables::SCHEMA, table.columns, *rows) {
                Ok(bytes) => Ok(OutputFile::new(path, bytes)),
                Err(source) => Err(RenderError::Table { path, source }),
            }
        });
        for file in files {
            self.rendered.push(file?);
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct FindingRow<'a> {
    id: &'a str,
    code: &'a str,
    severity: &'a str,
    subject: &'a str,
    party: Option<&'a str>,
    title: &'a str,
    detail: &'a str,
    evidence: String,
    remediation: &'a str,
    suppressed_by: Option<&'a str>,
    suppressed_owner: Option<&'a str>,
    suppressed_reason: Option<&'a str>,
}

fn finding(finding: &Finding) -> FindingRow<'_> {
    let mark = finding.suppressed.as_ref();
    FindingRow {
        id: &finding.id,
        code: &finding.code,
        severity: &finding.severity,
        subject: &finding.subject,
        party: finding.party.as_deref(),
        title: &finding.title,
        detail: &finding.detail,
        evidence: finding.evidence.to_string(),
        remediation: &finding.remediation,
        suppressed_by: mark.map(|mark| mark.by.as_str()),
        suppressed_owner: mark.map(|mark| mark.owner.as_str()),
        suppressed_reason: mark.map(|mark| mark.reason.as_str()),
    }
}

#[derive(Serialize)]
struct PartyRow<'a> {
    id: &'a str,
    kind: &'a str,
    name: &'a str,
    channels: &'a [String],
    roles: &'a [String],
    sessions: i64,
    calls: i64,
    denied: i64,
    failed: i64,
    throttled: i64,
    charged_calls: i64,
    first_seen: Option<String>,
    last_seen: Option<String>,
    regions: &'a [String],
    networks: &'a [String],
    agents: &'a [String],
}

fn party(party: &PartyReport) -> PartyRow<'_> {
    PartyRow {
        id: &party.id,
        kind: &party.kind,
        name: &party.name,
        channels: &party.channels,
        roles: &party.roles,
        sessions: signed(party.sessions),
        calls: signed(party.calls),
        denied: signed(party.denied),
        failed: signed(party.failed),
        throttled: signed(party.throttled),
        charged_calls: signed(party.charged_calls),
        first_seen: moment(party.first_seen),
        last_seen: moment(party.last_seen),
        regions: &party.regions,
        networks: &party.networks,
        agents: &party.agents,
    }
}

#[derive(Serialize)]
struct PermissionRow<'a> {
    role_arn: &'a str,
    role_name: &'a str,
    role_id: &'a str,
    service: &'a str,
    action: &'a str,
    verdict: &'a str,
    access_level: Option<AccessLevel>,
    danger: Option<&'a str>,
    calls: i64,
    denied: i64,
    failed: i64,
    first_seen: Option<String>,
    last_seen: Option<String>,
    resources: &'a [String],
    sample_event_ids: &'a [String],
    granted_by: Vec<String>,
    kept: bool,
    reason: &'a str,
}

fn permission<'a>(role: &'a RoleReport, entry: &'a ActionEntry) -> PermissionRow<'a> {
    PermissionRow {
        role_arn: &role.arn,
        role_name: &role.name,
        role_id: &role.role_id,
        service: entry.action.service(),
        action: entry.action.as_str(),
        verdict: &entry.verdict,
        access_level: entry.access_level,
        danger: entry.danger.as_deref(),
        calls: signed(entry.calls),
        denied: signed(entry.denied),
        failed: signed(entry.failed),
        first_seen: moment(entry.first_seen),
        last_seen: moment(entry.last_seen),
        resources: &entry.resources,
        sample_event_ids: &entry.sample_event_ids,
        granted_by: entry.granted_by.iter().map(|one| format!("{} {}", one.policy, one.statement)).collect(),
        kept: entry.kept,
        reason: &entry.reason,
    }
}

#[derive(Serialize)]
struct RoleRow<'a> {
    role_arn: &'a str,
    role_name: &'a str,
    role_id: &'a str,
    created_at: Option<String>,
    in_inventory: bool,
    trusted_parties: Vec<&'a str>,
    party_ids: Vec<&'a str>,
    last_activity_at: Option<String>,
    last_activity_source: Option<&'a str>,
    idle_verdict: &'a str,
    idle_days: Option<i64>,
    idle_reason: &'a str,
    sessions: i64,
    sessions_exact: i64,
    sessions_inferred: i64,
    sessions_unresolved: i64,
    sessions_without_external_id: i64,
    sessions_without_calls: i64,
    rightsizing: &'a str,
    rightsizing_reason: Option<&'a str>,
    granted: i64,
    kept: i64,
    removed: i64,
}

fn role(role: &RoleReport) -> RoleRow<'_> {
    let outside = role.trust.iter().filter(|entry| entry.outside);
    let mut trusted_parties: Vec<&str> =
        outside.map(|entry| entry.party.as_deref().unwrap_or(&entry.principal)).collect();
    trusted_parties.sort_unstable();
    trusted_parties.dedup();
    let (sessions, sizing) = (&role.sessions, &role.rightsizing);
    RoleRow {
        role_arn: &role.arn,
        role_name: &role.name,
        role_id: &role.role_id,
        created_at: moment(role.created_at),
        in_inventory: role.in_inventory,
        trusted_parties,
        party_ids: sessions.by_party.keys().map(String::as_str).collect(),
        last_activity_at: role.last_activity.as_ref().map(|last| rfc3339(last.at)),
        last_activity_source: role.last_activity.as_ref().map(|last| last.source.as_str()),
        idle_verdict: &role.idle.verdict,
        idle_days: role.idle.days,
        idle_reason: &role.idle.reason,
        sessions: signed(sessions.total),
        sessions_exact: signed(sessions.attribution.exact),
        sessions_inferred: signed(sessions.attribution.inferred),
        sessions_unresolved: signed(sessions.attribution.unresolved),
        sessions_without_external_id: signed(sessions.without_external_id),
        sessions_without_calls: signed(sessions.without_calls),
        rightsizing: &sizing.status,
        rightsizing_reason: sizing.reason.as_deref(),
        granted: signed(sizing.granted),
        kept: signed(sizing.kept),
        removed: signed(sizing.removed),
    }
}

fn moment(time: Option<Time>) -> Option<String> {
    time.map(rfc3339)
}

/// Engines that read Parquet with Hive's types know no unsigned numbers.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
