//! The edge that wires everything: plans what to read, reads it with workers, asks for the answer, writes the files.

pub mod activity;
pub mod again;
pub mod analyze;
pub mod beside;
pub mod call_days;
pub mod call_log;
pub mod call_rows;
pub mod checkpoint;
pub mod collect;
pub mod compare;
pub mod config;
pub mod digests;
pub mod discover;
pub mod estimate;
pub mod external_id;
pub mod fetch;
pub mod gathered;
pub mod inputs;
pub mod investigate;
mod ledger;
pub mod listing;
pub mod live;
pub mod monitor;
pub mod observe;
pub mod output;
pub mod pack;
pub mod past_run;
pub mod plan;
pub mod portions;
pub mod queries;
pub mod quiet;
pub mod report;
pub mod resume;
pub mod scratch;
pub mod shelf;
pub mod slot;
pub mod source;
pub mod spill;
pub mod spool;
pub mod stop;
pub mod task;
pub mod template;
pub mod upload;
pub mod vendors;
pub mod witness;
pub mod workers;

/// The user's mistake: what is wrong, and what to do. Exit code 2, nothing written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {help}")]
pub struct UserError {
    /// What is wrong: lowercase, one line, no final period, input in backticks.
    pub what: String,
    /// What to do next.
    pub help: String,
}

impl UserError {
    /// A mistake with its help.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into() }
    }
}
