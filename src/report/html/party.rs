//! The page of one party: how it comes in, with which roles, from where and with what, when, and what it could do to us.

use std::collections::BTreeSet;

use askama::Template;

use crate::aws::{AccountId, Arn};
use crate::finding::assessment::{Finding, PartyReport};

use super::super::RenderError;
use super::charts::DrawError;
use super::findings::{Tally, Told, rank, tally, told, worst};
use super::lists::{Room, Shown, Weighed, within};
use super::shell::Shell;
use super::site::Site;
use super::timeline::{self, ByDay, Span, window_words};
use super::trust::{self, Session};
use super::words::{Few, Long, day, day_or, number, sentence, share, spoken};

/// Roles on a party's page.
const ROLES: Room = Room { rows: 500, bytes: 160_000 };
/// Findings of its roles on a party's page; each is told in full on the role's.
const ROLE_FINDINGS: Room = Room { rows: 200, bytes: 100_000 };
/// Networks, agents, Regions, charged APIs.
const NAMES: usize = 60;

/// A role that the party can or did assume.
pub(super) struct RoleRow {
    name: Long,
    href: Option<String>,
    account: String,
    idle: String,
    idle_words: String,
    last: String,
    sessions: String,
    proposal: String,
    radius: String,
    worst: Option<String>,
}

/// A finding that is told on the page of a role.
pub(super) struct Pointer {
    severity: String,
    suppressed: bool,
    known: bool,
    title: Long,
    account: String,
    href: String,
}

impl Weighed for RoleRow {
    fn weight(&self) -> usize {
        400 + self.name.weight() + self.href.as_deref().map_or(0, str::len)
    }
}

impl Weighed for Pointer {
    fn weight(&self) -> usize {
        200 + self.title.weight() + self.href.len()
    }
}

/// What the template takes.
#[derive(Template)]
#[template(path = "party.html")]
pub(super) struct PartyPage {
    shell: Shell,
    name: Long,
    id: Long,
    kind_words: String,
    known_by: Option<String>,
    window: String,
    channels: Few,
    sessions: String,
    calls: String,
    denied: String,
    denied_share: String,
    failed: String,
    throttled: String,
    charged: String,
    first: String,
    last: String,
    tally: Tally,
    has_tables: bool,
    radius: Option<(String, String)>,
    radius_moves: bool,
    roles_not_known: u64,
    findings: Vec<Told>,
    role_findings: Shown<Pointer>,
    roles: Shown<RoleRow>,
    latest: Shown<Session>,
    by_day: Option<ByDay>,
    networks: Few,
    agents: Few,
    regions: Few,
    charged_apis: Vec<(Long, String, Long)>,
    charged_more: usize,
}

/// The page of the party at that place; nothing where there is none.
pub(super) fn view(site: &Site<'_>, at: usize) -> Option<Result<PartyPage, RenderError>> {
    let party = site.assessment.parties.get(at)?;
    let failed = |error: DrawError| RenderError::Page {
        path: format!("report/parties/{}", site.party_page(at)),
        why: error.to_string(),
    };
    Some(page(site, at, party).map_err(failed))
}

