//! From the bytes of a log object to records: keys, inflating, splitting, parsing, identities, hand-offs.
//!
//! Nothing here judges or joins: a record is read alone, as it was written.

pub mod access_change;
mod caller_form;
pub mod configuration;
pub mod digest;
pub mod gunzip;
pub mod handoff;
pub mod identity;
pub mod named_resources;
pub mod object_key;
pub mod outcome;
pub mod parameters;
pub mod reader;
pub mod record;
pub mod selectors;
pub mod skim;
mod skip;
pub mod split;
