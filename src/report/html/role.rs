//! The page of one role: who can come in and who did, what it may do and did, and what could be taken back.

use std::collections::BTreeSet;

use askama::Template;

use crate::finding::assessment::{Rightsizing, RoleReport};

use super::super::RenderError;
use super::charts::{self, Chart};
use super::findings::{Tally, Told, tally, told};
use super::ledger::{self, Ledger};
use super::lists::{Shown, Weighed, within};
use super::policies::{self, Policy};
use super::remedy::{self, FileLink, Step};
use super::shell::Shell;
use super::site::Site;
use super::timeline::{self, ByAction, ByDay, Span, window_words};
use super::trust::{self, Narrowing, Principal, Sent, Session};
use super::words::{Few, Long, count, day, number, plural, sentence, spoken, stopped};

/// What the template takes.
#[derive(Template)]
#[template(path = "role.html")]
pub(super) struct RolePage {
    shell: Shell,
    name: Long,
    arn: Long,
    account: String,
    account_href: Option<String>,
    role_id: Long,
    created: String,
    in_inventory: bool,
    window: String,
    idle_verdict: String,
    idle_words: String,
    idle_reason: String,
    last: String,
    tally: Tally,
    has_tables: bool,
    radius: Option<(String, String)>,
    radius_moves: bool,
    parties: Vec<(Long, Option<String>)>,
    parties_more: usize,
    sessions: String,
    granted: String,
    used: String,
    proposal_words: String,
    findings: Vec<Told>,
    principals: Shown<Principal>,
    sent: Shown<Sent>,
    narrowing: Option<Narrowing>,
    trust_steps: Vec<Step>,
    sessions_words: String,
    by_party: Shown<(Long, Option<String>, String)>,
    latest: Shown<Session>,
    services: Option<Chart>,
    services_rows: Vec<[String; 6]>,
    services_more: usize,
    by_day: Option<ByDay>,
    by_action: Option<ByAction>,
    ledger: Ledger,
    certificate: String,
    counter_examples: Few,
    status: String,
    policies: Shown<Policy>,
    has_diffs: bool,
    not_considered: Few,
    unknown_patterns: Few,
    scripts: Vec<Step>,
    steps: Shown<Step>,
    guardrail: Option<String>,
    guardrail_actions: Few,
    guardrail_steps: Vec<Step>,
    files: Shown<FileLink>,
}

/// From a role's page to the output folder.
const UP: &str = "../../";
/// Outside parties named at the top.
const PARTIES_NAMED: usize = 6;
/// Services in the table below the access graph.
const SERVICES_LISTED: usize = 60;

/// The page of the role at that place, in which the ledger, differences and evidence have one of so many shares of their
/// room; nothing where there is none.
pub(super) fn view(site: &Site<'_>, at: usize, share: usize) -> Option<Result<RolePage, RenderError>> {
    let role = site.assessment.roles.get(at)?;
    let failed = |error: charts::DrawError| RenderError::Page {
        path: format!("report/roles/{}", site.role_page(at)),
        why: error.to_string(),
    };
    Some(page(site, at, role, share).map_err(failed))
}

