//! What a narrower scope leaves of evidence: exactly what reading with that scope would have kept.
//!
//! So evidence that was saved once serves later questions: another window, or a role that is quiet by now. Ids of what is
//! left out stay, as events out of scope, because every record is counted (invariant 2).

use crate::aws::ROLES_ANYWHERE;
use crate::aws::window::Window;
use crate::cloudtrail::identity::IdentityKind;

use super::merge::Evidence;
use super::scope::{RoleRef, Scope};
use super::session::{Actor, Acts, HandOffSeen, Span};

/// Where the events of some evidence lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// All in the window.
    Inside,
    /// All before it; perhaps hand-offs shortly before it.
    Before,
    /// All after it.
    After,
    /// Some in it and some not: only their records can tell which.
    Cut,
}

impl Side {
    /// That of events in that span; no events lie in every window.
    #[must_use]
    pub fn of(window: Option<Window>, span: Option<Span>) -> Self {
        let (Some(window), Some(span)) = (window, span) else { return Self::Inside };
        if window.contains(span.first) && window.contains(span.last) {
            Self::Inside
        } else if span.last < window.since {
            Self::Before
        } else if window.until <= span.first {
            Self::After
        } else {
            Self::Cut
        }
    }

    /// Whether no event lies in the window.
    #[must_use]
    pub fn is_outside(self) -> bool {
        matches!(self, Self::Before | Self::After)
    }
}

impl Evidence {
    /// The roles in it that have an id.
    pub fn role_refs(&self) -> impl Iterator<Item = RoleRef> {
        self.roles.keys().map(|role| RoleRef {
            account: role.account,
            name: self.names.text(role.name).to_owned(),
            id: self.names.text(role.id).to_owned(),
        })
    }

    /// What stays of events none of which lies in the window: hand-offs that may have opened sessions seen in it, and
    /// what is known of objects.
    pub fn leave_window(&mut self, scope: &Scope) {
        for acts in std::mem::take(&mut self.actors).into_values() {
            self.let_go(&acts);
        }
        self.keep_hand_offs(|seen| scope.admits_hand_off(seen.time));
        self.roles.clear();
        self.keys.clear();
        for id in std::mem::take(&mut self.changes).into_keys() {
            self.out_of_scope.append(id);
        }
        self.out_of_scope.settle();
        let coverage = &mut self.coverage;
        for place in coverage.places.values_mut() {
            place.events = None;
            place.undated.clear();
        }
        coverage.places.retain(|_, place| !place.delivered.is_empty());
        coverage.seen.clear();
        coverage.data_types.clear();
        coverage.logging.clear();
    }

    /// The users in it, by ARN.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(|key| self.names.text(key.user))
    }

    /// What stays when the roles that are quiet in `scope` are: their last activity, and what an outsider did. Of users
    /// that are no party, what their keys show.
    pub fn quieten(&mut self, scope: &Scope) {
        let names = &self.names;
        let is_quiet = |actor: &Actor| match actor {
            Actor::Session { role, delegate: None, .. } => {
                scope.is_quiet(role.account, names.text(role.name), names.text(role.id))
            }
            Actor::User { arn, .. } => !scope.is_party_user(names.text(*arn)),
            _ => false,
        };
        let gone: Vec<Acts> = self.actors.extract_if(|actor, _| is_quiet(actor)).map(|(_, acts)| acts).collect();
        for acts in gone {
            self.let_go(&acts);
        }
        self.keep_hand_offs(|seen| {
            !(scope.is_quiet(seen.role_account, &seen.role_name, &seen.role_id) && seen.is_inside(scope))
        });
    }

    fn let_go(&mut self, acts: &Acts) {
        for id in acts.calls.values().flat_map(|sighting| sighting.ids()) {
            self.out_of_scope.append(id);
        }
    }

    fn keep_hand_offs(&mut self, keep: impl Fn(&HandOffSeen) -> bool) {
        let gone: Vec<_> = self.handoffs.extract_if(|_, seen| !keep(seen)).map(|(id, _)| id).collect();
        for id in gone {
            self.out_of_scope.append(id);
        }
        self.out_of_scope.settle();
    }
}

impl HandOffSeen {
    /// Whether a hand-off into a quiet role needs no keeping; the same question as [`super::fold`] asks of a record.
    fn is_inside(&self, scope: &Scope) -> bool {
        let caller = &self.caller;
        match (caller.kind, &caller.session) {
            _ if caller.delegate.is_some() => false,
            (IdentityKind::AwsService, _) => *caller.invoked_by != *ROLES_ANYWHERE,
            (IdentityKind::IamUser | IdentityKind::Root, _) => {
                caller.account == Some(self.role_account) && !scope.is_party_user(&caller.arn)
            }
            (IdentityKind::AssumedRole, Some(session)) => {
                session.account == self.role_account
                    && scope.is_quiet(self.role_account, &session.role_name, &session.role_id)
            }
            _ => false,
        }
    }
}
