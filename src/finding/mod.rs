//! Judgement: what the evidence and the grants together mean, role by role, with the findings that follow.
//!
//! Pure. [`assessment`] is the result as types; the fields that serialize are those of `report.json`.

pub mod assessment;
