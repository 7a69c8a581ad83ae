//! One role judged: who can and did come in, whether it is idle, its ledger, its proposal.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::activity::attribution::How;
use crate::activity::opening::{Opening, RoleKey};
use crate::activity::resolve::RoleActivity;
use crate::activity::sessions::{SentExternalId, Session};
use crate::activity::usage::{SeenCall, Usage};
use crate::aws::Action;
use crate::aws::window::Time;
use crate::evidence::session::HandOffSeen;
use crate::evidence::session::Span;
use crate::policy::comparison::Witness;
use crate::policy::evaluate::Decision;
use crate::policy::grant::Grant;
use crate::policy::guardrail_proof::{Baseline, Holder};
use crate::policy::inventory::Role;
use crate::policy::last_accessed::Testimony;
use crate::policy::narrow::KnownUses;

use super::assess::Case;
use super::assessment::{
    DeniedAction, Guardrail, LatestSessions, PolicyReport, RemediationFiles, Rightsizing, RoleReport, RoleSessions,
};
use super::calls::{ask_for_time, observed_calls};
use super::external_id;
use super::guardrail::guardrail;
use super::idle::{self, Signs};
use super::keep::{RoleNames, RoleRules};
use super::ledger::{Grounds, Ledger, ledger, summed};
use super::narrowing::known_uses;
use super::proposal::{Granted, Proposal, Request, propose};
use super::replay::replay;
use super::risk;
use super::trust;
use super::trust_narrowing::trust_narrowing;

/// Everything known of one role.
pub struct Subject<'a, 'e> {
    /// As records and inventory know it.
    pub key: &'a RoleKey,
    /// From the inventory.
    pub role: Option<&'a Role>,
    /// From the records.
    pub activity: Option<&'a RoleActivity>,
    /// Its sessions.
    pub sessions: Vec<&'a Session<'e>>,
    /// Its openings, those of the hours before the window included.
    pub openings: Vec<&'a Opening<'a>>,
    /// Hand-offs into it that were refused.
    pub refusals: Vec<&'a HandOffSeen>,
}

impl<'a, 'e> Subject<'a, 'e> {
    /// Gathers a role from the sessions of its group; calls whose record tells no role id count for the role that has the
    /// name now (doubt keeps).
    #[must_use]
    pub fn of(
        key: &'a RoleKey,
        role: Option<&'a Role>,
        activity: Option<&'a RoleActivity>,
        sessions: &'a [Session<'e>],
        (openings, refusals): (Vec<&'a Opening<'a>>, Vec<&'a HandOffSeen>),
    ) -> Self {
        let with_id = |id: &'a str| {
            sessions.iter().filter(move |session| session.role.as_deref().is_some_and(|role| role.id == id))
        };
        let nameless = (!key.id.is_empty() && role.is_some()).then_some("");
        let sessions = with_id(&key.id).chain(nameless.into_iter().flat_map(with_id)).collect();
        Self { key, role, activity, sessions, openings, refusals }
    }

    /// The role's ARN; the path is unknown when the inventory does not hold the role.
    #[must_use]
    pub fn arn(&self, partition: &str) -> String {
        match self.role {
            Some(role) => role.arn.clone(),
            None => format!("arn:{partition}:iam::{}:role/{}", self.key.account, self.key.name),
        }
    }

    fn calls(&self) -> impl Iterator<Item = &'a SeenCall<'e>> {
        self.sessions.iter().copied().flat_map(|session| &session.calls)
    }

    /// What the role used, chains included that only other accounts recorded (S11).
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::of(self.calls());
        for chain in self.activity.into_iter().flat_map(|role| &role.assumed_elsewhere) {
            if let Some(action) = crate::policy::admission::assume_role() {
                usage.add_proven(action, Span::at(chain.time), &chain.role_arn, &chain.event_id);
            }
        }
        usage
    }
}

