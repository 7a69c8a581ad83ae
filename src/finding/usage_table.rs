//! The rows of the table `usage`: calls summed over sessions, so that its size depends on what is done, not how often.

use std::collections::BTreeMap;

use crate::activity::sessions::Session;
use crate::activity::usage::SeenCall;
use crate::aws::AccountId;
use crate::aws::window::rfc3339;
use crate::evidence::few::Few;
use crate::evidence::limits;
use crate::evidence::session::Span;
use crate::evidence::sighting::join;

use super::assessment::UsageRow;
use super::coverage::event_source;

/// What rows are summed by: account, role, party, channel, Region, source, name, and the variety that maps alike.
type Key<'a> = (AccountId, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, Vec<&'a str>);

#[derive(Default)]
struct Sums<'a> {
    party_name: &'a str,
    rule: &'a str,
    sessions: u64,
    /// The session added last.
    latest: Option<usize>,
    calls: u64,
    denied: u64,
    failed: u64,
    span: Option<Span>,
    resources: Few<{ limits::RESOURCES }>,
    errors: Few<{ limits::ERRORS }>,
    samples: Few<{ limits::SAMPLES }>,
}

/// The rows of these sessions, sorted; `arn` tells that of a session's role.
#[must_use]
pub fn usage_rows<'a>(sessions: &'a [Session<'_>], arn: &impl Fn(&'a Session<'_>) -> Option<&'a str>) -> Vec<UsageRow> {
    let mut sums: BTreeMap<Key<'_>, Sums<'_>> = BTreeMap::new();
    for (at, session) in sessions.iter().enumerate() {
        let role = arn(session).unwrap_or_default();
        for seen in &session.calls {
            sums.entry(key(session, seen, role)).or_default().add(at, session, seen);
        }
    }
    sums.into_iter().map(|(key, sums)| row(key, &sums)).collect()
}

fn key<'a>(session: &'a Session<'_>, seen: &'a SeenCall<'_>, role: &'a str) -> Key<'a> {
    let attributed = &session.attributed;
    let actions = seen.mapping.actions.iter().map(|mapped| mapped.action.as_str()).collect();
    let channel = attributed.channel.word();
    (seen.key.account, role, &attributed.party.id, channel, seen.region(), seen.source(), seen.name(), actions)
}

impl<'a> Sums<'a> {
    fn add(&mut self, at: usize, session: &'a Session<'_>, seen: &'a SeenCall<'_>) {
        self.party_name = &session.attributed.party.name;
        self.rule = &seen.mapping.rule;
        // The calls of a session come together.
        if session.role.is_some() && self.latest != Some(at) {
            self.latest = Some(at);
            self.sessions += 1;
        }
        self.calls += seen.calls();
        self.denied += seen.sighting.denied.count();
        self.failed += seen.sighting.failed.count();
        self.span = join(self.span, join(seen.sighting.used, seen.sighting.refused));
        self.resources.merge(&seen.sighting.resources);
        self.errors.merge(&seen.sighting.errors);
        seen.sighting.samples(|id| self.samples.insert(id));
    }
}

fn row((account_id, role_arn, party_id, channel, region, source, name, actions): Key<'_>, sums: &Sums<'_>) -> UsageRow {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    UsageRow {
        account_id,
        role_arn: role_arn.to_owned(),
        sessions: whole(sums.sessions),
        party_id: party_id.to_owned(),
        party_name: sums.party_name.to_owned(),
        channel: channel.to_owned(),
        region: region.to_owned(),
        event_source: event_source(source),
        event_name: name.to_owned(),
        actions: actions.into_iter().map(str::to_owned).collect(),
        rule: sums.rule.to_owned(),
        calls: whole(sums.calls),
        denied: whole(sums.denied),
        failed: whole(sums.failed),
        first_seen: sums.span.map(|span| rfc3339(span.first)),
        last_seen: sums.span.map(|span| rfc3339(span.last)),
        resources: sums.resources.to_vec(),
        error_codes: sums.errors.to_vec(),
        sample_event_ids: sums.samples.to_vec(),
    }
}
