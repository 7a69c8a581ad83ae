//! Map and reduce: what remains of a log object when everything that no finding needs is gone.
//!
//! [`observe::Observer`] folds objects into an [`Evidence`]; evidences merge in any order and any grouping, an
//! evidence merged with itself is itself, and nothing here knows who anybody is: attribution waits for the whole.

pub mod call;
pub mod change;
pub mod coverage;
pub mod event_ids;
mod familiar;
pub mod few;
pub mod fold;
pub mod group;
pub mod hands;
pub mod limits;
pub mod merge;
pub mod names;
pub mod names_of_parties;
pub mod observe;
mod outline;
pub mod scope;
pub mod session;
pub mod shard;
pub mod sighting;
pub mod tables;
pub mod tally;
pub mod user_key;
pub mod within;

pub use merge::Evidence;
pub use scope::Scope;
