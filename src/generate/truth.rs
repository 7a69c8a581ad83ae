//! The ledger: what really happened, counted while the records are made, and never by an analysis.

use std::collections::{BTreeMap, BTreeSet};

use super::apis::APIS;
use super::cast::{Cast, Role};
use super::clock::DAY;
use super::templates::Outcome;

/// First and last moment, seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Widens the span by a moment.
fn widen(span: &mut Option<Span>, time: i64) {
    let known = span.unwrap_or(Span { first: time, last: time });
    *span = Some(Span { first: known.first.min(time), last: known.last.max(time) });
}

/// The calls of one role to one API.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Stat {
    /// All calls, whatever came of them.
    pub(crate) calls: u64,
    pub(crate) denied: u64,
    /// Allowed, then failed; dry runs are not among them.
    pub(crate) failed: u64,
    pub(crate) dry_run: u64,
    pub(crate) span: Option<Span>,
}

impl Stat {
    fn note(&mut self, outcome: Outcome, time: i64) {
        self.calls += 1;
        match outcome {
            Outcome::Ok => {}
            Outcome::AccessDenied | Outcome::Unauthorized => self.denied += 1,
            Outcome::Throttled | Outcome::NotFound => self.failed += 1,
            Outcome::DryRun => self.dry_run += 1,
        }
        widen(&mut self.span, time);
    }

    /// Adds another count of the same thing.
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.denied += other.denied;
        self.failed += other.failed;
        self.dry_run += other.dry_run;
        for time in other.span.into_iter().flat_map(|span| [span.first, span.last]) {
            widen(&mut self.span, time);
        }
    }
}

/// How well the trail tells who opened a session (S10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Attribution {
    /// By access key id.
    Exact,
    /// By role id, session name and creation time, or by the only outsider that the role trusts.
    Inferred,
    /// Not at all.
    Unresolved,
}

/// A role's sessions.
#[derive(Clone, Default, Debug)]
pub(crate) struct RoleBook {
    pub(crate) by_party: BTreeMap<usize, u64>,
    pub(crate) exact: u64,
    pub(crate) inferred: u64,
    pub(crate) unresolved: u64,
    /// Cross-account `AssumeRole` hand-offs by an outsider that carried no external id.
    pub(crate) without_external_id: u64,
    pub(crate) handoffs: u64,
    pub(crate) without_calls: u64,
    pub(crate) span: Option<Span>,
    pub(crate) last_call: Option<i64>,
    /// Situations that really occurred.
    pub(crate) situations: BTreeSet<&'static str>,
}

/// A party's doings.
#[derive(Clone, Default, Debug)]
pub(crate) struct PartyBook {
    pub(crate) sessions: u64,
    pub(crate) calls: u64,
    pub(crate) denied: u64,
    pub(crate) span: Option<Span>,
    pub(crate) channels: BTreeSet<&'static str>,
    pub(crate) roles: BTreeSet<usize>,
}

/// Everything counted.
#[derive(Debug)]
pub(crate) struct Ledger {
    stats: Vec<Stat>,
    pub(crate) roles: Vec<RoleBook>,
    pub(crate) parties: Vec<PartyBook>,
}

impl Ledger {
    /// Empty books for the cast.
    pub(crate) fn new(cast: &Cast) -> Self {
        Self {
            stats: vec![Stat::default(); cast.roles.len() * APIS.len()],
            roles: vec![RoleBook::default(); cast.roles.len()],
            parties: vec![PartyBook::default(); cast.parties.len()],
        }
    }

    /// A session came to be known, at its hand-off or, without one, at its first call.
    pub(crate) fn session(
        &mut self,
        role: usize,
        party: usize,
        channel: Option<&'static str>,
        attribution: Attribution,
        time: i64,
    ) {
        if let Some(book) = self.roles.get_mut(role) {
            *book.by_party.entry(party).or_default() += 1;
            match attribution {
                Attribution::Exact => book.exact += 1,
                Attribution::Inferred => book.inferred += 1,
                Attribution::Unresolved => book.unresolved += 1,
            }
            widen(&mut book.span, time);
        }
        if let Some(book) = self.parties.get_mut(party) {
            book.sessions += 1;
            book.channels.extend(channel);
            book.roles.insert(role);
            widen(&mut book.span, time);
        }
    }

    /// Changes a role's book.
    pub(crate) fn role(&mut self, role: usize, change: impl FnOnce(&mut RoleBook)) {
        if let Some(book) = self.roles.get_mut(role) {
            change(book);
        }
    }

    /// A session of `role` that belongs to `party` called an API.
    pub(crate) fn call(&mut self, role: usize, party: usize, api: usize, outcome: Outcome, time: i64) {
        if let Some(stat) = self.stats.get_mut(role * APIS.len() + api) {
            stat.note(outcome, time);
        }
        if let Some(book) = self.roles.get_mut(role) {
            widen(&mut book.span, time);
            book.last_call = book.last_call.max(Some(time));
        }
        self.direct(party, None, outcome, time);
    }

    /// `party` called without a role: an IAM user, a resource policy, an AWS service.
    pub(crate) fn direct(&mut self, party: usize, channel: Option<&'static str>, outcome: Outcome, time: i64) {
        if let Some(book) = self.parties.get_mut(party) {
            book.calls += 1;
            book.denied += u64::from(matches!(outcome, Outcome::AccessDenied | Outcome::Unauthorized));
            book.channels.extend(channel);
            widen(&mut book.span, time);
        }
    }

    /// The role's counts by IAM action; calls that need no action are under the empty name.
    pub(crate) fn actions(&self, role: usize) -> BTreeMap<&'static str, Stat> {
        let mut actions: BTreeMap<&'static str, Stat> = BTreeMap::new();
        let rows = self.stats.chunks(APIS.len()).nth(role).unwrap_or_default();
        for (api, stat) in APIS.iter().zip(rows).filter(|(_, stat)| stat.calls > 0) {
            actions.entry(api.action).or_default().add(stat);
        }
        actions
    }

    /// When the role was last used, by the trail and by IAM's `RoleLastUsed`.
    pub(crate) fn last_activity(&self, role: &Role) -> Option<(i64, &'static str)> {
        let trail = self.roles.get(role.index).and_then(|book| book.span).map(|span| (span.last, "cloudtrail"));
        trail.or(role.used_before.map(|time| (time, "iam")))
    }

    /// `RoleLastUsed.LastUsedDate`: the last call, or an earlier use that the trail does not show.
    pub(crate) fn role_last_used(&self, role: &Role) -> Option<i64> {
        self.roles.get(role.index).and_then(|book| book.last_call).or(role.used_before)
    }
}

/// The verdict on a role at the window's end, where it is beyond doubt.
pub(crate) fn idle_verdict(ledger: &Ledger, cast: &Cast, role: &Role, idle_days: i64) -> Option<&'static str> {
    let as_of = cast.until;
    let assumed_only = ledger.roles.get(role.index).is_some_and(|book| book.handoffs > 0 && book.last_call.is_none());
    let young = (as_of - role.created) / DAY < idle_days;
    match ledger.last_activity(role) {
        _ if assumed_only || !role.exists => None,
        Some(_) if young => None,
        Some((time, _)) if (as_of - time) / DAY < idle_days => Some("active"),
        Some(_) if (as_of - cast.since) / DAY < idle_days => None,
        Some(_) => Some("idle"),
        None if young => Some("too_new"),
        None if role.created < cast.since => Some("never_used"),
        None => None,
    }
}