/// The report of one role.
#[must_use]
pub fn report(subject: &Subject<'_, '_>, case: &Case<'_>) -> RoleReport {
    let key = subject.key;
    let usage = subject.usage();
    let covered = case.hole_share(key.account) <= case.max_holes;
    let arn = subject.arn(case.partition(key.account));
    let granted = subject.role.map(|role| Granted::of(case.inventory, role, case.catalog));
    let grants = granted.as_ref().map_or(&[][..], |granted| &granted.expanded.grants);
    let witness = case.trails.get(&key.account);
    let trust = subject.role.map_or_else(Vec::new, |role| trust::entries(role, case.accounts));
    let names = RoleNames::of(&arn, &key.name, &trust, &subject.sessions);
    let rules = RoleRules::about(&names, case.keep, case.as_of);
    let ledger = ledger(&Grounds {
        grants,
        grants_known: granted.as_ref().is_some_and(|granted| granted.unreadable.is_none()),
        usage: &usage,
        witness: witness.map(|trail| trail as &dyn Witness),
        uncovered: case.uncovered(key.account),
        catalog: case.catalog,
        second: &|action| case.beside.last_accessed.says(&arn, action, case.window),
        keeper: &|action| rules.keeper(action),
        window: case.window,
    });
    let signs = Signs {
        cloudtrail: last_sign(subject),
        iam: subject.role.and_then(|role| role.last_used).max(last_accessed(subject, &arn, case)),
        iam_watched: subject.role.is_some_and(|role| role.tracks_last_use)
            && case.beside.inventory_of.is_some_and(|asked| asked >= case.window.until),
        created: subject.role.and_then(|role| role.created),
        window: case.window,
        as_of: case.as_of,
        idle_days: case.idle_days,
        covered: covered && witness.is_some(),
        blind: witness.and_then(|trail| trail.shows_every_session().err()),
    };
    let judged = subject.role.zip(granted.as_ref());
    let sized = judged.map(|(role, granted)| sizing(subject, role, granted, &ledger, &usage, case));
    let (rightsizing, policies) = sized.unwrap_or_else(|| (not_in_inventory(), Vec::new()));
    let risk = judged.map(|(role, granted)| Box::new(risk::risk(role, granted, &rightsizing, &policies, case)));
    let denied = denied_actions(&usage, grants);
    let doubt = case.uncovered(key.account).or_else(|| witness.and_then(|trail| trail.shows_every_session().err()));
    let external_ids = external_id::uses(&subject.sessions, &trust, doubt.as_deref());
    let trust_narrowing = trust_narrowing(subject, &trust, &external_ids, doubt, case);
    let keep = rules.uses(&ledger.entries);
    let (actions, actions_summed, actions_beyond) = summed(ledger.entries);
    RoleReport {
        arn,
        account_id: key.account,
        name: key.name.clone(),
        role_id: key.id.clone(),
        created_at: signs.created,
        in_inventory: subject.role.is_some(),
        trust,
        external_ids,
        trust_narrowing,
        last_activity: idle::last_activity(&signs),
        idle: idle::judge(&signs),
        sessions: sessions(subject),
        actions,
        actions_summed,
        denied_not_granted: denied,
        actions_beyond,
        keep,
        policies,
        rightsizing,
        blast_radius: risk.as_ref().map(|risk| risk.blast_radius()),
        risk,
        daily: Vec::new(),
        latest: LatestSessions::default(),
    }
}

/// The proposal and the guard-rail, with what their replay could show.
fn sizing(
    subject: &Subject<'_, '_>,
    role: &Role,
    granted: &Granted<'_>,
    ledger: &Ledger,
    usage: &Usage,
    case: &Case<'_>,
) -> (Rightsizing, Vec<PolicyReport>) {
    let timed = ask_for_time(granted.named.iter().chain(&granted.boundaries));
    let calls = observed_calls(subject.calls(), case.map, role, timed);
    let obstacle = case.uncovered(subject.key.account);
    let holder = Holder { policies: &granted.named, boundaries: &granted.boundaries };
    let baseline = Baseline::of(holder, &calls, case.catalog);
    let uses = || known(subject, &baseline, usage, case);
    let Proposal { mut rightsizing, policies } = propose(&Request {
        inventory: case.inventory,
        role,
        granted,
        keep: &ledger.keep,
        calls: &calls,
        narrowing: case.narrowing.map(|how| (uses(), how)),
        catalog: case.catalog,
        obstacle: obstacle.clone(),
    });
    if rightsizing.status == "unchanged" && ledger.entries.iter().any(|entry| entry.kept_by.is_some()) {
        rightsizing.reason = Some("all that is known to be unused is kept by a keep rule".to_owned());
    }
    rightsizing.replay = Some(replay(&baseline, usage));
    rightsizing.guardrail = guardrail(case.inventory, role, granted, &ledger.entries, &baseline, obstacle);
    (rightsizing, policies)
}

