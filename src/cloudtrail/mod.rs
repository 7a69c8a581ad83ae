//! From bytes to records: what a log object holds, read without trusting it.

pub mod outcome;
pub mod parameters;
