//! The rows of the table `sessions`: one a session, so what many of them say is kept once.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::activity::sessions::Session;
use crate::activity::usage::SeenCall;
use crate::evidence::few::Few;

use super::assessment::SessionRow;

/// The rows of these sessions, in their order; `arn` tells that of a session's role.
#[must_use]
pub fn session_rows<'a>(
    sessions: &'a [Session<'_>],
    arn: &impl Fn(&'a Session<'_>) -> Option<&'a str>,
) -> Vec<SessionRow> {
    let mut known = Known::default();
    sessions.iter().filter_map(|session| row(session, arn(session), &mut known)).collect()
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
        party_kind: party.kind.word(),
        party_name: known.text(&party.name),
        channel: session.attributed.channel.word(),
        attribution: session.attributed.how.word(),
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
