//! `certificate.json` of a role: what its proposal rests on, what was replayed, and why each action goes or stays.
//!
//! Written for a proposal and for one that was withheld, so that a reader of either can check it without the report
//! (S37, S38).

use serde::Serialize;

use crate::aws::{AccessLevel, AccountId, Action};
use crate::finding::assessment::{
    AccountCoverage, ActionEntry, Assessment, CertificateReport, GrantedBy, Guardrail, GuardrailCertificates,
    GuardrailFiles, Hole, NarrowingReport, ReplayReport, RoleReport, WindowReport,
};

use super::{OutputFile, RenderError, json, paths};

/// Name and version of the certificate's schema.
pub const SCHEMA: &str = "thirdtrail.certificate/1";

#[derive(Serialize)]
struct Certificate<'a> {
    schema: &'static str,
    role: Role<'a>,
    status: &'a str,
    reason: Option<&'a str>,
    /// The window of every statement below.
    window: WindowReport,
    coverage: Coverage<'a>,
    counts: Counts,
    replay: Replay<'a>,
    removed: Vec<Entry<'a>>,
    kept: Vec<Entry<'a>>,
    guardrail: GuardrailPart<'a>,
    narrowing: Option<&'a NarrowingReport>,
    unknown_patterns: &'a [String],
    not_considered: &'a [String],
}

#[derive(Serialize)]
struct Role<'a> {
    arn: &'a str,
    account_id: AccountId,
    role_id: &'a str,
}

#[derive(Serialize)]
struct Coverage<'a> {
    complete: bool,
    objects_failed: usize,
    records_bad: u64,
    /// Whether the trail holds anything of the role's account.
    account_seen: bool,
    holes: &'a [Hole],
    hole_share: Option<f64>,
    read_events_seen: bool,
    write_events_seen: bool,
    data_events_seen: &'a [String],
}

#[derive(Serialize)]
struct Counts {
    granted: u64,
    kept: u64,
    removed: u64,
    calls: u64,
    denied: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Replay<'a> {
    method: &'static str,
    result: Option<&'a CertificateReport>,
    /// What was replayed action by action, and what could not be decided or replayed, and why.
    scope: Option<&'a ReplayReport>,
}

#[derive(Serialize)]
struct GuardrailPart<'a> {
    method: &'static str,
    status: &'a str,
    reason: Option<&'a str>,
    taken: u64,
    actions: &'a [Action],
    files: &'a GuardrailFiles,
    result: &'a GuardrailCertificates,
}

#[derive(Serialize)]
struct Entry<'a> {
    action: &'a Action,
    verdict: &'a str,
    why: &'a str,
    access_level: Option<AccessLevel>,
    danger: Option<&'a str>,
    calls: u64,
    denied: u64,
    /// Calls that passed authorization: 0 for what is removed.
    uses: u64,
    sample_event_ids: &'a [String],
    kept_by: Option<&'a str>,
    granted_by: &'a [GrantedBy],
}

const METHOD: &str = "Every distinct observed call (action, resource, known context) that the current policies allow was \
evaluated against the proposed policies and must be allowed by them; no action of the catalog may be allowed by the \
proposed policies that the current ones do not allow.";

const GUARDRAIL_METHOD: &str = "Each document takes the dangerous unused actions and nothing else: every distinct observed \
call was decided with and without it and must be decided alike; the actions of the catalog that are granted with it are \
those without it less the taken ones; by its text it only adds denials of these actions by their whole names.";

