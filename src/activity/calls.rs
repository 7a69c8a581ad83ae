//! The single calls of one group of actors: which session made each, and what it means.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::evidence::Evidence;
use crate::evidence::call::Call;
use crate::evidence::group::Group;
use crate::evidence::session::{Actor, HandOffSeen};
use crate::evidence::sighting::CallKey;

use super::action_map::Mapping;
use super::resolve::Activity;
use super::sessions::{Drafts, Identity, Session};

/// The sessions of one group, to be found by whoever made a call.
pub struct Callers<'a> {
    activity: &'a Activity<'a>,
    group: &'a Group,
    sessions: &'a [Session<'a>],
    places: HashMap<&'a Identity, usize>,
}

/// Calls of one session to one API in one place.
pub struct Made<'p> {
    /// The place of its session in the list.
    pub session: usize,
    /// API and place; its names are those of the piece.
    pub key: &'p CallKey,
    /// What they mean.
    pub mapping: Arc<Mapping>,
    /// The calls; an event perhaps more than once.
    pub calls: &'p [Call],
}

impl<'a> Callers<'a> {
    /// Those of the sessions of a group.
    #[must_use]
    pub fn of(activity: &'a Activity<'a>, group: &'a Group, sessions: &'a [Session<'a>]) -> Self {
        let places = sessions.iter().enumerate().map(|(at, session)| (&session.identity, at)).collect();
        Self { activity, group, sessions, places }
    }

    /// The sessions.
    #[must_use]
    pub fn sessions(&self) -> &'a [Session<'a>] {
        self.sessions
    }

    /// Who made the calls of a piece of the group's evidence.
    #[must_use]
    pub fn made<'p>(&self, piece: &'p Evidence) -> Vec<Made<'p>> {
        let mut drafts = Drafts::new(self.activity, self.group, &piece.names);
        let mut made = Vec::new();
        for (actor, acts) in &piece.actors {
            let Some(session) = self.session(&mut drafts, *actor) else { continue };
            for (key, sighting) in &acts.calls {
                let mapping = drafts.meaning(key);
                made.push(Made { session, key, mapping, calls: &sighting.calls });
            }
        }
        made
    }

    /// The place of the session of an actor.
    fn session(&self, drafts: &mut Drafts<'_, '_>, actor: Actor) -> Option<usize> {
        self.places.get(&drafts.identify(actor)?.identity).copied()
    }

    /// The records of the hand-offs that opened these sessions in the window, each with the place of its session.
    pub fn opened(&self) -> impl Iterator<Item = (usize, &'a HandOffSeen)> {
        let openings = &self.activity.openings;
        let window = self.activity.inputs.window;
        self.sessions.iter().enumerate().filter_map(move |(at, session)| {
            let opening = match session.identity {
                Identity::Opened(opening) => openings.list.get(opening)?,
                Identity::Unopened(..) => return None,
            };
            let in_window = window.is_none_or(|window| window.contains(opening.time()));
            in_window.then_some((at, opening.record))
        })
    }
}