fn page<'a>(site: &Site<'a>, at: usize, role: &'a RoleReport, share: usize) -> Result<RolePage, charts::DrawError> {
    let services = ledger::by_service(role);
    let span = Span::of(site.assessment, &BTreeSet::from([role.account_id]));
    let policies = policies::of(site, role, UP, share);
    let parties = outside_parties(site, role);
    Ok(RolePage {
        shell: Shell::new("../"),
        name: Long::of(&role.name),
        arn: Long::of(&role.arn),
        account: role.account_id.to_string(),
        account_href: site.account_href(Some(role.account_id)),
        role_id: Long::of(if role.role_id.is_empty() { "not known" } else { &role.role_id }),
        created: role.created_at.map_or_else(|| "not known".to_owned(), day),
        in_inventory: role.in_inventory,
        window: window_words(site.assessment),
        idle_words: spoken(&role.idle.verdict),
        idle_verdict: role.idle.verdict.clone(),
        idle_reason: stopped(&sentence(&role.idle.reason)),
        last: last_activity(role),
        tally: tally(site.of_role(at)),
        has_tables: site.has_tables,
        radius: role.blast_radius.map(|radius| (radius.before.to_string(), radius.after.to_string())),
        radius_moves: role.blast_radius.is_some_and(|radius| radius.before != radius.after),
        parties_more: parties.len().saturating_sub(PARTIES_NAMED),
        parties: parties.into_iter().take(PARTIES_NAMED).collect(),
        sessions: number(role.sessions.total),
        granted: number(role.rightsizing.granted),
        used: number(services.iter().map(|service| service.used).sum()),
        proposal_words: proposal_words(&role.rightsizing),
        findings: told(site, site.of_role(at), share),
        principals: trust::principals(site, role),
        sent: trust::sent(site, role),
        narrowing: trust::narrowing(role),
        trust_steps: remedy::trust_steps(role),
        sessions_words: sessions_words(site, role),
        by_party: by_party(site, role),
        latest: trust::latest(site, &role.latest),
        services: charts::services(&services)?,
        services_rows: services.iter().take(SERVICES_LISTED).map(service_row).collect(),
        services_more: services.len().saturating_sub(SERVICES_LISTED),
        by_day: timeline::by_day(&span, &timeline::summed(&role.daily), "Uses of actions")?,
        by_action: timeline::by_action(&span, &role.daily)?,
        ledger: ledger::of(role, site.has_tables, share),
        certificate: certificate(&role.rightsizing),
        counter_examples: Few::of(counter_examples(&role.rightsizing), 12),
        status: role.rightsizing.status.clone(),
        has_diffs: policies.rows.iter().any(|policy| !policy.statements.is_empty()),
        policies,
        not_considered: Few::of(
            &role.rightsizing.not_considered.iter().map(|text| stopped(&sentence(text))).collect::<Vec<_>>(),
            policies::POLICIES,
        ),
        unknown_patterns: Few::of(&role.rightsizing.unknown_patterns, 12),
        scripts: remedy::scripts(role),
        steps: remedy::steps(role),
        guardrail: guardrail(&role.rightsizing),
        guardrail_actions: Few::of(
            &role.rightsizing.guardrail.actions.iter().map(|action| action.as_str()).collect::<Vec<_>>(),
            12,
        ),
        guardrail_steps: remedy::guardrail_steps(role),
        files: remedy::files(site, site.folder(at), UP),
    })
}

fn last_activity(role: &RoleReport) -> String {
    match &role.last_activity {
        Some(last) => {
            format!("{} ({})", day(last.at), if last.source == "iam" { "by IAM’s word" } else { "in the trail" })
        }
        None => "never seen".to_owned(),
    }
}

/// The outside parties that may come in or did, each with its page.
fn outside_parties(site: &Site<'_>, role: &RoleReport) -> Vec<(Long, Option<String>)> {
    let trusted = role.trust.iter().filter(|entry| entry.outside).filter_map(|entry| {
        let name = entry.party.as_deref()?;
        // A company can have several accounts, each with a page of its own.
        let by_id = entry.account_id.and_then(|account| site.party_href(account.as_str()));
        Some((name, by_id.or_else(|| site.party_href_by_name(name))))
    });
    let came = role.sessions.by_party.keys().filter_map(|id| Some((site.party_name(id)?, site.party_href(id))));
    let parties: BTreeSet<(&str, Option<String>)> = trusted.chain(came).collect();
    parties.into_iter().map(|(name, href)| (Long::of(name), href)).collect()
}

impl Weighed for (Long, Option<String>, String) {
    fn weight(&self) -> usize {
        100 + self.0.weight() + self.1.as_deref().map_or(0, str::len)
    }
}

/// The sessions of each party, the most first, and how many parties more there are.
fn by_party(site: &Site<'_>, role: &RoleReport) -> Shown<(Long, Option<String>, String)> {
    let mut parties: Vec<(&String, &u64)> = role.sessions.by_party.iter().collect();
    parties.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let name = |id: &str| Long::of(site.party_name(id).unwrap_or(id));
    let rows = parties.into_iter().map(|(id, sessions)| (name(id), site.party_href(id), number(*sessions)));
    within(rows.collect(), trust::ROWS)
}

