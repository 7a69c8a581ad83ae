//! Changes of access as they were recorded, owned: who did what to whose access, and whom the new policy names.

use crate::aws::AccountId;
use crate::aws::window::Time;
use crate::cloudtrail::access_change::Admitted;
use crate::cloudtrail::outcome::Outcome;

use super::limits;
use super::session::Caller;

/// One record of a change of access. Texts are cut to their limit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ChangeSeen {
    /// `eventID` as written.
    pub event_id: Box<str>,
    /// When.
    pub time: Time,
    /// The account whose trail holds the record.
    pub recipient: AccountId,
    /// The Region.
    pub region: Box<str>,
    /// Event source without suffix.
    pub source: Box<str>,
    /// Event name.
    pub name: Box<str>,
    /// Allowed, denied or failed.
    pub outcome: Outcome,
    /// What was changed: a name or ARN, as the record gives it.
    pub target: Box<str>,
    /// What was given: a policy, a key's id; empty where the API tells nothing.
    pub gives: Box<str>,
    /// Whom the new policy names: the smallest, up to a limit.
    pub admitted: Vec<Admitted>,
    /// Whether it names more.
    pub more_admitted: bool,
    /// Who changed it.
    pub caller: Caller,
    /// The caller's access key.
    pub caller_key: Box<str>,
    /// When the caller's session was opened.
    pub caller_created: Option<Time>,
    /// Source address.
    pub network: Box<str>,
}

impl ChangeSeen {
    /// Cuts a list of those named to its limit; tells whether some were left out.
    #[must_use]
    pub fn few(admitted: impl IntoIterator<Item = Admitted>) -> (Vec<Admitted>, bool) {
        let mut admitted = admitted.into_iter();
        let kept = admitted.by_ref().take(limits::ADMITTED).map(|one| Admitted {
            principal: Box::from(limits::cut(&one.principal)),
            conditions: Box::from(limits::cut(&one.conditions)),
        });
        (kept.collect(), admitted.next().is_some())
    }
}
