//! The rows of the table `sessions`: one a session, so what many of them say is kept once.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::activity::sessions::Session;
use crate::activity::usage::SeenCall;
use crate::evidence::few::Few;

use super::assessment::{Assessment, LatestSessions, SESSIONS_SHOWN, SessionRow};

/// The rows of these sessions, in their order; `arn` tells that of a session's role.
#[must_use]
pub fn session_rows<'a>(
    sessions: &'a [Session<'_>],
    arn: &impl Fn(&'a Session<'_>) -> Option<&'a str>,
) -> Vec<SessionRow> {
    let mut known = Known::default();
    sessions.iter().filter_map(|session| row(session, arn(session), &mut known)).collect()
}

/// Notes the latest sessions of each role and each party, for the pages that people read.
pub fn note_latest(assessment: &mut Assessment) {
    let mut of_roles: HashMap<(&str, &str), Vec<&SessionRow>> = HashMap::new();
    let mut of_parties: HashMap<&str, Vec<&SessionRow>> = HashMap::new();
    for row in assessment.sessions.iter().flatten() {
        of_roles.entry((&row.role_arn, &row.role_id)).or_default().push(row);
        of_parties.entry(&row.party_id).or_default().push(row);
    }
    for role in &mut assessment.roles {
        role.latest = of_roles.remove(&(role.arn.as_str(), role.role_id.as_str())).map(latest).unwrap_or_default();
    }
    for party in &mut assessment.parties {
        party.latest = of_parties.remove(party.id.as_str()).map(latest).unwrap_or_default();
    }
}

fn latest(mut rows: Vec<&SessionRow>) -> LatestSessions {
    let time = |row: &SessionRow| row.last_call.or(row.first_call).or(row.opened_at);
    rows.sort_by(|a, b| time(b).cmp(&time(a)).then_with(|| a.session_id.cmp(&b.session_id)));
    LatestSessions { all: rows.len() as u64, rows: rows.into_iter().take(SESSIONS_SHOWN).cloned().collect() }
}

/// Texts and lists of them, each once.
#[derive(Default)]
struct Known {
    texts: HashSet<Arc<str>>,
    lists: HashSet<Arc<[Box<str>]>>,
}

impl Known {
    fn text(&mut self, text: &str) -> Arc<str> {
        Arc::clone(self.texts.get_or_insert_with(text, |text| Arc::from(text)))
    }

    fn list<const LIMIT: usize>(&mut self, few: &Few<LIMIT>) -> Arc<[Box<str>]> {
        Arc::clone(self.lists.get_or_insert_with(few.as_slice(), |few| Arc::from(few)))
    }
}

fn row(session: &Session<'_>, arn: Option<&str>, known: &mut Known) -> Option<SessionRow> {
    let recipient = session.calls.first().map(|call| call.key.account);
    let account_id = session.role.as_deref().map(|role| role.account).or(recipient)?;
    let count =
        |get: fn(&SeenCall<'_>) -> u64| i64::try_from(session.calls.iter().map(get).sum::<u64>()).unwrap_or(i64::MAX);
    let party = &session.attributed.party;
    Some(SessionRow {
        account_id,
        session_id: Box::from(session.id.as_str()),
        role_arn: known.text(arn.unwrap_or_default()),
        role_id: known.text(session.role.as_deref().map_or("", |key| &key.id)),
        session_name: Box::from(session.name.as_str()),
        party_id: known.text(&party.id),
        party_kind: known.text(party.kind.word()),
        party_name: known.text(&party.name),
        channel: known.text(session.attributed.channel.word()),
        attribution: known.text(session.attributed.how.word()),
        opened_at: session.opened,
        first_call: session.active.map(|span| span.first),
        last_call: session.active.map(|span| span.last),
        calls: count(|seen| seen.calls()),
        denied: count(|seen| seen.sighting.denied.count()),
        failed: count(|seen| seen.sighting.failed.count()),
        external_id_sent: session.external_id.was_sent(),
        source_identity: session.source_identity.as_deref().map(|text| known.text(text)),
        networks: known.list(&session.networks),
        agents: known.list(&session.agents),
    })
}