fn sessions_words(site: &Site<'_>, role: &RoleReport) -> String {
    let sessions = &role.sessions;
    if sessions.total == 0 && site.unread.contains(&role.account_id) {
        return "No record of this account was read: nobody knows who came in.".to_owned();
    }
    if sessions.total == 0 {
        return "Nobody came in during the window.".to_owned();
    }
    let how = &sessions.attribution;
    let mut words = format!(
        "{}: {} attributed exactly, {} inferred, {} unresolved.",
        count(sessions.total, "session"),
        number(how.exact),
        number(how.inferred),
        number(how.unresolved)
    );
    let was = |amount: u64| if amount == 1 { "was" } else { "were" };
    if sessions.without_external_id > 0 {
        let amount = sessions.without_external_id;
        words.push_str(&format!(" {} {} opened from outside without an external id.", number(amount), was(amount)));
    }
    if sessions.without_calls > 0 {
        let amount = sessions.without_calls;
        words.push_str(&format!(" {} {} without a call.", number(amount), was(amount)));
    }
    words
}

fn service_row(service: &charts::Service) -> [String; 6] {
    [
        service.name.clone(),
        number(service.granted()),
        number(service.used),
        number(service.dangerous),
        number(service.unused),
        number(service.unseen),
    ]
}

/// The proposal in a few words.
pub(super) fn proposal_words(sizing: &Rightsizing) -> String {
    match sizing.status.as_str() {
        "proposed" => format!("{} of {} granted actions can go", number(sizing.removed), number(sizing.granted)),
        "withheld" => "withheld".to_owned(),
        _ => "nothing to change".to_owned(),
    }
}

/// The certificate in one sentence, or why there is none.
fn certificate(sizing: &Rightsizing) -> String {
    let reason = sizing.reason.as_deref().map_or(String::new(), |reason| format!(" {}", stopped(&sentence(reason))));
    match (sizing.status.as_str(), &sizing.certificate) {
        ("proposed", Some(proof)) => {
            let undecided = match proof.undecidable {
                0 => String::new(),
                1 => ", 1 cannot be decided from the records, before as after".to_owned(),
                many => format!(", {} cannot be decided from the records, before as after", number(many)),
            };
            let neither = match proof.allowed_by_neither() {
                0 => String::new(),
                1 => ", 1 is allowed by neither, before as after".to_owned(),
                many => format!(", {} are allowed by neither, before as after", number(many)),
            };
            let calls = count(proof.calls_replayed, "distinct observed call");
            format!(
                "{calls} {} replayed against the proposed policies: {} still allowed{neither}{undecided}, and {} newly allowed.{reason}",
                if proof.calls_replayed == 1 { "was" } else { "were" },
                match proof.calls_allowed {
                    1 => "1 is".to_owned(),
                    many => format!("{} are", number(many)),
                },
                match proof.newly_allowed {
                    0 => "nothing is".to_owned(),
                    1 => "1 action is".to_owned(),
                    many => format!("{} {} are", number(many), plural("action")),
                },
            )
        }
        ("withheld", _) => format!("A proposal is withheld.{reason}"),
        ("proposed", None) => format!("A smaller policy is proposed.{reason}"),
        _ => format!("Nothing changes.{reason}"),
    }
}

fn counter_examples(sizing: &Rightsizing) -> &[String] {
    sizing.certificate.as_ref().map_or(&[], |proof| &proof.counter_examples)
}

/// The guard-rail in a sentence, where there is one or a reason why not.
fn guardrail(sizing: &Rightsizing) -> Option<String> {
    let guardrail = &sizing.guardrail;
    if guardrail.status != "proposed" && guardrail.taken == 0 {
        return None;
    }
    let reason = guardrail.reason.as_deref().map_or(String::new(), |reason| format!(" {}", stopped(&sentence(reason))));
    let actions = count(guardrail.taken, "dangerous unused action");
    Some(if guardrail.status == "proposed" {
        format!("A guard-rail takes {actions} and nothing else.{reason}")
    } else {
        format!("A guard-rail that takes {actions} is withheld.{reason}")
    })
}
