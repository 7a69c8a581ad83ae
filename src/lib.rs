//! thirdtrail: which outsiders can come into our AWS accounts, what did they really do, and what can be taken back.
//!
//! The folders stand in the order in which the data meets them: [`aws`] (words), [`cloudtrail`] (bytes to records),
//! [`evidence`] (records to a mergeable summary), [`activity`] (who did what), [`policy`] (what is granted),
//! [`finding`] (judgement), [`report`] (words for people), then the edges [`store`], [`run`] and [`cli`].
//! [`generate`] makes synthetic trails. ARCHITECTURE.md has the picture and the invariants.

pub mod activity;
pub mod aws;
pub mod cli;
pub mod cloudtrail;
pub mod evidence;
pub mod finding;
pub mod generate;
pub mod policy;
pub mod report;
pub mod run;
pub mod store;