/// The certificate of a role, if anything was proposed or withheld.
///
/// # Errors
/// [`RenderError::Json`].
pub fn render(assessment: &Assessment, role: &RoleReport, folder: &str) -> Result<Option<OutputFile>, RenderError> {
    if !has_certificate(role) {
        return Ok(None);
    }
    let account = assessment.coverage.accounts.iter().find(|account| account.account_id == role.account_id);
    let sizing = &role.rightsizing;
    let certificate = Certificate {
        schema: SCHEMA,
        role: Role { arn: &role.arn, account_id: role.account_id, role_id: &role.role_id },
        status: &sizing.status,
        reason: sizing.reason.as_deref(),
        window: assessment.window,
        coverage: coverage(assessment, account),
        counts: counts(role),
        replay: Replay { method: METHOD, result: sizing.certificate.as_ref(), scope: sizing.replay.as_ref() },
        removed: entries(role, is_removed),
        kept: entries(role, |entry| entry.kept),
        guardrail: guardrail(&sizing.guardrail),
        narrowing: sizing.narrowing.as_ref(),
        unknown_patterns: &sizing.unknown_patterns,
        not_considered: &sizing.not_considered,
    };
    json::pretty(&paths::certificate(folder), &certificate).map(Some)
}

/// Whether a certificate is written for the role.
#[must_use]
pub fn has_certificate(role: &RoleReport) -> bool {
    let sizing = &role.rightsizing;
    matches!(sizing.status.as_str(), "proposed" | "withheld") || sizing.guardrail.status == "proposed"
}

/// Whether the proposal takes the action away: granted today, and not kept.
#[must_use]
pub fn is_removed(entry: &ActionEntry) -> bool {
    !entry.kept && !entry.granted_by.is_empty()
}

/// Every line of the ledger, those that `report.json` sums included, in order.
pub fn ledger(role: &RoleReport) -> impl Iterator<Item = &ActionEntry> {
    role.actions.iter().chain(&role.actions_beyond)
}

fn guardrail(guardrail: &Guardrail) -> GuardrailPart<'_> {
    GuardrailPart {
        method: GUARDRAIL_METHOD,
        status: &guardrail.status,
        reason: guardrail.reason.as_deref(),
        taken: guardrail.taken,
        actions: &guardrail.actions,
        files: &guardrail.files,
        result: &guardrail.certificate,
    }
}

fn coverage<'a>(assessment: &'a Assessment, account: Option<&'a AccountCoverage>) -> Coverage<'a> {
    Coverage {
        complete: assessment.coverage.complete,
        objects_failed: assessment.coverage.objects.failed.len(),
        records_bad: assessment.coverage.records.bad,
        account_seen: account.is_some(),
        holes: account.map(|account| account.holes.as_slice()).unwrap_or_default(),
        hole_share: account.map(|account| account.hole_share),
        read_events_seen: account.is_some_and(|account| account.read_events_seen),
        write_events_seen: account.is_some_and(|account| account.write_events_seen),
        data_events_seen: account.map(|account| account.data_events_seen.as_slice()).unwrap_or_default(),
    }
}

fn counts(role: &RoleReport) -> Counts {
    let sum = |of: fn(&ActionEntry) -> u64| ledger(role).map(of).sum();
    Counts {
        granted: role.rightsizing.granted,
        kept: role.rightsizing.kept,
        removed: role.rightsizing.removed,
        calls: sum(|entry| entry.calls),
        denied: sum(|entry| entry.denied),
        failed: sum(|entry| entry.failed),
    }
}

fn entries(role: &RoleReport, wanted: impl Fn(&ActionEntry) -> bool) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = ledger(role).filter(|entry| wanted(entry)).map(entry).collect();
    entries.sort_by(|a, b| a.action.cmp(b.action));
    entries
}

fn entry(entry: &ActionEntry) -> Entry<'_> {
    Entry {
        action: &entry.action,
        verdict: &entry.verdict,
        why: &entry.reason,
        access_level: entry.access_level,
        danger: entry.danger.as_deref(),
        calls: entry.calls,
        denied: entry.denied,
        uses: entry.calls.saturating_sub(entry.denied),
        sample_event_ids: &entry.sample_event_ids,
        kept_by: entry.kept_by.as_deref(),
        granted_by: &entry.granted_by,
    }
}