/// The uses whose resources are known; none where only some Regions were read, none of a service with calls that could
/// not be mapped, and none that today's policies would deny: there the resource was read wrong, or others let it in.
fn known(subject: &Subject<'_, '_>, baseline: &Baseline<'_>, usage: &Usage, case: &Case<'_>) -> KnownUses {
    let Some(trail) = case.trails.get(&subject.key.account).filter(|trail| trail.is_read_everywhere()) else {
        return KnownUses::new();
    };
    let chains = subject.activity.into_iter().flat_map(|role| &role.assumed_elsewhere);
    let calls = baseline.calls().map(|(call, _)| call);
    let mut uses = known_uses(calls, chains.map(|chain| chain.role_arn.as_str()), trail, case.catalog);
    let denied = |decision| matches!(decision, Decision::ImplicitlyDenied | Decision::ExplicitlyDenied);
    for (call, _) in baseline.calls().filter(|(_, decision)| denied(*decision)) {
        uses.remove(&call.action);
    }
    uses.retain(|action, _| !has_unseen_attempt(subject, action, usage, case));
    let blocked = usage.blocked_services();
    uses.retain(|action, _| !blocked.iter().any(|service| service.eq_ignore_ascii_case(action.service())));
    uses
}

/// Whether IAM knows of an attempt that the records do not show: it may have been on another resource (S25a, S35).
fn has_unseen_attempt(subject: &Subject<'_, '_>, action: &Action, usage: &Usage, case: &Case<'_>) -> bool {
    // Both witnesses round their times, and each in its own way.
    const ROUNDING: TimeDelta = TimeDelta::hours(1);
    let arn = subject.arn(case.partition(subject.key.account));
    let Testimony::Tried(at) = case.beside.last_accessed.says(&arn, action, case.window) else { return false };
    let spans = usage.actions.get(action).map(|usage| [usage.used, usage.refused]);
    let seen = spans.into_iter().flatten().flatten().map(|span| span.last).max();
    seen.is_none_or(|last| at > last + ROUNDING)
}

/// What IAM tells goes by the ARN, and a role that was created anew has its predecessor's (S18).
fn last_accessed(subject: &Subject<'_, '_>, arn: &str, case: &Case<'_>) -> Option<Time> {
    let last = case.beside.last_accessed.last_of(arn)?;
    match subject.role {
        Some(role) => idle::own_use(last, role.created),
        None => Some(last).filter(|_| !case.inventory.roles.contains_key(arn)),
    }
}

fn last_sign(subject: &Subject<'_, '_>) -> Option<Time> {
    let sessions =
        subject.sessions.iter().filter_map(|session| session.active.map(|span| span.last).max(session.opened));
    subject.activity.and_then(|role| role.active).map(|span| span.last).into_iter().chain(sessions).max()
}

fn not_in_inventory() -> Rightsizing {
    Rightsizing {
        status: "withheld".to_owned(),
        reason: Some("the role is not in the inventory: it was deleted, or its account was not collected".to_owned()),
        granted: 0,
        kept: 0,
        removed: 0,
        certificate: None,
        replay: None,
        narrowing: None,
        remediation: RemediationFiles::default(),
        guardrail: Guardrail::none("withheld", "the role is not in the inventory"),
        unknown_patterns: Vec::new(),
        not_considered: Vec::new(),
    }
}

fn sessions(subject: &Subject<'_, '_>) -> RoleSessions {
    let mut sums = RoleSessions::default();
    let mut by_party: BTreeMap<String, u64> = BTreeMap::new();
    for session in &subject.sessions {
        sums.total += 1;
        *by_party.entry(session.attributed.party.id.clone()).or_default() += 1;
        match session.attributed.how {
            How::Exact => sums.attribution.exact += 1,
            How::Inferred => sums.attribution.inferred += 1,
            How::Unresolved => sums.attribution.unresolved += 1,
        }
        let outside = session.attributed.party.kind.is_outside();
        let direct = session.attributed.channel == crate::activity::party::Channel::AssumeRole;
        if outside && direct && session.external_id == SentExternalId::None {
            sums.without_external_id += 1;
        }
        if session.calls.is_empty() {
            sums.without_calls += 1;
        }
    }
    sums.by_party = by_party;
    sums
}

/// Wishes that were refused and that no policy grants either.
fn denied_actions(usage: &Usage, grants: &[Grant]) -> Vec<DeniedAction> {
    let granted = |action: &crate::aws::Action| grants.binary_search_by(|grant| grant.action.cmp(action)).is_ok();
    let refused =
        usage.actions.iter().filter(|(action, usage)| usage.denied > 0 && !usage.is_used() && !granted(action));
    refused
        .map(|(action, usage)| DeniedAction {
            action: action.clone(),
            denied: usage.denied,
            first_seen: usage.refused.map(|span| span.first),
            last_seen: usage.refused.map(|span| span.last),
            sample_event_ids: usage.samples.to_vec(),
        })
        .collect()
}
