//! Groups of actors that are judged together, and where those lie for which memory has no room.

use std::collections::BTreeSet;

use crate::aws::AccountId;

use super::merge::Evidence;

/// Actors that are judged together: the sessions of all roles that have had one name in one account, or the principals
/// of one account that came without a role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Group {
    /// The account that owns the role, or the principals' account.
    pub account: AccountId,
    /// The role's name; empty for principals without one.
    pub role: Box<str>,
}

/// Where groups lie that were put away while reading; what is there is in no evidence at hand. Single calls always lie
/// there once reading is over.
pub trait Shelf: Sync {
    /// The groups there.
    fn groups(&self) -> BTreeSet<Group>;

    /// The groups whose single calls are there.
    fn groups_with_calls(&self) -> BTreeSet<Group>;

    /// How much there is of one group, in units of its own.
    fn weight(&self, group: &Group) -> usize;

    /// Adds the actors of one group to an evidence.
    ///
    /// # Errors
    /// Why they cannot be had back.
    fn bring(&self, group: &Group, evidence: &mut Evidence) -> Result<(), String>;

    /// Shows each single call of a group, in pieces that fit memory: evidence whose actors hold nothing but calls. An
    /// event may come more than once.
    ///
    /// # Errors
    /// Why they cannot be had back, and what `show` says.
    fn calls(&self, group: &Group, show: &mut dyn FnMut(&Evidence) -> Result<(), String>) -> Result<(), String>;
}