fn page(site: &Site<'_>, at: usize, party: &PartyReport) -> Result<PartyPage, DrawError> {
    let role_findings = of_roles(site, party);
    let radius = party.blast_radius;
    let all: Vec<&Finding> = site.of_party(at).iter().chain(&role_findings).copied().collect();
    let pointers = role_findings.into_iter().map(|finding| pointer(site, finding)).collect();
    Ok(PartyPage {
        shell: Shell::new("../"),
        name: Long::of(&party.name),
        id: Long::of(&party.id),
        kind_words: kind_words(&party.kind),
        known_by: party.known_by.clone(),
        window: window_words(site.assessment),
        channels: Few::of(&party.channels.iter().map(|channel| spoken(channel)).collect::<Vec<_>>(), NAMES),
        sessions: number(party.sessions),
        calls: number(party.calls),
        denied: number(party.denied),
        denied_share: share(party.denied, party.calls),
        failed: number(party.failed),
        throttled: number(party.throttled),
        charged: number(party.charged_calls),
        first: day_or(party.first_seen, "never"),
        last: day_or(party.last_seen, "never"),
        tally: tally(&all),
        has_tables: site.has_tables,
        radius: radius.map(|radius| (radius.before.to_string(), radius.after.to_string())),
        radius_moves: radius.is_some_and(|radius| radius.before != radius.after),
        roles_not_known: radius.map_or(0, |radius| radius.roles_not_known),
        findings: told(site, site.of_party(at), 1),
        role_findings: within(pointers, ROLE_FINDINGS),
        roles: within(party.roles.iter().map(|arn| role_row(site, party, arn)).collect(), ROLES),
        latest: trust::latest(site, &party.latest),
        by_day: timeline::by_day(&Span::of(site.assessment, &accounts(party)), &party.days, "Calls")?,
        networks: Few::of(&party.networks, NAMES),
        agents: Few::of(&party.agents, NAMES),
        regions: Few::of(&party.regions, NAMES),
        charged_more: party.charged.len().saturating_sub(NAMES),
        charged_apis: party
            .charged
            .iter()
            .take(NAMES)
            .map(|one| {
                let service = one.event_source.split('.').next().unwrap_or_default();
                (Long::of(&format!("{service}:{}", one.event_name)), number(one.calls), Long::of(&one.by))
            })
            .collect(),
    })
}

/// The accounts of its roles.
fn accounts(party: &PartyReport) -> BTreeSet<AccountId> {
    party.roles.iter().filter_map(|arn| AccountId::parse(Arn::parse(arn)?.account)).collect()
}

/// Findings of the roles that it can or did assume, the gravest first.
fn of_roles<'a>(site: &Site<'a>, party: &PartyReport) -> Vec<&'a Finding> {
    let roles = party.roles.iter().filter_map(|arn| site.role(arn));
    let mut found: Vec<&Finding> = roles.flat_map(|(at, _)| site.of_role(at)).copied().collect();
    found.sort_by_key(|finding| {
        (finding.suppressed.is_some(), rank(&finding.severity), &finding.code, &finding.subject)
    });
    found
}

fn pointer(site: &Site<'_>, finding: &Finding) -> Pointer {
    Pointer {
        severity: finding.severity.clone(),
        suppressed: finding.suppressed.is_some(),
        known: finding.known == Some(true),
        title: Long::of(&sentence(&finding.title)),
        account: finding.account_id.map(|account| account.to_string()).unwrap_or_default(),
        href: site.finding_href(finding),
    }
}

fn role_row(site: &Site<'_>, party: &PartyReport, arn: &str) -> RoleRow {
    let found = site.role(arn);
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let role = found.map(|(_, role)| role);
    RoleRow {
        name: Long::of(role.map_or(name, |role| &role.name)),
        href: site.role_href(arn),
        account: Arn::parse(arn).map(|arn| arn.account.to_owned()).unwrap_or_default(),
        idle: role.map(|role| role.idle.verdict.clone()).unwrap_or_default(),
        idle_words: role.map(|role| spoken(&role.idle.verdict)).unwrap_or_default(),
        last: role.and_then(|role| role.last_activity.as_ref()).map_or_else(|| "never".to_owned(), |last| day(last.at)),
        sessions: role
            .map(|role| number(role.sessions.by_party.get(&party.id).copied().unwrap_or(0)))
            .unwrap_or_default(),
        proposal: role.map(|role| super::role::proposal_words(&role.rightsizing)).unwrap_or_default(),
        radius: role
            .and_then(|role| role.blast_radius)
            .map(|radius| super::lists::radius_words(radius.before, radius.after))
            .unwrap_or_default(),
        worst: found.and_then(|(at, _)| worst(site.of_role(at)).0.map(str::to_owned)),
    }
}

/// The kind of a party for people.
pub(super) fn kind_words(kind: &str) -> String {
    match kind {
        "iam_user" => "IAM user".to_owned(),
        "aws_service" => "AWS service".to_owned(),
        other => spoken(other),
    }
}
